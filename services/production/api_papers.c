/* Vouchers and one-time notices by their number, and the signature under a voucher. */
#include "services/production/api_inside.h"

#include "common/io/clock.h"
#include "common/io/ids.h"
#include "common/io/paper.h"
#include "common/pure/mask.h"
#include "common/pure/receipt.h"

#define SCOPE_READ "vouchers:read"
#define SCOPE_WRITE "vouchers:write"

/* A clock of another system may be ahead so far. */
enum { CLOCK_SKEW_MS = 120000 };

struct paper {
    struct cf_request *req;
    struct production_front *front;
    enum production_statement by;
    struct cf_str no;
    /* of a signature */
    struct production_signed sign;
    struct cf_str name, document_type, document_number;
    struct cf_key key;
    uint8_t id[16];
    cf_ms sent_at;
    bool replayed;
};

static void unknown(struct cf_request *req)
{
    cf_problem(req, 404, "not_found", "No such number", NULL, 0);
}

/* What belongs to another channel looks like what does not exist. */
static bool is_there(struct paper *p, int e, const PGresult *res)
{
    if (e) {
        cf_problem_away(p->req, "postgres");
        return false;
    }
    const char *channel = PQntuples(res) ? PQgetvalue(res, 0, PRODUCTION_PAPER_CHANNEL) : NULL;
    if (channel && (!*channel || cf_client_channel(p->req->client, channel))) return true;
    unknown(p->req);
    return false;
}

static cf_ms time_of(const PGresult *res, int column)
{
    return strtoll(PQgetvalue(res, 0, column), NULL, 10);
}

static void write_time(struct cf_out *o, const char *name, cf_ms at)
{
    char text[30];
    cf_out_z(o, name, cf_rfc3339_text(at, text));
}

static void write_word(struct cf_out *o, const char *name, const PGresult *res, int column)
{
    const char *v = PQgetvalue(res, 0, column);
    cf_out_z(o, name, *v ? v : NULL);
}

static void write_signature(struct cf_out *o, const PGresult *res)
{
    if (PQgetisnull(res, 0, PRODUCTION_PAPER_SIGNED_AT)) {
        cf_out_null(o, "signature");
        return;
    }
    cf_out_object(o, "signature");
    write_word(o, "role", res, PRODUCTION_PAPER_ROLE);
    write_word(o, "method", res, PRODUCTION_PAPER_METHOD);
    write_time(o, "signed_at", time_of(res, PRODUCTION_PAPER_SIGNED_AT));
    cf_out_end(o);
}

static void print(struct paper *p, const PGresult *res)
{
    struct cf_paper paper;
    production_api_paper(&paper, cf_wants_lang(p->req), p->front->settings.service_phones,
                         p->by == PRODUCTION_BY_VOUCHER, p->no, res);
    cf_answer_paper(p->req, p->front->printer, &paper);
}

static void show(void *arg, int e, const PGresult *res)
{
    struct paper *p = arg;
    struct cf_buf body;
    char masked[CF_MASK_MAX];
    if (!is_there(p, e, res)) return;
    if (cf_wants_pdf(p->req)) {
        print(p, res);
        return;
    }
    cf_buf_init(&body, 64 << 10);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    bool voucher = p->by == PRODUCTION_BY_VOUCHER;
    cf_out_text(&o, voucher ? "voucher_no" : "notice_no", p->no);
    write_word(&o, "operation_id", res, PRODUCTION_PAPER_ID);
    write_word(&o, "operation", res, PRODUCTION_PAPER_OPERATION);
    write_word(&o, "result", res, PRODUCTION_PAPER_RESULT);
    production_api_reasons(&o, cf_pgf_get(res, 0, PRODUCTION_PAPER_REASONS));
    cf_mask_cardnum(cf_pgf_get(res, 0, PRODUCTION_PAPER_CARD_NO), masked);
    cf_out_z(&o, "card_no", PQgetisnull(res, 0, PRODUCTION_PAPER_CARD_NO) ? NULL : masked);
    write_word(&o, "card_state", res, PRODUCTION_PAPER_CARD_STATE);
    write_word(&o, "channel", res, PRODUCTION_PAPER_CHANNEL);
    write_time(&o, "issued_at", time_of(res, PRODUCTION_PAPER_AT));
    if (voucher) write_signature(&o, res);
    cf_out_end(&o);
    cf_answer_json(p->req, 200, &body);
    cf_buf_free(&body);
}

