/* log -- topics in memory, and the door of a stage to them.
 *
 * As with an idempotent producer, messages of one partition arrive in order or not at all; between
 * partitions there is no order. They are on their way until the scheduler delivers them, and so are
 * acknowledgements. */
#include "common/io/ids.h"
#include "common/pure/hash.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

enum { OUTS = 32, ACK_MS = 3000, GHOST_MS = 8000 };

static struct sim_topic topics[SIM_TOPICS];
static size_t n_topics;

struct sim_topic *sim_topic(const char *name)
{
    for (size_t i = 0; i < n_topics; i++)
        if (!strcmp(topics[i].name, name)) return &topics[i];
    if (n_topics == SIM_TOPICS) CF_BUG("too many topics");
    snprintf(topics[n_topics].name, sizeof topics[0].name, "%s", name);
    return &topics[n_topics++];
}

static struct cf_str copy_text(char **to, struct cf_str s)
{
    struct cf_str out = {*to, s.len};
    if (s.len) memcpy(*to, s.ptr, s.len);
    *to += s.len;
    return s.ptr ? out : (struct cf_str){0};
}

struct sim_record *sim_record_copy(const struct sim_record *r)
{
    size_t n = r->key.len + r->value.len + r->ce_id.len + r->ce_type.len + r->ce_source.len +
               r->trace.len + r->cf_src.len;
    struct sim_record *copy = cf_malloc(sizeof *copy + n + 1);
    char *to = (char *)(copy + 1);
    *copy = *r;
    copy->key = copy_text(&to, r->key);
    copy->value = copy_text(&to, r->value);
    copy->ce_id = copy_text(&to, r->ce_id);
    copy->ce_type = copy_text(&to, r->ce_type);
    copy->ce_source = copy_text(&to, r->ce_source);
    copy->trace = copy_text(&to, r->trace);
    copy->cf_src = copy_text(&to, r->cf_src);
    copy->hash = cf_hash64(r->value.ptr, r->value.len);
    copy->hash = cf_hash64_seed(r->key.ptr, r->key.len, copy->hash);
    copy->hash = cf_hash64_seed(r->ce_id.ptr, r->ce_id.len, copy->hash);
    return copy;
}

static void append(struct sim_topic *topic, int32_t part, struct sim_record *r)
{
    struct sim_part *p = &topic->parts[part];
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 256;
        p->v = cf_realloc(p->v, (size_t)p->cap * sizeof *p->v);
    }
    p->v[p->n++] = r;
    sim_mix(&r->hash, sizeof r->hash);
    sim_note("append %s/%d/%lld %.*s %.*s %lld", topic->name, part, (long long)p->n - 1,
             CF_ARG(r->ce_type), CF_ARG(r->cf_src), (long long)r->cf_no);
    sim_check_record(topic, part, r);
}

void sim_append(struct sim_topic *topic, int32_t part, const struct sim_record *r)
{
    append(topic, part, sim_record_copy(r));
}

/* ---- the producer ---------------------------------------------------------------------------- */

struct on_way {
    struct on_way *next;
    struct sim_record *record;
    struct cf_ack ack;
};

struct queue {
    struct sim_topic *topic;
    int32_t part;
    struct on_way *head, *tail;
    cf_ms last_ack;
};

struct flying {
    struct cf_ack ack;
    cf_ms due;
};

struct entry {
    uint16_t topic;
    int32_t part;
    int64_t last;
    uint64_t hash;
    bool verify;
};

struct log_mem {
    struct cf_log door;
    struct replica *r;
    const struct cf_service *service;
    size_t n_in, n_out, n_entries, waiting, n_flying, cap_flying;
    struct sim_topic *in[OUTS], *out[OUTS];
    struct queue queues[OUTS][SIM_PARTS];
    struct entry *entries;
    struct flying *flying;
    char why[128];
};

/* Of a dead process: one queue each. */
static struct ghost {
    struct queue q;
    cf_ms until;
} ghosts[1024];
static size_t n_ghosts;

