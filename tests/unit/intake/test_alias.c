/* Changed documents, schools, and the answers of production, over doors in memory. */
#include "stage_data.h"

#define NOW "2026-03-02T10:00:00+08:00"
#define HOUR ((cf_ms)3600000)

static struct intake_person foreigner(const char *passport)
{
    return (struct intake_person){.document_type = CF_STR("passport"),
                                  .document_number = cf_str_of(passport),
                                  .name = CF_STR("Quirin Belvedere"),
                                  .sex = CF_STR("male"),
                                  .birth_date = CF_STR("1990-02-17"),
                                  .phone = CF_STR("19900004310"),
                                  .address = CF_STR("青岛市市北区示例路118号")};
}

static struct intake_submit passport_submission(const struct intake_person *p)
{
    struct intake_submit m = submission(p, AT(NOW));
    m.request.photo_choice = CF_STR("upload");
    return m;
}

static void change_document(struct rig *r, const struct intake_person *old,
                            const struct intake_person *new, int64_t revision)
{
    uint8_t id[16];
    struct cf_str was, is;
    fresh_id(r, id);
    struct cf_key key = key_of(r, old, id);
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, old, &key, &was), 0);
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, new, &key, &is), 0);
    assert_int_equal(double_feed(r->d, "enrolment.events", "enrolment.document_changed", &key, id,
                                 AT(NOW),
                                 intake_codec_document_changed(r->a, was, is, revision)),
                     0);
}

/* Enrolled with one passport, renewed to another, and all of it handled. */
static size_t renewed(struct rig *r, const struct intake_person *old,
                      const struct intake_person *new)
{
    enrol_at(r, old, 1, AT(NOW));
    change_document(r, old, new, 2);
    assert_string_equal(types_since(r, 0), "holder.aliased");
    assert_int_equal(double_loop_back(r->d, 0, AT(NOW)), 1);
    assert_string_equal(types_since(r, 1), "application.aliased");
    return r->d->n_sent;
}

static void an_application_with_the_new_document_is_the_holders(void **state)
{
    struct rig *r = *state;
    struct intake_person old = foreigner("QX7000001"), new = foreigner("QX7000002");
    struct intake_submit m = passport_submission(&new), again = passport_submission(&old);
    size_t from = renewed(r, &old, &new);
    struct cf_key alias = submit_at(r, &m, AT(NOW)), canonical = key_of(r, &old, m.application_id);
    assert_string_equal(types_since(r, from), "application.moved");
    assert_int_equal(double_loop_back(r->d, from, AT(NOW)), 1);
    assert_string_equal(types_since(r, from + 1), "application.accepted");
    assert_true(cf_key_eq(&r->d->sent[from + 1].key, &canonical));
    assert_memory_equal(holder_row(r, &canonical)->permanent.app, m.application_id, 16);
    assert_true(cf_key_eq(&holder_row(r, &alias)->alias_of, &canonical));
    /* By either document it is one holder with one open application. */
    submit_at(r, &again, AT(NOW) + 1);
    assert_string_equal(refusal_reasons(r, event_at(r, from + 2)), "duplicate_application");
    /* And the same request again is known where it came in. */
    size_t sent = r->d->n_sent;
    submit_at(r, &m, AT(NOW) + 2);
    assert_int_equal(double_loop_back(r->d, sent, AT(NOW)), 0);
    assert_int_equal(r->d->n_parked, 0);
}

/* A partner on Kafka that keeps one reference for a person, and shows the other document. */
static struct cf_key submit_under(struct rig *r, const struct intake_person *keyed,
                                  struct intake_submit *m)
{
    fresh_id(r, m->application_id);
    struct cf_key key = key_of(r, keyed, m->application_id);
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, &m->person, &key, &m->sealed), 0);
    assert_int_equal(double_feed(r->d, "application.commands", "application.submit", &key,
                                 m->application_id, AT(NOW), intake_codec_submit(r->a, m)),
                     0);
    return key;
}

