#include "common/io/pg_front_own.h"

#include <stdio.h>
#include <stdlib.h>

enum { PARAMS = 64 };

/* ---- errors -------------------------------------------------------------------------------- */

static int error_of(const char *sqlstate)
{
    static const struct {
        const char *head;
        int e;
    } heads[] = {
        {"08",    CF_E_DB  },
        {"53",    CF_E_DB  },
        {"57",    CF_E_DB  },
        {"58",    CF_E_DB  },
        {"40",    CF_E_DB  },
        {"55P03", CF_E_DB  },
        {"25006", CF_E_DB  },
        {"22",    CF_E_DATA},
        {"23",    CF_E_DATA},
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
    struct cf_pgf_pending *p = &pg->ring[pg->first], done = *p;
    *p = (struct cf_pgf_pending){0};
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
    struct cf_pgf_pending *p = &pg->ring[pg->first];
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
        cf_pgf_link_up(pg);
        return true;
    }
    /* What follows the first error is only its consequence. */
    if (status == PGRES_FATAL_ERROR && !pg->prepare_error)
        pg->prepare_error = error_take(pg, name, res) == CF_E_DB ? CF_E_DB : CF_E_SQL;
    pg->prepared++;
    PQclear(res);
    return true;
}

bool cf_pgf_take_all(struct cf_pgf *pg)
{
    /* Each query ends with a null result; two in a row mean that there is nothing more. */
    int nulls = 0;
    while (nulls < 2 && !PQisBusy(pg->conn)) {
        PGresult *res = PQgetResult(pg->conn);
        nulls = res ? 0 : nulls + 1;
        if (res && !(pg->state == PGF_UP ? take(pg, res) : take_prepared(pg, res))) return false;
    }
    if (PQstatus(pg->conn) != CONNECTION_BAD) return true;
    snprintf(pg->why, sizeof pg->why, "connection lost");
    return false;
}

void cf_pgf_fail_all(struct cf_pgf *pg)
{
    while (pg->n) {
        struct cf_pgf_pending *p = &pg->ring[pg->first];
        PQclear(p->result);
        p->result = NULL;
        p->e = CF_E_UNKNOWN;
        pg->seen.lost++;
        finish(pg);
    }
}

/* ---- queries ------------------------------------------------------------------------------- */

static size_t bytes_of(int n, const char *const *values, const int *lengths, const int *formats)
{
    size_t bytes = 0;
    for (int i = 0; i < n; i++)
        if (values[i]) bytes += formats && formats[i] ? (size_t)lengths[i] : strlen(values[i]);
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
    if (pg->state != PGF_UP || full || cf_pgf_link_broken(pg)) {
        pg->seen.refused++;
        return CF_E_DB;
    }
    if (!PQsendQueryPrepared(pg->conn, s->name, n, values, lengths, formats, s->text ? 0 : 1)) {
        /* Nothing was queued: libpq refused parameters, or the connection is no more. */
        pg->seen.refused++;
        if (PQstatus(pg->conn) == CONNECTION_BAD) cf_pgf_link_break(pg);
        return CF_E_DB;
    }
    pg->ring[(pg->first + pg->n) % pg->conf.in_flight] =
        (struct cf_pgf_pending){.name = s->name, .done = done, .arg = arg, .bytes = bytes};
    pg->seen.in_flight_bytes += bytes;
    pg->seen.queries++;
    if (pg->n++ == 0) cf_pgf_link_heard(pg);
    /* From here on it counts as sent, so that its callback comes in any case. */
    if (!PQpipelineSync(pg->conn) || !cf_pgf_link_flush(pg)) cf_pgf_link_break(pg);
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
    return pg->state == PGF_UP;
}

const char *cf_pgf_why(const struct cf_pgf *pg)
{
    return pg->why;
}

void cf_pgf_view(const struct cf_pgf *pg, struct cf_pgf_view *out)
{
    *out = pg->seen;
    out->up = pg->state == PGF_UP;
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
    if (!pg->dsn.dsn) CF_BUG("out of memory");
    cf_pgf_link_start(pg);
    return pg;
}

struct cf_pgf *cf_pgf_new(struct event_base *base, const char *dsn,
                          const struct cf_pgf_statement *statements, size_t n)
{
    const struct cf_pgf_conf conf = {.dsn = dsn, .statements = statements, .n_statements = n};
    return cf_pgf_open(base, &conf);
}

void cf_pgf_free(struct cf_pgf *pg)
{
    if (!pg) return;
    if (pg->calling) CF_BUG("freed from inside its callback");
    cf_pgf_link_end(pg);
    cf_pgf_fail_all(pg);
    free((char *)(uintptr_t)pg->dsn.dsn);
    free(pg->ring);
    free(pg);
}
