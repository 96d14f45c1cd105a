/* store -- a service's schema in memory: rows of all kinds, work, members. */
#include "common/io/stage/bundle.h"
#include "common/pure/hash.h"
#include "tests/sim/store_inside.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- rows ------------------------------------------------------------------------------------ */

static size_t columns_of(const struct sim_store *d, bool aux, uint16_t kind,
                         const struct cf_column **columns, size_t *size)
{
    const struct cf_service *v = d->service;
    *columns = aux ? v->aux[kind].columns : v->kinds[kind].columns;
    *size = aux ? v->aux[kind].size : v->kinds[kind].size;
    return aux ? v->aux[kind].n_columns : v->kinds[kind].n_columns;
}

static size_t text_bytes(const struct cf_column *c, size_t n, const void *row)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        struct cf_str s;
        if (c[i].type != CF_COL_TEXT && c[i].type != CF_COL_BYTES) continue;
        memcpy(&s, (const char *)row + c[i].offset, sizeof s);
        bytes += s.len + 1;
    }
    return bytes;
}

/* Only what the columns name survives, as in a database. `to` has room for the row and its text. */
static void copy_row(const struct cf_column *c, size_t n, size_t size, char *to, const void *row)
{
    static const size_t bytes[] = {
        [CF_COL_BOOL] = sizeof(bool), [CF_COL_INT2] = 2, [CF_COL_INT4] = 4, [CF_COL_INT8] = 8,
        [CF_COL_ID] = 16,             [CF_COL_KEY] = sizeof(struct cf_key)};
    char *text = to + size;
    memset(to, 0, size);
    for (size_t i = 0; i < n; i++) {
        const char *from = (const char *)row + c[i].offset;
        if (c[i].type == CF_COL_TEXT || c[i].type == CF_COL_BYTES) {
            struct cf_str s;
            memcpy(&s, from, sizeof s);
            if (s.len) memcpy(text, s.ptr, s.len);
            if (s.ptr) s.ptr = text;
            text += s.len;
            *text++ = 0;
            memcpy(to + c[i].offset, &s, sizeof s);
        } else {
            memcpy(to + c[i].offset, from, bytes[c[i].type]);
        }
    }
}

struct row **store_row(struct sim_store *d, bool aux, uint16_t kind, int16_t part,
                           const struct cf_key *key)
{
    uint64_t h = cf_hash64_seed(key->b, key->len, (uint64_t)kind << 1 | aux);
    struct row **at = &d->rows[h % BUCKETS];
    while (*at && ((*at)->aux != aux || (*at)->kind != kind || (*at)->part != part ||
                   !cf_key_eq(&(*at)->key, key)))
        at = &(*at)->next;
    return at;
}

void store_save_row(struct sim_store *d, bool aux, uint16_t kind, int16_t part,
                     const struct cf_key *key, const void *row)
{
    const struct cf_column *c;
    size_t size, n = columns_of(d, aux, kind, &c, &size);
    struct row **at = store_row(d, aux, kind, part, key);
    char *data = cf_malloc(size + text_bytes(c, n, row));
    if (!*at) {
        *at = cf_calloc(1, sizeof **at);
        (*at)->aux = aux;
        (*at)->kind = kind;
        (*at)->part = part;
        (*at)->key = *key;
    }
    copy_row(c, n, size, data, row);
    free((*at)->data);
    (*at)->data = data;
    (*at)->place = ++d->places;
}

void store_place(const struct row *row, struct cf_place *place)
{
    place->there = row ? CF_THERE_YES : CF_THERE_NOT;
    for (int i = 0; row && i < 6; i++)
        place->at[i] = (char)(row->place >> (8 * i));
}

void *store_load_row(const struct sim_store *d, struct cf_arena *a, const struct row *row)
{
    const struct cf_column *c;
    size_t size, n = columns_of(d, row->aux, row->kind, &c, &size);
    char *to = cf_arena_alloc(a, size + text_bytes(c, n, row->data));
    copy_row(c, n, size, to, row->data);
    return to;
}

struct work_row **store_work(struct sim_store *d, int16_t part, const uint8_t id[16])
{
    struct work_row **at = &d->work[part];
    while (*at && memcmp((*at)->work.id, id, 16))
        at = &(*at)->next;
    return at;
}

struct cf_key store_key_of_id(const uint8_t id[16])
{
    struct cf_key key;
    if (!cf_key_bytes(id, 16, &key)) CF_BUG("an id is a key");
    return key;
}

/* ---- who lives ------------------------------------------------------------------------------- */

size_t store_member(const struct sim_store *d, const uint8_t replica[16])
{
    size_t i = 0;
    while (i < d->n_members && memcmp(d->members[i].replica, replica, 16))
        i++;
    return i;
}

bool store_lives(const struct sim_store *d, const uint8_t replica[16])
{
    size_t i = store_member(d, replica);
    return i < d->n_members && d->members[i].seen_at > sim_now - TIMEOUT_MS;
}

