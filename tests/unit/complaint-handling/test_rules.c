/* Work orders: every edge and every pair without one; deadlines; what is refused and why. */
#include "services/complaint-handling/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/unit/days.h"

static struct cf_arena *arena;
static struct cf_calendar calendar;

static int begin(void **state)
{
    (void)state;
    struct cf_calendar_error wrong;
    arena = cf_arena_new((size_t)16 << 20);
    FILE *f = fopen(TEST_DATA "/calendar.csv", "rb");
    if (!f) return -1;
    char *text = cf_arena_alloc(arena, 1 << 20);
    size_t n = fread(text, 1, 1 << 20, f);
    fclose(f);
    return cf_calendar_load(arena, (struct cf_str){text, n}, &calendar, &wrong);
}

static int end(void **state)
{
    (void)state;
    cf_arena_free(arena);
    return 0;
}

static cf_ms noon(const char *text)
{
    return cf_ms_of_day(day(text)) + CF_MS_PER_DAY / 2;
}

/* ---- the machine --------------------------------------------------------------------------- */

static void every_pair_is_an_edge_or_illegal(void **state)
{
    (void)state;
    size_t n, found = 0;
    const struct complaint_edge *edges = complaint_edges(&n);
    for (int from = 0; from < COMPLAINT_STATE_COUNT; from++)
        for (int on = 1; on < COMPLAINT_EVENT_COUNT; on++) {
            enum complaint_state to = COMPLAINT_STATE_COUNT, want = COMPLAINT_STATE_COUNT;
            int times = 0;
            for (size_t i = 0; i < n; i++)
                if ((int)edges[i].from == from && (int)edges[i].on == on) {
                    want = edges[i].to;
                    times++;
                }
            assert_in_range(times, 0, 1);
            bool legal = complaint_next((enum complaint_state)from, (enum complaint_event)on, &to);
            assert_int_equal(legal, times == 1);
            assert_int_equal(to, want);
            found += legal;
        }
    assert_int_equal(found, n);
}

/* The domain reference's edges, written down apart from the table. One column an event: open,
 * route, auto_reply, accept, return, reply, revisit, reopen, withdraw, decide, give_back, silent. A
 * letter is the state that follows, its own state "already done", a dot illegal. */
static void the_edges_are_those_of_the_domain(void **state)
{
    (void)state;
    static const enum complaint_event columns[] = {
        COMPLAINT_ON_OPEN,    COMPLAINT_ON_ROUTE,   COMPLAINT_ON_AUTO_REPLY, COMPLAINT_ON_ACCEPT,
        COMPLAINT_ON_RETURN,  COMPLAINT_ON_REPLY,   COMPLAINT_ON_REVISIT,    COMPLAINT_ON_REOPEN,
        COMPLAINT_ON_WITHDRAW, COMPLAINT_ON_DECIDE, COMPLAINT_ON_GIVE_BACK,  COMPLAINT_ON_SILENT};
    static const struct {
        enum complaint_state from;
        char letter;
        const char *to;
    } want[] = {
        {COMPLAINT_NONE,        '-', "v..........."},
        {COMPLAINT_RECEIVED,    'v', ".ra.....w..."},
        {COMPLAINT_ROUTED,      'r', ".r.pt...w..."},
        {COMPLAINT_IN_PROGRESS, 'p', "...p.a..wa.."},
        {COMPLAINT_RETURNED,    't', ".r..t...w.c."},
        {COMPLAINT_REPLIED,     'a', ".....acowa.c"},
        {COMPLAINT_REOPENED,    'o', "...p...ow..."},
        {COMPLAINT_CLOSED,      'c', "......c...c."},
        {COMPLAINT_WITHDRAWN,   'w', "........w..."},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            enum complaint_state to = COMPLAINT_NONE;
            char got = '.';
            if (complaint_next(want[i].from, columns[c], &to))
                for (size_t k = 0; k < sizeof want / sizeof *want; k++)
                    if (want[k].from == to) got = want[k].letter;
            if (got != want[i].to[c])
                fail_msg("%s on %s: %c, want %c", complaint_state_name(want[i].from),
                         complaint_event_name(columns[c]), got, want[i].to[c]);
        }
    }
}

