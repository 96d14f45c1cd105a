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
#include "tests/sim/world_inside.h"

#include <stdio.h>
#include <stdlib.h>

enum { PERSONS = 20000, GAP_MS = 400, BANKS = 4, ARENA = 16 << 20 };

#define NOISE "\xFF\xFF\xFF\xFF" /* no message begins like that */

struct cf_arena *world_arena;
struct sim_person *world_persons;
static size_t n_persons, n_malformed, n_complaints;
static bool finished;
static cf_ms next_person;

/* What somebody will do later. */
static struct task {
    uint32_t person;
    cf_ms at;
    world_deed *deed;
} *tasks;
static size_t n_tasks, cap_tasks;

void world_later(uint32_t i, cf_ms wait, world_deed *deed)
{
    if (n_tasks == cap_tasks) {
        cap_tasks = cap_tasks ? 2 * cap_tasks : 256;
        tasks = cf_realloc(tasks, cap_tasks * sizeof *tasks);
    }
    tasks[n_tasks++] = (struct task){i, sim_now + wait, deed};
}

char *world_lit(const char *z)
{
    return (char *)(uintptr_t)z; /* protobuf-c only reads it */
}

/* ---- sending from outside -------------------------------------------------------------------- */

void sim_world_send(const char *topic, const char *type, const char *source, struct cf_str key,
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

/* ---- persons --------------------------------------------------------------------------------- */

/* The i-th invented person, as of cardflow-load; renewed: with another document, a passport. */
struct cf_str world_person_bytes(uint32_t i, bool renewed, struct cf_key *key)
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
    m.document_type = world_lit(renewed ? "passport" : "resident_id");
    m.document_number = renewed ? passport : number;
    m.name = name;
    m.sex = world_lit((number[16] - '0') % 2 ? "male" : "female");
    m.birth_date = birth;
    m.phone = world_persons[i].no_phone ? world_lit("") : phone;
    m.address = address;
    if (!cf_holder_ref(sim_ring(), renewed ? CF_DOC_PASSPORT : CF_DOC_RESIDENT_ID,
                       cf_str_of(m.document_number), ref))
        CF_BUG("an invented number has no reference");
    *key = cf_key_holder(ref);
    return cf_pack(world_arena, &m.base);
}

struct cf_str world_sealed_for(struct cf_str person, const struct cf_key *key)
{
    struct cf_str sealed;
    if (cf_seal(sim_ring(), person, cf_key_str(key), 1, world_arena, &sealed))
        CF_BUG("an invented person cannot be sealed");
    return sealed;
}

struct cf_str world_person_seal(uint32_t i, bool renewed, struct cf_key *key)
{
    struct cf_str person = world_person_bytes(i, renewed, key);
    return world_sealed_for(person, key);
}

/* The document changes: from now on the person applies with the new one. */
static void renew(uint32_t i)
{
    struct cf_key key;
    uint8_t id[16];
    struct cf_str old = world_person_seal(i, false, &key);
    struct cf_str new = world_person_bytes(i, true, &world_persons[i].renewed);
    cf_uuid8_of(id, CF_STR("renew"), {(const char *)&i, sizeof i});
    sim_world_send("enrolment.events", "enrolment.document_changed", "sim", cf_key_str(&key), id,
            intake_codec_document_changed(world_arena, old, world_sealed_for(new, &key), 2));
}

static void enrol(uint32_t i)
{
    Cardflow__V1__EnrolmentEvent m;
    cardflow__v1__enrolment_event__init(&m);
    Cardflow__V1__EnrolmentEvent__Enrolment e;
    cardflow__v1__enrolment_event__enrolment__init(&e);
    struct cf_key key;
    uint8_t id[16];
    e.person = cf_data(world_person_seal(i, false, &key));
    e.revision = 1;
    e.unit_code = world_lit("U370200001");
    m.body_case = CARDFLOW__V1__ENROLMENT_EVENT__BODY_REGISTERED;
    m.registered = &e;
    cf_uuid8_of(id, CF_STR("enrol"), {(const char *)&i, sizeof i});
    sim_world_send("enrolment.events", "enrolment.registered", "sim", cf_key_str(&key), id,
            cf_pack(world_arena, &m.base));
}

