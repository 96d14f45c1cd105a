#include "services/complaint-handling/store.h"

#include "common/io/stage/pgbin.h"
#include "embed/complaint_handling_sql.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

#define COLUMN(name, type, field)                                                                  \
    {                                                                                              \
        name, type, offsetof(struct complaint_order, field)                                        \
    }
static const struct cf_column order_columns[] = {
    COLUMN("source_system", CF_COL_TEXT, source_system),
    COLUMN("order_no", CF_COL_TEXT, order_no),
    COLUMN("topic", CF_COL_TEXT, topic),
    COLUMN("owner", CF_COL_TEXT, owner),
    COLUMN("end_reason", CF_COL_TEXT, end_reason),
    COLUMN("kind", CF_COL_INT2, kind),
    COLUMN("state", CF_COL_INT2, state),
    COLUMN("mark", CF_COL_INT2, mark),
    COLUMN("extended_days", CF_COL_INT2, extended_days),
    COLUMN("anonymous", CF_COL_BOOL, anonymous),
    COLUMN("reopened", CF_COL_BOOL, reopened),
    COLUMN("holder_ref", CF_COL_ID, holder_ref),
    COLUMN("dispatched_at", CF_COL_INT8, dispatched_at),
    COLUMN("routed_at", CF_COL_INT8, routed_at),
    COLUMN("replied_at", CF_COL_INT8, replied_at),
    COLUMN("counts_from", CF_COL_INT4, counts_from),
    COLUMN("due_on", CF_COL_INT4, due_on),
    COLUMN("extend_reason", CF_COL_TEXT, extend_reason),
    COLUMN("reply", CF_COL_BYTES, reply),
    COLUMN("context", CF_COL_BYTES, context),
    COLUMN("event_no", CF_COL_INT4, event_no),
    COLUMN("timer_due", CF_COL_INT8, timer_due),
    COLUMN("timer_attempt", CF_COL_INT4, timer_attempt),
    COLUMN("ask_id", CF_COL_ID, ask_id),
    COLUMN("command_ids", CF_COL_BYTES, command_ids),
};
#undef COLUMN

const struct cf_kind complaint_store_kinds[] = {
    {"work_order", sizeof(struct complaint_order), order_columns, COUNT(order_columns)}
};

static const struct cf_column demand_columns[] = {
    {"reporter", CF_COL_BYTES, offsetof(struct complaint_demand, reporter)},
    {"text",     CF_COL_BYTES, offsetof(struct complaint_demand, text)    },
};

#define COLUMN(name, type, field)                                                                  \
    {                                                                                              \
        name, type, offsetof(struct complaint_step, field)                                         \
    }
static const struct cf_column step_columns[] = {
    COLUMN("order_id", CF_COL_ID, order_id),      COLUMN("event_no", CF_COL_INT4, event_no),
    COLUMN("action", CF_COL_TEXT, action),        COLUMN("result", CF_COL_TEXT, result),
    COLUMN("reasons", CF_COL_TEXT, reasons),      COLUMN("state_before", CF_COL_TEXT, state_before),
    COLUMN("state", CF_COL_TEXT, state),          COLUMN("owner", CF_COL_TEXT, owner),
    COLUMN("operator", CF_COL_TEXT, operator_id), COLUMN("note", CF_COL_TEXT, note),
    COLUMN("due_on", CF_COL_INT4, due_on),        COLUMN("at", CF_COL_INT8, at),
};
#undef COLUMN

const struct cf_aux complaint_store_aux[] = {
    [COMPLAINT_AUX_DEMAND] = {"demand", sizeof(struct complaint_demand), demand_columns,
                              COUNT(demand_columns), true},
    [COMPLAINT_AUX_STEP] = {"step",   sizeof(struct complaint_step),   step_columns,
                              COUNT(step_columns),   true},
};
const size_t complaint_store_n_aux = COUNT(complaint_store_aux);

const struct cf_pgf_statement complaint_statements[] = {
    [COMPLAINT_SQL_ORDER] = {"order", complaint_handling_sql_order, false},
    [COMPLAINT_SQL_STEPS] = {"steps", complaint_handling_sql_steps, false},
};
const size_t complaint_n_statements = COUNT(complaint_statements);
const struct cf_pgf_statement complaint_wait = {"wait_step", complaint_handling_sql_wait_step,
                                                false};

/* ---- reading -------------------------------------------------------------------------------- */

struct reader {
    const PGresult *res;
    int row, column;
    bool bad;
};

static struct cf_str next(struct reader *r, size_t len)
{
    struct cf_str v = cf_pgf_get(r->res, r->row, r->column++);
    if (len && v.len != len) r->bad = true;
    return v;
}

static int16_t next2(struct reader *r)
{
    struct cf_str v = next(r, 2);
    return r->bad ? 0 : (int16_t)cf_get16(v.ptr);
}

static int32_t next4(struct reader *r)
{
    struct cf_str v = next(r, 4);
    return r->bad ? 0 : (int32_t)cf_get32(v.ptr);
}

static int64_t next8(struct reader *r)
{
    struct cf_str v = next(r, 8);
    return r->bad ? 0 : (int64_t)cf_get64(v.ptr);
}

static bool next_bool(struct reader *r)
{
    struct cf_str v = next(r, 1);
    return !r->bad && *v.ptr != 0;
}

bool complaint_store_order(const PGresult *res, struct complaint_order *o,
                           struct complaint_demand *demand)
{
    struct reader r = {.res = res};
    *o = (struct complaint_order){0};
    o->source_system = next(&r, 0);
    o->order_no = next(&r, 0);
    o->topic = next(&r, 0);
    o->owner = next(&r, 0);
    o->end_reason = next(&r, 0);
    o->kind = next2(&r);
    o->state = next2(&r);
    o->mark = next2(&r);
    o->extended_days = next2(&r);
    o->anonymous = next_bool(&r);
    o->reopened = next_bool(&r);
    struct cf_str ref = next(&r, 0);
    if (ref.len == 16) memcpy(o->holder_ref, ref.ptr, 16);
    o->dispatched_at = next8(&r);
    o->routed_at = next8(&r);
    o->replied_at = next8(&r);
    o->counts_from = next4(&r);
    o->due_on = next4(&r);
    o->extend_reason = next(&r, 0);
    o->reply = next(&r, 0);
    o->context = next(&r, 0);
    o->event_no = next4(&r);
    demand->reporter = next(&r, 0);
    demand->text = next(&r, 0);
    return !r.bad && o->kind > 0 && o->kind < COMPLAINT_KIND_COUNT && o->state > 0 &&
           o->state < COMPLAINT_STATE_COUNT;
}

bool complaint_store_step(const PGresult *res, int row, struct complaint_step *s)
{
    struct reader r = {.res = res, .row = row};
    *s = (struct complaint_step){0};
    s->event_no = next4(&r);
    s->action = next(&r, 0);
    s->result = next(&r, 0);
    s->reasons = next(&r, 0);
    s->state_before = next(&r, 0);
    s->state = next(&r, 0);
    s->owner = next(&r, 0);
    s->operator_id = next(&r, 0);
    s->note = next(&r, 0);
    s->due_on = next4(&r);
    s->at = next8(&r);
    return !r.bad;
}
