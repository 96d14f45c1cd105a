#include "common/io/clock.h"
#include "common/io/http_internal.h"
#include "common/pure/error.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_START 2048
#define IN_KEEP 16384 /* a larger buffer is given back after the request */
#define OUT_MAX (64u << 20)
#define BODY_TRUST (1u << 20) /* what has come already, before room is made for all of a body */
#define OUT_KEEP 65536
#define OUT_AHEAD 65536 /* unsent bytes above which no further request is looked at */
#define WRITE_MS 30000
#define LINGER_MS 2000
#define LINGER_BYTES (16u << 20)

/* ---- life ---------------------------------------------------------------------------------- */

static void set_reading(struct cf_conn *c, bool on)
{
    if (c->reading == on) return;
    c->reading = on;
    if (on)
        event_add(c->readable, NULL);
    else
        event_del(c->readable);
}

static void set_writing(struct cf_conn *c, bool on)
{
    if (c->writing == on) return;
    c->writing = on;
    if (on)
        event_add(c->writable, NULL);
    else
        event_del(c->writable);
}

/* Lets go of the request at the handler: its text stays valid in the buffer that it takes along. */
static void detach(struct cf_conn *c)
{
    struct cf_req *r = c->req;
    c->req = NULL;
    if (!r) return;
    if (!r->handed) {
        cf_req_free(r);
        return;
    }
    r->kept = c->in;
    r->kept_cap = c->in_cap;
    r->conn = NULL;
    c->in = NULL;
    c->in_cap = c->in_len = c->in_at = 0;
    if (!r->waiting) return;
    r->waiting = false;
    r->ready(r->ready_arg); /* finds the client gone, and ends */
}

void cf_conn_free(struct cf_conn *c)
{
    struct cf_http *http = c->http;
    detach(c);
    if (c->prev)
        c->prev->next = c->next;
    else
        http->conns = c->next;
    if (c->next) c->next->prev = c->prev;
    http->n_conns--;
    http->in_bytes -= c->in_cap;
    event_free(c->readable);
    event_free(c->writable);
    close(c->fd);
    free(c->in);
    cf_buf_free(&c->out);
    free(c);
}

static void finish(struct cf_conn *c)
{
    if (c->broken) cf_conn_free(c);
}

/* ---- bytes in ------------------------------------------------------------------------------ */

/* Room for more bytes of the current request; grows with what has come, so that a client cannot
 * claim memory by announcing a body. Above 1 MB it is made at once: doubling would hold one and a
 * half bodies while it copies. False: all requests together hold too much. */
static bool make_room(struct cf_conn *c)
{
    if (c->in_at) {
        memmove(c->in, c->in + c->in_at, c->in_len - c->in_at);
        c->in_len -= c->in_at;
        c->in_at = 0;
    }
    if (c->in_len < c->in_cap) return true;
    size_t cap = c->in_cap ? 2 * c->in_cap : IN_START;
    if (c->state == CF_CONN_BODY) {
        size_t whole = c->req->head.size + (size_t)c->req->head.length;
        if ((cap > whole || c->in_len >= BODY_TRUST) && whole > c->in_cap) cap = whole;
    }
    if (cap > IN_KEEP && c->http->in_bytes + cap - c->in_cap > c->http->conf.bodies_max)
        return false;
    c->in = cf_realloc(c->in, cap);
    c->http->in_bytes += cap - c->in_cap;
    c->in_cap = cap;
    return true;
}

static void refuse_busy(struct cf_conn *c)
{
    static const struct cf_head_wrong busy = {503,  "busy", "Too many large requests at a time",
                                              NULL, NULL,   NULL};
    if (!c->req) c->req = cf_req_take(c);
    c->close_after = c->linger = true;
    cf_req_refuse(c->req, &busy);
}

static void read_some(struct cf_conn *c)
{
    if (!make_room(c)) {
        refuse_busy(c);
        return;
    }
    ssize_t n = recv(c->fd, c->in + c->in_len, c->in_cap - c->in_len, 0);
    if (n > 0) {
        /* From the first byte of a request on it has a time in which to be complete. */
        if (c->state == CF_CONN_HEAD && c->in_len == c->in_at)
            c->deadline = cf_mono_ms() + c->http->conf.head_ms;
        c->in_len += (size_t)n;
    } else if (n == 0) {
        c->ended = true;
        set_reading(c, false);
    } else if (errno != EAGAIN && errno != EINTR) {
        c->broken = true;
    }
}