static const struct {
    const char *kind, *reason;
} papers[] = {
    [WORLD_FIRST] = {"first_issue", ""},
    [WORLD_RENEWED] = {"first_issue", ""},
    [WORLD_LOST] = {"loss_replacement", ""},
    [WORLD_TEMPORARY] = {"temporary", ""},
    [WORLD_REISSUE_DATA] = {"reissue", "data_changed"},
    [WORLD_REISSUE_BANK] = {"reissue", "bank_change"},
    [WORLD_REISSUE_EXPIRY] = {"reissue", "expiry"},
    [WORLD_REISSUE_MASS] = {"reissue", "mass_exchange"},
};

void world_bank_of(uint32_t i, char bank[8])
{
    snprintf(bank, 8, "B%02u", i % BANKS + 1);
}

void world_submit(uint32_t i, const uint8_t id[16], enum world_paper paper)
{
    bool renewed = paper == WORLD_RENEWED;
    Cardflow__V1__ApplicationCommand m;
    cardflow__v1__application_command__init(&m);
    Cardflow__V1__ApplicationCommand__Submit s;
    cardflow__v1__application_command__submit__init(&s);
    char request[40], bank[8], outlet[16];
    uint8_t photo[16];
    struct cf_key key;
    snprintf(request, sizeof request, "sim-%02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
    world_bank_of(paper == WORLD_REISSUE_BANK ? i + 1 : i, bank);
    snprintf(outlet, sizeof outlet, "%s001", bank);
    s.application_id = cf_data_id(id);
    s.request_id = request;
    s.channel = world_lit("bank_outlet");
    s.kind = world_lit(papers[paper].kind);
    s.reissue_reason = world_lit(papers[paper].reason);
    s.person = cf_data(world_person_seal(i, renewed, &key));
    s.bank_code = bank;
    s.outlet_code = outlet;
    s.photo_choice = world_lit("public_security");
    if (world_persons[i].on_file || renewed) { /* the police know no passports */
        cf_uuid8_of(photo, CF_STR("photo"), cf_key_str(&key));
        s.photo_choice = world_lit("upload");
        s.photo_ref = cf_data_id(photo);
    }
    s.submitted_at_ms = sim_now;
    m.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUBMIT;
    m.submit = &s;
    if (!renewed) world_persons[i].key = key;
    if (id == world_persons[i].app) world_persons[i].submitted = true;
    sim_world_send("application.commands", "application.submit", "sim", cf_key_str(&key), id,
            cf_pack(world_arena, &m.base));
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
    memcpy(c.holder_ref, world_persons[i].key.b, 16);
    if (cf_seal(sim_ring(), CF_STR("where is my card"), cf_key_str(&key), COMPLAINT_FIELD_TEXT,
                world_arena, &c.text))
        CF_BUG("a demand cannot be sealed");
    cf_uuid8_of(id, CF_STR("complain"), {no, (size_t)n});
    n_complaints++;
    world_order_follow(i);
    sim_world_send("complaint.commands", "complaint.open", "sim", cf_key_str(&key), id,
            complaint_codec_command(world_arena, COMPLAINT_MSG_OPEN, &c, id));
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
    sim_world_send("unit.events", "unit.changed", "sim", cf_key_str(&key), id,
            intake_codec_unit(world_arena, "unit_changed", CF_STR("U370200001"),
                              is ? CF_STR("school") : CF_STR("employer"), banks, BANKS,
                              CF_STR("2026-01-05"), revision));
}

/* Those whose story is the plain one may apply twice, or with a newer document. */
static void come_plain(uint32_t i, bool enrols_late)
{
    struct sim_person *p = &world_persons[i];
    p->on_file = sim_chance(300000);
    bool renews = !enrols_late && sim_chance(50000);
    world_submit(i, p->app, WORLD_FIRST);
    if (renews) renew(i);
    if (renews || sim_chance(100000)) {
        cf_uuid8_of(p->second, CF_STR("second"), {(const char *)&i, sizeof i});
        world_submit(i, p->second, renews ? WORLD_RENEWED : WORLD_FIRST);
    }
}

static void come(void)
{
    uint32_t i = (uint32_t)n_persons++;
    struct sim_person *p = &world_persons[i];
    bool late = sim_chance(300000);
    cf_uuid8_of(p->app, CF_STR("application"), {(const char *)&i, sizeof i});
    world_story_choose(i);
    if (late && p->story != STORY_UNENROLLED) world_later(i, (cf_ms)sim_below(3000), enrol);
    if (!late && p->story != STORY_UNENROLLED) enrol(i);
    if (p->story == STORY_PLAIN)
        come_plain(i, late);
    else if (p->story != STORY_REISSUE_EXPIRY)
        world_submit(i, p->app, world_first_paper(p));
    world_story_begin(i);
    if (sim_chance(20000)) tell_school();
    if (sim_chance(100000)) complain(i);
    if (sim_chance(20000)) malformed();
    /* Somebody presses the button again. */
    if (sim_chance(100000)) {
        uint32_t who = sim_below((uint32_t)n_persons);
        if (world_persons[who].submitted)
            world_submit(who, world_persons[who].app, world_first_paper(&world_persons[who]));
    }
    next_person = sim_now + (cf_ms)sim_below(GAP_MS);
}

static bool task_step(void)
{
    for (size_t i = 0; i < n_tasks; i++) {
        if (tasks[i].at > sim_now) continue;
        const struct task t = tasks[i];
        tasks[i] = tasks[--n_tasks];
        t.deed(t.person);
        return true;
    }
    return false;
}

struct sim_person *world_person_with(const uint8_t app[16])
{
    for (size_t i = n_persons; i-- > 0;)
        if (!memcmp(world_persons[i].app, app, 16) || !memcmp(world_persons[i].second, app, 16))
            return &world_persons[i];
    return NULL;
}

struct sim_person *world_person_of(const struct cf_key *key)
{
    for (size_t i = n_persons; i-- > 0;)
        if (cf_key_eq(&world_persons[i].key, key)) return &world_persons[i];
    return NULL;
}

/* ---- police and SMS: called by fronts -------------------------------------------------------- */

bool sim_is_timer(enum sim_service service, uint16_t kind)
{
    return !(service == SIM_PHOTO_FETCH && kind == PHOTO_WORK_FETCH) &&
           !(service == SIM_NOTIFICATION && kind == NOTIFY_WORK_SMS);
}

/* Now and then the police have another photo than a moment ago; of some they have none. */
static struct cf_str police(const struct cf_work *w, struct cf_arena *a)
{
    uint8_t ref[16];
    uint64_t other = sim_fault(50000) ? sim_random() : 0;
    const struct sim_person *p = world_person_of(&w->key);
    if (p && world_police_have_none(p))
        return photo_fetch_codec_fetched(a, NULL, CF_PHOTO_BAD_NOT_ON_FILE);
    cf_uuid8_of(ref, CF_STR("photo"), cf_key_str(&w->key), {(const char *)&other, sizeof other});
    return photo_fetch_codec_fetched(a, ref, 0);
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
        x.payload = police(w, a);
    }
    return x;
}

