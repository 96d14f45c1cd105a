#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/photo-fetch/rules.h"

static bool in_table(enum photo_state from, enum photo_event on, enum photo_state *to)
{
    size_t n;
    const struct photo_fetch_edge *edges = photo_fetch_edges(&n);
    for (size_t i = 0; i < n; i++) {
        if (edges[i].from != from || edges[i].on != on) continue;
        *to = edges[i].to;
        return true;
    }
    return false;
}

/* What the domain says about each pair, written down apart from the table. */
static bool lawful(enum photo_state from, enum photo_event on)
{
    switch (on) {
    case PHOTO_ON_TAKE_FETCH:
    case PHOTO_ON_TAKE_READY:
    case PHOTO_ON_TAKE_MISSING:
    case PHOTO_ON_STOP:
        return true;
    case PHOTO_ON_GOT:
    case PHOTO_ON_NOT_THERE:
    case PHOTO_ON_AGAIN:
        return from == PHOTO_FETCHING;
    case PHOTO_ON_UPLOAD:
    case PHOTO_ON_WAIVE:
        return from == PHOTO_FETCHING || from == PHOTO_MISSING;
    case PHOTO_ON_EXPIRE:
        return from == PHOTO_MISSING;
    case PHOTO_EVENT_COUNT:
        break;
    }
    return false;
}

static void every_pair_is_in_the_table_or_illegal(void **state)
{
    (void)state;
    for (int from = 0; from < PHOTO_STATE_COUNT; from++) {
        for (int on = 0; on < PHOTO_EVENT_COUNT; on++) {
            enum photo_state want = PHOTO_NONE, got = PHOTO_NONE;
            bool is = photo_fetch_next((enum photo_state)from, (enum photo_event)on, &got);
            bool listed = in_table((enum photo_state)from, (enum photo_event)on, &want);
            if (is != listed || is != lawful((enum photo_state)from, (enum photo_event)on))
                fail_msg("%s on %d", photo_fetch_state_name((enum photo_state)from), on);
            if (is) assert_int_equal(got, want);
        }
    }
}

static void no_edge_stands_twice(void **state)
{
    (void)state;
    size_t n;
    const struct photo_fetch_edge *e = photo_fetch_edges(&n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            assert_false(e[i].from == e[k].from && e[i].on == e[k].on);
}

static void the_plan_follows_choice_document_and_age(void **state)
{
    (void)state;
    const enum cf_photo_choice police = CF_PHOTO_PUBLIC_SECURITY, upload = CF_PHOTO_UPLOAD,
                               none = CF_PHOTO_NONE_DECLARED;
    static const struct {
        const char *why;
        struct photo_fetch_facts facts;
        enum photo_event event;
        enum photo_source source;
    } rows[] = {
        {"resident asks the police",
         {police, CF_DOC_RESIDENT_ID, false, false},
         PHOTO_ON_TAKE_FETCH,   PHOTO_FROM_NOWHERE},
        {"household book is the same number",
         {police, CF_DOC_HOUSEHOLD_BOOK, true, false},
         PHOTO_ON_TAKE_FETCH,   PHOTO_FROM_NOWHERE},
        {"the police have none of a passport",
         {police, CF_DOC_PASSPORT, false, false},
         PHOTO_ON_TAKE_MISSING, PHOTO_FROM_NOWHERE},
        {"nor of a permit, but one was given",
         {police, CF_DOC_RESIDENCE_PERMIT_HMT, false, true},
         PHOTO_ON_TAKE_READY,   PHOTO_FROM_UPLOAD },
        {"upload with its photo",
         {upload, CF_DOC_RESIDENT_ID, false, true},
         PHOTO_ON_TAKE_READY,   PHOTO_FROM_UPLOAD },
        {"upload without",
         {upload, CF_DOC_RESIDENT_ID, false, false},
         PHOTO_ON_TAKE_MISSING, PHOTO_FROM_NOWHERE},
        {"child without photo",
         {none, CF_DOC_HOUSEHOLD_BOOK, true, false},
         PHOTO_ON_TAKE_READY,   PHOTO_FROM_WAIVER },
        {"none is a child's right only",
         {none, CF_DOC_RESIDENT_ID, false, false},
         PHOTO_ON_TAKE_MISSING, PHOTO_FROM_NOWHERE},
        {"no choice at all",
         {CF_PHOTO_NONE, CF_DOC_RESIDENT_ID, false, false},
         PHOTO_ON_TAKE_MISSING, PHOTO_FROM_NOWHERE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct photo_fetch_plan plan = photo_fetch_plan(&rows[i].facts);
        if (plan.event != rows[i].event || plan.source != rows[i].source)
            fail_msg("%s: event %d, source %d", rows[i].why, plan.event, plan.source);
        uint32_t want = plan.event == PHOTO_ON_TAKE_MISSING ? CF_PHOTO_BAD_NOT_GIVEN : 0;
        if (plan.reasons != want) fail_msg("%s: reasons %x", rows[i].why, plan.reasons);
    }
}

static void states_and_sources_have_names(void **state)
{
    (void)state;
    static const char *const names[] = {"none",  "fetching", "missing",
                                        "ready", "stopped",  "expired"};
    for (int i = 0; i < PHOTO_STATE_COUNT; i++)
        assert_string_equal(photo_fetch_state_name((enum photo_state)i), names[i]);
    assert_string_equal(photo_fetch_state_name(PHOTO_STATE_COUNT), "");
    /* As an application chooses them. */
    assert_string_equal(photo_fetch_source_name(PHOTO_FROM_NOWHERE), "");
    assert_string_equal(photo_fetch_source_name(PHOTO_FROM_POLICE), "public_security");
    assert_string_equal(photo_fetch_source_name(PHOTO_FROM_UPLOAD), "upload");
    assert_string_equal(photo_fetch_source_name(PHOTO_FROM_WAIVER), "none");
    assert_string_equal(photo_fetch_source_name((enum photo_source)99), "");
}

static void the_last_day_counts_in_full(void **state)
{
    (void)state;
    /* 2026-03-31 23:30 in Shanghai: 30 days later is 2026-04-30, over at its midnight. */
    cf_ms now = cf_ms_of_day(cf_day_of_date(2026, 3, 31)) + (23 * 60 + 30) * 60000;
    cf_day last = photo_fetch_respond_by(now, 30);
    assert_int_equal(last, cf_day_of_date(2026, 4, 30));
    assert_true(photo_fetch_expires_at(last) == cf_ms_of_day(cf_day_of_date(2026, 5, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_is_in_the_table_or_illegal),
        cmocka_unit_test(no_edge_stands_twice),
        cmocka_unit_test(the_plan_follows_choice_document_and_age),
        cmocka_unit_test(states_and_sources_have_names),
        cmocka_unit_test(the_last_day_counts_in_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
