#include "common/pure/mask.h"

/* Code points, a malformed byte as one; not above what fits. */
static size_t count_chars(struct cf_str s)
{
    size_t n = 0;
    for (; s.len && n < CF_MASK_MAX - 1; n++)
        if (cf_utf8_next(&s) < 0) s.ptr++, s.len--;
    return n;
}

static bool is_ascii_print(struct cf_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < ' ' || s.ptr[i] > '~') return false;
    return true;
}

/* Stars for n characters but for the first and the last few, which s shows. */
static size_t stars(struct cf_str s, size_t n, size_t first, size_t last, char out[CF_MASK_MAX])
{
    memset(out, '*', n);
    if (first) memcpy(out, s.ptr, first);
    if (last) memcpy(out + n - last, s.ptr + s.len - last, last);
    out[n] = 0;
    return n;
}

size_t cf_mask_number(struct cf_str number, char out[CF_MASK_MAX])
{
    size_t n = count_chars(number);
    if (n != number.len || n < 5 || !is_ascii_print(number)) return stars(number, n, 0, 0, out);
    if (n < 8) return stars(number, n, 1, 0, out);
    size_t shown = n < 12 ? 2 : n < 16 ? 3 : 4;
    return stars(number, n, shown, shown, out);
}

size_t cf_mask_name(struct cf_str name, char out[CF_MASK_MAX])
{
    int32_t first = cf_utf8_next(&name);
    size_t n = first <= ' ' ? 0 : cf_utf8_put(first, out);
    /* An empty name stays empty; one that begins with garbage shows nothing of it. */
    if (n || name.len) out[n++] = '*';
    out[n] = 0;
    return n;
}

static bool all_digits(struct cf_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
    return true;
}

size_t cf_mask_phone(struct cf_str phone, char out[CF_MASK_MAX])
{
    if (phone.len == 11 && all_digits(phone)) return stars(phone, 11, 3, 4, out);
    return stars(phone, count_chars(phone), 0, 0, out);
}

size_t cf_mask_cardnum(struct cf_str number, char out[CF_MASK_MAX])
{
    if (number.len == 9 && is_ascii_print(number)) return stars(number, 9, 2, 3, out);
    return stars(number, count_chars(number), 0, 0, out);
}
