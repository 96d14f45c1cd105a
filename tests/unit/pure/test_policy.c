/* Policies of deadlines: the file, what is wrong with one, and which row is in force. */
#include "tests/unit/pure/vectors.h"

#include "common/pure/policy.h"
#include "tests/unit/policies.h"
#include "tests/unit/days.h"

#define HEADER "no,id,kind,effective_from,working_days,extension_limit\n"
/* All kinds but the first issue. */
#define OTHERS                                                                                     \
    "1,l,loss_replacement,2020-01-01,7,0\n2,d,damage_replacement,2020-01-01,7,0\n"                 \
    "3,p,photo_swap,2020-01-01,7,0\n4,r,reissue,2020-01-01,7,0\n5,t,temporary,2020-01-01,0,0\n"
#define FIRST "0,f,first_issue,2020-01-01,7,30\n"

static struct cf_arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = cf_arena_new(16 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cf_arena_free(arena);
    return 0;
}

static void the_file_of_the_tests_is_that_of_the_measures(void **state)
{
    (void)state;
    const struct cf_policies *p = test_policies(arena);
    assert_int_equal(p->n, 7);
    for (size_t i = 0; i < p->n; i++) {
        assert_int_equal(p->rows[i].no, i);
        assert_ptr_equal(cf_policy_by_no(p, p->rows[i].kind, p->rows[i].no), &p->rows[i]);
        assert_ptr_equal(cf_policy_find(p, p->rows[i].kind, p->rows[i].effective_from),
                         &p->rows[i]);
    }
    const struct cf_policy *now = cf_policy_find(p, CF_KIND_FIRST_ISSUE, day("2026-03-02"));
    assert_string_equal(now->id, "first_issue_2018");
    assert_int_equal(now->working_days, 7);
    assert_int_equal(now->extension_limit, 30);
}

static void nothing_is_found_where_nothing_is(void **state)
{
    (void)state;
    const struct cf_policies *p = test_policies(arena);
    assert_null(cf_policy_find(NULL, CF_KIND_FIRST_ISSUE, day("2026-03-02")));
    assert_null(cf_policy_by_no(NULL, CF_KIND_FIRST_ISSUE, 0));
    assert_null(cf_policy_find(p, CF_KIND_FIRST_ISSUE, day("2015-08-31")));
    assert_null(cf_policy_find(p, CF_KIND_NONE, day("2026-03-02")));
    assert_null(cf_policy_by_no(p, CF_KIND_FIRST_ISSUE, 2)); /* of another kind */
    assert_null(cf_policy_by_no(p, CF_KIND_TEMPORARY, 60));
}

/* As another editor writes it, and an id as long as it may be. */
static void lines_may_end_in_crlf(void **state)
{
    (void)state;
#define LONG "a_1234567891234567890123456789012345678901234567890123456789"
    struct cf_policies good = {0};
    struct cf_policies_error error;
    const char *file = HEADER OTHERS "0," LONG ",first_issue,2020-01-01,7,30\r\n"
                                     "9,g,first_issue,2026-01-01,5,0\r\n";
    assert_int_equal(cf_policies_load(arena, cf_str_of(file), &good, &error), 0);
    assert_int_equal(good.n, 7);
    assert_string_equal(cf_policy_by_no(&good, CF_KIND_FIRST_ISSUE, 0)->id, LONG);
    assert_int_equal(cf_policy_by_no(&good, CF_KIND_FIRST_ISSUE, 9)->working_days, 5);
}

