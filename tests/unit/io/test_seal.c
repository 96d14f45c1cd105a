#include "common/io/seal.h"

#include "cardflow/v1/common.pb-c.h"
#include "common/io/ids.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t reference[32] = {1, 2, 3}, key_a[32] = {10}, key_b[32] = {20};
static const struct cf_str owner = {"0123456789abcdef", 16};

struct fixture {
    struct cf_seal_ring *ring;
    struct cf_arena *arena;
};

static int set_up(void **state)
{
    struct fixture *f = cf_calloc(1, sizeof *f);
    f->ring = cf_seal_ring_new(reference);
    f->arena = cf_arena_new(16u << 20);
    *state = f;
    return cf_seal_ring_add(f->ring, 300, key_a) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    cf_seal_ring_free(f->ring);
    cf_arena_free(f->arena);
    free(f);
    return 0;
}

static struct cf_str sealed(struct fixture *f, struct cf_str plain, uint8_t field)
{
    struct cf_str packed;
    assert_int_equal(cf_seal(f->ring, plain, owner, field, f->arena, &packed), 0);
    return packed;
}

static int open_it(struct fixture *f, struct cf_str packed, struct cf_str whose, uint8_t field,
                   struct cf_str *plain)
{
    return cf_unseal(f->ring, packed, whose, field, f->arena, plain);
}

static void what_is_sealed_opens_to_the_same_bytes(void **state)
{
    struct fixture *f = *state;
    static const size_t lengths[] = {0, 1, 15, 16, 17, 127, 128, 300, 16383, 16384, 20480, 70000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t *bytes = cf_arena_alloc(f->arena, lengths[i] + 1);
        for (size_t j = 0; j < lengths[i]; j++)
            bytes[j] = (uint8_t)(j * 7 + i);
        struct cf_str plain = {(const char *)bytes, lengths[i]}, got;
        struct cf_str packed = sealed(f, plain, 1);
        assert_true(packed.len <= plain.len + CF_SEAL_OVERHEAD);
        assert_int_equal(open_it(f, packed, owner, 1, &got), 0);
        if (!cf_str_eq(plain, got)) fail_msg("%zu bytes came back otherwise", lengths[i]);
        if (lengths[i] >= 15) assert_null(memmem(packed.ptr, packed.len, plain.ptr, plain.len));
    }
}

static void the_same_value_never_looks_the_same_twice(void **state)
{
    struct fixture *f = *state;
    struct cf_str a = sealed(f, CF_STR("a synthetic value"), 1);
    struct cf_str b = sealed(f, CF_STR("a synthetic value"), 1);
    assert_int_equal(a.len, b.len);
    assert_memory_not_equal(a.ptr, b.ptr, a.len);
}

static void a_value_opens_only_for_its_owner_and_field(void **state)
{
    struct fixture *f = *state;
    struct cf_str packed = sealed(f, CF_STR("a synthetic value"), 1), got;
    static const struct {
        const char *why;
        struct cf_str owner;
        uint8_t field;
        int want;
    } rows[] = {
        {"owner and field", {"0123456789abcdef", 16}, 1, 0          },
        {"other field",     {"0123456789abcdef", 16}, 2, CF_E_DECODE},
        {"other owner",     {"0123456789abcdeF", 16}, 1, CF_E_DECODE},
        {"shorter owner",   {"0123456789abcde", 15},  1, CF_E_DECODE},
        {"no owner",        {NULL, 0},                1, CF_E_DECODE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int e = open_it(f, packed, rows[i].owner, rows[i].field, &got);
        if (e != rows[i].want) fail_msg("%s: %d", rows[i].why, e);
        if (e) assert_null(got.ptr);
    }
}

static void each_changed_bit_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct cf_str packed = sealed(f, CF_STR("a synthetic value"), 1), got;
    for (size_t i = 0; i < packed.len * 8; i++) {
        char *bytes = cf_arena_dup(f->arena, packed.ptr, packed.len);
        bytes[i / 8] = (char)(bytes[i / 8] ^ (1 << i % 8));
        struct cf_str changed = {bytes, packed.len};
        if (open_it(f, changed, owner, 1, &got) == 0) fail_msg("bit %zu of byte %zu", i % 8, i / 8);
    }
}

static void each_cut_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct cf_str packed = sealed(f, CF_STR("a synthetic value"), 1), got;
    for (size_t n = 0; n < packed.len; n++) {
        /* A copy of that very size, so that a sanitizer sees each byte read past its end. */
        char *bytes = cf_malloc(n + !n);
        memcpy(bytes, packed.ptr, n);
        int e = open_it(f, (struct cf_str){bytes, n}, owner, 1, &got);
        free(bytes);
        assert_int_equal(e, CF_E_DECODE);
    }
}

