/* story_reissue -- a card made anew for another reason than its loss or damage, one story for each
 * reason. */
#include "common/io/ids.h"
#include "services/intake/codec.h"
#include "services/production/codec.h"
#include "tests/sim/world_inside.h"

enum { TEN_YEARS = 3653, LEFT = 45 /* days until the card from before ends */ };

static const uint8_t zero[16];

enum world_paper world_first_paper(const struct sim_person *p)
{
    if (p->story == STORY_REISSUE_EXPIRY) return WORLD_REISSUE_EXPIRY;
    return p->story == STORY_REISSUE_MASS ? WORLD_REISSUE_MASS : WORLD_FIRST;
}

/* Is the card in use, and does no application wait? */
static bool may_ask(const struct sim_person *p)
{
    const struct intake_holder *h = world_row_of(SIM_INTAKE, p);
    return h && h->card.state == CF_CARD_NORMAL && !memcmp(h->permanent.app, zero, 16);
}

/* Of the card in use. */
void world_reissue(uint32_t i)
{
    struct sim_person *p = &world_persons[i];
    if (!may_ask(p)) {
        world_later(i, WORLD_LOOK_MS, world_reissue);
        return;
    }
    world_new_id(i, "second", p->second);
    world_submit(i, p->second,
                 p->story == STORY_REISSUE_BANK ? WORLD_REISSUE_BANK : WORLD_REISSUE_DATA);
}

/* Of the one from before, as soon as intake has heard of it. */
static void ask_again(uint32_t i)
{
    struct sim_person *p = &world_persons[i];
    if (!may_ask(p)) {
        world_later(i, WORLD_LOOK_MS, ask_again);
        return;
    }
    world_submit(i, p->app, WORLD_REISSUE_EXPIRY);
}

void world_import(uint32_t i)
{
    struct sim_person *p = &world_persons[i];
    char bank[8];
    struct production_command_fields f = {.operation = CF_STR("import_card"),
                                          .channel = CF_STR("upstream"),
                                          .role = CF_STR("authority"),
                                          .staff_id = CF_STR("sim"),
                                          .requested_at = sim_now,
                                          .imports = true,
                                          .import_state = CF_STR("normal"),
                                          .import_kind = CF_STR("permanent"),
                                          .has_photo = true};
    world_bank_of(i, bank);
    f.import_bank = cf_str_of(bank);
    f.issued_on = cf_day_of_ms(sim_now) - TEN_YEARS + LEFT;
    (void)world_person_seal(i, false, &p->key);
    world_new_id(i, "import", p->command);
    memcpy(f.operation_id, p->command, 16);
    sim_world_send("card.commands", "card.operation", "sim", cf_key_str(&p->key), p->command,
                   production_codec_command(world_arena, &f));
    world_later(i, WORLD_LOOK_MS, ask_again);
}

/* The new card is one that was made here, of the bank that was asked. */
bool world_reissue_ended(const struct sim_person *p)
{
    uint32_t i = (uint32_t)(p - world_persons);
    char bank[8];
    const struct production_row *row = world_row_of(SIM_PRODUCTION, p);
    const uint8_t *app = p->story == STORY_REISSUE_EXPIRY ? p->app : p->second;
    world_bank_of(p->story == STORY_REISSUE_BANK ? i + 1 : i, bank);
    struct production_holder h;
    if (!row || memcmp(row->app_id, app, 16)) return false;
    if (production_row_open(world_arena, row, &h)) sim_broken("a holder's row cannot be read");
    return cf_str_is(h.permanent.card.bank, bank);
}
