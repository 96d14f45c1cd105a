/* codec_events -- application.events: what intake tells about an application. */
#include "services/intake/codec_inside.h"

typedef Cardflow__V1__ApplicationEvent pb_event;

static const uint8_t zero[16];

static void begin(struct cf_step *s, pb_event *e, const uint8_t id[16], int kind)
{
    cardflow__v1__application_event__init(e);
    e->application_id = id_or_nothing(id);
    e->kind = (Cardflow__V1__AppKind)kind;
    e->at_ms = s->now;
}

static void send(struct cf_step *s, const char *type, const pb_event *e)
{
    cf_send(s, INTAKE_OUT_EVENTS, &s->msg->key, type, &e->base);
}

void intake_codec_send_received(struct cf_step *s, const uint8_t id[16],
                                const struct intake_application *app)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__Received r;
    cardflow__v1__application_event__received__init(&r);
    begin(s, &e, id, app->kind);
    r.channel = literal(cf_channel_name((enum cf_channel)app->channel));
    r.waiting_for_enrolment = true;
    r.bank_code = z(s->arena, app->bank_code);
    r.outlet_code = z(s->arena, app->outlet_code);
    r.submitted_at_ms = app->submitted_at;
    r.person = cf_data(app->person);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_RECEIVED;
    e.received = &r;
    send(s, "application.received", &e);
}

void intake_codec_send_accepted(struct cf_step *s, const uint8_t id[16],
                                const struct intake_application *app,
                                const struct intake_verdict *v, enum cf_doc_type type)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__Accepted x;
    cardflow__v1__application_event__accepted__init(&x);
    begin(s, &e, id, app->kind);
    x.channel = literal(cf_channel_name((enum cf_channel)app->channel));
    x.person = cf_data(app->person);
    x.bank_code = z(s->arena, app->bank_code);
    x.outlet_code = z(s->arena, app->outlet_code);
    x.photo_choice = literal(cf_photo_choice_name(v->photo_choice));
    x.submitted_at_ms = app->submitted_at;
    x.accepted_on = app->accepted_on;
    x.due_on = app->due_on;
    x.provisional = app->provisional;
    x.policy = (uint32_t)app->policy;
    x.receipt_no = z(s->arena, app->receipt_no);
    x.warnings = (uint32_t)app->warnings;
    x.holder_is_child = v->is_child;
    x.photo_ref = id_or_nothing(app->photo_ref);
    x.unit_code = z(s->arena, app->unit_code);
    x.reissue_reason = z(s->arena, app->reissue_reason);
    x.roster_id = id_or_nothing(app->roster_id);
    x.row_no = (uint32_t)app->row_no;
    x.document_type = literal(cf_doc_type_name(type));
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ACCEPTED;
    e.accepted = &x;
    send(s, "application.accepted", &e);
}

void intake_codec_send_refused(struct cf_step *s, const uint8_t id[16],
                               const struct intake_application *app, const struct intake_verdict *v)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__Refused x;
    cardflow__v1__application_event__refused__init(&x);
    bool noticed = v->outcome == INTAKE_NOTICE;
    begin(s, &e, id, app->kind);
    x.n_reasons = intake_codec_split_words(s->arena, app->reasons, &x.reasons);
    x.notice_no = z(s->arena, app->notice_no);
    x.respond_by = app->respond_by;
    x.channel = literal(cf_channel_name((enum cf_channel)app->channel));
    x.bank_code = z(s->arena, app->bank_code);
    x.outlet_code = z(s->arena, app->outlet_code);
    x.submitted_at_ms = app->submitted_at;
    x.person = cf_data(app->person);
    x.roster_id = id_or_nothing(app->roster_id);
    x.row_no = (uint32_t)app->row_no;
    e.body_case = noticed ? CARDFLOW__V1__APPLICATION_EVENT__BODY_NOTICED
                          : CARDFLOW__V1__APPLICATION_EVENT__BODY_REJECTED;
    if (noticed)
        e.noticed = &x;
    else
        e.rejected = &x;
    send(s, noticed ? "application.noticed" : "application.rejected", &e);
}

void intake_codec_send_ended(struct cf_step *s, const uint8_t id[16], enum cf_app_kind kind,
                             enum cf_app_state state, const char *reason)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__Ended x;
    cardflow__v1__application_event__ended__init(&x);
    begin(s, &e, id, (int)kind);
    x.state = literal(cf_app_state_name(state));
    x.reason = literal(reason);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ENDED;
    e.ended = &x;
    send(s, "application.ended", &e);
}

void intake_codec_send_withdrawal(struct cf_step *s, const uint8_t id[16],
                                  const struct intake_application *app,
                                  const uint8_t command_id[16], struct cf_str reason)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__WithdrawalRequested x;
    cardflow__v1__application_event__withdrawal_requested__init(&x);
    begin(s, &e, id, app->kind);
    x.command_id = cf_data_id(command_id);
    x.reason = z(s->arena, reason);
    x.channel = literal(cf_channel_name((enum cf_channel)app->channel));
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_WITHDRAWAL_REQUESTED;
    e.withdrawal_requested = &x;
    send(s, "application.withdrawal_requested", &e);
}

void intake_codec_send_extension(struct cf_step *s, enum cf_app_kind kind,
                                 const uint8_t command_id[16], const struct intake_extend *m)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__ExtensionRequested x;
    cardflow__v1__application_event__extension_requested__init(&x);
    begin(s, &e, m->application_id, (int)kind);
    x.command_id = cf_data_id(command_id);
    x.days = m->days;
    x.reason = z(s->arena, m->reason);
    x.staff_id = z(s->arena, m->staff_id);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_EXTENSION_REQUESTED;
    e.extension_requested = &x;
    send(s, "application.extension_requested", &e);
}

