/* GET /v1/rosters/{roster_id}/collections/{collection_id}: how the rows stand that an agent asked
 * for. */
#include "common/io/stage/pgbin.h"
#include "services/intake/api_rosters.h"

#include <stdlib.h>

struct look {
    struct intake_ask *k;
    uint8_t id[16];
    cf_ms at;
    bool busy;
    struct cf_str outlet_code;
};

static void write_answer(struct cf_out *o, const struct look *l, const PGresult *states)
{
    char roster[37], id[37];
    cf_uuid_text(l->k->roster_id, roster);
    cf_uuid_text(l->id, id);
    cf_out_object(o, NULL);
    cf_out_z(o, "roster_id", roster);
    cf_out_z(o, "collection_id", id);
    cf_out_z(o, "state", l->busy ? "processing" : "done");
    cf_out_time(o, "requested_at", l->at);
    cf_out_text(o, "outlet_code", l->outlet_code);
    intake_collect_states(o, states);
    cf_out_end(o);
}

static void states_found(void *arg, int e, const PGresult *res)
{
    struct look *l = arg;
    struct cf_buf body;
    if (e) {
        cf_problem_away(l->k->req, "postgres");
        return;
    }
    cf_buf_init(&body, 64 << 10);
    struct cf_out o = cf_out_to(&body);
    write_answer(&o, l, res);
    cf_answer_json(l->k->req, 200, &body);
    cf_buf_free(&body);
}

/* Of the numbers in a row of `collection`. */
static struct cf_str array_of(struct cf_pgarray *array, struct cf_str rows)
{
    if (!rows.len) return (struct cf_str){0};
    cf_pgarray_begin(array, CF_OID_INT4);
    for (const char *p = rows.ptr, *end = p + rows.len; p < end; p++) {
        char *bar;
        cf_pgarray_int4(array, (int32_t)strtol(p, &bar, 10));
        p = bar;
    }
    return cf_pgarray_end(array);
}

static void collection_found(void *arg, int e, const PGresult *res)
{
    struct look *l = arg;
    struct cf_request *req = l->k->req;
    struct cf_pgarray rows = {.count = 0};
    if (e) {
        cf_problem_away(req, "postgres");
        return;
    }
    if (PQntuples(res) == 0) {
        cf_problem(req, 404, "not_yet_known", "No collection has this id, or not yet", NULL, 1);
        return;
    }
    l->at = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
    l->outlet_code = cf_arena_str(req->arena, cf_pgf_get(res, 0, 1));
    l->busy = cf_str_is(cf_pgf_get(res, 0, 3), "t");
    const struct cf_str params[] = {
        {l->k->part,                    2 },
        {(const char *)l->k->roster_id, 16},
        array_of(&rows, cf_pgf_get(res, 0, 2))
    };
    if (cf_pgf_send(l->k->front->app->pg, INTAKE_SQL_ROSTER_STATES, params, 3, states_found, l))
        cf_problem_away(req, "postgres");
    cf_buf_free(&rows.buf);
}

static void roster_found(struct intake_ask *k, const PGresult *roster)
{
    (void)roster;
    struct look *l = cf_arena_zero(k->req->arena, sizeof *l);
    l->k = k;
    if (!cf_uuid_parse(cf_request_param(k->req, "collection_id"), l->id)) {
        cf_problem(k->req, 404, "not_found", "No such collection", NULL, 0);
        return;
    }
    const struct cf_str params[] = {
        {k->part,                    2 },
        {(const char *)k->roster_id, 16},
        {(const char *)l->id,        16}
    };
    if (cf_pgf_send(k->front->app->pg, INTAKE_SQL_COLLECTION, params, 3, collection_found, l))
        cf_problem_away(k->req, "postgres");
}

static void get_collection(struct cf_request *req, void *arg)
{
    intake_roster_ask(req, arg, roster_found);
}

void intake_api_roster_collection_route(struct intake_front *front)
{
    static const struct cf_route get = {
        .method = "GET",
        .pattern = "/v1/rosters/{roster_id}/collections/{collection_id}",
        .scope = "rosters:read"};
    cf_http_route(front->app->http, &get, get_collection, front);
}
