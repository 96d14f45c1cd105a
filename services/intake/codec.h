/* codec -- bytes to intake's messages and back; the only file that knows protobuf names.
 *
 * A command that carries a sealed person is opened here, and the key it came under is compared
 * with the one its document gives: another one goes along, for the holder's row knows whether both
 * are of one holder; if not, it is a dead letter.
 *
 * Owns     bodies and their texts live in the batch arena
 * Errors   CF_E_DECODE, CF_E_WRONG_KEY with the field and the rule; CF_E_VERSION for bodies of a
 *          newer version
 */
#pragma once
#include "common/io/seal.h"
#include "common/io/stage/stage.h"
#include "services/intake/rules.h"
#include "services/intake/store.h"

enum intake_in {
    INTAKE_IN_ENROLMENT,
    INTAKE_IN_UNITS,
    INTAKE_IN_COMMANDS,
    INTAKE_IN_PHOTOS,
    INTAKE_IN_CARDS,
    INTAKE_IN_INTERNAL
};
enum intake_out { INTAKE_OUT_INTERNAL, INTAKE_OUT_EVENTS, INTAKE_OUT_UNITS };

enum intake_message {
    INTAKE_MSG_SUBMIT,
    INTAKE_MSG_SUPPLEMENT,
    INTAKE_MSG_WITHDRAW,
    INTAKE_MSG_EXTEND,
    INTAKE_MSG_DEADLINE, /* production has another due date for the application */
    INTAKE_MSG_ENROLMENT,
    INTAKE_MSG_ENROLMENT_ENDED,
    INTAKE_MSG_DOCUMENT_CHANGED,
    INTAKE_MSG_ALIASED, /* this reference is a newer one of another holder */
    INTAKE_MSG_FOLLOW, /* photo-fetch or production moved the application on */
    INTAKE_MSG_CARD,
    INTAKE_MSG_TIMER,  /* of an application */
    INTAKE_MSG_UNIT,
    INTAKE_MSG_UNIT_COUNTED,
    INTAKE_MSG_UNIT_TOLD, /* the banks of a school, for this shard */
    INTAKE_MSG_ANSWERED,  /* production has answered a withdrawal or an extension */
    INTAKE_MSG_SUPPLEMENTED, /* production has answered a supplement */
    INTAKE_MSG_ROSTER_OPENED,
    INTAKE_MSG_SPLIT,  /* some rows of the roster are sent */
    INTAKE_MSG_ROW,
    INTAKE_MSG_COLLECT,   /* the agent takes the roster's cards */
    INTAKE_MSG_COLLECTED, /* production has been asked for some of them */
    INTAKE_MSG_LATER_NOTICE, /* photo-fetch or production gave a notice about the application */
    INTAKE_MSG_PROMISED      /* the day on which the bank will have the card made */
};

enum intake_work {
    INTAKE_WORK_TIMER = 1,
    INTAKE_WORK_SPLIT = 2,
    INTAKE_WORK_UNIT = 3,
    INTAKE_WORK_COLLECT = 4
};

enum { INTAKE_FIELD_PERSON = 1, INTAKE_FIELD_ACTOR = 2, INTAKE_FIELD_AGENT = 3, INTAKE_FIELD_FILE = 6 };

struct intake_submit {
    uint8_t application_id[16], roster_id[16], photo_ref[16];
    uint32_t row_no;
    struct intake_request request;
    struct intake_person person;
    struct cf_str sealed; /* the person as it came */
    struct cf_key other;  /* the reference of its document, where that is not the key */
    int64_t fee_cents;    /* all fees together */
    bool moved;           /* from the key of another document; no command of its own */
};

struct intake_supplement {
    uint8_t application_id[16];
    struct intake_person changes;
    struct intake_request request; /* empty texts: not changed */
    bool has_papers;
    uint8_t photo_ref[16]; /* zero, and no photo_reasons: the photo is not changed */
};

struct intake_withdraw {
    uint8_t application_id[16];
    struct cf_str reason;
};

