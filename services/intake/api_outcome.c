/* The outcome of an application as JSON: reasons, receipt, deadline and how it came about. */
#include "services/intake/api.h"

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

static void day_out(struct cf_out *o, const char *name, cf_day day)
{
    char text[11];
    if (day == CF_DAY_NONE || day == 0)
        cf_out_null(o, name);
    else
        cf_out_z(o, name, cf_day_text(day, text));
}

static void event_out(struct cf_out *o, const char *state, cf_ms at)
{
    char text[30];
    cf_out_object(o, NULL);
    cf_out_z(o, "state", state);
    cf_out_z(o, "at", cf_rfc3339_text(at, text));
    cf_out_end(o);
}

void intake_phones_out(struct cf_out *o, const struct intake_front *front)
{
    struct cf_str s = cf_str_of(front->settings.service_phones);
    cf_out_array(o, "phones");
    while (s.len) {
        const char *comma = memchr(s.ptr, ',', s.len);
        size_t n = comma ? (size_t)(comma - s.ptr) : s.len;
        if (n) cf_out_text(o, NULL, (struct cf_str){s.ptr, n});
        s.ptr += comma ? n + 1 : n;
        s.len -= comma ? n + 1 : n;
    }
    cf_out_end(o);
}

static void receipt_out(struct cf_out *o, const struct intake_front *front,
                        const struct intake_application *app)
{
    const struct intake_outlet *outlet =
        intake_outlet_find(&front->outlets, app->bank_code, app->outlet_code);
    cf_out_object(o, "receipt");
    cf_out_text(o, "receipt_no", app->receipt_no);
    cf_out_object(o, "pickup_outlet");
    cf_out_text(o, "bank_code", app->bank_code);
    cf_out_text(o, "outlet_code", app->outlet_code);
    if (outlet) {
        cf_out_text(o, "bank_name", outlet->bank_name);
        cf_out_text(o, "outlet_name", outlet->outlet_name);
    }
    cf_out_end(o);
    /* The bank's shard promises a date when the line is queued; inquiry shows it then. */
    cf_out_null(o, "promised_date");
    intake_phones_out(o, front);
    cf_out_end(o);
}

void intake_deadline_out(struct cf_out *o, const struct intake_front *front, struct cf_arena *a,
                         const struct intake_application *app)
{
    const struct cf_calendar *cal = front->app->calendar;
    struct cf_deadline d = cf_deadline_compute(cal, (enum cf_app_kind)app->kind, app->accepted_on);
    if (!d.policy) {
        cf_out_null(o, "deadline");
        return;
    }
    struct cf_explanation x = cf_deadline_explain(cal, &d, a);
    cf_out_object(o, "deadline");
    cf_out_z(o, "policy", d.policy->id);
    cf_out_int(o, "working_days", d.working_days);
    day_out(o, "accepted_on", d.accepted_on);
    day_out(o, "due_on", d.due_on);
    cf_out_bool(o, "provisional", d.provisional);
    cf_out_null(o, "waiting_on");
    cf_out_array(o, "counted");
    for (size_t i = 0; i < x.counted_n; i++) {
        char text[11];
        cf_out_z(o, NULL, cf_day_text(x.counted[i].day, text));
    }
    cf_out_end(o);
    cf_out_array(o, "skipped");
    for (size_t i = 0; i < x.skipped_n; i++) {
        const struct cf_skipped_day *s = &x.skipped[i];
        cf_out_object(o, NULL);
        day_out(o, "date", s->day);
        cf_out_text(o, "name", s->name.len ? s->name : CF_STR("周末"));
        cf_out_end(o);
    }
    cf_out_end(o);
    cf_out_end(o);
}

static void reasons_out(struct cf_out *o, const struct intake_application *app)
{
    struct cf_reason_set set;
    cf_out_array(o, "reasons");
    if (cf_reason_set_parse(app->reasons, &set))
        for (enum cf_reason r = cf_reason_set_next(&set, 0); r < CF_REASON_COUNT;
             r = cf_reason_set_next(&set, r + 1))
            intake_reason_out(o, r, app->respond_by);
    cf_out_end(o);
    cf_out_array(o, "warnings");
    for (unsigned i = 0; i < CF_WARN_COUNT; i++)
        if ((uint32_t)app->warnings >> i & 1u) cf_out_z(o, NULL, cf_warning_name(i));
    cf_out_end(o);
}

void intake_outcome_out(struct cf_out *o, const struct intake_front *front, struct cf_arena *a,
                        const struct intake_view *v)
{
    const struct intake_application *app = &v->app;
    enum cf_app_state state = (enum cf_app_state)app->state;
    bool waits = state == CF_APP_RECEIVED;
    cf_out_z(o, "state", cf_app_state_name(state));
    cf_out_object(o, "label");
    cf_out_z(o, "zh", cf_app_state_label_detail(state, waits, false, CF_LANG_ZH));
    cf_out_z(o, "en", cf_app_state_label_detail(state, waits, false, CF_LANG_EN));
    cf_out_end(o);
    cf_out_z(o, "outcome", outcome_name(app->outcome));
    reasons_out(o, app);
    if (app->notice_no.len && app->outcome != INTAKE_ACCEPT)
        cf_out_text(o, "notice_no", app->notice_no);
    if (app->outcome == INTAKE_ACCEPT) {
        receipt_out(o, front, app);
        intake_deadline_out(o, front, a, app);
    } else {
        cf_out_null(o, "receipt");
        cf_out_null(o, "deadline");
    }
    cf_out_array(o, "timeline");
    event_out(o, cf_app_state_name(CF_APP_RECEIVED), app->submitted_at);
    if (!waits) event_out(o, cf_app_state_name(state), app->judged_at);
    cf_out_end(o);
}
