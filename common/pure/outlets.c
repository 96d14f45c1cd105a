#include "common/pure/outlets.h"

#include "common/pure/csv.h"

#include <stdlib.h>

enum column { BANK, BANK_NAME, OUTLET, OUTLET_NAME, ACTIVE, COLUMNS };

static const char *const names[COLUMNS] = {"bank_code", "bank_name", "outlet_code", "outlet_name",
                                           "active"};

static int compare(const void *a, const void *b)
{
    const struct cf_outlet *x = a, *y = b;
    size_t n = x->outlet_code.len < y->outlet_code.len ? x->outlet_code.len : y->outlet_code.len;
    int c = memcmp(x->outlet_code.ptr, y->outlet_code.ptr, n);
    return c ? c : (x->outlet_code.len > y->outlet_code.len) -
                       (x->outlet_code.len < y->outlet_code.len);
}

static int fail(struct cf_outlets_error *error, unsigned line, const char *why)
{
    *error = (struct cf_outlets_error){line, why};
    return CF_E_CONFIG;
}

static int read_header(const struct cf_csv_record *r, size_t at[COLUMNS],
                       struct cf_outlets_error *error)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        size_t i = 0;
        while (i < r->n && !cf_str_is(r->fields[i], names[c]))
            i++;
        if (i == r->n) return fail(error, r->line, "a column is missing");
        at[c] = i;
    }
    return 0;
}

int cf_outlets_load(struct cf_arena *arena, struct cf_str csv_text, struct cf_outlets *out,
                        struct cf_outlets_error *error)
{
    struct cf_csv csv = cf_csv_of(cf_arena_str(arena, csv_text));
    struct cf_csv_record r;
    size_t at[COLUMNS], lines = 0;
    if (!cf_utf8_valid(csv_text)) return fail(error, 1, "the file is not UTF-8");
    if (!cf_csv_next(&csv, arena, &r)) return fail(error, 1, "the file is empty");
    int e = read_header(&r, at, error);
    if (e) return e;
    size_t fields = r.n;
    for (size_t i = 0; i < csv_text.len; i++)
        lines += csv_text.ptr[i] == '\n';
    struct cf_outlet *rows = cf_arena_zero(arena, (lines + 1) * sizeof *rows);
    size_t n = 0;
    while (cf_csv_next(&csv, arena, &r)) {
        if (r.blank) continue;
        if (r.broken || r.n != fields) return fail(error, r.line, "fields differ from the header");
        struct cf_str active = r.fields[at[ACTIVE]];
        if (!cf_str_is(active, "0") && !cf_str_is(active, "1"))
            return fail(error, r.line, "active must be 0 or 1");
        if (r.fields[at[BANK]].len == 0 || r.fields[at[OUTLET]].len == 0)
            return fail(error, r.line, "bank_code and outlet_code must not be empty");
        rows[n++] = (struct cf_outlet){r.fields[at[BANK]], r.fields[at[BANK_NAME]],
                                           r.fields[at[OUTLET]], r.fields[at[OUTLET_NAME]],
                                           *active.ptr == '1'};
    }
    if (n == 0) return fail(error, 1, "there is no outlet");
    qsort(rows, n, sizeof *rows, compare);
    for (size_t i = 1; i < n; i++)
        if (compare(&rows[i - 1], &rows[i]) == 0)
            return fail(error, 1, "an outlet_code stands there twice");
    *out = (struct cf_outlets){rows, n};
    return 0;
}

const struct cf_outlet *cf_outlet_find(const struct cf_outlets *o,
                                               struct cf_str bank_code, struct cf_str outlet_code)
{
    struct cf_outlet key = {.outlet_code = outlet_code};
    if (outlet_code.len == 0) return NULL;
    const struct cf_outlet *row = bsearch(&key, o->rows, o->n, sizeof *o->rows, compare);
    return row && cf_str_eq(row->bank_code, bank_code) ? row : NULL;
}
