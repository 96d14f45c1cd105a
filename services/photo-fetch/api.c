#include "services/photo-fetch/api.h"

#include "common/io/ids.h"
#include "common/io/stage/pgbin.h"
#include "services/photo-fetch/codec.h"

/* One upload, or a declaration that there is no photo, on its way; lives in the request's arena. */
struct upload {
    struct cf_request *req;
    struct photo_fetch_front *front;
    uint8_t application_id[16], command_id[16], ref[16];
    struct cf_key key;
    struct cf_str guardian; /* packed: who declares that there is no photo; empty: an upload */
    int16_t part;
    cf_ms sent_at, wait_ms;
    bool replayed;
};

static const char *result_name(int16_t result)
{
    static const char *const names[] = {"",
                                        [PHOTO_UPLOAD_DONE] = "done",
                                        [PHOTO_UPLOAD_ENDED] = "photo_not_wanted",
                                        [PHOTO_UPLOAD_UNUSABLE] = "photo_not_usable",
                                        [PHOTO_UPLOAD_NOT_A_CHILD] = "photo_none_not_allowed",
                                        [PHOTO_UPLOAD_EXPIRED] = "command_expired",
                                        [PHOTO_UPLOAD_TOO_MANY] = "too_many_operations"};
    size_t n = sizeof names / sizeof *names;
    return names[result > 0 && (size_t)result < n ? result : 0];
}

static void answer(struct upload *u, int status, const char *result)
{
    char id[37];
    struct cf_buf body;
    struct cf_request *req = u->req;
    cf_buf_init(&body, 4096);
    struct cf_out o = cf_out_to(&body);
    cf_uuid_text(u->application_id, id);
    cf_out_object(&o, NULL);
    cf_out_z(&o, "application_id", id);
    cf_uuid_text(u->command_id, id);
    cf_out_z(&o, "command_id", id);
    if (result) {
        bool done = strcmp(result, "done") == 0;
        cf_out_z(&o, "result", done ? "done" : "refused");
        cf_out_array(&o, "reasons");
        if (!done) cf_out_z(&o, NULL, result);
        cf_out_end(&o);
    }
    cf_out_end(&o);
    if (u->replayed) cf_answer_header(req, "Idempotency-Replayed", CF_STR("true"));
    cf_answer_json(req, status, &body);
    cf_buf_free(&body);
}

static void waited(void *arg, const PGresult *res, int row)
{
    struct upload *u = arg;
    if (!res) {
        answer(u, 202, NULL);
        return;
    }
    int16_t result = (int16_t)cf_get16(PQgetvalue(res, row, 1));
    answer(u, 200, result_name(result));
}

static void sent(void *arg, int e)
{
    struct upload *u = arg;
    if (e) {
        cf_problem_away(u->req, "kafka");
    } else if (u->wait_ms > 0) {
        cf_wait_for(u->front->app->waits, u->part, u->command_id, u->wait_ms, waited, u);
    } else {
        answer(u, 202, NULL);
    }
}

static void send_command(struct upload *u, const char *type, struct cf_str value)
{
    char trace[56];
    cf_request_traceparent(u->req, trace);
    struct cf_front_message m = {.topic = "photo.commands",
                                 .key = cf_key_str(&u->key),
                                 .part = -1,
                                 .ce_type = type,
                                 .ce_source = "photo-fetch/front",
                                 .ce_time = u->sent_at,
                                 .traceparent = cf_str_of(trace),
                                 .value = value};
    memcpy(m.ce_id, u->command_id, 16);
    if (cf_front_send(u->front->app->producer, &m, sent, u)) cf_problem_away(u->req, "kafka");
}

static void stored(void *arg, int e)
{
    struct upload *u = arg;
    if (e)
        cf_problem_away(u->req, "postgres");
    else
        send_command(u, "photo.upload",
                     photo_fetch_codec_upload(u->req->arena, u->application_id, u->command_id,
                                              u->ref));
}

