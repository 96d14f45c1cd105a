/* pg_front -- the front thread's PostgreSQL connection: pipelined, on the loop, never blocking.
 *
 * One connection. Statements are prepared by name after each connect, so that a typo shows at
 * start. Each query is a transaction of its own; its callback comes after its commit.
 *
 * Units    ms
 * Owns     parameters are copied before a query returns; a result lives in its callback only
 * Errors   CF_E_DB (refused: not connected or too much under way; or the server says try again),
 *          CF_E_UNKNOWN (sent, and the connection was lost or timed out: it may have been done),
 *          CF_E_DATA (SQLSTATE class 22 or 23), CF_E_SQL (any other). cf_pgf_why says where,
 *          without values
 * Limits   results are binary unless the statement says text; no COPY, no multi-row streaming
 * Source   libpq 15, pipeline mode
 */
#pragma once
#include "common/pure/error.h"
#include "common/pure/str.h"

#include <libpq-fe.h>

struct event_base;
struct cf_pgf;

struct cf_pgf_statement {
    const char *name, *sql;
    bool text; /* results as text; else binary (see common/io/stage/pgbin.h) */
};

/* res is NULL when e is not 0. Called once for each accepted query, in their order, never from
 * inside cf_pgf_query. May send more queries; must not free the connection. */
typedef void cf_pgf_done(void *arg, int e, const PGresult *res);
/* Called when e changes. 0: up. CF_E_DB: away. CF_E_SQL: connected, but a statement cannot be
 * prepared (tried again: a migration may be on its way). */
typedef void cf_pgf_changed(void *arg, int e, const char *why);

struct cf_pgf_conf {
    const char *dsn;
    const struct cf_pgf_statement *statements; /* must outlive the connection */
    size_t n_statements;
    int statement_timeout_ms; /* 0: 3000; the server gives up */
    int answer_timeout_ms;    /* 0: statement timeout + 1000; nothing heard for so long with
                               * queries under way: the connection is given up */
    size_t in_flight;         /* queries; 0: 1024 */
    size_t in_flight_bytes;   /* of parameters; 0: 32 MiB; one query alone may be larger */
    cf_pgf_changed *changed;  /* may be NULL */
    void *arg;
};

struct cf_pgf_view {
    bool up;
    size_t in_flight, in_flight_bytes;
    uint64_t queries, refused, failed, lost, connects;
};

/* Not from inside a callback. What is under way is called with CF_E_UNKNOWN. */
void cf_pgf_free(struct cf_pgf *pg);
/* Connects by itself, with backoff and jitter, for ever. NULL when the DSN cannot be read. */
struct cf_pgf *cf_pgf_open(struct event_base *base, const struct cf_pgf_conf *conf)
    CF_FREED_BY(cf_pgf_free);
/* The same with defaults. */
struct cf_pgf *cf_pgf_new(struct event_base *base, const char *dsn,
                          const struct cf_pgf_statement *statements, size_t n)
    CF_FREED_BY(cf_pgf_free);

/* Parameters as PQsendQueryPrepared takes them (formats: 0 text, 1 binary; NULL: all text).
 * Not 0: refused, and done is not called. */
int cf_pgf_query(struct cf_pgf *pg, size_t statement, int n, const char *const *values,
                 const int *lengths, const int *formats, cf_pgf_done *done, void *arg) CF_MUST;
/* All parameters binary; a NULL ptr is null. */
int cf_pgf_send(struct cf_pgf *pg, size_t statement, const struct cf_str *params, int n,
                cf_pgf_done *done, void *arg) CF_MUST;

bool cf_pgf_up(const struct cf_pgf *pg);
/* Of the last error: statement, SQLSTATE, constraint; never a value. */
const char *cf_pgf_why(const struct cf_pgf *pg);
void cf_pgf_view(const struct cf_pgf *pg, struct cf_pgf_view *out);

/* A value as text with its length; ptr NULL when it is null. */
static inline struct cf_str cf_pgf_get(const PGresult *res, int row, int column)
{
    if (PQgetisnull(res, row, column)) return (struct cf_str){0};
    return (struct cf_str){PQgetvalue(res, row, column), (size_t)PQgetlength(res, row, column)};
}
