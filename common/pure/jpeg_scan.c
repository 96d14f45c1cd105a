#include "common/pure/jpeg_inside.h"

/* ---- entropy-coded data -------------------------------------------------------------------- */

struct bits {
    const uint8_t *at, *end;
    uint64_t acc; /* the next bits, from the top */
    int32_t have; /* of them; below 0 once more was read than is there */
};

/* Bytes up to the next marker; FF 00 stands for FF. At a marker zeros come in, and `have` counts
 * down past 0, which is looked at once per row of blocks. */
static void refill_slow(struct bits *b)
{
    while (b->have <= 56 && b->at < b->end) {
        uint64_t byte = *b->at;
        if (byte == 0xff) {
            if (b->end - b->at < 2 || b->at[1] != 0) return;
            b->at++;
        }
        b->at++;
        b->acc |= byte << (56 - b->have);
        b->have += 8;
    }
}

static uint64_t load_be64(const uint8_t *p)
{
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 |
           (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
           (uint64_t)p[6] << 8 | p[7];
}

/* Eight bytes at once where none of them is FF (some byte of ~word is zero exactly then); only
 * whole bytes that fit are counted, the others come again. */
static inline void refill(struct bits *b)
{
    if (b->end - b->at >= 8 && b->have >= 0) {
        uint64_t word = load_be64(b->at), inverse = ~word;
        if (!((inverse - 0x0101010101010101u) & word & 0x8080808080808080u)) {
            uint32_t bytes = (uint32_t)(64 - b->have) >> 3;
            if (bytes == 0) return;
            uint64_t kept = bytes == 8 ? word : word >> (64 - 8 * bytes) << (64 - 8 * bytes);
            b->acc |= kept >> b->have;
            b->at += bytes;
            b->have += (int32_t)(8 * bytes);
            return;
        }
    }
    refill_slow(b);
}

static inline uint32_t peek(const struct bits *b, uint32_t n)
{
    return (uint32_t)(b->acc >> (64 - n));
}

static inline void skip(struct bits *b, uint32_t n)
{
    b->acc <<= n;
    b->have -= (int32_t)n;
}

/* Codes longer than FAST_BITS; the entry as fast[] would hold it, 0 when there is no such code. */
static uint16_t slow_entry(const struct cf_jpeg_huff *h, const struct bits *b, bool ac)
{
    for (uint32_t length = FAST_BITS + 1; length <= 16; length++) {
        int32_t code = (int32_t)peek(b, length);
        if (code > h->max_code[length]) continue;
        int32_t k = code + h->offset[length];
        return k >= 0 && k < 256 ? fast_entry(ac, length, h->symbols[k]) : 0;
    }
    return 0;
}

static inline uint32_t next_entry(const struct cf_jpeg_huff *h, struct bits *b, bool ac)
{
    if (b->have < 32) refill(b);
    uint16_t entry = h->fast[peek(b, FAST_BITS)];
    return entry ? entry : slow_entry(h, b, ac);
}

/* One block: the difference of its mean; the rest is read past. */
static bool read_block(struct bits *b, const struct cf_jpeg_huff *dc, const struct cf_jpeg_huff *ac,
                       int32_t *diff)
{
    uint32_t entry = next_entry(dc, b, false);
    if (entry == 0) return false;
    uint32_t all = entry & 31, size = entry >> FAST_SIZE & 15;
    int32_t value = 0;
    if (size) {
        value = (int32_t)((b->acc << (all - size)) >> (64 - size));
        if (value < 1 << (size - 1)) value -= (1 << size) - 1;
    }
    skip(b, all);
    *diff = value;
    for (uint32_t k = 1; k < 64; k++) {
        entry = next_entry(ac, b, true);
        if (entry == 0) return false;
        skip(b, entry & 31);
        if (entry & FAST_EOB) break;
        k += entry >> FAST_RUN & 15;
        if (k > 63) return false;
    }
    return true;
}

struct scan {
    uint32_t n;
    uint32_t component[3];
    const struct cf_jpeg_huff *dc[3], *ac[3];
    int32_t last[3];
    struct bits bits;
};

static bool read_scan_header(struct cf_jpeg *j, struct cf_str s, struct scan *scan)
{
    if (s.len < 1) return false;
    scan->n = byte_at(s, 0);
    if (scan->n == 0 || scan->n > 3 || s.len != 4 + 2 * (size_t)scan->n) return false;
    for (uint32_t i = 0; i < scan->n; i++) {
        uint32_t id = byte_at(s, 1 + 2 * i), tables = byte_at(s, 2 + 2 * i);
        uint32_t c = 0;
        while (c < j->components && j->component[c].id != id)
            c++;
        if (c == j->components || (tables >> 4) > 1 || (tables & 15) > 1) return false;
        scan->component[i] = c;
        scan->dc[i] = &j->huff[0][tables >> 4];
        scan->ac[i] = &j->huff[1][tables & 15];
        if (!scan->dc[i]->there || !scan->ac[i]->there) return false;
    }
    return true;
}

/* The blocks of one component within the MCU (mx, my). */
static bool read_blocks(struct cf_jpeg *j, struct scan *s, uint32_t i, uint32_t mx, uint32_t my)
{
    uint32_t which = s->component[i];
    const struct cf_jpeg_component *c = &j->component[which];
    uint32_t h = s->n == 1 ? 1 : c->h, v = s->n == 1 ? 1 : c->v;
    for (uint32_t y = my * v; y < my * v + v; y++) {
        for (uint32_t x = mx * h; x < mx * h + h; x++) {
            int32_t diff;
            if (!read_block(&s->bits, s->dc[i], s->ac[i], &diff)) return false;
            s->last[i] += diff;
            if (s->last[i] < -2048 || s->last[i] > 2047) return false;
            j->dc[which][y * c->across + x] = (int16_t)s->last[i];
        }
    }
    return true;
}

/* At the end of an interval less than a byte of ones may be left, and then comes a marker. */
static bool end_interval(struct bits *b)
{
    refill(b);
    return b->have >= 0 && b->have < 8 && b->end - b->at >= 2 && b->at[0] == 0xff;
}

static bool restart(struct scan *s, uint32_t count)
{
    struct bits *b = &s->bits;
    if (!end_interval(b)) return false;
    while (b->end - b->at > 2 && b->at[1] == 0xff)
        b->at++;
    if (b->at[1] != M_RST0 + (count & 7)) return false;
    b->at += 2;
    b->acc = 0;
    b->have = 0;
    memset(s->last, 0, sizeof s->last);
    return true;
}

/* A scan of one component has its own count of blocks, without those that fill up an MCU. */
static void scan_size(const struct cf_jpeg *j, const struct scan *s, uint32_t *across,
                      uint32_t *down)
{
    *across = j->mcus_across;
    *down = j->mcus_down;
    if (s->n != 1) return;
    const struct cf_jpeg_component *c = &j->component[s->component[0]];
    *across = ((j->width * c->h + j->h_max - 1) / j->h_max + 7) / 8;
    *down = ((j->height * c->v + j->v_max - 1) / j->v_max + 7) / 8;
}

static bool read_scan(struct cf_jpeg *j, struct scan *s)
{
    uint32_t across, down, done = 0, restarts = 0;
    scan_size(j, s, &across, &down);
    for (uint32_t my = 0; my < down; my++) {
        for (uint32_t mx = 0; mx < across; mx++, done++) {
            if (j->restart && done && done % j->restart == 0 && !restart(s, restarts++))
                return false;
            for (uint32_t i = 0; i < s->n; i++)
                if (!read_blocks(j, s, i, mx, my)) return false;
        }
        if (s->bits.have < 0) return false;
    }
    return end_interval(&s->bits);
}

static bool lay_out(struct cf_jpeg *j)
{
    j->mcus_across = (j->width + 8 * j->h_max - 1) / (8 * j->h_max);
    j->mcus_down = (j->height + 8 * j->v_max - 1) / (8 * j->v_max);
    for (uint32_t i = 0; i < j->components; i++) {
        struct cf_jpeg_component *c = &j->component[i];
        c->across = j->mcus_across * c->h;
        if (c->across * j->mcus_down * c->v > CF_JPEG_BLOCKS) return false;
    }
    return true;
}

enum cf_jpeg_status cf_jpeg_decode(struct cf_jpeg *j)
{
    if (!j->baseline || j->precision != 8 || j->components != 3 || j->width > CF_JPEG_SIDE ||
        j->height > CF_JPEG_SIDE || !lay_out(j))
        return CF_JPEG_DAMAGED;
    size_t at = j->scan;
    uint32_t seen = 0;
    for (;;) {
        struct cf_str segment;
        int marker = cf_jpeg_next(j->bytes, &at, &segment);
        if (marker == M_EOI) return seen == 7 ? CF_JPEG_OK : CF_JPEG_DAMAGED;
        if (marker < 0) return CF_JPEG_DAMAGED;
        if (marker != M_SOS) {
            if (cf_jpeg_is_frame((uint32_t)marker) ||
                !cf_jpeg_segment(j, (uint32_t)marker, segment))
                return CF_JPEG_DAMAGED;
            continue;
        }
        struct scan s = {0};
        if (!read_scan_header(j, segment, &s)) return CF_JPEG_DAMAGED;
        const uint8_t *bytes = (const uint8_t *)j->bytes.ptr;
        s.bits = (struct bits){.at = bytes + at, .end = bytes + j->bytes.len};
        for (uint32_t i = 0; i < s.n; i++) {
            if (seen & 1u << s.component[i]) return CF_JPEG_DAMAGED;
            seen |= 1u << s.component[i];
        }
        if (!read_scan(j, &s)) return CF_JPEG_DAMAGED;
        at = (size_t)(s.bits.at - bytes);
    }
}

/* ---- the picture --------------------------------------------------------------------------- */

static int32_t sample(const struct cf_jpeg *j, uint32_t which, uint32_t x, uint32_t y)
{
    const struct cf_jpeg_component *c = &j->component[which];
    uint32_t cx = x * c->h / j->h_max, cy = y * c->v / j->v_max;
    return j->dc[which][cy * c->across + cx] * j->quant_dc[c->quant] / 8 + 128;
}

static uint8_t clamp(int32_t v)
{
    return v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v;
}

void cf_jpeg_block(const struct cf_jpeg *j, uint32_t x, uint32_t y, uint8_t rgb[3])
{
    int32_t a = sample(j, 0, x, y), b = sample(j, 1, x, y), c = sample(j, 2, x, y);
    if (j->adobe_rgb) {
        rgb[0] = clamp(a);
        rgb[1] = clamp(b);
        rgb[2] = clamp(c);
        return;
    }
    b -= 128; /* JFIF's YCbCr, in 1/1024 */
    c -= 128;
    rgb[0] = clamp(a + 1436 * c / 1024);
    rgb[1] = clamp(a - (352 * b + 731 * c) / 1024);
    rgb[2] = clamp(a + 1815 * b / 1024);
}
