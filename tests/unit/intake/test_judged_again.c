/* An application that is judged a second time: put right, sent again, or after it has waited. */
#include "stage_data.h"

#define NOW "2026-03-02T10:00:00+08:00"
#define HOUR ((cf_ms)3600000)

/* ---- noticed for the want of an enrolment ------------------------------------------------------ */

static void the_enrolment_puts_right_what_was_noticed_for_the_want_of_it(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW));
    submit_at(r, &m, AT(NOW));
    struct cf_work timer = r->d->work[0];
    work_outcome(r, &timer, 0, (struct cf_str){0}, timer.due);
    assert_string_equal(refusal_reasons(r, event_at(r, 1)), "not_enrolled");
    enrol_at(r, &p, 1, AT(NOW) + 10 * 24 * HOUR);
    assert_string_equal(types_since(r, 2), "application.accepted");
    /* The day of the enrolment, not that of a submission of before. */
    assert_int_equal(event_at(r, 2)->accepted->accepted_on, cf_day_of_date(2026, 3, 12));
    assert_int_equal(r->d->n_work, 0);
    assert_int_equal(app_row(r, m.application_id)->state, CF_APP_ACCEPTED);
}

static void another_fault_of_the_notice_still_waits_for_its_supplement(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult(), phone = {.phone = CF_STR("19900004310")};
    p.phone = CF_STR("");
    struct intake_submit m = submission(&p, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    assert_string_equal(refusal_reasons(r, event_at(r, 0)), "missing_phone");
    enrol_at(r, &p, 1, AT(NOW) + HOUR);
    end_enrolment(r, &p, 2, "left", AT(NOW) + 2 * HOUR);
    /* Closed with the enrolment; and another one, noticed for both. */
    struct intake_submit again = submission(&p, AT(NOW) + 3 * HOUR);
    submit_at(r, &again, AT(NOW) + 3 * HOUR);
    assert_string_equal(refusal_reasons(r, event_at(r, 3)), "missing_phone|not_enrolled");
    cf_day respond_by = app_row(r, again.application_id)->respond_by;
    enrol_at(r, &p, 3, AT(NOW) + 24 * HOUR);
    assert_string_equal(types_since(r, 4), "application.enrolment_changed");
    assert_int_equal(app_row(r, again.application_id)->respond_by, respond_by);
    supplement_at(r, &key, again.application_id, &phone, NULL, AT(NOW) + 25 * HOUR);
    assert_string_equal(types_since(r, 5), "application.accepted");
}

static void what_only_the_enrolment_shows_is_a_notice_of_its_own(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult(), known = adult();
    known.name = CF_STR("朱英");
    struct intake_submit m = submission(&p, AT(NOW));
    submit_at(r, &m, AT(NOW));
    struct cf_work timer = r->d->work[0];
    work_outcome(r, &timer, 0, (struct cf_str){0}, timer.due);
    enrol_at(r, &known, 1, AT(NOW) + 48 * HOUR);
    assert_string_equal(refusal_reasons(r, event_at(r, 2)), "enrolment_name_mismatch");
    assert_int_equal(app_row(r, m.application_id)->respond_by, cf_day_of_date(2026, 4, 3));
    /* That is put right by who applied: which of the two names is wrong is not known here. */
    enrol_at(r, &p, 2, AT(NOW) + 72 * HOUR);
    assert_int_equal(r->d->n_sent, 3);
}

/* ---- the reason of a reissue ------------------------------------------------------------------ */

static struct intake_submit reissue(const struct intake_person *p)
{
    struct intake_submit m = submission(p, AT(NOW));
    m.request.kind = CF_KIND_REISSUE;
    return m;
}

static void supplement_reason(struct rig *r, const struct cf_key *key, const uint8_t app[16],
                              const char *reason, cf_ms now)
{
    struct intake_supplement m = {
        .request = {.submitted_at = now, .reissue_reason = cf_str_of(reason)}};
    uint8_t id[16];
    fresh_id(r, id);
    memcpy(m.application_id, app, 16);
    assert_int_equal(double_feed(r->d, "application.commands", "application.supplement", key, id,
                                 now, intake_codec_supplement(r->a, &m, id, (struct cf_str){0})),
                     0);
}

static void a_supplement_gives_the_reason_of_a_reissue(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = reissue(&p);
    enrol_at(r, &p, 1, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    assert_string_equal(refusal_reasons(r, event_at(r, 0)), "bad_reissue_reason");
    supplement_reason(r, &key, m.application_id, "boredom", AT(NOW) + HOUR);
    assert_string_equal(refusal_reasons(r, event_at(r, 1)), "bad_reissue_reason");
    supplement_reason(r, &key, m.application_id, "mass_exchange", AT(NOW) + 2 * HOUR);
    assert_string_equal(types_since(r, 2), "application.accepted");
    assert_string_equal(event_at(r, 2)->accepted->reissue_reason, "mass_exchange");
    assert_true(cf_str_is(app_row(r, m.application_id)->reissue_reason, "mass_exchange"));
}

static void another_reason_is_too_late_after_acceptance(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = reissue(&p);
    m.request.reissue_reason = CF_STR("mass_exchange");
    enrol_at(r, &p, 1, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    assert_string_equal(types_since(r, 0), "application.accepted");
    supplement_reason(r, &key, m.application_id, "bank_change", AT(NOW) + HOUR);
    assert_string_equal(types_since(r, 1), "application.command_decided");
    assert_true(cf_str_is(app_row(r, m.application_id)->reissue_reason, "mass_exchange"));
}

static void a_list_that_is_sent_again_gives_the_reason(void **state)
{
    struct rig *r = *state;
    uint8_t lists[3][16] = {"one", "two", "three"};
    const char *reasons[] = {"boredom", "", "mass_exchange"};
    struct intake_person p = adult();
    struct intake_submit rows[3];
    enrol_at(r, &p, 1, AT(NOW));
    for (size_t i = 0; i < 3; i++) {
        rows[i] = row_submission(&p, lists[i], 1, AT(NOW));
        rows[i].request.kind = CF_KIND_REISSUE;
        rows[i].request.reissue_reason = cf_str_of(reasons[i]);
        submit_at(r, &rows[i], AT(NOW) + (cf_ms)i);
        const struct intake_application *app = app_row(r, rows[0].application_id);
        assert_int_equal(app->state, i < 2 ? CF_APP_NOTICED : CF_APP_ACCEPTED);
        assert_true(cf_str_is(app->reissue_reason, i < 2 ? "boredom" : "mass_exchange"));
    }
}

/* ---- how old it may be ------------------------------------------------------------------------ */

static void what_came_in_time_is_not_too_old_when_its_enrolment_comes(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW) - 70 * HOUR);
    submit_at(r, &m, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW) + 13 * HOUR);
    assert_string_equal(types_since(r, 0), "application.received application.accepted");
}

