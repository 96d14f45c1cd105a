#include "tests/unit/pure/vectors.h"

#include "common/pure/cell.h"
#include "common/pure/idnum.h"
#include "common/pure/names.h"
#include "common/pure/phone.h"

static void spreadsheet_marks_are_taken_off(void **state)
{
    (void)state;
    static const struct {
        const char *cell, *want;
        unsigned warnings;
    } rows[] = {
        {"'370202",      "370202",       CF_WARN_APOSTROPHE  },
        {"''370202",     "'370202",      CF_WARN_APOSTROPHE  },
        {"=\"370202\"",  "370202",       CF_WARN_FORMULA_TEXT},
        {"=\"\"",        "",             CF_WARN_FORMULA_TEXT},
        {"=\"",          "=\"",          0                   },
        {"=A1",          "=A1",          0                   },
        {"O'CONNOR ANN", "O'CONNOR ANN", 0                   },
        {"",             "",             0                   },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned warnings = 0;
        struct cf_str got = cf_cell_text(cf_str_of(rows[i].cell), &warnings);
        if (!cf_str_is(got, rows[i].want) || warnings != rows[i].warnings)
            fail_msg("%s: %.*s, %x", rows[i].cell, CF_ARG(got), warnings);
    }
}

static void dates_are_read_where_nothing_must_be_guessed(void **state)
{
    (void)state;
    static const struct {
        const char *cell, *want; /* want NULL: not understood */
        unsigned warnings;
    } rows[] = {
        {"1990-03-07", "1990-03-07", 0                  },
        {"1990/3/7",   "1990-03-07", CF_WARN_DATE_FORMAT},
        {"1990/12/31", "1990-12-31", CF_WARN_DATE_FORMAT},
        {"1990/02/29", NULL,         0                  },
        {"90/3/7",     NULL,         0                  },
        {"28-May-98",  NULL,         0                  },
        {"31224",      NULL,         0                  },
        {"3/7/1990",   NULL,         0                  },
        {"1990/3/7 ",  NULL,         0                  },
        {"1990/003/7", NULL,         0                  },
        {"1990//7",    NULL,         0                  },
        {"",           NULL,         0                  },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned warnings = 0;
        char text[11];
        cf_day day = CF_DAY_NONE;
        bool taken = cf_cell_date(cf_str_of(rows[i].cell), &day, &warnings);
        const char *want = rows[i].want ? rows[i].want : "";
        if (taken != (rows[i].want != NULL) || strcmp(cf_day_text(day, text), want) != 0 ||
            warnings != rows[i].warnings)
            fail_msg("%s: %d %s %x", rows[i].cell, taken, text, warnings);
    }
}

static void lost_digits_are_seen(void **state)
{
    (void)state;
    static const char *const lost[] = {"3.70202E+17", "1.99E+10", "4E+17", "3.7e+17", "1E-5"};
    static const char *const kept[] = {
        "370202199003070011", "E00000013", "1E5", "1.5", "3.E+17", "3.7E+", "3.7E+17x", ""};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++)
        if (!cf_cell_is_scientific(cf_str_of(lost[i]))) fail_msg("%s", lost[i]);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (cf_cell_is_scientific(cf_str_of(kept[i]))) fail_msg("%s", kept[i]);
}

static void phones_are_normalised_and_checked(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *want;
        enum cf_phone_reason reason;
        unsigned warnings;
    } rows[] = {
        {"19900001234",   "19900001234",   CF_PHONE_OK,      0                 },
        {"138 1234 5678", "13812345678",   CF_PHONE_OK,      CF_WARN_SPACE     },
        {"１3812345678", "13812345678",   CF_PHONE_OK,      CF_WARN_FULL_WIDTH},
        {"",              "",              CF_PHONE_MISSING, 0                 },
        {" ",             "",              CF_PHONE_MISSING, CF_WARN_SPACE     },
        {"12345",         "12345",         CF_PHONE_BAD,     0                 },
        {"1990000123",    "1990000123",    CF_PHONE_BAD,     0                 },
        {"12812345678",   "12812345678",   CF_PHONE_BAD,     0                 },
        {"23812345678",   "23812345678",   CF_PHONE_BAD,     0                 },
        {"1381234567a",   "1381234567a",   CF_PHONE_BAD,     0                 },
        {"138-1234-5678", "138-1234-5678", CF_PHONE_BAD,     0                 },
        {"1.99E+10",      "1.99E+10",      CF_PHONE_BAD,     0                 },
        {"138123456789",  "138123456789",  CF_PHONE_BAD,     0                 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[CF_PHONE_MAX];
        unsigned warnings = 0;
        struct cf_str n = {out, cf_phone_normalise(cf_str_of(rows[i].raw), out, &warnings)};
        if (!cf_str_is(n, rows[i].want) || cf_phone_check(n) != rows[i].reason ||
            warnings != rows[i].warnings)
            fail_msg("%s: %s, %s, %x", rows[i].raw, out, cf_phone_reason_code(cf_phone_check(n)),
                     warnings);
    }
}

