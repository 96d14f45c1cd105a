/* batch -- from records to one commit, and what to do when it does not go through. */
#include "common/io/stage/batch.h"

#include "common/io/stage/failpoint.h"
#include "common/io/metrics.h"
#include "common/io/stage/journal.h"
#include "common/pure/hash.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- remembering and going back ---------------------------------------------------------------
 */

static void snapshot(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    size_t numbers = (st->n_in + st->n_out) * (size_t)st->conf.partitions * sizeof(int64_t);
    for (int i = 0; i < st->conf.partitions; i++)
        st->shards[i].in_batch = false;
    for (size_t i = 0; i < b->n_records; i++) {
        struct shard *h = &st->shards[b->records[i].part];
        if (h->in_batch || !h->owned) continue;
        h->in_batch = true;
        memcpy(h->before.numbers, h->numbers, numbers);
        memcpy(h->before.in, h->in, st->n_in * sizeof *h->in);
        h->before.last_now = h->last_now;
        h->before.journal_seq = h->journal_seq;
    }
}

static void restore(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    size_t numbers = (st->n_in + st->n_out) * (size_t)st->conf.partitions * sizeof(int64_t);
    for (int i = 0; i < st->conf.partitions; i++) {
        struct shard *h = &st->shards[i];
        if (!h->in_batch) continue;
        memcpy(h->numbers, h->before.numbers, numbers);
        memcpy(h->in, h->before.in, st->n_in * sizeof *h->in);
        h->last_now = h->before.last_now;
        h->journal_seq = h->before.journal_seq;
        h->in_batch = false;
    }
    for (size_t i = 0; i < b->parked_keys.n; i++)
        free(b->parked_keys.v[i]);
    b->parked_keys.n = 0;
}

/* ---- the commit ---------------------------------------------------------------------------------
 */

/* Of messages that only tell the newest state, all but the last of each key are left out. */
static void drop_overtaken(struct cf_batch *b)
{
    struct seen {
        struct seen *next;
        const struct out_entry *out;
    } **table = NULL;
    for (size_t i = b->outs.n; i-- > 0;) {
        struct out_entry *o = &b->outs.v[i];
        if (!o->latest) continue;
        if (!table) table = cf_arena_zero(b->arena, b->buckets * sizeof(void *));
        struct seen **head =
            &table[cf_hash64_seed(o->m.key.ptr, o->m.key.len, o->m.topic) & (b->buckets - 1)];
        const struct seen *s = *head;
        while (s && (s->out->m.topic != o->m.topic || !cf_str_eq(s->out->m.key, o->m.key)))
            s = s->next;
        o->overtaken = s != NULL;
        if (s) continue;
        struct seen *first = cf_arena_alloc(b->arena, sizeof *first);
        *first = (struct seen){*head, o};
        *head = first;
    }
    size_t n = 0;
    for (size_t i = 0; i < b->outs.n; i++)
        if (!b->outs.v[i].overtaken) b->outs.v[n++] = b->outs.v[i];
    b->outs.n = n;
}

/* Numbers every message and puts those of each shard into its journal row. */
static void write_journal(struct cf_batch *b, struct cf_commit_journal *rows, size_t *n)
{
    struct cf_stage *st = b->st;
    char name[128];
    for (int i = 0; i < st->conf.partitions; i++) {
        struct shard *h = &st->shards[i];
        bool any = false;
        if (!h->in_batch) continue;
        for (size_t k = 0; k < b->outs.n; k++) {
            struct out_entry *o = &b->outs.v[k];
            if (o->part != h->part) continue;
            if (!any) cf_journal_begin(&st->journal);
            any = true;
            o->m.no = ++h->out[o->m.topic].last_no[o->m.target];
            cf_journal_add(&st->journal, cf_output_name(st->service, o->m.topic, name), &o->m);
        }
        if (!any) continue;
        if (st->journal.full) CF_BUG("a batch of messages larger than the journal's limit");
        rows[(*n)++] = (struct cf_commit_journal){h->part, ++h->journal_seq,
                                                  cf_arena_str(b->arena, cf_buf_str(&st->journal))};
    }
}