static struct paper *paper_new(struct cf_request *req, struct production_front *front,
                               enum production_statement by)
{
    struct paper *p = cf_arena_zero(req->arena, sizeof *p);
    p->req = req;
    p->front = front;
    p->by = by;
    p->no = cf_request_param(req, "no");
    char letter = by == PRODUCTION_BY_VOUCHER ? CF_VOUCHER_LETTER : CF_NOTICE_LETTER;
    if (cf_receipt_check_prefixed(p->no, letter)) return p;
    unknown(req);
    return NULL;
}

static void look_up(struct paper *p, cf_pgf_done *done)
{
    if (cf_pgf_send(p->front->app->pg, p->by, &p->no, 1, done, p))
        cf_problem_away(p->req, "postgres");
}

static void get_voucher(struct cf_request *req, void *arg)
{
    struct paper *p = paper_new(req, arg, PRODUCTION_BY_VOUCHER);
    if (p) look_up(p, show);
}

static void get_notice(struct cf_request *req, void *arg)
{
    struct paper *p = paper_new(req, arg, PRODUCTION_BY_NOTICE);
    if (p) look_up(p, show);
}

/* ---- signature ------------------------------------------------------------------------------ */

static void sent(void *arg, int e)
{
    struct paper *p = arg;
    struct cf_buf body;
    if (e) {
        cf_problem_away(p->req, "kafka");
        return;
    }
    cf_buf_init(&body, 1024);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_text(&o, "voucher_no", p->no);
    cf_out_end(&o);
    if (p->replayed) cf_answer_header(p->req, "Idempotency-Replayed", CF_STR("true"));
    cf_answer_json(p->req, 202, &body);
    cf_buf_free(&body);
}

static int seal_signer(struct paper *p)
{
    struct cf_arena *a = p->req->arena;
    return cf_seal(
        p->front->app->ring,
        production_codec_actor(a, p->sign.role, p->name, p->document_type, p->document_number),
        cf_key_str(&p->key), 2, a, &p->sign.signer);
}

static void send_signature(void *arg, int e, const PGresult *res)
{
    struct paper *p = arg;
    char trace[56];
    uint8_t ref[CF_REF_LEN];
    if (!is_there(p, e, res)) return;
    if (!cf_unhex(cf_pgf_get(res, 0, PRODUCTION_PAPER_HOLDER), ref, sizeof ref) ||
        !cf_uuid_parse(cf_pgf_get(res, 0, PRODUCTION_PAPER_ID), p->sign.operation_id)) {
        unknown(p->req); /* a voucher of no card */
        return;
    }
    p->key = cf_key_holder(ref);
    p->sign.voucher_no = p->no;
    if (!p->sign.signed_at) p->sign.signed_at = p->sent_at;
    if (seal_signer(p)) {
        cf_problem_away(p->req, "sealing");
        return;
    }
    cf_request_traceparent(p->req, trace);
    struct cf_front_message m = {.topic = "card.commands",
                                 .key = cf_key_str(&p->key),
                                 .part = -1,
                                 .ce_type = "card.signature",
                                 .ce_source = PRODUCTION_FRONT,
                                 .ce_time = p->sent_at,
                                 .traceparent = cf_str_of(trace)};
    memcpy(m.ce_id, p->id, 16);
    m.value = production_codec_signature(p->req->arena, &p->sign);
    if (cf_front_send(p->front->app->producer, &m, sent, p)) cf_problem_away(p->req, "kafka");
}

