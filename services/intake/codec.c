#include "services/intake/codec.h"

#include "common/pure/hash.h"

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/enrolment.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"

typedef Cardflow__V1__ApplicationCommand pb_command;
typedef Cardflow__V1__ApplicationCommand__Submit pb_submit;
typedef Cardflow__V1__ApplicationCommand__Papers pb_papers;
typedef Cardflow__V1__EnrolmentEvent pb_enrolment;
typedef Cardflow__V1__IntakeInternal pb_internal;
typedef Cardflow__V1__WorkOutcome__Item pb_item;

#define TEXT_MAX 200 /* bytes of a code or a word that stands outside the sealed person */

static int refuse(struct cf_decode *d, const char *reason)
{
    d->reason = reason;
    return CF_E_DECODE;
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

/* Codes and words go into text columns: bounded, and UTF-8. */
static bool word_ok(struct cf_str s)
{
    return s.len <= TEXT_MAX && cf_utf8_valid(s);
}

static const struct intake_env *env_of(const struct cf_decode *d)
{
    return d->env;
}

static struct cf_msg *add(struct cf_decode *d, enum intake_kind kind, enum intake_message type,
                          const struct cf_key *key, const void *body)
{
    if (d->n == d->max) CF_BUG("more messages in a record than there is room for");
    struct cf_msg *m = &d->msgs[d->n++];
    *m = (struct cf_msg){.kind = (uint16_t)kind, .type = (uint16_t)type, .key = *key};
    m->body = body;
    return m;
}

static void as_command(struct cf_msg *m, const struct cf_record *rec, const uint8_t id[16])
{
    m->is_command = true;
    m->sent_at = rec->ce_time;
    memcpy(m->id, id, 16);
}

static int wrong_key(struct cf_decode *d, const char *reason)
{
    d->reason = reason;
    return CF_E_WRONG_KEY;
}

static int check_partition(struct cf_decode *d, const struct cf_record *rec,
                           const struct cf_key *key)
{
    if ((int32_t)cf_key_partition(key, (uint32_t)d->partitions) == rec->part) return 0;
    return wrong_key(d, "partition: not the key's");
}

/* A value that is sealed but does not open was sealed for another key: the key is wrong. */
static int open_person(struct cf_decode *d, struct cf_str sealed, const struct cf_key *key,
                       struct intake_person *out)
{
    struct cf_sealed parts;
    struct cf_str plain;
    if (cf_sealed_decode(sealed, &parts)) return refuse(d, "person: not a sealed value");
    if (cf_unseal(env_of(d)->ring, sealed, cf_key_str(key), INTAKE_FIELD_PERSON, d->arena, &plain))
        return wrong_key(d, "person: not sealed for this key");
    return intake_codec_person(d->arena, plain, out) ? refuse(d, "person: not a person") : 0;
}

/* ---- application.commands --------------------------------------------------------------------- */

static void read_papers(const pb_papers *p, struct intake_request *r)
{
    if (!p) return;
    r->unit_code = text(p->unit_code);
    r->introduction_letter_no = text(p->introduction_letter_no);
    r->id_copies_held = p->id_copies_held;
    r->papers_given_before = p->papers_ref.len == 16;
}

static int check_words(struct cf_decode *d, const struct intake_request *r)
{
    if (!word_ok(r->bank_code)) return refuse(d, "bank_code: UTF-8, at most 200 bytes");
    if (!word_ok(r->outlet_code)) return refuse(d, "outlet_code: UTF-8, at most 200 bytes");
    if (!word_ok(r->photo_choice)) return refuse(d, "photo_choice: UTF-8, at most 200 bytes");
    if (!word_ok(r->reissue_reason)) return refuse(d, "reissue_reason: UTF-8, at most 200 bytes");
    if (!word_ok(r->unit_code)) return refuse(d, "papers.unit_code: UTF-8, at most 200 bytes");
    if (!word_ok(r->introduction_letter_no))
        return refuse(d, "papers.introduction_letter_no: UTF-8, at most 200 bytes");
    return 0;
}

static int read_submit(struct cf_decode *d, const pb_submit *s, const struct cf_key *key,
                       struct intake_submit *m)
{
    if (!take_id(s->application_id, m->application_id))
        return refuse(d, "application_id: 16 bytes");
    m->sealed = cf_bytes(s->person);
    int e = open_person(d, m->sealed, key, &m->person);
    if (e) return e;
    m->request = (struct intake_request){
        .channel = cf_channel_parse(text(s->channel)),
        .kind = cf_app_kind_parse(text(s->kind)),
        .bank_code = text(s->bank_code),
        .outlet_code = text(s->outlet_code),
        .photo_choice = text(s->photo_choice),
        .reissue_reason = text(s->reissue_reason),
        .submitted_at = s->submitted_at_ms,
        .may_backdate = s->may_backdate,
        .warnings = s->warnings & ((1u << CF_WARN_COUNT) - 1),
        .photo_reasons = s->photo_reasons,
    };
    read_papers(s->papers, &m->request);
    for (size_t i = 0; i < s->n_fees; i++)
        if (s->fees[i]->amount_cents > 0) m->request.with_fee = true;
    if (take_id(s->roster_id, m->roster_id)) {
        m->request.from_roster = true;
        m->row_no = s->row_no;
    }
    take_id(s->photo_ref, m->photo_ref);
    return check_words(d, &m->request);
}

static int decode_submit(struct cf_decode *d, const struct cf_record *rec, const pb_submit *s,
                         const struct cf_key *key)
{
    struct intake_submit *m = cf_arena_zero(d->arena, sizeof *m);
    struct cf_key own;
    int e = read_submit(d, s, key, m);
    if (e) return e;
    intake_codec_key(env_of(d)->ring, &m->person, m->application_id, &own);
    if (!cf_key_eq(&own, key)) return wrong_key(d, "key: not that of the document");
    as_command(add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_SUBMIT, key, m), rec, m->application_id);
    return 0;
}

