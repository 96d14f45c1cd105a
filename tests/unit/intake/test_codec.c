/* What intake reads from the log: what is taken, what is refused and why; and what it packs for
 * itself comes back. */
#include "stage_data.h"

#include "tests/unit/dies.h"

struct read {
    int e;
    const char *reason;
    size_t n;
    struct cf_msg msgs[CF_MESSAGES_MAX];
};

/* Decodes a record of that topic under the key, in the key's own partition. */
static const struct read *read_as(struct rig *r, enum intake_in topic, const struct cf_key *key,
                                  struct cf_str value)
{
    static struct read out;
    struct cf_decode d = {.arena = r->a,
                          .env = &r->env,
                          .partitions = 4,
                          .msgs = out.msgs,
                          .max = CF_MESSAGES_MAX};
    struct cf_record rec = {.topic = (uint16_t)topic,
                            .part = (int32_t)cf_key_partition(key, 4),
                            .key = cf_key_str(key),
                            .value = value};
    out.e = r->service.decode(&d, &rec);
    out.reason = d.reason ? d.reason : "";
    out.n = d.n;
    return &out;
}

static void expect(const struct read *got, int e, const char *reason)
{
    if (got->e != e || !strstr(got->reason, reason))
        fail_msg("%d %s, want %d %s", got->e, got->reason, e, reason);
    if (e) assert_int_equal(got->n, 0);
}

static const uint8_t APP[16] = {1, 2, 3};

/* ---- commands ------------------------------------------------------------------------------ */

struct submit {
    Cardflow__V1__ApplicationCommand c;
    Cardflow__V1__ApplicationCommand__Submit s;
    Cardflow__V1__ApplicationCommand__Papers p;
    struct cf_key key;
};

static void begin_submit(struct rig *r, struct submit *x)
{
    struct intake_person p = adult();
    struct cf_str sealed;
    cardflow__v1__application_command__init(&x->c);
    cardflow__v1__application_command__submit__init(&x->s);
    cardflow__v1__application_command__papers__init(&x->p);
    x->key = key_of(r, &p, APP);
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, &p, &x->key, &sealed), 0);
    x->s.application_id = cf_data_id(APP);
    x->s.person = cf_data(sealed);
    x->s.papers = &x->p;
    x->c.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUBMIT;
    x->c.submit = &x->s;
}

static const struct read *read_submit(struct rig *r, struct submit *x)
{
    return read_as(r, INTAKE_IN_COMMANDS, &x->key, cf_pack(r->a, &x->c.base));
}

/* Codes are bounded and UTF-8; the error names the one that is not. */
static void a_code_that_is_too_long_is_named(void **state)
{
    struct rig *r = *state;
    static char word[202];
    memset(word, 'x', 201);
    static const char *const names[] = {"bank_code",      "outlet_code",      "photo_choice",
                                        "reissue_reason", "papers.unit_code",
                                        "papers.introduction_letter_no"};
    for (int i = 0; i <= 6; i++)
        for (int bytes = 200; bytes <= 201; bytes++) {
            struct submit x;
            begin_submit(r, &x);
            char **fields[] = {&x.s.bank_code,      &x.s.outlet_code, &x.s.photo_choice,
                               &x.s.reissue_reason, &x.p.unit_code,   &x.p.introduction_letter_no};
            if (i < 6) *fields[i] = word + (201 - bytes);
            bool good = i == 6 || bytes == 200;
            expect(read_submit(r, &x), good ? 0 : CF_E_DECODE, good ? "" : names[i]);
        }
}

