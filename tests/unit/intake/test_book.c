/* Workbooks: cells of every kind, and archives that want more than they may have. */
#include "data.h"

#include "services/intake/roster_reader.h"
#include "tests/zip_write.h"


static const char *const kind_marks[] = {"", "#", "@"};

/* Fields with '|', records with '/'; ! broken, ~ blank, # number, @ date; ? at the end: broken. */
static const char *read_book(struct cf_arena *a, struct cf_str file, size_t most)
{
    struct cf_pieces pieces = cf_pieces_in_memory(file);
    struct intake_reader *reader = intake_reader_new(&pieces, CF_STR("xlsx"));
    struct cf_arena *row = cf_arena_new(8 << 20);
    struct cf_csv_record r;
    struct cf_str s = {"", 0};
    enum intake_read e = INTAKE_READ_RECORD;
    for (size_t n = 0; n < most && (e == INTAKE_READ_RECORD || e == INTAKE_READ_REST);) {
        cf_arena_reset(row);
        e = intake_reader_next(reader, row, &r);
        if (e != INTAKE_READ_RECORD) continue;
        s = cf_arena_printf(a, "%s%s%s", s.ptr, n++ ? "/" : "", r.broken ? "!" : r.blank ? "~" : "");
        for (size_t i = 0; i < r.n && !r.blank; i++)
            s = cf_arena_printf(a, "%s%s%s%.*s", s.ptr, i ? "|" : "", kind_marks[r.kinds[i]],
                                CF_ARG(r.fields[i]));
    }
    if (e == INTAKE_READ_BROKEN) s = cf_arena_printf(a, "%s?", s.ptr);
    intake_reader_free(reader);
    cf_arena_free(row);
    return s.ptr;
}

#define ROWS(text) "<worksheet><sheetData>" text "</sheetData></worksheet>"
#define HEAD "<row><c t=\"inlineStr\"><is><t>a</t></is></c><c t=\"str\"><v>b</v></c></row>"
#define A "<c r=\"A2\" "

static void cells_come_as_text_with_their_kind(void **state)
{
    static const struct {
        const char *why, *sheet, *want;
    } rows[] = {
        {"inline and plain text", ROWS(HEAD), "a|b"},
        {"shared", ROWS(HEAD "<row>" A "t=\"s\"><v>1</v></c><c t=\"s\"><v>0</v></c></row>"), "a|b/two & 2|one"},
        {"rich text without its reading aid", ROWS(HEAD "<row>" A "t=\"s\"><v>2</v></c></row>"), "a|b/\xe5\xbc\xa0\xe4\xb8\x89|"},
        {"a number", ROWS(HEAD "<row>" A "><v>1.9900001234E10</v></c></row>"), "a|b/#19900001234|"},
        {"one with more digits than are kept", ROWS(HEAD "<row>" A "><v>3.7020219900307E+17</v></c></row>"), "a|b/#3.7020219900307E+17|"},
        {"a fraction", ROWS(HEAD "<row>" A "><v>1.5</v></c></row>"), "a|b/#1.5|"},
        {"a date of the system", ROWS(HEAD "<row>" A "s=\"1\"><v>35630</v></c></row>"), "a|b/@1997-07-19|"},
        {"a date of a format of one's own", ROWS(HEAD "<row>" A "s=\"2\"><v>35630.75</v></c></row>"), "a|b/@1997-07-19|"},
        {"quoted letters are no date", ROWS(HEAD "<row>" A "s=\"3\"><v>35630</v></c></row>"), "a|b/#35630|"},
        {"the day before the leap day that never was", ROWS(HEAD "<row>" A "s=\"1\"><v>59</v></c></row>"), "a|b/@1900-02-28|"},
        {"a date in letters", ROWS(HEAD "<row>" A "t=\"d\"><v>1997-07-19T00:00:00</v></c></row>"), "a|b/@1997-07-19|"},
        {"a formula counts by its value", ROWS(HEAD "<row>" A "t=\"str\"><f>A1</f><v>x</v></c></row>"), "a|b/x|"},
        {"missing cells are empty", ROWS(HEAD "<row><c r=\"B2\" t=\"str\"><v>x</v></c></row>"), "a|b/|x"},
        {"right of the header is no column", ROWS(HEAD "<row>" A "t=\"str\"><v>x</v></c><c r=\"ZZ2\" t=\"str\"><v>y</v></c></row>"), "a|b/x|"},
        {"empty rows are blank", ROWS(HEAD "<row/><row>" A "t=\"str\"><v> </v></c></row>"), "a|b/~/~"},
        {"prefixes do not matter", "<x:worksheet xmlns:x=\"u\"><x:row><x:c t=\"str\"><x:v>p</x:v></x:c></x:row></x:worksheet>", "p"},
        {"a shared string that is not there", ROWS(HEAD "<row>" A "t=\"s\"><v>9</v></c></row>"), "a|b?"},
        {"an index that is none", ROWS(HEAD "<row>" A "t=\"s\"><v>x</v></c></row>"), "a|b?"},
        {"not well-formed", ROWS(HEAD "<row></c></row>"), "a|b?"},
        {"entities", "<!DOCTYPE w [<!ENTITY e \"e\">]><worksheet><row>&e;</row></worksheet>", "?"},
    };
    const struct cf_str strings = CF_STR(
        "<sst><si><t>one</t></si><si><t>two &amp; 2</t></si><si><r><t>\xe5\xbc\xa0</t></r>"
        "<r><t>\xe4\xb8\x89</t></r><rPh sb=\"0\"><t>zhang</t></rPh></si></sst>");
    (void)state;
    struct cf_arena *a = cf_arena_new(4 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int deflated = 0; deflated < 2; deflated++) {
            struct zip_write z;
            struct cf_str file = book_of(&z, CF_STR(BOOK_WORKBOOK), CF_STR(BOOK_STYLES_XML), strings,
                                         cf_str_of(rows[i].sheet), deflated);
            const char *got = read_book(a, file, 100);
            if (strcmp(got, rows[i].want)) print_error("%s\n", rows[i].why);
            assert_string_equal(got, rows[i].want);
            cf_buf_free(&z.out);
        }
    }
    cf_arena_free(a);
}

