/* request -- a write is done once, however often its client sends it.
 *
 * The front claims (client, Idempotency-Key) before it sends a command. Claims of one turn of the
 * loop are one statement; rows are only inserted, and kept for 7 days.
 *
 *     cf_requests_claim(app->requests, req->client->name, key, meaning, id, claimed, own);
 *
 *     claimed: e != 0          503 (cf_claim_refused), the same request may come again
 *              CF_CLAIM_NEW    send the command with claim->id and claim->at as ce_time
 *              CF_CLAIM_SAME   the same, since the first try may not have reached the log; answer
 *                              with Idempotency-Replayed: true
 *              CF_CLAIM_CONFLICT  422 request_id_conflict, nothing is made
 *
 * Shapes   `meaning` is the canonical content (parsed and written again, so that blanks and the
 *          order of names do not count); it is hashed before claim returns
 * Owns     nothing of the caller's is kept
 * Errors   CF_E_DB: database away or too many claims waiting; CF_E_NET: the log is known to be
 *          away, nothing was claimed
 * Limits   key and meaning are stored as keyed hashes (16 and 32 bytes) only
 * Source   architecture: "Recognising duplicates"; table in stage/db/010_request.sql
 */
#pragma once
#include "common/io/kafka_front.h"
#include "common/io/loop.h"
#include "common/io/pg_front.h"
#include "common/io/seal.h"
#include "common/pure/error.h"

struct cf_request; /* http_server.h */
struct cf_requests;

enum cf_claim_result { CF_CLAIM_NEW, CF_CLAIM_SAME, CF_CLAIM_CONFLICT };

struct cf_claim {
    enum cf_claim_result result;
    uint8_t id[16]; /* the stored one; for NEW the one given */
    cf_ms at;       /* when it was first claimed */
};

/* Called once, on the loop's thread, never from inside cf_requests_claim. claim is NULL with e. */
typedef void cf_claimed(void *arg, int e, const struct cf_claim *claim);

/* Statements of this module, in this order, must stand in pg's list from `first` on. */
#define CF_REQUEST_STATEMENTS 3
void cf_request_statements(struct cf_pgf_statement out[CF_REQUEST_STATEMENTS]);

/* After pg has been freed, which answers what is under way. */
void cf_requests_free(struct cf_requests *r);
struct cf_requests *cf_requests_new(struct cf_loop *loop, struct cf_pgf *pg, size_t first,
                                    const struct cf_seal_ring *ring)
    CF_FREED_BY(cf_requests_free);
/* Who says whether the log is there; without, it is taken to be. */
void cf_requests_watch_log(struct cf_requests *r, const struct cf_front_producer *log);
/* Answers when the claim does not let the request go on: 503 or 422. */
bool cf_claim_refused(struct cf_request *req, int e, const struct cf_claim *claim);
void cf_requests_claim(struct cf_requests *r, const char *client, struct cf_str key,
                       struct cf_str meaning, const uint8_t id[16], cf_claimed *fn, void *arg);
