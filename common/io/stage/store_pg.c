#include "common/io/stage/store_pg.h"

#include "embed/stage_sql.h"

#include <stdio.h>
#include <stdlib.h>

static struct cf_str int2_param(char buf[2], int16_t v)
{
    cf_put16(buf, (uint16_t)v);
    return (struct cf_str){buf, 2};
}

static struct cf_str int4_param(char buf[4], int32_t v)
{
    cf_put32(buf, (uint32_t)v);
    return (struct cf_str){buf, 4};
}

static struct cf_str int8_param(char buf[8], int64_t v)
{
    cf_put64(buf, (uint64_t)v);
    return (struct cf_str){buf, 8};
}

static struct cf_str replica_param(const struct store_pg *s)
{
    return (struct cf_str){(const char *)s->replica, 16};
}

/* Runs one statement; a connection that is gone is opened again first. */
static int once(struct store_pg *s, int statement, const struct cf_str *params, int n,
                PGresult **out)
{
    *out = NULL;
    int e = s->pipe.conn && !s->pipe.broken ? 0 : cf_pipe_open(&s->pipe);
    if (!e) e = cf_pipe_once(&s->pipe, statement, params, n, out);
    if (e && s->pipe.broken) cf_pipe_close(&s->pipe);
    return e;
}

void store_pg_recover(struct store_pg *s)
{
    int at;
    s->pipe.guards = 0;
    if (!s->pipe.conn) return;
    if (!s->pipe.broken && PQtransactionStatus(s->pipe.conn) != PQTRANS_IDLE &&
        (cf_pipe_command(&s->pipe, "rollback") || cf_pipe_sync(&s->pipe) ||
         cf_pipe_finish(&s->pipe, &at)))
        s->pipe.broken = true;
    if (s->pipe.broken) cf_pipe_close(&s->pipe);
}

static int store_open(void *self)
{
    struct store_pg *s = self;
    char b4[4];
    PGresult *r = NULL;
    int e = cf_pipe_open(&s->pipe);
    struct cf_str n = int4_param(b4, s->partitions);
    if (!e) e = once(s, s->s_seed, &n, 1, &r);
    PQclear(r);
    r = NULL;
    if (!e) e = once(s, s->s_count, NULL, 0, &r);
    if (!e && (int32_t)cf_get32(PQgetvalue(r, 0, 0)) != s->partitions) {
        snprintf(s->pipe.why, sizeof s->pipe.why,
                 "the schema was made for another number of partitions");
        e = CF_E_CONFIG;
    }
    PQclear(r);
    return e;
}

static int store_standing(void *self, struct cf_standing *out)
{
    struct store_pg *s = self;
    char b4[4];
    struct cf_str params[] = {replica_param(s), int4_param(b4, s->member_timeout_ms)};
    PGresult *r;
    int e = once(s, s->s_standing, params, 2, &r);
    if (e) return e;
    out->alive = (int)cf_get32(PQgetvalue(r, 0, 0));
    out->rank = (int)cf_get32(PQgetvalue(r, 0, 1));
    out->steady = *PQgetvalue(r, 0, 2) != 0;
    PQclear(r);
    return 0;
}

static struct cf_str parts_param(struct cf_pgarray *a, const int16_t *parts, size_t n)
{
    cf_pgarray_begin(a, CF_OID_INT2);
    for (size_t i = 0; i < n; i++)
        cf_pgarray_int2(a, parts[i]);
    return cf_pgarray_end(a);
}

static int store_take(void *self, const int16_t *held, size_t n_held, int want,
                      struct cf_taken *taken, size_t *n)
{
    struct store_pg *s = self;
    char b4[4], c4[4];
    struct cf_str params[] = {replica_param(s), int4_param(b4, s->member_timeout_ms),
                              int4_param(c4, want), parts_param(&s->arrays[0], held, n_held)};
    PGresult *r;
    *n = 0;
    int e = once(s, s->s_take, params, 4, &r);
    if (e) return e;
    for (int i = 0; i < PQntuples(r); i++)
        taken[(*n)++] = (struct cf_taken){
            .part = (int16_t)cf_get16(PQgetvalue(r, i, 0)),
            .epoch = (int64_t)cf_get64(PQgetvalue(r, i, 1)),
            .last_now = (cf_ms)cf_get64(PQgetvalue(r, i, 2)),
            .journal_seq = (int64_t)cf_get64(PQgetvalue(r, i, 3)),
            .acked_seq = (int64_t)cf_get64(PQgetvalue(r, i, 4)),
        };
    PQclear(r);
    return 0;
}

