#include "common/io/resolve.h"

#include "common/io/clock.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

#include <cmocka.h>

struct answer {
    struct event_base *base;
    int calls, e;
    struct cf_addresses found;
};

static void resolved(void *arg, int e, const struct cf_addresses *found)
{
    struct answer *a = arg;
    a->calls++;
    a->e = e;
    assert_int_equal(e == 0, found != NULL);
    if (found) a->found = *found;
    event_base_loopbreak(a->base);
}

static void run(struct event_base *base, int seconds)
{
    const struct timeval limit = {seconds, 0};
    event_base_loopexit(base, &limit);
    event_base_dispatch(base);
}

static void addresses_and_paths_need_no_question(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        int family; /* 0: a name */
    } rows[] = {
        {"127.0.0.1",   AF_INET },
        {"::1",         AF_INET6},
        {"/run/x.sock", AF_UNIX },
        {"localhost",   0       },
        {"",            0       },
        {"127.0.0.256", 0       },
        {"run/x.sock",  0       },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cf_addresses out;
        if (cf_address_numeric(rows[i].host, 7001, &out) != (rows[i].family != 0))
            fail_msg("%s", rows[i].host);
        assert_int_equal(out.n, rows[i].family != 0);
        if (out.n) assert_int_equal(out.at[0].to.ss_family, rows[i].family);
    }
    char path[200];
    struct cf_addresses out;
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = 0;
    assert_false(cf_address_numeric(path, 0, &out)); /* longer than a socket's path may be */
}

static void a_name_is_answered_on_the_loop(void **state)
{
    (void)state;
    struct answer a = {.base = event_base_new()}, b = {.base = a.base};
    assert_non_null(cf_resolve_start(a.base, "localhost", 7001, resolved, &a));
    assert_int_equal(a.calls, 0);
    run(a.base, 10);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.e, 0);
    assert_true(a.found.n >= 1);
    for (size_t i = 0; i < a.found.n; i++) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a.found.at[i].to;
        if (v4->sin_family != AF_INET) continue;
        assert_int_equal(ntohl(v4->sin_addr.s_addr), INADDR_LOOPBACK);
        assert_int_equal(ntohs(v4->sin_port), 7001);
    }
    assert_non_null(cf_resolve_start(b.base, "10.1.2.3", 1, resolved, &b));
    assert_int_equal(b.calls, 0); /* not from inside */
    run(b.base, 10);
    assert_int_equal(b.calls, 1);
    event_base_free(a.base);
}

static void no_name_no_address(void **state)
{
    (void)state;
    struct answer a = {.base = event_base_new()};
    /* Not a name by any rule, so that no server is asked. */
    assert_non_null(cf_resolve_start(a.base, "a..b", 7001, resolved, &a));
    run(a.base, 20);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.e, CF_E_NET);
    event_base_free(a.base);
}

static void a_question_can_be_given_up_at_any_moment(void **state)
{
    (void)state;
    struct answer a = {.base = event_base_new()};
    for (int i = 0; i < 100; i++) {
        struct cf_resolve *r =
            cf_resolve_start(a.base, i % 2 ? "localhost" : "127.0.0.1", 7001, resolved, &a);
        const struct timespec t = {0, i * 20000};
        nanosleep(&t, NULL);
        cf_resolve_cancel(r);
    }
    cf_resolve_cancel(NULL);
    event_base_loop(a.base, EVLOOP_NONBLOCK);
    assert_int_equal(a.calls, 0);
    event_base_free(a.base);
}

static void a_thread_without_a_loop_waits_no_longer_than_told(void **state)
{
    (void)state;
    struct cf_addresses out;
    assert_int_equal(cf_resolve_wait("localhost", 7001, 10000, &out), 0);
    assert_true(out.n >= 1);
    assert_int_equal(cf_resolve_wait("a..b", 7001, 10000, &out), CF_E_NET);
    cf_ms start = cf_mono_ms();
    for (int i = 0; i < 20; i++) {
        int e = cf_resolve_wait("name.invalid", 7001, 0, &out);
        assert_int_equal(e, CF_E_NET);
    }
    assert_true(cf_mono_ms() - start < 2000);
}

static int threads(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/task");
    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

/* Questions given up end by themselves, when the name server has answered or not. A process that ends
 * before them leaves the resolver's memory to the leak detector. */
static int threads_before;

static void *end_at_once(void *arg)
{
    return arg;
}

/* A sanitizer may make a thread of its own with the first one of ours, which then stays. */
static int count_threads(void **state)
{
    pthread_t first;
    (void)state;
    if (pthread_create(&first, NULL, end_at_once, NULL) || pthread_join(first, NULL)) return -1;
    threads_before = threads();
    return 0;
}

static int wait_for_threads(void **state)
{
    (void)state;
    cf_ms until = cf_mono_ms() + 60000;
    while (threads() > threads_before && cf_mono_ms() < until) {
        const struct timespec t = {.tv_nsec = 10000000};
        nanosleep(&t, NULL);
    }
    return threads() > threads_before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_paths_need_no_question),
        cmocka_unit_test(a_name_is_answered_on_the_loop),
        cmocka_unit_test(no_name_no_address),
        cmocka_unit_test(a_question_can_be_given_up_at_any_moment),
        cmocka_unit_test(a_thread_without_a_loop_waits_no_longer_than_told),
    };
    return cmocka_run_group_tests(tests, count_threads, wait_for_threads);
}
