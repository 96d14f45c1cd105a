#include "services/complaint-handling/rules.h"

const char *complaint_kind_name(enum complaint_kind kind)
{
    static const char *const names[] = {"",
#define X(value, name, zh, en) name,
                                        COMPLAINT_KINDS(X)
#undef X
    };
    return names[kind];
}

enum complaint_kind complaint_kind_parse(struct cf_str name)
{
    for (int i = 1; i < COMPLAINT_KIND_COUNT; i++)
        if (cf_str_is(name, complaint_kind_name((enum complaint_kind)i)))
            return (enum complaint_kind)i;
    return COMPLAINT_KIND_NONE;
}

/* clang-format off */
static const struct {
    const char *name;
    bool open;
    const char *label[2];
} states[] = {
    {"", false, {"", ""}},
#define X(value, name, open, zh, en) {name, open, {zh, en}},
    COMPLAINT_STATES(X)
#undef X
};
/* clang-format on */

const char *complaint_state_name(enum complaint_state state)
{
    return states[state].name;
}

const char *complaint_state_label(enum complaint_state state, enum cf_lang lang)
{
    return states[state].label[lang == CF_LANG_EN];
}

bool complaint_state_is_open(enum complaint_state state)
{
    return states[state].open;
}

const char *complaint_event_name(enum complaint_event event)
{
    static const char *const names[] = {"",
#define X(value, name) name,
                                        COMPLAINT_EVENTS(X)
#undef X
    };
    return names[event];
}

enum complaint_event complaint_action_parse(struct cf_str word)
{
    for (int i = COMPLAINT_ON_ROUTE; i <= COMPLAINT_ON_EXTEND; i++)
        if (cf_str_is(word, complaint_event_name((enum complaint_event)i)))
            return (enum complaint_event)i;
    return COMPLAINT_ON_NONE;
}

const char *complaint_mark_name(enum complaint_mark mark)
{
    static const char *const names[] = {"", "yellow", "red"};
    return names[mark];
}

const char *complaint_result_name(enum complaint_result result)
{
    static const char *const names[] = {"", "done", "already", "refused"};
    return names[result];
}

/* ---- the machine --------------------------------------------------------------------------- */

#define EDGE(from, on, to)                                                                         \
    {                                                                                              \
        COMPLAINT_##from, COMPLAINT_ON_##on, COMPLAINT_##to                                        \
    }
static const struct complaint_edge edges[] = {
    EDGE(NONE, OPEN, RECEIVED),
    EDGE(RECEIVED, ROUTE, ROUTED),
    EDGE(RECEIVED, AUTO_REPLY, REPLIED),
    EDGE(RECEIVED, WITHDRAW, WITHDRAWN),
    EDGE(ROUTED, ROUTE, ROUTED),
    EDGE(ROUTED, ACCEPT, IN_PROGRESS),
    EDGE(ROUTED, RETURN, RETURNED),
    EDGE(ROUTED, WITHDRAW, WITHDRAWN),
    EDGE(RETURNED, RETURN, RETURNED),
    EDGE(RETURNED, ROUTE, ROUTED),
    EDGE(RETURNED, GIVE_BACK, CLOSED),
    EDGE(RETURNED, WITHDRAW, WITHDRAWN),
    EDGE(IN_PROGRESS, ACCEPT, IN_PROGRESS),
    EDGE(IN_PROGRESS, REPLY, REPLIED),
    EDGE(IN_PROGRESS, DECIDE, REPLIED),
    EDGE(IN_PROGRESS, WITHDRAW, WITHDRAWN),
    EDGE(REPLIED, REPLY, REPLIED),
    EDGE(REPLIED, DECIDE, REPLIED),
    EDGE(REPLIED, REVISIT, CLOSED),
    EDGE(REPLIED, SILENT, CLOSED),
    EDGE(REPLIED, REOPEN, REOPENED),
    EDGE(REPLIED, WITHDRAW, WITHDRAWN),
    EDGE(REOPENED, REOPEN, REOPENED),
    EDGE(REOPENED, ACCEPT, IN_PROGRESS),
    EDGE(REOPENED, WITHDRAW, WITHDRAWN),
    EDGE(CLOSED, REVISIT, CLOSED),
    EDGE(CLOSED, GIVE_BACK, CLOSED),
    EDGE(WITHDRAWN, WITHDRAW, WITHDRAWN),
};

