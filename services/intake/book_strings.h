/* book_strings -- the shared strings of a workbook, in order, packed in blocks; no I/O.
 *
 * A roster of 200,000 rows has some 20 MB of them; packed they are a third, and the few blocks
 * used last stay open, since rows ask for them nearly in order.
 *
 * Owns     its bytes; a string handed out is copied into the arena
 * Limits   INTAKE_STRINGS_MAX packed bytes; a string is cut at CF_CSV_FIELD_MAX + 1 bytes
 */
#pragma once
#include "common/pure/arena.h"
#include "common/pure/csv.h"

#define INTAKE_STRINGS_MAX (16u << 20)

struct intake_strings;

void intake_strings_free(struct intake_strings *s);
struct intake_strings *intake_strings_new(void) CF_FREED_BY(intake_strings_free);
/* False when there are too many. */
bool intake_strings_add(struct intake_strings *s, struct cf_str text);
uint32_t intake_strings_count(const struct intake_strings *s);
/* index below count */
struct cf_str intake_strings_get(struct intake_strings *s, uint32_t index, struct cf_arena *arena);
