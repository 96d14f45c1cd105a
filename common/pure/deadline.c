#include "common/pure/deadline.h"

void cf_deadline_set_warn(const struct cf_calendar *cal, struct cf_deadline *d, int warn_days)
{
    d->warn_on = CF_DAY_NONE;
    if (!d->policy || d->working_days == 0 || warn_days <= 0) return;
    cf_day warn = cf_add_workdays(cal, d->due_on, -warn_days);
    d->warn_on = warn < d->accepted_on ? d->accepted_on : warn;
}

/* Fills what follows from policy, accepted_on and working_days. */
static void fill(const struct cf_calendar *cal, struct cf_deadline *d)
{
    d->due_on = cf_add_workdays(cal, d->accepted_on, d->working_days);
    d->overdue_on = d->due_on + 1;
    /* Before the first year of the calendar nothing is known either. */
    d->provisional = d->due_on > cal->coverage_until || d->accepted_on < cal->coverage_from;
    cf_deadline_set_warn(cal, d, CF_WARN_DAYS);
}

struct cf_deadline cf_deadline_compute(const struct cf_calendar *cal,
                                       const struct cf_policies *policies, enum cf_app_kind kind,
                                       cf_day accepted_on)
{
    struct cf_deadline d = {.policy = cf_policy_find(policies, kind, accepted_on),
                            .accepted_on = accepted_on,
                            .due_on = CF_DAY_NONE,
                            .warn_on = CF_DAY_NONE,
                            .overdue_on = CF_DAY_NONE};
    if (!d.policy) return d;
    d.working_days = d.policy->working_days;
    fill(cal, &d);
    return d;
}

struct cf_deadline cf_deadline_recount(const struct cf_calendar *cal,
                                       const struct cf_policies *policies, enum cf_app_kind kind,
                                       cf_day accepted_on, int extended_to)
{
    struct cf_deadline d = cf_deadline_compute(cal, policies, kind, accepted_on);
    if (!d.policy || extended_to <= d.working_days) return d;
    d.working_days = extended_to;
    fill(cal, &d);
    return d;
}

bool cf_deadline_extend(const struct cf_calendar *cal, const struct cf_deadline *d,
                        int working_days, struct cf_deadline *out)
{
    if (!d->policy || working_days <= d->working_days || working_days > d->policy->extension_limit)
        return false;
    struct cf_deadline longer = *d;
    longer.working_days = working_days;
    fill(cal, &longer);
    *out = longer;
    return true;
}

struct cf_explanation cf_deadline_explain(const struct cf_calendar *cal,
                                          const struct cf_deadline *d, struct cf_arena *arena)
{
    struct cf_explanation e = {0};
    if (!d->policy) return e;
    /* A deadline of no days does not count; it may still skip the acceptance day and more. */
    cf_day first = d->working_days == 0 ? d->accepted_on : d->accepted_on + 1;
    size_t days = d->due_on < first ? 0 : (size_t)(d->due_on - first) + 1;
    struct cf_counted_day *counted = cf_arena_alloc(arena, days * sizeof *counted);
    struct cf_skipped_day *skipped = cf_arena_alloc(arena, days * sizeof *skipped);
    for (cf_day day = first; day <= d->due_on; day++) {
        if (!cf_is_workday(cal, day))
            skipped[e.skipped_n++] =
                (struct cf_skipped_day){day, cf_day_kind_of(cal, day), cf_day_name(cal, day)};
        else if (d->working_days > 0)
            counted[e.counted_n] = (struct cf_counted_day){(int)e.counted_n + 1, day},
            e.counted_n++;
    }
    e.counted = counted;
    e.skipped = skipped;
    return e;
}

bool cf_promised_late(enum cf_app_state state, cf_day promised_on, cf_day due_on)
{
    bool there = state == CF_APP_READY_FOR_PICKUP || cf_app_state_is_end(state);
    return !there && promised_on > 0 && due_on > 0 && promised_on > due_on;
}