static int decode_supplement(struct cf_decode *d, const struct cf_record *rec,
                             const Cardflow__V1__ApplicationCommand__Supplement *s,
                             const struct cf_key *key)
{
    struct intake_supplement *m = cf_arena_zero(d->arena, sizeof *m);
    uint8_t id[16];
    if (!take_id(s->application_id, m->application_id))
        return refuse(d, "application_id: 16 bytes");
    if (!take_id(s->command_id, id)) return refuse(d, "command_id: 16 bytes");
    if (s->person.len) {
        int e = open_person(d, cf_bytes(s->person), key, &m->changes);
        if (e) return e;
    }
    m->request = (struct intake_request){.bank_code = text(s->bank_code),
                                         .outlet_code = text(s->outlet_code),
                                         .photo_choice = text(s->photo_choice),
                                         .submitted_at = s->submitted_at_ms,
                                         .may_backdate = s->may_backdate};
    m->has_papers = s->papers != NULL;
    read_papers(s->papers, &m->request);
    int e = check_words(d, &m->request);
    if (e) return e;
    as_command(add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_SUPPLEMENT, key, m), rec, id);
    return 0;
}

static int decode_command(struct cf_decode *d, const struct cf_record *rec,
                          const struct cf_key *key)
{
    int e = check_partition(d, rec, key);
    if (e) return e;
    const pb_command *c =
        cf_unpack(d->arena, &cardflow__v1__application_command__descriptor, rec->value);
    if (!c) return refuse(d, "value: not an application command");
    switch (c->body_case) {
    case CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUBMIT: return decode_submit(d, rec, c->submit, key);
    case CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUPPLEMENT:
        return decode_supplement(d, rec, c->supplement, key);
    case CARDFLOW__V1__APPLICATION_COMMAND__BODY_WITHDRAW: {
        struct intake_withdraw *m = cf_arena_zero(d->arena, sizeof *m);
        uint8_t id[16];
        if (!take_id(c->withdraw->application_id, m->application_id))
            return refuse(d, "application_id: 16 bytes");
        if (!take_id(c->withdraw->command_id, id)) return refuse(d, "command_id: 16 bytes");
        m->reason = text(c->withdraw->reason);
        if (!word_ok(m->reason)) return refuse(d, "reason: UTF-8, at most 200 bytes");
        as_command(add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_WITHDRAW, key, m), rec, id);
        return 0;
    }
    case CARDFLOW__V1__APPLICATION_COMMAND__BODY__NOT_SET:
    case _CARDFLOW__V1__APPLICATION_COMMAND__BODY__CASE_IS_INT_SIZE: break;
    }
    return refuse(d, "body: one of submit, supplement, withdraw");
}

