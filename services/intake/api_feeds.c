/* Feeds for upstream systems without Kafka: enrolment events and unit events, one or an array. */
#include "common/io/ids.h"
#include "services/intake/api.h"

#include <stdio.h>

enum { EVENTS_MAX = 1000 };

struct event {
    struct cf_key key;
    uint8_t id[16];
    const char *type;
    struct cf_str value;
};

struct feed {
    struct cf_request *req;
    struct intake_front *front;
    const char *topic;
    struct event *events;
    size_t n, outstanding;
    bool failed;
};

static void finish(struct feed *f)
{
    struct cf_buf body;
    if (f->failed) {
        cf_problem_away(f->req, "kafka");
        return;
    }
    cf_buf_init(&body, 256);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_uint(&o, "accepted", f->n);
    cf_out_end(&o);
    cf_answer_json(f->req, 202, &body);
    cf_buf_free(&body);
}

static void sent(void *arg, int e)
{
    struct feed *f = arg;
    if (e) f->failed = true;
    if (--f->outstanding == 0) finish(f);
}

/* Records carry a revision, so sending some of them twice does no harm. */
static void send_all(struct feed *f)
{
    char trace[56];
    cf_request_traceparent(f->req, trace);
    f->outstanding = 1; /* held until all are tried */
    f->failed = !cf_front_up(f->front->app->producer);
    for (size_t i = 0; i < f->n && !f->failed; i++) {
        struct cf_front_message m = {.topic = f->topic,
                                     .key = cf_key_str(&f->events[i].key),
                                     .part = -1,
                                     .ce_type = f->events[i].type,
                                     .ce_source = "intake/front",
                                     .traceparent = cf_str_of(trace),
                                     .value = f->events[i].value};
        memcpy(m.ce_id, f->events[i].id, 16);
        if (cf_front_send(f->front->app->producer, &m, sent, f))
            f->failed = true;
        else
            f->outstanding++;
    }
    if (--f->outstanding == 0) finish(f);
}

static void event_id(const struct feed *f, struct event *e, const char *type, int64_t revision)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)revision);
    cf_uuid8_of(e->id, cf_str_of(f->topic), cf_str_of(type), cf_key_str(&e->key),
                {text, (size_t)n});
}

/* {old: document, new: document and what else has changed}; under the key of the old one. */
static void document_changed_in(struct feed *f, struct cf_in *in, struct event *e)
{
    static const uint8_t nobody[16];
    struct cf_arena *a = f->req->arena;
    const struct cf_seal_ring *ring = f->front->app->ring;
    struct cf_in old = cf_in_object(in, "old", CF_NEEDED), new = cf_in_object(in, "new", CF_NEEDED);
    struct intake_person was = {.document_type = {NULL, 0}}, is = was;
    struct cf_str old_sealed, new_sealed;
    struct cf_key alias;
    int64_t revision = cf_in_int(in, "revision", CF_NEEDED, 1, INT64_MAX, 0);
    intake_person_in(&old, &was);
    intake_person_in(&new, &is);
    if (!intake_codec_key(ring, &was, nobody, &e->key))
        cf_in_wrong(&old, "document_number", "must be the number of an accepted document_type",
                    "Send both, as they were registered.");
    if (!intake_codec_key(ring, &is, nobody, &alias))
        cf_in_wrong(&new, "document_number", "must be the number of an accepted document_type",
                    "Send both.");
    if (in->errors->n) return;
    if (intake_codec_person_seal(ring, a, &was, &e->key, &old_sealed) ||
        intake_codec_person_seal(ring, a, &is, &e->key, &new_sealed))
        CF_BUG("a person that cannot be sealed");
    e->type = "enrolment.document_changed";
    e->value = intake_codec_document_changed(a, old_sealed, new_sealed, revision);
    event_id(f, e, "document_changed", revision);
}

static void enrolment_in(struct feed *f, struct cf_in *in, struct event *e)
{
    static const uint8_t nobody[16];
    static const struct {
        const char *word, *type;
    } types[] = {{"registered", "enrolment.registered"},
                 {"changed", "enrolment.changed"},
                 {"ended", "enrolment.ended"}};
    struct cf_arena *a = f->req->arena;
    struct intake_person p = {.document_type = {NULL, 0}};
    struct cf_str type = cf_in_text(in, "type", CF_NEEDED, 1, 64), sealed;
    if (cf_str_is(type, "document_changed")) {
        document_changed_in(f, in, e);
        return;
    }
    struct cf_str reason = cf_in_text(in, "reason", CF_OPTIONAL, 0, 64);
    struct cf_str unit = cf_in_text(in, "unit_code", CF_OPTIONAL, 0, 58);
    int64_t revision = cf_in_int(in, "revision", CF_NEEDED, 1, INT64_MAX, 0);
    intake_person_in(in, &p);
    const char *word = NULL;
    for (size_t i = 0; i < 3; i++)
        if (cf_str_is(type, types[i].word)) word = types[i].word, e->type = types[i].type;
    if (!word && type.len) {
        cf_in_wrong(in, "type", "must be registered, changed, document_changed or ended",
                    "Send one of these.");
        return;
    }
    bool ended = word && strcmp(word, "ended") == 0;
    if (ended && !cf_str_is(reason, "death") && !cf_str_is(reason, "left") &&
        !cf_str_is(reason, "moved"))
        cf_in_wrong(in, "reason", "must be death, left or moved", "Send one of these.");
    if (!intake_codec_key(f->front->app->ring, &p, nobody, &e->key))
        cf_in_wrong(in, "document_number", "must be the number of an accepted document_type",
                    "Send both; a record without them is nobody's.");
    if (in->errors->n || !word) return;
    if (intake_codec_person_seal(f->front->app->ring, a, &p, &e->key, &sealed))
        CF_BUG("a person that cannot be sealed");
    e->value = intake_codec_enrolment(a, word, sealed, revision, unit, reason);
    event_id(f, e, word, revision);
}

