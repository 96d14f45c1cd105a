/* Decoding: records of the public topics to messages for a holder. */
#include "services/production/codec_inside.h"

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "common/io/ids.h"

static const char *const application_types[] = {"application.accepted",
                                                "application.withdrawal_requested",
                                                "application.extension_requested",
                                                "application.supplement_requested",
                                                "application.enrolment_changed",
                                                "application.command_decided",
                                                "application.aliased", NULL};
static const char *const photo_types[] = {"photo.ready", "photo.missing", "photo.ended", NULL};
static const char *const command_types[] = {"card.operation", "card.signature",
                                            "card.collect", "card.settle_failure", NULL};
static const char *const result_types[] = {"bank.result", NULL};
static const char *const internal_types[] = {
    CF_WORK_OUTCOME,           "production.enqueue", "production.batched",  "production.line_result",
    "production.close_batch", "production.dequeue", "production.dequeued",
    "production.recalculate", "production.operation", "production.bank_result",
    "production.newer", NULL};

const struct cf_topic_in production_topics_in[] = {
    [PRODUCTION_IN_APPLICATION] = {"application.events", false, application_types},
    [PRODUCTION_IN_PHOTO] = {"photo.events",   false, photo_types},
    [PRODUCTION_IN_COMMANDS] = {"card.commands",       true, command_types},
    [PRODUCTION_IN_RESULTS] = {"bank.results",         true, result_types},
    [PRODUCTION_IN_INTERNAL] = {"production.internal",      false, internal_types},
    [PRODUCTION_IN] = {0      },
};

const char *const production_topics_out[] = {[PRODUCTION_OUT_INTERNAL] = "production.internal",
                                             [PRODUCTION_OUT_CARD] = "card.events",
                                             [PRODUCTION_OUT_ORDERS] = "bank.orders",
                                             NULL};

int production_codec_wrong(struct cf_decode *d, const char *why)
{
    d->reason = why;
    return CF_E_DECODE;
}

struct cf_str production_codec_text(const char *z)
{
    return z && *z ? cf_str_of(z) : (struct cf_str){0};
}

bool production_codec_id(ProtobufCBinaryData b, uint8_t id[16])
{
    if (b.len != 16) return false;
    memcpy(id, b.data, 16);
    return true;
}

bool production_codec_ref(ProtobufCBinaryData b, uint8_t id[16])
{
    if (b.len) return production_codec_id(b, id);
    memset(id, 0, 16);
    return true;
}

struct cf_msg *production_codec_add(struct cf_decode *d, uint16_t kind,
                                    enum production_message type, const struct cf_key *key,
                                    const void *body)
{
    struct cf_msg *m = &d->msgs[d->n++];
    m->kind = kind;
    m->type = (uint16_t)type;
    m->key = *key;
    m->body = body;
    return m;
}

/* The holder's key as the record carries it, in the partition that is the key's. */
int production_codec_holder_key(struct cf_decode *d, const struct cf_record *rec,
                                struct cf_key *key)
{
    d->reason = "key: 16 bytes of the holder, in its partition";
    if (rec->key.len != CF_REF_LEN || !cf_key_bytes(rec->key.ptr, rec->key.len, key))
        return CF_E_WRONG_KEY;
    if (cf_key_partition(key, (uint32_t)d->partitions) != (uint32_t)rec->part)
        return CF_E_WRONG_KEY;
    d->reason = NULL;
    return 0;
}

/* ---- application.events -------------------------------------------------------------------- */

static int accepted(struct cf_decode *d, const struct cf_key *key,
                    const Cardflow__V1__ApplicationEvent *e)
{
    const Cardflow__V1__ApplicationEvent__Accepted *in = e->accepted;
    struct production_accepted *b = cf_arena_zero(d->arena, sizeof *b);
    if (!production_codec_id(e->application_id, b->app_id))
        return production_codec_wrong(d, "application_id: 16 bytes");
    if (e->kind <= 0 || e->kind >= (int)CF_KIND_COUNT)
        return production_codec_wrong(d, "kind: unknown");
    b->kind = (enum cf_app_kind)e->kind;
    b->channel = cf_channel_parse(production_codec_text(in->channel));
    b->bank = production_codec_text(in->bank_code);
    b->outlet = production_codec_text(in->outlet_code);
    b->person = cf_bytes(in->person);
    b->reissue = cf_reissue_reason_parse(production_codec_text(in->reissue_reason));
    b->accepted_on = in->accepted_on;
    b->due_on = in->due_on;
    b->provisional = in->provisional;
    if (b->bank.len > 32 || b->outlet.len > 64)
        return production_codec_wrong(d, "bank_code, outlet_code: too long");
    int err = in->holder_is_child ? production_codec_sixteen(d, key, b->person, b->accepted_on,
                                                             &b->sixteen_on)
                                  : 0;
    if (err) return err;
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_ACCEPTED, key, b);
    return 0;
}

