/* story_temporary -- a temporary card beside the permanent one: handed out at once, perhaps
 * extended; ended by the permanent one, or by time. */
#include "common/io/ids.h"
#include "services/intake/codec.h"
#include "services/production/codec.h"
#include "tests/sim/world_inside.h"

static const uint8_t zero[16];

/* The temporary slot of the person's row; NULL: no application there. */
static const struct production_slot *slot_of(const struct sim_person *p)
{
    static struct production_holder h;
    const struct production_row *row = world_row_of(SIM_PRODUCTION, p);
    if (!row) return NULL;
    if (production_row_open(world_arena, row, &h)) sim_broken("a holder's row cannot be read");
    return memcmp(h.temporary.app.id, p->temporary, 16) ? NULL : &h.temporary;
}

static void extend(uint32_t i)
{
    struct sim_person *p = &world_persons[i];
    const struct production_slot *slot = slot_of(p);
    char bank[8];
    if (!slot || slot->card.state != CF_CARD_NORMAL) {
        world_later(i, WORLD_LOOK_MS, extend);
        return;
    }
    world_bank_of(i, bank);
    world_new_id(i, "extend", p->command);
    world_operate(p, "extend_temporary", slot->card.no, bank, p->command);
}

/* The outlet says that the card was fetched, and switches it on; the two topics have no order. */
static void fetch(uint32_t i)
{
    struct sim_person *p = &world_persons[i];
    const struct production_slot *slot = slot_of(p);
    char bank[8];
    uint8_t id[16];
    if (!slot || slot->made.state != CF_CARD_SEALED) {
        world_later(i, WORLD_LOOK_MS, fetch);
        return;
    }
    world_bank_of(i, bank);
    struct production_result_fields f = {.bank = cf_str_of(bank),
                                         .card_no = cf_str_of(slot->made.no),
                                         .step = CF_STR("collected"),
                                         .at = sim_now};
    memcpy(f.app_id, p->temporary, 16);
    world_new_id(i, "temporary collected", f.result_id);
    world_new_id(i, "temporary activated", id);
    sim_world_send("bank.results", "bank.result", "sim-bank", cf_key_str(&p->key), f.result_id,
                   production_codec_result(world_arena, &f));
    world_operate(p, "activate", slot->made.no, bank, id);
    if (p->story == STORY_EXTENDED) world_later(i, WORLD_LOOK_MS, extend);
}

void world_temporary(uint32_t i)
{
    struct sim_person *p = &world_persons[i];
    world_new_id(i, "temporary", p->temporary);
    world_submit(i, p->temporary, WORLD_TEMPORARY);
    if (p->story != STORY_TEMPORARY_LEFT) world_later(i, WORLD_LOOK_MS, fetch);
}

/* Extended once: 60 days and 60 days. A card that was never fetched is cancelled with its
 * application. */
bool world_temporary_ended(const struct sim_person *p)
{
    const struct intake_ended *ended =
        world_wide_of(SIM_INTAKE, INTAKE_AUX_ENDED, p, p->temporary);
    const struct production_slot *slot = slot_of(p);
    if (!slot || !ended || !memcmp(p->temporary, zero, 16)) return false;
    if ((enum cf_app_state)ended->state != slot->app.state) return false;
    if (p->story == STORY_TEMPORARY_LEFT)
        return slot->app.state == CF_APP_PICKUP_EXPIRED && !slot->card.no[0] && !slot->made.no[0];
    if (slot->app.state != CF_APP_COLLECTED || slot->card.state != CF_CARD_CANCELLED) return false;
    const struct production_answer *extended =
        world_wide_of(SIM_PRODUCTION, PRODUCTION_OPERATION, p, p->command);
    int days = slot->card.valid_until - slot->card.issued_on;
    if (p->story == STORY_EXTENDED)
        return extended && cf_str_is(extended->result, "done") && days == 120;
    return days == 60;
}
