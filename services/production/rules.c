/* The path of an application: accepted, photo, queue, batch, the bank's steps, and its ends. */
#include "services/production/rules.h"

#include "common/pure/error.h"

struct production_effect *production_effect_add(struct production_effects *fx,
                                                enum production_effect_kind kind)
{
    if (fx->n == PRODUCTION_EFFECTS) CF_BUG("more effects than one message can have");
    struct production_effect *e = &fx->list[fx->n++];
    memset(e, 0, sizeof *e);
    e->kind = kind;
    return e;
}

static bool same_id(const uint8_t a[16], const uint8_t b[16])
{
    return memcmp(a, b, 16) == 0;
}

static bool app_is_open(const struct production_app *app)
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

static struct production_effect *about_app(struct production_effects *fx,
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

static void step(struct production_slot *slot, enum cf_app_state state, struct cf_str reason,
                 struct production_effects *fx)
{
    slot->app.state = state;
    struct production_effect *e = about_app(fx, PRODUCTION_FX_STEP, slot);
    e->state = state;
    e->reason = reason;
}

static void line_result(struct production_slot *slot, const char *result,
                        struct production_effects *fx)
{
    about_app(fx, PRODUCTION_FX_LINE, slot)->word = result;
}

/* The application ends: its card in the making goes with it. tell: the bank holds an order. */
static void end(struct production_slot *slot, enum cf_app_state state, struct cf_str reason,
                bool tell, struct production_effects *fx)
{
    bool temporary = slot->app.kind == CF_KIND_TEMPORARY;
    if (slot->made.state != CF_CARD_NONE) {
        memcpy(slot->app.superseded, slot->made.no, sizeof slot->made.no);
        production_card_scrap(slot, temporary, tell, fx);
    }
    slot->app.until = 0;
    slot->app.queued = false;
    slot->app.leaving = PRODUCTION_STAYS;
    step(slot, state, reason, fx);
    /* What cannot be done any more is explained on paper. */
    fx->list[fx->n - 1].notice = state == CF_APP_CLOSED || state == CF_APP_EXPIRED ||
                                 state == CF_APP_PICKUP_EXPIRED;
}

/* ---- acceptance ------------------------------------------------------------------------------ */

static bool in_hand(const struct production_card *c)
{
    return production_card_is(c) && c->state != CF_CARD_RESERVED;
}

/* The card that a replacement would replace. */
static const struct production_card *held_card(const struct production_slot *slot)
{
    return in_hand(&slot->made) ? &slot->made : &slot->card;
}

/* Does the application still fit the cards? Intake has judged by its mirror; these are the cards
 * themselves (rule "one card"). */
static bool fits_cards(const struct production_slot *slot, enum cf_app_kind kind)
{
    const struct production_card *card = held_card(slot);
    bool plain = card->state == CF_CARD_SEALED || card->state == CF_CARD_NORMAL;
    switch (kind) {
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
        return true;
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
            production_card_put(&slot->card, false, PRODUCTION_CARD_CANCEL, "cancel", NULL, fx);
            struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_TELL_BANK);
            e->card = slot->card;
            e->word = "cancelled";
        }
        slot->card = slot->made;
        memset(&slot->made, 0, sizeof slot->made);
    }
    if (a->kind == CF_KIND_LOSS_REPLACEMENT &&
        production_card_put(&slot->card, false, PRODUCTION_CARD_FORMAL_LOSS, "report_formal_loss",
                            NULL, fx) &&
        a->channel != CF_CHANNEL_BANK_OUTLET) {
        struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_TELL_BANK);
        e->card = slot->card;
        e->word = "loss";
    }
    if (a->kind == CF_KIND_DAMAGE_REPLACEMENT && !slot->card.handed_in) {
        slot->card.handed_in = true;
        struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_CHANGED);
        e->card = slot->card;
        e->before = slot->card.state;
        e->bank = slot->card.bank;
        e->word = "handed_in";
    }
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
                                           const struct production_world *w,
                                           struct production_effects *fx)
{
    (void)w;
    if (production_slot_of(h, a->app_id)) return PRODUCTION_ILLEGAL;
    struct production_slot *slot = a->kind == CF_KIND_TEMPORARY ? &h->temporary : &h->permanent;
    struct production_app *app = &slot->app;
    /* Intake lets one application be open. One that is still before its photo here has ended there
     * (its photo never came), and that news is on its way on another topic. */
    bool overtaken = app->state == CF_APP_ACCEPTED || app->state == CF_APP_PHOTO_MISSING;
    bool closed = (app_is_open(app) && !overtaken) || !fits_cards(slot, a->kind) || h->died;
    if (closed) {
        remember_ended(h, a->app_id);
        close_at_once(a, cf_str_of(cf_close_reason_name(h->died ? CF_CLOSE_HOLDER_DIED
                                                                : CF_CLOSE_CARD_CHANGED)),
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
    app->due_on = a->due_on;
    app->child = a->child;
    return PRODUCTION_MOVE;
}

/* ---- photo ------------------------------------------------------------------------------------ */

/* Replacements and temporary cards stay where they are unless the settings say otherwise. */
static bool makes_cards(enum cf_app_kind kind, const struct production_policy *p)
{
    if (kind == CF_KIND_TEMPORARY) return false;
    return kind == CF_KIND_FIRST_ISSUE || p->replacements;
}

static void queue(struct production_slot *slot, struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    memset(&slot->made, 0, sizeof slot->made);
    slot->made.bank = app->bank;
    slot->made.has_photo = app->has_photo;
    slot->made.child = app->child;
    app->queued = true;
    app->until = 0;
    about_app(fx, PRODUCTION_FX_ENQUEUE, slot);
}

enum production_fit production_on_photo_ready(struct production_holder *h,
                                              const struct production_photo *p,
                                              const struct production_world *w,
                                              struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, p->app_id);
    if (!slot) return production_has_ended(h, p->app_id) ? PRODUCTION_ENDED : PRODUCTION_AHEAD;
    enum cf_app_state to;
    enum production_fit fit =
        production_app_fit(slot->app.state, PRODUCTION_ON_PHOTO_READY, &to);
    if (fit != PRODUCTION_MOVE) return fit;
    slot->app.state = to;
    slot->app.has_photo = p->has_photo;
    memcpy(slot->app.photo_ref, p->ref, 16);
    if (makes_cards(slot->app.kind, w->policy)) queue(slot, fx);
    return PRODUCTION_MOVE;
}

enum production_fit production_on_photo_missing(struct production_holder *h,
                                                const struct production_photo *p)
{
    struct production_slot *slot = production_slot_of(h, p->app_id);
    if (!slot) return production_has_ended(h, p->app_id) ? PRODUCTION_ENDED : PRODUCTION_AHEAD;
    enum cf_app_state to;
    enum production_fit fit =
        production_app_fit(slot->app.state, PRODUCTION_ON_PHOTO_MISSING, &to);
    if (fit == PRODUCTION_MOVE) slot->app.state = to;
    return fit;
}

enum production_fit production_on_photo_ended(struct production_holder *h,
                                              const struct production_photo *p)
{
    struct production_slot *slot = production_slot_of(h, p->app_id);
    if (!slot) return production_has_ended(h, p->app_id) ? PRODUCTION_ENDED : PRODUCTION_AHEAD;
    enum cf_app_state to;
    enum production_fit fit = production_app_fit(slot->app.state, PRODUCTION_ON_EXPIRE, &to);
    /* photo-fetch has told everybody; here only the slot is freed. */
    if (fit == PRODUCTION_MOVE) slot->app.state = to;
    return fit;
}

/* ---- the bank's queue ------------------------------------------------------------------------- */

static void leave_answered(struct production_slot *slot, const char *result, const char *reason,
                           struct production_effects *fx)
{
    struct production_effect *e = about_app(fx, PRODUCTION_FX_ANSWERED, slot);
    memcpy(e->command_id, slot->app.leave_id, 16);
    e->word = result;
    if (reason) e->reasons[e->n_reasons++] = reason;
    e->notice = reason != NULL;
}

static void leave(struct production_slot *slot, enum production_leaving why, bool tell,
                  struct production_effects *fx)
{
    switch (why) {
    case PRODUCTION_LEAVES_WITHDRAWN:
        end(slot, CF_APP_WITHDRAWN, (struct cf_str){0}, tell, fx);
        leave_answered(slot, "done", NULL, fx);
        break;
    case PRODUCTION_LEAVES_ENROLMENT_ENDED:
        end(slot, CF_APP_CLOSED, cf_str_of(cf_close_reason_name(CF_CLOSE_ENROLMENT_ENDED)), tell,
            fx);
        break;
    case PRODUCTION_LEAVES_DIED:
        end(slot, CF_APP_CLOSED, cf_str_of(cf_close_reason_name(CF_CLOSE_HOLDER_DIED)), tell, fx);
        break;
    case PRODUCTION_STAYS:
        break;
    }
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
    enum production_fit fit = production_app_fit(app->state, PRODUCTION_ON_BATCH, &to);
    if (fit != PRODUCTION_MOVE) return fit;
    memcpy(app->batch_id, b->batch_id, 16);
    app->line_no = b->line_no;
    app->queued = false;
    app->until = w->now + w->policy->answer_ms;
    step(slot, to, (struct cf_str){0}, fx);
    enum production_leaving why = app->leaving;
    app->leaving = PRODUCTION_STAYS;
    if (why == PRODUCTION_LEAVES_WITHDRAWN) {
        leave_answered(slot, "refused", "in_production", fx);
    } else if (why == PRODUCTION_LEAVES_DIED) {
        line_result(slot, "failed", fx);
        leave(slot, why, true, fx);
    }
    return PRODUCTION_MOVE;
}

enum production_fit production_on_dequeued(struct production_holder *h,
                                           const struct production_dequeued *d,
                                           struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, d->app_id);
    if (!slot || slot->app.state != CF_APP_PHOTO_READY || !d->out) return PRODUCTION_ENDED;
    leave(slot, slot->app.leaving, false, fx);
    return PRODUCTION_MOVE;
}

