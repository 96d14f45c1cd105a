#include "tests/unit/pure/vectors.h"

#include "common/pure/jpeg.h"
#include "common/pure/photo.h"
#include "common/pure/reasons.h"

static struct cf_str photo_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "photos/%s", name);
    return vectors_file(path);
}

static void names_of(uint32_t bits, char *out, size_t size)
{
    size_t n = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < CF_PHOTO_REASON_COUNT; i++)
        if (bits >> i & 1)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "," : "", cf_photo_reason_name(i));
    if (!bits) snprintf(out, size, "ok");
}

static void every_photo_of_the_data_has_exactly_its_reason(void **state)
{
    (void)state;
    struct cf_photo_limits limits = cf_photo_limits_default();
    struct vectors v = vectors_open("photos/expected.csv", 5);
    while (vectors_next(&v, 5)) {
        char name[32], got[300];
        snprintf(name, sizeof name, "%.*s", CF_ARG(v.f[0]));
        struct cf_str bytes = photo_file(name);
        names_of(cf_photo_check(bytes, &limits), got, sizeof got);
        if (!cf_str_is(v.f[2], got)) fail_msg("%s: want %.*s, got %s", name, CF_ARG(v.f[2]), got);
        free((void *)(uintptr_t)bytes.ptr);
    }
    vectors_close(&v, 15);
}

