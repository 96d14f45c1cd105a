#include "tests/unit/pure/vectors.h"

#include "common/pure/outlets.h"

#define HEADER "bank_code,bank_name,outlet_code,outlet_name,district_code,active\n"

static void outlets_are_found_by_bank_and_code(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(1 << 20);
    struct cf_outlets o;
    struct cf_outlets_error error = {0};
    assert_int_equal(
        cf_outlets_load(a,
                        CF_STR("active,outlet_code,bank_code,outlet_name,bank_name\n"
                               "1,B0200,B02,二号,乙\n\n0,B01001,B01,一号,甲\n1,B010,B01,总店,甲\n"),
                        &o, &error),
        0);
    assert_int_equal(o.n, 3);
    const struct cf_outlet *one = cf_outlet_find(&o, CF_STR("B01"), CF_STR("B01001"));
    assert_non_null(one);
    assert_true(cf_str_is(one->outlet_name, "一号") && cf_str_is(one->bank_name, "甲"));
    assert_false(one->active);
    assert_true(cf_outlet_find(&o, CF_STR("B01"), CF_STR("B010"))->active);
    assert_null(cf_outlet_find(&o, CF_STR("B02"), CF_STR("B01001")));
    assert_null(cf_outlet_find(&o, CF_STR("B01"), CF_STR("B0100")));
    assert_null(cf_outlet_find(&o, CF_STR("B01"), CF_STR("")));
    cf_arena_free(a);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *csv;
        unsigned line;
        const char *why;
    } rows[] = {
        {"",                                                      1, "empty"                   },
        {"\xFF",                                                  1, "not UTF-8"               },
        {"bank_code,bank_name,outlet_code,active\nB,b,O,1\n",     1, "column is missing"       },
        {HEADER,                                                  1, "no outlet"               },
        {HEADER "\n\n",                                           1, "no outlet"               },
        {HEADER "B,b,O,o,D,1\nB,b,O2,o,D\n",                      3, "differ from the header"  },
        {HEADER "B,b,O,o,D,1,\n",                                 2, "differ from the header"  },
        {HEADER "B,b,\"O,o,D,1\n",                                2, "differ from the header"  },
        {HEADER "B,b,O,o,D,yes\n",                                2, "active must be 0 or 1"   },
        {HEADER "B,b,O,o,D,\n",                                   2, "active must be 0 or 1"   },
        {HEADER ",b,O,o,D,1\n",                                   2, "must not be empty"       },
        {HEADER "B,b,,o,D,1\n",                                   2, "must not be empty"       },
        {HEADER "B,b,O,o,D,1\nB2,b,O2,o,D,1\nB2,b,O,o,D,0\n",     1, "stands there twice"      },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_arena *a = cf_arena_new(1 << 20);
        struct cf_outlets o;
        struct cf_outlets_error error = {0, ""};
        int e = cf_outlets_load(a, cf_str_of(rows[i].csv), &o, &error);
        if (e != CF_E_CONFIG || error.line != rows[i].line || !strstr(error.why, rows[i].why))
            fail_msg("row %zu: %d, line %u: %s", i, e, error.line, error.why);
        cf_arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outlets_are_found_by_bank_and_code),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