static void days_may_count_from_1904(void **state)
{
    (void)state;
    struct zip_write z;
    struct cf_arena *a = cf_arena_new(1 << 20);
    struct cf_str file = book_of(
        &z,
        CF_STR("<workbook xmlns:r=\"r\"><workbookPr date1904=\"1\"/><sheets><sheet r:id=\"rId1\"/>"
               "</sheets></workbook>"),
        CF_STR(BOOK_STYLES_XML), CF_STR(""),
        CF_STR(ROWS("<row><c s=\"1\"><v>34168</v></c></row>")), true);
    assert_string_equal(read_book(a, file, 100), "@1997-07-19");
    cf_buf_free(&z.out);
    cf_arena_free(a);
}

/* ---- what is damaged ------------------------------------------------------------------------- */

static struct cf_str small_book(struct zip_write *z)
{
    return book_of(z, CF_STR(BOOK_WORKBOOK), CF_STR(BOOK_STYLES_XML), CF_STR(""),
                   CF_STR(ROWS(HEAD HEAD)), true);
}

/* Any byte that is changed gives the same rows, fewer, or an error; never something outside. */
static void a_damaged_archive_is_told(void **state)
{
    (void)state;
    struct zip_write z;
    struct cf_arena *a = cf_arena_new(1 << 20);
    struct cf_str good = small_book(&z);
    size_t broken = 0;
    assert_string_equal(read_book(a, good, 100), "a|b/a|b");
    for (size_t i = 0; i < good.len; i++) {
        char *copy = cf_malloc(good.len);
        memcpy(copy, good.ptr, good.len);
        copy[i] = (char)(copy[i] ^ 0x55);
        const char *got = read_book(a, (struct cf_str){copy, good.len}, 100);
        broken += got[strlen(got) - 1] == '?';
        free(copy);
        cf_arena_reset(a);
    }
    assert_true(broken > good.len / 2);
    for (size_t n = 0; n < good.len; n += 7) {
        char *copy = cf_malloc(n + 1);
        memcpy(copy, good.ptr, n);
        const char *got = read_book(a, (struct cf_str){copy, n}, 100);
        assert_string_equal(got, "?");
        free(copy);
    }
    cf_buf_free(&z.out);
    cf_arena_free(a);
}

/* ---- what wants too much --------------------------------------------------------------------- */

/* Of /proc/self/status, in KB. */
static long status_kb(const char *name)
{
    char line[256];
    long kb = -1;
    FILE *f = fopen("/proc/self/status", "r");
    assert_non_null(f);
    while (kb < 0 && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0) kb = strtol(line + strlen(name), NULL, 10);
    fclose(f);
    return kb;
}

/* The peak begins anew; what is resident now. */
static long forget_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    assert_non_null(f);
    assert_true(fputs("5", f) > 0);
    assert_int_equal(fclose(f), 0);
    return status_kb("VmRSS:");
}

/* prefix, then many times `again`. */
static struct cf_str bomb(struct cf_buf *b, const char *prefix, const char *again, size_t bytes)
{
    cf_buf_init(b, bytes + 4096);
    cf_buf_printf(b, "%s", prefix);
    size_t n = strlen(again);
    for (unsigned i = 0; b->len + n + 16 < bytes; i++)
        if (strchr(again, '%'))
            cf_buf_printf(b, "<x%x/>", i); /* a name of its own each time */
        else
            cf_buf_add(b, again, n);
    return cf_buf_str(b);
}