static void a_photo_cut_anywhere_is_never_good(void **state)
{
    (void)state;
    struct cf_photo_limits limits = cf_photo_limits_default();
    limits.min_bytes = 0;
    struct cf_str whole = photo_file("02_ok_second.jpg");
    assert_int_equal(cf_photo_check(whole, &limits), 0);
    for (size_t n = 0; n < whole.len; n += n < 1000 || n > whole.len - 64 ? 1 : 97) {
        /* In memory of exactly that size, so that a read behind the end is caught. */
        char *part = malloc(n + !n);
        memcpy(part, whole.ptr, n);
        if (cf_photo_check((struct cf_str){part, n}, &limits) == 0) fail_msg("cut at %zu", n);
        free(part);
    }
    free((void *)(uintptr_t)whole.ptr);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void any_bytes_are_judged_without_harm(void **state)
{
    (void)state;
    struct cf_photo_limits limits = cf_photo_limits_default();
    struct cf_str whole = photo_file("02_ok_second.jpg");
    char *copy = malloc(whole.len);
    uint32_t seed = 7;
    unsigned refused = 0;
    for (int round = 0; round < 3000; round++) {
        memcpy(copy, whole.ptr, whole.len);
        /* Every second time only in the headers, where most of the decisions are. */
        size_t range = round & 1 ? 700 : whole.len;
        for (int i = 0; i < 1 + round % 5; i++)
            copy[next_random(&seed) % range] = (char)next_random(&seed);
        refused += cf_photo_check((struct cf_str){copy, whole.len}, &limits) != 0;
    }
    /* A changed byte may leave a lawful picture; most do not. */
    assert_true(refused > 1500);
    free(copy);
    free((void *)(uintptr_t)whole.ptr);
}

static void a_wrong_restart_marker_is_damage(void **state)
{
    (void)state;
    struct cf_jpeg *j = malloc(sizeof *j);
    struct cf_str whole = photo_file("01_ok.jpg");
    char *copy = malloc(whole.len + 6);
    /* A restart interval is announced, and no marker is in the data. */
    memcpy(copy, whole.ptr, 20);
    memcpy(copy + 20, "\xff\xdd\x00\x04\x00\x04", 6);
    memcpy(copy + 26, whole.ptr + 20, whole.len - 20);
    assert_int_equal(cf_jpeg_headers(j, (struct cf_str){copy, whole.len + 6}), CF_JPEG_OK);
    assert_int_equal(j->restart, 4);
    assert_int_equal(cf_jpeg_decode(j), CF_JPEG_DAMAGED);
    assert_int_equal(cf_jpeg_headers(j, whole), CF_JPEG_OK);
    assert_int_equal(cf_jpeg_decode(j), CF_JPEG_OK);
    free(copy);
    free(j);
    free((void *)(uintptr_t)whole.ptr);
}

/* Codes of their own for a picture of one MCU, 8 x 8. Their lengths are such that the reader finds
 * some several at once, some alone with their value, and some not at all in its tables. */
struct code {
    uint8_t symbol, length;
    uint16_t bits;
};

static const struct code dc_codes[] = {
    {0,  1,  0    },
    {3,  2,  2    },
    {11, 3,  6    },
    {4,  12, 0xe00},
};

static const struct code ac_codes[] = {
    {0x00, 2,  0    },
    {0x01, 2,  1    },
    {0xf0, 3,  4    },
    {0x02, 3,  5    },
    {0xe1, 4,  12   },
    {0xf1, 4,  13   },
    {0x0a, 5,  28   },
    {0x1a, 9,  0x1d0},
    {0x05, 12, 0xe88},
};

struct writer {
    uint8_t bytes[1024];
    size_t n;
    uint32_t acc, have;
};

static void write_bytes(struct writer *w, const char *bytes, size_t n)
{
    memcpy(w->bytes + w->n, bytes, n);
    w->n += n;
}

static void write_bits(struct writer *w, uint32_t bits, uint32_t n)
{
    while (n-- > 0) {
        w->acc = w->acc << 1 | (bits >> n & 1);
        if (++w->have < 8) continue;
        w->bytes[w->n++] = (uint8_t)w->acc;
        if ((uint8_t)w->acc == 0xff) w->bytes[w->n++] = 0;
        w->have = 0;
    }
}

static void write_codes(struct writer *w, uint8_t class, const struct code *codes, size_t n)
{
    char segment[5 + 16] = {'\xff', '\xc4', 0, (char)(19 + n), (char)(class << 4)};
    for (size_t i = 0; i < n; i++)
        segment[4 + codes[i].length]++;
    write_bytes(w, segment, sizeof segment);
    for (size_t i = 0; i < n; i++)
        w->bytes[w->n++] = codes[i].symbol;
}

static void write_symbol(struct writer *w, const struct code *codes, uint8_t symbol, int32_t value)
{
    while (codes->symbol != symbol)
        codes++;
    write_bits(w, codes->bits, codes->length);
    write_bits(w, (uint32_t)value, symbol & 15);
}

/* Y has the symbols of AC given, the others none but the end. */
static void write_picture(struct writer *w, const uint8_t *symbols, size_t n)
{
    *w = (struct writer){.n = 0};
    write_bytes(w, "\xff\xd8\xff\xc0\0\x11\x08\0\x08\0\x08\3\1\x11\0\2\x11\0\3\x11\0", 21);
    write_codes(w, 0, dc_codes, sizeof dc_codes / sizeof *dc_codes);
    write_codes(w, 1, ac_codes, sizeof ac_codes / sizeof *ac_codes);
    write_bytes(w, "\xff\xda\0\x0c\3\1\0\2\0\3\0\0\x3f\0", 14);
    write_symbol(w, dc_codes, 11, 1500);
    for (size_t i = 0; i < n; i++)
        write_symbol(w, ac_codes, symbols[i], 0x2aa);
    write_symbol(w, dc_codes, 3, -5 - 1);
    write_symbol(w, ac_codes, 0, 0);
    write_symbol(w, dc_codes, 4, 9);
    write_symbol(w, ac_codes, 0, 0);
    while (w->have)
        write_bits(w, 1, 1);
    write_bytes(w, "\xff\xd9", 2);
}

/* Whether all three blocks were found where they are. */
static bool read_picture(struct cf_jpeg *j, const struct writer *w)
{
    /* In memory of exactly that size, so that a read behind the end is caught. */
    char *bytes = malloc(w->n);
    memcpy(bytes, w->bytes, w->n);
    assert_int_equal(cf_jpeg_headers(j, (struct cf_str){bytes, w->n}), CF_JPEG_OK);
    enum cf_jpeg_status status = cf_jpeg_decode(j);
    free(bytes);
    return status == CF_JPEG_OK && j->dc[0][0] == 1500 && j->dc[1][0] == -5 && j->dc[2][0] == 9;
}

static const struct {
    const char *what;
    uint8_t symbols[6], n;
    uint8_t fill; /* so many 01 behind them */
    bool end, good;
} blocks[] = {
    {"nothing but the end",           {0},                                  0, 0,  true,  true },
    {"full without an end",           {0},                                  0, 63, false, true },
    {"one before full, and the end",  {0},                                  0, 62, true,  true },
    {"full, and an end",              {0},                                  0, 63, true,  false},
    {"one too many",                  {0},                                  0, 64, false, false},
    {"no end",                        {0},                                  0, 61, false, false},
    {"runs, full",                    {0xf0, 0xf0, 0xf0, 0xe1},             4, 0,  false, true },
    {"runs, full by the last",        {0xf0, 0xf0, 0xf0},                   3, 15, false, true },
    {"runs that go one too far",      {0xf0, 0xf0, 0xf0, 0xf1},             4, 0,  false, false},
    {"runs of nothing too far",       {0xf0, 0xf0, 0xf0, 0xf0},             4, 0,  true,  false},
    {"one, runs of nothing, the end", {0x01, 0xf0, 0xf0, 0xf0},             4, 0,  true,  true },
    {"a run over the end",            {0xf0, 0xf0, 0xf0, 0x01, 0xf0},       5, 0,  true,  false},
    {"long values",                   {0x0a, 0x1a, 0x0a, 0x0a, 0x1a},       5, 3,  true,  true },
    {"long values, full",             {0x0a, 0x1a, 0x0a, 0x0a, 0x1a},       5, 56, false, true },
    {"long codes",                    {0x05, 0x05, 0x02, 0x05, 0x01, 0x05}, 6, 2,  true,  true },
    {"long codes to the last",        {0xf0, 0xf0, 0xf0, 0x02, 0x05},       5, 13, false, true },
};

static void symbols_are_told_apart_wherever_a_block_ends(void **state)
{
    (void)state;
    struct cf_jpeg *j = malloc(sizeof *j);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        uint8_t symbols[6 + 64 + 1];
        size_t n = blocks[i].n;
        memcpy(symbols, blocks[i].symbols, n);
        for (size_t k = 0; k < blocks[i].fill; k++)
            symbols[n++] = 0x01;
        if (blocks[i].end) symbols[n++] = 0x00;
        struct writer w;
        write_picture(&w, symbols, n);
        bool good = read_picture(j, &w);
        if (good != blocks[i].good) fail_msg("%s: %s", blocks[i].what, good ? "good" : "damaged");
    }
    free(j);
}

