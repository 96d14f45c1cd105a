#include "tests/unit/pure/vectors.h"

#include "common/pure/names.h"

enum { NAME, SCRIPT, VALID, REASON, NORMALIZED, NAME_WIDTH };

static void every_name_is_judged_as_it_stands(void **state)
{
    (void)state;
    struct vectors v = vectors_open("names.csv", NAME_WIDTH);
    while (vectors_next(&v, NAME_WIDTH)) {
        enum cf_name_reason got = cf_name_check(v.f[NAME]);
        CHECK(&v, cf_str_is(v.f[REASON], cf_name_reason_name(got)), "got %s",
              cf_name_reason_name(got));
        CHECK(&v, cf_str_is(v.f[VALID], got == CF_NAME_OK ? "1" : "0"), "validity");
    }
    vectors_close(&v, 80);
}

static void every_name_is_normalised_and_then_judged(void **state)
{
    (void)state;
    struct vectors v = vectors_open("names.csv", NAME_WIDTH);
    struct cf_buf b;
    cf_buf_init(&b, 4096);
    while (vectors_next(&v, NAME_WIDTH)) {
        unsigned warnings = 0;
        cf_buf_reset(&b);
        CHECK(&v, cf_name_normalise(v.f[NAME], &b, &warnings), "does not fit");
        struct cf_str got = cf_buf_str(&b);
        enum cf_name_reason reason = cf_name_check(got);
        if (v.f[NORMALIZED].len) {
            CHECK(&v, cf_str_eq(got, v.f[NORMALIZED]), "got %.*s", CF_ARG(got));
            CHECK(&v, reason == CF_NAME_OK, "%s", cf_name_reason_name(reason));
        } else {
            CHECK(&v, reason != CF_NAME_OK, "is taken as %.*s", CF_ARG(got));
        }
        CHECK(&v, cf_str_eq(got, v.f[NAME]) == (warnings == 0), "warnings %x", warnings);
    }
    cf_buf_free(&b);
    vectors_close(&v, 80);
}

static void scripts_are_told_apart(void **state)
{
    (void)state;
    struct vectors v = vectors_open("names.csv", NAME_WIDTH);
    while (vectors_next(&v, NAME_WIDTH)) {
        enum cf_script want = cf_str_is(v.f[SCRIPT], "latin") ? CF_SCRIPT_LATIN : CF_SCRIPT_HAN;
        if (v.f[NAME].len == 0) want = CF_SCRIPT_NONE;
        CHECK(&v, cf_name_script(v.f[NAME]) == want, "script");
    }
    vectors_close(&v, 80);
}

