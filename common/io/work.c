#include "common/io/work.h"

#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/work_inside.h"

#include <stdio.h>
#include <stdlib.h>

/* The wall clock may be moved (by an operator or a test), so waiting for it is cut short. */
#ifdef CARDFLOW_TEST_HOOKS
enum { LOOK_EVERY_MS = 100 };
#else
enum { LOOK_EVERY_MS = 1000 };
#endif

struct cf_work_call {
    struct cf_work_pool *pool;
    struct kind *kind;
    struct cf_work_call *next, *prev;
    void *own;
    int64_t since_us;
    size_t n, left;
    struct called {
        struct cf_work work;
        bool done;
    } items[];
};

struct kind *work_kind(struct cf_work_pool *pool, uint16_t kind)
{
    for (size_t i = 0; i < pool->conf.n_workers; i++)
        if (pool->kinds[i].worker->kind == kind) return &pool->kinds[i];
    /* A newer program's: its rows stay in the table for it. */
    if (!pool->unknown_said) cf_log(LOG_ERROR, "work.unknown_kind", F("kind", kind));
    pool->unknown_said = true;
    return NULL;
}

/* ---- lanes: due, and waiting for a call ------------------------------------------------------ */

static void lane_add(struct kind *k, struct work_item *item, cf_ms mono)
{
    struct lane *lane = &k->lanes[item->work.part];
    item->laned = true;
    item->laned_at = mono;
    item->next = NULL;
    item->prev = lane->tail;
    if (lane->tail)
        lane->tail->next = item;
    else
        lane->head = item;
    lane->tail = item;
    lane->n++;
    k->waiting++;
}

static void lane_drop(struct kind *k, struct work_item *item)
{
    struct lane *lane = &k->lanes[item->work.part];
    if (item->prev)
        item->prev->next = item->next;
    else
        lane->head = item->next;
    if (item->next)
        item->next->prev = item->prev;
    else
        lane->tail = item->prev;
    item->laned = false;
    lane->n--;
    k->waiting--;
}

static void remove_item(struct cf_work_pool *pool, struct work_item *item)
{
    if (item->laned) lane_drop(work_kind(pool, item->work.kind), item);
    mirror_remove(&pool->mirror, item);
}

/* ---- changes --------------------------------------------------------------------------------- */

static struct work_item *hold(struct cf_work_pool *pool, const struct cf_work *w)
{
    struct kind *k = work_kind(pool, w->kind);
    return k ? mirror_add(&pool->mirror, w, &k->held) : NULL;
}

void work_hold(struct cf_work_pool *pool, struct work_shard *s, const struct cf_work *w)
{
    const struct kind *k = work_kind(pool, w->kind);
    if (k && k->held < pool->items_max) {
        mirror_queue(&pool->mirror, hold(pool, w));
    } else if (k) {
        s->behind |= (uint64_t)1 << (k - pool->kinds);
        if (w->due < s->behind_from) s->behind_from = w->due;
    }
}

/* A row written anew is work anew, even with the attempt it had: the stage has seen the outcome,
 * or will see that this one is stale. Two calls of one id never run at the same time. */
static void put(struct cf_work_pool *pool, const struct cf_work *w)
{
    struct work_shard *s = &pool->shards[w->part];
    struct work_item *old = mirror_find(&pool->mirror, w->part, w->id);
    struct cf_work_call *call = old ? old->call : NULL;
    load_touch(s, w->id);
    if (old) remove_item(pool, old);
    if (w->due > load_reach(s)) return;
    if (!call) {
        work_hold(pool, s, w);
        return;
    }
    struct work_item *item = hold(pool, w);
    if (!item) return;
    item->call = call;
    item->again = true;
}

static void drop(struct cf_work_pool *pool, const struct cf_work *w)
{
    struct work_item *item = mirror_find(&pool->mirror, w->part, w->id);
    load_touch(&pool->shards[w->part], w->id);
    if (item) remove_item(pool, item);
}

static void release(struct cf_work_pool *pool, int16_t part)
{
    load_end(pool, part);
    for (size_t i = 0; i < pool->conf.n_workers; i++) {
        struct kind *k = &pool->kinds[i];
        while (k->lanes[part].head)
            lane_drop(k, k->lanes[part].head);
    }
    mirror_remove_part(&pool->mirror, part);
}

