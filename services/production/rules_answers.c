/* The bank's answers: what each step does to the application and to its card. */
#include "services/production/rules_inside.h"

static void remake(struct production_slot *slot, struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    if (app->given_up) return;
    app->remakes++;
    production_step(slot, CF_APP_PHOTO_READY, (struct cf_str){0}, fx);
    production_queue(slot, fx);
}

/* The card is lost before anybody had it; a new one with a new number is made, so many times. Then
 * a person must look, and the holder hears of it. */
void production_fail(struct production_slot *slot, struct cf_str reason, bool tell,
                     const struct production_world *w, struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    bool line_open = app->state == CF_APP_BATCHED || app->state == CF_APP_ACCOUNT_OPENED;
    if (line_open) production_line_done(slot, tell ? "missing" : "failed", fx);
    app->until = 0;
    production_step(slot, CF_APP_PRODUCTION_FAILED, reason, fx);
    app->given_up = app->remakes >= w->policy->remake_max;
    fx->list[fx->n - 1].needs_person = app->given_up;
    memcpy(app->superseded, slot->made.no, sizeof slot->made.no);
    production_card_scrap(slot, false, "cancel", tell, fx);
    remake(slot, fx);
}

/* The card is in hand; it takes the place of "the card" when that place is free. */
void production_collected(struct production_slot *slot, struct production_effects *fx)
{
    slot->app.until = 0;
    production_step(slot, CF_APP_COLLECTED, (struct cf_str){0}, fx);
    if (production_card_is(&slot->card)) return;
    slot->card = slot->made;
    memset(&slot->made, 0, sizeof slot->made);
}

static void take_step(struct production_slot *slot, const struct production_result *r,
                      enum cf_app_state to, const struct production_world *w,
                      struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    if (r->step == PRODUCTION_ON_FAILED) {
        production_fail(slot, r->reason, false, w, fx);
        return;
    }
    if (r->step == PRODUCTION_ON_ACCOUNT_FAILED) {
        production_line_done(slot, "failed", fx);
        /* To the end of the last day. */
        app->until = cf_ms_of_day(cf_day_of_ms(w->now + w->policy->account_ms) + 1);
        production_step(slot, to, r->reason, fx);
        fx->list[fx->n - 1].respond_by = cf_day_of_ms(app->until) - 1;
        return;
    }
    if (r->step == PRODUCTION_ON_COLLECTED) {
        production_collected(slot, fx);
        return;
    }
    if (r->step == PRODUCTION_ON_PRODUCED) app->until = 0;
    if (r->step == PRODUCTION_ON_ARRIVED) app->until = w->now + w->policy->pickup_ms;
    production_step(slot, to, (struct cf_str){0}, fx);
    if (r->step == PRODUCTION_ON_ARRIVED)
        fx->list[fx->n - 1].until_on = cf_day_of_ms(app->until);
    if (r->step == PRODUCTION_ON_PRODUCED) {
        production_card_seal(slot, w, fx);
        production_line_done(slot, "made", fx);
    }
}

/* A fee in a bank's report is refused and recorded, once; the step itself counts (S12). slot NULL: of an
 * application that has left its slot. */
static void refuse_fee(struct production_slot *slot, const struct production_result *r,
                       struct production_effects *fx)
{
    struct production_effect *e = slot ? production_about_app(fx, PRODUCTION_FX_ANSWERED, slot)
                                       : production_effect_add(fx, PRODUCTION_FX_ANSWERED);
    memcpy(e->app_id, r->app_id, 16);
    memcpy(e->command_id, r->id, 16);
    e->command = "bank_result";
    e->record = true;
    e->notice = true;
    e->word = "refused";
    e->reasons[e->n_reasons++] = "fee_not_allowed";
    /* About a card that was given up. */
    if (r->card_no.len && !cf_str_is(r->card_no, e->card.no)) memset(&e->card, 0, sizeof e->card);
}

