/* Operations: what may be done to a card, by whom, and what it does to the others. */
#include "services/production/rules_inside.h"
#include "services/production/rules_password.h"

/* A reserved card is hidden from the holder. Only what depends on where its application stands
 * looks at it: an activation waits for the collection, a cancellation is judged as a withdrawal. */
static bool is_hidden(const struct production_target *t, enum production_operation what)
{
    return t->card && t->card->state == CF_CARD_RESERVED && what != PRODUCTION_OP_ACTIVATE &&
           what != PRODUCTION_OP_CANCEL;
}

/* Of which kind is the card that is not named by its number? */
static bool is_temporary(const struct production_op *op)
{
    if (op->card_kind) return op->card_kind == CF_CARD_KIND_TEMPORARY;
    return op->what == PRODUCTION_OP_EXTEND_TEMPORARY;
}

/* The card with the number of the command; nothing when that is a card of the other kind. */
static struct production_target named_card(struct production_holder *h,
                                           const struct production_op *op)
{
    struct production_target named = production_target_of(h, op->card_no), other = {0};
    other.other_kind = named.card && op->card_kind && named.temporary != is_temporary(op);
    return other.other_kind || is_hidden(&named, op->what) ? other : named;
}

/* The card an operation is about, and where it is. */
static struct production_target find_card(struct production_holder *h,
                                          const struct production_op *op)
{
    struct production_target all[PRODUCTION_TARGETS], best = {0}, gone = {0};
    if (op->card_no.len) return named_card(h, op);
    size_t n = production_targets(h, all);
    for (size_t i = 0; i < n; i++) {
        if (all[i].temporary != is_temporary(op) || is_hidden(&all[i], op->what)) continue;
        if (!production_card_is(all[i].card)) {
            gone = all[i];
            continue;
        }
        /* A card to be activated is the newest, otherwise the one in hand counts first. */
        if (!best.card || op->what == PRODUCTION_OP_ACTIVATE) best = all[i];
    }
    return best.card ? best : gone;
}

static void answer(const struct production_op *op, const struct production_target *t, const char *result,
                   const struct production_verdict *v, struct production_effects *fx)
{
    struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_ANSWERED);
    e->op = op;
    memcpy(e->command_id, op->id, 16);
    e->word = result;
    if (t->card && t->card->state != CF_CARD_RESERVED) {
        e->card = *t->card;
        e->bank = t->card->bank;
        e->temporary = t->temporary;
    }
    if (!v) return;
    for (size_t i = 0; i < v->n; i++)
        e->reasons[i] = v->reasons[i];
    e->n_reasons = v->n;
    e->notice = v->n > 0;
}

/* What operations on a card's state do to it, and the word for the bank. */
static const struct {
    enum production_card_event event;
    const char *notice;
} moves[PRODUCTION_OP_COUNT] = {
    [PRODUCTION_OP_ACTIVATE] = {PRODUCTION_CARD_ACTIVATE, "activated"},
    [PRODUCTION_OP_REPORT_TEMPORARY_LOSS] = {PRODUCTION_CARD_TEMPORARY_LOSS, "loss"},
    [PRODUCTION_OP_REPORT_FORMAL_LOSS] = {PRODUCTION_CARD_FORMAL_LOSS, "loss"},
    [PRODUCTION_OP_RELEASE] = {PRODUCTION_CARD_RELEASE, "released"},
    [PRODUCTION_OP_LOCK] = {PRODUCTION_CARD_LOCK, "locked"},
    [PRODUCTION_OP_UNLOCK] = {PRODUCTION_CARD_UNLOCK, "unlocked"},
    [PRODUCTION_OP_CANCEL] = {PRODUCTION_CARD_CANCEL, "cancelled"},
    [PRODUCTION_OP_EXTEND_TEMPORARY] = {PRODUCTION_CARD_NONE, "changed"},
};

/* Is the card still on its way to the holder, with steps of the bank to come? */
static bool on_its_way(const struct production_target *t)
{
    static const bool to_come[CF_APP_COUNT] = {
        [CF_APP_PHOTO_READY] = true, [CF_APP_BATCHED] = true, [CF_APP_ACCOUNT_OPENED] = true,
        [CF_APP_PRODUCED] = true,    [CF_APP_SHIPPED] = true, [CF_APP_READY_FOR_PICKUP] = true};
    return t->made && to_come[t->slot->app.state];
}

/* The activated card becomes "the card"; the one it replaces and the temporary one are cancelled
 * in the same step. */
