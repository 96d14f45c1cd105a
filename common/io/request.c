#include "common/io/request.h"

#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/stage/pgbin.h"
#include "embed/stage_sql.h"

#include <stdlib.h>

enum { BATCH_MAX = 500, BATCHES_MAX = 2, WAITING_MAX = 20000, FORGET_EVERY_MS = 10000 };
#define KEPT_MS ((cf_ms)7 * CF_MS_PER_DAY)

enum { ADD, FIND, FORGET };

struct claim {
    struct claim *next;
    uint8_t key_hash[16], body_hash[32], id[16];
    cf_ms at;
    cf_claimed *fn;
    void *arg;
    bool answered;
    size_t client_len;
    char client[];
};

/* Claims that share a statement, sorted by key_hash. */
struct batch {
    struct cf_requests *owner;
    size_t n;
    struct claim *claims[BATCH_MAX];
};

struct cf_requests {
    struct cf_pgf *pg;
    size_t first;
    const struct cf_seal_ring *ring;
    const struct cf_front_producer *log;
    struct cf_wake *wake;
    struct cf_timer *timer;
    struct claim *head, **tail;
    size_t waiting, batches;
    bool forgetting;
    struct cf_pgarray arrays[5];
};

void cf_request_statements(struct cf_pgf_statement out[CF_REQUEST_STATEMENTS])
{
    out[ADD] = (struct cf_pgf_statement){.name = "request_add", .sql = stage_sql_request_add};
    out[FIND] = (struct cf_pgf_statement){.name = "request_find", .sql = stage_sql_request_find};
    out[FORGET] =
        (struct cf_pgf_statement){.name = "request_forget", .sql = stage_sql_request_forget};
}

/* ---- answering ------------------------------------------------------------------------------ */

static void answer(struct claim *c, int e, const struct cf_claim *result)
{
    if (c->answered) return;
    c->answered = true;
    c->fn(c->arg, e, result);
}

/* Everybody who has no answer yet gets this error; the batch is over. */
static void end_batch(struct batch *b, int e)
{
    for (size_t i = 0; i < b->n; i++) {
        answer(b->claims[i], e, NULL);
        free(b->claims[i]);
    }
    b->owner->batches--;
    cf_wake_up(b->owner->wake);
    free(b);
}

static int by_key(const void *a, const void *b)
{
    const struct claim *const *x = a, *const *y = b;
    return memcmp((*x)->key_hash, (*y)->key_hash, 16);
}

