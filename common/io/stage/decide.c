/* decide -- loads what the messages of a batch concern, and lets the service decide, in order. */
#include "common/io/stage/batch.h"

#include "common/pure/hash.h"

/* ---- tables of what the batch touches ------------------------------------------------------- */

size_t batch_bucket(const struct cf_batch *b, const void *p, size_t n, uint64_t seed)
{
    return cf_hash64_seed(p, n, seed) & (b->buckets - 1);
}

struct row_entry *batch_row(const struct cf_batch *b, uint16_t kind, const struct cf_key *key)
{
    struct row_entry *e = b->row_table[batch_bucket(b, key->b, key->len, kind)];
    while (e && (e->load->kind != kind || !cf_key_eq(&e->load->key, key)))
        e = e->next;
    return e;
}

struct work_entry *batch_work(struct cf_batch *b, int16_t part, const uint8_t id[16])
{
    struct work_entry *e = b->work_table[batch_bucket(b, id, 16, (uint64_t)part)];
    while (e && (e->part != part || memcmp(e->id, id, 16)))
        e = e->next;
    return e;
}

struct work_entry *batch_work_add(struct cf_batch *b, int16_t part, const uint8_t id[16])
{
    struct work_entry **head = &b->work_table[batch_bucket(b, id, 16, (uint64_t)part)];
    struct work_entry *e = cf_arena_zero(b->arena, sizeof *e);
    e->part = part;
    memcpy(e->id, id, 16);
    e->next = *head;
    return *head = e;
}

struct aux_entry *batch_aux(struct cf_batch *b, uint16_t aux, int16_t part, const uint8_t id[16])
{
    struct aux_entry *e = b->aux_table[batch_bucket(b, id, 16, aux)];
    while (e && (e->aux != aux || e->part != part || memcmp(e->id, id, 16)))
        e = e->next;
    return e;
}

struct aux_entry *batch_aux_add(struct cf_batch *b, uint16_t aux, int16_t part,
                                const uint8_t id[16])
{
    struct aux_entry **head = &b->aux_table[batch_bucket(b, id, 16, aux)];
    struct aux_entry *e = cf_arena_zero(b->arena, sizeof *e);
    e->aux = aux;
    e->part = part;
    memcpy(e->id, id, 16);
    e->next = *head;
    return *head = e;
}

void batch_keep_work(struct cf_batch *b, struct work_entry *e)
{
    struct undo *u = cf_arena_zero(b->arena, sizeof *u);
    u->work = e;
    u->work_before = *e;
    u->next = b->undo;
    b->undo = u;
}

void batch_keep_aux(struct cf_batch *b, struct aux_entry *e)
{
    struct undo *u = cf_arena_zero(b->arena, sizeof *u);
    u->aux = e;
    u->aux_before = *e;
    u->next = b->undo;
    b->undo = u;
}

/* ---- loading ----------------------------------------------------------------------------------
 */

void batch_make_tables(struct cf_batch *b)
{
    b->buckets = 64;
    while (b->buckets < 2 * b->items.n)
        b->buckets *= 2;
    b->row_table = cf_arena_zero(b->arena, b->buckets * sizeof(void *));
    b->aux_table = cf_arena_zero(b->arena, b->buckets * sizeof(void *));
    b->work_table = cf_arena_zero(b->arena, b->buckets * sizeof(void *));
    b->bundle_table = cf_arena_zero(b->arena, b->buckets * sizeof(void *));
}

static void index_row(struct cf_batch *b, struct cf_load_row *load)
{
    struct row_entry **head = &b->row_table[batch_bucket(b, load->key.b, load->key.len, load->kind)];
    struct row_entry *e = cf_arena_zero(b->arena, sizeof *e);
    e->load = load;
    e->exists = load->place.there == CF_THERE_YES;
    e->next = *head;
    *head = e;
}

/* Names every aggregate and row of work once. */
static void name_rows(struct cf_batch *b, struct cf_load *l)
{
    const struct cf_service *v = b->st->service;
    l->rows = cf_arena_zero(b->arena, (b->items.n + 1) * sizeof *l->rows);
    l->work = cf_arena_zero(b->arena, (b->items.n + 1) * sizeof *l->work);
    for (size_t i = 0; i < b->items.n; i++) {
        const struct cf_msg *m = &b->items.v[i].msg;
        int16_t part = (int16_t)b->records[b->items.v[i].rec].part;
        if (!m->no_row && !batch_row(b, m->kind, &m->key)) {
            struct cf_load_row *row = &l->rows[l->n_rows++];
            row->kind = m->kind;
            row->part = part;
            row->key = m->key;
            row->row = cf_arena_zero(b->arena, v->kinds[m->kind].size);
            index_row(b, row);
        }
        if (m->is_outcome) batch_name_work(b, m, part, l);
    }
    b->rows = l->rows;
    b->n_rows = l->n_rows;
}

/* The row of a message whose row has been named. */
static struct row_entry *named_row(const struct cf_batch *b, const struct cf_msg *m)
{
    struct row_entry *e = batch_row(b, m->kind, &m->key);
    if (!e) CF_BUG("a message whose row was not named");
    return e;
}

