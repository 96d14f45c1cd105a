#include "common/io/outcome.h"

#include "common/io/reason_out.h"
#include "common/pure/warnings.h"

/* A due date further away than this is not explained day by day. */
enum { DAYS_EXPLAINED = 400 };

/* ---- reasons, warnings ------------------------------------------------------------------------
 */

static void reason_out(struct cf_out *o, struct cf_str code, cf_day respond_by)
{
    enum cf_reason reason = cf_reason_parse(code);
    cf_out_object(o, NULL);
    cf_out_text(o, "code", code);
    cf_reason_out(o, reason);
    /* What cannot be put right has no last day. */
    bool curable = reason == CF_REASON_NONE || cf_reason_info(reason)->respond_days > 0;
    cf_out_day(o, "respond_by", curable ? respond_by : 0);
    cf_out_end(o);
}

static void judgement_out(struct cf_out *o, const struct cf_outcome *x)
{
    cf_out_array(o, "reasons");
    for (size_t i = 0; i < x->n_reasons; i++)
        reason_out(o, x->reasons[i], x->respond_by);
    cf_out_end(o);
    cf_out_some(o, "notice_no", x->notice_no);
    cf_out_array(o, "warnings");
    for (unsigned i = 0; i < CF_WARN_COUNT; i++)
        if (x->warnings >> i & 1u) cf_out_z(o, NULL, cf_warning_name(i));
    cf_out_end(o);
}

/* ---- receipt ----------------------------------------------------------------------------------
 */

static void phones_out(struct cf_out *o, const char *phones)
{
    cf_out_array(o, "phones");
    while (*phones) {
        size_t n = strcspn(phones, ",");
        if (n) cf_out_text(o, NULL, (struct cf_str){phones, n});
        phones += n + (phones[n] == ',');
    }
    cf_out_end(o);
}

static void outlet_out(struct cf_out *o, const struct cf_outlets *outlets,
                       const struct cf_outcome *x)
{
    const struct cf_outlet *outlet =
        outlets ? cf_outlet_find(outlets, x->bank_code, x->outlet_code) : NULL;
    cf_out_object(o, "pickup_outlet");
    cf_out_some(o, "bank_code", x->bank_code);
    cf_out_some(o, "outlet_code", x->outlet_code);
    cf_out_some(o, "bank_name", outlet ? outlet->bank_name : (struct cf_str){0});
    cf_out_some(o, "outlet_name", outlet ? outlet->outlet_name : (struct cf_str){0});
    cf_out_end(o);
}

static void receipt_out(struct cf_out *o, const struct cf_outcome_world *world,
                        const struct cf_outcome *x)
{
    if (!x->receipt_no.len) {
        cf_out_null(o, "receipt");
        return;
    }
    cf_out_object(o, "receipt");
    cf_out_text(o, "receipt_no", x->receipt_no);
    outlet_out(o, world->outlets, x);
    cf_out_day(o, "promised_date", x->promised_on);
    if (x->place)
        cf_out_uint(o, "place_in_queue", x->place);
    else
        cf_out_null(o, "place_in_queue");
    cf_out_bool(o, "past_deadline", cf_promised_late(x->state, x->promised_on, x->due_on));
    phones_out(o, world->phones);
    cf_out_end(o);
}

/* ---- deadline ---------------------------------------------------------------------------------
 */

static void days_out(struct cf_out *o, const struct cf_explanation *why)
{
    cf_out_array(o, "counted");
    for (size_t i = 0; i < why->counted_n; i++)
        cf_out_day(o, NULL, why->counted[i].day);
    cf_out_end(o);
    cf_out_array(o, "skipped");
    for (size_t i = 0; i < why->skipped_n; i++) {
        const struct cf_skipped_day *d = &why->skipped[i];
        cf_out_object(o, NULL);
        cf_out_day(o, "date", d->day);
        cf_out_text(o, "name", d->name.len ? d->name : CF_STR("周末"));
        cf_out_end(o);
    }
    cf_out_end(o);
}

