/* rules -- production decides: the path of an application from acceptance to collection, the
 * states of a card, the queue of a bank.
 *
 * Everything comes in as plain structs and goes out as changed structs plus a list of effects;
 * nothing here does I/O, reads a clock or a random number.
 *
 * Shapes   a holder has two slots (permanent, temporary), each with one application, the card that
 *          is being made for it, and the card in the holder's hands: the slot is the constraint
 *          "one card a person"
 * Units    cf_day in Asia/Shanghai, cf_ms UTC
 * Owns     text points into what was passed in; effects copy structs, not text
 * Errors   none: a verdict (enum production_fit) says what became of a message
 * Source   Measures 2015, rows S3, S11-S14; domain reference, "Production" and "Card"
 */
#pragma once
#include "common/pure/calendar.h"
#include "common/pure/cardnum.h"
#include "common/pure/channels.h"
#include "common/pure/keys.h"
#include "common/pure/kinds.h"
#include "common/pure/policy.h"

/* ---- the machines (rules_machine.c) -------------------------------------------------------- */

/* clang-format off */
/* What happens to an application. The names of the bank's steps are those of BankResult.step. */
#define PRODUCTION_APP_EVENTS(X)            \
    X(PHOTO_READY,    "photo_ready")        \
    X(PHOTO_MISSING,  "photo_missing")      \
    X(BATCH,          "batched")            \
    X(ACCOUNT_OPENED, "account_opened")     \
    X(ACCOUNT_FAILED, "account_failed")     \
    X(PRODUCED,       "produced")           \
    X(FAILED,         "failed")             \
    X(SHIPPED,        "shipped")            \
    X(ARRIVED,        "arrived")            \
    X(COLLECTED,      "collected")          \
    X(REMAKE,         "remake")             \
    X(UNANSWERED,     "unanswered")         \
    X(WITHDRAW,       "withdraw")           \
    X(CLOSE,          "close")              \
    X(DIE,            "die")                \
    X(EXPIRE,         "expire")             \
    X(HAND_OUT,       "hand_out")

#define PRODUCTION_CARD_EVENTS(X)           \
    X(SEAL,           "seal")               \
    X(VOID,           "void")               \
    X(ACTIVATE,       "activate")           \
    X(TEMPORARY_LOSS, "report_temporary_loss") \
    X(FORMAL_LOSS,    "report_formal_loss") \
    X(RELEASE,        "release")            \
    X(LOCK,           "lock")               \
    X(UNLOCK,         "unlock")             \
    X(CANCEL,         "cancel")
/* clang-format on */

enum production_app_event {
    PRODUCTION_ON_NONE,
#define X(value, name) PRODUCTION_ON_##value,
    PRODUCTION_APP_EVENTS(X)
#undef X
        PRODUCTION_ON_COUNT
};

enum production_card_event {
    PRODUCTION_CARD_NONE,
#define X(value, name) PRODUCTION_CARD_##value,
    PRODUCTION_CARD_EVENTS(X)
#undef X
        PRODUCTION_CARD_COUNT
};

enum production_operation {
    PRODUCTION_OP_NONE,
#define X(value, name, at) PRODUCTION_OP_##value,
    CF_MATRIX_OPERATIONS(X) /* the names of CardCommand.operation */
#undef X
        PRODUCTION_OP_COUNT
};

/* The verdict on a message. */
enum production_fit {
    PRODUCTION_MOVE,    /* something changed, or an answer goes out */
    PRODUCTION_ALREADY, /* said before: nothing happens */
    PRODUCTION_AHEAD,   /* comes before what it builds on: to be kept and tried again */
    PRODUCTION_ENDED,   /* about an application that has ended: dropped and counted */
    PRODUCTION_ILLEGAL  /* contradicts the state: a person must look */
};

struct production_app_edge {
    enum cf_app_state from;
    enum production_app_event on;
    enum cf_app_state to; /* the same as from: already; CF_APP_NONE: ahead of the state */
};

struct production_card_edge {
    enum cf_card_state from;
    enum production_card_event on;
    enum cf_card_state to; /* CF_CARD_NONE: the state before the loss */
};

