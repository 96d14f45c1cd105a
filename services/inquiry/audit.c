#include "services/inquiry/audit.h"

#include "common/io/clock.h"
#include "common/io/ids.h"
#include "services/inquiry/codec.h"

#include <stdlib.h>

enum { AGAIN_MS = 500, BURST = 500, TEXT_MAX = 200 };

struct record {
    struct record *next;
    struct inquiry_auditor *queue;
    uint8_t id[16];
    cf_ms at;
    char client[CF_KEY_MAX + 1];
    size_t len;
    char value[];
};

struct inquiry_auditor {
    struct cf_app *app;
    struct cf_timer *again;
    struct record *first, **last; /* that wait to be sent again */
    size_t n, max;                /* all that are not acknowledged */
    bool closed;
    struct cf_counter *sent, *failed;
};

bool inquiry_auditor_room(const struct inquiry_auditor *q)
{
    return q->n < q->max;
}

static void sent(void *arg, int e);

static void keep(struct inquiry_auditor *q, struct record *r)
{
    /* A timer that is set already stays as it is: else steady load would push it off for ever. */
    if (!q->first) cf_timer_after(q->again, AGAIN_MS);
    r->next = NULL;
    *q->last = r;
    q->last = &r->next;
}

static int try_send(struct inquiry_auditor *q, struct record *r)
{
    if (q->closed) return CF_E_NET;
    struct cf_front_message m = {
        .topic = "audit.events",
        .key = cf_str_of(r->client),
        .part = -1,
        .ce_type = "audit",
        .ce_source = "inquiry/front",
        .ce_time = r->at,
        .value = {r->value, r->len}
    };
    memcpy(m.ce_id, r->id, 16);
    return cf_front_send(q->app->producer, &m, sent, r);
}

static void sent(void *arg, int e)
{
    struct record *r = arg;
    struct inquiry_auditor *q = r->queue;
    if (e) {
        cf_count_add(q->failed, 1);
        keep(q, r);
        return;
    }
    cf_count_add(q->sent, 1);
    q->n--;
    free(r);
}

static void again(void *arg, cf_ms now)
{
    struct inquiry_auditor *q = arg;
    (void)now;
    for (int i = 0; i < BURST && q->first; i++) {
        struct record *r = q->first;
        if (try_send(q, r)) break;
        q->first = r->next;
        if (!q->first) q->last = &q->first;
    }
    if (q->first) cf_timer_after(q->again, AGAIN_MS);
}

/* A header's text as far as it may be kept. */
static struct cf_str clean(struct cf_str s)
{
    return s.ptr && s.len <= TEXT_MAX && cf_utf8_valid(s) ? s : (struct cf_str){0};
}

void inquiry_auditor_add(struct inquiry_auditor *q, struct cf_request *req, const char *scope,
                         const char *action, const char *outcome, const struct cf_key *holder)
{
    const struct inquiry_audit said = {
        .client = cf_str_of(req->client->name),
        .scope = cf_str_of(scope),
        .operator_id = clean(cf_request_header(req, "Cardflow-Operator")),
        .purpose = clean(cf_request_header(req, "Cardflow-Purpose")),
        .action = cf_str_of(action),
        .outcome = cf_str_of(outcome),
        .trace_id = cf_str_of(req->trace_id),
        .holder_ref = holder ? cf_key_str(holder) : (struct cf_str){0},
        .at = cf_now_ms()};
    struct cf_str value = inquiry_codec_audit(req->arena, &said);
    struct record *r = cf_malloc(sizeof *r + value.len);
    *r = (struct record){.queue = q, .at = said.at, .len = value.len};
    cf_uuid4(r->id);
    size_t n = strnlen(req->client->name, CF_KEY_MAX);
    memcpy(r->client, req->client->name, n);
    memcpy(r->value, value.ptr, value.len);
    q->n++;
    /* In order: behind those that wait. */
    if (q->first || try_send(q, r)) keep(q, r);
}

static double waiting(void *arg)
{
    return (double)((const struct inquiry_auditor *)arg)->n;
}

struct inquiry_auditor *inquiry_auditor_new(struct cf_app *app, size_t max)
{
    struct inquiry_auditor *q = cf_calloc(1, sizeof *q);
    q->app = app;
    q->max = max;
    q->last = &q->first;
    q->again = cf_timer_new(app->loop, again, q);
    q->sent = cf_counter_new(app->metrics, "cardflow_inquiry_audit_total", "Audit records",
                             "result", "sent", NULL);
    q->failed = cf_counter_new(app->metrics, "cardflow_inquiry_audit_total", "Audit records",
                               "result", "failed", NULL);
    cf_gauge_fn(app->metrics, "cardflow_inquiry_audit_waiting",
                "Audit records that Kafka has not acknowledged", waiting, q, NULL);
    return q;
}

void inquiry_auditor_close(struct inquiry_auditor *q)
{
    if (q) q->closed = true;
}

void inquiry_auditor_free(struct inquiry_auditor *q)
{
    if (!q) return;
    while (q->first) {
        struct record *r = q->first;
        q->first = r->next;
        free(r);
    }
    cf_timer_free(q->again);
    free(q);
}
