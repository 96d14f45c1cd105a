/* Who may ask for an operation: actor, operator, channel and bank. What speaks against it is told
 * together. Source: domain reference, "Card"; Measures 2015, rows S11 and S12. */
#include "services/production/rules_inside.h"

void production_refuse(struct production_verdict *v, const char *reason)
{
    v->reasons[v->n++] = reason;
}

/* The roles of an actor, and which of them are a person to be named. */
static bool has_actor(const struct production_op *op)
{
    static const struct {
        const char *role;
        bool named;
    } roles[] = {
        {"holder", false},    {"guardian", true}, {"agent", true},
        {"authority", false}, {"bank", false},
    };
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (cf_str_is(op->role, roles[i].role)) return op->named || !roles[i].named;
    return false;
}

/* A terminal, a portal and a phone line have a number of their own. */
static bool has_operator(const struct production_op *op)
{
    return op->staff_id.len || op->operator_outlet.len;
}

/* A guardian acts up to the day before the 16th birthday, whenever the card was applied for. */
static bool is_holder(struct cf_str role, const struct production_card *card,
                      const struct production_world *w)
{
    if (cf_str_is(role, "holder")) return true;
    return cf_str_is(role, "guardian") && cf_day_of_ms(w->now) < card->sixteen_on;
}

static bool needs_holder(enum production_operation what)
{
    return what == PRODUCTION_OP_ACTIVATE || what == PRODUCTION_OP_SET_PASSWORD ||
           what == PRODUCTION_OP_RESET_PASSWORD || what == PRODUCTION_OP_OPEN_ADD_ON;
}

static bool locks(enum production_operation what)
{
    return what == PRODUCTION_OP_LOCK || what == PRODUCTION_OP_UNLOCK;
}

/* A bank serves its own cards, at the counter and by phone; at the counter it says which it is. */
static bool is_anothers(const struct production_op *op, const struct production_card *card)
{
    bool counter = op->channel == CF_CHANNEL_BANK_OUTLET;
    if (!counter && op->channel != CF_CHANNEL_BANK_PHONE) return false;
    if (!op->operator_bank.len) return counter && has_operator(op);
    return !cf_str_eq(op->operator_bank, card->bank);
}

static bool comes_for_the_holder(struct cf_str role)
{
    return cf_str_is(role, "agent") || cf_str_is(role, "guardian");
}

/* A card is formally lost, and found again, by a document: the holder's own, or that of who comes
 * for the holder; who comes for the holder to cancel it shows one as well. */
static bool lacks_document(const struct production_op *op, const struct production_card *card)
{
    bool needed = op->what == PRODUCTION_OP_REPORT_FORMAL_LOSS ||
                  (op->what == PRODUCTION_OP_RELEASE && card->state == CF_CARD_FORMAL_LOSS) ||
                  (op->what == PRODUCTION_OP_CANCEL && comes_for_the_holder(op->role));
    if (!needed || op->kept) return false;
    return op->document != (cf_str_is(op->role, "holder") ? PRODUCTION_DOCUMENT_HOLDERS
                                                          : PRODUCTION_DOCUMENT_ANOTHERS);
}

/* The actor is known by now. */
static void check_role(const struct production_op *op, const struct production_target *t,
                       const struct production_world *w, struct production_verdict *v)
{
    if (needs_holder(op->what) && !is_holder(op->role, t->card, w))
        production_refuse(v, "holder_only");
    if (locks(op->what) && !cf_str_is(op->role, "authority") && !cf_str_is(op->role, "bank"))
        production_refuse(v, "authority_or_bank_only");
    if (locks(op->what) && !op->reason.len) production_refuse(v, "missing_reason");
    if (lacks_document(op, t->card)) production_refuse(v, "document_required");
}

void production_check_request(const struct production_op *op, const struct production_target *t,
                              const struct production_world *w, struct production_verdict *v)
{
    bool actor = has_actor(op);
    if (op->late) production_refuse(v, "command_expired");
    if (op->too_many) production_refuse(v, "too_many_operations");
    if (op->what == PRODUCTION_OP_NONE) {
        production_refuse(v, "unknown_operation");
        return;
    }
    if (!production_channel_may(op->what, op->channel)) production_refuse(v, "channel_not_allowed");
    /* S12: no operation costs anything. */
    if (op->fees) production_refuse(v, "fee_not_allowed");
    if (op->odd_kind) production_refuse(v, "unknown_card_kind");
    if (op->what == PRODUCTION_OP_IMPORT_CARD) return;
    if (!actor) production_refuse(v, "missing_actor");
    if (!has_operator(op)) production_refuse(v, "missing_operator");
    if (!t->card) {
        /* The holder's row knows the cards that count, not those before them. */
        production_refuse(v, op->issued && !t->other_kind ? "card_cancelled" : "unknown_card");
        return;
    }
    if (is_anothers(op, t->card)) production_refuse(v, "not_issuing_bank");
    if (actor) check_role(op, t, w, v);
}

/* S14: each add-on by the holder's own choice, recorded. The clock of who records it may be ahead a
 * little. */
void production_check_consent(const struct production_op *op, const struct production_target *t,
                              const struct production_world *w, struct production_verdict *v)
{
    static const cf_ms AHEAD_MS = 120000;
    bool given = op->consent.by.len && op->consent.document && op->consent.given_at > 0 &&
                 op->consent.given_at <= w->now + AHEAD_MS;
    if (!given) production_refuse(v, "add_on_without_consent");
    if (given && !is_holder(op->consent.by, t->card, w)) production_refuse(v, "holder_only");
}