const struct production_app_edge *production_app_edges(size_t *n);
/* The same for a temporary card. */
const struct production_app_edge *production_temporary_edges(size_t *n);
const struct production_card_edge *production_card_edges(size_t *n);
/* MOVE (with *to), ALREADY, AHEAD, ENDED or ILLEGAL. */
enum production_fit production_app_fit(enum cf_app_state from, enum production_app_event on,
                                       enum cf_app_state *to);
/* The verdict on `failed` for that reason, of the machine's own (fit): shipped takes
 * lost_in_transit only, ready_for_pickup damaged_at_outlet only; what tells of a later state is
 * ahead, of an earlier one contradicts. Source: domain reference, table of states. */
enum production_fit production_failure_fit(enum cf_app_state from, struct cf_str reason,
                                           enum production_fit fit);
/* MOVE (with *to; never NONE), ALREADY or ILLEGAL. */
enum production_fit production_card_fit(enum cf_card_state from, enum cf_card_state before_loss,
                                        enum production_card_event on, enum cf_card_state *to);
/* NONE for a word that is no step of a bank. */
enum production_app_event production_step_parse(struct cf_str step);
const char *production_app_event_name(enum production_app_event on);
enum production_operation production_operation_parse(struct cf_str name);
const char *production_operation_name(enum production_operation op);
/* The matrix of channels: may this channel ask for it? */
bool production_channel_may(enum production_operation op, enum cf_channel channel);

/* ---- what a holder is ---------------------------------------------------------------------- */

enum production_password {
    PRODUCTION_PW_UNSET,
    PRODUCTION_PW_SET,
    PRODUCTION_PW_DISABLED,
    PRODUCTION_PW_LOCKED, /* too many wrong tries */
    PRODUCTION_PW_COUNT
};
enum production_financial {
    PRODUCTION_FIN_NOT_OPENED,
    PRODUCTION_FIN_ACTIVE,
    PRODUCTION_FIN_CLOSED
};

struct production_card {
    char no[CF_CARDNUM_LEN + 1]; /* empty: none */
    enum cf_card_state state, before_loss;
    struct cf_str bank;
    bool has_photo, handed_in, expired;
    cf_day sixteen_on;             /* a child's 16th birthday: a guardian acts before it; or 0 */
    cf_day issued_on, valid_until; /* 0: not yet */
    cf_ms loss_until;              /* a temporary loss releases itself then; 0: none */
    enum production_financial financial;
    enum production_password password[2]; /* social_security, financial */
    struct cf_str add_ons;                /* marks of those that are open: rules_password.h */
};

/* Why an application is to leave the bank's queue, while the bank's shard has not answered. */
enum production_leaving {
    PRODUCTION_STAYS,
    PRODUCTION_LEAVES_WITHDRAWN,
    PRODUCTION_LEAVES_ENROLMENT_ENDED,
    PRODUCTION_LEAVES_DIED,
    PRODUCTION_LEAVES_RELEASED /* the lost card was found */
};

#define PRODUCTION_LEAVES_KEPT 4

struct production_app {
    uint8_t id[16];
    enum cf_app_kind kind;
    enum cf_app_state state; /* CF_APP_NONE: no application */
    struct cf_str bank, outlet;
    cf_day accepted_on, due_on; /* accepted_on 0: of a row older than deadlines' marks */
    int working_days;           /* in all, with an extension */
    bool extended, provisional;
    bool warned, overdue; /* the marks of its deadline that stand */
    bool has_photo;
    cf_day sixteen_on; /* of a child, as of a card */
    bool queued; /* the bank's shard has been asked to queue it */
    bool given_up; /* it failed as often as it is made again: waits for a person */
    bool by_hand;  /* a person had it made once more */
    uint8_t photo_ref[16];
    uint8_t batch_id[16];
    uint32_t line_no;
    uint32_t remakes;
    cf_ms until; /* when the present state runs out; 0: never */
    enum production_leaving leaving;
    /* The withdrawals that wait for the bank's shard; zero: none. */
    uint8_t leave_ids[PRODUCTION_LEAVES_KEPT][16];
    enum cf_channel leave_channel; /* by which they were asked for: the application's own */
    char superseded[CF_CARDNUM_LEN + 1]; /* number of the card that failed or was voided last */
};

struct production_slot {
    struct production_app app;
    struct production_card made; /* in the making, or made and not yet activated */
    struct production_card card; /* in the holder's hands */
};

#define PRODUCTION_ENDED_KEPT 4

