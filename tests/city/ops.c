/* ops -- people, banks and time do something, as chance wants it. */
#include "tests/city/ops_inside.h"

#include "cardflow/v1/common.pb-c.h"
#include "common/io/ids.h"
#include "services/photo-fetch/codec.h"
#include "tests/city/timers.h"

#include <stdio.h>

enum { APPS = 64, DUE = 64 };

struct city_person ops_persons[OPS_PERSONS][2];
bool ops_has_card[OPS_PERSONS];
static int64_t revision[OPS_PERSONS];
static struct known_app {
    uint8_t id[16];
    const struct city_person *person;
} apps[APPS];
static size_t n_apps;

const char *op_text(enum op_kind kind)
{
    static const char *const texts[] = {
#define X(value, weight, what) what,
        OPS(X)
#undef X
    };
    return texts[kind];
}

struct op op_random(void)
{
    static const uint32_t weights[] = {
#define X(value, weight, what) weight,
        OPS(X)
#undef X
    };
    uint32_t all = 0;
    for (int i = 0; i < OP_KINDS; i++)
        all += weights[i];
    uint32_t at = sim_below(all);
    int kind = 0;
    while (at >= weights[kind])
        at -= weights[kind++];
    return (struct op){(enum op_kind)kind, sim_random()};
}

void ops_begin(void)
{
    for (uint32_t i = 0; i < OPS_PERSONS; i++)
        for (int renewed = 0; renewed < 2; renewed++) {
            city_person_make(i + 1, i == 1, renewed == 1, &ops_persons[i][renewed]);
            owners_holder(&ops_persons[i][renewed].key);
        }
}

/* Ids do not depend on how many there were before, but on the operation's own chance. */
void ops_id(uint8_t id[16])
{
    uint64_t chance = sim_random();
    cf_uuid8_of(id, CF_STR("op"), {(const char *)&chance, sizeof chance});
}

bool ops_one_in(uint32_t n)
{
    return sim_below(n) == 0;
}

uint32_t ops_person(void)
{
    return ops_one_in(4) ? 1 : 0;
}

static const struct city_person *any_document(uint32_t who)
{
    return &ops_persons[who][ops_one_in(8)];
}

struct cf_str ops_bank(void)
{
    static const char *const banks[] = {"B01", "B02"};
    return cf_str_of(banks[ops_one_in(4)]);
}

static struct cf_str outlet_of(struct cf_str bank)
{
    return cf_str_of(cf_str_is(bank, "B01") ? "B01001" : "B02001");
}

static void front(bool all);

/* ---- applications ---------------------------------------------------------------------------- */

/* Somebody who seems to have a card asks for another one, others for the first. */
static enum cf_app_kind any_kind(uint32_t who)
{
    static const enum cf_app_kind more[] = {CF_KIND_LOSS_REPLACEMENT, CF_KIND_LOSS_REPLACEMENT,
                                            CF_KIND_DAMAGE_REPLACEMENT, CF_KIND_PHOTO_SWAP,
                                            CF_KIND_REISSUE, CF_KIND_TEMPORARY};
    if (ops_one_in(8)) return (enum cf_app_kind)(1 + sim_below(CF_KIND_COUNT - 1));
    if (ops_has_card[who]) return more[sim_below(6)];
    return ops_one_in(5) ? CF_KIND_TEMPORARY : CF_KIND_FIRST_ISSUE;
}

enum cf_channel ops_channel(void)
{
    return ops_one_in(8) ? (enum cf_channel)(1 + sim_below(CF_CHANNEL_COUNT - 1))
                     : CF_CHANNEL_BANK_OUTLET;
}

static void choose_photo(struct intake_submit *m, bool child)
{
    uint32_t which = sim_below(10);
    m->request.photo_choice = CF_STR("public_security");
    if (which < 3) m->request.photo_choice = CF_STR("upload");
    if (which == 0) ops_id(m->photo_ref);
    if (which == 9 && child) m->request.photo_choice = CF_STR("none");
}

static void spoil(struct intake_submit *m)
{
    switch (sim_below(5)) {
    case 0: m->person.phone = CF_STR("123"); break;
    case 1: m->request.outlet_code = CF_STR("B01999"); break;
    case 2: m->request.with_fee = true; break;
    case 3: m->request.submitted_at = sim_now - 5 * (cf_ms)CF_MS_PER_DAY; break;
    case 4: m->person.name = CF_STR("王五"); break;
    }
}

