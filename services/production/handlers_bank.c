/* The bank's steps: queue, batches, reconciliation; and the wide rows that steps need. */
#include "common/io/ids.h"
#include "services/production/handlers.h"

struct bank_scene {
    struct cf_step *s;
    const struct production_env *env;
    struct production_world world;
    struct production_bank b;
    struct production_bank_row *row;
    struct cf_str code;
};

/* The bank's code is in its key, bank:<code>. */
static struct cf_str code_of(const struct cf_key *key)
{
    struct cf_str s = cf_key_str(key);
    const size_t prefix = sizeof "bank:" - 1;
    return s.len > prefix ? (struct cf_str){s.ptr + prefix, s.len - prefix} : (struct cf_str){0};
}

void production_line_id(struct cf_str bank, unsigned lane, int64_t no, uint8_t id[16])
{
    char place[16];
    for (int i = 0; i < 8; i++)
        place[i] = (char)((uint64_t)no >> 8 * i & 0xff);
    place[8] = (char)lane;
    cf_uuid8_of(id, CF_STR("production.line"), bank, ((struct cf_str){place, 9}));
}

static void batch_id(struct cf_str bank, const struct production_close_body *c, uint8_t id[16])
{
    uint8_t last[16];
    /* The last line is in one batch only. */
    production_line_id(bank, c->lane, c->to, last);
    cf_uuid8_of(id, CF_STR("production.batch"), ((struct cf_str){(const char *)last, 16}));
}

static void send_close(struct bank_scene *c, const struct production_close *close)
{
    if (close->yes)
        cf_send_bytes(c->s, PRODUCTION_OUT_INTERNAL, &c->s->msg->key, "production.close_batch",
                      production_codec_close(c->s->arena, close));
}

/* ---- queue --------------------------------------------------------------------------------- */

static void enqueue(struct bank_scene *c, const struct production_enqueue_body *q)
{
    struct production_queued at;
    struct production_line line = {
        .holder = q->holder,
        .app_kind = (int16_t)q->kind,
        .card_no = q->card_no,
        .person = q->person,
        .outlet = q->outlet,
        .due_on = q->due_on,
        .queued_at = c->s->now,
    };
    uint8_t id[16];
    char *room = cf_arena_alloc(c->s->arena, c->b.days.len + PRODUCTION_DAY_LEN);
    production_enqueue(&c->b, q->priority, &c->world, room, &at);
    line.lane = (int16_t)at.lane;
    line.no = at.no;
    memcpy(line.app_id, q->app_id, 16);
    memcpy(line.photo_ref, q->photo_ref, 16);
    production_line_id(c->code, at.lane, at.no, id);
    cf_aux_add(c->s, PRODUCTION_LINE, id, &line);
    /* Straight to the public topic: the holder's shard has nothing to decide about it. */
    cf_send_bytes(c->s, PRODUCTION_OUT_CARD, &q->holder, "card.promised",
                  production_codec_promised(c->s->arena, q, &at, c->s->now));
    send_close(c, &at.close);
}

static const struct production_line *line_at(struct bank_scene *c, unsigned lane, int64_t no)
{
    uint8_t id[16];
    production_line_id(c->code, lane, no, id);
    return cf_aux_get(c->s, PRODUCTION_LINE, id);
}

/* Is the application still waiting in one of the lanes? Only then may it leave. */
static bool leave_queue(struct bank_scene *c, const struct production_dequeue_body *q)
{
    for (unsigned lane = 0; lane < PRODUCTION_LANES; lane++) {
        const struct production_lane *l = &c->b.lane[lane];
        for (int64_t no = l->closed + 1; no <= l->last; no++) {
            const struct production_line *line = line_at(c, lane, no);
            if (!line || memcmp(line->app_id, q->app_id, 16) != 0) continue;
            if (production_bank_left(&c->b, lane, no)) continue;
            production_bank_leave(&c->b, lane, no, cf_arena_alloc(c->s->arena, c->b.out.len + 9));
            return true;
        }
    }
    return false;
}

static void dequeue(struct bank_scene *c, const struct production_dequeue_body *q)
{
    bool out = leave_queue(c, q);
    cf_send_bytes(c->s, PRODUCTION_OUT_INTERNAL, &q->holder, "production.dequeued",
                  production_codec_dequeued(c->s->arena, q->app_id, out));
}

/* ---- batches ------------------------------------------------------------------------------- */

