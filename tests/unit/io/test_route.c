/* route: which pattern a path meets, and which paths are none. */
#include "common/io/multipart.h"
#include "common/io/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void the_most_exact_pattern_wins(void **state)
{
    (void)state;
    static const char *const routes[][2] = {
        {"POST", "/v1/applications"                         },
        {"GET",  "/v1/applications/{application_id}"        },
        {"PUT",  "/v1/applications/{application_id}/photo"  },
        {"GET",  "/v1/applications/{application_id}/{part}" },
        {"GET",  "/v1/applications/{application_id}/receipt"},
        {"GET",  "/"                                        },
        {"GET",  "/v1/applications/own"                     },
    };
    static const struct {
        const char *method, *path;
        int want; /* -1 no path, -2 no method */
        const char *param;
    } cases[] = {
        {"POST",   "/v1/applications",             0,  NULL},
        {"GET",    "/v1/applications/7",           1,  "7" },
        {"GET",    "/v1/applications/own",         6,  NULL},
        {"GET",    "/v1/applications/7/receipt",   4,  "7" },
        {"GET",    "/v1/applications/7/other",     3,  "7" },
        {"PUT",    "/v1/applications/7/photo",     2,  "7" },
        {"GET",    "/",                            5,  NULL},
        {"GET",    "/v1/applications",             -2, NULL},
        {"DELETE", "/v1/applications/7",           -2, NULL},
        {"GET",    "/v1/applications/",            -1, NULL},
        {"GET",    "/v1/applications/7/",          -1, NULL},
        {"GET",    "/v1//applications",            -1, NULL},
        {"GET",    "/V1/applications/7",           -1, NULL},
        {"get",    "/v1/applications/7",           -2, NULL},
        {"GET",    "",                             -1, NULL},
        {"GET",    "/a/b/c/d/e/f/g/h/i/j/k/l/m/n", -1, NULL},
    };
    struct cf_router *r = cf_router_new();
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        assert_int_equal(cf_router_add(r, routes[i][0], routes[i][1]), i);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cf_matched m;
        enum cf_match got =
            cf_router_match(r, cf_str_of(cases[i].method), cf_str_of(cases[i].path), &m);
        int is = got == CF_MATCH_FOUND ? (int)m.index : got == CF_MATCH_NO_PATH ? -1 : -2;
        if (is != cases[i].want)
            fail_msg("%s %s: %d, not %d", cases[i].method, cases[i].path, is, cases[i].want);
        if (cases[i].param) assert_true(cf_str_is(m.params[0], cases[i].param));
    }
    struct cf_matched m;
    cf_router_match(r, CF_STR("DELETE"), CF_STR("/v1/applications/own"), &m);
    assert_string_equal(m.allow, "GET, GET");
    assert_int_equal(cf_router_param(r, 3, "part"), 1);
    assert_int_equal(cf_router_param(r, 3, "none"), -1);
    cf_router_free(r);
}

static void paths_are_utf8_without_control_characters(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool good;
    } cases[] = {
        {"/",             true },
        {"/a%20b",        true },
        {"/%E5%BC%A0",    true },
        {"/a%2Fb",        true },
        {"",              false},
        {"a",             false},
        {"*",             false},
        {"/%00",          false},
        {"/a%0Ab",        false},
        {"/%7F",          false},
        {"/%FF",          false},
        {"/%C0%AF",       false},
        {"/%",            false},
        {"/%4",           false},
        {"/%zz",          false},
        {"/\xE5\xBC\xA0", false},
        {"/a b",          false},
        {"/a\tb",         false},
        {"/%ED%A0%80",    false},
        {"http://x/",     false}
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (cf_path_ok(cf_str_of(cases[i].path)) != cases[i].good)
            fail_msg("%s should be %d", cases[i].path, cases[i].good);
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    char out[100];
    size_t n;
    assert_true(cf_percent_decode(CF_STR("a%2fb+%41"), false, out, &n));
    assert_true(cf_str_is((struct cf_str){out, n}, "a/b+A"));
    assert_true(cf_percent_decode(CF_STR("a+b"), true, out, &n));
    assert_true(cf_str_is((struct cf_str){out, n}, "a b"));
    assert_false(cf_percent_decode(CF_STR("a%2"), true, out, &n));
}

static void parts_of_a_form_are_found(void **state)
{
    (void)state;
    static const char type[] = "multipart/form-data; charset=x; boundary=\"a b'c\"";
    static const char body[] = "--a b'c\r\nContent-Disposition: form-data; name=\"meta\"\r\n\r\n{}"
                               "\r\n--a b'c\r\ncontent-disposition: form-data; name=file; "
                               "filename=\"r.csv\"\r\nContent-Type: text/csv\r\n\r\n"
                               "x\r\n--a b\r\ny\r\n--a b'c--\r\n";
    struct cf_parts parts;
    const char *why = cf_multipart(cf_str_of(type), cf_str_of(body), &parts);
    if (why) fail_msg("%s", why);
    assert_int_equal(parts.n, 2);
    assert_true(cf_str_is(cf_multipart_part(&parts, "meta")->body, "{}"));
    const struct cf_part *file = cf_multipart_part(&parts, "file");
    assert_true(cf_str_is(file->body, "x\r\n--a b\r\ny"));
    assert_true(cf_str_is(file->filename, "r.csv"));
    assert_true(cf_str_is(file->type, "text/csv"));
    assert_null(cf_multipart_part(&parts, "other"));
}

static void a_malformed_form_is_refused(void **state)
{
    (void)state;
#define D "Content-Disposition: form-data; name=a\r\n\r\n"
    static const struct {
        const char *type, *body, *why;
    } cases[] = {
        {"multipart/form-data",             "--x\r\n" D "1\r\n--x--",                  "has no boundary"                 },
        {"multipart/form-data; boundary=",  "--x--",                                   "has no boundary"                 },
        {"multipart/form-data; boundary=x", "",                                        "does not begin with its boundary"},
        {"multipart/form-data; boundary=x", "--y\r\n",                                 "does not begin with its boundary"},
        {"multipart/form-data; boundary=x", "--x--",                                   "has no parts"                    },
        {"multipart/form-data; boundary=x", "--x\r\n" D "1",                           "ends without its boundary"       },
        {"multipart/form-data; boundary=x", "--x\r\n" D "1\r\n--x",                    "has a malformed boundary"        },
        {"multipart/form-data; boundary=x", "--x\r\nA: b\r\n\r\n1\r\n--x--",
         "has a part without name"                                                                                       },
        {"multipart/form-data; boundary=x", "--x\r\n" D "1\r\n--x\r\n" D "1\r\n--x--",
         "has a part twice"                                                                                              },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cf_parts parts;
        const char *why = cf_multipart(cf_str_of(cases[i].type), cf_str_of(cases[i].body), &parts);
        if (!why || strcmp(why, cases[i].why) != 0)
            fail_msg("%zu: %s, not %s", i, why ? why : "taken", cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_exact_pattern_wins),
        cmocka_unit_test(paths_are_utf8_without_control_characters),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(parts_of_a_form_are_found),
        cmocka_unit_test(a_malformed_form_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
