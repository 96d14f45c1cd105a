#include "common/pure/fold.h"

bool cf_is_space(int32_t cp)
{
    return cp == '\t' || cp == ' ' || cp == 0xA0 || cp == 0x3000;
}

bool cf_is_full_width(int32_t cp)
{
    return cp >= 0xFF01 && cp <= 0xFF5E;
}

int32_t cf_half_width(int32_t cp)
{
    return cp - 0xFF01 + '!';
}

size_t cf_fold(struct cf_str raw, bool upper, char *out, size_t max, unsigned *warnings)
{
    size_t n = 0;
    while (raw.len) {
        const char *at = raw.ptr;
        int32_t cp = cf_utf8_next(&raw);
        char bytes[4] = {*at};
        size_t len = 1;
        if (cp < 0) {
            /* A malformed byte stays: the check refuses it. */
            raw.ptr++, raw.len--;
        } else if (cf_is_space(cp)) {
            *warnings |= CF_WARN_SPACE;
            continue;
        } else {
            if (cf_is_full_width(cp)) *warnings |= CF_WARN_FULL_WIDTH, cp = cf_half_width(cp);
            if (upper && cp >= 'a' && cp <= 'z') *warnings |= CF_WARN_LOWERCASE_X, cp += 'A' - 'a';
            len = cf_utf8_put(cp, bytes);
        }
        if (n + len >= max) break;
        memcpy(out + n, bytes, len);
        n += len;
    }
    out[n] = 0;
    return n;
}

struct cf_marks cf_marks_of(struct cf_str text)
{
    struct cf_marks m = {0};
    while (text.len) {
        int32_t cp = cf_utf8_next(&text);
        if (cp < 0) text.ptr++, text.len--;
        if (cf_is_full_width(cp))
            m.full_width = true;
        else if (cf_is_space(cp))
            m.space = true;
        else if (cp < 0 || cp > 0x7F)
            m.other = true;
    }
    return m;
}
