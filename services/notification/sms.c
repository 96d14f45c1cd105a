#include "services/notification/sms.h"

#include "common/io/clock.h"
#include "common/io/json.h"
#include "common/io/log.h"
#include "common/io/stage/pgbin.h"
#include "common/pure/patience.h"
#include "services/notification/sms_text.h"
#include "services/notification/store.h"

#include <stdlib.h>

enum { PUMP_MS = 10, BODY_MAX = 2 << 20, ARENA_BYTES = 8 << 20 };

enum outcome { ACCEPTED, REJECTED, AGAIN, SUPPRESSED, OUTCOMES };

struct notification_sms {
    struct cf_partner *partner;
    struct cf_pgf *pg;
    const struct cf_seal_ring *ring;
    const char *signature;
    struct cf_arena *arena;
    struct cf_breaker breaker;
    struct cf_gate gate;
    struct cf_timer *pump;
    struct cf_work_call **held; /* ring of calls that may not begin yet */
    size_t held_cap, held_first, held_n;
    struct cf_counter *outcomes[OUTCOMES], *calls;
    struct cf_histogram *took;
};

/* One call to the partner: some items of the pool's call, and their messages as JSON. */
struct post {
    struct notification_sms *sms;
    struct cf_work_call *call;
    struct cf_buf body;
    size_t n;
    struct part {
        size_t item;
        size_t at, len; /* in body */
    } parts[];
};

static void pump(void *arg, cf_ms now);

void notification_sms_free(struct notification_sms *s)
{
    if (!s) return;
    cf_partner_free(s->partner);
    cf_timer_free(s->pump);
    cf_arena_free(s->arena);
    free(s->held);
    free(s);
}

static void register_metrics(struct notification_sms *s, struct cf_metrics *m)
{
    static const char *const names[OUTCOMES] = {"accepted", "rejected", "again", "suppressed"};
    for (int i = 0; i < OUTCOMES; i++)
        s->outcomes[i] = cf_counter_new(m, "cardflow_sms_total", "Messages by what came of them",
                                        "outcome", names[i], NULL);
    s->calls = cf_counter_new(m, "cardflow_sms_calls_total", "Calls to the SMS gateway", NULL);
    s->took = cf_histogram_new(m, "cardflow_sms_seconds", "Time of a call to the SMS gateway", NULL,
                               0, NULL);
}

int notification_sms_new(struct cf_loop *loop, const struct notification_settings *settings,
                         struct cf_pgf *pg, const struct cf_seal_ring *ring,
                         struct cf_metrics *metrics, struct notification_sms **out)
{
    struct notification_sms *s = cf_calloc(1, sizeof *s);
    const char *key = settings->sms_authorization;
    struct cf_partner_conf conf = {.name = "sms",
                                   .url = settings->sms_url,
                                   .authorization = *key ? key : NULL,
                                   .max_connections = settings->sms_connections,
                                   /* A call of the pool may become one of each message. */
                                   .max_queued = settings->sms_in_flight * settings->sms_batch,
                                   .timeout_ms = settings->sms_timeout};
    int e = cf_partner_new(loop, &conf, &s->partner);
    if (e) {
        free(s);
        return e;
    }
    s->pg = pg;
    s->ring = ring;
    s->signature = settings->sms_signature;
    s->arena = cf_arena_new(ARENA_BYTES);
    s->breaker.limit = settings->sms_breaker_failures;
    s->breaker.open_ms = settings->sms_breaker_open;
    s->gate.per_second = settings->sms_per_second;
    s->pump = cf_timer_new(loop, pump, s);
    s->held_cap = (size_t)settings->sms_in_flight;
    s->held = cf_calloc(s->held_cap, sizeof(struct cf_work_call *));
    register_metrics(s, metrics);
    *out = s;
    return 0;
}

/* ---- ending -------------------------------------------------------------------------------------
 */

static void finish(struct notification_sms *s, struct cf_work_call *call, size_t item,
                   enum outcome outcome, const char *reason)
{
    static const enum cf_work_result results[OUTCOMES] = {
        [ACCEPTED] = CF_WORK_DONE,
        [REJECTED] = CF_WORK_FAILED,
        [AGAIN] = CF_WORK_RETRY,
        [SUPPRESSED] = CF_WORK_FAILED,
    };
    cf_count_add(s->outcomes[outcome], 1);
    cf_work_done(call, item, results[outcome], reason, (struct cf_str){0});
    if (s->held_n) cf_timer_after(s->pump, 0);
}

