#include "common/io/http_server.h"

#include "common/io/clock.h"
#include "common/io/http_internal.h"
#include "common/pure/error.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define TICK_MS 100
#define POOL_MAX 256
#define ARENA_MAX (64u << 20)

/* ---- requests ------------------------------------------------------------------------------ */

static uint64_t next_random(struct cf_http *http)
{
    /* splitmix64: trace ids have to differ, not to be secret. */
    uint64_t z = http->rng += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

struct cf_req *cf_req_take(struct cf_conn *c)
{
    struct cf_http *http = c->http;
    struct cf_req *r = http->pool;
    uint64_t id[2] = {next_random(http), next_random(http)};
    if (r) {
        http->pool = r->next;
        http->n_pool--;
    } else {
        r = cf_calloc(1, sizeof *r);
        r->pub.arena = cf_arena_new(ARENA_MAX);
        cf_buf_init(&r->extra, 4096);
    }
    r->http = http;
    r->conn = c;
    r->prev = r->next = NULL;
    r->route = NULL;
    r->handed = r->without_body = r->waiting = false;
    r->ready = NULL;
    r->head.size = r->head.n = 0;
    r->head.length = 0;
    r->head.keep_alive = false;
    r->n_params = 0;
    r->pub.client = NULL;
    r->pub.body = (struct cf_str){NULL, 0};
    r->began_us = cf_mono_us();
    memcpy(r->remote, c->remote, sizeof r->remote);
    r->pub.remote = cf_str_of(r->remote);
    cf_hex(id, sizeof id, r->pub.trace_id);
    return r;
}

static void destroy_req(struct cf_req *r)
{
    cf_arena_free(r->pub.arena);
    cf_buf_free(&r->extra);
    free(r);
}

void cf_req_free(struct cf_req *r)
{
    struct cf_http *http = r->http;
    json_decref(r->doc);
    r->doc = NULL;
    free(r->kept);
    if (!http) {
        destroy_req(r);
        return;
    }
    if (r->kept) http->in_bytes -= r->kept_cap;
    r->kept = NULL;
    if (r->handed) {
        if (r->prev)
            r->prev->next = r->next;
        else
            http->open = r->next;
        if (r->next) r->next->prev = r->prev;
        http->n_open--;
    }
    if (http->n_pool >= POOL_MAX) {
        destroy_req(r);
        return;
    }
    cf_arena_reset(r->pub.arena);
    cf_buf_reset(&r->extra);
    r->next = http->pool;
    http->pool = r;
    http->n_pool++;
}

static struct cf_str text_of(const char *base, struct cf_head_text t)
{
    return (struct cf_str){base + t.at, t.len};
}

void cf_req_rebase(struct cf_req *r, const char *base)
{
    r->base = base;
    r->pub.method = text_of(base, r->head.method);
    r->pub.path = text_of(base, r->head.path);
    r->pub.query = text_of(base, r->head.query);
}

/* ---- admission ------------------------------------------------------------------------------- */

static void refuse(struct cf_req *r, int status, const char *code, const char *title,
                   const char *field, const char *rule, const char *cure)
{
    const struct cf_head_wrong w = {status, code, title, field, rule, cure};
    cf_req_refuse(r, &w);
}

static bool is_hex(struct cf_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("0123456789abcdef", s.ptr[i])) return false;
    return true;
}

/* 00-<32 hex>-<16 hex>-<2 hex>, of which the trace id is not all zero (W3C Trace Context). */
static void take_trace(struct cf_req *r)
{
    struct cf_str t = cf_head_find(&r->head, r->base, "traceparent");
    if (t.len != 55 || memcmp(t.ptr, "00-", 3) != 0 || t.ptr[35] != '-' || t.ptr[52] != '-') return;
    struct cf_str id = {t.ptr + 3, 32};
    if (!is_hex(id) || cf_str_eq(id, CF_STR("00000000000000000000000000000000"))) return;
    memcpy(r->pub.trace_id, id.ptr, 32);
}

static bool find_route(struct cf_req *r)
{
    static const struct cf_str get = {"GET", 3};
    struct cf_http *http = r->http;
    struct cf_matched m;
    r->without_body = cf_str_is(r->pub.method, "HEAD");
    struct cf_str method = r->without_body ? get : r->pub.method;
    switch (cf_router_match(http->router, method, r->pub.path, &m)) {
    case CF_MATCH_FOUND:
        break;
    case CF_MATCH_NO_PATH:
        refuse(r, 404, "not_found", "There is nothing at this path", NULL, NULL, NULL);
        return false;
    case CF_MATCH_NO_METHOD:
        cf_answer_header(&r->pub, "Allow", cf_str_of(m.allow));
        refuse(r, 405, "method_not_allowed", "This path takes another method", "method",
               "must be one that the path takes", "see the header Allow");
        return false;
    }
    r->route = &http->routes[m.index];
    r->route_at = m.index;
    r->n_params = m.n_params;
    for (size_t i = 0; i < m.n_params; i++)
        r->params[i] =
            (struct cf_head_text){(uint16_t)(m.params[i].ptr - r->base), (uint16_t)m.params[i].len};
    return true;
}

