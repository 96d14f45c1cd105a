/* The agent takes the cards of a roster: which rows, once an id, step by step; what is refused. */
#include "stage_data.h"

#include "services/intake/rules_roster.h"

#define NOW "2026-03-02T10:00:00+08:00"

static const uint8_t ROSTER[16] = "roster one";

static void internal(struct rig *r, const char *type, const struct cf_key *key, struct cf_str value)
{
    uint8_t id[16];
    fresh_id(r, id);
    assert_int_equal(double_feed(r->d, "intake.internal", type, key, id, AT(NOW), value), 0);
}

static struct cf_key open_roster(struct rig *r)
{
    struct intake_roster_meta m = {.client = CF_STR("unit"),
                                   .unit_code = CF_STR("U370200001"),
                                   .kind = CF_KIND_FIRST_ISSUE,
                                   .channel = CF_CHANNEL_UNIT,
                                   .submitted_at = AT(NOW)};
    struct cf_key key = cf_key_roster(ROSTER);
    memcpy(m.roster_id, ROSTER, 16);
    internal(r, "roster.opened", &key, intake_codec_roster_opened(r->a, &m));
    struct cf_work split = r->d->work[0];
    work_outcome(r, &split, 1, intake_codec_progress(r->a, ROSTER, 2, 1, true, NULL), AT(NOW));
    assert_int_equal(r->d->n_work, 0);
    return key;
}

static void ask(struct rig *r, const struct cf_key *key, const char *id)
{
    static const uint32_t rows[] = {3, 70000};
    struct intake_collect m = {.outlet_code = CF_STR("B01001"),
                               .collector = CF_STR("sealed"),
                               .channel = CF_CHANNEL_UNIT,
                               .rows = rows,
                               .n_rows = 2};
    memcpy(m.id, id, 16);
    memcpy(m.roster_id, ROSTER, 16);
    internal(r, "roster.collect", key, intake_codec_collect(r->a, &m));
}

