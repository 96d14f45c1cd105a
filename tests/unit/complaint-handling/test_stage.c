/* Work orders through the stage over doors in memory. */
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/complaint.pb-c.h"
#include "services/complaint-handling/handlers.h"
#include "services/complaint-handling/show.h"
#include "tests/unit/stage_double.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

struct fixture {
    struct cf_seal_ring *ring;
    struct complaint_env env;
    struct cf_calendar calendar;
    struct cf_service service;
    struct stage_double *d;
    struct cf_arena *a;
    struct cf_key key, holder;
    uint32_t ids;
};

static int begin(void **state)
{
    static const uint8_t secret[32] = {9};
    struct fixture *f = cf_calloc(1, sizeof *f);
    uint8_t ref[16] = {1, 2, 3};
    f->ring = cf_seal_ring_new(secret);
    cf_seal_ring_add(f->ring, 1, secret);
    f->calendar = (struct cf_calendar){.coverage_until = 30000};
    f->env = (struct complaint_env){
        .ring = f->ring, .calendar = &f->calendar, .can_ask = true, .ask_again = 100, .ask_max = 3};
    for (int i = 0; i < COMPLAINT_KIND_COUNT; i++)
        f->env.owners[i] = CF_STR("desk");
    f->service = complaint_service(&f->env);
    f->d = double_new(&f->service, 4);
    f->a = cf_arena_new((size_t)64 << 20);
    f->key = complaint_codec_key(CF_STR("12345"), CF_STR("N1"));
    f->holder = cf_key_holder(ref);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    double_free(f->d);
    cf_seal_ring_free(f->ring);
    cf_arena_free(f->a);
    free(f);
    return 0;
}

static cf_ms noon(const char *text)
{
    cf_day d = 0;
    assert_true(cf_day_parse(cf_str_of(text), &d));
    return cf_ms_of_day(d) + CF_MS_PER_DAY / 2;
}

static struct cf_str sealed(struct fixture *f, const char *text, uint8_t field)
{
    struct cf_str out = {0};
    assert_int_equal(cf_seal(f->ring, cf_str_of(text), cf_key_str(&f->key), field, f->a, &out), 0);
    return out;
}

static struct complaint_command order(struct fixture *f, enum complaint_kind kind, const char *at)
{
    struct complaint_command c = {.source_system = CF_STR("12345"),
                                  .order_no = CF_STR("N1"),
                                  .kind = kind,
                                  .dispatched_at = noon(at)};
    c.text = sealed(f, "where is my card", COMPLAINT_FIELD_TEXT);
    c.holder_known = true;
    memcpy(c.holder_ref, f->holder.b, 16);
    return c;
}

/* n: of the command, the same for a repetition. */
__attribute__((noinline)) static void send(struct fixture *f, enum complaint_message what,
                                           const struct complaint_command *c, uint8_t n,
                                           const char *at)
{
    const uint8_t id[16] = {n, 0xcc};
    struct cf_str bytes = complaint_codec_command(f->a, what, c, id);
    assert_int_equal(double_feed(f->d, "complaint.commands",
                                 what == COMPLAINT_MSG_OPEN ? "complaint.open" : "complaint.action",
                                 &f->key, id, noon(at), bytes),
                     0);
}

static void act(struct fixture *f, struct complaint_action action, const char *text, uint8_t n,
                const char *at)
{
    struct complaint_command c = {.source_system = CF_STR("12345"),
                                  .order_no = CF_STR("N1"),
                                  .action = action,
                                  .operator_id = CF_STR("op")};
    if (action.has_reason) c.reason = CF_STR("because");
    if (text) c.text = sealed(f, text, COMPLAINT_FIELD_REPLY);
    send(f, COMPLAINT_MSG_ACTION, &c, n, at);
}

__attribute__((noinline)) static const struct complaint_order *row(struct fixture *f)
{
    static const struct complaint_order none;
    const struct complaint_order *o = double_row(f->d, 0, &f->key);
    return o ? o : &none;
}

static size_t count(const struct fixture *f, const char *topic)
{
    size_t n = 0;
    for (size_t i = 0; i < f->d->n_sent; i++)
        n += !strcmp(f->d->sent[i].topic, topic);
    return n;
}

