#include "services/complaint-handling/api.h"

#include "common/io/clock.h"
#include "common/io/ids.h"
#include "common/io/stage/pgbin.h"
#include "common/pure/idnum.h"
#include "services/complaint-handling/show.h"

#include <stdlib.h>

enum { BODY_MAX = 32 << 10, ANSWER_MAX = 1 << 20, TEXT_MAX = 4000, RETRY_S = 1 };

/* One command on its way; lives in the request's arena. */
struct sending {
    struct cf_request *req;
    struct complaint_front *front;
    enum complaint_message what;
    struct complaint_command command;
    struct complaint_person corrections; /* of a decision */
    bool corrects;
    struct cf_key key;
    uint8_t command_id[16];
    struct cf_str meaning, idempotency;
    cf_ms sent_at, wait_ms;
    bool replayed;
};

static int16_t part_of(const struct complaint_front *front, const struct cf_key *key)
{
    return (int16_t)cf_key_partition(key, (uint32_t)front->app->partitions);
}

/* ---- answering ------------------------------------------------------------------------------ */

static void answer(struct sending *s, int status, const PGresult *res, int row)
{
    char id[37];
    struct cf_buf body;
    struct cf_out o;
    cf_buf_init(&body, 8192);
    o = cf_out_to(&body);
    cf_uuid_text(s->key.b, id);
    cf_out_object(&o, NULL);
    cf_out_z(&o, "work_order_id", id);
    cf_uuid_text(s->command_id, id);
    cf_out_z(&o, "command_id", id);
    if (res) {
        struct cf_str reasons = cf_pgf_get(res, row, 2);
        cf_out_text(&o, "result", cf_pgf_get(res, row, 1));
        cf_out_array(&o, "reasons");
        if (reasons.len) cf_out_text(&o, NULL, reasons);
        cf_out_end(&o);
        struct cf_str state = cf_pgf_get(res, row, 3);
        cf_out_text(&o, "state", state.len ? state : (struct cf_str){0});
    }
    cf_out_end(&o);
    if (s->replayed) cf_answer_header(s->req, "Idempotency-Replayed", CF_STR("true"));
    cf_answer_json(s->req, status, &body);
    cf_buf_free(&body);
}

static void waited(void *arg, const PGresult *res, int row)
{
    answer(arg, res ? 200 : 202, res, row);
}

static void sent(void *arg, int e)
{
    struct sending *s = arg;
    if (e)
        cf_problem_away(s->req, "kafka");
    else if (s->wait_ms > 0)
        cf_wait_for(s->front->app->waits, part_of(s->front, &s->key), s->command_id, s->wait_ms,
                    waited, s);
    else
        answer(s, 202, NULL, 0);
}

static void send_command(struct sending *s)
{
    char trace[56];
    cf_request_traceparent(s->req, trace);
    struct cf_front_message m = {
        .topic = "complaint.commands",
        .key = cf_key_str(&s->key),
        .part = -1,
        .ce_type = s->what == COMPLAINT_MSG_OPEN ? "complaint.open" : "complaint.action",
        .ce_source = "complaint-handling/front",
        .ce_time = s->sent_at,
        .traceparent = cf_str_of(trace),
        .value = complaint_codec_command(s->req->arena, s->what, &s->command, s->command_id)};
    memcpy(m.ce_id, s->command_id, 16);
    if (cf_front_send(s->front->app->producer, &m, sent, s)) cf_problem_away(s->req, "kafka");
}

static void claimed(void *arg, int e, const struct cf_claim *claim)
{
    struct sending *s = arg;
    if (cf_claim_refused(s->req, e, claim)) return;
    s->replayed = claim->result == CF_CLAIM_SAME;
    s->sent_at = claim->at;
    memcpy(s->command_id, claim->id, 16);
    send_command(s);
}

static void claim(struct sending *s)
{
    uint8_t id[16];
    const char *client = s->req->client->name;
    cf_uuid8_of(id, CF_STR("complaint"), cf_str_of(client), s->idempotency);
    cf_requests_claim(s->front->app->requests, client, s->idempotency, s->meaning, id, claimed, s);
}

/* ---- reading a body ------------------------------------------------------------------------- */

/* What the body means, whatever its blanks and the order of its names. */
static struct cf_str meaning_of(struct cf_arena *a, const json_t *root, struct cf_str about)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    struct cf_str out = cf_arena_printf(a, "%.*s\n%s", CF_ARG(about), text ? text : "");
    free(text);
    return out;
}

