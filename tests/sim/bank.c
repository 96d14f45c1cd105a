/* bank -- the banks' adapter: reads bank.orders, answers each line as its holder's story has it.
 *
 * The first card of an application gets the story's answers; one that is made anew gets all that
 * it takes. While faults are on the adapter begins again from an older place. */
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "common/io/ids.h"
#include "services/production/codec.h"
#include "tests/sim/world_inside.h"

#include <stdio.h>

enum { LINE_MS = 800, AGAIN = 10, SILENT_MS = 6 * CF_MS_PER_DAY };

/* A step said twice has an id of its own the second time; the last of most is the activation. */
#define ALL "account_opened", "produced", "shipped", "arrived", "collected", "activate"
static const char *const plain[] = {ALL, NULL};
static const char *const no_account[] = {"account_failed", "account_failed", NULL};
static const char *const breaks[] = {"account_opened", "failed", "produced", NULL};
static const char *const breaks_late[] = {"account_opened", "produced", "shipped", "arrived",
                                          "failed", "produced", NULL};
static const char *const silent[] = {"produced", NULL};
static const char *const waits[] = {"account_opened", "produced", "shipped", "arrived", NULL};
static const char *const mixed[] = {"shipped", "arrived", "account_opened", "produced",
                                    "collected", "activate", NULL};
static const char *const twice[] = {"account_opened", "account_opened", "produced", "produced",
                                    "account_opened", "shipped", "shipped", "produced",
                                    "arrived", "arrived", "collected", "collected",
                                    "activate", NULL};
static const char *const denies[] = {"account_opened", "produced", "failed", NULL};

static const char *const *script_of(enum world_story story, bool first)
{
    if (!first) return plain;
    switch (story) {
    case STORY_NO_ACCOUNT: return no_account;
    case STORY_BREAKS: return breaks;
    case STORY_BREAKS_LATE: return breaks_late;
    case STORY_SILENT: return silent;
    case STORY_EXTENDED:
    case STORY_UNCOLLECTED: return waits;
    case STORY_MIXED: return mixed;
    case STORY_TWICE: return twice;
    case STORY_DENIES: return denies;
    default: return plain;
    }
}

struct line {
    struct cf_key key;
    uint8_t app[16], batch[16];
    uint32_t no;
    char card[CF_CARDNUM_LEN + 1], bank[8];
    const char *const *script;
    int next;
    cf_ms due;
};

static struct line *lines;
static size_t n_lines, cap_lines;
static int64_t orders_read[SIM_PARTS];

/* A line read again is the same card. */
static void give_script(struct line *l)
{
    struct sim_person *p = world_person_with(l->app);
    if (!p) sim_broken("an order for nobody");
    bool first = !memcmp(p->app, l->app, 16) && (!p->card[0] || !strcmp(p->card, l->card));
    if (first) memcpy(p->card, l->card, sizeof l->card);
    l->script = script_of((enum world_story)p->story, first);
    if (l->script == silent) l->due = sim_now + SILENT_MS;
}

static void take_line(const Cardflow__V1__BankOrder *o)
{
    const Cardflow__V1__BankOrder__Line *in = o->line;
    struct line l = {.no = in->line_no, .due = sim_now + (cf_ms)sim_below(LINE_MS)};
    if (in->routing_key.len != 16 || in->application_id.len != 16 || o->batch_id.len != 16 ||
        strlen(in->card_no) != CF_CARDNUM_LEN || strlen(o->bank_code) >= sizeof l.bank)
        sim_broken("a bank cannot read its order");
    l.key = cf_key_holder(in->routing_key.data);
    memcpy(l.app, in->application_id.data, 16);
    memcpy(l.batch, o->batch_id.data, 16);
    memcpy(l.card, in->card_no, CF_CARDNUM_LEN + 1);
    memcpy(l.bank, o->bank_code, strlen(o->bank_code) + 1);
    give_script(&l);
    if (n_lines == cap_lines) {
        cap_lines = cap_lines ? 2 * cap_lines : 256;
        lines = cf_realloc(lines, cap_lines * sizeof *lines);
    }
    lines[n_lines++] = l;
}

