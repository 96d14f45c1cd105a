/* world -- who is around: persons who apply, the police, the banks, the SMS gateway, the hotline.
 *
 * Partners are willing: sooner or later everybody answers well. While faults are on they are busy,
 * say things twice, lose their own answers and begin again from an older place. */
#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/enrolment.pb-c.h"
#include "common/io/ids.h"
#include "common/pure/hash.h"
#include "services/complaint-handling/codec.h"
#include "services/intake/codec.h"
#include "services/notification/codec.h"
#include "services/photo-fetch/codec.h"
#include "services/production/codec.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

enum { PERSONS = 20000, GAP_MS = 400, LINE_MS = 800, BANKS = 4, AGAIN = 10, ARENA = 16 << 20 };

#define NOISE "\xFF\xFF\xFF\xFF" /* no message begins like that */

static struct cf_arena *arena;
static struct sim_person *persons;
static size_t n_persons, n_malformed, n_complaints;
static bool finished;
static cf_ms next_person;

/* Enrolments that come after the application. */
static struct late {
    uint32_t person;
    cf_ms at;
} *late;
static size_t n_late;

static char *lit(const char *z)
{
    return (char *)(uintptr_t)z; /* protobuf-c only reads it */
}

/* ---- sending from outside -------------------------------------------------------------------- */

static void send_to(const char *topic, const char *type, const char *source, struct cf_str key,
                    const uint8_t id[16], struct cf_str value)
{
    char text[37];
    cf_uuid_text(id, text);
    const struct sim_record r = {.at = sim_now,
                                 .ce_time = sim_now,
                                 .key = key,
                                 .value = value,
                                 .ce_id = {text, 36},
                                 .ce_type = cf_str_of(type),
                                 .ce_source = cf_str_of(source)};
    int32_t part = (int32_t)cf_partition_of(key.ptr, key.len, SIM_PARTS);
    sim_append(sim_topic(topic), part, &r);
    if (sim_fault(20000)) sim_append(sim_topic(topic), part, &r);
}

void sim_world_send(const char *topic, const char *type, const char *source, struct cf_str key,
                    const uint8_t id[16], struct cf_str value)
{
    send_to(topic, type, source, key, id, value);
}

/* ---- persons --------------------------------------------------------------------------------- */

/* The i-th invented person, as of cardflow-load; renewed: with another document, a passport. */
static struct cf_str person_of(uint32_t i, bool renewed, struct cf_key *key)
{
    static const char *const given[] = {"安", "博", "晨", "丹", "恩", "帆", "光", "浩",
                                        "佳", "凯", "兰", "明", "宁", "平", "琪", "瑞"};
    Cardflow__V1__Person m;
    cardflow__v1__person__init(&m);
    char number[19], name[16], birth[12], phone[16], address[64], passport[16];
    uint8_t ref[CF_REF_LEN];
    cf_day day = cf_day_of_date(1950, 1, 1) + (cf_day)(i / 96);
    struct cf_date date = cf_date_of_day(day);
    snprintf(number, sizeof number, "370202%04u%02u%02u%03u", (unsigned)date.year % 10000,
             (unsigned)date.month % 100, (unsigned)date.day % 100, 900 + i % 96);
    number[17] = cf_gb11643_check(number);
    number[18] = 0;
    snprintf(passport, sizeof passport, "QX%08u", i % 100000000);
    snprintf(name, sizeof name, "李%s%s", given[i % 16], given[i / 16 % 16]);
    cf_day_text(day, birth);
    snprintf(phone, sizeof phone, "199%08u", i % 100000000);
    snprintf(address, sizeof address, "青岛市市南区示例路%u号", i % 997 + 1);
    m.document_type = lit(renewed ? "passport" : "resident_id");
    m.document_number = renewed ? passport : number;
    m.name = name;
    m.sex = lit((number[16] - '0') % 2 ? "male" : "female");
    m.birth_date = birth;
    m.phone = phone;
    m.address = address;
    if (!cf_holder_ref(sim_ring(), renewed ? CF_DOC_PASSPORT : CF_DOC_RESIDENT_ID,
                       cf_str_of(m.document_number), ref))
        CF_BUG("an invented number has no reference");
    *key = cf_key_holder(ref);
    return cf_pack(arena, &m.base);
}

