#include "services/complaint-handling/show.h"

#include "common/pure/mask.h"

static void out_sealed(struct cf_out *o, const char *name, const struct complaint_show *in,
                       struct cf_str sealed, uint8_t field)
{
    struct cf_str plain;
    if (sealed.len &&
        cf_unseal(in->env->ring, sealed, cf_key_str(in->key), field, in->arena, &plain) == 0)
        cf_out_text(o, name, plain);
    else
        cf_out_null(o, name);
}

static void out_label(struct cf_out *o, enum complaint_state state)
{
    cf_out_object(o, "label");
    cf_out_z(o, "zh", complaint_state_label(state, CF_LANG_ZH));
    cf_out_z(o, "en", complaint_state_label(state, CF_LANG_EN));
    cf_out_end(o);
}

static void out_reporter(struct cf_out *o, const struct complaint_show *in)
{
    struct complaint_person p;
    struct cf_str plain;
    char masked[CF_MASK_MAX];
    if (in->order->anonymous || !in->demand->reporter.len ||
        cf_unseal(in->env->ring, in->demand->reporter, cf_key_str(in->key),
                  COMPLAINT_FIELD_REPORTER, in->arena, &plain) != 0 ||
        complaint_codec_person(in->arena, plain, &p) != 0) {
        cf_out_null(o, "reporter");
        return;
    }
    cf_out_object(o, "reporter");
    cf_mask_name(p.name, masked);
    cf_out_z(o, "name", p.name.len ? masked : "");
    cf_mask_number(p.document_number, masked);
    cf_out_z(o, "document_number", p.document_number.len ? masked : "");
    cf_mask_phone(p.phone, masked);
    cf_out_z(o, "phone", p.phone.len ? masked : "");
    cf_out_end(o);
}

/* Every day from the dispatch to the due date, counted or skipped. */
static void out_days(struct cf_out *o, const struct complaint_show *in)
{
    const struct cf_calendar *cal = in->env->calendar;
    cf_day first = in->order->counts_from + 1, last = in->order->due_on;
    if (last - first > 100) last = first + 100;
    cf_out_array(o, "counted");
    for (cf_day day = first; day <= last; day++)
        if (cf_is_workday(cal, day)) cf_out_day(o, NULL, day);
    cf_out_end(o);
    cf_out_array(o, "skipped");
    for (cf_day day = first; day <= last; day++) {
        if (cf_is_workday(cal, day)) continue;
        struct cf_str name = cf_day_name(cal, day);
        cf_out_object(o, NULL);
        cf_out_day(o, "date", day);
        cf_out_text(o, "name", name.len ? name : CF_STR("周末"));
        cf_out_end(o);
    }
    cf_out_end(o);
}

static void out_deadline(struct cf_out *o, const struct complaint_show *in)
{
    const struct complaint_order *order = in->order;
    cf_out_object(o, "deadline");
    cf_out_int(o, "working_days", COMPLAINT_DAYS + order->extended_days);
    cf_out_int(o, "extended_days", order->extended_days);
    cf_out_some(o, "extend_reason", order->extend_reason);
    cf_out_day(o, "due_on", order->due_on);
    cf_out_bool(o, "provisional", order->due_on > in->env->calendar->coverage_until);
    out_days(o, in);
    cf_out_end(o);
}

static void out_steps(struct cf_out *o, const struct complaint_show *in)
{
    cf_out_array(o, "timeline");
    for (size_t i = 0; i < in->n_steps; i++) {
        const struct complaint_step *s = &in->steps[i];
        cf_out_object(o, NULL);
        cf_out_time(o, "at", s->at);
        cf_out_some(o, "action", s->action);
        cf_out_some(o, "result", s->result);
        cf_out_array(o, "reasons");
        if (s->reasons.len) cf_out_text(o, NULL, s->reasons);
        cf_out_end(o);
        cf_out_some(o, "state_before", s->state_before);
        cf_out_some(o, "state", s->state);
        cf_out_some(o, "owner", s->owner);
        cf_out_some(o, "operator", s->operator_id);
        cf_out_some(o, "note", s->note);
        cf_out_day(o, "due_on", s->due_on);
        cf_out_end(o);
    }
    cf_out_end(o);
}

void complaint_show(struct cf_buf *to, const struct complaint_show *in)
{
    const struct complaint_order *order = in->order;
    enum complaint_state state = (enum complaint_state)order->state;
    struct cf_out o = cf_out_to(to);
    char id[37];
    cf_uuid_text(in->key->b, id);
    cf_out_object(&o, NULL);
    cf_out_z(&o, "work_order_id", id);
    cf_out_text(&o, "source_system", order->source_system);
    cf_out_text(&o, "order_no", order->order_no);
    cf_out_z(&o, "kind", complaint_kind_name((enum complaint_kind)order->kind));
    cf_out_some(&o, "topic", order->topic);
    cf_out_z(&o, "state", complaint_state_name(state));
    out_label(&o, state);
    cf_out_some(&o, "owner", order->owner);
    cf_out_z(&o, "mark",
             order->mark ? complaint_mark_name((enum complaint_mark)order->mark) : NULL);
    cf_out_some(&o, "end_reason", order->end_reason);
    cf_out_bool(&o, "anonymous", order->anonymous);
    cf_out_bool(&o, "reopened", order->reopened);
    cf_out_time(&o, "dispatched_at", order->dispatched_at);
    cf_out_time(&o, "replied_at", order->replied_at);
    cf_out_day(&o, "due_on", order->due_on);
    out_deadline(&o, in);
    out_reporter(&o, in);
    out_sealed(&o, "text", in, in->demand->text, COMPLAINT_FIELD_TEXT);
    out_sealed(&o, "reply", in, order->reply, COMPLAINT_FIELD_REPLY);
    out_sealed(&o, "card_status", in, order->context, COMPLAINT_FIELD_REPLY);
    out_steps(&o, in);
    cf_out_end(&o);
}
