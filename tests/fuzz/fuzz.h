/* fuzz -- what the targets of tests/fuzz share.
 *
 * A target is one file target_*.c with LLVMFuzzerTestOneInput. With the preset `fuzz` it is a
 * program of libFuzzer; with every other preset replay.c feeds it the files of corpus/ and found/.
 *
 * Errors   MUST ends the process where something that must hold does not
 */
#pragma once
#include "common/pure/arena.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                                                 \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static inline struct cf_str fuzz_str(const uint8_t *data, size_t size)
{
    return (struct cf_str){(const char *)data, size};
}

/* The first byte off the front; 0 at the end. */
static inline uint8_t fuzz_byte(struct cf_str *in)
{
    if (!in->len) return 0;
    uint8_t b = (uint8_t)in->ptr[0];
    in->ptr++, in->len--;
    return b;
}

/* Up to n bytes off the front. */
static inline struct cf_str fuzz_take(struct cf_str *in, size_t n)
{
    struct cf_str out = {in->ptr, n < in->len ? n : in->len};
    in->ptr += out.len, in->len -= out.len;
    return out;
}

/* Up to the next line end, which is passed over. */
static inline struct cf_str fuzz_line(struct cf_str *in)
{
    const char *lf = in->len ? memchr(in->ptr, '\n', in->len) : NULL;
    struct cf_str out = fuzz_take(in, lf ? (size_t)(lf - in->ptr) : in->len);
    fuzz_byte(in);
    return out;
}

/* A copy of exactly that size, so that a sanitizer sees one byte too far; free() it. */
static inline char *fuzz_exact(struct cf_str s)
{
    char *copy = cf_malloc(s.len ? s.len : 1);
    if (s.len) memcpy(copy, s.ptr, s.len);
    return copy;
}

/* A zero behind a copy of text without zeros; free() it. */
static inline char *fuzz_z(struct cf_str s)
{
    const char *zero = s.len ? memchr(s.ptr, 0, s.len) : NULL;
    size_t n = zero ? (size_t)(zero - s.ptr) : s.len;
    char *copy = cf_malloc(n + 1);
    if (n) memcpy(copy, s.ptr, n);
    copy[n] = 0;
    return copy;
}