static bool check_key(struct cf_req *r)
{
    const char *scope = r->route->route.scope;
    if (!scope) return true;
    struct cf_str value = cf_head_find(&r->head, r->base, "authorization");
    if (value.len > 7 && cf_same_word((struct cf_str){value.ptr, 7}, "bearer ")) {
        struct cf_str key = cf_trim((struct cf_str){value.ptr + 7, value.len - 7});
        r->pub.client = cf_api_keys_find(r->http->conf.keys, key);
    }
    if (!r->pub.client) {
        cf_answer_header(&r->pub, "WWW-Authenticate", CF_STR("Bearer"));
        refuse(r, 401, "unauthorized", "A known key is needed", "Authorization",
               "must be Bearer and a key that is known here", "send the key you were given");
        return false;
    }
    if (cf_client_may(r->pub.client, scope)) return true;
    r->pub.client = NULL;
    refuse(r, 403, "missing_scope", "This key may not do this", "Authorization",
           cf_arena_printf(r->pub.arena, "needs the scope %s", scope).ptr,
           "use a key with this scope");
    return false;
}

static bool check_body(struct cf_req *r)
{
    const struct cf_route *route = &r->route->route;
    if (r->head.length > route->body_max) {
        const char *rule = cf_arena_printf(r->pub.arena, "at most %zu bytes", route->body_max).ptr;
        refuse(r, 413, "body_too_large", "The body is too large", "body", rule,
               "send a smaller body");
        return false;
    }
    if (!route->type || r->head.length == 0) return true;
    struct cf_str type = cf_head_find(&r->head, r->base, "content-type");
    const char *semicolon = type.len ? memchr(type.ptr, ';', type.len) : NULL;
    if (semicolon) type.len = (size_t)(semicolon - type.ptr);
    if (type.len && cf_same_word(cf_trim(type), route->type)) return true;
    refuse(r, 415, "unsupported_media_type", "This path takes another media type", "Content-Type",
           cf_arena_printf(r->pub.arena, "must be %s", route->type).ptr,
           "send the body in this form");
    return false;
}

bool cf_http_admit(struct cf_req *r, bool all_here)
{
    struct cf_conn *c = r->conn;
    bool close_before = c->close_after;
    take_trace(r);
    /* Set before, since a refusal is written in one go; taken back when there is none. */
    if (!all_here) c->close_after = c->linger = true;
    if (!find_route(r) || !check_key(r) || !check_body(r)) return false;
    c->close_after = close_before;
    c->linger = false;
    return true;
}

void cf_http_hand(struct cf_req *r)
{
    struct cf_http *http = r->http;
    r->handed = true;
    r->prev = NULL;
    r->next = http->open;
    if (r->next) r->next->prev = r;
    http->open = r;
    http->n_open++;
    r->route->fn(&r->pub, r->route->arg);
}

/* ---- routes ---------------------------------------------------------------------------------- */

static void route_metrics(struct cf_http *http, struct cf_route_entry *e)
{
    static const char *const classes[] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
    const char *method = e->route.method, *pattern = e->route.pattern;
    if (!http->conf.metrics) return;
    for (int i = 2; i < 6; i++)
        e->by_class[i] = cf_counter_new(http->conf.metrics, "cardflow_http_requests_total",
                                        "Requests answered by handlers.", "method", method, "route",
                                        pattern, "status", classes[i], NULL);
    e->seconds = cf_histogram_new(http->conf.metrics, "cardflow_http_request_seconds",
                                  "Time from the head of a request to its answer.", NULL, 0,
                                  "method", method, "route", pattern, NULL);
}

