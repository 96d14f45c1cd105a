/* The path of an application through production: acceptance, photo, queue, answers, time, ends. */
#include "data.h"

#include "services/production/rules_inside.h"
#include "tests/unit/dies.h"

static struct production_effects fx;
static const uint8_t APP[16] = {7};

/* A holder with one application in that state; from batched on with a card in the making. */
static struct production_holder holder_in(enum cf_app_state state)
{
    struct production_holder h = {0};
    struct production_app *app = &h.permanent.app;
    memcpy(app->id, APP, 16);
    app->kind = CF_KIND_FIRST_ISSUE;
    app->state = state;
    app->bank = CF_STR("B01");
    app->outlet = CF_STR("B01001");
    if (state == CF_APP_BATCHED || state == CF_APP_ACCOUNT_OPENED || state == CF_APP_ACCOUNT_FAILED)
        h.permanent.made = card_in(CF_CARD_RESERVED);
    if (state == CF_APP_PRODUCED || state == CF_APP_SHIPPED || state == CF_APP_READY_FOR_PICKUP)
        h.permanent.made = card_in(CF_CARD_SEALED);
    fx.n = 0;
    return h;
}

static struct production_accepted accepted(enum cf_app_kind kind)
{
    return (struct production_accepted){
        .app_id = {9}, .kind = kind, .channel = CF_CHANNEL_UNIT, .bank = CF_STR("B01")};
}

static bool told(const char *word)
{
    for (size_t i = 0; i < fx.n; i++)
        if (fx.list[i].kind == PRODUCTION_FX_TELL_BANK && strcmp(fx.list[i].word, word) == 0)
            return true;
    return false;
}

static void too_many(void)
{
    struct production_effects all = {.n = PRODUCTION_EFFECTS};
    production_effect_add(&all, PRODUCTION_FX_STEP);
}

static void effects_are_bounded(void **state)
{
    (void)state;
    assert_true(dies(too_many, "more effects than one message can have"));
}

/* ---- acceptance ---------------------------------------------------------------------------- */

static void one_application_may_be_open(void **state)
{
    (void)state;
    for (int s = CF_APP_NONE; s < CF_APP_COUNT; s++) {
        if (s == CF_APP_RECEIVED || s == CF_APP_NOTICED) continue; /* intake's */
        enum cf_app_state before = (enum cf_app_state)s;
        struct production_holder h = holder_in(before);
        struct production_accepted a = accepted(CF_KIND_FIRST_ISSUE);
        assert_int_equal(production_on_accepted(&h, &a, &fx), PRODUCTION_MOVE);
        /* Before its photo it may have ended at photo-fetch; that news is on another topic. */
        bool over = before == CF_APP_NONE || before == CF_APP_ACCEPTED ||
                    before == CF_APP_PHOTO_MISSING || cf_app_state_is_end(before);
        if ((h.permanent.app.id[0] == 9) != over) fail_msg("%s", cf_app_state_name(before));
        assert_int_equal(production_has_ended(&h, APP), over && before != CF_APP_NONE);
        assert_int_equal(production_has_ended(&h, a.app_id), !over);
        if (!over)
            assert_true(cf_str_is(must_find(&fx, PRODUCTION_FX_STEP)->reason, "card_changed"));
        /* The same once more: it stands there, or has ended. */
        if (over) assert_int_equal(production_on_accepted(&h, &a, &fx), PRODUCTION_ILLEGAL);
    }
}

static void kinds_fit_the_cards_or_are_closed(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        enum cf_app_kind kind;
        enum cf_card_state card;
        bool handed_in, has_photo, fits;
    } rows[] = {
        {"no loss of a handed-in card", CF_KIND_LOSS_REPLACEMENT, CF_CARD_NORMAL, true, true, false},
        {"a sealed card can be lost", CF_KIND_LOSS_REPLACEMENT, CF_CARD_SEALED, false, true, true},
        {"a reserved one is nobody's", CF_KIND_LOSS_REPLACEMENT, CF_CARD_RESERVED, false, true, false},
        {"a voided one is none", CF_KIND_LOSS_REPLACEMENT, CF_CARD_VOIDED, false, true, false},
        {"a locked card can be damaged", CF_KIND_DAMAGE_REPLACEMENT, CF_CARD_APP_LOCKED, false, true, true},
        {"a sealed card can be damaged", CF_KIND_DAMAGE_REPLACEMENT, CF_CARD_SEALED, false, true, true},
        {"handed in once", CF_KIND_DAMAGE_REPLACEMENT, CF_CARD_NORMAL, true, true, false},
        {"a photo for a sealed card", CF_KIND_PHOTO_SWAP, CF_CARD_SEALED, false, false, true},
        {"no photo for a lost card", CF_KIND_PHOTO_SWAP, CF_CARD_FORMAL_LOSS, false, false, false},
        {"a reissue has a reason", CF_KIND_REISSUE, CF_CARD_NORMAL, false, true, false},
        {"a kind that is none", CF_KIND_NONE, CF_CARD_NONE, false, true, false},
        {"a kind that is not known",         (enum cf_app_kind)99,       CF_CARD_NONE,           false, true,  false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = {0};
        struct production_accepted a = accepted(rows[i].kind);
        fx.n = 0;
        h.permanent.card = card_in(rows[i].card);
        h.permanent.card.handed_in = rows[i].handed_in;
        h.permanent.card.has_photo = rows[i].has_photo;
        production_on_accepted(&h, &a, &fx);
        if ((h.permanent.app.state == CF_APP_ACCEPTED) != rows[i].fits) fail_msg("%s", rows[i].why);
    }
}

/* A usable temporary card stands against another; what is not usable does not. */
static void a_temporary_application_has_its_own_slot(void **state)
{
    (void)state;
    for (int usable = 0; usable <= 1; usable++) {
        struct production_holder h = holder_in(CF_APP_BATCHED);
        struct production_accepted a = accepted(CF_KIND_TEMPORARY);
        h.temporary.card = card_in(usable ? CF_CARD_APP_LOCKED : CF_CARD_CANCELLED);
        production_on_accepted(&h, &a, &fx);
        assert_int_equal(h.temporary.app.state, usable ? CF_APP_NONE : CF_APP_ACCEPTED);
        assert_int_equal(h.permanent.app.state, CF_APP_BATCHED);
        assert_ptr_equal(production_slot_of(&h, a.app_id), usable ? NULL : &h.temporary);
    }
}

