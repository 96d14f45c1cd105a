/* The log's door against the mock cluster: what librdkafka does when nobody looks. */
#include "common/io/stage/doors.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { PARTS = 4, BROKER = 1, AWAY_MS = 2500 };

static int64_t mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct world {
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    struct cf_stage_conf conf;
    struct cf_log *log;
};

static const struct cf_topic_in reads[] = {{"toy.commands", true, NULL}, {0}};
static const struct cf_topic_in reads_nothing[] = {{0}};
static const char *const writes_nothing[] = {NULL};
static const char *const writes[] = {"toy.events", NULL};
static const struct cf_service reader = {.name = "toy", .in = reads, .out = writes_nothing};
static const struct cf_service writer = {.name = "toy", .in = reads_nothing, .out = writes};

static void begin(struct world *w, const char *topic)
{
    char why[200];
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    rd_kafka_conf_set(settings, "log_level", "2", why, sizeof why);
    w->host = rd_kafka_new(RD_KAFKA_PRODUCER, settings, why, sizeof why);
    w->cluster = rd_kafka_mock_cluster_new(w->host, 1);
    rd_kafka_mock_topic_create(w->cluster, topic, PARTS, 1);
    w->conf = (struct cf_stage_conf){.brokers = rd_kafka_mock_cluster_bootstraps(w->cluster),
                                     .partitions = PARTS,
                                     .topic_prefix = "",
                                     .topic_suffix = ""};
}

static void open_log(struct world *w, const struct cf_service *service)
{
    w->log = cf_log_kafka(service, &w->conf);
    assert_non_null(w->log);
}

static void end(struct world *w)
{
    if (w->log) w->log->free(w->log->self);
    rd_kafka_mock_cluster_destroy(w->cluster);
    rd_kafka_destroy(w->host);
}

static void it_closes_while_its_positions_cannot_be_committed(void **state)
{
    const struct cf_position at = {.topic = 0, .part = 1, .last_offset = 41};
    struct world w = {0};
    (void)state;
    begin(&w, "toy.commands");
    rd_kafka_mock_broker_set_down(w.cluster, BROKER);
    open_log(&w, &reader);
    w.log->mirror(w.log->self, &at, 1);
    int64_t before = mono_ms();
    w.log->free(w.log->self);
    w.log = NULL;
    assert_in_range(mono_ms() - before, 0, 4000);
    end(&w);
}

static void take_acks(struct cf_log *log, int64_t offsets[])
{
    struct cf_ack acks[4];
    size_t n;
    assert_int_equal(log->acks(log->self, acks, 4, 20, &n), 0);
    for (size_t i = 0; i < n; i++)
        offsets[acks[i].no] = acks[i].offset;
}

/* Sends as the loop does: again, as long as the log asks to wait. */
static void send_until_taken(struct cf_log *log, int32_t target, int64_t no, int64_t offsets[])
{
    const struct cf_out_message m = {.topic = 0,
                                     .target = target,
                                     .no = no,
                                     .type = CF_STR("toy.event"),
                                     .key = CF_STR("k"),
                                     .value = CF_STR("v")};
    while (log->produce(log->self, 0, 1, &m) == CF_E_NET)
        take_acks(log, offsets);
}

static void wait_for_ack(struct cf_log *log, int64_t no, int64_t offsets[])
{
    int64_t until = mono_ms() + 20000;
    while (offsets[no] < 0 && mono_ms() < until)
        take_acks(log, offsets);
}

/* Connected, with metadata and an id: by message 0, to partition 0. */
static void begin_connected(struct world *w, int64_t offsets[])
{
    begin(w, "toy.events");
    open_log(w, &writer);
    send_until_taken(w->log, 0, 0, offsets);
    wait_for_ack(w->log, 0, offsets);
}

/* A broker takes any first sequence of a producer it does not know. When the first request to a
 * partition fails and the second is on its way already, the first could never be written. */
