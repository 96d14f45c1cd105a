/* Intake's decisions through the stage's own code, over doors in memory. */
#include "stage_data.h"

#include "common/pure/receipt.h"

#define NOW "2026-03-02T10:00:00+08:00"
#define HOUR ((cf_ms)3600000)
#define DAY (24 * HOUR)

static void an_enrolled_adult_is_accepted_with_receipt_and_due_date(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    assert_string_equal(types_since(r, 0), "application.accepted");
    const Cardflow__V1__ApplicationEvent__Accepted *a = event_at(r, 0)->accepted;
    assert_true(cf_receipt_check(cf_str_of(a->receipt_no)));
    assert_int_equal(a->accepted_on, cf_day_of_date(2026, 3, 2));
    assert_int_equal(a->due_on, cf_day_of_date(2026, 3, 11)); /* 7 working days */
    assert_string_equal(a->photo_choice, "public_security");
    assert_string_equal(a->document_type, "resident_id");
    struct intake_person back;
    assert_int_equal(intake_codec_person_open(r->ring, r->a, cf_bytes(a->person), &key, &back), 0);
    assert_true(cf_str_eq(back.name, p.name));
    assert_memory_equal(holder_row(r, &key)->permanent.app, m.application_id, 16);
    assert_int_equal(app_row(r, m.application_id)->state, CF_APP_ACCEPTED);
    assert_int_equal(r->d->n_work, 0);
}

static void the_same_submission_again_changes_nothing(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    submit_at(r, &m, AT(NOW));
    size_t sent = r->d->n_sent;
    submit_at(r, &m, AT(NOW) + 1000);
    assert_int_equal(r->d->n_sent, sent);
    assert_int_equal(r->d->n_parked, 0);
}

static void an_application_waits_for_its_enrolment(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW));
    submit_at(r, &m, AT(NOW));
    assert_string_equal(types_since(r, 0), "application.received");
    assert_int_equal(r->d->n_work, 1);
    assert_int_equal(r->d->work[0].due, AT(NOW) + DAY);
    enrol_at(r, &p, 1, AT(NOW) + HOUR);
    assert_string_equal(types_since(r, 1), "application.accepted");
    assert_int_equal(r->d->n_work, 0);
    assert_int_equal(app_row(r, m.application_id)->accepted_on, cf_day_of_date(2026, 3, 2));
}

static void an_enrolment_that_does_not_come_is_a_notice(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW));
    submit_at(r, &m, AT(NOW));
    struct cf_work timer = r->d->work[0];
    work_outcome(r, &timer, 0, (struct cf_str){0}, AT(NOW) + DAY);
    assert_string_equal(types_since(r, 1), "application.noticed");
    assert_string_equal(refusal_reasons(r, event_at(r, 1)), "not_enrolled");
    /* The timer that has fired does not fire again. */
    size_t sent = r->d->n_sent;
    work_outcome(r, &timer, 0, (struct cf_str){0}, AT(NOW) + DAY + HOUR);
    assert_int_equal(r->d->n_sent, sent);
    assert_int_equal(r->d->n_work, 1); /* the last day to put it right */
}

static void a_name_that_is_not_the_enrolled_one_is_a_notice(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult(), other = adult();
    other.name = CF_STR("朱英");
    struct intake_submit m = submission(&p, AT(NOW));
    enrol_at(r, &other, 1, AT(NOW));
    submit_at(r, &m, AT(NOW));
    assert_string_equal(refusal_reasons(r, event_at(r, 0)), "enrolment_name_mismatch");
}

