/* Documents, and what goes out: status, audit, sweep. */
#include "services/inquiry/codec.h"

#include "common/pure/mask.h"

#include "cardflow/v1/audit.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/inquiry_doc.pb-c.h"
#include "cardflow/v1/status.pb-c.h"

typedef Cardflow__V1__InquirySection pb_section;
typedef Cardflow__V1__InquirySection__Entry pb_entry;
typedef Cardflow__V1__InquirySection__Mark pb_mark;
typedef Cardflow__V1__InquirySection__Card pb_card;
typedef Cardflow__V1__InquirySection__AddOn pb_add_on;
typedef Cardflow__V1__InquirySection__Order pb_order;

static struct cf_str text(const char *z)
{
    return z && *z ? cf_str_of(z) : (struct cf_str){0};
}

/* protobuf-c's text fields are char * and end with a zero; they are only read when packing. */
static char *z(struct cf_arena *a, struct cf_str s)
{
    return (char *)(uintptr_t)(s.len ? cf_arena_str(a, s).ptr : "");
}

static char *lit(const char *s)
{
    return (char *)(uintptr_t)s;
}

static void take_id(ProtobufCBinaryData in, uint8_t out[16])
{
    if (in.len == 16) memcpy(out, in.data, 16);
}

/* n pointers to n cleared messages of `size`, as protobuf-c's repeated fields want them. */
static void *repeated(struct cf_arena *a, size_t n, size_t size, void ***list)
{
    char *all = cf_arena_zero(a, n * size + 1);
    *list = cf_arena_alloc(a, (n + 1) * sizeof **list);
    for (size_t i = 0; i < n; i++)
        (*list)[i] = all + i * size;
    return all;
}
#define REPEATED(a, n, type, field)                                                                \
    ((type *)repeated((a), (n), sizeof(type), (void ***)(void *)&(field)))

/* ---- sections: reading ---------------------------------------------------------------------- */

static void read_deadline(struct cf_arena *a, const Cardflow__V1__InquirySection__Deadline *d,
                          struct inquiry_deadline *out)
{
    if (!d) return;
    *out = (struct inquiry_deadline){.due_on = d->due_on,
                                     .working_days = d->working_days,
                                     .provisional = d->provisional,
                                     .warned_at = d->warned_at_ms,
                                     .overdue_at = d->overdue_at_ms,
                                     .n_changes = d->n_changes};
    out->changes = cf_arena_zero(a, (d->n_changes + 1) * sizeof *out->changes);
    for (size_t i = 0; i < d->n_changes; i++) {
        const Cardflow__V1__InquirySection__Change *c = d->changes[i];
        out->changes[i] = (struct inquiry_change){text(c->what), text(c->reason), c->at_ms,
                                                  c->due_before, c->due_on};
    }
}

static void read_entry(struct cf_arena *a, const pb_entry *e, struct inquiry_entry *out)
{
    struct cf_str *reasons = cf_arena_zero(a, (e->n_reasons + 1) * sizeof *reasons);
    for (size_t i = 0; i < e->n_reasons; i++)
        reasons[i] = text(e->reasons[i]);
    take_id(e->application_id, out->id);
    out->kind =
        (enum cf_app_kind)e->kind < CF_KIND_COUNT ? (enum cf_app_kind)e->kind : CF_KIND_NONE;
    out->state = cf_app_state_parse(text(e->state));
    out->channel = text(e->channel);
    out->bank = text(e->bank_code);
    out->outlet = text(e->outlet_code);
    out->receipt_no = text(e->receipt_no);
    out->notice_no = text(e->notice_no);
    out->card_no = text(e->card_no);
    out->submitted_at = e->submitted_at_ms;
    out->waits = e->waits;
    out->accepted = e->accepted;
    out->noticed = e->noticed;
    out->provisional = e->provisional;
    out->past_deadline = e->past_deadline;
    out->needs_person = e->needs_person;
    out->reasons = reasons;
    out->n_reasons = e->n_reasons;
    out->respond_by = e->respond_by;
    out->accepted_on = e->accepted_on;
    out->due_on = e->due_on;
    out->promised_on = e->promised_on;
    out->until_on = e->until_on;
    out->policy = e->policy;
    out->warnings = e->warnings;
    out->place = e->place;
    read_deadline(a, e->deadline, &out->deadline);
    out->marks = cf_arena_zero(a, (e->n_marks + 1) * sizeof *out->marks);
    out->n_marks = e->n_marks;
    for (size_t i = 0; i < e->n_marks; i++)
        out->marks[i] = (struct inquiry_mark){cf_app_state_parse(text(e->marks[i]->state)),
                                              e->marks[i]->at_ms, text(e->marks[i]->reason)};
}

