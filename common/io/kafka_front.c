#include "common/io/kafka_front.h"

#include "common/io/clock.h"
#include "common/io/kafka_conf.h"
#include "common/io/log.h"
#include "common/pure/hash.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { VALUE_MAX = 64 * 1024, TOPIC_MAX = 128, POLL_MS = 100, PROBE_MS = 1000, SAY_EVERY_MS = 1000 };

struct cf_front_producer {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    struct cf_wake *wake;
    struct cf_timer *timer;
    uint32_t partitions;
    atomic_bool up;
    /* Failures since the last line of the log about them. */
    unsigned long failed, refused;
    rd_kafka_resp_err_t why;
    cf_ms said_at;
    /* Looks for the brokers while they are away. */
    pthread_t probe;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
};

/* What a message in flight leaves behind. */
struct flight {
    cf_front_sent *sent;
    void *arg;
};

/* ---- answers ---------------------------------------------------------------------------------- */

static void answer(struct cf_front_producer *p, const rd_kafka_message_t *m)
{
    struct flight *f = m->_private;
    /* With acks=all the log tells the offset; taken without one is nobody's word. */
    bool good = m->err == RD_KAFKA_RESP_ERR_NO_ERROR && m->offset >= 0;
    if (good)
        atomic_store_explicit(&p->up, true, memory_order_relaxed);
    else
        p->failed++, p->why = m->err;
    if (!f) return;
    if (f->sent) f->sent(f->arg, good ? 0 : CF_E_NET);
    free(f);
}

/* One line a second, however many there are. */
static void say_failures(struct cf_front_producer *p)
{
    cf_ms now = cf_mono_ms();
    if ((!p->failed && !p->refused) || now - p->said_at < SAY_EVERY_MS) return;
    cf_log(LOG_WARN, "kafka.not_taken", F("not_acknowledged", p->failed),
           F("not_queued", p->refused), F("why", rd_kafka_err2name(p->why)));
    p->failed = p->refused = 0;
    p->said_at = now;
}

