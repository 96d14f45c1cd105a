/* store -- production's rows: plain structs, and which column is what.
 *
 * Shapes   struct production_row and production_bank_row are the aggregates (kinds); the others
 *          are wide rows (aux). Rules do not see them: production_row_open/close turn a row into
 *          struct production_holder and back
 * Units    cf_day, cf_ms
 * Owns     text of a row lives in the batch arena
 * Errors   CF_E_DATA: a packed value that cannot be read
 */
#pragma once
#include "common/io/stage/stage.h"
#include "services/production/rules_notices.h"

enum production_kind { PRODUCTION_HOLDER, PRODUCTION_BANK, PRODUCTION_KINDS };

enum production_aux {
    PRODUCTION_PERSON,
    PRODUCTION_LINE,
    PRODUCTION_BATCH,
    PRODUCTION_ISSUED,
    PRODUCTION_OPERATION,
    PRODUCTION_SIGNATURE,
    PRODUCTION_NOTICE,
    PRODUCTION_NEWER,
    PRODUCTION_GIVEN_UP,
    PRODUCTION_AUX
};

struct production_row {
    uint8_t app_id[16];
    struct cf_str app_kind, app_state, app_bank;
    struct cf_str made_no, made_state, card_no, card_state;
    struct cf_str temporary_made_state, temporary_card_state; /* copies, for the database to judge */
    struct cf_str slot, temporary, early, command_ids;
    cf_ms timer_due;
    int32_t timer_attempt;
    struct cf_key alias_of; /* another reference is this holder's: operations go there */
    int16_t alias_part;     /* its partition */
};

struct production_bank_row {
    struct cf_str code;
    int64_t last[PRODUCTION_LANES], closed[PRODUCTION_LANES], since[PRODUCTION_LANES];
    int32_t full_before, last_ordinary, asked_on, asked, asked_before;
    struct cf_str days;
    struct cf_str left_queue;
    int64_t batches, reconciled, sent, made, failed, missing, late_voided;
    cf_ms timer_due;
    int32_t timer_attempt;
};

struct production_person {
    struct cf_str person;
};

struct production_line {
    int16_t lane;
    int64_t no;
    struct cf_key holder;
    uint8_t app_id[16];
    int16_t app_kind;
    struct cf_str card_no, person, outlet;
    uint8_t photo_ref[16];
    int32_t due_on;
    int64_t queued_at;
};

struct production_batch {
    struct cf_str bank;
    int16_t lane;
    int64_t first_no, last_no;
    int32_t lines, made, failed, missing, late_voided;
    int64_t closed_at;
    struct cf_str ends; /* how each line ended: `lines` bytes, enum production_line_end */
};

struct production_issued {
    struct cf_str card_no;
    struct cf_key holder;
    uint8_t app_id[16];
    struct cf_str bank;
    int64_t issued_at;
};

struct production_answer {
    struct cf_str operation, result, reasons, card_no, card_state, voucher_no, notice_no, channel,
        staff_id, outlet;
    int64_t at;
    struct cf_key holder; /* where no card tells whose it is */
    struct cf_str collector; /* sealed; of collect */
    struct cf_str consent;   /* of open_add_on: a packed Consent, its document sealed */
    int32_t moved_to; /* 1 + the partition where the holder's first reference answers; 0: here */
};

/* A card that is not made again by itself; id = application_id. */
struct production_given_up {
    struct cf_key holder;
    struct cf_str bank, outlet, reason; /* reason: why it failed; of a closed one, why that */
    struct cf_str staff_id, why;        /* who settled it by hand, and why */
    int64_t since;
    int16_t waits; /* 1: for a person; 0: settled since then */
};

struct production_signature {
    struct cf_str signer, role, method, staff_id; /* signer sealed */
    int64_t signed_at;
};

struct production_newer {
    struct cf_key holder, reference;
};

extern const struct cf_kind production_kinds[PRODUCTION_KINDS];
extern const struct cf_aux production_aux_rows[PRODUCTION_AUX];

/* The row as rules see it. */
int production_row_open(struct cf_arena *a, const struct production_row *row,
                        struct production_holder *h) CF_MUST;
void production_row_close(struct cf_arena *a, const struct production_holder *h,
                          struct production_row *row);
void production_bank_open(const struct production_bank_row *row, struct production_bank *b);
void production_bank_close(const struct production_bank *b, struct production_bank_row *row);

/* Front: statements by index, see main.c. */
enum production_statement {
    PRODUCTION_HOLDER_OF_CARD,
    PRODUCTION_ALIAS,
    PRODUCTION_BY_VOUCHER,
    PRODUCTION_BY_NOTICE,
    PRODUCTION_UNSIGNED,
    PRODUCTION_RETENTION,
    PRODUCTION_NOTICES_OPEN,
    PRODUCTION_FAILURES,
    PRODUCTION_FAILURE,
    PRODUCTION_STATEMENTS
};
struct cf_pgf_statement;
const struct cf_pgf_statement *production_statements(size_t *n);
const struct cf_pgf_statement *production_wait_statement(void);
