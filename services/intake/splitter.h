/* splitter -- the work `split`: the rows of a roster become commands, some hundred at a time.
 *
 * A step reads the file where the last one left off, sends one command a row under the id of
 * (roster, row), and tells how far it got once the broker has taken all of them. A new owner, or
 * a step that failed, reads the file again from the start: known ids drop.
 *
 * Owns     the text of the rosters under way (a few), as long as their steps follow one another
 * Errors   a step that cannot be finished ends as "try again"
 * Source   architecture: "Roster"
 */
#pragma once
#include "services/intake/front.h"
#include "services/intake/rules_roster.h"

void intake_splitter_free(struct intake_splitter *p);
struct intake_splitter *intake_splitter_new(struct intake_front *front)
    CF_FREED_BY(intake_splitter_free);
void intake_splitter_run(struct intake_splitter *p, struct cf_work_call *call);

/* The file of a roster from its sealed pieces, as text; a rule that is broken, or NULL. Used for
 * rows.csv too. The arena needs room for three times the file. */
const char *intake_roster_file(const struct cf_seal_ring *ring, const uint8_t roster_id[16],
                               const PGresult *chunks, struct cf_arena *arena, struct cf_str *out);
