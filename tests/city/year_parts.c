/* year_parts -- what each person of the year does, and what banks and gateways do for them. */
#include "tests/city/year.h"

#include "cardflow/v1/common.pb-c.h"
#include "common/io/ids.h"
#include "services/complaint-handling/codec.h"
#include "services/intake/codec.h"
#include "services/notification/codec.h"
#include "services/photo-fetch/codec.h"

#include <stdio.h>
#include <stdlib.h>

#define HOUR ((cf_ms)3600000)
#define DAY (24 * HOUR)

static const struct {
    const char *name;
    uint32_t persons;
} parts[] = {
#define X(value, name, persons) {name, persons},
    YEAR_PARTS(X)
#undef X
};

static struct year_person *people;
static uint32_t n_people;

const char *year_part_name(enum year_part part)
{
    return parts[part].name;
}

struct year_person *year_find(const struct cf_key *key)
{
    for (uint32_t i = 0; i < n_people; i++)
        if (cf_key_eq(&people[i].person.key, key)) return &people[i];
    return NULL;
}

struct year_person *year_find_order(const struct cf_key *order)
{
    for (uint32_t i = 0; i < n_people; i++)
        if (cf_key_eq(&people[i].order, order)) return &people[i];
    return NULL;
}

struct year_person *year_find_unit(const struct cf_key *unit)
{
    for (uint32_t i = 0; i < n_people; i++)
        if (cf_key_eq(&people[i].unit, unit)) return &people[i];
    return NULL;
}

static void id_of(const struct year_person *p, const char *what, size_t n, uint8_t id[16])
{
    cf_uuid8_of(id, CF_STR("year"), cf_key_str(&p->person.key), cf_str_of(what),
                {(const char *)&n, sizeof n});
}

/* ---- cards ----------------------------------------------------------------------------------- */

static void operate(struct year_person *p, const char *what, const char *channel,
                    const char *card_no)
{
    static size_t n;
    struct production_command_fields f = {.operation = cf_str_of(what),
                                          .channel = cf_str_of(channel),
                                          .role = CF_STR("holder"),
                                          .staff_id = CF_STR("s1"),
                                          .operator_bank = CF_STR("B01"),
                                          .card_no = cf_str_of(card_no),
                                          .requested_at = sim_now};
    id_of(p, what, ++n, f.operation_id);
    year_say(sim_now, p, "did %s", what);
    city_operate(&p->person.key, &f);
}

static void activate(struct year_person *p, size_t line)
{
    (void)line;
    operate(p, "activate", "bank_outlet", p->card);
}

static void activate_made(struct year_person *p, size_t line)
{
    size_t n;
    operate(p, "activate", "bank_outlet", city_lines(&n)[line].card);
}

static void report_loss(struct year_person *p, size_t line)
{
    (void)line;
    if (p->part == PART_BANK_DEAF) p->deaf_until = sim_now + 3 * HOUR;
    operate(p, "report_temporary_loss", "hotline_12345", "");
}

static void extend(struct year_person *p, size_t line)
{
    (void)line;
    operate(p, "extend_temporary", "bank_outlet", "");
}

/* Its ten years end within the year: some weeks after it is imported. */
static void import_card(struct year_person *p)
{
    struct cf_date d = cf_date_of_day(cf_day_of_ms(sim_now) + 40);
    struct production_command_fields f = {.operation = CF_STR("import_card"),
                                          .channel = CF_STR("upstream"),
                                          .role = CF_STR("authority"),
                                          .requested_at = sim_now,
                                          .imports = true,
                                          .import_bank = CF_STR("B01"),
                                          .import_state = CF_STR("normal"),
                                          .import_kind = CF_STR("permanent"),
                                          .has_photo = true};
    if (d.month == 2 && d.day == 29) d.day = 28;
    f.issued_on = cf_day_of_date(d.year - 10, d.month, d.day);
    id_of(p, "import", 0, f.operation_id);
    year_say(sim_now, p, "did import_card %d", f.issued_on);
    city_operate(&p->person.key, &f);
}

/* ---- banks ----------------------------------------------------------------------------------- */

