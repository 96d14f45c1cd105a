#include "services/photo-fetch/codec.h"

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"

typedef Cardflow__V1__ApplicationEvent application_event;
typedef Cardflow__V1__PhotoCommand photo_command;
typedef Cardflow__V1__PhotoEvent photo_event_message;
typedef Cardflow__V1__PhotoFetched photo_fetched;
typedef Cardflow__V1__WorkOutcome__Item outcome_item;

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

static struct cf_msg *add(struct cf_decode *d, enum photo_fetch_message type,
                          const struct cf_key *key, const void *body)
{
    if (d->n == d->max) CF_BUG("more messages in a record than there is room for");
    struct cf_msg *m = &d->msgs[d->n++];
    *m = (struct cf_msg){.kind = PHOTO_KIND_HOLDER, .type = (uint16_t)type, .key = *key};
    m->body = body;
    return m;
}

/* ---- application.events --------------------------------------------------------------------- */

static int decode_accepted(struct cf_decode *d, const application_event *e,
                           const struct cf_key *key)
{
    const Cardflow__V1__ApplicationEvent__Accepted *a = e->accepted;
    /* A temporary card bears no photo. */
    if (e->kind == CARDFLOW__V1__APP_KIND__APP_KIND_TEMPORARY) return 0;
    struct photo_fetch_accepted *m = cf_arena_zero(d->arena, sizeof *m);
    if (!take_id(e->application_id, m->application_id))
        return refuse(d, "application_id: 16 bytes");
    m->kind = (enum cf_app_kind)e->kind;
    m->facts.choice = cf_photo_choice_parse(text(a->photo_choice));
    m->facts.document_type = cf_doc_type_parse(text(a->document_type));
    m->facts.is_child = a->holder_is_child;
    m->facts.has_photo = take_id(a->photo_ref, m->photo_ref);
    m->person = cf_bytes(a->person);
    add(d, PHOTO_MSG_ACCEPTED, key, m);
    return 0;
}

static int decode_stop(struct cf_decode *d, const application_event *e, const struct cf_key *key)
{
    struct photo_fetch_stop *m = cf_arena_zero(d->arena, sizeof *m);
    bool enrolment = e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_ENROLMENT_CHANGED;
    if (enrolment) {
        if (e->enrolment_changed->active) return 0;
    } else if (!take_id(e->application_id, m->application_id)) {
        return refuse(d, "application_id: 16 bytes");
    }
    add(d, PHOTO_MSG_STOP, key, m);
    return 0;
}

static int decode_application(struct cf_decode *d, const struct cf_record *rec,
                              const struct cf_key *key)
{
    const application_event *e =
        cf_unpack(d->arena, &cardflow__v1__application_event__descriptor, rec->value);
    if (!e) return refuse(d, "value: not an application event");
    switch (e->body_case) {
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ACCEPTED:
        return decode_accepted(d, e, key);
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ENDED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_EXTENSION_REQUESTED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_WITHDRAWAL_REQUESTED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ENROLMENT_CHANGED:
        return decode_stop(d, e, key);
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_RECEIVED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_NOTICED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_REJECTED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ALIASED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_NOT_ENROLLED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_SUPPLEMENT_REQUESTED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_COMMAND_DECIDED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_SUPPLEMENTED:
        return 0;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY__NOT_SET:
    case _CARDFLOW__V1__APPLICATION_EVENT__BODY__CASE_IS_INT_SIZE:
        break;
    }
    d->reason = "body: unknown event";
    return CF_E_VERSION;
}

/* ---- photo.commands -------------------------------------------------------------------------- */

static uint32_t reasons_of(char *const *names, size_t n)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bit = cf_photo_reason_parse(text(names[i]));
        /* A reason of a newer version still means that the photo cannot be used. */
        bits |= bit ? bit : (uint32_t)CF_PHOTO_BAD_DAMAGED;
    }
    return bits;
}

static int decode_command(struct cf_decode *d, const struct cf_record *rec,
                          const struct cf_key *key)
{
    if ((int32_t)cf_key_partition(key, (uint32_t)d->partitions) != rec->part) {
        d->reason = "partition: not the key's";
        return CF_E_WRONG_KEY;
    }
    const photo_command *c =
        cf_unpack(d->arena, &cardflow__v1__photo_command__descriptor, rec->value);
    if (!c) return refuse(d, "value: not a photo command");
    struct photo_fetch_upload *m = cf_arena_zero(d->arena, sizeof *m);
    uint8_t id[16];
    if (!take_id(c->application_id, m->application_id))
        return refuse(d, "application_id: 16 bytes");
    if (!take_id(c->command_id, id)) return refuse(d, "command_id: 16 bytes");
    enum photo_fetch_message type = PHOTO_MSG_WAIVE;
    if (c->body_case == CARDFLOW__V1__PHOTO_COMMAND__BODY_UPLOAD) {
        type = PHOTO_MSG_UPLOAD;
        if (!take_id(c->upload->photo_ref, m->photo_ref))
            return refuse(d, "upload.photo_ref: 16 bytes");
        m->reasons = reasons_of(c->upload->reasons, c->upload->n_reasons);
        if (c->upload->holder_mismatch) m->reasons |= CF_PHOTO_BAD_HOLDER_MISMATCH;
    } else if (c->body_case != CARDFLOW__V1__PHOTO_COMMAND__BODY_WAIVE) {
        return refuse(d, "body: one of upload, waive");
    }
    struct cf_msg *msg = add(d, type, key, m);
    msg->is_command = true;
    msg->sent_at = rec->ce_time;
    memcpy(msg->id, id, sizeof id);
    return 0;
}

