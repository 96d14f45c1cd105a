#include "services/complaint-handling/handlers.h"

#include "common/io/ids.h"
#include "common/pure/patience.h"

static const uint8_t zero[16];
static const cf_ms WEEK_MS = 7 * (cf_ms)CF_MS_PER_DAY, ASK_AGAIN_MAX = 10 * 60000;

static const struct complaint_env *env_of(const struct cf_step *s)
{
    return s->env;
}

static bool holder_known(const struct complaint_order *o)
{
    return memcmp(o->holder_ref, zero, 16) != 0;
}

/* ---- facts and rows ------------------------------------------------------------------------- */

static struct complaint_facts facts_of(const struct complaint_order *o)
{
    return (struct complaint_facts){.kind = (enum complaint_kind)o->kind,
                                    .state = (enum complaint_state)o->state,
                                    .mark = (enum complaint_mark)o->mark,
                                    .owner = o->owner,
                                    .dispatched_at = o->dispatched_at,
                                    .routed_at = o->routed_at,
                                    .replied_at = o->replied_at,
                                    .counts_from = o->counts_from,
                                    .due_on = o->due_on,
                                    .extended_days = o->extended_days,
                                    .reopened = o->reopened};
}

static void keep_facts(struct complaint_order *o, const struct complaint_facts *f)
{
    o->state = (int16_t)f->state;
    o->mark = (int16_t)f->mark;
    o->owner = f->owner;
    o->routed_at = f->routed_at;
    o->replied_at = f->replied_at;
    o->counts_from = f->counts_from;
    o->due_on = f->due_on;
    o->extended_days = (int16_t)f->extended_days;
    o->reopened = f->reopened;
}

/* ---- telling -------------------------------------------------------------------------------- */

struct happened {
    struct complaint_told told;
    cf_day due_before;
    struct cf_str operator_id, note;
};

/* One thing that happened, or was refused: the order's event, the holder's, and a row of steps. */
static void tell(struct cf_step *s, struct complaint_order *o, const struct happened *h)
{
    bool done = cf_str_is(cf_str_of(h->told.result), "done");
    uint8_t id[16];
    if (done) o->event_no++;
    cf_next_event_id(s, id);
    complaint_codec_send_event(s, o, &h->told);
    bool seen = o->state != (int16_t)h->told.before || o->due_on != h->due_before;
    if (done && seen && holder_known(o)) complaint_codec_send_holder(s, o);
    struct complaint_step step = {
        .event_no = done ? o->event_no : 0,
        .action = cf_str_of(h->told.action),
        .result = cf_str_of(h->told.result),
        .reasons = h->told.reason ? cf_str_of(h->told.reason) : (struct cf_str){0},
        .state_before = cf_str_of(complaint_state_name(h->told.before)),
        .state = cf_str_of(complaint_state_name((enum complaint_state)o->state)),
        .owner = o->owner,
        .operator_id = h->operator_id,
        .note = h->note,
        .due_on = o->due_on,
        .at = s->now};
    memcpy(step.order_id, s->msg->key.b, 16);
    cf_aux_put(s, COMPLAINT_AUX_STEP, h->told.command_id ? h->told.command_id : id, &step);
}

/* ---- work ----------------------------------------------------------------------------------- */

static void stop_asking(struct cf_step *s, struct complaint_order *o)
{
    if (memcmp(o->ask_id, zero, 16) == 0) return;
    cf_work_drop(s, o->ask_id);
    memset(o->ask_id, 0, 16);
}

static void ask(struct cf_step *s, struct complaint_order *o)
{
    struct cf_work w = {
        .kind = COMPLAINT_WORK_ASK,
        .part = s->part,
        .key = s->msg->key,
        .due = s->now,
        .args = {(const char *)o->holder_ref, 16}
    };
    cf_work_id(s, 1, w.id);
    memcpy(o->ask_id, w.id, 16);
    cf_work_put(s, &w);
}

