/* http_client: a partner that answers, hangs, resets, lies and closes. The partner is a raw socket
 * that this test plays by hand. */
#include "common/io/http_client.h"
#include "common/io/log.h"
#include "tests/unit/io/sockets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define MAX_CALLS 64

struct outcome {
    int calls, status, retry_after_s;
    char why[20], body[200], type[60];
    cf_ms took_ms;
};

struct world {
    struct cf_loop *loop;
    int listener;
    char url[60];
    struct cf_partner *partner;
    struct outcome out[MAX_CALLS];
};

static int start_with(void **state, struct cf_partner_conf conf)
{
    struct world *w = cf_calloc(1, sizeof *w);
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    w->loop = cf_loop_new();
    w->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(w->listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(w->listener, 50) != 0)
        return -1;
    getsockname(w->listener, (struct sockaddr *)&a, &n);
    snprintf(w->url, sizeof w->url, "http://127.0.0.1:%u/base/", ntohs(a.sin_port));
    conf.name = "partner";
    conf.url = w->url;
    conf.authorization = "Bearer x";
    *state = w;
    return cf_partner_new(w->loop, &conf, &w->partner);
}

static int start(void **state)
{
    return start_with(state, (struct cf_partner_conf){
                                 .timeout_ms = 400, .answer_max = 1000, .max_connections = 2});
}

static int stop(void **state)
{
    struct world *w = *state;
    cf_partner_free(w->partner);
    if (w->listener >= 0) close(w->listener);
    cf_loop_free(w->loop);
    free(w);
    return 0;
}

static void done(void *arg, const struct cf_call_result *r)
{
    struct outcome *o = arg;
    o->calls++;
    o->status = r->status;
    o->took_ms = r->took_ms;
    o->retry_after_s = r->retry_after_s;
    snprintf(o->why, sizeof o->why, "%s", r->why ? r->why : "");
    snprintf(o->body, sizeof o->body, "%.*s", CF_ARG(r->body));
    snprintf(o->type, sizeof o->type, "%.*s", CF_ARG(r->type));
}

static struct outcome *call(struct world *w, size_t i)
{
    struct cf_call c = {.method = "POST",
                        .path = "/photos?x=1",
                        .type = "application/json",
                        .body = CF_STR("{\"a\":1}"),
                        .headers = {{"Idempotency-Key", CF_STR("key-1")}}};
    assert_int_equal(cf_partner_call(w->partner, &c, done, &w->out[i]), 0);
    assert_int_equal(w->out[i].calls, 0);
    return &w->out[i];
}

/* The next connection of the client, or -1 after a while. */
static int taken(struct world *w)
{
    for (int i = 0; i < 1000; i++) {
        cf_loop_turn(w->loop, false);
        int fd = accept4(w->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) return fd;
        usleep(300);
    }
    return -1;
}

static void await(struct world *w, const struct outcome *o, cf_ms ms)
{
    cf_ms until = cf_mono_ms() + ms;
    while (!o->calls && cf_mono_ms() < until) {
        cf_loop_turn(w->loop, false);
        usleep(200);
    }
    assert_int_equal(o->calls, 1);
}

