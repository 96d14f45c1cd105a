/* handlers -- intake's decisions as the stage takes them: world in, effects out.
 *
 * Shapes   a case is one application under judgement: its row, its holder, its person
 * Owns     everything lives in the batch arena
 * Errors   CF_E_ILLEGAL for events of own services that contradict; CF_E_DECODE for a stored
 *          person that does not open
 */
#pragma once
#include "services/intake/codec.h"
#include "services/intake/rules.h"
#include "services/intake/store.h"

/* Vouchers and notices have one series each for the whole system: intake's notices count from the
 * start of the space and its vouchers from the middle, production's the other way round. */
enum intake_number { INTAKE_NUMBER_RECEIPT, INTAKE_NUMBER_NOTICE, INTAKE_NUMBER_VOUCHER };

/* The service as the stage runs it; env must outlive it. */
struct cf_service intake_service(const struct intake_env *env);

struct intake_case {
    struct cf_step *s;
    struct intake_holder *h;
    uint8_t id[16];
    struct intake_application app;
    struct intake_person person;
    bool *changed; /* the holder's row */
    bool same;     /* a list's row that was sent before, word for word: what it says is not news */
};

static inline const struct intake_env *intake_env_of(const struct cf_step *s)
{
    return s->env;
}

/* Judges and writes down what came out. waited: the time to wait for the enrolment is over. */
int intake_case_judge(struct intake_case *c, bool waited, bool expired);
/* What the rules say of the case as it stands; nothing is written down. */
void intake_case_verdict(const struct intake_case *c, bool waited, bool expired,
                         struct intake_facts *f, struct intake_verdict *v);
/* The application ends here, before acceptance. */
int intake_case_end(struct intake_case *c, enum intake_event on, const char *reason);
/* Fills the case of a stored application; CF_E_DECODE when its person does not open. */
int intake_case_load(struct intake_case *c, const struct intake_application *app);
void intake_case_save(struct intake_case *c);
/* The application goes to that key, where it is judged, and leaves nothing open here. */
int intake_case_move(struct intake_case *c, const struct cf_key *to);
/* The changed fields over those that were there. */
void intake_person_merge(struct intake_person *p, const struct intake_person *changes);
/* The changed fields of a supplement over those of the case. */
void intake_merge(struct intake_case *c, const struct intake_supplement *m);
/* A supplement of an accepted application: judged, and production is asked; or *refusal, a code. */
int intake_case_supplement(struct intake_case *c, const struct intake_supplement *m,
                           const char **refusal);
/* Its timer is not wanted any more. */
void intake_case_drop_timer(struct intake_case *c);
/* Frees the slot that holds this application, if one does. */
void intake_slot_free(struct intake_holder *h, const uint8_t app[16], bool forget, bool *changed);
struct intake_slot *intake_slot_for(struct intake_holder *h, int kind);
struct intake_slot *intake_slot_with(struct intake_holder *h, const uint8_t app[16]);
/* The row of a roster hears of it; nothing when the application is of no roster. */
void intake_tell_roster(struct cf_step *s, const uint8_t roster[16], int32_t row_no,
                        const uint8_t app[16], enum intake_row_outcome outcome,
                        struct cf_str reasons, uint32_t warnings, enum cf_app_state state);

/* The row of another list has put the application right: from now on it is counted there. */
void intake_tell_taken_over(struct cf_step *s, const uint8_t roster[16], int32_t row_no,
                            const uint8_t app[16]);

/* ---- a unit's list that is sent again (handlers_again.c) ------------------------------------- */

/* The application that this row of a list may be about already: open, or accepted last; NULL when
 * no list has made one. */
const uint8_t *intake_again_app(struct intake_holder *h, const struct intake_submit *m);
/* True: the row is about an application that waits or is noticed and came from this unit; it has
 * been judged again (*e). */
bool intake_again_judged(struct intake_case *c, const struct intake_submit *m, bool expired, int *e);
/* The application that makes this row unchanged, or NULL. */
const uint8_t *intake_again_unchanged(const struct intake_case *c);

/* The row of a command about an application: refused for that reason, or the result. */
void intake_command_put(struct cf_step *s, const uint8_t app[16], const char *refusal,
                        enum intake_command_result result);
/* What stands against a command about this application, or NULL; its id is remembered. */
const char *intake_command_refusal(struct cf_step *s, struct intake_holder *h,
                                   const struct intake_application *app);

int intake_decide_submit(struct cf_step *s, struct intake_holder *h, bool *changed);
int intake_decide_supplement(struct cf_step *s, struct intake_holder *h, bool *changed);
int intake_decide_withdraw(struct cf_step *s, struct intake_holder *h, bool *changed);
int intake_decide_extend(struct cf_step *s, struct intake_holder *h, bool *changed);
int intake_decide_deadline(struct cf_step *s);
int intake_decide_timer(struct cf_step *s, struct intake_holder *h, bool *changed);
int intake_decide_enrolment(struct cf_step *s, struct intake_holder *h, bool *changed);
int intake_decide_enrolment_ended(struct cf_step *s, struct intake_holder *h, bool *changed);
int intake_decide_document_changed(struct cf_step *s, struct intake_holder *h, bool *changed);
int intake_decide_aliased(struct cf_step *s, struct intake_holder *h, bool *changed);
/* Is that the reference of a newer document of this holder? */
bool intake_holder_has_alias(const struct intake_holder *h, const struct cf_key *key);
/* CF_E_WRONG_KEY when the document gives another key than the message has, and not one of this
 * holder's; other is empty where both are the same. */
int intake_check_key(struct cf_step *s, const struct intake_holder *h,
                     const struct cf_key *other) CF_MUST;
/* What comes under a newer reference goes on to the canonical one. */
int intake_send_enrolment_on(struct cf_step *s, const struct intake_holder *h);
void intake_enrolment_id(const struct cf_key *holder, uint8_t out[16]);
int intake_decide_unit(struct cf_step *s, struct intake_unit *u, bool *changed);
int intake_decide_unit_counted(struct cf_step *s, struct intake_unit *u, bool *changed);
int intake_decide_unit_told(struct cf_step *s);
int intake_decide_answered(struct cf_step *s);
int intake_decide_supplemented(struct cf_step *s);
int intake_decide_follow(struct cf_step *s, struct intake_holder *h, bool *changed);
/* Writes nothing of the holder: the row of the list hears of it. */
int intake_decide_promised(struct cf_step *s, struct intake_holder *h, bool *changed);
int intake_decide_later_notice(struct cf_step *s, struct intake_holder *h);
int intake_decide_card(struct cf_step *s, struct intake_holder *h, bool *changed);
/* The application whose card this message activates, or NULL. */
const uint8_t *intake_activates(const struct intake_holder *h, const struct intake_card_msg *m);
int intake_decide_collect(struct cf_step *s, bool exists);
int intake_decide_collected(struct cf_step *s);
int intake_decide_roster(struct cf_step *s, struct intake_roster *r, bool exists, bool *changed);
