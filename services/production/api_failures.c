/* Cards that failed as often as they are made again by themselves: the list of those that wait for a
 * person, and what the person decides. */
#include "common/io/ids.h"
#include "common/io/stage/pgbin.h"
#include "services/production/api_inside.h"

#define SCOPE "production:write"

/* Columns of sql/failures.sql. */
enum column { APPLICATION, HOLDER, BANK, OUTLET, REASON, SINCE };

/* One decision on its way; lives in the request's arena. */
struct decision {
    struct cf_request *req;
    struct production_front *front;
    struct production_settlement m;
    struct cf_key key;
    cf_ms sent_at, wait_ms;
    bool replayed;
};

/* ---- the list ------------------------------------------------------------------------------ */

static void write_failure(struct cf_out *o, const PGresult *res, int row)
{
    char since[30];
    struct cf_str reason = cf_pgf_get(res, row, REASON);
    cf_out_object(o, NULL);
    cf_out_text(o, "application_id", cf_pgf_get(res, row, APPLICATION));
    cf_out_text(o, "routing_key", cf_pgf_get(res, row, HOLDER));
    cf_out_some(o, "bank_code", cf_pgf_get(res, row, BANK));
    cf_out_some(o, "outlet_code", cf_pgf_get(res, row, OUTLET));
    cf_out_some(o, "reason", reason);
    cf_out_z(o, "since", cf_rfc3339_text(strtoll(PQgetvalue(res, row, SINCE), NULL, 10), since));
    cf_out_end(o);
}

static bool read_after(struct cf_str after, int64_t *since, uint8_t id[16])
{
    struct cf_str text;
    return production_page_after(after, since, &text) && cf_uuid_parse(text, id);
}

static void get_failures(struct cf_request *req, void *arg)
{
    struct production_front *front = arg;
    struct production_page *page = cf_arena_zero(req->arena, sizeof *page);
    struct cf_str after = cf_request_query(req, "after");
    uint8_t id[16] = {0};
    char since[8], limit[4];
    int64_t from = -1;
    *page = (struct production_page){req, 0, "failures", SINCE, APPLICATION, write_failure};
    if ((page->limit = cf_request_limit(req)) < 0) return;
    if (after.ptr && !read_after(after, &from, id)) {
        cf_problem_field(req, 400, "invalid_query", "after", "the next_after of a page before",
                         "Leave it out for the first page.");
        return;
    }
    cf_put64(since, (uint64_t)from);
    cf_put32(limit, (uint32_t)page->limit);
    const struct cf_str params[] = {
        cf_request_query(req, "bank_code"), {since, 8}, {(const char *)id, 16}, {limit, 4}};
    if (cf_pgf_send(front->app->pg, PRODUCTION_FAILURES, params, 4, production_page_show, page))
        cf_problem_away(req, "postgres");
}

/* ---- a decision ---------------------------------------------------------------------------- */

static void answer(struct decision *d, int status, const PGresult *res, int row)
{
    char id[37];
    struct cf_buf body;
    cf_buf_init(&body, 16 << 10);
    struct cf_out o = cf_out_to(&body);
    cf_uuid_text(d->m.id, id);
    cf_out_object(&o, NULL);
    cf_out_z(&o, "operation_id", id);
    if (res) {
        cf_out_text(&o, "result", cf_pgf_get(res, row, 1));
        production_api_reasons(&o, cf_pgf_get(res, row, 2));
    }
    cf_out_end(&o);
    if (d->replayed) cf_answer_header(d->req, "Idempotency-Replayed", CF_STR("true"));
    cf_answer_json(d->req, status, &body);
    cf_buf_free(&body);
}

static void waited(void *arg, const PGresult *res, int row)
{
    answer(arg, res ? 200 : 202, res, row);
}

static void sent(void *arg, int e)
{
    struct decision *d = arg;
    struct cf_app *app = d->front->app;
    if (e) {
        cf_problem_away(d->req, "kafka");
        return;
    }
    if (d->wait_ms <= 0) {
        answer(d, 202, NULL, 0);
        return;
    }
    int16_t part = (int16_t)cf_key_partition(&d->key, (uint32_t)app->partitions);
    cf_wait_for(app->waits, part, d->m.id, d->wait_ms, waited, d);
}

