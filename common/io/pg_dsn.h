/* pg_dsn -- starting a connection to PostgreSQL without a look-up of names inside libpq.
 *
 * Errors   false or NULL: the DSN cannot be read
 */
#pragma once
#include "common/io/resolve.h"

#include <libpq-fe.h>

struct cf_pg_dsn {
    const char *dsn;
    char host[256]; /* to be looked up; empty: libpq needs no help, or gets none (host lists) */
    int port;
};

bool cf_pg_dsn_parse(const char *dsn, struct cf_pg_dsn *out);
/* Begins to connect, trying each address of found (NULL when host is empty). */
PGconn *cf_pg_connect_start(const struct cf_pg_dsn *dsn, const struct cf_addresses *found);
