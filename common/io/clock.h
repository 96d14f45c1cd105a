/* clock -- the two clocks of a process.
 *
 * Units    cf_now_ms() is ms since the epoch, UTC, what the world calls the time;
 *          cf_mono_ms() never goes back and is for waiting and measuring only
 * Shapes   in builds with CARDFLOW_TEST_HOOKS an offset can be laid on cf_now_ms(): by
 *          cf_clock_set(), cf_clock_advance() and the variable CARDFLOW_TEST_CLOCK (RFC 3339 time
 *          at which the process is to start). A release has none of this.
 */
#pragma once
#include "common/pure/date.h"
#include "common/pure/error.h"

cf_ms cf_now_ms(void);
cf_ms cf_mono_ms(void);
/* Microseconds, for measuring. */
int64_t cf_mono_us(void);

#ifdef CARDFLOW_TEST_HOOKS
void cf_clock_set(cf_ms now);
void cf_clock_advance(cf_ms by);
/* Takes CARDFLOW_TEST_CLOCK if it is set; CF_E_CONFIG when it is no RFC 3339 time. */
int cf_clock_from_env(void) CF_MUST;
#endif
