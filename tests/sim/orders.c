/* orders -- what the hotline and an agency do with a work order: anything, in any order.
 *
 * Some of it does not fit and is refused. Whatever was done, an order that was replied to is closed
 * in the end by the reporter or by silence. */
#include "common/io/ids.h"
#include "services/complaint-handling/codec.h"
#include "tests/sim/world_inside.h"

#include <stdio.h>

enum { DEEDS = 6, WITHIN_MS = 6000 };

static void act(uint32_t i)
{
    static const enum complaint_event events[] = {
        COMPLAINT_ON_ACCEPT, COMPLAINT_ON_ACCEPT, COMPLAINT_ON_REPLY,  COMPLAINT_ON_REPLY,
        COMPLAINT_ON_REOPEN, COMPLAINT_ON_RETURN, COMPLAINT_ON_REVISIT, COMPLAINT_ON_EXTEND,
        COMPLAINT_ON_ROUTE,  COMPLAINT_ON_GIVE_BACK};
    char no[24];
    uint8_t id[16];
    int n = snprintf(no, sizeof no, "N%u", i);
    struct complaint_command c = {.source_system = CF_STR("12345"),
                                  .order_no = {no, (size_t)n},
                                  .operator_id = CF_STR("sim"),
                                  .reason = CF_STR("as the seed wants it")};
    struct cf_key key = complaint_codec_key(c.source_system, c.order_no);
    c.action.what = events[sim_below(sizeof events / sizeof *events)];
    c.action.days = 3;
    c.action.satisfied = true;
    c.action.owner = CF_STR("service-desk");
    if (cf_seal(sim_ring(), CF_STR("it is on its way"), cf_key_str(&key), COMPLAINT_FIELD_REPLY,
                world_arena, &c.text))
        CF_BUG("a reply cannot be sealed");
    cf_uuid4(id);
    sim_world_send("complaint.commands", "complaint.action", "sim", cf_key_str(&key), id,
                   complaint_codec_command(world_arena, COMPLAINT_MSG_ACTION, &c, id));
}

void world_order_follow(uint32_t i)
{
    for (int n = 0; n < DEEDS; n++)
        world_later(i, (cf_ms)sim_below(WITHIN_MS), act);
}

/* Replied to, it is closed by silence; else its clock has run out. */
void sim_check_order(void *arg, const struct cf_key *key, const void *row)
{
    const struct complaint_order *o = row;
    (void)key;
    ++*(size_t *)arg;
    if (o->state == COMPLAINT_REPLIED) sim_broken("an order waits for its reporter for good");
    if (complaint_state_is_open((enum complaint_state)o->state) && o->mark != COMPLAINT_MARK_RED)
        sim_broken("an open order is not marked as overdue");
}