static void what_does_not_move_an_order_leaves_it_as_it_is(void **state)
{
    (void)state;
    struct complaint_facts f = {.state = COMPLAINT_ROUTED, .owner = CF_STR("desk"), .routed_at = 1};
    struct complaint_facts before = f;
    assert_false(complaint_move(&calendar, &f, COMPLAINT_ON_SILENT, CF_STR("b"), 7));
    assert_false(complaint_move(&calendar, &f, COMPLAINT_ON_ROUTE, CF_STR("b"), 7));
    assert_memory_equal(&f, &before, sizeof f);
}

static void what_is_closed_or_withdrawn_stays_so(void **state)
{
    (void)state;
    static const enum complaint_state ends[] = {COMPLAINT_CLOSED, COMPLAINT_WITHDRAWN};
    for (size_t i = 0; i < 2; i++)
        for (int on = 1; on < COMPLAINT_EVENT_COUNT; on++) {
            enum complaint_state to = ends[i];
            complaint_next(ends[i], (enum complaint_event)on, &to);
            assert_int_equal(to, ends[i]);
        }
}

static void any_open_order_can_be_withdrawn(void **state)
{
    (void)state;
    for (int from = COMPLAINT_RECEIVED; from < COMPLAINT_STATE_COUNT; from++) {
        enum complaint_state to = COMPLAINT_NONE;
        bool can = complaint_next((enum complaint_state)from, COMPLAINT_ON_WITHDRAW, &to);
        bool moves = can && to != (enum complaint_state)from;
        assert_int_equal(moves, complaint_state_is_open((enum complaint_state)from));
    }
}

static void names_are_read_as_they_are_written(void **state)
{
    (void)state;
    for (int i = 1; i < COMPLAINT_KIND_COUNT; i++)
        assert_int_equal(
            complaint_kind_parse(cf_str_of(complaint_kind_name((enum complaint_kind)i))), i);
    assert_int_equal(complaint_kind_parse(CF_STR("wish")), COMPLAINT_KIND_NONE);
    assert_int_equal(complaint_action_parse(CF_STR("reopen")), COMPLAINT_ON_REOPEN);
    /* Nobody outside may say these. */
    assert_int_equal(complaint_action_parse(CF_STR("auto_reply")), COMPLAINT_ON_NONE);
    assert_int_equal(complaint_action_parse(CF_STR("open")), COMPLAINT_ON_NONE);
    assert_int_equal(complaint_action_parse(CF_STR("silent")), COMPLAINT_ON_NONE);
    assert_int_equal(complaint_action_parse(CF_STR("")), COMPLAINT_ON_NONE);
    assert_string_equal(complaint_state_name(COMPLAINT_IN_PROGRESS), "in_progress");
    assert_string_equal(complaint_mark_name(COMPLAINT_MARK_RED), "red");
    assert_string_equal(complaint_result_name(COMPLAINT_ALREADY), "already");
    for (int i = COMPLAINT_RECEIVED; i < COMPLAINT_STATE_COUNT; i++)
        for (unsigned lang = CF_LANG_ZH; lang < CF_LANG_COUNT; lang++)
            assert_true(
                complaint_state_label((enum complaint_state)i, (enum cf_lang)lang)[0] != '\0');
    assert_string_not_equal(complaint_state_label(COMPLAINT_CLOSED, CF_LANG_ZH),
                            complaint_state_label(COMPLAINT_CLOSED, CF_LANG_EN));
}

/* ---- deadlines ------------------------------------------------------------------------------ */

static struct complaint_facts opened(const char *dispatched)
{
    struct complaint_facts f = {.kind = COMPLAINT_KIND_COMPLAINT,
                                .dispatched_at = noon(dispatched)};
    assert_true(complaint_move(&calendar, &f, COMPLAINT_ON_OPEN, CF_STR(""), noon(dispatched)));
    assert_true(
        complaint_move(&calendar, &f, COMPLAINT_ON_ROUTE, CF_STR("desk"), noon(dispatched)));
    return f;
}

