/* world -- production's steps through the stage's own batch code, store and log in memory: one
 * holder, one bank, and what comes to them.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "common/pure/receipt.h"
#include "services/production/handlers.h"
#include "tests/unit/policies.h"
#include "tests/unit/stage_double.h"

#define UNUSED __attribute__((unused))

static const cf_ms NOW = 1774922400000; /* 2026-03-31T10:00:00+08:00 */
UNUSED static const cf_ms DAY = CF_MS_PER_DAY;

static struct production_env env;
static struct cf_calendar calendar;
static struct cf_arena *kept;
static struct cf_service service;

struct world {
    struct stage_double *d;
    struct cf_arena *a;
    struct cf_key holder, bank;
    uint8_t app[16];
    cf_ms now;
    size_t looped; /* messages of our own fed back so far */
    uint32_t ids;
    cf_day accepted_on;
    struct cf_str person; /* a child's, sealed */
};

UNUSED static int make_env(void **state)
{
    (void)state;
    static const uint8_t reference[32] = {1}, sealing[32] = {2};
    struct cf_seal_ring *ring = cf_seal_ring_new(reference);
    if (!cf_seal_ring_add(ring, 1, sealing)) return -1;
    env.ring = ring;
    env.calendar = &calendar;
    kept = cf_arena_new(1 << 20);
    env.deadlines = test_policies(kept);
    env.policy = (struct production_policy){.answer_ms = 5 * DAY,
                                            .pickup_ms = 365 * DAY,
                                            .account_ms = 30 * DAY,
                                            .loss_ms = 7 * DAY,
                                            .operation_wait_ms = 10000,
                                            .early_ms = 3600000,
                                            .notice_retry_ms = 60000,
                                            .notice_retry_max_ms = 3600000,
                                            .notice_overdue_ms = 600000,
                                            .number_retry_ms = 60000,
                                            .remake_max = 2,
                                            .card_years = 10,
                                            .temporary_days = 60,
                                            .temporary_months = 6,
                                            .batch_lines = 3,
                                            .batch_wait_ms = 1000,
                                            .daily_capacity = 100,
                                            .priority_quota = 50,
                                            .lead_days = 3,
                                            .warn_days = 2};
    memcpy(env.letters, "B", 2);
    service = production_service(&env);
    return 0;
}

UNUSED static int drop_env(void **state)
{
    (void)state;
    cf_seal_ring_free((struct cf_seal_ring *)(uintptr_t)env.ring);
    cf_arena_free(kept);
    return 0;
}

UNUSED static int begin(void **state)
{
    struct world *w = cf_calloc(1, sizeof *w);
    w->d = double_new(&service, 4);
    w->a = cf_arena_new(64 << 20);
    w->holder = cf_key_holder((const uint8_t *)"holder-reference");
    if (!cf_key_bank(CF_STR("B01"), &w->bank)) return -1;
    memcpy(w->app, "application-id-1", 16);
    w->now = NOW;
    *state = w;
    return 0;
}

UNUSED static int end(void **state)
{
    struct world *w = *state;
    double_free(w->d);
    cf_arena_free(w->a);
    free(w);
    return 0;
}

/* ---- feeding ------------------------------------------------------------------------------- */

UNUSED static void feed(struct world *w, const char *topic, const char *type,
                        const struct cf_key *key, struct cf_str value)
{
    uint8_t id[16] = {0};
    uint32_t n = ++w->ids;
    memcpy(id, &n, sizeof n);
    assert_int_equal(double_feed(w->d, topic, type, key, id, w->now, value), 0);
}

/* Own messages come back from the log. */
UNUSED static void settle(struct world *w)
{
    double_loop_back(w->d, w->looped, w->now);
    w->looped = w->d->n_sent;
}

/* reissue_reason: empty but for a reissue. */
UNUSED static void accepted_for(struct world *w, Cardflow__V1__AppKind kind,
                                const char *reissue_reason)
{
    Cardflow__V1__ApplicationEvent e;
    cardflow__v1__application_event__init(&e);
    Cardflow__V1__ApplicationEvent__Accepted a;
    cardflow__v1__application_event__accepted__init(&a);
    static char bank[] = "B01", outlet[] = "B01001";
    e.application_id = cf_data_id(w->app);
    e.kind = kind;
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ACCEPTED;
    e.accepted = &a;
    a.bank_code = bank;
    a.outlet_code = outlet;
    a.reissue_reason = (char *)(uintptr_t)reissue_reason;
    a.person = cf_data(CF_STR("sealed person"));
    a.accepted_on = w->accepted_on;
    a.due_on = 20600;
    if (w->person.len) {
        a.person = cf_data(w->person);
        a.holder_is_child = true;
    }
    feed(w, "application.events", "application.accepted", &w->holder, cf_pack(w->a, &e.base));
}