static void send_waiver(struct upload *u)
{
    struct cf_arena *a = u->req->arena;
    struct cf_str sealed;
    if (cf_seal(u->front->app->ring, u->guardian, cf_key_str(&u->key), PHOTO_FIELD_ACTOR, a,
                &sealed))
        cf_problem_away(u->req, "sealing");
    else
        send_command(u, "photo.waive",
                     photo_fetch_codec_waive(a, u->application_id, u->command_id, sealed));
}

static void found(void *arg, int e, const PGresult *res)
{
    struct upload *u = arg;
    if (e) {
        cf_problem_away(u->req, "postgres");
        return;
    }
    if (PQntuples(res) == 0) {
        cf_problem(u->req, 404, "not_yet_known", "No accepted application has this id, or not yet",
                   NULL, 1);
        return;
    }
    struct cf_str key = cf_pgf_get(res, 0, 1);
    u->part = (int16_t)cf_get16(PQgetvalue(res, 0, 0));
    if (!cf_key_bytes(key.ptr, key.len, &u->key)) CF_BUG("a stored key is no key");
    if (u->guardian.len) {
        send_waiver(u);
        return;
    }
    if (photo_fetch_vault_put(u->front->vault, u->part, u->req->body, u->ref, stored, u))
        cf_problem_away(u->req, "sealing");
}

static void claimed(void *arg, int e, const struct cf_claim *claim)
{
    struct upload *u = arg;
    if (cf_claim_refused(u->req, e, claim)) return;
    u->replayed = claim->result == CF_CLAIM_SAME;
    u->sent_at = claim->at;
    memcpy(u->command_id, claim->id, 16);
    const struct cf_str id = {(const char *)u->application_id, 16};
    if (cf_pgf_send(u->front->app->pg, PHOTO_SQL_FIND_HOLDER, &id, 1, found, u))
        cf_problem_away(u->req, "postgres");
}

static void refuse_photo(struct cf_request *req, uint32_t bad)
{
    struct cf_field_errors errors = {0};
    for (unsigned i = 0; i < CF_PHOTO_REASON_COUNT; i++)
        if (bad >> i & 1)
            cf_field_error_add(&errors, "photo", cf_photo_reason_name(i),
                               "Send a baseline JPEG, 358 x 441 pixels, 350 dpi, 24-bit colour, "
                               "9 to 20 KiB, white background.");
    cf_problem(req, 422, "photo_not_usable", "The photo cannot be used", &errors, 0);
}

static void put_photo(struct cf_request *req, void *arg)
{
    struct photo_fetch_front *front = arg;
    struct cf_photo_limits limits = photo_fetch_limits(&front->settings);
    struct upload *u = cf_arena_zero(req->arena, sizeof *u);
    u->req = req;
    u->front = front;
    if (!cf_uuid_parse(cf_request_param(req, "application_id"), u->application_id)) {
        cf_problem(req, 404, "not_found", "No such application", NULL, 0);
        return;
    }
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    uint32_t bad = cf_photo_check(req->body, &limits);
    if (bad) {
        refuse_photo(req, bad);
        return;
    }
    u->wait_ms = cf_request_wait_ms(req, CF_WAIT_MAX_MS);
    uint8_t id[16], meaning[16 + CF_SHA256_LEN];
    cf_uuid8_of(id, CF_STR("photo.upload"), cf_str_of(req->client->name), key);
    memcpy(meaning, u->application_id, 16);
    cf_sha256(req->body, meaning + 16);
    cf_requests_claim(front->app->requests, req->client->name, key,
                      (struct cf_str){(const char *)meaning, sizeof meaning}, id, claimed, u);
}

/* ---- for intake: a photo that came with an application --------------------------------------- */

