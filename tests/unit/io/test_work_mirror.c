#include "common/io/work_mirror.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct cf_work row(int16_t part, uint32_t number, cf_ms due)
{
    struct cf_work w = {.part = part, .due = due, .args = CF_STR("args")};
    memcpy(w.id, &number, sizeof number);
    return w;
}

static void an_item_is_found_by_shard_and_id_and_keeps_its_args(void **state)
{
    struct work_mirror m;
    size_t count = 0;
    char text[] = "args";
    struct cf_work w = row(3, 7, 100), other = row(4, 7, 100);
    (void)state;
    mirror_init(&m);
    w.args.ptr = text;
    struct work_item *item = mirror_add(&m, &w, &count);
    text[0] = 'X';
    assert_ptr_equal(mirror_find(&m, 3, w.id), item);
    assert_null(mirror_find(&m, 4, other.id));
    assert_true(cf_str_is(item->work.args, "args"));
    mirror_remove(&m, item);
    assert_null(mirror_find(&m, 3, w.id));
    assert_int_equal(m.n, 0);
    assert_int_equal(count, 0);
    mirror_free(&m);
}

static cf_ms earliest(const bool *queued, const cf_ms *due, size_t n)
{
    cf_ms first = INT64_MAX;
    for (size_t i = 0; i < n; i++)
        if (queued[i] && due[i] < first) first = due[i];
    return first;
}

/* Against a list that is searched from end to end. */
static void the_first_is_always_the_earliest_of_those_queued(void **state)
{
    enum { N = 600, STEPS = 20000 };
    static bool there[N], queued[N];
    static cf_ms due[N];
    struct work_mirror m;
    size_t count = 0;
    (void)state;
    mirror_init(&m);
    srandom(11);
    for (int step = 0; step < STEPS; step++) {
        uint32_t i = (uint32_t)random() % N;
        struct cf_work w = row((int16_t)(i % 5), i, random() % 1000);
        struct work_item *item = mirror_find(&m, w.part, w.id);
        assert_int_equal(item != NULL, there[i]);
        if (!item) {
            mirror_queue(&m, mirror_add(&m, &w, &count));
            there[i] = queued[i] = true;
            due[i] = w.due;
        } else if (random() % 2 && queued[i]) {
            mirror_unqueue(&m, item);
            queued[i] = false;
        } else {
            mirror_remove(&m, item);
            there[i] = queued[i] = false;
        }
        struct work_item *first = mirror_first(&m);
        cf_ms want = earliest(queued, due, N);
        assert_int_equal(first ? first->work.due : INT64_MAX, want);
    }
    mirror_free(&m);
}

static void removing_a_shard_leaves_the_others(void **state)
{
    struct work_mirror m;
    size_t count = 0;
    (void)state;
    mirror_init(&m);
    for (uint32_t i = 0; i < 1000; i++) {
        struct cf_work w = row((int16_t)(i % 4), i, (cf_ms)i);
        mirror_queue(&m, mirror_add(&m, &w, &count));
    }
    mirror_remove_part(&m, 0);
    assert_int_equal(m.n, 750);
    assert_int_equal(count, 750);
    assert_int_equal(m.queued, 750);
    cf_ms last = -1;
    for (struct work_item *item; (item = mirror_first(&m));) {
        assert_int_not_equal(item->work.part, 0);
        assert_true(item->work.due > last);
        last = item->work.due;
        mirror_remove(&m, item);
    }
    assert_int_equal(m.n, 0);
    mirror_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_is_found_by_shard_and_id_and_keeps_its_args),
        cmocka_unit_test(the_first_is_always_the_earliest_of_those_queued),
        cmocka_unit_test(removing_a_shard_leaves_the_others),
    };
    return cmocka_run_group_tests_name("work_mirror", tests, NULL, NULL);
}
