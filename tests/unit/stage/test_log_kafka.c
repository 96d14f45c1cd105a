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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_closes_while_its_positions_cannot_be_committed),
    };
    return cmocka_run_group_tests_name("log_kafka", tests, NULL, NULL);
}
