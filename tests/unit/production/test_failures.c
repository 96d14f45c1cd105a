/* A card that a bank could not make, or has lost: which reason fits which state. */
#include "data.h"

#include "services/production/rules_inside.h"

enum { STATES = 5 };
#define M PRODUCTION_MOVE
#define W PRODUCTION_AHEAD
#define P PRODUCTION_ILLEGAL

static const enum cf_app_state states[STATES] = {CF_APP_BATCHED, CF_APP_ACCOUNT_OPENED,
                                                 CF_APP_PRODUCED, CF_APP_SHIPPED,
                                                 CF_APP_READY_FOR_PICKUP};

/* Of each reason the verdict in each of the states. */
static const struct {
    const char *reason;
    enum production_fit want[STATES];
} rows[] = {
    {"",                  {M, M, P, P, P}},
    {"bank_rejected",     {M, M, P, P, P}},
    {"chip_defect",       {W, M, P, P, P}},
    {"lost_in_transit",   {W, W, W, M, P}},
    {"damaged_at_outlet", {W, W, W, W, M}},
    {"unanswered",        {P, P, P, P, P}},
};

static struct production_holder holder_in(enum cf_app_state state)
{
    struct production_holder h = {0};
    struct production_app *app = &h.permanent.app;
    app->id[0] = 7;
    app->kind = CF_KIND_FIRST_ISSUE;
    app->state = state;
    app->bank = CF_STR("B01");
    h.permanent.made = card_in(state < CF_APP_PRODUCED ? CF_CARD_RESERVED : CF_CARD_SEALED);
    return h;
}

static void a_failure_is_taken_where_its_reason_belongs(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int at = 0; at < STATES; at++) {
            struct production_holder h = holder_in(states[at]);
            struct production_effects fx = {.n = 0};
            struct production_result r = {.app_id = {7},
                                          .step = PRODUCTION_ON_FAILED,
                                          .reason = cf_str_of(rows[i].reason)};
            enum production_fit fit = production_on_result(&h, &r, &w, &fx);
            if (fit != rows[i].want[at])
                fail_msg("%s in %s: %d", rows[i].reason, cf_app_state_name(states[at]), (int)fit);
            if (fit != PRODUCTION_MOVE) {
                assert_int_equal(h.permanent.app.state, states[at]);
                assert_int_equal(fx.n, 0);
                continue;
            }
            assert_int_equal(h.permanent.app.state, CF_APP_PHOTO_READY); /* made again */
            const struct production_effect *step = must_find(&fx, PRODUCTION_FX_STEP);
            assert_int_equal(step->state, CF_APP_PRODUCTION_FAILED);
            assert_true(cf_str_is(step->reason, rows[i].reason));
        }
}

static enum production_fit failed(enum cf_app_state at, const char *reason)
{
    return production_failure_fit(at, cf_str_of(reason), PRODUCTION_MOVE);
}

static void each_of_the_banks_words_has_its_place(void **state)
{
    (void)state;
    assert_int_equal(failed(CF_APP_BATCHED, "bank_rejected"), PRODUCTION_MOVE);
    assert_int_equal(failed(CF_APP_SHIPPED, "bank_rejected"), PRODUCTION_ILLEGAL);
    assert_int_equal(failed(CF_APP_SHIPPED, "lost_in_transit"), PRODUCTION_MOVE);
    assert_int_equal(failed(CF_APP_READY_FOR_PICKUP, "lost_in_transit"), PRODUCTION_ILLEGAL);
    assert_int_equal(failed(CF_APP_READY_FOR_PICKUP, "damaged_at_outlet"), PRODUCTION_MOVE);
    assert_int_equal(failed(CF_APP_SHIPPED, "damaged_at_outlet"), PRODUCTION_AHEAD);
}

/* Said before, or about what no bank has: the reason changes nothing. */
static void other_verdicts_stay_what_they_are(void **state)
{
    (void)state;
    static const enum production_fit fits[] = {PRODUCTION_ALREADY, PRODUCTION_ENDED,
                                               PRODUCTION_ILLEGAL};
    for (size_t i = 0; i < sizeof fits / sizeof *fits; i++)
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
            assert_int_equal(production_failure_fit(CF_APP_PRODUCTION_FAILED,
                                                    cf_str_of(rows[k].reason), fits[i]),
                             fits[i]);
    /* An order that the holder's row does not know yet. */
    assert_int_equal(production_failure_fit(CF_APP_PHOTO_READY, CF_STR("damaged_at_outlet"),
                                            PRODUCTION_AHEAD),
                     PRODUCTION_AHEAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_taken_where_its_reason_belongs),
        cmocka_unit_test(each_of_the_banks_words_has_its_place),
        cmocka_unit_test(other_verdicts_stay_what_they_are),
    };
    return cmocka_run_group_tests(tests, load_calendar, drop_calendar);
}