static void send_line(struct bank_scene *c, const struct production_line *line,
                      const uint8_t id[16], uint32_t line_no)
{
    struct cf_arena *a = c->s->arena;
    cf_send_bytes(c->s, PRODUCTION_OUT_ORDERS, &c->s->msg->key, "bank.line",
                  production_codec_order(a, line, id, line_no, c->code));
    cf_send_bytes(c->s, PRODUCTION_OUT_INTERNAL, &line->holder, "production.batched",
                  production_codec_batched(a, line, id, line_no, c->code));
}

static void send_manifest(struct bank_scene *c, const struct cf_str *hashed, uint32_t lines,
                          const uint8_t id[16])
{
    uint8_t hash[CF_SHA256_LEN];
    cf_sha256_parts(hashed, 2 * (size_t)lines, hash);
    cf_send_bytes(c->s, PRODUCTION_OUT_ORDERS, &c->s->msg->key, "bank.manifest",
                  production_codec_manifest(c->s->arena, id, lines, hash, c->code));
}

static int close_batch(struct bank_scene *c, const struct production_close_body *q)
{
    size_t room = (size_t)(q->to - q->from + 1);
    struct cf_str *hashed = cf_arena_alloc(c->s->arena, 2 * room * sizeof *hashed);
    uint8_t id[16];
    uint32_t lines = 0;
    batch_id(c->code, q, id);
    for (int64_t no = q->from; no <= q->to; no++) {
        const struct production_line *line = line_at(c, q->lane, no);
        if (production_bank_left(&c->b, q->lane, no)) continue;
        if (!line) {
            c->s->reason = "a line of the batch is not there";
            return CF_E_DATA;
        }
        hashed[2 * lines] = (struct cf_str){(const char *)line->app_id, 16};
        hashed[2 * lines + 1] = line->card_no;
        send_line(c, line, id, ++lines);
    }
    if (c->b.out.len)
        production_bank_forget(&c->b, q->lane, q->to, cf_arena_alloc(c->s->arena, c->b.out.len));
    if (lines == 0) return 0; /* everybody has left */
    send_manifest(c, hashed, lines, id);
    struct production_batch row = {.bank = c->code,
                                   .ends = {cf_arena_zero(c->s->arena, lines), lines},
                                   .lane = (int16_t)q->lane,
                                   .first_no = q->from,
                                   .last_no = q->to,
                                   .lines = (int32_t)lines,
                                   .closed_at = c->s->now};
    cf_aux_add(c->s, PRODUCTION_BATCH, id, &row);
    c->row->batches++;
    c->row->sent += lines;
    return 0;
}

/* ---- reconciliation: sent = made + failed + missing + late_voided -------------------------- */

static struct production_tally tally_of(const struct production_batch *b)
{
    return (struct production_tally){b->lines,
                                     {0, b->made, b->failed, b->missing, b->late_voided}};
}

/* The batch as it stands now, and by how much the bank's own totals move. */
static void put_tally(struct production_batch *b, const struct production_tally *t,
                      struct production_bank_row *row)
{
    const int64_t *now = t->ended;
    row->made += now[PRODUCTION_LINE_MADE] - b->made;
    row->failed += now[PRODUCTION_LINE_FAILED] - b->failed;
    row->missing += now[PRODUCTION_LINE_MISSING] - b->missing;
    row->late_voided += now[PRODUCTION_LINE_LATE_VOIDED] - b->late_voided;
    b->made = (int32_t)now[PRODUCTION_LINE_MADE];
    b->failed = (int32_t)now[PRODUCTION_LINE_FAILED];
    b->missing = (int32_t)now[PRODUCTION_LINE_MISSING];
    b->late_voided = (int32_t)now[PRODUCTION_LINE_LATE_VOIDED];
}

static int line_result(struct bank_scene *c, const struct production_line_body *r)
{
    const struct production_batch *old = cf_aux_get(c->s, PRODUCTION_BATCH, r->batch_id);
    if (!old || r->line_no == 0 || r->line_no > old->ends.len) {
        c->s->reason = "no such line in a batch of this bank";
        return CF_E_ILLEGAL;
    }
    struct production_batch b = *old;
    struct production_tally t = tally_of(old);
    bool held = production_tally_holds(&t);
    uint8_t *ends = cf_arena_dup(c->s->arena, old->ends.ptr, old->ends.len);
    if (!production_line_put(&t, &ends[r->line_no - 1], r->end)) {
        cf_count(c->s, "line_ended_before");
        return 0;
    }
    b.ends = (struct cf_str){(const char *)ends, old->ends.len};
    put_tally(&b, &t, c->row);
    if (!held && production_tally_holds(&t)) c->row->reconciled++;
    cf_aux_put(c->s, PRODUCTION_BATCH, r->batch_id, &b);
    return 0;
}