static void a_loss_replacement_tells_the_bank_what_the_bank_did_not_say(void **state)
{
    (void)state;
    static const struct {
        enum cf_channel channel;
        enum cf_card_state card;
        bool told;
    } rows[] = {
        {CF_CHANNEL_ONLINE,      CF_CARD_NORMAL,      true },
        {CF_CHANNEL_BANK_OUTLET, CF_CARD_NORMAL,      false},
        {CF_CHANNEL_ONLINE,      CF_CARD_FORMAL_LOSS, false}, /* reported before */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = {0};
        struct production_accepted a = accepted(CF_KIND_LOSS_REPLACEMENT);
        fx.n = 0;
        a.channel = rows[i].channel;
        h.permanent.card = card_in(rows[i].card);
        production_on_accepted(&h, &a, &fx);
        assert_int_equal(h.permanent.card.state, CF_CARD_FORMAL_LOSS);
        assert_int_equal(told("loss"), rows[i].told);
    }
}

/* Collected and never activated, it is the old card when the next is applied for; one that it was
 * to replace is cancelled. */
static void a_card_never_activated_becomes_the_old_one(void **state)
{
    (void)state;
    for (int beside = 0; beside <= 1; beside++) {
        struct production_holder h = holder_in(CF_APP_COLLECTED);
        struct production_accepted a = accepted(CF_KIND_LOSS_REPLACEMENT);
        h.permanent.made = card_in(CF_CARD_SEALED);
        memcpy(h.permanent.made.no, "B00000027", 10);
        if (beside) h.permanent.card = card_in(CF_CARD_FORMAL_LOSS);
        production_on_accepted(&h, &a, &fx);
        assert_string_equal(h.permanent.card.no, "B00000027");
        assert_int_equal(h.permanent.card.state, CF_CARD_FORMAL_LOSS);
        assert_int_equal(h.permanent.made.state, CF_CARD_NONE);
        assert_int_equal(told("cancelled"), beside);
        assert_true(told("loss"));
    }
}

/* ---- photo --------------------------------------------------------------------------------- */

static void the_photo_lets_all_but_temporary_cards_go_to_the_bank(void **state)
{
    (void)state;
    static const struct {
        enum cf_app_kind kind;
        bool queued;
    } rows[] = {
        {CF_KIND_FIRST_ISSUE,        true },
        {CF_KIND_LOSS_REPLACEMENT,   true },
        {CF_KIND_DAMAGE_REPLACEMENT, true },
        {CF_KIND_PHOTO_SWAP,         true },
        {CF_KIND_REISSUE,            true },
    };
    const struct production_photo photo = {.app_id = {7}, .ref = {3}, .has_photo = true};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = holder_in(CF_APP_ACCEPTED);
        h.permanent.app.kind = rows[i].kind;
        assert_int_equal(production_on_photo_ready(&h, &photo, &fx), PRODUCTION_MOVE);
        assert_int_equal(h.permanent.app.state, CF_APP_PHOTO_READY);
        assert_int_equal(find(&fx, PRODUCTION_FX_ENQUEUE) != NULL, rows[i].queued);
        assert_int_equal(h.permanent.app.queued, rows[i].queued);
        assert_int_equal(production_on_photo_ready(&h, &photo, &fx), PRODUCTION_ALREADY);
    }
}

static void word_of_the_photo_waits_moves_or_is_over(void **state)
{
    (void)state;
    const struct production_photo photo = {.app_id = {7}};
    struct production_holder none = {0}, ended = {0};
    memcpy(ended.ended[PRODUCTION_ENDED_KEPT - 1], APP, 16);
    assert_int_equal(production_on_photo_ready(&none, &photo, &fx), PRODUCTION_AHEAD);
    assert_int_equal(production_on_photo_ready(&ended, &photo, &fx), PRODUCTION_ENDED);
    assert_int_equal(production_on_photo_missing(&none, &photo), PRODUCTION_AHEAD);
    assert_int_equal(production_on_photo_missing(&ended, &photo), PRODUCTION_ENDED);
    assert_int_equal(production_on_photo_ended(&none, &photo, &fx), PRODUCTION_AHEAD);
    assert_int_equal(production_on_photo_ended(&ended, &photo, &fx), PRODUCTION_ENDED);
    struct production_holder h = holder_in(CF_APP_ACCEPTED);
    assert_int_equal(production_on_photo_missing(&h, &photo), PRODUCTION_MOVE);
    assert_int_equal(h.permanent.app.state, CF_APP_PHOTO_MISSING);
    assert_int_equal(production_on_photo_missing(&h, &photo), PRODUCTION_ALREADY);
    assert_int_equal(fx.n, 0);
    assert_int_equal(production_on_photo_ended(&h, &photo, &fx), PRODUCTION_MOVE);
    assert_int_equal(h.permanent.app.state, CF_APP_EXPIRED);
    /* Everybody hears of it from here, with a notice. */
    assert_int_equal(fx.n, 1);
    assert_int_equal(fx.list[0].state, CF_APP_EXPIRED);
    assert_true(fx.list[0].notice && cf_str_is(fx.list[0].reason, "photo_not_given"));
    assert_int_equal(production_on_photo_ended(&h, &photo, &fx), PRODUCTION_ENDED);
    assert_int_equal(fx.n, 1);
}

/* ---- the bank's answers -------------------------------------------------------------------- */

static enum production_fit answer_with(struct production_holder *h, enum production_app_event step,
                                       const char *card_no, const char *bank)
{
    struct production_world w = world_at(NOW);
    bool at_outlet = h->permanent.app.state == CF_APP_READY_FOR_PICKUP;
    struct production_result r = {.app_id = {7},
                                  .batch_id = {4},
                                  .line_no = 12,
                                  .step = step,
                                  .card_no = cf_str_of(card_no),
                                  .bank = cf_str_of(bank),
                                  .reason = cf_str_of(at_outlet ? "damaged_at_outlet" : "why")};
    if (step == PRODUCTION_ON_FAILED && !at_outlet) r.reason = CF_STR("bank_rejected");
    fx.n = 0;
    return production_on_result(h, &r, &w, &fx);
}

