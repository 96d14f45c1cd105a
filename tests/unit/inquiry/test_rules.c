/* inquiry's rules: sections fold in their own order; the picture follows from all of them. */
#include "common/pure/deadline.h"
#include "services/inquiry/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

static struct cf_arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = cf_arena_new((size_t)64 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cf_arena_free(arena);
    return 0;
}

#define DAY(n) ((cf_ms)(n)*CF_MS_PER_DAY)

static struct inquiry_event moved(enum inquiry_source source, uint8_t app, enum cf_app_state state,
                                  cf_ms at)
{
    struct inquiry_event ev = {.what = INQUIRY_MOVED, .source = source, .at = at};
    ev.entry.id[0] = app;
    ev.entry.kind = CF_KIND_FIRST_ISSUE;
    ev.entry.state = state;
    if (source == INQUIRY_INTAKE) {
        ev.what = state == CF_APP_RECEIVED                              ? INQUIRY_RECEIVED
                  : state == CF_APP_ACCEPTED                            ? INQUIRY_ACCEPTED
                  : state == CF_APP_NOTICED || state == CF_APP_REJECTED ? INQUIRY_REFUSED
                                                                        : INQUIRY_MOVED;
    }
    return ev;
}

static struct inquiry_event card(const char *no, enum cf_card_state state, bool temporary, cf_ms at)
{
    struct inquiry_event ev = {.what = INQUIRY_CARD, .source = INQUIRY_PRODUCTION, .at = at};
    ev.card = (struct inquiry_card){.no = cf_str_of(no),
                                    .state = state,
                                    .temporary = temporary,
                                    .valid_until = 30000,
                                    .at = at};
    if (state == CF_CARD_TEMPORARY_LOSS && at) ev.card.loss_until_on = cf_day_of_ms(at) + 5;
    return ev;
}

static struct inquiry_folded fold(struct inquiry_section *sections, struct inquiry_event ev)
{
    return inquiry_fold(arena, &sections[ev.source], &ev);
}

static struct inquiry_picture render(const struct inquiry_section *sections, cf_day today)
{
    struct inquiry_picture p;
    inquiry_render(arena, sections, today, &p);
    return p;
}

/* ---- who owns the state --------------------------------------------------------------------- */

static void the_state_is_that_of_its_owner(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        enum cf_app_state intake, photo, production, want;
        enum inquiry_outcome outcome;
        enum inquiry_step step;
    } rows[] = {
        {"received",                                CF_APP_RECEIVED,  0,                    0,                       CF_APP_RECEIVED,    INQUIRY_OUTCOME_PENDING,
         INQUIRY_STEP_WAIT_DECISION                                                                                                                                                         },
        {"noticed",                                 CF_APP_NOTICED,   0,                    0,                       CF_APP_NOTICED,     INQUIRY_OUTCOME_NOTICE,
         INQUIRY_STEP_CORRECT                                                                                                                                                               },
        {"rejected",                                CF_APP_REJECTED,  0,                    0,                       CF_APP_REJECTED,    INQUIRY_OUTCOME_REJECTED,
         INQUIRY_STEP_APPLY_AGAIN                                                                                                                                                           },
        {"accepted",                                CF_APP_ACCEPTED,  0,                    0,                       CF_APP_ACCEPTED,    INQUIRY_OUTCOME_ACCEPTED,
         INQUIRY_STEP_WAIT_CARD                                                                                                                                                             },
        {"photo's word is later than intake's",     CF_APP_ACCEPTED,  CF_APP_PHOTO_MISSING, 0,
         CF_APP_PHOTO_MISSING,                                                                                                           INQUIRY_OUTCOME_ACCEPTED, INQUIRY_STEP_GIVE_PHOTO  },
        {"photo's word came before intake's",       0,                CF_APP_PHOTO_READY,   0,                       CF_APP_PHOTO_READY,
         INQUIRY_OUTCOME_ACCEPTED,                                                                                                                                 INQUIRY_STEP_WAIT_CARD   },
        {"production's word is later than photo's", CF_APP_ACCEPTED,  CF_APP_PHOTO_READY,
         CF_APP_BATCHED,                                                                                             CF_APP_BATCHED,     INQUIRY_OUTCOME_ACCEPTED, INQUIRY_STEP_WAIT_CARD   },
        {"an end at photo wins over production",    CF_APP_ACCEPTED,  CF_APP_EXPIRED,       CF_APP_BATCHED,
         CF_APP_EXPIRED,                                                                                                                 INQUIRY_OUTCOME_ACCEPTED, INQUIRY_STEP_APPLY_AGAIN },
        {"an end at intake wins over photo",        CF_APP_WITHDRAWN, CF_APP_PHOTO_READY,   0,
         CF_APP_WITHDRAWN,                                                                                                               INQUIRY_OUTCOME_PENDING,  INQUIRY_STEP_APPLY_AGAIN },
        {"ready for pickup",                        CF_APP_ACCEPTED,  CF_APP_PHOTO_READY,   CF_APP_READY_FOR_PICKUP,
         CF_APP_READY_FOR_PICKUP,                                                                                                        INQUIRY_OUTCOME_ACCEPTED, INQUIRY_STEP_PICK_UP     },
        {"the account failed",                      CF_APP_ACCEPTED,  CF_APP_PHOTO_READY,   CF_APP_ACCOUNT_FAILED,
         CF_APP_ACCOUNT_FAILED,                                                                                                          INQUIRY_OUTCOME_ACCEPTED, INQUIRY_STEP_CONTACT_BANK},
        {"collected, no card told of yet",          CF_APP_ACCEPTED,  CF_APP_PHOTO_READY,   CF_APP_COLLECTED,
         CF_APP_COLLECTED,                                                                                                               INQUIRY_OUTCOME_ACCEPTED, INQUIRY_STEP_ACTIVATE    },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct inquiry_section s[INQUIRY_SOURCES] = {0};
        print_message("  %s\n", rows[i].why);
        if (rows[i].intake) fold(s, moved(INQUIRY_INTAKE, 1, rows[i].intake, DAY(100)));
        if (rows[i].photo) fold(s, moved(INQUIRY_PHOTO, 1, rows[i].photo, DAY(101)));
        if (rows[i].production) fold(s, moved(INQUIRY_PRODUCTION, 1, rows[i].production, DAY(102)));
        struct inquiry_picture p = render(s, 102);
        assert_true(p.found);
        assert_int_equal(p.n_apps, 1);
        assert_int_equal(p.apps[0].state, rows[i].want);
        assert_int_equal(p.apps[0].outcome, rows[i].outcome);
        assert_int_equal(p.step, rows[i].step);
        assert_true(p.sentence_zh.len && p.sentence_en.len);
    }
}

