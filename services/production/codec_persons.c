/* Persons in a command: who may be acted for, and whose document was shown. What is opened here
 * leaves as a verdict, never as a value. */
#include "services/production/codec_inside.h"

enum { CONSENT_MAX = 4096 };

/* Empty: a document of no known type. */
static struct cf_key ref_of(const struct production_env *env, const char *type, const char *raw)
{
    uint8_t ref[CF_REF_LEN];
    char number[CF_IDNUM_MAX];
    unsigned warnings = 0;
    size_t n = cf_idnum_normalise(production_codec_text(raw), number, &warnings);
    return cf_holder_ref(env->ring, cf_doc_type_parse(production_codec_text(type)),
                         (struct cf_str){number, n}, ref)
               ? cf_key_holder(ref)
               : (struct cf_key){0};
}

static void check_number(const char *type, const char *raw, cf_day today, struct cf_idnum *id)
{
    char number[CF_IDNUM_MAX];
    unsigned warnings = 0;
    size_t n = cf_idnum_normalise(production_codec_text(raw), number, &warnings);
    cf_idnum_check(cf_doc_type_parse(production_codec_text(type)), (struct cf_str){number, n},
                   today, id);
}

static int open_person(struct cf_decode *d, struct cf_str owner, struct cf_str sealed,
                       const Cardflow__V1__Person **out)
{
    const struct production_env *env = d->env;
    struct cf_str plain;
    if (cf_unseal(env->ring, sealed, owner, 1, d->arena, &plain))
        return production_codec_wrong(d, "holder: does not open for this key");
    *out = cf_unpack(d->arena, &cardflow__v1__person__descriptor, plain);
    return *out ? 0 : production_codec_wrong(d, "holder: not a Person");
}

/* As intake reads it: what a valid number tells counts, else what was given. */
static cf_day sixteen_on(const Cardflow__V1__Person *p, cf_day today)
{
    struct cf_idnum id;
    check_number(p->document_type, p->document_number, today, &id);
    cf_day birth = id.birth_date;
    if (!id.has_birth && !cf_day_parse(production_codec_text(p->birth_date), &birth)) return 0;
    if (birth > today) return 0; /* it cannot be believed */
    cf_day day = cf_birthday(birth, CF_CHILD_BELOW);
    return day > today ? day : 0;
}

int production_codec_sixteen(struct cf_decode *d, const struct cf_key *key, struct cf_str sealed,
                             cf_day today, cf_day *out)
{
    const Cardflow__V1__Person *p;
    int e = open_person(d, cf_key_str(key), sealed, &p);
    if (!e) *out = sixteen_on(p, today);
    return e;
}

/* The person inside must be the one of the key, by this document or another: who can write this topic
 * could otherwise act for anybody. */
static int same_person(struct cf_decode *d, struct cf_str owner, struct cf_str sealed, cf_day today,
                       struct production_op *op)
{
    const Cardflow__V1__Person *p;
    int e = open_person(d, owner, sealed, &p);
    if (e) return e;
    if (op->what == PRODUCTION_OP_IMPORT_CARD) op->import.sixteen_on = sixteen_on(p, today);
    struct cf_key ref = ref_of(d->env, p->document_type, p->document_number);
    if (cf_str_eq(cf_key_str(&ref), owner)) return 0;
    op->of = ref;
    if (ref.len) return 0;
    d->reason = PRODUCTION_NOT_OF_KEY;
    return CF_E_WRONG_KEY;
}

static bool is_valid(const char *type, const char *raw, cf_day today)
{
    struct cf_idnum id;
    check_number(type, raw, today, &id);
    return id.reason == CF_ID_OK;
}

static int shown_document(struct cf_decode *d, struct cf_str owner, struct cf_str sealed,
                          cf_day today, struct production_op *op)
{
    const struct production_env *env = d->env;
    struct cf_str plain;
    if (cf_unseal(env->ring, sealed, owner, 2, d->arena, &plain))
        return production_codec_wrong(d, "actor: does not open for this key");
    const Cardflow__V1__Actor *p = cf_unpack(d->arena, &cardflow__v1__actor__descriptor, plain);
    if (!p) return production_codec_wrong(d, "actor: not an Actor");
    if (!is_valid(p->document_type, p->document_number, today)) return 0;
    struct cf_key ref = ref_of(env, p->document_type, p->document_number);
    bool own = cf_str_eq(cf_key_str(&ref), owner);
    op->document = own ? PRODUCTION_DOCUMENT_HOLDERS : PRODUCTION_DOCUMENT_ANOTHERS;
    if (!own) op->shown = ref;
    return 0;
}

static int consent_document(struct cf_decode *d, struct cf_str owner, struct cf_str sealed,
                            cf_day today, bool *valid)
{
    const struct production_env *env = d->env;
    struct cf_str plain;
    if (cf_unseal(env->ring, sealed, owner, PRODUCTION_FIELD_CONSENT, d->arena, &plain))
        return production_codec_wrong(d, "consent_given.document: does not open for this key");
    const Cardflow__V1__ConsentDocument *p =
        cf_unpack(d->arena, &cardflow__v1__consent_document__descriptor, plain);
    if (!p) return production_codec_wrong(d, "consent_given.document: not a ConsentDocument");
    *valid = *p->reference || is_valid(p->document_type, p->document_number, today);
    return 0;
}

/* It is kept as it came, with the reference that it is sealed for. */
static int consent(struct cf_decode *d, struct cf_str owner,
                   const Cardflow__V1__CardCommand__Consent *c, cf_day today,
                   struct production_op *op)
{
    Cardflow__V1__CardCommand__Consent kept = *c;
    if (c->document.len > CONSENT_MAX)
        return production_codec_wrong(d, "consent_given.document: too long");
    kept.owner = cf_data(owner);
    op->consent.by = production_codec_text(c->by);
    op->consent.given_at = c->given_at_ms;
    op->consent.packed = cf_pack(d->arena, &kept.base);
    if (op->consent.by.len > 20) return production_codec_wrong(d, "consent_given.by: too long");
    return c->document.len ? consent_document(d, owner, cf_bytes(c->document), today,
                                              &op->consent.document)
                           : 0;
}

int production_codec_persons(struct cf_decode *d, const struct cf_key *owner,
                             const Cardflow__V1__CardCommand *c, cf_ms at,
                             struct production_op *op)
{
    struct cf_str key = cf_key_str(owner);
    cf_day today = cf_day_of_ms(at);
    int e = c->holder.len ? same_person(d, key, cf_bytes(c->holder), today, op) : 0;
    op->owner = *owner;
    bool asks = op->what == PRODUCTION_OP_REPORT_FORMAL_LOSS ||
                op->what == PRODUCTION_OP_RELEASE || op->what == PRODUCTION_OP_CANCEL;
    if (!e && asks && c->actor.len)
        e = shown_document(d, key, cf_bytes(c->actor), today, op);
    if (!e && op->what == PRODUCTION_OP_OPEN_ADD_ON && c->consent_given)
        e = consent(d, key, c->consent_given, today, op);
    return e;
}
