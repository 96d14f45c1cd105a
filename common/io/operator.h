/* operator -- what an operator asks a process: is it alive, ready, how busy; and the ready file.
 *
 * GET /livez    200 "ok" as long as the loop turns
 * GET /readyz   200 {"ready": true} or 503 {"ready": false, "reasons": [..]}
 * GET /metrics  Prometheus text
 * POST /test/clock {"now": RFC 3339} or {"advance_ms": n}; test builds only
 */
#pragma once
#include "common/io/http_server.h"

#define CF_REASONS 16

struct cf_reasons {
    const char *list[CF_REASONS]; /* literals, or text that stays until the answer */
    size_t n;
};

void cf_reasons_add(struct cf_reasons *r, const char *why);
/* Adds the reasons for not being ready; none: ready. */
typedef void cf_ready_fn(struct cf_reasons *r, void *arg);

/* ready may be NULL: always ready. */
void cf_operator_routes(struct cf_http *http, struct cf_metrics *m, cf_ready_fn *ready, void *arg);
/* Writes {"http": url, "operator": url, "pid": n} by rename; an empty path writes nothing. */
int cf_ready_file(const char *path, const char *http_url, const char *operator_url) CF_MUST;
