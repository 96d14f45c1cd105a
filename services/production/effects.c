/* What was decided becomes messages, wide rows and numbers. */
#include "common/io/ids.h"
#include "common/pure/receipt.h"
#include "services/production/handlers.h"

/* Notices have one series for the whole system; intake counts from the start of the space. */
#define NOTICE_BASE (CF_RECEIPT_SPACE / 2)

struct papers {
    const struct production_op *op; /* of the voucher */
    char voucher[CF_RECEIPT_LEN + 2], notice[CF_RECEIPT_LEN + 2];
};

static const struct production_env *env_of(const struct cf_step *s)
{
    return s->env;
}

struct production_world production_world_of(const struct production_env *env, cf_ms now)
{
    return (struct production_world){now, env->calendar, &env->policy, env->deadlines};
}

static struct cf_str notice_no(struct cf_step *s, struct papers *p)
{
    uint64_t n = NOTICE_BASE + cf_number(s, PRODUCTION_NUMBER_NOTICE);
    if (!cf_receipt_make_prefixed(env_of(s)->number_key, CF_NOTICE_LETTER, n, p->notice))
        return (struct cf_str){0};
    return cf_arena_str(s->arena, cf_str_of(p->notice));
}

static struct cf_str next_voucher(struct cf_step *s, struct papers *p)
{
    uint64_t n = cf_number(s, PRODUCTION_NUMBER_VOUCHER);
    if (!cf_receipt_make_prefixed(env_of(s)->number_key, CF_VOUCHER_LETTER, n, p->voucher))
        p->voucher[0] = 0;
    return cf_arena_str(s->arena, cf_str_of(p->voucher));
}

/* One voucher an operation, on its answer and on the change it made. */
static struct cf_str voucher_no(struct cf_step *s, struct papers *p, const struct production_op *op)
{
    if (!op) return (struct cf_str){0};
    if (p->op == op) return cf_arena_str(s->arena, cf_str_of(p->voucher));
    p->op = op;
    return next_voucher(s, p);
}

bool production_take_number(struct cf_step *s, char no[CF_CARDNUM_LEN + 1])
{
    const char *letters = env_of(s)->letters;
    uint64_t space = strlen(letters) * (uint64_t)CF_CARDNUM_SERIALS;
    uint64_t n = cf_number(s, PRODUCTION_NUMBER_CARD);
    if (n >= space) {
        cf_count(s, "number_range_exhausted");
        return false;
    }
    if (n >= space / 5 * 4) cf_count(s, "number_range_low");
    return cf_cardnum_make(letters[n / CF_CARDNUM_SERIALS], (uint32_t)(n % CF_CARDNUM_SERIALS), no);
}

void production_issued_id(const struct cf_key *holder, struct cf_str card_no, uint8_t id[16])
{
    cf_uuid8_of(id, CF_STR("issued"), cf_key_str(holder), card_no);
}

static void put_issued(struct cf_step *s, const struct production_card *card, const uint8_t *app_id)
{
    struct production_issued row = {.holder = s->msg->key, .bank = card->bank, .issued_at = s->now};
    uint8_t id[16];
    row.card_no = cf_arena_str(s->arena, cf_str_of(card->no));
    if (app_id) memcpy(row.app_id, app_id, 16);
    production_issued_id(&s->msg->key, row.card_no, id);
    cf_aux_add(s, PRODUCTION_ISSUED, id, &row);
}

int production_to_bank(struct cf_step *s, uint16_t topic, struct cf_str bank, const char *type,
                       struct cf_str body)
{
    struct cf_key key;
    if (!cf_key_bank(bank, &key)) {
        s->reason = "bank_code: missing or too long";
        return CF_E_DATA;
    }
    cf_send_bytes(s, topic, &key, type, body);
    return 0;
}

/* Numbers the card and asks the bank's shard for a place in its queue. Without a number, or
 * without the person at hand (its row was not loaded with this message), the application waits and
 * its timer tries again: nothing is lost. */
