/* The catalogue: sorted, complete for the reasons of numbers, names, phones and photos. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/pure/idnum.h"
#include "common/pure/names.h"
#include "common/pure/phone.h"
#include "common/pure/photo.h"
#include "common/pure/reasons.h"
#include "tests/unit/dies.h"

static void codes_are_sorted_and_found_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CF_REASON_COUNT; i++) {
        const struct cf_reason_info *info = cf_reason_info((enum cf_reason)i);
        if (i) assert_true(strcmp(cf_reason_code((enum cf_reason)(i - 1)), info->code) < 0);
        assert_int_equal(cf_reason_parse(cf_str_of(info->code)), i);
        if (*info->alias) assert_int_equal(cf_reason_parse(cf_str_of(info->alias)), i);
        assert_true(*info->text_zh && *info->text_en && *info->cure_zh && *info->cure_en);
        assert_true(cf_utf8_valid(cf_str_of(info->text_zh)));
        const struct cf_reason_help *help = cf_reason_help((enum cf_reason)i);
        assert_true(*help->materials_zh && *help->materials_en);
        assert_true(*help->procedure_zh && *help->procedure_en);
        /* What can be put right has a time limit, and only that. */
        assert_int_equal(info->respond_days > 0, info->outcome == CF_OUTCOME_NOTICE);
    }
    assert_int_equal(cf_reason_parse(CF_STR("")), CF_REASON_NONE);
    assert_int_equal(cf_reason_parse(CF_STR("no_such_code")), CF_REASON_NONE);
    assert_int_equal(cf_reason_parse(CF_STR("unknown_document_type")),
                     CF_REASON_DOCUMENT_TYPE_NOT_ACCEPTED);
}

static void expect_notice(const char *code)
{
    enum cf_reason r = cf_reason_parse(cf_str_of(code));
    if (r == CF_REASON_NONE) print_error("%s is not in the catalogue\n", code);
    assert_int_not_equal(r, CF_REASON_NONE);
    assert_int_equal(cf_reason_info(r)->outcome, CF_OUTCOME_NOTICE);
}

static void every_reason_of_a_check_is_in_it(void **state)
{
    (void)state;
    for (int i = CF_ID_OK + 1; i < CF_ID_REASON_COUNT; i++)
        expect_notice(cf_id_reason_code((enum cf_id_reason)i));
    for (int i = CF_NAME_OK + 1; i < CF_NAME_REASON_COUNT; i++)
        expect_notice(cf_name_reason_code((enum cf_name_reason)i));
    for (unsigned i = 0; i < CF_PHOTO_REASON_COUNT; i++)
        expect_notice(cf_photo_reason_name(i));
    expect_notice(cf_phone_reason_code(CF_PHONE_MISSING));
    expect_notice(cf_phone_reason_code(CF_PHONE_BAD));
}

static void sets_list_sorted_and_come_back(void **state)
{
    struct cf_reason_set set = {{0, 0}}, back;
    struct cf_buf text;
    (void)state;
    cf_buf_init(&text, 4096);
    assert_false(cf_reason_set_any(&set));
    cf_reason_set_add(&set, CF_REASON_WRONG_LENGTH);
    cf_reason_set_add_code(&set, "bad_phone");
    cf_reason_set_add(&set, CF_REASON_MISSING_NAME);
    assert_true(cf_reason_set_text(&set, &text));
    assert_true(cf_str_is(cf_buf_str(&text), "bad_phone|missing_name|wrong_length"));
    assert_true(cf_reason_set_parse(cf_buf_str(&text), &back));
    assert_memory_equal(&set, &back, sizeof set);
    assert_int_equal(cf_reason_set_count(&set), 3);
    assert_int_equal(cf_reason_set_days(&set), 30);
    assert_true(cf_reason_set_holds(&set, CF_OUTCOME_NOTICE));
    assert_false(cf_reason_set_holds(&set, CF_OUTCOME_REJECT));
    cf_reason_set_remove(&set, CF_REASON_MISSING_NAME);
    assert_false(cf_reason_set_has(&set, CF_REASON_MISSING_NAME));
    assert_false(cf_reason_set_parse(CF_STR("bad_phone|nonsense"), &back));
    cf_buf_free(&text);
}

static void a_text_that_does_not_fit_is_told(void **state)
{
    (void)state;
    struct cf_reason_set set = {{0, 0}};
    cf_reason_set_add(&set, CF_REASON_BAD_PHONE);
    cf_reason_set_add(&set, CF_REASON_MISSING_NAME);
    for (size_t max = 0; max <= strlen("bad_phone|missing_name"); max++) {
        struct cf_buf text;
        cf_buf_init(&text, max);
        assert_int_equal(cf_reason_set_text(&set, &text), max == strlen("bad_phone|missing_name"));
        cf_buf_free(&text);
    }
}

/* Of several cures the one with the least time counts; a rejection has no time. */
static void the_shortest_time_to_answer_counts(void **state)
{
    (void)state;
    struct cf_reason_set set = {{0, 0}};
    assert_int_equal(cf_reason_set_days(&set), 0);
    cf_reason_set_add(&set, CF_REASON_CARD_EXISTS);
    assert_int_equal(cf_reason_set_days(&set), 0);
    int least = 0;
    for (unsigned i = 0; i < CF_REASON_COUNT; i++) {
        int days = cf_reason_info((enum cf_reason)i)->respond_days;
        if (days && (!least || days < least)) least = days;
        cf_reason_set_add(&set, (enum cf_reason)i);
    }
    assert_int_equal(cf_reason_set_days(&set), least);
    assert_int_equal(least, 30);
}

static void no_reason_is_in_no_set(void **state)
{
    (void)state;
    struct cf_reason_set set = {{UINT64_MAX, UINT64_MAX}}, before = set;
    assert_false(cf_reason_set_has(&set, CF_REASON_NONE));
    cf_reason_set_remove(&set, CF_REASON_NONE);
    assert_memory_equal(&set, &before, sizeof set);
    assert_int_equal(cf_reason_set_next(&set, CF_REASON_COUNT), CF_REASON_NONE);
}

static void info_of_none(void)
{
    cf_reason_info(CF_REASON_NONE);
}

static void add_unknown_code(void)
{
    struct cf_reason_set set = {{0, 0}};
    cf_reason_set_add_code(&set, "no_such_code");
}

static void a_code_that_is_not_in_the_catalogue_ends_the_process(void **state)
{
    (void)state;
    assert_true(dies(info_of_none, "no such reason"));
    assert_true(dies(add_unknown_code, "no such reason"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_sorted_and_found_again),
        cmocka_unit_test(every_reason_of_a_check_is_in_it),
        cmocka_unit_test(sets_list_sorted_and_come_back),
        cmocka_unit_test(a_text_that_does_not_fit_is_told),
        cmocka_unit_test(the_shortest_time_to_answer_counts),
        cmocka_unit_test(no_reason_is_in_no_set),
        cmocka_unit_test(a_code_that_is_not_in_the_catalogue_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