/* The store has sorted the rows: index them anew, and keep the work found. */
static int index_loaded(struct cf_batch *b, const struct cf_load *l)
{
    memset(b->row_table, 0, b->buckets * sizeof(void *));
    for (size_t i = 0; i < l->n_rows; i++)
        index_row(b, &l->rows[i]);
    return batch_take_work(b, l);
}

/* Asks for the wide rows of items from `first` on that are not there yet. */
static int load_wide(struct cf_batch *b, size_t first, size_t n)
{
    struct cf_stage *st = b->st;
    struct cf_want *wants = b->wants;
    struct cf_load l = {0};
    VECTOR(struct cf_load_aux) asked = {0};
    if (!st->service->wants) return 0;
    for (size_t i = first; i < first + n; i++) {
        const struct item *item = &b->items.v[i];
        int16_t part = (int16_t)b->records[item->rec].part;
        if (item->msg.no_row) continue;
        const struct row_entry *row = named_row(b, &item->msg);
        size_t k = st->service->wants(row->load->row, &item->msg, wants, WANTS_MAX);
        for (size_t w = 0; w < k; w++) {
            if (batch_aux(b, wants[w].aux, part, wants[w].id)) continue;
            batch_aux_add(b, wants[w].aux, part, wants[w].id);
            struct cf_load_aux a = {.aux = wants[w].aux, .part = part};
            memcpy(a.id, wants[w].id, 16);
            PUSH(asked, b->arena, a);
        }
    }
    l.aux = asked.v;
    l.n_aux = asked.n;
    int e = asked.n ? st->store->load(st->store->self, b->arena, &l) : 0;
    for (size_t i = 0; i < asked.n && !e; i++) {
        struct aux_entry *found = batch_aux(b, asked.v[i].aux, asked.v[i].part, asked.v[i].id);
        if (!found) CF_BUG("a wide row that was not asked for");
        found->row = asked.v[i].row;
        found->place = asked.v[i].place;
    }
    return e;
}

int batch_load(struct cf_batch *b)
{
    struct cf_load l = {0};
    b->wants = cf_arena_alloc(b->arena, WANTS_MAX * sizeof *b->wants);
    name_rows(b, &l);
    int e = b->st->store->load(b->st->store->self, b->arena, &l);
    if (!e) e = index_loaded(b, &l);
    return e ? e : load_wide(b, 0, b->items.n);
}

/* Numbers are taken in blocks, in a transaction of their own, before they are needed. */
int batch_fill_pools(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    size_t *messages = cf_arena_zero(b->arena, (size_t)st->conf.partitions * sizeof *messages);
    int e = 0;
    for (size_t i = 0; i < b->items.n; i++)
        messages[b->records[b->items.v[i].rec].part]++;
    for (int i = 0; i < st->conf.partitions; i++)
        for (size_t k = 0; k < st->service->n_numbers && messages[i] && !e; k++) {
            const struct cf_number_kind *kind = &st->service->numbers[k];
            struct pool *p = &st->shards[i].pools[k];
            uint64_t need = messages[i] * kind->per_message;
            if (p->next == p->end) *p = (struct pool){p->next2, p->end2, 0, 0};
            if (p->end - p->next + p->end2 - p->next2 >= need) continue;
            uint64_t count = need > BLOCK ? need : BLOCK;
            e = st->store->numbers(st->store->self, kind->name, count, &p->next2);
            p->end2 = e ? p->next2 : p->next2 + count;
        }
    return e;
}

/* ---- deciding ---------------------------------------------------------------------------------
 */

/* What a message may change besides its effects, as it was before. */
struct before {
    size_t outs;
    void *row, *pools;
};

static struct before keep_before(struct cf_batch *b, const struct row_entry *row, uint16_t kind,
                                 int16_t part)
{
    const struct cf_service *v = b->st->service;
    return (struct before){
        .outs = b->outs.n,
        .row = row ? cf_arena_dup(b->arena, row->load->row, v->kinds[kind].size) : NULL,
        .pools = cf_arena_dup(b->arena, b->st->shards[part].pools,
                              v->n_numbers * sizeof(struct pool)),
    };
}

static void undo_message(struct cf_batch *b, const struct before *before, struct row_entry *row,
                         int16_t part)
{
    const struct cf_service *v = b->st->service;
    for (struct undo *u = b->undo; u; u = u->next) {
        if (u->aux) {
            u->aux->row = u->aux_before.row;
            u->aux->place = u->aux_before.place;
            u->aux->changed = u->aux_before.changed;
        }
        if (u->work) {
            u->work->exists = u->work_before.exists;
            u->work->changed = u->work_before.changed;
            u->work->at_once = u->work_before.at_once;
            u->work->work = u->work_before.work;
        }
    }
    b->outs.n = before->outs;
    if (row) memcpy(row->load->row, before->row, v->kinds[row->load->kind].size);
    if (v->n_numbers)
        memcpy(b->st->shards[part].pools, before->pools, v->n_numbers * sizeof(struct pool));
}

