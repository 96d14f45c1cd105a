#include "services/photo-fetch/gateway.h"

#include "common/io/clock.h"
#include "common/io/json.h"
#include "common/io/log.h"
#include "common/pure/names.h"
#include "common/pure/patience.h"
#include "services/photo-fetch/codec.h"

#include <stdlib.h>
#include <strings.h>

enum { PUMP_MS = 10 };

enum outcome { GOT, UNUSABLE, NOT_THERE, BUSY, FAILED, OUTCOMES };

struct photo_fetch_gateway {
    struct cf_partner *partner;
    struct photo_fetch_vault *vault;
    const struct cf_seal_ring *ring;
    struct cf_photo_limits limits;
    struct cf_arena *arena;
    struct cf_breaker breaker;
    struct cf_gate gate;
    struct cf_timer *pump;
    struct cf_work_call **held; /* ring of calls that may not begin yet */
    size_t held_cap, held_first, held_n;
    struct cf_counter *outcomes[OUTCOMES];
    struct cf_histogram *took;
};

/* One call to the partner; freed with its work call. */
struct asking {
    struct photo_fetch_gateway *g;
    struct cf_work_call *call;
    uint8_t ref[16];
};

static void pump(void *arg, cf_ms now);

void photo_fetch_gateway_free(struct photo_fetch_gateway *g)
{
    if (!g) return;
    cf_partner_free(g->partner);
    cf_timer_free(g->pump);
    cf_arena_free(g->arena);
    free(g->held);
    free(g);
}

static double breaker_open(void *arg)
{
    const struct photo_fetch_gateway *g = arg;
    return g->breaker.open ? 1.0 : 0.0;
}

static double calls_held(void *arg)
{
    const struct photo_fetch_gateway *g = arg;
    return (double)g->held_n;
}

static void register_metrics(struct photo_fetch_gateway *g, struct cf_metrics *m)
{
    static const char *const names[OUTCOMES] = {"photo", "unusable", "none", "busy", "failed"};
    for (int i = 0; i < OUTCOMES; i++)
        g->outcomes[i] =
            cf_counter_new(m, "cardflow_police_answers_total",
                           "Answers of the police photo gateway", "answer", names[i], NULL);
    g->took = cf_histogram_new(m, "cardflow_police_seconds", "Time of a call to the gateway", NULL,
                               0, NULL);
    cf_gauge_fn(m, "cardflow_police_breaker_open", "1 while the gateway is left alone",
                breaker_open, g, NULL);
    cf_gauge_fn(m, "cardflow_police_held", "Calls that wait for breaker, rate or quota", calls_held,
                g, NULL);
}

int photo_fetch_gateway_new(struct cf_loop *loop, const struct photo_fetch_settings *settings,
                            struct photo_fetch_vault *vault, const struct cf_seal_ring *ring,
                            struct cf_metrics *metrics, struct photo_fetch_gateway **out)
{
    struct photo_fetch_gateway *g = cf_calloc(1, sizeof *g);
    const char *key = settings->police_authorization;
    struct cf_partner_conf conf = {.name = "police",
                                   .url = settings->police_url,
                                   .authorization = *key ? key : NULL,
                                   .max_connections = settings->police_connections,
                                   .max_queued = settings->police_in_flight,
                                   .timeout_ms = settings->police_timeout,
                                   .answer_max = 128 << 10};
    int e = cf_partner_new(loop, &conf, &g->partner);
    if (e) {
        free(g);
        return e;
    }
    g->vault = vault;
    g->ring = ring;
    g->limits = photo_fetch_limits(settings);
    g->arena = cf_arena_new(1u << 20);
    g->breaker.limit = settings->police_breaker_failures;
    g->breaker.open_ms = settings->police_breaker_open;
    g->gate.per_second = settings->police_per_second;
    g->gate.per_day = settings->police_per_day;
    g->pump = cf_timer_new(loop, pump, g);
    g->held_cap = (size_t)settings->police_in_flight;
    g->held = cf_calloc(g->held_cap, sizeof(struct cf_work_call *));
    register_metrics(g, metrics);
    *out = g;
    return 0;
}

/* ---- ending a call --------------------------------------------------------------------------- */

static void finish(struct asking *a, enum outcome outcome, enum cf_work_result result,
                   const char *reason, struct cf_str payload)
{
    cf_count_add(a->g->outcomes[outcome], 1);
    struct photo_fetch_gateway *g = a->g;
    cf_work_done(a->call, 0, result, reason, payload);
    if (g->held_n) cf_timer_after(g->pump, 0);
}

static void try_again(struct asking *a, enum outcome outcome, const char *reason)
{
    finish(a, outcome, CF_WORK_RETRY, reason, (struct cf_str){0});
}

static void not_usable(struct asking *a, enum outcome outcome, uint32_t reasons)
{
    struct photo_fetch_gateway *g = a->g;
    finish(a, outcome, CF_WORK_FAILED, "no_usable_photo",
           photo_fetch_codec_fetched(g->arena, NULL, reasons));
}

static void stored(void *arg, int e)
{
    struct asking *a = arg;
    if (e) {
        try_again(a, FAILED, "store_away");
        return;
    }
    cf_arena_reset(a->g->arena);
    finish(a, GOT, CF_WORK_DONE, "", photo_fetch_codec_fetched(a->g->arena, a->ref, 0));
}

static void take_photo(struct asking *a, struct cf_str jpeg)
{
    uint32_t bad = cf_photo_check(jpeg, &a->g->limits);
    if (bad) {
        not_usable(a, UNUSABLE, bad);
        return;
    }
    const struct cf_work *w = cf_work_item(a->call, 0);
    int e = photo_fetch_vault_put(a->g->vault, w->part, jpeg, a->ref, stored, a);
    if (e) try_again(a, FAILED, "cannot_seal");
}