static void a_supplement_is_accepted_on_its_own_day(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult(), changes = {.phone = CF_STR("19900004310")};
    p.phone = CF_STR("123");
    struct intake_submit m = submission(&p, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    assert_string_equal(refusal_reasons(r, event_at(r, 0)), "bad_phone");
    assert_int_equal(event_at(r, 0)->noticed->respond_by, cf_day_of_date(2026, 4, 1));
    supplement_at(r, &key, m.application_id, &changes, NULL, AT(NOW) + 2 * DAY);
    assert_string_equal(types_since(r, 1), "application.accepted");
    assert_int_equal(event_at(r, 1)->accepted->accepted_on, cf_day_of_date(2026, 3, 4));
    assert_int_equal(r->d->n_work, 0);
}

/* Noticed and put right before its enrolment has come: from then on it waits for that. */
static void a_supplement_waits_for_its_enrolment(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult(), changes = {.phone = CF_STR("19900004310")};
    p.phone = CF_STR("123");
    struct intake_submit m = submission(&p, AT(NOW)), late = submission(&p, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    supplement_at(r, &key, m.application_id, &changes, NULL, AT(NOW) + HOUR);
    assert_string_equal(types_since(r, 0), "application.noticed application.received");
    enrol_at(r, &p, 1, AT(NOW) + 2 * HOUR);
    assert_string_equal(types_since(r, 2), "application.accepted");
    assert_int_equal(r->d->n_work, 0);

    p.document_number = CF_STR("370202199003070011");
    p.name = CF_STR("张伟");
    p.birth_date = CF_STR("1990-03-07");
    p.sex = CF_STR("male");
    late.person = p;
    memset(late.application_id, 9, 16);
    key = submit_at(r, &late, AT(NOW) + 3 * HOUR);
    supplement_at(r, &key, late.application_id, &changes, NULL, AT(NOW) + 4 * HOUR);
    struct cf_work timer = r->d->work[0];
    assert_int_equal(timer.due, AT(NOW) + 4 * HOUR + DAY);
    size_t sent = r->d->n_sent;
    work_outcome(r, &timer, 0, (struct cf_str){0}, timer.due);
    assert_string_equal(types_since(r, sent), "application.noticed");
    assert_string_equal(refusal_reasons(r, event_at(r, sent)), "not_enrolled");
}

static void a_supplement_is_taken_once(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult(), changes = {.phone = CF_STR("5")};
    uint8_t command[16] = "same command id";
    p.phone = CF_STR("123");
    struct intake_submit m = submission(&p, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    supplement_at(r, &key, m.application_id, &changes, command, AT(NOW) + HOUR);
    size_t sent = r->d->n_sent;
    supplement_at(r, &key, m.application_id, &changes, command, AT(NOW) + 2 * HOUR);
    assert_int_equal(r->d->n_sent, sent);
}

static void a_corrected_number_moves_the_application_to_its_holder(void **state)
{
    struct rig *r = *state;
    struct intake_person right = adult(), wrong = adult();
    wrong.document_number = CF_STR("370222197409309220"); /* check digit */
    struct intake_person changes = {.document_number = right.document_number};
    struct intake_submit m = submission(&wrong, AT(NOW));
    enrol_at(r, &right, 1, AT(NOW));
    struct cf_key from = submit_at(r, &m, AT(NOW));
    assert_string_equal(refusal_reasons(r, event_at(r, 0)), "bad_check_digit");
    supplement_at(r, &from, m.application_id, &changes, NULL, AT(NOW) + HOUR);
    assert_string_equal(types_since(r, 1), "application.moved application.ended");
    assert_int_equal(double_loop_back(r->d, 1, AT(NOW) + HOUR), 1);
    assert_string_equal(types_since(r, 3), "application.accepted");
    struct cf_key to = key_of(r, &right, m.application_id);
    assert_true(cf_key_eq(&r->d->sent[3].key, &to));
    assert_memory_equal(event_at(r, 3)->application_id.data, m.application_id, 16);
    assert_memory_equal(holder_row(r, &to)->permanent.app, m.application_id, 16);
    assert_int_equal(r->d->n_parked, 0);
}

/* Another document whose holder lives in the same shard: there the row is found by its id. */
static void a_moved_application_is_not_its_old_holders_any_more(void **state)
{
    struct rig *r = *state;
    struct intake_person right = adult(), wrong = adult();
    char number[] = "Q00000";
    wrong.document_type = CF_STR("passport");
    struct cf_key to = key_of(r, &right, NULL), from = {0};
    do {
        number[5]++;
        wrong.document_number = cf_str_of(number);
        from = key_of(r, &wrong, NULL);
    } while (cf_key_partition(&from, 4) != cf_key_partition(&to, 4));
    struct intake_person changes = {.document_type = right.document_type,
                                    .document_number = right.document_number};
    struct intake_submit m = submission(&wrong, AT(NOW));
    submit_at(r, &m, AT(NOW));
    supplement_at(r, &from, m.application_id, &changes, NULL, AT(NOW) + HOUR);
    (void)double_loop_back(r->d, 1, AT(NOW) + HOUR);
    assert_memory_equal(holder_row(r, &to)->permanent.app, m.application_id, 16);
    size_t sent = r->d->n_sent;
    changes = (struct intake_person){.phone = CF_STR("19900001729")};
    supplement_at(r, &from, m.application_id, &changes, NULL, AT(NOW) + 2 * HOUR);
    uint8_t id[16] = "withdraw 1";
    withdraw_at(r, &from, m.application_id, id, AT(NOW) + 2 * HOUR);
    /* Both are refused, each with its paper; no dead letter. */
    assert_int_equal(r->d->n_sent, sent + 2);
    for (size_t i = sent; i < r->d->n_sent; i++)
        assert_string_equal(r->d->sent[i].type, "application.command_decided");
    assert_int_equal(r->d->n_parked, 0);
    assert_memory_equal(holder_row(r, &to)->permanent.app, m.application_id, 16);
    assert_int_equal(app_row(r, m.application_id)->state, CF_APP_RECEIVED);
}

static void a_notice_expires_after_its_last_day(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    p.phone = CF_STR("");
    struct intake_submit m = submission(&p, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    assert_int_equal(r->d->work[0].due, AT("2026-04-02T00:00:00+08:00"));
    struct cf_work timer = r->d->work[0];
    work_outcome(r, &timer, 0, (struct cf_str){0}, timer.due);
    assert_string_equal(types_since(r, 1), "application.ended");
    assert_string_equal(event_at(r, 1)->ended->state, "expired");
    static const uint8_t zero[16];
    assert_memory_equal(holder_row(r, &key)->permanent.app, zero, 16);
}

static void a_withdrawal_ends_what_is_not_accepted_and_asks_production_for_the_rest(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    uint8_t first[16] = "withdraw 1", second[16] = "withdraw 2";
    struct intake_submit waiting = submission(&p, AT(NOW)), m = submission(&p, AT(NOW));
    struct cf_key key = submit_at(r, &waiting, AT(NOW));
    withdraw_at(r, &key, waiting.application_id, first, AT(NOW) + 1);
    assert_string_equal(types_since(r, 1), "application.command_decided application.ended");
    assert_int_equal(r->d->n_work, 0);
    const struct intake_command *done = double_aux(r->d, INTAKE_AUX_COMMAND, first);
    assert_true(done && done->result == INTAKE_DONE && !done->notice_no.len &&
                cf_receipt_check_prefixed(done->voucher_no, CF_VOUCHER_LETTER));
    uint8_t late[16] = "withdraw 3";
    withdraw_at(r, &key, waiting.application_id, late, AT(NOW) + 1);
    assert_string_equal(types_since(r, 3), "application.command_decided");
    const struct intake_command *refused = double_aux(r->d, INTAKE_AUX_COMMAND, late);
    assert_true(refused && refused->result == INTAKE_REFUSED && !refused->voucher_no.len &&
                cf_receipt_check_prefixed(refused->notice_no, CF_NOTICE_LETTER));
    enrol_at(r, &p, 1, AT(NOW) + 2);
    submit_at(r, &m, AT(NOW) + 3);
    withdraw_at(r, &key, m.application_id, second, AT(NOW) + 4);
    withdraw_at(r, &key, m.application_id, second, AT(NOW) + 5);
    assert_string_equal(types_since(r, 4), "application.accepted application.withdrawal_requested");
    step_at(r, &key, m.application_id, "withdrawn", AT(NOW) + 6);
    /* A withdrawn one does not stand in the way of the next. */
    struct intake_submit again = submission(&p, AT(NOW));
    submit_at(r, &again, AT(NOW) + 7);
    assert_string_equal(types_since(r, 6), "application.accepted");
}

static void one_open_application_a_holder(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit a = submission(&p, AT(NOW)), b = submission(&p, AT(NOW)),
                         t = submission(&p, AT(NOW));
    t.request.kind = CF_KIND_TEMPORARY;
    enrol_at(r, &p, 1, AT(NOW));
    submit_at(r, &a, AT(NOW));
    submit_at(r, &b, AT(NOW) + 1);
    submit_at(r, &t, AT(NOW) + 2);
    assert_string_equal(types_since(r, 0),
                        "application.accepted application.rejected application.accepted");
    assert_string_equal(refusal_reasons(r, event_at(r, 1)), "duplicate_application");
}

static void after_collection_the_holder_has_a_card(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    card_at(r, &key, "B00000019", "B01", "sealed", false, AT(NOW) + HOUR);
    step_at(r, &key, m.application_id, "batched", AT(NOW) + HOUR);
    step_at(r, &key, m.application_id, "ready_for_pickup", AT(NOW) + 2 * HOUR);
    step_at(r, &key, m.application_id, "collected", AT(NOW) + 3 * HOUR);
    card_at(r, &key, "B00000019", "B01", "normal", false, AT(NOW) + 4 * HOUR);
    struct intake_submit soon = submission(&p, AT(NOW) + 4 * DAY);
    struct intake_submit late = submission(&p, AT(NOW) + 4 * DAY + 1);
    struct intake_submit elsewhere = late, loss = late;
    elsewhere.request.kind = loss.request.kind = CF_KIND_LOSS_REPLACEMENT;
    elsewhere.request.bank_code = CF_STR("B02");
    elsewhere.request.outlet_code = CF_STR("B02001");
    submit_at(r, &soon, AT(NOW) + 4 * DAY);
    submit_at(r, &late, AT(NOW) + 4 * DAY + 1);
    submit_at(r, &elsewhere, AT(NOW) + 4 * DAY + 2);
    submit_at(r, &loss, AT(NOW) + 4 * DAY + 3);
    assert_string_equal(refusal_reasons(r, event_at(r, 1)), "duplicate_application");
    assert_string_equal(refusal_reasons(r, event_at(r, 2)), "card_exists");
    assert_string_equal(refusal_reasons(r, event_at(r, 3)), "not_issuing_bank");
    assert_string_equal(r->d->sent[4].type, "application.accepted");
    assert_int_equal(r->d->n_parked, 0);
}

static const struct intake_ended *end_of(struct rig *r, const uint8_t app[16])
{
    return double_aux(r->d, INTAKE_AUX_ENDED, app);
}

static void how_an_accepted_application_ended_is_kept_with_the_activation_of_its_card(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    const uint8_t *id = m.application_id;
    card_of_at(r, &key, id, "B00000019", "B01", "sealed", false, AT(NOW) + HOUR);
    step_at(r, &key, id, "ready_for_pickup", AT(NOW) + 2 * HOUR);
    assert_null(end_of(r, id));
    step_at(r, &key, id, "collected", AT(NOW) + 3 * HOUR);
    assert_int_equal(end_of(r, id)->state, CF_APP_COLLECTED);
    assert_int_equal(end_of(r, id)->at, AT(NOW) + 3 * HOUR);
    assert_int_equal(end_of(r, id)->activated_at, 0);
    /* Neither a loss nor its release is an activation; the first time normal is. */
    card_at(r, &key, "B00000019", "B01", "temporary_loss", false, AT(NOW) + 4 * HOUR);
    card_at(r, &key, "B00000019", "B01", "sealed", false, AT(NOW) + 5 * HOUR);
    assert_int_equal(end_of(r, id)->activated_at, 0);
    card_at(r, &key, "B00000019", "B01", "normal", false, AT(NOW) + 6 * HOUR);
    card_at(r, &key, "B00000019", "B01", "temporary_loss", false, AT(NOW) + 7 * HOUR);
    card_at(r, &key, "B00000019", "B01", "normal", false, AT(NOW) + 8 * HOUR);
    assert_int_equal(end_of(r, id)->state, CF_APP_COLLECTED);
    assert_int_equal(end_of(r, id)->at, AT(NOW) + 3 * HOUR);
    assert_int_equal(end_of(r, id)->activated_at, AT(NOW) + 6 * HOUR);
    assert_int_equal(r->d->n_parked, 0);
}

static void an_activated_replacement_takes_the_place_of_the_old_card(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    enrol_at(r, &p, 1, AT(NOW));
    uint8_t nobody[16] = {0};
    struct cf_key key = key_of(r, &p, nobody);
    card_at(r, &key, "B00000019", "B01", "formal_loss", false, AT(NOW));
    card_at(r, &key, "B00000027", "B01", "sealed", false, AT(NOW) + 1);
    assert_true(cf_str_is(holder_row(r, &key)->card.card_no, "B00000019"));
    assert_true(cf_str_is(holder_row(r, &key)->made.card_no, "B00000027"));
    card_at(r, &key, "B00000027", "B01", "normal", false, AT(NOW) + 2);
    card_at(r, &key, "B00000019", "B01", "cancelled", false, AT(NOW) + 3);
    assert_true(cf_str_is(holder_row(r, &key)->card.card_no, "B00000027"));
    assert_int_equal(holder_row(r, &key)->card.state, CF_CARD_NORMAL);
    assert_int_equal(holder_row(r, &key)->made.state, CF_CARD_NONE);
}

static void a_card_of_somebody_never_enrolled_is_told_until_the_enrolment_comes(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    uint8_t nobody[16] = {0};
    struct cf_key key = key_of(r, &p, nobody);
    card_at(r, &key, "B00000019", "B01", "normal", false, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW) + 1);
    card_at(r, &key, "B00000019", "B01", "temporary_loss", false, AT(NOW) + 2);
    end_enrolment(r, &p, 2, "left", AT(NOW) + 3);
    card_at(r, &key, "B00000019", "B01", "normal", false, AT(NOW) + 4);
    enrol_at(r, &p, 3, AT(NOW) + 5);
    assert_string_equal(types_since(r, 0),
                        "application.not_enrolled application.enrolment_changed "
                        "application.enrolment_changed application.enrolment_changed");
    assert_true(event_at(r, 1)->enrolment_changed->active);
    assert_false(event_at(r, 2)->enrolment_changed->active);
    assert_true(event_at(r, 3)->enrolment_changed->active);
}

static void the_enrolment_of_who_applies_for_the_first_card_is_no_news(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    struct cf_key key = submit_at(r, &m, AT(NOW));
    card_of_at(r, &key, m.application_id, "B00000019", "B01", "sealed", false, AT(NOW) + HOUR);
    card_at(r, &key, "B00000019", "B01", "normal", false, AT(NOW) + 2 * HOUR);
    enrol_at(r, &p, 2, AT(NOW) + 3 * HOUR);
    assert_string_equal(types_since(r, 0), "application.accepted");
}

static void a_death_closes_what_is_open_and_is_told(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    p.phone = CF_STR("");
    struct intake_submit m = submission(&p, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    submit_at(r, &m, AT(NOW));
    end_enrolment(r, &p, 2, "death", AT(NOW) + HOUR);
    assert_string_equal(types_since(r, 1), "application.ended application.enrolment_changed");
    assert_string_equal(event_at(r, 1)->ended->state, "closed");
    assert_string_equal(event_at(r, 1)->ended->reason, "holder_died");
    assert_int_equal(r->d->n_work, 0);
    /* An older record that comes late changes nothing. */
    enrol_at(r, &p, 1, AT(NOW) + 2 * HOUR);
    assert_int_equal(r->d->n_sent, 3);
}

static void a_wrong_key_is_a_dead_letter(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult(), other = adult();
    other.document_number = CF_STR("370284199901209243");
    struct intake_submit m = submission(&p, AT(NOW));
    uint8_t id[16];
    fresh_id(r, m.application_id);
    fresh_id(r, id);
    struct cf_key own = key_of(r, &p, id), wrong = key_of(r, &other, id);
    assert_false(cf_key_eq(&own, &wrong));
    struct cf_str cases[2];
    /* sealed for its own key; and sealed for the wrong one, as a careless producer would */
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, &p, &own, &m.sealed), 0);
    cases[0] = intake_codec_submit(r->a, &m);
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, &p, &wrong, &m.sealed), 0);
    cases[1] = intake_codec_submit(r->a, &m);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(double_feed(r->d, "application.commands", "application.submit", &wrong,
                                     id, AT(NOW), cases[i]),
                         0);
        assert_int_equal(r->d->n_sent, i + 1);
        assert_string_equal(r->d->sent[i].topic, "application.commands.dlq");
    }
    assert_null(app_row(r, m.application_id));
}

