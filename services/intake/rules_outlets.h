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

struct intake_outlet {
    struct cf_str bank_code, bank_name, outlet_code, outlet_name;
    bool active;
};

struct intake_outlets {
    const struct intake_outlet *rows;
    size_t n;
};

struct intake_outlets_error {
    unsigned line; /* from 1 */
    const char *why;
};

int intake_outlets_load(struct cf_arena *arena, struct cf_str csv, struct intake_outlets *out,
                        struct intake_outlets_error *error) CF_MUST;
/* The outlet of that bank, or NULL. */
const struct intake_outlet *intake_outlet_find(const struct intake_outlets *o,
                                               struct cf_str bank_code, struct cf_str outlet_code);
bool intake_bank_known(const struct intake_outlets *o, struct cf_str bank_code);