static void a_submission_belongs_to_the_key_of_its_document(void **state)
{
    struct rig *r = *state;
    struct submit x;
    begin_submit(r, &x);
    const struct read *got = read_submit(r, &x);
    expect(got, 0, "");
    assert_int_equal(got->n, 1);
    assert_int_equal(got->msgs[0].type, INTAKE_MSG_SUBMIT);
    assert_memory_equal(got->msgs[0].id, APP, 16);
    const struct intake_submit *m = got->msgs[0].body;
    assert_true(cf_str_is(m->person.name, "朱英红"));
    x.s.application_id.len = 15;
    expect(read_submit(r, &x), CF_E_DECODE, "application_id");
    /* Sealed for this key, but by a document of another: whose it is, the holder's row knows. */
    struct intake_person other = adult();
    struct cf_str sealed;
    other.document_number = CF_STR("370203200012179598");
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, &other, &x.key, &sealed), 0);
    x.s.application_id = cf_data_id(APP);
    x.s.person = cf_data(sealed);
    got = read_submit(r, &x);
    expect(got, 0, "");
    struct cf_key wrong = key_of(r, &other, APP);
    assert_true(cf_key_eq(&((const struct intake_submit *)got->msgs[0].body)->other, &wrong));
    /* Sealed for another key; not sealed; sealed, and no person. */
    assert_int_equal(intake_codec_person_seal(r->ring, r->a, &other, &wrong, &sealed), 0);
    x.s.person = cf_data(sealed);
    expect(read_submit(r, &x), CF_E_WRONG_KEY, "person: not sealed for this key");
    x.s.person = cf_data(CF_STR("plain"));
    expect(read_submit(r, &x), CF_E_DECODE, "person: not a sealed value");
    assert_int_equal(cf_seal(r->ring, CF_STR("\xff\xff"), cf_key_str(&x.key), INTAKE_FIELD_PERSON,
                             r->a, &sealed),
                     0);
    x.s.person = cf_data(sealed);
    expect(read_submit(r, &x), CF_E_DECODE, "person: not a person");
}

static void a_record_in_a_strange_partition_is_refused(void **state)
{
    struct rig *r = *state;
    struct submit x;
    begin_submit(r, &x);
    struct cf_msg msgs[CF_MESSAGES_MAX];
    static const enum intake_in topics[] = {INTAKE_IN_COMMANDS, INTAKE_IN_ENROLMENT};
    for (size_t i = 0; i < 2; i++) {
        struct cf_decode d = {
            .arena = r->a, .env = &r->env, .partitions = 4, .msgs = msgs, .max = CF_MESSAGES_MAX};
        struct cf_record rec = {.topic = (uint16_t)topics[i],
                                .part = ((int32_t)cf_key_partition(&x.key, 4) + 1) % 4,
                                .key = cf_key_str(&x.key),
                                .value = cf_pack(r->a, &x.c.base)};
        assert_int_equal(r->service.decode(&d, &rec), CF_E_WRONG_KEY);
        assert_string_equal(d.reason, "partition: not the key's");
    }
}

static void a_supplement_names_application_and_command(void **state)
{
    struct rig *r = *state;
    struct submit x;
    Cardflow__V1__ApplicationCommand__Supplement s;
    begin_submit(r, &x);
    cardflow__v1__application_command__supplement__init(&s);
    x.c.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_SUPPLEMENT;
    x.c.supplement = &s;
    expect(read_submit(r, &x), CF_E_DECODE, "application_id");
    s.application_id = cf_data_id(APP);
    expect(read_submit(r, &x), CF_E_DECODE, "command_id");
    s.command_id = cf_data_id(x.key.b);
    const struct read *got = read_submit(r, &x); /* changes nothing of the person */
    expect(got, 0, "");
    assert_memory_equal(got->msgs[0].id, x.key.b, 16);
    assert_false(((const struct intake_supplement *)got->msgs[0].body)->has_papers);
    s.person = cf_data(CF_STR("plain"));
    expect(read_submit(r, &x), CF_E_DECODE, "person");
    s.person.len = 0;
    s.outlet_code = (char *)(uintptr_t)"\xff";
    expect(read_submit(r, &x), CF_E_DECODE, "not an application command");
}

