/* owners_cards -- when nothing is under way: what must hold of a holder's cards and of the
 * applications that bring them. Read from production's rows and from the events told of cards. */
#include "services/production/rules_inside.h"
#include "tests/city/owners_inside.h"

enum { PLACES = PRODUCTION_TARGETS };

static size_t cards_of(const struct production_holder *h, const struct production_card *of[PLACES],
                       bool temporary[PLACES])
{
    struct production_target all[PLACES];
    size_t n = production_targets((struct production_holder *)(uintptr_t)h, all);
    for (size_t i = 0; i < n; i++) {
        of[i] = all[i].card;
        temporary[i] = all[i].temporary;
    }
    return n;
}

static bool is_living(enum cf_card_state state)
{
    return state != CF_CARD_NONE && state != CF_CARD_RESERVED && state != CF_CARD_CANCELLED &&
           state != CF_CARD_VOIDED;
}

/* A card that lives stands in its holder's row, as its events have told. */
static void check_has_place(const struct owners_card *card)
{
    struct production_holder h;
    const struct production_card *of[PLACES];
    bool temporary[PLACES];
    if (!is_living(card->state)) return;
    if (!owners_production(&card->holder, &h)) sim_broken("a card's holder has no row");
    for (size_t i = 0, n = cards_of(&h, of, temporary); i < n; i++) {
        if (strcmp(of[i]->no, card->no)) continue;
        if (of[i]->state != card->state || temporary[i] != card->temporary)
            sim_broken("a card is told to be %s, and is %s", cf_card_state_name(card->state),
                       cf_card_state_name(of[i]->state));
        return;
    }
    sim_broken("a card that is %s is nobody's", cf_card_state_name(card->state));
}

/* Of the dead nothing goes on. */
static void check_dead(const struct production_holder *h)
{
    const struct production_card *of[PLACES];
    bool temporary[PLACES];
    const struct production_slot *slots[] = {&h->permanent, &h->temporary};
    if (!h->died) return;
    for (size_t i = 0, n = cards_of(h, of, temporary); i < n; i++)
        if (production_card_is(of[i]))
            sim_broken("the card of somebody who has died is %s", cf_card_state_name(of[i]->state));
    for (int i = 0; i < 2; i++)
        if (production_app_is_open(&slots[i]->app))
            sim_broken("the application of somebody who has died is %s",
                       cf_app_state_name(slots[i]->app.state));
}

/* An application that is to end with a card in hand has one in the making. */
static void check_brings_card(const struct production_slot *slot)
{
    static const bool ordered[CF_APP_COUNT] = {[CF_APP_BATCHED] = true,
                                               [CF_APP_ACCOUNT_OPENED] = true},
                      made[CF_APP_COUNT] = {[CF_APP_PRODUCED] = true,
                                            [CF_APP_SHIPPED] = true,
                                            [CF_APP_READY_FOR_PICKUP] = true};
    enum cf_card_state card = slot->made.state;
    bool fits = ordered[slot->app.state] ? card == CF_CARD_RESERVED
                                         : !made[slot->app.state] || is_living(card);
    if (!fits)
        sim_broken("an application is %s, and its card is %s", cf_app_state_name(slot->app.state),
                   cf_card_state_name(card));
}

/* A card that was imported meanwhile ends the first issue; it is not made beside it. */
static void check_first(const struct production_slot *slot)
{
    if (slot->app.kind == CF_KIND_FIRST_ISSUE && production_app_is_open(&slot->app) &&
        is_living(slot->card.state))
        sim_broken("a first issue is %s beside a card that is %s",
                   cf_app_state_name(slot->app.state), cf_card_state_name(slot->card.state));
}

/* A card is handed in for a new one that may still come, or that is not yet in use. */
static void check_handed_in(const struct production_slot *slot)
{
    bool may_come = slot->app.kind == CF_KIND_DAMAGE_REPLACEMENT &&
                    (!cf_app_state_is_end(slot->app.state) || production_card_is(&slot->made));
    if (slot->card.handed_in && production_card_is(&slot->card) && !may_come)
        sim_broken("a card is handed in for an application that is %s",
                    cf_app_state_name(slot->app.state));
}

void owners_cards_settled(void)
{
    for (size_t i = 0; i < owners.n_cards; i++)
        check_has_place(&owners.cards[i]);
    for (size_t i = 0; i < owners.n_keys; i++) {
        struct production_holder h;
        if (!owners_production(&owners.keys[i], &h)) continue;
        check_dead(&h);
        check_brings_card(&h.permanent);
        check_brings_card(&h.temporary);
        check_first(&h.permanent);
        check_handed_in(&h.permanent);
    }
}
