#include "services/intake/rules.h"

#include "common/pure/photo.h"

cf_ms intake_submitted_at(const struct intake_request *r, cf_ms now)
{
    return r->submitted_at > 0 && r->submitted_at < now ? r->submitted_at : now;
}

cf_day intake_day(const struct intake_request *r, cf_ms now)
{
    return cf_day_of_ms(intake_submitted_at(r, now));
}

/* How old it was when it came: what it waited for here does not make it older. */
static void check_time(const struct intake_request *r, cf_ms now, struct cf_reason_set *out)
{
    cf_ms at = intake_submitted_at(r, now);
    if (r->submitted_at < 0) cf_reason_set_add(out, CF_REASON_BAD_SUBMITTED_AT);
    if (r->submitted_at > now + INTAKE_CLOCK_SKEW_MS)
        cf_reason_set_add(out, CF_REASON_SUBMITTED_IN_FUTURE);
    if (r->received_at && r->received_at - at > INTAKE_OLDEST_MS && !r->may_backdate)
        cf_reason_set_add(out, CF_REASON_SUBMITTED_TOO_OLD);
}

static void check_form(const struct intake_request *r, struct cf_reason_set *out)
{
    if (r->kind == CF_KIND_NONE) cf_reason_set_add(out, CF_REASON_UNKNOWN_KIND);
    if (r->channel == CF_CHANNEL_NONE ||
        (r->kind != CF_KIND_NONE && !intake_channel_allows(r->channel, r->kind)))
        cf_reason_set_add(out, CF_REASON_CHANNEL_NOT_ALLOWED);
    if (r->with_fee) cf_reason_set_add(out, CF_REASON_FEE_NOT_ALLOWED); /* S12: free of charge */
    if (r->kind == CF_KIND_REISSUE && cf_reissue_reason_parse(r->reissue_reason) == CF_REISSUE_NONE)
        cf_reason_set_add(out, CF_REASON_BAD_REISSUE_REASON);
}

static bool is_child(const struct intake_facts *f)
{
    return f->birth != CF_DAY_NONE && cf_age_on(f->birth, f->today) < CF_CHILD_BELOW;
}

/* The police have photos of residents only; of everybody else the photo is an upload. */
static enum cf_photo_choice choose_photo(const struct intake_request *r,
                                         const struct intake_facts *f, struct cf_reason_set *out)
{
    enum cf_photo_choice choice = r->photo_choice.len ? cf_photo_choice_parse(r->photo_choice)
                                                      : CF_PHOTO_PUBLIC_SECURITY;
    for (unsigned i = 0; i < CF_PHOTO_REASON_COUNT; i++)
        if (r->photo_reasons >> i & 1u) cf_reason_set_add_code(out, cf_photo_reason_name(i));
    if (choice == CF_PHOTO_NONE) cf_reason_set_add(out, CF_REASON_BAD_PHOTO_CHOICE);
    /* A guardian's declaration for a child (S6); to swap the photo one must have one. */
    if (choice == CF_PHOTO_NONE_DECLARED &&
        (r->kind == CF_KIND_PHOTO_SWAP || (f->birth != CF_DAY_NONE && !is_child(f))))
        cf_reason_set_add(out, CF_REASON_PHOTO_NONE_NOT_ALLOWED);
    bool resident = f->type == CF_DOC_RESIDENT_ID || f->type == CF_DOC_HOUSEHOLD_BOOK;
    return choice == CF_PHOTO_PUBLIC_SECURITY && !resident ? CF_PHOTO_UPLOAD : choice;
}

/* Nothing but the missing enrolment stands against it, and that may be on its way: two topics
 * have no order between them. What else must be put right is told at once. */
static void decide(const struct intake_world *w, struct intake_verdict *v)
{
    bool may_come = w->enrolment == INTAKE_ENROLMENT_UNKNOWN && !w->waited &&
                    cf_reason_set_has(&v->reasons, CF_REASON_NOT_ENROLLED);
    if (may_come) cf_reason_set_remove(&v->reasons, CF_REASON_NOT_ENROLLED);
    if (cf_reason_set_holds(&v->reasons, CF_OUTCOME_REJECT))
        v->outcome = INTAKE_REJECT;
    else if (cf_reason_set_any(&v->reasons))
        v->outcome = INTAKE_NOTICE;
    else
        v->outcome = may_come ? INTAKE_WAIT : INTAKE_ACCEPT;
}

void intake_judge(const struct intake_request *r, const struct intake_facts *f,
                  const struct intake_world *w, const struct cf_outlets *outlets,
                  const struct cf_calendar *cal, const struct cf_policies *policies, cf_ms now,
                  struct intake_verdict *out)
{
    *out = (struct intake_verdict){.reasons = f->reasons, .respond_by = CF_DAY_NONE};
    out->accepted_on = f->today;
    out->is_child = is_child(f);
    check_form(r, &out->reasons);
    check_time(r, now, &out->reasons);
    intake_check_papers(r, &f->person->agent, f->today, &out->reasons);
    intake_check_outlet(r, outlets, &out->reasons);
    intake_check_world(r, f, w, intake_submitted_at(r, now), &out->reasons);
    if (w->command_expired) cf_reason_set_add(&out->reasons, CF_REASON_COMMAND_EXPIRED);
    out->photo_choice = choose_photo(r, f, &out->reasons);
    decide(w, out);
    if (out->outcome == INTAKE_ACCEPT) {
        out->warnings = f->warnings | r->warnings;
        out->deadline = cf_deadline_compute(cal, policies, r->kind, f->today);
    }
    if (out->outcome == INTAKE_NOTICE)
        out->respond_by = cf_day_of_ms(now) + cf_reason_set_days(&out->reasons);
}
