/* roster_text -- records of a roster that is text, whatever it was saved in.
 *
 * UTF-8, GB 18030 (which reads every GBK file, and the rare characters that GBK has no place for)
 * and UTF-16; comma, semicolon or tab, whichever divides the first line into most fields; a first
 * line `sep=;` says it.
 *
 * Owns     fields point into the reader's window, until the next call
 * Limits   a window of 512 KB: no record within the limits of csv.h is longer
 * Errors   as roster_reader.h
 */
#pragma once
#include "services/intake/roster_reader.h"

struct intake_text;

void intake_text_free(struct intake_text *t);
struct intake_text *intake_text_new(struct cf_pieces *pieces, struct cf_str encoding)
    CF_FREED_BY(intake_text_free);
enum intake_read intake_text_next(struct intake_text *t, struct cf_arena *arena,
                                  struct cf_csv_record *out);
const char *intake_text_why(const struct intake_text *t);
uint64_t intake_text_spent(const struct intake_text *t);
/* Whether all of the file can be read in this encoding. */
bool intake_text_converts(struct cf_str file, const char *encoding);
