/* handlers_case -- one application is judged, and what came out is written down and told. */
#include "common/pure/receipt.h"
#include "services/intake/handlers.h"
#include "services/intake/rules_roster.h"

static const uint8_t zero[16];

static bool same_id(const uint8_t a[16], const uint8_t b[16])
{
    return memcmp(a, b, 16) == 0;
}

static bool is_set(const uint8_t id[16])
{
    return !same_id(id, zero);
}

/* ---- slots ----------------------------------------------------------------------------------- */

struct intake_slot *intake_slot_for(struct intake_holder *h, int kind)
{
    return kind == CF_KIND_TEMPORARY ? &h->temporary : &h->permanent;
}

struct intake_slot *intake_slot_with(struct intake_holder *h, const uint8_t app[16])
{
    if (same_id(h->permanent.app, app)) return &h->permanent;
    if (same_id(h->temporary.app, app)) return &h->temporary;
    return NULL;
}

void intake_slot_free(struct intake_holder *h, const uint8_t app[16], bool forget, bool *changed)
{
    struct intake_slot *slot = intake_slot_with(h, app);
    if (!slot) return;
    struct intake_slot empty = {.last_at = slot->last_at};
    memcpy(empty.last_app, slot->last_app, 16);
    /* So that the same list knows it again. */
    if (same_id(slot->last_app, app) && !forget) {
        memcpy(empty.roster, slot->roster, 16);
        empty.row_no = slot->row_no;
    }
    /* Withdrawn and expired ones do not count for the rule of four days. */
    if (forget && same_id(slot->last_app, app)) {
        empty.last_at = 0;
        memset(empty.last_app, 0, 16);
    }
    *slot = empty;
    *changed = true;
}

static void take_slot(struct intake_case *c)
{
    struct intake_slot *slot = intake_slot_for(c->h, c->app.kind);
    memcpy(slot->app, c->id, 16);
    slot->kind = c->app.kind;
    slot->state = c->app.state;
    slot->submitted_at = c->app.submitted_at;
    memcpy(slot->roster, c->app.roster_id, 16);
    slot->row_no = c->app.row_no;
    *c->changed = true;
}

/* ---- the world as this holder's row knows it ------------------------------------------------- */

static struct intake_card card_of(const struct intake_mirror *m)
{
    return (struct intake_card){(enum cf_card_state)m->state, m->bank_code, m->has_photo,
                                m->valid_until};
}

static cf_ms last_of(const struct intake_slot *slot, const uint8_t id[16])
{
    return same_id(slot->last_app, id) ? 0 : slot->last_at;
}

/* A school's pupils apply at one of its banks, when these are known. */
static void school_of(const struct intake_case *c, struct intake_world *w)
{
    uint8_t id[16];
    if (!c->h->unit_code.len) return;
    intake_codec_school_id(c->h->unit_code, id);
    const struct intake_school *school = cf_aux_get(c->s, INTAKE_AUX_SCHOOL, id);
    w->school_banks_known = school && school->banks.len;
    w->school_has_bank =
        w->school_banks_known && intake_school_has(school->banks, c->app.bank_code);
}

/* The card that the application meets; one that it has made itself does not stand against it. */
static struct intake_card card_before(const struct intake_mirror *m, const uint8_t app[16])
{
    return same_id(m->app, app) ? (struct intake_card){0} : card_of(m);
}

static struct intake_world world_of(const struct intake_case *c, const struct intake_facts *f,
                                    bool waited, bool expired)
{
    const struct intake_holder *h = c->h;
    struct intake_world w = {
        .enrolment = (enum intake_enrolment)h->enrolment,
        .waited = waited,
        .permanent_open = is_set(h->permanent.app) && !same_id(h->permanent.app, c->id),
        .temporary_open = is_set(h->temporary.app) && !same_id(h->temporary.app, c->id),
        .last_first_issue = last_of(&h->permanent, c->id),
        .last_temporary = last_of(&h->temporary, c->id),
        .permanent = card_before(&h->card, c->id),
        .temporary = card_before(&h->temporary_card, c->id),
        .command_expired = expired,
    };
    school_of(c, &w);
    if (h->enrolment == INTAKE_ENROLMENT_ACTIVE && f->name_ok) {
        uint8_t hash[16];
        cf_name_hash(intake_env_of(c->s)->ring, f->name, hash);
        w.name_equal = same_id(hash, h->name_hash);
    }
    return w;
}

