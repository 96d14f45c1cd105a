/* The steps of photo-fetch, through the stage's own batch code over doors in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "services/photo-fetch/codec.h"
#include "services/photo-fetch/handlers.h"
#include "tests/unit/stage_double.h"

#define T0 ((cf_ms)1775000000000)

struct world {
    struct photo_fetch_env env;
    struct cf_service service;
    struct stage_double *d;
    struct cf_key key;
    uint8_t application_id[16], ref[16];
    uint8_t next_id;
};

static struct world *world_new(void)
{
    struct world *w = cf_calloc(1, sizeof *w);
    w->env = (struct photo_fetch_env){.backoff = 500, .backoff_max = 60000, .days_to_give = 30};
    w->service = photo_fetch_service(&w->env);
    w->d = double_new(&w->service, 4);
    memset(w->application_id, 0xa1, 16);
    memset(w->ref, 0xbb, 16);
    uint8_t ref[16] = {9, 8, 7};
    w->key = cf_key_holder(ref);
    return w;
}

static void world_free(struct world *w)
{
    double_free(w->d);
    free(w);
}

static void feed(struct world *w, const char *topic, const char *type, cf_ms at,
                 const ProtobufCMessage *m)
{
    uint8_t id[16] = {w->next_id++, 1};
    assert_int_equal(double_feed(w->d, topic, type, &w->key, id, at, cf_pack(w->d->keep, m)), 0);
}

static void feed_accepted(struct world *w, const char *choice, const char *document, bool child,
                          bool with_photo)
{
    Cardflow__V1__ApplicationEvent e;
    cardflow__v1__application_event__init(&e);
    Cardflow__V1__ApplicationEvent__Accepted a;
    cardflow__v1__application_event__accepted__init(&a);
    e.application_id = cf_data_id(w->application_id);
    e.kind = CARDFLOW__V1__APP_KIND__APP_KIND_FIRST_ISSUE;
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ACCEPTED;
    e.accepted = &a;
    a.photo_choice = (char *)(uintptr_t)choice;
    a.document_type = (char *)(uintptr_t)document;
    a.holder_is_child = child;
    a.person = cf_data(CF_STR("sealed person"));
    if (with_photo) a.photo_ref = cf_data_id(w->ref);
    feed(w, "application.events", "application.accepted", T0, &e.base);
}

static void feed_stop(struct world *w, bool enrolment)
{
    Cardflow__V1__ApplicationEvent e;
    cardflow__v1__application_event__init(&e);
    Cardflow__V1__ApplicationEvent__WithdrawalRequested wr;
    cardflow__v1__application_event__withdrawal_requested__init(&wr);
    Cardflow__V1__ApplicationEvent__EnrolmentChanged ec;
    cardflow__v1__application_event__enrolment_changed__init(&ec);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_WITHDRAWAL_REQUESTED;
    e.withdrawal_requested = &wr;
    if (enrolment) {
        e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ENROLMENT_CHANGED;
        e.enrolment_changed = &ec;
        ec.reason = (char *)(uintptr_t) "death";
    } else {
        e.application_id = cf_data_id(w->application_id);
    }
    feed(w, "application.events",
         enrolment ? "application.enrolment_changed" : "application.withdrawal_requested", T0 + 1,
         &e.base);
}

static void feed_upload(struct world *w, uint8_t command, cf_ms at)
{
    uint8_t id[16] = {command, 0xcc};
    struct cf_str body = photo_fetch_codec_upload(w->d->keep, w->application_id, id, w->ref);
    assert_int_equal(double_feed(w->d, "photo.commands", "photo.upload", &w->key, id, at, body), 0);
}

static void feed_waiver(struct world *w, uint8_t command, cf_ms at)
{
    uint8_t id[16] = {command, 0xcc};
    struct cf_str body = photo_fetch_codec_waive(w->d->keep, w->application_id, id,
                                                 CF_STR("sealed guardian"));
    assert_int_equal(double_feed(w->d, "photo.commands", "photo.waive", &w->key, id, at, body), 0);
}

static void feed_outcome(struct world *w, const struct cf_work *work, uint32_t attempt,
                         Cardflow__V1__WorkOutcome__Result result, struct cf_str payload, cf_ms at)
{
    Cardflow__V1__PhotoInternal in;
    cardflow__v1__photo_internal__init(&in);
    Cardflow__V1__WorkOutcome outcome;
    cardflow__v1__work_outcome__init(&outcome);
    Cardflow__V1__WorkOutcome__Item item;
    cardflow__v1__work_outcome__item__init(&item);
    Cardflow__V1__WorkOutcome__Item *items[] = {&item};
    item.work_id = cf_data_id(work->id);
    item.kind = work->kind;
    item.attempt = attempt;
    item.key = cf_data(cf_key_str(&w->key));
    item.result = result;
    item.payload = cf_data(payload);
    outcome.n_items = 1;
    outcome.items = items;
    in.body_case = CARDFLOW__V1__PHOTO_INTERNAL__BODY_WORK;
    in.work = &outcome;
    feed(w, "photo-fetch.internal", "work.outcome", at, &in.base);
}

/* -1: no row. */
static int state_of(struct world *w)
{
    const struct photo_fetch_job *job = double_row(w->d, PHOTO_KIND_HOLDER, &w->key);
    return job ? job->state : -1;
}

