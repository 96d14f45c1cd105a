/* replica -- one process of a service: its stage on a fiber, and a front that calls partners.
 *
 * A process that dies gets an error from every door and is told to stop, so that its stage unwinds
 * without touching the world; then it is made anew with nothing in memory. */
#include "cardflow/v1/common.pb-c.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

enum { STACK = 1 << 20, BEAT_MS = 1000, DOWN_MS = 4000, CALL_MS = 400, ARENA = 64 << 20 };

/* A row of work as the front holds it. */
struct item {
    struct cf_work work; /* args are malloc'ed */
    enum { ITEM_QUEUED, ITEM_CALLED, ITEM_DONE } state;
    bool again;
    cf_ms not_before;
};

/* A call under way: the partner answers at `due`. */
struct call {
    struct cf_work work;
    cf_ms due;
};

struct replica {
    enum sim_service service;
    char name[64];
    struct cf_stage *st; /* NULL: down */
    void *log;
    ucontext_t fiber, back;
    char *stack;
    bool dying, stopping, ended;
    struct {
        cf_ms until;
        bool records, acks;
    } wait;
    cf_ms up_at, frozen_until, stage_frozen_until, net_until;
    /* the front */
    struct cf_arena *arena;
    struct item *items;
    struct call *calls;
    size_t n_items, cap_items, n_calls, cap_calls;
    bool load[SIM_PARTS];
    cf_ms next_beat, next_front;
};

struct replica *sim_current;
static struct sim_store *stores[SIM_SERVICES];

struct sim_store *sim_data_of(enum sim_service service)
{
    if (!stores[service]) stores[service] = sim_store_new(sim_service(service));
    return stores[service];
}

struct replica *sim_replica_new(enum sim_service service, int number)
{
    struct replica *r = cf_calloc(1, sizeof *r);
    r->service = service;
    snprintf(r->name, sizeof r->name, "%s-%d", sim_service(service)->name, number);
    r->arena = cf_arena_new(ARENA);
    r->stack = cf_malloc(STACK);
    r->up_at = sim_now;
    sim_data_of(service);
    return r;
}

enum sim_service sim_replica_service(const struct replica *r)
{
    return r->service;
}

const char *sim_replica_name(const struct replica *r)
{
    return r->name;
}

const uint8_t *sim_replica_id(const struct replica *r)
{
    return cf_stage_replica(r->st);
}

void *sim_replica_log(const struct replica *r)
{
    return r->log;
}

void sim_replica_set_log(struct replica *r, void *log)
{
    r->log = log;
}

/* ---- the stage's fiber ----------------------------------------------------------------------- */

static void give_way(struct replica *r)
{
    sim_current = NULL;
    if (swapcontext(&r->fiber, &r->back)) CF_BUG("swapcontext");
}

int sim_door(struct replica *r, const char *what)
{
    if (r->dying) return CF_E_BROKER;
    r->wait.until = sim_now;
    give_way(r);
    if (r->dying) sim_note("%s dies at %s", r->name, what);
    return r->dying ? CF_E_BROKER : 0;
}

void sim_wait(struct replica *r, cf_ms until, bool for_records, bool for_acks)
{
    if (r->dying) return;
    r->wait.until = until;
    r->wait.records = for_records;
    r->wait.acks = for_acks;
    give_way(r);
    r->wait.records = r->wait.acks = false;
}

void sim_pause(cf_ms ms)
{
    if (sim_current) sim_wait(sim_current, sim_now + ms, false, false);
}

static void life(void)
{
    struct replica *r = sim_current;
    struct cf_stage *st = r->st;
    while (st->store->open(st->store->self) && !atomic_load(&st->stop))
        sim_pause(100);
    while (!atomic_load(&st->stop) && !atomic_load(&st->fatal))
        stage_turn(st);
    if (!atomic_load(&st->fatal)) shards_give_all(st);
    r->ended = true;
    give_way(r);
}

