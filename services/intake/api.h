/* api -- intake's HTTP routes; see interfaces and proto/openapi.yaml.
 *
 * Errors   problem+json: 400 for what is no JSON of the right types, 403 for a missing scope, 404
 *          for what is unknown or not the caller's, 422 request_id_conflict, 503 when Kafka or
 *          PostgreSQL is away. Odd business values are not errors: they become reasons
 */
#pragma once
#include "common/io/outcome.h"
#include "services/intake/front.h"

void intake_api_routes(struct intake_front *front);

/* Routes by file. */
void intake_api_application_routes(struct intake_front *front);
void intake_api_paper_routes(struct intake_front *front);
void intake_api_command_routes(struct intake_front *front);
void intake_api_roster_routes(struct intake_front *front);
void intake_api_roster_read_routes(struct intake_front *front);
void intake_api_feed_routes(struct intake_front *front);
void intake_api_unit_routes(struct intake_front *front);
void intake_api_roster_collect_route(struct intake_front *front);
void intake_api_roster_collection_route(struct intake_front *front);

/* ---- shared ---------------------------------------------------------------------------------- */

/* A write on its way; the first part of each handler's own struct, in the request's arena. */
struct intake_write {
    struct cf_request *req;
    struct intake_front *front;
    uint8_t id[16]; /* claimed: of the application, the command or the roster */
    cf_ms sent_at, wait_ms;
    bool replayed;
    void (*go)(struct intake_write *w); /* after the claim */
    void (*photo_done)(struct intake_write *w, const uint8_t ref[16], uint32_t reasons);
};

/* Claims (client, Idempotency-Key) and goes on with w->go; answers problems itself. `what` sets
 * ids of different routes apart. */
void intake_write_claim(struct intake_write *w, const char *what, struct cf_str key,
                        struct cf_str meaning);
/* The canonical form of a body: names sorted, no blanks. */
struct cf_str intake_meaning(struct cf_arena *a, const json_t *body);
/* photo_base64 as it stands; wrong when it is longer than a photo may be, or not taken here. */
struct cf_str intake_photo_in(struct cf_in *in, const struct intake_front *front);
/* Hands the photo to photo-fetch and goes on with `done`; answers 503 itself. */
void intake_photo_put(struct intake_write *w, const struct cf_key *key, struct cf_str base64,
                      void (*done)(struct intake_write *w, const uint8_t ref[16],
                                   uint32_t reasons));
/* Sends and goes on with `sent`; answers 503 itself when that cannot be tried. */
void intake_write_send(struct intake_write *w, const char *topic, const struct cf_key *key,
                       const char *type, struct cf_str value, cf_front_sent *sent);
/* 202 {name: id}, or the same with 200 and more, by cf_out. */
void intake_answer_id(struct intake_write *w, int status, const char *name);

/* A code or a word of at most 64 characters, and no more bytes than the stage takes. */
struct cf_str intake_word_in(struct cf_in *in, const char *name);
void intake_person_in(struct cf_in *in, struct intake_person *out);
/* Papers that are not sent, because they came with a list of the same unit, or with an application
 * of it, before. */
struct intake_papers_ref {
    bool with_list, with_application;
    uint8_t roster_id[16], application_id[16]; /* zero: what was given is no id */
    struct cf_str unit_code;                   /* of the unit that refers to them; none: any */
    int channel;
    struct intake_write *w;
    struct intake_request *request;
    struct intake_agent *agent;
    void (*then)(struct intake_write *w);
};
void intake_papers_in(struct cf_in *in, struct intake_request *r, struct intake_agent *agent,
                      struct intake_papers_ref *ref);
/* {unit_papers: {papers_ref}}. */
void intake_papers_ref_in(struct cf_in *in, struct intake_papers_ref *ref);
/* Fills in what that list had, or that the application had them, and goes on with then(w); when
 * there is no such list or application of this unit, nothing is filled in, which is a reason for a
 * notice. Goes on at once when nothing is referred to. Answers problems itself. */
void intake_papers_find(struct intake_papers_ref *ref, struct intake_write *w,
                        struct intake_request *request, struct intake_agent *agent,
                        void (*then)(struct intake_write *w));
/* RFC 3339 time of `name`: 0 when absent, -1 when it cannot be read. */
cf_ms intake_time_in(struct cf_in *in, const char *name);

/* What an outcome is told with: calendar, outlets, phones. */
struct cf_outcome_world intake_outcome_world(const struct intake_front *front);
struct cf_outcome intake_outcome_of(struct cf_arena *a, const struct intake_view *v);
/* The outcome of an application, into the object that is open. */
void intake_outcome_out(struct cf_out *o, const struct intake_front *front, struct cf_arena *a,
                        const struct intake_view *v);
/* An application found by its id; 404 and 503 are answered here. NULL: answered. */
bool intake_found(struct cf_request *req, int e, const PGresult *res, struct intake_view *out);
