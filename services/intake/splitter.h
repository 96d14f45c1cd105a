/* splitter -- the work `split`: the rows of a roster become commands, some hundred at a time.
 *
 * A step reads the file where the last one left off, sends one command a row under the id of
 * (roster, row), and tells how far it got once the broker has taken all of them. A new owner, or
 * a step that failed, reads the file again from the start: rows before the first that is wanted
 * are read for their numbers only, and known ids drop.
 *
 * Owns     the readers of the rosters under way (a few), as long as their steps follow one another;
 *          of the file three pieces are in memory, of its rows one, and 64 bits of each number
 * Errors   a step that cannot be finished ends as "try again"
 * Source   architecture: "Roster"
 */
#pragma once
#include "common/pure/pieces.h"
#include "services/intake/front.h"
#include "services/intake/rules_roster.h"

void intake_splitter_free(struct intake_splitter *p);
struct intake_splitter *intake_splitter_new(struct intake_front *front)
    CF_FREED_BY(intake_splitter_free);
void intake_splitter_run(struct intake_splitter *p, struct cf_work_call *call);

/* ---- the file of a roster, in sealed pieces; for rows.csv too -------------------------------- */

#define INTAKE_ROSTER_PIECE (256u << 10)

/* Asks for one piece; as cf_pgf_send. */
int intake_roster_fetch(struct cf_app *app, const struct cf_key *key, const uint8_t roster_id[16],
                        uint32_t piece, cf_pgf_done *done, void *arg) CF_MUST;
/* Gives the piece that was asked for to pieces->want; a rule that is broken, or NULL. */
const char *intake_roster_piece(const struct cf_seal_ring *ring, const uint8_t roster_id[16],
                                const PGresult *res, struct cf_pieces *pieces);
