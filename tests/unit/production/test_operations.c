/* Operations on cards: who may ask for what, which card is meant, and what becomes of it. */
#include "data.h"

#include "services/production/rules_password.h"

static struct production_effects fx;

static const struct production_effect *operate(struct production_holder *h,
                                               const struct production_op *op)
{
    struct production_world w = world_at(NOW);
    fx.n = 0;
    assert_int_equal(production_operate(h, op, &w, &fx), PRODUCTION_MOVE);
    return must_find(&fx, PRODUCTION_FX_ANSWERED);
}

static struct production_slot *slot_in(struct production_holder *h, bool temporary)
{
    return temporary ? &h->temporary : &h->permanent;
}

/* Its reasons, in their order. */
static const char *reasons_of(const struct production_effect *e)
{
    static char text[200];
    text[0] = '\0';
    for (size_t i = 0; i < e->n_reasons; i++) {
        if (i) strcat(text, "|");
        strcat(text, e->reasons[i]);
    }
    return text;
}

static struct production_holder holder_with(enum cf_card_state state)
{
    struct production_holder h = {0};
    h.permanent.card = card_in(state);
    return h;
}

static void names_are_read_as_they_are_written(void **state)
{
    (void)state;
    for (int op = PRODUCTION_OP_NONE + 1; op < PRODUCTION_OP_COUNT; op++) {
        const char *name = production_operation_name((enum production_operation)op);
        assert_int_equal(production_operation_parse(cf_str_of(name)), op);
    }
    assert_int_equal(production_operation_parse(CF_STR("polish")), PRODUCTION_OP_NONE);
    for (int on = PRODUCTION_ON_ACCOUNT_OPENED; on <= PRODUCTION_ON_COLLECTED; on++) {
        const char *name = production_app_event_name((enum production_app_event)on);
        assert_int_equal(production_step_parse(cf_str_of(name)), on);
    }
    /* What the bank may not say. */
    assert_int_equal(production_step_parse(CF_STR("batched")), PRODUCTION_ON_NONE);
    assert_int_equal(production_step_parse(CF_STR("withdraw")), PRODUCTION_ON_NONE);
    assert_int_equal(production_step_parse(CF_STR("")), PRODUCTION_ON_NONE);
}

/* One column a channel: outlet, phone of the bank, unit, school, online, terminal, hotline,
 * upstream. */
static void the_matrix_of_channels_is_as_published(void **state)
{
    (void)state;
    static const char *const want[PRODUCTION_OP_COUNT] = {
        [PRODUCTION_OP_ACTIVATE] = "+----+--",
        [PRODUCTION_OP_REPORT_TEMPORARY_LOSS] = "++--+++-",
        [PRODUCTION_OP_REPORT_FORMAL_LOSS] = "+-------",
        [PRODUCTION_OP_RELEASE] = "+-------",
        [PRODUCTION_OP_LOCK] = "+------+",
        [PRODUCTION_OP_UNLOCK] = "+------+",
        [PRODUCTION_OP_CANCEL] = "+------+",
        [PRODUCTION_OP_SET_PASSWORD] = "+----+--",
        [PRODUCTION_OP_RESET_PASSWORD] = "+-------",
        [PRODUCTION_OP_DISABLE_PASSWORD] = "+-------",
        [PRODUCTION_OP_EXTEND_TEMPORARY] = "+-------",
        [PRODUCTION_OP_OPEN_ADD_ON] = "+-------",
        [PRODUCTION_OP_IMPORT_CARD] = "++++++++",
    };
    for (int op = PRODUCTION_OP_NONE; op < PRODUCTION_OP_COUNT; op++)
        for (int channel = CF_CHANNEL_NONE + 1; channel < CF_CHANNEL_COUNT; channel++) {
            bool may = want[op] && want[op][channel - 1] == '+';
            if (production_channel_may((enum production_operation)op, (enum cf_channel)channel) !=
                may)
                fail_msg("%s by %s", production_operation_name((enum production_operation)op),
                         cf_channel_name((enum cf_channel)channel));
        }
}

/* ---- who may ask --------------------------------------------------------------------------- */

static void all_that_speaks_against_it_is_told_together(void **state)
{
    (void)state;
    struct production_holder h = holder_with(CF_CARD_SEALED);
    struct production_op op = asked(PRODUCTION_OP_ACTIVATE);
    op.late = op.too_many = op.fees = true;
    op.operator_bank = CF_STR("B02");
    op.role = CF_STR("agent");
    const struct production_effect *a = operate(&h, &op);
    assert_string_equal(a->word, "refused");
    assert_string_equal(reasons_of(a), "command_expired|too_many_operations|fee_not_allowed|"
                                       "not_issuing_bank|holder_only");
    assert_true(a->notice);
    op.what = PRODUCTION_OP_NONE;
    assert_string_equal(reasons_of(operate(&h, &op)),
                        "command_expired|too_many_operations|unknown_operation");
}

