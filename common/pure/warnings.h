/* warnings -- what intake made of the input before it was checked; a set of bits.
 *
 * Shapes   unsigned, an OR of CF_WARN_*; order of the list is the order of the names in answers
 *          (alphabetical)
 */
#pragma once
#include "common/pure/str.h"

/* clang-format off */
#define CF_WARNINGS(X)                                                                        \
    X(APOSTROPHE,   "normalised_apostrophe")   /* leading ' of a spreadsheet; U+2019 in a name */ \
    X(DATE_CELL,    "normalised_date_cell")    /* workbook cell of type date */               \
    X(DATE_FORMAT,  "normalised_date_format")  /* 1990/3/7 */                                 \
    X(FORMULA_TEXT, "normalised_formula_text") /* ="..." */                                   \
    X(FULL_WIDTH,   "normalised_full_width")   /* full-width letters and digits */            \
    X(HYPHEN,       "normalised_hyphen")       /* U+2010 and U+2013 in a Latin name */        \
    X(INTERPUNCT,   "normalised_interpunct")   /* a look-alike of U+00B7 in a Han name */     \
    X(LOWERCASE_X,  "normalised_lowercase_x")  /* a lower-case letter in a number */          \
    X(NAME_SPACE,   "normalised_name_space")   /* space around or in a name */                \
    X(NUMBER_CELL,  "normalised_number_cell")  /* phone in a workbook cell of type number */  \
    X(SPACE,        "normalised_space")        /* space in a number or phone */
/* clang-format on */

enum cf_warning_index {
#define X(value, name) CF_WARN_INDEX_##value,
    CF_WARNINGS(X)
#undef X
    CF_WARN_COUNT
};

enum cf_warning {
#define X(value, name) CF_WARN_##value = 1 << CF_WARN_INDEX_##value,
    CF_WARNINGS(X)
#undef X
};

/* index from 0 to CF_WARN_COUNT - 1; the bit is 1u << index. */
const char *cf_warning_name(unsigned index);
/* 0 for a name that is not in the list. */
unsigned cf_warning_parse(struct cf_str name);