static void an_answer_must_be_about_this_card_and_from_this_bank(void **state)
{
    (void)state;
    struct production_holder h = {0};
    assert_int_equal(answer_with(&h, PRODUCTION_ON_SHIPPED, "", ""), PRODUCTION_ILLEGAL);
    memcpy(h.ended[0], APP, 16);
    assert_int_equal(answer_with(&h, PRODUCTION_ON_SHIPPED, "", ""), PRODUCTION_ENDED);
    h = holder_in(CF_APP_PRODUCED);
    assert_int_equal(answer_with(&h, PRODUCTION_ON_SHIPPED, "", "B02"), PRODUCTION_ILLEGAL);
    assert_int_equal(answer_with(&h, PRODUCTION_ON_SHIPPED, "B00000027", "B01"),
                     PRODUCTION_ILLEGAL);
    assert_int_equal(answer_with(&h, PRODUCTION_ON_ARRIVED, "B00000027", "B01"),
                     PRODUCTION_ILLEGAL);
    assert_int_equal(answer_with(&h, PRODUCTION_ON_ARRIVED, "B00000019", "B01"), PRODUCTION_AHEAD);
    assert_int_equal(answer_with(&h, PRODUCTION_ON_SHIPPED, "B00000019", "B01"), PRODUCTION_MOVE);
    assert_int_equal(answer_with(&h, PRODUCTION_ON_SHIPPED, "", ""), PRODUCTION_ALREADY);
    assert_int_equal(h.permanent.app.state, CF_APP_SHIPPED);
}

/* A late word about a number that was given up changes only its line. */
static void a_late_made_of_a_superseded_card_is_voided(void **state)
{
    (void)state;
    struct production_holder h = holder_in(CF_APP_BATCHED);
    memcpy(h.permanent.app.superseded, "B00000027", 10);
    assert_int_equal(answer_with(&h, PRODUCTION_ON_SHIPPED, "B00000027", "B01"),
                     PRODUCTION_ALREADY);
    assert_int_equal(answer_with(&h, PRODUCTION_ON_PRODUCED, "B00000027", "B01"), PRODUCTION_MOVE);
    assert_int_equal(fx.n, 1);
    const struct production_effect *line = must_find(&fx, PRODUCTION_FX_LINE);
    assert_string_equal(line->word, "late_voided");
    assert_int_equal(line->line_no, 12);
    assert_int_equal(line->batch_id[0], 4);
    assert_int_equal(h.permanent.app.state, CF_APP_BATCHED);
}

static void a_failed_account_can_be_put_right_for_thirty_days(void **state)
{
    (void)state;
    struct production_holder h = holder_in(CF_APP_BATCHED);
    assert_int_equal(answer_with(&h, PRODUCTION_ON_ACCOUNT_FAILED, "", "B01"), PRODUCTION_MOVE);
    assert_int_equal(h.permanent.app.state, CF_APP_ACCOUNT_FAILED);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_LINE)->word, "failed");
    assert_true(cf_str_is(must_find(&fx, PRODUCTION_FX_STEP)->reason, "why"));
    /* The whole of the thirtieth day. */
    cf_ms end = cf_ms_of_day(cf_day_of_ms(NOW) + 31);
    assert_int_equal(must_find(&fx, PRODUCTION_FX_STEP)->respond_by, cf_day_of_ms(NOW) + 30);
    assert_int_equal(production_next_due(&h), end);
    struct production_world w = world_at(end - 1);
    fx.n = 0;
    production_on_due(&h, &w, &fx);
    assert_int_equal(h.permanent.app.state, CF_APP_ACCOUNT_FAILED);
    w = world_at(end);
    production_on_due(&h, &w, &fx);
    assert_int_equal(h.permanent.app.state, CF_APP_EXPIRED);
    assert_true(told("void_card"));
    assert_true(must_find(&fx, PRODUCTION_FX_STEP)->notice);
}

static void a_failed_card_is_made_again_so_many_times(void **state)
{
    (void)state;
    for (uint32_t remakes = 0; remakes <= policy.remake_max; remakes++) {
        struct production_holder h = holder_in(CF_APP_READY_FOR_PICKUP); /* damaged there */
        h.permanent.app.remakes = remakes;
        assert_int_equal(answer_with(&h, PRODUCTION_ON_FAILED, "", "B01"), PRODUCTION_MOVE);
        bool again = remakes < policy.remake_max;
        assert_int_equal(h.permanent.app.state,
                         again ? CF_APP_PHOTO_READY : CF_APP_PRODUCTION_FAILED);
        assert_int_equal(h.permanent.app.queued, again);
        assert_string_equal(h.permanent.app.superseded, "B00000019");
        assert_false(told("cancelled")); /* the bank said it */
        assert_null(find(&fx, PRODUCTION_FX_LINE));
        assert_true(cf_str_is(must_find(&fx, PRODUCTION_FX_STEP)->reason, "damaged_at_outlet"));
    }
    struct production_holder h = holder_in(CF_APP_BATCHED);
    answer_with(&h, PRODUCTION_ON_FAILED, "", "B01");
    assert_string_equal(must_find(&fx, PRODUCTION_FX_LINE)->word, "failed");
}

/* Both before and after the account is open; the number is void, and the bank hears it. */
static void an_unanswered_line_is_missing_and_made_again(void **state)
{
    (void)state;
    static const enum cf_app_state states[] = {CF_APP_BATCHED, CF_APP_ACCOUNT_OPENED};
    for (size_t i = 0; i < 2; i++) {
        struct production_holder h = holder_in(states[i]);
        struct production_world w = world_at(NOW);
        h.permanent.app.until = NOW;
        production_on_due(&h, &w, &fx);
        assert_int_equal(h.permanent.app.state, CF_APP_PHOTO_READY);
        assert_string_equal(must_find(&fx, PRODUCTION_FX_LINE)->word, "missing");
        assert_true(cf_str_is(must_find(&fx, PRODUCTION_FX_STEP)->reason, "unanswered"));
        assert_true(told("void_card"));
        assert_string_equal(h.permanent.app.superseded, "B00000019");
        assert_non_null(find(&fx, PRODUCTION_FX_ENQUEUE));
    }
}

