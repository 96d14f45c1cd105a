/* sim -- runs cardflow under a seed: so many steps with faults, then without until all is done. */
#include "tests/sim/sim.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ALL = SIM_SERVICES * SIM_REPLICAS,
    CHECK_EVERY = 5000,
    DRAIN_STEPS = 4000000,
    LEAP_STEPS = 100,
    FAR_MS = 3600000
};

static const cf_ms YEAR_MS = 400 * (cf_ms)CF_MS_PER_DAY;

static struct replica *replicas[ALL];

/* Fibers of the dead are unwound by hand; what a killed process held is no leak. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

static void aborted(int signal_no)
{
    char text[128];
    int n = snprintf(text, sizeof text, "sim: seed %llu, step %ld: signal %d\n",
                     (unsigned long long)sim_opt.seed, sim_step, signal_no);
    if (n > 0 && write(2, text, (size_t)n) < 0) _exit(2);
    signal(signal_no, SIG_DFL);
    raise(signal_no);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void make_faults(void)
{
    struct replica *r = replicas[sim_below(ALL)];
    if (sim_fault(250)) sim_replica_crash(r);
    if (sim_fault(50)) sim_replica_stop(r);
    if (sim_fault(150)) sim_replica_freeze(r, 500 + (cf_ms)sim_below(8000), false);
    if (sim_fault(100)) sim_replica_freeze(r, 500 + (cf_ms)sim_below(8000), true);
    if (sim_fault(500)) sim_replica_cut(r, (cf_ms)sim_below(3000));
    if (sim_fault(200)) sim_now += (cf_ms)sim_below(1000);
}

/* At three quarters of the run a service's store goes back to what it was a little before. */
static void restore(void)
{
    static struct sim_store *backup;
    enum sim_service s = (enum sim_service)(sim_opt.seed % SIM_SERVICES);
    long at = sim_opt.steps / 4 * 3;
    if (sim_step == at - 1 - (long)(sim_opt.seed * 7919 % (uint64_t)at))
        backup = sim_store_backup(sim_data_of(s));
    if (sim_step != at) return;
    for (size_t i = 0; i < SIM_REPLICAS && !sim_opt.failover; i++)
        sim_replica_crash(replicas[s * SIM_REPLICAS + i]);
    size_t n = sim_store_restore(sim_data_of(s), backup);
    sim_note("%s is restored from a backup: %zu shards have lost commits", sim_service(s)->name, n);
    if (n) return;
    printf("seed %llu: nothing was lost\n", (unsigned long long)sim_opt.seed);
    exit(0);
}

void sim_noticed(const char *replica)
{
    printf("seed %llu: step %ld: %s notices that commits are lost\n",
           (unsigned long long)sim_opt.seed, sim_step, replica);
    exit(0);
}

/* ---- the scheduler --------------------------------------------------------------------------- */

enum part { STAGE, FRONT, NET, PARTS };

static bool is_ready(size_t i)
{
    const struct replica *r = replicas[i / PARTS];
    switch ((enum part)(i % PARTS)) {
    case STAGE: return sim_stage_ready(r);
    case FRONT: return sim_front_ready(r);
    case NET: return sim_net_ready(r);
    case PARTS: break;
    }
    return false;
}

static void step(size_t i)
{
    struct replica *r = replicas[i / PARTS];
    switch ((enum part)(i % PARTS)) {
    case STAGE: sim_stage_step(r); break;
    case FRONT: sim_front_step(r); break;
    case NET: sim_deliver(r); break;
    case PARTS: break;
    }
}

static cf_ms next_time(void)
{
    cf_ms next = sim_world_next();
    for (size_t i = 0; i < ALL; i++) {
        cf_ms t = sim_replica_next(replicas[i]);
        if (t < next) next = t;
    }
    return next;
}

/* One of those who can go on does; when there is none, time passes. */
static void turn(void)
{
    size_t ready[ALL * PARTS + 2], n = 0;
    for (size_t i = 0; i < ALL * PARTS; i++)
        if (is_ready(i)) ready[n++] = i;
    if (sim_world_ready()) ready[n++] = ALL * PARTS;
    if (sim_ghosts()) ready[n++] = ALL * PARTS + 1;
    if (n == 0) {
        cf_ms next = next_time();
        if (next <= sim_now) CF_BUG("nobody can go on, and nobody waits");
        sim_now = next;
        return;
    }
    size_t i = ready[sim_below((uint32_t)n)];
    sim_mix(&i, sizeof i);
    if (i == ALL * PARTS)
        sim_world_step();
    else if (i > ALL * PARTS)
        sim_deliver_ghost();
    else
        step(i);
    if (sim_chance(300000)) sim_now++;
}

/* ---- a run ----------------------------------------------------------------------------------- */

