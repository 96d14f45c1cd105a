/* handlers_supplements -- a supplement of an application that production has: it is judged here,
 * and production says whether it comes in time: only an account that could not be opened waits for
 * one. */
#include "services/intake/handlers.h"

static const uint8_t zero[16];

/* What production cannot take over any more: another bank, another photo, another reason. */
static bool changes_the_order(const struct intake_application *app,
                              const struct intake_supplement *m)
{
    const struct intake_request *r = &m->request;
    return (r->bank_code.len && !cf_str_eq(r->bank_code, app->bank_code)) ||
           (r->photo_choice.len && !cf_str_eq(r->photo_choice, app->photo_choice)) ||
           (r->reissue_reason.len && !cf_str_eq(r->reissue_reason, app->reissue_reason)) ||
           r->photo_reasons || memcmp(m->photo_ref, zero, 16) != 0;
}

/* The first of its codes: what is put right one by one is heard one by one. */
static const char *refusal_of(const struct intake_verdict *v)
{
    if (v->outcome == INTAKE_WAIT) return "not_enrolled";
    return cf_reason_info(cf_reason_set_next(&v->reasons, 0))->code;
}

static bool is_other_document(const struct intake_case *c)
{
    struct cf_key own;
    intake_codec_key(intake_env_of(c->s)->ring, &c->person, c->id, &own);
    return !cf_key_eq(&own, &c->s->msg->key) && !intake_holder_has_alias(c->h, &own);
}

int intake_case_supplement(struct intake_case *c, const struct intake_supplement *m,
                           const char **refusal)
{
    struct cf_step *s = c->s;
    struct intake_facts f;
    struct intake_verdict v;
    *refusal = changes_the_order(&c->app, m) ? "illegal_in_state" : NULL;
    intake_merge(c, m);
    if (!*refusal && is_other_document(c)) *refusal = "illegal_in_state";
    if (*refusal) return 0;
    intake_case_verdict(c, false, false, &f, &v);
    if (v.outcome != INTAKE_ACCEPT) *refusal = refusal_of(&v);
    if (*refusal) return 0;
    struct intake_waiting row = {.outlet_code = c->app.outlet_code};
    int e = intake_codec_person_seal(intake_env_of(s)->ring, s->arena, &c->person, &s->msg->key,
                                     &row.person);
    if (e) return e;
    c->app.person = row.person;
    cf_aux_put(s, INTAKE_AUX_SUPPLEMENT, s->msg->id, &row);
    intake_codec_send_supplement(s, c->id, &c->app, s->msg->id, true);
    return 0;
}

int intake_decide_supplemented(struct cf_step *s)
{
    const struct intake_answered *m = s->msg->body;
    const struct intake_application *app =
        cf_aux_get(s, INTAKE_AUX_APPLICATION, m->application_id);
    const struct intake_waiting *row = cf_aux_get(s, INTAKE_AUX_SUPPLEMENT, m->command_id);
    const struct intake_waiting none = {{0}, {0}};
    if (!app || !row) return CF_E_ILLEGAL;
    if (!m->refused) {
        struct intake_application now = *app;
        now.person = row->person;
        now.outlet_code = row->outlet_code;
        cf_aux_put(s, INTAKE_AUX_APPLICATION, m->application_id, &now);
        intake_codec_send_supplement(s, m->application_id, &now, m->command_id, false);
    }
    cf_aux_put(s, INTAKE_AUX_SUPPLEMENT, m->command_id, &none);
    return intake_decide_answered(s);
}
