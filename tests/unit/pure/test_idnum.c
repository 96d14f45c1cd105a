#include "tests/unit/pure/vectors.h"

#include "common/pure/idnum.h"
#include "common/pure/regions.h"

static cf_day today(void)
{
    return cf_day_of_date(2026, 3, 31);
}

enum { TYPE, NUMBER, BIRTH, SEX, VALID, REASON, NORMALIZED, ID_WIDTH };

static void check_birth_and_sex(struct vectors *v, const struct cf_idnum *id)
{
    char birth[11];
    cf_day_text(id->birth_date, birth);
    CHECK(v, cf_str_is(v->f[BIRTH], birth), "birth date %s", birth);
    CHECK(v, cf_str_is(v->f[SEX], cf_sex_name(id->sex)), "sex %s", cf_sex_name(id->sex));
    CHECK(v, id->has_birth == (v->f[BIRTH].len > 0), "has_birth");
    CHECK(v, id->has_sex == (v->f[SEX].len > 0), "has_sex");
}

static void every_number_is_judged_as_it_stands(void **state)
{
    (void)state;
    struct vectors v = vectors_open("id_vectors.csv", ID_WIDTH);
    while (vectors_next(&v, ID_WIDTH)) {
        struct cf_idnum id;
        enum cf_doc_type type = cf_doc_type_parse(v.f[TYPE]);
        CHECK(&v, type != CF_DOC_NONE, "document type not known");
        cf_idnum_check(type, v.f[NUMBER], today(), &id);
        CHECK(&v, cf_str_is(v.f[REASON], cf_id_reason_name(id.reason)), "got %s",
              cf_id_reason_name(id.reason));
        CHECK(&v, cf_str_is(v.f[VALID], id.reason == CF_ID_OK ? "1" : "0"), "validity");
        check_birth_and_sex(&v, &id);
    }
    vectors_close(&v, 200);
}

static void every_number_is_normalised_and_then_judged(void **state)
{
    (void)state;
    struct vectors v = vectors_open("id_vectors.csv", ID_WIDTH);
    while (vectors_next(&v, ID_WIDTH)) {
        char out[CF_IDNUM_MAX];
        unsigned warnings = 0;
        struct cf_idnum id;
        struct cf_str n = {out, cf_idnum_normalise(v.f[NUMBER], out, &warnings)};
        cf_idnum_check(cf_doc_type_parse(v.f[TYPE]), n, today(), &id);
        if (v.f[NORMALIZED].len) {
            CHECK(&v, cf_str_eq(n, v.f[NORMALIZED]), "normalised to %s", out);
            CHECK(&v, id.reason == CF_ID_OK, "is %s", cf_id_reason_name(id.reason));
        } else {
            CHECK(&v, id.reason != CF_ID_OK, "%s is taken", out);
        }
        bool changed = !cf_str_eq(n, v.f[NUMBER]);
        CHECK(&v, changed == (warnings != 0), "warnings %x", warnings);
    }
    vectors_close(&v, 200);
}

static void each_normalisation_has_its_warning(void **state)
{
    (void)state;
    static const struct {
        const char *why, *input, *want;
        unsigned warnings;
    } rows[] = {
        /* clang-format off */
        {"nothing to do", "37020219900307002X", "37020219900307002X", 0},
        {"small x", "37020219900307002x", "37020219900307002X", CF_WARN_LOWERCASE_X},
        {"spaces of four kinds", " 37\t02\xC2\xA0" "02\xE3\x80\x80", "370202", CF_WARN_SPACE},
        {"full-width digits", "\xEF\xBC\x93\xEF\xBC\x97", "37", CF_WARN_FULL_WIDTH},
        {"full-width small x", "\xEF\xBD\x98", "X", CF_WARN_FULL_WIDTH | CF_WARN_LOWERCASE_X},
        {"hyphens stay", "370202-1990", "370202-1990", 0},
        {"zero-width signs stay", "37\xE2\x80\x8B" "02", "37\xE2\x80\x8B" "02", 0},
        {"malformed bytes stay", "37\xFF" "02\xE4", "37\xFF" "02\xE4", 0},
        {"the apostrophe stays", "'370202", "'370202", 0},
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[CF_IDNUM_MAX];
        unsigned warnings = 0;
        cf_idnum_normalise(cf_str_of(rows[i].input), out, &warnings);
        if (strcmp(out, rows[i].want) != 0 || warnings != rows[i].warnings)
            fail_msg("%s: got %s with %x", rows[i].why, out, warnings);
    }
}

