/* codec_own -- messages of our own services: photo.events, card.events, intake.internal. */
#include "services/intake/codec_inside.h"

#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"

typedef Cardflow__V1__ApplicationCommand__Submit pb_submit;
typedef Cardflow__V1__IntakeInternal pb_internal;
typedef Cardflow__V1__WorkOutcome__Item pb_item;

/* ---- photo.events, card.events ----------------------------------------------------------------
 */

static int follow(struct cf_decode *d, const struct cf_key *key, ProtobufCBinaryData id,
                  enum intake_event on)
{
    struct intake_follow *m = cf_arena_zero(d->arena, sizeof *m);
    if (!take_id(id, m->application_id)) return refuse(d, "application_id: 16 bytes");
    m->on = on;
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_FOLLOW, key, m);
    return 0;
}

/* A notice after acceptance: only the row of a list has to hear of it. */
static int later_notice(struct cf_decode *d, const struct cf_key *key, ProtobufCBinaryData id,
                        struct cf_str reasons)
{
    struct intake_follow *m = cf_arena_zero(d->arena, sizeof *m);
    if (!take_id(id, m->application_id)) return refuse(d, "application_id: 16 bytes");
    m->reasons = reasons;
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_LATER_NOTICE, key, m);
    return 0;
}

static struct cf_str joined(struct cf_arena *a, char *const *words, size_t n)
{
    struct cf_buf b;
    cf_buf_init(&b, 8192);
    for (size_t i = 0; i < n; i++)
        cf_buf_printf(&b, "%s%s", i ? "|" : "", words[i]);
    struct cf_str s = cf_arena_str(a, cf_buf_str(&b));
    cf_buf_free(&b);
    return s;
}

int intake_codec_photo(struct cf_decode *d, const struct cf_record *rec, const struct cf_key *key)
{
    const Cardflow__V1__PhotoEvent *x =
        cf_unpack(d->arena, &cardflow__v1__photo_event__descriptor, rec->value);
    if (!x) return refuse(d, "value: not a photo event");
    if (x->body_case == CARDFLOW__V1__PHOTO_EVENT__BODY_MISSING)
        return later_notice(d, key, x->application_id,
                            joined(d->arena, x->missing->reasons, x->missing->n_reasons));
    return 0; /* of an application that ends for want of a photo, production tells */
}

/* Steps between acceptance and pickup are not intake's: they cost only their position. */
static int decode_step(struct cf_decode *d, const struct cf_key *key,
                       const Cardflow__V1__CardEvent *x)
{
    if (text(x->step->notice_no).len) {
        int e = later_notice(d, key, x->application_id, text(x->step->reason));
        if (e) return e;
    }
    switch (cf_app_state_parse(text(x->step->state))) {
    case CF_APP_READY_FOR_PICKUP:
        return follow(d, key, x->application_id, INTAKE_ON_READY);
    case CF_APP_PRODUCTION_FAILED:
        return follow(d, key, x->application_id, INTAKE_ON_FAIL);
    case CF_APP_COLLECTED:
        return follow(d, key, x->application_id, INTAKE_ON_COLLECT);
    case CF_APP_WITHDRAWN:
        return follow(d, key, x->application_id, INTAKE_ON_WITHDRAW);
    case CF_APP_EXPIRED:
        return follow(d, key, x->application_id, INTAKE_ON_EXPIRE);
    case CF_APP_PICKUP_EXPIRED:
        return follow(d, key, x->application_id, INTAKE_ON_PICKUP_EXPIRE);
    case CF_APP_CLOSED:
        return follow(d, key, x->application_id, INTAKE_ON_CLOSE);
    case CF_APP_RECEIVED:
    case CF_APP_NOTICED:
    case CF_APP_REJECTED:
    case CF_APP_ACCEPTED:
    case CF_APP_PHOTO_MISSING:
    case CF_APP_PHOTO_READY:
    case CF_APP_BATCHED:
    case CF_APP_ACCOUNT_FAILED:
    case CF_APP_ACCOUNT_OPENED:
    case CF_APP_PRODUCED:
    case CF_APP_SHIPPED:
        return 0;
    case CF_APP_NONE:
    case CF_APP_COUNT:
        break;
    }
    d->reason = "step.state: unknown";
    return CF_E_VERSION;
}

