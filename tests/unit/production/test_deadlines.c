/* The clock of an accepted application: marks, extensions, another count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/pure/deadline.h"
#include "services/production/pack.h"
#include "services/production/rules_deadline.h"
#include "tests/unit/production/data.h"

static const uint8_t ID[16] = {7};

struct scene {
    struct production_policy policy;
    struct production_holder h;
    struct production_effects fx;
};

static struct production_world at(const struct scene *s, cf_ms now)
{
    return (struct production_world){now, &calendar, &s->policy, policies};
}

static struct production_app *app_of(struct scene *s)
{
    return &s->h.permanent.app;
}

/* Accepted on that day, and heard of at `now`. */
static struct scene accepted(enum cf_app_kind kind, cf_day day, cf_ms now)
{
    struct scene s = {.policy = policy};
    s.policy.warn_days = 2;
    struct cf_deadline d = cf_deadline_compute(&calendar, policies, kind, day);
    struct production_slot *slot = kind == CF_KIND_TEMPORARY ? &s.h.temporary : &s.h.permanent;
    slot->app = (struct production_app){.kind = kind,
                                        .state = CF_APP_ACCEPTED,
                                        .bank = CF_STR("B01"),
                                        .accepted_on = day,
                                        .due_on = d.due_on};
    memcpy(slot->app.id, ID, 16);
    struct production_world w = at(&s, now);
    production_deadline_begin(slot, &w, &s.fx);
    return s;
}

static cf_day today(void)
{
    return cf_day_of_ms(NOW);
}

static cf_day workday(int n)
{
    return cf_add_workdays(&calendar, today(), n);
}

/* The marks of the effects, as "warned overdue"; a silent one in brackets. */
static const char *told(struct scene *s)
{
    static char text[200];
    size_t n = 0;
    text[0] = 0;
    for (size_t i = 0; i < s->fx.n; i++) {
        const struct production_effect *e = &s->fx.list[i];
        if (e->kind != PRODUCTION_FX_MARKED) continue;
        n += (size_t)snprintf(text + n, sizeof text - n, e->deadline.silent ? "%s(%s)" : "%s%s",
                              n ? " " : "", e->word);
    }
    s->fx.n = 0;
    return text;
}

static const char *pass(struct scene *s, cf_ms now)
{
    struct production_world w = at(s, now);
    production_deadline_due(&s->h, &w, &s->fx);
    return told(s);
}

static cf_ms next(const struct scene *s, cf_ms now)
{
    struct production_world w = at(s, now);
    return production_deadline_next_due(&s->h, &w);
}

static void a_warning_comes_two_working_days_before_and_overdue_on_the_day_after(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    const cf_ms warn = cf_ms_of_day(workday(5)), over = cf_ms_of_day(workday(7) + 1);
    assert_string_equal(told(&s), "");
    assert_int_equal(app_of(&s)->working_days, 7);
    const struct {
        cf_ms now;
        const char *want;
        cf_ms next;
    } cases[] = {
        {NOW,      "",        warn},
        {warn - 1, "",        warn},
        {warn,     "warned",  over},
        {warn,     "",        over},
        {over - 1, "",        over},
        {over,     "overdue", 0   },
        {over + 1, "",        0   },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(pass(&s, cases[i].now), cases[i].want);
        assert_int_equal(next(&s, cases[i].now), cases[i].next);
    }
}

static void a_warning_that_has_been_overtaken_is_told_to_nobody(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    assert_string_equal(pass(&s, cf_ms_of_day(workday(7) + 3)), "(warned) overdue");
}

