/* admit -- which records are fresh, and what they say: streams, parked keys, dead letters, decode.
 */
#include "common/io/stage/batch.h"

#include "common/io/stage/journal.h"
#include "common/io/stage/pgbin.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- streams: every message of a stage is numbered ------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && !strcmp(name + n - m, end);
}

/* May records without a number stand on this topic? */
static bool unnumbered_allowed(const struct cf_topic_in *t)
{
    return t->open || ends_with(t->name, ".internal") || ends_with(t->name, ".commands") ||
           !strcmp(t->name, "audit.events");
}

/* Source partition of "intake/3", or -1. */
static int source_part(const struct cf_stage *st, struct cf_str src)
{
    size_t i = src.len;
    uint64_t part;
    while (i && src.ptr[i - 1] != '/')
        i--;
    struct cf_str digits = {src.ptr + i, src.len - i};
    bool good = i && cf_digits(digits, (uint64_t)st->conf.partitions - 1, &part);
    return good ? (int)part : -1;
}

enum stream_verdict { FRESH, REPEATED, MISSING_NUMBER, GAP };

static enum stream_verdict judge_stream(struct cf_stage *st, const struct cf_record *r)
{
    const struct cf_topic_in *topic = &st->service->in[r->topic];
    /* On a topic open to the outside a number is nobody's word. */
    if (topic->open) return FRESH;
    if (r->cf_src.len == 0) return unnumbered_allowed(topic) ? FRESH : MISSING_NUMBER;
    int source = source_part(st, r->cf_src);
    if (source < 0 || r->cf_no <= 0) return MISSING_NUMBER;
    int64_t *last = &st->shards[r->part].in[r->topic].last_no[source];
    if (r->cf_no <= *last) return REPEATED;
    if (r->cf_no > *last + 1) return GAP;
    *last = r->cf_no;
    return FRESH;
}

/* ---- parked and dead ------------------------------------------------------------------------- */

static void add_extra(struct cf_buf *b, const char *name, struct cf_str v)
{
    char n[4];
    cf_put32(n, (uint32_t)v.len);
    cf_buf_add(b, name, strlen(name) + 1);
    cf_buf_add(b, n, 4);
    cf_buf_adds(b, v);
}

/* The original headers, for whoever looks at the record later. */
static struct cf_str original(struct cf_batch *b, const struct cf_record *r, const char *reason)
{
    struct cf_buf x;
    char text[64];
    cf_buf_init(&x, 16384);
    add_extra(&x, "cf_reason", cf_str_of(reason));
    snprintf(text, sizeof text, "%s/%d/%lld", b->st->service->in[r->topic].name, r->part,
             (long long)r->offset);
    add_extra(&x, "cf_from", cf_str_of(text));
    if (r->ce_id.len && r->ce_id.len < 1024) add_extra(&x, "orig_ce_id", r->ce_id);
    if (r->ce_type.len && r->ce_type.len < 1024) add_extra(&x, "orig_ce_type", r->ce_type);
    if (r->ce_source.len && r->ce_source.len < 1024) add_extra(&x, "orig_ce_source", r->ce_source);
    if (r->cf_src.len && r->cf_src.len < 1024) add_extra(&x, "orig_cf_src", r->cf_src);
    if (r->ce_time > 0) {
        char time[30];
        add_extra(&x, "orig_ce_time", cf_str_of(cf_rfc3339_text(r->ce_time, time)));
    }
    struct cf_str out = cf_arena_str(b->arena, cf_buf_str(&x));
    cf_buf_free(&x);
    return out;
}

static struct cf_str type_of(const struct cf_record *r)
{
    return r->ce_type.len && r->ce_type.len < 256 ? r->ce_type : CF_STR("unknown");
}

/* A partner's answer, and outcomes of work, which share a key, hold up nobody else. */
static bool parks_alone(const struct cf_batch *b, const struct cf_record *r)
{
    return b->st->service->in[r->topic].open || cf_str_is(r->ce_type, CF_WORK_OUTCOME);
}

void batch_park(struct cf_batch *b, const struct cf_record *r, int32_t index, const char *reason)
{
    struct cf_buf bytes;
    cf_buf_init(&bytes, 4 << 20);
    struct cf_out_message m = {.target = r->part,
                               .at = r->at,
                               .key = r->key,
                               .type = type_of(r),
                               .trace = r->traceparent,
                               .extra = original(b, r, reason),
                               .value = r->value};
    cf_journal_begin(&bytes);
    cf_journal_add(&bytes, b->st->service->in[r->topic].name, &m);
    struct cf_commit_parked p = {.part = (int16_t)r->part,
                                 .topic = r->topic,
                                 .offset = r->offset,
                                 .index = index,
                                 .key = r->key,
                                 .type = m.type,
                                 .record = cf_arena_str(b->arena, cf_buf_str(&bytes)),
                                 .reason = reason};
    cf_buf_free(&bytes);
    PUSH(b->parked, b->arena, p);
    if (parks_alone(b, r)) return;
    if (batch_key_is_parked(b, r)) return;
    struct parked_key *key = cf_calloc(1, sizeof *key);
    key->part = (int16_t)r->part;
    key->topic = r->topic;
    if (cf_key_bytes(r->key.ptr, r->key.len, &key->key))
        PUSH(b->parked_keys, b->arena, key);
    else
        free(key);
}

