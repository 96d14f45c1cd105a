#include "common/pure/jpeg_inside.h"

/* ---- entropy-coded data -------------------------------------------------------------------- */

struct bits {
    const uint8_t *at, *end;
    const uint8_t *plain; /* no byte before it is FF */
    uint64_t acc;         /* the next bits, from the top */
    int32_t have;         /* of them; below 0 once more was read than is there */
};

static void start_bits(struct bits *b, const uint8_t *at)
{
    b->at = b->plain = at;
    b->acc = 0;
    b->have = 0;
}

/* Bytes up to the next marker; FF 00 stands for FF. At a marker zeros come in, and `have` counts
 * down past 0, which is looked at once per row of blocks. */
static void refill_slow(struct bits *b)
{
    while (b->have < 56 && b->at < b->end) {
        uint64_t byte = *b->at;
        if (byte == 0xff) {
            if (b->end - b->at < 2 || b->at[1] != 0) return;
            b->at++;
        }
        b->at++;
        b->acc |= byte << (56 - b->have);
        b->have += 8;
    }
    if (b->at < b->plain) return;
    const uint8_t *ff = memchr(b->at, 0xff, (size_t)(b->end - b->at));
    b->plain = ff ? ff : b->end;
}

static inline uint64_t load_be64(const uint8_t *p)
{
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 |
           (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
           (uint64_t)p[6] << 8 | p[7];
}

/* Afterwards 56 bits or more are there, or all up to the marker. Of eight bytes at once only those
 * that fit whole are counted; a part of the next may stand behind them and comes again. */
static inline void refill(struct bits *b)
{
    if (b->plain - b->at >= 8) {
        b->acc |= load_be64(b->at) >> b->have;
        b->at += (63 - b->have) >> 3;
        b->have |= 56;
        return;
    }
    struct bits copy = *b; /* so that *b can live in registers */
    refill_slow(&copy);
    *b = copy;
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

/* What fast[] does not know: longer codes, and none at all. The entry as it would stand there, 0 when
 * there is no such code or baseline forbids its symbol. Short codes are looked at again, since one
 * with a forbidden symbol must not be taken for the beginning of a longer one. */
static uint16_t slow_entry(const struct cf_jpeg_huff *h, const struct bits *b, bool ac)
{
    for (uint32_t length = 1; length <= 16; length++) {
        int32_t code = (int32_t)peek(b, length);
        if (code > h->max_code[length]) continue;
        /* Above all shorter codes and not above the last of this length: one that is there. */
        return fast_entry(ac, length, h->symbols[code + h->offset[length]]);
    }
    return 0;
}

static inline uint32_t next_entry(const struct cf_jpeg_huff *h, const struct bits *b, bool ac)
{
    uint16_t entry = h->fast[peek(b, FAST_BITS)];
    return entry ? entry : slow_entry(h, b, ac);
}

/* A block of the MCU. They stand in a ring, in the order of the data. */
struct block {
    const uint32_t *first; /* tables by MANY_BITS bits */
    const uint16_t *many;
    const struct cf_jpeg_huff *dc, *ac;
    int32_t *last; /* mean, of the component */
    int16_t *to;   /* where the next mean goes */
    uint32_t step; /* from there to that of the next MCU */
    struct block *next;
};

/* Reads past one symbol. The entry that it would be, without its bits; 56 are there again. */
static uint32_t one_symbol(struct bits *b, const struct cf_jpeg_huff *h, bool ac)
{
    refill(b);
    uint32_t entry = next_entry(h, b, ac), all = entry & 31, size = entry >> FAST_SIZE & 15;
    uint32_t passed = ac ? (entry >> FAST_RUN & 15) + 1 : 0;
    int32_t diff = 0;
    if (entry == 0) return many_entry(0, PASSED_NONE, 0);
    if (entry & FAST_EOB) passed = PASSED_EOB;
    /* Two shifts, since size may be 0. */
    if (!ac) diff = diff_of((uint32_t)(b->acc << (all - size) >> 1 >> (63 - size)), size);
    skip(b, all);
    refill(b);
    return many_entry(0, passed, diff);
}

/* Whether the sum of a block so far is not wrong; the 512 of its end aside. */
static inline bool fits(uint32_t passed)
{
    return (passed & 511) <= PASSED_BLOCK;
}

_Static_assert(MANY_BITS + 2 * MANY_MOST <= 56, "a refill is for a first entry and two more");

/* The rest of a block, behind `passed` coefficients. */
static inline bool read_rest(struct bits *b, const struct block *to, uint32_t passed)
{
    while (passed < PASSED_BLOCK) {
        uint32_t entry = to->many[peek(b, MANY_BITS)], sum = passed + (entry >> MANY_PASSED);
        if (sum < PASSED_BLOCK) {
            skip(b, entry & MANY_ALL);
            passed = sum;
            entry = to->many[peek(b, MANY_BITS)];
            sum = passed + (entry >> MANY_PASSED);
            if (sum < PASSED_BLOCK) {
                skip(b, entry & MANY_ALL);
                passed = sum;
                refill(b);
                continue;
            }
        }
        if (fits(sum)) {
            skip(b, entry & MANY_ALL);
            return true;
        }
        struct bits copy = *b; /* so that *b can live in registers */
        passed += many_passed(one_symbol(&copy, to->ac, true));
        *b = copy;
    }
    return fits(passed);
}

/* One block: the difference of its mean; the rest is read past. */
static inline bool read_block(struct bits *b, const struct block *to, int32_t *diff)
{
    refill(b);
    uint32_t entry = to->first[peek(b, MANY_BITS)];
    if (!fits(many_passed(entry))) {
        struct bits copy = *b;
        entry = one_symbol(&copy, to->dc, false);
        *b = copy;
    }
    skip(b, entry & MANY_ALL);
    *diff = (int32_t)(entry >> MANY_DIFF) - MANY_ZERO;
    return read_rest(b, to, many_passed(entry));
}

/* ---- a scan -------------------------------------------------------------------------------- */

/* Made for each scan, since the tables may change between scans. */
struct tables {
    struct cf_jpeg_many many[2];
    struct cf_jpeg_first first[3];
};

struct scan {
    uint32_t n;
    uint32_t component[3];
    const struct cf_jpeg_huff *dc[3], *ac[3];
    const struct cf_jpeg_many *many[3];
    const struct cf_jpeg_first *first[3];
    int32_t last[3];
    uint32_t in_mcu; /* blocks */
    struct block block[3 * 16];
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

/* Components with the same codes share what is made of them. */
static void make_tables(struct scan *s, struct tables *t)
{
    for (uint32_t i = 0, made = 0; i < s->n; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (s->ac[k] != s->ac[i]) continue;
            s->many[i] = s->many[k];
            if (s->dc[k] == s->dc[i]) s->first[i] = s->first[k];
        }
        if (!s->many[i]) {
            cf_jpeg_many(&t->many[made], s->ac[i]);
            s->many[i] = &t->many[made++];
        }
        if (s->first[i]) continue;
        cf_jpeg_first(&t->first[i], s->dc[i], s->many[i]);
        s->first[i] = &t->first[i];
    }
}

/* The blocks of the first MCU of row my. */
static void start_row(struct cf_jpeg *j, struct scan *s, uint32_t my)
{
    s->in_mcu = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct cf_jpeg_component *c = &j->component[s->component[i]];
        uint32_t h = s->n == 1 ? 1 : c->h, v = s->n == 1 ? 1 : c->v;
        for (uint32_t at = 0; at < h * v; at++) {
            struct block *b = &s->block[s->in_mcu++];
            *b = (struct block){.first = s->first[i]->by,
                                .many = s->many[i]->by + (1u << MANY_BITS),
                                .dc = s->dc[i],
                                .ac = s->ac[i],
                                .last = &s->last[i],
                                .to = j->dc[s->component[i]] +
                                      (size_t)(my * v + at / h) * c->across + at % h,
                                .step = h,
                                .next = b + 1};
        }
    }
    s->block[s->in_mcu - 1].next = s->block;
}

/* So many MCUs of a row. */
static bool read_mcus(struct scan *s, uint32_t mcus)
{
    struct bits bits = s->bits; /* in registers on the way */
    struct block *b = s->block;
    for (uint32_t n = mcus * s->in_mcu; n > 0; n--, b = b->next) {
        int32_t diff;
        if (!read_block(&bits, b, &diff)) return false;
        int32_t mean = *b->last + diff;
        if (mean < -2048 || mean > 2047) return false;
        *b->last = mean;
        *b->to = (int16_t)mean;
        b->to += b->step;
    }
    s->bits = bits;
    return true;
}

/* At the end of an interval less than a byte of ones may be left, and then comes a marker: with
 * two bytes more, nothing else stops refill_slow(). */
static bool end_interval(struct bits *b)
{
    refill_slow(b);
    return b->have >= 0 && b->have < 8 && b->end - b->at >= 2;
}

static bool restart(struct scan *s, uint32_t count)
{
    struct bits *b = &s->bits;
    if (!end_interval(b)) return false;
    while (b->end - b->at > 2 && b->at[1] == 0xff)
        b->at++;
    if (b->at[1] != M_RST0 + (count & 7)) return false;
    start_bits(b, b->at + 2);
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
    uint32_t across, down, left = j->restart, restarts = 0;
    scan_size(j, s, &across, &down);
    for (uint32_t my = 0; my < down; my++) {
        start_row(j, s, my);
        for (uint32_t mx = 0; mx < across;) {
            if (j->restart && left == 0) {
                if (!restart(s, restarts++)) return false;
                left = j->restart;
            }
            uint32_t mcus = across - mx;
            if (j->restart && mcus > left) mcus = left;
            if (!read_mcus(s, mcus)) return false;
            mx += mcus;
            left -= mcus;
        }
        if (s->bits.have < 0) return false;
    }
    return end_interval(&s->bits);
}

/* Up to CF_JPEG_SIDE pixels each way, 22 MCUs of 3 x 3 blocks need most: 66 x 66 blocks. */
static void lay_out(struct cf_jpeg *j)
{
    j->mcus_across = (j->width + 8 * j->h_max - 1) / (8 * j->h_max);
    j->mcus_down = (j->height + 8 * j->v_max - 1) / (8 * j->v_max);
    for (uint32_t i = 0; i < j->components; i++) {
        struct cf_jpeg_component *c = &j->component[i];
        c->across = j->mcus_across * c->h;
    }
}

enum cf_jpeg_status cf_jpeg_decode(struct cf_jpeg *j)
{
    if (!j->baseline || j->precision != 8 || j->components != 3 || j->width > CF_JPEG_SIDE ||
        j->height > CF_JPEG_SIDE)
        return CF_JPEG_DAMAGED;
    lay_out(j);
    size_t at = j->scan;
    uint32_t seen = 0;
    struct tables tables;
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
        s.bits.end = bytes + j->bytes.len;
        start_bits(&s.bits, bytes + at);
        for (uint32_t i = 0; i < s.n; i++) {
            if (seen & 1u << s.component[i]) return CF_JPEG_DAMAGED;
            seen |= 1u << s.component[i];
        }
        make_tables(&s, &tables);
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