static void answer_put(struct cf_request *req, const uint8_t *ref, uint32_t bad)
{
    char hex[33];
    struct cf_buf body;
    cf_buf_init(&body, 4096);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    if (ref) {
        cf_hex(ref, 16, hex);
        cf_out_z(&o, "photo_ref", hex);
    }
    cf_out_array(&o, "reasons");
    for (unsigned i = 0; i < CF_PHOTO_REASON_COUNT; i++)
        if (bad >> i & 1) cf_out_z(&o, NULL, cf_photo_reason_name(i));
    cf_out_end(&o);
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

static void put_away(void *arg, int e)
{
    struct upload *u = arg;
    if (e)
        cf_problem_away(u->req, "postgres");
    else
        answer_put(u->req, u->ref, 0);
}

/* Addressed by content, so a repeat does no harm and needs no key. */
static void put_internal_photo(struct cf_request *req, void *arg)
{
    struct photo_fetch_front *front = arg;
    struct cf_photo_limits limits = photo_fetch_limits(&front->settings);
    struct upload *u = cf_arena_zero(req->arena, sizeof *u);
    struct cf_str part = cf_request_param(req, "part");
    int64_t n = part.len && part.len < 6 ? 0 : -1;
    for (size_t i = 0; i < part.len && n >= 0; i++)
        n = part.ptr[i] >= '0' && part.ptr[i] <= '9' ? n * 10 + (part.ptr[i] - '0') : -1;
    u->req = req;
    u->front = front;
    if (n < 0 || n >= front->app->partitions) {
        cf_problem(req, 404, "not_found", "No such shard", NULL, 0);
        return;
    }
    uint32_t bad = cf_photo_check(req->body, &limits);
    if (bad)
        answer_put(req, NULL, bad);
    else if (photo_fetch_vault_put(front->vault, (int16_t)n, req->body, u->ref, put_away, u))
        cf_problem_away(req, "sealing");
}

/* A guardian declares that there is no photo; whether the holder is a child, the stage knows. */
static void read_waiver(struct cf_in *in, struct upload *u)
{
    struct cf_in actor = cf_in_object(in, "actor", CF_NEEDED);
    struct cf_str role = cf_in_text(&actor, "role", CF_NEEDED, 1, 64);
    struct cf_str name = cf_in_text(&actor, "name", CF_NEEDED, 1, 200);
    struct cf_str type = cf_in_text(&actor, "document_type", CF_NEEDED, 1, 64);
    struct cf_str number = cf_in_text(&actor, "document_number", CF_NEEDED, 1, 200);
    if (role.len && !cf_str_is(role, "guardian"))
        cf_in_wrong(&actor, "role", "must be guardian", "Only a guardian may declare it.");
    if (!in->errors->n)
        u->guardian = photo_fetch_codec_actor(u->req->arena, role, name, type, number);
}

static void post_waiver(struct cf_request *req, void *arg)
{
    struct cf_field_errors errors = {0};
    struct upload *u = cf_arena_zero(req->arena, sizeof *u);
    u->req = req;
    u->front = arg;
    if (!cf_uuid_parse(cf_request_param(req, "application_id"), u->application_id)) {
        cf_problem(req, 404, "not_found", "No such application", NULL, 0);
        return;
    }
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    if (!errors.n) read_waiver(&in, u);
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    uint8_t id[16];
    char hex[37];
    u->wait_ms = cf_request_wait_ms(req, CF_WAIT_MAX_MS);
    cf_uuid_text(u->application_id, hex);
    cf_uuid8_of(id, CF_STR("photo.waive"), cf_str_of(req->client->name), key);
    struct cf_str meaning =
        cf_arena_printf(req->arena, "waiver %s %.*s", hex, CF_ARG(u->guardian));
    cf_requests_claim(u->front->app->requests, req->client->name, key, meaning, id, claimed, u);
}

void photo_fetch_api_routes(struct photo_fetch_front *front)
{
    static const struct cf_route waiver = {"POST",
                                           "/v1/applications/{application_id}/photo-waiver",
                                           "applications:write",
                                           4096,
                                           CF_JSON,
                                           15000};
    cf_http_route(front->app->http, &waiver, post_waiver, front);
    static const struct cf_route internal = {"PUT",        "/v1/internal/photos/{part}",
                                             "applications:write", 64 << 10,
                                             "image/jpeg", 5000};
    cf_http_route(front->app->http, &internal, put_internal_photo, front);
    static const struct cf_route route = {"PUT",
                                          "/v1/applications/{application_id}/photo",
                                          "applications:write",
                                          64 << 10,
                                          "image/jpeg",
                                          15000};
    cf_http_route(front->app->http, &route, put_photo, front);
}
