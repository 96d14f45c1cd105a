/* The clocks, while somebody sets the wall clock: this program has it in its own hand. */
#include "common/io/clock.h"
#include "common/io/loop.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { HOUR_S = 3600, WAIT_MS = 100, LATE_MS = 2000 };

static time_t ahead_s;

/* In the place of the C library's. */
int clock_gettime(clockid_t id, struct timespec *t)
{
    int e = (int)syscall(SYS_clock_gettime, id, t);
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) t->tv_sec += ahead_s;
    return e;
}

static int as_it_was(void **state)
{
    (void)state;
    ahead_s = 0;
    return 0;
}

static void fired(void *arg, cf_ms now)
{
    *(cf_ms *)arg = now;
}

static const struct {
    const char *why;
    time_t ahead_s;
} jumps[] = {
    {"an hour back", -HOUR_S},
    {"an hour ahead", HOUR_S},
};

static void a_wait_does_not_follow_the_wall_clock(void **state)
{
    (void)state;
    struct timespec tick;
    assert_int_equal(clock_getres(CLOCK_MONOTONIC_COARSE, &tick), 0);
    const cf_ms early_ms = 2 + tick.tv_nsec / 1000000; /* see cf_timer_after() */
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        struct cf_loop *loop = cf_loop_new();
        cf_ms at = 0, wall = cf_now_ms(), began = cf_mono_ms();
        struct cf_timer *timer = cf_timer_new(loop, fired, &at);
        print_message("%s\n", jumps[i].why);
        cf_timer_after(timer, WAIT_MS);
        ahead_s += jumps[i].ahead_s;
        assert_in_range(cf_now_ms() - wall - jumps[i].ahead_s * 1000, 0, LATE_MS);
        for (int turns = 0; at == 0 && turns < 4 * LATE_MS; turns++) {
            cf_loop_turn(loop, false);
            usleep(500);
        }
        assert_in_range(at - began, WAIT_MS - early_ms, LATE_MS);
        cf_timer_free(timer);
        cf_loop_free(loop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_wait_does_not_follow_the_wall_clock, as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
