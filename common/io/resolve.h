/* resolve -- host names to addresses without blocking the loop.
 *
 * libpq and hiredis look names up inside connect, where a dead name server holds the thread for
 * seconds; here the question runs on an event loop and can be given up.
 *
 * Errors   CF_E_NET (no such name, no answer)
 * Limits   numeric addresses and paths of Unix sockets need no question
 */
#pragma once
#include "common/pure/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct event_base;
struct cf_resolve;

enum { CF_ADDRESSES_MAX = 8 };

/* All addresses of a name: a server may listen on one of them only, so callers try each. */
struct cf_addresses {
    size_t n;
    struct {
        struct sockaddr_storage to;
        socklen_t len;
    } at[CF_ADDRESSES_MAX];
};

/* Takes a numeric address or an absolute path (Unix socket; port is not used). False: a name. */
bool cf_address_numeric(const char *host, int port, struct cf_addresses *out);

/* Called once on the loop, never from inside cf_resolve_start; found is NULL with an error. */
typedef void cf_resolved(void *arg, int e, const struct cf_addresses *found);

/* Ended by its callback, or by cf_resolve_cancel before that. */
struct cf_resolve *cf_resolve_start(struct event_base *base, const char *host, int port,
                                    cf_resolved *resolved, void *arg);
/* The callback is not called any more. NULL is allowed. */
void cf_resolve_cancel(struct cf_resolve *r);
/* For threads without a loop: waits at most wait_ms. */
int cf_resolve_wait(const char *host, int port, int wait_ms, struct cf_addresses *out) CF_MUST;
