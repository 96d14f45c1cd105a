/* retention -- a statement that deletes what was kept long enough, run again and again.
 *
 * Shapes   the statement takes $1 bigint, ms since the epoch: what is older goes; it gives one row of
 *          binary columns: bigint, how much went, and boolean, whether there may be more
 * Owns     what it makes lives as long as app->http
 * Errors   a statement that fails is tried again when the time comes round
 * Threads  the front thread
 */
#pragma once
#include "common/io/app.h"

/* What is older than `days` goes, looked for at each period. more: $2, copied; empty where the statement
 * has none. */
void cf_retention_new(struct cf_app *app, size_t statement, int64_t days, cf_ms period,
                      struct cf_str more);
