/* Rules of production: machines, cards, operations, queue, packed form. */
#include "data.h"

#include "services/production/pack.h"
#include "services/production/rules_password.h"

/* ---- the application's machine ------------------------------------------------------------- */

/* What the domain reference allows, written down a second time: state, then where it may go. */
static const struct {
    enum cf_app_state from;
    enum cf_app_state to[8];
} allowed[] = {
    {CF_APP_ACCEPTED,          {CF_APP_PHOTO_READY, CF_APP_PHOTO_MISSING, CF_APP_WITHDRAWN, CF_APP_CLOSED}},
    {CF_APP_PHOTO_MISSING,     {CF_APP_PHOTO_READY, CF_APP_WITHDRAWN, CF_APP_EXPIRED, CF_APP_CLOSED}      },
    {CF_APP_PHOTO_READY,       {CF_APP_BATCHED, CF_APP_WITHDRAWN, CF_APP_CLOSED}                          },
    {CF_APP_BATCHED,
     {CF_APP_ACCOUNT_OPENED, CF_APP_ACCOUNT_FAILED, CF_APP_PRODUCTION_FAILED, CF_APP_CLOSED}              },
    {CF_APP_ACCOUNT_FAILED,
     {CF_APP_BATCHED, CF_APP_WITHDRAWN, CF_APP_EXPIRED, CF_APP_CLOSED}                                    },
    {CF_APP_ACCOUNT_OPENED,    {CF_APP_PRODUCED, CF_APP_PRODUCTION_FAILED, CF_APP_CLOSED}                 },
    {CF_APP_PRODUCTION_FAILED, {CF_APP_PHOTO_READY, CF_APP_WITHDRAWN, CF_APP_CLOSED}                      },
    {CF_APP_PRODUCED,          {CF_APP_SHIPPED, CF_APP_CLOSED}                                            },
    {CF_APP_SHIPPED,           {CF_APP_READY_FOR_PICKUP, CF_APP_PRODUCTION_FAILED, CF_APP_CLOSED}         },
    {CF_APP_READY_FOR_PICKUP,
     {CF_APP_COLLECTED, CF_APP_PRODUCTION_FAILED, CF_APP_WITHDRAWN, CF_APP_PICKUP_EXPIRED,
      CF_APP_CLOSED}                                                                                      },
};

static bool may_go(enum cf_app_state from, enum cf_app_state to)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        for (size_t k = 0; allowed[i].from == from && k < 8; k++)
            if (allowed[i].to[k] == to && to != CF_APP_NONE) return true;
    return false;
}

static const struct production_app_edge *edge_of(enum cf_app_state from,
                                                 enum production_app_event on)
{
    size_t n;
    const struct production_app_edge *e = production_app_edges(&n), *found = NULL;
    for (size_t i = 0; i < n; i++) {
        if (e[i].from != from || e[i].on != on) continue;
        if (found)
            fail_msg("two edges from %s on %s", cf_app_state_name(from),
                     production_app_event_name(on));
        found = &e[i];
    }
    return found;
}

static void every_pair_of_application_state_and_event_has_its_verdict(void **state)
{
    (void)state;
    for (int s = CF_APP_NONE; s < CF_APP_COUNT; s++)
        for (int on = PRODUCTION_ON_NONE + 1; on < PRODUCTION_ON_COUNT; on++) {
            enum cf_app_state from = (enum cf_app_state)s, to = CF_APP_NONE;
            enum production_app_event event = (enum production_app_event)on;
            const struct production_app_edge *e = edge_of(from, event);
            enum production_fit fit = production_app_fit(from, event, &to);
            enum production_fit want = PRODUCTION_ILLEGAL;
            if (e)
                want = e->to == CF_APP_NONE ? PRODUCTION_AHEAD
                       : e->to == from      ? PRODUCTION_ALREADY
                                            : PRODUCTION_MOVE;
            else if (s && cf_app_state_is_end(from))
                want = PRODUCTION_ENDED;
            if (fit != want)
                fail_msg("%s on %s: %d, want %d", cf_app_state_name(from),
                         production_app_event_name(event), (int)fit, (int)want);
            if (fit == PRODUCTION_MOVE && to != e->to) fail_msg("moved to another state");
        }
}

static void moves_are_those_of_the_domain_and_each_of_them_exists(void **state)
{
    (void)state;
    bool seen[CF_APP_COUNT][CF_APP_COUNT] = {{false}};
    size_t n;
    const struct production_app_edge *e = production_app_edges(&n);
    for (size_t i = 0; i < n; i++) {
        if (e[i].to == CF_APP_NONE || e[i].to == e[i].from) continue;
        if (!may_go(e[i].from, e[i].to))
            fail_msg("%s to %s is not in the domain", cf_app_state_name(e[i].from),
                     cf_app_state_name(e[i].to));
        seen[e[i].from][e[i].to] = true;
    }
    for (int from = 1; from < CF_APP_COUNT; from++)
        for (int to = 1; to < CF_APP_COUNT; to++)
            if (may_go((enum cf_app_state)from, (enum cf_app_state)to) && !seen[from][to])
                fail_msg("no edge from %s to %s", cf_app_state_name((enum cf_app_state)from),
                         cf_app_state_name((enum cf_app_state)to));
}