/* The newest event of the order. */
__attribute__((noinline)) static const Cardflow__V1__ComplaintEvent *newest(struct fixture *f)
{
    static Cardflow__V1__ComplaintEvent none;
    const Cardflow__V1__ComplaintEvent *e = NULL;
    for (size_t i = f->d->n_sent; i > 0 && !e; i--)
        if (!strcmp(f->d->sent[i - 1].topic, "complaint.events"))
            e = cf_unpack(f->a, &cardflow__v1__complaint_event__descriptor,
                          f->d->sent[i - 1].value);
    if (!e) fail_msg("no event of the order");
    return e ? e : &none;
}

static const struct cf_work *work(const struct fixture *f, uint16_t kind)
{
    for (size_t i = 0; i < f->d->n_work; i++)
        if (f->d->work[i].kind == kind) return &f->d->work[i];
    return NULL;
}

/* What the pool would send for the pending work of this kind. */
__attribute__((noinline)) static void outcome(struct fixture *f, uint16_t kind,
                                              Cardflow__V1__WorkOutcome__Result result,
                                              struct cf_str payload, cf_ms at)
{
    const struct cf_work *w = work(f, kind);
    const uint8_t id[16] = {(uint8_t)++f->ids, 0xee};
    Cardflow__V1__WorkOutcome o;
    cardflow__v1__work_outcome__init(&o);
    Cardflow__V1__WorkOutcome__Item item, *items[] = {&item};
    cardflow__v1__work_outcome__item__init(&item);
    Cardflow__V1__ComplaintInternal in;
    cardflow__v1__complaint_internal__init(&in);
    if (!w) {
        fail_msg("no such work is pending");
        return;
    }
    item.work_id = cf_data_id(w->id);
    item.attempt = w->attempt;
    item.kind = kind;
    item.key = cf_data(cf_key_str(&w->key));
    item.result = result;
    item.payload = cf_data(payload);
    o.n_items = 1;
    o.items = items;
    in.body_case = CARDFLOW__V1__COMPLAINT_INTERNAL__BODY_WORK;
    in.work = &o;
    assert_int_equal(double_feed(f->d, "complaint-handling.internal", "work.outcome", &f->key, id,
                                 at, cf_pack(f->a, &in.base)),
                     0);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void an_order_is_opened_and_routed(void **state)
{
    struct fixture *f = *state;
    struct complaint_command c = order(f, COMPLAINT_KIND_COMPLAINT, "2026-03-09");
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    assert_int_equal(row(f)->state, COMPLAINT_ROUTED);
    assert_true(cf_str_is(row(f)->owner, "desk"));
    assert_int_equal(row(f)->event_no, 2);
    assert_int_equal(count(f, "complaint.events"), 2);
    assert_int_equal(count(f, "complaint.holder-events"), 2);
    assert_string_equal(newest(f)->action, "route");
    assert_int_equal(newest(f)->event_no, 2);
    assert_non_null(work(f, COMPLAINT_WORK_TIMER));
    assert_non_null(work(f, COMPLAINT_WORK_ASK)); /* it opens with the card's status beside it */
    struct cf_str status = sealed(f, "in production", COMPLAINT_FIELD_REPLY);
    outcome(f, COMPLAINT_WORK_ASK, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, status,
            noon("2026-03-09"));
    assert_true(cf_str_eq(row(f)->context, status));
    assert_int_equal(row(f)->state, COMPLAINT_ROUTED);
    assert_int_equal(count(f, "complaint.events"), 2);
    assert_null(work(f, COMPLAINT_WORK_ASK));
}

static void the_same_order_again_is_already_there(void **state)
{
    struct fixture *f = *state;
    struct complaint_command c = order(f, COMPLAINT_KIND_REPORT, "2026-03-09");
    const uint8_t second[16] = {2, 0xcc};
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    send(f, COMPLAINT_MSG_OPEN, &c, 2, "2026-03-10");
    assert_int_equal(count(f, "complaint.events"), 2);
    assert_int_equal(row(f)->event_no, 2);
    const struct complaint_step *s = double_aux(f->d, COMPLAINT_AUX_STEP, second);
    assert_non_null(s);
    if (s) assert_true(cf_str_is(s->result, "already"));
}

static void progress_is_answered_without_a_person(void **state)
{
    struct fixture *f = *state;
    struct complaint_command c = order(f, COMPLAINT_KIND_CONSULTATION, "2026-03-09");
    c.topic = CF_STR("progress");
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    assert_int_equal(row(f)->state, COMPLAINT_RECEIVED);
    outcome(f, COMPLAINT_WORK_ASK, CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY, (struct cf_str){0},
            noon("2026-03-09"));
    assert_int_equal(row(f)->state, COMPLAINT_RECEIVED);
    assert_non_null(work(f, COMPLAINT_WORK_ASK));
    struct cf_str status = sealed(f, "in production", COMPLAINT_FIELD_REPLY);
    outcome(f, COMPLAINT_WORK_ASK, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, status,
            noon("2026-03-09"));
    assert_int_equal(row(f)->state, COMPLAINT_REPLIED);
    assert_string_equal(newest(f)->action, "auto_reply");
    assert_true(cf_str_eq(cf_bytes(newest(f)->reply), status));
    assert_int_equal(newest(f)->holder_ref.len, 16);
}

static void a_person_answers_when_inquiry_cannot(void **state)
{
    struct fixture *f = *state;
    struct complaint_command c = order(f, COMPLAINT_KIND_CONSULTATION, "2026-03-09");
    c.topic = CF_STR("progress");
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    for (int i = 0; i < 3; i++)
        outcome(f, COMPLAINT_WORK_ASK, CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY,
                (struct cf_str){0}, noon("2026-03-09"));
    assert_int_equal(row(f)->state, COMPLAINT_ROUTED);
    assert_null(work(f, COMPLAINT_WORK_ASK));
}

static void of_an_anonymous_order_nothing_tells_who(void **state)
{
    struct fixture *f = *state;
    struct complaint_command c = order(f, COMPLAINT_KIND_REPORT, "2026-03-09");
    c.anonymous = true;
    c.reporter = sealed(f, "person", COMPLAINT_FIELD_REPORTER);
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    act(f, (struct complaint_action){.what = COMPLAINT_ON_ACCEPT}, NULL, 2, "2026-03-09");
    act(f, (struct complaint_action){.what = COMPLAINT_ON_REPLY, .has_text = true}, "done", 3,
        "2026-03-10");
    assert_int_equal(row(f)->state, COMPLAINT_REPLIED);
    const struct complaint_demand *demand = double_aux(f->d, COMPLAINT_AUX_DEMAND, f->key.b);
    assert_non_null(demand);
    if (demand) assert_int_equal(demand->reporter.len, 0);
    assert_int_equal(count(f, "complaint.holder-events"), 0);
    assert_null(work(f, COMPLAINT_WORK_ASK));
    for (size_t i = 0; i < f->d->n_sent; i++) {
        const struct double_sent *m = &f->d->sent[i];
        assert_null(memmem(m->value.ptr, m->value.len, f->holder.b, 16));
    }
}

static void marks_and_silence_come_by_themselves(void **state)
{
    struct fixture *f = *state;
    struct complaint_command c = order(f, COMPLAINT_KIND_COMPLAINT, "2026-03-09");
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    const struct cf_str none = {0};
    outcome(f, COMPLAINT_WORK_TIMER, CARDFLOW__V1__WORK_OUTCOME__RESULT__DUE, none,
            noon("2026-03-13"));
    assert_int_equal(row(f)->mark, COMPLAINT_MARK_YELLOW);
    assert_string_equal(newest(f)->mark, "yellow");
    outcome(f, COMPLAINT_WORK_TIMER, CARDFLOW__V1__WORK_OUTCOME__RESULT__DUE, none,
            noon("2026-03-17"));
    assert_int_equal(row(f)->mark, COMPLAINT_MARK_RED);
    assert_null(work(f, COMPLAINT_WORK_TIMER));
    act(f, (struct complaint_action){.what = COMPLAINT_ON_ACCEPT}, NULL, 2, "2026-03-17");
    act(f, (struct complaint_action){.what = COMPLAINT_ON_REPLY, .has_text = true}, "done", 3,
        "2026-03-17");
    /* A clock that is ahead by a little: it is armed again, nothing else. */
    outcome(f, COMPLAINT_WORK_TIMER, CARDFLOW__V1__WORK_OUTCOME__RESULT__DUE, none,
            noon("2026-03-24"));
    assert_int_equal(row(f)->state, COMPLAINT_REPLIED);
    outcome(f, COMPLAINT_WORK_TIMER, CARDFLOW__V1__WORK_OUTCOME__RESULT__DUE, none,
            noon("2026-03-25"));
    assert_int_equal(row(f)->state, COMPLAINT_CLOSED);
    assert_true(cf_str_is(row(f)->end_reason, "silent"));
    assert_int_equal(f->d->n_work, 0);
}

static void a_closed_order_leaves_no_work_behind(void **state)
{
    struct fixture *f = *state;
    struct complaint_command c = order(f, COMPLAINT_KIND_COMPLAINT, "2026-03-09");
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    assert_int_equal(f->d->n_work, 2);
    act(f, (struct complaint_action){.what = COMPLAINT_ON_WITHDRAW}, NULL, 2, "2026-03-09");
    assert_int_equal(row(f)->state, COMPLAINT_WITHDRAWN);
    assert_int_equal(f->d->n_work, 0);
}

static void actions_are_judged_by_their_id(void **state)
{
    struct fixture *f = *state;
    struct complaint_command c = order(f, COMPLAINT_KIND_COMPLAINT, "2026-03-09");
    const struct complaint_action accept = {.what = COMPLAINT_ON_ACCEPT};
    act(f, accept, NULL, 9, "2026-03-09");
    assert_string_equal(newest(f)->reasons[0], "order_unknown");
    assert_int_equal(f->d->n_parked, 0);
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    act(f, accept, NULL, 2, "2026-03-09");
    size_t events = count(f, "complaint.events");
    act(f, accept, NULL, 2, "2026-03-09"); /* the same command */
    assert_int_equal(count(f, "complaint.events"), events);
    act(f, accept, NULL, 3, "2026-03-09"); /* another one that is done already */
    assert_string_equal(newest(f)->result, "already");
    act(f, (struct complaint_action){.what = COMPLAINT_ON_REOPEN}, NULL, 4, "2026-03-09");
    assert_string_equal(newest(f)->result, "refused");
    assert_string_equal(newest(f)->reasons[0], "illegal_in_state");
    assert_int_equal(row(f)->event_no, 3); /* open, route, accept */
}

static void a_decided_correction_goes_upstream(void **state)
{
    struct fixture *f = *state;
    struct complaint_command c = order(f, COMPLAINT_KIND_CORRECTION, "2026-03-09");
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    act(f, (struct complaint_action){.what = COMPLAINT_ON_ACCEPT}, NULL, 2, "2026-03-09");
    struct complaint_command decision = {.source_system = c.source_system,
                                         .order_no = c.order_no,
                                         .reason = CF_STR("proven"),
                                         .person = CF_STR("sealed person")};
    decision.action = (struct complaint_action){.what = COMPLAINT_ON_DECIDE, .satisfied = true};
    send(f, COMPLAINT_MSG_ACTION, &decision, 3, "2026-03-10");
    assert_int_equal(row(f)->state, COMPLAINT_REPLIED);
    assert_int_equal(count(f, "correction.events"), 1);
    for (size_t i = 0; i < f->d->n_sent; i++) {
        if (strcmp(f->d->sent[i].topic, "correction.events") != 0) continue;
        const Cardflow__V1__CorrectionEvent *e =
            cf_unpack(f->a, &cardflow__v1__correction_event__descriptor, f->d->sent[i].value);
        assert_non_null(e);
        if (!e) return;
        assert_string_equal(e->decision, "granted");
        assert_true(cf_str_is(cf_bytes(e->person), "sealed person"));
        assert_true(cf_key_eq(&f->d->sent[i].key, &f->holder));
    }
}

static void what_cannot_be_read_is_a_dead_letter(void **state)
{
    struct fixture *f = *state;
    struct complaint_command c = order(f, COMPLAINT_KIND_COMPLAINT, "2026-03-09");
    c.order_no = CF_STR("N2"); /* not the key's */
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    assert_int_equal(count(f, "complaint.commands.dlq"), 1);
    c = order(f, COMPLAINT_KIND_COMPLAINT, "2026-03-09");
    c.text = CF_STR("not sealed");
    send(f, COMPLAINT_MSG_OPEN, &c, 2, "2026-03-09");
    assert_int_equal(count(f, "complaint.commands.dlq"), 2);
    assert_null(double_row(f->d, 0, &f->key));
}

/* The order that comes late: another one of its shard has moved the shard's time on. */
static void an_open_from_long_ago_is_refused(void **state)
{
    struct fixture *f = *state;
    struct complaint_command late = order(f, COMPLAINT_KIND_COMPLAINT, "2026-03-09");
    struct complaint_command other = late;
    struct cf_key key = f->key;
    other.text = (struct cf_str){0};
    for (int i = 2; i == 2 || cf_key_partition(&f->key, 4) != cf_key_partition(&key, 4); i++) {
        other.order_no = cf_arena_printf(f->a, "N%d", i);
        f->key = complaint_codec_key(other.source_system, other.order_no);
    }
    send(f, COMPLAINT_MSG_OPEN, &other, 1, "2026-03-30");
    assert_int_equal(row(f)->state, COMPLAINT_ROUTED);
    f->key = key;
    send(f, COMPLAINT_MSG_OPEN, &late, 2, "2026-03-09");
    assert_null(double_row(f->d, 0, &f->key));
    assert_string_equal(newest(f)->result, "refused");
    assert_string_equal(newest(f)->reasons[0], "command_expired");
}

static void an_order_shows_what_is_needed_and_masks_the_rest(void **state)
{
    struct fixture *f = *state;
    const struct complaint_person p = {CF_STR("resident_id"), CF_STR("37020219900307123X"),
                                       CF_STR("张伟"), CF_STR("13812345678")};
    struct complaint_command c = order(f, COMPLAINT_KIND_COMPLAINT, "2026-03-09");
    struct cf_str packed = complaint_codec_person_pack(f->a, &p);
    assert_int_equal(
        cf_seal(f->ring, packed, cf_key_str(&f->key), COMPLAINT_FIELD_REPORTER, f->a, &c.reporter),
        0);
    send(f, COMPLAINT_MSG_OPEN, &c, 1, "2026-03-09");
    const struct complaint_demand *demand = double_aux(f->d, COMPLAINT_AUX_DEMAND, f->key.b);
    assert_non_null(demand);
    const struct complaint_show in = {f->a, &f->env, &f->key, row(f), demand, NULL, 0};
    struct cf_buf body;
    cf_buf_init(&body, 65536);
    complaint_show(&body, &in);
    cf_buf_add(&body, "", 1);
    print_message("%s\n", body.ptr);
    assert_non_null(strstr(body.ptr, "where is my card"));
    assert_non_null(strstr(body.ptr, "3702**********123X"));
    assert_non_null(strstr(body.ptr, "\"due_on\":\"2026-03-16\""));
    assert_null(strstr(body.ptr, "37020219900307123X"));
    assert_null(strstr(body.ptr, "张伟"));
    assert_null(strstr(body.ptr, "13812345678"));
    cf_buf_free(&body);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_order_is_opened_and_routed),
        TEST(the_same_order_again_is_already_there),
        TEST(progress_is_answered_without_a_person),
        TEST(a_person_answers_when_inquiry_cannot),
        TEST(of_an_anonymous_order_nothing_tells_who),
        TEST(marks_and_silence_come_by_themselves),
        TEST(a_closed_order_leaves_no_work_behind),
        TEST(actions_are_judged_by_their_id),
        TEST(a_decided_correction_goes_upstream),
        TEST(what_cannot_be_read_is_a_dead_letter),
        TEST(an_open_from_long_ago_is_refused),
        TEST(an_order_shows_what_is_needed_and_masks_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
