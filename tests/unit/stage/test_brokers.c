/* Brokers that meet sequence numbers out of order: three of them, inside librdkafka. */
#include "tests/unit/stage/world.h"

enum { BROKERS = 3, EACH = 250, PRODUCE = 0 /* API key of Kafka's protocol */ };

static int begin_brokers(void **state)
{
    mock_brokers = BROKERS;
    return begin(state);
}

static void settled(int commands)
{
    assert_true(wait_for("select sum(count) from toy.account", commands, 40));
    assert_true(wait_for("select sum(count) from watch.account", commands, 40));
    assert_int_equal(ask("select count(distinct number) from toy.receipt"), commands);
    assert_int_equal(ask("select sum(count) from watch.account"), commands);
}

static void wait_for_the_end_of(const struct running *r)
{
    struct cf_stage_view v = {0};
    for (int i = 0; i < 400 && !v.fatal; i++) {
        server_sleep_ms(50);
        cf_stage_view(r->stage, &v);
    }
    assert_int_equal(v.fatal, CF_E_BROKER);
}

static void a_producer_that_may_not_go_on_ends_the_stage_and_the_next_one_goes_on(void **state)
{
    (void)state;
    struct running *watch = start(&watch_service, dsn[1]);
    send_many(0, EACH);
    rd_kafka_mock_push_request_errors(mock, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    struct running *toy = start(&toy_service, dsn[0]);
    wait_for_the_end_of(toy);
    assert_true(ask("select coalesce(sum(count), 0) from watch.account") < EACH);
    stop(toy);
    toy = start(&toy_service, dsn[0]);
    settled(EACH);
    stop(toy);
    stop(watch);
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, begin_brokers, end)
        T(a_producer_that_may_not_go_on_ends_the_stage_and_the_next_one_goes_on),
    };
    int failed = cmocka_run_group_tests_name("brokers", tests, NULL, NULL);
    if (pg) server_stop(pg);
    return failed;
}