static void five_working_days_from_the_dispatch(void **state)
{
    (void)state;
    static const struct {
        const char *why, *dispatched, *due;
    } rows[] = {
        {"a plain week",              "2026-03-09", "2026-03-16"},
        {"on a Friday",               "2026-03-13", "2026-03-20"},
        {"on a Saturday",             "2026-03-14", "2026-03-20"},
        {"over Spring Festival 2026", "2026-02-13", "2026-02-27"},
        {"over National Day 2025",    "2025-09-28", "2025-10-11"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("  %s\n", rows[i].why);
        struct complaint_facts f = opened(rows[i].dispatched);
        cf_day by_hand = day(rows[i].dispatched);
        for (int left = COMPLAINT_DAYS; left;)
            if (cf_is_workday(&calendar, ++by_hand)) left--;
        assert_int_equal(f.due_on, by_hand);
        assert_int_equal(f.due_on, day(rows[i].due));
    }
}

static void marks_come_a_day_before_and_the_day_after(void **state)
{
    (void)state;
    struct complaint_facts f = opened("2026-03-09"); /* due on Monday the 16th */
    enum complaint_mark mark = COMPLAINT_MARK_NONE;
    assert_int_equal(complaint_next_due(&calendar, &f), cf_ms_of_day(day("2026-03-13")));
    assert_int_equal(complaint_due_now(&calendar, &f, noon("2026-03-12"), &mark),
                     COMPLAINT_ON_NONE);
    assert_int_equal(complaint_due_now(&calendar, &f, noon("2026-03-13"), &mark),
                     COMPLAINT_ON_MARK);
    assert_int_equal(mark, COMPLAINT_MARK_YELLOW);
    f.mark = mark;
    assert_int_equal(complaint_next_due(&calendar, &f), cf_ms_of_day(day("2026-03-17")));
    assert_int_equal(complaint_due_now(&calendar, &f, noon("2026-03-16"), &mark),
                     COMPLAINT_ON_NONE); /* the due date itself is in time */
    assert_int_equal(complaint_due_now(&calendar, &f, noon("2026-03-17"), &mark),
                     COMPLAINT_ON_MARK);
    assert_int_equal(mark, COMPLAINT_MARK_RED);
    f.mark = mark;
    assert_int_equal(complaint_next_due(&calendar, &f), 0);
    f.mark = COMPLAINT_MARK_NONE; /* loaded late: red at once */
    complaint_due_now(&calendar, &f, noon("2026-04-01"), &mark);
    assert_int_equal(mark, COMPLAINT_MARK_RED);
    f.state = COMPLAINT_CLOSED; /* the clock stands */
    assert_int_equal(complaint_due_now(&calendar, &f, noon("2026-04-01"), &mark),
                     COMPLAINT_ON_NONE);
}

static void silence_closes_after_five_working_days(void **state)
{
    (void)state;
    struct complaint_facts f = opened("2026-03-09");
    enum complaint_mark mark = COMPLAINT_MARK_NONE;
    complaint_move(&calendar, &f, COMPLAINT_ON_ACCEPT, CF_STR(""), noon("2026-03-10"));
    complaint_move(&calendar, &f, COMPLAINT_ON_REPLY, CF_STR(""), noon("2026-03-11"));
    assert_int_equal(complaint_due_now(&calendar, &f, noon("2026-03-18"), &mark),
                     COMPLAINT_ON_NONE); /* the fifth day */
    assert_int_equal(complaint_due_now(&calendar, &f, noon("2026-03-19"), &mark),
                     COMPLAINT_ON_SILENT);
    complaint_move(&calendar, &f, COMPLAINT_ON_SILENT, CF_STR(""), noon("2026-03-19"));
    assert_int_equal(f.state, COMPLAINT_CLOSED);
    assert_int_equal(complaint_next_due(&calendar, &f), 0);
}

/* ---- actions -------------------------------------------------------------------------------- */

struct tried {
    const char *why, *at;
    struct complaint_action action;
    enum complaint_result want;
    const char *reason;
    enum complaint_state state;
};

static void try_all(struct complaint_facts *f, const struct tried *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *reason = NULL;
        print_message("  %s\n", rows[i].why);
        struct complaint_facts before = *f;
        enum complaint_result r =
            complaint_act(&calendar, f, &rows[i].action, noon(rows[i].at), &reason);
        assert_int_equal(r, rows[i].want);
        assert_string_equal(reason ? reason : "", rows[i].reason);
        assert_int_equal(f->state, rows[i].state);
        if (r != COMPLAINT_DONE) assert_memory_equal(&before, f, sizeof before);
    }
}
#define TRY(facts, ...)                                                                            \
    do {                                                                                           \
        const struct tried rows_[] = {__VA_ARGS__};                                                \
        try_all(facts, rows_, sizeof rows_ / sizeof *rows_);                                       \
    } while (0)

