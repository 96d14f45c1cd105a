/* rules -- work orders of 12345: states, who may do what when, and by when.
 *
 * Pure: the calendar comes in as data.
 *
 * Units    cf_day in Shanghai, 0 for none; ms; deadlines count working days
 * Errors   none: a refusal is a decision with a reason
 * Source   domain reference, 12345 work orders
 */
#pragma once
#include "common/pure/calendar.h"
#include "common/pure/kinds.h"

/* clang-format off */
/* X(VALUE, "name", "Chinese", "English") */
#define COMPLAINT_KINDS(X)                            \
    X(CONSULTATION, "consultation", "咨询", "Consultation") \
    X(PRAISE,       "praise",       "表扬", "Praise")       \
    X(REPORT,       "report",       "举报", "Report")       \
    X(COMPLAINT,    "complaint",    "投诉", "Complaint")    \
    X(CORRECTION,   "correction",   "更正", "Correction")

/* X(VALUE, "name", open, "Chinese", "English") */
#define COMPLAINT_STATES(X)                                      \
    X(RECEIVED,    "received",    true,  "已接收", "Received")    \
    X(ROUTED,      "routed",      true,  "已派单", "Routed")      \
    X(IN_PROGRESS, "in_progress", true,  "办理中", "In progress") \
    X(RETURNED,    "returned",    true,  "已退回", "Returned")    \
    X(REPLIED,     "replied",     true,  "已答复", "Replied")     \
    X(REOPENED,    "reopened",    true,  "重新办理", "Reopened")  \
    X(CLOSED,      "closed",      false, "已办结", "Closed")      \
    X(WITHDRAWN,   "withdrawn",   false, "已撤回", "Withdrawn")

/* What moves an order. The first ten are the words of actions. X(VALUE, "word") */
#define COMPLAINT_EVENTS(X)                  \
    X(ROUTE,           "route")              \
    X(ACCEPT,          "accept")             \
    X(RETURN,          "return")             \
    X(GIVE_BACK,       "return_to_source")   \
    X(REPLY,           "reply")              \
    X(DECIDE,          "decide")             \
    X(REVISIT,         "revisit")            \
    X(REOPEN,          "reopen")             \
    X(WITHDRAW,        "withdraw")           \
    X(EXTEND,          "extend")             \
    X(OPEN,            "open")               \
    X(AUTO_REPLY,      "auto_reply")         \
    X(SILENT,          "silent")             \
    X(MARK,            "mark")               \
    X(CONTEXT,         "context")
/* clang-format on */

enum complaint_kind {
    COMPLAINT_KIND_NONE,
#define X(value, ...) COMPLAINT_KIND_##value,
    COMPLAINT_KINDS(X)
#undef X
        COMPLAINT_KIND_COUNT
};
enum complaint_state {
    COMPLAINT_NONE, /* not there yet */
#define X(value, ...) COMPLAINT_##value,
    COMPLAINT_STATES(X)
#undef X
        COMPLAINT_STATE_COUNT
};
enum complaint_event {
    COMPLAINT_ON_NONE,
#define X(value, ...) COMPLAINT_ON_##value,
    COMPLAINT_EVENTS(X)
#undef X
        COMPLAINT_EVENT_COUNT
};
enum complaint_mark { COMPLAINT_MARK_NONE, COMPLAINT_MARK_YELLOW, COMPLAINT_MARK_RED };

const char *complaint_kind_name(enum complaint_kind kind);
enum complaint_kind complaint_kind_parse(struct cf_str name);
const char *complaint_state_name(enum complaint_state state);
const char *complaint_state_label(enum complaint_state state, enum cf_lang lang);
bool complaint_state_is_open(enum complaint_state state);
const char *complaint_event_name(enum complaint_event event);
/* NONE for what is no word of an action. */
enum complaint_event complaint_action_parse(struct cf_str word);
const char *complaint_mark_name(enum complaint_mark mark);

/* ---- the machine --------------------------------------------------------------------------- */

struct complaint_edge {
    enum complaint_state from;
    enum complaint_event on;
    enum complaint_state to; /* the same: it is done already, without effects */
};
const struct complaint_edge *complaint_edges(size_t *n);
/* False when there is no such edge. */
bool complaint_next(enum complaint_state from, enum complaint_event on, enum complaint_state *to);

/* ---- deadlines ----------------------------------------------------------------------------- */

enum {
    COMPLAINT_DAYS = 5,        /* to finish, and again after a reopening */
    COMPLAINT_EXTEND_MAX = 10, /* once */
    COMPLAINT_RETURN_DAYS = 2, /* to return what was routed wrongly */
    COMPLAINT_SILENT_DAYS = 5, /* after the reply, then it is closed */
    COMPLAINT_YELLOW_DAYS = 1  /* before the due date */
};

struct complaint_facts {
    enum complaint_kind kind;
    enum complaint_state state;
    enum complaint_mark mark;
    struct cf_str owner;
    cf_ms dispatched_at, routed_at, replied_at;
    cf_day counts_from; /* the day before the first that counts */
    cf_day due_on;
    int extended_days; /* 0: not extended */
    bool reopened;     /* once */
};

cf_day complaint_due(const struct cf_calendar *cal, cf_day counts_from, int extended_days);
/* The next time something is due by itself: a mark, or the end of silence; 0: nothing. */
cf_ms complaint_next_due(const struct cf_calendar *cal, const struct complaint_facts *f);
/* What is due at `now`: MARK (and which), SILENT, or NONE. */
enum complaint_event complaint_due_now(const struct cf_calendar *cal,
                                       const struct complaint_facts *f, cf_ms now,
                                       enum complaint_mark *mark);

/* ---- actions ------------------------------------------------------------------------------- */

struct complaint_action {
    enum complaint_event what;
    int days;       /* extend */
    bool satisfied; /* revisit; decide: granted */
    bool has_reason, has_text;
    struct cf_str owner; /* route */
};

enum complaint_result { COMPLAINT_DONE = 1, COMPLAINT_ALREADY, COMPLAINT_REFUSED };
const char *complaint_result_name(enum complaint_result result);

/* Judges an action and, when it is done, changes the facts. reason: code of a refusal. */
enum complaint_result complaint_act(const struct cf_calendar *cal, struct complaint_facts *f,
                                    const struct complaint_action *action, cf_ms now,
                                    const char **reason);
/* Moves without judging: opening, routing by ourselves, automatic reply, silence. False: no
 * edge. */
bool complaint_move(const struct cf_calendar *cal, struct complaint_facts *f,
                    enum complaint_event on, struct cf_str owner, cf_ms now);

/* "progress" when the text asks where an application stands, else empty. For sources that do not
 * say what a consultation is about. */
const char *complaint_topic_of(struct cf_str text);
/* Is it answered from the holder's status, without a person? */
bool complaint_is_automatic(enum complaint_kind kind, struct cf_str topic, bool holder_known,
                            bool can_ask);
/* Does it open with the holder's status beside it? */
bool complaint_wants_context(enum complaint_kind kind, bool holder_known, bool can_ask);
