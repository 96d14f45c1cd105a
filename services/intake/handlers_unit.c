/* handlers_unit -- units: what every shard has to know of the schools among them, and the clock of
 * a new one. */
#include "common/io/ids.h"
#include "services/intake/handlers.h"
#include "services/intake/rules_unit.h"

enum { COUNT_AGAIN_MS = 30000 };

static struct intake_unit_clock clock_of(const struct intake_unit *u)
{
    return (struct intake_unit_clock){.registered_on = u->registered_on,
                                      .due_on = u->due_on,
                                      .heard_on = u->heard_on,
                                      .passed = (unsigned)u->passed,
                                      .marks = (unsigned)u->marks,
                                      .met_on = u->met_on};
}

static void keep_clock(struct intake_unit *u, const struct intake_unit_clock *c)
{
    u->due_on = c->due_on;
    u->heard_on = c->heard_on;
    u->passed = (int16_t)c->passed;
    u->marks = (int16_t)c->marks;
    u->met_on = c->met_on;
}

/* The unit's people are counted when they are due: work of the front, under the unit's own id. */
static void arm(struct cf_step *s, struct intake_unit *u, cf_ms due)
{
    struct cf_work w = {.kind = INTAKE_WORK_UNIT, .part = s->part, .key = s->msg->key, .due = due};
    if (!due) return;
    cf_uuid8_of(w.id, CF_STR("intake.unit"), cf_key_str(&s->msg->key));
    w.attempt = (uint32_t)++u->count_no;
    w.args = intake_codec_unit_args(s->arena, u->due_on);
    cf_work_put(s, &w);
}

static void start_clock(struct cf_step *s, struct intake_unit *u)
{
    const struct cf_calendar *cal = intake_env_of(s)->calendar;
    struct intake_unit_clock c = intake_unit_start(cal, u->registered_on, s->now);
    keep_clock(u, &c);
    arm(s, u, intake_unit_next(cal, &c, s->now));
}

int intake_decide_unit(struct cf_step *s, struct intake_unit *u, bool *changed)
{
    const struct intake_unit_msg *m = s->msg->body;
    if (m->unit.revision <= u->revision) {
        cf_count(s, "duplicate_revisions");
        return 0;
    }
    bool was = cf_str_is(u->kind, "school"), is = cf_str_is(m->unit.kind, "school");
    bool other_day = u->due_on && m->unit.registered_on != u->registered_on;
    bool starts = other_day || (m->registered && !u->due_on);
    u->revision = m->unit.revision;
    u->kind = m->unit.kind;
    u->banks = m->unit.banks;
    u->registered_on = m->unit.registered_on;
    *changed = true;
    if (starts) start_clock(s, u);
    if (was || is)
        intake_codec_send_school(s, m->unit_code, is ? m->unit.banks : (struct cf_str){0},
                                 m->unit.revision, m->partitions);
    return 0;
}

int intake_decide_unit_counted(struct cf_step *s, struct intake_unit *u, bool *changed)
{
    const struct intake_unit_count *m = s->msg->body;
    const struct cf_calendar *cal = intake_env_of(s)->calendar;
    struct intake_unit_clock c = clock_of(u);
    struct intake_unit_said said[INTAKE_UNIT_MARK_COUNT];
    *changed = true;
    if (m->failed) {
        arm(s, u, s->now + COUNT_AGAIN_MS);
        return 0;
    }
    u->enrolled = (int32_t)m->enrolled;
    u->missing = (int32_t)m->missing;
    u->counted_at = s->now;
    size_t n = intake_unit_counted(cal, &c, m->missing, s->now, said);
    keep_clock(u, &c);
    for (size_t i = 0; i < n; i++)
        intake_codec_send_unit_notice(s, u, intake_unit_mark_name(said[i].mark), said[i].silent);
    arm(s, u, intake_unit_next(cal, &c, s->now));
    return 0;
}

/* In the order of the unit's own events: they come from one shard. */
int intake_decide_unit_told(struct cf_step *s)
{
    const struct intake_unit_told *m = s->msg->body;
    cf_aux_put(s, INTAKE_AUX_SCHOOL, m->id, &m->school);
    return 0;
}
