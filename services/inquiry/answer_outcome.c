/* The outcome of one application: reasons with texts, receipt, the deadline and why then. */
#include "common/pure/reasons.h"
#include "services/inquiry/answer.h"

enum { DAYS_EXPLAINED = 400 };

static void out_day(struct cf_out *o, const char *name, cf_day day)
{
    char text[11];
    if (day > 0)
        cf_out_z(o, name, cf_day_text(day, text));
    else
        cf_out_null(o, name);
}

static void out_pair(struct cf_out *o, const char *name, const char *zh, const char *en)
{
    cf_out_object(o, name);
    cf_out_z(o, "zh", zh);
    cf_out_z(o, "en", en);
    cf_out_end(o);
}

/* A code that this version does not know is told as it is. */
static void out_reason(struct cf_out *o, struct cf_str code, cf_day respond_by)
{
    enum cf_reason reason = cf_reason_parse(code);
    const struct cf_reason_info *info = reason < CF_REASON_COUNT ? cf_reason_info(reason) : NULL;
    cf_out_object(o, NULL);
    cf_out_text(o, "code", code);
    cf_out_z(o, "field", info ? info->field : NULL);
    out_pair(o, "text", info ? info->text_zh : "", info ? info->text_en : "");
    cf_out_z(o, "cure", info ? info->cure_zh : NULL);
    cf_out_z(o, "cure_en", info ? info->cure_en : NULL);
    bool curable = !info || info->respond_days > 0;
    out_day(o, "respond_by", curable ? respond_by : 0);
    cf_out_end(o);
}

/* Why it stands where it stands: of the owner of its state, else the single reason of its step. */
static void out_reasons(struct cf_out *o, const struct inquiry_app *app)
{
    const struct inquiry_entry *why = app->owner;
    cf_out_array(o, "reasons");
    for (size_t i = 0; i < why->n_reasons; i++)
        out_reason(o, why->reasons[i], why->respond_by);
    const struct inquiry_mark *last = why->n_marks ? &why->marks[why->n_marks - 1] : NULL;
    if (!why->n_reasons && last && last->reason.len) out_reason(o, last->reason, why->respond_by);
    cf_out_end(o);
}

static void out_warnings(struct cf_out *o, uint32_t warnings)
{
    cf_out_array(o, "warnings");
    for (unsigned i = 0; i < CF_WARN_COUNT; i++)
        if (warnings >> i & 1) cf_out_z(o, NULL, cf_warning_name(i));
    cf_out_end(o);
}

static void out_phones(struct cf_out *o, const char *phones)
{
    cf_out_array(o, "phones");
    while (*phones) {
        size_t n = strcspn(phones, ",");
        if (n) cf_out_text(o, NULL, (struct cf_str){phones, n});
        phones += n + (phones[n] == ',');
    }
    cf_out_end(o);
}

static void out_receipt(struct cf_out *o, const struct inquiry_answer *in,
                        const struct inquiry_app *app)
{
    const struct inquiry_entry *intake = app->said[INQUIRY_INTAKE],
                               *line = app->said[INQUIRY_PRODUCTION];
    if (!intake || !intake->receipt_no.len) {
        cf_out_null(o, "receipt");
        return;
    }
    cf_out_object(o, "receipt");
    cf_out_text(o, "receipt_no", intake->receipt_no);
    struct cf_str outlet = line && line->outlet.len ? line->outlet : intake->outlet;
    cf_out_text(o, "pickup_outlet", outlet.len ? outlet : (struct cf_str){0});
    out_day(o, "promised_date", line ? line->promised_on : 0);
    out_phones(o, in->phones);
    cf_out_end(o);
}

/* ---- the deadline --------------------------------------------------------------------------- */

static void out_days(struct cf_out *o, const struct cf_explanation *x)
{
    cf_out_array(o, "counted");
    for (size_t i = 0; i < x->counted_n; i++)
        out_day(o, NULL, x->counted[i].day);
    cf_out_end(o);
    cf_out_array(o, "skipped");
    for (size_t i = 0; i < x->skipped_n; i++) {
        const struct cf_skipped_day *d = &x->skipped[i];
        cf_out_object(o, NULL);
        out_day(o, "date", d->day);
        cf_out_text(o, "name", d->name.len ? d->name : CF_STR("周末"));
        cf_out_end(o);
    }
    cf_out_end(o);
}

