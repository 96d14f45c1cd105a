#include "common/pure/cardnum.h"

#include "common/pure/fold.h"

static const char *const reasons[] = {
#define X(value, name) name,
    CF_CARDNUM_REASONS(X)
#undef X
};

const char *cf_cardnum_reason_name(enum cf_cardnum_reason reason)
{
    return (unsigned)reason < CF_CARDNUM_REASON_COUNT ? reasons[reason] : "";
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

char cf_gb11714_check(const char body[8])
{
    static const int weight[8] = {3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (int i = 0; i < 8; i++)
        sum += weight[i] * (is_digit(body[i]) ? body[i] - '0' : body[i] - 'A' + 10);
    int check = 11 - sum % 11;
    return check == 11 ? '0' : check == 10 ? 'X' : (char)('0' + check);
}

/* What concerns single characters, wherever they stand; there is one. */
static enum cf_cardnum_reason check_characters(struct cf_str number)
{
    struct cf_marks marks = cf_marks_of(number);
    if (marks.full_width) return CF_CARDNUM_FULL_WIDTH;
    if (marks.space) return CF_CARDNUM_CONTAINS_SPACE;
    if (memchr(number.ptr, '-', number.len)) return CF_CARDNUM_CONTAINS_HYPHEN;
    bool lower = false;
    for (size_t i = 0; i < number.len; i++) {
        char c = number.ptr[i];
        if (!is_upper(c) && !is_lower(c) && !is_digit(c)) return CF_CARDNUM_BAD_CHARACTER;
        lower |= is_lower(c);
    }
    return lower ? CF_CARDNUM_LOWERCASE : CF_CARDNUM_OK;
}

enum cf_cardnum_reason cf_cardnum_check(struct cf_str number)
{
    if (number.len == 0) return CF_CARDNUM_EMPTY;
    enum cf_cardnum_reason reason = check_characters(number);
    if (reason != CF_CARDNUM_OK) return reason;
    const char *p = number.ptr;
    if (number.len != CF_CARDNUM_LEN) return CF_CARDNUM_WRONG_LENGTH;
    if (!is_upper(p[0])) return CF_CARDNUM_BAD_AREA_CHAR;
    if (!is_digit(p[8]) && p[8] != 'X') return CF_CARDNUM_BAD_CHECK_CHARACTER;
    if (cf_gb11714_check(p) != p[8]) return CF_CARDNUM_BAD_CHECK_DIGIT;
    for (int i = 1; i < 8; i++)
        if (!is_digit(p[i])) return CF_CARDNUM_OK_LETTER_IN_SERIAL;
    return CF_CARDNUM_OK;
}

size_t cf_cardnum_normalise(struct cf_str raw, char out[CF_CARDNUM_MAX], unsigned *warnings)
{
    return cf_fold(raw, true, out, CF_CARDNUM_MAX, warnings);
}

bool cf_cardnum_make(char area, uint32_t serial, char out[CF_CARDNUM_LEN + 1])
{
    if (!is_upper(area) || serial >= CF_CARDNUM_SERIALS) return false;
    out[0] = area;
    for (int i = 7; i > 0; i--, serial /= 10)
        out[i] = (char)('0' + serial % 10);
    out[8] = cf_gb11714_check(out);
    out[9] = 0;
    return true;
}
