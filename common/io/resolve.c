#include "common/io/resolve.h"

#include "common/pure/str.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

/* The question is put by a short-lived thread, as getaddrinfo knows all sources of names the
 * system has and cannot be interrupted. Whoever comes second, the thread with its answer or the
 * owner giving up, frees it. */
enum { ASKING, ANSWERED, ABANDONED };

struct question {
    atomic_int state;
    int ready; /* eventfd */
    int port;
    char host[256];
    struct cf_addresses found;
};

struct cf_resolve {
    struct question *q; /* NULL when no question was needed */
    struct event *answer;
    cf_resolved *resolved;
    void *arg;
    struct cf_addresses found;
};

static void keep(struct cf_addresses *out, const void *address, size_t len)
{
    if (out->n == CF_ADDRESSES_MAX || len > sizeof out->at[0].to) return;
    memset(&out->at[out->n].to, 0, sizeof out->at[out->n].to);
    memcpy(&out->at[out->n].to, address, len);
    out->at[out->n++].len = (socklen_t)len;
}

bool cf_address_numeric(const char *host, int port, struct cf_addresses *out)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    out->n = 0;
    if (host[0] == '/' && strlen(host) < sizeof path.sun_path) {
        memcpy(path.sun_path, host, strlen(host));
        keep(out, &path, sizeof path);
    } else if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        keep(out, &v4, sizeof v4);
    } else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        keep(out, &v6, sizeof v6);
    }
    return out->n > 0;
}

static void question_free(struct question *q)
{
    close(q->ready);
    free(q);
}

static void *ask(void *arg)
{
    struct question *q = arg;
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char service[16];
    snprintf(service, sizeof service, "%d", q->port);
    if (getaddrinfo(q->host, service, &hints, &list) == 0) {
        for (const struct addrinfo *a = list; a; a = a->ai_next)
            keep(&q->found, a->ai_addr, a->ai_addrlen);
        freeaddrinfo(list);
    }
    /* Said before it is let go: from then on the owner may free it. */
    eventfd_write(q->ready, 1);
    if (atomic_exchange(&q->state, ANSWERED) == ABANDONED) question_free(q);
    return NULL;
}

/* What was found, once `ready` is readable. */
static void question_take(struct question *q, struct cf_addresses *out)
{
    eventfd_t said;
    if (eventfd_read(q->ready, &said) == 0) *out = q->found;
}

static void question_drop(struct question *q)
{
    if (atomic_exchange(&q->state, ABANDONED) == ANSWERED) question_free(q);
}

/* NULL when there is no room for a thread or a descriptor. */
static struct question *question_new(const char *host, int port)
{
    struct question *q = cf_calloc(1, sizeof *q);
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;
    q->port = port;
    q->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    snprintf(q->host, sizeof q->host, "%s", host);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, 256u << 10);
    /* Signals are for the loop's thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int e = q->ready < 0 ? -1 : pthread_create(&thread, &attr, ask, q);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (!e) return q;
    if (q->ready >= 0) close(q->ready);
    free(q);
    return NULL;
}

void cf_resolve_cancel(struct cf_resolve *r)
{
    if (!r) return;
    event_free(r->answer); /* before its descriptor is closed */
    if (r->q) question_drop(r->q);
    free(r);
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct cf_resolve *r = arg;
    cf_resolved *resolved = r->resolved;
    void *to = r->arg;
    struct cf_addresses found = r->found;
    if (r->q) question_take(r->q, &found);
    cf_resolve_cancel(r);
    resolved(to, found.n ? 0 : CF_E_NET, found.n ? &found : NULL);
}

struct cf_resolve *cf_resolve_start(struct event_base *base, const char *host, int port,
                                    cf_resolved *resolved, void *arg)
{
    struct cf_resolve *r = cf_calloc(1, sizeof *r);
    r->resolved = resolved;
    r->arg = arg;
    if (!cf_address_numeric(host, port, &r->found)) r->q = question_new(host, port);
    r->answer = event_new(base, r->q ? r->q->ready : -1, r->q ? EV_READ : 0, on_answer, r);
    if (!r->answer) CF_BUG("no event");
    if (r->q)
        event_add(r->answer, NULL);
    else
        event_active(r->answer, EV_TIMEOUT, 0);
    return r;
}

int cf_resolve_wait(const char *host, int port, int wait_ms, struct cf_addresses *out)
{
    if (cf_address_numeric(host, port, out)) return 0;
    struct question *q = question_new(host, port);
    if (!q) return CF_E_NET;
    struct pollfd ready = {.fd = q->ready, .events = POLLIN};
    if (poll(&ready, 1, wait_ms) == 1) question_take(q, out);
    question_drop(q);
    return out->n ? 0 : CF_E_NET;
}