static void read_add_ons(struct cf_arena *a, const pb_card *c, struct inquiry_card *out)
{
    if (c->n_add_ons == 0) return;
    struct inquiry_add_on *list = cf_arena_zero(a, c->n_add_ons * sizeof *list);
    for (size_t i = 0; i < c->n_add_ons; i++)
        list[i] = (struct inquiry_add_on){text(c->add_ons[i]->add_on),
                                          text(c->add_ons[i]->consent_by),
                                          c->add_ons[i]->opened_at_ms};
    out->add_ons = list;
    out->n_add_ons = c->n_add_ons;
}

static void read_others(struct cf_arena *a, const pb_section *s, struct inquiry_section *out)
{
    for (size_t i = 0; i < s->n_cards; i++) {
        const pb_card *c = s->cards[i];
        out->cards[i] = (struct inquiry_card){text(c->card_no),
                                              text(c->bank_code),
                                              text(c->financial_state),
                                              cf_card_state_parse(text(c->state)),
                                              c->temporary,
                                              c->has_photo,
                                              c->handed_in,
                                              c->valid_until,
                                              c->issued_on,
                                              c->loss_until_on,
                                              c->at_ms,
                                              c->activated_at_ms,
                                              c->bank_overdue,
                                              {c->social_security_password, c->financial_password},
                                              NULL,
                                              0};
        read_add_ons(a, c, &out->cards[i]);
    }
    for (size_t i = 0; i < s->n_orders; i++) {
        const pb_order *o = s->orders[i];
        take_id(o->order_id, out->orders[i].id);
        out->orders[i].source_system = text(o->source_system);
        out->orders[i].no = text(o->order_no);
        out->orders[i].kind = text(o->kind);
        out->orders[i].state = text(o->state);
        out->orders[i].due_on = o->due_on;
        out->orders[i].at = o->at_ms;
    }
}

static void read_section(struct cf_arena *a, const pb_section *s, struct inquiry_section *out)
{
    *out = (struct inquiry_section){0};
    if (!s) return;
    out->n_entries = s->n_entries;
    out->n_cards = s->n_cards;
    out->n_orders = s->n_orders;
    out->entries = cf_arena_zero(a, (s->n_entries + 1) * sizeof *out->entries);
    out->cards = cf_arena_zero(a, (s->n_cards + 1) * sizeof *out->cards);
    out->orders = cf_arena_zero(a, (s->n_orders + 1) * sizeof *out->orders);
    for (size_t i = 0; i < s->n_entries; i++)
        read_entry(a, s->entries[i], &out->entries[i]);
    read_others(a, s, out);
    out->person = cf_bytes(s->person);
    out->enrolment = text(s->enrolment);
    out->canonical = cf_bytes(s->canonical);
}

int inquiry_codec_section_read(struct cf_arena *a, struct cf_str bytes, struct inquiry_section *out)
{
    const pb_section *s =
        bytes.len ? cf_unpack(a, &cardflow__v1__inquiry_section__descriptor, bytes) : NULL;
    if (bytes.len && !s) return CF_E_DATA;
    read_section(a, s, out);
    return 0;
}

int inquiry_codec_document_read(struct cf_arena *a, struct cf_str payload,
                                struct inquiry_facts *out)
{
    const Cardflow__V1__InquiryDocument *d =
        cf_unpack(a, &cardflow__v1__inquiry_document__descriptor, payload);
    if (!d) return CF_E_DATA;
    out->as_of = d->as_of_ms;
    read_section(a, d->intake, &out->sections[INQUIRY_INTAKE]);
    read_section(a, d->photo, &out->sections[INQUIRY_PHOTO]);
    read_section(a, d->production, &out->sections[INQUIRY_PRODUCTION]);
    read_section(a, d->complaint, &out->sections[INQUIRY_COMPLAINT]);
    return 0;
}

