/* inquiry's stage over doors in memory: documents, aliases, status, audit. */
#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/audit.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/complaint.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "cardflow/v1/status.pb-c.h"
#include "services/inquiry/answer.h"
#include "tests/unit/policies.h"
#include "services/inquiry/handlers.h"
#include "tests/unit/stage_double.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static struct inquiry_counts counts;
static const struct inquiry_env env = {.counts = &counts};
static const cf_ms T0 = INT64_C(1774000000000); /* 2026-03-20 */

struct fixture {
    struct cf_service service;
    struct stage_double *d;
    struct cf_arena *a;
    struct cf_key holder;
    uint8_t app[16];
    uint32_t ids;
};

static int begin(void **state)
{
    struct fixture *f = cf_calloc(1, sizeof *f);
    uint8_t ref[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    f->service = inquiry_service(&env);
    f->d = double_new(&f->service, 4);
    f->a = cf_arena_new((size_t)64 << 20);
    f->holder = cf_key_holder(ref);
    memset(f->app, 0xaa, 16);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    double_free(f->d);
    cf_arena_free(f->a);
    free(f);
    return 0;
}

__attribute__((noinline)) static void feed(struct fixture *f, const char *topic, const char *type,
                                           cf_ms at, const ProtobufCMessage *m)
{
    uint8_t id[16] = {0};
    memcpy(id, &(uint32_t){++f->ids}, 4);
    assert_int_equal(double_feed(f->d, topic, type, &f->holder, id, at, cf_pack(f->a, m)), 0);
}

static Cardflow__V1__ApplicationEvent application(struct fixture *f, cf_ms at)
{
    Cardflow__V1__ApplicationEvent e;
    cardflow__v1__application_event__init(&e);
    e.application_id = cf_data_id(f->app);
    e.kind = CARDFLOW__V1__APP_KIND__APP_KIND_FIRST_ISSUE;
    e.at_ms = at;
    return e;
}

static void received(struct fixture *f, cf_ms at)
{
    Cardflow__V1__ApplicationEvent e = application(f, at);
    Cardflow__V1__ApplicationEvent__Received r;
    cardflow__v1__application_event__received__init(&r);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_RECEIVED;
    e.received = &r;
    r.waiting_for_enrolment = true;
    feed(f, "application.events", "application.received", at, &e.base);
}

static void accepted(struct fixture *f, cf_ms at)
{
    Cardflow__V1__ApplicationEvent e = application(f, at);
    Cardflow__V1__ApplicationEvent__Accepted r;
    cardflow__v1__application_event__accepted__init(&r);
    char receipt[] = "123456789015", outlet[] = "B01001", person[] = "sealed bytes";
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ACCEPTED;
    e.accepted = &r;
    /* No two applications have the same number. */
    if (f->app[0] != 0xaa) snprintf(receipt, sizeof receipt, "%012d", 900000000 + f->app[0]);
    r.receipt_no = receipt;
    r.outlet_code = outlet;
    r.person = cf_data(cf_str_of(person));
    r.accepted_on = cf_day_of_ms(at);
    r.due_on = cf_day_of_ms(at) + 11;
    r.warnings = 1;
    r.policy = 1;
    feed(f, "application.events", "application.accepted", at, &e.base);
}

static void refused(struct fixture *f, cf_ms at)
{
    Cardflow__V1__ApplicationEvent e = application(f, at);
    Cardflow__V1__ApplicationEvent__Refused r;
    cardflow__v1__application_event__refused__init(&r);
    char one[] = "duplicate_application", *reasons[] = {one};
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_REJECTED;
    e.rejected = &r;
    r.n_reasons = 1;
    r.reasons = reasons;
    feed(f, "application.events", "application.rejected", at, &e.base);
}

static void photo_ready(struct fixture *f, cf_ms at)
{
    Cardflow__V1__PhotoEvent e;
    cardflow__v1__photo_event__init(&e);
    Cardflow__V1__PhotoEvent__Ready r;
    cardflow__v1__photo_event__ready__init(&r);
    e.application_id = cf_data_id(f->app);
    e.at_ms = at;
    e.body_case = CARDFLOW__V1__PHOTO_EVENT__BODY_READY;
    e.ready = &r;
    feed(f, "photo.events", "photo.ready", at, &e.base);
}

static void step(struct fixture *f, const char *to, cf_ms at)
{
    Cardflow__V1__CardEvent e;
    cardflow__v1__card_event__init(&e);
    Cardflow__V1__CardEvent__Step s;
    cardflow__v1__card_event__step__init(&s);
    char no[] = "B00000019";
    e.application_id = cf_data_id(f->app);
    e.at_ms = at;
    e.card_no = no;
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_STEP;
    e.step = &s;
    s.state = (char *)(uintptr_t)to;
    feed(f, "card.events", "card.step", at, &e.base);
}

static void card_changed(struct fixture *f, const char *to, cf_ms at)
{
    Cardflow__V1__CardEvent e;
    cardflow__v1__card_event__init(&e);
    Cardflow__V1__CardEvent__CardChanged c;
    cardflow__v1__card_event__card_changed__init(&c);
    char no[] = "B00000019";
    e.at_ms = at;
    e.card_no = no;
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED;
    e.card_changed = &c;
    c.state = (char *)(uintptr_t)to;
    feed(f, "card.events", "card.changed", at, &e.base);
}

/* Rows that must be there. Not inlined: the compiler would see through the checks. */
__attribute__((noinline)) static const struct inquiry_row *row(struct fixture *f)
{
    static const struct inquiry_row none;
    const struct inquiry_row *r = double_row(f->d, INQUIRY_KIND_DOCUMENT, &f->holder);
    if (!r) fail_msg("there is no document");
    return r ? r : &none;
}

__attribute__((noinline)) static const void *wide(struct fixture *f, uint16_t aux,
                                                  const uint8_t id[16])
{
    static const char none[1024];
    const void *r = double_aux(f->d, aux, id);
    if (!r) fail_msg("there is no such row");
    return r ? r : none;
}

__attribute__((noinline)) static struct inquiry_facts facts_of(struct fixture *f)
{
    struct inquiry_facts facts = {0};
    int e = inquiry_codec_document_read(f->a, inquiry_codec_document_pack(f->a, row(f)), &facts);
    assert_int_equal(e, 0);
    return facts;
}

static size_t told(const struct fixture *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->d->n_sent; i++)
        n += !strcmp(f->d->sent[i].topic, "status");
    return n;
}

