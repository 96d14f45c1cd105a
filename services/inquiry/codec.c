#include "services/inquiry/codec.h"

#include "common/io/ids.h"
#include "common/pure/cardnum.h"

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/audit.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/complaint.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "cardflow/v1/status.pb-c.h"

typedef Cardflow__V1__ApplicationEvent application_event;
typedef Cardflow__V1__PhotoEvent photo_event;
typedef Cardflow__V1__CardEvent card_event;

static int refuse(struct cf_decode *d, const char *reason)
{
    d->reason = reason;
    return CF_E_DECODE;
}

static int unknown(struct cf_decode *d)
{
    d->reason = "body: unknown event";
    return CF_E_VERSION;
}

static bool take_id(ProtobufCBinaryData in, uint8_t out[16])
{
    if (in.len != 16) return false;
    memcpy(out, in.data, 16);
    return true;
}

static struct cf_str text(const char *z)
{
    return cf_str_of(z ? z : "");
}

/* Where a number means "none", 0 does so here. */
static cf_day day_of(int32_t v)
{
    return v > 0 ? v : 0;
}

static struct cf_msg *add(struct cf_decode *d, enum inquiry_kind kind, enum inquiry_message type,
                          const struct cf_key *key, const void *body)
{
    struct cf_msg *m = &d->msgs[d->n++];
    *m = (struct cf_msg){.kind = (uint16_t)kind, .type = (uint16_t)type, .key = *key};
    m->body = body;
    return m;
}

static const struct cf_str *texts(struct cf_arena *a, char *const *names, size_t n)
{
    struct cf_str *list = cf_arena_zero(a, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++)
        list[i] = text(names[i]);
    return list;
}

/* ---- application.events --------------------------------------------------------------------- */

static void take_received(struct inquiry_event *ev,
                          const Cardflow__V1__ApplicationEvent__Received *r)
{
    struct inquiry_entry *e = &ev->entry;
    ev->what = INQUIRY_RECEIVED;
    ev->person = cf_bytes(r->person);
    e->state = CF_APP_RECEIVED;
    e->channel = text(r->channel);
    e->bank = text(r->bank_code);
    e->outlet = text(r->outlet_code);
    e->submitted_at = r->submitted_at_ms;
    e->waits = r->waiting_for_enrolment;
}

static void take_accepted(struct inquiry_event *ev,
                          const Cardflow__V1__ApplicationEvent__Accepted *r)
{
    struct inquiry_entry *e = &ev->entry;
    ev->what = INQUIRY_ACCEPTED;
    ev->person = cf_bytes(r->person);
    e->state = CF_APP_ACCEPTED;
    e->channel = text(r->channel);
    e->bank = text(r->bank_code);
    e->outlet = text(r->outlet_code);
    e->submitted_at = r->submitted_at_ms;
    e->accepted_on = day_of(r->accepted_on);
    e->due_on = day_of(r->due_on);
    e->provisional = r->provisional;
    e->policy = r->policy;
    e->receipt_no = text(r->receipt_no);
    e->warnings = r->warnings;
}

static void take_refused(struct cf_decode *d, struct inquiry_event *ev,
                         const Cardflow__V1__ApplicationEvent__Refused *r, enum cf_app_state state)
{
    struct inquiry_entry *e = &ev->entry;
    ev->what = INQUIRY_REFUSED;
    ev->person = cf_bytes(r->person);
    e->state = state;
    e->channel = text(r->channel);
    e->bank = text(r->bank_code);
    e->outlet = text(r->outlet_code);
    e->submitted_at = r->submitted_at_ms;
    e->reasons = texts(d->arena, r->reasons, r->n_reasons);
    e->n_reasons = r->n_reasons;
    e->notice_no = text(r->notice_no);
    e->respond_by = day_of(r->respond_by);
}

static bool take_moved(struct inquiry_event *ev, const char *state, const char *reason)
{
    ev->what = INQUIRY_MOVED;
    ev->entry.state = cf_app_state_parse(text(state));
    ev->reason = text(reason);
    return ev->entry.state != CF_APP_NONE;
}