/* ---- the bank's answers ------------------------------------------------------------------------ */

static void remake(struct production_slot *slot, const struct production_world *w,
                   struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    if (app->remakes >= w->policy->remake_max) return;
    app->remakes++;
    app->state = CF_APP_PHOTO_READY;
    queue(slot, fx);
}

/* The card is lost before anybody had it; a new one with a new number is made. */
static void production_failed(struct production_slot *slot, struct cf_str reason, bool tell,
                              const struct production_world *w, struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    bool line_open = app->state == CF_APP_BATCHED || app->state == CF_APP_ACCOUNT_OPENED;
    if (line_open) line_result(slot, tell ? "missing" : "failed", fx);
    app->until = 0;
    step(slot, CF_APP_PRODUCTION_FAILED, reason, fx);
    memcpy(app->superseded, slot->made.no, sizeof slot->made.no);
    production_card_scrap(slot, false, tell, fx);
    remake(slot, w, fx);
}

/* The holder has the card in hand; it takes the place of "the card" when that place is free. */
static void collected(struct production_slot *slot)
{
    slot->app.until = 0;
    if (production_card_is(&slot->card)) return;
    slot->card = slot->made;
    memset(&slot->made, 0, sizeof slot->made);
}

static void take_step(struct production_slot *slot, const struct production_result *r,
                      enum cf_app_state to, const struct production_world *w,
                      struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    switch (r->step) {
    case PRODUCTION_ON_ACCOUNT_FAILED:
        line_result(slot, "failed", fx);
        app->until = w->now + w->policy->account_ms;
        step(slot, to, r->reason, fx);
        return;
    case PRODUCTION_ON_FAILED:
        production_failed(slot, r->reason, false, w, fx);
        return;
    case PRODUCTION_ON_PRODUCED:
        app->until = 0;
        step(slot, to, (struct cf_str){0}, fx);
        production_card_seal(slot, false, w, fx);
        line_result(slot, "made", fx);
        return;
    case PRODUCTION_ON_ARRIVED:
        app->until = w->now + w->policy->pickup_ms;
        step(slot, to, (struct cf_str){0}, fx);
        return;
    case PRODUCTION_ON_COLLECTED:
        step(slot, to, (struct cf_str){0}, fx);
        collected(slot);
        return;
    case PRODUCTION_ON_ACCOUNT_OPENED:
    case PRODUCTION_ON_SHIPPED:
        step(slot, to, (struct cf_str){0}, fx);
        return;
    case PRODUCTION_ON_NONE:
    case PRODUCTION_ON_PHOTO_READY:
    case PRODUCTION_ON_PHOTO_MISSING:
    case PRODUCTION_ON_BATCH:
    case PRODUCTION_ON_REMAKE:
    case PRODUCTION_ON_UNANSWERED:
    case PRODUCTION_ON_WITHDRAW:
    case PRODUCTION_ON_CLOSE:
    case PRODUCTION_ON_DIE:
    case PRODUCTION_ON_EXPIRE:
    case PRODUCTION_ON_COUNT:
        break;
    }
}

