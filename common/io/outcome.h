/* outcome -- what came of an application, as JSON: the one shape of all answers that show it.
 *
 * Shapes   "Outcome of an application" of the interface's fixed points; every field is always
 *          there, null or empty where there is nothing to say
 * Units    cf_day, 0 for none; cf_ms, UTC
 * Owns     nothing; texts must live until the call returns
 * Errors   none: a reason's code that the catalogue does not know is told without text
 */
#pragma once
#include "common/io/json.h"
#include "common/pure/deadline.h"
#include "common/pure/kinds.h"
#include "common/pure/outlets.h"

struct cf_outcome_mark {
    enum cf_app_state state;
    cf_ms at;
    struct cf_str reason; /* may be empty */
};

/* An extension, or another count. */
struct cf_outcome_change {
    struct cf_str what, reason; /* what: extended, recalculated */
    cf_ms at;
    cf_day due_before, due_on;
};

struct cf_outcome {
    uint8_t id[16];
    enum cf_app_kind kind;
    struct cf_str channel;
    enum cf_app_state state;
    bool waits_for_enrolment;
    cf_ms activated_at; /* 0: the card has not been activated */
    const char *outcome;
    const struct cf_str *reasons; /* codes */
    size_t n_reasons;
    cf_day respond_by;
    struct cf_str notice_no;
    uint32_t warnings;
    /* Receipt and deadline; an empty receipt_no: it was never accepted. */
    struct cf_str receipt_no, bank_code, outlet_code;
    cf_day accepted_on, due_on, promised_on;
    uint32_t place; /* in its bank's queue when it came there, while it waits; 0: it does not */
    uint32_t policy;
    int working_days; /* until due_on; 0: those of the policy */
    bool provisional, waiting_on_holder;
    cf_ms warned_at, overdue_at; /* marks of the deadline that stand; 0: none */
    const struct cf_outcome_change *changes;
    size_t n_changes;
    const struct cf_outcome_mark *marks; /* in order; what `activated_at` says comes after them */
    size_t n_marks;
};

struct cf_outcome_world {
    const struct cf_calendar *calendar;
    const struct cf_policies *policies;
    const struct cf_outlets *outlets; /* names of outlets; may be NULL */
    const char *phones;               /* separated by commas */
};

/* The due date, and why it is that day. */
struct cf_outcome_deadline {
    const char *policy;
    int working_days;
    cf_day accepted_on, due_on;
    bool provisional;
    struct cf_explanation why; /* empty for a date too far away */
};

/* False: nothing was accepted, so nothing is due. */
bool cf_outcome_deadline(const struct cf_outcome_world *world, struct cf_arena *arena,
                         const struct cf_outcome *x, struct cf_outcome_deadline *out);
/* Writes the fields into the object that is open. */
void cf_outcome_out(struct cf_out *o, const struct cf_outcome_world *world, struct cf_arena *arena,
                    const struct cf_outcome *x);
