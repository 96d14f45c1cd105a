/* handlers_unit -- units, and what every shard has to know of the schools among them. */
#include "services/intake/handlers.h"

int intake_decide_unit(struct cf_step *s, struct intake_unit *u, bool *changed)
{
    const struct intake_unit_msg *m = s->msg->body;
    if (m->unit.revision <= u->revision) {
        cf_count(s, "duplicate_revisions");
        return 0;
    }
    bool was = cf_str_is(u->kind, "school"), is = cf_str_is(m->unit.kind, "school");
    *u = m->unit;
    *changed = true;
    if (was || is)
        intake_codec_send_school(s, m->unit_code, is ? m->unit.banks : (struct cf_str){0},
                                 m->unit.revision, m->partitions);
    return 0;
}

/* In the order of the unit's own events: they come from one shard. */
int intake_decide_unit_told(struct cf_step *s)
{
    const struct intake_unit_told *m = s->msg->body;
    cf_aux_put(s, INTAKE_AUX_SCHOOL, m->id, &m->school);
    return 0;
}
