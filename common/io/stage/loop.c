/* loop -- the stage thread: takes shards, polls, runs batches, keeps acknowledgements. */
#include "common/io/ids.h"
#include "common/io/memory.h"
#include "common/io/stage/failpoint.h"
#include "common/io/stage/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    STANDING_MS = 1000, /* how often ownership is looked at */
    IDLE_STANDING_MS = 20,
    SAVE_MS = 1000,
    MIRROR_MS = 5000,
    POLL_MS = 100,
    REST_TURNS = 20, /* of POLL_MS */
    ARENA_KEEP = 8 << 20,
    GATHER_FROM = 32, /* records */
    GATHER_MS = 20,
    STACK = 512 << 10
};

int64_t stage_mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void stage_pause(struct cf_stage *st, int ms)
{
    uint32_t random;
    cf_random(&random, sizeof random);
    /* Full jitter, so that replicas do not come back in step. */
    int64_t until = stage_mono_ms() + (int64_t)(random % (uint32_t)(ms + 1));
    do {
        struct timespec t = {.tv_nsec = 5000000};
        nanosleep(&t, NULL);
        atomic_fetch_add(&st->turns, 1); /* waiting counts as being alive */
    } while (stage_mono_ms() < until && !atomic_load(&st->stop));
}

void stage_fail(struct cf_stage *st, int e, const char *why)
{
    snprintf(st->why, sizeof st->why, "%s", why);
    if (e) atomic_store(&st->fatal, e);
}

/* ---- work for the front -----------------------------------------------------------------------
 */

struct work_node *stage_work_node(const struct cf_work *w)
{
    struct work_node *node = cf_malloc(sizeof *node + w->args.len);
    *node = (struct work_node){.change = {.work = *w}};
    if (w->args.len) memcpy(node->args, w->args.ptr, w->args.len);
    node->change.work.args.ptr = node->args;
    return node;
}

void stage_tell_work(struct cf_stage *st, struct work_node *first, struct work_node *last)
{
    pthread_mutex_lock(&st->work_lock);
    if (st->work_tail)
        st->work_tail->next = first;
    else
        st->work_head = first;
    st->work_tail = last;
    pthread_mutex_unlock(&st->work_lock);
    uint64_t one = 1;
    if (write(st->work_fd, &one, sizeof one) < 0) return; /* already readable */
}

void stage_tell_shard(struct cf_stage *st, int16_t part, bool taken)
{
    struct cf_work w = {.part = part};
    struct work_node *node = stage_work_node(&w);
    node->change.what = taken ? CF_WORK_SHARD_TAKEN : CF_WORK_SHARD_RELEASED;
    stage_tell_work(st, node, node);
}

int cf_stage_work_fd(const struct cf_stage *st)
{
    return st->work_fd;
}

size_t cf_stage_work_take(struct cf_stage *st, struct cf_arena *arena,
                          struct cf_work_change **changes)
{
    uint64_t count;
    size_t n = 0;
    if (read(st->work_fd, &count, sizeof count) < 0) count = 0;
    pthread_mutex_lock(&st->work_lock);
    struct work_node *head = st->work_head;
    st->work_head = st->work_tail = NULL;
    pthread_mutex_unlock(&st->work_lock);
    for (struct work_node *node = head; node; node = node->next)
        n++;
    *changes = cf_arena_alloc(arena, (n + 1) * sizeof **changes);
    for (size_t i = 0; head; i++) {
        struct work_node *next = head->next;
        (*changes)[i] = head->change;
        (*changes)[i].work.args = cf_arena_str(arena, head->change.work.args);
        free(head);
        head = next;
    }
    return n;
}

/* ---- the loop ----------------------------------------------------------------------------------
 */

static void away(struct cf_stage *st, int e)
{
    if (cf_error_class(e) == CF_FATAL) {
        /* Whoever ended the stage has said why; else it was the store. */
        if (!atomic_load(&st->fatal)) stage_fail(st, e, st->store->why(st->store->self));
        return;
    }
    atomic_store(&st->postgres_up, false);
    snprintf(st->why, sizeof st->why, "postgresql: %s", st->store->why(st->store->self));
    stage_pause(st, 500);
}

