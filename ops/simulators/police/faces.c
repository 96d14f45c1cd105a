#include "ops/simulators/police/faces.h"

#include "common/pure/error.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

enum { WIDTH = 358, HEIGHT = 441, LEAST = 9728, MOST = 19456 };

struct paint {
    uint8_t r, g, b;
};

/* A small generator of its own, so that the same n gives the same faces everywhere. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static bool inside(int x, int y, int cx, int cy, int rx, int ry)
{
    double dx = (double)(x - cx) / rx, dy = (double)(y - cy) / ry;
    return dx * dx + dy * dy <= 1.0;
}

/* Hair, head, eyes, mouth, shoulders; white elsewhere. Grain keeps the file from being small. */
static struct paint paint_at(int x, int y, uint32_t face)
{
    const int cx = WIDTH / 2, cy = 190 + (int)(face % 7);
    const struct paint skin = {(uint8_t)(200 + face % 40), (uint8_t)(160 + face % 30),
                               (uint8_t)(130 + face % 25)};
    if (inside(x, y, cx - 34, cy - 10, 9, 5) || inside(x, y, cx + 34, cy - 10, 9, 5))
        return (struct paint){30, 24, 20};
    if (inside(x, y, cx, cy + 52, 24, 6)) return (struct paint){170, 80, 80};
    if (inside(x, y, cx, cy, 78 + (int)(face % 5), 104)) return skin;
    if (y < cy && inside(x, y, cx, cy - 20, 92, 110)) return (struct paint){28, 22, 20};
    if (inside(x, y, cx, HEIGHT + 40, 170, 160))
        return (struct paint){(uint8_t)(30 + face * 13 % 90), (uint8_t)(40 + face * 7 % 80),
                              (uint8_t)(70 + face * 5 % 110)};
    return (struct paint){255, 255, 255};
}

static void draw_row(uint8_t *row, int y, uint32_t face, uint32_t *random)
{
    for (int x = 0; x < WIDTH; x++) {
        struct paint p = paint_at(x, y, face);
        int grain = p.r == 255 ? 0 : (int)(next_random(random) % 13) - 6;
        uint8_t *px = row + 3 * x;
        px[0] = (uint8_t)(p.r + grain < 0 ? 0 : p.r + grain > 255 ? 255 : p.r + grain);
        px[1] = (uint8_t)(p.g + grain < 0 ? 0 : p.g + grain > 255 ? 255 : p.g + grain);
        px[2] = (uint8_t)(p.b + grain < 0 ? 0 : p.b + grain > 255 ? 255 : p.b + grain);
    }
}

static struct cf_str encode(uint32_t face, int quality, struct cf_arena *arena)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long n = 0;
    uint32_t random = face * 2654435761u + 1;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &bytes, &n);
    c.image_width = WIDTH;
    c.image_height = HEIGHT;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, quality, TRUE);
    c.density_unit = 1;
    c.X_density = c.Y_density = 350;
    jpeg_start_compress(&c, TRUE);
    uint8_t row[3 * WIDTH];
    JSAMPROW rows[1] = {row};
    for (int y = 0; y < HEIGHT; y++) {
        draw_row(row, y, face, &random);
        jpeg_write_scanlines(&c, rows, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    struct cf_str out = {cf_arena_dup(arena, bytes, n), n};
    free(bytes);
    return out;
}

void police_faces_draw(struct police_faces *f, size_t n, struct cf_arena *arena)
{
    f->n = n;
    f->list = cf_arena_alloc(arena, n * sizeof *f->list);
    for (size_t i = 0; i < n; i++) {
        int quality = 60 + (int)(i % 8) * 4;
        for (;;) {
            f->list[i] = encode((uint32_t)i, quality, arena);
            if (f->list[i].len >= LEAST && f->list[i].len <= MOST) break;
            quality += f->list[i].len < LEAST ? 2 : -2;
            if (quality < 20 || quality > 98) CF_BUG("no quality gives a file of the right size");
        }
    }
}

size_t police_face_for(struct cf_str face, const char mark[40], char *out)
{
    /* SOI, then the JFIF segment, which must come first; behind it a COM segment. */
    size_t at = 2 + 2 + ((size_t)(uint8_t)face.ptr[4] << 8 | (uint8_t)face.ptr[5]);
    memcpy(out, face.ptr, at);
    memcpy(out + at, "\xff\xfe\x00\x2a", 4);
    memcpy(out + at + 4, mark, 40);
    memcpy(out + at + POLICE_COMMENT, face.ptr + at, face.len - at);
    return face.len + POLICE_COMMENT;
}