struct production_holder {
    struct production_slot permanent, temporary;
    bool died;
    /* Applications that ended before the slot was given to the next, newest first. */
    uint8_t ended[PRODUCTION_ENDED_KEPT][16];
};

/* ---- what comes in ------------------------------------------------------------------------- */

/* The settings that rules know. */
struct production_policy {
    cf_ms answer_ms;         /* a line unanswered for this long is missing and made again */
    cf_ms pickup_ms;         /* a card not collected for this long is cancelled */
    cf_ms account_ms;        /* account_failed ends after this long */
    cf_ms loss_ms;           /* a temporary loss releases itself */
    cf_ms operation_wait_ms; /* an activation over HTTP may be this far ahead of the collection */
    cf_ms early_ms;          /* a bank's answer ahead of the state raises an alarm after */
    cf_ms notice_retry_ms;   /* a notice to a bank is sent again after, doubled each time ... */
    cf_ms notice_retry_max_ms; /* ... up to this */
    cf_ms notice_overdue_ms; /* a loss that the bank has not acknowledged is overdue after */
    cf_ms number_retry_ms;   /* without a free number: look again after */
    uint32_t remake_max;
    int card_years, temporary_days, temporary_months;
    /* the bank's queue */
    uint32_t batch_lines;
    cf_ms batch_wait_ms;
    uint32_t daily_capacity, lead_days;
    uint32_t priority_quota; /* percent of the capacity */
    int warn_days; /* working days before the due date; 0: no warning */
};

struct production_world {
    cf_ms now;
    const struct cf_calendar *calendar;
    const struct production_policy *policy;
    const struct cf_policies *deadlines; /* policies of deadlines */
};

struct production_accepted {
    uint8_t app_id[16];
    enum cf_app_kind kind;
    enum cf_channel channel;
    struct cf_str bank, outlet, person; /* person: packed Sealed, copied unchanged */
    enum cf_reissue_reason reissue;
    cf_day accepted_on, due_on;
    bool provisional;
    cf_day sixteen_on; /* of a child, as of a card */
};

struct production_photo {
    uint8_t app_id[16];
    uint8_t ref[16];
    bool has_photo;
    struct cf_str reason; /* photo.ended: the state it ended in */
};

struct production_withdrawal {
    uint8_t app_id[16], command_id[16];
    enum cf_channel channel; /* NONE: not known */
};

struct production_supplement {
    uint8_t app_id[16], command_id[16];
    struct cf_str outlet, person; /* person: packed Sealed, as it is from now on */
};

/* The agent of a unit's list takes the card. */
struct production_collection {
    uint8_t id[16], app_id[16];
    struct cf_str outlet, collector; /* collector: packed Sealed, copied unchanged */
    enum cf_channel channel;
    bool late, too_many; /* as of an operation */
};

/* What a person decides about a card that is not made again by itself. */
struct production_settlement {
    uint8_t id[16], app_id[16];
    bool remake; /* or close */
    struct cf_str staff_id, reason;
    bool late, too_many; /* as of an operation */
};

struct production_enrolment {
    bool active;
    struct cf_str reason;
};

struct production_result {
    uint8_t id[16]; /* the bank's own, of this answer; where it gave none, of what it says */
    uint8_t app_id[16];
    uint8_t batch_id[16];
    uint32_t line_no;
    struct cf_str bank, card_no, reason;
    enum production_app_event step;
    bool fees, fee_told; /* fee_told: refused before, with this answer */
    bool earlier; /* card_no is that of a card made for this application before the present one */
};

struct production_batched {
    uint8_t app_id[16], batch_id[16];
    struct cf_str card_no;
    uint32_t line_no;
};

struct production_dequeued {
    uint8_t app_id[16];
    bool out; /* it was still waiting and is out of the queue now */
};

/* The document that whoever asks has shown. */
enum production_document {
    PRODUCTION_DOCUMENT_NONE, /* or one whose number is not valid */
    PRODUCTION_DOCUMENT_HOLDERS,
    PRODUCTION_DOCUMENT_ANOTHERS
};