static void a_number_without_end_is_cut_and_refused(void **state)
{
    (void)state;
    char raw[5000], out[CF_IDNUM_MAX];
    unsigned warnings = 0;
    struct cf_idnum id;
    /* Three bytes a character: the cut must not fall inside one. */
    for (size_t i = 0; i < sizeof raw; i++)
        raw[i] = "\xE5\xBC\xA0"[i % 3];
    size_t n = cf_idnum_normalise((struct cf_str){raw, 4998}, out, &warnings);
    assert_int_equal(n, 63);
    assert_true(cf_utf8_valid((struct cf_str){out, n}));
    memset(raw, '1', sizeof raw);
    n = cf_idnum_normalise((struct cf_str){raw, sizeof raw}, out, &warnings);
    assert_int_equal(n, CF_IDNUM_MAX - 1);
    for (unsigned type = 1; type < CF_DOC_COUNT; type++) {
        cf_idnum_check((enum cf_doc_type)type, (struct cf_str){out, n}, today(), &id);
        assert_int_not_equal(id.reason, CF_ID_OK);
    }
}

/* MOD 11-2 finds every single wrong digit, and so does no normalisation undo it. */
static void one_wrong_character_is_always_found(void **state)
{
    (void)state;
    struct vectors v = vectors_open("id_vectors.csv", ID_WIDTH);
    unsigned tried = 0;
    while (vectors_next(&v, ID_WIDTH)) {
        enum cf_doc_type type = cf_doc_type_parse(v.f[TYPE]);
        if (!cf_str_is(v.f[VALID], "1") || v.f[NUMBER].len != 18) continue;
        for (size_t at = 0; at < 18; at++) {
            for (const char *c = "0123456789X"; *c; c++) {
                char other[18];
                struct cf_idnum id;
                memcpy(other, v.f[NUMBER].ptr, 18);
                if (other[at] == *c) continue;
                other[at] = *c;
                cf_idnum_check(type, (struct cf_str){other, 18}, today(), &id);
                CHECK(&v, id.reason != CF_ID_OK, "%.18s is taken", other);
                CHECK(&v, !id.has_birth && !id.has_sex, "%.18s tells something", other);
                tried++;
            }
        }
    }
    assert_true(tried > 10000);
    vectors_close(&v, 200);
}

static void reasons_are_tested_in_their_order(void **state)
{
    (void)state;
    static const struct {
        enum cf_doc_type type;
        const char *number;
        enum cf_id_reason want;
    } rows[] = {
        {CF_DOC_RESIDENT_ID,          "",                   CF_ID_EMPTY               },
        {CF_DOC_NONE,                 "",                   CF_ID_EMPTY               },
        {CF_DOC_NONE,                 "370202199003070011", CF_ID_WRONG_DOCUMENT_TYPE },
        {CF_DOC_RESIDENT_ID,          "\xEF\xBC\x93 7",     CF_ID_FULL_WIDTH          },
        {CF_DOC_RESIDENT_ID,          "3 o",                CF_ID_CONTAINS_SPACE      },
        {CF_DOC_RESIDENT_ID,          "USA370277070410",    CF_ID_WRONG_DOCUMENT_TYPE },
        {CF_DOC_HOUSEHOLD_BOOK,       "370202199003070011", CF_ID_OK                  },
        {CF_DOC_RESIDENCE_PERMIT_HMT, "937840197707040032", CF_ID_WRONG_DOCUMENT_TYPE },
        {CF_DOC_FOREIGN_PR_2023,      "837840197707040032", CF_ID_BAD_PREFIX          },
        {CF_DOC_FOREIGN_PR_2023,      "999999199003070012", CF_ID_UNKNOWN_ISSUING_AREA},
        {CF_DOC_FOREIGN_PR_2017,      "USA990277070410",    CF_ID_UNKNOWN_ISSUING_AREA},
        {CF_DOC_FOREIGN_PR_2017,      "USA370200022914",    CF_ID_OK                  },
        {CF_DOC_FOREIGN_PR_2017,      "USA370201022915",    CF_ID_IMPOSSIBLE_DATE     },
        {CF_DOC_COUNT,                "370202199003070011", CF_ID_WRONG_DOCUMENT_TYPE },
        {(enum cf_doc_type)99,        "370202199003070011", CF_ID_WRONG_DOCUMENT_TYPE },
        {CF_DOC_HOME_RETURN_PERMIT,   "HA00000580",         CF_ID_WRONG_LENGTH        },
        {CF_DOC_HOME_RETURN_PERMIT,   "12345678",           CF_ID_BAD_PREFIX          },
        {CF_DOC_HOME_RETURN_PERMIT,   "HMO12345",           CF_ID_BAD_PREFIX          },
        {CF_DOC_PASSPORT,             "AB12",               CF_ID_WRONG_LENGTH        },
        {CF_DOC_PASSPORT,
         "AB12\xFF"
         "34",                                              CF_ID_BAD_CHARACTER       },
        {CF_DOC_RESIDENT_ID,          "370202202603312",    CF_ID_OLD_15_DIGIT        },
        {CF_DOC_RESIDENT_ID,          "370202000003070011", CF_ID_IMPOSSIBLE_DATE     },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_idnum id;
        cf_idnum_check(rows[i].type, cf_str_of(rows[i].number), today(), &id);
        if (id.reason != rows[i].want)
            fail_msg("%s %s: %s, want %s", cf_doc_type_name(rows[i].type), rows[i].number,
                     cf_id_reason_name(id.reason), cf_id_reason_name(rows[i].want));
    }
}