/* A fee in a bank's report is refused and recorded; the step itself counts (S12). */
static void refuse_fee(struct production_slot *slot, struct production_effects *fx)
{
    struct production_effect *e = about_app(fx, PRODUCTION_FX_ANSWERED, slot);
    memcpy(e->command_id, slot->app.id, 16);
    e->word = "refused";
    e->reasons[e->n_reasons++] = "fee_not_allowed";
}

enum production_fit production_on_result(struct production_holder *h,
                                         const struct production_result *r,
                                         const struct production_world *w,
                                         struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, r->app_id);
    if (!slot) return production_has_ended(h, r->app_id) ? PRODUCTION_ENDED : PRODUCTION_ILLEGAL;
    struct production_app *app = &slot->app;
    if (r->bank.len && !cf_str_eq(r->bank, app->bank)) return PRODUCTION_ILLEGAL;
    /* About a card that was given up: only its old line hears of it. */
    if (r->card_no.len && app->superseded[0] && cf_str_is(r->card_no, app->superseded)) {
        if (r->step != PRODUCTION_ON_PRODUCED) return PRODUCTION_ALREADY;
        struct production_effect *e = about_app(fx, PRODUCTION_FX_LINE, slot);
        e->word = "late_voided";
        memcpy(e->batch_id, r->batch_id, 16);
        e->line_no = r->line_no;
        return PRODUCTION_MOVE;
    }
    enum cf_app_state to = CF_APP_NONE;
    enum production_fit fit = production_app_fit(app->state, r->step, &to);
    if (fit != PRODUCTION_MOVE && fit != PRODUCTION_AHEAD) return fit;
    if (r->card_no.len && !cf_str_is(r->card_no, slot->made.no)) return PRODUCTION_ILLEGAL;
    if (fit == PRODUCTION_AHEAD) return fit;
    if (r->fees) refuse_fee(slot, fx);
    take_step(slot, r, to, w, fx);
    return PRODUCTION_MOVE;
}

