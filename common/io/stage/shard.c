/* shard -- ownership of shards, and what must be done before a shard's first new record. */
#include "common/io/stage/failpoint.h"
#include "common/io/stage/inside.h"
#include "common/io/stage/journal.h"

#include <stdio.h>
#include <stdlib.h>

static void shard_make(struct cf_stage *st, struct shard *h, int16_t part)
{
    size_t p = (size_t)st->conf.partitions, arrays = st->n_in + st->n_out;
    h->part = part;
    h->in = cf_calloc(st->n_in, sizeof *h->in);
    h->out = cf_calloc(st->n_out, sizeof *h->out);
    h->numbers = cf_calloc(arrays * p, sizeof *h->numbers);
    h->pools = cf_calloc(st->service->n_numbers, sizeof *h->pools);
    h->before.in = cf_calloc(st->n_in, sizeof *h->in);
    h->before.numbers = cf_calloc(arrays * p, sizeof *h->numbers);
    h->before.pools = cf_calloc(st->service->n_numbers, sizeof *h->pools);
    for (size_t t = 0; t < st->n_in; t++)
        h->in[t].last_no = h->numbers + t * p;
    for (size_t t = 0; t < st->n_out; t++) {
        h->out[t].last_no = h->numbers + (st->n_in + t) * p;
        h->out[t].acked_no = cf_calloc(p, sizeof(int64_t));
        h->out[t].acked_offset = cf_calloc(p, sizeof(int64_t));
    }
}

void shards_make(struct cf_stage *st)
{
    st->shards = cf_calloc((size_t)st->conf.partitions, sizeof *st->shards);
    st->newest = cf_calloc(st->n_out * (size_t)st->conf.partitions, sizeof *st->newest);
    for (int i = 0; i < st->conf.partitions; i++)
        shard_make(st, &st->shards[i], (int16_t)i);
}

static void forget_parked(struct shard *h)
{
    while (h->parked) {
        struct parked_key *next = h->parked->next;
        free(h->parked);
        h->parked = next;
    }
}

void shards_free(struct cf_stage *st)
{
    for (int i = 0; i < st->conf.partitions && st->shards; i++) {
        struct shard *h = &st->shards[i];
        forget_parked(h);
        for (size_t t = 0; t < st->n_out; t++) {
            free(h->out[t].acked_no);
            free(h->out[t].acked_offset);
        }
        free(h->in);
        free(h->out);
        free(h->numbers);
        free(h->pools);
        free(h->before.in);
        free(h->before.numbers);
        free(h->before.pools);
        free(h->ring);
    }
    free(st->shards);
    free(st->newest);
}

static void show_owned(struct cf_stage *st)
{
    unsigned long long mask[4] = {0};
    st->owned = 0;
    for (int i = 0; i < st->conf.partitions; i++)
        if (st->shards[i].owned) {
            st->owned++;
            mask[i / 64 & 3] |= 1ULL << (i % 64);
        }
    for (int i = 0; i < 4; i++)
        atomic_store(&st->owned_mask[i], mask[i]);
    atomic_store(&st->owned_view, st->owned);
}

static void let_go(struct cf_stage *st, struct shard *h)
{
    if (h->owned) stage_tell_shard(st, h->part, false);
    h->owned = false;
    forget_parked(h);
    show_owned(st);
}

void shard_stop(struct cf_stage *st, struct shard *h, const char *why)
{
    h->stopped = why;
    st->assign_again = true;
    snprintf(st->why, sizeof st->why, "shard %d stopped: %s", h->part, why);
}

static void park_key(void *arg, int16_t part, uint16_t topic, struct cf_str key)
{
    struct cf_stage *st = arg;
    struct parked_key *p = cf_calloc(1, sizeof *p);
    p->part = part;
    p->topic = topic;
    if (!cf_key_bytes(key.ptr, key.len, &p->key)) {
        free(p);
        return;
    }
    p->next = st->shards[part].parked;
    st->shards[part].parked = p;
}