struct intake_extend {
    uint8_t application_id[16];
    uint32_t days; /* working days more */
    struct cf_str reason, staff_id;
};

struct intake_deadline {
    uint8_t application_id[16];
    cf_day due_on;
    int32_t working_days;
    bool provisional, extended;
};

struct intake_enrolment_msg {
    int64_t revision;
    uint8_t name_hash[16];
    struct cf_str unit_code, sealed, end_reason;
    const char *word;            /* registered, changed, ended, document_changed */
    struct intake_person person; /* of `sealed`; the new document when that has changed */
    struct cf_key alias;         /* the reference of the new document */
    struct cf_key other;         /* as of a submission */
};

struct intake_aliased {
    struct cf_key canonical;
    int64_t revision;
};

struct intake_answered {
    uint8_t application_id[16], command_id[16];
    bool refused;
    struct cf_str reason, voucher_no, notice_no;
};

struct intake_follow {
    uint8_t application_id[16];
    struct cf_str reasons; /* of a later notice */
    enum intake_event on;
};

struct intake_promised {
    uint8_t application_id[16];
    cf_day promised_on;
};

struct intake_card_msg {
    struct intake_mirror card;
    bool temporary;
};

struct intake_unit_msg {
    struct cf_str unit_code;
    struct intake_unit unit; /* without its clock */
    bool registered;         /* else changed */
    int32_t partitions;
};

/* The unit's people have been counted. */
struct intake_unit_count {
    uint32_t enrolled, missing;
    bool failed; /* count again */
};

struct intake_unit_told {
    uint8_t id[16]; /* of the row of `school` */
    struct intake_school school;
};

struct intake_opened {
    uint8_t roster_id[16];
    struct intake_roster roster;
    struct cf_str args; /* of the work `split`: the packed RosterSplit of row 1 */
};

struct intake_split {
    int32_t next_row, records;
    bool complete;
    struct cf_str problem;
    struct cf_str args; /* to go on */
    bool failed;        /* try again */
};

/* accepted, refused, unchanged; 0: no outcome yet, or as before */
#define INTAKE_ROW_OUTCOMES(X) \
    X(ACCEPTED, "accepted") X(REFUSED, "refused") X(UNCHANGED, "unchanged")

enum intake_row_outcome {
    INTAKE_ROW_NONE,
#define X(value, name) INTAKE_ROW_##value,
    INTAKE_ROW_OUTCOMES(X)
#undef X
    INTAKE_ROW_COUNT
};
const char *intake_row_outcome_name(enum intake_row_outcome outcome);

struct intake_row_msg {
    uint8_t roster_id[16], application_id[16];
    int32_t row_no;
    enum intake_row_outcome outcome;
    struct cf_str reasons; /* in the words of rosters */
    uint32_t warnings;
    enum cf_app_state state;
    struct cf_str notice; /* reasons of a later notice */
    bool taken_over; /* the row of another list has put the application right */
    bool from_stage; /* else the front found it while splitting */
};

struct intake_env {
    const struct cf_seal_ring *ring;
    const struct cf_calendar *calendar;
    const struct cf_outlets *outlets;
    cf_ms enrolment_wait_ms;
    uint8_t number_key[16]; /* of receipts and notices */
    const struct cf_policies *policies;
};

/* Most bytes of a code or a word that stands outside the sealed person. */
enum { INTAKE_WORD_BYTES = 200 };

int intake_codec_decode(struct cf_decode *d, const struct cf_record *rec);

/* ---- keys and ids ---------------------------------------------------------------------------- */

/* The key of a person's application: the holder's reference; where the document gives none
 * (unknown type, no number), one that only this application has. True: of the document. */
bool intake_codec_key(const struct cf_seal_ring *ring, const struct intake_person *p,
                      const uint8_t application_id[16], struct cf_key *out);
/* Of the row that holds a school's banks in each shard. */
void intake_codec_school_id(struct cf_str unit_code, uint8_t out[16]);
/* Of the row of a roster: the application's id, and that of the row. */
void intake_codec_row_id(const uint8_t roster_id[16], uint32_t row_no, uint8_t out[16]);

