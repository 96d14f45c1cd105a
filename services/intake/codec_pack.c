/* codec_pack -- commands and upstream events as bytes. */
#include "services/intake/codec_inside.h"

#include "cardflow/v1/enrolment.pb-c.h"

typedef Cardflow__V1__ApplicationCommand__Submit pb_submit;
typedef Cardflow__V1__ApplicationCommand__Papers pb_papers;

/* ---- commands ---------------------------------------------------------------------------------
 */

/* Everything that a submission points at; the caller packs it before the arena goes. */
struct submit_parts {
    pb_submit submit;
    pb_papers papers;
    Cardflow__V1__Fee fee, *fees[1];
};

static void fill_papers(struct cf_arena *a, const struct intake_request *r, pb_papers *p)
{
    static const uint8_t before[16] = "given before";
    cardflow__v1__application_command__papers__init(p);
    p->unit_code = z(a, r->unit_code);
    p->introduction_letter_no = z(a, r->introduction_letter_no);
    p->id_copies_held = r->id_copies_held;
    if (r->papers_given_before) p->papers_ref = cf_data_id(before);
}

static void fill_submit(struct cf_arena *a, const struct intake_submit *m, struct submit_parts *x)
{
    const struct intake_request *r = &m->request;
    pb_submit *s = &x->submit;
    cardflow__v1__application_command__submit__init(s);
    s->application_id = cf_data_id(m->application_id);
    s->channel = literal(cf_channel_name(r->channel));
    s->kind = literal(cf_app_kind_name(r->kind));
    s->person = cf_data(m->sealed);
    s->bank_code = z(a, r->bank_code);
    s->outlet_code = z(a, r->outlet_code);
    s->photo_choice = z(a, r->photo_choice);
    s->reissue_reason = z(a, r->reissue_reason);
    s->submitted_at_ms = r->submitted_at;
    s->may_backdate = r->may_backdate;
    s->received_at_ms = r->received_at;
    s->roster_id = id_or_nothing(m->roster_id);
    s->row_no = m->row_no;
    s->warnings = r->warnings;
    s->photo_ref = id_or_nothing(m->photo_ref);
    s->photo_reasons = r->photo_reasons;
    s->number_missing = m->person.document_number.len == 0;
    if (r->unit_code.len || r->introduction_letter_no.len || r->id_copies_held ||
        r->papers_given_before) {
        fill_papers(a, r, &x->papers);
        s->papers = &x->papers;
    }
    if (r->with_fee) {
        cardflow__v1__fee__init(&x->fee);
        x->fee.type = literal("total");
        x->fee.amount_cents = m->fee_cents > 0 ? m->fee_cents : 1;
        x->fees[0] = &x->fee;
        s->fees = x->fees;
        s->n_fees = 1;
    }
}

struct cf_str intake_codec_submit(struct cf_arena *a, const struct intake_submit *m)
{
    Cardflow__V1__ApplicationCommand c;
    cardflow__v1__application_command__init(&c);
    struct submit_parts x;
    fill_submit(a, m, &x);
    c.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUBMIT;
    c.submit = &x.submit;
    return cf_pack(a, &c.base);
}

struct cf_str intake_codec_supplement(struct cf_arena *a, const struct intake_supplement *m,
                                      const uint8_t command_id[16], struct cf_str sealed)
{
    Cardflow__V1__ApplicationCommand c;
    cardflow__v1__application_command__init(&c);
    Cardflow__V1__ApplicationCommand__Supplement s;
    cardflow__v1__application_command__supplement__init(&s);
    pb_papers papers;
    s.application_id = cf_data_id(m->application_id);
    s.command_id = cf_data_id(command_id);
    s.person = cf_data(sealed);
    s.bank_code = z(a, m->request.bank_code);
    s.outlet_code = z(a, m->request.outlet_code);
    s.photo_choice = z(a, m->request.photo_choice);
    s.reissue_reason = z(a, m->request.reissue_reason);
    s.submitted_at_ms = m->request.submitted_at;
    s.may_backdate = m->request.may_backdate;
    s.photo_ref = id_or_nothing(m->photo_ref);
    s.photo_reasons = m->request.photo_reasons;
    if (m->has_papers) {
        fill_papers(a, &m->request, &papers);
        s.papers = &papers;
    }
    c.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUPPLEMENT;
    c.supplement = &s;
    return cf_pack(a, &c.base);
}

struct cf_str intake_codec_extend(struct cf_arena *a, const struct intake_extend *m,
                                  const uint8_t command_id[16])
{
    Cardflow__V1__ApplicationCommand c;
    Cardflow__V1__ApplicationCommand__Extend x;
    cardflow__v1__application_command__init(&c);
    cardflow__v1__application_command__extend__init(&x);
    x.application_id = cf_data_id(m->application_id);
    x.command_id = cf_data_id(command_id);
    x.days = m->days;
    x.reason = z(a, m->reason);
    x.staff_id = z(a, m->staff_id);
    c.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_EXTEND;
    c.extend = &x;
    return cf_pack(a, &c.base);
}

