#include "services/photo-fetch/vault.h"

#include "common/io/stage/pgbin.h"
#include "services/photo-fetch/store.h"

#include <stdlib.h>

enum {
    TOGETHER = 256, /* most photos a statement */
    UNDER_WAY = 2   /* statements: what comes meanwhile goes together with the next */
};

struct waiting {
    photo_fetch_stored *stored;
    void *arg;
};

/* Photos on their way to the database in one statement. */
struct load {
    struct photo_fetch_vault *vault;
    size_t n;
    struct waiting waiting[TOGETHER];
};

/* A statement costs a flush of the log to disk, however many photos are in it. So the next one
 * begins when an earlier one has ended: the busier, the larger they get. */
struct photo_fetch_vault {
    struct cf_pgf *pg;
    const struct cf_seal_ring *ring;
    struct cf_arena *arena;
    struct cf_timer *flush;
    struct load *filling;
    int under_way;
    struct cf_pgarray parts, refs, bytes;
};

static void flush_now(void *arg, cf_ms now);

void photo_fetch_vault_free(struct photo_fetch_vault *v)
{
    if (!v) return;
    cf_timer_free(v->flush);
    cf_arena_free(v->arena);
    cf_buf_free(&v->parts.buf);
    cf_buf_free(&v->refs.buf);
    cf_buf_free(&v->bytes.buf);
    free(v->filling);
    free(v);
}

struct photo_fetch_vault *photo_fetch_vault_new(struct cf_loop *loop, struct cf_pgf *pg,
                                                const struct cf_seal_ring *ring)
{
    struct photo_fetch_vault *v = cf_calloc(1, sizeof *v);
    v->pg = pg;
    v->ring = ring;
    v->arena = cf_arena_new(1u << 20);
    v->flush = cf_timer_new(loop, flush_now, v);
    return v;
}

static void tell(struct load *load, int e)
{
    for (size_t i = 0; i < load->n; i++)
        load->waiting[i].stored(load->waiting[i].arg, e);
    free(load);
}

static void answered(void *arg, int e, const PGresult *res)
{
    (void)res;
    struct load *load = arg;
    struct photo_fetch_vault *v = load->vault;
    v->under_way--;
    if (v->filling) cf_timer_after(v->flush, 0);
    tell(load, e);
}

static void store_now(struct photo_fetch_vault *v)
{
    struct load *load = v->filling;
    v->filling = NULL;
    const struct cf_str params[] = {cf_pgarray_end(&v->parts), cf_pgarray_end(&v->refs),
                                    cf_pgarray_end(&v->bytes)};
    int e = v->bytes.buf.full
                ? CF_E_DB
                : cf_pgf_send(v->pg, PHOTO_SQL_STORE_PHOTOS, params, 3, answered, load);
    if (e)
        tell(load, e);
    else
        v->under_way++;
}

static void flush_now(void *arg, cf_ms now)
{
    (void)now;
    struct photo_fetch_vault *v = arg;
    if (v->filling && v->under_way < UNDER_WAY) store_now(v);
}

static struct load *begin(struct photo_fetch_vault *v)
{
    cf_pgarray_begin(&v->parts, CF_OID_INT2);
    cf_pgarray_begin(&v->refs, CF_OID_UUID);
    cf_pgarray_begin(&v->bytes, CF_OID_BYTEA);
    v->filling = cf_calloc(1, sizeof *v->filling);
    v->filling->vault = v;
    cf_timer_after(v->flush, 0);
    return v->filling;
}

int photo_fetch_vault_put(struct photo_fetch_vault *v, int16_t part, struct cf_str jpeg,
                          uint8_t ref[16], photo_fetch_stored *stored, void *arg)
{
    if (v->filling && v->filling->n == TOGETHER) store_now(v);
    struct cf_str sealed;
    cf_content_ref(v->ring, jpeg, ref);
    cf_arena_reset(v->arena);
    int e = cf_seal(v->ring, jpeg, (struct cf_str){(const char *)ref, 16}, PHOTO_SEAL_FIELD,
                    v->arena, &sealed);
    if (e) return e;
    struct load *load = v->filling ? v->filling : begin(v);
    cf_pgarray_int2(&v->parts, part);
    cf_pgarray_bytes(&v->refs, ref, 16);
    cf_pgarray_bytes(&v->bytes, sealed.ptr, sealed.len);
    load->waiting[load->n++] = (struct waiting){stored, arg};
    return 0;
}
