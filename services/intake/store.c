#include "services/intake/store.h"

#include "common/io/stage/columns.h"
#include "embed/intake_sql.h"

#define COLUMN(name, type, field) {name, CF_COL_##type, offsetof(struct OWNER, field)},
#define SLOT(prefix, field)                                   \
    COLUMN(prefix "_app", ID, field.app)                      \
    COLUMN(prefix "_kind", INT2, field.kind)                  \
    COLUMN(prefix "_state", INT2, field.state)                \
    COLUMN(prefix "_submitted_at", INT8, field.submitted_at)  \
    COLUMN(prefix "_roster", ID, field.roster)                \
    COLUMN(prefix "_row_no", INT4, field.row_no)              \
    COLUMN(prefix "_promised_on", INT4, field.promised_on)    \
    COLUMN(prefix "_last_app", ID, field.last_app)            \
    COLUMN(prefix "_last_at", INT8, field.last_at)
#define MIRROR(prefix, field)                                 \
    COLUMN(prefix "_no", TEXT, field.card_no)                 \
    COLUMN(prefix "_bank", TEXT, field.bank_code)             \
    COLUMN(prefix "_state", INT2, field.state)                \
    COLUMN(prefix "_has_photo", BOOL, field.has_photo)        \
    COLUMN(prefix "_handed_in", BOOL, field.handed_in)        \
    COLUMN(prefix "_valid_until", INT4, field.valid_until)    \
    COLUMN(prefix "_app", ID, field.app)

#define OWNER intake_holder
static const struct cf_column holder_columns[] = {
    COLUMN("enrolment", INT2, enrolment)
    COLUMN("end_reason", TEXT, end_reason)
    COLUMN("revision", INT8, revision)
    COLUMN("name_hash", ID, name_hash)
    COLUMN("unit_code", TEXT, unit_code)
    COLUMN("unit_since", INT4, unit_since)
    SLOT("permanent", permanent)
    SLOT("temporary", temporary)
    MIRROR("card", card)
    MIRROR("made", made)
    MIRROR("tcard", temporary_card)
    COLUMN("command_ids", BYTES, command_ids)
    COLUMN("alias_of", KEY, alias_of)
    COLUMN("aliases", BYTES, aliases)
};
#undef OWNER

#define OWNER intake_roster
static const struct cf_column roster_columns[] = {
    COLUMN("client", TEXT, client)
    COLUMN("unit_code", TEXT, unit_code)
    COLUMN("bank_code", TEXT, bank_code)
    COLUMN("outlet_code", TEXT, outlet_code)
    COLUMN("encoding", TEXT, encoding)
    COLUMN("kind", INT2, kind)
    COLUMN("channel", INT2, channel)
    COLUMN("opened_at", INT8, opened_at)
    COLUMN("size", INT8, size)
    COLUMN("next_row", INT4, next_row)
    COLUMN("records", INT4, records)
    COLUMN("complete", BOOL, complete)
    COLUMN("problem", TEXT, problem)
    COLUMN("introduction_letter_no", TEXT, introduction_letter_no)
    COLUMN("id_copies_held", BOOL, id_copies_held)
    COLUMN("agent", BYTES, agent)
    COLUMN("accepted", INT4, accepted)
    COLUMN("refused", INT4, refused)
    COLUMN("unchanged", INT4, unchanged)
    COLUMN("in_received", INT4, by_state[0])
    COLUMN("in_noticed", INT4, by_state[1])
    COLUMN("in_rejected", INT4, by_state[2])
    COLUMN("in_accepted", INT4, by_state[3])
    COLUMN("in_ready", INT4, by_state[4])
    COLUMN("in_ended", INT4, by_state[5])
};
#undef OWNER

#define OWNER intake_unit
static const struct cf_column unit_columns[] = {
    COLUMN("revision", INT8, revision)
    COLUMN("kind", TEXT, kind)
    COLUMN("banks", TEXT, banks)
    COLUMN("registered_on", INT4, registered_on)
    COLUMN("due_on", INT4, due_on)
    COLUMN("heard_on", INT4, heard_on)
    COLUMN("met_on", INT4, met_on)
    COLUMN("passed", INT2, passed)
    COLUMN("marks", INT2, marks)
    COLUMN("enrolled", INT4, enrolled)
    COLUMN("missing", INT4, missing)
    COLUMN("counted_at", INT8, counted_at)
    COLUMN("count_no", INT4, count_no)
};
#undef OWNER

