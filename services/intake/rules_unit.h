/* rules_unit -- the clock of a new unit: by the end of its month all its people have applied.
 *
 * Pure. Met when every person enrolled with the unit by the due date has an accepted application or
 * a card; the counts come from outside.
 *
 * Units    cf_day in Asia/Shanghai, 0 for none; cf_ms
 * Errors   none
 * Source   domain reference, "Enrolment and migration": new unit
 */
#pragma once
#include "common/pure/calendar.h"

/* clang-format off */
#define INTAKE_UNIT_MARKS(X)    \
    X(WARNED_5, "warned_5")     \
    X(WARNED_2, "warned_2")     \
    X(OVERDUE,  "overdue")      \
    X(MET,      "met")
/* clang-format on */

enum intake_unit_mark {
#define X(value, name) INTAKE_UNIT_##value,
    INTAKE_UNIT_MARKS(X)
#undef X
        INTAKE_UNIT_MARK_COUNT
};
const char *intake_unit_mark_name(enum intake_unit_mark mark);

struct intake_unit_clock {
    cf_day registered_on, due_on; /* due_on 0: no clock runs */
    cf_day heard_on;              /* marks of days before it are told to nobody */
    unsigned passed;              /* bits of marks whose day has been looked at */
    unsigned marks;               /* bits of marks at which somebody was missing */
    cf_day met_on;
};

struct intake_unit_said {
    enum intake_unit_mark mark;
    bool silent;
};

struct intake_unit_clock intake_unit_start(const struct cf_calendar *cal, cf_day registered_on,
                                           cf_ms now);
/* When the unit's people are to be counted next; 0: never more. now: it was just counted. */
cf_ms intake_unit_next(const struct cf_calendar *cal, const struct intake_unit_clock *c, cf_ms now);
/* So many are missing now: what is said, in order, up to INTAKE_UNIT_MARK_COUNT. */
size_t intake_unit_counted(const struct cf_calendar *cal, struct intake_unit_clock *c,
                           uint32_t missing, cf_ms now,
                           struct intake_unit_said said[INTAKE_UNIT_MARK_COUNT]);