static int result_of(struct world *w, const uint8_t command_id[16])
{
    const struct photo_fetch_answer *a = double_aux(w->d, PHOTO_AUX_UPLOAD, command_id);
    return a ? a->result : -1;
}

static void check_sent(struct world *w, size_t n, const char *last)
{
    assert_int_equal(w->d->n_sent, n);
    if (n) assert_string_equal(w->d->sent[n - 1].type, last);
    assert_int_equal(w->d->n_parked, 0);
}

static Cardflow__V1__PhotoEvent *last_event(struct world *w)
{
    struct cf_str v = w->d->sent[w->d->n_sent - 1].value;
    return cf_unpack(w->d->keep, &cardflow__v1__photo_event__descriptor, v);
}

static void a_police_photo_makes_the_application_ready(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "public_security", "resident_id", false, false);
    check_sent(w, 0, "");
    assert_int_equal(state_of(w), PHOTO_FETCHING);
    assert_int_equal(w->d->n_work, 1);
    assert_int_equal(w->d->work[0].kind, PHOTO_WORK_FETCH);
    assert_true(w->d->work[0].due == T0);
    assert_true(cf_str_is(w->d->work[0].args, "sealed person"));
    struct cf_work fetch = w->d->work[0];
    feed_outcome(w, &fetch, 0, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE,
                 photo_fetch_codec_fetched(w->d->keep, w->ref, 0), T0 + 50);
    check_sent(w, 1, "photo.ready");
    assert_int_equal(w->d->n_work, 0);
    assert_int_equal(state_of(w), PHOTO_READY);
    Cardflow__V1__PhotoEvent *e = last_event(w);
    assert_memory_equal(e->ready->photo_ref.data, w->ref, 16);
    assert_memory_equal(e->application_id.data, w->application_id, 16);
    assert_string_equal(e->ready->source, "public_security");
    assert_int_equal(e->kind, CARDFLOW__V1__APP_KIND__APP_KIND_FIRST_ISSUE);
    /* The same outcome again: its work is gone, nothing happens. */
    feed_outcome(w, &fetch, 0, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE,
                 photo_fetch_codec_fetched(w->d->keep, w->ref, 0), T0 + 60);
    check_sent(w, 1, "photo.ready");
    world_free(w);
}

static void a_busy_gateway_is_asked_again_and_again(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "public_security", "resident_id", false, false);
    for (uint32_t attempt = 0; attempt < 20; attempt++) {
        struct cf_work fetch = w->d->work[0];
        assert_int_equal(fetch.attempt, attempt);
        feed_outcome(w, &fetch, attempt, CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY,
                     (struct cf_str){0}, fetch.due + 1);
        assert_int_equal(w->d->n_work, 1);
        assert_memory_equal(w->d->work[0].id, fetch.id, 16); /* the gateway's idempotency key */
        assert_true(cf_str_is(w->d->work[0].args, "sealed person"));
        cf_ms wait = w->d->work[0].due - (fetch.due + 1);
        assert_true(wait >= 0 && wait <= 60000);
        /* The old attempt told twice counts once. */
        feed_outcome(w, &fetch, attempt, CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY,
                     (struct cf_str){0}, fetch.due + 1);
        assert_int_equal(w->d->work[0].attempt, attempt + 1);
    }
    check_sent(w, 0, "");
    assert_int_equal(state_of(w), PHOTO_FETCHING);
    world_free(w);
}

