#include "services/notification/rules_text.h"

/* clang-format off */
static const struct {
    const char *zh, *en;
} texts[NOTIFY_COUNT] = {
    {"", ""},
#define TEMPLATE(id, name, security, zh, en) {zh, en},
#include "services/notification/templates.def"
#undef TEMPLATE
};
/* clang-format on */

static const char *const value_names[NOTIFY_VALUE_COUNT] = {
#define X(value, name) name,
    NOTIFY_VALUES(X)
#undef X
};

static int value_of(struct cf_str name)
{
    for (int i = 0; i < NOTIFY_VALUE_COUNT; i++)
        if (cf_str_is(name, value_names[i])) return i;
    return -1;
}

/* The placeholder at s.ptr[i], a '{': its value, and in *end the place behind it. -1: none. */
static int placeholder_at(struct cf_str s, size_t i, size_t *end)
{
    const char *close = memchr(s.ptr + i, '}', s.len - i);
    if (!close) return -1;
    *end = (size_t)(close - s.ptr) + 1;
    return value_of((struct cf_str){s.ptr + i + 1, *end - i - 2});
}

const char *notification_text_check(struct cf_str text, unsigned *used)
{
    *used = 0;
    if (text.len == 0) return "is empty";
    if (text.len > NOTIFY_TEXT_MAX) return "is too long";
    if (!cf_utf8_valid(text)) return "is not UTF-8";
    for (size_t i = 0; i < text.len; i++) {
        size_t end;
        if (text.ptr[i] == '}') return "has a closing brace without an opening one";
        if (text.ptr[i] != '{') continue;
        int value = placeholder_at(text, i, &end);
        if (value < 0) return "has a placeholder that no value stands for";
        *used |= 1u << value;
        i = end - 1;
    }
    return NULL;
}

static struct cf_str text_of(enum notification_template t, enum cf_lang lang)
{
    return cf_str_of(lang == CF_LANG_EN ? texts[t].en : texts[t].zh);
}

bool notification_pair_check(struct cf_str zh, struct cf_str en, struct notification_fault *fault)
{
    unsigned used_zh = 0, used_en = 0;
    fault->lang = cf_lang_name(CF_LANG_ZH);
    fault->rule = notification_text_check(zh, &used_zh);
    if (fault->rule) return false;
    fault->lang = cf_lang_name(CF_LANG_EN);
    fault->rule = notification_text_check(en, &used_en);
    if (!fault->rule && used_zh != used_en)
        fault->rule = "does not say the same in both languages";
    return !fault->rule;
}

bool notification_texts_check(struct notification_fault *fault)
{
    bool good = true;
    for (int i = NOTIFY_NONE + 1; good && i < NOTIFY_COUNT; i++) {
        enum notification_template t = (enum notification_template)i;
        fault->template = notification_template_name(t);
        good = notification_pair_check(text_of(t, CF_LANG_ZH), text_of(t, CF_LANG_EN), fault);
    }
    return good;
}

static bool add_escaped(struct cf_buf *out, struct cf_str value)
{
    int32_t c;
    for (int n = 0; n < 64 && (c = cf_utf8_next(&value)) >= 0; n++) {
        char bytes[4];
        if (c < 0x20 || c == 0x7f) continue;
        if (c == '{' || c == 0x3010) c = '('; /* 【 and 】 enclose the sender's name */
        if (c == '}' || c == 0x3011) c = ')';
        if (!cf_buf_add(out, bytes, cf_utf8_put(c, bytes))) return false;
    }
    return true;
}

bool notification_render(enum notification_template t, enum cf_lang lang,
                         const struct notification_values *values, struct cf_buf *out)
{
    if (t <= NOTIFY_NONE || t >= NOTIFY_COUNT) return false;
    return notification_fill(text_of(t, lang), values, out);
}

bool notification_fill(struct cf_str text, const struct notification_values *values,
                       struct cf_buf *out)
{
    for (size_t i = 0; i < text.len;) {
        if (text.ptr[i] != '{') {
            const char *brace = memchr(text.ptr + i, '{', text.len - i);
            size_t end = brace ? (size_t)(brace - text.ptr) : text.len;
            if (!cf_buf_add(out, text.ptr + i, end - i)) return false;
            i = end;
            continue;
        }
        size_t end;
        int value = placeholder_at(text, i, &end);
        if (value < 0 || values->v[value].len == 0) return false;
        if (!add_escaped(out, values->v[value])) return false;
        i = end;
    }
    return true;
}