/* By a guardian only below 16; by everybody what is not the holder's own. */
static void some_operations_are_the_holders_own(void **state)
{
    (void)state;
    static const struct {
        enum production_operation what;
        bool own;
    } rows[] = {
        {PRODUCTION_OP_ACTIVATE,              true },
        {PRODUCTION_OP_SET_PASSWORD,          true },
        {PRODUCTION_OP_RESET_PASSWORD,        true },
        {PRODUCTION_OP_OPEN_ADD_ON,           true },
        {PRODUCTION_OP_DISABLE_PASSWORD,      false},
        {PRODUCTION_OP_REPORT_TEMPORARY_LOSS, false},
        {PRODUCTION_OP_REPORT_FORMAL_LOSS,    false},
        {PRODUCTION_OP_CANCEL,                false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static const char *const roles[] = {"holder", "guardian", "agent"};
        for (int role = 0; role < 3; role++)
            for (int child = 0; child <= 1; child++) {
                struct production_holder h = holder_with(CF_CARD_NORMAL);
                struct production_op op = asked(rows[i].what);
                op.role = cf_str_of(roles[role]);
                consent(&op, role == 1 && child ? "guardian" : "holder");
                h.permanent.card.sixteen_on = cf_day_of_ms(NOW) + child; /* today: 16 */
                bool refused = strcmp(reasons_of(operate(&h, &op)), "holder_only") == 0;
                bool may = role == 0 || (role == 1 && child) || !rows[i].own;
                if (refused == may)
                    fail_msg("%s by %s", production_operation_name(rows[i].what), roles[role]);
            }
    }
}

/* Every operation but an import says who asks and who serves; a guardian and an agent by name. */
static void who_asks_and_who_serves_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *role, *staff, *outlet;
        bool named;
        const char *reasons;
    } rows[] = {
        {"holder",    "s1", "",       false, ""                              },
        {"holder",    "",   "B01001", false, ""                              },
        {"agent",     "s1", "",       true,  ""                              },
        {"guardian",  "s1", "",       true,  ""                              },
        {"authority", "s1", "",       false, ""                              },
        {"bank",      "s1", "",       false, ""                              },
        {"agent",     "s1", "",       false, "missing_actor"                 },
        {"guardian",  "s1", "",       false, "missing_actor"                 },
        {"",          "s1", "",       true,  "missing_actor"                 },
        {"neighbour", "s1", "",       true,  "missing_actor"                 },
        {"holder",    "",   "",       true,  "missing_operator"              },
        {"",          "",   "",       false, "missing_actor|missing_operator"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = holder_with(CF_CARD_NORMAL);
        struct production_op op = asked(PRODUCTION_OP_CANCEL);
        op.role = cf_str_of(rows[i].role);
        op.staff_id = cf_str_of(rows[i].staff);
        op.operator_outlet = cf_str_of(rows[i].outlet);
        op.named = rows[i].named;
        if (!cf_str_is(op.role, "holder")) op.document = PRODUCTION_DOCUMENT_ANOTHERS;
        assert_string_equal(reasons_of(operate(&h, &op)), rows[i].reasons);
        assert_int_equal(h.permanent.card.state,
                         *rows[i].reasons ? CF_CARD_NORMAL : CF_CARD_CANCELLED);
    }
    /* Who it is that may not, is not asked before it is known who it is. */
    struct production_holder h = holder_with(CF_CARD_SEALED);
    struct production_op op = asked(PRODUCTION_OP_ACTIVATE);
    op.role.len = op.staff_id.len = op.operator_bank.len = 0;
    assert_string_equal(reasons_of(operate(&h, &op)), "missing_actor|missing_operator");
}

/* By the holder's own document, or by that of who comes for the holder; a card is cancelled by that
 * of who comes for the holder. */
static void a_card_is_formally_lost_and_found_by_a_document(void **state)
{
    (void)state;
    static const struct {
        enum production_operation what;
        enum cf_card_state card;
        const char *needed; /* one letter a role, in their order */
    } rows[] = {
        {PRODUCTION_OP_REPORT_FORMAL_LOSS,    CF_CARD_NORMAL,         "yyyyy"},
        {PRODUCTION_OP_REPORT_FORMAL_LOSS,    CF_CARD_TEMPORARY_LOSS, "yyyyy"},
        {PRODUCTION_OP_RELEASE,               CF_CARD_FORMAL_LOSS,    "yyyyy"},
        {PRODUCTION_OP_RELEASE,               CF_CARD_TEMPORARY_LOSS, "nnnnn"},
        {PRODUCTION_OP_REPORT_TEMPORARY_LOSS, CF_CARD_NORMAL,         "nnnnn"},
        {PRODUCTION_OP_CANCEL,                CF_CARD_NORMAL,         "nyynn"},
    };
    static const char *const roles[] = {"holder", "guardian", "agent", "authority", "bank"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int role = 0; role < 5; role++)
            for (int shown = PRODUCTION_DOCUMENT_NONE; shown <= PRODUCTION_DOCUMENT_ANOTHERS;
                 shown++) {
                struct production_holder h = holder_with(rows[i].card);
                struct production_op op = asked(rows[i].what);
                op.role = cf_str_of(roles[role]);
                op.document = (enum production_document)shown;
                bool good = shown == (role == 0 ? PRODUCTION_DOCUMENT_HOLDERS
                                                : PRODUCTION_DOCUMENT_ANOTHERS);
                const char *want = rows[i].needed[role] == 'y' && !good ? "document_required" : "";
                if (strcmp(reasons_of(operate(&h, &op)), want) != 0)
                    fail_msg("%s by %s showing %d", production_operation_name(rows[i].what),
                             roles[role], shown);
            }
    /* What was kept has shown its document before. */
    struct production_holder h = holder_with(CF_CARD_FORMAL_LOSS);
    struct production_op op = asked(PRODUCTION_OP_RELEASE);
    op.document = PRODUCTION_DOCUMENT_NONE;
    op.kept = true;
    assert_string_equal(operate(&h, &op)->word, "done");
}

static void authority_and_bank_lock_and_unlock(void **state)
{
    (void)state;
    static const struct {
        const char *role;
        enum cf_channel channel;
        const char *reasons;
    } rows[] = {
        {"authority", CF_CHANNEL_UPSTREAM,    ""                      },
        {"bank",      CF_CHANNEL_BANK_OUTLET, ""                      },
        {"holder",    CF_CHANNEL_BANK_OUTLET, "authority_or_bank_only"},
        {"guardian",  CF_CHANNEL_UPSTREAM,    "authority_or_bank_only"},
        {"agent",     CF_CHANNEL_BANK_OUTLET, "authority_or_bank_only"},
        {"bank",      CF_CHANNEL_TERMINAL,    "channel_not_allowed"   },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int lock = 0; lock <= 1; lock++) {
            struct production_holder h = holder_with(lock ? CF_CARD_NORMAL : CF_CARD_APP_LOCKED);
            struct production_op op = asked(lock ? PRODUCTION_OP_LOCK : PRODUCTION_OP_UNLOCK);
            op.role = cf_str_of(rows[i].role);
            op.channel = rows[i].channel;
            assert_string_equal(reasons_of(operate(&h, &op)), rows[i].reasons);
            bool moved = !*rows[i].reasons;
            assert_int_equal(h.permanent.card.state,
                             (lock != 0) == moved ? CF_CARD_APP_LOCKED : CF_CARD_NORMAL);
        }
}

static void locking_and_unlocking_need_a_reason(void **state)
{
    (void)state;
    for (int lock = 0; lock <= 1; lock++) {
        enum cf_card_state before = lock ? CF_CARD_NORMAL : CF_CARD_APP_LOCKED;
        struct production_holder h = holder_with(before);
        struct production_op op = asked(lock ? PRODUCTION_OP_LOCK : PRODUCTION_OP_UNLOCK);
        op.role = CF_STR("bank");
        op.reason.len = 0;
        assert_string_equal(reasons_of(operate(&h, &op)), "missing_reason");
        assert_int_equal(h.permanent.card.state, before);
        op.role = CF_STR("holder");
        assert_string_equal(reasons_of(operate(&h, &op)), "authority_or_bank_only|missing_reason");
    }
    struct production_holder h = holder_with(CF_CARD_NORMAL);
    struct production_op op = asked(PRODUCTION_OP_CANCEL);
    op.reason.len = 0;
    assert_string_equal(operate(&h, &op)->word, "done");
}

