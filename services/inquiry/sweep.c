#include "services/inquiry/sweep.h"

#include "common/io/ids.h"
#include "common/io/log.h"
#include "common/io/stage/pgbin.h"
#include "services/inquiry/codec.h"

#include <stdio.h>
#include <stdlib.h>

enum { PARTS_MAX = 256, LOOK_MS = 1000, AGAIN_MS = 1000, MARK_LEN = 16 };

struct inquiry_sweep {
    struct cf_app *app;
    struct inquiry_cache *cache;
    const struct inquiry_counts *counts;
    struct inquiry_sweep_conf conf;
    struct cf_timer *step, *look;
    struct cf_arena *arena;
    bool fast[PARTS_MAX]; /* Redis lacks something of this shard */
    bool asking;          /* a page is on its way */
    int part;             /* at work; -1: none */
    int next;             /* where the slow sweep goes on */
    bool aliases;         /* the second half of a shard */
    struct cf_key after;
    uint8_t after_id[16];
    unsigned long long lost, unsent; /* of the stage, when last looked at */
    struct cf_counter *swept, *shards;
};

/* What a look at the mark of one shard needs. */
struct mark {
    struct inquiry_sweep *sweep;
    int part;
};

static bool owned(const struct inquiry_sweep *w, int part)
{
    struct cf_stage_view v;
    cf_stage_view(w->app->stage, &v);
    return v.owned_mask[part / 64] >> (part % 64) & 1;
}

static struct cf_str mark_key(int part, char out[MARK_LEN])
{
    int n = snprintf(out, MARK_LEN, "cfs:%d", part);
    return (struct cf_str){out, (size_t)n};
}

/* ---- choosing a shard ----------------------------------------------------------------------- */

static int choose(struct inquiry_sweep *w)
{
    for (int i = 0; i < w->app->partitions; i++)
        if (w->fast[i] && owned(w, i)) return i;
    for (int i = 0; i < w->app->partitions; i++) {
        int part = (w->next + i) % w->app->partitions;
        if (!owned(w, part)) continue;
        w->next = part + 1;
        return part;
    }
    return -1;
}

/* 0: at work; 1: filled. Whoever finds less than 1 fills the shard. */
static bool set_mark(struct inquiry_sweep *w, const char *value)
{
    char key[MARK_LEN];
    const struct cf_redis_pair mark = {mark_key(w->part, key), cf_str_of(value)};
    return inquiry_cache_set(w->cache, &mark, 1);
}

static void begin(struct inquiry_sweep *w)
{
    w->part = choose(w);
    w->aliases = false;
    w->after = (struct cf_key){0};
    memset(w->after_id, 0, 16);
    if (w->part < 0) return;
    (void)inquiry_cache_settled(w->cache); /* what went wrong before is not this shard's */
    if (!set_mark(w, "0")) w->fast[w->part] = true;
}

static void finish(struct inquiry_sweep *w)
{
    bool good = inquiry_cache_settled(w->cache);
    if (good) good = set_mark(w, "1");
    w->fast[w->part] = !good;
    cf_count_add(w->shards, 1);
    w->part = -1;
}

static void rest(struct inquiry_sweep *w, cf_ms pause)
{
    cf_timer_after(w->step, pause);
}

static cf_ms pause_of(const struct inquiry_sweep *w)
{
    bool hurry = false;
    for (int i = 0; i < w->app->partitions; i++)
        hurry = hurry || w->fast[i];
    return hurry ? w->conf.fast_pause : w->conf.pause;
}

/* ---- pages ---------------------------------------------------------------------------------- */

static void told(void *arg, int e)
{
    (void)arg;
    (void)e; /* the next sweep tells it again */
}

