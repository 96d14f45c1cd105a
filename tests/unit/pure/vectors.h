/* vectors -- reads the CSV files of tests/data for unit tests, and collects failures.
 *
 * Shapes   a row's fields point into the file's bytes, quotes undone in place
 * Errors   a missing file or a row of another width ends the test
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/pure/str.h"

#define MAX_FIELDS 16

struct vectors {
    char *bytes, *at;
    unsigned row, failed;
    struct cf_str f[MAX_FIELDS];
    size_t n;
};

static inline struct cf_str vectors_file(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TEST_DATA, name);
    FILE *in = fopen(path, "rb");
    if (!in) fail_msg("cannot open %s", path);
    struct cf_buf b;
    cf_buf_init(&b, 64u << 20);
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, in)) > 0)
        cf_buf_add(&b, part, n);
    fclose(in);
    cf_buf_add(&b, "", 1);
    return (struct cf_str){b.ptr, b.len - 1};
}

/* Reads one field at v->at into v->f; false when it was the last of its row. */
static inline bool vectors_field(struct vectors *v)
{
    char *p = v->at, *from = p, *to = p;
    if (*p == '"') {
        from = to = ++p;
        while (*p && (*p != '"' || p[1] == '"')) {
            if (*p == '"') p++;
            *to++ = *p++;
        }
        if (*p) p++;
    } else {
        while (*p && *p != ',' && *p != '\n' && *p != '\r')
            p++;
        to = p;
    }
    assert_true(v->n < MAX_FIELDS);
    v->f[v->n++] = (struct cf_str){from, (size_t)(to - from)};
    bool more = *p == ',';
    if (*p == '\r') p++;
    if (*p) p++;
    v->at = p;
    return more;
}

/* The next row with exactly `width` fields; false at the end. */
static inline bool vectors_next(struct vectors *v, size_t width)
{
    if (!*v->at) return false;
    v->n = 0;
    v->row++;
    while (vectors_field(v))
        ;
    if (v->n != width) fail_msg("row %u has %zu fields, not %zu", v->row, v->n, width);
    return true;
}

/* Opens a file and passes its header. */
static inline struct vectors vectors_open(const char *name, size_t width)
{
    struct vectors v = {.bytes = (char *)(uintptr_t)vectors_file(name).ptr};
    v.at = v.bytes;
    assert_true(vectors_next(&v, width));
    return v;
}

/* Prints the row once for each thing that is wrong with it. */
#define CHECK(v, condition, ...)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (v)->failed++;                                                                         \
            fprintf(stderr, "row %u [", (v)->row);                                                 \
            for (size_t i_ = 0; i_ < (v)->n; i_++)                                                 \
                fprintf(stderr, i_ ? ",%.*s" : "%.*s", CF_ARG((v)->f[i_]));                        \
            fprintf(stderr, "]: " __VA_ARGS__);                                                    \
            fputc('\n', stderr);                                                                   \
        }                                                                                          \
    } while (0)

/* All rows read, as many as known, none failed. */
static inline void vectors_close(struct vectors *v, unsigned rows)
{
    free(v->bytes);
    assert_int_equal(v->failed, 0);
    assert_int_equal(v->row - 1, rows);
}
