#include "tests/unit/pure/vectors.h"

#include "common/pure/receipt.h"

#define MANY 100000

static const uint8_t key[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void the_mapping_has_no_collision_and_goes_back(void **state)
{
    (void)state;
    static uint64_t seen[MANY];
    unsigned ascending = 0;
    for (uint64_t i = 0; i < MANY; i++) {
        /* Half from the beginning of the space, half up to its end. */
        uint64_t x = i % 2 ? CF_RECEIPT_SPACE - i : i;
        seen[i] = cf_receipt_scramble(key, x);
        if (seen[i] >= CF_RECEIPT_SPACE) fail_msg("%llu is outside", (unsigned long long)x);
        if (cf_receipt_unscramble(key, seen[i]) != x) fail_msg("%llu", (unsigned long long)x);
        ascending += i > 0 && seen[i] > seen[i - 1];
    }
    /* Neighbours stand in no order: half go up. */
    assert_true(ascending > MANY * 49 / 100 && ascending < MANY * 51 / 100);
    qsort(seen, MANY, sizeof *seen, by_value);
    for (size_t i = 1; i < MANY; i++)
        assert_true(seen[i] != seen[i - 1]);
}

static void another_key_gives_other_numbers(void **state)
{
    (void)state;
    uint8_t other[16];
    unsigned same = 0;
    memcpy(other, key, sizeof other);
    other[15] ^= 1;
    for (uint64_t i = 0; i < 1000; i++)
        same += cf_receipt_scramble(key, i) == cf_receipt_scramble(other, i);
    assert_int_equal(same, 0);
}

static void numbers_carry_the_check_of_iso_7064(void **state)
{
    (void)state;
    /* The example of the standard for MOD 11,10. */
    assert_int_equal(cf_iso7064_check("0794", 4), '5');
    char out[CF_RECEIPT_LEN + 2];
    for (uint64_t i = 0; i < 1000; i++) {
        assert_true(cf_receipt_make(key, i, out));
        assert_int_equal(strlen(out), CF_RECEIPT_LEN);
        assert_true(cf_receipt_check(cf_str_of(out)));
        assert_int_equal(strtoull(out, NULL, 10) / 10, cf_receipt_scramble(key, i));
        for (size_t at = 0; at < CF_RECEIPT_LEN; at++) {
            char was = out[at];
            for (out[at] = '0'; out[at] <= '9'; out[at]++)
                if (cf_receipt_check(cf_str_of(out)) != (out[at] == was)) fail_msg("%s", out);
            out[at] = was;
        }
    }
}

static void vouchers_and_notices_have_numbers_of_their_own(void **state)
{
    (void)state;
    char receipt[CF_RECEIPT_LEN + 1], voucher[CF_RECEIPT_LEN + 2], notice[CF_RECEIPT_LEN + 2];
    for (uint64_t i = 0; i < 1000; i++) {
        assert_true(cf_receipt_make(key, i, receipt));
        assert_true(cf_receipt_make_prefixed(key, CF_VOUCHER_LETTER, i, voucher));
        assert_true(cf_receipt_make_prefixed(key, CF_NOTICE_LETTER, i, notice));
        assert_string_not_equal(receipt, voucher + 1);
        assert_string_not_equal(voucher + 1, notice + 1);
        assert_true(cf_receipt_check_prefixed(cf_str_of(voucher), 'V'));
        assert_false(cf_receipt_check_prefixed(cf_str_of(voucher), 'N'));
        assert_false(cf_receipt_check(cf_str_of(voucher)));
    }
    assert_false(cf_receipt_make_prefixed(key, 'v', 1, voucher));
    assert_false(cf_receipt_make_prefixed(key, '@', 1, voucher));
}

static void past_the_space_nothing_is_made(void **state)
{
    (void)state;
    char out[CF_RECEIPT_LEN + 2];
    assert_true(cf_receipt_make(key, CF_RECEIPT_SPACE - 1, out));
    assert_false(cf_receipt_make(key, CF_RECEIPT_SPACE, out));
    assert_false(cf_receipt_make_prefixed(key, 'V', UINT64_MAX, out));
}

static void other_texts_are_no_numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "00000000000",
                                      "0000000000000",
                                      "00000000000A",
                                      " 00000000001",
                                      "１000000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(cf_receipt_check(cf_str_of(bad[i])));
        assert_false(cf_receipt_check_prefixed(cf_str_of(bad[i]), 'V'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mapping_has_no_collision_and_goes_back),
        cmocka_unit_test(another_key_gives_other_numbers),
        cmocka_unit_test(numbers_carry_the_check_of_iso_7064),
        cmocka_unit_test(vouchers_and_notices_have_numbers_of_their_own),
        cmocka_unit_test(past_the_space_nothing_is_made),
        cmocka_unit_test(other_texts_are_no_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
