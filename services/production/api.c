/* Operations on cards over HTTP. */
#include "services/production/api_inside.h"

#include "common/io/ids.h"
#include "common/io/clock.h"
#include "common/io/reason_out.h"
#include "common/io/stage/pgbin.h"

#define SCOPE "cards:write"
#define SCOPE_IMPORT "cards:import"

/* One operation on its way; lives in the request's arena. */
struct asked {
    struct cf_request *req;
    struct production_front *front;
    struct production_command_fields f;
    struct cf_str document_type, document_number, birth_date; /* of the holder */
    struct cf_str actor_name, actor_type, actor_number;
    struct cf_str consent_reference, consent_type, consent_number;
    struct cf_key key, actor_key; /* actor_key: by the document that the holder shows; or empty */
    cf_ms sent_at, wait_ms;
    bool replayed;
};

/* ---- answers ------------------------------------------------------------------------------- */

static void write_reason(struct cf_out *o, struct cf_str code)
{
    cf_out_object(o, NULL);
    cf_out_text(o, "code", code);
    cf_reason_out(o, cf_reason_parse(code));
    cf_out_end(o);
}

void production_api_reasons(struct cf_out *o, struct cf_str codes)
{
    cf_out_array(o, "reasons");
    while (codes.len) {
        const char *comma = memchr(codes.ptr, ',', codes.len);
        size_t n = comma ? (size_t)(comma - codes.ptr) : codes.len;
        write_reason(o, (struct cf_str){codes.ptr, n});
        if (comma) n++;
        codes.ptr += n;
        codes.len -= n;
    }
    cf_out_end(o);
}

static void answer(struct asked *k, int status, const PGresult *res, int row)
{
    char id[37];
    struct cf_buf body;
    cf_buf_init(&body, 64 << 10);
    struct cf_out o = cf_out_to(&body);
    cf_uuid_text(k->f.operation_id, id);
    cf_out_object(&o, NULL);
    cf_out_z(&o, "operation_id", id);
    if (res) {
        cf_out_text(&o, "result", cf_pgf_get(res, row, 1));
        production_api_reasons(&o, cf_pgf_get(res, row, 2));
        cf_out_some(&o, "card_state", cf_pgf_get(res, row, 3));
        cf_out_some(&o, "voucher_no", cf_pgf_get(res, row, 4));
        cf_out_some(&o, "notice_no", cf_pgf_get(res, row, 5));
    }
    cf_out_end(&o);
    if (k->replayed) cf_answer_header(k->req, "Idempotency-Replayed", CF_STR("true"));
    cf_answer_json(k->req, status, &body);
    cf_buf_free(&body);
}

static void waited(void *arg, const PGresult *res, int row)
{
    answer(arg, res ? 200 : 202, res, row);
}

static void sent(void *arg, int e)
{
    struct asked *k = arg;
    struct cf_app *app = k->front->app;
    if (e) {
        cf_problem_away(k->req, "kafka");
        return;
    }
    if (k->wait_ms <= 0) {
        answer(k, 202, NULL, 0);
        return;
    }
    int16_t part = (int16_t)cf_key_partition(&k->key, (uint32_t)app->partitions);
    cf_wait_for(app->waits, part, k->f.operation_id, k->wait_ms, waited, k);
}

/* ---- sending ------------------------------------------------------------------------------- */

static int seal_persons(struct asked *k)
{
    struct cf_arena *a = k->req->arena;
    const struct cf_seal_ring *ring = k->front->app->ring;
    int e = 0;
    if (k->document_number.len)
        e = cf_seal(ring,
                    production_codec_document(a, k->document_type, k->document_number,
                                              k->birth_date),
                    cf_key_str(&k->key), 1, a, &k->f.holder);
    if (!e && (k->actor_name.len || k->actor_number.len))
        e = cf_seal(
            ring,
            production_codec_actor(a, k->f.role, k->actor_name, k->actor_type, k->actor_number),
            cf_key_str(&k->key), 2, a, &k->f.actor);
    if (!e && (k->consent_reference.len || k->consent_number.len))
        e = cf_seal(ring,
                    production_codec_consent_document(a, k->consent_reference, k->consent_type,
                                                      k->consent_number),
                    cf_key_str(&k->key), PRODUCTION_FIELD_CONSENT, a, &k->f.consent.document);
    return e;
}

