/* policies -- the policies of deadlines of tests/data, for tests that count days. */
#pragma once
#include "common/pure/policy.h"

#include <stdio.h>
#include <stdlib.h>

/* Lives as long as the arena. */
static inline const struct cf_policies *test_policies(struct cf_arena *a)
{
    struct cf_policies *p = cf_arena_zero(a, sizeof *p);
    struct cf_policies_error wrong;
    char text[8192];
    FILE *f = fopen(TEST_DATA "/policies.csv", "rb");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f) fclose(f);
    if (cf_policies_load(a, (struct cf_str){text, n}, p, &wrong)) abort();
    return p;
}
