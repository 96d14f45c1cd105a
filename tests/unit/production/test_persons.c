/* Persons in commands on cards: sealed for the holder of the key, judged where they are opened. */
#include "world.h"

#define NUMBER "QX7000001"

static void be(struct world *w, const char *type, const char *number)
{
    uint8_t ref[CF_REF_LEN];
    enum cf_doc_type of = cf_doc_type_parse(cf_str_of(type));
    assert_true(cf_holder_ref(env.ring, of, cf_str_of(number), ref));
    w->holder = cf_key_holder(ref);
}

/* The world's holder is the one of that passport. */
static void be_somebody(struct world *w)
{
    be(w, "passport", NUMBER);
}

static void import_card(struct world *w, const char *id, struct cf_str holder)
{
    struct production_command_fields f = import_of(id, "normal", 20000);
    f.has_photo = true;
    f.holder = holder;
    send_command(w, &f);
    assert_string_equal(last_answer(w)->result, "done");
}

static void has_card(struct world *w)
{
    import_card(w, "operation-id-imp", (struct cf_str){0});
    is_text(row_of(w)->card_state, "normal");
}

static void the_document_that_is_shown_is_compared(void **state)
{
    static const struct {
        const char *role, *type, *number, *reason;
    } rows[] = {
        {"holder",   "passport",    NUMBER,               ""                 },
        {"holder",   "passport",    " qx 7000001",        ""                 },
        {"holder",   "passport",    "QX7000002",          "document_required"},
        {"holder",   "passport",    "",                   "document_required"},
        {"agent",    "passport",    "QX7000002",          ""                 },
        {"agent",    "passport",    NUMBER,               "document_required"},
        {"agent",    "resident_id", "370202199003070011", ""                 },
        {"agent",    "resident_id", "370202199003070012", "document_required"},
        {"agent",    "library",     "370202199003070011", "document_required"},
        {"guardian", "resident_id", "370202209003070016", "document_required"},
    };
    struct world *w = *state;
    be_somebody(w);
    has_card(w);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char id[17];
        snprintf(id, sizeof id, "operation-id-%03zu", i % 1000);
        struct production_command_fields f = command_of("report_formal_loss", id);
        shown(w, rows[i].role, rows[i].type, rows[i].number, &f);
        send_command(w, &f);
        const Cardflow__V1__CardEvent__OperationAnswered *a = last_answer(w);
        if (strcmp(a->n_reasons ? a->reasons[0] : "", rows[i].reason) != 0)
            fail_msg("%s %s %s: %s", rows[i].role, rows[i].type, rows[i].number, a->result);
    }
    assert_int_equal(w->d->n_parked, 0);
}

/* Who comes for the holder to cancel a card; the holder is not asked for one. */
static void who_comes_to_cancel_a_card_shows_a_document(void **state)
{
    static const struct {
        const char *role, *number, *reason;
    } rows[] = {
        {"agent",    "",          "document_required"},
        {"agent",    NUMBER,      "document_required"},
        {"guardian", "",          "document_required"},
        {"agent",    "QX7000002", ""                 },
        {"guardian", "QX7000002", ""                 },
        {"holder",   "",          ""                 },
    };
    struct world *w = *state;
    be_somebody(w);
    has_card(w);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char id[17];
        snprintf(id, sizeof id, "operation-id-%03zu", i % 1000);
        struct production_command_fields f = command_of("cancel", id);
        shown(w, rows[i].role, "passport", rows[i].number, &f);
        send_command(w, &f);
        const Cardflow__V1__CardEvent__OperationAnswered *a = last_answer(w);
        if (strcmp(a->n_reasons ? a->reasons[0] : "", rows[i].reason) != 0)
            fail_msg("%s %s: %s", rows[i].role, rows[i].number, a->result);
        is_text(row_of(w)->card_state, i < 3 ? "normal" : "cancelled");
    }
}

static void an_actor_sealed_for_another_is_a_dead_letter(void **state)
{
    struct world *w = *state;
    has_card(w);
    struct production_command_fields f = command_of("report_formal_loss", "operation-id-001");
    shown(w, "agent", "passport", NUMBER, &f);
    be_somebody(w); /* another holder */
    send_command(w, &f);
    assert_int_equal(count(w, "card.commands.dlq", "card.operation"), 1);
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 1); /* of the import */
}

/* A release that waits for the bank's shard has shown its document when it came. */
static void what_waits_has_shown_its_document(void **state)
{
    struct world *w = *state;
    be_somebody(w);
    has_card(w);
    struct production_command_fields f = command_of("report_formal_loss", "operation-id-001");
    shown(w, "holder", "passport", NUMBER, &f);
    send_command(w, &f);
    accepted_as(w, CARDFLOW__V1__APP_KIND__APP_KIND_LOSS_REPLACEMENT);
    photo_ready(w);
    memcpy(f.operation_id, "operation-id-002", 16);
    f.operation = CF_STR("release");
    send_command(w, &f);
    assert_true(row_of(w)->early.len > 0);
    settle(w);
    assert_int_equal(row_of(w)->early.len, 0);
    assert_string_equal(last_answer(w)->result, "done");
    is_text(row_of(w)->card_state, "normal");
}