/* A command on its way from intake: of which application, and under which id it is answered. */
static int command_about(struct cf_decode *d, const Cardflow__V1__ApplicationEvent *e,
                         ProtobufCBinaryData command, uint8_t app_id[16], uint8_t command_id[16])
{
    if (production_codec_id(e->application_id, app_id) && production_codec_id(command, command_id))
        return 0;
    return production_codec_wrong(d, "application_id, command_id: 16 bytes");
}

static int withdrawal(struct cf_decode *d, const struct cf_key *key,
                      const Cardflow__V1__ApplicationEvent *e)
{
    struct production_withdrawal *b = cf_arena_zero(d->arena, sizeof *b);
    int err =
        command_about(d, e, e->withdrawal_requested->command_id, b->app_id, b->command_id);
    b->channel = cf_channel_parse(production_codec_text(e->withdrawal_requested->channel));
    if (!err) production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_WITHDRAWAL, key, b);
    return err;
}

static int enrolment(struct cf_decode *d, const struct cf_key *key,
                     const Cardflow__V1__ApplicationEvent__EnrolmentChanged *in)
{
    struct production_enrolment *b = cf_arena_zero(d->arena, sizeof *b);
    b->active = in->active;
    b->reason = production_codec_text(in->reason);
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_ENROLMENT, key, b);
    return 0;
}

static int extension(struct cf_decode *d, const struct cf_key *key,
                     const Cardflow__V1__ApplicationEvent *e)
{
    const Cardflow__V1__ApplicationEvent__ExtensionRequested *in = e->extension_requested;
    struct production_extension *b = cf_arena_zero(d->arena, sizeof *b);
    int err = command_about(d, e, in->command_id, b->app_id, b->command_id);
    if (err) return err;
    b->days = in->days > INT16_MAX ? INT16_MAX : (int)in->days;
    b->reason = production_codec_text(in->reason);
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_EXTENSION, key, b);
    return 0;
}

static int supplement(struct cf_decode *d, const struct cf_key *key,
                      const Cardflow__V1__ApplicationEvent *e)
{
    const Cardflow__V1__ApplicationEvent__Supplement *in = e->supplement_requested;
    struct production_supplement *b = cf_arena_zero(d->arena, sizeof *b);
    int err = command_about(d, e, in->command_id, b->app_id, b->command_id);
    if (err) return err;
    b->outlet = production_codec_text(in->outlet_code);
    b->person = cf_bytes(in->person);
    if (b->outlet.len > 64 || b->person.len == 0)
        return production_codec_wrong(d, "outlet_code: too long; person: needed");
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_SUPPLEMENT, key, b);
    return 0;
}

static int decided(struct cf_decode *d, const struct cf_key *key,
                   const Cardflow__V1__ApplicationEvent__Decided *in)
{
    struct production_decided *b = cf_arena_zero(d->arena, sizeof *b);
    if (!production_codec_id(in->command_id, b->command_id))
        return production_codec_wrong(d, "command_id: 16 bytes");
    b->operation = production_codec_text(in->operation);
    b->result = production_codec_text(in->result);
    if (in->n_reasons) b->reasons = production_codec_text(in->reasons[0]);
    b->voucher_no = production_codec_text(in->voucher_no);
    b->notice_no = production_codec_text(in->notice_no);
    b->channel = production_codec_text(in->channel);
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_DECIDED, key, b)->no_row = true;
    return 0;
}

static int aliased(struct cf_decode *d, const struct cf_key *key,
                   const Cardflow__V1__ApplicationEvent__Aliased *in)
{
    struct production_aliased *b = cf_arena_zero(d->arena, sizeof *b);
    if (in->canonical.len != CF_REF_LEN ||
        !cf_key_bytes(in->canonical.data, in->canonical.len, &b->canonical))
        return production_codec_wrong(d, "canonical: 16 bytes");
    if (cf_key_eq(key, &b->canonical))
        return production_codec_wrong(d, "canonical: another than the key");
    b->part = (int16_t)cf_key_partition(&b->canonical, (uint32_t)d->partitions);
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_ALIASED, key, b);
    return 0;
}