/* One timer an order, set for its next obligation. */
static void arm(struct cf_step *s, struct complaint_order *o)
{
    struct complaint_facts f = facts_of(o);
    cf_ms due = complaint_next_due(env_of(s)->calendar, &f);
    struct cf_work w = {
        .kind = COMPLAINT_WORK_TIMER, .part = s->part, .key = s->msg->key, .due = due};
    if (due == o->timer_due) return;
    cf_uuid8_of(w.id, CF_STR("complaint.timer"), cf_key_str(&s->msg->key));
    o->timer_due = due;
    if (due) {
        w.attempt = (uint32_t)++o->timer_attempt;
        cf_work_put(s, &w);
    } else {
        cf_work_drop(s, w.id);
    }
}

/* After every step. */
static void settle(struct cf_step *s, struct complaint_order *o)
{
    if (!complaint_state_is_open((enum complaint_state)o->state)) stop_asking(s, o);
    arm(s, o);
}

/* ---- moving --------------------------------------------------------------------------------- */

/* A move of our own, for which the state is known to have an edge. */
static void move(struct cf_step *s, struct complaint_order *o, enum complaint_event on,
                 struct cf_str reply, const uint8_t *command_id)
{
    struct complaint_facts f = facts_of(o);
    struct happened h = {
        .told = {.action = complaint_event_name(on),
                 .result = "done",
                 .before = f.state,
                 .reply = reply,
                 .command_id = command_id},
        .due_before = o->due_on
    };
    struct cf_str owner = env_of(s)->owners[o->kind];
    if (!complaint_move(env_of(s)->calendar, &f, on, owner, s->now))
        CF_BUG("a move of our own without an edge");
    keep_facts(o, &f);
    tell(s, o, &h);
}

/* ---- opening -------------------------------------------------------------------------------- */

/* The same order once more: known by its number, whatever its command's id. */
static void opened_again(struct cf_step *s, const struct complaint_order *o)
{
    struct complaint_step step = {
        .action = CF_STR("open"),
        .result = CF_STR("already"),
        .state_before = cf_str_of(complaint_state_name((enum complaint_state)o->state)),
        .state = cf_str_of(complaint_state_name((enum complaint_state)o->state)),
        .owner = o->owner,
        .due_on = o->due_on,
        .at = s->now};
    memcpy(step.order_id, s->msg->key.b, 16);
    cf_aux_put(s, COMPLAINT_AUX_STEP, s->msg->id, &step);
    cf_count(s, "duplicate_orders");
}

static void fill(struct complaint_order *o, const struct complaint_command *c)
{
    o->source_system = c->source_system;
    o->order_no = c->order_no;
    o->topic = c->topic.len ? c->topic : (struct cf_str){0};
    o->kind = (int16_t)c->kind;
    o->anonymous = c->anonymous;
    o->dispatched_at = c->dispatched_at;
    memcpy(o->holder_ref, c->holder_ref, 16);
}

static bool expired(const struct cf_step *s)
{
    return s->msg->sent_at && s->msg->sent_at < s->now - WEEK_MS;
}

/* An open that is too old makes no order: nobody can tell what has become of it meanwhile. */
static void refuse_old_open(struct cf_step *s, const struct complaint_command *c)
{
    struct complaint_order nobody = {0};
    const struct happened h = {
        .told = {.action = "open",
                 .result = "refused",
                 .reason = "command_expired",
                 .command_id = s->msg->id}
    };
    fill(&nobody, c);
    memset(nobody.holder_ref, 0, 16);
    tell(s, &nobody, &h);
    cf_count(s, "refused");
}

static void decide_open(struct cf_step *s, struct complaint_order *o, bool exists, bool *changed)
{
    const struct complaint_command *c = s->msg->body;
    const struct complaint_env *env = env_of(s);
    *changed = false;
    if (exists) {
        opened_again(s, o);
        return;
    }
    if (expired(s)) {
        refuse_old_open(s, c);
        return;
    }
    const struct complaint_demand demand = {c->reporter.len ? c->reporter : (struct cf_str){0},
                                            c->text.len ? c->text : (struct cf_str){0}};
    *changed = true;
    fill(o, c);
    cf_aux_put(s, COMPLAINT_AUX_DEMAND, s->msg->key.b, &demand);
    move(s, o, COMPLAINT_ON_OPEN, (struct cf_str){0}, s->msg->id);
    if (complaint_wants_context(c->kind, c->holder_known, env->can_ask)) ask(s, o);
    if (!complaint_is_automatic(c->kind, c->topic, c->holder_known, env->can_ask))
        move(s, o, COMPLAINT_ON_ROUTE, (struct cf_str){0}, NULL);
    settle(s, o);
}

