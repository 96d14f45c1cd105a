/* store -- intake's rows: which column holds what; and the front's statements.
 *
 * Shapes   aggregates `holder` (key: the holder), `roster` (roster:<uuid>), `unit` (unit:<code>);
 *          wide rows `application`, `application_end`, `command`, `enrolment`, `roster_row`,
 *          `collection`. Enums
 *          are small integers: kinds and states of common/pure/kinds.h, outcomes of rules.h
 * Units    cf_ms, cf_day; 0 is none
 * Owns     text lives in the batch arena
 */
#pragma once
#include "common/io/pg_front.h"
#include "common/io/stage/stage.h"

/* One open application, and the last accepted one for the rule of four days. */
struct intake_slot {
    uint8_t app[16]; /* zero: none is open */
    int16_t kind, state;
    int64_t submitted_at;
    uint8_t roster[16];
    int32_t row_no, promised_on; /* promised_on: day; 0: not yet */
    uint8_t last_app[16];
    int64_t last_at;
};

/* What production has told about a card. */
struct intake_mirror {
    struct cf_str card_no, bank_code;
    int16_t state;
    bool has_photo, handed_in;
    int32_t valid_until;
    uint8_t app[16]; /* that had it made; zero once it is activated, or not known */
};

struct intake_holder {
    int16_t enrolment; /* enum intake_enrolment */
    struct cf_str end_reason;
    int64_t revision;
    uint8_t name_hash[16];
    struct cf_str unit_code;
    int32_t unit_since; /* day; enrolled with this unit */
    struct intake_slot permanent, temporary;
    struct intake_mirror card, made, temporary_card; /* made: the replacement on its way */
    struct cf_str command_ids;
    struct cf_key alias_of; /* another reference is this holder's; all goes there */
    struct cf_str aliases;  /* newer references of this holder, 16 bytes each */
};

struct intake_application {
    struct cf_key holder;
    struct cf_key moved_to; /* a supplement gave another document: it lives there now */
    struct cf_str person;   /* sealed */
    int16_t channel, kind;
    struct cf_str bank_code, outlet_code, photo_choice, reissue_reason;
    struct cf_str unit_code, introduction_letter_no;
    bool id_copies_held, papers_given_before, with_fee, may_backdate;
    int64_t submitted_at, received_at;
    uint8_t roster_id[16];
    int32_t row_no, row_warnings, photo_reasons;
    uint8_t photo_ref[16];
    int16_t state, outcome;
    struct cf_str reasons; /* codes with '|' between */
    int32_t warnings;
    struct cf_str receipt_no, notice_no;
    int32_t accepted_on, due_on, respond_by, policy;
    bool provisional;
    int32_t working_days; /* in all, after an extension; 0: none */
    int64_t judged_at;
    int32_t timer_no; /* attempt of the timer whose id is the application's */
};

/* How an accepted application ended, as production told. */
struct intake_ended {
    int16_t state;
    int64_t at, activated_at; /* activated_at: of the card it made; 0: not yet */
};

enum intake_command_result { INTAKE_DONE = 1, INTAKE_REFUSED, INTAKE_REQUESTED };

struct intake_command {
    uint8_t application_id[16];
    int16_t result;
    struct cf_str reason;
    struct cf_str voucher_no, notice_no; /* of a withdrawal done; of what was refused */
};

/* A supplement that production has not answered yet. */
struct intake_waiting {
    struct cf_str person; /* sealed; empty: answered */
    struct cf_str outlet_code;
};

struct intake_enrolled {
    struct cf_key holder;
    struct cf_str person; /* sealed */
    int64_t revision;
    struct cf_str unit_code;
};

struct intake_roster {
    struct cf_str client, unit_code, bank_code, outlet_code, encoding;
    int16_t kind, channel;
    int64_t opened_at, size; /* size: bytes of the file */
    int32_t next_row, records; /* rows below next_row are sent; records is known at the end */
    bool complete;
    struct cf_str problem;
    struct cf_str introduction_letter_no, agent; /* agent: sealed */
    bool id_copies_held;
    int32_t accepted, refused, unchanged;
    int32_t by_state[6]; /* enum intake_count */
};

/* Cards of a roster that its agent has asked for. */
struct intake_collection {
    uint8_t roster_id[16];
    int64_t at;
    struct cf_str outlet_code, collector; /* collector: sealed */
    struct cf_str rows; /* that were named, with '|' between; none: the whole list */
};

struct intake_roster_row {
    uint8_t roster_id[16];
    int32_t row_no;
    int16_t outcome; /* enum intake_row_outcome */
    struct cf_str reasons;
    int32_t warnings;
    uint8_t application_id[16];
    int16_t app_state;
    struct cf_str notices; /* later ones: reasons with '|' between */
};

struct intake_unit {
    int64_t revision;
    struct cf_str kind, banks; /* banks with '|' between */
    int32_t registered_on;
    /* The clock of a new unit, see rules_unit.h. */
    int32_t due_on, heard_on, met_on;
    int16_t passed, marks;
    int32_t enrolled, missing; /* when they were counted last */
    int64_t counted_at;
    int32_t count_no; /* attempt of its work */
};

/* The banks of a school, a copy in each shard; id = UUIDv8 of the unit's code. */
struct intake_school {
    struct cf_str banks; /* with '|' between; empty: any */
    int64_t revision;
};

enum intake_kind { INTAKE_KIND_HOLDER, INTAKE_KIND_ROSTER, INTAKE_KIND_UNIT };
enum intake_aux {
    INTAKE_AUX_APPLICATION,
    INTAKE_AUX_COMMAND,
    INTAKE_AUX_ENROLMENT,
    INTAKE_AUX_ROSTER_ROW,
    INTAKE_AUX_ENDED,
    INTAKE_AUX_SCHOOL,
    INTAKE_AUX_SUPPLEMENT,
    INTAKE_AUX_COLLECTION
};

extern const struct cf_kind intake_kinds[];
extern const size_t intake_n_kinds;
extern const struct cf_aux intake_aux[];
extern const size_t intake_n_aux;

/* Statements of the front, by index. */
enum intake_statement {
    INTAKE_SQL_APPLICATION,
    INTAKE_SQL_NOTICE,
    INTAKE_SQL_ROSTER,
    INTAKE_SQL_ROSTER_ROWS,
    INTAKE_SQL_ROSTER_PAPERS,
    INTAKE_SQL_ROSTER_STATES,
    INTAKE_SQL_COLLECTION,
    INTAKE_SQL_ROSTER_READY,
    INTAKE_SQL_ROSTER_CHUNK_ADD,
    INTAKE_SQL_ROSTER_CHUNK,
    INTAKE_SQL_UNIT,
    INTAKE_SQL_UNITS_OVERDUE,
    INTAKE_SQL_UNIT_COUNT,
    INTAKE_SQL_RETENTION
};
extern const struct cf_pgf_statement intake_statements[];
extern const size_t intake_n_statements;
/* For Prefer: wait. */
extern const struct cf_pgf_statement intake_wait;

/* A row of `application` as the front sees it; columns from `first` on as in sql/application.sql.
 * Text lives in the arena. */
struct intake_view {
    int16_t part;
    uint8_t id[16];
    struct intake_application app;
    int16_t command_result; /* 0: no command was waited for */
    struct cf_str command_reason, command_voucher_no, command_notice_no;
    int16_t state_now; /* app.state is that of the judgement */
    int32_t promised_on; /* of an application that is open */
    int64_t ended_at, activated_at;
};
int intake_view_read(const PGresult *res, int row, struct cf_arena *arena,
                     struct intake_view *out) CF_MUST;
