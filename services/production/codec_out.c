/* Encoding: decisions to the bytes of card.events, bank.orders, production.internal, and the
 * front's commands. */
#include "services/production/codec.h"

#include "cardflow/v1/card.pb-c.h"

static const uint8_t no_id[16];

/* protobuf-c's text fields are char *, and only read when packing. */
static char *z(struct cf_arena *a, struct cf_str s)
{
    struct cf_str copy = cf_arena_str(a, s.len ? s : CF_STR(""));
    return (char *)(uintptr_t)copy.ptr;
}

static char *lit(const char *s)
{
    return (char *)(uintptr_t)s;
}

static ProtobufCBinaryData id_or_none(const uint8_t id[16])
{
    if (memcmp(id, no_id, 16) == 0) return (ProtobufCBinaryData){0};
    return cf_data_id(id);
}

/* ---- card.events --------------------------------------------------------------------------- */

static void event(struct cf_arena *a, const struct production_effect *e, cf_ms at,
                  Cardflow__V1__CardEvent *out)
{
    cardflow__v1__card_event__init(out);
    out->application_id = id_or_none(e->app_id);
    out->kind = (Cardflow__V1__AppKind)e->app_kind;
    out->at_ms = at;
    out->bank_code = z(a, e->bank);
    out->outlet_code = z(a, e->outlet);
    out->card_no = z(a, cf_str_of(e->card.no));
}

struct cf_str production_codec_step(struct cf_arena *a, const struct production_effect *e, cf_ms at,
                                    struct cf_str notice_no)
{
    Cardflow__V1__CardEvent out;
    Cardflow__V1__CardEvent__Step s;
    event(a, e, at, &out);
    cardflow__v1__card_event__step__init(&s);
    s.state = lit(cf_app_state_name(e->state));
    s.reason = z(a, e->reason);
    s.batch_id = id_or_none(e->batch_id);
    s.line_no = e->line_no;
    s.notice_no = z(a, notice_no);
    s.respond_by = e->respond_by;
    s.until_on = e->until_on;
    s.needs_person = e->needs_person;
    out.body_case = CARDFLOW__V1__CARD_EVENT__BODY_STEP;
    out.step = &s;
    return cf_pack(a, &out.base);
}

static const char *financial_name(enum production_financial f)
{
    switch (f) {
    case PRODUCTION_FIN_ACTIVE:
        return "active";
    case PRODUCTION_FIN_CLOSED:
        return "closed";
    case PRODUCTION_FIN_NOT_OPENED:
        break;
    }
    return "not_opened";
}

static void put_add_ons(struct cf_arena *a, struct cf_str marks,
                        Cardflow__V1__CardEvent__CardChanged *c)
{
    struct production_add_on mark;
    struct cf_str rest = marks;
    while (production_add_on_next(&rest, &mark))
        c->n_add_ons++;
    if (c->n_add_ons == 0) return;
    Cardflow__V1__CardEvent__AddOn *list = cf_arena_alloc(a, c->n_add_ons * sizeof *list);
    c->add_ons = cf_arena_alloc(a, c->n_add_ons * sizeof *c->add_ons);
    for (size_t i = 0; production_add_on_next(&marks, &mark); i++) {
        c->add_ons[i] = &list[i];
        cardflow__v1__card_event__add_on__init(&list[i]);
        list[i].add_on = z(a, mark.name);
        list[i].opened_at_ms = mark.at;
        list[i].consent_by = lit(mark.by_guardian ? "guardian" : "holder");
    }
}

static Cardflow__V1__CardEvent__PasswordState password_state(enum production_password p)
{
    /* 0 on the wire: not told. */
    return (Cardflow__V1__CardEvent__PasswordState)((int)p + 1);
}

