/* calendar -- which days are worked: weekends, public holidays, make-up workdays.
 *
 * Shapes   struct cf_calendar is loaded once and never changes; to change it, load a new one
 * Units    cf_day; see date.h
 * Owns     the calendar and its names live in the arena that was given to cf_calendar_load
 * Errors   CF_E_CONFIG, with the line number and the cause in struct cf_calendar_error
 * Source   notices of the State Council on holidays, as rows (date,kind,name); Monday to Friday
 *          are worked where no row says otherwise
 */
#pragma once
#include "common/pure/arena.h"
#include "common/pure/date.h"
#include "common/pure/error.h"

enum cf_day_kind {
    CF_DAY_WORKED,  /* Monday to Friday without a row */
    CF_DAY_WEEKEND, /* Saturday or Sunday without a row */
    CF_DAY_HOLIDAY,
    CF_DAY_MAKEUP /* a weekend day that is worked */
};

struct cf_calendar_row {
    cf_day day;
    enum cf_day_kind kind; /* CF_DAY_HOLIDAY or CF_DAY_MAKEUP */
    struct cf_str name;
};

struct cf_calendar {
    const struct cf_calendar_row *rows; /* ascending, no day twice */
    size_t n;
    cf_day coverage_from;  /* 1 January of the first year with a row */
    cf_day coverage_until; /* 31 December of the last: a due date after it is provisional */
};

struct cf_calendar_error {
    unsigned line; /* from 1, the header is line 1 */
    const char *why;
};

/* csv: the bytes of calendar.csv, header `date,kind,name`. *out is filled only on success. */
CF_MUST int cf_calendar_load(struct cf_arena *arena, struct cf_str csv, struct cf_calendar *out,
                             struct cf_calendar_error *error);

enum cf_day_kind cf_day_kind_of(const struct cf_calendar *cal, cf_day day);
/* The name of the row of that day, or an empty text. */
struct cf_str cf_day_name(const struct cf_calendar *cal, cf_day day);
bool cf_is_workday(const struct cf_calendar *cal, cf_day day);

/* The n-th working day after start (the day after start can be day 1). n = 0: start itself, or
 * the next working day when start is not worked. n < 0: the n-th working day before start. */
cf_day cf_add_workdays(const struct cf_calendar *cal, cf_day start, int n);
/* Working days after `from` up to and with `to`; negative when `to` is before `from`. */
int cf_workdays_between(const struct cf_calendar *cal, cf_day from, cf_day to);
/* The last working day of the month in which day falls. */
cf_day cf_last_workday_of_month(const struct cf_calendar *cal, cf_day day);