static int store_give(void *self, const int16_t *parts, size_t n)
{
    struct store_pg *s = self;
    struct cf_str params[] = {replica_param(s), parts_param(&s->arrays[0], parts, n)};
    PGresult *r;
    int e = once(s, s->s_give, params, 2, &r);
    PQclear(r);
    return e;
}

static int store_still(void *self, struct cf_taken *shards, size_t n)
{
    struct store_pg *s = self;
    cf_pgarray_begin(&s->arrays[0], CF_OID_INT2);
    cf_pgarray_begin(&s->arrays[1], CF_OID_INT8);
    for (size_t i = 0; i < n; i++) {
        cf_pgarray_int2(&s->arrays[0], shards[i].part);
        cf_pgarray_int8(&s->arrays[1], shards[i].epoch);
    }
    struct cf_str params[] = {replica_param(s), cf_pgarray_end(&s->arrays[0]),
                              cf_pgarray_end(&s->arrays[1])};
    PGresult *r;
    int e = once(s, s->s_still, params, 3, &r);
    if (e) return e;
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        for (int k = 0; k < PQntuples(r); k++)
            if ((int16_t)cf_get16(PQgetvalue(r, k, 0)) == shards[i].part) found = true;
        if (!found) shards[i].part = -1;
    }
    PQclear(r);
    return 0;
}

/* Numbers are stored 8 bytes big-endian a partition. */
static int read_numbers(struct store_pg *s, const PGresult *r, int row, int field, int64_t *out)
{
    if (PQgetlength(r, row, field) != 8 * s->partitions) return CF_E_CONFIG;
    const char *p = PQgetvalue(r, row, field);
    for (int i = 0; i < s->partitions; i++)
        out[i] = (int64_t)cf_get64(p + 8 * i);
    return 0;
}

static int find_name(const struct store_pg *s, size_t from, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(s->topic_names[from + i], name)) return (int)i;
    return -1; /* a topic of an older version: its row stays as it is */
}

static struct cf_str names_param(struct store_pg *s, size_t from, size_t n)
{
    cf_pgarray_begin(&s->arrays[0], CF_OID_TEXT);
    for (size_t i = 0; i < n; i++)
        cf_pgarray_bytes(&s->arrays[0], s->topic_names[from + i], strlen(s->topic_names[from + i]));
    return cf_pgarray_end(&s->arrays[0]);
}

static int load_cursors(struct store_pg *s, int16_t part, struct cf_shard_streams *out)
{
    char b2[2];
    char *zeros = cf_calloc((size_t)s->partitions, 8);
    struct cf_str seed[] = {
        int2_param(b2, part),
        names_param(s, 0, cf_inputs(s->service)),
        {zeros, 8 * (size_t)s->partitions}
    };
    PGresult *r;
    int e = once(s, s->s_cursor_seed, seed, 3, &r);
    PQclear(r);
    r = NULL;
    if (!e) e = once(s, s->s_cursor_load, seed, 1, &r);
    for (int i = 0; !e && i < PQntuples(r); i++) {
        int topic = find_name(s, 0, cf_inputs(s->service), PQgetvalue(r, i, 0));
        if (topic < 0) continue;
        out->in[topic].last_offset = (int64_t)cf_get64(PQgetvalue(r, i, 1));
        out->in[topic].last_hash = cf_get64(PQgetvalue(r, i, 2));
        e = read_numbers(s, r, i, 3, out->in[topic].last_no);
    }
    PQclear(r);
    free(zeros);
    return e;
}

