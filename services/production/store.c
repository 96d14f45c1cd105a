#include "services/production/store.h"

#include "common/io/pg_front.h"
#include "embed/production_sql.h"
#include "services/production/pack.h"

#define COL(owner, type, field)                                                                    \
    {                                                                                              \
#field, CF_COL_##type, offsetof(struct owner, field)                                       \
    }
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct cf_column holder_columns[] = {
    COL(production_row, ID, app_id),      COL(production_row, TEXT, app_kind),
    COL(production_row, TEXT, app_state), COL(production_row, TEXT, app_bank),
    COL(production_row, TEXT, made_no),   COL(production_row, TEXT, made_state),
    COL(production_row, TEXT, card_no),   COL(production_row, TEXT, card_state),
    COL(production_row, BYTES, slot),     COL(production_row, BYTES, temporary),
    COL(production_row, BYTES, early),    COL(production_row, BYTES, command_ids),
    COL(production_row, INT8, timer_due), COL(production_row, INT4, timer_attempt),
    COL(production_row, KEY, alias_of),   COL(production_row, INT2, alias_part),
    COL(production_row, TEXT, temporary_made_state),
    COL(production_row, TEXT, temporary_card_state),
};

static const struct cf_column bank_columns[] = {
    COL(production_bank_row, TEXT, code),
    {"normal_last",     CF_COL_INT8, offsetof(struct production_bank_row, last[0])  },
    {"normal_closed",   CF_COL_INT8, offsetof(struct production_bank_row, closed[0])},
    {"normal_since",    CF_COL_INT8, offsetof(struct production_bank_row, since[0]) },
    {"priority_last",   CF_COL_INT8, offsetof(struct production_bank_row, last[1])  },
    {"priority_closed", CF_COL_INT8, offsetof(struct production_bank_row, closed[1])},
    {"priority_since",  CF_COL_INT8, offsetof(struct production_bank_row, since[1]) },
    COL(production_bank_row, INT4, full_before),
    COL(production_bank_row, INT4, last_ordinary),
    COL(production_bank_row, BYTES, days),
    COL(production_bank_row, INT4, asked_on),
    COL(production_bank_row, INT4, asked),
    COL(production_bank_row, INT4, asked_before),
    COL(production_bank_row, BYTES, left_queue),
    COL(production_bank_row, INT8, batches),
    COL(production_bank_row, INT8, reconciled),
    COL(production_bank_row, INT8, sent),
    COL(production_bank_row, INT8, made),
    COL(production_bank_row, INT8, failed),
    COL(production_bank_row, INT8, missing),
    COL(production_bank_row, INT8, late_voided),
    COL(production_bank_row, INT8, timer_due),
    COL(production_bank_row, INT4, timer_attempt),
};

const struct cf_kind production_kinds[PRODUCTION_KINDS] = {
    [PRODUCTION_HOLDER] = {"holder", sizeof(struct production_row),      holder_columns,
                           COUNT(holder_columns)},
    [PRODUCTION_BANK] = {"bank",   sizeof(struct production_bank_row), bank_columns,
                           COUNT(bank_columns)  },
};

static const struct cf_column person_columns[] = {
    COL(production_person, BYTES, person),
};

static const struct cf_column line_columns[] = {
    COL(production_line, INT2, lane),      COL(production_line, INT8, no),
    COL(production_line, KEY, holder),     COL(production_line, ID, app_id),
    COL(production_line, INT2, app_kind),  COL(production_line, TEXT, card_no),
    COL(production_line, BYTES, person),   COL(production_line, TEXT, outlet),
    COL(production_line, ID, photo_ref),   COL(production_line, INT4, due_on),
    COL(production_line, INT8, queued_at),
};

static const struct cf_column batch_columns[] = {
    COL(production_batch, TEXT, bank),        COL(production_batch, INT2, lane),
    COL(production_batch, INT8, first_no),    COL(production_batch, INT8, last_no),
    COL(production_batch, INT4, lines),       COL(production_batch, INT4, made),
    COL(production_batch, INT4, failed),      COL(production_batch, INT4, missing),
    COL(production_batch, INT4, late_voided), COL(production_batch, INT8, closed_at),
    COL(production_batch, BYTES, ends),
};

static const struct cf_column issued_columns[] = {
    COL(production_issued, TEXT, card_no),   COL(production_issued, KEY, holder),
    COL(production_issued, ID, app_id),      COL(production_issued, TEXT, bank),
    COL(production_issued, INT8, issued_at),
};