static void a_collected_card_takes_the_free_place(void **state)
{
    (void)state;
    for (int beside = 0; beside <= 1; beside++) {
        struct production_holder h = holder_in(CF_APP_READY_FOR_PICKUP);
        if (beside) h.permanent.card = card_in(CF_CARD_FORMAL_LOSS);
        assert_int_equal(answer_with(&h, PRODUCTION_ON_COLLECTED, "", "B01"), PRODUCTION_MOVE);
        assert_int_equal(h.permanent.app.state, CF_APP_COLLECTED);
        assert_int_equal(h.permanent.card.state, beside ? CF_CARD_FORMAL_LOSS : CF_CARD_SEALED);
        assert_int_equal(h.permanent.made.state, beside ? CF_CARD_SEALED : CF_CARD_NONE);
    }
}

static void a_fee_is_refused_and_the_step_counts(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = holder_in(CF_APP_ACCOUNT_OPENED);
    struct production_result r = {.app_id = {7}, .step = PRODUCTION_ON_PRODUCED, .fees = true};
    assert_int_equal(production_on_result(&h, &r, &w, &fx), PRODUCTION_MOVE);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_ANSWERED)->reasons[0], "fee_not_allowed");
    assert_int_equal(h.permanent.app.state, CF_APP_PRODUCED);
    assert_int_equal(h.permanent.made.state, CF_CARD_SEALED);
    /* Ten years from today, which is the day of issue. */
    assert_int_equal(h.permanent.made.valid_until, cf_day_of_date(2036, 3, 31));
    fx.n = 0;
    production_card_seal(&h.permanent, &w, &fx);
    assert_int_equal(fx.n, 0);
}

/* Whatever becomes of the step; once. What contradicts the state is for a person to look at. */
static void a_fee_is_refused_whatever_the_step(void **state)
{
    (void)state;
    static const struct {
        enum cf_app_state app;
        enum production_app_event step;
        const char *card_no, *bank;
        enum production_fit with, without;
    } rows[] = {
        {CF_APP_BATCHED,   PRODUCTION_ON_ACCOUNT_OPENED, "B00000019", "B01", PRODUCTION_MOVE,    PRODUCTION_MOVE   },
        {CF_APP_BATCHED,   PRODUCTION_ON_PRODUCED,       "B00000019", "B01", PRODUCTION_AHEAD,   PRODUCTION_AHEAD  },
        {CF_APP_SHIPPED,   PRODUCTION_ON_PRODUCED,       "B00000019", "B01", PRODUCTION_MOVE,    PRODUCTION_ALREADY},
        {CF_APP_WITHDRAWN, PRODUCTION_ON_SHIPPED,        "",          "B01", PRODUCTION_MOVE,    PRODUCTION_ENDED  },
        {CF_APP_BATCHED,   PRODUCTION_ON_FAILED,         "B00000027", "B01", PRODUCTION_MOVE,    PRODUCTION_ALREADY},
        {CF_APP_BATCHED,   PRODUCTION_ON_ACCOUNT_OPENED, "",          "B02", PRODUCTION_ILLEGAL, PRODUCTION_ILLEGAL},
        {CF_APP_PRODUCED,  PRODUCTION_ON_FAILED,         "",          "B01", PRODUCTION_ILLEGAL, PRODUCTION_ILLEGAL},
    };
    struct production_world w = world_at(NOW);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int told = 0; told <= 1; told++) {
            struct production_holder h = holder_in(rows[i].app);
            memcpy(h.permanent.app.superseded, "B00000027", 10);
            struct production_result r = {.id = {3},
                                          .app_id = {7},
                                          .step = rows[i].step,
                                          .card_no = cf_str_of(rows[i].card_no),
                                          .bank = cf_str_of(rows[i].bank),
                                          .fees = true,
                                          .fee_told = told};
            enum production_fit want = told ? rows[i].without : rows[i].with;
            if (production_on_result(&h, &r, &w, &fx) != want) fail_msg("row %zu", i);
            const struct production_effect *e = find(&fx, PRODUCTION_FX_ANSWERED);
            assert_int_equal(e != NULL, !told && want != PRODUCTION_ILLEGAL);
            if (!e) continue;
            assert_string_equal(e->reasons[0], "fee_not_allowed");
            assert_memory_equal(e->command_id, r.id, 16);
            assert_true(e->notice && e->record);
            bool gone = cf_str_is(r.card_no, "B00000027");
            if (gone) assert_string_equal(e->card.no, "");
        }
}

/* ---- time ---------------------------------------------------------------------------------- */

static void a_card_not_collected_for_a_year_is_cancelled(void **state)
{
    (void)state;
    struct production_holder h = holder_in(CF_APP_SHIPPED);
    answer_with(&h, PRODUCTION_ON_ARRIVED, "", "B01");
    cf_ms end = NOW + 365 * (cf_ms)CF_MS_PER_DAY;
    assert_int_equal(h.permanent.app.until, end);
    assert_int_equal(must_find(&fx, PRODUCTION_FX_STEP)->until_on, cf_day_of_ms(end)); /* told */
    struct production_world w = world_at(end);
    fx.n = 0;
    production_on_due(&h, &w, &fx);
    assert_int_equal(h.permanent.app.state, CF_APP_PICKUP_EXPIRED);
    assert_int_equal(h.permanent.made.state, CF_CARD_NONE);
    assert_true(told("cancelled"));
    /* One that was cancelled while it lay there is not cancelled twice. */
    h = holder_in(CF_APP_READY_FOR_PICKUP);
    h.permanent.made.state = CF_CARD_CANCELLED;
    h.permanent.app.until = end;
    production_on_due(&h, &w, &fx);
    assert_int_equal(h.permanent.app.state, CF_APP_PICKUP_EXPIRED);
    assert_null(find(&fx, PRODUCTION_FX_CHANGED));
    assert_int_equal(fx.n, 1);
}

