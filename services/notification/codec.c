#include "services/notification/codec.h"

#include "cardflow/v1/application.pb-c.h"
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "cardflow/v1/complaint.pb-c.h"
#include "cardflow/v1/notification.pb-c.h"
#include "cardflow/v1/photo.pb-c.h"
#include "common/io/stage/pgbin.h"
#include "common/pure/mask.h"

typedef Cardflow__V1__ApplicationEvent application_event;
typedef Cardflow__V1__NotificationJob job_message;
typedef Cardflow__V1__WorkOutcome__Item outcome_item;

enum { EARLY_MAX = 8192 }; /* bytes of messages that wait for a person */

static int refuse(struct cf_decode *d, const char *reason)
{
    d->reason = reason;
    return CF_E_DECODE;
}

static struct cf_str text(const char *z)
{
    return cf_str_of(z ? z : "");
}

static char *loose(struct cf_arena *a, struct cf_str s)
{
    return s.len ? (char *)(uintptr_t)cf_arena_str(a, s).ptr : (char *)(uintptr_t) "";
}

/* Absent is allowed: a card from before cardflow has no application. */
static bool take_id(ProtobufCBinaryData in, uint8_t out[16])
{
    if (in.len != 0 && in.len != 16) return false;
    if (in.len) memcpy(out, in.data, 16);
    return true;
}

static struct cf_msg *add(struct cf_decode *d, enum notification_message type,
                          const struct cf_key *key, const void *body)
{
    if (d->n == d->max) CF_BUG("more messages in a record than there is room for");
    struct cf_msg *m = &d->msgs[d->n++];
    *m = (struct cf_msg){.kind = NOTIFY_KIND_HOLDER, .type = (uint16_t)type, .key = *key};
    m->body = body;
    return m;
}

static int begin_news(struct cf_decode *d, const struct cf_record *rec,
                      ProtobufCBinaryData application_id, cf_ms at, struct notification_news **out)
{
    struct notification_news *n = cf_arena_zero(d->arena, sizeof *n);
    if (!cf_uuid_parse(rec->ce_id, n->job.event_id)) return refuse(d, "ce_id: a UUID");
    if (!take_id(application_id, n->job.application_id))
        return refuse(d, "application_id: 16 bytes or none");
    n->job.at = at;
    *out = n;
    return 0;
}

/* News that tells nobody anything costs only its position. */
static int end_news(struct cf_decode *d, const struct cf_key *key,
                    const struct notification_news *n)
{
    if (n->job.template || n->person.len || n->begins_waiting || n->ends_waiting)
        add(d, NOTIFY_MSG_NEWS, key, n);
    return 0;
}

/* ---- application.events -----------------------------------------------------------------------
 */

static void read_refused(struct notification_news *n, enum cf_app_state state,
                         const Cardflow__V1__ApplicationEvent__Refused *r)
{
    n->job.template = notification_for_step(state, CF_STR(""));
    n->job.notice_no = text(r->notice_no);
    n->job.respond_by = r->respond_by;
    n->person = cf_bytes(r->person);
}

static int decode_life(struct cf_decode *d, const struct cf_key *key,
                       const Cardflow__V1__ApplicationEvent__EnrolmentChanged *c)
{
    struct notification_life *life = cf_arena_zero(d->arena, sizeof *life);
    life->died = !c->active && cf_str_is(text(c->reason), "death");
    add(d, NOTIFY_MSG_LIFE, key, life);
    return 0;
}