static struct intake_request request_of(const struct intake_application *app)
{
    return (struct intake_request){
        .channel = (enum cf_channel)app->channel,
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
        .from_roster = is_set(app->roster_id),
        .warnings = (unsigned)app->row_warnings,
        .photo_reasons = (uint32_t)app->photo_reasons,
    };
}

/* ---- rosters --------------------------------------------------------------------------------- */

void intake_tell_roster(struct cf_step *s, const uint8_t roster[16], int32_t row_no,
                        const uint8_t app[16], enum intake_row_outcome outcome,
                        struct cf_str reasons, uint32_t warnings, enum cf_app_state state)
{
    if (!is_set(roster)) return;
    struct intake_row_msg m = {.row_no = row_no, .outcome = outcome, .reasons = reasons,
                               .warnings = warnings, .state = state};
    memcpy(m.roster_id, roster, 16);
    memcpy(m.application_id, app, 16);
    intake_codec_send_row(s, &m);
}

void intake_tell_taken_over(struct cf_step *s, const uint8_t roster[16], int32_t row_no,
                            const uint8_t app[16])
{
    struct intake_row_msg m = {.row_no = row_no, .taken_over = true};
    memcpy(m.roster_id, roster, 16);
    memcpy(m.application_id, app, 16);
    intake_codec_send_row(s, &m);
}

static void tell_verdict(struct intake_case *c, const struct intake_verdict *v)
{
    static const enum intake_row_outcome outcomes[] = {
        [INTAKE_WAIT] = INTAKE_ROW_NONE,
        [INTAKE_ACCEPT] = INTAKE_ROW_ACCEPTED,
        [INTAKE_NOTICE] = INTAKE_ROW_REFUSED,
        [INTAKE_REJECT] = INTAKE_ROW_REFUSED,
    };
    struct cf_buf words;
    if (!is_set(c->app.roster_id)) return;
    cf_buf_init(&words, 8192);
    intake_roster_reasons_text(&v->reasons, &words);
    intake_tell_roster(c->s, c->app.roster_id, c->app.row_no, c->id, outcomes[v->outcome],
                       cf_arena_str(c->s->arena, cf_buf_str(&words)), v->warnings,
                       (enum cf_app_state)c->app.state);
    cf_buf_free(&words);
}

static bool is_only_duplicate(const struct intake_verdict *v)
{
    return v->outcome == INTAKE_REJECT && cf_reason_set_count(&v->reasons) == 1 &&
           cf_reason_set_has(&v->reasons, CF_REASON_DUPLICATE_APPLICATION);
}

/* The same list sent again: nothing new is made, and the row points at what is there. */
static bool is_unchanged(struct intake_case *c, const struct intake_verdict *v)
{
    const uint8_t *app = is_only_duplicate(v) ? intake_again_unchanged(c) : NULL;
    if (!app) return false;
    const struct intake_slot *slot = intake_slot_for(c->h, c->app.kind);
    enum cf_app_state state =
        same_id(slot->app, app) ? (enum cf_app_state)slot->state : CF_APP_NONE;
    intake_tell_roster(c->s, c->app.roster_id, c->app.row_no, app, INTAKE_ROW_UNCHANGED,
                       (struct cf_str){0}, 0, state);
    cf_count(c->s, "unchanged");
    return true;
}

/* ---- timers ---------------------------------------------------------------------------------- */

/* One timer an application, under its own id; only applications that wait or are noticed have
 * one, so the straight path has none. */