/* One row of expected.csv, and the row of the roster it is about. */
struct pair {
    struct vectors *want;
    struct cf_str *cell;
};

enum {
    FILE_NAME,
    ROW_NO,
    ACCEPTED,
    REASONS,
    WARNINGS,
    NAME,
    TYPE,
    NUMBER,
    SEX,
    BIRTH,
    PHONE,
    ADDRESS,
    WANT_WIDTH
};
enum { R_NAME, R_TYPE, R_NUMBER, R_SEX, R_BIRTH, R_PHONE, R_ADDRESS, R_UNIT, ROSTER_WIDTH };

static void check_warnings(struct vectors *v, unsigned warnings)
{
    char text[256] = "";
    for (unsigned i = 0; i < CF_WARN_COUNT; i++) {
        if (!(warnings & 1u << i)) continue;
        if (text[0]) strcat(text, "|");
        strcat(text, cf_warning_name(i));
    }
    CHECK(v, cf_str_is(v->f[WARNINGS], text), "warnings %s", text);
}

/* What an accepted row becomes: the functions of this directory, one after the other. */
static void check_accepted(struct pair p)
{
    struct vectors *v = p.want;
    unsigned warnings = 0;
    char number[CF_IDNUM_MAX], phone[CF_PHONE_MAX], birth[11];
    cf_day day = CF_DAY_NONE;
    struct cf_idnum id;
    struct cf_buf name;
    struct cf_str raw = cf_cell_text(p.cell[R_NUMBER], &warnings);
    struct cf_str n = {number, cf_idnum_normalise(raw, number, &warnings)};
    enum cf_doc_type type = cf_doc_type_parse_zh(p.cell[R_TYPE]);
    cf_idnum_check(type, n, cf_day_of_date(2026, 3, 31), &id);
    cf_phone_normalise(p.cell[R_PHONE], phone, &warnings);
    cf_buf_init(&name, 1024);
    cf_name_normalise(p.cell[R_NAME], &name, &warnings);
    CHECK(v, cf_cell_date(p.cell[R_BIRTH], &day, &warnings), "birth date");
    CHECK(v, id.reason == CF_ID_OK, "%s", cf_id_reason_name(id.reason));
    CHECK(v, cf_str_is(v->f[TYPE], cf_doc_type_name(type)), "type");
    CHECK(v, cf_str_eq(v->f[NUMBER], n), "number %s", number);
    CHECK(v, cf_str_is(v->f[SEX], cf_sex_name(cf_sex_parse_zh(p.cell[R_SEX]))), "sex");
    CHECK(v, cf_str_is(v->f[BIRTH], cf_day_text(day, birth)), "birth date %s", birth);
    CHECK(v, !id.has_birth || id.birth_date == day, "birth date of the number");
    CHECK(v, cf_str_is(v->f[PHONE], phone), "phone %s", phone);
    CHECK(v, cf_str_eq(v->f[NAME], cf_buf_str(&name)), "name");
    CHECK(v, cf_name_check(cf_buf_str(&name)) == CF_NAME_OK, "name refused");
    check_warnings(v, warnings);
    cf_buf_free(&name);
}

static unsigned compare_roster(const char *file, unsigned rows)
{
    char path[64];
    unsigned accepted = 0;
    snprintf(path, sizeof path, "rosters/%s", file);
    struct vectors want = vectors_open("rosters/expected.csv", WANT_WIDTH);
    struct vectors roster = vectors_open(path, ROSTER_WIDTH);
    while (vectors_next(&want, WANT_WIDTH)) {
        if (!cf_str_is(want.f[FILE_NAME], file)) continue;
        assert_true(vectors_next(&roster, ROSTER_WIDTH));
        if (!cf_str_is(want.f[ACCEPTED], "1")) continue;
        check_accepted((struct pair){&want, roster.f});
        accepted++;
    }
    assert_int_equal(want.failed, 0);
    free(want.bytes);
    vectors_close(&roster, rows);
    return accepted;
}

static void rosters_become_what_is_expected(void **state)
{
    (void)state;
    assert_int_equal(compare_roster("02_large_5000.csv", 5000), 5000);
    assert_int_equal(compare_roster("09_chinese_header.csv", 30), 30);
    assert_int_equal(compare_roster("12_excel_damage.csv", 40), 27);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spreadsheet_marks_are_taken_off),
        cmocka_unit_test(dates_are_read_where_nothing_must_be_guessed),
        cmocka_unit_test(lost_digits_are_seen),
        cmocka_unit_test(phones_are_normalised_and_checked),
        cmocka_unit_test(rosters_become_what_is_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
