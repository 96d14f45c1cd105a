/* owners_log -- who is watched, and records as each comes to stand in the log. */
#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "tests/city/owners_inside.h"

enum { CARDS = sizeof owners.cards / sizeof *owners.cards };

struct owners_all owners;
struct owners_walked *owners_walked;

/* ---- what is watched ------------------------------------------------------------------------- */

void owners_holder(const struct cf_key *key)
{
    owners_read_tables();
    for (size_t i = 0; i < owners.n_keys; i++)
        if (cf_key_eq(&owners.keys[i], key)) return;
    if (owners.n_keys == sizeof owners.keys / sizeof *owners.keys) CF_BUG("too many holders");
    owners.keys[owners.n_keys++] = *key;
}

static struct app *app_of(const void *id)
{
    for (size_t i = 0; i < owners.n_apps; i++)
        if (!memcmp(owners.apps[i].id, id, 16)) return &owners.apps[i];
    return NULL;
}

void owners_app(const struct cf_key *key, const uint8_t id[16])
{
    if (app_of(id)) return;
    if (owners.n_apps == sizeof owners.apps / sizeof *owners.apps) CF_BUG("too many applications");
    owners.apps[owners.n_apps] = (struct app){.key = *key, .said = CF_APP_ACCEPTED};
    memcpy(owners.apps[owners.n_apps++].id, id, 16);
}

void owners_operation(const uint8_t id[16])
{
    if (owners.n_operations == sizeof owners.operations / sizeof *owners.operations)
        CF_BUG("too many operations");
    memcpy(owners.operations[owners.n_operations++].id, id, 16);
}

static struct owners_card *card_of(const char *no, const struct cf_key *holder)
{
    size_t i = 0;
    while (i < owners.n_cards && strcmp(owners.cards[i].no, no))
        i++;
    if (i == CARDS || strlen(no) >= sizeof owners.cards[i].no) CF_BUG("too many cards");
    if (i == owners.n_cards) {
        memcpy(owners.cards[i].no, no, strlen(no) + 1);
        owners.cards[i].holder = *holder;
        owners.n_cards++;
    }
    if (!cf_key_eq(&owners.cards[i].holder, holder)) sim_broken("card number %s is of two holders", no);
    return &owners.cards[i];
}

/* ---- records --------------------------------------------------------------------------------- */

static void check_usable(const struct cf_key *holder)
{
    int permanent = 0, temporary = 0;
    for (size_t i = 0; i < owners.n_cards; i++) {
        if (!cf_card_state_is_usable(owners.cards[i].state) ||
            !cf_key_eq(&owners.cards[i].holder, holder))
            continue;
        permanent += !owners.cards[i].temporary;
        temporary += owners.cards[i].temporary;
    }
    if (permanent > 1 || temporary > 1)
        sim_broken("a holder has %d usable permanent cards and %d temporary ones", permanent,
                    temporary);
}

/* The step that activates a permanent card has cancelled the temporary one in hand before. */
static void check_activated(const struct cf_key *holder)
{
    for (size_t i = 0; i < owners.n_cards; i++)
        if (owners.cards[i].temporary && cf_card_state_is_usable(owners.cards[i].state) &&
            cf_key_eq(&owners.cards[i].holder, holder))
            sim_broken("a permanent card is activated beside a temporary one in use");
}

static bool is_lost(enum cf_card_state state)
{
    return state == CF_CARD_TEMPORARY_LOSS || state == CF_CARD_FORMAL_LOSS;
}

/* A release leads back to the state before the loss; a card imported as lost was an active one. */
static void check_loss(struct owners_card *card, enum cf_card_state before, enum cf_card_state after)
{
    if (is_lost(after) && !is_lost(before))
        card->before_loss = before == CF_CARD_NONE ? CF_CARD_NORMAL : before;
    if (is_lost(before) && !is_lost(after) && after != CF_CARD_CANCELLED &&
        after != card->before_loss)
        sim_broken("card %s was %s before its loss, and is %s after it", card->no,
                   cf_card_state_name(card->before_loss), cf_card_state_name(after));
}

