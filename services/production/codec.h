/* codec -- bytes of the topics to production's structs and back; the only file pair that knows
 * the generated protobuf names.
 *
 * Shapes   one body struct a message type (rules.h has most of them)
 * Owns     bodies live in the batch arena, text points into it or into the record
 * Errors   CF_E_DECODE, CF_E_WRONG_KEY with d->reason "field: rule"; never a value
 */
#pragma once
#include "common/io/seal.h"
#include "common/io/stage/stage.h"
#include "services/production/rules_deadline.h"
#include "services/production/rules_password.h"
#include "services/production/store.h"

enum production_topic {
    PRODUCTION_IN_APPLICATION,
    PRODUCTION_IN_PHOTO,
    PRODUCTION_IN_COMMANDS,
    PRODUCTION_IN_RESULTS,
    PRODUCTION_IN_INTERNAL,
    PRODUCTION_IN
};

/* ce_source of what our own front writes. */
#define PRODUCTION_FRONT "production/front"

/* BankResult.step of a bank that has heard a notice. */
#define PRODUCTION_ACKNOWLEDGED "notice_acknowledged"
/* Of one that has counted wrong tries of a password. */
#define PRODUCTION_PASSWORD_WRONG "password_wrong"

enum production_out { PRODUCTION_OUT_INTERNAL, PRODUCTION_OUT_CARD, PRODUCTION_OUT_ORDERS };

enum production_message {
    PRODUCTION_M_NONE,
    /* for a holder */
    PRODUCTION_M_ACCEPTED,
    PRODUCTION_M_WITHDRAWAL,
    PRODUCTION_M_ENROLMENT,
    PRODUCTION_M_PHOTO_READY,
    PRODUCTION_M_PHOTO_MISSING,
    PRODUCTION_M_PHOTO_ENDED,
    PRODUCTION_M_OPERATION,
    PRODUCTION_M_RESULT,
    PRODUCTION_M_BATCHED,
    PRODUCTION_M_DEQUEUED,
    PRODUCTION_M_EXTENSION,
    PRODUCTION_M_RECALCULATE,
    PRODUCTION_M_HOLDER_DUE,
    PRODUCTION_M_SIGNATURE,
    PRODUCTION_M_NOTICE_DUE,
    PRODUCTION_M_ACKNOWLEDGED,
    PRODUCTION_M_SUPPLEMENT,
    PRODUCTION_M_DECIDED, /* by intake: its paper is kept here */
    PRODUCTION_M_COLLECT, /* by the agent of a list */
    PRODUCTION_M_ALIASED, /* this reference is a newer one of another holder */
    PRODUCTION_M_NEWER,   /* the holder has this newer reference */
    /* for a bank */
    PRODUCTION_M_ENQUEUE,
    PRODUCTION_M_DEQUEUE,
    PRODUCTION_M_LINE_RESULT,
    PRODUCTION_M_CLOSE_BATCH,
    PRODUCTION_M_BANK_DUE,
    /* for a holder again */
    PRODUCTION_M_TRIES,
    PRODUCTION_M_SETTLE /* a person decides about a card that was not made */
};

/* Kinds of work: all are timers. */
enum production_work {
    PRODUCTION_WORK_NONE,
    PRODUCTION_WORK_HOLDER,
    PRODUCTION_WORK_BANK,
    PRODUCTION_WORK_NOTICE
};

struct production_enqueue_body {
    struct cf_key holder;
    uint8_t app_id[16], photo_ref[16];
    enum cf_app_kind kind;
    struct cf_str bank, card_no, person, outlet;
    cf_day due_on;
    bool priority;
};

struct production_dequeue_body {
    struct cf_key holder;
    uint8_t app_id[16];
    struct cf_str bank;
};

struct production_line_body {
    uint8_t batch_id[16];
    uint32_t line_no;
    enum production_line_end end;
};

struct production_close_body {
    unsigned lane;
    int64_t from, to;
};

struct production_decided {
    uint8_t command_id[16];
    struct cf_str operation, result, reasons, voucher_no, notice_no, channel;
};

struct production_aliased {
    struct cf_key canonical;
    int16_t part; /* of the canonical key */
};

/* Why an operation is a dead letter whose person is somebody else than the key's. */
#define PRODUCTION_NOT_OF_KEY "holder: is not the one of the key"

struct cf_str production_codec_newer(struct cf_arena *a, const struct cf_key *reference);

struct production_signed {
    uint8_t operation_id[16];
    struct cf_str voucher_no, signer, role, method, staff_id; /* signer sealed */
    cf_ms signed_at;
};

/* What the stage and the front share; never changes. */
struct production_env {
    const struct cf_seal_ring *ring;
    const struct cf_calendar *calendar;
    const struct cf_policies *deadlines;
    struct production_policy policy;
    char letters[27];       /* area letters in the order in which they are taken up */
    uint8_t number_key[16]; /* hides the order of vouchers and notices */
};

extern const struct cf_topic_in production_topics_in[];
extern const char *const production_topics_out[];