static int decode_application(struct cf_decode *d, const struct cf_record *rec,
                              const struct cf_key *key)
{
    const application_event *e =
        cf_unpack(d->arena, &cardflow__v1__application_event__descriptor, rec->value);
    struct notification_news *n;
    if (!e) return refuse(d, "value: not an application event");
    int err = begin_news(d, rec, e->application_id, e->at_ms, &n);
    if (err) return err;
    switch (e->body_case) {
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ACCEPTED:
        n->job.template = NOTIFY_ACCEPTED;
        n->job.receipt_no = text(e->accepted->receipt_no);
        n->job.due_on = e->accepted->due_on;
        n->person = cf_bytes(e->accepted->person);
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_NOTICED:
        read_refused(n, CF_APP_NOTICED, e->noticed);
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_REJECTED:
        read_refused(n, CF_APP_REJECTED, e->rejected);
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_RECEIVED:
        /* One that is judged at once brings its person with the judgement. */
        if (e->received->waiting_for_enrolment) n->person = cf_bytes(e->received->person);
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ENDED:
        n->job.template = notification_for_step(cf_app_state_parse(text(e->ended->state)),
                                                text(e->ended->reason));
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ENROLMENT_CHANGED:
        return decode_life(d, key, e->enrolment_changed);
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_SUPPLEMENTED:
        n->person = cf_bytes(e->supplemented->person);
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_SUPPLEMENT_REQUESTED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_COMMAND_DECIDED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_WITHDRAWAL_REQUESTED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_EXTENSION_REQUESTED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_ALIASED:
    case CARDFLOW__V1__APPLICATION_EVENT__BODY_NOT_ENROLLED:
        break;
    case CARDFLOW__V1__APPLICATION_EVENT__BODY__NOT_SET:
    case _CARDFLOW__V1__APPLICATION_EVENT__BODY__CASE_IS_INT_SIZE:
        d->reason = "body: unknown event";
        return CF_E_VERSION;
    }
    return end_news(d, key, n);
}

/* ---- photo.events, card.events ------------------------------------------------------------------
 */

static int decode_photo(struct cf_decode *d, const struct cf_record *rec, const struct cf_key *key)
{
    const Cardflow__V1__PhotoEvent *e =
        cf_unpack(d->arena, &cardflow__v1__photo_event__descriptor, rec->value);
    struct notification_news *n;
    if (!e) return refuse(d, "value: not a photo event");
    int err = begin_news(d, rec, e->application_id, e->at_ms, &n);
    if (err) return err;
    if (e->body_case == CARDFLOW__V1__PHOTO_EVENT__BODY_MISSING) {
        n->job.template = NOTIFY_PHOTO_MISSING;
        n->job.respond_by = e->missing->respond_by;
    }
    return end_news(d, key, n);
}

static void read_step(struct notification_news *n, const Cardflow__V1__CardEvent__Step *s)
{
    enum cf_app_state state = cf_app_state_parse(text(s->state));
    n->job.template = s->needs_person ? NOTIFY_PRODUCTION_FAILED
                                      : notification_for_step(state, text(s->reason));
    n->job.notice_no = text(s->notice_no);
    n->job.respond_by = s->respond_by;
    n->begins_waiting = state == CF_APP_READY_FOR_PICKUP;
    n->ends_waiting = notification_ends_waiting(state);
}

static int decode_card(struct cf_decode *d, const struct cf_record *rec, const struct cf_key *key)
{
    const Cardflow__V1__CardEvent *e =
        cf_unpack(d->arena, &cardflow__v1__card_event__descriptor, rec->value);
    struct notification_news *n;
    if (!e) return refuse(d, "value: not a card event");
    int err = begin_news(d, rec, e->application_id, e->at_ms, &n);
    if (err) return err;
    char masked[CF_MASK_MAX];
    size_t len = cf_mask_cardnum(text(e->card_no), masked);
    n->job.card_no_masked = cf_arena_str(d->arena, (struct cf_str){masked, len});
    n->job.outlet_code = text(e->outlet_code);
    if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_STEP) {
        read_step(n, e->step);
    } else if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_DEADLINE) {
        const Cardflow__V1__CardEvent__Deadline *x = e->deadline;
        n->job.due_on = x->due_on;
        if (!x->silent) n->job.template = notification_for_deadline(text(x->what));
    } else if (e->body_case == CARDFLOW__V1__CARD_EVENT__BODY_CARD_CHANGED) {
        const Cardflow__V1__CardEvent__CardChanged *c = e->card_changed;
        n->job.template =
            notification_for_card(cf_card_state_parse(text(c->state_before)),
                                  cf_card_state_parse(text(c->state)), text(c->operation));
    }
    return end_news(d, key, n);
}

/* ---- complaint.events
 * ---------------------------------------------------------------------------- */

static int decode_complaint(struct cf_decode *d, const struct cf_record *rec,
                            const struct cf_key *key)
{
    const Cardflow__V1__ComplaintEvent *e =
        cf_unpack(d->arena, &cardflow__v1__complaint_event__descriptor, rec->value);
    struct notification_news *n;
    if (!e) return refuse(d, "value: not a complaint event");
    bool replied =
        cf_str_is(text(e->state), "replied") && !cf_str_is(text(e->state_before), "replied");
    /* Without a holder the reporter wants to stay unknown, or is. */
    if (!replied || e->holder_ref.len != CF_REF_LEN) return 0;
    int err = begin_news(d, rec, (ProtobufCBinaryData){0, NULL}, e->at_ms, &n);
    if (err) return err;
    memcpy(n->holder_ref, e->holder_ref.data, CF_REF_LEN);
    n->job.template = NOTIFY_ORDER_REPLIED;
    n->job.order_no = text(e->order_no);
    add(d, NOTIFY_MSG_FORWARD, key, n);
    return 0;
}