/* ---- acting --------------------------------------------------------------------------------- */

static void refused(struct cf_step *s, struct complaint_order *o, const char *reason)
{
    const struct complaint_command *c = s->msg->body;
    const struct happened h = {
        .told = {.action = complaint_event_name(c->action.what),
                 .result = "refused",
                 .reason = reason,
                 .before = (enum complaint_state)o->state,
                 .command_id = s->msg->id},
        .due_before = o->due_on,
        .operator_id = c->operator_id
    };
    tell(s, o, &h);
    cf_count(s, "refused");
}

static void apply(struct cf_step *s, struct complaint_order *o)
{
    const struct complaint_command *c = s->msg->body;
    struct complaint_action action = c->action;
    struct complaint_facts f = facts_of(o);
    const char *reason = NULL;
    struct happened h = {
        .told = {.action = complaint_event_name(action.what),
                 .before = f.state,
                 .command_id = s->msg->id},
        .due_before = o->due_on,
        .operator_id = c->operator_id,
        .note = c->reason
    };
    /* An order that nobody was named for goes to the default owner. */
    if (action.what == COMPLAINT_ON_ROUTE && !action.owner.len && f.state != COMPLAINT_ROUTED)
        action.owner = env_of(s)->owners[o->kind];
    if (action.what == COMPLAINT_ON_DECIDE && !holder_known(o)) {
        refused(s, o, "holder_unknown");
        return;
    }
    enum complaint_result result = complaint_act(env_of(s)->calendar, &f, &action, s->now, &reason);
    if (result == COMPLAINT_REFUSED) {
        refused(s, o, reason);
        return;
    }
    h.told.result = complaint_result_name(result);
    if (result == COMPLAINT_DONE) {
        keep_facts(o, &f);
        if (action.what == COMPLAINT_ON_EXTEND) o->extend_reason = c->reason;
        if (f.state == COMPLAINT_REPLIED && c->text.len) h.told.reply = o->reply = c->text;
        if (f.state == COMPLAINT_CLOSED)
            o->end_reason = action.what == COMPLAINT_ON_GIVE_BACK ? CF_STR("returned_to_source")
                                                                  : CF_STR("satisfied");
        if (f.state == COMPLAINT_WITHDRAWN) o->end_reason = CF_STR("withdrawn_by_source");
        if (action.what == COMPLAINT_ON_DECIDE)
            complaint_codec_send_correction(s, o, action.satisfied, c->reason, c->person);
        settle(s, o);
    }
    tell(s, o, &h);
}

static void decide_action(struct cf_step *s, struct complaint_order *o, bool exists, bool *changed)
{
    const struct complaint_command *c = s->msg->body;
    *changed = false;
    if (!exists) {
        struct complaint_order nobody = {.source_system = c->source_system,
                                         .order_no = c->order_no};
        refused(s, &nobody, "order_unknown");
        return;
    }
    if (cf_ids_known(o->command_ids, s->msg->id)) {
        cf_count(s, "duplicate_commands");
        return;
    }
    if (expired(s)) {
        refused(s, o, "command_expired");
        return;
    }
    if (!cf_ids_add(s, &o->command_ids, s->msg->id, s->msg->sent_at ? s->msg->sent_at : s->now)) {
        refused(s, o, "too_many_operations");
        return;
    }
    *changed = true;
    apply(s, o);
}

/* ---- by itself ------------------------------------------------------------------------------ */