static int application_event(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_key key;
    int err = production_codec_holder_key(d, rec, &key);
    if (err) return err;
    const Cardflow__V1__ApplicationEvent *e =
        cf_unpack(d->arena, &cardflow__v1__application_event__descriptor, rec->value);
    if (!e) return production_codec_wrong(d, "value: not an ApplicationEvent");
    if (e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_ACCEPTED) return accepted(d, &key, e);
    if (e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_ALIASED)
        return aliased(d, &key, e->aliased);
    if (e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_EXTENSION_REQUESTED)
        return extension(d, &key, e);
    if (e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_WITHDRAWAL_REQUESTED)
        return withdrawal(d, &key, e);
    if (e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_COMMAND_DECIDED)
        return decided(d, &key, e->command_decided);
    if (e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_SUPPLEMENT_REQUESTED)
        return supplement(d, &key, e);
    if (e->body_case == CARDFLOW__V1__APPLICATION_EVENT__BODY_ENROLMENT_CHANGED)
        return enrolment(d, &key, e->enrolment_changed);
    return production_codec_wrong(d, "body: not the one of its ce_type");
}

/* ---- photo.events -------------------------------------------------------------------------- */

static const struct production_photo *photo_body(struct cf_arena *a, struct cf_str bytes,
                                                 enum production_message *type)
{
    const Cardflow__V1__PhotoEvent *e = cf_unpack(a, &cardflow__v1__photo_event__descriptor, bytes);
    struct production_photo *b = cf_arena_zero(a, sizeof *b);
    if (!e || !production_codec_id(e->application_id, b->app_id)) return NULL;
    switch (e->body_case) {
    case CARDFLOW__V1__PHOTO_EVENT__BODY_READY:
        *type = PRODUCTION_M_PHOTO_READY;
        b->has_photo = e->ready->photo_ref.len > 0;
        return production_codec_ref(e->ready->photo_ref, b->ref) ? b : NULL;
    case CARDFLOW__V1__PHOTO_EVENT__BODY_MISSING:
        *type = PRODUCTION_M_PHOTO_MISSING;
        return b;
    case CARDFLOW__V1__PHOTO_EVENT__BODY_ENDED:
        *type = PRODUCTION_M_PHOTO_ENDED;
        b->reason = production_codec_text(e->ended->state);
        return b;
    case CARDFLOW__V1__PHOTO_EVENT__BODY__NOT_SET:
    case _CARDFLOW__V1__PHOTO_EVENT__BODY__CASE_IS_INT_SIZE:
        break;
    }
    return NULL;
}

static int photo_event(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_key key;
    enum production_message type = PRODUCTION_M_NONE;
    int err = production_codec_holder_key(d, rec, &key);
    if (err) return err;
    const struct production_photo *b = photo_body(d->arena, rec->value, &type);
    if (!b) return production_codec_wrong(d, "value: not a PhotoEvent with an application_id");
    production_codec_add(d, PRODUCTION_HOLDER, type, &key, b);
    return 0;
}

/* ---- card.commands ------------------------------------------------------------------------- */

static bool any_fee(size_t n, Cardflow__V1__Fee **fees)
{
    for (size_t i = 0; i < n; i++)
        if (fees[i]->amount_cents > 0) return true;
    return false;
}

int production_password_kind(struct cf_str s)
{
    if (cf_str_is(s, "social_security")) return 0;
    return cf_str_is(s, "financial") ? 1 : -1;
}

