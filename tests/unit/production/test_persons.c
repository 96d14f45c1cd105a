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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_document_that_is_shown_is_compared, begin, end),
        cmocka_unit_test_setup_teardown(an_actor_sealed_for_another_is_a_dead_letter, begin, end),
        cmocka_unit_test_setup_teardown(what_waits_has_shown_its_document, begin, end),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