static struct sending *sending_new(struct cf_request *req, struct complaint_front *front,
                                   enum complaint_message what, const json_t **root)
{
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return NULL;
    *root = cf_request_json(req);
    if (!*root) return NULL;
    struct sending *s = cf_arena_zero(req->arena, sizeof *s);
    s->req = req;
    s->front = front;
    s->what = what;
    s->idempotency = key;
    s->wait_ms = cf_request_wait_ms(req, CF_WAIT_MAX_MS);
    return s;
}

static struct complaint_person read_person(struct cf_in *in, enum cf_need need)
{
    return (struct complaint_person){.document_type = cf_in_text(in, "document_type", need, 1, 40),
                                     .document_number =
                                         cf_in_text(in, "document_number", need, 1, 64),
                                     .name = cf_in_text(in, "name", CF_OPTIONAL, 0, 100),
                                     .phone = cf_in_text(in, "phone", CF_OPTIONAL, 0, 30)};
}

static bool seal_text(struct sending *s, struct cf_str plain, const struct cf_key *owner,
                      uint8_t field, struct cf_str *out)
{
    if (!plain.len) return true;
    return cf_seal(s->front->app->ring, plain, cf_key_str(owner), field, s->req->arena, out) == 0;
}

/* ---- opening -------------------------------------------------------------------------------- */

static void take_holder(struct sending *s, struct cf_in *in, struct complaint_person *person)
{
    struct cf_in holder = cf_in_object(in, "holder", CF_OPTIONAL);
    char number[CF_IDNUM_MAX];
    unsigned warnings = 0;
    if (holder.absent || !cf_in_has(in, "holder")) return;
    *person = read_person(&holder, CF_NEEDED);
    if (!person->document_type.ptr || !person->document_number.ptr) return;
    enum cf_doc_type type = cf_doc_type_parse(person->document_type);
    if (!type) cf_in_wrong(&holder, "document_type", "unknown", "Name a type of the interface.");
    size_t n = cf_idnum_normalise(person->document_number, number, &warnings);
    s->command.holder_known =
        cf_holder_ref(s->front->app->ring, type, (struct cf_str){number, n}, s->command.holder_ref);
}

static bool seal_open(struct sending *s, const struct complaint_person *person, struct cf_str text)
{
    struct cf_arena *a = s->req->arena;
    bool named = !s->command.anonymous && person->document_type.ptr;
    struct cf_str packed = named ? complaint_codec_person_pack(a, person) : (struct cf_str){0};
    if (s->command.anonymous) s->command.holder_known = false;
    return seal_text(s, packed, &s->key, COMPLAINT_FIELD_REPORTER, &s->command.reporter) &&
           seal_text(s, text, &s->key, COMPLAINT_FIELD_TEXT, &s->command.text);
}

static cf_ms read_dispatched(struct cf_in *in)
{
    cf_ms at = 0;
    struct cf_str text = cf_in_text(in, "dispatched_at", CF_NEEDED, 1, 40);
    if (text.ptr && (!cf_rfc3339_parse(text, &at) || at <= 0))
        cf_in_wrong(in, "dispatched_at", "a time of RFC 3339, not before 1970",
                    "Like 2026-03-31T08:30:00+08:00.");
    return at;
}

static void post_order(struct cf_request *req, void *arg)
{
    struct cf_field_errors errors = {0};
    struct complaint_person person = {0};
    const json_t *root;
    struct sending *s = sending_new(req, arg, COMPLAINT_MSG_OPEN, &root);
    if (!s) return;
    struct complaint_command *c = &s->command;
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    c->source_system = cf_in_text(&in, "source_system", CF_NEEDED, 1, COMPLAINT_SOURCE_MAX);
    c->order_no = cf_in_text(&in, "order_no", CF_NEEDED, 1, COMPLAINT_NO_MAX);
    struct cf_str kind = cf_in_text(&in, "kind", CF_NEEDED, 1, 40);
    c->kind = complaint_kind_parse(kind.ptr ? kind : CF_STR(""));
    if (kind.ptr && !c->kind)
        cf_in_wrong(&in, "kind", "unknown",
                    "One of consultation, praise, report, complaint, correction.");
    c->dispatched_at = read_dispatched(&in);
    c->anonymous = cf_in_bool(&in, "anonymous", CF_OPTIONAL, false);
    struct cf_str topic = cf_in_text(&in, "topic", CF_OPTIONAL, 0, 40),
                  text = cf_in_text(&in, "text", CF_OPTIONAL, 0, TEXT_MAX);
    c->topic = topic.ptr ? topic : cf_str_of(complaint_topic_of(text));
    take_holder(s, &in, &person);
    if (c->source_system.len > COMPLAINT_SOURCE_MAX || c->order_no.len > COMPLAINT_NO_MAX)
        cf_in_wrong(&in, "order_no", "too long in UTF-8", "At most 40 and 64 bytes.");
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    s->key = complaint_codec_key(c->source_system, c->order_no);
    s->meaning = meaning_of(req->arena, root, CF_STR("open"));
    if (seal_open(s, &person, text))
        claim(s);
    else
        cf_problem_away(req, "sealing");
}

