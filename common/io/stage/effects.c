/* effects -- what a handler may do in a step; all of it is data until the commit. */
#include "common/io/ids.h"
#include "common/io/stage/batch.h"
#include "common/io/stage/pgbin.h"

enum { ID_ENTRY = 24, IDS_MAX = 64, WORK_BIT = 0x8000, UNPACK_MAX = 1 << 20 };

static const cf_ms COMMAND_MS = (cf_ms)COMMAND_DAYS * 24 * 3600 * 1000;

/* Ids derive from the cause: service and topic, partition, offset, message in the record, effect in
 * the message. The service counts: several read the same record. A batch that is run again makes
 * the same ones. */
static void derive_id(const struct cf_step *s, uint32_t effect, uint8_t id[16])
{
    cf_event_id(id, cf_str_of(s->batch->st->causes[s->rec->topic]), s->rec->part, s->rec->offset,
                (uint32_t)s->index << 16 | effect);
}

struct out_entry *batch_send(struct cf_step *s, uint16_t topic, int32_t target, struct cf_str key,
                             struct cf_str type, struct cf_str extra, struct cf_str value)
{
    struct cf_batch *b = s->batch;
    struct out_entry out = {.part = s->part};
    out.m = (struct cf_out_message){.topic = topic,
                                    .target = target,
                                    .at = s->now,
                                    .key = key,
                                    .type = type,
                                    .trace = s->rec->traceparent,
                                    .extra = extra,
                                    .value = value};
    derive_id(s, b->step_outs++, out.m.id);
    PUSH(b->outs, b->arena, out);
    return &b->outs.v[b->outs.n - 1];
}

static void send_to(struct cf_step *s, uint16_t out_topic, const struct cf_key *key,
                    const char *ce_type, struct cf_str body, bool latest)
{
    struct cf_str k = {cf_arena_dup(s->arena, key->b, key->len), key->len};
    int32_t target = (int32_t)cf_key_partition(key, (uint32_t)s->batch->st->conf.partitions);
    if (body.len > MESSAGE_MAX) {
        /* Found out here, not at the broker after the commit. */
        s->batch->step_error = CF_E_DATA;
        s->reason = "message larger than 64 KiB";
        return;
    }
    batch_send(s, out_topic, target, k, cf_str_of(ce_type), (struct cf_str){0}, body)->latest =
        latest;
}

void cf_send_bytes(struct cf_step *s, uint16_t out_topic, const struct cf_key *key,
                   const char *ce_type, struct cf_str body)
{
    send_to(s, out_topic, key, ce_type, body, false);
}

void cf_send(struct cf_step *s, uint16_t out_topic, const struct cf_key *key, const char *ce_type,
             const ProtobufCMessage *body)
{
    send_to(s, out_topic, key, ce_type, cf_pack(s->arena, body), false);
}

void cf_send_latest(struct cf_step *s, uint16_t out_topic, const struct cf_key *key,
                    const char *ce_type, struct cf_str body)
{
    send_to(s, out_topic, key, ce_type, body, true);
}

void cf_next_event_id(struct cf_step *s, uint8_t id[16])
{
    derive_id(s, s->batch->step_outs, id);
}

void cf_work_id(struct cf_step *s, uint32_t n, uint8_t id[16])
{
    derive_id(s, WORK_BIT | n, id);
}

void cf_work_put(struct cf_step *s, const struct cf_work *w)
{
    struct cf_batch *b = s->batch;
    struct work_entry *e = batch_work(b, s->part, w->id);
    if (!e) e = batch_work_add(b, s->part, w->id);
    batch_keep_work(b, e);
    e->exists = e->changed = true;
    e->at_once = w->together && w->due <= s->now && !e->stored;
    e->work = *w;
    e->work.part = s->part;
    memset(e->work.bundle, 0, 16);
    e->work.pieces = 0;
    e->work.args = cf_arena_str(s->arena, w->args);
}

void cf_work_drop(struct cf_step *s, const uint8_t id[16])
{
    struct cf_batch *b = s->batch;
    struct work_entry *e = batch_work(b, s->part, id);
    if (!e) e = batch_work_add(b, s->part, id);
    batch_keep_work(b, e);
    e->exists = false;
    e->changed = true;
}

uint64_t cf_number(struct cf_step *s, uint16_t number_kind)
{
    struct pool *p = &s->batch->st->shards[s->part].pools[number_kind];
    if (p->next == p->end) {
        p->next = p->next2;
        p->end = p->end2;
        p->next2 = p->end2 = 0;
    }
    if (p->next == p->end) CF_BUG("more numbers than per_message allows");
    return p->next++;
}

static void put_aux(struct cf_step *s, uint16_t aux, const uint8_t id[16], const void *row,
                    enum cf_there there)
{
    struct cf_batch *b = s->batch;
    struct aux_entry *e = batch_aux(b, aux, s->part, id);
    if (!e) {
        e = batch_aux_add(b, aux, s->part, id);
        batch_keep_aux(b, e);
        e->place.there = there;
    } else {
        batch_keep_aux(b, e);
    }
    if (e->row && b->st->service->aux[aux].insert_only) return;
    e->row = cf_arena_dup(s->arena, row, b->st->service->aux[aux].size);
    e->changed = true;
}

