#include "tests/unit/pure/vectors.h"

#include "common/pure/deadline.h"
#include "tests/unit/policies.h"
#include "tests/unit/days.h"

static struct cf_arena *arena;
static struct cf_calendar cal;
static const struct cf_policies *policies;

static int load(void **state)
{
    (void)state;
    struct cf_calendar_error error;
    struct cf_str csv = vectors_file("calendar.csv");
    arena = cf_arena_new(16 << 20);
    int e = cf_calendar_load(arena, csv, &cal, &error);
    free((void *)(uintptr_t)csv.ptr);
    policies = test_policies(arena);
    return e;
}

static int unload(void **state)
{
    (void)state;
    cf_arena_free(arena);
    return 0;
}

static void every_due_date_is_that_of_the_vectors(void **state)
{
    (void)state;
    struct vectors v = vectors_open("deadline_vectors.csv", 4);
    while (vectors_next(&v, 4)) {
        cf_day start = CF_DAY_NONE;
        char due[11];
        CHECK(&v, cf_day_parse(v.f[0], &start), "start");
        int n = (int)strtol(v.f[1].ptr, NULL, 10);
        cf_day_text(cf_add_workdays(&cal, start, n), due);
        CHECK(&v, cf_str_is(v.f[2], due), "got %s", due);
        enum cf_app_kind kind = n == 0 ? CF_KIND_TEMPORARY : CF_KIND_FIRST_ISSUE;
        struct cf_deadline d = cf_deadline_compute(&cal, policies, kind, start);
        if (n > 7) cf_deadline_extend(&cal, &d, n, &d);
        CHECK(&v, d.working_days == n || (n > 0 && n < 7), "policy gives %d", d.working_days);
        if (d.working_days == n)
            CHECK(&v, cf_str_is(v.f[2], cf_day_text(d.due_on, due)), "%s", due);
    }
    vectors_close(&v, 60);
}

static void the_policy_in_force_on_the_acceptance_day_counts(void **state)
{
    (void)state;
    static const struct {
        enum cf_app_kind kind;
        const char *accepted_on, *policy;
        int working_days;
    } rows[] = {
        {CF_KIND_FIRST_ISSUE,        "2015-08-31", NULL,                      0 },
        {CF_KIND_FIRST_ISSUE,        "2015-09-01", "first_issue_2015",        30},
        {CF_KIND_FIRST_ISSUE,        "2018-01-31", "first_issue_2015",        30},
        {CF_KIND_FIRST_ISSUE,        "2018-02-01", "first_issue_2018",        7 },
        {CF_KIND_LOSS_REPLACEMENT,   "2026-03-31", "loss_replacement_2015",   7 },
        {CF_KIND_DAMAGE_REPLACEMENT, "2026-03-31", "damage_replacement_2015", 7 },
        {CF_KIND_PHOTO_SWAP,         "2026-03-31", "photo_swap_2015",         7 },
        {CF_KIND_REISSUE,            "2026-03-31", "reissue_2015",            7 },
        {CF_KIND_TEMPORARY,          "2026-03-31", "temporary_2015",          0 },
        {CF_KIND_NONE,               "2026-03-31", NULL,                      0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_deadline d = cf_deadline_compute(&cal, policies, rows[i].kind, day(rows[i].accepted_on));
        const char *id = d.policy ? d.policy->id : "none";
        if (strcmp(id, rows[i].policy ? rows[i].policy : "none") != 0 ||
            d.working_days != rows[i].working_days)
            fail_msg("%s %s: %s", cf_app_kind_name(rows[i].kind), rows[i].accepted_on, id);
        assert_int_equal(d.due_on == CF_DAY_NONE, d.policy == NULL);
    }
}

static void marks_stand_before_and_after_the_due_date(void **state)
{
    (void)state;
    struct cf_deadline d = cf_deadline_compute(&cal, policies, CF_KIND_FIRST_ISSUE, day("2026-09-24"));
    assert_int_equal(d.due_on, day("2026-10-12"));
    assert_int_equal(d.warn_on, day("2026-10-09"));
    assert_int_equal(d.overdue_on, day("2026-10-13"));
    cf_deadline_set_warn(&cal, &d, 5);
    assert_int_equal(d.warn_on, day("2026-09-29"));
    cf_deadline_set_warn(&cal, &d, 50);
    assert_int_equal(d.warn_on, d.accepted_on);
    cf_deadline_set_warn(&cal, &d, 0);
    assert_int_equal(d.warn_on, CF_DAY_NONE);
    d = cf_deadline_compute(&cal, policies, CF_KIND_TEMPORARY, day("2026-02-15"));
    assert_int_equal(d.due_on, day("2026-02-24"));
    assert_int_equal(d.warn_on, CF_DAY_NONE);
}

static void past_the_calendar_a_date_is_provisional(void **state)
{
    (void)state;
    struct cf_deadline d = cf_deadline_compute(&cal, policies, CF_KIND_FIRST_ISSUE, day("2026-12-22"));
    assert_int_equal(d.due_on, day("2026-12-31"));
    assert_false(d.provisional);
    d = cf_deadline_compute(&cal, policies, CF_KIND_FIRST_ISSUE, day("2026-12-23"));
    assert_true(d.provisional);
    d = cf_deadline_compute(&cal, policies, CF_KIND_FIRST_ISSUE, day("2023-12-25"));
    assert_true(d.provisional);
}

static void an_extension_goes_to_thirty_days_in_all_and_no_further(void **state)
{
    (void)state;
    struct cf_deadline first = cf_deadline_compute(&cal, policies, CF_KIND_FIRST_ISSUE, day("2026-01-05"));
    struct cf_deadline out = {0};
    assert_false(cf_deadline_extend(&cal, &first, 31, &out));
    assert_false(cf_deadline_extend(&cal, &first, 7, &out));
    assert_null(out.policy);
    assert_true(cf_deadline_extend(&cal, &first, 30, &out));
    assert_int_equal(out.due_on, day("2026-02-14"));
    assert_ptr_equal(out.policy, first.policy);
    struct cf_deadline loss =
        cf_deadline_compute(&cal, policies, CF_KIND_LOSS_REPLACEMENT, day("2026-01-05"));
    assert_false(cf_deadline_extend(&cal, &loss, 8, &out));
    struct cf_deadline old = cf_deadline_compute(&cal, policies, CF_KIND_FIRST_ISSUE, day("2016-01-05"));
    assert_false(cf_deadline_extend(&cal, &old, 31, &out));
}

/* The date that was told may be another than is computed now; a wrong one has no days. */
static void an_extension_is_kept_when_days_are_counted_again(void **state)
{
    (void)state;
    const cf_day accepted = cf_day_of_date(2026, 3, 2);
    static const struct {
        enum cf_app_kind kind;
        int extended_to, want;
    } rows[] = {
        {CF_KIND_FIRST_ISSUE,      0,  7 },
        {CF_KIND_FIRST_ISSUE,      5,  7 },
        {CF_KIND_FIRST_ISSUE,      12, 12},
        {CF_KIND_LOSS_REPLACEMENT, 9,  9 }, /* given by a policy that allowed it */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_deadline d =
            cf_deadline_recount(&cal, policies, rows[i].kind, accepted, rows[i].extended_to);
        assert_int_equal(d.working_days, rows[i].want);
        assert_int_equal(d.due_on, cf_add_workdays(&cal, accepted, rows[i].want));
    }
    assert_null(cf_deadline_recount(&cal, policies, CF_KIND_FIRST_ISSUE, 0, 9).policy);
}

static void a_due_date_before_its_beginning_has_no_days(void **state)
{
    (void)state;
    struct cf_deadline d = cf_deadline_compute(&cal, policies, CF_KIND_FIRST_ISSUE, day("2026-02-13"));
    d.due_on = d.accepted_on - 3;
    struct cf_explanation e = cf_deadline_explain(&cal, &d, arena);
    assert_int_equal(e.counted_n + e.skipped_n, 0);
}

/* 2026-02-13, seven working days over the Spring Festival. */
static void a_deadline_explains_every_day(void **state)
{
    (void)state;
    struct cf_deadline d = cf_deadline_compute(&cal, policies, CF_KIND_FIRST_ISSUE, day("2026-02-13"));
    struct cf_explanation e = cf_deadline_explain(&cal, &d, arena);
    static const char *const counted[] = {"2026-02-14", "2026-02-24", "2026-02-25", "2026-02-26",
                                          "2026-02-27", "2026-02-28", "2026-03-02"};
    assert_int_equal(e.counted_n, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(e.counted[i].day, day(counted[i]));
        assert_int_equal(e.counted[i].n, i + 1);
    }
    assert_int_equal(e.skipped_n, 10);
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(e.skipped[i].kind, CF_DAY_HOLIDAY);
        assert_true(cf_str_is(e.skipped[i].name, "春节"));
    }
    assert_int_equal(e.skipped[9].day, day("2026-03-01"));
    assert_int_equal(e.skipped[9].kind, CF_DAY_WEEKEND);
    assert_int_equal(e.skipped[9].name.len, 0);
}

