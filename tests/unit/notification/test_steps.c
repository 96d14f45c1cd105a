/* The steps of notification, through the stage's own batch code over doors in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/complaint.pb-c.h"
#include "cardflow/v1/notification.pb-c.h"
#include "common/io/stage/bundle.h"
#include "services/notification/handlers.h"
#include "services/notification/sms_text.h"
#include "tests/unit/stage_double.h"

struct world {
    struct notification_env env;
    struct cf_service service;
    struct stage_double *d;
    struct cf_key key;
    uint8_t application_id[16];
    uint8_t next_id;
    cf_ms now;
};

static struct world *world_new(void)
{
    struct world *w = cf_calloc(1, sizeof *w);
    w->env = (struct notification_env){
        .quiet = {true, 21 * 60, 8 * 60},
        .backoff = 1000,
        .backoff_max = 60000,
        .give_up = (cf_ms)3 * CF_MS_PER_DAY
    };
    w->service = notification_service(&w->env);
    w->d = double_new(&w->service, 4);
    memset(w->application_id, 0xa1, 16);
    uint8_t ref[16] = {9, 8, 7};
    w->key = cf_key_holder(ref);
    w->now = cf_ms_of_day(cf_day_of_date(2026, 3, 10)) + 12 * 3600000;
    return w;
}

static void world_free(struct world *w)
{
    double_free(w->d);
    free(w);
}

static void feed_as(struct world *w, const struct cf_key *key, const char *topic, const char *type,
                    const ProtobufCMessage *m)
{
    uint8_t id[16] = {w->next_id++, 1};
    assert_int_equal(double_feed(w->d, topic, type, key, id, w->now, cf_pack(w->d->keep, m)), 0);
}

static void feed(struct world *w, const char *topic, const char *type, const ProtobufCMessage *m)
{
    feed_as(w, &w->key, topic, type, m);
}

static void feed_accepted(struct world *w, const char *person)
{
    Cardflow__V1__ApplicationEvent e;
    cardflow__v1__application_event__init(&e);
    Cardflow__V1__ApplicationEvent__Accepted a;
    cardflow__v1__application_event__accepted__init(&a);
    e.application_id = cf_data_id(w->application_id);
    e.at_ms = w->now;
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ACCEPTED;
    e.accepted = &a;
    a.person = cf_data(cf_str_of(person));
    a.receipt_no = (char *)(uintptr_t) "123456789012";
    a.due_on = cf_day_of_date(2026, 3, 19);
    feed(w, "application.events", "application.accepted", &e.base);
}

static void feed_life(struct world *w, bool active)
{
    Cardflow__V1__ApplicationEvent e;
    cardflow__v1__application_event__init(&e);
    Cardflow__V1__ApplicationEvent__EnrolmentChanged c;
    cardflow__v1__application_event__enrolment_changed__init(&c);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ENROLMENT_CHANGED;
    e.enrolment_changed = &c;
    c.active = active;
    if (!active) c.reason = (char *)(uintptr_t) "death";
    feed(w, "application.events", "application.enrolment_changed", &e.base);
}

static void feed_step(struct world *w, const char *state)
{
    Cardflow__V1__CardEvent e;
    cardflow__v1__card_event__init(&e);
    Cardflow__V1__CardEvent__Step s;
    cardflow__v1__card_event__step__init(&s);
    e.application_id = cf_data_id(w->application_id);
    e.at_ms = w->now;
    e.card_no = (char *)(uintptr_t) "B00000019";
    e.outlet_code = (char *)(uintptr_t) "B04006";
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_STEP;
    e.step = &s;
    s.state = (char *)(uintptr_t)state;
    feed(w, "card.events", "card.step", &e.base);
}

static void feed_marked(struct world *w, const char *what, bool silent)
{
    Cardflow__V1__CardEvent e;
    cardflow__v1__card_event__init(&e);
    Cardflow__V1__CardEvent__Deadline d;
    cardflow__v1__card_event__deadline__init(&d);
    e.application_id = cf_data_id(w->application_id);
    e.at_ms = w->now;
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_DEADLINE;
    e.deadline = &d;
    d.what = (char *)(uintptr_t)what;
    d.due_on = cf_day_of_date(2026, 3, 19);
    d.silent = silent;
    feed(w, "card.events", "card.deadline_marked", &e.base);
}

/* An operation on a card names no application. */
static void feed_changed(struct world *w, const char *before, const char *after,
                         const char *operation)
{
    Cardflow__V1__CardEvent e;
    cardflow__v1__card_event__init(&e);
    Cardflow__V1__CardEvent__CardChanged c;
    cardflow__v1__card_event__card_changed__init(&c);
    e.at_ms = w->now;
    e.card_no = (char *)(uintptr_t) "B00000019";
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED;
    e.card_changed = &c;
    c.state_before = (char *)(uintptr_t)before;
    c.state = (char *)(uintptr_t)after;
    c.operation = (char *)(uintptr_t)operation;
    feed(w, "card.events", "card.changed", &e.base);
}

