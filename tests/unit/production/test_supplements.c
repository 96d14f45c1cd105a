/* An account that could not be opened, put right by a supplement. */
#include "tests/unit/production/world.h"

static struct cf_str supplement_event(struct world *w, const char *outlet, const char *person,
                                      const char *command)
{
    Cardflow__V1__ApplicationEvent e;
    cardflow__v1__application_event__init(&e);
    Cardflow__V1__ApplicationEvent__Supplement x;
    cardflow__v1__application_event__supplement__init(&x);
    e.application_id = cf_data_id(w->app);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_SUPPLEMENT_REQUESTED;
    e.supplement_requested = &x;
    x.command_id = cf_data_id((const uint8_t *)command);
    x.outlet_code = (char *)(uintptr_t)outlet;
    x.person = cf_data(cf_str_of(person));
    return cf_pack(w->a, &e.base);
}

static void supplement(struct world *w, const char *command)
{
    feed(w, "application.events", "application.supplement_requested", &w->holder,
         supplement_event(w, "B01002", "another sealed person", command));
}

static void to_failed(struct world *w)
{
    to_batched(w);
    result(w, "account_failed");
    settle(w);
    is_text(row_of(w)->app_state, "account_failed");
}

static const Cardflow__V1__BankOrder__Line *last_line(struct world *w)
{
    static const Cardflow__V1__BankOrder__Line none;
    for (size_t i = w->d->n_sent; i-- > 0;) {
        if (strcmp(w->d->sent[i].type, "bank.line")) continue;
        const Cardflow__V1__BankOrder *o =
            cf_unpack(w->a, &cardflow__v1__bank_order__descriptor, w->d->sent[i].value);
        return o ? o->line : &none;
    }
    fail_msg("no line was ordered");
    return &none;
}

static void a_supplement_orders_the_card_again_under_a_new_number(void **state)
{
    struct world *w = *state;
    to_failed(w);
    struct cf_str failed = row_of(w)->made_no;
    supplement(w, "the-supplement-1");
    assert_string_equal(last_answer(w)->operation, "supplement");
    assert_string_equal(last_answer(w)->result, "done");
    is_text(row_of(w)->app_state, "account_failed"); /* until it is batched */
    settle(w);
    time_passes(w, 1000);
    settle(w);
    is_text(row_of(w)->app_state, "batched");
    const Cardflow__V1__BankOrder__Line *line = last_line(w);
    assert_true(line->card_no[0] && !cf_str_is(failed, line->card_no));
    assert_string_equal(line->outlet_code, "B01002");
    assert_true(cf_str_is(cf_bytes(line->person), "another sealed person"));
    /* The bank sends its first answer once more: about a number that was given up. */
    result_for(w, "account_failed", failed);
    is_text(row_of(w)->app_state, "batched");
    static const char *const rest[] = {"account_opened", "produced", "shipped", "arrived",
                                       "collected"};
    for (int i = 0; i < 5; i++)
        result(w, rest[i]);
    settle(w);
    assert_string_equal(steps(w), "batched account_failed batched account_opened produced shipped "
                                  "ready_for_pickup collected");
    const struct production_bank_row *b = bank_of(w);
    assert_true(b->sent == 2 && b->failed == 1 && b->made == 1 && b->reconciled == 2);
    assert_int_equal(count(w, "bank.orders", "bank.card_notice"), 0);
    assert_int_equal(w->d->n_parked, 0);
}

static void answers_about_the_new_order_may_be_ahead(void **state)
{
    struct world *w = *state;
    to_failed(w);
    supplement(w, "the-supplement-1");
    result(w, "account_opened");
    result(w, "produced");
    is_text(row_of(w)->app_state, "account_failed");
    settle(w);
    time_passes(w, 1000);
    settle(w);
    is_text(row_of(w)->app_state, "produced");
    assert_int_equal(w->d->n_parked, 0);
}

static void a_second_supplement_while_the_first_waits_is_refused(void **state)
{
    struct world *w = *state;
    to_failed(w);
    supplement(w, "the-supplement-1");
    supplement(w, "the-supplement-2");
    assert_string_equal(last_answer(w)->result, "refused");
    assert_string_equal(last_answer(w)->reasons[0], "illegal_in_state");
    assert_true(cf_receipt_check_prefixed(cf_str_of(last_answer(w)->notice_no), 'N'));
    assert_int_equal(count(w, "production.internal", "production.enqueue"), 2);
}

static void a_supplement_in_every_other_state_is_refused_and_changes_nothing(void **state)
{
    static const char *const all[] = {"account_opened", "produced", "shipped", "arrived",
                                      "collected"};
    struct world *w = *state;
    supplement(w, "the-supplement-0"); /* of nothing that is known */
    assert_string_equal(last_answer(w)->result, "refused");
    to_batched(w);
    for (int i = 0; i < 6; i++) {
        char id[] = "the-supplement-1";
        id[15] = (char)('1' + i);
        struct cf_str before = row_of(w)->app_state, slot = row_of(w)->slot;
        supplement(w, id);
        assert_string_equal(last_answer(w)->result, "refused");
        assert_true(cf_str_eq(row_of(w)->app_state, before) && cf_str_eq(row_of(w)->slot, slot));
        if (i < 5) result(w, all[i]);
    }
    assert_string_equal(steps(w), STRAIGHT);
}

static void without_a_number_it_waits_and_does_not_expire(void **state)
{
    struct world *w = *state;
    to_failed(w);
    env.letters[0] = 0; /* no letter is left */
    supplement(w, "the-supplement-1");
    settle(w);
    assert_int_equal(row_of(w)->made_no.len, 0);
    time_passes(w, 59999);
    is_text(row_of(w)->app_state, "account_failed");
    env.letters[0] = 'B';
    time_passes(w, 1);
    settle(w);
    time_passes(w, 1000);
    settle(w);
    is_text(row_of(w)->app_state, "batched");
}

static void what_waits_again_is_withdrawn_by_the_banks_shard(void **state)
{
    struct world *w = *state;
    to_failed(w);
    supplement(w, "the-supplement-1");
    settle(w);
    withdrawal(w);
    is_text(row_of(w)->app_state, "account_failed");
    settle(w);
    is_text(row_of(w)->app_state, "withdrawn");
    assert_string_equal(last_answer(w)->operation, "withdraw");
    assert_string_equal(last_answer(w)->result, "done");
    /* The answer waited, and the channel with it. */
    const struct production_answer *row = double_aux(w->d, PRODUCTION_OPERATION, w->app);
    assert_non_null(row);
    if (row) is_text(row->channel, "school");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(a_supplement_orders_the_card_again_under_a_new_number),
        T(answers_about_the_new_order_may_be_ahead),
        T(a_second_supplement_while_the_first_waits_is_refused),
        T(a_supplement_in_every_other_state_is_refused_and_changes_nothing),
        T(without_a_number_it_waits_and_does_not_expire),
        T(what_waits_again_is_withdrawn_by_the_banks_shard),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
