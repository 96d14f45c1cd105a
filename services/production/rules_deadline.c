/* The clock of an accepted application. */
#include "services/production/rules_deadline.h"

#include "common/pure/deadline.h"
#include "services/production/rules_inside.h"

bool production_deadline_is_open(const struct production_app *app)
{
    if (app->due_on <= 0 || !production_app_is_open(app)) return false;
    return app->state != CF_APP_READY_FOR_PICKUP;
}

static cf_ms overdue_at(const struct production_app *app)
{
    return cf_ms_of_day(app->due_on + 1);
}

/* 0: a deadline of no days has no warning. */
static cf_ms warn_at(const struct production_app *app, const struct production_world *w)
{
    if (app->working_days <= 0 || w->policy->warn_days <= 0) return 0;
    cf_day day = cf_add_workdays(w->calendar, app->due_on, -w->policy->warn_days);
    return cf_ms_of_day(day < app->accepted_on ? app->accepted_on : day);
}

/* ---- telling ------------------------------------------------------------------------------- */

static struct production_effect *tell(struct production_slot *slot,
                                      enum production_effect_kind kind, const char *what,
                                      struct production_effects *fx)
{
    const struct production_app *app = &slot->app;
    struct production_effect *e = production_about_app(fx, kind, slot);
    e->word = what;
    e->deadline = (struct production_told){.due_on = app->due_on,
                                           .working_days = app->working_days,
                                           .provisional = app->provisional,
                                           .warned = app->warned,
                                           .overdue = app->overdue};
    return e;
}

/* Marks of days before `silent_before` are told to nobody. A warning that has been overtaken is no
 * news either. */
static void put_marks(struct production_slot *slot, const struct production_world *w,
                      cf_ms silent_before, struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    if (!production_deadline_is_open(app)) return;
    cf_ms warn = warn_at(app, w), over = overdue_at(app);
    bool late = over <= w->now;
    if (!app->warned && warn && warn <= w->now) {
        app->warned = true;
        tell(slot, PRODUCTION_FX_MARKED, "warned", fx)->deadline.silent =
            late || warn < silent_before;
    }
    if (!app->overdue && late) {
        app->overdue = true;
        tell(slot, PRODUCTION_FX_MARKED, "overdue", fx)->deadline.silent = over < silent_before;
    }
}

void production_deadline_begin(struct production_slot *slot, const struct production_world *w,
                               struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    const struct cf_policy *policy =
        app->accepted_on > 0 ? cf_policy_find(w->deadlines, app->kind, app->accepted_on) : NULL;
    app->working_days = policy ? policy->working_days : 0;
    put_marks(slot, w, cf_ms_of_day(cf_day_of_ms(w->now)), fx);
}

void production_deadline_due(struct production_holder *h, const struct production_world *w,
                             struct production_effects *fx)
{
    put_marks(&h->permanent, w, 0, fx);
    put_marks(&h->temporary, w, 0, fx);
}

static cf_ms next_mark(const struct production_app *app, const struct production_world *w)
{
    if (!production_deadline_is_open(app)) return 0;
    cf_ms warn = app->warned ? 0 : warn_at(app, w);
    if (warn) return warn;
    return app->overdue ? 0 : overdue_at(app);
}

cf_ms production_deadline_next_due(const struct production_holder *h,
                                   const struct production_world *w)
{
    cf_ms a = next_mark(&h->permanent.app, w), b = next_mark(&h->temporary.app, w);
    if (!a || !b) return a ? a : b;
    return a < b ? a : b;
}

/* ---- another date -------------------------------------------------------------------------- */

/* A mark whose day is still to come by the new date does not stand any more, and comes again. */
static void postpone(struct production_slot *slot, const struct cf_deadline *d, const char *what,
                     struct cf_str reason, const struct production_world *w,
                     struct production_effects *fx)
{
    struct production_app *app = &slot->app;
    cf_day before = app->due_on;
    app->due_on = d->due_on;
    app->working_days = d->working_days;
    app->provisional = d->provisional;
    if (warn_at(app, w) > w->now) app->warned = false;
    if (overdue_at(app) > w->now) app->overdue = false;
    struct production_effect *e = tell(slot, PRODUCTION_FX_POSTPONED, what, fx);
    e->reason = reason;
    e->deadline.due_before = before;
    put_marks(slot, w, 0, fx);
}

static void answer(struct production_slot *slot, const struct production_extension *m,
                   const char *refusal, struct production_effects *fx)
{
    struct production_effect *e = slot ? production_about_app(fx, PRODUCTION_FX_ANSWERED, slot)
                                       : production_effect_add(fx, PRODUCTION_FX_ANSWERED);
    memcpy(e->app_id, m->app_id, 16);
    memcpy(e->command_id, m->command_id, 16);
    e->command = "extend_deadline";
    e->word = refusal ? "refused" : "done";
    e->notice = refusal != NULL;
    if (refusal) e->reasons[e->n_reasons++] = refusal;
}

static struct cf_deadline deadline_of(const struct production_app *app,
                                      const struct production_world *w)
{
    return (struct cf_deadline){
        .policy = app->accepted_on > 0 ? cf_policy_find(w->deadlines, app->kind, app->accepted_on) : NULL,
        .accepted_on = app->accepted_on,
        .working_days = app->working_days,
        .due_on = app->due_on};
}

static const char *refusal_of(const struct production_app *app,
                              const struct production_extension *m,
                              const struct production_world *w, struct cf_deadline *out)
{
    struct cf_deadline d = deadline_of(app, w);
    if (!production_deadline_is_open(app)) return "illegal_in_state";
    if (!m->reason.len) return "extension_without_reason";
    if (!d.policy || d.policy->extension_limit == 0) return "extension_not_allowed";
    if (cf_day_of_ms(w->now) > app->due_on) return "extension_too_late";
    return cf_deadline_extend(w->calendar, &d, d.working_days + m->days, out)
               ? NULL
               : "extension_past_limit";
}

enum production_fit production_on_extension(struct production_holder *h,
                                            const struct production_extension *m,
                                            const struct production_world *w,
                                            struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, m->app_id);
    struct cf_deadline longer;
    const char *refusal = slot ? refusal_of(&slot->app, m, w, &longer) : "illegal_in_state";
    if (!refusal) {
        slot->app.extended = true;
        postpone(slot, &longer, "extended", m->reason, w, fx);
    }
    answer(slot, m, refusal, fx);
    return PRODUCTION_MOVE;
}

enum production_fit production_on_recalculation(struct production_holder *h,
                                                const struct production_recalculation *m,
                                                const struct production_world *w,
                                                struct production_effects *fx)
{
    struct production_slot *slot = production_slot_of(h, m->app_id);
    if (!slot || !production_deadline_is_open(&slot->app)) return PRODUCTION_ENDED;
    struct production_app *app = &slot->app;
    struct cf_deadline d = cf_deadline_recount(w->calendar, w->deadlines, app->kind, app->accepted_on,
                                               app->extended ? app->working_days : 0);
    if (!d.policy || d.due_on != m->due_on || d.provisional != m->provisional)
        return PRODUCTION_AHEAD;
    if (d.due_on == app->due_on && d.provisional == app->provisional) return PRODUCTION_ALREADY;
    postpone(slot, &d, "recalculated", m->reason, w, fx);
    return PRODUCTION_MOVE;
}