static void an_order_goes_its_way(void **state)
{
    (void)state;
    struct complaint_facts f = opened("2026-03-09");
    TRY(&f,
        {
            "a reply before it was accepted",
            "2026-03-09",
            {.what = COMPLAINT_ON_REPLY, .has_text = true},
            COMPLAINT_REFUSED,
            "illegal_in_state",
            COMPLAINT_ROUTED
    },
        {"accept",
         "2026-03-09",
         {.what = COMPLAINT_ON_ACCEPT},
         COMPLAINT_DONE,
         "",
         COMPLAINT_IN_PROGRESS},
        {"accept again",
         "2026-03-09",
         {.what = COMPLAINT_ON_ACCEPT},
         COMPLAINT_ALREADY,
         "",
         COMPLAINT_IN_PROGRESS},
        {"a reply without a text",
         "2026-03-10",
         {.what = COMPLAINT_ON_REPLY},
         COMPLAINT_REFUSED,
         "text_missing",
         COMPLAINT_IN_PROGRESS},
        {"a decision, but it is no correction",
         "2026-03-10",
         {.what = COMPLAINT_ON_DECIDE, .has_reason = true},
         COMPLAINT_REFUSED,
         "not_a_correction",
         COMPLAINT_IN_PROGRESS},
        {"reply",
         "2026-03-10",
         {.what = COMPLAINT_ON_REPLY, .has_text = true},
         COMPLAINT_DONE,
         "",
         COMPLAINT_REPLIED},
        {"more time, but the clock stands",
         "2026-03-11",
         {.what = COMPLAINT_ON_EXTEND, .days = 5, .has_reason = true},
         COMPLAINT_REFUSED,
         "illegal_in_state",
         COMPLAINT_REPLIED},
        {"not satisfied",
         "2026-03-12",
         {.what = COMPLAINT_ON_REVISIT},
         COMPLAINT_DONE,
         "",
         COMPLAINT_REOPENED});
    assert_int_equal(f.due_on, day("2026-03-19")); /* new five days */
    assert_true(f.reopened);
    TRY(&f,
        {
            "accept",
            "2026-03-12",
            {.what = COMPLAINT_ON_ACCEPT},
            COMPLAINT_DONE,
            "",
            COMPLAINT_IN_PROGRESS
    },
        {"reply",
         "2026-03-13",
         {.what = COMPLAINT_ON_REPLY, .has_text = true},
         COMPLAINT_DONE,
         "",
         COMPLAINT_REPLIED},
        {"reopened only once",
         "2026-03-16",
         {.what = COMPLAINT_ON_REOPEN},
         COMPLAINT_REFUSED,
         "reopened_already",
         COMPLAINT_REPLIED},
        {"satisfied",
         "2026-03-17",
         {.what = COMPLAINT_ON_REVISIT, .satisfied = true},
         COMPLAINT_DONE,
         "",
         COMPLAINT_CLOSED},
        {"satisfied once more",
         "2026-03-17",
         {.what = COMPLAINT_ON_REVISIT, .satisfied = true},
         COMPLAINT_ALREADY,
         "",
         COMPLAINT_CLOSED},
        {"more time for what is closed",
         "2026-03-17",
         {.what = COMPLAINT_ON_EXTEND, .days = 5, .has_reason = true},
         COMPLAINT_REFUSED,
         "illegal_in_state",
         COMPLAINT_CLOSED},
        {"too late to withdraw",
         "2026-03-17",
         {.what = COMPLAINT_ON_WITHDRAW},
         COMPLAINT_REFUSED,
         "illegal_in_state",
         COMPLAINT_CLOSED});
}

