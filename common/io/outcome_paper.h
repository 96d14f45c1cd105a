/* outcome_paper -- an application's outcome as a paper: the receipt, or the one-time notice.
 *
 * Says what the answer in JSON says; no name, no document number.
 *
 * Owns     the paper is the caller's, see paper.h
 */
#pragma once
#include "common/io/outcome.h"
#include "common/io/paper.h"

/* Pickup place and date, phones, the due date and how it was counted. */
void cf_receipt_paper(struct cf_paper *p, enum cf_lang lang, const struct cf_outcome_world *world,
                      struct cf_arena *arena, const struct cf_outcome *x, cf_ms accepted_at);
/* Every reason with materials, procedure and time limit. */
void cf_notice_paper(struct cf_paper *p, enum cf_lang lang, const struct cf_outcome_world *world,
                     const struct cf_outcome *x, cf_ms issued_at);
/* Phones for questions; separated by commas. */
void cf_paper_phones(struct cf_paper *p, const char *phones);
