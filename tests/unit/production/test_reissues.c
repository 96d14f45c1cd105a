/* A reissue is judged twice: by intake's mirror of the cards, and by the cards when it is accepted. */
#include "tests/unit/production/world.h"

#include "services/production/rules_inside.h"

/* ---- the rule ------------------------------------------------------------------------------ */

/* The card of the row in hand; made: it was collected and never activated. */
static void a_reissue_is_checked_against_the_cards_again(void **state)
{
    (void)state;
    enum { TODAY = 20543, LONG = TODAY + 91, SOON = TODAY + 90 };
    static const struct {
        const char *why;
        enum cf_reissue_reason reissue;
        enum cf_card_state card;
        const char *bank;
        cf_day until;
        bool made, fits;
    } rows[] = {
        {"exchange of what is unknown",   CF_REISSUE_MASS_EXCHANGE, CF_CARD_NONE,        "B01", 0,    false, true },
        {"a cancelled card is none",      CF_REISSUE_MASS_EXCHANGE, CF_CARD_CANCELLED,   "B01", LONG, false, true },
        {"a card has come meanwhile",     CF_REISSUE_MASS_EXCHANGE, CF_CARD_NORMAL,      "B01", LONG, false, false},
        {"of another bank, too",          CF_REISSUE_MASS_EXCHANGE, CF_CARD_FORMAL_LOSS, "B02", LONG, false, false},
        {"a reserved card is nobody's",   CF_REISSUE_MASS_EXCHANGE, CF_CARD_RESERVED,    "B01", LONG, false, true },
        {"a collected one is somebody's", CF_REISSUE_MASS_EXCHANGE, CF_CARD_SEALED,      "B01", LONG, true,  false},
        {"90 days before",                CF_REISSUE_EXPIRY,        CF_CARD_NORMAL,      "B01", SOON, false, true },
        {"a day more",                    CF_REISSUE_EXPIRY,        CF_CARD_NORMAL,      "B01", LONG, false, false},
        {"at another bank",               CF_REISSUE_EXPIRY,        CF_CARD_NORMAL,      "B02", SOON, false, false},
        {"no card expires",               CF_REISSUE_EXPIRY,        CF_CARD_NONE,        "B01", 0,    false, false},
        {"a cancelled one does not",      CF_REISSUE_EXPIRY,        CF_CARD_CANCELLED,   "B01", SOON, false, false},
        {"data of a lost card",           CF_REISSUE_DATA_CHANGED,  CF_CARD_FORMAL_LOSS, "B01", LONG, false, true },
        {"data of no card",               CF_REISSUE_DATA_CHANGED,  CF_CARD_NONE,        "B01", 0,    false, false},
        {"data of a cancelled card",      CF_REISSUE_DATA_CHANGED,  CF_CARD_CANCELLED,   "B01", LONG, false, false},
        {"data of a card not in use yet", CF_REISSUE_DATA_CHANGED,  CF_CARD_SEALED,      "B01", LONG, true,  true },
        {"data, at another bank",         CF_REISSUE_DATA_CHANGED,  CF_CARD_NORMAL,      "B02", LONG, false, false},
        {"another bank's card",           CF_REISSUE_BANK_CHANGE,   CF_CARD_NORMAL,      "B02", LONG, false, true },
        {"it is that bank's by now",      CF_REISSUE_BANK_CHANGE,   CF_CARD_NORMAL,      "B01", LONG, false, false},
        {"no card changes its bank",      CF_REISSUE_BANK_CHANGE,   CF_CARD_CANCELLED,   "B02", LONG, false, false},
        {"no reason",                     CF_REISSUE_NONE,          CF_CARD_NORMAL,      "B01", SOON, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = {0};
        static struct production_effects fx;
        struct production_card card = {.no = "B00000019", .state = rows[i].card,
                                       .bank = cf_str_of(rows[i].bank),
                                       .valid_until = rows[i].until};
        const struct production_accepted a = {.app_id = {9}, .kind = CF_KIND_REISSUE,
                                              .reissue = rows[i].reissue, .bank = CF_STR("B01"),
                                              .accepted_on = TODAY};
        fx.n = 0;
        *(rows[i].made ? &h.permanent.made : &h.permanent.card) = card;
        assert_int_equal(production_on_accepted(&h, &a, &fx), PRODUCTION_MOVE);
        if ((h.permanent.app.state == CF_APP_ACCEPTED) != rows[i].fits) fail_msg("%s", rows[i].why);
        if (rows[i].fits) continue;
        assert_true(fx.n == 1 && fx.list[0].state == CF_APP_CLOSED && fx.list[0].notice);
        assert_true(cf_str_is(fx.list[0].reason, "card_changed"));
    }
}

/* ---- a card that changes between the two checks -------------------------------------------- */

/* Intake has accepted it by what it knew then. */
static void reissue(struct world *w, const char *reason)
{
    w->accepted_on = cf_day_of_ms(w->now);
    accepted_for(w, CARDFLOW__V1__APP_KIND__APP_KIND_REISSUE, reason);
}

static void import_card(struct world *w)
{
    struct production_command_fields f =
        import_of("operation-id-001", "normal", cf_day_of_ms(w->now) - 400);
    f.import_kind = CF_STR("permanent");
    f.channel = CF_STR("upstream");
    send_command(w, &f);
    assert_string_equal(last_answer(w)->result, "done");
}

static void goes_on(struct world *w, bool does)
{
    size_t told = count(w, "card.events", "card.step");
    photo_ready(w);
    settle(w);
    time_passes(w, 1000);
    settle(w);
    assert_int_equal(count(w, "bank.orders", "bank.line"), does);
    assert_int_equal(count(w, "card.events", "card.step"), told + does);
    assert_int_equal(w->d->n_parked, 0);
}

static void closed_with_a_notice(struct world *w)
{
    size_t i = w->d->n_sent;
    assert_true(count(w, "card.events", "card.step") > 0);
    while (i-- > 0 && strcmp(w->d->sent[i].type, "card.step")) {
    }
    const Cardflow__V1__CardEvent *e = event_at(w, i);
    assert_int_equal(e->kind, CARDFLOW__V1__APP_KIND__APP_KIND_REISSUE);
    assert_memory_equal(e->application_id.data, w->app, 16);
    assert_string_equal(e->step->state, "closed");
    assert_string_equal(e->step->reason, "card_changed");
    assert_true(cf_receipt_check_prefixed(cf_str_of(e->step->notice_no), 'N'));
    goes_on(w, false);
}

static void a_card_cancelled_meanwhile_is_not_reissued(void **state)
{
    struct world *w = *state;
    import_card(w);
    command(w, "cancel", "operation-id-002");
    assert_string_equal(last_answer(w)->card_state, "cancelled");
    reissue(w, "data_changed");
    closed_with_a_notice(w);
}

static void an_old_card_that_has_become_known_is_not_exchanged(void **state)
{
    struct world *w = *state;
    import_card(w);
    reissue(w, "mass_exchange");
    closed_with_a_notice(w);
    is_text(row_of(w)->card_state, "normal");
}

static void a_card_that_has_not_changed_is_reissued(void **state)
{
    struct world *w = *state;
    import_card(w);
    reissue(w, "data_changed");
    goes_on(w, true);
}

static void an_old_card_unknown_here_is_exchanged(void **state)
{
    struct world *w = *state;
    reissue(w, "mass_exchange");
    goes_on(w, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reissue_is_checked_against_the_cards_again),
        cmocka_unit_test_setup_teardown(a_card_cancelled_meanwhile_is_not_reissued, begin, end),
        cmocka_unit_test_setup_teardown(an_old_card_that_has_become_known_is_not_exchanged, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_card_that_has_not_changed_is_reissued, begin, end),
        cmocka_unit_test_setup_teardown(an_old_card_unknown_here_is_exchanged, begin, end),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
