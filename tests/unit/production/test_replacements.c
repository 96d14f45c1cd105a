/* What becomes of the card that is to be replaced: handed in, given back, released. */
#include "data.h"

#include "services/production/rules_inside.h"

static struct production_effects fx;

static struct production_accepted damage(uint8_t id)
{
    return (struct production_accepted){.app_id = {id},
                                        .kind = CF_KIND_DAMAGE_REPLACEMENT,
                                        .channel = CF_CHANNEL_BANK_OUTLET,
                                        .bank = CF_STR("B01")};
}

/* A holder whose card was handed in for a damage replacement that is in that state now. */
static struct production_holder handed_in(enum cf_app_state state)
{
    struct production_holder h = {0};
    struct production_accepted a = damage(7);
    fx.n = 0;
    h.permanent.card = card_in(CF_CARD_NORMAL);
    assert_int_equal(production_on_accepted(&h, &a, &fx), PRODUCTION_MOVE);
    assert_true(h.permanent.card.handed_in);
    h.permanent.app.state = state;
    if (state == CF_APP_BATCHED || state == CF_APP_ACCOUNT_OPENED || state == CF_APP_ACCOUNT_FAILED)
        h.permanent.made = card_in(CF_CARD_RESERVED);
    if (state == CF_APP_READY_FOR_PICKUP || state == CF_APP_COLLECTED)
        h.permanent.made = card_in(CF_CARD_SEALED);
    memcpy(h.permanent.made.no, "B00000027", 10);
    fx.n = 0;
    return h;
}

static size_t place_of(enum production_effect_kind kind, const char *word)
{
    for (size_t i = 0; i < fx.n; i++)
        if (fx.list[i].kind == kind && (!word || !strcmp(fx.list[i].word, word))) return i;
    return SIZE_MAX;
}

static bool given_back(void)
{
    return place_of(PRODUCTION_FX_CHANGED, "given_back") != SIZE_MAX;
}

static void withdraw(struct production_holder *h)
{
    const struct production_withdrawal m = {.app_id = {7}, .command_id = {5}};
    production_on_withdrawal(h, &m, &fx);
}

static void end_enrolment(struct production_holder *h, const char *why)
{
    const struct production_enrolment m = {.reason = cf_str_of(why)};
    production_on_enrolment(h, &m, &fx);
}

static void leave(struct production_holder *h)
{
    end_enrolment(h, "left");
}

static void never_photographed(struct production_holder *h)
{
    const struct production_photo p = {.app_id = {7}};
    production_on_photo_ended(h, &p, &fx);
}

static void out_of_the_queue(struct production_holder *h)
{
    const struct production_dequeued d = {.app_id = {7}, .out = true};
    h->permanent.app.queued = true;
    withdraw(h);
    assert_true(h->permanent.card.handed_in); /* until the bank's shard has answered */
    production_on_dequeued(h, &d, &fx);
}

static void time_runs_out(struct production_holder *h)
{
    struct production_world w = world_at(NOW);
    h->permanent.app.until = NOW;
    production_on_due(h, &w, &fx);
}

/* ---- handed in ----------------------------------------------------------------------------- */

static void an_end_without_a_new_card_gives_the_old_one_back(void **state)
{
    (void)state;
    static const struct {
        enum cf_app_state from;
        void (*end)(struct production_holder *);
        enum cf_app_state to;
    } rows[] = {
        {CF_APP_ACCEPTED,          withdraw,           CF_APP_WITHDRAWN     },
        {CF_APP_PHOTO_MISSING,     withdraw,           CF_APP_WITHDRAWN     },
        {CF_APP_PHOTO_READY,       out_of_the_queue,   CF_APP_WITHDRAWN     },
        {CF_APP_ACCOUNT_FAILED,    withdraw,           CF_APP_WITHDRAWN     },
        {CF_APP_PRODUCTION_FAILED, withdraw,           CF_APP_WITHDRAWN     },
        {CF_APP_READY_FOR_PICKUP,  withdraw,           CF_APP_WITHDRAWN     },
        {CF_APP_PHOTO_MISSING,     never_photographed, CF_APP_EXPIRED       },
        {CF_APP_ACCOUNT_FAILED,    time_runs_out,      CF_APP_EXPIRED       },
        {CF_APP_READY_FOR_PICKUP,  time_runs_out,      CF_APP_PICKUP_EXPIRED},
        {CF_APP_ACCEPTED,          leave,              CF_APP_CLOSED        },
        {CF_APP_ACCOUNT_FAILED,    leave,              CF_APP_CLOSED        },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = handed_in(rows[i].from);
        rows[i].end(&h);
        const char *from = cf_app_state_name(rows[i].from);
        if (h.permanent.app.state != rows[i].to) fail_msg("%s: no end", from);
        if (h.permanent.card.handed_in) fail_msg("%s: still handed in", from);
        size_t back = place_of(PRODUCTION_FX_CHANGED, "given_back");
        /* Whoever hears of the end and applies again finds the card as it is. */
        if (back > place_of(PRODUCTION_FX_STEP, NULL)) fail_msg("%s: not told before", from);
        const struct production_effect *e = &fx.list[back];
        assert_string_equal(e->card.no, "B00000019");
        assert_false(e->card.handed_in);
        assert_true(e->before == CF_CARD_NORMAL && e->card.state == CF_CARD_NORMAL);
        struct production_accepted again = damage(8);
        fx.n = 0;
        assert_int_equal(production_on_accepted(&h, &again, &fx), PRODUCTION_MOVE);
        assert_int_equal(h.permanent.app.state, CF_APP_ACCEPTED);
        assert_true(h.permanent.card.handed_in);
    }
}