static const struct cf_column operation_columns[] = {
    COL(production_answer, TEXT, operation),  COL(production_answer, TEXT, result),
    COL(production_answer, TEXT, reasons),    COL(production_answer, TEXT, card_no),
    COL(production_answer, TEXT, card_state), COL(production_answer, TEXT, voucher_no),
    COL(production_answer, TEXT, notice_no),  COL(production_answer, TEXT, channel),
    COL(production_answer, TEXT, staff_id),   COL(production_answer, INT8, at),
    COL(production_answer, TEXT, outlet),     COL(production_answer, KEY, holder),
    COL(production_answer, INT4, moved_to),   COL(production_answer, BYTES, collector),
    COL(production_answer, BYTES, consent),
};

static const struct cf_column signature_columns[] = {
    COL(production_signature, BYTES, signer),  COL(production_signature, TEXT, role),
    COL(production_signature, TEXT, method),   COL(production_signature, TEXT, staff_id),
    COL(production_signature, INT8, signed_at),
};

static const struct cf_column notice_columns[] = {
    COL(production_notice, KEY, holder),       COL(production_notice, TEXT, bank),
    COL(production_notice, TEXT, card_no),     COL(production_notice, TEXT, what),
    COL(production_notice, INT8, told_at),     COL(production_notice, INT8, again_at),
    COL(production_notice, INT8, overdue_at),  COL(production_notice, INT8, acknowledged_at),
    COL(production_notice, INT4, sent),
};

static const struct cf_column newer_columns[] = {
    COL(production_newer, KEY, holder),
    COL(production_newer, KEY, reference),
};

static const struct cf_column given_up_columns[] = {
    COL(production_given_up, KEY, holder),    COL(production_given_up, TEXT, bank),
    COL(production_given_up, TEXT, outlet),   COL(production_given_up, TEXT, reason),
    COL(production_given_up, TEXT, staff_id), COL(production_given_up, TEXT, why),
    COL(production_given_up, INT8, since),    COL(production_given_up, INT2, waits),
};

const struct cf_aux production_aux_rows[PRODUCTION_AUX] = {
    [PRODUCTION_PERSON] = {"person",     sizeof(struct production_person), person_columns,
                           COUNT(person_columns),    false},
    [PRODUCTION_LINE] = {"queue_line", sizeof(struct production_line),   line_columns,
                           COUNT(line_columns),      true },
    [PRODUCTION_BATCH] = {"batch",      sizeof(struct production_batch),  batch_columns,
                           COUNT(batch_columns),     false},
    [PRODUCTION_ISSUED] = {"issued",     sizeof(struct production_issued), issued_columns,
                           COUNT(issued_columns),    true },
    [PRODUCTION_OPERATION] = {"operation",  sizeof(struct production_answer), operation_columns,
                           COUNT(operation_columns), true },
    [PRODUCTION_SIGNATURE] = {"signature",  sizeof(struct production_signature), signature_columns,
                           COUNT(signature_columns), true },
    [PRODUCTION_NOTICE] = {"card_notice", sizeof(struct production_notice), notice_columns,
                           COUNT(notice_columns),    false},
    [PRODUCTION_NEWER] = {"newer_reference", sizeof(struct production_newer), newer_columns,
                           COUNT(newer_columns),     false},
    [PRODUCTION_GIVEN_UP] = {"given_up",   sizeof(struct production_given_up), given_up_columns,
                           COUNT(given_up_columns),  false},
};

/* ---- holder -------------------------------------------------------------------------------- */

static int read_card(struct cf_str no, struct cf_str state, struct production_card *card)
{
    if (no.len > CF_CARDNUM_LEN) return CF_E_DATA;
    if (no.len) memcpy(card->no, no.ptr, no.len);
    card->state = cf_card_state_parse(state);
    return state.len && card->state == CF_CARD_NONE ? CF_E_DATA : 0;
}

int production_row_open(struct cf_arena *a, const struct production_row *row,
                        struct production_holder *h)
{
    (void)a;
    memset(h, 0, sizeof *h);
    struct production_app *app = &h->permanent.app;
    memcpy(app->id, row->app_id, 16);
    app->kind = cf_app_kind_parse(row->app_kind);
    app->state = cf_app_state_parse(row->app_state);
    app->bank = row->app_bank;
    if (row->app_state.len && app->state == CF_APP_NONE) return CF_E_DATA;
    int e = read_card(row->made_no, row->made_state, &h->permanent.made);
    if (!e) e = read_card(row->card_no, row->card_state, &h->permanent.card);
    if (!e && row->slot.len && !production_unpack_permanent(row->slot, h)) e = CF_E_DATA;
    if (!e && row->temporary.len && !production_unpack_temporary(row->temporary, h)) e = CF_E_DATA;
    return e;
}