/* A code of 10 bits whose symbol baseline forbids, and one of 11 bits right behind it in the table:
 * the first must not be read as the second. */
static void a_short_code_that_baseline_forbids_is_damage(void **state)
{
    (void)state;
    static const struct code one_dc[] = {
        {0, 1, 0}
    };
    static const struct code ac[] = {
        {0x00, 1,  0    },
        {0x20, 10, 0x200},
        {0x00, 11, 0x402},
    };
    struct cf_jpeg *j = malloc(sizeof *j);
    for (int forbidden = 0; forbidden <= 1; forbidden++) {
        struct writer w = {.n = 0};
        write_bytes(&w, "\xff\xd8\xff\xc0\0\x11\x08\0\x08\0\x08\3\1\x11\0\2\x11\0\3\x11\0", 21);
        write_codes(&w, 0, one_dc, 1);
        write_codes(&w, 1, ac, 3);
        write_bytes(&w, "\xff\xda\0\x0c\3\1\0\2\0\3\0\0\x3f\0", 14);
        write_bits(&w, 0, 1);
        write_bits(&w, forbidden ? 0x400 : 0x402, 11);
        write_bits(&w, 0, 4);
        write_bytes(&w, "\xff\xd9", 2);
        assert_int_equal(cf_jpeg_headers(j, (struct cf_str){(const char *)w.bytes, w.n}),
                         CF_JPEG_OK);
        assert_int_equal(cf_jpeg_decode(j), forbidden ? CF_JPEG_DAMAGED : CF_JPEG_OK);
    }
    free(j);
}

/* Each symbol first, so that those behind it begin at any bit of a look-up; and the end after any
 * number of them. */