/* The row of outside work as it stands now; false when this outcome is late or repeated. */
static bool outcome_counts(struct cf_batch *b, struct cf_step *s, struct item *item)
{
    if (!item->msg.is_outcome) return true;
    struct work_entry *w = batch_work(b, s->part, item->msg.work_id);
    if (!w || !w->exists || w->work.attempt != item->msg.attempt) return false;
    struct cf_work *copy = cf_arena_dup(b->arena, &w->work, sizeof w->work);
    item->msg.work = copy;
    batch_keep_work(b, w);
    w->exists = false; /* unless the service puts it again */
    w->changed = true;
    return true;
}

static void decided_error(struct cf_batch *b, const struct item *item, struct cf_step *s, int e)
{
    if (item->msg.optional && e == CF_E_ILLEGAL) return;
    const char *reason = s->reason ? s->reason : cf_error_text(e);
    if (cf_error_class(e) == CF_DEADLETTER && b->st->service->in[s->rec->topic].open)
        batch_dead_letter(b, s->rec, reason);
    else
        batch_park(b, s->rec, item->index, reason);
}

static struct cf_step step_of(struct cf_batch *b, const struct item *item)
{
    const struct cf_record *r = &b->records[item->rec];
    return (struct cf_step){.rec = r,
                            .msg = &item->msg,
                            .now = batch_now(b->st, r),
                            .part = (int16_t)r->part,
                            .index = item->index,
                            .arena = b->arena,
                            .env = b->st->service->env,
                            .batch = b};
}

/* Why this message is parked without being decided; NULL: it is decided. */
static const char *parked_at_once(const struct cf_batch *b, const struct item *item)
{
    size_t from = b->redrive ? b->redrive->force_from : SIZE_MAX; /* record 0 is the command */
    if (b->force_park || (from < SIZE_MAX && item->rec == from + 1))
        return "value cannot be stored";
    if (batch_key_is_parked(b, &b->records[item->rec]))
        return "behind a parked message of the same key";
    return from < SIZE_MAX && item->rec > from ? "behind a record that cannot be stored" : NULL;
}

/* A record of which nothing is decided stays one row. */
static void park_at_once(struct cf_batch *b, size_t i, const char *why)
{
    const struct item *item = &b->items.v[i];
    bool first = i == 0 || b->items.v[i - 1].rec != item->rec;
    if (!first && b->whole_parked == item->rec + 1) return;
    bool whole = first && item->whole;
    if (whole) b->whole_parked = item->rec + 1;
    batch_park(b, &b->records[item->rec], whole ? CF_PARKED_WHOLE : item->index, why);
}

static int decide_one(struct cf_batch *b, size_t i)
{
    const struct cf_service *v = b->st->service;
    struct item *item = &b->items.v[i];
    struct row_entry *row = item->msg.no_row ? NULL : named_row(b, &item->msg);
    struct cf_step s = step_of(b, item);
    b->undo = NULL;
    b->step_error = 0;
    b->step_outs = 0;
    const char *why = parked_at_once(b, item);
    if (why) {
        park_at_once(b, i, why);
        return 0;
    }
    if (!outcome_counts(b, &s, item)) {
        b->duplicates++;
        return 0;
    }
    int e = load_wide(b, i, 1); /* an earlier message of this batch may have changed the need */
    if (e) return e;
    struct before before = keep_before(b, row, item->msg.kind, s.part);
    bool changed = false;
    e = v->decide(&s, row ? row->load->row : NULL, row && row->exists, &changed);
    if (!e) e = b->step_error;
    if (e && cf_error_class(e) != CF_PARK && cf_error_class(e) != CF_DEADLETTER) return e;
    if (e) {
        undo_message(b, &before, row, s.part);
        decided_error(b, item, &s, e);
        return 0;
    }
    if (changed && !row) CF_BUG("a message without a row has changed one");
    if (changed) {
        row->load->changed = row->exists = true;
        row->last_item = (uint32_t)i;
        row->last_outs = b->step_outs;
    }
    if (changed || b->undo) b->steps++;
    return 0;
}

/* What cannot be settled cannot be stored either: each record is tried alone. */
static int settle_one(struct cf_batch *b, const struct row_entry *row)
{
    struct cf_step s = step_of(b, &b->items.v[row->last_item]);
    b->undo = NULL;
    b->step_error = 0;
    b->step_outs = row->last_outs;
    int e = b->st->service->settle(&s, row->load->row);
    if (!e) e = b->step_error;
    return e && (cf_error_class(e) == CF_PARK || cf_error_class(e) == CF_DEADLETTER) ? CF_E_DATA : e;
}

int batch_decide(struct cf_batch *b)
{
    int e = 0;
    for (size_t i = 0; i < b->items.n && !e; i++)
        e = decide_one(b, i);
    for (size_t i = 0; i < b->n_rows && !e && b->st->service->settle; i++)
        if (b->rows[i].changed) e = settle_one(b, batch_row(b, b->rows[i].kind, &b->rows[i].key));
    return e;
}
