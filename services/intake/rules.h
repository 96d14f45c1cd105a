/* rules -- intake decides: is an application accepted, noticed, rejected, or must it wait?
 *
 * Two steps, since between them the caller takes the keyed reference and the keyed hash of the
 * name, and loads what is known of the holder:
 *   intake_person_read()  normalises and checks what the person's fields alone tell
 *   intake_judge()        adds the papers, the outlet and the world, and gives the verdict
 *
 * Shapes   text as it was entered; facts hold what was made of it
 * Units    cf_day, cf_ms; ages on the day of submission
 * Owns     facts point into the arena and into the input
 * Errors   none: whatever is odd is a reason of common/pure/reasons.def
 * Source   Measures 2015, rows S1 to S6 and S12; domain reference, Checks at intake
 */
#pragma once
#include "common/pure/arena.h"
#include "common/pure/deadline.h"
#include "common/pure/idnum.h"
#include "common/pure/keys.h"
#include "common/pure/kinds.h"
#include "common/pure/reasons.h"
#include "common/pure/outlets.h"

/* ---- what was entered ----------------------------------------------------------------------- */

struct intake_guardian {
    struct cf_str name, document_type, document_number, relation, phone;
};

struct intake_agent {
    struct cf_str name, document_type, document_number;
};

struct intake_person {
    struct cf_str document_type, document_number, name, sex, birth_date, phone, address;
    struct intake_guardian guardian;
    struct intake_agent agent; /* of the unit */
};

struct intake_request {
    enum cf_channel channel;         /* NONE: missing or unknown */
    enum cf_app_kind kind;           /* NONE: missing or unknown */
    struct cf_str bank_code, outlet_code;
    struct cf_str photo_choice;      /* as entered; empty: the police photo */
    struct cf_str reissue_reason;    /* as entered */
    struct cf_str unit_code, introduction_letter_no;
    bool id_copies_held, papers_given_before;
    bool with_fee;                   /* any fee above 0 */
    cf_ms submitted_at;              /* 0: now; below 0: could not be read */
    cf_ms received_at;               /* it, or its last supplement; 0: not known any more */
    bool may_backdate;
    bool from_roster;
    unsigned warnings;               /* found while reading the row of a roster */
    uint32_t photo_reasons;          /* verdict on an uploaded photo, bits of cf_photo_reason */
};

/* ---- step 1: the person alone --------------------------------------------------------------- */

struct intake_facts {
    const struct intake_person *person;
    enum cf_doc_type type;           /* NONE: not accepted */
    struct cf_str number, name, phone, address; /* normalised */
    struct cf_idnum id;              /* of the number */
    bool number_ok, name_ok;
    cf_day birth;                    /* of the number, else as given; CF_DAY_NONE: neither */
    enum cf_sex sex;                 /* the same; NONE: neither */
    cf_day today;                    /* the acceptance day */
    struct cf_reason_set reasons;
    unsigned warnings;
};

/* Reads and checks document, name, birth date, sex, phone, address and guardian. */
void intake_person_read(const struct intake_person *p, cf_day today, struct cf_arena *arena,
                        struct intake_facts *out);
/* The time that counts for a submission, and its day: submitted_at, or now when it has none or
 * comes from a clock that is ahead. */
cf_day intake_day(const struct intake_request *r, cf_ms now);
cf_ms intake_submitted_at(const struct intake_request *r, cf_ms now);

/* ---- step 2: the world ---------------------------------------------------------------------- */

enum intake_enrolment { INTAKE_ENROLMENT_UNKNOWN, INTAKE_ENROLMENT_ACTIVE, INTAKE_ENROLMENT_ENDED };

struct intake_card {
    enum cf_card_state state;        /* NONE: there is no card */
    struct cf_str bank_code;
    bool has_photo;
    cf_day valid_until;              /* CF_DAY_NONE or 0: not known */
};

struct intake_world {
    enum intake_enrolment enrolment;
    bool name_equal;                 /* to the enrolment record */
    bool waited;                     /* the time to wait for the enrolment is over */
    bool school_banks_known, school_has_bank;
    bool permanent_open, temporary_open; /* another application is open */
    cf_ms last_first_issue, last_temporary; /* submitted_at of the last accepted; 0: none */
    struct intake_card permanent, temporary;
    bool command_expired;
};

