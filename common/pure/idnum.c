#include "common/pure/idnum.h"

#include "common/pure/fold.h"
#include "common/pure/regions.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool has_lower(struct cf_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] >= 'a' && s.ptr[i] <= 'z') return true;
    return false;
}

static bool all_digits(struct cf_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.ptr[i])) return false;
    return true;
}

/* The value of n digits (at most 9) from p. */
static uint32_t value(const char *p, size_t n)
{
    uint32_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + (uint32_t)(p[i] - '0');
    return v;
}

char cf_gb11643_check(const char digits[17])
{
    static const int weight[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (int i = 0; i < 17; i++)
        sum += weight[i] * (digits[i] - '0');
    return "10X98765432"[sum % 11];
}

/* ICAO Doc 9303: weights 7 3 1 again and again, A = 10 ... Z = 35. */
static char icao_check(const char *p, size_t n)
{
    static const int weight[3] = {7, 3, 1};
    int sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += weight[i % 3] * (is_digit(p[i]) ? p[i] - '0' : p[i] - 'A' + 10);
    return (char)('0' + sum % 10);
}

/* Digits, and at the end perhaps X. The number is not empty. */
static bool characters_18(struct cf_str s)
{
    char last = s.ptr[s.len - 1];
    return all_digits((struct cf_str){s.ptr, s.len - 1}) && (is_digit(last) || last == 'X');
}

/* Three letters, then digits, at any length. */
static bool characters_2017(struct cf_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (i < 3 ? !is_upper(s.ptr[i]) : !is_digit(s.ptr[i])) return false;
    return true;
}

/* Which card a number belongs to by its form: length, characters and the first digits. The
 * household book shows the resident's number. NONE: none of them. */
static enum cf_doc_type form_of(struct cf_str s)
{
    if (s.len == 15 && characters_2017(s) && cf_country_alpha3_known(s.ptr))
        return CF_DOC_FOREIGN_PR_2017;
    if (s.len != 18 || !characters_18(s)) return CF_DOC_NONE;
    uint32_t region = value(s.ptr, 6);
    if (cf_region_hmt(region)) return CF_DOC_RESIDENCE_PERMIT_HMT;
    if (cf_region_known(region)) return CF_DOC_RESIDENT_ID;
    if (s.ptr[0] == '9' && cf_province_known(value(s.ptr + 1, 2)) &&
        cf_country_numeric_known(value(s.ptr + 3, 3)))
        return CF_DOC_FOREIGN_PR_2023;
    return CF_DOC_NONE;
}

static bool has_other_form(enum cf_doc_type type, struct cf_str s)
{
    enum cf_doc_type form = form_of(s);
    if (type == CF_DOC_HOUSEHOLD_BOOK) type = CF_DOC_RESIDENT_ID;
    return form != CF_DOC_NONE && form != type;
}

/* Region, or province and country. */
static enum cf_id_reason check_origin(enum cf_doc_type type, const char *p)
{
    uint32_t region = value(p, 6);
    if (type == CF_DOC_FOREIGN_PR_2023) {
        if (!cf_province_known(value(p + 1, 2))) return CF_ID_UNKNOWN_ISSUING_AREA;
        return cf_country_numeric_known(value(p + 3, 3)) ? CF_ID_OK : CF_ID_UNKNOWN_COUNTRY;
    }
    bool known =
        type == CF_DOC_RESIDENCE_PERMIT_HMT ? cf_region_hmt(region) : cf_region_known(region);
    return known ? CF_ID_OK : CF_ID_UNKNOWN_REGION;
}

/* YYYYMMDD at p. */
static enum cf_id_reason check_birth(const char *p, cf_day today, cf_day *birth)
{
    int year = (int)value(p, 4), month = (int)value(p + 4, 2), day = (int)value(p + 6, 2);
    if (!cf_date_real(year, month, day)) return CF_ID_IMPOSSIBLE_DATE;
    if (year < 1900) return CF_ID_BIRTH_DATE_TOO_EARLY;
    *birth = cf_day_of_date(year, month, day);
    return *birth > today ? CF_ID_FUTURE_BIRTH_DATE : CF_ID_OK;
}

/* The form of the 18 characters, in the order of the reasons. A number that has just the form
 * of another card is called so before its characters or its length are: that is the cure. */
static enum cf_id_reason check_form_18(enum cf_doc_type type, struct cf_str s)
{
    bool resident = type == CF_DOC_RESIDENT_ID || type == CF_DOC_HOUSEHOLD_BOOK;
    if (resident && s.len == 15 && all_digits(s)) return CF_ID_OLD_15_DIGIT;
    if (s.ptr[s.len - 1] == 'x') return CF_ID_LOWERCASE_X;
    if (has_other_form(type, s)) return CF_ID_WRONG_DOCUMENT_TYPE;
    if (!characters_18(s)) return CF_ID_BAD_CHARACTER;
    if (type == CF_DOC_FOREIGN_PR_2023 && s.ptr[0] != '9') return CF_ID_BAD_PREFIX;
    return s.len == 18 ? CF_ID_OK : CF_ID_WRONG_LENGTH;
}

static enum cf_id_reason check_18(enum cf_doc_type type, struct cf_str s, cf_day today,
                                  struct cf_idnum *out)
{
    cf_day birth = CF_DAY_NONE;
    enum cf_id_reason reason = check_form_18(type, s);
    if (reason == CF_ID_OK) reason = check_origin(type, s.ptr);
    if (reason == CF_ID_OK) reason = check_birth(s.ptr + 6, today, &birth);
    if (reason != CF_ID_OK) return reason;
    if (cf_gb11643_check(s.ptr) != s.ptr[17]) return CF_ID_BAD_CHECK_DIGIT;
    out->has_birth = out->has_sex = true;
    out->birth_date = birth;
    out->sex = (s.ptr[16] - '0') % 2 ? CF_SEX_MALE : CF_SEX_FEMALE;
    return CF_ID_OK;
}

/* The year has two digits, so the century is open: the date must be real in one of them. The
 * number therefore tells no birth date. */
static bool date_2017_real(const char *p)
{
    int year = (int)value(p, 2), month = (int)value(p + 2, 2), day = (int)value(p + 4, 2);
    return cf_date_real(1900 + year, month, day) || cf_date_real(2000 + year, month, day);
}

static enum cf_id_reason check_2017(struct cf_str s)
{
    if (has_lower(s)) return CF_ID_LOWERCASE_LETTER;
    if (has_other_form(CF_DOC_FOREIGN_PR_2017, s)) return CF_ID_WRONG_DOCUMENT_TYPE;
    if (!characters_2017(s)) return CF_ID_BAD_CHARACTER;
    if (s.len != 15) return CF_ID_WRONG_LENGTH;
    if (!cf_issuing_area_known(value(s.ptr + 3, 4))) return CF_ID_UNKNOWN_ISSUING_AREA;
    if (!cf_country_alpha3_known(s.ptr)) return CF_ID_UNKNOWN_COUNTRY;
    if (!date_2017_real(s.ptr + 7)) return CF_ID_IMPOSSIBLE_DATE;
    return icao_check(s.ptr, 14) == s.ptr[14] ? CF_ID_OK : CF_ID_BAD_CHECK_DIGIT;
}

/* H or M with 8 or 10 digits; since 2024-07-10 HA or MA with 7. */
static enum cf_id_reason check_home_return(struct cf_str s)
{
    if (has_lower(s)) return CF_ID_LOWERCASE_LETTER;
    size_t letters = 0;
    while (letters < s.len && is_upper(s.ptr[letters]))
        letters++;
    struct cf_str digits = {s.ptr + letters, s.len - letters};
    if (!all_digits(digits)) return CF_ID_BAD_CHARACTER;
    bool prefix =
        (letters == 1 || (letters == 2 && s.ptr[1] == 'A')) && (s.ptr[0] == 'H' || s.ptr[0] == 'M');
    if (!prefix) return CF_ID_BAD_PREFIX;
    bool length = letters == 2 ? digits.len == 7 : digits.len == 8 || digits.len == 10;
    return length ? CF_ID_OK : CF_ID_WRONG_LENGTH;
}

static enum cf_id_reason check_taiwan(struct cf_str s)
{
    if (!all_digits(s)) return CF_ID_BAD_CHARACTER;
    return s.len == 8 ? CF_ID_OK : CF_ID_WRONG_LENGTH;
}

static enum cf_id_reason check_passport(struct cf_str s)
{
    if (has_lower(s)) return CF_ID_LOWERCASE_LETTER;
    for (size_t i = 0; i < s.len; i++)
        if (!is_digit(s.ptr[i]) && !is_upper(s.ptr[i])) return CF_ID_BAD_CHARACTER;
    return s.len >= 5 && s.len <= 15 ? CF_ID_OK : CF_ID_WRONG_LENGTH;
}

static enum cf_id_reason check(enum cf_doc_type type, struct cf_str s, cf_day today,
                               struct cf_idnum *out)
{
    if (s.len == 0) return CF_ID_EMPTY;
    struct cf_marks marks = cf_marks_of(s);
    if (marks.full_width) return CF_ID_FULL_WIDTH;
    if (marks.space) return CF_ID_CONTAINS_SPACE;
    switch (type) {
    case CF_DOC_RESIDENT_ID:
    case CF_DOC_HOUSEHOLD_BOOK:
    case CF_DOC_RESIDENCE_PERMIT_HMT:
    case CF_DOC_FOREIGN_PR_2023:
        return check_18(type, s, today, out);
    case CF_DOC_FOREIGN_PR_2017:
        return check_2017(s);
    case CF_DOC_HOME_RETURN_PERMIT:
        return check_home_return(s);
    case CF_DOC_TAIWAN_PERMIT:
        return check_taiwan(s);
    case CF_DOC_PASSPORT:
        return check_passport(s);
    case CF_DOC_NONE:
    case CF_DOC_COUNT:
        break;
    }
    return CF_ID_WRONG_DOCUMENT_TYPE;
}

void cf_idnum_check(enum cf_doc_type type, struct cf_str number, cf_day today, struct cf_idnum *out)
{
    *out = (struct cf_idnum){.birth_date = CF_DAY_NONE};
    out->reason = check(type, number, today, out);
}

size_t cf_idnum_normalise(struct cf_str raw, char out[CF_IDNUM_MAX], unsigned *warnings)
{
    return cf_fold(raw, true, out, CF_IDNUM_MAX, warnings);
}