static void send_command(struct asked *k)
{
    char trace[56];
    if (seal_persons(k)) {
        cf_problem_away(k->req, "sealing");
        return;
    }
    cf_request_traceparent(k->req, trace);
    struct cf_front_message m = {.topic = "card.commands",
                                 .key = cf_key_str(&k->key),
                                 .part = -1,
                                 .ce_type = "card.operation",
                                 .ce_source = PRODUCTION_FRONT,
                                 .ce_time = k->sent_at,
                                 .traceparent = cf_str_of(trace)};
    memcpy(m.ce_id, k->f.operation_id, 16);
    k->f.requested_at = k->sent_at;
    m.value = production_codec_command(k->req->arena, &k->f);
    if (cf_front_send(k->front->app->producer, &m, sent, k)) cf_problem_away(k->req, "kafka");
}

/* The holder shows a newer document than that of the key: it goes by that one, and is led on. */
static void found_alias(void *arg, int e, const PGresult *res)
{
    struct asked *k = arg;
    if (e) {
        cf_problem_away(k->req, "postgres");
        return;
    }
    if (PQntuples(res)) {
        k->key = k->actor_key;
        k->document_type = k->actor_type;
        k->document_number = k->actor_number;
    }
    send_command(k);
}

static void send_by_document(struct asked *k)
{
    char part[2];
    if (!k->actor_key.len || cf_key_eq(&k->actor_key, &k->key)) {
        send_command(k);
        return;
    }
    cf_put16(part, (uint16_t)cf_key_partition(&k->actor_key,
                                              (uint32_t)k->front->app->partitions));
    const struct cf_str params[] = {{part, 2}, cf_key_str(&k->actor_key), cf_key_str(&k->key)};
    if (cf_pgf_send(k->front->app->pg, PRODUCTION_ALIAS, params, 3, found_alias, k))
        cf_problem_away(k->req, "postgres");
}

static void found_card(void *arg, int e, const PGresult *res)
{
    struct asked *k = arg;
    if (e) {
        cf_problem_away(k->req, "postgres");
        return;
    }
    if (PQntuples(res) == 0) {
        cf_problem(k->req, 404, "unknown_card", "No such card", NULL, 0);
        return;
    }
    struct cf_str key = cf_pgf_get(res, 0, 0);
    if (!cf_key_bytes(key.ptr, key.len, &k->key)) CF_BUG("a stored key is no key");
    send_by_document(k);
}

static void claimed(void *arg, int e, const struct cf_claim *claim)
{
    struct asked *k = arg;
    if (cf_claim_refused(k->req, e, claim)) return;
    k->replayed = claim->result == CF_CLAIM_SAME;
    k->sent_at = claim->at;
    memcpy(k->f.operation_id, claim->id, 16);
    if (k->key.len) {
        send_by_document(k);
    } else if (cf_pgf_send(k->front->app->pg, PRODUCTION_HOLDER_OF_CARD, &k->f.card_no, 1,
                           found_card, k)) {
        cf_problem_away(k->req, "postgres");
    }
}

/* ---- reading ------------------------------------------------------------------------------- */

bool production_api_key(const struct cf_seal_ring *ring, struct cf_str type, struct cf_str number,
                        struct cf_key *key)
{
    char norm[CF_IDNUM_MAX];
    unsigned warnings = 0;
    uint8_t ref[CF_REF_LEN];
    size_t n = cf_idnum_normalise(number, norm, &warnings);
    if (!cf_holder_ref(ring, cf_doc_type_parse(type), (struct cf_str){norm, n}, ref)) return false;
    *key = cf_key_holder(ref);
    return true;
}

int64_t production_api_cents(const json_t *fee)
{
    double amount = json_number_value(json_object_get(fee, "amount"));
    /* Any amount above nothing is a fee, were it a hundredth of a cent. */
    if (amount <= 0.0) return 0;
    return amount > 1e9 ? (int64_t)1e11 : 1 + (int64_t)(amount * 100.0);
}

static void read_fees(struct asked *k, struct cf_in *in)
{
    const json_t *fees = cf_in_array(in, "fees", CF_OPTIONAL, 8);
    for (size_t i = 0; fees && i < json_array_size(fees); i++) {
        struct cf_in fee = cf_in_item(in, "fees", fees, i);
        k->f.fees[i].type = cf_in_text(&fee, "type", CF_OPTIONAL, 0, 60);
        k->f.fees[i].cents = production_api_cents(fee.object);
        k->f.n_fees = i + 1;
    }
}

