/* deadline -- by when a card must be ready, and why then.
 *
 * Shapes   a policy row is found by (kind, acceptance day) and holds for the whole life of the
 *          application; explanations live in the caller's arena
 * Units    cf_day; working days
 * Errors   none
 * Source   Measures 2015 (30 working days); rule of 2018-02-01 (7 working days, extension on
 *          record up to 30 in all)
 */
#pragma once
#include "common/pure/calendar.h"
#include "common/pure/policy.h"

struct cf_deadline {
    const struct cf_policy *policy; /* NULL: no policy for that kind and day */
    cf_day accepted_on;
    int working_days; /* of the policy, or with the extension */
    cf_day due_on;    /* CF_DAY_NONE without a policy */
    cf_day warn_on;   /* CF_DAY_NONE for a deadline of 0 days */
    cf_day overdue_on;
    bool provisional; /* past the calendar's coverage */
};

struct cf_counted_day {
    int n; /* 1 for the first */
    cf_day day;
};

struct cf_skipped_day {
    cf_day day;
    enum cf_day_kind kind; /* CF_DAY_WEEKEND or CF_DAY_HOLIDAY */
    struct cf_str name;    /* the holiday; empty for a weekend */
};

struct cf_explanation {
    const struct cf_counted_day *counted;
    size_t counted_n;
    const struct cf_skipped_day *skipped;
    size_t skipped_n;
};

#define CF_WARN_DAYS 2

/* warn_on is CF_WARN_DAYS working days before due_on, never before accepted_on. */
struct cf_deadline cf_deadline_compute(const struct cf_calendar *cal,
                                       const struct cf_policies *policies, enum cf_app_kind kind,
                                       cf_day accepted_on);
/* Counted again: extended_to are working days in all that an extension has given, whatever the
 * policy of now allows; 0: there was none. */
struct cf_deadline cf_deadline_recount(const struct cf_calendar *cal,
                                       const struct cf_policies *policies, enum cf_app_kind kind,
                                       cf_day accepted_on, int extended_to);
/* The same with an extension on record: working days in all. False, with *out untouched, when
 * the policy allows no such extension. */
bool cf_deadline_extend(const struct cf_calendar *cal, const struct cf_deadline *d,
                        int working_days, struct cf_deadline *out);
/* Sets warn_on with another distance (setting deadline.warn_days). */
void cf_deadline_set_warn(const struct cf_calendar *cal, struct cf_deadline *d, int warn_days);
/* Every day from the acceptance to the due date, counted or skipped. */
struct cf_explanation cf_deadline_explain(const struct cf_calendar *cal,
                                          const struct cf_deadline *d, struct cf_arena *arena);
/* Is the card of an application under way promised for later than it is due? */
bool cf_promised_late(enum cf_app_state state, cf_day promised_on, cf_day due_on);