static struct post *post_new(struct notification_sms *s, struct cf_work_call *call, size_t n)
{
    struct post *p = cf_calloc(1, sizeof *p + n * sizeof p->parts[0]);
    p->sms = s;
    p->call = call;
    cf_buf_init(&p->body, BODY_MAX);
    return p;
}

static void post_free(struct post *p)
{
    cf_buf_free(&p->body); /* phones are in it: see the header */
    free(p);
}

static void finish_post(struct post *p, enum outcome outcome, const char *reason)
{
    for (size_t i = 0; i < p->n; i++)
        finish(p->sms, p->call, p->parts[i].item, outcome, reason);
    post_free(p);
}

/* Reasons of a gateway are codes of ours only when they look like codes. */
static const char *code_of(const char *reason)
{
    if (!reason || !*reason || strlen(reason) > 40) return "gateway_rejected";
    for (const char *c = reason; *c; c++)
        if ((*c < 'a' || *c > 'z') && (*c < '0' || *c > '9') && *c != '_')
            return "gateway_rejected";
    return reason;
}

static void take_status(struct post *p, size_t item, const json_t *answer)
{
    const char *status = json_string_value(json_object_get(answer, "status"));
    const char *reason = json_string_value(json_object_get(answer, "reason"));
    if (status && strcmp(status, "accepted") == 0)
        finish(p->sms, p->call, item, ACCEPTED, "");
    else if (status && strcmp(status, "rejected") == 0)
        finish(p->sms, p->call, item, REJECTED, code_of(reason));
    else
        finish(p->sms, p->call, item, AGAIN, status ? "gateway_busy" : "gateway_no_answer");
}

/* The answer to an item: mostly at its own place, else wherever its id is. */
static const json_t *answer_to(const json_t *root, size_t place, const uint8_t id[16])
{
    char text[37];
    size_t n = json_array_size(root);
    cf_uuid_text(id, text);
    for (size_t i = 0; i < n; i++) {
        const json_t *a = json_array_get(root, (place + i) % n);
        const char *of = json_string_value(json_object_get(a, "id"));
        if (of && strcmp(of, text) == 0) return a;
    }
    return NULL;
}

static void take_answers(struct post *p, struct cf_str body)
{
    struct cf_json_error error;
    json_t *root = cf_json_parse(body, &error);
    if (!root || !json_is_array(root)) {
        json_decref(root);
        finish_post(p, AGAIN, "gateway_answer_not_understood");
        return;
    }
    for (size_t i = 0; i < p->n; i++) {
        size_t item = p->parts[i].item;
        take_status(p, item, answer_to(root, i, cf_work_item(p->call, item)->id));
    }
    json_decref(root);
    post_free(p);
}

/* ---- sending ------------------------------------------------------------------------------------
 */

static void answered(void *arg, const struct cf_call_result *r);

static void give(struct post *p)
{
    struct notification_sms *s = p->sms;
    struct cf_call c = {.method = "POST", .path = "/sms", .type = "application/json"};
    c.body = cf_buf_str(&p->body);
    cf_count_add(s->calls, 1);
    if (cf_partner_call(s->partner, &c, answered, p) == 0) return;
    cf_breaker_unused(&s->breaker);
    finish_post(p, AGAIN, "gateway_queue_full");
}

/* Each message of a refused call alone. */
static void give_one_by_one(struct post *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct post *one = post_new(p->sms, p->call, 1);
        const struct part *part = &p->parts[i];
        cf_buf_add(&one->body, "[", 1);
        cf_buf_add(&one->body, p->body.ptr + part->at, part->len);
        cf_buf_add(&one->body, "]", 1);
        one->parts[0] = (struct part){part->item, 1, part->len};
        one->n = 1;
        give(one);
    }
    post_free(p);
}

static void answered(void *arg, const struct cf_call_result *r)
{
    struct post *p = arg;
    struct notification_sms *s = p->sms;
    bool refused = r->status == 400 || r->status == 413 || r->status == 422;
    cf_observe(s->took, (double)r->took_ms / 1000.0);
    if (r->status == 200 || r->status == 503 || refused)
        cf_breaker_good(&s->breaker);
    else
        cf_breaker_bad(&s->breaker, cf_mono_ms());
    if (r->status == 200)
        take_answers(p, r->body);
    else if (refused && p->n > 1)
        give_one_by_one(p);
    else if (refused)
        finish_post(p, REJECTED, "gateway_refused");
    else
        finish_post(p, AGAIN, r->why ? r->why : "gateway_error");
}

