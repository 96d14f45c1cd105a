/* codec -- records of notification's topics to plain structs, and back.
 *
 * Shapes   the body of a message is one of the structs below, by its type
 * Owns     text points into the record or the batch arena
 * Errors   CF_E_DECODE with d->reason "field: rule"; CF_E_VERSION for an unknown body
 */
#pragma once
#include "common/io/stage/stage.h"
#include "services/notification/rules.h"
#include "services/notification/rules_text.h"

enum notification_topic_in {
    NOTIFY_IN_APPLICATIONS,
    NOTIFY_IN_PHOTOS,
    NOTIFY_IN_CARDS,
    NOTIFY_IN_COMPLAINTS,
    NOTIFY_IN_INTERNAL
};
enum notification_topic_out { NOTIFY_OUT_INTERNAL, NOTIFY_OUT_EVENTS };
enum notification_kind { NOTIFY_KIND_HOLDER };
enum notification_work { NOTIFY_WORK_SMS = 1, NOTIFY_WORK_REMIND = 2 };

enum notification_message {
    NOTIFY_MSG_NEWS = 1, /* something a holder should hear of, or whom to write to */
    NOTIFY_MSG_LIFE,     /* struct notification_life */
    NOTIFY_MSG_FORWARD,  /* an order's news, to be handed to its holder's shard */
    NOTIFY_MSG_OUTCOME,  /* struct notification_outcome */
    NOTIFY_MSG_REMIND    /* no body: the work's own args */
};

/* What a message is about; kept with its work. */
struct notification_job {
    uint8_t event_id[16], application_id[16];
    enum notification_template template;
    cf_ms at;
    cf_day due_on, respond_by; /* 0: none */
    struct cf_str receipt_no, notice_no, outlet_code, card_no_masked, order_no;
    bool deferred; /* was held back: its row is there */
};

struct notification_news {
    struct notification_job job;       /* template NONE: nothing to tell */
    struct cf_str person;              /* sealed; len 0: the event brings none */
    bool begins_waiting, ends_waiting; /* for a card at the outlet */
    uint8_t holder_ref[CF_REF_LEN];    /* FORWARD: to whom */
};

struct notification_life {
    bool died;
};

struct notification_outcome {
    enum notification_outcome_of { NOTIFY_WAS_SENT, NOTIFY_WAS_REFUSED, NOTIFY_WAS_LATE } of;
    struct cf_str reason;
};

int notification_codec_decode(struct cf_decode *d, const struct cf_record *rec);

struct cf_str notification_codec_job(struct cf_arena *a, const struct notification_job *job);
/* CF_E_DECODE. */
/* Messages kept for later, one after the other: a length of 4 bytes and a job. False: there are
 * too many already. */
bool notification_codec_early_add(struct cf_arena *a, struct cf_str *early,
                                  const struct notification_job *job) CF_MUST;
/* Takes the first off. */
int notification_codec_early_next(struct cf_arena *a, struct cf_str *early,
                                  struct notification_job *out) CF_MUST;
int notification_codec_job_read(struct cf_arena *a, struct cf_str bytes,
                                struct notification_job *out) CF_MUST;
void notification_codec_forward(struct cf_step *s, const struct cf_key *holder,
                                const struct notification_job *job);
/* The end of a notification, to notification.events. */
void notification_codec_send_end(struct cf_step *s, const struct cf_key *key,
                                 const uint8_t notification_id[16],
                                 const struct notification_job *job, enum notification_state state,
                                 struct cf_str reason);

/* What the SMS worker has to know; text points into the arena. */
struct notification_person {
    enum cf_doc_type document_type;
    struct cf_str phone, guardian_phone;
};
/* The person inside a seal; CF_E_DECODE. */
int notification_codec_person(struct cf_arena *a, struct cf_str plain,
                              struct notification_person *out) CF_MUST;
