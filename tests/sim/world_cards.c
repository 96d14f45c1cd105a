/* Cards after they were activated: a holder in five reports a loss by phone and finds the card
 * again; the bank is told, and does not always answer at once. */
#include "cardflow/v1/card.pb-c.h"
#include "common/io/ids.h"
#include "common/pure/hash.h"
#include "services/production/codec.h"
#include "tests/sim/sim.h"

static char *lit(const char *z)
{
    return (char *)(uintptr_t)z; /* protobuf-c only reads it */
}

static void operate(const struct cf_key *holder, const char *card_no, const char *bank,
                    const char *operation, const char *channel, struct cf_arena *a)
{
    Cardflow__V1__CardCommand c;
    cardflow__v1__card_command__init(&c);
    Cardflow__V1__Operator op;
    cardflow__v1__operator__init(&op);
    uint8_t id[16];
    cf_uuid8_of(id, CF_STR("operate"), cf_str_of(card_no), cf_str_of(operation));
    c.operation_id = cf_data_id(id);
    c.operation = lit(operation);
    c.card_no = lit(card_no);
    c.channel = lit(channel);
    c.actor_role = lit("holder");
    op.bank_code = lit(bank);
    op.staff_id = lit("sim");
    c.operator_ = &op;
    c.requested_at_ms = sim_now;
    sim_world_send("card.commands", "card.operation", "sim", cf_key_str(holder), id,
                   cf_pack(a, &c.base));
}

/* Cards that were activated and will be lost. */
static struct lost {
    struct cf_key holder;
    char card_no[CF_CARDNUM_LEN + 1], bank[8];
} *lost;
static size_t n_lost, cap_lost;

void sim_cards_activated(const struct cf_key *holder, const char *card_no, const char *bank)
{
    struct lost l = {.holder = *holder};
    /* Whoever has a card replaced does not find it by phone as well. */
    if (cf_hash64(card_no, strlen(card_no)) % 5 || sim_story_replaces(holder)) return;
    if (n_lost == cap_lost) {
        cap_lost = cap_lost ? 2 * cap_lost : 64;
        lost = cf_realloc(lost, cap_lost * sizeof *lost);
    }
    memcpy(l.card_no, card_no, CF_CARDNUM_LEN + 1);
    memcpy(l.bank, bank, strlen(bank) + 1);
    lost[n_lost++] = l;
}

bool sim_cards_wait(void)
{
    return n_lost > 0;
}

void sim_cards_step(struct cf_arena *a)
{
    const struct lost l = lost[--n_lost];
    operate(&l.holder, l.card_no, l.bank, "report_temporary_loss", "bank_phone", a);
    operate(&l.holder, l.card_no, l.bank, "release", "bank_outlet", a);
}

void sim_cards_notice(const Cardflow__V1__BankOrder *o, struct cf_arena *a)
{
    const Cardflow__V1__BankOrder__CardNotice *n = o->card_notice;
    struct production_result_fields f;
    struct cf_key holder;
    sim_acknowledge(o, &holder, &f);
    /* While faults are on, two sendings in three are read and forgotten. */
    if (sim_faults && cf_hash64_seed(n->notice_id.data, 16, n->attempt) % 3) return;
    sim_world_send("bank.results", "bank.result", "sim-bank", cf_key_str(&holder), f.result_id,
                   production_codec_result(a, &f));
}

struct notices {
    size_t all, open, late;
};

static void count_notice(void *arg, const struct cf_key *key, const void *row)
{
    const struct production_notice *n = row;
    struct notices *all = arg;
    (void)key;
    all->all++;
    all->open += !n->acknowledged_at;
    all->late += n->sent > 1;
}

void sim_cards_check_end(void)
{
    struct notices all = {0};
    sim_store_rows(sim_data_of(SIM_PRODUCTION), true, PRODUCTION_NOTICE, count_notice, &all);
    if (all.open) sim_broken("%zu notices to banks are open at the end", all.open);
    sim_note("notices to banks: %zu, %zu sent again", all.all, all.late);
}