static void drop_queue(struct queue *q)
{
    while (q->head) {
        struct on_way *next = q->head->next;
        free(q->head->record);
        free(q->head);
        q->head = next;
    }
    q->tail = NULL;
}

static struct on_way *take_first(struct queue *q)
{
    struct on_way *w = q->head;
    q->head = w->next;
    if (!q->head) q->tail = NULL;
    return w;
}

static int door_produce(void *self, int16_t part, int64_t seq, const struct cf_out_message *m)
{
    struct log_mem *l = self;
    char id[37], src[64];
    /* Every message could be the last one; giving way at each would only cost steps. */
    int e = sim_chance(200000) ? sim_door(l->r, "produce") : 0;
    if (e) return e;
    if (sim_fault(3000)) return CF_E_NET; /* the queue is full */
    cf_uuid_text(m->id, id);
    int n = snprintf(src, sizeof src, "%s/%d", l->service->name, part);
    const struct sim_record r = {.at = m->at,
                                 .ce_time = m->at,
                                 .cf_no = m->no,
                                 .key = m->key,
                                 .value = m->value,
                                 .ce_id = {id, 36},
                                 .ce_type = m->type,
                                 .ce_source = cf_str_of(l->service->name),
                                 .trace = m->trace,
                                 .cf_src = {src, (size_t)n}};
    struct queue *q = &l->queues[m->topic][m->target];
    struct on_way *w = cf_malloc(sizeof *w);
    *w = (struct on_way){NULL, sim_record_copy(&r), {part, m->topic, m->target, seq, m->no, -1}};
    if (q->tail)
        q->tail->next = w;
    else
        q->head = w;
    q->tail = w;
    l->waiting++;
    return 0;
}

static void deliver(struct log_mem *l, struct queue *q)
{
    struct on_way *w = take_first(q);
    l->waiting--;
    append(q->topic, q->part, w->record);
    w->ack.offset = q->topic->parts[q->part].n - 1;
    if (l->n_flying == l->cap_flying) {
        l->cap_flying = l->cap_flying ? 2 * l->cap_flying : 64;
        l->flying = cf_realloc(l->flying, l->cap_flying * sizeof *l->flying);
    }
    cf_ms due = sim_now + (sim_fault(20000) ? (cf_ms)sim_below(ACK_MS) : (cf_ms)sim_below(5));
    if (due < q->last_ack) due = q->last_ack;
    q->last_ack = due;
    l->flying[l->n_flying++] = (struct flying){w->ack, due};
    free(w);
}

bool sim_deliver(struct replica *r)
{
    struct log_mem *l = sim_replica_log(r);
    size_t all = l->n_out * SIM_PARTS, first = sim_below((uint32_t)all);
    for (size_t i = 0; i < all; i++) {
        struct queue *q = &l->queues[(first + i) % all / SIM_PARTS][(first + i) % SIM_PARTS];
        if (!q->head) continue;
        for (uint32_t n = 1 + sim_below(8); n && q->head; n--)
            deliver(l, q);
        return true;
    }
    return false;
}

bool sim_undelivered(const struct replica *r)
{
    const struct log_mem *l = sim_replica_log(r);
    return l && l->waiting;
}

cf_ms sim_next_ack(const struct replica *r)
{
    const struct log_mem *l = sim_replica_log(r);
    cf_ms next = INT64_MAX;
    for (size_t i = 0; l && i < l->n_flying; i++)
        if (l->flying[i].due < next) next = l->flying[i].due;
    return next;
}

bool sim_acks_wait(const struct replica *r)
{
    return sim_next_ack(r) <= sim_now;
}

