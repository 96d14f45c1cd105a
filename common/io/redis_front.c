#include "common/io/redis.h"

#include "common/io/clock.h"
#include "common/io/ids.h"
#include "common/io/redis_wire.h"
#include "common/io/resolve.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BATCH = 256,       /* keys of one MGET */
    CONNECT_MS = 1000, /* for name, connection and greeting together */
    BACKOFF_MS = 50,
    BACKOFF_MAX_MS = 2000,
    DEAD_BUDGETS = 10, /* silent for so many budgets, and at least DEAD_MS: a new connection */
    DEAD_MS = 1000,
    READ_MAX = 1 << 20
};

enum state { DOWN, RESOLVING, CONNECTING, GREETING, UP };

struct batch {
    struct batch *next;
    cf_ms deadline;
    bool late; /* its callbacks have been called; the reply is still to come */
    size_t n;
    struct {
        cf_redis_got *got;
        void *arg;
    } want[BATCH];
};

struct cf_redis_front {
    struct cf_redis_url url;
    int budget_ms;
    size_t max;
    struct event_base *base;
    struct event *flush;   /* the end of this turn of the loop */
    struct event *overdue; /* the oldest batch */
    struct event *again;   /* connect, or give up connecting */
    enum state state;
    struct cf_resolve *resolving;
    struct bufferevent *bev;
    redisReader *reader;
    int greetings; /* replies to come */
    int backoff_ms;
    unsigned attempts;
    struct batch *filling, *first, *last, *spare;
    size_t late;         /* batches */
    struct cf_buf words; /* keys of `filling` */
    bool calling;
    struct cf_redis_view seen;
    char why[96];
};

static void timer_set(struct event *timer, cf_ms ms)
{
    if (ms < 0) ms = 0;
    const struct timeval after = {ms / 1000, ms % 1000 * 1000};
    event_add(timer, &after);
}

/* ---- batches ------------------------------------------------------------------------------- */

static struct batch *batch_new(struct cf_redis_front *r)
{
    struct batch *b = r->spare;
    r->spare = NULL;
    if (!b) b = cf_malloc(sizeof *b);
    b->next = NULL;
    b->late = false;
    b->n = 0;
    b->deadline = cf_mono_ms() + r->budget_ms;
    return b;
}

static void batch_drop(struct cf_redis_front *r, struct batch *b)
{
    if (r->spare)
        free(b);
    else
        r->spare = b;
}

static void call(struct cf_redis_front *r, struct batch *b, size_t i, int e, struct cf_str value)
{
    r->seen.in_flight--;
    r->calling = true;
    b->want[i].got(b->want[i].arg, e, value);
    r->calling = false;
}

static void batch_fail(struct cf_redis_front *r, struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        call(r, b, i, CF_E_NET, (struct cf_str){0});
}

/* When to look at the oldest batch again: at its deadline, or when its silence means death. */
static void watch(struct cf_redis_front *r)
{
    const struct batch *b = r->first;
    if (!b) {
        event_del(r->overdue);
        return;
    }
    cf_ms dead = (cf_ms)r->budget_ms * DEAD_BUDGETS;
    if (dead < DEAD_MS) dead = DEAD_MS;
    cf_ms at = b->late ? b->deadline + dead : b->deadline;
    const struct batch *next = b;
    while (next && next->late)
        next = next->next;
    if (next && next->deadline < at) at = next->deadline;
    timer_set(r->overdue, at - cf_mono_ms());
}

/* ---- the connection ------------------------------------------------------------------------ */

static void connection_end(struct cf_redis_front *r)
{
    cf_resolve_cancel(r->resolving);
    r->resolving = NULL;
    if (r->bev) bufferevent_free(r->bev);
    r->bev = NULL;
    if (r->reader) redisReaderFree(r->reader);
    r->reader = NULL;
    r->state = DOWN;
}

/* Everything under way is answered with CF_E_NET, each once. */
static void fail_all(struct cf_redis_front *r)
{
    struct batch *b = r->first, *filling = r->filling;
    r->first = r->last = r->filling = NULL;
    r->late = 0;
    event_del(r->overdue);
    event_del(r->flush);
    cf_buf_reset(&r->words);
    while (b) {
        struct batch *next = b->next;
        if (!b->late) batch_fail(r, b);
        batch_drop(r, b);
        b = next;
    }
    if (filling) {
        batch_fail(r, filling);
        batch_drop(r, filling);
    }
}