const struct complaint_edge *complaint_edges(size_t *n)
{
    *n = sizeof edges / sizeof *edges;
    return edges;
}

bool complaint_next(enum complaint_state from, enum complaint_event on, enum complaint_state *to)
{
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        if (edges[i].from != from || edges[i].on != on) continue;
        *to = edges[i].to;
        return true;
    }
    return false;
}

/* ---- deadlines ----------------------------------------------------------------------------- */

cf_day complaint_due(const struct cf_calendar *cal, cf_day counts_from, int extended_days)
{
    return cf_add_workdays(cal, counts_from, COMPLAINT_DAYS + extended_days);
}

static bool clock_runs(enum complaint_state state)
{
    return complaint_state_is_open(state) && state != COMPLAINT_REPLIED;
}

static cf_ms yellow_at(const struct cf_calendar *cal, const struct complaint_facts *f)
{
    return cf_ms_of_day(cf_add_workdays(cal, f->due_on, -COMPLAINT_YELLOW_DAYS));
}

/* The first day that is overdue. */
static cf_ms red_at(const struct complaint_facts *f)
{
    return cf_ms_of_day(f->due_on + 1);
}

static cf_ms silent_at(const struct cf_calendar *cal, const struct complaint_facts *f)
{
    cf_day last = cf_add_workdays(cal, cf_day_of_ms(f->replied_at), COMPLAINT_SILENT_DAYS);
    return cf_ms_of_day(last + 1);
}

cf_ms complaint_next_due(const struct cf_calendar *cal, const struct complaint_facts *f)
{
    if (f->state == COMPLAINT_REPLIED) return silent_at(cal, f);
    if (!clock_runs(f->state) || f->mark == COMPLAINT_MARK_RED) return 0;
    return f->mark == COMPLAINT_MARK_YELLOW ? red_at(f) : yellow_at(cal, f);
}

enum complaint_event complaint_due_now(const struct cf_calendar *cal,
                                       const struct complaint_facts *f, cf_ms now,
                                       enum complaint_mark *mark)
{
    cf_ms next = complaint_next_due(cal, f);
    if (!next || now < next) return COMPLAINT_ON_NONE;
    if (f->state == COMPLAINT_REPLIED) return COMPLAINT_ON_SILENT;
    /* One that was loaded late goes to red at once. */
    *mark = now >= red_at(f) ? COMPLAINT_MARK_RED : COMPLAINT_MARK_YELLOW;
    return COMPLAINT_ON_MARK;
}

/* ---- moving -------------------------------------------------------------------------------- */

static void restart_clock(const struct cf_calendar *cal, struct complaint_facts *f, cf_day from)
{
    f->counts_from = from;
    f->extended_days = 0;
    f->due_on = complaint_due(cal, from, 0);
    f->mark = COMPLAINT_MARK_NONE;
}

static void arrive(const struct cf_calendar *cal, struct complaint_facts *f, struct cf_str owner,
                   cf_ms now)
{
    if (f->state == COMPLAINT_RECEIVED) restart_clock(cal, f, cf_day_of_ms(f->dispatched_at));
    if (f->state == COMPLAINT_ROUTED) {
        f->routed_at = now;
        f->owner = owner;
    }
    if (f->state == COMPLAINT_REPLIED) f->replied_at = now;
    if (f->state == COMPLAINT_REOPENED) {
        /* Five days again, and the mark of the first round is history. */
        f->reopened = true;
        restart_clock(cal, f, cf_day_of_ms(now));
    }
}

bool complaint_move(const struct cf_calendar *cal, struct complaint_facts *f,
                    enum complaint_event on, struct cf_str owner, cf_ms now)
{
    enum complaint_state to;
    if (!complaint_next(f->state, on, &to) || to == f->state) return false;
    f->state = to;
    arrive(cal, f, owner, now);
    return true;
}

/* ---- actions ------------------------------------------------------------------------------- */