/* clang-format off */
#define SPACE CF_WARN_NAME_SPACE
#define N(reason) CF_NAME_##reason
static const struct name_row {
    const char *input, *normal;
    unsigned warnings;
    enum cf_name_reason raw, after; /* as it stands; normalised */
} rows[] = {
    {"张伟", "张伟", 0, N(OK), N(OK)},
    {" 张\u3000伟\u00A0", "张伟", SPACE, N(OUTER_SPACE), N(OK)},
    {"   ", "", SPACE, N(OUTER_SPACE), N(EMPTY)},
    {"\u963F\u4F9D\uFF0E\u4E70", "\u963F\u4F9D·\u4E70", CF_WARN_INTERPUNCT,
     N(WRONG_INTERPUNCT), N(OK)},
    {"买买提·", "买买提·", 0, N(INTERPUNCT_POSITION), N(INTERPUNCT_POSITION)},
    {"买\u318D\u2219提", "买··提", CF_WARN_INTERPUNCT, N(WRONG_INTERPUNCT), N(INTERPUNCT_POSITION)},
    {"ＳＭＩＴＨ ＪＯＨＮ", "SMITH JOHN", CF_WARN_FULL_WIDTH, N(FULL_WIDTH), N(OK)},
    {"SMITH\u3000JOHN", "SMITH JOHN", SPACE, N(INNER_SPACE), N(OK)},
    {"KIM MIN\u2010JUN", "KIM MIN-JUN", CF_WARN_HYPHEN, N(WRONG_HYPHEN), N(OK)},
    {"O\u2019BRIEN  ANN", "O'BRIEN ANN", CF_WARN_APOSTROPHE | SPACE, N(INNER_SPACE), N(OK)},
    {"KIM-", "KIM-", 0, N(WRONG_HYPHEN), N(WRONG_HYPHEN)},
    {"'KIM", "'KIM", 0, N(WRONG_APOSTROPHE), N(WRONG_APOSTROPHE)},
    {"KIM--JUN", "KIM--JUN", 0, N(WRONG_HYPHEN), N(WRONG_HYPHEN)},
    {"J. SMITH", "J. SMITH", 0, N(BAD_CHARACTER), N(BAD_CHARACTER)},
    {"RENE\u0301E", "RENE\u0301E", 0, N(BAD_CHARACTER), N(BAD_CHARACTER)},
    {"REN\u00C9", "REN\u00C9", 0, N(BAD_CHARACTER), N(BAD_CHARACTER)},
    {"张A", "张A", 0, N(MIXED_SCRIPT), N(MIXED_SCRIPT)},
    {"张Ａ", "张A", CF_WARN_FULL_WIDTH, N(FULL_WIDTH), N(MIXED_SCRIPT)},
    {"张３", "张３", 0, N(DIGIT), N(DIGIT)},
    {"\uF900伟", "\uF900伟", 0, N(COMPATIBILITY_IDEOGRAPH), N(COMPATIBILITY_IDEOGRAPH)},
    {"\uFA11伟", "\uFA11伟", 0, N(OK), N(OK)},
    {"\U0002F800伟", "\U0002F800伟", 0, N(COMPATIBILITY_IDEOGRAPH), N(COMPATIBILITY_IDEOGRAPH)},
    {"\U0002EBF0伟", "\U0002EBF0伟", 0, N(OK), N(OK)},
    {"\U00031350伟", "\U00031350伟", 0, N(OK), N(OK)},
    {"\u2F08伟", "\u2F08伟", 0, N(RADICAL_CHARACTER), N(RADICAL_CHARACTER)},
    {"张\uFE00", "张\uFE00", 0, N(VARIATION_SELECTOR), N(VARIATION_SELECTOR)},
    {"张\U000E0100", "张\U000E0100", 0, N(VARIATION_SELECTOR), N(VARIATION_SELECTOR)},
    {"张\u200B伟", "张\u200B伟", 0, N(CONTROL_CHARACTER), N(CONTROL_CHARACTER)},
    {"张\u202E伟", "张\u202E伟", 0, N(CONTROL_CHARACTER), N(CONTROL_CHARACTER)},
    {"■■", "■■", 0, N(PLACEHOLDER_CHARACTER), N(PLACEHOLDER_CHARACTER)},
    {"张*", "张*", 0, N(PLACEHOLDER_CHARACTER), N(PLACEHOLDER_CHARACTER)},
    {"张\u25A0", "张\u25A0", 0, N(PLACEHOLDER_CHARACTER), N(PLACEHOLDER_CHARACTER)},
    {"张\u25A1", "张\u25A1", 0, N(PLACEHOLDER_CHARACTER), N(PLACEHOLDER_CHARACTER)},
    {"张\xFF", "张\xFF", 0, N(BAD_CHARACTER), N(BAD_CHARACTER)},
    {"\xE5\xBC", "\xE5\xBC", 0, N(BAD_CHARACTER), N(BAD_CHARACTER)},
    {"·", "·", 0, N(INTERPUNCT_POSITION), N(INTERPUNCT_POSITION)},
    {"Иван", "Иван", 0, N(BAD_CHARACTER), N(BAD_CHARACTER)},
};
/* clang-format on */

static void further_names_follow_the_rules(void **state)
{
    (void)state;
    struct cf_buf b;
    cf_buf_init(&b, 4096);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct name_row *r = &rows[i];
        unsigned warnings = 0;
        cf_buf_reset(&b);
        assert_true(cf_name_normalise(cf_str_of(r->input), &b, &warnings));
        enum cf_name_reason raw = cf_name_check(cf_str_of(r->input));
        enum cf_name_reason after = cf_name_check(cf_buf_str(&b));
        if (!cf_str_is(cf_buf_str(&b), r->normal) || warnings != r->warnings || raw != r->raw ||
            after != r->after)
            fail_msg("%s: %.*s, warnings %x, %s, then %s", r->input, CF_ARG(cf_buf_str(&b)),
                     warnings, cf_name_reason_name(raw), cf_name_reason_name(after));
    }
    cf_buf_free(&b);
}