bool batch_key_is_parked(const struct cf_batch *b, const struct cf_record *r)
{
    const struct shard *h = &b->st->shards[r->part];
    if (!h->parked && !b->parked_keys.n) return false;
    if (parks_alone(b, r)) return false;
    /* What is redriven was parked itself; only what parks in this batch holds the rest up. */
    for (const struct parked_key *p = b->redrive ? NULL : h->parked; p; p = p->next)
        if (p->topic == r->topic && cf_str_eq(cf_key_str(&p->key), r->key)) return true;
    for (size_t i = 0; i < b->parked_keys.n; i++) {
        const struct parked_key *p = b->parked_keys.v[i];
        if (p->topic == r->topic && cf_str_eq(cf_key_str(&p->key), r->key)) return true;
    }
    return false;
}

cf_ms batch_now(struct cf_stage *st, const struct cf_record *r)
{
    struct shard *h = &st->shards[r->part];
    if (r->at > h->last_now) h->last_now = r->at;
    return h->last_now;
}

void batch_dead_letter(struct cf_batch *b, const struct cf_record *r, const char *reason)
{
    struct cf_stage *st = b->st;
    struct cf_step s = {
        .rec = r, .now = batch_now(st, r), .part = (int16_t)r->part, .arena = b->arena, .batch = b};
    uint16_t topic = (uint16_t)(st->n_out - st->n_in + r->topic);
    b->step_outs = 0;
    batch_send(&s, topic, r->part, r->key, type_of(r), original(b, r, reason), r->value);
    b->dead++;
}

/* A dead letter is the record with more headers: one that Kafka just took, Kafka may not take
 * again, and a producer whose message is refused never gets on. */
static bool can_be_sent(const struct cf_record *r)
{
    return r->key.len + r->value.len <= DEAD_LETTER_MAX;
}

/* A record that is no message: to the dead letters if outsiders wrote it, else to a person. */
static void refuse(struct cf_batch *b, const struct cf_record *r, int32_t only, int e,
                   const char *reason)
{
    if (!reason) reason = cf_error_text(e);
    reason = cf_arena_str(b->arena, cf_str_of(reason)).ptr;
    if (cf_error_class(e) == CF_DEADLETTER && b->st->service->in[r->topic].open && can_be_sent(r))
        batch_dead_letter(b, r, reason);
    else
        batch_park(b, r, only, reason);
}

/* ---- decoding -------------------------------------------------------------------------------- */

static bool of_interest(const struct cf_topic_in *t, struct cf_str type)
{
    for (const char *const *p = t->types; p && *p; p++)
        if (cf_str_is(type, *p)) return true;
    return false;
}

void batch_decode(struct cf_batch *b, uint32_t i, int32_t only)
{
    struct cf_stage *st = b->st;
    const struct cf_record *r = &b->records[i];
    const struct cf_topic_in *topic = &st->service->in[r->topic];
    struct cf_msg msgs[CF_MESSAGES_MAX];
    struct cf_decode d = {.arena = b->arena,
                          .env = st->service->env,
                          .partitions = st->conf.partitions,
                          .msgs = msgs,
                          .max = CF_MESSAGES_MAX};
    memset(msgs, 0, sizeof msgs);
    if (r->ce_type.len == 0 || r->ce_id.len == 0) {
        refuse(b, r, only, CF_E_MISSING_HEADERS, "ce_id, ce_type: required");
        return;
    }
    if (!of_interest(topic, r->ce_type)) {
        if (topic->open) refuse(b, r, only, CF_E_DECODE, "ce_type: unknown");
        return;
    }
    /* Command ids are kept for 7 days: a command that hides its age could count again later. */
    if (topic->open && r->ce_time <= 0) {
        refuse(b, r, only, CF_E_MISSING_HEADERS, "ce_time: a time of RFC 3339, required");
        return;
    }
    if (batch_key_is_parked(b, r)) {
        batch_park(b, r, only, "behind a parked message of the same key");
        return;
    }
    int e = r->value.len > MESSAGE_MAX ? CF_E_TOO_LARGE : st->service->decode(&d, r);
    if (e) {
        refuse(b, r, only, e, d.reason);
        return;
    }
    for (size_t k = 0; k < d.n; k++) {
        if (only != CF_PARKED_WHOLE && (size_t)only != k) continue; /* decided the first time */
        struct item item = {.msg = msgs[k],
                            .rec = i,
                            .index = (uint16_t)k,
                            .whole = only == CF_PARKED_WHOLE};
        PUSH(b->items, b->arena, item);
    }
}

/* Moves the position over every record that is ours to take, and decodes the fresh ones. */
int batch_admit(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    for (uint32_t i = 0; i < b->n_records; i++) {
        const struct cf_record *r = &b->records[i];
        struct shard *h = &st->shards[r->part];
        if (!h->owned || h->stopped || r->offset <= h->in[r->topic].last_offset) continue;
        switch (judge_stream(st, r)) {
        case FRESH:
            batch_decode(b, i, CF_PARKED_WHOLE);
            break;
        case REPEATED:
            b->duplicates++;
            break;
        case MISSING_NUMBER:
            refuse(b, r, CF_PARKED_WHOLE, CF_E_MISSING_HEADERS, "cf_src, cf_no: required");
            break;
        case GAP:
            /* Nothing after the hole is applied: the position stays before it. */
            shard_stop(st, h, "a number is missing in a stream: the log lost records");
            continue;
        }
        h->in[r->topic].last_offset = r->offset;
        h->in[r->topic].last_hash = cf_record_hash(r);
    }
    return 0;
}
