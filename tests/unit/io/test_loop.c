/* loop and clock: timers, wake-ups from threads, signals, the two clocks. */
#include "common/io/clock.h"
#include "common/io/loop.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

struct seen {
    struct cf_loop *loop;
    struct cf_timer *timer;
    struct cf_wake *wake;
    int n, stop_at;
    cf_ms at;
};

static void on_time(void *arg, cf_ms now)
{
    struct seen *s = arg;
    s->at = now;
    if (++s->n == s->stop_at) cf_loop_stop(s->loop);
}

static void timers_fire_once_or_again_and_again(void **state)
{
    (void)state;
    struct seen s = {.loop = cf_loop_new(), .stop_at = 1};
    s.timer = cf_timer_new(s.loop, on_time, &s);
    cf_ms began = cf_mono_ms();
    cf_timer_after(s.timer, 5000);
    cf_timer_after(s.timer, 50); /* set anew */
    cf_loop_run(s.loop);
    assert_in_range(s.at - began, 45, 1000);
    s.stop_at = 4;
    cf_timer_every(s.timer, 20);
    cf_loop_run(s.loop);
    assert_int_equal(s.n, 4);
    cf_timer_after(s.timer, 10); /* once again, no more a period */
    s.stop_at = 5;
    cf_loop_run(s.loop);
    for (int i = 0; i < 50; i++) {
        cf_loop_turn(s.loop, false);
        usleep(1000);
    }
    assert_int_equal(s.n, 5);
    cf_timer_after(s.timer, 1);
    cf_timer_stop(s.timer);
    usleep(5000);
    cf_loop_turn(s.loop, false);
    assert_int_equal(s.n, 5);
    cf_timer_free(s.timer);
    cf_loop_free(s.loop);
}

static void free_itself(void *arg, cf_ms now)
{
    struct seen *s = arg;
    (void)now;
    cf_timer_free(s->timer);
    s->timer = NULL;
    cf_loop_stop(s->loop);
}

static void a_timer_may_be_freed_in_its_own_call(void **state)
{
    (void)state;
    struct seen s = {.loop = cf_loop_new()};
    s.timer = cf_timer_new(s.loop, free_itself, &s);
    cf_timer_every(s.timer, 1);
    cf_loop_run(s.loop);
    assert_null(s.timer);
    cf_loop_free(s.loop);
}

static void on_wake(void *arg)
{
    struct seen *s = arg;
    s->n++;
    cf_loop_stop(s->loop);
}

static void *wake_it(void *arg)
{
    usleep(20000);
    for (int i = 0; i < 100; i++)
        cf_wake_up(arg);
    return NULL;
}

static void another_thread_wakes_the_loop(void **state)
{
    (void)state;
    pthread_t t;
    struct seen s = {.loop = cf_loop_new()};
    s.wake = cf_wake_new(s.loop, on_wake, &s);
    pthread_create(&t, NULL, wake_it, s.wake);
    cf_loop_run(s.loop);
    pthread_join(t, NULL);
    assert_in_range(s.n, 1, 100);
    cf_wake_free(s.wake);
    cf_loop_free(s.loop);
}

static void on_signal(void *arg, int signo)
{
    struct seen *s = arg;
    s->n = signo;
    cf_loop_stop(s->loop);
}

static void a_signal_is_a_call_of_the_loop(void **state)
{
    (void)state;
    struct seen s = {.loop = cf_loop_new()};
    struct cf_signal *term = cf_signal_new(s.loop, SIGTERM, on_signal, &s);
    kill(getpid(), SIGTERM);
    cf_loop_run(s.loop);
    assert_int_equal(s.n, SIGTERM);
    cf_signal_free(term);
    cf_loop_free(s.loop);
}

static void on_bytes(void *arg, int fd)
{
    struct seen *s = arg;
    char c;
    if (read(fd, &c, 1) == 1) s->n++;
    cf_loop_stop(s->loop);
}

static void a_readable_descriptor_is_a_call(void **state)
{
    (void)state;
    int fds[2];
    struct seen s = {.loop = cf_loop_new()};
    assert_int_equal(pipe(fds), 0);
    struct cf_watch *w = cf_watch_new(s.loop, fds[0], on_bytes, &s);
    assert_int_equal(write(fds[1], "x", 1), 1);
    cf_loop_run(s.loop);
    assert_int_equal(s.n, 1);
    cf_watch_free(w);
    close(fds[0]);
    close(fds[1]);
    cf_loop_free(s.loop);
}

#ifdef CARDFLOW_TEST_HOOKS
static void the_test_clock_moves_the_time_but_not_the_waiting(void **state)
{
    (void)state;
    cf_ms mono = cf_mono_ms(), day;
    assert_true(cf_rfc3339_parse(CF_STR("2030-05-06T07:08:09+08:00"), &day));
    setenv("CARDFLOW_TEST_CLOCK", "2030-05-06T07:08:09+08:00", 1);
    assert_int_equal(cf_clock_from_env(), 0);
    assert_in_range(cf_now_ms() - day, 0, 2000);
    cf_clock_advance(86400000);
    assert_in_range(cf_now_ms() - day, 86400000, 86402000);
    assert_in_range(cf_mono_ms() - mono, 0, 2000);
    setenv("CARDFLOW_TEST_CLOCK", "soon", 1);
    assert_int_equal(cf_clock_from_env(), CF_E_CONFIG);
    unsetenv("CARDFLOW_TEST_CLOCK");
    assert_int_equal(cf_clock_from_env(), 0);
}
#endif

static void on_read(struct bufferevent *bev, void *arg)
{
    (void)bev;
    (void)arg;
    fail_msg("a callback of what was freed");
}

static void gone(const void *data, size_t n, void *arg)
{
    (void)data;
    (void)n;
    *(bool *)arg = true;
}

/* As a server's connection is, when the program ends in the moment something has come. */
static void what_was_put_off_is_freed_with_the_loop(void **state)
{
    (void)state;
    struct cf_loop *loop = cf_loop_new();
    bool freed = false;
    struct bufferevent *bev =
        bufferevent_socket_new(cf_loop_base(loop), -1, BEV_OPT_DEFER_CALLBACKS);
    assert_non_null(bev);
    bufferevent_setcb(bev, on_read, NULL, NULL, NULL);
    evbuffer_add_reference(bufferevent_get_output(bev), "x", 1, gone, &freed);
    bufferevent_trigger(bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
    bufferevent_free(bev);
    cf_loop_free(loop);
    assert_true(freed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_once_or_again_and_again),
        cmocka_unit_test(a_timer_may_be_freed_in_its_own_call),
        cmocka_unit_test(another_thread_wakes_the_loop),
        cmocka_unit_test(a_signal_is_a_call_of_the_loop),
        cmocka_unit_test(a_readable_descriptor_is_a_call),
        cmocka_unit_test(what_was_put_off_is_freed_with_the_loop),
#ifdef CARDFLOW_TEST_HOOKS
        cmocka_unit_test(the_test_clock_moves_the_time_but_not_the_waiting),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
