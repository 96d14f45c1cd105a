/* The holder's steps, and production's description for the stage. */
#include "services/production/handlers.h"

#include "services/production/early.h"

/* What a step of a holder works on. */
struct scene {
    struct cf_step *s;
    const struct production_env *env;
    struct production_world world;
    struct production_holder h;
    struct production_early_list early;
    struct production_effects fx;
};

static const cf_ms COMMAND_AGE_MS = 7 * (cf_ms)CF_MS_PER_DAY;

/* ---- one message on the holder ------------------------------------------------------------- */

static void put_person(struct cf_step *s, const struct production_accepted *a)
{
    struct production_person row = {a->person};
    cf_aux_add(s, PRODUCTION_PERSON, a->app_id, &row);
}

static enum production_fit on_accepted(struct scene *c, const struct production_accepted *a)
{
    enum production_fit fit = production_on_accepted(&c->h, a, &c->fx);
    /* Written once; a closed application has no slot and needs no person. */
    struct production_slot *slot =
        fit == PRODUCTION_MOVE ? production_slot_of(&c->h, a->app_id) : NULL;
    if (!slot) return fit;
    put_person(c->s, a);
    production_deadline_begin(slot, &c->world, &c->fx);
    return fit;
}

static enum production_fit recalculate(struct scene *c, const struct production_recalculation *m)
{
    enum production_fit fit = production_on_recalculation(&c->h, m, &c->world, &c->fx);
    /* cardctl counts by another calendar or other policies than this service: its own count. */
    if (fit == PRODUCTION_AHEAD) cf_count(c->s, "recalculation_differs");
    return fit == PRODUCTION_AHEAD ? PRODUCTION_ALREADY : fit;
}

/* The person must be there before the card is ordered. */
static enum production_fit on_supplement(struct scene *c, const struct production_supplement *m)
{
    enum production_fit fit = production_on_supplement(&c->h, m, &c->fx);
    struct production_person row = {m->person};
    if (c->fx.list[0].n_reasons == 0) /* the answer comes first */
        cf_aux_put(c->s, PRODUCTION_PERSON, m->app_id, &row);
    return fit;
}

static enum production_fit operate(struct scene *c, const struct production_op *op, bool waited)
{
    struct production_op *mine = cf_arena_dup(c->s->arena, op, sizeof *op);
    uint8_t id[16];
    mine->waited = waited;
    production_issued_id(&c->s->msg->key, op->card_no, id);
    mine->issued = op->card_no.len && !cf_str_is(op->card_no, c->h.permanent.made.no) &&
                   cf_aux_get(c->s, PRODUCTION_ISSUED, id);
    return production_operate(&c->h, mine, &c->world, &c->fx);
}

/* A card that was made again more than once has several numbers before its own. */
static enum production_fit on_result(struct scene *c, const struct production_result *r)
{
    struct production_result mine = *r;
    uint8_t id[16];
    /* What is tried again was refused when it came. */
    mine.fee_told = r != c->s->msg->body || cf_aux_get(c->s, PRODUCTION_OPERATION, r->id);
    const struct production_slot *slot = production_slot_of(&c->h, r->app_id);
    if (slot && r->card_no.len && !cf_str_is(r->card_no, slot->made.no) &&
        !cf_str_is(r->card_no, slot->card.no)) {
        production_issued_id(&c->s->msg->key, r->card_no, id);
        const struct production_issued *row = cf_aux_get(c->s, PRODUCTION_ISSUED, id);
        mine.earlier = row && memcmp(row->app_id, r->app_id, 16) == 0;
    }
    return production_on_result(&c->h, &mine, &c->world, &c->fx);
}

