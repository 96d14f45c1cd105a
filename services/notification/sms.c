#include "services/notification/sms.h"

#include "common/io/clock.h"
#include "common/io/json.h"
#include "common/io/log.h"
#include "common/io/stage/pgbin.h"
#include "common/pure/patience.h"
#include "services/notification/codec.h"
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

/* A call of the pool while it is ours; freed with it. */
struct sending {
    struct notification_sms *sms;
    struct cf_work_call *call;
};

/* One call to the partner: these items of the pool's call. */
struct post {
    struct notification_sms *sms;
    struct cf_work_call *call;
    size_t n;
    size_t items[];
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

/* ---- ending ------------------------------------------------------------------------------------- */

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

static void finish_post(struct post *p, enum outcome outcome, const char *reason)
{
    for (size_t i = 0; i < p->n; i++) finish(p->sms, p->call, p->items[i], outcome, reason);
    free(p);
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
    for (size_t i = 0; i < p->n; i++)
        take_status(p, p->items[i],
                    answer_to(root, i, cf_work_item(p->call, p->items[i])->id));
    json_decref(root);
    free(p);
}

/* ---- sending ------------------------------------------------------------------------------------ */

struct contact {
    struct cf_str key, person;
    bool died;
};

struct contacts {
    struct contact *list;
    size_t n;
};

static void post(struct notification_sms *s, struct cf_work_call *call, const size_t *items,
                 size_t n, const struct contacts *contacts);

static const struct contact *contact_of(const struct contacts *c, const struct cf_key *key)
{
    for (size_t i = 0; i < c->n; i++)
        if (cf_str_eq(c->list[i].key, cf_key_str(key))) return &c->list[i];
    return NULL;
}

static bool write_text(struct notification_sms *s, const struct notification_job *job,
                       enum cf_lang lang, struct cf_buf *out)
{
    char due[24], respond[24];
    bool en = lang == CF_LANG_EN;
    struct notification_values v = {{{0}}};
    v.v[NOTIFY_VALUE_RECEIPT_NO] = job->receipt_no;
    v.v[NOTIFY_VALUE_NOTICE_NO] = job->notice_no;
    v.v[NOTIFY_VALUE_OUTLET_CODE] = job->outlet_code;
    v.v[NOTIFY_VALUE_CARD_NO] = job->card_no_masked;
    v.v[NOTIFY_VALUE_ORDER_NO] = job->order_no;
    if (job->due_on)
        v.v[NOTIFY_VALUE_DUE_ON] =
            cf_str_of(en ? cf_day_text(job->due_on, due) : cf_day_text_zh(job->due_on, due));
    if (job->respond_by)
        v.v[NOTIFY_VALUE_RESPOND_BY] =
            cf_str_of(en ? cf_day_text(job->respond_by, respond)
                         : cf_day_text_zh(job->respond_by, respond));
    return cf_buf_printf(out, "【%s】", s->signature) &&
           notification_render(job->template, lang, &v, out);
}

/* Writes one message; NULL when done, else why it is not sent. */
static const char *write_message(struct notification_sms *s, const struct cf_work *w,
                                 const struct contact *to, struct cf_out *o)
{
    struct cf_str plain;
    struct notification_person person;
    struct notification_job job;
    char phone[64], id[37];
    if (to && to->died) return "holder_died";
    if (!to || !to->person.len) return "no_contact";
    if (cf_unseal(s->ring, to->person, cf_key_str(&w->key), 1, s->arena, &plain) ||
        notification_codec_person(s->arena, plain, &person))
        return "person_not_readable";
    size_t n = notification_phone(person.phone, person.guardian_phone, phone);
    if (!n) return "no_phone";
    if (notification_codec_job_read(s->arena, w->args, &job)) return "template_not_known";
    struct cf_buf text;
    cf_buf_init(&text, NOTIFY_TEXT_MAX);
    bool made = write_text(s, &job, notification_lang(person.document_type), &text);
    if (made) {
        cf_uuid_text(w->id, id);
        cf_out_object(o, NULL);
        cf_out_z(o, "id", id);
        cf_out_text(o, "to", (struct cf_str){phone, n});
        cf_out_text(o, "text", cf_buf_str(&text));
        cf_out_end(o);
    }
    cf_buf_free(&text);
    return made ? NULL : "template_value_missing";
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
    else if (refused && p->n == 1)
        finish_post(p, REJECTED, "gateway_refused");
    else if (refused)
        finish_post(p, AGAIN, "gateway_refused_batch");
    else
        finish_post(p, AGAIN, r->why ? r->why : "gateway_error");
}

static void give(struct post *p, const struct cf_buf *body)
{
    struct notification_sms *s = p->sms;
    struct cf_call c = {.method = "POST", .path = "/sms", .type = "application/json"};
    c.body = cf_buf_str(body);
    cf_count_add(s->calls, 1);
    if (cf_partner_call(s->partner, &c, answered, p) == 0) return;
    cf_breaker_unused(&s->breaker);
    finish_post(p, AGAIN, "gateway_queue_full");
}

/* A message that was refused in a batch goes alone the next time. */
static bool goes_alone(const struct cf_work *w)
{
    return w->attempt > 0;
}

static void post(struct notification_sms *s, struct cf_work_call *call, const size_t *items,
                 size_t n, const struct contacts *contacts)
{
    struct post *p = cf_calloc(1, sizeof *p + n * sizeof p->items[0]);
    struct cf_buf body;
    p->sms = s;
    p->call = call;
    cf_buf_init(&body, BODY_MAX);
    struct cf_out o = cf_out_to(&body);
    cf_out_array(&o, NULL);
    for (size_t i = 0; i < n; i++) {
        const struct cf_work *w = cf_work_item(call, items[i]);
        const char *why = write_message(s, w, contact_of(contacts, &w->key), &o);
        if (!why)
            p->items[p->n++] = items[i];
        else if (strcmp(why, "person_not_readable") == 0)
            finish(s, call, items[i], AGAIN, why);
        else
            finish(s, call, items[i], SUPPRESSED, why);
    }
    cf_out_end(&o);
    if (p->n) {
        give(p, &body);
    } else {
        cf_breaker_unused(&s->breaker);
        free(p);
    }
    cf_buf_free(&body);
}
