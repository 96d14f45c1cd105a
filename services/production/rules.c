/* The path of an application: accepted, photo, queue; and what happens by time. */
#include "services/production/rules_inside.h"

#include "common/pure/error.h"
#include "common/pure/reissue.h"

struct production_effect *production_effect_add(struct production_effects *fx,
                                                enum production_effect_kind kind)
{
    if (fx->n == PRODUCTION_EFFECTS) CF_BUG("more effects than one message can have");
    struct production_effect *e = &fx->list[fx->n++];
    memset(e, 0, sizeof *e);
    e->kind = kind;
    return e;
}

bool production_slot_is_queued(const struct production_slot *slot)
{
    /* A card that was numbered and not queued is the one that failed. */
    return slot->app.queued || slot->made.state == CF_CARD_NONE;
}

static bool same_id(const uint8_t a[16], const uint8_t b[16])
{
    return memcmp(a, b, 16) == 0;
}

bool production_app_is_open(const struct production_app *app)
{
    return app->state != CF_APP_NONE && !cf_app_state_is_end(app->state);
}

struct production_slot *production_slot_of(struct production_holder *h, const uint8_t app_id[16])
{
    struct production_slot *slots[] = {&h->permanent, &h->temporary};
    for (int i = 0; i < 2; i++)
        if (slots[i]->app.state != CF_APP_NONE && same_id(slots[i]->app.id, app_id))
            return slots[i];
    return NULL;
}

bool production_has_ended(const struct production_holder *h, const uint8_t app_id[16])
{
    for (int i = 0; i < PRODUCTION_ENDED_KEPT; i++)
        if (same_id(h->ended[i], app_id)) return true;
    return false;
}

static void remember_ended(struct production_holder *h, const uint8_t app_id[16])
{
    memmove(h->ended[1], h->ended[0], sizeof h->ended - 16);
    memcpy(h->ended[0], app_id, 16);
}

struct production_effect *production_about_app(struct production_effects *fx,
                                               enum production_effect_kind kind,
                                               struct production_slot *slot)
{
    struct production_effect *e = production_effect_add(fx, kind);
    const struct production_app *app = &slot->app;
    e->slot = slot;
    memcpy(e->app_id, app->id, 16);
    e->app_kind = app->kind;
    e->bank = app->bank;
    e->outlet = app->outlet;
    memcpy(e->batch_id, app->batch_id, 16);
    e->line_no = app->line_no;
    e->card = slot->made;
    e->temporary = app->kind == CF_KIND_TEMPORARY;
    return e;
}

void production_step(struct production_slot *slot, enum cf_app_state state, struct cf_str reason,
                     struct production_effects *fx)
{
    slot->app.state = state;
    struct production_effect *e = production_about_app(fx, PRODUCTION_FX_STEP, slot);
    e->state = state;
    e->reason = reason;
    e->settled = slot->app.given_up;
    slot->app.given_up = false;
}

void production_line_done(struct production_slot *slot, const char *result,
                          struct production_effects *fx)
{
    production_about_app(fx, PRODUCTION_FX_LINE, slot)->word = result;
}

/* The application ends: its card in the making goes with it. tell: the bank holds an order. */
void production_end(struct production_slot *slot, enum cf_app_state state, struct cf_str reason,
                    bool tell, struct production_effects *fx)
{
    bool temporary = slot->app.kind == CF_KIND_TEMPORARY;
    if (slot->made.state != CF_CARD_NONE) {
        memcpy(slot->app.superseded, slot->made.no, sizeof slot->made.no);
        bool died = cf_str_is(reason, cf_close_reason_name(CF_CLOSE_HOLDER_DIED));
        production_card_scrap(slot, temporary, died ? PRODUCTION_DEATH : "cancel", tell, fx);
    }
    slot->app.until = 0;
    slot->app.queued = false;
    slot->app.leaving = PRODUCTION_STAYS;
    production_card_give_back(&slot->card, fx);
    production_step(slot, state, reason, fx);
    /* What cannot be done any more is explained on paper. */
    fx->list[fx->n - 1].notice =
        state == CF_APP_CLOSED || state == CF_APP_EXPIRED || state == CF_APP_PICKUP_EXPIRED;
}

