#include "common/pure/pieces.h"

#include <stdlib.h>

void cf_pieces_free(struct cf_pieces *p)
{
    for (size_t i = 0; i < CF_PIECES; i++)
        if (p->have[i].mine) free(p->have[i].bytes);
    *p = (struct cf_pieces){.piece = 1};
}

struct cf_pieces cf_pieces_of(uint64_t size, size_t piece)
{
    return (struct cf_pieces){.size = size, .piece = piece};
}

struct cf_pieces cf_pieces_in_memory(struct cf_str file)
{
    struct cf_pieces p = {.size = file.len, .piece = file.len ? file.len : 1};
    p.have[0].bytes = (char *)(uintptr_t)file.ptr;
    p.have[0].len = file.len;
    return p;
}

static size_t length_of(const struct cf_pieces *p, uint32_t index)
{
    uint64_t at = (uint64_t)index * p->piece;
    if (at >= p->size) return 0;
    return p->size - at < p->piece ? (size_t)(p->size - at) : p->piece;
}

bool cf_pieces_give(struct cf_pieces *p, uint32_t index, struct cf_str bytes)
{
    size_t oldest = 0;
    if (bytes.len == 0 || bytes.len != length_of(p, index)) return false;
    for (size_t i = 1; i < CF_PIECES; i++)
        if (p->have[i].used_at < p->have[oldest].used_at) oldest = i;
    if (!p->have[oldest].mine) p->have[oldest].bytes = cf_malloc(p->piece);
    p->have[oldest].mine = true;
    memcpy(p->have[oldest].bytes, bytes.ptr, bytes.len);
    p->have[oldest].len = bytes.len;
    p->have[oldest].index = index;
    p->have[oldest].used_at = ++p->clock;
    return true;
}

bool cf_pieces_at(struct cf_pieces *p, uint64_t offset, struct cf_str *out)
{
    uint32_t index = (uint32_t)(offset / p->piece);
    size_t in = (size_t)(offset % p->piece);
    for (size_t i = 0; i < CF_PIECES; i++) {
        if (p->have[i].index != index || p->have[i].len <= in) continue;
        p->have[i].used_at = ++p->clock;
        *out = (struct cf_str){p->have[i].bytes + in, p->have[i].len - in};
        return true;
    }
    p->want = index;
    return false;
}

bool cf_pieces_copy(struct cf_pieces *p, uint64_t offset, void *out, size_t n)
{
    char *to = out;
    while (n) {
        struct cf_str s;
        if (!cf_pieces_at(p, offset, &s)) return false;
        size_t k = s.len < n ? s.len : n;
        memcpy(to, s.ptr, k);
        to += k;
        offset += k;
        n -= k;
    }
    return true;
}