static void start(struct replica *r)
{
    static const int batches[] = {1, 3, 10, 50};
    const struct cf_stage_conf conf = {.partitions = SIM_PARTS,
                                       .batch_max = batches[sim_below(4)],
                                       .member_timeout_ms = 3000};
    r->dying = r->stopping = r->ended = false;
    r->st = cf_stage_new(sim_service(r->service), &conf);
    r->st->store = sim_store_door(sim_data_of(r->service), r);
    r->st->log = sim_log_door(r);
    r->next_beat = r->next_front = r->wait.until = sim_now;
    r->frozen_until = r->stage_frozen_until = r->net_until = 0;
    if (getcontext(&r->fiber)) CF_BUG("getcontext");
    r->fiber.uc_stack.ss_sp = r->stack;
    r->fiber.uc_stack.ss_size = STACK;
    makecontext(&r->fiber, life, 0);
    sim_note("%s starts, batches of %d", r->name, conf.batch_max);
}

static void drop_item(struct replica *r, size_t i)
{
    free((char *)(uintptr_t)r->items[i].work.args.ptr);
    r->items[i] = r->items[--r->n_items];
}

static void drop_call(struct replica *r, size_t i)
{
    free((char *)(uintptr_t)r->calls[i].work.args.ptr);
    r->calls[i] = r->calls[--r->n_calls];
}

/* The process is gone: its memory, its front, its calls. */
static void bury(struct replica *r)
{
    while (r->n_items)
        drop_item(r, r->n_items - 1);
    while (r->n_calls)
        drop_call(r, r->n_calls - 1);
    memset(r->load, 0, sizeof r->load);
    if (r->stopping && !r->dying) sim_store_leave(sim_data_of(r->service), sim_replica_id(r));
    cf_stage_free(r->st);
    r->st = NULL;
    r->up_at = sim_now + (cf_ms)sim_below(sim_faults ? DOWN_MS : 100);
    sim_note("%s is gone", r->name);
}

static bool frozen(const struct replica *r)
{
    return sim_now < r->frozen_until;
}

bool sim_stage_ready(const struct replica *r)
{
    if (!r->st) return sim_now >= r->up_at;
    if (frozen(r) || sim_now < r->stage_frozen_until) return false;
    if (r->wait.records && sim_records_wait(r)) return true;
    if (r->wait.acks && sim_acks_wait(r)) return true;
    return sim_now >= r->wait.until;
}

static void check_stage(const struct replica *r)
{
    int fatal = atomic_load(&r->st->fatal);
    if (fatal == CF_E_GAP && sim_store_lost(sim_data_of(r->service)) &&
        strstr(r->st->why, "lost commits"))
        sim_noticed(r->name);
    if (fatal && fatal != CF_E_BROKER)
        sim_broken("%s: fatal: %s: %s", r->name, cf_error_text(fatal), r->st->why);
    for (int i = 0; i < SIM_PARTS; i++)
        if (r->st->shards[i].owned && r->st->shards[i].stopped)
            sim_broken("%s: %s", r->name, r->st->why);
}

void sim_stage_step(struct replica *r)
{
    if (!r->st) {
        start(r);
        return;
    }
    sim_current = r;
    if (swapcontext(&r->back, &r->fiber)) CF_BUG("swapcontext");
    if (!r->dying) check_stage(r);
    if (r->ended) bury(r);
}

/* ---- the front: what commits have told ------------------------------------------------------- */

static size_t find_item(const struct replica *r, int16_t part, const uint8_t id[16])
{
    size_t i = 0;
    while (i < r->n_items &&
           (r->items[i].work.part != part || memcmp(r->items[i].work.id, id, 16)))
        i++;
    return i;
}

static struct cf_work keep_work(const struct cf_work *w)
{
    struct cf_work copy = *w;
    char *args = cf_malloc(w->args.len + 1);
    if (w->args.len) memcpy(args, w->args.ptr, w->args.len);
    copy.args.ptr = args;
    return copy;
}