static enum production_fit put(struct scene *c, enum production_message type, const void *body)
{
    switch (type) {
    case PRODUCTION_M_ACCEPTED:
        return on_accepted(c, body);
    case PRODUCTION_M_SUPPLEMENT:
        return on_supplement(c, body);
    case PRODUCTION_M_WITHDRAWAL:
        return production_on_withdrawal(&c->h, body, &c->fx);
    case PRODUCTION_M_ENROLMENT:
        return production_on_enrolment(&c->h, body, &c->fx);
    case PRODUCTION_M_PHOTO_READY:
        return production_on_photo_ready(&c->h, body, &c->fx);
    case PRODUCTION_M_PHOTO_MISSING:
        return production_on_photo_missing(&c->h, body);
    case PRODUCTION_M_PHOTO_ENDED:
        return production_on_photo_ended(&c->h, body, &c->fx);
    case PRODUCTION_M_OPERATION:
        return operate(c, body, false);
    case PRODUCTION_M_RESULT:
        return on_result(c, body);
    case PRODUCTION_M_BATCHED:
        return production_on_batched(&c->h, body, &c->world, &c->fx);
    case PRODUCTION_M_DEQUEUED:
        return production_on_dequeued(&c->h, body, &c->fx);
    case PRODUCTION_M_EXTENSION:
        return production_on_extension(&c->h, body, &c->world, &c->fx);
    case PRODUCTION_M_RECALCULATE:
        return recalculate(c, body);
    case PRODUCTION_M_COLLECT:
        return production_on_collection(&c->h, body, &c->fx);
    case PRODUCTION_M_SETTLE:
        return production_on_settlement(&c->h, body, &c->fx);
    case PRODUCTION_M_TRIES:
        return production_on_tries(&c->h, body, &c->fx);
    case PRODUCTION_M_NONE:
    case PRODUCTION_M_HOLDER_DUE:
    case PRODUCTION_M_SIGNATURE:
    case PRODUCTION_M_DECIDED:
    case PRODUCTION_M_NOTICE_DUE:
    case PRODUCTION_M_ACKNOWLEDGED:
    case PRODUCTION_M_ALIASED:
    case PRODUCTION_M_NEWER:
    case PRODUCTION_M_ENQUEUE:
    case PRODUCTION_M_DEQUEUE:
    case PRODUCTION_M_LINE_RESULT:
    case PRODUCTION_M_CLOSE_BATCH:
    case PRODUCTION_M_BANK_DUE:
        break;
    }
    return PRODUCTION_ILLEGAL;
}

/* ---- what was kept ------------------------------------------------------------------------- */

/* Tries everything kept, again and again while something fits. What contradicts by now stays where
 * it is until its alarm. */
static int try_early(struct scene *c)
{
    int e = 0;
    for (size_t i = 0; i < c->early.n && !e;) {
        const struct production_early *k = &c->early.list[i];
        const void *body = production_codec_again(c->s->arena, k->type, k->bytes);
        enum production_fit fit = body ? put(c, k->type, body) : PRODUCTION_ILLEGAL;
        if (fit == PRODUCTION_AHEAD || fit == PRODUCTION_ILLEGAL) {
            i++;
            continue;
        }
        production_early_remove(&c->early, i);
        e = production_apply(c->s, &c->fx);
        if (fit == PRODUCTION_MOVE) i = 0;
    }
    return e;
}

/* The activation that was kept, or NULL. A release waits on: the bank's shard will say what becomes
 * of it, and may have the replacement withdrawn already. */
static const struct production_op *activation_of(struct scene *c, const struct production_early *k)
{
    const struct production_op *op = k->type == PRODUCTION_M_OPERATION
                                         ? production_codec_again(c->s->arena, k->type, k->bytes)
                                         : NULL;
    return op && op->what == PRODUCTION_OP_ACTIVATE ? op : NULL;
}

static int early_due(struct scene *c)
{
    int e = 0;
    for (size_t i = 0; i < c->early.n && !e;) {
        struct production_early *k = &c->early.list[i];
        if (!production_early_overdue(k, c->world.policy, c->world.now)) {
            i++;
            continue;
        }
        const struct production_op *activation = activation_of(c, k);
        if (!activation) {
            /* A person must look; what was kept stays, its application has not moved. */
            cf_count(c->s, "early_overdue");
            k->alarmed = true;
            i++;
            continue;
        }
        production_early_remove(&c->early, i);
        (void)operate(c, activation, true);
        e = production_apply(c->s, &c->fx);
    }
    return e;
}

/* ---- commands ------------------------------------------------------------------------------ */

/* A card without number gets one of ours; a number that comes along may have been given before. */
static void number_import(struct scene *c, struct production_op *op)
{
    uint8_t id[16];
    if (op->what != PRODUCTION_OP_IMPORT_CARD || op->late || op->too_many) return;
    if (op->card_no.len) {
        production_issued_id(&c->s->msg->key, op->card_no, id);
        op->import.known = cf_aux_get(c->s, PRODUCTION_ISSUED, id) != NULL;
    } else if (!production_take_number(c->s, op->import.number)) {
        op->import.number[0] = 0;
    }
}

/* Judges a command by its id; false: it was here before. */
static bool admit(struct scene *c, struct production_row *row, bool *late, bool *too_many)
{
    const struct cf_msg *m = c->s->msg;
    cf_ms sent_at = m->sent_at ? m->sent_at : c->s->now;
    if (cf_ids_known(row->command_ids, m->id)) return false;
    if (sent_at < c->s->now - COMMAND_AGE_MS) {
        *late = true; /* its id may have been forgotten: it cannot be known what it did */
        return true;
    }
    if (!cf_ids_add(c->s, &row->command_ids, m->id, c->s->now)) *too_many = true;
    return true;
}