static void a_call_gets_its_answer_and_the_connection_is_kept(void **state)
{
    struct world *w = *state;
    bool ended;
    struct outcome *o = call(w, 0);
    int fd = taken(w);
    char *t = hear(w->loop, fd, "{\"a\":1}", 1000, &ended);
    assert_ptr_equal(strstr(t, "POST /base/photos?x=1 HTTP/1.1\r\n"), t);
    assert_non_null(strstr(t, "\r\nHost: 127.0.0.1:"));
    assert_non_null(strstr(t, "\r\nAuthorization: Bearer x\r\n"));
    assert_non_null(strstr(t, "\r\nIdempotency-Key: key-1\r\n"));
    assert_non_null(strstr(t, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(t, "\r\nContent-Length: 7\r\n"));
    free(t);
    say(fd, CF_STR("HTTP/1.1 503 Away\r\nRetry-After: 7\r\nContent-Type: text/x\r\n"
                   "Content-Length: 4\r\n\r\nbusy"));
    await(w, o, 1000);
    assert_int_equal(o->status, 503);
    assert_int_equal(o->retry_after_s, 7);
    assert_string_equal(o->body, "busy");
    assert_string_equal(o->type, "text/x");

    o = call(w, 1); /* on the same connection */
    free(hear(w->loop, fd, "{\"a\":1}", 1000, &ended));
    say(fd, CF_STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
    await(w, o, 1000);
    assert_int_equal(o->status, 200);
    assert_string_equal(o->body, "abcde");
    assert_int_equal(accept(w->listener, NULL, NULL), -1);
    close(fd);
}

static void a_kept_connection_that_was_closed_is_made_anew(void **state)
{
    struct world *w = *state;
    bool ended;
    struct outcome *o = call(w, 0);
    int fd = taken(w);
    free(hear(w->loop, fd, "{\"a\":1}", 1000, &ended));
    say(fd, CF_STR("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    await(w, o, 1000);
    /* Closed when idle: the client has seen it. */
    close(fd);
    turn(w->loop, 20);
    o = call(w, 1);
    fd = taken(w);
    assert_true(fd >= 0);
    free(hear(w->loop, fd, "{\"a\":1}", 1000, &ended));
    say(fd, CF_STR("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
    await(w, o, 1000);
    assert_string_equal(o->body, "x");
    /* Closed just as the next call is written: it is made once more. */
    o = call(w, 2);
    free(hear(w->loop, fd, "{\"a\":1}", 1000, &ended));
    close(fd);
    fd = taken(w);
    assert_true(fd >= 0);
    free(hear(w->loop, fd, "{\"a\":1}", 1000, &ended));
    say(fd, CF_STR("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny"));
    await(w, o, 1000);
    assert_string_equal(o->body, "y");
    close(fd);
}

static void a_partner_that_misbehaves_is_an_outcome(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *what, *send; /* NULL: a reset */
        bool then_close;
        const char *why;
    } cases[] = {
        {"hangs",                 "",                                                              false, "timeout"  },
        {"hangs in the head",     "HTTP/1.1 200 OK\r\nContent-Le",                                 false, "timeout"  },
        {"hangs in the body",     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",                false, "timeout"  },
        {"closes at once",        "",                                                              true,  "closed"   },
        {"closes in the body",    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",                true,  "closed"   },
        {"resets",                NULL,                                                            true,  "closed"   },
        {"speaks something else", "SSH-2.0-OpenSSH_9.2\r\n\r\n",                                   true,  "malformed"},
        {"a head without end",    "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",                      true,  "malformed"},
        {"too much",              "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc",          true,  "too_large"},
        /* libevent tells a chunk size that is none from one too large as little. */
        {"wrong chunks",          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab", true,
         "too_large"                                                                                                 },
    };
    const struct linger now = {1, 0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool ended;
        struct outcome *o = call(w, i);
        int fd = taken(w);
        if (fd < 0) fail_msg("%s: no connection", cases[i].what);
        free(hear(w->loop, fd, "{\"a\":1}", 300, &ended));
        if (cases[i].send) say(fd, cf_str_of(cases[i].send));
        turn(w->loop, 10);
        if (!cases[i].send) setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        if (cases[i].then_close) close(fd);
        await(w, o, 2000);
        if (o->status != 0 || strcmp(o->why, cases[i].why) != 0)
            fail_msg("%s: status %d %s, not %s", cases[i].what, o->status, o->why, cases[i].why);
        if (strcmp(o->why, "timeout") == 0) assert_in_range(o->took_ms, 390, 900);
        if (!cases[i].then_close) close(fd);
    }
    /* And the next good one works. */
    bool ended;
    struct outcome *o = call(w, 20);
    int fd = taken(w);
    free(hear(w->loop, fd, "{\"a\":1}", 1000, &ended));
    say(fd, CF_STR("HTTP/1.1 204 No Content\r\n\r\n"));
    await(w, o, 1000);
    assert_int_equal(o->status, 204);
    close(fd);
}

static void a_trickling_answer_ends_at_the_deadline(void **state)
{
    struct world *w = *state;
    struct outcome *o = call(w, 0);
    int fd = taken(w);
    say(fd, CF_STR("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"));
    for (int i = 0; i < 100 && !o->calls; i++) {
        say(fd, CF_STR("x"));
        turn(w->loop, 20);
    }
    assert_string_equal(o->why, "timeout");
    assert_in_range(o->took_ms, 390, 900);
    close(fd);
}

static void nobody_listens(void **state)
{
    struct world *w = *state;
    close(w->listener);
    w->listener = -1;
    struct outcome *o = call(w, 0);
    await(w, o, 2000);
    assert_int_equal(o->status, 0);
    assert_true(strcmp(o->why, "refused") == 0 || strcmp(o->why, "closed") == 0);
}

static void connections_and_the_queue_are_bounded(void **state)
{
    struct world *w = *state; /* 2 connections */
    struct cf_call c = {.method = "GET", .path = "/"};
    cf_partner_free(w->partner);
    struct cf_partner_conf conf = {
        .name = "partner", .url = w->url, .max_connections = 2, .max_queued = 3, .timeout_ms = 400};
    assert_int_equal(cf_partner_new(w->loop, &conf, &w->partner), 0);
    for (size_t i = 0; i < 2; i++)
        call(w, i);
    turn(w->loop, 20);
    for (size_t i = 2; i < 5; i++)
        call(w, i);
    assert_int_equal(cf_partner_call(w->partner, &c, done, &w->out[5]), CF_E_NET);
    assert_int_equal(cf_partner_open(w->partner), 5);
    int a = taken(w), b = taken(w);
    assert_true(a >= 0 && b >= 0);
    assert_int_equal(accept(w->listener, NULL, NULL), -1);
    say(a, CF_STR("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
    await(w, &w->out[0], 300);
    /* A waiting call takes the connection that is free; the others end at their deadline. */
    turn(w->loop, 30);
    say(a, CF_STR("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
    turn(w->loop, 700);
    int good = 0, late = 0;
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(w->out[i].calls, 1);
        good += w->out[i].status == 200;
        late += strcmp(w->out[i].why, "timeout") == 0;
    }
    assert_int_equal(good, 2);
    assert_int_equal(late, 3);
    assert_int_equal(w->out[5].calls, 0);
    assert_int_equal(cf_partner_open(w->partner), 0);
    close(a);
    close(b);
}

static void freeing_ends_every_call(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < 6; i++)
        call(w, i);
    turn(w->loop, 20);
    cf_partner_free(w->partner);
    w->partner = NULL;
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(w->out[i].calls, 1);
        assert_string_equal(w->out[i].why, "stopped");
    }
    turn(w->loop, 20);
}

static void names_are_looked_up_without_blocking(void **state)
{
    struct world *w = *state;
    char url[80];
    snprintf(url, sizeof url, "http://localhost%s", strrchr(w->url, ':'));
    struct cf_partner_conf conf = {.name = "named", .url = url, .timeout_ms = 2000};
    struct cf_partner *p = NULL;
    bool ended;
    assert_int_equal(cf_partner_new(w->loop, &conf, &p), 0);
    struct cf_call c = {.method = "GET", .path = "/x"};
    assert_int_equal(cf_partner_call(p, &c, done, &w->out[0]), 0);
    int fd = taken(w);
    assert_true(fd >= 0);
    char *t = hear(w->loop, fd, "\r\n\r\n", 1000, &ended);
    assert_non_null(strstr(t, "\r\nHost: localhost:"));
    free(t);
    say(fd, CF_STR("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
    await(w, &w->out[0], 1000);
    assert_int_equal(w->out[0].status, 200);
    cf_partner_free(p);
    close(fd);
}

static void a_wrong_address_is_refused(void **state)
{
    struct world *w = *state;
    static const char *const wrong[] = {"",           "https://x",      "http://",     "http://x:0",
                                        "http://x:y", "http://x:70000", "http://[::1", "x:80",
                                        "http://u@h"};
    cf_log_fd(-1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct cf_partner_conf conf = {.name = "x", .url = wrong[i]};
        struct cf_partner *p = NULL;
        if (cf_partner_new(w->loop, &conf, &p) != CF_E_CONFIG) fail_msg("%s was taken", wrong[i]);
    }
    cf_log_fd(STDOUT_FILENO);
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_call_gets_its_answer_and_the_connection_is_kept),
        T(a_kept_connection_that_was_closed_is_made_anew),
        T(a_partner_that_misbehaves_is_an_outcome),
        T(a_trickling_answer_ends_at_the_deadline),
        T(nobody_listens),
        T(connections_and_the_queue_are_bounded),
        T(freeing_ends_every_call),
        T(names_are_looked_up_without_blocking),
        T(a_wrong_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