static void put_item(struct replica *r, const struct cf_work *w)
{
    size_t i = find_item(r, w->part, w->id);
    if (i < r->n_items) {
        struct item *item = &r->items[i];
        free((char *)(uintptr_t)item->work.args.ptr);
        item->work = keep_work(w);
        item->again = item->state == ITEM_CALLED;
        if (item->state == ITEM_DONE) item->state = ITEM_QUEUED;
        return;
    }
    if (r->n_items == r->cap_items) {
        r->cap_items = r->cap_items ? 2 * r->cap_items : 64;
        r->items = cf_realloc(r->items, r->cap_items * sizeof *r->items);
    }
    r->items[r->n_items++] = (struct item){.work = keep_work(w), .state = ITEM_QUEUED};
}

static void loaded(void *arg, const struct cf_work *w)
{
    struct replica *r = arg;
    if (find_item(r, w->part, w->id) == r->n_items) put_item(r, w);
}

static void release(struct replica *r, int16_t part)
{
    for (size_t i = r->n_items; i-- > 0;)
        if (r->items[i].work.part == part) drop_item(r, i);
    r->load[part] = false;
}

static void take_changes(struct replica *r)
{
    struct cf_work_change *changes;
    size_t n = cf_stage_work_take(r->st, r->arena, &changes);
    for (size_t i = 0; i < n; i++) {
        const struct cf_work *w = &changes[i].work;
        size_t at = find_item(r, w->part, w->id);
        switch (changes[i].what) {
        case CF_WORK_PUT: put_item(r, w); break;
        case CF_WORK_DROP:
            if (at < r->n_items) drop_item(r, at);
            break;
        case CF_WORK_SHARD_TAKEN:
            release(r, w->part);
            r->load[w->part] = true;
            break;
        case CF_WORK_SHARD_RELEASED: release(r, w->part); break;
        }
    }
    for (int16_t p = 0; p < SIM_PARTS; p++) {
        if (!r->load[p]) continue;
        r->load[p] = false;
        sim_store_work(sim_data_of(r->service), p, r->arena, loaded, r);
    }
}

/* ---- the front: calls and outcomes ----------------------------------------------------------- */

static void begin_call(struct replica *r, struct item *item)
{
    if (sim_is_timer(r->service, item->work.kind)) {
        const struct sim_answer due = {CARDFLOW__V1__WORK_OUTCOME__RESULT__DUE, NULL, {0}};
        item->state = ITEM_DONE;
        sim_tell_outcome(r->service, r->arena, &item->work, &due);
        return;
    }
    if (r->n_calls == r->cap_calls) {
        r->cap_calls = r->cap_calls ? 2 * r->cap_calls : 64;
        r->calls = cf_realloc(r->calls, r->cap_calls * sizeof *r->calls);
    }
    r->calls[r->n_calls++] =
        (struct call){keep_work(&item->work), sim_now + (cf_ms)sim_below(CALL_MS)};
    item->state = ITEM_CALLED;
}

static void end_call(struct replica *r, size_t i)
{
    const struct cf_work *w = &r->calls[i].work;
    const struct sim_answer x = sim_partner(r->service, w, r->arena);
    sim_tell_outcome(r->service, r->arena, w, &x);
    size_t at = find_item(r, w->part, w->id);
    if (at < r->n_items && r->items[at].state == ITEM_CALLED) {
        r->items[at].state = r->items[at].again ? ITEM_QUEUED : ITEM_DONE;
        r->items[at].again = false;
    }
    drop_call(r, i);
}

static cf_ms item_due(const struct item *item)
{
    if (item->state != ITEM_QUEUED) return INT64_MAX;
    return item->work.due > item->not_before ? item->work.due : item->not_before;
}