static void feed_activated(struct world *w)
{
    feed_changed(w, "sealed", "normal", "activate");
}

static void feed_outcome(struct world *w, struct cf_work work,
                         Cardflow__V1__WorkOutcome__Result result, const char *reason)
{
    Cardflow__V1__NotificationInternal in;
    cardflow__v1__notification_internal__init(&in);
    Cardflow__V1__WorkOutcome outcome;
    cardflow__v1__work_outcome__init(&outcome);
    Cardflow__V1__WorkOutcome__Item item;
    cardflow__v1__work_outcome__item__init(&item);
    Cardflow__V1__WorkOutcome__Item *items[] = {&item};
    static const uint8_t none[16];
    item.work_id = cf_data_id(work.id);
    if (memcmp(work.bundle, none, 16) != 0) item.bundle_id = cf_data_id(work.bundle);
    item.kind = work.kind;
    item.attempt = work.attempt;
    item.key = cf_data(cf_key_str(&work.key));
    item.result = result;
    item.reason = (char *)(uintptr_t)reason;
    outcome.n_items = 1;
    outcome.items = items;
    in.body_case = CARDFLOW__V1__NOTIFICATION_INTERNAL__BODY_WORK;
    in.work = &outcome;
    feed(w, "notification.internal", "work.outcome", &in.base);
}

/* The i-th piece of the only row of work, and how many lie in it. */
static struct cf_work piece_of_the_row(struct world *w, size_t i, size_t *n)
{
    assert_int_equal(w->d->n_work, 1);
    struct cf_str rest = w->d->work[0].args;
    struct cf_work piece, found = {0};
    assert_true(w->d->work[0].pieces > 0);
    for (*n = 0; rest.len; (*n)++) {
        assert_int_equal(cf_bundle_next(&w->d->work[0], &rest, &piece), 0);
        if (*n == i) found = piece;
    }
    assert_int_equal(*n, w->d->work[0].pieces);
    return found;
}

static const struct notification_notice *notice(struct world *w, const struct cf_work *work)
{
    static const struct notification_notice none = {.state = -1};
    const struct notification_notice *n = double_aux(w->d, NOTIFY_AUX_NOTICE, work->id);
    return n ? n : &none;
}

static Cardflow__V1__NotificationEvent *event_at(struct world *w, size_t i)
{
    assert_string_equal(w->d->sent[i].type, "notification.ended");
    return cf_unpack(w->d->keep, &cardflow__v1__notification_event__descriptor,
                     w->d->sent[i].value);
}

static Cardflow__V1__NotificationEvent *last_event(struct world *w)
{
    return event_at(w, w->d->n_sent - 1);
}