static void set_timer(struct intake_case *c, cf_ms due)
{
    struct cf_work w = {.kind = INTAKE_WORK_TIMER, .part = c->s->part, .key = c->s->msg->key,
                        .due = due, .attempt = (uint32_t)c->app.timer_no};
    memcpy(w.id, c->id, 16);
    cf_work_put(c->s, &w);
    c->app.timer_no++;
}

void intake_case_drop_timer(struct intake_case *c)
{
    /* The outcome of the timer itself has taken the row away already. */
    if (c->app.timer_no && !c->s->msg->is_outcome) cf_work_drop(c->s, c->id);
}

/* ---- writing down ---------------------------------------------------------------------------- */

void intake_case_save(struct intake_case *c)
{
    c->app.holder = c->s->msg->key;
    cf_aux_put(c->s, INTAKE_AUX_APPLICATION, c->id, &c->app);
}

int intake_case_load(struct intake_case *c, const struct intake_application *app)
{
    c->app = *app;
    return intake_codec_person_open(intake_env_of(c->s)->ring, c->s->arena, app->person,
                                    &c->s->msg->key, &c->person);
}

static struct cf_str reasons_text(struct cf_arena *a, const struct cf_reason_set *reasons)
{
    struct cf_buf buf;
    cf_buf_init(&buf, 8192);
    cf_reason_set_text(reasons, &buf);
    struct cf_str s = cf_arena_str(a, cf_buf_str(&buf));
    cf_buf_free(&buf);
    return s;
}

static int accept(struct intake_case *c, const struct intake_facts *f,
                  const struct intake_verdict *v)
{
    char no[CF_RECEIPT_LEN + 1];
    if (!cf_receipt_make(intake_env_of(c->s)->number_key, cf_number(c->s, INTAKE_NUMBER_RECEIPT),
                         no))
        return CF_E_DATA;
    c->app.receipt_no = cf_arena_str(c->s->arena, (struct cf_str){no, CF_RECEIPT_LEN});
    c->app.accepted_on = v->accepted_on;
    c->app.warnings = (int32_t)v->warnings;
    c->app.respond_by = 0;
    if (v->deadline.policy) {
        c->app.due_on = v->deadline.due_on;
        c->app.provisional = v->deadline.provisional;
        c->app.policy = (int32_t)v->deadline.policy->no;
    }
    take_slot(c);
    struct intake_slot *slot = intake_slot_for(c->h, c->app.kind);
    if (c->app.kind == CF_KIND_FIRST_ISSUE || c->app.kind == CF_KIND_TEMPORARY) {
        memcpy(slot->last_app, c->id, 16);
        slot->last_at = c->app.submitted_at;
    }
    intake_codec_send_accepted(c->s, c->id, &c->app, v, f->type);
    return 0;
}

static int refuse(struct intake_case *c, const struct intake_facts *f,
                  const struct intake_verdict *v)
{
    char no[CF_RECEIPT_LEN + 2];
    /* Production's notices begin in the middle of the same space. */
    uint64_t sequence = cf_number(c->s, INTAKE_NUMBER_NOTICE);
    if (!cf_receipt_make_prefixed(intake_env_of(c->s)->number_key, CF_NOTICE_LETTER, sequence, no))
        return CF_E_DATA;
    c->app.notice_no = cf_arena_str(c->s->arena, (struct cf_str){no, CF_RECEIPT_LEN + 1});
    c->app.respond_by = v->respond_by == CF_DAY_NONE ? 0 : v->respond_by;
    if (v->outcome == INTAKE_REJECT) {
        intake_slot_free(c->h, c->id, true, c->changed);
    } else {
        /* With a number that is not valid it is nobody's open application. */
        if (f->number_ok) take_slot(c);
        set_timer(c, cf_ms_of_day(c->app.respond_by + 1));
    }
    intake_codec_send_refused(c->s, c->id, &c->app, v);
    return 0;
}

