#include "services/inquiry/cache.h"

#include "common/io/stage/pgbin.h"
#include "services/inquiry/codec.h"
#include "services/inquiry/handlers.h"

#include <stdlib.h>

enum {
    FILL_MAX = 256, /* documents that wait to be written */
    FILL_MS = 20,
    WRITE_MS = 20 /* the front thread must not wait longer for Redis */
};

/* What is to be written back: a document, and the alias that led to it. */
struct fill {
    struct fill *next;
    struct cf_key holder;
    uint64_t version;
    bool has_alias;
    uint8_t alias[16];
    size_t len;
    char payload[];
};

struct inquiry_cache {
    struct cf_app *app;
    struct cf_redis_front *front;
    struct cf_redis_stage *writer;
    struct cf_timer *timer;
    struct fill *fills;
    size_t n_fills;
    struct cf_pgarray all; /* of the shards' numbers */
    struct cf_str parts;   /* its bytes */
    int asked, asked_max;  /* of PostgreSQL */
    uint64_t lost;        /* of the writer, when last looked at */
    bool failed;          /* a write since then */
    bool closing;         /* PostgreSQL's connection is gone already */
    struct cf_counter *hits, *misses, *refused;
};

struct question {
    struct inquiry_cache *cache;
    struct cf_arena *arena;
    struct cf_key holder;
    bool by_alias;
    uint8_t alias[16];
    inquiry_found_fn *fn;
    void *arg;
};

/* ---- filling -------------------------------------------------------------------------------- */

static void flush(void *arg, cf_ms now)
{
    struct inquiry_cache *c = arg;
    char key[INQUIRY_REDIS_KEY_MAX];
    (void)now;
    while (c->fills) {
        struct fill *f = c->fills;
        struct cf_redis_doc doc = {
            inquiry_redis_document_key(&f->holder, key), f->version, {f->payload, f->len}
        };
        c->fills = f->next;
        bool sent = cf_redis_stage_put(c->writer, &doc, 1);
        if (sent && f->has_alias) {
            struct cf_redis_pair pair = {inquiry_redis_alias_key(f->alias, key),
                                         cf_key_str(&f->holder)};
            sent = cf_redis_stage_set(c->writer, &pair, 1);
        }
        if (!sent) c->failed = true;
        free(f);
    }
    c->n_fills = 0;
}

static void remember(struct question *q, const struct inquiry_found *found)
{
    struct inquiry_cache *c = q->cache;
    if (c->n_fills >= FILL_MAX || !inquiry_cache_up(c)) return;
    struct fill *f = cf_malloc(sizeof *f + found->payload.len);
    *f = (struct fill){.next = c->fills,
                       .holder = found->holder,
                       .version = found->version,
                       .has_alias = q->by_alias,
                       .len = found->payload.len};
    memcpy(f->alias, q->alias, 16);
    if (f->len) memcpy(f->payload, found->payload.ptr, f->len);
    c->fills = f;
    if (c->n_fills++ == 0) cf_timer_after(c->timer, FILL_MS);
}

/* ---- PostgreSQL ----------------------------------------------------------------------------- */

static void stored(void *arg, int e, const PGresult *res)
{
    struct question *q = arg;
    struct inquiry_found found = {0};
    struct inquiry_row row;
    q->cache->asked--;
    if (e) {
        q->fn(q->arg, CF_E_DB, NULL);
        return;
    }
    if (PQntuples(res) > 0) {
        struct cf_str key = cf_pgf_get(res, 0, 0);
        if (!cf_key_bytes(key.ptr, key.len, &found.holder) || !inquiry_store_row(res, 0, 1, &row))
            CF_BUG("a stored document has another shape");
        found.known = true;
        found.version = (uint64_t)row.version;
        found.payload = inquiry_codec_document_pack(q->arena, &row);
        found.past = cf_pgf_get(res, 0, 3 + INQUIRY_SOURCES);
        remember(q, &found);
    }
    q->fn(q->arg, 0, &found);
}

static int ask_by_key(struct question *q)
{
    char part[2];
    int32_t p = (int32_t)cf_key_partition(&q->holder, (uint32_t)q->cache->app->partitions);
    cf_put16(part, (uint16_t)p);
    const struct cf_str params[] = {
        {part, 2},
        cf_key_str(&q->holder)
    };
    return cf_pgf_send(q->cache->app->pg, INQUIRY_SQL_BY_KEY, params, 2, stored, q);
}

static int ask_by_alias(struct question *q)
{
    const struct cf_str params[] = {
        {(const char *)q->alias, 16},
        q->cache->parts
    };
    return cf_pgf_send(q->cache->app->pg, INQUIRY_SQL_BY_ALIAS, params, 2, stored, q);
}

static void ask_store(struct question *q)
{
    struct inquiry_cache *c = q->cache;
    cf_count_add(c->misses, 1);
    if (c->asked >= c->asked_max) {
        cf_count_add(c->refused, 1);
        q->fn(q->arg, CF_E_NET, NULL);
        return;
    }
    c->asked++;
    if (c->closing || (q->by_alias ? ask_by_alias(q) : ask_by_key(q)) != 0) {
        c->asked--;
        q->fn(q->arg, CF_E_DB, NULL);
    }
}

/* ---- Redis ---------------------------------------------------------------------------------- */