static void take_over(struct production_holder *h, struct production_target *t, struct production_effects *fx)
{
    if (t->made) {
        struct production_card *old = &t->slot->card;
        bool moved = !cf_str_eq(old->bank, t->card->bank);
        if (production_card_put(old, t->temporary, PRODUCTION_CARD_CANCEL, "cancel", NULL, fx))
            production_tell_bank(old, moved ? "bank_change" : "cancelled", fx);
        t->slot->card = *t->card;
        memset(t->card, 0, sizeof *t->card);
        t->card = &t->slot->card;
        t->made = false;
    }
    struct production_card *temporary = &h->temporary.card;
    if (!t->temporary &&
        production_card_put(temporary, true, PRODUCTION_CARD_CANCEL, "cancel", NULL, fx))
        production_tell_bank(temporary, "cancelled", fx);
}

/* Release while a replacement of the card is open: refused, unless it is not batched yet: then the
 * replacement is withdrawn by it. Whether its line still waits, only the bank's shard knows: AHEAD. */
static enum production_fit release_replacement(const struct production_op *op, struct production_target *t,
                                               struct production_effects *fx)
{
    struct production_app *app = &t->slot->app;
    bool replaces =
        app->kind == CF_KIND_LOSS_REPLACEMENT || app->kind == CF_KIND_DAMAGE_REPLACEMENT;
    if (t->made || !replaces || !production_app_is_open(app)) return PRODUCTION_MOVE;
    bool early = app->state == CF_APP_ACCEPTED || app->state == CF_APP_PHOTO_MISSING ||
                 app->state == CF_APP_PHOTO_READY;
    if (!early || (app->queued && op->waited)) return PRODUCTION_ILLEGAL;
    if (!app->queued) {
        production_end(t->slot, CF_APP_WITHDRAWN, (struct cf_str){0}, false, fx);
        return PRODUCTION_MOVE;
    }
    if (app->leaving == PRODUCTION_STAYS) {
        app->leaving = PRODUCTION_LEAVES_RELEASED;
        production_about_app(fx, PRODUCTION_FX_DEQUEUE, t->slot);
    }
    return PRODUCTION_AHEAD;
}

/* A card under way is cancelled where its application may be withdrawn, not while it is made. */
static bool is_in_production(const struct production_target *t)
{
    enum cf_app_state to;
    const struct production_app *app = &t->slot->app;
    return t->made && production_app_is_open(app) &&
           production_fit_of(app, PRODUCTION_ON_WITHDRAW, &to) != PRODUCTION_MOVE;
}

/* There will be no new card: the application that brings it is withdrawn, if it is open. */
static void end_with_card(struct production_slot *slot, struct production_effects *fx)
{
    if (production_app_is_open(&slot->app))
        production_end(slot, CF_APP_WITHDRAWN, (struct cf_str){0}, false, fx);
    else
        production_card_give_back(&slot->card, fx);
}

static void done(const struct production_op *op, const struct production_target *t,
                 struct production_effects *fx)
{
    /* At the counter it is the card's own bank that asks. */
    if (op->channel != CF_CHANNEL_BANK_OUTLET)
        production_tell_bank(t->card, moves[op->what].notice, fx);
    answer(op, t, "done", NULL, fx);
}

/* Would there be two usable cards of a kind? Activating the new one cancels the old one. A card that
 * was lost for a time may be used again by itself. */
static bool is_one_too_many(const struct production_target *t, enum production_card_event on,
                            enum cf_card_state to)
{
    const struct production_card *other = t->made ? &t->slot->card : &t->slot->made;
    if (t->made && on == PRODUCTION_CARD_ACTIVATE) return false;
    return cf_card_state_is_usable(to) && cf_card_state_is_usable(other->state);
}

/* The card has just moved: what was told of it says until when. */
static void begin_loss(struct production_card *card, const struct production_world *w,
                       struct production_effects *fx)
{
    card->loss_until = w->now + w->policy->loss_ms;
    fx->list[fx->n - 1].card.loss_until = card->loss_until;
}

