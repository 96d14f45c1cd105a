/* store -- complaint-handling's rows: which column holds what; and the front's statements.
 *
 * Shapes   struct complaint_order is the row of `work_order`, complaint_demand of `demand`,
 *          complaint_step of `step`
 * Owns     text lives in the batch arena
 */
#pragma once
#include "common/io/pg_front.h"
#include "common/io/stage/stage.h"
#include "services/complaint-handling/rules.h"

struct complaint_order {
    struct cf_str source_system, order_no, topic, owner, end_reason;
    int16_t kind, state, mark, extended_days; /* enums of rules.h */
    bool anonymous, reopened;
    uint8_t holder_ref[16]; /* zero: not known, or anonymous */
    cf_ms dispatched_at, routed_at, replied_at;
    cf_day counts_from, due_on;
    struct cf_str extend_reason;
    struct cf_str reply;   /* sealed, field COMPLAINT_FIELD_REPLY */
    struct cf_str context; /* sealed the same way: the holder's status when it was opened */
    int32_t event_no;
    cf_ms timer_due; /* 0: no timer */
    int32_t timer_attempt;
    uint8_t ask_id[16]; /* work that asks for the status; zero: none */
    struct cf_str command_ids;
};

/* Written once; what the reporter said, sealed. */
struct complaint_demand {
    struct cf_str reporter, text;
};

/* One thing that happened to an order, or was refused; id is the command's or the event's. */
struct complaint_step {
    uint8_t order_id[16];
    int32_t event_no; /* 0: nothing happened */
    struct cf_str action, result, reasons, state_before, state, owner, operator_id, note;
    cf_day due_on;
    cf_ms at;
};

enum complaint_aux { COMPLAINT_AUX_DEMAND, COMPLAINT_AUX_STEP };

extern const struct cf_kind complaint_store_kinds[];
extern const struct cf_aux complaint_store_aux[];
extern const size_t complaint_store_n_aux;

/* Statements of the front, by index. */
enum complaint_statement { COMPLAINT_SQL_ORDER, COMPLAINT_SQL_STEPS };
extern const struct cf_pgf_statement complaint_statements[];
extern const size_t complaint_n_statements;
/* For Prefer: wait. Columns: id, result, reasons, state. */
extern const struct cf_pgf_statement complaint_wait;

/* The order and its demand, from a row of COMPLAINT_SQL_ORDER; text points into the result. */
bool complaint_store_order(const PGresult *res, struct complaint_order *order,
                           struct complaint_demand *demand);
bool complaint_store_step(const PGresult *res, int row, struct complaint_step *out);