static void forget_old(struct sim_store *d)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->n_members; i++)
        if (d->members[i].seen_at > sim_now - 20 * TIMEOUT_MS) d->members[kept++] = d->members[i];
    d->n_members = kept;
}

void sim_store_beat(struct sim_store *d, const uint8_t replica[16])
{
    size_t i = store_member(d, replica);
    if (i == d->n_members) {
        if (i == MEMBERS) forget_old(d);
        if ((i = d->n_members) == MEMBERS) CF_BUG("too many members");
        memcpy(d->members[i].replica, replica, 16);
        d->members[i].steady_since = sim_now;
        d->n_members++;
    } else if (d->members[i].seen_at < sim_now - TIMEOUT_MS) {
        d->members[i].steady_since = sim_now;
    }
    d->members[i].seen_at = sim_now;
}

void sim_store_leave(struct sim_store *d, const uint8_t replica[16])
{
    size_t i = store_member(d, replica);
    if (i < d->n_members) d->members[i] = d->members[--d->n_members];
}

/* ---- seen from outside ----------------------------------------------------------------------- */

void sim_store_work(const struct sim_store *d, int16_t part, struct cf_arena *a,
                    sim_work_seen *seen, void *arg)
{
    for (const struct work_row *w = d->work[part]; w; w = w->next) {
        struct cf_str rest = w->work.args;
        struct cf_work piece = w->work;
        piece.args = cf_arena_str(a, w->work.args);
        if (!w->work.pieces) seen(arg, &piece);
        while (w->work.pieces && rest.len) {
            if (cf_bundle_next(&w->work, &rest, &piece)) sim_broken("a bundle cannot be read");
            seen(arg, &piece);
        }
    }
}

void sim_store_rows(const struct sim_store *d, bool aux, uint16_t kind, sim_row_seen *seen,
                    void *arg)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct row *row = d->rows[i]; row; row = row->next)
            if (row->aux == aux && row->kind == kind) seen(arg, &row->key, row->data);
}

const void *sim_store_row(const struct sim_store *d, bool aux, uint16_t kind, int16_t part,
                          const struct cf_key *key)
{
    const struct row *row = *store_row((struct sim_store *)(uintptr_t)d, aux, kind, part, key);
    return row ? row->data : NULL;
}

size_t sim_store_parked(const struct sim_store *d)
{
    return d->n_parked;
}

size_t sim_store_parked_of(const struct sim_store *d, const char *topic)
{
    size_t n = 0;
    for (int p = 0; p < SIM_PARTS; p++)
        for (const struct parked_row *row = d->shards[p].parked; row; row = row->next)
            n += !strcmp(d->service->in[row->topic].name, topic);
    return n;
}

size_t sim_store_work_due(const struct sim_store *d, cf_ms until)
{
    size_t n = 0;
    for (int p = 0; p < SIM_PARTS; p++)
        for (const struct work_row *w = d->work[p]; w; w = w->next)
            n += w->work.due <= until;
    return n;
}

cf_ms sim_store_next_due(const struct sim_store *d, cf_ms from)
{
    cf_ms next = INT64_MAX;
    for (int p = 0; p < SIM_PARTS; p++)
        for (const struct work_row *w = d->work[p]; w; w = w->next)
            if (w->work.due > from && w->work.due < next) next = w->work.due;
    return next;
}

void sim_store_leap(struct sim_store *d, cf_ms ms)
{
    for (size_t i = 0; i < d->n_members; i++) {
        d->members[i].seen_at += ms;
        d->members[i].steady_since += ms;
    }
}

const char *sim_store_busy(const struct sim_store *d)
{
    static char why[160];
    for (int p = 0; p < SIM_PARTS; p++) {
        snprintf(why, sizeof why, "%s, shard %d: messages %lld to %lld", d->service->name, p,
                 (long long)d->shards[p].acked_seq + 1, (long long)d->shards[p].journal_seq);
        if (d->shards[p].acked_seq < d->shards[p].journal_seq) return why;
        for (size_t t = 0; t < d->n_in; t++) {
            snprintf(why, sizeof why, "%s, shard %d: %s", d->service->name, p,
                     d->service->in[t].name);
            if (d->shards[p].in[t].last_offset + 1 < sim_topic(d->service->in[t].name)->parts[p].n)
                return why;
        }
    }
    return NULL;
}

/* ---- making it ------------------------------------------------------------------------------- */

struct sim_store *sim_store_new(const struct cf_service *service)
{
    struct sim_store *d = cf_calloc(1, sizeof *d);
    d->service = service;
    d->n_in = cf_inputs(service);
    d->n_out = cf_outputs(service);
    if (d->n_in > TOPICS || d->n_out > TOPICS) CF_BUG("too many topics");
    for (int p = 0; p < SIM_PARTS; p++) {
        for (size_t t = 0; t < d->n_in; t++)
            d->shards[p].in[t].last_offset = -1;
        for (size_t t = 0; t < d->n_out; t++)
            memset(d->shards[p].out[t].acked_offset, 0xFF, SIM_PARTS * sizeof(int64_t));
    }
    return d;
}