static void a_temporary_card_has_a_machine_of_its_own(void **state)
{
    (void)state;
    static const struct {
        enum cf_app_state from;
        enum production_app_event on;
        enum production_fit fit;
        enum cf_app_state to;
    } want[] = {
        {CF_APP_ACCEPTED, PRODUCTION_ON_HAND_OUT, PRODUCTION_MOVE, CF_APP_PRODUCED},
        {CF_APP_ACCEPTED, PRODUCTION_ON_WITHDRAW, PRODUCTION_MOVE, CF_APP_WITHDRAWN},
        {CF_APP_ACCEPTED, PRODUCTION_ON_CLOSE, PRODUCTION_MOVE, CF_APP_CLOSED},
        {CF_APP_ACCEPTED, PRODUCTION_ON_DIE, PRODUCTION_MOVE, CF_APP_CLOSED},
        {CF_APP_ACCEPTED, PRODUCTION_ON_COLLECTED, PRODUCTION_AHEAD, CF_APP_NONE},
        {CF_APP_ACCEPTED, PRODUCTION_ON_PHOTO_READY, PRODUCTION_ILLEGAL, CF_APP_NONE},
        {CF_APP_ACCEPTED, PRODUCTION_ON_PRODUCED, PRODUCTION_ILLEGAL, CF_APP_NONE},
        {CF_APP_PRODUCED, PRODUCTION_ON_COLLECTED, PRODUCTION_MOVE, CF_APP_COLLECTED},
        {CF_APP_PRODUCED, PRODUCTION_ON_EXPIRE, PRODUCTION_MOVE, CF_APP_PICKUP_EXPIRED},
        {CF_APP_PRODUCED, PRODUCTION_ON_DIE, PRODUCTION_MOVE, CF_APP_CLOSED},
        {CF_APP_PRODUCED, PRODUCTION_ON_PRODUCED, PRODUCTION_ALREADY, CF_APP_NONE},
        {CF_APP_PRODUCED, PRODUCTION_ON_SHIPPED, PRODUCTION_ILLEGAL, CF_APP_NONE},
        {CF_APP_PRODUCED, PRODUCTION_ON_WITHDRAW, PRODUCTION_ILLEGAL, CF_APP_NONE},
        {CF_APP_COLLECTED, PRODUCTION_ON_COLLECTED, PRODUCTION_ALREADY, CF_APP_NONE},
        {CF_APP_COLLECTED, PRODUCTION_ON_FAILED, PRODUCTION_ENDED, CF_APP_NONE},
        {CF_APP_PICKUP_EXPIRED, PRODUCTION_ON_COLLECTED, PRODUCTION_ENDED, CF_APP_NONE},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct production_app app = {.kind = CF_KIND_TEMPORARY, .state = want[i].from};
        enum cf_app_state to = CF_APP_NONE;
        if (production_fit_of(&app, want[i].on, &to) != want[i].fit || to != want[i].to)
            fail_msg("%s on %s", cf_app_state_name(want[i].from),
                     production_app_event_name(want[i].on));
    }
}

static void a_bank_step_ahead_waits_and_one_behind_is_already_done(void **state)
{
    (void)state;
    static const enum cf_app_state path[] = {
        CF_APP_PHOTO_READY, CF_APP_BATCHED,          CF_APP_ACCOUNT_OPENED, CF_APP_PRODUCED,
        CF_APP_SHIPPED,     CF_APP_READY_FOR_PICKUP, CF_APP_COLLECTED};
    static const enum production_app_event step[] = {
        PRODUCTION_ON_ACCOUNT_OPENED, PRODUCTION_ON_PRODUCED, PRODUCTION_ON_SHIPPED,
        PRODUCTION_ON_ARRIVED, PRODUCTION_ON_COLLECTED};
    for (int at = 0; at < 7; at++)
        for (int s = 0; s < 5; s++) {
            enum cf_app_state to;
            enum production_fit want = at < s + 1    ? PRODUCTION_AHEAD
                                       : at == s + 1 ? PRODUCTION_MOVE
                                                     : PRODUCTION_ALREADY;
            if (production_app_fit(path[at], step[s], &to) != want)
                fail_msg("%s on %s", cf_app_state_name(path[at]),
                         production_app_event_name(step[s]));
        }
}

/* ---- the card's machine -------------------------------------------------------------------- */

static void every_pair_of_card_state_and_event_has_its_verdict(void **state)
{
    (void)state;
    size_t n;
    const struct production_card_edge *e = production_card_edges(&n);
    for (int s = CF_CARD_NONE; s < CF_CARD_COUNT; s++)
        for (int on = PRODUCTION_CARD_NONE + 1; on < PRODUCTION_CARD_COUNT; on++) {
            const struct production_card_edge *edge = NULL;
            for (size_t i = 0; i < n; i++)
                if ((int)e[i].from == s && (int)e[i].on == on) edge = &e[i];
            enum cf_card_state to = CF_CARD_NONE;
            enum production_fit fit = production_card_fit((enum cf_card_state)s, CF_CARD_APP_LOCKED,
                                                          (enum production_card_event)on, &to);
            if (!edge)
                assert_int_equal(fit, PRODUCTION_ILLEGAL);
            else if ((int)edge->to == s)
                assert_int_equal(fit, PRODUCTION_ALREADY);
            else {
                assert_int_equal(fit, PRODUCTION_MOVE);
                assert_int_equal(to, edge->to ? edge->to : CF_CARD_APP_LOCKED);
            }
        }
}

