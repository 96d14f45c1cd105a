/* codec_person -- persons, agents and actors: packed, sealed, opened; and the keys they give. */
#include "common/io/ids.h"
#include "services/intake/codec.h"

#include "cardflow/v1/common.pb-c.h"

typedef Cardflow__V1__Person pb_person;

static struct cf_str text(const char *z)
{
    return cf_str_of(z ? z : "");
}

static char *z(struct cf_arena *a, struct cf_str s)
{
    return s.len ? (char *)(uintptr_t)cf_arena_str(a, s).ptr : (char *)(uintptr_t)"";
}

bool intake_codec_key(const struct cf_seal_ring *ring, const struct intake_person *p,
                      const uint8_t application_id[16], struct cf_key *out)
{
    char number[CF_IDNUM_MAX];
    uint8_t ref[CF_REF_LEN];
    unsigned ignored = 0;
    size_t n = cf_idnum_normalise(p->document_number, number, &ignored);
    enum cf_doc_type type = cf_doc_type_parse(p->document_type);
    bool known = cf_holder_ref(ring, type, (struct cf_str){number, n}, ref);
    if (!known)
        cf_uuid8_of(ref, CF_STR("intake.nobody"), {(const char *)application_id, 16});
    *out = cf_key_holder(ref);
    return known;
}

void intake_codec_row_id(const uint8_t roster_id[16], uint32_t row_no, uint8_t out[16])
{
    char no[11];
    int n = snprintf(no, sizeof no, "%u", row_no);
    cf_uuid8_of(out, CF_STR("intake.row"), {(const char *)roster_id, 16}, {no, (size_t)n});
}

void intake_codec_school_id(struct cf_str unit_code, uint8_t out[16])
{
    cf_uuid8_of(out, CF_STR("intake.school"), unit_code);
}

struct cf_str intake_codec_person_pack(struct cf_arena *a, const struct intake_person *p)
{
    pb_person m;
    cardflow__v1__person__init(&m);
    Cardflow__V1__Guardian g;
    cardflow__v1__guardian__init(&g);
    Cardflow__V1__Agent agent;
    cardflow__v1__agent__init(&agent);
    m.document_type = z(a, p->document_type);
    m.document_number = z(a, p->document_number);
    m.name = z(a, p->name);
    m.sex = z(a, p->sex);
    m.birth_date = z(a, p->birth_date);
    m.phone = z(a, p->phone);
    m.address = z(a, p->address);
    g.name = z(a, p->guardian.name);
    g.document_type = z(a, p->guardian.document_type);
    g.document_number = z(a, p->guardian.document_number);
    g.relation = z(a, p->guardian.relation);
    g.phone = z(a, p->guardian.phone);
    if (p->guardian.name.len || p->guardian.document_type.len || p->guardian.document_number.len ||
        p->guardian.relation.len || p->guardian.phone.len)
        m.guardian = &g;
    agent.name = z(a, p->agent.name);
    agent.document_type = z(a, p->agent.document_type);
    agent.document_number = z(a, p->agent.document_number);
    if (p->agent.name.len || p->agent.document_type.len || p->agent.document_number.len)
        m.agent = &agent;
    return cf_pack(a, &m.base);
}

int intake_codec_person(struct cf_arena *a, struct cf_str plain, struct intake_person *out)
{
    const pb_person *p = cf_unpack(a, &cardflow__v1__person__descriptor, plain);
    if (!p) return CF_E_DECODE;
    *out = (struct intake_person){.document_type = text(p->document_type),
                                  .document_number = text(p->document_number),
                                  .name = text(p->name),
                                  .sex = text(p->sex),
                                  .birth_date = text(p->birth_date),
                                  .phone = text(p->phone),
                                  .address = text(p->address)};
    if (p->guardian)
        out->guardian = (struct intake_guardian){
            text(p->guardian->name), text(p->guardian->document_type),
            text(p->guardian->document_number), text(p->guardian->relation),
            text(p->guardian->phone)};
    if (p->agent)
        out->agent = (struct intake_agent){text(p->agent->name), text(p->agent->document_type),
                                           text(p->agent->document_number)};
    return 0;
}

int intake_codec_person_open(const struct cf_seal_ring *ring, struct cf_arena *a,
                             struct cf_str sealed, const struct cf_key *owner,
                             struct intake_person *out)
{
    struct cf_str plain;
    int e = cf_unseal(ring, sealed, cf_key_str(owner), INTAKE_FIELD_PERSON, a, &plain);
    return e ? e : intake_codec_person(a, plain, out);
}

int intake_codec_person_seal(const struct cf_seal_ring *ring, struct cf_arena *a,
                             const struct intake_person *p, const struct cf_key *owner,
                             struct cf_str *out)
{
    return cf_seal(ring, intake_codec_person_pack(a, p), cf_key_str(owner), INTAKE_FIELD_PERSON, a,
                   out);
}

struct cf_str intake_codec_agent_pack(struct cf_arena *a, const struct intake_agent *agent)
{
    Cardflow__V1__Agent m;
    cardflow__v1__agent__init(&m);
    m.name = z(a, agent->name);
    m.document_type = z(a, agent->document_type);
    m.document_number = z(a, agent->document_number);
    return cf_pack(a, &m.base);
}

int intake_codec_agent_open(const struct cf_seal_ring *ring, struct cf_arena *a,
                            struct cf_str sealed, const struct cf_key *owner,
                            struct intake_agent *out)
{
    struct cf_str plain;
    *out = (struct intake_agent){{0}, {0}, {0}};
    if (sealed.len == 0) return 0; /* none was given */
    int e = cf_unseal(ring, sealed, cf_key_str(owner), INTAKE_FIELD_AGENT, a, &plain);
    if (e) return e;
    const Cardflow__V1__Agent *m = cf_unpack(a, &cardflow__v1__agent__descriptor, plain);
    if (!m) return CF_E_DECODE;
    *out = (struct intake_agent){text(m->name), text(m->document_type), text(m->document_number)};
    return 0;
}

struct cf_str intake_codec_actor(struct cf_arena *a, struct cf_str role, struct cf_str name,
                                 struct cf_str document_type, struct cf_str document_number)
{
    Cardflow__V1__Actor m;
    cardflow__v1__actor__init(&m);
    m.role = z(a, role);
    m.name = z(a, name);
    m.document_type = z(a, document_type);
    m.document_number = z(a, document_number);
    return cf_pack(a, &m.base);
}
