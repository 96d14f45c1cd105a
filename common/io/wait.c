#include "common/io/wait.h"

#include "common/io/clock.h"
#include "common/io/stage/pgbin.h"

#include <stdlib.h>

enum { ASK_EVERY_MS = 20, WAITING_MAX = 4096 };

struct waiter {
    uint8_t id[16];
    int16_t part;
    cf_ms until; /* monotonic */
    cf_waited *fn; /* NULL: has been answered */
    void *arg;
};

struct cf_waits {
    struct cf_timer *timer;
    bool ticking;
    struct cf_pgf *pg;
    size_t statement;
    struct waiter *list; /* the first `asked` are sorted by id and stand still during a query */
    size_t n, cap, asked, answered;
    bool asking;
    struct cf_pgarray parts, ids;
};

static void answer(struct cf_waits *w, size_t i, const PGresult *res, int row)
{
    cf_waited *fn = w->list[i].fn;
    void *arg = w->list[i].arg;
    if (!fn) return;
    w->list[i].fn = NULL;
    w->answered++;
    fn(arg, res, row); /* may add to the list: no pointer into it is kept */
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct waiter *)a)->id, ((const struct waiter *)b)->id, 16);
}

/* The first of those asked for with this id, or `asked`. */
static size_t first_of(const struct cf_waits *w, const char id[16])
{
    size_t low = 0, high = w->asked;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(w->list[middle].id, id, 16) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void told(void *arg, int e, const PGresult *res)
{
    struct cf_waits *w = arg;
    w->asking = false;
    if (e) return; /* asked again with the next tick */
    for (int row = 0; row < PQntuples(res); row++) {
        struct cf_str id = cf_pgf_get(res, row, 0);
        if (id.len != 16) CF_BUG("the first column of a wait statement is no uuid");
        for (size_t i = first_of(w, id.ptr);
             i < w->asked && memcmp(w->list[i].id, id.ptr, 16) == 0; i++)
            answer(w, i, res, row);
    }
}

static void sweep(struct cf_waits *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->n; i++)
        if (w->list[i].fn) w->list[kept++] = w->list[i];
    w->n = kept;
    w->asked = w->answered = 0;
}

static void ask(struct cf_waits *w)
{
    qsort(w->list, w->n, sizeof *w->list, by_id);
    cf_pgarray_begin(&w->parts, CF_OID_INT2);
    cf_pgarray_begin(&w->ids, CF_OID_UUID);
    for (size_t i = 0; i < w->n; i++) {
        cf_pgarray_int2(&w->parts, w->list[i].part);
        cf_pgarray_bytes(&w->ids, w->list[i].id, 16);
    }
    const struct cf_str params[] = {cf_pgarray_end(&w->parts), cf_pgarray_end(&w->ids)};
    w->asked = w->n;
    w->asking = cf_pgf_send(w->pg, w->statement, params, 2, told, w) == 0;
}

static void tick(void *arg, cf_ms now)
{
    struct cf_waits *w = arg;
    for (size_t i = 0, n = w->n; i < n; i++)
        if (w->list[i].until <= now) answer(w, i, NULL, 0);
    if (!w->asking) {
        sweep(w);
        if (w->n) ask(w);
    }
    w->ticking = w->n > 0;
    if (w->ticking) cf_timer_after(w->timer, ASK_EVERY_MS);
}

void cf_wait_for(struct cf_waits *w, int16_t part, const uint8_t id[16], cf_ms wait_ms,
                 cf_waited *fn, void *arg)
{
    if (wait_ms > CF_WAIT_MAX_MS) wait_ms = CF_WAIT_MAX_MS;
    if (w->n - w->answered >= WAITING_MAX) wait_ms = 0;
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 64;
        w->list = cf_realloc(w->list, w->cap * sizeof *w->list);
    }
    w->list[w->n] = (struct waiter){
        .part = part, .until = cf_mono_ms() + wait_ms, .fn = fn, .arg = arg};
    memcpy(w->list[w->n++].id, id, 16);
    if (!w->ticking) cf_timer_after(w->timer, ASK_EVERY_MS);
    w->ticking = true;
}

size_t cf_waiting(const struct cf_waits *w)
{
    return w->n - w->answered;
}

struct cf_waits *cf_waits_new(struct cf_loop *loop, struct cf_pgf *pg, size_t statement)
{
    struct cf_waits *w = cf_calloc(1, sizeof *w);
    w->pg = pg;
    w->statement = statement;
    w->timer = cf_timer_new(loop, tick, w);
    return w;
}

void cf_waits_free(struct cf_waits *w)
{
    if (!w) return;
    for (size_t i = 0, n = w->n; i < n; i++)
        answer(w, i, NULL, 0);
    cf_timer_free(w->timer);
    cf_buf_free(&w->parts.buf);
    cf_buf_free(&w->ids.buf);
    free(w->list);
    free(w);
}
