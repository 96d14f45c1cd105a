/* store_commit -- the one transaction of a batch, in one trip: guards first, then everything. */
#include "common/io/stage/failpoint.h"
#include "common/io/stage/store_pg.h"

#include <stdlib.h>

/* Begins n arrays with these element types. */
static void begin(struct store_pg *s, const enum cf_oid *oids, int n)
{
    for (int i = 0; i < n; i++)
        cf_pgarray_begin(&s->arrays[i], oids[i]);
}

static int send(struct store_pg *s, int statement, int first, int n)
{
    struct cf_str params[STORE_ARRAYS];
    for (int i = 0; i < n; i++) {
        /* A value past the buffer's maximum would shift the columns against each other. */
        if (s->arrays[first + i].buf.full) return CF_E_DATA;
        params[i] = cf_pgarray_end(&s->arrays[first + i]);
    }
    return cf_pipe_send(&s->pipe, statement, params, n);
}

static void numbers(struct store_pg *s, struct cf_pgarray *a, const int64_t *v)
{
    char bytes[256 * 8];
    for (int i = 0; i < s->partitions; i++)
        cf_put64(bytes + 8 * i, (uint64_t)v[i]);
    cf_pgarray_bytes(a, bytes, 8 * (size_t)s->partitions);
}

static void name(struct cf_pgarray *a, struct cf_str s)
{
    cf_pgarray_bytes(a, s.ptr, s.len);
}

static int guard_shards(struct store_pg *s, const struct cf_commit *c)
{
    static const enum cf_oid oids[] = {CF_OID_INT2, CF_OID_INT8, CF_OID_INT8,
                                       CF_OID_INT8, CF_OID_INT8, CF_OID_INT2};
    struct cf_str params[7] = {
        {(const char *)s->replica, 16}
    };
    struct cf_pgarray *a = s->arrays;
    begin(s, oids, 6);
    for (size_t i = 0; i < c->n_shards; i++) {
        const struct cf_commit_shard *h = &c->shards[i];
        cf_pgarray_int2(&a[0], h->part);
        cf_pgarray_int8(&a[1], h->epoch);
        cf_pgarray_int8(&a[2], h->last_now);
        cf_pgarray_int8(&a[3], h->journal_seq);
        cf_pgarray_int8(&a[4], h->acked_seq);
        cf_pgarray_int2(&a[5], c->n_cursors == 0);
    }
    for (int i = 0; i < 6; i++)
        params[i + 1] = cf_pgarray_end(&a[i]);
    return cf_pipe_send(&s->pipe, s->s_guard_shard, params, 7);
}

static int guard_cursors(struct store_pg *s, const struct cf_commit *c)
{
    static const enum cf_oid oids[] = {CF_OID_INT2, CF_OID_TEXT, CF_OID_INT8,
                                       CF_OID_INT8, CF_OID_INT8, CF_OID_BYTEA};
    struct cf_pgarray *a = s->arrays;
    begin(s, oids, 6);
    for (size_t i = 0; i < c->n_cursors; i++) {
        const struct cf_commit_cursor *k = &c->cursors[i];
        cf_pgarray_int2(&a[0], k->part);
        name(&a[1], store_in_name(s, k->topic));
        cf_pgarray_int8(&a[2], k->old_offset);
        cf_pgarray_int8(&a[3], k->new_offset);
        cf_pgarray_int8(&a[4], (int64_t)k->hash);
        numbers(s, &a[5], k->last_no);
    }
    return send(s, s->s_guard_cursor, 0, 6);
}

static int save_outputs(struct store_pg *s, const struct cf_commit *c)
{
    static const enum cf_oid oids[] = {CF_OID_INT2, CF_OID_TEXT, CF_OID_BYTEA, CF_OID_BYTEA,
                                       CF_OID_BYTEA};
    struct cf_pgarray *a = s->arrays;
    begin(s, oids, 5);
    for (size_t i = 0; i < c->n_outputs; i++) {
        const struct cf_commit_output *o = &c->outputs[i];
        cf_pgarray_int2(&a[0], o->part);
        name(&a[1], store_out_name(s, o->topic));
        numbers(s, &a[2], o->last_no);
        numbers(s, &a[3], o->acked_no);
        numbers(s, &a[4], o->acked_offset);
    }
    return send(s, s->s_output_save, 0, 5);
}

static int add_journal(struct store_pg *s, const struct cf_commit *c)
{
    static const enum cf_oid oids[] = {CF_OID_INT2, CF_OID_INT8, CF_OID_BYTEA};
    struct cf_pgarray *a = s->arrays;
    begin(s, oids, 3);
    for (size_t i = 0; i < c->n_journal; i++) {
        cf_pgarray_int2(&a[0], c->journal[i].part);
        cf_pgarray_int8(&a[1], c->journal[i].seq);
        cf_pgarray_bytes(&a[2], c->journal[i].messages.ptr, c->journal[i].messages.len);
    }
    return send(s, s->s_journal_add, 0, 3);
}

