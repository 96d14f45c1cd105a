/* http_internal -- what the files of the HTTP server share; nobody else includes it.
 *
 *   http_listen.c   the listener
 *   http_server.c   routes, what may pass, deadlines
 *   http_conn.c     a connection: bytes in, bytes out, one request after the other
 *   http_request.c  what a handler may ask
 *   http_answer.c   what a handler may answer
 */
#pragma once
#include "common/io/http_parse.h"
#include "common/io/http_server.h"

#include <netinet/in.h>

struct event;

struct cf_route_entry {
    struct cf_route route;
    cf_handler *fn;
    void *arg;
    struct cf_counter *by_class[6]; /* by_class[status / 100] */
    struct cf_histogram *seconds;
};

/* A request in the making, at a handler's, or waiting in the pool. `pub` comes first. */
struct cf_req {
    struct cf_request pub;
    struct cf_http *http; /* NULL after cf_http_free */
    struct cf_conn *conn; /* NULL when the client has gone or the server has answered */
    struct cf_req *prev, *next;
    const struct cf_route_entry *route;
    bool handed;       /* a handler owes the answer */
    bool without_body; /* HEAD */
    const char *base;  /* of the head's offsets */
    char *kept;        /* the connection's buffer, when the connection ended first */
    size_t kept_cap;
    struct cf_head head;
    size_t route_at; /* its index */
    size_t n_params;
    struct cf_head_text params[CF_ROUTE_PARAMS];
    json_t *doc;
    struct cf_buf extra; /* header lines of the answer */
    cf_answer_ready *ready; /* of an answer in parts that has begun, else NULL */
    void *ready_arg;
    bool waiting; /* for ready() */
    int64_t began_us;
    char remote[INET6_ADDRSTRLEN];
};

enum cf_conn_state {
    CF_CONN_HEAD,   /* waits for a request or its head */
    CF_CONN_BODY,   /* the head is good, the body is not all here */
    CF_CONN_HANDLE, /* a handler owes the answer */
    CF_CONN_LINGER  /* answered and shut down; reads on so that the client sees the answer */
};

struct cf_conn {
    struct cf_http *http;
    struct cf_conn *prev, *next;
    int fd;
    struct event *readable, *writable;
    enum cf_conn_state state;
    bool reading, writing; /* events that are on */
    bool running;          /* inside cf_conn_run: answers wait for its end */
    bool ended;            /* the client has sent all it will send */
    bool broken;           /* free at the end of the run */
    bool close_after;      /* the answers in `out` are the last */
    bool linger;           /* close gently: there may be unread bytes */
    cf_ms deadline;        /* of the state; 0 none */
    cf_ms write_deadline;  /* 0: nothing waits to be sent */
    char *in;
    size_t in_cap, in_len, in_at; /* the current request begins at in_at */
    size_t seen;                  /* bytes of its head already looked at */
    size_t dropped;               /* bytes read while lingering */
    struct cf_buf out;
    size_t out_at;
    struct cf_req *req; /* in states BODY and HANDLE */
    char remote[INET6_ADDRSTRLEN];
};

struct cf_owned {
    struct cf_owned *next;
    void *thing;
    void (*free_fn)(void *thing);
};

struct cf_http {
    struct cf_loop *loop;
    struct cf_http_conf conf;
    int fd, spare; /* spare: given up to accept and close when descriptors run out */
    struct cf_watch *watch;
    struct cf_timer *tick;
    char url[80];
    struct cf_router *router;
    struct cf_route_entry *routes;
    size_t n_routes;
    struct cf_conn *conns;
    size_t n_conns;
    struct cf_req *open; /* handed and not answered */
    size_t n_open;
    struct cf_req *pool;
    size_t n_pool;
    size_t in_bytes; /* of all input buffers */
    struct cf_owned *owned;
    bool draining;
    uint64_t rng;
    long long date_at; /* second of `date` */
    char date[40];
    struct cf_counter *refused, *accepted, *over;
};

/* http_conn.c */
void cf_conn_open(struct cf_http *http, int fd, const char *remote);
void cf_conn_run(struct cf_conn *c);
void cf_conn_free(struct cf_conn *c);
/* A tick of the clock: is a deadline over? May free c. */
void cf_conn_tick(struct cf_conn *c, cf_ms now);
/* A part of the answer to c->req is in c->out. False: it waits for the client, or c is gone. */
bool cf_conn_push(struct cf_conn *c);
/* The answer to c->req is in c->out: goes on with the next request. */
void cf_conn_answered(struct cf_conn *c);

/* http_listen.c */
int cf_http_listen(struct cf_http *http) CF_MUST;
void cf_http_accept(void *http, int listener);

/* http_server.c */
struct cf_req *cf_req_take(struct cf_conn *c);
void cf_req_free(struct cf_req *r);
/* The head's text is now at this address. */
void cf_req_rebase(struct cf_req *r, const char *base);
/* Route, key, size, type: may the body come? If not, it has been refused, and the connection ends
 * unless the body is `all_here`. */
bool cf_http_admit(struct cf_req *r, bool all_here);
void cf_http_hand(struct cf_req *r);

/* http_answer.c */
void cf_req_refuse(struct cf_req *r, const struct cf_head_wrong *w);

static inline struct cf_req *cf_req_of(struct cf_request *req)
{
    return (struct cf_req *)(void *)req;
}

static inline const struct cf_req *cf_req_of_const(const struct cf_request *req)
{
    return (const struct cf_req *)(const void *)req;
}
