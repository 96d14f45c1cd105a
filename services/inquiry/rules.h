/* rules -- what a holder's status is: events fold into sections, sections become a picture.
 *
 * Pure: no I/O, no clock, no configuration.
 *
 * Shapes   a section holds what one source has said and is changed only by that source's events,
 *          in their order; the picture is a function of all sections, so that it does not depend
 *          on how the sources' events were interleaved
 * Units    cf_day, 0 for none; cf_ms
 * Owns     lists and texts live in the arena that was given
 * Errors   none: a later stage's word may come before an earlier one's, so nothing is illegal here
 * Source   Measures 2015, row S7 (valid as identity); labels of common/pure/kinds.h
 */
#pragma once
#include "common/pure/arena.h"
#include "common/pure/date.h"
#include "common/pure/kinds.h"

/* ---- sections ------------------------------------------------------------------------------ */

enum inquiry_source {
    INQUIRY_INTAKE,
    INQUIRY_PHOTO,
    INQUIRY_PRODUCTION,
    INQUIRY_COMPLAINT,
    INQUIRY_SOURCES
};

enum {
    INQUIRY_ENTRIES_MAX = 16, /* applications a section keeps */
    INQUIRY_MARKS_MAX = 16,   /* states of one application it keeps */
    INQUIRY_CARDS_MAX = 16,
    INQUIRY_ORDERS_MAX = 16,
    INQUIRY_CHANGES_MAX = 8 /* of one deadline */
};

struct inquiry_mark {
    enum cf_app_state state;
    cf_ms at;
    struct cf_str reason;
};

/* An extension, or another count. */
struct inquiry_change {
    struct cf_str what, reason;
    cf_ms at;
    cf_day due_before, due_on;
};

/* What production, which has the clock, says of a deadline. */
struct inquiry_deadline {
    cf_day due_on; /* 0: as it was accepted */
    uint32_t working_days;
    bool provisional;
    cf_ms warned_at, overdue_at; /* 0: no such mark stands */
    struct inquiry_change *changes;
    size_t n_changes;
};

/* One application, as one source sees it. */
struct inquiry_entry {
    uint8_t id[16];
    enum cf_app_kind kind;
    enum cf_app_state state; /* NONE: its source has not said */
    struct cf_str channel, bank, outlet, receipt_no, notice_no, card_no;
    cf_ms submitted_at;
    bool waits, accepted, noticed, provisional, past_deadline;
    bool needs_person; /* its card is not made again by itself */
    const struct cf_str *reasons;
    size_t n_reasons;
    cf_day respond_by, accepted_on, due_on, promised_on;
    cf_day until_on; /* the state ends by itself on that day; 0: not told */
    uint32_t policy, warnings, place;
    struct inquiry_deadline deadline;
    struct inquiry_mark *marks; /* room for n_marks alone */
    size_t n_marks;
};

/* An add-on that is open on a card. */
struct inquiry_add_on {
    struct cf_str name, consent_by;
    cf_ms at;
};

struct inquiry_card {
    struct cf_str no, bank, financial;
    enum cf_card_state state;
    bool temporary, has_photo, handed_in;
    cf_day valid_until, issued_on;
    cf_day loss_until_on; /* a temporary loss ends by itself on that day; 0: none */
    cf_ms at;
    cf_ms activated_at; /* it was normal for the first time; 0: never yet */
    uint32_t bank_overdue; /* reports of loss that its bank has not acknowledged in time */
    unsigned password[2];  /* social_security, financial; as CardEvent.PasswordState */
    const struct inquiry_add_on *add_ons;
    size_t n_add_ons;
};

struct inquiry_order {
    uint8_t id[16];
    struct cf_str source_system, no, kind, state;
    cf_day due_on;
    cf_ms at;
};

struct inquiry_section {
    struct inquiry_entry *entries;
    struct inquiry_card *cards;
    struct inquiry_order *orders;
    size_t n_entries, n_cards, n_orders;
    struct cf_str person;    /* sealed */
    struct cf_str enrolment; /* active, death, left, moved, never; empty: nothing heard */
    struct cf_str canonical; /* the document has changed: the holder's first reference */
};

/* ---- events -------------------------------------------------------------------------------- */