static void submit(void)
{
    uint32_t who = ops_person();
    const struct city_person *p = any_document(who);
    struct intake_submit m = {.person = p->fields};
    if (n_apps == APPS) return;
    ops_id(m.application_id);
    m.request = (struct intake_request){.channel = ops_channel(), .kind = any_kind(who),
                                        .bank_code = ops_bank(), .submitted_at = sim_now};
    m.request.outlet_code = outlet_of(m.request.bank_code);
    if (m.request.kind == CF_KIND_REISSUE)
        m.request.reissue_reason = cf_str_of(cf_reissue_reason_name(
            (enum cf_reissue_reason)(1 + sim_below(CF_REISSUE_COUNT - 1))));
    m.request.papers_given_before =
        m.request.channel == CF_CHANNEL_UNIT || m.request.channel == CF_CHANNEL_SCHOOL;
    choose_photo(&m, p->child);
    if (ops_one_in(8)) spoil(&m);
    apps[n_apps].person = p;
    memcpy(apps[n_apps++].id, m.application_id, 16);
    owners_app(&p->key, m.application_id);
    city_submit(p, &m);
}

/* The newest most of all. */
static const struct known_app *any_app(void)
{
    if (!n_apps) return NULL;
    return &apps[ops_one_in(3) ? sim_below((uint32_t)n_apps) : n_apps - 1];
}

static void supplement(void)
{
    const struct known_app *app = any_app();
    uint8_t id[16];
    struct intake_supplement m = {.request = {.submitted_at = sim_now}};
    if (!app) return;
    const struct city_person *p = app->person;
    memcpy(m.application_id, app->id, 16);
    ops_id(id);
    if (!ops_one_in(3)) m.changes.phone = p->fields.phone;
    if (!ops_one_in(3)) m.changes.name = p->fields.name;
    if (!ops_one_in(3)) m.request.outlet_code = CF_STR("B01001");
    if (!ops_one_in(3)) m.request.bank_code = CF_STR("B01");
    if (ops_one_in(3)) ops_id(m.photo_ref);
    if (ops_one_in(10)) m.changes.address = CF_STR("x");
    if (ops_one_in(6)) { /* the document was wrong: the application is somebody else's */
        const struct city_person *other = any_document(ops_person());
        m.changes.document_type = other->fields.document_type;
        m.changes.document_number = other->fields.document_number;
    }
    city_supplement(p, &m, id);
}

static void withdraw(void)
{
    const struct known_app *app = any_app();
    uint8_t id[16];
    if (!app) return;
    ops_id(id);
    if (ops_one_in(2)) { /* just when the batch is closed */
        sim_now += 1000;
        front(true);
    }
    city_withdraw(app->person, app->id, id);
}

static void give_photo(void)
{
    const struct known_app *app = any_app();
    uint8_t id[16];
    if (!app) return;
    ops_id(id);
    city_upload(&app->person->key, app->id, id, ops_one_in(4));
}

/* ---- insurance ------------------------------------------------------------------------------- */

static int64_t next_revision(uint32_t who)
{
    /* Sometimes an older one comes late. */
    return ops_one_in(8) && revision[who] > 1 ? revision[who] - 1 : ++revision[who];
}

static void enrol(void)
{
    uint32_t who = ops_person();
    const struct city_person *p = any_document(who);
    city_enrol(p, ops_one_in(4) ? "changed" : "registered", "", next_revision(who));
}

static void end_enrolment(void)
{
    uint32_t who = ops_person();
    uint32_t why = sim_below(5);
    city_enrol(any_document(who), "ended", why == 0 ? "death" : why < 3 ? "left" : "moved",
               next_revision(who));
}

static void renew(void)
{
    uint32_t who = ops_person();
    city_renew(&ops_persons[who][0], &ops_persons[who][1], next_revision(who));
}

static void school(void)
{
    static int64_t at;
    const struct cf_str banks[] = {CF_STR("B01")};
    struct cf_key key;
    uint8_t id[16];
    if (!cf_key_unit(CF_STR("U370200001"), &key)) CF_BUG("a unit without a key");
    ops_id(id);
    city_send("unit.events", "unit.changed", "upstream", &key, id,
              intake_codec_unit(city_arena(), "unit_changed", CF_STR("U370200001"),
                                cf_str_of(ops_one_in(2) ? "school" : "employer"), banks, 1,
                                CF_STR("2026-01-05"), ++at));
}