/* Every state there is has a step and a sentence in both languages, without a gap left in it. */
static void every_state_can_be_read_out(void **state)
{
    (void)state;
    for (int st = CF_APP_NONE + 1; st < CF_APP_COUNT; st++) {
        struct inquiry_section s[INQUIRY_SOURCES] = {0};
        fold(s, moved(INQUIRY_PRODUCTION, 1, (enum cf_app_state)st, DAY(100)));
        struct inquiry_picture p = render(s, 101);
        print_message("  %.*s\n  %.*s\n", CF_ARG(p.sentence_zh), CF_ARG(p.sentence_en));
        assert_int_not_equal(p.step, INQUIRY_STEP_NONE);
        assert_null(memchr(p.sentence_zh.ptr, '%', p.sentence_zh.len));
        assert_null(memchr(p.sentence_en.ptr, '%', p.sentence_en.len));
        assert_true(p.label_zh.len && p.label_en.len);
        size_t n;
        const struct inquiry_mark *marks = inquiry_timeline(arena, &p.apps[0], &n);
        assert_int_equal(n, 1);
        assert_int_equal(marks[0].state, st);
    }
}

static void sections_do_not_depend_on_interleaving(void **state)
{
    (void)state;
    const struct inquiry_event events[] = {
        moved(INQUIRY_INTAKE, 1, CF_APP_RECEIVED, DAY(100)),
        moved(INQUIRY_INTAKE, 1, CF_APP_ACCEPTED, DAY(100) + 1),
        moved(INQUIRY_PHOTO, 1, CF_APP_PHOTO_MISSING, DAY(100) + 2),
        moved(INQUIRY_PHOTO, 1, CF_APP_PHOTO_READY, DAY(101)),
        moved(INQUIRY_PRODUCTION, 1, CF_APP_BATCHED, DAY(102)),
        moved(INQUIRY_PRODUCTION, 1, CF_APP_ACCOUNT_OPENED, DAY(103)),
    };
    struct cf_str first = {0};
    /* All orders that keep each source's own order: choose who speaks next by a counter. */
    for (unsigned seed = 0; seed < 729; seed++) {
        struct inquiry_section s[INQUIRY_SOURCES] = {0};
        size_t next[3] = {0, 2, 4}, done = 0;
        unsigned dice = seed;
        while (done < 6) {
            size_t who = dice % 3;
            dice = dice / 3 + 1;
            while (next[who] == 2 * who + 2)
                who = (who + 1) % 3;
            fold(s, events[next[who]++]);
            done++;
        }
        struct inquiry_picture p = render(s, 103);
        size_t n;
        const struct inquiry_mark *marks = inquiry_timeline(arena, &p.apps[0], &n);
        assert_int_equal(n, 6);
        for (size_t i = 1; i < n; i++)
            assert_true(marks[i - 1].at <= marks[i].at);
        if (!first.ptr) first = p.sentence_zh;
        assert_true(cf_str_eq(first, p.sentence_zh));
    }
}

static void what_was_decided_at_once_was_received_first(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    size_t n;
    struct inquiry_event noticed = moved(INQUIRY_INTAKE, 1, CF_APP_NOTICED, DAY(100));
    noticed.entry.submitted_at = DAY(99);
    fold(s, noticed);
    struct inquiry_event accepted = moved(INQUIRY_INTAKE, 1, CF_APP_ACCEPTED, DAY(102));
    fold(s, accepted);
    struct inquiry_picture p = render(s, 103);
    const struct inquiry_mark *marks = inquiry_timeline(arena, &p.apps[0], &n);
    assert_int_equal(n, 3);
    assert_int_equal(marks[0].state, CF_APP_RECEIVED);
    assert_int_equal(marks[0].at, DAY(99));
    assert_int_equal(marks[1].state, CF_APP_NOTICED);
    accepted.entry.submitted_at = DAY(101); /* of a supplement */
    fold(s, accepted);
    p = render(s, 103);
    marks = inquiry_timeline(arena, &p.apps[0], &n);
    assert_int_equal(marks[0].at, DAY(100));
}

