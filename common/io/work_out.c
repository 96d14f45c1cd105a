#include "cardflow/v1/common.pb-c.h"
#include "common/io/clock.h"
#include "common/io/ids.h"
#include "common/io/log.h"
#include "common/io/work_inside.h"

#include <stdio.h>
#include <stdlib.h>

static const uint8_t none[16];

enum { TAG_BYTES_1 = 1 << 3 | 2, LENGTH_MAX = 5, PAYLOAD_MAX = WORK_MESSAGE_MAX - 1024 };

static size_t put_length(char *to, size_t n)
{
    size_t i = 0;
    for (; n >= 0x80; n >>= 7)
        to[i++] = (char)(n | 0x80);
    to[i++] = (char)n;
    return i;
}

/* `items` of cardflow.v1.WorkOutcome and `work` of every <Service>Internal are both field 1. */
static void put_field_1(struct cf_buf *b, size_t n)
{
    char head[1 + LENGTH_MAX] = {TAG_BYTES_1};
    cf_buf_add(b, head, 1 + put_length(head + 1, n));
}

/* ---- sending -------------------------------------------------------------------------------- */

static void free_message(struct out_message *m)
{
    m->pool->unsent--;
    cf_buf_free(&m->value);
    free(m);
}

static void keep(struct out_message *m)
{
    struct cf_work_pool *pool = m->pool;
    m->next = pool->failed;
    pool->failed = m;
    pool->send_again_at = cf_mono_ms() + WORK_SEND_RETRY_MS;
}

static void sent(void *arg, int e)
{
    struct out_message *m = arg;
    struct cf_work_pool *pool = m->pool;
    if (e)
        keep(m);
    else
        free_message(m);
    if (pool->unsent < WORK_UNSENT_MAX) cf_wake_up(pool->wake);
}

static void send(struct out_message *m)
{
    struct cf_work_pool *pool = m->pool;
    char key[16];
    int n = snprintf(key, sizeof key, "work:%d", m->part);
    struct cf_front_message out = {
        .topic = pool->topic,
        .key = {key, (size_t)n},
        .part = m->part,
        .ce_type = CF_WORK_OUTCOME,
        .ce_source = pool->source,
        .value = cf_buf_str(&m->value),
    };
    memcpy(out.ce_id, m->ce_id, 16);
    int e = pool->doors.send(pool->doors.self, &out, sent, m);
    if (e == CF_E_TOO_LARGE) CF_BUG("outcomes do not fit a message");
    if (e) keep(m);
}

/* What this turn has packed for a shard becomes a message. */
static void seal(struct cf_work_pool *pool, int16_t part)
{
    struct work_shard *s = &pool->shards[part];
    if (!s->out.len) return;
    struct out_message *m = cf_calloc(1, sizeof *m);
    m->pool = pool;
    m->part = part;
    cf_uuid4(m->ce_id);
    cf_buf_init(&m->value, s->out.len + 1 + LENGTH_MAX);
    put_field_1(&m->value, s->out.len);
    cf_buf_adds(&m->value, cf_buf_str(&s->out));
    cf_buf_free(&s->out);
    s->out_items = 0;
    pool->unsent++;
    send(m);
}

void out_turn(struct cf_work_pool *pool, cf_ms mono)
{
    if (pool->failed && mono >= pool->send_again_at) {
        struct out_message *m = pool->failed;
        pool->failed = NULL;
        while (m) {
            struct out_message *next = m->next;
            send(m);
            m = next;
        }
    }
    if (!pool->out_dirty) return;
    pool->out_dirty = false;
    for (int p = 0; p < pool->conf.partitions; p++)
        seal(pool, (int16_t)p);
}

/* ---- packing -------------------------------------------------------------------------------- */

static int result_of(enum cf_work_result result)
{
    switch (result) {
    case CF_WORK_DUE: return CARDFLOW__V1__WORK_OUTCOME__RESULT__DUE;
    case CF_WORK_DONE: return CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE;
    case CF_WORK_FAILED: return CARDFLOW__V1__WORK_OUTCOME__RESULT__FAILED;
    case CF_WORK_RETRY: return CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY;
    }
    CF_BUG("no such result of work");
}

static ProtobufCBinaryData data(const void *p, size_t n)
{
    return (ProtobufCBinaryData){n, (uint8_t *)(uintptr_t)p};
}

void out_add(struct cf_work_pool *pool, const struct cf_work *w, enum cf_work_result result,
             const char *reason, struct cf_str payload)
{
    struct work_shard *s = &pool->shards[w->part];
    Cardflow__V1__WorkOutcome__Item item;
    cardflow__v1__work_outcome__item__init(&item);
    if (payload.len > PAYLOAD_MAX) {
        cf_log(LOG_ERROR, "work.payload_too_large", F("kind", w->kind), F("bytes", payload.len));
        result = CF_WORK_FAILED;
        reason = "payload_too_large";
        payload = (struct cf_str){0};
    }
    item.work_id = data(w->id, 16);
    if (memcmp(w->bundle, none, 16) != 0) item.bundle_id = data(w->bundle, 16);
    item.attempt = w->attempt;
    item.kind = w->kind;
    item.key = data(w->key.b, w->key.len);
    item.result = (Cardflow__V1__WorkOutcome__Result)result_of(result);
    item.payload = data(payload.ptr, payload.len);
    item.reason = (char *)(uintptr_t)(reason ? reason : "");
    size_t n = protobuf_c_message_get_packed_size(&item.base);
    if (s->out.len + n + 1 + LENGTH_MAX > WORK_MESSAGE_MAX || s->out_items == CF_MESSAGES_MAX)
        seal(pool, w->part);
    if (!s->out.ptr) cf_buf_init(&s->out, WORK_MESSAGE_MAX);
    put_field_1(&s->out, n);
    char *to = cf_buf_room(&s->out, n);
    if (!to) CF_BUG("an outcome does not fit a message");
    s->out.len += protobuf_c_message_pack(&item.base, (uint8_t *)to);
    s->out_items++;
    pool->out_dirty = true;
}

void out_free(struct cf_work_pool *pool)
{
    while (pool->failed) {
        struct out_message *m = pool->failed;
        pool->failed = m->next;
        free_message(m);
    }
    for (int p = 0; p < pool->conf.partitions; p++)
        cf_buf_free(&pool->shards[p].out);
}
