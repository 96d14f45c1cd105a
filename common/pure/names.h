/* names -- names of persons: normalise, check, script.
 *
 * Units    lengths are code points, 1 to 100
 * Errors   none: a bad name is a reason, not an error
 * Limits   NFC is not computed: a name that NFC would change holds a combining mark, a letter
 *          outside A-Z a-z or a compatibility ideograph, and all of these are refused for a
 *          person to look at, never changed silently. Unified ideographs are those of the basic
 *          block and Extensions A to I
 * Source   data rules of names.csv; GB 18030 on private-use code points
 */
#pragma once
#include "common/pure/warnings.h"

/* clang-format off */
/* In the order in which they are tested. X(VALUE, "reason", "code of applications") */
#define CF_NAME_REASONS(X)                                                                    \
    X(OK,                      "ok",                      "ok")                               \
    X(EMPTY,                   "empty",                   "missing_name")                     \
    X(CONTROL_CHARACTER,       "control_character",       "name_control_character")           \
    X(OUTER_SPACE,             "outer_space",             "name_outer_space")                 \
    X(PUA_CHARACTER,           "pua_character",           "name_has_pua")                     \
    X(PLACEHOLDER_CHARACTER,   "placeholder_character",   "name_has_placeholder")             \
    X(DIGIT,                   "digit",                   "name_has_digit")                   \
    X(TOO_LONG,                "name_too_long",           "name_name_too_long")               \
    X(VARIATION_SELECTOR,      "variation_selector",      "name_variation_selector")          \
    X(COMPATIBILITY_IDEOGRAPH, "compatibility_ideograph", "name_compatibility_ideograph")     \
    X(RADICAL_CHARACTER,       "radical_character",       "name_radical_character")           \
    X(FULL_WIDTH,              "full_width",              "name_full_width")                  \
    X(MIXED_SCRIPT,            "mixed_script",            "name_mixed_script")                \
    X(INNER_SPACE,             "inner_space",             "name_inner_space")                 \
    X(WRONG_INTERPUNCT,        "wrong_interpunct",        "name_wrong_interpunct")            \
    X(BAD_CHARACTER,           "bad_character",           "name_bad_character")               \
    X(INTERPUNCT_POSITION,     "interpunct_position",     "name_interpunct_position")         \
    X(WRONG_APOSTROPHE,        "wrong_apostrophe",        "name_wrong_apostrophe")            \
    X(WRONG_HYPHEN,            "wrong_hyphen",            "name_wrong_hyphen")
/* clang-format on */

enum cf_name_reason {
#define X(value, name, code) CF_NAME_##value,
    CF_NAME_REASONS(X)
#undef X
    CF_NAME_REASON_COUNT
};

enum cf_script {
    CF_SCRIPT_NONE, /* neither */
    CF_SCRIPT_HAN,
    CF_SCRIPT_LATIN
};

#define CF_NAME_MAX_CHARS 100

const char *cf_name_reason_name(enum cf_name_reason reason);
/* The code that applications, rosters and the catalogue of reasons use. */
const char *cf_name_reason_code(enum cf_name_reason reason);

/* Adds the normalised name to out; ORs bits into *warnings. Malformed UTF-8 is copied as it is,
 * for the check to refuse. False when out is full. */
bool cf_name_normalise(struct cf_str raw, struct cf_buf *out, unsigned *warnings);
/* Checks a name exactly as it stands. */
enum cf_name_reason cf_name_check(struct cf_str name);
/* Han when a Han character is in it, else Latin when a letter is in it. */
enum cf_script cf_name_script(struct cf_str name);
