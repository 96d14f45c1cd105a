/* The bank's queue and leaving it: batches, withdrawal, the end of an enrolment. */
#include "services/production/rules_inside.h"

static const uint8_t none[16];

static void answer(struct production_effect *e, const uint8_t command_id[16],
                   enum cf_channel channel, const char *result, const char *reason)
{
    memcpy(e->command_id, command_id, 16);
    e->command = "withdraw";
    e->channel = channel;
    e->word = result;
    if (reason) e->reasons[e->n_reasons++] = reason;
    e->notice = reason != NULL;
}

/* Everybody who waits hears it; a withdrawal that is done has one voucher. reason NULL: done. */
static void leave_answered(struct production_slot *slot, const char *reason,
                           struct production_effects *fx)
{
    bool first = true;
    for (int i = 0; i < PRODUCTION_LEAVES_KEPT; i++) {
        uint8_t *id = slot->app.leave_ids[i];
        if (memcmp(id, none, 16) == 0) continue;
        struct production_effect *e = production_about_app(fx, PRODUCTION_FX_ANSWERED, slot);
        answer(e, id, slot->app.leave_channel, reason ? "refused" : first ? "done" : "already",
               reason);
        e->voucher = !reason && first;
        first = false;
        memset(id, 0, 16);
    }
}

/* False: as many wait already as are kept. */
static bool keep_waiting(struct production_app *app, const uint8_t command_id[16])
{
    for (int i = 0; i < PRODUCTION_LEAVES_KEPT; i++) {
        if (memcmp(app->leave_ids[i], none, 16) != 0) continue;
        memcpy(app->leave_ids[i], command_id, 16);
        return true;
    }
    return false;
}

static void leave(struct production_slot *slot, enum production_leaving why, bool tell,
                  struct production_effects *fx)
{
    /* A release itself waits for this, and answers. */
    if (why == PRODUCTION_LEAVES_WITHDRAWN || why == PRODUCTION_LEAVES_RELEASED) {
        production_end(slot, CF_APP_WITHDRAWN, (struct cf_str){0}, tell, fx);
        leave_answered(slot, NULL, fx);
        return;
    }
    enum cf_close_reason reason =
        why == PRODUCTION_LEAVES_DIED ? CF_CLOSE_HOLDER_DIED : CF_CLOSE_ENROLMENT_ENDED;
    production_end(slot, CF_APP_CLOSED, cf_str_of(cf_close_reason_name(reason)), tell, fx);
    leave_answered(slot, "illegal_in_state", fx);
}

enum production_fit production_on_batched(struct production_holder *h,
                                          const struct production_batched *b,
                                          const struct production_world *w,
                                          struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, b->app_id);
    if (!slot) return production_has_ended(h, b->app_id) ? PRODUCTION_ENDED : PRODUCTION_ILLEGAL;
    struct production_app *app = &slot->app;
    enum cf_app_state to;
    enum production_fit fit = production_fit_of(app, PRODUCTION_ON_BATCH, &to);
    if (fit != PRODUCTION_MOVE) return fit;
    memcpy(app->batch_id, b->batch_id, 16);
    app->line_no = b->line_no;
    app->queued = false;
    app->until = w->now + w->policy->answer_ms;
    production_step(slot, to, (struct cf_str){0}, fx);
    enum production_leaving why = app->leaving;
    app->leaving = PRODUCTION_STAYS;
    if (why == PRODUCTION_LEAVES_DIED) {
        production_line_done(slot, "failed", fx);
        leave(slot, why, true, fx);
    }
    leave_answered(slot, "in_production", fx);
    return PRODUCTION_MOVE;
}

enum production_fit production_on_dequeued(struct production_holder *h,
                                           const struct production_dequeued *d,
                                           struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, d->app_id);
    if (!slot || slot->app.leaving == PRODUCTION_STAYS || !d->out) return PRODUCTION_ENDED;
    leave(slot, slot->app.leaving, false, fx);
    return PRODUCTION_MOVE;
}

/* ---- leaving ------------------------------------------------------------------------------- */

