/* pack -- the parts of a slot that nobody searches for, as one value of bytes.
 *
 * Shapes   a version byte, then fields in a fixed order; numbers big-endian, text after its length
 *          (one byte). A field that comes later is added at the end under a new version.
 * Limits   enums are stored by their value: new values of kinds, states and passwords go at the end
 * Owns     text read points into the packed bytes
 * Errors   false: unknown version, or cut off
 */
#pragma once
#include "common/pure/arena.h"
#include "services/production/rules.h"

/* The permanent slot less what has columns of its own (the application's id, kind, state and bank,
 * numbers and states of cards), and the holder's own flags. */
struct cf_str production_pack_permanent(struct cf_arena *a, const struct production_holder *h);
bool production_unpack_permanent(struct cf_str bytes, struct production_holder *h);
/* The whole temporary slot; nothing (ptr NULL) when it is empty. */
struct cf_str production_pack_temporary(struct cf_arena *a, const struct production_holder *h);
bool production_unpack_temporary(struct cf_str bytes, struct production_holder *h);
