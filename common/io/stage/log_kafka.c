/* log_kafka -- the log's door to Kafka. One consumer with manual assignment, one producer without
 * gaps (infinite timeout, idempotent). Positions live in PostgreSQL; the group exists for lag tools
 * only. librdkafka 2.0.2: no pause, seek or batch consume (they skip offsets): assign again. */
#include "common/io/clock.h"
#include "common/io/kafka_conf.h"
#include "common/io/stage/doors.h"
#include "common/io/stage/pgbin.h"
#include "common/pure/hash.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRACE_MAX = 64 }; /* W3C: 55 */

struct sent {
    struct sent *next; /* free */
    struct sent *all;
    struct cf_ack ack;
};

struct entry {
    uint16_t topic; /* index in; or output while scanning */
    int32_t part;
    int64_t last; /* newest offset handed to the loop */
    uint64_t hash;
    bool verify; /* the first record must be the last one applied */
    bool eof;    /* scanning: read to the end */
};

/* A broker takes any first sequence of a producer it does not know. Were the first request to a
 * partition refused (no leader yet) while the second is on its way, the second would be written
 * and the first never: so the first message to a partition goes alone, and again after a silence
 * in which the broker may have forgotten us (its producer.id.expiration.ms, a day by default). */
enum { OPENED_NOT, OPENED_ASKED, OPENED_FOR_MS = 12 * 3600 * 1000 };

struct log_kafka {
    struct cf_log door;
    const struct cf_service *service;
    const struct cf_stage_conf *conf;
    rd_kafka_t *consumer, *producer;
    size_t n_in, n_out;
    char names[64][160]; /* full names: in, then outputs */
    rd_kafka_topic_t *out_topics[64];
    int64_t *opened; /* (output, part) -> OPENED_NOT, OPENED_ASKED, or when it last took one */
    struct entry *entries;
    size_t n_entries;
    int32_t *index; /* (topic, part) -> entry, -1 none */
    rd_kafka_message_t **held;
    size_t n_held, cap_held;
    struct cf_ack *acks;
    size_t n_acks, cap_acks, first_ack;
    struct sent *free_sent;
    struct sent *all_sent; /* those whose answer never came, too */
    int lost;    /* CF_E_BROKER after a fatal error of the producer */
    int32_t gap; /* partition in which records are missing, -1 none */
    bool up;
    char why[256];
};

uint64_t cf_record_hash(const struct cf_record *r)
{
    uint64_t h = cf_hash64(r->value.ptr, r->value.len);
    h = cf_hash64_seed(r->key.ptr, r->key.len, h);
    return cf_hash64_seed(r->ce_id.ptr, r->ce_id.len, h);
}

size_t cf_inputs(const struct cf_service *service)
{
    size_t n = 0;
    while (service->in[n].name)
        n++;
    return n;
}

size_t cf_outputs(const struct cf_service *service)
{
    size_t n = 0;
    while (service->out[n])
        n++;
    return n + cf_inputs(service);
}

const char *cf_output_name(const struct cf_service *service, size_t i, char buf[128])
{
    size_t n = cf_outputs(service) - cf_inputs(service);
    if (i < n)
        snprintf(buf, 128, "%s", service->out[i]);
    else
        snprintf(buf, 128, "%s.dlq", service->in[i - n].name);
    return buf;
}

static const char *log_why(void *self)
{
    return ((struct log_kafka *)self)->why;
}

/* ---- producing ------------------------------------------------------------------------------ */

static int64_t *opened_of(struct log_kafka *k, uint16_t topic, int32_t part)
{
    return &k->opened[topic * (size_t)k->conf->partitions + (size_t)part];
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *self)
{
    struct log_kafka *k = self;
    struct sent *sent = m->_private;
    (void)rk;
    if (m->err) {
        snprintf(k->why, sizeof k->why, "delivery: %s", rd_kafka_err2name(m->err));
        k->lost = CF_E_BROKER;
    } else {
        if (k->n_acks == k->cap_acks) {
            k->cap_acks = k->cap_acks ? 2 * k->cap_acks : 1024;
            k->acks = cf_realloc(k->acks, k->cap_acks * sizeof *k->acks);
        }
        k->up = true;
        sent->ack.offset = m->offset;
        *opened_of(k, sent->ack.topic, sent->ack.target) = cf_mono_ms();
        k->acks[k->n_acks++] = sent->ack;
    }
    sent->next = k->free_sent;
    k->free_sent = sent;
}