static int load_outputs(struct store_pg *s, int16_t part, struct cf_shard_streams *out)
{
    char b2[2];
    size_t bytes = 8 * (size_t)s->partitions, in = cf_inputs(s->service);
    char *zeros = cf_calloc(1, bytes), *none = cf_malloc(bytes);
    memset(none, 0xFF, bytes);
    struct cf_str seed[] = {
        int2_param(b2, part),
        names_param(s, in, cf_outputs(s->service)),
        {zeros, bytes},
        {none,  bytes}
    };
    PGresult *r;
    int e = once(s, s->s_output_seed, seed, 4, &r);
    PQclear(r);
    r = NULL;
    if (!e) e = once(s, s->s_output_load, seed, 1, &r);
    for (int i = 0; !e && i < PQntuples(r); i++) {
        int topic = find_name(s, in, cf_outputs(s->service), PQgetvalue(r, i, 0));
        if (topic < 0) continue;
        e = read_numbers(s, r, i, 1, out->out[topic].last_no);
        if (!e) e = read_numbers(s, r, i, 2, out->out[topic].acked_no);
        if (!e) e = read_numbers(s, r, i, 3, out->out[topic].acked_offset);
    }
    PQclear(r);
    free(zeros);
    free(none);
    return e;
}

static int store_streams(void *self, int16_t part, struct cf_shard_streams *out,
                         cf_parked_seen *parked, void *arg)
{
    struct store_pg *s = self;
    char b2[2];
    int e = load_cursors(s, part, out);
    if (!e) e = load_outputs(s, part, out);
    struct cf_str param = int2_param(b2, part);
    PGresult *r = NULL;
    if (!e) e = once(s, s->s_parked_load, &param, 1, &r);
    for (int i = 0; !e && i < PQntuples(r); i++) {
        int topic = find_name(s, 0, cf_inputs(s->service), PQgetvalue(r, i, 0));
        struct cf_str key = {PQgetvalue(r, i, 1), (size_t)PQgetlength(r, i, 1)};
        if (topic >= 0) parked(arg, part, (uint16_t)topic, key);
    }
    PQclear(r);
    return e;
}

static int store_journal(void *self, int16_t part, int64_t after, cf_journal_seen *seen, void *arg)
{
    struct store_pg *s = self;
    char b2[2], b8[8];
    struct cf_str params[] = {int2_param(b2, part), int8_param(b8, after)};
    PGresult *r;
    int e = once(s, s->s_journal_load, params, 2, &r);
    for (int i = 0; !e && i < PQntuples(r); i++)
        e = seen(arg, part, (int64_t)cf_get64(PQgetvalue(r, i, 0)),
                 (struct cf_str){PQgetvalue(r, i, 1), (size_t)PQgetlength(r, i, 1)});
    PQclear(r);
    return e;
}

static int store_numbers(void *self, const char *kind, uint64_t count, uint64_t *first)
{
    struct store_pg *s = self;
    char b8[8];
    struct cf_str params[] = {cf_str_of(kind), CF_STR("-"), int8_param(b8, (int64_t)count)};
    PGresult *r;
    int e = once(s, s->s_number_take, params, 3, &r);
    if (!e) *first = cf_get64(PQgetvalue(r, 0, 0));
    PQclear(r);
    return e;
}

static int store_verdict(void *self, const struct cf_commit *c, bool *committed)
{
    struct store_pg *s = self;
    char b2[2], b8[8];
    const struct cf_commit_cursor *cursor = &c->cursors[0];
    const struct cf_commit_shard *shard = c->shards;
    PGresult *r;
    if (c->n_cursors == 0) CF_BUG("a commit without a position has no verdict");
    while (shard->part != cursor->part)
        shard++; /* each position is of a shard of the same commit */
    struct cf_str params[] = {int2_param(b2, cursor->part), store_in_name(s, cursor->topic),
                              replica_param(s), int8_param(b8, shard->epoch)};
    int e = once(s, s->s_verdict, params, 4, &r);
    if (!e)
        *committed =
            PQntuples(r) == 1 && (int64_t)cf_get64(PQgetvalue(r, 0, 0)) >= cursor->new_offset;
    PQclear(r);
    return e;
}

/* ---- loading a batch's rows ----------------------------------------------------------------- */

static int by_kind_part_key(const void *a, const void *b)
{
    const struct cf_load_row *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return cf_key_cmp(&x->key, &y->key);
}