static void lost(struct cf_redis_front *r, const char *why)
{
    snprintf(r->why, sizeof r->why, "%s", why);
    connection_end(r);
    uint32_t random;
    cf_random(&random, sizeof random);
    timer_set(r->again, r->backoff_ms / 2 + (cf_ms)(random % (uint32_t)r->backoff_ms));
    r->backoff_ms = r->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : r->backoff_ms * 2;
    fail_all(r);
}

static void greeted(struct cf_redis_front *r, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        char word[32], why[64];
        cf_redis_error_word(reply, word, sizeof word);
        snprintf(why, sizeof why, "refused the connection: %s", word);
        lost(r, why);
        return;
    }
    if (--r->greetings) return;
    event_del(r->again);
    r->state = UP;
    r->backoff_ms = BACKOFF_MS;
    r->seen.connects++;
    r->why[0] = 0;
}

static void answered(struct cf_redis_front *r, const redisReply *reply)
{
    struct batch *b = r->first;
    if (!b) {
        lost(r, "an answer to no question");
        return;
    }
    r->first = b->next;
    if (!r->first) r->last = NULL;
    bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements == b->n;
    if (b->late) {
        r->late--;
    } else if (!good) {
        if (reply->type == REDIS_REPLY_ERROR) cf_redis_error_word(reply, r->why, sizeof r->why);
        batch_fail(r, b);
    } else {
        for (size_t i = 0; i < b->n; i++) {
            const redisReply *v = reply->element[i];
            struct cf_str value = {0};
            if (v->type == REDIS_REPLY_STRING) value = (struct cf_str){v->str, v->len};
            r->seen.missed += value.ptr == NULL;
            call(r, b, i, 0, value);
        }
    }
    batch_drop(r, b);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct cf_redis_front *r = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    char piece[16384];
    int n;
    while (r->bev == bev && (n = evbuffer_remove(in, piece, sizeof piece)) > 0) {
        void *reply = NULL;
        redisReaderFeed(r->reader, piece, (size_t)n);
        while (r->bev == bev) {
            if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {
                lost(r, "an answer that is not Redis's protocol");
                break;
            }
            if (!reply) break;
            if (r->state == GREETING)
                greeted(r, reply);
            else
                answered(r, reply);
            freeReplyObject(reply);
        }
    }
    if (r->bev == bev) watch(r);
}

