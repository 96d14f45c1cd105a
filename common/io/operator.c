#include "common/io/operator.h"

#include "common/io/clock.h"
#include "common/pure/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define METRICS_MAX (8u << 20)

struct readiness {
    cf_ready_fn *ready;
    void *arg;
};

void cf_reasons_add(struct cf_reasons *r, const char *why)
{
    if (why && r->n < CF_REASONS) r->list[r->n++] = why;
}

static void livez(struct cf_request *req, void *arg)
{
    (void)arg;
    cf_answer(req, 200, "text/plain", CF_STR("ok\n"));
}

static void readyz(struct cf_request *req, void *arg)
{
    const struct readiness *ready = arg;
    struct cf_reasons reasons = {.n = 0};
    struct cf_buf body;
    cf_buf_init(&body, 65536);
    if (ready->ready) ready->ready(&reasons, ready->arg);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_bool(&o, "ready", reasons.n == 0);
    cf_out_array(&o, "reasons");
    for (size_t i = 0; i < reasons.n; i++)
        cf_out_z(&o, NULL, reasons.list[i]);
    cf_out_end(&o);
    cf_out_end(&o);
    cf_answer_json(req, reasons.n ? 503 : 200, &body);
    cf_buf_free(&body);
}

static void metrics(struct cf_request *req, void *arg)
{
    struct cf_buf text;
    cf_buf_init(&text, METRICS_MAX);
    cf_metrics_render(arg, &text);
    cf_answer(req, 200, "text/plain; version=0.0.4", cf_buf_str(&text));
    cf_buf_free(&text);
}

#ifdef CARDFLOW_TEST_HOOKS
static void set_clock(struct cf_request *req, void *arg)
{
    static const char *const names[] = {"now", "advance_ms", NULL};
    struct cf_field_errors errors = {.n = 0};
    struct cf_buf body;
    char text[30];
    cf_ms now = 0;
    (void)arg;
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    struct cf_str at = cf_in_text(&in, "now", CF_OPTIONAL, 1, 40);
    int64_t by = cf_in_int(&in, "advance_ms", CF_OPTIONAL, 0, (int64_t)1 << 42, 0);
    cf_in_only(&in, names);
    if (at.ptr && !cf_rfc3339_parse(at, &now))
        cf_in_wrong(&in, "now", "must be an RFC 3339 time", "send 2026-03-02T09:00:00+08:00");
    if (in.object && cf_in_has(&in, "now") == cf_in_has(&in, "advance_ms"))
        cf_in_wrong(&in, "now", "exactly one of now and advance_ms is needed", "send one");
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    if (at.ptr)
        cf_clock_set(now);
    else
        cf_clock_advance(by);
    cf_buf_init(&body, 200);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_z(&o, "now", cf_rfc3339_text(cf_now_ms(), text));
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}
#endif

void cf_operator_routes(struct cf_http *http, struct cf_metrics *m, cf_ready_fn *ready, void *arg)
{
    static const struct cf_route routes[] = {
        {.method = "GET", .pattern = "/livez"  },
        {.method = "GET", .pattern = "/readyz" },
        {.method = "GET", .pattern = "/metrics"}
    };
    struct readiness *r = cf_malloc(sizeof *r);
    *r = (struct readiness){ready, arg};
    cf_http_own(http, r, free);
    cf_http_route(http, &routes[0], livez, NULL);
    cf_http_route(http, &routes[1], readyz, r);
    cf_http_route(http, &routes[2], metrics, m);
#ifdef CARDFLOW_TEST_HOOKS
    static const struct cf_route clock = {
        .method = "POST", .pattern = "/test/clock", .body_max = 1000, .type = CF_JSON};
    cf_http_route(http, &clock, set_clock, NULL);
#endif
}

int cf_ready_file(const char *path, const char *http_url, const char *operator_url)
{
    struct cf_buf text;
    char temporary[4100];
    if (!path || !*path) return 0;
    int n = snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof temporary) return CF_E_CONFIG;
    cf_buf_init(&text, 4096);
    struct cf_out o = cf_out_to(&text);
    cf_out_object(&o, NULL);
    cf_out_z(&o, "http", http_url);
    cf_out_z(&o, "operator", operator_url);
    cf_out_int(&o, "pid", getpid());
    cf_out_end(&o);
    cf_buf_add(&text, "\n", 1);
    FILE *f = fopen(temporary, "we");
    bool good = f && fwrite(text.ptr, 1, text.len, f) == text.len;
    if (f && fclose(f) != 0) good = false;
    if (good && rename(temporary, path) != 0) good = false;
    if (!good && f) unlink(temporary);
    cf_buf_free(&text);
    return good ? 0 : CF_E_CONFIG;
}
