/* Passwords by their table and by the bank's counts; marks of add-ons. */
#include "data.h"

#include "services/production/rules_password.h"

static struct production_effects fx;

static struct production_card in_use(const char *no)
{
    struct production_card card = card_in(CF_CARD_NORMAL);
    memset(card.no, 0, sizeof card.no);
    memcpy(card.no, no, strlen(no));
    return card;
}

static struct production_tries tries_of(const char *no, int password, uint32_t tries)
{
    return (struct production_tries){
        .id = {9}, .card_no = cf_str_of(no), .password = password, .tries = tries};
}

/* One column an event: set, reset, disable, lock. `.` is no edge, `=` said before. */
static void every_pair_of_state_and_event_is_as_published(void **state)
{
    (void)state;
    static const char *const want[PRODUCTION_PW_COUNT] = {"S=D.", "SUDL", "SU=.", ".U.="};
    static const char letters[PRODUCTION_PW_COUNT] = "USDL";
    size_t n, met = 0;
    (void)production_password_edges(&n);
    for (int from = 0; from < PRODUCTION_PW_COUNT; from++)
        for (int on = 0; on < PRODUCTION_PW_ON_COUNT; on++) {
            enum production_password to = PRODUCTION_PW_COUNT;
            enum production_fit fit = production_password_fit(
                (enum production_password)from, (enum production_password_event)on, &to);
            char got = fit == PRODUCTION_ILLEGAL   ? '.'
                       : fit == PRODUCTION_ALREADY ? '='
                                                   : letters[to];
            if (got != want[from][on]) fail_msg("%d on %d: %c", from, on, got);
            met += fit != PRODUCTION_ILLEGAL;
        }
    assert_int_equal(met, n);
}

static void six_wrong_tries_lock_a_password_and_are_on_record(void **state)
{
    (void)state;
    for (uint32_t tries = 0; tries <= 7; tries++)
        for (int which = 0; which <= 1; which++) {
            struct production_holder h = {0};
            h.permanent.card = in_use("B00000019");
            h.permanent.card.password[0] = h.permanent.card.password[1] = PRODUCTION_PW_SET;
            struct production_tries t = tries_of("B00000019", which, tries);
            fx.n = 0;
            enum production_fit fit = production_on_tries(&h, &t, &fx);
            assert_int_equal(fit, tries < 6 ? PRODUCTION_ALREADY : PRODUCTION_MOVE);
            assert_int_equal(h.permanent.card.password[which],
                             tries < 6 ? PRODUCTION_PW_SET : PRODUCTION_PW_LOCKED);
            assert_int_equal(h.permanent.card.password[!which], PRODUCTION_PW_SET);
            assert_int_equal(fx.n, tries < 6 ? 0 : 2);
            if (tries < 6) continue;
            assert_string_equal(must_find(&fx, PRODUCTION_FX_CHANGED)->word, "lock_password");
            const struct production_effect *e = must_find(&fx, PRODUCTION_FX_ANSWERED);
            assert_true(e->record && e->command_id[0] == 9);
            assert_string_equal(e->command, "password_wrong");
        }
}

static void a_count_is_taken_of_the_holders_cards_only(void **state)
{
    (void)state;
    struct production_holder h = {0};
    h.permanent.card = in_use("B00000019");
    h.permanent.card.password[0] = PRODUCTION_PW_SET;
    h.temporary.card = in_use("A12345674");
    h.temporary.card.password[0] = PRODUCTION_PW_SET;
    fx.n = 0;
    struct production_tries t = tries_of("A12345674", 0, 6);
    assert_int_equal(production_on_tries(&h, &t, &fx), PRODUCTION_MOVE);
    assert_true(must_find(&fx, PRODUCTION_FX_CHANGED)->temporary);
    assert_int_equal(h.permanent.card.password[0], PRODUCTION_PW_SET);
    /* Said before; another bank's; nobody's; one that is cancelled; one that nobody has set. */
    assert_int_equal(production_on_tries(&h, &t, &fx), PRODUCTION_ALREADY);
    t = tries_of("B00000019", 0, 6);
    t.bank = CF_STR("B02");
    assert_int_equal(production_on_tries(&h, &t, &fx), PRODUCTION_ILLEGAL);
    t = tries_of("C00000019", 0, 6);
    assert_int_equal(production_on_tries(&h, &t, &fx), PRODUCTION_ILLEGAL);
    t = tries_of("B00000019", 1, 6);
    assert_int_equal(production_on_tries(&h, &t, &fx), PRODUCTION_ILLEGAL);
    h.permanent.card.state = CF_CARD_CANCELLED;
    t = tries_of("B00000019", 0, 6);
    assert_int_equal(production_on_tries(&h, &t, &fx), PRODUCTION_ENDED);
}