struct production_op {
    uint8_t id[16];
    struct cf_key owner; /* the reference under which it came; its sealed parts are for it */
    enum production_operation what;
    struct cf_str word, card_no, role, operator_bank, operator_outlet, staff_id, reason, add_on;
    enum cf_channel channel;
    enum cf_card_kind card_kind; /* which card; NONE: not said */
    bool odd_kind;               /* the word for it is none */
    int password;                       /* 0 social_security, 1 financial, -1 other */
    bool named;                         /* who asks is named, not only by the role */
    enum production_document document;  /* of those that need one */
    /* References of documents that are not `owner`: of the person acted for, and of the document
     * shown. The holder's row knows whether they are the holder's too. */
    struct cf_key of, shown;
    bool kept;                          /* judged before, all but the state */
    struct {
        struct cf_str by, packed; /* packed: as it is kept */
        cf_ms given_at;
        bool document; /* there is one, and it is valid */
    } consent;         /* open_add_on */
    bool fees, late, too_many; /* late: older than the ids that are kept */
    bool waited; /* an activation was kept long enough; a release finds no room to wait */
    bool issued; /* card_no was given out to this holder, once */
    char *room;                         /* open_add_on: PRODUCTION_ADD_ONS_MAX bytes */
    bool asked;                         /* somebody waits for the answer: over HTTP */
    struct cf_str packed;               /* the command as it came */
    struct {
        struct cf_str bank;
        enum cf_card_state state;
        enum cf_card_kind kind;
        cf_day issued_on, sixteen_on;
        bool has_photo;
        char number[CF_CARDNUM_LEN + 1]; /* a fresh one, for a card without number */
        bool known;      /* the number is one that the holder's card has or had */
    } import;
};

/* ---- what goes out ------------------------------------------------------------------------- */

enum production_effect_kind {
    PRODUCTION_FX_STEP,     /* the application moved */
    PRODUCTION_FX_CHANGED,  /* the card changed */
    PRODUCTION_FX_ANSWERED, /* an operation, or a withdrawal, was answered */
    PRODUCTION_FX_ENQUEUE,  /* number the card and ask the bank's shard to queue it */
    PRODUCTION_FX_HAND_OUT, /* number the temporary card and make it on the spot */
    PRODUCTION_FX_DEQUEUE,
    PRODUCTION_FX_LINE,      /* the final result of the line, for reconciliation */
    PRODUCTION_FX_TELL_BANK, /* the bank did not report this change itself */
    PRODUCTION_FX_MARKED,    /* the deadline's clock has passed a mark */
    PRODUCTION_FX_POSTPONED, /* the deadline has another date */
    PRODUCTION_FX_ISSUED     /* a number that came from outside is taken from now on */
};

#define PRODUCTION_REASONS 12

/* A deadline as it is told. */
struct production_told {
    cf_day due_on, due_before;
    int working_days;
    bool provisional, warned, overdue, silent; /* silent: nobody is to be written to */
};

struct production_effect {
    enum production_effect_kind kind;
    struct production_slot *slot; /* ENQUEUE: gets the number */
    uint8_t app_id[16];
    enum cf_app_kind app_kind;
    struct cf_str bank, outlet;
    enum cf_app_state state; /* STEP */
    struct cf_str reason;    /* STEP; a code */
    cf_day respond_by;       /* STEP: until when the holder can put it right; 0: nothing to do */
    cf_day until_on;         /* STEP: on that day the state ends by itself; 0: not told */
    bool needs_person;       /* STEP: production_failed, and not made again by itself */
    bool settled;            /* STEP: it needed a person, and does not any more */
    struct cf_str staff_id, why; /* STEP: who has settled it, and why; ANSWERED: staff_id */
    bool notice;             /* STEP, ANSWERED: make a one-time notice */
    bool voucher;            /* ANSWERED without op: make a voucher */
    uint8_t batch_id[16];
    uint32_t line_no;
    struct production_card card; /* number and, for CHANGED, the new state */
    bool temporary;
    enum cf_card_state before;
    const char *word; /* CHANGED: operation; ANSWERED: result; LINE; TELL_BANK: what */
    const struct production_op *op; /* ANSWERED and the CHANGED that it made: share a voucher */
    uint8_t command_id[16];         /* ANSWERED without op: of `command` */
    const char *command; /* withdraw, supplement, collect, extend_deadline, bank_result... */
    enum cf_channel channel; /* ANSWERED without op: by which it was asked; NONE: not known */
    struct cf_str collector; /* ANSWERED, collect: sealed */
    bool record;         /* ANSWERED without op: on record, were there no paper */
    struct production_told deadline; /* MARKED, POSTPONED */
    const char *reasons[PRODUCTION_REASONS];
    size_t n_reasons;
};

