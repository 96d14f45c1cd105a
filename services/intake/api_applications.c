/* POST /v1/applications. */
#include "common/io/clock.h"
#include "common/io/ids.h"
#include "common/io/stage/pgbin.h"
#include "services/intake/api.h"

struct post {
    struct intake_write w;
    struct intake_submit m;
    struct intake_papers_ref papers;
    struct cf_key key;
    struct cf_str photo; /* base64 */
    cf_ms wait_until;
};

/* ---- answers ---------------------------------------------------------------------------------- */

static void waited(void *arg, const PGresult *res, int row);

/* Its outcome comes in the shard of that holder. */
static void wait_at(struct post *p, const struct cf_key *key)
{
    struct cf_app *app = p->w.front->app;
    int16_t part = (int16_t)cf_key_partition(key, (uint32_t)app->partitions);
    cf_ms left = p->wait_until - cf_mono_ms();
    if (left > 0)
        cf_wait_for(app->waits, part, p->w.id, left, waited, p);
    else
        intake_answer_id(&p->w, 202, "application_id");
}

static void waited(void *arg, const PGresult *res, int row)
{
    struct post *p = arg;
    struct cf_request *req = p->w.req;
    struct intake_view v;
    if (!res || intake_view_read(res, row, req->arena, &v)) {
        intake_answer_id(&p->w, 202, "application_id");
        return;
    }
    if (v.app.moved_to.len) {
        wait_at(p, &v.app.moved_to);
        return;
    }
    struct cf_buf body;
    cf_buf_init(&body, 256 << 10);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    intake_outcome_out(&o, p->w.front, req->arena, &v);
    cf_out_end(&o);
    if (p->w.replayed) cf_answer_header(req, "Idempotency-Replayed", CF_STR("true"));
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

static void sent(void *arg, int e)
{
    struct post *p = arg;
    if (e) {
        cf_problem_away(p->w.req, "kafka");
    } else if (p->w.wait_ms > 0) {
        p->wait_until = cf_mono_ms() + p->w.wait_ms;
        wait_at(p, &p->key);
    } else {
        intake_answer_id(&p->w, 202, "application_id");
    }
}

static void send(struct intake_write *w, const uint8_t ref[16], uint32_t reasons)
{
    struct post *p = (struct post *)w;
    memcpy(p->m.photo_ref, ref, 16);
    p->m.request.photo_reasons = reasons;
    intake_write_send(w, "application.commands", &p->key, "application.submit",
                      intake_codec_submit(w->req->arena, &p->m), sent);
}

static void submit(struct intake_write *w)
{
    static const uint8_t no_photo[16];
    struct post *p = (struct post *)w;
    struct cf_arena *a = w->req->arena;
    const struct cf_seal_ring *ring = w->front->app->ring;
    memcpy(p->m.application_id, w->id, 16);
    /* The same for every repeat. */
    if (p->m.request.submitted_at == 0) p->m.request.submitted_at = w->sent_at;
    intake_codec_key(ring, &p->m.person, w->id, &p->key);
    if (intake_codec_person_seal(ring, a, &p->m.person, &p->key, &p->m.sealed)) {
        cf_problem_away(w->req, "sealing");
        return;
    }
    if (p->photo.len)
        intake_photo_put(w, &p->key, p->photo, send);
    else
        send(w, no_photo, 0);
}

static void go(struct intake_write *w)
{
    struct post *p = (struct post *)w;
    p->papers.unit_code = p->m.request.unit_code;
    p->papers.channel = (int)p->m.request.channel;
    intake_papers_find(&p->papers, w, &p->m.request, &p->m.person.agent, submit);
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* {type, amount} in yuan; only whether anything is asked for matters (S12). */
static int64_t fees_in(struct cf_in *in)
{
    const json_t *list = cf_in_array(in, "fees", CF_OPTIONAL, 20);
    int64_t cents = 0;
    for (size_t i = 0; list && i < json_array_size(list); i++) {
        const json_t *amount = json_object_get(json_array_get(list, i), "amount");
        if (!json_is_number(amount)) {
            cf_in_wrong(in, "fees", "each needs an amount, a number", "Give {type, amount}.");
            continue;
        }
        double yuan = json_number_value(amount);
        if (yuan > 0) cents += yuan >= 1e9 ? 100000000000 : (int64_t)(yuan * 100) + 1;
    }
    return cents;
}

static void read_body(struct cf_in *in, struct cf_str key, struct intake_submit *m,
                      struct intake_papers_ref *papers)
{
    struct intake_request *r = &m->request;
    struct cf_str request_id = cf_in_text(in, "request_id", CF_OPTIONAL, 0, 200);
    if (request_id.len && !cf_str_eq(request_id, key))
        cf_in_wrong(in, "request_id", "must equal the Idempotency-Key",
                    "Send the same text in both, or leave request_id out.");
    intake_person_in(in, &m->person);
    intake_papers_in(in, r, &m->person.agent, papers);
    r->channel = cf_channel_parse(cf_in_text(in, "channel", CF_OPTIONAL, 0, 64));
    r->kind = cf_app_kind_parse(cf_in_text(in, "kind", CF_OPTIONAL, 0, 64));
    r->bank_code = intake_word_in(in, "bank_code");
    r->outlet_code = intake_word_in(in, "outlet_code");
    r->photo_choice = intake_word_in(in, "photo_choice");
    r->reissue_reason = intake_word_in(in, "reissue_reason");
    r->submitted_at = intake_time_in(in, "submitted_at");
    m->fee_cents = fees_in(in);
    r->with_fee = m->fee_cents > 0;
}

/* May this key speak for that channel? An unknown channel is no key's; it is rejected later. */
static bool channel_ok(struct cf_request *req, enum cf_channel channel)
{
    if (channel == CF_CHANNEL_NONE || cf_client_channel(req->client, cf_channel_name(channel)))
        return true;
    cf_problem_field(req, 403, "missing_scope", "channel", "is not one of this key's channels",
                     "Use the key of that channel.");
    return false;
}

static void post_application(struct cf_request *req, void *arg)
{
    struct cf_field_errors errors = {0};
    struct post *p = cf_arena_zero(req->arena, sizeof *p);
    p->w = (struct intake_write){.req = req, .front = arg, .go = go};
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    if (!errors.n) read_body(&in, key, &p->m, &p->papers);
    if (!errors.n) p->photo = intake_photo_in(&in, arg);
    if (!errors.n) intake_papers_ref_in(&in, &p->papers);
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    if (!channel_ok(req, p->m.request.channel)) return;
    p->m.request.may_backdate = req->client->may_backdate;
    intake_write_claim(&p->w, "application", key, intake_meaning(req->arena, root));
}

void intake_api_application_routes(struct intake_front *front)
{
    static const struct cf_route post = {"POST", "/v1/applications", "applications:write",
                                         128 << 10, CF_JSON, 20000};
    cf_http_route(front->app->http, &post, post_application, front);
}