static void what_was_past_when_it_was_loaded_is_marked_in_silence(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        int due; /* working days from today */
        const char *want;
    } cases[] = {
        {"all is to come",                     3,  ""                  },
        {"the warning is of today",            2,  "warned"            },
        {"the warning was yesterday or before", 1,  "(warned)"          },
        {"due today",                          0,  "(warned)"          },
        {"overdue since today",                -1, "(warned) overdue"  },
        {"overdue before",                     -2, "(warned) (overdue)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_day accepted_on = workday(cases[i].due - 7);
        struct scene s = accepted(CF_KIND_FIRST_ISSUE, accepted_on, NOW);
        assert_int_equal(app_of(&s)->due_on, workday(cases[i].due));
        const char *got = told(&s);
        if (strcmp(got, cases[i].want)) fail_msg("%s: %s", cases[i].why, got);
        assert_string_equal(pass(&s, NOW), "");
    }
}

static void a_card_made_on_the_spot_has_no_warning(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_TEMPORARY, today(), NOW);
    assert_int_equal(next(&s, NOW), cf_ms_of_day(today() + 1));
    assert_string_equal(pass(&s, cf_ms_of_day(today() + 1)), "overdue");
    s = accepted(CF_KIND_TEMPORARY, today(), NOW);
    s.h.temporary.app.state = CF_APP_COLLECTED;
    assert_string_equal(pass(&s, cf_ms_of_day(today() + 1)), "");
    s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    s.policy.warn_days = 0;
    assert_int_equal(next(&s, NOW), cf_ms_of_day(workday(7) + 1));
}

static void a_warning_is_not_before_the_acceptance(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    s.policy.warn_days = 30;
    assert_int_equal(next(&s, NOW), cf_ms_of_day(today()));
}

static void the_earlier_mark_of_both_slots_is_next(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    const cf_ms warn = next(&s, NOW);
    struct scene t = accepted(CF_KIND_TEMPORARY, today(), NOW);
    s.h.temporary = t.h.temporary;
    assert_int_equal(next(&s, NOW), cf_ms_of_day(today() + 1));
    s.h.temporary.app.due_on = workday(30);
    assert_int_equal(next(&s, NOW), warn);
}

static void a_deadline_is_met_when_the_card_is_ready_and_open_again_when_it_fails(void **state)
{
    (void)state;
    for (int i = CF_APP_NONE; i < CF_APP_COUNT; i++) {
        enum cf_app_state now = (enum cf_app_state)i;
        bool met = now == CF_APP_NONE || now == CF_APP_READY_FOR_PICKUP || cf_app_state_is_end(now);
        struct scene s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
        app_of(&s)->state = now;
        const char *got = pass(&s, cf_ms_of_day(workday(5)));
        if (strcmp(got, met ? "" : "warned")) fail_msg("%s: %s", cf_app_state_name(now), got);
        if (met) assert_int_equal(next(&s, NOW), 0);
        app_of(&s)->state = CF_APP_PHOTO_READY;
        assert_int_equal(app_of(&s)->due_on, workday(7));
        assert_string_equal(pass(&s, cf_ms_of_day(workday(5))), met ? "warned" : "");
    }
}

/* ---- extensions ------------------------------------------------------------------------------ */

static const char *extend(struct scene *s, int days, const char *reason, cf_ms now)
{
    struct production_extension m = {.days = days, .reason = cf_str_of(reason)};
    struct production_world w = at(s, now);
    memcpy(m.app_id, ID, 16);
    m.command_id[0] = 9;
    assert_int_equal(production_on_extension(&s->h, &m, &w, &s->fx), PRODUCTION_MOVE);
    const struct production_effect *e = must_find(&s->fx, PRODUCTION_FX_ANSWERED);
    assert_string_equal(e->command, "extend_deadline");
    assert_memory_equal(e->command_id, m.command_id, 16);
    assert_memory_equal(e->app_id, ID, 16);
    assert_int_equal(e->notice, e->n_reasons > 0);
    return e->n_reasons ? e->reasons[0] : e->word;
}

