/* data -- the test data of intake: files, calendar, outlets. */
#pragma once
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/intake/rules.h"
#include "tests/unit/policies.h"

#define UNUSED __attribute__((unused))

UNUSED static struct cf_str read_file(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TEST_DATA, name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "cannot open %s\n", path);
        abort();
    }
    char *bytes = NULL;
    size_t n = 0, cap = 0;
    do {
        cap = cap ? cap * 2 : 65536;
        bytes = cf_realloc(bytes, cap);
        n += fread(bytes + n, 1, cap - n, f);
    } while (n == cap);
    fclose(f);
    return (struct cf_str){bytes, n};
}

struct world_data {
    struct cf_arena *arena;
    struct cf_calendar calendar;
    struct cf_outlets outlets;
    const struct cf_policies *policies;
};

UNUSED static struct world_data world_data(void)
{
    struct world_data d = {.arena = cf_arena_new(64u << 20)};
    struct cf_calendar_error ce;
    struct cf_outlets_error oe;
    struct cf_str calendar = read_file("calendar.csv"), outlets = read_file("outlets.csv");
    assert_int_equal(cf_calendar_load(d.arena, cf_arena_str(d.arena, calendar), &d.calendar, &ce), 0);
    assert_int_equal(cf_outlets_load(d.arena, outlets, &d.outlets, &oe), 0);
    d.policies = test_policies(d.arena);
    free((char *)(uintptr_t)calendar.ptr);
    free((char *)(uintptr_t)outlets.ptr);
    return d;
}

UNUSED static const char *reasons_z(struct cf_arena *a, const struct cf_reason_set *set)
{
    struct cf_buf buf;
    cf_buf_init(&buf, 8192);
    assert_true(cf_reason_set_text(set, &buf));
    struct cf_str s = cf_arena_str(a, cf_buf_str(&buf));
    cf_buf_free(&buf);
    return s.len ? s.ptr : "";
}