/* ---- photo-fetch.internal -------------------------------------------------------------------- */

static int decode_fetched(struct cf_decode *d, const outcome_item *item,
                          struct photo_fetch_fetched *out)
{
    if (item->result == CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY) {
        out->event = PHOTO_ON_AGAIN;
        return 0;
    }
    const photo_fetched *f =
        cf_unpack(d->arena, &cardflow__v1__photo_fetched__descriptor, cf_bytes(item->payload));
    if (!f) return refuse(d, "items.payload: not a fetched photo");
    out->reasons = reasons_of(f->reasons, f->n_reasons);
    if (item->result == CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE && !out->reasons) {
        out->event = PHOTO_ON_GOT;
        if (!take_id(f->photo_ref, out->photo_ref)) return refuse(d, "items.photo_ref: 16 bytes");
        return 0;
    }
    out->event = PHOTO_ON_NOT_THERE;
    if (!out->reasons) out->reasons = CF_PHOTO_BAD_NOT_ON_FILE;
    return 0;
}

static int decode_item(struct cf_decode *d, const outcome_item *item)
{
    struct cf_key key;
    uint8_t id[16];
    if (!cf_key_bytes(item->key.data, item->key.len, &key))
        return refuse(d, "items.key: 1-63 bytes");
    if (!take_id(item->work_id, id)) return refuse(d, "items.work_id: 16 bytes");
    enum photo_fetch_message type = PHOTO_MSG_EXPIRED;
    struct photo_fetch_fetched *body = NULL;
    if (item->kind == PHOTO_WORK_FETCH) {
        type = PHOTO_MSG_FETCHED;
        body = cf_arena_zero(d->arena, sizeof *body);
        int e = decode_fetched(d, item, body);
        if (e) return e;
    } else if (item->kind != PHOTO_WORK_EXPIRE) {
        d->reason = "items.kind: unknown";
        return CF_E_VERSION;
    }
    struct cf_msg *m = add(d, type, &key, body);
    m->is_outcome = true;
    m->attempt = item->attempt;
    memcpy(m->work_id, id, sizeof id);
    return 0;
}

static int decode_internal(struct cf_decode *d, const struct cf_record *rec)
{
    const Cardflow__V1__PhotoInternal *in =
        cf_unpack(d->arena, &cardflow__v1__photo_internal__descriptor, rec->value);
    if (!in || in->body_case != CARDFLOW__V1__PHOTO_INTERNAL__BODY_WORK)
        return refuse(d, "value: not an outcome of work");
    int e = 0;
    if (in->work->n_items > d->max) return refuse(d, "items: more than a record may hold");
    for (size_t i = 0; !e && i < in->work->n_items; i++)
        e = decode_item(d, in->work->items[i]);
    return e;
}

int photo_fetch_codec_decode(struct cf_decode *d, const struct cf_record *rec)
{
    if (rec->topic == PHOTO_IN_INTERNAL) return decode_internal(d, rec);
    struct cf_key key;
    if (rec->key.len != CF_REF_LEN || !cf_key_bytes(rec->key.ptr, rec->key.len, &key))
        return refuse(d, "key: 16 bytes");
    if (rec->topic == PHOTO_IN_COMMANDS) return decode_command(d, rec, &key);
    return decode_application(d, rec, &key);
}

int photo_fetch_codec_person(struct cf_arena *a, struct cf_str plain,
                             struct photo_fetch_person *out)
{
    const Cardflow__V1__Person *p = cf_unpack(a, &cardflow__v1__person__descriptor, plain);
    if (!p) return CF_E_DECODE;
    out->document_type = text(p->document_type);
    out->document_number = text(p->document_number);
    out->name = text(p->name);
    return 0;
}

/* ---- packing --------------------------------------------------------------------------------- */

static size_t names_of(struct cf_arena *a, uint32_t reasons, char ***out)
{
    size_t n = 0;
    char **names = cf_arena_alloc(a, CF_PHOTO_REASON_COUNT * sizeof *names);
    for (unsigned i = 0; i < CF_PHOTO_REASON_COUNT; i++)
        if (reasons >> i & 1) names[n++] = (char *)(uintptr_t)cf_photo_reason_name(i);
    *out = names;
    return n;
}