struct cf_str production_codec_changed(struct cf_arena *a, const struct production_effect *e,
                                       cf_ms at, struct cf_str voucher_no)
{
    Cardflow__V1__CardEvent out;
    Cardflow__V1__CardEvent__CardChanged c;
    event(a, e, at, &out);
    cardflow__v1__card_event__card_changed__init(&c);
    c.state = lit(cf_card_state_name(e->card.state));
    /* Reserved cards are hidden from everybody outside. */
    c.state_before = lit(e->before == CF_CARD_RESERVED ? "" : cf_card_state_name(e->before));
    c.temporary = e->temporary;
    c.has_photo = e->card.has_photo;
    c.valid_until = e->card.valid_until;
    c.financial_state = lit(financial_name(e->card.financial));
    c.operation = lit(e->word);
    c.handed_in = e->card.handed_in;
    c.voucher_no = z(a, voucher_no);
    c.issued_on = e->card.issued_on;
    c.social_security_password = password_state(e->card.password[0]);
    c.financial_password = password_state(e->card.password[1]);
    if (e->card.loss_until) c.loss_until_on = cf_day_of_ms(e->card.loss_until);
    put_add_ons(a, e->card.add_ons, &c);
    out.body_case = CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED;
    out.card_changed = &c;
    return cf_pack(a, &out.base);
}

struct cf_str production_codec_answered(struct cf_arena *a, const struct production_effect *e,
                                        cf_ms at, struct cf_str voucher_no, struct cf_str notice_no)
{
    Cardflow__V1__CardEvent out;
    Cardflow__V1__CardEvent__OperationAnswered o;
    char *reasons[PRODUCTION_REASONS];
    event(a, e, at, &out);
    cardflow__v1__card_event__operation_answered__init(&o);
    for (size_t i = 0; i < e->n_reasons; i++)
        reasons[i] = lit(e->reasons[i]);
    o.operation_id = cf_data_id(e->command_id);
    o.operation = e->op ? z(a, e->op->word) : lit(e->command ? e->command : "");
    o.result = lit(e->word);
    o.n_reasons = e->n_reasons;
    o.reasons = reasons;
    o.card_state = lit(cf_card_state_name(e->card.state));
    o.voucher_no = z(a, voucher_no);
    o.notice_no = z(a, notice_no);
    out.body_case = CARDFLOW__V1__CARD_EVENT__BODY_OPERATION_ANSWERED;
    out.operation_answered = &o;
    return cf_pack(a, &out.base);
}

struct cf_str production_codec_deadline(struct cf_arena *a, const struct production_effect *e,
                                        cf_ms at)
{
    Cardflow__V1__CardEvent out;
    Cardflow__V1__CardEvent__Deadline x;
    const struct production_told *told = &e->deadline;
    event(a, e, at, &out);
    cardflow__v1__card_event__deadline__init(&x);
    x.what = lit(e->word);
    x.due_on = told->due_on;
    x.due_before = told->due_before;
    x.working_days = (uint32_t)told->working_days;
    x.provisional = told->provisional;
    x.warned = told->warned;
    x.overdue = told->overdue;
    x.silent = told->silent;
    x.reason = z(a, e->reason);
    out.body_case = CARDFLOW__V1__CARD_EVENT__BODY_DEADLINE;
    out.deadline = &x;
    return cf_pack(a, &out.base);
}

struct cf_str production_codec_promised(struct cf_arena *a, const struct production_enqueue_body *q,
                                        const struct production_queued *at_place, cf_ms at)
{
    Cardflow__V1__CardEvent out;
    Cardflow__V1__CardEvent__Promised p;
    cardflow__v1__card_event__init(&out);
    cardflow__v1__card_event__promised__init(&p);
    out.application_id = cf_data_id(q->app_id);
    out.kind = (Cardflow__V1__AppKind)q->kind;
    out.at_ms = at;
    out.bank_code = z(a, q->bank);
    out.outlet_code = z(a, q->outlet);
    p.promised_on = at_place->promised_on;
    p.place_in_queue = at_place->place;
    p.past_deadline = q->due_on != 0 && at_place->promised_on > q->due_on;
    out.body_case = CARDFLOW__V1__CARD_EVENT__BODY_PROMISED;
    out.promised = &p;
    return cf_pack(a, &out.base);
}

struct cf_str production_codec_bank_notice(struct cf_arena *a, const struct production_notice *in,
                                           const uint8_t id[16], cf_ms at)
{
    Cardflow__V1__CardEvent out;
    Cardflow__V1__CardEvent__BankNotice n;
    cardflow__v1__card_event__init(&out);
    cardflow__v1__card_event__bank_notice__init(&n);
    out.at_ms = at;
    out.bank_code = z(a, in->bank);
    out.card_no = z(a, in->card_no);
    n.notice_id = cf_data_id(id);
    n.what = z(a, in->what);
    n.told_at_ms = in->told_at;
    n.acknowledged_at_ms = in->acknowledged_at;
    out.body_case = CARDFLOW__V1__CARD_EVENT__BODY_BANK_NOTICE;
    out.bank_notice = &n;
    return cf_pack(a, &out.base);
}