#define PRODUCTION_EFFECTS 24

struct production_effects {
    struct production_effect list[PRODUCTION_EFFECTS];
    size_t n;
};

/* A cleared effect; more than PRODUCTION_EFFECTS in one message is a bug. */
struct production_effect *production_effect_add(struct production_effects *fx,
                                                enum production_effect_kind kind);

/* ---- the application's path (rules.c) ------------------------------------------------------ */

/* The verdict of the application's own machine: temporary cards have one of theirs. */
enum production_fit production_fit_of(const struct production_app *app,
                                      enum production_app_event on, enum cf_app_state *to);
/* The slot with that application, or NULL. */
struct production_slot *production_slot_of(struct production_holder *h, const uint8_t app_id[16]);
/* Has that application ended and made room for another? */
bool production_has_ended(const struct production_holder *h, const uint8_t app_id[16]);

/* Checks "one card" again; an application that does not fit any more is closed (card_changed). */
enum production_fit production_on_accepted(struct production_holder *h,
                                           const struct production_accepted *a,
                                           struct production_effects *fx);
enum production_fit production_on_photo_ready(struct production_holder *h,
                                              const struct production_photo *p,
                                              struct production_effects *fx);
enum production_fit production_on_photo_missing(struct production_holder *h,
                                                const struct production_photo *p);
enum production_fit production_on_photo_ended(struct production_holder *h,
                                              const struct production_photo *p,
                                              struct production_effects *fx);
enum production_fit production_on_batched(struct production_holder *h,
                                          const struct production_batched *b,
                                          const struct production_world *w,
                                          struct production_effects *fx);
enum production_fit production_on_dequeued(struct production_holder *h,
                                           const struct production_dequeued *d,
                                           struct production_effects *fx);
enum production_fit production_on_result(struct production_holder *h,
                                         const struct production_result *r,
                                         const struct production_world *w,
                                         struct production_effects *fx);
enum production_fit production_on_withdrawal(struct production_holder *h,
                                             const struct production_withdrawal *m,
                                             struct production_effects *fx);
/* Done as if the outlet had reported it (MOVE); what cannot be done is answered, never parked. */
enum production_fit production_on_collection(struct production_holder *h,
                                             const struct production_collection *m,
                                             struct production_effects *fx);
/* MOVE; what does not wait for a person is answered `illegal_in_state` (rules_failure.c). */
enum production_fit production_on_settlement(struct production_holder *h,
                                             const struct production_settlement *m,
                                             struct production_effects *fx);
/* The account may be opened after all: ordered again, under a new number. */
enum production_fit production_on_supplement(struct production_holder *h,
                                             const struct production_supplement *m,
                                             struct production_effects *fx);
enum production_fit production_on_enrolment(struct production_holder *h,
                                            const struct production_enrolment *m,
                                            struct production_effects *fx);
/* A temporary card that has its number is made where it is handed over. */
void production_hand_out(struct production_slot *slot, const struct production_world *w,
                         struct production_effects *fx);
/* Does all that is due at w->now. */
void production_on_due(struct production_holder *h, const struct production_world *w,
                       struct production_effects *fx);
/* The earliest open obligation; 0: none. */
cf_ms production_next_due(const struct production_holder *h);

/* ---- cards (rules_card.c) ------------------------------------------------------------------ */

bool production_card_is(const struct production_card *card); /* not none, cancelled or voided */
/* Puts the event on the card and adds CHANGED; false when the machine does not allow it. */
bool production_card_put(struct production_card *card, bool temporary,
                         enum production_card_event on, const char *word,
                         const struct production_op *op, struct production_effects *fx);
/* The card is made: sealed, dated; nothing for one that is not in the making any more. */
void production_card_seal(struct production_slot *slot, const struct production_world *w,
                          struct production_effects *fx);
/* The card in the making will not be: voided when reserved, cancelled when sealed, by that word.
 * tell: the bank does not know yet. */
void production_card_scrap(struct production_slot *slot, bool temporary, const char *word,
                           bool tell, struct production_effects *fx);
enum production_fit production_operate(struct production_holder *h, const struct production_op *op,
                                       const struct production_world *w,
                                       struct production_effects *fx);
void production_card_due(struct production_card *card, bool temporary,
                         const struct production_world *w, struct production_effects *fx);
