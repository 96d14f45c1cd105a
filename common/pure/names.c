#include "common/pure/names.h"

#include "common/pure/fold.h"

#define INTERPUNCT 0xB7

static const struct {
    const char *name, *code;
} reasons[] = {
#define X(value, name, code) {name, code},
    CF_NAME_REASONS(X)
#undef X
};

const char *cf_name_reason_name(enum cf_name_reason reason)
{
    return (unsigned)reason < CF_NAME_REASON_COUNT ? reasons[reason].name : "";
}

const char *cf_name_reason_code(enum cf_name_reason reason)
{
    return (unsigned)reason < CF_NAME_REASON_COUNT ? reasons[reason].code : "";
}

struct range {
    int32_t from, to;
};

#define IN(cp, ranges) in_ranges(cp, ranges, sizeof ranges / sizeof ranges[0])

static bool in_ranges(int32_t cp, const struct range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cp >= r[i].from && cp <= r[i].to) return true;
    return false;
}

/* Unified ideographs: the basic block, Extensions A to I, and the twelve that stand in the
 * block of compatibility ideographs without being such. */
static const struct range han[] = {
    {0x4E00,  0x9FFF },
    {0x3400,  0x4DBF },
    {0x20000, 0x2A6DF},
    {0x2A700, 0x2B739},
    {0x2B740, 0x2B81D},
    {0x2B820, 0x2CEA1},
    {0x2CEB0, 0x2EBE0},
    {0x2EBF0, 0x2EE5D},
    {0x30000, 0x3134A},
    {0x31350, 0x323AF},
    {0xFA0E,  0xFA0F },
    {0xFA11,  0xFA11 },
    {0xFA13,  0xFA14 },
    {0xFA1F,  0xFA1F },
    {0xFA21,  0xFA21 },
    {0xFA23,  0xFA24 },
    {0xFA27,  0xFA29 },
};

static const struct range compatibility[] = {
    {0xF900,  0xFAFF },
    {0x2F800, 0x2FA1F}
};

/* Radicals and strokes look like ideographs and are none. */
static const struct range radicals[] = {
    {0x2E80, 0x2FDF},
    {0x31C0, 0x31EF}
};

static const struct range private_use[] = {
    {0xE000,   0xF8FF  },
    {0xF0000,  0xFFFFD },
    {0x100000, 0x10FFFD}
};

static const struct range selectors[] = {
    {0x180B,  0x180D },
    {0x180F,  0x180F },
    {0xFE00,  0xFE0F },
    {0xE0100, 0xE01EF}
};

/* General categories Cc and Cf, and the line and paragraph separators. */
static const struct range controls[] = {
    {0x0000,  0x001F },
    {0x007F,  0x009F },
    {0x00AD,  0x00AD },
    {0x0600,  0x0605 },
    {0x061C,  0x061C },
    {0x06DD,  0x06DD },
    {0x070F,  0x070F },
    {0x0890,  0x0891 },
    {0x08E2,  0x08E2 },
    {0x180E,  0x180E },
    {0x200B,  0x200F },
    {0x2028,  0x202E },
    {0x2060,  0x2064 },
    {0x2066,  0x206F },
    {0xFEFF,  0xFEFF },
    {0xFFF9,  0xFFFB },
    {0x110BD, 0x110BD},
    {0x110CD, 0x110CD},
    {0x13430, 0x1343F},
    {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A},
    {0xE0001, 0xE0001},
    {0xE0020, 0xE007F},
};

/* TAB is a control character in a name, not a space. */
static bool is_name_space(int32_t cp)
{
    return cp == ' ' || cp == 0xA0 || cp == 0x3000;
}

static bool is_letter(int32_t cp)
{
    return (cp >= 'A' && cp <= 'Z') || (cp >= 'a' && cp <= 'z');
}

static bool is_full_width_letter(int32_t cp)
{
    return cf_is_full_width(cp) && is_letter(cf_half_width(cp));
}

static bool is_digit(int32_t cp)
{
    return (cp >= '0' && cp <= '9') || (cp >= 0xFF10 && cp <= 0xFF19);
}