static void commit_streams(struct cf_batch *b, struct cf_commit *c)
{
    struct cf_stage *st = b->st;
    size_t p = (size_t)st->conf.partitions;
    struct cf_commit_shard *shards = cf_arena_zero(b->arena, p * sizeof *shards);
    struct cf_commit_cursor *cursors = cf_arena_zero(b->arena, p * st->n_in * sizeof *cursors);
    struct cf_commit_output *outputs = cf_arena_zero(b->arena, p * st->n_out * sizeof *outputs);
    for (size_t i = 0; i < p; i++) {
        struct shard *h = &st->shards[i];
        if (!h->in_batch) continue;
        for (size_t t = 0; t < st->n_in; t++)
            if (h->in[t].last_offset != h->before.in[t].last_offset)
                cursors[c->n_cursors++] = (struct cf_commit_cursor){h->part,
                                                                    (uint16_t)t,
                                                                    h->before.in[t].last_offset,
                                                                    h->in[t].last_offset,
                                                                    h->in[t].last_hash,
                                                                    h->in[t].last_no};
        for (size_t t = 0; t < st->n_out; t++)
            if (memcmp(h->out[t].last_no, h->before.numbers + (st->n_in + t) * p, p * 8))
                outputs[c->n_outputs++] =
                    (struct cf_commit_output){h->part, (uint16_t)t, h->out[t].last_no,
                                              h->out[t].acked_no, h->out[t].acked_offset};
        shards[c->n_shards++] =
            (struct cf_commit_shard){h->part, h->epoch, h->last_now, h->journal_seq, h->acked_seq};
    }
    c->shards = shards;
    c->cursors = cursors;
    c->outputs = outputs;
}

static void commit_rows(struct cf_batch *b, struct cf_commit *c)
{
    const struct cf_load_row **rows = cf_arena_zero(b->arena, (b->n_rows + 1) * sizeof *rows);
    VECTOR(struct cf_commit_aux) aux = {0};
    for (size_t i = 0; i < b->n_rows; i++)
        if (b->rows[i].changed)
            rows[c->n_rows++] = &b->rows[i];
    for (size_t i = 0; i < b->buckets; i++) {
        for (struct aux_entry *e = b->aux_table[i]; e; e = e->next) {
            if (!e->changed) continue;
            struct cf_commit_aux a = {
                .aux = e->aux, .part = e->part, .place = e->place, .row = e->row};
            memcpy(a.id, e->id, 16);
            PUSH(aux, b->arena, a);
        }
    }
    c->rows = rows;
    c->aux = aux.v;
    c->n_aux = aux.n;
    batch_save_work(b, c);
    c->parked = b->parked.v;
    c->n_parked = b->parked.n;
    if (b->redrive && b->redrive->asked) c->unpark = &b->redrive->unpark;
}

static void make_commit(struct cf_batch *b)
{
    struct cf_commit *c = &b->commit;
    struct cf_commit_journal *journal =
        cf_arena_zero(b->arena, (size_t)b->st->conf.partitions * sizeof *journal);
    *c = (struct cf_commit){0};
    drop_overtaken(b);
    write_journal(b, journal, &c->n_journal);
    c->journal = journal;
    commit_streams(b, c);
    commit_rows(b, c);
}

/* The reply was lost: only the cursor row knows. Waits until the database can be asked. */
static int resolve(struct cf_batch *b, bool *committed)
{
    struct cf_stage *st = b->st;
    int e = CF_E_DB;
    for (int wait = 20; e && !atomic_load(&st->stop); wait = wait < 2000 ? 2 * wait : wait) {
        e = st->store->verdict(st->store->self, &b->commit, committed);
        if (e) {
            atomic_store(&st->postgres_up, false);
            stage_pause(st, wait);
        }
    }
    return e;
}

/* ---- after the commit
 * ----------------------------------------------------------------------------- */

static void tell_front(struct cf_batch *b)
{
    struct work_node *first = NULL, *last = NULL;
    for (size_t i = 0; i < b->n_told; i++) {
        struct work_node *node = stage_work_node(&b->told[i].work);
        node->change.what = b->told[i].what;
        if (last)
            last->next = node;
        else
            first = node;
        last = node;
    }
    if (first) stage_tell_work(b->st, first, last);
}