/* 24 MB of each; reading them may take a few MB only. */
static void bombs_do_not_cost_memory(void **state)
{
    enum { BYTES = 24 << 20, MAY_GROW_KB = 10 << 10 };
    static const struct {
        const char *why, *prefix, *again;
        bool strings;
    } rows[] = {
        {"empty rows",          "<worksheet>" HEAD, "<row/>", false},
        {"one cell's text",     "<worksheet><row><c t=\"str\"><v>", "xxxxxxxxxxxxxxxx", false},
        {"cells in one row",    "<worksheet><row>", "<c t=\"str\"><v>x</v></c>", false},
        {"the same cell",       "<worksheet><row>", "<c r=\"A1\" t=\"str\"><v>xxxxxxxxx</v></c>", false},
        {"depth",               "<worksheet>", "<a>", false},
        {"one long attribute",  "<worksheet><row a=\"", "xxxxxxxxxxxxxxxx", false},
        {"names",               "<worksheet>", "%", false},
        {"a comment",           "<worksheet><!--", "xxxxxxxxxxxxxxxx", false},
        {"shared strings",      "<sst>", "<si><t>xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx</t></si>", true},
        {"one shared string",   "<sst><si><t>", "xxxxxxxxxxxxxxxx", true},
    };
    (void)state;
    struct cf_arena *a = cf_arena_new(64 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct zip_write z;
        struct cf_buf text;
        struct cf_str big = bomb(&text, rows[i].prefix, rows[i].again, BYTES);
        struct cf_str sheet =
            rows[i].strings ? CF_STR("<worksheet><row><c t=\"s\"><v>99999999</v></c></row></worksheet>")
                            : big;
        struct cf_str file = book_of(&z, CF_STR(BOOK_WORKBOOK), CF_STR(""),
                                     rows[i].strings ? big : CF_STR(""), sheet, true);
        cf_buf_free(&text);
        long before = forget_peak();
        const char *got = read_book(a, file, 1000);
        long grown = status_kb("VmHWM:") - before;
        if (grown > MAY_GROW_KB) print_error("%s: %ld KB\n", rows[i].why, grown);
        assert_true(grown <= MAY_GROW_KB);
        (void)got;
        cf_buf_free(&z.out);
        cf_arena_reset(a);
    }
    cf_arena_free(a);
}

/* As many strings as a list of 200,000 has, asked for nearly in order. */
static void many_shared_strings_are_found_again(void **state)
{
    enum { N = 60000 };
    (void)state;
    struct cf_buf strings, sheet;
    cf_buf_init(&strings, 16 << 20);
    cf_buf_init(&sheet, 16 << 20);
    cf_buf_printf(&strings, "<sst>");
    cf_buf_printf(&sheet, "<worksheet>");
    for (int i = 0; i < N; i++) {
        cf_buf_printf(&strings, "<si><t>string %d %d</t></si>", i, i * 7919);
        cf_buf_printf(&sheet, "<row><c t=\"s\"><v>%d</v></c><c t=\"s\"><v>%d</v></c></row>", i,
                      i * 31 % (i + 1));
    }
    cf_buf_printf(&strings, "</sst>");
    cf_buf_printf(&sheet, "</worksheet>");
    struct zip_write z;
    struct cf_str file = book_of(&z, CF_STR(BOOK_WORKBOOK), CF_STR(""), cf_buf_str(&strings),
                                 cf_buf_str(&sheet), true);
    struct cf_pieces pieces = cf_pieces_in_memory(file);
    struct intake_reader *reader = intake_reader_new(&pieces, CF_STR("xlsx"));
    struct cf_arena *a = cf_arena_new(8 << 20);
    for (int i = 0; i < N; i++) {
        struct cf_csv_record r;
        cf_arena_reset(a);
        assert_int_equal(intake_reader_next(reader, a, &r), INTAKE_READ_RECORD);
        int k = i * 31 % (i + 1);
        assert_true(cf_str_is(r.fields[0], cf_arena_printf(a, "string %d %d", i, i * 7919).ptr));
        assert_true(cf_str_is(r.fields[1], cf_arena_printf(a, "string %d %d", k, k * 7919).ptr));
    }
    intake_reader_free(reader);
    cf_arena_free(a);
    cf_buf_free(&z.out);
    cf_buf_free(&strings);
    cf_buf_free(&sheet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_come_as_text_with_their_kind),
        cmocka_unit_test(days_may_count_from_1904),
        cmocka_unit_test(a_damaged_archive_is_told),
        cmocka_unit_test(bombs_do_not_cost_memory),
        cmocka_unit_test(many_shared_strings_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