static void without_a_number_it_is_asked_for_again(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = holder_in(CF_APP_PHOTO_READY);
    h.permanent.app.until = NOW;
    production_on_due(&h, &w, &fx);
    assert_non_null(find(&fx, PRODUCTION_FX_ENQUEUE));
    assert_int_equal(h.permanent.app.until, 0);
}

static void a_temporary_card_is_made_on_the_spot_and_collected(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = {0};
    struct production_accepted a = accepted(CF_KIND_TEMPORARY);
    fx.n = 0;
    assert_int_equal(production_on_accepted(&h, &a, &fx), PRODUCTION_MOVE);
    assert_ptr_equal(must_find(&fx, PRODUCTION_FX_HAND_OUT)->slot, &h.temporary);
    assert_int_equal(h.temporary.app.state, CF_APP_ACCEPTED);
    /* There was no number: it is asked for again when its time has come. */
    h.temporary.app.until = NOW;
    fx.n = 0;
    production_on_due(&h, &w, &fx);
    assert_non_null(find(&fx, PRODUCTION_FX_HAND_OUT));
    fx.n = 0;
    snprintf(h.temporary.made.no, sizeof h.temporary.made.no, "B00000019");
    h.temporary.made.state = CF_CARD_RESERVED;
    production_hand_out(&h.temporary, &w, &fx);
    assert_int_equal(must_find(&fx, PRODUCTION_FX_STEP)->state, CF_APP_PRODUCED);
    assert_int_equal(h.temporary.made.state, CF_CARD_SEALED);
    assert_int_equal(h.temporary.made.valid_until, cf_day_of_ms(NOW) + 60);
    /* The bank has no steps with it but that it was collected. */
    struct production_result r = {.step = PRODUCTION_ON_SHIPPED};
    memcpy(r.app_id, a.app_id, 16);
    assert_int_equal(production_on_result(&h, &r, &w, &fx), PRODUCTION_ILLEGAL);
    struct production_holder left = h, waiting = h;
    r.step = PRODUCTION_ON_COLLECTED;
    assert_int_equal(production_on_result(&h, &r, &w, &fx), PRODUCTION_MOVE);
    assert_int_equal(h.temporary.app.state, CF_APP_COLLECTED);
    assert_int_equal(h.temporary.card.state, CF_CARD_SEALED);
    assert_int_equal(production_on_result(&h, &r, &w, &fx), PRODUCTION_ALREADY);
    waiting.temporary.app.state = CF_APP_ACCEPTED;
    assert_int_equal(production_on_result(&waiting, &r, &w, &fx), PRODUCTION_AHEAD);
    /* Nobody came while it was valid. */
    fx.n = 0;
    w = world_at(cf_ms_of_day(left.temporary.made.valid_until + 1));
    production_on_due(&left, &w, &fx);
    assert_int_equal(left.temporary.app.state, CF_APP_PICKUP_EXPIRED);
    assert_int_equal(production_on_result(&left, &r, &w, &fx), PRODUCTION_ENDED);
}

static void a_state_without_an_end_is_not_asked_again(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    struct production_holder h = holder_in(CF_APP_SHIPPED);
    h.permanent.made = (struct production_card){0};
    h.permanent.app.until = NOW;
    production_on_due(&h, &w, &fx);
    assert_int_equal(fx.n, 0);
    assert_int_equal(production_next_due(&h), 0);
    h = holder_in(CF_APP_COLLECTED);
    h.permanent.app.until = NOW;
    production_on_due(&h, &w, &fx);
    assert_int_equal(fx.n, 0);
}

static void the_earliest_obligation_counts(void **state)
{
    (void)state;
    struct production_holder h = {0};
    assert_int_equal(production_next_due(&h), 0);
    h.permanent.card = card_in(CF_CARD_TEMPORARY_LOSS);
    h.permanent.card.loss_until = cf_ms_of_day(23653) + 5;
    assert_int_equal(production_next_due(&h), cf_ms_of_day(23653)); /* its last day is over first */
    h.permanent.card.loss_until = NOW;
    assert_int_equal(production_next_due(&h), NOW);
    h.temporary.app.until = NOW - 1;
    assert_int_equal(production_next_due(&h), NOW - 1);
    h.temporary.app.until = NOW + 1;
    assert_int_equal(production_next_due(&h), NOW);
}

static void a_made_card_is_valid_for_as_long_as_its_kind(void **state)
{
    (void)state;
    struct production_world w = world_at(NOW);
    for (int temporary = 0; temporary <= 1; temporary++) {
        struct production_holder h = {0};
        struct production_slot *slot = temporary ? &h.temporary : &h.permanent;
        slot->app.kind = temporary ? CF_KIND_TEMPORARY : CF_KIND_FIRST_ISSUE;
        slot->made = card_in(CF_CARD_RESERVED);
        fx.n = 0;
        production_card_seal(slot, &w, &fx);
        cf_day today = cf_day_of_ms(NOW);
        assert_int_equal(slot->made.state, CF_CARD_SEALED);
        assert_int_equal(slot->made.issued_on, today);
        assert_int_equal(slot->made.valid_until,
                         temporary ? today + 60 : production_add_months(today, 120));
        assert_int_equal(must_find(&fx, PRODUCTION_FX_CHANGED)->temporary, temporary);
    }
}