/* Rows of one table that go by one statement: those of which `there` is true. */
struct rows {
    struct store_pg *s;
    const struct cf_column *columns;
    size_t n_columns, n;
    enum cf_there there;
};

static struct rows rows_begin(struct store_pg *s, const struct cf_column *columns,
                              size_t n_columns, enum cf_oid id, enum cf_there there)
{
    struct rows r = {s, columns, n_columns, 0, there};
    size_t first = 0;
    if (there == CF_THERE_YES) {
        cf_pgarray_begin(&s->arrays[first++], CF_OID_TID);
    } else {
        cf_pgarray_begin(&s->arrays[first++], CF_OID_INT2);
        cf_pgarray_begin(&s->arrays[first++], id);
    }
    for (size_t i = 0; i < n_columns; i++)
        cf_pgarray_begin(&s->arrays[first + i], cf_column_oid(columns[i].type));
    return r;
}

static void rows_add(struct rows *r, const struct cf_place *place, int16_t part, struct cf_str id,
                     const void *row)
{
    struct cf_pgarray *a = r->s->arrays;
    if (place->there != r->there) return;
    r->n++;
    if (r->there == CF_THERE_YES) {
        cf_pgarray_bytes(a++, place->at, sizeof place->at);
    } else {
        cf_pgarray_int2(a++, part);
        cf_pgarray_bytes(a++, id.ptr, id.len);
    }
    for (size_t i = 0; i < r->n_columns; i++)
        cf_column_append(&r->columns[i], row, &a[i]);
}

static int rows_send(const struct rows *r, const struct store_table *t)
{
    int arrays = (int)r->n_columns + (r->there == CF_THERE_YES ? 1 : 2);
    int statement = r->there == CF_THERE_YES ? t->update
                    : r->there == CF_THERE_NOT ? t->insert
                                               : t->save;
    return r->n ? send(r->s, statement, 0, arrays) : 0;
}

/* The changed rows of one kind, in the order they were loaded (sorted). */
static int save_kind(struct store_pg *s, const struct cf_commit *c, uint16_t kind,
                     enum cf_there there)
{
    const struct cf_kind *k = &s->service->kinds[kind];
    struct rows r = rows_begin(s, k->columns, k->n_columns, CF_OID_BYTEA, there);
    for (size_t i = 0; i < c->n_rows; i++)
        if (c->rows[i]->kind == kind)
            rows_add(&r, &c->rows[i]->place, c->rows[i]->part, cf_key_str(&c->rows[i]->key),
                     c->rows[i]->row);
    return rows_send(&r, &s->kinds[kind]);
}

static int save_aux(struct store_pg *s, const struct cf_commit *c, uint16_t aux,
                    enum cf_there there)
{
    const struct cf_aux *k = &s->service->aux[aux];
    struct rows r = rows_begin(s, k->columns, k->n_columns, CF_OID_UUID, there);
    for (size_t i = 0; i < c->n_aux; i++)
        if (c->aux[i].aux == aux)
            rows_add(&r, &c->aux[i].place, c->aux[i].part,
                     (struct cf_str){(const char *)c->aux[i].id, 16}, c->aux[i].row);
    return rows_send(&r, &s->aux[aux]);
}

static int save_rows(struct store_pg *s, const struct cf_commit *c)
{
    int e = 0;
    for (enum cf_there there = CF_THERE_UNKNOWN; there <= CF_THERE_YES && !e; there++) {
        for (size_t i = 0; i < s->service->n_kinds && c->n_rows && !e; i++)
            e = save_kind(s, c, (uint16_t)i, there);
        for (size_t i = 0; i < s->service->n_aux && c->n_aux && !e; i++)
            e = save_aux(s, c, (uint16_t)i, there);
    }
    return e;
}

static int drop_work(struct store_pg *s, const struct cf_commit *c)
{
    static const enum cf_oid oids[] = {CF_OID_INT2, CF_OID_UUID};
    begin(s, oids, 2);
    for (size_t i = 0; i < c->n_drops; i++) {
        cf_pgarray_int2(&s->arrays[0], c->drops[i].part);
        cf_pgarray_bytes(&s->arrays[1], c->drops[i].id, 16);
    }
    return send(s, s->s_work_drop, 0, 2);
}

