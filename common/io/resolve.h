/* resolve -- host names to addresses without blocking the loop.
 *
 * libpq and hiredis look names up inside connect, where a dead name server holds the thread for
 * seconds; here the question runs on an event loop and can be given up.
 *
 * Errors   CF_E_NET (no such name, no answer)
 * Limits   numeric addresses and socket paths need no question and are answered at once
 */
#pragma once
#include "common/pure/error.h"

#include <stdbool.h>
#include <sys/socket.h>

struct event_base;
struct cf_resolve;

struct cf_address {
    struct sockaddr_storage to;
    socklen_t len;
};

/* Called once, from inside cf_resolve_start or later; to is NULL with an error. */
typedef void cf_resolved(void *arg, int e, const struct cf_address *to);

/* An absolute path is a Unix socket. NULL when the callback has been called already; else it may
 * be given up by cf_resolve_cancel until then. */
struct cf_resolve *cf_resolve_start(struct event_base *base, const char *host, int port,
                                    cf_resolved *resolved, void *arg);
/* The callback is not called any more. */
void cf_resolve_cancel(struct cf_resolve *r);
/* For threads without a loop: waits at most wait_ms. */
int cf_resolve_wait(const char *host, int port, int wait_ms, struct cf_address *out) CF_MUST;
