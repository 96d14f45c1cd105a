/* The outcome of an application as intake knows it. */
#include "common/io/outcome.h"
#include "services/intake/api.h"

enum { MARKS_MAX = 3 };

static const char *outcome_name(int outcome)
{
    switch ((enum intake_outcome)outcome) {
    case INTAKE_WAIT: return "pending";
    case INTAKE_ACCEPT: return "accepted";
    case INTAKE_NOTICE: return "notice";
    case INTAKE_REJECT: return "rejected";
    }
    return "pending";
}

static size_t reasons_of(struct cf_arena *a, struct cf_str joined, const struct cf_str **out)
{
    struct cf_reason_set set;
    struct cf_str *list = cf_arena_zero(a, (CF_REASON_COUNT + 1) * sizeof *list);
    size_t n = 0;
    if (cf_reason_set_parse(joined, &set))
        for (enum cf_reason r = cf_reason_set_next(&set, 0); r < CF_REASON_COUNT;
             r = cf_reason_set_next(&set, r + 1))
            list[n++] = cf_str_of(cf_reason_info(r)->code);
    *out = list;
    return n;
}

/* What intake itself decided, and how it ended; inquiry tells the steps in between. */
static size_t marks_of(const struct intake_view *v, struct cf_outcome_mark marks[MARKS_MAX])
{
    const struct intake_application *app = &v->app;
    size_t n = 0;
    cf_ms at = app->submitted_at;
    bool judged = app->state != CF_APP_RECEIVED;
    if (judged && (at <= 0 || at > app->judged_at)) at = app->judged_at;
    marks[n++] = (struct cf_outcome_mark){.state = CF_APP_RECEIVED, .at = at};
    if (judged)
        marks[n++] = (struct cf_outcome_mark){.state = (enum cf_app_state)app->state,
                                              .at = app->judged_at};
    if (v->ended_at)
        marks[n++] = (struct cf_outcome_mark){.state = (enum cf_app_state)v->state_now,
                                              .at = v->ended_at};
    return n;
}

struct cf_outcome_world intake_outcome_world(const struct intake_front *front)
{
    return (struct cf_outcome_world){front->app->calendar, front->app->policies, &front->outlets,
                                     front->settings.service_phones};
}

struct cf_outcome intake_outcome_of(struct cf_arena *a, const struct intake_view *v)
{
    const struct intake_application *app = &v->app;
    struct cf_outcome_mark *marks = cf_arena_zero(a, MARKS_MAX * sizeof *marks);
    struct cf_outcome x = {.kind = (enum cf_app_kind)app->kind,
                           .channel = cf_str_of(cf_channel_name((enum cf_channel)app->channel)),
                           .state = (enum cf_app_state)v->state_now,
                           .waits_for_enrolment = v->state_now == CF_APP_RECEIVED,
                           .activated_at = v->activated_at,
                           .outcome = outcome_name(app->outcome),
                           .respond_by = app->respond_by,
                           .notice_no = app->notice_no,
                           .warnings = (uint32_t)app->warnings,
                           .receipt_no = app->receipt_no,
                           .bank_code = app->bank_code,
                           .outlet_code = app->outlet_code,
                           .accepted_on = app->accepted_on,
                           .due_on = app->due_on,
                           .promised_on = v->promised_on,
                           .policy = (uint32_t)app->policy,
                           .working_days = app->working_days,
                           .provisional = app->provisional,
                           .waiting_on_holder = v->state_now == CF_APP_NOTICED,
                           .marks = marks};
    memcpy(x.id, v->id, 16);
    x.n_reasons = reasons_of(a, app->reasons, &x.reasons);
    x.n_marks = marks_of(v, marks);
    return x;
}

void intake_outcome_out(struct cf_out *o, const struct intake_front *front, struct cf_arena *a,
                        const struct intake_view *v)
{
    const struct cf_outcome_world world = intake_outcome_world(front);
    const struct cf_outcome x = intake_outcome_of(a, v);
    cf_outcome_out(o, &world, a, &x);
}
