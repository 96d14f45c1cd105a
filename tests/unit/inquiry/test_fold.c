/* What a section keeps of an event: add-ons of a card, another reference, marks, supplements. */
#include "services/inquiry/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct cf_arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = cf_arena_new((size_t)1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cf_arena_free(arena);
    return 0;
}

static void add_ons_stand_on_the_card_and_are_kept(void **state)
{
    (void)state;
    struct inquiry_section s = {0};
    char name[] = "transit", by[] = "guardian";
    struct inquiry_add_on two[] = {
        {{name, 7}, {by, 8}, 1000},
        {CF_STR("library"), CF_STR("holder"), 2000},
    };
    struct inquiry_event ev = {.what = INQUIRY_CARD, .source = INQUIRY_PRODUCTION, .at = 3000};
    ev.card = (struct inquiry_card){
        .no = CF_STR("B00000019"), .state = CF_CARD_NORMAL, .add_ons = two, .n_add_ons = 2};
    assert_true(inquiry_fold(arena, &s, &ev).card_created);
    memset(name, 'x', 7); /* the event's own text goes */
    memset(by, 'x', 8);
    assert_int_equal(s.n_cards, 1);
    const struct inquiry_card *card = &s.cards[0];
    assert_int_equal(card->n_add_ons, 2);
    assert_true(cf_str_is(card->add_ons[0].name, "transit"));
    assert_true(cf_str_is(card->add_ons[0].consent_by, "guardian"));
    assert_int_equal(card->add_ons[0].at, 1000);
    assert_true(cf_str_is(card->add_ons[1].name, "library"));
    ev.card.n_add_ons = 0; /* a card that has none any more */
    assert_false(inquiry_fold(arena, &s, &ev).card_created);
    assert_int_equal(s.cards[0].n_add_ons, 0);
}

static void another_reference_leads_to_the_first_one(void **state)
{
    (void)state;
    struct inquiry_section s = {0};
    char first[] = "the first of all";
    struct inquiry_event ev = {.what = INQUIRY_ALIASED, .source = INQUIRY_INTAKE};
    ev.canonical = (struct cf_str){first, 16};
    (void)inquiry_fold(arena, &s, &ev);
    memset(first, 'x', 16);
    assert_true(cf_str_is(s.canonical, "the first of all"));
}

static struct inquiry_event about_app(enum inquiry_what what, cf_ms at)
{
    struct inquiry_event ev = {.what = what, .source = INQUIRY_PRODUCTION, .at = at};
    ev.entry.id[0] = 7;
    ev.entry.kind = CF_KIND_FIRST_ISSUE;
    ev.entry.state = CF_APP_BATCHED;
    return ev;
}

static void a_mark_keeps_its_first_time_until_it_goes(void **state)
{
    (void)state;
    static const struct {
        bool warned, overdue;
        cf_ms at, warned_at, overdue_at;
    } rows[] = {
        {true,  false, 1000, 1000, 0   },
        {true,  true,  2000, 1000, 2000},
        {true,  true,  3000, 1000, 2000},
        {false, false, 4000, 0,    0   }, /* more time was given */
        {true,  true,  5000, 5000, 5000},
    };
    struct inquiry_section s = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct inquiry_event ev = about_app(INQUIRY_DEADLINE, rows[i].at);
        ev.warned = rows[i].warned;
        ev.overdue = rows[i].overdue;
        (void)inquiry_fold(arena, &s, &ev);
        const struct inquiry_deadline *d = &s.entries[0].deadline;
        if (d->warned_at != rows[i].warned_at || d->overdue_at != rows[i].overdue_at)
            fail_msg("row %zu: %lld, %lld", i, (long long)d->warned_at, (long long)d->overdue_at);
    }
}

static void a_supplement_brings_the_person_and_moves_nothing(void **state)
{
    (void)state;
    struct inquiry_section s = {0};
    struct inquiry_event ev = about_app(INQUIRY_MOVED, 1000);
    ev.entry.state = CF_APP_ACCOUNT_FAILED;
    (void)inquiry_fold(arena, &s, &ev);
    ev = about_app(INQUIRY_SUPPLEMENTED, 2000);
    ev.entry.state = CF_APP_NONE;
    ev.person = CF_STR("sealed");
    (void)inquiry_fold(arena, &s, &ev);
    assert_int_equal(s.n_entries, 1);
    assert_int_equal(s.entries[0].state, CF_APP_ACCOUNT_FAILED);
    assert_true(cf_str_is(s.person, "sealed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add_ons_stand_on_the_card_and_are_kept),
        cmocka_unit_test(another_reference_leads_to_the_first_one),
        cmocka_unit_test(a_mark_keeps_its_first_time_until_it_goes),
        cmocka_unit_test(a_supplement_brings_the_person_and_moves_nothing),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
