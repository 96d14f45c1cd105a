/* Every row of the rosters against expected.csv, with the values after normalisation. */
#include "data.h"

#include "services/intake/roster_reader.h"
#include "services/intake/rules_roster.h"

static const char *const files[] = {
    "01_normal_30.csv",     "02_large_5000.csv",   "03_gbk.csv",         "04_utf8_bom.csv",
    "05_crlf.csv",          "06_quoted_commas.csv", "07_duplicates.csv",  "08_header_order.csv",
    "09_chinese_header.csv", "10_empty_lines.csv",  "11_bad_rows_20pct.csv", "12_excel_damage.csv",
    "13_plain.xlsx",         "14_typed_cells.xlsx"};

struct want {
    struct cf_str accepted, reasons, warnings, name, type, number, sex, birth, phone, address;
};

static const uint8_t seen_key[16] = "0123456789abcde";

/* Rows of expected.csv of one file, in order. */
static size_t wanted(struct cf_arena *a, struct cf_str csv_text, const char *file, struct want *out)
{
    struct cf_csv csv = cf_csv_of(csv_text);
    struct cf_csv_record r;
    size_t n = 0;
    while (cf_csv_next(&csv, a, &r)) {
        if (r.n != 12 || !cf_str_is(r.fields[0], file)) continue;
        const struct cf_str *f = r.fields + 2;
        out[n++] = (struct want){f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9]};
    }
    return n;
}

static struct cf_str arena_text(struct cf_arena *a, const struct cf_buf *buf)
{
    struct cf_str s = cf_arena_str(a, cf_buf_str(buf));
    return s.ptr ? s : CF_STR("");
}

static bool same_text(const char *file, size_t row, const char *what, struct cf_str want,
                      struct cf_str got)
{
    if (cf_str_eq(want, got)) return true;
    print_error("%s row %zu %s: wanted %.*s, got %.*s\n", file, row, what, CF_ARG(want),
                CF_ARG(got));
    return false;
}

static size_t check_row(struct cf_arena *a, const char *file, size_t row_no,
                        const struct intake_row *row, const struct intake_facts *f,
                        bool duplicate, const struct want *want)
{
    struct cf_reason_set reasons = intake_row_reasons(row, f);
    if (duplicate) cf_reason_set_add(&reasons, CF_REASON_DUPLICATE_IN_ROSTER);
    bool accepted = !cf_reason_set_any(&reasons);
    struct cf_buf text, warned;
    cf_buf_init(&text, 4096);
    cf_buf_init(&warned, 4096);
    intake_roster_reasons_text(&reasons, &text);
    if (accepted) intake_warnings_text(row->warnings | f->warnings, &warned);
    bool ok = same_text(file, row_no, "accepted", want->accepted, accepted ? CF_STR("1") : CF_STR("0"));
    ok = same_text(file, row_no, "reasons", want->reasons, arena_text(a, &text)) && ok;
    ok = same_text(file, row_no, "warnings", want->warnings, arena_text(a, &warned)) && ok;
    cf_buf_free(&text);
    cf_buf_free(&warned);
    if (!accepted) return !ok;
    char day[11];
    ok = same_text(file, row_no, "name", want->name, f->name) && ok;
    ok = same_text(file, row_no, "type", want->type, cf_str_of(cf_doc_type_name(f->type))) && ok;
    ok = same_text(file, row_no, "number", want->number, f->number) && ok;
    ok = same_text(file, row_no, "sex", want->sex, cf_str_of(cf_sex_name(f->sex))) && ok;
    ok = same_text(file, row_no, "birth", want->birth, cf_str_of(cf_day_text(f->birth, day))) && ok;
    ok = same_text(file, row_no, "phone", want->phone, f->phone) && ok;
    ok = same_text(file, row_no, "address", want->address, f->address) && ok;
    return !ok;
}

