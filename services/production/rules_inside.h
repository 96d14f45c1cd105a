/* rules_inside -- what the files of the rules share. */
#pragma once
#include "services/production/rules.h"

/* The end of an enrolment, the word for a card's change and for the bank. */
#define PRODUCTION_DEATH "death"

bool production_app_is_open(const struct production_app *app);
/* It waits in the bank's queue, or for a number to go there with. */
bool production_slot_is_queued(const struct production_slot *slot);
/* An effect about the slot's application and its card in the making. */
struct production_effect *production_about_app(struct production_effects *fx,
                                               enum production_effect_kind kind,
                                               struct production_slot *slot);
/* The application is in that state now, and everybody hears it. */
void production_step(struct production_slot *slot, enum cf_app_state state, struct cf_str reason,
                     struct production_effects *fx);
/* The final result of the line: made, failed, missing. */
void production_line_done(struct production_slot *slot, const char *result,
                          struct production_effects *fx);
/* Asks for a card: a fresh one in the making, without number yet. */
void production_queue(struct production_slot *slot, struct production_effects *fx);
/* The application ends: its card in the making goes with it. tell: the bank holds an order. */
void production_end(struct production_slot *slot, enum cf_app_state state, struct cf_str reason,
                    bool tell, struct production_effects *fx);
/* The card is in hand: the application ends well. */
void production_collected(struct production_slot *slot, struct production_effects *fx);
/* The order failed or was not answered (tell); a new card is made while the policy allows. */
void production_fail(struct production_slot *slot, struct cf_str reason, bool tell,
                     const struct production_world *w, struct production_effects *fx);

/* One of a holder's cards, and where it is. */
struct production_target {
    struct production_slot *slot;
    struct production_card *card; /* NULL: no such card */
    bool made, temporary;
    bool other_kind; /* there is one with that number, which is not of the kind that was said */
};
#define PRODUCTION_TARGETS 4
/* All there are, the one in hand before the one in the making; how many. */
size_t production_targets(struct production_holder *h,
                          struct production_target all[PRODUCTION_TARGETS]);
struct production_target production_target_of(struct production_holder *h, struct cf_str card_no);
/* What speaks against an operation; there is room for all that one can meet. */
struct production_verdict {
    const char *reasons[PRODUCTION_REASONS];
    size_t n;
};
void production_refuse(struct production_verdict *v, const char *reason);
/* Who asks for what by which channel: what speaks against it whatever the card's state. */
void production_check_request(const struct production_op *op, const struct production_target *t,
                              const struct production_world *w, struct production_verdict *v);
void production_check_consent(const struct production_op *op, const struct production_target *t,
                              const struct production_world *w, struct production_verdict *v);
/* CHANGED as the card stands now. */
struct production_effect *production_card_changed(const struct production_card *card,
                                                  bool temporary, enum cf_card_state before,
                                                  const char *word, const struct production_op *op,
                                                  struct production_effects *fx);
/* There will be no new card for it: a card that was handed in is the holder's again. */
void production_card_give_back(struct production_card *card, struct production_effects *fx);
void production_tell_bank(const struct production_card *card, const char *what,
                          struct production_effects *fx);