void cf_work_pool_apply(struct cf_work_pool *pool, const struct cf_work_change *changes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct cf_work *w = &changes[i].work;
        if (w->part < 0 || w->part >= pool->conf.partitions) CF_BUG("no such shard");
        switch (changes[i].what) {
        case CF_WORK_SHARD_TAKEN:
            release(pool, w->part);
            load_begin(pool, w->part);
            break;
        case CF_WORK_SHARD_RELEASED: release(pool, w->part); break;
        case CF_WORK_PUT:
            if (pool->shards[w->part].owned) put(pool, w);
            break;
        case CF_WORK_DROP: drop(pool, w); break;
        }
    }
    if (n) cf_wake_up(pool->wake);
}

/* ---- calls ----------------------------------------------------------------------------------- */

size_t cf_work_count(const struct cf_work_call *call)
{
    return call->n;
}

const struct cf_work *cf_work_item(const struct cf_work_call *call, size_t i)
{
    return &call->items[i].work;
}

void **cf_work_own(struct cf_work_call *call)
{
    return &call->own;
}

static void unlink_call(struct cf_work_call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        call->pool->calls = call->next;
    if (call->next) call->next->prev = call->prev;
}

static void free_call(struct cf_work_call *call)
{
    unlink_call(call);
    for (size_t i = 0; i < call->n; i++)
        free((void *)(uintptr_t)call->items[i].work.args.ptr);
    free(call->own);
    free(call);
}

static void end_call(struct cf_work_call *call)
{
    struct kind *k = call->kind;
    k->running--;
    if (k->took) cf_observe(k->took, (double)(cf_mono_us() - call->since_us) / 1e6);
    free_call(call);
}

void cf_work_done(struct cf_work_call *call, size_t i, enum cf_work_result result,
                  const char *reason, struct cf_str payload)
{
    struct cf_work_pool *pool = call->pool;
    if (i >= call->n || call->items[i].done) CF_BUG("work is done twice");
    const struct cf_work *w = &call->items[i].work;
    call->items[i].done = true;
    call->kind->items--;
    pool->running--;
    if (call->kind->results[result]) cf_count_add(call->kind->results[result], 1);
    out_add(pool, w, result, reason, payload);
    struct work_item *item = mirror_find(&pool->mirror, w->part, w->id);
    if (item && item->call == call) {
        item->call = NULL;
        if (item->again) mirror_queue(&pool->mirror, item);
        item->again = false;
    }
    if (--call->left == 0) end_call(call);
    cf_wake_up(pool->wake);
}

static void move_item(struct cf_work_call *call, struct work_item *item)
{
    struct called *c = &call->items[call->n++];
    c->work = item->work;
    item->work.args = (struct cf_str){0}; /* the call owns them now */
    item->call = call;
}

static void run(struct cf_work_pool *pool, struct kind *k, struct lane *lane, size_t n)
{
    struct cf_work_call *call = cf_calloc(1, sizeof *call + n * sizeof call->items[0]);
    call->pool = pool;
    call->kind = k;
    call->since_us = cf_mono_us();
    call->left = n;
    call->next = pool->calls;
    if (call->next) call->next->prev = call;
    pool->calls = call;
    while (n--) {
        struct work_item *item = lane->head;
        lane_drop(k, item);
        move_item(call, item);
    }
    k->running++;
    k->items += call->n;
    pool->running += call->n;
    k->worker->run(pool->conf.own, call); /* the call may be over when this returns */
}

static size_t batch_of(const struct kind *k)
{
    return k->worker->batch_max ? k->worker->batch_max : 1;
}

/* May the lane have its call now, or does it wait for company? */
static bool lane_ready(const struct kind *k, const struct lane *lane, cf_ms mono)
{
    return lane->n && (lane->n >= batch_of(k) ||
                       mono - lane->head->laned_at >= k->worker->linger_ms);
}

/* One call for each shard in turn, so that no shard starves another. */
static void dispatch(struct cf_work_pool *pool, struct kind *k, cf_ms mono)
{
    int max = k->worker->max_calls > 0 ? k->worker->max_calls : 1;
    int idle = 0;
    while (k->waiting && k->running < max && idle < pool->conf.partitions) {
        struct lane *lane = &k->lanes[k->turn];
        k->turn = (k->turn + 1) % pool->conf.partitions;
        if (!lane_ready(k, lane, mono)) {
            idle++;
            continue;
        }
        idle = 0;
        run(pool, k, lane, lane->n < batch_of(k) ? lane->n : batch_of(k));
    }
}