static int door_acks(void *self, struct cf_ack *acks, size_t max, int wait_ms, size_t *n)
{
    struct log_mem *l = self;
    *n = 0;
    int e = sim_door(l->r, "acks");
    if (!e && wait_ms) sim_wait(l->r, sim_now + wait_ms, false, true);
    if (!e && sim_fault(20)) {
        snprintf(l->why, sizeof l->why, "the producer is lost");
        return CF_E_BROKER;
    }
    size_t kept = 0;
    for (size_t i = 0; i < l->n_flying; i++) {
        if (!e && *n < max && l->flying[i].due <= sim_now)
            acks[(*n)++] = l->flying[i].ack;
        else
            l->flying[kept++] = l->flying[i];
    }
    l->n_flying = kept;
    return e;
}

/* ---- what is left of the dead ---------------------------------------------------------------- */

static void leave_ghosts(struct log_mem *l)
{
    for (size_t t = 0; t < l->n_out; t++)
        for (int p = 0; p < SIM_PARTS; p++) {
            struct queue *q = &l->queues[t][p];
            if (q->head && n_ghosts < sizeof ghosts / sizeof *ghosts && sim_fault(700000))
                ghosts[n_ghosts++] = (struct ghost){*q, sim_now + (cf_ms)sim_below(GHOST_MS)};
            else
                drop_queue(q);
        }
}

bool sim_ghosts(void)
{
    return n_ghosts > 0;
}

bool sim_deliver_ghost(void)
{
    if (!n_ghosts) return false;
    size_t i = sim_below((uint32_t)n_ghosts);
    struct ghost *g = &ghosts[i];
    if (g->until < sim_now || !g->q.head) {
        drop_queue(&g->q);
        *g = ghosts[--n_ghosts];
        return true;
    }
    if (!sim_chance(20000)) return true; /* it takes its time */
    struct on_way *w = take_first(&g->q);
    append(g->q.topic, g->q.part, w->record);
    free(w);
    return true;
}

/* ---- the consumer ---------------------------------------------------------------------------- */

static int door_assign(void *self, const struct cf_position *at, size_t n)
{
    struct log_mem *l = self;
    int e = sim_door(l->r, "assign");
    if (e) return e;
    free(l->entries);
    l->entries = cf_calloc(n + 1, sizeof *l->entries);
    l->n_entries = n;
    for (size_t i = 0; i < n; i++)
        l->entries[i] = (struct entry){at[i].topic, at[i].part, at[i].last_offset, at[i].last_hash,
                                       at[i].last_offset >= 0};
    return 0;
}

static const struct sim_part *part_of(const struct log_mem *l, const struct entry *e)
{
    return &l->in[e->topic]->parts[e->part];
}

static int verify(struct log_mem *l, struct entry *e)
{
    const struct sim_part *p = part_of(l, e);
    if (!e->verify) return 0;
    e->verify = false;
    if (e->last < p->n && p->v[e->last]->hash == e->hash) return 0;
    snprintf(l->why, sizeof l->why, "%s/%d: offset %lld holds another record",
             l->in[e->topic]->name, e->part, (long long)e->last);
    return CF_E_GAP;
}

static struct cf_record record_of(const struct sim_record *s, const struct entry *e)
{
    return (struct cf_record){.topic = e->topic,
                              .part = e->part,
                              .offset = e->last,
                              .at = s->at,
                              .key = s->key,
                              .value = s->value,
                              .ce_id = s->ce_id,
                              .ce_type = s->ce_type,
                              .ce_source = s->ce_source,
                              .traceparent = s->trace,
                              .ce_time = s->ce_time,
                              .cf_src = s->cf_src,
                              .cf_no = s->cf_no};
}

/* Some of what is there: a few records of each partition, beginning anywhere. */
static int fetch(struct log_mem *l, struct cf_record *records, size_t max, size_t *n)
{
    size_t first = l->n_entries ? sim_below((uint32_t)l->n_entries) : 0;
    for (size_t i = 0; i < l->n_entries && *n < max; i++) {
        struct entry *e = &l->entries[(first + i) % l->n_entries];
        const struct sim_part *p = part_of(l, e);
        int err = verify(l, e);
        if (err) return err;
        if (sim_fault(100000)) continue; /* this broker is slow */
        for (uint32_t some = 1 + sim_below(20); some && *n < max && e->last + 1 < p->n; some--) {
            e->last++;
            records[(*n)++] = record_of(p->v[e->last], e);
        }
    }
    return 0;
}