/* ---- actions -------------------------------------------------------------------------------- */

static bool seal_corrections(struct sending *s, const struct complaint_order *order)
{
    struct cf_key holder = cf_key_holder(order->holder_ref);
    struct cf_str packed = complaint_codec_person_pack(s->req->arena, &s->corrections);
    return seal_text(s, packed, &holder, COMPLAINT_FIELD_PERSON, &s->command.person);
}

static void found_for_action(void *arg, int e, const PGresult *res)
{
    struct sending *s = arg;
    struct complaint_order order;
    struct complaint_demand demand;
    if (e) {
        cf_problem_away(s->req, "postgres");
        return;
    }
    if (PQntuples(res) == 0) {
        cf_problem(s->req, 404, "not_yet_known", "No work order has this id, or not yet", NULL,
                   RETRY_S);
        return;
    }
    if (!complaint_store_order(res, &order, &demand)) CF_BUG("a stored order has another shape");
    s->command.source_system = cf_arena_str(s->req->arena, order.source_system);
    s->command.order_no = cf_arena_str(s->req->arena, order.order_no);
    if (s->corrects && !seal_corrections(s, &order))
        cf_problem_away(s->req, "sealing");
    else
        claim(s);
}

static int find_order(struct complaint_front *front, const struct cf_key *key, cf_pgf_done *done,
                      void *arg)
{
    char part[2];
    cf_put16(part, (uint16_t)part_of(front, key));
    const struct cf_str params[] = {
        {part, 2},
        cf_key_str(key)
    };
    return cf_pgf_send(front->app->pg, COMPLAINT_SQL_ORDER, params, 2, done, arg);
}

static struct cf_str or_empty(struct cf_str s)
{
    return s.ptr ? s : CF_STR("");
}

/* Fields of the action, without the reply, which has to be sealed. */
static struct cf_str read_action(struct sending *s, struct cf_in *in)
{
    struct complaint_command *c = &s->command;
    struct cf_str word = cf_in_text(in, "action", CF_NEEDED, 1, 40);
    c->action.what = complaint_action_parse(or_empty(word));
    if (word.ptr && !c->action.what)
        cf_in_wrong(in, "action", "unknown",
                    "One of route, accept, return, return_to_source, reply, decide, revisit, "
                    "reopen, withdraw, extend.");
    c->operator_id = or_empty(cf_request_header(s->req, "Cardflow-Operator"));
    if (c->operator_id.len > COMPLAINT_REASON_MAX || !cf_utf8_valid(c->operator_id))
        c->operator_id = CF_STR("");
    /* At most 3 bytes a character: 60 fit what the stage takes. */
    c->reason = or_empty(cf_in_text(in, "reason", CF_OPTIONAL, 0, 60));
    c->action.owner = or_empty(cf_in_text(in, "owner", CF_OPTIONAL, 0, 60));
    c->action.days = (int)cf_in_int(in, "days", CF_OPTIONAL, 0, 365, 0);
    c->action.satisfied = cf_in_bool(in, "satisfied", CF_OPTIONAL, false) ||
                          cf_in_bool(in, "granted", CF_OPTIONAL, false);
    if (cf_in_has(in, "corrections")) {
        struct cf_in person = cf_in_object(in, "corrections", CF_NEEDED);
        s->corrections = read_person(&person, CF_OPTIONAL);
        s->corrects = true;
    }
    return cf_in_text(in, "text", CF_OPTIONAL, 0, TEXT_MAX);
}

