/* clock -- chance from the seed, time as the scheduler says, and the hash of all that happened.
 *
 * The linker sends the program's calls of clock_gettime, nanosleep and RAND_bytes here (--wrap), so
 * that product code sees the simulated clock and ids are the same for the same seed. */
#include "common/pure/hash.h"
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

struct sim_options sim_opt;
cf_ms sim_now;
long sim_step;
uint64_t sim_trace;
bool sim_faults;

static uint64_t chance[2]; /* the scheduler's, and libcrypto's */
static double began;

static uint64_t next(uint64_t *state)
{
    /* splitmix64 */
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* ---- in place of the system's ---------------------------------------------------------------- */

int __real_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_nanosleep(const struct timespec *t, struct timespec *left);
int __wrap_RAND_bytes(unsigned char *out, int n);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
    (void)id;
    *t = (struct timespec){.tv_sec = sim_now / 1000, .tv_nsec = sim_now % 1000 * 1000000};
    return 0;
}

int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
    (void)left;
    sim_pause((cf_ms)t->tv_sec * 1000 + t->tv_nsec / 1000000);
    return 0;
}

int __wrap_RAND_bytes(unsigned char *out, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = (unsigned char)(next(&chance[1]) >> 56);
    return 1;
}

/* ---- chance ---------------------------------------------------------------------------------- */

static double real_seconds(void)
{
    struct timespec t;
    __real_clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void sim_clock_begin(void)
{
    static const cf_ms morning = 1774922400000; /* 2026-03-31T10:00:00+08:00, a working day */
    chance[0] = sim_opt.seed;
    chance[1] = ~sim_opt.seed;
    sim_now = morning;
    sim_faults = !sim_opt.calm;
    began = real_seconds();
}

void sim_chance_from(uint64_t seed)
{
    chance[0] = seed;
}

double sim_real_seconds(void)
{
    return real_seconds() - began;
}

uint64_t sim_random(void)
{
    return next(&chance[0]);
}

uint32_t sim_below(uint32_t n)
{
    return (uint32_t)((sim_random() >> 32) * n >> 32);
}

bool sim_chance(uint32_t millionths)
{
    return sim_below(1000000) < millionths;
}

bool sim_fault(uint32_t millionths)
{
    return sim_faults && sim_chance(millionths);
}

/* ---- the trace ------------------------------------------------------------------------------- */

void sim_mix(const void *p, size_t n)
{
    sim_trace = cf_hash64_seed(p, n, sim_trace);
}

void sim_note(const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    sim_mix(line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
    sim_mix(&sim_now, sizeof sim_now);
    if (sim_opt.trace) printf("%8ld %lld %s\n", sim_step, (long long)sim_now, line);
}