/* ---- enrolment.events, unit.events ------------------------------------------------------------ */

static int enrolled_person(struct cf_decode *d, ProtobufCBinaryData sealed,
                           const struct cf_key *key, struct intake_person *p)
{
    struct cf_key own;
    static const uint8_t nobody[16];
    int e = open_person(d, cf_bytes(sealed), key, p);
    if (e) return e;
    if (!intake_codec_key(env_of(d)->ring, p, nobody, &own))
        return refuse(d, "person.document_number: of a known type, not empty");
    return cf_key_eq(&own, key) ? 0 : wrong_key(d, "key: not that of the document");
}

static int decode_registered(struct cf_decode *d, const struct cf_key *key,
                             const Cardflow__V1__EnrolmentEvent__Enrolment *x)
{
    struct intake_enrolment_msg *m = cf_arena_zero(d->arena, sizeof *m);
    struct intake_person p;
    struct intake_facts f;
    int e = enrolled_person(d, x->person, key, &p);
    if (e) return e;
    if (x->revision <= 0) return refuse(d, "revision: above 0");
    m->unit_code = text(x->unit_code);
    if (!word_ok(m->unit_code)) return refuse(d, "unit_code: UTF-8, at most 200 bytes");
    intake_person_read(&p, 0, d->arena, &f); /* for its name as it is normalised */
    cf_name_hash(env_of(d)->ring, f.name, m->name_hash);
    m->revision = x->revision;
    m->sealed = cf_bytes(x->person);
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_ENROLMENT, key, m);
    return 0;
}

static int decode_ended(struct cf_decode *d, const struct cf_key *key,
                        const Cardflow__V1__EnrolmentEvent__Ended *x)
{
    struct intake_enrolment_msg *m = cf_arena_zero(d->arena, sizeof *m);
    struct intake_person p;
    int e = enrolled_person(d, x->person, key, &p);
    if (e) return e;
    if (x->revision <= 0) return refuse(d, "revision: above 0");
    m->end_reason = text(x->reason);
    if (!cf_str_is(m->end_reason, "death") && !cf_str_is(m->end_reason, "left") &&
        !cf_str_is(m->end_reason, "moved"))
        return refuse(d, "reason: one of death, left, moved");
    m->revision = x->revision;
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_ENROLMENT_ENDED, key, m);
    return 0;
}

static int decode_enrolment(struct cf_decode *d, const struct cf_record *rec,
                            const struct cf_key *key)
{
    int e = check_partition(d, rec, key);
    if (e) return e;
    const pb_enrolment *x =
        cf_unpack(d->arena, &cardflow__v1__enrolment_event__descriptor, rec->value);
    if (!x) return refuse(d, "value: not an enrolment event");
    switch (x->body_case) {
    case CARDFLOW__V1__ENROLMENT_EVENT__BODY_REGISTERED:
        return decode_registered(d, key, x->registered);
    case CARDFLOW__V1__ENROLMENT_EVENT__BODY_CHANGED: return decode_registered(d, key, x->changed);
    case CARDFLOW__V1__ENROLMENT_EVENT__BODY_ENDED: return decode_ended(d, key, x->ended);
    case CARDFLOW__V1__ENROLMENT_EVENT__BODY_DOCUMENT_CHANGED:
        /* Not handled by this version: kept for one that does, nothing is lost. */
        d->reason = "body: document_changed is not handled yet";
        return CF_E_VERSION;
    case CARDFLOW__V1__ENROLMENT_EVENT__BODY__NOT_SET:
    case _CARDFLOW__V1__ENROLMENT_EVENT__BODY__CASE_IS_INT_SIZE: break;
    }
    return refuse(d, "body: one of registered, changed, ended, document_changed");
}