static void wrong_routing_is_returned_within_two_days(void **state)
{
    (void)state;
    struct complaint_facts f = opened("2026-03-12"); /* Thursday: Friday and Monday count */
    TRY(&f,
        {
            "without a reason",
            "2026-03-13",
            {.what = COMPLAINT_ON_RETURN},
            COMPLAINT_REFUSED,
            "reason_missing",
            COMPLAINT_ROUTED
    },
        {"too late",
         "2026-03-17",
         {.what = COMPLAINT_ON_RETURN, .has_reason = true},
         COMPLAINT_REFUSED,
         "return_too_late",
         COMPLAINT_ROUTED},
        {"the second working day",
         "2026-03-16",
         {.what = COMPLAINT_ON_RETURN, .has_reason = true},
         COMPLAINT_DONE,
         "",
         COMPLAINT_RETURNED},
        {"return again",
         "2026-03-16",
         {.what = COMPLAINT_ON_RETURN, .has_reason = true},
         COMPLAINT_ALREADY,
         "",
         COMPLAINT_RETURNED},
        {"to another desk",
         "2026-03-16",
         {.what = COMPLAINT_ON_ROUTE, .owner = CF_STR("b")},
         COMPLAINT_DONE,
         "",
         COMPLAINT_ROUTED});
    assert_true(cf_str_is(f.owner, "b"));
    assert_int_equal(f.due_on, day("2026-03-19")); /* the clock has not stopped */
    TRY(&f,
        {
            "the same desk",
            "2026-03-16",
            {.what = COMPLAINT_ON_ROUTE, .owner = CF_STR("b")},
            COMPLAINT_ALREADY,
            "",
            COMPLAINT_ROUTED
    },
        {"no desk in particular",
         "2026-03-16",
         {.what = COMPLAINT_ON_ROUTE},
         COMPLAINT_ALREADY,
         "",
         COMPLAINT_ROUTED},
        {"yet another desk",
         "2026-03-16",
         {.what = COMPLAINT_ON_ROUTE, .owner = CF_STR("c")},
         COMPLAINT_REFUSED,
         "routed_already",
         COMPLAINT_ROUTED},
        {"return",
         "2026-03-17",
         {.what = COMPLAINT_ON_RETURN, .has_reason = true},
         COMPLAINT_DONE,
         "",
         COMPLAINT_RETURNED},
        {"nobody's: to the source",
         "2026-03-17",
         {.what = COMPLAINT_ON_GIVE_BACK},
         COMPLAINT_DONE,
         "",
         COMPLAINT_CLOSED});
}

static void one_extension_of_at_most_ten_days_before_the_due_date(void **state)
{
    (void)state;
    struct complaint_facts f = opened("2026-03-09"); /* due on the 16th */
    TRY(&f,
        {
            "without a reason",
            "2026-03-10",
            {.what = COMPLAINT_ON_EXTEND, .days = 5},
            COMPLAINT_REFUSED,
            "reason_missing",
            COMPLAINT_ROUTED
    },
        {"eleven days",
         "2026-03-10",
         {.what = COMPLAINT_ON_EXTEND, .days = 11, .has_reason = true},
         COMPLAINT_REFUSED,
         "too_many_days",
         COMPLAINT_ROUTED},
        {"no days",
         "2026-03-10",
         {.what = COMPLAINT_ON_EXTEND, .has_reason = true},
         COMPLAINT_REFUSED,
         "too_many_days",
         COMPLAINT_ROUTED},
        {"on the due date",
         "2026-03-16",
         {.what = COMPLAINT_ON_EXTEND, .days = 5, .has_reason = true},
         COMPLAINT_REFUSED,
         "extension_too_late",
         COMPLAINT_ROUTED});
    f.mark = COMPLAINT_MARK_YELLOW;
    TRY(&f, {
                "the day before",
                "2026-03-13",
                {.what = COMPLAINT_ON_EXTEND, .days = 10, .has_reason = true},
                COMPLAINT_DONE,
                "",
                COMPLAINT_ROUTED
    });
    assert_int_equal(f.due_on, day("2026-03-30"));
    assert_int_equal(f.mark, COMPLAINT_MARK_NONE);
    TRY(&f, {
                "a second one",
                "2026-03-16",
                {.what = COMPLAINT_ON_EXTEND, .days = 1, .has_reason = true},
                COMPLAINT_REFUSED,
                "extended_already",
                COMPLAINT_ROUTED
    });
}

