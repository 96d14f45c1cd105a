/* pg_front_own -- what pg_front.c (queries and answers) and pg_front_link.c (the connection) share.
 * Nobody else includes it. */
#pragma once
#include "common/io/pg_dsn.h"
#include "common/io/pg_front.h"

enum pgf_state { PGF_DOWN, PGF_RESOLVING, PGF_CONNECTING, PGF_PREPARING, PGF_UP };

/* A query that was sent, in the order of sending. Its result is kept until the answer to its sync:
 * only then has the server committed. */
struct cf_pgf_pending {
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
    struct event *again;   /* connect, or give up connecting */
    struct event *overdue; /* nothing heard */
    struct event *broken;  /* found out inside a query: handled at the end of the turn */
    struct event *readable, *writable; /* of this connection */
    enum pgf_state state;
    struct cf_resolve *resolving;
    PGconn *conn;
    int backoff_ms;
    size_t prepared; /* answers to the preparing so far */
    int prepare_error;
    struct cf_pgf_pending *ring;
    size_t first, n;
    int told; /* the last e given to conf.changed; -1: none */
    bool calling;
    struct cf_pgf_view seen;
    char why[160];
};

/* ---- pg_front.c ---------------------------------------------------------------------------- */

/* Takes results off the connection until it has no more; false when it is of no use any more. */
bool cf_pgf_take_all(struct cf_pgf *pg);
/* Queries without the answer to their sync may have been done or not: all CF_E_UNKNOWN. */
void cf_pgf_fail_all(struct cf_pgf *pg);

/* ---- pg_front_link.c ----------------------------------------------------------------------- */

/* Makes the timers; the first attempt to connect is the loop's next turn. */
void cf_pgf_link_start(struct cf_pgf *pg);
void cf_pgf_link_end(struct cf_pgf *pg);
/* The connection is good: no more attempts. */
void cf_pgf_link_up(struct cf_pgf *pg);
/* Notes that something was heard, or asked: the wait for an answer begins anew. */
void cf_pgf_link_heard(struct cf_pgf *pg);
/* Sends what libpq holds; the rest goes when the socket takes more. False: broken. */
bool cf_pgf_link_flush(struct cf_pgf *pg);
/* Gives the connection up at the end of this turn of the loop. */
void cf_pgf_link_break(struct cf_pgf *pg);
bool cf_pgf_link_broken(const struct cf_pgf *pg);