static void a_card_expires_the_day_after_its_last(void **state)
{
    (void)state;
    cf_ms end = cf_ms_of_day(23653);
    for (int temporary = 0; temporary <= 1; temporary++) {
        struct production_holder h = {0};
        struct production_card *card = temporary ? &h.temporary.card : &h.permanent.card;
        *card = card_in(CF_CARD_NORMAL);
        struct production_world w = world_at(end - 1);
        fx.n = 0;
        production_on_due(&h, &w, &fx);
        assert_int_equal(fx.n, 0);
        w = world_at(end);
        production_on_due(&h, &w, &fx);
        /* The state of a permanent one is kept; a temporary one is cancelled. */
        assert_int_equal(card->state, temporary ? CF_CARD_CANCELLED : CF_CARD_NORMAL);
        assert_int_equal(card->financial == PRODUCTION_FIN_CLOSED, temporary);
        assert_int_equal(card->expired, !temporary);
        assert_int_equal(told("cancelled"), temporary);
        const struct production_effect *changed = must_find(&fx, PRODUCTION_FX_CHANGED);
        assert_string_equal(changed->word, "expired");
        assert_int_equal(changed->before, CF_CARD_NORMAL);
        fx.n = 0;
        production_on_due(&h, &w, &fx); /* once */
        assert_int_equal(fx.n, 0);
        assert_int_equal(production_next_due(&h), 0);
    }
    static const enum cf_card_state none[] = {CF_CARD_NONE, CF_CARD_RESERVED, CF_CARD_VOIDED,
                                              CF_CARD_CANCELLED};
    for (size_t i = 0; i < 4; i++) {
        struct production_card card = card_in(none[i]);
        assert_int_equal(production_card_next_due(&card), 0);
    }
    struct production_card undated = card_in(CF_CARD_NORMAL);
    undated.valid_until = 0;
    assert_int_equal(production_card_next_due(&undated), 0);
}

/* ---- leaving ------------------------------------------------------------------------------- */

static enum production_fit withdraw(struct production_holder *h)
{
    const struct production_withdrawal m = {.app_id = {7}, .command_id = {5}};
    fx.n = 0;
    return production_on_withdrawal(h, &m, &fx);
}

/* The domain's table: from batched to shipped it is in production. */
static void a_withdrawal_is_answered_by_the_state(void **state)
{
    (void)state;
    static const struct {
        enum cf_app_state from;
        const char *answer, *why;
    } rows[] = {
        {CF_APP_ACCEPTED,          "done",    NULL              },
        {CF_APP_PHOTO_MISSING,     "done",    NULL              },
        {CF_APP_PHOTO_READY,       "done",    NULL              },
        {CF_APP_BATCHED,           "refused", "in_production"   },
        {CF_APP_ACCOUNT_OPENED,    "refused", "in_production"   },
        {CF_APP_ACCOUNT_FAILED,    "done",    NULL              },
        {CF_APP_PRODUCTION_FAILED, "done",    NULL              },
        {CF_APP_PRODUCED,          "refused", "in_production"   },
        {CF_APP_SHIPPED,           "refused", "in_production"   },
        {CF_APP_READY_FOR_PICKUP,  "done",    NULL              },
        {CF_APP_COLLECTED,         "refused", "illegal_in_state"},
        {CF_APP_WITHDRAWN,         "refused", "illegal_in_state"},
        {CF_APP_CLOSED,            "refused", "illegal_in_state"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_holder h = holder_in(rows[i].from);
        enum production_fit fit = withdraw(&h);
        assert_int_equal(fit, PRODUCTION_MOVE);
        const struct production_effect *a = must_find(&fx, PRODUCTION_FX_ANSWERED);
        assert_string_equal(a->word, rows[i].answer);
        assert_int_equal(a->command_id[0], 5);
        bool done = strcmp(rows[i].answer, "done") == 0;
        assert_int_equal(h.permanent.app.state, done ? CF_APP_WITHDRAWN : rows[i].from);
        if (!done) assert_string_equal(a->reasons[0], rows[i].why);
        assert_true(a->notice == !done && a->voucher == done);
        /* A card that waits at the outlet is cancelled, and the bank is told. */
        assert_int_equal(told("cancelled"), rows[i].from == CF_APP_READY_FOR_PICKUP);
    }
    struct production_holder none = {0};
    assert_int_equal(withdraw(&none), PRODUCTION_MOVE);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_ANSWERED)->reasons[0], "illegal_in_state");
}

static size_t answers(void)
{
    size_t n = 0;
    for (size_t i = 0; i < fx.n; i++)
        n += fx.list[i].kind == PRODUCTION_FX_ANSWERED;
    return n;
}

static struct production_holder queued(void)
{
    struct production_holder h = holder_in(CF_APP_PHOTO_READY);
    h.permanent.app.queued = true;
    h.permanent.made = card_in(CF_CARD_RESERVED);
    return h;
}

static enum production_fit dequeued(struct production_holder *h, bool out)
{
    const struct production_dequeued d = {.app_id = {7}, .out = out};
    fx.n = 0;
    return production_on_dequeued(h, &d, &fx);
}

static enum production_fit batched(struct production_holder *h)
{
    struct production_world w = world_at(NOW);
    const struct production_batched b = {.app_id = {7}, .batch_id = {4}, .line_no = 3};
    fx.n = 0;
    return production_on_batched(h, &b, &w, &fx);
}

static void a_queued_one_is_withdrawn_by_the_banks_word(void **state)
{
    (void)state;
    struct production_holder h = queued();
    assert_int_equal(withdraw(&h), PRODUCTION_MOVE);
    assert_non_null(find(&fx, PRODUCTION_FX_DEQUEUE));
    assert_null(find(&fx, PRODUCTION_FX_ANSWERED));
    assert_int_equal(h.permanent.app.state, CF_APP_PHOTO_READY);
    assert_int_equal(withdraw(&h), PRODUCTION_MOVE); /* it waits, too */
    assert_int_equal(fx.n, 0);
    assert_int_equal(dequeued(&h, false), PRODUCTION_ENDED); /* batched: that word comes, too */
    assert_int_equal(dequeued(&h, true), PRODUCTION_MOVE);
    assert_int_equal(h.permanent.app.state, CF_APP_WITHDRAWN);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_ANSWERED)->word, "done");
    assert_string_equal(fx.list[fx.n - 1].word, "already");
    assert_int_equal(answers(), 2);
    assert_false(told("void_card")); /* the bank has never seen it */
    assert_int_equal(dequeued(&h, true), PRODUCTION_ENDED);
    struct production_holder none = {0};
    assert_int_equal(dequeued(&none, true), PRODUCTION_ENDED);
    /* Batched first: refused. */
    h = queued();
    withdraw(&h);
    withdraw(&h);
    assert_int_equal(batched(&h), PRODUCTION_MOVE);
    assert_int_equal(answers(), 2);
    assert_int_equal(h.permanent.app.state, CF_APP_BATCHED);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_ANSWERED)->reasons[0], "in_production");
    assert_int_equal(batched(&h), PRODUCTION_ALREADY);
}

