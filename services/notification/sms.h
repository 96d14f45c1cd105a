/* sms -- the worker that sends text messages, many in one call.
 *
 * POST <sms_url>/sms [{"id", "to", "text"}, ...], id = the notification's (idempotency key)
 *   200 [{"id", "status": "accepted" | "rejected" | "busy", "reason"}, ...]
 *   400, 413, 422   a call of several is sent again one by one, so that only the culprit fails
 *   anything else, or nothing: the whole call is tried again later
 *
 * Whom to write to is asked from the database right before, so that a death or a new phone counts
 * up to the last moment. While the breaker is open calls wait here: nothing is written for them.
 *
 * Owns     one struct notification_sms a process, front thread only
 * Limits   phones are opened here only, and kept no longer than a call
 */
#pragma once
#include "common/io/http_client.h"
#include "common/io/metrics.h"
#include "common/io/pg_front.h"
#include "common/io/seal.h"
#include "common/io/work.h"
#include "services/notification/settings.h"

struct notification_sms;

void notification_sms_free(struct notification_sms *s);
/* CF_E_CONFIG: the address is malformed. */
int notification_sms_new(struct cf_loop *loop, const struct notification_settings *settings,
                         struct cf_pgf *pg, const struct cf_seal_ring *ring,
                         struct cf_metrics *metrics, struct notification_sms **out) CF_MUST;
/* Takes a call of the pool (kind NOTIFY_WORK_SMS). */
void notification_sms_run(struct notification_sms *s, struct cf_work_call *call);
