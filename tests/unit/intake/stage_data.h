/* stage_data -- intake's service behind the doors in memory, and the messages the tests feed. */
#pragma once
/* A missing row ends a test with a crash, which is what a test may do. */
#pragma GCC diagnostic ignored "-Wnull-dereference"
#include "data.h"

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/enrolment.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "services/intake/handlers.h"
#include "tests/unit/stage_double.h"

#define AT(text) at_of(text)

static inline cf_ms at_of(const char *text)
{
    cf_ms at = 0;
    assert_true(cf_rfc3339_parse(cf_str_of(text), &at));
    return at;
}

struct rig {
    struct world_data data;
    struct cf_seal_ring *ring;
    struct intake_env env;
    struct cf_service service;
    struct stage_double *d;
    struct cf_arena *a;
    unsigned ids;
};

static inline int rig_up(void **state)
{
    struct rig *r = cf_calloc(1, sizeof *r);
    uint8_t key[32] = "01234567890123456789012345678901";
    r->data = world_data();
    r->a = r->data.arena;
    r->ring = cf_seal_ring_new(key);
    assert_true(cf_seal_ring_add(r->ring, 1, key));
    r->env = (struct intake_env){r->ring, &r->data.calendar, &r->data.outlets, 24 * 3600000, {7},
                                 r->data.policies};
    r->service = intake_service(&r->env);
    r->d = double_new(&r->service, 4);
    *state = r;
    return 0;
}

static inline int rig_down(void **state)
{
    struct rig *r = *state;
    double_free(r->d);
    cf_seal_ring_free(r->ring);
    cf_arena_free(r->a);
    free(r);
    return 0;
}

static inline void fresh_id(struct rig *r, uint8_t id[16])
{
    unsigned n = ++r->ids;
    cf_uuid8_of(id, CF_STR("test"), {(const char *)&n, sizeof n});
}

/* Somebody of full age with everything in order. */
static inline struct intake_person adult(void)
{
    return (struct intake_person){.document_type = CF_STR("resident_id"),
                                  .document_number = CF_STR("370222197409309228"),
                                  .name = CF_STR("朱英红"),
                                  .sex = CF_STR("female"),
                                  .birth_date = CF_STR("1974-09-30"),
                                  .phone = CF_STR("19900004310"),
                                  .address = CF_STR("青岛市市北区示例路118号")};
}

static inline struct cf_key key_of(struct rig *r, const struct intake_person *p,
                                   const uint8_t app[16])
{
    struct cf_key key;
    intake_codec_key(r->ring, p, app, &key);
    return key;
}

static inline struct intake_submit submission(const struct intake_person *p, cf_ms at)
{
    return (struct intake_submit){.person = *p,
                                  .request = {.channel = CF_CHANNEL_BANK_OUTLET,
                                              .kind = CF_KIND_FIRST_ISSUE,
                                              .bank_code = CF_STR("B01"),
                                              .outlet_code = CF_STR("B01001"),
                                              .photo_choice = CF_STR("public_security"),
                                              .submitted_at = at}};
}

/* Feeds it under m->application_id, given out here when it is zero; the record's time is now. */
static inline struct cf_key submit_at(struct rig *r, struct intake_submit *m, cf_ms now)
{
    static const uint8_t zero[16];
    if (!memcmp(m->application_id, zero, 16)) fresh_id(r, m->application_id);
    struct cf_key key = key_of(r, &m->person, m->application_id);
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, &m->person, &key, &m->sealed), 0);
    assert_int_equal(double_feed(r->d, "application.commands", "application.submit", &key,
                                 m->application_id, now, intake_codec_submit(r->a, m)),
                     0);
    return key;
}

static inline void enrol_at(struct rig *r, const struct intake_person *p, int64_t revision,
                            cf_ms now)
{
    uint8_t id[16];
    struct cf_str sealed;
    fresh_id(r, id);
    struct cf_key key = key_of(r, p, id);
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, p, &key, &sealed), 0);
    assert_int_equal(double_feed(r->d, "enrolment.events", "enrolment.registered", &key, id, now,
                                 intake_codec_enrolment(r->a, "registered", sealed, revision,
                                                        CF_STR("U1"), (struct cf_str){0})),
                     0);
}

static inline void end_enrolment(struct rig *r, const struct intake_person *p, int64_t revision,
                                 const char *reason, cf_ms now)
{
    uint8_t id[16];
    struct cf_str sealed;
    fresh_id(r, id);
    struct cf_key key = key_of(r, p, id);
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, p, &key, &sealed), 0);
    assert_int_equal(double_feed(r->d, "enrolment.events", "enrolment.ended", &key, id, now,
                                 intake_codec_enrolment(r->a, "ended", sealed, revision,
                                                        (struct cf_str){0}, cf_str_of(reason))),
                     0);
}

/* Supplements under a fresh command id, or the one given. */
static inline void supplement_at(struct rig *r, const struct cf_key *key, const uint8_t app[16],
                                 const struct intake_person *changes, const uint8_t *command,
                                 cf_ms now)
{
    struct intake_supplement m = {.changes = *changes, .request = {.submitted_at = now}};
    struct cf_str sealed;
    uint8_t id[16];
    if (command)
        memcpy(id, command, 16);
    else
        fresh_id(r, id);
    memcpy(m.application_id, app, 16);
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, changes, key, &sealed), 0);
    assert_int_equal(double_feed(r->d, "application.commands", "application.supplement", key, id,
                                 now, intake_codec_supplement(r->a, &m, id, sealed)),
                     0);
}