static int put_work(struct store_pg *s, const struct cf_commit *c)
{
    static const enum cf_oid oids[] = {CF_OID_INT2, CF_OID_UUID, CF_OID_INT2, CF_OID_BYTEA,
                                       CF_OID_INT8, CF_OID_INT4, CF_OID_BYTEA, CF_OID_INT4};
    struct cf_pgarray *a = s->arrays;
    begin(s, oids, 8);
    for (size_t i = 0; i < c->n_puts; i++) {
        const struct cf_work *w = &c->puts[i];
        cf_pgarray_int2(&a[0], w->part);
        cf_pgarray_bytes(&a[1], w->id, 16);
        cf_pgarray_int2(&a[2], (int16_t)w->kind);
        cf_pgarray_bytes(&a[3], w->key.b, w->key.len);
        cf_pgarray_int8(&a[4], w->due);
        cf_pgarray_int4(&a[5], (int32_t)w->attempt);
        cf_pgarray_bytes(&a[6], w->args.ptr, w->args.len);
        cf_pgarray_int4(&a[7], (int32_t)w->pieces);
    }
    return send(s, s->s_work_put, 0, 8);
}

static int add_parked(struct store_pg *s, const struct cf_commit *c)
{
    static const enum cf_oid oids[] = {CF_OID_INT2,  CF_OID_TEXT, CF_OID_INT8, CF_OID_INT4,
                                       CF_OID_BYTEA, CF_OID_TEXT, CF_OID_TEXT, CF_OID_BYTEA};
    struct cf_pgarray *a = s->arrays;
    begin(s, oids, 8);
    for (size_t i = 0; i < c->n_parked; i++) {
        const struct cf_commit_parked *p = &c->parked[i];
        cf_pgarray_int2(&a[0], p->part);
        name(&a[1], store_in_name(s, p->topic));
        cf_pgarray_int8(&a[2], p->offset);
        cf_pgarray_int4(&a[3], p->index);
        cf_pgarray_bytes(&a[4], p->key.ptr, p->key.len);
        name(&a[5], cf_str_of(p->reason));
        name(&a[6], p->type);
        cf_pgarray_bytes(&a[7], p->record.ptr, p->record.len);
    }
    return send(s, s->s_parked_add, 0, 8);
}

static int unpark(struct store_pg *s, const struct cf_commit_unpark *u)
{
    static const enum cf_oid oids[] = {CF_OID_INT2, CF_OID_TEXT, CF_OID_INT8, CF_OID_INT4,
                                       CF_OID_BYTEA};
    struct cf_pgarray *a = s->arrays;
    begin(s, oids, 5);
    for (size_t i = 0; i < u->n; i++) {
        cf_pgarray_int2(&a[0], u->part);
        name(&a[1], store_in_name(s, u->topic));
        cf_pgarray_int8(&a[2], u->places[i].offset);
        cf_pgarray_int4(&a[3], u->places[i].index);
        cf_pgarray_bytes(&a[4], u->key.ptr, u->key.len);
    }
    return u->dropped ? send(s, s->s_parked_dropped, 0, 5) : send(s, s->s_parked_done, 0, 4);
}

static int send_all(struct store_pg *s, const struct cf_commit *c)
{
    int e = cf_pipe_command(&s->pipe, "begin");
    if (!e) e = guard_shards(s, c);
    if (!e && c->n_cursors) e = guard_cursors(s, c);
    s->pipe.guards = s->pipe.sent;
    if (!e) e = save_rows(s, c);
    if (!e && c->n_journal) e = add_journal(s, c);
    if (!e && c->n_outputs) e = save_outputs(s, c);
    if (!e && c->n_drops) e = drop_work(s, c);
    if (!e && c->n_puts) e = put_work(s, c);
    if (!e && c->unpark && c->unpark->n) e = unpark(s, c->unpark);
    if (!e && c->n_parked) e = add_parked(s, c);
    if (!e) e = cf_failpoint("before_commit");
    if (!e) e = cf_pipe_command(&s->pipe, "commit");
    if (!e) e = cf_pipe_sync(&s->pipe);
    return e;
}

int store_pg_commit(void *self, const struct cf_commit *c)
{
    struct store_pg *s = self;
    int at = -1;
    int e = s->pipe.conn && !s->pipe.broken ? 0 : cf_pipe_open(&s->pipe);
    s->pipe.guards = 0;
    s->pipe.sent = 0;
    if (e) return e;
    e = send_all(s, c);
    if (e) {
        /* Not synced: close rather than guess what the server has seen. Nothing committed, for
         * the commit itself was not sent, or not flushed together with its sync. */
        s->pipe.broken = true;
        store_pg_recover(s);
        return e == CF_E_DB ? CF_E_UNKNOWN : e;
    }
    e = cf_pipe_finish(&s->pipe, &at);
    /* Without any answer the commit may have gone through. An error from the server itself
     * says that it did not. */
    if (e == CF_E_DB && at < 0) e = CF_E_UNKNOWN;
    if (!e) e = cf_failpoint("after_commit");
    if (e) store_pg_recover(s);
    return e;
}