static const char *judge_extension(const struct complaint_facts *f,
                                   const struct complaint_action *action, cf_ms now)
{
    if (!clock_runs(f->state)) return "illegal_in_state";
    if (f->extended_days) return "extended_already";
    if (!action->has_reason) return "reason_missing";
    if (action->days < 1 || action->days > COMPLAINT_EXTEND_MAX) return "too_many_days";
    return cf_day_of_ms(now) < f->due_on ? NULL : "extension_too_late";
}

static enum complaint_result extend(const struct cf_calendar *cal, struct complaint_facts *f,
                                    const struct complaint_action *action, cf_ms now,
                                    const char **reason)
{
    *reason = judge_extension(f, action, now);
    if (*reason) return COMPLAINT_REFUSED;
    f->extended_days = action->days;
    f->due_on = complaint_due(cal, f->counts_from, action->days);
    f->mark = COMPLAINT_MARK_NONE;
    return COMPLAINT_DONE;
}

/* What speaks against an action for which there is an edge. */
static const char *judge(const struct cf_calendar *cal, const struct complaint_facts *f,
                         const struct complaint_action *action, enum complaint_event on, cf_ms now)
{
    cf_day today = cf_day_of_ms(now);
    if (on == COMPLAINT_ON_RETURN) {
        cf_day last = cf_add_workdays(cal, cf_day_of_ms(f->routed_at), COMPLAINT_RETURN_DAYS);
        if (!action->has_reason) return "reason_missing";
        if (today > last) return "return_too_late";
    }
    if (on == COMPLAINT_ON_REOPEN && f->reopened) return "reopened_already";
    if (on == COMPLAINT_ON_REPLY && !action->has_text) return "text_missing";
    if (on == COMPLAINT_ON_REPLY && f->kind == COMPLAINT_KIND_CORRECTION) return "decision_missing";
    if (on == COMPLAINT_ON_DECIDE && f->kind != COMPLAINT_KIND_CORRECTION)
        return "not_a_correction";
    if (on == COMPLAINT_ON_DECIDE && !action->has_reason) return "reason_missing";
    return NULL;
}

enum complaint_result complaint_act(const struct cf_calendar *cal, struct complaint_facts *f,
                                    const struct complaint_action *action, cf_ms now,
                                    const char **reason)
{
    enum complaint_event on = action->what;
    enum complaint_state to;
    *reason = NULL;
    if (on == COMPLAINT_ON_EXTEND) return extend(cal, f, action, now, reason);
    /* Who is not satisfied at the revisit has the order opened again. */
    if (on == COMPLAINT_ON_REVISIT && !action->satisfied) on = COMPLAINT_ON_REOPEN;
    if (!complaint_next(f->state, on, &to)) {
        *reason = "illegal_in_state";
        return COMPLAINT_REFUSED;
    }
    bool other_owner = on == COMPLAINT_ON_ROUTE && f->state == COMPLAINT_ROUTED &&
                       action->owner.len && !cf_str_eq(action->owner, f->owner);
    if (to == f->state) {
        if (!other_owner) return COMPLAINT_ALREADY;
        *reason = "routed_already";
        return COMPLAINT_REFUSED;
    }
    *reason = judge(cal, f, action, on, now);
    if (*reason) return COMPLAINT_REFUSED;
    complaint_move(cal, f, on, action->owner, now);
    return COMPLAINT_DONE;
}

const char *complaint_topic_of(struct cf_str text)
{
    static const char *const words[] = {"进度",     "办到",   "到哪", "什么时候", "何时",
                                        "多久",     "制卡",   "领卡", "能拿到",   "办好了",
                                        "progress", "status", "when"};
    for (size_t i = 0; text.len && i < sizeof words / sizeof *words; i++)
        if (memmem(text.ptr, text.len, words[i], strlen(words[i]))) return "progress";
    return "";
}

bool complaint_is_automatic(enum complaint_kind kind, struct cf_str topic, bool holder_known,
                            bool can_ask)
{
    return kind == COMPLAINT_KIND_CONSULTATION && cf_str_is(topic, "progress") && holder_known &&
           can_ask;
}

bool complaint_wants_context(enum complaint_kind kind, bool holder_known, bool can_ask)
{
    return kind != COMPLAINT_KIND_PRAISE && holder_known && can_ask;
}