/* ---- sections: packing ---------------------------------------------------------------------- */

static Cardflow__V1__InquirySection__Deadline *pack_deadline(struct cf_arena *a,
                                                             const struct inquiry_deadline *d)
{
    Cardflow__V1__InquirySection__Deadline *out = cf_arena_alloc(a, sizeof *out);
    cardflow__v1__inquiry_section__deadline__init(out);
    out->due_on = d->due_on;
    out->working_days = d->working_days;
    out->provisional = d->provisional;
    out->warned_at_ms = d->warned_at;
    out->overdue_at_ms = d->overdue_at;
    out->n_changes = d->n_changes;
    Cardflow__V1__InquirySection__Change *changes =
        REPEATED(a, d->n_changes, Cardflow__V1__InquirySection__Change, out->changes);
    for (size_t i = 0; i < d->n_changes; i++) {
        cardflow__v1__inquiry_section__change__init(&changes[i]);
        changes[i].what = z(a, d->changes[i].what);
        changes[i].at_ms = d->changes[i].at;
        changes[i].due_before = d->changes[i].due_before;
        changes[i].due_on = d->changes[i].due_on;
        changes[i].reason = z(a, d->changes[i].reason);
    }
    return out;
}

static void pack_entry(struct cf_arena *a, const struct inquiry_entry *e, pb_entry *out)
{
    cardflow__v1__inquiry_section__entry__init(out);
    out->application_id = cf_data_id(e->id);
    out->kind = (Cardflow__V1__AppKind)e->kind;
    out->state = lit(cf_app_state_name(e->state));
    out->channel = z(a, e->channel);
    out->bank_code = z(a, e->bank);
    out->outlet_code = z(a, e->outlet);
    out->receipt_no = z(a, e->receipt_no);
    out->notice_no = z(a, e->notice_no);
    out->card_no = z(a, e->card_no);
    out->submitted_at_ms = e->submitted_at;
    out->waits = e->waits;
    out->accepted = e->accepted;
    out->noticed = e->noticed;
    out->provisional = e->provisional;
    out->past_deadline = e->past_deadline;
    out->needs_person = e->needs_person;
    out->n_reasons = e->n_reasons;
    out->reasons = cf_arena_alloc(a, (e->n_reasons + 1) * sizeof *out->reasons);
    for (size_t i = 0; i < e->n_reasons; i++)
        out->reasons[i] = z(a, e->reasons[i]);
    out->respond_by = e->respond_by;
    out->accepted_on = e->accepted_on;
    out->due_on = e->due_on;
    out->promised_on = e->promised_on;
    out->until_on = e->until_on;
    out->policy = e->policy;
    out->warnings = e->warnings;
    out->place = e->place;
    if (e->deadline.due_on) out->deadline = pack_deadline(a, &e->deadline);
    out->n_marks = e->n_marks;
    pb_mark *marks = REPEATED(a, e->n_marks, pb_mark, out->marks);
    for (size_t i = 0; i < e->n_marks; i++) {
        cardflow__v1__inquiry_section__mark__init(&marks[i]);
        marks[i].state = lit(cf_app_state_name(e->marks[i].state));
        marks[i].at_ms = e->marks[i].at;
        marks[i].reason = z(a, e->marks[i].reason);
    }
}

static void pack_card(struct cf_arena *a, const struct inquiry_card *c, pb_card *out)
{
    cardflow__v1__inquiry_section__card__init(out);
    out->card_no = z(a, c->no);
    out->bank_code = z(a, c->bank);
    out->financial_state = z(a, c->financial);
    out->state = lit(cf_card_state_name(c->state));
    out->temporary = c->temporary;
    out->has_photo = c->has_photo;
    out->handed_in = c->handed_in;
    out->valid_until = c->valid_until;
    out->issued_on = c->issued_on;
    out->loss_until_on = c->loss_until_on;
    out->at_ms = c->at;
    out->activated_at_ms = c->activated_at;
    out->bank_overdue = c->bank_overdue;
    out->social_security_password = c->password[0];
    out->financial_password = c->password[1];
    if (c->n_add_ons == 0) return;
    pb_add_on *list = REPEATED(a, c->n_add_ons, pb_add_on, out->add_ons);
    out->n_add_ons = c->n_add_ons;
    for (size_t i = 0; i < c->n_add_ons; i++) {
        cardflow__v1__inquiry_section__add_on__init(&list[i]);
        list[i].add_on = z(a, c->add_ons[i].name);
        list[i].opened_at_ms = c->add_ons[i].at;
        list[i].consent_by = z(a, c->add_ons[i].consent_by);
    }
}

