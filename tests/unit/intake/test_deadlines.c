/* Extensions are asked of production, and its dates come back. */
#include "stage_data.h"

#define NOW AT("2026-03-02T10:00:00+08:00")

static const uint8_t COMMAND[16] = {0xee};

static void extend_at(struct rig *r, const struct cf_key *key, const uint8_t app[16],
                      const uint8_t command[16], cf_ms now)
{
    struct intake_extend m = {.days = 3, .reason = CF_STR("machine"), .staff_id = CF_STR("o-1")};
    memcpy(m.application_id, app, 16);
    assert_int_equal(double_feed(r->d, "application.commands", "application.extend", key, command,
                                 now, intake_codec_extend(r->a, &m, command)),
                     0);
}

static void postponed_at(struct rig *r, const struct cf_key *key, const uint8_t app[16],
                         const char *what, cf_day due_on, cf_ms now)
{
    Cardflow__V1__CardEvent e;
    Cardflow__V1__CardEvent__Deadline d;
    uint8_t id[16];
    cardflow__v1__card_event__init(&e);
    cardflow__v1__card_event__deadline__init(&d);
    e.application_id = cf_data_id(app);
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_DEADLINE;
    e.deadline = &d;
    d.what = (char *)(uintptr_t)what;
    d.due_on = due_on;
    d.working_days = 10;
    d.provisional = true;
    fresh_id(r, id);
    assert_int_equal(double_feed(r->d, "card.events", "card.deadline_changed", key, id, now,
                                 cf_pack(r->a, &e.base)),
                     0);
}

static void answered_at(struct rig *r, const struct cf_key *key, const uint8_t app[16],
                        const char *result, cf_ms now)
{
    Cardflow__V1__CardEvent e;
    Cardflow__V1__CardEvent__OperationAnswered o;
    uint8_t id[16];
    static char reason[] = "extension_past_limit", *reasons[] = {reason};
    cardflow__v1__card_event__init(&e);
    cardflow__v1__card_event__operation_answered__init(&o);
    e.application_id = cf_data_id(app);
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_OPERATION_ANSWERED;
    e.operation_answered = &o;
    o.operation_id = cf_data_id(COMMAND);
    o.operation = (char *)(uintptr_t) "extend_deadline";
    o.result = (char *)(uintptr_t)result;
    o.reasons = reasons;
    o.n_reasons = !strcmp(result, "refused");
    fresh_id(r, id);
    assert_int_equal(double_feed(r->d, "card.events", "card.operation_answered", key, id, now,
                                 cf_pack(r->a, &e.base)),
                     0);
}

static const struct intake_command *answer(struct rig *r)
{
    return double_aux(r->d, INTAKE_AUX_COMMAND, COMMAND);
}

static void of_an_accepted_application_production_is_asked(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, NOW);
    enrol_at(r, &p, 1, NOW);
    struct cf_key key = submit_at(r, &m, NOW);
    size_t before = r->d->n_sent;
    extend_at(r, &key, m.application_id, COMMAND, NOW);
    assert_string_equal(types_since(r, before), "application.extension_requested");
    const Cardflow__V1__ApplicationEvent *e = event_at(r, before);
    assert_int_equal(e->extension_requested->days, 3);
    assert_string_equal(e->extension_requested->reason, "machine");
    assert_string_equal(e->extension_requested->staff_id, "o-1");
    assert_null(answer(r));
    /* The same command again is nothing new. */
    before = r->d->n_sent;
    extend_at(r, &key, m.application_id, COMMAND, NOW);
    assert_int_equal(r->d->n_sent, before);
    postponed_at(r, &key, m.application_id, "recalculated", 20601, NOW);
    assert_int_equal(app_row(r, m.application_id)->due_on, 20601);
    assert_int_equal(app_row(r, m.application_id)->working_days, 0);
    postponed_at(r, &key, m.application_id, "extended", 20602, NOW);
    assert_int_equal(app_row(r, m.application_id)->working_days, 10);
    postponed_at(r, &key, m.application_id, "recalculated", 20600, NOW);
    answered_at(r, &key, m.application_id, "done", NOW);
    const struct intake_application *app = app_row(r, m.application_id);
    assert_int_equal(app->due_on, 20600);
    assert_int_equal(app->working_days, 10);
    assert_true(app->provisional);
    assert_int_equal(answer(r)->result, INTAKE_DONE);
    assert_int_equal(r->d->n_parked, 0);
}

static void a_refusal_of_production_is_the_answer(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, NOW);
    enrol_at(r, &p, 1, NOW);
    struct cf_key key = submit_at(r, &m, NOW);
    extend_at(r, &key, m.application_id, COMMAND, NOW);
    answered_at(r, &key, m.application_id, "refused", NOW);
    assert_int_equal(answer(r)->result, INTAKE_REFUSED);
    assert_true(cf_str_is(answer(r)->reason, "extension_past_limit"));
}

static void what_is_not_accepted_has_no_deadline_to_extend(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, NOW);
    struct cf_key key = submit_at(r, &m, NOW); /* waits for its enrolment */
    extend_at(r, &key, m.application_id, COMMAND, NOW);
    assert_true(cf_str_is(answer(r)->reason, "illegal_in_state"));
    /* Nor has one that nobody knows, or a command that is too old. */
    const uint8_t other[16] = {3}, second[16] = {4};
    extend_at(r, &key, other, second, NOW);
    const struct intake_command *row = double_aux(r->d, INTAKE_AUX_COMMAND, second);
    assert_true(cf_str_is(row->reason, "illegal_in_state"));
}

static void a_date_of_an_application_that_is_not_here_is_parked(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, NOW);
    enrol_at(r, &p, 1, NOW);
    struct cf_key key = submit_at(r, &m, NOW);
    postponed_at(r, &key, COMMAND, "extended", 20600, NOW);
    assert_int_equal(r->d->n_parked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(of_an_accepted_application_production_is_asked, rig_up,
                                        rig_down),
        cmocka_unit_test_setup_teardown(a_refusal_of_production_is_the_answer, rig_up, rig_down),
        cmocka_unit_test_setup_teardown(what_is_not_accepted_has_no_deadline_to_extend, rig_up,
                                        rig_down),
        cmocka_unit_test_setup_teardown(a_date_of_an_application_that_is_not_here_is_parked,
                                        rig_up, rig_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
