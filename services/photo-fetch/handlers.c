#include "services/photo-fetch/handlers.h"

#include "common/pure/patience.h"
#include "services/photo-fetch/codec.h"

static const uint8_t zero[16];

static struct photo_fetch_about about(const struct cf_step *s, const struct photo_fetch_job *job)
{
    return (struct photo_fetch_about){job->application_id, job->kind, s->now};
}

static const struct photo_fetch_env *env_of(const struct cf_step *s)
{
    return s->env;
}

/* What was under way for this job is not wanted any more. */
static void drop_work(struct cf_step *s, struct photo_fetch_job *job)
{
    if (memcmp(job->work_id, zero, 16) != 0) cf_work_drop(s, job->work_id);
    memset(job->work_id, 0, 16);
}

static void put_work(struct cf_step *s, struct photo_fetch_job *job, enum photo_fetch_work kind,
                     cf_ms due, struct cf_str args)
{
    struct cf_work w = {.kind = (uint16_t)kind, .part = s->part, .key = s->msg->key, .due = due};
    w.args = args;
    cf_work_id(s, 0, w.id);
    memcpy(job->work_id, w.id, 16);
    cf_work_put(s, &w);
}

static void become_ready(struct cf_step *s, struct photo_fetch_job *job, enum photo_source source,
                         const uint8_t *photo_ref)
{
    drop_work(s, job);
    job->source = (int16_t)source;
    job->reasons = 0;
    job->respond_by = 0;
    if (photo_ref) memcpy(job->photo_ref, photo_ref, 16);
    struct photo_fetch_about a = about(s, job);
    photo_fetch_codec_send_ready(s, &s->msg->key, &a, photo_ref, source);
}

static void become_missing(struct cf_step *s, struct photo_fetch_job *job, uint32_t reasons)
{
    drop_work(s, job);
    job->reasons = (int32_t)reasons;
    job->respond_by = photo_fetch_respond_by(s->now, env_of(s)->days_to_give);
    put_work(s, job, PHOTO_WORK_EXPIRE, photo_fetch_expires_at(job->respond_by),
             (struct cf_str){0});
    struct photo_fetch_about a = about(s, job);
    photo_fetch_codec_send_missing(s, &s->msg->key, &a, reasons, job->respond_by);
}

static bool step_to(struct photo_fetch_job *job, enum photo_event on)
{
    enum photo_state to;
    if (!photo_fetch_next((enum photo_state)job->state, on, &to)) return false;
    job->state = (int16_t)to;
    return true;
}

static int decide_accepted(struct cf_step *s, struct photo_fetch_job *job)
{
    const struct photo_fetch_accepted *m = s->msg->body;
    /* One acceptance an application: streams are numbered, so a second one is a fault. */
    if (memcmp(job->application_id, m->application_id, 16) == 0) {
        s->reason = "accepted_twice";
        return CF_E_ILLEGAL;
    }
    struct photo_fetch_plan plan = photo_fetch_plan(&m->facts);
    if (!step_to(job, plan.event)) return CF_E_ILLEGAL;
    drop_work(s, job);
    memcpy(job->application_id, m->application_id, 16);
    memset(job->photo_ref, 0, 16);
    job->kind = (int16_t)m->kind;
    job->is_child = m->facts.is_child;
    job->source = PHOTO_FROM_NOWHERE;
    job->reasons = 0;
    job->respond_by = 0;
    if (plan.event == PHOTO_ON_TAKE_READY)
        become_ready(s, job, plan.source, plan.source == PHOTO_FROM_UPLOAD ? m->photo_ref : NULL);
    else if (plan.event == PHOTO_ON_TAKE_MISSING)
        become_missing(s, job, plan.reasons);
    else
        put_work(s, job, PHOTO_WORK_FETCH, s->now, m->person);
    return 0;
}

static int decide_stop(struct cf_step *s, struct photo_fetch_job *job, bool *changed)
{
    const struct photo_fetch_stop *m = s->msg->body;
    bool all = memcmp(m->application_id, zero, 16) == 0;
    int16_t before = job->state;
    if (!all && memcmp(m->application_id, job->application_id, 16) != 0) {
        *changed = false; /* one that was never accepted, or has been followed by another */
        return 0;
    }
    if (!step_to(job, PHOTO_ON_STOP)) return CF_E_ILLEGAL;
    *changed = job->state != before;
    if (*changed) drop_work(s, job);
    return 0;
}

