#include "tests/unit/pure/vectors.h"

#include <time.h>

#include "common/pure/date.h"
#include "tests/unit/dies.h"

static void days_and_dates_agree_with_the_c_library(void **state)
{
    (void)state;
    cf_day last = cf_day_of_date(9999, 12, 31);
    int weekday = (int)cf_weekday_of(cf_day_of_date(1, 1, 1));
    for (cf_day day = cf_day_of_date(1, 1, 1); day <= last; day++) {
        struct cf_date d = cf_date_of_day(day);
        if (cf_day_of_date(d.year, d.month, d.day) != day) fail_msg("day %d", day);
        if ((int)cf_weekday_of(day) != weekday) fail_msg("weekday of day %d", day);
        weekday = weekday % 7 + 1;
        if (day % 97) continue;
        struct tm tm;
        time_t t = (time_t)day * 86400;
        assert_non_null(gmtime_r(&t, &tm));
        if (tm.tm_year + 1900 != d.year || tm.tm_mon + 1 != d.month || tm.tm_mday != d.day)
            fail_msg("day %d is %d-%d-%d", day, d.year, d.month, d.day);
        if ((tm.tm_wday + 6) % 7 + 1 != (int)cf_weekday_of(day)) fail_msg("weekday %d", day);
    }
    assert_int_equal(cf_day_of_date(1970, 1, 1), 0);
    assert_int_equal(cf_weekday_of(0), CF_THURSDAY);
}

static void a_text_is_a_date_or_it_is_not(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "2026-3-31",  "2026-02-29",  "2026-13-01", "2026-00-10", "2026-04-31",
        "0000-01-01", "2026/03/31", "2026-03-31 ", "+026-03-31", "2026-03-3x", "1900-02-29"};
    cf_day day = 7;
    char text[24];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (cf_day_parse(cf_str_of(bad[i]), &day)) fail_msg("%s is taken", bad[i]);
    assert_int_equal(day, 7);
    assert_true(cf_day_parse(CF_STR("2024-02-29"), &day));
    assert_string_equal(cf_day_text(day, text), "2024-02-29");
    assert_string_equal(cf_day_text_zh(day + 7, text), "2024年3月7日");
    assert_string_equal(cf_day_text_zh(cf_day_of_date(2026, 12, 31), text), "2026年12月31日");
    assert_string_equal(cf_day_text(CF_DAY_NONE, text), "");
    assert_string_equal(cf_day_text_zh(CF_DAY_NONE, text), "");
}

static void days_beyond_the_calendar_are_its_first_and_last(void **state)
{
    (void)state;
    struct cf_date first = cf_date_of_day(INT32_MIN), last = cf_date_of_day(INT32_MAX);
    assert_true(first.year == 1 && first.month == 1 && first.day == 1);
    assert_true(last.year == 9999 && last.month == 12 && last.day == 31);
    assert_true(cf_date_real(9999, 12, 31));
    assert_false(cf_date_real(10000, 1, 1));
}

static void no_such_date(void)
{
    cf_day_of_date(2026, 2, 29);
}

static void a_day_is_made_of_real_dates_only(void **state)
{
    (void)state;
    assert_true(dies(no_such_date, "no such date"));
}

static void the_day_begins_at_midnight_in_shanghai(void **state)
{
    (void)state;
    cf_ms midnight = cf_ms_of_day(cf_day_of_date(2026, 3, 31));
    assert_int_equal(midnight, INT64_C(1774886400000)); /* 2026-03-30T16:00:00Z */
    assert_int_equal(cf_day_of_ms(midnight), cf_day_of_date(2026, 3, 31));
    assert_int_equal(cf_day_of_ms(midnight - 1), cf_day_of_date(2026, 3, 30));
    assert_int_equal(cf_minute_of_ms(midnight), 0);
    assert_int_equal(cf_minute_of_ms(midnight - 1), 1439);
    assert_int_equal(cf_day_of_ms(-CF_SHANGHAI_OFFSET_MS), 0);
    assert_int_equal(cf_day_of_ms(-CF_SHANGHAI_OFFSET_MS - 1), -1);
}

