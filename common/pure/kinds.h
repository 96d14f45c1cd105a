/* kinds -- the closed lists of the field: kinds, channels, states, with names and labels.
 *
 * Shapes   every list is an X-list X(VALUE, "name", ...): enum cf_word { CF_WORD_VALUE }, and
 *          cf_word_name(), cf_word_parse(); value 0 is always NONE: absent or not known
 * Errors   a parser gives NONE for a name it does not know; NONE has the empty name
 * Source   domain reference, tables of applications and cards
 */
#pragma once

/* Below this age a guardian acts. */
#define CF_CHILD_BELOW 16
#include "common/pure/str.h"

/* clang-format off */
#define CF_APP_KINDS(X)                         \
    X(FIRST_ISSUE,        "first_issue")        \
    X(LOSS_REPLACEMENT,   "loss_replacement")   \
    X(DAMAGE_REPLACEMENT, "damage_replacement") \
    X(PHOTO_SWAP,         "photo_swap")         \
    X(TEMPORARY,          "temporary")          \
    X(REISSUE,            "reissue")

#define CF_REISSUE_REASONS(X)             \
    X(MASS_EXCHANGE, "mass_exchange")     \
    X(EXPIRY,        "expiry")            \
    X(DATA_CHANGED,  "data_changed")      \
    X(BANK_CHANGE,   "bank_change")

#define CF_CHANNELS(X)                    \
    X(BANK_OUTLET,   "bank_outlet")       \
    X(BANK_PHONE,    "bank_phone")        \
    X(UNIT,          "unit")              \
    X(SCHOOL,        "school")            \
    X(ONLINE,        "online")            \
    X(TERMINAL,      "terminal")          \
    X(HOTLINE_12345, "hotline_12345")     \
    X(UPSTREAM,      "upstream")

#define CF_SEXES(X)      \
    X(MALE,   "male")    \
    X(FEMALE, "female")

#define CF_PHOTO_CHOICES(X)               \
    X(PUBLIC_SECURITY, "public_security") \
    X(UPLOAD,          "upload")          \
    X(NONE_DECLARED,   "none")

/* X(VALUE, "name", "public label, Chinese", "public label, English") */
#define CF_APP_STATES(X)                                                                    \
    X(RECEIVED,          "received",          "已提交",       "Submitted")                  \
    X(NOTICED,           "noticed",           "待补正",       "Correction needed")          \
    X(REJECTED,          "rejected",          "不予受理",     "Not accepted")               \
    X(ACCEPTED,          "accepted",          "数据录入",     "Data entry")                 \
    X(PHOTO_MISSING,     "photo_missing",     "待补照片",     "Photo needed")               \
    X(PHOTO_READY,       "photo_ready",       "数据录入",     "Data entry")                 \
    X(BATCHED,           "batched",           "制卡中",       "Card in production")         \
    X(ACCOUNT_FAILED,    "account_failed",    "开户失败",     "Account opening failed")     \
    X(ACCOUNT_OPENED,    "account_opened",    "制卡中",       "Card in production")         \
    X(PRODUCTION_FAILED, "production_failed", "制卡失败",     "Card production failed")     \
    X(PRODUCED,          "produced",          "制卡完成",     "Card made")                  \
    X(SHIPPED,           "shipped",           "市银行签收",   "Received by the city bank")  \
    X(READY_FOR_PICKUP,  "ready_for_pickup",  "银行网点签收", "Received by the outlet")     \
    X(COLLECTED,         "collected",         "领卡未激活",   "Collected, not activated")   \
    X(WITHDRAWN,         "withdrawn",         "已撤销",       "Withdrawn")                  \
    X(EXPIRED,           "expired",           "已过期",       "Expired")                    \
    X(PICKUP_EXPIRED,    "pickup_expired",    "逾期未领",     "Not collected in time")      \
    X(CLOSED,            "closed",            "已终止",       "Closed")

#define CF_CLOSE_REASONS(X)                   \
    X(HOLDER_DIED,     "holder_died")         \
    X(ENROLMENT_ENDED, "enrolment_ended")     \
    X(CARD_CHANGED,    "card_changed")        \
    X(CARD_NOT_MADE,   "card_not_made")

/* X(VALUE, "name", code, "Chinese", "English"); code -1: hidden from the holder */
#define CF_CARD_STATES(X)                                                      \
    X(RESERVED,       "reserved",       -1, "预留",     "Reserved")            \
    X(VOIDED,         "voided",         -1, "作废",     "Voided")              \
    X(SEALED,         "sealed",          0, "封存",     "Sealed")              \
    X(NORMAL,         "normal",          1, "正常",     "Normal")              \
    X(FORMAL_LOSS,    "formal_loss",     2, "正式挂失", "Reported lost")       \
    X(APP_LOCKED,     "app_locked",      3, "应用锁定", "Application locked")  \
    X(TEMPORARY_LOSS, "temporary_loss",  4, "临时挂失", "Temporarily lost")    \
    X(CANCELLED,      "cancelled",       9, "注销",     "Cancelled")