static void show(struct cf_stage *st)
{
    int64_t now = stage_mono_ms(), oldest = 0;
    int stopped = 0;
    for (int i = 0; i < st->conf.partitions; i++) {
        const struct shard *h = &st->shards[i];
        if (h->owned && h->acked_seq < h->journal_seq && now - h->oldest_since > oldest)
            oldest = now - h->oldest_since;
        stopped += h->owned && h->stopped;
    }
    atomic_store(&st->oldest_unsent, oldest);
    atomic_store(&st->n_stopped, stopped);
}

static void mirror(struct cf_stage *st)
{
    struct cf_position *at = cf_calloc((size_t)st->conf.partitions * st->n_in, sizeof *at);
    atomic_store(&st->lag, st->log->mirror(st->log->self, at, shards_positions(st, at)));
    free(at);
}

static int chores(struct cf_stage *st)
{
    int64_t now = stage_mono_ms();
    int e = publish_acks(st, 0);
    if (e) {
        stage_fail(st, e, st->log->why(st->log->self));
        return e;
    }
    if (now >= st->next_standing) {
        e = shards_turn(st);
        st->next_standing = now + (st->owned ? STANDING_MS : IDLE_STANDING_MS);
        if (!e) atomic_store(&st->postgres_up, true);
    }
    if (!e && st->owned && now >= st->next_save) {
        e = publish_save(st);
        st->next_save = now + SAVE_MS;
        if (e == CF_E_FENCED) e = shards_recheck(st);
    }
    if (!e && st->owned && now >= st->next_mirror) {
        mirror(st);
        st->next_mirror = now + MIRROR_MS;
    }
    show(st);
    atomic_store(&st->kafka_up, st->log->up(st->log->self));
    if (e) away(st, e);
    return e;
}

/* Busy, but not behind: a batch costs much the same whatever it holds, so the next one may fill. A
 * few records, as of one application alone, never wait. */
static void gather(void)
{
    struct timespec t = {.tv_nsec = GATHER_MS * 1000000L};
    nanosleep(&t, NULL);
}

/* After a while without records, memory that bursts have taken goes back to the system. */
static void rest(struct cf_stage *st, size_t n)
{
    st->resting = n ? 0 : st->resting + 1;
    if (st->resting != REST_TURNS) return;
    cf_arena_reset(st->arena);
    cf_arena_trim(st->arena);
    cf_memory_rest();
}

/* The log lost records of a partition: its shard stands still until a person has looked, the
 * others go on. */
static int stop_at_gap(struct cf_stage *st)
{
    int32_t part = st->log->gap ? st->log->gap(st->log->self) : -1;
    if (part < 0 || part >= st->conf.partitions || !st->shards[part].owned) return CF_E_GAP;
    shard_stop(st, &st->shards[part], "the log does not hold what comes next");
    snprintf(st->why, sizeof st->why, "shard %d stopped: %s", (int)part,
             st->log->why(st->log->self));
    return 0;
}

void stage_turn(struct cf_stage *st)
{
    size_t n = 0;
    atomic_fetch_add(&st->turns, 1);
    if (chores(st)) return;
    if (st->owned == 0) {
        stage_pause(st, IDLE_STANDING_MS);
        return;
    }
    if (st->unacked > UNACKED_MAX) {
        if (publish_acks(st, 20)) return;
        return;
    }
    int e = st->log->poll(st->log->self, st->records, st->batch_now, POLL_MS, &n);
    size_t most = (size_t)st->conf.batch_max * BEHIND;
    st->batch_now = n < st->batch_now ? (size_t)st->conf.batch_max
                    : 2 * n < most    ? 2 * n
                                      : most;
    rest(st, n);
    if (e == CF_E_GAP) e = stop_at_gap(st);
    if (n) {
        int late = batch_run(st, st->records, n);
        if (!e) e = late;
    }
    if (n >= GATHER_FROM && n < st->batch_now) gather();
    /* Only now: it lets go of the records. */
    if (st->assign_again && shards_assign(st) == 0) st->assign_again = false;
    st->log->done(st->log->self);
    if (e && cf_error_class(e) == CF_FATAL && !atomic_load(&st->fatal))
        stage_fail(st, e, st->log->why(st->log->self));
}

static void open_store(struct cf_stage *st)
{
    int e;
    while ((e = st->store->open(st->store->self)) && !atomic_load(&st->stop) &&
           !atomic_load(&st->fatal))
        away(st, e);
    if (!e) atomic_store(&st->postgres_up, true);
}