static enum production_fit move_card(struct production_holder *h, const struct production_op *op,
                                     struct production_target *t, const struct production_world *w,
                                     struct production_effects *fx)
{
    enum production_card_event on = moves[op->what].event;
    enum cf_card_state to;
    struct production_verdict v = {0};
    enum production_fit fit = production_card_fit(t->card->state, t->card->before_loss, on, &to);
    if (fit == PRODUCTION_ALREADY) {
        answer(op, t, "already", NULL, fx);
        return PRODUCTION_MOVE;
    }
    if (on == PRODUCTION_CARD_CANCEL && is_in_production(t)) {
        production_refuse(&v, "in_production");
    } else if (fit != PRODUCTION_MOVE) {
        production_refuse(&v, t->card->state == CF_CARD_CANCELLED ? "card_cancelled"
                                                                  : "illegal_in_state");
    } else if (is_one_too_many(t, on, to)) {
        production_refuse(&v, "other_card_in_use");
    } else if (on == PRODUCTION_CARD_RELEASE) {
        fit = release_replacement(op, t, fx);
        if (fit == PRODUCTION_AHEAD) return fit;
        if (fit != PRODUCTION_MOVE) production_refuse(&v, "replacement_open");
    }
    if (v.n) {
        answer(op, t, "refused", &v, fx);
        return PRODUCTION_MOVE;
    }
    if (on == PRODUCTION_CARD_ACTIVATE) {
        take_over(h, t, fx);
        /* S14: the social-security and the financial function, and nothing else. */
        t->card->financial = PRODUCTION_FIN_ACTIVE;
    }
    production_card_put(t->card, t->temporary, on, production_operation_name(op->what), op, fx);
    if (on == PRODUCTION_CARD_TEMPORARY_LOSS) begin_loss(t->card, w, fx);
    done(op, t, fx);
    if (on == PRODUCTION_CARD_CANCEL && t->made) end_with_card(t->slot, fx);
    return PRODUCTION_MOVE;
}

static void set_password(const struct production_op *op, struct production_target *t,
                         struct production_effects *fx)
{
    static const enum production_password_event events[PRODUCTION_OP_COUNT] = {
        [PRODUCTION_OP_SET_PASSWORD] = PRODUCTION_PW_ON_SET,
        [PRODUCTION_OP_RESET_PASSWORD] = PRODUCTION_PW_ON_RESET,
        [PRODUCTION_OP_DISABLE_PASSWORD] = PRODUCTION_PW_ON_DISABLE,
    };
    struct production_verdict v = {0};
    enum production_fit fit = PRODUCTION_MOVE;
    enum production_password to = PRODUCTION_PW_UNSET;
    if (op->password < 0)
        production_refuse(&v, "unknown_password_kind");
    else
        fit = production_password_fit(t->card->password[op->password], events[op->what], &to);
    if (fit == PRODUCTION_ILLEGAL) production_refuse(&v, "password_locked");
    if (t->card->state != CF_CARD_NORMAL) production_refuse(&v, "illegal_in_state");
    if (v.n || fit == PRODUCTION_ALREADY) {
        answer(op, t, v.n ? "refused" : "already", &v, fx);
        return;
    }
    t->card->password[op->password] = to;
    production_card_changed(t->card, t->temporary, t->card->state,
                            production_operation_name(op->what), op, fx);
    answer(op, t, "done", NULL, fx);
}

static void extend_temporary(const struct production_op *op, struct production_target *t,
                             const struct production_world *w, struct production_effects *fx)
{
    struct production_verdict v = {0};
    cf_day most = production_add_months(t->card->issued_on, w->policy->temporary_months);
    if (!t->temporary || !cf_card_state_is_usable(t->card->state) || t->card->valid_until >= most)
        production_refuse(&v, "illegal_in_state");
    if (v.n) {
        answer(op, t, "refused", &v, fx);
        return;
    }
    t->card->valid_until += w->policy->temporary_days;
    if (t->card->valid_until > most) t->card->valid_until = most;
    production_card_changed(t->card, true, t->card->state, production_operation_name(op->what), op,
                            fx);
    done(op, t, fx);
}

static void open_add_on(const struct production_op *op, struct production_target *t,
                        const struct production_world *w, struct production_effects *fx)
{
    struct production_verdict v = {0};
    struct production_add_on mark = {op->add_on, w->now, cf_str_is(op->consent.by, "guardian")};
    production_check_consent(op, t, w, &v);
    if (op->add_on.len == 0) production_refuse(&v, "missing_add_on");
    if (t->card->state != CF_CARD_NORMAL) production_refuse(&v, "illegal_in_state");
    bool has = v.n == 0 && production_add_on_has(t->card->add_ons, op->add_on);
    if (v.n == 0 && !has &&
        !production_add_on_add(t->card->add_ons, &mark, op->room, &t->card->add_ons))
        production_refuse(&v, "too_many_add_ons");
    if (v.n || has) {
        answer(op, t, v.n ? "refused" : "already", &v, fx);
        return;
    }
    production_card_changed(t->card, t->temporary, t->card->state,
                            production_operation_name(op->what), op, fx);
    answer(op, t, "done", NULL, fx);
}

