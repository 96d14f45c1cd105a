/* Notices to banks: told, told again, overdue, acknowledged; the rules alone, and through the
 * stage's batch code. */
#include "tests/unit/production/world.h"

static const cf_ms MINUTE = 60000;

/* ---- rules --------------------------------------------------------------------------------- */

static const uint8_t ID[16] = "notice-id-000001";

static struct production_world world_at(cf_ms now)
{
    return (struct production_world){now, &calendar, &env.policy, NULL};
}

static struct production_notice told(const char *what)
{
    struct production_notice n = {.holder = cf_key_holder((const uint8_t *)"holder-reference"),
                                  .bank = CF_STR("B01"),
                                  .card_no = CF_STR("B00000019"),
                                  .what = cf_str_of(what)};
    struct production_world w = world_at(NOW);
    production_notice_tell(&n, ID, &w);
    return n;
}

static void the_wait_grows_up_to_the_longest(void **state)
{
    struct production_notice n = told("cancelled");
    cf_ms least = MINUTE / 2, most = MINUTE, at = NOW;
    (void)state;
    for (int i = 0; i < 20; i++) {
        cf_ms next = production_notice_next_due(&n, &env.policy);
        if (next - at < least || next - at > most)
            fail_msg("wait %d is %lld ms", i, (long long)(next - at));
        at = next;
        struct production_world w = world_at(at);
        struct production_notice_due due = production_notice_on_due(&n, ID, &w);
        assert_true(due.again && !due.overdue);
        assert_int_equal(n.sent, i + 2);
        most = most < 32 * MINUTE ? 2 * most : 60 * MINUTE;
        least = most / 2;
    }
    assert_int_equal(n.told_at, NOW);
}

static void only_a_loss_is_overdue_and_only_once(void **state)
{
    static const struct {
        const char *what;
        bool overdue;
    } table[] = {{"loss", true}, {"cancelled", false}, {"death", false}, {"void_card", false}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct production_notice n = told(table[i].what);
        struct production_world w = world_at(NOW + 10 * MINUTE - 1);
        assert_false(production_notice_on_due(&n, ID, &w).overdue);
        w = world_at(NOW + 10 * MINUTE);
        if (production_notice_on_due(&n, ID, &w).overdue != table[i].overdue)
            fail_msg("%s after ten minutes", table[i].what);
        w = world_at(NOW + 11 * MINUTE);
        assert_false(production_notice_on_due(&n, ID, &w).overdue);
    }
}

static void the_timer_is_not_later_than_the_moment_a_loss_is_overdue(void **state)
{
    struct production_notice n = told("loss");
    (void)state;
    n.again_at = NOW + 60 * MINUTE;
    assert_int_equal(production_notice_next_due(&n, &env.policy), NOW + 10 * MINUTE);
    struct production_world w = world_at(NOW + 10 * MINUTE);
    struct production_notice_due due = production_notice_on_due(&n, ID, &w);
    assert_true(due.overdue && !due.again);
    assert_int_equal(production_notice_next_due(&n, &env.policy), NOW + 60 * MINUTE);
}

