/* handlers_roster -- a roster's row: opened, split into commands, and counted as rows come back. */
#include "common/pure/patience.h"
#include "services/intake/handlers.h"

#define SPLIT_BACKOFF_MS 200
#define SPLIT_BACKOFF_MAX_MS 30000

static int decide_opened(struct cf_step *s, struct intake_roster *r, bool exists, bool *changed)
{
    const struct intake_opened *m = s->msg->body;
    if (exists && r->opened_at) {
        cf_count(s, "duplicate_commands");
        return 0;
    }
    /* Rows that the front has refused may have come before. */
    struct intake_roster opened = m->roster;
    opened.accepted = r->accepted;
    opened.refused = r->refused;
    opened.unchanged = r->unchanged;
    memcpy(opened.by_state, r->by_state, sizeof opened.by_state);
    opened.opened_at = m->roster.opened_at ? m->roster.opened_at : s->now;
    *r = opened;
    struct cf_work w = {.kind = INTAKE_WORK_SPLIT, .part = s->part, .key = s->msg->key,
                        .due = s->now, .args = m->args};
    memcpy(w.id, m->roster_id, 16);
    cf_work_put(s, &w);
    *changed = true;
    return 0;
}

static int decide_split(struct cf_step *s, struct intake_roster *r, bool *changed)
{
    const struct intake_split *m = s->msg->body;
    struct cf_work w = *s->msg->work;
    w.attempt++;
    if (m->failed) {
        w.due = s->now + cf_backoff_ms(w.id, w.attempt, SPLIT_BACKOFF_MS, SPLIT_BACKOFF_MAX_MS);
        cf_work_put(s, &w);
        cf_count(s, "split_again");
        return 0;
    }
    *changed = true;
    if (m->next_row > r->next_row) r->next_row = m->next_row;
    if (m->complete) {
        r->complete = true;
        r->records = m->records;
        r->problem = m->problem.len ? m->problem : (struct cf_str){0};
        return 0;
    }
    w.due = s->now;
    w.args = intake_codec_split_args(s->arena, w.args, (uint32_t)r->next_row);
    cf_work_put(s, &w);
    return 0;
}

static int32_t *outcome_count(struct intake_roster *r, int outcome)
{
    switch ((enum intake_row_outcome)outcome) {
    case INTAKE_ROW_ACCEPTED: return &r->accepted;
    case INTAKE_ROW_REFUSED: return &r->refused;
    case INTAKE_ROW_UNCHANGED: return &r->unchanged;
    case INTAKE_ROW_NONE:
    case INTAKE_ROW_COUNT: break;
    }
    return NULL;
}

static void count(struct intake_roster *r, const struct intake_roster_row *row, int32_t by)
{
    int32_t *outcome = outcome_count(r, row->outcome);
    /* An unchanged row's application is counted by the roster that made it. */
    enum intake_count state = row->outcome == INTAKE_ROW_UNCHANGED
                                  ? INTAKE_COUNT_COUNT
                                  : intake_count_of((enum cf_app_state)row->app_state);
    if (outcome) *outcome += by;
    if (state < INTAKE_COUNT_COUNT) r->by_state[state] += by;
}

enum { NOTICES_MAX = 1000 };

/* Each once; more than fits is not kept. */
static struct cf_str add_notice(struct cf_step *s, struct cf_str known, struct cf_str more)
{
    if (known.len == 0) return more;
    if (known.len + more.len >= NOTICES_MAX ||
        (known.len >= more.len &&
         memcmp(known.ptr + known.len - more.len, more.ptr, more.len) == 0))
        return known;
    return cf_arena_printf(s->arena, "%.*s|%.*s", CF_ARG(known), CF_ARG(more));
}

static int decide_row(struct cf_step *s, struct intake_roster *r, bool *changed)
{
    const struct intake_row_msg *m = s->msg->body;
    uint8_t id[16];
    intake_codec_row_id(m->roster_id, (uint32_t)m->row_no, id);
    const struct intake_roster_row *known = cf_aux_get(s, INTAKE_AUX_ROSTER_ROW, id);
    if (known && !m->from_stage) {
        /* The file was split again, after a change of owner. */
        cf_count(s, "duplicate_rows");
        return 0;
    }
    struct intake_roster_row row = known ? *known : (struct intake_roster_row){0};
    if (known) count(r, known, -1);
    memcpy(row.roster_id, m->roster_id, 16);
    row.row_no = m->row_no;
    if (m->outcome != INTAKE_ROW_NONE) {
        row.outcome = (int16_t)m->outcome;
        row.reasons = m->reasons.len ? m->reasons : (struct cf_str){0};
        row.warnings = (int32_t)m->warnings;
    }
    memcpy(row.application_id, m->application_id, 16);
    if (m->state != CF_APP_NONE) row.app_state = (int16_t)m->state;
    if (m->notice.len) row.notices = add_notice(s, row.notices, m->notice);
    if (m->taken_over) row.app_state = CF_APP_NONE; /* it is counted there */
    count(r, &row, 1);
    cf_aux_put(s, INTAKE_AUX_ROSTER_ROW, id, &row);
    *changed = true;
    return 0;
}

int intake_decide_roster(struct cf_step *s, struct intake_roster *r, bool exists, bool *changed)
{
    if (s->msg->type == INTAKE_MSG_ROSTER_OPENED) return decide_opened(s, r, exists, changed);
    if (s->msg->type == INTAKE_MSG_SPLIT) return decide_split(s, r, changed);
    return decide_row(s, r, changed);
}
