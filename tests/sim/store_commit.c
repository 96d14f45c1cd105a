/* store_commit -- the one transaction: guards, then everything.
 *
 * Guards as those of common/io/stage/sql and of the statements made from columns: shard epoch,
 * position, place of a loaded row, primary keys. A commit is one step: all of it or nothing. */
#include "common/pure/hash.h"
#include "tests/sim/store_inside.h"

#include <stdlib.h>

enum { LATE_MS = 3000 };

struct sim_watch sim_watch;

/* ---- guards ---------------------------------------------------------------------------------- */

/* Acknowledgements alone change nothing else: the shard must stand where the stage believes. */
static bool stands_still(const struct store_mem *s, const struct cf_commit *c,
                         const struct cf_commit_shard *h)
{
    return c->n_cursors || (s->data->shards[h->part].journal_seq == h->journal_seq &&
                            s->data->shards[h->part].last_now == h->last_now);
}

static int guard_shards(const struct store_mem *s, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_shards && !sim_opt.no_epoch_guard; i++)
        if (!store_is_mine(s, c->shards[i].part, c->shards[i].epoch) ||
            !stands_still(s, c, &c->shards[i]))
            return CF_E_FENCED;
    return 0;
}

static int guard_cursors(const struct store_mem *s, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_cursors && !sim_opt.no_offset_guard; i++) {
        const struct cf_commit_cursor *k = &c->cursors[i];
        if (s->data->shards[k->part].in[k->topic].last_offset != k->old_offset) return CF_E_FENCED;
    }
    return 0;
}

static int guard_place(const struct row *row, const struct cf_place *place)
{
    struct cf_place is = {0};
    store_place(row, &is);
    if (place->there == CF_THERE_NOT && row) return CF_E_DATA; /* the primary key */
    if (place->there != CF_THERE_YES || sim_opt.no_place_guard) return 0;
    return row && !memcmp(is.at, place->at, sizeof is.at) ? 0 : CF_E_DB;
}

static int guard_rows(const struct store_mem *s, const struct cf_commit *c)
{
    struct sim_store *d = s->data;
    int e = 0;
    for (size_t i = 0; i < c->n_rows && !e; i++) {
        const struct cf_load_row *x = c->rows[i];
        e = guard_place(*store_row(d, false, x->kind, x->part, &x->key), &x->place);
    }
    for (size_t i = 0; i < c->n_aux && !e; i++) {
        struct cf_key key = store_key_of_id(c->aux[i].id);
        e = guard_place(*store_row(d, true, c->aux[i].aux, c->aux[i].part, &key), &c->aux[i].place);
    }
    for (size_t i = 0; i < c->n_journal && !e; i++) {
        const struct journal_row *last = d->shards[c->journal[i].part].last;
        if (last && c->journal[i].seq <= last->seq) e = CF_E_DATA; /* the primary key */
    }
    return e;
}

static void apply_streams(struct sim_store *d, const struct cf_commit *c)
{
    size_t bytes = SIM_PARTS * sizeof(int64_t);
    for (size_t i = 0; i < c->n_shards; i++) {
        const struct cf_commit_shard *h = &c->shards[i];
        if (h->journal_seq < d->shards[h->part].journal_seq ||
            h->acked_seq < d->shards[h->part].acked_seq)
            sim_broken("%s: shard %d: the journal's numbers go back", d->service->name, h->part);
        d->shards[h->part].last_now = h->last_now;
        d->shards[h->part].journal_seq = h->journal_seq;
        d->shards[h->part].acked_seq = h->acked_seq;
    }
    for (size_t i = 0; i < c->n_cursors; i++) {
        const struct cf_commit_cursor *k = &c->cursors[i];
        if (k->new_offset <= d->shards[k->part].in[k->topic].last_offset)
            sim_broken("%s: shard %d: a position goes back", d->service->name, k->part);
        d->shards[k->part].in[k->topic].last_offset = k->new_offset;
        d->shards[k->part].in[k->topic].last_hash = k->hash;
        memcpy(d->shards[k->part].in[k->topic].last_no, k->last_no, bytes);
    }
    for (size_t i = 0; i < c->n_outputs; i++) {
        const struct cf_commit_output *o = &c->outputs[i];
        memcpy(d->shards[o->part].out[o->topic].last_no, o->last_no, bytes);
        memcpy(d->shards[o->part].out[o->topic].acked_no, o->acked_no, bytes);
        memcpy(d->shards[o->part].out[o->topic].acked_offset, o->acked_offset, bytes);
    }
}

static struct cf_str keep(struct cf_str s)
{
    char *p = cf_malloc(s.len + 1);
    if (s.len) memcpy(p, s.ptr, s.len);
    return (struct cf_str){p, s.len};
}

