/* production's steps through the stage's own batch code, store and log in memory. */
#include "common/io/metrics.h"
#include "tests/unit/production/world.h"

/* ---- the clock of the application --------------------------------------------------------- */

static void extension(struct world *w, uint32_t days)
{
    Cardflow__V1__ApplicationEvent e;
    cardflow__v1__application_event__init(&e);
    Cardflow__V1__ApplicationEvent__ExtensionRequested q;
    cardflow__v1__application_event__extension_requested__init(&q);
    static char reason[] = "machine";
    e.application_id = cf_data_id(w->app);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_EXTENSION_REQUESTED;
    e.extension_requested = &q;
    q.command_id = cf_data_id(w->app);
    q.days = days;
    q.reason = reason;
    feed(w, "application.events", "application.extension_requested", &w->holder,
         cf_pack(w->a, &e.base));
}

static void recalculate(struct world *w, cf_day due_on)
{
    Cardflow__V1__ProductionInternal m;
    cardflow__v1__production_internal__init(&m);
    Cardflow__V1__ProductionInternal__Recalculate x;
    cardflow__v1__production_internal__recalculate__init(&x);
    m.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_RECALCULATE;
    m.recalculate = &x;
    x.application_id = cf_data_id(w->app);
    x.due_on = due_on;
    x.provisional = true; /* the calendar of these tests has no rows */
    feed(w, "production.internal", "production.recalculate", &w->holder, cf_pack(w->a, &m.base));
}

static const Cardflow__V1__CardEvent__Deadline *last_deadline(struct world *w)
{
    static const Cardflow__V1__CardEvent__Deadline none;
    for (size_t i = w->d->n_sent; i-- > 0;)
        if (!strncmp(w->d->sent[i].type, "card.deadline_", 14)) return event_at(w, i)->deadline;
    fail_msg("nothing was said of a deadline");
    return &none;
}

static void marks_come_by_the_timer_once_each(void **state)
{
    struct world *w = *state;
    w->accepted_on = cf_day_of_ms(NOW);
    accepted(w);
    /* The first timer looks when a bank's answer would be due, and the batch puts no other. */
    assert_int_equal(w->d->n_work, 1);
    assert_int_equal(w->d->work[0].due, NOW + 5 * DAY);
    photo_ready(w);
    settle(w);
    time_passes(w, 1000);
    settle(w);
    is_text(row_of(w)->app_state, "batched");
    result(w, "account_opened");
    result(w, "produced");
    time_passes(w, cf_ms_of_day(20600) - w->now);
    assert_int_equal(count(w, "card.events", "card.deadline_marked"), 1);
    assert_string_equal(last_deadline(w)->what, "warned");
    for (int i = 0; i < 3; i++)
        time_passes(w, DAY);
    assert_int_equal(count(w, "card.events", "card.deadline_marked"), 2);
    assert_string_equal(last_deadline(w)->what, "overdue");
    assert_true(last_deadline(w)->warned && last_deadline(w)->overdue);
    assert_int_equal(w->d->n_parked, 0);
}

static void more_time_is_answered_and_told(void **state)
{
    struct world *w = *state;
    w->accepted_on = cf_day_of_ms(NOW);
    accepted(w);
    extension(w, 24);
    assert_string_equal(last_answer(w)->result, "refused");
    assert_string_equal(last_answer(w)->operation, "extend_deadline");
    assert_true(cf_receipt_check_prefixed(cf_str_of(last_answer(w)->notice_no), 'N'));
    assert_int_equal(count(w, "card.events", "card.deadline_changed"), 0);
    extension(w, 5);
    assert_string_equal(last_answer(w)->result, "done");
    const Cardflow__V1__CardEvent__Deadline *d = last_deadline(w);
    assert_string_equal(d->what, "extended");
    assert_string_equal(d->reason, "machine");
    assert_int_equal(d->working_days, 12);
    assert_int_equal(d->due_before, 20600);
    assert_int_equal(d->due_on, cf_add_workdays(&calendar, w->accepted_on, 12));
    /* Counted again it is the same; by another calendar, cardctl's count is not taken over. */
    recalculate(w, d->due_on);
    assert_int_equal(count(w, "card.events", "card.deadline_changed"), 1);
    recalculate(w, 20601);
    assert_int_equal(count(w, "card.events", "card.deadline_changed"), 1);
    assert_int_equal(w->d->n_parked, 0);
}

/* ---- the straight path --------------------------------------------------------------------- */