void intake_codec_send_supplement(struct cf_step *s, const uint8_t id[16],
                                  const struct intake_application *app,
                                  const uint8_t command_id[16], bool asks)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__Supplement x;
    cardflow__v1__application_event__supplement__init(&x);
    begin(s, &e, id, app->kind);
    x.command_id = cf_data_id(command_id);
    x.person = cf_data(app->person);
    x.bank_code = z(s->arena, app->bank_code);
    x.outlet_code = z(s->arena, app->outlet_code);
    x.channel = literal(cf_channel_name((enum cf_channel)app->channel));
    e.body_case = asks ? CARDFLOW__V1__APPLICATION_EVENT__BODY_SUPPLEMENT_REQUESTED
                       : CARDFLOW__V1__APPLICATION_EVENT__BODY_SUPPLEMENTED;
    if (asks)
        e.supplement_requested = &x;
    else
        e.supplemented = &x;
    send(s, asks ? "application.supplement_requested" : "application.supplemented", &e);
}

void intake_codec_send_decided(struct cf_step *s, const uint8_t id[16],
                               const struct intake_application *app, const char *operation,
                               const struct intake_command *row)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__Decided x;
    cardflow__v1__application_event__decided__init(&x);
    char *reason = z(s->arena, row->reason);
    begin(s, &e, id, app->kind);
    x.command_id = cf_data_id(s->msg->id);
    x.operation = literal(operation);
    x.result = literal(row->result == INTAKE_REFUSED ? "refused" : "done");
    x.reasons = &reason;
    x.n_reasons = row->reason.len > 0;
    x.voucher_no = z(s->arena, row->voucher_no);
    x.notice_no = z(s->arena, row->notice_no);
    x.channel = literal(cf_channel_name((enum cf_channel)app->channel));
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_COMMAND_DECIDED;
    e.command_decided = &x;
    send(s, "application.command_decided", &e);
}

void intake_codec_send_enrolment(struct cf_step *s, bool active, struct cf_str reason,
                                 int64_t revision)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__EnrolmentChanged x;
    cardflow__v1__application_event__enrolment_changed__init(&x);
    begin(s, &e, zero, 0);
    x.active = active;
    x.reason = z(s->arena, reason);
    x.revision = revision;
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ENROLMENT_CHANGED;
    e.enrolment_changed = &x;
    send(s, "application.enrolment_changed", &e);
}

void intake_codec_send_not_enrolled(struct cf_step *s)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__NotEnrolled x;
    cardflow__v1__application_event__not_enrolled__init(&x);
    begin(s, &e, zero, 0);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_NOT_ENROLLED;
    e.not_enrolled = &x;
    send(s, "application.not_enrolled", &e);
}

void intake_codec_send_alias_event(struct cf_step *s, const struct intake_aliased *m)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__Aliased x;
    cardflow__v1__application_event__aliased__init(&x);
    begin(s, &e, zero, 0);
    x.canonical = cf_data(cf_key_str(&m->canonical));
    x.revision = m->revision;
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ALIASED;
    e.aliased = &x;
    send(s, "application.aliased", &e);
}

/* ---- intake.internal -------------------------------------------------------------------------- */

typedef Cardflow__V1__IntakeInternal pb_internal;

void intake_codec_send_aliased(struct cf_step *s, const struct cf_key *alias, int64_t revision)
{
    pb_internal m;
    Cardflow__V1__IntakeInternal__Aliased x;
    cardflow__v1__intake_internal__init(&m);
    cardflow__v1__intake_internal__aliased__init(&x);
    x.canonical = cf_data(cf_key_str(&s->msg->key));
    x.revision = revision;
    m.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_ALIASED;
    m.aliased = &x;
    cf_send(s, INTAKE_OUT_INTERNAL, alias, "holder.aliased", &m.base);
}

void intake_codec_send_enrolment_on(struct cf_step *s, const struct cf_key *to,
                                    struct cf_str event)
{
    pb_internal m;
    cardflow__v1__intake_internal__init(&m);
    m.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_ENROLMENT;
    m.enrolment = cf_data(event);
    cf_send(s, INTAKE_OUT_INTERNAL, to, "enrolment.sent_on", &m.base);
}

void intake_codec_send_school(struct cf_step *s, struct cf_str unit_code, struct cf_str banks,
                              int64_t revision, int32_t partitions)
{
    pb_internal m;
    Cardflow__V1__IntakeInternal__UnitTold x;
    cardflow__v1__intake_internal__init(&m);
    cardflow__v1__intake_internal__unit_told__init(&x);
    x.unit_code = z(s->arena, unit_code);
    x.banks = z(s->arena, banks);
    x.revision = revision;
    m.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_UNIT_TOLD;
    m.unit_told = &x;
    bool *told = cf_arena_zero(s->arena, (size_t)partitions * sizeof *told);
    int32_t left = partitions;
    /* A key chooses the partition: the first number that falls into each. */
    for (unsigned n = 0; left > 0; n++) {
        struct cf_key key;
        struct cf_str name = cf_arena_printf(s->arena, "shard:%u", n);
        if (!cf_key_bytes(name.ptr, name.len, &key)) CF_BUG("a key of some bytes");
        uint32_t part = cf_key_partition(&key, (uint32_t)partitions);
        if (told[part]) continue;
        told[part] = true;
        left--;
        cf_send(s, INTAKE_OUT_INTERNAL, &key, "unit.told", &m.base);
    }
}