static enum production_fit about_ended(const struct production_holder *h,
                                       const struct production_result *r,
                                       struct production_effects *fx)
{
    if (!production_has_ended(h, r->app_id)) return PRODUCTION_ILLEGAL;
    if (!r->fees || r->fee_told) return PRODUCTION_ENDED;
    refuse_fee(NULL, r, fx);
    return PRODUCTION_MOVE;
}

static bool names_line(const struct production_result *r)
{
    static const uint8_t none[16];
    return r->line_no && memcmp(r->batch_id, none, sizeof none) != 0;
}

/* Only what waits for the holder can be put right; what was asked for before waits in the queue. */
enum production_fit production_on_supplement(struct production_holder *h,
                                             const struct production_supplement *m,
                                             struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, m->app_id);
    bool fits = slot && slot->app.state == CF_APP_ACCOUNT_FAILED &&
                !production_slot_is_queued(slot);
    struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_ANSWERED);
    memcpy(e->app_id, m->app_id, 16);
    memcpy(e->command_id, m->command_id, 16);
    e->command = "supplement";
    e->word = fits ? "done" : "refused";
    e->notice = !fits;
    if (!fits) e->reasons[e->n_reasons++] = "illegal_in_state";
    if (!fits) return PRODUCTION_MOVE;
    if (m->outlet.len) slot->app.outlet = m->outlet;
    memcpy(slot->app.superseded, slot->made.no, sizeof slot->made.no);
    production_card_scrap(slot, false, "cancel", false, fx);
    production_queue(slot, fx);
    return PRODUCTION_MOVE;
}

static enum production_fit fit_of(const struct production_slot *slot,
                                  const struct production_result *r, enum cf_app_state *to)
{
    struct production_app app = slot->app;
    /* What is ordered again is as if it were ordered for the first time: answers may be ahead. */
    if (app.state == CF_APP_ACCOUNT_FAILED && production_slot_is_queued(slot))
        app.state = CF_APP_PHOTO_READY;
    enum production_fit fit = production_fit_of(&app, r->step, to);
    return r->step == PRODUCTION_ON_FAILED ? production_failure_fit(app.state, r->reason, fit)
                                           : fit;
}

/* About a card that was given up: only its old line hears of it. */
static bool is_about_gone(const struct production_result *r, const struct production_app *app)
{
    return r->card_no.len && (r->earlier || cf_str_is(r->card_no, app->superseded));
}

static enum production_fit void_old_line(struct production_slot *slot,
                                         const struct production_result *r,
                                         struct production_effects *fx)
{
    if (r->step != PRODUCTION_ON_PRODUCED || !names_line(r)) return PRODUCTION_ALREADY;
    struct production_effect *e = production_about_app(fx, PRODUCTION_FX_LINE, slot);
    e->word = "late_voided";
    memcpy(e->batch_id, r->batch_id, 16);
    e->line_no = r->line_no;
    return PRODUCTION_MOVE;
}

enum production_fit production_on_result(struct production_holder *h,
                                         const struct production_result *r,
                                         const struct production_world *w,
                                         struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, r->app_id);
    if (!slot) return about_ended(h, r, fx);
    if (r->bank.len && !cf_str_eq(r->bank, slot->app.bank)) return PRODUCTION_ILLEGAL;
    enum cf_app_state to = CF_APP_NONE;
    bool gone = is_about_gone(r, &slot->app);
    enum production_fit fit = gone ? PRODUCTION_ALREADY : fit_of(slot, r, &to);
    bool fits = fit == PRODUCTION_MOVE || fit == PRODUCTION_AHEAD;
    if (fits && r->card_no.len && !cf_str_is(r->card_no, slot->made.no)) return PRODUCTION_ILLEGAL;
    if (fit == PRODUCTION_ILLEGAL) return fit; /* a person looks at all of it */
    bool fee = r->fees && !r->fee_told;
    if (fee) refuse_fee(slot, r, fx);
    if (gone) fit = void_old_line(slot, r, fx);
    else if (fit == PRODUCTION_MOVE) take_step(slot, r, to, w, fx);
    return fee && fit != PRODUCTION_AHEAD ? PRODUCTION_MOVE : fit;
}