/* The first claim with this key in the batch, or n. */
static size_t first_of(const struct batch *b, const char *key_hash)
{
    size_t low = 0, high = b->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(b->claims[middle]->key_hash, key_hash, 16) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool same_key(const struct batch *b, size_t i, const char *key_hash)
{
    return i < b->n && memcmp(b->claims[i]->key_hash, key_hash, 16) == 0;
}

/* ---- the two statements --------------------------------------------------------------------- */

static void found(void *arg, int e, const PGresult *res)
{
    struct batch *b = arg;
    for (int row = 0; !e && row < PQntuples(res); row++) {
        struct cf_str key = cf_pgf_get(res, row, 0), body = cf_pgf_get(res, row, 1),
                      id = cf_pgf_get(res, row, 2), at = cf_pgf_get(res, row, 3);
        if (key.len != 16 || body.len != 32 || id.len != 16 || at.len != 8) continue;
        for (size_t i = first_of(b, key.ptr); same_key(b, i, key.ptr); i++) {
            bool same = memcmp(b->claims[i]->body_hash, body.ptr, 32) == 0;
            struct cf_claim claim = {.result = same ? CF_CLAIM_SAME : CF_CLAIM_CONFLICT,
                                     .at = (cf_ms)cf_get64(at.ptr)};
            memcpy(claim.id, id.ptr, 16);
            answer(b->claims[i], 0, &claim);
        }
    }
    /* A row that was not added and is not there either has just been forgotten: again, please. */
    end_batch(b, e ? e : CF_E_DB);
}

static void find(struct batch *b)
{
    struct cf_requests *r = b->owner;
    cf_pgarray_begin(&r->arrays[0], CF_OID_TEXT);
    cf_pgarray_begin(&r->arrays[1], CF_OID_BYTEA);
    for (size_t i = 0; i < b->n; i++) {
        const struct claim *c = b->claims[i];
        /* Of claims with the same key one asks for all. */
        if (c->answered || (i && !b->claims[i - 1]->answered &&
                            memcmp(b->claims[i - 1]->key_hash, c->key_hash, 16) == 0))
            continue;
        cf_pgarray_bytes(&r->arrays[0], c->client, c->client_len);
        cf_pgarray_bytes(&r->arrays[1], c->key_hash, 16);
    }
    const struct cf_str params[] = {cf_pgarray_end(&r->arrays[0]), cf_pgarray_end(&r->arrays[1])};
    int e = cf_pgf_send(r->pg, r->first + FIND, params, 2, found, b);
    if (e) end_batch(b, e);
}

static void added(void *arg, int e, const PGresult *res)
{
    struct batch *b = arg;
    if (e) {
        end_batch(b, e);
        return;
    }
    size_t left = b->n;
    for (int row = 0; row < PQntuples(res); row++) {
        struct cf_str key = cf_pgf_get(res, row, 0);
        size_t i = key.len == 16 ? first_of(b, key.ptr) : b->n;
        if (!same_key(b, i, key.ptr)) continue;
        struct claim *c = b->claims[i];
        struct cf_claim claim = {.result = CF_CLAIM_NEW, .at = c->at};
        memcpy(claim.id, c->id, 16);
        answer(c, 0, &claim);
        left--;
    }
    if (left)
        find(b);
    else
        end_batch(b, 0);
}

static void add(struct cf_requests *r, struct batch *b)
{
    static const enum cf_oid oids[] = {CF_OID_TEXT, CF_OID_BYTEA, CF_OID_BYTEA, CF_OID_UUID,
                                       CF_OID_INT8};
    struct cf_str params[5];
    for (size_t a = 0; a < 5; a++)
        cf_pgarray_begin(&r->arrays[a], oids[a]);
    for (size_t i = 0; i < b->n; i++) {
        const struct claim *c = b->claims[i];
        cf_pgarray_bytes(&r->arrays[0], c->client, c->client_len);
        cf_pgarray_bytes(&r->arrays[1], c->key_hash, 16);
        cf_pgarray_bytes(&r->arrays[2], c->body_hash, 32);
        cf_pgarray_bytes(&r->arrays[3], c->id, 16);
        cf_pgarray_int8(&r->arrays[4], c->at);
    }
    for (size_t a = 0; a < 5; a++)
        params[a] = cf_pgarray_end(&r->arrays[a]);
    int e = cf_pgf_send(r->pg, r->first + ADD, params, 5, added, b);
    if (e) end_batch(b, e);
}

/* ---- collecting ----------------------------------------------------------------------------- */

static struct batch *take_batch(struct cf_requests *r)
{
    struct batch *b = cf_calloc(1, sizeof *b);
    b->owner = r;
    while (r->head && b->n < BATCH_MAX) {
        struct claim *c = r->head;
        r->head = c->next;
        r->waiting--;
        b->claims[b->n++] = c;
    }
    if (!r->head) r->tail = &r->head;
    /* Sorted, so that two fronts that add the same keys do not wait for each other in a ring. */
    qsort(b->claims, b->n, sizeof *b->claims, by_key);
    r->batches++;
    return b;
}

/* While a statement runs, claims collect for the next: the slower the disk, the larger. */
static void flush(void *arg)
{
    struct cf_requests *r = arg;
    while (r->head && r->batches < BATCHES_MAX) {
        bool crowded = r->waiting > WAITING_MAX;
        struct batch *b = take_batch(r);
        /* Early, so that nobody waits for a timeout and nothing is half done. */
        if (r->log && !cf_front_up(r->log))
            end_batch(b, CF_E_NET);
        else if (cf_pgf_up(r->pg) && !crowded)
            add(r, b);
        else
            end_batch(b, CF_E_DB);
    }
}

void cf_requests_watch_log(struct cf_requests *r, const struct cf_front_producer *log)
{
    r->log = log;
}

bool cf_claim_refused(struct cf_request *req, int e, const struct cf_claim *claim)
{
    if (e)
        cf_problem_away(req, e == CF_E_NET ? "kafka" : "postgres");
    else if (claim->result == CF_CLAIM_CONFLICT)
        cf_problem_conflict(req);
    return e || claim->result == CF_CLAIM_CONFLICT;
}

void cf_requests_claim(struct cf_requests *r, const char *client, struct cf_str key,
                       struct cf_str meaning, const uint8_t id[16], cf_claimed *fn, void *arg)
{
    uint8_t hash[32];
    size_t len = strlen(client);
    struct claim *c = cf_calloc(1, sizeof *c + len + 1);
    *c = (struct claim){.at = cf_now_ms(), .fn = fn, .arg = arg, .client_len = len};
    memcpy(c->client, client, len + 1);
    memcpy(c->id, id, 16);
    cf_keyed_hash(r->ring, CF_STR("request.key"),
                  (const struct cf_str[]){{client, len}, key}, 2, hash);
    memcpy(c->key_hash, hash, 16);
    cf_keyed_hash(r->ring, CF_STR("request.body"), &meaning, 1, c->body_hash);
    *r->tail = c;
    r->tail = &c->next;
    r->waiting++;
    cf_wake_up(r->wake);
}

/* ---- forgetting ----------------------------------------------------------------------------- */

static void forgotten(void *arg, int e, const PGresult *res)
{
    struct cf_requests *r = arg;
    (void)e;
    (void)res;
    r->forgetting = false;
}

static void forget(void *arg, cf_ms now)
{
    struct cf_requests *r = arg;
    char before[8];
    (void)now;
    if (r->forgetting) return;
    cf_put64(before, (uint64_t)(cf_now_ms() - KEPT_MS));
    struct cf_str param = {before, 8};
    r->forgetting = cf_pgf_send(r->pg, r->first + FORGET, &param, 1, forgotten, r) == 0;
}

struct cf_requests *cf_requests_new(struct cf_loop *loop, struct cf_pgf *pg, size_t first,
                                    const struct cf_seal_ring *ring)
{
    struct cf_requests *r = cf_calloc(1, sizeof *r);
    r->pg = pg;
    r->first = first;
    r->ring = ring;
    r->tail = &r->head;
    r->wake = cf_wake_new(loop, flush, r);
    r->timer = cf_timer_new(loop, forget, r);
    cf_timer_every(r->timer, FORGET_EVERY_MS);
    return r;
}

/* After the connection has been freed, so that no batch is under way. */
void cf_requests_free(struct cf_requests *r)
{
    if (!r) return;
    while (r->head) {
        struct claim *c = r->head;
        r->head = c->next;
        answer(c, CF_E_DB, NULL);
        free(c);
    }
    cf_timer_free(r->timer);
    cf_wake_free(r->wake);
    for (size_t a = 0; a < 5; a++)
        cf_buf_free(&r->arrays[a].buf);
    free(r);
}
