/* year -- time passes as fast as things happen: the next of what somebody does and what is due. */
#include "tests/city/year.h"

#include "cardflow/v1/common.pb-c.h"
#include "tests/city/timers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SETTLE = 100000, DAYS = 365 + 430 };

void sim_broken(const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fprintf(stderr, "year: %lld: ", (long long)sim_now);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    exit(1);
}

/* ---- what is planned ------------------------------------------------------------------------- */

static struct plan {
    cf_ms at;
    struct year_person *p;
    year_act *act;
    size_t line;
} *plans;
static size_t n_plans, cap_plans;

void year_later(cf_ms at, struct year_person *p, year_act *act, size_t line)
{
    if (n_plans == cap_plans) {
        cap_plans = cap_plans ? 2 * cap_plans : 256;
        plans = cf_realloc(plans, cap_plans * sizeof *plans);
    }
    plans[n_plans++] = (struct plan){at, p, act, line};
}

static size_t first_plan(void)
{
    size_t first = 0;
    for (size_t i = 1; i < n_plans; i++)
        if (plans[i].at < plans[first].at) first = i;
    return first;
}

static void settle(void)
{
    static size_t seen;
    size_t n;
    if (!city_settle(SETTLE)) sim_broken("the services do not come to rest");
    for (int s = 0; s < SIM_SERVICES; s++)
        if (s != SIM_INQUIRY && sim_store_parked(sim_data_of((enum sim_service)s)))
            sim_broken("%s has parked a message", sim_service((enum sim_service)s)->name);
    (void)city_lines(&n);
    while (seen < n)
        year_line(seen++);
}

static void act(void)
{
    size_t i = first_plan();
    const struct plan p = plans[i];
    plans[i] = plans[--n_plans];
    if (p.at > sim_now) sim_now = p.at;
    p.act(p.p, p.line);
}

/* ---- what is due ----------------------------------------------------------------------------- */

static void tell(const struct city_work *w)
{
    const struct sim_answer due = {CARDFLOW__V1__WORK_OUTCOME__RESULT__DUE, "", {0}};
    if (w->work.due > sim_now) sim_now = w->work.due;
    bool timer = timers_is_timer(w->service, w->work.kind);
    const struct sim_answer x = timer ? due : year_partner(w);
    if (timer)
        year_say(sim_now, year_find(&w->work.key), "timer %s %d", sim_service(w->service)->name,
                 w->work.kind);
    city_tell(w, &x);
}

static bool step(cf_ms until)
{
    struct city_work w;
    cf_ms planned = n_plans ? plans[first_plan()].at : INT64_MAX;
    if (city_work(planned < until ? planned : until, &w, 1))
        tell(&w);
    else if (planned <= until)
        act();
    else
        return false;
    settle();
    return true;
}

int main(void)
{
    static const cf_ms begin = 1757901600000; /* 2025-09-15T10:00:00+08:00 */
    static const enum sim_service services[] = {SIM_INTAKE, SIM_PHOTO_FETCH, SIM_PRODUCTION,
                                                SIM_NOTIFICATION, SIM_COMPLAINT};
    sim_opt = (struct sim_options){.seed = 1, .calm = true};
    sim_clock_begin();
    sim_now = begin;
    sim_services_begin();
    city_begin(services, sizeof services / sizeof *services);
    year_people(sim_now);
    cf_ms end = begin + DAYS * (cf_ms)CF_MS_PER_DAY;
    while (step(end)) {}
    return 0;
}
