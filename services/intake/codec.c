#include "services/intake/codec_inside.h"

typedef Cardflow__V1__ApplicationCommand pb_command;
typedef Cardflow__V1__ApplicationCommand__Submit pb_submit;
typedef Cardflow__V1__ApplicationCommand__Papers pb_papers;

int intake_codec_check_partition(struct cf_decode *d, const struct cf_record *rec,
                                 const struct cf_key *key)
{
    if ((int32_t)cf_key_partition(key, (uint32_t)d->partitions) == rec->part) return 0;
    return wrong_key(d, "partition: not the key's");
}

/* A value that is sealed but does not open was sealed for another key: the key is wrong. */
int intake_codec_open(struct cf_decode *d, struct cf_str sealed, const struct cf_key *key,
                      struct intake_person *out)
{
    struct cf_sealed parts;
    struct cf_str plain;
    if (cf_sealed_decode(sealed, &parts)) return refuse(d, "person: not a sealed value");
    if (cf_unseal(env_of(d)->ring, sealed, cf_key_str(key), INTAKE_FIELD_PERSON, d->arena, &plain))
        return wrong_key(d, "person: not sealed for this key");
    return intake_codec_person(d->arena, plain, out) ? refuse(d, "person: not a person") : 0;
}

/* ---- application.commands ---------------------------------------------------------------------
 */

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

int intake_codec_read_submit(struct cf_decode *d, const pb_submit *s, const struct cf_key *key,
                             struct intake_submit *m)
{
    if (!take_id(s->application_id, m->application_id))
        return refuse(d, "application_id: 16 bytes");
    m->sealed = cf_bytes(s->person);
    int e = intake_codec_open(d, m->sealed, key, &m->person);
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
    int e = intake_codec_read_submit(d, s, key, m);
    if (e) return e;
    intake_codec_key(env_of(d)->ring, &m->person, m->application_id, &own);
    if (!cf_key_eq(&own, key)) m->other = own;
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
        int e = intake_codec_open(d, cf_bytes(s->person), key, &m->changes);
        if (e) return e;
    }
    m->request = (struct intake_request){.bank_code = text(s->bank_code),
                                         .outlet_code = text(s->outlet_code),
                                         .photo_choice = text(s->photo_choice),
                                         .reissue_reason = text(s->reissue_reason),
                                         .submitted_at = s->submitted_at_ms,
                                         .may_backdate = s->may_backdate,
                                         .photo_reasons = s->photo_reasons};
    take_id(s->photo_ref, m->photo_ref);
    m->has_papers = s->papers != NULL;
    read_papers(s->papers, &m->request);
    int e = check_words(d, &m->request);
    if (e) return e;
    as_command(add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_SUPPLEMENT, key, m), rec, id);
    return 0;
}

static int decode_extend(struct cf_decode *d, const struct cf_record *rec,
                         const Cardflow__V1__ApplicationCommand__Extend *x,
                         const struct cf_key *key)
{
    struct intake_extend *m = cf_arena_zero(d->arena, sizeof *m);
    uint8_t id[16];
    if (!take_id(x->application_id, m->application_id))
        return refuse(d, "application_id: 16 bytes");
    if (!take_id(x->command_id, id)) return refuse(d, "command_id: 16 bytes");
    m->days = x->days;
    m->reason = text(x->reason);
    m->staff_id = text(x->staff_id);
    if (!word_ok(m->reason)) return refuse(d, "reason: UTF-8, at most 200 bytes");
    if (!word_ok(m->staff_id)) return refuse(d, "staff_id: UTF-8, at most 200 bytes");
    as_command(add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_EXTEND, key, m), rec, id);
    return 0;
}

static int decode_command(struct cf_decode *d, const struct cf_record *rec,
                          const struct cf_key *key)
{
    int e = intake_codec_check_partition(d, rec, key);
    if (e) return e;
    const pb_command *c =
        cf_unpack(d->arena, &cardflow__v1__application_command__descriptor, rec->value);
    if (!c) return refuse(d, "value: not an application command");
    switch (c->body_case) {
    case CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUBMIT:
        return decode_submit(d, rec, c->submit, key);
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
    case CARDFLOW__V1__APPLICATION_COMMAND__BODY_EXTEND:
        return decode_extend(d, rec, c->extend, key);
    case CARDFLOW__V1__APPLICATION_COMMAND__BODY__NOT_SET:
    case _CARDFLOW__V1__APPLICATION_COMMAND__BODY__CASE_IS_INT_SIZE:
        break;
    }
    return refuse(d, "body: one of submit, supplement, withdraw, extend");
}

int intake_codec_decode(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_key key;
    if (rec->topic == INTAKE_IN_INTERNAL) return intake_codec_internal(d, rec);
    if (rec->topic == INTAKE_IN_UNITS) return intake_codec_unit_event(d, rec);
    if (rec->key.len != CF_REF_LEN || !cf_key_bytes(rec->key.ptr, rec->key.len, &key))
        return refuse(d, "key: 16 bytes");
    switch ((enum intake_in)rec->topic) {
    case INTAKE_IN_ENROLMENT:
        return intake_codec_enrolment_event(d, rec, &key);
    case INTAKE_IN_COMMANDS:
        return decode_command(d, rec, &key);
    case INTAKE_IN_PHOTOS:
        return intake_codec_photo(d, rec, &key);
    case INTAKE_IN_CARDS:
        return intake_codec_card(d, rec, &key);
    case INTAKE_IN_UNITS:
    case INTAKE_IN_INTERNAL:
        break;
    }
    return CF_E_VERSION;
}