static void an_accepted_application_is_told_once(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "sealed");
    assert_int_equal(w->d->n_work, 1);
    assert_int_equal(w->d->n_sent, 0);
    struct cf_work sms = w->d->work[0];
    assert_int_equal(sms.kind, NOTIFY_WORK_SMS);
    assert_true(sms.due == w->now);
    assert_int_equal(notice(w, &sms)->state, -1); /* one row while it is under way: its work */
    feed_outcome(w, sms, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "");
    assert_int_equal(w->d->n_work, 0);
    assert_int_equal(w->d->n_sent, 1);
    Cardflow__V1__NotificationEvent *e = last_event(w);
    assert_string_equal(e->state, "sent");
    assert_string_equal(e->template_, "accepted");
    assert_string_equal(e->channel, "sms");
    assert_memory_equal(e->notification_id.data, sms.id, 16);
    assert_memory_equal(e->application_id.data, w->application_id, 16);
    assert_int_equal(notice(w, &sms)->state, NOTIFY_SENT);
    feed_outcome(w, sms, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "");
    assert_int_equal(w->d->n_sent, 1);
    world_free(w);
}

static void a_mark_of_a_deadline_is_told_unless_it_is_silent(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "sealed");
    feed_outcome(w, w->d->work[0], CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "");
    feed_marked(w, "warned", true);
    assert_int_equal(w->d->n_work, 0);
    feed_marked(w, "overdue", false);
    assert_int_equal(w->d->n_work, 1);
    feed_outcome(w, w->d->work[0], CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "");
    assert_string_equal(last_event(w)->template_, "deadline_overdue");
    world_free(w);
}

static void at_night_a_message_waits_and_says_so(void **state)
{
    (void)state;
    struct world *w = world_new();
    w->now += 10 * 3600000; /* 22:00 */
    feed_accepted(w, "sealed");
    struct cf_work sms = w->d->work[0];
    assert_true(sms.due == cf_ms_of_day(cf_day_of_date(2026, 3, 11)) + 8 * 3600000);
    assert_int_equal(notice(w, &sms)->state, NOTIFY_DEFERRED);
    assert_true(cf_str_is(notice(w, &sms)->reason, "quiet_hours"));
    w->now = sms.due + 5;
    feed_outcome(w, sms, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "");
    assert_int_equal(notice(w, &sms)->state, NOTIFY_SENT);
    world_free(w);
}

static void a_gateway_that_is_away_is_tried_again_until_it_is_too_late(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "sealed");
    struct cf_work first = w->d->work[0];
    for (uint32_t i = 0; i < 12; i++) {
        struct cf_work sms = w->d->work[0];
        assert_int_equal(sms.attempt, i);
        assert_memory_equal(sms.id, first.id, 16);
        w->now = sms.due + 1;
        feed_outcome(w, sms, CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY, "timeout");
        assert_true(w->d->work[0].due >= w->now && w->d->work[0].due <= w->now + 60000);
    }
    assert_int_equal(w->d->n_sent, 0);
    w->now += (cf_ms)3 * CF_MS_PER_DAY + 1;
    feed_outcome(w, w->d->work[0], CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY, "timeout");
    assert_string_equal(last_event(w)->state, "failed");
    assert_string_equal(last_event(w)->reason, "gateway_away_too_long");
    assert_int_equal(w->d->n_work, 0);
    world_free(w);
}

static void nothing_is_sent_to_the_dead(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "sealed");
    struct cf_work sms = w->d->work[0];
    feed_life(w, false);
    feed_outcome(w, sms, CARDFLOW__V1__WORK_OUTCOME__RESULT__FAILED, "holder_died");
    assert_string_equal(last_event(w)->state, "suppressed");
    feed_step(w, "ready_for_pickup");
    assert_string_equal(last_event(w)->state, "suppressed");
    assert_string_equal(last_event(w)->reason, "holder_died");
    assert_string_equal(last_event(w)->template_, "ready_for_pickup");
    feed_life(w, true); /* it was a mistake */
    size_t before = w->d->n_work;
    feed_step(w, "collected");
    assert_int_equal(w->d->n_work, before - 1 + 1); /* the reminder went, the message came */
    world_free(w);
}