static void no_photo_then_an_upload(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "public_security", "household_book", true, false);
    struct cf_work fetch = w->d->work[0];
    feed_outcome(
        w, &fetch, 0, CARDFLOW__V1__WORK_OUTCOME__RESULT__FAILED,
        photo_fetch_codec_fetched(w->d->keep, NULL, CF_PHOTO_BAD_DAMAGED | CF_PHOTO_BAD_WRONG_DPI),
        T0 + 50);
    check_sent(w, 1, "photo.missing");
    Cardflow__V1__PhotoEvent *e = last_event(w);
    assert_int_equal(e->missing->n_reasons, 2);
    assert_string_equal(e->missing->reasons[0], "damaged_jpeg");
    assert_string_equal(e->missing->reasons[1], "wrong_dpi");
    assert_int_equal(e->missing->respond_by, cf_day_of_ms(T0) + 30);
    assert_int_equal(w->d->n_work, 1);
    assert_int_equal(w->d->work[0].kind, PHOTO_WORK_EXPIRE);
    feed_upload(w, 1, T0 + 100);
    check_sent(w, 2, "photo.ready");
    assert_string_equal(last_event(w)->ready->source, "upload");
    assert_int_equal(w->d->n_work, 0);
    feed_upload(w, 1, T0 + 200); /* the same command */
    check_sent(w, 2, "photo.ready");
    feed_upload(w, 2, T0 + 300); /* another one, too late */
    check_sent(w, 2, "photo.ready");
    const uint8_t first[16] = {1, 0xcc}, second[16] = {2, 0xcc};
    assert_int_equal(result_of(w, first), PHOTO_UPLOAD_DONE);
    assert_int_equal(result_of(w, second), PHOTO_UPLOAD_ENDED);
    world_free(w);
}

static void whom_the_police_do_not_know_is_asked_for_a_photo(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "public_security", "household_book", true, false);
    struct cf_work fetch = w->d->work[0];
    feed_outcome(w, &fetch, 0, CARDFLOW__V1__WORK_OUTCOME__RESULT__FAILED,
                 photo_fetch_codec_fetched(w->d->keep, NULL, CF_PHOTO_BAD_PERSON_UNKNOWN),
                 T0 + 50);
    check_sent(w, 1, "photo.missing");
    assert_int_equal(last_event(w)->missing->n_reasons, 1);
    assert_string_equal(last_event(w)->missing->reasons[0], "photo_person_unknown");
    world_free(w);
}

/* Who uploads may say that the photo shows somebody else. */
static void a_photo_of_somebody_else_is_not_usable(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "upload", "passport", false, false);
    const uint8_t id[16] = {1, 0xcc};
    Cardflow__V1__PhotoCommand c;
    Cardflow__V1__PhotoCommand__Upload upload;
    cardflow__v1__photo_command__init(&c);
    cardflow__v1__photo_command__upload__init(&upload);
    c.application_id = cf_data_id(w->application_id);
    c.command_id = cf_data_id(id);
    c.body_case = CARDFLOW__V1__PHOTO_COMMAND__BODY_UPLOAD;
    c.upload = &upload;
    upload.photo_ref = cf_data_id(w->ref);
    upload.holder_mismatch = true;
    struct cf_str body = cf_pack(w->d->keep, &c.base);
    assert_int_equal(double_feed(w->d, "photo.commands", "photo.upload", &w->key, id, T0 + 100,
                                 body), 0);
    check_sent(w, 1, "photo.missing");
    assert_int_equal(state_of(w), PHOTO_MISSING);
    assert_int_equal(result_of(w, id), PHOTO_UPLOAD_UNUSABLE);
    assert_string_equal(cf_photo_reason_name(CF_PHOTO_INDEX_HOLDER_MISMATCH),
                        "photo_holder_mismatch");
    world_free(w);
}

static void a_missing_photo_expires_after_thirty_days(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "upload", "passport", false, false);
    check_sent(w, 1, "photo.missing");
    assert_string_equal(last_event(w)->missing->reasons[0], "photo_not_given");
    struct cf_work timer = w->d->work[0];
    assert_true(timer.due == cf_ms_of_day(cf_day_of_ms(T0) + 31));
    feed_outcome(w, &timer, 0, CARDFLOW__V1__WORK_OUTCOME__RESULT__DUE, (struct cf_str){0},
                 timer.due);
    check_sent(w, 2, "photo.ended");
    assert_string_equal(last_event(w)->ended->state, "expired");
    assert_int_equal(state_of(w), PHOTO_EXPIRED);
    feed_upload(w, 1, timer.due + 1);
    check_sent(w, 2, "photo.ended");
    world_free(w);
}

static void photos_on_file_and_waivers_need_one_step(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "upload", "passport", false, true);
    check_sent(w, 1, "photo.ready");
    assert_memory_equal(last_event(w)->ready->photo_ref.data, w->ref, 16);
    assert_int_equal(w->d->n_work, 0);
    memset(w->application_id, 0xa2, 16); /* the next application of the same holder */
    feed_accepted(w, "none", "household_book", true, false);
    check_sent(w, 2, "photo.ready");
    assert_int_equal(last_event(w)->ready->photo_ref.len, 0);
    assert_string_equal(last_event(w)->ready->source, "none");
    world_free(w);
}