static int enqueue(struct cf_step *s, const struct production_effect *e)
{
    struct production_app *app = &e->slot->app;
    const struct production_person *person = cf_aux_get(s, PRODUCTION_PERSON, app->id);
    if (!person || !production_take_number(s, e->slot->made.no)) {
        e->slot->made.no[0] = 0;
        app->queued = false;
        app->until = s->now + (person ? env_of(s)->policy.number_retry_ms : 1);
        return 0;
    }
    e->slot->made.state = CF_CARD_RESERVED;
    put_issued(s, &e->slot->made, app->id);
    return production_to_bank(s, PRODUCTION_OUT_INTERNAL, app->bank, "production.enqueue",
                   production_codec_enqueue(s->arena, e, &s->msg->key, person->person));
}

/* Without a number it waits as in enqueue. */
static void hand_out(struct cf_step *s, const struct production_effect *e,
                     struct production_effects *fx)
{
    const struct production_world w = {s->now, env_of(s)->calendar, &env_of(s)->policy,
                                        env_of(s)->deadlines};
    struct production_slot *slot = e->slot;
    if (!production_take_number(s, slot->made.no)) {
        slot->made.no[0] = 0;
        slot->app.until = s->now + w.policy->number_retry_ms;
        return;
    }
    slot->made.state = CF_CARD_RESERVED;
    put_issued(s, &slot->made, slot->app.id);
    production_hand_out(slot, &w, fx);
}

static struct cf_str join(struct cf_arena *a, const struct production_effect *e)
{
    struct cf_str all = {0};
    for (size_t i = 0; i < e->n_reasons; i++)
        all = i ? cf_arena_printf(a, "%.*s,%s", CF_ARG(all), e->reasons[i])
                : cf_str_of(e->reasons[i]);
    return all;
}

static void answered(struct cf_step *s, const struct production_effect *e, struct papers *p)
{
    bool done = e->op && !strcmp(e->word, "done");
    struct cf_str voucher = done         ? voucher_no(s, p, e->op)
                            : e->voucher ? next_voucher(s, p)
                                         : (struct cf_str){0};
    struct cf_str notice = e->notice ? notice_no(s, p) : (struct cf_str){0};
    struct production_answer row = {
        .operation = e->op ? e->op->word : cf_str_of(e->command ? e->command : ""),
        .result = cf_str_of(e->word),
        .reasons = join(s->arena, e),
        .voucher_no = voucher,
        .notice_no = notice,
        .at = s->now,
    };
    if (e->op) {
        row.channel = cf_str_of(cf_channel_name(e->op->channel));
        row.staff_id = e->op->staff_id;
        row.outlet = e->op->operator_outlet;
        if (done) row.consent = e->op->consent.packed;
    } else if (e->staff_id.len) {
        row.staff_id = e->staff_id;
    } else if (e->channel) {
        row.channel = cf_str_of(cf_channel_name(e->channel));
    }
    if (e->collector.len) {
        row.outlet = e->outlet;
        row.collector = e->collector;
    }
    if (e->card.no[0]) row.card_no = cf_arena_str(s->arena, cf_str_of(e->card.no));
    if (e->card.state) row.card_state = cf_str_of(cf_card_state_name(e->card.state));
    if (!row.card_no.len) row.holder = s->msg->key;
    /* What was not asked here is kept for its papers only. */
    if (e->op || e->record || notice.len || voucher.len)
        cf_aux_put(s, PRODUCTION_OPERATION, e->command_id, &row);
    if (e->n_reasons) cf_count(s, "refused");
    cf_send_bytes(s, PRODUCTION_OUT_CARD, &s->msg->key, "card.operation_answered",
                  production_codec_answered(s->arena, e, s->now, voucher, notice));
}

/* An application that is closed at once is told by a notice, which is found by its number. */
static struct cf_str step_notice(struct cf_step *s, const struct production_effect *e,
                                 struct papers *p)
{
    if (!e->notice) return (struct cf_str){0};
    struct production_answer row = {.operation = CF_STR("application"),
                                    .result = CF_STR("refused"),
                                    .reasons = e->reason,
                                    .notice_no = notice_no(s, p),
                                    .at = s->now};
    cf_aux_put(s, PRODUCTION_OPERATION, e->app_id, &row);
    return row.notice_no;
}