enum inquiry_what {
    INQUIRY_RECEIVED,
    INQUIRY_ACCEPTED,
    INQUIRY_REFUSED, /* noticed, rejected */
    INQUIRY_MOVED,   /* a new state and no more */
    INQUIRY_PROMISED,
    INQUIRY_DEADLINE,
    INQUIRY_SUPPLEMENTED,
    INQUIRY_ENROLMENT,
    INQUIRY_ALIASED, /* the holder is known by another reference */
    INQUIRY_CARD,
    INQUIRY_BANK_OVERDUE, /* the card's bank has not acknowledged a loss in time, */
    INQUIRY_BANK_AWARE,   /* and then it has */
    INQUIRY_ORDER,
    INQUIRY_OTHER /* counted, nothing to keep */
};

struct inquiry_event {
    enum inquiry_what what;
    enum inquiry_source source;
    cf_ms at;
    struct inquiry_entry entry; /* what the event says; without marks */
    struct cf_str reason;       /* of the new state */
    struct cf_str person;
    struct cf_str enrolment;
    struct cf_str canonical;
    bool warned, overdue;         /* DEADLINE: the marks that stand now */
    struct inquiry_change change; /* DEADLINE; without `what` it is a mark alone */
    struct inquiry_card card;
    struct inquiry_order order;
};

struct inquiry_folded {
    bool created; /* the application or order is new to the section */
    bool card_created;
    bool receipt_created;
    const struct inquiry_entry *dropped; /* it had to make room; NULL: none */
};

/* Folds the event into its section. */
struct inquiry_folded inquiry_fold(struct cf_arena *a, struct inquiry_section *section,
                                   const struct inquiry_event *event);

const struct inquiry_entry *inquiry_entry_find(const struct inquiry_section *s,
                                               const uint8_t id[16]);

/* ---- the picture --------------------------------------------------------------------------- */

/* X(VALUE, "name", zh with a date, en with a date, zh without, en without); %s is the date. */
/* clang-format off */
#define INQUIRY_STEPS(X)                                                                        \
    X(NONE, "none", "", "", "", "")                                                             \
    X(WAIT_ENROLMENT, "wait_for_enrolment", "", "",                                             \
      "正在等待参保信息", "the insurance record is awaited")                                    \
    X(WAIT_DECISION, "wait_for_decision", "", "",                                               \
      "正在审核", "it is being checked")                                                        \
    X(CORRECT, "correct_application", "请于%s前补正", "please put it right by %s",              \
      "请按一次性告知单补正", "please put right what the notice names")                         \
    X(APPLY_AGAIN, "apply_again", "", "",                                                       \
      "如仍需要，可重新提出申请", "a new application may be handed in")                         \
    X(GIVE_PHOTO, "give_photo", "请于%s前提供照片", "please give a photo by %s",                \
      "请提供照片", "please give a photo")                                                      \
    X(WAIT_CARD, "wait_for_card", "预计%s前可以领卡", "the card should be ready by %s",         \
      "正在办理", "it is under way")                                                            \
    X(WAIT_LATE_CARD, "wait_for_late_card", "原定%s可以领卡，现已超期，正在办理",               \
      "the card was due on %s, is late and under way", "正在办理", "it is under way")           \
    X(WAIT_STAFF, "wait_for_staff", "", "",                                                     \
      "多次制卡未成功，工作人员正在处理，也可撤销申领",                                         \
      "the card could not be made in several tries: staff look into it; it may be withdrawn")   \
    X(CONTACT_BANK, "contact_bank", "请于%s前联系银行办理开户",                                 \
      "please settle the account with the bank by %s",                                          \
      "请联系银行办理开户", "please settle the account with the bank")                          \
    X(PICK_UP, "pick_up", "请于%s前到网点领卡", "please collect the card at the outlet by %s",  \
      "请到网点领卡", "please collect the card at the outlet")                                  \
    X(ACTIVATE, "activate", "", "", "请激活社保卡", "please activate the card")                 \
    X(SETTLE_LOSS, "settle_temporary_loss", "临时挂失将于%s自动解除，请办理正式挂失或解挂",     \
      "the temporary loss ends by itself on %s: report the loss formally, or release it",       \
      "请办理正式挂失或解挂", "report the loss formally, or release it")                        \
    X(REPLACE, "apply_for_replacement", "", "",                                                 \
      "请申请补领", "please apply for a replacement")                                           \
    X(UNLOCK, "unlock", "", "", "请到银行网点解锁", "please have the card unlocked at the bank") \
    X(RENEW, "renew", "", "", "卡已到期，请申请换领", "the card has expired, please renew it")  \
    X(USE, "use_card", "", "", "可正常使用", "it can be used")                                  \
    X(APPLY, "apply", "", "", "可提出申领", "an application may be handed in")
/* clang-format on */

