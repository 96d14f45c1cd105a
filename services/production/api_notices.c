/* How many notices to banks are open, and how many cards wait for a person, as metrics: asked of the table now and then, for it is the
 * service's, not this process's. Every replica tells the same. */
#include "common/io/clock.h"
#include "common/io/stage/pgbin.h"
#include "services/production/api_inside.h"

enum { LOOK_MS = 5000 };

struct watch {
    struct production_front *front;
    struct cf_timer *timer;
    struct cf_gauge *open, *overdue, *oldest, *given_up, *given_up_oldest;
    bool asking;
};

static void told(void *arg, int e, const PGresult *res)
{
    struct watch *w = arg;
    w->asking = false;
    if (e || PQntuples(res) != 1) return; /* what was known stays */
    double overdue = atof(PQgetvalue(res, 0, 1));
    cf_gauge_set(w->overdue, overdue);
    cf_gauge_set(w->open, atof(PQgetvalue(res, 0, 0)) - overdue);
    cf_gauge_set(w->oldest, atof(PQgetvalue(res, 0, 2)) / 1000.0);
    cf_gauge_set(w->given_up, atof(PQgetvalue(res, 0, 3)));
    cf_gauge_set(w->given_up_oldest, atof(PQgetvalue(res, 0, 4)) / 1000.0);
}

static void look(void *arg, cf_ms now)
{
    struct watch *w = arg;
    char ms[8];
    const struct cf_str param = {ms, 8};
    (void)now;
    if (w->asking) return;
    cf_put64(ms, (uint64_t)cf_now_ms());
    w->asking = !cf_pgf_send(w->front->app->pg, PRODUCTION_NOTICES_OPEN, &param, 1, told, w);
}

static void watch_free(void *arg)
{
    struct watch *w = arg;
    cf_timer_free(w->timer);
    free(w);
}

void production_api_notices(struct production_front *front)
{
    static const char name[] = "cardflow_production_bank_notices_open";
    static const char help[] = "Notices to banks that were not acknowledged yet, of all shards";
    struct watch *w = cf_calloc(1, sizeof *w);
    struct cf_metrics *m = front->app->metrics;
    w->front = front;
    w->open = cf_gauge_new(m, name, help, "state", "waiting", NULL);
    w->overdue = cf_gauge_new(m, name, help, "state", "overdue", NULL);
    w->oldest = cf_gauge_new(m, "cardflow_production_bank_notices_oldest_seconds",
                             "Age of the notice that waits to be acknowledged longest", NULL);
    w->given_up = cf_gauge_new(m, "cardflow_production_given_up",
                               "Cards not made again by themselves: each waits for a person", NULL);
    w->given_up_oldest = cf_gauge_new(m, "cardflow_production_given_up_oldest_seconds",
                                      "Age of the one that waits longest for a person", NULL);
    w->timer = cf_timer_new(front->app->loop, look, w);
    cf_timer_every(w->timer, LOOK_MS);
    cf_http_own(front->app->http, w, watch_free);
}
