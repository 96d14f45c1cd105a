#include "common/pure/cell.h"

struct cf_str cf_cell_text(struct cf_str cell, unsigned *warnings)
{
    if (cell.len && cell.ptr[0] == '\'') {
        *warnings |= CF_WARN_APOSTROPHE;
        return (struct cf_str){cell.ptr + 1, cell.len - 1};
    }
    if (cell.len >= 3 && memcmp(cell.ptr, "=\"", 2) == 0 && cell.ptr[cell.len - 1] == '"') {
        *warnings |= CF_WARN_FORMULA_TEXT;
        return (struct cf_str){cell.ptr + 2, cell.len - 3};
    }
    return cell;
}

/* Takes the digits at the front off; how many there were. Only the first nine count. */
static size_t take_digits(struct cf_str *s, int *value)
{
    size_t n = 0;
    *value = 0;
    if (s->len == 0) return 0; /* ptr may be NULL */
    for (; n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9'; n++)
        if (n < 9) *value = *value * 10 + (s->ptr[n] - '0');
    s->ptr += n;
    s->len -= n;
    return n;
}

static bool take_char(struct cf_str *s, const char *any_of)
{
    if (s->len == 0 || s->ptr[0] == 0 || !strchr(any_of, s->ptr[0])) return false;
    s->ptr++;
    s->len--;
    return true;
}

bool cf_cell_is_scientific(struct cf_str s)
{
    int ignored;
    if (take_digits(&s, &ignored) == 0) return false;
    if (take_char(&s, ".") && take_digits(&s, &ignored) == 0) return false;
    if (!take_char(&s, "eE")) return false;
    /* The sign must be there: 1E5 could be a passport. */
    return take_char(&s, "+-") && take_digits(&s, &ignored) > 0 && s.len == 0;
}

bool cf_cell_date(struct cf_str s, cf_day *out, unsigned *warnings)
{
    int y, m, d;
    if (cf_day_parse(s, out)) return true;
    if (take_digits(&s, &y) != 4 || !take_char(&s, "/")) return false;
    size_t digits = take_digits(&s, &m);
    if (digits < 1 || digits > 2 || !take_char(&s, "/")) return false;
    digits = take_digits(&s, &d);
    if (digits < 1 || digits > 2 || s.len) return false;
    if (!cf_date_real(y, m, d)) return false;
    *warnings |= CF_WARN_DATE_FORMAT;
    *out = cf_day_of_date(y, m, d);
    return true;
}