static void found(void *arg, int e, const PGresult *res)
{
    struct decision *d = arg;
    char trace[56];
    if (e) {
        cf_problem_away(d->req, "postgres");
        return;
    }
    if (PQntuples(res) == 0) {
        cf_problem(d->req, 404, "unknown_failure", "No such card ever waited for a person", NULL,
                   0);
        return;
    }
    struct cf_str key = cf_pgf_get(res, 0, 0);
    if (!cf_key_bytes(key.ptr, key.len, &d->key)) CF_BUG("a stored key is no key");
    cf_request_traceparent(d->req, trace);
    struct cf_front_message m = {.topic = "card.commands",
                                 .key = cf_key_str(&d->key),
                                 .part = -1,
                                 .ce_type = "card.settle_failure",
                                 .ce_source = PRODUCTION_FRONT,
                                 .ce_time = d->sent_at,
                                 .traceparent = cf_str_of(trace)};
    memcpy(m.ce_id, d->m.id, 16);
    m.value = production_codec_settlement(d->req->arena, &d->m);
    if (cf_front_send(d->front->app->producer, &m, sent, d)) cf_problem_away(d->req, "kafka");
}

static void claimed(void *arg, int e, const struct cf_claim *claim)
{
    struct decision *d = arg;
    if (cf_claim_refused(d->req, e, claim)) return;
    d->replayed = claim->result == CF_CLAIM_SAME;
    d->sent_at = claim->at;
    memcpy(d->m.id, claim->id, 16);
    const struct cf_str id = {(const char *)d->m.app_id, 16};
    if (cf_pgf_send(d->front->app->pg, PRODUCTION_FAILURE, &id, 1, found, d))
        cf_problem_away(d->req, "postgres");
}

static bool read_body(struct decision *d, const json_t *root)
{
    struct cf_field_errors errors = {0};
    struct cf_in in = cf_in_of(root, d->req->arena, &errors);
    struct cf_str action = cf_in_text(&in, "action", CF_NEEDED, 1, 10);
    d->m.remake = cf_str_is(action, "remake");
    if (action.len && !d->m.remake && !cf_str_is(action, "close"))
        cf_in_wrong(&in, "action", "remake or close", "Say what becomes of the card.");
    d->m.reason = cf_in_word(&in, "reason", CF_NEEDED, 1, 60, 200);
    struct cf_in op = cf_in_object(&in, "operator", CF_NEEDED);
    d->m.staff_id = cf_in_word(&op, "staff_id", CF_NEEDED, 1, 60, 64);
    if (errors.n) cf_problem_fields(d->req, &errors);
    return errors.n == 0;
}

static void post_decision(struct cf_request *req, void *arg)
{
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    struct decision *d = cf_arena_zero(req->arena, sizeof *d);
    d->req = req;
    d->front = arg;
    if (!cf_uuid_parse(cf_request_param(req, "application_id"), d->m.app_id)) {
        cf_problem(req, 404, "unknown_failure", "No such application", NULL, 0);
        return;
    }
    if (!read_body(d, root)) return;
    d->wait_ms = cf_request_wait_ms(req, CF_WAIT_MAX_MS);
    uint8_t id[16];
    char *meaning = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    if (!meaning) CF_BUG("a parsed body cannot be written");
    struct cf_str said = cf_arena_printf(req->arena, "%.*s %s",
                                         CF_ARG(cf_request_param(req, "application_id")), meaning);
    cf_uuid8_of(id, CF_STR("card.settle_failure"), cf_str_of(req->client->name), key);
    cf_requests_claim(d->front->app->requests, req->client->name, key, said, id, claimed, d);
    free(meaning);
}

void production_api_failures(struct production_front *front)
{
    static const struct cf_route list = {
        .method = "GET", .pattern = "/v1/production-failures", .scope = SCOPE};
    static const struct cf_route decide = {.method = "POST",
                                           .pattern = "/v1/production-failures/{application_id}",
                                           .scope = SCOPE,
                                           .body_max = 4 << 10,
                                           .type = CF_JSON};
    cf_http_route(front->app->http, &list, get_failures, front);
    cf_http_route(front->app->http, &decide, post_decision, front);
}