static void an_extension_goes_as_far_as_the_policy_and_no_further(void **state)
{
    (void)state;
    const cf_day old = cf_day_of_date(2017, 6, 1);
    const struct {
        const char *why;
        enum cf_app_kind kind;
        enum cf_app_state state;
        cf_day accepted_on;
        int days;
        const char *reason;
        cf_ms now;
        const char *want;
    } cases[] = {
        {"thirty in all", CF_KIND_FIRST_ISSUE, CF_APP_BATCHED, today(), 23, "x", NOW, "done"},
        {"one", CF_KIND_FIRST_ISSUE, CF_APP_PHOTO_MISSING, today(), 1, "x", NOW, "done"},
        {"on its last day", CF_KIND_FIRST_ISSUE, CF_APP_BATCHED, workday(-7), 1, "x", NOW, "done"},
        {"past thirty", CF_KIND_FIRST_ISSUE, CF_APP_BATCHED, today(), 24, "x", NOW,
         "extension_past_limit"},
        {"none", CF_KIND_FIRST_ISSUE, CF_APP_BATCHED, today(), 0, "x", NOW, "extension_past_limit"},
        {"without reason", CF_KIND_FIRST_ISSUE, CF_APP_BATCHED, today(), 1, "", NOW,
         "extension_without_reason"},
        {"a replacement", CF_KIND_LOSS_REPLACEMENT, CF_APP_BATCHED, today(), 1, "x", NOW,
         "extension_not_allowed"},
        {"the policy of 2015", CF_KIND_FIRST_ISSUE, CF_APP_BATCHED, old, 1, "x", NOW,
         "extension_not_allowed"},
        {"no policy", CF_KIND_FIRST_ISSUE, CF_APP_BATCHED, cf_day_of_date(2010, 1, 4), 1, "x", NOW,
         "illegal_in_state"},
        {"too late", CF_KIND_FIRST_ISSUE, CF_APP_BATCHED, workday(-8), 1, "x", NOW,
         "extension_too_late"},
        {"ready", CF_KIND_FIRST_ISSUE, CF_APP_READY_FOR_PICKUP, today(), 1, "x", NOW,
         "illegal_in_state"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s = accepted(cases[i].kind, cases[i].accepted_on, NOW);
        struct production_app *app = app_of(&s);
        s.fx.n = 0;
        app->state = cases[i].state;
        const cf_day before = app->due_on;
        const char *got = extend(&s, cases[i].days, cases[i].reason, cases[i].now);
        if (strcmp(got, cases[i].want)) fail_msg("%s: %s", cases[i].why, got);
        bool done = !strcmp(got, "done");
        assert_int_equal(app->due_on, done ? cf_add_workdays(&calendar, before, cases[i].days)
                                           : before);
        const struct production_effect *told_on = find(&s.fx, PRODUCTION_FX_POSTPONED);
        assert_int_equal(told_on != NULL, done);
        if (!told_on) continue;
        assert_string_equal(told_on->word, "extended");
        assert_true(cf_str_is(told_on->reason, "x"));
        assert_int_equal(told_on->deadline.due_before, before);
        assert_int_equal(told_on->deadline.due_on, app->due_on);
        assert_int_equal(told_on->deadline.working_days, 7 + cases[i].days);
    }
}

static void extensions_add_up_to_the_limit(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    assert_string_equal(extend(&s, 20, "a", NOW), "done");
    s.fx.n = 0;
    assert_string_equal(extend(&s, 4, "b", NOW), "extension_past_limit");
    s.fx.n = 0;
    assert_string_equal(extend(&s, 3, "b", NOW), "done");
    assert_int_equal(app_of(&s)->due_on, workday(30));
}

static void nobody_knows_the_application(void **state)
{
    (void)state;
    struct scene s = {.policy = policy};
    assert_string_equal(extend(&s, 1, "x", NOW), "illegal_in_state");
}

static void marks_come_again_by_the_new_date(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    cf_ms warn = cf_ms_of_day(workday(5));
    assert_string_equal(pass(&s, warn), "warned");
    extend(&s, 3, "x", warn);
    assert_false(must_find(&s.fx, PRODUCTION_FX_POSTPONED)->deadline.warned);
    assert_string_equal(told(&s), "");
    assert_int_equal(next(&s, warn), cf_ms_of_day(workday(8)));
    assert_string_equal(pass(&s, cf_ms_of_day(workday(8))), "warned");
    assert_string_equal(pass(&s, cf_ms_of_day(workday(10) + 1)), "overdue");
    /* An extension of a day whose warning has its day now: no new one. */
    s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    assert_string_equal(pass(&s, cf_ms_of_day(workday(7))), "warned");
    extend(&s, 1, "x", cf_ms_of_day(workday(7)));
    assert_true(must_find(&s.fx, PRODUCTION_FX_POSTPONED)->deadline.warned);
    assert_string_equal(told(&s), "");
}

/* ---- another count --------------------------------------------------------------------------- */

static enum production_fit recalculate(struct scene *s, cf_day due_on, bool provisional, cf_ms now)
{
    struct production_recalculation m = {
        .due_on = due_on, .provisional = provisional, .reason = CF_STR("holidays of 2027")};
    struct production_world w = at(s, now);
    memcpy(m.app_id, ID, 16);
    return production_on_recalculation(&s->h, &m, &w, &s->fx);
}

static void a_count_that_is_the_same_here_is_taken_over_once(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    struct production_app *app = app_of(&s);
    const cf_day right = app->due_on;
    assert_int_equal(recalculate(&s, right, false, NOW), PRODUCTION_ALREADY);
    app->due_on = right - 9; /* as another calendar has counted it */
    app->overdue = app->warned = true;
    assert_int_equal(recalculate(&s, right + 1, false, NOW), PRODUCTION_AHEAD);
    assert_int_equal(recalculate(&s, right, true, NOW), PRODUCTION_AHEAD);
    assert_int_equal(s.fx.n, 0);
    assert_int_equal(recalculate(&s, right, false, NOW), PRODUCTION_MOVE);
    const struct production_effect *e = must_find(&s.fx, PRODUCTION_FX_POSTPONED);
    assert_string_equal(e->word, "recalculated");
    assert_int_equal(e->deadline.due_before, right - 9);
    assert_int_equal(e->deadline.due_on, right);
    assert_false(e->deadline.warned || e->deadline.overdue);
    s.fx.n = 0;
    assert_int_equal(recalculate(&s, right, false, NOW), PRODUCTION_ALREADY);
    assert_int_equal(s.fx.n, 0);
    assert_string_equal(pass(&s, cf_ms_of_day(workday(5))), "warned");
}

static void a_date_is_not_provisional_any_more(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    app_of(&s)->provisional = true;
    assert_int_equal(recalculate(&s, app_of(&s)->due_on, false, NOW), PRODUCTION_MOVE);
    assert_false(app_of(&s)->provisional);
}

static void an_earlier_date_may_be_overdue_at_once(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_FIRST_ISSUE, workday(-8), NOW);
    s.fx.n = 0;
    app_of(&s)->due_on += 20;
    app_of(&s)->warned = app_of(&s)->overdue = false;
    assert_int_equal(recalculate(&s, workday(-1), false, NOW), PRODUCTION_MOVE);
    assert_string_equal(told(&s), "(warned) overdue");
}