#define CF_CARD_KINDS(X)           \
    X(PERMANENT, "permanent")      \
    X(TEMPORARY, "temporary")

#define CF_LANGS(X) \
    X(ZH, "zh")     \
    X(EN, "en")
/* clang-format on */

enum cf_app_kind {
    CF_KIND_NONE,
#define X(value, ...) CF_KIND_##value,
    CF_APP_KINDS(X)
#undef X
    CF_KIND_COUNT
};

enum cf_reissue_reason {
    CF_REISSUE_NONE,
#define X(value, ...) CF_REISSUE_##value,
    CF_REISSUE_REASONS(X)
#undef X
    CF_REISSUE_COUNT
};

enum cf_channel {
    CF_CHANNEL_NONE,
#define X(value, ...) CF_CHANNEL_##value,
    CF_CHANNELS(X)
#undef X
    CF_CHANNEL_COUNT
};

enum cf_sex {
    CF_SEX_NONE,
#define X(value, ...) CF_SEX_##value,
    CF_SEXES(X)
#undef X
    CF_SEX_COUNT
};

enum cf_photo_choice {
    CF_PHOTO_NONE,
#define X(value, ...) CF_PHOTO_##value,
    CF_PHOTO_CHOICES(X)
#undef X
    CF_PHOTO_COUNT
};

enum cf_app_state {
    CF_APP_NONE,
#define X(value, ...) CF_APP_##value,
    CF_APP_STATES(X)
#undef X
    CF_APP_COUNT
};

enum cf_close_reason {
    CF_CLOSE_NONE,
#define X(value, ...) CF_CLOSE_##value,
    CF_CLOSE_REASONS(X)
#undef X
    CF_CLOSE_COUNT
};

enum cf_card_state {
    CF_CARD_NONE,
#define X(value, ...) CF_CARD_##value,
    CF_CARD_STATES(X)
#undef X
    CF_CARD_COUNT
};

enum cf_card_kind {
    CF_CARD_KIND_NONE,
#define X(value, ...) CF_CARD_KIND_##value,
    CF_CARD_KINDS(X)
#undef X
    CF_CARD_KIND_COUNT
};

enum cf_lang {
    CF_LANG_NONE,
#define X(value, ...) CF_LANG_##value,
    CF_LANGS(X)
#undef X
    CF_LANG_COUNT
};

const char *cf_app_kind_name(enum cf_app_kind value);
enum cf_app_kind cf_app_kind_parse(struct cf_str name);
const char *cf_reissue_reason_name(enum cf_reissue_reason value);
enum cf_reissue_reason cf_reissue_reason_parse(struct cf_str name);
const char *cf_channel_name(enum cf_channel value);
enum cf_channel cf_channel_parse(struct cf_str name);
const char *cf_sex_name(enum cf_sex value);
enum cf_sex cf_sex_parse(struct cf_str name);
const char *cf_photo_choice_name(enum cf_photo_choice value);
enum cf_photo_choice cf_photo_choice_parse(struct cf_str name);
const char *cf_app_state_name(enum cf_app_state value);
enum cf_app_state cf_app_state_parse(struct cf_str name);
const char *cf_close_reason_name(enum cf_close_reason value);
enum cf_close_reason cf_close_reason_parse(struct cf_str name);
const char *cf_card_state_name(enum cf_card_state value);
enum cf_card_state cf_card_state_parse(struct cf_str name);
const char *cf_card_kind_name(enum cf_card_kind value);
enum cf_card_kind cf_card_kind_parse(struct cf_str name);
const char *cf_lang_name(enum cf_lang value);
enum cf_lang cf_lang_parse(struct cf_str name);

/* 男 and 女 of Chinese rosters, or male and female. */
enum cf_sex cf_sex_parse_zh(struct cf_str text);
const char *cf_sex_label(enum cf_sex sex, enum cf_lang lang);

/* The label the public sees; empty for NONE. */
const char *cf_app_state_label(enum cf_app_state state, enum cf_lang lang);
/* The same, where the state alone does not tell: a received application that waits for its
 * enrolment record, and a collected card that has been activated since. */
const char *cf_app_state_label_detail(enum cf_app_state state, bool waits_for_enrolment,
                                      bool activated, enum cf_lang lang);
/* Is it an end: no event leads out of it? */
bool cf_app_state_is_end(enum cf_app_state state);

/* The one-digit code of the card's state; -1 for reserved, voided and NONE (hidden). */
int cf_card_state_code(enum cf_card_state state);
/* NONE for a code that does not exist. */
enum cf_card_state cf_card_state_of_code(int code);
const char *cf_card_state_label(enum cf_card_state state, enum cf_lang lang);
/* normal, app_locked and temporary_loss: at most one such permanent card a holder. */
bool cf_card_state_is_usable(enum cf_card_state state);
