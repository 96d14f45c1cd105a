/* batch -- from records to one commit: drop repeats, decode, load, decide, write, publish. */
#include "common/io/stage/batch.h"

#include "common/io/stage/failpoint.h"
#include "common/io/stage/journal.h"
#include "common/io/stage/pgbin.h"
#include "common/pure/hash.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- tables of what the batch touches ------------------------------------------------------- */

static size_t bucket(const struct cf_batch *b, const void *p, size_t n, uint64_t seed)
{
    return cf_hash64_seed(p, n, seed) & (b->buckets - 1);
}

static struct row_entry *find_row(const struct cf_batch *b, uint16_t kind, const struct cf_key *key)
{
    struct row_entry *e = b->row_table[bucket(b, key->b, key->len, kind)];
    while (e && (e->load->kind != kind || !cf_key_eq(&e->load->key, key)))
        e = e->next;
    return e;
}

struct work_entry *batch_work(struct cf_batch *b, int16_t part, const uint8_t id[16])
{
    struct work_entry *e = b->work_table[bucket(b, id, 16, (uint64_t)part)];
    while (e && (e->part != part || memcmp(e->id, id, 16)))
        e = e->next;
    return e;
}

struct work_entry *batch_work_add(struct cf_batch *b, int16_t part, const uint8_t id[16])
{
    struct work_entry **head = &b->work_table[bucket(b, id, 16, (uint64_t)part)];
    struct work_entry *e = cf_arena_zero(b->arena, sizeof *e);
    e->part = part;
    memcpy(e->id, id, 16);
    e->next = *head;
    return *head = e;
}

struct aux_entry *batch_aux(struct cf_batch *b, uint16_t aux, int16_t part, const uint8_t id[16])
{
    struct aux_entry *e = b->aux_table[bucket(b, id, 16, aux)];
    while (e && (e->aux != aux || e->part != part || memcmp(e->id, id, 16)))
        e = e->next;
    return e;
}

struct aux_entry *batch_aux_add(struct cf_batch *b, uint16_t aux, int16_t part,
                                const uint8_t id[16])
{
    struct aux_entry **head = &b->aux_table[bucket(b, id, 16, aux)];
    struct aux_entry *e = cf_arena_zero(b->arena, sizeof *e);
    e->aux = aux;
    e->part = part;
    memcpy(e->id, id, 16);
    e->next = *head;
    return *head = e;
}

void batch_keep_work(struct cf_batch *b, struct work_entry *e)
{
    struct undo *u = cf_arena_zero(b->arena, sizeof *u);
    u->work = e;
    u->work_before = *e;
    u->next = b->undo;
    b->undo = u;
}

void batch_keep_aux(struct cf_batch *b, struct aux_entry *e)
{
    struct undo *u = cf_arena_zero(b->arena, sizeof *u);
    u->aux = e;
    u->aux_before = *e;
    u->next = b->undo;
    b->undo = u;
}

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
    int v = 0, digits = 0;
    while (i && src.ptr[i - 1] != '/')
        i--;
    for (; i && i < src.len; i++, digits++) {
        if (src.ptr[i] < '0' || src.ptr[i] > '9' || v > 10000) return -1;
        v = v * 10 + (src.ptr[i] - '0');
    }
    return digits && v < st->conf.partitions ? v : -1;
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
    if (r->ce_source.len && r->ce_source.len < 1024)
        add_extra(&x, "orig_ce_source", r->ce_source);
    if (r->cf_src.len && r->cf_src.len < 1024) add_extra(&x, "orig_cf_src", r->cf_src);
    struct cf_str out = cf_arena_str(b->arena, cf_buf_str(&x));
    cf_buf_free(&x);
    return out;
}

static struct cf_str type_of(const struct cf_record *r)
{
    return r->ce_type.len && r->ce_type.len < 256 ? r->ce_type : CF_STR("unknown");
}

static void park(struct cf_batch *b, const struct cf_record *r, uint16_t index, const char *reason)
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
    if (b->st->service->in[r->topic].open) return; /* a partner's answer is parked alone */
    struct parked_key *key = cf_calloc(1, sizeof *key);
    key->topic = r->topic;
    if (cf_key_bytes(r->key.ptr, r->key.len, &key->key))
        PUSH(b->parked_keys, b->arena, key);
    else
        free(key);
}