/* Of operations withdrawals, extensions and supplements began here; of a collection that was
 * refused the row of the list hears. */
static int decode_answered(struct cf_decode *d, const struct cf_key *key,
                           const Cardflow__V1__CardEvent *x)
{
    const Cardflow__V1__CardEvent__OperationAnswered *o = x->operation_answered;
    bool supplement = cf_str_is(text(o->operation), "supplement");
    if (cf_str_is(text(o->operation), "collect") && o->n_reasons)
        return later_notice(d, key, x->application_id,
                            joined(d->arena, o->reasons, o->n_reasons));
    if (!supplement && !cf_str_is(text(o->operation), "withdraw") &&
        !cf_str_is(text(o->operation), "extend_deadline"))
        return 0;
    struct intake_answered *m = cf_arena_zero(d->arena, sizeof *m);
    if (!take_id(x->application_id, m->application_id))
        return refuse(d, "application_id: 16 bytes");
    if (!take_id(o->operation_id, m->command_id)) return refuse(d, "operation_id: 16 bytes");
    m->refused = cf_str_is(text(o->result), "refused");
    if (o->n_reasons) m->reason = text(o->reasons[0]);
    m->voucher_no = text(o->voucher_no);
    m->notice_no = text(o->notice_no);
    if (supplement)
        add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_SUPPLEMENTED, key, m);
    else
        add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_ANSWERED, key, m)->no_row = true;
    return 0;
}

static int decode_deadline(struct cf_decode *d, const struct cf_key *key,
                           const Cardflow__V1__CardEvent *x)
{
    struct intake_deadline *m = cf_arena_zero(d->arena, sizeof *m);
    if (!take_id(x->application_id, m->application_id))
        return refuse(d, "application_id: 16 bytes");
    m->due_on = x->deadline->due_on;
    m->working_days = (int32_t)x->deadline->working_days;
    m->provisional = x->deadline->provisional;
    m->extended = cf_str_is(text(x->deadline->what), "extended");
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_DEADLINE, key, m);
    return 0;
}

static int decode_promised(struct cf_decode *d, const struct cf_key *key,
                           const Cardflow__V1__CardEvent *x)
{
    struct intake_promised *m = cf_arena_zero(d->arena, sizeof *m);
    if (!take_id(x->application_id, m->application_id)) return refuse(d, "application_id: 16 bytes");
    m->promised_on = x->promised->promised_on;
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_PROMISED, key, m);
    return 0;
}

int intake_codec_card(struct cf_decode *d, const struct cf_record *rec, const struct cf_key *key)
{
    const Cardflow__V1__CardEvent *x =
        cf_unpack(d->arena, &cardflow__v1__card_event__descriptor, rec->value);
    if (!x) return refuse(d, "value: not a card event");
    if (x->body_case == CARDFLOW__V1__CARD_EVENT__BODY_STEP) return decode_step(d, key, x);
    if (x->body_case == CARDFLOW__V1__CARD_EVENT__BODY_OPERATION_ANSWERED)
        return decode_answered(d, key, x);
    if (x->body_case == CARDFLOW__V1__CARD_EVENT__BODY_PROMISED) return decode_promised(d, key, x);
    if (x->body_case == CARDFLOW__V1__CARD_EVENT__BODY_DEADLINE) return decode_deadline(d, key, x);
    if (x->body_case != CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED) return 0;
    const Cardflow__V1__CardEvent__CardChanged *c = x->card_changed;
    struct intake_card_msg *m = cf_arena_zero(d->arena, sizeof *m);
    enum cf_card_state state = cf_card_state_parse(text(c->state));
    if (state == CF_CARD_NONE) {
        d->reason = "card_changed.state: unknown";
        return CF_E_VERSION;
    }
    m->temporary = c->temporary;
    m->card = (struct intake_mirror){.card_no = text(x->card_no),
                                     .bank_code = text(x->bank_code),
                                     .state = (int16_t)state,
                                     .has_photo = c->has_photo,
                                     .handed_in = c->handed_in,
                                     .valid_until = c->valid_until};
    if (x->application_id.len && !take_id(x->application_id, m->card.app))
        return refuse(d, "application_id: 16 bytes");
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_CARD, key, m);
    return 0;
}

/* ---- intake.internal --------------------------------------------------------------------------
 */

