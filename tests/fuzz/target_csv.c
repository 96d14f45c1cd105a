/* Rosters and other CSV: text of any encoding to records, rows, persons and reasons. */
#include "common/pure/csv.h"
#include "services/intake/roster_reader.h"
#include "services/intake/rules_roster.h"
#include "tests/fuzz/fuzz.h"

static void check_record(const struct cf_csv_record *r)
{
    MUST(r->n <= CF_CSV_FIELDS);
    MUST(r->broken ? r->n == 0 : r->n >= 1 || r->blank);
    for (size_t i = 0; i < r->n; i++)
        MUST(r->fields[i].len <= CF_CSV_FIELD_MAX);
}

/* Written with quotes and read again, a record is the same. */
static void write_again(const struct cf_csv_record *r, struct cf_arena *a)
{
    struct cf_buf b;
    struct cf_csv_record again;
    cf_buf_init(&b, 2 << 20);
    for (size_t i = 0; i < r->n; i++) {
        cf_buf_adds(&b, i ? CF_STR(",\"") : CF_STR("\""));
        for (size_t k = 0; k < r->fields[i].len; k++) {
            if (r->fields[i].ptr[k] == '"') cf_buf_add(&b, "\"", 1);
            cf_buf_add(&b, r->fields[i].ptr + k, 1);
        }
        cf_buf_add(&b, "\"", 1);
    }
    cf_buf_adds(&b, CF_STR("\r\n"));
    struct cf_csv csv = cf_csv_of(cf_buf_str(&b));
    MUST(cf_csv_next(&csv, a, &again));
    if (!again.broken) { /* quotes doubled may pass the limit */
        MUST(again.n == r->n && csv.at == csv.end);
        for (size_t i = 0; i < r->n; i++)
            MUST(cf_str_eq(again.fields[i], r->fields[i]));
    }
    cf_buf_free(&b);
}

static void read_row(const struct intake_header *h, const struct cf_csv_record *r,
                     struct cf_arena *a, struct intake_seen *seen)
{
    static const uint8_t key[16] = {1};
    struct intake_row row;
    struct intake_facts facts;
    struct cf_buf text;
    intake_row_read(h, r, CF_STR("U0001"), a, &row);
    intake_person_read(&row.person, 0, a, &facts);
    struct cf_reason_set reasons = intake_row_reasons(&row, &facts);
    cf_buf_init(&text, 8192);
    MUST(intake_roster_reasons_text(&reasons, &text));
    cf_buf_reset(&text);
    MUST(intake_warnings_text(row.warnings, &text));
    cf_buf_free(&text);
    intake_seen_add(seen, key, CF_DOC_RESIDENT_ID, row.person.document_number);
    MUST(intake_seen_add(seen, key, CF_DOC_RESIDENT_ID, row.person.document_number) ||
         row.person.document_number.len == 0 || row.person.document_number.len > CF_IDNUM_MAX);
}

/* One record of a file in pieces of its own; false at the end, or when it is broken. */
static bool next_of(struct intake_reader *reader, struct cf_pieces *pieces, struct cf_str file,
                    struct cf_arena *a, struct cf_csv_record *out)
{
    for (;;) {
        enum intake_read e = intake_reader_next(reader, a, out);
        if (e == INTAKE_READ_BROKEN) MUST(intake_reader_why(reader) != NULL);
        if (e == INTAKE_READ_END || e == INTAKE_READ_BROKEN) return false;
        if (e == INTAKE_READ_RECORD) return true;
        if (e == INTAKE_READ_REST) continue;
        size_t at = (size_t)pieces->want * pieces->piece;
        MUST(at < file.len);
        size_t n = file.len - at < pieces->piece ? file.len - at : pieces->piece;
        MUST(cf_pieces_give(pieces, pieces->want, (struct cf_str){file.ptr + at, n}));
    }
}

/* However the file is cut into pieces, its records are the same. */
static void compare_in_pieces(struct cf_str file, struct cf_str encoding)
{
    struct cf_arena *a = cf_arena_new(64 << 20);
    struct cf_pieces whole = cf_pieces_in_memory(file), cut = cf_pieces_of(file.len, 40000);
    struct intake_reader *one = intake_reader_new(&whole, encoding),
                         *two = intake_reader_new(&cut, encoding);
    struct cf_csv_record r, s;
    for (size_t n = 0; n < 1000; n++) {
        bool more = next_of(one, &whole, file, a, &r);
        MUST(next_of(two, &cut, file, a, &s) == more);
        if (!more) break;
        check_record(&r);
        MUST(r.n == s.n && r.broken == s.broken && r.blank == s.blank);
        for (size_t i = 0; i < r.n; i++) {
            MUST(cf_str_eq(r.fields[i], s.fields[i]) && cf_utf8_valid(r.fields[i]));
            MUST(!r.kinds || r.kinds[i] == s.kinds[i]);
        }
        cf_arena_reset(a);
    }
    intake_reader_free(one);
    intake_reader_free(two);
    cf_pieces_free(&cut);
    cf_arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_arena *a = cf_arena_new(64 << 20);
    const char *encoding = NULL;
    char *exact = fuzz_exact(fuzz_str(data, size));
    struct cf_str file = {exact, size};
    const char *why = intake_file_look(file, &encoding);
    if (!why) MUST(encoding != NULL);
    if (!why) compare_in_pieces(file, cf_str_of(encoding));
    struct cf_csv csv = cf_csv_of(file); /* takes any bytes */
    struct cf_csv_record r;
    struct intake_header header;
    struct intake_seen *seen = intake_seen_new();
    const char *missing = NULL;
    bool has_header = false, is_text = cf_utf8_valid(file);
    unsigned line = 0;
    for (size_t n = 0; cf_csv_next(&csv, a, &r); n++) {
        MUST(n <= size && r.line > line && csv.line >= r.line);
        line = r.line;
        check_record(&r);
        if (!r.broken) write_again(&r, a);
        if (n == 0 && !r.broken) {
            has_header = intake_header_read(&r, &header, &missing);
            MUST(has_header || missing);
        } else if (has_header && !r.broken && !r.blank && is_text) {
            read_row(&header, &r, a, seen);
        }
    }
    MUST(csv.at == csv.end);
    intake_seen_free(seen);
    cf_arena_free(a);
    free(exact);
    return 0;
}
