/* What waits for a person, by reason, as metrics: asked of the table now and then, for it is the
 * service's, not this process's. Every replica tells the same. */
#include "common/io/app_inside.h"
#include "common/io/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 5000 };

#define NAME "cardflow_stage_parked_waiting"
#define HELP "Records that wait for a person now, of all shards"

void parked_measure(struct frame *f)
{
    f->parked.other = cf_gauge_new(f->app.metrics, NAME, HELP, "reason", "other", NULL);
    f->parked.oldest = cf_gauge_new(f->app.metrics, "cardflow_stage_parked_oldest_seconds",
                                    "Age of the record that waits for a person longest", NULL);
}

/* Reasons are few and fixed texts; one too many counts as "other". */
static struct cf_gauge *gauge_of(struct frame *f, const char *reason)
{
    struct parked_view *v = &f->parked;
    char shown[sizeof v->reasons[0].reason];
    snprintf(shown, sizeof shown, "%s", reason);
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->reasons[i].reason, shown) == 0) return v->reasons[i].waiting;
    if (v->n == PARKED_REASONS) return v->other;
    struct parked_reason *r = &v->reasons[v->n++];
    memcpy(r->reason, shown, sizeof shown);
    r->waiting = cf_gauge_new(f->app.metrics, NAME, HELP, "reason", shown, NULL);
    return r->waiting;
}

static void told(void *arg, int e, const PGresult *res)
{
    struct frame *f = arg;
    double oldest = 0;
    f->parked.asking = false;
    if (e) return; /* what was known stays; that PostgreSQL is away shows elsewhere */
    for (size_t i = 0; i < f->parked.n; i++)
        cf_gauge_set(f->parked.reasons[i].waiting, 0);
    cf_gauge_set(f->parked.other, 0);
    for (int i = 0; i < PQntuples(res); i++) {
        cf_gauge_add(gauge_of(f, PQgetvalue(res, i, 0)), atof(PQgetvalue(res, i, 1)));
        double age = atof(PQgetvalue(res, i, 2));
        if (age > oldest) oldest = age;
    }
    f->parked.oldest_ms = (cf_ms)(oldest * 1000);
    cf_gauge_set(f->parked.oldest, oldest);
}

void parked_look(struct frame *f, cf_ms now)
{
    if (f->pg_state || f->parked.asking || now < f->parked.next) return;
    f->parked.next = now + LOOK_MS;
    f->parked.asking = cf_pgf_send(f->app.pg, f->s_parked, NULL, 0, told, f) == 0;
}