/* Where it is kept the document is sealed, under the reference that stands beside it. */
static void a_consent_is_kept_sealed(void **state)
{
    static const struct {
        const char *reference, *type, *number, *reason;
    } rows[] = {
        {"form 7", "",            "",                   ""                      },
        {"",       "resident_id", "370202199003070011", ""                      },
        {"",       "resident_id", "370202199003070012", "add_on_without_consent"},
        {"",       "",            "370202199003070011", "add_on_without_consent"},
        {"",       "",            "",                   "add_on_without_consent"},
    };
    struct world *w = *state;
    be_somebody(w);
    has_card(w);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char id[17], name[8];
        snprintf(id, sizeof id, "operation-id-%03zu", i % 1000);
        snprintf(name, sizeof name, "add%zu", i % 1000);
        struct production_command_fields f = command_of("open_add_on", id);
        f.add_on = cf_str_of(name);
        f.consent.by = CF_STR("holder");
        f.consent.given_at = w->now;
        struct cf_str plain = production_codec_consent_document(
            w->a, cf_str_of(rows[i].reference), cf_str_of(rows[i].type), cf_str_of(rows[i].number));
        assert_int_equal(cf_seal(env.ring, plain, cf_key_str(&w->holder), PRODUCTION_FIELD_CONSENT,
                                 w->a, &f.consent.document),
                         0);
        send_command(w, &f);
        const Cardflow__V1__CardEvent__OperationAnswered *a = last_answer(w);
        assert_string_equal(a->n_reasons ? a->reasons[0] : "", rows[i].reason);
        const struct production_answer *row =
            double_aux(w->d, PRODUCTION_OPERATION, (const uint8_t *)id);
        assert_non_null(row);
        if (!row) return;
        assert_int_equal(row->consent.len > 0, !*rows[i].reason);
        if (*rows[i].reason) continue;
        const Cardflow__V1__CardCommand__Consent *stored =
            cf_unpack(w->a, &cardflow__v1__card_command__consent__descriptor, row->consent);
        assert_non_null(stored);
        if (!stored) return;
        assert_int_equal(stored->given_at_ms, w->now);
        struct cf_str opened;
        assert_int_equal(cf_unseal(env.ring, cf_bytes(stored->document), cf_bytes(stored->owner),
                                   PRODUCTION_FIELD_CONSENT, w->a, &opened),
                         0);
        assert_true(cf_str_eq(opened, plain));
    }
}

static struct cf_str sealed_child(struct world *w, const char *type, const char *number,
                                  const char *birth_date)
{
    struct cf_str sealed, plain = production_codec_document(w->a, cf_str_of(type),
                                                            cf_str_of(number),
                                                            cf_str_of(birth_date));
    assert_int_equal(cf_seal(env.ring, plain, cf_key_str(&w->holder), 1, w->a, &sealed), 0);
    return sealed;
}

/* A guardian sets the password of the card on that day. */
static const char *guarded(struct world *w, const char *id, cf_ms now)
{
    struct production_command_fields f = command_of("set_password", id);
    w->now = now;
    f.password_kind = CF_STR("financial");
    shown(w, "guardian", "resident_id", "370202199003070011", &f);
    send_command(w, &f);
    const Cardflow__V1__CardEvent__OperationAnswered *a = last_answer(w);
    return a->n_reasons ? a->reasons[0] : a->result;
}

/* By the number, or by the birth date where the number tells none; of an import, too. */
static void a_guardian_acts_until_the_16th_birthday(void **state)
{
    static const struct {
        const char *type, *number, *birth_date, *first, *last;
    } rows[] = {
        {"passport",    "QX7000001",          "2010-04-02", "done",        "holder_only"},
        {"passport",    "QX7000002",          "2010-04-01", "holder_only", "holder_only"},
        {"passport",    "QX7000003",          "2011-04-01", "done",        "done"       },
        {"passport",    "QX7000004",          "",           "holder_only", "holder_only"},
        {"passport",    "QX7000005",          "9990-01-01", "holder_only", "holder_only"},
        {"passport",    "QX7000006",          "tomorrow",   "holder_only", "holder_only"},
        {"resident_id", "370202201004020016", "1990-01-01", "done",        "holder_only"},
    };
    struct world *w = *state;
    for (int day = 0; day <= 2; day++) /* 31 March to 2 April */
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            char id[40]; /* 16 are read */
            snprintf(id, sizeof id, "operation-id-%d%02zu", day, i);
            be(w, rows[i].type, rows[i].number);
            if (day)
                assert_string_equal(guarded(w, id, NOW + day * DAY),
                                    day == 1 ? rows[i].first : rows[i].last);
            else
                import_card(w, id, sealed_child(w, rows[i].type, rows[i].number,
                                                rows[i].birth_date));
        }
}

static void the_birthday_of_an_applicant_comes_from_the_sealed_person(void **state)
{
    struct world *w = *state;
    be_somebody(w);
    w->accepted_on = cf_day_of_ms(NOW);
    w->person = sealed_child(w, "passport", NUMBER, "2010-05-01");
    to_collected(w);
    command(w, "activate", "operation-id-001");
    is_text(row_of(w)->card_state, "normal");
    assert_string_equal(guarded(w, "operation-id-002", NOW + 30 * DAY), "done"); /* 30 April */
    assert_string_equal(guarded(w, "operation-id-003", NOW + 31 * DAY), "holder_only");
    /* Sealed for another, nobody knows it. */
    w->holder = cf_key_holder((const uint8_t *)"holder-reference");
    memcpy(w->app, "application-id-2", 16);
    accepted(w);
    assert_int_equal(w->d->n_parked, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_document_that_is_shown_is_compared, begin, end),
        cmocka_unit_test_setup_teardown(who_comes_to_cancel_a_card_shows_a_document, begin, end),
        cmocka_unit_test_setup_teardown(an_actor_sealed_for_another_is_a_dead_letter, begin, end),
        cmocka_unit_test_setup_teardown(what_waits_has_shown_its_document, begin, end),
        cmocka_unit_test_setup_teardown(a_consent_is_kept_sealed, begin, end),
        cmocka_unit_test_setup_teardown(a_guardian_acts_until_the_16th_birthday, begin, end),
        cmocka_unit_test_setup_teardown(
            the_birthday_of_an_applicant_comes_from_the_sealed_person, begin, end),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
