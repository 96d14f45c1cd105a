/* handlers_deadline -- extensions are asked of production, which has the clock; its dates are kept
 * here for receipts and answers. */
#include "services/intake/handlers.h"

int intake_decide_extend(struct cf_step *s, struct intake_holder *h, bool *changed)
{
    const struct intake_extend *m = s->msg->body;
    const struct intake_application *app =
        cf_aux_get(s, INTAKE_AUX_APPLICATION, m->application_id);
    if (cf_ids_known(h->command_ids, s->msg->id)) {
        cf_count(s, "duplicate_commands");
        return 0;
    }
    const char *refusal = intake_command_refusal(s, h, app);
    const struct intake_slot *slot = intake_slot_with(h, m->application_id);
    bool accepted = slot && slot->state != CF_APP_RECEIVED && slot->state != CF_APP_NOTICED;
    if (!refusal && !accepted) refusal = "illegal_in_state";
    *changed = !refusal;
    if (refusal)
        intake_command_put(s, m->application_id, refusal, INTAKE_REFUSED);
    else /* production answers, see intake_decide_answered */
        intake_codec_send_extension(s, (enum cf_app_kind)slot->kind, s->msg->id, m);
    return 0;
}

int intake_decide_deadline(struct cf_step *s)
{
    const struct intake_deadline *m = s->msg->body;
    const struct intake_application *stored =
        cf_aux_get(s, INTAKE_AUX_APPLICATION, m->application_id);
    if (!stored) return CF_E_ILLEGAL;
    struct intake_application app = *stored;
    app.due_on = m->due_on;
    if (m->extended || app.working_days) app.working_days = m->working_days;
    app.provisional = m->provisional;
    cf_aux_put(s, INTAKE_AUX_APPLICATION, m->application_id, &app);
    return 0;
}