static void a_first_issue_goes_from_acceptance_to_an_active_card(void **state)
{
    struct world *w = *state;
    to_collected(w);
    assert_string_equal(steps(w), STRAIGHT);
    is_text(row_of(w)->card_state, "sealed");
    command(w, "activate", "operation-id-001");
    const struct production_row *row = row_of(w);
    is_text(row->app_state, "collected");
    is_text(row->card_state, "normal");
    assert_int_equal(row->made_no.len, 0);
    assert_true(cf_cardnum_valid(row->card_no));
    assert_int_equal(w->d->n_parked, 0);
    const Cardflow__V1__CardEvent__OperationAnswered *a = last_answer(w);
    assert_string_equal(a->result, "done");
    assert_string_equal(a->card_state, "normal");
    assert_true(cf_receipt_check_prefixed(cf_str_of(a->voucher_no), 'V'));
    for (size_t i = 0; i < w->d->n_sent; i++) {
        if (strcmp(w->d->sent[i].type, "card.changed")) continue;
        const Cardflow__V1__CardEvent__CardChanged *c = event_at(w, i)->card_changed;
        bool activated = !strcmp(c->state, "normal");
        assert_string_equal(c->voucher_no, activated ? a->voucher_no : "");
    }
    /* One order, one manifest, one number; the line is accounted for. */
    assert_int_equal(count(w, "bank.orders", "bank.line"), 1);
    assert_int_equal(count(w, "bank.orders", "bank.manifest"), 1);
    assert_int_equal(count(w, "card.events", "card.promised"), 1);
    const struct production_bank_row *b = bank_of(w);
    assert_true(b->batches == 1 && b->sent == 1 && b->made == 1 && b->reconciled == 1);
    const struct production_answer *stored =
        double_aux(w->d, PRODUCTION_OPERATION, (const uint8_t *)"operation-id-001");
    if (!stored) {
        fail_msg("the answer is not stored");
        return;
    }
    is_text(stored->result, "done");
    is_text(stored->voucher_no, a->voucher_no);
}

static void the_order_carries_the_sealed_person_unchanged_and_the_routing_key(void **state)
{
    struct world *w = *state;
    to_batched(w);
    for (size_t i = 0; i < w->d->n_sent; i++) {
        if (strcmp(w->d->sent[i].type, "bank.line")) continue;
        assert_true(cf_key_eq(&w->d->sent[i].key, &w->bank));
        const Cardflow__V1__BankOrder *o =
            cf_unpack(w->a, &cardflow__v1__bank_order__descriptor, w->d->sent[i].value);
        if (!o) break;
        assert_true(cf_str_is(cf_bytes(o->line->person), "sealed person"));
        assert_true(cf_str_eq(cf_bytes(o->line->routing_key), cf_key_str(&w->holder)));
        assert_true(cf_str_eq(cf_str_of(o->line->card_no), row_of(w)->made_no));
        return;
    }
    fail_msg("no line was ordered");
}

static void the_photo_may_come_before_the_acceptance(void **state)
{
    struct world *w = *state;
    photo_ready(w);
    assert_true(row_of(w)->early.len > 0);
    accepted(w);
    assert_int_equal(row_of(w)->early.len, 0);
    settle(w);
    time_passes(w, 1000);
    settle(w);
    is_text(row_of(w)->app_state, "batched");
}

static void a_lane_that_is_full_is_sent_without_waiting(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 3; i++) {
        uint8_t ref[16] = {(uint8_t)(i + 1)};
        w->holder = cf_key_holder(ref);
        w->app[15] = (uint8_t)i;
        accepted(w);
        photo_ready(w);
        settle(w);
    }
    assert_int_equal(count(w, "bank.orders", "bank.line"), 3);
    assert_int_equal(count(w, "bank.orders", "bank.manifest"), 1);
    const struct production_bank_row *b = bank_of(w);
    assert_true(b->batches == 1 && b->sent == 3);
    /* The timer that was armed for the first line finds nothing to do. */
    time_passes(w, 1000);
    settle(w);
    assert_int_equal(count(w, "bank.orders", "bank.manifest"), 1);
}

/* ---- the bank's answers: twice, late, out of order, wrong ---------------------------------- */

static void answers_that_come_twice_change_nothing(void **state)
{
    struct world *w = *state;
    to_batched(w);
    static const char *const all[] = {"account_opened", "produced", "shipped", "arrived",
                                      "collected"};
    for (int i = 0; i < 5; i++) {
        result(w, all[i]);
        result(w, all[i]);
        for (int k = 0; k <= i; k++)
            result(w, all[k]);
    }
    settle(w);
    assert_string_equal(steps(w), STRAIGHT);
    assert_int_equal(w->d->n_parked, 0);
    const struct production_bank_row *b = bank_of(w);
    assert_int_equal(b->made, 1);
}