static void discard_some(struct cf_conn *c)
{
    char waste[16384];
    ssize_t n = recv(c->fd, waste, sizeof waste, 0);
    if (n > 0) c->dropped += (size_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || c->dropped > LINGER_BYTES)
        c->broken = true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct cf_conn *c = arg;
    (void)fd, (void)what;
    if (c->state == CF_CONN_LINGER) {
        discard_some(c);
        finish(c);
        return;
    }
    /* At a handler's, or with answers unsent, what comes next has to wait in the kernel. Only then
     * is the event taken off, which costs a system call that most requests do not need. */
    if (c->state == CF_CONN_HANDLE || c->close_after || c->out.len - c->out_at > OUT_AHEAD) {
        set_reading(c, false);
        return;
    }
    c->running = true;
    read_some(c);
    c->running = false;
    if (c->broken)
        cf_conn_free(c);
    else
        cf_conn_run(c);
}

/* ---- bytes out ----------------------------------------------------------------------------- */

/* Closes now, or shuts down and reads on: closing a socket with unread bytes sends a reset, which
 * may overtake the answer. */
static void close_gently(struct cf_conn *c)
{
    if (!c->linger || c->ended) {
        c->broken = true;
        return;
    }
    shutdown(c->fd, SHUT_WR);
    c->state = CF_CONN_LINGER;
    c->deadline = cf_mono_ms() + LINGER_MS;
    c->write_deadline = 0;
    set_reading(c, true);
}

static void send_out(struct cf_conn *c)
{
    while (c->out_at < c->out.len) {
        ssize_t n = send(c->fd, c->out.ptr + c->out_at, c->out.len - c->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) {
            c->broken = true;
            return;
        }
        if (n < 0) {
            if (!c->write_deadline) c->write_deadline = cf_mono_ms() + WRITE_MS;
            set_writing(c, true);
            return;
        }
        c->out_at += (size_t)n;
    }
    set_writing(c, false);
    c->write_deadline = 0;
    c->out_at = 0;
    if (c->out.cap > OUT_KEEP)
        cf_buf_free(&c->out);
    else
        cf_buf_reset(&c->out);
    if (c->close_after && c->state != CF_CONN_HANDLE && c->state != CF_CONN_LINGER) close_gently(c);
}

bool cf_conn_push(struct cf_conn *c)
{
    const struct cf_req *r = c->req;
    c->deadline = cf_mono_ms() +
                  (r->route->route.answer_ms ? r->route->route.answer_ms : c->http->conf.answer_ms);
    /* Inside a run the bytes are sent at its end, which calls ready() if it is waited for. */
    if (c->running || c->out.len - c->out_at <= OUT_AHEAD)
        return c->out.len - c->out_at <= OUT_AHEAD;
    if (!c->broken) send_out(c);
    if (!c->broken) return c->out.len - c->out_at <= OUT_AHEAD;
    cf_conn_free(c);
    return false;
}

/* True: the handler of an answer in parts was called, which may have ended the connection. */
static bool tell_ready(struct cf_conn *c)
{
    struct cf_req *r = c->req;
    if (c->broken || !r || !r->waiting || c->out.len - c->out_at > OUT_AHEAD) return false;
    r->waiting = false;
    r->ready(r->ready_arg);
    return true;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct cf_conn *c = arg;
    (void)fd, (void)what;
    if (!c->req || !c->req->waiting) {
        cf_conn_run(c);
        return;
    }
    send_out(c);
    if (!tell_ready(c)) finish(c);
}

/* ---- one request after the other ------------------------------------------------------------ */

static struct cf_str unread(const struct cf_conn *c)
{
    return (struct cf_str){c->in + c->in_at, c->in_len - c->in_at};
}

static void refuse_head(struct cf_conn *c, const struct cf_head_wrong *wrong)
{
    c->close_after = c->linger = true;
    cf_req_refuse(c->req, wrong);
}

/* Head complete? Then a request is made of it. False: nothing more to do now. */
static bool step_head(struct cf_conn *c)
{
    struct cf_head_wrong wrong;
    struct cf_str bytes = unread(c);
    if (bytes.len == 0) return false;
    struct cf_req *r = c->req ? c->req : cf_req_take(c);
    c->req = r;
    switch (cf_head_parse(bytes, &c->seen, &r->head, &wrong)) {
    case CF_HEAD_MORE:
        return false;
    case CF_HEAD_WRONG:
        r->head.n = 0;
        refuse_head(c, &wrong);
        return false;
    case CF_HEAD_GOOD:
        break;
    }
    cf_req_rebase(r, bytes.ptr);
    /* A refused request whose body is still on its way is the last: what would have to be read to
     * find the next one may be anything. */
    bool all_here = bytes.len - r->head.size >= r->head.length;
    if (!cf_http_admit(r, all_here)) return !c->close_after;
    c->state = CF_CONN_BODY;
    cf_ms more = (cf_ms)(r->head.length >> 16) * 1000;
    c->deadline = cf_mono_ms() + c->http->conf.body_ms + more;
    if (r->head.expects_continue && bytes.len == r->head.size)
        cf_buf_adds(&c->out, CF_STR("HTTP/1.1 100 Continue\r\n\r\n"));
    return true;
}

