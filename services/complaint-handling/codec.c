#include "services/complaint-handling/codec.h"

#include "common/io/ids.h"

#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/complaint.pb-c.h"

typedef Cardflow__V1__ComplaintCommand command;
typedef Cardflow__V1__WorkOutcome__Item outcome_item;

static int refuse(struct cf_decode *d, const char *reason)
{
    d->reason = reason;
    return CF_E_DECODE;
}

static struct cf_str text(const char *z)
{
    return cf_str_of(z ? z : "");
}

static char *z(struct cf_arena *a, struct cf_str s)
{
    return (char *)(uintptr_t)(s.len ? cf_arena_str(a, s).ptr : "");
}

static char *lit(const char *s)
{
    return (char *)(uintptr_t)s;
}

static bool has_id(const uint8_t id[16])
{
    static const uint8_t none[16];
    return memcmp(id, none, 16) != 0;
}

static bool fits(struct cf_str s, size_t min, size_t max)
{
    return s.len >= min && s.len <= max && cf_utf8_valid(s);
}

struct cf_key complaint_codec_key(struct cf_str source_system, struct cf_str order_no)
{
    uint8_t id[16];
    cf_uuid8_of(id, source_system, order_no);
    return cf_key_order(id);
}

/* ---- complaint.commands --------------------------------------------------------------------- */

static int check_sealed(struct cf_decode *d, struct cf_str sealed, const struct cf_key *owner,
                        uint8_t field, const char *reason)
{
    const struct complaint_env *env = d->env;
    struct cf_str plain;
    if (!sealed.len) return 0;
    return cf_unseal(env->ring, sealed, cf_key_str(owner), field, d->arena, &plain) == 0
               ? 0
               : refuse(d, reason);
}

static int take_open(struct cf_decode *d, const Cardflow__V1__ComplaintCommand__Open *o,
                     const struct cf_key *key, struct complaint_command *out)
{
    out->kind = complaint_kind_parse(text(o->kind));
    if (!out->kind) return refuse(d, "open.kind: unknown");
    if (o->dispatched_at_ms <= 0) return refuse(d, "open.dispatched_at_ms: required");
    if (o->holder_ref.len && o->holder_ref.len != 16) return refuse(d, "open.holder_ref: 16 bytes");
    if (!fits(text(o->topic), 0, COMPLAINT_REASON_MAX)) return refuse(d, "open.topic: too long");
    out->dispatched_at = o->dispatched_at_ms;
    out->anonymous = o->anonymous;
    out->topic = text(o->topic);
    out->text = cf_bytes(o->text);
    int e = check_sealed(d, out->text, key, COMPLAINT_FIELD_TEXT, "open.text: does not open");
    /* Who wants to stay unknown is not even kept. */
    if (e || o->anonymous) return e;
    out->reporter = cf_bytes(o->reporter);
    out->holder_known = o->holder_ref.len == 16;
    if (out->holder_known) memcpy(out->holder_ref, o->holder_ref.data, 16);
    return check_sealed(d, out->reporter, key, COMPLAINT_FIELD_REPORTER,
                        "open.reporter: does not open");
}

static int take_action(struct cf_decode *d, const Cardflow__V1__ComplaintCommand__Action *a,
                       const struct cf_key *key, struct complaint_command *out)
{
    out->action.what = complaint_action_parse(text(a->action));
    if (!out->action.what) return refuse(d, "action.action: unknown");
    if (!fits(text(a->reason), 0, COMPLAINT_REASON_MAX))
        return refuse(d, "action.reason: too long");
    if (!fits(text(a->operator_), 0, COMPLAINT_REASON_MAX))
        return refuse(d, "action.operator: too long");
    if (!fits(text(a->owner), 0, COMPLAINT_REASON_MAX)) return refuse(d, "action.owner: too long");
    out->operator_id = text(a->operator_);
    out->reason = text(a->reason);
    out->text = cf_bytes(a->text);
    out->person = cf_bytes(a->person);
    out->action.days = a->days <= 1000 ? (int)a->days : 1000;
    out->action.satisfied = a->satisfied;
    out->action.has_reason = out->reason.len > 0;
    out->action.has_text = out->text.len > 0;
    out->action.owner = text(a->owner);
    return check_sealed(d, out->text, key, COMPLAINT_FIELD_REPLY, "action.text: does not open");
}

static int check_key(struct cf_decode *d, const struct cf_record *rec, const struct cf_key *key)
{
    if (!cf_str_eq(rec->key, cf_key_str(key))) {
        d->reason = "key: not that of source_system and order_no";
        return CF_E_WRONG_KEY;
    }
    if ((int32_t)cf_key_partition(key, (uint32_t)d->partitions) == rec->part) return 0;
    d->reason = "partition: not the key's";
    return CF_E_WRONG_KEY;
}

