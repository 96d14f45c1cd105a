/* A temporary card beside others: one in use, and what cancels it. */
#include "data.h"

#include "services/production/rules_inside.h"

static struct production_effects fx;

static struct production_card numbered(enum cf_card_state state, const char *no)
{
    struct production_card c = card_in(state);
    memcpy(c.no, no, CF_CARDNUM_LEN + 1);
    return c;
}

static struct production_accepted third(void)
{
    return (struct production_accepted){.app_id = {9},
                                        .kind = CF_KIND_TEMPORARY,
                                        .channel = CF_CHANNEL_BANK_OUTLET,
                                        .bank = CF_STR("B01")};
}

/* The first is reported lost for good, the second was collected and never activated: with the third
 * the first is cancelled, and all that is told of it says that it is a temporary one. */
static void a_third_one_cancels_the_first_as_a_temporary_card(void **state)
{
    (void)state;
    struct production_holder h = {0};
    struct production_accepted a = third();
    h.temporary.card = numbered(CF_CARD_FORMAL_LOSS, "B00000019");
    h.temporary.made = numbered(CF_CARD_SEALED, "B00000027");
    h.temporary.app.state = CF_APP_COLLECTED;
    h.temporary.app.kind = CF_KIND_TEMPORARY;
    fx.n = 0;
    assert_int_equal(production_on_accepted(&h, &a, &fx), PRODUCTION_MOVE);
    const struct production_effect *e = must_find(&fx, PRODUCTION_FX_CHANGED);
    assert_string_equal(e->card.no, "B00000019");
    assert_int_equal(e->card.state, CF_CARD_CANCELLED);
    assert_true(e->temporary);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_TELL_BANK)->word, "cancelled");
    assert_string_equal(h.temporary.card.no, "B00000027");
    assert_int_equal(h.temporary.card.state, CF_CARD_SEALED);
    assert_int_equal(h.temporary.app.state, CF_APP_ACCEPTED);
}

static struct production_op activation_of(const char *no)
{
    struct production_op op = asked(PRODUCTION_OP_ACTIVATE);
    op.card_no = cf_str_of(no);
    return op;
}

static void the_permanent_card_cancels_the_temporary_one_when_it_is_activated(void **state)
{
    (void)state;
    static const struct {
        enum cf_card_state from, to;
    } rows[] = {
        {CF_CARD_SEALED,         CF_CARD_CANCELLED},
        {CF_CARD_NORMAL,         CF_CARD_CANCELLED},
        {CF_CARD_APP_LOCKED,     CF_CARD_CANCELLED},
        {CF_CARD_TEMPORARY_LOSS, CF_CARD_CANCELLED},
        {CF_CARD_FORMAL_LOSS,    CF_CARD_CANCELLED},
        {CF_CARD_NONE,           CF_CARD_NONE     },
    };
    struct production_world w = world_at(NOW);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = {0};
        struct production_op op = activation_of("B00000019");
        h.permanent.card = numbered(CF_CARD_SEALED, "B00000019");
        if (rows[i].from) h.temporary.card = numbered(rows[i].from, "B00000027");
        fx.n = 0;
        assert_int_equal(production_operate(&h, &op, &w, &fx), PRODUCTION_MOVE);
        assert_int_equal(h.permanent.card.state, CF_CARD_NORMAL);
        if (h.temporary.card.state != rows[i].to)
            fail_msg("%s becomes %s", cf_card_state_name(rows[i].from),
                     cf_card_state_name(h.temporary.card.state));
    }
}

static void a_temporary_card_leaves_the_permanent_one_as_it_is(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = {0};
    struct production_op op = activation_of("B00000027");
    h.permanent.card = numbered(CF_CARD_NORMAL, "B00000019");
    h.temporary.card = numbered(CF_CARD_FORMAL_LOSS, "B00000035");
    h.temporary.made = numbered(CF_CARD_SEALED, "B00000027");
    h.temporary.app.state = CF_APP_COLLECTED;
    fx.n = 0;
    assert_int_equal(production_operate(&h, &op, &w, &fx), PRODUCTION_MOVE);
    assert_int_equal(h.permanent.card.state, CF_CARD_NORMAL);
    assert_string_equal(h.temporary.card.no, "B00000027");
    assert_int_equal(h.temporary.card.state, CF_CARD_NORMAL);
    const struct production_effect *e = must_find(&fx, PRODUCTION_FX_CHANGED);
    assert_string_equal(e->card.no, "B00000035");
    assert_true(e->temporary && e->card.state == CF_CARD_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_third_one_cancels_the_first_as_a_temporary_card),
        cmocka_unit_test(the_permanent_card_cancels_the_temporary_one_when_it_is_activated),
        cmocka_unit_test(a_temporary_card_leaves_the_permanent_one_as_it_is),
    };
    return cmocka_run_group_tests(tests, load_calendar, drop_calendar);
}
