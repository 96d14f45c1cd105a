/* broken -- how a run of the simulation ends when a rule does not hold. */
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void sim_broken(const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fprintf(stderr, "sim: seed %llu, step %ld, %.1f s: ", (unsigned long long)sim_opt.seed,
            sim_step, sim_real_seconds());
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nsim: again: sim --seed %llu --steps %ld --trace\n",
            (unsigned long long)sim_opt.seed, sim_opt.steps);
    exit(1);
}