static void an_application_is_followed_to_its_card(void **state)
{
    struct fixture *f = *state;
    struct inquiry_facts facts;
    struct inquiry_app app;
    received(f, T0);
    accepted(f, T0 + 1000);
    photo_ready(f, T0 + 2000);
    step(f, "batched", T0 + 3000);
    card_changed(f, "sealed", T0 + 4000);
    step(f, "collected", T0 + 5000);
    card_changed(f, "normal", T0 + 6000);
    assert_int_equal(f->d->n_parked, 0);
    assert_int_equal(row(f)->version, 7);
    assert_int_equal(row(f)->as_of, T0 + 6000);
    facts = facts_of(f);
    assert_int_equal(facts.as_of, T0 + 6000);
    assert_true(inquiry_app_of(facts.sections, f->app, NULL, &app));
    assert_int_equal(app.state, CF_APP_COLLECTED);
    assert_true(app.activated);
    assert_int_equal(app.outcome, INQUIRY_OUTCOME_ACCEPTED);
    assert_true(cf_str_is(app.said[INQUIRY_INTAKE]->receipt_no, "123456789015"));
    assert_true(cf_str_is(facts.sections[INQUIRY_INTAKE].person, "sealed bytes"));
}

static void aliases_lead_to_the_holder(void **state)
{
    struct fixture *f = *state;
    uint8_t id[16], other[16];
    accepted(f, T0);
    card_changed(f, "sealed", T0 + 1);
    const struct inquiry_alias *alias = wide(f, INQUIRY_AUX_ALIAS, f->app);
    assert_true(cf_key_eq(&alias->holder, &f->holder));
    inquiry_alias_receipt(CF_STR(" 1234 5678 9015"), id); /* as a person says it */
    assert_non_null(wide(f, INQUIRY_AUX_ALIAS, id));
    inquiry_alias_card(CF_STR("b00000019"), id);
    assert_non_null(wide(f, INQUIRY_AUX_ALIAS, id));
    inquiry_alias_receipt(CF_STR("B00000019"), other);
    assert_memory_not_equal(id, other, 16);
}

