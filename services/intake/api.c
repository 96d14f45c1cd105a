/* What the routes share: claiming, sending, reading persons, and the catalogue of reasons. */
#include "services/intake/api.h"

#include <stdlib.h>

#include "common/io/ids.h"
#include "common/io/reason_out.h"
#include "common/pure/channels.h"

static void claimed(void *arg, int e, const struct cf_claim *claim)
{
    struct intake_write *w = arg;
    if (cf_claim_refused(w->req, e, claim)) return;
    w->replayed = claim->result == CF_CLAIM_SAME;
    w->sent_at = claim->at;
    memcpy(w->id, claim->id, 16);
    w->go(w);
}

void intake_write_claim(struct intake_write *w, const char *what, struct cf_str key,
                        struct cf_str meaning)
{
    uint8_t id[16];
    const char *client = w->req->client->name;
    cf_uuid8_of(id, cf_str_of(what), cf_str_of(client), key);
    w->wait_ms = cf_request_wait_ms(w->req, CF_WAIT_MAX_MS);
    cf_requests_claim(w->front->app->requests, client, key, meaning, id, claimed, w);
}

struct cf_str intake_meaning(struct cf_arena *a, const json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text) CF_BUG("a parsed body that cannot be written");
    struct cf_str s = cf_arena_str(a, cf_str_of(text));
    free(text);
    return s;
}

void intake_write_send(struct intake_write *w, const char *topic, const struct cf_key *key,
                       const char *type, struct cf_str value, cf_front_sent *sent)
{
    char trace[56];
    cf_request_traceparent(w->req, trace);
    struct cf_front_message m = {.topic = topic,
                                 .key = cf_key_str(key),
                                 .part = -1,
                                 .ce_type = type,
                                 .ce_source = "intake/front",
                                 .ce_time = w->sent_at,
                                 .traceparent = cf_str_of(trace),
                                 .value = value};
    memcpy(m.ce_id, w->id, 16);
    if (cf_front_send(w->front->app->producer, &m, sent, w)) cf_problem_away(w->req, "kafka");
}

void intake_answer_id(struct intake_write *w, int status, const char *name)
{
    char id[37];
    struct cf_buf body;
    cf_buf_init(&body, 1024);
    struct cf_out o = cf_out_to(&body);
    cf_uuid_text(w->id, id);
    cf_out_object(&o, NULL);
    cf_out_z(&o, name, id);
    cf_out_end(&o);
    if (w->replayed) cf_answer_header(w->req, "Idempotency-Replayed", CF_STR("true"));
    cf_answer_json(w->req, status, &body);
    cf_buf_free(&body);
}

/* ---- reading --------------------------------------------------------------------------------- */

enum { NAME_MAX_IN = 1000, TEXT_MAX_IN = 200, ADDRESS_MAX_IN = 1000 };

static struct cf_str take(struct cf_in *in, const char *name, size_t max)
{
    return cf_in_text(in, name, CF_OPTIONAL, 0, max);
}

struct cf_str intake_word_in(struct cf_in *in, const char *name)
{
    return cf_in_word(in, name, CF_OPTIONAL, 0, 64, INTAKE_WORD_BYTES);
}

void intake_person_in(struct cf_in *in, struct intake_person *out)
{
    struct cf_in g = cf_in_object(in, "guardian", CF_OPTIONAL);
    out->document_type = take(in, "document_type", TEXT_MAX_IN);
    out->document_number = take(in, "document_number", TEXT_MAX_IN);
    out->name = take(in, "name", NAME_MAX_IN);
    out->sex = take(in, "sex", TEXT_MAX_IN);
    out->birth_date = take(in, "birth_date", TEXT_MAX_IN);
    out->phone = take(in, "phone", TEXT_MAX_IN);
    out->address = take(in, "address", ADDRESS_MAX_IN);
    out->guardian.name = take(&g, "name", NAME_MAX_IN);
    out->guardian.document_type = take(&g, "document_type", TEXT_MAX_IN);
    out->guardian.document_number = take(&g, "document_number", TEXT_MAX_IN);
    out->guardian.relation = take(&g, "relation", TEXT_MAX_IN);
    out->guardian.phone = take(&g, "phone", TEXT_MAX_IN);
}

void intake_papers_in(struct cf_in *in, struct intake_request *r, struct intake_agent *agent,
                      struct intake_papers_ref *ref)
{
    struct cf_in p = cf_in_object(in, "unit_papers", CF_OPTIONAL);
    struct cf_in a = cf_in_object(&p, "agent", CF_OPTIONAL);
    r->unit_code = intake_word_in(&p, "unit_code");
    r->introduction_letter_no = intake_word_in(&p, "introduction_letter_no");
    r->id_copies_held = cf_in_bool(&p, "id_copies_held", CF_OPTIONAL, false);
    struct cf_str before = take(&p, "given_with", TEXT_MAX_IN);
    if (before.len) {
        ref->with_list = true;
        if (!cf_uuid_parse(before, ref->roster_id)) memset(ref->roster_id, 0, 16);
    }
    agent->name = take(&a, "name", NAME_MAX_IN);
    agent->document_type = take(&a, "document_type", TEXT_MAX_IN);
    agent->document_number = take(&a, "document_number", TEXT_MAX_IN);
}