static void a_bad_file_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *csv;
        unsigned line;
        const char *why;
    } rows[] = {
        {"",                                                               1, "empty"          },
        {"no,id,kind\n",                                                   1, "header"         },
        {"no,id,kind,effective_from,working_days,limit\n",                 1, "header"         },
        {HEADER "\xFF",                                                    1, "UTF-8"          },
        {HEADER,                                                           0, "every kind"     },
        {HEADER FIRST,                                                     0, "every kind"     },
        {HEADER OTHERS,                                                    0, "every kind"     },
        {HEADER OTHERS "0,f,first_issue,2020-01-02,7,30\n",                0, "every kind"     },
        {HEADER "x,f,first_issue,2020-01-01,7,30\n",                       2, "no:"            },
        {HEADER "\n,f,first_issue,2020-01-01,7,30\n",                      3, "no:"            },
        {HEADER "10000,f,first_issue,2020-01-01,7,30\n",                   2, "no:"            },
        {HEADER FIRST "0,g,first_issue,2021-01-01,7,30\n",                 3, "no:"            },
        {HEADER "0,F,first_issue,2020-01-01,7,30\n",                       2, "id:"            },
        {HEADER "0,first-issue,first_issue,2020-01-01,7,30\n",             2, "id:"            },
        {HEADER "0,first.issue,first_issue,2020-01-01,7,30\n",             2, "id:"            },
        {HEADER "0,a:b,first_issue,2020-01-01,7,30\n",                     2, "id:"            },
        {HEADER "0,a{b,first_issue,2020-01-01,7,30\n",                     2, "id:"            },
        {HEADER "0,a123456789012345678901234567890123456789012345678901234567890,"
                "first_issue,2020-01-01,7,30\n",                           2, "id:"            },
        {HEADER "0,,first_issue,2020-01-01,7,30\n",                        2, "id:"            },
        {HEADER FIRST "9,f,first_issue,2021-01-01,7,30\n",                 3, "id:"            },
        {HEADER "0,f,second_issue,2020-01-01,7,30\n",                      2, "kind:"          },
        {HEADER "0,f,first_issue,2020-02-30,7,30\n",                       2, "effective_from:"},
        {HEADER FIRST "9,g,first_issue,2020-01-01,7,30\n",                 3, "effective_from:"},
        {HEADER FIRST "9,g,first_issue,2019-01-01,7,30\n",                 3, "effective_from:"},
        {HEADER "0,f,first_issue,2020-01-01,-1,30\n",                      2, "working_days:"  },
        {HEADER "0,f,first_issue,2020-01-01,367,0\n",                      2, "working_days:"  },
        {HEADER "0,f,first_issue,2020-01-01,7,400\n",                      2, "extension_limit:"},
        {HEADER "0,f,first_issue,2020-01-01,7,7\n",                        2, "extension_limit:"},
        {HEADER "0,f,first_issue,2020-01-01,7\n",                          2, "six fields"     },
        {HEADER "0,f,first_issue,2020-01-01,7,\"30\n",                     2, "six fields"     },
        {HEADER OTHERS "0,f,first_issue,2019-12-31,7,30\n",                0, "every kind"     },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_policies none = {0};
        struct cf_policies_error error;
        int e = cf_policies_load(arena, cf_str_of(rows[i].csv), &none, &error);
        if (e != CF_E_CONFIG || none.n || !error.why || error.line != rows[i].line ||
            !strstr(error.why, rows[i].why))
            fail_msg("row %zu: %d, line %u, %s", i, e, error.line, error.why ? error.why : "-");
    }
    struct cf_policies good = {0};
    struct cf_policies_error error;
    const char *file = "\xEF\xBB\xBF" HEADER OTHERS FIRST "\n9,g,first_issue,2026-01-01,5,0";
    assert_int_equal(cf_policies_load(arena, cf_str_of(file), &good, &error), 0);
    assert_int_equal(good.n, 7);
    assert_int_equal(cf_policy_find(&good, CF_KIND_FIRST_ISSUE, day("2025-12-31"))->no, 0);
    assert_int_equal(cf_policy_find(&good, CF_KIND_FIRST_ISSUE, day("2026-01-01"))->no, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_of_the_tests_is_that_of_the_measures),
        cmocka_unit_test(nothing_is_found_where_nothing_is),
        cmocka_unit_test(lines_may_end_in_crlf),
        cmocka_unit_test(a_bad_file_is_refused_with_its_line),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
