/* str -- text with a length, and buffers that grow up to a stated maximum.
 *
 * Shapes   struct cf_str points at bytes it does not own and is not zero-terminated
 * Units    lengths are bytes
 * Owns     a cf_buf owns its bytes until cf_buf_free()
 * Errors   a buffer that would pass its maximum keeps what it has and sets `full`;
 *          out of memory ends the process with a message
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cf_str {
    const char *ptr;
    size_t len;
};

#define CF_STR(literal) ((struct cf_str){"" literal, sizeof(literal) - 1})
/* For printf: "%.*s", CF_ARG(s) */
#define CF_ARG(s) (int)(s).len, (s).ptr

static inline struct cf_str cf_str_of(const char *z)
{
    return (struct cf_str){z, z ? strlen(z) : 0};
}

static inline bool cf_str_eq(struct cf_str a, struct cf_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool cf_str_is(struct cf_str a, const char *z)
{
    return cf_str_eq(a, cf_str_of(z));
}

/* Is s well-formed UTF-8 without U+0000 and surrogates? */
bool cf_utf8_valid(struct cf_str s);

/* Takes the next code point off the front of s; -1 at the end or on a malformed byte. */
int32_t cf_utf8_next(struct cf_str *s);

/* Writes one code point as UTF-8 into out (4 bytes); the number of bytes written. */
size_t cf_utf8_put(int32_t cp, char out[4]);

struct cf_buf {
    char *ptr;
    size_t len, cap, max;
    bool full; /* something did not fit below max */
};

void cf_buf_init(struct cf_buf *b, size_t max);
void cf_buf_free(struct cf_buf *b);
void cf_buf_reset(struct cf_buf *b);
/* Room for n more bytes at the end, or NULL when full; commit by adding to len. */
char *cf_buf_room(struct cf_buf *b, size_t n);
bool cf_buf_add(struct cf_buf *b, const void *bytes, size_t n);
bool cf_buf_adds(struct cf_buf *b, struct cf_str s);
bool cf_buf_printf(struct cf_buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline struct cf_str cf_buf_str(const struct cf_buf *b)
{
    return (struct cf_str){b->ptr, b->len};
}

/* A decimal number up to max, of digits alone (20 at most); false, and *out as it was, for anything
 * else. */
bool cf_digits(struct cf_str s, uint64_t max, uint64_t *out);

/* Lower-case hexadecimal of n bytes into out (2n + 1 bytes, zero-terminated). */
void cf_hex(const void *bytes, size_t n, char *out);
/* The reverse; false when s is not exactly 2n hexadecimal digits. */
bool cf_unhex(struct cf_str s, void *out, size_t n);
/* UUID text, 36 characters and a zero. */
void cf_uuid_text(const uint8_t id[16], char out[37]);
bool cf_uuid_parse(struct cf_str s, uint8_t id[16]);

/* malloc, calloc and realloc that end the process with a message when memory is out. */
void *cf_malloc(size_t n) __attribute__((malloc));
void *cf_calloc(size_t count, size_t size) __attribute__((malloc));
void *cf_realloc(void *p, size_t n);

/* On a constructor: free_fn(p) gives back what it returns; gcc's analyzer then sees leaks. clang
 * does not know this form of the attribute. */
#if defined __GNUC__ && !defined __clang__ && __GNUC__ >= 11
#define CF_FREED_BY(free_fn) __attribute__((malloc, malloc(free_fn, 1)))
#else
#define CF_FREED_BY(free_fn) __attribute__((malloc))
#endif
