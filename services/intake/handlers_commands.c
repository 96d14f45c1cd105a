/* handlers_commands -- submissions, supplements, withdrawals, and the timers of applications. */
#include "common/pure/receipt.h"
#include "services/intake/handlers.h"

#define COMMAND_LIFE_MS (7 * (cf_ms)CF_MS_PER_DAY)

static bool is_expired(const struct cf_step *s)
{
    return s->msg->is_command && s->msg->sent_at && s->now - s->msg->sent_at > COMMAND_LIFE_MS;
}

static struct cf_str kept(struct cf_arena *a, struct cf_str s)
{
    return s.len ? cf_arena_str(a, s) : (struct cf_str){0};
}

static struct intake_application application_of(struct cf_step *s, const struct intake_submit *m)
{
    const struct intake_request *r = &m->request;
    struct intake_application app = {
        .person = m->sealed,
        .channel = (int16_t)r->channel,
        .kind = (int16_t)r->kind,
        .bank_code = kept(s->arena, r->bank_code),
        .outlet_code = kept(s->arena, r->outlet_code),
        .photo_choice = kept(s->arena, r->photo_choice),
        .reissue_reason = kept(s->arena, r->reissue_reason),
        .unit_code = kept(s->arena, r->unit_code),
        .introduction_letter_no = kept(s->arena, r->introduction_letter_no),
        .id_copies_held = r->id_copies_held,
        .papers_given_before = r->papers_given_before,
        .with_fee = r->with_fee,
        .may_backdate = r->may_backdate,
        .submitted_at = r->submitted_at,
        .received_at = m->moved ? r->received_at : s->now,
        .row_no = (int32_t)m->row_no,
        .row_warnings = (int32_t)r->warnings,
        .photo_reasons = (int32_t)r->photo_reasons,
        .state = CF_APP_RECEIVED,
    };
    memcpy(app.roster_id, m->roster_id, 16);
    memcpy(app.photo_ref, m->photo_ref, 16);
    return app;
}

/* The document is a newer one of a holder who is known by another: judged there. */
static int submit_elsewhere(struct intake_case *c, const struct intake_submit *m)
{
    struct intake_submit copy = *m;
    copy.request.received_at = c->app.received_at;
    const struct cf_key *to = &c->h->alias_of;
    int e = intake_codec_person_seal(intake_env_of(c->s)->ring, c->s->arena, &m->person, to,
                                     &copy.sealed);
    if (e) return e;
    intake_codec_send_moved(c->s, to, &copy);
    c->app.moved_to = *to;
    intake_case_save(c);
    cf_count(c->s, "moved");
    return 0;
}

int intake_decide_submit(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_submit *m = s->msg->body;
    struct intake_case c = {.s = s, .h = h, .person = m->person, .changed = changed};
    const struct intake_application *known =
        cf_aux_get(s, INTAKE_AUX_APPLICATION, m->application_id);
    int e = intake_check_key(s, h, &m->other);
    if (e) return e;
    if ((known && !m->moved) || cf_ids_known(h->command_ids, m->application_id)) {
        cf_count(s, "duplicate_commands");
        return 0;
    }
    memcpy(c.id, m->application_id, 16);
    c.app = application_of(s, m);
    if (known) c.app.timer_no = known->timer_no; /* moved within this shard, or back */
    if (h->alias_of.len && !is_expired(s)) return submit_elsewhere(&c, m);
    if (intake_again_judged(&c, m, is_expired(s), &e)) return e;
    return intake_case_judge(&c, false, is_expired(s));
}

/* ---- supplements ----------------------------------------------------------------------------- */

void intake_command_put(struct cf_step *s, const uint8_t app[16], const char *refusal,
                        enum intake_command_result result)
{
    struct intake_command row = {.result = (int16_t)(refusal ? INTAKE_REFUSED : result)};
    memcpy(row.application_id, app, 16);
    if (refusal) {
        row.reason = cf_str_of(refusal);
        cf_count(s, "refused");
    }
    cf_aux_put(s, INTAKE_AUX_COMMAND, s->msg->id, &row);
}

