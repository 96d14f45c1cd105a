/* handlers -- the steps of notification's stage.
 *
 * A message costs one row: its work, until the gateway has answered; then its row of `notice`.
 * The id of a notification is that of its work and its idempotency key at the gateway; it derives
 * from (event, recipient, channel), so that one event is told once.
 *
 * Shapes   env is a struct notification_env that never changes
 */
#pragma once
#include "common/io/stage/stage.h"
#include "services/notification/codec.h"
#include "services/notification/store.h"

struct notification_env {
    struct notification_quiet quiet;
    cf_ms backoff, backoff_max;
    cf_ms give_up; /* after the event */
};

struct cf_service notification_service(const struct notification_env *env);
