/* codec_pack -- what intake's front and stage send. */
#include "services/intake/codec.h"

#include "services/intake/rules_roster.h"

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/enrolment.pb-c.h"

typedef Cardflow__V1__ApplicationCommand__Submit pb_submit;
typedef Cardflow__V1__ApplicationCommand__Papers pb_papers;
typedef Cardflow__V1__ApplicationEvent pb_event;
typedef Cardflow__V1__IntakeInternal__RosterOpened pb_opened;
typedef Cardflow__V1__IntakeInternal__RowOutcome pb_row;

static const uint8_t zero[16];

static char *z(struct cf_arena *a, struct cf_str s)
{
    return s.len ? (char *)(uintptr_t)cf_arena_str(a, s).ptr : (char *)(uintptr_t)"";
}

static char *literal(const char *s)
{
    return (char *)(uintptr_t)s;
}

static ProtobufCBinaryData id_or_nothing(const uint8_t id[16])
{
    return memcmp(id, zero, 16) ? cf_data_id(id) : (ProtobufCBinaryData){0, NULL};
}

static struct cf_str text(const char *s)
{
    return cf_str_of(s ? s : "");
}

const char *intake_row_outcome_name(enum intake_row_outcome outcome)
{
    static const char *const names[] = {"",
#define X(value, name) name,
                                        INTAKE_ROW_OUTCOMES(X)
#undef X
    };
    return names[outcome];
}

/* ---- commands --------------------------------------------------------------------------------- */

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
    Cardflow__V1__ApplicationCommand c = CARDFLOW__V1__APPLICATION_COMMAND__INIT;
    struct submit_parts x;
    fill_submit(a, m, &x);
    c.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUBMIT;
    c.submit = &x.submit;
    return cf_pack(a, &c.base);
}

struct cf_str intake_codec_supplement(struct cf_arena *a, const struct intake_supplement *m,
                                      const uint8_t command_id[16], struct cf_str sealed)
{
    Cardflow__V1__ApplicationCommand c = CARDFLOW__V1__APPLICATION_COMMAND__INIT;
    Cardflow__V1__ApplicationCommand__Supplement s =
        CARDFLOW__V1__APPLICATION_COMMAND__SUPPLEMENT__INIT;
    pb_papers papers;
    s.application_id = cf_data_id(m->application_id);
    s.command_id = cf_data_id(command_id);
    s.person = cf_data(sealed);
    s.bank_code = z(a, m->request.bank_code);
    s.outlet_code = z(a, m->request.outlet_code);
    s.photo_choice = z(a, m->request.photo_choice);
    s.submitted_at_ms = m->request.submitted_at;
    s.may_backdate = m->request.may_backdate;
    if (m->has_papers) {
        fill_papers(a, &m->request, &papers);
        s.papers = &papers;
    }
    c.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUPPLEMENT;
    c.supplement = &s;
    return cf_pack(a, &c.base);
}

struct cf_str intake_codec_withdraw(struct cf_arena *a, const struct intake_withdraw *m,
                                    const uint8_t command_id[16], struct cf_str sealed_actor)
{
    Cardflow__V1__ApplicationCommand c = CARDFLOW__V1__APPLICATION_COMMAND__INIT;
    Cardflow__V1__ApplicationCommand__Withdraw w =
        CARDFLOW__V1__APPLICATION_COMMAND__WITHDRAW__INIT;
    w.application_id = cf_data_id(m->application_id);
    w.command_id = cf_data_id(command_id);
    w.actor = cf_data(sealed_actor);
    w.reason = z(a, m->reason);
    c.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_WITHDRAW;
    c.withdraw = &w;
    return cf_pack(a, &c.base);
}

/* ---- upstream events that come over HTTP ------------------------------------------------------ */