/* The code that an applicant is told. */
static void a_fault_of_a_name_is_told_by_its_code(void **state)
{
    (void)state;
    static const struct {
        const char *input, *code;
    } want[] = {
        {"\uF900伟", "name_compatibility_ideograph"},
        {"张Ａ",       "name_full_width"             },
        {"张A",        "name_mixed_script"           },
        {"\u2F08伟", "name_radical_character"      },
        {"张\uFE00", "name_variation_selector"     },
        {"KIM--JUN",  "name_wrong_hyphen"           },
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_string_equal(cf_name_reason_code(cf_name_check(cf_str_of(want[i].input))),
                            want[i].code);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Names of random characters of every class, well-formed and not. */
static void normalising_twice_changes_nothing_more(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "张",     "阿",     "A",      "z",      " ", "\u00A0", "\u3000", "·",  ".",
        "\u2022", "\uFF0E", "\u2019", "\u2013", "-", "'",      "Ａ",     "３", "\uE863",
        "\uF900", "\xFF",   "\xE5",   "\u0301", "?", "\t",     "\u318D", "ｚ"};
    struct cf_buf raw, once, twice;
    cf_buf_init(&raw, 4096);
    cf_buf_init(&once, 4096);
    cf_buf_init(&twice, 4096);
    uint32_t seed = 3702026;
    for (int round = 0; round < 50000; round++) {
        unsigned first = 0, second = 0;
        cf_buf_reset(&raw), cf_buf_reset(&once), cf_buf_reset(&twice);
        for (uint32_t n = next_random(&seed) % 9; n; n--)
            cf_buf_adds(&raw,
                        cf_str_of(parts[next_random(&seed) % (sizeof parts / sizeof *parts)]));
        cf_name_normalise(cf_buf_str(&raw), &once, &first);
        cf_name_normalise(cf_buf_str(&once), &twice, &second);
        bool same = cf_str_eq(cf_buf_str(&once), cf_buf_str(&twice));
        bool unchanged = cf_str_eq(cf_buf_str(&raw), cf_buf_str(&once));
        if (!same || second || unchanged != (first == 0))
            fail_msg("[%.*s] -> [%.*s] -> [%.*s]", CF_ARG(cf_buf_str(&raw)),
                     CF_ARG(cf_buf_str(&once)), CF_ARG(cf_buf_str(&twice)));
        /* What is good as it stands is not touched. */
        if (cf_name_check(cf_buf_str(&raw)) == CF_NAME_OK) assert_true(unchanged);
    }
    cf_buf_free(&raw), cf_buf_free(&once), cf_buf_free(&twice);
}

static void length_counts_code_points(void **state)
{
    (void)state;
    struct cf_buf b;
    cf_buf_init(&b, 4096);
    for (int n = 1; n <= 120; n++) {
        cf_buf_adds(&b, CF_STR("\U00020BB7"));
        assert_int_equal(cf_name_check(cf_buf_str(&b)),
                         n <= CF_NAME_MAX_CHARS ? CF_NAME_OK : CF_NAME_TOO_LONG);
    }
    cf_buf_free(&b);
}

static void a_full_buffer_is_told(void **state)
{
    (void)state;
    struct cf_buf b;
    unsigned warnings = 0;
    cf_buf_init(&b, 5);
    assert_false(cf_name_normalise(CF_STR("张伟"), &b, &warnings));
    cf_buf_reset(&b);
    assert_false(cf_name_normalise(CF_STR("Maria L"), &b, &warnings));
    assert_true(cf_str_is(cf_buf_str(&b), "Maria"));
    cf_buf_free(&b);
}

static void codes_of_applications_follow_the_mapping(void **state)
{
    (void)state;
    assert_string_equal(cf_name_reason_code(CF_NAME_EMPTY), "missing_name");
    assert_string_equal(cf_name_reason_code(CF_NAME_DIGIT), "name_has_digit");
    assert_string_equal(cf_name_reason_code(CF_NAME_PUA_CHARACTER), "name_has_pua");
    assert_string_equal(cf_name_reason_code(CF_NAME_PLACEHOLDER_CHARACTER), "name_has_placeholder");
    assert_string_equal(cf_name_reason_code(CF_NAME_REASON_COUNT), "");
    assert_string_equal(cf_name_reason_name(CF_NAME_REASON_COUNT), "");
    for (unsigned i = CF_NAME_TOO_LONG; i < CF_NAME_REASON_COUNT; i++) {
        char want[64];
        snprintf(want, sizeof want, "name_%s", cf_name_reason_name((enum cf_name_reason)i));
        assert_string_equal(cf_name_reason_code((enum cf_name_reason)i), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_judged_as_it_stands),
        cmocka_unit_test(every_name_is_normalised_and_then_judged),
        cmocka_unit_test(scripts_are_told_apart),
        cmocka_unit_test(further_names_follow_the_rules),
        cmocka_unit_test(a_fault_of_a_name_is_told_by_its_code),
        cmocka_unit_test(normalising_twice_changes_nothing_more),
        cmocka_unit_test(length_counts_code_points),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(codes_of_applications_follow_the_mapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