bool bank_read(void)
{
    int first = (int)sim_below(SIM_PARTS);
    for (int i = 0; i < SIM_PARTS; i++) {
        int p = (first + i) % SIM_PARTS;
        const struct sim_part *part = &sim_topic("bank.orders")->parts[p];
        if (orders_read[p] >= part->n) continue;
        const Cardflow__V1__BankOrder *o =
            cf_unpack(world_arena, &cardflow__v1__bank_order__descriptor,
                      part->v[orders_read[p]++]->value);
        if (!o) sim_broken("a bank cannot read its order");
        if (o->body_case == CARDFLOW__V1__BANK_ORDER__BODY_LINE) take_line(o);
        if (o->body_case == CARDFLOW__V1__BANK_ORDER__BODY_CARD_NOTICE)
            sim_cards_notice(o, world_arena);
        /* The adapter starts anew, from what it had stored before. */
        if (sim_fault(10000)) {
            int64_t back = (int64_t)sim_below(AGAIN);
            orders_read[p] = orders_read[p] > back ? orders_read[p] - back : 0;
        }
        return true;
    }
    return false;
}

static void id_of(const struct line *l, const char *what, uint8_t id[16])
{
    cf_uuid8_of(id, CF_STR("bank"), {(const char *)l->app, 16}, cf_str_of(l->card),
                cf_str_of(what));
}

/* Where the card was when it failed. */
static const char *reason_of(const struct line *l, const char *step)
{
    if (strcmp(step, "failed") != 0) return "";
    return l->script == breaks_late ? "damaged_at_outlet" : "bank_rejected";
}

static void say(const struct line *l, const char *step)
{
    struct production_result_fields f = {.bank = cf_str_of(l->bank),
                                         .card_no = cf_str_of(l->card),
                                         .step = cf_str_of(step),
                                         .reason = cf_str_of(reason_of(l, step)),
                                         .line_no = l->no,
                                         .at = sim_now};
    char what[32];
    snprintf(what, sizeof what, "%s %d", step, l->next);
    id_of(l, what, f.result_id);
    memcpy(f.batch_id, l->batch, 16);
    memcpy(f.app_id, l->app, 16);
    sim_world_send("bank.results", "bank.result", "sim-bank", cf_key_str(&l->key), f.result_id,
            production_codec_result(world_arena, &f));
}

static void activate(const struct line *l)
{
    Cardflow__V1__CardCommand c;
    cardflow__v1__card_command__init(&c);
    Cardflow__V1__Operator op;
    cardflow__v1__operator__init(&op);
    uint8_t id[16];
    id_of(l, "activate", id);
    c.operation_id = cf_data_id(id);
    c.operation = world_lit("activate");
    c.card_no = world_lit(l->card);
    c.channel = world_lit("bank_outlet");
    c.actor_role = world_lit("holder");
    op.bank_code = world_lit(l->bank);
    op.staff_id = world_lit("sim");
    c.operator_ = &op;
    c.requested_at_ms = sim_now;
    sim_world_send("card.commands", "card.operation", "sim-bank", cf_key_str(&l->key), id,
            cf_pack(world_arena, &c.base));
}

bool bank_play(void)
{
    size_t first = n_lines ? sim_below((uint32_t)n_lines) : 0;
    for (size_t i = 0; i < n_lines; i++) {
        struct line *l = &lines[(first + i) % n_lines];
        if (l->due > sim_now) continue;
        if (strcmp(l->script[l->next], "activate") != 0)
            say(l, l->script[l->next]);
        else
            activate(l);
        l->due = sim_now + (cf_ms)sim_below(LINE_MS);
        if (!l->script[++l->next]) *l = lines[--n_lines];
        return true;
    }
    return false;
}

bool bank_waits(void)
{
    for (int p = 0; p < SIM_PARTS; p++)
        if (orders_read[p] < sim_topic("bank.orders")->parts[p].n) return true;
    return false;
}

cf_ms bank_next(void)
{
    cf_ms next = bank_waits() ? sim_now : INT64_MAX;
    for (size_t i = 0; i < n_lines; i++)
        if (lines[i].due < next) next = lines[i].due;
    return next;
}
