#include "services/notification/handlers.h"

#include "common/io/ids.h"
#include "common/pure/patience.h"

#define CHANNEL "sms"

static const uint8_t zero[16];

static void id_of_notice(const uint8_t event_id[16], uint8_t out[16])
{
    cf_uuid8_of(out, CF_STR("notification"), (struct cf_str){(const char *)event_id, 16},
                CF_STR("holder"), CF_STR(CHANNEL));
}

static void id_of_reminders(const uint8_t application_id[16], uint8_t out[16])
{
    cf_uuid8_of(out, CF_STR("reminders"), (struct cf_str){(const char *)application_id, 16});
}

static void keep(struct cf_step *s, const uint8_t id[16], const struct notification_job *job,
                 enum notification_state state, struct cf_str reason)
{
    struct notification_notice row = {.state = (int16_t)state, .reason = reason, .at = s->now};
    memcpy(row.event_id, job->event_id, 16);
    memcpy(row.application_id, job->application_id, 16);
    row.template = cf_str_of(notification_template_name(job->template));
    row.channel = CF_STR(CHANNEL);
    if (job->deferred && state != NOTIFY_DEFERRED)
        cf_aux_put(s, NOTIFY_AUX_NOTICE, id, &row);
    else
        cf_aux_add(s, NOTIFY_AUX_NOTICE, id, &row);
}

/* An end: it is kept, and told to whoever reads notification.events. */
static void end(struct cf_step *s, const uint8_t id[16], const struct notification_job *job,
                enum notification_state state, struct cf_str reason)
{
    keep(s, id, job, state, reason);
    notification_codec_send_end(s, &s->msg->key, id, job, state, reason);
    cf_count(s, state == NOTIFY_SENT ? "sent" : state == NOTIFY_FAILED ? "failed" : "suppressed");
}

/* Two topics have no order between them: a step of the card may be read before the acceptance that
 * brings the person. Whoever has an application will have a person: the message is kept for then,
 * and what comes after it too. */
static bool keep_early(struct cf_step *s, struct notification_holder *holder,
                       const struct notification_job *job)
{
    if (!holder->early.len && memcmp(job->application_id, zero, 16) == 0) return false;
    if (!notification_codec_early_add(s->arena, &holder->early, job)) return false;
    cf_count(s, "early");
    return true;
}

static void tell(struct cf_step *s, struct notification_holder *holder,
                 const struct notification_job *said, bool *changed)
{
    const struct notification_env *env = s->env;
    struct notification_job *job = cf_arena_dup(s->arena, said, sizeof *said);
    struct cf_work w = {
        .kind = NOTIFY_WORK_SMS, .part = s->part, .key = s->msg->key, .together = true};
    id_of_notice(job->event_id, w.id);
    if (holder->died) {
        end(s, w.id, job, NOTIFY_SUPPRESSED, CF_STR("holder_died"));
        return;
    }
    if (!holder->person.len && keep_early(s, holder, job)) {
        *changed = true;
        return;
    }
    if (!holder->person.len) {
        end(s, w.id, job, NOTIFY_SUPPRESSED, CF_STR("no_contact"));
        return;
    }
    w.due = notification_due(s->now, &env->quiet, job->template);
    job->deferred = w.due != s->now;
    w.args = notification_codec_job(s->arena, job);
    cf_work_put(s, &w);
    if (!job->deferred) return;
    keep(s, w.id, job, NOTIFY_DEFERRED, CF_STR("quiet_hours"));
    cf_count(s, "deferred");
}

/* Reminders are one timer, named after the application, so that no row has to remember it. */
static void remind_later(struct cf_step *s, const struct notification_job *job, uint32_t before)
{
    int days = notification_reminder_days(before);
    if (!days || memcmp(job->application_id, zero, 16) == 0) return;
    struct cf_work w = {.kind = NOTIFY_WORK_REMIND, .part = s->part, .key = s->msg->key};
    id_of_reminders(job->application_id, w.id);
    w.attempt = before;
    w.due = job->at + (cf_ms)days * CF_MS_PER_DAY;
    w.args = notification_codec_job(s->arena, job);
    cf_work_put(s, &w);
}

/* The person is known now, or dead: what was kept is told. */
static int tell_early(struct cf_step *s, struct notification_holder *holder, bool *changed)
{
    struct cf_str rest = holder->early;
    if (!rest.len || (!holder->person.len && !holder->died)) return 0;
    holder->early = (struct cf_str){0};
    *changed = true;
    while (rest.len) {
        struct notification_job job;
        if (notification_codec_early_next(s->arena, &rest, &job)) return CF_E_ILLEGAL;
        tell(s, holder, &job, changed);
    }
    return 0;
}