static void an_extension_stays_when_days_are_counted_again(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    extend(&s, 10, "x", NOW);
    s.fx.n = 0;
    app_of(&s)->due_on--;
    assert_int_equal(recalculate(&s, workday(7), false, NOW), PRODUCTION_AHEAD);
    assert_int_equal(recalculate(&s, workday(17), false, NOW), PRODUCTION_MOVE);
    assert_int_equal(app_of(&s)->working_days, 17);
}

static void what_is_met_or_unknown_is_not_counted_again(void **state)
{
    (void)state;
    struct scene s = accepted(CF_KIND_FIRST_ISSUE, today(), NOW);
    app_of(&s)->state = CF_APP_READY_FOR_PICKUP;
    assert_int_equal(recalculate(&s, workday(8), false, NOW), PRODUCTION_ENDED);
    app_of(&s)->state = CF_APP_BATCHED;
    app_of(&s)->accepted_on = 0; /* of a row older than this */
    assert_int_equal(recalculate(&s, workday(8), false, NOW), PRODUCTION_AHEAD);
    assert_string_equal(extend(&s, 1, "x", NOW), "extension_not_allowed");
    memset(app_of(&s)->id, 1, 16);
    assert_int_equal(recalculate(&s, workday(8), false, NOW), PRODUCTION_ENDED);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void a_clock_survives_packing_and_an_older_row_is_read(void **state)
{
    struct scene s = accepted(CF_KIND_TEMPORARY, today(), NOW);
    struct production_app *app = &s.h.temporary.app;
    app->working_days = 30;
    app->extended = app->provisional = app->warned = app->overdue = true;
    struct cf_str packed = production_pack_temporary(*state, &s.h);
    struct production_holder back = {0};
    assert_true(production_unpack_temporary(packed, &back));
    assert_int_equal(back.temporary.app.accepted_on, today());
    assert_int_equal(back.temporary.app.working_days, 30);
    assert_true(back.temporary.app.extended && back.temporary.app.provisional &&
                back.temporary.app.warned && back.temporary.app.overdue);
    /* The third version had no channel of withdrawals; two empty cards follow it. */
    char *old = cf_arena_dup(*state, packed.ptr, packed.len);
    old[0] = 3;
    size_t n = packed.len - 1;
    memmove(old + n - 2, old + packed.len - 2, 2);
    struct production_holder third = {0};
    assert_true(production_unpack_temporary((struct cf_str){old, n}, &third));
    assert_true(third.temporary.app.overdue && third.temporary.app.accepted_on == today());
    assert_int_equal(third.temporary.app.leave_channel, CF_CHANNEL_NONE);
    /* The second had three places less for withdrawals, before the number given up. */
    old[0] = 2;
    n -= 3;
    memmove(old + n - 12, old + n + 3 - 12, 12);
    struct production_holder second = {0};
    assert_true(production_unpack_temporary((struct cf_str){old, n}, &second));
    assert_int_equal(second.temporary.app.accepted_on, today());
    /* The first ended before the nine bytes of the clock, too; two empty cards follow. */
    old[0] = 1;
    old[n - 11] = old[n - 2];
    old[n - 10] = old[n - 1];
    struct production_holder first = {0};
    assert_true(production_unpack_temporary((struct cf_str){old, n - 9}, &first));
    assert_int_equal(first.temporary.app.due_on, today());
    assert_int_equal(first.temporary.app.accepted_on, 0);
    old[0] = 5;
    assert_false(production_unpack_temporary((struct cf_str){old, packed.len}, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_warning_comes_two_working_days_before_and_overdue_on_the_day_after),
        cmocka_unit_test(a_warning_that_has_been_overtaken_is_told_to_nobody),
        cmocka_unit_test(what_was_past_when_it_was_loaded_is_marked_in_silence),
        cmocka_unit_test(a_card_made_on_the_spot_has_no_warning),
        cmocka_unit_test(a_warning_is_not_before_the_acceptance),
        cmocka_unit_test(the_earlier_mark_of_both_slots_is_next),
        cmocka_unit_test(a_deadline_is_met_when_the_card_is_ready_and_open_again_when_it_fails),
        cmocka_unit_test(an_extension_goes_as_far_as_the_policy_and_no_further),
        cmocka_unit_test(extensions_add_up_to_the_limit),
        cmocka_unit_test(nobody_knows_the_application),
        cmocka_unit_test(marks_come_again_by_the_new_date),
        cmocka_unit_test(a_count_that_is_the_same_here_is_taken_over_once),
        cmocka_unit_test(a_date_is_not_provisional_any_more),
        cmocka_unit_test(an_earlier_date_may_be_overdue_at_once),
        cmocka_unit_test(an_extension_stays_when_days_are_counted_again),
        cmocka_unit_test(what_is_met_or_unknown_is_not_counted_again),
        cmocka_unit_test(a_clock_survives_packing_and_an_older_row_is_read),
    };
    return cmocka_run_group_tests(tests, load_calendar, drop_calendar);
}