/* Every order of five answers, also before the batch is known to the holder. */
static void answers_in_any_order_end_at_collected(void **state)
{
    static const char *const all[] = {"account_opened", "produced", "shipped", "arrived",
                                      "collected"};
    (void)state;
    for (int p = 0; p < 120; p++) {
        void *own = NULL;
        begin(&own);
        struct world *w = own;
        int left[5] = {0, 1, 2, 3, 4}, n = 5, code = p;
        to_batched(w);
        while (n) {
            int pick = code % n;
            code /= n;
            result(w, all[left[pick]]);
            left[pick] = left[--n];
        }
        settle(w);
        if (strcmp(steps(w), STRAIGHT)) fail_msg("order %d: %s", p, steps(w));
        assert_int_equal(row_of(w)->early.len, 0);
        assert_int_equal(w->d->n_parked, 0);
        end(&own);
    }
}

static void answers_may_come_before_the_holder_knows_the_batch(void **state)
{
    struct world *w = *state;
    accepted(w);
    photo_ready(w);
    result(w, "account_opened");
    result(w, "produced");
    is_text(row_of(w)->app_state, "photo_ready");
    settle(w);
    time_passes(w, 1000);
    settle(w);
    is_text(row_of(w)->app_state, "produced");
    assert_string_equal(steps(w), "batched account_opened produced");
}

static void a_contradicting_answer_is_parked_alone(void **state)
{
    struct world *w = *state;
    to_batched(w);
    result(w, "account_opened");
    result(w, "account_failed");
    assert_int_equal(w->d->n_parked, 1);
    result(w, "produced");
    assert_int_equal(w->d->n_parked, 1);
    is_text(row_of(w)->app_state, "produced");
}

static void an_answer_about_another_card_or_from_another_bank_is_parked(void **state)
{
    struct world *w = *state;
    to_batched(w);
    result_for(w, "account_opened", CF_STR("B00009991"));
    assert_int_equal(w->d->n_parked, 1);
    struct production_result_fields f = {.bank = CF_STR("B02"), .step = CF_STR("account_opened")};
    memcpy(f.app_id, w->app, 16);
    feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
    assert_int_equal(w->d->n_parked, 2);
    is_text(row_of(w)->app_state, "batched");
}

static void an_answer_that_stays_ahead_raises_an_alarm_and_is_kept(void **state)
{
    struct world *w = *state;
    to_batched(w);
    result(w, "shipped");
    time_passes(w, 3600000);
    assert_true(row_of(w)->early.len > 0);
    result(w, "account_opened");
    result(w, "produced");
    is_text(row_of(w)->app_state, "shipped");
}

static void a_fee_in_a_bank_report_is_refused_and_the_step_counts(void **state)
{
    struct world *w = *state;
    to_batched(w);
    struct production_result_fields f = {.bank = CF_STR("B01"),
                                         .step = CF_STR("account_opened"),
                                         .fee_cents = 500,
                                         .fee_type = CF_STR("opening")};
    memcpy(f.app_id, w->app, 16);
    feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
    is_text(row_of(w)->app_state, "account_opened");
    assert_string_equal(last_answer(w)->reasons[0], "fee_not_allowed");
}

/* With a notice; one that comes ahead of its step when it comes, and not again with its step. */
static void a_fee_is_refused_once_for_an_answer(void **state)
{
    struct world *w = *state;
    to_batched(w);
    struct production_result_fields f = {.bank = CF_STR("B01"), .fee_cents = 500};
    static const char *const all[] = {"produced", "account_opened", "account_opened", "produced"};
    static const size_t answers[] = {1, 2, 2, 2};
    memcpy(f.app_id, w->app, 16);
    for (int i = 0; i < 4; i++) {
        f.step = cf_str_of(all[i]);
        feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
        assert_int_equal(count(w, "card.events", "card.operation_answered"), answers[i]);
    }
    is_text(row_of(w)->app_state, "produced");
    assert_true(last_answer(w)->notice_no[0]);
    /* The same step in another answer. */
    memcpy(f.result_id, "result-id-000001", 16);
    for (int i = 0; i < 2; i++) {
        feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
        assert_int_equal(count(w, "card.events", "card.operation_answered"), 3);
    }
}