static bool key_is_parked(const struct cf_batch *b, const struct cf_record *r)
{
    const struct shard *h = &b->st->shards[r->part];
    if (!h->parked && !b->parked_keys.n) return false;
    if (b->st->service->in[r->topic].open) return false;
    for (const struct parked_key *p = h->parked; p; p = p->next)
        if (p->topic == r->topic && cf_str_eq(cf_key_str(&p->key), r->key)) return true;
    for (size_t i = 0; i < b->parked_keys.n; i++) {
        const struct parked_key *p = b->parked_keys.v[i];
        if (p->topic == r->topic && cf_str_eq(cf_key_str(&p->key), r->key)) return true;
    }
    return false;
}

static cf_ms advance_now(struct cf_stage *st, const struct cf_record *r)
{
    struct shard *h = &st->shards[r->part];
    if (r->at > h->last_now) h->last_now = r->at;
    return h->last_now;
}

static void dead_letter(struct cf_batch *b, const struct cf_record *r, const char *reason)
{
    struct cf_stage *st = b->st;
    struct cf_step s = {.rec = r, .now = advance_now(st, r), .part = (int16_t)r->part,
                        .arena = b->arena, .batch = b};
    uint16_t topic = (uint16_t)(st->n_out - st->n_in + r->topic);
    b->step_outs = 0;
    batch_send(&s, topic, r->part, r->key, type_of(r), original(b, r, reason), r->value);
    b->dead++;
}

/* A record that is no message: to the dead letters if outsiders wrote it, else to a person. */
static void refuse(struct cf_batch *b, const struct cf_record *r, int e, const char *reason)
{
    if (!reason) reason = cf_error_text(e);
    reason = cf_arena_str(b->arena, cf_str_of(reason)).ptr;
    if (cf_error_class(e) == CF_DEADLETTER && b->st->service->in[r->topic].open)
        dead_letter(b, r, reason);
    else
        park(b, r, 0, reason);
}

/* ---- decoding -------------------------------------------------------------------------------- */

static bool of_interest(const struct cf_topic_in *t, struct cf_str type)
{
    for (const char *const *p = t->types; p && *p; p++)
        if (cf_str_is(type, *p)) return true;
    return false;
}

static void decode(struct cf_batch *b, uint32_t i)
{
    struct cf_stage *st = b->st;
    const struct cf_record *r = &b->records[i];
    const struct cf_topic_in *topic = &st->service->in[r->topic];
    struct cf_msg msgs[128];
    struct cf_decode d = {.arena = b->arena, .env = st->service->env,
                          .partitions = st->conf.partitions, .msgs = msgs, .max = 128};
    memset(msgs, 0, sizeof msgs);
    if (r->ce_type.len == 0 || r->ce_id.len == 0) {
        refuse(b, r, CF_E_MISSING_HEADERS, "ce_id, ce_type: required");
        return;
    }
    if (!of_interest(topic, r->ce_type)) {
        if (topic->open) refuse(b, r, CF_E_DECODE, "ce_type: unknown");
        return;
    }
    if (key_is_parked(b, r)) {
        park(b, r, 0, "behind a parked message of the same key");
        return;
    }
    int e = r->value.len > MESSAGE_MAX ? CF_E_TOO_LARGE : st->service->decode(&d, r);
    if (e) {
        refuse(b, r, e, d.reason);
        return;
    }
    for (size_t k = 0; k < d.n; k++) {
        struct item item = {.msg = msgs[k], .rec = i, .index = (uint16_t)k};
        PUSH(b->items, b->arena, item);
    }
}