UNUSED static void accepted_as(struct world *w, Cardflow__V1__AppKind kind)
{
    accepted_for(w, kind, "");
}

UNUSED static void accepted(struct world *w)
{
    accepted_as(w, CARDFLOW__V1__APP_KIND__APP_KIND_FIRST_ISSUE);
}

UNUSED static void withdrawal(struct world *w)
{
    Cardflow__V1__ApplicationEvent e;
    cardflow__v1__application_event__init(&e);
    Cardflow__V1__ApplicationEvent__WithdrawalRequested q;
    cardflow__v1__application_event__withdrawal_requested__init(&q);
    e.application_id = cf_data_id(w->app);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_WITHDRAWAL_REQUESTED;
    e.withdrawal_requested = &q;
    q.command_id = cf_data_id(w->app);
    q.channel = (char *)(uintptr_t) "school";
    feed(w, "application.events", "application.withdrawal_requested", &w->holder,
         cf_pack(w->a, &e.base));
}

UNUSED static void photo_ready(struct world *w)
{
    Cardflow__V1__PhotoEvent e;
    cardflow__v1__photo_event__init(&e);
    Cardflow__V1__PhotoEvent__Ready r;
    cardflow__v1__photo_event__ready__init(&r);
    e.application_id = cf_data_id(w->app);
    e.body_case = CARDFLOW__V1__PHOTO_EVENT__BODY_READY;
    e.ready = &r;
    r.photo_ref = cf_data_id(w->app);
    feed(w, "photo.events", "photo.ready", &w->holder, cf_pack(w->a, &e.base));
}

UNUSED static const struct production_row *row_of(struct world *w)
{
    static const struct production_row none;
    const struct production_row *row = double_row(w->d, PRODUCTION_HOLDER, &w->holder);
    assert_non_null(row);
    return row ? row : &none;
}

UNUSED static const struct production_bank_row *bank_of(struct world *w)
{
    static const struct production_bank_row none;
    const struct production_bank_row *row = double_row(w->d, PRODUCTION_BANK, &w->bank);
    assert_non_null(row);
    return row ? row : &none;
}

UNUSED static void result_for(struct world *w, const char *step, struct cf_str card_no)
{
    struct production_result_fields f = {
        .bank = CF_STR("B01"), .step = cf_str_of(step), .card_no = card_no, .line_no = 1};
    memcpy(f.app_id, w->app, 16);
    feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
}

UNUSED static void result(struct world *w, const char *step)
{
    const struct production_row *row = row_of(w);
    result_for(w, step, row->made_no.len ? row->made_no : row->card_no);
}

UNUSED static struct production_command_fields command_of(const char *operation, const char *id)
{
    struct production_command_fields f = {.operation = cf_str_of(operation),
                                          .channel = CF_STR("bank_outlet"),
                                          .role = CF_STR("holder"),
                                          .staff_id = CF_STR("s1"),
                                          .operator_bank = CF_STR("B01")};
    memcpy(f.operation_id, id, 16);
    return f;
}

/* A card of bank B01 from before. */
UNUSED static struct production_command_fields import_of(const char *id, const char *state,
                                                         cf_day issued_on)
{
    struct production_command_fields f = command_of("import_card", id);
    f.imports = true;
    f.import_bank = CF_STR("B01");
    f.import_state = cf_str_of(state);
    f.issued_on = issued_on;
    return f;
}

/* Who asks, with a document; sealed for the world's holder. */
UNUSED static void shown(struct world *w, const char *role, const char *type, const char *number,
                         struct production_command_fields *f)
{
    f->role = cf_str_of(role);
    struct cf_str plain = production_codec_actor(w->a, f->role, CF_STR("Ada Example"),
                                                 cf_str_of(type), cf_str_of(number));
    assert_int_equal(cf_seal(env.ring, plain, cf_key_str(&w->holder), 2, w->a, &f->actor), 0);
}