static void which_rows_an_agent_may_take(void **state)
{
    static const struct {
        const char *why;
        bool known, unchanged;
        enum cf_app_state state;
        const char *want;
    } table[] = {
        {"its card lies there", true, false, CF_APP_READY_FOR_PICKUP, "to_collect"},
        {"somebody has it", true, false, CF_APP_COLLECTED, "already_collected"},
        {"on its way", true, false, CF_APP_ACCEPTED, "not_ready_for_pickup"},
        {"refused when it was read", true, false, CF_APP_NONE, "not_ready_for_pickup"},
        {"over", true, false, CF_APP_WITHDRAWN, "not_ready_for_pickup"},
        {"an earlier list made it", true, true, CF_APP_READY_FOR_PICKUP, "of_another_list"},
        {"no such row", false, false, CF_APP_NONE, "unknown_row"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *got = intake_take_name(
            intake_row_take(table[i].known, table[i].unchanged, table[i].state));
        if (strcmp(got, table[i].want)) fail_msg("%s: %s", table[i].why, got);
    }
}

static void a_collection_is_worked_off_once(void **state)
{
    struct rig *r = *state;
    struct cf_key key = open_roster(r);
    ask(r, &key, "collection-id-01");
    assert_int_equal(r->d->n_work, 1);
    struct cf_work w = r->d->work[0];
    struct intake_collect m;
    assert_int_equal(w.kind, INTAKE_WORK_COLLECT);
    assert_int_equal(intake_codec_collect_read(r->a, w.args, &m), 0);
    assert_memory_equal(m.roster_id, ROSTER, 16);
    assert_true(m.n_rows == 2 && m.rows[1] == 70000 && m.next_row == 0);
    assert_true(cf_str_is(m.outlet_code, "B01001") && cf_str_is(m.collector, "sealed"));
    const struct intake_collection *row =
        double_aux(r->d, INTAKE_AUX_COLLECTION, (const uint8_t *)"collection-id-01");
    assert_non_null(row);
    assert_true(cf_str_is(row->collector, "sealed") && row->at == AT(NOW));
    assert_true(cf_str_is(row->rows, "3|70000"));

    work_outcome(r, &w, 1, intake_codec_progress(r->a, ROSTER, 501, 0, false, NULL), AT(NOW));
    assert_int_equal(r->d->n_work, 1);
    w = r->d->work[0];
    assert_int_equal(intake_codec_collect_read(r->a, w.args, &m), 0);
    assert_true(m.next_row == 501 && m.n_rows == 2 && cf_str_is(m.collector, "sealed"));

    work_outcome(r, &w, 3, (struct cf_str){0}, AT(NOW)); /* the front could not */
    assert_int_equal(r->d->n_work, 1);
    assert_true(r->d->work[0].due > AT(NOW));
    w = r->d->work[0];
    work_outcome(r, &w, 1, intake_codec_progress(r->a, ROSTER, 600, 0, true, NULL), AT(NOW));
    assert_int_equal(r->d->n_work, 0);
    ask(r, &key, "collection-id-01"); /* the same request again */
    assert_int_equal(r->d->n_work, 0);
    ask(r, &key, "collection-id-02");
    assert_int_equal(r->d->n_work, 1);
    assert_int_equal(r->d->n_parked, 0);
}

static void ids_of_cards_differ_by_row_and_collection(void **state)
{
    uint8_t one[16], two[16], other[16], again[16];
    (void)state;
    intake_codec_collection_id((const uint8_t *)"collection-id-01", 1, one);
    intake_codec_collection_id((const uint8_t *)"collection-id-01", 2, two);
    intake_codec_collection_id((const uint8_t *)"collection-id-02", 1, other);
    intake_codec_collection_id((const uint8_t *)"collection-id-01", 1, again);
    assert_memory_equal(one, again, 16);
    assert_memory_not_equal(one, two, 16);
    assert_memory_not_equal(one, other, 16);
}

static void answered(struct rig *r, const struct cf_key *key, const uint8_t app[16],
                     const char *result, char *reason)
{
    Cardflow__V1__CardEvent e;
    cardflow__v1__card_event__init(&e);
    Cardflow__V1__CardEvent__OperationAnswered o;
    cardflow__v1__card_event__operation_answered__init(&o);
    uint8_t id[16];
    fresh_id(r, id);
    e.application_id = cf_data_id(app);
    o.operation_id = cf_data_id(id);
    o.operation = (char *)(uintptr_t) "collect";
    o.result = (char *)(uintptr_t)result;
    o.reasons = &reason;
    o.n_reasons = reason != NULL;
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_OPERATION_ANSWERED;
    e.operation_answered = &o;
    assert_int_equal(double_feed(r->d, "card.events", "card.operation_answered", key, id, AT(NOW),
                                 cf_pack(r->a, &e.base)),
                     0);
}

static void the_row_hears_of_a_refusal_alone(void **state)
{
    struct rig *r = *state;
    struct intake_person p = adult();
    struct intake_submit m = row_submission(&p, ROSTER, 1, AT(NOW));
    enrol_at(r, &p, 1, AT(NOW));
    struct cf_key holder = submit_at(r, &m, AT(NOW));
    size_t sent = r->d->n_sent;
    answered(r, &holder, m.application_id, "done", NULL);
    answered(r, &holder, m.application_id, "already", NULL);
    assert_int_equal(r->d->n_sent, sent);
    answered(r, &holder, m.application_id, "refused", (char *)(uintptr_t) "other_outlet");
    assert_string_equal(types_since(r, sent), "row.outcome");
    const Cardflow__V1__IntakeInternal *x =
        cf_unpack(r->a, &cardflow__v1__intake_internal__descriptor, r->d->sent[sent].value);
    assert_string_equal(x->row_outcome->notice, "other_outlet");
    assert_int_equal(x->row_outcome->row_no, 1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_up, rig_down)
    const struct CMUnitTest tests[] = {
        TEST(which_rows_an_agent_may_take),
        TEST(a_collection_is_worked_off_once),
        TEST(ids_of_cards_differ_by_row_and_collection),
        TEST(the_row_hears_of_a_refusal_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