static void who_is_born_today_is_born(void **state)
{
    (void)state;
    char number[19] = "37020220260331901";
    struct cf_idnum id;
    number[17] = cf_gb11643_check(number);
    cf_idnum_check(CF_DOC_RESIDENT_ID, cf_str_of(number), today(), &id);
    assert_int_equal(id.reason, CF_ID_OK);
    assert_int_equal(id.birth_date, today());
    cf_idnum_check(CF_DOC_RESIDENT_ID, cf_str_of(number), today() - 1, &id);
    assert_int_equal(id.reason, CF_ID_FUTURE_BIRTH_DATE);
}

static void document_types_have_names_in_both_languages(void **state)
{
    (void)state;
    for (unsigned i = 1; i < CF_DOC_COUNT; i++) {
        enum cf_doc_type type = (enum cf_doc_type)i;
        assert_int_equal(cf_doc_type_parse(cf_str_of(cf_doc_type_name(type))), type);
        assert_int_equal(cf_doc_type_parse_zh(cf_str_of(cf_doc_type_name(type))), type);
        assert_int_equal(cf_doc_type_parse_zh(cf_str_of(cf_doc_type_name_zh(type))), type);
    }
    assert_int_equal(cf_doc_type_parse(CF_STR("student_card")), CF_DOC_NONE);
    assert_int_equal(cf_doc_type_parse(CF_STR("")), CF_DOC_NONE);
    assert_int_equal(cf_doc_type_parse(CF_STR("护照")), CF_DOC_NONE);
    assert_string_equal(cf_doc_type_name((enum cf_doc_type)99), "");
    assert_string_equal(cf_doc_type_name_zh((enum cf_doc_type)99), "");
    assert_string_equal(cf_id_reason_name(CF_ID_REASON_COUNT), "");
    assert_string_equal(cf_id_reason_code(CF_ID_EMPTY), "missing_document_number");
    assert_string_equal(cf_id_reason_code(CF_ID_OLD_15_DIGIT), "old_15_digit");
}

static void regions_are_those_of_the_list(void **state)
{
    (void)state;
    struct vectors v = vectors_open("regions.csv", 6);
    while (vectors_next(&v, 6)) {
        uint32_t code = (uint32_t)strtoul(v.f[0].ptr, NULL, 10);
        CHECK(&v, cf_region_known(code) != cf_region_hmt(code), "not found, or in both lists");
        CHECK(&v, cf_region_hmt(code) || cf_province_known(code / 10000), "province");
        CHECK(&v, cf_region_hmt(code) || cf_issuing_area_known(code / 100), "issuing area");
    }
    vectors_close(&v, 6858);
    assert_int_equal(cf_region_count(), 6585);
    assert_false(cf_region_known(370271)); /* a zone of statistics only */
    assert_false(cf_region_known(370200));
    assert_false(cf_region_known(710000));
    assert_false(cf_region_known(UINT32_MAX));
    assert_false(cf_province_known(81));
    assert_false(cf_province_known(100));
    assert_true(cf_issuing_area_known(3700));
    assert_false(cf_issuing_area_known(3790 + 9));
    assert_false(cf_issuing_area_known(UINT32_MAX));
}

static void countries_are_known_in_both_codes(void **state)
{
    (void)state;
    static const struct {
        const char *alpha3;
        uint32_t numeric;
    } rows[] = {
        {"ABW", 533},
        {"CHN", 156},
        {"KAZ", 398},
        {"USA", 840},
        {"ZWE", 716}
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(cf_country_alpha3_known(rows[i].alpha3));
        assert_true(cf_country_numeric_known(rows[i].numeric));
    }
    unsigned known = 0;
    for (uint32_t code = 0; code < 2000; code++)
        known += cf_country_numeric_known(code);
    assert_int_equal(known, 249);
    assert_false(cf_country_alpha3_known("ZZZ"));
    assert_false(cf_country_alpha3_known("usa"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_is_judged_as_it_stands),
        cmocka_unit_test(every_number_is_normalised_and_then_judged),
        cmocka_unit_test(each_normalisation_has_its_warning),
        cmocka_unit_test(a_number_without_end_is_cut_and_refused),
        cmocka_unit_test(one_wrong_character_is_always_found),
        cmocka_unit_test(reasons_are_tested_in_their_order),
        cmocka_unit_test(who_is_born_today_is_born),
        cmocka_unit_test(document_types_have_names_in_both_languages),
        cmocka_unit_test(regions_are_those_of_the_list),
        cmocka_unit_test(countries_are_known_in_both_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
