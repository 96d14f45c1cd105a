/* Against the mock cluster inside librdkafka: real protocol over real sockets. */
#include "common/io/clock.h"
#include "common/io/kafka_front.h"
#include "common/pure/hash.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PARTS = 4, BROKER = 1, PRODUCE = 0 /* API keys of Kafka's protocol */ };
#define TOPIC "cardflow.application.commands.v1"

static rd_kafka_t *host;
static rd_kafka_mock_cluster_t *cluster;
static struct cf_loop *loop;
static struct cf_front_producer *producer;
static rd_kafka_t *reader;
static rd_kafka_message_t *got;

struct answers {
    int n, last, good;
};

static void sent(void *arg, int e)
{
    struct answers *a = arg;
    a->n++;
    a->last = e;
    if (!e) a->good++;
}

static void turns_until(const int *value, int want, cf_ms ms)
{
    for (cf_ms until = cf_mono_ms() + ms; *value < want && cf_mono_ms() < until;)
        cf_loop_turn(loop, true);
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers)
{
    char why[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "2", why, sizeof why);
    if (brokers) rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    if (type == RD_KAFKA_CONSUMER) rd_kafka_conf_set(conf, "group.id", "test", why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
    assert_non_null(rk);
    return rk;
}

static int make(void **state)
{
    (void)state;
    host = client(RD_KAFKA_PRODUCER, NULL);
    cluster = rd_kafka_mock_cluster_new(host, 1);
    rd_kafka_mock_topic_create(cluster, TOPIC, PARTS, 1);
    loop = cf_loop_new();
    producer = cf_front_producer_new(loop, rd_kafka_mock_cluster_bootstraps(cluster), PARTS);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    if (got) rd_kafka_message_destroy(got);
    if (reader) rd_kafka_destroy_flags(reader, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    got = NULL;
    reader = NULL;
    cf_front_producer_free(producer);
    cf_loop_free(loop);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    return 0;
}

static struct cf_front_message message(const char *key)
{
    return (struct cf_front_message){.topic = "application.commands",
                                     .key = cf_str_of(key),
                                     .part = -1,
                                     .ce_id = {0xAB, 1, 2},
                                     .ce_type = "application.submit",
                                     .ce_source = "intake/front",
                                     .ce_time = 1767225600000,
                                     .traceparent = CF_STR("00-aa-bb-01"),
                                     .value = CF_STR("a value")};
}

/* Reads into `got`. */
static void read_first(int part)
{
    reader = client(RD_KAFKA_CONSUMER, rd_kafka_mock_cluster_bootstraps(cluster));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, TOPIC, part)->offset = 0;
    rd_kafka_assign(reader, list);
    rd_kafka_topic_partition_list_destroy(list);
    for (int i = 0; i < 100 && (!got || got->err); i++) {
        if (got) rd_kafka_message_destroy(got);
        got = rd_kafka_consumer_poll(reader, 100);
    }
    assert_non_null(got);
    assert_int_equal(got->err, 0);
}

static void assert_header(const char *name, const char *want)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t n;
    assert_int_equal(rd_kafka_message_headers(got, &headers), 0);
    assert_int_equal(rd_kafka_header_get_last(headers, name, &value, &n), 0);
    assert_true(cf_str_is((struct cf_str){value, n}, want));
}

static void a_message_arrives_in_its_keys_partition_with_all_headers(void **state)
{
    struct answers a = {0};
    char time[30];
    (void)state;
    struct cf_front_message m = message("some-key");
    cf_ms before = cf_now_ms();
    assert_int_equal(cf_front_send(producer, &m, sent, &a), 0);
    assert_int_equal(a.n, 0);
    turns_until(&a.n, 1, 5000);
    assert_int_equal(a.good, 1);
    assert_true(cf_front_up(producer));
    read_first((int)cf_partition_of("some-key", 8, PARTS));
    assert_int_equal(got->key_len, 8);
    assert_memory_equal(got->key, "some-key", 8);
    assert_int_equal(got->len, 7);
    assert_memory_equal(got->payload, "a value", 7);
    assert_header("ce_id", "ab010200-0000-0000-0000-000000000000");
    assert_header("ce_type", "application.submit");
    assert_header("ce_source", "intake/front");
    assert_header("ce_time", cf_rfc3339_text(m.ce_time, time));
    assert_header("ce_specversion", "1.0");
    assert_header("traceparent", "00-aa-bb-01");
    rd_kafka_timestamp_type_t type;
    assert_in_range(rd_kafka_message_timestamp(got, &type), before, cf_now_ms());
}

