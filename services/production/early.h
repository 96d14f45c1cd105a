/* early -- what came before the thing it builds on, kept in the holder's row as it arrived.
 *
 * Two topics have no order between them: a photo may be ready before the acceptance is here, a
 * bank's answer before the line's batch, an activation before the collection. Such a message is
 * kept and tried again after each step of the holder; after a set time an alarm is raised (and an
 * activation is refused).
 *
 * Shapes   entries one after the other: type (1 byte), flags (1), since (8), length (2), bytes
 * Owns     bytes of a list point into the packed value
 */
#pragma once
#include "common/pure/arena.h"
#include "services/production/codec.h"

enum { PRODUCTION_EARLY_MAX = 24, PRODUCTION_EARLY_OPERATIONS = 4, PRODUCTION_EARLY_BYTES = 4096 };

struct production_early {
    enum production_message type;
    bool alarmed;
    bool asked; /* somebody waits for the answer: an activation over HTTP */
    cf_ms since;
    struct cf_str bytes;
};

struct production_early_list {
    struct production_early list[PRODUCTION_EARLY_MAX];
    size_t n;
};

/* False when the value cannot be read. */
bool production_early_read(struct cf_str packed, struct production_early_list *out);
/* ptr NULL when the list is empty. */
struct cf_str production_early_write(struct cf_arena *a, const struct production_early_list *l);
/* False when there is no room: too many, too many activations, or too long. */
bool production_early_add(struct production_early_list *l, const struct production_early *e);
/* Is the answer kept already: the same by its id, or the same word about the same line? */
bool production_early_has(struct cf_arena *a, const struct production_early_list *l,
                          const struct production_result *r);
void production_early_remove(struct production_early_list *l, size_t i);
/* When the next entry has waited too long; 0: none. */
cf_ms production_early_next_due(const struct production_early_list *l,
                                const struct production_policy *p);
/* Has the entry waited too long at `now`? */
bool production_early_overdue(const struct production_early *e, const struct production_policy *p,
                              cf_ms now);
