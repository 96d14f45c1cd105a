/* Rosters as they are asked for: counts and rows. */
#include "common/io/stage/pgbin.h"
#include "services/intake/api_rosters.h"
#include "services/intake/rules_roster.h"

#include <stdlib.h>

enum { ROWS_MAX = 1000, ROWS_DEFAULT = 100 };

static struct cf_str value(const PGresult *res, int row, const char *name)
{
    return cf_pgf_get(res, row, PQfnumber(res, name));
}

static long number(const PGresult *res, int row, const char *name)
{
    struct cf_str s = value(res, row, name);
    return s.len ? strtol(s.ptr, NULL, 10) : 0;
}

static void roster_found(void *arg, int e, const PGresult *res)
{
    struct intake_ask *k = arg;
    if (e) {
        cf_problem_away(k->req, "postgres");
        return;
    }
    bool mine = PQntuples(res) > 0 && (cf_client_may(k->req->client, "*") ||
                                       cf_str_is(value(res, 0, "client"), k->req->client->name));
    if (mine)
        k->then(k, res);
    else
        cf_problem(k->req, 404, "not_yet_known", "No roster has this id, or not yet", NULL, 1);
}

void intake_roster_ask(struct cf_request *req, struct intake_front *front,
                void (*then)(struct intake_ask *k, const PGresult *roster))
{
    struct intake_ask *k = cf_arena_zero(req->arena, sizeof *k);
    k->req = req;
    k->front = front;
    k->then = then;
    if (!cf_uuid_parse(cf_request_param(req, "roster_id"), k->roster_id)) {
        cf_problem(req, 404, "not_found", "No such roster", NULL, 0);
        return;
    }
    k->key = cf_key_roster(k->roster_id);
    cf_put16(k->part, (uint16_t)cf_key_partition(&k->key, (uint32_t)front->app->partitions));
    const struct cf_str params[] = {
        {k->part, 2},
        cf_key_str(&k->key)
    };
    if (cf_pgf_send(front->app->pg, INTAKE_SQL_ROSTER, params, 2, roster_found, k))
        cf_problem_away(req, "postgres");
}

enum cf_channel intake_roster_channel(const PGresult *roster)
{
    return (enum cf_channel)number(roster, 0, "channel");
}

static const char *roster_state(const PGresult *res)
{
    long judged =
        number(res, 0, "accepted") + number(res, 0, "refused") + number(res, 0, "unchanged");
    bool complete = cf_str_is(value(res, 0, "complete"), "t");
    if (complete && judged >= number(res, 0, "records")) return "done";
    return judged || complete ? "processing" : "received";
}

static void answer_roster(struct intake_ask *k, const PGresult *res)
{
    static const char *const columns[] = {"in_received", "in_noticed", "in_rejected",
                                          "in_accepted", "in_ready",   "in_ended"};
    char id[37];
    struct cf_buf body;
    cf_buf_init(&body, 4096);
    struct cf_out o = cf_out_to(&body);
    cf_uuid_text(k->roster_id, id);
    cf_out_object(&o, NULL);
    cf_out_z(&o, "roster_id", id);
    cf_out_z(&o, "state", roster_state(res));
    cf_out_text(&o, "encoding", value(res, 0, "encoding"));
    if (cf_str_is(value(res, 0, "complete"), "t"))
        cf_out_int(&o, "records", number(res, 0, "records"));
    else
        cf_out_null(&o, "records");
    long next_row = number(res, 0, "next_row");
    cf_out_int(&o, "rows_read", cf_str_is(value(res, 0, "complete"), "t") ? number(res, 0, "records")
                                : next_row > 0                            ? next_row - 1
                                                                          : 0);
    cf_out_int(&o, "accepted", number(res, 0, "accepted"));
    cf_out_int(&o, "refused", number(res, 0, "refused"));
    cf_out_int(&o, "unchanged", number(res, 0, "unchanged"));
    if (value(res, 0, "problem").len) cf_out_text(&o, "problem", value(res, 0, "problem"));
    cf_out_object(&o, "by_application_state");
    for (int i = 0; i < INTAKE_COUNT_COUNT; i++)
        cf_out_int(&o, intake_count_name((enum intake_count)i), number(res, 0, columns[i]));
    cf_out_end(&o);
    cf_out_end(&o);
    cf_answer_json(k->req, 200, &body);
    cf_buf_free(&body);
}

