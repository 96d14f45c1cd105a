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
        cmocka_unit_test(the_small_picture_shows_what_is_in_the_file),
        cmocka_unit_test(limits_can_be_changed),
        cmocka_unit_test(the_catalogue_knows_every_reason),
        cmocka_unit_test(reasons_have_names_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
