/* Decoding production.internal: steps between holder and bank, and timers. */
#include "services/production/codec_inside.h"

#include "cardflow/v1/card.pb-c.h"

/* Which timer is whose. */
static const struct {
    uint16_t kind;
    enum production_message type;
} due[] = {
    [PRODUCTION_WORK_HOLDER] = {PRODUCTION_HOLDER, PRODUCTION_M_HOLDER_DUE},
    [PRODUCTION_WORK_BANK] = {PRODUCTION_BANK,   PRODUCTION_M_BANK_DUE  },
    [PRODUCTION_WORK_NOTICE] = {PRODUCTION_HOLDER, PRODUCTION_M_NOTICE_DUE},
};

static int work_outcomes(struct cf_decode *d, const Cardflow__V1__WorkOutcome *w)
{
    if (w->n_items > d->max) return production_codec_wrong(d, "work: too many items");
    for (size_t i = 0; i < w->n_items; i++) {
        const Cardflow__V1__WorkOutcome__Item *it = w->items[i];
        struct cf_key key;
        uint8_t id[16];
        if (!production_codec_id(it->work_id, id) || !cf_key_bytes(it->key.data, it->key.len, &key))
            return production_codec_wrong(d, "work_id, key: malformed");
        if (it->kind >= sizeof due / sizeof *due || !due[it->kind].type)
            return production_codec_wrong(d, "kind: unknown");
        struct cf_msg *m =
            production_codec_add(d, due[it->kind].kind, due[it->kind].type, &key, NULL);
        m->is_outcome = true;
        memcpy(m->work_id, id, 16);
        m->attempt = it->attempt;
    }
    return 0;
}

static int enqueue(struct cf_decode *d, const struct cf_key *key,
                   const Cardflow__V1__ProductionInternal__Enqueue *in)
{
    struct production_enqueue_body *b = cf_arena_zero(d->arena, sizeof *b);
    if (!cf_key_bytes(in->holder.data, in->holder.len, &b->holder) ||
        !production_codec_id(in->application_id, b->app_id) ||
        !production_codec_ref(in->photo_ref, b->photo_ref))
        return production_codec_wrong(d, "holder, application_id, photo_ref: malformed");
    b->kind = (enum cf_app_kind)in->kind;
    b->bank = production_codec_text(in->bank_code);
    b->card_no = production_codec_text(in->card_no);
    b->person = cf_bytes(in->person);
    b->outlet = production_codec_text(in->outlet_code);
    b->due_on = in->due_on;
    b->priority = in->priority;
    production_codec_add(d, PRODUCTION_BANK, PRODUCTION_M_ENQUEUE, key, b);
    return 0;
}

static int dequeue(struct cf_decode *d, const struct cf_key *key,
                   const Cardflow__V1__ProductionInternal__Dequeue *in)
{
    struct production_dequeue_body *b = cf_arena_zero(d->arena, sizeof *b);
    if (!cf_key_bytes(in->holder.data, in->holder.len, &b->holder) ||
        !production_codec_id(in->application_id, b->app_id))
        return production_codec_wrong(d, "holder, application_id: malformed");
    b->bank = production_codec_text(in->bank_code);
    production_codec_add(d, PRODUCTION_BANK, PRODUCTION_M_DEQUEUE, key, b);
    return 0;
}

static int batched(struct cf_decode *d, const struct cf_key *key,
                   const Cardflow__V1__ProductionInternal__Batched *in)
{
    struct production_batched *b = cf_arena_zero(d->arena, sizeof *b);
    if (!production_codec_id(in->application_id, b->app_id) ||
        !production_codec_id(in->batch_id, b->batch_id))
        return production_codec_wrong(d, "application_id, batch_id: 16 bytes");
    b->card_no = production_codec_text(in->card_no);
    b->line_no = in->line_no;
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_BATCHED, key, b);
    return 0;
}