static void either_reference_goes_with_either_document(void **state)
{
    struct rig *r = *state;
    struct intake_person old = foreigner("QX7000001"), new = foreigner("QX7000002");
    struct intake_person stranger = foreigner("QX7000009");
    struct intake_submit by_old = passport_submission(&new), by_new = passport_submission(&old);
    struct intake_submit others = passport_submission(&stranger), anothers = others;
    size_t from = renewed(r, &old, &new);
    struct cf_key key = submit_under(r, &old, &by_old);
    assert_string_equal(types_since(r, from), "application.accepted");
    assert_memory_equal(holder_row(r, &key)->permanent.app, by_old.application_id, 16);
    submit_under(r, &new, &by_new);
    assert_string_equal(types_since(r, from + 1), "application.moved");
    double_loop_back(r->d, from + 1, AT(NOW));
    assert_string_equal(refusal_reasons(r, event_at(r, from + 2)), "duplicate_application");
    /* A stranger's document goes with neither. */
    size_t sent = r->d->n_sent;
    submit_under(r, &old, &others);
    submit_under(r, &new, &anothers);
    assert_string_equal(r->d->sent[sent].topic, "application.commands.dlq");
    assert_string_equal(r->d->sent[sent + 1].topic, "application.commands.dlq");
    assert_int_equal(r->d->n_sent, sent + 2);
    assert_int_equal(r->d->n_parked, 0);
}

static void a_record_of_the_new_document_may_come_under_the_old_reference(void **state)
{
    struct rig *r = *state;
    struct intake_person old = foreigner("QX7000001"), new = foreigner("QX7000002");
    struct cf_str sealed;
    uint8_t id[16];
    fresh_id(r, id);
    renewed(r, &old, &new);
    struct cf_key key = key_of(r, &old, id);
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, &new, &key, &sealed), 0);
    assert_int_equal(double_feed(r->d, "enrolment.events", "enrolment.changed", &key, id, AT(NOW),
                                 intake_codec_enrolment(r->a, "changed", sealed, 3, CF_STR("U2"),
                                                        (struct cf_str){0})),
                     0);
    assert_int_equal(holder_row(r, &key)->revision, 3);
    assert_true(cf_str_is(holder_row(r, &key)->unit_code, "U2"));
}

static void who_applied_before_the_change_was_known_is_judged_with_it(void **state)
{
    struct rig *r = *state;
    struct intake_person old = foreigner("QX7000001"), new = foreigner("QX7000002");
    struct intake_submit m = passport_submission(&new);
    submit_at(r, &m, AT(NOW));
    assert_string_equal(types_since(r, 0), "application.received");
    enrol_at(r, &old, 1, AT(NOW));
    change_document(r, &old, &new, 2);
    double_loop_back(r->d, 1, AT(NOW));
    assert_string_equal(types_since(r, 1), "holder.aliased application.moved application.aliased "
                                           "application.ended application.accepted");
    assert_int_equal(r->d->n_work, 0);
    assert_int_equal(r->d->n_parked, 0);
}

static void a_supplement_with_the_new_document_stays_with_the_holder(void **state)
{
    struct rig *r = *state;
    struct intake_person old = foreigner("QX7000001"), new = foreigner("QX7000002");
    struct intake_person changes = {.phone = CF_STR("19900004310"),
                                    .document_number = new.document_number};
    struct intake_submit m = passport_submission(&old);
    m.person.phone = CF_STR("123");
    size_t from = renewed(r, &old, &new);
    struct cf_key key = submit_at(r, &m, AT(NOW));
    supplement_at(r, &key, m.application_id, &changes, NULL, AT(NOW) + HOUR);
    assert_string_equal(types_since(r, from), "application.noticed application.accepted");
}