/* The change of the card may be read before the end of the enrolment that made it. */
static void the_end_of_a_card_by_death_is_told_to_nobody(void **state)
{
    (void)state;
    for (int known = 0; known <= 1; known++) {
        struct world *w = world_new();
        if (known) feed_accepted(w, "sealed");
        size_t before = w->d->n_work;
        feed_changed(w, "normal", "cancelled", "death");
        feed_changed(w, "sealed", "cancelled", "death");
        assert_int_equal(w->d->n_work, before);
        feed_life(w, false);
        if (!known) feed_accepted(w, "sealed"); /* nothing was kept for then, either */
        size_t of_cards = 0;
        for (size_t i = 0; i < w->d->n_sent; i++)
            of_cards += !strcmp(event_at(w, i)->template_, "cancelled");
        assert_int_equal(of_cards, 0);
        world_free(w);
    }
    /* Cancelled by somebody it is told: the word makes the difference. */
    struct world *w = world_new();
    feed_accepted(w, "sealed");
    feed_changed(w, "normal", "cancelled", "cancel");
    assert_int_equal(w->d->n_work, 2);
    world_free(w);
}

static void without_an_application_and_a_contact_a_message_is_suppressed(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_activated(w); /* a card from before cardflow */
    assert_int_equal(w->d->n_work, 0);
    assert_string_equal(last_event(w)->reason, "no_contact");
    world_free(w);
}

static void steps_read_before_the_acceptance_are_told_after_it(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_step(w, "ready_for_pickup");
    feed_step(w, "collected");
    feed_activated(w);
    assert_int_equal(w->d->n_sent, 0);
    assert_int_equal(w->d->n_work, 0);
    feed_accepted(w, "sealed");
    static const char *const told[] = {"accepted", "ready_for_pickup", "collected", "activated"};
    for (size_t i = 0, left; i < 4; i++) {
        struct cf_work sms = piece_of_the_row(w, 1 % (4 - i), &left); /* all begun by one message */
        assert_int_equal(left, 4 - i);
        feed_outcome(w, sms, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "");
        feed_outcome(w, sms, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, ""); /* a late one */
        assert_int_equal(w->d->n_sent, i + 1);
        assert_string_equal(last_event(w)->state, "sent");
        bool known = false;
        for (size_t k = 0; k < 4; k++)
            known = known || !strcmp(last_event(w)->template_, told[k]);
        assert_true(known);
    }
    assert_int_equal(w->d->n_work, 0);
    assert_int_equal(w->d->n_sent, 4);
    feed_accepted(w, "sealed too"); /* nothing is left of what was kept */
    assert_int_equal(w->d->n_work, 1);
    world_free(w);
}

static void a_message_tried_again_leaves_the_row_of_the_others(void **state)
{
    (void)state;
    struct world *w = world_new();
    size_t left;
    feed_step(w, "ready_for_pickup");
    feed_step(w, "collected");
    feed_accepted(w, "sealed");
    struct cf_work sms = piece_of_the_row(w, 0, &left);
    assert_int_equal(left, 3);
    feed_outcome(w, sms, CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY, "timeout");
    assert_int_equal(w->d->n_work, 2);
    const struct cf_work *alone = &w->d->work[w->d->work[0].pieces ? 1 : 0];
    const struct cf_work *others = &w->d->work[w->d->work[0].pieces ? 0 : 1];
    assert_int_equal(others->pieces, 2);
    assert_int_equal(alone->pieces, 0);
    assert_memory_equal(alone->id, sms.id, 16);
    assert_int_equal(alone->attempt, 1);
    feed_outcome(w, sms, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, ""); /* of the first attempt */
    assert_int_equal(w->d->n_sent, 0);
    feed_outcome(w, *alone, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "");
    assert_int_equal(w->d->n_sent, 1);
    assert_int_equal(piece_of_the_row(w, 0, &left).attempt, 0);
    assert_int_equal(left, 2);
    world_free(w);
}

static void of_one_who_died_before_the_person_was_known_nothing_is_told(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_step(w, "collected");
    feed_life(w, false);
    assert_int_equal(w->d->n_work, 0);
    assert_string_equal(last_event(w)->reason, "holder_died");
    world_free(w);
}