static void a_fee_about_an_application_that_has_left_its_slot_is_refused_once(void **state)
{
    struct world *w = *state;
    struct production_result_fields f = {
        .bank = CF_STR("B01"), .step = CF_STR("shipped"), .fee_cents = 500};
    memcpy(f.app_id, w->app, 16);
    accepted(w);
    withdrawal(w);
    memcpy(w->app, "application-id-2", 16);
    accepted(w);
    size_t before = count(w, "card.events", "card.operation_answered");
    for (int i = 0; i < 2; i++) {
        feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
        assert_int_equal(count(w, "card.events", "card.operation_answered"), before + 1);
    }
    assert_string_equal(last_answer(w)->reasons[0], "fee_not_allowed");
    assert_true(last_answer(w)->notice_no[0]);
    is_text(row_of(w)->app_state, "accepted");
    assert_int_equal(w->d->n_parked, 0);
    /* Of an application that was never here a person looks at all of it. */
    memcpy(f.app_id, "application-id-9", 16);
    feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
    assert_int_equal(count(w, "card.events", "card.operation_answered"), before + 1);
    assert_int_equal(w->d->n_parked, 1);
}

static void garbage_and_wrong_keys_on_open_topics_become_dead_letters(void **state)
{
    struct world *w = *state;
    feed(w, "bank.results", "bank.result", &w->holder, CF_STR("\xff\xff garbage"));
    feed(w, "card.commands", "card.operation", &w->holder, CF_STR("\x0a\xff"));
    feed(w, "bank.results", "bank.result", &w->bank, CF_STR(""));
    assert_int_equal(count(w, "bank.results.dlq", "bank.result"), 2);
    assert_int_equal(count(w, "card.commands.dlq", "card.operation"), 1);
    /* A person of another key. */
    struct production_command_fields f = command_of("activate", "operation-id-009");
    struct cf_str person = production_codec_document(w->a, CF_STR("passport"), CF_STR("E1234567"),
                                                     CF_STR(""));
    assert_int_equal(cf_seal(env.ring, person, cf_key_str(&w->holder), 1, w->a, &f.holder), 0);
    send_command(w, &f);
    assert_int_equal(count(w, "card.commands.dlq", "card.operation"), 2);
    assert_null(double_row(w->d, PRODUCTION_HOLDER, &w->holder));
}

/* ---- failures and remakes ------------------------------------------------------------------ */

static void a_failed_card_is_made_again_under_a_new_number(void **state)
{
    struct world *w = *state;
    to_batched(w);
    struct cf_str first = row_of(w)->made_no;
    result(w, "account_opened");
    result(w, "failed");
    settle(w);
    is_text(row_of(w)->app_state, "photo_ready");
    assert_false(cf_str_eq(row_of(w)->made_no, first));
    time_passes(w, 1000);
    settle(w);
    is_text(row_of(w)->app_state, "batched");
    /* The old card turns up after all: only its line hears of it. */
    result_for(w, "produced", first);
    is_text(row_of(w)->app_state, "batched");
    assert_int_equal(w->d->n_parked, 0);
    result(w, "account_opened");
    result(w, "produced");
    is_text(row_of(w)->made_state, "sealed");
    const struct production_bank_row *b = bank_of(w);
    assert_int_equal(b->failed, 1);
}

static void a_line_that_the_bank_rejects_is_made_again_until_the_limit(void **state)
{
    struct world *w = *state;
    to_batched(w);
    for (int i = 0; i < 3; i++) {
        result(w, "failed");
        settle(w);
        time_passes(w, 1000);
        settle(w);
    }
    assert_string_equal(steps(w), "batched production_failed photo_ready batched production_failed "
                                  "photo_ready batched production_failed");
    is_text(row_of(w)->app_state, "production_failed");
    assert_int_equal(row_of(w)->made_no.len, 0);
    assert_int_equal(bank_of(w)->failed, 3);
    withdrawal(w);
    is_text(row_of(w)->app_state, "withdrawn");
}

static void an_unanswered_line_is_missing_voided_and_made_again(void **state)
{
    struct world *w = *state;
    to_batched(w);
    struct cf_str first = row_of(w)->made_no;
    const uint8_t *batch = NULL;
    for (size_t i = 0; i < w->d->n_rows; i++)
        if (w->d->rows[i].aux && w->d->rows[i].kind == PRODUCTION_BATCH)
            batch = w->d->rows[i].key.b;
    if (!batch) {
        fail_msg("no batch row");
        return;
    }
    time_passes(w, 5 * DAY);
    settle(w);
    is_text(row_of(w)->app_state, "photo_ready");
    assert_int_equal(count(w, "bank.orders", "bank.card_notice"), 1);
    const struct production_bank_row *b = bank_of(w);
    assert_int_equal(b->missing, 1);
    struct production_result_fields f = {
        .bank = CF_STR("B01"), .step = CF_STR("produced"), .card_no = first, .line_no = 1};
    memcpy(f.app_id, w->app, 16);
    memcpy(f.batch_id, batch, 16);
    /* With a line that the batch has not: the bank's queue goes on. */
    f.line_no = 8;
    feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
    settle(w);
    assert_int_equal(w->d->n_parked, 0);
    b = bank_of(w);
    assert_true(b->missing == 1 && b->late_voided == 0);
    f.line_no = 1;
    feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
    settle(w);
    b = bank_of(w);
    assert_true(b->missing == 0 && b->late_voided == 1);
    is_text(row_of(w)->app_state, "photo_ready");
}