static enum production_line_end line_end(struct cf_str s)
{
    if (cf_str_is(s, "made")) return PRODUCTION_LINE_MADE;
    if (cf_str_is(s, "failed")) return PRODUCTION_LINE_FAILED;
    if (cf_str_is(s, "missing")) return PRODUCTION_LINE_MISSING;
    return cf_str_is(s, "late_voided") ? PRODUCTION_LINE_LATE_VOIDED : PRODUCTION_LINE_NONE;
}

static int line_result(struct cf_decode *d, const struct cf_key *key,
                       const Cardflow__V1__ProductionInternal__LineResult *in)
{
    struct production_line_body *b = cf_arena_zero(d->arena, sizeof *b);
    if (!production_codec_id(in->batch_id, b->batch_id))
        return production_codec_wrong(d, "batch_id: 16 bytes");
    b->line_no = in->line_no;
    b->end = line_end(production_codec_text(in->result));
    if (b->end == PRODUCTION_LINE_NONE) return production_codec_wrong(d, "result: unknown");
    struct cf_msg *m = production_codec_add(d, PRODUCTION_BANK, PRODUCTION_M_LINE_RESULT, key, b);
    /* A late answer names batch and line in the bank's own words. When they are wrong the queue of
     * the bank must not stand still for it. */
    m->optional = b->end == PRODUCTION_LINE_LATE_VOIDED;
    return 0;
}

static int close_batch(struct cf_decode *d, const struct cf_key *key,
                       const Cardflow__V1__ProductionInternal__CloseBatch *in)
{
    struct production_close_body *b = cf_arena_zero(d->arena, sizeof *b);
    if (in->lane >= PRODUCTION_LANES || in->from == 0 || in->to < in->from || in->to > INT64_MAX)
        return production_codec_wrong(d, "lane, from, to: out of range");
    b->lane = in->lane;
    b->from = (int64_t)in->from;
    b->to = (int64_t)in->to;
    production_codec_add(d, PRODUCTION_BANK, PRODUCTION_M_CLOSE_BATCH, key, b);
    return 0;
}

static int dequeued(struct cf_decode *d, const struct cf_key *key,
                    const Cardflow__V1__ProductionInternal__Dequeued *in)
{
    struct production_dequeued *b = cf_arena_zero(d->arena, sizeof *b);
    if (!production_codec_id(in->application_id, b->app_id))
        return production_codec_wrong(d, "application_id: 16 bytes");
    b->out = in->out;
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_DEQUEUED, key, b);
    return 0;
}

static int recalculate(struct cf_decode *d, const struct cf_key *key,
                       const Cardflow__V1__ProductionInternal__Recalculate *in)
{
    struct production_recalculation *b = cf_arena_zero(d->arena, sizeof *b);
    if (!production_codec_id(in->application_id, b->app_id))
        return production_codec_wrong(d, "application_id: 16 bytes");
    b->due_on = in->due_on;
    b->provisional = in->provisional;
    b->reason = production_codec_text(in->reason);
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_RECALCULATE, key, b);
    return 0;
}

static int operation(struct cf_decode *d, const struct cf_key *key,
                     const Cardflow__V1__ProductionInternal__Operation *in)
{
    struct cf_key owner = *key;
    const Cardflow__V1__CardCommand *c =
        cf_unpack(d->arena, &cardflow__v1__card_command__descriptor, cf_bytes(in->command));
    struct production_op *b =
        c ? production_codec_operation_body(d->arena, c, cf_bytes(in->command)) : NULL;
    if (!b) return production_codec_wrong(d, "command: malformed");
    if (in->owner.len && !cf_key_bytes(in->owner.data, in->owner.len, &owner))
        return production_codec_wrong(d, "owner: 1 to 63 bytes");
    /* Of before there was an owner: its persons were looked at where it came in. */
    int e = in->owner.len ? production_codec_persons(d, &owner, c, in->sent_at_ms, b) : 0;
    if (e) return e;
    b->asked = in->asked;
    struct cf_msg *m = production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_OPERATION, key, b);
    m->is_command = true;
    memcpy(m->id, b->id, 16);
    m->sent_at = in->sent_at_ms;
    return 0;
}

