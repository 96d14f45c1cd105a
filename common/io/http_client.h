/* http_client -- calls to one partner over HTTP/1.1, on the loop.
 *
 * Shapes   one struct cf_partner per partner: a pool of keep-alive connections and a bounded queue
 * Units    ms; a call has one absolute deadline from cf_partner_call() to its last byte, waiting in
 *          the queue included
 * Owns     path, headers and body of a call are copied; a result is valid only during the call of
 *          `done`. `done` is called exactly once, never from inside cf_partner_call(), with the
 *          outcome; freeing a partner ends its calls with "stopped".
 * Errors   CF_E_NET from cf_partner_call: the queue is full, `done` will not be called. In results
 *          status 0 means no valid answer came, `why` says: timeout, refused, closed, too_large,
 *          malformed, stopped (a malformed chunk size counts as too_large). The
 *          effect at the partner is then unknown.
 * Threads  the loop's thread only
 */
#pragma once
#include "common/io/loop.h"
#include "common/pure/error.h"

struct cf_partner;

struct cf_partner_conf {
    const char *name;          /* for logs: "police" */
    const char *url;           /* "http://host:port" and maybe a path before those of the calls */
    const char *authorization; /* value of the header, or NULL */
    int max_connections;       /* 0: 8 */
    int max_queued;            /* 0: 1000; waiting for a connection */
    cf_ms timeout_ms;          /* 0: 5000 */
    size_t answer_max;         /* 0: 1 MiB */
};

struct cf_call_header {
    const char *name;
    struct cf_str value;
};

struct cf_call {
    const char *method; /* "GET", "POST", "PUT" */
    const char *path;   /* "/v1/photos", with query */
    const char *type;   /* of the body */
    struct cf_str body;
    struct cf_call_header headers[6]; /* as far as name is not NULL */
    cf_ms timeout_ms;                 /* 0: the partner's */
};

struct cf_call_result {
    int status;      /* 0: no answer */
    const char *why; /* a literal; NULL with an answer */
    struct cf_str type, body;
    int retry_after_s; /* 0 without */
    cf_ms took_ms;
};

typedef void cf_call_done(void *arg, const struct cf_call_result *result);

void cf_partner_free(struct cf_partner *p);
/* CF_E_CONFIG: the url is not http://host[:port][/path]. */
int cf_partner_new(struct cf_loop *loop, const struct cf_partner_conf *conf,
                   struct cf_partner **out) CF_MUST;
int cf_partner_call(struct cf_partner *p, const struct cf_call *call, cf_call_done *done,
                    void *arg) CF_MUST;
/* Calls under way and waiting. */
size_t cf_partner_open(const struct cf_partner *p);