static void a_withdrawal_names_application_command_and_reason(void **state)
{
    struct rig *r = *state;
    struct submit x;
    Cardflow__V1__ApplicationCommand__Withdraw w;
    static char reason[202];
    memset(reason, 'x', 201);
    begin_submit(r, &x);
    cardflow__v1__application_command__withdraw__init(&w);
    x.c.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY_WITHDRAW;
    x.c.withdraw = &w;
    expect(read_submit(r, &x), CF_E_DECODE, "application_id");
    w.application_id = cf_data_id(APP);
    expect(read_submit(r, &x), CF_E_DECODE, "command_id");
    w.command_id = cf_data_id(x.key.b);
    w.reason = reason;
    expect(read_submit(r, &x), CF_E_DECODE, "reason");
    w.reason = reason + 1;
    expect(read_submit(r, &x), 0, "");
    x.c.body_case = CARDFLOW__V1__APPLICATION_COMMAND__BODY__NOT_SET;
    expect(read_submit(r, &x), CF_E_DECODE, "body");
}

/* ---- enrolment ----------------------------------------------------------------------------- */

static void enrolments_are_read_by_their_kind(void **state)
{
    struct rig *r = *state;
    struct submit x;
    begin_submit(r, &x);
    Cardflow__V1__EnrolmentEvent e;
    Cardflow__V1__EnrolmentEvent__Enrolment n;
    Cardflow__V1__EnrolmentEvent__Ended ended;
    Cardflow__V1__EnrolmentEvent__DocumentChanged document;
    cardflow__v1__enrolment_event__init(&e);
    cardflow__v1__enrolment_event__enrolment__init(&n);
    cardflow__v1__enrolment_event__ended__init(&ended);
    cardflow__v1__enrolment_event__document_changed__init(&document);
#define READ() read_as(r, INTAKE_IN_ENROLMENT, &x.key, cf_pack(r->a, &e.base))
    expect(READ(), CF_E_DECODE, "body");
    n.person = x.s.person;
    n.revision = 3;
    e.body_case = CARDFLOW__V1__ENROLMENT_EVENT__BODY_CHANGED;
    e.changed = &n;
    const struct read *got = READ();
    expect(got, 0, "");
    assert_int_equal(got->msgs[0].type, INTAKE_MSG_ENROLMENT);
    assert_int_equal(((const struct intake_enrolment_msg *)got->msgs[0].body)->revision, 3);
    n.revision = 0;
    expect(READ(), CF_E_DECODE, "revision");
    e.body_case = CARDFLOW__V1__ENROLMENT_EVENT__BODY_ENDED;
    e.ended = &ended;
    ended.person = x.s.person;
    expect(READ(), CF_E_DECODE, "revision");
    ended.revision = 4;
    static const char *const reasons[] = {"death", "left", "moved", "retired", ""};
    for (int i = 0; i < 5; i++) {
        ended.reason = (char *)(uintptr_t)reasons[i];
        expect(READ(), i < 3 ? 0 : CF_E_DECODE, i < 3 ? "" : "reason: one of");
    }
    e.body_case = CARDFLOW__V1__ENROLMENT_EVENT__BODY_DOCUMENT_CHANGED;
    e.document_changed = &document;
    expect(READ(), CF_E_DECODE, "person");
    document.old_person = x.s.person;
    expect(READ(), CF_E_DECODE, "person");
    document.new_person = x.s.person;
    expect(READ(), CF_E_DECODE, "revision");
    document.revision = 5;
    got = READ();
    expect(got, 0, "");
    assert_int_equal(got->msgs[0].type, INTAKE_MSG_DOCUMENT_CHANGED);
#undef READ
}

/* ---- what photo-fetch and production say --------------------------------------------------- */

