#include "tests/unit/pure/vectors.h"

#include "common/pure/kinds.h"
#include "common/pure/warnings.h"

#define ROUNDTRIP(word, COUNT)                                                                     \
    do {                                                                                           \
        for (unsigned i = 1; i < COUNT; i++) {                                                     \
            const char *name = cf_##word##_name((enum cf_##word)i);                                \
            assert_true(name[0]);                                                                  \
            assert_int_equal(cf_##word##_parse(cf_str_of(name)), i);                               \
        }                                                                                          \
        assert_int_equal(cf_##word##_parse(CF_STR("")), 0);                                        \
        assert_int_equal(cf_##word##_parse(CF_STR("no such name")), 0);                            \
        assert_string_equal(cf_##word##_name((enum cf_##word)0), "");                              \
        assert_string_equal(cf_##word##_name((enum cf_##word)COUNT), "");                          \
    } while (0)

static void every_name_leads_back_to_its_value(void **state)
{
    (void)state;
    ROUNDTRIP(app_kind, CF_KIND_COUNT);
    ROUNDTRIP(reissue_reason, CF_REISSUE_COUNT);
    ROUNDTRIP(channel, CF_CHANNEL_COUNT);
    ROUNDTRIP(sex, CF_SEX_COUNT);
    ROUNDTRIP(photo_choice, CF_PHOTO_COUNT);
    ROUNDTRIP(app_state, CF_APP_COUNT);
    ROUNDTRIP(close_reason, CF_CLOSE_COUNT);
    ROUNDTRIP(card_state, CF_CARD_COUNT);
    ROUNDTRIP(card_kind, CF_CARD_KIND_COUNT);
    ROUNDTRIP(lang, CF_LANG_COUNT);
}

static void the_public_sees_labels_in_two_languages(void **state)
{
    (void)state;
    for (unsigned i = 1; i < CF_APP_COUNT; i++)
        for (unsigned lang = CF_LANG_ZH; lang < CF_LANG_COUNT; lang++)
            assert_true(cf_app_state_label((enum cf_app_state)i, (enum cf_lang)lang)[0]);
    assert_string_equal(cf_app_state_label(CF_APP_RECEIVED, CF_LANG_ZH), "已提交");
    assert_string_equal(cf_app_state_label(CF_APP_READY_FOR_PICKUP, CF_LANG_ZH), "银行网点签收");
    assert_string_equal(cf_app_state_label(CF_APP_NONE, CF_LANG_EN), "");
    assert_string_equal(cf_app_state_label(CF_APP_COUNT, CF_LANG_EN), "");
    assert_string_equal(cf_app_state_label_detail(CF_APP_RECEIVED, true, false, CF_LANG_ZH),
                        "等待参保信息");
    assert_string_equal(cf_app_state_label_detail(CF_APP_RECEIVED, false, true, CF_LANG_ZH),
                        "已提交");
    assert_string_equal(cf_app_state_label_detail(CF_APP_COLLECTED, false, false, CF_LANG_ZH),
                        "领卡未激活");
    assert_string_equal(cf_app_state_label_detail(CF_APP_COLLECTED, false, true, CF_LANG_ZH),
                        "已激活");
    assert_string_equal(cf_app_state_label_detail(CF_APP_COLLECTED, false, true, CF_LANG_EN),
                        "Activated");
}

static void ends_are_the_six_states_nothing_leads_out_of(void **state)
{
    (void)state;
    unsigned ends = 0;
    for (unsigned i = 1; i < CF_APP_COUNT; i++)
        ends += cf_app_state_is_end((enum cf_app_state)i);
    assert_int_equal(ends, 6);
    assert_true(cf_app_state_is_end(CF_APP_COLLECTED));
    assert_false(cf_app_state_is_end(CF_APP_READY_FOR_PICKUP));
}

static void card_states_have_their_codes(void **state)
{
    (void)state;
    static const int codes[] = {
        [CF_CARD_NONE] = -1,      [CF_CARD_RESERVED] = -1,      [CF_CARD_VOIDED] = -1,
        [CF_CARD_SEALED] = 0,     [CF_CARD_NORMAL] = 1,         [CF_CARD_FORMAL_LOSS] = 2,
        [CF_CARD_APP_LOCKED] = 3, [CF_CARD_TEMPORARY_LOSS] = 4, [CF_CARD_CANCELLED] = 9};
    assert_int_equal(sizeof codes / sizeof *codes, CF_CARD_COUNT);
    for (unsigned i = 0; i < CF_CARD_COUNT; i++) {
        assert_int_equal(cf_card_state_code((enum cf_card_state)i), codes[i]);
        if (codes[i] >= 0) assert_int_equal(cf_card_state_of_code(codes[i]), i);
        bool usable = codes[i] == 1 || codes[i] == 3 || codes[i] == 4;
        assert_int_equal(cf_card_state_is_usable((enum cf_card_state)i), usable);
        assert_int_equal(cf_card_state_label((enum cf_card_state)i, CF_LANG_ZH)[0] != 0, i != 0);
    }
    assert_int_equal(cf_card_state_code(CF_CARD_COUNT), -1);
    assert_string_equal(cf_card_state_label(CF_CARD_COUNT, CF_LANG_ZH), "");
    assert_int_equal(cf_card_state_of_code(-1), CF_CARD_NONE);
    assert_int_equal(cf_card_state_of_code(5), CF_CARD_NONE);
}

static void sexes_are_read_from_chinese_rosters(void **state)
{
    (void)state;
    assert_int_equal(cf_sex_parse_zh(CF_STR("男")), CF_SEX_MALE);
    assert_int_equal(cf_sex_parse_zh(CF_STR("女")), CF_SEX_FEMALE);
    assert_int_equal(cf_sex_parse_zh(CF_STR("female")), CF_SEX_FEMALE);
    assert_int_equal(cf_sex_parse_zh(CF_STR("x")), CF_SEX_NONE);
    assert_int_equal(cf_sex_parse(CF_STR("男")), CF_SEX_NONE);
    assert_string_equal(cf_sex_label(CF_SEX_FEMALE, CF_LANG_ZH), "女");
    assert_string_equal(cf_sex_label(CF_SEX_NONE, CF_LANG_ZH), "");
    assert_string_equal(cf_sex_label(CF_SEX_COUNT, CF_LANG_ZH), "");
}

static void warnings_are_bits_with_names_in_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CF_WARN_COUNT; i++) {
        assert_int_equal(cf_warning_parse(cf_str_of(cf_warning_name(i))), 1u << i);
        if (i) assert_true(strcmp(cf_warning_name(i - 1), cf_warning_name(i)) < 0);
    }
    assert_int_equal(cf_warning_parse(CF_STR("normalised_nothing")), 0);
    assert_string_equal(cf_warning_name(CF_WARN_COUNT), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_leads_back_to_its_value),
        cmocka_unit_test(the_public_sees_labels_in_two_languages),
        cmocka_unit_test(ends_are_the_six_states_nothing_leads_out_of),
        cmocka_unit_test(card_states_have_their_codes),
        cmocka_unit_test(sexes_are_read_from_chinese_rosters),
        cmocka_unit_test(warnings_are_bits_with_names_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