static void claimed(void *arg, int e, const struct cf_claim *claim)
{
    struct paper *p = arg;
    if (cf_claim_refused(p->req, e, claim)) return;
    p->replayed = claim->result == CF_CLAIM_SAME;
    p->sent_at = claim->at;
    memcpy(p->id, claim->id, 16);
    look_up(p, send_signature);
}

static bool one_of(struct cf_str v, const char *const *words)
{
    for (; *words; words++)
        if (cf_str_is(v, *words)) return true;
    return false;
}

static bool read_signature(struct paper *p, const json_t *root)
{
    static const char *const roles[] = {"holder", "guardian", "agent", NULL};
    static const char *const methods[] = {"handwritten", "signature_pad", "fingerprint", "seal",
                                          NULL};
    struct cf_field_errors errors = {0};
    struct cf_in in = cf_in_of(root, p->req->arena, &errors);
    struct cf_in who = cf_in_object(&in, "who", CF_NEEDED);
    struct cf_in op = cf_in_object(&in, "operator", CF_OPTIONAL);
    p->sign.role = cf_in_text(&who, "role", CF_NEEDED, 1, 20);
    p->name = cf_in_text(&who, "name", CF_NEEDED, 1, 100);
    p->document_type = cf_in_text(&who, "document_type", CF_OPTIONAL, 0, 40);
    p->document_number = cf_in_text(&who, "document_number", CF_OPTIONAL, 0, 64);
    p->sign.method = cf_in_text(&in, "method", CF_NEEDED, 1, 20);
    p->sign.staff_id = cf_in_word(&op, "staff_id", CF_OPTIONAL, 0, 60, 64);
    struct cf_str when = cf_in_text(&in, "when", CF_OPTIONAL, 0, 40);
    if (p->sign.role.len && !one_of(p->sign.role, roles))
        cf_in_wrong(&who, "role", "holder, guardian or agent", "Say who signed.");
    if (p->sign.method.len && !one_of(p->sign.method, methods))
        cf_in_wrong(&in, "method", "handwritten, signature_pad, fingerprint or seal",
                    "Say how it was signed.");
    if (when.len && (!cf_rfc3339_parse(when, &p->sign.signed_at) || p->sign.signed_at <= 0 ||
                     p->sign.signed_at > cf_now_ms() + CLOCK_SKEW_MS))
        cf_in_wrong(&in, "when", "a time of RFC 3339, not in the future", "Give the time.");
    if (errors.n) cf_problem_fields(p->req, &errors);
    return errors.n == 0;
}

static void post_signature(struct cf_request *req, void *arg)
{
    uint8_t id[16];
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    struct paper *p = paper_new(req, arg, PRODUCTION_BY_VOUCHER);
    if (!p || !read_signature(p, root)) return;
    char *body = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    if (!body) CF_BUG("a parsed body cannot be written");
    struct cf_str meaning = cf_arena_printf(req->arena, "signature %.*s %s", CF_ARG(p->no), body);
    free(body);
    cf_uuid8_of(id, CF_STR("voucher.signature"), cf_str_of(req->client->name), key);
    cf_requests_claim(p->front->app->requests, req->client->name, key, meaning, id, claimed, p);
}

static void printer_free(void *printer)
{
    cf_printer_free(printer);
}

void production_api_papers(struct production_front *front)
{
    static const struct cf_route
        voucher = {.method = "GET", .pattern = "/v1/vouchers/{no}", .scope = SCOPE_READ},
        notice = {.method = "GET", .pattern = "/v1/notices/{no}", .scope = SCOPE_READ},
        signature = {"POST", "/v1/vouchers/{no}/signature", SCOPE_WRITE, 16 << 10, CF_JSON, 0};
    front->printer = cf_printer_new(front->app->loop, NULL);
    cf_http_own(front->app->http, front->printer, printer_free);
    cf_http_route(front->app->http, &voucher, get_voucher, front);
    cf_http_route(front->app->http, &notice, get_notice, front);
    cf_http_route(front->app->http, &signature, post_signature, front);
}