static void a_late_answer_about_no_line_of_the_bank_does_not_stop_its_queue(void **state)
{
    struct world *w = *state;
    to_batched(w);
    struct production_result_fields f = {.bank = CF_STR("B01"),
                                         .step = CF_STR("produced"),
                                         .card_no = row_of(w)->made_no};
    memcpy(f.app_id, w->app, 16); /* and no batch, or one that is not there */
    time_passes(w, 5 * DAY);
    settle(w);
    assert_int_equal(bank_of(w)->missing, 1);
    for (uint8_t batch = 0; batch < 2; batch++) {
        f.batch_id[0] = batch;
        f.line_no = batch;
        f.result_id[0] = batch;
        feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
        settle(w);
    }
    if (w->d->n_parked) fail_msg("parked: %s", w->d->parked[0]);
    assert_int_equal(bank_of(w)->missing, 1);
    time_passes(w, 1000);
    settle(w);
    is_text(row_of(w)->app_state, "batched");
}

static void late_news_of_the_first_of_three_cards_is_about_its_line_only(void **state)
{
    struct world *w = *state;
    to_batched(w);
    struct cf_str first = cf_arena_str(w->a, row_of(w)->made_no);
    uint8_t batch[16] = {0};
    for (size_t i = 0; i < w->d->n_rows; i++)
        if (w->d->rows[i].aux && w->d->rows[i].kind == PRODUCTION_BATCH)
            memcpy(batch, w->d->rows[i].key.b, 16);
    for (int i = 0; i < 2; i++) {
        time_passes(w, 5 * DAY);
        settle(w);
        time_passes(w, 1000);
        settle(w);
    }
    is_text(row_of(w)->app_state, "batched");
    struct production_result_fields f = {
        .bank = CF_STR("B01"), .step = CF_STR("produced"), .card_no = first, .line_no = 1};
    memcpy(f.app_id, w->app, 16);
    memcpy(f.batch_id, batch, 16);
    feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
    settle(w);
    assert_int_equal(w->d->n_parked, 0);
    is_text(row_of(w)->app_state, "batched");
    const struct production_bank_row *b = bank_of(w);
    assert_true(b->missing == 1 && b->late_voided == 1);
}

/* Whether the rules have counted it, by the text of the metrics. */
static bool counted(struct cf_metrics *metrics, const char *what)
{
    struct cf_buf text;
    char label[64];
    cf_buf_init(&text, 1 << 20);
    cf_metrics_render(metrics, &text);
    cf_buf_add(&text, "", 1);
    snprintf(label, sizeof label, "what=\"%s\"", what);
    bool found = strstr(text.ptr, label) != NULL;
    cf_buf_free(&text);
    return found;
}

static void no_number_left_stops_batching_and_loses_nothing(void **state)
{
    struct world *w = *state;
    struct cf_metrics *metrics = cf_metrics_new();
    w->d->st->conf.metrics = metrics;
    w->d->numbers = CF_CARDNUM_SERIALS;
    assert_false(counted(metrics, "number_range_exhausted"));
    accepted(w);
    photo_ready(w);
    settle(w);
    is_text(row_of(w)->app_state, "photo_ready");
    assert_int_equal(row_of(w)->made_no.len, 0);
    assert_int_equal(count(w, "production.internal", "production.enqueue"), 0);
    assert_true(counted(metrics, "number_range_exhausted"));
    /* A further letter is there: the timer finds it. */
    memcpy(env.letters, "BC", 3);
    time_passes(w, 60000);
    settle(w);
    memcpy(env.letters, "B", 2);
    assert_int_equal(row_of(w)->made_no.len, 9);
    assert_int_equal(row_of(w)->made_no.ptr[0], 'C');
    w->d->st->conf.metrics = NULL;
    cf_metrics_free(metrics);
}

/* ---- withdrawal ---------------------------------------------------------------------------- */

static void an_application_in_the_queue_is_withdrawn_by_the_banks_shard(void **state)
{
    struct world *w = *state;
    accepted(w);
    photo_ready(w);
    settle(w);
    withdrawal(w);
    is_text(row_of(w)->app_state, "photo_ready");
    settle(w);
    is_text(row_of(w)->app_state, "withdrawn");
    assert_string_equal(last_answer(w)->result, "done");
    time_passes(w, 1000);
    settle(w);
    assert_int_equal(count(w, "bank.orders", "bank.line"), 0);
    assert_int_equal(count(w, "bank.orders", "bank.manifest"), 0);
}

