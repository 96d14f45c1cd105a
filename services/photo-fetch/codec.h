/* codec -- records of photo-fetch's topics to plain structs, and back.
 *
 * Shapes   the body of a message is one of the structs below, by its type
 * Owns     text points into the record or the batch arena
 * Errors   CF_E_DECODE with d->reason "field: rule"; CF_E_WRONG_KEY on the open topic
 */
#pragma once
#include "common/io/stage/stage.h"
#include "services/photo-fetch/rules.h"

enum photo_fetch_topic_in { PHOTO_IN_APPLICATIONS, PHOTO_IN_COMMANDS, PHOTO_IN_INTERNAL };
enum photo_fetch_topic_out { PHOTO_OUT_INTERNAL, PHOTO_OUT_EVENTS };
enum photo_fetch_kind { PHOTO_KIND_HOLDER };
enum photo_fetch_work { PHOTO_WORK_FETCH = 1, PHOTO_WORK_EXPIRE = 2 };

enum photo_fetch_message {
    PHOTO_MSG_ACCEPTED = 1,
    PHOTO_MSG_STOP,
    PHOTO_MSG_UPLOAD,
    PHOTO_MSG_WAIVE,
    PHOTO_MSG_FETCHED,
    PHOTO_MSG_EXPIRED
};

struct photo_fetch_accepted {
    uint8_t application_id[16];
    enum cf_app_kind kind;
    struct photo_fetch_facts facts;
    uint8_t photo_ref[16];
    struct cf_str person; /* sealed */
};

/* The id is zero when the reason is not about one application (the enrolment ended). */
struct photo_fetch_stop {
    uint8_t application_id[16];
};

struct photo_fetch_upload {
    uint8_t application_id[16];
    uint8_t photo_ref[16];
    uint32_t reasons; /* why it cannot be used; 0 = good */
};

struct photo_fetch_fetched {
    enum photo_event event; /* GOT, NOT_THERE, AGAIN */
    uint8_t photo_ref[16];
    uint32_t reasons;
};

/* What the gateway has to know; text points into the arena. */
struct photo_fetch_person {
    struct cf_str document_type, document_number, name;
};

/* The person inside a seal; CF_E_DECODE. */
int photo_fetch_codec_person(struct cf_arena *a, struct cf_str plain,
                             struct photo_fetch_person *out) CF_MUST;

int photo_fetch_codec_decode(struct cf_decode *d, const struct cf_record *rec);

/* The payload of a fetch's outcome, for the worker; packed into the arena. */
struct cf_str photo_fetch_codec_fetched(struct cf_arena *a, const uint8_t *photo_ref,
                                        uint32_t reasons);
/* The command of an upload, for the front. */
struct cf_str photo_fetch_codec_upload(struct cf_arena *a, const uint8_t application_id[16],
                                       const uint8_t command_id[16], const uint8_t photo_ref[16]);

/* A guardian's declaration that there is no photo; the actor is sealed for the holder. */
enum { PHOTO_FIELD_ACTOR = 2 };
struct cf_str photo_fetch_codec_waive(struct cf_arena *a, const uint8_t application_id[16],
                                      const uint8_t command_id[16], struct cf_str sealed_actor);
struct cf_str photo_fetch_codec_actor(struct cf_arena *a, struct cf_str role, struct cf_str name,
                                      struct cf_str document_type, struct cf_str document_number);

/* What every event about an application carries. */
struct photo_fetch_about {
    const uint8_t *application_id;
    int kind;
    cf_ms at;
};
void photo_fetch_codec_send_ready(struct cf_step *s, const struct cf_key *key,
                                  const struct photo_fetch_about *about, const uint8_t *photo_ref,
                                  enum photo_source source);
void photo_fetch_codec_send_missing(struct cf_step *s, const struct cf_key *key,
                                    const struct photo_fetch_about *about, uint32_t reasons,
                                    cf_day respond_by);
void photo_fetch_codec_send_expired(struct cf_step *s, const struct cf_key *key,
                                    const struct photo_fetch_about *about);