struct production_op *production_codec_operation_body(struct cf_arena *a,
                                                      const Cardflow__V1__CardCommand *c,
                                                      struct cf_str bytes)
{
    struct production_op *b = cf_arena_zero(a, sizeof *b);
    char no[CF_CARDNUM_MAX];
    unsigned warnings = 0;
    if (!production_codec_id(c->operation_id, b->id)) return NULL;
    b->packed = bytes;
    b->word = production_codec_text(c->operation);
    b->what = production_operation_parse(b->word);
    size_t n = cf_cardnum_normalise(production_codec_text(c->card_no), no, &warnings);
    if (n) b->card_no = cf_arena_str(a, (struct cf_str){no, n});
    b->card_kind = cf_card_kind_parse(production_codec_text(c->card_kind));
    b->odd_kind = *c->card_kind && !b->card_kind;
    b->channel = cf_channel_parse(production_codec_text(c->channel));
    b->role = production_codec_text(c->actor_role);
    b->named = c->actor.len > 0;
    b->reason = production_codec_text(c->reason);
    b->add_on = production_codec_text(c->add_on);
    b->fees = any_fee(c->n_fees, c->fees);
    b->password = production_password_kind(production_codec_text(c->password_kind));
    if (c->operator_) {
        b->operator_bank = production_codec_text(c->operator_->bank_code);
        b->operator_outlet = production_codec_text(c->operator_->outlet_code);
        b->staff_id = production_codec_text(c->operator_->staff_id);
    }
    if (c->import) {
        b->import.bank = production_codec_text(c->import->bank_code);
        b->import.state = cf_card_state_parse(production_codec_text(c->import->state));
        b->import.kind = cf_card_kind_parse(production_codec_text(c->import->kind));
        b->import.issued_on = c->import->issued_on;
        b->import.has_photo = c->import->has_photo;
    }
    if (b->what == PRODUCTION_OP_OPEN_ADD_ON) b->room = cf_arena_alloc(a, PRODUCTION_ADD_ONS_MAX);
    if (b->add_on.len > PRODUCTION_ADD_ON_NAME) return NULL;
    if (b->import.bank.len > 32 || b->staff_id.len > 64 || b->operator_outlet.len > 160 || b->reason.len > 200) return NULL;
    return b;
}

static int card_command(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_key key;
    int err = production_codec_holder_key(d, rec, &key);
    if (err) return err;
    const Cardflow__V1__CardCommand *c =
        cf_unpack(d->arena, &cardflow__v1__card_command__descriptor, rec->value);
    if (!c) return production_codec_wrong(d, "value: not a CardCommand");
    struct production_op *b = production_codec_operation_body(d->arena, c, rec->value);
    if (!b) return production_codec_wrong(d, "operation_id: 16 bytes; texts: at most 200 bytes");
    err = production_codec_persons(d, &key, c, rec->ce_time, b);
    if (err) return err;
    b->asked = cf_str_is(rec->ce_source, PRODUCTION_FRONT);
    struct cf_msg *m = production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_OPERATION, &key, b);
    m->is_command = true;
    memcpy(m->id, b->id, 16);
    m->sent_at = rec->ce_time;
    return 0;
}

static int signature(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_key key;
    int err = production_codec_holder_key(d, rec, &key);
    if (err) return err;
    const Cardflow__V1__VoucherSignature *x =
        cf_unpack(d->arena, &cardflow__v1__voucher_signature__descriptor, rec->value);
    if (!x) return production_codec_wrong(d, "value: not a VoucherSignature");
    struct production_signed *b = cf_arena_zero(d->arena, sizeof *b);
    if (!production_codec_id(x->operation_id, b->operation_id))
        return production_codec_wrong(d, "operation_id: 16 bytes");
    b->voucher_no = production_codec_text(x->voucher_no);
    b->role = production_codec_text(x->role);
    b->method = production_codec_text(x->method);
    b->staff_id = production_codec_text(x->staff_id);
    b->signed_at = x->signed_at_ms;
    if (x->signer.len) b->signer = cf_bytes(x->signer);
    if (b->role.len > 20 || b->method.len > 20 || b->staff_id.len > 64 || b->signer.len > 4096)
        return production_codec_wrong(d, "role, method, staff_id, signer: too long");
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_SIGNATURE, &key, b);
    return 0;
}

/* ---- bank.results -------------------------------------------------------------------------- */

static const struct production_result *result_body(struct cf_arena *a,
                                                   const Cardflow__V1__BankResult *r)
{
    static const uint8_t none[16];
    struct production_result *b = cf_arena_zero(a, sizeof *b);
    if (!production_codec_id(r->application_id, b->app_id) ||
        !production_codec_ref(r->batch_id, b->batch_id) ||
        !production_codec_ref(r->result_id, b->id))
        return NULL;
    b->line_no = r->line_no;
    b->bank = production_codec_text(r->bank_code);
    b->card_no = production_codec_text(r->card_no);
    b->reason = production_codec_text(r->reason);
    b->step = production_step_parse(production_codec_text(r->step));
    b->fees = any_fee(r->n_fees, r->fees);
    if (memcmp(b->id, none, 16) == 0)
        cf_uuid8_of(b->id, CF_STR("bank.result"), (struct cf_str){(const char *)b->app_id, 16},
                    production_codec_text(r->step), b->card_no);
    return b->reason.len <= 100 ? b : NULL;
}

