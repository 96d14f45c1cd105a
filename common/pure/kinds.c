#include "common/pure/kinds.h"

/* The index of name among n names; 0, which is NONE, when it is not there. */
static unsigned find(const char *const *names, unsigned n, struct cf_str name)
{
    for (unsigned i = 1; i < n; i++)
        if (cf_str_is(name, names[i])) return i;
    return 0;
}

#define NAME(value, ...) FIRST(__VA_ARGS__, 0)
#define FIRST(name, ...) name,
#define LIST(word, COUNT, VALUES)                                                                  \
    static const char *const word##_names[] = {"", VALUES(NAME)};                                  \
    const char *cf_##word##_name(enum cf_##word value)                                             \
    {                                                                                              \
        return (unsigned)value < COUNT ? word##_names[value] : "";                                 \
    }                                                                                              \
    enum cf_##word cf_##word##_parse(struct cf_str name)                                           \
    {                                                                                              \
        return (enum cf_##word)find(word##_names, COUNT, name);                                    \
    }

LIST(app_kind, CF_KIND_COUNT, CF_APP_KINDS)
LIST(reissue_reason, CF_REISSUE_COUNT, CF_REISSUE_REASONS)
LIST(channel, CF_CHANNEL_COUNT, CF_CHANNELS)
LIST(sex, CF_SEX_COUNT, CF_SEXES)
LIST(photo_choice, CF_PHOTO_COUNT, CF_PHOTO_CHOICES)
LIST(app_state, CF_APP_COUNT, CF_APP_STATES)
LIST(close_reason, CF_CLOSE_COUNT, CF_CLOSE_REASONS)
LIST(card_state, CF_CARD_COUNT, CF_CARD_STATES)
LIST(card_kind, CF_CARD_KIND_COUNT, CF_CARD_KINDS)
LIST(lang, CF_LANG_COUNT, CF_LANGS)

struct label {
    const char *zh, *en;
};

static const char *in_language(struct label label, enum cf_lang lang)
{
    return lang == CF_LANG_EN ? label.en : label.zh;
}

const char *cf_sex_label(enum cf_sex sex, enum cf_lang lang)
{
    static const struct label labels[] = {{"", ""}, {"男", "male"}, {"女", "female"}};
    return in_language(labels[(unsigned)sex < CF_SEX_COUNT ? sex : CF_SEX_NONE], lang);
}

enum cf_sex cf_sex_parse_zh(struct cf_str text)
{
    if (cf_str_is(text, "男")) return CF_SEX_MALE;
    if (cf_str_is(text, "女")) return CF_SEX_FEMALE;
    return cf_sex_parse(text);
}

const char *cf_app_state_label(enum cf_app_state state, enum cf_lang lang)
{
    static const struct label labels[] = {{"", ""},
#define X(value, name, zh, en) {zh, en},
                                          CF_APP_STATES(X)
#undef X
    };
    return in_language(labels[(unsigned)state < CF_APP_COUNT ? state : CF_APP_NONE], lang);
}

const char *cf_app_state_label_detail(enum cf_app_state state, bool waits_for_enrolment,
                                      bool activated, enum cf_lang lang)
{
    static const struct label waiting = {"等待参保信息", "Waiting for the insurance record"};
    static const struct label active = {"已激活", "Activated"};
    if (state == CF_APP_RECEIVED && waits_for_enrolment) return in_language(waiting, lang);
    if (state == CF_APP_COLLECTED && activated) return in_language(active, lang);
    return cf_app_state_label(state, lang);
}

bool cf_app_state_is_end(enum cf_app_state state)
{
    return state == CF_APP_REJECTED || state == CF_APP_COLLECTED || state == CF_APP_WITHDRAWN ||
           state == CF_APP_EXPIRED || state == CF_APP_PICKUP_EXPIRED || state == CF_APP_CLOSED;
}

static const struct card_row {
    int code;
    struct label label;
} cards[] = {{-1, {"", ""}},
#define X(value, name, code, zh, en) {code, {zh, en}},
             CF_CARD_STATES(X)
#undef X
};

int cf_card_state_code(enum cf_card_state state)
{
    return cards[(unsigned)state < CF_CARD_COUNT ? state : CF_CARD_NONE].code;
}

enum cf_card_state cf_card_state_of_code(int code)
{
    for (unsigned i = 1; code >= 0 && i < CF_CARD_COUNT; i++)
        if (cards[i].code == code) return (enum cf_card_state)i;
    return CF_CARD_NONE;
}

const char *cf_card_state_label(enum cf_card_state state, enum cf_lang lang)
{
    return in_language(cards[(unsigned)state < CF_CARD_COUNT ? state : CF_CARD_NONE].label, lang);
}

bool cf_card_state_is_usable(enum cf_card_state state)
{
    return state == CF_CARD_NORMAL || state == CF_CARD_APP_LOCKED ||
           state == CF_CARD_TEMPORARY_LOSS;
}
