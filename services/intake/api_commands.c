/* POST .../supplements, .../withdrawal and .../extension. */
#include "services/intake/api.h"

#include "common/io/clock.h"
#include "common/io/stage/pgbin.h"

struct change;

/* What is asked of an application, and how it is read and sent. */
struct change_kind {
    const char *word;
    struct cf_route route;
    void (*read)(struct cf_in *in, struct change *c);
    int (*send)(struct change *c);
};

struct change {
    struct intake_write w;
    uint8_t application_id[16];
    const struct change_kind *kind;
    cf_ms wait_until;
    struct intake_supplement supplement;
    struct intake_papers_ref papers;
    struct cf_str photo; /* base64 */
    struct intake_withdraw withdraw;
    struct intake_extend extend;
    struct cf_str role, actor_name, actor_type, actor_number;
    struct intake_view view;
};

static const char *result_name(int result)
{
    switch ((enum intake_command_result)result) {
    case INTAKE_REFUSED: return "refused";
    case INTAKE_REQUESTED: return "requested"; /* production answers by its own event */
    case INTAKE_DONE: break;
    }
    return "done";
}

static void answer(struct change *c, int status, const struct intake_view *v)
{
    char id[37];
    struct cf_buf body;
    cf_buf_init(&body, 256 << 10);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    if (!v) {
        cf_uuid_text(c->application_id, id);
        cf_out_z(&o, "application_id", id);
    } else {
        cf_out_z(&o, "result", result_name(v->command_result));
        if (v->command_reason.len) cf_out_text(&o, "refused_because", v->command_reason);
        if (v->command_voucher_no.len) cf_out_text(&o, "voucher_no", v->command_voucher_no);
        if (v->command_notice_no.len) cf_out_text(&o, "refusal_notice_no", v->command_notice_no);
        intake_outcome_out(&o, c->w.front, c->w.req->arena, v);
    }
    cf_out_end(&o);
    if (c->w.replayed) cf_answer_header(c->w.req, "Idempotency-Replayed", CF_STR("true"));
    cf_answer_json(c->w.req, status, &body);
    cf_buf_free(&body);
}

static void waited(void *arg, const PGresult *res, int row)
{
    struct change *c = arg;
    struct cf_app *app = c->w.front->app;
    struct intake_view v;
    if (!res || intake_view_read(res, row, c->w.req->arena, &v)) {
        answer(c, 202, NULL);
        return;
    }
    memcpy(v.id, c->application_id, 16); /* it was the command that was waited for */
    if (!v.app.moved_to.len) {
        answer(c, 200, &v);
        return;
    }
    /* It went to its right holder, and its outcome comes there, under the same id. */
    int16_t part = (int16_t)cf_key_partition(&v.app.moved_to, (uint32_t)app->partitions);
    cf_ms left = c->wait_until - cf_mono_ms();
    if (left > 0)
        cf_wait_for(app->waits, part, c->application_id, left, waited, c);
    else
        answer(c, 202, NULL);
}

static void sent(void *arg, int e)
{
    struct change *c = arg;
    if (e) {
        cf_problem_away(c->w.req, "kafka");
    } else if (c->w.wait_ms > 0) {
        c->wait_until = cf_mono_ms() + c->w.wait_ms;
        cf_wait_for(c->w.front->app->waits, c->view.part, c->w.id, c->w.wait_ms, waited, c);
    } else {
        answer(c, 202, NULL);
    }
}

static int send_supplement(struct change *c)
{
    struct cf_arena *a = c->w.req->arena;
    struct cf_str sealed;
    memcpy(c->supplement.application_id, c->application_id, 16);
    if (c->supplement.request.submitted_at == 0)
        c->supplement.request.submitted_at = c->w.sent_at;
    int e = intake_codec_person_seal(c->w.front->app->ring, a, &c->supplement.changes,
                                     &c->view.app.holder, &sealed);
    if (e) return e;
    intake_write_send(&c->w, "application.commands", &c->view.app.holder,
                      "application.supplement",
                      intake_codec_supplement(a, &c->supplement, c->w.id, sealed), sent);
    return 0;
}

static int send_withdrawal(struct change *c)
{
    struct cf_arena *a = c->w.req->arena;
    struct cf_str sealed;
    memcpy(c->withdraw.application_id, c->application_id, 16);
    int e = cf_seal(c->w.front->app->ring,
                    intake_codec_actor(a, c->role, c->actor_name, c->actor_type, c->actor_number),
                    cf_key_str(&c->view.app.holder), INTAKE_FIELD_ACTOR, a, &sealed);
    if (e) return e;
    intake_write_send(&c->w, "application.commands", &c->view.app.holder, "application.withdraw",
                      intake_codec_withdraw(a, &c->withdraw, c->w.id, sealed), sent);
    return 0;
}

static int send_extension(struct change *c)
{
    memcpy(c->extend.application_id, c->application_id, 16);
    intake_write_send(&c->w, "application.commands", &c->view.app.holder, "application.extend",
                      intake_codec_extend(c->w.req->arena, &c->extend, c->w.id), sent);
    return 0;
}

static void photo_put(struct intake_write *w, const uint8_t ref[16], uint32_t reasons)
{
    struct change *c = (struct change *)w;
    memcpy(c->supplement.photo_ref, ref, 16);
    c->supplement.request.photo_reasons = reasons;
    if (send_supplement(c)) cf_problem_away(w->req, "sealing");
}

