/* A document has changed: operations by its number are for the holder's first reference. */
#include "world.h"

static struct cf_key newer(void)
{
    return cf_key_holder((const uint8_t *)"newer-reference-");
}

static void aliased(struct world *w, const struct cf_key *key, const struct cf_key *canonical)
{
    Cardflow__V1__ApplicationEvent e;
    Cardflow__V1__ApplicationEvent__Aliased a;
    cardflow__v1__application_event__init(&e);
    cardflow__v1__application_event__aliased__init(&a);
    a.canonical = cf_data(cf_key_str(canonical));
    e.body_case = CARDFLOW__V1__APPLICATION_EVENT__BODY_ALIASED;
    e.aliased = &a;
    feed(w, "application.events", "application.aliased", key, cf_pack(w->a, &e.base));
}

static void command_at(struct world *w, const struct cf_key *key,
                       const struct production_command_fields *f)
{
    assert_int_equal(double_feed(w->d, "card.commands", "card.operation", key, f->operation_id,
                                 w->now, production_codec_command(w->a, f)),
                     0);
}

static void import_card(struct world *w, const struct cf_key *key, const char *id)
{
    struct production_command_fields f = import_of(id, "normal", 20000);
    f.import_kind = CF_STR("permanent");
    f.has_photo = true;
    command_at(w, key, &f);
}

static struct production_command_fields loss(const char *id)
{
    struct production_command_fields f = command_of("report_temporary_loss", id);
    f.operator_bank = CF_STR("B01");
    return f;
}

static const struct production_row *row_at(struct world *w, const struct cf_key *key)
{
    static const struct production_row none;
    const struct production_row *row = double_row(w->d, PRODUCTION_HOLDER, key);
    return row ? row : &none;
}

static void a_loss_by_the_new_document_is_of_the_first_holders_card(void **state)
{
    struct world *w = *state;
    struct cf_key alias = newer();
    struct production_command_fields f = loss("operation-id-002");
    import_card(w, &w->holder, "operation-id-001");
    aliased(w, &alias, &w->holder);
    settle(w);
    command_at(w, &alias, &f);
    assert_int_equal(count(w, "production.internal", "production.operation"), 1);
    settle(w);
    is_text(row_at(w, &w->holder)->card_state, "temporary_loss");
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 2);
    /* The same command again: known where it came in, and where it was led to. */
    command_at(w, &alias, &f);
    command_at(w, &w->holder, &f);
    settle(w);
    assert_int_equal(count(w, "production.internal", "production.operation"), 1);
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 2);
    assert_int_equal(w->d->n_parked, 0);
}

/* Sealed for the newer reference, and opened by it where it was led to. */
static void the_document_that_was_shown_is_led_on_with_the_operation(void **state)
{
    struct world *w = *state;
    struct cf_key first = w->holder;
    uint8_t ref[CF_REF_LEN];
    assert_true(cf_holder_ref(env.ring, CF_DOC_PASSPORT, CF_STR("QX7000001"), ref));
    struct cf_key alias = cf_key_holder(ref);
    import_card(w, &first, "operation-id-001");
    aliased(w, &alias, &first);
    for (int own = 0; own <= 1; own++) {
        struct production_command_fields f =
            command_of("report_formal_loss", own ? "operation-id-003" : "operation-id-002");
        w->holder = alias; /* the actor is sealed for the key of the command */
        shown(w, "holder", "passport", own ? "QX7000001" : "QX7000002", &f);
        command_at(w, &alias, &f);
        w->holder = first;
        settle(w);
        is_text(row_at(w, &first)->card_state, own ? "formal_loss" : "normal");
    }
    assert_int_equal(w->d->n_parked, 0);
}

static struct cf_key passport(const char *number)
{
    uint8_t ref[CF_REF_LEN];
    assert_true(cf_holder_ref(env.ring, CF_DOC_PASSPORT, cf_str_of(number), ref));
    return cf_key_holder(ref);
}