/* ---- what was asked of the holder ------------------------------------------------------------ */

static void a_notice_says_until_when(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    struct inquiry_event ev = moved(INQUIRY_INTAKE, 1, CF_APP_NOTICED, DAY(100));
    const struct cf_str reasons[] = {CF_STR("bad_phone"), CF_STR("missing_name")};
    ev.entry.reasons = reasons;
    ev.entry.n_reasons = 2;
    ev.entry.respond_by = 130;
    fold(s, ev);
    struct inquiry_picture p = render(s, 101);
    assert_int_equal(p.step_on, 130);
    assert_int_equal(p.apps[0].owner->n_reasons, 2);
    assert_true(p.apps[0].waiting_on_holder);
    fold(s, moved(INQUIRY_INTAKE, 1, CF_APP_ACCEPTED, DAY(102)));
    p = render(s, 102);
    assert_int_equal(p.apps[0].owner->n_reasons, 0);
    assert_int_equal(p.apps[0].outcome, INQUIRY_OUTCOME_ACCEPTED);
}

/* By the day that production has told, which is forgotten with the state. */
static void a_card_that_waits_says_until_when(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    struct inquiry_event ev = moved(INQUIRY_PRODUCTION, 1, CF_APP_READY_FOR_PICKUP, DAY(100));
    ev.entry.until_on = 300;
    fold(s, ev);
    struct inquiry_picture p = render(s, 101);
    assert_int_equal(p.step, INQUIRY_STEP_PICK_UP);
    assert_int_equal(p.step_on, 300);
    fold(s, moved(INQUIRY_PRODUCTION, 1, CF_APP_PRODUCTION_FAILED, DAY(101)));
    fold(s, moved(INQUIRY_PRODUCTION, 1, CF_APP_READY_FOR_PICKUP, DAY(102)));
    assert_int_equal(render(s, 102).step_on, 0);
}

static void an_expired_notice_keeps_its_reasons(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    struct inquiry_event ev = moved(INQUIRY_INTAKE, 1, CF_APP_NOTICED, DAY(100));
    const struct cf_str reason = CF_STR("bad_phone");
    ev.entry.reasons = &reason;
    ev.entry.n_reasons = 1;
    fold(s, ev);
    fold(s, moved(INQUIRY_INTAKE, 1, CF_APP_EXPIRED, DAY(130)));
    struct inquiry_picture p = render(s, 131);
    assert_int_equal(p.apps[0].state, CF_APP_EXPIRED);
    assert_int_equal(p.apps[0].outcome, INQUIRY_OUTCOME_NOTICE);
    assert_int_equal(p.apps[0].owner->n_reasons, 1);
}

static void a_promise_comes_before_the_due_date(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    struct inquiry_event ev = moved(INQUIRY_INTAKE, 1, CF_APP_ACCEPTED, DAY(100));
    ev.entry.due_on = 110;
    fold(s, ev);
    assert_int_equal(render(s, 101).step_on, 110);
    struct inquiry_event promise = {
        .what = INQUIRY_PROMISED, .source = INQUIRY_PRODUCTION, .at = DAY(101)};
    promise.entry.id[0] = 1;
    promise.entry.promised_on = 107;
    fold(s, promise);
    struct inquiry_picture p = render(s, 101);
    assert_int_equal(p.step_on, 107);
    assert_int_equal(p.apps[0].state, CF_APP_ACCEPTED); /* a promise is no state */
    p = render(s, 108);
    assert_int_equal(p.step, INQUIRY_STEP_WAIT_LATE_CARD);
}

/* Until its next step, whatever that is. */
static void a_card_that_waits_for_a_person_says_so(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    struct inquiry_event ev = moved(INQUIRY_PRODUCTION, 1, CF_APP_PRODUCTION_FAILED, DAY(100));
    fold(s, ev);
    assert_int_equal(render(s, 101).step, INQUIRY_STEP_WAIT_CARD);
    ev.entry.needs_person = true;
    fold(s, ev);
    struct inquiry_picture p = render(s, 101);
    assert_int_equal(p.step, INQUIRY_STEP_WAIT_STAFF);
    assert_int_equal(p.step_on, 0);
    fold(s, moved(INQUIRY_PRODUCTION, 1, CF_APP_BATCHED, DAY(102)));
    assert_int_equal(render(s, 102).step, INQUIRY_STEP_WAIT_CARD);
}

static void a_place_is_told_while_it_is_one(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    fold(s, moved(INQUIRY_INTAKE, 1, CF_APP_ACCEPTED, DAY(100)));
    assert_int_equal(inquiry_place(&render(s, 101).apps[0]), 0);
    struct inquiry_event promise = {
        .what = INQUIRY_PROMISED, .source = INQUIRY_PRODUCTION, .at = DAY(101)};
    promise.entry.id[0] = 1;
    promise.entry.place = 12;
    fold(s, promise);
    fold(s, moved(INQUIRY_PHOTO, 1, CF_APP_PHOTO_READY, DAY(101)));
    assert_int_equal(inquiry_place(&render(s, 101).apps[0]), 12);
    fold(s, moved(INQUIRY_PRODUCTION, 1, CF_APP_BATCHED, DAY(102)));
    assert_int_equal(inquiry_place(&render(s, 102).apps[0]), 0);
}