static int decode_item(struct cf_decode *d, const pb_item *item)
{
    struct cf_key key;
    uint8_t id[16];
    struct cf_msg *m;
    if (!cf_key_bytes(item->key.data, item->key.len, &key))
        return refuse(d, "items.key: 1 to 63 bytes");
    if (!take_id(item->work_id, id)) return refuse(d, "items.work_id: 16 bytes");
    if (item->kind == INTAKE_WORK_TIMER) {
        m = add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_TIMER, &key, NULL);
    } else if (item->kind == INTAKE_WORK_SPLIT || item->kind == INTAKE_WORK_COLLECT) {
        struct intake_split *body = cf_arena_zero(d->arena, sizeof *body);
        const pb_internal *p = cf_unpack(d->arena, &cardflow__v1__intake_internal__descriptor,
                                         cf_bytes(item->payload));
        bool progress = p && p->body_case == CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_PROGRESS;
        body->failed = item->result == CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY;
        if (!progress && !body->failed) return refuse(d, "items.payload: not a roster's progress");
        if (progress) {
            const Cardflow__V1__IntakeInternal__RosterProgress *r = p->roster_progress;
            body->next_row = (int32_t)r->next_row;
            body->records = (int32_t)r->records;
            body->complete = r->complete;
            body->problem = text(r->problem);
        }
        m = add(d, INTAKE_KIND_ROSTER,
                item->kind == INTAKE_WORK_SPLIT ? INTAKE_MSG_SPLIT : INTAKE_MSG_COLLECTED, &key,
                body);
    } else if (item->kind == INTAKE_WORK_UNIT) {
        m = intake_codec_unit_outcome(
            d, &key, item->result != CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE,
            cf_bytes(item->payload));
        if (!m) return refuse(d, "items.payload: not a count");
    } else {
        d->reason = "items.kind: unknown";
        return CF_E_VERSION;
    }
    m->is_outcome = true;
    m->attempt = item->attempt;
    memcpy(m->work_id, id, 16);
    return 0;
}

static int decode_opened(struct cf_decode *d, const struct cf_record *rec,
                         const Cardflow__V1__IntakeInternal__RosterOpened *o)
{
    struct intake_opened *m = cf_arena_zero(d->arena, sizeof *m);
    Cardflow__V1__RosterSplit split;
    cardflow__v1__roster_split__init(&split);
    if (!take_id(o->roster_id, m->roster_id)) return refuse(d, "roster_id: 16 bytes");
    struct cf_key key = cf_key_roster(m->roster_id);
    m->roster = (struct intake_roster){
        .client = text(o->client),
        .unit_code = text(o->unit_code),
        .bank_code = text(o->bank_code),
        .outlet_code = text(o->outlet_code),
        .encoding = text(o->encoding),
        .kind = (int16_t)cf_app_kind_parse(text(o->kind)),
        .channel = (int16_t)cf_channel_parse(text(o->channel)),
        .opened_at = o->submitted_at_ms,
        .introduction_letter_no = text(o->introduction_letter_no),
        .id_copies_held = o->id_copies_held,
        .agent = cf_bytes(o->agent),
        .size = o->size <= INT64_MAX ? (int64_t)o->size : 0,
        .next_row = 1,
    };
    split.roster = (Cardflow__V1__IntakeInternal__RosterOpened *)(uintptr_t)o;
    split.next_row = 1;
    m->args = cf_pack(d->arena, &split.base);
    as_command(add(d, INTAKE_KIND_ROSTER, INTAKE_MSG_ROSTER_OPENED, &key, m), rec, m->roster_id);
    return 0;
}

static int decode_row(struct cf_decode *d, const struct cf_record *rec,
                      const Cardflow__V1__IntakeInternal__RowOutcome *r)
{
    struct intake_row_msg *m = cf_arena_zero(d->arena, sizeof *m);
    if (!take_id(r->roster_id, m->roster_id)) return refuse(d, "roster_id: 16 bytes");
    struct cf_key key = cf_key_roster(m->roster_id);
    take_id(r->application_id, m->application_id);
    m->row_no = (int32_t)r->row_no;
    for (int i = INTAKE_ROW_ACCEPTED; i < INTAKE_ROW_COUNT; i++)
        if (cf_str_is(text(r->outcome), intake_row_outcome_name((enum intake_row_outcome)i)))
            m->outcome = (enum intake_row_outcome)i;
    m->reasons = joined(d->arena, r->reasons, r->n_reasons);
    m->warnings = r->warnings;
    m->state = cf_app_state_parse(text(r->app_state));
    m->taken_over = r->taken_over;
    m->notice = text(r->notice);
    m->from_stage = rec->cf_src.len != 0;
    add(d, INTAKE_KIND_ROSTER, INTAKE_MSG_ROW, &key, m);
    return 0;
}