/* ---- persons --------------------------------------------------------------------------------- */

struct cf_str intake_codec_person_pack(struct cf_arena *a, const struct intake_person *p);
int intake_codec_person(struct cf_arena *a, struct cf_str plain, struct intake_person *out) CF_MUST;
int intake_codec_person_open(const struct cf_seal_ring *ring, struct cf_arena *a,
                             struct cf_str sealed, const struct cf_key *owner,
                             struct intake_person *out) CF_MUST;
int intake_codec_person_seal(const struct cf_seal_ring *ring, struct cf_arena *a,
                             const struct intake_person *p, const struct cf_key *owner,
                             struct cf_str *out) CF_MUST;

/* ---- what the front sends -------------------------------------------------------------------- */

struct cf_str intake_codec_submit(struct cf_arena *a, const struct intake_submit *m);
struct cf_str intake_codec_supplement(struct cf_arena *a, const struct intake_supplement *m,
                                      const uint8_t command_id[16], struct cf_str sealed);
struct cf_str intake_codec_withdraw(struct cf_arena *a, const struct intake_withdraw *m,
                                    const uint8_t command_id[16], struct cf_str sealed_actor);
struct cf_str intake_codec_extend(struct cf_arena *a, const struct intake_extend *m,
                                  const uint8_t command_id[16]);
struct cf_str intake_codec_actor(struct cf_arena *a, struct cf_str role, struct cf_str name,
                                 struct cf_str document_type, struct cf_str document_number);
struct cf_str intake_codec_enrolment(struct cf_arena *a, const char *type, struct cf_str sealed,
                                     int64_t revision, struct cf_str unit_code,
                                     struct cf_str reason);
struct cf_str intake_codec_document_changed(struct cf_arena *a, struct cf_str old_sealed,
                                            struct cf_str new_sealed, int64_t revision);
struct cf_str intake_codec_unit(struct cf_arena *a, const char *type, struct cf_str unit_code,
                                struct cf_str kind, const struct cf_str *banks, size_t n_banks,
                                struct cf_str registered_on, int64_t revision);
struct cf_str intake_codec_row(struct cf_arena *a, const struct intake_row_msg *m);

/* A roster on its way: what was said of it when it was handed in. */
struct intake_roster_meta {
    uint8_t roster_id[16];
    struct cf_str client, unit_code, bank_code, outlet_code, introduction_letter_no, encoding;
    struct cf_str reissue_reason;
    enum cf_app_kind kind;
    enum cf_channel channel;
    bool id_copies_held, may_backdate;
    struct cf_str agent; /* sealed */
    cf_ms submitted_at;
    uint64_t size;
    uint8_t sha256[32];
};
struct cf_str intake_codec_roster_opened(struct cf_arena *a, const struct intake_roster_meta *m);
struct cf_str intake_codec_agent_pack(struct cf_arena *a, const struct intake_agent *agent);
int intake_codec_agent_open(const struct cf_seal_ring *ring, struct cf_arena *a,
                            struct cf_str sealed, const struct cf_key *owner,
                            struct intake_agent *out) CF_MUST;
/* Arguments of `split`, and its progress. */
int intake_codec_split_read(struct cf_arena *a, struct cf_str args, struct intake_roster_meta *out,
                            uint32_t *next_row) CF_MUST;
struct cf_str intake_codec_split_args(struct cf_arena *a, struct cf_str args, uint32_t next_row);
struct cf_str intake_codec_progress(struct cf_arena *a, const uint8_t roster_id[16],
                                    uint32_t next_row, uint32_t records, bool complete,
                                    const char *problem);

/* The agent takes the cards of a roster that lie ready at an outlet. */
struct intake_collect {
    uint8_t id[16], roster_id[16];
    struct cf_str outlet_code, collector; /* collector: sealed */
    enum cf_channel channel;
    const uint32_t *rows; /* n_rows 0: all */
    size_t n_rows;
    uint32_t next_row;  /* rows below it have been asked for */
    struct cf_str args; /* as it was read: arguments of the work `collect` */
};
struct cf_str intake_codec_collect(struct cf_arena *a, const struct intake_collect *m);
int intake_codec_collect_read(struct cf_arena *a, struct cf_str args,
                              struct intake_collect *out) CF_MUST;