static void symbols_straddle_a_look_up(void **state)
{
    (void)state;
    struct cf_jpeg *j = malloc(sizeof *j);
    for (size_t first = 1; first < sizeof ac_codes / sizeof *ac_codes; first++) {
        for (size_t second = 1; second < sizeof ac_codes / sizeof *ac_codes; second++) {
            uint8_t a = ac_codes[first].symbol, b = ac_codes[second].symbol;
            size_t most = 63u - (a >> 4) - 1 - (b >> 4) - 1;
            for (size_t k = 0; k <= most + 1; k++) {
                uint8_t symbols[2 + 64 + 1] = {a};
                memset(symbols + 1, 0x01, k);
                symbols[1 + k] = b;
                struct writer w;
                write_picture(&w, symbols, k < most ? 3 + k : 2 + k);
                bool good = read_picture(j, &w);
                if (good != (k <= most))
                    fail_msg("%02x, %zu times 01, %02x: %s", a, k, b, good ? "good" : "damaged");
            }
        }
    }
    free(j);
}

/* Pictures of one colour an MCU of 8 x 8: codes for differences of 0, 7 and 8 bits. */
static const struct code flat_dc[] = {
    {0, 1, 0},
    {7, 2, 2},
    {8, 3, 6},
};

static const struct code flat_ac[] = {
    {0x00, 1, 0},
};

/* What stands before the frame: Exif for the orientation, Adobe's word that the colours are RGB. */
static void write_start(struct writer *w, const char *exif, size_t n)
{
    *w = (struct writer){.n = 0};
    write_bytes(w, "\xff\xd8", 2);
    if (n) {
        write_bytes(w, (char[]){'\xff', '\xe1', 0, (char)(n + 8)}, 4);
        write_bytes(w, "Exif\0\0", 6);
        write_bytes(w, exif, n);
    }
    write_bytes(w, "\xff\xee\0\x0e" "Adobe\0\x64\0\0\0\0\0", 16);
    write_bytes(w, "\xff\xdb\0\x43\0", 5);
    for (int i = 0; i < 64; i++)
        write_bytes(w, "\x08", 1);
}

static void write_frame(struct writer *w, uint32_t width, uint32_t height)
{
    char frame[] = "\xff\xc0\0\x11\x08\0\0\0\0\3\1\x11\0\2\x11\0\3\x11";
    frame[5] = (char)(height >> 8), frame[6] = (char)height;
    frame[7] = (char)(width >> 8), frame[8] = (char)width;
    write_bytes(w, frame, sizeof frame); /* with the zero at its end */
    write_codes(w, 0, flat_dc, sizeof flat_dc / sizeof *flat_dc);
    write_codes(w, 1, flat_ac, 1);
    write_bytes(w, "\xff\xda\0\x0c\3\1\0\2\0\3\0\0\x3f\0", 14);
}

/* Red, green and blue of an MCU: 'W' all white, 'K' none, 'r', 'g', 'b' all but that one. */
static void write_flat(struct writer *w, const char *colours)
{
    int32_t last[3] = {0, 0, 0};
    for (; *colours; colours++) {
        for (int c = 0; c < 3; c++) {
            bool dark = *colours == 'K' || *colours == "rgb"[c];
            int32_t diff = (dark ? -127 : 127) - last[c];
            uint8_t size = diff == 0 ? 0 : diff == 127 || diff == -127 ? 7 : 8;
            write_symbol(w, flat_dc, size, diff < 0 ? diff - 1 : diff);
            write_symbol(w, flat_ac, 0, 0);
            last[c] += diff;
        }
    }
    while (w->have)
        write_bits(w, 1, 1);
    write_bytes(w, "\xff\xd9", 2);
}

static uint32_t check_written(const struct writer *w, uint32_t width, uint32_t height,
                              uint32_t corner)
{
    struct cf_photo_limits limits = {.width = width,
                                     .height = height,
                                     .max_bytes = 20000,
                                     .white_min = 240,
                                     .corner_size = corner};
    return cf_photo_check((struct cf_str){(const char *)w->bytes, w->n}, &limits);
}

