/* POST /v1/rosters/{roster_id}/collect: a unit's agent takes the cards of a list that are ready. */
#include "common/io/clock.h"
#include "common/io/stage/pgbin.h"
#include "services/intake/api_rosters.h"
#include "services/intake/rules_roster.h"

#include <stdlib.h>

enum { ROWS_MAX = 1000, OUTLET_BYTES = 64 };

struct collect {
    struct intake_write w;
    struct cf_key key;
    char part[2];
    struct intake_collect ask;
    struct intake_agent collector;
    struct cf_str answer; /* written before it is sent: the rows as they stand now */
};

/* ---- the answer ------------------------------------------------------------------------------ */

static void sent(void *arg, int e)
{
    struct collect *c = arg;
    if (e) {
        cf_problem_away(c->w.req, "kafka");
        return;
    }
    if (c->w.replayed) cf_answer_header(c->w.req, "Idempotency-Replayed", CF_STR("true"));
    struct cf_buf body;
    cf_buf_init(&body, c->answer.len + 1);
    cf_buf_add(&body, c->answer.ptr, c->answer.len);
    cf_answer_json(c->w.req, 202, &body);
    cf_buf_free(&body);
}

static void rows_out(struct cf_out *o, struct cf_str joined)
{
    for (const char *p = joined.ptr, *end = p + joined.len; joined.len && p < end;) {
        char *bar;
        cf_out_int(o, NULL, strtol(p, &bar, 10));
        p = bar < end ? bar + 1 : end;
    }
}

static long number(const PGresult *res, int row, int column)
{
    struct cf_str s = cf_pgf_get(res, row, column);
    return s.len ? strtol(s.ptr, NULL, 10) : 0;
}

static enum intake_take take_of(const PGresult *res, int row)
{
    return intake_row_take(cf_str_is(cf_pgf_get(res, row, 0), "t"),
                           number(res, row, 1) == INTAKE_ROW_UNCHANGED,
                           (enum cf_app_state)number(res, row, 2));
}

static long count_of(const PGresult *res, enum intake_take take)
{
    long count = 0;
    for (int i = 0; i < PQntuples(res); i++)
        if (take_of(res, i) == take) count += number(res, i, 3);
    return count;
}

static void left_out(struct cf_out *o, const PGresult *res, enum intake_take take)
{
    long count = count_of(res, take);
    if (!count) return;
    cf_out_object(o, NULL);
    cf_out_z(o, "reason", intake_take_name(take));
    cf_out_int(o, "count", count);
    cf_out_array(o, "rows");
    for (int i = 0; i < PQntuples(res); i++)
        if (take_of(res, i) == take) rows_out(o, cf_pgf_get(res, i, 4));
    cf_out_end(o);
    cf_out_end(o);
}

void intake_collect_states(struct cf_out *o, const PGresult *res)
{
    cf_out_int(o, "to_collect", count_of(res, INTAKE_TAKE_NOW));
    cf_out_array(o, "not_collected");
    for (int t = INTAKE_TAKE_NOW + 1; t < INTAKE_TAKE_COUNT; t++)
        left_out(o, res, (enum intake_take)t);
    cf_out_end(o);
}

static void write_answer(struct collect *c, const PGresult *res)
{
    char roster[37], id[37];
    struct cf_buf body;
    cf_buf_init(&body, 64 << 10);
    struct cf_out o = cf_out_to(&body);
    cf_uuid_text(c->ask.roster_id, roster);
    cf_uuid_text(c->w.id, id);
    cf_out_object(&o, NULL);
    cf_out_z(&o, "roster_id", roster);
    cf_out_z(&o, "collection_id", id);
    intake_collect_states(&o, res);
    cf_out_end(&o);
    c->answer = cf_arena_str(c->w.req->arena, cf_buf_str(&body));
    cf_buf_free(&body);
}

/* ---- counting and sending -------------------------------------------------------------------- */

static void counted(void *arg, int e, const PGresult *res)
{
    struct collect *c = arg;
    if (e) {
        cf_problem_away(c->w.req, "postgres");
        return;
    }
    write_answer(c, res);
    intake_write_send(&c->w, "intake.internal", &c->key, "roster.collect",
                      intake_codec_collect(c->w.req->arena, &c->ask), sent);
}

