#include "common/io/retention.h"

#include <stdlib.h>

#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/stage/pgbin.h"

enum { MORE_MAX = 4096 };

#define DAY_MS INT64_C(86400000)

struct retention {
    struct cf_app *app;
    struct cf_timer *timer;
    struct cf_buf more;
    int64_t days;
    size_t statement;
    bool running;
};

static void look(struct retention *r);

static void deleted(void *arg, int e, const PGresult *res)
{
    struct retention *r = arg;
    r->running = false;
    if (e || PQntuples(res) != 1) return; /* again when the timer comes round */
    uint64_t n = cf_get64(PQgetvalue(res, 0, 0));
    if (n) cf_log(LOG_INFO, "papers.deleted", F("count", n));
    if (*PQgetvalue(res, 0, 1)) look(r);
}

static void look(struct retention *r)
{
    char before[8];
    cf_put64(before, (uint64_t)(cf_now_ms() - r->days * DAY_MS));
    const struct cf_str params[] = {{before, 8}, cf_buf_str(&r->more)};
    int n = r->more.len ? 2 : 1;
    r->running = !cf_pgf_send(r->app->pg, r->statement, params, n, deleted, r);
}

static void due(void *arg, cf_ms now)
{
    struct retention *r = arg;
    (void)now;
    if (!r->running) look(r);
}

static void retention_free(void *arg)
{
    struct retention *r = arg;
    cf_timer_free(r->timer);
    cf_buf_free(&r->more);
    free(r);
}

void cf_retention_new(struct cf_app *app, size_t statement, int64_t days, cf_ms period,
                      struct cf_str more)
{
    struct retention *r = cf_calloc(1, sizeof *r);
    *r = (struct retention){.app = app, .statement = statement, .days = days};
    cf_buf_init(&r->more, MORE_MAX);
    if (!cf_buf_adds(&r->more, more)) CF_BUG("a parameter that is too long");
    r->timer = cf_timer_new(app->loop, due, r);
    cf_timer_every(r->timer, period);
    cf_http_own(app->http, r, retention_free);
}