static void the_first_message_to_a_partition_goes_alone(void **state)
{
    int64_t offsets[4] = {-1, -1, -1, -1};
    struct world w = {0};
    (void)state;
    begin_connected(&w, offsets);
    rd_kafka_mock_broker_set_rtt(w.cluster, BROKER, 100);
    rd_kafka_mock_push_request_errors(w.cluster, 0 /* Produce */, 1,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    for (int64_t no = 1; no <= 3; no++) {
        send_until_taken(w.log, 1, no, offsets);
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
    wait_for_ack(w.log, 3, offsets);
    for (int64_t no = 1; no <= 3; no++)
        assert_int_equal(offsets[no], no - 1);
    end(&w);
}

static void what_is_sent_waits_for_a_broker_that_is_away(void **state)
{
    int64_t offsets[4] = {-1, -1, -1, -1};
    struct world w = {0};
    (void)state;
    begin_connected(&w, offsets);
    rd_kafka_mock_broker_set_down(w.cluster, BROKER);
    send_until_taken(w.log, 0, 1, offsets);
    send_until_taken(w.log, 0, 2, offsets);
    for (int64_t until = mono_ms() + AWAY_MS; mono_ms() < until;)
        take_acks(w.log, offsets); /* none of them is given up */
    assert_int_equal(offsets[1], -1);
    rd_kafka_mock_broker_set_up(w.cluster, BROKER);
    wait_for_ack(w.log, 2, offsets);
    assert_int_equal(offsets[1], 1);
    assert_int_equal(offsets[2], 2);
    end(&w);
}

/* The stage learns it though it has nothing more to send. */
static void a_producer_that_may_not_go_on_is_told_with_the_acknowledgements(void **state)
{
    int64_t offsets[4] = {-1, -1, -1, -1};
    struct world w = {0};
    struct cf_ack acks[4];
    size_t n;
    int e = 0;
    (void)state;
    begin_connected(&w, offsets);
    rd_kafka_mock_push_request_errors(w.cluster, 0 /* Produce */, 1,
                                      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    send_until_taken(w.log, 0, 1, offsets);
    for (int64_t until = mono_ms() + 10000; !e && mono_ms() < until;)
        e = w.log->acks(w.log->self, acks, 4, 20, &n);
    assert_int_equal(e, CF_E_BROKER);
    end(&w);
}

/* Records 0 to 2 of partition 1 of toy.commands. */
static void write_three(const struct world *w)
{
    char why[200];
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    rd_kafka_conf_set(settings, "bootstrap.servers", w->conf.brokers, why, sizeof why);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, settings, why, sizeof why);
    for (int i = 0; i < 3; i++) {
        char value[16];
        snprintf(value, sizeof value, "v%d", i);
        assert_int_equal(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("toy.commands"),
                                           RD_KAFKA_V_PARTITION(1),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                           RD_KAFKA_V_KEY("k", 1),
                                           RD_KAFKA_V_VALUE(value, strlen(value)),
                                           RD_KAFKA_V_HEADER("ce_id", value, -1),
                                           RD_KAFKA_V_END),
                         0);
    }
    assert_int_equal(rd_kafka_flush(producer, 10000), 0);
    rd_kafka_destroy(producer);
}

/* What the first poll that brings anything says; the first record's offset, -1: none. */
static int read_from(const struct world *w, int64_t last_offset, uint64_t hash, int64_t *first)
{
    const struct cf_position at = {0, 1, last_offset, hash};
    struct cf_record records[8];
    size_t n = 0;
    int e = w->log->assign(w->log->self, &at, 1);
    for (int64_t until = mono_ms() + 10000; !e && n == 0 && mono_ms() < until;)
        e = w->log->poll(w->log->self, records, 8, 100, &n);
    *first = n ? records[0].offset : -1;
    w->log->done(w->log->self);
    return e;
}

static uint64_t hash_of(const char *value)
{
    const struct cf_record r = {
        .key = CF_STR("k"), .value = cf_str_of(value), .ce_id = cf_str_of(value)};
    return cf_record_hash(&r);
}

static void a_log_that_holds_another_record_is_noticed(void **state)
{
    struct world w = {0};
    int64_t first;
    (void)state;
    begin(&w, "toy.commands");
    write_three(&w);
    open_log(&w, &reader);
    assert_int_equal(read_from(&w, 0, hash_of("v0"), &first), 0);
    assert_int_equal(first, 1);
    assert_int_equal(read_from(&w, 0, hash_of("v1"), &first), CF_E_GAP);
    assert_int_equal(first, -1);
    assert_int_equal(w.log->gap(w.log->self), 1);
    end(&w);
}

/* As when a topic was deleted and made again, or a log was cut. */
static void a_position_beyond_the_log_is_noticed(void **state)
{
    struct world w = {0};
    int64_t first;
    (void)state;
    begin(&w, "toy.commands");
    write_three(&w);
    open_log(&w, &reader);
    assert_int_equal(read_from(&w, 41, hash_of("v0"), &first), CF_E_GAP);
    assert_int_equal(first, -1);
    assert_int_equal(w.log->gap(w.log->self), 1);
    end(&w);
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_closes_while_its_positions_cannot_be_committed),
        cmocka_unit_test(the_first_message_to_a_partition_goes_alone),
        cmocka_unit_test(what_is_sent_waits_for_a_broker_that_is_away),
        cmocka_unit_test(a_producer_that_may_not_go_on_is_told_with_the_acknowledgements),
        cmocka_unit_test(a_log_that_holds_another_record_is_noticed),
        cmocka_unit_test(a_position_beyond_the_log_is_noticed),
    };
    return cmocka_run_group_tests_name("log_kafka", tests, NULL, NULL);
}
