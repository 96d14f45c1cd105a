/* dlq list, show, redrive, drop: dead letters of one topic, as <topic>.dlq keeps them.
 *
 * A redrive sends the record again as it was, to the topic it came from, by the rules of any
 * outside producer; who has seen its id drops it. Order within a key is that of the dead letters.
 * What was dealt with is kept in the table dlq_handled of the service, after the log has the
 * record: a process that dies in between sends the same record, with the same id, once more. */
#include "common/io/clock.h"
#include "common/io/kafka_conf.h"
#include "ops/cardctl/operate.h"

#include <stdlib.h>
#include <string.h>

enum { CALL_MS = 10000, PARTS_MAX = 256, NAME_MAX_BYTES = 160 };

struct letters {
    const struct filter *filter;
    struct report report;
    PGconn *pg;
    rd_kafka_t *consumer, *producer;
    char dlq[NAME_MAX_BYTES];
    int partitions;
    struct pace pace;
    long found, done, refused;
    bool failed;
};

/* ---- one dead letter ------------------------------------------------------------------------- */

/* Where the record lay: "bank.results/3/17". */
static bool came_from(const rd_kafka_message_t *m, const char *topic, int32_t *part)
{
    struct cf_str from = operate_header(m, "cf_from");
    size_t n = strlen(topic);
    if (from.len <= n + 1 || memcmp(from.ptr, topic, n) != 0 || from.ptr[n] != '/') return false;
    *part = 0;
    for (size_t i = n + 1; i < from.len && from.ptr[i] >= '0' && from.ptr[i] <= '9'; i++)
        *part = *part * 10 + (from.ptr[i] - '0');
    return *part < PARTS_MAX;
}

/* Why it may not be sent again; NULL: it may. */
static const char *refusal(const struct letters *l, const rd_kafka_message_t *m)
{
    int32_t part;
    if (!came_from(m, l->filter->topic, &part))
        return "refused: it does not say where it came from";
    /* A number given out once must not stand in a stream twice, nor may a hole be filled. */
    if (operate_header(m, "orig_cf_src").len) return "refused: a numbered message of a stage";
    return NULL;
}

static rd_kafka_headers_t *original_headers(const rd_kafka_message_t *m)
{
    static const char *const names[] = {"ce_id", "ce_type", "ce_source", "ce_time"};
    char orig[32];
    rd_kafka_headers_t *h = rd_kafka_headers_new(6);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(orig, sizeof orig, "orig_%s", names[i]);
        struct cf_str v = operate_header(m, orig);
        if (v.len) rd_kafka_header_add(h, names[i], -1, v.ptr, (ssize_t)v.len);
    }
    rd_kafka_header_add(h, "ce_specversion", -1, "1.0", -1);
    struct cf_str trace = operate_header(m, "traceparent");
    if (trace.len) rd_kafka_header_add(h, "traceparent", -1, trace.ptr, (ssize_t)trace.len);
    return h;
}

static bool send_again(struct letters *l, const rd_kafka_message_t *m)
{
    int32_t part = -1;
    if (m->key_len == 0 && !came_from(m, l->filter->topic, &part)) return false;
    struct message out = {.topic = l->filter->topic,
                          .part = part,
                          .key = {m->key, m->key_len},
                          .value = {m->payload, m->len},
                          .headers = original_headers(m)};
    return operate_send(l->producer, &out);
}

static bool keep_handled(struct letters *l, const rd_kafka_message_t *m, const char *action)
{
    char part[16], offset[24], topic[NAME_MAX_BYTES];
    snprintf(part, sizeof part, "%d", (int)m->partition);
    snprintf(offset, sizeof offset, "%lld", (long long)m->offset);
    snprintf(topic, sizeof topic, "%s.dlq", l->filter->topic);
    const char *values[] = {part, topic, offset, action};
    PGresult *r = operate_ask(l->pg,
                              "insert into dlq_handled (part, topic, log_offset, action) values "
                              "($1::smallint, $2, $3::bigint, $4) on conflict do nothing",
                              4, values);
    PQclear(r);
    return r != NULL;
}

