#include "common/io/stage/pgbin.h"

enum { HEADER = 20, ARRAY_MAX = 64 << 20 };

void cf_pgarray_begin(struct cf_pgarray *a, enum cf_oid oid)
{
    if (!a->buf.max) cf_buf_init(&a->buf, ARRAY_MAX);
    cf_buf_reset(&a->buf);
    a->count = 0;
    char *p = cf_buf_room(&a->buf, HEADER);
    cf_put32(p, 1);     /* dimensions */
    cf_put32(p + 4, 0); /* has null */
    cf_put32(p + 8, oid);
    cf_put32(p + 12, 0); /* length */
    cf_put32(p + 16, 1); /* lower bound */
    a->buf.len = HEADER;
}

static char *element(struct cf_pgarray *a, size_t n)
{
    char *p = cf_buf_room(&a->buf, n + 4);
    if (!p) return NULL;
    cf_put32(p, (uint32_t)n);
    a->buf.len += n + 4;
    a->count++;
    return p + 4;
}

void cf_pgarray_int2(struct cf_pgarray *a, int16_t v)
{
    char *p = element(a, 2);
    if (p) cf_put16(p, (uint16_t)v);
}

void cf_pgarray_int4(struct cf_pgarray *a, int32_t v)
{
    char *p = element(a, 4);
    if (p) cf_put32(p, (uint32_t)v);
}

void cf_pgarray_int8(struct cf_pgarray *a, int64_t v)
{
    char *p = element(a, 8);
    if (p) cf_put64(p, (uint64_t)v);
}

void cf_pgarray_bool(struct cf_pgarray *a, bool v)
{
    char *p = element(a, 1);
    if (p) *p = v;
}

void cf_pgarray_bytes(struct cf_pgarray *a, const void *bytes, size_t n)
{
    char *p = element(a, n);
    if (p && n) memcpy(p, bytes, n);
}

void cf_pgarray_null(struct cf_pgarray *a)
{
    char *p = cf_buf_room(&a->buf, 4);
    if (!p) return;
    cf_put32(p, UINT32_MAX);
    a->buf.len += 4;
    a->count++;
    cf_put32(a->buf.ptr + 4, 1);
}

struct cf_str cf_pgarray_end(struct cf_pgarray *a)
{
    cf_put32(a->buf.ptr + 12, a->count);
    return cf_buf_str(&a->buf);
}