static void malformed_messages_are_refused(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *why;
        struct cf_str bytes;
    } rows[] = {
        {"a group",                  CF_STR("\x0b\x0c")                                        },
        {"field number 0",           CF_STR("\x00\x01")                                        },
        {"wire type 7",              CF_STR("\x0f")                                            },
        {"a varint without end",     CF_STR("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
        {"a varint above 64 bits",   CF_STR("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02")    },
        {"a tag above 32 bits",      CF_STR("\x8a\x80\x80\x80\x80\x01\x01")                    },
        {"a length past the end",    CF_STR("\x1a\x7f"
                                         "abc")               },
        {"a length that would wrap", CF_STR("\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")    },
        {"a fixed number cut short", CF_STR("\x29\x01\x02")                                    },
        {"text",                     CF_STR("not a message at all")                            },
    };
    struct cf_sealed s;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (cf_sealed_decode(rows[i].bytes, &s) != CF_E_DECODE) fail_msg("%s", rows[i].why);
    assert_int_equal(open_it(f, (struct cf_str){NULL, 0}, owner, 1, &s.tag), CF_E_DECODE);
}

static void the_packed_form_is_that_of_the_contract(void **state)
{
    struct fixture *f = *state;
    static const size_t lengths[] = {0, 1, 127, 128, 300, 20000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct cf_str plain = {cf_arena_zero(f->arena, lengths[i] + 1), lengths[i]};
        struct cf_str packed = sealed(f, plain, 1);
        Cardflow__V1__Sealed *m =
            cardflow__v1__sealed__unpack(NULL, packed.len, (const uint8_t *)packed.ptr);
        assert_non_null(m);
        assert_int_equal(m->key_id, 300);
        assert_int_equal(m->nonce.len, 12);
        assert_int_equal(m->tag.len, 16);
        assert_int_equal(m->ciphertext.len, lengths[i]);
        assert_int_equal(m->base.n_unknown_fields, 0);
        /* Byte for byte what the generated code packs. */
        uint8_t *again = cf_malloc(packed.len + 64);
        assert_int_equal(cardflow__v1__sealed__pack(m, again), packed.len);
        assert_memory_equal(again, packed.ptr, packed.len);
        free(again);
        cardflow__v1__sealed__free_unpacked(m, NULL);
    }
}

/* Another writer may order fields otherwise, repeat them, or know more of them. */
static void other_writers_of_the_contract_are_understood(void **state)
{
    struct fixture *f = *state;
    struct cf_str packed = sealed(f, CF_STR("a synthetic value"), 1), got;
    struct cf_sealed s;
    struct cf_buf b;
    cf_buf_init(&b, 4096);
    assert_int_equal(cf_sealed_decode(packed, &s), 0);
    cf_buf_add(&b, "\x22\x01x", 3);                            /* a tag that is overwritten */
    cf_buf_add(&b, "\x48\x96\x01", 3);                         /* unknown number 9 */
    cf_buf_add(&b, "\x51\x01\x02\x03\x04\x05\x06\x07\x08", 9); /* unknown fixed64 */
    cf_buf_add(&b, "\x5d\x01\x02\x03\x04", 5);                 /* unknown fixed32 */
    cf_buf_add(&b,
               "\x62\x03"
               "abc",
               5); /* unknown bytes */
    cf_buf_add(&b, "\x22\x10", 2);
    cf_buf_adds(&b, s.tag);
    cf_buf_add(&b, "\x1a\x11", 2);
    cf_buf_adds(&b, s.ciphertext);
    cf_buf_add(&b, "\x12\x8c\x00", 3); /* a length written longer than it need be */
    cf_buf_adds(&b, s.nonce);
    cf_buf_add(&b, "\x08\xac\x02", 3);
    assert_int_equal(s.ciphertext.len, 17);
    assert_int_equal(open_it(f, cf_buf_str(&b), owner, 1, &got), 0);
    assert_true(cf_str_is(got, "a synthetic value"));
    cf_buf_free(&b);
}

static void a_value_of_an_older_key_opens_after_rotation(void **state)
{
    struct fixture *f = *state;
    struct cf_str old = sealed(f, CF_STR("old"), 1), got;
    assert_true(cf_seal_ring_add(f->ring, 301, key_b));
    assert_false(cf_seal_ring_add(f->ring, 301, key_a));
    assert_false(cf_seal_ring_add(f->ring, 0, key_a));
    struct cf_str new = sealed(f, CF_STR("new"), 1);
    struct cf_sealed s;
    assert_int_equal(cf_sealed_decode(new, &s), 0);
    assert_int_equal(s.key_id, 301);
    assert_int_equal(open_it(f, old, owner, 1, &got), 0);
    assert_true(cf_str_is(got, "old"));
    assert_int_equal(open_it(f, new, owner, 1, &got), 0);
    assert_true(cf_str_is(got, "new"));
    struct cf_seal_ring *other = cf_seal_ring_new(reference);
    assert_true(cf_seal_ring_add(other, 300, key_a));
    assert_int_equal(cf_unseal(other, new, owner, 1, f->arena, &got), CF_E_DECODE);
    cf_seal_ring_free(other);
}

static void what_does_not_fit_is_refused_and_not_cut(void **state)
{
    struct fixture *f = *state;
    struct cf_arena *small = cf_arena_new(200);
    struct cf_str plain = {cf_arena_zero(f->arena, 300), 300}, packed = sealed(f, plain, 1), got;
    assert_int_equal(cf_seal(f->ring, plain, owner, 1, small, &got), CF_E_TOO_LARGE);
    assert_int_equal(cf_unseal(f->ring, packed, owner, 1, small, &got), CF_E_TOO_LARGE);
    plain.len = CF_SEAL_MAX + 1; /* refused before it is read */
    assert_int_equal(cf_seal(f->ring, plain, owner, 1, f->arena, &got), CF_E_TOO_LARGE);
    cf_arena_free(small);
}

static void *seal_and_open(void *arg)
{
    const struct cf_seal_ring *ring = arg;
    struct cf_arena *a = cf_arena_new(1u << 20);
    uintptr_t good = 0;
    for (int i = 0; i < 2000; i++) {
        struct cf_str packed, got, plain = cf_arena_printf(a, "value %d", i);
        if (!cf_seal(ring, plain, owner, 3, a, &packed) &&
            !cf_unseal(ring, packed, owner, 3, a, &got) && cf_str_eq(plain, got))
            good++;
        cf_arena_reset(a);
    }
    cf_arena_free(a);
    return (void *)good;
}

static void threads_share_a_ring(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, seal_and_open, f->ring), 0);
    for (size_t i = 0; i < 3; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_int_equal((uintptr_t)good, 2000);
    }
}