static void apply_rows(struct sim_store *d, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_rows; i++)
        store_save_row(d, false, c->rows[i]->kind, c->rows[i]->part, &c->rows[i]->key,
                       c->rows[i]->row);
    for (size_t i = 0; i < c->n_aux; i++) {
        const struct cf_commit_aux *x = &c->aux[i];
        struct cf_key key = store_key_of_id(x->id);
        if (d->service->aux[x->aux].insert_only && *store_row(d, true, x->aux, x->part, &key))
            continue;
        store_save_row(d, true, x->aux, x->part, &key, x->row);
    }
}

static void apply_work(struct sim_store *d, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_drops; i++) {
        struct work_row **at = store_work(d, c->drops[i].part, c->drops[i].id), *w = *at;
        if (!w) continue;
        *at = w->next;
        free((char *)(uintptr_t)w->work.args.ptr);
        free(w);
    }
    for (size_t i = 0; i < c->n_puts; i++) {
        struct work_row **at = store_work(d, c->puts[i].part, c->puts[i].id);
        if (!*at) *at = cf_calloc(1, sizeof **at);
        free((char *)(uintptr_t)(*at)->work.args.ptr);
        (*at)->work = c->puts[i];
        (*at)->work.args = keep(c->puts[i].args);
    }
}

static void apply_parked(struct sim_store *d, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_parked; i++) {
        struct parked_row *p = cf_calloc(1, sizeof *p);
        *p = (struct parked_row){.next = d->shards[c->parked[i].part].parked,
                                 .topic = c->parked[i].topic,
                                 .offset = c->parked[i].offset,
                                 .index = c->parked[i].index};
        if (!cf_key_bytes(c->parked[i].key.ptr, c->parked[i].key.len, &p->key)) p->key.len = 0;
        d->shards[c->parked[i].part].parked = p;
        d->n_parked++;
        sim_note("%s parks %.*s: %s", d->service->name, CF_ARG(c->parked[i].type),
                 c->parked[i].reason);
        if (sim_watch.parked) sim_watch.parked(d->service, &p->key);
    }
}

static void apply_journal(struct sim_store *d, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_journal; i++) {
        struct journal_row *j = cf_calloc(1, sizeof *j);
        int16_t part = c->journal[i].part;
        j->seq = c->journal[i].seq;
        j->messages = keep(c->journal[i].messages);
        if (d->shards[part].last)
            d->shards[part].last->next = j;
        else
            d->shards[part].first = j;
        d->shards[part].last = j;
    }
}

/* The newest time of the records that a position passes over. */
static cf_ms newest_of(const struct sim_store *d, const struct cf_commit_cursor *k)
{
    const struct sim_topic *topic = sim_topic(d->service->in[k->topic].name);
    cf_ms newest = 0;
    for (int64_t o = k->old_offset + 1; o <= k->new_offset; o++)
        if (topic->parts[k->part].v[o]->at > newest) newest = topic->parts[k->part].v[o]->at;
    return newest;
}

/* The stage's time is that of its records: it never goes back, and no clock is in it. */
static void check_time(const struct sim_store *d, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_shards; i++) {
        const struct cf_commit_shard *h = &c->shards[i];
        cf_ms newest = d->shards[h->part].last_now;
        if (h->last_now < newest)
            sim_broken("%s: shard %d: time goes back", d->service->name, h->part);
        for (size_t k = 0; k < c->n_cursors; k++) {
            if (c->cursors[k].part != h->part) continue;
            cf_ms at = newest_of(d, &c->cursors[k]);
            if (at > newest) newest = at;
        }
        if (h->last_now > newest)
            sim_broken("%s: shard %d: its time is that of no record", d->service->name, h->part);
    }
}

static int apply(struct store_mem *s, const struct cf_commit *c)
{
    int e = guard_shards(s, c);
    if (!e) e = guard_cursors(s, c);
    if (!e) e = guard_rows(s, c);
    if (e) return e;
    check_time(s->data, c);
    for (size_t i = 0; i < c->n_shards; i++)
        if (s->data->shards[c->shards[i].part].lost)
            sim_broken("%s: shard %d goes on without commits that were lost",
                       s->data->service->name, c->shards[i].part);
    apply_streams(s->data, c);
    apply_rows(s->data, c);
    apply_journal(s->data, c);
    apply_work(s->data, c);
    apply_parked(s->data, c);
    if (sim_watch.commit) sim_watch.commit(s->data, c);
    return 0;
}

static void save_later(struct store_mem *s, const struct cf_commit *c)
{
    size_t bytes = SIM_PARTS * sizeof(int64_t);
    struct late_save *l = cf_calloc(1, sizeof *l);
    l->at = sim_now + (cf_ms)sim_below(LATE_MS);
    l->c = (struct cf_commit){.shards = l->shards,
                              .outputs = l->outputs,
                              .n_shards = c->n_shards,
                              .n_outputs = c->n_outputs};
    memcpy(l->shards, c->shards, c->n_shards * sizeof *l->shards);
    memcpy(l->replica, s->replica, 16);
    for (size_t i = 0; i < c->n_outputs; i++) {
        int64_t(*to)[SIM_PARTS] = l->numbers[i];
        const struct cf_commit_output *o = &c->outputs[i];
        memcpy(to[0], o->last_no, bytes);
        memcpy(to[1], o->acked_no, bytes);
        memcpy(to[2], o->acked_offset, bytes);
        l->outputs[i] = (struct cf_commit_output){o->part, o->topic, to[0], to[1], to[2]};
    }
    l->next = s->data->late;
    s->data->late = l;
}