/* Was this card imported before? Without a number its bank and its day tell. */
static bool is_there(const struct production_card *card, const struct production_op *op)
{
    if (!production_card_is(card) || card->state != op->import.state) return false;
    if (op->card_no.len) return cf_str_is(op->card_no, card->no);
    return cf_str_eq(card->bank, op->import.bank) && card->issued_on == op->import.issued_on;
}

/* A card made before cardflow. */
static void import_card(struct production_holder *h, const struct production_op *op,
                        const struct production_world *w, struct production_effects *fx)
{
    bool temporary = op->import.kind == CF_CARD_KIND_TEMPORARY;
    struct production_slot *slot = temporary ? &h->temporary : &h->permanent;
    struct production_target t = {slot, &slot->card, false, temporary, false};
    struct production_verdict v = {0};
    if (op->card_no.len && !cf_cardnum_valid(op->card_no)) production_refuse(&v, "unknown_card");
    if (cf_card_state_code(op->import.state) < 0) production_refuse(&v, "illegal_in_state");
    if (!op->import.bank.len) production_refuse(&v, "not_issuing_bank");
    if (op->import.issued_on > cf_day_of_ms(w->now)) production_refuse(&v, "submitted_in_future");
    if (is_there(&slot->card, op)) {
        answer(op, &t, "already", NULL, fx);
        return;
    }
    if (production_card_is(&slot->card) || production_card_is(&slot->made) || h->died)
        production_refuse(&v, "card_exists");
    else if (production_app_is_open(&slot->app)) /* a card will come of it */
        production_refuse(&v, "duplicate_application");
    else if (op->import.known) /* a number is never used again */
        production_refuse(&v, "card_cancelled");
    if (!op->card_no.len && !op->import.number[0])
        production_refuse(&v, "number_range_exhausted");
    if (v.n) {
        answer(op, &t, "refused", &v, fx);
        return;
    }
    struct production_card *card = &slot->card;
    memset(card, 0, sizeof *card);
    if (op->card_no.len)
        memcpy(card->no, op->card_no.ptr, CF_CARDNUM_LEN);
    else
        memcpy(card->no, op->import.number, sizeof card->no);
    card->state = op->import.state;
    card->bank = op->import.bank;
    card->has_photo = op->import.has_photo;
    card->sixteen_on = op->import.sixteen_on;
    card->issued_on = op->import.issued_on;
    card->valid_until = temporary
                            ? card->issued_on + w->policy->temporary_days
                            : production_add_months(card->issued_on, 12 * w->policy->card_years);
    if (card->state == CF_CARD_TEMPORARY_LOSS) card->loss_until = w->now + w->policy->loss_ms;
    if (card->state == CF_CARD_NORMAL) card->financial = PRODUCTION_FIN_ACTIVE;
    production_effect_add(fx, PRODUCTION_FX_ISSUED)->card = *card;
    production_card_changed(card, temporary, CF_CARD_NONE, "import_card", op, fx);
    answer(op, &t, "done", NULL, fx);
}

enum production_fit production_operate(struct production_holder *h, const struct production_op *op,
                                       const struct production_world *w,
                                       struct production_effects *fx)
{
    struct production_target t = find_card(h, op);
    struct production_verdict v = {0};
    production_check_request(op, &t, w, &v);
    bool activates = op->what == PRODUCTION_OP_ACTIVATE && v.n == 0;
    /* The bank reports the collection on one topic and sends the activation on another: two topics
     * have no order between them, so an activation may come first. */
    if (activates && on_its_way(&t)) {
        if (!op->waited) return PRODUCTION_AHEAD;
        production_refuse(&v, "not_collected");
    }
    if (v.n) {
        answer(op, &t, "refused", &v, fx);
        return PRODUCTION_MOVE;
    }
    if (moves[op->what].event) return move_card(h, op, &t, w, fx);
    if (op->what == PRODUCTION_OP_IMPORT_CARD) {
        import_card(h, op, w, fx);
    } else if (op->what == PRODUCTION_OP_EXTEND_TEMPORARY) {
        extend_temporary(op, &t, w, fx);
    } else if (op->what == PRODUCTION_OP_OPEN_ADD_ON) {
        open_add_on(op, &t, w, fx);
    } else {
        set_password(op, &t, fx);
    }
    return PRODUCTION_MOVE;
}