static int decode_unit(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_key key;
    const Cardflow__V1__UnitEvent *x =
        cf_unpack(d->arena, &cardflow__v1__unit_event__descriptor, rec->value);
    if (!x) return refuse(d, "value: not a unit event");
    const Cardflow__V1__UnitEvent__Unit *u =
        x->body_case == CARDFLOW__V1__UNIT_EVENT__BODY_UNIT_REGISTERED ? x->unit_registered
        : x->body_case == CARDFLOW__V1__UNIT_EVENT__BODY_UNIT_CHANGED  ? x->unit_changed
                                                                       : NULL;
    if (!u) return refuse(d, "body: one of unit_registered, unit_changed");
    if (!cf_key_unit(text(u->unit_code), &key)) return refuse(d, "unit_code: 1 to 58 bytes");
    if (!cf_str_eq(cf_key_str(&key), rec->key)) return wrong_key(d, "key: not unit:<unit_code>");
    int e = check_partition(d, rec, &key);
    if (e) return e;
    struct intake_unit_msg *m = cf_arena_zero(d->arena, sizeof *m);
    struct cf_buf banks;
    cf_buf_init(&banks, 4096);
    for (size_t i = 0; i < u->n_banks && word_ok(text(u->banks[i])); i++)
        cf_buf_printf(&banks, "%s%s", i ? "|" : "", u->banks[i]);
    m->unit.banks = cf_arena_str(d->arena, cf_buf_str(&banks));
    bool fits = !banks.full;
    cf_buf_free(&banks);
    m->unit.kind = text(u->kind);
    m->unit.revision = u->revision;
    if (!fits) return refuse(d, "banks: at most 4096 bytes together");
    if (!cf_str_is(m->unit.kind, "employer") && !cf_str_is(m->unit.kind, "school"))
        return refuse(d, "kind: one of employer, school");
    if (!cf_day_parse(text(u->registered_on), &m->unit.registered_on))
        return refuse(d, "registered_on: YYYY-MM-DD");
    if (u->revision <= 0) return refuse(d, "revision: above 0");
    add(d, INTAKE_KIND_UNIT, INTAKE_MSG_UNIT, &key, m);
    return 0;
}

/* ---- photo.events, card.events ---------------------------------------------------------------- */

static int follow(struct cf_decode *d, const struct cf_key *key, ProtobufCBinaryData id,
                  enum intake_event on)
{
    struct intake_follow *m = cf_arena_zero(d->arena, sizeof *m);
    if (!take_id(id, m->application_id)) return refuse(d, "application_id: 16 bytes");
    m->on = on;
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_FOLLOW, key, m);
    return 0;
}

static int decode_photo(struct cf_decode *d, const struct cf_record *rec, const struct cf_key *key)
{
    const Cardflow__V1__PhotoEvent *x =
        cf_unpack(d->arena, &cardflow__v1__photo_event__descriptor, rec->value);
    if (!x) return refuse(d, "value: not a photo event");
    if (x->body_case != CARDFLOW__V1__PHOTO_EVENT__BODY_ENDED) return 0;
    return follow(d, key, x->application_id, INTAKE_ON_EXPIRE);
}

/* Steps between acceptance and pickup are not intake's: they cost only their position. */
static int decode_step(struct cf_decode *d, const struct cf_key *key,
                       const Cardflow__V1__CardEvent *x)
{
    switch (cf_app_state_parse(text(x->step->state))) {
    case CF_APP_READY_FOR_PICKUP: return follow(d, key, x->application_id, INTAKE_ON_READY);
    case CF_APP_PRODUCTION_FAILED: return follow(d, key, x->application_id, INTAKE_ON_FAIL);
    case CF_APP_COLLECTED: return follow(d, key, x->application_id, INTAKE_ON_COLLECT);
    case CF_APP_WITHDRAWN: return follow(d, key, x->application_id, INTAKE_ON_WITHDRAW);
    case CF_APP_EXPIRED: return follow(d, key, x->application_id, INTAKE_ON_EXPIRE);
    case CF_APP_PICKUP_EXPIRED: return follow(d, key, x->application_id, INTAKE_ON_PICKUP_EXPIRE);
    case CF_APP_CLOSED: return follow(d, key, x->application_id, INTAKE_ON_CLOSE);
    case CF_APP_RECEIVED:
    case CF_APP_NOTICED:
    case CF_APP_REJECTED:
    case CF_APP_ACCEPTED:
    case CF_APP_PHOTO_MISSING:
    case CF_APP_PHOTO_READY:
    case CF_APP_BATCHED:
    case CF_APP_ACCOUNT_FAILED:
    case CF_APP_ACCOUNT_OPENED:
    case CF_APP_PRODUCED:
    case CF_APP_SHIPPED: return 0;
    case CF_APP_NONE:
    case CF_APP_COUNT: break;
    }
    d->reason = "step.state: unknown";
    return CF_E_VERSION;
}

