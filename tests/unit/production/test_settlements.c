/* What a person decides about a card that failed as often as it is made again by itself. */
#include "data.h"

#include "services/production/rules_inside.h"

static struct production_effects fx;

static struct production_holder given_up(void)
{
    struct production_holder h = {0};
    struct production_app *app = &h.permanent.app;
    app->id[0] = 7;
    app->kind = CF_KIND_FIRST_ISSUE;
    app->state = CF_APP_PRODUCTION_FAILED;
    app->bank = CF_STR("B01");
    app->remakes = policy.remake_max;
    app->given_up = true;
    return h;
}

static struct production_settlement decided(bool remake)
{
    return (struct production_settlement){.id = {5},
                                          .app_id = {7},
                                          .remake = remake,
                                          .staff_id = CF_STR("s7"),
                                          .reason = CF_STR("machine repaired")};
}

static void what_cannot_be_decided_is_answered_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        bool late, too_many, other, waits;
        const char *reason; /* NULL: done */
    } rows[] = {
        {"it waits for a person",     false, false, false, true,  NULL                 },
        {"it does not wait",          false, false, false, false, "illegal_in_state"   },
        {"another application",       false, false, true,  true,  "illegal_in_state"   },
        {"the command is too old",    true,  false, false, true,  "command_expired"    },
        {"too old, and too many",     true,  true,  false, true,  "command_expired"    },
        {"too many in these days",    false, true,  false, true,  "too_many_operations"},
        {"too many about another",    false, true,  true,  true,  "too_many_operations"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int remake = 0; remake < 2; remake++) {
            struct production_holder h = given_up();
            struct production_settlement m = decided(remake == 1);
            m.late = rows[i].late;
            m.too_many = rows[i].too_many;
            if (rows[i].other) m.app_id[0] = 8;
            h.permanent.app.given_up = rows[i].waits;
            fx.n = 0;
            assert_int_equal(production_on_settlement(&h, &m, &fx), PRODUCTION_MOVE);
            const struct production_effect *e = must_find(&fx, PRODUCTION_FX_ANSWERED);
            assert_string_equal(e->command, remake ? "remake" : "close_application");
            assert_string_equal(e->word, rows[i].reason ? "refused" : "done");
            assert_int_equal(e->n_reasons, rows[i].reason ? 1 : 0);
            if (rows[i].reason && strcmp(e->reasons[0], rows[i].reason))
                fail_msg("%s: %s", rows[i].why, e->reasons[0]);
            assert_int_equal(find(&fx, PRODUCTION_FX_STEP) != NULL, rows[i].reason == NULL);
            if (rows[i].reason)
                assert_int_equal(h.permanent.app.state, CF_APP_PRODUCTION_FAILED);
        }
}

static void a_remake_is_queued_and_may_fail_as_often_again(void **state)
{
    (void)state;
    struct production_holder h = given_up();
    struct production_settlement m = decided(true);
    fx.n = 0;
    production_on_settlement(&h, &m, &fx);
    const struct production_effect *step = must_find(&fx, PRODUCTION_FX_STEP);
    assert_int_equal(step->state, CF_APP_PHOTO_READY);
    assert_true(cf_str_is(step->staff_id, "s7") && cf_str_is(step->why, "machine repaired"));
    assert_non_null(find(&fx, PRODUCTION_FX_ENQUEUE));
    const struct production_app *app = &h.permanent.app;
    assert_true(app->queued && app->by_hand && !app->given_up && app->remakes == 0);
}

static void a_closed_one_says_that_its_card_was_not_made(void **state)
{
    (void)state;
    struct production_holder h = given_up();
    struct production_settlement m = decided(false);
    h.permanent.card = card_in(CF_CARD_NORMAL); /* handed in: it is the holder's again */
    h.permanent.card.handed_in = true;
    fx.n = 0;
    production_on_settlement(&h, &m, &fx);
    const struct production_effect *step = must_find(&fx, PRODUCTION_FX_STEP);
    assert_int_equal(step->state, CF_APP_CLOSED);
    assert_true(cf_str_is(step->reason, "card_not_made"));
    assert_true(step->notice);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_CHANGED)->word, "given_back");
    assert_null(find(&fx, PRODUCTION_FX_ENQUEUE));
    assert_false(h.permanent.card.handed_in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_decided_is_answered_with_its_reason),
        cmocka_unit_test(a_remake_is_queued_and_may_fail_as_often_again),
        cmocka_unit_test(a_closed_one_says_that_its_card_was_not_made),
    };
    return cmocka_run_group_tests(tests, load_calendar, drop_calendar);
}
