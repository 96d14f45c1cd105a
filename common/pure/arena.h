/* arena -- memory that lives until the batch is done.
 *
 * Shapes   one struct cf_arena per batch loop; a list of chunks, allocated upwards
 * Owns     everything handed out lives until cf_arena_reset()
 * Errors   past `max` bytes the process ends with a message (bound inputs before); see
 *          cf_arena_try for input whose size is not ours
 */
#pragma once
#include "common/pure/str.h"

struct cf_arena;

void cf_arena_free(struct cf_arena *a);
struct cf_arena *cf_arena_new(size_t max) CF_FREED_BY(cf_arena_free);
/* Forgets everything handed out; keeps some memory (4 MiB, if not told otherwise) so that steady work
 * does not allocate. */
void cf_arena_reset(struct cf_arena *a);
void cf_arena_keep(struct cf_arena *a, size_t bytes);
/* Gives back what reset has kept. */
void cf_arena_trim(struct cf_arena *a);
/* n bytes, aligned to 16, not cleared. */
void *cf_arena_alloc(struct cf_arena *a, size_t n);
/* The same, cleared. */
void *cf_arena_zero(struct cf_arena *a, size_t n);
/* NULL instead of an end of the process when the arena would pass its maximum. */
void *cf_arena_try(struct cf_arena *a, size_t n);
size_t cf_arena_used(const struct cf_arena *a);
void *cf_arena_dup(struct cf_arena *a, const void *bytes, size_t n);
/* A copy, with a zero byte behind it. */
struct cf_str cf_arena_str(struct cf_arena *a, struct cf_str s);
struct cf_str cf_arena_printf(struct cf_arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