/* Another bank's counter or phone is refused, and a counter that does not say whose it is; elsewhere
 * the operator's bank has no say. */
static void a_bank_serves_its_own_cards(void **state)
{
    (void)state;
    static const struct {
        enum cf_channel channel;
        const char *bank, *reasons;
        bool told;
    } rows[] = {
        {CF_CHANNEL_BANK_OUTLET, "B01", "",                 false},
        {CF_CHANNEL_BANK_OUTLET, "",    "not_issuing_bank", false},
        {CF_CHANNEL_BANK_OUTLET, "B02", "not_issuing_bank", false},
        {CF_CHANNEL_BANK_PHONE,  "B01", "",                 true },
        {CF_CHANNEL_BANK_PHONE,  "",    "",                 true },
        {CF_CHANNEL_BANK_PHONE,  "B02", "not_issuing_bank", false},
        {CF_CHANNEL_TERMINAL,    "B02", "",                 true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = holder_with(CF_CARD_NORMAL);
        struct production_op op = asked(PRODUCTION_OP_REPORT_TEMPORARY_LOSS);
        op.channel = rows[i].channel;
        op.operator_bank = cf_str_of(rows[i].bank);
        assert_string_equal(reasons_of(operate(&h, &op)), rows[i].reasons);
        /* What the bank did not report itself it is told. */
        const struct production_effect *tell = find(&fx, PRODUCTION_FX_TELL_BANK);
        assert_int_equal(tell != NULL, rows[i].told);
        if (tell) assert_string_equal(tell->word, "loss");
    }
}

/* ---- which card ---------------------------------------------------------------------------- */

/* Of all four places, or by its number; without one, the one in hand, to activate the newest. A
 * kind that is said is that of the card, whatever its number. */
static void the_card_that_is_meant_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *no;
        enum production_operation what;
        enum cf_card_kind kind;
        const char *want; /* NULL: unknown_card */
    } rows[] = {
        {"B00000019", PRODUCTION_OP_CANCEL,           CF_CARD_KIND_NONE,      "B00000019"},
        {"B00000027", PRODUCTION_OP_CANCEL,           CF_CARD_KIND_NONE,      "B00000027"},
        {"B00000035", PRODUCTION_OP_CANCEL,           CF_CARD_KIND_NONE,      "B00000035"},
        {"B00000043", PRODUCTION_OP_CANCEL,           CF_CARD_KIND_NONE,      "B00000043"},
        {"B00000051", PRODUCTION_OP_CANCEL,           CF_CARD_KIND_NONE,      NULL       },
        {"",          PRODUCTION_OP_CANCEL,           CF_CARD_KIND_NONE,      "B00000019"},
        {"",          PRODUCTION_OP_ACTIVATE,         CF_CARD_KIND_NONE,      "B00000027"},
        {"",          PRODUCTION_OP_EXTEND_TEMPORARY, CF_CARD_KIND_NONE,      "B00000035"},
        {"B00000019", PRODUCTION_OP_CANCEL,           CF_CARD_KIND_PERMANENT, "B00000019"},
        {"B00000019", PRODUCTION_OP_CANCEL,           CF_CARD_KIND_TEMPORARY, NULL       },
        {"B00000043", PRODUCTION_OP_CANCEL,           CF_CARD_KIND_TEMPORARY, "B00000043"},
        {"B00000043", PRODUCTION_OP_CANCEL,           CF_CARD_KIND_PERMANENT, NULL       },
        {"B00000035", PRODUCTION_OP_EXTEND_TEMPORARY, CF_CARD_KIND_PERMANENT, NULL       },
        {"",          PRODUCTION_OP_CANCEL,           CF_CARD_KIND_PERMANENT, "B00000019"},
        {"",          PRODUCTION_OP_CANCEL,           CF_CARD_KIND_TEMPORARY, "B00000035"},
        {"",          PRODUCTION_OP_ACTIVATE,         CF_CARD_KIND_TEMPORARY, "B00000043"},
        {"",          PRODUCTION_OP_EXTEND_TEMPORARY, CF_CARD_KIND_TEMPORARY, "B00000035"},
        {"",          PRODUCTION_OP_EXTEND_TEMPORARY, CF_CARD_KIND_PERMANENT, "B00000019"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = {0};
        struct production_card *all[] = {&h.permanent.card, &h.permanent.made, &h.temporary.card,
                                         &h.temporary.made};
        static const char *const numbers[] = {"B00000019", "B00000027", "B00000035", "B00000043"};
        for (int k = 0; k < 4; k++) {
            *all[k] = card_in(k % 2 ? CF_CARD_SEALED : CF_CARD_NORMAL);
            memcpy(all[k]->no, numbers[k], 10);
        }
        struct production_op op = asked(rows[i].what);
        op.card_no = cf_str_of(rows[i].no);
        op.card_kind = rows[i].kind;
        op.issued = rows[i].kind != CF_CARD_KIND_NONE; /* it is one of the holder's in any case */
        const struct production_effect *a = operate(&h, &op);
        if (!rows[i].want) {
            assert_string_equal(reasons_of(a), "unknown_card");
            assert_string_equal(a->card.no, "");
        } else {
            assert_string_equal(a->card.no, rows[i].want);
        }
    }
}

static void a_kind_that_no_card_has_is_refused(void **state)
{
    (void)state;
    struct production_holder h = holder_with(CF_CARD_NORMAL);
    struct production_op op = asked(PRODUCTION_OP_CANCEL);
    op.odd_kind = true;
    assert_string_equal(reasons_of(operate(&h, &op)), "unknown_card_kind");
    assert_int_equal(h.permanent.card.state, CF_CARD_NORMAL);
}

