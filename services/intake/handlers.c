#include "services/intake/handlers.h"

static const uint8_t zero[16];

static size_t want(struct cf_want *out, size_t n, enum intake_aux aux, const uint8_t id[16])
{
    out[n].aux = (uint16_t)aux;
    memcpy(out[n].id, id, 16);
    return n + 1;
}

/* The open applications that are still intake's. */
static size_t want_open(const struct intake_holder *h, struct cf_want *out)
{
    size_t n = 0;
    for (int i = 0; i < 2; i++) {
        const struct intake_slot *slot = i ? &h->temporary : &h->permanent;
        if (memcmp(slot->app, zero, 16) == 0) continue;
        if (slot->state == CF_APP_RECEIVED || slot->state == CF_APP_NOTICED)
            n = want(out, n, INTAKE_AUX_APPLICATION, slot->app);
    }
    return n;
}

/* The application itself, and the one that its row of a list may be about already. */
static size_t want_submitted(const void *aggregate, const struct intake_submit *m,
                             struct cf_want *out)
{
    struct intake_holder h = *(const struct intake_holder *)aggregate;
    const uint8_t *again = intake_again_app(&h, m);
    size_t n = want(out, 0, INTAKE_AUX_APPLICATION, m->application_id);
    return again ? want(out, n, INTAKE_AUX_APPLICATION, again) : n;
}

/* The banks of the school, if the unit is one. */
static size_t want_school(struct cf_str unit_code, struct cf_want *out, size_t n)
{
    uint8_t id[16];
    if (!unit_code.len) return n;
    intake_codec_school_id(unit_code, id);
    return want(out, n, INTAKE_AUX_SCHOOL, id);
}

static size_t wants(const void *aggregate, const struct cf_msg *m, struct cf_want *out, size_t max)
{
    const struct intake_submit *submit = m->body;
    const struct intake_supplement *supplement = m->body;
    const struct intake_withdraw *withdraw = m->body;
    const struct intake_extend *extend = m->body;
    const struct intake_deadline *deadline = m->body;
    const struct intake_row_msg *row = m->body;
    const struct intake_enrolment_msg *enrolment = m->body;
    const struct intake_answered *answered = m->body;
    const struct intake_collect *collect = m->body;
    const struct intake_holder *h = aggregate;
    uint8_t id[16];
    size_t n;
    if (max < 3) CF_BUG("no room for wants");
    switch ((enum intake_message)m->type) {
    case INTAKE_MSG_SUBMIT:
        n = want_submitted(aggregate, submit, out);
        return want_school(h->unit_code, out, n);
    case INTAKE_MSG_SUPPLEMENT:
        n = want(out, 0, INTAKE_AUX_APPLICATION, supplement->application_id);
        return want_school(h->unit_code, out, n);
    case INTAKE_MSG_EXTEND: return want(out, 0, INTAKE_AUX_APPLICATION, extend->application_id);
    case INTAKE_MSG_DEADLINE: return want(out, 0, INTAKE_AUX_APPLICATION, deadline->application_id);
    case INTAKE_MSG_SUPPLEMENTED:
        n = want(out, 0, INTAKE_AUX_APPLICATION, answered->application_id);
        return want(out, n, INTAKE_AUX_SUPPLEMENT, answered->command_id);
    case INTAKE_MSG_WITHDRAW: return want(out, 0, INTAKE_AUX_APPLICATION, withdraw->application_id);
    case INTAKE_MSG_TIMER:
        n = want(out, 0, INTAKE_AUX_APPLICATION, m->work_id);
        return want_school(h->unit_code, out, n);
    case INTAKE_MSG_ENROLMENT:
        n = want_open(h, out);
        return n ? want_school(enrolment->unit_code, out, n) : 0;
    case INTAKE_MSG_ENROLMENT_ENDED:
    case INTAKE_MSG_ALIASED: return want_open(h, out);
    case INTAKE_MSG_DOCUMENT_CHANGED:
        intake_enrolment_id(&m->key, id);
        return want(out, 0, INTAKE_AUX_ENROLMENT, id);
    case INTAKE_MSG_ROW:
        intake_codec_row_id(row->roster_id, (uint32_t)row->row_no, id);
        return want(out, 0, INTAKE_AUX_ROSTER_ROW, id);
    case INTAKE_MSG_CARD: {
        const uint8_t *app = intake_activates(aggregate, m->body);
        return app ? want(out, 0, INTAKE_AUX_ENDED, app) : 0;
    }
    case INTAKE_MSG_COLLECT: return want(out, 0, INTAKE_AUX_COLLECTION, collect->id);
    case INTAKE_MSG_COLLECTED:
    case INTAKE_MSG_FOLLOW:
    case INTAKE_MSG_LATER_NOTICE:
    case INTAKE_MSG_PROMISED:
    case INTAKE_MSG_UNIT:
    case INTAKE_MSG_UNIT_COUNTED:
    case INTAKE_MSG_UNIT_TOLD:
    case INTAKE_MSG_ANSWERED:
    case INTAKE_MSG_ROSTER_OPENED:
    case INTAKE_MSG_SPLIT: break;
    }
    return 0;
}

