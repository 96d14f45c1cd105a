/* cell -- what spreadsheets do to text, undone where nothing is lost.
 *
 * Errors   none; the functions say whether the text had the form
 * Source   rules of the roster data
 */
#pragma once
#include "common/pure/date.h"
#include "common/pure/warnings.h"

/* Takes off a leading apostrophe or the wrapping ="...", and sets the warning for it. */
struct cf_str cf_cell_text(struct cf_str cell, unsigned *warnings);
/* 3.70202E+17: the digits are gone. */
bool cf_cell_is_scientific(struct cf_str cell);
/* YYYY-MM-DD, or Y/M/D with a year of four digits (with a warning). Serial numbers and years of
 * two digits are not understood: false. */
bool cf_cell_date(struct cf_str cell, cf_day *out, unsigned *warnings);
