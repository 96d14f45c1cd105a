/* stage_double -- the stage's batch code over doors in memory, for tests of one service.
 *
 * double_feed() runs one record through the very code of common/io/stage (streams, decode, load,
 * decide, commit), with a store and a log that live in memory.
 *
 * Shapes   rows by (kind, key) and (aux, id) with their text copied; messages in order sent
 * Owns     everything lives until double_free()
 */
#pragma once
#include "common/io/ids.h"
#include "common/io/stage/inside.h"

#include <stdio.h>
#include <stdlib.h>

struct double_row {
    bool aux;
    uint16_t kind;
    int16_t part;
    struct cf_key key; /* or the 16 bytes of id */
    void *row;
};

struct double_sent {
    const char *topic, *type;
    struct cf_key key;
    int64_t no;
    struct cf_str value;
};

struct stage_double {
    struct cf_stage *st;
    struct cf_store store;
    struct cf_log log;
    struct cf_arena *keep;
    struct double_row rows[4096];
    size_t n_rows;
    struct cf_work work[4096];
    size_t n_work;
    struct double_sent sent[16384];
    size_t n_sent;
    const char *parked[256]; /* reasons */
    size_t n_parked;
    struct cf_ack acks[16384];
    size_t n_acks;
    uint64_t numbers;
    int64_t offset, no[64][256];
    int fail_commits; /* so many commits answer `fail_with` before they do anything */
    int fail_with;
};

static inline size_t double_columns(const struct stage_double *d, bool aux, uint16_t kind,
                                    const struct cf_column **columns, size_t *size)
{
    const struct cf_service *v = d->st->service;
    *columns = aux ? v->aux[kind].columns : v->kinds[kind].columns;
    *size = aux ? v->aux[kind].size : v->kinds[kind].size;
    return aux ? v->aux[kind].n_columns : v->kinds[kind].n_columns;
}

/* Only what the columns name survives, as in a database. */
static inline void *double_copy(const struct stage_double *d, struct cf_arena *a, bool aux,
                                uint16_t kind, const void *row)
{
    const struct cf_column *c;
    size_t size, n = double_columns(d, aux, kind, &c, &size);
    char *to = cf_arena_zero(a, size);
    static const size_t bytes[] = {
        [CF_COL_BOOL] = sizeof(bool), [CF_COL_INT2] = 2, [CF_COL_INT4] = 4, [CF_COL_INT8] = 8,
        [CF_COL_ID] = 16,             [CF_COL_KEY] = sizeof(struct cf_key)};
    for (size_t i = 0; i < n; i++) {
        const char *from = (const char *)row + c[i].offset;
        if (c[i].type == CF_COL_TEXT || c[i].type == CF_COL_BYTES) {
            struct cf_str s;
            memcpy(&s, from, sizeof s);
            if (s.ptr) s = cf_arena_str(a, s);
            memcpy(to + c[i].offset, &s, sizeof s);
        } else {
            memcpy(to + c[i].offset, from, bytes[c[i].type]);
        }
    }
    return to;
}

static inline struct double_row *double_find(struct stage_double *d, bool aux, uint16_t kind,
                                             const struct cf_key *key)
{
    for (size_t i = 0; i < d->n_rows; i++)
        if (d->rows[i].aux == aux && d->rows[i].kind == kind && cf_key_eq(&d->rows[i].key, key))
            return &d->rows[i];
    return NULL;
}

/* The stored row of an aggregate, or NULL. */
static inline const void *double_row(struct stage_double *d, uint16_t kind,
                                     const struct cf_key *key)
{
    struct double_row *r = double_find(d, false, kind, key);
    return r ? r->row : NULL;
}

static inline const void *double_aux(struct stage_double *d, uint16_t aux, const uint8_t id[16])
{
    struct cf_key key;
    cf_key_bytes(id, 16, &key);
    struct double_row *r = double_find(d, true, aux, &key);
    return r ? r->row : NULL;
}

static inline void double_save(struct stage_double *d, bool aux, uint16_t kind, int16_t part,
                               const struct cf_key *key, const void *row)
{
    struct double_row *r = double_find(d, aux, kind, key);
    if (!r) {
        if (d->n_rows == 4096) CF_BUG("the double is full");
        r = &d->rows[d->n_rows++];
        *r = (struct double_row){aux, kind, part, *key, NULL};
    }
    r->row = double_copy(d, d->keep, aux, kind, row);
}

