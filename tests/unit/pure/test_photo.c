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
        cmocka_unit_test(the_small_picture_shows_what_is_in_the_file),
        cmocka_unit_test(limits_can_be_changed),
        cmocka_unit_test(the_catalogue_knows_every_reason),
        cmocka_unit_test(reasons_have_names_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