static void pack_order(struct cf_arena *a, const struct inquiry_order *o, pb_order *out)
{
    cardflow__v1__inquiry_section__order__init(out);
    out->order_id = cf_data_id(o->id);
    out->source_system = z(a, o->source_system);
    out->order_no = z(a, o->no);
    out->kind = z(a, o->kind);
    out->state = z(a, o->state);
    out->due_on = o->due_on;
    out->at_ms = o->at;
}

struct cf_str inquiry_codec_section_pack(struct cf_arena *a, const struct inquiry_section *s)
{
    pb_section out;
    cardflow__v1__inquiry_section__init(&out);
    out.n_entries = s->n_entries;
    out.n_cards = s->n_cards;
    out.n_orders = s->n_orders;
    pb_entry *entries = REPEATED(a, s->n_entries, pb_entry, out.entries);
    pb_card *cards = REPEATED(a, s->n_cards, pb_card, out.cards);
    pb_order *orders = REPEATED(a, s->n_orders, pb_order, out.orders);
    for (size_t i = 0; i < s->n_entries; i++)
        pack_entry(a, &s->entries[i], &entries[i]);
    for (size_t i = 0; i < s->n_cards; i++)
        pack_card(a, &s->cards[i], &cards[i]);
    for (size_t i = 0; i < s->n_orders; i++)
        pack_order(a, &s->orders[i], &orders[i]);
    out.person = cf_data(s->person);
    out.enrolment = z(a, s->enrolment);
    out.canonical = cf_data(s->canonical);
    return cf_pack(a, &out.base);
}

struct cf_str inquiry_codec_document_pack(struct cf_arena *a, const struct inquiry_row *row)
{
    Cardflow__V1__InquiryDocumentPacked out;
    cardflow__v1__inquiry_document_packed__init(&out);
    out.as_of_ms = row->as_of;
    out.intake = cf_data(row->sections[INQUIRY_INTAKE]);
    out.photo = cf_data(row->sections[INQUIRY_PHOTO]);
    out.production = cf_data(row->sections[INQUIRY_PRODUCTION]);
    out.complaint = cf_data(row->sections[INQUIRY_COMPLAINT]);
    return cf_pack(a, &out.base);
}

/* ---- status --------------------------------------------------------------------------------- */

static void status_app(struct cf_arena *a, const struct inquiry_app *app,
                       Cardflow__V1__Status__Application *out)
{
    const struct inquiry_entry *line = app->said[INQUIRY_PRODUCTION], *why = app->owner;
    cardflow__v1__status__application__init(out);
    out->application_id = cf_data_id(app->id);
    out->kind = lit(cf_app_kind_name(app->kind));
    out->state = lit(cf_app_state_name(app->state));
    out->due_on = inquiry_due_on(app);
    out->warned = inquiry_deadline_of(app) && inquiry_deadline_of(app)->warned_at;
    out->overdue = inquiry_deadline_of(app) && inquiry_deadline_of(app)->overdue_at;
    out->promised_on = line ? line->promised_on : 0;
    out->n_reasons = why->n_reasons;
    out->reasons = cf_arena_alloc(a, (why->n_reasons + 1) * sizeof *out->reasons);
    for (size_t i = 0; i < why->n_reasons; i++)
        out->reasons[i] = z(a, why->reasons[i]);
}

static void status_card(struct cf_arena *a, const struct inquiry_shown_card *c,
                        Cardflow__V1__Status__Card *out)
{
    char masked[CF_MASK_MAX];
    cardflow__v1__status__card__init(out);
    cf_mask_cardnum(c->card->no, masked);
    out->card_no_masked = z(a, cf_str_of(masked));
    out->state = lit(cf_card_state_name(c->card->state));
    out->code = z(a, cf_arena_printf(a, "%d", cf_card_state_code(c->card->state)));
    out->identity_valid = c->invalid == 0;
    out->temporary = c->card->temporary;
    out->identity_reasons = cf_arena_alloc(a, INQUIRY_ID_COUNT * sizeof *out->identity_reasons);
    for (unsigned i = 0; i < INQUIRY_ID_COUNT; i++)
        if (c->invalid >> i & 1)
            out->identity_reasons[out->n_identity_reasons++] = lit(inquiry_identity_name(i));
}