static void cards_go_only_where_the_domain_lets_them(void **state)
{
    (void)state;
    static const struct {
        enum cf_card_state from;
        unsigned to; /* bits of states */
    } want[] = {
        {CF_CARD_RESERVED,       1u << CF_CARD_SEALED | 1u << CF_CARD_VOIDED                                    },
        {CF_CARD_SEALED,         1u << CF_CARD_NORMAL | 1u << CF_CARD_TEMPORARY_LOSS |
                             1u << CF_CARD_FORMAL_LOSS | 1u << CF_CARD_CANCELLED        },
        {CF_CARD_NORMAL,         1u << CF_CARD_TEMPORARY_LOSS | 1u << CF_CARD_FORMAL_LOSS |
                             1u << CF_CARD_APP_LOCKED | 1u << CF_CARD_CANCELLED         },
 /* NONE stands for the state before the loss */
        {CF_CARD_FORMAL_LOSS,    1u << CF_CARD_NONE | 1u << CF_CARD_CANCELLED                                   },
        {CF_CARD_APP_LOCKED,     1u << CF_CARD_NORMAL | 1u << CF_CARD_TEMPORARY_LOSS |
                                 1u << CF_CARD_FORMAL_LOSS | 1u << CF_CARD_CANCELLED},
        {CF_CARD_TEMPORARY_LOSS,
         1u << CF_CARD_NONE | 1u << CF_CARD_FORMAL_LOSS | 1u << CF_CARD_CANCELLED                               },
        {CF_CARD_CANCELLED,      0                                                                              },
        {CF_CARD_VOIDED,         0                                                                              },
    };
    size_t n;
    const struct production_card_edge *e = production_card_edges(&n);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        unsigned seen = 0;
        for (size_t k = 0; k < n; k++)
            if (e[k].from == want[i].from && e[k].to != e[k].from) seen |= 1u << e[k].to;
        if (seen != want[i].to)
            fail_msg("%s: %x, want %x", cf_card_state_name(want[i].from), seen, want[i].to);
    }
}

/* ---- operations ---------------------------------------------------------------------------- */

static const struct op_case {
    const char *why;
    enum cf_card_state state;
    enum production_operation what;
    const char *role, *bank;
    enum cf_channel channel;
    bool fees, consent;
    const char *result, *reason;
    enum cf_card_state after;
} ops[] = {
    {"the holder activates a sealed card",      CF_CARD_SEALED,         PRODUCTION_OP_ACTIVATE,              "holder",    "B01",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               false, false, "done",    NULL,                     CF_CARD_NORMAL        },
    {"an active card stays active",             CF_CARD_NORMAL,         PRODUCTION_OP_ACTIVATE,              "holder",    "B01",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               false, false, "already", NULL,                     CF_CARD_NORMAL        },
    {"an agent cannot activate",                CF_CARD_SEALED,         PRODUCTION_OP_ACTIVATE,              "agent",     "B01",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               false, false, "refused", "holder_only",            CF_CARD_SEALED        },
    {"a guardian of an adult cannot activate",  CF_CARD_SEALED,         PRODUCTION_OP_ACTIVATE,              "guardian",
     "B01",                                                                                                                      CF_CHANNEL_BANK_OUTLET,   false, false, "refused", "holder_only",            CF_CARD_SEALED        },
    {"another bank cannot activate",            CF_CARD_SEALED,         PRODUCTION_OP_ACTIVATE,              "holder",    "B02",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               false, false, "refused", "not_issuing_bank",       CF_CARD_SEALED        },
    {"nobody pays for it",                      CF_CARD_SEALED,         PRODUCTION_OP_ACTIVATE,              "holder",    "B01",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               true,  false, "refused", "fee_not_allowed",        CF_CARD_SEALED        },
    {"the hotline cannot activate",             CF_CARD_SEALED,         PRODUCTION_OP_ACTIVATE,              "holder",    "",
     CF_CHANNEL_HOTLINE_12345,                                                                                                                             false, false, "refused", "channel_not_allowed",    CF_CARD_SEALED        },
    {"the hotline takes a temporary loss",      CF_CARD_NORMAL,         PRODUCTION_OP_REPORT_TEMPORARY_LOSS,
     "holder",                                                                                                            "",    CF_CHANNEL_HOTLINE_12345, false, false, "done",    NULL,                     CF_CARD_TEMPORARY_LOSS},
    {"a second temporary loss changes nothing", CF_CARD_TEMPORARY_LOSS,
     PRODUCTION_OP_REPORT_TEMPORARY_LOSS,                                                                    "holder",    "",    CF_CHANNEL_BANK_PHONE,    false, false,
     "already",                                                                                                                                                                     NULL,                     CF_CARD_TEMPORARY_LOSS},
    {"a formal loss needs the counter",         CF_CARD_NORMAL,         PRODUCTION_OP_REPORT_FORMAL_LOSS,    "holder",
     "",                                                                                                                         CF_CHANNEL_BANK_PHONE,    false, false, "refused", "channel_not_allowed",    CF_CARD_NORMAL        },
    {"a temporary loss becomes formal",         CF_CARD_TEMPORARY_LOSS, PRODUCTION_OP_REPORT_FORMAL_LOSS,
     "holder",                                                                                                            "B01", CF_CHANNEL_BANK_OUTLET,   false, false, "done",    NULL,                     CF_CARD_FORMAL_LOSS   },
    {"a formal loss does not become temporary", CF_CARD_FORMAL_LOSS,
     PRODUCTION_OP_REPORT_TEMPORARY_LOSS,                                                                    "holder",    "B01", CF_CHANNEL_BANK_OUTLET,   false, false,
     "refused",                                                                                                                                                                     "illegal_in_state",       CF_CARD_FORMAL_LOSS   },
    {"a found card is released",                CF_CARD_FORMAL_LOSS,    PRODUCTION_OP_RELEASE,               "holder",    "B01",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               false, false, "done",    NULL,                     CF_CARD_NORMAL        },
    {"the authority locks",                     CF_CARD_NORMAL,         PRODUCTION_OP_LOCK,                  "authority", "",
     CF_CHANNEL_UPSTREAM,                                                                                                                                  false, false, "done",    NULL,                     CF_CARD_APP_LOCKED    },
    {"the holder cannot lock",                  CF_CARD_NORMAL,         PRODUCTION_OP_LOCK,                  "holder",    "B01",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               false, false, "refused", "authority_or_bank_only",    CF_CARD_NORMAL        },
    {"a locked card is unlocked",               CF_CARD_APP_LOCKED,     PRODUCTION_OP_UNLOCK,                "authority", "",
     CF_CHANNEL_UPSTREAM,                                                                                                                                  false, false, "done",    NULL,                     CF_CARD_NORMAL        },
    {"a card is cancelled",                     CF_CARD_NORMAL,         PRODUCTION_OP_CANCEL,                "holder",    "B01",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               false, false, "done",    NULL,                     CF_CARD_CANCELLED     },
    {"a cancelled card is not activated",       CF_CARD_CANCELLED,      PRODUCTION_OP_ACTIVATE,              "holder",
     "B01",                                                                                                                      CF_CHANNEL_BANK_OUTLET,   false, false, "refused", "card_cancelled",         CF_CARD_CANCELLED     },
    {"a password is set on an active card",     CF_CARD_NORMAL,         PRODUCTION_OP_SET_PASSWORD,          "holder",
     "B01",                                                                                                                      CF_CHANNEL_BANK_OUTLET,   false, false, "done",    NULL,                     CF_CARD_NORMAL        },
    {"no password before activation",           CF_CARD_SEALED,         PRODUCTION_OP_SET_PASSWORD,          "holder",    "B01",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               false, false, "refused", "illegal_in_state",       CF_CARD_SEALED        },
    {"an add-on needs consent",                 CF_CARD_NORMAL,         PRODUCTION_OP_OPEN_ADD_ON,           "holder",    "B01",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               false, false, "refused", "add_on_without_consent", CF_CARD_NORMAL        },
    {"an add-on with consent",                  CF_CARD_NORMAL,         PRODUCTION_OP_OPEN_ADD_ON,           "holder",    "B01",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               false, true,  "done",    NULL,                     CF_CARD_NORMAL        },
    {"a permanent card is not extended",        CF_CARD_NORMAL,         PRODUCTION_OP_EXTEND_TEMPORARY,      "holder",
     "B01",                                                                                                                      CF_CHANNEL_BANK_OUTLET,   false, false, "refused", "illegal_in_state",       CF_CARD_NORMAL        },
    {"an unknown operation",                    CF_CARD_NORMAL,         PRODUCTION_OP_NONE,                  "holder",    "B01",
     CF_CHANNEL_BANK_OUTLET,                                                                                                                               false, false, "refused", "unknown_operation",      CF_CARD_NORMAL        },
};