static void a_promise_later_than_due_is_told_until_the_card_is_there(void **state)
{
    (void)state;
    for (int s = CF_APP_NONE; s < CF_APP_COUNT; s++) {
        enum cf_app_state at = (enum cf_app_state)s;
        bool there = at == CF_APP_READY_FOR_PICKUP || cf_app_state_is_end(at);
        assert_int_equal(cf_promised_late(at, 111, 110), !there);
        assert_false(cf_promised_late(at, 110, 110));
        assert_false(cf_promised_late(at, 0, 110));
        assert_false(cf_promised_late(at, 111, 0));
    }
}

/* ---- cards ---------------------------------------------------------------------------------- */

static void validity_as_identity_has_reasons(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        enum cf_card_state state;
        bool handed_in, enrolled;
        cf_day today;
        unsigned want;
    } rows[] = {
        {"normal",              CF_CARD_NORMAL,         false, true,  100,   0                            },
        {"the last day counts", CF_CARD_NORMAL,         false, true,  30000, 0                            },
        {"expired",             CF_CARD_NORMAL,         false, true,  30001, INQUIRY_ID_EXPIRED           },
        {"handed in",           CF_CARD_NORMAL,         true,  true,  100,   INQUIRY_ID_HANDED_IN         },
        {"not enrolled",        CF_CARD_NORMAL,         false, false, 100,   INQUIRY_ID_ENROLMENT_INACTIVE},
        {"sealed",              CF_CARD_SEALED,         false, true,  100,   INQUIRY_ID_NOT_ACTIVATED     },
        {"formal loss",         CF_CARD_FORMAL_LOSS,    false, true,  100,   INQUIRY_ID_FORMAL_LOSS       },
        {"temporary loss",      CF_CARD_TEMPORARY_LOSS, false, true,  100,   INQUIRY_ID_TEMPORARY_LOSS    },
        {"locked",              CF_CARD_APP_LOCKED,     false, true,  100,   INQUIRY_ID_APP_LOCKED        },
        {"cancelled and more",  CF_CARD_CANCELLED,      true,  false, 30001,
         INQUIRY_ID_CANCELLED | INQUIRY_ID_EXPIRED | INQUIRY_ID_HANDED_IN |
             INQUIRY_ID_ENROLMENT_INACTIVE                                                                },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct inquiry_section s[INQUIRY_SOURCES] = {0};
        print_message("  %s\n", rows[i].why);
        struct inquiry_event ev = card("B00000019", rows[i].state, false, DAY(99));
        ev.card.handed_in = rows[i].handed_in;
        fold(s, ev);
        struct inquiry_event enrolment = {.what = INQUIRY_ENROLMENT, .at = DAY(99)};
        enrolment.enrolment = rows[i].enrolled ? CF_STR("active") : CF_STR("left");
        fold(s, enrolment);
        assert_int_equal(render(s, rows[i].today).invalid, rows[i].want);
    }
    struct inquiry_section none[INQUIRY_SOURCES] = {0};
    struct inquiry_picture p = render(none, 100);
    assert_int_equal(p.invalid, INQUIRY_ID_NO_CARD);
    assert_false(p.found);
    assert_int_equal(p.step, INQUIRY_STEP_APPLY);
    assert_true(p.sentence_zh.len > 0);
}

static void hidden_cards_are_not_shown(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    fold(s, card("B00000019", CF_CARD_VOIDED, false, DAY(99)));
    fold(s, card("B00000027", CF_CARD_RESERVED, false, DAY(99)));
    assert_int_equal(render(s, 100).n_cards, 0);
}

static void a_loss_that_the_bank_has_not_heard_of_stays_with_its_card(void **state)
{
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    struct inquiry_event overdue = {.what = INQUIRY_BANK_OVERDUE, .source = INQUIRY_PRODUCTION};
    (void)state;
    overdue.card.no = CF_STR("C1");
    fold(s, overdue); /* of a card that nobody knows */
    fold(s, card("C1", CF_CARD_TEMPORARY_LOSS, false, DAY(90)));
    fold(s, card("C2", CF_CARD_NORMAL, true, DAY(90)));
    fold(s, overdue);
    fold(s, overdue);
    fold(s, card("C1", CF_CARD_FORMAL_LOSS, false, DAY(91)));
    const struct inquiry_section *made = &s[INQUIRY_PRODUCTION];
    static const unsigned want[] = {2, 1, 0, 0};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(made->cards[0].bank_overdue, want[i]);
        assert_int_equal(made->cards[1].bank_overdue, 0);
        struct inquiry_event aware = overdue;
        aware.what = INQUIRY_BANK_AWARE;
        fold(s, aware);
    }
}

static void the_usable_permanent_card_comes_first(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    fold(s, card("C1", CF_CARD_CANCELLED, false, DAY(90)));
    fold(s, card("C2", CF_CARD_NORMAL, true, DAY(91)));
    fold(s, card("C3", CF_CARD_NORMAL, false, DAY(92)));
    struct inquiry_picture p = render(s, 100);
    assert_int_equal(p.n_cards, 3);
    assert_true(cf_str_is(p.cards[0].card->no, "C3"));
    assert_true(cf_str_is(p.cards[1].card->no, "C2"));
    assert_int_equal(p.invalid, 0);
    assert_int_equal(p.step, INQUIRY_STEP_USE);
}

