#include "common/io/loop.h"

#include "common/io/clock.h"
#include "common/pure/error.h"

#include <errno.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct cf_loop {
    struct event_base *base;
    struct cf_wake *stop;
};

struct cf_timer {
    struct event *event;
    cf_timer_fn *fn;
    void *arg;
    cf_ms period; /* 0: once */
};

struct cf_wake {
    struct event *event;
    int fd;
    atomic_bool asked; /* written to and not yet read */
    cf_wake_fn *fn;
    void *arg;
};

struct cf_watch {
    struct event *event;
    cf_watch_fn *fn;
    void *arg;
};

struct cf_signal {
    struct event *event;
    cf_signal_fn *fn;
    void *arg;
};

static void need(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "cardflow: cannot make %s: %s\n", what, strerror(errno));
    abort();
}

static struct timeval tv_of(cf_ms ms)
{
    if (ms < 0) ms = 0;
    return (struct timeval){ms / 1000, ms % 1000 * 1000};
}

/* ---- the loop ------------------------------------------------------------------------------ */

static void on_stop(void *arg)
{
    struct cf_loop *loop = arg;
    event_base_loopbreak(loop->base);
}

struct cf_loop *cf_loop_new(void)
{
    struct cf_loop *loop = cf_calloc(1, sizeof *loop);
    struct event_config *config = event_config_new();
    need(config != NULL, "event configuration");
    /* One thread a base; what other threads may call goes through an eventfd. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    loop->base = event_base_new_with_config(config);
    need(loop->base != NULL, "event loop");
    event_config_free(config);
    loop->stop = cf_wake_new(loop, on_stop, loop);
    return loop;
}

void cf_loop_free(struct cf_loop *loop)
{
    if (!loop) return;
    cf_wake_free(loop->stop);
    /* A connection that is closed while a callback of it is put off lives on until the callback's
     * turn; event_base_free() would forget it. */
    event_base_loop(loop->base, EVLOOP_NONBLOCK);
    event_base_free(loop->base);
    free(loop);
}

void cf_loop_run(struct cf_loop *loop)
{
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void cf_loop_turn(struct cf_loop *loop, bool wait)
{
    event_base_loop(loop->base, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
}

void cf_loop_stop(struct cf_loop *loop)
{
    cf_wake_up(loop->stop);
}

struct event_base *cf_loop_base(struct cf_loop *loop)
{
    return loop->base;
}

/* ---- timers -------------------------------------------------------------------------------- */

static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
    struct cf_timer *t = arg;
    (void)fd, (void)what;
    t->fn(t->arg, cf_mono_ms());
}

struct cf_timer *cf_timer_new(struct cf_loop *loop, cf_timer_fn *fn, void *arg)
{
    struct cf_timer *t = cf_calloc(1, sizeof *t);
    *t = (struct cf_timer){.fn = fn, .arg = arg};
    t->event = event_new(loop->base, -1, 0, timer_fired, t);
    need(t->event != NULL, "timer");
    return t;
}

void cf_timer_free(struct cf_timer *t)
{
    if (!t) return;
    event_free(t->event);
    free(t);
}

/* Once and again are two kinds of event to libevent; a change of kind is a new assignment. */
static void timer_set(struct cf_timer *t, cf_ms ms, bool again)
{
    struct timeval tv = tv_of(ms);
    event_del(t->event);
    if (again != (t->period != 0))
        event_assign(t->event, event_get_base(t->event), -1, again ? EV_PERSIST : 0, timer_fired,
                     t);
    t->period = again ? (ms ? ms : 1) : 0;
    event_add(t->event, &tv);
}

void cf_timer_after(struct cf_timer *t, cf_ms delay)
{
    timer_set(t, delay, false);
}

void cf_timer_every(struct cf_timer *t, cf_ms period)
{
    timer_set(t, period, true);
}

void cf_timer_stop(struct cf_timer *t)
{
    event_del(t->event);
}

/* ---- wake-ups ------------------------------------------------------------------------------ */

static void woken(evutil_socket_t fd, short what, void *arg)
{
    struct cf_wake *w = arg;
    uint64_t count;
    (void)what;
    if (read((int)fd, &count, sizeof count) != (ssize_t)sizeof count) return;
    /* Before fn: who asks from now on is answered by another call. */
    atomic_store(&w->asked, false);
    w->fn(w->arg);
}

struct cf_wake *cf_wake_new(struct cf_loop *loop, cf_wake_fn *fn, void *arg)
{
    struct cf_wake *w = cf_calloc(1, sizeof *w);
    *w = (struct cf_wake){.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .fn = fn, .arg = arg};
    need(w->fd >= 0, "eventfd");
    w->event = event_new(loop->base, w->fd, EV_READ | EV_PERSIST, woken, w);
    need(w->event && event_add(w->event, NULL) == 0, "wake-up");
    return w;
}

void cf_wake_free(struct cf_wake *w)
{
    if (!w) return;
    event_free(w->event);
    close(w->fd);
    free(w);
}

void cf_wake_up(struct cf_wake *w)
{
    const uint64_t one = 1;
    if (atomic_exchange(&w->asked, true)) return;
    /* EAGAIN means the counter is full: the loop will wake anyway. */
    while (write(w->fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

int cf_wake_fd(const struct cf_wake *w)
{
    return w->fd;
}

/* ---- descriptors and signals --------------------------------------------------------------- */

static void readable(evutil_socket_t fd, short what, void *arg)
{
    struct cf_watch *w = arg;
    (void)what;
    w->fn(w->arg, (int)fd);
}

struct cf_watch *cf_watch_new(struct cf_loop *loop, int fd, cf_watch_fn *fn, void *arg)
{
    struct cf_watch *w = cf_calloc(1, sizeof *w);
    *w = (struct cf_watch){.fn = fn, .arg = arg};
    w->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, readable, w);
    need(w->event && event_add(w->event, NULL) == 0, "watch");
    return w;
}

void cf_watch_free(struct cf_watch *w)
{
    if (!w) return;
    event_free(w->event);
    free(w);
}

static void signalled(evutil_socket_t signo, short what, void *arg)
{
    struct cf_signal *s = arg;
    (void)what;
    s->fn(s->arg, (int)signo);
}

struct cf_signal *cf_signal_new(struct cf_loop *loop, int signo, cf_signal_fn *fn, void *arg)
{
    struct cf_signal *s = cf_calloc(1, sizeof *s);
    *s = (struct cf_signal){.fn = fn, .arg = arg};
    s->event = event_new(loop->base, signo, EV_SIGNAL | EV_PERSIST, signalled, s);
    need(s->event && event_add(s->event, NULL) == 0, "signal handler");
    return s;
}

void cf_signal_free(struct cf_signal *s)
{
    if (!s) return;
    event_free(s->event);
    free(s);
}
