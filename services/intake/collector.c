#include "services/intake/collector.h"

#include <stdlib.h>

#include "common/io/stage/pgbin.h"

enum { STEP_ROWS = 500, ARENA = 4 << 20 };

/* One step under way. */
struct collecting {
    struct intake_front *front;
    struct cf_work_call *call;
    struct intake_collect ask;
    struct cf_key key;       /* of the roster */
    struct cf_str collector; /* open */
    struct cf_arena *arena;
    uint32_t next_row;
    bool complete, failed;
    size_t outstanding;
};

static void end_step(struct collecting *c)
{
    if (c->failed)
        cf_work_done(c->call, 0, CF_WORK_RETRY, "away", (struct cf_str){0});
    else
        cf_work_done(c->call, 0, CF_WORK_DONE, "",
                     intake_codec_progress(c->arena, c->ask.roster_id, c->next_row, 0, c->complete,
                                           NULL));
    cf_arena_free(c->arena);
    free(c);
}

static void sent(void *arg, int e)
{
    struct collecting *c = arg;
    if (e) c->failed = true;
    if (--c->outstanding == 0) end_step(c);
}

static int send_card(struct collecting *c, uint32_t row_no, const uint8_t app[16],
                     const struct cf_key *holder)
{
    struct cf_app *app_of = c->front->app;
    struct cf_str collector;
    uint8_t id[16];
    int e = cf_seal(app_of->ring, c->collector, cf_key_str(holder), INTAKE_FIELD_ACTOR, c->arena,
                    &collector);
    if (e) return e;
    intake_codec_collection_id(c->ask.id, row_no, id);
    struct cf_front_message m = {
        .topic = "card.commands",
        .key = cf_key_str(holder),
        .part = -1,
        .ce_type = "card.collect",
        .ce_source = "intake/front",
        .value = intake_codec_collection(c->arena, &c->ask, id, app, collector)};
    memcpy(m.ce_id, id, 16);
    return cf_front_send(app_of->producer, &m, sent, c);
}

static void take_row(struct collecting *c, const PGresult *res, int row)
{
    struct cf_str no = cf_pgf_get(res, row, 0), app = cf_pgf_get(res, row, 1),
                  holder = cf_pgf_get(res, row, 2);
    struct cf_key key;
    c->next_row = cf_get32(no.ptr) + 1;
    if (app.len != 16 || !holder.len || !cf_key_bytes(holder.ptr, holder.len, &key)) return;
    if (send_card(c, c->next_row - 1, (const uint8_t *)app.ptr, &key))
        c->failed = true;
    else
        c->outstanding++;
}

static void found(void *arg, int e, const PGresult *res)
{
    struct collecting *c = arg;
    c->failed = e != 0;
    c->outstanding = 1; /* until all are queued */
    int n = e ? 0 : PQntuples(res);
    c->complete = n < STEP_ROWS;
    for (int i = 0; i < n && !c->failed; i++)
        take_row(c, res, i);
    sent(c, 0);
}

static int look(struct collecting *c)
{
    struct cf_app *app = c->front->app;
    struct cf_pgarray rows = {.count = 0};
    char part[2], from[4], ready[2], other[2], limit[4], partitions[4];
    cf_put16(part, (uint16_t)cf_key_partition(&c->key, (uint32_t)app->partitions));
    cf_put32(from, c->next_row);
    cf_put16(ready, CF_APP_READY_FOR_PICKUP);
    cf_put16(other, INTAKE_ROW_UNCHANGED);
    cf_put32(limit, STEP_ROWS);
    cf_put32(partitions, (uint32_t)app->partitions);
    cf_pgarray_begin(&rows, CF_OID_INT4);
    for (size_t i = 0; i < c->ask.n_rows; i++)
        cf_pgarray_int4(&rows, (int32_t)c->ask.rows[i]);
    const struct cf_str params[] = {
        {part,                             2 },
        {(const char *)c->ask.roster_id,   16},
        {from,                             4 },
        c->ask.n_rows ? cf_pgarray_end(&rows) : (struct cf_str){0},
        {ready,                            2 },
        {other,                            2 },
        {limit,                            4 },
        {partitions,                       4 }
    };
    int e = cf_pgf_send(app->pg, INTAKE_SQL_ROSTER_READY, params, 8, found, c);
    cf_buf_free(&rows.buf);
    return e;
}

static int start(struct collecting *c)
{
    c->key = cf_key_roster(c->ask.roster_id);
    c->next_row = c->ask.next_row;
    int e = cf_unseal(c->front->app->ring, c->ask.collector, cf_key_str(&c->key),
                      INTAKE_FIELD_ACTOR, c->arena, &c->collector);
    return e ? e : look(c);
}

void intake_collector_run(struct intake_front *front, struct cf_work_call *call)
{
    struct collecting *c = cf_calloc(1, sizeof *c);
    c->front = front;
    c->call = call;
    c->arena = cf_arena_new(ARENA);
    if (intake_codec_collect_read(c->arena, cf_work_item(call, 0)->args, &c->ask)) {
        c->complete = true; /* what cannot be read will not be read another time */
        end_step(c);
    } else if (start(c)) {
        c->failed = true;
        end_step(c);
    }
}
