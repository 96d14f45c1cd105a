/* codec_enrolment -- enrolment.events and unit.events. */
#include "services/intake/codec_inside.h"

#include "cardflow/v1/enrolment.pb-c.h"

typedef Cardflow__V1__EnrolmentEvent pb_enrolment;

/* The person of an event, who gives its key; sent on from an alias it is the canonical one. other: the
 * reference of the document, where that is not the key. */
static int enrolled_person(struct cf_decode *d, ProtobufCBinaryData sealed,
                           const struct cf_key *key, bool sent_on, struct intake_person *p,
                           struct cf_key *other)
{
    struct cf_key own;
    static const uint8_t nobody[16];
    int e = intake_codec_open(d, cf_bytes(sealed), key, p);
    if (e) return e;
    if (!intake_codec_key(env_of(d)->ring, p, nobody, &own))
        return refuse(d, "person.document_number: of a known type, not empty");
    if (!sent_on && !cf_key_eq(&own, key)) *other = own;
    return 0;
}

static void take_name(struct cf_decode *d, struct intake_enrolment_msg *m)
{
    struct intake_facts f;
    intake_person_read(&m->person, 0, d->arena, &f); /* for its name as it is normalised */
    cf_name_hash(env_of(d)->ring, f.name, m->name_hash);
}

static int decode_registered(struct cf_decode *d, const struct cf_key *key, bool sent_on,
                             const char *word, const Cardflow__V1__EnrolmentEvent__Enrolment *x)
{
    struct intake_enrolment_msg *m = cf_arena_zero(d->arena, sizeof *m);
    int e = enrolled_person(d, x->person, key, sent_on, &m->person, &m->other);
    if (e) return e;
    if (x->revision <= 0) return refuse(d, "revision: above 0");
    m->unit_code = text(x->unit_code);
    if (!word_ok(m->unit_code)) return refuse(d, "unit_code: UTF-8, at most 200 bytes");
    take_name(d, m);
    m->word = word;
    m->revision = x->revision;
    m->sealed = cf_bytes(x->person);
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_ENROLMENT, key, m);
    return 0;
}

static int decode_ended(struct cf_decode *d, const struct cf_key *key, bool sent_on,
                        const Cardflow__V1__EnrolmentEvent__Ended *x)
{
    struct intake_enrolment_msg *m = cf_arena_zero(d->arena, sizeof *m);
    int e = enrolled_person(d, x->person, key, sent_on, &m->person, &m->other);
    if (e) return e;
    if (x->revision <= 0) return refuse(d, "revision: above 0");
    m->end_reason = text(x->reason);
    if (!cf_str_is(m->end_reason, "death") && !cf_str_is(m->end_reason, "left") &&
        !cf_str_is(m->end_reason, "moved"))
        return refuse(d, "reason: one of death, left, moved");
    m->word = "ended";
    m->revision = x->revision;
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_ENROLMENT_ENDED, key, m);
    return 0;
}

/* Both persons are sealed for the key, that of the old document. */
static int decode_document_changed(struct cf_decode *d, const struct cf_key *key, bool sent_on,
                                   const Cardflow__V1__EnrolmentEvent__DocumentChanged *x)
{
    static const uint8_t nobody[16];
    struct intake_enrolment_msg *m = cf_arena_zero(d->arena, sizeof *m);
    struct intake_person old;
    int e = enrolled_person(d, x->old_person, key, sent_on, &old, &m->other);
    if (!e) e = intake_codec_open(d, cf_bytes(x->new_person), key, &m->person);
    if (e) return e;
    if (x->revision <= 0) return refuse(d, "revision: above 0");
    if (!intake_codec_key(env_of(d)->ring, &m->person, nobody, &m->alias))
        return refuse(d, "new_person.document_number: of a known type, not empty");
    if (m->person.name.len) take_name(d, m);
    m->word = "document_changed";
    m->revision = x->revision;
    m->sealed = cf_bytes(x->new_person);
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_DOCUMENT_CHANGED, key, m);
    return 0;
}

int intake_codec_enrolment_body(struct cf_decode *d, const struct cf_key *key, bool sent_on,
                                struct cf_str value)
{
    const pb_enrolment *x = cf_unpack(d->arena, &cardflow__v1__enrolment_event__descriptor, value);
    if (!x) return refuse(d, "value: not an enrolment event");
    switch (x->body_case) {
    case CARDFLOW__V1__ENROLMENT_EVENT__BODY_REGISTERED:
        return decode_registered(d, key, sent_on, "registered", x->registered);
    case CARDFLOW__V1__ENROLMENT_EVENT__BODY_CHANGED:
        return decode_registered(d, key, sent_on, "changed", x->changed);
    case CARDFLOW__V1__ENROLMENT_EVENT__BODY_ENDED:
        return decode_ended(d, key, sent_on, x->ended);
    case CARDFLOW__V1__ENROLMENT_EVENT__BODY_DOCUMENT_CHANGED:
        return decode_document_changed(d, key, sent_on, x->document_changed);
    case CARDFLOW__V1__ENROLMENT_EVENT__BODY__NOT_SET:
    case _CARDFLOW__V1__ENROLMENT_EVENT__BODY__CASE_IS_INT_SIZE:
        break;
    }
    return refuse(d, "body: one of registered, changed, ended, document_changed");
}

int intake_codec_enrolment_event(struct cf_decode *d, const struct cf_record *rec,
                                 const struct cf_key *key)
{
    int e = intake_codec_check_partition(d, rec, key);
    return e ? e : intake_codec_enrolment_body(d, key, false, rec->value);
}

int intake_codec_unit_event(struct cf_decode *d, const struct cf_record *rec)
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
    int e = intake_codec_check_partition(d, rec, &key);
    if (e) return e;
    struct intake_unit_msg *m = cf_arena_zero(d->arena, sizeof *m);
    struct cf_buf banks;
    cf_buf_init(&banks, 4096);
    for (size_t i = 0; i < u->n_banks && word_ok(text(u->banks[i])); i++)
        cf_buf_printf(&banks, "%s%s", i ? "|" : "", u->banks[i]);
    m->unit.banks = cf_arena_str(d->arena, cf_buf_str(&banks));
    bool fits = !banks.full;
    cf_buf_free(&banks);
    m->unit_code = text(u->unit_code);
    m->partitions = d->partitions;
    m->registered = x->body_case == CARDFLOW__V1__UNIT_EVENT__BODY_UNIT_REGISTERED;
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