static inline struct cf_work *double_find_work(struct stage_double *d, const uint8_t id[16])
{
    for (size_t i = 0; i < d->n_work; i++)
        if (!memcmp(d->work[i].id, id, 16)) return &d->work[i];
    return NULL;
}

static inline int double_load(void *self, struct cf_arena *arena, struct cf_load *l)
{
    struct stage_double *d = self;
    for (size_t i = 0; i < l->n_rows; i++) {
        struct double_row *r = double_find(d, false, l->rows[i].kind, &l->rows[i].key);
        l->rows[i].place.there = r ? CF_THERE_YES : CF_THERE_NOT;
        if (!r) continue;
        const struct cf_column *c;
        size_t size;
        double_columns(d, false, r->kind, &c, &size);
        memcpy(l->rows[i].row, double_copy(d, arena, false, r->kind, r->row), size);
    }
    for (size_t i = 0; i < l->n_aux; i++) {
        const void *row = double_aux(d, l->aux[i].aux, l->aux[i].id);
        l->aux[i].place.there = row ? CF_THERE_YES : CF_THERE_NOT;
        if (row) l->aux[i].row = double_copy(d, arena, true, l->aux[i].aux, row);
    }
    for (size_t i = 0; i < l->n_work; i++) {
        struct cf_work *w = double_find_work(d, l->work[i].id);
        l->work[i].exists = w != NULL;
        if (w) l->work[i].work = *w;
    }
    return 0;
}

/* What the stage takes for known of a row must be so. */
static inline void double_check(struct stage_double *d, bool aux, uint16_t kind,
                                const struct cf_key *key, enum cf_there there)
{
    bool is = double_find(d, aux, kind, key) != NULL;
    if ((there == CF_THERE_YES && !is) || (there == CF_THERE_NOT && is)) {
        fprintf(stderr, "a row of kind %u is%s there\n", (unsigned)kind, is ? "" : " not");
        abort();
    }
}

static inline int double_commit(void *self, const struct cf_commit *c)
{
    struct stage_double *d = self;
    if (d->fail_commits > 0) {
        d->fail_commits--;
        return d->fail_with;
    }
    for (size_t i = 0; i < c->n_rows; i++) {
        double_check(d, false, c->rows[i]->kind, &c->rows[i]->key, c->rows[i]->place.there);
        double_save(d, false, c->rows[i]->kind, c->rows[i]->part, &c->rows[i]->key,
                    c->rows[i]->row);
    }
    for (size_t i = 0; i < c->n_aux; i++) {
        struct cf_key key;
        cf_key_bytes(c->aux[i].id, 16, &key);
        double_check(d, true, c->aux[i].aux, &key, c->aux[i].place.there);
        if (d->st->service->aux[c->aux[i].aux].insert_only &&
            double_find(d, true, c->aux[i].aux, &key))
            continue;
        double_save(d, true, c->aux[i].aux, c->aux[i].part, &key, c->aux[i].row);
    }
    for (size_t i = 0; i < c->n_drops; i++) {
        struct cf_work *w = double_find_work(d, c->drops[i].id);
        if (w) *w = d->work[--d->n_work];
    }
    for (size_t i = 0; i < c->n_puts; i++) {
        struct cf_work *w = double_find_work(d, c->puts[i].id);
        if (!w) w = &d->work[d->n_work++];
        *w = c->puts[i];
        w->args = cf_arena_str(d->keep, w->args);
    }
    for (size_t i = 0; i < c->n_parked && d->n_parked < 256; i++)
        d->parked[d->n_parked++] =
            cf_arena_str(d->keep, cf_str_of(c->parked[i].reason)).ptr;
    return 0;
}

static inline int double_numbers(void *self, const char *kind, uint64_t count, uint64_t *first)
{
    struct stage_double *d = self;
    (void)kind;
    *first = d->numbers + 1;
    d->numbers += count;
    return 0;
}

static inline const char *double_why(void *self)
{
    (void)self;
    return "double";
}