static void only_visible_changes_are_told(void **state)
{
    struct fixture *f = *state;
    accepted(f, T0);
    assert_int_equal(told(f), 1);
    step(f, "batched", T0 + 20);
    assert_int_equal(told(f), 2);
    step(f, "batched", T0 + 30); /* a remake looks the same from outside */
    assert_int_equal(told(f), 2);
    const struct double_sent *last = &f->d->sent[f->d->n_sent - 1];
    const Cardflow__V1__Status *s = cf_unpack(f->a, &cardflow__v1__status__descriptor, last->value);
    assert_non_null(s);
    if (!s) return;
    assert_int_equal(s->version, 2);
    assert_string_equal(s->applications[0]->state, "batched");
    assert_string_equal(s->label_zh, "制卡中");
    assert_true(cf_key_eq(&last->key, &f->holder));
}

static void another_order_of_topics_gives_the_same_document(void **state)
{
    struct fixture *f = *state;
    accepted(f, T0);
    photo_ready(f, T0 + 2000);
    step(f, "batched", T0 + 3000);
    step(f, "account_opened", T0 + 4000);
    struct cf_str one = inquiry_codec_document_pack(f->a, row(f));
    int64_t shown = row(f)->shown;
    void *again;
    begin(&again);
    struct fixture *g = again;
    step(g, "batched", T0 + 3000);
    step(g, "account_opened", T0 + 4000);
    photo_ready(g, T0 + 2000);
    accepted(g, T0);
    assert_true(cf_str_eq(one, inquiry_codec_document_pack(g->a, row(g))));
    assert_int_equal(row(g)->version, row(f)->version);
    assert_int_equal(row(g)->shown, shown);
    end(&again);
}

static void an_application_that_made_room_is_still_found(void **state)
{
    struct fixture *f = *state;
    uint8_t first[16];
    struct inquiry_section past;
    struct inquiry_facts facts;
    struct inquiry_app app;
    refused(f, T0);
    memcpy(first, f->app, 16);
    for (int i = 0; i < INQUIRY_ENTRIES_MAX; i++) {
        memset(f->app, i + 1, 16);
        refused(f, T0 + 1000 + i);
    }
    facts = facts_of(f);
    assert_false(inquiry_app_of(facts.sections, first, NULL, &app));
    const struct inquiry_alias *alias = wide(f, INQUIRY_AUX_ALIAS, first);
    assert_true(alias->past.len > 0);
    assert_int_equal(inquiry_codec_section_read(f->a, alias->past, &past), 0);
    assert_true(inquiry_app_of(facts.sections, first, &past.entries[0], &app));
    assert_int_equal(app.state, CF_APP_REJECTED);
    assert_true(cf_str_is(app.owner->reasons[0], "duplicate_application"));
}

static void a_full_document_fits_its_message(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < INQUIRY_ENTRIES_MAX + 4; i++) {
        memset(f->app, i + 1, 16);
        received(f, T0 + i);
        accepted(f, T0 + i);
        photo_ready(f, T0 + i);
        for (int k = 0; k < 2 * INQUIRY_MARKS_MAX; k++)
            step(f, k % 2 ? "production_failed" : "batched", T0 + 1000 + k);
    }
    assert_int_equal(f->d->n_parked, 0);
    struct inquiry_facts facts;
    struct cf_str all = inquiry_codec_document_pack(f->a, row(f));
    assert_int_equal(inquiry_codec_document_read(f->a, all, &facts), 0);
    assert_true(all.len < 65536);
}

static void a_work_order_is_part_of_the_status(void **state)
{
    struct fixture *f = *state;
    Cardflow__V1__ComplaintHolderEvent e;
    cardflow__v1__complaint_holder_event__init(&e);
    char no[] = "20260320000001", kind[] = "complaint", routed[] = "routed", done[] = "replied";
    struct inquiry_facts facts;
    e.order_id = cf_data_id(f->app);
    e.order_no = no;
    e.kind = kind;
    e.state = routed;
    e.at_ms = T0;
    feed(f, "complaint.holder-events", "complaint.holder_event", T0, &e.base);
    e.state = done;
    feed(f, "complaint.holder-events", "complaint.holder_event", T0 + 1, &e.base);
    facts = facts_of(f);
    assert_int_equal(facts.sections[INQUIRY_COMPLAINT].n_orders, 1);
    assert_true(cf_str_is(facts.sections[INQUIRY_COMPLAINT].orders[0].state, "replied"));
    assert_int_equal(told(f), 2);
}