static void operations_do_what_the_table_says(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        const struct op_case *c = &ops[i];
        struct production_holder h = {0};
        static struct production_effects fx;
        struct production_op op = asked(c->what);
        op.role = cf_str_of(c->role);
        op.operator_bank = cf_str_of(c->bank);
        op.channel = c->channel;
        op.fees = c->fees;
        if (c->consent) consent(&op, "holder");
        op.card_no = CF_STR("B00000019");
        fx.n = 0;
        h.permanent.card = card_in(c->state);
        if (production_operate(&h, &op, &w, &fx) != PRODUCTION_MOVE) fail_msg("%s", c->why);
        const struct production_effect *a = must_find(&fx, PRODUCTION_FX_ANSWERED);
        if (strcmp(a->word ? a->word : "-", c->result)) fail_msg("%s: %s", c->why, a->word);
        if (c->reason && (a->n_reasons != 1 || strcmp(a->reasons[0], c->reason)))
            fail_msg("%s: reason %s of %zu", c->why, a->n_reasons ? a->reasons[0] : "-",
                     a->n_reasons);
        if (!c->reason && a->n_reasons) fail_msg("%s: %s", c->why, a->reasons[0]);
        if (h.permanent.card.state != c->after)
            fail_msg("%s: card is %s", c->why, cf_card_state_name(h.permanent.card.state));
        bool changed = find(&fx, PRODUCTION_FX_CHANGED) != NULL;
        bool moved = c->after != c->state || c->what == PRODUCTION_OP_SET_PASSWORD ||
                     c->what == PRODUCTION_OP_OPEN_ADD_ON; /* leaves its mark */
        if (!strcmp(c->result, "done") && changed != moved) fail_msg("%s: changed", c->why);
        if (strcmp(c->result, "done") && changed) fail_msg("%s: refused but changed", c->why);
    }
}

static void an_operation_without_number_says_that_the_card_is_cancelled(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = {0};
    static struct production_effects fx;
    struct production_op op = asked(PRODUCTION_OP_ACTIVATE);
    fx.n = 0;
    h.permanent.card = card_in(CF_CARD_CANCELLED);
    production_operate(&h, &op, &w, &fx);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_ANSWERED)->reasons[0], "card_cancelled");
    memset(&h, 0, sizeof h);
    fx.n = 0;
    production_operate(&h, &op, &w, &fx);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_ANSWERED)->reasons[0], "unknown_card");
}

static void a_guardian_acts_for_a_child(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = {0};
    static struct production_effects fx;
    struct production_op op = asked(PRODUCTION_OP_ACTIVATE);
    op.role = CF_STR("guardian");
    fx.n = 0;
    h.permanent.card = card_in(CF_CARD_SEALED);
    h.permanent.card.sixteen_on = cf_day_of_ms(NOW) + 1;
    production_operate(&h, &op, &w, &fx);
    assert_int_equal(h.permanent.card.state, CF_CARD_NORMAL);
}

