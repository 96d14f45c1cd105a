/* topics create: the topics of proto/topics.json, made once; those that are there are only
 * compared. One request makes all of them, so it is quick even on a broker just started. */
#include "common/io/clock.h"
#include "common/io/json.h"
#include "common/io/kafka_conf.h"
#include "ops/cardctl/cardctl.h"
#include "ops/cardctl/operate.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <unistd.h>

enum { TOPICS_MAX = 200, FILE_MAX = 1 << 20, LOOK_EVERY_MS = 50, CALL_MS = 5000 };

struct wanted {
    const char *brokers;
    int partitions, replication;
    bool test;
    cf_ms until; /* monotonic */
    size_t n;
    struct {
        char name[160];
        bool flush;
        char keep[16];
    } topics[TOPICS_MAX];
};

/* ---- declarations ----------------------------------------------------------------------------- */

static bool keep_ok(const char *keep)
{
    size_t digits = strspn(keep, "0123456789");
    if (strcmp(keep, "forever") == 0 || strcmp(keep, "compact") == 0) return true;
    return digits > 0 && digits < 5 && strcmp(keep + digits, "d") == 0;
}

static bool read_topics(struct wanted *w, const json_t *root)
{
    size_t i;
    json_t *entry;
    json_array_foreach(root, i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "name"));
        const char *keep = json_string_value(json_object_get(entry, "keep"));
        if (!name || !keep || !keep_ok(keep) || w->n == TOPICS_MAX) return false;
        int n = snprintf(w->topics[w->n].name, sizeof w->topics[0].name, "cardflow.%s.v1", name);
        if (n < 0 || (size_t)n >= sizeof w->topics[0].name) return false;
        snprintf(w->topics[w->n].keep, sizeof w->topics[0].keep, "%s", keep);
        w->topics[w->n++].flush = json_is_true(json_object_get(entry, "flush"));
    }
    return w->n > 0;
}

static int load(struct wanted *w, const char *path)
{
    struct cf_json_error wrong;
    char *bytes = cf_malloc(FILE_MAX);
    FILE *file = fopen(path, "rbe");
    size_t n = file ? fread(bytes, 1, FILE_MAX, file) : 0;
    if (file) fclose(file);
    json_t *root = n && n < FILE_MAX ? cf_json_parse((struct cf_str){bytes, n}, &wrong) : NULL;
    bool good = json_is_array(root) && read_topics(w, root);
    json_decref(root);
    free(bytes);
    return good ? 0 : cardctl_fail(path, "is not a list of topics, {\"name\", \"keep\"} each");
}

/* ---- making ----------------------------------------------------------------------------------- */

static void set(rd_kafka_NewTopic_t *t, const char *name, const char *value)
{
    /* Fails only without name. */
    rd_kafka_NewTopic_set_config(t, name, value);
}

static void configure(const struct wanted *w, size_t i, rd_kafka_NewTopic_t *t)
{
    const char *keep = w->topics[i].keep;
    char ms[32];
    bool compact = strcmp(keep, "compact") == 0;
    bool forever = w->test || strcmp(keep, "forever") == 0;
    set(t, "cleanup.policy", compact ? "compact" : "delete");
    snprintf(ms, sizeof ms, "%lld", atoll(keep) * CF_MS_PER_DAY);
    if (!compact) set(t, "retention.ms", forever ? "-1" : ms);
    set(t, "retention.bytes", "-1");
    set(t, "max.message.bytes", "1048588");
    /* An acknowledged command is on the disk; for events the journal is. */
    if (w->topics[i].flush) set(t, "flush.messages", "1");
    set(t, "message.timestamp.type", w->test ? "CreateTime" : "LogAppendTime");
    if (w->test) set(t, "message.timestamp.after.max.ms", "9223372036854775807");
    if (w->replication > 2) set(t, "min.insync.replicas", "2");
}

static int judge(rd_kafka_event_t *ev, size_t *made)
{
    size_t n;
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(ev);
    if (rd_kafka_event_error(ev))
        return cardctl_fail("topics", rd_kafka_event_error_string(ev));
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t e = rd_kafka_topic_result_error(topics[i]);
        if (e == RD_KAFKA_RESP_ERR_NO_ERROR)
            (*made)++;
        else if (e != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return cardctl_fail(rd_kafka_topic_result_name(topics[i]),
                                rd_kafka_topic_result_error_string(topics[i]));
    }
    return 0;
}

