#include "common/pure/csv.h"

struct cf_csv cf_csv_of(struct cf_str text)
{
    struct cf_csv csv = {.at = text.ptr, .end = text.ptr + text.len, .line = 1, .delimiter = ','};
    if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0) csv.at += 3;
    return csv;
}

static bool at_record_end(const struct cf_csv *csv)
{
    return csv->at == csv->end || *csv->at == '\n' ||
           (*csv->at == '\r' && (csv->at + 1 == csv->end || csv->at[1] == '\n'));
}

static void next_line(struct cf_csv *csv)
{
    while (csv->at < csv->end && *csv->at != '\n')
        csv->at++;
    if (csv->at < csv->end) csv->at++, csv->line++;
}

/* Up to the next delimiter or line end; quotes stand for themselves. */
static struct cf_str plain_field(struct cf_csv *csv)
{
    const char *from = csv->at;
    while (!at_record_end(csv) && *csv->at != csv->delimiter)
        csv->at++;
    return (struct cf_str){from, (size_t)(csv->at - from)};
}

/* After the opening quote. False when it is not closed within the limit. */
static bool quoted_field(struct cf_csv *csv, struct cf_arena *arena, struct cf_str *out)
{
    const char *from = csv->at;
    unsigned line = csv->line;
    bool doubled = false;
    const char *p = from;
    for (;; p++) {
        if (p == csv->end && p - from <= CF_CSV_FIELD_MAX) csv->starved = csv->open;
        if (p == csv->end || p - from > CF_CSV_FIELD_MAX) return false;
        if (*p == '\n') line++;
        if (*p != '"') continue;
        if (p + 1 == csv->end || p[1] != '"') break;
        doubled = true;
        p++;
    }
    *out = (struct cf_str){from, (size_t)(p - from)};
    csv->at = p + 1;
    csv->line = line;
    /* What stands between the closing quote and the delimiter is taken as part of the field. */
    struct cf_str tail = plain_field(csv);
    if (!doubled && tail.len == 0) return true;
    /* Seen before memory is asked for: a tail may be as long as the file. */
    if (tail.len > CF_CSV_FIELD_MAX) return false;
    char *text = cf_arena_alloc(arena, out->len + tail.len);
    size_t n = 0;
    for (size_t i = 0; i < out->len; i++) {
        text[n++] = out->ptr[i];
        if (out->ptr[i] == '"') i++;
    }
    if (tail.len) memcpy(text + n, tail.ptr, tail.len);
    *out = (struct cf_str){text, n + tail.len};
    return true;
}

static bool is_blank(const struct cf_csv_record *r)
{
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->fields[i].len; k++)
            if (!memchr(" \t\r\n", r->fields[i].ptr[k], 4)) return false;
    return true;
}

static void broken(struct cf_csv *csv, const char *begin, struct cf_csv_record *out)
{
    csv->at = begin;
    csv->line = out->line;
    next_line(csv);
    out->n = 0;
    out->broken = true;
}

/* Whether the record may go on behind the text that is there. */
static bool starve(struct cf_csv *csv, const char *begin, const struct cf_csv_record *r)
{
    bool at_cr = csv->at + 1 == csv->end && *csv->at == '\r';
    if (csv->open && (csv->at == csv->end || at_cr)) csv->starved = true;
    if (!csv->starved) return false;
    csv->at = begin;
    csv->line = r->line;
    return true;
}

bool cf_csv_next(struct cf_csv *csv, struct cf_arena *arena, struct cf_csv_record *out)
{
    csv->starved = csv->open && csv->at == csv->end;
    if (csv->at == csv->end) return false;
    const char *begin = csv->at;
    out->kinds = NULL;
    out->n = 0;
    out->line = csv->line;
    out->broken = out->blank = false;
    for (;;) {
        struct cf_str field;
        bool ok = true;
        if (csv->at < csv->end && *csv->at == '"') {
            csv->at++;
            ok = quoted_field(csv, arena, &field);
        } else {
            field = plain_field(csv);
        }
        if (starve(csv, begin, out)) return false;
        if (!ok || field.len > CF_CSV_FIELD_MAX || out->n == CF_CSV_FIELDS) {
            broken(csv, begin, out);
            return csv->at[-1] == '\n' || !starve(csv, begin, out);
        }
        out->fields[out->n++] = field;
        if (at_record_end(csv)) break;
        csv->at++; /* the delimiter; a field follows, be it empty */
    }
    next_line(csv);
    out->blank = is_blank(out);
    return true;
}
