/* What inquiry reads from the log: each body as an event of its section, or refused and why. */
#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/audit.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/complaint.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "services/inquiry/codec.h"
#include "services/inquiry/handlers.h"
#include "tests/unit/stage_double.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static struct inquiry_counts counts;
static const struct inquiry_env env = {.counts = &counts};
static const uint8_t APP[16] = {1, 2, 3};
static struct cf_arena *a;

static int begin(void **state)
{
    (void)state;
    a = cf_arena_new((size_t)64 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cf_arena_free(a);
    return 0;
}

struct read {
    int e;
    const char *reason;
    size_t n;
    struct cf_msg msgs[CF_MESSAGES_MAX];
};

static const struct read *read_bytes(enum inquiry_in topic, struct cf_str value)
{
    static struct read out;
    struct cf_service service = inquiry_service(&env);
    static const uint8_t holder[16] = {7};
    struct cf_key key = cf_key_holder(holder);
    struct cf_decode d = {
        .arena = a, .env = &env, .partitions = 4, .msgs = out.msgs, .max = CF_MESSAGES_MAX};
    struct cf_record rec = {.topic = (uint16_t)topic,
                            .at = 5,
                            .key = cf_key_str(&key),
                            .ce_id = CF_STR("01890000-0000-7000-8000-0123456789ab"),
                            .value = value};
    out.e = service.decode(&d, &rec);
    out.reason = d.reason ? d.reason : "";
    out.n = d.n;
    return &out;
}

static const struct inquiry_event *taken(enum inquiry_in topic, const ProtobufCMessage *m)
{
    const struct read *got = read_bytes(topic, cf_pack(a, m));
    if (got->e) fail_msg("%d %s", got->e, got->reason);
    assert_int_equal(got->n, 1);
    return got->msgs[0].body;
}

static void refused(enum inquiry_in topic, const ProtobufCMessage *m, int e, const char *reason)
{
    const struct read *got = read_bytes(topic, cf_pack(a, m));
    if (got->e != e || !strstr(got->reason, reason)) fail_msg("%d %s", got->e, got->reason);
    assert_int_equal(got->n, 0);
}

#define Z(text) ((char *)(uintptr_t)(text))

static void what_intake_says(void **state)
{
    (void)state;
    Cardflow__V1__ApplicationEvent e;
    Cardflow__V1__ApplicationEvent__EnrolmentChanged n;
    Cardflow__V1__ApplicationEvent__Ended ended;
    Cardflow__V1__ApplicationEvent__WithdrawalRequested w;
    Cardflow__V1__ApplicationEvent__Refused r;
    cardflow__v1__application_event__init(&e);
    cardflow__v1__application_event__enrolment_changed__init(&n);
    cardflow__v1__application_event__ended__init(&ended);
    cardflow__v1__application_event__withdrawal_requested__init(&w);
    cardflow__v1__application_event__refused__init(&r);
    refused(INQUIRY_IN_APPLICATIONS, &e.base, CF_E_VERSION, "");
    e.at_ms = 9;
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ENROLMENT_CHANGED;
    e.enrolment_changed = &n;
    static const struct {
        bool active;
        const char *reason, *want;
    } rows[] = {
        {true,  "",      "active"},
        {true,  "left",  "active"},
        {false, "death", "death" },
        {false, "",      "left"  },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        n.active = rows[i].active;
        n.reason = Z(rows[i].reason);
        const struct inquiry_event *ev = taken(INQUIRY_IN_APPLICATIONS, &e.base);
        assert_int_equal(ev->what, INQUIRY_ENROLMENT);
        assert_true(cf_str_is(ev->enrolment, rows[i].want));
        assert_int_equal(ev->at, 9);
    }
    Cardflow__V1__ApplicationEvent__NotEnrolled never;
    cardflow__v1__application_event__not_enrolled__init(&never);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_NOT_ENROLLED;
    e.not_enrolled = &never;
    assert_int_equal(taken(INQUIRY_IN_APPLICATIONS, &e.base)->what, INQUIRY_ENROLMENT);
    assert_true(cf_str_is(taken(INQUIRY_IN_APPLICATIONS, &e.base)->enrolment, "never"));
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_WITHDRAWAL_REQUESTED;
    e.withdrawal_requested = &w;
    assert_int_equal(taken(INQUIRY_IN_APPLICATIONS, &e.base)->what, INQUIRY_OTHER);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ENDED;
    e.ended = &ended;
    ended.state = Z("expired");
    refused(INQUIRY_IN_APPLICATIONS, &e.base, CF_E_DECODE, "application_id");
    e.application_id = cf_data_id(APP);
    assert_int_equal(taken(INQUIRY_IN_APPLICATIONS, &e.base)->entry.state, CF_APP_EXPIRED);
    ended.state = Z("polished");
    refused(INQUIRY_IN_APPLICATIONS, &e.base, CF_E_VERSION, "");
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_NOTICED;
    e.noticed = &r;
    char *reasons[] = {Z("bad_phone"), Z("missing_name")};
    r.reasons = reasons;
    r.n_reasons = 2;
    const struct inquiry_event *ev = taken(INQUIRY_IN_APPLICATIONS, &e.base);
    assert_int_equal(ev->what, INQUIRY_REFUSED);
    assert_int_equal(ev->entry.n_reasons, 2);
    assert_true(cf_str_is(ev->entry.reasons[1], "missing_name"));
    e.kind = (Cardflow__V1__AppKind)99;
    refused(INQUIRY_IN_APPLICATIONS, &e.base, CF_E_VERSION, "");
}

static void what_photo_fetch_says(void **state)
{
    (void)state;
    Cardflow__V1__PhotoEvent e;
    Cardflow__V1__PhotoEvent__Missing m;
    cardflow__v1__photo_event__init(&e);
    cardflow__v1__photo_event__missing__init(&m);
    refused(INQUIRY_IN_PHOTOS, &e.base, CF_E_DECODE, "application_id");
    e.application_id = cf_data_id(APP);
    refused(INQUIRY_IN_PHOTOS, &e.base, CF_E_VERSION, "");
    e.body_case = CARDFLOW__V1__PHOTO_EVENT__BODY_MISSING;
    e.missing = &m;
    char *reason = Z("photo_not_on_file");
    m.reasons = &reason;
    m.n_reasons = 1;
    const struct inquiry_event *ev = taken(INQUIRY_IN_PHOTOS, &e.base);
    assert_int_equal(ev->entry.state, CF_APP_PHOTO_MISSING);
    assert_true(cf_str_is(ev->entry.reasons[0], "photo_not_on_file"));
    assert_int_equal(ev->at, 5); /* without a time of its own it is the record's */
}

static void what_production_says(void **state)
{
    (void)state;
    Cardflow__V1__CardEvent e;
    Cardflow__V1__CardEvent__Step s;
    Cardflow__V1__CardEvent__Promised p;
    Cardflow__V1__CardEvent__CardChanged c;
    Cardflow__V1__CardEvent__OperationAnswered o;
    cardflow__v1__card_event__init(&e);
    cardflow__v1__card_event__step__init(&s);
    cardflow__v1__card_event__promised__init(&p);
    cardflow__v1__card_event__card_changed__init(&c);
    cardflow__v1__card_event__operation_answered__init(&o);
    refused(INQUIRY_IN_CARDS, &e.base, CF_E_VERSION, "");
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_PROMISED;
    e.promised = &p;
    p.promised_on = 20000;
    p.place_in_queue = 12;
    p.past_deadline = true;
    refused(INQUIRY_IN_CARDS, &e.base, CF_E_DECODE, "application_id");
    e.application_id = cf_data_id(APP);
    const struct inquiry_event *ev = taken(INQUIRY_IN_CARDS, &e.base);
    assert_int_equal(ev->what, INQUIRY_PROMISED);
    assert_int_equal(ev->entry.promised_on, 20000);
    assert_int_equal(ev->entry.place, 12);
    assert_true(ev->entry.past_deadline);
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_STEP;
    e.step = &s;
    s.state = Z("shipped");
    ev = taken(INQUIRY_IN_CARDS, &e.base);
    assert_int_equal(ev->what, INQUIRY_MOVED);
    assert_int_equal(ev->entry.state, CF_APP_SHIPPED);
    s.state = Z("polished");
    refused(INQUIRY_IN_CARDS, &e.base, CF_E_VERSION, "");
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_OPERATION_ANSWERED;
    e.operation_answered = &o;
    assert_int_equal(taken(INQUIRY_IN_CARDS, &e.base)->what, INQUIRY_OTHER);
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED;
    e.card_changed = &c;
    refused(INQUIRY_IN_CARDS, &e.base, CF_E_VERSION, "");
    c.state = Z("normal");
    refused(INQUIRY_IN_CARDS, &e.base, CF_E_DECODE, "card_no");
    e.card_no = Z("B00000019");
    ev = taken(INQUIRY_IN_CARDS, &e.base);
    assert_int_equal(ev->what, INQUIRY_CARD);
    assert_int_equal(ev->card.state, CF_CARD_NORMAL);
    assert_true(cf_str_is(ev->card.no, "B00000019"));
    Cardflow__V1__CardEvent__BankNotice n;
    cardflow__v1__card_event__bank_notice__init(&n);
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_BANK_NOTICE;
    e.bank_notice = &n;
    ev = taken(INQUIRY_IN_CARDS, &e.base);
    assert_int_equal(ev->what, INQUIRY_BANK_OVERDUE);
    assert_true(cf_str_is(ev->card.no, "B00000019"));
    n.acknowledged_at_ms = 1;
    assert_int_equal(taken(INQUIRY_IN_CARDS, &e.base)->what, INQUIRY_BANK_AWARE);
}

static void what_a_work_order_says(void **state)
{
    (void)state;
    Cardflow__V1__ComplaintHolderEvent c;
    cardflow__v1__complaint_holder_event__init(&c);
    c.state = Z("replied");
    refused(INQUIRY_IN_COMPLAINTS, &c.base, CF_E_DECODE, "order_id");
    c.order_id = cf_data_id(APP);
    assert_true(cf_str_is(taken(INQUIRY_IN_COMPLAINTS, &c.base)->order.state, "replied"));
}

/* A record that proves nothing does not enter the chain. */
static void an_audit_record_names_who_and_what(void **state)
{
    (void)state;
    Cardflow__V1__AuditEvent e;
    cardflow__v1__audit_event__init(&e);
    refused(INQUIRY_IN_AUDIT, &e.base, CF_E_DECODE, "client, action");
    e.client = Z("hotline");
    refused(INQUIRY_IN_AUDIT, &e.base, CF_E_DECODE, "client, action");
    e.action = Z("status.query");
    e.holder_ref = (ProtobufCBinaryData){3, (uint8_t *)(uintptr_t)APP};
    refused(INQUIRY_IN_AUDIT, &e.base, CF_E_DECODE, "holder_ref");
    e.holder_ref = cf_data_id(APP);
    const struct read *got = read_bytes(INQUIRY_IN_AUDIT, cf_pack(a, &e.base));
    assert_int_equal(got->e, 0);
    const struct inquiry_audit *m = got->msgs[0].body;
    assert_true(cf_str_is(m->client, "hotline") && cf_str_is(m->action, "status.query"));
    assert_memory_equal(m->holder_ref.ptr, APP, 16);
}

static void what_is_nothing_of_its_topic_is_refused(void **state)
{
    (void)state;
    for (int topic = INQUIRY_IN_APPLICATIONS; topic <= INQUIRY_IN_INTERNAL; topic++) {
        const struct read *got = read_bytes((enum inquiry_in)topic, CF_STR("\xff\xff"));
        assert_int_equal(got->e, CF_E_DECODE);
        assert_non_null(strstr(got->reason, "value: not a"));
    }
    const struct read *got = read_bytes(INQUIRY_IN_INTERNAL, CF_STR(""));
    assert_int_equal(got->e, CF_E_DECODE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_intake_says),
        cmocka_unit_test(what_photo_fetch_says),
        cmocka_unit_test(what_production_says),
        cmocka_unit_test(what_a_work_order_says),
        cmocka_unit_test(an_audit_record_names_who_and_what),
        cmocka_unit_test(what_is_nothing_of_its_topic_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