/* What people type for U+00B7. */
static bool is_lookalike(int32_t cp)
{
    static const int32_t list[] = {'.',    0x2022, 0x2027, 0x30FB, 0xFF65,
                                   0xFF0E, 0x22C5, 0x2219, 0x25CF, 0x318D};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (cp == list[i]) return true;
    return false;
}

static bool is_placeholder(int32_t cp)
{
    return cp == '?' || cp == '*' || cp == 0xFFFD || cp == 0x25A0 || cp == 0x25A1;
}

/* The next code point; for a malformed byte -1, and the byte is passed. */
static int32_t next(struct cf_str *s)
{
    int32_t cp = cf_utf8_next(s);
    if (cp < 0) s->ptr++, s->len--;
    return cp;
}

enum cf_script cf_name_script(struct cf_str name)
{
    enum cf_script script = CF_SCRIPT_NONE;
    while (name.len) {
        int32_t cp = next(&name);
        /* A character that cannot be Latin and stands for a Han one makes the name Han, so
         * that it is normalised as such; the check refuses it later. */
        if (IN(cp, han) || IN(cp, compatibility) || IN(cp, private_use) || IN(cp, radicals))
            return CF_SCRIPT_HAN;
        if (is_letter(cp) || is_full_width_letter(cp)) script = CF_SCRIPT_LATIN;
    }
    return script;
}

/* The character that stands for cp in a normalised name of the script. */
static int32_t normal_form(int32_t cp, bool latin, unsigned *warnings)
{
    if (is_full_width_letter(cp)) {
        *warnings |= CF_WARN_FULL_WIDTH;
        return cf_half_width(cp);
    }
    if (!latin && is_lookalike(cp)) {
        *warnings |= CF_WARN_INTERPUNCT;
        return INTERPUNCT;
    }
    if (latin && cp == 0x2019) {
        *warnings |= CF_WARN_APOSTROPHE;
        return '\'';
    }
    if (latin && (cp == 0x2010 || cp == 0x2013)) {
        *warnings |= CF_WARN_HYPHEN;
        return '-';
    }
    return cp;
}

bool cf_name_normalise(struct cf_str raw, struct cf_buf *out, unsigned *warnings)
{
    bool latin = cf_name_script(raw) == CF_SCRIPT_LATIN, started = false;
    struct cf_str space = {0}; /* spaces seen since the last other character */
    while (raw.len) {
        struct cf_str at = raw;
        int32_t cp = next(&raw);
        at.len = (size_t)(raw.ptr - at.ptr);
        if (cp >= 0 && is_name_space(cp)) {
            space = (struct cf_str){space.len ? space.ptr : at.ptr, space.len + at.len};
            continue;
        }
        bool keep = latin && started && space.len;
        if (space.len && !(keep && cf_str_is(space, " "))) *warnings |= CF_WARN_NAME_SPACE;
        if (keep && !cf_buf_add(out, " ", 1)) return false;
        char bytes[4];
        if (cp >= 0)
            at = (struct cf_str){bytes, cf_utf8_put(normal_form(cp, latin, warnings), bytes)};
        if (!cf_buf_adds(out, at)) return false;
        space = (struct cf_str){0};
        started = true;
    }
    if (space.len) *warnings |= CF_WARN_NAME_SPACE;
    return true;
}

/* Reasons found so far, a bit each; the first of the list counts. */
static unsigned bit(enum cf_name_reason reason)
{
    return 1u << reason;
}

/* What one character alone says, whatever the script. OK: nothing. */
static enum cf_name_reason class_of(int32_t cp)
{
    if (cp < 0) return CF_NAME_BAD_CHARACTER;
    if (is_letter(cp) || IN(cp, han)) return CF_NAME_OK;
    if (IN(cp, controls)) return CF_NAME_CONTROL_CHARACTER;
    if (IN(cp, private_use)) return CF_NAME_PUA_CHARACTER;
    if (is_placeholder(cp)) return CF_NAME_PLACEHOLDER_CHARACTER;
    if (is_digit(cp)) return CF_NAME_DIGIT;
    if (IN(cp, selectors)) return CF_NAME_VARIATION_SELECTOR;
    if (IN(cp, compatibility)) return CF_NAME_COMPATIBILITY_IDEOGRAPH;
    if (IN(cp, radicals)) return CF_NAME_RADICAL_CHARACTER;
    if (cf_is_full_width(cp) && !is_lookalike(cp)) return CF_NAME_FULL_WIDTH;
    return CF_NAME_OK;
}