struct cf_str intake_codec_enrolment(struct cf_arena *a, const char *type, struct cf_str sealed,
                                     int64_t revision, struct cf_str unit_code,
                                     struct cf_str reason)
{
    Cardflow__V1__EnrolmentEvent e = CARDFLOW__V1__ENROLMENT_EVENT__INIT;
    Cardflow__V1__EnrolmentEvent__Enrolment x = CARDFLOW__V1__ENROLMENT_EVENT__ENROLMENT__INIT;
    Cardflow__V1__EnrolmentEvent__Ended ended = CARDFLOW__V1__ENROLMENT_EVENT__ENDED__INIT;
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

struct cf_str intake_codec_unit(struct cf_arena *a, const char *type, struct cf_str unit_code,
                                struct cf_str kind, const struct cf_str *banks, size_t n_banks,
                                struct cf_str registered_on, int64_t revision)
{
    Cardflow__V1__UnitEvent e = CARDFLOW__V1__UNIT_EVENT__INIT;
    Cardflow__V1__UnitEvent__Unit u = CARDFLOW__V1__UNIT_EVENT__UNIT__INIT;
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

/* ---- rosters ---------------------------------------------------------------------------------- */

static void fill_opened(struct cf_arena *a, const struct intake_roster_meta *m, pb_opened *o)
{
    cardflow__v1__intake_internal__roster_opened__init(o);
    o->roster_id = cf_data_id(m->roster_id);
    o->client = z(a, m->client);
    o->unit_code = z(a, m->unit_code);
    o->bank_code = z(a, m->bank_code);
    o->outlet_code = z(a, m->outlet_code);
    o->kind = literal(cf_app_kind_name(m->kind));
    o->introduction_letter_no = z(a, m->introduction_letter_no);
    o->id_copies_held = m->id_copies_held;
    o->agent = cf_data(m->agent);
    o->size = m->size;
    o->sha256 = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)m->sha256};
    o->channel = literal(cf_channel_name(m->channel));
    o->submitted_at_ms = m->submitted_at;
    o->may_backdate = m->may_backdate;
    o->encoding = z(a, m->encoding);
}

struct cf_str intake_codec_roster_opened(struct cf_arena *a, const struct intake_roster_meta *m)
{
    Cardflow__V1__IntakeInternal x = CARDFLOW__V1__INTAKE_INTERNAL__INIT;
    pb_opened o;
    fill_opened(a, m, &o);
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_OPENED;
    x.roster_opened = &o;
    return cf_pack(a, &x.base);
}

int intake_codec_split_read(struct cf_arena *a, struct cf_str args, struct intake_roster_meta *out,
                            uint32_t *next_row)
{
    const Cardflow__V1__RosterSplit *s =
        cf_unpack(a, &cardflow__v1__roster_split__descriptor, args);
    if (!s || !s->roster || s->roster->roster_id.len != 16) return CF_E_DECODE;
    const pb_opened *o = s->roster;
    *out = (struct intake_roster_meta){.client = text(o->client),
                                       .unit_code = text(o->unit_code),
                                       .bank_code = text(o->bank_code),
                                       .outlet_code = text(o->outlet_code),
                                       .introduction_letter_no = text(o->introduction_letter_no),
                                       .encoding = text(o->encoding),
                                       .kind = cf_app_kind_parse(text(o->kind)),
                                       .channel = cf_channel_parse(text(o->channel)),
                                       .id_copies_held = o->id_copies_held,
                                       .may_backdate = o->may_backdate,
                                       .agent = cf_bytes(o->agent),
                                       .submitted_at = o->submitted_at_ms,
                                       .size = o->size};
    memcpy(out->roster_id, o->roster_id.data, 16);
    *next_row = s->next_row;
    return 0;
}

struct cf_str intake_codec_split_args(struct cf_arena *a, struct cf_str args, uint32_t next_row)
{
    Cardflow__V1__RosterSplit *s = cf_unpack(a, &cardflow__v1__roster_split__descriptor, args);
    if (!s) CF_BUG("arguments of a split that do not unpack");
    s->next_row = next_row;
    return cf_pack(a, &s->base);
}

struct cf_str intake_codec_progress(struct cf_arena *a, const uint8_t roster_id[16],
                                    uint32_t next_row, uint32_t records, bool complete,
                                    const char *problem)
{
    Cardflow__V1__IntakeInternal x = CARDFLOW__V1__INTAKE_INTERNAL__INIT;
    Cardflow__V1__IntakeInternal__RosterProgress p =
        CARDFLOW__V1__INTAKE_INTERNAL__ROSTER_PROGRESS__INIT;
    p.roster_id = cf_data_id(roster_id);
    p.next_row = next_row;
    p.records = records;
    p.complete = complete;
    p.problem = literal(problem ? problem : "");
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_PROGRESS;
    x.roster_progress = &p;
    return cf_pack(a, &x.base);
}