static void the_partition_can_be_given(void **state)
{
    struct answers a = {0};
    (void)state;
    int other = ((int)cf_partition_of("some-key", 8, PARTS) + 1) % PARTS;
    struct cf_front_message m = message("some-key");
    m.part = other;
    m.traceparent = (struct cf_str){0};
    assert_int_equal(cf_front_send(producer, &m, sent, &a), 0);
    turns_until(&a.n, 1, 5000);
    read_first(other);
    assert_int_equal(got->partition, other);
}

static void a_value_over_the_limit_is_refused_at_once(void **state)
{
    static char large[64 * 1024 + 1];
    struct answers a = {0};
    (void)state;
    struct cf_front_message m = message("k");
    m.value = (struct cf_str){large, sizeof large};
    assert_int_equal(cf_front_send(producer, &m, sent, &a), CF_E_TOO_LARGE);
    m.value.len--;
    assert_int_equal(cf_front_send(producer, &m, sent, &a), 0);
    turns_until(&a.n, 1, 5000);
    assert_int_equal(a.good, 1);
}

static void many_messages_are_all_answered(void **state)
{
    struct answers a = {0};
    (void)state;
    struct cf_front_message m = message("k");
    for (int i = 0; i < 5000; i++)
        assert_int_equal(cf_front_send(producer, &m, sent, &a), 0);
    turns_until(&a.n, 5000, 10000);
    assert_int_equal(a.good, 5000);
}

static void a_broker_that_is_away_is_an_error_after_five_seconds_and_comes_back(void **state)
{
    struct answers a = {0};
    (void)state;
    struct cf_front_message m = message("k");
    assert_int_equal(cf_front_send(producer, &m, sent, &a), 0);
    turns_until(&a.n, 1, 5000);
    rd_kafka_mock_broker_set_down(cluster, BROKER);
    cf_ms began = cf_mono_ms();
    assert_int_equal(cf_front_send(producer, &m, sent, &a), 0);
    turns_until(&a.n, 2, 9000);
    assert_int_equal(a.last, CF_E_NET);
    assert_in_range(cf_mono_ms() - began, 4500, 7500);
    assert_false(cf_front_up(producer));
    rd_kafka_mock_broker_set_up(cluster, BROKER);
    for (cf_ms until = cf_mono_ms() + 5000; !cf_front_up(producer) && cf_mono_ms() < until;)
        cf_loop_turn(loop, true);
    assert_true(cf_front_up(producer));
    assert_int_equal(cf_front_send(producer, &m, sent, &a), 0);
    turns_until(&a.n, 3, 5000);
    assert_int_equal(a.last, 0);
}

static void a_full_queue_refuses_and_the_end_answers_what_is_open(void **state)
{
    struct answers a = {0};
    int refused = 0, taken = 0;
    (void)state;
    rd_kafka_mock_broker_set_down(cluster, BROKER);
    struct cf_front_message m = message("k");
    for (int i = 0; i < 20100; i++) {
        int e = cf_front_send(producer, &m, sent, &a);
        refused += e == CF_E_NET;
        taken += e == 0;
    }
    assert_int_equal(taken, 20000);
    assert_int_equal(refused, 100);
    cf_front_producer_free(producer);
    assert_int_equal(a.n, 20000);
    assert_int_equal(a.good, 0);
    producer = NULL;
}

/* Brokers that answer a retry as a repeat tell no offset: that is no acknowledgement. Here the
 * first answer is lost, so the message stands twice in the log and is answered once. */
static void a_message_whose_answer_is_lost_is_sent_again_and_answered_once(void **state)
{
    struct answers a = {0};
    struct cf_front_message m = message("k");
    (void)state;
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    assert_int_equal(cf_front_send(producer, &m, sent, &a), 0);
    turns_until(&a.n, 1, 8000);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.good, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_whose_answer_is_lost_is_sent_again_and_answered_once),
        TEST(a_message_arrives_in_its_keys_partition_with_all_headers),
        TEST(the_partition_can_be_given),
        TEST(a_value_over_the_limit_is_refused_at_once),
        TEST(many_messages_are_all_answered),
        TEST(a_full_queue_refuses_and_the_end_answers_what_is_open),
        TEST(a_broker_that_is_away_is_an_error_after_five_seconds_and_comes_back),
    };
    return cmocka_run_group_tests_name("kafka_front", tests, NULL, NULL);
}