/* ---- keyed hashes -------------------------------------------------------------------------- */

static void a_holder_reference_is_the_documented_function(void **state)
{
    struct fixture *f = *state;
    uint8_t got[16], household[16], want[32];
    struct cf_mac *m = cf_mac_new(reference, sizeof reference);
    const struct cf_str input = {"resident_id\0"
                                 "37021320000101001X",
                                 30};
    cf_mac_parts(m, &input, 1, want);
    cf_mac_free(m);
    assert_true(cf_holder_ref(f->ring, CF_DOC_RESIDENT_ID, CF_STR("37021320000101001X"), got));
    assert_memory_equal(got, want, 16);
    assert_true(
        cf_holder_ref(f->ring, CF_DOC_HOUSEHOLD_BOOK, CF_STR("37021320000101001X"), household));
    assert_memory_equal(got, household, 16);
    assert_true(cf_holder_ref(f->ring, CF_DOC_PASSPORT, CF_STR("37021320000101001X"), household));
    assert_memory_not_equal(got, household, 16);
    assert_false(cf_holder_ref(f->ring, CF_DOC_RESIDENT_ID, CF_STR(""), got));
    assert_false(cf_holder_ref(f->ring, CF_DOC_NONE, CF_STR("37021320000101001X"), got));
}

static void hashes_for_different_uses_of_one_text_differ(void **state)
{
    struct fixture *f = *state;
    uint8_t out[6][32] = {{0}};
    const struct cf_str text = CF_STR("synthetic"), parts[] = {CF_STR("syn"), CF_STR("thetic")};
    cf_name_hash(f->ring, text, out[0]);
    cf_content_ref(f->ring, text, out[1]);
    cf_keyed_hash(f->ring, CF_STR("request.body"), &text, 1, out[2]);
    cf_keyed_hash(f->ring, CF_STR("request.body"), parts, 2, out[3]);
    cf_keyed_hash(f->ring, CF_STR("request.key"), &text, 1, out[4]);
    assert_true(cf_holder_ref(f->ring, CF_DOC_PASSPORT, text, out[5]));
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(out[i], out[j], 16);
    struct cf_seal_ring *other = cf_seal_ring_new(key_a);
    uint8_t again[16];
    cf_name_hash(f->ring, text, again);
    assert_memory_equal(again, out[0], 16);
    cf_name_hash(other, text, again);
    assert_memory_not_equal(again, out[0], 16);
    cf_seal_ring_free(other);
}

/* ---- files --------------------------------------------------------------------------------- */