static void an_acknowledgement_must_fit_its_notice(void **state)
{
    const struct cf_key holder = cf_key_holder((const uint8_t *)"holder-reference");
    const struct cf_key other = cf_key_holder((const uint8_t *)"other--reference");
    const struct {
        const char *why;
        const struct cf_key *holder;
        struct cf_str bank, card_no;
        enum production_fit want;
    } table[] = {
        {"all of it",      &holder, CF_STR("B01"), CF_STR("B00000019"), PRODUCTION_MOVE   },
        {"the id alone",   &holder, {0},           {0},                 PRODUCTION_MOVE   },
        {"another bank",   &holder, CF_STR("B02"), CF_STR("B00000019"), PRODUCTION_ILLEGAL},
        {"another card",   &holder, CF_STR("B01"), CF_STR("B00000027"), PRODUCTION_ILLEGAL},
        {"another holder", &other,  CF_STR("B01"), CF_STR("B00000019"), PRODUCTION_ILLEGAL},
    };
    const struct production_world w = world_at(NOW + 1);
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct production_notice n = told("loss");
        struct production_acknowledged a = {.bank = table[i].bank, .card_no = table[i].card_no};
        if (production_on_acknowledged(&n, table[i].holder, &a, &w) != table[i].want)
            fail_msg("%s", table[i].why);
        bool open = production_notice_next_due(&n, &env.policy) != 0;
        if (open != (table[i].want != PRODUCTION_MOVE)) fail_msg("%s: open", table[i].why);
        if (open) continue;
        assert_int_equal(production_on_acknowledged(&n, &holder, &a, &w), PRODUCTION_ALREADY);
        assert_false(production_notice_on_due(&n, ID, &w).again);
    }
    struct production_acknowledged a = {.bank = CF_STR("B01")};
    assert_int_equal(production_on_acknowledged(NULL, &holder, &a, &w), PRODUCTION_ENDED);
}

/* ---- through the stage --------------------------------------------------------------------- */

static void lose(struct world *w, const char *id)
{
    struct production_command_fields f = command_of("report_temporary_loss", id);
    f.channel = CF_STR("bank_phone");
    send_command(w, &f);
    assert_string_equal(last_answer(w)->result, "done");
}

static void to_lost(struct world *w)
{
    to_collected(w);
    command(w, "activate", "operation-id-001");
    lose(w, "operation-id-002");
    assert_int_equal(count(w, "bank.orders", "bank.card_notice"), 1);
}

static const Cardflow__V1__BankOrder__CardNotice *notice_at(struct world *w, size_t nth)
{
    static const Cardflow__V1__BankOrder__CardNotice none;
    for (size_t i = 0; i < w->d->n_sent; i++) {
        if (strcmp(w->d->sent[i].type, "bank.card_notice") || nth--) continue;
        const Cardflow__V1__BankOrder *o =
            cf_unpack(w->a, &cardflow__v1__bank_order__descriptor, w->d->sent[i].value);
        return o ? o->card_notice : &none;
    }
    fail_msg("no such notice");
    return &none;
}

static const struct production_notice *stored(struct world *w)
{
    static const struct production_notice none;
    const struct production_notice *n =
        double_aux(w->d, PRODUCTION_NOTICE, notice_at(w, 0)->notice_id.data);
    assert_non_null(n);
    return n ? n : &none;
}

static void acknowledge(struct world *w, const uint8_t *id, const char *bank)
{
    struct production_result_fields f = {.bank = cf_str_of(bank),
                                         .step = CF_STR("notice_acknowledged")};
    memcpy(f.notice_id, id, 16);
    feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, &f));
}

static size_t timers(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->d->n_work; i++)
        n += w->d->work[i].kind == PRODUCTION_WORK_NOTICE;
    return n;
}

static void an_acknowledged_notice_is_not_sent_again(void **state)
{
    struct world *w = *state;
    to_lost(w);
    assert_int_equal(timers(w), 1);
    const Cardflow__V1__BankOrder__CardNotice *n = notice_at(w, 0);
    assert_string_equal(n->what, "loss");
    assert_int_equal(n->attempt, 1);
    acknowledge(w, n->notice_id.data, "B01");
    assert_int_equal(timers(w), 0);
    assert_int_equal(stored(w)->acknowledged_at, w->now);
    time_passes(w, 6 * DAY);
    assert_int_equal(count(w, "bank.orders", "bank.card_notice"), 1);
    assert_int_equal(count(w, "card.events", "card.notice_overdue"), 0);
    assert_int_equal(count(w, "card.events", "card.notice_acknowledged"), 0);
}

