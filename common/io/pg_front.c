#include "common/io/pg_front.h"

#include "common/io/clock.h"
#include "common/io/ids.h"
#include "common/io/pg_dsn.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CONNECT_MS = 5000, /* for name, connection and preparing together */
    BACKOFF_MS = 50,
    BACKOFF_MAX_MS = 3000,
    PARAMS = 64
};

enum state { DOWN, RESOLVING, CONNECTING, PREPARING, UP };

/* A query that was sent, in the order of sending. Its result is kept until the answer to its sync:
 * only then has the server committed. */
struct pending {
    const char *name;
    cf_pgf_done *done;
    void *arg;
    size_t bytes;
    PGresult *result;
    int e;
};

struct cf_pgf {
    struct cf_pgf_conf conf;
    struct cf_pg_dsn dsn;
    struct event_base *base;
    struct event *again;    /* connect, or give up connecting */
    struct event *overdue;  /* nothing heard */
    struct event *broken;   /* found out inside a query: handled at the end of the turn */
    struct event *readable, *writable; /* of this connection */
    enum state state;
    struct cf_resolve *resolving;
    PGconn *conn;
    int backoff_ms;
    size_t prepared;  /* answers to the preparing so far */
    int prepare_error;
    struct pending *ring;
    size_t first, n;
    int told; /* the last e given to conf.changed; -1: none */
    bool calling;
    struct cf_pgf_view seen;
    char why[160];
};

static void lost(struct cf_pgf *pg, int e);
static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

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

/* ---- errors -------------------------------------------------------------------------------- */

static int error_of(const char *sqlstate)
{
    static const struct {
        const char *head;
        int e;
    } heads[] = {
        {"08", CF_E_DB}, {"53", CF_E_DB}, {"57", CF_E_DB}, {"58", CF_E_DB},   {"40", CF_E_DB},
        {"55P03", CF_E_DB}, {"25006", CF_E_DB}, {"22", CF_E_DATA}, {"23", CF_E_DATA},
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (strncmp(sqlstate, heads[i].head, strlen(heads[i].head)) == 0) return heads[i].e;
    return CF_E_SQL;
}

/* The server's text may quote values, so only code and constraint are kept. */
static int error_take(struct cf_pgf *pg, const char *name, const PGresult *res)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
    if (!state) state = "08006"; /* made by libpq itself: the connection */
    snprintf(pg->why, sizeof pg->why, "statement %s: SQLSTATE %s%s%s", name, state,
             constraint ? " " : "", constraint ? constraint : "");
    return error_of(state);
}

/* ---- answers ------------------------------------------------------------------------------- */

static void finish(struct cf_pgf *pg)
{
    struct pending *p = &pg->ring[pg->first], done = *p;
    *p = (struct pending){0};
    pg->first = (pg->first + 1) % pg->conf.in_flight;
    pg->n--;
    pg->seen.in_flight_bytes -= done.bytes;
    if (done.e) pg->seen.failed++;
    if (!done.e && !done.result) done.e = CF_E_SQL;
    pg->calling = true;
    done.done(done.arg, done.e, done.e ? NULL : done.result);
    pg->calling = false;
    PQclear(done.result);
}

/* One result while up; false when the connection is of no use any more. */
static bool take(struct cf_pgf *pg, PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);
    if (pg->n == 0) {
        PQclear(res);
        snprintf(pg->why, sizeof pg->why, "an answer to no question");
        return false;
    }
    struct pending *p = &pg->ring[pg->first];
    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(res);
        finish(pg);
        return true;
    }
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        PQclear(p->result);
        p->result = res;
        return true;
    }
    bool copy = status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
    if (copy) snprintf(pg->why, sizeof pg->why, "statement %s: COPY is not possible here", p->name);
    p->e = copy ? CF_E_SQL : error_take(pg, p->name, res);
    PQclear(res);
    return !copy;
}

/* One result while statements are prepared. */
static bool take_prepared(struct cf_pgf *pg, PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);
    size_t i = pg->prepared;
    const char *name = i && i <= pg->conf.n_statements ? pg->conf.statements[i - 1].name : "set";
    if (status == PGRES_PIPELINE_SYNC) {
        PQclear(res);
        if (pg->prepare_error) return false;
        pg->state = UP;
        pg->backoff_ms = BACKOFF_MS;
        pg->seen.connects++;
        pg->why[0] = 0;
        event_del(pg->again);
        tell(pg, 0);
        return true;
    }
    /* What follows the first error is only its consequence. */
    if (status == PGRES_FATAL_ERROR && !pg->prepare_error)
        pg->prepare_error = error_take(pg, name, res) == CF_E_DB ? CF_E_DB : CF_E_SQL;
    pg->prepared++;
    PQclear(res);
    return true;
}

