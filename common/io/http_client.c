#include "common/io/http_client.h"

#include "common/io/clock.h"
#include "common/io/log.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>

#define HEADERS 6

struct call {
    struct call *next; /* in the queue */
    struct cf_partner *partner;
    struct slot *slot; /* NULL while it waits */
    struct cf_timer *deadline;
    cf_call_done *done;
    void *arg;
    enum evhttp_cmd_type method;
    char *path, *type;
    struct cf_buf body;
    char *names[HEADERS], *values[HEADERS];
    cf_ms began;
    const char *why;
    bool repeated;
};

/* A connection of the pool, with at most one call on it. */
struct slot {
    struct evhttp_connection *link;
    struct call *call;
    bool used; /* has answered before: the partner may have closed it meanwhile */
};

struct cf_partner {
    struct cf_loop *loop;
    struct evdns_base *dns; /* only for a host that is no address */
    char *name, *host, *prefix, *authorization, *host_header;
    uint16_t port;
    struct cf_partner_conf conf;
    struct slot *slots;
    struct call *first, **end; /* waiting */
    size_t n_waiting, n_busy;
    /* Starts waiting calls from a fresh stack: neither a caller nor libevent is in the middle. */
    struct cf_timer *pump;
    bool freeing;
};

static char *copy(const char *text)
{
    if (!text) return NULL;
    size_t n = strlen(text) + 1;
    return memcpy(cf_malloc(n), text, n);
}

static void free_call(struct call *call)
{
    cf_timer_free(call->deadline);
    for (size_t i = 0; i < HEADERS; i++) {
        free(call->names[i]);
        free(call->values[i]);
    }
    cf_buf_free(&call->body);
    free(call->path);
    free(call->type);
    free(call);
}

/* Tells the caller and forgets the call; its slot is free afterwards. */
static void finish(struct call *call, struct cf_call_result *result)
{
    struct cf_partner *p = call->partner;
    if (call->slot) {
        call->slot->call = NULL;
        p->n_busy--;
    }
    result->took_ms = cf_mono_ms() - call->began;
    call->done(call->arg, result);
    free_call(call);
    if (!p->freeing && p->first) cf_timer_after(p->pump, 0);
}

static void fail(struct call *call, const char *why)
{
    struct cf_call_result none = {.why = why};
    finish(call, &none);
}

/* ---- one call -------------------------------------------------------------------------------- */

static struct cf_str header_of(struct evhttp_request *req, const char *name)
{
    return cf_str_of(evhttp_find_header(evhttp_request_get_input_headers(req), name));
}

static void on_error(enum evhttp_request_error error, void *arg)
{
    struct call *call = arg;
    switch (error) {
    case EVREQ_HTTP_TIMEOUT:
        call->why = "timeout";
        break;
    case EVREQ_HTTP_INVALID_HEADER:
        call->why = "malformed";
        break;
    case EVREQ_HTTP_DATA_TOO_LONG:
        call->why = "too_large";
        break;
    case EVREQ_HTTP_EOF:
    case EVREQ_HTTP_BUFFER_ERROR:
    case EVREQ_HTTP_REQUEST_CANCEL:
        call->why = "closed";
        break;
    }
}

static void start(struct slot *slot, struct call *call);

static void on_answer(struct evhttp_request *req, void *arg)
{
    struct call *call = arg;
    struct slot *slot = call->slot;
    int status = req ? evhttp_request_get_response_code(req) : 0;
    if (status < 100 || status > 999) {
        const char *why = call->why ? call->why : "refused";
        /* A kept connection that the partner had closed when we used it: the call was not read.
         * Once more, on a new one. */
        if (slot->used && !call->repeated && strcmp(why, "closed") == 0) {
            call->repeated = true;
            slot->call = NULL;
            call->slot = NULL;
            slot->used = false;
            call->partner->n_busy--;
            call->partner->n_waiting++;
            call->next = call->partner->first;
            call->partner->first = call;
            if (!call->next) call->partner->end = &call->next;
            cf_timer_after(call->partner->pump, 0);
            return;
        }
        slot->used = false;
        fail(call, why);
        return;
    }
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    struct cf_call_result result = {.status = status, .type = header_of(req, "Content-Type")};
    result.body.len = evbuffer_get_length(in);
    result.body.ptr = (const char *)evbuffer_pullup(in, -1);
    struct cf_str after = header_of(req, "Retry-After");
    if (after.ptr) result.retry_after_s = (int)strtol(after.ptr, NULL, 10);
    if (result.retry_after_s < 0) result.retry_after_s = 0;
    slot->used = true;
    finish(call, &result);
}

