/* jpeg_inside -- what the files of the JPEG reader share; nobody else includes it.
 *
 * jpeg.c reads segments; jpeg_scan.c reads the entropy-coded data and shows the picture;
 * jpeg_many.c makes the tables with which it reads several symbols at once.
 */
#pragma once
#include "common/pure/jpeg.h"

enum {
    M_SOF0 = 0xc0,
    M_DHT = 0xc4,
    M_JPG = 0xc8,
    M_DAC = 0xcc,
    M_RST0 = 0xd0,
    M_RST7 = 0xd7,
    M_SOI = 0xd8,
    M_EOI = 0xd9,
    M_SOS = 0xda,
    M_DQT = 0xdb,
    M_DRI = 0xdd,
    M_APP0 = 0xe0,
    M_APP1 = 0xe1,
    M_APP14 = 0xee,
    M_TEM = 0x01
};

static inline uint32_t byte_at(struct cf_str s, size_t i)
{
    return (uint8_t)s.ptr[i];
}

static inline uint32_t be16(struct cf_str s, size_t i)
{
    return byte_at(s, i) << 8 | byte_at(s, i + 1);
}

/* fast[]: bits 0-4 all bits to read past (code and value), 5-8 bits of the value, 9-12 run,
 * bit 13 the end of the block. Only sizes that baseline allows are entered. */
enum { FAST_BITS = 10, FAST_SIZE = 5, FAST_RUN = 9, FAST_EOB = 1 << 13 };

static inline uint16_t fast_entry(bool ac, uint32_t length, uint32_t symbol)
{
    uint32_t run = ac ? symbol >> 4 : 0, size = ac ? symbol & 15 : symbol;
    if (size > (ac ? 10u : 11u)) return 0;
    uint32_t end = ac && symbol == 0 ? FAST_EOB : 0;
    /* Size 0 with a run below 15 has no meaning in baseline. */
    if (ac && size == 0 && run != 0 && run != 15) return 0;
    return (uint16_t)((length + size) | size << FAST_SIZE | run << FAST_RUN | end);
}

/* The difference that a value of so many bits stands for. */
static inline int32_t diff_of(uint32_t value, uint32_t size)
{
    bool negative = size > 0 && value < 1u << (size - 1);
    return (int32_t)value - (negative ? (1 << size) - 1 : 0);
}

/* Most symbols are short: a look-up by MANY_BITS bits finds all that are whole within them. An
 * entry is their sum: bits 0-5 all bits to read past, 6-15 the coefficients of AC passed, from 16
 * on a difference of DC (MANY_ZERO higher, so that it is not negative), if the first symbol is one.
 *
 * A block has 63 coefficients of AC. The symbol for its end needs room for one of them and adds
 * 512 to it, so that a sum of 63 or more is the end, and a wrong one if more than 63 without the
 * 512. Up to 16 coefficients for a bit are 176 for MANY_BITS; 256 stands for no entry, which is
 * wrong as a sum as well. Wrong sums are taken apart by fast[], since the end may be in them: a
 * block that is full has no symbol for it. */
enum { MANY_BITS = 11, MANY_ALL = 63, MANY_PASSED = 6, MANY_DIFF = 16, MANY_ZERO = 2048 };
enum { PASSED_MASK = 0x3ff, PASSED_BLOCK = 63, PASSED_EOB = 512 + 1, PASSED_NONE = 256 };
/* All bits of an entry: a value may reach further than MANY_BITS, if its symbol is alone. */
enum { MANY_MOST = MANY_BITS + 10 };

static inline uint32_t many_entry(uint32_t all, uint32_t passed, int32_t diff)
{
    return all | passed << MANY_PASSED | (uint32_t)(diff + MANY_ZERO) << MANY_DIFF;
}

static inline uint32_t many_passed(uint32_t entry)
{
    return entry >> MANY_PASSED & PASSED_MASK;
}

/* Symbols of AC. The table for n bits is from 1 << n on: a longer one is made of shorter ones. */
struct cf_jpeg_many {
    uint16_t by[2 << MANY_BITS];
};

/* A symbol of DC and what comes behind it. */
struct cf_jpeg_first {
    uint32_t by[1 << MANY_BITS];
};

void cf_jpeg_many(struct cf_jpeg_many *many, const struct cf_jpeg_huff *ac);
void cf_jpeg_first(struct cf_jpeg_first *first, const struct cf_jpeg_huff *dc,
                   const struct cf_jpeg_many *many);

/* Takes the next segment; *at moves behind it. The marker, or -1. */
int cf_jpeg_next(struct cf_str bytes, size_t *at, struct cf_str *segment);
bool cf_jpeg_is_frame(uint32_t marker);
/* Takes tables and headers into j. False: malformed. */
bool cf_jpeg_segment(struct cf_jpeg *j, uint32_t marker, struct cf_str s);
