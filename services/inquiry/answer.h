/* answer -- a status or an outcome as JSON.
 *
 * Shapes   the fields of Status and Outcome in the interface's fixed points, and a few more
 * Owns     text is written into the buffer
 */
#pragma once
#include "common/io/json.h"
#include "common/io/seal.h"
#include "common/pure/deadline.h"
#include "common/pure/outlets.h"
#include "services/inquiry/codec.h"

struct inquiry_answer {
    struct cf_arena *arena;
    const struct cf_calendar *calendar;
    const struct cf_policies *policies;
    const struct cf_seal_ring *ring;
    const char *phones; /* separated by commas */
    const struct cf_outlets *outlets;
    const struct cf_key *holder;
    const struct inquiry_facts *facts;
    bool from_cache;
    bool verified; /* else state and next step only */
    bool hands_out; /* the outcome shows the number of a temporary card that lies ready */
    cf_ms now;
};

/* facts NULL: nobody was found. False: found, but with nothing to show. */
bool inquiry_answer_status(struct cf_buf *to, const struct inquiry_answer *in);
void inquiry_answer_outcome(struct cf_buf *to, const struct inquiry_answer *in,
                            const struct inquiry_app *app);