static int decode_moved(struct cf_decode *d, const struct cf_record *rec, const pb_submit *s)
{
    struct intake_submit *m = cf_arena_zero(d->arena, sizeof *m);
    struct cf_key key;
    if (!cf_key_bytes(rec->key.ptr, rec->key.len, &key)) return refuse(d, "key: 16 bytes");
    int e = intake_codec_read_submit(d, s, &key, m);
    if (e) return e;
    m->moved = true;
    m->request.received_at = s->received_at_ms;
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_SUBMIT, &key, m);
    return 0;
}

/* ---- what is about another reference of the holder, and schools -------------------------------
 */

static int decode_sent_on(struct cf_decode *d, const struct cf_record *rec, struct cf_str event)
{
    struct cf_key key;
    if (!cf_key_bytes(rec->key.ptr, rec->key.len, &key)) return refuse(d, "key: 16 bytes");
    return intake_codec_enrolment_body(d, &key, true, event);
}

static int decode_aliased(struct cf_decode *d, const struct cf_record *rec,
                          const Cardflow__V1__IntakeInternal__Aliased *x)
{
    struct intake_aliased *m = cf_arena_zero(d->arena, sizeof *m);
    struct cf_key key;
    if (!cf_key_bytes(rec->key.ptr, rec->key.len, &key)) return refuse(d, "key: 16 bytes");
    if (x->canonical.len != CF_REF_LEN) return refuse(d, "canonical: 16 bytes");
    m->canonical = cf_key_holder(x->canonical.data);
    m->revision = x->revision;
    add(d, INTAKE_KIND_HOLDER, INTAKE_MSG_ALIASED, &key, m);
    return 0;
}

static int decode_unit_told(struct cf_decode *d, const Cardflow__V1__IntakeInternal__UnitTold *x)
{
    struct intake_unit_told *m = cf_arena_zero(d->arena, sizeof *m);
    struct cf_key key;
    if (!cf_key_unit(text(x->unit_code), &key)) return refuse(d, "unit_code: 1 to 58 bytes");
    intake_codec_school_id(text(x->unit_code), m->id);
    m->school = (struct intake_school){.banks = text(x->banks), .revision = x->revision};
    add(d, INTAKE_KIND_UNIT, INTAKE_MSG_UNIT_TOLD, &key, m)->no_row = true;
    return 0;
}

int intake_codec_internal(struct cf_decode *d, const struct cf_record *rec)
{
    const pb_internal *x =
        cf_unpack(d->arena, &cardflow__v1__intake_internal__descriptor, rec->value);
    if (!x) return refuse(d, "value: not an internal message");
    switch (x->body_case) {
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_WORK: {
        int e = 0;
        if (x->work->n_items > d->max) return refuse(d, "items: more than a record may hold");
        for (size_t i = 0; !e && i < x->work->n_items; i++)
            e = decode_item(d, x->work->items[i]);
        return e;
    }
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_OPENED:
        return decode_opened(d, rec, x->roster_opened);
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_COLLECT:
        return intake_codec_roster_collect(d, rec, x->roster_collect);
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROW_OUTCOME:
        return decode_row(d, rec, x->row_outcome);
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_MOVED:
        return decode_moved(d, rec, x->moved);
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_ENROLMENT:
        return decode_sent_on(d, rec, cf_bytes(x->enrolment));
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_ALIASED:
        return decode_aliased(d, rec, x->aliased);
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_UNIT_TOLD:
        return decode_unit_told(d, x->unit_told);
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_PROGRESS:
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY_UNIT_COUNTED:
    case CARDFLOW__V1__INTAKE_INTERNAL__BODY__NOT_SET:
    case _CARDFLOW__V1__INTAKE_INTERNAL__BODY__CASE_IS_INT_SIZE:
        break;
    }
    d->reason = "body: unknown";
    return CF_E_VERSION;
}