/* ---- the step ------------------------------------------------------------------------------ */

static void bank_due(struct bank_scene *c)
{
    struct production_close close[PRODUCTION_LANES];
    production_bank_due(&c->b, &c->world, close);
    for (int i = 0; i < PRODUCTION_LANES; i++)
        send_close(c, &close[i]);
}

static int decide(struct bank_scene *c)
{
    const struct cf_msg *m = c->s->msg;
    switch ((enum production_message)m->type) {
    case PRODUCTION_M_ENQUEUE:
        enqueue(c, m->body);
        return 0;
    case PRODUCTION_M_DEQUEUE:
        dequeue(c, m->body);
        return 0;
    case PRODUCTION_M_LINE_RESULT:
        return line_result(c, m->body);
    case PRODUCTION_M_CLOSE_BATCH:
        return close_batch(c, m->body);
    case PRODUCTION_M_BANK_DUE:
        bank_due(c);
        return 0;
    case PRODUCTION_M_SIGNATURE:
    case PRODUCTION_M_NOTICE_DUE:
    case PRODUCTION_M_ACKNOWLEDGED:
    case PRODUCTION_M_SUPPLEMENT:
    case PRODUCTION_M_DECIDED:
    case PRODUCTION_M_COLLECT:
    case PRODUCTION_M_TRIES:
    case PRODUCTION_M_SETTLE:
    case PRODUCTION_M_ALIASED:
    case PRODUCTION_M_NEWER:
    case PRODUCTION_M_NONE:
    case PRODUCTION_M_ACCEPTED:
    case PRODUCTION_M_WITHDRAWAL:
    case PRODUCTION_M_ENROLMENT:
    case PRODUCTION_M_PHOTO_READY:
    case PRODUCTION_M_PHOTO_MISSING:
    case PRODUCTION_M_PHOTO_ENDED:
    case PRODUCTION_M_OPERATION:
    case PRODUCTION_M_RESULT:
    case PRODUCTION_M_BATCHED:
    case PRODUCTION_M_DEQUEUED:
    case PRODUCTION_M_EXTENSION:
    case PRODUCTION_M_RECALCULATE:
    case PRODUCTION_M_HOLDER_DUE:
        break;
    }
    return CF_E_ILLEGAL;
}

int production_decide_bank(struct cf_step *s, struct production_bank_row *row, bool *changed)
{
    const struct production_env *env = s->env;
    struct bank_scene c = {.s = s, .env = env, .row = row, .code = code_of(&s->msg->key)};
    c.world = production_world_of(env, s->now);
    if (c.code.len == 0) {
        s->reason = "key: bank:<code>";
        return CF_E_ILLEGAL;
    }
    production_bank_open(row, &c.b);
    int e = decide(&c);
    if (e) return e;
    production_bank_close(&c.b, row);
    row->code = c.code;
    production_arm(s, PRODUCTION_WORK_BANK, production_bank_next_due(&c.b, &env->policy),
                   &row->timer_due, &row->timer_attempt);
    *changed = true;
    return 0;
}

/* ---- wide rows that a step needs ----------------------------------------------------------- */

static void want(struct cf_want *wants, size_t *n, size_t max, uint16_t aux, const uint8_t id[16])
{
    if (*n == max) return;
    wants[*n].aux = aux;
    memcpy(wants[(*n)++].id, id, 16);
}

static size_t want_lines(struct cf_str bank, unsigned lane, int64_t from, int64_t to,
                         struct cf_want *wants, size_t n, size_t max)
{
    uint8_t id[16];
    for (int64_t no = from; no <= to && n < max; no++) {
        production_line_id(bank, lane, no, id);
        want(wants, &n, max, PRODUCTION_LINE, id);
    }
    return n;
}