/* ---- acceptance ---------------------------------------------------------------------------- */

static bool in_hand(const struct production_card *c)
{
    return production_card_is(c) && c->state != CF_CARD_RESERVED;
}

/* The card that a replacement would replace. */
static const struct production_card *held_card(const struct production_slot *slot)
{
    return in_hand(&slot->made) ? &slot->made : &slot->card;
}

static bool may_reissue(const struct production_card *held, const struct production_accepted *a)
{
    bool shown = held->state == CF_CARD_CANCELLED || in_hand(held);
    const struct cf_reissue_card card = {shown ? held->state : CF_CARD_NONE,
                                         cf_str_eq(held->bank, a->bank), held->valid_until};
    return cf_reissue_refused(a->reissue, &card, a->accepted_on) == CF_REASON_NONE;
}

/* Does the application still fit the cards? Intake has judged by its mirror; these are the cards
 * themselves (rule "one card"). */
static bool fits_cards(const struct production_slot *slot, const struct production_accepted *a)
{
    const struct production_card *card = held_card(slot);
    bool plain = card->state == CF_CARD_SEALED || card->state == CF_CARD_NORMAL;
    switch (a->kind) {
    case CF_KIND_FIRST_ISSUE:
        return !in_hand(card);
    case CF_KIND_LOSS_REPLACEMENT:
        return in_hand(card) && !card->handed_in;
    case CF_KIND_DAMAGE_REPLACEMENT:
        return (plain || card->state == CF_CARD_APP_LOCKED) && !card->handed_in;
    case CF_KIND_PHOTO_SWAP:
        return plain && !card->has_photo;
    case CF_KIND_TEMPORARY:
        return !cf_card_state_is_usable(card->state);
    case CF_KIND_REISSUE:
        return may_reissue(card, a);
    case CF_KIND_NONE:
    case CF_KIND_COUNT:
        return false;
    }
    return false;
}

/* Acceptance of a replacement is a loss report, or the old card is handed in. */
static void put_old_card_away(struct production_slot *slot, const struct production_accepted *a,
                              struct production_effects *fx)
{
    if (in_hand(&slot->made)) {
        /* Collected and never activated: it is the old card now. */
        if (in_hand(&slot->card)) {
            bool temporary = a->kind == CF_KIND_TEMPORARY;
            production_card_put(&slot->card, temporary, PRODUCTION_CARD_CANCEL, "cancel", NULL, fx);
            production_tell_bank(&slot->card, "cancelled", fx);
        }
        slot->card = slot->made;
        memset(&slot->made, 0, sizeof slot->made);
    }
    if (a->kind == CF_KIND_LOSS_REPLACEMENT &&
        production_card_put(&slot->card, false, PRODUCTION_CARD_FORMAL_LOSS, "report_formal_loss",
                            NULL, fx) &&
        a->channel != CF_CHANNEL_BANK_OUTLET)
        production_tell_bank(&slot->card, "loss", fx);
    if (a->kind == CF_KIND_DAMAGE_REPLACEMENT) {
        slot->card.handed_in = true;
        production_card_changed(&slot->card, false, slot->card.state, "handed_in", NULL, fx);
    }
}

static void start_card(struct production_slot *slot)
{
    const struct production_app *app = &slot->app;
    memset(&slot->made, 0, sizeof slot->made);
    slot->made.bank = app->bank;
    slot->made.has_photo = app->has_photo;
    slot->made.sixteen_on = app->sixteen_on;
}

static void ask_to_hand_out(struct production_slot *slot, struct production_effects *fx)
{
    start_card(slot);
    production_about_app(fx, PRODUCTION_FX_HAND_OUT, slot);
}