static void both_upper_corners_must_be_white_in_every_colour(void **state)
{
    (void)state;
    static const struct {
        const char *colours;
        uint32_t width, height, corner;
        bool white;
    } rows[] = {
        {"WW",   16, 8,  8,  true },
        {"rW",   16, 8,  8,  false},
        {"gW",   16, 8,  8,  false},
        {"bW",   16, 8,  8,  false},
        {"KW",   16, 8,  8,  false},
        {"WK",   16, 8,  8,  false},
        {"Wr",   16, 8,  8,  false},
        {"WWKK", 16, 16, 8,  true },
        {"WWKK", 16, 16, 16, false},
        {"KK",   16, 8,  0,  true },
        {"W",    8,  8,  16, false},
        {"WW",   16, 8,  16, false},
        {"WW",   16, 8,  1,  true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct writer w;
        write_start(&w, NULL, 0);
        write_frame(&w, rows[i].width, rows[i].height);
        write_flat(&w, rows[i].colours);
        uint32_t bad = check_written(&w, rows[i].width, rows[i].height, rows[i].corner);
        if (bad != (rows[i].white ? 0 : CF_PHOTO_BAD_BACKGROUND_NOT_WHITE))
            fail_msg("%s, corner of %u: %x", rows[i].colours, rows[i].corner, bad);
    }
}

/* What is not decoded was not seen: it is not good, whatever the limits say. */
static void a_picture_larger_than_the_reader_knows_is_not_good(void **state)
{
    (void)state;
    for (int high = 0; high <= 1; high++) {
        uint32_t width = high ? 8 : CF_JPEG_SIDE + 8, height = high ? CF_JPEG_SIDE + 8 : 8;
        struct writer w;
        char colours[66] = {0};
        write_start(&w, NULL, 0);
        write_frame(&w, width, height);
        write_flat(&w, memset(colours, 'W', 65));
        assert_int_equal(check_written(&w, width, height, 8), CF_PHOTO_BAD_DAMAGED);
        assert_int_equal(check_written(&w, 8, 8, 8), CF_PHOTO_BAD_WRONG_PIXEL_SIZE);
    }
}

#define TAG_LE "\x12\x01\3\0\1\0\0\0"
#define TAG_BE "\x01\x12\0\3\0\0\0\1"
#define OTHER_LE "\x0f\x01\2\0\1\0\0\0\0\0\0\0"
#define EXIF(text) text, sizeof(text) - 1

/* TIFF 6.0: the tag 0x0112 of the first directory, in the order of bytes that the file names. */
static void the_orientation_is_found_in_both_byte_orders(void **state)
{
    (void)state;
    static const struct {
        const char *what, *exif;
        size_t n;
        uint32_t orientation;
    } rows[] = {
        {"big-endian",             EXIF("MM\0*\0\0\0\x08\0\1" TAG_BE "\0\6\0\0"),            6},
        {"little-endian",          EXIF("II*\0\x08\0\0\0\1\0" TAG_LE "\3\0\0\0"),            3},
        {"behind another",         EXIF("II*\0\x08\0\0\0\2\0" OTHER_LE TAG_LE "\x08\0\0\0"), 8},
        {"further on",             EXIF("II*\0\x0a\0\0\0--\1\0" TAG_LE "\5\0\0\0"),          5},
        {"only another",           EXIF("II*\0\x08\0\0\0\1\0" OTHER_LE),                      0},
        {"fewer than it counts",   EXIF("II*\0\x08\0\0\0\x09\0" OTHER_LE),                    0},
        {"no entry",               EXIF("II*\0\x08\0\0\0\0\0" TAG_LE "\3\0\0\0"),            0},
        {"a directory outside",    EXIF("II*\0\xff\0\0\0\1\0" TAG_LE "\3\0\0\0"),            0},
        {"a directory at the end", EXIF("II*\0\x15\0\0\0\1\0" TAG_LE "\3\0\0\0"),            0},
    };
    struct cf_jpeg *j = malloc(sizeof *j);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct writer w;
        write_start(&w, rows[i].exif, rows[i].n);
        write_frame(&w, 8, 8);
        assert_int_equal(cf_jpeg_headers(j, (struct cf_str){(const char *)w.bytes, w.n}),
                         CF_JPEG_OK);
        if (j->exif_orientation != rows[i].orientation)
            fail_msg("%s: %u", rows[i].what, j->exif_orientation);
    }
    free(j);
}