static void steps_of_production_are_followed(void **state)
{
    struct rig *r = *state;
    static const struct {
        const char *state;
        int on; /* -1: nothing for intake */
    } rows[] = {
        {"ready_for_pickup",  INTAKE_ON_READY        },
        {"production_failed", INTAKE_ON_FAIL         },
        {"collected",         INTAKE_ON_COLLECT      },
        {"withdrawn",         INTAKE_ON_WITHDRAW     },
        {"expired",           INTAKE_ON_EXPIRE       },
        {"pickup_expired",    INTAKE_ON_PICKUP_EXPIRE},
        {"closed",            INTAKE_ON_CLOSE        },
        {"batched",           -1                     },
        {"shipped",           -1                     },
    };
    struct cf_key key = cf_key_holder(APP);
    Cardflow__V1__CardEvent e;
    Cardflow__V1__CardEvent__Step s;
    cardflow__v1__card_event__init(&e);
    cardflow__v1__card_event__step__init(&s);
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_STEP;
    e.step = &s;
    e.application_id = cf_data_id(APP);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        s.state = (char *)(uintptr_t)rows[i].state;
        const struct read *got = read_as(r, INTAKE_IN_CARDS, &key, cf_pack(r->a, &e.base));
        expect(got, 0, "");
        assert_int_equal(got->n, rows[i].on >= 0);
        if (!got->n) continue;
        const struct intake_follow *m = got->msgs[0].body;
        assert_int_equal((int)m->on, rows[i].on);
        assert_memory_equal(m->application_id, APP, 16);
    }
    s.state = (char *)(uintptr_t)"polished";
    expect(read_as(r, INTAKE_IN_CARDS, &key, cf_pack(r->a, &e.base)), CF_E_VERSION, "step.state");
    s.state = (char *)(uintptr_t)"collected";
    e.application_id.len = 3;
    expect(read_as(r, INTAKE_IN_CARDS, &key, cf_pack(r->a, &e.base)), CF_E_DECODE,
           "application_id");
    Cardflow__V1__CardEvent__Promised p;
    cardflow__v1__card_event__promised__init(&p);
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_PROMISED;
    e.promised = &p;
    expect(read_as(r, INTAKE_IN_CARDS, &key, cf_pack(r->a, &e.base)), CF_E_DECODE,
           "application_id");
    e.application_id = cf_data_id(APP);
    p.promised_on = 20516;
    const struct read *promised = read_as(r, INTAKE_IN_CARDS, &key, cf_pack(r->a, &e.base));
    expect(promised, 0, "");
    const struct intake_promised *m = promised->msgs[0].body;
    assert_int_equal(m->promised_on, 20516);
    assert_memory_equal(m->application_id, APP, 16);
    e.application_id.len = 3;
    Cardflow__V1__CardEvent__CardChanged c;
    cardflow__v1__card_event__card_changed__init(&c);
    e.body_case = CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED;
    e.card_changed = &c;
    c.state = (char *)(uintptr_t)"normal";
    expect(read_as(r, INTAKE_IN_CARDS, &key, cf_pack(r->a, &e.base)), CF_E_DECODE,
           "application_id");
    c.state = (char *)(uintptr_t)"bent";
    expect(read_as(r, INTAKE_IN_CARDS, &key, cf_pack(r->a, &e.base)), CF_E_VERSION, "state");
}

/* ---- its own ------------------------------------------------------------------------------- */

static void an_outcome_of_unknown_work_waits(void **state)
{
    struct rig *r = *state;
    struct cf_key key = cf_key_holder(APP);
    Cardflow__V1__IntakeInternal x;
    Cardflow__V1__WorkOutcome o;
    Cardflow__V1__WorkOutcome__Item item, *items = &item;
    cardflow__v1__intake_internal__init(&x);
    cardflow__v1__work_outcome__init(&o);
    cardflow__v1__work_outcome__item__init(&item);
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_WORK;
    x.work = &o;
    o.items = &items;
    o.n_items = 1;
#define READ() read_as(r, INTAKE_IN_INTERNAL, &key, cf_pack(r->a, &x.base))
    expect(READ(), CF_E_DECODE, "items.key");
    item.key = cf_data(cf_key_str(&key));
    expect(READ(), CF_E_DECODE, "items.work_id");
    item.work_id = cf_data_id(APP);
    item.kind = 99;
    expect(READ(), CF_E_VERSION, "items.kind");
    item.kind = INTAKE_WORK_SPLIT;
    expect(READ(), CF_E_DECODE, "items.payload");
    item.kind = INTAKE_WORK_TIMER;
    expect(READ(), 0, "");
#undef READ
}