struct cf_str photo_fetch_codec_fetched(struct cf_arena *a, const uint8_t *photo_ref,
                                        uint32_t reasons)
{
    photo_fetched f;
    cardflow__v1__photo_fetched__init(&f);
    if (photo_ref) f.photo_ref = cf_data_id(photo_ref);
    f.n_reasons = names_of(a, reasons, &f.reasons);
    return cf_pack(a, &f.base);
}

struct cf_str photo_fetch_codec_upload(struct cf_arena *a, const uint8_t application_id[16],
                                       const uint8_t command_id[16], const uint8_t photo_ref[16])
{
    photo_command c;
    cardflow__v1__photo_command__init(&c);
    Cardflow__V1__PhotoCommand__Upload u;
    cardflow__v1__photo_command__upload__init(&u);
    u.photo_ref = cf_data_id(photo_ref);
    c.application_id = cf_data_id(application_id);
    c.command_id = cf_data_id(command_id);
    c.body_case = CARDFLOW__V1__PHOTO_COMMAND__BODY_UPLOAD;
    c.upload = &u;
    return cf_pack(a, &c.base);
}

struct cf_str photo_fetch_codec_waive(struct cf_arena *a, const uint8_t application_id[16],
                                      const uint8_t command_id[16], struct cf_str sealed_actor)
{
    photo_command c;
    Cardflow__V1__PhotoCommand__Waive w;
    cardflow__v1__photo_command__init(&c);
    cardflow__v1__photo_command__waive__init(&w);
    w.actor = cf_data(sealed_actor);
    c.application_id = cf_data_id(application_id);
    c.command_id = cf_data_id(command_id);
    c.body_case = CARDFLOW__V1__PHOTO_COMMAND__BODY_WAIVE;
    c.waive = &w;
    return cf_pack(a, &c.base);
}

static char *zero_ended(struct cf_arena *a, struct cf_str s)
{
    return (char *)(uintptr_t)cf_arena_printf(a, "%.*s", CF_ARG(s)).ptr;
}

struct cf_str photo_fetch_codec_actor(struct cf_arena *a, struct cf_str role, struct cf_str name,
                                      struct cf_str document_type, struct cf_str document_number)
{
    Cardflow__V1__Actor m;
    cardflow__v1__actor__init(&m);
    m.role = zero_ended(a, role);
    m.name = zero_ended(a, name);
    m.document_type = zero_ended(a, document_type);
    m.document_number = zero_ended(a, document_number);
    return cf_pack(a, &m.base);
}

static void begin(photo_event_message *e, const struct photo_fetch_about *about)
{
    cardflow__v1__photo_event__init(e);
    e->application_id = cf_data_id(about->application_id);
    e->kind = (Cardflow__V1__AppKind)about->kind;
    e->at_ms = about->at;
}

void photo_fetch_codec_send_ready(struct cf_step *s, const struct cf_key *key,
                                  const struct photo_fetch_about *about, const uint8_t *photo_ref,
                                  enum photo_source source)
{
    photo_event_message e;
    Cardflow__V1__PhotoEvent__Ready ready;
    cardflow__v1__photo_event__ready__init(&ready);
    begin(&e, about);
    if (photo_ref) ready.photo_ref = cf_data_id(photo_ref);
    ready.source = (char *)(uintptr_t)photo_fetch_source_name(source);
    e.body_case = CARDFLOW__V1__PHOTO_EVENT__BODY_READY;
    e.ready = &ready;
    cf_send(s, PHOTO_OUT_EVENTS, key, "photo.ready", &e.base);
}

void photo_fetch_codec_send_missing(struct cf_step *s, const struct cf_key *key,
                                    const struct photo_fetch_about *about, uint32_t reasons,
                                    cf_day respond_by)
{
    photo_event_message e;
    Cardflow__V1__PhotoEvent__Missing missing;
    cardflow__v1__photo_event__missing__init(&missing);
    begin(&e, about);
    missing.n_reasons = names_of(s->arena, reasons, &missing.reasons);
    missing.respond_by = respond_by;
    e.body_case = CARDFLOW__V1__PHOTO_EVENT__BODY_MISSING;
    e.missing = &missing;
    cf_send(s, PHOTO_OUT_EVENTS, key, "photo.missing", &e.base);
}

void photo_fetch_codec_send_expired(struct cf_step *s, const struct cf_key *key,
                                    const struct photo_fetch_about *about)
{
    photo_event_message e;
    Cardflow__V1__PhotoEvent__Ended ended;
    cardflow__v1__photo_event__ended__init(&ended);
    begin(&e, about);
    ended.state = (char *)(uintptr_t)cf_app_state_name(CF_APP_EXPIRED);
    ended.reason = (char *)(uintptr_t) "photo_missing";
    e.body_case = CARDFLOW__V1__PHOTO_EVENT__BODY_ENDED;
    e.ended = &ended;
    cf_send(s, PHOTO_OUT_EVENTS, key, "photo.ended", &e.base);
}
