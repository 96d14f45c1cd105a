#include "common/io/ids.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_hex(const char *why, const void *bytes, size_t n, const char *want)
{
    char got[129];
    cf_hex(bytes, n, got);
    if (strcmp(got, want)) fail_msg("%s: %s, want %s", why, got, want);
}

static void sha256_gives_the_published_vectors(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *why, *input, *want;
    } rows[] = {
        {"FIPS 180-4 abc", "abc",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"FIPS 180-4 two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[32];
        cf_sha256(cf_str_of(rows[i].input), out);
        assert_hex(rows[i].why, out, 32, rows[i].want);
    }
    const struct cf_str parts[] = {CF_STR("a"), CF_STR(""), CF_STR("bc")};
    uint8_t out[32];
    cf_sha256_parts(parts, 3, out);
    assert_hex("abc in parts", out, 32, rows[0].want);
}

static void hmac_gives_the_vectors_of_rfc_4231(void **state)
{
    (void)state;
    uint8_t key[131];
    /* clang-format off */
    static const struct {
        const char *why;
        size_t key_len;
        int fill; /* -1: the text Jefe */
        const char *input, *want;
    } rows[] = {
        {"case 1", 20, 0x0b, "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"case 2", 4, -1, "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"case 6, a key longer than a block", 131, 0xaa,
         "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memset(key, rows[i].fill, sizeof key);
        if (rows[i].fill < 0) memcpy(key, "Jefe", 4);
        struct cf_mac *m = cf_mac_new(key, rows[i].key_len);
        struct cf_str whole = cf_str_of(rows[i].input);
        const struct cf_str parts[] = {
            {whole.ptr,     3            },
            {whole.ptr + 3, whole.len - 3}
        };
        uint8_t out[32];
        for (int again = 0; again < 2; again++) {
            cf_mac_parts(m, parts, 2, out);
            assert_hex(rows[i].why, out, 32, rows[i].want);
        }
        cf_mac_free(m);
    }
}

static void a_uuid8_tells_parts_apart_that_join_to_the_same_text(void **state)
{
    (void)state;
    uint8_t a[16], b[16], c[16], again[16];
    cf_uuid8_of(a, CF_STR("ab"), CF_STR("c"));
    cf_uuid8_of(b, CF_STR("a"), CF_STR("bc"));
    cf_uuid8_of(c, CF_STR("ab"), CF_STR("c"), CF_STR(""));
    cf_uuid8_of(again, CF_STR("ab"), CF_STR("c"));
    assert_memory_not_equal(a, b, 16);
    assert_memory_not_equal(a, c, 16);
    assert_memory_equal(a, again, 16);
    assert_int_equal(a[6] >> 4, 8);
    assert_int_equal(a[8] >> 6, 2);
}

/* Part of the contract, since other programs derive the same ids: SHA-256 over 8-byte length and
 * bytes of each part, cut to 16 bytes, version and variant set. */
static void a_uuid8_is_the_documented_function(void **state)
{
    (void)state;
    uint8_t id[16], hash[32];
    static const char plain[] = "\0\0\0\0\0\0\0\2ab\0\0\0\0\0\0\0\1c";
    cf_uuid8_of(id, CF_STR("ab"), CF_STR("c"));
    cf_sha256((struct cf_str){plain, sizeof plain - 1}, hash);
    hash[6] = (uint8_t)((hash[6] & 15) | 0x80);
    hash[8] = (uint8_t)((hash[8] & 63) | 0x80);
    assert_memory_equal(id, hash, 16);
}

static void an_event_id_changes_with_each_of_its_parts(void **state)
{
    (void)state;
    uint8_t ids[6][16];
    cf_event_id(ids[0], CF_STR("card.events"), 3, 70000, 1);
    cf_event_id(ids[1], CF_STR("card.event"), 3, 70000, 1);
    cf_event_id(ids[2], CF_STR("card.events"), 4, 70000, 1);
    cf_event_id(ids[3], CF_STR("card.events"), 3, 70001, 1);
    cf_event_id(ids[4], CF_STR("card.events"), 3, 70000, 2);
    cf_event_id(ids[5], CF_STR("card.events"), 3, 70000 + (1LL << 32), 1);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(ids[i], ids[j], 16);
    uint8_t again[16];
    cf_event_id(again, CF_STR("card.events"), 3, 70000, 1);
    assert_memory_equal(ids[0], again, 16);
}

enum { MANY = 20000 };

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

static void *fill(void *out)
{
    for (size_t i = 0; i < MANY; i++)
        cf_uuid4((uint8_t *)out + 16 * i);
    return NULL;
}

static void random_ids_of_several_threads_never_meet(void **state)
{
    (void)state;
    uint8_t *ids = cf_malloc(3 * MANY * 16);
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fill, ids + (i + 1) * MANY * 16), 0);
    fill(ids);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 3 * MANY; i++) {
        assert_int_equal(ids[16 * i + 6] >> 4, 4);
        assert_int_equal(ids[16 * i + 8] >> 6, 2);
    }
    qsort(ids, 3 * MANY, 16, compare);
    for (size_t i = 1; i < 3 * MANY; i++)
        assert_memory_not_equal(ids + 16 * i, ids + 16 * (i - 1), 16);
    free(ids);
}

static void a_forked_child_does_not_repeat_the_random_bytes_of_its_parent(void **state)
{
    (void)state;
    uint8_t mine[32], its[32], large[4000] = {0};
    int fds[2];
    cf_random(mine, 1); /* the pool is filled before the fork */
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        cf_random(its, sizeof its);
        _exit(write(fds[1], its, sizeof its) == sizeof its ? 0 : 1);
    }
    cf_random(mine, sizeof mine);
    assert_int_equal(read(fds[0], its, sizeof its), sizeof its);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(fds[0]);
    close(fds[1]);
    assert_memory_not_equal(mine, its, sizeof mine);
    cf_random(large, sizeof large);
    assert_memory_not_equal(large, (uint8_t[32]){0}, 32);
    assert_memory_not_equal(large + sizeof large - 32, (uint8_t[32]){0}, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_vectors),
        cmocka_unit_test(hmac_gives_the_vectors_of_rfc_4231),
        cmocka_unit_test(a_uuid8_tells_parts_apart_that_join_to_the_same_text),
        cmocka_unit_test(a_uuid8_is_the_documented_function),
        cmocka_unit_test(an_event_id_changes_with_each_of_its_parts),
        cmocka_unit_test(random_ids_of_several_threads_never_meet),
        cmocka_unit_test(a_forked_child_does_not_repeat_the_random_bytes_of_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
