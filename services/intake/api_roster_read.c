/* Rosters as they are asked for: counts, rows, and the list with what became of each row. */
#include "common/io/stage/pgbin.h"
#include "services/intake/api.h"
#include "services/intake/splitter.h"

#include <stdlib.h>

enum { ROWS_MAX = 1000, ROWS_DEFAULT = 100, CSV_ROWS_MAX = 1000000 };

struct ask {
    struct cf_request *req;
    struct intake_front *front;
    uint8_t roster_id[16];
    struct cf_key key;
    char part[2], after[4], limit[4];
    int32_t max;
    void (*then)(struct ask *k, const PGresult *roster);
    struct cf_arena *arena; /* of rows.csv */
    struct cf_str text;
};

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
    struct ask *k = arg;
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

static void ask(struct cf_request *req, struct intake_front *front,
                void (*then)(struct ask *k, const PGresult *roster))
{
    struct ask *k = cf_arena_zero(req->arena, sizeof *k);
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

static const char *roster_state(const PGresult *res)
{
    long judged =
        number(res, 0, "accepted") + number(res, 0, "refused") + number(res, 0, "unchanged");
    bool complete = cf_str_is(value(res, 0, "complete"), "t");
    if (complete && judged >= number(res, 0, "records")) return "done";
    return judged || complete ? "processing" : "received";
}

static void answer_roster(struct ask *k, const PGresult *res)
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

static const char *outcome_at(const PGresult *res, int row)
{
    long outcome = number(res, row, "outcome");
    return outcome > 0 && outcome < INTAKE_ROW_COUNT
               ? intake_row_outcome_name((enum intake_row_outcome)outcome)
               : "pending";
}

static void rows_found(void *arg, int e, const PGresult *res)
{
    struct ask *k = arg;
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
        cf_out_z(&o, "outcome", outcome_at(res, i));
        list_out(&o, "reasons", value(res, i, "reasons"));
        cf_buf_reset(&warnings);
        intake_warnings_text((unsigned)number(res, i, "warnings"), &warnings);
        list_out(&o, "warnings", cf_buf_str(&warnings));
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

static void find_rows(struct ask *k, int32_t after, int32_t limit, cf_pgf_done *done)
{
    cf_put32(k->after, (uint32_t)after);
    cf_put32(k->limit, (uint32_t)limit);
    const struct cf_str params[] = {
        {k->part,                    2 },
        {(const char *)k->roster_id, 16},
        {k->after,                   4 },
        {k->limit,                   4 }
    };
    if (cf_pgf_send(k->front->app->pg, INTAKE_SQL_ROSTER_ROWS, params, 4, done, k)) {
        cf_arena_free(k->arena);
        cf_problem_away(k->req, "postgres");
    }
}

static int32_t query_int(const struct cf_request *req, const char *name, int32_t fallback,
                         int32_t max)
{
    struct cf_str s = cf_request_query(req, name);
    int64_t v = 0;
    if (!s.ptr || s.len == 0 || s.len > 9) return fallback;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return fallback;
        v = v * 10 + (s.ptr[i] - '0');
    }
    return v > max ? max : (int32_t)v;
}

static void answer_rows(struct ask *k, const PGresult *roster)
{
    (void)roster;
    k->max = query_int(k->req, "limit", ROWS_DEFAULT, ROWS_MAX);
    if (k->max == 0) k->max = ROWS_DEFAULT;
    find_rows(k, query_int(k->req, "after", 0, INT32_MAX), k->max, rows_found);
}

/* ---- rows.csv: the input's columns, and what became of each row -------------------------------
 */

static void csv_field(struct cf_buf *b, struct cf_str s)
{
    bool quote = false;
    for (size_t i = 0; i < s.len && !quote; i++)
        quote = memchr(",\"\r\n", s.ptr[i], 4) != NULL;
    if (!quote) {
        cf_buf_adds(b, s);
        return;
    }
    cf_buf_add(b, "\"", 1);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"') cf_buf_add(b, "\"", 1);
        cf_buf_add(b, s.ptr + i, 1);
    }
    cf_buf_add(b, "\"", 1);
}

static void csv_input(struct cf_buf *b, const struct cf_csv_record *r, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        if (i < r->n) csv_field(b, r->fields[i]);
        cf_buf_add(b, ",", 1);
    }
}