static int decide_news(struct cf_step *s, struct notification_holder *holder, bool *changed)
{
    const struct notification_news *n = s->msg->body;
    if (n->person.len && !cf_str_eq(n->person, holder->person)) {
        holder->person = n->person;
        *changed = true;
    }
    if (n->begins_waiting) {
        struct notification_job job = n->job;
        job.at = s->now;
        remind_later(s, &job, 0);
    } else if (n->ends_waiting) {
        uint8_t id[16];
        id_of_reminders(n->job.application_id, id);
        cf_work_drop(s, id);
    }
    if (n->job.template) tell(s, holder, &n->job, changed);
    return tell_early(s, holder, changed);
}

static int decide_life(struct cf_step *s, struct notification_holder *holder, bool *changed)
{
    const struct notification_life *life = s->msg->body;
    *changed = holder->died != life->died;
    holder->died = life->died;
    return tell_early(s, holder, changed);
}

static int decide_forward(struct cf_step *s)
{
    const struct notification_news *n = s->msg->body;
    struct cf_key holder = cf_key_holder(n->holder_ref);
    notification_codec_forward(s, &holder, &n->job);
    return 0;
}

static int decide_outcome(struct cf_step *s)
{
    const struct notification_outcome *o = s->msg->body;
    const struct notification_env *env = s->env;
    struct notification_job job;
    struct cf_work w = *s->msg->work;
    int e = notification_codec_job_read(s->arena, w.args, &job);
    if (e) return CF_E_ILLEGAL;
    if (o->of == NOTIFY_WAS_SENT) {
        end(s, w.id, &job, NOTIFY_SENT, CF_STR(""));
    } else if (o->of == NOTIFY_WAS_REFUSED) {
        end(s, w.id, &job, notification_end_of_failure(o->reason), o->reason);
    } else if (s->now - job.at > env->give_up) {
        end(s, w.id, &job, NOTIFY_FAILED, CF_STR("gateway_away_too_long"));
    } else {
        w.attempt++;
        w.due = s->now + cf_backoff_ms(w.id, w.attempt, env->backoff, env->backoff_max);
        w.due = notification_due(w.due, &env->quiet, job.template);
        cf_work_put(s, &w);
    }
    return 0;
}

static int decide_remind(struct cf_step *s, struct notification_holder *holder, bool *changed)
{
    struct notification_job job;
    const struct cf_work *w = s->msg->work;
    if (notification_codec_job_read(s->arena, w->args, &job)) return CF_E_ILLEGAL;
    remind_later(s, &job, w->attempt + 1);
    job.template = NOTIFY_REMINDER;
    /* Its cause is the timer: this one's id, and not that of the event that began the waiting. */
    cf_work_id(s, 0, job.event_id);
    job.at = s->now;
    tell(s, holder, &job, changed);
    return 0;
}

static int decide(struct cf_step *s, void *aggregate, bool exists, bool *changed)
{
    struct notification_holder *holder = aggregate;
    (void)exists;
    *changed = false;
    switch ((enum notification_message)s->msg->type) {
    case NOTIFY_MSG_NEWS:
        return decide_news(s, holder, changed);
    case NOTIFY_MSG_LIFE:
        return decide_life(s, holder, changed);
    case NOTIFY_MSG_FORWARD:
        return decide_forward(s);
    case NOTIFY_MSG_OUTCOME:
        return decide_outcome(s);
    case NOTIFY_MSG_REMIND:
        return decide_remind(s, holder, changed);
    }
    return CF_E_VERSION;
}

static const char *const application_types[] = {"application.received",
                                                "application.accepted",
                                                "application.noticed",
                                                "application.rejected",
                                                "application.ended",
                                                "application.enrolment_changed",
                                                "application.supplemented",
                                                NULL};
static const char *const photo_types[] = {"photo.missing", NULL};
static const char *const card_types[] = {"card.step", "card.changed", "card.deadline_marked",
                                         "card.deadline_changed", NULL};
static const char *const complaint_types[] = {"complaint.event", NULL};
static const char *const internal_types[] = {CF_WORK_OUTCOME, "notification.forward", NULL};

static const struct cf_topic_in topics_in[] = {
    [NOTIFY_IN_APPLICATIONS] = {"application.events",    false, application_types},
    [NOTIFY_IN_PHOTOS] = {"photo.events",          false, photo_types      },
    [NOTIFY_IN_CARDS] = {"card.events",           false, card_types       },
    [NOTIFY_IN_COMPLAINTS] = {"complaint.events",      false, complaint_types  },
    [NOTIFY_IN_INTERNAL] = {"notification.internal", false, internal_types   },
    {NULL,                    false, NULL             },
};
static const char *const topics_out[] = {[NOTIFY_OUT_INTERNAL] = "notification.internal",
                                         [NOTIFY_OUT_EVENTS] = "notification.events",
                                         NULL};

struct cf_service notification_service(const struct notification_env *env)
{
    return (struct cf_service){.name = "notification",
                               .in = topics_in,
                               .out = topics_out,
                               .kinds = notification_kinds,
                               .n_kinds = notification_n_kinds,
                               .aux = notification_aux,
                               .n_aux = notification_n_aux,
                               .env = env,
                               .decode = notification_codec_decode,
                               .decide = decide};
}