/* 5 to 8 lie on their side: width and height change places. What is turned is a fault of its own,
 * and its corners are not looked for. */
static void a_turned_picture_has_the_size_it_shows(void **state)
{
    (void)state;
    for (char orientation = 0; orientation <= 10; orientation++) {
        char exif[] = "MM\0*\0\0\0\x08\0\1" TAG_BE "\0\0\0";
        exif[19] = orientation;
        struct writer w;
        write_start(&w, exif, sizeof exif);
        write_frame(&w, 16, 8);
        write_flat(&w, "WW");
        bool side = orientation >= 5 && orientation <= 8;
        uint32_t turned = orientation > 1 ? CF_PHOTO_BAD_EXIF_ORIENTATION : 0;
        uint32_t size = CF_PHOTO_BAD_WRONG_PIXEL_SIZE;
        assert_int_equal(check_written(&w, 16, 8, 8), turned | (side ? size : 0));
        assert_int_equal(check_written(&w, 8, 16, 8), turned | (side ? 0 : size));
        write_start(&w, exif, sizeof exif);
        write_frame(&w, 16, 8);
        write_flat(&w, "KK");
        assert_int_equal(check_written(&w, side ? 8 : 16, side ? 16 : 8, 8),
                         turned ? turned : CF_PHOTO_BAD_BACKGROUND_NOT_WHITE);
    }
}

static void a_density_counts_by_its_unit(void **state)
{
    (void)state;
    static const struct {
        char units;
        uint8_t density;
        uint32_t dpi;
    } rows[] = {
        {0, 200, 0  },
        {1, 200, 200},
        {2, 138, 350},
        {2, 118, 300},
        {2, 137, 348},
        {3, 200, 0  }
    };
    struct cf_jpeg *j = malloc(sizeof *j);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char bytes[] = "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1.\0.\0.\0\0"
                       "\xff\xc0\0\x0b\x08\0\x08\0\x08\1\1\x11\0\xff\xda\0\2";
        bytes[13] = rows[i].units;
        bytes[15] = (char)rows[i].density;
        bytes[17] = (char)(rows[i].density / 2);
        assert_int_equal(cf_jpeg_headers(j, (struct cf_str){bytes, sizeof bytes - 1}), CF_JPEG_OK);
        assert_int_equal(j->dpi_x, rows[i].dpi);
        assert_int_equal(j->dpi_y == j->dpi_x, rows[i].dpi == 0);
    }
    free(j);
}

/* Each sampling of three components at the largest size: in memory of exactly what is there. */
static void the_largest_picture_of_any_sampling_has_room(void **state)
{
    (void)state;
    struct cf_jpeg *j = malloc(sizeof *j);
    for (int hv = 0; hv < 256; hv++) {
        char h = (char)(hv % 4 + 1), v = (char)(hv / 4 % 4 + 1);
        char h2 = (char)(hv / 16 % 4 + 1), v2 = (char)(hv / 64 + 1);
        struct writer w = {.n = 0};
        write_bytes(&w, "\xff\xd8", 2);
        char frame[] = "\xff\xc0\0\x11\x08\2\0\2\0\3\1\x11\0\2\x11\0\3\x11";
        frame[11] = (char)(h << 4 | v);
        frame[14] = (char)(h2 << 4 | v2);
        write_bytes(&w, frame, sizeof frame);
        write_codes(&w, 0, flat_dc, sizeof flat_dc / sizeof *flat_dc);
        write_codes(&w, 1, flat_ac, 1);
        struct cf_buf all;
        cf_buf_init(&all, 1 << 20);
        cf_buf_add(&all, w.bytes, w.n);
        for (char c = 1; c <= 3; c++) { /* a scan each: two zero bits a block, which are whole */
            char scan[] = "\xff\xda\0\x08\1.\0\0\x3f";
            scan[5] = c;
            cf_buf_add(&all, scan, sizeof scan);
            uint32_t ch = c == 1 ? (uint32_t)h : c == 2 ? (uint32_t)h2 : 1;
            uint32_t cv = c == 1 ? (uint32_t)v : c == 2 ? (uint32_t)v2 : 1;
            uint32_t hm = (uint32_t)(h > h2 ? h : h2), vm = (uint32_t)(v > v2 ? v : v2);
            uint32_t across = ((512 * ch + hm - 1) / hm + 7) / 8;
            uint32_t down = ((512 * cv + vm - 1) / vm + 7) / 8;
            struct writer data = {.n = 0};
            for (uint32_t n = 0; n < across * down; n++)
                write_bits(&data, 0, 2);
            while (data.have)
                write_bits(&data, 1, 1);
            cf_buf_add(&all, data.bytes, data.n);
        }
        cf_buf_add(&all, "\xff\xd9", 2);
        assert_int_equal(cf_jpeg_headers(j, cf_buf_str(&all)), CF_JPEG_OK);
        if (cf_jpeg_decode(j) != CF_JPEG_OK) fail_msg("%dx%d and %dx%d", h, v, h2, v2);
        uint8_t rgb[3];
        cf_jpeg_block(j, 63, 63, rgb);
        for (int c = 0; c < 3; c++)
            assert_int_equal(rgb[c], 128);
        cf_buf_free(&all);
    }
    free(j);
}

