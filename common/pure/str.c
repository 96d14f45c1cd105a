#include "common/pure/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void out_of_memory(size_t n)
{
    fprintf(stderr, "cardflow: out of memory (%zu bytes)\n", n);
    abort();
}

void *cf_malloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p) out_of_memory(n);
    return p;
}

void *cf_calloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p) out_of_memory(count * size);
    return p;
}

void *cf_realloc(void *old, size_t n)
{
    void *p = realloc(old, n ? n : 1);
    if (!p) out_of_memory(n);
    return p;
}

int32_t cf_utf8_next(struct cf_str *s)
{
    if (s->len == 0) return -1;
    const unsigned char *p = (const unsigned char *)s->ptr;
    size_t n;
    int32_t cp;
    if (p[0] < 0x80) {
        n = 1, cp = p[0];
    } else if (p[0] >= 0xC2 && p[0] < 0xE0) {
        n = 2, cp = p[0] & 0x1F;
    } else if (p[0] >= 0xE0 && p[0] < 0xF0) {
        n = 3, cp = p[0] & 0x0F;
    } else if (p[0] >= 0xF0 && p[0] < 0xF5) {
        n = 4, cp = p[0] & 0x07;
    } else {
        return -1;
    }
    if (s->len < n) return -1;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) return -1;
        cp = cp << 6 | (p[i] & 0x3F);
    }
    /* Over-long forms, surrogates and what lies beyond the last plane. */
    if ((n == 3 && cp < 0x800) || (n == 4 && (cp < 0x10000 || cp > 0x10FFFF))) return -1;
    if (cp >= 0xD800 && cp <= 0xDFFF) return -1;
    s->ptr += n;
    s->len -= n;
    return cp;
}

bool cf_utf8_valid(struct cf_str s)
{
    while (s.len)
        if (cf_utf8_next(&s) <= 0) return false;
    return true;
}

size_t cf_utf8_put(int32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

void cf_buf_init(struct cf_buf *b, size_t max)
{
    *b = (struct cf_buf){.max = max};
}

void cf_buf_free(struct cf_buf *b)
{
    free(b->ptr);
    *b = (struct cf_buf){.max = b->max};
}

void cf_buf_reset(struct cf_buf *b)
{
    b->len = 0;
    b->full = false;
}

char *cf_buf_room(struct cf_buf *b, size_t n)
{
    if (n > b->max || b->len > b->max - n) {
        b->full = true;
        return NULL;
    }
    if (b->cap - b->len < n || !b->ptr) {
        size_t cap = b->cap ? b->cap : 64;
        while (cap - b->len < n)
            cap *= 2;
        if (cap > b->max) cap = b->max;
        b->ptr = cf_realloc(b->ptr, cap);
        b->cap = cap;
    }
    return b->ptr + b->len;
}

bool cf_buf_add(struct cf_buf *b, const void *bytes, size_t n)
{
    char *to = cf_buf_room(b, n);
    if (!to) return false;
    if (n) memcpy(to, bytes, n);
    b->len += n;
    return true;
}

bool cf_buf_adds(struct cf_buf *b, struct cf_str s)
{
    return cf_buf_add(b, s.ptr, s.len);
}

bool cf_buf_printf(struct cf_buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = n < 0 ? NULL : cf_buf_room(b, (size_t)n + 1);
    if (to) {
        vsnprintf(to, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return to != NULL;
}

void cf_hex(const void *bytes, size_t n, char *out)
{
    static const char digit[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digit[p[i] >> 4];
        out[2 * i + 1] = digit[p[i] & 15];
    }
    out[2 * n] = 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool cf_unhex(struct cf_str s, void *out, size_t n)
{
    uint8_t *to = out;
    if (s.len != 2 * n) return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(s.ptr[2 * i]), low = hex_value(s.ptr[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool cf_digits(struct cf_str s, uint64_t max, uint64_t *out)
{
    enum { MOST = 20 };
    uint64_t v = 0;
    if (s.len == 0 || s.len > MOST) return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (digit > max || v > (max - digit) / 10) return false;
        v = 10 * v + digit;
    }
    *out = v;
    return true;
}

void cf_uuid_text(const uint8_t id[16], char out[37])
{
    char hex[33];
    cf_hex(id, 16, hex);
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

bool cf_uuid_parse(struct cf_str s, uint8_t id[16])
{
    char hex[32];
    size_t n = 0;
    if (s.len != 36) return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (s.ptr[i] == '-')) return false;
        if (!dash) hex[n++] = s.ptr[i];
    }
    return cf_unhex((struct cf_str){hex, 32}, id, 16);
}