static size_t bank_wants(const struct production_bank_row *row, const struct cf_msg *m,
                         struct cf_want *wants, size_t max)
{
    struct cf_str code = code_of(&m->key);
    size_t n = 0;
    if (m->type == PRODUCTION_M_CLOSE_BATCH) {
        const struct production_close_body *c = m->body;
        return want_lines(code, c->lane, c->from, c->to, wants, 0, max);
    }
    if (m->type == PRODUCTION_M_LINE_RESULT) {
        const struct production_line_body *r = m->body;
        want(wants, &n, max, PRODUCTION_BATCH, r->batch_id);
    }
    if (m->type == PRODUCTION_M_DEQUEUE)
        for (unsigned lane = 0; lane < PRODUCTION_LANES; lane++)
            n = want_lines(code, lane, row->closed[lane] + 1, row->last[lane], wants, n, max);
    return n;
}

/* The person is needed when a card is ordered: with the photo, and for a remake. */
static bool orders_card(const struct production_row *row, const struct cf_msg *m)
{
    if (m->type == PRODUCTION_M_PHOTO_READY || m->type == PRODUCTION_M_HOLDER_DUE ||
        m->type == PRODUCTION_M_SETTLE)
        return true;
    if (m->type == PRODUCTION_M_BATCHED) return row->early.len > 0;
    if (m->type != PRODUCTION_M_RESULT) return false;
    const struct production_result *r = m->body;
    return r->step == PRODUCTION_ON_FAILED || row->early.len > 0;
}

/* A card that is imported with its number, or a number that is none of the row's: was it given
 * before? */
static size_t want_number(const struct production_row *row, const struct cf_msg *m,
                          struct cf_want *wants, size_t max)
{
    const struct production_op *op = m->body;
    uint8_t id[16];
    size_t n = 0;
    bool present = op->what != PRODUCTION_OP_IMPORT_CARD &&
                   (cf_str_eq(op->card_no, row->made_no) || cf_str_eq(op->card_no, row->card_no));
    if (present || !op->card_no.len) return 0;
    production_issued_id(&m->key, op->card_no, id);
    want(wants, &n, max, PRODUCTION_ISSUED, id);
    return n;
}

/* A document of another reference: is it a newer one of the holder's? */
static size_t want_newer(const struct cf_msg *m, struct cf_want *wants, size_t n, size_t max)
{
    const struct production_op *op = m->body;
    const struct cf_key *references[] = {&op->of, &op->shown};
    uint8_t id[16];
    for (int i = 0; i < 2; i++) {
        if (!references[i]->len) continue;
        production_newer_id(&m->key, references[i], id);
        want(wants, &n, max, PRODUCTION_NEWER, id);
    }
    return n;
}

/* An answer about a card that is not the present one: was it made for this holder before? One with
 * a fee: was that refused before? */
static size_t want_earlier(const struct production_row *row, const struct cf_msg *m,
                           struct cf_want *wants, size_t max)
{
    const struct production_result *r = m->body;
    uint8_t id[16];
    size_t n = 0;
    if (r->fees) want(wants, &n, max, PRODUCTION_OPERATION, r->id);
    if (!r->card_no.len || cf_str_eq(r->card_no, row->made_no) ||
        cf_str_eq(r->card_no, row->card_no))
        return n;
    production_issued_id(&m->key, r->card_no, id);
    want(wants, &n, max, PRODUCTION_ISSUED, id);
    return n;
}

size_t production_wants(const void *aggregate, const struct cf_msg *m, struct cf_want *wants,
                        size_t max)
{
    static const uint8_t none[16];
    if (m->kind == PRODUCTION_BANK) return bank_wants(aggregate, m, wants, max);
    const struct production_row *row = aggregate;
    size_t n = 0;
    if (m->type == PRODUCTION_M_SIGNATURE) {
        const struct production_signed *b = m->body;
        want(wants, &n, max, PRODUCTION_OPERATION, b->operation_id);
        return n;
    }
    if (m->type == PRODUCTION_M_OPERATION)
        return want_newer(m, wants, want_number(row, m, wants, max), max);
    if (m->type == PRODUCTION_M_ACKNOWLEDGED) {
        const struct production_acknowledged *b = m->body;
        want(wants, &n, max, PRODUCTION_NOTICE, b->notice_id);
        return n;
    }
    if (m->type == PRODUCTION_M_NOTICE_DUE) {
        want(wants, &n, max, PRODUCTION_NOTICE, m->work_id);
        return n;
    }
    if (m->type == PRODUCTION_M_RESULT) n = want_earlier(row, m, wants, max);
    if (memcmp(row->app_id, none, 16) != 0 && orders_card(row, m))
        want(wants, &n, max, PRODUCTION_PERSON, row->app_id);
    return n;
}
