/* Persons in commands on cards: sealed for the holder of the key, judged where they are opened. */
#include "world.h"

#define NUMBER "QX7000001"

/* The world's holder is the one of that passport. */
static void be_somebody(struct world *w)
{
    uint8_t ref[CF_REF_LEN];
    assert_true(cf_holder_ref(env.ring, CF_DOC_PASSPORT, CF_STR(NUMBER), ref));
    w->holder = cf_key_holder(ref);
}

static void has_card(struct world *w)
{
    struct production_command_fields f = command_of("import_card", "operation-id-imp");
    f.imports = true;
    f.import_bank = CF_STR("B01");
    f.import_state = CF_STR("normal");
    f.issued_on = 20000;
    f.has_photo = true;
    send_command(w, &f);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_document_that_is_shown_is_compared, begin, end),
        cmocka_unit_test_setup_teardown(an_actor_sealed_for_another_is_a_dead_letter, begin, end),
        cmocka_unit_test_setup_teardown(what_waits_has_shown_its_document, begin, end),
        cmocka_unit_test_setup_teardown(a_consent_is_kept_sealed, begin, end),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
