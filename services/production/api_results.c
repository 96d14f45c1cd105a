/* Answers of banks that have no Kafka. Each becomes a record of bank.results, as an adapter would
 * write it; the stage judges it by the state, so a repeat does no harm. */
#include "services/production/api_inside.h"

#include "common/io/clock.h"
#include "common/io/ids.h"

#define SCOPE "bank_results:write"
#define RESULTS_MAX 1000

struct report {
    struct cf_request *req;
    struct production_front *front;
    struct cf_key *keys;
    struct production_result_fields *results;
    size_t n, waiting;
    bool replayed, failed;
};

static void all_sent(struct report *r)
{
    struct cf_buf body;
    if (r->failed) {
        cf_problem_away(r->req, "kafka");
        return;
    }
    cf_buf_init(&body, 4096);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_uint(&o, "taken", r->n);
    cf_out_end(&o);
    if (r->replayed) cf_answer_header(r->req, "Idempotency-Replayed", CF_STR("true"));
    cf_answer_json(r->req, 202, &body);
    cf_buf_free(&body);
}

static void sent(void *arg, int e)
{
    struct report *r = arg;
    if (e) r->failed = true;
    if (--r->waiting == 0) all_sent(r);
}

static void claimed(void *arg, int e, const struct cf_claim *claim)
{
    struct report *r = arg;
    if (cf_claim_refused(r->req, e, claim)) return;
    r->replayed = claim->result == CF_CLAIM_SAME;
    char trace[56];
    cf_request_traceparent(r->req, trace);
    r->waiting = 1; /* until all are queued */
    for (size_t i = 0; i < r->n; i++) {
        struct cf_front_message m = {.topic = "bank.results",
                                     .key = cf_key_str(&r->keys[i]),
                                     .part = -1,
                                     .ce_type = "bank.result",
                                     .ce_source = PRODUCTION_FRONT,
                                     .ce_time = claim->at,
                                     .traceparent = cf_str_of(trace)};
        memcpy(m.ce_id, r->results[i].result_id, 16);
        m.value = production_codec_result(r->req->arena, &r->results[i]);
        if (cf_front_send(r->front->app->producer, &m, sent, r))
            r->failed = true;
        else
            r->waiting++;
    }
    if (--r->waiting == 0) all_sent(r);
}

/* An id in text form; absent is fine, malformed is an error of the field. */
static void read_uuid(struct cf_in *in, const char *name, enum cf_need need, uint8_t id[16])
{
    struct cf_str text = cf_in_text(in, name, need, 36, 36);
    if (text.len && !cf_uuid_parse(text, id))
        cf_in_wrong(in, name, "a UUID", "Give the id as it stood in the order.");
}

static void read_key(struct report *r, struct cf_in *in, struct cf_key *key)
{
    uint8_t ref[CF_REF_LEN];
    struct cf_str routing = cf_in_text(in, "routing_key", CF_OPTIONAL, 32, 32);
    if (routing.len) {
        if (cf_unhex(routing, ref, sizeof ref))
            *key = cf_key_holder(ref);
        else
            cf_in_wrong(in, "routing_key", "32 hexadecimal digits", "Copy it from the order.");
        return;
    }
    struct cf_str type = cf_in_text(in, "document_type", CF_NEEDED, 1, 40);
    struct cf_str number = cf_in_text(in, "document_number", CF_NEEDED, 1, 64);
    if (type.len && number.len && !production_api_key(r->front->app->ring, type, number, key))
        cf_in_wrong(in, "document_number", "a number of this document type",
                    "Give routing_key, or compare with the document.");
}

static void read_tries(struct cf_in *in, struct production_result_fields *f)
{
    f->password_kind = cf_in_text(in, "password_kind", CF_NEEDED, 1, 20);
    f->tries = (uint32_t)cf_in_int(in, "tries", CF_NEEDED, 0, 1000, 0);
    if (f->password_kind.len && production_password_kind(f->password_kind) < 0)
        cf_in_wrong(in, "password_kind", "social_security or financial", "Say which password.");
}