static void list_out(struct cf_out *o, const char *name, struct cf_str joined)
{
    cf_out_array(o, name);
    while (joined.len) {
        const char *bar = memchr(joined.ptr, '|', joined.len);
        size_t n = bar ? (size_t)(bar - joined.ptr) : joined.len;
        cf_out_text(o, NULL, (struct cf_str){joined.ptr, n});
        joined.ptr += bar ? n + 1 : n;
        joined.len -= bar ? n + 1 : n;
    }
    cf_out_end(o);
}

const char *intake_row_outcome_at(const PGresult *res, int row)
{
    long outcome = number(res, row, "outcome");
    return outcome > 0 && outcome < INTAKE_ROW_COUNT
               ? intake_row_outcome_name((enum intake_row_outcome)outcome)
               : "pending";
}

static void rows_found(void *arg, int e, const PGresult *res)
{
    struct intake_ask *k = arg;
    struct cf_buf body, warnings;
    if (e) {
        cf_problem_away(k->req, "postgres");
        return;
    }
    cf_buf_init(&body, 4 << 20);
    cf_buf_init(&warnings, 1024);
    struct cf_out o = cf_out_to(&body);
    int n = PQntuples(res);
    cf_out_object(&o, NULL);
    cf_out_array(&o, "rows");
    for (int i = 0; i < n; i++) {
        cf_out_object(&o, NULL);
        cf_out_int(&o, "row_no", number(res, i, "row_no"));
        cf_out_z(&o, "outcome", intake_row_outcome_at(res, i));
        list_out(&o, "reasons", value(res, i, "reasons"));
        cf_buf_reset(&warnings);
        intake_warnings_text((unsigned)number(res, i, "warnings"), &warnings);
        list_out(&o, "warnings", cf_buf_str(&warnings));
        list_out(&o, "notices", value(res, i, "notices"));
        cf_out_text(&o, "application_id", value(res, i, "application_id"));
        cf_out_z(&o, "application_state",
                 cf_app_state_name((enum cf_app_state)number(res, i, "app_state")));
        cf_out_end(&o);
    }
    cf_out_end(&o);
    if (n == k->max)
        cf_out_int(&o, "next_after", number(res, n - 1, "row_no"));
    else
        cf_out_null(&o, "next_after");
    cf_out_end(&o);
    cf_answer_json(k->req, 200, &body);
    cf_buf_free(&body);
    cf_buf_free(&warnings);
}

int intake_roster_rows(struct intake_ask *k, int32_t after, int32_t limit, cf_pgf_done *done,
                       void *arg)
{
    cf_put32(k->after, (uint32_t)after);
    cf_put32(k->limit, (uint32_t)limit);
    const struct cf_str params[] = {
        {k->part,                    2 },
        {(const char *)k->roster_id, 16},
        {k->after,                   4 },
        {k->limit,                   4 }
    };
    return cf_pgf_send(k->front->app->pg, INTAKE_SQL_ROSTER_ROWS, params, 4, done, arg);
}

static int32_t query_int(const struct cf_request *req, const char *name, int32_t fallback,
                         int32_t max)
{
    struct cf_str s = cf_request_query(req, name);
    uint64_t v;
    if (!cf_digits(s, INT32_MAX, &v)) return fallback;
    return v > (uint64_t)max ? max : (int32_t)v;
}

static void answer_rows(struct intake_ask *k, const PGresult *roster)
{
    (void)roster;
    k->max = query_int(k->req, "limit", ROWS_DEFAULT, ROWS_MAX);
    if (k->max == 0) k->max = ROWS_DEFAULT;
    if (intake_roster_rows(k, query_int(k->req, "after", 0, INT32_MAX), k->max, rows_found, k))
        cf_problem_away(k->req, "postgres");
}

static void get_roster(struct cf_request *req, void *arg)
{
    intake_roster_ask(req, arg, answer_roster);
}

static void get_rows(struct cf_request *req, void *arg)
{
    intake_roster_ask(req, arg, answer_rows);
}

void intake_api_roster_read_routes(struct intake_front *front)
{
    static const struct cf_route one = {
        .method = "GET", .pattern = "/v1/rosters/{roster_id}", .scope = "rosters:read"};
    static const struct cf_route rows = {
        .method = "GET", .pattern = "/v1/rosters/{roster_id}/rows", .scope = "rosters:read"};
    cf_http_route(front->app->http, &one, get_roster, front);
    cf_http_route(front->app->http, &rows, get_rows, front);
    intake_api_roster_csv_route(front);
}
