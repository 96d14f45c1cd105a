/* A text of which more will come: no record is taken before it is known where it ends. */
#include "tests/unit/pure/vectors.h"

#include "common/pure/csv.h"

static struct cf_arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = cf_arena_new(1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cf_arena_free(arena);
    return 0;
}

static void a_record_that_may_go_on_is_not_taken_yet(void **state)
{
    (void)state;
    static const struct {
        const char *why, *text;
        bool taken;
    } rows[] = {
        {"nothing has come",                "",             false},
        {"a field that may go on",          "a,b",          false},
        {"a line end that may be CRLF",     "a,b\r",        false},
        {"a delimiter at the end",          "a,",           false},
        {"a quote that is not closed",      "a,\"b\n",      false},
        {"a closing quote, or a double",    "a,\"b\"",      false},
        {"a quoted field before a CR",      "a,\"b\"\r",    false},
        {"a whole line",                    "a,b\n",        true },
        {"a whole line of CRLF",            "a,b\r\n",      true },
        {"a quoted field in a whole line",  "a,\"b\nc\"\n", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_csv csv = cf_csv_of(cf_str_of(rows[i].text));
        struct cf_csv_record r;
        const char *from = csv.at;
        csv.open = true;
        bool taken = cf_csv_next(&csv, arena, &r);
        if (taken != rows[i].taken || csv.starved == taken) fail_msg("%s", rows[i].why);
        if (!taken) assert_ptr_equal(csv.at, from);
        if (taken) assert_int_equal(r.n, 2);
        if (taken) continue;
        /* The same text, and nothing follows. */
        csv.open = false;
        assert_int_equal(cf_csv_next(&csv, arena, &r), rows[i].text[0] != 0);
        assert_false(csv.starved);
    }
}

/* Longer than a field may be: it is broken, and nobody waits for the rest of it. */
static void a_quoted_field_that_is_too_long_is_broken_whatever_follows(void **state)
{
    (void)state;
    static char text[CF_CSV_FIELD_MAX + 16];
    for (int more = 0; more < 3; more++) {
        size_t n = CF_CSV_FIELD_MAX + (size_t)more;
        text[0] = '"';
        memset(text + 1, 'x', n);
        struct cf_csv_record r;
        struct cf_csv csv = cf_csv_of((struct cf_str){text, n + 1});
        assert_true(cf_csv_next(&csv, arena, &r));
        assert_true(r.broken);
        assert_int_equal(r.line, 1);
        assert_false(cf_csv_next(&csv, arena, &r));
    }
    memcpy(text + CF_CSV_FIELD_MAX + 2, "\na,b\n", 5);
    struct cf_csv csv = cf_csv_of((struct cf_str){text, CF_CSV_FIELD_MAX + 7});
    struct cf_csv_record r;
    csv.open = true;
    assert_true(cf_csv_next(&csv, arena, &r));
    assert_true(r.broken);
    assert_true(cf_csv_next(&csv, arena, &r));
    assert_false(r.broken);
    assert_int_equal(r.n, 2);
    assert_int_equal(r.line, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_may_go_on_is_not_taken_yet),
        cmocka_unit_test(a_quoted_field_that_is_too_long_is_broken_whatever_follows),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