static void an_application_in_production_is_not_withdrawn(void **state)
{
    struct world *w = *state;
    to_batched(w);
    withdrawal(w);
    is_text(row_of(w)->app_state, "batched");
    assert_string_equal(last_answer(w)->reasons[0], "in_production");
    result(w, "account_opened");
    result(w, "produced");
    result(w, "shipped");
    result(w, "arrived");
    withdrawal(w);
    is_text(row_of(w)->app_state, "withdrawn");
    assert_int_equal(row_of(w)->made_no.len, 0);
    /* What comes after the end is dropped. */
    result(w, "collected");
    is_text(row_of(w)->app_state, "withdrawn");
    assert_int_equal(w->d->n_parked, 0);
}

static void a_withdrawal_that_crosses_the_closing_is_refused(void **state)
{
    struct world *w = *state;
    accepted(w);
    photo_ready(w);
    settle(w);
    time_passes(w, 1000); /* the batch is being closed, the holder does not know */
    withdrawal(w);
    settle(w);
    is_text(row_of(w)->app_state, "batched");
    assert_string_equal(last_answer(w)->result, "refused");
    assert_int_equal(count(w, "bank.orders", "bank.line"), 1);
}

/* ---- operations ---------------------------------------------------------------------------- */

static void an_activation_ahead_of_the_collection_waits_for_it(void **state)
{
    struct world *w = *state;
    to_batched(w);
    command(w, "activate", "operation-id-001");
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 0);
    command(w, "activate", "operation-id-001"); /* the same command again is no second one */
    static const char *const all[] = {"account_opened", "produced", "shipped", "arrived",
                                      "collected"};
    for (int i = 0; i < 5; i++)
        result(w, all[i]);
    is_text(row_of(w)->card_state, "normal");
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 1);
    assert_string_equal(last_answer(w)->result, "done");
    assert_int_equal(row_of(w)->early.len, 0);
}

static void an_activation_without_collection_is_refused_in_time(void **state)
{
    struct world *w = *state;
    to_batched(w);
    result(w, "account_opened");
    result(w, "produced");
    command(w, "activate", "operation-id-001");
    time_passes(w, 3599999);
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 0);
    time_passes(w, 1);
    assert_string_equal(last_answer(w)->result, "refused");
    assert_string_equal(last_answer(w)->reasons[0], "not_collected");
    assert_true(cf_receipt_check_prefixed(cf_str_of(last_answer(w)->notice_no), 'N'));
    is_text(row_of(w)->made_state, "sealed");
    result(w, "shipped");
    result(w, "arrived");
    result(w, "collected");
    command(w, "activate", "operation-id-002");
    is_text(row_of(w)->card_state, "normal");
}

static void many_activations_ahead_are_answered_and_nothing_runs_out(void **state)
{
    struct world *w = *state;
    to_batched(w);
    for (int i = 0; i < 12; i++) {
        char id[17] = "operation-id-0xx";
        id[14] = (char)('a' + i);
        command(w, "activate", id);
    }
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 8);
    time_passes(w, 3600000);
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 12);
}

static void a_command_that_comes_twice_is_done_once(void **state)
{
    struct world *w = *state;
    to_collected(w);
    command(w, "activate", "operation-id-001");
    command(w, "report_formal_loss", "operation-id-002");
    command(w, "activate", "operation-id-001");
    command(w, "report_formal_loss", "operation-id-002");
    is_text(row_of(w)->card_state, "formal_loss");
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 2);
}

static const struct production_answer *operation_row(struct world *w, const uint8_t *id)
{
    static const struct production_answer none;
    const struct production_answer *row = double_aux(w->d, PRODUCTION_OPERATION, id);
    if (!row) fail_msg("the operation is not written down");
    return row ? row : &none;
}

static const struct production_signature *signature_row(struct world *w, const uint8_t *id)
{
    static const struct production_signature none;
    const struct production_signature *row = double_aux(w->d, PRODUCTION_SIGNATURE, id);
    if (!row) fail_msg("there is no signature");
    return row ? row : &none;
}

static void a_refused_withdrawal_leaves_a_notice_that_can_be_found(void **state)
{
    struct world *w = *state;
    to_batched(w);
    withdrawal(w);
    const struct production_answer *row = operation_row(w, w->app); /* its command's id here */
    is_text(row->operation, "withdraw");
    is_text(row->reasons, "in_production");
    is_text(row->channel, "school");
    assert_true(cf_receipt_check_prefixed(row->notice_no, CF_NOTICE_LETTER));
}

