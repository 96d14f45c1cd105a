#include "services/intake/book_strings.h"

#include "common/pure/error.h"

#include <stdlib.h>
#include <zlib.h>

enum { BLOCK = 16 << 10, OPEN = 32, HEAD = 2 };

struct block {
    char *packed;
    uint32_t len, plain, first; /* first: index of its first string */
};

struct intake_strings {
    struct block *blocks;
    size_t n, cap, packed;
    uint32_t count, first; /* first: of the block that is being filled */
    size_t filled;
    char filling[BLOCK];
    struct {
        size_t block; /* index + 1; 0: none */
        uint32_t used_at;
        char *bytes;
    } open[OPEN];
    uint32_t clock;
};

void intake_strings_free(struct intake_strings *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n; i++)
        free(s->blocks[i].packed);
    for (size_t i = 0; i < OPEN; i++)
        free(s->open[i].bytes);
    free(s->blocks);
    free(s);
}

struct intake_strings *intake_strings_new(void)
{
    return cf_calloc(1, sizeof(struct intake_strings));
}

static bool pack(struct intake_strings *s)
{
    uLongf len = compressBound(BLOCK);
    char *packed = cf_malloc(len);
    if (compress2((Bytef *)packed, &len, (const Bytef *)s->filling, s->filled, 1) != Z_OK)
        CF_BUG("a block of strings that cannot be packed");
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        s->blocks = cf_realloc(s->blocks, s->cap * sizeof *s->blocks);
    }
    s->blocks[s->n++] = (struct block){.packed = cf_realloc(packed, len),
                                       .len = (uint32_t)len,
                                       .plain = (uint32_t)s->filled,
                                       .first = s->first};
    s->packed += len;
    s->filled = 0;
    s->first = s->count;
    return s->packed <= INTAKE_STRINGS_MAX;
}

bool intake_strings_add(struct intake_strings *s, struct cf_str text)
{
    if (text.len > CF_CSV_FIELD_MAX + 1) text.len = CF_CSV_FIELD_MAX + 1;
    if (s->filled + HEAD + text.len > BLOCK && !pack(s)) return false;
    char *p = s->filling + s->filled;
    p[0] = (char)(text.len >> 8);
    p[1] = (char)text.len;
    if (text.len) memcpy(p + HEAD, text.ptr, text.len);
    s->filled += HEAD + text.len;
    s->count++;
    return true;
}

uint32_t intake_strings_count(const struct intake_strings *s)
{
    return s->count;
}

static size_t block_of(const struct intake_strings *s, uint32_t index)
{
    size_t low = 0, high = s->n;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (s->blocks[middle].first <= index)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static const char *opened(struct intake_strings *s, size_t block)
{
    size_t oldest = 0;
    for (size_t i = 0; i < OPEN; i++) {
        if (s->open[i].block == block + 1) {
            s->open[i].used_at = ++s->clock;
            return s->open[i].bytes;
        }
        if (s->open[i].used_at < s->open[oldest].used_at) oldest = i;
    }
    const struct block *b = &s->blocks[block];
    uLongf len = BLOCK;
    if (!s->open[oldest].bytes) s->open[oldest].bytes = cf_malloc(BLOCK);
    if (uncompress((Bytef *)s->open[oldest].bytes, &len, (const Bytef *)b->packed, b->len) != Z_OK ||
        len != b->plain)
        CF_BUG("a block of strings that does not open");
    s->open[oldest].block = block + 1;
    s->open[oldest].used_at = ++s->clock;
    return s->open[oldest].bytes;
}

struct cf_str intake_strings_get(struct intake_strings *s, uint32_t index, struct cf_arena *arena)
{
    const char *p = s->filling;
    uint32_t i = s->first;
    if (index >= s->count) CF_BUG("a shared string that is not there");
    if (index < s->first) {
        size_t block = block_of(s, index);
        p = opened(s, block);
        i = s->blocks[block].first;
    }
    for (;; i++) {
        size_t len = (size_t)(uint8_t)p[0] << 8 | (uint8_t)p[1];
        if (i == index) return cf_arena_str(arena, (struct cf_str){p + HEAD, len});
        p += HEAD + len;
    }
}
