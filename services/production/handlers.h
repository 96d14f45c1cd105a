/* handlers -- production as the stage sees it: one step is load, rule, effects, row.
 *
 * Errors   CF_E_ILLEGAL for a message that contradicts the state (parked), CF_E_DATA for a stored
 *          value that cannot be read
 */
#pragma once
#include "services/production/codec.h"

/* Everything but env, which main makes. */
struct cf_service production_service(const struct production_env *env);

int production_decide(struct cf_step *s, void *aggregate, bool exists, bool *changed);
size_t production_wants(const void *aggregate, const struct cf_msg *m, struct cf_want *want,
                        size_t max);

/* Numbers of the stage; most that one message takes of each. */
enum production_number {
    PRODUCTION_NUMBER_CARD,
    PRODUCTION_NUMBER_VOUCHER,
    PRODUCTION_NUMBER_NOTICE,
    PRODUCTION_NUMBERS
};

/* ---- between the files of the handlers ----------------------------------------------------- */

int production_decide_holder(struct cf_step *s, struct production_row *row, bool *changed);
int production_decide_bank(struct cf_step *s, struct production_bank_row *row, bool *changed);
/* What rules see of the world at a moment. */
struct production_world production_world_of(const struct production_env *env, cf_ms now);
/* Turns effects into messages, rows and numbers, and empties the list. */
int production_apply(struct cf_step *s, struct production_effects *fx);
int production_to_bank(struct cf_step *s, uint16_t topic, struct cf_str bank, const char *type,
                       struct cf_str body);
/* Tells the bank of the change, until it acknowledges (handlers_notices.c). */
int production_tell(struct cf_step *s, const struct production_effect *e);
int production_decide_notice(struct cf_step *s);
/* A bank's answer that is about nothing here, under a newer reference: it goes to the first. */
bool production_result_led_on(struct cf_step *s, const struct production_row *row,
                              struct production_holder *h);
/* Operations under a newer reference of a holder (handlers_alias.c): are they for the first? */
void production_on_aliased(struct cf_step *s, struct production_row *row,
                           const struct production_aliased *m);
bool production_leads_on(const struct production_row *row, const struct production_holder *h,
                         const struct production_op *op);
void production_lead_on(struct cf_step *s, const struct production_row *row,
                        const struct production_op *op);
/* Newer references under the first one: CF_E_WRONG_KEY when the operation is for somebody else than the
 * holder of the key; a document of the holder's own that was shown counts as such. */
void production_newer_id(const struct cf_key *holder, const struct cf_key *reference,
                         uint8_t id[16]);
void production_put_newer(struct cf_step *s);
int production_check_persons(struct cf_step *s, const struct production_row *row,
                             struct production_op *op) CF_MUST;
/* A card number of our own; false, counted, when all letters are used up. */
bool production_take_number(struct cf_step *s, char no[CF_CARDNUM_LEN + 1]);
/* Of the row of a number that this holder's card has, or had. */
void production_issued_id(const struct cf_key *holder, struct cf_str card_no, uint8_t id[16]);
void production_line_id(struct cf_str bank, unsigned lane, int64_t no, uint8_t id[16]);
/* Arms the one timer of an aggregate. */
void production_arm(struct cf_step *s, enum production_work kind, cf_ms next, cf_ms *due,
                    int32_t *attempt);
