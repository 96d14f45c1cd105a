/* handlers_alias -- a document has changed: operations and banks' answers by its number are for the
 * holder's first reference, which stays the holder's own. Source: domain reference, "Identity documents". */
#include "common/io/ids.h"
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
void production_on_aliased(struct cf_step *s, struct production_row *row,
                           const struct production_aliased *m)
{
    row->alias_of = m->canonical;
    row->alias_part = m->part;
    cf_send_bytes(s, PRODUCTION_OUT_INTERNAL, &m->canonical, "production.newer",
                  production_codec_newer(s->arena, &s->msg->key));
}

/* ---- whose documents they are ---------------------------------------------------------------- */

void production_newer_id(const struct cf_key *holder, const struct cf_key *reference,
                         uint8_t id[16])
{
    cf_uuid8_of(id, CF_STR("newer"), cf_key_str(holder), cf_key_str(reference));
}

void production_put_newer(struct cf_step *s)
{
    const struct cf_key *reference = s->msg->body;
    const struct production_newer row = {s->msg->key, *reference};
    uint8_t id[16];
    production_newer_id(&s->msg->key, reference, id);
    cf_aux_put(s, PRODUCTION_NEWER, id, &row);
}

static bool is_holders(struct cf_step *s, const struct production_row *row,
                       const struct cf_key *reference)
{
    uint8_t id[16];
    if (cf_key_eq(reference, &s->msg->key) || cf_key_eq(reference, &row->alias_of)) return true;
    production_newer_id(&s->msg->key, reference, id);
    return cf_aux_get(s, PRODUCTION_NEWER, id) != NULL;
}

int production_check_persons(struct cf_step *s, const struct production_row *row,
                             struct production_op *op)
{
    if (op->shown.len && is_holders(s, row, &op->shown))
        op->document = PRODUCTION_DOCUMENT_HOLDERS;
    if (!op->of.len || is_holders(s, row, &op->of)) return 0;
    s->reason = PRODUCTION_NOT_OF_KEY;
    return CF_E_WRONG_KEY;
}

/* ---- leading on ------------------------------------------------------------------------------ */

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

static bool is_known(struct cf_step *s, struct production_holder *h)
{
    const struct production_result *r = s->msg->body;
    const struct production_tries *t = s->msg->body;
    const struct production_acknowledged *a = s->msg->body;
    if (s->msg->type == PRODUCTION_M_TRIES)
        return has(&h->permanent, t->card_no) || has(&h->temporary, t->card_no);
    if (s->msg->type == PRODUCTION_M_ACKNOWLEDGED)
        return cf_aux_get(s, PRODUCTION_NOTICE, a->notice_id) != NULL;
    return production_slot_of(h, r->app_id) || production_has_ended(h, r->app_id);
}

/* No id is kept: what a bank repeats is judged by the state, there as here. */
bool production_result_led_on(struct cf_step *s, const struct production_row *row,
                              struct production_holder *h)
{
    uint16_t type = s->msg->type;
    bool answer = type == PRODUCTION_M_RESULT || type == PRODUCTION_M_TRIES ||
                  type == PRODUCTION_M_ACKNOWLEDGED;
    if (!answer || !row->alias_of.len || is_known(s, h)) return false;
    cf_send_bytes(s, PRODUCTION_OUT_INTERNAL, &row->alias_of, "production.bank_result",
                  production_codec_result_on(s->arena, production_codec_result_of(s->arena,
                                                                                  s->rec)));
    cf_count(s, "results_led_on");
    return true;
}
