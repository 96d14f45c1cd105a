/* bank_file -- what a bank that exchanges files gets and gives: CSV with a manifest; no network.
 *
 * Shapes   CSV is UTF-8, comma, CRLF, quoted as RFC 4180 has it, the columns in a fixed order. A
 *          field that a spreadsheet would calculate begins with an apostrophe, which is taken off
 *          when it comes back. A manifest is JSON: what, bank_code, file, lines, sha256
 * Owns     text points into the file or lives in the arena
 * Errors   faults say line, column, rule and cure, never a value; a file with one is not taken
 * Limits   a file of at most BANK_FILE_MAX bytes; the first BANK_FAULTS faults are kept
 * Source   RFC 4180; domain reference, "Production"
 */
#pragma once
#include "common/pure/arena.h"
#include "common/pure/date.h"

#define BANK_FILE_MAX (64u << 20)
#define BANK_FAULTS 100
#define BANK_CODE_MAX 20
#define BANK_NAME_MAX 128

struct bank_fault {
    unsigned line; /* of the CSV, from 1; 0: of the manifest */
    const char *column, *rule, *cure;
};

struct bank_faults {
    struct bank_fault list[BANK_FAULTS];
    size_t n; /* all, also those that found no room */
};

void bank_fault_add(struct bank_faults *f, unsigned line, const char *column, const char *rule,
                    const char *cure);

/* ---- CSV ----------------------------------------------------------------------------------- */

/* One field and what divides it from the next, or ends the line. */
void bank_csv_field(struct cf_buf *b, struct cf_str s, bool last);
/* The names of a NULL-terminated list as the first line. */
void bank_csv_header(struct cf_buf *b, const char *const *names);
/* The field as it was before it was made harmless. */
struct cf_str bank_csv_plain(struct cf_str field);

extern const char *const bank_order_columns[];
extern const char *const bank_notice_columns[];
extern const char *const bank_result_columns[];
extern const char *const bank_report_columns[];

/* ---- manifests ----------------------------------------------------------------------------- */

struct bank_manifest {
    char what[16]; /* orders, notices, results */
    char bank[BANK_CODE_MAX + 1], file[BANK_NAME_MAX + 1];
    unsigned lines; /* of data, without the header */
    uint8_t sha256[32];
};

/* 1 to 20 letters, digits, - and _: it stands in names of files. */
bool bank_code_good(struct cf_str code);
void bank_manifest_write(struct cf_buf *b, const struct bank_manifest *m);
bool bank_manifest_read(struct cf_str json, struct cf_arena *a, struct bank_manifest *out,
                        struct bank_faults *f);

/* ---- results ------------------------------------------------------------------------------- */

struct bank_result_line {
    unsigned line, no;
    uint8_t routing_key[16], app_id[16], batch_id[16], notice_id[16]; /* zero: not given */
    struct cf_str step, card_no, reason, fee_type, password_kind;
    uint32_t line_no, tries;
    int64_t fee_cents;
    cf_ms at;
};

/* All lines of a results file, or faults: of the manifest against file and bank, and of each line.
 * n lines in *out. */
bool bank_results_read(struct cf_str csv, const struct bank_manifest *m, struct cf_str bank,
                       struct cf_arena *a, struct bank_result_line **out, size_t *n,
                       struct bank_faults *f);