static void nor_when_its_enrolment_does_not_come(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW) - 70 * HOUR);
    submit_at(r, &m, AT(NOW));
    struct cf_work timer = r->d->work[0];
    work_outcome(r, &timer, 0, (struct cf_str){0}, timer.due);
    assert_string_equal(types_since(r, 1), "application.noticed");
    assert_string_equal(refusal_reasons(r, event_at(r, 1)), "not_enrolled");
}

static void a_supplement_is_as_old_as_it_was_when_it_came(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW)), late = m;
    struct intake_supplement s = {.request = {.submitted_at = AT(NOW),
                                              .reissue_reason = CF_STR("mass_exchange")}};
    m.request.kind = late.request.kind = CF_KIND_REISSUE;
    for (int too_late = 0; too_late <= 1; too_late++) {
        cf_ms came = AT(NOW) + 72 * HOUR + too_late;
        size_t sent;
        uint8_t id[16];
        struct intake_submit *one = too_late ? &late : &m;
        if (too_late) one->person.document_number = CF_STR("370284199901209243");
        if (too_late) one->person.birth_date = CF_STR("1999-01-20");
        struct cf_key key = submit_at(r, one, AT(NOW));
        fresh_id(r, id);
        memcpy(s.application_id, one->application_id, 16);
        sent = r->d->n_sent;
        assert_int_equal(double_feed(r->d, "application.commands", "application.supplement", &key,
                                     id, came,
                                     intake_codec_supplement(r->a, &s, id, (struct cf_str){0})),
                         0);
        if (too_late) {
            assert_string_equal(types_since(r, sent), "application.rejected");
            assert_string_equal(refusal_reasons(r, event_at(r, sent)), "submitted_too_old");
            continue;
        }
        enrol_at(r, &one->person, 1, came + 13 * HOUR);
        assert_string_equal(types_since(r, sent), "application.received application.accepted");
    }
}

static void what_moves_to_its_right_holder_keeps_its_time(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW) - 70 * HOUR);
    struct cf_key key = key_of(r, &p, m.application_id);
    m.request.received_at = AT(NOW);
    fresh_id(r, m.application_id);
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, &p, &key, &m.sealed), 0);
    Cardflow__V1__ApplicationCommand *c = cf_unpack(
        r->a, &cardflow__v1__application_command__descriptor, intake_codec_submit(r->a, &m));
    Cardflow__V1__IntakeInternal x;
    cardflow__v1__intake_internal__init(&x);
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_MOVED;
    x.moved = c->submit;
    uint8_t id[16];
    fresh_id(r, id);
    enrol_at(r, &p, 1, AT(NOW));
    assert_int_equal(double_feed(r->d, "intake.internal", "application.moved", &key, id,
                                 AT(NOW) + 13 * HOUR, cf_pack(r->a, &x.base)),
                     0);
    assert_string_equal(types_since(r, 0), "application.accepted");
    assert_int_equal(app_row(r, m.application_id)->received_at, AT(NOW));
}

/* The time that a command itself tells is not believed. */
static void a_command_does_not_say_when_it_came(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW) - 73 * HOUR);
    m.request.received_at = AT(NOW) - 2 * HOUR;
    enrol_at(r, &p, 1, AT(NOW));
    submit_at(r, &m, AT(NOW));
    assert_string_equal(refusal_reasons(r, event_at(r, 0)), "submitted_too_old");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_up, rig_down)
    const struct CMUnitTest tests[] = {
        TEST(the_enrolment_puts_right_what_was_noticed_for_the_want_of_it),
        TEST(another_fault_of_the_notice_still_waits_for_its_supplement),
        TEST(what_only_the_enrolment_shows_is_a_notice_of_its_own),
        TEST(a_supplement_gives_the_reason_of_a_reissue),
        TEST(another_reason_is_too_late_after_acceptance),
        TEST(a_list_that_is_sent_again_gives_the_reason),
        TEST(what_came_in_time_is_not_too_old_when_its_enrolment_comes),
        TEST(nor_when_its_enrolment_does_not_come),
        TEST(a_supplement_is_as_old_as_it_was_when_it_came),
        TEST(what_moves_to_its_right_holder_keeps_its_time),
        TEST(a_command_does_not_say_when_it_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