static int load_streams(struct cf_stage *st, struct shard *h)
{
    size_t p = (size_t)st->conf.partitions;
    struct cf_shard_streams s = {.in = cf_calloc(st->n_in, sizeof *s.in),
                                 .out = cf_calloc(st->n_out, sizeof *s.out)};
    for (size_t t = 0; t < st->n_in; t++) {
        s.in[t].last_offset = -1;
        s.in[t].last_no = h->in[t].last_no;
    }
    for (size_t t = 0; t < st->n_out; t++) {
        s.out[t].last_no = h->out[t].last_no;
        s.out[t].acked_no = h->out[t].acked_no;
        s.out[t].acked_offset = h->out[t].acked_offset;
        memset(h->out[t].acked_no, 0, p * sizeof(int64_t));
        memset(h->out[t].acked_offset, 0xFF, p * sizeof(int64_t));
        h->out[t].dirty = false;
    }
    memset(h->numbers, 0, (st->n_in + st->n_out) * p * sizeof(int64_t));
    memset(h->pools, 0, st->service->n_numbers * sizeof *h->pools);
    int e = st->store->streams(st->store->self, h->part, &s, park_key, st);
    for (size_t t = 0; t < st->n_in; t++) {
        h->in[t].last_offset = s.in[t].last_offset;
        h->in[t].last_hash = s.in[t].last_hash;
    }
    free(s.in);
    free(s.out);
    return e;
}

/* ---- recovery: what the journal has and the log has not ------------------------------------- */

struct recovery {
    struct cf_stage *st;
    bool *fresh;     /* by part: taken just now */
    int64_t *seen;   /* newest number seen in the log, by part, output, target */
    int64_t *offset; /* and its offset */
    const char *lost;
};

static size_t slot(const struct recovery *r, int16_t part, size_t topic, int32_t target)
{
    size_t p = (size_t)r->st->conf.partitions;
    return ((size_t)part * r->st->n_out + topic) * p + (size_t)target;
}

static void see(void *arg, int16_t part, uint16_t topic, int32_t target, int64_t no, int64_t offset)
{
    struct recovery *r = arg;
    size_t i = slot(r, part, topic, target);
    if (!r->fresh[part]) return;
    if (no > r->seen[i]) {
        r->seen[i] = no;
        r->offset[i] = offset;
    }
    if (no > r->st->shards[part].out[topic].last_no[target])
        r->lost = "the log holds messages that the database does not know: it has lost commits";
}

/* Which of the shards `among` (NULL: of those owned) another replica has taken from us. */
static int find_lost(const struct cf_stage *st, const bool *among, int16_t *lost, size_t *n_lost)
{
    size_t p = (size_t)st->conf.partitions, n = 0;
    struct cf_taken *mine = cf_calloc(p, sizeof *mine);
    int16_t *parts = cf_calloc(p, sizeof *parts);
    for (size_t i = 0; i < p; i++)
        if (among ? among[i] : st->shards[i].owned) {
            parts[n] = (int16_t)i;
            mine[n++] = (struct cf_taken){.part = (int16_t)i, .epoch = st->shards[i].epoch};
        }
    int e = n ? st->store->still(st->store->self, mine, n) : 0;
    *n_lost = 0;
    for (size_t i = 0; i < n && !e; i++)
        if (mine[i].part < 0) lost[(*n_lost)++] = parts[i];
    free(mine);
    free(parts);
    return e;
}

/* Has one of the shards just taken been taken from us meanwhile? */
static int check_fresh(const struct recovery *r)
{
    int16_t lost[256];
    size_t n;
    int e = find_lost(r->st, r->fresh, lost, &n);
    return !e && n ? CF_E_FENCED : e;
}

/* Reads the outputs of the shards just taken from what is known as acknowledged to the end. */
static int scan_outputs(struct recovery *r)
{
    struct cf_stage *st = r->st;
    size_t p = (size_t)st->conf.partitions, n = 0;
    struct cf_scan *scans = cf_calloc(st->n_out * p, sizeof *scans);
    for (size_t t = 0; t < st->n_out; t++)
        for (size_t target = 0; target < p; target++) {
            bool need = false;
            int64_t after = INT64_MAX;
            for (size_t i = 0; i < p; i++) {
                const struct stream_out *o = &st->shards[i].out[t];
                if (!r->fresh[i] || o->last_no[target] == 0) continue;
                need = true;
                if (o->acked_offset[target] < after) after = o->acked_offset[target];
                r->seen[slot(r, (int16_t)i, t, (int32_t)target)] = o->acked_no[target];
                r->offset[slot(r, (int16_t)i, t, (int32_t)target)] = o->acked_offset[target];
            }
            if (need) scans[n++] = (struct cf_scan){(uint16_t)t, (int32_t)target, after};
        }
    int e = n ? st->log->scan(st->log->self, scans, n, see, r) : 0;
    free(scans);
    /* A later owner's messages are no loss. */
    if (!e && r->lost) e = check_fresh(r);
    if (!e && r->lost) {
        stage_fail(st, CF_E_GAP, r->lost);
        e = CF_E_GAP;
    }
    return e;
}

