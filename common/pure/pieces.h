/* pieces -- a file that lies elsewhere in pieces of one size, of which a few are at hand; no I/O.
 *
 * A reader asks for bytes; when their piece is not at hand, `want` tells which to fetch, and the
 * reader is called again once it was given. A file in memory is one piece.
 *
 * Owns     pieces given are copied; a file in memory is the caller's
 * Limits   CF_PIECES pieces at hand, the one used longest ago makes room
 */
#pragma once
#include "common/pure/str.h"

#define CF_PIECES 3

struct cf_pieces {
    uint64_t size;
    size_t piece;  /* bytes of each but the last */
    uint32_t want; /* index of the piece that was missing */
    struct {
        char *bytes;
        size_t len;
        uint32_t index, used_at;
        bool mine;
    } have[CF_PIECES];
    uint32_t clock;
};

void cf_pieces_free(struct cf_pieces *p);
struct cf_pieces cf_pieces_of(uint64_t size, size_t piece);
struct cf_pieces cf_pieces_in_memory(struct cf_str file);
/* False when it is not as long as it must be. */
bool cf_pieces_give(struct cf_pieces *p, uint32_t index, struct cf_str bytes);
/* Bytes from offset (below size) to the end of their piece. False: not at hand. */
bool cf_pieces_at(struct cf_pieces *p, uint64_t offset, struct cf_str *out);
/* n bytes that lie in the file, out of as many pieces; all but CF_PIECES must hold them. False:
 * one is not at hand. */
bool cf_pieces_copy(struct cf_pieces *p, uint64_t offset, void *out, size_t n);