static void signature(struct world *w, const char *voucher, const char *method)
{
    struct production_signed f = {.voucher_no = cf_str_of(voucher),
                                  .role = CF_STR("holder"),
                                  .method = cf_str_of(method),
                                  .signer = CF_STR("sealed"),
                                  .signed_at = w->now};
    memcpy(f.operation_id, "operation-id-001", 16);
    feed(w, "card.commands", "card.signature", &w->holder, production_codec_signature(w->a, &f));
}

static void a_voucher_is_signed_once_and_only_under_its_own_number(void **state)
{
    struct world *w = *state;
    const uint8_t *id = (const uint8_t *)"operation-id-001";
    signature(w, "V000000000000", "seal"); /* of no operation at all */
    assert_null(double_aux(w->d, PRODUCTION_SIGNATURE, id));
    to_collected(w);
    command(w, "activate", "operation-id-001");
    const struct production_answer *op = operation_row(w, id);
    assert_true(cf_receipt_check_prefixed(op->voucher_no, CF_VOUCHER_LETTER));
    const char *voucher = cf_arena_printf(w->a, "%.*s", CF_ARG(op->voucher_no)).ptr;
    signature(w, "V000000000000", "seal");
    assert_null(double_aux(w->d, PRODUCTION_SIGNATURE, id));
    signature(w, voucher, "handwritten");
    signature(w, voucher, "fingerprint");
    const struct production_signature *row = signature_row(w, id);
    is_text(row->method, "handwritten");
    is_text(row->role, "holder");
    assert_int_equal(row->signed_at, w->now);
}

static void a_command_older_than_the_ids_that_are_kept_is_refused(void **state)
{
    struct world *w = *state;
    to_collected(w);
    struct production_command_fields f = command_of("activate", "operation-id-001");
    cf_ms sent = w->now;
    /* The log's time has moved on; the command was written eight days before. */
    w->now += 8 * DAY;
    photo_ready(w); /* anything of this shard */
    w->now = sent;
    send_command(w, &f);
    assert_string_equal(last_answer(w)->reasons[0], "command_expired");
}

static void a_card_from_before_is_imported_once_and_then_served(void **state)
{
    struct world *w = *state;
    struct production_command_fields f = import_of("operation-id-001", "normal", 19000);
    f.card_no = CF_STR("A12345674");
    send_command(w, &f);
    is_text(row_of(w)->card_no, "A12345674");
    is_text(row_of(w)->card_state, "normal");
    memcpy(f.operation_id, "operation-id-002", 16);
    send_command(w, &f);
    assert_string_equal(last_answer(w)->result, "already");
    accepted(w); /* a first issue beside a card is closed */
    assert_string_equal(steps(w), "closed");
    photo_ready(w);
    assert_int_equal(row_of(w)->early.len, 0);
    command(w, "report_formal_loss", "operation-id-003");
    is_text(row_of(w)->card_state, "formal_loss");
    size_t issued = 0;
    for (size_t i = 0; i < w->d->n_rows; i++)
        issued += w->d->rows[i].aux && w->d->rows[i].kind == PRODUCTION_ISSUED;
    assert_int_equal(issued, 1);
}

static void the_number_of_a_cancelled_card_is_not_imported_again(void **state)
{
    struct world *w = *state;
    struct production_command_fields f = import_of("operation-id-001", "cancelled", 19000);
    f.card_no = CF_STR("A12345674");
    send_command(w, &f);
    assert_string_equal(last_answer(w)->result, "done");
    memcpy(f.operation_id, "operation-id-002", 16);
    f.import_state = CF_STR("normal");
    send_command(w, &f);
    assert_string_equal(last_answer(w)->reasons[0], "card_cancelled");
    is_text(row_of(w)->card_state, "cancelled");
}

static void an_import_without_number_gets_one_of_ours(void **state)
{
    struct world *w = *state;
    struct production_command_fields f = import_of("operation-id-001", "sealed", 19000);
    send_command(w, &f);
    assert_true(cf_cardnum_valid(row_of(w)->card_no));
    is_text(row_of(w)->card_state, "sealed");
}

static void without_a_number_left_no_card_is_imported(void **state)
{
    struct world *w = *state;
    struct production_command_fields f = import_of("operation-id-001", "normal", 19000);
    w->d->numbers = CF_CARDNUM_SERIALS;
    send_command(w, &f);
    assert_string_equal(last_answer(w)->result, "refused");
    assert_string_equal(last_answer(w)->reasons[0], "number_range_exhausted");
    assert_true(cf_receipt_check_prefixed(cf_str_of(last_answer(w)->notice_no), 'N'));
    assert_int_equal(row_of(w)->card_state.len, 0);
    assert_int_equal(count(w, "card.events", "card.changed"), 0);
    /* One that has its number needs none of ours. */
    memcpy(f.operation_id, "operation-id-002", 16);
    f.card_no = CF_STR("A12345674");
    send_command(w, &f);
    assert_string_equal(last_answer(w)->result, "done");
}

