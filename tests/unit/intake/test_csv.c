/* The reader of CSV against odd texts, and the header of rosters. */
#include "data.h"

#include "services/intake/roster_reader.h"
#include "services/intake/rules_roster.h"

struct reading {
    const char *why, *text, *want; /* fields with '|', records with '/'; ! broken, ~ blank */
};

static const char *read_all(struct cf_arena *a, struct cf_str text)
{
    struct cf_csv csv = cf_csv_of(text);
    struct cf_csv_record r;
    struct cf_str s = {"", 0};
    for (int n = 0; cf_csv_next(&csv, a, &r); n++) {
        s = cf_arena_printf(a, "%s%s%s", s.ptr, n ? "/" : "", r.broken ? "!" : r.blank ? "~" : "");
        for (size_t i = 0; i < r.n && !r.blank; i++)
            s = cf_arena_printf(a, "%s%s%.*s", s.ptr, i ? "|" : "", CF_ARG(r.fields[i]));
    }
    return s.ptr;
}

static void odd_texts_are_read_as_far_as_they_go(void **state)
{
    static const struct reading rows[] = {
        {"plain",                             "a,b\nc,d\n",              "a|b/c|d"         },
        {"no line end at the end",            "a,b\nc,d",                "a|b/c|d"         },
        {"CRLF",                              "a,b\r\nc,d\r\n",          "a|b/c|d"         },
        {"a lone CR is a character",          "a\rb,c\n",                "a\rb|c"          },
        {"empty fields count",                ",\na,,\n",                "~/a||"           },
        {"blank lines are told",              "a\n\n , \nb\n",           "a/~/~/b"         },
        {"quotes hold commas and lines",      "\"a,b\",\"c\nd\"\n",      "a,b|c\nd"        },
        {"doubled quotes",                    "\"say \"\"x\"\"\",b\n",   "say \"x\"|b"     },
        {"a formula of a spreadsheet",        "\"=\"\"12\"\"\",b\n",     "=\"12\"|b"       },
        {"a quote inside stands for itself",  "a\"b,c\n",                "a\"b|c"          },
        {"text behind a closing quote",       "\"a\"b,c\n",              "ab|c"            },
        {"a quote never closed costs a line", "\"a,b\nc,d\n",            "!/c|d"           },
        {"byte order mark",                   "\xef\xbb\xbf" "a,b\n",    "a|b"             },
        {"nothing",                           "",                        ""                },
    };
    (void)state;
    struct cf_arena *a = cf_arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = read_all(a, cf_str_of(rows[i].text));
        if (strcmp(got, rows[i].want)) print_error("%s\n", rows[i].why);
        assert_string_equal(got, rows[i].want);
    }
    cf_arena_free(a);
}

/* As long as a whole file may be; the arena is no larger than one record needs. */
static void what_stands_behind_a_quote_is_bounded_before_it_is_copied(void **state)
{
    (void)state;
    enum { LONG = 16 << 20 };
    struct cf_arena *a = cf_arena_new(1 << 20);
    char *text = malloc(LONG);
    memset(text, 'x', LONG);
    memcpy(text, "\"\"", 2);
    memcpy(text + LONG - 3, "\nb\n", 3);
    assert_string_equal(read_all(a, (struct cf_str){text, LONG}), "!/b");
    free(text);
    cf_arena_free(a);
}

static void limits_break_one_record_only(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(1 << 20);
    struct cf_buf b;
    cf_buf_init(&b, 1 << 20);
    for (int i = 0; i < CF_CSV_FIELDS; i++)
        cf_buf_add(&b, ",", 1);
    cf_buf_add(&b, "\nx\n", 3);
    for (int i = 0; i <= CF_CSV_FIELD_MAX; i++)
        cf_buf_add(&b, "y", 1);
    cf_buf_add(&b, "\nz\n\"", 4);
    for (int i = 0; i <= CF_CSV_FIELD_MAX; i++)
        cf_buf_add(&b, "q", 1);
    cf_buf_add(&b, "\"\nlast", 6);
    assert_string_equal(read_all(a, cf_buf_str(&b)), "!/x/!/z/!/last");
    cf_buf_free(&b);
    cf_arena_free(a);
}

/* Random bytes of the characters that matter must be read to the end, in bounds. */
static void noise_is_read_to_its_end(void **state)
{
    static const char alphabet[] = "a,\"\r\n \xe5";
    (void)state;
    struct cf_arena *a = cf_arena_new(16 << 20);
    uint64_t x = 88172645463325252u;
    for (int round = 0; round < 3000; round++) {
        size_t n = (size_t)(round % 97);
        char *text = cf_malloc(n + 1); /* its own block, so that a sanitizer sees one byte more */
        for (size_t i = 0; i < n; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            text[i] = alphabet[x % (sizeof alphabet - 1)];
        }
        struct cf_csv csv = cf_csv_of((struct cf_str){text, n});
        struct cf_csv_record r;
        size_t records = 0;
        while (cf_csv_next(&csv, a, &r))
            assert_true(++records <= n);
        assert_ptr_equal(csv.at, csv.end);
        free(text);
        cf_arena_reset(a);
    }
    cf_arena_free(a);
}