/* ---- notification.internal
 * ----------------------------------------------------------------------- */

static struct notification_job job_of(const job_message *m)
{
    struct notification_job job = {.template = (enum notification_template)m->template_,
                                   .at = m->at_ms,
                                   .due_on = m->due_on,
                                   .respond_by = m->respond_by,
                                   .receipt_no = text(m->receipt_no),
                                   .notice_no = text(m->notice_no),
                                   .outlet_code = text(m->outlet_code),
                                   .card_no_masked = text(m->card_no_masked),
                                   .order_no = text(m->order_no),
                                   .deferred = m->deferred};
    if (m->event_id.len == 16) memcpy(job.event_id, m->event_id.data, 16);
    if (m->application_id.len == 16) memcpy(job.application_id, m->application_id.data, 16);
    return job;
}

static int decode_item(struct cf_decode *d, const outcome_item *item)
{
    struct cf_key key;
    if (!cf_key_bytes(item->key.data, item->key.len, &key))
        return refuse(d, "items.key: 1-63 bytes");
    if (item->work_id.len != 16) return refuse(d, "items.work_id: 16 bytes");
    struct notification_outcome *o = NULL;
    enum notification_message type = NOTIFY_MSG_REMIND;
    if (item->kind == NOTIFY_WORK_SMS) {
        type = NOTIFY_MSG_OUTCOME;
        o = cf_arena_zero(d->arena, sizeof *o);
        o->reason = text(item->reason);
        o->of = item->result == CARDFLOW__V1__WORK_OUTCOME__RESULT__DONE     ? NOTIFY_WAS_SENT
                : item->result == CARDFLOW__V1__WORK_OUTCOME__RESULT__FAILED ? NOTIFY_WAS_REFUSED
                                                                             : NOTIFY_WAS_LATE;
    } else if (item->kind != NOTIFY_WORK_REMIND) {
        d->reason = "items.kind: unknown";
        return CF_E_VERSION;
    }
    struct cf_msg *m = add(d, type, &key, o);
    m->is_outcome = true;
    m->no_row = type == NOTIFY_MSG_OUTCOME; /* the job holds all there is to know */
    m->attempt = item->attempt;
    memcpy(m->work_id, item->work_id.data, 16);
    if (item->bundle_id.len == 16) memcpy(m->work_bundle, item->bundle_id.data, 16);
    return 0;
}

static int decode_internal(struct cf_decode *d, const struct cf_record *rec)
{
    const Cardflow__V1__NotificationInternal *in =
        cf_unpack(d->arena, &cardflow__v1__notification_internal__descriptor, rec->value);
    if (!in) return refuse(d, "value: not a message of notification");
    if (in->body_case == CARDFLOW__V1__NOTIFICATION_INTERNAL__BODY_FORWARD) {
        struct cf_key key;
        struct notification_news *n = cf_arena_zero(d->arena, sizeof *n);
        if (!cf_key_bytes(rec->key.ptr, rec->key.len, &key)) return refuse(d, "key: 16 bytes");
        n->job = job_of(in->forward);
        add(d, NOTIFY_MSG_NEWS, &key, n);
        return 0;
    }
    if (in->body_case != CARDFLOW__V1__NOTIFICATION_INTERNAL__BODY_WORK)
        return refuse(d, "body: one of work, forward");
    if (in->work->n_items > d->max) return refuse(d, "items: more than a record may hold");
    int e = 0;
    for (size_t i = 0; !e && i < in->work->n_items; i++)
        e = decode_item(d, in->work->items[i]);
    return e;
}

int notification_codec_decode(struct cf_decode *d, const struct cf_record *rec)
{
    if (rec->topic == NOTIFY_IN_INTERNAL) return decode_internal(d, rec);
    struct cf_key key;
    if (!cf_key_bytes(rec->key.ptr, rec->key.len, &key)) return refuse(d, "key: 1-63 bytes");
    if (rec->topic == NOTIFY_IN_COMPLAINTS) return decode_complaint(d, rec, &key);
    if (rec->topic == NOTIFY_IN_PHOTOS) return decode_photo(d, rec, &key);
    if (rec->topic == NOTIFY_IN_CARDS) return decode_card(d, rec, &key);
    return decode_application(d, rec, &key);
}