/* ---- fronts and time ------------------------------------------------------------------------- */

static struct sim_answer police(void)
{
    struct sim_answer x = {CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "", {0}};
    uint32_t which = sim_below(10);
    uint8_t ref[16];
    ops_id(ref);
    if (which < 5) x.payload = photo_fetch_codec_fetched(city_arena(), ref, 0);
    if (which == 5) x.payload = photo_fetch_codec_fetched(city_arena(), ref, 1);
    if (which == 6) {
        x.result = CARDFLOW__V1__WORK_OUTCOME__RESULT__FAILED;
        x.payload = photo_fetch_codec_fetched(city_arena(), ref, 0);
    }
    if (which > 6) x.result = CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY;
    return x;
}

static void tell(const struct city_work *w)
{
    const struct sim_answer due = {CARDFLOW__V1__WORK_OUTCOME__RESULT__DUE, "", {0}};
    struct sim_answer x = timers_is_timer(w->service, w->work.kind) ? due : police();
    city_tell(w, &x);
    if (ops_one_in(10)) city_tell(w, &x);
}

/* One that is due is told of, or all. */
static void front(bool all)
{
    struct city_work due[DUE];
    for (size_t n = city_work(sim_now, due, DUE); n > 0; n = all ? n - 1 : 0) {
        size_t i = sim_below((uint32_t)n);
        tell(&due[i]);
        due[i] = due[n - 1];
    }
}

static void one_front(void)
{
    front(false);
}

void ops_pass(cf_ms ms)
{
    struct city_work next;
    cf_ms until = sim_now + ms;
    while (city_work(until, &next, 1)) {
        if (next.work.due > sim_now) sim_now = next.work.due;
        tell(&next);
        if (!city_settle(2000)) sim_broken("the services do not come to rest");
    }
    if (sim_now < until) sim_now = until;
}

static cf_ms any_time(void)
{
    static const cf_ms hours[] = {0,  0,      1,       1,       10,       24,
                                  24, 8 * 24, 31 * 24, 61 * 24, 200 * 24, 400 * 24};
    return hours[sim_below(12)] * 3600000 + (cf_ms)sim_below(3600000);
}

static void jump(void)
{
    struct city_work due[DUE];
    sim_now += any_time();
    for (size_t n = city_work(sim_now, due, DUE); n > 0; n--) {
        size_t i = sim_below((uint32_t)n);
        if (!ops_one_in(4)) tell(&due[i]);
        due[i] = due[n - 1];
    }
}

static void again(void)
{
    if (city_sent()) city_send_again(sim_below((uint32_t)city_sent()));
}

static void pass(void)
{
    ops_pass(any_time());
}

/* Nearly everybody is enrolled before anything else. */
void ops_first(void)
{
    for (uint32_t who = 0; who < OPS_PERSONS; who++)
        if (!ops_one_in(10)) city_enrol(&ops_persons[who][0], "registered", "", ++revision[who]);
}

void op_do(const struct op *op)
{
    static void (*const doing[OP_KINDS])(void) = {
        [OP_SUBMIT] = submit,      [OP_SUPPLEMENT] = supplement, [OP_WITHDRAW] = withdraw,
        [OP_ENROL] = enrol,        [OP_END] = end_enrolment,     [OP_RENEW] = renew,
        [OP_SCHOOL] = school,      [OP_PHOTO] = give_photo,      [OP_FRONT] = one_front,
        [OP_BANK] = ops_bank_next,     [OP_FETCH] = ops_fetch,
        [OP_BANK_WRONG] = ops_bank_wrong, [OP_OPERATE] = ops_operate,
        [OP_IMPORT] = ops_import_card, [OP_TIME] = pass,             [OP_JUMP] = jump,
        [OP_AGAIN] = again};
    sim_chance_from(op->seed);
    if (ops_one_in(5)) { /* what is due is on its way while this happens */
        sim_now += 1000;
        front(true);
    }
    doing[op->kind]();
    if (!ops_one_in(4)) { /* most partners answer at once, and a batch does not wait long */
        (void)city_settle(200);
        front(true);
        if (ops_one_in(2)) ops_pass(1500);
    }
    /* Rarely all comes to its end before the next thing happens. */
    uint32_t turns = ops_one_in(2) ? 4000 : sim_below(40);
    (void)city_settle((long)turns);
}