static void producer_error(rd_kafka_t *rk, int err, const char *reason, void *self)
{
    struct log_kafka *k = self;
    char text[160];
    (void)reason;
    if (err == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(rk, text, sizeof text);
        snprintf(k->why, sizeof k->why, "producer: %s", rd_kafka_err2name(fatal));
        k->lost = CF_E_BROKER;
    } else {
        if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) k->up = false;
        snprintf(k->why, sizeof k->why, "kafka: %s", rd_kafka_err2name((rd_kafka_resp_err_t)err));
    }
}

static bool log_up(void *self)
{
    return ((struct log_kafka *)self)->up;
}

static int32_t log_gap(void *self)
{
    return ((struct log_kafka *)self)->gap;
}

static struct sent *new_sent(struct log_kafka *k)
{
    struct sent *s = k->free_sent;
    if (s) {
        k->free_sent = s->next;
        return s;
    }
    s = cf_malloc(sizeof *s);
    s->all = k->all_sent;
    k->all_sent = s;
    return s;
}

static void add_header(rd_kafka_headers_t *h, const char *name, struct cf_str v)
{
    rd_kafka_header_add(h, name, (ssize_t)strlen(name), v.ptr, (ssize_t)v.len);
}

/* Extra headers of dead letters: name, 0, length, value, ... */
static void add_extra(rd_kafka_headers_t *h, struct cf_str extra)
{
    while (extra.len) {
        const char *name = extra.ptr;
        size_t skip = strlen(name) + 1;
        uint32_t n = cf_get32(extra.ptr + skip);
        add_header(h, name, (struct cf_str){extra.ptr + skip + 4, n});
        extra.ptr += skip + 4 + n;
        extra.len -= skip + 4 + n;
    }
}

static rd_kafka_headers_t *headers(const struct log_kafka *k, int16_t part,
                                   const struct cf_out_message *m)
{
    char text[64];
    rd_kafka_headers_t *h = rd_kafka_headers_new(10);
    cf_uuid_text(m->id, text);
    add_header(h, "ce_id", (struct cf_str){text, 36});
    add_header(h, "ce_type", m->type);
    snprintf(text, sizeof text, "%s", k->service->name);
    add_header(h, "ce_source", cf_str_of(text));
    char at[30];
    cf_rfc3339_text(m->at, at);
    add_header(h, "ce_time", cf_str_of(at));
    add_header(h, "ce_specversion", CF_STR("1.0"));
    if (m->trace.len) add_header(h, "traceparent", m->trace);
    snprintf(text, sizeof text, "%s/%d", k->service->name, part);
    add_header(h, "cf_src", cf_str_of(text));
    snprintf(text, sizeof text, "%lld", (long long)m->no);
    add_header(h, "cf_no", cf_str_of(text));
    add_extra(h, m->extra);
    return h;
}

static int log_produce(void *self, int16_t part, int64_t seq, const struct cf_out_message *m)
{
    struct log_kafka *k = self;
    if (k->lost) return k->lost;
    int64_t *opened = opened_of(k, m->topic, m->target);
    if (*opened == OPENED_ASKED) return CF_E_NET;
    bool alone = *opened == OPENED_NOT || cf_mono_ms() - *opened > OPENED_FOR_MS;
    struct sent *s = new_sent(k);
    s->ack = (struct cf_ack){part, m->topic, m->target, seq, m->no, -1};
    rd_kafka_headers_t *h = headers(k, part, m);
    rd_kafka_resp_err_t err = rd_kafka_producev(
        k->producer, RD_KAFKA_V_RKT(k->out_topics[m->topic]), RD_KAFKA_V_PARTITION(m->target),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY((void *)(uintptr_t)m->key.ptr, m->key.len),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)m->value.ptr, m->value.len),
        RD_KAFKA_V_TIMESTAMP(m->at), RD_KAFKA_V_HEADERS(h), RD_KAFKA_V_OPAQUE(s), RD_KAFKA_V_END);
    if (!err) {
        if (alone) *opened = OPENED_ASKED;
        return 0;
    }
    rd_kafka_headers_destroy(h);
    s->next = k->free_sent;
    k->free_sent = s;
    snprintf(k->why, sizeof k->why, "produce: %s", rd_kafka_err2name(err));
    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) return CF_E_NET;
    if (err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        return CF_E_NET; /* metadata not there yet */
    return CF_E_BROKER;
}