/* Nothing about it is told, whoever knows its number; the card in hand is found beside it. */
static void a_reserved_card_is_hidden(void **state)
{
    (void)state;
    static const char *const numbers[] = {"", "B00000027"};
    for (int what = PRODUCTION_OP_NONE + 1; what < PRODUCTION_OP_IMPORT_CARD; what++)
        for (int named = 0; named <= 1; named++)
            for (int beside = 0; beside <= 1; beside++) {
                struct production_holder h = {0};
                if (beside) h.permanent.card = card_in(CF_CARD_CANCELLED);
                h.permanent.app.state = CF_APP_BATCHED;
                h.permanent.made = card_in(CF_CARD_RESERVED);
                memcpy(h.permanent.made.no, "B00000027", 10);
                struct production_op op = asked((enum production_operation)what);
                op.card_no = cf_str_of(numbers[named]);
                op.role = cf_str_of(what == PRODUCTION_OP_LOCK || what == PRODUCTION_OP_UNLOCK ? "bank"
                                                                                  : "holder");
                op.waited = true;
                const struct production_effect *a = operate(&h, &op);
                const char *said = reasons_of(a);
                assert_string_not_equal(a->card.no, "B00000027");
                assert_int_equal(h.permanent.made.state, CF_CARD_RESERVED);
                bool old = beside && !named && what != PRODUCTION_OP_EXTEND_TEMPORARY;
                if (what == PRODUCTION_OP_ACTIVATE)
                    assert_string_equal(said, "not_collected");
                else if (what == PRODUCTION_OP_CANCEL)
                    assert_string_equal(said, "in_production");
                else if (old)
                    assert_string_equal(a->card.no, "B00000019");
                else
                    assert_string_equal(said, "unknown_card");
            }
}

/* ---- moves --------------------------------------------------------------------------------- */

/* Collected first: a card still on its way waits for the bank's word, and not for ever. */
static void activation_waits_for_the_collection(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    for (int s = CF_APP_ACCEPTED; s < CF_APP_COUNT; s++) {
        enum cf_app_state at = (enum cf_app_state)s;
        bool coming = at == CF_APP_PHOTO_READY || at == CF_APP_BATCHED ||
                      at == CF_APP_ACCOUNT_OPENED || at == CF_APP_PRODUCED ||
                      at == CF_APP_SHIPPED || at == CF_APP_READY_FOR_PICKUP;
        struct production_holder h = {0};
        struct production_op op = asked(PRODUCTION_OP_ACTIVATE);
        h.permanent.app.state = at;
        h.permanent.made = card_in(CF_CARD_SEALED);
        fx.n = 0;
        assert_int_equal(production_operate(&h, &op, &w, &fx),
                         coming ? PRODUCTION_AHEAD : PRODUCTION_MOVE);
        if (!coming) continue;
        assert_int_equal(fx.n, 0);
        op.waited = true;
        assert_string_equal(reasons_of(operate(&h, &op)), "not_collected");
        assert_int_equal(h.permanent.made.state, CF_CARD_SEALED);
    }
}

/* As a withdrawal: at its outlet the application ends with the card, before that it is refused. */
static void a_card_under_way_is_cancelled_with_its_application(void **state)
{
    (void)state;
    static const struct {
        enum cf_app_state app;
        enum cf_card_state made;
        const char *reasons;
        enum cf_app_state then;
    } rows[] = {
        {CF_APP_BATCHED,          CF_CARD_RESERVED, "in_production", CF_APP_BATCHED       },
        {CF_APP_ACCOUNT_OPENED,   CF_CARD_RESERVED, "in_production", CF_APP_ACCOUNT_OPENED},
        {CF_APP_PRODUCED,         CF_CARD_SEALED,   "in_production", CF_APP_PRODUCED      },
        {CF_APP_SHIPPED,          CF_CARD_SEALED,   "in_production", CF_APP_SHIPPED       },
        {CF_APP_READY_FOR_PICKUP, CF_CARD_SEALED,   "",              CF_APP_WITHDRAWN     },
        {CF_APP_COLLECTED,        CF_CARD_SEALED,   "",              CF_APP_COLLECTED     },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = holder_with(CF_CARD_NORMAL);
        struct production_slot *slot = &h.permanent;
        bool under_way = !cf_app_state_is_end(rows[i].app), done = !*rows[i].reasons;
        slot->card.handed_in = true;
        slot->app.kind = CF_KIND_DAMAGE_REPLACEMENT;
        slot->app.state = rows[i].app;
        slot->app.until = NOW + 1;
        slot->made = card_in(rows[i].made);
        memcpy(slot->made.no, "B00000027", 10);
        struct production_op op = asked(PRODUCTION_OP_CANCEL);
        op.card_no = CF_STR("B00000027");
        const struct production_effect *a = operate(&h, &op);
        assert_string_equal(a->word, done ? "done" : "refused");
        assert_string_equal(reasons_of(a), rows[i].reasons);
        assert_int_equal(slot->app.state, rows[i].then);
        assert_int_equal(slot->card.handed_in, !done);
        if (!done) {
            assert_int_equal(slot->made.state, rows[i].made);
            assert_int_equal(fx.n, 1);
            continue;
        }
        assert_int_equal(must_find(&fx, PRODUCTION_FX_CHANGED)->card.state, CF_CARD_CANCELLED);
        assert_ptr_equal(must_find(&fx, PRODUCTION_FX_CHANGED)->op, &op);
        assert_int_equal(find(&fx, PRODUCTION_FX_STEP) != NULL, under_way);
        if (!under_way) continue;
        assert_int_equal(must_find(&fx, PRODUCTION_FX_STEP)->state, CF_APP_WITHDRAWN);
        assert_int_equal(slot->app.until, 0);
        assert_string_equal(slot->app.superseded, "B00000027");
    }
}

static void a_number_of_before_is_a_cancelled_card(void **state)
{
    (void)state;
    for (int issued = 0; issued <= 1; issued++) {
        struct production_holder h = holder_with(CF_CARD_NORMAL);
        struct production_op op = asked(PRODUCTION_OP_RELEASE);
        op.card_no = CF_STR("B00000035");
        op.issued = issued;
        assert_string_equal(reasons_of(operate(&h, &op)),
                            issued ? "card_cancelled" : "unknown_card");
    }
}

static void a_refused_extension_names_its_reason_once(void **state)
{
    (void)state;
    struct production_holder h = holder_with(CF_CARD_CANCELLED);
    struct production_op op = asked(PRODUCTION_OP_EXTEND_TEMPORARY);
    op.card_no = cf_str_of(h.permanent.card.no);
    assert_string_equal(reasons_of(operate(&h, &op)), "illegal_in_state");
}