static int find_output(const struct cf_stage *st, struct cf_str name)
{
    char text[128];
    for (size_t i = 0; i < st->n_out; i++)
        if (cf_str_is(name, cf_output_name(st->service, i, text))) return (int)i;
    return -1;
}

/* Publishes again the messages of one journal row that the log does not hold. */
static int republish_row(void *arg, int16_t part, int64_t seq, struct cf_str messages)
{
    struct recovery *r = arg;
    struct cf_stage *st = r->st;
    struct shard *h = &st->shards[part];
    struct cf_journal_reader reader = {.rest = messages};
    struct cf_out_message m = {0};
    struct cf_str topic;
    uint32_t left = 0;
    int e = cf_journal_next(&reader, &topic, &m);
    publish_row(h, seq, UINT32_MAX); /* held open until its messages are counted */
    for (; !e && m.type.ptr; e = cf_journal_next(&reader, &topic, &m)) {
        int out = find_output(st, topic);
        if (out < 0) CF_BUG("the journal names a topic that this version does not write");
        m.topic = (uint16_t)out;
        if (m.no <= r->seen[slot(r, part, (size_t)out, m.target)]) continue;
        e = publish(st, h, seq, &m);
        if (e) break;
        left++;
    }
    h->ring[(size_t)seq % h->ring_cap].left -= UINT32_MAX - left;
    return e;
}

static int recover(struct cf_stage *st, bool *fresh)
{
    size_t slots = (size_t)st->conf.partitions * st->n_out * (size_t)st->conf.partitions;
    struct recovery r = {.st = st,
                         .fresh = fresh,
                         .seen = cf_calloc(slots, sizeof(int64_t)),
                         .offset = cf_calloc(slots, sizeof(int64_t))};
    int e = scan_outputs(&r);
    for (int i = 0; i < st->conf.partitions && !e; i++) {
        struct shard *h = &st->shards[i];
        if (!fresh[i]) continue;
        for (size_t t = 0; t < st->n_out; t++)
            for (int32_t target = 0; target < st->conf.partitions; target++) {
                size_t at = slot(&r, (int16_t)i, t, target);
                if (r.seen[at] <= h->out[t].acked_no[target]) continue;
                h->out[t].acked_no[target] = r.seen[at];
                h->out[t].acked_offset[target] = r.offset[at];
                h->out[t].dirty = true;
            }
        e = cf_failpoint("before_republish");
        if (!e)
            e = st->store->journal(st->store->self, (int16_t)i, h->acked_seq, republish_row, &r);
        /* Rows that the log held already wait for no acknowledgement. */
        if (!e && h->ring_cap) publish_advance(h);
    }
    free(r.seen);
    free(r.offset);
    return e;
}

/* ---- taking and giving ---------------------------------------------------------------------- */

size_t shards_positions(const struct cf_stage *st, struct cf_position *out)
{
    size_t n = 0;
    for (int i = 0; i < st->conf.partitions; i++) {
        const struct shard *h = &st->shards[i];
        if (!h->owned || h->stopped) continue;
        for (size_t t = 0; t < st->n_in; t++)
            out[n++] =
                (struct cf_position){(uint16_t)t, i, h->in[t].last_offset, h->in[t].last_hash};
    }
    return n;
}

int shards_assign(struct cf_stage *st)
{
    struct cf_position *at = cf_calloc((size_t)st->conf.partitions * st->n_in, sizeof *at);
    size_t n = shards_positions(st, at);
    int e = st->log->assign(st->log->self, at, n);
    free(at);
    return e;
}

/* What is in flight should reach the log before it is read for recovery. */
static int settle(struct cf_stage *st, int wait_ms)
{
    int64_t until = stage_mono_ms() + wait_ms;
    int e = 0;
    while (st->unacked > 0 && !e && stage_mono_ms() < until)
        e = publish_acks(st, 10);
    return e;
}

static void begin_shard(struct shard *h, const struct cf_taken *t)
{
    forget_parked(h);
    h->owned = true;
    h->stopped = NULL;
    h->epoch = t->epoch;
    h->last_now = t->last_now;
    h->journal_seq = t->journal_seq;
    h->acked_seq = t->acked_seq;
    h->acked_dirty = false;
    free(h->ring);
    h->ring = NULL;
    h->ring_cap = 0;
}