/* ---- together -------------------------------------------------------------------------------- */

void sim_world_begin(void)
{
    world_arena = cf_arena_new(ARENA);
    world_persons = cf_calloc(PERSONS, sizeof *world_persons);
    next_person = sim_now;
}

static bool more(void)
{
    return !finished && n_persons < PERSONS;
}

cf_ms sim_world_next(void)
{
    cf_ms next = more() ? next_person : INT64_MAX;
    if (sim_cards_wait()) return sim_now;
    if (bank_next() < next) next = bank_next();
    for (size_t i = 0; i < n_tasks; i++)
        if (tasks[i].at < next) next = tasks[i].at;
    return next;
}

bool sim_world_ready(void)
{
    return sim_world_next() <= sim_now;
}

void sim_world_step(void)
{
    cf_arena_reset(world_arena);
    if (more() && next_person <= sim_now) {
        come();
        return;
    }
    if (task_step()) return;
    if (sim_cards_wait()) {
        sim_cards_step(world_arena);
        return;
    }
    bool first = sim_chance(500000);
    if (first && bank_read()) return;
    if (!bank_play() && !first) (void)bank_read();
}

void sim_world_finish(void)
{
    finished = true;
}

bool sim_world_idle(cf_ms until)
{
    return finished && !sim_cards_wait() && sim_world_next() > until;
}

size_t sim_persons(const struct sim_person **list)
{
    *list = world_persons;
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
