#include "common/io/route.h"

#include "common/pure/error.h"

#include <stdio.h>
#include <stdlib.h>

struct segment {
    struct cf_str text; /* the name, for a parameter */
    bool param;
};

struct pattern {
    struct cf_str method;
    size_t n;
    struct segment segments[CF_ROUTE_SEGMENTS];
};

struct cf_router {
    struct pattern *list;
    size_t n, cap;
};

struct cf_router *cf_router_new(void)
{
    return cf_calloc(1, sizeof(struct cf_router));
}

void cf_router_free(struct cf_router *r)
{
    if (!r) return;
    free(r->list);
    free(r);
}

/* Cuts a path (with its leading slash) into segments; their number, or max + 1 when there are
 * more. */
static size_t cut(struct cf_str path, struct cf_str *out, size_t max)
{
    size_t n = 0, begin = 1;
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/') continue;
        if (n == max) return max + 1;
        out[n++] = (struct cf_str){path.ptr + begin, i - begin};
        begin = i + 1;
    }
    return n;
}

size_t cf_router_add(struct cf_router *r, const char *method, const char *pattern)
{
    struct cf_str parts[CF_ROUTE_SEGMENTS];
    struct pattern p = {.method = cf_str_of(method)};
    size_t params = 0;
    if (pattern[0] != '/') CF_BUG("a route's pattern begins with /");
    p.n = cut(cf_str_of(pattern), parts, CF_ROUTE_SEGMENTS);
    if (p.n > CF_ROUTE_SEGMENTS) CF_BUG("a route's pattern has too many segments");
    for (size_t i = 0; i < p.n; i++) {
        struct cf_str s = parts[i];
        bool param = s.len > 2 && s.ptr[0] == '{' && s.ptr[s.len - 1] == '}';
        if (param && ++params > CF_ROUTE_PARAMS) CF_BUG("a route has too many parameters");
        if (param) s = (struct cf_str){s.ptr + 1, s.len - 2};
        p.segments[i] = (struct segment){s, param};
    }
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 16;
        r->list = cf_realloc(r->list, r->cap * sizeof *r->list);
    }
    r->list[r->n] = p;
    return r->n++;
}

static bool fits(const struct pattern *p, const struct cf_str *parts, size_t n)
{
    if (p->n != n) return false;
    for (size_t i = 0; i < n; i++) {
        const struct segment *s = &p->segments[i];
        if (s->param ? parts[i].len == 0 : !cf_str_eq(s->text, parts[i])) return false;
    }
    return true;
}

/* Does a say more than b, at the first segment where one is text and the other a parameter? */
static bool closer(const struct pattern *a, const struct pattern *b)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->segments[i].param != b->segments[i].param) return b->segments[i].param;
    return false;
}

static void allow(struct cf_matched *out, struct cf_str method)
{
    size_t n = strlen(out->allow);
    if (n + method.len + 3 > sizeof out->allow) return;
    snprintf(out->allow + n, sizeof out->allow - n, "%s%.*s", n ? ", " : "", CF_ARG(method));
}

enum cf_match cf_router_match(const struct cf_router *r, struct cf_str method, struct cf_str path,
                              struct cf_matched *out)
{
    struct cf_str parts[CF_ROUTE_SEGMENTS];
    const struct pattern *best = NULL;
    out->n_params = 0;
    out->allow[0] = 0;
    if (!path.len || path.ptr[0] != '/') return CF_MATCH_NO_PATH;
    size_t n = cut(path, parts, CF_ROUTE_SEGMENTS);
    for (size_t i = 0; n <= CF_ROUTE_SEGMENTS && i < r->n; i++) {
        const struct pattern *p = &r->list[i];
        if (!fits(p, parts, n)) continue;
        if (!cf_str_eq(p->method, method))
            allow(out, p->method);
        else if (!best || closer(p, best))
            best = p;
    }
    if (!best) return out->allow[0] ? CF_MATCH_NO_METHOD : CF_MATCH_NO_PATH;
    out->index = (size_t)(best - r->list);
    for (size_t i = 0; i < n; i++)
        if (best->segments[i].param) out->params[out->n_params++] = parts[i];
    return CF_MATCH_FOUND;
}

int cf_router_param(const struct cf_router *r, size_t index, const char *name)
{
    int at = 0;
    const struct pattern *p = &r->list[index];
    for (size_t i = 0; i < p->n; i++) {
        if (!p->segments[i].param) continue;
        if (cf_str_is(p->segments[i].text, name)) return at;
        at++;
    }
    return -1;
}

/* ---- paths --------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool cf_percent_decode(struct cf_str in, bool form, char *out, size_t *n)
{
    size_t to = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (c == '%') {
            int high = i + 3 <= in.len ? hex_digit(in.ptr[i + 1]) : -1;
            int low = i + 3 <= in.len ? hex_digit(in.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (form && c == '+') {
            c = ' ';
        }
        out[to++] = c;
    }
    *n = to;
    return true;
}

/* UTF-8 without control characters, as it stands behind its escapes? Decoded here by hand, since
 * most paths have no escape and need no second look. */
bool cf_path_ok(struct cf_str path)
{
    char decoded[8192];
    size_t n = 0;
    bool escaped = false;
    if (!path.len || path.ptr[0] != '/' || path.len > sizeof decoded) return false;
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (c <= 0x20 || c >= 0x7F) return false;
        escaped |= c == '%';
    }
    if (!escaped) return true;
    if (!cf_percent_decode(path, false, decoded, &n)) return false;
    struct cf_str s = {decoded, n};
    while (s.len) {
        int32_t c = cf_utf8_next(&s);
        if (c < 0x20 || c == 0x7F) return false;
    }
    return true;
}
