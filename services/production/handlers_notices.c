/* Notices to banks: told, told again, acknowledged. Decided without the holder's slots. */
#include "services/production/handlers.h"

static int send(struct cf_step *s, const struct production_notice *n, const uint8_t id[16])
{
    return production_to_bank(s, PRODUCTION_OUT_ORDERS, n->bank, "bank.card_notice",
                              production_codec_notice(s->arena, n, id));
}

/* One timer a notice, with its id. */
static void arm(struct cf_step *s, const struct production_notice *n, const uint8_t id[16],
                uint32_t attempt)
{
    struct cf_work w = {.kind = PRODUCTION_WORK_NOTICE,
                        .part = s->part,
                        .key = n->holder,
                        .due = production_notice_next_due(n, production_world_of(s->env, s->now).policy),
                        .attempt = attempt};
    memcpy(w.id, id, 16);
    cf_work_put(s, &w);
}

int production_tell(struct cf_step *s, const struct production_effect *e)
{
    const struct production_world w = production_world_of(s->env, s->now);
    struct production_notice n = {.holder = s->msg->key,
                                  .bank = e->card.bank,
                                  .card_no = cf_arena_str(s->arena, cf_str_of(e->card.no)),
                                  .what = cf_str_of(e->word)};
    uint8_t id[16];
    cf_next_event_id(s, id);
    production_notice_tell(&n, id, &w);
    cf_aux_add(s, PRODUCTION_NOTICE, id, &n);
    arm(s, &n, id, 0);
    return send(s, &n, id);
}

static void say(struct cf_step *s, const struct production_notice *n, const uint8_t id[16],
                const char *type, const char *state)
{
    cf_count(s, state);
    cf_send_bytes(s, PRODUCTION_OUT_CARD, &s->msg->key, type,
                  production_codec_bank_notice(s->arena, n, id, s->now));
}

static int due(struct cf_step *s)
{
    const struct production_world w = production_world_of(s->env, s->now);
    const uint8_t *id = s->msg->work_id;
    const struct production_notice *row = cf_aux_get(s, PRODUCTION_NOTICE, id);
    if (!row) return 0; /* retention has taken it */
    struct production_notice n = *row;
    struct production_notice_due is = production_notice_on_due(&n, id, &w);
    if (production_notice_next_due(&n, w.policy)) arm(s, &n, id, s->msg->attempt + 1);
    if (!is.again && !is.overdue) return 0;
    cf_aux_put(s, PRODUCTION_NOTICE, id, &n);
    if (is.overdue) say(s, &n, id, "card.notice_overdue", "notice_overdue");
    return is.again ? send(s, &n, id) : 0;
}

static int acknowledged(struct cf_step *s)
{
    const struct production_world w = production_world_of(s->env, s->now);
    const struct production_acknowledged *a = s->msg->body;
    const struct production_notice *row = cf_aux_get(s, PRODUCTION_NOTICE, a->notice_id);
    struct production_notice n = {0};
    if (row) n = *row;
    switch (production_on_acknowledged(row ? &n : NULL, &s->msg->key, a, &w)) {
    case PRODUCTION_MOVE:
        cf_aux_put(s, PRODUCTION_NOTICE, a->notice_id, &n);
        cf_work_drop(s, a->notice_id);
        /* Whoever heard of the delay hears of its end. */
        if (n.overdue_at)
            say(s, &n, a->notice_id, "card.notice_acknowledged", "notice_late");
        return 0;
    case PRODUCTION_ENDED:
        cf_count(s, "unknown_notice");
        return 0;
    case PRODUCTION_ALREADY:
        return 0;
    case PRODUCTION_AHEAD:
    case PRODUCTION_ILLEGAL:
        break;
    }
    s->reason = "the acknowledgement names another notice's card, bank or holder";
    return CF_E_ILLEGAL;
}

int production_decide_notice(struct cf_step *s)
{
    return s->msg->type == PRODUCTION_M_NOTICE_DUE ? due(s) : acknowledged(s);
}