/* ---- audit ---------------------------------------------------------------------------------- */

__attribute__((noinline)) static void look(struct fixture *f, uint8_t n)
{
    Cardflow__V1__AuditEvent e;
    cardflow__v1__audit_event__init(&e);
    char client[] = "hotline", purpose[] = "call", action[] = "status_query";
    struct cf_key key;
    uint8_t id[16] = {n, 1};
    e.client = client;
    e.purpose = purpose;
    e.action = action;
    e.at_ms = T0 + n;
    cf_key_bytes(client, strlen(client), &key);
    assert_int_equal(
        double_feed(f->d, "audit.events", "audit", &key, id, T0 + n, cf_pack(f->a, &e.base)), 0);
}

__attribute__((noinline)) static const struct inquiry_chain *chain_of(struct fixture *f,
                                                                      const struct cf_key *key)
{
    static const struct inquiry_chain none;
    const struct inquiry_chain *r = double_row(f->d, INQUIRY_KIND_CHAIN, key);
    return r ? r : &none;
}

static void audit_records_are_chained_and_kept_once(void **state)
{
    struct fixture *f = *state;
    struct cf_key key;
    look(f, 1);
    look(f, 2);
    look(f, 2);
    look(f, 3);
    cf_key_bytes("hotline", 7, &key);
    const struct inquiry_chain *chain = chain_of(f, &key);
    assert_int_equal(chain->entries, 3);
    struct cf_str before = {0};
    for (uint8_t i = 1; i <= 3; i++) {
        const uint8_t id[16] = {i, 1};
        uint8_t hash[32];
        const struct inquiry_audit *r = wide(f, INQUIRY_AUX_AUDIT, id);
        assert_int_equal(r->entry, i);
        assert_true(cf_str_eq(r->before, before));
        const struct cf_str parts[] = {
            r->before, {(const char *)id, 16},
             inquiry_codec_audit(f->a, r)
        };
        cf_sha256_parts(parts, 3, hash);
        assert_memory_equal(r->hash.ptr, hash, 32);
        before = r->hash;
    }
    assert_true(cf_str_eq(chain->hash, before));
}

static void a_sweep_tells_the_status_again(void **state)
{
    struct fixture *f = *state;
    uint8_t id[16] = {7};
    accepted(f, T0);
    int64_t version = row(f)->version;
    struct cf_str sweep = inquiry_codec_sweep(f->a, &f->holder);
    assert_int_equal(
        double_feed(f->d, "inquiry.internal", "inquiry.sweep", &f->holder, id, T0 + 1, sweep), 0);
    assert_int_equal(told(f), 2);
    assert_int_equal(row(f)->version, version);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void an_unverified_caller_hears_state_and_next_step_only(void **state)
{
    struct fixture *f = *state;
    struct inquiry_facts facts;
    struct cf_buf body;
    const struct cf_calendar calendar = {.coverage_until = 30000};
    accepted(f, T0);
    card_changed(f, "normal", T0 + 1);
    facts = facts_of(f);
    struct inquiry_answer in = {.arena = f->a,
                                .calendar = &calendar,
                                .policies = test_policies(f->a),
                                .phones = "12333,12345",
                                .holder = &f->holder,
                                .facts = &facts,
                                .now = T0 + 5000};
    cf_buf_init(&body, 65536);
    assert_true(inquiry_answer_status(&body, &in));
    cf_buf_add(&body, "", 1);
    print_message("%s\n", body.ptr);
    assert_non_null(strstr(body.ptr, "\"state\":\"accepted\""));
    assert_non_null(strstr(body.ptr, "\"age_ms\":4999"));
    static const char *const secret[] = {
        "card_no",        "receipt_no", "123456789015", "B00000019",
        "application_id", "identity",   "valid_until",  "bank"};
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        assert_null(strstr(body.ptr, secret[i]));
    in.verified = true;
    cf_buf_reset(&body);
    inquiry_answer_status(&body, &in);
    cf_buf_add(&body, "", 1);
    assert_non_null(strstr(body.ptr, "B0****019"));
    assert_null(strstr(body.ptr, "B00000019"));
    cf_buf_free(&body);
}

static void an_outcome_explains_itself(void **state)
{
    struct fixture *f = *state;
    struct inquiry_facts facts;
    struct inquiry_app app;
    struct cf_buf body;
    const struct cf_calendar calendar = {.coverage_until = 30000};
    accepted(f, T0);
    facts = facts_of(f);
    assert_true(inquiry_app_of(facts.sections, f->app, NULL, &app));
    const struct inquiry_answer in = {.arena = f->a,
                                      .calendar = &calendar,
                                      .policies = test_policies(f->a),
                                      .phones = "12333,12345",
                                      .holder = &f->holder,
                                      .facts = &facts,
                                      .now = T0 + 5000};
    cf_buf_init(&body, 65536);
    inquiry_answer_outcome(&body, &in, &app);
    struct cf_json_error wrong;
    json_t *root = cf_json_parse(cf_buf_str(&body), &wrong);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "outcome")), "accepted");
    json_t *deadline = json_object_get(root, "deadline"),
           *receipt = json_object_get(root, "receipt");
    assert_string_equal(json_string_value(json_object_get(deadline, "policy")), "first_issue_2018");
    assert_true(json_array_size(json_object_get(deadline, "counted")) > 0);
    assert_true(json_array_size(json_object_get(deadline, "skipped")) > 0);
    assert_string_equal(json_string_value(json_object_get(receipt, "receipt_no")), "123456789015");
    assert_true(json_is_null(json_object_get(receipt, "promised_date")));
    assert_int_equal(json_array_size(json_object_get(receipt, "phones")), 2);
    assert_int_equal(json_array_size(json_object_get(root, "warnings")), 1);
    json_decref(root);
    cf_buf_free(&body);
}