static enum cf_name_reason class_in_han(int32_t cp)
{
    if (IN(cp, han) || is_letter(cp) || cp == INTERPUNCT) return CF_NAME_OK;
    if (is_name_space(cp)) return CF_NAME_INNER_SPACE;
    return is_lookalike(cp) ? CF_NAME_WRONG_INTERPUNCT : CF_NAME_BAD_CHARACTER;
}

static enum cf_name_reason class_in_latin(int32_t cp)
{
    if (is_letter(cp) || cp == ' ' || cp == '-' || cp == '\'') return CF_NAME_OK;
    if (is_name_space(cp)) return CF_NAME_INNER_SPACE;
    if (cp == 0x2019) return CF_NAME_WRONG_APOSTROPHE;
    return cp == 0x2010 || cp == 0x2013 ? CF_NAME_WRONG_HYPHEN : CF_NAME_BAD_CHARACTER;
}

/* cp and the one before it (0 at the edges) must not both be separators. */
static enum cf_name_reason pair_in_latin(int32_t before, int32_t cp)
{
    bool first = before == 0 || !is_letter(before), second = cp == 0 || !is_letter(cp);
    if (!first || !second) return CF_NAME_OK;
    if (is_name_space(before) && is_name_space(cp)) return CF_NAME_INNER_SPACE;
    if (before == '\'' || cp == '\'') return CF_NAME_WRONG_APOSTROPHE;
    return before == '-' || cp == '-' ? CF_NAME_WRONG_HYPHEN : CF_NAME_OK;
}

static enum cf_name_reason pair_in_han(int32_t before, int32_t cp)
{
    bool first = before == 0 || before == INTERPUNCT, second = cp == 0 || cp == INTERPUNCT;
    return first && second ? CF_NAME_INTERPUNCT_POSITION : CF_NAME_OK;
}

/* Takes spaces at both ends off; were there any? */
static bool trim(struct cf_str *name)
{
    struct cf_str rest = *name;
    const char *from = NULL, *to = name->ptr;
    while (rest.len) {
        const char *at = rest.ptr;
        int32_t cp = next(&rest);
        if (cp >= 0 && is_name_space(cp)) continue;
        if (!from) from = at;
        to = rest.ptr;
    }
    struct cf_str inner = {from ? from : to, from ? (size_t)(to - from) : 0};
    bool trimmed = inner.len != name->len;
    *name = inner;
    return trimmed;
}

static bool mixes_scripts(struct cf_str name)
{
    bool letters = false, ideographs = false;
    while (name.len) {
        int32_t cp = next(&name);
        letters |= is_letter(cp);
        ideographs |= IN(cp, han);
    }
    return letters && ideographs;
}

enum cf_name_reason cf_name_check(struct cf_str name)
{
    unsigned found = 0;
    if (name.len == 0) return CF_NAME_EMPTY;
    bool latin = cf_name_script(name) == CF_SCRIPT_LATIN;
    if (trim(&name)) found |= bit(CF_NAME_OUTER_SPACE);
    if (mixes_scripts(name)) found |= bit(CF_NAME_MIXED_SCRIPT);
    int32_t before = 0;
    size_t n = 0;
    for (struct cf_str rest = name; rest.len; n++) {
        int32_t cp = next(&rest);
        found |= bit(class_of(cp));
        found |= bit(latin ? class_in_latin(cp) : class_in_han(cp));
        found |= bit(latin ? pair_in_latin(before, cp) : pair_in_han(before, cp));
        before = cp;
    }
    if (n) found |= bit(latin ? pair_in_latin(before, 0) : pair_in_han(before, 0));
    if (n > CF_NAME_MAX_CHARS) found |= bit(CF_NAME_TOO_LONG);
    found &= ~bit(CF_NAME_OK);
    return found ? (enum cf_name_reason)__builtin_ctz(found) : CF_NAME_OK;
}
