/* people -- what people, their insurance and the banks send, by the codecs of the product's fronts.
 */
#include "cardflow/v1/card.pb-c.h"
#include "common/io/ids.h"
#include "common/pure/hash.h"
#include "services/photo-fetch/codec.h"
#include "tests/city/city.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- persons --------------------------------------------------------------------------------- */

static const char *const given[] = {"安", "博", "晨", "丹", "恩", "帆", "光", "浩",
                                    "佳", "凯", "兰", "明", "宁", "平", "琪", "瑞"};

static void invent(uint32_t no, bool child, struct city_person *p)
{
    cf_day born = child ? cf_day_of_date(2017, 5, 1) : cf_day_of_date(1950, 1, 1);
    born += (cf_day)(no / 96);
    struct cf_date date = cf_date_of_day(born);
    snprintf(p->number, sizeof p->number, "370202%04u%02u%02u%03u", (unsigned)date.year % 10000,
             (unsigned)date.month % 100, (unsigned)date.day % 100, 900 + no % 96);
    p->number[17] = cf_gb11643_check(p->number);
    p->number[18] = 0;
    snprintf(p->name, sizeof p->name, "李%s%s", given[no % 16], given[no / 16 % 16]);
    cf_day_text(born, p->birth);
    snprintf(p->phone, sizeof p->phone, "199%08u", no % 100000000);
    snprintf(p->address, sizeof p->address, "青岛市市南区示例路%u号", no % 997 + 1);
    p->fields.sex = cf_str_of((p->number[16] - '0') % 2 ? "male" : "female");
    if (p->renewed) snprintf(p->number, sizeof p->number, "QX%08u", no % 100000000);
}

void city_person_make(uint32_t no, bool child, bool renewed, struct city_person *p)
{
    uint8_t ref[CF_REF_LEN];
    *p = (struct city_person){.no = no, .child = child, .renewed = renewed};
    invent(no, child, p);
    p->fields.document_type = cf_str_of(renewed ? "passport" : "resident_id");
    p->fields.document_number = cf_str_of(p->number);
    p->fields.name = cf_str_of(p->name);
    p->fields.birth_date = cf_str_of(p->birth);
    p->fields.phone = cf_str_of(p->phone);
    p->fields.address = cf_str_of(p->address);
    if (child)
        p->fields.guardian = (struct intake_guardian){
            CF_STR("李安安"), CF_STR("resident_id"), CF_STR("370202199003070011"),
            CF_STR("mother"), CF_STR("19900001729")};
    if (!cf_holder_ref(sim_ring(), renewed ? CF_DOC_PASSPORT : CF_DOC_RESIDENT_ID,
                       p->fields.document_number, ref))
        CF_BUG("an invented number has no reference");
    p->key = cf_key_holder(ref);
}

struct cf_str city_person_seal(const struct intake_person *fields, const struct cf_key *key)
{
    struct cf_str sealed;
    if (intake_codec_person_seal(sim_ring(), city_arena(), fields, key, &sealed))
        CF_BUG("an invented person cannot be sealed");
    return sealed;
}

/* ---- sending --------------------------------------------------------------------------------- */

static struct sent {
    struct sim_topic *topic;
    int32_t part;
    const struct sim_record *record;
} *sent;
static size_t n_sent, cap_sent;

void city_send(const char *topic, const char *type, const char *source, const struct cf_key *key,
               const uint8_t id[16], struct cf_str value)
{
    char text[37];
    cf_uuid_text(id, text);
    const struct sim_record r = {.at = sim_now,
                                 .ce_time = sim_now,
                                 .key = cf_key_str(key),
                                 .value = value,
                                 .ce_id = {text, 36},
                                 .ce_type = cf_str_of(type),
                                 .ce_source = cf_str_of(source)};
    if (n_sent == cap_sent) {
        cap_sent = cap_sent ? 2 * cap_sent : 64;
        sent = cf_realloc(sent, cap_sent * sizeof *sent);
    }
    sent[n_sent] = (struct sent){sim_topic(topic),
                                 (int32_t)cf_key_partition(key, SIM_PARTS), sim_record_copy(&r)};
    city_send_again(n_sent++);
}

size_t city_sent(void)
{
    return n_sent;
}