/* A report that comes twice must not lock again what was reset meanwhile. */
static bool reported_before(struct scene *c, struct production_row *row)
{
    const struct production_tries *t = c->s->msg->body;
    if (c->s->msg->type != PRODUCTION_M_TRIES) return false;
    return cf_ids_known(row->command_ids, t->id) ||
           !cf_ids_add(c->s, &row->command_ids, t->id, c->s->now);
}

/* ---- the step ------------------------------------------------------------------------------ */

static int open_scene(struct scene *c, struct cf_step *s, const struct production_row *row)
{
    c->s = s;
    c->env = s->env;
    c->world = production_world_of(c->env, s->now);
    c->fx.n = 0;
    c->early.n = 0;
    int e = production_row_open(s->arena, row, &c->h);
    if (!e && !production_early_read(row->early, &c->early)) e = CF_E_DATA;
    if (e) s->reason = "the holder's row cannot be read";
    return e;
}

static void close_scene(struct scene *c, struct production_row *row)
{
    cf_ms next = production_next_due(&c->h);
    cf_ms early = production_early_next_due(&c->early, c->world.policy);
    if (early && (!next || early < next)) next = early;
    cf_ms mark = production_deadline_next_due(&c->h, &c->world);
    /* The first timer is no later than the bank's answer will be due: the usual path of a card
     * still writes one row of work. It looks again when it fires. */
    cf_ms look = c->world.now + c->world.policy->answer_ms;
    if (mark && !row->timer_due && mark > look) mark = look;
    if (mark && (!next || mark < next)) next = mark;
    production_row_close(c->s->arena, &c->h, row);
    row->early = production_early_write(c->s->arena, &c->early);
    production_arm(c->s, PRODUCTION_WORK_HOLDER, next, &row->timer_due, &row->timer_attempt);
}

static int keep(struct scene *c)
{
    const struct cf_msg *m = c->s->msg;
    enum production_message type = (enum production_message)m->type;
    struct production_early e = {
        .type = type,
        .since = c->world.now,
        .bytes = production_codec_result_of(c->s->arena, c->s->rec),
    };
    if (type == PRODUCTION_M_OPERATION) {
        const struct production_op *op = m->body;
        e.asked = op->asked && op->what == PRODUCTION_OP_ACTIVATE;
        e.bytes = op->packed;
    }
    if (type == PRODUCTION_M_RESULT && production_early_has(c->s->arena, &c->early, m->body)) {
        cf_count(c->s, "duplicate_early");
        return 0;
    }
    if (production_early_add(&c->early, &e)) return 0;
    if (type == PRODUCTION_M_OPERATION) {
        (void)operate(c, m->body, true);
        return production_apply(c->s, &c->fx);
    }
    c->s->reason = "too many answers ahead of the state";
    return CF_E_ILLEGAL;
}

static int holder_due(struct scene *c)
{
    production_on_due(&c->h, &c->world, &c->fx);
    production_deadline_due(&c->h, &c->world, &c->fx);
    int e = production_apply(c->s, &c->fx);
    if (!e) e = early_due(c);
    if (!e) e = try_early(c);
    return e;
}

static int contradiction(struct scene *c)
{
    c->s->reason = c->s->msg->type == PRODUCTION_M_RESULT ? "answer contradicts the state"
                                                          : "event not allowed in state";
    return CF_E_ILLEGAL;
}

static int decide(struct scene *c, struct production_row *row, bool *changed)
{
    const struct cf_msg *m = c->s->msg;
    const void *body = m->body;
    int e = 0;
    if (m->type == PRODUCTION_M_HOLDER_DUE) {
        *changed = true;
        return holder_due(c);
    }
    if (m->type == PRODUCTION_M_OPERATION) {
        struct production_op *op = cf_arena_dup(c->s->arena, body, sizeof(struct production_op));
        e = production_check_persons(c->s, row, op);
        if (e) return e;
        if (!admit(c, row, &op->late, &op->too_many)) {
            cf_count(c->s, "duplicate_command");
            return 0;
        }
        if (production_leads_on(row, &c->h, op)) {
            *changed = true;
            production_lead_on(c->s, row, op);
            return 0;
        }
        number_import(c, op);
        body = op;
    }
    if (m->type == PRODUCTION_M_COLLECT) {
        struct production_collection *take = cf_arena_dup(c->s->arena, body, sizeof *take);
        if (!admit(c, row, &take->late, &take->too_many)) {
            cf_count(c->s, "duplicate_command");
            return 0;
        }
        body = take;
    }
    if (m->type == PRODUCTION_M_SETTLE) {
        struct production_settlement *settle = cf_arena_dup(c->s->arena, body, sizeof *settle);
        if (!admit(c, row, &settle->late, &settle->too_many)) {
            cf_count(c->s, "duplicate_command");
            return 0;
        }
        body = settle;
    }
    if (production_result_led_on(c->s, row, &c->h)) return 0;
    if (reported_before(c, row)) {
        cf_count(c->s, "duplicate_command");
        return 0;
    }
    if (m->type == PRODUCTION_M_ALIASED) {
        *changed = true;
        production_on_aliased(c->s, row, body);
        return 0;
    }
    switch (put(c, (enum production_message)m->type, body)) {
    case PRODUCTION_MOVE:
        *changed = true;
        e = production_apply(c->s, &c->fx);
        return e ? e : try_early(c);
    case PRODUCTION_AHEAD:
        *changed = true;
        e = production_apply(c->s, &c->fx);
        return e ? e : keep(c);
    case PRODUCTION_ALREADY:
        *changed = m->type == PRODUCTION_M_TRIES; /* its id is kept */
        return 0;
    case PRODUCTION_ENDED:
        cf_count(c->s, "dropped_ended");
        return 0;
    case PRODUCTION_ILLEGAL:
        return contradiction(c);
    }
    return 0;
}

