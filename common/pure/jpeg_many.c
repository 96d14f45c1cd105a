#include "common/pure/jpeg_inside.h"

/* to[i] = from[i] + own; eight at a time, which compilers make vector additions of. */
static void add_many(uint16_t *restrict to, const uint16_t *restrict from, uint32_t n, uint32_t own)
{
    uint32_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (uint32_t k = i; k < i + 8; k++)
            to[k] = (uint16_t)(from[k] + own);
    for (; i < n; i++)
        to[i] = (uint16_t)(from[i] + own);
}

static void add_first(uint32_t *restrict to, const uint16_t *restrict from, uint32_t n,
                      uint32_t own)
{
    uint32_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (uint32_t k = i; k < i + 8; k++)
            to[k] = from[k] + own;
    for (; i < n; i++)
        to[i] = from[i] + own;
}

/* The entries of one code for n bits. In the bits that its symbol leaves is what the table for so
 * many bits knows already, and that is the same for each value of the symbol. */
static void fill_many(struct cf_jpeg_many *many, uint32_t n, uint32_t code, uint32_t length,
                      uint32_t entry)
{
    uint32_t all = entry & 31, size = entry >> FAST_SIZE & 15, run = entry >> FAST_RUN & 15;
    uint32_t range = 1u << (n - length);
    uint16_t *to = many->by + (1u << n) + code * range;
    bool ends = entry & FAST_EOB;
    uint32_t own = all | (ends ? PASSED_EOB : run + 1) << MANY_PASSED;
    if (ends || all > n) { /* the last, and the only one */
        for (uint32_t i = 0; i < range; i++)
            to[i] = (uint16_t)own;
        return;
    }
    uint32_t done = range >> size; /* of one value */
    add_many(to, many->by + done, done, own);
    for (uint32_t i = done; i < range && i < 8; i++)
        to[i] = to[i - done];
    for (done = done < 8 ? 8 : done; done < range; done *= 2)
        memcpy(to + done, to, done * sizeof *to);
}

void cf_jpeg_many(struct cf_jpeg_many *many, const struct cf_jpeg_huff *ac)
{
    memset(many, 0, sizeof many->by / 2); /* no symbol fits: nothing is added */
    for (uint32_t i = 1u << MANY_BITS; i < 2u << MANY_BITS; i++)
        many->by[i] = PASSED_NONE << MANY_PASSED;
    for (uint32_t n = 1; n <= MANY_BITS; n++) {
        uint32_t code = 0, k = 0, most = n < MANY_BITS ? n : MANY_MOST;
        for (uint32_t length = 1; length <= n; length++, code <<= 1) {
            for (uint32_t i = 0; i < ac->counts[length]; i++, code++, k++) {
                uint32_t entry = fast_entry(true, length, ac->symbols[k]);
                if (entry && (entry & 31) <= most) fill_many(many, n, code, length, entry);
            }
        }
    }
}

static void fill_first(struct cf_jpeg_first *first, const struct cf_jpeg_many *many, uint32_t code,
                       uint32_t length, uint32_t size)
{
    uint32_t all = length + size, n = 1u << (MANY_BITS - all);
    uint32_t *to = first->by + (code << (MANY_BITS - length));
    for (uint32_t value = 0; value < 1u << size; value++, to += n)
        add_first(to, many->by + n, n, many_entry(all, 0, diff_of(value, size)));
}

void cf_jpeg_first(struct cf_jpeg_first *first, const struct cf_jpeg_huff *dc,
                   const struct cf_jpeg_many *many)
{
    for (uint32_t i = 0; i < 1u << MANY_BITS; i++)
        first->by[i] = PASSED_NONE << MANY_PASSED;
    uint32_t code = 0, k = 0;
    for (uint32_t length = 1; length <= MANY_BITS; length++, code <<= 1) {
        for (uint32_t i = 0; i < dc->counts[length]; i++, code++, k++) {
            uint32_t entry = fast_entry(false, length, dc->symbols[k]);
            if (entry && (entry & 31) <= MANY_BITS)
                fill_first(first, many, code, length, entry >> FAST_SIZE & 15);
        }
    }
}
