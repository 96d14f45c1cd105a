#include "tests/unit/pure/vectors.h"

#include "common/pure/cardnum.h"

enum { NUMBER, VALID, REASON, NORMALIZED, CARD_WIDTH };

static void every_number_is_judged_as_it_stands(void **state)
{
    (void)state;
    struct vectors v = vectors_open("card_number_vectors.csv", CARD_WIDTH);
    while (vectors_next(&v, CARD_WIDTH)) {
        const char *got = cf_cardnum_reason_name(cf_cardnum_check(v.f[NUMBER]));
        CHECK(&v, cf_str_is(v.f[REASON], got), "got %s", got);
        CHECK(&v, cf_cardnum_valid(v.f[NUMBER]) == cf_str_is(v.f[VALID], "1"), "validity");
    }
    vectors_close(&v, 60);
    for (const char *c = "/:@[`{~\x80"; *c; c++) {
        char number[] = "B00000019";
        number[4] = *c;
        assert_int_equal(cf_cardnum_check(cf_str_of(number)), CF_CARDNUM_BAD_CHARACTER);
    }
    assert_string_equal(cf_cardnum_reason_name(CF_CARDNUM_REASON_COUNT), "");
}

static void every_number_is_normalised_and_then_judged(void **state)
{
    (void)state;
    struct vectors v = vectors_open("card_number_vectors.csv", CARD_WIDTH);
    while (vectors_next(&v, CARD_WIDTH)) {
        char out[CF_CARDNUM_MAX];
        unsigned warnings = 0;
        struct cf_str n = {out, cf_cardnum_normalise(v.f[NUMBER], out, &warnings)};
        CHECK(&v, cf_cardnum_valid(n) == (v.f[NORMALIZED].len > 0), "%s", out);
        if (v.f[NORMALIZED].len) CHECK(&v, cf_str_eq(n, v.f[NORMALIZED]), "%s", out);
        CHECK(&v, cf_str_eq(n, v.f[NUMBER]) == (warnings == 0), "warnings %x", warnings);
    }
    vectors_close(&v, 60);
}

static void what_is_made_is_valid_and_comes_from_its_serial(void **state)
{
    (void)state;
    char out[CF_CARDNUM_LEN + 1];
    for (uint32_t serial = 0; serial < CF_CARDNUM_SERIALS; serial += 997) {
        for (char area = 'A'; area <= 'Z'; area++) {
            assert_true(cf_cardnum_make(area, serial, out));
            if (cf_cardnum_check(cf_str_of(out)) != CF_CARDNUM_OK) fail_msg("%s", out);
            assert_int_equal(out[0], area);
            assert_int_equal(
                strtoul((char[8]){out[1], out[2], out[3], out[4], out[5], out[6], out[7], 0}, NULL,
                        10),
                serial);
        }
    }
    assert_true(cf_cardnum_make('B', 1, out));
    assert_string_equal(out, "B00000019");
    assert_false(cf_cardnum_make('B', CF_CARDNUM_SERIALS, out));
    assert_false(cf_cardnum_make('b', 1, out));
    assert_false(cf_cardnum_make('1', 1, out));
}

/* MOD 11 with weights that 11 does not divide finds each wrong digit. Of letters it finds those
 * whose value differs by something else than 11 (A = 10 and L = 21 are the same to it). */
static void one_wrong_digit_is_always_found(void **state)
{
    (void)state;
    struct vectors v = vectors_open("card_number_vectors.csv", CARD_WIDTH);
    unsigned tried = 0;
    while (vectors_next(&v, CARD_WIDTH)) {
        if (!cf_str_is(v.f[VALID], "1")) continue;
        for (size_t at = 1; at < CF_CARDNUM_LEN; at++) {
            for (const char *c = "0123456789X"; *c; c++) {
                char other[CF_CARDNUM_LEN];
                memcpy(other, v.f[NUMBER].ptr, sizeof other);
                bool letter = other[at] > '9' || *c > '9';
                if (other[at] == *c || (at < 8 && letter)) continue;
                other[at] = *c;
                CHECK(&v, !cf_cardnum_valid((struct cf_str){other, sizeof other}), "%.9s", other);
                tried++;
            }
        }
    }
    assert_true(tried > 2000);
    vectors_close(&v, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_is_judged_as_it_stands),
        cmocka_unit_test(every_number_is_normalised_and_then_judged),
        cmocka_unit_test(what_is_made_is_valid_and_comes_from_its_serial),
        cmocka_unit_test(one_wrong_digit_is_always_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
