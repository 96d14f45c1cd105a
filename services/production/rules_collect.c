/* The agent of a unit's list collects the card (S2): the step is the one that an outlet reports. */
#include "services/production/rules_inside.h"

/* What stands against it, or NULL. */
static const char *refusal(const struct production_collection *m,
                           const struct production_slot *slot, enum production_fit fit)
{
    if (m->late) return "command_expired";
    if (m->too_many) return "too_many_operations";
    if (!slot || fit != PRODUCTION_MOVE) return "not_ready_for_pickup";
    return m->outlet.len && !cf_str_eq(m->outlet, slot->app.outlet) ? "other_outlet" : NULL;
}

enum production_fit production_on_collection(struct production_holder *h,
                                             const struct production_collection *m,
                                             struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, m->app_id);
    enum cf_app_state to;
    enum production_fit fit =
        slot ? production_fit_of(&slot->app, PRODUCTION_ON_COLLECTED, &to) : PRODUCTION_ENDED;
    bool already = slot && slot->app.state == CF_APP_COLLECTED;
    const char *reason = already ? NULL : refusal(m, slot, fit);
    struct production_card card = {0};
    if (slot) card = slot->made;
    if (!already && !reason) production_collected(slot, fx);
    struct production_effect *e = slot ? production_about_app(fx, PRODUCTION_FX_ANSWERED, slot)
                                       : production_effect_add(fx, PRODUCTION_FX_ANSWERED);
    memcpy(e->app_id, m->app_id, 16);
    memcpy(e->command_id, m->id, 16);
    e->card = card;
    e->command = "collect";
    e->channel = m->channel;
    e->outlet = m->outlet;
    e->collector = m->collector;
    e->word = reason ? "refused" : already ? "already" : "done";
    e->voucher = !reason && !already;
    e->notice = reason != NULL;
    if (reason) e->reasons[e->n_reasons++] = reason;
    return PRODUCTION_MOVE;
}
