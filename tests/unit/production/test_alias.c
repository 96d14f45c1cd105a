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
    struct production_command_fields f = command_of("import_card", id);
    f.imports = true;
    f.import_bank = CF_STR("B01");
    f.import_state = CF_STR("normal");
    f.import_kind = CF_STR("permanent");
    f.issued_on = 20000;
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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(a_loss_by_the_new_document_is_of_the_first_holders_card),
        T(a_card_under_the_new_reference_is_served_there),
        T(an_import_by_the_new_document_is_of_the_first_holder),
        T(an_operation_older_than_the_ids_is_refused_where_it_came_in),
        T(an_alias_of_itself_is_a_dead_letter),
    };
    return cmocka_run_group_tests(tests, make_env, drop_env);
}