static void activating_cancels_the_temporary_card_and_the_replaced_one(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = {0};
    static struct production_effects fx;
    struct production_op op = asked(PRODUCTION_OP_ACTIVATE);
    fx.n = 0;
    h.permanent.app.state = CF_APP_COLLECTED;
    h.permanent.card = card_in(CF_CARD_FORMAL_LOSS);
    h.permanent.made = card_in(CF_CARD_SEALED);
    memcpy(h.permanent.made.no, "B00000027", 10);
    h.temporary.card = card_in(CF_CARD_NORMAL);
    assert_int_equal(production_operate(&h, &op, &w, &fx), PRODUCTION_MOVE);
    assert_string_equal(h.permanent.card.no, "B00000027");
    assert_int_equal(h.permanent.card.state, CF_CARD_NORMAL);
    assert_int_equal(h.permanent.made.state, CF_CARD_NONE);
    assert_int_equal(h.temporary.card.state, CF_CARD_CANCELLED);
    assert_int_equal(h.temporary.card.financial, PRODUCTION_FIN_CLOSED);
    size_t cancelled = 0;
    for (size_t i = 0; i < fx.n; i++)
        cancelled +=
            fx.list[i].kind == PRODUCTION_FX_CHANGED && fx.list[i].card.state == CF_CARD_CANCELLED;
    assert_int_equal(cancelled, 2);
}

static void a_temporary_loss_releases_itself_after_seven_days(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = {0};
    static struct production_effects fx;
    struct production_op op = asked(PRODUCTION_OP_REPORT_TEMPORARY_LOSS);
    op.channel = CF_CHANNEL_BANK_PHONE;
    fx.n = 0;
    h.permanent.card = card_in(CF_CARD_APP_LOCKED);
    production_operate(&h, &op, &w, &fx);
    assert_int_equal(h.permanent.card.state, CF_CARD_TEMPORARY_LOSS);
    cf_ms due = NOW + 7 * (cf_ms)CF_MS_PER_DAY;
    assert_int_equal(production_next_due(&h), due);
    w = world_at(due - 1);
    production_on_due(&h, &w, &fx);
    assert_int_equal(h.permanent.card.state, CF_CARD_TEMPORARY_LOSS);
    w = world_at(due);
    production_on_due(&h, &w, &fx);
    assert_int_equal(h.permanent.card.state, CF_CARD_APP_LOCKED);
    /* The next obligation is the end of the card's validity. */
    assert_int_equal(production_next_due(&h), cf_ms_of_day(23653));
}

static void a_loss_that_became_formal_releases_to_the_state_before_the_first(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = {0};
    static struct production_effects fx;
    static const enum production_operation what[] = {PRODUCTION_OP_REPORT_TEMPORARY_LOSS,
                                                     PRODUCTION_OP_REPORT_FORMAL_LOSS,
                                                     PRODUCTION_OP_RELEASE};
    h.permanent.card = card_in(CF_CARD_APP_LOCKED);
    for (int i = 0; i < 3; i++) {
        struct production_op op = asked(what[i]);
        fx.n = 0;
        production_operate(&h, &op, &w, &fx);
        /* It is told until when. */
        assert_int_equal(must_find(&fx, PRODUCTION_FX_CHANGED)->card.loss_until,
                         i == 0 ? NOW + 7 * (cf_ms)CF_MS_PER_DAY : 0);
    }
    assert_int_equal(h.permanent.card.state, CF_CARD_APP_LOCKED);
    assert_int_equal(h.permanent.card.loss_until, 0);
}

static void a_temporary_card_is_extended_to_six_months_and_no_further(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = {0};
    struct production_op op = asked(PRODUCTION_OP_EXTEND_TEMPORARY);
    cf_day issued = cf_day_of_date(2026, 8, 31);
    h.temporary.card = card_in(CF_CARD_NORMAL);
    h.temporary.card.issued_on = issued;
    h.temporary.card.valid_until = issued + 60;
    static struct production_effects fx;
    for (int i = 0; i < 3; i++) {
        fx.n = 0;
        production_operate(&h, &op, &w, &fx);
        assert_string_equal(must_find(&fx, PRODUCTION_FX_ANSWERED)->word, "done");
    }
    /* 31 August and six months is the last day of February. */
    assert_int_equal(h.temporary.card.valid_until, cf_day_of_date(2027, 2, 28));
    fx.n = 0;
    production_operate(&h, &op, &w, &fx);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_ANSWERED)->word, "refused");
}

static void release_withdraws_a_replacement_that_is_not_queued_and_no_other(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_op op = asked(PRODUCTION_OP_RELEASE);
    static const enum cf_app_state states[] = {CF_APP_ACCEPTED, CF_APP_BATCHED};
    for (int i = 0; i < 2; i++) {
        struct production_holder h = {0};
        static struct production_effects fx;
        fx.n = 0;
        h.permanent.card = card_in(CF_CARD_FORMAL_LOSS);
        h.permanent.app.state = states[i];
        h.permanent.app.kind = CF_KIND_LOSS_REPLACEMENT;
        production_operate(&h, &op, &w, &fx);
        bool released = h.permanent.card.state == CF_CARD_NORMAL;
        assert_int_equal(released, i == 0);
        assert_int_equal(h.permanent.app.state, i == 0 ? CF_APP_WITHDRAWN : CF_APP_BATCHED);
        if (i == 1)
            assert_string_equal(must_find(&fx, PRODUCTION_FX_ANSWERED)->reasons[0],
                                "replacement_open");
    }
}

/* ---- acceptance ---------------------------------------------------------------------------- */