static void unit_in(struct feed *f, struct cf_in *in, struct event *e)
{
    struct cf_str type = cf_in_text(in, "type", CF_NEEDED, 1, 64);
    struct cf_str unit = cf_in_text(in, "unit_code", CF_NEEDED, 1, 58);
    struct cf_str kind = cf_in_text(in, "kind", CF_NEEDED, 1, 64);
    struct cf_str date = cf_in_text(in, "date", CF_OPTIONAL, 0, 10);
    struct cf_str registered_on = cf_in_text(in, "registered_on", CF_OPTIONAL, 0, 10);
    int64_t revision = cf_in_int(in, "revision", CF_NEEDED, 1, INT64_MAX, 0);
    const json_t *list = cf_in_array(in, "banks", CF_OPTIONAL, 50);
    struct cf_str banks[50];
    size_t n = list ? json_array_size(list) : 0;
    cf_day day;
    for (size_t i = 0; i < n; i++)
        banks[i] = cf_in_text_item(in, "banks", list, i, 1, 20);
    if (!registered_on.len) registered_on = date;
    bool changed = cf_str_is(type, "unit_changed");
    if (type.len && !changed && !cf_str_is(type, "unit_registered"))
        cf_in_wrong(in, "type", "must be unit_registered or unit_changed", "Send one of these.");
    if (kind.len && !cf_str_is(kind, "employer") && !cf_str_is(kind, "school"))
        cf_in_wrong(in, "kind", "must be employer or school", "Send one of these.");
    if (!cf_day_parse(registered_on, &day))
        cf_in_wrong(in, "registered_on", "must be a date, YYYY-MM-DD", "Send the date.");
    if (in->errors->n) return;
    if (!cf_key_unit(unit, &e->key)) {
        cf_in_wrong(in, "unit_code", "must be 1 to 58 bytes", "Send the unit's code.");
        return;
    }
    e->type = changed ? "unit.changed" : "unit.registered";
    e->value = intake_codec_unit(f->req->arena, changed ? "unit_changed" : "unit_registered", unit,
                                 kind, banks, n, registered_on, revision);
    event_id(f, e, e->type, revision);
}

static void post_feed(struct cf_request *req, struct intake_front *front, const char *topic,
                      void (*one)(struct feed *f, struct cf_in *in, struct event *e))
{
    struct cf_field_errors errors = {0};
    struct feed *f = cf_arena_zero(req->arena, sizeof *f);
    json_t *root = cf_request_json(req);
    if (!root) return;
    f->req = req;
    f->front = front;
    f->topic = topic;
    size_t n = json_is_array(root) ? json_array_size(root) : 1;
    if (n > EVENTS_MAX) {
        cf_problem_field(req, 400, "invalid_body", "body", "has more than 1000 events",
                         "Send them in several requests.");
        return;
    }
    f->events = cf_arena_zero(req->arena, (n + 1) * sizeof *f->events);
    struct cf_in top = {.arena = req->arena, .errors = &errors, .path = ""};
    for (size_t i = 0; i < n; i++) {
        struct cf_in in = json_is_array(root) ? cf_in_item(&top, NULL, root, i)
                                              : cf_in_of(root, req->arena, &errors);
        if (in.object) one(f, &in, &f->events[f->n++]);
    }
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    send_all(f);
}

static void post_enrolment(struct cf_request *req, void *arg)
{
    post_feed(req, arg, "enrolment.events", enrolment_in);
}

static void post_unit(struct cf_request *req, void *arg)
{
    post_feed(req, arg, "unit.events", unit_in);
}

void intake_api_feed_routes(struct intake_front *front)
{
    static const struct cf_route enrolment = {"POST", "/v1/enrolment-events", "enrolment:write",
                                              2 << 20, CF_JSON, 15000};
    static const struct cf_route unit = {"POST", "/v1/unit-events", "enrolment:write", 2 << 20,
                                         CF_JSON, 15000};
    cf_http_route(front->app->http, &enrolment, post_enrolment, front);
    cf_http_route(front->app->http, &unit, post_unit, front);
}