static int decode_command(struct cf_decode *d, const struct cf_record *rec)
{
    const command *c =
        cf_unpack(d->arena, &cardflow__v1__complaint_command__descriptor, rec->value);
    if (!c) return refuse(d, "value: not a command of a work order");
    struct complaint_command *out = cf_arena_zero(d->arena, sizeof *out);
    out->source_system = text(c->source_system);
    out->order_no = text(c->order_no);
    if (!fits(out->source_system, 1, COMPLAINT_SOURCE_MAX))
        return refuse(d, "source_system: 1 to 40 bytes");
    if (!fits(out->order_no, 1, COMPLAINT_NO_MAX)) return refuse(d, "order_no: 1 to 64 bytes");
    if (c->command_id.len != 16) return refuse(d, "command_id: 16 bytes");
    struct cf_key key = complaint_codec_key(out->source_system, out->order_no);
    bool opens = c->body_case == CARDFLOW__V1__COMPLAINT_COMMAND__BODY_OPEN;
    if (!opens && c->body_case != CARDFLOW__V1__COMPLAINT_COMMAND__BODY_ACTION)
        return refuse(d, "body: one of open, action");
    int e = check_key(d, rec, &key);
    if (!e) e = opens ? take_open(d, c->open, &key, out) : take_action(d, c->action, &key, out);
    if (e) return e;
    struct cf_msg *m = &d->msgs[d->n++];
    *m = (struct cf_msg){.type = opens ? COMPLAINT_MSG_OPEN : COMPLAINT_MSG_ACTION,
                         .key = key,
                         .body = out,
                         .is_command = true,
                         .sent_at = rec->ce_time};
    memcpy(m->id, c->command_id.data, 16);
    return 0;
}

/* ---- complaint-handling.internal ------------------------------------------------------------ */

static int decode_item(struct cf_decode *d, const outcome_item *item)
{
    struct cf_msg m = {.type = COMPLAINT_MSG_TIMER, .is_outcome = true, .attempt = item->attempt};
    if (!cf_key_bytes(item->key.data, item->key.len, &m.key))
        return refuse(d, "items.key: 1-63 bytes");
    if (item->work_id.len != 16) return refuse(d, "items.work_id: 16 bytes");
    memcpy(m.work_id, item->work_id.data, 16);
    if (item->kind == COMPLAINT_WORK_ASK) {
        struct complaint_status *st = cf_arena_zero(d->arena, sizeof *st);
        st->sealed = cf_bytes(item->payload);
        st->result = item->result == CARDFLOW__V1__WORK_OUTCOME__RESULT__RETRY
                         ? COMPLAINT_STATUS_AGAIN
                     : item->result == CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE && st->sealed.len
                         ? COMPLAINT_STATUS_THERE
                         : COMPLAINT_STATUS_NONE;
        m.type = COMPLAINT_MSG_STATUS;
        m.body = st;
    } else if (item->kind != COMPLAINT_WORK_TIMER) {
        d->reason = "items.kind: unknown";
        return CF_E_VERSION;
    }
    d->msgs[d->n++] = m;
    return 0;
}

static int decode_internal(struct cf_decode *d, const struct cf_record *rec)
{
    const Cardflow__V1__ComplaintInternal *in =
        cf_unpack(d->arena, &cardflow__v1__complaint_internal__descriptor, rec->value);
    if (!in || in->body_case != CARDFLOW__V1__COMPLAINT_INTERNAL__BODY_WORK)
        return refuse(d, "value: not an outcome of work");
    if (in->work->n_items > d->max) return refuse(d, "items: more than a record may hold");
    int e = 0;
    for (size_t i = 0; !e && i < in->work->n_items; i++)
        e = decode_item(d, in->work->items[i]);
    return e;
}

int complaint_codec_decode(struct cf_decode *d, const struct cf_record *rec)
{
    return rec->topic == COMPLAINT_IN_COMMANDS ? decode_command(d, rec) : decode_internal(d, rec);
}

/* ---- what the front sends ------------------------------------------------------------------- */

static void put_open(struct cf_arena *a, const struct complaint_command *c,
                     Cardflow__V1__ComplaintCommand__Open *o)
{
    cardflow__v1__complaint_command__open__init(o);
    o->kind = lit(complaint_kind_name(c->kind));
    o->dispatched_at_ms = c->dispatched_at;
    o->anonymous = c->anonymous;
    if (c->holder_known) o->holder_ref = cf_data_id(c->holder_ref);
    o->reporter = cf_data(c->reporter);
    o->text = cf_data(c->text);
    o->topic = z(a, c->topic);
}

static void put_action(struct cf_arena *a, const struct complaint_command *c,
                       Cardflow__V1__ComplaintCommand__Action *out)
{
    cardflow__v1__complaint_command__action__init(out);
    out->action = lit(complaint_event_name(c->action.what));
    out->operator_ = z(a, c->operator_id);
    out->reason = z(a, c->reason);
    out->text = cf_data(c->text);
    out->days = (uint32_t)c->action.days;
    out->satisfied = c->action.satisfied;
    out->owner = z(a, c->action.owner);
    out->person = cf_data(c->person);
}

