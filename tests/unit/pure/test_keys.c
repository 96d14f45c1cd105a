#include "tests/unit/pure/vectors.h"

#include "common/pure/hash.h"
#include "common/pure/keys.h"

static const uint8_t ref[CF_REF_LEN] = {0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3,
                                        4,    5,    6,    7,    8, 9, 0, 11};

static void keys_are_the_bytes_they_should_be(void **state)
{
    (void)state;
    struct cf_key key = cf_key_holder(ref);
    assert_int_equal(key.len, 16);
    assert_memory_equal(key.b, ref, 16);
    key = cf_key_order(ref);
    assert_memory_equal(key.b, ref, 16);
    assert_true(cf_key_unit(CF_STR("U370200001"), &key));
    assert_true(cf_str_is(cf_key_str(&key), "unit:U370200001"));
    assert_true(cf_key_bank(CF_STR("B01"), &key));
    assert_true(cf_str_is(cf_key_str(&key), "bank:B01"));
    key = cf_key_roster(ref);
    assert_true(cf_str_is(cf_key_str(&key), "roster:deadbeef-0001-0203-0405-06070809000b"));
    assert_int_equal(cf_key_partition(&key, 12), cf_partition_of(key.b, key.len, 12));
}

static void a_key_that_does_not_fit_is_refused_and_empty(void **state)
{
    (void)state;
    char text[64];
    memset(text, 'a', sizeof text);
    struct cf_key key;
    assert_true(cf_key_unit((struct cf_str){text, 58}, &key));
    assert_int_equal(key.len, 63);
    assert_false(cf_key_unit((struct cf_str){text, 59}, &key));
    assert_int_equal(key.len, 0);
    assert_false(cf_key_bank(CF_STR(""), &key));
    assert_true(cf_key_bytes(text, 63, &key));
    assert_false(cf_key_bytes(text, 64, &key));
    assert_int_equal(key.len, 0);
    assert_false(cf_key_bytes(text, 0, &key));
}

static void keys_compare_by_bytes_and_length(void **state)
{
    (void)state;
    struct cf_key a, b, zero;
    assert_true(cf_key_bytes("ab", 2, &a));
    assert_true(cf_key_bytes("abc", 3, &b));
    assert_true(cf_key_bytes("ab\0", 3, &zero));
    assert_true(cf_key_cmp(&a, &b) < 0 && cf_key_cmp(&b, &a) > 0 && cf_key_cmp(&a, &a) == 0);
    assert_false(cf_key_eq(&a, &zero));
    assert_true(cf_key_eq(&a, &a));
    assert_true(cf_key_cmp(&a, &zero) < 0);
    assert_true(cf_key_bytes("b", 1, &b));
    assert_true(cf_key_cmp(&a, &b) < 0 && cf_key_cmp(&b, &a) > 0);
    assert_int_not_equal(cf_key_hash(&a), cf_key_hash(&zero));
    /* Unused bytes are zero whatever the key held before. */
    assert_true(cf_key_bytes("xyz0123456789", 13, &b));
    assert_true(cf_key_bytes("ab", 2, &b));
    assert_memory_equal(&a, &b, sizeof a);
}

static void a_holder_is_type_and_number(void **state)
{
    (void)state;
    uint8_t a[CF_REF_INPUT_MAX], b[CF_REF_INPUT_MAX];
    struct cf_str number = CF_STR("370202199003070011");
    size_t n = cf_ref_input(CF_DOC_RESIDENT_ID, number, a);
    assert_int_equal(n, 11 + 1 + 18);
    assert_memory_equal(a,
                        "resident_id\0"
                        "370202199003070011",
                        n);
    /* The household book shows the same person. */
    assert_int_equal(cf_ref_input(CF_DOC_HOUSEHOLD_BOOK, number, b), n);
    assert_memory_equal(a, b, n);
    /* A passport and a permit with the same characters are two. */
    n = cf_ref_input(CF_DOC_PASSPORT, CF_STR("MA0123456"), a);
    size_t m = cf_ref_input(CF_DOC_HOME_RETURN_PERMIT, CF_STR("MA0123456"), b);
    assert_true(n > 0 && m > 0 && (n != m || memcmp(a, b, n) != 0));
    assert_int_equal(cf_ref_input(CF_DOC_NONE, number, a), 0);
    assert_int_equal(cf_ref_input(CF_DOC_PASSPORT, CF_STR(""), a), 0);
    char text[CF_IDNUM_MAX + 1];
    memset(text, '1', sizeof text);
    for (unsigned type = 1; type < CF_DOC_COUNT; type++) {
        enum cf_doc_type t = (enum cf_doc_type)type;
        assert_true(cf_ref_input(t, (struct cf_str){text, CF_IDNUM_MAX}, a) <= CF_REF_INPUT_MAX);
        assert_int_equal(cf_ref_input(t, (struct cf_str){text, sizeof text}, a), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_the_bytes_they_should_be),
        cmocka_unit_test(a_key_that_does_not_fit_is_refused_and_empty),
        cmocka_unit_test(keys_compare_by_bytes_and_length),
        cmocka_unit_test(a_holder_is_type_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