static void a_guardian_may_still_declare_that_there_is_no_photo(void **state)
{
    (void)state;
    const uint8_t grown_id[16] = {1, 0xcc}, child_id[16] = {2, 0xcc}, late_id[16] = {3, 0xcc};
    struct world *grown = world_new(), *child = world_new();
    feed_accepted(grown, "upload", "passport", false, false);
    feed_waiver(grown, 1, T0 + 1);
    assert_int_equal(result_of(grown, grown_id), PHOTO_UPLOAD_NOT_A_CHILD);
    assert_int_equal(state_of(grown), PHOTO_MISSING);
    feed_accepted(child, "upload", "passport", true, false);
    feed_waiver(child, 2, T0 + 1);
    assert_int_equal(result_of(child, child_id), PHOTO_UPLOAD_DONE);
    check_sent(child, 2, "photo.ready");
    assert_string_equal(last_event(child)->ready->source, "none");
    assert_int_equal(last_event(child)->ready->photo_ref.len, 0);
    assert_int_equal(child->d->n_work, 0); /* nor does it expire any more */
    feed_waiver(child, 3, T0 + 2);
    assert_int_equal(result_of(child, late_id), PHOTO_UPLOAD_ENDED);
    world_free(grown);
    world_free(child);
}

static void a_stop_is_silent_and_final(void **state)
{
    (void)state;
    for (int enrolment = 0; enrolment < 2; enrolment++) {
        struct world *w = world_new();
        feed_accepted(w, "public_security", "resident_id", false, false);
        struct cf_work fetch = w->d->work[0];
        feed_stop(w, enrolment);
        check_sent(w, 0, "");
        assert_int_equal(w->d->n_work, 0);
        assert_int_equal(state_of(w), PHOTO_STOPPED);
        feed_outcome(w, &fetch, 0, CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE,
                     photo_fetch_codec_fetched(w->d->keep, w->ref, 0), T0 + 50);
        feed_upload(w, 1, T0 + 60);
        check_sent(w, 0, "");
        assert_int_equal(state_of(w), PHOTO_STOPPED);
        world_free(w);
    }
}

static void a_stop_of_another_application_changes_nothing(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "public_security", "resident_id", false, false);
    uint8_t keep[16];
    memcpy(keep, w->application_id, 16);
    memset(w->application_id, 0xee, 16);
    feed_stop(w, false);
    assert_int_equal(state_of(w), PHOTO_FETCHING);
    memcpy(w->application_id, keep, 16);
    check_sent(w, 0, "");
    world_free(w);
}

static void a_command_older_than_seven_days_is_refused(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "upload", "passport", false, false);
    uint8_t id[16] = {5, 0xcc};
    struct cf_str body = photo_fetch_codec_upload(w->d->keep, w->application_id, id, w->ref);
    /* The shard's time never goes back, so that a record of eight days ago is late. */
    assert_int_equal(double_feed(w->d, "photo.commands", "photo.upload", &w->key, id,
                                 T0 - (cf_ms)8 * CF_MS_PER_DAY, body),
                     0);
    check_sent(w, 1, "photo.missing");
    assert_int_equal(result_of(w, id), PHOTO_UPLOAD_EXPIRED);
    world_free(w);
}

static void accepting_twice_is_parked(void **state)
{
    (void)state;
    struct world *w = world_new();
    feed_accepted(w, "upload", "passport", false, true);
    feed_accepted(w, "upload", "passport", false, true);
    assert_int_equal(w->d->n_parked, 1);
    assert_string_equal(w->d->parked[0], "accepted_twice");
    assert_int_equal(w->d->n_sent, 1);
    world_free(w);
}

static void a_malformed_command_is_a_dead_letter_that_says_why(void **state)
{
    (void)state;
    struct world *w = world_new();
    uint8_t id[16] = {1};
    assert_int_equal(double_feed(w->d, "photo.commands", "photo.upload", &w->key, id, T0,
                                 CF_STR("\xff\xff\xff")),
                     0);
    assert_int_equal(w->d->n_sent, 1);
    assert_string_equal(w->d->sent[0].topic, "photo.commands.dlq");
    assert_int_equal(w->d->n_parked, 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_police_photo_makes_the_application_ready),
        cmocka_unit_test(a_busy_gateway_is_asked_again_and_again),
        cmocka_unit_test(no_photo_then_an_upload),
        cmocka_unit_test(whom_the_police_do_not_know_is_asked_for_a_photo),
        cmocka_unit_test(a_photo_of_somebody_else_is_not_usable),
        cmocka_unit_test(a_missing_photo_expires_after_thirty_days),
        cmocka_unit_test(photos_on_file_and_waivers_need_one_step),
        cmocka_unit_test(a_guardian_may_still_declare_that_there_is_no_photo),
        cmocka_unit_test(a_stop_is_silent_and_final),
        cmocka_unit_test(a_stop_of_another_application_changes_nothing),
        cmocka_unit_test(a_command_older_than_seven_days_is_refused),
        cmocka_unit_test(accepting_twice_is_parked),
        cmocka_unit_test(a_malformed_command_is_a_dead_letter_that_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