void city_send_again(size_t which)
{
    struct sim_record r = *sent[which].record;
    r.at = sim_now; /* the broker's clock */
    sim_append(sent[which].topic, sent[which].part, &r);
}

static void new_id(const char *what, uint8_t id[16])
{
    static uint64_t n;
    n++;
    cf_uuid8_of(id, cf_str_of(what), {(const char *)&n, sizeof n});
}

/* ---- insurance ------------------------------------------------------------------------------- */

void city_enrol(const struct city_person *p, const char *type, const char *reason,
                int64_t revision)
{
    uint8_t id[16];
    char ce_type[48];
    new_id("enrol", id);
    snprintf(ce_type, sizeof ce_type, "enrolment.%s", type);
    city_send("enrolment.events", ce_type, "upstream", &p->key, id,
              intake_codec_enrolment(city_arena(), type, city_person_seal(&p->fields, &p->key),
                                     revision, CF_STR("U370200001"), cf_str_of(reason)));
}

void city_renew(const struct city_person *was, const struct city_person *is, int64_t revision)
{
    uint8_t id[16];
    new_id("renew", id);
    city_send("enrolment.events", "enrolment.document_changed", "upstream", &was->key, id,
              intake_codec_document_changed(
                  city_arena(), city_person_seal(&was->fields, &was->key),
                  city_person_seal(&is->fields, &was->key), revision));
}

/* ---- applications ---------------------------------------------------------------------------- */

void city_submit(const struct city_person *p, const struct intake_submit *m)
{
    struct intake_submit mine = *m;
    mine.sealed = city_person_seal(&m->person, &p->key);
    city_send("application.commands", "application.submit", "intake/front", &p->key,
              m->application_id, intake_codec_submit(city_arena(), &mine));
}

void city_supplement(const struct city_person *p, const struct intake_supplement *m,
                     const uint8_t command_id[16])
{
    city_send("application.commands", "application.supplement", "intake/front", &p->key,
              command_id,
              intake_codec_supplement(city_arena(), m, command_id,
                                      city_person_seal(&m->changes, &p->key)));
}

void city_withdraw(const struct city_person *p, const uint8_t app[16],
                   const uint8_t command_id[16])
{
    struct intake_withdraw m = {.reason = CF_STR("asked")};
    memcpy(m.application_id, app, 16);
    city_send("application.commands", "application.withdraw", "intake/front", &p->key, command_id,
              intake_codec_withdraw(city_arena(), &m, command_id, (struct cf_str){0}));
}

struct cf_str city_actor_seal(const struct city_person *p, const char *role)
{
    const struct intake_person *f = &p->fields;
    bool own = !strcmp(role, "holder");
    struct cf_str sealed, plain = production_codec_actor(
        city_arena(), cf_str_of(role), own ? f->name : CF_STR("李安安"),
        own ? f->document_type : CF_STR("resident_id"),
        own ? f->document_number : CF_STR("370202199003070011"));
    if (cf_seal(sim_ring(), plain, cf_key_str(&p->key), 2, city_arena(), &sealed))
        CF_BUG("who asks cannot be sealed");
    return sealed;
}

void city_consent(const struct city_person *p, struct production_command_fields *f)
{
    struct cf_str plain = production_codec_consent_document(city_arena(), CF_STR("form 7"),
                                                            CF_STR(""), CF_STR(""));
    f->consent.by = CF_STR("holder");
    f->consent.given_at = sim_now;
    if (cf_seal(sim_ring(), plain, cf_key_str(&p->key), PRODUCTION_FIELD_CONSENT, city_arena(),
                &f->consent.document))
        CF_BUG("a consent cannot be sealed");
}

void city_operate(const struct cf_key *holder, const struct production_command_fields *f)
{
    city_send("card.commands", "card.operation", PRODUCTION_FRONT, holder, f->operation_id,
              production_codec_command(city_arena(), f));
}

void city_upload(const struct cf_key *holder, const uint8_t app[16], const uint8_t id[16],
                 bool waive)
{
    uint8_t ref[16];
    cf_uuid8_of(ref, CF_STR("photo"), {(const char *)id, 16});
    struct cf_str value = waive ? photo_fetch_codec_waive(city_arena(), app, id, (struct cf_str){0})
                                : photo_fetch_codec_upload(city_arena(), app, id, ref);
    city_send("photo.commands", waive ? "photo.waive" : "photo.upload", "photo-fetch/front",
              holder, id, value);
}