static void a_header_may_stand_in_any_order_and_language(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(1 << 20);
    static const struct {
        const char *header, *missing;
    } rows[] = {
        {"name,document_type,document_number,phone,address",           NULL             },
        {"通讯地址,手机号,证件号码,证件类型,姓名,备注,监护人姓名",     NULL             },
        {" name ,document_type,document_number,phone,address",         NULL             },
        {"name,document_type,phone,address",                           "document_number"},
        {"",                                                           "name"           },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_csv csv = cf_csv_of(cf_str_of(rows[i].header));
        struct cf_csv_record r = {.n = 0};
        struct intake_header h;
        const char *missing = NULL;
        (void)cf_csv_next(&csv, a, &r);
        assert_int_equal(intake_header_read(&r, &h, &missing), rows[i].missing == NULL);
        if (rows[i].missing) assert_string_equal(missing, rows[i].missing);
    }
    cf_arena_free(a);
}

static void guardian_columns_and_photo_choice_are_read(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(1 << 20);
    struct cf_csv csv = cf_csv_of(
        CF_STR("姓名,证件类型,证件号码,手机号,通讯地址,监护人姓名,监护人证件类型,监护人证件号码,"
               "与申领人关系,监护人手机号,照片方式\n"
               "孙波丽,户口簿,370281201604259405,19900008462,某路1号,陈博涵,居民身份证,"
               "'37020319890223961X,父亲,19900007574,无照片\n"));
    struct cf_csv_record r;
    struct intake_header h;
    const char *missing;
    struct intake_row row;
    struct intake_facts f;
    assert_true(cf_csv_next(&csv, a, &r));
    assert_true(intake_header_read(&r, &h, &missing));
    assert_true(cf_csv_next(&csv, a, &r));
    intake_row_read(&h, &r, CF_STR("U1"), a, &row);
    intake_person_read(&row.person, cf_day_of_date(2026, 3, 31), a, &f);
    struct cf_reason_set reasons = intake_row_reasons(&row, &f);
    assert_string_equal(reasons_z(a, &reasons), "");
    assert_true(cf_str_is(row.person.document_type, "household_book"));
    assert_true(cf_str_is(row.person.guardian.document_number, "37020319890223961X"));
    assert_true(cf_str_is(row.photo_choice, "none"));
    assert_int_equal(row.warnings, CF_WARN_APOSTROPHE);
    cf_arena_free(a);
}

static void files_that_are_no_text_are_told(void **state)
{
    const struct {
        struct cf_str file;
        const char *rule, *encoding;
    } rows[] = {
        {CF_STR(""),                        "the file is empty",                          NULL            },
        {CF_STR("PK\003\004xxxx"),          NULL,                                         "xlsx"          },
        {CF_STR("a\0b"),                    "the file is not text: save the list as CSV", NULL            },
        {CF_STR("\xff\xff,\xff\n"),         "the file is neither UTF-8 nor GBK",          NULL            },
        {CF_STR("\xd0\xd5\xc3\xfb"),        NULL,                                         "gbk"           },
        {CF_STR("\xef\xbb\xbfname\n"),      NULL,                                         "utf-8 with BOM"},
        {CF_STR("\xff\xfe\xd3\x59\x0d\x54"), NULL,                                         "utf-16le"      },
        {CF_STR("\xfe\xff\x59\xd3\x54\x0d"), NULL,                                         "utf-16be"      },
        {CF_STR("\xd3\x59\x0d\x54\x2c\0"),   NULL,                                         "utf-16le"      },
        {CF_STR("\x59\xd3\x54\x0d\0\x2c"),   NULL,                                         "utf-16be"      },
        {CF_STR("a\0b\0c"),                 "the file is not text: save the list as CSV", NULL            },
        {CF_STR("\xff\xfe\x00\xdc,\0"),     "the file is not text: save the list as CSV", NULL            },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *encoding = NULL, *why = intake_file_look(rows[i].file, &encoding);
        if (rows[i].rule)
            assert_string_equal(why, rows[i].rule);
        else
            assert_null(why);
        if (rows[i].encoding) assert_string_equal(encoding, rows[i].encoding);
    }
}

/* ---- the reader of texts --------------------------------------------------------------------- */

