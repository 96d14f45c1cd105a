/* Paths and queries: what is taken decodes to UTF-8 without control characters, and the route that
 * was found gives its path back. */
#include "common/io/route.h"
#include "tests/fuzz/fuzz.h"

static const struct {
    const char *method, *pattern;
} routes[] = {
    {"POST", "/v1/applications"                       },
    {"GET",  "/v1/applications/{application_id}"      },
    {"PUT",  "/v1/applications/{application_id}/photo"},
    {"GET",  "/v1/applications/latest/photo"          },
    {"GET",  "/v1/{a}/{b}/{c}"                        },
    {"POST", "/v1/work-orders/{id}/actions"           },
    {"GET",  "/"                                      },
};

static void check_decode(struct cf_str s, bool form)
{
    char *out = cf_malloc(s.len + 1);
    size_t n = SIZE_MAX;
    if (cf_percent_decode(s, form, out, &n)) {
        MUST(n <= s.len);
        /* Every byte as %XX comes back as it was. */
        char *escaped = cf_malloc(3 * n + 1), *back = cf_malloc(3 * n + 1);
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            snprintf(escaped + 3 * i, 4, "%%%02X", (unsigned)(unsigned char)out[i]);
        MUST(cf_percent_decode((struct cf_str){escaped, 3 * n}, form, back, &m));
        MUST(m == n && memcmp(back, out, n) == 0);
        free(escaped);
        free(back);
    }
    free(out);
}

static void check_match(const struct cf_router *r, struct cf_str method, struct cf_str path)
{
    struct cf_matched m;
    enum cf_match found = cf_router_match(r, method, path, &m);
    MUST(strlen(m.allow) < sizeof m.allow);
    if (found != CF_MATCH_FOUND) return;
    MUST(m.index < sizeof routes / sizeof *routes && m.n_params <= CF_ROUTE_PARAMS);
    MUST(cf_str_is(method, routes[m.index].method));
    struct cf_buf b;
    cf_buf_init(&b, 1 << 20);
    size_t param = 0;
    for (const char *p = routes[m.index].pattern; *p; p++) {
        if (*p != '{') {
            cf_buf_add(&b, p, 1);
            continue;
        }
        MUST(m.params[param].len > 0 && !memchr(m.params[param].ptr, '/', m.params[param].len));
        cf_buf_adds(&b, m.params[param++]);
        p = strchr(p, '}');
    }
    MUST(param == m.n_params && cf_str_eq(cf_buf_str(&b), path));
    cf_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_str in = fuzz_str(data, size), method = fuzz_line(&in);
    struct cf_router *r = cf_router_new();
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        MUST(cf_router_add(r, routes[i].method, routes[i].pattern) == i);
    MUST(cf_router_param(r, 1, "application_id") == 0 && cf_router_param(r, 0, "x") == -1);
    char *path = fuzz_exact(in);
    struct cf_str s = {path, in.len};
    if (cf_path_ok(s)) {
        char *out = cf_malloc(s.len);
        size_t n;
        MUST(cf_percent_decode(s, false, out, &n));
        MUST(cf_utf8_valid((struct cf_str){out, n}));
        for (size_t i = 0; i < n; i++)
            MUST((unsigned char)out[i] >= 0x20 && out[i] != 0x7F);
        free(out);
    }
    check_decode(s, false);
    check_decode(s, true);
    check_match(r, method, s);
    free(path);
    cf_router_free(r);
    return 0;
}