static void heard(struct cf_pgf *pg)
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
        snprintf(pg->why, sizeof pg->why, "connection lost");
        lost(pg, CF_E_DB);
        return;
    }
    /* Each query ends with a null result; two in a row mean that there is nothing more. */
    int nulls = 0;
    while (nulls < 2 && !PQisBusy(pg->conn)) {
        PGresult *res = PQgetResult(pg->conn);
        if (!res) {
            nulls++;
            continue;
        }
        nulls = 0;
        if (!(pg->state == UP ? take(pg, res) : take_prepared(pg, res))) {
            lost(pg, pg->prepare_error ? pg->prepare_error : CF_E_DB);
            return;
        }
    }
    if (PQstatus(pg->conn) == CONNECTION_BAD) {
        snprintf(pg->why, sizeof pg->why, "connection lost");
        lost(pg, CF_E_DB);
        return;
    }
    heard(pg);
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
    pg->state = DOWN;
    event_del(pg->overdue);
    event_del(pg->broken);
}

/* Queries without the answer to their sync may have been done or not. */
static void fail_all(struct cf_pgf *pg)
{
    while (pg->n) {
        struct pending *p = &pg->ring[pg->first];
        PQclear(p->result);
        p->result = NULL;
        p->e = CF_E_UNKNOWN;
        pg->seen.lost++;
        finish(pg);
    }
}

static void lost(struct cf_pgf *pg, int e)
{
    uint32_t random;
    connection_end(pg);
    cf_random(&random, sizeof random);
    timer_set(pg->again, pg->backoff_ms / 2 + (cf_ms)(random % (uint32_t)pg->backoff_ms));
    pg->backoff_ms = pg->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : pg->backoff_ms * 2;
    tell(pg, e);
    fail_all(pg);
}

/* Sends what libpq holds; the rest goes when the socket takes more. */
static bool flush(struct cf_pgf *pg)
{
    int left = PQflush(pg->conn);
    if (left > 0) event_add(pg->writable, NULL);
    return left >= 0;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_pgf *pg = arg;
    if (flush(pg)) return;
    snprintf(pg->why, sizeof pg->why, "connection lost");
    lost(pg, CF_E_DB);
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
    pg->state = PREPARING;
    return good && PQpipelineSync(pg->conn) && flush(pg);
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
    snprintf(pg->why, sizeof pg->why, "connection lost");
    lost(pg, CF_E_DB);
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
    case PGRES_POLLING_READING: connect_wait(pg, EV_READ); break;
    case PGRES_POLLING_WRITING:
    case PGRES_POLLING_ACTIVE: connect_wait(pg, EV_WRITE); break;
    case PGRES_POLLING_OK: connected(pg); break;
    case PGRES_POLLING_FAILED: connect_failed(pg); break;
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
        snprintf(pg->why, sizeof pg->why, "no address for its name");
        lost(pg, CF_E_DB);
        return;
    }
    pg->state = CONNECTING;
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
    if (pg->state != DOWN) {
        snprintf(pg->why, sizeof pg->why, "does not take the connection in time");
        lost(pg, CF_E_DB);
        return;
    }
    pg->state = RESOLVING;
    timer_set(pg->again, CONNECT_MS);
    if (pg->dsn.host[0])
        pg->resolving =
            cf_resolve_start(pg->base, pg->dsn.host, pg->dsn.port, on_resolved, pg);
    else
        on_resolved(pg, 0, NULL);
}

static void on_overdue(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_pgf *pg = arg;
    snprintf(pg->why, sizeof pg->why, "does not answer");
    lost(pg, CF_E_DB);
}

static void on_broken(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_pgf *pg = arg;
    snprintf(pg->why, sizeof pg->why, "connection lost");
    lost(pg, CF_E_DB);
}

/* ---- queries ------------------------------------------------------------------------------- */

static size_t bytes_of(int n, const char *const *values, const int *lengths, const int *formats)
{
    size_t bytes = 0;
    for (int i = 0; i < n; i++)
        if (values[i])
            bytes += formats && formats[i] ? (size_t)lengths[i] : strlen(values[i]);
    return bytes;
}

