#include "common/pure/reasons.h"

#include "common/pure/error.h"

#include <stdlib.h>
#include <string.h>

static const struct cf_reason_info infos[CF_REASON_COUNT] = {
#define X(value, code, outcome, field, zh, en, cure_zh, cure_en, days, alias) \
    {code, CF_OUTCOME_##outcome, field, zh, en, cure_zh, cure_en, days, alias},
#include "common/pure/reasons.def"
#undef X
};

static const struct cf_reason_help helps[] = {
#define X(...)
#define HELP(...) {__VA_ARGS__},
#include "common/pure/reasons.def"
#undef HELP
#undef X
};

_Static_assert(CF_REASON_COUNT <= 64 * CF_REASON_WORDS, "struct cf_reason_set has no room for all");

const struct cf_reason_info *cf_reason_info(enum cf_reason reason)
{
    if (reason >= CF_REASON_COUNT) CF_BUG("no such reason");
    return &infos[reason];
}

const char *cf_reason_code(enum cf_reason reason)
{
    return cf_reason_info(reason)->code;
}

static int compare_help(const void *of, const void *help)
{
    return strcmp(of, ((const struct cf_reason_help *)help)->of);
}

static const struct cf_reason_help *help_of(const char *of)
{
    return bsearch(of, helps, sizeof helps / sizeof *helps, sizeof *helps, compare_help);
}

const struct cf_reason_help *cf_reason_help(enum cf_reason reason)
{
    const struct cf_reason_info *info = cf_reason_info(reason);
    const struct cf_reason_help *help = help_of(info->code);
    if (!help) help = help_of(info->field);
    if (!help) CF_BUG("a reason without materials and procedure");
    return help;
}

/* Of two texts, the second zero-terminated: below, equal or above 0. */
static int compare(struct cf_str a, const char *z)
{
    size_t n = strlen(z);
    int c = memcmp(a.ptr, z, a.len < n ? a.len : n);
    return c ? c : (a.len > n) - (a.len < n);
}

enum cf_reason cf_reason_parse(struct cf_str code)
{
    size_t low = 0, high = CF_REASON_COUNT;
    if (code.len == 0) return CF_REASON_NONE;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = compare(code, infos[mid].code);
        if (c == 0) return (enum cf_reason)mid;
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    for (size_t i = 0; i < CF_REASON_COUNT; i++)
        if (*infos[i].alias && compare(code, infos[i].alias) == 0) return (enum cf_reason)i;
    return CF_REASON_NONE;
}

const char *cf_reason_outcome_name(enum cf_reason_outcome outcome)
{
    static const char *const names[] = {[CF_OUTCOME_NOTICE] = "notice",
                                        [CF_OUTCOME_REJECT] = "rejected",
                                        [CF_OUTCOME_REFUSE] = "refused",
                                        [CF_OUTCOME_FAIL] = "failed"};
    return names[outcome];
}

void cf_reason_set_add(struct cf_reason_set *set, enum cf_reason reason)
{
    if (reason >= CF_REASON_COUNT) CF_BUG("no such reason");
    set->bits[reason / 64] |= UINT64_C(1) << (reason % 64);
}

void cf_reason_set_join(struct cf_reason_set *set, const struct cf_reason_set *more)
{
    for (int i = 0; i < CF_REASON_WORDS; i++)
        set->bits[i] |= more->bits[i];
}

void cf_reason_set_remove(struct cf_reason_set *set, enum cf_reason reason)
{
    if (reason < CF_REASON_COUNT) set->bits[reason / 64] &= ~(UINT64_C(1) << (reason % 64));
}

void cf_reason_set_add_code(struct cf_reason_set *set, const char *code)
{
    cf_reason_set_add(set, cf_reason_parse(cf_str_of(code)));
}

bool cf_reason_set_has(const struct cf_reason_set *set, enum cf_reason reason)
{
    return reason < CF_REASON_COUNT && (set->bits[reason / 64] >> (reason % 64) & 1);
}

bool cf_reason_set_any(const struct cf_reason_set *set)
{
    return cf_reason_set_count(set) > 0;
}

size_t cf_reason_set_count(const struct cf_reason_set *set)
{
    int n = 0;
    for (int i = 0; i < CF_REASON_WORDS; i++)
        n += __builtin_popcountll(set->bits[i]);
    return (size_t)n;
}

enum cf_reason cf_reason_set_next(const struct cf_reason_set *set, unsigned from)
{
    for (unsigned i = from; i < CF_REASON_COUNT; i++)
        if (cf_reason_set_has(set, (enum cf_reason)i)) return (enum cf_reason)i;
    return CF_REASON_NONE;
}

bool cf_reason_set_holds(const struct cf_reason_set *set, enum cf_reason_outcome outcome)
{
    for (enum cf_reason r = cf_reason_set_next(set, 0); r < CF_REASON_COUNT;
         r = cf_reason_set_next(set, r + 1))
        if (infos[r].outcome == outcome) return true;
    return false;
}

int cf_reason_set_days(const struct cf_reason_set *set)
{
    int least = 0;
    for (enum cf_reason r = cf_reason_set_next(set, 0); r < CF_REASON_COUNT;
         r = cf_reason_set_next(set, r + 1))
        if (infos[r].respond_days && (!least || infos[r].respond_days < least))
            least = infos[r].respond_days;
    return least;
}

bool cf_reason_set_text(const struct cf_reason_set *set, struct cf_buf *out)
{
    bool first = true;
    for (enum cf_reason r = cf_reason_set_next(set, 0); r < CF_REASON_COUNT;
         r = cf_reason_set_next(set, r + 1)) {
        if (!first && !cf_buf_add(out, "|", 1)) return false;
        if (!cf_buf_adds(out, cf_str_of(infos[r].code))) return false;
        first = false;
    }
    return true;
}

bool cf_reason_set_parse(struct cf_str text, struct cf_reason_set *out)
{
    *out = (struct cf_reason_set){0};
    while (text.len) {
        const char *bar = memchr(text.ptr, '|', text.len);
        size_t n = bar ? (size_t)(bar - text.ptr) : text.len;
        enum cf_reason r = cf_reason_parse((struct cf_str){text.ptr, n});
        if (r == CF_REASON_NONE) return false;
        cf_reason_set_add(out, r);
        text.ptr += bar ? n + 1 : n;
        text.len -= bar ? n + 1 : n;
    }
    return true;
}