/* The stage alone writes the topic: it is asked to tell the status once more. */
static bool ask_to_tell(struct inquiry_sweep *w, const struct cf_key *holder)
{
    struct cf_front_message m = {.topic = "inquiry.internal",
                                 .key = cf_key_str(holder),
                                 .part = -1,
                                 .ce_type = "inquiry.sweep",
                                 .ce_source = "inquiry/front",
                                 .value = inquiry_codec_sweep(w->arena, holder)};
    cf_uuid4(m.ce_id);
    return cf_front_send(w->app->producer, &m, told, NULL) == 0;
}

static bool put_documents(struct inquiry_sweep *w, const PGresult *res, int n)
{
    struct cf_redis_doc *docs = cf_arena_zero(w->arena, (size_t)n * sizeof *docs);
    struct cf_key *keys = cf_arena_zero(w->arena, (size_t)n * sizeof *keys);
    char key[INQUIRY_REDIS_KEY_MAX];
    for (int i = 0; i < n; i++) {
        struct inquiry_row row;
        struct cf_str holder = cf_pgf_get(res, i, 0);
        if (!cf_key_bytes(holder.ptr, holder.len, &keys[i]) || !inquiry_store_row(res, i, 1, &row))
            CF_BUG("a stored document has another shape");
        docs[i].key = cf_arena_str(w->arena, inquiry_redis_document_key(&keys[i], key));
        docs[i].version = (uint64_t)row.version;
        docs[i].payload = inquiry_codec_document_pack(w->arena, &row);
    }
    if (!inquiry_cache_put(w->cache, docs, (size_t)n)) return false;
    for (int i = 0; w->conf.tell_status && i < n; i++)
        if (!ask_to_tell(w, &keys[i])) return false;
    w->after = keys[n - 1];
    return true;
}

static bool put_aliases(struct inquiry_sweep *w, const PGresult *res, int n)
{
    struct cf_redis_pair *pairs = cf_arena_zero(w->arena, (size_t)n * sizeof *pairs);
    char key[INQUIRY_REDIS_KEY_MAX];
    uint8_t id[16] = {0};
    for (int i = 0; i < n; i++) {
        struct cf_str stored = cf_pgf_get(res, i, 0);
        if (stored.len != 16) CF_BUG("a stored alias has another shape");
        memcpy(id, stored.ptr, 16);
        pairs[i].key = cf_arena_str(w->arena, inquiry_redis_alias_key(id, key));
        pairs[i].value = cf_pgf_get(res, i, 1);
    }
    if (!inquiry_cache_set(w->cache, pairs, (size_t)n)) return false;
    memcpy(w->after_id, id, 16);
    return true;
}

static void page(void *arg, int e, const PGresult *res)
{
    struct inquiry_sweep *w = arg;
    w->asking = false;
    int n = e ? 0 : PQntuples(res);
    bool good = !e;
    if (n) good = w->aliases ? put_aliases(w, res, n) : put_documents(w, res, n);
    cf_arena_reset(w->arena);
    if (!good) {
        rest(w, AGAIN_MS); /* the same page once more */
        return;
    }
    cf_count_add(w->swept, (uint64_t)n);
    if (n == w->conf.page) {
        rest(w, pause_of(w));
        return;
    }
    if (w->aliases)
        finish(w);
    else
        w->aliases = true;
    rest(w, pause_of(w));
}

static void ask(struct inquiry_sweep *w)
{
    char part[2], limit[4];
    cf_put16(part, (uint16_t)w->part);
    cf_put32(limit, (uint32_t)w->conf.page);
    const struct cf_str after = w->aliases     ? (struct cf_str){(const char *)w->after_id, 16}
                                : w->after.len ? cf_key_str(&w->after)
                                               : CF_STR("");
    const struct cf_str params[] = {
        {part,  2},
        after, {limit, 4}
    };
    size_t statement = w->aliases ? INQUIRY_SQL_SWEEP_ALIASES : INQUIRY_SQL_SWEEP_DOCUMENTS;
    w->asking = cf_pgf_send(w->app->pg, statement, params, 3, page, w) == 0;
    if (!w->asking) rest(w, AGAIN_MS);
}

