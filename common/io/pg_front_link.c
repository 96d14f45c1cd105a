#include "common/io/clock.h"
#include "common/io/ids.h"
#include "common/io/pg_front_own.h"

#include <event2/event.h>
#include <stdio.h>

enum {
    CONNECT_MS = 5000, /* for name, connection and preparing together */
    BACKOFF_MS = 50,
    BACKOFF_MAX_MS = 3000
};

static void timer_set(struct event *timer, cf_ms ms)
{
    const struct timeval after = {ms / 1000, ms % 1000 * 1000};
    event_add(timer, &after);
}

static void tell(struct cf_pgf *pg, int e)
{
    if (pg->told == e) return;
    pg->told = e;
    if (pg->conf.changed) pg->conf.changed(pg->conf.arg, e, e ? pg->why : "");
}

/* ---- the connection ------------------------------------------------------------------------ */

static void events_free(struct cf_pgf *pg)
{
    if (pg->readable) event_free(pg->readable);
    if (pg->writable) event_free(pg->writable);
    pg->readable = pg->writable = NULL;
}

static void connection_end(struct cf_pgf *pg)
{
    cf_resolve_cancel(pg->resolving);
    pg->resolving = NULL;
    events_free(pg);
    if (pg->conn) PQfinish(pg->conn);
    pg->conn = NULL;
    pg->state = PGF_DOWN;
    event_del(pg->overdue);
    event_del(pg->broken);
}

static void lost(struct cf_pgf *pg, int e)
{
    uint32_t random;
    connection_end(pg);
    cf_random(&random, sizeof random);
    timer_set(pg->again, pg->backoff_ms / 2 + (cf_ms)(random % (uint32_t)pg->backoff_ms));
    pg->backoff_ms = pg->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : pg->backoff_ms * 2;
    tell(pg, e);
    cf_pgf_fail_all(pg);
}

static void lost_because(struct cf_pgf *pg, const char *why)
{
    snprintf(pg->why, sizeof pg->why, "%s", why);
    lost(pg, CF_E_DB);
}

void cf_pgf_link_heard(struct cf_pgf *pg)
{
    if (pg->n)
        timer_set(pg->overdue, pg->conf.answer_timeout_ms);
    else
        event_del(pg->overdue);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_pgf *pg = arg;
    if (!PQconsumeInput(pg->conn)) {
        lost_because(pg, "connection lost");
        return;
    }
    if (cf_pgf_take_all(pg))
        cf_pgf_link_heard(pg);
    else
        lost(pg, pg->prepare_error ? pg->prepare_error : CF_E_DB);
}

bool cf_pgf_link_flush(struct cf_pgf *pg)
{
    int left = PQflush(pg->conn);
    if (left > 0) event_add(pg->writable, NULL);
    return left >= 0;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_pgf *pg = arg;
    if (cf_pgf_link_flush(pg)) return;
    lost_because(pg, "connection lost");
}

/* Prepares everything in one trip. */
static bool prepare(struct cf_pgf *pg)
{
    char ms[16];
    const char *const values[] = {ms};
    snprintf(ms, sizeof ms, "%d", pg->conf.statement_timeout_ms);
    bool good = PQsetnonblocking(pg->conn, 1) == 0 && PQenterPipelineMode(pg->conn) &&
                PQsendQueryParams(pg->conn, "select set_config('statement_timeout', $1, false)", 1,
                                  NULL, values, NULL, NULL, 0);
    for (size_t i = 0; good && i < pg->conf.n_statements; i++)
        good = PQsendPrepare(pg->conn, pg->conf.statements[i].name, pg->conf.statements[i].sql, 0,
                             NULL);
    pg->prepared = 0;
    pg->prepare_error = 0;
    pg->state = PGF_PREPARING;
    return good && PQpipelineSync(pg->conn) && cf_pgf_link_flush(pg);
}

static void connected(struct cf_pgf *pg)
{
    int fd = PQsocket(pg->conn);
    events_free(pg);
    pg->readable = event_new(pg->base, fd, EV_READ | EV_PERSIST, on_readable, pg);
    pg->writable = event_new(pg->base, fd, EV_WRITE, on_writable, pg);
    if (!pg->readable || !pg->writable) CF_BUG("no event");
    event_add(pg->readable, NULL);
    if (prepare(pg)) return;
    lost_because(pg, "connection lost");
}

