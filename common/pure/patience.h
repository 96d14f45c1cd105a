/* patience -- when to ask a partner again, and when to leave it alone for a while.
 *
 * Shapes   values only; time comes in, so that everything can be tested and replayed
 * Units    ms; the breaker and the gate take any clock that never goes back
 * Source   exponential backoff with full jitter; circuit breaker with one probe at a time
 */
#pragma once
#include "common/pure/date.h"

/* A wait of 0 to min(cap, base * 2^attempt), spread by the id: the same for the same input. */
cf_ms cf_backoff_ms(const uint8_t id[16], uint32_t attempt, cf_ms base, cf_ms cap);

/* Opens after `limit` failures in a row; while open nothing may pass until open_ms are over, then
 * one call at a time tries, and a good one closes it. */
struct cf_breaker {
    int limit;
    cf_ms open_ms;
    int failures; /* in a row */
    cf_ms open_until;
    bool open, probing;
};

/* May a call begin now? What came of it must then be told, by one of the three below. */
bool cf_breaker_may(struct cf_breaker *b, cf_ms now);
/* No call was made after all. */
void cf_breaker_unused(struct cf_breaker *b);
void cf_breaker_good(struct cf_breaker *b);
void cf_breaker_bad(struct cf_breaker *b, cf_ms now);

/* At most per_second calls a second (bursts of a tenth), and per_day a day; 0 is no limit. */
struct cf_gate {
    int per_second, per_day;
    int64_t used_today, credit_us; /* credit in microseconds of a second */
    cf_ms last;
    cf_day today;
};

/* Takes n calls at once, or none. now: never going back; wall: for the day in Shanghai. */
bool cf_gate_take(struct cf_gate *g, int n, cf_ms now, cf_ms wall);