static void step(void *arg, cf_ms now)
{
    struct inquiry_sweep *w = arg;
    (void)now;
    if (w->asking) return;
    /* Redis away: nothing can be filled. A shard that went to another replica is its work now. */
    if (w->part >= 0 && !owned(w, w->part)) w->part = -1;
    if (w->part < 0 && inquiry_cache_up(w->cache)) begin(w);
    if (w->part < 0 || !inquiry_cache_up(w->cache))
        rest(w, AGAIN_MS);
    else
        ask(w);
}

/* ---- looking for losses --------------------------------------------------------------------- */

static void hurry(struct inquiry_sweep *w)
{
    /* A slow pause may be under way. */
    if (!w->asking) rest(w, w->conf.fast_pause);
}

static void marked(void *arg, int e, struct cf_str value)
{
    struct mark m = *(struct mark *)arg;
    free(arg);
    if (e || cf_str_is(value, "1") || m.sweep->fast[m.part] || m.sweep->part == m.part) return;
    m.sweep->fast[m.part] = true;
    hurry(m.sweep);
}

static void look_at_marks(struct inquiry_sweep *w)
{
    char key[MARK_LEN];
    for (int i = 0; i < w->app->partitions; i++) {
        if (!owned(w, i) || w->part == i) continue;
        struct mark *m = cf_malloc(sizeof *m);
        *m = (struct mark){w, i};
        if (inquiry_cache_get(w->cache, mark_key(i, key), marked, m) == 0) continue;
        free(m);
        return;
    }
}

static void look(void *arg, cf_ms now)
{
    struct inquiry_sweep *w = arg;
    unsigned long long lost = atomic_load(&w->counts->lost),
                       unsent = atomic_load(&w->counts->unsent);
    (void)now;
    if (!inquiry_cache_up(w->cache)) return;
    if (lost != w->lost || unsent != w->unsent) {
        cf_log(LOG_INFO, "cache.filling", F("unsent", unsent - w->unsent),
               F("lost", lost - w->lost));
        for (int i = 0; i < w->app->partitions; i++)
            w->fast[i] = owned(w, i);
        w->part = -1;
        hurry(w);
    }
    w->lost = lost;
    w->unsent = unsent;
    look_at_marks(w);
}

static double filling(void *arg)
{
    const struct inquiry_sweep *w = arg;
    int n = 0;
    for (int i = 0; i < w->app->partitions; i++)
        n += w->fast[i];
    return n;
}

struct inquiry_sweep *inquiry_sweep_new(struct cf_app *app, struct inquiry_cache *cache,
                                        const struct inquiry_counts *counts,
                                        const struct inquiry_sweep_conf *conf)
{
    struct inquiry_sweep *w = cf_calloc(1, sizeof *w);
    w->app = app;
    w->cache = cache;
    w->counts = counts;
    w->conf = *conf;
    w->part = -1;
    w->arena = cf_arena_new((size_t)512 << 20);
    w->swept = cf_counter_new(app->metrics, "cardflow_inquiry_swept_total",
                              "Documents and aliases sent to Redis by the sweep", NULL);
    w->shards = cf_counter_new(app->metrics, "cardflow_inquiry_swept_shards_total",
                               "Shards the sweep has gone through", NULL);
    cf_gauge_fn(app->metrics, "cardflow_inquiry_shards_to_fill",
                "Shards of which Redis lacks something", filling, w, NULL);
    w->step = cf_timer_new(app->loop, step, w);
    w->look = cf_timer_new(app->loop, look, w);
    cf_timer_every(w->look, LOOK_MS);
    rest(w, AGAIN_MS);
    return w;
}

void inquiry_sweep_free(struct inquiry_sweep *w)
{
    if (!w) return;
    cf_timer_free(w->step);
    cf_timer_free(w->look);
    cf_arena_free(w->arena);
    free(w);
}