int cf_pgf_query(struct cf_pgf *pg, size_t statement, int n, const char *const *values,
                 const int *lengths, const int *formats, cf_pgf_done *done, void *arg)
{
    if (statement >= pg->conf.n_statements) CF_BUG("no such statement");
    const struct cf_pgf_statement *s = &pg->conf.statements[statement];
    size_t bytes = bytes_of(n, values, lengths, formats);
    bool full = pg->n == pg->conf.in_flight ||
                (pg->n && pg->seen.in_flight_bytes + bytes > pg->conf.in_flight_bytes);
    if (pg->state != UP || full || event_pending(pg->broken, EV_TIMEOUT, NULL)) {
        pg->seen.refused++;
        return CF_E_DB;
    }
    if (!PQsendQueryPrepared(pg->conn, s->name, n, values, lengths, formats, s->text ? 0 : 1)) {
        /* Nothing was queued: libpq refused parameters, or the connection is no more. */
        pg->seen.refused++;
        if (PQstatus(pg->conn) == CONNECTION_BAD) event_active(pg->broken, EV_TIMEOUT, 0);
        return CF_E_DB;
    }
    pg->ring[(pg->first + pg->n) % pg->conf.in_flight] =
        (struct pending){.name = s->name, .done = done, .arg = arg, .bytes = bytes};
    pg->seen.in_flight_bytes += bytes;
    pg->seen.queries++;
    if (pg->n++ == 0) heard(pg);
    /* From here on it counts as sent, so that its callback comes in any case. */
    if (!PQpipelineSync(pg->conn) || !flush(pg)) event_active(pg->broken, EV_TIMEOUT, 0);
    return 0;
}

int cf_pgf_send(struct cf_pgf *pg, size_t statement, const struct cf_str *params, int n,
                cf_pgf_done *done, void *arg)
{
    const char *values[PARAMS];
    int lengths[PARAMS], formats[PARAMS];
    if (n > PARAMS) CF_BUG("too many parameters");
    for (int i = 0; i < n; i++) {
        if (params[i].len > INT32_MAX) return CF_E_DATA;
        values[i] = params[i].ptr;
        lengths[i] = (int)params[i].len;
        formats[i] = 1;
    }
    return cf_pgf_query(pg, statement, n, values, lengths, formats, done, arg);
}

/* ---- life ---------------------------------------------------------------------------------- */

bool cf_pgf_up(const struct cf_pgf *pg)
{
    return pg->state == UP;
}

const char *cf_pgf_why(const struct cf_pgf *pg)
{
    return pg->why;
}

void cf_pgf_view(const struct cf_pgf *pg, struct cf_pgf_view *out)
{
    *out = pg->seen;
    out->up = pg->state == UP;
    out->in_flight = pg->n;
}

struct cf_pgf *cf_pgf_open(struct event_base *base, const struct cf_pgf_conf *conf)
{
    struct cf_pg_dsn dsn;
    if (!cf_pg_dsn_parse(conf->dsn, &dsn)) return NULL;
    struct cf_pgf *pg = cf_calloc(1, sizeof *pg);
    pg->base = base;
    pg->conf = *conf;
    if (!pg->conf.statement_timeout_ms) pg->conf.statement_timeout_ms = 3000;
    if (!pg->conf.answer_timeout_ms)
        pg->conf.answer_timeout_ms = pg->conf.statement_timeout_ms + 1000;
    if (!pg->conf.in_flight) pg->conf.in_flight = 1024;
    if (!pg->conf.in_flight_bytes) pg->conf.in_flight_bytes = 32u << 20;
    pg->dsn = dsn;
    pg->dsn.dsn = strdup(conf->dsn);
    pg->ring = cf_calloc(pg->conf.in_flight, sizeof *pg->ring);
    pg->backoff_ms = BACKOFF_MS;
    pg->told = -1;
    pg->again = evtimer_new(base, on_again, pg);
    pg->overdue = evtimer_new(base, on_overdue, pg);
    pg->broken = evtimer_new(base, on_broken, pg);
    if (!pg->dsn.dsn || !pg->again || !pg->overdue || !pg->broken) CF_BUG("out of memory");
    snprintf(pg->why, sizeof pg->why, "not yet connected");
    timer_set(pg->again, 0);
    return pg;
}

struct cf_pgf *cf_pgf_new(struct event_base *base, const char *dsn,
                          const struct cf_pgf_statement *statements, size_t n)
{
    return cf_pgf_open(base, &(struct cf_pgf_conf){
                                 .dsn = dsn, .statements = statements, .n_statements = n});
}

void cf_pgf_free(struct cf_pgf *pg)
{
    if (!pg) return;
    if (pg->calling) CF_BUG("freed from inside its callback");
    connection_end(pg);
    fail_all(pg);
    event_free(pg->again);
    event_free(pg->overdue);
    event_free(pg->broken);
    free((char *)(uintptr_t)pg->dsn.dsn);
    free(pg->ring);
    free(pg);
}