static void bank(struct year_person *p, size_t line, const char *step)
{
    size_t n;
    uint8_t id[16];
    id_of(p, step, line, id);
    year_say(sim_now, p, "did %s", step);
    city_bank_says(&city_lines(&n)[line], step, "", id, 0);
}

static void account_opened(struct year_person *p, size_t line)
{
    bank(p, line, "account_opened");
}

static void account_failed(struct year_person *p, size_t line)
{
    bank(p, line, "account_failed");
}

static void produced(struct year_person *p, size_t line)
{
    bank(p, line, "produced");
}

static void shipped(struct year_person *p, size_t line)
{
    bank(p, line, "shipped");
}

static void arrived(struct year_person *p, size_t line)
{
    bank(p, line, "arrived");
}

static void collected(struct year_person *p, size_t line)
{
    bank(p, line, "collected");
}

static void make_card(struct year_person *p, size_t line)
{
    year_later(sim_now + HOUR, p, account_opened, line);
    /* One that is ahead waits, and raises an alarm after an hour. */
    if (p->part == PART_AHEAD) year_later(sim_now + 15 * HOUR, p, shipped, line);
    year_later(sim_now + 20 * HOUR, p, produced, line);
    year_later(sim_now + 2 * DAY, p, shipped, line);
    year_later(sim_now + 3 * DAY, p, arrived, line);
    if (p->part == PART_TOO_EARLY) year_later(sim_now + 2 * DAY + HOUR, p, activate_made, line);
    if (p->part == PART_NOT_COLLECTED) return;
    cf_ms wait = p->part == PART_COLLECTED_LATE ? 200 * DAY : DAY;
    year_later(sim_now + 3 * DAY + wait, p, collected, line);
    year_later(sim_now + 3 * DAY + wait + HOUR, p, activate, line);
    if (p->part == PART_LOST || p->part == PART_BANK_DEAF)
        year_later(sim_now + 10 * DAY, p, report_loss, line);
}

/* The first two lines have been given up and made again; the third is the one that counts. */
static void bank_is_back(struct year_person *p, size_t line)
{
    p->lines[p->n_lines++] = line;
    if (p->n_lines < 3) return;
    for (int i = 0; i < 2; i++)
        for (int again = 0; again < 2; again++) {
            year_later(sim_now + DAY + HOUR * (i + 1), p, account_opened, p->lines[i]);
            year_later(sim_now + DAY + HOUR * (i + 2), p, produced, p->lines[i]);
            year_later(sim_now + DAY + HOUR * (i + 3), p, shipped, p->lines[i]);
        }
    make_card(p, line);
}

void year_line(size_t line)
{
    size_t n;
    struct year_person *p = year_find(&city_lines(&n)[line].key);
    if (!p) sim_broken("a line of nobody");
    if (p->part == PART_UNANSWERED) return;
    if (p->part == PART_BANK_BACK) {
        bank_is_back(p, line);
        return;
    }
    if (p->part == PART_ACCOUNT_FAILED)
        year_later(sim_now + 5 * HOUR, p, account_failed, line);
    else
        make_card(p, line);
}

static bool hears(const struct cf_key *holder, const struct Cardflow__V1__BankOrder *o)
{
    const struct year_person *p = year_find(holder);
    (void)o;
    return !p || sim_now >= p->deaf_until;
}

/* A temporary card is handed over where it is made: the outlet says so, there is no line. */
static void temporary_collected(struct year_person *p, size_t line)
{
    struct city_line l = {.key = p->person.key, .bank = "B01"};
    uint8_t id[16];
    (void)line;
    memcpy(l.app, p->app, 16);
    id_of(p, "temporary", 0, id);
    year_say(sim_now, p, "did collected");
    struct production_result_fields f = {
        .bank = CF_STR("B01"), .step = CF_STR("collected"), .at = sim_now};
    memcpy(f.result_id, id, 16);
    memcpy(f.app_id, p->app, 16);
    city_send("bank.results", "bank.result", "bank-adapter", &p->person.key, id,
              production_codec_result(city_arena(), &f));
}

/* ---- applications ---------------------------------------------------------------------------- */

