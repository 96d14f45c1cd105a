/* pgbin -- PostgreSQL's binary arrays, written and read without a detour over text.
 *
 * Shapes   one-dimensional arrays; the header is written first and patched with the count
 * Errors   cf_buf's `full` when an array would pass its maximum
 * Source   PostgreSQL protocol: array_send, int8send, uuid_send, byteasend
 */
#pragma once
#include "common/pure/str.h"

enum cf_oid {
    CF_OID_BOOL = 16,
    CF_OID_BYTEA = 17,
    CF_OID_INT8 = 20,
    CF_OID_INT2 = 21,
    CF_OID_INT4 = 23,
    CF_OID_TEXT = 25,
    CF_OID_TID = 27,
    CF_OID_UUID = 2950
};

struct cf_pgarray {
    struct cf_buf buf;
    uint32_t count;
};

void cf_pgarray_begin(struct cf_pgarray *a, enum cf_oid oid);
void cf_pgarray_int2(struct cf_pgarray *a, int16_t v);
void cf_pgarray_int4(struct cf_pgarray *a, int32_t v);
void cf_pgarray_int8(struct cf_pgarray *a, int64_t v);
void cf_pgarray_bool(struct cf_pgarray *a, bool v);
void cf_pgarray_bytes(struct cf_pgarray *a, const void *p, size_t n);
void cf_pgarray_null(struct cf_pgarray *a);
/* Patches count and null flag; the bytes to send. */
struct cf_str cf_pgarray_end(struct cf_pgarray *a);

static inline void cf_put16(char *p, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(p, &v, 2);
}

static inline void cf_put32(char *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, 4);
}

static inline void cf_put64(char *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, 8);
}

static inline uint16_t cf_get16(const char *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return __builtin_bswap16(v);
}

static inline uint32_t cf_get32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

static inline uint64_t cf_get64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}
