/* faces -- drawn portraits that pass the photo check; no real face is in them.
 *
 * Owns     a set is made once; cf_arena memory of the caller
 * Limits   every picture is 358 x 441, 350 dpi, baseline, 9.5 to 19 KiB
 */
#pragma once
#include "common/pure/arena.h"

struct police_faces {
    struct cf_str *list;
    size_t n;
};

/* Draws n of them. */
void police_faces_draw(struct police_faces *f, size_t n, struct cf_arena *arena);

#define POLICE_COMMENT 44 /* bytes that telling a person's picture apart adds */
/* A copy of a face with a comment of 40 bytes that belongs to one person; the length. out has
 * room for face.len + POLICE_COMMENT. */
size_t police_face_for(struct cf_str face, const char mark[40], char *out);