static void submit(struct year_person *p, enum cf_app_kind kind)
{
    struct intake_submit m = {.person = p->person.fields};
    if (p->part != PART_NEVER_ENROLLED) city_enrol(&p->person, "registered", "", 1);
    if (p->part == PART_NOT_PUT_RIGHT) m.person.phone = CF_STR("123");
    m.request = (struct intake_request){.channel = CF_CHANNEL_BANK_OUTLET,
                                        .kind = kind,
                                        .bank_code = CF_STR("B01"),
                                        .outlet_code = CF_STR("B01001"),
                                        .photo_choice = CF_STR("public_security"),
                                        .submitted_at = sim_now};
    if (p->part == PART_NO_PHOTO) m.request.photo_choice = CF_STR("upload");
    memcpy(m.application_id, p->app, 16);
    year_say(sim_now, p, "did submit");
    city_submit(&p->person, &m);
}

/* ---- work orders ----------------------------------------------------------------------------- */

static void order_say(struct year_person *p, enum complaint_message what,
                      struct complaint_command *c, const char *type)
{
    static size_t n;
    uint8_t id[16];
    c->source_system = CF_STR("12345");
    c->order_no = cf_str_of(p->order_no);
    id_of(p, "order", ++n, id);
    city_send("complaint.commands", type, "complaint-handling/front", &p->order, id,
              complaint_codec_command(city_arena(), what, c, id));
}

static struct cf_str order_text(const struct year_person *p, int field)
{
    struct cf_str sealed;
    if (cf_seal(sim_ring(), CF_STR("where is my card"), cf_key_str(&p->order), (uint8_t)field,
                city_arena(), &sealed))
        CF_BUG("a text cannot be sealed");
    return sealed;
}

static void order_act(struct year_person *p, enum complaint_event what)
{
    struct complaint_command c = {.operator_id = CF_STR("s1"), .reason = CF_STR("needs time")};
    c.action = (struct complaint_action){.what = what, .days = 5, .has_reason = true};
    if (what != COMPLAINT_ON_EXTEND) c.action.days = 0;
    if (what == COMPLAINT_ON_REPLY) {
        c.action.has_text = true;
        c.text = order_text(p, COMPLAINT_FIELD_REPLY);
    }
    year_say(sim_now, p, "did %s", complaint_event_name(what));
    order_say(p, COMPLAINT_MSG_ACTION, &c, "complaint.action");
}

static void order_extend(struct year_person *p, size_t line)
{
    (void)line;
    order_act(p, COMPLAINT_ON_EXTEND);
}

static void order_accept(struct year_person *p, size_t line)
{
    (void)line;
    order_act(p, COMPLAINT_ON_ACCEPT);
}

static void order_reply(struct year_person *p, size_t line)
{
    (void)line;
    order_act(p, COMPLAINT_ON_REPLY);
}

static void order_open(struct year_person *p)
{
    struct complaint_command c = {.kind = COMPLAINT_KIND_COMPLAINT, .dispatched_at = sim_now};
    c.text = order_text(p, COMPLAINT_FIELD_TEXT);
    year_say(sim_now, p, "did open");
    order_say(p, COMPLAINT_MSG_OPEN, &c, "complaint.open");
    if (p->part == PART_ORDER_EXTENDED) year_later(sim_now + 5 * HOUR, p, order_extend, 0);
    if (p->part != PART_ORDER_SILENT) return;
    year_later(sim_now + HOUR, p, order_accept, 0);
    year_later(sim_now + 30 * HOUR, p, order_reply, 0);
}

/* ---- units ----------------------------------------------------------------------------------- */

static void register_unit(struct year_person *p)
{
    struct cf_date d = cf_date_of_day(cf_day_of_ms(sim_now));
    char day[24];
    uint8_t id[16];
    snprintf(day, sizeof day, "%04d-%02d-%02d", d.year, d.month, d.day);
    id_of(p, "unit", 0, id);
    year_say(sim_now, p, "did register");
    city_send("unit.events", "unit.registered", "upstream", &p->unit, id,
              intake_codec_unit(city_arena(), "unit_registered", cf_str_of(p->unit_code),
                                CF_STR("employer"), NULL, 0, cf_str_of(day), 1));
}

