#include "tests/unit/pure/vectors.h"

#include <inttypes.h>

#include "common/pure/hash.h"

/* The values of the Java client's own test of its murmur2. */
static void murmur2_is_that_of_the_java_client(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int32_t want;
    } rows[] = {
        {"21",                                               -973932308 },
        {"foobar",                                           -790332482 },
        {"a-little-bit-long-string",                         -985981536 },
        {"a-little-bit-longer-string",                       -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971  },
        {"abc",                                              479470107  },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t got = cf_murmur2(rows[i].key, strlen(rows[i].key));
        if (got != (uint32_t)rows[i].want) fail_msg("%s: %" PRIu32, rows[i].key, got);
        uint32_t positive = (uint32_t)(rows[i].want & 0x7fffffff);
        assert_int_equal(cf_partition_of(rows[i].key, strlen(rows[i].key), 12), positive % 12);
    }
}

static void bytes_above_127_are_not_signed(void **state)
{
    (void)state;
    /* Worked out by hand from the definition with one byte: (seed ^ 1 ^ 0xff) * m, mixed. */
    uint32_t h = (0x9747b28c ^ 1u ^ 0xffu) * 0x5bd1e995u;
    h = (h ^ h >> 13) * 0x5bd1e995u;
    assert_int_equal(cf_murmur2("\xff", 1), h ^ h >> 15);
}

/* From the reference implementation. */
static void hash64_is_xxh64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t want, seeded;
    } rows[] = {
        {"",                                        UINT64_C(0xef46db3751d8e999), UINT64_C(0xb23ab944b459f04a)},
        {"a",                                       UINT64_C(0xd24ec4f1a98c6e5b), UINT64_C(0x9552a7e887a1845e)},
        {"abc",                                     UINT64_C(0x44bc2cf5ad770999), UINT64_C(0xf5849d977f2f0774)},
        {"1234567",                                 UINT64_C(0xd3a46e9108289359), UINT64_C(0xf735aeff042a0443)},
        {"12345678",                                UINT64_C(0xd2d02f08cf7cfd4a), UINT64_C(0x130c56a21db93e01)},
        {"123456789012",                            UINT64_C(0xb5cee4c943d43c7e), UINT64_C(0x924a5f0670b7b533)},
        {"Nobody inspects the spammish repetition", UINT64_C(0xfbcea83c8a378bf1),
         UINT64_C(0x57b58fe0e9a1afef)                                                                         },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = strlen(rows[i].text);
        if (cf_hash64(rows[i].text, n) != rows[i].want) fail_msg("%s", rows[i].text);
        if (cf_hash64_seed(rows[i].text, n, 3702026) != rows[i].seeded)
            fail_msg("%s with seed", rows[i].text);
    }
    uint8_t bytes[100];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_true(cf_hash64(bytes, sizeof bytes) == UINT64_C(0x6ac1e58032166597));
}

/* The vectors of the SipHash paper's reference: key 00..0f, input 00 01 02 ... */
static void siphash_is_siphash_2_4(void **state)
{
    (void)state;
    static const uint64_t want[] = {
        UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a),
        UINT64_C(0x85676696d7fb7e2d), UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
        UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137), UINT64_C(0x93f5f5799a932462),
    };
    uint8_t key[16];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    for (size_t n = 0; n < sizeof want / sizeof *want; n++)
        if (cf_siphash(key, key, n) != want[n]) fail_msg("%zu bytes", n);
    /* 15 bytes: the example of the paper. */
    assert_true(cf_siphash(key, key, 15) == UINT64_C(0xa129ca6149be45e5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(murmur2_is_that_of_the_java_client),
        cmocka_unit_test(bytes_above_127_are_not_signed),
        cmocka_unit_test(hash64_is_xxh64),
        cmocka_unit_test(siphash_is_siphash_2_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