/* ---- leaving ------------------------------------------------------------------------------------ */

enum production_fit production_on_withdrawal(struct production_holder *h,
                                             const struct production_withdrawal *m,
                                             struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, m->app_id);
    /* Intake sends it after accepted, on the same topic: an id nobody knows has ended. */
    if (!slot || cf_app_state_is_end(slot->app.state)) return PRODUCTION_ENDED;
    struct production_app *app = &slot->app;
    enum cf_app_state to;
    if (app->leaving != PRODUCTION_STAYS) return PRODUCTION_ALREADY;
    memcpy(app->leave_id, m->command_id, 16);
    if (production_app_fit(app->state, PRODUCTION_ON_WITHDRAW, &to) != PRODUCTION_MOVE) {
        leave_answered(slot, "refused", "in_production", fx);
    } else if (app->queued) {
        /* Only the bank's shard knows whether the line is still waiting. */
        app->leaving = PRODUCTION_LEAVES_WITHDRAWN;
        about_app(fx, PRODUCTION_FX_DEQUEUE, slot);
    } else {
        leave(slot, PRODUCTION_LEAVES_WITHDRAWN, app->state == CF_APP_READY_FOR_PICKUP, fx);
    }
    return PRODUCTION_MOVE;
}

static void enrolment_leaves(struct production_slot *slot, bool died,
                             struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    enum cf_app_state to;
    enum production_leaving why =
        died ? PRODUCTION_LEAVES_DIED : PRODUCTION_LEAVES_ENROLMENT_ENDED;
    if (!app_is_open(app)) return;
    enum production_app_event on = died ? PRODUCTION_ON_DIE : PRODUCTION_ON_CLOSE;
    if (production_app_fit(app->state, on, &to) != PRODUCTION_MOVE) return;
    if (app->queued) {
        if (app->leaving == PRODUCTION_STAYS) about_app(fx, PRODUCTION_FX_DEQUEUE, slot);
        app->leaving = why;
        return;
    }
    bool line_open = app->state == CF_APP_BATCHED || app->state == CF_APP_ACCOUNT_OPENED;
    if (line_open) line_result(slot, "failed", fx);
    leave(slot, why, true, fx);
}