UNUSED static void send_command(struct world *w, const struct production_command_fields *f)
{
    assert_int_equal(double_feed(w->d, "card.commands", "card.operation", &w->holder,
                                 f->operation_id, w->now, production_codec_command(w->a, f)),
                     0);
}

UNUSED static void command(struct world *w, const char *operation, const char *id)
{
    struct production_command_fields f = command_of(operation, id);
    if (!strcmp(operation, "report_formal_loss")) shown(w, "agent", "passport", "QX7000000", &f);
    send_command(w, &f);
}

/* The time of every timer that is due by now comes. */
UNUSED static void time_passes(struct world *w, cf_ms by)
{
    w->now += by;
    for (size_t i = 0; i < w->d->n_work;) {
        struct cf_work work = w->d->work[i];
        if (work.due > w->now) {
            i++;
            continue;
        }
        Cardflow__V1__ProductionInternal m;
        cardflow__v1__production_internal__init(&m);
        Cardflow__V1__WorkOutcome out;
        cardflow__v1__work_outcome__init(&out);
        Cardflow__V1__WorkOutcome__Item item;
        cardflow__v1__work_outcome__item__init(&item);
        Cardflow__V1__WorkOutcome__Item *items[] = {&item};
        item.work_id = cf_data_id(work.id);
        item.attempt = work.attempt;
        item.kind = work.kind;
        item.key = cf_data(cf_key_str(&work.key));
        out.n_items = 1;
        out.items = items;
        m.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_WORK;
        m.work = &out;
        size_t before = w->d->n_work;
        feed(w, "production.internal", "work.outcome", &work.key, cf_pack(w->a, &m.base));
        if (w->d->n_work == before && w->d->work[i].attempt == work.attempt &&
            !memcmp(w->d->work[i].id, work.id, 16))
            fail_msg("a timer that fired stays as it was");
    }
}

/* ---- looking ------------------------------------------------------------------------------- */

UNUSED static size_t count(const struct world *w, const char *topic, const char *type)
{
    size_t n = 0;
    for (size_t i = 0; i < w->d->n_sent; i++)
        n += !strcmp(w->d->sent[i].topic, topic) && !strcmp(w->d->sent[i].type, type);
    return n;
}

UNUSED static const Cardflow__V1__CardEvent *event_at(struct world *w, size_t i)
{
    static const Cardflow__V1__CardEvent none;
    const Cardflow__V1__CardEvent *e =
        cf_unpack(w->a, &cardflow__v1__card_event__descriptor, w->d->sent[i].value);
    assert_non_null(e);
    return e ? e : &none;
}

/* The states of all steps told so far, separated by blanks. */
UNUSED static const char *steps(struct world *w)
{
    static char text[1024];
    size_t n = 0;
    text[0] = 0;
    for (size_t i = 0; i < w->d->n_sent; i++) {
        if (strcmp(w->d->sent[i].type, "card.step")) continue;
        const Cardflow__V1__CardEvent *e = event_at(w, i);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", e->step->state);
    }
    return text;
}

UNUSED static const Cardflow__V1__CardEvent__OperationAnswered *last_answer(struct world *w)
{
    static const Cardflow__V1__CardEvent__OperationAnswered none;
    for (size_t i = w->d->n_sent; i-- > 0;)
        if (!strcmp(w->d->sent[i].type, "card.operation_answered"))
            return event_at(w, i)->operation_answered;
    fail_msg("no operation was answered");
    return &none;
}

UNUSED static void is_text(struct cf_str s, const char *want)
{
    if (!cf_str_is(s, want)) fail_msg("%.*s, want %s", CF_ARG(s), want);
}

UNUSED static const char STRAIGHT[] =
    "batched account_opened produced shipped ready_for_pickup collected";

UNUSED static void to_batched(struct world *w)
{
    accepted(w);
    photo_ready(w);
    settle(w);
    time_passes(w, 1000);
    settle(w);
    is_text(row_of(w)->app_state, "batched");
}

UNUSED static void to_collected(struct world *w)
{
    static const char *const all[] = {"account_opened", "produced", "shipped", "arrived",
                                      "collected"};
    to_batched(w);
    for (int i = 0; i < 5; i++)
        result(w, all[i]);
    settle(w);
}