#define HEX16 "00112233445566778899aabbccddeeff"
#define KEY HEX16 HEX16

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void key_files_are_read_or_refused_with_the_rule(void **state)
{
    (void)state;
    char dir[] = "/tmp/cf-seal-XXXXXX", reference_file[64], sealing_file[64];
    assert_non_null(mkdtemp(dir));
    snprintf(reference_file, sizeof reference_file, "%s/reference", dir);
    snprintf(sealing_file, sizeof sealing_file, "%s/sealing.json", dir);
    /* clang-format off */
    static const struct {
        const char *why, *reference, *sealing;
        uint32_t active; /* 0: refused */
        const char *rule;
    } rows[] = {
        {"good", KEY "\n", "{\"active\": 2, \"keys\": {\"1\": \"" KEY "\", \"2\": \"" KEY "\"}}\n",
         2, ""},
        {"first is active", KEY, "{\"active\":1,\"keys\":{\"1\":\"" KEY "\",\"2\":\"" KEY "\"}}",
         1, ""},
        {"keys first, id in quotes", KEY, "{\"keys\":{\"7\":\"" KEY "\"},\"active\":\"7\"}", 7, ""},
        {"short reference", HEX16, "{}", 0, "is not 64 hexadecimal digits"},
        {"long reference", KEY "00", "{}", 0, "is not 64 hexadecimal digits"},
        {"reference is no hex", KEY "", "[]", 0, "is not a JSON object"},
        {"empty", KEY, "", 0, "is not a JSON object"},
        {"active unknown", KEY, "{\"active\":3,\"keys\":{\"1\":\"" KEY "\"}}", 0, "not among"},
        {"no keys", KEY, "{\"active\":1}", 0, "needs"},
        {"no active", KEY, "{\"keys\":{\"1\":\"" KEY "\"}}", 0, "needs"},
        {"id 0", KEY, "{\"active\":0,\"keys\":{\"0\":\"" KEY "\"}}", 0, "id"},
        {"id above 32 bits", KEY, "{\"active\":1,\"keys\":{\"4294967296\":\"" KEY "\"}}", 0, "id"},
        {"same id twice", KEY,
         "{\"active\":1,\"keys\":{\"1\":\"" KEY "\",\"1\":\"" KEY "\"}}", 0, "twice"},
        {"short key", KEY, "{\"active\":1,\"keys\":{\"1\":\"" HEX16 "\"}}", 0, "64 hexadecimal"},
        {"unknown member", KEY, "{\"activ\":1}", 0, "may hold"},
        {"text behind", KEY, "{\"active\":1,\"keys\":{\"1\":\"" KEY "\"}} x", 0, "after its end"},
        {"cut", KEY, "{\"active\":1,\"keys\":{\"1\":\"" KEY "\"", 0, "does not end"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cf_seal_ring *ring = NULL;
        char why[CF_SEAL_WHY];
        write_file(reference_file, rows[i].reference);
        write_file(sealing_file, rows[i].sealing);
        int e = cf_seal_ring_load(reference_file, sealing_file, &ring, why);
        if ((e == 0) != (rows[i].active != 0) || (e && e != CF_E_CONFIG) || (e && ring))
            fail_msg("%s: error %d, %s", rows[i].why, e, why);
        if (!strstr(why, rows[i].rule)) fail_msg("%s: %s", rows[i].why, why);
        if (strstr(why, HEX16)) fail_msg("%s: a key is in the message", rows[i].why);
        if (e) continue;
        struct cf_arena *a = cf_arena_new(4096);
        struct cf_str packed;
        struct cf_sealed s;
        assert_int_equal(cf_seal(ring, CF_STR("x"), owner, 1, a, &packed), 0);
        assert_int_equal(cf_sealed_decode(packed, &s), 0);
        assert_int_equal(s.key_id, rows[i].active);
        cf_arena_free(a);
        cf_seal_ring_free(ring);
    }
    struct cf_seal_ring *ring = NULL;
    char why[CF_SEAL_WHY];
    unlink(sealing_file);
    assert_int_equal(cf_seal_ring_load(reference_file, sealing_file, &ring, why), CF_E_CONFIG);
    assert_non_null(strstr(why, "sealing.json: No such file"));
    unlink(reference_file);
    rmdir(dir);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_is_sealed_opens_to_the_same_bytes),
        T(the_same_value_never_looks_the_same_twice),
        T(a_value_opens_only_for_its_owner_and_field),
        T(each_changed_bit_is_noticed),
        T(each_cut_is_noticed),
        T(malformed_messages_are_refused),
        T(the_packed_form_is_that_of_the_contract),
        T(other_writers_of_the_contract_are_understood),
        T(a_value_of_an_older_key_opens_after_rotation),
        T(what_does_not_fit_is_refused_and_not_cut),
        T(threads_share_a_ring),
        T(a_holder_reference_is_the_documented_function),
        T(hashes_for_different_uses_of_one_text_differ),
        T(key_files_are_read_or_refused_with_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