bool cf_outcome_deadline(const struct cf_outcome_world *world, struct cf_arena *arena,
                         const struct cf_outcome *x, struct cf_outcome_deadline *out)
{
    *out = (struct cf_outcome_deadline){.policy = ""};
    if (!x->receipt_no.len || !x->due_on) return false;
    struct cf_deadline d = cf_deadline_compute(world->calendar, world->policies, x->kind, x->accepted_on);
    /* The policy by which it was accepted, as long as the file knows its number. */
    const struct cf_policy *policy = cf_policy_by_no(world->policies, x->kind, x->policy);
    if (!policy) policy = d.policy;
    /* The date that was told counts; it is explained as far as it reaches. */
    d.due_on = x->due_on;
    if (x->due_on - x->accepted_on < DAYS_EXPLAINED)
        out->why = cf_deadline_explain(world->calendar, &d, arena);
    out->policy = policy ? policy->id : NULL;
    out->working_days = x->working_days ? x->working_days : policy ? policy->working_days : 0;
    out->accepted_on = x->accepted_on;
    out->due_on = x->due_on;
    out->provisional = x->provisional || x->due_on > world->calendar->coverage_until;
    return true;
}

static void changes_out(struct cf_out *o, const struct cf_outcome *x)
{
    cf_out_array(o, "changes");
    for (size_t i = 0; i < x->n_changes; i++) {
        const struct cf_outcome_change *c = &x->changes[i];
        cf_out_object(o, NULL);
        cf_out_text(o, "what", c->what);
        cf_out_time(o, "at", c->at);
        cf_out_day(o, "due_before", c->due_before);
        cf_out_day(o, "due_on", c->due_on);
        cf_out_text(o, "reason", c->reason.len ? c->reason : CF_STR(""));
        cf_out_end(o);
    }
    cf_out_end(o);
}

static void deadline_out(struct cf_out *o, const struct cf_outcome_world *world,
                         struct cf_arena *arena, const struct cf_outcome *x)
{
    struct cf_outcome_deadline d;
    if (!cf_outcome_deadline(world, arena, x, &d)) {
        cf_out_null(o, "deadline");
        return;
    }
    cf_out_object(o, "deadline");
    cf_out_z(o, "policy", d.policy);
    cf_out_int(o, "working_days", d.working_days);
    cf_out_day(o, "accepted_on", d.accepted_on);
    cf_out_day(o, "due_on", d.due_on);
    cf_out_bool(o, "provisional", d.provisional);
    cf_out_z(o, "waiting_on", x->waiting_on_holder ? "holder" : NULL);
    cf_out_time(o, "warned_at", x->warned_at);
    cf_out_time(o, "overdue_at", x->overdue_at);
    changes_out(o, x);
    days_out(o, &d.why);
    cf_out_end(o);
}

/* ---- timeline ---------------------------------------------------------------------------------
 */

static void mark_out(struct cf_out *o, const char *state, cf_ms at, const char *zh, const char *en,
                     struct cf_str reason)
{
    char text[30];
    cf_out_object(o, NULL);
    cf_out_z(o, "state", state);
    cf_out_z(o, "at", cf_rfc3339_text(at, text));
    cf_pair_out(o, "label", zh, en);
    if (reason.len) cf_out_text(o, "reason", reason);
    cf_out_end(o);
}

static void timeline_out(struct cf_out *o, const struct cf_outcome *x)
{
    cf_out_array(o, "timeline");
    for (size_t i = 0; i < x->n_marks; i++) {
        const struct cf_outcome_mark *m = &x->marks[i];
        mark_out(o, cf_app_state_name(m->state), m->at, cf_app_state_label(m->state, CF_LANG_ZH),
                 cf_app_state_label(m->state, CF_LANG_EN), m->reason);
    }
    /* The card's step and not the application's, but what its holder waits for. */
    if (x->activated_at)
        mark_out(o, "activated", x->activated_at,
                 cf_app_state_label_detail(CF_APP_COLLECTED, false, true, CF_LANG_ZH),
                 cf_app_state_label_detail(CF_APP_COLLECTED, false, true, CF_LANG_EN),
                 (struct cf_str){0});
    cf_out_end(o);
}

void cf_outcome_out(struct cf_out *o, const struct cf_outcome_world *world, struct cf_arena *arena,
                    const struct cf_outcome *x)
{
    char id[37];
    bool activated = x->activated_at > 0;
    cf_uuid_text(x->id, id);
    cf_out_z(o, "application_id", id);
    cf_out_z(o, "kind", x->kind ? cf_app_kind_name(x->kind) : NULL);
    cf_out_some(o, "channel", x->channel);
    cf_out_z(o, "state", cf_app_state_name(x->state));
    cf_pair_out(o, "label",
             cf_app_state_label_detail(x->state, x->waits_for_enrolment, activated, CF_LANG_ZH),
             cf_app_state_label_detail(x->state, x->waits_for_enrolment, activated, CF_LANG_EN));
    cf_out_z(o, "outcome", x->outcome);
    judgement_out(o, x);
    receipt_out(o, world, x);
    deadline_out(o, world, arena, x);
    timeline_out(o, x);
}