void cf_http_route(struct cf_http *http, const struct cf_route *route, cf_handler *fn, void *arg)
{
    if (http->n_open || http->n_conns) CF_BUG("routes are added before the first connection");
    if (route->scope && !http->conf.keys) CF_BUG("a route with a scope needs keys");
    size_t i = cf_router_add(http->router, route->method, route->pattern);
    http->routes = cf_realloc(http->routes, (i + 1) * sizeof *http->routes);
    http->routes[i] = (struct cf_route_entry){.route = *route, .fn = fn, .arg = arg};
    http->n_routes = i + 1;
    route_metrics(http, &http->routes[i]);
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void on_tick(void *arg, cf_ms now)
{
    struct cf_http *http = arg;
    struct cf_conn *next;
    for (struct cf_conn *c = http->conns; c; c = next) {
        next = c->next;
        cf_conn_tick(c, now);
    }
}

static double connections_now(void *arg)
{
    return (double)((struct cf_http *)arg)->n_conns;
}

static double open_now(void *arg)
{
    return (double)((struct cf_http *)arg)->n_open;
}

static void server_metrics(struct cf_http *http)
{
    struct cf_metrics *m = http->conf.metrics;
    const char *label = http->conf.label;
    if (!m) return;
    http->accepted = cf_counter_new(m, "cardflow_http_connections_total", "Connections accepted.",
                                    "listener", label, NULL);
    http->over =
        cf_counter_new(m, "cardflow_http_connections_refused_total",
                       "Connections closed because there were too many.", "listener", label, NULL);
    http->refused = cf_counter_new(m, "cardflow_http_refused_total",
                                   "Requests refused before a handler saw them, or timed out.",
                                   "listener", label, NULL);
    cf_gauge_fn(m, "cardflow_http_connections", "Open connections.", connections_now, http,
                "listener", label, NULL);
    cf_gauge_fn(m, "cardflow_http_requests_open", "Requests at handlers.", open_now, http,
                "listener", label, NULL);
}

static void defaults(struct cf_http_conf *c)
{
    if (!c->label) c->label = "public";
    if (!c->max_connections) c->max_connections = 2000;
    if (!c->head_ms) c->head_ms = 5000;
    if (!c->body_ms) c->body_ms = 15000;
    if (!c->idle_ms) c->idle_ms = 60000;
    if (!c->answer_ms) c->answer_ms = 15000;
    if (!c->bodies_max) c->bodies_max = 256u << 20;
}

int cf_http_new(struct cf_loop *loop, const struct cf_http_conf *conf, struct cf_http **out)
{
    struct cf_http *http = cf_calloc(1, sizeof *http);
    *http = (struct cf_http){.loop = loop, .conf = *conf, .fd = -1, .date_at = -1};
    defaults(&http->conf);
    int e = cf_http_listen(http);
    if (e) {
        free(http);
        return e;
    }
    if (getrandom(&http->rng, sizeof http->rng, 0) != (ssize_t)sizeof http->rng)
        http->rng = (uint64_t)cf_mono_us();
    http->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    http->router = cf_router_new();
    http->tick = cf_timer_new(loop, on_tick, http);
    cf_timer_every(http->tick, TICK_MS);
    http->watch = cf_watch_new(loop, http->fd, cf_http_accept, http);
    server_metrics(http);
    *out = http;
    return 0;
}

static void stop_listening(struct cf_http *http)
{
    cf_watch_free(http->watch);
    http->watch = NULL;
    if (http->fd >= 0) close(http->fd);
    http->fd = -1;
}

void cf_http_drain(struct cf_http *http)
{
    struct cf_conn *next;
    http->draining = true;
    stop_listening(http);
    for (struct cf_conn *c = http->conns; c; c = next) {
        next = c->next;
        if (c->state == CF_CONN_HEAD && c->in_len == 0 && c->out.len == 0) cf_conn_free(c);
    }
}

void cf_http_free(struct cf_http *http)
{
    if (!http) return;
    stop_listening(http);
    while (http->conns)
        cf_conn_free(http->conns);
    for (struct cf_req *r = http->open; r; r = r->next)
        r->http = NULL; /* freed when their handlers answer */
    while (http->pool) {
        struct cf_req *r = http->pool;
        http->pool = r->next;
        destroy_req(r);
    }
    while (http->owned) {
        struct cf_owned *o = http->owned;
        http->owned = o->next;
        o->free_fn(o->thing);
        free(o);
    }
    cf_timer_free(http->tick);
    cf_router_free(http->router);
    if (http->spare >= 0) close(http->spare);
    free(http->routes);
    free(http);
}

void cf_http_own(struct cf_http *http, void *thing, void (*free_fn)(void *thing))
{
    struct cf_owned *o = cf_malloc(sizeof *o);
    *o = (struct cf_owned){http->owned, thing, free_fn};
    http->owned = o;
}

const char *cf_http_url(const struct cf_http *http)
{
    return http->url;
}

size_t cf_http_open(const struct cf_http *http)
{
    return http->n_open;
}

size_t cf_http_connections(const struct cf_http *http)
{
    return http->n_conns;
}