static void arguments_of_a_split_come_back(void **state)
{
    struct rig *r = *state;
    struct intake_roster_meta meta = {.roster_id = {9},
                                      .client = CF_STR("unit"),
                                      .unit_code = CF_STR("U1"),
                                      .bank_code = CF_STR("B01"),
                                      .outlet_code = CF_STR("B01001"),
                                      .introduction_letter_no = CF_STR("JS-1"),
                                      .encoding = CF_STR("gbk"),
                                      .reissue_reason = CF_STR("expiry"),
                                      .kind = CF_KIND_FIRST_ISSUE,
                                      .channel = CF_CHANNEL_UNIT,
                                      .id_copies_held = true,
                                      .may_backdate = true,
                                      .submitted_at = 7,
                                      .size = 12345};
    struct cf_key key = cf_key_roster(meta.roster_id);
    const struct read *got =
        read_as(r, INTAKE_IN_INTERNAL, &key, intake_codec_roster_opened(r->a, &meta));
    expect(got, 0, "");
    const struct intake_opened *opened = got->msgs[0].body;
    struct intake_roster_meta back;
    uint32_t next_row = 0;
    assert_int_equal(intake_codec_split_read(r->a, opened->args, &back, &next_row), 0);
    assert_int_equal(next_row, 1);
    assert_memory_equal(back.roster_id, meta.roster_id, 16);
    assert_true(cf_str_is(back.client, "unit") && cf_str_is(back.unit_code, "U1") &&
                cf_str_is(back.bank_code, "B01") && cf_str_is(back.outlet_code, "B01001") &&
                cf_str_is(back.introduction_letter_no, "JS-1") && cf_str_is(back.encoding, "gbk") &&
                cf_str_is(back.reissue_reason, "expiry"));
    assert_int_equal(back.kind, CF_KIND_FIRST_ISSUE);
    assert_int_equal(back.channel, CF_CHANNEL_UNIT);
    assert_true(back.id_copies_held && back.may_backdate);
    assert_int_equal(back.size, 12345);
    struct cf_str later = intake_codec_split_args(r->a, opened->args, 501);
    assert_int_equal(intake_codec_split_read(r->a, later, &back, &next_row), 0);
    assert_int_equal(next_row, 501);
    assert_true(cf_str_is(back.unit_code, "U1"));
    assert_int_equal(intake_codec_split_read(r->a, CF_STR("\xff"), &back, &next_row), CF_E_DECODE);
    assert_int_equal(intake_codec_split_read(r->a, CF_STR(""), &back, &next_row), CF_E_DECODE);
}

static void next_row_of_nothing(void)
{
    intake_codec_split_args(cf_arena_new(1 << 20), CF_STR("\xff"), 2);
}

static void arguments_that_are_none_end_the_process(void **state)
{
    (void)state;
    assert_true(dies(next_row_of_nothing, "arguments of a split"));
}

