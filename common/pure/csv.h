/* csv -- records of a CSV text, bounded and forgiving; no I/O.
 *
 * Fields are separated by a delimiter (comma if not told), records by LF or CRLF; a field in quotes
 * may hold both, and quotes doubled. A quote inside a field that does not begin with one stands for itself.
 *
 * Owns     fields point into the text, or into the arena where quotes had to be taken out
 * Limits   CF_CSV_FIELDS fields a record, CF_CSV_FIELD_MAX bytes a field. A record that
 *          breaks a limit, or whose quote is never closed, is `broken`, and reading goes on at
 *          the next line, so that one stray quote costs one record
 * Source   RFC 4180
 */
#pragma once
#include "common/pure/arena.h"

#define CF_CSV_FIELDS 64
#define CF_CSV_FIELD_MAX 4096

struct cf_csv {
    const char *at, *end;
    unsigned line; /* of `at`, from 1 */
    char delimiter;
    bool open;    /* more text follows `end`: a record that may go on there is not taken yet */
    bool starved; /* the last call gave nothing for this reason; `at` is where it began */
};

/* What a cell of a workbook was, before it was text. */
enum cf_cell_kind { CF_CELL_TEXT, CF_CELL_NUMBER, CF_CELL_DATE };

struct cf_csv_record {
    struct cf_str fields[CF_CSV_FIELDS];
    size_t n;
    unsigned line; /* where it begins */
    bool broken;
    bool blank; /* nothing but spaces and delimiters: no record of the roster */
    const uint8_t *kinds; /* enum cf_cell_kind of each field; NULL: all are text */
};

/* Skips a byte order mark. */
struct cf_csv cf_csv_of(struct cf_str text);
/* The next record; false at the end, or when starved. */
bool cf_csv_next(struct cf_csv *csv, struct cf_arena *arena,
                     struct cf_csv_record *out);