static void cancel_card(struct production_card *card, bool temporary, const char *what,
                        struct production_effects *fx)
{
    if (!production_card_is(card) || card->state == CF_CARD_RESERVED) return;
    if (!production_card_put(card, temporary, PRODUCTION_CARD_CANCEL, "cancel", NULL, fx)) return;
    struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_TELL_BANK);
    e->card = *card;
    e->word = what;
}

enum production_fit production_on_enrolment(struct production_holder *h,
                                            const struct production_enrolment *m,
                                            struct production_effects *fx)
{
    if (m->active) return PRODUCTION_ALREADY;
    bool died = cf_str_is(m->reason, "death");
    struct production_slot *slots[] = {&h->permanent, &h->temporary};
    for (int i = 0; i < 2; i++) {
        enrolment_leaves(slots[i], died, fx);
        if (!died) continue;
        cancel_card(&slots[i]->card, i == 1, "death", fx);
        /* Collected and not activated, beside an old card. */
        if (slots[i]->app.state == CF_APP_COLLECTED)
            cancel_card(&slots[i]->made, i == 1, "death", fx);
    }
    bool changed = fx->n > 0 || (died && !h->died);
    if (died) h->died = true;
    return changed ? PRODUCTION_MOVE : PRODUCTION_ALREADY;
}

/* ---- time ------------------------------------------------------------------------------------------ */

static void app_due(struct production_slot *slot, const struct production_world *w,
                    struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    if (!app->until || app->until > w->now || !app_is_open(app)) return;
    switch (app->state) {
    case CF_APP_PHOTO_READY: /* there was no number for its card */
        queue(slot, fx);
        break;
    case CF_APP_BATCHED:
    case CF_APP_ACCOUNT_OPENED:
        production_failed(slot, CF_STR("unanswered"), true, w, fx);
        break;
    case CF_APP_ACCOUNT_FAILED:
        end(slot, CF_APP_EXPIRED, CF_STR("account_failed"), true, fx);
        break;
    case CF_APP_READY_FOR_PICKUP:
        end(slot, CF_APP_PICKUP_EXPIRED, (struct cf_str){0}, true, fx);
        break;
    case CF_APP_NONE:
    case CF_APP_RECEIVED:
    case CF_APP_NOTICED:
    case CF_APP_REJECTED:
    case CF_APP_ACCEPTED:
    case CF_APP_PHOTO_MISSING:
    case CF_APP_PRODUCTION_FAILED:
    case CF_APP_PRODUCED:
    case CF_APP_SHIPPED:
    case CF_APP_COLLECTED:
    case CF_APP_WITHDRAWN:
    case CF_APP_EXPIRED:
    case CF_APP_PICKUP_EXPIRED:
    case CF_APP_CLOSED:
    case CF_APP_COUNT:
        app->until = 0;
        break;
    }
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
