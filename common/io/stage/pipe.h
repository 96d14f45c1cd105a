/* pipe -- a PostgreSQL connection in pipeline mode, for the stage thread.
 *
 * Statements are prepared by name at connect, so that a typo fails at start. One trip: send
 * statements, sync, read the results in order. libpq's blocking mode reads while it writes, so
 * neither side can fill both buffers.
 *
 * Errors   CF_E_DB (connection, server shutting down, resources, locks, conflicts: run the batch
 *          again), CF_E_UNKNOWN (connection lost with the commit under way), CF_E_FENCED (a
 *          guard divided by zero; elsewhere that is CF_E_DB), CF_E_DATA (SQLSTATE class 22 or 23), CF_E_SQL (anything else)
 */
#pragma once
#include "common/pure/error.h"
#include "common/pure/str.h"

#include <libpq-fe.h>

enum { CF_PIPE_STATEMENTS = 128, CF_PIPE_PARAMS = 64 };

struct cf_pipe {
    PGconn *conn;
    const char *dsn;
    struct {
        const char *name, *sql;
    } statements[CF_PIPE_STATEMENTS];
    int n_statements;
    int sent;   /* statements of this trip */
    int guards; /* the first so many are guards */
    bool broken;
    char why[256]; /* of the last error; server texts without values */
};

/* Adds a statement before cf_pipe_open; its index. */
int cf_pipe_statement(struct cf_pipe *p, const char *name, const char *sql);
int cf_pipe_open(struct cf_pipe *p) CF_MUST;
void cf_pipe_close(struct cf_pipe *p);

/* Binary parameters; a NULL ptr is null. */
int cf_pipe_send(struct cf_pipe *p, int statement, const struct cf_str *params, int n) CF_MUST;
/* Plain text command: begin, commit. */
int cf_pipe_command(struct cf_pipe *p, const char *sql) CF_MUST;
int cf_pipe_sync(struct cf_pipe *p) CF_MUST;
/* The result of the next statement (clear it), or an error. */
int cf_pipe_result(struct cf_pipe *p, PGresult **out) CF_MUST;
/* Reads all results up to the sync; the first error among them. `at` is where it was. */
int cf_pipe_finish(struct cf_pipe *p, int *at) CF_MUST;
/* One statement as a trip of its own; *out is NULL on error. */
int cf_pipe_once(struct cf_pipe *p, int statement, const struct cf_str *params, int n,
                 PGresult **out) CF_MUST;
