#include "services/inquiry/api.h"

#include "common/io/clock.h"
#include "common/pure/idnum.h"
#include "services/inquiry/answer.h"

#define SCOPE_HAND_OUT "cards:hand_out"

enum { ANSWER_MAX = 1 << 20, RETRY_S = 1 };

/* One question on its way; lives in the request's arena. */
struct look {
    struct cf_request *req;
    struct inquiry_front *front;
    const char *scope, *action;
    bool verified;
    bool followed;   /* the document has changed, and the holder's first one was asked for */
    bool from_store; /* Redis has been asked and does not know the application */
    uint8_t id[16];  /* of the application */
};

static struct look *look_new(struct cf_request *req, struct inquiry_front *front, const char *scope,
                             const char *action)
{
    if (!inquiry_auditor_room(front->auditor)) {
        /* No look without an audit. */
        cf_problem_away(req, "audit");
        return NULL;
    }
    struct look *l = cf_arena_zero(req->arena, sizeof *l);
    *l = (struct look){.req = req, .front = front, .scope = scope, .action = action};
    return l;
}

static void failed(struct look *l, int e)
{
    inquiry_auditor_add(l->front->auditor, l->req, l->scope, l->action, "unavailable", NULL);
    if (e == CF_E_NET)
        cf_problem(l->req, 503, "busy", "Too many questions at one time", NULL, RETRY_S);
    else
        cf_problem_away(l->req, "postgres");
}

static struct inquiry_answer answer_of(struct look *l, const struct inquiry_found *found,
                                       const struct inquiry_facts *facts)
{
    return (struct inquiry_answer){.arena = l->req->arena,
                                   .calendar = l->front->app->calendar,
                                   .policies = l->front->app->policies,
                                   .ring = l->front->app->ring,
                                   .phones = l->front->settings.service_phones,
                                   .outlets = &l->front->outlets,
                                   .holder = &found->holder,
                                   .facts = facts,
                                   .from_cache = found->from_cache,
                                   .verified = l->verified,
                                   .now = cf_now_ms()};
}

/* ---- status --------------------------------------------------------------------------------- */

static void answer_status(void *arg, int e, const struct inquiry_found *found);

/* Is it the reference of a newer document? Then the first one is asked for, once. */
static bool follow(struct look *l, const struct inquiry_facts *facts)
{
    struct cf_str canonical = facts->sections[INQUIRY_INTAKE].canonical;
    struct cf_key holder;
    if (l->followed || !cf_key_bytes(canonical.ptr, canonical.len, &holder)) return false;
    l->followed = true;
    inquiry_cache_holder(l->front->cache, l->req->arena, &holder, answer_status, l);
    return true;
}

static void answer_status(void *arg, int e, const struct inquiry_found *found)
{
    struct look *l = arg;
    struct inquiry_facts facts;
    struct cf_buf body;
    if (!e && found->known &&
        inquiry_codec_document_read(l->req->arena, found->payload, &facts) != 0)
        e = CF_E_DB;
    if (e) {
        failed(l, e);
        return;
    }
    if (found->known && follow(l, &facts)) return;
    struct inquiry_answer in = answer_of(l, found, found->known ? &facts : NULL);
    cf_buf_init(&body, ANSWER_MAX);
    bool any = inquiry_answer_status(&body, &in);
    inquiry_auditor_add(l->front->auditor, l->req, l->scope, l->action,
                        !any          ? "not_found"
                        : l->verified ? "shown"
                                      : "shown_unverified",
                        found->known ? &found->holder : NULL);
    cf_answer_json(l->req, 200, &body);
    cf_buf_free(&body);
}

static const char *const document_types = "one of the document types of the interface";

static void ask_by_document(struct look *l, struct cf_in *in)
{
    struct cf_in document = cf_in_object(in, "document", CF_NEEDED);
    struct cf_str type_name = cf_in_text(&document, "document_type", CF_NEEDED, 1, 40),
                  raw = cf_in_text(&document, "document_number", CF_NEEDED, 1, 64);
    enum cf_doc_type type = type_name.ptr ? cf_doc_type_parse(type_name) : CF_DOC_NONE;
    if (type_name.ptr && type == CF_DOC_NONE)
        cf_in_wrong(&document, "document_type", "unknown", document_types);
    if (in->errors->n) {
        cf_problem_fields(l->req, in->errors);
        return;
    }
    char number[CF_IDNUM_MAX];
    unsigned warnings = 0;
    uint8_t ref[CF_REF_LEN];
    size_t n = cf_idnum_normalise(raw, number, &warnings);
    if (!cf_holder_ref(l->front->app->ring, type, (struct cf_str){number, n}, ref)) {
        const struct inquiry_found nobody = {0};
        answer_status(l, 0, &nobody);
        return;
    }
    struct cf_key holder = cf_key_holder(ref);
    inquiry_cache_holder(l->front->cache, l->req->arena, &holder, answer_status, l);
}

static void ask_by_number(struct look *l, struct cf_in *in, const char *field,
                          void (*alias)(struct cf_str, uint8_t *))
{
    uint8_t id[16];
    struct cf_str number = cf_in_text(in, field, CF_NEEDED, 1, 40);
    if (in->errors->n) {
        cf_problem_fields(l->req, in->errors);
        return;
    }
    alias(number, id);
    inquiry_cache_alias(l->front->cache, l->req->arena, id, false, answer_status, l);
}