static void times_are_read_with_any_offset(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want; /* want NULL: refused */
    } rows[] = {
        {"2026-03-31T08:30:00+08:00",         "2026-03-31T08:30:00+08:00"    },
        {"2026-03-31T00:30:00Z",              "2026-03-31T08:30:00+08:00"    },
        {"2026-03-31t00:30:00z",              "2026-03-31T08:30:00+08:00"    },
        {"2026-03-30T19:30:00-05:00",         "2026-03-31T08:30:00+08:00"    },
        {"2026-03-31T08:30:00.5+08:00",       "2026-03-31T08:30:00.500+08:00"},
        {"2026-03-31T08:30:00.1239999+08:00", "2026-03-31T08:30:00.123+08:00"},
        {"2026-12-31T23:59:60+08:00",         "2027-01-01T00:00:00+08:00"    },
        {"1969-12-31T16:00:00Z",              "1970-01-01T00:00:00+08:00"    },
        {"2026-03-31T08:30:00",               NULL                           },
        {"2026-03-31 08:30:00Z",              NULL                           },
        {"2026-03-31T24:00:00Z",              NULL                           },
        {"2026-03-31T08:60:00Z",              NULL                           },
        {"2026-03-31T08:30:61Z",              NULL                           },
        {"2026-02-29T08:30:00Z",              NULL                           },
        {"2026-03-31T08:30:00.Z",             NULL                           },
        {"2026-03-31T08:30:00+0800",          NULL                           },
        {"2026-03-31T08:30:00+24:00",         NULL                           },
        {"2026-03-31T08:30:00ZZ",             NULL                           },
        {"2026-03-31T08:30:00Y",              NULL                           },
        {"2026-03-31T08:30:0.1Z",             NULL                           },
        {"2026-03-31T08:30:00.123456789",     NULL                           },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cf_ms ms = 7;
        char out[30];
        bool taken = cf_rfc3339_parse(cf_str_of(rows[i].text), &ms);
        if (taken != (rows[i].want != NULL)) fail_msg("%s: %d", rows[i].text, taken);
        if (!taken) assert_int_equal(ms, 7);
        if (taken && strcmp(cf_rfc3339_text(ms, out), rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].text, out);
    }
}

static void age_counts_birthdays(void **state)
{
    (void)state;
    cf_day birth = cf_day_of_date(2010, 4, 1), leap = cf_day_of_date(2008, 2, 29);
    assert_int_equal(cf_age_on(birth, cf_day_of_date(2026, 3, 31)), 15);
    assert_int_equal(cf_age_on(birth, cf_day_of_date(2026, 4, 1)), 16);
    assert_int_equal(cf_age_on(leap, cf_day_of_date(2026, 2, 28)), 17);
    assert_int_equal(cf_age_on(leap, cf_day_of_date(2026, 3, 1)), 18);
    assert_int_equal(cf_age_on(birth, birth), 0);
    assert_true(cf_age_on(birth, birth - 1) < 0);
}

/* The day before it one is a year younger; leap days and years without one among them. */
static void a_birthday_is_the_first_day_of_an_age(void **state)
{
    (void)state;
    for (cf_day birth = cf_day_of_date(1900, 1, 1); birth < cf_day_of_date(2090, 1, 1); birth += 13)
        for (int age = 0; age <= 18; age += 2) {
            cf_day day = cf_birthday(birth, age);
            assert_int_equal(cf_age_on(birth, day), age);
            assert_int_equal(cf_age_on(birth, day - 1), age - 1);
        }
    assert_int_equal(cf_birthday(cf_day_of_date(2084, 2, 29), 16), cf_day_of_date(2100, 3, 1));
    assert_int_equal(cf_birthday(cf_day_of_date(2008, 2, 29), 16), cf_day_of_date(2024, 2, 29));
    cf_day last = cf_day_of_date(9999, 12, 31);
    assert_int_equal(cf_birthday(cf_day_of_date(9983, 12, 31), 16), last);
    assert_int_equal(cf_birthday(cf_day_of_date(9984, 1, 1), 16), last);
    assert_int_equal(cf_birthday(cf_day_of_date(9984, 2, 29), 18), last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_and_dates_agree_with_the_c_library),
        cmocka_unit_test(a_text_is_a_date_or_it_is_not),
        cmocka_unit_test(days_beyond_the_calendar_are_its_first_and_last),
        cmocka_unit_test(a_day_is_made_of_real_dates_only),
        cmocka_unit_test(the_day_begins_at_midnight_in_shanghai),
        cmocka_unit_test(times_are_read_with_any_offset),
        cmocka_unit_test(age_counts_birthdays),
        cmocka_unit_test(a_birthday_is_the_first_day_of_an_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
