/* A bank's answers that come before the step they build on are kept; one that is said again is not
 * kept again. */
#include "services/production/early.h"
#include "tests/unit/production/world.h"

static const char *const words[] = {"produced", "shipped", "arrived", "collected"};

static size_t kept_of(struct world *w)
{
    struct production_early_list l;
    assert_true(production_early_read(row_of(w)->early, &l));
    return l.n;
}

static void say(struct world *w, const struct production_result_fields *f)
{
    feed(w, "bank.results", "bank.result", &w->holder, production_codec_result(w->a, f));
}

/* What the bank says of the card that is in its hands, under an id of its own. */
static struct production_result_fields about_card(struct world *w, const char *step, uint8_t id)
{
    struct production_result_fields f = {.bank = CF_STR("B01"),
                                         .step = cf_str_of(step),
                                         .card_no = row_of(w)->made_no,
                                         .line_no = 1,
                                         .result_id = {id}};
    memcpy(f.app_id, w->app, 16);
    return f;
}

static void a_bank_may_say_all_as_often_as_it_likes(void **state)
{
    struct world *w = *state;
    to_batched(w);
    uint8_t id = 0;
    for (int round = 0; round < 2 * PRODUCTION_EARLY_MAX; round++)
        for (int i = 0; i < 4; i++) {
            struct production_result_fields f = about_card(w, words[i], ++id);
            say(w, &f);
        }
    assert_int_equal(w->d->n_parked, 0);
    assert_int_equal(kept_of(w), 4);
    struct production_result_fields first = about_card(w, "account_opened", 255);
    say(w, &first);
    is_text(row_of(w)->app_state, "collected");
    assert_int_equal(kept_of(w), 0);
    assert_string_equal(steps(w), STRAIGHT);
}

/* What makes an answer another one; the first is "shipped", line 1, id 1. */
static void change_nothing_but_the_id(struct production_result_fields *f)
{
    f->result_id[0] = 2;
}

static void change_the_word_only(struct production_result_fields *f)
{
    f->step = CF_STR("arrived");
}

static void change_the_word(struct production_result_fields *f)
{
    f->result_id[0] = 2;
    f->step = CF_STR("arrived");
}

static void change_the_line(struct production_result_fields *f)
{
    f->result_id[0] = 2;
    f->line_no = 2;
}

static void change_the_batch(struct production_result_fields *f)
{
    f->result_id[0] = 2;
    f->batch_id[0] = 7;
}

static void name_no_card(struct production_result_fields *f)
{
    f->result_id[0] = 2;
    f->card_no = (struct cf_str){0};
}

static void give_a_reason(struct production_result_fields *f)
{
    f->result_id[0] = 2;
    f->reason = CF_STR("by another van");
}

static void the_same_is_the_same_id_or_the_same_word_about_the_same_line(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *why;
        void (*change)(struct production_result_fields *f);
        size_t kept;
    } cases[] = {
        {"the same word about the same line", change_nothing_but_the_id, 1},
        {"the same id",                       change_the_word_only,      1},
        {"another word",                      change_the_word,           2},
        {"another line",                      change_the_line,           2},
        {"a line of another batch",           change_the_batch,          2},
        {"no card is named",                  name_no_card,              2},
        {"another reason",                    give_a_reason,             2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(end(state) | begin(state), 0);
        w = *state;
        to_batched(w);
        struct production_result_fields f = about_card(w, "shipped", 1);
        say(w, &f);
        cases[i].change(&f);
        say(w, &f);
        if (kept_of(w) != cases[i].kept)
            fail_msg("%s: %zu kept, want %zu", cases[i].why, kept_of(w), cases[i].kept);
    }
}

/* Which line is meant is not known: it may be that of a card made again. */
static void answers_that_name_no_line_are_kept_each(void **state)
{
    struct world *w = *state;
    to_batched(w);
    struct production_result_fields f = about_card(w, "shipped", 1);
    f.card_no = (struct cf_str){0};
    f.line_no = 0;
    say(w, &f);
    f.result_id[0] = 2;
    say(w, &f);
    assert_int_equal(kept_of(w), 2);
    say(w, &f);
    assert_int_equal(kept_of(w), 2);
}

static void a_photo_that_is_kept_is_no_answer(void **state)
{
    struct world *w = *state;
    struct production_early_list l = {0};
    const struct production_early photo = {.type = PRODUCTION_M_PHOTO_READY};
    const struct production_early unreadable = {.type = PRODUCTION_M_RESULT,
                                                .bytes = CF_STR("\xff\xff")};
    const struct production_result r = {.step = PRODUCTION_ON_SHIPPED};
    assert_true(production_early_add(&l, &photo));
    assert_true(production_early_add(&l, &unreadable));
    assert_false(production_early_has(w->a, &l, &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_bank_may_say_all_as_often_as_it_likes, begin, end),
        cmocka_unit_test_setup_teardown(
            the_same_is_the_same_id_or_the_same_word_about_the_same_line, begin, end),
        cmocka_unit_test_setup_teardown(answers_that_name_no_line_are_kept_each, begin, end),
        cmocka_unit_test_setup_teardown(a_photo_that_is_kept_is_no_answer, begin, end),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