static void who_waits_for_the_queue_hears_how_it_left(void **state)
{
    (void)state;
    static const struct {
        enum production_leaving why;
        const char *word, *reason;
    } rows[] = {{PRODUCTION_LEAVES_RELEASED, "done", NULL},
                {PRODUCTION_LEAVES_ENROLMENT_ENDED, "refused", "illegal_in_state"},
                {PRODUCTION_LEAVES_DIED, "refused", "illegal_in_state"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int out = 0; out <= 1; out++) {
            struct production_holder h = queued();
            h.permanent.app.leaving = rows[i].why;
            for (int n = 0; n < PRODUCTION_LEAVES_KEPT; n++)
                assert_int_equal(withdraw(&h), PRODUCTION_MOVE);
            assert_int_equal(fx.n, 0);
            withdraw(&h);
            assert_string_equal(must_find(&fx, PRODUCTION_FX_ANSWERED)->reasons[0],
                                "too_many_operations");
            assert_int_equal(out ? dequeued(&h, true) : batched(&h), PRODUCTION_MOVE);
            assert_int_equal(answers(), PRODUCTION_LEAVES_KEPT);
            const struct production_effect *a = must_find(&fx, PRODUCTION_FX_ANSWERED);
            bool dead = rows[i].why == PRODUCTION_LEAVES_DIED;
            assert_string_equal(a->word, out || dead ? rows[i].word : "refused");
            const char *reason = out || dead ? rows[i].reason : "in_production";
            assert_int_equal(a->n_reasons, reason != NULL);
            if (reason) assert_string_equal(a->reasons[0], reason);
        }
}

static void a_line_of_nobody_is_a_contradiction(void **state)
{
    (void)state;
    struct production_holder h = {0};
    assert_int_equal(batched(&h), PRODUCTION_ILLEGAL);
    memcpy(h.ended[1], APP, 16);
    assert_int_equal(batched(&h), PRODUCTION_ENDED);
    h = queued();
    assert_int_equal(batched(&h), PRODUCTION_MOVE);
    assert_int_equal(h.permanent.app.until, NOW + policy.answer_ms);
    assert_int_equal(fx.n, 1);
}

static enum production_fit enrolment(struct production_holder *h, const char *reason)
{
    const struct production_enrolment m = {.active = !*reason, .reason = cf_str_of(reason)};
    fx.n = 0;
    return production_on_enrolment(h, &m, &fx);
}

/* left, moved: what is not yet batched is closed, and what could be put right; cards stay. death:
 * whatever is open is closed. */
static void the_end_of_the_enrolment_closes_what_the_domain_says(void **state)
{
    (void)state;
    for (int s = CF_APP_ACCEPTED; s < CF_APP_COUNT; s++) {
        enum cf_app_state from = (enum cf_app_state)s;
        bool open = !cf_app_state_is_end(from);
        bool by_leaving = from == CF_APP_ACCEPTED || from == CF_APP_PHOTO_MISSING ||
                          from == CF_APP_PHOTO_READY || from == CF_APP_ACCOUNT_FAILED ||
                          from == CF_APP_PRODUCTION_FAILED;
        struct production_holder h = holder_in(from);
        assert_int_equal(enrolment(&h, "left"),
                         by_leaving ? PRODUCTION_MOVE : PRODUCTION_ALREADY);
        assert_int_equal(h.permanent.app.state, by_leaving ? CF_APP_CLOSED : from);
        if (by_leaving)
            assert_true(
                cf_str_is(must_find(&fx, PRODUCTION_FX_STEP)->reason, "enrolment_ended"));
        h = holder_in(from);
        assert_int_equal(enrolment(&h, "death"), PRODUCTION_MOVE);
        assert_true(h.died);
        assert_int_equal(h.permanent.app.state, open ? CF_APP_CLOSED : from);
        bool line_open = from == CF_APP_BATCHED || from == CF_APP_ACCOUNT_OPENED;
        assert_int_equal(find(&fx, PRODUCTION_FX_LINE) != NULL, line_open);
        assert_int_equal(enrolment(&h, "death"), PRODUCTION_ALREADY);
    }
}

/* Reported in error: the cards are gone, another one is to be had. */
static void who_is_enrolled_again_may_have_a_card(void **state)
{
    (void)state;
    struct production_holder h = holder_in(CF_APP_READY_FOR_PICKUP);
    struct production_accepted a = accepted(CF_KIND_FIRST_ISSUE);
    assert_int_equal(enrolment(&h, ""), PRODUCTION_ALREADY);
    h.permanent.card = card_in(CF_CARD_NORMAL);
    enrolment(&h, "death");
    assert_int_equal(enrolment(&h, ""), PRODUCTION_MOVE);
    assert_int_equal(fx.n, 0);
    assert_false(h.died);
    assert_int_equal(h.permanent.card.state, CF_CARD_CANCELLED);
    assert_int_equal(h.permanent.app.state, CF_APP_CLOSED);
    assert_int_equal(enrolment(&h, ""), PRODUCTION_ALREADY);
    assert_int_equal(production_on_accepted(&h, &a, &fx), PRODUCTION_MOVE);
    assert_int_equal(h.permanent.app.state, CF_APP_ACCEPTED);
}

static void who_left_is_out_of_the_queue_by_the_banks_word(void **state)
{
    (void)state;
    static const struct {
        const char *reason, *closed;
    } rows[] = {
        {"moved", "enrolment_ended"},
        {"death", "holder_died"    },
    };
    for (size_t i = 0; i < 2; i++) {
        struct production_holder h = queued();
        enrolment(&h, rows[i].reason);
        assert_non_null(find(&fx, PRODUCTION_FX_DEQUEUE));
        enrolment(&h, rows[i].reason); /* asked once */
        assert_null(find(&fx, PRODUCTION_FX_DEQUEUE));
        assert_int_equal(dequeued(&h, true), PRODUCTION_MOVE);
        assert_int_equal(h.permanent.app.state, CF_APP_CLOSED);
        assert_true(cf_str_is(must_find(&fx, PRODUCTION_FX_STEP)->reason, rows[i].closed));
    }
    /* Batched meanwhile: the card of one who left is made, that of the dead is not. */
    struct production_holder h = queued();
    enrolment(&h, "left");
    batched(&h);
    assert_int_equal(h.permanent.app.state, CF_APP_BATCHED);
    h = queued();
    enrolment(&h, "death");
    batched(&h);
    assert_int_equal(h.permanent.app.state, CF_APP_CLOSED);
    assert_string_equal(must_find(&fx, PRODUCTION_FX_LINE)->word, "failed");
    assert_true(told("void_card"));
}

static size_t changes_by(const char *word)
{
    size_t n = 0;
    for (size_t i = 0; i < fx.n; i++)
        n += fx.list[i].kind == PRODUCTION_FX_CHANGED && !strcmp(fx.list[i].word, word);
    return n;
}

/* By a word of their own: notification tells the living only, whatever it has read first. */
static void death_cancels_the_cards_of_both_slots(void **state)
{
    (void)state;
    struct production_holder h = holder_in(CF_APP_COLLECTED);
    h.permanent.card = card_in(CF_CARD_FORMAL_LOSS);
    h.permanent.made = card_in(CF_CARD_SEALED);
    h.temporary.card = card_in(CF_CARD_NORMAL);
    assert_int_equal(enrolment(&h, "death"), PRODUCTION_MOVE);
    assert_int_equal(h.permanent.card.state, CF_CARD_CANCELLED);
    assert_int_equal(h.permanent.card.financial, PRODUCTION_FIN_CLOSED);
    assert_int_equal(h.permanent.made.state, CF_CARD_CANCELLED);
    assert_int_equal(h.temporary.card.state, CF_CARD_CANCELLED);
    assert_true(told("death"));
    assert_int_equal(changes_by("death"), 3);
    assert_int_equal(changes_by("cancel"), 0);
    /* One that waits at the outlet goes with its application. */
    h = holder_in(CF_APP_READY_FOR_PICKUP);
    assert_int_equal(enrolment(&h, "death"), PRODUCTION_MOVE);
    assert_int_equal(changes_by("death"), 1);
    assert_int_equal(changes_by("cancel"), 0);
    assert_true(told("death") && !told("cancelled"));
    /* Another end of it is a cancellation. */
    h = holder_in(CF_APP_READY_FOR_PICKUP);
    withdraw(&h);
    assert_int_equal(changes_by("cancel"), 1);
    assert_int_equal(changes_by("death"), 0);
    h = holder_in(CF_APP_NONE);
    h.permanent.card = card_in(CF_CARD_NORMAL);
    assert_int_equal(enrolment(&h, "left"), PRODUCTION_ALREADY);
    assert_int_equal(h.permanent.card.state, CF_CARD_NORMAL);
}

/* ---- the bank's queue ---------------------------------------------------------------------- */

static void the_lane_that_has_waited_longest_is_next(void **state)
{
    (void)state;
    struct production_bank b = {0};
    b.lane[0].since = NOW + 5;
    b.lane[1].since = NOW;
    assert_int_equal(production_bank_next_due(&b, &policy), NOW + policy.batch_wait_ms);
    b.lane[1].since = NOW + 9;
    assert_int_equal(production_bank_next_due(&b, &policy), NOW + 5 + policy.batch_wait_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_are_bounded),
        cmocka_unit_test(one_application_may_be_open),
        cmocka_unit_test(kinds_fit_the_cards_or_are_closed),
        cmocka_unit_test(a_temporary_application_has_its_own_slot),
        cmocka_unit_test(a_loss_replacement_tells_the_bank_what_the_bank_did_not_say),
        cmocka_unit_test(a_card_never_activated_becomes_the_old_one),
        cmocka_unit_test(the_photo_lets_all_but_temporary_cards_go_to_the_bank),
        cmocka_unit_test(word_of_the_photo_waits_moves_or_is_over),
        cmocka_unit_test(an_answer_must_be_about_this_card_and_from_this_bank),
        cmocka_unit_test(a_late_made_of_a_superseded_card_is_voided),
        cmocka_unit_test(a_failed_account_can_be_put_right_for_thirty_days),
        cmocka_unit_test(a_failed_card_is_made_again_so_many_times),
        cmocka_unit_test(an_unanswered_line_is_missing_and_made_again),
        cmocka_unit_test(a_collected_card_takes_the_free_place),
        cmocka_unit_test(a_fee_is_refused_and_the_step_counts),
        cmocka_unit_test(a_fee_is_refused_whatever_the_step),
        cmocka_unit_test(a_card_not_collected_for_a_year_is_cancelled),
        cmocka_unit_test(without_a_number_it_is_asked_for_again),
        cmocka_unit_test(a_temporary_card_is_made_on_the_spot_and_collected),
        cmocka_unit_test(a_state_without_an_end_is_not_asked_again),
        cmocka_unit_test(the_earliest_obligation_counts),
        cmocka_unit_test(a_made_card_is_valid_for_as_long_as_its_kind),
        cmocka_unit_test(a_card_expires_the_day_after_its_last),
        cmocka_unit_test(a_withdrawal_is_answered_by_the_state),
        cmocka_unit_test(a_queued_one_is_withdrawn_by_the_banks_word),
        cmocka_unit_test(who_waits_for_the_queue_hears_how_it_left),
        cmocka_unit_test(a_line_of_nobody_is_a_contradiction),
        cmocka_unit_test(the_end_of_the_enrolment_closes_what_the_domain_says),
        cmocka_unit_test(who_is_enrolled_again_may_have_a_card),
        cmocka_unit_test(who_left_is_out_of_the_queue_by_the_banks_word),
        cmocka_unit_test(death_cancels_the_cards_of_both_slots),
        cmocka_unit_test(the_lane_that_has_waited_longest_is_next),
    };
    return cmocka_run_group_tests(tests, load_calendar, drop_calendar);
}
