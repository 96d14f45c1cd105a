/* Photos: the fast reader and a plain one, bit after bit, say the same of every file, and every
 * verdict holds together. */
#include "common/pure/jpeg_inside.h"
#include "common/pure/photo.h"
#include "tests/fuzz/fuzz.h"

/* ---- the plain reader ----------------------------------------------------------------------- */

struct plain {
    struct cf_str bytes;
    size_t at; /* byte of the next bit */
    uint32_t bit;
    uint8_t counts[2][2][17], symbols[2][2][256];
};

/* At a marker, and behind the last byte, there are no more bits. */
static bool at_marker(const struct plain *p)
{
    if (p->at >= p->bytes.len) return true;
    return byte_at(p->bytes, p->at) == 0xff &&
           (p->bytes.len - p->at < 2 || byte_at(p->bytes, p->at + 1) != 0);
}

static int next_bit(struct plain *p)
{
    if (at_marker(p)) return -1;
    int bit = (int)(byte_at(p->bytes, p->at) >> (7 - p->bit) & 1);
    if (++p->bit == 8) {
        p->at += byte_at(p->bytes, p->at) == 0xff ? 2 : 1;
        p->bit = 0;
    }
    return bit;
}

/* -1: no such code, or no more bits. */
static int next_symbol(struct plain *p, const uint8_t counts[17], const uint8_t symbols[256])
{
    int code = 0, first = 0, k = 0;
    for (int length = 1; length <= 16; length++) {
        int bit = next_bit(p);
        if (bit < 0) return -1;
        code = code << 1 | bit;
        if (code - first < counts[length]) return symbols[k + code - first];
        k += counts[length];
        first = (first + counts[length]) << 1;
    }
    return -1;
}

static bool next_value(struct plain *p, uint32_t size, int32_t *out)
{
    int32_t v = 0;
    for (uint32_t i = 0; i < size; i++) {
        int bit = next_bit(p);
        if (bit < 0) return false;
        v = v << 1 | bit;
    }
    *out = size && v < 1 << (size - 1) ? v - (1 << size) + 1 : v;
    return true;
}

static bool plain_block(struct plain *p, uint32_t dc, uint32_t ac, int32_t *last)
{
    int32_t value;
    int s = next_symbol(p, p->counts[0][dc], p->symbols[0][dc]);
    if (s < 0 || s > 11 || !next_value(p, (uint32_t)s, &value)) return false;
    *last += value;
    if (*last < -2048 || *last > 2047) return false;
    for (int passed = 0; passed < 63;) {
        s = next_symbol(p, p->counts[1][ac], p->symbols[1][ac]);
        if (s < 0) return false;
        int run = s >> 4, size = s & 15;
        if (size > 10 || (size == 0 && run != 0 && run != 15)) return false;
        if (size == 0 && run == 0) return true;
        passed += run + 1;
        if (passed > 63 || !next_value(p, (uint32_t)size, &value)) return false;
    }
    return true;
}

/* Less than a byte may be left, and then comes a marker. */
static bool plain_end(struct plain *p)
{
    if (p->bit) {
        p->at += byte_at(p->bytes, p->at) == 0xff ? 2 : 1;
        p->bit = 0;
    }
    return p->bytes.len - p->at >= 2 && byte_at(p->bytes, p->at) == 0xff &&
           byte_at(p->bytes, p->at + 1) != 0;
}

static bool plain_restart(struct plain *p, uint32_t count)
{
    if (!plain_end(p)) return false;
    while (p->bytes.len - p->at > 2 && byte_at(p->bytes, p->at + 1) == 0xff)
        p->at++;
    if (byte_at(p->bytes, p->at + 1) != M_RST0 + (count & 7)) return false;
    p->at += 2;
    return true;
}

/* Tables as they stand in a segment; it has been found well-formed. */
static void plain_tables(struct plain *p, struct cf_str s)
{
    for (size_t at = 0; at < s.len;) {
        uint32_t class = byte_at(s, at) >> 4, id = byte_at(s, at) & 15;
        size_t total = 0;
        for (size_t i = 1; i <= 16; i++) {
            if (id < 2) p->counts[class][id][i] = (uint8_t)byte_at(s, at + i);
            total += byte_at(s, at + i);
        }
        if (id < 2) memcpy(p->symbols[class][id], s.ptr + at + 17, total);
        at += 17 + total;
    }
}