static bool step_body(struct cf_conn *c)
{
    struct cf_req *r = c->req;
    struct cf_str bytes = unread(c);
    size_t whole = r->head.size + (size_t)r->head.length;
    if (bytes.len < whole) return false;
    cf_req_rebase(r, bytes.ptr);
    r->pub.body = (struct cf_str){bytes.ptr + r->head.size, (size_t)r->head.length};
    c->state = CF_CONN_HANDLE;
    c->deadline = cf_mono_ms() +
                  (r->route->route.answer_ms ? r->route->route.answer_ms : c->http->conf.answer_ms);
    cf_http_hand(r);
    return c->state == CF_CONN_HEAD;
}

void cf_conn_answered(struct cf_conn *c)
{
    struct cf_req *r = c->req;
    if (!r->head.keep_alive || c->http->draining) c->close_after = true;
    c->in_at += r->head.size + (size_t)r->head.length;
    if (c->in_at > c->in_len) c->in_at = c->in_len; /* refused before its body was here */
    c->req = NULL;
    c->seen = 0;
    c->state = CF_CONN_HEAD;
    if (c->in_at == c->in_len) c->in_at = c->in_len = 0;
    if (c->in_len == 0 && c->in_cap > IN_KEEP) {
        c->http->in_bytes -= c->in_cap;
        free(c->in);
        c->in = NULL;
        c->in_cap = 0;
    }
    c->deadline = cf_mono_ms() + (c->in_len ? c->http->conf.head_ms : c->http->conf.idle_ms);
}

void cf_conn_run(struct cf_conn *c)
{
    bool more = true;
    if (c->running) return;
    c->running = true;
    while (more && !c->broken && !c->close_after) {
        if (c->out.len - c->out_at > OUT_AHEAD) send_out(c);
        if (c->broken || c->out.len - c->out_at > OUT_AHEAD) break;
        if (c->state == CF_CONN_HEAD)
            more = step_head(c);
        else if (c->state == CF_CONN_BODY)
            more = step_body(c);
        else
            more = false;
    }
    c->running = false;
    /* What is not complete now never will be. */
    if (c->ended && !more && c->state != CF_CONN_HANDLE) c->close_after = true;
    if (!c->broken) send_out(c);
    if (!c->broken && c->state != CF_CONN_HANDLE && !c->ended && !c->close_after && !c->writing)
        set_reading(c, true);
    if (!tell_ready(c)) finish(c);
}

/* ---- deadlines ------------------------------------------------------------------------------ */

static void time_out(struct cf_conn *c)
{
    static const struct cf_head_wrong slow = {
        408, "request_timeout", "The request took too long to arrive", NULL, NULL, NULL};
    static const struct cf_head_wrong late = {
        503, "timeout", "No answer in time; the outcome is not known", NULL, NULL, NULL};
    bool handled = c->state == CF_CONN_HANDLE;
    struct cf_req *r = c->req;
    if (handled && r->ready) { /* half an answer is out: it can only be cut */
        cf_conn_free(c);
        return;
    }
    c->close_after = c->linger = true;
    if (handled) {
        /* The handler keeps its request, and this answer is written with another one. */
        struct cf_req *own = cf_req_take(c);
        memcpy(own->pub.trace_id, r->pub.trace_id, sizeof own->pub.trace_id);
        own->without_body = r->without_body;
        detach(c);
        c->req = own;
        cf_req_refuse(own, &late);
    } else if (r) {
        cf_req_refuse(r, &slow);
    } else {
        c->broken = true; /* idle */
        finish(c);
    }
}

void cf_conn_tick(struct cf_conn *c, cf_ms now)
{
    if (c->write_deadline && now >= c->write_deadline) {
        cf_conn_free(c);
        return;
    }
    if (!c->deadline || now < c->deadline) return;
    /* Answered and waiting only for the client to take it: that is write_deadline's. */
    if (c->close_after && c->state != CF_CONN_LINGER) return;
    if (c->state == CF_CONN_HEAD && c->out_at < c->out.len) return;
    if (c->state == CF_CONN_LINGER)
        cf_conn_free(c);
    else
        time_out(c);
}

/* ---- opening -------------------------------------------------------------------------------- */

void cf_conn_open(struct cf_http *http, int fd, const char *remote)
{
    struct event_base *base = cf_loop_base(http->loop);
    struct cf_conn *c = cf_calloc(1, sizeof *c);
    c->http = http;
    c->fd = fd;
    c->next = http->conns;
    if (c->next) c->next->prev = c;
    http->conns = c;
    http->n_conns++;
    cf_buf_init(&c->out, OUT_MAX);
    snprintf(c->remote, sizeof c->remote, "%s", remote);
    c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
    c->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
    if (!c->readable || !c->writable) CF_BUG("an event cannot be made");
    c->deadline = cf_mono_ms() + http->conf.idle_ms;
    set_reading(c, true);
}