/* ---- banks ----------------------------------------------------------------------------------- */

static struct city_line *lines;
static size_t n_lines, cap_lines;

static void take_line(const Cardflow__V1__BankOrder *o)
{
    const Cardflow__V1__BankOrder__Line *in = o->line;
    struct city_line l = {.no = in->line_no};
    if (in->routing_key.len != 16 || in->application_id.len != 16 || o->batch_id.len != 16 ||
        strlen(in->card_no) != CF_CARDNUM_LEN || strlen(o->bank_code) >= sizeof l.bank)
        sim_broken("a bank cannot read its order");
    l.key = cf_key_holder(in->routing_key.data);
    memcpy(l.app, in->application_id.data, 16);
    memcpy(l.batch, o->batch_id.data, 16);
    memcpy(l.card, in->card_no, sizeof l.card);
    memcpy(l.bank, o->bank_code, strlen(o->bank_code) + 1);
    if (n_lines == cap_lines) {
        cap_lines = cap_lines ? 2 * cap_lines : 64;
        lines = cf_realloc(lines, cap_lines * sizeof *lines);
    }
    lines[n_lines++] = l;
}

/* The next order beyond `seen`, which a reader keeps; NULL: none yet. */
static const Cardflow__V1__BankOrder *next_order(int64_t seen[SIM_PARTS])
{
    for (int p = 0; p < SIM_PARTS; p++) {
        const struct sim_part *part = &sim_topic("bank.orders")->parts[p];
        if (seen[p] >= part->n) continue;
        const Cardflow__V1__BankOrder *o = cf_unpack(
            city_arena(), &cardflow__v1__bank_order__descriptor, part->v[seen[p]++]->value);
        if (!o) sim_broken("a bank cannot read its order");
        return o;
    }
    return NULL;
}

static bool two_in_three(const struct cf_key *holder, const Cardflow__V1__BankOrder *o)
{
    (void)holder;
    return cf_hash64_seed(o->card_notice->notice_id.data, 16, o->card_notice->attempt) % 3 != 0;
}

struct city_line *city_lines(size_t *n)
{
    static int64_t seen[SIM_PARTS];
    const Cardflow__V1__BankOrder *o;
    while ((o = next_order(seen)))
        if (o->body_case == CARDFLOW__V1__BANK_ORDER__BODY_LINE) take_line(o);
    *n = n_lines;
    return lines;
}

bool (*city_bank_hears)(const struct cf_key *holder, const Cardflow__V1__BankOrder *o) = two_in_three;

bool city_banks_read(void)
{
    static int64_t seen[SIM_PARTS];
    const Cardflow__V1__BankOrder *o;
    bool said = false;
    while ((o = next_order(seen))) {
        struct production_result_fields f;
        struct cf_key holder;
        if (o->body_case != CARDFLOW__V1__BANK_ORDER__BODY_CARD_NOTICE) continue;
        sim_acknowledge(o, &holder, &f);
        if (!city_bank_hears(&holder, o)) continue;
        city_send("bank.results", "bank.result", "bank-adapter", &holder, f.result_id,
                  production_codec_result(city_arena(), &f));
        said = true;
    }
    return said;
}

void city_bank_says(const struct city_line *l, const char *step, const char *reason,
                    const uint8_t id[16], int64_t fee_cents)
{
    struct production_result_fields f = {.bank = cf_str_of(l->bank),
                                         .card_no = cf_str_of(l->card),
                                         .step = cf_str_of(step),
                                         .reason = cf_str_of(reason),
                                         .line_no = l->no,
                                         .at = sim_now,
                                         .fee_cents = fee_cents};
    if (fee_cents) f.fee_type = CF_STR("card_cost");
    memcpy(f.result_id, id, 16);
    memcpy(f.batch_id, l->batch, 16);
    memcpy(f.app_id, l->app, 16);
    city_send("bank.results", "bank.result", "bank-adapter", &l->key, id,
              production_codec_result(city_arena(), &f));
}