static int log_acks(void *self, struct cf_ack *acks, size_t max, int wait_ms, size_t *n)
{
    struct log_kafka *k = self;
    *n = 0;
    rd_kafka_poll(k->producer, k->first_ack < k->n_acks ? 0 : wait_ms);
    while (*n < max && k->first_ack < k->n_acks)
        acks[(*n)++] = k->acks[k->first_ack++];
    if (k->first_ack == k->n_acks) k->first_ack = k->n_acks = 0;
    return k->lost;
}

/* ---- consuming ------------------------------------------------------------------------------ */

/* 0: none. */
static int64_t number_of(struct cf_str s)
{
    uint64_t v;
    return cf_digits(s, INT64_MAX, &v) ? (int64_t)v : 0;
}

void cf_record_header(struct cf_record *r, const char *name, struct cf_str v)
{
    if (!strcmp(name, "ce_id"))
        r->ce_id = v;
    else if (!strcmp(name, "ce_type"))
        r->ce_type = v;
    else if (!strcmp(name, "ce_source"))
        r->ce_source = v;
    else if (!strcmp(name, "ce_time")) {
        if (!cf_rfc3339_parse(v, &r->ce_time)) r->ce_time = 0;
    } else if (!strcmp(name, "traceparent") && v.len <= TRACE_MAX)
        r->traceparent = v; /* every message that follows carries it on */
    else if (!strcmp(name, "cf_src"))
        r->cf_src = v;
    else if (!strcmp(name, "cf_no"))
        r->cf_no = number_of(v);
}

static void read_headers(const rd_kafka_message_t *m, struct cf_record *r)
{
    rd_kafka_headers_t *h;
    const char *name;
    const void *value;
    size_t size;
    if (rd_kafka_message_headers(m, &h)) return;
    for (size_t i = 0; !rd_kafka_header_get_all(h, i, &name, &value, &size); i++)
        cf_record_header(r, name, (struct cf_str){value, size});
}

static int find_topic(const struct log_kafka *k, size_t from, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(k->names[from + i], name)) return (int)i;
    return -1;
}

static struct entry *entry_of(struct log_kafka *k, size_t topic, int32_t part)
{
    if (part < 0 || part >= k->conf->partitions) return NULL;
    int32_t i = k->index[topic * (size_t)k->conf->partitions + (size_t)part];
    return i < 0 ? NULL : &k->entries[i];
}

static void release_held(struct log_kafka *k)
{
    for (size_t i = 0; i < k->n_held; i++)
        rd_kafka_message_destroy(k->held[i]);
    k->n_held = 0;
}

static void log_done(void *self)
{
    release_held(self);
}

static void hold(struct log_kafka *k, rd_kafka_message_t *m)
{
    if (k->n_held == k->cap_held) {
        k->cap_held = k->cap_held ? 2 * k->cap_held : 1024;
        k->held = cf_realloc(k->held, k->cap_held * sizeof(void *));
    }
    k->held[k->n_held++] = m;
}

/* Assigns all entries at the offset after the newest one handed out (or on it, to verify). */
static int assign_entries(struct log_kafka *k, bool scanning)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)k->n_entries + 1);
    size_t base = scanning ? k->n_in : 0;
    for (size_t i = 0; i < k->n_entries; i++) {
        const struct entry *e = &k->entries[i];
        if (scanning && e->eof) continue;
        rd_kafka_topic_partition_list_add(list, k->names[base + e->topic], e->part)->offset =
            e->verify ? e->last : e->last + 1;
    }
    rd_kafka_resp_err_t err = rd_kafka_assign(k->consumer, list->cnt ? list : NULL);
    rd_kafka_topic_partition_list_destroy(list);
    if (!err) return 0;
    snprintf(k->why, sizeof k->why, "assign: %s", rd_kafka_err2name(err));
    return CF_E_NET;
}

static void set_entries(struct log_kafka *k, size_t n)
{
    size_t topics = k->n_in > k->n_out ? k->n_in : k->n_out;
    free(k->entries);
    k->entries = cf_calloc(n, sizeof *k->entries);
    k->n_entries = n;
    for (size_t i = 0; i < topics * (size_t)k->conf->partitions; i++)
        k->index[i] = -1;
}