static void death_cancels_the_card_and_tells_the_bank(void **state)
{
    struct world *w = *state;
    to_collected(w);
    command(w, "activate", "operation-id-001");
    Cardflow__V1__ApplicationEvent e;
    cardflow__v1__application_event__init(&e);
    Cardflow__V1__ApplicationEvent__EnrolmentChanged c;
    cardflow__v1__application_event__enrolment_changed__init(&c);
    static char death[] = "death";
    c.reason = death;
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ENROLMENT_CHANGED;
    e.enrolment_changed = &c;
    feed(w, "application.events", "application.enrolment_changed", &w->holder,
         cf_pack(w->a, &e.base));
    is_text(row_of(w)->card_state, "cancelled");
    assert_int_equal(count(w, "bank.orders", "bank.card_notice"), 1);
    for (size_t i = 0; i < w->d->n_sent; i++) {
        if (strcmp(w->d->sent[i].type, "card.changed")) continue;
        const Cardflow__V1__CardEvent__CardChanged *told = event_at(w, i)->card_changed;
        bool gone = !strcmp(told->state, "cancelled");
        assert_int_equal(!strcmp(told->operation, "death"), gone); /* notification tells nobody */
    }
}

static void a_card_not_collected_for_a_year_is_cancelled(void **state)
{
    struct world *w = *state;
    to_batched(w);
    static const char *const all[] = {"account_opened", "produced", "shipped", "arrived"};
    for (int i = 0; i < 4; i++)
        result(w, all[i]);
    time_passes(w, 364 * DAY);
    is_text(row_of(w)->app_state, "ready_for_pickup");
    time_passes(w, DAY);
    time_passes(w, 0);
    is_text(row_of(w)->app_state, "pickup_expired");
    assert_int_equal(row_of(w)->made_no.len, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(marks_come_by_the_timer_once_each),
        T(more_time_is_answered_and_told),
        T(a_first_issue_goes_from_acceptance_to_an_active_card),
        T(the_order_carries_the_sealed_person_unchanged_and_the_routing_key),
        T(the_photo_may_come_before_the_acceptance),
        T(a_lane_that_is_full_is_sent_without_waiting),
        T(answers_that_come_twice_change_nothing),
        cmocka_unit_test(answers_in_any_order_end_at_collected),
        T(answers_may_come_before_the_holder_knows_the_batch),
        T(a_contradicting_answer_is_parked_alone),
        T(an_answer_about_another_card_or_from_another_bank_is_parked),
        T(an_answer_that_stays_ahead_raises_an_alarm_and_is_kept),
        T(a_fee_in_a_bank_report_is_refused_and_the_step_counts),
        T(a_fee_is_refused_once_for_an_answer),
        T(a_fee_about_an_application_that_has_left_its_slot_is_refused_once),
        T(garbage_and_wrong_keys_on_open_topics_become_dead_letters),
        T(a_failed_card_is_made_again_under_a_new_number),
        T(a_line_that_the_bank_rejects_is_made_again_until_the_limit),
        T(late_news_of_the_first_of_three_cards_is_about_its_line_only),
        T(an_unanswered_line_is_missing_voided_and_made_again),
        T(a_late_answer_about_no_line_of_the_bank_does_not_stop_its_queue),
        T(no_number_left_stops_batching_and_loses_nothing),
        T(an_application_in_the_queue_is_withdrawn_by_the_banks_shard),
        T(an_application_in_production_is_not_withdrawn),
        T(a_withdrawal_that_crosses_the_closing_is_refused),
        T(an_activation_ahead_of_the_collection_waits_for_it),
        T(an_activation_without_collection_is_refused_in_time),
        T(many_activations_ahead_are_answered_and_nothing_runs_out),
        T(a_voucher_is_signed_once_and_only_under_its_own_number),
        T(a_refused_withdrawal_leaves_a_notice_that_can_be_found),
        T(a_command_that_comes_twice_is_done_once),
        T(a_command_older_than_the_ids_that_are_kept_is_refused),
        T(a_card_from_before_is_imported_once_and_then_served),
        T(the_number_of_a_cancelled_card_is_not_imported_again),
        T(an_import_without_number_gets_one_of_ours),
        T(without_a_number_left_no_card_is_imported),
        T(death_cancels_the_card_and_tells_the_bank),
        T(a_card_not_collected_for_a_year_is_cancelled),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
