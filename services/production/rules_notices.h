/* rules_notices -- what a bank is told of its cards, until it says that it has heard it.
 *
 * A notice is a row of its own, found by its id, with a timer of the same id: told, told again
 * with a growing wait under the same id, acknowledged. A loss that nobody acknowledges in time is
 * marked overdue.
 *
 * Shapes   struct production_notice is the row
 * Units    cf_ms UTC; 0: not yet
 * Owns     text points into what was passed in
 * Errors   none: a verdict (enum production_fit) says what became of an acknowledgement
 * Source   domain reference, "Production": card_notice, acknowledged, retried, overdue
 */
#pragma once
#include "common/pure/keys.h"
#include "services/production/rules.h"

struct production_notice {
    struct cf_key holder;
    struct cf_str bank, card_no, what;
    cf_ms told_at, again_at, overdue_at, acknowledged_at;
    int32_t sent; /* times */
};

struct production_acknowledged {
    uint8_t notice_id[16];
    struct cf_str bank, card_no; /* empty: not said */
};

/* What is due of a notice. */
struct production_notice_due {
    bool again;   /* tell the bank once more */
    bool overdue; /* a loss, for the first time */
};

/* A new notice, told at w->now for the first time. */
void production_notice_tell(struct production_notice *n, const uint8_t id[16],
                            const struct production_world *w);
struct production_notice_due production_notice_on_due(struct production_notice *n,
                                                      const uint8_t id[16],
                                                      const struct production_world *w);
/* When to look at it next; 0: never. */
cf_ms production_notice_next_due(const struct production_notice *n,
                                 const struct production_policy *p);
/* MOVE, ALREADY, ENDED for a notice that is not there (n NULL), or ILLEGAL when it names another
 * holder's, another bank's or another card's. */
enum production_fit production_on_acknowledged(struct production_notice *n,
                                               const struct cf_key *holder,
                                               const struct production_acknowledged *a,
                                               const struct production_world *w);
