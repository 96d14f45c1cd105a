/* rules_deadline -- the clock of an accepted application: its marks, an extension, another count.
 *
 * Production has the clock of all accepted applications: it hears of each step, whoever makes it
 * (docs/decisions/0014). A deadline is open from acceptance until the card is ready for pickup
 * (a temporary card: collected), or until the application ends; after a failure of the card it is
 * open again, with the same date.
 *
 * Units    cf_day in Asia/Shanghai; working days; a mark is due at the first moment of its day
 * Errors   none: a verdict, as in rules.h
 * Source   Measures 2015, row S3; domain reference, "Deadlines"
 */
#pragma once
#include "services/production/rules.h"

struct production_extension {
    uint8_t app_id[16], command_id[16];
    int days; /* working days more */
    struct cf_str reason;
};

struct production_recalculation {
    uint8_t app_id[16];
    cf_day due_on; /* as it was counted elsewhere */
    bool provisional;
    struct cf_str reason;
};

bool production_deadline_is_open(const struct production_app *app);
/* The application has just been accepted. Marks of days before today are put without telling
 * anybody: it is a load of something old. */
void production_deadline_begin(struct production_slot *slot, const struct production_world *w,
                               struct production_effects *fx);
/* Puts the marks that are due at w->now, each once. */
void production_deadline_due(struct production_holder *h, const struct production_world *w,
                             struct production_effects *fx);
/* When the next mark is due; 0: none. */
cf_ms production_deadline_next_due(const struct production_holder *h,
                                   const struct production_world *w);
/* More time, or a refusal with its reason: both are answered. */
enum production_fit production_on_extension(struct production_holder *h,
                                            const struct production_extension *m,
                                            const struct production_world *w,
                                            struct production_effects *fx);
/* Counted again by the calendar and the policies of now. AHEAD: it comes to another date than the
 * message says, and nothing has changed. */
enum production_fit production_on_recalculation(struct production_holder *h,
                                                const struct production_recalculation *m,
                                                const struct production_world *w,
                                                struct production_effects *fx);
