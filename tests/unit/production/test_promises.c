/* For which day a card is promised: by capacity, in two lanes, of which the priority lane has a
 * quota. Whatever comes in whatever order, no day is promised twice and nobody waits for ever. */
#include "data.h"

enum { DAYS = 4000, ROOM = DAYS * PRODUCTION_DAY_LEN };

struct bench {
    struct production_bank b;
    struct production_policy p;
    struct production_world w;
    char rooms[2][ROOM];
    int room;
    int64_t promised[DAYS][PRODUCTION_LANES]; /* by day since NOW */
    cf_day last[PRODUCTION_LANES];
};

static struct bench *bench_of(uint32_t capacity, uint32_t quota)
{
    struct bench *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->p = policy;
    t->p.daily_capacity = capacity;
    t->p.priority_quota = quota;
    t->w = (struct production_world){NOW, &calendar, &t->p, policies};
    return t;
}

static cf_day promise(struct bench *t, bool priority)
{
    t->room = !t->room;
    assert_true(t->b.days.len + PRODUCTION_DAY_LEN <= ROOM);
    cf_day on = production_promise(&t->b, priority, &t->w, t->rooms[t->room]);
    cf_day since = on - cf_day_of_ms(NOW);
    assert_true(since >= 0 && since < DAYS);
    t->promised[since][priority]++;
    return on;
}

/* What would be promised now, without promising it. */
static cf_day would(struct bench *t, bool priority)
{
    static char room[ROOM];
    struct production_bank b = t->b;
    return production_promise(&b, priority, &t->w, room);
}

static cf_day first_of(const struct bench *t)
{
    return cf_add_workdays(&calendar, cf_day_of_ms(t->w.now), (int)t->p.lead_days);
}

static uint32_t quota_of(const struct bench *t)
{
    uint32_t all = t->p.daily_capacity, part = all * t->p.priority_quota / 100;
    if (!part && t->p.priority_quota) part = 1;
    return part < all ? part : all - 1;
}

/* Ten days' worth of ordinary cards wait. Of the next day a tenth of the quota was kept free. */
static void a_priority_card_goes_before_ordinary_ones_that_wait(void **state)
{
    (void)state;
    struct bench *t = bench_of(100, 50);
    cf_day first = first_of(t), last = first;
    for (int i = 0; i < 1000; i++)
        last = promise(t, false);
    cf_day next = cf_add_workdays(&calendar, first, 1);
    assert_int_equal(last, cf_add_workdays(&calendar, first, 10)); /* 100, then 95 a day, 5 kept */
    assert_int_equal(t->promised[first - cf_day_of_ms(NOW)][0], 100);
    for (int i = 0; i < 5; i++)
        assert_int_equal(promise(t, true), next);
    assert_true(promise(t, true) > next);
    assert_true(would(t, true) < would(t, false));
    free(t);
}

/* While ordinary cards wait for later days; without them it takes all. */
static void the_priority_lane_takes_its_quota_at_most(void **state)
{
    (void)state;
    struct bench *t = bench_of(10, 30);
    cf_day first = first_of(t), today = cf_day_of_ms(NOW);
    for (int i = 0; i < 25; i++)
        promise(t, true);
    assert_int_equal(t->promised[first - today][1], 10);
    free(t);
    /* As many of both: half of the first day, then 3 of 10 a day, and ordinary ones the rest. */
    t = bench_of(10, 30);
    for (int i = 0; i < 33; i++) {
        promise(t, false);
        promise(t, true);
    }
    assert_int_equal(t->promised[first - today][1], 5);
    for (int i = 1; i <= 4; i++) {
        const int64_t *n = t->promised[cf_add_workdays(&calendar, first, i) - today];
        assert_int_equal(n[0], 7);
        assert_int_equal(n[1], 3);
    }
    free(t);
}

/* Without a quota the lane has no part of its own: it goes after those that wait. */
static void without_a_quota_nobody_goes_first(void **state)
{
    (void)state;
    struct bench *t = bench_of(10, 0);
    cf_day last = 0;
    for (int i = 0; i < 15; i++)
        last = promise(t, false);
    assert_int_equal(promise(t, true), cf_add_workdays(&calendar, last, 1));
    free(t);
}

/* Another quota and capacity: a day that has more than it may take now takes no more. */
static void a_day_that_has_too_many_takes_no_more(void **state)
{
    (void)state;
    struct bench *t = bench_of(10, 50);
    cf_day first = first_of(t), today = cf_day_of_ms(NOW);
    for (int i = 0; i < 29; i++)
        promise(t, false);
    t->p.daily_capacity = 20;
    for (int i = 0; i < 30; i++)
        promise(t, false);
    cf_day crowded = first;
    while (t->promised[crowded - today][0] <= 15)
        crowded++;
    t->p.daily_capacity = 15;
    t->p.priority_quota = 1;
    for (int i = 0; i < 8; i++)
        promise(t, true);
    assert_int_equal(t->promised[crowded - today][1], 0);
    free(t);
}

/* A bank that makes one card a day has nothing to share out. */
static void one_card_a_day_goes_in_order(void **state)
{
    (void)state;
    struct bench *t = bench_of(1, 50);
    cf_day before = 0;
    for (int i = 0; i < 20; i++) {
        cf_day on = promise(t, i % 3 == 0);
        assert_true(on > before);
        before = on;
    }
    free(t);
}

/* What came to the priority lane lately is kept free for it. */
static void more_is_kept_free_where_more_comes(void **state)
{
    (void)state;
    struct bench *t = bench_of(100, 50);
    for (int i = 0; i < 30; i++)
        promise(t, true);
    for (int i = 0; i < 500; i++)
        promise(t, false);
    cf_day third = cf_add_workdays(&calendar, first_of(t), 2);
    assert_int_equal(t->promised[third - cf_day_of_ms(NOW)][0], 70);
    free(t);
}

