#include "common/io/pg_dsn.h"

#include "common/pure/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIST = 2400 };

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0) return options->val;
    return NULL;
}

bool cf_pg_dsn_parse(const char *dsn, struct cf_pg_dsn *out)
{
    *out = (struct cf_pg_dsn){.dsn = dsn, .port = 5432};
    PQconninfoOption *options = PQconninfoParse(dsn, NULL);
    if (!options) return false;
    const char *host = value_of(options, "host"), *port = value_of(options, "port");
    if (!host) host = getenv("PGHOST");
    struct cf_addresses numeric;
    bool look_up = host && *host && !value_of(options, "hostaddr") && !strchr(host, ',') &&
                   strlen(host) < sizeof out->host && *host != '/' && *host != '@' &&
                   !cf_address_numeric(host, 0, &numeric);
    if (look_up) snprintf(out->host, sizeof out->host, "%s", host);
    if (port) out->port = (int)strtol(port, NULL, 10);
    PQconninfoFree(options);
    return true;
}

/* "a,b" and "name,name": libpq wants as many hosts as addresses. */
static void lists(const struct cf_pg_dsn *dsn, const struct cf_addresses *found, char names[LIST],
                  char addresses[LIST])
{
    size_t names_len = 0, len = 0;
    names[0] = addresses[0] = 0;
    for (size_t i = 0; i < found->n; i++) {
        const struct sockaddr_storage *a = &found->at[i].to;
        char text[INET6_ADDRSTRLEN];
        const void *bytes = a->ss_family == AF_INET6
                                ? (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr
                                : (const void *)&((const struct sockaddr_in *)a)->sin_addr;
        if (!inet_ntop(a->ss_family, bytes, text, sizeof text)) continue;
        const char *comma = len ? "," : "";
        len += (size_t)snprintf(addresses + len, LIST - len, "%s%s", comma, text);
        names_len +=
            (size_t)snprintf(names + names_len, LIST - names_len, "%s%s", comma, dsn->host);
    }
}

PGconn *cf_pg_connect_start(const struct cf_pg_dsn *dsn, const struct cf_addresses *found)
{
    char names[LIST] = "", addresses[LIST] = "";
    if (found) lists(dsn, found, names, addresses);
    /* What stands before dbname yields to the DSN, what stands behind overrules it. A dead peer
     * must show within seconds, even on an idle connection. */
    const char *const keywords[] = {"keepalives_idle",
                                    "keepalives_interval",
                                    "keepalives_count",
                                    "tcp_user_timeout",
                                    "fallback_application_name",
                                    "dbname",
                                    "client_encoding",
                                    found ? "host" : NULL,
                                    "hostaddr",
                                    NULL};
    const char *const values[] = {"10",     "3",    "3",   "8000",    "cardflow-front",
                                  dsn->dsn, "UTF8", names, addresses, NULL};
    return PQconnectStartParams(keywords, values, 1);
}