static int log_assign(void *self, const struct cf_position *at, size_t n)
{
    struct log_kafka *k = self;
    release_held(k);
    set_entries(k, n);
    for (size_t i = 0; i < n; i++) {
        k->entries[i] = (struct entry){.topic = at[i].topic,
                                       .part = at[i].part,
                                       .last = at[i].last_offset,
                                       .hash = at[i].last_hash,
                                       .verify = at[i].last_offset >= 0};
        k->index[at[i].topic * (size_t)k->conf->partitions + (size_t)at[i].part] = (int32_t)i;
    }
    return assign_entries(k, false);
}

/* The log does not hold the offset asked for: go on only if nothing was missed. */
static int out_of_range(struct log_kafka *k, const char *topic, struct entry *e, bool scanning)
{
    int64_t low = 0, high = 0;
    rd_kafka_resp_err_t err =
        rd_kafka_query_watermark_offsets(k->consumer, topic, e->part, &low, &high, 5000);
    if (err) {
        snprintf(k->why, sizeof k->why, "watermarks: %s", rd_kafka_err2name(err));
        return CF_E_NET;
    }
    if (scanning) {
        e->last = low - 1;
    } else if (low <= e->last + 1 && e->last + 1 <= high && e->verify) {
        e->verify = false; /* retention took the record applied last, and none after it */
    } else {
        snprintf(k->why, sizeof k->why, "%s/%d: position %lld, log holds %lld to %lld", topic,
                 e->part, (long long)e->last, (long long)low, (long long)high);
        return CF_E_GAP;
    }
    return assign_entries(k, scanning);
}

/* Is this the record that was applied last? Sets *skip when it was, or comes from before. */
static int verify(struct log_kafka *k, struct entry *e, const struct cf_record *r, bool *skip)
{
    *skip = r->offset <= e->last;
    if (!e->verify) return 0;
    e->verify = false;
    if (r->offset == e->last && cf_record_hash(r) == e->hash) return 0;
    snprintf(k->why, sizeof k->why, "%s/%d: offset %lld holds another record", k->names[e->topic],
             e->part, (long long)e->last);
    return CF_E_GAP;
}

static int consumer_error(struct log_kafka *k, const rd_kafka_message_t *m, bool scanning)
{
    k->up = m->err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return 0;
    snprintf(k->why, sizeof k->why, "consume: %s", rd_kafka_err2name(m->err));
    if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && m->rkt) {
        const char *topic = rd_kafka_topic_name(m->rkt);
        int i = find_topic(k, scanning ? k->n_in : 0, scanning ? k->n_out : k->n_in, topic);
        struct entry *e = i < 0 ? NULL : entry_of(k, (size_t)i, m->partition);
        return e ? out_of_range(k, topic, e, scanning) : 0;
    }
    /* Bytes that cannot be decompressed or fail their checksum must not be skipped. */
    if (m->err == RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED || m->err == RD_KAFKA_RESP_ERR__BAD_MSG ||
        m->err == RD_KAFKA_RESP_ERR__BAD_COMPRESSION)
        return CF_E_GAP;
    return 0;
}

static void record_of(const rd_kafka_message_t *m, uint16_t topic, struct cf_record *r)
{
    rd_kafka_timestamp_type_t type;
    *r = (struct cf_record){
        .topic = topic,
        .part = m->partition,
        .offset = m->offset,
        .at = rd_kafka_message_timestamp(m, &type),
        .key = {m->key,     m->key_len},
        .value = {m->payload, m->len    },
    };
    read_headers(m, r);
}

static int log_poll(void *self, struct cf_record *records, size_t max, int wait_ms, size_t *n)
{
    struct log_kafka *k = self;
    int e = 0;
    *n = 0;
    k->gap = -1;
    while (*n < max && !e) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(k->consumer, *n ? 0 : wait_ms);
        if (!m) break;
        int topic = -1;
        struct entry *entry = NULL;
        if (m->err)
            e = consumer_error(k, m, false);
        else if ((topic = find_topic(k, 0, k->n_in, rd_kafka_topic_name(m->rkt))) >= 0)
            entry = entry_of(k, (size_t)topic, m->partition);
        bool skip = true;
        if (entry) {
            record_of(m, (uint16_t)topic, &records[*n]);
            e = verify(k, entry, &records[*n], &skip);
        }
        if (e == CF_E_GAP) k->gap = m->partition;
        if (skip || e) {
            rd_kafka_message_destroy(m);
            if (*n == 0) wait_ms = 0;
            continue;
        }
        entry->last = m->offset;
        k->up = true;
        hold(k, m);
        (*n)++;
    }
    return e;
}

