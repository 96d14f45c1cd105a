#include "tests/unit/pure/vectors.h"

#include "common/pure/error.h"
#include "tests/unit/dies.h"

static void every_error_says_what_to_do(void **state)
{
    (void)state;
    static const struct {
        enum cf_error error;
        enum cf_class what;
    } rows[] = {
        {CF_E_OK,              CF_OK        },
        {CF_E_DECODE,          CF_DEADLETTER},
        {CF_E_WRONG_KEY,       CF_DEADLETTER},
        {CF_E_MISSING_HEADERS, CF_DEADLETTER},
        {CF_E_TOO_LARGE,       CF_DEADLETTER},
        {CF_E_VERSION,         CF_PARK      },
        {CF_E_ILLEGAL,         CF_PARK      },
        {CF_E_DATA,            CF_PARK      },
        {CF_E_DB,              CF_RETRY     },
        {CF_E_UNKNOWN,         CF_RETRY     },
        {CF_E_NET,             CF_RETRY     },
        {CF_E_FENCED,          CF_RELEASE   },
        {CF_E_GAP,             CF_FATAL     },
        {CF_E_BROKER,          CF_FATAL     },
        {CF_E_CONFIG,          CF_FATAL     },
        {CF_E_SQL,             CF_FATAL     },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(rows[i].error, i);
        assert_int_equal(cf_error_class(rows[i].error), rows[i].what);
        assert_true(strlen(cf_error_text(rows[i].error)) > 1);
    }
    assert_string_equal(cf_error_text(CF_E_FENCED), "another owner has this partition");
}

static void class_below(void)
{
    cf_error_class(-1);
}

static void class_above(void)
{
    cf_error_class(CF_E_SQL + 1);
}

static void text_below(void)
{
    cf_error_text(-1);
}

static void text_above(void)
{
    cf_error_text(CF_E_SQL + 1);
}

static void what_is_no_error_ends_the_process(void **state)
{
    (void)state;
    assert_true(dies(class_below, "no such error"));
    assert_true(dies(class_above, "no such error"));
    assert_true(dies(text_below, "no such error"));
    assert_true(dies(text_above, "no such error"));
}

static void bug(void)
{
    CF_BUG("twice the same number");
}

static void a_bug_says_where_and_why(void **state)
{
    (void)state;
    assert_true(dies(bug, "test_error.c:"));
    assert_true(dies(bug, ": twice the same number\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_says_what_to_do),
        cmocka_unit_test(what_is_no_error_ends_the_process),
        cmocka_unit_test(a_bug_says_where_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