/* What waits for a person has a row of its own: operators look at these. */
static void put_given_up(struct cf_step *s, const struct production_effect *e)
{
    const struct production_given_up row = {.holder = s->msg->key,
                                            .bank = e->bank,
                                            .outlet = e->outlet,
                                            .reason = e->reason,
                                            .staff_id = e->staff_id,
                                            .why = e->why,
                                            .since = s->now,
                                            .waits = e->needs_person};
    cf_aux_put(s, PRODUCTION_GIVEN_UP, e->app_id, &row);
    cf_count(s, e->needs_person ? "given_up" : "given_up_settled");
}

static int apply_one(struct cf_step *s, const struct production_effect *e, struct papers *p,
                     struct production_effects *fx)
{
    const struct cf_key *key = &s->msg->key;
    switch (e->kind) {
    case PRODUCTION_FX_STEP:
        if (e->needs_person || e->settled) put_given_up(s, e);
        cf_send_bytes(s, PRODUCTION_OUT_CARD, key, "card.step",
                      production_codec_step(s->arena, e, s->now, step_notice(s, e, p)));
        return 0;
    case PRODUCTION_FX_CHANGED:
        cf_send_bytes(s, PRODUCTION_OUT_CARD, key, "card.changed",
                      production_codec_changed(s->arena, e, s->now, voucher_no(s, p, e->op)));
        return 0;
    case PRODUCTION_FX_ANSWERED:
        answered(s, e, p);
        return 0;
    case PRODUCTION_FX_MARKED:
        cf_count(s, e->word);
        cf_send_bytes(s, PRODUCTION_OUT_CARD, key, "card.deadline_marked",
                      production_codec_deadline(s->arena, e, s->now));
        return 0;
    case PRODUCTION_FX_POSTPONED:
        cf_count(s, e->word);
        cf_send_bytes(s, PRODUCTION_OUT_CARD, key, "card.deadline_changed",
                      production_codec_deadline(s->arena, e, s->now));
        return 0;
    case PRODUCTION_FX_ENQUEUE:
        return enqueue(s, e);
    case PRODUCTION_FX_HAND_OUT:
        hand_out(s, e, fx);
        return 0;
    case PRODUCTION_FX_DEQUEUE:
        return production_to_bank(s, PRODUCTION_OUT_INTERNAL, e->bank, "production.dequeue",
                       production_codec_dequeue(s->arena, e, key));
    case PRODUCTION_FX_LINE:
        return production_to_bank(s, PRODUCTION_OUT_INTERNAL, e->bank, "production.line_result",
                       production_codec_line_result(s->arena, e));
    case PRODUCTION_FX_TELL_BANK:
        return production_tell(s, e);
    case PRODUCTION_FX_ISSUED:
        put_issued(s, &e->card, NULL);
        return 0;
    }
    return 0;
}

int production_apply(struct cf_step *s, struct production_effects *fx)
{
    struct papers p = {0};
    int e = 0;
    for (size_t i = 0; i < fx->n && !e; i++) /* handing out adds some */
        e = apply_one(s, &fx->list[i], &p, fx);
    fx->n = 0;
    return e;
}

void production_arm(struct cf_step *s, enum production_work kind, cf_ms next, cf_ms *due,
                    int32_t *attempt)
{
    bool fired = s->msg->is_outcome;
    struct cf_work w = {.kind = (uint16_t)kind, .part = s->part, .key = s->msg->key, .due = next};
    /* One timer an aggregate: its id is the aggregate's own. */
    cf_uuid8_of(w.id, CF_STR("production.timer"), cf_key_str(&s->msg->key));
    /* A bank's timers are a second long: one that fires for nothing costs less than its change. */
    bool patient = kind == PRODUCTION_WORK_BANK;
    switch (production_timer_arm(next, *due, fired, patient, s->now)) {
    case PRODUCTION_TIMER_KEEP:
        break;
    case PRODUCTION_TIMER_PUT:
        w.attempt = (uint32_t)++ * attempt;
        *due = next;
        cf_work_put(s, &w);
        break;
    case PRODUCTION_TIMER_DROP:
        *due = 0;
        cf_work_drop(s, w.id);
        break;
    }
}