static void send_on(struct intake_write *w)
{
    struct change *c = (struct change *)w;
    if (c->photo.len)
        intake_photo_put(&c->w, &c->view.app.holder, c->photo, photo_put);
    else if (c->kind->send(c))
        cf_problem_away(c->w.req, "sealing");
}

static void found(void *arg, int e, const PGresult *res)
{
    struct change *c = arg;
    struct intake_request *r = &c->supplement.request;
    if (!intake_found(c->w.req, e, res, &c->view)) return;
    c->papers.unit_code = r->unit_code.len ? r->unit_code : c->view.app.unit_code;
    c->papers.channel = c->view.app.channel;
    intake_papers_find(&c->papers, &c->w, r, &c->supplement.changes.agent, send_on);
}

static void go(struct intake_write *w)
{
    struct change *c = (struct change *)w;
    char n[4];
    cf_put32(n, (uint32_t)w->front->app->partitions);
    const struct cf_str params[] = {{(const char *)c->application_id, 16}, {n, 4}};
    if (cf_pgf_send(w->front->app->pg, INTAKE_SQL_APPLICATION, params, 2, found, c))
        cf_problem_away(w->req, "postgres");
}

static void read_supplement(struct cf_in *in, struct change *c)
{
    struct intake_request *r = &c->supplement.request;
    intake_person_in(in, &c->supplement.changes);
    intake_papers_in(in, r, &c->supplement.changes.agent, &c->papers);
    intake_papers_ref_in(in, &c->papers);
    c->supplement.has_papers = cf_in_has(in, "unit_papers");
    r->bank_code = intake_word_in(in, "bank_code");
    r->outlet_code = intake_word_in(in, "outlet_code");
    r->photo_choice = intake_word_in(in, "photo_choice");
    r->reissue_reason = intake_word_in(in, "reissue_reason");
    r->submitted_at = intake_time_in(in, "submitted_at");
    r->may_backdate = c->w.req->client->may_backdate;
    c->photo = intake_photo_in(in, c->w.front);
}

static void read_withdrawal(struct cf_in *in, struct change *c)
{
    struct cf_in actor = cf_in_object(in, "actor", CF_NEEDED);
    c->role = cf_in_text(&actor, "role", CF_OPTIONAL, 0, 64);
    c->actor_name = cf_in_text(&actor, "name", CF_OPTIONAL, 0, 200);
    c->actor_type = cf_in_text(&actor, "document_type", CF_OPTIONAL, 0, 64);
    c->actor_number = cf_in_text(&actor, "document_number", CF_OPTIONAL, 0, 200);
    c->withdraw.reason = cf_in_word(in, "reason", CF_OPTIONAL, 0, 60, INTAKE_WORD_BYTES);
}

static void read_extension(struct cf_in *in, struct change *c)
{
    struct cf_in operator = cf_in_object(in, "operator", CF_OPTIONAL);
    c->extend.days = (uint32_t)cf_in_int(in, "days", CF_NEEDED, 1, 365, 0);
    c->extend.reason = cf_in_word(in, "reason", CF_OPTIONAL, 0, 60, INTAKE_WORD_BYTES);
    c->extend.staff_id = cf_in_word(&operator, "staff_id", CF_OPTIONAL, 0, 64, INTAKE_WORD_BYTES);
}

static const struct change_kind kinds[] = {
    {"supplement",
     {"POST", "/v1/applications/{application_id}/supplements", "applications:write", 128 << 10,
      CF_JSON, 20000},
     read_supplement, send_supplement},
    {"withdrawal",
     {"POST", "/v1/applications/{application_id}/withdrawal", "applications:write", 64 << 10,
      CF_JSON, 20000},
     read_withdrawal, send_withdrawal},
    {"extension",
     {"POST", "/v1/applications/{application_id}/extension", "deadlines:write", 64 << 10, CF_JSON,
      20000},
     read_extension, send_extension},
};

static void post_change(struct cf_request *req, struct intake_front *front,
                        const struct change_kind *kind)
{
    struct cf_field_errors errors = {0};
    struct change *c = cf_arena_zero(req->arena, sizeof *c);
    c->w = (struct intake_write){.req = req, .front = front, .go = go};
    c->kind = kind;
    if (!cf_uuid_parse(cf_request_param(req, "application_id"), c->application_id)) {
        cf_problem(req, 404, "not_found", "No such application", NULL, 0);
        return;
    }
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    if (!errors.n) kind->read(&in, c);
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    struct cf_str body = intake_meaning(req->arena, root);
    char id[37];
    cf_uuid_text(c->application_id, id);
    intake_write_claim(&c->w, kind->word, key,
                       cf_arena_printf(req->arena, "%s %s %.*s", kind->word, id, CF_ARG(body)));
}

static void post_supplement(struct cf_request *req, void *arg)
{
    post_change(req, arg, &kinds[0]);
}

static void post_withdrawal(struct cf_request *req, void *arg)
{
    post_change(req, arg, &kinds[1]);
}

static void post_extension(struct cf_request *req, void *arg)
{
    post_change(req, arg, &kinds[2]);
}

void intake_api_command_routes(struct intake_front *front)
{
    cf_http_route(front->app->http, &kinds[0].route, post_supplement, front);
    cf_http_route(front->app->http, &kinds[1].route, post_withdrawal, front);
    cf_http_route(front->app->http, &kinds[2].route, post_extension, front);
}