#define OWNER intake_application
static const struct cf_column application_columns[] = {
    COLUMN("holder", KEY, holder)
    COLUMN("moved_to", KEY, moved_to)
    COLUMN("person", BYTES, person)
    COLUMN("channel", INT2, channel)
    COLUMN("kind", INT2, kind)
    COLUMN("bank_code", TEXT, bank_code)
    COLUMN("outlet_code", TEXT, outlet_code)
    COLUMN("photo_choice", TEXT, photo_choice)
    COLUMN("reissue_reason", TEXT, reissue_reason)
    COLUMN("unit_code", TEXT, unit_code)
    COLUMN("introduction_letter_no", TEXT, introduction_letter_no)
    COLUMN("id_copies_held", BOOL, id_copies_held)
    COLUMN("papers_given_before", BOOL, papers_given_before)
    COLUMN("with_fee", BOOL, with_fee)
    COLUMN("may_backdate", BOOL, may_backdate)
    COLUMN("submitted_at", INT8, submitted_at)
    COLUMN("received_at", INT8, received_at)
    COLUMN("roster_id", ID, roster_id)
    COLUMN("row_no", INT4, row_no)
    COLUMN("row_warnings", INT4, row_warnings)
    COLUMN("photo_reasons", INT4, photo_reasons)
    COLUMN("photo_ref", ID, photo_ref)
    COLUMN("state", INT2, state)
    COLUMN("outcome", INT2, outcome)
    COLUMN("reasons", TEXT, reasons)
    COLUMN("warnings", INT4, warnings)
    COLUMN("receipt_no", TEXT, receipt_no)
    COLUMN("notice_no", TEXT, notice_no)
    COLUMN("accepted_on", INT4, accepted_on)
    COLUMN("due_on", INT4, due_on)
    COLUMN("respond_by", INT4, respond_by)
    COLUMN("policy", INT4, policy)
    COLUMN("provisional", BOOL, provisional)
    COLUMN("working_days", INT4, working_days)
    COLUMN("judged_at", INT8, judged_at)
    COLUMN("timer_no", INT4, timer_no)
};
#undef OWNER

#define OWNER intake_command
static const struct cf_column command_columns[] = {
    COLUMN("application_id", ID, application_id)
    COLUMN("result", INT2, result)
    COLUMN("reason", TEXT, reason)
    COLUMN("voucher_no", TEXT, voucher_no)
    COLUMN("notice_no", TEXT, notice_no)
};
#undef OWNER

#define OWNER intake_waiting
static const struct cf_column supplement_columns[] = {
    COLUMN("person", BYTES, person)
    COLUMN("outlet_code", TEXT, outlet_code)
};
#undef OWNER

#define OWNER intake_ended
static const struct cf_column ended_columns[] = {
    COLUMN("state", INT2, state)
    COLUMN("at", INT8, at)
    COLUMN("activated_at", INT8, activated_at)
};
#undef OWNER

#define OWNER intake_enrolled
static const struct cf_column enrolment_columns[] = {
    COLUMN("holder", KEY, holder)
    COLUMN("person", BYTES, person)
    COLUMN("revision", INT8, revision)
    COLUMN("unit_code", TEXT, unit_code)
};
#undef OWNER

#define OWNER intake_school
static const struct cf_column school_columns[] = {
    COLUMN("banks", TEXT, banks)
    COLUMN("revision", INT8, revision)
};
#undef OWNER

#define OWNER intake_collection
static const struct cf_column collection_columns[] = {
    COLUMN("roster_id", ID, roster_id)
    COLUMN("at", INT8, at)
    COLUMN("outlet_code", TEXT, outlet_code)
    COLUMN("collector", BYTES, collector)
    COLUMN("rows", TEXT, rows)
};
#undef OWNER

#define OWNER intake_roster_row
static const struct cf_column roster_row_columns[] = {
    COLUMN("roster_id", ID, roster_id)
    COLUMN("row_no", INT4, row_no)
    COLUMN("outcome", INT2, outcome)
    COLUMN("reasons", TEXT, reasons)
    COLUMN("warnings", INT4, warnings)
    COLUMN("application_id", ID, application_id)
    COLUMN("app_state", INT2, app_state)
    COLUMN("notices", TEXT, notices)
};
#undef OWNER

#define ROWS(of) of##_columns, sizeof of##_columns / sizeof *of##_columns

const struct cf_kind intake_kinds[] = {
    [INTAKE_KIND_HOLDER] = {"holder", sizeof(struct intake_holder), ROWS(holder)},
    [INTAKE_KIND_ROSTER] = {"roster", sizeof(struct intake_roster), ROWS(roster)},
    [INTAKE_KIND_UNIT] = {"unit", sizeof(struct intake_unit), ROWS(unit)},
};
const size_t intake_n_kinds = 3;