static void records_of_the_new_document_are_the_holders(void **state)
{
    struct rig *r = *state;
    struct intake_person old = foreigner("QX7000001"), new = foreigner("QX7000002");
    struct intake_person third = foreigner("QX7000003");
    struct cf_key canonical = key_of(r, &old, (const uint8_t[16]){0});
    size_t from = renewed(r, &old, &new);
    new.name = third.name = CF_STR("Quirin Cavendish");
    enrol_at(r, &new, 3, AT(NOW));
    change_document(r, &new, &third, 4);
    end_enrolment(r, &third, 5, "left", AT(NOW));
    double_loop_back(r->d, from, AT(NOW));
    assert_int_equal(holder_row(r, &canonical)->revision, 4);
    assert_int_equal(holder_row(r, &canonical)->aliases.len, 32);
    end_enrolment(r, &third, 6, "left", AT(NOW));
    double_loop_back(r->d, r->d->n_sent - 1, AT(NOW));
    assert_int_equal(holder_row(r, &canonical)->enrolment, INTAKE_ENROLMENT_ENDED);
    assert_int_equal(holder_row(r, &canonical)->revision, 6);
    uint8_t hash[16];
    cf_name_hash(r->ring, new.name, hash);
    assert_memory_equal(holder_row(r, &canonical)->name_hash, hash, 16);
    assert_int_equal(r->d->n_parked, 0);
}

static void an_older_change_does_nothing(void **state)
{
    struct rig *r = *state;
    struct intake_person old = foreigner("QX7000001"), new = foreigner("QX7000002");
    enrol_at(r, &old, 5, AT(NOW));
    change_document(r, &old, &new, 5);
    assert_int_equal(r->d->n_sent, 0);
    change_document(r, &old, &old, 6); /* a corrected record with the same number */
    assert_int_equal(r->d->n_sent, 0);
    assert_int_equal(r->d->n_parked, 0);
}

/* ---- schools ---------------------------------------------------------------------------------- */

static void unit_at(struct rig *r, const char *type, const char *kind, const char *bank,
                    int64_t revision)
{
    uint8_t id[16];
    struct cf_key key;
    const struct cf_str banks[] = {cf_str_of(bank), CF_STR("B03")};
    fresh_id(r, id);
    assert_true(cf_key_unit(CF_STR("U1"), &key)); /* the unit of enrol_at */
    size_t from = r->d->n_sent;
    assert_int_equal(double_feed(r->d, "unit.events", "unit.registered", &key, id, AT(NOW),
                                 intake_codec_unit(r->a, type, CF_STR("U1"), cf_str_of(kind), banks,
                                                   *bank ? 2 : 0, CF_STR("2026-03-01"), revision)),
                     0);
    double_loop_back(r->d, from, AT(NOW));
}

static const char *applied_at(struct rig *r, const struct intake_person *p, const char *bank)
{
    struct intake_submit m = submission(p, AT(NOW));
    uint8_t id[16];
    m.request.bank_code = cf_str_of(bank);
    m.request.outlet_code = cf_arena_printf(r->a, "%s001", bank);
    size_t from = r->d->n_sent;
    struct cf_key key = submit_at(r, &m, AT(NOW));
    const char *type = types_since(r, from);
    fresh_id(r, id);
    if (!strcmp(type, "application.accepted")) {
        step_at(r, &key, m.application_id, "withdrawn", AT(NOW));
        return "";
    }
    const char *reasons = refusal_reasons(r, event_at(r, from));
    withdraw_at(r, &key, m.application_id, id, AT(NOW));
    return reasons;
}

static void pupils_apply_at_a_bank_of_their_school(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    enrol_at(r, &p, 1, AT(NOW));
    assert_string_equal(applied_at(r, &p, "B01"), ""); /* no school is known */
    unit_at(r, "unit_registered", "school", "B02", 1);
    assert_string_equal(r->d->sent[r->d->n_sent - 1].type, "unit.told");
    assert_string_equal(applied_at(r, &p, "B01"), "not_schools_bank");
    assert_string_equal(applied_at(r, &p, "B02"), "");
    assert_string_equal(applied_at(r, &p, "B03"), "");
    unit_at(r, "unit_changed", "school", "", 2);
    assert_string_equal(applied_at(r, &p, "B01"), ""); /* no bank is known: any */
    unit_at(r, "unit_changed", "school", "B02", 3);
    unit_at(r, "unit_changed", "employer", "B02", 4);
    assert_string_equal(applied_at(r, &p, "B01"), ""); /* an employer has no say */
    size_t sent = r->d->n_sent;
    unit_at(r, "unit_changed", "employer", "B02", 5);
    assert_int_equal(r->d->n_sent, sent); /* nor need the shards know it */
    assert_int_equal(r->d->n_parked, 0);
}