static const struct accept_case {
    const char *why;
    enum cf_app_kind kind;
    enum cf_card_state card;
    bool has_photo, fits;
    enum cf_card_state after;
} accepts[] = {
    {"a first card",                       CF_KIND_FIRST_ISSUE,        CF_CARD_NONE,        true,  true,  CF_CARD_NONE  },
    {"a first card after a cancelled one", CF_KIND_FIRST_ISSUE,        CF_CARD_CANCELLED,   true,  true,
     CF_CARD_CANCELLED                                                                                                  },
    {"no second first card",               CF_KIND_FIRST_ISSUE,        CF_CARD_NORMAL,      true,  false, CF_CARD_NORMAL},
    {"no first card beside a lost one",    CF_KIND_FIRST_ISSUE,        CF_CARD_FORMAL_LOSS, true,  false,
     CF_CARD_FORMAL_LOSS                                                                                                },
    {"a replacement is a loss report",     CF_KIND_LOSS_REPLACEMENT,   CF_CARD_NORMAL,      true,  true,
     CF_CARD_FORMAL_LOSS                                                                                                },
    {"a reported loss is replaced",        CF_KIND_LOSS_REPLACEMENT,   CF_CARD_FORMAL_LOSS, true,  true,
     CF_CARD_FORMAL_LOSS                                                                                                },
    {"nothing to replace",                 CF_KIND_LOSS_REPLACEMENT,   CF_CARD_NONE,        true,  false, CF_CARD_NONE  },
    {"a cancelled card is not replaced",   CF_KIND_LOSS_REPLACEMENT,   CF_CARD_CANCELLED,   true,  false,
     CF_CARD_CANCELLED                                                                                                  },
    {"a damaged card is handed in",        CF_KIND_DAMAGE_REPLACEMENT, CF_CARD_NORMAL,      true,  true,
     CF_CARD_NORMAL                                                                                                     },
    {"a lost card is not damaged",         CF_KIND_DAMAGE_REPLACEMENT, CF_CARD_FORMAL_LOSS, true,  false,
     CF_CARD_FORMAL_LOSS                                                                                                },
    {"a photo comes on",                   CF_KIND_PHOTO_SWAP,         CF_CARD_NORMAL,      false, true,  CF_CARD_NORMAL},
    {"a card with photo keeps it",         CF_KIND_PHOTO_SWAP,         CF_CARD_NORMAL,      true,  false, CF_CARD_NORMAL},
};

static void acceptance_is_checked_against_the_cards_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++) {
        const struct accept_case *c = &accepts[i];
        struct production_holder h = {0};
        static struct production_effects fx;
        struct production_accepted a = {.app_id = {7}, .kind = c->kind, .bank = CF_STR("B01")};
        fx.n = 0;
        if (c->card != CF_CARD_NONE) h.permanent.card = card_in(c->card);
        h.permanent.card.has_photo = c->has_photo;
        assert_int_equal(production_on_accepted(&h, &a, &fx), PRODUCTION_MOVE);
        bool fits = h.permanent.app.state == CF_APP_ACCEPTED;
        if (fits != c->fits) fail_msg("%s", c->why);
        if (!fits) {
            const struct production_effect *e = must_find(&fx, PRODUCTION_FX_STEP);
            if (e->state != CF_APP_CLOSED || !cf_str_is(e->reason, "card_changed"))
                fail_msg("%s: not closed", c->why);
        }
        if (h.permanent.card.state != c->after)
            fail_msg("%s: card is %s", c->why, cf_card_state_name(h.permanent.card.state));
        if (c->kind == CF_KIND_DAMAGE_REPLACEMENT && h.permanent.card.handed_in != c->fits)
            fail_msg("%s: handed in", c->why);
    }
}

static void death_closes_the_application_and_cancels_the_cards(void **state)
{
    (void)state;
    struct production_holder h = {0};
    static struct production_effects fx;
    struct production_enrolment dead = {false, CF_STR("death")};
    fx.n = 0;
    h.permanent.card = card_in(CF_CARD_NORMAL);
    h.permanent.app = (struct production_app){.id = {1},
                                              .kind = CF_KIND_LOSS_REPLACEMENT,
                                              .state = CF_APP_ACCOUNT_OPENED,
                                              .bank = CF_STR("B01")};
    h.permanent.made = card_in(CF_CARD_RESERVED);
    assert_int_equal(production_on_enrolment(&h, &dead, &fx), PRODUCTION_MOVE);
    assert_int_equal(h.permanent.app.state, CF_APP_CLOSED);
    assert_int_equal(h.permanent.card.state, CF_CARD_CANCELLED);
    assert_int_equal(h.permanent.made.state, CF_CARD_NONE);
    /* Again: nothing happens a second time. */
    fx.n = 0;
    assert_int_equal(production_on_enrolment(&h, &dead, &fx), PRODUCTION_ALREADY);
    assert_int_equal(fx.n, 0);
    struct production_accepted a = {
        .app_id = {2}, .kind = CF_KIND_FIRST_ISSUE, .bank = CF_STR("B01")};
    production_on_accepted(&h, &a, &fx);
    assert_true(cf_str_is(must_find(&fx, PRODUCTION_FX_STEP)->reason, "holder_died"));
}

/* ---- a bank's queue ------------------------------------------------------------------------ */

/* Another than the one in which the days are. */
static char *room_for_days(const struct production_bank *b)
{
    static char rooms[2][256];
    assert_true(b->days.len + PRODUCTION_DAY_LEN <= sizeof rooms[0]);
    bool in_first = b->days.ptr >= rooms[0] && b->days.ptr < rooms[0] + sizeof rooms[0];
    return rooms[in_first];
}

static void a_lane_closes_when_full_or_when_its_oldest_line_has_waited(void **state)
{
    (void)state;
    struct production_bank b = {0};
    struct production_queued q;
    struct production_close due[PRODUCTION_LANES];
    struct production_world w = world_at(NOW);
    for (int i = 1; i <= 3; i++) {
        production_enqueue(&b, false, &w, room_for_days(&b), &q);
        assert_int_equal(q.no, i);
        assert_int_equal(q.place, (uint32_t)i);
        assert_int_equal(q.close.yes, i == 3);
    }
    assert_int_equal(q.close.from, 1);
    assert_int_equal(q.close.to, 3);
    assert_int_equal(production_bank_next_due(&b, &policy), 0);
    production_enqueue(&b, true, &w, room_for_days(&b), &q);
    assert_int_equal(q.lane, 1);
    assert_int_equal(production_bank_next_due(&b, &policy), NOW + 1000);
    w = world_at(NOW + 999);
    production_bank_due(&b, &w, due);
    assert_false(due[0].yes || due[1].yes);
    w = world_at(NOW + 1000);
    production_bank_due(&b, &w, due);
    assert_true(due[1].yes && due[1].from == 1 && due[1].to == 1 && !due[0].yes);
    production_bank_due(&b, &w, due);
    assert_false(due[0].yes || due[1].yes);
}