static void post_status_query(struct cf_request *req, void *arg)
{
    struct cf_field_errors errors = {0};
    const json_t *root = cf_request_json(req);
    if (!root) return;
    struct look *l = look_new(req, arg, "status:read", "status_query");
    if (!l) return;
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    struct cf_in verification = cf_in_object(&in, "verification", CF_OPTIONAL);
    cf_in_text(&verification, "method", CF_OPTIONAL, 1, 60);
    l->verified = cf_in_bool(&verification, "passed", CF_OPTIONAL, false);
    bool document = cf_in_has(&in, "document"), receipt = cf_in_has(&in, "receipt_no"),
         card = cf_in_has(&in, "card_no");
    if (document + receipt + card != 1)
        cf_in_wrong(&in, "document", "exactly one of document, receipt_no, card_no",
                    "Name the holder in one way.");
    if (errors.n)
        cf_problem_fields(req, &errors);
    else if (document)
        ask_by_document(l, &in);
    else if (receipt)
        ask_by_number(l, &in, "receipt_no", inquiry_alias_receipt);
    else
        ask_by_number(l, &in, "card_no", inquiry_alias_card);
}

/* For complaint-handling, which knows the holder's reference and no more. */
static void post_internal_status(struct cf_request *req, void *arg)
{
    struct inquiry_front *front = arg;
    struct cf_field_errors errors = {0};
    uint8_t ref[CF_REF_LEN];
    const json_t *root = cf_request_json(req);
    if (!root) return;
    struct look *l = look_new(req, front, "status:read", "status_for_work_order");
    if (!l) return;
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    struct cf_str text = cf_in_text(&in, "holder_ref", CF_NEEDED, 32, 32);
    if (text.ptr && !cf_unhex(text, ref, sizeof ref))
        cf_in_wrong(&in, "holder_ref", "32 hexadecimal digits", "Send the 16 bytes as digits.");
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    struct cf_key holder = cf_key_holder(ref);
    inquiry_cache_holder(front->cache, req->arena, &holder, answer_status, l);
}

/* ---- an application ------------------------------------------------------------------------- */

static void not_yet_known(struct look *l)
{
    inquiry_auditor_add(l->front->auditor, l->req, l->scope, l->action, "not_found", NULL);
    cf_problem(l->req, 404, "not_yet_known", "No application has this id, or not yet", NULL,
               RETRY_S);
}

static void show_application(struct look *l, const struct inquiry_found *found,
                             const struct inquiry_facts *facts, const struct inquiry_app *app)
{
    struct cf_buf body;
    struct inquiry_answer in = answer_of(l, found, facts);
    in.hands_out = cf_client_may(l->req->client, SCOPE_HAND_OUT);
    bool number = in.hands_out && app->to_hand_out.len;
    cf_buf_init(&body, ANSWER_MAX);
    inquiry_answer_outcome(&body, &in, app);
    inquiry_auditor_add(l->front->auditor, l->req, number ? SCOPE_HAND_OUT : l->scope, l->action,
                        number ? "shown_with_card_number" : "shown", &found->holder);
    cf_answer_json(l->req, 200, &body);
    cf_buf_free(&body);
}

static void answer_application(void *arg, int e, const struct inquiry_found *found)
{
    struct look *l = arg;
    struct inquiry_facts facts;
    struct inquiry_section past;
    struct inquiry_app app;
    struct cf_arena *a = l->req->arena;
    if (!e && found->known &&
        (inquiry_codec_document_read(a, found->payload, &facts) != 0 ||
         inquiry_codec_section_read(a, found->past, &past) != 0))
        e = CF_E_DB;
    if (e) {
        failed(l, e);
        return;
    }
    if (found->known &&
        inquiry_app_of(facts.sections, l->id, past.n_entries ? &past.entries[0] : NULL, &app)) {
        show_application(l, found, &facts, &app);
    } else if (found->known && found->from_cache && !l->from_store) {
        /* The document of Redis may be older, or the application has left it. */
        l->from_store = true;
        inquiry_cache_alias(l->front->cache, a, l->id, true, answer_application, l);
    } else {
        not_yet_known(l);
    }
}

static void get_application(struct cf_request *req, void *arg)
{
    struct look *l = look_new(req, arg, "applications:read", "application_read");
    if (!l) return;
    if (cf_uuid_parse(cf_request_param(req, "application_id"), l->id))
        inquiry_cache_alias(l->front->cache, req->arena, l->id, false, answer_application, l);
    else
        cf_problem(req, 404, "not_found", "No such application", NULL, 0);
}

void inquiry_api_routes(struct inquiry_front *front)
{
    static const struct cf_route
        query = {"POST", "/v1/status-queries", "status:read", 8192, CF_JSON, 5000},
        internal = {"POST", "/v1/internal/status", "status:read", 1024, CF_JSON, 5000},
        application = {"GET", "/v1/applications/{application_id}", "applications:read", 0, NULL,
                       5000};
    cf_http_route(front->app->http, &query, post_status_query, front);
    cf_http_route(front->app->http, &internal, post_internal_status, front);
    cf_http_route(front->app->http, &application, get_application, front);
}