/* ---- a turn ---------------------------------------------------------------------------------- */

static void fall_due(struct cf_work_pool *pool, struct work_item *item, cf_ms mono)
{
    struct kind *k = work_kind(pool, item->work.kind);
    mirror_unqueue(&pool->mirror, item);
    if (k->worker->timer) {
        if (k->results[CF_WORK_DUE]) cf_count_add(k->results[CF_WORK_DUE], 1);
        out_add(pool, &item->work, CF_WORK_DUE, NULL, (struct cf_str){0});
    } else {
        lane_add(k, item, mono);
    }
}

static cf_ms next_linger(const struct cf_work_pool *pool, cf_ms mono)
{
    cf_ms soonest = LOOK_EVERY_MS;
    for (size_t i = 0; i < pool->conf.n_workers; i++) {
        const struct kind *k = &pool->kinds[i];
        for (int p = 0; k->waiting && k->worker->linger_ms && p < pool->conf.partitions; p++) {
            if (!k->lanes[p].n) continue;
            cf_ms in = k->lanes[p].head->laned_at + k->worker->linger_ms - mono;
            if (in > 0 && in < soonest) soonest = in;
        }
    }
    return soonest;
}

static void turn(struct cf_work_pool *pool)
{
    cf_ms now = cf_now_ms(), mono = cf_mono_ms();
    struct work_item *item;
    if (pool->stopping) return;
    load_turn(pool, now, mono);
    if (pool->unsent < WORK_UNSENT_MAX) {
        while ((item = mirror_first(&pool->mirror)) && item->work.due <= now)
            fall_due(pool, item, mono);
        for (size_t i = 0; i < pool->conf.n_workers; i++)
            dispatch(pool, &pool->kinds[i], mono);
    }
    out_turn(pool, mono);
    cf_ms wait = next_linger(pool, mono);
    item = mirror_first(&pool->mirror);
    if (item && item->work.due - now < wait) wait = item->work.due - now;
    if (pool->failed && pool->send_again_at - mono < wait) wait = pool->send_again_at - mono;
    /* What is overdue here waits for the log: it wakes us. */
    cf_timer_after(pool->timer, wait > 0 ? wait : pool->unsent < WORK_UNSENT_MAX ? 1 : 20);
}

static void woken(void *arg)
{
    turn(arg);
}

static void ticked(void *arg, cf_ms now)
{
    (void)now;
    turn(arg);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct cf_work_pool *cf_work_pool_new(const struct cf_work_conf *conf)
{
    struct cf_work_pool *pool = cf_calloc(1, sizeof *pool);
    if (conf->n_workers > WORK_KINDS_MAX) CF_BUG("too many kinds of work");
    pool->conf = *conf;
    pool->doors = *conf->doors;
    pool->items_max = conf->items_max ? conf->items_max : WORK_ITEMS_MAX;
    snprintf(pool->topic, sizeof pool->topic, "%s.internal", conf->service);
    snprintf(pool->source, sizeof pool->source, "%s/front", conf->service);
    mirror_init(&pool->mirror);
    pool->shards = cf_calloc((size_t)conf->partitions, sizeof *pool->shards);
    pool->kinds = cf_calloc(conf->n_workers, sizeof *pool->kinds);
    for (size_t i = 0; i < conf->n_workers; i++) {
        pool->kinds[i].worker = &conf->workers[i];
        pool->kinds[i].lanes = cf_calloc((size_t)conf->partitions, sizeof(struct lane));
    }
    pool->wake = cf_wake_new(conf->loop, woken, pool);
    pool->timer = cf_timer_new(conf->loop, ticked, pool);
    if (conf->metrics) work_measure(pool, conf->metrics);
    cf_timer_after(pool->timer, LOOK_EVERY_MS);
    return pool;
}

void cf_work_pool_free(struct cf_work_pool *pool)
{
    if (!pool) return;
    pool->stopping = true;
    while (pool->calls)
        free_call(pool->calls);
    for (int p = 0; p < pool->conf.partitions; p++)
        free(pool->shards[p].touched.ids);
    out_free(pool);
    for (size_t i = 0; i < pool->conf.n_workers; i++)
        free(pool->kinds[i].lanes);
    cf_timer_free(pool->timer);
    cf_wake_free(pool->wake);
    mirror_free(&pool->mirror);
    free(pool->kinds);
    free(pool->shards);
    free(pool);
}