/* A mean beyond the 12 bits of 8-bit pictures, on either side. */
static void a_mean_out_of_range_is_damage(void **state)
{
    (void)state;
    struct cf_jpeg *j = malloc(sizeof *j);
    static const struct {
        int32_t first, second;
        bool good;
    } rows[] = {
        {1500,  500,   true },
        {1024,  1024,  false},
        {2047,  0,     true },
        {-2047, 0,     true },
        {-1024, -1024, true },
        {-1024, -1025, false},
    };
    static const struct code dc[] = {
        {0,  1, 0},
        {9,  2, 2},
        {11, 3, 6},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct writer w = {.n = 0};
        write_bytes(&w, "\xff\xd8\xff\xc0\0\x11\x08\0\x08\0\x10\3\1\x11\0\2\x11\0\3\x11\0", 21);
        write_codes(&w, 0, dc, sizeof dc / sizeof *dc);
        write_codes(&w, 1, flat_ac, 1);
        write_bytes(&w, "\xff\xda\0\x0c\3\1\0\2\0\3\0\0\x3f\0", 14);
        for (int mcu = 0; mcu < 2; mcu++) {
            int32_t diff = mcu ? rows[i].second : rows[i].first;
            int32_t size = diff == 0 ? 0 : diff == 500 ? 9 : 11;
            write_symbol(&w, dc, (uint8_t)size, diff < 0 ? diff - 1 : diff);
            write_bits(&w, 0, 1 + 2 + 2); /* the end of it; two blocks of nothing */
        }
        while (w.have)
            write_bits(&w, 1, 1);
        write_bytes(&w, "\xff\xd9", 2);
        assert_int_equal(cf_jpeg_headers(j, (struct cf_str){(const char *)w.bytes, w.n}),
                         CF_JPEG_OK);
        bool good = cf_jpeg_decode(j) == CF_JPEG_OK;
        if (good != rows[i].good) fail_msg("%d and %d", rows[i].first, rows[i].second);
    }
    free(j);
}

static void a_picture_without_all_its_parts_is_damage(void **state)
{
    (void)state;
    struct cf_jpeg *j = malloc(sizeof *j);
    struct writer w;
    for (uint32_t side = 0; side < 2; side++) {
        write_start(&w, NULL, 0);
        write_frame(&w, side ? 8 : 0, side ? 0 : 8);
        write_flat(&w, "W");
        assert_int_equal(cf_jpeg_headers(j, (struct cf_str){(const char *)w.bytes, w.n}),
                         CF_JPEG_DAMAGED);
    }
    /* A scan of the first component only, and the end. */
    write_start(&w, NULL, 0);
    write_frame(&w, 8, 8);
    w.n -= 14;
    write_bytes(&w, "\xff\xda\0\x08\1\1\0\0\x3f\0\x3f\xff\xd9", 13);
    assert_int_equal(cf_jpeg_headers(j, (struct cf_str){(const char *)w.bytes, w.n}), CF_JPEG_OK);
    assert_int_equal(cf_jpeg_decode(j), CF_JPEG_DAMAGED);
    free(j);
}