static struct cf_str sealed_for(struct cf_str person, const struct cf_key *key)
{
    struct cf_str sealed;
    if (cf_seal(sim_ring(), person, cf_key_str(key), 1, arena, &sealed))
        CF_BUG("an invented person cannot be sealed");
    return sealed;
}

static struct cf_str person_seal(uint32_t i, bool renewed, struct cf_key *key)
{
    struct cf_str person = person_of(i, renewed, key);
    return sealed_for(person, key);
}

/* The document changes: from now on the person applies with the new one. */
static void renew(uint32_t i)
{
    struct cf_key key;
    uint8_t id[16];
    struct cf_str old = person_seal(i, false, &key);
    struct cf_str new = person_of(i, true, &persons[i].renewed);
    cf_uuid8_of(id, CF_STR("renew"), {(const char *)&i, sizeof i});
    send_to("enrolment.events", "enrolment.document_changed", "sim", cf_key_str(&key), id,
            intake_codec_document_changed(arena, old, sealed_for(new, &key), 2));
}

static void enrol(uint32_t i)
{
    Cardflow__V1__EnrolmentEvent m;
    cardflow__v1__enrolment_event__init(&m);
    Cardflow__V1__EnrolmentEvent__Enrolment e;
    cardflow__v1__enrolment_event__enrolment__init(&e);
    struct cf_key key;
    uint8_t id[16];
    e.person = cf_data(person_seal(i, false, &key));
    e.revision = 1;
    e.unit_code = lit("U370200001");
    m.body_case = CARDFLOW__V1__ENROLMENT_EVENT__BODY_REGISTERED;
    m.registered = &e;
    cf_uuid8_of(id, CF_STR("enrol"), {(const char *)&i, sizeof i});
    send_to("enrolment.events", "enrolment.registered", "sim", cf_key_str(&key), id,
            cf_pack(arena, &m.base));
}