static void a_collected_card_is_told_by_its_application(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    struct inquiry_event ev = moved(INQUIRY_PRODUCTION, 1, CF_APP_COLLECTED, DAY(100));
    ev.entry.card_no = CF_STR("C1");
    fold(s, card("C1", CF_CARD_SEALED, false, DAY(99)));
    fold(s, ev);
    struct inquiry_picture p = render(s, 100);
    assert_true(cf_str_is(p.label_zh, "领卡未激活"));
    assert_int_equal(p.step, INQUIRY_STEP_ACTIVATE);
    fold(s, card("C1", CF_CARD_NORMAL, false, DAY(101)));
    p = render(s, 101);
    assert_true(cf_str_is(p.label_zh, "已激活"));
    assert_int_equal(p.step, INQUIRY_STEP_USE);
    fold(s, card("C1", CF_CARD_TEMPORARY_LOSS, false, DAY(102)));
    p = render(s, 102);
    assert_int_equal(p.step, INQUIRY_STEP_SETTLE_LOSS);
    assert_int_equal(p.step_on, 107);
}

/* The counter that hands it out is told its number, until it is activated. */
static void a_temporary_card_that_lies_ready_has_a_number_to_tell(void **state)
{
    (void)state;
    for (int temporary = 0; temporary <= 1; temporary++) {
        struct inquiry_section s[INQUIRY_SOURCES] = {0};
        struct inquiry_event ev = moved(INQUIRY_PRODUCTION, 1, CF_APP_PRODUCED, DAY(100));
        struct inquiry_app app;
        ev.entry.kind = temporary ? CF_KIND_TEMPORARY : CF_KIND_FIRST_ISSUE;
        ev.entry.card_no = CF_STR("C1");
        fold(s, ev);
        assert_true(inquiry_app_of(s, ev.entry.id, NULL, &app));
        assert_int_equal(app.to_hand_out.len, 0); /* nothing heard of the card */
        fold(s, card("C1", CF_CARD_SEALED, temporary, DAY(100)));
        assert_true(inquiry_app_of(s, ev.entry.id, NULL, &app));
        assert_int_equal(cf_str_is(app.to_hand_out, "C1"), temporary);
        fold(s, card("C1", CF_CARD_NORMAL, temporary, DAY(101)));
        assert_true(inquiry_app_of(s, ev.entry.id, NULL, &app));
        assert_int_equal(app.to_hand_out.len, 0);
    }
}

/* ---- bounds --------------------------------------------------------------------------------- */

static void an_ended_application_makes_room_first(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    for (uint8_t i = 0; i < INQUIRY_ENTRIES_MAX; i++)
        fold(s, moved(INQUIRY_INTAKE, (uint8_t)(i + 1), i == 3 ? CF_APP_REJECTED : CF_APP_RECEIVED,
                      DAY(100 + i)));
    struct inquiry_folded f = fold(s, moved(INQUIRY_INTAKE, 99, CF_APP_RECEIVED, DAY(150)));
    assert_true(f.created);
    assert_non_null(f.dropped);
    assert_int_equal(f.dropped->id[0], 4);
    assert_int_equal(s[INQUIRY_INTAKE].n_entries, INQUIRY_ENTRIES_MAX);
    f = fold(s, moved(INQUIRY_INTAKE, 100, CF_APP_RECEIVED, DAY(151)));
    assert_int_equal(f.dropped->id[0], 1);
    uint8_t id[16] = {99};
    assert_non_null(inquiry_entry_find(&s[INQUIRY_INTAKE], id));
}

static void a_long_story_keeps_its_beginning(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    for (int i = 0; i < 3 * INQUIRY_MARKS_MAX; i++)
        fold(s, moved(INQUIRY_PRODUCTION, 1, CF_APP_BATCHED, DAY(100 + i)));
    const struct inquiry_entry *e = &s[INQUIRY_PRODUCTION].entries[0];
    assert_int_equal(e->n_marks, INQUIRY_MARKS_MAX);
    assert_int_equal(e->marks[0].at, DAY(100));
    assert_int_equal(e->marks[e->n_marks - 1].at, DAY(99 + 3 * INQUIRY_MARKS_MAX));
}

static void the_open_application_is_spoken_of_not_the_newest(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    fold(s, moved(INQUIRY_INTAKE, 1, CF_APP_ACCEPTED, DAY(100)));
    fold(s, moved(INQUIRY_INTAKE, 2, CF_APP_REJECTED, DAY(101)));
    struct inquiry_picture p = render(s, 101);
    assert_int_equal(p.n_apps, 2);
    assert_int_equal(p.apps[0].id[0], 2);
    assert_int_equal(p.step, INQUIRY_STEP_WAIT_CARD);
}

