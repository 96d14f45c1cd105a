/* rules_roster -- what one row of a unit's roster says, and whether it can become an application.
 *
 * Shapes   the header maps columns; a row becomes a struct intake_person plus what only the
 *          roster tells (unit, photo choice, what the spreadsheet did to it)
 * Owns     texts point into the record and the arena
 * Errors   none: what is odd is a reason
 * Source   rules of the roster data; Measures 2015, S2
 */
#pragma once
#include "services/intake/rules.h"
#include "common/pure/csv.h"

/* X(VALUE, "english", "中文", needed) */
#define INTAKE_COLUMNS(X)                                                    \
    X(NAME, "name", "姓名", true)                                            \
    X(TYPE, "document_type", "证件类型", true)                               \
    X(NUMBER, "document_number", "证件号码", true)                           \
    X(SEX, "sex", "性别", false)                                             \
    X(BIRTH, "birth_date", "出生日期", false)                                \
    X(PHONE, "phone", "手机号", true)                                        \
    X(ADDRESS, "address", "通讯地址", true)                                  \
    X(UNIT, "unit_code", "单位编号", false)                                  \
    X(GUARDIAN_NAME, "guardian_name", "监护人姓名", false)                   \
    X(GUARDIAN_TYPE, "guardian_document_type", "监护人证件类型", false)      \
    X(GUARDIAN_NUMBER, "guardian_document_number", "监护人证件号码", false)  \
    X(RELATION, "relation", "与申领人关系", false)                           \
    X(GUARDIAN_PHONE, "guardian_phone", "监护人手机号", false)               \
    X(PHOTO, "photo_choice", "照片方式", false)

enum intake_column {
#define X(value, ...) INTAKE_COLUMN_##value,
    INTAKE_COLUMNS(X)
#undef X
    INTAKE_COLUMN_COUNT
};

struct intake_header {
    int at[INTAKE_COLUMN_COUNT]; /* -1: not there */
    size_t fields;
};

/* False, with the English name of the first column that is missing. Unknown columns do not
 * matter. */
bool intake_header_read(const struct cf_csv_record *r, struct intake_header *out,
                        const char **missing);

struct intake_row {
    struct intake_person person; /* birth date, sex and type in the words of an application */
    struct cf_str photo_choice;
    unsigned warnings;
    struct cf_reason_set reasons;   /* those that only the roster can tell */
    bool number_damaged;
};

void intake_row_read(const struct intake_header *h, const struct cf_csv_record *r,
                     struct cf_str unit_code, struct cf_arena *arena, struct intake_row *out);
/* All reasons of the row together; facts are of intake_person_read(). */
struct cf_reason_set intake_row_reasons(const struct intake_row *row, const struct intake_facts *f);

/* X(VALUE, "word"): may the agent of the list collect the card of a row? */
#define INTAKE_TAKES(X)                        \
    X(NOW, "to_collect")                       \
    X(ALREADY, "already_collected")            \
    X(NOT_READY, "not_ready_for_pickup")       \
    X(OTHER_LIST, "of_another_list")           \
    X(UNKNOWN, "unknown_row")

enum intake_take {
#define X(value, name) INTAKE_TAKE_##value,
    INTAKE_TAKES(X)
#undef X
    INTAKE_TAKE_COUNT
};
const char *intake_take_name(enum intake_take take);
/* known: the list has such a row. An unchanged one is the list's whose application it is. */
enum intake_take intake_row_take(bool known, bool unchanged, enum cf_app_state state);

/* A set of documents seen in this file. */
struct intake_seen;
void intake_seen_free(struct intake_seen *s);
struct intake_seen *intake_seen_new(void) CF_FREED_BY(intake_seen_free);
/* True when it was there before. Numbers are kept as 64-bit keyed hashes. */
bool intake_seen_add(struct intake_seen *s, const uint8_t key[16], enum cf_doc_type type,
                     struct cf_str number);

/* Reasons in the words of rosters (unknown_document_type), sorted, with '|' between. */
bool intake_roster_reasons_text(const struct cf_reason_set *set, struct cf_buf *out);
bool intake_warnings_text(unsigned warnings, struct cf_buf *out);