static void add_message(struct post *p, size_t item, const struct notification_contacts *contacts)
{
    const struct notification_contact *to =
        notification_contact_of(contacts, &cf_work_item(p->call, item)->key);
    size_t comma = p->n ? 1 : 0, before = p->body.len;
    if (comma) cf_buf_add(&p->body, ",", 1);
    const char *why = notification_sms_write(
        p->sms->ring, p->sms->signature, cf_work_item(p->call, item), to, p->sms->arena, &p->body);
    if (!why && !p->body.full) {
        p->parts[p->n++] = (struct part){item, before + comma, p->body.len - before - comma};
        return;
    }
    p->body.len = before;
    p->body.full = false;
    if (!why) why = "message_too_large";
    bool ours = strcmp(why, "person_not_readable") == 0;
    if (ours || strcmp(why, "template_value_missing") == 0)
        cf_log(LOG_ERROR, "sms.not_written", F("why", why));
    /* A key that is not in the ring is a person's to mend; the message waits. */
    finish(p->sms, p->call, item, ours ? AGAIN : SUPPRESSED, why);
}

/* The contacts are there: one call to the partner with all that can be sent. */
static void send_call(struct notification_sms *s, struct cf_work_call *call,
                      const struct notification_contacts *contacts)
{
    size_t n = cf_work_count(call);
    struct post *p = post_new(s, call, n);
    cf_arena_reset(s->arena);
    cf_buf_add(&p->body, "[", 1);
    for (size_t i = 0; i < n; i++)
        add_message(p, i, contacts);
    cf_buf_add(&p->body, "]", 1);
    if (p->n) {
        give(p);
        return;
    }
    cf_breaker_unused(&s->breaker);
    post_free(p);
}

/* ---- whom to write to
 * ---------------------------------------------------------------------------- */

struct asking {
    struct notification_sms *sms;
    struct cf_work_call *call;
};

static void found(void *arg, int e, const PGresult *res)
{
    struct asking a = *(struct asking *)arg;
    free(arg);
    if (e) {
        cf_breaker_unused(&a.sms->breaker);
        for (size_t i = cf_work_count(a.call); i-- > 0;)
            finish(a.sms, a.call, i, AGAIN, "store_away");
        return;
    }
    struct notification_contacts c = {.n = (size_t)PQntuples(res)};
    c.list = cf_calloc(c.n + 1, sizeof *c.list);
    for (size_t i = 0; i < c.n; i++) {
        c.list[i].key = cf_pgf_get(res, (int)i, 0);
        c.list[i].person = cf_pgf_get(res, (int)i, 1);
        c.list[i].died = *PQgetvalue(res, (int)i, 2) != 0;
    }
    send_call(a.sms, a.call, &c);
    free(c.list);
}

static void ask(struct notification_sms *s, struct cf_work_call *call)
{
    char part[2];
    struct cf_pgarray keys = {0};
    struct asking *a = cf_malloc(sizeof *a);
    *a = (struct asking){s, call};
    cf_put16(part, (uint16_t)cf_work_item(call, 0)->part);
    cf_pgarray_begin(&keys, CF_OID_BYTEA);
    for (size_t i = 0; i < cf_work_count(call); i++) {
        const struct cf_key *key = &cf_work_item(call, i)->key;
        cf_pgarray_bytes(&keys, key->b, key->len);
    }
    const struct cf_str params[] = {
        {part, 2},
        cf_pgarray_end(&keys)
    };
    int e = cf_pgf_send(s->pg, NOTIFY_SQL_CONTACTS, params, 2, found, a);
    cf_buf_free(&keys.buf);
    if (e) found(a, e, NULL);
}

/* ---- holding back
 * ---------------------------------------------------------------------------------- */

static void pump(void *arg, cf_ms now)
{
    struct notification_sms *s = arg;
    while (s->held_n) {
        struct cf_work_call *call = s->held[s->held_first];
        if (s->breaker.open && (s->breaker.probing || now < s->breaker.open_until)) break;
        if (!cf_gate_take(&s->gate, (int)cf_work_count(call), now, cf_now_ms())) break;
        if (!cf_breaker_may(&s->breaker, now)) break;
        s->held_first = (s->held_first + 1) % s->held_cap;
        s->held_n--;
        ask(s, call);
    }
    if (s->held_n) cf_timer_after(s->pump, PUMP_MS);
}

void notification_sms_run(struct notification_sms *s, struct cf_work_call *call)
{
    if (s->held_n == s->held_cap) CF_BUG("more calls than the pool may give");
    s->held[(s->held_first + s->held_n) % s->held_cap] = call;
    s->held_n++;
    if (s->held_n == 1) pump(s, cf_mono_ms());
}
