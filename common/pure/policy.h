/* policy -- how many working days an application may take, by kind and by the day it is accepted on.
 *
 * Shapes   rows come from a file; the row in force on the acceptance day holds for the whole life of
 *          the application, which keeps its number: a number is never given to another row
 * Owns     rows and ids live in the arena that was given to cf_policies_load
 * Errors   CF_E_CONFIG, with the line number and the cause in struct cf_policies_error
 * Source   Measures 2015 (30 working days); rule of 2018-02-01 (7 working days, extension on
 *          record up to 30 in all)
 */
#pragma once
#include "common/pure/arena.h"
#include "common/pure/date.h"
#include "common/pure/error.h"
#include "common/pure/kinds.h"

struct cf_policy {
    uint32_t no;
    const char *id; /* e.g. first_issue_2018 */
    enum cf_app_kind kind;
    cf_day effective_from;
    int working_days;
    int extension_limit; /* working days in all, extension included; 0: no extension */
};

struct cf_policies {
    const struct cf_policy *rows; /* of a kind in the order of their days */
    size_t n;
};

struct cf_policies_error {
    unsigned line; /* from 1, the header is line 1; 0: of the file as a whole */
    const char *why;
};

/* csv: header `no,id,kind,effective_from,working_days,extension_limit`. Every kind of application
 * must be covered from the first day of the file on. *out is filled only on success. */
CF_MUST int cf_policies_load(struct cf_arena *arena, struct cf_str csv, struct cf_policies *out,
                             struct cf_policies_error *error);
/* NULL when none was in force; policies may be NULL. */
const struct cf_policy *cf_policy_find(const struct cf_policies *policies, enum cf_app_kind kind,
                                       cf_day accepted_on);
/* NULL when no row of that kind has the number. */
const struct cf_policy *cf_policy_by_no(const struct cf_policies *policies, enum cf_app_kind kind,
                                        uint32_t no);