static int by_aux_part_id(const void *a, const void *b)
{
    const struct cf_load_aux *x = a, *y = b;
    if (x->aux != y->aux) return x->aux < y->aux ? -1 : 1;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return memcmp(x->id, y->id, 16);
}

static int by_part_id(const void *a, const void *b)
{
    const struct cf_load_work *x = a, *y = b;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return memcmp(x->id, y->id, 16);
}

/* Sends one select a group; groups are runs of equal (kind, part). */
static int send_rows(struct store_pg *s, const struct cf_load *l)
{
    char b2[2];
    int e = 0;
    for (size_t i = 0, j; i < l->n_rows && !e; i = j) {
        cf_pgarray_begin(&s->arrays[0], CF_OID_BYTEA);
        for (j = i; j < l->n_rows && l->rows[j].kind == l->rows[i].kind &&
                    l->rows[j].part == l->rows[i].part;
             j++)
            cf_pgarray_bytes(&s->arrays[0], l->rows[j].key.b, l->rows[j].key.len);
        struct cf_str params[] = {int2_param(b2, l->rows[i].part), cf_pgarray_end(&s->arrays[0])};
        e = cf_pipe_send(&s->pipe, s->kinds[l->rows[i].kind].load, params, 2);
    }
    for (size_t i = 0, j; i < l->n_aux && !e; i = j) {
        cf_pgarray_begin(&s->arrays[0], CF_OID_UUID);
        for (j = i;
             j < l->n_aux && l->aux[j].aux == l->aux[i].aux && l->aux[j].part == l->aux[i].part;
             j++)
            cf_pgarray_bytes(&s->arrays[0], l->aux[j].id, 16);
        struct cf_str params[] = {int2_param(b2, l->aux[i].part), cf_pgarray_end(&s->arrays[0])};
        e = cf_pipe_send(&s->pipe, s->aux[l->aux[i].aux].load, params, 2);
    }
    for (size_t i = 0, j; i < l->n_work && !e; i = j) {
        cf_pgarray_begin(&s->arrays[0], CF_OID_UUID);
        for (j = i; j < l->n_work && l->work[j].part == l->work[i].part; j++)
            cf_pgarray_bytes(&s->arrays[0], l->work[j].id, 16);
        struct cf_str params[] = {int2_param(b2, l->work[i].part), cf_pgarray_end(&s->arrays[0])};
        e = cf_pipe_send(&s->pipe, s->s_work_load, params, 2);
    }
    return e;
}

static int read_columns(const struct cf_column *columns, size_t n, const PGresult *r, int i,
                        struct cf_arena *arena, void *row)
{
    int e = 0;
    for (size_t c = 0; c < n && !e; c++)
        e = cf_column_read(&columns[c], r, i, (int)c + 2, arena, row);
    return e;
}

static struct cf_place place_of(const PGresult *r, int row)
{
    struct cf_place place = {.there = CF_THERE_YES};
    if (PQgetlength(r, row, 1) != sizeof place.at) CF_BUG("a ctid of another size");
    memcpy(place.at, PQgetvalue(r, row, 1), sizeof place.at);
    return place;
}

static int take_rows(struct store_pg *s, struct cf_arena *arena, struct cf_load_row *rows, size_t n,
                     const PGresult *r)
{
    const struct cf_kind *kind = &s->service->kinds[rows->kind];
    int e = 0;
    for (int i = 0; i < PQntuples(r) && !e; i++) {
        struct cf_load_row want = {.kind = rows->kind, .part = rows->part};
        if (!cf_key_bytes(PQgetvalue(r, i, 0), (size_t)PQgetlength(r, i, 0), &want.key))
            return CF_E_DATA;
        struct cf_load_row *row = bsearch(&want, rows, n, sizeof *rows, by_kind_part_key);
        if (!row) CF_BUG("a row that nobody asked for");
        row->place = place_of(r, i);
        e = read_columns(kind->columns, kind->n_columns, r, i, arena, row->row);
    }
    return e;
}