const struct cf_aux intake_aux[] = {
    [INTAKE_AUX_APPLICATION] = {"application", sizeof(struct intake_application),
                                ROWS(application), false},
    [INTAKE_AUX_COMMAND] = {"command", sizeof(struct intake_command), ROWS(command), true},
    [INTAKE_AUX_ENROLMENT] = {"enrolment", sizeof(struct intake_enrolled), ROWS(enrolment), false},
    [INTAKE_AUX_ROSTER_ROW] = {"roster_row", sizeof(struct intake_roster_row), ROWS(roster_row),
                               false},
    [INTAKE_AUX_ENDED] = {"application_end", sizeof(struct intake_ended), ROWS(ended), false},
    [INTAKE_AUX_SCHOOL] = {"school", sizeof(struct intake_school), ROWS(school), false},
    [INTAKE_AUX_COLLECTION] = {"collection", sizeof(struct intake_collection), ROWS(collection),
                               true},
    [INTAKE_AUX_SUPPLEMENT] = {"supplement", sizeof(struct intake_waiting), ROWS(supplement),
                               false},
};
const size_t intake_n_aux = sizeof intake_aux / sizeof *intake_aux;

const struct cf_pgf_statement intake_statements[] = {
    [INTAKE_SQL_APPLICATION] = {"application", intake_sql_application, false},
    [INTAKE_SQL_NOTICE] = {"notice", intake_sql_notice, false},
    [INTAKE_SQL_ROSTER] = {"roster", intake_sql_roster, true},
    [INTAKE_SQL_ROSTER_PAPERS] = {"roster_papers", intake_sql_roster_papers, false},
    [INTAKE_SQL_ROSTER_STATES] = {"roster_states", intake_sql_roster_states, true},
    [INTAKE_SQL_COLLECTION] = {"collection", intake_sql_collection, true},
    [INTAKE_SQL_ROSTER_READY] = {"roster_ready", intake_sql_roster_ready, false},
    [INTAKE_SQL_ROSTER_ROWS] = {"roster_rows", intake_sql_roster_rows, true},
    [INTAKE_SQL_ROSTER_CHUNK_ADD] = {"roster_chunk_add", intake_sql_roster_chunk_add, false},
    [INTAKE_SQL_ROSTER_CHUNK] = {"roster_chunk", intake_sql_roster_chunk, false},
    [INTAKE_SQL_UNIT] = {"unit", intake_sql_unit, true},
    [INTAKE_SQL_UNITS_OVERDUE] = {"units_overdue", intake_sql_units_overdue, true},
    [INTAKE_SQL_UNIT_COUNT] = {"unit_count", intake_sql_unit_count, true},
    [INTAKE_SQL_RETENTION] = {"retention", intake_sql_retention, false},
};
const size_t intake_n_statements = sizeof intake_statements / sizeof *intake_statements;
const struct cf_pgf_statement intake_wait = {"answers", intake_sql_answers, false};

/* Columns of sql/application.sql and sql/answers.sql, by name, so that their order is free. */
int intake_view_read(const PGresult *res, int row, struct cf_arena *arena, struct intake_view *out)
{
    static const struct cf_column own[] = {
        {"part", CF_COL_INT2, offsetof(struct intake_view, part)},
        {"id", CF_COL_ID, offsetof(struct intake_view, id)},
        {"command_result", CF_COL_INT2, offsetof(struct intake_view, command_result)},
        {"command_reason", CF_COL_TEXT, offsetof(struct intake_view, command_reason)},
        {"command_voucher_no", CF_COL_TEXT, offsetof(struct intake_view, command_voucher_no)},
        {"command_notice_no", CF_COL_TEXT, offsetof(struct intake_view, command_notice_no)},
        {"promised_on", CF_COL_INT4, offsetof(struct intake_view, promised_on)},
        {"state_now", CF_COL_INT2, offsetof(struct intake_view, state_now)},
        {"ended_at", CF_COL_INT8, offsetof(struct intake_view, ended_at)},
        {"activated_at", CF_COL_INT8, offsetof(struct intake_view, activated_at)},
    };
    *out = (struct intake_view){0};
    int e = 0;
    for (size_t i = 0; i < sizeof own / sizeof *own && !e; i++) {
        int field = PQfnumber(res, own[i].name);
        if (field >= 0) e = cf_column_read(&own[i], res, row, field, arena, out);
    }
    for (size_t i = 0; i < sizeof application_columns / sizeof *application_columns && !e; i++) {
        int field = PQfnumber(res, application_columns[i].name);
        if (field >= 0)
            e = cf_column_read(&application_columns[i], res, row, field, arena, &out->app);
    }
    return e;
}
