#include "services/intake/rules_unit.h"

enum { FIRST_WARNING_DAYS = 5, SECOND_WARNING_DAYS = 2 };

const char *intake_unit_mark_name(enum intake_unit_mark mark)
{
    static const char *const names[] = {
#define X(value, name) name,
        INTAKE_UNIT_MARKS(X)
#undef X
    };
    return names[mark];
}

struct intake_unit_clock intake_unit_start(const struct cf_calendar *cal, cf_day registered_on,
                                           cf_ms now)
{
    return (struct intake_unit_clock){.registered_on = registered_on,
                                      .due_on = cf_last_workday_of_month(cal, registered_on),
                                      .heard_on = cf_day_of_ms(now)};
}

static bool has(unsigned bits, enum intake_unit_mark mark)
{
    return (bits >> mark & 1u) != 0;
}

/* The day of a mark, by the calendar of now. */
static cf_day day_of(const struct cf_calendar *cal, const struct intake_unit_clock *c,
                     enum intake_unit_mark mark)
{
    if (mark == INTAKE_UNIT_WARNED_5) return cf_add_workdays(cal, c->due_on, -FIRST_WARNING_DAYS);
    if (mark == INTAKE_UNIT_WARNED_2) return cf_add_workdays(cal, c->due_on, -SECOND_WARNING_DAYS);
    return c->due_on + 1;
}

cf_ms intake_unit_next(const struct cf_calendar *cal, const struct intake_unit_clock *c, cf_ms now)
{
    if (!c->due_on || c->met_on) return 0;
    for (int m = INTAKE_UNIT_WARNED_5; m <= INTAKE_UNIT_OVERDUE; m++)
        if (!has(c->passed, (enum intake_unit_mark)m)) {
            cf_ms at = cf_ms_of_day(day_of(cal, c, (enum intake_unit_mark)m));
            return at > now ? at : now;
        }
    /* Overdue: every day, until nobody is missing. */
    return cf_ms_of_day(cf_day_of_ms(now) + 1);
}

size_t intake_unit_counted(const struct cf_calendar *cal, struct intake_unit_clock *c,
                           uint32_t missing, cf_ms now,
                           struct intake_unit_said said[INTAKE_UNIT_MARK_COUNT])
{
    size_t n = 0;
    cf_day today = cf_day_of_ms(now);
    if (!c->due_on || c->met_on) return 0;
    c->due_on = cf_last_workday_of_month(cal, c->registered_on);
    for (int m = INTAKE_UNIT_WARNED_5; m <= INTAKE_UNIT_OVERDUE; m++) {
        enum intake_unit_mark mark = (enum intake_unit_mark)m;
        cf_day day = day_of(cal, c, mark);
        if (has(c->passed, mark) || day > today) continue;
        c->passed |= 1u << m;
        if (missing == 0) continue;
        c->marks |= 1u << m;
        if (n) said[n - 1].silent = true; /* overtaken */
        said[n++] = (struct intake_unit_said){mark, day < c->heard_on};
    }
    if (missing == 0 && today > c->due_on) {
        c->met_on = today;
        said[n++] = (struct intake_unit_said){INTAKE_UNIT_MET, !has(c->marks, INTAKE_UNIT_OVERDUE)};
    }
    return n;
}
