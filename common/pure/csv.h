/* csv -- records of a CSV text, bounded and forgiving; no I/O.
 *
 * Fields are separated by commas, records by LF or CRLF; a field in quotes may hold both, and
 * quotes doubled. A quote inside a field that does not begin with one stands for itself.
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
};

struct cf_csv_record {
    struct cf_str fields[CF_CSV_FIELDS];
    size_t n;
    unsigned line; /* where it begins */
    bool broken;
    bool blank; /* nothing but spaces and commas: no record of the roster */
};

/* Skips a byte order mark. */
struct cf_csv cf_csv_of(struct cf_str text);
/* The next record; false at the end. */
bool cf_csv_next(struct cf_csv *csv, struct cf_arena *arena,
                     struct cf_csv_record *out);
