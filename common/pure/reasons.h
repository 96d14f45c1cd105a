/* reasons -- the catalogue of codes: why something is noticed, rejected or refused, and the cure.
 *
 * Shapes   enum cf_reason is in the order of the codes, so that a set of bits lists sorted
 * Units    days are calendar days from the notice
 * Owns     nothing: all texts are literals
 * Errors   a code that is not known is CF_REASON_NONE
 * Source   domain reference, Checks at intake; reasons.def is the one place for codes and texts
 */
#pragma once
#include "common/pure/str.h"

enum cf_reason {
#define X(value, ...) CF_REASON_##value,
#include "common/pure/reasons.def"
#undef X
    CF_REASON_COUNT,
    CF_REASON_NONE = CF_REASON_COUNT
};

enum cf_reason_outcome {
    CF_OUTCOME_NOTICE, /* a one-time notice: can be put right */
    CF_OUTCOME_REJECT, /* cannot be taken as it is */
    CF_OUTCOME_REFUSE, /* a roster row or an operation; no application */
    CF_OUTCOME_FAIL    /* a bank could not make the card: it is made again */
};

struct cf_reason_info {
    const char *code;
    enum cf_reason_outcome outcome;
    const char *field;
    const char *text_zh, *text_en;
    const char *cure_zh, *cure_en;
    int respond_days;  /* 0: nothing can be put right */
    const char *alias; /* another name of the code, or empty */
};

/* For a one-time notice: what to bring, and how to go about it. */
struct cf_reason_help {
    const char *of; /* a code or a field */
    const char *materials_zh, *materials_en;
    const char *procedure_zh, *procedure_en;
};

/* reason must be below CF_REASON_COUNT. */
const struct cf_reason_info *cf_reason_info(enum cf_reason reason);
const char *cf_reason_code(enum cf_reason reason);
/* Of the code, or else of its field; every reason has one. */
const struct cf_reason_help *cf_reason_help(enum cf_reason reason);
/* Of a code or an alias. */
enum cf_reason cf_reason_parse(struct cf_str code);
/* "notice", "rejected", "refused" */
const char *cf_reason_outcome_name(enum cf_reason_outcome outcome);

/* ---- sets ---------------------------------------------------------------------------------- */

enum { CF_REASON_WORDS = 3 }; /* of 64 codes each */

struct cf_reason_set {
    uint64_t bits[CF_REASON_WORDS];
};

void cf_reason_set_add(struct cf_reason_set *set, enum cf_reason reason);
/* Adds all of `more`. */
void cf_reason_set_join(struct cf_reason_set *set, const struct cf_reason_set *more);
void cf_reason_set_remove(struct cf_reason_set *set, enum cf_reason reason);
/* Adds the reason of that code; a code that is not in the catalogue is a bug. */
void cf_reason_set_add_code(struct cf_reason_set *set, const char *code);
bool cf_reason_set_has(const struct cf_reason_set *set, enum cf_reason reason);
bool cf_reason_set_any(const struct cf_reason_set *set);
size_t cf_reason_set_count(const struct cf_reason_set *set);
/* The first at or after `from`, CF_REASON_NONE at the end; `for (r = next(s, 0); r < COUNT; ...)`. */
enum cf_reason cf_reason_set_next(const struct cf_reason_set *set, unsigned from);
/* Is one of that outcome in the set? */
bool cf_reason_set_holds(const struct cf_reason_set *set, enum cf_reason_outcome outcome);
/* Least number of days to respond of the notices in the set; 0 without one. */
int cf_reason_set_days(const struct cf_reason_set *set);
/* "bad_phone|sex_mismatch", sorted; and back (false at an unknown code). */
bool cf_reason_set_text(const struct cf_reason_set *set, struct cf_buf *out);
bool cf_reason_set_parse(struct cf_str text, struct cf_reason_set *out);