/* Moves the position over every record that is ours to take, and decodes the fresh ones. */
static int admit(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    for (uint32_t i = 0; i < b->n_records; i++) {
        const struct cf_record *r = &b->records[i];
        struct shard *h = &st->shards[r->part];
        if (!h->owned || h->stopped || r->offset <= h->in[r->topic].last_offset) continue;
        switch (judge_stream(st, r)) {
        case FRESH: decode(b, i); break;
        case REPEATED: b->duplicates++; break;
        case MISSING_NUMBER:
            refuse(b, r, CF_E_MISSING_HEADERS, "cf_src, cf_no: required");
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

/* ---- loading ---------------------------------------------------------------------------------- */

static void make_tables(struct cf_batch *b)
{
    b->buckets = 64;
    while (b->buckets < 2 * b->items.n)
        b->buckets *= 2;
    b->row_table = cf_arena_zero(b->arena, b->buckets * sizeof(void *));
    b->aux_table = cf_arena_zero(b->arena, b->buckets * sizeof(void *));
    b->work_table = cf_arena_zero(b->arena, b->buckets * sizeof(void *));
}

static void index_row(struct cf_batch *b, struct cf_load_row *load)
{
    struct row_entry **head = &b->row_table[bucket(b, load->key.b, load->key.len, load->kind)];
    struct row_entry *e = cf_arena_zero(b->arena, sizeof *e);
    e->load = load;
    e->next = *head;
    *head = e;
}

/* Names every aggregate and work row once. */
static void name_rows(struct cf_batch *b, struct cf_load *l)
{
    const struct cf_service *v = b->st->service;
    l->rows = cf_arena_zero(b->arena, (b->items.n + 1) * sizeof *l->rows);
    l->work = cf_arena_zero(b->arena, (b->items.n + 1) * sizeof *l->work);
    for (size_t i = 0; i < b->items.n; i++) {
        const struct cf_msg *m = &b->items.v[i].msg;
        int16_t part = (int16_t)b->records[b->items.v[i].rec].part;
        if (!find_row(b, m->kind, &m->key)) {
            struct cf_load_row *row = &l->rows[l->n_rows++];
            row->kind = m->kind;
            row->part = part;
            row->key = m->key;
            row->row = cf_arena_zero(b->arena, v->kinds[m->kind].size);
            index_row(b, row);
        }
        if (m->is_outcome && !batch_work(b, part, m->work_id)) {
            batch_work_add(b, part, m->work_id);
            l->work[l->n_work].part = part;
            memcpy(l->work[l->n_work++].id, m->work_id, 16);
        }
    }
    b->rows = l->rows;
    b->n_rows = l->n_rows;
}

/* The store has sorted the rows: index them anew, and keep the work found. */
static void index_loaded(struct cf_batch *b, const struct cf_load *l)
{
    memset(b->row_table, 0, b->buckets * sizeof(void *));
    for (size_t i = 0; i < l->n_rows; i++)
        index_row(b, &l->rows[i]);
    for (size_t i = 0; i < l->n_work; i++) {
        struct work_entry *e = batch_work(b, l->work[i].part, l->work[i].id);
        e->exists = l->work[i].exists;
        e->work = l->work[i].work;
    }
}

/* Asks for the wide rows of items from `first` on that are not there yet. */
static int load_wide(struct cf_batch *b, size_t first, size_t n)
{
    struct cf_stage *st = b->st;
    struct cf_want *wants;
    struct cf_load l = {0};
    VECTOR(struct cf_load_aux) asked = {0};
    if (!st->service->wants) return 0;
    wants = cf_arena_alloc(b->arena, WANTS_MAX * sizeof *wants);
    for (size_t i = first; i < first + n; i++) {
        const struct item *item = &b->items.v[i];
        int16_t part = (int16_t)b->records[item->rec].part;
        const struct row_entry *row = find_row(b, item->msg.kind, &item->msg.key);
        size_t k = st->service->wants(row->load->row, &item->msg, wants, WANTS_MAX);
        for (size_t w = 0; w < k; w++) {
            if (batch_aux(b, wants[w].aux, part, wants[w].id)) continue;
            batch_aux_add(b, wants[w].aux, part, wants[w].id);
            struct cf_load_aux a = {.aux = wants[w].aux, .part = part};
            memcpy(a.id, wants[w].id, 16);
            PUSH(asked, b->arena, a);
        }
    }
    l.aux = asked.v;
    l.n_aux = asked.n;
    int e = asked.n ? st->store->load(st->store->self, b->arena, &l) : 0;
    for (size_t i = 0; i < asked.n && !e; i++)
        batch_aux(b, asked.v[i].aux, asked.v[i].part, asked.v[i].id)->row = asked.v[i].row;
    return e;
}

static int load(struct cf_batch *b)
{
    struct cf_load l = {0};
    name_rows(b, &l);
    int e = b->st->store->load(b->st->store->self, b->arena, &l);
    if (e) return e;
    index_loaded(b, &l);
    return load_wide(b, 0, b->items.n);
}

/* Numbers are taken in blocks, in a transaction of their own, before they are needed. */
static int fill_pools(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    size_t *messages = cf_arena_zero(b->arena, (size_t)st->conf.partitions * sizeof *messages);
    int e = 0;
    for (size_t i = 0; i < b->items.n; i++)
        messages[b->records[b->items.v[i].rec].part]++;
    for (int i = 0; i < st->conf.partitions; i++)
        for (size_t k = 0; k < st->service->n_numbers && messages[i] && !e; k++) {
            const struct cf_number_kind *kind = &st->service->numbers[k];
            struct pool *p = &st->shards[i].pools[k];
            uint64_t need = messages[i] * kind->per_message;
            if (p->next == p->end) *p = (struct pool){p->next2, p->end2, 0, 0};
            if (p->end - p->next + p->end2 - p->next2 >= need) continue;
            uint64_t count = need > BLOCK ? need : BLOCK;
            e = st->store->numbers(st->store->self, kind->name, count, &p->next2);
            p->end2 = e ? p->next2 : p->next2 + count;
        }
    return e;
}

/* ---- deciding --------------------------------------------------------------------------------- */

static void undo_message(struct cf_batch *b, size_t outs, struct row_entry *row, const void *before,
                         const struct pool *pools, int16_t part)
{
    const struct cf_service *v = b->st->service;
    for (struct undo *u = b->undo; u; u = u->next) {
        if (u->aux) {
            u->aux->row = u->aux_before.row;
            u->aux->changed = u->aux_before.changed;
        }
        if (u->work) {
            u->work->exists = u->work_before.exists;
            u->work->changed = u->work_before.changed;
            u->work->work = u->work_before.work;
        }
    }
    b->outs.n = outs;
    memcpy(row->load->row, before, v->kinds[row->load->kind].size);
    if (v->n_numbers) memcpy(b->st->shards[part].pools, pools, v->n_numbers * sizeof *pools);
}

/* The row of outside work as it stands now; false when this outcome is late or repeated. */
static bool outcome_counts(struct cf_batch *b, struct cf_step *s, struct item *item)
{
    if (!item->msg.is_outcome) return true;
    struct work_entry *w = batch_work(b, s->part, item->msg.work_id);
    if (!w || !w->exists || w->work.attempt != item->msg.attempt) return false;
    struct cf_work *copy = cf_arena_dup(b->arena, &w->work, sizeof w->work);
    item->msg.work = copy;
    batch_keep_work(b, w);
    w->exists = false; /* unless the service puts it again */
    w->changed = true;
    return true;
}

static void decided_error(struct cf_batch *b, const struct item *item, struct cf_step *s, int e)
{
    if (item->msg.optional && e == CF_E_ILLEGAL) return;
    const char *reason = s->reason ? s->reason : cf_error_text(e);
    if (cf_error_class(e) == CF_DEADLETTER && b->st->service->in[s->rec->topic].open)
        dead_letter(b, s->rec, reason);
    else
        park(b, s->rec, item->index, reason);
}

static int decide_one(struct cf_batch *b, size_t i)
{
    struct cf_stage *st = b->st;
    const struct cf_service *v = st->service;
    struct item *item = &b->items.v[i];
    const struct cf_record *r = &b->records[item->rec];
    struct row_entry *row = find_row(b, item->msg.kind, &item->msg.key);
    struct cf_step s = {.rec = r, .msg = &item->msg, .part = (int16_t)r->part,
                        .index = item->index, .arena = b->arena, .env = v->env, .batch = b};
    size_t size = v->kinds[item->msg.kind].size, outs = b->outs.n;
    s.now = advance_now(st, r);
    b->undo = NULL;
    b->step_error = 0;
    b->step_outs = 0;
    if (b->force_park || key_is_parked(b, r)) {
        park(b, r, item->index,
             b->force_park ? "value cannot be stored" : "behind a parked message of the same key");
        return 0;
    }
    if (!outcome_counts(b, &s, item)) {
        b->duplicates++;
        return 0;
    }
    int e = load_wide(b, i, 1); /* an earlier message of this batch may have changed the need */
    if (e) return e;
    void *before = cf_arena_dup(b->arena, row->load->row, size);
    void *pools = cf_arena_dup(b->arena, st->shards[r->part].pools,
                               v->n_numbers * sizeof(struct pool));
    bool changed = false;
    e = v->decide(&s, row->load->row, row->load->exists, &changed);
    if (!e) e = b->step_error;
    if (e && cf_error_class(e) != CF_PARK && cf_error_class(e) != CF_DEADLETTER) return e;
    if (e) {
        undo_message(b, outs, row, before, pools, s.part);
        decided_error(b, item, &s, e);
        return 0;
    }
    if (changed) row->changed = row->load->exists = true;
    if (changed || b->undo) b->steps++;
    return 0;
}

static int decide_all(struct cf_batch *b)
{
    int e = 0;
    for (size_t i = 0; i < b->items.n && !e; i++)
        e = decide_one(b, i);
    return e;
}

/* ---- remembering and going back --------------------------------------------------------------- */

static void snapshot(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    size_t numbers = (st->n_in + st->n_out) * (size_t)st->conf.partitions * sizeof(int64_t);
    for (int i = 0; i < st->conf.partitions; i++)
        st->shards[i].in_batch = false;
    for (size_t i = 0; i < b->n_records; i++) {
        struct shard *h = &st->shards[b->records[i].part];
        if (h->in_batch || !h->owned) continue;
        h->in_batch = true;
        memcpy(h->before.numbers, h->numbers, numbers);
        memcpy(h->before.in, h->in, st->n_in * sizeof *h->in);
        h->before.last_now = h->last_now;
        h->before.journal_seq = h->journal_seq;
    }
}

static void restore(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    size_t numbers = (st->n_in + st->n_out) * (size_t)st->conf.partitions * sizeof(int64_t);
    for (int i = 0; i < st->conf.partitions; i++) {
        struct shard *h = &st->shards[i];
        if (!h->in_batch) continue;
        memcpy(h->numbers, h->before.numbers, numbers);
        memcpy(h->in, h->before.in, st->n_in * sizeof *h->in);
        h->last_now = h->before.last_now;
        h->journal_seq = h->before.journal_seq;
        h->in_batch = false;
    }
    for (size_t i = 0; i < b->parked_keys.n; i++)
        free(b->parked_keys.v[i]);
    b->parked_keys.n = 0;
}

/* ---- the commit --------------------------------------------------------------------------------- */

/* Numbers every message and puts those of each shard into its journal row. */
static void write_journal(struct cf_batch *b, struct cf_commit_journal *rows, size_t *n)
{
    struct cf_stage *st = b->st;
    char name[128];
    for (int i = 0; i < st->conf.partitions; i++) {
        struct shard *h = &st->shards[i];
        bool any = false;
        if (!h->in_batch) continue;
        for (size_t k = 0; k < b->outs.n; k++) {
            struct out_entry *o = &b->outs.v[k];
            if (o->part != h->part) continue;
            if (!any) cf_journal_begin(&st->journal);
            any = true;
            o->m.no = ++h->out[o->m.topic].last_no[o->m.target];
            cf_journal_add(&st->journal, cf_output_name(st->service, o->m.topic, name), &o->m);
        }
        if (!any) continue;
        if (st->journal.full) CF_BUG("a batch of messages larger than the journal's limit");
        rows[(*n)++] = (struct cf_commit_journal){
            h->part, ++h->journal_seq, cf_arena_str(b->arena, cf_buf_str(&st->journal))};
    }
}

static void commit_streams(struct cf_batch *b, struct cf_commit *c)
{
    struct cf_stage *st = b->st;
    size_t p = (size_t)st->conf.partitions;
    struct cf_commit_shard *shards = cf_arena_zero(b->arena, p * sizeof *shards);
    struct cf_commit_cursor *cursors = cf_arena_zero(b->arena, p * st->n_in * sizeof *cursors);
    struct cf_commit_output *outputs = cf_arena_zero(b->arena, p * st->n_out * sizeof *outputs);
    for (size_t i = 0; i < p; i++) {
        struct shard *h = &st->shards[i];
        if (!h->in_batch) continue;
        for (size_t t = 0; t < st->n_in; t++)
            if (h->in[t].last_offset != h->before.in[t].last_offset)
                cursors[c->n_cursors++] = (struct cf_commit_cursor){
                    h->part, (uint16_t)t, h->before.in[t].last_offset, h->in[t].last_offset,
                    h->in[t].last_hash, h->in[t].last_no};
        for (size_t t = 0; t < st->n_out; t++)
            if (memcmp(h->out[t].last_no, h->before.numbers + (st->n_in + t) * p, p * 8))
                outputs[c->n_outputs++] =
                    (struct cf_commit_output){h->part, (uint16_t)t, h->out[t].last_no,
                                              h->out[t].acked_no, h->out[t].acked_offset};
        shards[c->n_shards++] = (struct cf_commit_shard){h->part, h->epoch, h->last_now,
                                                         h->journal_seq, h->acked_seq};
    }
    c->shards = shards;
    c->cursors = cursors;
    c->outputs = outputs;
}

static void commit_rows(struct cf_batch *b, struct cf_commit *c)
{
    const struct cf_load_row **rows = cf_arena_zero(b->arena, (b->n_rows + 1) * sizeof *rows);
    VECTOR(struct cf_commit_aux) aux = {0};
    VECTOR(struct cf_work) puts = {0};
    VECTOR(struct cf_commit_drop) drops = {0};
    for (size_t i = 0; i < b->n_rows; i++)
        if (find_row(b, b->rows[i].kind, &b->rows[i].key)->changed) rows[c->n_rows++] = &b->rows[i];
    for (size_t i = 0; i < b->buckets; i++) {
        for (struct aux_entry *e = b->aux_table[i]; e; e = e->next) {
            if (!e->changed) continue;
            struct cf_commit_aux a = {.aux = e->aux, .part = e->part, .row = e->row};
            memcpy(a.id, e->id, 16);
            PUSH(aux, b->arena, a);
        }
        for (struct work_entry *e = b->work_table[i]; e; e = e->next) {
            if (!e->changed) continue;
            struct cf_commit_drop d = {.part = e->part};
            memcpy(d.id, e->id, 16);
            if (e->exists)
                PUSH(puts, b->arena, e->work);
            else
                PUSH(drops, b->arena, d);
        }
    }
    c->rows = rows;
    c->aux = aux.v;
    c->n_aux = aux.n;
    c->puts = puts.v;
    c->n_puts = puts.n;
    c->drops = drops.v;
    c->n_drops = drops.n;
    c->parked = b->parked.v;
    c->n_parked = b->parked.n;
}

static void make_commit(struct cf_batch *b)
{
    struct cf_commit *c = &b->commit;
    struct cf_commit_journal *journal =
        cf_arena_zero(b->arena, (size_t)b->st->conf.partitions * sizeof *journal);
    *c = (struct cf_commit){0};
    write_journal(b, journal, &c->n_journal);
    c->journal = journal;
    commit_streams(b, c);
    commit_rows(b, c);
}

/* The reply was lost: only the cursor row knows. Waits until the database can be asked. */
static int resolve(struct cf_batch *b, bool *committed)
{
    struct cf_stage *st = b->st;
    int e = CF_E_DB;
    for (int wait = 20; e && !atomic_load(&st->stop); wait = wait < 2000 ? 2 * wait : wait) {
        e = st->store->verdict(st->store->self, &b->commit, committed);
        if (e) {
            atomic_store(&st->postgres_up, false);
            stage_pause(st, wait);
        }
    }
    return e;
}

/* ---- after the commit ----------------------------------------------------------------------------- */

static void tell_front(struct cf_batch *b)
{
    struct work_node *first = NULL, *last = NULL;
    const struct cf_commit *c = &b->commit;
    for (size_t i = 0; i < c->n_drops + c->n_puts; i++) {
        struct cf_work drop = {0};
        const struct cf_work *w = i < c->n_drops ? &drop : &c->puts[i - c->n_drops];
        if (i < c->n_drops) {
            drop.part = c->drops[i].part;
            memcpy(drop.id, c->drops[i].id, 16);
        }
        struct work_node *node = stage_work_node(w);
        node->change.what = i < c->n_drops ? CF_WORK_DROP : CF_WORK_PUT;
        if (last)
            last->next = node;
        else
            first = node;
        last = node;
    }
    if (first) stage_tell_work(b->st, first, last);
}

static void call_after_commit(struct cf_batch *b)
{
    const struct cf_service *v = b->st->service;
    size_t n = 0;
    if (!v->after_commit || !b->commit.n_rows) return;
    const struct cf_key **keys = cf_arena_alloc(b->arena, b->commit.n_rows * sizeof *keys);
    const void **rows = cf_arena_alloc(b->arena, b->commit.n_rows * sizeof *rows);
    for (size_t i = 0; i < b->commit.n_rows; i++) {
        if (b->commit.rows[i]->kind) continue;
        keys[n] = &b->commit.rows[i]->key;
        rows[n++] = b->commit.rows[i]->row;
    }
    if (n) v->after_commit(v->env, keys, rows, n);
}

static void keep_parked_keys(struct cf_batch *b)
{
    for (size_t i = 0; i < b->parked_keys.n; i++) {
        struct parked_key *p = b->parked_keys.v[i];
        int32_t part = (int32_t)cf_key_partition(&p->key, (uint32_t)b->st->conf.partitions);
        p->next = b->st->shards[part].parked;
        b->st->shards[part].parked = p;
    }
}

static void count(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    atomic_fetch_add(&st->n_records, b->n_records);
    atomic_fetch_add(&st->n_steps, b->steps);
    atomic_fetch_add(&st->n_batches, 1);
    atomic_fetch_add(&st->n_messages, b->outs.n);
    atomic_fetch_add(&st->n_parked, b->parked.n);
    atomic_fetch_add(&st->n_dead, b->dead);
    atomic_fetch_add(&st->n_duplicates, b->duplicates);
    atomic_store(&st->postgres_up, true);
}

/* Committed: what follows can be lost, for the next owner reads it from the journal. */
static int finish(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    int e = cf_failpoint("before_publish");
    for (size_t i = 0; i < b->commit.n_journal; i++) {
        uint32_t messages = 0;
        for (size_t k = 0; k < b->outs.n; k++)
            messages += b->outs.v[k].part == b->commit.journal[i].part;
        publish_row(&st->shards[b->commit.journal[i].part], b->commit.journal[i].seq, messages);
    }
    for (size_t k = 0; k < b->outs.n && !e; k++) {
        struct shard *h = &st->shards[b->outs.v[k].part];
        e = publish(st, h, h->journal_seq, &b->outs.v[k].m);
        if (!e) e = cf_failpoint("mid_publish");
    }
    keep_parked_keys(b);
    tell_front(b);
    call_after_commit(b);
    count(b);
    return e;
}

/* ---- one try, and what to do when it fails ---------------------------------------------------------- */

static int attempt(struct cf_stage *st, struct cf_record *records, size_t n, bool force_park)
{
    struct cf_batch b = {.st = st, .arena = st->arena, .records = records, .n_records = n,
                         .force_park = force_park};
    bool committed = false;
    cf_arena_reset(st->arena);
    snapshot(&b);
    int e = admit(&b);
    make_tables(&b);
    if (!e) e = load(&b);
    if (!e) e = fill_pools(&b);
    if (!e) e = cf_failpoint("before_decide");
    if (!e) e = decide_all(&b);
    if (!e) make_commit(&b);
    if (!e && b.commit.n_cursors) {
        e = st->store->commit(st->store->self, &b.commit);
        if (e == CF_E_UNKNOWN) {
            e = resolve(&b, &committed);
            if (!e && !committed) e = CF_E_DB;
        }
    } else if (!e) {
        restore(&b); /* every record was somebody else's, or an old one */
        return 0;
    }
    if (e) {
        restore(&b);
        return e;
    }
    return finish(&b);
}

/* PostgreSQL refuses a value: one record at a time, so that only the culprit is parked. */
static int one_by_one(struct cf_stage *st, struct cf_record *records, size_t n)
{
    int e = 0;
    for (size_t i = 0; i < n && !e; i++) {
        e = n == 1 ? attempt(st, &records[i], 1, true) : batch_run(st, &records[i], 1);
        if (e == CF_E_DATA) e = CF_E_SQL;
    }
    return e;
}

int batch_run(struct cf_stage *st, struct cf_record *records, size_t n)
{
    for (int wait = 10;; wait = wait < 2000 ? 2 * wait : wait) {
        int e = attempt(st, records, n, false);
        if (!e) return 0;
        if (e == CF_E_DATA) return one_by_one(st, records, n);
        switch (cf_error_class(e)) {
        case CF_RELEASE:
            e = shards_recheck(st);
            if (e && cf_error_class(e) != CF_RETRY) return e;
            break;
        case CF_RETRY:
            atomic_store(&st->postgres_up, false);
            atomic_fetch_add(&st->n_retries, 1);
            snprintf(st->why, sizeof st->why, "postgresql: %s", st->store->why(st->store->self));
            break;
        case CF_FATAL:
            stage_fail(st, e, st->store->why(st->store->self));
            return e;
        case CF_OK:
        case CF_DEADLETTER:
        case CF_PARK: CF_BUG("an error of one record ended a batch");
        }
        if (atomic_load(&st->stop)) return e;
        stage_pause(st, wait);
        int lost = publish_acks(st, 0);
        if (lost) return lost;
    }
}
