/* wait -- "Prefer: wait": an answer is held until its outcome is in the database, or time is up.
 *
 * All who wait are asked for together, with one statement each 20 ms.
 *
 *     SQL of the service, in its cf_app_spec.wait:
 *         $1 smallint[] partitions, $2 uuid[] ids, in pairs. Columns: id uuid, then the
 *         service's own. Only those that have their outcome; no rows: nobody yet.
 *
 *     cf_wait_for(app->waits, part, id, wait_ms, waited, own);
 *     static void waited(void *own, const PGresult *res, int row)
 *     {
 *         if (!res) ...                  (time is up: answer 202)
 *         cf_pgf_get(res, row, 1) ...    (answer 200)
 *     }
 *
 * Units    ms; more than 10 s is 10 s
 * Owns     a result lives in its callback only
 * Errors   the database away, or too many waiting: as if time were up
 */
#pragma once
#include "common/io/loop.h"
#include "common/io/pg_front.h"

#define CF_WAIT_MAX_MS 10000

struct cf_waits;

/* Called once for each wait, on the loop's thread, never from inside cf_wait_for. */
typedef void cf_waited(void *arg, const PGresult *res, int row);

void cf_waits_free(struct cf_waits *w);
/* statement: its number in pg's list. */
struct cf_waits *cf_waits_new(struct cf_loop *loop, struct cf_pgf *pg, size_t statement)
    CF_FREED_BY(cf_waits_free);
void cf_wait_for(struct cf_waits *w, int16_t part, const uint8_t id[16], cf_ms wait_ms,
                 cf_waited *fn, void *arg);
/* How many wait now. */
size_t cf_waiting(const struct cf_waits *w);
