/* outlets -- the issuing banks' outlets, as loaded at start.
 *
 * Shapes   rows sorted by outlet code; from a CSV with the columns bank_code, bank_name,
 *          outlet_code, outlet_name, district_code, active (1 or 0), in any order
 * Owns     texts live in the arena that was given
 * Errors   CF_E_CONFIG, with line and cause in *error
 */
#pragma once
#include "common/pure/arena.h"
#include "common/pure/error.h"

struct cf_outlet {
    struct cf_str bank_code, bank_name, outlet_code, outlet_name;
    bool active;
};

struct cf_outlets {
    const struct cf_outlet *rows;
    size_t n;
};

struct cf_outlets_error {
    unsigned line; /* from 1 */
    const char *why;
};

int cf_outlets_load(struct cf_arena *arena, struct cf_str csv, struct cf_outlets *out,
                        struct cf_outlets_error *error) CF_MUST;
/* The outlet of that bank, or NULL. */
const struct cf_outlet *cf_outlet_find(const struct cf_outlets *o,
                                               struct cf_str bank_code, struct cf_str outlet_code);