void cf_aux_put(struct cf_step *s, uint16_t aux, const uint8_t id[16], const void *row)
{
    put_aux(s, aux, id, row, CF_THERE_UNKNOWN);
}

void cf_aux_add(struct cf_step *s, uint16_t aux, const uint8_t id[16], const void *row)
{
    put_aux(s, aux, id, row, CF_THERE_NOT);
}

const void *cf_aux_get(struct cf_step *s, uint16_t aux, const uint8_t id[16])
{
    const struct aux_entry *e = batch_aux(s->batch, aux, s->part, id);
    return e ? e->row : NULL;
}

void batch_count(struct cf_batch *b, const char *what, uint32_t n)
{
    for (size_t i = 0; i < COUNTS_MAX && n; i++) {
        if (b->counts[i].what && strcmp(b->counts[i].what, what)) continue;
        b->counts[i].what = what;
        b->counts[i].n += n;
        return;
    }
}

void cf_count(struct cf_step *s, const char *what)
{
    if (!strncmp(what, "duplicate", 9)) s->batch->duplicates++;
    batch_count(s->batch, what, 1);
}

bool cf_ids_known(struct cf_str ids, const uint8_t id[16])
{
    for (size_t i = 0; i + ID_ENTRY <= ids.len; i += ID_ENTRY)
        if (memcmp(ids.ptr + i, id, 16) == 0) return true;
    return false;
}

bool cf_ids_add(struct cf_step *s, struct cf_str *ids, const uint8_t id[16], cf_ms at)
{
    char *to = cf_arena_alloc(s->arena, ids->len + ID_ENTRY);
    size_t n = 0;
    for (size_t i = 0; i + ID_ENTRY <= ids->len; i += ID_ENTRY) {
        if ((cf_ms)cf_get64(ids->ptr + i + 16) < s->now - COMMAND_MS) continue;
        memcpy(to + n, ids->ptr + i, ID_ENTRY);
        n += ID_ENTRY;
    }
    if (n >= (size_t)IDS_MAX * ID_ENTRY) return false;
    memcpy(to + n, id, 16);
    cf_put64(to + n + 16, (uint64_t)at);
    *ids = (struct cf_str){to, n + ID_ENTRY};
    return true;
}

/* ---- protobuf inside the arena -------------------------------------------------------------- */

/* What one payload may unpack to: unknown fields cost up to 47 times their bytes. */
struct pb_limit {
    struct cf_arena *arena;
    size_t until;
};

static void *pb_alloc(void *limit, size_t n)
{
    const struct pb_limit *l = limit;
    return n > l->until || cf_arena_used(l->arena) > l->until - n ? NULL
                                                                  : cf_arena_try(l->arena, n);
}

static void pb_free(void *limit, void *p)
{
    (void)limit;
    (void)p;
}

static bool texts_ok(const ProtobufCMessage *m);

/* One member, or one of a repeated field: text is UTF-8, and so are the texts of a message. */
static bool member_ok(const ProtobufCFieldDescriptor *f, const void *member)
{
    const void *at;
    memcpy(&at, member, sizeof at);
    if (!at) return true;
    return f->type == PROTOBUF_C_TYPE_STRING ? cf_utf8_valid(cf_str_of(at)) : texts_ok(at);
}

/* protobuf-c does not look, though proto3 wants it; tables and other readers refuse such text. */
static bool texts_ok(const ProtobufCMessage *m)
{
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        const char *member = (const char *)m + f->offset;
        const char *quantifier = (const char *)m + f->quantifier_offset;
        if (f->type != PROTOBUF_C_TYPE_STRING && f->type != PROTOBUF_C_TYPE_MESSAGE) continue;
        uint32_t chosen = f->id;
        size_t n = 1;
        if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) memcpy(&chosen, quantifier, sizeof chosen);
        if (chosen != f->id) continue;
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            const void *list;
            memcpy(&n, quantifier, sizeof n);
            memcpy(&list, member, sizeof list);
            member = list;
        }
        for (size_t k = 0; k < n; k++)
            if (!member_ok(f, member + k * sizeof(void *))) return false;
    }
    return true;
}

void *cf_unpack(struct cf_arena *a, const ProtobufCMessageDescriptor *d, struct cf_str bytes)
{
    struct pb_limit limit = {a, cf_arena_used(a) + UNPACK_MAX};
    ProtobufCAllocator in_arena = {pb_alloc, pb_free, &limit};
    if (bytes.len > MESSAGE_MAX) return NULL;
    ProtobufCMessage *m =
        protobuf_c_message_unpack(d, &in_arena, bytes.len, (const uint8_t *)bytes.ptr);
    return m && texts_ok(m) ? m : NULL;
}

struct cf_str cf_pack(struct cf_arena *a, const ProtobufCMessage *m)
{
    size_t n = protobuf_c_message_get_packed_size(m);
    uint8_t *p = cf_arena_alloc(a, n);
    protobuf_c_message_pack(m, p);
    return (struct cf_str){(const char *)p, n};
}