/* Of cards the oldest that is gone for good makes room, of orders and messages the oldest. */
static void what_is_kept_of_each_is_bounded(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    static char numbers[INQUIRY_CARDS_MAX + 3][16];
    for (int i = 0; i < INQUIRY_CARDS_MAX + 3; i++)
        snprintf(numbers[i], sizeof numbers[i], "C%d", i);
    for (int i = 0; i < INQUIRY_CARDS_MAX; i++)
        fold(s, card(numbers[i],
                     i == 5   ? CF_CARD_CANCELLED
                     : i == 9 ? CF_CARD_VOIDED
                              : CF_CARD_NORMAL,
                     false, DAY(100 + i)));
    static const char *const gone[] = {"C5", "C9", "C0"};
    for (int i = 0; i < 3; i++) {
        const char *no = numbers[INQUIRY_CARDS_MAX + i];
        assert_true(fold(s, card(no, CF_CARD_NORMAL, false, DAY(200 + i))).card_created);
        assert_false(fold(s, card(no, CF_CARD_NORMAL, false, DAY(200 + i))).card_created);
        const struct inquiry_section *made = &s[INQUIRY_PRODUCTION];
        assert_int_equal(made->n_cards, INQUIRY_CARDS_MAX);
        for (size_t k = 0; k < made->n_cards; k++)
            assert_false(cf_str_is(made->cards[k].no, gone[i]));
        assert_true(cf_str_is(made->cards[made->n_cards - 1].no, no));
    }
    struct inquiry_event order = {.what = INQUIRY_ORDER, .source = INQUIRY_COMPLAINT};
    for (int i = 0; i < INQUIRY_ORDERS_MAX + 5; i++) {
        order.order.id[0] = (uint8_t)i;
        order.order.state = CF_STR("received");
        assert_true(fold(s, order).created);
    }
    const struct inquiry_section *c = &s[INQUIRY_COMPLAINT];
    assert_int_equal(c->n_orders, INQUIRY_ORDERS_MAX);
    assert_int_equal(c->orders[0].id[0], 5);
    /* An order that is there already is changed in its place. */
    order.order.id[0] = 7;
    order.order.state = CF_STR("closed");
    assert_false(fold(s, order).created);
    assert_int_equal(c->n_orders, INQUIRY_ORDERS_MAX);
    assert_true(cf_str_is(c->orders[2].state, "closed"));
    assert_true(render(s, 100).found);
}

static void a_holder_with_a_work_order_only_is_found(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    fold(s, (struct inquiry_event){.what = INQUIRY_ORDER, .source = INQUIRY_COMPLAINT});
    struct inquiry_picture p = render(s, 100);
    assert_true(p.found);
    assert_int_equal(p.step, INQUIRY_STEP_APPLY);
}

static void what_says_nothing_changes_nothing(void **state)
{
    (void)state;
    static const enum inquiry_what kinds[] = {INQUIRY_OTHER, (enum inquiry_what)99};
    for (size_t i = 0; i < 2; i++) {
        struct inquiry_section s[INQUIRY_SOURCES] = {0}, before[INQUIRY_SOURCES] = {0};
        struct inquiry_folded f = fold(s, (struct inquiry_event){.what = kinds[i]});
        assert_false(f.created || f.card_created || f.receipt_created || f.dropped);
        assert_memory_equal(s, before, sizeof s);
    }
}

/* That it was noticed once is remembered, whatever is said after. */
static void a_notice_is_not_forgotten(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    fold(s, moved(INQUIRY_INTAKE, 1, CF_APP_REJECTED, DAY(100)));
    assert_false(s[INQUIRY_INTAKE].entries[0].noticed);
    fold(s, moved(INQUIRY_INTAKE, 2, CF_APP_NOTICED, DAY(100)));
    fold(s, moved(INQUIRY_INTAKE, 2, CF_APP_NOTICED, DAY(101)));
    fold(s, moved(INQUIRY_INTAKE, 2, CF_APP_REJECTED, DAY(102)));
    assert_true(s[INQUIRY_INTAKE].entries[1].noticed);
}

static void a_promise_alone_is_no_application(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    struct inquiry_event promise = {.what = INQUIRY_PROMISED, .source = INQUIRY_PRODUCTION};
    promise.entry.id[0] = 1;
    fold(s, promise);
    assert_int_equal(render(s, 101).n_apps, 0);
    struct inquiry_app app;
    assert_false(inquiry_app_of(s, promise.entry.id, NULL, &app));
    /* But intake's word may have been kept elsewhere; it has no marks. */
    static const struct {
        enum cf_app_state state;
        enum inquiry_outcome outcome;
    } kept[] = {
        {CF_APP_RECEIVED, INQUIRY_OUTCOME_PENDING },
        {CF_APP_REJECTED, INQUIRY_OUTCOME_REJECTED},
    };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const struct inquiry_entry entry = {.state = kept[i].state};
        assert_true(inquiry_app_of(s, promise.entry.id, &entry, &app));
        assert_int_equal(app.state, kept[i].state);
        assert_int_equal(app.outcome, kept[i].outcome);
        assert_int_equal(app.since, 0);
        size_t n;
        inquiry_timeline(arena, &app, &n);
        assert_int_equal(n, 0);
    }
}