static int take_aux(struct store_pg *s, struct cf_arena *arena, struct cf_load_aux *aux, size_t n,
                    const PGresult *r)
{
    const struct cf_aux *table = &s->service->aux[aux->aux];
    int e = 0;
    for (int i = 0; i < PQntuples(r) && !e; i++) {
        struct cf_load_aux want = {.aux = aux->aux, .part = aux->part};
        memcpy(want.id, PQgetvalue(r, i, 0), 16);
        struct cf_load_aux *row = bsearch(&want, aux, n, sizeof *aux, by_aux_part_id);
        if (!row) CF_BUG("a wide row that nobody asked for");
        row->place = place_of(r, i);
        row->row = cf_arena_zero(arena, table->size);
        e = read_columns(table->columns, table->n_columns, r, i, arena, row->row);
    }
    return e;
}

static int take_work(struct cf_arena *arena, struct cf_load_work *work, size_t n, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct cf_load_work want = {.part = work->part};
        memcpy(want.id, PQgetvalue(r, i, 0), 16);
        struct cf_load_work *row = bsearch(&want, work, n, sizeof *work, by_part_id);
        if (!row) CF_BUG("work that nobody asked for");
        row->exists = true;
        struct cf_work *w = &row->work;
        memcpy(w->id, want.id, 16);
        w->part = work->part;
        w->kind = cf_get16(PQgetvalue(r, i, 1));
        if (!cf_key_bytes(PQgetvalue(r, i, 2), (size_t)PQgetlength(r, i, 2), &w->key))
            return CF_E_DATA;
        w->due = (cf_ms)cf_get64(PQgetvalue(r, i, 3));
        w->attempt = cf_get32(PQgetvalue(r, i, 4));
        w->args =
            cf_arena_str(arena, (struct cf_str){PQgetvalue(r, i, 5), (size_t)PQgetlength(r, i, 5)});
        w->pieces = cf_get32(PQgetvalue(r, i, 6));
    }
    return 0;
}

/* Reads the answers in the order send_rows asked. */
static int receive_rows(struct store_pg *s, struct cf_arena *arena, struct cf_load *l)
{
    PGresult *r = NULL;
    int e = 0;
    for (size_t i = 0, j; i < l->n_rows && !e; i = j) {
        for (j = i; j < l->n_rows && l->rows[j].kind == l->rows[i].kind &&
                    l->rows[j].part == l->rows[i].part;
             j++)
            ;
        e = cf_pipe_result(&s->pipe, &r);
        if (!e) e = take_rows(s, arena, &l->rows[i], j - i, r);
        PQclear(r);
    }
    for (size_t i = 0, j; i < l->n_aux && !e; i = j) {
        for (j = i;
             j < l->n_aux && l->aux[j].aux == l->aux[i].aux && l->aux[j].part == l->aux[i].part;
             j++)
            ;
        e = cf_pipe_result(&s->pipe, &r);
        if (!e) e = take_aux(s, arena, &l->aux[i], j - i, r);
        PQclear(r);
    }
    for (size_t i = 0, j; i < l->n_work && !e; i = j) {
        for (j = i; j < l->n_work && l->work[j].part == l->work[i].part; j++)
            ;
        e = cf_pipe_result(&s->pipe, &r);
        if (!e) e = take_work(arena, &l->work[i], j - i, r);
        PQclear(r);
    }
    return e;
}

static int store_load(void *self, struct cf_arena *arena, struct cf_load *l)
{
    struct store_pg *s = self;
    int at, late, e;
    if (l->n_rows + l->n_aux + l->n_work == 0) return 0;
    for (size_t i = 0; i < l->n_rows; i++)
        l->rows[i].place.there = CF_THERE_NOT;
    for (size_t i = 0; i < l->n_aux; i++)
        l->aux[i].place.there = CF_THERE_NOT;
    if (l->n_rows) qsort(l->rows, l->n_rows, sizeof *l->rows, by_kind_part_key);
    if (l->n_aux) qsort(l->aux, l->n_aux, sizeof *l->aux, by_aux_part_id);
    if (l->n_work) qsort(l->work, l->n_work, sizeof *l->work, by_part_id);
    e = s->pipe.conn && !s->pipe.broken ? 0 : cf_pipe_open(&s->pipe);
    s->pipe.guards = 0;
    s->pipe.sent = 0;
    if (!e) e = send_rows(s, l);
    if (!e) e = cf_pipe_sync(&s->pipe);
    if (!e) e = receive_rows(s, arena, l);
    if (s->pipe.conn && !s->pipe.broken) {
        late = cf_pipe_finish(&s->pipe, &at);
        if (!e) e = late;
    }
    if (e) store_pg_recover(s);
    return e;
}

