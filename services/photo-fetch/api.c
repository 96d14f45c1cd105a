#include "services/photo-fetch/api.h"

#include "common/io/ids.h"
#include "common/io/stage/pgbin.h"
#include "services/photo-fetch/codec.h"

/* One upload on its way; lives in the request's arena. */
struct upload {
    struct cf_request *req;
    struct photo_fetch_front *front;
    uint8_t application_id[16], command_id[16], ref[16];
    struct cf_key key;
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
                                        [PHOTO_UPLOAD_EXPIRED] = "command_expired",
                                        [PHOTO_UPLOAD_TOO_MANY] = "too_many_operations"};
    return names[result > 0 && result <= PHOTO_UPLOAD_TOO_MANY ? result : 0];
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

static void stored(void *arg, int e)
{
    struct upload *u = arg;
    if (e) {
        cf_problem_away(u->req, "postgres");
        return;
    }
    char trace[56];
    cf_request_traceparent(u->req, trace);
    struct cf_front_message m = {.topic = "photo.commands",
                                 .key = cf_key_str(&u->key),
                                 .part = -1,
                                 .ce_type = "photo.upload",
                                 .ce_source = "photo-fetch/front",
                                 .ce_time = u->sent_at,
                                 .traceparent = cf_str_of(trace)};
    memcpy(m.ce_id, u->command_id, 16);
    m.value = photo_fetch_codec_upload(u->req->arena, u->application_id, u->command_id, u->ref);
    if (cf_front_send(u->front->app->producer, &m, sent, u)) cf_problem_away(u->req, "kafka");
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

void photo_fetch_api_routes(struct photo_fetch_front *front)
{
    static const struct cf_route route = {"PUT",
                                          "/v1/applications/{application_id}/photo",
                                          "applications:write",
                                          64 << 10,
                                          "image/jpeg",
                                          15000};
    cf_http_route(front->app->http, &route, put_photo, front);
}