static void decide_timer(struct cf_step *s, struct complaint_order *o)
{
    struct complaint_facts f = facts_of(o);
    enum complaint_mark mark = COMPLAINT_MARK_NONE;
    o->timer_due = 0; /* its row has gone with the outcome */
    enum complaint_event due = complaint_due_now(env_of(s)->calendar, &f, s->now, &mark);
    if (due == COMPLAINT_ON_MARK) {
        const struct happened h = {
            .told = {.action = "mark", .result = "done", .before = f.state},
            .due_before = o->due_on
        };
        o->mark = (int16_t)mark;
        tell(s, o, &h);
        cf_count(s, mark == COMPLAINT_MARK_RED ? "marked_red" : "marked_yellow");
    } else if (due == COMPLAINT_ON_SILENT) {
        o->end_reason = CF_STR("silent");
        move(s, o, COMPLAINT_ON_SILENT, (struct cf_str){0}, NULL);
    }
    /* Too early by a clock's difference: it is armed again. */
    settle(s, o);
}

static void decide_status(struct cf_step *s, struct complaint_order *o)
{
    const struct complaint_status *st = s->msg->body;
    const struct complaint_env *env = env_of(s);
    bool automatic = o->state == COMPLAINT_RECEIVED;
    if (st->result == COMPLAINT_STATUS_AGAIN && (int)s->msg->work->attempt + 1 < env->ask_max) {
        struct cf_work w = *s->msg->work;
        w.attempt++;
        w.due = s->now + cf_backoff_ms(w.id, w.attempt, env->ask_again, ASK_AGAIN_MAX);
        cf_work_put(s, &w);
        return;
    }
    memset(o->ask_id, 0, 16);
    if (st->result == COMPLAINT_STATUS_THERE) {
        if (automatic)
            o->reply = st->sealed;
        else
            o->context = st->sealed;
    }
    /* Without an answer a person has to give one. */
    if (automatic && st->result == COMPLAINT_STATUS_THERE)
        move(s, o, COMPLAINT_ON_AUTO_REPLY, st->sealed, NULL);
    else if (automatic)
        move(s, o, COMPLAINT_ON_ROUTE, (struct cf_str){0}, NULL);
    settle(s, o);
}

static int decide(struct cf_step *s, void *aggregate, bool exists, bool *changed)
{
    *changed = true;
    switch ((enum complaint_message)s->msg->type) {
    case COMPLAINT_MSG_OPEN:
        decide_open(s, aggregate, exists, changed);
        return 0;
    case COMPLAINT_MSG_ACTION:
        decide_action(s, aggregate, exists, changed);
        return 0;
    case COMPLAINT_MSG_TIMER:
        decide_timer(s, aggregate);
        return 0;
    case COMPLAINT_MSG_STATUS:
        decide_status(s, aggregate);
        return 0;
    }
    return CF_E_VERSION;
}

static const char *const command_types[] = {"complaint.open", "complaint.action", NULL};
static const char *const internal_types[] = {CF_WORK_OUTCOME, NULL};

static const struct cf_topic_in topics_in[] = {
    [COMPLAINT_IN_COMMANDS] = {"complaint.commands",          true,  command_types },
    [COMPLAINT_IN_INTERNAL] = {"complaint-handling.internal", false, internal_types},
    {NULL,                          false, NULL          },
};
static const char *const topics_out[] = {[COMPLAINT_OUT_INTERNAL] = "complaint-handling.internal",
                                         [COMPLAINT_OUT_EVENTS] = "complaint.events",
                                         [COMPLAINT_OUT_HOLDER] = "complaint.holder-events",
                                         [COMPLAINT_OUT_CORRECTIONS] = "correction.events",
                                         NULL};

struct cf_service complaint_service(const struct complaint_env *env)
{
    return (struct cf_service){.name = "complaint-handling",
                               .in = topics_in,
                               .out = topics_out,
                               .kinds = complaint_store_kinds,
                               .n_kinds = 1,
                               .aux = complaint_store_aux,
                               .n_aux = complaint_store_n_aux,
                               .env = env,
                               .decode = complaint_codec_decode,
                               .decide = decide};
}