static int wait_for_enrolment(struct intake_case *c)
{
    take_slot(c);
    set_timer(c, c->s->now + intake_env_of(c->s)->enrolment_wait_ms);
    intake_codec_send_received(c->s, c->id, &c->app);
    return 0;
}

/* The same row about an application that is as it was: told as the first time, with no second
 * notice, and no second time to wait. */
static bool is_as_before(struct intake_case *c, const struct intake_verdict *v)
{
    if (v->outcome == INTAKE_WAIT && c->app.state == CF_APP_RECEIVED) {
        intake_tell_roster(c->s, c->app.roster_id, c->app.row_no, c->id, INTAKE_ROW_UNCHANGED,
                           (struct cf_str){0}, 0, CF_APP_RECEIVED);
    } else if (v->outcome == INTAKE_NOTICE && c->app.state == CF_APP_NOTICED &&
               cf_str_eq(c->app.reasons, reasons_text(c->s->arena, &v->reasons))) {
        tell_verdict(c, v);
    } else {
        return false;
    }
    cf_count(c->s, "unchanged");
    return true;
}

void intake_case_verdict(const struct intake_case *c, bool waited, bool expired,
                         struct intake_facts *f, struct intake_verdict *v)
{
    const struct intake_env *env = intake_env_of(c->s);
    struct intake_request r = request_of(&c->app);
    intake_person_read(&c->person, intake_day(&r, c->s->now), c->s->arena, f);
    struct intake_world w = world_of(c, f, waited, expired);
    intake_judge(&r, f, &w, env->outlets, env->calendar, env->policies, c->s->now, v);
}

int intake_case_judge(struct intake_case *c, bool waited, bool expired)
{
    static const enum intake_event events[] = {[INTAKE_ACCEPT] = INTAKE_ON_ACCEPT,
                                               [INTAKE_NOTICE] = INTAKE_ON_NOTICE,
                                               [INTAKE_REJECT] = INTAKE_ON_REJECT};
    struct intake_facts f;
    struct intake_verdict v;
    struct intake_request r = request_of(&c->app);
    intake_case_verdict(c, waited, expired, &f, &v);
    c->app.submitted_at = intake_submitted_at(&r, c->s->now);
    if (is_unchanged(c, &v) || (c->same && is_as_before(c, &v))) return 0;
    if (v.outcome != INTAKE_WAIT) {
        enum cf_app_state to =
            intake_state_next((enum cf_app_state)c->app.state, events[v.outcome]);
        if (to == CF_APP_NONE) return CF_E_ILLEGAL;
        c->app.state = (int16_t)to;
    }
    intake_case_drop_timer(c);
    c->app.outcome = (int16_t)v.outcome;
    c->app.reasons = reasons_text(c->s->arena, &v.reasons);
    c->app.judged_at = c->s->now;
    int e = v.outcome == INTAKE_ACCEPT ? accept(c, &f, &v)
            : v.outcome == INTAKE_WAIT ? wait_for_enrolment(c)
                                       : refuse(c, &f, &v);
    if (e) return e;
    tell_verdict(c, &v);
    intake_case_save(c);
    return 0;
}

int intake_case_end(struct intake_case *c, enum intake_event on, const char *reason)
{
    enum cf_app_state to = intake_state_next((enum cf_app_state)c->app.state, on);
    if (to == CF_APP_NONE) return CF_E_ILLEGAL;
    c->app.state = (int16_t)to;
    c->app.judged_at = c->s->now;
    intake_case_drop_timer(c);
    intake_slot_free(c->h, c->id, true, c->changed);
    intake_codec_send_ended(c->s, c->id, (enum cf_app_kind)c->app.kind, to, reason);
    intake_tell_roster(c->s, c->app.roster_id, c->app.row_no, c->id, INTAKE_ROW_NONE,
                       (struct cf_str){0}, 0, to);
    intake_case_save(c);
    return 0;
}