int production_decode(struct cf_decode *d, const struct cf_record *rec);
/* The body of a message that was kept: PHOTO_*, RESULT, OPERATION. NULL: not readable. */
const void *production_codec_again(struct cf_arena *a, enum production_message type,
                                   struct cf_str bytes);

/* ---- out: packed bodies -------------------------------------------------------------------- */

struct cf_str production_codec_step(struct cf_arena *a, const struct production_effect *e, cf_ms at,
                                    struct cf_str notice_no);
struct cf_str production_codec_changed(struct cf_arena *a, const struct production_effect *e,
                                       cf_ms at, struct cf_str voucher_no);
struct cf_str production_codec_answered(struct cf_arena *a, const struct production_effect *e,
                                        cf_ms at, struct cf_str voucher_no,
                                        struct cf_str notice_no);
struct cf_str production_codec_deadline(struct cf_arena *a, const struct production_effect *e,
                                        cf_ms at);
struct cf_str production_codec_promised(struct cf_arena *a, const struct production_enqueue_body *q,
                                        const struct production_queued *at_place, cf_ms at);
struct cf_str production_codec_enqueue(struct cf_arena *a, const struct production_effect *e,
                                       const struct cf_key *holder, struct cf_str person);
struct cf_str production_codec_dequeue(struct cf_arena *a, const struct production_effect *e,
                                       const struct cf_key *holder);
struct cf_str production_codec_dequeued(struct cf_arena *a, const uint8_t app_id[16], bool out);
/* An operation for the holder's first reference, as it came. */
struct cf_str production_codec_operation(struct cf_arena *a, const struct production_op *op,
                                         cf_ms sent_at);
/* The BankResult in a record: of bank.results, or led on. */
struct cf_str production_codec_result_of(struct cf_arena *a, const struct cf_record *rec);
/* A BankResult for the holder's first reference, as it came. */
struct cf_str production_codec_result_on(struct cf_arena *a, struct cf_str result);
struct cf_str production_codec_line_result(struct cf_arena *a, const struct production_effect *e);
struct cf_str production_codec_close(struct cf_arena *a, const struct production_close *c);
struct cf_str production_codec_batched(struct cf_arena *a, const struct production_line *line,
                                       const uint8_t batch_id[16], uint32_t line_no,
                                       struct cf_str bank);
struct cf_str production_codec_order(struct cf_arena *a, const struct production_line *line,
                                     const uint8_t batch_id[16], uint32_t line_no,
                                     struct cf_str bank);
struct cf_str production_codec_manifest(struct cf_arena *a, const uint8_t batch_id[16],
                                        uint32_t lines, const uint8_t hash[32], struct cf_str bank);
struct cf_str production_codec_notice(struct cf_arena *a, const struct production_notice *n,
                                      const uint8_t id[16]);
/* That it is overdue, or that its bank has heard it after all. */
struct cf_str production_codec_bank_notice(struct cf_arena *a, const struct production_notice *n,
                                           const uint8_t id[16], cf_ms at);

/* ---- the front's messages ------------------------------------------------------------------ */

#define PRODUCTION_FIELD_CONSENT 3 /* under which the document of a consent is sealed */

struct production_command_fields {
    uint8_t operation_id[16];
    struct cf_str operation, holder, card_no, channel, actor, role, staff_id, operator_bank,
        operator_outlet, password_kind, add_on, reason, card_kind;
    struct {
        struct cf_str by, document; /* document sealed */
        cf_ms given_at;
    } consent;
    struct {
        struct cf_str type;
        int64_t cents;
    } fees[8];
    size_t n_fees;
    cf_ms requested_at;
    bool imports;
    struct cf_str import_bank, import_state, import_kind;
    cf_day issued_on;
    bool has_photo;
};
struct cf_str production_codec_command(struct cf_arena *a,
                                       const struct production_command_fields *f);

struct cf_str production_codec_settlement(struct cf_arena *a,
                                          const struct production_settlement *m);
struct cf_str production_codec_signature(struct cf_arena *a, const struct production_signed *f);

struct production_result_fields {
    uint8_t result_id[16], batch_id[16], app_id[16];
    struct cf_str bank, card_no, step, reason;
    uint32_t line_no;
    cf_ms at;
    int64_t fee_cents;
    struct cf_str fee_type;
    struct cf_str password_kind; /* password_wrong */
    uint32_t tries;
    uint8_t notice_id[16]; /* notice_acknowledged */
};
struct cf_str production_codec_result(struct cf_arena *a, const struct production_result_fields *f);
/* 0 social_security, 1 financial, -1 another word. */
int production_password_kind(struct cf_str s);
/* A person with document only, and the birth date where the number tells none; for sealing. */
struct cf_str production_codec_document(struct cf_arena *a, struct cf_str type,
                                        struct cf_str number, struct cf_str birth_date);
/* The document of a consent, for sealing: the reference of a paper, or an identity document. */
struct cf_str production_codec_consent_document(struct cf_arena *a, struct cf_str reference,
                                                struct cf_str type, struct cf_str number);
struct cf_str production_codec_actor(struct cf_arena *a, struct cf_str role, struct cf_str name,
                                     struct cf_str type, struct cf_str number);