/* Alone, without an old card or a temporary one; and for a temporary card nothing else changes. */
static void activating_changes_only_what_it_takes_over(void **state)
{
    (void)state;
    struct production_holder h = {0};
    struct production_op op = asked(PRODUCTION_OP_ACTIVATE);
    h.permanent.app.state = CF_APP_COLLECTED;
    h.permanent.made = card_in(CF_CARD_SEALED);
    assert_string_equal(operate(&h, &op)->word, "done");
    assert_int_equal(h.permanent.card.state, CF_CARD_NORMAL);
    assert_int_equal(h.permanent.card.financial, PRODUCTION_FIN_ACTIVE);
    assert_null(find(&fx, PRODUCTION_FX_TELL_BANK));
    h.temporary.made = card_in(CF_CARD_SEALED);
    memcpy(h.temporary.made.no, "B00000035", 10);
    op.card_no = CF_STR("B00000035");
    assert_string_equal(operate(&h, &op)->word, "done");
    assert_int_equal(h.temporary.card.state, CF_CARD_NORMAL);
    assert_int_equal(h.permanent.card.state, CF_CARD_NORMAL);
}

/* Its own bank cancels a card for the next one; another bank's card takes its place. */
static void the_bank_of_the_old_card_hears_what_became_of_it(void **state)
{
    (void)state;
    static const struct {
        const char *bank, *word;
    } rows[] = {{"B01", "cancelled"}, {"B02", "bank_change"}};
    for (size_t i = 0; i < 2; i++) {
        struct production_holder h = holder_with(CF_CARD_NORMAL);
        struct production_op op = asked(PRODUCTION_OP_ACTIVATE);
        h.permanent.app.state = CF_APP_COLLECTED;
        h.permanent.made = card_in(CF_CARD_SEALED);
        h.permanent.made.bank = cf_str_of(rows[i].bank);
        op.operator_bank = h.permanent.made.bank;
        assert_string_equal(operate(&h, &op)->word, "done");
        const struct production_effect *tell = must_find(&fx, PRODUCTION_FX_TELL_BANK);
        assert_string_equal(tell->word, rows[i].word);
        assert_true(cf_str_is(tell->card.bank, "B01"));
    }
}

/* Whether the line of the replacement still waits, the bank's shard has to say. */
static void a_release_waits_for_the_queue(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    for (int out = 0; out <= 1; out++) {
        struct production_holder h = holder_with(CF_CARD_FORMAL_LOSS);
        struct production_op op = asked(PRODUCTION_OP_RELEASE);
        const struct production_dequeued d = {.app_id = {7}, .out = out};
        const struct production_batched b = {.app_id = {7}};
        h.permanent.app = (struct production_app){.id = {7}, .kind = CF_KIND_LOSS_REPLACEMENT,
                                                  .state = CF_APP_PHOTO_READY, .queued = true};
        fx.n = 0;
        assert_int_equal(production_operate(&h, &op, &w, &fx), PRODUCTION_AHEAD);
        assert_int_equal(fx.n, 1);
        assert_int_equal(fx.list[0].kind, PRODUCTION_FX_DEQUEUE);
        fx.n = 0;
        assert_int_equal(production_operate(&h, &op, &w, &fx), PRODUCTION_AHEAD);
        assert_int_equal(fx.n, 0); /* asked for once */
        if (out)
            assert_int_equal(production_on_dequeued(&h, &d, &fx), PRODUCTION_MOVE);
        else
            assert_int_equal(production_on_batched(&h, &b, &w, &fx), PRODUCTION_MOVE);
        assert_int_equal(h.permanent.app.state, out ? CF_APP_WITHDRAWN : CF_APP_BATCHED);
        assert_null(find(&fx, PRODUCTION_FX_ANSWERED));
        assert_string_equal(operate(&h, &op)->word, out ? "done" : "refused");
        assert_int_equal(h.permanent.card.state, out ? CF_CARD_NORMAL : CF_CARD_FORMAL_LOSS);
    }
}

/* "Release while a replacement is open is refused, unless it is not yet batched." What was handed in
 * is the holder's again with the release. */
static void release_beside(enum cf_app_kind kind, enum cf_card_state lost, enum cf_app_state at,
                           bool queued)
{
    bool early = at == CF_APP_ACCEPTED || at == CF_APP_PHOTO_MISSING || at == CF_APP_PHOTO_READY;
    bool open = !cf_app_state_is_end(at);
    bool damaged = open && kind == CF_KIND_DAMAGE_REPLACEMENT;
    struct production_holder h = holder_with(lost);
    struct production_op op = asked(PRODUCTION_OP_RELEASE);
    h.permanent.card.handed_in = damaged;
    h.permanent.app =
        (struct production_app){.id = {7}, .kind = kind, .state = at, .queued = queued};
    op.waited = queued; /* for the bank's shard, in vain */
    bool refused = open && (!early || queued);
    const struct production_effect *a = operate(&h, &op);
    if (strcmp(reasons_of(a), refused ? "replacement_open" : "") != 0)
        fail_msg("%s, %s: %s", cf_app_kind_name(kind), cf_app_state_name(at), reasons_of(a));
    assert_int_equal(h.permanent.app.state, open && !refused ? CF_APP_WITHDRAWN : at);
    assert_int_equal(h.permanent.card.state, refused ? lost : CF_CARD_NORMAL);
    assert_int_equal(h.permanent.card.handed_in, damaged && refused);
    assert_int_equal(find(&fx, PRODUCTION_FX_STEP) != NULL, open && !refused);
}

static void release_is_refused_from_the_batch_on(void **state)
{
    (void)state;
    for (int s = CF_APP_ACCEPTED; s < CF_APP_COUNT; s++)
        for (int queued = 0; queued <= (s == CF_APP_PHOTO_READY); queued++) {
            enum cf_app_state at = (enum cf_app_state)s;
            release_beside(CF_KIND_LOSS_REPLACEMENT, CF_CARD_FORMAL_LOSS, at, queued);
            /* Lost after it was handed in. */
            release_beside(CF_KIND_DAMAGE_REPLACEMENT, CF_CARD_FORMAL_LOSS, at, queued);
            release_beside(CF_KIND_DAMAGE_REPLACEMENT, CF_CARD_TEMPORARY_LOSS, at, queued);
        }
}