static void status_order(struct cf_arena *a, const struct inquiry_order *o,
                         Cardflow__V1__Status__WorkOrder *out)
{
    cardflow__v1__status__work_order__init(out);
    out->order_no = z(a, o->no);
    out->kind = z(a, o->kind);
    out->state = z(a, o->state);
    out->due_on = o->due_on;
}

struct cf_str inquiry_codec_status(struct cf_arena *a, const struct inquiry_facts *facts,
                                   const struct inquiry_picture *p, int64_t version, cf_ms as_of)
{
    Cardflow__V1__Status out;
    cardflow__v1__status__init(&out);
    const struct inquiry_section *complaint = &facts->sections[INQUIRY_COMPLAINT];
    out.version = version;
    out.as_of_ms = as_of;
    out.n_applications = p->n_apps;
    out.n_cards = p->n_cards;
    out.n_work_orders = complaint->n_orders;
    Cardflow__V1__Status__Application *apps =
        REPEATED(a, p->n_apps, Cardflow__V1__Status__Application, out.applications);
    Cardflow__V1__Status__Card *cards =
        REPEATED(a, p->n_cards, Cardflow__V1__Status__Card, out.cards);
    Cardflow__V1__Status__WorkOrder *orders =
        REPEATED(a, complaint->n_orders, Cardflow__V1__Status__WorkOrder, out.work_orders);
    for (size_t i = 0; i < p->n_apps; i++)
        status_app(a, &p->apps[i], &apps[i]);
    for (size_t i = 0; i < p->n_cards; i++)
        status_card(a, &p->cards[i], &cards[i]);
    for (size_t i = 0; i < complaint->n_orders; i++)
        status_order(a, &complaint->orders[i], &orders[i]);
    out.label_zh = z(a, p->label_zh);
    out.label_en = z(a, p->label_en);
    out.sentence_zh = z(a, p->sentence_zh);
    out.sentence_en = z(a, p->sentence_en);
    out.next_step = lit(inquiry_step_name(p->step));
    out.next_on = p->step_on;
    return cf_pack(a, &out.base);
}

/* ---- the front ------------------------------------------------------------------------------ */

int inquiry_codec_person(struct cf_arena *a, struct cf_str plain, struct inquiry_person *out)
{
    const Cardflow__V1__Person *p = cf_unpack(a, &cardflow__v1__person__descriptor, plain);
    if (!p) return CF_E_DECODE;
    *out = (struct inquiry_person){text(p->document_type), text(p->document_number), text(p->name),
                                   text(p->phone)};
    return 0;
}

struct cf_str inquiry_codec_audit(struct cf_arena *a, const struct inquiry_audit *m)
{
    Cardflow__V1__AuditEvent out;
    cardflow__v1__audit_event__init(&out);
    out.client = z(a, m->client);
    out.scope = z(a, m->scope);
    out.operator_ = z(a, m->operator_id);
    out.purpose = z(a, m->purpose);
    out.action = z(a, m->action);
    out.outcome = z(a, m->outcome);
    out.trace_id = z(a, m->trace_id);
    out.holder_ref = cf_data(m->holder_ref);
    out.at_ms = m->at;
    return cf_pack(a, &out.base);
}

struct cf_str inquiry_codec_sweep(struct cf_arena *a, const struct cf_key *holder)
{
    Cardflow__V1__InquiryInternal out;
    cardflow__v1__inquiry_internal__init(&out);
    Cardflow__V1__InquiryInternal__Sweep sweep;
    cardflow__v1__inquiry_internal__sweep__init(&sweep);
    sweep.holder = cf_data(cf_key_str(holder));
    out.body_case = CARDFLOW__V1__INQUIRY_INTERNAL__BODY_SWEEP;
    out.sweep = &sweep;
    return cf_pack(a, &out.base);
}