static void a_known_code_has_texts(void **state)
{
    struct fixture *f = *state;
    struct inquiry_facts facts;
    struct inquiry_app app;
    struct cf_buf body;
    const struct cf_calendar calendar = {.coverage_until = 30000};
    refused(f, T0);
    facts = facts_of(f);
    assert_true(inquiry_app_of(facts.sections, f->app, NULL, &app));
    const struct inquiry_answer in = {.arena = f->a,
                                      .calendar = &calendar,
                                      .policies = test_policies(f->a),
                                      .phones = "",
                                      .holder = &f->holder,
                                      .facts = &facts,
                                      .now = T0};
    cf_buf_init(&body, 65536);
    inquiry_answer_outcome(&body, &in, &app);
    struct cf_json_error wrong;
    json_t *root = cf_json_parse(cf_buf_str(&body), &wrong);
    assert_non_null(root);
    const json_t *reason = json_array_get(json_object_get(root, "reasons"), 0);
    assert_string_equal(json_string_value(json_object_get(reason, "code")),
                        "duplicate_application");
    const json_t *text = json_object_get(reason, "text");
    assert_true(strlen(json_string_value(json_object_get(text, "zh"))) > 0);
    assert_true(json_is_null(json_object_get(root, "deadline")));
    assert_true(json_is_null(json_object_get(root, "receipt")));
    json_decref(root);
    cf_buf_free(&body);
}

/* With a corrected number it comes under its old id, maybe in the same shard; where a plain insert
 * would fail, the double ends the process. */
static void an_application_that_moved_leads_to_its_new_holder(void **state)
{
    struct fixture *f = *state;
    uint8_t ref[16] = {2};
    received(f, T0);
    f->holder = cf_key_holder(ref);
    accepted(f, T0 + 1);
    const struct inquiry_alias *alias = double_aux(f->d, INQUIRY_AUX_ALIAS, f->app);
    assert_non_null(alias);
    assert_true(cf_key_eq(&alias->holder, &f->holder));
    assert_int_equal(f->d->n_parked, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_application_that_moved_leads_to_its_new_holder),
        TEST(an_application_is_followed_to_its_card),
        TEST(aliases_lead_to_the_holder),
        TEST(only_visible_changes_are_told),
        TEST(another_order_of_topics_gives_the_same_document),
        TEST(an_application_that_made_room_is_still_found),
        TEST(a_full_document_fits_its_message),
        TEST(a_work_order_is_part_of_the_status),
        TEST(audit_records_are_chained_and_kept_once),
        TEST(a_sweep_tells_the_status_again),
        TEST(an_unverified_caller_hears_state_and_next_step_only),
        TEST(an_outcome_explains_itself),
        TEST(a_known_code_has_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