/* The number of a paper; empty ptr NULL: the space is used up. */
static struct cf_str paper_no(struct cf_step *s, enum intake_number kind)
{
    char no[CF_RECEIPT_LEN + 2];
    bool voucher = kind == INTAKE_NUMBER_VOUCHER;
    uint64_t n = cf_number(s, (uint16_t)kind) + (voucher ? CF_RECEIPT_SPACE / 2 : 0);
    if (!cf_receipt_make_prefixed(intake_env_of(s)->number_key,
                                  voucher ? CF_VOUCHER_LETTER : CF_NOTICE_LETTER, n, no))
        return (struct cf_str){0};
    return cf_arena_str(s->arena, (struct cf_str){no, CF_RECEIPT_LEN + 1});
}

/* Decided here. A refusal gets a one-time notice, a withdrawal that is done a voucher; production
 * keeps both with those of other operations. */
static int answer(struct cf_step *s, const uint8_t id[16], const struct intake_application *app,
                  const char *operation, const char *refusal)
{
    struct intake_command row = {.result = (int16_t)(refusal ? INTAKE_REFUSED : INTAKE_DONE)};
    bool withdrawn = !refusal && s->msg->type == INTAKE_MSG_WITHDRAW;
    memcpy(row.application_id, id, 16);
    if (refusal) {
        row.reason = cf_str_of(refusal);
        row.notice_no = paper_no(s, INTAKE_NUMBER_NOTICE);
        cf_count(s, "refused");
    }
    if (withdrawn) row.voucher_no = paper_no(s, INTAKE_NUMBER_VOUCHER);
    if ((refusal && !row.notice_no.len) || (withdrawn && !row.voucher_no.len)) return CF_E_DATA;
    cf_aux_put(s, INTAKE_AUX_COMMAND, s->msg->id, &row);
    if (app && (refusal || withdrawn)) intake_codec_send_decided(s, id, app, operation, &row);
    return 0;
}

static void over(struct cf_str *to, struct cf_str from)
{
    if (from.len) *to = from;
}

void intake_person_merge(struct intake_person *p, const struct intake_person *c)
{
    over(&p->document_type, c->document_type);
    over(&p->document_number, c->document_number);
    over(&p->name, c->name);
    over(&p->sex, c->sex);
    over(&p->birth_date, c->birth_date);
    over(&p->phone, c->phone);
    over(&p->address, c->address);
    over(&p->guardian.name, c->guardian.name);
    over(&p->guardian.document_type, c->guardian.document_type);
    over(&p->guardian.document_number, c->guardian.document_number);
    over(&p->guardian.relation, c->guardian.relation);
    over(&p->guardian.phone, c->guardian.phone);
    over(&p->agent.name, c->agent.name);
    over(&p->agent.document_type, c->agent.document_type);
    over(&p->agent.document_number, c->agent.document_number);
}

static void merge_request(struct intake_application *app, const struct intake_supplement *m)
{
    const struct intake_request *r = &m->request;
    over(&app->bank_code, r->bank_code);
    over(&app->outlet_code, r->outlet_code);
    over(&app->photo_choice, r->photo_choice);
    over(&app->reissue_reason, r->reissue_reason);
    app->submitted_at = r->submitted_at;
    app->may_backdate = r->may_backdate;
    static const uint8_t no_photo[16];
    if (r->photo_reasons || memcmp(m->photo_ref, no_photo, 16) != 0) {
        app->photo_reasons = (int32_t)r->photo_reasons;
        memcpy(app->photo_ref, m->photo_ref, 16);
    }
    if (!m->has_papers) return;
    over(&app->unit_code, r->unit_code);
    over(&app->introduction_letter_no, r->introduction_letter_no);
    if (r->id_copies_held) app->id_copies_held = true;
    if (r->papers_given_before) app->papers_given_before = true;
}

