#include "common/io/http_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static const struct cf_str none = {NULL, 0};

struct cf_str cf_request_header(const struct cf_request *req, const char *name)
{
    const struct cf_req *r = cf_req_of_const(req);
    return cf_head_find(&r->head, r->base, name);
}

/* Decoded into the arena; as it stands when there is nothing to decode. */
static struct cf_str decoded(const struct cf_request *req, struct cf_str s, bool form)
{
    size_t n = 0;
    if (!memchr(s.ptr, '%', s.len) && !(form && memchr(s.ptr, '+', s.len))) return s;
    char *out = cf_arena_alloc(req->arena, s.len + 1);
    if (!cf_percent_decode(s, form, out, &n)) return none;
    return (struct cf_str){out, n};
}

struct cf_str cf_request_param(const struct cf_request *req, const char *name)
{
    const struct cf_req *r = cf_req_of_const(req);
    int i = r->route && r->http ? cf_router_param(r->http->router, r->route_at, name) : -1;
    if (i < 0 || (size_t)i >= r->n_params) return none;
    return decoded(req, (struct cf_str){r->base + r->params[i].at, r->params[i].len}, false);
}

struct cf_str cf_request_query(const struct cf_request *req, const char *name)
{
    struct cf_str q = req->query;
    size_t want = strlen(name);
    while (q.len) {
        const char *amp = memchr(q.ptr, '&', q.len);
        size_t n = amp ? (size_t)(amp - q.ptr) : q.len;
        if (n > want && q.ptr[want] == '=' && memcmp(q.ptr, name, want) == 0) {
            struct cf_str v = decoded(req, (struct cf_str){q.ptr + want + 1, n - want - 1}, true);
            return v.ptr && cf_utf8_valid(v) ? v : none;
        }
        n += amp != NULL;
        q = (struct cf_str){q.ptr + n, q.len - n};
    }
    return none;
}

int cf_request_limit(struct cf_request *req)
{
    enum { ABSENT = 100, MOST = 500 };
    struct cf_str s = cf_request_query(req, "limit");
    uint64_t n;
    if (!s.ptr) return ABSENT;
    if (cf_digits(s, MOST, &n) && n >= 1) return (int)n;
    cf_problem_field(req, 400, "invalid_query", "limit", "a number from 1 to 500",
                     "Leave it out for 100.");
    return -1;
}

bool cf_request_gone(const struct cf_request *req)
{
    return cf_req_of_const(req)->conn == NULL;
}

json_t *cf_request_json(struct cf_request *req)
{
    struct cf_req *r = cf_req_of(req);
    struct cf_json_error e;
    struct cf_field_errors errors = {.n = 0};
    if (r->doc) return r->doc;
    r->doc = cf_json_parse(req->body, &e);
    if (r->doc) return r->doc;
    const char *rule = cf_arena_printf(req->arena, "%s (byte %zu, line %d, column %d)", e.rule,
                                       e.position, e.line, e.column)
                           .ptr;
    cf_field_error_add(&errors, "body", rule, "send well-formed JSON (RFC 8259)");
    cf_problem(req, 400, "malformed_json", "The body is not JSON", &errors, 0);
    return NULL;
}

struct cf_str cf_request_idempotency_key(struct cf_request *req)
{
    struct cf_str key = cf_request_header(req, "Idempotency-Key");
    if (key.len >= 2 && key.ptr[0] == '"' && key.ptr[key.len - 1] == '"')
        key = (struct cf_str){key.ptr + 1, key.len - 2};
    bool good = key.len >= 1 && key.len <= 200;
    for (size_t i = 0; good && i < key.len; i++)
        good = key.ptr[i] > 0x20 && key.ptr[i] < 0x7F && key.ptr[i] != '"' && key.ptr[i] != '\\';
    if (good) return key;
    cf_problem_field(req, 400, "idempotency_key_required", "Idempotency-Key",
                     "must be there with 1 to 200 visible ASCII characters",
                     "send a key of your own, the same when you repeat the request");
    return none;
}

cf_ms cf_request_wait_ms(const struct cf_request *req, cf_ms max_ms)
{
    struct cf_str list = cf_request_header(req, "Prefer");
    while (list.len) {
        const char *comma = memchr(list.ptr, ',', list.len);
        size_t n = comma ? (size_t)(comma - list.ptr) : list.len;
        struct cf_str one = cf_trim((struct cf_str){list.ptr, n});
        n += comma != NULL;
        list = (struct cf_str){list.ptr + n, list.len - n};
        const char *equals = one.len ? memchr(one.ptr, '=', one.len) : NULL;
        if (!equals) continue;
        struct cf_str word = cf_trim((struct cf_str){one.ptr, (size_t)(equals - one.ptr)});
        struct cf_str value =
            cf_trim((struct cf_str){equals + 1, (size_t)(one.ptr + one.len - equals) - 1});
        if (!cf_same_word(word, "wait") || value.len == 0 || value.len > 6) continue;
        uint64_t seconds;
        if (!cf_digits(value, 999999, &seconds)) return 0;
        return (cf_ms)seconds * 1000 < max_ms ? (cf_ms)seconds * 1000 : max_ms;
    }
    return 0;
}

void cf_request_traceparent(const struct cf_request *req, char out[56])
{
    uint64_t span = 0;
    /* Never zero: that would be no span. */
    if (getrandom(&span, sizeof span, 0) != (ssize_t)sizeof span || !span) span = 1;
    snprintf(out, 56, "00-%s-%016llx-01", req->trace_id, (unsigned long long)span);
}
