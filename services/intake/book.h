/* book -- records of the first visible sheet of a workbook (XLSX), row by row.
 *
 * The place of a cell is certain here, so a row is as wide as the header: cells that are missing
 * are empty, and what stands right of the header's last column belongs to no column. Numbers come
 * as digits, dates as YYYY-MM-DD, and the kind of each cell beside them. Formulas count by the
 * value that was stored with them.
 *
 * Owns     fields of a record live in the arena
 * Limits   512 MiB of a sheet when it is inflated, 16 MiB of packed shared strings, 1 MiB of the
 *          XML parser, CF_CSV_FIELDS columns, CF_CSV_FIELD_MAX bytes a cell: memory does not grow
 *          with what an archive claims to hold
 * Errors   as roster_reader.h
 * Source   ECMA-376 part 1 (18.3, 18.4, 18.8), part 2 (packages)
 */
#pragma once
#include "services/intake/roster_reader.h"

struct intake_book;

void intake_book_free(struct intake_book *b);
struct intake_book *intake_book_new(struct cf_pieces *pieces) CF_FREED_BY(intake_book_free);
enum intake_read intake_book_next(struct intake_book *b, struct cf_arena *arena,
                                  struct cf_csv_record *out);
const char *intake_book_why(const struct intake_book *b);
uint64_t intake_book_spent(const struct intake_book *b);
