/* idnum -- numbers of identity documents: normalise, check, read birth date and sex.
 *
 * Shapes   a number is text; its document type is always given, never guessed
 * Units    cf_day
 * Owns     nothing; all results are values
 * Errors   none: a bad number is a reason, not an error
 * Source   GB 11643 (18 characters, MOD 11-2); GB/T 2260 codes, present and abolished;
 *          ISO 3166-1; ICAO 9303 check digit (7-3-1)
 */
#pragma once
#include "common/pure/date.h"
#include "common/pure/kinds.h"
#include "common/pure/warnings.h"

/* clang-format off */
/* X(VALUE, "name", "Chinese name") */
#define CF_DOC_TYPES(X)                                                              \
    X(RESIDENT_ID,          "resident_id",          "居民身份证")                    \
    X(HOUSEHOLD_BOOK,       "household_book",       "户口簿")                        \
    X(RESIDENCE_PERMIT_HMT, "residence_permit_hmt", "港澳台居民居住证")              \
    X(FOREIGN_PR_2023,      "foreign_pr_2023",      "外国人永久居留身份证")          \
    X(FOREIGN_PR_2017,      "foreign_pr_2017",      "外国人永久居留身份证(2017版)")  \
    X(HOME_RETURN_PERMIT,   "home_return_permit",   "港澳居民来往内地通行证")        \
    X(TAIWAN_PERMIT,        "taiwan_permit",        "台湾居民来往大陆通行证")        \
    X(PASSPORT,             "passport",             "护照")

/* In the order in which they are tested: the first that applies is the reason. */
#define CF_ID_REASONS(X)                            \
    X(OK,                   "ok")                   \
    X(EMPTY,                "empty")                \
    X(FULL_WIDTH,           "full_width")           \
    X(CONTAINS_SPACE,       "contains_space")       \
    X(OLD_15_DIGIT,         "old_15_digit")         \
    X(LOWERCASE_X,          "lowercase_x")          \
    X(LOWERCASE_LETTER,     "lowercase_letter")     \
    X(BAD_CHARACTER,        "bad_character")        \
    X(BAD_PREFIX,           "bad_prefix")           \
    X(WRONG_LENGTH,         "wrong_length")         \
    X(WRONG_DOCUMENT_TYPE,  "wrong_document_type")  \
    X(UNKNOWN_REGION,       "unknown_region")       \
    X(UNKNOWN_ISSUING_AREA, "unknown_issuing_area") \
    X(UNKNOWN_COUNTRY,      "unknown_country")      \
    X(IMPOSSIBLE_DATE,      "impossible_date")      \
    X(BIRTH_DATE_TOO_EARLY, "birth_date_too_early") \
    X(FUTURE_BIRTH_DATE,    "future_birth_date")    \
    X(BAD_CHECK_DIGIT,      "bad_check_digit")
/* clang-format on */

enum cf_doc_type {
    CF_DOC_NONE,
#define X(value, name, zh) CF_DOC_##value,
    CF_DOC_TYPES(X)
#undef X
    CF_DOC_COUNT
};

enum cf_id_reason {
#define X(value, name) CF_ID_##value,
    CF_ID_REASONS(X)
#undef X
    CF_ID_REASON_COUNT
};

struct cf_idnum {
    enum cf_id_reason reason;
    bool has_birth, has_sex; /* the number is valid and tells it */
    cf_day birth_date;       /* CF_DAY_NONE without */
    enum cf_sex sex;         /* CF_SEX_NONE without */
};

/* NONE for a name that is not in the list. */
enum cf_doc_type cf_doc_type_parse(struct cf_str name);
/* Names of Chinese rosters; English names are taken too. */
enum cf_doc_type cf_doc_type_parse_zh(struct cf_str name);
const char *cf_doc_type_name(enum cf_doc_type type);
const char *cf_doc_type_name_zh(enum cf_doc_type type);
/* "ok" or the reason code. */
const char *cf_id_reason_name(enum cf_id_reason reason);
/* The code of applications and rosters: as above, but empty is missing_document_number. */
const char *cf_id_reason_code(enum cf_id_reason reason);

/* Checks the number exactly as it stands. Only a valid number tells birth date and sex. A
 * number of type CF_DOC_NONE is CF_ID_WRONG_DOCUMENT_TYPE (or CF_ID_EMPTY). */
void cf_idnum_check(enum cf_doc_type type, struct cf_str number, cf_day today,
                    struct cf_idnum *out);

#define CF_IDNUM_MAX 64
/* Removes TAB, space, U+00A0 and U+3000, maps U+FF01-U+FF5E to ASCII, makes ASCII letters
 * upper-case, nothing else; ORs bits into *warnings. The result has a zero behind it, its
 * length is returned. Input whose result is longer than any number can be is cut at a
 * character, and is refused by the check for its length or characters all the same. */
size_t cf_idnum_normalise(struct cf_str raw, char out[CF_IDNUM_MAX], unsigned *warnings);

/* The GB 11643 check character of 17 digits ('0'-'9', 'X'); the caller checks the digits. */
char cf_gb11643_check(const char digits[17]);