static void dates_are_promised_by_daily_capacity_on_working_days(void **state)
{
    (void)state;
    /* 2026-04-02 is a Thursday; 4 to 6 April is a holiday. Capacity 2 a day, lead 1 day. */
    cf_ms thursday = cf_ms_of_day(cf_day_of_date(2026, 4, 2)) + 36000000;
    static const int want[] = {3, 3, 7, 7, 8};
    struct production_bank b = {0};
    struct production_world w = world_at(thursday);
    for (int i = 0; i < 5; i++) {
        struct production_queued q;
        production_enqueue(&b, i % 2 == 0, &w, room_for_days(&b), &q);
        char text[11];
        if (q.promised_on != cf_day_of_date(2026, 4, want[i]))
            fail_msg("card %d: %s", i, cf_day_text(q.promised_on, text));
    }
    /* After a quiet time it begins with the first day again. */
    struct production_queued q;
    w = world_at(thursday + 30 * (cf_ms)CF_MS_PER_DAY);
    production_enqueue(&b, false, &w, room_for_days(&b), &q);
    assert_int_equal(q.promised_on, cf_add_workdays(&calendar, cf_day_of_ms(w.now), 1));
}

static void lines_that_left_are_remembered_until_their_batch_closes(void **state)
{
    (void)state;
    struct production_bank b = {0};
    char room[4][64];
    production_bank_leave(&b, 0, 7, room[0]);
    production_bank_leave(&b, 1, 7, room[1]);
    production_bank_leave(&b, 0, 300, room[2]);
    assert_true(production_bank_left(&b, 0, 7) && production_bank_left(&b, 1, 7) &&
                production_bank_left(&b, 0, 300));
    assert_false(production_bank_left(&b, 1, 300));
    production_bank_forget(&b, 0, 200, room[3]);
    assert_false(production_bank_left(&b, 0, 7));
    assert_true(production_bank_left(&b, 1, 7) && production_bank_left(&b, 0, 300));
}

/* ---- timers and packed form ---------------------------------------------------------------- */

