/* A card that failed as often as it is made again by itself: a person has it made once more, with as
 * many tries again, or closes the application. */
#include "services/production/rules_inside.h"

static void settle(struct production_slot *slot, const struct production_settlement *m,
                   struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    if (m->remake) {
        app->remakes = 0;
        app->by_hand = true;
        production_step(slot, CF_APP_PHOTO_READY, (struct cf_str){0}, fx);
    } else {
        production_end(slot, CF_APP_CLOSED,
                       cf_str_of(cf_close_reason_name(CF_CLOSE_CARD_NOT_MADE)), false, fx);
    }
    struct production_effect *step = &fx->list[fx->n - 1];
    step->staff_id = m->staff_id;
    step->why = m->reason;
    if (m->remake) production_queue(slot, fx);
}

enum production_fit production_on_settlement(struct production_holder *h,
                                             const struct production_settlement *m,
                                             struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, m->app_id);
    const char *reason = m->late                                ? "command_expired"
                         : m->too_many                          ? "too_many_operations"
                         : !slot || !slot->app.given_up ? "illegal_in_state"
                                                                : NULL;
    struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_ANSWERED);
    memcpy(e->app_id, m->app_id, 16);
    memcpy(e->command_id, m->id, 16);
    e->command = m->remake ? "remake" : "close_application";
    e->staff_id = m->staff_id;
    e->record = true;
    e->word = reason ? "refused" : "done";
    if (reason) e->reasons[e->n_reasons++] = reason;
    if (!reason) settle(slot, m, fx);
    return PRODUCTION_MOVE;
}