static void an_old_command_is_refused(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = submission(&p, AT(NOW));
    m.request.may_backdate = true;
    enrol_at(r, &p, 1, AT(NOW) + 8 * DAY); /* time has passed in this shard */
    submit_at(r, &m, AT(NOW));
    assert_string_equal(refusal_reasons(r, event_at(r, 0)), "command_expired");
}

/* ---- rosters ---------------------------------------------------------------------------------- */

static void feed_internal(struct rig *r, const char *type, const struct cf_key *key,
                          struct cf_str value, cf_ms now)
{
    uint8_t id[16];
    fresh_id(r, id);
    assert_int_equal(double_feed(r->d, "intake.internal", type, key, id, now, value), 0);
}

static const struct intake_roster *open_roster(struct rig *r, const uint8_t id[16],
                                               struct cf_key *key)
{
    struct intake_roster_meta m = {.client = CF_STR("unit"),
                                   .unit_code = CF_STR("U370200001"),
                                   .bank_code = CF_STR("B01"),
                                   .outlet_code = CF_STR("B01001"),
                                   .encoding = CF_STR("utf-8"),
                                   .kind = CF_KIND_FIRST_ISSUE,
                                   .channel = CF_CHANNEL_UNIT,
                                   .submitted_at = AT(NOW)};
    memcpy(m.roster_id, id, 16);
    *key = cf_key_roster(id);
    feed_internal(r, "roster.opened", key, intake_codec_roster_opened(r->a, &m), AT(NOW));
    return double_row(r->d, INTAKE_KIND_ROSTER, key);
}