/* A partner that keeps one reference for a person, and a counter that sees the other document. */
static void either_document_is_the_holders_under_either_reference(void **state)
{
    struct world *w = *state;
    struct cf_key old = passport("QX7000001"), new = passport("QX7000002");
    import_card(w, &old, "operation-id-imp");
    static const struct {
        const char *number, *id, *operation;
        bool under_new, known, done;
    } rows[] = {
        {"QX7000002", "operation-id-001", "report_formal_loss", false, false, false},
        {"QX7000002", "operation-id-002", "report_formal_loss", false, true,  true },
        {"QX7000001", "operation-id-003", "release",            true,  true,  true },
        {"QX7000009", "operation-id-004", "report_formal_loss", false, true,  false},
        {"QX7000009", "operation-id-005", "report_formal_loss", true,  true,  false},
        {"QX7000002", "operation-id-006", "report_formal_loss", true,  true,  true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct production_command_fields f = command_of(rows[i].operation, rows[i].id);
        struct cf_key key = rows[i].under_new ? new : old;
        if (rows[i].known) aliased(w, &new, &old);
        settle(w);
        w->holder = key; /* for which it is sealed */
        shown(w, "holder", "passport", rows[i].number, &f);
        command_at(w, &key, &f);
        settle(w);
        const Cardflow__V1__CardEvent__OperationAnswered *a = last_answer(w);
        if (strcmp(a->result, rows[i].done ? "done" : "refused") != 0)
            fail_msg("%s: %s", rows[i].id, a->n_reasons ? a->reasons[0] : a->result);
    }
    is_text(row_at(w, &old)->card_state, "formal_loss");
    assert_int_equal(w->d->n_parked, 0);
}

static struct cf_str sealed_person(struct world *w, const char *number, const struct cf_key *key)
{
    struct cf_str sealed, plain = production_codec_document(w->a, CF_STR("passport"),
                                                            cf_str_of(number), CF_STR(""));
    assert_int_equal(cf_seal(env.ring, plain, cf_key_str(key), 1, w->a, &sealed), 0);
    return sealed;
}

static void an_operation_for_a_stranger_is_a_dead_letter_under_either_reference(void **state)
{
    struct world *w = *state;
    struct cf_key old = passport("QX7000001"), new = passport("QX7000002");
    aliased(w, &new, &old);
    settle(w);
    const struct cf_key *keys[] = {&old, &new};
    static const char *const numbers[] = {"QX7000009", "QX7000001", "QX7000002"};
    unsigned id = 100;
    import_card(w, &old, "operation-id-imp");
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 3; i++) {
            char name[17];
            snprintf(name, sizeof name, "operation-id-%03u", id++ % 1000);
            struct production_command_fields f = loss(name);
            f.holder = sealed_person(w, numbers[i], keys[k]);
            command_at(w, keys[k], &f);
            settle(w);
            assert_int_equal(count(w, "card.commands.dlq", "card.operation"), k + 1);
        }
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 5);
    assert_int_equal(w->d->n_parked, 0);
}

static void a_card_under_the_new_reference_is_served_there(void **state)
{
    struct world *w = *state;
    struct cf_key alias = newer();
    struct production_command_fields f = loss("operation-id-002");
    import_card(w, &alias, "operation-id-001");
    aliased(w, &alias, &w->holder);
    command_at(w, &alias, &f);
    settle(w);
    is_text(row_at(w, &alias)->card_state, "temporary_loss");
    assert_int_equal(count(w, "production.internal", "production.operation"), 0);
}

static void an_import_by_the_new_document_is_of_the_first_holder(void **state)
{
    struct world *w = *state;
    struct cf_key alias = newer();
    aliased(w, &alias, &w->holder);
    import_card(w, &alias, "operation-id-001");
    assert_int_equal(row_at(w, &w->holder)->card_no.len, 0);
    settle(w);
    is_text(row_at(w, &w->holder)->card_state, "normal");
    assert_int_equal(row_at(w, &alias)->card_no.len, 0);
}

static void an_operation_older_than_the_ids_is_refused_where_it_came_in(void **state)
{
    struct world *w = *state;
    struct cf_key alias = newer();
    struct production_command_fields f = loss("operation-id-002");
    import_card(w, &w->holder, "operation-id-001");
    aliased(w, &alias, &w->holder);
    cf_ms sent = w->now;
    w->now += 8 * DAY;
    aliased(w, &alias, &w->holder); /* the time of its log has moved on */
    w->now = sent;
    command_at(w, &alias, &f);
    assert_int_equal(count(w, "production.internal", "production.operation"), 0);
    assert_int_equal(count(w, "card.events", "card.operation_answered"), 2);
    settle(w);
    is_text(row_at(w, &w->holder)->card_state, "normal");
}