static void steps_of_no_interest_cost_nothing(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "sealed");
    uint64_t steps = atomic_load(&w->d->st->n_steps);
    feed_step(w, "batched");
    feed_step(w, "account_opened");
    feed_step(w, "produced");
    feed_step(w, "shipped");
    assert_int_equal(w->d->n_work, 1);
    assert_int_equal(w->d->n_sent, 0);
    assert_int_equal(atomic_load(&w->d->st->n_steps), steps);
    world_free(w);
}

static struct cf_work *work_of(struct world *w, uint16_t kind)
{
    for (size_t i = 0; i < w->d->n_work; i++)
        if (w->d->work[i].kind == kind) return &w->d->work[i];
    return NULL;
}

static void whoever_does_not_come_is_reminded_three_times(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "sealed");
    feed_step(w, "ready_for_pickup");
    cf_ms ready = w->now;
    static const int days[] = {30, 180, 330};
    for (int i = 0; i < 3; i++) {
        const struct cf_work *timer = work_of(w, NOTIFY_WORK_REMIND);
        assert_non_null(timer);
        struct cf_work due = timer ? *timer : (struct cf_work){0};
        assert_int_equal(due.attempt, i);
        w->now = due.due;
        size_t before = w->d->n_work;
        feed_outcome(w, due, CARDFLOW__V1__WORK_OUTCOME__RESULT__DUE, "");
        /* The message, and the next timer in place of this one, but after the last. */
        assert_int_equal(w->d->n_work, before + (i < 2 ? 1 : 0));
        (void)ready;
        if (i == 0) assert_true(due.due == ready + (cf_ms)days[0] * CF_MS_PER_DAY);
    }
    assert_null(work_of(w, NOTIFY_WORK_REMIND));
    world_free(w);
}

static void collecting_ends_the_reminders(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "sealed");
    feed_step(w, "ready_for_pickup");
    assert_non_null(work_of(w, NOTIFY_WORK_REMIND));
    feed_step(w, "collected");
    assert_null(work_of(w, NOTIFY_WORK_REMIND));
    assert_int_equal(w->d->n_work, 3);
    world_free(w);
}

static void an_answered_order_reaches_its_holder(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "sealed");
    Cardflow__V1__ComplaintEvent e;
    cardflow__v1__complaint_event__init(&e);
    uint8_t order[16] = {1, 2, 3};
    struct cf_key key = cf_key_order(order);
    e.order_no = (char *)(uintptr_t) "WO-1";
    e.state = (char *)(uintptr_t) "replied";
    e.state_before = (char *)(uintptr_t) "in_progress";
    feed_as(w, &key, "complaint.events", "complaint.event", &e.base); /* anonymous: nobody */
    assert_int_equal(w->d->n_sent, 0);
    e.holder_ref = cf_data(cf_key_str(&w->key));
    feed_as(w, &key, "complaint.events", "complaint.event", &e.base);
    assert_int_equal(w->d->n_sent, 1);
    assert_string_equal(w->d->sent[0].type, "notification.forward");
    assert_true(cf_key_eq(&w->d->sent[0].key, &w->key));
    assert_int_equal(w->d->n_work, 1);
    assert_int_equal(double_loop_back(w->d, 0, w->now), 1);
    assert_int_equal(w->d->n_work, 2);
    assert_int_equal(w->d->n_parked, 0);
    world_free(w);
}

/* ---- what the worker writes ---------------------------------------------------------------------
 */

static struct cf_str sealed_person(const struct cf_seal_ring *ring, struct cf_arena *a,
                                   const struct cf_key *key, const char *phone)
{
    Cardflow__V1__Person p;
    cardflow__v1__person__init(&p);
    struct cf_str packed;
    p.document_type = (char *)(uintptr_t) "resident_id";
    p.phone = (char *)(uintptr_t)phone;
    assert_int_equal(cf_seal(ring, cf_pack(a, &p.base), cf_key_str(key), 1, a, &packed), 0);
    return packed;
}