static void call_after_commit(struct cf_batch *b)
{
    const struct cf_service *v = b->st->service;
    size_t n = 0;
    if (!v->after_commit || !b->commit.n_rows) return;
    const struct cf_key **keys = cf_arena_alloc(b->arena, b->commit.n_rows * sizeof *keys);
    const void **rows = cf_arena_alloc(b->arena, b->commit.n_rows * sizeof *rows);
    for (size_t i = 0; i < b->commit.n_rows; i++) {
        if (b->commit.rows[i]->kind) continue;
        keys[n] = &b->commit.rows[i]->key;
        rows[n++] = b->commit.rows[i]->row;
    }
    if (n) v->after_commit(v->env, keys, rows, n);
}

static void keep_parked_keys(struct cf_batch *b)
{
    for (size_t i = 0; i < b->parked_keys.n; i++) {
        struct parked_key *p = b->parked_keys.v[i];
        p->next = b->st->shards[p->part].parked;
        b->st->shards[p->part].parked = p;
    }
}

static void count(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    atomic_fetch_add(&st->n_records, b->n_records);
    atomic_fetch_add(&st->n_steps, b->steps);
    atomic_fetch_add(&st->n_batches, 1);
    atomic_fetch_add(&st->n_messages, b->outs.n);
    atomic_fetch_add(&st->n_parked, b->parked.n);
    atomic_fetch_add(&st->n_dead, b->dead);
    atomic_fetch_add(&st->n_duplicates, b->duplicates);
    atomic_store(&st->postgres_up, true);
    for (size_t i = 0; i < COUNTS_MAX && b->counts[i].what && st->conf.metrics; i++)
        cf_count_add(cf_counter_new(st->conf.metrics, "cardflow_stage_events_total",
                                    "What rules have counted", "what", b->counts[i].what, NULL),
                     b->counts[i].n);
}

/* By topic and partition, so that the client fills one request after the other; the order within a
 * partition stays. */
static int by_target(const void *a, const void *b)
{
    const struct out_entry *const *x = a, *const *y = b;
    if ((*x)->m.topic != (*y)->m.topic) return (*x)->m.topic < (*y)->m.topic ? -1 : 1;
    if ((*x)->m.target != (*y)->m.target) return (*x)->m.target < (*y)->m.target ? -1 : 1;
    return *x < *y ? -1 : *x > *y;
}

/* Committed: what follows can be lost, for the next owner reads it from the journal. */
static int finish(struct cf_batch *b)
{
    struct cf_stage *st = b->st;
    int e = cf_failpoint("before_publish");
    for (size_t i = 0; i < b->commit.n_journal; i++) {
        uint32_t messages = 0;
        for (size_t k = 0; k < b->outs.n; k++)
            messages += b->outs.v[k].part == b->commit.journal[i].part;
        publish_row(&st->shards[b->commit.journal[i].part], b->commit.journal[i].seq, messages);
    }
    const struct out_entry **order = cf_arena_alloc(b->arena, (b->outs.n + 1) * sizeof *order);
    for (size_t k = 0; k < b->outs.n; k++)
        order[k] = &b->outs.v[k];
    if (b->outs.n) qsort(order, b->outs.n, sizeof *order, by_target);
    for (size_t k = 0; k < b->outs.n && !e; k++) {
        struct shard *h = &st->shards[order[k]->part];
        e = publish(st, h, h->journal_seq, &order[k]->m);
        if (!e) e = cf_failpoint("mid_publish");
    }
    if (b->redrive) redrive_committed(b);
    keep_parked_keys(b);
    tell_front(b);
    call_after_commit(b);
    count(b);
    return e;
}

/* ---- one try, and what to do when it fails
 * ---------------------------------------------------------- */

/* What is tried: records, or the records that a command redrives. */
struct task {
    struct cf_record *records;
    size_t n;
    bool force_park;
    struct redrive *redrive;
};

