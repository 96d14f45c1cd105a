/* ops_cards -- what banks say of lines, and operations on cards. */
#include "tests/city/ops_inside.h"

/* ---- banks ----------------------------------------------------------------------------------- */

static const char *const steps[] = {"account_opened", "produced", "shipped", "arrived",
                                    "collected"};
enum { STEPS = 5 };
/* Of a card of which the bank has said so many steps. */
static const char *const why_failed[STEPS] = {"bank_rejected", "bank_rejected", "lost_in_transit",
                                              "lost_in_transit", "damaged_at_outlet"};

static struct city_line *any_line(void)
{
    size_t n;
    struct city_line *lines = city_lines(&n);
    if (!n) return NULL;
    return &lines[ops_one_in(4) ? sim_below((uint32_t)n) : n - 1];
}

/* The newest that the bank is not done with. */
static struct city_line *open_line(void)
{
    size_t n;
    struct city_line *lines = city_lines(&n);
    while (n && lines[n - 1].said >= STEPS)
        n--;
    return n ? &lines[ops_one_in(4) ? sim_below((uint32_t)n) : n - 1] : NULL;
}

void ops_bank_next(void)
{
    struct city_line *l = open_line();
    uint8_t id[16];
    if (!l) ops_pass(1500); /* so that a batch is closed */
    if (!l || l->said >= STEPS) return;
    ops_id(id);
    uint32_t ahead = ops_one_in(10) ? 1 + sim_below(2) : 0; /* out of order */
    bool run = ops_one_in(3); /* all that is left of it at once */
    uint32_t which = l->said + ahead < STEPS ? l->said + ahead : l->said;
    if (ops_one_in(12)) {
        /* Nothing follows an account that was not opened, or a card that was not made. */
        const char *step = l->said == 0 && ops_one_in(2) ? "account_failed" : "failed";
        city_bank_says(l, step, why_failed[l->said], id, 0);
        l->said = STEPS;
        return;
    }
    city_bank_says(l, steps[which], "", id, ops_one_in(20) ? 100 : 0);
    if (!ahead) l->said++;
    while (!ahead && l->said < STEPS && run) {
        ops_id(id);
        city_bank_says(l, steps[l->said++], "", id, 0);
    }
    if (l->said == STEPS) ops_has_card[cf_key_eq(&l->key, &ops_persons[1][0].key)] = true;
}

/* No bank makes a temporary card: its outlet says that it was handed over, and mostly switches it
 * on. */
void ops_fetch(void)
{
    const struct cf_key *key = &ops_persons[ops_person()][0].key;
    int16_t part = (int16_t)cf_key_partition(key, SIM_PARTS);
    const struct production_row *row =
        sim_store_row(sim_data_of(SIM_PRODUCTION), false, PRODUCTION_HOLDER, part, key);
    struct city_line l = {.key = *key};
    struct production_holder h;
    uint8_t id[16];
    if (!row || production_row_open(city_arena(), row, &h)) return;
    const struct production_slot *slot = &h.temporary;
    if (slot->made.state != CF_CARD_SEALED || slot->made.bank.len >= sizeof l.bank) return;
    ops_id(id);
    memcpy(l.app, slot->app.id, 16);
    memcpy(l.card, slot->made.no, sizeof l.card);
    memcpy(l.bank, slot->made.bank.ptr, slot->made.bank.len);
    city_bank_says(&l, "collected", "", id, 0);
    if (ops_one_in(3)) return;
    const struct city_person *p = &ops_persons[cf_key_eq(key, &ops_persons[1][0].key)][0];
    struct production_command_fields f = {.operation = CF_STR("activate"),
                                          .channel = CF_STR("bank_outlet"),
                                          .role = CF_STR("holder"),
                                          .actor = city_actor_seal(p, "holder"),
                                          .staff_id = CF_STR("s1"),
                                          .card_no = cf_str_of(l.card),
                                          .operator_bank = cf_str_of(l.bank),
                                          .requested_at = sim_now};
    ops_id(f.operation_id);
    city_consent(p, &f);
    owners_operation(f.operation_id);
    city_operate(key, &f);
}

