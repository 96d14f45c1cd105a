/* Passwords: the table of their states, and the bank's counts of wrong tries. */
#include "services/production/rules_password.h"

#include "services/production/rules_inside.h"

#define P(from, on, to)                                                                            \
    {                                                                                              \
        PRODUCTION_PW_##from, PRODUCTION_PW_ON_##on, PRODUCTION_PW_##to, false                     \
    }
#define SAME(from, on)                                                                             \
    {                                                                                              \
        PRODUCTION_PW_##from, PRODUCTION_PW_ON_##on, PRODUCTION_PW_##from, true                    \
    }

/* A locked one is reset by the holder before anything else. */
static const struct production_password_edge edges[] = {
    P(UNSET, SET, SET),
    SAME(UNSET, RESET),
    P(UNSET, DISABLE, DISABLED),

    P(SET, SET, SET), /* another one */
    P(SET, RESET, UNSET),
    P(SET, DISABLE, DISABLED),
    P(SET, LOCK, LOCKED),

    P(DISABLED, SET, SET),
    P(DISABLED, RESET, UNSET),
    SAME(DISABLED, DISABLE),

    P(LOCKED, RESET, UNSET),
    SAME(LOCKED, LOCK),
};

const struct production_password_edge *production_password_edges(size_t *n)
{
    *n = sizeof edges / sizeof *edges;
    return edges;
}

enum production_fit production_password_fit(enum production_password from,
                                            enum production_password_event on,
                                            enum production_password *to)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        if (edges[i].from != from || edges[i].on != on) continue;
        *to = edges[i].to;
        return edges[i].already ? PRODUCTION_ALREADY : PRODUCTION_MOVE;
    }
    return PRODUCTION_ILLEGAL;
}

enum production_fit production_on_tries(struct production_holder *h,
                                        const struct production_tries *t,
                                        struct production_effects *fx)
{
    struct production_target target = production_target_of(h, t->card_no);
    struct production_card *card = target.card;
    enum production_password to;
    if (!card || (t->bank.len && !cf_str_eq(t->bank, card->bank))) return PRODUCTION_ILLEGAL;
    if (!production_card_is(card)) return PRODUCTION_ENDED;
    if (t->tries < PRODUCTION_TRIES_MAX) return PRODUCTION_ALREADY;
    enum production_fit fit =
        production_password_fit(card->password[t->password], PRODUCTION_PW_ON_LOCK, &to);
    if (fit != PRODUCTION_MOVE) return fit;
    card->password[t->password] = to;
    production_card_changed(card, target.temporary, card->state, "lock_password", NULL, fx);
    struct production_effect *e = production_effect_add(fx, PRODUCTION_FX_ANSWERED);
    e->command = "password_wrong";
    e->record = true;
    e->word = "done";
    e->card = *card;
    e->bank = card->bank;
    e->temporary = target.temporary;
    memcpy(e->command_id, t->id, 16);
    return PRODUCTION_MOVE;
}