static void other_releases_have_nothing_to_do_with_a_replacement(void **state)
{
    (void)state;
    struct production_op op = asked(PRODUCTION_OP_RELEASE);
    /* Another kind of application. */
    struct production_holder h = holder_with(CF_CARD_FORMAL_LOSS);
    h.permanent.app = (struct production_app){.kind = CF_KIND_REISSUE, .state = CF_APP_BATCHED};
    assert_string_equal(operate(&h, &op)->word, "done");
    assert_int_equal(h.permanent.app.state, CF_APP_BATCHED);
    /* The new card itself, before it is collected. */
    h = holder_with(CF_CARD_NORMAL);
    h.permanent.app = (struct production_app){.kind = CF_KIND_DAMAGE_REPLACEMENT,
                                              .state = CF_APP_READY_FOR_PICKUP};
    h.permanent.card.handed_in = true;
    h.permanent.made = card_in(CF_CARD_TEMPORARY_LOSS);
    h.permanent.made.before_loss = CF_CARD_SEALED;
    memcpy(h.permanent.made.no, "B00000027", 10);
    op.card_no = cf_str_of(h.permanent.made.no);
    assert_string_equal(operate(&h, &op)->word, "done");
    assert_int_equal(h.permanent.made.state, CF_CARD_SEALED);
    assert_int_equal(h.permanent.app.state, CF_APP_READY_FOR_PICKUP);
    assert_true(h.permanent.card.handed_in);
    /* A temporary loss that is over by itself: nobody has asked for anything. */
    h = holder_with(CF_CARD_TEMPORARY_LOSS);
    struct production_world w = world_at(NOW);
    h.permanent.app =
        (struct production_app){.kind = CF_KIND_DAMAGE_REPLACEMENT, .state = CF_APP_ACCEPTED};
    h.permanent.card.handed_in = true;
    h.permanent.card.loss_until = NOW;
    production_on_due(&h, &w, &fx);
    assert_int_equal(h.permanent.card.state, CF_CARD_NORMAL);
    assert_true(h.permanent.card.handed_in && h.permanent.app.state == CF_APP_ACCEPTED);
    /* A card imported while it was lost has no state before it: it is an active one. */
    op = asked(PRODUCTION_OP_RELEASE);
    h = holder_with(CF_CARD_FORMAL_LOSS);
    h.permanent.card.before_loss = CF_CARD_NONE;
    assert_string_equal(operate(&h, &op)->word, "done");
    assert_int_equal(h.permanent.card.state, CF_CARD_NORMAL);
}

/* ---- passwords, add-ons, temporary cards --------------------------------------------------- */

/* Whatever is asked of either of two cards. */
static void at_most_one_card_of_a_kind_is_usable(void **state)
{
    (void)state;
    unsigned refused = 0;
    for (int held = CF_CARD_SEALED; held < CF_CARD_COUNT; held++)
        for (int made = CF_CARD_SEALED; made < CF_CARD_COUNT; made++)
            for (int what = 1; what < PRODUCTION_OP_COUNT; what++)
                for (int of = 0; of < 4; of++) {
                    bool temporary = of & 1;
                    struct production_holder h = {0};
                    struct production_slot *slot = slot_in(&h, temporary);
                    slot->card = card_in((enum cf_card_state)held);
                    slot->made = card_in((enum cf_card_state)made);
                    slot->made.before_loss = CF_CARD_SEALED;
                    memcpy(slot->made.no, "B00000027", 10);
                    if (cf_card_state_is_usable(slot->card.state) &&
                        cf_card_state_is_usable(slot->made.state))
                        continue;
                    struct production_op op = asked((enum production_operation)what);
                    op.card_no = cf_str_of(of & 2 ? "B00000027" : "B00000019");
                    op.role = what == PRODUCTION_OP_LOCK || what == PRODUCTION_OP_UNLOCK
                                  ? CF_STR("bank")
                                  : CF_STR("holder");
                    const char *why = reasons_of(operate(&h, &op));
                    refused += !strcmp(why, "other_card_in_use");
                    if (cf_card_state_is_usable(slot->card.state) &&
                        cf_card_state_is_usable(slot->made.state))
                        fail_msg("%s beside %s: %s", cf_card_state_name((enum cf_card_state)held),
                                 cf_card_state_name((enum cf_card_state)made),
                                 production_operation_name((enum production_operation)what));
                }
    assert_true(refused > 0);
}

static void a_new_card_is_not_lost_for_a_time_beside_one_in_use(void **state)
{
    (void)state;
    struct production_holder h = holder_with(CF_CARD_NORMAL);
    struct production_op op = asked(PRODUCTION_OP_REPORT_TEMPORARY_LOSS);
    h.permanent.made = card_in(CF_CARD_SEALED);
    memcpy(h.permanent.made.no, "B00000027", 10);
    op.card_no = CF_STR("B00000027");
    const struct production_effect *a = operate(&h, &op);
    assert_string_equal(reasons_of(a), "other_card_in_use");
    assert_true(a->notice);
    assert_int_equal(h.permanent.made.state, CF_CARD_SEALED);
    /* What it needs: a formal loss, or nothing usable beside it; then the old one stays lost. */
    h.permanent.card = card_in(CF_CARD_FORMAL_LOSS);
    assert_string_equal(operate(&h, &op)->word, "done");
    op = asked(PRODUCTION_OP_RELEASE);
    op.card_no = CF_STR("B00000019");
    assert_string_equal(reasons_of(operate(&h, &op)), "other_card_in_use");
    op.card_no = CF_STR("B00000027");
    assert_string_equal(operate(&h, &op)->word, "done");
    op.card_no = CF_STR("B00000019");
    assert_string_equal(operate(&h, &op)->word, "done");
    assert_int_equal(h.permanent.card.state, CF_CARD_NORMAL);
}