cf_ms intake_time_in(struct cf_in *in, const char *name)
{
    cf_ms at = 0;
    struct cf_str s = take(in, name, TEXT_MAX_IN);
    if (!s.len) return 0;
    return cf_rfc3339_parse(s, &at) && at > 0 ? at : -1;
}

bool intake_found(struct cf_request *req, int e, const PGresult *res, struct intake_view *out)
{
    if (e) {
        cf_problem_away(req, "postgres");
        return false;
    }
    /* What the caller may not speak for looks to it like what does not exist. */
    bool mine = PQntuples(res) > 0 && !intake_view_read(res, 0, req->arena, out) &&
                (out->app.channel == CF_CHANNEL_NONE ||
                 cf_client_channel(req->client,
                                   cf_channel_name((enum cf_channel)out->app.channel)));
    if (!mine)
        cf_problem(req, 404, "not_yet_known", "No application has this id, or not yet", NULL, 1);
    return mine;
}

/* ---- the catalogue --------------------------------------------------------------------------- */

/* The published matrix: what may be applied for by which channel. */
static void channels_out(struct cf_out *o)
{
    cf_out_array(o, "channels");
    for (int c = CF_CHANNEL_NONE + 1; c < CF_CHANNEL_COUNT; c++) {
        cf_out_object(o, NULL);
        cf_out_z(o, "channel", cf_channel_name((enum cf_channel)c));
        cf_out_array(o, "applications");
        for (int k = CF_KIND_NONE + 1; k < CF_KIND_COUNT; k++)
            if (intake_channel_allows((enum cf_channel)c, (enum cf_app_kind)k))
                cf_out_z(o, NULL, cf_app_kind_name((enum cf_app_kind)k));
        cf_out_end(o);
        cf_out_end(o);
    }
    cf_out_end(o);
}

static void get_reasons(struct cf_request *req, void *arg)
{
    struct cf_buf body;
    (void)arg;
    cf_buf_init(&body, 256 << 10);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_array(&o, "reasons");
    for (unsigned r = 0; r < CF_REASON_COUNT; r++) {
        const struct cf_reason_info *info = cf_reason_info((enum cf_reason)r);
        cf_out_object(&o, NULL);
        cf_out_z(&o, "code", info->code);
        cf_out_array(&o, "aliases");
        if (*info->alias) cf_out_z(&o, NULL, info->alias);
        cf_out_end(&o);
        cf_out_z(&o, "outcome", cf_reason_outcome_name(info->outcome));
        cf_reason_out(&o, (enum cf_reason)r);
        cf_out_int(&o, "respond_days", info->respond_days);
        cf_out_end(&o);
    }
    cf_out_end(&o);
    channels_out(&o);
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

static void get_channels(struct cf_request *req, void *arg)
{
    struct cf_buf body;
    size_t n;
    const struct cf_matrix_row *rows = cf_matrix(&n);
    (void)arg;
    cf_buf_init(&body, 64 << 10);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_array(&o, "operations");
    for (size_t i = 0; i < n; i++) {
        cf_out_object(&o, NULL);
        cf_out_z(&o, "about", rows[i].about);
        cf_out_z(&o, "operation", rows[i].operation);
        cf_out_array(&o, "channels");
        for (int c = CF_CHANNEL_NONE + 1; c < CF_CHANNEL_COUNT; c++)
            if (cf_matrix_may(rows[i].channels, (enum cf_channel)c))
                cf_out_z(&o, NULL, cf_channel_name((enum cf_channel)c));
        cf_out_end(&o);
        cf_out_end(&o);
    }
    cf_out_end(&o);
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

void intake_api_routes(struct intake_front *front)
{
    static const struct cf_route channels = {.method = "GET", .pattern = "/v1/channels"};
    static const struct cf_route reasons = {.method = "GET", .pattern = "/v1/reasons"};
    cf_http_route(front->app->http, &reasons, get_reasons, front);
    cf_http_route(front->app->http, &channels, get_channels, front);
    intake_api_application_routes(front);
    intake_api_paper_routes(front);
    intake_api_command_routes(front);
    intake_api_roster_routes(front);
    intake_api_roster_read_routes(front);
    intake_api_feed_routes(front);
    intake_api_unit_routes(front);
    intake_api_roster_collect_route(front);
    intake_api_roster_collection_route(front);
}