/* Without the time of a state there is no date to tell. */
static void a_date_that_is_not_known_is_not_told(void **state)
{
    (void)state;
    static const enum cf_app_state states[] = {CF_APP_NOTICED, CF_APP_PHOTO_MISSING,
                                               CF_APP_READY_FOR_PICKUP, CF_APP_ACCEPTED};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        struct inquiry_section s[INQUIRY_SOURCES] = {0};
        struct inquiry_entry both[] = {{.id = {1}, .state = states[i]},
                                       {.id = {2}, .state = states[i]}};
        s[INQUIRY_INTAKE].entries = both;
        s[INQUIRY_INTAKE].n_entries = 2;
        struct inquiry_picture p = render(s, 100);
        assert_int_equal(p.step_on, 0);
        assert_int_not_equal(p.step, INQUIRY_STEP_NONE);
        assert_true(p.sentence_zh.len && p.sentence_en.len);
    }
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    fold(s, card("C1", CF_CARD_TEMPORARY_LOSS, false, 0));
    struct inquiry_picture p = render(s, 100);
    assert_int_equal(p.step, INQUIRY_STEP_SETTLE_LOSS);
    assert_int_equal(p.step_on, 0);
}

static void every_card_can_be_read_out(void **state)
{
    (void)state;
    static const struct {
        enum cf_card_state state;
        enum inquiry_step step;
    } rows[] = {
        {CF_CARD_SEALED,         INQUIRY_STEP_ACTIVATE   },
        {CF_CARD_NORMAL,         INQUIRY_STEP_USE        },
        {CF_CARD_APP_LOCKED,     INQUIRY_STEP_UNLOCK     },
        {CF_CARD_TEMPORARY_LOSS, INQUIRY_STEP_SETTLE_LOSS},
        {CF_CARD_FORMAL_LOSS,    INQUIRY_STEP_REPLACE    },
        {CF_CARD_CANCELLED,      INQUIRY_STEP_APPLY      },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int temporary = 0; temporary <= 1; temporary++) {
            struct inquiry_section s[INQUIRY_SOURCES] = {0};
            fold(s, card("C1", rows[i].state, temporary, DAY(100)));
            struct inquiry_picture p = render(s, 101);
            assert_int_equal(p.step, rows[i].step);
            assert_int_equal(p.step_on, rows[i].state == CF_CARD_TEMPORARY_LOSS ? 105 : 0);
            assert_int_equal(memmem(p.sentence_zh.ptr, p.sentence_zh.len, "临时社保卡",
                                    strlen("临时社保卡")) != NULL,
                             temporary);
            assert_int_equal(
                memmem(p.sentence_en.ptr, p.sentence_en.len, "temporary social", 16) != NULL,
                temporary);
        }
}

static void a_card_that_has_expired_is_renewed(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    struct inquiry_event ev = card("C1", CF_CARD_NORMAL, false, DAY(100));
    fold(s, ev);
    assert_int_equal(render(s, 30001).step, INQUIRY_STEP_RENEW);
    ev.card.valid_until = 0; /* not known: nothing is said of it */
    fold(s, ev);
    assert_int_equal(render(s, 30001).step, INQUIRY_STEP_USE);
    assert_int_equal(render(s, 30001).invalid, 0);
}

/* A card that is there speaks after the end of an application, but not while one is open. */
static void card_and_application_speak_in_turn(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        enum inquiry_source source;
        enum cf_app_state app;
        const char *line; /* the card that the application made */
        enum cf_card_state card;
        cf_day today;
        bool of_card;
    } rows[] = {
        {"an open one speaks", INQUIRY_INTAKE, CF_APP_ACCEPTED, "", CF_CARD_NORMAL, 100, false},
        {"withdrawn: the card", INQUIRY_INTAKE, CF_APP_WITHDRAWN, "", CF_CARD_NORMAL, 100, true},
        {"closed: the card", INQUIRY_PRODUCTION, CF_APP_CLOSED, "C1", CF_CARD_NORMAL, 100, true},
        {"it made this card", INQUIRY_PRODUCTION, CF_APP_COLLECTED, "C1", CF_CARD_SEALED, 100, false},
        {"and it is in use", INQUIRY_PRODUCTION, CF_APP_COLLECTED, "C1", CF_CARD_NORMAL, 100, false},
        {"but it has expired", INQUIRY_PRODUCTION, CF_APP_COLLECTED, "C1", CF_CARD_NORMAL, 30001, true},
        {"or was locked", INQUIRY_PRODUCTION, CF_APP_COLLECTED, "C1", CF_CARD_APP_LOCKED, 100, true},
        {"it made another", INQUIRY_PRODUCTION, CF_APP_COLLECTED, "C2", CF_CARD_NORMAL, 100, true},
        {"which one it does not say", INQUIRY_INTAKE, CF_APP_COLLECTED, "", CF_CARD_NORMAL, 100, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct inquiry_section s[INQUIRY_SOURCES] = {0};
        struct inquiry_event ev = moved(rows[i].source, 1, rows[i].app, DAY(99));
        ev.entry.card_no = cf_str_of(rows[i].line);
        fold(s, ev);
        fold(s, card("C1", rows[i].card, false, DAY(99)));
        struct inquiry_picture p = render(s, rows[i].today);
        bool of_card = memmem(p.sentence_en.ptr, p.sentence_en.len, "Your social", 11) != NULL;
        if (of_card != rows[i].of_card)
            fail_msg("%s: %.*s", rows[i].why, CF_ARG(p.sentence_en));
    }
}

