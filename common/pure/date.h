/* date -- days and times of the civil calendar in Asia/Shanghai.
 *
 * Units    cf_day is days since 1970-01-01 as the wall calendar in Asia/Shanghai shows them;
 *          cf_ms is milliseconds since 1970-01-01T00:00:00Z
 * Errors   parsers return false and leave *out alone; nothing is guessed
 * Source   RFC 3339; GB/T 7408. Shanghai has kept UTC+8 since 1991-09-15, and no time of ours
 *          is older than that (birth dates are days, not times)
 */
#pragma once
#include "common/pure/str.h"

typedef int32_t cf_day;
typedef int64_t cf_ms;

#define CF_MS_PER_DAY 86400000
#define CF_SHANGHAI_OFFSET_MS (8 * 3600000)
/* No day: an empty birth date, a deadline that does not exist. */
#define CF_DAY_NONE INT32_MIN

struct cf_date {
    int year, month, day; /* month and day from 1 */
};

enum cf_weekday {
    CF_MONDAY = 1, /* ISO 8601 */
    CF_TUESDAY,
    CF_WEDNESDAY,
    CF_THURSDAY,
    CF_FRIDAY,
    CF_SATURDAY,
    CF_SUNDAY
};

/* Is it a date of the Gregorian calendar, years 1 to 9999? */
bool cf_date_real(int year, int month, int day);
/* The date must be real. */
cf_day cf_day_of_date(int year, int month, int day);
struct cf_date cf_date_of_day(cf_day day);
enum cf_weekday cf_weekday_of(cf_day day);

/* Exactly YYYY-MM-DD. */
bool cf_day_parse(struct cf_str text, cf_day *out);
/* YYYY-MM-DD and a zero; out is returned. CF_DAY_NONE gives an empty text. */
const char *cf_day_text(cf_day day, char out[11]);
/* "年" form for Chinese letters: 2026年3月7日 and a zero (at most 18 bytes). */
const char *cf_day_text_zh(cf_day day, char out[24]);

/* The day in Shanghai on which ms falls. */
cf_day cf_day_of_ms(cf_ms ms);
/* Midnight in Shanghai at the start of day. */
cf_ms cf_ms_of_day(cf_day day);
/* Minutes after midnight in Shanghai, 0 to 1439. */
int cf_minute_of_ms(cf_ms ms);

/* date-time of RFC 3339 with any offset; a fraction is cut to milliseconds; second 60 counts
 * as the next minute. A lower-case t or z is taken too. */
bool cf_rfc3339_parse(struct cf_str text, cf_ms *out);
/* 2026-03-31T08:30:00+08:00, with .123 when there are milliseconds; out is returned. */
const char *cf_rfc3339_text(cf_ms ms, char out[30]);

/* Full years between birth and a later day. Someone born on 29 February is a year older on
 * 1 March of a common year. Negative when day is before birth. */
int cf_age_on(cf_day birth, cf_day day);
/* The first day on which that age is reached; the last of 9999 where that comes later. */
cf_day cf_birthday(cf_day birth, int age);