/* Is it a message of this service? cf_src is "<service>/<part>". */
static bool own_source(const struct log_kafka *k, struct cf_str src, int16_t *part)
{
    size_t len = strlen(k->service->name);
    if (src.len < len + 2 || memcmp(src.ptr, k->service->name, len) || src.ptr[len] != '/')
        return false;
    uint64_t v;
    struct cf_str digits = {src.ptr + len + 1, src.len - len - 1};
    if (!cf_digits(digits, (uint64_t)k->conf->partitions - 1, &v)) return false;
    *part = (int16_t)v;
    return true;
}

static int log_scan(void *self, const struct cf_scan *what, size_t n, cf_scan_seen *seen, void *arg)
{
    struct log_kafka *k = self;
    size_t open = n;
    release_held(k);
    set_entries(k, n);
    for (size_t i = 0; i < n; i++) {
        k->entries[i] =
            (struct entry){.topic = what[i].topic, .part = what[i].target, .last = what[i].after};
        k->index[what[i].topic * (size_t)k->conf->partitions + (size_t)what[i].target] = (int32_t)i;
    }
    int e = n ? assign_entries(k, true) : 0;
    for (int idle = 0; open && !e;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(k->consumer, 200);
        if (!m) {
            if (++idle > 50) e = CF_E_NET;
            continue;
        }
        idle = 0;
        int topic = m->rkt ? find_topic(k, k->n_in, k->n_out, rd_kafka_topic_name(m->rkt)) : -1;
        struct entry *entry = topic < 0 ? NULL : entry_of(k, (size_t)topic, m->partition);
        struct cf_record r;
        int16_t part;
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && entry) {
            if (!entry->eof) open--;
            entry->eof = true;
        } else if (m->err) {
            e = consumer_error(k, m, true);
        } else if (entry) {
            record_of(m, (uint16_t)topic, &r);
            if (own_source(k, r.cf_src, &part))
                seen(arg, part, (uint16_t)topic, m->partition, r.cf_no, m->offset);
        }
        rd_kafka_message_destroy(m);
    }
    rd_kafka_assign(k->consumer, NULL);
    return e;
}

static int64_t log_mirror(void *self, const struct cf_position *at, size_t n)
{
    struct log_kafka *k = self;
    int64_t lag = 0;
    if (n == 0) return 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++) {
        int64_t low, high;
        const char *name = k->names[at[i].topic];
        if (at[i].last_offset >= 0)
            rd_kafka_topic_partition_list_add(list, name, at[i].part)->offset =
                at[i].last_offset + 1;
        if (!rd_kafka_get_watermark_offsets(k->consumer, name, at[i].part, &low, &high) &&
            high > at[i].last_offset + 1)
            lag += high - at[i].last_offset - 1;
    }
    if (list->cnt) rd_kafka_commit(k->consumer, list, 1);
    rd_kafka_topic_partition_list_destroy(list);
    return lag;
}

/* ---- making it ------------------------------------------------------------------------------ */

#define COMMON                                                                             \
    {"socket.keepalive.enable", "true"}, {"socket.nagle.disable", "true"},                 \
    {"reconnect.backoff.ms", "50"}, {"reconnect.backoff.max.ms", "2000"}, {"log_level", "0"}, \
    {"topic.metadata.refresh.interval.ms", "60000"}

static int make_consumer(struct log_kafka *k, const char *id)
{
    const cf_kafka_setting settings[] = {
        COMMON,
        {"client.id", id},
        {"group.id", id},
        /* No group is joined; but a commit waits as long for a coordinator, and closing for it. */
        {"session.timeout.ms", "1000"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"},
        {"check.crcs", "true"},
        /* Also how long a new assignment may wait behind a fetch of the old one. */
        {"fetch.wait.max.ms", "250"},
        {"fetch.error.backoff.ms", "50"},
        {"fetch.max.bytes", "1048576"},
        {"max.partition.fetch.bytes", "262144"},
        /* 2.0.2 stops fetching for a whole second when one of these is reached: less, and a busy
         * stage runs dry. A record takes 400 bytes beside its own, and only keys and values count
         * as bytes: where records are small, their number bounds the memory. */
        {"queued.min.messages", "24000"},
        {"queued.max.messages.kbytes", "2560"},
        {0},
    };
    rd_kafka_conf_t *conf = cf_kafka_conf(k->conf->brokers, settings);
    k->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, k->why, sizeof k->why);
    if (!k->consumer) {
        rd_kafka_conf_destroy(conf);
        return CF_E_CONFIG;
    }
    rd_kafka_poll_set_consumer(k->consumer);
    return 0;
}

