/* store_door -- the door of a stage to its schema: shards, streams, loading. */
#include "tests/sim/store_inside.h"

#include <stdlib.h>

/* ---- the door: shards ------------------------------------------------------------------------ */

int store_enter(struct store_mem *s, const char *what)
{
    int e = sim_door(s->r, what);
    if (!e && sim_fault(2000)) e = CF_E_DB;
    return e;
}

static int door_open(void *self)
{
    return store_enter(self, "open");
}

static int door_standing(void *self, struct cf_standing *out)
{
    struct store_mem *s = self;
    int e = store_enter(s, "standing");
    if (e) return e;
    struct sim_store *d = s->data;
    *out = (struct cf_standing){.rank = -1};
    size_t me = store_member(d, s->replica);
    if (store_lives(d, s->replica)) {
        out->rank = 0;
        out->steady = d->members[me].steady_since <= sim_now - TIMEOUT_MS;
    }
    for (size_t i = 0; i < d->n_members; i++) {
        if (!store_lives(d, d->members[i].replica)) continue;
        out->alive++;
        out->rank += out->rank >= 0 && memcmp(d->members[i].replica, s->replica, 16) < 0;
    }
    return 0;
}

static int door_take(void *self, const int16_t *held, size_t n_held, int want,
                     struct cf_taken *taken, size_t *n)
{
    struct store_mem *s = self;
    struct sim_store *d = s->data;
    *n = 0;
    int e = store_enter(s, "take");
    for (int16_t p = 0; p < SIM_PARTS && !e && (int)*n < want; p++) {
        bool have = false;
        for (size_t i = 0; i < n_held; i++)
            have = have || held[i] == p;
        bool mine = d->shards[p].owned && !memcmp(d->shards[p].owner, s->replica, 16);
        if (have || (d->shards[p].owned && !mine && store_lives(d, d->shards[p].owner))) continue;
        d->shards[p].owned = true;
        memcpy(d->shards[p].owner, s->replica, 16);
        d->shards[p].epoch++;
        taken[(*n)++] = (struct cf_taken){p, d->shards[p].epoch, d->shards[p].last_now,
                                          d->shards[p].journal_seq, d->shards[p].acked_seq};
        sim_note("%s takes shard %d, epoch %lld", sim_replica_name(s->r), p,
                 (long long)d->shards[p].epoch);
    }
    return e ? e : sim_door(s->r, "taken");
}

static int door_give(void *self, const int16_t *parts, size_t n)
{
    struct store_mem *s = self;
    int e = store_enter(s, "give");
    for (size_t i = 0; i < n && !e; i++)
        if (!memcmp(s->data->shards[parts[i]].owner, s->replica, 16))
            s->data->shards[parts[i]].owned = false;
    return e;
}

bool store_is_mine(const struct store_mem *s, int16_t part, int64_t epoch)
{
    const struct sim_store *d = s->data;
    return d->shards[part].owned && d->shards[part].epoch == epoch &&
           !memcmp(d->shards[part].owner, s->replica, 16);
}

static int door_still(void *self, struct cf_taken *shards, size_t n)
{
    struct store_mem *s = self;
    int e = store_enter(s, "still");
    for (size_t i = 0; i < n && !e; i++)
        if (!store_is_mine(s, shards[i].part, shards[i].epoch)) shards[i].part = -1;
    return e;
}

static int door_streams(void *self, int16_t part, struct cf_shard_streams *out,
                        cf_parked_seen *parked, void *arg)
{
    struct store_mem *s = self;
    const struct sim_store *d = s->data;
    size_t bytes = SIM_PARTS * sizeof(int64_t);
    int e = store_enter(s, "streams");
    if (e) return e;
    for (size_t t = 0; t < d->n_in; t++) {
        out->in[t].last_offset = d->shards[part].in[t].last_offset;
        out->in[t].last_hash = d->shards[part].in[t].last_hash;
        memcpy(out->in[t].last_no, d->shards[part].in[t].last_no, bytes);
    }
    for (size_t t = 0; t < d->n_out; t++) {
        memcpy(out->out[t].last_no, d->shards[part].out[t].last_no, bytes);
        memcpy(out->out[t].acked_no, d->shards[part].out[t].acked_no, bytes);
        memcpy(out->out[t].acked_offset, d->shards[part].out[t].acked_offset, bytes);
    }
    for (const struct parked_row *p = d->shards[part].parked; p; p = p->next)
        parked(arg, part, p->topic, cf_key_str(&p->key));
    return 0;
}

