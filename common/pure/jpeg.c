#include "common/pure/jpeg_inside.h"

/* Dots per centimetre are rounded in the file, so that 350 dpi stands there as 138. */
static uint32_t dpi_of(uint32_t units, uint32_t density)
{
    if (units == 1) return density;
    if (units == 2) return density == 138 ? 350 : (density * 254 + 50) / 100;
    return 0;
}

static void read_jfif(struct cf_jpeg *j, struct cf_str s)
{
    if (s.len < 14 || memcmp(s.ptr, "JFIF", 5) != 0) return;
    j->dpi_x = dpi_of(byte_at(s, 7), be16(s, 8));
    j->dpi_y = dpi_of(byte_at(s, 7), be16(s, 10));
}

struct tiff {
    struct cf_str s;
    bool little;
};

static uint32_t tiff16(const struct tiff *t, size_t i)
{
    return t->little ? byte_at(t->s, i) | byte_at(t->s, i + 1) << 8 : be16(t->s, i);
}

static uint32_t tiff32(const struct tiff *t, size_t i)
{
    return t->little ? tiff16(t, i) | tiff16(t, i + 2) << 16
                     : tiff16(t, i) << 16 | tiff16(t, i + 2);
}

/* Tag 0x0112 of the first directory. */
static void read_exif(struct cf_jpeg *j, struct cf_str s)
{
    if (s.len < 14 || memcmp(s.ptr, "Exif\0", 6) != 0) return;
    struct tiff t = {
        {s.ptr + 6, s.len - 6},
        s.ptr[6] == 'I'
    };
    size_t at = tiff32(&t, 4);
    if (at > t.s.len || t.s.len - at < 2) return;
    uint32_t entries = tiff16(&t, at);
    for (at += 2; entries > 0 && t.s.len - at >= 12; entries--, at += 12) {
        if (tiff16(&t, at) != 0x0112) continue;
        j->exif_orientation = tiff16(&t, at + 8);
        return;
    }
}

static bool read_quant(struct cf_jpeg *j, struct cf_str s)
{
    size_t at = 0;
    while (at < s.len) {
        uint32_t wide = byte_at(s, at) >> 4, id = byte_at(s, at) & 15;
        size_t need = 1 + 64 * (size_t)(wide + 1);
        if (wide > 1 || id > 3 || s.len - at < need) return false;
        j->quant_dc[id] = (uint16_t)(wide ? be16(s, at + 1) : byte_at(s, at + 1));
        at += need;
    }
    return true;
}

static bool build_huff(struct cf_jpeg_huff *h, bool ac, struct cf_str counts)
{
    memset(h->fast, 0, sizeof h->fast);
    int32_t code = 0, k = 0;
    for (uint32_t length = 1; length <= 16; length++) {
        int32_t n = (int32_t)byte_at(counts, length - 1);
        if (code + n > 1 << length) return false;
        h->counts[length] = (uint8_t)n;
        h->offset[length] = k - code;
        for (int32_t i = 0; i < n; i++, code++, k++) {
            if (length > FAST_BITS) continue;
            uint16_t entry = fast_entry(ac, length, h->symbols[k]);
            uint32_t spare = FAST_BITS - length;
            for (uint32_t fill = 0; fill < 1u << spare; fill++)
                h->fast[((uint32_t)code << spare) + fill] = entry;
        }
        h->max_code[length] = n ? code - 1 : -1;
        code <<= 1;
    }
    h->there = true;
    return true;
}

static bool read_huff(struct cf_jpeg *j, struct cf_str s)
{
    size_t at = 0;
    while (at < s.len) {
        if (s.len - at < 17) return false;
        uint32_t class = byte_at(s, at) >> 4, id = byte_at(s, at) & 15;
        if (class > 1 || id > 3) return false;
        size_t total = 0;
        for (size_t i = 1; i <= 16; i++)
            total += byte_at(s, at + i);
        if (total > 256 || s.len - at - 17 < total) return false;
        if (id < 2) { /* baseline knows two of each class; the scan is refused if it names more */
            struct cf_jpeg_huff *h = &j->huff[class][id];
            memset(h->symbols, 0, sizeof h->symbols);
            memcpy(h->symbols, s.ptr + at + 17, total);
            if (!build_huff(h, class == 1, (struct cf_str){s.ptr + at + 1, 16})) return false;
        }
        at += 17 + total;
    }
    return true;
}

