/* roster_reader -- the records of a roster's file, text or workbook, in bounded memory.
 *
 * The file lies in pieces (common/pure/pieces.h). When one is missing the reader says so, and goes
 * on where it was once it has been given.
 *
 * Owns     fields of a record live in the arena, or until the next call
 * Limits   a record as in common/pure/csv.h; a workbook as in book.h. INTAKE_READ_REST: much was
 *          read without a record; call again, after others had their turn
 * Errors   INTAKE_READ_BROKEN: the file cannot be read on; why is a rule (a literal)
 * Source   rules of the roster data
 */
#pragma once
#include "common/pure/arena.h"
#include "common/pure/csv.h"
#include "common/pure/pieces.h"

enum intake_read {
    INTAKE_READ_RECORD,
    INTAKE_READ_WAIT, /* for pieces->want */
    INTAKE_READ_REST,
    INTAKE_READ_END,
    INTAKE_READ_BROKEN
};

struct intake_reader;

/* What a file is, by all its bytes: "utf-8", "utf-8 with BOM", "gbk", "utf-16le", "utf-16be" or
 * "xlsx". Returns a rule that is broken, or NULL. */
const char *intake_file_look(struct cf_str file, const char **encoding);

void intake_reader_free(struct intake_reader *r);
/* Pieces must outlive it. An encoding that is none of the words above is read as UTF-8. */
struct intake_reader *intake_reader_new(struct cf_pieces *pieces, struct cf_str encoding)
    CF_FREED_BY(intake_reader_free);
/* Blank records are given too. */
enum intake_read intake_reader_next(struct intake_reader *r, struct cf_arena *arena,
                                    struct cf_csv_record *out);
const char *intake_reader_why(const struct intake_reader *r);
/* Bytes of text looked at so far. */
uint64_t intake_reader_spent(const struct intake_reader *r);