static int attempt(struct cf_stage *st, const struct task *t)
{
    struct cf_batch b = {.st = st,
                         .arena = st->arena,
                         .records = t->records,
                         .n_records = t->n,
                         .force_park = t->force_park,
                         .redrive = t->redrive};
    bool committed = false;
    cf_arena_reset(st->arena);
    snapshot(&b);
    int e = b.redrive ? redrive_admit(&b) : batch_admit(&b);
    batch_make_tables(&b);
    if (!e) e = batch_load(&b);
    if (!e) e = batch_fill_pools(&b);
    if (!e) e = cf_failpoint("before_decide");
    if (!e) e = batch_decide(&b);
    if (!e && b.redrive) redrive_decided(&b);
    if (!e) make_commit(&b);
    if (!e && b.commit.n_cursors) {
        e = st->store->commit(st->store->self, &b.commit);
        if (e == CF_E_UNKNOWN) {
            e = resolve(&b, &committed);
            if (e || !committed) {
                shards_doubt(st, &b.commit);
                e = CF_E_DB;
            }
        }
    } else if (!e) {
        restore(&b); /* every record was somebody else's, or an old one */
        return 0;
    }
    if (e) {
        restore(&b);
        return e;
    }
    return finish(&b);
}

static int run(struct cf_stage *st, const struct task *t) CF_MUST;

/* PostgreSQL refuses a value: one record at a time, so that only the culprit is parked. */
static int one_by_one(struct cf_stage *st, const struct task *t)
{
    int e = 0;
    for (size_t i = 0; i < t->n && !e; i++)
        e = run(st, &(struct task){&t->records[i], 1, t->n == 1, NULL});
    return e;
}

/* A redrive stays one batch, so that its command counts once: of its records, one more at the end
 * is left parked, until what is before the culprit goes through. */
static bool leave_one_more(struct redrive *r)
{
    size_t n = r->force_from < r->n ? r->force_from : r->n;
    if (n == 0) return false;
    r->force_from = n - 1;
    return true;
}

/* Tries until the records are done with: whoever comes back early has lost them. */
static int run(struct cf_stage *st, const struct task *t)
{
    for (int wait = 10;; wait = wait < 2000 ? 2 * wait : wait) {
        int e = attempt(st, t);
        if (!e) return 0;
        atomic_fetch_add(&st->turns, 1);
        if (e == CF_E_DATA && t->redrive && leave_one_more(t->redrive)) continue;
        if (e == CF_E_DATA) return t->force_park || t->redrive ? CF_E_SQL : one_by_one(st, t);
        switch (cf_error_class(e)) {
        case CF_RELEASE:
            e = shards_recheck(st);
            if (e && cf_error_class(e) != CF_RETRY) return e;
            break;
        case CF_RETRY:
            atomic_store(&st->postgres_up, false);
            atomic_fetch_add(&st->n_retries, 1);
            snprintf(st->why, sizeof st->why, "postgresql: %s", st->store->why(st->store->self));
            break;
        case CF_FATAL:
            stage_fail(st, e, e == CF_E_BROKER ? st->log->why(st->log->self)
                                               : st->store->why(st->store->self));
            return e;
        case CF_OK:
        case CF_DEADLETTER:
        case CF_PARK:
            CF_BUG("an error of one record ended a batch");
        }
        if (atomic_load(&st->stop)) return e;
        stage_pause(st, wait);
        int lost = publish_acks(st, 0);
        if (lost) return lost;
    }
}

int batch_run(struct cf_stage *st, struct cf_record *records, size_t n)
{
    size_t from = 0;
    int e = 0;
    for (size_t i = 0; i < n && !e; i++) {
        if (!redrive_asked(st, &records[i])) continue;
        struct redrive redrive = {.command = &records[i], .force_from = SIZE_MAX};
        if (i > from) e = run(st, &(struct task){&records[from], i - from, false, NULL});
        if (!e) e = run(st, &(struct task){&records[i], 1, false, &redrive});
        from = i + 1;
    }
    return e || from == n ? e : run(st, &(struct task){&records[from], n - from, false, NULL});
}