static void csv_outcome(struct cf_buf *b, const PGresult *res, int row)
{
    cf_buf_printf(b, "%s,", outcome_at(res, row));
    cf_buf_adds(b, value(res, row, "reasons"));
    cf_buf_add(b, ",", 1);
    intake_warnings_text((unsigned)number(res, row, "warnings"), b);
    cf_buf_add(b, ",", 1);
    cf_buf_adds(b, value(res, row, "application_id"));
    cf_buf_add(b, "\n", 1);
}

static bool write_csv(struct ask *k, const PGresult *res, struct cf_buf *b)
{
    struct cf_csv csv = cf_csv_of(k->text);
    struct cf_csv_record *rec = cf_arena_zero(k->arena, sizeof *rec);
    size_t columns = 0;
    long row_no = 0;
    int at = 0, n = PQntuples(res);
    struct cf_arena *line = cf_arena_new(1 << 20);
    for (; cf_csv_next(&csv, line, rec); cf_arena_reset(line)) {
        if (rec->blank) continue;
        if (!columns) {
            columns = rec->n;
            csv_input(b, rec, columns);
            cf_buf_printf(b, "row_no,outcome,reasons,warnings,application_id\n");
            continue;
        }
        row_no++;
        csv_input(b, rec, columns);
        cf_buf_printf(b, "%ld,", row_no);
        while (at < n && number(res, at, "row_no") < row_no)
            at++;
        if (at < n && number(res, at, "row_no") == row_no)
            csv_outcome(b, res, at);
        else
            cf_buf_printf(b, "pending,,,\n");
    }
    cf_arena_free(line);
    return !b->full;
}

static void csv_rows_found(void *arg, int e, const PGresult *res)
{
    struct ask *k = arg;
    struct cf_buf body;
    cf_buf_init(&body, 256u << 20);
    if (e)
        cf_problem_away(k->req, "postgres");
    else if (write_csv(k, res, &body))
        cf_answer(k->req, 200, "text/csv; charset=utf-8", cf_buf_str(&body));
    else
        cf_problem(k->req, 413, "too_large", "The list is too long for one answer", NULL, 0);
    cf_buf_free(&body);
    cf_arena_free(k->arena);
}

static void chunks_found(void *arg, int e, const PGresult *res)
{
    struct ask *k = arg;
    const char *why =
        e ? "postgres"
          : intake_roster_file(k->front->app->ring, k->roster_id, res, k->arena, &k->text);
    if (why) {
        cf_arena_free(k->arena);
        cf_problem_away(k->req, e ? "postgres" : "the roster's file");
        return;
    }
    find_rows(k, 0, CSV_ROWS_MAX, csv_rows_found);
}

static void answer_csv(struct ask *k, const PGresult *roster)
{
    (void)roster;
    const struct cf_str params[] = {
        {k->part,                    2 },
        {(const char *)k->roster_id, 16}
    };
    k->arena = cf_arena_new(512u << 20);
    if (cf_pgf_send(k->front->app->pg, INTAKE_SQL_ROSTER_CHUNKS, params, 2, chunks_found, k)) {
        cf_arena_free(k->arena);
        cf_problem_away(k->req, "postgres");
    }
}

static void get_roster(struct cf_request *req, void *arg)
{
    ask(req, arg, answer_roster);
}

static void get_rows(struct cf_request *req, void *arg)
{
    ask(req, arg, answer_rows);
}

static void get_rows_csv(struct cf_request *req, void *arg)
{
    ask(req, arg, answer_csv);
}

void intake_api_roster_read_routes(struct intake_front *front)
{
    static const struct cf_route one = {
        .method = "GET", .pattern = "/v1/rosters/{roster_id}", .scope = "rosters:read"};
    static const struct cf_route rows = {
        .method = "GET", .pattern = "/v1/rosters/{roster_id}/rows", .scope = "rosters:read"};
    static const struct cf_route csv = {.method = "GET",
                                        .pattern = "/v1/rosters/{roster_id}/rows.csv",
                                        .scope = "rosters:read",
                                        .answer_ms = 60000};
    cf_http_route(front->app->http, &one, get_roster, front);
    cf_http_route(front->app->http, &rows, get_rows, front);
    cf_http_route(front->app->http, &csv, get_rows_csv, front);
}