static void an_agent_opens_for_its_roster_only(void **state)
{
    struct rig *r = *state;
    const struct intake_agent agent = {CF_STR("黄志"), CF_STR("resident_id"),
                                       CF_STR("370203200012179598")};
    struct cf_key key = cf_key_roster(APP), other = cf_key_roster(r->env.number_key);
    struct cf_str sealed, odd;
    struct intake_agent back;
    assert_int_equal(cf_seal(r->ring, intake_codec_agent_pack(r->a, &agent), cf_key_str(&key),
                             INTAKE_FIELD_AGENT, r->a, &sealed),
                     0);
    assert_int_equal(intake_codec_agent_open(r->ring, r->a, sealed, &key, &back), 0);
    assert_true(cf_str_eq(back.name, agent.name) &&
                cf_str_eq(back.document_type, agent.document_type) &&
                cf_str_eq(back.document_number, agent.document_number));
    assert_int_not_equal(intake_codec_agent_open(r->ring, r->a, sealed, &other, &back), 0);
    assert_int_equal(back.name.len, 0);
    assert_int_equal(cf_seal(r->ring, CF_STR("\xff"), cf_key_str(&key), INTAKE_FIELD_AGENT, r->a,
                             &odd),
                     0);
    assert_int_equal(intake_codec_agent_open(r->ring, r->a, odd, &key, &back), CF_E_DECODE);
    /* None was given. */
    assert_int_equal(intake_codec_agent_open(r->ring, r->a, (struct cf_str){0}, &key, &back), 0);
    assert_int_equal(back.name.len, 0);
}

static void an_actor_is_packed_whole(void **state)
{
    struct rig *r = *state;
    struct cf_str packed = intake_codec_actor(r->a, CF_STR("guardian"), CF_STR("陈博涵"),
                                              CF_STR("passport"), CF_STR("E12345678"));
    const Cardflow__V1__Actor *m = cf_unpack(r->a, &cardflow__v1__actor__descriptor, packed);
    assert_non_null(m);
    assert_string_equal(m->role, "guardian");
    assert_string_equal(m->name, "陈博涵");
    assert_string_equal(m->document_type, "passport");
    assert_string_equal(m->document_number, "E12345678");
}

static void what_is_nothing_of_its_topic_is_refused(void **state)
{
    struct rig *r = *state;
    struct cf_key holder = cf_key_holder(APP), unit;
    assert_true(cf_key_unit(CF_STR("U1"), &unit));
    static const enum intake_in topics[] = {INTAKE_IN_ENROLMENT, INTAKE_IN_COMMANDS,
                                            INTAKE_IN_PHOTOS,    INTAKE_IN_CARDS,
                                            INTAKE_IN_INTERNAL,  INTAKE_IN_UNITS};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        const struct cf_key *key = topics[i] == INTAKE_IN_UNITS ? &unit : &holder;
        expect(read_as(r, topics[i], key, CF_STR("\xff\xff")), CF_E_DECODE, "value: not a");
        if (key == &holder && topics[i] != INTAKE_IN_INTERNAL)
            expect(read_as(r, topics[i], &unit, CF_STR("")), CF_E_DECODE, "key: 16 bytes");
    }
    expect(read_as(r, INTAKE_IN_INTERNAL, &holder, CF_STR("")), CF_E_VERSION, "body");
    expect(read_as(r, INTAKE_IN_UNITS, &unit, CF_STR("")), CF_E_DECODE, "body");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_that_is_too_long_is_named),
        cmocka_unit_test(a_submission_belongs_to_the_key_of_its_document),
        cmocka_unit_test(a_record_in_a_strange_partition_is_refused),
        cmocka_unit_test(a_supplement_names_application_and_command),
        cmocka_unit_test(a_withdrawal_names_application_command_and_reason),
        cmocka_unit_test(enrolments_are_read_by_their_kind),
        cmocka_unit_test(steps_of_production_are_followed),
        cmocka_unit_test(an_outcome_of_unknown_work_waits),
        cmocka_unit_test(arguments_of_a_split_come_back),
        cmocka_unit_test(arguments_that_are_none_end_the_process),
        cmocka_unit_test(an_agent_opens_for_its_roster_only),
        cmocka_unit_test(an_actor_is_packed_whole),
        cmocka_unit_test(what_is_nothing_of_its_topic_is_refused),
    };
    return cmocka_run_group_tests(tests, rig_up, rig_down);
}