static void got_document(void *arg, int e, struct cf_str value)
{
    struct question *q = arg;
    struct inquiry_found found = {.known = true, .from_cache = true, .holder = q->holder};
    if (e || !value.ptr || !cf_redis_document(value, &found.version, &found.payload)) {
        ask_store(q);
        return;
    }
    cf_count_add(q->cache->hits, 1);
    q->fn(q->arg, 0, &found);
}

static void ask_document(struct question *q)
{
    char key[INQUIRY_REDIS_KEY_MAX];
    if (cf_redis_get(q->cache->front, inquiry_redis_document_key(&q->holder, key), got_document, q))
        ask_store(q);
}

static void got_alias(void *arg, int e, struct cf_str value)
{
    struct question *q = arg;
    if (e || !value.ptr || !cf_key_bytes(value.ptr, value.len, &q->holder))
        ask_store(q);
    else
        ask_document(q);
}

static struct question *question(struct inquiry_cache *c, struct cf_arena *a, inquiry_found_fn *fn,
                                 void *arg)
{
    struct question *q = cf_arena_zero(a, sizeof *q);
    q->cache = c;
    q->arena = a;
    q->fn = fn;
    q->arg = arg;
    return q;
}

void inquiry_cache_holder(struct inquiry_cache *c, struct cf_arena *a, const struct cf_key *holder,
                          inquiry_found_fn *fn, void *arg)
{
    struct question *q = question(c, a, fn, arg);
    q->holder = *holder;
    ask_document(q);
}

void inquiry_cache_alias(struct inquiry_cache *c, struct cf_arena *a, const uint8_t alias[16],
                         bool store_only, inquiry_found_fn *fn, void *arg)
{
    char key[INQUIRY_REDIS_KEY_MAX];
    struct question *q = question(c, a, fn, arg);
    q->by_alias = true;
    memcpy(q->alias, alias, 16);
    if (store_only || cf_redis_get(c->front, inquiry_redis_alias_key(alias, key), got_alias, q))
        ask_store(q);
}

bool inquiry_cache_up(const struct inquiry_cache *c)
{
    struct cf_redis_view v;
    cf_redis_front_view(c->front, &v);
    return v.up;
}

/* ---- for the sweep -------------------------------------------------------------------------- */

bool inquiry_cache_put(struct inquiry_cache *c, const struct cf_redis_doc *docs, size_t n)
{
    return n == 0 || cf_redis_stage_put(c->writer, docs, n);
}

bool inquiry_cache_set(struct inquiry_cache *c, const struct cf_redis_pair *pairs, size_t n)
{
    return n == 0 || cf_redis_stage_set(c->writer, pairs, n);
}

bool inquiry_cache_settled(struct inquiry_cache *c)
{
    bool settled = cf_redis_stage_settle(c->writer, WRITE_MS);
    uint64_t lost = cf_redis_stage_lost(c->writer);
    bool good = settled && lost == c->lost && !c->failed;
    c->lost = lost;
    c->failed = false;
    return good;
}

int inquiry_cache_get(struct inquiry_cache *c, struct cf_str key, cf_redis_got *got, void *arg)
{
    return cf_redis_get(c->front, key, got, arg);
}

/* ---- life ----------------------------------------------------------------------------------- */

static double redis_up(void *arg)
{
    return inquiry_cache_up(arg);
}

static double asked(void *arg)
{
    return ((const struct inquiry_cache *)arg)->asked;
}

static void measure(struct inquiry_cache *c)
{
    struct cf_metrics *m = c->app->metrics;
    const char *name = "cardflow_inquiry_lookups_total", *help = "Documents looked for";
    c->hits = cf_counter_new(m, name, help, "found_in", "cache", NULL);
    c->misses = cf_counter_new(m, name, help, "found_in", "store", NULL);
    c->refused = cf_counter_new(m, "cardflow_inquiry_store_refused_total",
                                "Questions not put to PostgreSQL: too many already", NULL);
    cf_gauge_fn(m, "cardflow_inquiry_redis_up", "Is Redis there for questions?", redis_up, c, NULL);
    cf_gauge_fn(m, "cardflow_inquiry_store_asked", "Questions that wait for PostgreSQL", asked, c,
                NULL);
}

struct inquiry_cache *inquiry_cache_new(struct cf_app *app, const struct inquiry_cache_conf *conf)
{
    const struct cf_redis_front_conf front = {.url = conf->url, .budget_ms = conf->budget_ms};
    const struct cf_redis_stage_conf writer = {.url = conf->url, .timeout_ms = WRITE_MS};
    struct inquiry_cache *c = cf_calloc(1, sizeof *c);
    c->app = app;
    c->asked_max = conf->store_in_flight;
    c->front = cf_redis_front_new(cf_loop_base(app->loop), &front);
    c->writer = cf_redis_stage_new(&writer);
    if (!c->front || !c->writer) {
        inquiry_cache_free(c);
        return NULL;
    }
    cf_pgarray_begin(&c->all, CF_OID_INT2);
    for (int i = 0; i < app->partitions; i++)
        cf_pgarray_int2(&c->all, (int16_t)i);
    c->parts = cf_pgarray_end(&c->all);
    c->timer = cf_timer_new(app->loop, flush, c);
    measure(c);
    return c;
}

void inquiry_cache_free(struct inquiry_cache *c)
{
    if (!c) return;
    c->closing = true;
    while (c->fills) {
        struct fill *f = c->fills;
        c->fills = f->next;
        free(f);
    }
    if (c->timer) cf_timer_free(c->timer);
    cf_buf_free(&c->all.buf);
    cf_redis_front_free(c->front);
    cf_redis_stage_free(c->writer);
    free(c);
}