/* What keeps all from being at rest until `until`. */
static const char *busy(cf_ms until)
{
    if (!sim_world_idle(until)) return "the world";
    for (size_t i = 0; i < ALL; i++)
        if (!sim_replica_idle(replicas[i])) return sim_replica_name(replicas[i]);
    for (int s = 0; s < SIM_SERVICES; s++) {
        const struct sim_store *d = sim_data_of((enum sim_service)s);
        const char *why = sim_store_busy(d);
        if (why) return why;
        if (sim_store_work_due(d, until)) return "work is due";
    }
    return NULL;
}

static void settle(long look_every, cf_ms ahead)
{
    const char *why = "";
    sim_faults = false;
    for (size_t i = 0; i < ALL; i++)
        sim_replica_wake(replicas[i]);
    for (long i = 0; i < DRAIN_STEPS && why; i++, sim_step++) {
        turn();
        if (i % look_every == look_every - 1) why = busy(sim_now + ahead);
    }
    if (why) sim_broken("not done after all: %s", why);
}

static cf_ms next_leap(void)
{
    cf_ms next = sim_world_next();
    for (int s = 0; s < SIM_SERVICES; s++) {
        cf_ms t = sim_store_next_due(sim_data_of((enum sim_service)s), sim_now);
        if (t < next) next = t;
    }
    return next;
}

/* Nobody has anything to do: time goes on to the next timer, where things go wrong again for a
 * while, until all that is due within a little more than a year has been done. */
static void leap(void)
{
    const cf_ms end = sim_now + YEAR_MS;
    for (cf_ms next; (next = next_leap()) < end;) {
        sim_note("time goes on by %lld s", (long long)(next - sim_now) / 1000);
        for (int s = 0; s < SIM_SERVICES; s++)
            sim_store_leap(sim_data_of((enum sim_service)s), next - sim_now);
        bool far = next - sim_now > FAR_MS;
        sim_now = next;
        sim_faults = !sim_opt.calm && far;
        for (int i = 0; i < LEAP_STEPS && far; i++, sim_step++) {
            make_faults();
            turn();
        }
        settle(50, 1000);
    }
}

static void drain(void)
{
    sim_world_finish();
    settle(1000, 300000);
    sim_check_now();
    if (!sim_opt.restore) leap();
}

static int usage(void)
{
    fprintf(stderr, "usage: sim [--seed S] [--steps N] [--trace] [--calm]\n"
                    "           [--restore | --failover]\n"
                    "           [--no-epoch-guard] [--no-offset-guard] [--no-place-guard]\n");
    return 2;
}

static bool options(int argc, char **argv)
{
    static const struct option all[] = {
        {"seed",            required_argument, NULL, 's'},
        {"steps",           required_argument, NULL, 'n'},
        {"trace",           no_argument,       NULL, 't'},
        {"calm",            no_argument,       NULL, 'c'},
        {"restore",         no_argument,       NULL, 'r'},
        {"failover",        no_argument,       NULL, 'f'},
        {"no-epoch-guard",  no_argument,       NULL, 'e'},
        {"no-offset-guard", no_argument,       NULL, 'o'},
        {"no-place-guard",  no_argument,       NULL, 'p'},
        {NULL,              0,                 NULL, 0  }
    };
    sim_opt = (struct sim_options){.seed = 1, .steps = 100000};
    for (int c; (c = getopt_long(argc, argv, "", all, NULL)) != -1;) {
        switch (c) {
        case 's': sim_opt.seed = strtoull(optarg, NULL, 10); break;
        case 'n': sim_opt.steps = strtol(optarg, NULL, 10); break;
        case 't': sim_opt.trace = true; break;
        case 'c': sim_opt.calm = true; break;
        case 'r': sim_opt.restore = true; break;
        case 'f': sim_opt.restore = sim_opt.failover = true; break;
        case 'e': sim_opt.no_epoch_guard = true; break;
        case 'o': sim_opt.no_offset_guard = true; break;
        case 'p': sim_opt.no_place_guard = true; break;
        default: return false;
        }
    }
    return optind == argc && sim_opt.steps > 0;
}

int main(int argc, char **argv)
{
    if (!options(argc, argv)) return usage();
    signal(SIGABRT, aborted);
    signal(SIGSEGV, aborted);
    sim_clock_begin();
    sim_services_begin();
    sim_world_begin();
    sim_check_commits();
    for (int i = 0; i < ALL; i++)
        replicas[i] = sim_replica_new((enum sim_service)(i / SIM_REPLICAS), i % SIM_REPLICAS);
    for (; sim_step < sim_opt.steps; sim_step++) {
        if (sim_opt.restore) restore();
        make_faults();
        turn();
        if (sim_step % CHECK_EVERY == 0) sim_check_now();
    }
    drain();
    if (sim_opt.restore) sim_broken("nobody notices that commits are lost");
    sim_check_end();
    const struct sim_person *persons;
    printf("seed %llu: %ld steps, %zu persons, %.1f s, trace %016llx\n",
           (unsigned long long)sim_opt.seed, sim_step, sim_persons(&persons), sim_real_seconds(),
           (unsigned long long)sim_trace);
    for (int i = 0; i < ALL; i++)
        sim_replica_free(replicas[i]);
    return 0;
}