static bool read_frame(struct cf_jpeg *j, struct cf_str s, uint32_t marker)
{
    if (j->frame || s.len < 6) return false;
    j->frame = true;
    j->baseline = marker == M_SOF0;
    j->precision = byte_at(s, 0);
    j->height = be16(s, 1);
    j->width = be16(s, 3);
    j->components = byte_at(s, 5);
    if (j->components == 0 || j->components > 4 || s.len < 6 + 3 * (size_t)j->components)
        return false;
    for (uint32_t i = 0; i < j->components; i++) {
        struct cf_jpeg_component *c = &j->component[i];
        size_t at = 6 + 3 * (size_t)i;
        c->id = (uint8_t)byte_at(s, at);
        c->h = (uint8_t)(byte_at(s, at + 1) >> 4);
        c->v = (uint8_t)(byte_at(s, at + 1) & 15);
        c->quant = (uint8_t)byte_at(s, at + 2);
        if (c->h == 0 || c->h > 4 || c->v == 0 || c->v > 4 || c->quant > 3) return false;
        if (c->h > j->h_max) j->h_max = c->h;
        if (c->v > j->v_max) j->v_max = c->v;
    }
    return j->width > 0 && j->height > 0;
}

bool cf_jpeg_is_frame(uint32_t marker)
{
    return marker >= M_SOF0 && marker <= 0xcf && marker != M_DHT && marker != M_JPG &&
           marker != M_DAC;
}

bool cf_jpeg_segment(struct cf_jpeg *j, uint32_t marker, struct cf_str s)
{
    if (cf_jpeg_is_frame(marker)) return read_frame(j, s, marker);
    if (marker == M_APP0) {
        read_jfif(j, s);
    } else if (marker == M_APP1) {
        read_exif(j, s);
    } else if (marker == M_APP14) {
        if (s.len >= 12 && memcmp(s.ptr, "Adobe", 5) == 0) j->adobe_rgb = byte_at(s, 11) == 0;
    } else if (marker == M_DQT) {
        return read_quant(j, s);
    } else if (marker == M_DHT) {
        return read_huff(j, s);
    } else if (marker == M_DRI) {
        if (s.len < 2) return false;
        j->restart = be16(s, 0);
    }
    return true;
}

int cf_jpeg_next(struct cf_str b, size_t *at, struct cf_str *segment)
{
    *segment = (struct cf_str){b.ptr, 0};
    if (*at >= b.len || byte_at(b, *at) != 0xff) return -1;
    while (*at < b.len && byte_at(b, *at) == 0xff)
        (*at)++;
    if (*at >= b.len) return -1;
    uint32_t marker = byte_at(b, (*at)++);
    if (marker == 0) return -1;
    if (marker == M_TEM || (marker >= M_RST0 && marker <= M_EOI)) return (int)marker;
    if (b.len - *at < 2) return -1;
    uint32_t length = be16(b, *at);
    if (length < 2 || b.len - *at < length) return -1;
    *segment = (struct cf_str){b.ptr + *at + 2, length - 2};
    *at += length;
    return (int)marker;
}

enum cf_jpeg_status cf_jpeg_headers(struct cf_jpeg *j, struct cf_str bytes)
{
    /* The planes are written before they are read; clearing them would cost more than the rest. */
    memset(j, 0, offsetof(struct cf_jpeg, huff));
    for (int i = 0; i < 4; i++)
        j->huff[i / 2][i % 2].there = false;
    j->bytes = bytes;
    if (bytes.len < 4 || memcmp(bytes.ptr, "\xff\xd8\xff", 3) != 0) return CF_JPEG_NOT;
    size_t at = 2;
    for (;;) {
        size_t before = at;
        struct cf_str segment;
        int marker = cf_jpeg_next(bytes, &at, &segment);
        if (marker < 0 || marker == M_SOI || marker == M_EOI) return CF_JPEG_DAMAGED;
        if (marker == M_SOS) {
            j->scan = before;
            return j->frame ? CF_JPEG_OK : CF_JPEG_DAMAGED;
        }
        if (!cf_jpeg_segment(j, (uint32_t)marker, segment)) return CF_JPEG_DAMAGED;
    }
}