static void counted_and_skipped_days_fill_the_time_without_gaps(void **state)
{
    (void)state;
    for (cf_day start = cal.coverage_from; start <= cal.coverage_until; start++) {
        for (int kind = CF_KIND_FIRST_ISSUE; kind < CF_KIND_COUNT; kind++) {
            struct cf_deadline d = cf_deadline_compute(&cal, policies, (enum cf_app_kind)kind, start);
            struct cf_explanation e = cf_deadline_explain(&cal, &d, arena);
            assert_int_equal(e.counted_n, d.working_days);
            assert_int_equal(e.counted_n + e.skipped_n, d.due_on - start);
            if (d.working_days) assert_int_equal(e.counted[e.counted_n - 1].day, d.due_on);
            if (d.working_days) assert_true(d.warn_on < d.due_on && d.warn_on >= start);
        }
    }
}

static void without_a_policy_there_is_nothing_to_explain(void **state)
{
    (void)state;
    struct cf_deadline d = cf_deadline_compute(&cal, policies, CF_KIND_FIRST_ISSUE, day("2010-01-05"));
    struct cf_explanation e = cf_deadline_explain(&cal, &d, arena);
    assert_int_equal(e.counted_n + e.skipped_n, 0);
    cf_deadline_set_warn(&cal, &d, 2);
    assert_int_equal(d.warn_on, CF_DAY_NONE);
    assert_false(cf_deadline_extend(&cal, &d, 30, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_due_date_is_that_of_the_vectors),
        cmocka_unit_test(the_policy_in_force_on_the_acceptance_day_counts),
        cmocka_unit_test(marks_stand_before_and_after_the_due_date),
        cmocka_unit_test(past_the_calendar_a_date_is_provisional),
        cmocka_unit_test(an_extension_goes_to_thirty_days_in_all_and_no_further),
        cmocka_unit_test(an_extension_is_kept_when_days_are_counted_again),
        cmocka_unit_test(a_due_date_before_its_beginning_has_no_days),
        cmocka_unit_test(a_deadline_explains_every_day),
        cmocka_unit_test(counted_and_skipped_days_fill_the_time_without_gaps),
        cmocka_unit_test(without_a_policy_there_is_nothing_to_explain),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
