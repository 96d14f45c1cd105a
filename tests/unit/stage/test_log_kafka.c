/* The log's door against the mock cluster: what librdkafka does when nobody looks. */
#include "common/io/stage/doors.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { PARTS = 4, BROKER = 1 };

static int64_t mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void it_closes_while_its_positions_cannot_be_committed(void **state)
{
    static const struct cf_topic_in in[] = {{"toy.commands", true, NULL}, {0}};
    static const char *const out[] = {NULL};
    static const struct cf_service service = {.name = "toy", .in = in, .out = out};
    const struct cf_position at = {.topic = 0, .part = 1, .last_offset = 41};
    char why[200];
    (void)state;
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    rd_kafka_conf_set(settings, "log_level", "2", why, sizeof why);
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, settings, why, sizeof why);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, 1);
    rd_kafka_mock_topic_create(cluster, "toy.commands", PARTS, 1);
    rd_kafka_mock_broker_set_down(cluster, BROKER);
    const struct cf_stage_conf conf = {.brokers = rd_kafka_mock_cluster_bootstraps(cluster),
                                       .partitions = PARTS,
                                       .topic_prefix = "",
                                       .topic_suffix = ""};
    struct cf_log *log = cf_log_kafka(&service, &conf);
    assert_non_null(log);
    log->mirror(log->self, &at, 1);
    int64_t before = mono_ms();
    log->free(log->self);
    assert_in_range(mono_ms() - before, 0, 4000);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
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

/* A broker takes any first sequence of a producer it does not know. When the first request to a
 * partition fails and the second is on its way already, the first could never be written. */
static void the_first_message_to_a_partition_goes_alone(void **state)
{
    static const struct cf_topic_in in[] = {{0}};
    static const char *const out[] = {"toy.events", NULL};
    static const struct cf_service service = {.name = "toy", .in = in, .out = out};
    int64_t offsets[4] = {-1, -1, -1, -1};
    char why[200];
    (void)state;
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    rd_kafka_conf_set(settings, "log_level", "2", why, sizeof why);
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, settings, why, sizeof why);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(host, 1);
    rd_kafka_mock_topic_create(cluster, "toy.events", PARTS, 1);
    const struct cf_stage_conf conf = {.brokers = rd_kafka_mock_cluster_bootstraps(cluster),
                                       .partitions = PARTS,
                                       .topic_prefix = "",
                                       .topic_suffix = ""};
    struct cf_log *log = cf_log_kafka(&service, &conf);
    assert_non_null(log);
    /* Connected, with metadata and an id: by another partition. */
    send_until_taken(log, 0, 0, offsets);
    wait_for_ack(log, 0, offsets);
    rd_kafka_mock_broker_set_rtt(cluster, BROKER, 100);
    rd_kafka_mock_push_request_errors(cluster, 0 /* Produce */, 1,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    for (int64_t no = 1; no <= 3; no++) {
        send_until_taken(log, 1, no, offsets);
        nanosleep(&(struct timespec){0, 20000000}, NULL);
    }
    wait_for_ack(log, 3, offsets);
    for (int64_t no = 1; no <= 3; no++)
        assert_int_equal(offsets[no], no - 1);
    log->free(log->self);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_closes_while_its_positions_cannot_be_committed),
        cmocka_unit_test(the_first_message_to_a_partition_goes_alone),
    };
    return cmocka_run_group_tests_name("log_kafka", tests, NULL, NULL);
}
