/* year -- a year of a small city by the test clock: everybody has a part to play.
 *
 * year.c        time: who does something next, which timer fires
 * year_parts.c  the parts: what each person does, and what the bank does for them
 * year_said.c   what is written down: events, messages, timers that fired
 * year.py       when all of that must have happened, counted from the calendar anew
 */
#pragma once
#include "tests/city/city.h"

/* clang-format off */
/* X(VALUE, "name", persons) */
#define YEAR_PARTS(X)                                                                        \
    X(STRAIGHT,           "straight",           30) /* applies, collects, activates */       \
    X(NEVER_ENROLLED,     "never_enrolled",     30)                                          \
    X(NOT_PUT_RIGHT,      "not_put_right",      30) /* the phone stays wrong */              \
    X(NO_PHOTO,           "no_photo",           30) /* none is ever given */                 \
    X(ACCOUNT_FAILED,     "account_failed",     30)                                          \
    X(UNANSWERED,         "unanswered",         20) /* the bank never answers */             \
    X(BANK_BACK,          "bank_back",          20) /* after eleven days it answers all */   \
    X(NOT_COLLECTED,      "not_collected",      30)                                          \
    X(COLLECTED_LATE,     "collected_late",     20) /* after 200 days */                     \
    X(LOST,               "lost",               30) /* reported by phone, nothing follows */ \
    X(BANK_DEAF,          "bank_deaf",          20) /* hears of the loss three hours later */ \
    X(TOO_EARLY,          "too_early",          20) /* activates what is not collected */    \
    X(AHEAD,              "ahead",              20) /* the bank's answers in no order */   \
    X(OLD_CARD,           "old_card",           30) /* imported, its ten years end */        \
    X(TEMPORARY,          "temporary",          30)                                          \
    X(TEMPORARY_LONGER,   "temporary_longer",   20) /* extended as often as may be */        \
    X(TEMPORARY_LEFT,     "temporary_left",     20) /* never fetched */                      \
    X(POLICE_AWAY,        "police_away",        10) /* the first five questions fail */      \
    X(SMS_AWAY,           "sms_away",            2) /* every message fails */                \
    X(ORDER_IDLE,         "order_idle",         30) /* a work order: nobody does anything */ \
    X(ORDER_EXTENDED,     "order_extended",     20)                                          \
    X(ORDER_SILENT,       "order_silent",       30) /* replied, and nothing is heard */      \
    X(UNIT_DONE,          "unit_done",          20) /* a new unit, and nobody is missing */  \
    X(UNIT_LATE,          "unit_late",          40) /* somebody is, for 45 days */
/* clang-format on */

enum year_part {
#define X(value, name, persons) PART_##value,
    YEAR_PARTS(X)
#undef X
        YEAR_PART_COUNT
};

struct year_person {
    enum year_part part;
    cf_ms begins;
    struct city_person person;
    uint8_t app[16];
    char order_no[24];
    struct cf_key order, unit;
    char unit_code[16];
    cf_ms deaf_until;
    size_t lines[4], n_lines; /* of a bank that was away */
    uint32_t asked;  /* questions to the police */
    char card[16];   /* the number of the card made last */
};

/* ---- year.c ---------------------------------------------------------------------------------- */

typedef void year_act(struct year_person *p, size_t line);
/* At that time; line: of the bank's lines, or 0. */
void year_later(cf_ms at, struct year_person *p, year_act *act, size_t line);

/* ---- year_parts.c ---------------------------------------------------------------------------- */

const char *year_part_name(enum year_part part);
/* Everybody, spread over a year from `from` on. */
void year_people(cf_ms from);
struct year_person *year_find(const struct cf_key *key);
struct year_person *year_find_order(const struct cf_key *order);
struct year_person *year_find_unit(const struct cf_key *unit);
/* The bank has got a line. */
void year_line(size_t line);
/* What the police, or the gateway, say. */
struct sim_answer year_partner(const struct city_work *w);

/* ---- year_said.c ----------------------------------------------------------------------------- */

/* "at <tab> who <tab> part <tab> words": who is a number, 0 for nobody. */
void year_say(cf_ms at, const struct year_person *p, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