static struct cf_str word(const char *name)
{
    return *name ? cf_str_of(name) : (struct cf_str){0};
}

static struct cf_str number(struct cf_arena *a, const char *no)
{
    return *no ? cf_arena_str(a, cf_str_of(no)) : (struct cf_str){0};
}

void production_row_close(struct cf_arena *a, const struct production_holder *h,
                          struct production_row *row)
{
    const struct production_slot *s = &h->permanent;
    memcpy(row->app_id, s->app.id, 16);
    row->app_kind = word(cf_app_kind_name(s->app.kind));
    row->app_state = word(cf_app_state_name(s->app.state));
    row->app_bank = s->app.bank;
    row->made_no = number(a, s->made.no);
    row->made_state = word(cf_card_state_name(s->made.state));
    row->card_no = number(a, s->card.no);
    row->card_state = word(cf_card_state_name(s->card.state));
    row->temporary_made_state = word(cf_card_state_name(h->temporary.made.state));
    row->temporary_card_state = word(cf_card_state_name(h->temporary.card.state));
    row->slot = production_pack_permanent(a, h);
    row->temporary = production_pack_temporary(a, h);
}

/* ---- bank ---------------------------------------------------------------------------------- */

void production_bank_open(const struct production_bank_row *row, struct production_bank *b)
{
    memset(b, 0, sizeof *b);
    for (int i = 0; i < PRODUCTION_LANES; i++) {
        b->lane[i].last = row->last[i];
        b->lane[i].closed = row->closed[i];
        b->lane[i].since = row->since[i];
    }
    b->full_before = row->full_before;
    b->last_ordinary = row->last_ordinary;
    b->days = row->days;
    b->asked_on = row->asked_on;
    b->asked = (uint32_t)row->asked;
    b->asked_before = (uint32_t)row->asked_before;
    b->out = row->left_queue;
}

void production_bank_close(const struct production_bank *b, struct production_bank_row *row)
{
    for (int i = 0; i < PRODUCTION_LANES; i++) {
        row->last[i] = b->lane[i].last;
        row->closed[i] = b->lane[i].closed;
        row->since[i] = b->lane[i].since;
    }
    row->full_before = b->full_before;
    row->last_ordinary = b->last_ordinary;
    row->days = b->days.len ? b->days : (struct cf_str){0};
    row->asked_on = b->asked_on;
    row->asked = (int32_t)b->asked;
    row->asked_before = (int32_t)b->asked_before;
    row->left_queue = b->out;
}

/* ---- front --------------------------------------------------------------------------------- */

const struct cf_pgf_statement *production_statements(size_t *n)
{
    static struct cf_pgf_statement statements[PRODUCTION_STATEMENTS];
    statements[PRODUCTION_HOLDER_OF_CARD] =
        (struct cf_pgf_statement){"holder_of_card", production_sql_holder_of_card, false};
    statements[PRODUCTION_ALIAS] =
        (struct cf_pgf_statement){"alias", production_sql_alias, false};
    statements[PRODUCTION_BY_VOUCHER] =
        (struct cf_pgf_statement){"by_voucher", production_sql_voucher, true};
    statements[PRODUCTION_BY_NOTICE] =
        (struct cf_pgf_statement){"by_notice", production_sql_notice, true};
    statements[PRODUCTION_UNSIGNED] =
        (struct cf_pgf_statement){"unsigned", production_sql_unsigned, true};
    statements[PRODUCTION_RETENTION] =
        (struct cf_pgf_statement){"retention", production_sql_retention, false};
    statements[PRODUCTION_NOTICES_OPEN] =
        (struct cf_pgf_statement){"notices_open", production_sql_notices_open, true};
    statements[PRODUCTION_FAILURES] =
        (struct cf_pgf_statement){"failures", production_sql_failures, true};
    statements[PRODUCTION_FAILURE] =
        (struct cf_pgf_statement){"failure", production_sql_failure, false};
    *n = PRODUCTION_STATEMENTS;
    return statements;
}

const struct cf_pgf_statement *production_wait_statement(void)
{
    static struct cf_pgf_statement wait;
    wait = (struct cf_pgf_statement){"wait_operation", production_sql_wait_operation, false};
    return &wait;
}