static void passwords_are_set_reset_and_disabled(void **state)
{
    (void)state;
    static const struct {
        enum production_operation what;
        enum production_password before;
        const char *result;
        enum production_password after;
    } rows[] = {
        {PRODUCTION_OP_SET_PASSWORD,     PRODUCTION_PW_UNSET,    "done",    PRODUCTION_PW_SET     },
        {PRODUCTION_OP_SET_PASSWORD,     PRODUCTION_PW_SET,      "done",    PRODUCTION_PW_SET     },
        {PRODUCTION_OP_SET_PASSWORD,     PRODUCTION_PW_DISABLED, "done",    PRODUCTION_PW_SET     },
        {PRODUCTION_OP_RESET_PASSWORD,   PRODUCTION_PW_SET,      "done",    PRODUCTION_PW_UNSET   },
        {PRODUCTION_OP_RESET_PASSWORD,   PRODUCTION_PW_UNSET,    "already", PRODUCTION_PW_UNSET   },
        {PRODUCTION_OP_DISABLE_PASSWORD, PRODUCTION_PW_SET,      "done",    PRODUCTION_PW_DISABLED},
        {PRODUCTION_OP_DISABLE_PASSWORD, PRODUCTION_PW_DISABLED, "already", PRODUCTION_PW_DISABLED},
        {PRODUCTION_OP_DISABLE_PASSWORD, PRODUCTION_PW_UNSET,    "done",    PRODUCTION_PW_DISABLED},
        {PRODUCTION_OP_RESET_PASSWORD,   PRODUCTION_PW_DISABLED, "done",    PRODUCTION_PW_UNSET   },
        {PRODUCTION_OP_RESET_PASSWORD,   PRODUCTION_PW_LOCKED,   "done",    PRODUCTION_PW_UNSET   },
        {PRODUCTION_OP_SET_PASSWORD,     PRODUCTION_PW_LOCKED,   "refused", PRODUCTION_PW_LOCKED  },
        {PRODUCTION_OP_DISABLE_PASSWORD, PRODUCTION_PW_LOCKED,   "refused", PRODUCTION_PW_LOCKED  },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int which = 0; which <= 1; which++) {
            struct production_holder h = holder_with(CF_CARD_NORMAL);
            struct production_op op = asked(rows[i].what);
            op.password = which;
            h.permanent.card.password[which] = rows[i].before;
            assert_string_equal(operate(&h, &op)->word, rows[i].result);
            assert_int_equal(h.permanent.card.password[which], rows[i].after);
            assert_int_equal(h.permanent.card.password[!which], PRODUCTION_PW_UNSET);
            assert_int_equal(find(&fx, PRODUCTION_FX_CHANGED) != NULL,
                             strcmp(rows[i].result, "done") == 0);
        }
    struct production_holder h = holder_with(CF_CARD_APP_LOCKED);
    struct production_op op = asked(PRODUCTION_OP_SET_PASSWORD);
    op.password = -1;
    assert_string_equal(reasons_of(operate(&h, &op)), "unknown_password_kind|illegal_in_state");
}

static void an_add_on_needs_consent_and_an_active_card(void **state)
{
    (void)state;
    struct production_holder h = holder_with(CF_CARD_SEALED);
    struct production_op op = asked(PRODUCTION_OP_OPEN_ADD_ON);
    assert_string_equal(reasons_of(operate(&h, &op)), "add_on_without_consent|illegal_in_state");
    consent(&op, "holder");
    assert_string_equal(reasons_of(operate(&h, &op)), "illegal_in_state");
    h = holder_with(CF_CARD_NORMAL);
    assert_string_equal(operate(&h, &op)->word, "done");
}

/* Who, when and by which document: all three; and only the holder, or a child's guardian, consents. */
static void a_consent_says_who_when_and_by_which_document(void **state)
{
    (void)state;
    static const struct {
        const char *by;
        cf_ms given_at;
        bool document, child;
        const char *reasons;
    } rows[] = {
        {"holder",   NOW,          true,  false, ""                      },
        {"holder",   1,            true,  false, ""                      },
        {"holder",   NOW + 120000, true,  false, ""                      },
        {"guardian", NOW,          true,  true,  ""                      },
        {"holder",   NOW + 120001, true,  false, "add_on_without_consent"},
        {"holder",   0,            true,  false, "add_on_without_consent"},
        {"holder",   -1,           true,  false, "add_on_without_consent"},
        {"holder",   NOW,          false, false, "add_on_without_consent"},
        {"",         NOW,          true,  false, "add_on_without_consent"},
        {"guardian", NOW,          true,  false, "holder_only"           },
        {"agent",    NOW,          true,  true,  "holder_only"           },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = holder_with(CF_CARD_NORMAL);
        struct production_op op = asked(PRODUCTION_OP_OPEN_ADD_ON);
        h.permanent.card.sixteen_on = rows[i].child ? cf_day_of_ms(NOW) + 1 : 0;
        op.consent.by = cf_str_of(rows[i].by);
        op.consent.given_at = rows[i].given_at;
        op.consent.document = rows[i].document;
        assert_string_equal(reasons_of(operate(&h, &op)), rows[i].reasons);
        assert_int_equal(h.permanent.card.add_ons.len != 0, !*rows[i].reasons);
    }
}

static void only_a_usable_temporary_card_is_extended(void **state)
{
    (void)state;
    static const struct {
        enum cf_card_state card;
        bool may;
    } rows[] = {
        {CF_CARD_NORMAL,         true },
        {CF_CARD_APP_LOCKED,     true },
        {CF_CARD_TEMPORARY_LOSS, true },
        {CF_CARD_SEALED,         false},
        {CF_CARD_FORMAL_LOSS,    false},
        {CF_CARD_CANCELLED,      false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = {0};
        struct production_op op = asked(PRODUCTION_OP_EXTEND_TEMPORARY);
        h.temporary.card = card_in(rows[i].card);
        h.temporary.card.valid_until = h.temporary.card.issued_on + 60;
        const struct production_effect *a = operate(&h, &op);
        assert_string_equal(a->word, rows[i].may ? "done" : "refused");
        assert_int_equal(h.temporary.card.valid_until,
                         h.temporary.card.issued_on + (rows[i].may ? 120 : 60));
    }
}

/* ---- cards from before --------------------------------------------------------------------- */

static struct production_op import(const char *no, enum cf_card_state card)
{
    struct production_op op = {.what = PRODUCTION_OP_IMPORT_CARD, .card_no = cf_str_of(no)};
    op.import.bank = CF_STR("B01");
    op.import.state = card;
    op.import.kind = CF_CARD_KIND_PERMANENT;
    op.import.issued_on = cf_day_of_date(2020, 2, 29);
    memcpy(op.import.number, "B00000027", 10);
    return op;
}

static void an_imported_card_stands_as_it_was(void **state)
{
    (void)state;
    struct production_holder h = {0};
    struct production_op op = import("B00000019", CF_CARD_NORMAL);
    assert_string_equal(operate(&h, &op)->word, "done");
    const struct production_card *card = &h.permanent.card;
    assert_string_equal(card->no, "B00000019");
    assert_int_equal(card->valid_until, cf_day_of_date(2030, 2, 28)); /* ten years */
    assert_int_equal(card->financial, PRODUCTION_FIN_ACTIVE);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_ISSUED)->card.no, "B00000019");
    assert_int_equal(must_find(&fx, PRODUCTION_FX_CHANGED)->before, CF_CARD_NONE);
    /* The same again; in another state, or another card. */
    assert_string_equal(operate(&h, &op)->word, "already");
    op.import.state = CF_CARD_SEALED;
    assert_string_equal(reasons_of(operate(&h, &op)), "card_exists");
    op = import("B00000027", CF_CARD_NORMAL);
    assert_string_equal(reasons_of(operate(&h, &op)), "card_exists");
    /* A lost one is released by itself as any other; a number is given where there is none. */
    h = (struct production_holder){0};
    op = import("", CF_CARD_TEMPORARY_LOSS);
    assert_string_equal(operate(&h, &op)->word, "done");
    assert_string_equal(card->no, "B00000027");
    assert_int_equal(card->loss_until, NOW + 7 * (cf_ms)CF_MS_PER_DAY);
    assert_int_equal(card->financial, PRODUCTION_FIN_NOT_OPENED);
    /* A temporary card has a place of its own, and sixty days. */
    op = import("B00000035", CF_CARD_NORMAL);
    op.import.kind = CF_CARD_KIND_TEMPORARY;
    assert_string_equal(operate(&h, &op)->word, "done");
    assert_int_equal(h.temporary.card.valid_until, h.temporary.card.issued_on + 60);
}