/* The server comes to what a lost connection has left in its buffer. */
static void do_late_saves(struct store_mem *s)
{
    for (struct late_save **at = &s->data->late; *at;) {
        struct late_save *l = *at;
        if (l->at > sim_now) {
            at = &l->next;
            continue;
        }
        struct store_mem as = {.data = s->data};
        memcpy(as.replica, l->replica, 16);
        sim_note("%s: acknowledgements are saved late: %d", s->data->service->name,
                 apply(&as, &l->c));
        *at = l->next;
        free(l);
    }
}

/* ---- the same records once more: the same decision ------------------------------------------- */

static uint64_t hash_records(const struct cf_commit *c)
{
    uint64_t h = 1;
    for (size_t i = 0; i < c->n_shards; i++)
        h = cf_hash64_seed(&c->shards[i].epoch, 8, h + (uint64_t)c->shards[i].part);
    for (size_t i = 0; i < c->n_cursors; i++) {
        const struct cf_commit_cursor *k = &c->cursors[i];
        const int64_t from_to[] = {k->part, k->topic, k->old_offset, k->new_offset};
        h = cf_hash64_seed(from_to, sizeof from_to, h);
    }
    return h;
}

/* Numbers of a pool are not given back, so that messages and arguments with them in may differ. */
static uint64_t hash_decision(const struct sim_store *d, const struct cf_commit *c)
{
    bool whole = !d->service->n_numbers;
    uint64_t h = 1;
    for (size_t i = 0; i < c->n_shards; i++)
        h = cf_hash64_seed(&c->shards[i].last_now, 8, h);
    for (size_t i = 0; i < c->n_journal && whole; i++)
        h = cf_hash64_seed(c->journal[i].messages.ptr, c->journal[i].messages.len, h);
    for (size_t i = 0; i < c->n_puts; i++) {
        const struct cf_work *w = &c->puts[i];
        const int64_t what[] = {w->part, w->kind, w->attempt, w->due};
        h += cf_hash64_seed(what, sizeof what, 1); /* in any order */
        if (whole) h += cf_hash64_seed(w->args.ptr, w->args.len, 1);
    }
    return h + c->n_drops + (c->n_parked << 20) + ((uint64_t)c->n_rows << 40);
}

/* A batch that failed is tried again, later: what it decides may not depend on when. */
static void check_again(struct store_mem *s, const struct cf_commit *c)
{
    if (!c->n_cursors) return;
    /* Another owner may have applied the same records meanwhile; this one is fenced anyway. */
    for (size_t i = 0; i < c->n_shards; i++)
        if (!store_is_mine(s, c->shards[i].part, c->shards[i].epoch)) return;
    uint64_t records = hash_records(c), decision = hash_decision(s->data, c);
    if (records == s->tried.records && decision != s->tried.decision)
        sim_broken("%s decides the same records in another way", sim_replica_name(s->r));
    s->tried.records = records;
    s->tried.decision = decision;
}

/* ---- the door -------------------------------------------------------------------------------- */

int store_commit(void *self, const struct cf_commit *c)
{
    struct store_mem *s = self;
    int e = sim_door(s->r, "commit");
    do_late_saves(s);
    if (e) return e;
    check_again(s, c);
    if (sim_fault(4000)) return CF_E_DB;
    s->in_limbo = sim_fault(4000);
    if (s->in_limbo && !c->n_cursors) save_later(s, c);
    if (s->in_limbo) return CF_E_UNKNOWN;
    e = apply(s, c);
    sim_note("%s commits %zu rows, %zu positions: %d", sim_replica_name(s->r), c->n_rows,
             c->n_cursors, e);
    if (!e) e = sim_door(s->r, "committed");
    if (!e && sim_fault(6000)) e = CF_E_UNKNOWN; /* and now after it */
    return e;
}

int store_verdict(void *self, const struct cf_commit *c, bool *committed)
{
    struct store_mem *s = self;
    int e = store_enter(s, "verdict");
    if (e) return e;
    const struct cf_commit_cursor *k = &c->cursors[0];
    const struct cf_commit_shard *h = c->shards;
    while (h->part != k->part)
        h++;
    *committed = store_is_mine(s, h->part, h->epoch) &&
                 s->data->shards[k->part].in[k->topic].last_offset >= k->new_offset;
    sim_note("%s learns: %s", sim_replica_name(s->r), *committed ? "committed" : "not committed");
    /* What the server had not read yet when it was asked, it may still do. */
    if (s->in_limbo && sim_chance(500000))
        sim_note("%s: a commit comes late: %d", sim_replica_name(s->r), apply(s, c));
    s->in_limbo = false;
    return 0;
}