static int decide(struct cf_step *s, void *aggregate, bool exists, bool *changed)
{
    struct intake_holder *h = aggregate;
    *changed = false;
    switch ((enum intake_message)s->msg->type) {
    case INTAKE_MSG_SUBMIT: return intake_decide_submit(s, h, changed);
    case INTAKE_MSG_SUPPLEMENT: return intake_decide_supplement(s, h, changed);
    case INTAKE_MSG_WITHDRAW: return intake_decide_withdraw(s, h, changed);
    case INTAKE_MSG_EXTEND: return intake_decide_extend(s, h, changed);
    case INTAKE_MSG_DEADLINE: return intake_decide_deadline(s);
    case INTAKE_MSG_TIMER: return intake_decide_timer(s, h, changed);
    case INTAKE_MSG_ENROLMENT: return intake_decide_enrolment(s, h, changed);
    case INTAKE_MSG_ENROLMENT_ENDED: return intake_decide_enrolment_ended(s, h, changed);
    case INTAKE_MSG_FOLLOW: return intake_decide_follow(s, h, changed);
    case INTAKE_MSG_LATER_NOTICE: return intake_decide_later_notice(s, h);
    case INTAKE_MSG_PROMISED: return intake_decide_promised(s, h, changed);
    case INTAKE_MSG_CARD: return intake_decide_card(s, h, changed);
    case INTAKE_MSG_DOCUMENT_CHANGED: return intake_decide_document_changed(s, h, changed);
    case INTAKE_MSG_ALIASED: return intake_decide_aliased(s, h, changed);
    case INTAKE_MSG_ANSWERED: return intake_decide_answered(s);
    case INTAKE_MSG_SUPPLEMENTED: return intake_decide_supplemented(s);
    case INTAKE_MSG_UNIT: return intake_decide_unit(s, aggregate, changed);
    case INTAKE_MSG_UNIT_COUNTED: return intake_decide_unit_counted(s, aggregate, changed);
    case INTAKE_MSG_UNIT_TOLD: return intake_decide_unit_told(s);
    case INTAKE_MSG_COLLECT: return intake_decide_collect(s, exists);
    case INTAKE_MSG_COLLECTED: return intake_decide_collected(s);
    case INTAKE_MSG_ROSTER_OPENED:
    case INTAKE_MSG_SPLIT:
    case INTAKE_MSG_ROW: return intake_decide_roster(s, aggregate, exists, changed);
    }
    return CF_E_VERSION;
}

static const char *const enrolment_types[] = {"enrolment.registered", "enrolment.changed",
                                              "enrolment.ended", "enrolment.document_changed",
                                              NULL};
static const char *const unit_types[] = {"unit.registered", "unit.changed", NULL};
static const char *const command_types[] = {"application.submit", "application.supplement",
                                            "application.withdraw", "application.extend",
                                            NULL};
static const char *const photo_types[] = {"photo.missing", NULL};
static const char *const card_types[] = {"card.step", "card.promised", "card.changed",
                                         "card.operation_answered", "card.deadline_changed", NULL};
static const char *const internal_types[] = {CF_WORK_OUTCOME, "roster.opened", "roster.collect",
                                             "row.outcome",
                                             "application.moved", "holder.aliased",
                                             "enrolment.sent_on", "unit.told", NULL};

static const struct cf_topic_in topics_in[] = {
    [INTAKE_IN_ENROLMENT] = {"enrolment.events", true, enrolment_types},
    [INTAKE_IN_UNITS] = {"unit.events", true, unit_types},
    [INTAKE_IN_COMMANDS] = {"application.commands", true, command_types},
    [INTAKE_IN_PHOTOS] = {"photo.events", false, photo_types},
    [INTAKE_IN_CARDS] = {"card.events", false, card_types},
    [INTAKE_IN_INTERNAL] = {"intake.internal", false, internal_types},
    {NULL, false, NULL},
};
static const char *const topics_out[] = {[INTAKE_OUT_INTERNAL] = "intake.internal",
                                         [INTAKE_OUT_EVENTS] = "application.events",
                                         [INTAKE_OUT_UNITS] = "unit.notices", NULL};
/* An enrolment can have both slots judged. */
static const struct cf_number_kind numbers[] = {{"receipt", 2}, {"notice", 2}, {"voucher", 1}};

struct cf_service intake_service(const struct intake_env *env)
{
    return (struct cf_service){.name = "intake",
                               .in = topics_in,
                               .out = topics_out,
                               .kinds = intake_kinds,
                               .n_kinds = intake_n_kinds,
                               .aux = intake_aux,
                               .n_aux = intake_n_aux,
                               .numbers = numbers,
                               .n_numbers = sizeof numbers / sizeof *numbers,
                               .env = env,
                               .decode = intake_codec_decode,
                               .wants = wants,
                               .decide = decide};
}
