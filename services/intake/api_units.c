/* GET /v1/units/{unit_code}: a unit's clock, its people counted now. GET /v1/units?overdue=true: those
 * whose month is over, with the counts of their last day. Counts, never people. */
#include "services/intake/api.h"
#include "services/intake/rules_unit.h"
#include "services/intake/units.h"

#include <stdlib.h>

#include "common/io/clock.h"
#include "common/io/stage/pgbin.h"

enum { KEY, KIND, REGISTERED_ON, DUE_ON, MARKS, MET_ON, ENROLLED, MISSING, COUNTED_AT };

struct asked {
    struct cf_request *req;
    struct intake_front *front;
    int limit;
    struct cf_str code;
    PGresult *unit; /* of the one that is asked for, while its people are counted */
};

static int64_t number(const PGresult *res, int row, int column)
{
    return atoll(PQgetvalue(res, row, column));
}

static cf_day day_of(const PGresult *res, int row, int column)
{
    return (cf_day)number(res, row, column);
}

static void deadline_out(struct cf_out *o, const struct asked *q, const PGresult *res, int row)
{
    cf_day due_on = day_of(res, row, DUE_ON);
    int64_t marks = number(res, row, MARKS);
    if (due_on <= 0) {
        cf_out_null(o, "deadline");
        return;
    }
    cf_out_object(o, "deadline");
    cf_out_day(o, "due_on", due_on);
    cf_out_bool(o, "provisional", due_on > q->front->app->calendar->coverage_until);
    cf_out_array(o, "marks");
    for (int m = 0; m < INTAKE_UNIT_MET; m++)
        if (marks >> m & 1) cf_out_z(o, NULL, intake_unit_mark_name((enum intake_unit_mark)m));
    cf_out_end(o);
    cf_out_day(o, "met_on", day_of(res, row, MET_ON));
    cf_out_end(o);
}

/* at 0: nobody has counted yet. */
static void people_out(struct cf_out *o, int64_t enrolled, int64_t missing, cf_ms at)
{
    char text[30];
    if (!at) {
        cf_out_null(o, "people");
        return;
    }
    cf_out_object(o, "people");
    cf_out_int(o, "enrolled", enrolled);
    cf_out_int(o, "missing", missing);
    cf_out_z(o, "counted_at", cf_rfc3339_text(at, text));
    cf_out_end(o);
}

static void unit_out(struct cf_out *o, const struct asked *q, const PGresult *res, int row)
{
    cf_out_text(o, "unit_code", intake_codec_unit_code(cf_pgf_get(res, row, KEY)));
    cf_out_text(o, "kind", cf_pgf_get(res, row, KIND));
    cf_out_day(o, "registered_on", day_of(res, row, REGISTERED_ON));
    deadline_out(o, q, res, row);
}

/* ---- one unit -------------------------------------------------------------------------------- */

static void answer_unit(struct asked *q, const struct intake_units_counted *now)
{
    struct cf_buf body;
    cf_buf_init(&body, 8192);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    unit_out(&o, q, q->unit, 0);
    people_out(&o, now->enrolled, now->missing, cf_now_ms());
    cf_out_end(&o);
    cf_answer_json(q->req, 200, &body);
    cf_buf_free(&body);
}

static void unit_counted(void *arg, int e, const PGresult *res)
{
    struct asked *q = arg;
    if (e) {
        cf_problem_away(q->req, "postgres");
    } else {
        const struct intake_units_counted now = intake_units_read(res);
        answer_unit(q, &now);
    }
    PQclear(q->unit);
}

static void unit_found(void *arg, int e, const PGresult *res)
{
    struct asked *q = arg;
    if (e) {
        cf_problem_away(q->req, "postgres");
        return;
    }
    if (PQntuples(res) == 0) {
        cf_problem(q->req, 404, "not_found", "No unit has this code", NULL, 0);
        return;
    }
    /* Without a clock all that are enrolled now count. */
    cf_day until = (cf_day)number(res, 0, DUE_ON);
    if (until <= 0) until = INT32_MAX;
    q->unit = PQcopyResult(res, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    if (!q->unit) CF_BUG("out of memory");
    if (!intake_units_count(q->front->app, q->code, until, unit_counted, q)) return;
    PQclear(q->unit);
    cf_problem_away(q->req, "postgres");
}

static void get_unit(struct cf_request *req, void *arg)
{
    struct asked *q = cf_arena_zero(req->arena, sizeof *q);
    struct cf_key key;
    char part[2];
    q->req = req;
    q->front = arg;
    q->code = cf_request_param(req, "unit_code");
    if (!cf_key_unit(q->code, &key)) {
        cf_problem(req, 404, "not_found", "No unit has this code", NULL, 0);
        return;
    }
    cf_put16(part, (uint16_t)cf_key_partition(&key, (uint32_t)q->front->app->partitions));
    const struct cf_str params[] = {
        {part, 2},
        cf_key_str(&key)
    };
    if (cf_pgf_send(q->front->app->pg, INTAKE_SQL_UNIT, params, 2, unit_found, q))
        cf_problem_away(req, "postgres");
}

/* ---- the overdue ones ------------------------------------------------------------------------ */

static void list_out(void *arg, int e, const PGresult *res)
{
    struct asked *q = arg;
    struct cf_buf body;
    if (e) {
        cf_problem_away(q->req, "postgres");
        return;
    }
    int n = PQntuples(res);
    cf_buf_init(&body, 1 << 20);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_array(&o, "units");
    for (int i = 0; i < n; i++) {
        cf_out_object(&o, NULL);
        unit_out(&o, q, res, i);
        people_out(&o, number(res, i, ENROLLED), number(res, i, MISSING),
                   number(res, i, COUNTED_AT));
        cf_out_end(&o);
    }
    cf_out_end(&o);
    if (n == q->limit)
        cf_out_text(&o, "next_after", intake_codec_unit_code(cf_pgf_get(res, n - 1, KEY)));
    else
        cf_out_null(&o, "next_after");
    cf_out_end(&o);
    cf_answer_json(q->req, 200, &body);
    cf_buf_free(&body);
}

static void get_units(struct cf_request *req, void *arg)
{
    struct asked *q = cf_arena_zero(req->arena, sizeof *q);
    struct cf_str after = cf_request_query(req, "after");
    struct cf_key key = {0};
    char limit[4];
    q->req = req;
    q->front = arg;
    if (!cf_str_is(cf_request_query(req, "overdue"), "true")) {
        cf_problem_field(req, 400, "invalid_query", "overdue", "must be true",
                         "Ask for ?overdue=true; one unit is found by its code.");
        return;
    }
    if ((q->limit = cf_request_limit(req)) < 0) return;
    if (after.len && !cf_key_unit(after, &key)) {
        cf_problem_field(req, 400, "invalid_query", "after", "the next_after of a page before",
                         "Leave it out for the first page.");
        return;
    }
    cf_put32(limit, (uint32_t)q->limit);
    const struct cf_str params[] = {
        key.len ? cf_key_str(&key) : CF_STR(""), {limit, 4}
    };
    if (cf_pgf_send(q->front->app->pg, INTAKE_SQL_UNITS_OVERDUE, params, 2, list_out, q))
        cf_problem_away(req, "postgres");
}

void intake_api_unit_routes(struct intake_front *front)
{
    static const struct cf_route one = {
        .method = "GET", .pattern = "/v1/units/{unit_code}", .scope = "units:read"};
    static const struct cf_route list = {
        .method = "GET", .pattern = "/v1/units", .scope = "units:read"};
    cf_http_route(front->app->http, &one, get_unit, front);
    cf_http_route(front->app->http, &list, get_units, front);
}