static void read_result(struct report *r, struct cf_in *in, size_t i, struct cf_str idempotency)
{
    struct production_result_fields *f = &r->results[i];
    struct cf_str at = cf_in_text(in, "at", CF_OPTIONAL, 20, 40);
    read_key(r, in, &r->keys[i]);
    f->step = cf_in_text(in, "type", CF_NEEDED, 1, 30);
    /* A notice is about a card, whatever became of its application. */
    bool notice = cf_str_is(f->step, PRODUCTION_ACKNOWLEDGED);
    read_uuid(in, "notice_id", notice ? CF_NEEDED : CF_OPTIONAL, f->notice_id);
    bool tries = cf_str_is(f->step, PRODUCTION_PASSWORD_WRONG);
    read_uuid(in, "application_id", notice || tries ? CF_OPTIONAL : CF_NEEDED, f->app_id);
    read_uuid(in, "batch_id", CF_OPTIONAL, f->batch_id);
    f->bank = cf_in_text(in, "bank_code", CF_NEEDED, 1, 20);
    f->card_no = cf_in_text(in, "card_no", tries ? CF_NEEDED : CF_OPTIONAL, tries, 20);
    if (tries) read_tries(in, f);
    f->reason = cf_in_word(in, "reason", CF_OPTIONAL, 0, 60, 100);
    f->line_no = (uint32_t)cf_in_int(in, "line_no", CF_OPTIONAL, 0, 1000000, 0);
    f->at = cf_now_ms();
    if (at.len && !cf_rfc3339_parse(at, &f->at))
        cf_in_wrong(in, "at", "a time of RFC 3339", "Give date, time and offset.");
    if (f->step.len && !notice && !tries && production_step_parse(f->step) == PRODUCTION_ON_NONE)
        cf_in_wrong(in, "type", "a step of a bank",
                    "account_opened, account_failed, produced, failed, shipped, arrived, "
                    "collected, notice_acknowledged or password_wrong.");
    const json_t *fees = cf_in_array(in, "fees", CF_OPTIONAL, 8);
    for (size_t k = 0; fees && k < json_array_size(fees); k++)
        f->fee_cents += production_api_cents(json_array_get(fees, k));
    char index[8];
    memcpy(index, &i, sizeof index);
    cf_uuid8_of(f->result_id, CF_STR("bank.result"), cf_str_of(r->req->client->name), idempotency,
                ((struct cf_str){index, sizeof index}));
}

static bool read_body(struct report *r, const json_t *root, struct cf_str idempotency)
{
    struct cf_field_errors errors = {0};
    struct cf_in top = {.path = "", .arena = r->req->arena, .errors = &errors};
    bool many = json_is_array(root);
    r->n = many ? json_array_size(root) : 1;
    if (r->n == 0 || r->n > RESULTS_MAX) {
        cf_problem_field(r->req, 400, "invalid_body", "body", "1 to 1,000 answers",
                         "Send them in several requests.");
        return false;
    }
    r->keys = cf_arena_zero(r->req->arena, r->n * sizeof *r->keys);
    r->results = cf_arena_zero(r->req->arena, r->n * sizeof *r->results);
    for (size_t i = 0; i < r->n; i++) {
        struct cf_in in =
            many ? cf_in_item(&top, NULL, root, i) : cf_in_of(root, r->req->arena, &errors);
        read_result(r, &in, i, idempotency);
    }
    if (errors.n) cf_problem_fields(r->req, &errors);
    return errors.n == 0;
}

static void post_results(struct cf_request *req, void *arg)
{
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    struct report *r = cf_arena_zero(req->arena, sizeof *r);
    r->req = req;
    r->front = arg;
    if (!read_body(r, root, key)) return;
    uint8_t id[16];
    char *meaning = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    if (!meaning) CF_BUG("a parsed body cannot be written");
    cf_uuid8_of(id, CF_STR("bank.results"), cf_str_of(req->client->name), key);
    cf_requests_claim(r->front->app->requests, req->client->name, key, cf_str_of(meaning), id,
                      claimed, r);
    free(meaning);
}

void production_api_results(struct production_front *front)
{
    static const struct cf_route results = {.method = "POST",
                                            .pattern = "/v1/bank-results",
                                            .scope = SCOPE,
                                            .body_max = 1 << 20,
                                            .type = CF_JSON};
    cf_http_route(front->app->http, &results, post_results, front);
}
