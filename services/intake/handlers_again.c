/* handlers_again -- a unit's list that is sent again, as it was or corrected.
 *
 * A row whose holder has an application of the same unit's list: accepted ones stay as they are
 * (`unchanged`); one that waits or is noticed is put right by the row, as by a supplement, and is
 * the new list's from then on. What was right the first time is not judged a second time.
 */
#include "services/intake/handlers.h"

static const uint8_t zero[16];

static bool is_set(const uint8_t id[16])
{
    return memcmp(id, zero, 16) != 0;
}

static const uint8_t *app_of(const struct intake_slot *slot)
{
    if (!is_set(slot->roster)) return NULL;
    if (is_set(slot->app)) return slot->app;
    return is_set(slot->last_app) ? slot->last_app : NULL;
}

const uint8_t *intake_again_app(struct intake_holder *h, const struct intake_submit *m)
{
    if (!is_set(m->roster_id) || m->moved) return NULL;
    return app_of(intake_slot_for(h, (int)m->request.kind));
}

/* Its row, when it came from the unit that sends this one: another's is none of its business. */
static const struct intake_application *own_app(struct cf_step *s, const uint8_t id[16],
                                                struct cf_str unit_code)
{
    const struct intake_application *app = cf_aux_get(s, INTAKE_AUX_APPLICATION, id);
    return app && cf_str_eq(app->unit_code, unit_code) ? app : NULL;
}

const uint8_t *intake_again_unchanged(const struct intake_case *c)
{
    if (!is_set(c->app.roster_id)) return NULL;
    const uint8_t *id = app_of(intake_slot_for(c->h, c->app.kind));
    return id && own_app(c->s, id, c->app.unit_code) ? id : NULL;
}

/* ---- put right ------------------------------------------------------------------------------- */

/* A row (a) without a reason of its own leaves that of the application (b). */
static bool same_words(const struct intake_application *a, const struct intake_application *b)
{
    return cf_str_eq(a->bank_code, b->bank_code) && cf_str_eq(a->outlet_code, b->outlet_code) &&
           cf_str_eq(a->photo_choice, b->photo_choice) &&
           (!a->reissue_reason.len || cf_str_eq(a->reissue_reason, b->reissue_reason)) &&
           cf_str_eq(a->introduction_letter_no, b->introduction_letter_no) &&
           a->id_copies_held == b->id_copies_held &&
           a->papers_given_before == b->papers_given_before;
}

/* The row's words over the application's; the number of its timer and its notice stay. */
static void take_words(struct intake_application *app, const struct intake_application *row)
{
    app->person = row->person;
    app->channel = row->channel;
    app->bank_code = row->bank_code;
    app->outlet_code = row->outlet_code;
    app->photo_choice = row->photo_choice;
    if (row->reissue_reason.len) app->reissue_reason = row->reissue_reason;
    app->introduction_letter_no = row->introduction_letter_no;
    app->id_copies_held = row->id_copies_held;
    app->papers_given_before = row->papers_given_before;
    app->submitted_at = row->submitted_at;
    app->received_at = row->received_at;
    app->may_backdate = row->may_backdate;
    app->row_warnings = row->row_warnings;
    memcpy(app->roster_id, row->roster_id, 16);
    app->row_no = row->row_no;
}

static int judge_again(struct intake_case *c, const struct intake_submit *m,
                       const struct intake_application *old, bool expired)
{
    struct intake_application row = c->app;
    int e = intake_case_load(c, old);
    if (e) return e;
    struct cf_str before = intake_codec_person_pack(c->s->arena, &c->person);
    c->person = m->person;
    c->same = cf_str_eq(before, intake_codec_person_pack(c->s->arena, &c->person)) &&
              same_words(&row, old);
    take_words(&c->app, &row);
    e = intake_case_judge(c, false, expired);
    cf_count(c->s, "sent_again");
    return e;
}

bool intake_again_judged(struct intake_case *c, const struct intake_submit *m, bool expired, int *e)
{
    const uint8_t *id = intake_again_app(c->h, m);
    const struct intake_application *old = id ? own_app(c->s, id, m->request.unit_code) : NULL;
    if (!old || (old->state != CF_APP_NOTICED && old->state != CF_APP_RECEIVED)) return false;
    if (!cf_ids_add(c->s, &c->h->command_ids, m->application_id, c->s->now)) return false;
    *c->changed = true;
    struct intake_application before = *old;
    memcpy(c->id, id, 16);
    *e = judge_again(c, m, &before, expired);
    const struct intake_application *now = cf_aux_get(c->s, INTAKE_AUX_APPLICATION, c->id);
    if (*e || memcmp(now->roster_id, m->roster_id, 16) != 0) return true; /* it stays as it was */
    /* The slot names the list that the application is of. */
    struct intake_slot *slot = intake_slot_with(c->h, c->id);
    if (slot) {
        memcpy(slot->roster, m->roster_id, 16);
        slot->row_no = (int32_t)m->row_no;
    }
    intake_tell_taken_over(c->s, before.roster_id, before.row_no, c->id);
    return true;
}