static void a_card_without_a_number_is_imported_once(void **state)
{
    (void)state;
    struct production_holder h = {0};
    struct production_op op = import("", CF_CARD_NORMAL);
    assert_string_equal(operate(&h, &op)->word, "done");
    assert_string_equal(operate(&h, &op)->word, "already");
    op.import.issued_on++;
    assert_string_equal(reasons_of(operate(&h, &op)), "card_exists");
    op.import.issued_on--;
    op.import.bank = CF_STR("B02");
    assert_string_equal(reasons_of(operate(&h, &op)), "card_exists");
    op = import("", CF_CARD_FORMAL_LOSS);
    assert_string_equal(reasons_of(operate(&h, &op)), "card_exists");
    h.permanent.card.state = CF_CARD_CANCELLED; /* gone, and then another one of that day */
    op = import("", CF_CARD_NORMAL);
    assert_string_equal(operate(&h, &op)->word, "done");
}

static void what_cannot_have_been_a_card_is_not_imported(void **state)
{
    (void)state;
    struct production_holder h = {0};
    struct production_op op = import("B00000018", CF_CARD_RESERVED);
    op.import.bank = CF_STR("");
    op.import.issued_on = cf_day_of_date(2026, 4, 1);
    assert_string_equal(reasons_of(operate(&h, &op)),
                        "unknown_card|illegal_in_state|not_issuing_bank|submitted_in_future");
    assert_int_equal(h.permanent.card.state, CF_CARD_NONE);
    op = import("B00000019", CF_CARD_NORMAL);
    op.import.issued_on = cf_day_of_date(2026, 3, 31); /* today */
    h.died = true;
    assert_string_equal(reasons_of(operate(&h, &op)), "card_exists");
    h = (struct production_holder){0};
    h.permanent.made = card_in(CF_CARD_RESERVED); /* one is being made */
    assert_string_equal(reasons_of(operate(&h, &op)), "card_exists");
    h = holder_with(CF_CARD_CANCELLED);
    assert_string_equal(operate(&h, &op)->word, "done");
    /* The number of a card that is no more. */
    h = holder_with(CF_CARD_CANCELLED);
    op.import.known = true;
    assert_string_equal(reasons_of(operate(&h, &op)), "card_cancelled");
    h = holder_with(CF_CARD_NORMAL);
    op.card_no = CF_STR("B00000027");
    assert_string_equal(reasons_of(operate(&h, &op)), "card_exists");
}

/* A card will come of it; an application for the other kind of card is no matter. */
static void no_card_is_imported_beside_an_open_application(void **state)
{
    (void)state;
    for (int s = CF_APP_NONE; s < CF_APP_COUNT; s++)
        for (int temporary = 0; temporary <= 1; temporary++) {
            struct production_holder h = {0};
            struct production_slot *slots[] = {&h.permanent, &h.temporary};
            enum cf_app_state at = (enum cf_app_state)s;
            bool open = at != CF_APP_NONE && !cf_app_state_is_end(at);
            struct production_op op = import("B00000019", CF_CARD_NORMAL);
            if (temporary) op.import.kind = CF_CARD_KIND_TEMPORARY;
            slots[temporary]->app.state = at;
            assert_string_equal(reasons_of(operate(&h, &op)), open ? "duplicate_application" : "");
            assert_int_equal(slots[temporary]->card.state, open ? CF_CARD_NONE : CF_CARD_NORMAL);
            h = (struct production_holder){0};
            slots[!temporary]->app.state = at;
            assert_string_equal(operate(&h, &op)->word, "done");
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_as_they_are_written),
        cmocka_unit_test(the_matrix_of_channels_is_as_published),
        cmocka_unit_test(all_that_speaks_against_it_is_told_together),
        cmocka_unit_test(some_operations_are_the_holders_own),
        cmocka_unit_test(who_asks_and_who_serves_is_said),
        cmocka_unit_test(a_card_is_formally_lost_and_found_by_a_document),
        cmocka_unit_test(authority_and_bank_lock_and_unlock),
        cmocka_unit_test(locking_and_unlocking_need_a_reason),
        cmocka_unit_test(a_bank_serves_its_own_cards),
        cmocka_unit_test(the_card_that_is_meant_is_found),
        cmocka_unit_test(a_kind_that_no_card_has_is_refused),
        cmocka_unit_test(a_reserved_card_is_hidden),
        cmocka_unit_test(activation_waits_for_the_collection),
        cmocka_unit_test(a_card_under_way_is_cancelled_with_its_application),
        cmocka_unit_test(a_number_of_before_is_a_cancelled_card),
        cmocka_unit_test(a_refused_extension_names_its_reason_once),
        cmocka_unit_test(activating_changes_only_what_it_takes_over),
        cmocka_unit_test(the_bank_of_the_old_card_hears_what_became_of_it),
        cmocka_unit_test(a_release_waits_for_the_queue),
        cmocka_unit_test(release_is_refused_from_the_batch_on),
        cmocka_unit_test(other_releases_have_nothing_to_do_with_a_replacement),
        cmocka_unit_test(at_most_one_card_of_a_kind_is_usable),
        cmocka_unit_test(a_new_card_is_not_lost_for_a_time_beside_one_in_use),
        cmocka_unit_test(passwords_are_set_reset_and_disabled),
        cmocka_unit_test(an_add_on_needs_consent_and_an_active_card),
        cmocka_unit_test(a_consent_says_who_when_and_by_which_document),
        cmocka_unit_test(only_a_usable_temporary_card_is_extended),
        cmocka_unit_test(an_imported_card_stands_as_it_was),
        cmocka_unit_test(a_card_without_a_number_is_imported_once),
        cmocka_unit_test(what_cannot_have_been_a_card_is_not_imported),
        cmocka_unit_test(no_card_is_imported_beside_an_open_application),
    };
    return cmocka_run_group_tests(tests, load_calendar, drop_calendar);
}