bool sim_records_wait(const struct replica *r)
{
    const struct log_mem *l = sim_replica_log(r);
    for (size_t i = 0; l && i < l->n_entries; i++)
        if (l->entries[i].last + 1 < part_of(l, &l->entries[i])->n) return true;
    return false;
}

static int door_poll(void *self, struct cf_record *records, size_t max, int wait_ms, size_t *n)
{
    struct log_mem *l = self;
    *n = 0;
    int e = sim_door(l->r, "poll");
    if (!e) sim_wait(l->r, sim_now + wait_ms, true, false);
    if (!e) e = fetch(l, records, max, n);
    if (*n) sim_note("%s polls %zu", sim_replica_name(l->r), *n);
    return e;
}

static void door_done(void *self)
{
    (void)self;
}

static bool own_source(const struct log_mem *l, struct cf_str src, int16_t *part)
{
    size_t n = strlen(l->service->name);
    if (src.len != n + 2 || memcmp(src.ptr, l->service->name, n) || src.ptr[n] != '/') return false;
    *part = (int16_t)(src.ptr[n + 1] - '0');
    return *part >= 0 && *part < SIM_PARTS;
}

static int door_scan(void *self, const struct cf_scan *what, size_t n, cf_scan_seen *seen,
                     void *arg)
{
    struct log_mem *l = self;
    l->n_entries = 0;
    int e = 0;
    for (size_t i = 0; i < n && !e; i++) {
        const struct sim_part *p = &l->out[what[i].topic]->parts[what[i].target];
        if (sim_chance(300000)) e = sim_door(l->r, "scan");
        for (int64_t at = what[i].after + 1; at < p->n && !e; at++) {
            int16_t part;
            if (own_source(l, p->v[at]->cf_src, &part))
                seen(arg, part, what[i].topic, what[i].target, p->v[at]->cf_no, at);
        }
    }
    return e ? e : sim_door(l->r, "scanned");
}

static int64_t door_mirror(void *self, const struct cf_position *at, size_t n)
{
    (void)self;
    (void)at;
    (void)n;
    return 0;
}

static bool door_up(void *self)
{
    (void)self;
    return true;
}

static const char *door_why(void *self)
{
    const struct log_mem *l = self;
    return l->why;
}

static void door_free(void *self)
{
    struct log_mem *l = self;
    leave_ghosts(l);
    sim_replica_set_log(l->r, NULL);
    free(l->entries);
    free(l->flying);
    free(l);
}

struct cf_log *sim_log_door(struct replica *r)
{
    struct log_mem *l = cf_calloc(1, sizeof *l);
    char name[128];
    l->r = r;
    l->service = sim_service(sim_replica_service(r));
    l->n_in = cf_inputs(l->service);
    l->n_out = cf_outputs(l->service);
    if (l->n_out > OUTS) CF_BUG("too many outputs");
    for (size_t i = 0; i < l->n_in; i++)
        l->in[i] = sim_topic(l->service->in[i].name);
    for (size_t i = 0; i < l->n_out; i++) {
        l->out[i] = sim_topic(cf_output_name(l->service, i, name));
        for (int p = 0; p < SIM_PARTS; p++)
            l->queues[i][p] = (struct queue){.topic = l->out[i], .part = p};
    }
    l->door = (struct cf_log){.self = l,
                              .assign = door_assign,
                              .poll = door_poll,
                              .done = door_done,
                              .produce = door_produce,
                              .acks = door_acks,
                              .scan = door_scan,
                              .mirror = door_mirror,
                              .up = door_up,
                              .why = door_why,
                              .free = door_free};
    sim_replica_set_log(r, l);
    return &l->door;
}
