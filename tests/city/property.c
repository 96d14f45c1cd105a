/* property -- random sequences of operations; what must hold is checked after each step.
 *
 *     property --sequences 10000 [--seed S] [--trace]
 *
 * Each sequence is a child of its own, made from a world in which nothing has happened yet. One
 * that fails is made short: operations are left out as long as it still fails in the same way. */
#include "tests/city/ops.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPS_MAX = 64, WHY = 512, LIMIT_S = 20 };

struct sequence {
    uint64_t seed;
    struct op ops[OPS_MAX];
    size_t n;
};

/* What a child tells: shared memory. */
static struct shared {
    char why[WHY];
    size_t done; /* operations */
    unsigned long ops;
    struct owners_walked walked;
} *shared;

static bool tracing;

void sim_broken(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(shared->why, WHY, format, args);
    va_end(args);
    fflush(stdout);
    _exit(1);
}

/* ---- one sequence ---------------------------------------------------------------------------- */

static void make(uint64_t seed, struct sequence *s)
{
    sim_chance_from(seed);
    s->seed = seed;
    s->n = 8 + sim_below(OPS_MAX - 8 + 1);
    for (size_t i = 0; i < s->n; i++)
        s->ops[i] = op_random();
}

static void settle(void)
{
    if (!city_settle(20000)) sim_broken("the services do not come to rest");
    owners_settled();
}

static void play(const struct sequence *s)
{
    static const int batches[] = {1, 1, 3, 10, 50};
    sim_chance_from(s->seed);
    city_batch(batches[sim_below(5)]);
    bool long_after = sim_below(4) == 0;
    ops_first();
    for (size_t i = 0; i < s->n; i++) {
        if (tracing) printf("%4zu: %s\n", i, op_text(s->ops[i].kind));
        op_do(&s->ops[i]);
        shared->done = i + 1;
        shared->ops++;
    }
    sim_chance_from(s->seed);
    settle();
    ops_pass(2 * 3600000);
    settle();
    owners_answered();
    if (!long_after) return;
    ops_pass(400 * (cf_ms)CF_MS_PER_DAY);
    settle();
    owners_idle();
}

static void child(const struct sequence *s)
{
    alarm(LIMIT_S);
    sim_opt.trace = tracing;
    play(s);
    fflush(stdout);
    _exit(0);
}

/* True when it holds; else shared->why tells. */
static bool holds(const struct sequence *s)
{
    int status;
    shared->why[0] = 0;
    shared->done = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) CF_BUG("fork");
    if (pid == 0) child(s);
    if (waitpid(pid, &status, 0) != pid) CF_BUG("waitpid");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    if (!shared->why[0])
        snprintf(shared->why, WHY, WIFSIGNALED(status) ? "ended by signal %d" : "ended with %d",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return false;
}

/* ---- making it short ------------------------------------------------------------------------- */

/* The words of the failure, without what differs from run to run. */
static bool same_failure(const char *a, const char *b)
{
    while (*a && *b) {
        while (*a >= '0' && *a <= '9')
            a++;
        while (*b >= '0' && *b <= '9')
            b++;
        if (*a != *b) return false;
        if (!*a) return true;
        a++;
        b++;
    }
    return *a == *b;
}

static struct sequence without(const struct sequence *s, size_t from, size_t n)
{
    struct sequence out = *s;
    memmove(&out.ops[from], &out.ops[from + n], (s->n - from - n) * sizeof *out.ops);
    out.n -= n;
    return out;
}

static void shrink(struct sequence *s)
{
    char why[WHY];
    memcpy(why, shared->why, WHY);
    if (shared->done + 1 < s->n) {
        struct sequence cut = without(s, shared->done + 1, s->n - shared->done - 1);
        if (!holds(&cut) && same_failure(why, shared->why)) *s = cut;
    }
    for (size_t chunk = s->n / 2 ? s->n / 2 : 1;; chunk /= 2) {
        for (size_t at = 0; at + chunk <= s->n;) {
            struct sequence less = without(s, at, chunk);
            if (!holds(&less) && same_failure(why, shared->why))
                *s = less;
            else
                at += chunk;
        }
        if (chunk <= 1) break;
    }
    memcpy(shared->why, why, WHY);
}

static void report(struct sequence *s)
{
    bool trace = tracing;
    tracing = false;
    fprintf(stderr, "property: seed %llu: %s\n", (unsigned long long)s->seed, shared->why);
    size_t was = s->n;
    shrink(s);
    fprintf(stderr, "property: %zu of %zu operations are enough:\n", s->n, was);
    for (size_t i = 0; i < s->n; i++)
        fprintf(stderr, "property:   %s (%016llx)\n", op_text(s->ops[i].kind),
                (unsigned long long)s->ops[i].seed);
    fprintf(stderr, "property: again: property --seed %llu --sequences 1 --trace\n",
            (unsigned long long)s->seed);
    tracing = trace;
    if (trace) (void)holds(s);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* A run that never comes where things can go wrong shows nothing. */
static int missed(void)
{
    const struct owners_walked *w = &shared->walked;
    int n = 0;
    for (int i = 1; i < CF_APP_COUNT; i++) {
        if (w->app_states[i]) continue;
        fprintf(stderr, "property: no application was ever %s\n",
                cf_app_state_name((enum cf_app_state)i));
        n++;
    }
    size_t edges;
    const struct production_card_edge *e = production_card_edges(&edges);
    for (size_t i = 0; i < edges; i++) {
        bool told = e[i].to != CF_CARD_VOIDED && e[i].to != CF_CARD_NONE && e[i].from != e[i].to;
        if (!told || w->card_edges[e[i].from][e[i].to]) continue;
        fprintf(stderr, "property: no card ever went from %s to %s\n",
                cf_card_state_name(e[i].from), cf_card_state_name(e[i].to));
        n++;
    }
    return n;
}

static int run(uint64_t seed, long sequences)
{
    for (long i = 0; i < sequences; i++) {
        struct sequence s;
        make(seed + (uint64_t)i, &s);
        if (holds(&s)) continue;
        report(&s);
        return 1;
    }
    const struct owners_walked *w = &shared->walked;
    printf("property: %ld sequences from seed %llu, %lu operations, %lu steps of applications, "
           "%lu changes of cards, %lu answers, %.1f s\n",
           sequences, (unsigned long long)seed, shared->ops, w->steps, w->changes, w->answers,
           sim_real_seconds());
    return sequences >= 1000 && missed() ? 1 : 0;
}

int main(int argc, char **argv)
{
    static const struct option all[] = {
        {"seed",      required_argument, NULL, 's'},
        {"sequences", required_argument, NULL, 'n'},
        {"trace",     no_argument,       NULL, 't'},
        {NULL,        0,                 NULL, 0  }
    };
    static const enum sim_service services[] = {SIM_INTAKE, SIM_PHOTO_FETCH, SIM_PRODUCTION};
    long sequences = 1000;
    uint64_t seed = 1;
    for (int c; (c = getopt_long(argc, argv, "", all, NULL)) != -1;) {
        if (c == 's')
            seed = strtoull(optarg, NULL, 10);
        else if (c == 'n')
            sequences = strtol(optarg, NULL, 10);
        else if (c == 't')
            tracing = true;
        else
            return 2;
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) CF_BUG("mmap");
    owners_walked = &shared->walked;
    sim_opt = (struct sim_options){.seed = seed, .calm = true};
    sim_clock_begin();
    sim_services_begin();
    city_begin(services, sizeof services / sizeof *services);
    city_watch(owners_seen);
    ops_begin();
    return run(seed, sequences);
}