/* "a|b" as a list of texts. */
static size_t split(struct cf_arena *a, struct cf_str joined, char ***out)
{
    size_t n = 0, max = 1;
    for (size_t i = 0; i < joined.len; i++)
        max += joined.ptr[i] == '|';
    char **list = cf_arena_alloc(a, max * sizeof *list);
    while (joined.len) {
        const char *bar = memchr(joined.ptr, '|', joined.len);
        size_t len = bar ? (size_t)(bar - joined.ptr) : joined.len;
        list[n++] = z(a, (struct cf_str){joined.ptr, len});
        joined.ptr += bar ? len + 1 : len;
        joined.len -= bar ? len + 1 : len;
    }
    *out = list;
    return n;
}

struct cf_str intake_codec_row(struct cf_arena *a, const struct intake_row_msg *m)
{
    Cardflow__V1__IntakeInternal x = CARDFLOW__V1__INTAKE_INTERNAL__INIT;
    pb_row r = CARDFLOW__V1__INTAKE_INTERNAL__ROW_OUTCOME__INIT;
    r.roster_id = cf_data_id(m->roster_id);
    r.row_no = (uint32_t)m->row_no;
    r.application_id = id_or_nothing(m->application_id);
    r.outcome = literal(intake_row_outcome_name(m->outcome));
    r.n_reasons = split(a, m->reasons, &r.reasons);
    r.warnings = m->warnings;
    r.app_state = literal(cf_app_state_name(m->state));
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROW_OUTCOME;
    x.row_outcome = &r;
    return cf_pack(a, &x.base);
}

void intake_codec_send_row(struct cf_step *s, const struct intake_row_msg *m)
{
    struct cf_key key = cf_key_roster(m->roster_id);
    cf_send_bytes(s, INTAKE_OUT_INTERNAL, &key, "row.outcome", intake_codec_row(s->arena, m));
}

void intake_codec_send_moved(struct cf_step *s, const struct cf_key *to,
                             const struct intake_submit *m)
{
    Cardflow__V1__IntakeInternal x = CARDFLOW__V1__INTAKE_INTERNAL__INIT;
    struct submit_parts parts;
    fill_submit(s->arena, m, &parts);
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_MOVED;
    x.moved = &parts.submit;
    cf_send(s, INTAKE_OUT_INTERNAL, to, "application.moved", &x.base);
}

/* ---- application.events ----------------------------------------------------------------------- */

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
    Cardflow__V1__ApplicationEvent__Received r = CARDFLOW__V1__APPLICATION_EVENT__RECEIVED__INIT;
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
    Cardflow__V1__ApplicationEvent__Accepted x = CARDFLOW__V1__APPLICATION_EVENT__ACCEPTED__INIT;
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
                               const struct intake_application *app,
                               const struct intake_verdict *v)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__Refused x = CARDFLOW__V1__APPLICATION_EVENT__REFUSED__INIT;
    bool noticed = v->outcome == INTAKE_NOTICE;
    begin(s, &e, id, app->kind);
    x.n_reasons = split(s->arena, app->reasons, &x.reasons);
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
    Cardflow__V1__ApplicationEvent__Ended x = CARDFLOW__V1__APPLICATION_EVENT__ENDED__INIT;
    begin(s, &e, id, (int)kind);
    x.state = literal(cf_app_state_name(state));
    x.reason = literal(reason);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ENDED;
    e.ended = &x;
    send(s, "application.ended", &e);
}

void intake_codec_send_withdrawal(struct cf_step *s, const uint8_t id[16], enum cf_app_kind kind,
                                  const uint8_t command_id[16], struct cf_str reason)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__WithdrawalRequested x =
        CARDFLOW__V1__APPLICATION_EVENT__WITHDRAWAL_REQUESTED__INIT;
    begin(s, &e, id, (int)kind);
    x.command_id = cf_data_id(command_id);
    x.reason = z(s->arena, reason);
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_WITHDRAWAL_REQUESTED;
    e.withdrawal_requested = &x;
    send(s, "application.withdrawal_requested", &e);
}

void intake_codec_send_enrolment(struct cf_step *s, bool active, struct cf_str reason,
                                 int64_t revision)
{
    pb_event e;
    Cardflow__V1__ApplicationEvent__EnrolmentChanged x =
        CARDFLOW__V1__APPLICATION_EVENT__ENROLMENT_CHANGED__INIT;
    begin(s, &e, zero, 0);
    x.active = active;
    x.reason = z(s->arena, reason);
    x.revision = revision;
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ENROLMENT_CHANGED;
    e.enrolment_changed = &x;
    send(s, "application.enrolment_changed", &e);
}
