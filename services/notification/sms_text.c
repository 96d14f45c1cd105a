#include "services/notification/sms_text.h"

#include "common/io/json.h"

const struct notification_contact *notification_contact_of(const struct notification_contacts *c,
                                                           const struct cf_key *key)
{
    for (size_t i = 0; i < c->n; i++)
        if (cf_str_eq(c->list[i].key, cf_key_str(key))) return &c->list[i];
    return NULL;
}

static struct cf_str day_text(cf_day day, enum cf_lang lang, char out[24])
{
    if (!day) return (struct cf_str){0};
    return cf_str_of(lang == CF_LANG_EN ? cf_day_text(day, out) : cf_day_text_zh(day, out));
}

static bool write_text(const char *signature, const struct notification_job *job, enum cf_lang lang,
                       struct cf_buf *out)
{
    char due[24], respond[24];
    struct notification_values v = {
        .v = {
              [NOTIFY_VALUE_RECEIPT_NO] = job->receipt_no,
              [NOTIFY_VALUE_NOTICE_NO] = job->notice_no,
              [NOTIFY_VALUE_DUE_ON] = day_text(job->due_on, lang, due),
              [NOTIFY_VALUE_RESPOND_BY] = day_text(job->respond_by, lang, respond),
              [NOTIFY_VALUE_OUTLET_CODE] = job->outlet_code,
              [NOTIFY_VALUE_CARD_NO] = job->card_no_masked,
              [NOTIFY_VALUE_ORDER_NO] = job->order_no,
              }
    };
    return cf_buf_printf(out, "【%s】", signature) &&
           notification_render(job->template, lang, &v, out);
}

const char *notification_sms_write(const struct cf_seal_ring *ring, const char *signature,
                                   const struct cf_work *work,
                                   const struct notification_contact *to, struct cf_arena *arena,
                                   struct cf_buf *out)
{
    struct cf_str plain;
    struct notification_person person;
    struct notification_job job;
    char phone[64], id[37];
    if (to && to->died) return "holder_died";
    if (!to || !to->person.len) return "no_contact";
    if (cf_unseal(ring, to->person, cf_key_str(&work->key), 1, arena, &plain) ||
        notification_codec_person(arena, plain, &person))
        return "person_not_readable";
    size_t n = notification_phone(person.phone, person.guardian_phone, phone);
    if (!n) return "no_phone";
    if (notification_codec_job_read(arena, work->args, &job)) return "template_not_known";
    struct cf_buf text;
    cf_buf_init(&text, NOTIFY_TEXT_MAX);
    bool made = write_text(signature, &job, notification_lang(person.document_type), &text);
    if (made) {
        struct cf_out o = cf_out_to(out);
        cf_uuid_text(work->id, id);
        cf_out_object(&o, NULL);
        cf_out_z(&o, "id", id);
        cf_out_text(&o, "to", (struct cf_str){phone, n});
        cf_out_text(&o, "text", cf_buf_str(&text));
        cf_out_end(&o);
    }
    cf_buf_free(&text);
    return made ? NULL : "template_value_missing";
}