/* Intake's front counts who is missing. */
static struct sim_answer count(const struct year_person *p)
{
    struct sim_answer x = {CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "", {0}};
    if (!p) sim_broken("a unit that nobody registered");
    bool missing = p->part == PART_UNIT_LATE && sim_now < p->begins + 45 * DAY;
    year_say(sim_now, p, "counted %d", missing);
    x.payload = intake_codec_unit_counted(city_arena(), 10, missing ? 3 : 0);
    return x;
}

/* ---- everybody ------------------------------------------------------------------------------- */

static void begin(struct year_person *p, size_t line)
{
    bool temporary = p->part == PART_TEMPORARY || p->part == PART_TEMPORARY_LONGER ||
                     p->part == PART_TEMPORARY_LEFT;
    (void)line;
    if (p->part >= PART_UNIT_DONE)
        register_unit(p);
    else if (p->part >= PART_ORDER_IDLE)
        order_open(p);
    else if (p->part == PART_OLD_CARD)
        import_card(p);
    else
        submit(p, temporary ? CF_KIND_TEMPORARY : CF_KIND_FIRST_ISSUE);
    if (!temporary || p->part == PART_TEMPORARY_LEFT) return;
    year_later(sim_now + HOUR, p, temporary_collected, 0);
    year_later(sim_now + 2 * HOUR, p, activate, 0);
    if (p->part != PART_TEMPORARY_LONGER) return;
    year_later(sim_now + 50 * DAY, p, extend, 0);
    year_later(sim_now + 100 * DAY, p, extend, 0);
    year_later(sim_now + 150 * DAY, p, extend, 0); /* six months are all */
}

void year_people(cf_ms from)
{
    uint32_t all = 0;
    for (int part = 0; part < YEAR_PART_COUNT; part++)
        all += parts[part].persons;
    people = cf_calloc(all, sizeof *people);
    city_bank_hears = hears;
    for (int part = 0; part < YEAR_PART_COUNT; part++)
        for (uint32_t i = 0; i < parts[part].persons; i++) {
            struct year_person *p = &people[n_people];
            *p = (struct year_person){.part = (enum year_part)part};
            city_person_make(++n_people, false, false, &p->person);
            snprintf(p->order_no, sizeof p->order_no, "N%u", n_people);
            p->order = complaint_codec_key(CF_STR("12345"), cf_str_of(p->order_no));
            snprintf(p->unit_code, sizeof p->unit_code, "U3702%05u", n_people);
            if (!cf_key_unit(cf_str_of(p->unit_code), &p->unit)) CF_BUG("a unit without a key");
            id_of(p, "application", 0, p->app);
            /* On any day and at any hour. */
            p->begins = from + (cf_ms)sim_below(365 * 24 * 60) * 60000 + (cf_ms)sim_below(60000);
            year_later(p->begins, p, begin, 0);
        }
}

/* ---- gateways -------------------------------------------------------------------------------- */

static struct sim_answer sms(const struct city_work *w, const struct year_person *p)
{
    struct sim_answer x = {CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "", {0}};
    struct notification_job job;
    if (notification_codec_job_read(city_arena(), w->work.args, &job))
        sim_broken("a message cannot be read");
    if (p && p->part == PART_SMS_AWAY) {
        x.result = CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY;
        x.reason = "gateway_busy";
        return x;
    }
    year_say(sim_now, p, "sms %s %d", notification_template_name(job.template),
             notification_is_security(job.template));
    return x;
}

struct sim_answer year_partner(const struct city_work *w)
{
    struct sim_answer x = {CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE, "", {0}};
    struct year_person *p = year_find(&w->work.key);
    uint8_t ref[16];
    if (w->service == SIM_NOTIFICATION) return sms(w, p);
    if (w->service == SIM_INTAKE && w->work.kind == INTAKE_WORK_UNIT)
        return count(year_find_unit(&w->work.key));
    if (w->service != SIM_PHOTO_FETCH) sim_broken("work that nobody does");
    if (p) year_say(sim_now, p, "asked");
    if (p && p->part == PART_POLICE_AWAY && p->asked++ < 5) {
        x.result = CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY;
        return x;
    }
    cf_uuid8_of(ref, CF_STR("photo"), cf_key_str(&w->work.key));
    x.payload = photo_fetch_codec_fetched(city_arena(), ref, 0);
    return x;
}