void ops_bank_wrong(void)
{
    static const char *const any[] = {"account_opened", "account_failed", "produced", "failed",
                                      "shipped", "arrived", "collected"};
    struct city_line *l = any_line();
    uint8_t id[16];
    if (!l) return;
    ops_id(id);
    struct city_line copy = *l;
    if (ops_one_in(4)) {
        size_t n;
        const struct city_line *lines = city_lines(&n);
        const struct city_line *other = &lines[sim_below((uint32_t)n)];
        memcpy(copy.card, other->card, sizeof copy.card);
    }
    if (ops_one_in(8)) copy.no += 7;
    city_bank_says(&copy, any[sim_below(7)], why_failed[sim_below(STEPS)], id, 0);
}

/* ---- cards ----------------------------------------------------------------------------------- */

void ops_operate(void)
{
    static const char *const roles[] = {"holder", "guardian", "agent", "authority", "bank"};
    const struct city_person *p = &ops_persons[ops_person()][0];
    struct production_command_fields f = {.requested_at = sim_now, .staff_id = CF_STR("s1")};
    size_t n;
    const struct city_line *lines = city_lines(&n);
    enum production_operation what =
        ops_one_in(3) ? PRODUCTION_OP_ACTIVATE
                  : (enum production_operation)(1 + sim_below(PRODUCTION_OP_IMPORT_CARD - 1));
    ops_id(f.operation_id);
    if (ops_one_in(8)) what = PRODUCTION_OP_LOCK;
    if (ops_one_in(5)) f.card_kind = CF_STR("temporary");
    f.operation = cf_str_of(production_operation_name(what));
    bool lock = what == PRODUCTION_OP_LOCK || what == PRODUCTION_OP_UNLOCK;
    const char *role = ops_one_in(6) ? roles[sim_below(5)] : lock ? "bank" : "holder";
    f.role = cf_str_of(role);
    if (lock && !ops_one_in(8)) f.reason = CF_STR("court order");
    if (!ops_one_in(8)) f.actor = city_actor_seal(p, role);
    f.channel = cf_str_of(cf_channel_name(ops_channel()));
    if (!ops_one_in(4)) f.operator_bank = ops_bank();
    f.password_kind = cf_str_of(ops_one_in(2) ? "social_security" : "financial");
    if (!ops_one_in(3)) city_consent(p, &f);
    f.add_on = CF_STR("transit");
    if (n && ops_one_in(3))
        f.card_no = cf_str_of(lines[ops_one_in(2) ? sim_below((uint32_t)n) : n - 1].card);
    if (ops_one_in(20)) {
        f.n_fees = 1;
        f.fees[0].type = CF_STR("opening");
        f.fees[0].cents = 500;
    }
    owners_operation(f.operation_id);
    city_operate(&p->key, &f);
}

void ops_import_card(void)
{
    static const enum cf_card_state states[] = {CF_CARD_NORMAL, CF_CARD_SEALED, CF_CARD_FORMAL_LOSS,
                                                CF_CARD_TEMPORARY_LOSS, CF_CARD_CANCELLED};
    uint32_t who = ops_person();
    const struct city_person *p = &ops_persons[who][0];
    char no[CF_CARDNUM_LEN + 1] = "";
    struct production_command_fields f = {.operation = CF_STR("import_card"),
                                          .channel = CF_STR("upstream"),
                                          .role = CF_STR("authority"),
                                          .requested_at = sim_now,
                                          .imports = true};
    ops_id(f.operation_id);
    f.import_bank = ops_bank();
    f.import_state = cf_str_of(cf_card_state_name(states[sim_below(5)]));
    bool temporary = ops_one_in(3);
    f.import_kind = cf_str_of(temporary ? "temporary" : "permanent");
    /* Most are still valid. */
    f.issued_on = cf_day_of_ms(sim_now) - (cf_day)sim_below(temporary ? 70 : 3600);
    f.has_photo = ops_one_in(2);
    /* The numbers of another city; each is one person's. */
    if (ops_one_in(2) && cf_cardnum_make('Q', p->no * 100 + sim_below(3), no))
        f.card_no = cf_str_of(no);
    ops_has_card[who] = true;
    owners_operation(f.operation_id);
    city_operate(&p->key, &f);
}