static int create(rd_kafka_t *rk, const struct wanted *w, size_t *made)
{
    rd_kafka_NewTopic_t *topics[TOPICS_MAX];
    char why[256];
    int wait = (int)(w->until - cf_mono_ms());
    for (size_t i = 0; i < w->n; i++) {
        topics[i] = rd_kafka_NewTopic_new(w->topics[i].name, w->partitions, w->replication, why,
                                          sizeof why);
        if (!topics[i]) return cardctl_fail(w->topics[i].name, why);
        configure(w, i, topics[i]);
    }
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, wait, why, sizeof why);
    rd_kafka_AdminOptions_set_operation_timeout(options, wait, why, sizeof why);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_CreateTopics(rk, topics, w->n, options, queue);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(queue, wait + CALL_MS);
    int code = ev ? judge(ev, made) : cardctl_fail("topics", "no answer");
    rd_kafka_event_destroy(ev);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy_array(topics, w->n);
    return code;
}

/* ---- looking ---------------------------------------------------------------------------------- */

enum look { LOOK_GOOD, LOOK_NOT_YET, LOOK_WRONG };

static enum look look_topic(const struct wanted *w, const struct rd_kafka_metadata *md, size_t i)
{
    for (int t = 0; t < md->topic_cnt; t++) {
        const rd_kafka_metadata_topic_t *topic = &md->topics[t];
        if (strcmp(topic->topic, w->topics[i].name) != 0) continue;
        if (topic->err || topic->partition_cnt == 0) return LOOK_NOT_YET;
        if (topic->partition_cnt != w->partitions) {
            fprintf(stderr, "cardctl: %s has %d partitions, not %d\n", topic->topic,
                    topic->partition_cnt, w->partitions);
            return LOOK_WRONG;
        }
        for (int p = 0; p < topic->partition_cnt; p++)
            if (topic->partitions[p].leader < 0) return LOOK_NOT_YET;
        return LOOK_GOOD;
    }
    return LOOK_NOT_YET;
}

static enum look look(rd_kafka_t *rk, const struct wanted *w)
{
    const struct rd_kafka_metadata *md;
    if (rd_kafka_metadata(rk, 1, NULL, &md, CALL_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return LOOK_NOT_YET;
    enum look found = LOOK_GOOD;
    for (size_t i = 0; i < w->n && found == LOOK_GOOD; i++)
        found = look_topic(w, md, i);
    rd_kafka_metadata_destroy(md);
    return found;
}

static int wait_for_leaders(rd_kafka_t *rk, const struct wanted *w)
{
    enum look found;
    while ((found = look(rk, w)) == LOOK_NOT_YET && cf_mono_ms() < w->until)
        usleep(LOOK_EVERY_MS * 1000);
    if (found == LOOK_NOT_YET) return cardctl_fail("topics", "not all partitions have a leader");
    return found == LOOK_GOOD ? 0 : 1;
}

static rd_kafka_t *client(const char *brokers)
{
    static const cf_kafka_setting settings[] = {{"reconnect.backoff.ms", "20"},
                                              {"reconnect.backoff.max.ms", "250"},
                                              {"log_level", "2"},
                                              {"client.id", "cardctl"},
                                              {0}};
    return cardctl_kafka(RD_KAFKA_PRODUCER, cf_kafka_conf(brokers, settings));
}

int cardctl_topics_create(int argc, char **argv)
{
    struct wanted *w = cf_calloc(1, sizeof *w);
    const char *path = cardctl_needed(argc, argv, "--file", NULL);
    int timeout = cardctl_number(argc, argv, "--timeout", 30, 3600);
    w->brokers = cardctl_needed(argc, argv, "--brokers", "CARDFLOW_KAFKA_BROKERS");
    w->partitions = cardctl_number(argc, argv, "--partitions", 16, 256);
    w->replication = cardctl_number(argc, argv, "--replication", 1, 9);
    w->test = cardctl_flag(argc, argv, "--test");
    w->until = cf_mono_ms() + timeout * (cf_ms)1000;
    int code = 2;
    if (w->partitions > 0 && w->partitions & (w->partitions - 1))
        cardctl_fail("--partitions", "must be a power of two");
    else if (path && w->brokers && timeout > 0 && w->partitions > 0 && w->replication > 0)
        code = load(w, path);
    rd_kafka_t *rk = code ? NULL : client(w->brokers);
    size_t made = 0;
    if (!code) code = rk ? create(rk, w, &made) : 1;
    if (!code) code = wait_for_leaders(rk, w);
    if (!code) printf("%zu topics, %zu made\n", w->n, made);
    if (rk) rd_kafka_destroy(rk);
    free(w);
    return code;
}