/* The same arguments, to go on at that row. */
struct cf_str intake_codec_collect_args(struct cf_arena *a, struct cf_str args, uint32_t next_row);
/* For production: one card, its collector sealed for the holder; and the id that it has. */
struct cf_str intake_codec_collection(struct cf_arena *a, const struct intake_collect *m,
                                      const uint8_t id[16], const uint8_t application_id[16],
                                      struct cf_str collector);
void intake_codec_collection_id(const uint8_t collect_id[16], uint32_t row_no, uint8_t out[16]);

/* Of the key unit:<code>; empty when it is none. */
struct cf_str intake_codec_unit_code(struct cf_str key);
/* Work `unit`: its arguments, and its payload. */
struct cf_str intake_codec_unit_args(struct cf_arena *a, cf_day due_on);
bool intake_codec_unit_args_read(struct cf_arena *a, struct cf_str args, cf_day *due_on);
struct cf_str intake_codec_unit_counted(struct cf_arena *a, uint32_t enrolled, uint32_t missing);

/* ---- what the stage sends -------------------------------------------------------------------- */

/* Of an application as it stands now; topic application.events, key of the step. */
void intake_codec_send_received(struct cf_step *s, const uint8_t id[16],
                                const struct intake_application *app);
void intake_codec_send_accepted(struct cf_step *s, const uint8_t id[16],
                                const struct intake_application *app,
                                const struct intake_verdict *v, enum cf_doc_type type);
void intake_codec_send_refused(struct cf_step *s, const uint8_t id[16],
                               const struct intake_application *app,
                               const struct intake_verdict *v);
void intake_codec_send_ended(struct cf_step *s, const uint8_t id[16], enum cf_app_kind kind,
                             enum cf_app_state state, const char *reason);
void intake_codec_send_withdrawal(struct cf_step *s, const uint8_t id[16],
                                  const struct intake_application *app,
                                  const uint8_t command_id[16], struct cf_str reason);
void intake_codec_send_extension(struct cf_step *s, enum cf_app_kind kind,
                                 const uint8_t command_id[16], const struct intake_extend *m);
/* asks: production is asked; else it has taken it. */
void intake_codec_send_supplement(struct cf_step *s, const uint8_t id[16],
                                  const struct intake_application *app,
                                  const uint8_t command_id[16], bool asks);
/* The paper of a command that intake has decided itself. */
void intake_codec_send_decided(struct cf_step *s, const uint8_t id[16],
                               const struct intake_application *app, const char *operation,
                               const struct intake_command *row);
void intake_codec_send_enrolment(struct cf_step *s, bool active, struct cf_str reason,
                                 int64_t revision);
/* A card of somebody whose enrolment has never come; only inquiry reads it. */
void intake_codec_send_not_enrolled(struct cf_step *s);
/* To the newer reference of this holder; there, to all readers; and what comes there, to here. */
void intake_codec_send_aliased(struct cf_step *s, const struct cf_key *alias, int64_t revision);
void intake_codec_send_alias_event(struct cf_step *s, const struct intake_aliased *m);
void intake_codec_send_enrolment_on(struct cf_step *s, const struct cf_key *to,
                                    struct cf_str event);
/* To every partition. */
void intake_codec_send_school(struct cf_step *s, struct cf_str unit_code, struct cf_str banks,
                              int64_t revision, int32_t partitions);
/* To unit.notices: `what` is a mark of rules_unit.h. */
void intake_codec_send_unit_notice(struct cf_step *s, const struct intake_unit *u, const char *what,
                                   bool silent);
/* To the roster's key. */
void intake_codec_send_row(struct cf_step *s, const struct intake_row_msg *m);
/* To the right holder's key, under the application's old id. */
void intake_codec_send_moved(struct cf_step *s, const struct cf_key *to,
                             const struct intake_submit *m);