/* ---- production.internal ------------------------------------------------------------------- */

struct cf_str production_codec_enqueue(struct cf_arena *a, const struct production_effect *e,
                                       const struct cf_key *holder, struct cf_str person)
{
    Cardflow__V1__ProductionInternal out;
    cardflow__v1__production_internal__init(&out);
    Cardflow__V1__ProductionInternal__Enqueue q;
    cardflow__v1__production_internal__enqueue__init(&q);
    const struct production_app *app = &e->slot->app;
    q.holder = cf_data(cf_key_str(holder));
    q.application_id = cf_data_id(app->id);
    q.card_no = lit(e->slot->made.no);
    q.person = cf_data(person);
    q.outlet_code = z(a, app->outlet);
    q.photo_ref = id_or_none(app->photo_ref);
    q.kind = (Cardflow__V1__AppKind)app->kind;
    q.due_on = app->due_on;
    q.priority = production_has_priority(app);
    q.bank_code = z(a, app->bank);
    out.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_ENQUEUE;
    out.enqueue = &q;
    return cf_pack(a, &out.base);
}

struct cf_str production_codec_dequeue(struct cf_arena *a, const struct production_effect *e,
                                       const struct cf_key *holder)
{
    Cardflow__V1__ProductionInternal out;
    cardflow__v1__production_internal__init(&out);
    Cardflow__V1__ProductionInternal__Dequeue q;
    cardflow__v1__production_internal__dequeue__init(&q);
    q.holder = cf_data(cf_key_str(holder));
    q.application_id = cf_data_id(e->app_id);
    q.bank_code = z(a, e->bank);
    out.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_DEQUEUE;
    out.dequeue = &q;
    return cf_pack(a, &out.base);
}

struct cf_str production_codec_dequeued(struct cf_arena *a, const uint8_t app_id[16], bool is_out)
{
    Cardflow__V1__ProductionInternal out;
    cardflow__v1__production_internal__init(&out);
    Cardflow__V1__ProductionInternal__Dequeued q;
    cardflow__v1__production_internal__dequeued__init(&q);
    q.application_id = cf_data_id(app_id);
    q.out = is_out;
    out.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_DEQUEUED;
    out.dequeued = &q;
    return cf_pack(a, &out.base);
}

struct cf_str production_codec_operation(struct cf_arena *a, const struct production_op *op,
                                         cf_ms sent_at)
{
    Cardflow__V1__ProductionInternal m;
    Cardflow__V1__ProductionInternal__Operation o;
    cardflow__v1__production_internal__init(&m);
    cardflow__v1__production_internal__operation__init(&o);
    o.command = cf_data(op->packed);
    o.asked = op->asked;
    o.sent_at_ms = sent_at;
    o.owner = cf_data(cf_key_str(&op->owner));
    m.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_OPERATION;
    m.operation = &o;
    return cf_pack(a, &m.base);
}

struct cf_str production_codec_line_result(struct cf_arena *a, const struct production_effect *e)
{
    Cardflow__V1__ProductionInternal out;
    cardflow__v1__production_internal__init(&out);
    Cardflow__V1__ProductionInternal__LineResult r;
    cardflow__v1__production_internal__line_result__init(&r);
    r.batch_id = id_or_none(e->batch_id);
    r.line_no = e->line_no;
    r.result = lit(e->word);
    r.bank_code = z(a, e->bank);
    out.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_LINE_RESULT;
    out.line_result = &r;
    return cf_pack(a, &out.base);
}

struct cf_str production_codec_close(struct cf_arena *a, const struct production_close *c)
{
    Cardflow__V1__ProductionInternal out;
    cardflow__v1__production_internal__init(&out);
    Cardflow__V1__ProductionInternal__CloseBatch b;
    cardflow__v1__production_internal__close_batch__init(&b);
    b.lane = c->lane;
    b.from = (uint64_t)c->from;
    b.to = (uint64_t)c->to;
    out.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_CLOSE_BATCH;
    out.close_batch = &b;
    return cf_pack(a, &out.base);
}

