#include "common/io/stage/pipe.h"

#include <stdio.h>
#include <stdlib.h>

int cf_pipe_statement(struct cf_pipe *p, const char *name, const char *sql)
{
    if (p->n_statements == CF_PIPE_STATEMENTS) CF_BUG("too many statements");
    p->statements[p->n_statements].name = name;
    p->statements[p->n_statements].sql = sql;
    return p->n_statements++;
}

void cf_pipe_close(struct cf_pipe *p)
{
    if (p->conn) PQfinish(p->conn);
    p->conn = NULL;
    p->sent = 0;
}

/* Keeps the server's primary message only: details may hold values of rows. */
static void keep_why(struct cf_pipe *p, const PGresult *r)
{
    const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    if (!text) text = p->conn ? PQerrorMessage(p->conn) : "no connection";
    snprintf(p->why, sizeof p->why, "%s %.200s", state ? state : "-----", text);
    size_t n = strlen(p->why);
    while (n && p->why[n - 1] == '\n')
        p->why[--n] = 0;
}

static int classify(struct cf_pipe *p, const PGresult *r, int at)
{
    const char *s = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    if (!s || PQstatus(p->conn) == CONNECTION_BAD) {
        p->broken = true;
        return CF_E_DB;
    }
    /* Only guards divide by zero: of the owner, or of the place a row was loaded from. */
    if (!strcmp(s, "22012")) return at < p->guards ? CF_E_FENCED : CF_E_DB;
    if (!strncmp(s, "57", 2)) p->broken = true;
    if (!strncmp(s, "08", 2) || !strncmp(s, "53", 2) || !strncmp(s, "57", 2) ||
        !strncmp(s, "40", 2) || !strncmp(s, "25", 2) || !strcmp(s, "55P03") || !strncmp(s, "58", 2))
        return CF_E_DB;
    if (!strncmp(s, "22", 2) || !strncmp(s, "23", 2) || !strncmp(s, "54", 2)) return CF_E_DATA;
    return CF_E_SQL;
}

static int open_session(struct cf_pipe *p)
{
    static const char settings[] =
        "set statement_timeout = '10s'; set lock_timeout = '2s';"
        "set idle_in_transaction_session_timeout = '10s';"
        /* Plans must not flip while tables grow from nothing: always the primary key. */
        "set plan_cache_mode = force_generic_plan; set enable_seqscan = off;"
        "set enable_hashjoin = off; set enable_mergejoin = off; set jit = off";
    PGresult *r = PQexec(p->conn, settings);
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;
    if (!ok) keep_why(p, r);
    PQclear(r);
    return ok ? 0 : CF_E_DB;
}

static int prepare_all(struct cf_pipe *p)
{
    for (int i = 0; i < p->n_statements; i++) {
        PGresult *r = PQprepare(p->conn, p->statements[i].name, p->statements[i].sql, 0, NULL);
        int e = 0;
        if (PQresultStatus(r) != PGRES_COMMAND_OK) {
            keep_why(p, r);
            const char *s = PQresultErrorField(r, PG_DIAG_SQLSTATE);
            /* A missing table or a typo is no outage. */
            e = s && !strncmp(s, "42", 2) ? CF_E_CONFIG : CF_E_DB;
        }
        PQclear(r);
        if (e) return e;
    }
    return 0;
}

int cf_pipe_open(struct cf_pipe *p)
{
    cf_pipe_close(p);
    p->broken = false;
    const char *keys[] = {"dbname",
                          "connect_timeout",
                          "keepalives_idle",
                          "keepalives_interval",
                          "keepalives_count",
                          "tcp_user_timeout",
                          NULL};
    const char *values[] = {p->dsn, "5", "5", "2", "3", "15000", NULL};
    p->conn = PQconnectdbParams(keys, values, 1);
    int e = PQstatus(p->conn) == CONNECTION_OK ? 0 : CF_E_DB;
    if (e) keep_why(p, NULL);
    if (!e) e = open_session(p);
    if (!e) e = prepare_all(p);
    if (!e && !PQenterPipelineMode(p->conn)) e = CF_E_DB;
    if (e) cf_pipe_close(p);
    return e;
}