static struct intake_submit submit_of(const struct intake_case *c)
{
    const struct intake_application *app = &c->app;
    struct intake_submit m = {
        .row_no = (uint32_t)app->row_no,
        .person = c->person,
        .request = {.channel = (enum cf_channel)app->channel,
                    .kind = (enum cf_app_kind)app->kind,
                    .bank_code = app->bank_code,
                    .outlet_code = app->outlet_code,
                    .photo_choice = app->photo_choice,
                    .reissue_reason = app->reissue_reason,
                    .unit_code = app->unit_code,
                    .introduction_letter_no = app->introduction_letter_no,
                    .id_copies_held = app->id_copies_held,
                    .papers_given_before = app->papers_given_before,
                    .with_fee = app->with_fee,
                    .submitted_at = app->submitted_at,
                    .received_at = app->received_at,
                    .may_backdate = app->may_backdate,
                    .warnings = (unsigned)app->row_warnings,
                    .photo_reasons = (uint32_t)app->photo_reasons},
    };
    memcpy(m.application_id, c->id, 16);
    memcpy(m.roster_id, app->roster_id, 16);
    memcpy(m.photo_ref, app->photo_ref, 16);
    return m;
}

/* The document was wrong, so the application has stood under the wrong holder. It goes to the
 * right one, where it is judged, and leaves nothing open here. */
int intake_case_move(struct intake_case *c, const struct cf_key *to)
{
    struct intake_submit m = submit_of(c);
    int e = intake_codec_person_seal(intake_env_of(c->s)->ring, c->s->arena, &c->person, to,
                                     &m.sealed);
    if (e) return e;
    intake_codec_send_moved(c->s, to, &m);
    c->app.moved_to = *to;
    c->app.state = CF_APP_WITHDRAWN;
    c->app.judged_at = c->s->now;
    intake_case_drop_timer(c);
    intake_slot_free(c->h, c->id, true, c->changed);
    intake_codec_send_ended(c->s, c->id, (enum cf_app_kind)c->app.kind, CF_APP_WITHDRAWN,
                            "document_corrected");
    intake_case_save(c);
    cf_count(c->s, "moved");
    return 0;
}

const char *intake_command_refusal(struct cf_step *s, struct intake_holder *h,
                                   const struct intake_application *app)
{
    if (is_expired(s)) return "command_expired";
    /* Moved, perhaps within this shard: it is not this holder's. */
    if (!app || app->moved_to.len || !cf_key_eq(&app->holder, &s->msg->key))
        return "illegal_in_state";
    if (!cf_ids_add(s, &h->command_ids, s->msg->id, s->now)) return "too_many_operations";
    return NULL;
}

void intake_merge(struct intake_case *c, const struct intake_supplement *m)
{
    intake_person_merge(&c->person, &m->changes);
    merge_request(&c->app, m);
    c->app.submitted_at = c->app.submitted_at ? c->app.submitted_at : c->s->now;
    c->app.received_at = c->s->now;
}

static int supplement(struct intake_case *c, const struct intake_supplement *m)
{
    struct cf_key own;
    intake_merge(c, m);
    intake_codec_key(intake_env_of(c->s)->ring, &c->person, c->id, &own);
    const struct cf_key *here = &c->s->msg->key;
    if (!cf_key_eq(&own, here) && !intake_holder_has_alias(c->h, &own))
        return intake_case_move(c, &own);
    int e = intake_codec_person_seal(intake_env_of(c->s)->ring, c->s->arena, &c->person, here,
                                     &c->app.person);
    return e ? e : intake_case_judge(c, false, false);
}

