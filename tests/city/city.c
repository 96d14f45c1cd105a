/* city -- processes of services, one each, driven by hand. */
#include "tests/city/city.h"

#include "common/pure/hash.h"

#include <stdlib.h>

enum { BATCH = 50, ARENA = 64 << 20, TOLD = 1 << 17, WORK = 4096 };

struct replica {
    enum sim_service service;
    struct cf_stage *st;
    void *log;
};

struct replica *sim_current; /* none: nothing gives way here */
static struct replica replicas[SIM_SERVICES];
static size_t n_replicas;
static struct sim_store *stores[SIM_SERVICES];
static struct cf_arena *arena;
static city_seen *watcher;

/* ---- what the log and the store ask of a process --------------------------------------------- */

struct sim_store *sim_data_of(enum sim_service service)
{
    if (!stores[service]) stores[service] = sim_store_new(sim_service(service));
    return stores[service];
}

enum sim_service sim_replica_service(const struct replica *r)
{
    return r->service;
}

const char *sim_replica_name(const struct replica *r)
{
    return sim_service(r->service)->name;
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

int sim_door(struct replica *r, const char *what)
{
    (void)r;
    (void)what;
    return 0;
}

void sim_wait(struct replica *r, cf_ms until, bool for_records, bool for_acks)
{
    (void)r;
    (void)until;
    (void)for_records;
    (void)for_acks;
}

void sim_pause(cf_ms ms)
{
    sim_now += ms > 0 ? ms : 1;
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void stage_step(struct replica *r)
{
    sim_store_beat(sim_data_of(r->service), sim_replica_id(r));
    stage_turn(r->st);
    int fatal = atomic_load(&r->st->fatal);
    if (fatal) sim_broken("%s: %s: %s", sim_replica_name(r), cf_error_text(fatal), r->st->why);
    for (int i = 0; i < SIM_PARTS; i++)
        if (!r->st->shards[i].owned || r->st->shards[i].stopped)
            sim_broken("%s: shard %d stands still: %s", sim_replica_name(r), i, r->st->why);
}

/* What commits have told the front is read from the rows themselves. */
static void forget_changes(struct replica *r)
{
    struct cf_work_change *changes;
    if (r->st->work_head) (void)cf_stage_work_take(r->st, arena, &changes);
}

void city_begin(const enum sim_service *services, size_t n)
{
    const struct cf_stage_conf conf = {
        .partitions = SIM_PARTS, .batch_max = BATCH, .member_timeout_ms = 3000};
    arena = cf_arena_new(ARENA);
    for (size_t i = 0; i < n; i++) {
        struct replica *r = &replicas[n_replicas++];
        r->service = services[i];
        r->st = cf_stage_new(sim_service(r->service), &conf);
        r->st->store = sim_store_door(sim_data_of(r->service), r);
        r->st->log = sim_log_door(r);
        sim_store_beat(sim_data_of(r->service), sim_replica_id(r));
        if (r->st->store->open(r->st->store->self)) CF_BUG("a store does not open");
    }
    sim_now += 4000; /* whoever has lived for three seconds may take shards */
    for (size_t i = 0; i < n_replicas; i++) {
        struct replica *r = &replicas[i];
        for (int turns = 0; r->st->owned < SIM_PARTS && turns < 100; turns++) {
            sim_store_beat(sim_data_of(r->service), sim_replica_id(r));
            stage_turn(r->st);
            sim_now += 1000;
        }
        stage_step(r);
    }
}

void city_batch(int records)
{
    for (size_t i = 0; i < n_replicas; i++) {
        replicas[i].st->conf.batch_max = records < BATCH ? records : BATCH;
        replicas[i].st->batch_now = (size_t)replicas[i].st->conf.batch_max;
    }
}

void city_watch(city_seen *seen)
{
    watcher = seen;
}

struct cf_arena *city_arena(void)
{
    return arena;
}

bool city_turn(void)
{
    size_t first = sim_below((uint32_t)n_replicas);
    cf_arena_reset(arena);
    if (sim_chance(300000)) sim_now++;
    for (size_t i = 0; i < n_replicas; i++) {
        struct replica *r = &replicas[(first + i) % n_replicas];
        bool records = sim_records_wait(r), undelivered = sim_undelivered(r);
        if (!records && !undelivered) continue;
        if (undelivered && (!records || sim_chance(500000))) return sim_deliver(r);
        stage_step(r);
        forget_changes(r);
        if (watcher) watcher(r->service);
        return true;
    }
    return false;
}

bool city_settle(long turns)
{
    for (; turns > 0; turns--)
        if (!city_turn() && !city_banks_read()) return true;
    return false;
}

/* ---- work at the fronts ---------------------------------------------------------------------- */

static uint64_t told[TOLD]; /* hashes; 0: free */
static size_t n_told;

static size_t slot_of(enum sim_service service, const struct cf_work *w, uint64_t *h)
{
    const int64_t what[] = {service, w->part, w->kind, w->attempt, w->due};
    *h = cf_hash64_seed(w->id, 16, cf_hash64(what, sizeof what)) | 1;
    size_t i = *h % TOLD;
    while (told[i] && told[i] != *h)
        i = (i + 1) % TOLD;
    return i;
}

struct search {
    enum sim_service service;
    cf_ms until;
    struct city_work *out;
    size_t n, max;
};

static void look(void *arg, const struct cf_work *w)
{
    struct search *s = arg;
    uint64_t h;
    if (w->due > s->until || told[slot_of(s->service, w, &h)]) return;
    size_t at = s->n < s->max ? s->n : s->max;
    while (at && s->out[at - 1].work.due > w->due)
        at--;
    if (at == s->max) return;
    size_t end = s->n < s->max ? s->n : s->max - 1;
    memmove(&s->out[at + 1], &s->out[at], (end - at) * sizeof *s->out);
    s->out[at] = (struct city_work){s->service, *w};
    if (s->n < s->max) s->n++;
}

size_t city_work(cf_ms until, struct city_work *out, size_t max)
{
    struct search s = {.until = until, .out = out, .max = max};
    for (size_t i = 0; i < n_replicas; i++) {
        s.service = replicas[i].service;
        for (int16_t p = 0; p < SIM_PARTS; p++)
            sim_store_work(sim_data_of(s.service), p, arena, look, &s);
    }
    return s.n;
}

void city_tell(const struct city_work *w, const struct sim_answer *x)
{
    uint64_t h;
    size_t i = slot_of(w->service, &w->work, &h);
    if (!told[i] && ++n_told > TOLD / 4 * 3) CF_BUG("too much work for this table");
    told[i] = h;
    sim_tell_outcome(w->service, arena, &w->work, x);
}

struct find {
    const uint8_t *id;
    cf_ms due;
};

static void find(void *arg, const struct cf_work *w)
{
    struct find *f = arg;
    if (!memcmp(w->id, f->id, 16)) f->due = w->due;
}

cf_ms city_work_due(enum sim_service service, int16_t part, const uint8_t id[16])
{
    struct find f = {.id = id};
    sim_store_work(sim_data_of(service), part, arena, find, &f);
    return f.due;
}