static enum photo_fetch_upload_result judge_command(struct cf_step *s, struct photo_fetch_job *job)
{
    const struct photo_fetch_upload *m = s->msg->body;
    const cf_ms keep = 7 * (cf_ms)CF_MS_PER_DAY;
    if (s->msg->sent_at && s->msg->sent_at < s->now - keep) return PHOTO_UPLOAD_EXPIRED;
    if (!cf_ids_add(s, &job->command_ids, s->msg->id, s->msg->sent_at ? s->msg->sent_at : s->now))
        return PHOTO_UPLOAD_TOO_MANY;
    if (memcmp(m->application_id, job->application_id, 16) != 0) return PHOTO_UPLOAD_ENDED;
    if (m->reasons) return PHOTO_UPLOAD_UNUSABLE;
    bool waive = s->msg->type == PHOTO_MSG_WAIVE;
    /* The declaration is a guardian's right, for a child below 16 only. */
    if (waive && !job->is_child) return PHOTO_UPLOAD_NOT_A_CHILD;
    if (!step_to(job, waive ? PHOTO_ON_WAIVE : PHOTO_ON_UPLOAD)) return PHOTO_UPLOAD_ENDED;
    if (waive)
        become_ready(s, job, PHOTO_FROM_WAIVER, NULL);
    else
        become_ready(s, job, PHOTO_FROM_UPLOAD, m->photo_ref);
    return PHOTO_UPLOAD_DONE;
}

static int decide_command(struct cf_step *s, struct photo_fetch_job *job, bool exists,
                          bool *changed)
{
    const struct photo_fetch_upload *m = s->msg->body;
    *changed = false;
    if (cf_ids_known(job->command_ids, s->msg->id)) {
        cf_count(s, "duplicate_commands");
        return 0;
    }
    struct photo_fetch_answer answer = {.result = PHOTO_UPLOAD_ENDED};
    memcpy(answer.application_id, m->application_id, 16);
    if (exists) {
        answer.result = (int16_t)judge_command(s, job);
        *changed = answer.result != PHOTO_UPLOAD_EXPIRED && answer.result != PHOTO_UPLOAD_TOO_MANY;
    }
    if (answer.result != PHOTO_UPLOAD_DONE) cf_count(s, "refused");
    cf_aux_put(s, PHOTO_AUX_UPLOAD, s->msg->id, &answer);
    return 0;
}

static int decide_fetched(struct cf_step *s, struct photo_fetch_job *job)
{
    const struct photo_fetch_fetched *m = s->msg->body;
    const struct photo_fetch_env *env = s->env;
    if (!step_to(job, m->event)) return CF_E_ILLEGAL;
    if (m->event == PHOTO_ON_AGAIN) {
        struct cf_work w = *s->msg->work;
        w.attempt++;
        w.due = s->now + cf_backoff_ms(w.id, w.attempt, env->backoff, env->backoff_max);
        cf_work_put(s, &w);
        cf_count(s, "fetch_again");
    } else if (m->event == PHOTO_ON_GOT) {
        become_ready(s, job, PHOTO_FROM_POLICE, m->photo_ref);
    } else {
        become_missing(s, job, m->reasons);
    }
    return 0;
}

static int decide_expired(struct cf_step *s, struct photo_fetch_job *job)
{
    if (!step_to(job, PHOTO_ON_EXPIRE)) return CF_E_ILLEGAL;
    drop_work(s, job);
    struct photo_fetch_about a = about(s, job);
    photo_fetch_codec_send_expired(s, &s->msg->key, &a);
    return 0;
}

static int decide(struct cf_step *s, void *aggregate, bool exists, bool *changed)
{
    struct photo_fetch_job *job = aggregate;
    const struct photo_fetch_fetched *fetched = s->msg->body;
    *changed = true;
    switch ((enum photo_fetch_message)s->msg->type) {
    case PHOTO_MSG_ACCEPTED:
        return decide_accepted(s, job);
    case PHOTO_MSG_STOP:
        return decide_stop(s, job, changed);
    case PHOTO_MSG_UPLOAD:
    case PHOTO_MSG_WAIVE:
        return decide_command(s, job, exists, changed);
    case PHOTO_MSG_FETCHED:
        /* Trying again changes the row of work alone. */
        *changed = fetched->event != PHOTO_ON_AGAIN;
        return decide_fetched(s, job);
    case PHOTO_MSG_EXPIRED:
        return decide_expired(s, job);
    }
    return CF_E_VERSION;
}

static const char *const application_types[] = {"application.accepted", "application.ended",
                                                "application.withdrawal_requested",
                                                "application.enrolment_changed", NULL};
static const char *const command_types[] = {"photo.upload", "photo.waive", NULL};
static const char *const internal_types[] = {CF_WORK_OUTCOME, NULL};

static const struct cf_topic_in topics_in[] = {
    [PHOTO_IN_APPLICATIONS] = {"application.events",   false, application_types},
    [PHOTO_IN_COMMANDS] = {"photo.commands",       true,  command_types    },
    [PHOTO_IN_INTERNAL] = {"photo-fetch.internal", false, internal_types   },
    {NULL,                   false, NULL             },
};
static const char *const topics_out[] = {
    [PHOTO_OUT_INTERNAL] = "photo-fetch.internal", [PHOTO_OUT_EVENTS] = "photo.events", NULL};

struct cf_service photo_fetch_service(const struct photo_fetch_env *env)
{
    return (struct cf_service){.name = "photo-fetch",
                               .in = topics_in,
                               .out = topics_out,
                               .kinds = photo_fetch_kinds,
                               .n_kinds = photo_fetch_n_kinds,
                               .aux = photo_fetch_aux,
                               .n_aux = photo_fetch_n_aux,
                               .env = env,
                               .decode = photo_fetch_codec_decode,
                               .decide = decide};
}