static void event(struct cf_front_producer *p, rd_kafka_event_t *ev)
{
    const rd_kafka_message_t *m;
    switch (rd_kafka_event_type(ev)) {
    case RD_KAFKA_EVENT_DR:
        while ((m = rd_kafka_event_message_next(ev)))
            answer(p, m);
        break;
    case RD_KAFKA_EVENT_ERROR:
        if (rd_kafka_event_error(ev) == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
            atomic_store_explicit(&p->up, false, memory_order_relaxed);
        cf_log(LOG_DEBUG, "kafka.error", F("why", rd_kafka_err2name(rd_kafka_event_error(ev))));
        break;
    }
}

/* The library wakes us only when its queue stops being empty, so it is always drained. */
static void drain(struct cf_front_producer *p)
{
    rd_kafka_event_t *ev;
    while ((ev = rd_kafka_queue_poll(p->queue, 0))) {
        event(p, ev);
        rd_kafka_event_destroy(ev);
    }
    say_failures(p);
}

static void woken(void *arg)
{
    drain(arg);
}

static void ticked(void *arg, cf_ms now)
{
    (void)now;
    drain(arg);
}

/* ---- the brokers ------------------------------------------------------------------------------ */

/* Metadata of all topics: known before the first message, which else waits for it; and a sign
 * that the brokers are back. The call blocks, so it has a thread of its own. */
static void look(struct cf_front_producer *p)
{
    const struct rd_kafka_metadata *md = NULL;
    if (rd_kafka_metadata(p->rk, 1, NULL, &md, PROBE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    rd_kafka_metadata_destroy(md);
    atomic_store_explicit(&p->up, true, memory_order_relaxed);
}

static void *probe(void *arg)
{
    struct cf_front_producer *p = arg;
    pthread_mutex_lock(&p->lock);
    while (!p->stopping) {
        pthread_mutex_unlock(&p->lock);
        if (!atomic_load_explicit(&p->up, memory_order_relaxed)) look(p);
        pthread_mutex_lock(&p->lock);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += PROBE_MS / 1000;
        while (!p->stopping && pthread_cond_timedwait(&p->changed, &p->lock, &until) == 0) {
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void start_probe(struct cf_front_producer *p)
{
    pthread_condattr_t mono;
    pthread_attr_t small;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&p->changed, &mono);
    pthread_mutex_init(&p->lock, NULL);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    if (pthread_create(&p->probe, &small, probe, p) != 0) CF_BUG("no thread");
    pthread_attr_destroy(&small);
    pthread_condattr_destroy(&mono);
}

static void stop_probe(struct cf_front_producer *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->probe, NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
}

/* ---- life ------------------------------------------------------------------------------------- */

static rd_kafka_conf_t *configure(const char *brokers)
{
    static const cf_kafka_setting settings[] = {
        /* Not idempotent on purpose: with a finite timeout, librdkafka 2.0.2 has reported messages
         * as taken that the log never held. A message twice is dropped by its id. */
        {"enable.idempotence", "false"},
        {"max.in.flight.requests.per.connection", "5"},
        {"acks", "all"},
        {"message.timeout.ms", "5000"},
        {"linger.ms", "1"},
        {"queue.buffering.max.messages", "20000"},
        {"queue.buffering.max.kbytes", "32768"},
        {"message.max.bytes", "200000"},
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "2000"},
        {"socket.keepalive.enable", "true"},
        {"socket.nagle.disable", "true"},
        {"client.id", "cardflow-front"},
        {"log.connection.close", "false"},
        {0},
    };
    rd_kafka_conf_t *conf = cf_kafka_conf(brokers, settings);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
    rd_kafka_conf_set_log_cb(conf, cf_kafka_log);
    return conf;
}

struct cf_front_producer *cf_front_producer_new(struct cf_loop *loop, const char *brokers,
                                                int partitions)
{
    struct cf_front_producer *p = cf_calloc(1, sizeof *p);
    char why[256];
    p->partitions = (uint32_t)partitions;
    rd_kafka_conf_t *conf = configure(brokers);
    p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!p->rk) CF_BUG(why);
    p->queue = rd_kafka_queue_get_main(p->rk);
    p->wake = cf_wake_new(loop, woken, p);
    uint64_t one = 1;
    rd_kafka_queue_io_event_enable(p->queue, cf_wake_fd(p->wake), &one, sizeof one);
    p->timer = cf_timer_new(loop, ticked, p);
    cf_timer_every(p->timer, POLL_MS);
    start_probe(p);
    return p;
}

bool cf_front_flush(struct cf_front_producer *p, int wait_ms)
{
    cf_ms until = cf_mono_ms() + wait_ms;
    while (rd_kafka_outq_len(p->rk) > 0 && cf_mono_ms() < until) {
        rd_kafka_event_t *ev = rd_kafka_queue_poll(p->queue, 10);
        if (!ev) continue;
        event(p, ev);
        rd_kafka_event_destroy(ev);
    }
    return rd_kafka_outq_len(p->rk) == 0;
}

void cf_front_producer_free(struct cf_front_producer *p)
{
    if (!p) return;
    stop_probe(p);
    /* What is still open is answered, as failed, so that nobody waits for ever. */
    rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    cf_front_flush(p, 1000);
    rd_kafka_queue_io_event_enable(p->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(p->queue);
    cf_timer_free(p->timer);
    rd_kafka_destroy(p->rk);
    cf_wake_free(p->wake);
    free(p);
}

bool cf_front_up(const struct cf_front_producer *p)
{
    return atomic_load_explicit(&p->up, memory_order_relaxed);
}

/* ---- sending ---------------------------------------------------------------------------------- */

static void add_text(rd_kafka_headers_t *h, const char *name, struct cf_str v)
{
    if (v.len) rd_kafka_header_add(h, name, -1, v.ptr, (ssize_t)v.len);
}

static rd_kafka_headers_t *headers(const struct cf_front_message *m, cf_ms now)
{
    char id[37], time[30];
    rd_kafka_headers_t *h = rd_kafka_headers_new(6);
    cf_uuid_text(m->ce_id, id);
    add_text(h, "ce_id", cf_str_of(id));
    add_text(h, "ce_type", cf_str_of(m->ce_type));
    add_text(h, "ce_source", cf_str_of(m->ce_source));
    add_text(h, "ce_time", cf_str_of(cf_rfc3339_text(m->ce_time ? m->ce_time : now, time)));
    add_text(h, "ce_specversion", CF_STR("1.0"));
    add_text(h, "traceparent", m->traceparent);
    return h;
}

int cf_front_send(struct cf_front_producer *p, const struct cf_front_message *m,
                  cf_front_sent *sent, void *arg)
{
    char topic[TOPIC_MAX];
    if (m->value.len > VALUE_MAX) return CF_E_TOO_LARGE;
    int n = snprintf(topic, sizeof topic, "cardflow.%s.v1", m->topic);
    if (n < 0 || (size_t)n >= sizeof topic) CF_BUG("name of a topic is too long");
    if (m->part >= (int32_t)p->partitions) CF_BUG("no such partition");
    int32_t part = m->part >= 0
                       ? m->part
                       : (int32_t)cf_partition_of(m->key.ptr, m->key.len, p->partitions);
    cf_ms now = cf_now_ms();
    rd_kafka_headers_t *h = headers(m, now);
    struct flight *f = cf_calloc(1, sizeof *f);
    *f = (struct flight){sent, arg};
    /* The library's macros check types with an extension of the language. */
    rd_kafka_resp_err_t e = __extension__ rd_kafka_producev(
        p->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(part),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY((void *)(uintptr_t)m->key.ptr, m->key.len),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)m->value.ptr, m->value.len),
        RD_KAFKA_V_TIMESTAMP(now), RD_KAFKA_V_HEADERS(h), RD_KAFKA_V_OPAQUE(f), RD_KAFKA_V_END);
    if (e == RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
    rd_kafka_headers_destroy(h);
    free(f);
    p->refused++, p->why = e;
    return e == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? CF_E_TOO_LARGE : CF_E_NET;
}