static void the_worker_writes_one_message_or_says_why_not(void **state)
{
    (void)state;
    const uint8_t secret[32] = {1, 2, 3};
    struct cf_seal_ring *ring = cf_seal_ring_new(secret);
    struct cf_arena *a = cf_arena_new(1 << 20);
    struct cf_buf out;
    uint8_t ref[16] = {4}, other[16] = {5};
    struct notification_job job = {.template = NOTIFY_ACCEPTED,
                                   .receipt_no = CF_STR("123456789012"),
                                   .due_on = cf_day_of_date(2026, 3, 19)};
    assert_true(cf_seal_ring_add(ring, 1, secret));
    struct cf_work w = {.id = {0xee}, .key = cf_key_holder(ref)};
    struct cf_key wrong = cf_key_holder(other);
    w.args = notification_codec_job(a, &job);
    struct notification_contact good = {cf_key_str(&w.key), {0}, false};
    good.person = sealed_person(ring, a, &w.key, "19900001729");
    struct notification_contact dead = good, empty = good, mute = good, foreign = good;
    dead.died = true;
    empty.person = (struct cf_str){0};
    mute.person = sealed_person(ring, a, &w.key, "12");
    foreign.person = sealed_person(ring, a, &wrong, "19900001729");
    cf_buf_init(&out, 4096);
    assert_string_equal(notification_sms_write(ring, "社保卡", &w, &dead, a, &out), "holder_died");
    assert_string_equal(notification_sms_write(ring, "社保卡", &w, &empty, a, &out), "no_contact");
    assert_string_equal(notification_sms_write(ring, "社保卡", &w, NULL, a, &out), "no_contact");
    assert_string_equal(notification_sms_write(ring, "社保卡", &w, &mute, a, &out), "no_phone");
    assert_string_equal(notification_sms_write(ring, "社保卡", &w, &foreign, a, &out),
                        "person_not_readable");
    assert_int_equal(out.len, 0);
    assert_null(notification_sms_write(ring, "社保卡", &w, &good, a, &out));
    static const char want[] =
        "{\"id\":\"ee000000-0000-0000-0000-000000000000\",\"to\":\"19900001729\","
        "\"text\":\"【社保卡】您的社会保障卡申领已受理，领卡回执号123456789012，"
        "将于2026年3月19日前办结。\"}";
    assert_int_equal(out.len, sizeof want - 1);
    assert_memory_equal(out.ptr, want, out.len);
    job.receipt_no = CF_STR("");
    w.args = notification_codec_job(a, &job);
    assert_string_equal(notification_sms_write(ring, "社保卡", &w, &good, a, &out),
                        "template_value_missing");
    cf_buf_free(&out);
    cf_arena_free(a);
    cf_seal_ring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accepted_application_is_told_once),
        cmocka_unit_test(a_mark_of_a_deadline_is_told_unless_it_is_silent),
        cmocka_unit_test(at_night_a_message_waits_and_says_so),
        cmocka_unit_test(a_gateway_that_is_away_is_tried_again_until_it_is_too_late),
        cmocka_unit_test(nothing_is_sent_to_the_dead),
        cmocka_unit_test(without_an_application_and_a_contact_a_message_is_suppressed),
        cmocka_unit_test(steps_read_before_the_acceptance_are_told_after_it),
        cmocka_unit_test(a_message_tried_again_leaves_the_row_of_the_others),
        cmocka_unit_test(the_end_of_a_card_by_death_is_told_to_nobody),
        cmocka_unit_test(of_one_who_died_before_the_person_was_known_nothing_is_told),
        cmocka_unit_test(steps_of_no_interest_cost_nothing),
        cmocka_unit_test(whoever_does_not_come_is_reminded_three_times),
        cmocka_unit_test(collecting_ends_the_reminders),
        cmocka_unit_test(an_answered_order_reaches_its_holder),
        cmocka_unit_test(the_worker_writes_one_message_or_says_why_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