static inline void withdraw_at(struct rig *r, const struct cf_key *key, const uint8_t app[16],
                               const uint8_t command[16], cf_ms now)
{
    struct intake_withdraw m = {.reason = CF_STR("changed_mind")};
    memcpy(m.application_id, app, 16);
    assert_int_equal(double_feed(r->d, "application.commands", "application.withdraw", key,
                                 command, now,
                                 intake_codec_withdraw(r->a, &m, command, (struct cf_str){0})),
                     0);
}

/* The front's word that work is due or done. */
static inline void work_outcome(struct rig *r, const struct cf_work *w, int result,
                                struct cf_str payload, cf_ms now)
{
    Cardflow__V1__IntakeInternal x;
    cardflow__v1__intake_internal__init(&x);
    Cardflow__V1__WorkOutcome o;
    cardflow__v1__work_outcome__init(&o);
    Cardflow__V1__WorkOutcome__Item item, *items = &item;
    cardflow__v1__work_outcome__item__init(&item);
    uint8_t id[16];
    struct cf_work copy = *w;
    item.work_id = cf_data_id(copy.id);
    item.attempt = copy.attempt;
    item.kind = copy.kind;
    item.key = cf_data(cf_key_str(&copy.key));
    item.result = (Cardflow__V1__WorkOutcome__Result)result;
    item.payload = cf_data(payload);
    o.items = &items;
    o.n_items = 1;
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_WORK;
    x.work = &o;
    fresh_id(r, id);
    assert_int_equal(double_feed(r->d, "intake.internal", "work.outcome", &copy.key, id, now,
                                 cf_pack(r->a, &x.base)),
                     0);
}

static inline void step_at(struct rig *r, const struct cf_key *key, const uint8_t app[16],
                           const char *state, cf_ms now)
{
    Cardflow__V1__CardEvent e;
    cardflow__v1__card_event__init(&e);
    Cardflow__V1__CardEvent__Step s;
    cardflow__v1__card_event__step__init(&s);
    uint8_t id[16];
    e.application_id = cf_data_id(app);
    s.state = (char *)(uintptr_t)state;
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_STEP;
    e.step = &s;
    fresh_id(r, id);
    assert_int_equal(double_feed(r->d, "card.events", "card.step", key, id, now,
                                 cf_pack(r->a, &e.base)),
                     0);
}

/* app: what had it made, NULL for an event that does not say. */
static inline void card_of_at(struct rig *r, const struct cf_key *key, const uint8_t *app,
                              const char *no, const char *bank, const char *state, bool temporary,
                              cf_ms now)
{
    Cardflow__V1__CardEvent e;
    cardflow__v1__card_event__init(&e);
    Cardflow__V1__CardEvent__CardChanged c;
    cardflow__v1__card_event__card_changed__init(&c);
    uint8_t id[16];
    if (app) e.application_id = cf_data_id(app);
    e.card_no = (char *)(uintptr_t)no;
    e.bank_code = (char *)(uintptr_t)bank;
    c.state = (char *)(uintptr_t)state;
    c.temporary = temporary;
    c.has_photo = true;
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED;
    e.card_changed = &c;
    fresh_id(r, id);
    assert_int_equal(double_feed(r->d, "card.events", "card.changed", key, id, now,
                                 cf_pack(r->a, &e.base)),
                     0);
}

static inline void card_at(struct rig *r, const struct cf_key *key, const char *no,
                           const char *bank, const char *state, bool temporary, cf_ms now)
{
    card_of_at(r, key, NULL, no, bank, state, temporary, now);
}

/* ---- what came out ---------------------------------------------------------------------------- */

/* Types of all messages sent since `from`, to any topic, with blanks between. */
static inline const char *types_since(struct rig *r, size_t from)
{
    struct cf_str s = {"", 0};
    for (size_t i = from; i < r->d->n_sent; i++)
        s = cf_arena_printf(r->a, "%s%s%s", s.ptr, i > from ? " " : "", r->d->sent[i].type);
    return s.ptr;
}

static inline const Cardflow__V1__ApplicationEvent *event_at(struct rig *r, size_t i)
{
    assert_true(i < r->d->n_sent);
    assert_string_equal(r->d->sent[i].topic, "application.events");
    const Cardflow__V1__ApplicationEvent *e = cf_unpack(
        r->a, &cardflow__v1__application_event__descriptor, r->d->sent[i].value);
    assert_non_null(e);
    return e;
}

static inline const struct intake_application *app_row(struct rig *r, const uint8_t id[16])
{
    return double_aux(r->d, INTAKE_AUX_APPLICATION, id);
}

static inline const struct intake_holder *holder_row(struct rig *r, const struct cf_key *key)
{
    return double_row(r->d, INTAKE_KIND_HOLDER, key);
}

static inline const char *refusal_reasons(struct rig *r, const Cardflow__V1__ApplicationEvent *e)
{
    const Cardflow__V1__ApplicationEvent__Refused *x =
        e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_NOTICED ? e->noticed : e->rejected;
    struct cf_str s = {"", 0};
    for (size_t i = 0; i < x->n_reasons; i++)
        s = cf_arena_printf(r->a, "%s%s%s", s.ptr, i ? "|" : "", x->reasons[i]);
    return s.ptr;
}

/* As the splitter sends a row. */
static inline struct intake_submit row_submission(const struct intake_person *p,
                                                  const uint8_t roster[16], uint32_t row_no,
                                                  cf_ms at)
{
    struct intake_submit m = submission(p, at);
    m.request.channel = CF_CHANNEL_UNIT;
    m.request.unit_code = CF_STR("U370200001");
    m.request.introduction_letter_no = CF_STR("JS-1");
    m.request.id_copies_held = true;
    m.person.agent = (struct intake_agent){CF_STR("黄志"), CF_STR("resident_id"),
                                           CF_STR("370203200012179598")};
    m.row_no = row_no;
    memcpy(m.roster_id, roster, 16);
    intake_codec_row_id(roster, row_no, m.application_id);
    return m;
}
