/* loop -- the front thread's event loop: timers, wake-ups from other threads, signals, files.
 *
 * Shapes   thin around a libevent base; timers see the time as a number
 * Units    ms; `now` is cf_mono_ms()
 * Owns     timers, wakes, watches and signals belong to whoever made them and are freed before
 *          the loop; each may be freed inside its own call
 * Errors   what cannot be made (no descriptors at start) ends the process with a message
 * Threads  everything on the loop's thread, except cf_wake_up() and cf_loop_stop(), which any
 *          thread may call
 */
#pragma once
#include "common/pure/date.h"

struct cf_loop;
struct cf_timer;
struct cf_wake;
struct cf_watch;
struct cf_signal;
struct event_base;

void cf_loop_free(struct cf_loop *loop);
struct cf_loop *cf_loop_new(void) CF_FREED_BY(cf_loop_free);
/* Runs until cf_loop_stop(). */
void cf_loop_run(struct cf_loop *loop);
/* One turn: what is ready now, waiting at most until the next timer when `wait`. */
void cf_loop_turn(struct cf_loop *loop, bool wait);
void cf_loop_stop(struct cf_loop *loop);
/* For the files of common/io that hang a library on the loop. */
struct event_base *cf_loop_base(struct cf_loop *loop);

typedef void cf_timer_fn(void *arg, cf_ms now);
void cf_timer_free(struct cf_timer *t);
struct cf_timer *cf_timer_new(struct cf_loop *loop, cf_timer_fn *fn, void *arg)
    CF_FREED_BY(cf_timer_free);
/* Once, after this time, or earlier by less than a tick of CLOCK_MONOTONIC_COARSE (4 ms on most
 * kernels), by which libevent counts; a timer that was set is set anew. */
void cf_timer_after(struct cf_timer *t, cf_ms delay);
/* Again and again, first after one period. */
void cf_timer_every(struct cf_timer *t, cf_ms period);
void cf_timer_stop(struct cf_timer *t);

/* Calls fn on the loop's thread after cf_wake_up(); several wake-ups may be one call. */
typedef void cf_wake_fn(void *arg);
void cf_wake_free(struct cf_wake *w);
struct cf_wake *cf_wake_new(struct cf_loop *loop, cf_wake_fn *fn, void *arg)
    CF_FREED_BY(cf_wake_free);
void cf_wake_up(struct cf_wake *w);
/* The eventfd behind it, for libraries that want to write 8 bytes to a descriptor. */
int cf_wake_fd(const struct cf_wake *w);

/* Calls fn while fd is readable; the descriptor stays the caller's. */
typedef void cf_watch_fn(void *arg, int fd);
void cf_watch_free(struct cf_watch *w);
struct cf_watch *cf_watch_new(struct cf_loop *loop, int fd, cf_watch_fn *fn, void *arg)
    CF_FREED_BY(cf_watch_free);

typedef void cf_signal_fn(void *arg, int signo);
void cf_signal_free(struct cf_signal *s);
struct cf_signal *cf_signal_new(struct cf_loop *loop, int signo, cf_signal_fn *fn, void *arg)
    CF_FREED_BY(cf_signal_free);