static int decode_card(struct cf_decode *d, const struct cf_record *rec, const struct cf_key *key)
{
    const Cardflow__V1__CardEvent *x =
        cf_unpack(d->arena, &cardflow__v1__card_event__descriptor, rec->value);
    if (!x) return refuse(d, "value: not a card event");
    if (x->body_case == CARDFLOW__V1__CARD_EVENT__BODY_STEP) return decode_step(d, key, x);
    if (x->body_case != CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED) return 0;
    const Cardflow__V1__CardEvent__CardChanged *c = x->card_changed;
    struct intake_card_msg *m = cf_arena_zero(d->arena, sizeof *m);
    enum cf_card_state state = cf_card_state_parse(text(c->state));
    if (state == CF_CARD_NONE) {
        d->reason = "card_changed.state: unknown";
        return CF_E_VERSION;
    }
    m->temporary = c->temporary;
    m->card = (struct intake_mirror){.card_no = text(x->card_no),
                                     .bank_code = text(x->bank_code),
                                     .state = (int16_t)state,
                                     .has_photo = c->has_photo,
                                     .handed_in = c->handed_in,
                                     .valid_until = c->valid_until};
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_CARD, key, m);
    return 0;
}

/* ---- intake.internal -------------------------------------------------------------------------- */

static int decode_item(struct cf_decode *d, const pb_item *item)
{
    struct cf_key key;
    uint8_t id[16];
    struct cf_msg *m;
    if (!cf_key_bytes(item->key.data, item->key.len, &key))
        return refuse(d, "items.key: 1 to 63 bytes");
    if (!take_id(item->work_id, id)) return refuse(d, "items.work_id: 16 bytes");
    if (item->kind == INTAKE_WORK_TIMER) {
        m = add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_TIMER, &key, NULL);
    } else if (item->kind == INTAKE_WORK_SPLIT) {
        struct intake_split *body = cf_arena_zero(d->arena, sizeof *body);
        const pb_internal *p = cf_unpack(d->arena, &cardflow__v1__intake_internal__descriptor,
                                         cf_bytes(item->payload));
        bool progress =
            p && p->body_case == CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_PROGRESS;
        body->failed = item->result == CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY;
        if (!progress && !body->failed) return refuse(d, "items.payload: not a roster's progress");
        if (progress) {
            const Cardflow__V1__IntakeInternal__RosterProgress *r = p->roster_progress;
            body->next_row = (int32_t)r->next_row;
            body->records = (int32_t)r->records;
            body->complete = r->complete;
            body->problem = text(r->problem);
        }
        m = add(d, INTAKE_KIND_ROSTER, INTAKE_MSG_SPLIT, &key, body);
    } else {
        d->reason = "items.kind: unknown";
        return CF_E_VERSION;
    }
    m->is_outcome = true;
    m->attempt = item->attempt;
    memcpy(m->work_id, id, 16);
    return 0;
}

static int decode_opened(struct cf_decode *d, const struct cf_record *rec,
                         const Cardflow__V1__IntakeInternal__RosterOpened *o)
{
    struct intake_opened *m = cf_arena_zero(d->arena, sizeof *m);
    Cardflow__V1__RosterSplit split = CARDFLOW__V1__ROSTER_SPLIT__INIT;
    if (!take_id(o->roster_id, m->roster_id)) return refuse(d, "roster_id: 16 bytes");
    struct cf_key key = cf_key_roster(m->roster_id);
    m->roster = (struct intake_roster){
        .client = text(o->client),
        .unit_code = text(o->unit_code),
        .bank_code = text(o->bank_code),
        .outlet_code = text(o->outlet_code),
        .encoding = text(o->encoding),
        .kind = (int16_t)cf_app_kind_parse(text(o->kind)),
        .channel = (int16_t)cf_channel_parse(text(o->channel)),
        .opened_at = o->submitted_at_ms,
        .next_row = 1,
    };
    split.roster = (Cardflow__V1__IntakeInternal__RosterOpened *)(uintptr_t)o;
    split.next_row = 1;
    m->args = cf_pack(d->arena, &split.base);
    as_command(add(d, INTAKE_KIND_ROSTER, INTAKE_MSG_ROSTER_OPENED, &key, m), rec, m->roster_id);
    return 0;
}