/* ---- withdrawals of what is accepted ---------------------------------------------------------- */

static void answered_at(struct rig *r, const struct cf_key *key, const uint8_t app[16],
                        const uint8_t command[16], const char *operation, const char *reason)
{
    Cardflow__V1__CardEvent e;
    Cardflow__V1__CardEvent__OperationAnswered o;
    char *reasons[] = {(char *)(uintptr_t)reason};
    uint8_t id[16];
    cardflow__v1__card_event__init(&e);
    cardflow__v1__card_event__operation_answered__init(&o);
    e.application_id = cf_data_id(app);
    o.operation_id = cf_data_id(command);
    o.operation = (char *)(uintptr_t)operation;
    o.result = (char *)(uintptr_t)(*reason ? "refused" : "done");
    o.reasons = reasons;
    o.n_reasons = *reason != 0;
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_OPERATION_ANSWERED;
    e.operation_answered = &o;
    fresh_id(r, id);
    assert_int_equal(double_feed(r->d, "card.events", "card.operation_answered", key, id, AT(NOW),
                                 cf_pack(r->a, &e.base)),
                     0);
}

static void who_withdraws_hears_what_production_says(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW));
    uint8_t first[16] = "withdraw 1", second[16] = "withdraw 2", other[16] = "activate";
    enrol_at(r, &p, 1, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    withdraw_at(r, &key, m.application_id, first, AT(NOW) + 1);
    assert_null(double_aux(r->d, INTAKE_AUX_COMMAND, first)); /* nobody knows yet */
    answered_at(r, &key, m.application_id, first, "withdraw", "in_production");
    const struct intake_command *c = double_aux(r->d, INTAKE_AUX_COMMAND, first);
    assert_int_equal(c->result, INTAKE_REFUSED);
    assert_true(cf_str_is(c->reason, "in_production"));
    assert_memory_equal(c->application_id, m.application_id, 16);
    answered_at(r, &key, m.application_id, second, "withdraw", "");
    c = double_aux(r->d, INTAKE_AUX_COMMAND, second);
    assert_int_equal(c->result, INTAKE_DONE);
    answered_at(r, &key, m.application_id, other, "activate", "not_collected");
    assert_null(double_aux(r->d, INTAKE_AUX_COMMAND, other));
    assert_int_equal(r->d->n_parked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_application_with_the_new_document_is_the_holders, rig_up,
                                        rig_down),
        cmocka_unit_test_setup_teardown(either_reference_goes_with_either_document,
                                        rig_up, rig_down),
        cmocka_unit_test_setup_teardown(a_record_of_the_new_document_may_come_under_the_old_reference,
                                        rig_up, rig_down),
        cmocka_unit_test_setup_teardown(who_applied_before_the_change_was_known_is_judged_with_it,
                                        rig_up, rig_down),
        cmocka_unit_test_setup_teardown(a_supplement_with_the_new_document_stays_with_the_holder,
                                        rig_up, rig_down),
        cmocka_unit_test_setup_teardown(records_of_the_new_document_are_the_holders, rig_up,
                                        rig_down),
        cmocka_unit_test_setup_teardown(an_older_change_does_nothing, rig_up, rig_down),
        cmocka_unit_test_setup_teardown(pupils_apply_at_a_bank_of_their_school, rig_up, rig_down),
        cmocka_unit_test_setup_teardown(who_withdraws_hears_what_production_says, rig_up, rig_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