static struct evhttp_request *request_of(const struct call *call)
{
    const struct cf_partner *p = call->partner;
    struct evhttp_request *req = evhttp_request_new(on_answer, (void *)(uintptr_t)call);
    if (!req) CF_BUG("a request cannot be made");
    struct evkeyvalq *out = evhttp_request_get_output_headers(req);
    evhttp_request_set_error_cb(req, on_error);
    evhttp_add_header(out, "Host", p->host_header);
    if (p->authorization) evhttp_add_header(out, "Authorization", p->authorization);
    if (call->type) evhttp_add_header(out, "Content-Type", call->type);
    for (size_t i = 0; i < HEADERS && call->names[i]; i++)
        evhttp_add_header(out, call->names[i], call->values[i]);
    /* The call outlives the request, so its bytes need no copy. */
    if (call->body.len)
        evbuffer_add_reference(evhttp_request_get_output_buffer(req), call->body.ptr,
                               call->body.len, NULL, NULL);
    return req;
}

static struct evhttp_connection *connection_of(struct cf_partner *p)
{
    struct evhttp_connection *link = evhttp_connection_base_bufferevent_new(
        cf_loop_base(p->loop), p->dns, NULL, p->host, p->port);
    if (!link) CF_BUG("a connection cannot be made");
    evhttp_connection_set_max_body_size(link, (ev_ssize_t)p->conf.answer_max);
    evhttp_connection_set_max_headers_size(link, 16384);
    evhttp_connection_set_retries(link, 0);
    return link;
}

static void start(struct slot *slot, struct call *call)
{
    struct cf_partner *p = call->partner;
    slot->call = call;
    call->slot = slot;
    call->why = NULL;
    p->n_busy++;
    if (!slot->link) slot->link = connection_of(p);
    /* on_answer may be called from inside: then the call is gone. */
    if (evhttp_make_request(slot->link, request_of(call), call->method, call->path) != 0 &&
        slot->call == call)
        fail(call, "refused");
}

static void on_pump(void *arg, cf_ms now)
{
    struct cf_partner *p = arg;
    (void)now;
    for (int i = 0; i < p->conf.max_connections && p->first; i++) {
        if (p->slots[i].call) continue;
        struct call *call = p->first;
        p->first = call->next;
        if (!p->first) p->end = &p->first;
        call->next = NULL;
        p->n_waiting--;
        start(&p->slots[i], call);
    }
}

static void unqueue(struct cf_partner *p, struct call *call)
{
    for (struct call **at = &p->first; *at; at = &(*at)->next) {
        if (*at != call) continue;
        *at = call->next;
        if (!*at) p->end = at;
        p->n_waiting--;
        return;
    }
}

/* The connection goes with the call: what still comes on it would be another call's answer. */
static void drop_link(struct slot *slot)
{
    if (slot->link) evhttp_connection_free(slot->link);
    slot->link = NULL;
    slot->used = false;
}

static void on_deadline(void *arg, cf_ms now)
{
    struct call *call = arg;
    (void)now;
    if (call->slot)
        drop_link(call->slot);
    else
        unqueue(call->partner, call);
    fail(call, "timeout");
}

static enum evhttp_cmd_type method_of(const char *name)
{
    static const struct {
        const char *name;
        enum evhttp_cmd_type type;
    } list[] = {
        {"GET",    EVHTTP_REQ_GET   },
        {"POST",   EVHTTP_REQ_POST  },
        {"PUT",    EVHTTP_REQ_PUT   },
        {"DELETE", EVHTTP_REQ_DELETE}
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(list[i].name, name) == 0) return list[i].type;
    CF_BUG("no such method");
}