struct cf_str production_codec_batched(struct cf_arena *a, const struct production_line *line,
                                       const uint8_t batch_id[16], uint32_t line_no,
                                       struct cf_str bank)
{
    Cardflow__V1__ProductionInternal out;
    cardflow__v1__production_internal__init(&out);
    Cardflow__V1__ProductionInternal__Batched b;
    cardflow__v1__production_internal__batched__init(&b);
    b.application_id = cf_data_id(line->app_id);
    b.card_no = z(a, line->card_no);
    b.batch_id = cf_data_id(batch_id);
    b.line_no = line_no;
    b.bank_code = z(a, bank);
    out.body_case = CARDFLOW__V1__PRODUCTION_INTERNAL__BODY_BATCHED;
    out.batched = &b;
    return cf_pack(a, &out.base);
}

/* ---- bank.orders --------------------------------------------------------------------------- */

struct cf_str production_codec_order(struct cf_arena *a, const struct production_line *line,
                                     const uint8_t batch_id[16], uint32_t line_no,
                                     struct cf_str bank)
{
    Cardflow__V1__BankOrder out;
    cardflow__v1__bank_order__init(&out);
    Cardflow__V1__BankOrder__Line l;
    cardflow__v1__bank_order__line__init(&l);
    out.batch_id = cf_data_id(batch_id);
    out.bank_code = z(a, bank);
    l.line_no = line_no;
    l.routing_key = cf_data(cf_key_str(&line->holder));
    l.application_id = cf_data_id(line->app_id);
    l.card_no = z(a, line->card_no);
    l.person = cf_data(line->person);
    l.outlet_code = z(a, line->outlet);
    l.photo_ref = id_or_none(line->photo_ref);
    l.kind = (Cardflow__V1__AppKind)line->app_kind;
    l.due_on = line->due_on;
    out.body_case = CARDFLOW__V1__BANK_ORDER__BODY_LINE;
    out.line = &l;
    return cf_pack(a, &out.base);
}

struct cf_str production_codec_manifest(struct cf_arena *a, const uint8_t batch_id[16],
                                        uint32_t lines, const uint8_t hash[32], struct cf_str bank)
{
    Cardflow__V1__BankOrder out;
    cardflow__v1__bank_order__init(&out);
    Cardflow__V1__BankOrder__Manifest m;
    cardflow__v1__bank_order__manifest__init(&m);
    out.batch_id = cf_data_id(batch_id);
    out.bank_code = z(a, bank);
    m.lines = lines;
    m.hash = cf_data((struct cf_str){(const char *)hash, 32});
    out.body_case = CARDFLOW__V1__BANK_ORDER__BODY_MANIFEST;
    out.manifest = &m;
    return cf_pack(a, &out.base);
}

struct cf_str production_codec_notice(struct cf_arena *a, const struct production_notice *in,
                                      const uint8_t id[16])
{
    Cardflow__V1__BankOrder out;
    cardflow__v1__bank_order__init(&out);
    Cardflow__V1__BankOrder__CardNotice n;
    cardflow__v1__bank_order__card_notice__init(&n);
    out.bank_code = z(a, in->bank);
    n.notice_id = cf_data_id(id);
    n.routing_key = cf_data(cf_key_str(&in->holder));
    n.card_no = z(a, in->card_no);
    n.what = z(a, in->what);
    n.at_ms = in->told_at;
    n.attempt = (uint32_t)in->sent;
    out.body_case = CARDFLOW__V1__BANK_ORDER__BODY_CARD_NOTICE;
    out.card_notice = &n;
    return cf_pack(a, &out.base);
}

/* ---- the front's messages ------------------------------------------------------------------ */