struct cf_str complaint_codec_command(struct cf_arena *a, enum complaint_message what,
                                      const struct complaint_command *c,
                                      const uint8_t command_id[16])
{
    command out;
    cardflow__v1__complaint_command__init(&out);
    Cardflow__V1__ComplaintCommand__Open open;
    Cardflow__V1__ComplaintCommand__Action action;
    out.source_system = z(a, c->source_system);
    out.order_no = z(a, c->order_no);
    out.command_id = cf_data_id(command_id);
    if (what == COMPLAINT_MSG_OPEN) {
        put_open(a, c, &open);
        out.body_case = CARDFLOW__V1__COMPLAINT_COMMAND__BODY_OPEN;
        out.open = &open;
    } else {
        put_action(a, c, &action);
        out.body_case = CARDFLOW__V1__COMPLAINT_COMMAND__BODY_ACTION;
        out.action = &action;
    }
    return cf_pack(a, &out.base);
}

struct cf_str complaint_codec_person_pack(struct cf_arena *a, const struct complaint_person *p)
{
    Cardflow__V1__Person out;
    cardflow__v1__person__init(&out);
    out.document_type = z(a, p->document_type);
    out.document_number = z(a, p->document_number);
    out.name = z(a, p->name);
    out.phone = z(a, p->phone);
    return cf_pack(a, &out.base);
}

int complaint_codec_person(struct cf_arena *a, struct cf_str plain, struct complaint_person *out)
{
    const Cardflow__V1__Person *p = cf_unpack(a, &cardflow__v1__person__descriptor, plain);
    if (!p) return CF_E_DECODE;
    *out = (struct complaint_person){text(p->document_type), text(p->document_number),
                                     text(p->name), text(p->phone)};
    return 0;
}

/* ---- what the stage sends ------------------------------------------------------------------- */

void complaint_codec_send_event(struct cf_step *s, const struct complaint_order *o,
                                const struct complaint_told *told)
{
    Cardflow__V1__ComplaintEvent e;
    cardflow__v1__complaint_event__init(&e);
    char *reasons[] = {lit(told->reason ? told->reason : "")};
    e.source_system = z(s->arena, o->source_system);
    e.order_no = z(s->arena, o->order_no);
    e.order_id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)s->msg->key.b};
    e.kind = lit(complaint_kind_name((enum complaint_kind)o->kind));
    e.state = lit(complaint_state_name((enum complaint_state)o->state));
    e.state_before = lit(complaint_state_name(told->before));
    e.due_on = o->due_on;
    e.mark = lit(complaint_mark_name((enum complaint_mark)o->mark));
    e.owner = z(s->arena, o->owner);
    e.at_ms = s->now;
    e.action = lit(told->action);
    e.result = lit(told->result);
    e.n_reasons = told->reason ? 1 : 0;
    e.reasons = reasons;
    if (has_id(o->holder_ref)) e.holder_ref = cf_data_id(o->holder_ref);
    if (told->command_id) e.command_id = cf_data_id(told->command_id);
    e.reply = cf_data(told->reply);
    e.event_no = (uint32_t)o->event_no;
    cf_send(s, COMPLAINT_OUT_EVENTS, &s->msg->key, "complaint.event", &e.base);
}

void complaint_codec_send_holder(struct cf_step *s, const struct complaint_order *o)
{
    Cardflow__V1__ComplaintHolderEvent e;
    cardflow__v1__complaint_holder_event__init(&e);
    struct cf_key holder = cf_key_holder(o->holder_ref);
    e.order_id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)s->msg->key.b};
    e.source_system = z(s->arena, o->source_system);
    e.order_no = z(s->arena, o->order_no);
    e.kind = lit(complaint_kind_name((enum complaint_kind)o->kind));
    e.state = lit(complaint_state_name((enum complaint_state)o->state));
    e.due_on = o->due_on;
    e.at_ms = s->now;
    cf_send(s, COMPLAINT_OUT_HOLDER, &holder, "complaint.holder_event", &e.base);
}

void complaint_codec_send_correction(struct cf_step *s, const struct complaint_order *o,
                                     bool granted, struct cf_str reason, struct cf_str person)
{
    Cardflow__V1__CorrectionEvent e;
    cardflow__v1__correction_event__init(&e);
    struct cf_key holder = cf_key_holder(o->holder_ref);
    e.order_id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)s->msg->key.b};
    e.decision = lit(granted ? "granted" : "refused");
    e.reason = z(s->arena, reason);
    e.person = cf_data(granted ? person : (struct cf_str){0});
    e.at_ms = s->now;
    cf_send(s, COMPLAINT_OUT_CORRECTIONS, &holder, "correction.decided", &e.base);
}