static void on_connecting(evutil_socket_t fd, short what, void *arg);

/* libpq may use another socket after each step. */
static void connect_wait(struct cf_pgf *pg, short what)
{
    events_free(pg);
    pg->readable = event_new(pg->base, PQsocket(pg->conn), what, on_connecting, pg);
    if (!pg->readable) CF_BUG("no event");
    event_add(pg->readable, NULL);
}

static void connect_failed(struct cf_pgf *pg)
{
    const char *text = pg->conn ? PQerrorMessage(pg->conn) : "out of memory";
    snprintf(pg->why, sizeof pg->why, "cannot connect: %.*s", (int)strcspn(text, "\n"), text);
    lost(pg, CF_E_DB);
}

static void on_connecting(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_pgf *pg = arg;
    switch (PQconnectPoll(pg->conn)) {
    case PGRES_POLLING_READING:
        connect_wait(pg, EV_READ);
        break;
    case PGRES_POLLING_WRITING:
    case PGRES_POLLING_ACTIVE:
        connect_wait(pg, EV_WRITE);
        break;
    case PGRES_POLLING_OK:
        connected(pg);
        break;
    case PGRES_POLLING_FAILED:
        connect_failed(pg);
        break;
    }
}

/* Notices may quote values too; libpq would print them. */
static void no_notice(void *arg, const PGresult *res)
{
    (void)arg, (void)res;
}

static void on_resolved(void *arg, int e, const struct cf_addresses *found)
{
    struct cf_pgf *pg = arg;
    pg->resolving = NULL;
    if (e) {
        lost_because(pg, "no address for its name");
        return;
    }
    pg->state = PGF_CONNECTING;
    pg->conn = cf_pg_connect_start(&pg->dsn, found);
    if (!pg->conn || PQstatus(pg->conn) == CONNECTION_BAD) {
        connect_failed(pg);
        return;
    }
    PQsetNoticeReceiver(pg->conn, no_notice, NULL);
    connect_wait(pg, EV_WRITE);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_pgf *pg = arg;
    if (pg->state != PGF_DOWN) {
        lost_because(pg, "does not take the connection in time");
        return;
    }
    pg->state = PGF_RESOLVING;
    timer_set(pg->again, CONNECT_MS);
    if (pg->dsn.host[0])
        pg->resolving = cf_resolve_start(pg->base, pg->dsn.host, pg->dsn.port, on_resolved, pg);
    else
        on_resolved(pg, 0, NULL);
}

static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_pgf *pg = arg;
    lost_because(pg, "does not answer");
}

static void on_broken(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_pgf *pg = arg;
    lost_because(pg, "connection lost");
}

/* ---- for pg_front.c ------------------------------------------------------------------------ */

void cf_pgf_link_up(struct cf_pgf *pg)
{
    pg->state = PGF_UP;
    pg->backoff_ms = BACKOFF_MS;
    pg->seen.connects++;
    pg->why[0] = 0;
    event_del(pg->again);
    tell(pg, 0);
}

void cf_pgf_link_break(struct cf_pgf *pg)
{
    event_active(pg->broken, EV_TIMEOUT, 0);
}

bool cf_pgf_link_broken(const struct cf_pgf *pg)
{
    return event_pending(pg->broken, EV_TIMEOUT, NULL) != 0;
}

void cf_pgf_link_start(struct cf_pgf *pg)
{
    pg->backoff_ms = BACKOFF_MS;
    pg->told = -1;
    pg->again = evtimer_new(pg->base, on_again, pg);
    pg->overdue = evtimer_new(pg->base, on_overdue, pg);
    pg->broken = evtimer_new(pg->base, on_broken, pg);
    if (!pg->again || !pg->overdue || !pg->broken) CF_BUG("no event");
    snprintf(pg->why, sizeof pg->why, "not yet connected");
    timer_set(pg->again, 0);
}

void cf_pgf_link_end(struct cf_pgf *pg)
{
    connection_end(pg);
    event_free(pg->again);
    event_free(pg->overdue);
    event_free(pg->broken);
}
