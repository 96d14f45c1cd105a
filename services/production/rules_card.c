/* A card by itself: its moves, its dates, its end. */
#include "services/production/rules_inside.h"

bool production_card_is(const struct production_card *card)
{
    return card->state != CF_CARD_NONE && card->state != CF_CARD_CANCELLED &&
           card->state != CF_CARD_VOIDED;
}

size_t production_targets(struct production_holder *h,
                          struct production_target all[PRODUCTION_TARGETS])
{
    const struct production_target places[PRODUCTION_TARGETS] = {
        {&h->permanent, &h->permanent.card, false, false, false},
        {&h->permanent, &h->permanent.made, true,  false, false},
        {&h->temporary, &h->temporary.card, false, true,  false},
        {&h->temporary, &h->temporary.made, true,  true,  false},
    };
    size_t n = 0;
    for (size_t i = 0; i < PRODUCTION_TARGETS; i++)
        if (places[i].card->state != CF_CARD_NONE) all[n++] = places[i];
    return n;
}

struct production_target production_target_of(struct production_holder *h, struct cf_str card_no)
{
    struct production_target all[PRODUCTION_TARGETS];
    size_t n = production_targets(h, all);
    for (size_t i = 0; i < n; i++)
        if (cf_str_is(card_no, all[i].card->no)) return all[i];
    return (struct production_target){0};
}

struct production_effect *production_card_changed(const struct production_card *card,
                                                  bool temporary, enum cf_card_state before,
                                                  const char *word, const struct production_op *op,
                                                  struct production_effects *fx)
{
    struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_CHANGED);
    e->card = *card;
    e->bank = card->bank;
    e->temporary = temporary;
    e->before = before;
    e->word = word;
    e->op = op;
    return e;
}

void production_tell_bank(const struct production_card *card, const char *what,
                          struct production_effects *fx)
{
    struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_TELL_BANK);
    e->card = *card;
    e->bank = card->bank;
    e->word = what;
}

static bool is_lost(enum cf_card_state state)
{
    return state == CF_CARD_TEMPORARY_LOSS || state == CF_CARD_FORMAL_LOSS;
}

bool production_card_put(struct production_card *card, bool temporary,
                         enum production_card_event on, const char *word,
                         const struct production_op *op, struct production_effects *fx)
{
    enum cf_card_state to;
    if (production_card_fit(card->state, card->before_loss, on, &to) != PRODUCTION_MOVE)
        return false;
    enum cf_card_state before = card->state;
    if (is_lost(to) && !is_lost(before)) card->before_loss = before;
    if (!is_lost(to)) card->before_loss = CF_CARD_NONE;
    card->loss_until = 0;
    card->state = to;
    if (to == CF_CARD_CANCELLED) card->financial = PRODUCTION_FIN_CLOSED;
    production_card_changed(card, temporary, before, word, op, fx);
    return true;
}

cf_day production_add_months(cf_day day, int months)
{
    struct cf_date d = cf_date_of_day(day);
    int all = d.year * 12 + d.month - 1 + months;
    int year = all / 12, month = all % 12 + 1;
    while (!cf_date_real(year, month, d.day))
        d.day--;
    return cf_day_of_date(year, month, d.day);
}

void production_card_seal(struct production_slot *slot, const struct production_world *w,
                          struct production_effects *fx)
{
    struct production_card *card = &slot->made;
    if (card->state != CF_CARD_RESERVED) return;
    bool temporary = slot->app.kind == CF_KIND_TEMPORARY;
    card->issued_on = cf_day_of_ms(w->now);
    card->valid_until = temporary
                            ? card->issued_on + w->policy->temporary_days
                            : production_add_months(card->issued_on, 12 * w->policy->card_years);
    production_card_put(card, temporary, PRODUCTION_CARD_SEAL, "made", NULL, fx);
    struct production_effect *e = &fx->list[fx->n - 1];
    memcpy(e->app_id, slot->app.id, 16);
    e->app_kind = slot->app.kind;
    e->outlet = slot->app.outlet;
}

void production_card_scrap(struct production_slot *slot, bool temporary, const char *word,
                           bool tell, struct production_effects *fx)
{
    struct production_card *card = &slot->made;
    if (card->state == CF_CARD_RESERVED) {
        /* Reserved cards are hidden from the holder: nothing to tell but the bank. */
        if (tell) production_tell_bank(card, "void_card", fx);
    } else if (production_card_put(card, temporary, PRODUCTION_CARD_CANCEL, word, NULL, fx)) {
        bool died = !strcmp(word, PRODUCTION_DEATH);
        if (tell) production_tell_bank(card, died ? PRODUCTION_DEATH : "cancelled", fx);
    }
    memset(card, 0, sizeof *card);
}

void production_card_give_back(struct production_card *card, struct production_effects *fx)
{
    if (!card->handed_in || !production_card_is(card)) return;
    card->handed_in = false;
    production_card_changed(card, false, card->state, "given_back", NULL, fx);
}

/* ---- time ---------------------------------------------------------------------------------- */

static bool may_expire(const struct production_card *card)
{
    return production_card_is(card) && card->state != CF_CARD_RESERVED && !card->expired &&
           card->valid_until > 0;
}

cf_ms production_card_next_due(const struct production_card *card)
{
    cf_ms next = card->loss_until;
    if (may_expire(card)) {
        cf_ms end = cf_ms_of_day(card->valid_until + 1);
        if (!next || end < next) next = end;
    }
    return next;
}

void production_card_due(struct production_card *card, bool temporary,
                         const struct production_world *w, struct production_effects *fx)
{
    if (card->loss_until && card->loss_until <= w->now) {
        production_card_put(card, temporary, PRODUCTION_CARD_RELEASE, "release", NULL, fx);
        production_tell_bank(card, "released", fx);
    }
    if (!may_expire(card) || cf_ms_of_day(card->valid_until + 1) > w->now) return;
    if (temporary) {
        production_card_put(card, true, PRODUCTION_CARD_CANCEL, "expired", NULL, fx);
        production_tell_bank(card, "cancelled", fx);
    } else {
        /* The state stays; the card does not stand for the holder's identity any more (S7). */
        card->expired = true;
        production_card_changed(card, false, card->state, "expired", NULL, fx);
    }
}
