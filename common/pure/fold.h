/* fold -- the normalisation that numbers, phones and card numbers share.
 *
 * Shapes   inside common/pure only; callers use cf_idnum_normalise and its like
 * Source   normalisation rule of the reference data
 */
#pragma once
#include "common/pure/warnings.h"

/* TAB, space, U+00A0, U+3000. */
bool cf_is_space(int32_t cp);
/* U+FF01 to U+FF5E. */
bool cf_is_full_width(int32_t cp);
/* The ASCII character of a full-width one. */
int32_t cf_half_width(int32_t cp);

/* Removes spaces, maps full width to ASCII and, when upper, makes ASCII letters upper-case; ORs
 * into *warnings. Writes at most max - 1 bytes (whole characters) and a zero; the length. */
size_t cf_fold(struct cf_str raw, bool upper, char *out, size_t max, unsigned *warnings);

struct cf_marks {
    bool full_width, space, other; /* other: outside ASCII, or malformed */
};
struct cf_marks cf_marks_of(struct cf_str text);