static void out_deadline(struct cf_out *o, const struct inquiry_answer *in,
                         const struct inquiry_app *app)
{
    const struct inquiry_entry *e = app->said[INQUIRY_INTAKE];
    if (!e || !e->accepted || !e->due_on) {
        cf_out_null(o, "deadline");
        return;
    }
    struct cf_deadline d = cf_deadline_compute(in->calendar, app->kind, e->accepted_on);
    /* The date that was promised counts; it is explained as far as it reaches. */
    d.due_on = e->due_on;
    bool sane = e->due_on - e->accepted_on < DAYS_EXPLAINED;
    const struct cf_explanation x =
        sane ? cf_deadline_explain(in->calendar, &d, in->arena) : (struct cf_explanation){0};
    size_t n;
    const struct cf_policy *all = cf_policies(&n);
    const struct cf_policy *policy =
        e->policy < n && all[e->policy].kind == app->kind ? &all[e->policy] : d.policy;
    cf_out_object(o, "deadline");
    cf_out_z(o, "policy", policy ? policy->id : NULL);
    cf_out_int(o, "working_days", policy ? policy->working_days : 0);
    out_day(o, "accepted_on", e->accepted_on);
    out_day(o, "due_on", e->due_on);
    cf_out_bool(o, "provisional", e->provisional || e->due_on > in->calendar->coverage_until);
    cf_out_z(o, "waiting_on", app->waiting_on_holder ? "holder" : NULL);
    out_days(o, &x);
    cf_out_end(o);
}

static void out_timeline(struct cf_out *o, const struct inquiry_answer *in,
                         const struct inquiry_app *app)
{
    size_t n;
    char at[30];
    const struct inquiry_mark *marks = inquiry_timeline(in->arena, app, &n);
    cf_out_array(o, "timeline");
    for (size_t i = 0; i < n; i++) {
        cf_out_object(o, NULL);
        cf_out_z(o, "state", cf_app_state_name(marks[i].state));
        cf_out_z(o, "at", cf_rfc3339_text(marks[i].at, at));
        out_pair(o, "label", cf_app_state_label(marks[i].state, CF_LANG_ZH),
                 cf_app_state_label(marks[i].state, CF_LANG_EN));
        if (marks[i].reason.len) cf_out_text(o, "reason", marks[i].reason);
        cf_out_end(o);
    }
    cf_out_end(o);
}

static struct cf_str notice_no(const struct inquiry_app *app)
{
    for (int i = 2; i >= 0; i--)
        if (app->said[i] && app->said[i]->notice_no.len) return app->said[i]->notice_no;
    return (struct cf_str){0};
}

void inquiry_answer_outcome(struct cf_buf *to, const struct inquiry_answer *in,
                            const struct inquiry_app *app)
{
    char text[37];
    const struct inquiry_entry *intake = app->said[INQUIRY_INTAKE];
    struct cf_out o = cf_out_to(to);
    cf_uuid_text(app->id, text);
    cf_out_object(&o, NULL);
    cf_out_z(&o, "application_id", text);
    cf_out_z(&o, "kind", cf_app_kind_name(app->kind));
    cf_out_text(&o, "channel",
                intake && intake->channel.len ? intake->channel : (struct cf_str){0});
    cf_out_z(&o, "state", cf_app_state_name(app->state));
    out_pair(&o, "label",
             cf_app_state_label_detail(app->state, app->waits, app->activated, CF_LANG_ZH),
             cf_app_state_label_detail(app->state, app->waits, app->activated, CF_LANG_EN));
    cf_out_z(&o, "outcome", inquiry_outcome_name(app->outcome));
    out_reasons(&o, app);
    cf_out_text(&o, "notice_no", notice_no(app));
    out_warnings(&o, intake ? intake->warnings : 0);
    out_receipt(&o, in, app);
    out_deadline(&o, in, app);
    out_timeline(&o, in, app);
    cf_out_z(&o, "as_of", cf_rfc3339_text(in->facts->as_of, text));
    cf_out_z(&o, "source", in->from_cache ? "cache" : "store");
    cf_out_end(&o);
}