static int door_journal(void *self, int16_t part, int64_t after, cf_journal_seen *seen, void *arg)
{
    struct store_mem *s = self;
    int e = store_enter(s, "journal");
    /* Publishing gives way, and rows may be added then: only those seen by this statement. */
    int64_t until = s->data->shards[part].last ? s->data->shards[part].last->seq : 0;
    for (const struct journal_row *j = s->data->shards[part].first; j && !e && j->seq <= until;
         j = j->next)
        if (j->seq > after) e = seen(arg, part, j->seq, j->messages);
    return e;
}

static int door_numbers(void *self, const char *kind, uint64_t count, uint64_t *first)
{
    struct store_mem *s = self;
    struct sim_store *d = s->data;
    int e = store_enter(s, "numbers");
    if (e) return e;
    size_t i = 0;
    while (i < NUMBERS && d->numbers[i].name && strcmp(d->numbers[i].name, kind))
        i++;
    if (i == NUMBERS) CF_BUG("too many kinds of numbers");
    d->numbers[i].name = kind;
    if (!d->numbers[i].next) d->numbers[i].next = 1;
    *first = d->numbers[i].next;
    d->numbers[i].next += count;
    return 0;
}

/* ---- the door: a batch ----------------------------------------------------------------------- */

static int by_kind_part_key(const void *a, const void *b)
{
    const struct cf_load_row *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return cf_key_cmp(&x->key, &y->key);
}

static int door_load(void *self, struct cf_arena *arena, struct cf_load *l)
{
    struct store_mem *s = self;
    struct sim_store *d = s->data;
    int e = store_enter(s, "load");
    if (e) return e;
    if (l->n_rows) qsort(l->rows, l->n_rows, sizeof *l->rows, by_kind_part_key);
    for (size_t i = 0; i < l->n_rows; i++) {
        struct cf_load_row *x = &l->rows[i];
        const struct row *row = *store_row(d, false, x->kind, x->part, &x->key);
        store_place(row, &x->place);
        if (row) memcpy(x->row, store_load_row(d, arena, row), d->service->kinds[x->kind].size);
    }
    for (size_t i = 0; i < l->n_aux; i++) {
        struct cf_load_aux *x = &l->aux[i];
        struct cf_key key = store_key_of_id(x->id);
        const struct row *row = *store_row(d, true, x->aux, x->part, &key);
        store_place(row, &x->place);
        if (row) x->row = store_load_row(d, arena, row);
    }
    for (size_t i = 0; i < l->n_work; i++) {
        const struct work_row *w = *store_work(d, l->work[i].part, l->work[i].id);
        l->work[i].exists = w != NULL;
        if (!w) continue;
        l->work[i].work = w->work;
        l->work[i].work.args = cf_arena_str(arena, w->work.args);
    }
    return 0;
}

static const char *door_why(void *self)
{
    (void)self;
    return "as the seed wants it";
}

/* ---- making it ------------------------------------------------------------------------------- */

static void door_free(void *self)
{
    free(self);
}

struct cf_store *sim_store_door(struct sim_store *data, struct replica *r)
{
    struct store_mem *s = cf_calloc(1, sizeof *s);
    s->data = data;
    s->r = r;
    memcpy(s->replica, sim_replica_id(r), 16);
    s->door = (struct cf_store){.self = s,
                                .open = door_open,
                                .standing = door_standing,
                                .take = door_take,
                                .give = door_give,
                                .streams = door_streams,
                                .journal = door_journal,
                                .numbers = door_numbers,
                                .load = door_load,
                                .commit = store_commit,
                                .verdict = store_verdict,
                                .still = door_still,
                                .why = door_why,
                                .free = door_free};
    return &s->door;
}
