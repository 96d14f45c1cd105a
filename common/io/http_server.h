/* http_server -- HTTP/1.1 for handlers that see a request and give an answer.
 *
 *     static const struct cf_route routes[] = {
 *         {"POST", "/v1/applications", "applications:write", .body_max = 400000, .type = CF_JSON},
 *         ...};
 *     cf_http_route(http, &routes[0], post_application, own);
 *
 *     static void post_application(struct cf_request *req, void *own)
 *     {
 *         json_t *root = cf_request_json(req);
 *         if (!root) return;                   (it has answered 400)
 *         ...
 *         cf_answer_json(req, 202, &buf);      (now, or later from another call of the loop)
 *     }
 *
 * A handler answers every request exactly once: by cf_answer*() or cf_problem*(); after that the
 * pointer is gone. It may answer later. If the client has gone or the deadline of the route has
 * passed (the server has then answered 503 by itself), cf_request_gone() is true, and an answer is
 * dropped: still give one, it frees the request.
 *
 * Shapes   text of a request points into the connection's buffer and is valid until the answer
 * Limits   head 8 KiB; body per route; connections; 5 s to send the head, 15 s and 1 s for each
 *          64 KiB to send the body, from the first byte and not per read; 30 s to take an answer.
 *          Refused: Transfer-Encoding, two Content-Length, folded headers, NUL and malformed
 *          escapes in paths, what is not HTTP/1.0 or 1.1. A refusal is a problem+json, too.
 * Order    pipelined requests are answered in order, one is handled at a time
 * Errors   cf_http_new: CF_E_CONFIG for an address that cannot be listened on
 * Threads  the loop's thread only
 * Source   RFC 9110, 9112 (HTTP), 9457 (problems), 6750 (bearer), 7240 (Prefer), W3C traceparent
 */
#pragma once
#include "common/io/api_keys.h"
#include "common/io/json.h"
#include "common/io/loop.h"
#include "common/io/metrics.h"
#include "common/io/route.h"
#include "common/pure/arena.h"

struct cf_http;

struct cf_http_conf {
    const char *listen;             /* "127.0.0.1:0", "[::1]:8080", "*:80" */
    const char *label;              /* of the metrics: "public", "operator" */
    const struct cf_api_keys *keys; /* for routes with a scope */
    struct cf_metrics *metrics;     /* may be NULL */
    int max_connections;            /* 0: 2000 */
    cf_ms head_ms, body_ms;         /* 0: 5000 and 15000 */
    cf_ms idle_ms;                  /* 0: 60000: keep-alive without a request */
    cf_ms answer_ms;                /* 0: 15000: a handler's time, where the route says nothing */
    size_t bodies_max;              /* 0: 256 MiB: of all requests together, more is 503 */
    bool reuse_port;                /* several threads listen on the same port */
};

#define CF_JSON "application/json"

struct cf_route {
    const char *method, *pattern;
    const char *scope; /* NULL: no key needed */
    size_t body_max;   /* 0: no body */
    const char *type;  /* media type the body must have; NULL: any */
    cf_ms answer_ms;   /* 0: the server's */
};

struct cf_request {
    struct cf_str method, path, query, body;
    struct cf_arena *arena;         /* lives until the answer */
    const struct cf_client *client; /* NULL on routes without scope */
    struct cf_str remote;           /* address of the peer, for logs; no port */
    char trace_id[33];              /* from traceparent, or made */
};

typedef void cf_handler(struct cf_request *req, void *arg);

void cf_http_free(struct cf_http *http);
int cf_http_new(struct cf_loop *loop, const struct cf_http_conf *conf,
                struct cf_http **out) CF_MUST;
/* The route is copied; its texts must stay. */
void cf_http_route(struct cf_http *http, const struct cf_route *route, cf_handler *fn, void *arg);
/* Something of a handler's that is freed with the server. */
void cf_http_own(struct cf_http *http, void *thing, void (*free_fn)(void *thing));
/* "http://127.0.0.1:41234" with the port that was bound. */
const char *cf_http_url(const struct cf_http *http);
/* Accepts no more, closes idle connections; requests at work are answered with close. */
void cf_http_drain(struct cf_http *http);
/* Requests handed to handlers and not answered yet; connections. */
size_t cf_http_open(const struct cf_http *http);
size_t cf_http_connections(const struct cf_http *http);

/* ---- reading a request --------------------------------------------------------------------- */

/* The header's value without blanks around it; ptr NULL when absent. Name in any case. */
struct cf_str cf_request_header(const struct cf_request *req, const char *name);
/* The {name} of the route's pattern, decoded. */
struct cf_str cf_request_param(const struct cf_request *req, const char *name);
/* The first value of ?name=, decoded; ptr NULL when absent, malformed or not UTF-8. */
struct cf_str cf_request_query(const struct cf_request *req, const char *name);
/* The query's `limit` of a page, 1 to 500, 100 if absent; -1: it was answered. */
int cf_request_limit(struct cf_request *req);
bool cf_request_gone(const struct cf_request *req);
/* The body as JSON; the document lives until the answer. NULL: answered 400 with the position. */
json_t *cf_request_json(struct cf_request *req);
/* The Idempotency-Key: 1 to 200 visible ASCII characters, quotes of RFC 8941 taken off.
 * ptr NULL: missing or malformed, and answered 400. */
struct cf_str cf_request_idempotency_key(struct cf_request *req);
/* N of "Prefer: wait=N" in ms, at most max_ms; 0 without one. */
cf_ms cf_request_wait_ms(const struct cf_request *req, cf_ms max_ms);
/* "00-<trace_id>-<span>-01" to hand on. */
void cf_request_traceparent(const struct cf_request *req, char out[56]);

/* ---- answering ------------------------------------------------------------------------------ */

/* Adds a header to the answer to come; texts are copied, CR and LF are a bug. */
void cf_answer_header(struct cf_request *req, const char *name, struct cf_str value);
/* Body and type are copied before it returns. type NULL: no body. */
void cf_answer(struct cf_request *req, int status, const char *type, struct cf_str body);
void cf_answer_json(struct cf_request *req, int status, const struct cf_buf *json);
/* A long answer in parts, so that it is never in memory as a whole. ready() is called when parts
 * can be taken again, and once when the client has gone while that was waited for. The time of the
 * route begins anew with each part. */
typedef void cf_answer_ready(void *arg);
void cf_answer_begin(struct cf_request *req, int status, const char *type, cf_answer_ready *ready,
                     void *arg);
/* Copied. False: give no more before ready(). */
bool cf_answer_part(struct cf_request *req, struct cf_str bytes) CF_MUST;
/* whole false: it could not be finished; the client sees that it was cut. */
void cf_answer_end(struct cf_request *req, bool whole);
/* problem+json; errors may be NULL; retry_after_s 0: no Retry-After. Code and title are ours:
 * never text of the input. */
void cf_problem(struct cf_request *req, int status, const char *code, const char *title,
                const struct cf_field_errors *errors, int retry_after_s);
/* A problem about one field. */
void cf_problem_field(struct cf_request *req, int status, const char *code, const char *field,
                      const char *rule, const char *cure);
/* 400 invalid_body with these fields. */
void cf_problem_fields(struct cf_request *req, const struct cf_field_errors *errors);
/* 422 request_id_conflict: the claim of common/io/request.h was CF_CLAIM_CONFLICT. */
void cf_problem_conflict(struct cf_request *req);
/* 503 unavailable: `what` is away; Retry-After 1. */
void cf_problem_away(struct cf_request *req, const char *what);