static int decode_application(struct cf_decode *d, const struct cf_record *rec,
                              struct inquiry_event *ev)
{
    const application_event *e =
        cf_unpack(d->arena, &cardflow__v1__application_event__descriptor, rec->value);
    if (!e) return refuse(d, "value: not an application event");
    ev->source = INQUIRY_INTAKE;
    ev->at = e->at_ms;
    ev->entry.kind = (enum cf_app_kind)e->kind;
    bool has_id = take_id(e->application_id, ev->entry.id);
    switch (e->body_case) {
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_RECEIVED:
        take_received(ev, e->received);
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ACCEPTED:
        take_accepted(ev, e->accepted);
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_NOTICED:
        take_refused(d, ev, e->noticed, CF_APP_NOTICED);
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_REJECTED:
        take_refused(d, ev, e->rejected, CF_APP_REJECTED);
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ENDED:
        if (!take_moved(ev, e->ended->state, e->ended->reason)) return unknown(d);
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_SUPPLEMENTED:
        ev->what = INQUIRY_SUPPLEMENTED;
        ev->person = cf_bytes(e->supplemented->person);
        ev->entry.outlet = text(e->supplemented->outlet_code);
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_SUPPLEMENT_REQUESTED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_COMMAND_DECIDED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_WITHDRAWAL_REQUESTED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_EXTENSION_REQUESTED:
        ev->what = INQUIRY_OTHER;
        return 0;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ENROLMENT_CHANGED:
        ev->what = INQUIRY_ENROLMENT;
        ev->enrolment = e->enrolment_changed->active    ? CF_STR("active")
                        : *e->enrolment_changed->reason ? text(e->enrolment_changed->reason)
                                                        : CF_STR("left");
        return 0;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_NOT_ENROLLED:
        ev->what = INQUIRY_ENROLMENT;
        ev->enrolment = CF_STR("never");
        return 0;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ALIASED:
        ev->what = INQUIRY_ALIASED;
        ev->canonical = cf_bytes(e->aliased->canonical);
        return ev->canonical.len == CF_REF_LEN ? 0 : refuse(d, "aliased.canonical: 16 bytes");
    case CARDFLOW__V1__APPLICATION_EVENT__BODY__NOT_SET:
    case _CARDFLOW__V1__APPLICATION_EVENT__BODY__CASE_IS_INT_SIZE:
        return unknown(d);
    }
    return has_id ? 0 : refuse(d, "application_id: 16 bytes");
}

/* ---- photo.events --------------------------------------------------------------------------- */

static int decode_photo(struct cf_decode *d, const struct cf_record *rec, struct inquiry_event *ev)
{
    const photo_event *e = cf_unpack(d->arena, &cardflow__v1__photo_event__descriptor, rec->value);
    if (!e) return refuse(d, "value: not a photo event");
    ev->source = INQUIRY_PHOTO;
    ev->at = e->at_ms;
    ev->what = INQUIRY_MOVED;
    ev->entry.kind = (enum cf_app_kind)e->kind;
    if (!take_id(e->application_id, ev->entry.id)) return refuse(d, "application_id: 16 bytes");
    switch (e->body_case) {
    case CARDFLOW__V1__PHOTO_EVENT__BODY_READY:
        ev->entry.state = CF_APP_PHOTO_READY;
        return 0;
    case CARDFLOW__V1__PHOTO_EVENT__BODY_MISSING:
        ev->entry.state = CF_APP_PHOTO_MISSING;
        ev->entry.reasons = texts(d->arena, e->missing->reasons, e->missing->n_reasons);
        ev->entry.n_reasons = e->missing->n_reasons;
        ev->entry.respond_by = day_of(e->missing->respond_by);
        return 0;
    case CARDFLOW__V1__PHOTO_EVENT__BODY_ENDED: /* production tells */
    case CARDFLOW__V1__PHOTO_EVENT__BODY__NOT_SET:
    case _CARDFLOW__V1__PHOTO_EVENT__BODY__CASE_IS_INT_SIZE:
        break;
    }
    return unknown(d);
}

/* ---- card.events ---------------------------------------------------------------------------- */

static void take_add_ons(struct cf_arena *a, const Cardflow__V1__CardEvent__CardChanged *c,
                         struct inquiry_card *card)
{
    if (c->n_add_ons == 0) return;
    struct inquiry_add_on *list = cf_arena_zero(a, c->n_add_ons * sizeof *list);
    for (size_t i = 0; i < c->n_add_ons; i++)
        list[i] = (struct inquiry_add_on){text(c->add_ons[i]->add_on),
                                          text(c->add_ons[i]->consent_by),
                                          c->add_ons[i]->opened_at_ms};
    card->add_ons = list;
    card->n_add_ons = c->n_add_ons;
}