static int decode_row(struct cf_decode *d, const struct cf_record *rec,
                      const Cardflow__V1__IntakeInternal__RowOutcome *r)
{
    struct intake_row_msg *m = cf_arena_zero(d->arena, sizeof *m);
    struct cf_buf reasons;
    if (!take_id(r->roster_id, m->roster_id)) return refuse(d, "roster_id: 16 bytes");
    struct cf_key key = cf_key_roster(m->roster_id);
    take_id(r->application_id, m->application_id);
    m->row_no = (int32_t)r->row_no;
    for (int i = INTAKE_ROW_ACCEPTED; i < INTAKE_ROW_COUNT; i++)
        if (cf_str_is(text(r->outcome), intake_row_outcome_name((enum intake_row_outcome)i)))
            m->outcome = (enum intake_row_outcome)i;
    cf_buf_init(&reasons, 8192);
    for (size_t i = 0; i < r->n_reasons; i++)
        cf_buf_printf(&reasons, "%s%s", i ? "|" : "", r->reasons[i]);
    m->reasons = cf_arena_str(d->arena, cf_buf_str(&reasons));
    cf_buf_free(&reasons);
    m->warnings = r->warnings;
    m->state = cf_app_state_parse(text(r->app_state));
    m->from_stage = rec->cf_src.len != 0;
    add(d, INTAKE_KIND_ROSTER, INTAKE_MSG_ROW, &key, m);
    return 0;
}

static int decode_moved(struct cf_decode *d, const struct cf_record *rec, const pb_submit *s)
{
    struct intake_submit *m = cf_arena_zero(d->arena, sizeof *m);
    struct cf_key key;
    if (!cf_key_bytes(rec->key.ptr, rec->key.len, &key)) return refuse(d, "key: 16 bytes");
    int e = read_submit(d, s, &key, m);
    if (e) return e;
    m->moved = true;
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_SUBMIT, &key, m);
    return 0;
}

static int decode_internal(struct cf_decode *d, const struct cf_record *rec)
{
    const pb_internal *x =
        cf_unpack(d->arena, &cardflow__v1__intake_internal__descriptor, rec->value);
    if (!x) return refuse(d, "value: not an internal message");
    switch (x->body_case) {
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_WORK: {
        int e = 0;
        if (x->work->n_items > d->max) return refuse(d, "items: more than a record may hold");
        for (size_t i = 0; !e && i < x->work->n_items; i++)
            e = decode_item(d, x->work->items[i]);
        return e;
    }
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_OPENED:
        return decode_opened(d, rec, x->roster_opened);
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROW_OUTCOME: return decode_row(d, rec, x->row_outcome);
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_MOVED: return decode_moved(d, rec, x->moved);
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_PROGRESS:
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY__NOT_SET:
    case _CARDFLOW__V1__INTAKE_INTERNAL__BODY__CASE_IS_INT_SIZE: break;
    }
    d->reason = "body: unknown";
    return CF_E_VERSION;
}

int intake_codec_decode(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_key key;
    if (rec->topic == INTAKE_IN_INTERNAL) return decode_internal(d, rec);
    if (rec->topic == INTAKE_IN_UNITS) return decode_unit(d, rec);
    if (rec->key.len != CF_REF_LEN || !cf_key_bytes(rec->key.ptr, rec->key.len, &key))
        return refuse(d, "key: 16 bytes");
    switch ((enum intake_in)rec->topic) {
    case INTAKE_IN_ENROLMENT: return decode_enrolment(d, rec, &key);
    case INTAKE_IN_COMMANDS: return decode_command(d, rec, &key);
    case INTAKE_IN_PHOTOS: return decode_photo(d, rec, &key);
    case INTAKE_IN_CARDS: return decode_card(d, rec, &key);
    case INTAKE_IN_UNITS:
    case INTAKE_IN_INTERNAL: break;
    }
    return CF_E_VERSION;
}
