/* work -- rows of `work` in a batch: what is loaded for outcomes, what is saved, what the front is
 * told. Pieces that begin at once go together, see bundle.h. */
#include "common/io/stage/batch.h"
#include "common/io/stage/bundle.h"

#include <stdlib.h>

static const uint8_t none[16];

/* ---- loading ---------------------------------------------------------------------------------- */

static struct bundle_entry **bundle_at(const struct cf_batch *b, int16_t part, const uint8_t id[16])
{
    struct bundle_entry **at = &b->bundle_table[batch_bucket(b, id, 16, (uint64_t)part)];
    while (*at && ((*at)->part != part || memcmp((*at)->id, id, 16)))
        at = &(*at)->next;
    return at;
}

static void ask_for(struct cf_load *l, int16_t part, const uint8_t id[16])
{
    l->work[l->n_work].part = part;
    memcpy(l->work[l->n_work++].id, id, 16);
}

/* The row that an outcome is of is asked for once: the piece's own, or the one it lies in. */
void batch_name_work(struct cf_batch *b, const struct cf_msg *m, int16_t part, struct cf_load *l)
{
    if (memcmp(m->work_bundle, none, 16) != 0) {
        struct bundle_entry **at = bundle_at(b, part, m->work_bundle);
        if (*at) return;
        *at = cf_arena_zero(b->arena, sizeof **at);
        (*at)->part = part;
        memcpy((*at)->id, m->work_bundle, 16);
        ask_for(l, part, m->work_bundle);
    } else if (!batch_work(b, part, m->work_id)) {
        batch_work_add(b, part, m->work_id);
        ask_for(l, part, m->work_id);
    }
}

static int take_bundle(struct cf_batch *b, struct bundle_entry *bundle, const struct cf_work *row)
{
    struct cf_str rest = row->args;
    bundle->pieces = cf_arena_alloc(b->arena, (row->pieces + 1) * sizeof *bundle->pieces);
    while (rest.len) {
        struct cf_work piece;
        int e = bundle->n < row->pieces ? cf_bundle_next(row, &rest, &piece) : CF_E_DATA;
        if (e) return e;
        struct work_entry *w = batch_work(b, row->part, piece.id);
        if (!w) w = batch_work_add(b, row->part, piece.id);
        w->exists = true;
        w->bundle = bundle;
        w->work = piece;
        bundle->pieces[bundle->n++] = w;
    }
    return 0;
}

int batch_take_work(struct cf_batch *b, const struct cf_load *l)
{
    int e = 0;
    for (size_t i = 0; i < l->n_work && !e; i++) {
        const struct cf_load_work *row = &l->work[i];
        struct bundle_entry *bundle = *bundle_at(b, row->part, row->id);
        if (bundle) {
            if (row->exists) e = take_bundle(b, bundle, &row->work);
            continue;
        }
        struct work_entry *w = batch_work(b, row->part, row->id);
        if (!w) CF_BUG("work that was not named");
        if (w->bundle) continue; /* a row of its own cannot be in another as well */
        w->exists = w->stored = row->exists;
        w->work = row->work;
    }
    return e;
}

/* ---- saving ----------------------------------------------------------------------------------- */

struct saving {
    struct cf_batch *b;
    VECTOR(struct cf_work) puts;
    VECTOR(struct cf_commit_drop) drops;
    VECTOR(struct work_entry *) at_once;
    VECTOR(struct cf_work_change) told;
};

static void tell(struct saving *s, const struct work_entry *e)
{
    struct cf_work_change change = {.what = e->exists ? CF_WORK_PUT : CF_WORK_DROP,
                                    .work = e->work};
    change.work.part = e->part;
    memcpy(change.work.id, e->id, 16);
    PUSH(s->told, s->b->arena, change);
}

static void drop(struct saving *s, int16_t part, const uint8_t id[16])
{
    struct cf_commit_drop d = {.part = part};
    memcpy(d.id, id, 16);
    PUSH(s->drops, s->b->arena, d);
}

static void save_entry(struct saving *s, struct work_entry *e)
{
    if (!e->changed) return;
    if (e->exists && e->at_once) {
        PUSH(s->at_once, s->b->arena, e); /* told when its row is known */
        return;
    }
    if (e->exists)
        PUSH(s->puts, s->b->arena, e->work);
    else if (!e->bundle)
        drop(s, e->part, e->id);
    tell(s, e);
}

/* What is left of a loaded row, under its id. */
static void save_bundle(struct saving *s, const struct bundle_entry *bundle)
{
    struct cf_work *left = cf_arena_alloc(s->b->arena, (bundle->n + 1) * sizeof *left);
    size_t n = 0;
    for (size_t i = 0; i < bundle->n; i++)
        if (!bundle->pieces[i]->changed) left[n++] = bundle->pieces[i]->work;
    if (n == bundle->n) return;
    if (n == 0) {
        drop(s, bundle->part, bundle->id);
        return;
    }
    struct cf_work row = cf_bundle_of(s->b->arena, left, n);
    memcpy(row.id, bundle->id, 16);
    PUSH(s->puts, s->b->arena, row);
}

static int by_shard_and_kind(const void *a, const void *b)
{
    const struct work_entry *const *x = a, *const *y = b;
    if ((*x)->part != (*y)->part) return (*x)->part < (*y)->part ? -1 : 1;
    if ((*x)->work.kind != (*y)->work.kind) return (*x)->work.kind < (*y)->work.kind ? -1 : 1;
    return memcmp((*x)->id, (*y)->id, 16);
}

/* How many of the next go into one row. */
static size_t run_of(const struct saving *s, size_t first)
{
    const struct work_entry *e = s->at_once.v[first];
    size_t n = 0, bytes = 0;
    for (; first + n < s->at_once.n && n < CF_BUNDLE_PIECES; n++) {
        const struct work_entry *next = s->at_once.v[first + n];
        bytes += cf_bundle_bytes(&next->work);
        if (next->part != e->part || next->work.kind != e->work.kind) break;
        if (n && bytes > CF_BUNDLE_BYTES) break;
    }
    return n;
}

static void save_at_once(struct saving *s)
{
    struct cf_work *run = cf_arena_alloc(s->b->arena, CF_BUNDLE_PIECES * sizeof *run);
    if (s->at_once.n)
        qsort(s->at_once.v, s->at_once.n, sizeof *s->at_once.v, by_shard_and_kind);
    for (size_t i = 0, n; i < s->at_once.n; i += n) {
        n = run_of(s, i);
        for (size_t k = 0; k < n; k++)
            run[k] = s->at_once.v[i + k]->work;
        struct cf_work row = n > 1 ? cf_bundle_of(s->b->arena, run, n) : *run;
        PUSH(s->puts, s->b->arena, row);
        for (size_t k = 0; k < n; k++) {
            struct work_entry *e = s->at_once.v[i + k];
            if (n > 1) memcpy(e->work.bundle, row.id, 16);
            tell(s, e);
        }
    }
}

void batch_save_work(struct cf_batch *b, struct cf_commit *c)
{
    struct saving s = {.b = b};
    for (size_t i = 0; i < b->buckets; i++)
        for (struct work_entry *e = b->work_table[i]; e; e = e->next)
            save_entry(&s, e);
    for (size_t i = 0; i < b->buckets; i++)
        for (const struct bundle_entry *e = b->bundle_table[i]; e; e = e->next)
            save_bundle(&s, e);
    save_at_once(&s);
    c->puts = s.puts.v;
    c->n_puts = s.puts.n;
    c->drops = s.drops.v;
    c->n_drops = s.drops.n;
    b->told = s.told.v;
    b->n_told = s.told.n;
}