static int take_card(struct cf_decode *d, struct inquiry_event *ev, const card_event *e)
{
    const Cardflow__V1__CardEvent__CardChanged *c = e->card_changed;
    ev->what = INQUIRY_CARD;
    ev->card = (struct inquiry_card){.no = text(e->card_no),
                                     .bank = text(e->bank_code),
                                     .financial = text(c->financial_state),
                                     .state = cf_card_state_parse(text(c->state)),
                                     .temporary = c->temporary,
                                     .has_photo = c->has_photo,
                                     .handed_in = c->handed_in,
                                     .valid_until = day_of(c->valid_until),
                                     .issued_on = day_of(c->issued_on),
                                     .loss_until_on = day_of(c->loss_until_on),
                                     .at = e->at_ms,
                                     .password = {c->social_security_password,
                                                  c->financial_password}};
    take_add_ons(d->arena, c, &ev->card);
    if (!ev->card.state) return unknown(d);
    return ev->card.no.len ? 0 : refuse(d, "card_no: required");
}

static void take_deadline(struct inquiry_event *ev, const card_event *e)
{
    const Cardflow__V1__CardEvent__Deadline *x = e->deadline;
    ev->what = INQUIRY_DEADLINE;
    ev->entry.deadline = (struct inquiry_deadline){.due_on = day_of(x->due_on),
                                                   .working_days = x->working_days,
                                                   .provisional = x->provisional};
    ev->warned = x->warned;
    ev->overdue = x->overdue;
    if (!x->due_before) return;
    ev->change = (struct inquiry_change){.what = text(x->what),
                                         .reason = text(x->reason),
                                         .at = e->at_ms,
                                         .due_before = day_of(x->due_before),
                                         .due_on = day_of(x->due_on)};
}

static int decode_card(struct cf_decode *d, const struct cf_record *rec, struct inquiry_event *ev)
{
    const card_event *e = cf_unpack(d->arena, &cardflow__v1__card_event__descriptor, rec->value);
    if (!e) return refuse(d, "value: not a card event");
    ev->source = INQUIRY_PRODUCTION;
    ev->at = e->at_ms;
    ev->entry.kind = (enum cf_app_kind)e->kind;
    ev->entry.bank = text(e->bank_code);
    ev->entry.outlet = text(e->outlet_code);
    ev->entry.card_no = text(e->card_no);
    bool has_id = take_id(e->application_id, ev->entry.id);
    switch (e->body_case) {
    case CARDFLOW__V1__CARD_EVENT__BODY_STEP:
        if (!take_moved(ev, e->step->state, e->step->reason)) return unknown(d);
        ev->entry.notice_no = text(e->step->notice_no);
        ev->entry.respond_by = day_of(e->step->respond_by);
        ev->entry.until_on = day_of(e->step->until_on);
        ev->entry.needs_person = e->step->needs_person;
        break;
    case CARDFLOW__V1__CARD_EVENT__BODY_PROMISED:
        ev->what = INQUIRY_PROMISED;
        ev->entry.promised_on = day_of(e->promised->promised_on);
        ev->entry.place = e->promised->place_in_queue;
        ev->entry.past_deadline = e->promised->past_deadline;
        break;
    case CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED:
        return take_card(d, ev, e);
    case CARDFLOW__V1__CARD_EVENT__BODY_BANK_NOTICE:
        ev->what = e->bank_notice->acknowledged_at_ms ? INQUIRY_BANK_AWARE : INQUIRY_BANK_OVERDUE;
        ev->card.no = text(e->card_no);
        return 0;
    case CARDFLOW__V1__CARD_EVENT__BODY_DEADLINE:
        take_deadline(ev, e);
        break;
    case CARDFLOW__V1__CARD_EVENT__BODY_OPERATION_ANSWERED:
        ev->what = INQUIRY_OTHER;
        return 0;
    case CARDFLOW__V1__CARD_EVENT__BODY__NOT_SET:
    case _CARDFLOW__V1__CARD_EVENT__BODY__CASE_IS_INT_SIZE:
        return unknown(d);
    }
    return has_id ? 0 : refuse(d, "application_id: 16 bytes");
}

/* ---- the other sources ---------------------------------------------------------------------- */

static int decode_complaint(struct cf_decode *d, const struct cf_record *rec,
                            struct inquiry_event *ev)
{
    const Cardflow__V1__ComplaintHolderEvent *e =
        cf_unpack(d->arena, &cardflow__v1__complaint_holder_event__descriptor, rec->value);
    if (!e) return refuse(d, "value: not an event of a work order");
    ev->source = INQUIRY_COMPLAINT;
    ev->what = INQUIRY_ORDER;
    ev->at = e->at_ms;
    ev->order = (struct inquiry_order){.source_system = text(e->source_system),
                                       .no = text(e->order_no),
                                       .kind = text(e->kind),
                                       .state = text(e->state),
                                       .due_on = day_of(e->due_on),
                                       .at = e->at_ms};
    return take_id(e->order_id, ev->order.id) ? 0 : refuse(d, "order_id: 16 bytes");
}

