/* cardnum -- card numbers: an area letter, seven characters, a check character.
 *
 * Units    9 characters; the serial is 0 to 9999999
 * Source   GB 11714: weights 3 7 9 10 5 8 4 2, A = 10 ... Z = 35, 11 minus the sum modulo 11,
 *          10 is X, 11 is 0
 */
#pragma once
#include "common/pure/str.h"

/* clang-format off */
/* In the order in which they are tested; both OK values are valid. */
#define CF_CARDNUM_REASONS(X)                         \
    X(OK,                  "ok")                      \
    X(OK_LETTER_IN_SERIAL, "ok_letter_in_serial")     \
    X(EMPTY,               "empty")                   \
    X(FULL_WIDTH,          "full_width")              \
    X(CONTAINS_SPACE,      "contains_space")          \
    X(CONTAINS_HYPHEN,     "contains_hyphen")         \
    X(BAD_CHARACTER,       "bad_character")           \
    X(LOWERCASE,           "lowercase")               \
    X(WRONG_LENGTH,        "wrong_length")            \
    X(BAD_AREA_CHAR,       "bad_area_char")           \
    X(BAD_CHECK_CHARACTER, "bad_check_character")     \
    X(BAD_CHECK_DIGIT,     "bad_check_digit")
/* clang-format on */

enum cf_cardnum_reason {
#define X(value, name) CF_CARDNUM_##value,
    CF_CARDNUM_REASONS(X)
#undef X
    CF_CARDNUM_REASON_COUNT
};

#define CF_CARDNUM_LEN 9
#define CF_CARDNUM_SERIALS 10000000u
#define CF_CARDNUM_MAX 64

const char *cf_cardnum_reason_name(enum cf_cardnum_reason reason);
/* Checks exactly as it stands. */
enum cf_cardnum_reason cf_cardnum_check(struct cf_str number);
static inline bool cf_cardnum_valid(struct cf_str number)
{
    return cf_cardnum_check(number) <= CF_CARDNUM_OK_LETTER_IN_SERIAL;
}
/* Removes spaces, maps full width to ASCII, upper-case; a zero behind it; the length. */
size_t cf_cardnum_normalise(struct cf_str raw, char out[CF_CARDNUM_MAX], unsigned *warnings);
/* The number of a serial in an area 'A' to 'Z', and a zero. False when out of range. */
bool cf_cardnum_make(char area, uint32_t serial, char out[CF_CARDNUM_LEN + 1]);
/* The check character of the first eight characters (A-Z, 0-9). */
char cf_gb11714_check(const char body[8]);
