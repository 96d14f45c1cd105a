/* bundle -- one row of `work` for many pieces of work that a batch begins at once.
 *
 * Work that is due as soon as it is put is mostly gone a moment later; a row and two index entries
 * for each piece cost more than all the rest of its step. Where the service allows it
 * (cf_work.together), the stage puts all such pieces of a batch and shard into few rows. Each
 * piece keeps its id, attempt and outcome; the row goes when the last piece has gone.
 *
 * Shapes   args of the row: per piece id (16), due (8), attempt (4), length and key (1 + n), length
 *          and args (4 + n); numbers big-endian. The row's own id derives from its first piece
 * Owns     what is read points into the row's args
 * Errors   CF_E_DATA: not such bytes
 */
#pragma once
#include "common/io/stage/stage.h"

enum { CF_BUNDLE_PIECES = 100, CF_BUNDLE_BYTES = 48 << 10 };

/* The row that holds these pieces: of one kind and shard, n > 0; its args live in the arena. */
struct cf_work cf_bundle_of(struct cf_arena *a, const struct cf_work *pieces, size_t n);
/* Bytes that a piece takes in its row. */
size_t cf_bundle_bytes(const struct cf_work *piece);
/* The next piece of a row; *rest begins as row->args and is empty at the end. */
int cf_bundle_next(const struct cf_work *row, struct cf_str *rest, struct cf_work *piece) CF_MUST;