/* ---- what is parked under a key -------------------------------------------------------------- */

static int store_parked_rows(void *self, struct cf_arena *arena, int16_t part, uint16_t topic,
                             struct cf_str key, struct cf_parked_row *rows, size_t max, size_t *n,
                             size_t *total)
{
    struct store_pg *s = self;
    char b2[2], b4[4];
    struct cf_str params[] = {int2_param(b2, part), store_in_name(s, topic), key,
                              int4_param(b4, (int32_t)max)};
    PGresult *r;
    *n = *total = 0;
    int e = once(s, s->s_parked_rows, params, 4, &r);
    if (e) return e;
    for (int i = 0; i < PQntuples(r) && *n < max; i++) {
        struct cf_str record = {PQgetvalue(r, i, 2), (size_t)PQgetlength(r, i, 2)};
        rows[(*n)++] = (struct cf_parked_row){
            {(int64_t)cf_get64(PQgetvalue(r, i, 0)), (int32_t)cf_get32(PQgetvalue(r, i, 1))},
            cf_arena_str(arena, record)
        };
        *total = (size_t)cf_get64(PQgetvalue(r, i, 3));
    }
    PQclear(r);
    return 0;
}

static int store_parked_count(void *self, const struct cf_commit_unpark *what, size_t *total,
                              size_t *n)
{
    struct store_pg *s = self;
    char b2[2];
    PGresult *r;
    cf_pgarray_begin(&s->arrays[0], CF_OID_INT8);
    cf_pgarray_begin(&s->arrays[1], CF_OID_INT4);
    for (size_t i = 0; i < what->n; i++) {
        cf_pgarray_int8(&s->arrays[0], what->places[i].offset);
        cf_pgarray_int4(&s->arrays[1], what->places[i].index);
    }
    struct cf_str params[] = {int2_param(b2, what->part), store_in_name(s, what->topic), what->key,
                              cf_pgarray_end(&s->arrays[0]), cf_pgarray_end(&s->arrays[1])};
    int e = once(s, s->s_parked_count, params, 5, &r);
    if (e) return e;
    *total = (size_t)cf_get64(PQgetvalue(r, 0, 0));
    *n = (size_t)cf_get64(PQgetvalue(r, 0, 1));
    PQclear(r);
    return 0;
}

/* ---- making it ------------------------------------------------------------------------------ */

/* Takes over the SQL; it and the name live as long as the store. */
static int add_generated(struct store_pg *s, const char *what, const char *id, size_t i,
                         struct cf_buf sql)
{
    struct cf_buf name;
    cf_buf_init(&name, 64);
    cf_buf_printf(&name, "%s_%s_%zu", what, id, i);
    cf_buf_add(&name, "", 1);
    cf_buf_add(&sql, "", 1);
    s->generated[s->n_generated++] = sql;
    s->generated[s->n_generated++] = name;
    return cf_pipe_statement(&s->pipe, name.ptr, sql.ptr);
}

static struct store_table add_table(struct store_pg *s, size_t i, const char *table, const char *id,
                                    const char *id_type, const struct cf_column *columns, size_t n,
                                    bool insert_only)
{
    struct cf_buf load, insert, update, save;
    if (n + 2 > STORE_ARRAYS) CF_BUG("too many columns");
    cf_buf_init(&load, 8192);
    cf_buf_init(&insert, 8192);
    cf_buf_init(&update, 8192);
    cf_buf_init(&save, 8192);
    cf_columns_load_sql(&load, table, id, id_type, columns, n);
    cf_columns_insert_sql(&insert, table, id, id_type, columns, n);
    cf_columns_update_sql(&update, table, columns, n);
    cf_columns_save_sql(&save, table, id, id_type, columns, n, insert_only);
    return (struct store_table){.load = add_generated(s, "load", id, i, load),
                                .insert = add_generated(s, "insert", id, i, insert),
                                .update = add_generated(s, "update", id, i, update),
                                .save = add_generated(s, "save", id, i, save)};
}

