/* A release that waits for the bank's shard, which alone knows whether the line of the replacement
 * is out of its queue. */
#include "tests/unit/production/world.h"

/* A lost card whose replacement waits in the queue is found; asked for over HTTP, so that somebody
 * waits for the answer. */
static void asks_for_release(struct world *w)
{
    struct production_command_fields f = import_of("operation-id-imp", "normal", 20000);
    send_command(w, &f);
    command(w, "report_formal_loss", "operation-id-001");
    accepted_as(w, CARDFLOW__V1__APP_KIND__APP_KIND_LOSS_REPLACEMENT);
    photo_ready(w);
    f = command_of("release", "operation-id-002");
    shown(w, "agent", "passport", "QX7000000", &f);
    const struct production_op op = {
        .packed = production_codec_command(w->a, &f), .asked = true, .owner = w->holder};
    feed(w, "production.internal", "production.operation", &w->holder,
         production_codec_operation(w->a, &op, w->now));
    assert_true(row_of(w)->early.len > 0);
}

static void a_release_waits_for_the_queue_however_long_it_takes(void **state)
{
    struct world *w = *state;
    asks_for_release(w);
    size_t answers = count(w, "card.events", "card.operation_answered");
    static const cf_ms passes[] = {11000, 3600000, 2 * CF_MS_PER_DAY};
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        time_passes(w, passes[i]);
        assert_int_equal(count(w, "card.events", "card.operation_answered"), answers);
        assert_true(row_of(w)->early.len > 0);
        is_text(row_of(w)->card_state, "formal_loss");
    }
    settle(w); /* the bank's shard has read what it was asked, and */
    settle(w); /* the holder's its answer */
    assert_string_equal(last_answer(w)->result, "done");
    is_text(row_of(w)->card_state, "normal");
    is_text(row_of(w)->app_state, "withdrawn");
    assert_int_equal(row_of(w)->early.len, 0);
    assert_int_equal(w->d->n_parked, 0);
}

static void a_release_is_refused_when_the_line_was_batched(void **state)
{
    struct world *w = *state;
    asks_for_release(w);
    time_passes(w, 11000);
    Cardflow__V1__ProductionInternal m;
    Cardflow__V1__ProductionInternal__Batched b;
    cardflow__v1__production_internal__init(&m);
    cardflow__v1__production_internal__batched__init(&b);
    b.application_id = cf_data_id(w->app);
    b.batch_id = cf_data_id((const uint8_t *)"batch-id-0000001");
    b.line_no = 1;
    b.bank_code = (char *)(uintptr_t) "B01";
    b.card_no = cf_arena_dup(w->a, row_of(w)->made_no.ptr, row_of(w)->made_no.len + 1);
    b.card_no[row_of(w)->made_no.len] = 0;
    m.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_BATCHED;
    m.batched = &b;
    feed(w, "production.internal", "production.batched", &w->holder, cf_pack(w->a, &m.base));
    assert_string_equal(last_answer(w)->result, "refused");
    assert_string_equal(last_answer(w)->reasons[0], "replacement_open");
    is_text(row_of(w)->card_state, "formal_loss");
    is_text(row_of(w)->app_state, "batched");
    assert_int_equal(row_of(w)->early.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_release_waits_for_the_queue_however_long_it_takes, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_release_is_refused_when_the_line_was_batched, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