static bool deal_with(struct letters *l, const rd_kafka_message_t *m)
{
    bool drop = l->filter->verb == VERB_DROP;
    struct cf_str key = {m->key, m->key_len};
    pace_wait(&l->pace, l->filter->rate, 1);
    bool good = operate_audit(l->producer, l->filter, drop ? "dlq.drop" : "dlq.redrive", key,
                              l->filter->topic, (int)m->partition, 1);
    if (good && !drop) good = send_again(l, m);
    if (good) good = keep_handled(l, m, drop ? "dropped" : "redriven");
    l->done += good;
    return good;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The places of a partition that were dealt with, in order. */
struct handled {
    int64_t *offsets;
    size_t n, at;
};

static bool load_handled(struct letters *l, int part, struct handled *h)
{
    char text[16], topic[NAME_MAX_BYTES];
    snprintf(text, sizeof text, "%d", part);
    snprintf(topic, sizeof topic, "%s.dlq", l->filter->topic);
    const char *values[] = {text, topic};
    PGresult *r = operate_ask(l->pg,
                              "select log_offset from dlq_handled where part = $1::smallint and "
                              "topic = $2 order by log_offset",
                              2, values);
    *h = (struct handled){0};
    if (!r) return false;
    h->n = (size_t)PQntuples(r);
    h->offsets = cf_calloc(h->n + 1, sizeof *h->offsets);
    for (size_t i = 0; i < h->n; i++)
        h->offsets[i] = atoll(PQgetvalue(r, (int)i, 0));
    PQclear(r);
    return true;
}

static bool is_handled(struct handled *h, int64_t offset)
{
    while (h->at < h->n && h->offsets[h->at] < offset)
        h->at++;
    return h->at < h->n && h->offsets[h->at] == offset;
}

static void tell(struct letters *l, const rd_kafka_message_t *m, struct cf_str reason,
                 const char *note)
{
    static const char *const shown[] = {"cf_from", "orig_ce_id", "orig_ce_source", "orig_ce_time",
                                        "orig_cf_src", "traceparent"};
    rd_kafka_timestamp_type_t type;
    char key[2 * 256 + 1] = "", why[300], ce_type[300];
    struct cf_str t = operate_header(m, "orig_ce_type"), from = operate_header(m, "cf_from");
    if (m->key_len <= 256) cf_hex(m->key, m->key_len, key);
    snprintf(why, sizeof why, "%.*s", CF_ARG(reason));
    snprintf(ce_type, sizeof ce_type, "%.*s", CF_ARG(t));
    const struct line line = {.topic = l->filter->topic,
                              .part = (int)m->partition,
                              .offset = m->offset,
                              .index = -1,
                              .type = ce_type,
                              .reason = why,
                              .key = key,
                              .note = note,
                              .at = rd_kafka_message_timestamp(m, &type),
                              .bytes = (int64_t)m->len};
    report_line(&l->report, &line);
    if (l->filter->verb == VERB_SHOW) {
        if (from.len) report_header(&l->report, "from", from);
        for (size_t i = 1; i < sizeof shown / sizeof *shown; i++) {
            struct cf_str v = operate_header(m, shown[i]);
            if (v.len) report_header(&l->report, shown[i], v);
        }
    }
    report_line_end(&l->report);
}

static void one(struct letters *l, const rd_kafka_message_t *m, struct handled *handled)
{
    rd_kafka_timestamp_type_t type;
    const struct filter *f = l->filter;
    struct cf_str key = {m->key, m->key_len}, reason = operate_header(m, "cf_reason");
    bool was = is_handled(handled, m->offset);
    if ((was && !f->handled) || (was && (f->verb == VERB_REDRIVE || f->verb == VERB_DROP))) return;
    if (!filter_fits(f, key, reason, rd_kafka_message_timestamp(m, &type))) return;
    const char *no = f->verb == VERB_REDRIVE ? refusal(l, m) : NULL;
    l->found++;
    tell(l, m, reason, no ? no : was ? "handled" : NULL);
    if (no)
        l->refused++;
    else if (filter_changes(f))
        l->failed = !deal_with(l, m);
}

/* Reads a partition from its begin to the end that it has now. */
static void read_partition(struct letters *l, int part)
{
    struct handled handled;
    int64_t low, high;
    if (rd_kafka_query_watermark_offsets(l->consumer, l->dlq, part, &low, &high, CALL_MS)) {
        cardctl_fail(l->dlq, "its ends cannot be read");
        l->failed = true;
        return;
    }
    if (low == high) return;
    l->failed = !load_handled(l, part, &handled);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, l->dlq, part)->offset = low;
    if (!l->failed) l->failed = rd_kafka_assign(l->consumer, list) != 0;
    rd_kafka_topic_partition_list_destroy(list);
    cf_ms until = cf_mono_ms() + CALL_MS;
    for (bool end = false; !l->failed && !end && l->found < l->filter->limit;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(l->consumer, 200);
        if (!m && cf_mono_ms() > until) l->failed = cardctl_fail(l->dlq, "no answer") != 0;
        if (!m) continue;
        until = cf_mono_ms() + CALL_MS;
        end = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || (!m->err && m->offset >= high - 1);
        if (m->err && !end) l->failed = cardctl_fail(l->dlq, rd_kafka_err2str(m->err)) != 0;
        if (!m->err && m->offset < high) one(l, m, &handled);
        rd_kafka_message_destroy(m);
    }
    rd_kafka_assign(l->consumer, NULL);
    free(handled.offsets);
}

