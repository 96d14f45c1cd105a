#include "services/complaint-handling/ask.h"

#include "common/io/json.h"
#include "services/complaint-handling/codec.h"

#include <stdio.h>
#include <stdlib.h>

enum { ANSWER_MAX = 256 << 10, SCRATCH = 1 << 20 };

struct complaint_asker {
    struct cf_partner *partner;
    const struct cf_seal_ring *ring;
    struct cf_arena *scratch;
    char authorization[600];
};

struct question {
    struct complaint_asker *asker;
    struct cf_work_call *call;
};

static void done(const struct question *q, enum cf_work_result result, const char *reason,
                 struct cf_str payload)
{
    cf_work_done(q->call, 0, result, reason, payload);
}

/* The sentence of the answer, where somebody was found. */
static struct cf_str sentence_of(struct complaint_asker *a, json_t *root)
{
    struct cf_field_errors errors = {0};
    struct cf_in in = cf_in_of(root, a->scratch, &errors);
    bool found = cf_in_bool(&in, "found", CF_NEEDED, false);
    struct cf_in sentence = cf_in_object(&in, "sentence", CF_NEEDED);
    struct cf_str zh = cf_in_text(&sentence, "zh", CF_NEEDED, 1, 1000);
    return found && !errors.n ? zh : (struct cf_str){0};
}

static void take_answer(const struct question *q, struct cf_str body)
{
    struct complaint_asker *a = q->asker;
    struct cf_json_error wrong;
    struct cf_str sealed;
    json_t *root = cf_json_parse(body, &wrong);
    struct cf_str zh = root ? sentence_of(a, root) : (struct cf_str){0};
    if (!root)
        done(q, CF_WORK_RETRY, "malformed_answer", (struct cf_str){0});
    else if (!zh.ptr)
        done(q, CF_WORK_FAILED, "not_found", (struct cf_str){0});
    else if (cf_seal(a->ring, zh, cf_key_str(&cf_work_item(q->call, 0)->key), COMPLAINT_FIELD_REPLY,
                     a->scratch, &sealed) != 0)
        done(q, CF_WORK_RETRY, "sealing_failed", (struct cf_str){0});
    else
        done(q, CF_WORK_DONE, "", sealed);
    json_decref(root);
    cf_arena_reset(a->scratch);
}

static void answered(void *arg, const struct cf_call_result *r)
{
    const struct question q = *(struct question *)arg;
    if (r->status == 200)
        take_answer(&q, r->body);
    else if (r->status == 0 || r->status == 429 || r->status >= 500)
        done(&q, CF_WORK_RETRY, r->why ? r->why : "busy", (struct cf_str){0});
    else
        done(&q, CF_WORK_FAILED, "refused", (struct cf_str){0});
}

void complaint_asker_run(struct complaint_asker *a, struct cf_work_call *call)
{
    char body[80], digits[33];
    struct cf_str ref = cf_work_item(call, 0)->args;
    struct question *q = cf_malloc(sizeof *q);
    *q = (struct question){a, call};
    *cf_work_own(call) = q;
    if (!a || ref.len != 16) {
        done(q, CF_WORK_FAILED, "not_configured", (struct cf_str){0});
        return;
    }
    cf_hex(ref.ptr, 16, digits);
    int n = snprintf(body, sizeof body, "{\"holder_ref\":\"%s\"}", digits);
    const struct cf_call c = {
        .method = "POST",
        .path = "/v1/internal/status",
        .type = "application/json",
        .body = {body, (size_t)n},
        .headers = {{"Cardflow-Purpose", CF_STR("work_order")}   }
    };
    if (cf_partner_call(a->partner, &c, answered, q))
        done(q, CF_WORK_RETRY, "busy", (struct cf_str){0});
}

int complaint_asker_new(struct cf_loop *loop, const struct cf_seal_ring *ring,
                        const struct complaint_ask_conf *conf, struct complaint_asker **out)
{
    struct complaint_asker *a = cf_calloc(1, sizeof *a);
    a->ring = ring;
    snprintf(a->authorization, sizeof a->authorization, "Bearer %s", conf->key);
    const struct cf_partner_conf partner = {.name = "inquiry",
                                            .url = conf->url,
                                            .authorization = a->authorization,
                                            .max_connections = conf->connections,
                                            .timeout_ms = conf->timeout,
                                            .answer_max = ANSWER_MAX};
    a->scratch = cf_arena_new(SCRATCH);
    int e = cf_partner_new(loop, &partner, &a->partner);
    if (e) {
        complaint_asker_free(a);
        a = NULL;
    }
    *out = a;
    return e;
}

void complaint_asker_free(struct complaint_asker *a)
{
    if (!a) return;
    if (a->partner) cf_partner_free(a->partner);
    cf_arena_free(a->scratch);
    explicit_bzero(a->authorization, sizeof a->authorization);
    free(a);
}