static void add_rows(struct store_pg *s)
{
    const struct cf_service *v = s->service;
    if (v->n_kinds > STORE_KINDS || v->n_aux > STORE_KINDS) CF_BUG("too many kinds of rows");
    for (size_t i = 0; i < v->n_kinds; i++)
        s->kinds[i] = add_table(s, i, v->kinds[i].table, "key", "bytea", v->kinds[i].columns,
                                v->kinds[i].n_columns, false);
    for (size_t i = 0; i < v->n_aux; i++)
        s->aux[i] = add_table(s, i, v->aux[i].table, "id", "uuid", v->aux[i].columns,
                              v->aux[i].n_columns, v->aux[i].insert_only);
}

#define ADD(field, file) s->s_##field = cf_pipe_statement(&s->pipe, #file, stage_sql_##file)

static void add_own(struct store_pg *s)
{
    ADD(standing, members);
    ADD(take, shard_take);
    ADD(give, shard_give);
    ADD(seed, shard_seed);
    ADD(count, shard_count);
    ADD(still, shard_still);
    ADD(cursor_seed, cursor_seed);
    ADD(cursor_load, cursor_load);
    ADD(output_seed, output_seed);
    ADD(output_load, output_load);
    ADD(parked_load, parked_load);
    ADD(guard_shard, guard_shard);
    ADD(guard_cursor, guard_cursor);
    ADD(verdict, cursor_verdict);
    ADD(output_save, output_save);
    ADD(journal_add, journal_add);
    ADD(journal_load, journal_load);
    ADD(work_put, work_put);
    ADD(work_drop, work_drop);
    ADD(work_load, work_load);
    ADD(parked_add, parked_add);
    ADD(parked_rows, parked_rows);
    ADD(parked_count, parked_count);
    ADD(parked_done, parked_done);
    ADD(parked_dropped, parked_dropped);
    ADD(number_take, number_take);
}

static const char *store_why(void *self)
{
    const struct store_pg *s = self;
    return s->pipe.why;
}

static void store_free(void *self)
{
    struct store_pg *s = self;
    cf_pipe_close(&s->pipe);
    for (size_t i = 0; i < s->n_generated; i++)
        cf_buf_free(&s->generated[i]);
    for (size_t i = 0; i < STORE_ARRAYS; i++)
        cf_buf_free(&s->arrays[i].buf);
    free(s);
}

const char *cf_stage_beat_sql(void)
{
    return stage_sql_beat;
}

struct cf_store *cf_store_pg(const struct cf_service *service, const struct cf_stage_conf *conf,
                             const uint8_t replica[16])
{
    struct store_pg *s = cf_calloc(1, sizeof *s);
    s->service = service;
    s->pipe.dsn = conf->dsn;
    s->partitions = conf->partitions;
    s->member_timeout_ms = conf->member_timeout_ms;
    memcpy(s->replica, replica, 16);
    size_t in = cf_inputs(service), out = cf_outputs(service);
    if (in + out > sizeof s->topic_names / sizeof *s->topic_names) CF_BUG("too many topics");
    for (size_t i = 0; i < in; i++)
        snprintf(s->topic_names[i], sizeof s->topic_names[i], "%s", service->in[i].name);
    for (size_t i = 0; i < out; i++)
        cf_output_name(service, i, s->topic_names[in + i]);
    add_own(s);
    add_rows(s);
    s->door = (struct cf_store){
        .self = s,
        .open = store_open,
        .standing = store_standing,
        .take = store_take,
        .give = store_give,
        .streams = store_streams,
        .journal = store_journal,
        .numbers = store_numbers,
        .load = store_load,
        .parked_rows = store_parked_rows,
        .parked_count = store_parked_count,
        .commit = store_pg_commit,
        .verdict = store_verdict,
        .still = store_still,
        .why = store_why,
        .free = store_free,
    };
    return &s->door;
}
