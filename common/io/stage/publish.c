/* publish -- sends what is committed and keeps what the log has acknowledged. */
#include "common/io/stage/inside.h"

#include <stdlib.h>

/* Room for rows up to `seq` in the ring of outstanding rows. */
static void grow_ring(struct shard *h, int64_t seq)
{
    size_t need = (size_t)(seq - h->acked_seq) + 1;
    if (need <= h->ring_cap) return;
    size_t cap = h->ring_cap ? h->ring_cap : 64;
    while (cap < need)
        cap *= 2;
    struct pending *ring = cf_calloc(cap, sizeof *ring);
    for (int64_t s = h->acked_seq + 1; s < seq && h->ring_cap; s++)
        ring[(size_t)s % cap] = h->ring[(size_t)s % h->ring_cap];
    free(h->ring);
    h->ring = ring;
    h->ring_cap = cap;
}

void publish_row(struct shard *h, int64_t seq, uint32_t messages)
{
    grow_ring(h, seq);
    h->ring[(size_t)seq % h->ring_cap] = (struct pending){messages};
    if (h->acked_seq + 1 == seq) h->oldest_since = stage_mono_ms();
}

void publish_advance(struct shard *h)
{
    while (h->acked_seq < h->journal_seq &&
           h->ring[(size_t)(h->acked_seq + 1) % h->ring_cap].left == 0) {
        h->acked_seq++;
        h->acked_dirty = true;
        h->oldest_since = stage_mono_ms();
    }
}

static void one_ack(struct cf_stage *st, const struct cf_ack *a)
{
    struct shard *h = &st->shards[a->part];
    int64_t *newest =
        &st->newest[(size_t)a->topic * (size_t)st->conf.partitions + (size_t)a->target];
    if (a->offset > *newest) *newest = a->offset;
    st->unacked--;
    /* Given up meanwhile, or taken again: the next owner has looked for itself. */
    if (!h->owned || a->seq <= h->acked_seq || a->seq > h->journal_seq || !h->ring_cap) return;
    struct stream_out *o = &h->out[a->topic];
    if (a->no > o->acked_no[a->target]) {
        o->acked_no[a->target] = a->no;
        o->acked_offset[a->target] = a->offset;
        o->dirty = true;
    }
    struct pending *p = &h->ring[(size_t)a->seq % h->ring_cap];
    if (p->left) p->left--;
    publish_advance(h);
}

int publish_acks(struct cf_stage *st, int wait_ms)
{
    struct cf_ack acks[512];
    size_t n = 0;
    int e;
    do {
        e = st->log->acks(st->log->self, acks, 512, wait_ms, &n);
        for (size_t i = 0; i < n; i++)
            one_ack(st, &acks[i]);
        wait_ms = 0;
    } while (n == 512 && !e);
    return e;
}

/* A stop waits a moment for a log that takes messages slowly, not for one that is away. */
static bool given_up(struct cf_stage *st)
{
    if (!atomic_load(&st->stop)) return false;
    if (!st->stop_until) st->stop_until = stage_mono_ms() + STOP_WAIT_MS;
    return stage_mono_ms() >= st->stop_until;
}

int publish(struct cf_stage *st, struct shard *h, int64_t seq, const struct cf_out_message *m)
{
    for (;;) {
        int e = st->log->produce(st->log->self, h->part, seq, m);
        if (e != CF_E_NET) {
            if (!e) st->unacked++;
            return e;
        }
        /* Full, the topic's metadata is not there yet, or the first message to a partition is
         * still on its way: wait, but stay alive and stoppable.
         * What is left unsent, the next owner publishes from the journal. */
        atomic_fetch_add(&st->turns, 1);
        if (given_up(st)) return CF_E_NET;
        e = publish_acks(st, 20);
        if (e) return e;
    }
}

/* Other shards write to the same partitions: where nothing is outstanding, what lies before the
 * newest acknowledged offset need not be read again by the next owner. */
static void move_offsets(struct cf_stage *st, struct shard *h)
{
    for (size_t t = 0; t < st->n_out; t++)
        for (int p = 0; p < st->conf.partitions; p++) {
            int64_t newest = st->newest[t * (size_t)st->conf.partitions + (size_t)p];
            struct stream_out *o = &h->out[t];
            if (o->last_no[p] && o->acked_no[p] == o->last_no[p] && newest > o->acked_offset[p]) {
                o->acked_offset[p] = newest;
                o->dirty = true;
            }
        }
}

int publish_save(struct cf_stage *st)
{
    struct cf_commit c = {0};
    size_t parts = (size_t)st->conf.partitions;
    struct cf_commit_shard *shards = cf_calloc(parts, sizeof *shards);
    struct cf_commit_output *outputs = cf_calloc(parts * st->n_out, sizeof *outputs);
    for (size_t i = 0; i < parts; i++) {
        struct shard *h = &st->shards[i];
        if (!h->owned) continue;
        move_offsets(st, h);
        bool any = h->acked_dirty;
        for (size_t t = 0; t < st->n_out; t++) {
            if (!h->out[t].dirty) continue;
            any = true;
            outputs[c.n_outputs++] =
                (struct cf_commit_output){h->part, (uint16_t)t, h->out[t].last_no,
                                          h->out[t].acked_no, h->out[t].acked_offset};
        }
        if (any)
            shards[c.n_shards++] = (struct cf_commit_shard){h->part, h->epoch, h->last_now,
                                                            h->journal_seq, h->acked_seq};
    }
    c.shards = shards;
    c.outputs = outputs;
    int e = c.n_shards ? st->store->commit(st->store->self, &c) : 0;
    if (e == CF_E_UNKNOWN) shards_doubt(st, &c);
    for (size_t i = 0; i < c.n_shards && !e; i++) {
        struct shard *h = &st->shards[shards[i].part];
        h->acked_dirty = false;
        for (size_t t = 0; t < st->n_out; t++)
            h->out[t].dirty = false;
    }
    free(shards);
    free(outputs);
    return e;
}
