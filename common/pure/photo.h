/* photo -- may this JPEG go on a card? Every fault is named, not only the first.
 *
 * Shapes   a verdict is a set of bits; 0 is good. Reasons that are not about a file (no photo on
 *          file, none given) share the list, so that one number carries all of them
 * Units    pixels, dots per inch, bytes; colour values 0 to 255
 * Limits   the background is judged on the 1/8-scale picture, by the mean of the two upper
 *          corners; a picture of the wrong form is not decoded at all
 * Source   domain reference, Photo: 358 x 441, 350 dpi, 24 bit, 9 to 20 KiB, white background
 */
#pragma once
#include "common/pure/str.h"

/* clang-format off */
#define CF_PHOTO_REASONS(X)                            \
    X(NOT_A_JPEG,           "not_a_jpeg")              \
    X(DAMAGED,              "damaged_jpeg")            \
    X(PROGRESSIVE,          "progressive_jpeg")        \
    X(NOT_24_BIT_RGB,       "not_24_bit_rgb")          \
    X(EXIF_ORIENTATION,     "exif_orientation")        \
    X(WRONG_PIXEL_SIZE,     "wrong_pixel_size")        \
    X(WRONG_DPI,            "wrong_dpi")               \
    X(FILE_TOO_SMALL,       "file_too_small")          \
    X(FILE_TOO_LARGE,       "file_too_large")          \
    X(BACKGROUND_NOT_WHITE, "background_not_white")    \
    X(NOT_ON_FILE,          "photo_not_on_file")       \
    X(PERSON_UNKNOWN,       "photo_person_unknown")    \
    X(NOT_GIVEN,            "photo_not_given")         \
    X(HOLDER_MISMATCH,      "photo_holder_mismatch")
/* clang-format on */

enum cf_photo_reason_index {
#define X(value, name) CF_PHOTO_INDEX_##value,
    CF_PHOTO_REASONS(X)
#undef X
        CF_PHOTO_REASON_COUNT
};

enum cf_photo_reason {
    CF_PHOTO_GOOD,
#define X(value, name) CF_PHOTO_BAD_##value = 1 << CF_PHOTO_INDEX_##value,
    CF_PHOTO_REASONS(X)
#undef X
};

struct cf_photo_limits {
    uint32_t width, height, dpi;
    size_t min_bytes, max_bytes;
    uint32_t white_min;   /* least mean of each colour in both corners */
    uint32_t corner_size; /* pixels, rounded up to whole blocks of 8 */
};

/* The limits of the domain reference. */
struct cf_photo_limits cf_photo_limits_default(void);
/* An OR of enum cf_photo_reason. */
uint32_t cf_photo_check(struct cf_str jpeg, const struct cf_photo_limits *limits);
/* index from 0 to CF_PHOTO_REASON_COUNT - 1; the bit is 1u << index. */
const char *cf_photo_reason_name(unsigned index);
/* The bit; 0 for a name that is not in the list. */
uint32_t cf_photo_reason_parse(struct cf_str name);