static void the_small_picture_shows_what_is_in_the_file(void **state)
{
    (void)state;
    struct cf_jpeg *j = malloc(sizeof *j);
    uint8_t corner[3], blue[3], middle[3];
    struct cf_str good = photo_file("01_ok.jpg"), wrong = photo_file("13_blue_background.jpg");
    assert_int_equal(cf_jpeg_headers(j, good), CF_JPEG_OK);
    assert_int_equal(j->width, 358);
    assert_int_equal(j->height, 441);
    assert_int_equal(j->dpi_x, 350);
    assert_int_equal(cf_jpeg_decode(j), CF_JPEG_OK);
    cf_jpeg_block(j, 0, 0, corner);
    cf_jpeg_block(j, 22, 25, middle);
    assert_int_equal(cf_jpeg_headers(j, wrong), CF_JPEG_OK);
    assert_int_equal(cf_jpeg_decode(j), CF_JPEG_OK);
    cf_jpeg_block(j, 0, 0, blue);
    for (int c = 0; c < 3; c++)
        assert_true(corner[c] >= 250);
    assert_true(middle[2] < 240);
    assert_true(blue[2] > blue[0] + 20);
    free(j);
    free((void *)(uintptr_t)good.ptr);
    free((void *)(uintptr_t)wrong.ptr);
}

static void limits_can_be_changed(void **state)
{
    (void)state;
    struct cf_photo_limits limits = cf_photo_limits_default();
    struct cf_str blue = photo_file("13_blue_background.jpg");
    assert_int_equal(cf_photo_check(blue, &limits), CF_PHOTO_BAD_BACKGROUND_NOT_WHITE);
    limits.white_min = 0;
    assert_int_equal(cf_photo_check(blue, &limits), 0);
    limits.dpi = 300;
    limits.max_bytes = 10000;
    assert_int_equal(cf_photo_check(blue, &limits),
                     CF_PHOTO_BAD_WRONG_DPI | CF_PHOTO_BAD_FILE_TOO_LARGE);
    free((void *)(uintptr_t)blue.ptr);
}

static void the_catalogue_knows_every_reason(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CF_PHOTO_REASON_COUNT; i++)
        if (cf_reason_parse(cf_str_of(cf_photo_reason_name(i))) == CF_REASON_NONE)
            fail_msg("%s", cf_photo_reason_name(i));
}

static void reasons_have_names_and_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CF_PHOTO_REASON_COUNT; i++)
        assert_int_equal(cf_photo_reason_parse(cf_str_of(cf_photo_reason_name(i))), 1u << i);
    assert_string_equal(cf_photo_reason_name(CF_PHOTO_REASON_COUNT), "");
    assert_int_equal(cf_photo_reason_parse(CF_STR("nothing")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_photo_of_the_data_has_exactly_its_reason),
        cmocka_unit_test(a_photo_cut_anywhere_is_never_good),
        cmocka_unit_test(any_bytes_are_judged_without_harm),
        cmocka_unit_test(a_wrong_restart_marker_is_damage),
        cmocka_unit_test(symbols_are_told_apart_wherever_a_block_ends),
        cmocka_unit_test(symbols_straddle_a_look_up),
        cmocka_unit_test(a_short_code_that_baseline_forbids_is_damage),
        cmocka_unit_test(both_upper_corners_must_be_white_in_every_colour),
        cmocka_unit_test(a_picture_larger_than_the_reader_knows_is_not_good),
        cmocka_unit_test(the_orientation_is_found_in_both_byte_orders),
        cmocka_unit_test(a_turned_picture_has_the_size_it_shows),
        cmocka_unit_test(a_density_counts_by_its_unit),
        cmocka_unit_test(the_largest_picture_of_any_sampling_has_room),
        cmocka_unit_test(a_mean_out_of_range_is_damage),
        cmocka_unit_test(a_picture_without_all_its_parts_is_damage),
        cmocka_unit_test(the_small_picture_shows_what_is_in_the_file),
        cmocka_unit_test(limits_can_be_changed),
        cmocka_unit_test(the_catalogue_knows_every_reason),
        cmocka_unit_test(reasons_have_names_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