static void marks_of_add_ons_are_kept_up_to_their_room(void **state)
{
    (void)state;
    char room[2][PRODUCTION_ADD_ONS_MAX];
    struct cf_str marks = {0}, rest;
    struct production_add_on a = {CF_STR("transport"), 1774922400000, true}, back;
    assert_true(production_add_on_add(marks, &a, room[0], &marks));
    assert_true(production_add_on_has(marks, CF_STR("transport")));
    assert_false(production_add_on_has(marks, CF_STR("trans")));
    a = (struct production_add_on){CF_STR("公园年票"), 5, false};
    assert_true(production_add_on_add(marks, &a, room[1], &marks));
    rest = marks;
    assert_true(production_add_on_next(&rest, &back));
    assert_true(cf_str_is(back.name, "transport") && back.by_guardian);
    assert_int_equal(back.at, 1774922400000);
    assert_true(production_add_on_next(&rest, &back));
    assert_true(cf_str_is(back.name, "公园年票") && !back.by_guardian && back.at == 5);
    assert_false(production_add_on_next(&rest, &back));
    char name[PRODUCTION_ADD_ON_NAME + 1];
    memset(name, 'x', sizeof name);
    a.name = (struct cf_str){name, sizeof name};
    assert_false(production_add_on_add(marks, &a, room[0], &marks));
    a.name.len = PRODUCTION_ADD_ON_NAME;
    int added = 0;
    for (int i = 0; production_add_on_add(marks, &a, room[i % 2], &marks); i++)
        added++;
    assert_int_equal(added, 2);
    assert_true(marks.len <= PRODUCTION_ADD_ONS_MAX);
}

static struct production_op opening(const char *name, char *room)
{
    struct production_op op = asked(PRODUCTION_OP_OPEN_ADD_ON);
    op.add_on = cf_str_of(name);
    consent(&op, "holder");
    op.room = room;
    return op;
}

static const struct production_effect *operate(struct production_holder *h,
                                               const struct production_op *op)
{
    struct production_world w = world_at(NOW);
    fx.n = 0;
    assert_int_equal(production_operate(h, op, &w, &fx), PRODUCTION_MOVE);
    return must_find(&fx, PRODUCTION_FX_ANSWERED);
}

static void an_opened_add_on_leaves_its_mark_once(void **state)
{
    (void)state;
    char room[3][PRODUCTION_ADD_ONS_MAX];
    struct production_holder h = {0};
    struct production_add_on mark;
    h.permanent.card = card_in(CF_CARD_NORMAL);
    struct production_op op = opening("transport", room[0]);
    assert_string_equal(operate(&h, &op)->word, "done");
    struct cf_str marks = must_find(&fx, PRODUCTION_FX_CHANGED)->card.add_ons;
    assert_true(production_add_on_next(&marks, &mark));
    assert_true(cf_str_is(mark.name, "transport") && mark.at == NOW && !mark.by_guardian);
    op = opening("transport", room[1]);
    assert_string_equal(operate(&h, &op)->word, "already");
    assert_null(find(&fx, PRODUCTION_FX_CHANGED));
    op = opening("", room[1]);
    assert_string_equal(operate(&h, &op)->reasons[0], "missing_add_on");
    h.permanent.card.add_ons.len = 0;
    char full[PRODUCTION_ADD_ONS_MAX];
    struct production_add_on a = {CF_STR("0123456789012345678901234567890123456789"), 1, false};
    while (production_add_on_add(h.permanent.card.add_ons, &a, full, &h.permanent.card.add_ons))
        ;
    op = opening("0123456789012345678901234567890123456", room[2]);
    assert_string_equal(operate(&h, &op)->reasons[0], "too_many_add_ons");
    /* A child's guardian may consent. */
    h.permanent.card.add_ons.len = 0;
    h.permanent.card.sixteen_on = cf_day_of_ms(NOW) + 1;
    op = opening("park", room[1]);
    op.role = op.consent.by = CF_STR("guardian");
    assert_string_equal(operate(&h, &op)->word, "done");
    marks = h.permanent.card.add_ons;
    assert_true(production_add_on_next(&marks, &mark) && mark.by_guardian);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_state_and_event_is_as_published),
        cmocka_unit_test(six_wrong_tries_lock_a_password_and_are_on_record),
        cmocka_unit_test(a_count_is_taken_of_the_holders_cards_only),
        cmocka_unit_test(marks_of_add_ons_are_kept_up_to_their_room),
        cmocka_unit_test(an_opened_add_on_leaves_its_mark_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
