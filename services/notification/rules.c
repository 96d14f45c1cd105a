#include "services/notification/rules.h"

#include "common/pure/phone.h"

/* clang-format off */
static const struct {
    const char *name;
    bool security;
} templates[NOTIFY_COUNT] = {
    {"", false},
#define TEMPLATE(id, name, security, zh, en) {name, security},
#include "services/notification/templates.def"
#undef TEMPLATE
};
/* clang-format on */

const char *notification_template_name(enum notification_template t)
{
    return t < NOTIFY_COUNT ? templates[t].name : "";
}

bool notification_is_security(enum notification_template t)
{
    return t < NOTIFY_COUNT && templates[t].security;
}

/* ---- which event makes which message ----------------------------------------------------------
 */

/* Steps that are not here move the card on without anybody having to know. */
static const struct {
    enum cf_app_state state;
    enum notification_template template;
} steps[] = {
    {CF_APP_ACCEPTED,         NOTIFY_ACCEPTED           },
    {CF_APP_NOTICED,          NOTIFY_NOTICED            },
    {CF_APP_REJECTED,         NOTIFY_REJECTED           },
    {CF_APP_PHOTO_MISSING,    NOTIFY_PHOTO_MISSING      },
    {CF_APP_ACCOUNT_FAILED,   NOTIFY_ACCOUNT_FAILED     },
    {CF_APP_READY_FOR_PICKUP, NOTIFY_READY_FOR_PICKUP   },
    {CF_APP_COLLECTED,        NOTIFY_COLLECTED          },
    {CF_APP_WITHDRAWN,        NOTIFY_WITHDRAWN          },
    {CF_APP_EXPIRED,          NOTIFY_APPLICATION_EXPIRED},
    {CF_APP_PICKUP_EXPIRED,   NOTIFY_PICKUP_EXPIRED     },
    {CF_APP_CLOSED,           NOTIFY_CLOSED             },
};

/* Nothing is sent to the dead; the row of the holder says so too, but may be told later. */
static bool from_death(struct cf_str why)
{
    return cf_str_is(why, cf_close_reason_name(CF_CLOSE_HOLDER_DIED)) || cf_str_is(why, "death");
}

enum notification_template notification_for_step(enum cf_app_state state, struct cf_str reason)
{
    if (from_death(reason)) return NOTIFY_NONE;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i].state == state) return steps[i].template;
    return NOTIFY_NONE;
}

static bool lost(enum cf_card_state state)
{
    return state == CF_CARD_TEMPORARY_LOSS || state == CF_CARD_FORMAL_LOSS;
}

enum notification_template notification_for_card(enum cf_card_state before,
                                                 enum cf_card_state after, struct cf_str operation)
{
    if (before == after || from_death(operation)) return NOTIFY_NONE;
    /* A card that never reached the holder is nothing to tell. */
    if (before == CF_CARD_NONE || before == CF_CARD_RESERVED) return NOTIFY_NONE;
    if (after == CF_CARD_CANCELLED) return NOTIFY_CANCELLED;
    if (lost(after)) return NOTIFY_LOSS_REPORTED;
    if (lost(before)) return NOTIFY_LOSS_RELEASED;
    if (after == CF_CARD_APP_LOCKED) return NOTIFY_LOCKED;
    if (before == CF_CARD_APP_LOCKED) return NOTIFY_UNLOCKED;
    if (before == CF_CARD_SEALED && after == CF_CARD_NORMAL) return NOTIFY_ACTIVATED;
    return NOTIFY_NONE;
}