static void timers_are_moved_only_when_it_matters(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        cf_ms next, armed;
        bool fired, patient;
        enum production_timer want;
    } cases[] = {
        {"nothing to do",                    0,                         0,                        false, false, PRODUCTION_TIMER_KEEP},
        {"the first obligation",             10,                        0,                        false, false, PRODUCTION_TIMER_PUT },
        {"an earlier one",                   10,                        20,                       false, false, PRODUCTION_TIMER_PUT },
        {"the same one",                     20,                        20,                       false, false, PRODUCTION_TIMER_KEEP},
        {"a later one, the timer is soon",   40,                        20,                       false, false, PRODUCTION_TIMER_PUT },
        {"none any more, the timer is soon", 0,                         20,                       false, false, PRODUCTION_TIMER_DROP},
        {"a later one, a bank is patient",   40,                        20,                       false, true,  PRODUCTION_TIMER_KEEP},
        {"a later one, the timer is far",    40 * (cf_ms)CF_MS_PER_DAY, 5 * (cf_ms)CF_MS_PER_DAY,
         false,                                                                                          false, PRODUCTION_TIMER_KEEP},
        {"none any more, the timer is far",  0,                         5 * (cf_ms)CF_MS_PER_DAY, false, false,
         PRODUCTION_TIMER_KEEP                                                                                                       },
        {"it fired and more is to do",       40,                        20,                       true,  true,  PRODUCTION_TIMER_PUT },
        {"it fired and nothing is left",     0,                         20,                       true,  false, PRODUCTION_TIMER_DROP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (production_timer_arm(cases[i].next, cases[i].armed, cases[i].fired, cases[i].patient,
                                 5) != cases[i].want)
            fail_msg("%s", cases[i].why);
}

static void a_holder_survives_packing(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(1 << 20);
    struct production_holder h = {0}, back = {0};
    h.died = true;
    h.ended[0][3] = 9;
    h.permanent.app = (struct production_app){.outlet = CF_STR("B01001"),
                                              .due_on = -5,
                                              .has_photo = true,
                                              .queued = true,
                                              .photo_ref = {1},
                                              .batch_id = {2},
                                              .line_no = 199,
                                              .remakes = 2,
                                              .until = 1774922400000,
                                              .leaving = PRODUCTION_LEAVES_DIED,
                                              .leave_ids = {{3}, {4}},
                                              .leave_channel = CF_CHANNEL_UNIT,
                                              .superseded = "B00000019"};
    h.permanent.made = card_in(CF_CARD_RESERVED);
    h.permanent.card = card_in(CF_CARD_TEMPORARY_LOSS);
    h.permanent.card.loss_until = 77;
    h.permanent.card.password[1] = PRODUCTION_PW_LOCKED;
    h.permanent.card.add_ons = CF_STR("marks");
    h.permanent.card.handed_in = true;
    h.temporary.app = (struct production_app){
        .id = {5}, .kind = CF_KIND_TEMPORARY, .state = CF_APP_ACCEPTED, .bank = CF_STR("B02")};
    h.temporary.card = card_in(CF_CARD_NORMAL);
    /* What stands in columns comes back from the columns. */
    back.permanent.made.state = CF_CARD_RESERVED;
    memcpy(back.permanent.made.no, h.permanent.made.no, 10);
    back.permanent.card.state = CF_CARD_TEMPORARY_LOSS;
    memcpy(back.permanent.card.no, h.permanent.card.no, 10);
    struct cf_str permanent = production_pack_permanent(a, &h);
    struct cf_str temporary = production_pack_temporary(a, &h);
    assert_true(production_unpack_permanent(permanent, &back));
    assert_true(production_unpack_temporary(temporary, &back));
    struct cf_str again = production_pack_permanent(a, &back);
    assert_true(cf_str_eq(again, permanent));
    assert_true(cf_str_eq(production_pack_temporary(a, &back), temporary));
    assert_int_equal(back.permanent.app.due_on, -5);
    assert_int_equal(back.permanent.app.leave_channel, CF_CHANNEL_UNIT);
    assert_true(back.died && back.permanent.card.handed_in);
    assert_string_equal(back.temporary.card.no, "B00000019");
    /* Cut off anywhere, it is refused and nothing is read beyond its end. */
    for (size_t n = 0; n < permanent.len; n++) {
        struct production_holder cut = {0};
        struct cf_str part = {cf_arena_dup(a, permanent.ptr, n), n};
        if (production_unpack_permanent(part, &cut)) fail_msg("%zu bytes were taken", n);
    }
    cf_arena_free(a);
}

/* The bytes of a birthday, so many from the end, are not there in version 4. */
static void cut_birthday(char *bytes, size_t *n, size_t from_end)
{
    char *at = bytes + *n - from_end;
    memmove(at, at + 4, from_end - 4);
    *n -= 4;
}

static void a_childs_birthday_survives_packing_and_is_bounded_before(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(1 << 20);
    struct production_holder h = {0}, back = {0}, old = {0};
    enum { ENDS = 5, CARD = 30, APP = 45 }; /* bytes with a birthday at the end */
    cf_day birthday = cf_day_of_date(2026, 5, 9);
    h.permanent.app.accepted_on = cf_day_of_date(2026, 1, 2);
    h.permanent.made = card_in(CF_CARD_RESERVED);
    h.permanent.made.issued_on = 0;
    h.permanent.card = card_in(CF_CARD_NORMAL);
    h.permanent.app.sixteen_on = h.permanent.made.sixteen_on = h.permanent.card.sixteen_on =
        birthday;
    struct cf_str packed = production_pack_permanent(a, &h);
    assert_int_equal(packed.len, APP + 2 * CARD + ENDS);
    assert_true(production_unpack_permanent(packed, &back));
    assert_int_equal(back.permanent.app.sixteen_on, birthday);
    assert_int_equal(back.permanent.made.sixteen_on, birthday);
    assert_int_equal(back.permanent.card.sixteen_on, birthday);
    /* Written before: a child then, and so no longer than for 16 years. */
    char *bytes = cf_arena_dup(a, packed.ptr, packed.len);
    size_t n = packed.len;
    bytes[0] = 4;
    cut_birthday(bytes, &n, ENDS + 4);
    cut_birthday(bytes, &n, ENDS + CARD);
    cut_birthday(bytes, &n, ENDS + 2 * (CARD - 4) + 4);
    assert_true(production_unpack_permanent((struct cf_str){bytes, n}, &old));
    cf_day accepted = cf_day_of_date(2042, 1, 2);
    assert_int_equal(old.permanent.app.sixteen_on, accepted);
    assert_int_equal(old.permanent.made.sixteen_on, accepted);
    assert_int_equal(old.permanent.card.sixteen_on, cf_birthday(h.permanent.card.issued_on, 16));
    assert_int_equal(old.permanent.card.valid_until, h.permanent.card.valid_until);
    cf_arena_free(a);
}

static void an_empty_temporary_slot_takes_no_bytes(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(1 << 20);
    struct production_holder h = {0};
    assert_null(production_pack_temporary(a, &h).ptr);
    cf_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_application_state_and_event_has_its_verdict),
        cmocka_unit_test(moves_are_those_of_the_domain_and_each_of_them_exists),
        cmocka_unit_test(a_temporary_card_has_a_machine_of_its_own),
        cmocka_unit_test(a_bank_step_ahead_waits_and_one_behind_is_already_done),
        cmocka_unit_test(every_pair_of_card_state_and_event_has_its_verdict),
        cmocka_unit_test(cards_go_only_where_the_domain_lets_them),
        cmocka_unit_test(operations_do_what_the_table_says),
        cmocka_unit_test(an_operation_without_number_says_that_the_card_is_cancelled),
        cmocka_unit_test(a_guardian_acts_for_a_child),
        cmocka_unit_test(activating_cancels_the_temporary_card_and_the_replaced_one),
        cmocka_unit_test(a_temporary_loss_releases_itself_after_seven_days),
        cmocka_unit_test(a_loss_that_became_formal_releases_to_the_state_before_the_first),
        cmocka_unit_test(a_temporary_card_is_extended_to_six_months_and_no_further),
        cmocka_unit_test(release_withdraws_a_replacement_that_is_not_queued_and_no_other),
        cmocka_unit_test(acceptance_is_checked_against_the_cards_again),
        cmocka_unit_test(death_closes_the_application_and_cancels_the_cards),
        cmocka_unit_test(a_lane_closes_when_full_or_when_its_oldest_line_has_waited),
        cmocka_unit_test(dates_are_promised_by_daily_capacity_on_working_days),
        cmocka_unit_test(lines_that_left_are_remembered_until_their_batch_closes),
        cmocka_unit_test(timers_are_moved_only_when_it_matters),
        cmocka_unit_test(a_holder_survives_packing),
        cmocka_unit_test(a_childs_birthday_survives_packing_and_is_bounded_before),
        cmocka_unit_test(an_empty_temporary_slot_takes_no_bytes),
    };
    return cmocka_run_group_tests(tests, load_calendar, drop_calendar);
}