static int acknowledged(struct cf_decode *d, const struct cf_key *key,
                        const Cardflow__V1__BankResult *r)
{
    struct production_acknowledged *b = cf_arena_zero(d->arena, sizeof *b);
    if (!production_codec_id(r->notice_id, b->notice_id))
        return production_codec_wrong(d, "notice_id: 16 bytes");
    b->bank = production_codec_text(r->bank_code);
    b->card_no = production_codec_text(r->card_no);
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_ACKNOWLEDGED, key, b);
    return 0;
}

/* About a card, not about an application. */
static int tries(struct cf_decode *d, const struct cf_key *key, const Cardflow__V1__BankResult *r)
{
    struct production_tries *b = cf_arena_zero(d->arena, sizeof *b);
    b->bank = production_codec_text(r->bank_code);
    b->card_no = production_codec_text(r->card_no);
    b->password = production_password_kind(production_codec_text(r->password_kind));
    b->tries = r->tries;
    if (!production_codec_id(r->result_id, b->id) || !b->card_no.len || b->password < 0)
        return production_codec_wrong(d, "result_id, card_no, password_kind: needed");
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_TRIES, key, b);
    return 0;
}

int production_codec_bank_result(struct cf_decode *d, const struct cf_key *key, struct cf_str bytes)
{
    const Cardflow__V1__BankResult *r =
        cf_unpack(d->arena, &cardflow__v1__bank_result__descriptor, bytes);
    if (!r) return production_codec_wrong(d, "value: not a BankResult");
    if (r->step && !strcmp(r->step, PRODUCTION_ACKNOWLEDGED)) return acknowledged(d, key, r);
    if (r->step && !strcmp(r->step, PRODUCTION_PASSWORD_WRONG)) return tries(d, key, r);
    const struct production_result *b = result_body(d->arena, r);
    if (!b) return production_codec_wrong(d, "application_id: 16 bytes; reason: at most 100 bytes");
    if (b->step == PRODUCTION_ON_NONE) return production_codec_wrong(d, "step: unknown");
    production_codec_add(d, PRODUCTION_HOLDER, PRODUCTION_M_RESULT, key, b);
    return 0;
}

static int bank_result(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_key key;
    int err = production_codec_holder_key(d, rec, &key);
    return err ? err : production_codec_bank_result(d, &key, rec->value);
}

int production_decode(struct cf_decode *d, const struct cf_record *rec)
{
    switch ((enum production_topic)rec->topic) {
    case PRODUCTION_IN_APPLICATION:
        return application_event(d, rec);
    case PRODUCTION_IN_PHOTO:
        return photo_event(d, rec);
    case PRODUCTION_IN_COMMANDS:
        if (cf_str_is(rec->ce_type, "card.collect")) return production_codec_collection(d, rec);
        if (cf_str_is(rec->ce_type, "card.settle_failure")) return production_codec_failure(d, rec);
        return cf_str_is(rec->ce_type, "card.signature") ? signature(d, rec)
                                                         : card_command(d, rec);
    case PRODUCTION_IN_RESULTS:
        return bank_result(d, rec);
    case PRODUCTION_IN_INTERNAL:
        return production_codec_internal(d, rec);
    case PRODUCTION_IN:
        break;
    }
    return production_codec_wrong(d, "topic: unknown");
}

/* Whose document it was has been judged when it came. */
static const struct production_op *kept_operation(struct cf_arena *a, struct cf_str bytes)
{
    const Cardflow__V1__CardCommand *c =
        cf_unpack(a, &cardflow__v1__card_command__descriptor, bytes);
    struct production_op *b = c ? production_codec_operation_body(a, c, bytes) : NULL;
    if (b) b->kept = true;
    return b;
}

const void *production_codec_again(struct cf_arena *a, enum production_message type,
                                   struct cf_str bytes)
{
    enum production_message same;
    if (type == PRODUCTION_M_RESULT) {
        const Cardflow__V1__BankResult *r =
            cf_unpack(a, &cardflow__v1__bank_result__descriptor, bytes);
        return r ? result_body(a, r) : NULL;
    }
    if (type == PRODUCTION_M_OPERATION) return kept_operation(a, bytes);
    return photo_body(a, bytes, &same);
}
