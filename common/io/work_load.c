#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/stage/bundle.h"
#include "common/io/work_inside.h"

#include <stdlib.h>

/* What a page's answer must find again. */
struct asked {
    struct cf_work_pool *pool;
    int16_t part;
    uint32_t times;
};

void load_begin(struct cf_work_pool *pool, int16_t part)
{
    struct work_shard *s = &pool->shards[part];
    s->owned = true;
    s->times++;
    s->loaded = INT64_MIN;
    s->behind = s->refill = 0;
    s->behind_from = INT64_MAX;
    s->loading = false;
    s->retry_at = 0;
}

void load_end(struct cf_work_pool *pool, int16_t part)
{
    struct work_shard *s = &pool->shards[part];
    s->owned = s->loading = false;
    s->times++;
}

cf_ms load_reach(const struct work_shard *s)
{
    return s->loading && s->page.until > s->loaded ? s->page.until : s->loaded;
}

/* ---- what changed meanwhile ----------------------------------------------------------------- */

/* A page is a snapshot. A change that we heard of after asking may be newer than the page: what
 * the stage has said counts, and the page's row is left out. */
void load_touch(struct work_shard *s, const uint8_t id[16])
{
    struct touched *t = &s->touched;
    if (!s->loading || t->all) return;
    if (t->n == WORK_UNTOUCHED_MAX) {
        t->all = true;
        return;
    }
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->ids = cf_realloc(t->ids, t->cap * 16);
    }
    memcpy(t->ids[t->n++], id, 16);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

static bool is_touched(const struct touched *t, const uint8_t id[16])
{
    return t->n && bsearch(id, t->ids, t->n, 16, by_bytes);
}

static void forget_touched(struct touched *t)
{
    t->n = 0;
    t->all = false;
}

/* ---- pages ---------------------------------------------------------------------------------- */

static void ask(struct cf_work_pool *pool, int16_t part);

static void fail(struct work_shard *s)
{
    s->loading = false;
    s->retry_at = cf_mono_ms() + WORK_RETRY_MS;
    if (!s->refill) return;
    s->behind |= s->refill;
    if (s->refill_from < s->behind_from) s->behind_from = s->refill_from;
}

static void finish(struct work_shard *s)
{
    s->loading = false;
    if (!s->refill) s->loaded = s->page.until;
}

static void take_piece(struct cf_work_pool *pool, struct work_shard *s, const struct cf_work *w)
{
    if (is_touched(&s->touched, w->id)) return;
    if (!mirror_find(&pool->mirror, w->part, w->id)) work_hold(pool, s, w);
}

static void take_row(struct cf_work_pool *pool, struct work_shard *s, const struct cf_work *row)
{
    struct cf_str rest = row->args;
    struct cf_work piece;
    if (!row->pieces) {
        take_piece(pool, s, row);
        return;
    }
    while (rest.len) {
        if (cf_bundle_next(row, &rest, &piece)) {
            cf_log(LOG_ERROR, "work.bundle_not_readable", F("part", row->part));
            return;
        }
        take_piece(pool, s, &piece);
    }
}

static void take(struct cf_work_pool *pool, struct work_shard *s, const struct cf_work *rows,
                 size_t n)
{
    if (s->touched.n) qsort(s->touched.ids, s->touched.n, 16, by_bytes);
    for (size_t i = 0; i < n; i++)
        take_row(pool, s, &rows[i]);
    /* At the end; or every kind that this load is for is full again. */
    if (n < WORK_PAGE || (s->refill && (s->refill & ~s->behind) == 0)) {
        finish(s);
        return;
    }
    s->page.after_due = rows[n - 1].due;
    memcpy(s->page.after_id, rows[n - 1].id, 16);
}

static void loaded(void *arg, int e, const struct cf_work *rows, size_t n)
{
    struct asked a = *(struct asked *)arg;
    struct work_shard *s = &a.pool->shards[a.part];
    free(arg);
    if (!s->owned || s->times != a.times) return;
    if (e) {
        cf_log(LOG_WARN, "work.not_loaded", F("part", a.part), F("why", cf_error_text(e)));
        fail(s);
        return;
    }
    if (!s->touched.all) take(a.pool, s, rows, n);
    if (s->loading) ask(a.pool, a.part);
    cf_wake_up(a.pool->wake);
}

static void ask(struct cf_work_pool *pool, int16_t part)
{
    struct work_shard *s = &pool->shards[part];
    struct asked *a = cf_calloc(1, sizeof *a);
    *a = (struct asked){pool, part, s->times};
    forget_touched(&s->touched);
    if (pool->stopping || pool->doors.load(pool->doors.self, &s->page, loaded, a) != 0) {
        free(a);
        fail(s);
    }
}

static void start(struct cf_work_pool *pool, int16_t part, cf_ms from, bool with_from,
                  cf_ms until)
{
    struct work_shard *s = &pool->shards[part];
    s->page = (struct cf_work_page){
        .part = part, .after_due = from, .until = until, .limit = WORK_PAGE};
    memset(s->page.after_id, with_from ? 0 : 0xFF, 16);
    s->loading = true;
    ask(pool, part);
}

/* The kinds of which there is room for many. */
static uint64_t roomy(const struct cf_work_pool *pool)
{
    uint64_t kinds = 0;
    for (size_t i = 0; i < pool->conf.n_workers; i++)
        if (pool->kinds[i].held < pool->items_max / 2) kinds |= (uint64_t)1 << i;
    return kinds;
}

static void refill(struct cf_work_pool *pool, int16_t part, uint64_t kinds)
{
    struct work_shard *s = &pool->shards[part];
    s->refill = kinds;
    s->refill_from = s->behind_from;
    s->behind &= ~kinds;
    if (!s->behind) s->behind_from = INT64_MAX;
    start(pool, part, s->refill_from, true, s->loaded);
}

void load_turn(struct cf_work_pool *pool, cf_ms now, cf_ms mono)
{
    uint64_t room = roomy(pool);
    for (int p = 0; p < pool->conf.partitions; p++) {
        struct work_shard *s = &pool->shards[p];
        if (!s->owned || s->loading || mono < s->retry_at) continue;
        if (s->loaded < now + CF_WORK_HORIZON_MS / 2) {
            /* Of what is due exactly at `loaded` nothing is missing. */
            s->refill = 0;
            start(pool, (int16_t)p, s->loaded, s->loaded == INT64_MIN, now + CF_WORK_HORIZON_MS);
        } else if (s->behind & room) {
            refill(pool, (int16_t)p, s->behind & room);
        }
    }
}