/* As read_all, by the reader; piece by piece. */
static const char *read_file_in_pieces(struct cf_arena *a, struct cf_str file, size_t piece)
{
    const char *encoding = "";
    assert_null(intake_file_look(file, &encoding));
    struct cf_pieces pieces = cf_pieces_of(file.len, piece);
    struct intake_reader *reader = intake_reader_new(&pieces, cf_str_of(encoding));
    struct cf_csv_record r;
    struct cf_str s = {"", 0};
    enum intake_read e;
    for (int n = 0; (e = intake_reader_next(reader, a, &r)) != INTAKE_READ_END;) {
        assert_int_not_equal(e, INTAKE_READ_BROKEN);
        if (e == INTAKE_READ_WAIT) {
            size_t at = pieces.want * piece, left = file.len - at;
            assert_true(cf_pieces_give(&pieces, pieces.want, (struct cf_str){
                                           file.ptr + at, left < piece ? left : piece}));
        }
        if (e != INTAKE_READ_RECORD) continue;
        s = cf_arena_printf(a, "%s%s%s", s.ptr, n++ ? "/" : "", r.broken ? "!" : r.blank ? "~" : "");
        for (size_t i = 0; i < r.n && !r.blank; i++)
            s = cf_arena_printf(a, "%s%s%.*s", s.ptr, i ? "|" : "", CF_ARG(r.fields[i]));
    }
    intake_reader_free(reader);
    cf_pieces_free(&pieces);
    return s.ptr;
}

static void texts_of_every_encoding_and_delimiter_read_the_same(void **state)
{
    const struct {
        const char *why;
        struct cf_str text;
    } rows[] = {
        {"comma",             CF_STR("姓名,性别\n\"张,三\",男\n")                         },
        {"semicolon",         CF_STR("姓名;性别\n\"张,三\";男\n")                         },
        {"tab",               CF_STR("姓名\t性别\n张,三\t男\n")                          },
        {"sep=",              CF_STR("sep=;\r\n姓名;性别\r\n张,三;男\r\n")                 },
        {"blank lines first", CF_STR("\n  \n姓名;性别\n张,三;男")                         },
        {"byte order mark",   CF_STR("\xef\xbb\xbf姓名,性别\r\n\"张,三\",男\r\n")         },
        {"gbk",               CF_STR("\xd0\xd5\xc3\xfb;\xd0\xd4\xb1\xf0\n\xd5\xc5,\xc8\xfd;\xc4\xd0\n")},
        {"utf-16le",          CF_STR("\xff\xfe\xd3Y\x0dT\t\0'`+R\n\0 _,\0\x09N\t\0\x37u\n\0")  },
    };
    (void)state;
    struct cf_arena *a = cf_arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = read_file_in_pieces(a, rows[i].text, 1 << 10);
        while (got[0] == '~')
            got += 2;
        if (strcmp(got, "姓名|性别/张,三|男")) print_error("%s\n", rows[i].why);
        assert_string_equal(got, "姓名|性别/张,三|男");
    }
    cf_arena_free(a);
}

/* Records across the ends of blocks and windows, and lines longer than any window. */
static void a_long_text_reads_as_one_in_memory(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(64 << 20);
    struct cf_buf b;
    cf_buf_init(&b, 8 << 20);
    for (int i = 0; i < 3000; i++) {
        cf_buf_printf(&b, "row %d,\"two\r\nlines \"\"%d\"\"\",%*d\r\n", i, i, i % 400, i);
        if (i % 1000 == 500)
            for (int k = 0; k < 1200000; k++)
                cf_buf_add(&b, "x", 1); /* one line without an end in sight, up to the next row's */
        if (i % 700 == 300) cf_buf_add(&b, "\"never closed,\n", 15);
    }
    struct cf_csv csv = cf_csv_of(cf_buf_str(&b));
    struct cf_pieces pieces = cf_pieces_in_memory(cf_buf_str(&b));
    struct intake_reader *reader = intake_reader_new(&pieces, CF_STR("utf-8"));
    struct cf_csv_record want, got;
    size_t n = 0;
    while (cf_csv_next(&csv, a, &want)) {
        assert_int_equal(intake_reader_next(reader, a, &got), INTAKE_READ_RECORD);
        assert_int_equal(got.broken, want.broken);
        assert_int_equal(got.n, want.n);
        for (size_t i = 0; i < want.n; i++)
            assert_true(cf_str_eq(got.fields[i], want.fields[i]));
        n++;
        cf_arena_reset(a);
    }
    assert_true(n > 2900);
    assert_int_equal(intake_reader_next(reader, a, &got), INTAKE_READ_END);
    intake_reader_free(reader);
    cf_buf_free(&b);
    cf_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_texts_are_read_as_far_as_they_go),
        cmocka_unit_test(what_stands_behind_a_quote_is_bounded_before_it_is_copied),
        cmocka_unit_test(limits_break_one_record_only),
        cmocka_unit_test(noise_is_read_to_its_end),
        cmocka_unit_test(a_header_may_stand_in_any_order_and_language),
        cmocka_unit_test(guardian_columns_and_photo_choice_are_read),
        cmocka_unit_test(files_that_are_no_text_are_told),
        cmocka_unit_test(texts_of_every_encoding_and_delimiter_read_the_same),
        cmocka_unit_test(a_long_text_reads_as_one_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