/* Pieces so small that records lie in two; given when they are asked for, as in the service. */
static enum intake_read next_record(struct intake_reader *reader, struct cf_pieces *pieces,
                                    struct cf_str file, struct cf_arena *a,
                                    struct cf_csv_record *out)
{
    enum intake_read e;
    do {
        e = intake_reader_next(reader, a, out);
        if (e != INTAKE_READ_WAIT) continue;
        size_t at = pieces->want * pieces->piece;
        size_t n = file.len - at < pieces->piece ? file.len - at : pieces->piece;
        assert_true(cf_pieces_give(pieces, pieces->want, (struct cf_str){file.ptr + at, n}));
    } while (e == INTAKE_READ_WAIT || e == INTAKE_READ_REST ||
             (e == INTAKE_READ_RECORD && out->blank));
    return e;
}

static size_t check_rows(const char *file, const char *unit, struct intake_reader *reader,
                         struct cf_pieces *pieces, struct cf_str bytes, const struct want *want,
                         size_t n)
{
    struct cf_arena *a = cf_arena_new(16u << 20);
    struct cf_csv_record r;
    struct intake_header h;
    const char *missing = NULL;
    size_t wrong = 0, row_no = 0;
    struct intake_seen *seen = intake_seen_new();
    assert_int_equal(next_record(reader, pieces, bytes, a, &r), INTAKE_READ_RECORD);
    assert_true(intake_header_read(&r, &h, &missing));
    while (next_record(reader, pieces, bytes, a, &r) == INTAKE_READ_RECORD) {
        struct intake_row row;
        struct intake_facts f;
        row_no++;
        intake_row_read(&h, &r, cf_str_of(unit), a, &row);
        intake_person_read(&row.person, cf_day_of_date(2026, 3, 31), a, &f);
        bool again = f.number_ok && !row.number_damaged &&
                     intake_seen_add(seen, seen_key, f.type, f.number);
        if (row_no <= n) wrong += check_row(a, file, row_no, &row, &f, again, &want[row_no - 1]);
        cf_arena_reset(a);
    }
    if (row_no != n) print_error("%s: %zu rows, wanted %zu\n", file, row_no, n);
    intake_seen_free(seen);
    cf_arena_free(a);
    return wrong + (row_no != n);
}

static size_t check_file(const char *file, struct cf_str expected, size_t piece, size_t *total)
{
    static struct want want[6000];
    char name[64], unit[16];
    struct cf_arena *a = cf_arena_new(16u << 20);
    size_t n = wanted(a, expected, file, want);
    const char *encoding;
    snprintf(name, sizeof name, "rosters/%s", file);
    struct cf_str bytes = read_file(name);
    assert_null(intake_file_look(bytes, &encoding));
    assert_string_equal(encoding, strstr(file, "gbk")    ? "gbk"
                                  : strstr(file, "bom")  ? "utf-8 with BOM"
                                  : strstr(file, "xlsx") ? "xlsx"
                                                         : "utf-8");
    struct cf_pieces pieces = cf_pieces_of(bytes.len, piece);
    struct intake_reader *reader = intake_reader_new(&pieces, cf_str_of(encoding));
    snprintf(unit, sizeof unit, "U3702000%.2s", file);
    size_t wrong = check_rows(file, unit, reader, &pieces, bytes, want, n);
    *total += n;
    intake_reader_free(reader);
    cf_pieces_free(&pieces);
    free((char *)(uintptr_t)bytes.ptr);
    cf_arena_free(a);
    return wrong;
}

static void every_row_of_every_roster_is_as_expected(void **state)
{
    (void)state;
    struct cf_str expected = read_file("rosters/expected.csv");
    static const size_t pieces[] = {256u << 10, 40000};
    for (size_t k = 0; k < 2; k++) {
        size_t wrong = 0, total = 0;
        for (size_t i = 0; i < sizeof files / sizeof *files; i++)
            wrong += check_file(files[i], expected, pieces[k], &total);
        assert_int_equal(wrong, 0);
        assert_int_equal(total,
                         30 + 5000 + 40 + 25 + 25 + 20 + 30 + 25 + 30 + 20 + 100 + 40 + 30 + 30);
    }
    free((char *)(uintptr_t)expected.ptr);
}

