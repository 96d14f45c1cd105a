#include "tests/unit/pure/vectors.h"

#include "common/pure/patience.h"

static void a_wait_stays_below_its_bound_and_is_the_same_again(void **state)
{
    (void)state;
    uint8_t id[16] = {0};
    cf_ms longest[12] = {0};
    for (int i = 0; i < 2000; i++) {
        id[0] = (uint8_t)i;
        id[1] = (uint8_t)(i >> 8);
        for (uint32_t attempt = 0; attempt < 12; attempt++) {
            cf_ms bound = attempt < 10 ? (cf_ms)500 << attempt : 60000;
            cf_ms most = bound < 60000 ? bound : 60000;
            cf_ms got = cf_backoff_ms(id, attempt, 500, 60000);
            assert_true(got >= 0 && got <= most);
            assert_int_equal(got, cf_backoff_ms(id, attempt, 500, 60000));
            if (got > longest[attempt]) longest[attempt] = got;
        }
    }
    /* Full jitter reaches up to the bound and is not one value. */
    for (uint32_t attempt = 0; attempt < 7; attempt++)
        assert_true(longest[attempt] > ((cf_ms)500 << attempt) * 9 / 10);
    assert_true(longest[11] > 54000);
    assert_true(cf_backoff_ms(id, 4000000000u, 500, 60000) <= 60000);
}

static void a_breaker_opens_probes_and_closes(void **state)
{
    (void)state;
    struct cf_breaker b = {.limit = 3, .open_ms = 1000};
    for (int i = 0; i < 2; i++)
        cf_breaker_bad(&b, 10);
    assert_true(cf_breaker_may(&b, 10));
    cf_breaker_good(&b);
    for (int i = 0; i < 3; i++) {
        assert_true(cf_breaker_may(&b, 20));
        cf_breaker_bad(&b, 20);
    }
    assert_false(cf_breaker_may(&b, 1019));
    assert_true(cf_breaker_may(&b, 1020));  /* the probe */
    assert_false(cf_breaker_may(&b, 1020)); /* one at a time */
    cf_breaker_unused(&b);
    assert_true(cf_breaker_may(&b, 1021));
    cf_breaker_bad(&b, 1030);
    assert_false(cf_breaker_may(&b, 2029));
    assert_true(cf_breaker_may(&b, 2030));
    cf_breaker_good(&b);
    assert_true(cf_breaker_may(&b, 2030) && cf_breaker_may(&b, 2030));
}

static void a_gate_holds_the_rate_and_the_quota(void **state)
{
    (void)state;
    struct cf_gate g = {.per_second = 100};
    int passed = 0;
    for (cf_ms now = 1000; now < 11000; now++)
        while (cf_gate_take(&g, 1, now, now))
            passed++;
    assert_in_range(passed, 990, 1020);
    struct cf_gate day = {.per_day = 10};
    assert_true(cf_gate_take(&day, 6, 5, 5));
    assert_false(cf_gate_take(&day, 5, 6, 6));
    assert_true(cf_gate_take(&day, 4, 7, 7));
    assert_false(cf_gate_take(&day, 1, 8, 8));
    assert_true(cf_gate_take(&day, 1, 9, CF_MS_PER_DAY));
    /* After a pause there is a tenth of a second to spare, however long it was. */
    for (cf_ms pause = 500; pause <= 5000000; pause *= 10) {
        struct cf_gate rested = {.per_second = 1000};
        assert_true(cf_gate_take(&rested, 1, 1000, 1));
        int at_once = 0;
        while (cf_gate_take(&rested, 1, 1000 + pause, 1))
            at_once++;
        assert_int_equal(at_once, 100);
    }
    struct cf_gate open = {0};
    assert_true(cf_gate_take(&open, 1000000, 1, 1));
    /* A batch that is larger than what is saved up in a tenth of a second goes all the same. */
    struct cf_gate batches = {.per_second = 10};
    int messages = 0;
    for (cf_ms now = 1000; now < 61000; now += 10)
        if (cf_gate_take(&batches, 50, now, now)) messages += 50;
    assert_in_range(messages, 500, 700);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_stays_below_its_bound_and_is_the_same_again),
        cmocka_unit_test(a_breaker_opens_probes_and_closes),
        cmocka_unit_test(a_gate_holds_the_rate_and_the_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