int intake_decide_supplement(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_supplement *m = s->msg->body;
    const struct intake_application *app =
        cf_aux_get(s, INTAKE_AUX_APPLICATION, m->application_id);
    struct intake_case c = {.s = s, .h = h, .changed = changed};
    if (cf_ids_known(h->command_ids, s->msg->id)) {
        cf_count(s, "duplicate_commands");
        return 0;
    }
    const char *refusal = intake_command_refusal(s, h, app);
    bool here = app && (app->state == CF_APP_NOTICED || app->state == CF_APP_RECEIVED);
    bool there = app && app->state == CF_APP_ACCEPTED && intake_slot_with(h, m->application_id);
    int e = 0;
    if (!refusal && !here && !there) refusal = "illegal_in_state";
    memcpy(c.id, m->application_id, 16);
    if (!refusal) e = intake_case_load(&c, app);
    /* Accepted: production answers, see intake_decide_supplemented. */
    if (!e && !refusal && there) e = intake_case_supplement(&c, m, &refusal);
    if (e) return e;
    if (refusal || here) e = answer(s, m->application_id, app, "supplement", refusal);
    *changed = !refusal;
    return e || refusal || there ? e : supplement(&c, m);
}

/* ---- withdrawals ----------------------------------------------------------------------------- */

int intake_decide_withdraw(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_withdraw *m = s->msg->body;
    const struct intake_application *app =
        cf_aux_get(s, INTAKE_AUX_APPLICATION, m->application_id);
    struct intake_case c = {.s = s, .h = h, .changed = changed};
    if (cf_ids_known(h->command_ids, s->msg->id)) {
        cf_count(s, "duplicate_commands");
        return 0;
    }
    const char *refusal = intake_command_refusal(s, h, app);
    const struct intake_slot *slot = app ? intake_slot_with(h, m->application_id) : NULL;
    bool here = app && (app->state == CF_APP_RECEIVED || app->state == CF_APP_NOTICED);
    if (!refusal && !here && !slot) refusal = "illegal_in_state"; /* it has ended */
    /* Accepted: production answers, see intake_decide_answered. */
    int e = refusal || here ? answer(s, m->application_id, app, "withdraw", refusal) : 0;
    *changed = !refusal;
    if (e || refusal) return e;
    if (here) {
        memcpy(c.id, m->application_id, 16);
        c.app = *app;
        return intake_case_end(&c, INTAKE_ON_WITHDRAW, "withdrawn_by_applicant");
    }
    /* Accepted: production alone knows whether it is too late. */
    intake_codec_send_withdrawal(s, m->application_id, app, s->msg->id, m->reason);
    return 0;
}

int intake_decide_answered(struct cf_step *s)
{
    const struct intake_answered *m = s->msg->body;
    struct intake_command row = {.result = m->refused ? INTAKE_REFUSED : INTAKE_DONE,
                                 .voucher_no = m->voucher_no,
                                 .notice_no = m->notice_no};
    memcpy(row.application_id, m->application_id, 16);
    if (m->refused) row.reason = m->reason;
    cf_aux_put(s, INTAKE_AUX_COMMAND, m->command_id, &row);
    return 0;
}

/* ---- timers ----------------------------------------------------------------------------------- */

int intake_decide_timer(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_application *app =
        cf_aux_get(s, INTAKE_AUX_APPLICATION, s->msg->work_id);
    struct intake_case c = {.s = s, .h = h, .changed = changed};
    if (!app) return CF_E_ILLEGAL;
    memcpy(c.id, s->msg->work_id, 16);
    /* Supplemented before its enrolment had come: it waits for that, and keeps its state. */
    bool waits = app->outcome == INTAKE_WAIT;
    if (app->state == CF_APP_NOTICED && !waits) {
        c.app = *app;
        return intake_case_end(&c, INTAKE_ON_EXPIRE, "not_put_right");
    }
    if (app->state != CF_APP_RECEIVED && app->state != CF_APP_NOTICED) return CF_E_ILLEGAL;
    int e = intake_case_load(&c, app);
    return e ? e : intake_case_judge(&c, true, false);
}