static int newer(struct cf_decode *d, const struct cf_key *key, struct cf_str reference)
{
    struct cf_key *b = cf_arena_zero(d->arena, sizeof *b);
    if (reference.len != CF_REF_LEN || !cf_key_bytes(reference.ptr, reference.len, b))
        return production_codec_wrong(d, "newer: 16 bytes");
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_NEWER, key, b)->no_row = true;
    return 0;
}

struct cf_str production_codec_newer(struct cf_arena *a, const struct cf_key *reference)
{
    Cardflow__V1__ProductionInternal m;
    cardflow__v1__production_internal__init(&m);
    m.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_NEWER;
    m.newer = cf_data(cf_key_str(reference));
    return cf_pack(a, &m.base);
}

struct cf_str production_codec_result_on(struct cf_arena *a, struct cf_str result)
{
    Cardflow__V1__ProductionInternal m;
    cardflow__v1__production_internal__init(&m);
    m.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_BANK_RESULT;
    m.bank_result = cf_data(result);
    return cf_pack(a, &m.base);
}

struct cf_str production_codec_result_of(struct cf_arena *a, const struct cf_record *rec)
{
    if (rec->topic != PRODUCTION_IN_INTERNAL) return rec->value;
    const Cardflow__V1__ProductionInternal *m =
        cf_unpack(a, &cardflow__v1__production_internal__descriptor, rec->value);
    if (!m) CF_BUG("a record that was decoded does not unpack");
    return m->body_case == CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_BANK_RESULT
               ? cf_bytes(m->bank_result)
               : rec->value;
}

/* What is for a bank comes under bank:<code>, and the code goes into text columns. */
static bool keys_ok(const struct cf_decode *d)
{
    const struct cf_str prefix = CF_STR("bank:");
    for (size_t i = 0; i < d->n; i++) {
        struct cf_str key = cf_key_str(&d->msgs[i].key);
        if (d->msgs[i].kind != PRODUCTION_BANK) continue;
        if (key.len <= prefix.len || memcmp(key.ptr, prefix.ptr, prefix.len) != 0 ||
            !cf_utf8_valid(key))
            return false;
    }
    return true;
}

static int body(struct cf_decode *d, const struct cf_record *rec)
{
    const Cardflow__V1__ProductionInternal *m =
        cf_unpack(d->arena, &cardflow__v1__production_internal__descriptor, rec->value);
    struct cf_key key;
    if (!m) return production_codec_wrong(d, "value: not a ProductionInternal");
    if (!cf_key_bytes(rec->key.ptr, rec->key.len, &key))
        return production_codec_wrong(d, "key: 1 to 63 bytes");
    switch (m->body_case) {
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_WORK:
        return work_outcomes(d, m->work);
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_ENQUEUE:
        return enqueue(d, &key, m->enqueue);
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_BATCHED:
        return batched(d, &key, m->batched);
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_LINE_RESULT:
        return line_result(d, &key, m->line_result);
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_CLOSE_BATCH:
        return close_batch(d, &key, m->close_batch);
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_DEQUEUE:
        return dequeue(d, &key, m->dequeue);
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_DEQUEUED:
        return dequeued(d, &key, m->dequeued);
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_RECALCULATE:
        return recalculate(d, &key, m->recalculate);
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_OPERATION:
        return operation(d, &key, m->operation);
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_BANK_RESULT:
        return production_codec_bank_result(d, &key, cf_bytes(m->bank_result));
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_NEWER:
        return newer(d, &key, cf_bytes(m->newer));
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_PROMISED:
    case CARDFLOW__V1__PRODUCTION_INTERNAL__BODY__NOT_SET:
    case _CARDFLOW__V1__PRODUCTION_INTERNAL__BODY__CASE_IS_INT_SIZE:
        break;
    }
    return production_codec_wrong(d, "body: unknown");
}

int production_codec_internal(struct cf_decode *d, const struct cf_record *rec)
{
    int e = body(d, rec);
    return e || keys_ok(d) ? e : production_codec_wrong(d, "key: bank:<code>");
}