enum notification_template notification_for_deadline(struct cf_str what)
{
    static const struct {
        const char *what;
        enum notification_template template;
    } rows[] = {
        {"warned",       NOTIFY_DEADLINE_WARNED },
        {"overdue",      NOTIFY_DEADLINE_OVERDUE},
        {"extended",     NOTIFY_DEADLINE_CHANGED},
        {"recalculated", NOTIFY_DEADLINE_CHANGED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (cf_str_is(what, rows[i].what)) return rows[i].template;
    return NOTIFY_NONE;
}

bool notification_ends_waiting(enum cf_app_state state)
{
    return cf_app_state_is_end(state) || state == CF_APP_PRODUCTION_FAILED;
}

/* ---- when
 * ---------------------------------------------------------------------------------------- */

bool notification_minute_parse(struct cf_str text, int *out)
{
    if (text.len != 5 || text.ptr[2] != ':') return false;
    int digits[4];
    const size_t at[4] = {0, 1, 3, 4};
    for (int i = 0; i < 4; i++) {
        char c = text.ptr[at[i]];
        if (c < '0' || c > '9') return false;
        digits[i] = c - '0';
    }
    int hour = digits[0] * 10 + digits[1], minute = digits[2] * 10 + digits[3];
    if (hour > 23 || minute > 59) return false;
    *out = hour * 60 + minute;
    return true;
}

cf_ms notification_due(cf_ms now, const struct notification_quiet *quiet,
                       enum notification_template t)
{
    if (!quiet->on || quiet->from == quiet->to || notification_is_security(t)) return now;
    int minute = cf_minute_of_ms(now);
    bool over_midnight = quiet->from > quiet->to;
    bool is_quiet = over_midnight ? minute >= quiet->from || minute < quiet->to
                                  : minute >= quiet->from && minute < quiet->to;
    if (!is_quiet) return now;
    cf_day day = cf_day_of_ms(now) + (over_midnight && minute >= quiet->from ? 1 : 0);
    return cf_ms_of_day(day) + (cf_ms)quiet->to * 60000;
}

int notification_reminder_days(uint32_t reminders_before)
{
    static const int days[] = {30, 180, 330};
    return reminders_before < sizeof days / sizeof *days ? days[reminders_before] : 0;
}

/* ---- to whom, and how it ends
 * -------------------------------------------------------------------- */

enum cf_lang notification_lang(enum cf_doc_type type)
{
    switch (type) {
    case CF_DOC_FOREIGN_PR_2017:
    case CF_DOC_FOREIGN_PR_2023:
    case CF_DOC_PASSPORT:
        return CF_LANG_EN;
    case CF_DOC_NONE:
    case CF_DOC_RESIDENT_ID:
    case CF_DOC_HOUSEHOLD_BOOK:
    case CF_DOC_RESIDENCE_PERMIT_HMT:
    case CF_DOC_HOME_RETURN_PERMIT:
    case CF_DOC_TAIWAN_PERMIT:
    case CF_DOC_COUNT:
        return CF_LANG_ZH;
    }
    return CF_LANG_ZH;
}

size_t notification_phone(struct cf_str own, struct cf_str guardian, char out[64])
{
    const struct cf_str choices[] = {own, guardian};
    for (int i = 0; i < 2; i++) {
        unsigned warnings = 0;
        size_t n = cf_phone_normalise(choices[i], out, &warnings);
        if (cf_phone_check((struct cf_str){out, n}) == CF_PHONE_OK) return n;
    }
    out[0] = '\0';
    return 0;
}

const char *notification_state_name(enum notification_state state)
{
    static const char *const names[] = {
#define X(value, name) name,
        NOTIFY_STATES(X)
#undef X
    };
    return state < sizeof names / sizeof *names ? names[state] : "";
}

enum notification_state notification_end_of_failure(struct cf_str reason)
{
    static const char *const ours[] = {"no_phone", "no_contact", "holder_died"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (cf_str_is(reason, ours[i])) return NOTIFY_SUPPRESSED;
    return NOTIFY_FAILED;
}

unsigned notification_parts(struct cf_str text)
{
    unsigned units = 0;
    for (int32_t c; (c = cf_utf8_next(&text)) >= 0;)
        units += c > 0xffff ? 2 : 1;
    return (units + 69) / 70;
}
