/* Brokers that refuse, answer late and out of order, and are gone with the answer: three of them,
 * inside librdkafka. The mock does not know sequence numbers: what is sent again stands there
 * twice. */
#include "tests/unit/stage/world.h"

enum { BROKERS = 3, TURNS = 4, EACH = 250 };
enum { PRODUCE = 0, FETCH = 1 }; /* API keys of Kafka's protocol */
#define EVENTS "cardflow.toy.events.v1"

static int begin_brokers(void **state)
{
    mock_brokers = BROKERS;
    return begin(state);
}

static void move_leaders(int by)
{
    for (int part = 0; part < PARTS; part++)
        assert_int_equal(
            rd_kafka_mock_partition_set_leader(mock, EVENTS, part, 1 + (part + by) % BROKERS), 0);
}

static void settled(int commands)
{
    assert_true(wait_for("select sum(count) from toy.account", commands, 40));
    assert_true(wait_for("select sum(count) from watch.account", commands, 40));
    assert_int_equal(ask("select count(distinct number) from toy.receipt"), commands);
    assert_int_equal(ask("select sum(count) from watch.account"), commands);
}

static void refuse(int broker)
{
    assert_int_equal(rd_kafka_mock_broker_push_request_error_rtts(
                         mock, broker, PRODUCE, 6, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, 0,
                         RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, 150,
                         RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 0, RD_KAFKA_RESP_ERR_NO_ERROR,
                         250, RD_KAFKA_RESP_ERR__TRANSPORT, 0,
                         RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, 50),
                     0);
    assert_int_equal(rd_kafka_mock_broker_push_request_error_rtts(
                         mock, broker, FETCH, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 0,
                         RD_KAFKA_RESP_ERR__TRANSPORT, 0, RD_KAFKA_RESP_ERR_UNKNOWN, 100),
                     0);
}

static size_t refusals_left(void)
{
    size_t sum = 0, n = 0;
    for (int broker = 1; broker <= BROKERS; broker++) {
        assert_int_equal(rd_kafka_mock_broker_error_stack_cnt(mock, broker, PRODUCE, &n), 0);
        sum += n;
    }
    return sum;
}

static void refused_and_late_requests_lose_and_double_nothing(void **state)
{
    (void)state;
    struct running *toy = start(&toy_service, dsn[0]), *watch = start(&watch_service, dsn[1]);
    for (int turn = 0; turn < TURNS; turn++) {
        refuse(1 + turn % BROKERS);
        send_some(turn * EACH, turn * EACH + EACH);
        server_sleep_ms(200);
        move_leaders(turn);
    }
    rd_kafka_flush(producer, 10000);
    settled(TURNS * EACH);
    assert_true(refusals_left() < (size_t)6 * TURNS / 2);
    stop(toy);
    stop(watch);
}

static long long events_in_the_log(void)
{
    int64_t low = 0, high = 0, sum = 0;
    for (int part = 0; part < PARTS; part++) {
        assert_int_equal(
            rd_kafka_query_watermark_offsets(producer, EVENTS, part, &low, &high, 5000), 0);
        sum += high;
    }
    return sum;
}

static void brokers_that_are_gone_with_the_answer_double_nothing(void **state)
{
    (void)state;
    struct running *toy = start(&toy_service, dsn[0]), *watch = start(&watch_service, dsn[1]);
    send_many(0, EACH);
    settled(EACH);
    for (int turn = 1; turn < TURNS; turn++) {
        int broker = 1 + turn % BROKERS;
        assert_int_equal(rd_kafka_mock_broker_push_request_error_rtts(
                             mock, broker, PRODUCE, 2, RD_KAFKA_RESP_ERR_NO_ERROR, 600,
                             RD_KAFKA_RESP_ERR_NO_ERROR, 600),
                         0);
        send_some(turn * EACH, turn * EACH + EACH);
        server_sleep_ms(300);
        rd_kafka_mock_broker_set_down(mock, broker);
        move_leaders(turn);
        server_sleep_ms(200);
        rd_kafka_mock_broker_set_up(mock, broker);
    }
    rd_kafka_flush(producer, 10000);
    settled(TURNS * EACH);
    assert_true(events_in_the_log() > TURNS * EACH); /* some do stand there twice */
    stop(toy);
    stop(watch);
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
        T(refused_and_late_requests_lose_and_double_nothing),
        T(brokers_that_are_gone_with_the_answer_double_nothing),
        T(a_producer_that_may_not_go_on_ends_the_stage_and_the_next_one_goes_on),
    };
    int failed = cmocka_run_group_tests_name("brokers", tests, NULL, NULL);
    if (pg) server_stop(pg);
    return failed;
}