struct cf_str intake_codec_withdraw(struct cf_arena *a, const struct intake_withdraw *m,
                                    const uint8_t command_id[16], struct cf_str sealed_actor)
{
    Cardflow__V1__ApplicationCommand c;
    cardflow__v1__application_command__init(&c);
    Cardflow__V1__ApplicationCommand__Withdraw w;
    cardflow__v1__application_command__withdraw__init(&w);
    w.application_id = cf_data_id(m->application_id);
    w.command_id = cf_data_id(command_id);
    w.actor = cf_data(sealed_actor);
    w.reason = z(a, m->reason);
    c.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_WITHDRAW;
    c.withdraw = &w;
    return cf_pack(a, &c.base);
}

/* ---- upstream events that come over HTTP ------------------------------------------------------
 */

struct cf_str intake_codec_enrolment(struct cf_arena *a, const char *type, struct cf_str sealed,
                                     int64_t revision, struct cf_str unit_code,
                                     struct cf_str reason)
{
    Cardflow__V1__EnrolmentEvent e;
    cardflow__v1__enrolment_event__init(&e);
    Cardflow__V1__EnrolmentEvent__Enrolment x;
    cardflow__v1__enrolment_event__enrolment__init(&x);
    Cardflow__V1__EnrolmentEvent__Ended ended;
    cardflow__v1__enrolment_event__ended__init(&ended);
    if (strcmp(type, "ended") == 0) {
        ended.person = cf_data(sealed);
        ended.revision = revision;
        ended.reason = z(a, reason);
        e.body_case = CARDFLOW__V1__ENROLMENT_EVENT__BODY_ENDED;
        e.ended = &ended;
        return cf_pack(a, &e.base);
    }
    x.person = cf_data(sealed);
    x.revision = revision;
    x.unit_code = z(a, unit_code);
    bool changed = strcmp(type, "changed") == 0;
    e.body_case = changed ? CARDFLOW__V1__ENROLMENT_EVENT__BODY_CHANGED
                          : CARDFLOW__V1__ENROLMENT_EVENT__BODY_REGISTERED;
    if (changed)
        e.changed = &x;
    else
        e.registered = &x;
    return cf_pack(a, &e.base);
}

struct cf_str intake_codec_document_changed(struct cf_arena *a, struct cf_str old_sealed,
                                            struct cf_str new_sealed, int64_t revision)
{
    Cardflow__V1__EnrolmentEvent e;
    Cardflow__V1__EnrolmentEvent__DocumentChanged x;
    cardflow__v1__enrolment_event__init(&e);
    cardflow__v1__enrolment_event__document_changed__init(&x);
    x.old_person = cf_data(old_sealed);
    x.new_person = cf_data(new_sealed);
    x.revision = revision;
    e.body_case = CARDFLOW__V1__ENROLMENT_EVENT__BODY_DOCUMENT_CHANGED;
    e.document_changed = &x;
    return cf_pack(a, &e.base);
}

struct cf_str intake_codec_unit(struct cf_arena *a, const char *type, struct cf_str unit_code,
                                struct cf_str kind, const struct cf_str *banks, size_t n_banks,
                                struct cf_str registered_on, int64_t revision)
{
    Cardflow__V1__UnitEvent e;
    cardflow__v1__unit_event__init(&e);
    Cardflow__V1__UnitEvent__Unit u;
    cardflow__v1__unit_event__unit__init(&u);
    u.unit_code = z(a, unit_code);
    u.kind = z(a, kind);
    u.banks = cf_arena_alloc(a, (n_banks + 1) * sizeof *u.banks);
    for (size_t i = 0; i < n_banks; i++)
        u.banks[i] = z(a, banks[i]);
    u.n_banks = n_banks;
    u.registered_on = z(a, registered_on);
    u.revision = revision;
    bool changed = strcmp(type, "unit_changed") == 0;
    e.body_case = changed ? CARDFLOW__V1__UNIT_EVENT__BODY_UNIT_CHANGED
                          : CARDFLOW__V1__UNIT_EVENT__BODY_UNIT_REGISTERED;
    if (changed)
        e.unit_changed = &u;
    else
        e.unit_registered = &u;
    return cf_pack(a, &e.base);
}

void intake_codec_send_moved(struct cf_step *s, const struct cf_key *to,
                             const struct intake_submit *m)
{
    Cardflow__V1__IntakeInternal x;
    cardflow__v1__intake_internal__init(&x);
    struct submit_parts parts;
    fill_submit(s->arena, m, &parts);
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_MOVED;
    x.moved = &parts.submit;
    cf_send(s, INTAKE_OUT_INTERNAL, to, "application.moved", &x.base);
}
