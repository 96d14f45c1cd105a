#include "common/pure/photo.h"
#include "common/pure/jpeg.h"

struct cf_photo_limits cf_photo_limits_default(void)
{
    return (struct cf_photo_limits){.width = 358,
                                    .height = 441,
                                    .dpi = 350,
                                    .min_bytes = 9 * 1024,
                                    .max_bytes = 20 * 1024,
                                    .white_min = 240,
                                    .corner_size = 40};
}

static const char *const names[CF_PHOTO_REASON_COUNT] = {
#define X(value, name) name,
    CF_PHOTO_REASONS(X)
#undef X
};

const char *cf_photo_reason_name(unsigned index)
{
    return index < CF_PHOTO_REASON_COUNT ? names[index] : "";
}

uint32_t cf_photo_reason_parse(struct cf_str name)
{
    for (unsigned i = 0; i < CF_PHOTO_REASON_COUNT; i++)
        if (cf_str_is(name, names[i])) return 1u << i;
    return 0;
}

/* Pixels of a corner differ by grain and by JPEG's own noise: the mean decides, not the least. */
static bool corner_is_white(const struct cf_jpeg *j, uint32_t x0, uint32_t blocks,
                            uint32_t white_min)
{
    uint32_t sum[3] = {0, 0, 0};
    for (uint32_t y = 0; y < blocks; y++) {
        for (uint32_t x = x0; x < x0 + blocks; x++) {
            uint8_t rgb[3];
            cf_jpeg_block(j, x, y, rgb);
            for (int c = 0; c < 3; c++)
                sum[c] += rgb[c];
        }
    }
    uint32_t least = white_min * blocks * blocks;
    return sum[0] >= least && sum[1] >= least && sum[2] >= least;
}

static bool background_is_white(const struct cf_jpeg *j, const struct cf_photo_limits *limits)
{
    uint32_t blocks = (limits->corner_size + 7) / 8;
    uint32_t across = j->width / 8; /* a block cut by the edge is partly made up */
    if (blocks == 0) return true;
    if (blocks > across || blocks > j->height / 8) return false;
    return corner_is_white(j, 0, blocks, limits->white_min) &&
           corner_is_white(j, across - blocks, blocks, limits->white_min);
}

static uint32_t check_form(const struct cf_jpeg *j, const struct cf_photo_limits *limits)
{
    uint32_t bad = 0;
    bool turned = j->exif_orientation >= 5 && j->exif_orientation <= 8;
    uint32_t width = turned ? j->height : j->width, height = turned ? j->width : j->height;
    if (!j->baseline) bad |= CF_PHOTO_BAD_PROGRESSIVE;
    if (j->precision != 8 || j->components != 3) bad |= CF_PHOTO_BAD_NOT_24_BIT_RGB;
    if (j->exif_orientation > 1) bad |= CF_PHOTO_BAD_EXIF_ORIENTATION;
    if (width != limits->width || height != limits->height) bad |= CF_PHOTO_BAD_WRONG_PIXEL_SIZE;
    if (j->dpi_x != limits->dpi || j->dpi_y != limits->dpi) bad |= CF_PHOTO_BAD_WRONG_DPI;
    return bad;
}

uint32_t cf_photo_check(struct cf_str jpeg, const struct cf_photo_limits *limits)
{
    struct cf_jpeg j;
    enum cf_jpeg_status status = cf_jpeg_headers(&j, jpeg);
    if (status == CF_JPEG_NOT) return CF_PHOTO_BAD_NOT_A_JPEG;
    uint32_t bad = 0;
    if (jpeg.len < limits->min_bytes) bad |= CF_PHOTO_BAD_FILE_TOO_SMALL;
    if (jpeg.len > limits->max_bytes) bad |= CF_PHOTO_BAD_FILE_TOO_LARGE;
    if (status != CF_JPEG_OK) return bad | CF_PHOTO_BAD_DAMAGED;
    bad |= check_form(&j, limits);
    const uint32_t undecodable =
        CF_PHOTO_BAD_PROGRESSIVE | CF_PHOTO_BAD_NOT_24_BIT_RGB | CF_PHOTO_BAD_WRONG_PIXEL_SIZE;
    if (bad & undecodable) return bad;
    if (cf_jpeg_decode(&j) != CF_JPEG_OK) return bad | CF_PHOTO_BAD_DAMAGED;
    /* Whose upper corners would be elsewhere once turned. */
    if (bad & CF_PHOTO_BAD_EXIF_ORIENTATION) return bad;
    if (!background_is_white(&j, limits)) bad |= CF_PHOTO_BAD_BACKGROUND_NOT_WHITE;
    return bad;
}