/* The document that was shown, where the actor has none; other evidence is the outlet's own. */
static void read_evidence(struct asked *k, struct cf_in *in)
{
    if (!json_is_object(json_object_get(in->object, "evidence"))) return;
    struct cf_in evidence = cf_in_object(in, "evidence", CF_OPTIONAL);
    k->actor_type = cf_in_text(&evidence, "document_type", CF_OPTIONAL, 0, 40);
    k->actor_number = cf_in_text(&evidence, "document_number", CF_OPTIONAL, 0, 64);
}

static void read_persons(struct asked *k, struct cf_in *in)
{
    struct cf_in actor = cf_in_object(in, "actor", CF_OPTIONAL);
    k->f.role = cf_in_text(&actor, "role", CF_OPTIONAL, 0, 20);
    k->actor_name = cf_in_text(&actor, "name", CF_OPTIONAL, 0, 100);
    k->actor_type = cf_in_text(&actor, "document_type", CF_OPTIONAL, 0, 40);
    k->actor_number = cf_in_text(&actor, "document_number", CF_OPTIONAL, 0, 64);
    if (!k->actor_number.len) read_evidence(k, in);
    if (cf_str_is(k->f.role, "holder") && k->actor_number.len)
        (void)production_api_key(k->front->app->ring, k->actor_type, k->actor_number,
                                 &k->actor_key);
    struct cf_in op = cf_in_object(in, "operator", CF_OPTIONAL);
    k->f.staff_id = cf_in_word(&op, "staff_id", CF_OPTIONAL, 0, 60, 64);
    k->f.operator_bank = cf_in_text(&op, "bank_code", CF_OPTIONAL, 0, 20);
    k->f.operator_outlet = cf_in_text(&op, "outlet_code", CF_OPTIONAL, 0, 40);
}

static void read_holder(struct asked *k, struct cf_in *in)
{
    struct cf_in holder = cf_in_object(in, "holder", CF_OPTIONAL);
    char no[CF_CARDNUM_MAX];
    unsigned warnings = 0;
    struct cf_str raw = cf_in_text(in, "card_no", CF_OPTIONAL, 0, 40);
    size_t n = raw.len ? cf_cardnum_normalise(raw, no, &warnings) : 0;
    if (n) k->f.card_no = cf_arena_str(k->req->arena, (struct cf_str){no, n});
    k->f.card_kind = cf_in_text(in, "card_kind", CF_OPTIONAL, 0, 20);
    if (holder.absent || !holder.object) {
        if (!n) cf_in_wrong(in, "card_no", "card_no or holder is needed", "Say which card it is.");
        return;
    }
    k->document_type = cf_in_text(&holder, "document_type", CF_NEEDED, 1, 40);
    k->document_number = cf_in_text(&holder, "document_number", CF_NEEDED, 1, 64);
    k->birth_date = cf_in_text(&holder, "birth_date", CF_OPTIONAL, 0, 10);
    cf_day born;
    if (k->birth_date.len && !cf_day_parse(k->birth_date, &born))
        cf_in_wrong(&holder, "birth_date", "a date YYYY-MM-DD", "Give the day of birth.");
    if (in->errors->n == 0 &&
        !production_api_key(k->front->app->ring, k->document_type, k->document_number, &k->key))
        cf_in_wrong(&holder, "document_number", "a number of this document type",
                    "Compare with the document.");
}

static void read_import(struct asked *k, struct cf_in *in)
{
    k->f.imports = true;
    k->f.import_bank = cf_in_word(in, "bank_code", CF_NEEDED, 1, 20, 32);
    k->f.import_state = cf_in_text(in, "state", CF_NEEDED, 1, 20);
    k->f.import_kind = cf_in_text(in, "kind", CF_OPTIONAL, 0, 20);
    k->f.has_photo = cf_in_bool(in, "has_photo", CF_OPTIONAL, true);
    struct cf_str issued = cf_in_text(in, "issued_on", CF_NEEDED, 10, 10);
    if (issued.len && !cf_day_parse(issued, &k->f.issued_on))
        cf_in_wrong(in, "issued_on", "a date YYYY-MM-DD", "Give the day of issue.");
}