static bool plain_scan(struct plain *p, const struct cf_jpeg *j, struct cf_str s,
                       int16_t (*dc)[CF_JPEG_BLOCKS], uint32_t *seen)
{
    uint32_t n = s.len ? byte_at(s, 0) : 0, which[3], table[3], restarts = 0, left = j->restart;
    int32_t last[3] = {0, 0, 0};
    if (n == 0 || n > 3 || s.len != 4 + 2 * (size_t)n) return false;
    for (uint32_t i = 0; i < n; i++) {
        which[i] = 0;
        while (which[i] < 3 && j->component[which[i]].id != byte_at(s, 1 + 2 * i))
            which[i]++;
        table[i] = byte_at(s, 2 + 2 * i);
        if (which[i] == 3 || table[i] >> 4 > 1 || (table[i] & 15) > 1) return false;
        if (!j->huff[0][table[i] >> 4].there || !j->huff[1][table[i] & 15].there) return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (*seen >> which[i] & 1) return false;
        *seen |= 1u << which[i];
    }
    const struct cf_jpeg_component *c = &j->component[which[0]];
    uint32_t across = (j->width + 8 * j->h_max - 1) / (8 * j->h_max),
             down = (j->height + 8 * j->v_max - 1) / (8 * j->v_max), all = across;
    if (n == 1) {
        across = ((j->width * c->h + j->h_max - 1) / j->h_max + 7) / 8;
        down = ((j->height * c->v + j->v_max - 1) / j->v_max + 7) / 8;
    }
    for (uint32_t mcu = 0; mcu < across * down; mcu++) {
        if (j->restart && left == 0) {
            if (!plain_restart(p, restarts++)) return false;
            left = j->restart;
            last[0] = last[1] = last[2] = 0;
        }
        left--;
        uint32_t x = mcu % across, y = mcu / across;
        for (uint32_t i = 0; i < n; i++) {
            c = &j->component[which[i]];
            uint32_t h = n == 1 ? 1 : c->h, v = n == 1 ? 1 : c->v;
            for (uint32_t at = 0; at < h * v; at++) {
                if (!plain_block(p, table[i] >> 4, table[i] & 15, &last[i])) return false;
                dc[which[i]][(y * v + at / h) * (all * c->h) + x * h + at % h] = (int16_t)last[i];
            }
        }
    }
    return plain_end(p);
}

static enum cf_jpeg_status plain_decode(struct cf_jpeg *j, int16_t (*dc)[CF_JPEG_BLOCKS])
{
    static struct plain p;
    struct cf_str s;
    uint32_t seen = 0;
    memset(&p, 0, sizeof p);
    p.bytes = j->bytes;
    /* Tables that stand before the first scan. */
    for (size_t at = 2; at < j->scan;) {
        int marker = cf_jpeg_next(j->bytes, &at, &s);
        if (marker == M_DHT) plain_tables(&p, s);
    }
    for (size_t at = j->scan;;) {
        int marker = cf_jpeg_next(j->bytes, &at, &s);
        if (marker == M_EOI) return seen == 7 ? CF_JPEG_OK : CF_JPEG_DAMAGED;
        if (marker < 0) return CF_JPEG_DAMAGED;
        if (marker == M_SOS) {
            p.at = at;
            p.bit = 0;
            if (!plain_scan(&p, j, s, dc, &seen)) return CF_JPEG_DAMAGED;
            at = p.at;
            continue;
        }
        if (cf_jpeg_is_frame((uint32_t)marker) || !cf_jpeg_segment(j, (uint32_t)marker, s))
            return CF_JPEG_DAMAGED;
        if (marker == M_DHT) plain_tables(&p, s);
    }
}

/* ---- the target ----------------------------------------------------------------------------- */

static void compare(struct cf_str file)
{
    static struct cf_jpeg fast, plain;
    static int16_t dc[3][CF_JPEG_BLOCKS];
    enum cf_jpeg_status status = cf_jpeg_headers(&fast, file);
    if (status != CF_JPEG_OK) return;
    MUST(fast.frame && fast.scan < file.len);
    memset(fast.dc, 0, sizeof fast.dc);
    memset(dc, 0, sizeof dc);
    plain = fast;
    status = cf_jpeg_decode(&fast);
    /* What the fast one refuses before it reads. */
    if (!fast.baseline || fast.precision != 8 || fast.components != 3 ||
        fast.width > CF_JPEG_SIDE || fast.height > CF_JPEG_SIDE || !fast.component[2].across) {
        MUST(status == CF_JPEG_DAMAGED);
        return;
    }
    for (int i = 0; i < 3; i++)
        if (fast.component[i].across * fast.mcus_down * fast.component[i].v > CF_JPEG_BLOCKS) {
            MUST(status == CF_JPEG_DAMAGED);
            return;
        }
    MUST(plain_decode(&plain, dc) == status);
    if (status != CF_JPEG_OK) return;
    MUST(memcmp(dc, fast.dc, sizeof dc) == 0);
    for (uint32_t y = 0; y < fast.height / 8; y++)
        for (uint32_t x = 0; x < fast.width / 8; x++) {
            uint8_t rgb[3];
            cf_jpeg_block(&fast, x, y, rgb);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_photo_limits limits = cf_photo_limits_default();
    char *exact = fuzz_exact(fuzz_str(data, size));
    struct cf_str file = {exact, size};
    uint32_t bad = cf_photo_check(file, &limits);
    MUST(bad >> CF_PHOTO_REASON_COUNT == 0);
    MUST(!(bad & (CF_PHOTO_BAD_NOT_ON_FILE | CF_PHOTO_BAD_PERSON_UNKNOWN | CF_PHOTO_BAD_NOT_GIVEN |
                  CF_PHOTO_BAD_HOLDER_MISMATCH)));
    if (bad & CF_PHOTO_BAD_NOT_A_JPEG) MUST(bad == CF_PHOTO_BAD_NOT_A_JPEG);
    for (unsigned i = 0; i < CF_PHOTO_REASON_COUNT; i++)
        MUST(cf_photo_reason_parse(cf_str_of(cf_photo_reason_name(i))) == 1u << i);
    /* Small pictures are looked at whole, whatever their form. */
    limits.width = limits.height = 0;
    compare(file);
    free(exact);
    return 0;
}
