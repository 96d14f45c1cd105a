#include "tests/unit/pure/vectors.h"

#include "common/pure/calendar.h"
#include "tests/unit/days.h"

static struct cf_arena *arena;
static struct cf_calendar cal;

static int load(void **state)
{
    (void)state;
    struct cf_calendar_error error;
    struct cf_str csv = vectors_file("calendar.csv");
    arena = cf_arena_new(1 << 20);
    int e = cf_calendar_load(arena, csv, &cal, &error);
    /* The calendar keeps nothing of the bytes it was made from. */
    memset((void *)(uintptr_t)csv.ptr, 'x', csv.len);
    free((void *)(uintptr_t)csv.ptr);
    return e;
}

static int unload(void **state)
{
    (void)state;
    cf_arena_free(arena);
    return 0;
}

static void every_row_is_in_the_calendar(void **state)
{
    (void)state;
    struct vectors v = vectors_open("calendar.csv", 3);
    while (vectors_next(&v, 3)) {
        cf_day d = CF_DAY_NONE;
        CHECK(&v, cf_day_parse(v.f[0], &d), "date");
        bool makeup = cf_str_is(v.f[1], "makeup");
        CHECK(&v, cf_day_kind_of(&cal, d) == (makeup ? CF_DAY_MAKEUP : CF_DAY_HOLIDAY), "kind");
        CHECK(&v, cf_is_workday(&cal, d) == makeup, "worked");
        CHECK(&v, cf_str_eq(cf_day_name(&cal, d), v.f[2]), "name");
    }
    vectors_close(&v, 108);
    assert_int_equal(cal.n, 108);
    assert_int_equal(cal.coverage_from, day("2024-01-01"));
    assert_int_equal(cal.coverage_until, day("2026-12-31"));
}

/* The totals of the notices. */
static void years_have_their_number_of_working_days(void **state)
{
    (void)state;
    assert_int_equal(cf_workdays_between(&cal, day("2023-12-31"), day("2024-12-31")), 251);
    assert_int_equal(cf_workdays_between(&cal, day("2024-12-31"), day("2025-12-31")), 248);
    assert_int_equal(cf_workdays_between(&cal, day("2025-12-31"), day("2026-12-31")), 248);
    assert_int_equal(cf_workdays_between(&cal, day("2026-12-31"), day("2025-12-31")), -248);
    assert_int_equal(cf_workdays_between(&cal, day("2026-01-05"), day("2026-01-05")), 0);
    assert_int_equal(cf_day_kind_of(&cal, day("2027-01-02")), CF_DAY_WEEKEND);
    assert_int_equal(cf_day_name(&cal, day("2027-01-02")).len, 0);
    assert_int_equal(cf_last_workday_of_month(&cal, day("2026-02-01")), day("2026-02-28"));
    assert_int_equal(cf_last_workday_of_month(&cal, day("2025-12-31")), day("2025-12-31"));
    assert_int_equal(cf_last_workday_of_month(&cal, day("2026-05-31")), day("2026-05-29"));
}

static void adding_working_days_is_monotonic_and_can_be_undone(void **state)
{
    (void)state;
    for (cf_day start = cal.coverage_from; start < cal.coverage_until - 60; start++) {
        cf_day before = cf_add_workdays(&cal, start, 0);
        assert_true(before >= start && cf_is_workday(&cal, before));
        for (int n = 1; n <= 30; n++) {
            cf_day due = cf_add_workdays(&cal, start, n);
            /* Later with each day more, never earlier for a later start, and counted back. */
            assert_true(cf_is_workday(&cal, due));
            assert_true(due > start && (n == 1 || due > before));
            assert_true(cf_add_workdays(&cal, start + 1, n) >= due);
            assert_int_equal(cf_workdays_between(&cal, start, due), n);
            if (cf_is_workday(&cal, start)) assert_int_equal(cf_add_workdays(&cal, due, -n), start);
            before = due;
        }
    }
}

static void a_bad_calendar_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *why, *csv;
        unsigned line;
    } rows[] = {
        {"empty",               "",                                                               0},
        {"header only",         "date,kind,name\n",                                               1},
        {"other header",        "day,kind,name\n2026-01-01,holiday,x\n",                          1},
        {"no such date",        "date,kind,name\n2026-02-29,holiday,x\n",                         2},
        {"other kind",          "date,kind,name\n2026-01-01,free,x\n",                            2},
        {"no name",             "date,kind,name\n2026-01-01,holiday\n",                           2},
        {"four fields",         "date,kind,name\n2026-01-01,holiday,x,y\n",                       2},
        {"not ascending",       "date,kind,name\n2026-01-02,holiday,x\n\n2026-01-01,holiday,x\n", 4},
        {"twice",               "date,kind,name\r\n2026-01-02,holiday,x\r\n2026-01-02,holiday,x", 3},
        {"not UTF-8",           "date,kind,name\n2026-01-01,holiday,\xFF\n",                      2},
        {"a year left out",     "date,kind,name\n2024-01-01,holiday,x\n2026-01-01,holiday,x\n",   3},
        {"make-up on a Monday", "date,kind,name\n2026-01-05,makeup,x\n",                          2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_calendar none = {0};
        struct cf_calendar_error error;
        int e = cf_calendar_load(arena, cf_str_of(rows[i].csv), &none, &error);
        if (e != CF_E_CONFIG || !error.why || error.line != rows[i].line || none.n)
            fail_msg("%s: %d, line %u, %s", rows[i].why, e, error.line, error.why);
    }
    struct cf_calendar one = {0};
    struct cf_calendar_error error;
    const char *good = "\xEF\xBB\xBF"
                       "date,kind,name\r\n2026-01-01,holiday,x\r\n";
    assert_int_equal(cf_calendar_load(arena, cf_str_of(good), &one, &error), 0);
    assert_int_equal(one.n, 1);
    assert_null(error.why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_in_the_calendar),
        cmocka_unit_test(years_have_their_number_of_working_days),
        cmocka_unit_test(adding_working_days_is_monotonic_and_can_be_undone),
        cmocka_unit_test(a_bad_calendar_is_refused_with_its_line),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
