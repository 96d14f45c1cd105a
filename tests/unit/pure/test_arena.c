#include "tests/unit/pure/vectors.h"

#include "common/pure/arena.h"
#include "tests/unit/dies.h"

#define CHUNK (256u << 10)

static void values_lie_apart_and_aligned(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(4 * CHUNK);
    char *last = NULL;
    for (size_t n = 1; n < 2000; n += 7) {
        char *p = cf_arena_zero(a, n);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 'x', n);
        if (last) assert_int_equal(*last, 'x');
        last = p;
    }
    struct cf_str copy = cf_arena_str(a, CF_STR("text"));
    assert_string_equal(copy.ptr, "text");
    assert_string_equal(cf_arena_dup(a, NULL, 0), "");
    assert_true(cf_str_is(cf_arena_printf(a, "%d of %s", 3, "four"), "3 of four"));
    cf_arena_free(a);
    cf_arena_free(NULL);
}

/* Of the maximum, and not by a byte more; the whole is there again after a reset. */
static void the_maximum_holds(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(1024);
    for (int round = 0; round < 2; round++) {
        assert_null(cf_arena_try(a, 1025));
        assert_non_null(cf_arena_try(a, 1000));
        assert_null(cf_arena_try(a, 17));
        assert_non_null(cf_arena_try(a, 16));
        assert_null(cf_arena_try(a, SIZE_MAX));
        assert_int_equal(cf_arena_used(a), 1024);
        cf_arena_reset(a);
        assert_int_equal(cf_arena_used(a), 0);
    }
    cf_arena_free(a);
}

static void fill_over(void)
{
    struct cf_arena *a = cf_arena_new(64);
    cf_arena_alloc(a, 65);
}

static void a_full_arena_ends_the_process(void **state)
{
    (void)state;
    assert_true(dies(fill_over, "arena of 64 bytes is full"));
}

/* Chunks that were kept come again; a large one, and what is above the limit, does not. */
static void memory_is_kept_up_to_a_limit(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(16 * CHUNK);
    for (int round = 0; round < 3; round++) {
        cf_arena_keep(a, (size_t)(2 - round) * CHUNK);
        memset(cf_arena_alloc(a, CHUNK), 1, CHUNK);
        memset(cf_arena_alloc(a, CHUNK), 2, CHUNK);
        memset(cf_arena_alloc(a, CHUNK), 3, CHUNK);
        memset(cf_arena_alloc(a, 2 * CHUNK), 4, 2 * CHUNK);
        cf_arena_reset(a);
    }
    cf_arena_keep(a, CHUNK);
    cf_arena_alloc(a, 1);
    cf_arena_reset(a);
    cf_arena_trim(a);
    assert_int_equal(((char *)cf_arena_zero(a, 100))[99], 0);
    assert_int_equal(cf_arena_used(a), 112);
    cf_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_lie_apart_and_aligned),
        cmocka_unit_test(the_maximum_holds),
        cmocka_unit_test(a_full_arena_ends_the_process),
        cmocka_unit_test(memory_is_kept_up_to_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
