/* The agent of a list collects a card: as an outlet's report does, and never parked. */
#include "tests/unit/production/world.h"

#define AGENT "sealed agent"

static void collect(struct world *w, const char *id, const char *outlet, cf_ms sent_at)
{
    Cardflow__V1__CardCollection x;
    cardflow__v1__card_collection__init(&x);
    x.operation_id = cf_data_id((const uint8_t *)id);
    x.application_id = cf_data_id(w->app);
    x.outlet_code = (char *)(uintptr_t)outlet;
    x.channel = (char *)(uintptr_t) "unit";
    x.collector = cf_data(CF_STR(AGENT));
    assert_int_equal(double_feed(w->d, "card.commands", "card.collect", &w->holder,
                                 (const uint8_t *)id, sent_at, cf_pack(w->a, &x.base)),
                     0);
}

static void is_answer(struct world *w, const char *want, const char *reason)
{
    const Cardflow__V1__CardEvent__OperationAnswered *a = last_answer(w);
    assert_string_equal(a->operation, "collect");
    assert_string_equal(a->result, want);
    assert_int_equal(a->n_reasons, reason != NULL);
    if (reason) assert_string_equal(a->reasons[0], reason);
    assert_int_equal(a->notice_no[0] != 0, reason != NULL);
    assert_int_equal(a->voucher_no[0] != 0, !strcmp(want, "done"));
}

static void to_ready(struct world *w)
{
    static const char *const all[] = {"account_opened", "produced", "shipped", "arrived"};
    to_batched(w);
    for (int i = 0; i < 4; i++)
        result(w, all[i]);
    settle(w);
    is_text(row_of(w)->app_state, "ready_for_pickup");
}

static void a_card_that_is_ready_is_collected_with_a_voucher(void **state)
{
    struct world *w = *state;
    to_ready(w);
    struct cf_str no = row_of(w)->made_no;
    collect(w, "collection-id-01", "B01001", w->now);
    is_answer(w, "done", NULL);
    assert_string_equal(steps(w), STRAIGHT);
    is_text(row_of(w)->card_no, cf_arena_str(w->a, no).ptr);
    is_text(row_of(w)->card_state, "sealed");
    const struct production_answer *row =
        double_aux(w->d, PRODUCTION_OPERATION, (const uint8_t *)"collection-id-01");
    assert_non_null(row);
    if (!row) return;
    is_text(row->channel, "unit");
    is_text(row->outlet, "B01001");
    is_text(row->collector, AGENT);
    assert_true(cf_str_eq(row->card_no, no));
    assert_true(cf_receipt_check_prefixed(row->voucher_no, CF_VOUCHER_LETTER));
}

static void once_collected_nothing_more_happens(void **state)
{
    struct world *w = *state;
    to_ready(w);
    collect(w, "collection-id-01", "B01001", w->now);
    size_t sent = w->d->n_sent;
    collect(w, "collection-id-01", "B01001", w->now); /* the same command */
    assert_int_equal(w->d->n_sent, sent);
    collect(w, "collection-id-02", "B01001", w->now);
    is_answer(w, "already", NULL);
    result(w, "collected"); /* the outlet reports it, too */
    assert_string_equal(steps(w), STRAIGHT);
    assert_int_equal(w->d->n_parked, 0);
}

static void before_it_is_ready_it_is_refused_in_every_state(void **state)
{
    static const char *const all[] = {"account_opened", "produced", "shipped"};
    struct world *w = *state;
    char id[] = "collection-id-0x";
    collect(w, "collection-id-00", "B01001", w->now); /* nothing is known of it */
    is_answer(w, "refused", "not_ready_for_pickup");
    to_batched(w);
    for (int i = 0; i < 4; i++) {
        id[15] = (char)('1' + i);
        struct cf_str before = row_of(w)->app_state;
        collect(w, id, "B01001", w->now);
        is_answer(w, "refused", "not_ready_for_pickup");
        assert_true(cf_str_eq(row_of(w)->app_state, before));
        if (i < 3) result(w, all[i]);
    }
    result(w, "arrived");
    withdrawal(w);
    collect(w, "collection-id-09", "B01001", w->now);
    is_answer(w, "refused", "not_ready_for_pickup");
    is_text(row_of(w)->app_state, "withdrawn");
    assert_int_equal(w->d->n_parked, 0);
}

static void it_lies_at_its_own_outlet(void **state)
{
    struct world *w = *state;
    to_ready(w);
    collect(w, "collection-id-01", "B01002", w->now);
    is_answer(w, "refused", "other_outlet");
    is_text(row_of(w)->app_state, "ready_for_pickup");
    collect(w, "collection-id-02", "", w->now); /* whoever writes the topic may leave it out */
    is_answer(w, "done", NULL);
}

static void a_command_that_is_too_old_or_one_too_many_is_refused(void **state)
{
    struct world *w = *state;
    to_ready(w);
    cf_ms sent = w->now;
    time_passes(w, 8 * DAY);
    collect(w, "collection-id-01", "B01001", sent);
    is_answer(w, "refused", "command_expired");
    char id[] = "collection-id-xx";
    for (int i = 0; i < 64; i++) {
        id[14] = (char)('0' + i / 10);
        id[15] = (char)('A' + i % 10);
        collect(w, id, "B01002", w->now);
    }
    is_answer(w, "refused", "other_outlet");
    collect(w, "collection-id-ZZ", "B01001", w->now);
    is_answer(w, "refused", "too_many_operations");
    is_text(row_of(w)->app_state, "ready_for_pickup");
}

static void what_is_no_collection_is_a_dead_letter(void **state)
{
    struct world *w = *state;
    size_t dead = w->d->n_parked;
    feed(w, "card.commands", "card.collect", &w->holder, CF_STR("\x0a\x01x"));
    assert_int_equal(w->d->n_parked, dead);
    assert_int_equal(count(w, "card.commands.dlq", "card.collect"), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(a_card_that_is_ready_is_collected_with_a_voucher),
        T(once_collected_nothing_more_happens),
        T(before_it_is_ready_it_is_refused_in_every_state),
        T(it_lies_at_its_own_outlet),
        T(a_command_that_is_too_old_or_one_too_many_is_refused),
        T(what_is_no_collection_is_a_dead_letter),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
