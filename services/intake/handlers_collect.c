/* handlers_collect -- the agent takes the cards of a roster: once an id, and step by step. */
#include "common/pure/patience.h"
#include "services/intake/handlers.h"

#define COLLECT_BACKOFF_MS 200
#define COLLECT_BACKOFF_MAX_MS 30000

static struct cf_str named_rows(struct cf_arena *a, const struct intake_collect *m)
{
    enum { DIGITS = 11 }; /* and the bar */
    char *text = m->n_rows ? cf_arena_zero(a, m->n_rows * DIGITS + 1) : NULL;
    size_t n = 0;
    for (size_t i = 0; i < m->n_rows; i++)
        n += (size_t)snprintf(text + n, DIGITS + 1, "%s%u", i ? "|" : "", m->rows[i]);
    return (struct cf_str){text, n};
}

/* The row is what a repeat finds; the work asks production for each card. */
int intake_decide_collect(struct cf_step *s, bool exists)
{
    const struct intake_collect *m = s->msg->body;
    if (cf_aux_get(s, INTAKE_AUX_COLLECTION, m->id)) {
        cf_count(s, "duplicate_commands");
        return 0;
    }
    if (!exists) return CF_E_ILLEGAL;
    struct intake_collection row = {
        .at = s->now,
        .outlet_code = m->outlet_code,
        .collector = m->collector,
        .rows = named_rows(s->arena, m)};
    memcpy(row.roster_id, m->roster_id, 16);
    cf_aux_put(s, INTAKE_AUX_COLLECTION, m->id, &row);
    struct cf_work w = {.kind = INTAKE_WORK_COLLECT,
                        .part = s->part,
                        .key = s->msg->key,
                        .due = s->now,
                        .args = m->args};
    memcpy(w.id, m->id, 16);
    cf_work_put(s, &w);
    return 0;
}

int intake_decide_collected(struct cf_step *s)
{
    const struct intake_split *m = s->msg->body;
    struct cf_work w = *s->msg->work;
    w.attempt++;
    w.due = s->now;
    if (m->failed)
        w.due += cf_backoff_ms(w.id, w.attempt, COLLECT_BACKOFF_MS, COLLECT_BACKOFF_MAX_MS);
    else if (m->complete)
        return 0;
    else
        w.args = intake_codec_collect_args(s->arena, w.args, (uint32_t)m->next_row);
    cf_work_put(s, &w);
    return 0;
}