enum inquiry_step {
#define X(value, ...) INQUIRY_STEP_##value,
    INQUIRY_STEPS(X)
#undef X
        INQUIRY_STEP_COUNT
};
const char *inquiry_step_name(enum inquiry_step step);

enum inquiry_outcome {
    INQUIRY_OUTCOME_PENDING,
    INQUIRY_OUTCOME_ACCEPTED,
    INQUIRY_OUTCOME_NOTICE,
    INQUIRY_OUTCOME_REJECTED
};
const char *inquiry_outcome_name(enum inquiry_outcome outcome);

/* An application with what all sources say of it. */
struct inquiry_app {
    uint8_t id[16];
    enum cf_app_kind kind;
    enum cf_app_state state;
    enum inquiry_outcome outcome;
    bool waits;     /* received, and waits for the enrolment record */
    bool activated; /* collected, and its card has been activated */
    cf_ms activated_at;
    bool waiting_on_holder;
    struct cf_str to_hand_out; /* number of a temporary card that is made and not activated */
    cf_ms since;                         /* the state */
    const struct inquiry_entry *said[3]; /* by intake, photo-fetch, production; NULL: nothing */
    const struct inquiry_entry *owner;   /* whose state it is */
};

/* Why a card is not valid as identity (S7); bits. X(VALUE, "name") */
#define INQUIRY_IDENTITY(X)                                                                        \
    X(NO_CARD, "no_card")                                                                          \
    X(NOT_ACTIVATED, "not_activated")                                                              \
    X(FORMAL_LOSS, "formal_loss")                                                                  \
    X(TEMPORARY_LOSS, "temporary_loss")                                                            \
    X(APP_LOCKED, "app_locked")                                                                    \
    X(CANCELLED, "cancelled")                                                                      \
    X(EXPIRED, "expired")                                                                          \
    X(HANDED_IN, "handed_in")                                                                      \
    X(ENROLMENT_INACTIVE, "enrolment_inactive")

enum inquiry_identity_index {
#define X(value, name) INQUIRY_ID_INDEX_##value,
    INQUIRY_IDENTITY(X)
#undef X
        INQUIRY_ID_COUNT
};
enum inquiry_identity {
#define X(value, name) INQUIRY_ID_##value = 1 << INQUIRY_ID_INDEX_##value,
    INQUIRY_IDENTITY(X)
#undef X
};
/* index from 0 to INQUIRY_ID_COUNT - 1; the bit is 1u << index. */
const char *inquiry_identity_name(unsigned index);

struct inquiry_shown_card {
    const struct inquiry_card *card;
    unsigned invalid; /* OR of enum inquiry_identity; 0: valid as identity */
};

struct inquiry_picture {
    bool found;
    const struct inquiry_app *apps; /* newest first */
    size_t n_apps;
    const struct inquiry_shown_card *cards; /* without hidden ones; the one that counts first */
    size_t n_cards;
    unsigned invalid; /* of the holder: of the card that counts, or NO_CARD */
    struct cf_str label_zh, label_en, sentence_zh, sentence_en;
    enum inquiry_step step;
    cf_day step_on; /* 0: no date */
};

/* sections: INQUIRY_SOURCES of them. */
void inquiry_render(struct cf_arena *a, const struct inquiry_section *sections, cf_day today,
                    struct inquiry_picture *out);
/* One application with its extra facts, for those that a section has dropped; `intake` may be
 * NULL. False when no source knows it. */
bool inquiry_app_of(const struct inquiry_section *sections, const uint8_t id[16],
                    const struct inquiry_entry *intake, struct inquiry_app *out);
/* All its states in order of time. */
const struct inquiry_mark *inquiry_timeline(struct cf_arena *a, const struct inquiry_app *app,
                                            size_t *n);
/* Its place in its bank's queue when it came there, while it waits to be sent; 0: it does not. */
uint32_t inquiry_place(const struct inquiry_app *app);
/* The due date that counts now; 0: none. */
cf_day inquiry_due_on(const struct inquiry_app *app);
/* What production says of the deadline; NULL: nothing yet. */
const struct inquiry_deadline *inquiry_deadline_of(const struct inquiry_app *app);
/* Is the holder's enrolment active? intake tells when it is not, before the first record too. */
bool inquiry_enrolled(const struct inquiry_section *intake);

/* ---- texts (rules_text.c) ------------------------------------------------------------------ */

const char *inquiry_kind_text(enum cf_app_kind kind, enum cf_lang lang);
/* Fills label and sentence for this application, this card, or neither. */
void inquiry_say(struct cf_arena *a, struct inquiry_picture *p, const struct inquiry_app *app,
                 const struct inquiry_shown_card *card);