static void post_action(struct cf_request *req, void *arg)
{
    struct cf_field_errors errors = {0};
    uint8_t id[16];
    const json_t *root;
    struct cf_str path_id = cf_request_param(req, "id");
    if (!cf_uuid_parse(path_id, id)) {
        cf_problem(req, 404, "not_found", "No such work order", NULL, 0);
        return;
    }
    struct sending *s = sending_new(req, arg, COMPLAINT_MSG_ACTION, &root);
    if (!s) return;
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    struct cf_str text = read_action(s, &in);
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    s->key = cf_key_order(id);
    s->meaning = meaning_of(req->arena, root, path_id);
    if (!seal_text(s, text, &s->key, COMPLAINT_FIELD_REPLY, &s->command.text))
        cf_problem_away(req, "sealing");
    else if (find_order(s->front, &s->key, found_for_action, s))
        cf_problem_away(req, "postgres");
}

/* ---- showing -------------------------------------------------------------------------------- */

struct showing {
    struct cf_request *req;
    struct complaint_front *front;
    struct cf_key key;
    struct complaint_order order;
    struct complaint_demand demand;
};

static struct cf_str keep(struct cf_arena *a, struct cf_str s)
{
    return s.ptr ? cf_arena_str(a, s) : s;
}

/* The result goes with its callback; what is shown lives on. */
static void keep_texts(struct showing *w)
{
    struct cf_arena *a = w->req->arena;
    struct cf_str *const all[] = {
        &w->order.source_system, &w->order.order_no,      &w->order.topic, &w->order.owner,
        &w->order.end_reason,    &w->order.extend_reason, &w->order.reply, &w->order.context,
        &w->demand.reporter,     &w->demand.text};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i] = keep(a, *all[i]);
}

static void show(void *arg, int e, const PGresult *res)
{
    struct showing *w = arg;
    struct cf_buf body;
    if (e) {
        cf_problem_away(w->req, "postgres");
        return;
    }
    size_t n = (size_t)PQntuples(res);
    struct complaint_step *steps = cf_arena_zero(w->req->arena, (n + 1) * sizeof *steps);
    for (size_t i = 0; i < n; i++)
        if (!complaint_store_step(res, (int)i, &steps[i]))
            CF_BUG("a stored step has another shape");
    const struct complaint_show in = {w->req->arena, &w->front->env, &w->key, &w->order,
                                      &w->demand,    steps,          n};
    cf_buf_init(&body, ANSWER_MAX);
    complaint_show(&body, &in);
    cf_answer_json(w->req, 200, &body);
    cf_buf_free(&body);
}

static void found_to_show(void *arg, int e, const PGresult *res)
{
    struct showing *w = arg;
    char part[2];
    if (e) {
        cf_problem_away(w->req, "postgres");
        return;
    }
    if (PQntuples(res) == 0) {
        cf_problem(w->req, 404, "not_yet_known", "No work order has this id, or not yet", NULL,
                   RETRY_S);
        return;
    }
    if (!complaint_store_order(res, &w->order, &w->demand))
        CF_BUG("a stored order has another shape");
    keep_texts(w);
    cf_put16(part, (uint16_t)part_of(w->front, &w->key));
    const struct cf_str params[] = {
        {part, 2},
        cf_key_str(&w->key)
    };
    if (cf_pgf_send(w->front->app->pg, COMPLAINT_SQL_STEPS, params, 2, show, w))
        cf_problem_away(w->req, "postgres");
}

static void get_order(struct cf_request *req, void *arg)
{
    uint8_t id[16];
    struct showing *w = cf_arena_zero(req->arena, sizeof *w);
    w->req = req;
    w->front = arg;
    if (!cf_uuid_parse(cf_request_param(req, "id"), id)) {
        cf_problem(req, 404, "not_found", "No such work order", NULL, 0);
        return;
    }
    w->key = cf_key_order(id);
    if (find_order(w->front, &w->key, found_to_show, w)) cf_problem_away(req, "postgres");
}

void complaint_api_routes(struct complaint_front *front)
{
    static const struct cf_route
        open = {"POST", "/v1/work-orders", "work_orders:write", BODY_MAX, CF_JSON, 15000},
        action = {"POST", "/v1/work-orders/{id}/actions", "work_orders:write", BODY_MAX, CF_JSON,
                  15000},
        get = {"GET", "/v1/work-orders/{id}", "work_orders:read", 0, NULL, 5000};
    cf_http_route(front->app->http, &open, post_order, front);
    cf_http_route(front->app->http, &action, post_action, front);
    cf_http_route(front->app->http, &get, get_order, front);
}