static void go(struct intake_write *w)
{
    struct collect *c = (struct collect *)w;
    struct cf_arena *a = w->req->arena;
    struct cf_pgarray rows = {.count = 0};
    memcpy(c->ask.id, w->id, 16);
    if (cf_seal(w->front->app->ring,
                intake_codec_actor(a, CF_STR("agent"), c->collector.name,
                                   c->collector.document_type, c->collector.document_number),
                cf_key_str(&c->key), INTAKE_FIELD_ACTOR, a, &c->ask.collector)) {
        cf_problem_away(w->req, "sealing");
        return;
    }
    cf_pgarray_begin(&rows, CF_OID_INT4);
    for (size_t i = 0; i < c->ask.n_rows; i++)
        cf_pgarray_int4(&rows, (int32_t)c->ask.rows[i]);
    const struct cf_str params[] = {
        {c->part,                        2 },
        {(const char *)c->ask.roster_id, 16},
        c->ask.n_rows ? cf_pgarray_end(&rows) : (struct cf_str){0}
    };
    if (cf_pgf_send(w->front->app->pg, INTAKE_SQL_ROSTER_STATES, params, 3, counted, c))
        cf_problem_away(w->req, "postgres");
    cf_buf_free(&rows.buf);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_rows(struct cf_in *in, struct collect *c)
{
    const json_t *rows = cf_in_array(in, "rows", CF_OPTIONAL, ROWS_MAX);
    size_t n = rows ? json_array_size(rows) : 0;
    uint32_t *list = cf_arena_zero(in->arena, (n + 1) * sizeof *list);
    bool bad = rows && n == 0;
    for (size_t i = 0; i < n; i++) {
        json_int_t no = json_integer_value(json_array_get(rows, i));
        bad = bad || no < 1 || no > INT32_MAX;
        list[i] = bad ? 0 : (uint32_t)no;
    }
    if (bad)
        cf_in_wrong(in, "rows", "1 to 1,000 numbers of rows", "Leave it out for the whole list.");
    c->ask.rows = list;
    c->ask.n_rows = n;
}

static void read_collector(struct cf_in *in, struct collect *c)
{
    struct intake_agent *agent = &c->collector;
    struct cf_in g = cf_in_object(in, "collector", CF_NEEDED);
    char buf[CF_IDNUM_MAX];
    size_t n;
    enum cf_doc_type type;
    struct cf_idnum id;
    agent->name = cf_in_text(&g, "name", CF_NEEDED, 1, 200);
    agent->document_type = cf_in_text(&g, "document_type", CF_NEEDED, 1, 64);
    agent->document_number = cf_in_text(&g, "document_number", CF_NEEDED, 1, 64);
    if (in->errors->n == 0 &&
        !intake_number_valid(agent->document_type, agent->document_number,
                             cf_day_of_ms(cf_now_ms()), &type, &id, buf, &n))
        cf_in_wrong(&g, "document_number", "a number of this document type",
                    "Compare with the document.");
}

static void roster_found(struct intake_ask *k, const PGresult *roster)
{
    struct cf_request *req = k->req;
    struct cf_field_errors errors = {0};
    char id[37];
    struct collect *c = cf_arena_zero(req->arena, sizeof *c);
    c->w = (struct intake_write){.req = req, .front = k->front, .go = go};
    c->key = k->key;
    memcpy(c->part, k->part, sizeof c->part);
    memcpy(c->ask.roster_id, k->roster_id, 16);
    c->ask.channel = intake_roster_channel(roster);
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    c->ask.outlet_code = cf_in_word(&in, "outlet_code", CF_NEEDED, 1, 64, OUTLET_BYTES);
    read_collector(&in, c);
    read_rows(&in, c);
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    cf_uuid_text(k->roster_id, id);
    struct cf_str body = intake_meaning(req->arena, root);
    intake_write_claim(&c->w, "collect", key,
                       cf_arena_printf(req->arena, "collect %s %.*s", id, CF_ARG(body)));
}

static void post_collect(struct cf_request *req, void *arg)
{
    intake_roster_ask(req, arg, roster_found);
}

void intake_api_roster_collect_route(struct intake_front *front)
{
    static const struct cf_route collect = {"POST", "/v1/rosters/{roster_id}/collect",
                                            "rosters:write", 64 << 10, CF_JSON, 20000};
    cf_http_route(front->app->http, &collect, post_collect, front);
}
