/* rules -- which event makes which message, when it may go, and how it ends.
 *
 * Shapes   templates are numbered by templates.def, 0 is none; end states are words of the topic
 * Units    ms since the epoch; minutes after midnight in Shanghai for quiet hours
 * Errors   none
 * Source   domain reference, Notification; Measures S14 (no advertising): nothing but the texts of
 *          templates.def can leave
 */
#pragma once
#include "common/pure/date.h"
#include "common/pure/idnum.h"
#include "common/pure/kinds.h"

enum notification_template {
    NOTIFY_NONE,
#define TEMPLATE(id, ...) NOTIFY_##id,
#include "services/notification/templates.def"
#undef TEMPLATE
    NOTIFY_COUNT
};

const char *notification_template_name(enum notification_template t);
bool notification_is_security(enum notification_template t);

/* ---- which event makes which message ----------------------------------------------------------
 */

/* For the step of an application, whoever made it. `reason`: holder_died is told to nobody. */
enum notification_template notification_for_step(enum cf_app_state state, struct cf_str reason);
/* For a card's change of state. `operation`: what comes from a death is told to nobody. */
enum notification_template notification_for_card(enum cf_card_state before,
                                                 enum cf_card_state after, struct cf_str operation);
/* For the clock of an application: warned, overdue, extended, recalculated. */
enum notification_template notification_for_deadline(struct cf_str what);
/* Does this step end the waiting for a card at the outlet? */
bool notification_ends_waiting(enum cf_app_state state);

/* ---- when
 * ---------------------------------------------------------------------------------------- */

struct notification_quiet {
    bool on;
    int from, to; /* minutes; from 1260 (21:00) up to, not with, 480 (08:00) */
};

/* "21:00"; false when it is no time of day. */
bool notification_minute_parse(struct cf_str text, int *out);
/* now, or the end of the quiet hours in which it falls. */
cf_ms notification_due(cf_ms now, const struct notification_quiet *quiet,
                       enum notification_template t);

/* Days after ready_for_pickup at which the holder is reminded: 30, 180, 330. 0: no more. */
int notification_reminder_days(uint32_t reminders_before);

/* ---- to whom, and how it ends
 * -------------------------------------------------------------------- */

/* The language in which somebody with this document is written to. */
enum cf_lang notification_lang(enum cf_doc_type type);
/* The phone to use, normalised: the person's own, else the guardian's. Length 0: none usable. */
size_t notification_phone(struct cf_str own, struct cf_str guardian, char out[64]);

/* clang-format off */
#define NOTIFY_STATES(X)          \
    X(PENDING, "pending")         \
    X(DEFERRED, "deferred")       \
    X(SENT, "sent")               \
    X(FAILED, "failed")           \
    X(SUPPRESSED, "suppressed")
/* clang-format on */

enum notification_state {
#define X(value, name) NOTIFY_##value,
    NOTIFY_STATES(X)
#undef X
};
const char *notification_state_name(enum notification_state state);
/* FAILED, or SUPPRESSED where the reason is ours and not the gateway's. */
enum notification_state notification_end_of_failure(struct cf_str reason);

/* SMS parts of 70 UCS-2 units. */
unsigned notification_parts(struct cf_str text);
