/* A card that failed as often as it is made again by itself, and what a person makes of it. */
#include "world.h"

static const char BY[] = "0123456789abcdef", AGAIN[] = "123456789abcdef0";

static void settles(struct world *w, const char *id, bool remake)
{
    struct production_settlement m = {
        .remake = remake, .staff_id = CF_STR("s7"), .reason = CF_STR("machine repaired")};
    memcpy(m.id, id, 16);
    memcpy(m.app_id, w->app, 16);
    feed(w, "card.commands", "card.settle_failure", &w->holder,
         production_codec_settlement(w->a, &m));
    settle(w);
}

static const struct production_given_up *waiting(struct world *w)
{
    for (size_t i = 0; i < w->d->n_rows; i++)
        if (w->d->rows[i].aux && w->d->rows[i].kind == PRODUCTION_GIVEN_UP)
            return w->d->rows[i].row;
    return NULL;
}

/* The same where there must be one. */
static const struct production_given_up *row_waiting(struct world *w)
{
    static const struct production_given_up none;
    const struct production_given_up *row = waiting(w);
    if (!row) fail_msg("no row");
    return row ? row : &none;
}

/* env.policy.remake_max is 2: three orders fail. */
static void to_given_up(struct world *w)
{
    to_batched(w);
    for (int i = 0; i < 3; i++) {
        assert_null(waiting(w));
        result(w, "failed");
        settle(w);
        time_passes(w, 1000);
        settle(w);
    }
    is_text(row_of(w)->app_state, "production_failed");
}

static struct production_holder seen(struct world *w)
{
    struct production_holder h;
    assert_int_equal(production_row_open(w->a, row_of(w), &h), 0);
    return h;
}

static void the_last_failure_says_that_a_person_is_needed(void **state)
{
    struct world *w = *state;
    to_given_up(w);
    assert_true(seen(w).permanent.app.given_up);
    const struct production_given_up *row = row_waiting(w);
    assert_true(row->waits == 1);
    is_text(row->bank, "B01");
    assert_int_equal(row->since, w->now - 1000);
}

static void a_person_has_it_made_once_more_with_as_many_tries(void **state)
{
    struct world *w = *state;
    to_given_up(w);
    settles(w, BY, true);
    is_text(row_of(w)->app_state, "photo_ready");
    assert_true(row_of(w)->made_no.len > 0);
    const struct production_given_up *row = row_waiting(w);
    assert_int_equal(row->waits, 0);
    is_text(row->staff_id, "s7");
    is_text(row->why, "machine repaired");
    settles(w, AGAIN, true); /* it does not wait any more */
    is_text(row_of(w)->app_state, "photo_ready");
    time_passes(w, 1000);
    settle(w);
    for (int i = 0; i < 3; i++) {
        is_text(row_of(w)->app_state, "batched");
        result(w, "failed");
        settle(w);
        time_passes(w, 1000);
        settle(w);
    }
    is_text(row_of(w)->app_state, "production_failed");
    assert_int_equal(row_waiting(w)->waits, 1);
    assert_int_equal(w->d->n_parked, 0);
}

static void a_person_closes_it(void **state)
{
    struct world *w = *state;
    to_given_up(w);
    settles(w, BY, false);
    is_text(row_of(w)->app_state, "closed");
    assert_int_equal(row_waiting(w)->waits, 0);
    is_text(row_waiting(w)->reason, "card_not_made");
    settles(w, BY, false); /* the same command again */
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 1);
}

static void a_withdrawal_needs_no_person(void **state)
{
    struct world *w = *state;
    to_given_up(w);
    withdrawal(w);
    is_text(row_of(w)->app_state, "withdrawn");
    assert_int_equal(row_waiting(w)->waits, 0);
    assert_false(seen(w).permanent.app.given_up);
}

static void what_does_not_wait_is_refused(void **state)
{
    struct world *w = *state;
    to_batched(w);
    settles(w, BY, true);
    is_text(row_of(w)->app_state, "batched");
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 1);
    assert_null(waiting(w));
    assert_int_equal(w->d->n_parked, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_last_failure_says_that_a_person_is_needed),
        T(a_person_has_it_made_once_more_with_as_many_tries),
        T(a_person_closes_it),
        T(a_withdrawal_needs_no_person),
        T(what_does_not_wait_is_refused),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
