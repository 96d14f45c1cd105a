/* codec -- bytes to the messages of work orders and back; the only file that knows protobuf names.
 *
 * The key of an order is the UUIDv8 of (source_system, order_no); a command under another key is a
 * dead letter. Whoever wants to stay unknown does: reporter and holder of an anonymous order are
 * left behind here.
 *
 * Owns     bodies and texts live in the batch arena
 * Errors   CF_E_DECODE, CF_E_WRONG_KEY with field and rule; CF_E_VERSION for a newer version
 */
#pragma once
#include "common/io/seal.h"
#include "services/complaint-handling/store.h"

enum complaint_in { COMPLAINT_IN_COMMANDS, COMPLAINT_IN_INTERNAL };
enum complaint_out {
    COMPLAINT_OUT_INTERNAL,
    COMPLAINT_OUT_EVENTS,
    COMPLAINT_OUT_HOLDER,
    COMPLAINT_OUT_CORRECTIONS
};
enum complaint_message {
    COMPLAINT_MSG_OPEN,   /* struct complaint_command */
    COMPLAINT_MSG_ACTION, /* struct complaint_command */
    COMPLAINT_MSG_TIMER,
    COMPLAINT_MSG_STATUS /* struct complaint_status */
};
enum complaint_work { COMPLAINT_WORK_TIMER = 1, COMPLAINT_WORK_ASK = 2 };

/* Numbers of sealed fields; owner is the order's key, of the last the holder's. */
enum {
    COMPLAINT_FIELD_REPORTER = 1,
    COMPLAINT_FIELD_TEXT = 4,
    COMPLAINT_FIELD_REPLY = 5,
    COMPLAINT_FIELD_PERSON = 1
};

enum { COMPLAINT_SOURCE_MAX = 40, COMPLAINT_NO_MAX = 64, COMPLAINT_REASON_MAX = 200 };

struct complaint_env {
    const struct cf_seal_ring *ring;
    const struct cf_calendar *calendar;
    struct cf_str owners[COMPLAINT_KIND_COUNT]; /* of a kind; all are set */
    bool can_ask;                               /* inquiry, about a holder's status */
    cf_ms ask_again;                            /* first wait after a failed question */
    int ask_max;                                /* questions in all */
};

struct complaint_command {
    struct cf_str source_system, order_no;
    /* open */
    enum complaint_kind kind;
    cf_ms dispatched_at;
    bool anonymous, holder_known;
    uint8_t holder_ref[16];
    struct cf_str reporter, topic;
    /* action */
    struct complaint_action action;
    struct cf_str operator_id, reason, person;
    /* both */
    struct cf_str text; /* sealed: the demand, or the reply */
};

struct complaint_status {
    enum { COMPLAINT_STATUS_THERE, COMPLAINT_STATUS_NONE, COMPLAINT_STATUS_AGAIN } result;
    struct cf_str sealed; /* one sentence, field COMPLAINT_FIELD_REPLY */
};

int complaint_codec_decode(struct cf_decode *d, const struct cf_record *rec);

struct cf_key complaint_codec_key(struct cf_str source_system, struct cf_str order_no);

/* ---- what the front sends ------------------------------------------------------------------ */

struct cf_str complaint_codec_command(struct cf_arena *a, enum complaint_message what,
                                      const struct complaint_command *c,
                                      const uint8_t command_id[16]);
struct complaint_person {
    struct cf_str document_type, document_number, name, phone;
};
struct cf_str complaint_codec_person_pack(struct cf_arena *a, const struct complaint_person *p);
int complaint_codec_person(struct cf_arena *a, struct cf_str plain,
                           struct complaint_person *out) CF_MUST;

/* ---- what the stage sends ------------------------------------------------------------------ */

struct complaint_told {
    const char *action, *result;
    const char *reason; /* NULL: none */
    enum complaint_state before;
    struct cf_str reply;       /* NULL ptr: none */
    const uint8_t *command_id; /* NULL: nobody's command */
};
void complaint_codec_send_event(struct cf_step *s, const struct complaint_order *o,
                                const struct complaint_told *told);
/* To the holder's key; the order must have a holder. */
void complaint_codec_send_holder(struct cf_step *s, const struct complaint_order *o);
void complaint_codec_send_correction(struct cf_step *s, const struct complaint_order *o,
                                     bool granted, struct cf_str reason, struct cf_str person);