static inline int double_produce(void *self, int16_t part, int64_t seq,
                                 const struct cf_out_message *m)
{
    struct stage_double *d = self;
    char name[128];
    cf_output_name(d->st->service, m->topic, name);
    if (d->n_sent == 16384) CF_BUG("the double has sent too much");
    struct double_sent *s = &d->sent[d->n_sent++];
    *s = (struct double_sent){cf_arena_str(d->keep, cf_str_of(name)).ptr,
                              cf_arena_str(d->keep, m->type).ptr, {0}, m->no,
                              cf_arena_str(d->keep, m->value)};
    cf_key_bytes(m->key.ptr, m->key.len, &s->key);
    d->acks[d->n_acks++] = (struct cf_ack){part, m->topic, m->target, seq, m->no, d->offset};
    return 0;
}

static inline int double_take_acks(void *self, struct cf_ack *acks, size_t max, int wait_ms,
                                   size_t *n)
{
    struct stage_double *d = self;
    (void)wait_ms;
    for (*n = 0; *n < max && d->n_acks; (*n)++)
        acks[*n] = d->acks[--d->n_acks];
    return 0;
}

static inline struct stage_double *double_new(const struct cf_service *service, int partitions)
{
    struct stage_double *d = cf_calloc(1, sizeof *d);
    struct cf_stage_conf conf = {.partitions = partitions, .batch_max = 500};
    d->st = cf_stage_new(service, &conf);
    d->keep = cf_arena_new((size_t)512 << 20);
    d->store = (struct cf_store){.self = d, .load = double_load, .commit = double_commit,
                                 .numbers = double_numbers, .why = double_why};
    d->log = (struct cf_log){.self = d, .produce = double_produce, .acks = double_take_acks,
                             .why = double_why};
    d->st->store = &d->store;
    d->st->log = &d->log;
    for (int i = 0; i < partitions; i++) {
        d->st->shards[i].owned = true;
        for (size_t t = 0; t < d->st->n_in; t++)
            d->st->shards[i].in[t].last_offset = -1;
    }
    return d;
}

static inline void double_free(struct stage_double *d)
{
    d->st->store = NULL;
    d->st->log = NULL;
    cf_stage_free(d->st);
    cf_arena_free(d->keep);
    free(d);
}

/* One record through the stage. Topics of own services get their stream's next number. The error
 * of the batch (0 even when the record was parked or refused: look at parked and sent). */
static inline int double_feed(struct stage_double *d, const char *topic, const char *ce_type,
                              const struct cf_key *key, const uint8_t id[16], cf_ms at,
                              struct cf_str value)
{
    struct cf_arena *a = d->keep;
    char text[37];
    struct cf_record r = {.at = at, .ce_time = at, .value = value, .ce_source = CF_STR("test")};
    uint16_t t = 0;
    while (d->st->service->in[t].name && strcmp(d->st->service->in[t].name, topic))
        t++;
    if (!d->st->service->in[t].name) CF_BUG("the service does not read this topic");
    r.topic = t;
    r.key = (struct cf_str){(const char *)key->b, key->len};
    r.part = (int32_t)cf_key_partition(key, (uint32_t)d->st->conf.partitions);
    r.offset = d->offset++;
    cf_uuid_text(id, text);
    r.ce_id = cf_arena_str(a, (struct cf_str){text, 36});
    r.ce_type = cf_str_of(ce_type);
    size_t n = strlen(topic);
    bool internal = n > 9 && !strcmp(topic + n - 9, ".internal");
    bool commands = n > 9 && !strcmp(topic + n - 9, ".commands");
    if (!d->st->service->in[t].open && !internal && !commands) {
        r.cf_src = cf_arena_printf(a, "upstream/%d", r.part);
        r.cf_no = ++d->no[t][r.part];
    }
    int e = batch_run(d->st, &r, 1);
    if (!e) e = publish_acks(d->st, 0);
    return e;
}

/* Feeds back every message the service sent to its own internal topic since `from`, as the log
 * would; returns the number fed. Messages sent meanwhile are fed too. */
static inline size_t double_loop_back(struct stage_double *d, size_t from, cf_ms at)
{
    size_t fed = 0;
    for (size_t i = from; i < d->n_sent; i++) {
        uint8_t id[16];
        if (strcmp(d->sent[i].topic, d->st->service->out[0])) continue;
        cf_uuid8_of(id, CF_STR("loop"), d->sent[i].value);
        struct double_sent s = d->sent[i];
        if (double_feed(d, s.topic, s.type, &s.key, id, at, s.value)) CF_BUG("loop back failed");
        fed++;
    }
    return fed;
}