static uint64_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

/* One sequence: bursts of both lanes, and time that goes on. */
static void sequence(struct bench *t)
{
    cf_day today = cf_day_of_ms(NOW);
    int64_t all = 0;
    for (int i = 0; i < 60; i++) {
        if (below(8) == 0) t->w.now += (cf_ms)below(3 * (uint32_t)CF_MS_PER_DAY);
        bool priority = below(3) == 0;
        cf_day ordinary = would(t, false), urgent = would(t, true), first = first_of(t);
        int64_t taken = t->promised[ordinary - today][1];
        if (taken < quota_of(t) && urgent > ordinary)
            fail_msg("an urgent card is promised later though the quota is not used up");
        for (uint32_t burst = 1 + below(3 * t->p.daily_capacity); burst > 0; burst--, all++) {
            cf_day on = promise(t, priority);
            if (priority && quota_of(t) && t->promised[on - today][1] > quota_of(t))
                assert_true(t->last[0] <= first); /* no ordinary one waits */
            assert_true(on >= first && cf_is_workday(&calendar, on));
            if (on < t->last[priority]) fail_msg("who comes later is promised an earlier day");
            t->last[priority] = on;
            /* Nobody waits for ever: no later than if each day gave its lane one card. */
            assert_true(on <= cf_add_workdays(&calendar, first, (int)all + 1));
        }
    }
    for (int d = 0; d < DAYS; d++)
        assert_true(t->promised[d][0] + t->promised[d][1] <= t->p.daily_capacity);
}

static void whatever_comes_no_day_is_promised_twice_and_nobody_is_forgotten(void **state)
{
    (void)state;
    static const uint32_t capacities[] = {1, 2, 3, 7, 20}, quotas[] = {0, 1, 50, 99};
    for (size_t c = 0; c < 5; c++)
        for (size_t q = 0; q < 4; q++)
            for (uint64_t run = 0; run < 5; run++) {
                struct bench *t = bench_of(capacities[c], quotas[q]);
                seed = run * 1000 + c * 10 + q;
                sequence(t);
                free(t);
            }
}

/* Other settings: what was promised stays, and no day gets more than it takes now. */
static void another_capacity_counts_from_the_days_that_have_room(void **state)
{
    (void)state;
    struct bench *t = bench_of(10, 50);
    for (int i = 0; i < 100; i++)
        promise(t, i % 4 == 0);
    cf_day newest = t->b.full_before;
    t->p.daily_capacity = 4;
    for (int i = 0; i < 50; i++)
        newest = promise(t, false);
    for (cf_day d = newest - 3; d <= newest; d++)
        assert_true(t->promised[d - cf_day_of_ms(NOW)][0] + t->promised[d - cf_day_of_ms(NOW)][1] <= 4);
    free(t);
}

static void a_place_counts_what_goes_before(void **state)
{
    (void)state;
    static char rooms[2][256];
    struct production_bank b = {0};
    struct production_queued q;
    struct production_policy p = policy;
    p.batch_lines = 100;
    struct production_world w = {NOW, &calendar, &p, policies};
    static const struct {
        bool priority;
        uint32_t place;
    } rows[] = {{false, 1}, {false, 2}, {true, 1}, {true, 2}, {false, 5}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        production_enqueue(&b, rows[i].priority, &w, rooms[i % 2], &q);
        assert_int_equal(q.place, rows[i].place);
    }
    /* Who has left does not count, nor what has been sent. */
    static char left[64];
    production_bank_leave(&b, 1, 2, left);
    production_enqueue(&b, false, &w, rooms[1], &q);
    assert_int_equal(q.place, 5);
    struct production_close due[PRODUCTION_LANES];
    w.now += p.batch_wait_ms;
    production_bank_due(&b, &w, due);
    production_enqueue(&b, false, &w, rooms[0], &q);
    assert_int_equal(q.place, 1);
}

/* Who waits without a card goes first. */
static void the_lane_is_that_of_need(void **state)
{
    (void)state;
    static const bool first[CF_KIND_COUNT] = {[CF_KIND_LOSS_REPLACEMENT] = true,
                                              [CF_KIND_DAMAGE_REPLACEMENT] = true};
    for (int kind = 0; kind < CF_KIND_COUNT; kind++) {
        struct production_app app = {.kind = (enum cf_app_kind)kind};
        assert_int_equal(production_has_priority(&app), first[kind]);
        app.remakes = 1;
        assert_true(production_has_priority(&app));
        app.remakes = 0;
        app.by_hand = true;
        assert_true(production_has_priority(&app));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_priority_card_goes_before_ordinary_ones_that_wait),
        cmocka_unit_test(the_priority_lane_takes_its_quota_at_most),
        cmocka_unit_test(without_a_quota_nobody_goes_first),
        cmocka_unit_test(a_day_that_has_too_many_takes_no_more),
        cmocka_unit_test(one_card_a_day_goes_in_order),
        cmocka_unit_test(more_is_kept_free_where_more_comes),
        cmocka_unit_test(whatever_comes_no_day_is_promised_twice_and_nobody_is_forgotten),
        cmocka_unit_test(another_capacity_counts_from_the_days_that_have_room),
        cmocka_unit_test(a_place_counts_what_goes_before),
        cmocka_unit_test(the_lane_is_that_of_need),
    };
    return cmocka_run_group_tests(tests, load_calendar, drop_calendar);
}