/* 404 has two meanings, and a wrong address has it too: without a known code it is a failure. */
static void take_absence(struct asking *a, struct cf_str body)
{
    struct cf_json_error error;
    json_t *root = cf_json_parse(body, &error);
    const char *code = root ? json_string_value(json_object_get(root, "code")) : NULL;
    uint32_t reason = 0;
    if (code && strcmp(code, "no_photo") == 0) reason = CF_PHOTO_BAD_NOT_ON_FILE;
    if (code && strcmp(code, "person_unknown") == 0) reason = CF_PHOTO_BAD_PERSON_UNKNOWN;
    json_decref(root);
    if (reason)
        not_usable(a, NOT_THERE, reason);
    else
        try_again(a, FAILED, "gateway_answer_not_understood");
}

/* A page that a proxy sends in the gateway's place says nothing about the person. */
static bool holds_photo(const struct cf_call_result *r)
{
    static const char jpeg[] = "image/jpeg";
    return r->status == 200 && r->type.len >= sizeof jpeg - 1 &&
           strncasecmp(r->type.ptr, jpeg, sizeof jpeg - 1) == 0;
}

static void answered(void *arg, const struct cf_call_result *r)
{
    struct asking *a = arg;
    struct photo_fetch_gateway *g = a->g;
    bool good = holds_photo(r) || r->status == 404 || r->status == 503;
    if (good)
        cf_breaker_good(&g->breaker);
    else
        cf_breaker_bad(&g->breaker, cf_mono_ms());
    cf_observe(g->took, (double)r->took_ms / 1000.0);
    cf_arena_reset(g->arena);
    if (holds_photo(r))
        take_photo(a, r->body);
    else if (r->status == 200)
        try_again(a, FAILED, "gateway_answer_not_understood");
    else if (r->status == 404)
        take_absence(a, r->body);
    else if (r->status == 503)
        try_again(a, BUSY, "gateway_busy");
    else
        try_again(a, FAILED, r->why ? r->why : "gateway_error");
}

/* ---- beginning a call ------------------------------------------------------------------------ */

/* The question, with number and name as intake normalised them. */
static int write_question(struct photo_fetch_gateway *g, const struct cf_work *w,
                          struct cf_buf *body)
{
    struct cf_str plain;
    struct photo_fetch_person person;
    int e = cf_unseal(g->ring, w->args, cf_key_str(&w->key), 1, g->arena, &plain);
    if (!e) e = photo_fetch_codec_person(g->arena, plain, &person);
    if (e) return e;
    unsigned warnings = 0;
    char number[CF_IDNUM_MAX];
    size_t n = cf_idnum_normalise(person.document_number, number, &warnings);
    struct cf_buf name;
    cf_buf_init(&name, 4096);
    cf_name_normalise(person.name, &name, &warnings);
    struct cf_out o = cf_out_to(body);
    cf_out_object(&o, NULL);
    cf_out_text(&o, "document_type", person.document_type);
    cf_out_text(&o, "document_number", (struct cf_str){number, n});
    cf_out_text(&o, "name", cf_buf_str(&name));
    cf_out_end(&o);
    cf_buf_free(&name);
    return body->full ? CF_E_TOO_LARGE : 0;
}

static void ask(struct photo_fetch_gateway *g, struct cf_work_call *call)
{
    const struct cf_work *w = cf_work_item(call, 0);
    struct asking *a = cf_calloc(1, sizeof *a);
    *a = (struct asking){.g = g, .call = call};
    *cf_work_own(call) = a;
    cf_arena_reset(g->arena);
    struct cf_buf body;
    cf_buf_init(&body, 8192);
    int e = write_question(g, w, &body);
    if (e) {
        /* A key that is not in the ring, most likely: a person is needed, nothing is lost. */
        cf_log(LOG_ERROR, "photo.person_not_readable", F("error", cf_error_text(e)));
        cf_breaker_unused(&g->breaker);
        try_again(a, FAILED, "person_not_readable");
    } else {
        char id[37];
        cf_uuid_text(w->id, id);
        struct cf_call c = {.method = "POST", .path = "/photo", .type = "application/json"};
        c.body = cf_buf_str(&body);
        c.headers[0] = (struct cf_call_header){"Idempotency-Key", cf_str_of(id)};
        if (cf_partner_call(g->partner, &c, answered, a)) {
            cf_breaker_unused(&g->breaker);
            try_again(a, FAILED, "gateway_queue_full");
        }
    }
    cf_buf_free(&body);
}

static void pump(void *arg, cf_ms now)
{
    struct photo_fetch_gateway *g = arg;
    while (g->held_n) {
        /* The gate first: what the breaker lets through it wants answered. */
        if (g->breaker.open && (g->breaker.probing || now < g->breaker.open_until)) break;
        if (!cf_gate_take(&g->gate, 1, now, cf_now_ms())) break;
        if (!cf_breaker_may(&g->breaker, now)) break;
        struct cf_work_call *call = g->held[g->held_first];
        g->held_first = (g->held_first + 1) % g->held_cap;
        g->held_n--;
        ask(g, call);
    }
    if (g->held_n) cf_timer_after(g->pump, PUMP_MS);
}

void photo_fetch_gateway_run(struct photo_fetch_gateway *g, struct cf_work_call *call)
{
    if (g->held_n == g->held_cap) CF_BUG("more calls than the pool may give");
    g->held[(g->held_first + g->held_n) % g->held_cap] = call;
    g->held_n++;
    if (g->held_n == 1) pump(g, cf_mono_ms());
}