/* The reasons of one row below a header of all needed columns, sorted. */
static const char *reasons_of_row(struct cf_arena *a, const char *line)
{
    struct cf_buf bytes;
    cf_buf_init(&bytes, 1 << 20);
    cf_buf_adds(&bytes, CF_STR("name,document_type,document_number,sex,birth_date,phone,address,"
                               "unit_code\n"));
    cf_buf_adds(&bytes, cf_str_of(line));
    struct cf_csv csv = cf_csv_of(cf_arena_str(a, cf_buf_str(&bytes)));
    cf_buf_free(&bytes);
    struct cf_csv_record r;
    struct intake_header h;
    const char *missing = NULL;
    struct intake_row row;
    struct intake_facts f;
    assert_true(cf_csv_next(&csv, a, &r) && intake_header_read(&r, &h, &missing));
    assert_true(cf_csv_next(&csv, a, &r));
    intake_row_read(&h, &r, CF_STR("U1"), a, &row);
    intake_person_read(&row.person, cf_day_of_date(2026, 3, 31), a, &f);
    struct cf_reason_set reasons = intake_row_reasons(&row, &f);
    struct cf_buf text;
    cf_buf_init(&text, 4096);
    assert_true(intake_roster_reasons_text(&reasons, &text));
    struct cf_str out = arena_text(a, &text);
    cf_buf_free(&text);
    return out.ptr;
}

static void what_cannot_be_read_is_not_judged(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(64u << 20);
    static const struct {
        const char *line, *reasons;
    } rows[] = {
        {"朱英红,resident_id,370222197409309228,女,1974-09-30,19900004310,某路1号,U1",   ""},
        {"朱英红,resident_id,370222197409309228,女,1974-09-30,19900004310,某路1号",      "column_count"},
        {"朱英红,resident_id,370222197409309228,女,1974-09-30,19900004310,某路1号,U1,",  "column_count"},
        {"朱英红,resident_id,370222197409309228,女,1974-09-30,1,\"某路1号,U1",           "column_count"},
        {"朱英红,resident_id,3.70222E+17,女,1974-09-30,19900004310,某路1号,U1",
         "excel_number_damage"},
        {"朱英红,月票,3.70222E+17,女,1974-09-30,19900004310,某路1号,U1",
         "excel_number_damage|unknown_document_type"},
        {"朱英红,resident_id,370222197409309228,女,1974-09-30,19900004310,某路1号, U2 ",
         "unit_code_mismatch"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(reasons_of_row(a, rows[i].line), rows[i].reasons);
    cf_arena_free(a);
}

/* As many numbers as make the table grow several times; each is new once, and known after. */
static void a_number_is_new_once(void **state)
{
    (void)state;
    struct intake_seen *seen = intake_seen_new();
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            char number[16];
            snprintf(number, sizeof number, "E%08d", i);
            bool known = intake_seen_add(seen, seen_key, CF_DOC_PASSPORT, cf_str_of(number));
            assert_int_equal(known, round);
        }
    }
    struct cf_str number = CF_STR("370222197409309228");
    assert_false(intake_seen_add(seen, seen_key, CF_DOC_RESIDENT_ID, number));
    assert_true(intake_seen_add(seen, seen_key, CF_DOC_HOUSEHOLD_BOOK, number));
    assert_false(intake_seen_add(seen, seen_key, CF_DOC_NONE, number));
    assert_false(intake_seen_add(seen, seen_key, CF_DOC_NONE, number));
    intake_seen_free(seen);
    intake_seen_free(NULL);
}

static void texts_that_do_not_fit_are_told(void **state)
{
    (void)state;
    struct cf_reason_set reasons = {{0, 0}};
    cf_reason_set_add(&reasons, CF_REASON_BAD_PHONE);
    cf_reason_set_add(&reasons, CF_REASON_MISSING_NAME);
    for (size_t max = 0; max < 60; max++) {
        struct cf_buf text;
        cf_buf_init(&text, max);
        /* printf needs room for its zero, too */
        assert_int_equal(intake_roster_reasons_text(&reasons, &text),
                         max > strlen("bad_phone|missing_name"));
        cf_buf_reset(&text);
        assert_int_equal(intake_warnings_text(CF_WARN_SPACE | CF_WARN_FULL_WIDTH, &text),
                         max > strlen("normalised_full_width|normalised_space"));
        cf_buf_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_read_is_not_judged),
        cmocka_unit_test(a_number_is_new_once),
        cmocka_unit_test(texts_that_do_not_fit_are_told),
        cmocka_unit_test(every_row_of_every_roster_is_as_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