static void while_a_new_card_may_come_it_stays_handed_in(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    static const enum cf_app_state refused[] = {CF_APP_BATCHED, CF_APP_ACCOUNT_OPENED,
                                                CF_APP_COLLECTED};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct production_holder h = handed_in(refused[i]);
        withdraw(&h);
        assert_int_equal(h.permanent.app.state, refused[i]);
        assert_true(h.permanent.card.handed_in && !given_back());
    }
    /* Made again, under another number. */
    struct production_holder h = handed_in(CF_APP_ACCOUNT_OPENED);
    const struct production_result failed = {.app_id = {7}, .step = PRODUCTION_ON_FAILED};
    assert_int_equal(production_on_result(&h, &failed, &w, &fx), PRODUCTION_MOVE);
    assert_true(h.permanent.card.handed_in && !given_back());
}

/* The end of the one before is on its way on another topic. */
static void one_that_was_overtaken_has_given_it_back(void **state)
{
    (void)state;
    struct production_holder h = handed_in(CF_APP_PHOTO_MISSING);
    struct production_accepted again = damage(8);
    assert_int_equal(production_on_accepted(&h, &again, &fx), PRODUCTION_MOVE);
    assert_int_equal(h.permanent.app.id[0], 8);
    assert_true(given_back() && h.permanent.card.handed_in);
    assert_true(place_of(PRODUCTION_FX_CHANGED, "given_back") <
                place_of(PRODUCTION_FX_CHANGED, "handed_in"));
}

/* Collected and cancelled before it was ever used: the new card is none. */
static void a_new_card_that_is_cancelled_gives_the_old_one_back(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = handed_in(CF_APP_COLLECTED);
    struct production_op op = asked(PRODUCTION_OP_CANCEL);
    op.card_no = cf_str_of(h.permanent.made.no);
    assert_int_equal(production_operate(&h, &op, &w, &fx), PRODUCTION_MOVE);
    assert_int_equal(h.permanent.made.state, CF_CARD_CANCELLED);
    assert_true(given_back() && !h.permanent.card.handed_in);
    struct production_accepted again = damage(8);
    fx.n = 0;
    production_on_accepted(&h, &again, &fx);
    assert_int_equal(h.permanent.app.state, CF_APP_ACCEPTED);
}

static void nothing_is_given_back_to_the_dead(void **state)
{
    (void)state;
    static const enum cf_app_state from[] = {CF_APP_ACCEPTED, CF_APP_BATCHED,
                                             CF_APP_READY_FOR_PICKUP};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        struct production_holder h = handed_in(from[i]);
        end_enrolment(&h, "death");
        assert_int_equal(h.permanent.app.state, CF_APP_CLOSED);
        assert_int_equal(h.permanent.card.state, CF_CARD_CANCELLED);
        assert_false(given_back());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_without_a_new_card_gives_the_old_one_back),
        cmocka_unit_test(while_a_new_card_may_come_it_stays_handed_in),
        cmocka_unit_test(one_that_was_overtaken_has_given_it_back),
        cmocka_unit_test(a_new_card_that_is_cancelled_gives_the_old_one_back),
        cmocka_unit_test(nothing_is_given_back_to_the_dead),
    };
    return cmocka_run_group_tests(tests, load_calendar, drop_calendar);
}