cf_ms production_card_next_due(const struct production_card *card);
/* The same day and month some months later; the 29th to 31st become the month's last day. */
cf_day production_add_months(cf_day day, int months);

/* ---- a bank's queue (rules_bank.c) --------------------------------------------------------- */

#define PRODUCTION_LANES                                                                           \
    2 /* 0 normal, 1 priority: each closes batches of its own, none starves                        \
       */

struct production_lane {
    int64_t last;   /* number of the newest line; 1, 2, 3... */
    int64_t closed; /* lines up to it belong to a batch, or to one being closed */
    cf_ms since;    /* when the oldest waiting line came; 0: none waits */
};

#define PRODUCTION_DAY_LEN 12

struct production_bank {
    struct production_lane lane[PRODUCTION_LANES];
    cf_day full_before; /* no earlier day takes another card */
    cf_day last_ordinary; /* the latest day for which an ordinary card is promised */
    struct cf_str days; /* cards promised for each later day: day and number of each lane, 4 bytes
                         * each */
    cf_day asked_on;    /* the last day on which a priority line came, */
    uint32_t asked, asked_before; /* how many then, and on the one before */
    struct cf_str out;  /* lines that left the queue: lane (1 byte) and number (8 bytes) each */
};

struct production_close {
    bool yes;
    unsigned lane;
    int64_t from, to;
};

struct production_queued {
    unsigned lane;
    int64_t no;
    cf_day promised_on;
    uint32_t place;
    struct production_close close;
};

/* The lane of what somebody waits for without a card: in the place of one that was lost or is
 * broken, or made again. */
bool production_has_priority(const struct production_app *app);
/* `room` has b->days.len + PRODUCTION_DAY_LEN bytes. */
void production_enqueue(struct production_bank *b, bool priority, const struct production_world *w,
                        char *room, struct production_queued *out);
/* The day for which a card queued now is promised; `room` as above. A day takes as many as the bank
 * makes; of them the priority lane takes its quota at most while ordinary cards wait for a later day,
 * and ordinary ones leave free what it is likely to need. In each lane days come in order. */
cf_day production_promise(struct production_bank *b, bool priority,
                          const struct production_world *w, char *room);
/* Closes what has waited long enough. */
void production_bank_due(struct production_bank *b, const struct production_world *w,
                         struct production_close out[PRODUCTION_LANES]);
cf_ms production_bank_next_due(const struct production_bank *b, const struct production_policy *p);
/* The line at this place of the lane is out; `room` has b->out.len + 9 bytes. */
void production_bank_leave(struct production_bank *b, unsigned lane, int64_t no, char *room);
bool production_bank_left(const struct production_bank *b, unsigned lane, int64_t no);
/* Forgets those of a lane up to `to`; `room` has b->out.len bytes. */
void production_bank_forget(struct production_bank *b, unsigned lane, int64_t to, char *room);

/* How a line of a batch ended; stored, one byte a line. */
enum production_line_end {
    PRODUCTION_LINE_NONE,
    PRODUCTION_LINE_MADE,
    PRODUCTION_LINE_FAILED,
    PRODUCTION_LINE_MISSING,
    PRODUCTION_LINE_LATE_VOIDED,
    PRODUCTION_LINE_ENDS,
    PRODUCTION_LINE_UNKNOWN = 255 /* of before ends were kept: the totals decide */
};

/* Lines of a batch, and how many have ended how. */
struct production_tally {
    int64_t lines, ended[PRODUCTION_LINE_ENDS];
};

/* sent = made + failed + missing + late_voided. */
bool production_tally_holds(const struct production_tally *t);
/* A line has its first end, or was missing and comes late (*at, t). False: the same said again, or
 * what is no news of this line; nothing changes. */
bool production_line_put(struct production_tally *t, uint8_t *at, enum production_line_end end);

/* What becomes of the timer of an aggregate: an early one is put, a far one (patient: any) is left
 * alone even when its reason has gone (it looks again when it fires), so that the usual path of a
 * card writes one row of work and not one a step. */
enum production_timer { PRODUCTION_TIMER_KEEP, PRODUCTION_TIMER_PUT, PRODUCTION_TIMER_DROP };
enum production_timer production_timer_arm(cf_ms next, cf_ms armed, bool fired, bool patient,
                                           cf_ms now);
