/* jpeg_inside -- what the files of the JPEG reader share; nobody else includes it.
 *
 * jpeg.c reads segments; jpeg_scan.c reads the entropy-coded data and shows the picture.
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

/* Takes the next segment; *at moves behind it. The marker, or -1. */
int cf_jpeg_next(struct cf_str bytes, size_t *at, struct cf_str *segment);
bool cf_jpeg_is_frame(uint32_t marker);
/* Takes tables and headers into j. False: malformed. */
bool cf_jpeg_segment(struct cf_jpeg *j, uint32_t marker, struct cf_str s);