static void check_changed(const struct cf_key *holder, const Cardflow__V1__CardEvent *e)
{
    const Cardflow__V1__CardEvent__CardChanged *x = e->card_changed;
    struct owners_card *card = card_of(e->card_no, holder);
    enum cf_card_state before = cf_card_state_parse(cf_str_of(x->state_before)),
                       after = cf_card_state_parse(cf_str_of(x->state));
    /* A reserved card is hidden: it has no events. */
    if (!strcmp(x->operation, "made")) before = card->state = CF_CARD_RESERVED;
    if (before != card->state)
        sim_broken("card %s was %s, and is said to have been %s", card->no,
                    cf_card_state_name(card->state), x->state_before);
    if (before != CF_CARD_NONE && before != after && !owners_card_edge(before, after))
        sim_broken("card %s goes from %s to %s", card->no, x->state_before, x->state);
    check_loss(card, before, after);
    if (before != CF_CARD_NONE && before != CF_CARD_RESERVED && card->temporary != x->temporary)
        sim_broken("card %s is told of as one of the other kind", card->no);
    card->state = after;
    card->temporary = x->temporary;
    if (!x->temporary && before != after && !strcmp(x->operation, "activate"))
        check_activated(holder);
    owners_walked->card_edges[before][after] = true;
    owners_walked->changes++;
    check_usable(holder);
}

static void check_step(const Cardflow__V1__CardEvent *e)
{
    enum cf_app_state to = cf_app_state_parse(cf_str_of(e->step->state));
    struct app *app = e->application_id.len == 16 ? app_of(e->application_id.data) : NULL;
    if (!app) sim_broken("a step of an application that nobody has submitted");
    bool temporary = e->kind == CARDFLOW__V1__APP_KIND__APP_KIND_TEMPORARY;
    if (!owners_app_edge(app->said, to, temporary))
        sim_broken("an application goes from %s to %s", cf_app_state_name(app->said),
                    e->step->state);
    app->said = to;
    owners_walked->app_states[to] = true;
    owners_walked->steps++;
}

static void check_answer(const Cardflow__V1__CardEvent__OperationAnswered *x)
{
    /* After seven days nobody knows any more what became of it: it is refused, once more. */
    bool expired = x->n_reasons && !strcmp(x->reasons[0], "command_expired");
    owners_walked->answers++;
    for (size_t i = 0; i < owners.n_operations; i++) {
        if (x->operation_id.len != 16 || memcmp(owners.operations[i].id, x->operation_id.data, 16))
            continue;
        owners.operations[i].expired = owners.operations[i].expired || expired;
        if (!expired && ++owners.operations[i].answers > 1)
            sim_broken("a command is answered twice");
    }
}

static void check_card_event(const struct sim_record *r)
{
    struct cf_key holder;
    const Cardflow__V1__CardEvent *e =
        cf_unpack(city_arena(), &cardflow__v1__card_event__descriptor, r->value);
    if (!e || !cf_key_bytes(r->key.ptr, r->key.len, &holder))
        sim_broken("an event of a card cannot be read");
    if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED) check_changed(&holder, e);
    if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_STEP) check_step(e);
    if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_OPERATION_ANSWERED)
        check_answer(e->operation_answered);
}

static void check_order(const struct sim_record *r)
{
    const Cardflow__V1__BankOrder *o =
        cf_unpack(city_arena(), &cardflow__v1__bank_order__descriptor, r->value);
    if (!o) sim_broken("an order cannot be read");
    if (o->body_case != CARDFLOW__V1__BANK_ORDER__BODY_LINE) return;
    if (o->line->routing_key.len != 16) sim_broken("a line without routing key");
    const struct cf_key holder = cf_key_holder(o->line->routing_key.data);
    struct owners_card *card = card_of(o->line->card_no, &holder);
    if (card->ordered || card->state != CF_CARD_NONE)
        sim_broken("card number %s is ordered twice", card->no);
    card->ordered = true;
}

static void check_application(const struct sim_record *r)
{
    const Cardflow__V1__ApplicationEvent *e =
        cf_unpack(city_arena(), &cardflow__v1__application_event__descriptor, r->value);
    if (!e) sim_broken("an event of an application cannot be read");
    if (e->body_case != CARDFLOW__V1__APPLICATION_EVENT__BODY_ACCEPTED) return;
    struct app *app = e->application_id.len == 16 ? app_of(e->application_id.data) : NULL;
    if (!app) sim_broken("an application is accepted that nobody has submitted");
    if (++app->accepted > 1) sim_broken("an application is accepted twice");
    owners_walked->app_states[CF_APP_ACCEPTED] = true;
}

void sim_check_record(const struct sim_topic *topic, int32_t part, const struct sim_record *r)
{
    size_t n = strlen(topic->name);
    (void)part;
    if (n > 4 && !strcmp(topic->name + n - 4, ".dlq"))
        sim_broken("a dead letter in %s: %.*s", topic->name, CF_ARG(r->ce_type));
    if (!strcmp(topic->name, "card.events")) check_card_event(r);
    if (!strcmp(topic->name, "bank.orders")) check_order(r);
    if (!strcmp(topic->name, "application.events")) check_application(r);
}