enum intake_outcome {
    INTAKE_WAIT, /* for the enrolment */
    INTAKE_ACCEPT,
    INTAKE_NOTICE,
    INTAKE_REJECT
};

struct intake_verdict {
    enum intake_outcome outcome;
    struct cf_reason_set reasons;
    unsigned warnings;               /* for accepted ones only */
    enum cf_photo_choice photo_choice; /* what photo-fetch is asked for */
    bool is_child;                   /* below 16 on the acceptance day */
    cf_day accepted_on;
    cf_day respond_by;               /* CF_DAY_NONE: nothing can be put right */
    struct cf_deadline deadline;     /* of an accepted one */
};

void intake_judge(const struct intake_request *r, const struct intake_facts *f,
                  const struct intake_world *w, const struct cf_outlets *outlets,
                  const struct cf_calendar *cal, const struct cf_policies *policies, cf_ms now,
                  struct intake_verdict *out);

/* May an application of that kind come by that channel? The published matrix. */
bool intake_channel_allows(enum cf_channel channel, enum cf_app_kind kind);

/* Is the bank one of these, which have '|' between? */
bool intake_school_has(struct cf_str banks, struct cf_str bank_code);

/* The parts of intake_judge, by file. */
void intake_check_papers(const struct intake_request *r, const struct intake_agent *agent,
                         cf_day today, struct cf_reason_set *out);
void intake_check_outlet(const struct intake_request *r, const struct cf_outlets *outlets,
                         struct cf_reason_set *out);
void intake_check_world(const struct intake_request *r, const struct intake_facts *f,
                        const struct intake_world *w, cf_ms submitted_at, struct cf_reason_set *out);
bool intake_number_valid(struct cf_str type, struct cf_str number, cf_day today,
                         enum cf_doc_type *t, struct cf_idnum *id, char buf[CF_IDNUM_MAX],
                         size_t *len);

#define INTAKE_ADULT_FROM 18
#define INTAKE_DUPLICATE_MS (4 * (cf_ms)CF_MS_PER_DAY)
#define INTAKE_OLDEST_MS (3 * (cf_ms)CF_MS_PER_DAY)
#define INTAKE_CLOCK_SKEW_MS 120000

/* ---- the states of an application as intake keeps them ------------------------------------- */

/* What happens to an application; the later part mirrors photo-fetch and production. */
#define INTAKE_EVENTS(X)                  \
    X(ACCEPT, "accept")                   \
    X(NOTICE, "notice")                   \
    X(REJECT, "reject")                   \
    X(WITHDRAW, "withdraw")               \
    X(EXPIRE, "expire")                   \
    X(CLOSE, "close")                     \
    X(READY, "ready_for_pickup")          \
    X(FAIL, "production_failed")          \
    X(COLLECT, "collect")                 \
    X(PICKUP_EXPIRE, "pickup_expire")

enum intake_event {
#define X(value, name) INTAKE_ON_##value,
    INTAKE_EVENTS(X)
#undef X
    INTAKE_EVENT_COUNT
};

/* Up to accepted intake decides; after it `accepted` stands for every state in production. */
struct intake_edge {
    enum cf_app_state from;
    enum intake_event on;
    enum cf_app_state to;
};

const struct intake_edge *intake_edges(size_t *n);
const char *intake_event_name(enum intake_event on);
/* CF_APP_NONE: not allowed in that state. */
enum cf_app_state intake_state_next(enum cf_app_state from, enum intake_event on);

/* Counts of a roster: received, noticed, rejected, accepted, ready_for_pickup, ended. */
#define INTAKE_COUNTS(X) \
    X(RECEIVED, "received") X(NOTICED, "noticed") X(REJECTED, "rejected") \
    X(ACCEPTED, "accepted") X(READY, "ready_for_pickup") X(ENDED, "ended")

enum intake_count {
#define X(value, name) INTAKE_COUNT_##value,
    INTAKE_COUNTS(X)
#undef X
    INTAKE_COUNT_COUNT
};

const char *intake_count_name(enum intake_count c);
/* INTAKE_COUNT_COUNT for CF_APP_NONE. */
enum intake_count intake_count_of(enum cf_app_state state);
