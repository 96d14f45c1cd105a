/* The doors of the pool to PostgreSQL and Kafka. */
#include "common/io/stage/pgbin.h"
#include "common/io/work_pool.h"
#include "embed/stage_sql.h"

#include <stdlib.h>

struct question {
    cf_work_loaded *loaded;
    void *arg;
    int16_t part;
};

struct cf_pgf_statement cf_work_statement(void)
{
    return (struct cf_pgf_statement){.name = "work_due", .sql = stage_sql_work_due};
}

static bool read_row(const PGresult *res, int row, struct cf_work *w)
{
    struct cf_str id = cf_pgf_get(res, row, 0), kind = cf_pgf_get(res, row, 1),
                  key = cf_pgf_get(res, row, 2), due = cf_pgf_get(res, row, 3),
                  attempt = cf_pgf_get(res, row, 4);
    struct cf_str pieces = cf_pgf_get(res, row, 6);
    if (id.len != 16 || kind.len != 2 || due.len != 8 || attempt.len != 4 || pieces.len != 4)
        return false;
    if (!cf_key_bytes(key.ptr, key.len, &w->key)) return false;
    memcpy(w->id, id.ptr, 16);
    w->kind = cf_get16(kind.ptr);
    w->due = (cf_ms)cf_get64(due.ptr);
    w->attempt = cf_get32(attempt.ptr);
    w->args = cf_pgf_get(res, row, 5);
    w->pieces = cf_get32(pieces.ptr);
    return true;
}

static void answered(void *arg, int e, const PGresult *res)
{
    struct question q = *(struct question *)arg;
    free(arg);
    if (e) {
        q.loaded(q.arg, e, NULL, 0);
        return;
    }
    size_t n = (size_t)PQntuples(res);
    struct cf_work *rows = cf_calloc(n, sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        rows[i].part = q.part;
        if (!read_row(res, (int)i, &rows[i])) CF_BUG("a row of work has another shape");
    }
    q.loaded(q.arg, 0, rows, n);
    free(rows);
}

static int load(void *self, const struct cf_work_page *page, cf_work_loaded *loaded, void *arg)
{
    struct cf_work_world *w = self;
    char part[2], after[8], until[8], limit[4];
    cf_put16(part, (uint16_t)page->part);
    cf_put64(after, (uint64_t)page->after_due);
    cf_put64(until, (uint64_t)page->until);
    cf_put32(limit, (uint32_t)page->limit);
    const struct cf_str params[] = {
        {part, 2}, {after, 8}, {(const char *)page->after_id, 16}, {until, 8}, {limit, 4}};
    struct question *q = cf_calloc(1, sizeof *q);
    *q = (struct question){loaded, arg, page->part};
    int e = cf_pgf_send(w->pg, w->statement, params, 5, answered, q);
    if (e) free(q);
    return e;
}

static int send(void *self, const struct cf_front_message *m, cf_front_sent *sent, void *arg)
{
    struct cf_work_world *w = self;
    return cf_front_send(w->producer, m, sent, arg);
}

void cf_work_world(struct cf_work_world *w, struct cf_pgf *pg, size_t statement,
                   struct cf_front_producer *producer)
{
    *w = (struct cf_work_world){.pg = pg, .statement = statement, .producer = producer};
    w->doors = (struct cf_work_doors){.self = w, .load = load, .send = send};
}