static void a_correction_is_decided_not_replied_to(void **state)
{
    (void)state;
    struct complaint_facts f = opened("2026-03-09");
    f.kind = COMPLAINT_KIND_CORRECTION;
    TRY(&f,
        {
            "accept",
            "2026-03-09",
            {.what = COMPLAINT_ON_ACCEPT},
            COMPLAINT_DONE,
            "",
            COMPLAINT_IN_PROGRESS
    },
        {"a plain reply",
         "2026-03-10",
         {.what = COMPLAINT_ON_REPLY, .has_text = true},
         COMPLAINT_REFUSED,
         "decision_missing",
         COMPLAINT_IN_PROGRESS},
        {"without a reason",
         "2026-03-10",
         {.what = COMPLAINT_ON_DECIDE, .satisfied = true},
         COMPLAINT_REFUSED,
         "reason_missing",
         COMPLAINT_IN_PROGRESS},
        {"granted",
         "2026-03-10",
         {.what = COMPLAINT_ON_DECIDE, .satisfied = true, .has_reason = true},
         COMPLAINT_DONE,
         "",
         COMPLAINT_REPLIED});
}

static void only_progress_is_answered_without_a_person(void **state)
{
    (void)state;
    assert_true(
        complaint_is_automatic(COMPLAINT_KIND_CONSULTATION, CF_STR("progress"), true, true));
    assert_false(complaint_is_automatic(COMPLAINT_KIND_CONSULTATION, CF_STR(""), true, true));
    assert_false(
        complaint_is_automatic(COMPLAINT_KIND_CONSULTATION, CF_STR("progress"), false, true));
    assert_false(
        complaint_is_automatic(COMPLAINT_KIND_CONSULTATION, CF_STR("progress"), true, false));
    assert_false(complaint_is_automatic(COMPLAINT_KIND_COMPLAINT, CF_STR("progress"), true, true));
    assert_false(complaint_wants_context(COMPLAINT_KIND_PRAISE, true, true));
    assert_true(complaint_wants_context(COMPLAINT_KIND_COMPLAINT, true, true));
    assert_false(complaint_wants_context(COMPLAINT_KIND_COMPLAINT, true, false));
    assert_false(complaint_wants_context(COMPLAINT_KIND_COMPLAINT, false, true));
}

static void a_question_about_progress_is_known_by_its_words(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"我的社保卡办到哪一步了？", "progress"},
        {"请问制卡进度",                   "progress"},
        {"where does it stand? status please",   "progress"},
        {"网点的电话是多少",             ""        },
        {"",                                     ""        },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(complaint_topic_of(cf_str_of(rows[i].text)), rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_is_an_edge_or_illegal),
        cmocka_unit_test(the_edges_are_those_of_the_domain),
        cmocka_unit_test(what_does_not_move_an_order_leaves_it_as_it_is),
        cmocka_unit_test(what_is_closed_or_withdrawn_stays_so),
        cmocka_unit_test(any_open_order_can_be_withdrawn),
        cmocka_unit_test(names_are_read_as_they_are_written),
        cmocka_unit_test(five_working_days_from_the_dispatch),
        cmocka_unit_test(marks_come_a_day_before_and_the_day_after),
        cmocka_unit_test(silence_closes_after_five_working_days),
        cmocka_unit_test(an_order_goes_its_way),
        cmocka_unit_test(wrong_routing_is_returned_within_two_days),
        cmocka_unit_test(one_extension_of_at_most_ten_days_before_the_due_date),
        cmocka_unit_test(a_correction_is_decided_not_replied_to),
        cmocka_unit_test(only_progress_is_answered_without_a_person),
        cmocka_unit_test(a_question_about_progress_is_known_by_its_words),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
