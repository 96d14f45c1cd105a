/* The papers of an application: its receipt and its one-time notice, as JSON or PDF. */
#include "common/io/outcome_paper.h"
#include "common/io/retention.h"
#include "common/io/stage/pgbin.h"
#include "common/pure/receipt.h"
#include "services/intake/api.h"

struct get {
    struct cf_request *req;
    struct intake_front *front;
};

/* The outcome with the time of the paper before it. */
static void answer(struct get *g, const char *time_name, const struct intake_view *v)
{
    char at[30];
    struct cf_buf body;
    cf_buf_init(&body, 256 << 10);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_z(&o, time_name, cf_rfc3339_text(v->app.judged_at, at));
    intake_outcome_out(&o, g->front, g->req->arena, v);
    cf_out_end(&o);
    cf_answer_json(g->req, 200, &body);
    cf_buf_free(&body);
}

static void receipt_found(void *arg, int e, const PGresult *res)
{
    struct get *g = arg;
    struct cf_arena *a = g->req->arena;
    struct intake_view v;
    struct cf_paper paper;
    if (!intake_found(g->req, e, res, &v)) return;
    if (v.app.receipt_no.len == 0) {
        cf_problem(g->req, 404, "no_receipt", "The application has not been accepted", NULL, 0);
    } else if (cf_wants_pdf(g->req)) {
        const struct cf_outcome_world world = intake_outcome_world(g->front);
        const struct cf_outcome x = intake_outcome_of(a, &v);
        cf_receipt_paper(&paper, cf_wants_lang(g->req), &world, a, &x, v.app.judged_at);
        cf_answer_paper(g->req, g->front->printer, &paper);
    } else {
        answer(g, "accepted_at", &v);
    }
}

static void get_receipt(struct cf_request *req, void *arg)
{
    struct get *g = cf_arena_zero(req->arena, sizeof *g);
    uint8_t id[16];
    char n[4];
    g->req = req;
    g->front = arg;
    if (!cf_uuid_parse(cf_request_param(req, "application_id"), id)) {
        cf_problem(req, 404, "not_found", "No such application", NULL, 0);
        return;
    }
    uint32_t partitions = __builtin_bswap32((uint32_t)g->front->app->partitions);
    memcpy(n, &partitions, 4);
    const struct cf_str params[] = {{(const char *)id, 16}, {n, 4}};
    if (cf_pgf_send(g->front->app->pg, INTAKE_SQL_APPLICATION, params, 2, receipt_found, g))
        cf_problem_away(req, "postgres");
}

static void notice_found(void *arg, int e, const PGresult *res)
{
    struct get *g = arg;
    struct intake_view v;
    struct cf_paper paper;
    if (!intake_found(g->req, e, res, &v)) return;
    if (cf_wants_pdf(g->req)) {
        const struct cf_outcome_world world = intake_outcome_world(g->front);
        const struct cf_outcome x = intake_outcome_of(g->req->arena, &v);
        cf_notice_paper(&paper, cf_wants_lang(g->req), &world, &x, v.app.judged_at);
        cf_answer_paper(g->req, g->front->printer, &paper);
    } else {
        answer(g, "issued_at", &v);
    }
}

static void get_notice(struct cf_request *req, void *arg)
{
    struct get *g = cf_arena_zero(req->arena, sizeof *g);
    struct cf_str no = cf_request_param(req, "no");
    g->req = req;
    g->front = arg;
    if (!cf_receipt_check_prefixed(no, CF_NOTICE_LETTER))
        cf_problem(req, 404, "not_found", "No such number", NULL, 0);
    else if (cf_pgf_send(g->front->app->pg, INTAKE_SQL_NOTICE, &no, 1, notice_found, g))
        cf_problem_away(req, "postgres");
}

static void printer_free(void *printer)
{
    cf_printer_free(printer);
}

/* smallint[] of the states that no application leaves. */
static struct cf_str ended_states(struct cf_pgarray *a)
{
    cf_pgarray_begin(a, CF_OID_INT2);
    for (int s = CF_APP_NONE + 1; s < CF_APP_COUNT; s++) {
        enum intake_count counts = intake_count_of((enum cf_app_state)s);
        if (counts == INTAKE_COUNT_REJECTED || counts == INTAKE_COUNT_ENDED)
            cf_pgarray_int2(a, (int16_t)s);
    }
    return cf_pgarray_end(a);
}

void intake_api_paper_routes(struct intake_front *front)
{
    static const struct cf_route receipt = {.method = "GET",
                                            .pattern = "/v1/applications/{application_id}/receipt",
                                            .scope = "applications:read"};
    static const struct cf_route notice = {
        .method = "GET", .pattern = "/v1/notices/{no}", .scope = "vouchers:read"};
    struct cf_pgarray ended = {.count = 0};
    front->printer = cf_printer_new(front->app->loop, NULL);
    cf_http_own(front->app->http, front->printer, printer_free);
    cf_http_route(front->app->http, &receipt, get_receipt, front);
    cf_http_route(front->app->http, &notice, get_notice, front);
    cf_retention_new(front->app, INTAKE_SQL_RETENTION, front->settings.application_days,
                     front->settings.retention_every, ended_states(&ended));
    cf_buf_free(&ended.buf);
}