struct cf_str production_codec_command(struct cf_arena *a,
                                       const struct production_command_fields *f)
{
    Cardflow__V1__CardCommand c;
    cardflow__v1__card_command__init(&c);
    Cardflow__V1__CardCommand__Import import;
    cardflow__v1__card_command__import__init(&import);
    Cardflow__V1__CardCommand__Consent consent;
    cardflow__v1__card_command__consent__init(&consent);
    Cardflow__V1__Operator op;
    cardflow__v1__operator__init(&op);
    Cardflow__V1__Fee fees[8], *fee_list[8];
    c.operation_id = cf_data_id(f->operation_id);
    c.operation = z(a, f->operation);
    c.holder = cf_data(f->holder);
    c.card_no = z(a, f->card_no);
    c.channel = z(a, f->channel);
    c.actor = cf_data(f->actor);
    c.actor_role = z(a, f->role);
    op.staff_id = z(a, f->staff_id);
    op.bank_code = z(a, f->operator_bank);
    op.outlet_code = z(a, f->operator_outlet);
    c.operator_ = &op;
    c.password_kind = z(a, f->password_kind);
    c.card_kind = z(a, f->card_kind);
    c.add_on = z(a, f->add_on);
    consent.by = z(a, f->consent.by);
    consent.given_at_ms = f->consent.given_at;
    consent.document = cf_data(f->consent.document);
    if (f->consent.by.len || f->consent.given_at || f->consent.document.len)
        c.consent_given = &consent;
    c.reason = z(a, f->reason);
    c.requested_at_ms = f->requested_at;
    for (size_t i = 0; i < f->n_fees; i++) {
        cardflow__v1__fee__init(&fees[i]);
        fees[i].type = z(a, f->fees[i].type);
        fees[i].amount_cents = f->fees[i].cents;
        fee_list[i] = &fees[i];
    }
    c.n_fees = f->n_fees;
    c.fees = fee_list;
    if (f->imports) {
        import.bank_code = z(a, f->import_bank);
        import.state = z(a, f->import_state);
        import.kind = z(a, f->import_kind);
        import.issued_on = f->issued_on;
        import.has_photo = f->has_photo;
        c.import = &import;
    }
    return cf_pack(a, &c.base);
}

struct cf_str production_codec_result(struct cf_arena *a, const struct production_result_fields *f)
{
    Cardflow__V1__BankResult r;
    cardflow__v1__bank_result__init(&r);
    Cardflow__V1__Fee fee, *fees[1] = {&fee};
    cardflow__v1__fee__init(&fee);
    r.result_id = cf_data_id(f->result_id);
    r.bank_code = z(a, f->bank);
    r.batch_id = id_or_none(f->batch_id);
    r.line_no = f->line_no;
    r.application_id = id_or_none(f->app_id);
    r.notice_id = id_or_none(f->notice_id);
    r.card_no = z(a, f->card_no);
    r.step = z(a, f->step);
    r.reason = z(a, f->reason);
    r.at_ms = f->at;
    r.password_kind = z(a, f->password_kind);
    r.tries = f->tries;
    if (f->fee_cents > 0) {
        fee.type = z(a, f->fee_type);
        fee.amount_cents = f->fee_cents;
        r.n_fees = 1;
        r.fees = fees;
    }
    return cf_pack(a, &r.base);
}

struct cf_str production_codec_document(struct cf_arena *a, struct cf_str type,
                                        struct cf_str number, struct cf_str birth_date)
{
    Cardflow__V1__Person p;
    cardflow__v1__person__init(&p);
    p.document_type = z(a, type);
    p.document_number = z(a, number);
    p.birth_date = z(a, birth_date);
    return cf_pack(a, &p.base);
}

struct cf_str production_codec_consent_document(struct cf_arena *a, struct cf_str reference,
                                                struct cf_str type, struct cf_str number)
{
    Cardflow__V1__ConsentDocument p;
    cardflow__v1__consent_document__init(&p);
    p.reference = z(a, reference);
    p.document_type = z(a, type);
    p.document_number = z(a, number);
    return cf_pack(a, &p.base);
}

struct cf_str production_codec_actor(struct cf_arena *a, struct cf_str role, struct cf_str name,
                                     struct cf_str type, struct cf_str number)
{
    Cardflow__V1__Actor p;
    cardflow__v1__actor__init(&p);
    p.role = z(a, role);
    p.name = z(a, name);
    p.document_type = z(a, type);
    p.document_number = z(a, number);
    return cf_pack(a, &p.base);
}

struct cf_str production_codec_signature(struct cf_arena *a, const struct production_signed *f)
{
    Cardflow__V1__VoucherSignature x;
    cardflow__v1__voucher_signature__init(&x);
    x.operation_id = cf_data_id(f->operation_id);
    x.voucher_no = z(a, f->voucher_no);
    x.signer = cf_data(f->signer);
    x.role = z(a, f->role);
    x.method = z(a, f->method);
    x.signed_at_ms = f->signed_at;
    x.staff_id = z(a, f->staff_id);
    return cf_pack(a, &x.base);
}
