#include "common/pure/policy.h"

#include "common/pure/csv.h"

#include <stdlib.h>

enum column { NO, ID, KIND, EFFECTIVE_FROM, WORKING_DAYS, EXTENSION_LIMIT, COLUMNS };
enum { NO_MAX = 9999, DAYS_MAX = 366, ID_MAX = 60 };

static const char *const names[COLUMNS] = {"no",           "id",           "kind",
                                           "effective_from", "working_days", "extension_limit"};

static int fail(struct cf_policies_error *error, unsigned line, const char *why)
{
    *error = (struct cf_policies_error){line, why};
    return CF_E_CONFIG;
}

/* Digits only, up to `max`; -1 for anything else. */
static int number(struct cf_str s, int max)
{
    uint64_t v;
    return cf_digits(s, (uint64_t)max, &v) ? (int)v : -1;
}

static bool is_id(struct cf_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
    }
    return s.len > 0 && s.len <= ID_MAX;
}

/* NULL, or what is wrong with the row. */
static const char *read_row(struct cf_arena *a, const struct cf_csv_record *r,
                            struct cf_policy *out)
{
    int no = number(r->fields[NO], NO_MAX);
    if (no < 0) return "no: 0 to 9999";
    if (!is_id(r->fields[ID])) return "id: small letters, digits and _, at most 60";
    *out = (struct cf_policy){.no = (uint32_t)no,
                              .id = cf_arena_str(a, r->fields[ID]).ptr,
                              .kind = cf_app_kind_parse(r->fields[KIND]),
                              .working_days = number(r->fields[WORKING_DAYS], DAYS_MAX),
                              .extension_limit = number(r->fields[EXTENSION_LIMIT], DAYS_MAX)};
    if (out->kind == CF_KIND_NONE) return "kind: not a kind of application";
    if (!cf_day_parse(r->fields[EFFECTIVE_FROM], &out->effective_from))
        return "effective_from: a date YYYY-MM-DD";
    if (out->working_days < 0) return "working_days: 0 to 366";
    if (out->extension_limit < 0) return "extension_limit: 0 to 366";
    if (out->extension_limit && out->extension_limit <= out->working_days)
        return "extension_limit: 0, or more than working_days";
    return NULL;
}

/* Beside the rows before it. */
static const char *against(const struct cf_policy *rows, size_t n, const struct cf_policy *row)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].no == row->no) return "no: given to another row";
        if (!strcmp(rows[i].id, row->id)) return "id: given to another row";
        if (rows[i].kind == row->kind && rows[i].effective_from >= row->effective_from)
            return "effective_from: rows of a kind must ascend";
    }
    return NULL;
}

static const char *is_header(const struct cf_csv_record *r)
{
    bool same = r->n == COLUMNS;
    for (size_t c = 0; same && c < COLUMNS; c++)
        same = cf_str_is(r->fields[c], names[c]);
    return same ? NULL
                : "the header is not no,id,kind,effective_from,working_days,extension_limit";
}

static cf_day first_day(const struct cf_policies *p, enum cf_app_kind kind)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->rows[i].kind == kind) return p->rows[i].effective_from;
    return CF_DAY_NONE;
}

/* An application of any kind that is accepted must have a deadline. */
static const char *is_covered(const struct cf_policies *p)
{
    cf_day first = CF_DAY_NONE;
    for (size_t i = 0; i < p->n; i++)
        if (first == CF_DAY_NONE || p->rows[i].effective_from < first)
            first = p->rows[i].effective_from;
    for (int kind = CF_KIND_NONE + 1; kind < CF_KIND_COUNT; kind++)
        if (first_day(p, (enum cf_app_kind)kind) != first || first == CF_DAY_NONE)
            return "every kind of application needs a row from the first day of the file on";
    return NULL;
}

static int read_rows(struct cf_arena *arena, struct cf_csv *csv, struct cf_policy *rows, size_t *n,
                     struct cf_policies_error *error)
{
    struct cf_csv_record r;
    while (cf_csv_next(csv, arena, &r)) {
        if (r.blank) continue;
        if (r.broken || r.n != COLUMNS) return fail(error, r.line, "six fields are wanted");
        const char *why = read_row(arena, &r, &rows[*n]);
        if (!why) why = against(rows, *n, &rows[*n]);
        if (why) return fail(error, r.line, why);
        ++*n;
    }
    return 0;
}

int cf_policies_load(struct cf_arena *arena, struct cf_str text, struct cf_policies *out,
                     struct cf_policies_error *error)
{
    struct cf_csv csv = cf_csv_of(cf_arena_str(arena, text));
    struct cf_csv_record header;
    size_t lines = 1, n = 0;
    *error = (struct cf_policies_error){0};
    if (!cf_utf8_valid(text)) return fail(error, 1, "the file is not UTF-8");
    if (!cf_csv_next(&csv, arena, &header)) return fail(error, 1, "the file is empty");
    const char *why = is_header(&header);
    if (why) return fail(error, header.line, why);
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n' || text.ptr[i] == '\r';
    struct cf_policy *rows = cf_arena_zero(arena, lines * sizeof *rows);
    int e = read_rows(arena, &csv, rows, &n, error);
    if (e) return e;
    struct cf_policies policies = {rows, n};
    why = is_covered(&policies);
    if (why) return fail(error, 0, why);
    *out = policies;
    return 0;
}

const struct cf_policy *cf_policy_find(const struct cf_policies *policies, enum cf_app_kind kind,
                                       cf_day accepted_on)
{
    const struct cf_policy *found = NULL;
    for (size_t i = 0; policies && i < policies->n; i++)
        if (policies->rows[i].kind == kind && policies->rows[i].effective_from <= accepted_on)
            found = &policies->rows[i];
    return found;
}

const struct cf_policy *cf_policy_by_no(const struct cf_policies *policies, enum cf_app_kind kind,
                                        uint32_t no)
{
    for (size_t i = 0; policies && i < policies->n; i++)
        if (policies->rows[i].kind == kind && policies->rows[i].no == no)
            return &policies->rows[i];
    return NULL;
}