static void a_silent_bank_is_told_again_under_the_same_id(void **state)
{
    struct world *w = *state;
    to_lost(w);
    for (int i = 0; i < 10; i++)
        time_passes(w, MINUTE);
    size_t n = count(w, "bank.orders", "bank.card_notice");
    assert_true(n > 2 && n < 8);
    for (size_t i = 1; i < n; i++) {
        assert_memory_equal(notice_at(w, i)->notice_id.data, notice_at(w, 0)->notice_id.data, 16);
        assert_int_equal(notice_at(w, i)->attempt, i + 1);
        assert_int_equal(notice_at(w, i)->at_ms, notice_at(w, 0)->at_ms);
    }
    assert_int_equal(count(w, "card.events", "card.notice_overdue"), 1);
    time_passes(w, 60 * MINUTE);
    assert_int_equal(count(w, "card.events", "card.notice_overdue"), 1);
    assert_true(stored(w)->overdue_at && !stored(w)->acknowledged_at);
    /* Late, and then once more. */
    acknowledge(w, notice_at(w, 0)->notice_id.data, "B01");
    acknowledge(w, notice_at(w, 0)->notice_id.data, "B01");
    assert_int_equal(count(w, "card.events", "card.notice_acknowledged"), 1);
    assert_int_equal(timers(w), 0);
    assert_int_equal(w->d->n_parked, 0);
}

static void an_acknowledgement_of_nothing_does_no_harm_and_a_wrong_one_is_parked(void **state)
{
    struct world *w = *state;
    to_lost(w);
    acknowledge(w, (const uint8_t *)"nobody's notice!", "B01");
    assert_int_equal(w->d->n_parked, 0);
    acknowledge(w, notice_at(w, 0)->notice_id.data, "B02");
    assert_int_equal(w->d->n_parked, 1);
    assert_int_equal(timers(w), 1);
    acknowledge(w, notice_at(w, 0)->notice_id.data, "B01");
    assert_int_equal(timers(w), 0);
    assert_int_equal(count(w, "bank.results.dlq", "bank.result"), 0);
}

static void an_acknowledgement_without_an_id_is_a_dead_letter(void **state)
{
    struct world *w = *state;
    Cardflow__V1__BankResult r;
    cardflow__v1__bank_result__init(&r);
    static char step[] = "notice_acknowledged";
    r.step = step;
    feed(w, "bank.results", "bank.result", &w->holder, cf_pack(w->a, &r.base));
    assert_int_equal(w->d->n_sent, 1);
    assert_string_equal(w->d->sent[0].topic, "bank.results.dlq");
}

static void each_change_is_a_notice_of_its_own(void **state)
{
    struct world *w = *state;
    to_lost(w);
    struct production_command_fields f = command_of("cancel", "operation-id-003");
    f.channel = CF_STR("upstream");
    f.role = CF_STR("authority");
    send_command(w, &f);
    assert_int_equal(timers(w), 2);
    assert_string_equal(notice_at(w, 1)->what, "cancelled");
    assert_memory_not_equal(notice_at(w, 0)->notice_id.data, notice_at(w, 1)->notice_id.data, 16);
    acknowledge(w, notice_at(w, 1)->notice_id.data, "B01");
    assert_int_equal(timers(w), 1);
    assert_int_equal(stored(w)->acknowledged_at, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wait_grows_up_to_the_longest),
        cmocka_unit_test(only_a_loss_is_overdue_and_only_once),
        cmocka_unit_test(the_timer_is_not_later_than_the_moment_a_loss_is_overdue),
        cmocka_unit_test(an_acknowledgement_must_fit_its_notice),
        T(an_acknowledged_notice_is_not_sent_again),
        T(a_silent_bank_is_told_again_under_the_same_id),
        T(an_acknowledgement_of_nothing_does_no_harm_and_a_wrong_one_is_parked),
        T(an_acknowledgement_without_an_id_is_a_dead_letter),
        T(each_change_is_a_notice_of_its_own),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