/* ---- packing
 * ---------------------------------------------------------------------------------------- */

static job_message *message_of(struct cf_arena *a, const struct notification_job *job)
{
    job_message *m = cf_arena_alloc(a, sizeof *m);
    cardflow__v1__notification_job__init(m);
    m->event_id = cf_data_id(job->event_id);
    m->application_id = cf_data_id(job->application_id);
    m->template_ = (uint32_t)job->template;
    m->at_ms = job->at;
    m->due_on = job->due_on;
    m->respond_by = job->respond_by;
    m->receipt_no = loose(a, job->receipt_no);
    m->notice_no = loose(a, job->notice_no);
    m->outlet_code = loose(a, job->outlet_code);
    m->card_no_masked = loose(a, job->card_no_masked);
    m->order_no = loose(a, job->order_no);
    m->deferred = job->deferred;
    return m;
}

struct cf_str notification_codec_job(struct cf_arena *a, const struct notification_job *job)
{
    return cf_pack(a, &message_of(a, job)->base);
}

int notification_codec_job_read(struct cf_arena *a, struct cf_str bytes,
                                struct notification_job *out)
{
    const job_message *m = cf_unpack(a, &cardflow__v1__notification_job__descriptor, bytes);
    if (!m) return CF_E_DECODE;
    *out = job_of(m);
    return 0;
}

bool notification_codec_early_add(struct cf_arena *a, struct cf_str *early,
                                  const struct notification_job *job)
{
    struct cf_str one = notification_codec_job(a, job);
    size_t len = early->len + 4 + one.len;
    if (len > EARLY_MAX) return false;
    char *all = cf_arena_alloc(a, len);
    if (early->len) memcpy(all, early->ptr, early->len);
    cf_put32(all + early->len, (uint32_t)one.len);
    memcpy(all + early->len + 4, one.ptr, one.len);
    *early = (struct cf_str){all, len};
    return true;
}

int notification_codec_early_next(struct cf_arena *a, struct cf_str *early,
                                  struct notification_job *out)
{
    size_t len = early->len < 4 ? SIZE_MAX : cf_get32(early->ptr);
    if (early->len < 4 || len > early->len - 4) return CF_E_DECODE;
    struct cf_str one = {early->ptr + 4, len};
    early->ptr += 4 + len;
    early->len -= 4 + len;
    return notification_codec_job_read(a, one, out);
}

void notification_codec_forward(struct cf_step *s, const struct cf_key *holder,
                                const struct notification_job *job)
{
    Cardflow__V1__NotificationInternal in;
    cardflow__v1__notification_internal__init(&in);
    in.body_case = CARDFLOW__V1__NOTIFICATION_INTERNAL__BODY_FORWARD;
    in.forward = message_of(s->arena, job);
    cf_send(s, NOTIFY_OUT_INTERNAL, holder, "notification.forward", &in.base);
}

void notification_codec_send_end(struct cf_step *s, const struct cf_key *key,
                                 const uint8_t notification_id[16],
                                 const struct notification_job *job, enum notification_state state,
                                 struct cf_str reason)
{
    Cardflow__V1__NotificationEvent e;
    cardflow__v1__notification_event__init(&e);
    e.notification_id = cf_data_id(notification_id);
    e.event_id = cf_data_id(job->event_id);
    e.application_id = cf_data_id(job->application_id);
    e.template_ = loose(s->arena, cf_str_of(notification_template_name(job->template)));
    e.channel = loose(s->arena, CF_STR("sms"));
    e.state = loose(s->arena, cf_str_of(notification_state_name(state)));
    e.reason = loose(s->arena, reason);
    e.at_ms = s->now;
    cf_send(s, NOTIFY_OUT_EVENTS, key, "notification.ended", &e.base);
}

int notification_codec_person(struct cf_arena *a, struct cf_str plain,
                              struct notification_person *out)
{
    const Cardflow__V1__Person *p = cf_unpack(a, &cardflow__v1__person__descriptor, plain);
    if (!p) return CF_E_DECODE;
    out->document_type = cf_doc_type_parse(text(p->document_type));
    out->phone = text(p->phone);
    out->guardian_phone = text(p->guardian ? p->guardian->phone : "");
    return 0;
}