enum production_fit production_on_withdrawal(struct production_holder *h,
                                             const struct production_withdrawal *m,
                                             struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, m->app_id);
    /* Intake sends it after accepted, on the same topic: an id nobody knows has ended. */
    if (!slot || cf_app_state_is_end(slot->app.state)) {
        struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_ANSWERED);
        memcpy(e->app_id, m->app_id, 16);
        answer(e, m->command_id, m->channel, "refused", "illegal_in_state");
        return PRODUCTION_MOVE;
    }
    struct production_app *app = &slot->app;
    enum cf_app_state to;
    if (!keep_waiting(app, m->command_id)) {
        answer(production_about_app(fx, PRODUCTION_FX_ANSWERED, slot), m->command_id, m->channel,
               "refused", "too_many_operations");
        return PRODUCTION_MOVE;
    }
    app->leave_channel = m->channel;
    if (app->leaving != PRODUCTION_STAYS) return PRODUCTION_MOVE; /* answered with the first */
    if (production_fit_of(app, PRODUCTION_ON_WITHDRAW, &to) != PRODUCTION_MOVE) {
        leave_answered(slot, "in_production", fx);
    } else if (app->queued) {
        /* Only the bank's shard knows whether the line is still waiting. */
        app->leaving = PRODUCTION_LEAVES_WITHDRAWN;
        production_about_app(fx, PRODUCTION_FX_DEQUEUE, slot);
    } else {
        leave(slot, PRODUCTION_LEAVES_WITHDRAWN, app->state == CF_APP_READY_FOR_PICKUP, fx);
    }
    return PRODUCTION_MOVE;
}

static void enrolment_leaves(struct production_slot *slot, bool died, struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    enum cf_app_state to;
    enum production_leaving why = died ? PRODUCTION_LEAVES_DIED : PRODUCTION_LEAVES_ENROLMENT_ENDED;
    if (!production_app_is_open(app)) return;
    enum production_app_event on = died ? PRODUCTION_ON_DIE : PRODUCTION_ON_CLOSE;
    if (production_fit_of(app, on, &to) != PRODUCTION_MOVE) return;
    if (app->queued) {
        if (app->leaving == PRODUCTION_STAYS) production_about_app(fx, PRODUCTION_FX_DEQUEUE, slot);
        app->leaving = why;
        return;
    }
    bool line_open = app->state == CF_APP_BATCHED || app->state == CF_APP_ACCOUNT_OPENED;
    if (line_open) production_line_done(slot, "failed", fx);
    leave(slot, why, true, fx);
}

static void bury_card(struct production_card *card, bool temporary, struct production_effects *fx)
{
    if (production_card_put(card, temporary, PRODUCTION_CARD_CANCEL, PRODUCTION_DEATH, NULL, fx))
        production_tell_bank(card, PRODUCTION_DEATH, fx);
}

/* Told once, by a newer revision: who was reported dead lives. Cards stay cancelled. */
static enum production_fit comes_back(struct production_holder *h)
{
    if (!h->died) return PRODUCTION_ALREADY;
    h->died = false;
    return PRODUCTION_MOVE;
}

enum production_fit production_on_enrolment(struct production_holder *h,
                                            const struct production_enrolment *m,
                                            struct production_effects *fx)
{
    if (m->active) return comes_back(h);
    bool died = cf_str_is(m->reason, PRODUCTION_DEATH);
    struct production_slot *slots[] = {&h->permanent, &h->temporary};
    for (int i = 0; i < 2; i++) {
        if (died) bury_card(&slots[i]->card, i == 1, fx);
        /* Collected and not activated, beside an old card. */
        if (died && slots[i]->app.state == CF_APP_COLLECTED)
            bury_card(&slots[i]->made, i == 1, fx);
        enrolment_leaves(slots[i], died, fx);
    }
    bool changed = fx->n > 0 || (died && !h->died);
    if (died) h->died = true;
    return changed ? PRODUCTION_MOVE : PRODUCTION_ALREADY;
}