static int lost(struct cf_pipe *p)
{
    keep_why(p, NULL);
    p->broken = true;
    return CF_E_DB;
}

int cf_pipe_send(struct cf_pipe *p, int statement, const struct cf_str *params, int n)
{
    const char *values[CF_PIPE_PARAMS];
    int lengths[CF_PIPE_PARAMS], formats[CF_PIPE_PARAMS];
    if (n > CF_PIPE_PARAMS) CF_BUG("too many parameters");
    if (!p->conn) return CF_E_DB;
    for (int i = 0; i < n; i++) {
        values[i] = params[i].ptr;
        lengths[i] = (int)params[i].len;
        formats[i] = 1;
    }
    p->sent++;
    return PQsendQueryPrepared(p->conn, p->statements[statement].name, n, values, lengths, formats,
                               1)
               ? 0
               : lost(p);
}

int cf_pipe_command(struct cf_pipe *p, const char *sql)
{
    if (!p->conn) return CF_E_DB;
    p->sent++;
    return PQsendQueryParams(p->conn, sql, 0, NULL, NULL, NULL, NULL, 1) ? 0 : lost(p);
}

int cf_pipe_sync(struct cf_pipe *p)
{
    if (!p->conn) return CF_E_DB;
    return PQpipelineSync(p->conn) ? 0 : lost(p);
}

int cf_pipe_result(struct cf_pipe *p, PGresult **out)
{
    *out = NULL;
    if (!p->conn) return CF_E_DB;
    PGresult *r = PQgetResult(p->conn);
    if (!r) return lost(p);
    int e = 0;
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_FATAL_ERROR) {
        keep_why(p, r);
        e = classify(p, r, 0);
    } else if (status == PGRES_PIPELINE_ABORTED) {
        e = CF_E_DB;
    }
    /* Each statement's results end with NULL. */
    if (!p->broken) {
        PGresult *end = PQgetResult(p->conn);
        if (end) {
            PQclear(end);
            if (PQstatus(p->conn) == CONNECTION_BAD) e = lost(p);
        }
    }
    if (e) {
        PQclear(r);
        r = NULL;
    }
    *out = r;
    return e;
}

int cf_pipe_finish(struct cf_pipe *p, int *at)
{
    int first = 0, index = 0;
    *at = -1;
    for (;;) {
        PGresult *r = p->conn && !p->broken ? PQgetResult(p->conn) : NULL;
        if (!r) {
            if (!p->conn || p->broken || PQstatus(p->conn) == CONNECTION_BAD) {
                if (!first) first = lost(p);
                p->sent = 0;
                return first;
            }
            index++;
            if (index > p->sent + 1) return lost(p);
            continue;
        }
        ExecStatusType status = PQresultStatus(r);
        if (status == PGRES_FATAL_ERROR && !first) {
            keep_why(p, r);
            *at = index;
            first = classify(p, r, index);
        }
        PQclear(r);
        if (status == PGRES_PIPELINE_SYNC) break;
    }
    p->sent = 0;
    return first;
}

/* After an error inside a transaction the session must leave it. */
static int roll_back(struct cf_pipe *p)
{
    int at;
    if (PQtransactionStatus(p->conn) == PQTRANS_IDLE) return 0;
    int e = cf_pipe_command(p, "rollback");
    if (!e) e = cf_pipe_sync(p);
    if (!e) e = cf_pipe_finish(p, &at);
    return e;
}

int cf_pipe_once(struct cf_pipe *p, int statement, const struct cf_str *params, int n,
                 PGresult **out)
{
    int at, e, late;
    *out = NULL;
    p->guards = 0;
    p->sent = 0;
    e = cf_pipe_send(p, statement, params, n);
    if (!e) e = cf_pipe_sync(p);
    if (!e) e = cf_pipe_result(p, out);
    if (p->conn && !p->broken) {
        late = cf_pipe_finish(p, &at);
        if (!e) e = late;
    }
    if (e && p->conn && !p->broken && roll_back(p)) p->broken = true;
    if (e) {
        PQclear(*out);
        *out = NULL;
    }
    return e;
}