static void an_alias_of_itself_is_a_dead_letter(void **state)
{
    struct world *w = *state;
    aliased(w, &w->holder, &w->holder);
    assert_int_equal(row_at(w, &w->holder)->alias_of.len, 0);
    assert_int_equal(w->d->n_parked, 1);
}

/* ---- banks' answers ---------------------------------------------------------------------------- */

static void answer_at(struct world *w, const struct cf_key *key, struct production_result_fields f)
{
    f.bank = CF_STR("B01");
    memcpy(f.app_id, w->app, 16);
    feed(w, "bank.results", "bank.result", key, production_codec_result(w->a, &f));
    settle(w);
}

static void said_at(struct world *w, const struct cf_key *key, const char *step)
{
    answer_at(w, key, (struct production_result_fields){.step = cf_str_of(step), .line_no = 1});
}

static void answers_by_the_new_document_are_of_the_first_holders_application(void **state)
{
    static const char *const all[] = {"account_opened", "produced", "shipped", "arrived",
                                      "collected"};
    struct world *w = *state;
    struct cf_key alias = newer();
    aliased(w, &alias, &w->holder);
    to_batched(w);
    for (int i = 0; i < 5; i++)
        said_at(w, &alias, all[i]);
    assert_string_equal(steps(w), STRAIGHT);
    said_at(w, &alias, "collected"); /* said again: known there */
    assert_string_equal(steps(w), STRAIGHT);
    assert_int_equal(count(w, "production.internal", "production.bank_result"), 6);
    assert_int_equal(w->d->n_parked, 0);
}

static void an_answer_that_is_ahead_is_kept_where_it_was_led_to(void **state)
{
    struct world *w = *state;
    struct cf_key alias = newer();
    aliased(w, &alias, &w->holder);
    to_batched(w);
    said_at(w, &alias, "produced");
    is_text(row_of(w)->app_state, "batched");
    said_at(w, &alias, "account_opened");
    is_text(row_of(w)->app_state, "produced");
    assert_string_equal(steps(w), "batched account_opened produced");
    assert_int_equal(w->d->n_parked, 0);
}

static void an_application_under_the_new_reference_is_answered_there(void **state)
{
    struct world *w = *state;
    struct cf_key first = newer(); /* the roles are changed: the world's holder is the alias */
    to_batched(w);
    aliased(w, &w->holder, &first);
    said_at(w, &w->holder, "account_opened");
    is_text(row_of(w)->app_state, "account_opened");
    assert_int_equal(count(w, "production.internal", "production.bank_result"), 0);
}

static void wrong_tries_and_acknowledgements_go_on_too(void **state)
{
    struct world *w = *state;
    struct cf_key alias = newer();
    aliased(w, &alias, &w->holder);
    to_collected(w);
    command(w, "activate", "operation-id-001");
    command(w, "set_password", "operation-id-002");
    char no[CF_CARDNUM_LEN + 1] = {0};
    memcpy(no, row_of(w)->card_no.ptr, CF_CARDNUM_LEN);
    answer_at(w, &alias, (struct production_result_fields){.result_id = "tries number 1",
                                                           .step = CF_STR("password_wrong"),
                                                           .card_no = cf_str_of(no),
                                                           .password_kind = CF_STR("financial"),
                                                           .tries = 1});
    assert_int_equal(count(w, "production.internal", "production.bank_result"), 1);
    answer_at(w, &alias, (struct production_result_fields){.step = CF_STR("notice_acknowledged"),
                                                           .card_no = cf_str_of(no),
                                                           .notice_id = "nobody knows it"});
    assert_int_equal(count(w, "production.internal", "production.bank_result"), 2);
    assert_int_equal(w->d->n_parked, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(answers_by_the_new_document_are_of_the_first_holders_application),
        T(an_answer_that_is_ahead_is_kept_where_it_was_led_to),
        T(an_application_under_the_new_reference_is_answered_there),
        T(wrong_tries_and_acknowledgements_go_on_too),
        T(a_loss_by_the_new_document_is_of_the_first_holders_card),
        T(the_document_that_was_shown_is_led_on_with_the_operation),
        T(either_document_is_the_holders_under_either_reference),
        T(an_operation_for_a_stranger_is_a_dead_letter_under_either_reference),
        T(a_card_under_the_new_reference_is_served_there),
        T(an_import_by_the_new_document_is_of_the_first_holder),
        T(an_operation_older_than_the_ids_is_refused_where_it_came_in),
        T(an_alias_of_itself_is_a_dead_letter),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