/* Whoever can write the topic may name any operation: it must be this holder's, with this voucher.
 * A second signature changes nothing. */
static void put_signature(struct cf_step *s)
{
    const struct production_signed *b = s->msg->body;
    const struct production_answer *op = cf_aux_get(s, PRODUCTION_OPERATION, b->operation_id);
    if (!op || !op->voucher_no.len || !cf_str_eq(op->voucher_no, b->voucher_no)) {
        cf_count(s, "dropped_signature");
        return;
    }
    struct production_signature row = {b->signer, b->role, b->method, b->staff_id, b->signed_at};
    cf_aux_put(s, PRODUCTION_SIGNATURE, b->operation_id, &row);
}

static void put_decided(struct cf_step *s)
{
    const struct production_decided *b = s->msg->body;
    const struct production_answer row = {.operation = b->operation,
                                          .result = b->result,
                                          .reasons = b->reasons,
                                          .voucher_no = b->voucher_no,
                                          .notice_no = b->notice_no,
                                          .channel = b->channel,
                                          .holder = s->msg->key,
                                          .at = s->now};
    cf_aux_put(s, PRODUCTION_OPERATION, b->command_id, &row);
}

int production_decide_holder(struct cf_step *s, struct production_row *row, bool *changed)
{
    if (s->msg->type == PRODUCTION_M_SIGNATURE) {
        put_signature(s);
        return 0;
    }
    if (s->msg->type == PRODUCTION_M_NEWER) {
        production_put_newer(s);
        return 0;
    }
    if (s->msg->type == PRODUCTION_M_DECIDED) {
        put_decided(s);
        return 0;
    }
    if (s->msg->type == PRODUCTION_M_NOTICE_DUE) return production_decide_notice(s);
    if (s->msg->type == PRODUCTION_M_ACKNOWLEDGED)
        return production_result_led_on(s, row, NULL) ? 0 : production_decide_notice(s);
    /* 9 KB that nothing outlives: not in the arena, which keeps them for the whole batch. */
    struct scene c;
    int e = open_scene(&c, s, row);
    if (!e) e = decide(&c, row, changed);
    if (!e && *changed) close_scene(&c, row);
    return e;
}

int production_decide(struct cf_step *s, void *aggregate, bool exists, bool *changed)
{
    (void)exists;
    *changed = false;
    return s->msg->kind == PRODUCTION_BANK ? production_decide_bank(s, aggregate, changed)
                                           : production_decide_holder(s, aggregate, changed);
}

/* ---- the service --------------------------------------------------------------------------- */

static const struct cf_number_kind numbers[PRODUCTION_NUMBERS] = {
    [PRODUCTION_NUMBER_CARD] = {"card",    2                              },
    [PRODUCTION_NUMBER_VOUCHER] = {"voucher", PRODUCTION_EARLY_OPERATIONS + 1},
    [PRODUCTION_NUMBER_NOTICE] = {"notice",  PRODUCTION_EARLY_OPERATIONS + 6},
};

struct cf_service production_service(const struct production_env *env)
{
    return (struct cf_service){
        .name = "production",
        .in = production_topics_in,
        .out = production_topics_out,
        .kinds = production_kinds,
        .n_kinds = PRODUCTION_KINDS,
        .aux = production_aux_rows,
        .n_aux = PRODUCTION_AUX,
        .numbers = numbers,
        .n_numbers = PRODUCTION_NUMBERS,
        .env = env,
        .decode = production_decode,
        .wants = production_wants,
        .decide = production_decide,
    };
}
