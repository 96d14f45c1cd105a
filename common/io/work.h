/* work -- outside calls and timers, run by the front thread of the shard's owner.
 *
 * Rows of `work` are written by the stage. The pool mirrors those of owned shards that are due
 * within its horizon, calls the worker of their kind, and sends the outcome to the service's
 * internal topic. The row stays until the stage has handled the outcome: a crash means the call is
 * made again, with the same id (the partner's idempotency key).
 *
 * Shapes   a call holds 1..batch_max items of one shard and one kind
 * Units    ms; due is wall clock, the pool's waiting is monotonic
 * Owns     items belong to the pool and live until the call's last item is done
 * Errors   an outcome that cannot be produced is produced again until it can
 * Source   architecture: "Outside work and timers"
 */
#pragma once
#include "common/io/stage/stage.h"

struct cf_work_pool;
struct cf_work_call;

enum cf_work_result { CF_WORK_DUE, CF_WORK_DONE, CF_WORK_FAILED, CF_WORK_RETRY };

struct cf_worker {
    uint16_t kind;
    bool timer;         /* no call: the outcome is CF_WORK_DUE when the time has come */
    size_t batch_max;   /* items a call; 0 means 1 */
    int max_calls;      /* at one time; the bulkhead of this partner */
    int linger_ms;      /* wait this long for more items when batch_max > 1 */
    /* Starts the call; ends every item by cf_work_done(), at once or later, once each. */
    void (*run)(void *own, struct cf_work_call *call);
    const char *name;   /* for metrics: "fetch_photo"; a literal */
};

size_t cf_work_count(const struct cf_work_call *call);
const struct cf_work *cf_work_item(const struct cf_work_call *call, size_t i);
/* Room of the worker's own for this call; freed (free(3)) with it. */
void **cf_work_own(struct cf_work_call *call);
/* Reason is a code, payload bytes are copied. */
void cf_work_done(struct cf_work_call *call, size_t i, enum cf_work_result result,
                  const char *reason, struct cf_str payload);