static void greet(struct cf_redis_front *r)
{
    struct cf_buf hello;
    int one = 1;
    /* Fails for a Unix socket, which has no such delay. */
    setsockopt(bufferevent_getfd(r->bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    cf_buf_init(&hello, 4096);
    r->greetings = cf_redis_greet(&hello, &r->url);
    bufferevent_write(r->bev, hello.ptr, hello.len);
    cf_buf_free(&hello);
    r->state = GREETING;
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    struct cf_redis_front *r = arg;
    if (what & BEV_EVENT_CONNECTED)
        greet(r);
    else
        lost(r, r->state == CONNECTING ? "cannot connect" : "closed the connection");
}

static void on_resolved(void *arg, int e, const struct cf_addresses *found)
{
    struct cf_redis_front *r = arg;
    r->resolving = NULL;
    if (e) {
        lost(r, "no address for its name");
        return;
    }
    /* Each attempt tries the next address of the name. */
    size_t i = r->attempts++ % found->n;
    struct sockaddr_storage to = found->at[i].to;
    r->state = CONNECTING;
    r->reader = redisReaderCreate();
    r->bev = bufferevent_socket_new(r->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!r->bev || !r->reader) CF_BUG("no connection can be made");
    bufferevent_set_max_single_read(r->bev, READ_MAX);
    bufferevent_set_max_single_write(r->bev, READ_MAX);
    bufferevent_setcb(r->bev, on_read, NULL, on_event, r);
    bufferevent_enable(r->bev, EV_READ | EV_WRITE);
    struct bufferevent *bev = r->bev;
    if (bufferevent_socket_connect(bev, (struct sockaddr *)&to, (int)found->at[i].len) &&
        r->bev == bev)
        lost(r, "cannot connect");
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_redis_front *r = arg;
    if (r->state != DOWN) {
        lost(r, "does not take the connection in time");
        return;
    }
    r->state = RESOLVING;
    timer_set(r->again, CONNECT_MS);
    r->resolving = cf_resolve_start(r->base, r->url.host, r->url.port, on_resolved, r);
}

/* ---- requests ------------------------------------------------------------------------------ */

static void flush(struct cf_redis_front *r)
{
    struct batch *b = r->filling;
    if (!b) return;
    struct cf_buf head;
    cf_buf_init(&head, 64);
    cf_redis_words(&head, b->n + 1);
    cf_redis_word(&head, CF_STR("MGET"));
    struct evbuffer *out = bufferevent_get_output(r->bev);
    evbuffer_add(out, head.ptr, head.len);
    evbuffer_add(out, r->words.ptr, r->words.len);
    cf_buf_free(&head);
    cf_buf_reset(&r->words);
    r->filling = NULL;
    if (r->last)
        r->last->next = b;
    else
        r->first = b;
    r->last = b;
    r->seen.batches++;
    if (r->first == b) watch(r);
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    flush(arg);
}

int cf_redis_get(struct cf_redis_front *r, struct cf_str key, cf_redis_got *got, void *arg)
{
    if (r->state != UP || r->late || r->seen.in_flight >= r->max || key.len > CF_REDIS_KEY_MAX) {
        r->seen.refused++;
        return CF_E_NET;
    }
    if (!r->filling) {
        r->filling = batch_new(r);
        /* Runs after all that this turn of the loop still has to do. */
        event_active(r->flush, EV_TIMEOUT, 0);
    }
    struct batch *b = r->filling;
    cf_redis_word(&r->words, key);
    b->want[b->n].got = got;
    b->want[b->n++].arg = arg;
    r->seen.in_flight++;
    r->seen.requests++;
    if (b->n == BATCH) flush(r);
    return 0;
}

static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_redis_front *r = arg;
    cf_ms now = cf_mono_ms();
    cf_ms dead = (cf_ms)r->budget_ms * DEAD_BUDGETS;
    if (dead < DEAD_MS) dead = DEAD_MS;
    if (r->first && r->first->late && now >= r->first->deadline + dead) {
        lost(r, "does not answer");
        return;
    }
    for (struct batch *b = r->first; b && b->deadline <= now; b = b->next) {
        if (b->late) continue;
        b->late = true;
        r->late++;
        r->seen.late += b->n;
        batch_fail(r, b);
    }
    watch(r);
}

/* ---- life ---------------------------------------------------------------------------------- */

struct cf_redis_front *cf_redis_front_new(struct event_base *base,
                                          const struct cf_redis_front_conf *conf)
{
    struct cf_redis_url url;
    if (!cf_redis_url_parse(conf->url, &url)) return NULL;
    struct cf_redis_front *r = cf_calloc(1, sizeof *r);
    r->url = url;
    r->base = base;
    r->budget_ms = conf->budget_ms ? conf->budget_ms : 20;
    r->max = conf->in_flight ? (size_t)conf->in_flight : 8192;
    r->backoff_ms = BACKOFF_MS;
    cf_buf_init(&r->words, BATCH * (CF_REDIS_KEY_MAX + 32));
    r->flush = evtimer_new(base, on_flush, r);
    r->overdue = evtimer_new(base, on_overdue, r);
    r->again = evtimer_new(base, on_again, r);
    if (!r->flush || !r->overdue || !r->again) CF_BUG("no event");
    snprintf(r->why, sizeof r->why, "not yet connected");
    timer_set(r->again, 0);
    return r;
}

void cf_redis_front_free(struct cf_redis_front *r)
{
    if (!r) return;
    if (r->calling) CF_BUG("freed from inside its callback");
    connection_end(r);
    fail_all(r);
    event_free(r->flush);
    event_free(r->overdue);
    event_free(r->again);
    cf_buf_free(&r->words);
    free(r->spare);
    free(r);
}

void cf_redis_front_view(const struct cf_redis_front *r, struct cf_redis_view *out)
{
    *out = r->seen;
    out->up = r->state == UP && r->late == 0;
    out->why = r->state == UP && r->late ? "answers late" : r->why;
}