static void close_at_once(const struct production_accepted *a, struct cf_str reason,
                          struct production_effects *fx)
{
    struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_STEP);
    memcpy(e->app_id, a->app_id, 16);
    e->app_kind = a->kind;
    e->bank = a->bank;
    e->outlet = a->outlet;
    e->state = CF_APP_CLOSED;
    e->reason = reason;
    e->notice = true;
}

enum production_fit production_on_accepted(struct production_holder *h,
                                           const struct production_accepted *a,
                                           struct production_effects *fx)
{
    if (production_slot_of(h, a->app_id)) return PRODUCTION_ILLEGAL;
    struct production_slot *slot = a->kind == CF_KIND_TEMPORARY ? &h->temporary : &h->permanent;
    struct production_app *app = &slot->app;
    /* Intake lets one application be open. One that is still before its photo here has ended there
     * (its photo never came), and that news is on its way on another topic. */
    bool overtaken = app->state == CF_APP_ACCEPTED || app->state == CF_APP_PHOTO_MISSING;
    if (overtaken) production_card_give_back(&slot->card, fx);
    bool closed =
        (production_app_is_open(app) && !overtaken) || !fits_cards(slot, a) || h->died;
    if (closed) {
        remember_ended(h, a->app_id);
        close_at_once(
            a,
            cf_str_of(cf_close_reason_name(h->died ? CF_CLOSE_HOLDER_DIED : CF_CLOSE_CARD_CHANGED)),
            fx);
        return PRODUCTION_MOVE;
    }
    if (app->state != CF_APP_NONE) remember_ended(h, app->id);
    put_old_card_away(slot, a, fx);
    memset(app, 0, sizeof *app);
    memcpy(app->id, a->app_id, 16);
    app->kind = a->kind;
    app->state = CF_APP_ACCEPTED;
    app->bank = a->bank;
    app->outlet = a->outlet;
    app->accepted_on = a->accepted_on;
    app->due_on = a->due_on;
    app->provisional = a->provisional;
    app->sixteen_on = a->sixteen_on;
    if (a->kind == CF_KIND_TEMPORARY) ask_to_hand_out(slot, fx);
    return PRODUCTION_MOVE;
}

void production_hand_out(struct production_slot *slot, const struct production_world *w,
                         struct production_effects *fx)
{
    production_step(slot, CF_APP_PRODUCED, (struct cf_str){0}, fx);
    production_card_seal(slot, w, fx);
    slot->app.until = cf_ms_of_day(slot->made.valid_until + 1);
}

/* ---- photo --------------------------------------------------------------------------------- */

void production_queue(struct production_slot *slot, struct production_effects *fx)
{
    start_card(slot);
    slot->app.queued = true;
    slot->app.until = 0;
    production_about_app(fx, PRODUCTION_FX_ENQUEUE, slot);
}

enum production_fit production_on_photo_ready(struct production_holder *h,
                                              const struct production_photo *p,
                                              struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, p->app_id);
    if (!slot) return production_has_ended(h, p->app_id) ? PRODUCTION_ENDED : PRODUCTION_AHEAD;
    enum cf_app_state to;
    enum production_fit fit = production_fit_of(&slot->app, PRODUCTION_ON_PHOTO_READY, &to);
    if (fit != PRODUCTION_MOVE) return fit;
    slot->app.state = to;
    slot->app.has_photo = p->has_photo;
    memcpy(slot->app.photo_ref, p->ref, 16);
    production_queue(slot, fx);
    return PRODUCTION_MOVE;
}