static void *thread(void *arg)
{
    struct cf_stage *st = arg;
    open_store(st);
    while (!atomic_load(&st->stop) && !atomic_load(&st->fatal))
        stage_turn(st);
    if (!atomic_load(&st->fatal)) shards_give_all(st);
    atomic_store(&st->ended, true);
    return NULL;
}

/* ---- making it ----------------------------------------------------------------------------------
 */

struct cf_stage *cf_stage_new(const struct cf_service *service, const struct cf_stage_conf *conf)
{
    struct cf_stage *st = cf_calloc(1, sizeof *st);
    st->service = service;
    st->conf = *conf;
    st->n_in = cf_inputs(service);
    st->n_out = cf_outputs(service);
    cf_uuid4(st->replica);
    st->arena = cf_arena_new(ARENA_MAX);
    cf_arena_keep(st->arena, ARENA_KEEP);
    st->batch_now = (size_t)conf->batch_max;
    st->records = cf_calloc(BEHIND * (size_t)conf->batch_max, sizeof *st->records);
    cf_buf_init(&st->journal, ARENA_MAX / 2);
    pthread_mutex_init(&st->work_lock, NULL);
    st->work_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    st->causes = cf_calloc(st->n_in, sizeof *st->causes);
    for (size_t i = 0; i < st->n_in; i++)
        snprintf(st->causes[i], sizeof st->causes[i], "%s/%s", service->name, service->in[i].name);
    shards_make(st);
    return st;
}

int cf_stage_start(struct cf_stage *st)
{
    pthread_attr_t attr;
    st->store = cf_store_pg(st->service, &st->conf, st->replica);
    st->log = cf_log_kafka(st->service, &st->conf);
    if (!st->log || st->work_fd < 0 || st->conf.partitions > 256) return CF_E_CONFIG;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    int e = pthread_create(&st->thread, &attr, thread, st) ? CF_E_CONFIG : 0;
    pthread_attr_destroy(&attr);
    st->started = !e;
    return e;
}

void cf_stage_stop(struct cf_stage *st)
{
    atomic_store(&st->stop, true);
}

bool cf_stage_join(struct cf_stage *st, int wait_ms)
{
    int64_t until = stage_mono_ms() + wait_ms;
    if (!st->started) return true;
    while (!atomic_load(&st->ended) && stage_mono_ms() < until) {
        struct timespec t = {.tv_nsec = 2000000};
        nanosleep(&t, NULL);
    }
    if (!atomic_load(&st->ended)) return false;
    pthread_join(st->thread, NULL);
    st->started = false;
    return true;
}

void cf_stage_free(struct cf_stage *st)
{
    struct cf_work_change *changes;
    if (!st) return;
    if (st->started) CF_BUG("the stage thread is still running");
    if (st->work_fd >= 0) cf_stage_work_take(st, st->arena, &changes);
    if (st->log) st->log->free(st->log->self);
    if (st->store) st->store->free(st->store->self);
    shards_free(st);
    cf_arena_free(st->arena);
    cf_buf_free(&st->journal);
    free(st->records);
    free(st->causes);
    close(st->work_fd);
    pthread_mutex_destroy(&st->work_lock);
    free(st);
}

const uint8_t *cf_stage_replica(const struct cf_stage *st)
{
    return st->replica;
}

void cf_stage_view(const struct cf_stage *st, struct cf_stage_view *v)
{
    *v = (struct cf_stage_view){
        .owned = atomic_load(&st->owned_view),
        .turns = atomic_load(&st->turns),
        .records = atomic_load(&st->n_records),
        .steps = atomic_load(&st->n_steps),
        .batches = atomic_load(&st->n_batches),
        .messages = atomic_load(&st->n_messages),
        .parked = atomic_load(&st->n_parked),
        .dead_letters = atomic_load(&st->n_dead),
        .duplicates = atomic_load(&st->n_duplicates),
        .fenced = atomic_load(&st->n_fenced),
        .retries = atomic_load(&st->n_retries),
        .lag = atomic_load(&st->lag),
        .oldest_unsent_ms = atomic_load(&st->oldest_unsent),
        .postgres_up = atomic_load(&st->postgres_up),
        .kafka_up = atomic_load(&st->kafka_up),
        .fatal = atomic_load(&st->fatal),
        .stopped = atomic_load(&st->n_stopped),
        .why = st->why,
    };
    for (int i = 0; i < 4; i++)
        v->owned_mask[i] = atomic_load(&st->owned_mask[i]);
}
