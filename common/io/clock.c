#include "common/io/clock.h"

#include <stdlib.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t cf_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

cf_ms cf_mono_ms(void)
{
    return cf_mono_us() / 1000;
}

#ifdef CARDFLOW_TEST_HOOKS
#include <stdatomic.h>

/* The one thing here that is shared: the stage thread asks for the time, too. */
static atomic_llong offset_ms;

cf_ms cf_now_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000 + atomic_load_explicit(&offset_ms, memory_order_relaxed);
}

void cf_clock_set(cf_ms now)
{
    atomic_store(&offset_ms, now - read_us(CLOCK_REALTIME) / 1000);
}

void cf_clock_advance(cf_ms by)
{
    atomic_fetch_add(&offset_ms, by);
}

int cf_clock_from_env(void)
{
    const char *start = getenv("CARDFLOW_TEST_CLOCK");
    cf_ms now;
    if (!start || !*start) return 0;
    if (!cf_rfc3339_parse(cf_str_of(start), &now)) return CF_E_CONFIG;
    cf_clock_set(now);
    return 0;
}
#else
cf_ms cf_now_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}
#endif