static int make_producer(struct log_kafka *k, const char *id)
{
    const cf_kafka_setting settings[] = {
        COMMON,
        {"client.id", id},
        {"enable.idempotence", "true"},
        {"enable.gapless.guarantee", "true"},
        {"acks", "all"},
        {"message.timeout.ms", "0"},
        /* A way of twenty steps would wait twenty times; a batch fills its requests without. */
        {"linger.ms", "0"},
        {"queue.buffering.max.messages", "100000"},
        {"queue.buffering.max.kbytes", "65536"},
        {0},
    };
    rd_kafka_conf_t *conf = cf_kafka_conf(k->conf->brokers, settings);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_error_cb(conf, producer_error);
    rd_kafka_conf_set_opaque(conf, k);
    k->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, k->why, sizeof k->why);
    if (!k->producer) {
        rd_kafka_conf_destroy(conf);
        return CF_E_CONFIG;
    }
    for (size_t i = 0; i < k->n_out; i++)
        k->out_topics[i] = rd_kafka_topic_new(k->producer, k->names[k->n_in + i], NULL);
    return 0;
}

static int make_clients(struct log_kafka *k)
{
    char id[128];
    snprintf(id, sizeof id, "cardflow-%s", k->service->name);
    int e = make_consumer(k, id);
    return e ? e : make_producer(k, id);
}

static void log_free(void *self)
{
    struct log_kafka *k = self;
    release_held(k);
    if (k->consumer) {
        rd_kafka_assign(k->consumer, NULL);
        rd_kafka_destroy_flags(k->consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    for (size_t i = 0; i < k->n_out; i++)
        if (k->out_topics[i]) rd_kafka_topic_destroy(k->out_topics[i]);
    if (k->producer) {
        /* What is not acknowledged now, the next owner publishes from the journal. */
        rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                        RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_poll(k->producer, 0);
        rd_kafka_destroy(k->producer);
    }
    while (k->all_sent) {
        struct sent *next = k->all_sent->all;
        free(k->all_sent);
        k->all_sent = next;
    }
    free(k->held);
    free(k->acks);
    free(k->entries);
    free(k->index);
    free(k->opened);
    free(k);
}

struct cf_log *cf_log_kafka(const struct cf_service *service, const struct cf_stage_conf *conf)
{
    struct log_kafka *k = cf_calloc(1, sizeof *k);
    char name[128];
    k->service = service;
    k->conf = conf;
    k->n_in = cf_inputs(service);
    k->n_out = cf_outputs(service);
    if (k->n_in + k->n_out > sizeof k->names / sizeof *k->names) CF_BUG("too many topics");
    for (size_t i = 0; i < k->n_in; i++)
        snprintf(k->names[i], sizeof k->names[i], "%s%s%s", conf->topic_prefix, service->in[i].name,
                 conf->topic_suffix);
    for (size_t i = 0; i < k->n_out; i++)
        snprintf(k->names[k->n_in + i], sizeof k->names[i], "%s%s%s", conf->topic_prefix,
                 cf_output_name(service, i, name), conf->topic_suffix);
    size_t topics = k->n_in > k->n_out ? k->n_in : k->n_out;
    k->index = cf_calloc(topics * (size_t)conf->partitions, sizeof *k->index);
    k->opened = cf_calloc(k->n_out * (size_t)conf->partitions, sizeof *k->opened);
    if (make_clients(k)) {
        fprintf(stderr, "cardflow: kafka client: %s\n", k->why);
        log_free(k);
        return NULL;
    }
    k->door = (struct cf_log){
        .self = k,
        .assign = log_assign,
        .poll = log_poll,
        .done = log_done,
        .produce = log_produce,
        .acks = log_acks,
        .scan = log_scan,
        .mirror = log_mirror,
        .up = log_up,
        .why = log_why,
        .free = log_free,
        .gap = log_gap,
    };
    return &k->door;
}