static rd_kafka_t *reader(const struct filter *f)
{
    static const cf_kafka_setting settings[] = {{"group.id", "cardctl"},
                                              {"enable.auto.commit", "false"},
                                              {"enable.partition.eof", "true"},
                                              {"log_level", "2"},
                                              {"client.id", "cardctl"},
                                              {0}};
    return cardctl_kafka(RD_KAFKA_CONSUMER, cf_kafka_conf(f->brokers, settings));
}

static bool count_partitions(struct letters *l)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(l->consumer, l->dlq, NULL);
    if (rd_kafka_metadata(l->consumer, 0, topic, &md, CALL_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (md->topic_cnt == 1 && !md->topics[0].err) l->partitions = md->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(md);
    }
    rd_kafka_topic_destroy(topic);
    return l->partitions > 0 || cardctl_fail(l->dlq, "there is no such topic") == 0;
}

/* One at a time: two could send the same dead letter. */
static bool alone(const struct letters *l)
{
    const char *values[] = {l->dlq};
    PGresult *r =
        operate_ask(l->pg, "select pg_try_advisory_lock(hashtext($1))", 1, values);
    bool good = r && *PQgetvalue(r, 0, 0) == 't';
    if (r && !good) cardctl_fail(l->dlq, "somebody else is at it");
    PQclear(r);
    return good;
}

static bool open_all(struct letters *l)
{
    snprintf(l->dlq, sizeof l->dlq, "cardflow.%s.dlq.v1", l->filter->topic);
    l->pg = operate_database(l->filter);
    if (!l->pg || (filter_changes(l->filter) && !alone(l))) return false;
    l->consumer = reader(l->filter);
    if (!l->consumer || !count_partitions(l)) return false;
    if (!filter_changes(l->filter)) return true;
    l->producer = operate_producer(l->filter);
    return l->producer != NULL;
}

static int run(int argc, char **argv, enum verb verb)
{
    struct filter f;
    struct letters l = {.filter = &f};
    int code = 1;
    if (!filter_read(argc, argv, verb, true, &f)) return 2;
    if (open_all(&l)) {
        report_begin(&l.report, &f);
        for (int part = 0; part < l.partitions && !l.failed && l.found < f.limit; part++)
            read_partition(&l, part);
        const struct fact facts[] = {
            {verb == VERB_DROP ? "dropped" : "redriven", l.done   },
            {"refused",                                  l.refused},
            {NULL,                                       0        }
        };
        code = report_end(&l.report, filter_changes(&f) || l.refused ? facts : NULL);
        if (l.failed || l.refused) code = 1;
    }
    if (l.producer) rd_kafka_destroy(l.producer);
    if (l.consumer) rd_kafka_consumer_close(l.consumer);
    if (l.consumer) rd_kafka_destroy(l.consumer);
    PQfinish(l.pg);
    return code;
}

int cardctl_dlq_list(int argc, char **argv)
{
    return run(argc, argv, VERB_LIST);
}

int cardctl_dlq_show(int argc, char **argv)
{
    return run(argc, argv, VERB_SHOW);
}

int cardctl_dlq_redrive(int argc, char **argv)
{
    return run(argc, argv, VERB_REDRIVE);
}

int cardctl_dlq_drop(int argc, char **argv)
{
    return run(argc, argv, VERB_DROP);
}