/* ---- audit.events and inquiry.internal ------------------------------------------------------ */

static int decode_audit(struct cf_decode *d, const struct cf_record *rec)
{
    const Cardflow__V1__AuditEvent *e =
        cf_unpack(d->arena, &cardflow__v1__audit_event__descriptor, rec->value);
    struct cf_key key;
    if (!e) return refuse(d, "value: not an audit event");
    struct inquiry_audit *m = cf_arena_zero(d->arena, sizeof *m);
    m->client = text(e->client);
    m->scope = text(e->scope);
    m->operator_id = text(e->operator_);
    m->purpose = text(e->purpose);
    m->action = text(e->action);
    m->outcome = text(e->outcome);
    m->trace_id = text(e->trace_id);
    m->at = e->at_ms;
    if (e->holder_ref.len) m->holder_ref = cf_bytes(e->holder_ref);
    const struct cf_str all[] = {m->client, m->scope,   m->operator_id, m->purpose,
                                 m->action, m->outcome, m->trace_id};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!cf_utf8_valid(all[i])) return refuse(d, "text: not UTF-8");
    /* A record that names nobody or nothing would stand in the chain for ever and prove nothing. */
    if (!m->client.len || !m->action.len) return refuse(d, "client, action: required");
    if (m->holder_ref.len && m->holder_ref.len != CF_REF_LEN)
        return refuse(d, "holder_ref: 16 bytes");
    if (!cf_uuid_parse(rec->ce_id, m->id)) return refuse(d, "ce_id: a UUID");
    if (!cf_key_bytes(rec->key.ptr, rec->key.len, &key)) return refuse(d, "key: 1-63 bytes");
    add(d, INQUIRY_KIND_CHAIN, INQUIRY_MSG_AUDIT, &key, m);
    return 0;
}

static int decode_internal(struct cf_decode *d, const struct cf_record *rec,
                           const struct cf_key *key)
{
    const Cardflow__V1__InquiryInternal *e =
        cf_unpack(d->arena, &cardflow__v1__inquiry_internal__descriptor, rec->value);
    if (!e || e->body_case != CARDFLOW__V1__INQUIRY_INTERNAL__BODY_SWEEP)
        return refuse(d, "value: not a sweep");
    add(d, INQUIRY_KIND_DOCUMENT, INQUIRY_MSG_SWEEP, key, NULL);
    return 0;
}

int inquiry_codec_decode(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_key key;
    int e = 0;
    if (rec->topic == INQUIRY_IN_AUDIT) return decode_audit(d, rec);
    if (rec->key.len != CF_REF_LEN || !cf_key_bytes(rec->key.ptr, rec->key.len, &key))
        return refuse(d, "key: 16 bytes");
    if (rec->topic == INQUIRY_IN_INTERNAL) return decode_internal(d, rec, &key);
    struct inquiry_event *ev = cf_arena_zero(d->arena, sizeof *ev);
    switch ((enum inquiry_in)rec->topic) {
    case INQUIRY_IN_APPLICATIONS:
        e = decode_application(d, rec, ev);
        break;
    case INQUIRY_IN_PHOTOS:
        e = decode_photo(d, rec, ev);
        break;
    case INQUIRY_IN_CARDS:
        e = decode_card(d, rec, ev);
        break;
    case INQUIRY_IN_COMPLAINTS:
        e = decode_complaint(d, rec, ev);
        break;
    case INQUIRY_IN_AUDIT:
    case INQUIRY_IN_INTERNAL:
        break;
    }
    if (e) return e;
    if (ev->entry.kind >= CF_KIND_COUNT || (int)ev->entry.kind < 0) return unknown(d);
    /* The record's own time does not depend on how topics were interleaved either. */
    if (ev->at <= 0) ev->at = rec->at;
    add(d, INQUIRY_KIND_DOCUMENT, INQUIRY_MSG_EVENT, &key, ev);
    return 0;
}

/* ---- aliases ----------------------------------------------------------------------------------
 */

static void alias_of(struct cf_str word, struct cf_str number, uint8_t id[16])
{
    char clean[CF_CARDNUM_MAX];
    unsigned warnings = 0;
    size_t n = cf_cardnum_normalise(number, clean, &warnings);
    cf_uuid8_of(id, word, (struct cf_str){clean, n});
}

void inquiry_alias_receipt(struct cf_str receipt_no, uint8_t id[16])
{
    alias_of(CF_STR("receipt"), receipt_no, id);
}

void inquiry_alias_card(struct cf_str card_no, uint8_t id[16])
{
    alias_of(CF_STR("card"), card_no, id);
}