/* Of three that began at different times in different stages, in any order of arrival. */
static void applications_stand_newest_first(void **state)
{
    (void)state;
    static const uint8_t orders[][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3},
                                        {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct inquiry_section s[INQUIRY_SOURCES] = {0};
        for (int k = 0; k < 3; k++) {
            uint8_t id = orders[i][k];
            /* 2 and 3 began at once; the later stage has heard of 1 first. */
            cf_ms at = DAY(id == 1 ? 90 : 100);
            fold(s, moved(INQUIRY_INTAKE, id, CF_APP_ACCEPTED, at + (id == 1 ? 5 : 0)));
            if (id == 1) fold(s, moved(INQUIRY_PHOTO, id, CF_APP_PHOTO_READY, at));
        }
        struct inquiry_picture p = render(s, 101);
        assert_int_equal(p.n_apps, 3);
        for (int k = 0; k < 3; k++)
            assert_int_equal(p.apps[k].id[0], 3 - k);
        size_t n;
        const struct inquiry_mark *marks = inquiry_timeline(arena, &p.apps[2], &n);
        assert_int_equal(n, 3);
        assert_int_equal(marks[0].state, CF_APP_PHOTO_READY);
        for (size_t k = 1; k < n; k++)
            assert_true(marks[k - 1].at <= marks[k].at);
    }
}

static void a_received_one_that_waits_says_so(void **state)
{
    (void)state;
    struct inquiry_section s[INQUIRY_SOURCES] = {0};
    struct inquiry_event ev = moved(INQUIRY_INTAKE, 1, CF_APP_RECEIVED, DAY(100));
    ev.entry.waits = true;
    fold(s, ev);
    struct inquiry_picture p = render(s, 100);
    assert_int_equal(p.step, INQUIRY_STEP_WAIT_ENROLMENT);
    assert_true(cf_str_is(p.label_zh, "等待参保信息"));
    size_t n;
    inquiry_timeline(arena, &p.apps[0], &n);
    assert_int_equal(n, 1);
}

static void words_of_the_answer_are_those_of_the_interface(void **state)
{
    (void)state;
    static const char *const outcomes[] = {"pending", "accepted", "notice", "rejected"};
    for (int i = 0; i < 4; i++)
        assert_string_equal(inquiry_outcome_name((enum inquiry_outcome)i), outcomes[i]);
    assert_string_equal(inquiry_identity_name(INQUIRY_ID_INDEX_NO_CARD), "no_card");
    assert_string_equal(inquiry_identity_name(INQUIRY_ID_INDEX_ENROLMENT_INACTIVE),
                        "enrolment_inactive");
    assert_string_equal(inquiry_identity_name(INQUIRY_ID_COUNT), "");
    assert_string_equal(inquiry_step_name(INQUIRY_STEP_PICK_UP), "pick_up");
    assert_string_equal(inquiry_kind_text(CF_KIND_COUNT, CF_LANG_ZH),
                        inquiry_kind_text(CF_KIND_NONE, CF_LANG_ZH));
    assert_string_equal(inquiry_kind_text(CF_KIND_FIRST_ISSUE, CF_LANG_ZH), "首次申领");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_is_that_of_its_owner),
        cmocka_unit_test(every_state_can_be_read_out),
        cmocka_unit_test(sections_do_not_depend_on_interleaving),
        cmocka_unit_test(what_was_decided_at_once_was_received_first),
        cmocka_unit_test(a_notice_says_until_when),
        cmocka_unit_test(a_card_that_waits_says_until_when),
        cmocka_unit_test(an_expired_notice_keeps_its_reasons),
        cmocka_unit_test(a_promise_comes_before_the_due_date),
        cmocka_unit_test(a_card_that_waits_for_a_person_says_so),
        cmocka_unit_test(a_place_is_told_while_it_is_one),
        cmocka_unit_test(a_promise_later_than_due_is_told_until_the_card_is_there),
        cmocka_unit_test(validity_as_identity_has_reasons),
        cmocka_unit_test(hidden_cards_are_not_shown),
        cmocka_unit_test(a_loss_that_the_bank_has_not_heard_of_stays_with_its_card),
        cmocka_unit_test(the_usable_permanent_card_comes_first),
        cmocka_unit_test(a_collected_card_is_told_by_its_application),
        cmocka_unit_test(a_temporary_card_that_lies_ready_has_a_number_to_tell),
        cmocka_unit_test(an_ended_application_makes_room_first),
        cmocka_unit_test(a_long_story_keeps_its_beginning),
        cmocka_unit_test(the_open_application_is_spoken_of_not_the_newest),
        cmocka_unit_test(what_is_kept_of_each_is_bounded),
        cmocka_unit_test(a_holder_with_a_work_order_only_is_found),
        cmocka_unit_test(what_says_nothing_changes_nothing),
        cmocka_unit_test(a_notice_is_not_forgotten),
        cmocka_unit_test(a_promise_alone_is_no_application),
        cmocka_unit_test(a_date_that_is_not_known_is_not_told),
        cmocka_unit_test(every_card_can_be_read_out),
        cmocka_unit_test(a_card_that_has_expired_is_renewed),
        cmocka_unit_test(card_and_application_speak_in_turn),
        cmocka_unit_test(applications_stand_newest_first),
        cmocka_unit_test(a_received_one_that_waits_says_so),
        cmocka_unit_test(words_of_the_answer_are_those_of_the_interface),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