/* One call ends, or one piece of work that is due begins; a timer may be late. */
static void work_on(struct replica *r)
{
    for (size_t i = 0; i < r->n_calls; i++)
        if (r->calls[i].due <= sim_now) {
            end_call(r, i);
            return;
        }
    size_t first = r->n_items ? sim_below((uint32_t)r->n_items) : 0;
    for (size_t i = 0; i < r->n_items; i++) {
        struct item *item = &r->items[(first + i) % r->n_items];
        if (item_due(item) > sim_now) continue;
        if (sim_fault(50000))
            item->not_before = sim_now + (cf_ms)sim_below(2000);
        else
            begin_call(r, item);
        return;
    }
}

static cf_ms next_of_front(const struct replica *r)
{
    cf_ms next = r->next_beat;
    for (size_t i = 0; i < r->n_calls; i++)
        if (r->calls[i].due < next) next = r->calls[i].due;
    for (size_t i = 0; i < r->n_items; i++)
        if (item_due(&r->items[i]) < next) next = item_due(&r->items[i]);
    return next;
}

bool sim_front_ready(const struct replica *r)
{
    return r->st && !frozen(r) && (r->st->work_head || sim_now >= r->next_front);
}

void sim_front_step(struct replica *r)
{
    cf_arena_reset(r->arena);
    if (r->st->work_head) take_changes(r);
    if (sim_now >= r->next_beat) {
        sim_store_beat(sim_data_of(r->service), sim_replica_id(r));
        r->next_beat = sim_now + BEAT_MS;
    }
    work_on(r);
    r->next_front = next_of_front(r);
}

bool sim_net_ready(const struct replica *r)
{
    return r->st && !frozen(r) && sim_now >= r->net_until && sim_undelivered(r);
}

cf_ms sim_replica_next(const struct replica *r)
{
    if (!r->st) return r->up_at;
    cf_ms next = r->wait.until, acks = sim_next_ack(r);
    if (r->wait.acks && acks < next) next = acks;
    if (next < r->stage_frozen_until) next = r->stage_frozen_until;
    if (r->next_front < next) next = r->next_front;
    if (sim_undelivered(r) && r->net_until < next) next = r->net_until;
    return next < r->frozen_until ? r->frozen_until : next;
}

/* Nothing of it is under way. */
bool sim_replica_idle(const struct replica *r)
{
    return r->st && !r->n_calls && !sim_undelivered(r) && sim_next_ack(r) == INT64_MAX &&
           !r->st->unacked;
}

/* ---- faults ---------------------------------------------------------------------------------- */

void sim_replica_crash(struct replica *r)
{
    if (!r->st) return;
    sim_note("%s is killed", r->name);
    r->dying = true;
    atomic_store(&r->st->stop, true);
    while (r->st)
        sim_stage_step(r);
}

void sim_replica_stop(struct replica *r)
{
    if (!r->st) return;
    sim_note("%s is asked to stop", r->name);
    r->stopping = true;
    atomic_store(&r->st->stop, true);
}

void sim_replica_freeze(struct replica *r, cf_ms ms, bool stage_alone)
{
    if (!r->st) return;
    sim_note("%s stands still for %lld ms%s", r->name, (long long)ms,
             stage_alone ? ", its stage alone" : "");
    if (stage_alone)
        r->stage_frozen_until = sim_now + ms;
    else
        r->frozen_until = sim_now + ms;
}

void sim_replica_cut(struct replica *r, cf_ms ms)
{
    if (!r->st) return;
    sim_note("%s does not reach the broker for %lld ms", r->name, (long long)ms);
    r->net_until = sim_now + ms;
}

void sim_replica_wake(struct replica *r)
{
    r->frozen_until = r->stage_frozen_until = r->net_until = 0;
}

void sim_replica_free(struct replica *r)
{
    sim_replica_crash(r);
    cf_arena_free(r->arena);
    free(r->items);
    free(r->calls);
    free(r->stack);
    free(r);
}
