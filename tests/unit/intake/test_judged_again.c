/* An application that is judged a second time: put right, sent again, or after it has waited. */
#include "stage_data.h"

#define NOW "2026-03-02T10:00:00+08:00"
#define HOUR ((cf_ms)3600000)

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

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_up, rig_down)
    const struct CMUnitTest tests[] = {
        TEST(a_supplement_gives_the_reason_of_a_reissue),
        TEST(another_reason_is_too_late_after_acceptance),
        TEST(a_list_that_is_sent_again_gives_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