static void a_roster_counts_its_rows(void **state)
{
    struct rig *r = *state;
    uint8_t id[16] = "roster one";
    struct cf_key key;
    const struct intake_roster *roster = open_roster(r, id, &key);
    assert_non_null(roster);
    assert_int_equal(r->d->n_work, 1);
    struct cf_work split = r->d->work[0];
    assert_int_equal(split.kind, INTAKE_WORK_SPLIT);
    /* Opened again by a repeat of the request: nothing new. */
    open_roster(r, id, &key);
    assert_int_equal(r->d->n_work, 1);

    struct intake_person p = adult(), q = adult();
    q.phone = CF_STR("");
    q.document_number = CF_STR("370284199901209243");
    q.birth_date = CF_STR("1999-01-20");
    struct intake_submit a = row_submission(&p, id, 1, AT(NOW));
    struct intake_submit b = row_submission(&q, id, 2, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    enrol_at(r, &q, 1, AT(NOW));
    struct cf_key holder = submit_at(r, &a, AT(NOW));
    submit_at(r, &b, AT(NOW));
    struct intake_row_msg refused = {.row_no = 3, .outcome = INTAKE_ROW_REFUSED,
                                     .reasons = CF_STR("column_count")};
    memcpy(refused.roster_id, id, 16);
    feed_internal(r, "row.outcome", &key, intake_codec_row(r->a, &refused), AT(NOW));
    feed_internal(r, "row.outcome", &key, intake_codec_row(r->a, &refused), AT(NOW));
    work_outcome(r, &split, 1, intake_codec_progress(r->a, id, 4, 3, true, NULL), AT(NOW));
    for (size_t i = 0; i < r->d->n_sent; i++)
        if (!strcmp(r->d->sent[i].type, "row.outcome")) {
            /* as the log would bring it, numbered by this stage */
            struct double_sent s = r->d->sent[i];
            struct cf_record rec = {.cf_src = CF_STR("x")};
            (void)rec;
            feed_internal(r, "row.outcome", &s.key, s.value, AT(NOW));
        }
    roster = double_row(r->d, INTAKE_KIND_ROSTER, &key);
    assert_true(roster->complete);
    assert_int_equal(roster->records, 3);
    assert_int_equal(roster->accepted, 1);
    assert_int_equal(roster->refused, 2);
    assert_int_equal(roster->by_state[INTAKE_COUNT_ACCEPTED], 1);
    assert_int_equal(roster->by_state[INTAKE_COUNT_NOTICED], 1);
    /* A row's application goes on: the roster hears of it. */
    size_t sent = r->d->n_sent;
    step_at(r, &holder, a.application_id, "ready_for_pickup", AT(NOW) + HOUR);
    step_at(r, &holder, a.application_id, "collected", AT(NOW) + 2 * HOUR);
    assert_string_equal(types_since(r, sent), "row.outcome row.outcome");
}

static void the_same_list_again_makes_nothing_new(void **state)
{
    struct rig *r = *state;
    uint8_t first[16] = "roster one", second[16] = "roster two";
    struct intake_person p = adult();
    struct intake_submit a = row_submission(&p, first, 1, AT(NOW));
    struct intake_submit b = row_submission(&p, second, 1, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    submit_at(r, &a, AT(NOW));
    size_t sent = r->d->n_sent;
    submit_at(r, &b, AT(NOW) + 1);
    assert_string_equal(types_since(r, sent), "row.outcome");
    assert_null(app_row(r, b.application_id));
    const Cardflow__V1__IntakeInternal *x =
        cf_unpack(r->a, &cardflow__v1__intake_internal__descriptor, r->d->sent[sent].value);
    assert_string_equal(x->row_outcome->outcome, "unchanged");
    assert_memory_equal(x->row_outcome->application_id.data, a.application_id, 16);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_up, rig_down)
    const struct CMUnitTest tests[] = {
        TEST(an_enrolled_adult_is_accepted_with_receipt_and_due_date),
        TEST(the_same_submission_again_changes_nothing),
        TEST(an_application_waits_for_its_enrolment),
        TEST(an_enrolment_that_does_not_come_is_a_notice),
        TEST(a_name_that_is_not_the_enrolled_one_is_a_notice),
        TEST(a_supplement_is_accepted_on_its_own_day),
        TEST(a_supplement_waits_for_its_enrolment),
        TEST(a_supplement_is_taken_once),
        TEST(a_corrected_number_moves_the_application_to_its_holder),
        TEST(a_moved_application_is_not_its_old_holders_any_more),
        TEST(a_notice_expires_after_its_last_day),
        TEST(a_withdrawal_ends_what_is_not_accepted_and_asks_production_for_the_rest),
        TEST(one_open_application_a_holder),
        TEST(after_collection_the_holder_has_a_card),
        TEST(how_an_accepted_application_ended_is_kept_with_the_activation_of_its_card),
        TEST(an_activated_replacement_takes_the_place_of_the_old_card),
        TEST(a_card_of_somebody_never_enrolled_is_told_until_the_enrolment_comes),
        TEST(the_enrolment_of_who_applies_for_the_first_card_is_no_news),
        TEST(a_death_closes_what_is_open_and_is_told),
        TEST(a_wrong_key_is_a_dead_letter),
        TEST(an_old_command_is_refused),
        TEST(a_roster_counts_its_rows),
        TEST(the_same_list_again_makes_nothing_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