static int take(struct cf_stage *st, int want, bool *changed)
{
    size_t p = (size_t)st->conf.partitions, n_held = 0, n = 0;
    int16_t *held = cf_calloc(p, sizeof *held);
    struct cf_taken *taken = cf_calloc(p, sizeof *taken);
    bool *fresh = cf_calloc(p, sizeof *fresh);
    for (size_t i = 0; i < p; i++)
        if (st->shards[i].owned) held[n_held++] = (int16_t)i;
    int e = st->store->take(st->store->self, held, n_held, want, taken, &n);
    if (!e && n) e = settle(st, 2000);
    /* An answer to a message of an earlier ownership would be counted as one of this. */
    if (!e && n && st->unacked > 0) e = CF_E_NET;
    for (size_t i = 0; i < n && !e; i++) {
        struct shard *h = &st->shards[taken[i].part];
        begin_shard(h, &taken[i]);
        fresh[taken[i].part] = true;
        e = load_streams(st, h);
    }
    if (!e && n) e = recover(st, fresh);
    if (e) st->unsure = true;
    for (size_t i = 0; i < n; i++) {
        struct shard *h = &st->shards[taken[i].part];
        if (e)
            h->owned = false; /* tried again: the rows in PostgreSQL still name us */
        else
            stage_tell_shard(st, h->part, true);
    }
    show_owned(st);
    *changed = *changed || n > 0;
    free(held);
    free(taken);
    free(fresh);
    return e;
}

static int give(struct cf_stage *st, int count)
{
    int16_t parts[256];
    size_t n = 0;
    int e = settle(st, STOP_WAIT_MS);
    if (!e) e = publish_save(st);
    for (int i = st->conf.partitions - 1; i >= 0 && (int)n < count; i--)
        if (st->shards[i].owned) parts[n++] = (int16_t)i;
    if (!e) e = st->store->give(st->store->self, parts, n);
    /* What is not given stays held: let go of, nobody would take it from a living owner. */
    for (size_t i = 0; i < n && !e; i++)
        let_go(st, &st->shards[parts[i]]);
    return e;
}

/* PostgreSQL may name us as the owner of shards that we do not hold, after an error in between.
 * Nobody else takes them while we live, so they are given up unless we take them again. */
static int give_unheld(struct cf_stage *st)
{
    int16_t parts[256];
    size_t n = 0;
    for (int i = 0; i < st->conf.partitions; i++)
        if (!st->shards[i].owned) parts[n++] = (int16_t)i;
    int e = st->store->give(st->store->self, parts, n);
    if (!e) st->unsure = false;
    return e;
}

/* Lets go of shards that another replica has taken; who has nothing to commit learns it only so. */
static int let_go_lost(struct cf_stage *st, size_t *gone)
{
    int16_t lost[256];
    int e = find_lost(st, NULL, lost, gone);
    for (size_t i = 0; i < *gone; i++)
        let_go(st, &st->shards[lost[i]]);
    return e;
}

int shards_turn(struct cf_stage *st)
{
    struct cf_standing s;
    size_t gone = 0;
    int e = st->store->standing(st->store->self, &s);
    if (!e) e = let_go_lost(st, &gone);
    bool changed = gone > 0;
    if (gone) atomic_fetch_add(&st->n_fenced, 1);
    if (e || s.rank < 0) {
        st->assign_again = st->assign_again || changed;
        return e;
    }
    int fair = st->conf.partitions / s.alive + (s.rank < st->conf.partitions % s.alive);
    if (st->owned > fair) {
        changed = true;
        e = give(st, st->owned - fair);
    } else if (st->owned < fair && s.steady) {
        e = take(st, fair - st->owned, &changed);
    } else if (st->unsure) {
        e = give_unheld(st);
    }
    if (!e && changed) e = shards_assign(st);
    st->assign_again = st->assign_again || (e && changed);
    return e;
}

int shards_recheck(struct cf_stage *st)
{
    size_t gone;
    int e = let_go_lost(st, &gone);
    /* All still ours and yet fenced: what we remember of positions is not what is stored. Let go
     * of everything and read it again. */
    for (int i = 0; i < st->conf.partitions && !e && !gone; i++)
        let_go(st, &st->shards[i]);
    if (!gone) st->unsure = true;
    atomic_fetch_add(&st->n_fenced, 1);
    st->next_standing = 0;
    st->assign_again = true; /* not here: a batch may still hold records of the other shards */
    return e;
}

void shards_doubt(struct cf_stage *st, const struct cf_commit *c)
{
    for (size_t i = 0; i < c->n_shards; i++)
        let_go(st, &st->shards[c->shards[i].part]);
    st->unsure = true;
    st->next_standing = 0;
    st->assign_again = true;
}

void shards_give_all(struct cf_stage *st)
{
    if (st->owned == 0) return;
    int e = give(st, st->owned);
    /* What could not be given is orphaned when this replica's beat ends. */
    if (e) stage_fail(st, 0, st->store->why(st->store->self));
    show_owned(st);
}
