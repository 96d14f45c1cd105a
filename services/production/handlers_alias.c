/* handlers_alias -- a document has changed: operations asked for by its number are for the holder's
 * first reference, which stays the holder's own. Source: domain reference, "Identity documents". */
#include "services/production/handlers.h"

static bool has(const struct production_slot *slot, struct cf_str card_no)
{
    const struct production_card *cards[] = {&slot->card, &slot->made};
    for (int i = 0; i < 2; i++)
        if (production_card_is(cards[i]) && (!card_no.len || cf_str_is(card_no, cards[i]->no)))
            return true;
    return false;
}

/* intake tells of no circles: of two references that lead to each other it lets the smaller stay.
 * An operation that is kept here has a card here. */
void production_on_aliased(struct production_row *row, const struct production_aliased *m)
{
    row->alias_of = m->canonical;
    row->alias_part = m->part;
}

/* What was accepted under this reference before is served here to its end: cards are not moved. */
bool production_leads_on(const struct production_row *row, const struct production_holder *h,
                         const struct production_op *op)
{
    struct cf_str card_no = op->card_no;
    if (!row->alias_of.len || op->late || op->too_many) return false;
    if (op->what == PRODUCTION_OP_IMPORT_CARD) card_no.len = 0;
    return !has(&h->permanent, card_no) && !has(&h->temporary, card_no);
}

/* Who waits for the answer is shown the way by the row of the operation. */
void production_lead_on(struct cf_step *s, const struct production_row *row,
                        const struct production_op *op)
{
    struct production_answer moved = {.operation = op->word,
                                      .result = CF_STR("moved"),
                                      .channel = cf_str_of(cf_channel_name(op->channel)),
                                      .staff_id = op->staff_id,
                                      .outlet = op->operator_outlet,
                                      .at = s->now,
                                      .moved_to = row->alias_part + 1};
    /* In one partition the answer replaces it: the id is the same. */
    if (row->alias_part != s->part) cf_aux_put(s, PRODUCTION_OPERATION, op->id, &moved);
    cf_send_bytes(s, PRODUCTION_OUT_INTERNAL, &row->alias_of, "production.operation",
                  production_codec_operation(s->arena, op,
                                             s->msg->sent_at ? s->msg->sent_at : s->now));
    cf_count(s, "operations_led_on");
}
