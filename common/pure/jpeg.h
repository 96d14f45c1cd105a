/* jpeg -- the headers of a JPEG, and its picture at 1/8 scale, without a decoder's machinery.
 *
 * Only the first coefficient of each block is kept (it is the mean of 8 x 8 pixels); the others
 * are read past, so that the whole of the entropy-coded data is checked.
 *
 * Shapes   struct cf_jpeg is plain and large (about 40 KiB): one on the stack, no other memory;
 *          decoding takes as much again there for its tables
 * Errors   a status, not an error: the bytes come from outside and may be anything
 * Limits   decodes baseline (SOF0) of 8 bits, 3 components, up to CF_JPEG_SIDE pixels a side
 * Source   ITU-T T.81 (JPEG), T.871 (JFIF), TIFF 6.0 for the orientation in Exif
 */
#pragma once
#include "common/pure/str.h"

#define CF_JPEG_SIDE 512u
/* Blocks of a component: whole MCUs of up to 4 blocks each way. */
#define CF_JPEG_BLOCKS (68u * 68u)

enum cf_jpeg_status { CF_JPEG_OK, CF_JPEG_NOT, CF_JPEG_DAMAGED };

struct cf_jpeg_huff {
    uint16_t fast[1024]; /* by 10 bits: meaning in jpeg_inside.h; 0 = longer or no code */
    int32_t max_code[18];
    int32_t offset[17];
    uint8_t counts[17]; /* codes of each length */
    uint8_t symbols[256];
    bool there;
};

struct cf_jpeg_component {
    uint8_t id, h, v, quant;
    uint32_t across; /* blocks in a row of dc */
};

struct cf_jpeg {
    struct cf_str bytes;
    size_t scan; /* where the first scan's header begins; 0 = none */
    bool baseline, frame, adobe_rgb;
    uint32_t width, height, precision, components;
    uint32_t dpi_x, dpi_y;     /* 0 = not given */
    uint32_t exif_orientation; /* 0 = not given */
    uint32_t restart;          /* MCUs between restart markers; 0 = none */
    uint32_t h_max, v_max, mcus_across, mcus_down;
    struct cf_jpeg_component component[4];
    uint16_t quant_dc[4];
    struct cf_jpeg_huff huff[2][2]; /* class (0 DC, 1 AC), id */
    int16_t dc[3][CF_JPEG_BLOCKS];
};

/* Reads the headers up to the first scan. */
enum cf_jpeg_status cf_jpeg_headers(struct cf_jpeg *j, struct cf_str bytes);
/* Decodes; only after OK headers of a baseline picture with 3 components within the limits. */
enum cf_jpeg_status cf_jpeg_decode(struct cf_jpeg *j);
/* The mean colour of block (x, y) of the picture at 1/8 scale. */
void cf_jpeg_block(const struct cf_jpeg *j, uint32_t x, uint32_t y, uint8_t rgb[3]);