static void submit(uint32_t i, const uint8_t id[16], bool renewed)
{
    Cardflow__V1__ApplicationCommand m;
    cardflow__v1__application_command__init(&m);
    Cardflow__V1__ApplicationCommand__Submit s;
    cardflow__v1__application_command__submit__init(&s);
    char request[40], bank[8], outlet[16];
    uint8_t photo[16];
    struct cf_key key;
    snprintf(request, sizeof request, "sim-%02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
    snprintf(bank, sizeof bank, "B%02u", i % BANKS + 1);
    snprintf(outlet, sizeof outlet, "%s001", bank);
    s.application_id = cf_data_id(id);
    s.request_id = request;
    s.channel = lit("bank_outlet");
    s.kind = lit("first_issue");
    s.person = cf_data(person_seal(i, renewed, &key));
    s.bank_code = bank;
    s.outlet_code = outlet;
    s.photo_choice = lit("public_security");
    if (persons[i].on_file || renewed) { /* the police know no passports */
        cf_uuid8_of(photo, CF_STR("photo"), cf_key_str(&key));
        s.photo_choice = lit("upload");
        s.photo_ref = cf_data_id(photo);
    }
    s.submitted_at_ms = sim_now;
    m.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUBMIT;
    m.submit = &s;
    if (!renewed) persons[i].key = key;
    send_to("application.commands", "application.submit", "sim", cf_key_str(&key), id,
            cf_pack(arena, &m.base));
}

static void malformed(void)
{
    uint8_t id[16];
    uint64_t noise = sim_random();
    cf_uuid4(id);
    n_malformed++;
    const struct cf_str bytes = {(const char *)&noise, sizeof noise};
    char text[37];
    cf_uuid_text(id, text);
    const struct sim_record r = {.at = sim_now,
                                 .ce_time = sim_now,
                                 .key = bytes,
                                 .value = CF_STR(NOISE),
                                 .ce_id = {text, 36},
                                 .ce_type = CF_STR("application.submit"),
                                 .ce_source = CF_STR("sim")};
    sim_append(sim_topic("application.commands"), (int32_t)sim_below(SIM_PARTS), &r);
}

static void complain(uint32_t i)
{
    char no[24];
    uint8_t id[16];
    struct complaint_command c = {.source_system = CF_STR("12345"),
                                  .kind = COMPLAINT_KIND_COMPLAINT,
                                  .dispatched_at = sim_now,
                                  .holder_known = true};
    int n = snprintf(no, sizeof no, "N%u", i);
    c.order_no = (struct cf_str){no, (size_t)n};
    struct cf_key key = complaint_codec_key(c.source_system, c.order_no);
    memcpy(c.holder_ref, persons[i].key.b, 16);
    if (cf_seal(sim_ring(), CF_STR("where is my card"), cf_key_str(&key), COMPLAINT_FIELD_TEXT,
                arena, &c.text))
        CF_BUG("a demand cannot be sealed");
    cf_uuid8_of(id, CF_STR("complain"), {no, (size_t)n});
    n_complaints++;
    send_to("complaint.commands", "complaint.open", "sim", cf_key_str(&key), id,
            complaint_codec_command(arena, COMPLAINT_MSG_OPEN, &c, id));
}

/* The unit of all is a school for a while, with the banks that everybody goes to. */
static void tell_school(void)
{
    static int64_t revision;
    const struct cf_str banks[] = {CF_STR("B01"), CF_STR("B02"), CF_STR("B03"), CF_STR("B04")};
    struct cf_key key;
    uint8_t id[16];
    bool is = revision++ % 2 == 0;
    if (!cf_key_unit(CF_STR("U370200001"), &key)) CF_BUG("a unit without a key");
    cf_uuid8_of(id, CF_STR("school"), {(const char *)&revision, sizeof revision});
    send_to("unit.events", "unit.changed", "sim", cf_key_str(&key), id,
            intake_codec_unit(arena, "unit_changed", CF_STR("U370200001"),
                              is ? CF_STR("school") : CF_STR("employer"), banks, BANKS,
                              CF_STR("2026-01-05"), revision));
}

static void come(void)
{
    uint32_t i = (uint32_t)n_persons++;
    struct sim_person *p = &persons[i];
    cf_uuid8_of(p->app, CF_STR("application"), {(const char *)&i, sizeof i});
    p->on_file = sim_chance(300000);
    if (sim_chance(300000))
        late[n_late++] = (struct late){i, sim_now + (cf_ms)sim_below(3000)};
    else
        enrol(i);
    bool renews = (n_late == 0 || late[n_late - 1].person != i) && sim_chance(50000);
    submit(i, p->app, false);
    if (renews) renew(i);
    if (renews || sim_chance(100000)) {
        cf_uuid8_of(p->second, CF_STR("second"), {(const char *)&i, sizeof i});
        submit(i, p->second, renews);
    }
    if (sim_chance(20000)) tell_school();
    if (sim_chance(100000)) complain(i);
    if (sim_chance(20000)) malformed();
    /* Somebody presses the button again. */
    if (sim_chance(100000)) {
        uint32_t who = sim_below((uint32_t)n_persons);
        submit(who, persons[who].app, false);
    }
    next_person = sim_now + (cf_ms)sim_below(GAP_MS);
}

static bool late_step(void)
{
    for (size_t i = 0; i < n_late; i++) {
        if (late[i].at > sim_now) continue;
        enrol(late[i].person);
        late[i] = late[--n_late];
        return true;
    }
    return false;
}

/* ---- the banks: one adapter that reads bank.orders ------------------------------------------- */

static const char *const steps[] = {"account_opened", "produced", "shipped", "arrived",
                                    "collected"};
enum { STEPS = 5 };

struct line {
    struct cf_key key;
    uint8_t app[16], batch[16];
    uint32_t no;
    char card[CF_CARDNUM_LEN + 1], bank[8];
    int next;
    cf_ms due;
};

static struct line *lines;
static size_t n_lines, cap_lines;
static int64_t orders_read[SIM_PARTS];

static void take_line(const Cardflow__V1__BankOrder *o)
{
    const Cardflow__V1__BankOrder__Line *in = o->line;
    struct line l = {.no = in->line_no, .due = sim_now + (cf_ms)sim_below(LINE_MS)};
    if (in->routing_key.len != 16 || in->application_id.len != 16 || o->batch_id.len != 16 ||
        strlen(in->card_no) != CF_CARDNUM_LEN || strlen(o->bank_code) >= sizeof l.bank)
        sim_broken("a bank cannot read its order");
    l.key = cf_key_holder(in->routing_key.data);
    memcpy(l.app, in->application_id.data, 16);
    memcpy(l.batch, o->batch_id.data, 16);
    memcpy(l.card, in->card_no, CF_CARDNUM_LEN + 1);
    memcpy(l.bank, o->bank_code, strlen(o->bank_code) + 1);
    if (n_lines == cap_lines) {
        cap_lines = cap_lines ? 2 * cap_lines : 256;
        lines = cf_realloc(lines, cap_lines * sizeof *lines);
    }
    lines[n_lines++] = l;
}

static bool read_orders(void)
{
    int first = (int)sim_below(SIM_PARTS);
    for (int i = 0; i < SIM_PARTS; i++) {
        int p = (first + i) % SIM_PARTS;
        const struct sim_part *part = &sim_topic("bank.orders")->parts[p];
        if (orders_read[p] >= part->n) continue;
        const Cardflow__V1__BankOrder *o = cf_unpack(arena, &cardflow__v1__bank_order__descriptor,
                                                     part->v[orders_read[p]++]->value);
        if (!o) sim_broken("a bank cannot read its order");
        if (o->body_case == CARDFLOW__V1__BANK_ORDER__BODY_LINE) take_line(o);
        if (o->body_case == CARDFLOW__V1__BANK_ORDER__BODY_CARD_NOTICE) sim_cards_notice(o, arena);
        /* The adapter starts anew, from what it had stored before. */
        if (sim_fault(10000)) {
            int64_t back = (int64_t)sim_below(AGAIN);
            orders_read[p] = orders_read[p] > back ? orders_read[p] - back : 0;
        }
        return true;
    }
    return false;
}

static void id_of(const struct line *l, const char *what, uint8_t id[16])
{
    cf_uuid8_of(id, CF_STR("bank"), {(const char *)l->app, 16}, cf_str_of(l->card),
                cf_str_of(what));
}

static void say(const struct line *l, const char *step)
{
    struct production_result_fields f = {.bank = cf_str_of(l->bank),
                                         .card_no = cf_str_of(l->card),
                                         .step = cf_str_of(step),
                                         .line_no = l->no,
                                         .at = sim_now};
    id_of(l, step, f.result_id);
    memcpy(f.batch_id, l->batch, 16);
    memcpy(f.app_id, l->app, 16);
    send_to("bank.results", "bank.result", "sim-bank", cf_key_str(&l->key), f.result_id,
            production_codec_result(arena, &f));
}

static void activate(const struct line *l)
{
    Cardflow__V1__CardCommand c;
    cardflow__v1__card_command__init(&c);
    Cardflow__V1__Operator op;
    cardflow__v1__operator__init(&op);
    uint8_t id[16];
    id_of(l, "activate", id);
    c.operation_id = cf_data_id(id);
    c.operation = lit("activate");
    c.card_no = lit(l->card);
    c.channel = lit("bank_outlet");
    c.actor_role = lit("holder");
    op.bank_code = lit(l->bank);
    op.staff_id = lit("sim");
    c.operator_ = &op;
    c.requested_at_ms = sim_now;
    send_to("card.commands", "card.operation", "sim-bank", cf_key_str(&l->key), id,
            cf_pack(arena, &c.base));
}

static bool play(void)
{
    size_t first = n_lines ? sim_below((uint32_t)n_lines) : 0;
    for (size_t i = 0; i < n_lines; i++) {
        struct line *l = &lines[(first + i) % n_lines];
        if (l->due > sim_now) continue;
        if (l->next < STEPS)
            say(l, steps[l->next]);
        else
            activate(l);
        l->due = sim_now + (cf_ms)sim_below(LINE_MS);
        if (l->next++ == STEPS) *l = lines[--n_lines];
        return true;
    }
    return false;
}

static bool orders_wait(void)
{
    for (int p = 0; p < SIM_PARTS; p++)
        if (orders_read[p] < sim_topic("bank.orders")->parts[p].n) return true;
    return false;
}

/* ---- police and SMS: called by fronts -------------------------------------------------------- */

bool sim_is_timer(enum sim_service service, uint16_t kind)
{
    return !(service == SIM_PHOTO_FETCH && kind == PHOTO_WORK_FETCH) &&
           !(service == SIM_NOTIFICATION && kind == NOTIFY_WORK_SMS);
}

struct sim_answer sim_partner(enum sim_service service, const struct cf_work *w,
                              struct cf_arena *a)
{
    struct sim_answer x = {CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "", {0}};
    bool busy = sim_fault(100000);
    bool lost = sim_fault(50000); /* done, but the answer does not come back */
    if (!busy && service == SIM_NOTIFICATION) sim_check_sms(w, a);
    if (busy || lost) {
        x.result = CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY;
        x.reason = "gateway_busy";
    } else if (service == SIM_PHOTO_FETCH) {
        uint8_t ref[16];
        cf_uuid8_of(ref, CF_STR("photo"), cf_key_str(&w->key));
        x.payload = photo_fetch_codec_fetched(a, ref, 0);
    }
    return x;
}

/* ---- together -------------------------------------------------------------------------------- */

void sim_world_begin(void)
{
    arena = cf_arena_new(ARENA);
    persons = cf_calloc(PERSONS, sizeof *persons);
    late = cf_calloc(PERSONS, sizeof *late);
    next_person = sim_now;
}

static bool more(void)
{
    return !finished && n_persons < PERSONS;
}

cf_ms sim_world_next(void)
{
    cf_ms next = more() ? next_person : INT64_MAX;
    if (orders_wait() || sim_cards_wait()) return sim_now;
    for (size_t i = 0; i < n_late; i++)
        if (late[i].at < next) next = late[i].at;
    for (size_t i = 0; i < n_lines; i++)
        if (lines[i].due < next) next = lines[i].due;
    return next;
}

bool sim_world_ready(void)
{
    return sim_world_next() <= sim_now;
}

void sim_world_step(void)
{
    cf_arena_reset(arena);
    if (more() && next_person <= sim_now) {
        come();
        return;
    }
    if (late_step()) return;
    if (sim_cards_wait()) {
        sim_cards_step(arena);
        return;
    }
    bool first = sim_chance(500000);
    if (first && read_orders()) return;
    if (!play() && !first) (void)read_orders();
}

void sim_world_finish(void)
{
    finished = true;
}

bool sim_world_idle(void)
{
    return finished && !n_late && !n_lines && !orders_wait() && !sim_cards_wait();
}

size_t sim_persons(const struct sim_person **list)
{
    *list = persons;
    return n_persons;
}

bool sim_is_malformed(const struct sim_record *r)
{
    return cf_str_is(r->value, NOISE);
}

size_t sim_malformed(void)
{
    return n_malformed;
}

size_t sim_complaints(void)
{
    return n_complaints;
}
