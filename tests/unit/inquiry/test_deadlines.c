/* What production says of a deadline: folded, packed, and shown instead of the date of acceptance. */
#include "services/inquiry/codec.h"

#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

#include "cardflow/v1/card.pb-c.h"

static const uint8_t APP[16] = {1};

struct scene {
    struct cf_arena *a;
    struct inquiry_section sections[INQUIRY_SOURCES];
};

static int begin(void **state)
{
    struct scene *s = cf_calloc(1, sizeof *s);
    s->a = cf_arena_new((size_t)16 << 20);
    struct inquiry_event ev = {.what = INQUIRY_ACCEPTED, .source = INQUIRY_INTAKE, .at = 10};
    memcpy(ev.entry.id, APP, 16);
    ev.entry.kind = CF_KIND_FIRST_ISSUE;
    ev.entry.state = CF_APP_ACCEPTED;
    ev.entry.accepted_on = 100;
    ev.entry.due_on = 109;
    inquiry_fold(s->a, &s->sections[INQUIRY_INTAKE], &ev);
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    cf_arena_free(s->a);
    free(s);
    return 0;
}

/* A card.deadline_* as production sends it, at that time, through the codec. */
static void told(struct scene *s, const char *what, cf_day due_before, cf_day due_on, bool warned,
                 bool overdue, cf_ms at)
{
    static const uint8_t holder[CF_REF_LEN] = {5};
    Cardflow__V1__CardEvent e;
    Cardflow__V1__CardEvent__Deadline d;
    struct cf_msg msgs[4];
    struct cf_decode decode = {.arena = s->a, .msgs = msgs, .max = 4, .partitions = 1};
    cardflow__v1__card_event__init(&e);
    cardflow__v1__card_event__deadline__init(&d);
    e.application_id = cf_data_id(APP);
    e.kind = CARDFLOW__V1__APP_KIND__APP_KIND_FIRST_ISSUE;
    e.at_ms = at;
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_DEADLINE;
    e.deadline = &d;
    d.what = (char *)(uintptr_t)what;
    d.due_before = due_before;
    d.due_on = due_on;
    d.working_days = 12;
    d.provisional = due_before != 0;
    d.warned = warned;
    d.overdue = overdue;
    d.reason = (char *)(uintptr_t) "why";
    struct cf_record rec = {.topic = INQUIRY_IN_CARDS,
                            .key = {(const char *)holder, CF_REF_LEN},
                            .value = cf_pack(s->a, &e.base)};
    assert_int_equal(inquiry_codec_decode(&decode, &rec), 0);
    assert_int_equal(decode.n, 1);
    /* Kept as it is kept between events. */
    struct inquiry_section *section = &s->sections[INQUIRY_PRODUCTION];
    inquiry_fold(s->a, section, msgs[0].body);
    struct cf_str packed = inquiry_codec_section_pack(s->a, section);
    assert_int_equal(inquiry_codec_section_read(s->a, packed, section), 0);
}

static struct inquiry_app app_of(struct scene *s)
{
    struct inquiry_app app;
    assert_true(inquiry_app_of(s->sections, APP, NULL, &app));
    return app;
}

static void without_a_word_of_production_the_first_date_counts(void **state)
{
    struct scene *s = *state;
    struct inquiry_app app = app_of(s);
    assert_int_equal(inquiry_due_on(&app), 109);
    assert_null(inquiry_deadline_of(&app));
    struct inquiry_section none[INQUIRY_SOURCES] = {0};
    none[INQUIRY_PHOTO] = s->sections[INQUIRY_INTAKE];
    none[INQUIRY_PHOTO].entries[0].state = CF_APP_PHOTO_READY;
    assert_true(inquiry_app_of(none, APP, NULL, &app));
    assert_int_equal(inquiry_due_on(&app), 0);
}

static void marks_stand_from_when_they_came_and_go_with_a_new_date(void **state)
{
    struct scene *s = *state;
    told(s, "warned", 0, 109, true, false, 1000);
    told(s, "overdue", 0, 109, true, true, 2000);
    struct inquiry_app app = app_of(s);
    const struct inquiry_deadline *d = inquiry_deadline_of(&app);
    assert_int_equal(d->warned_at, 1000);
    assert_int_equal(d->overdue_at, 2000);
    assert_int_equal(d->n_changes, 0);
    assert_int_equal(app.state, CF_APP_ACCEPTED); /* a mark is no state */
    told(s, "extended", 109, 116, true, false, 3000);
    app = app_of(s);
    d = inquiry_deadline_of(&app);
    assert_int_equal(inquiry_due_on(&app), 116);
    assert_int_equal(d->warned_at, 1000);
    assert_int_equal(d->overdue_at, 0);
    assert_int_equal(d->working_days, 12);
    assert_true(d->provisional);
    assert_int_equal(d->n_changes, 1);
    assert_true(cf_str_is(d->changes[0].what, "extended"));
    assert_true(cf_str_is(d->changes[0].reason, "why"));
    assert_int_equal(d->changes[0].due_before, 109);
    assert_int_equal(d->changes[0].due_on, 116);
    assert_int_equal(d->changes[0].at, 3000);
    told(s, "recalculated", 116, 117, false, false, 4000);
    app = app_of(s);
    assert_int_equal(inquiry_deadline_of(&app)->warned_at, 0);
}

static void only_the_last_changes_are_kept(void **state)
{
    struct scene *s = *state;
    for (int i = 0; i < INQUIRY_CHANGES_MAX + 3; i++)
        told(s, "recalculated", 109 + i, 110 + i, false, false, 1000 + i);
    struct inquiry_app app = app_of(s);
    const struct inquiry_deadline *d = inquiry_deadline_of(&app);
    assert_int_equal(d->n_changes, INQUIRY_CHANGES_MAX);
    assert_int_equal(d->changes[INQUIRY_CHANGES_MAX - 1].due_on, 109 + INQUIRY_CHANGES_MAX + 3);
    assert_int_equal(d->changes[0].at, 1003);
}

static void a_late_card_is_late_by_the_date_that_counts(void **state)
{
    struct scene *s = *state;
    struct inquiry_picture p;
    inquiry_render(s->a, s->sections, 110, &p);
    assert_int_equal(p.step, INQUIRY_STEP_WAIT_LATE_CARD);
    told(s, "extended", 109, 116, false, false, 3000);
    inquiry_render(s->a, s->sections, 110, &p);
    assert_int_equal(p.step, INQUIRY_STEP_WAIT_CARD);
    assert_int_equal(p.step_on, 116);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_word_of_production_the_first_date_counts, begin,
                                        end),
        cmocka_unit_test_setup_teardown(marks_stand_from_when_they_came_and_go_with_a_new_date,
                                        begin, end),
        cmocka_unit_test_setup_teardown(only_the_last_changes_are_kept, begin, end),
        cmocka_unit_test_setup_teardown(a_late_card_is_late_by_the_date_that_counts, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