enum production_fit production_on_photo_missing(struct production_holder *h,
                                                const struct production_photo *p)
{
    struct production_slot *slot = production_slot_of(h, p->app_id);
    if (!slot) return production_has_ended(h, p->app_id) ? PRODUCTION_ENDED : PRODUCTION_AHEAD;
    enum cf_app_state to;
    enum production_fit fit = production_fit_of(&slot->app, PRODUCTION_ON_PHOTO_MISSING, &to);
    if (fit == PRODUCTION_MOVE) slot->app.state = to;
    return fit;
}

enum production_fit production_on_photo_ended(struct production_holder *h,
                                              const struct production_photo *p,
                                              struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, p->app_id);
    if (!slot) return production_has_ended(h, p->app_id) ? PRODUCTION_ENDED : PRODUCTION_AHEAD;
    enum cf_app_state to;
    enum production_fit fit = production_fit_of(&slot->app, PRODUCTION_ON_EXPIRE, &to);
    /* Told from here alone: a withdrawal, or the end of the enrolment, may have come before. */
    if (fit == PRODUCTION_MOVE) production_end(slot, to, CF_STR("photo_not_given"), false, fx);
    return fit;
}

/* ---- time ---------------------------------------------------------------------------------- */

static void app_due(struct production_slot *slot, const struct production_world *w,
                    struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    if (!app->until || app->until > w->now || !production_app_is_open(app)) return;
    bool again = app->state == CF_APP_ACCOUNT_FAILED && production_slot_is_queued(slot);
    if (app->state == CF_APP_PHOTO_READY || again) /* there was no number for its card */
        production_queue(slot, fx);
    else if (app->state == CF_APP_BATCHED || app->state == CF_APP_ACCOUNT_OPENED)
        production_fail(slot, CF_STR("unanswered"), true, w, fx);
    else if (app->state == CF_APP_ACCOUNT_FAILED)
        production_end(slot, CF_APP_EXPIRED, CF_STR("account_failed"), true, fx);
    else if (app->state == CF_APP_READY_FOR_PICKUP || app->state == CF_APP_PRODUCED)
        /* Produced: a temporary card that nobody took while it was valid. */
        production_end(slot, CF_APP_PICKUP_EXPIRED, (struct cf_str){0}, true, fx);
    else if (app->state == CF_APP_ACCEPTED) /* there was no number for the temporary card */
        ask_to_hand_out(slot, fx);
    else
        app->until = 0;
}

void production_on_due(struct production_holder *h, const struct production_world *w,
                       struct production_effects *fx)
{
    struct production_slot *slots[] = {&h->permanent, &h->temporary};
    for (int i = 0; i < 2; i++) {
        app_due(slots[i], w, fx);
        production_card_due(&slots[i]->made, i == 1, w, fx);
        production_card_due(&slots[i]->card, i == 1, w, fx);
    }
}

static cf_ms earlier(cf_ms a, cf_ms b)
{
    if (!a || !b) return a ? a : b;
    return a < b ? a : b;
}

cf_ms production_next_due(const struct production_holder *h)
{
    const struct production_slot *slots[] = {&h->permanent, &h->temporary};
    cf_ms next = 0;
    for (int i = 0; i < 2; i++) {
        next = earlier(next, slots[i]->app.until);
        next = earlier(next, production_card_next_due(&slots[i]->made));
        next = earlier(next, production_card_next_due(&slots[i]->card));
    }
    return next;
}

enum production_timer production_timer_arm(cf_ms next, cf_ms armed, bool fired, bool patient,
                                           cf_ms now)
{
    const cf_ms soon = CF_MS_PER_DAY;
    if (fired) return next ? PRODUCTION_TIMER_PUT : PRODUCTION_TIMER_DROP;
    if (!armed) return next ? PRODUCTION_TIMER_PUT : PRODUCTION_TIMER_KEEP;
    if (next && next < armed) return PRODUCTION_TIMER_PUT;
    if (patient || armed - now >= soon || next == armed) return PRODUCTION_TIMER_KEEP;
    return next ? PRODUCTION_TIMER_PUT : PRODUCTION_TIMER_DROP;
}