int cf_partner_call(struct cf_partner *p, const struct cf_call *call, cf_call_done *done, void *arg)
{
    if (p->freeing || p->n_waiting >= (size_t)p->conf.max_queued) return CF_E_NET;
    struct call *c = cf_calloc(1, sizeof *c);
    *c = (struct call){.partner = p, .done = done, .arg = arg, .began = cf_mono_ms()};
    c->method = method_of(call->method);
    size_t n = strlen(p->prefix) + strlen(call->path) + 1;
    c->path = cf_malloc(n);
    snprintf(c->path, n, "%s%s", p->prefix, call->path);
    c->type = copy(call->type);
    cf_buf_init(&c->body, SIZE_MAX / 2);
    cf_buf_adds(&c->body, call->body);
    for (size_t i = 0; i < HEADERS && call->headers[i].name; i++) {
        c->names[i] = copy(call->headers[i].name);
        c->values[i] = strndup(call->headers[i].value.ptr, call->headers[i].value.len);
        if (!c->values[i]) CF_BUG("out of memory");
    }
    c->deadline = cf_timer_new(p->loop, on_deadline, c);
    cf_timer_after(c->deadline, call->timeout_ms ? call->timeout_ms : p->conf.timeout_ms);
    *p->end = c;
    p->end = &c->next;
    p->n_waiting++;
    if (p->n_busy < (size_t)p->conf.max_connections) cf_timer_after(p->pump, 0);
    return 0;
}

/* ---- the partner ------------------------------------------------------------------------------
 */

/* http://host[:port][/prefix], host in brackets when it is IPv6 */
static bool take_url(struct cf_partner *p, const char *url)
{
    const char *at = url, *end;
    if (strncmp(at, "http://", 7) != 0) return false;
    at += 7;
    size_t n = strcspn(at, "/?#@");
    if (n == 0 || n > 300 || (at[n] && at[n] != '/')) return false;
    p->host_header = strndup(at, n);
    p->prefix = copy(at + n);
    if (!p->host_header) CF_BUG("out of memory");
    for (size_t i = strlen(p->prefix); i && p->prefix[i - 1] == '/'; i--)
        p->prefix[i - 1] = 0;
    const char *host = p->host_header, *colon;
    if (*host == '[') {
        end = strchr(host++, ']');
        if (!end) return false;
        colon = end[1] ? end + 1 : NULL;
    } else {
        colon = strchr(host, ':');
        end = colon ? colon : host + strlen(host);
    }
    p->host = strndup(host, (size_t)(end - host));
    p->port = 80;
    if (!colon) return *p->host != 0;
    char *rest;
    long port = strtol(colon + 1, &rest, 10);
    if (*colon != ':' || rest == colon + 1 || *rest || port < 1 || port > 65535) return false;
    p->port = (uint16_t)port;
    return *p->host != 0;
}

static bool numeric(const char *host)
{
    unsigned char address[16];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

int cf_partner_new(struct cf_loop *loop, const struct cf_partner_conf *conf,
                   struct cf_partner **out)
{
    struct cf_partner *p = cf_calloc(1, sizeof *p);
    *p = (struct cf_partner){.loop = loop, .conf = *conf};
    p->end = &p->first;
    p->name = copy(conf->name);
    p->authorization = copy(conf->authorization);
    if (!p->conf.max_connections) p->conf.max_connections = 8;
    if (!p->conf.max_queued) p->conf.max_queued = 1000;
    if (!p->conf.timeout_ms) p->conf.timeout_ms = 5000;
    if (!p->conf.answer_max) p->conf.answer_max = 1u << 20;
    p->slots = cf_calloc((size_t)p->conf.max_connections, sizeof *p->slots);
    p->pump = cf_timer_new(loop, on_pump, p);
    if (!take_url(p, conf->url)) {
        cf_log(LOG_ERROR, "partner.address_wrong", F("partner", conf->name),
               F("rule", "must be http://host[:port][/path]"), F("cure", "set its address"));
        cf_partner_free(p);
        return CF_E_CONFIG;
    }
    if (!numeric(p->host))
        p->dns = evdns_base_new(cf_loop_base(loop), EVDNS_BASE_INITIALIZE_NAMESERVERS |
                                                        EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    *out = p;
    return 0;
}

void cf_partner_free(struct cf_partner *p)
{
    if (!p) return;
    p->freeing = true;
    for (int i = 0; i < p->conf.max_connections; i++) {
        struct call *call = p->slots[i].call;
        drop_link(&p->slots[i]);
        if (call) fail(call, "stopped");
    }
    while (p->first) {
        struct call *call = p->first;
        unqueue(p, call);
        fail(call, "stopped");
    }
    if (p->dns) evdns_base_free(p->dns, 0);
    cf_timer_free(p->pump);
    free(p->slots);
    free(p->name);
    free(p->host);
    free(p->prefix);
    free(p->authorization);
    free(p->host_header);
    free(p);
}

size_t cf_partner_open(const struct cf_partner *p)
{
    return p->n_waiting + p->n_busy;
}