/* What is missing or odd in it makes it no consent; a mere `true` is none. */
static void read_consent(struct asked *k, struct cf_in *in)
{
    if (!json_is_object(json_object_get(in->object, "consent"))) {
        (void)cf_in_bool(in, "consent", CF_OPTIONAL, false);
        return;
    }
    struct cf_in consent = cf_in_object(in, "consent", CF_OPTIONAL);
    k->f.consent.by = cf_in_text(&consent, "by", CF_OPTIONAL, 0, 20);
    struct cf_str at = cf_in_text(&consent, "given_at", CF_OPTIONAL, 0, 40);
    if (!at.len || !cf_rfc3339_parse(at, &k->f.consent.given_at)) k->f.consent.given_at = 0;
    if (!json_is_object(json_object_get(consent.object, "document"))) {
        k->consent_reference = cf_in_text(&consent, "document", CF_OPTIONAL, 0, 100);
        return;
    }
    struct cf_in document = cf_in_object(&consent, "document", CF_OPTIONAL);
    k->consent_type = cf_in_text(&document, "document_type", CF_OPTIONAL, 0, 40);
    k->consent_number = cf_in_text(&document, "document_number", CF_OPTIONAL, 0, 64);
}

/* `password` may be a word or an object. */
static void read_details(struct asked *k, struct cf_in *in)
{
    const json_t *password = json_object_get(in->object, "password");
    if (json_is_object(password)) {
        struct cf_in p = cf_in_object(in, "password", CF_OPTIONAL);
        k->f.password_kind = cf_in_text(&p, "kind", CF_OPTIONAL, 0, 20);
    } else {
        k->f.password_kind = cf_in_text(in, "password", CF_OPTIONAL, 0, 20);
    }
    read_consent(k, in);
    k->f.add_on = cf_in_word(in, "add_on", CF_OPTIONAL, 0, 40, PRODUCTION_ADD_ON_NAME);
    k->f.reason = cf_in_word(in, "reason", CF_OPTIONAL, 0, 60, 200);
}

static void read_channel(struct asked *k, struct cf_in *in)
{
    struct cf_str channel = cf_in_text(in, "channel", CF_OPTIONAL, 0, 20);
    char *z = cf_arena_dup(k->req->arena, channel.len ? channel.ptr : "", channel.len + 1);
    z[channel.len] = 0;
    /* Not this client's channel: sent without one, the stage refuses it (channel_not_allowed). */
    if (channel.len && cf_client_channel(k->req->client, z)) k->f.channel = channel;
}

static bool read_body(struct asked *k, const json_t *root)
{
    struct cf_field_errors errors = {0};
    struct cf_in in = cf_in_of(root, k->req->arena, &errors);
    k->f.operation = cf_in_text(&in, "operation", CF_NEEDED, 1, 40);
    read_channel(k, &in);
    read_holder(k, &in);
    read_persons(k, &in);
    read_fees(k, &in);
    read_details(k, &in);
    if (cf_str_is(k->f.operation, "import_card")) {
        read_import(k, &in);
        if (!k->key.len && errors.n == 0)
            cf_in_wrong(&in, "holder", "needed", "Say whose card it is.");
    }
    if (errors.n) cf_problem_fields(k->req, &errors);
    return errors.n == 0;
}

static void post_operation(struct cf_request *req, void *arg)
{
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    struct asked *k = cf_arena_zero(req->arena, sizeof *k);
    k->req = req;
    k->front = arg;
    if (!read_body(k, root)) return;
    if (k->f.imports && !cf_client_may(req->client, SCOPE_IMPORT)) {
        cf_problem(req, 403, "missing_scope", "This key may not import cards", NULL, 0);
        return;
    }
    k->wait_ms = cf_request_wait_ms(req, CF_WAIT_MAX_MS);
    uint8_t id[16];
    char *meaning = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    if (!meaning) CF_BUG("a parsed body cannot be written");
    cf_uuid8_of(id, CF_STR("card.operation"), cf_str_of(req->client->name), key);
    cf_requests_claim(k->front->app->requests, req->client->name, key, cf_str_of(meaning), id,
                      claimed, k);
    free(meaning);
}

void production_api_routes(struct production_front *front)
{
    static const struct cf_route operations = {.method = "POST",
                                               .pattern = "/v1/card-operations",
                                               .scope = SCOPE,
                                               .body_max = 64 << 10,
                                               .type = CF_JSON};
    cf_http_route(front->app->http, &operations, post_operation, front);
    production_api_results(front);
    production_api_papers(front);
    production_api_unsigned(front);
    production_api_notices(front);
    production_api_failures(front);
}
