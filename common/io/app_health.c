#include "common/io/app_inside.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/stage/pgbin.h"

#include <unistd.h>

/* Above every timeout of the stage: who stands still for so long is stuck for good. */
enum { STUCK_MS = 30000, BEAT_MS = 1000, LATE_MS = 5000, UNSENT_MS = 1000 };

/* ---- heart-beat ------------------------------------------------------------------------------- */

static void beaten(void *arg, int e, const PGresult *res)
{
    struct frame *f = arg;
    (void)res;
    f->beating = false;
    if (e) cf_log(LOG_WARN, "replica.beat_failed", F("why", cf_error_text(e)));
}

void health_beat(struct frame *f)
{
    char timeout[4];
    if (!f->app.stage || f->beating || f->pg_state) return;
    cf_put32(timeout, (uint32_t)f->app.common.stage_member_timeout_ms);
    const struct cf_str params[] = {{(const char *)cf_stage_replica(f->app.stage), 16},
                                    {timeout, 4}};
    f->beating = cf_pgf_send(f->app.pg, f->s_beat, params, 2, beaten, f) == 0;
}

/* A front that lives beside a stage that is stuck would keep its shards from everybody. */
static void watch_stage(struct frame *f, const struct cf_stage_view *view, cf_ms now)
{
    bool slept = now - f->beat_at > LATE_MS; /* the whole process was stopped, not the stage */
    if (view->turns != f->turns || slept) {
        f->turns = view->turns;
        f->turned_at = now;
        return;
    }
    if (now - f->turned_at < STUCK_MS) return;
    cf_log(LOG_ERROR, "stage.stuck", F("for_ms", now - f->turned_at));
    _exit(1);
}

static void second(void *arg, cf_ms now)
{
    struct frame *f = arg;
    struct cf_stage_view view;
    if (!f->app.stage) return;
    cf_stage_view(f->app.stage, &view);
    watch_stage(f, &view, now);
    f->beat_at = now;
    if (view.stopped > f->shards_stopped)
        cf_log(LOG_ERROR, "shard.stopped", F("shards", view.stopped), F("why", view.why));
    f->shards_stopped = view.stopped;
    if (view.fatal && !f->stopping) {
        cf_log(LOG_ERROR, "stage.ended", F("error", cf_error_text(view.fatal)),
               F("why", view.why ? view.why : ""));
        app_stop(f, view.fatal == CF_E_CONFIG ? 2 : 1);
    }
    health_beat(f);
    parked_look(f, now);
}

void health_start(struct frame *f)
{
    f->beat_at = f->turned_at = cf_mono_ms();
    f->beat = cf_timer_new(f->app.loop, second, f);
    cf_timer_every(f->beat, BEAT_MS);
}

/* ---- readiness -------------------------------------------------------------------------------- */

static void stage_reasons(struct cf_reasons *r, struct frame *f)
{
    struct cf_stage_view v;
    cf_stage_view(f->app.stage, &v);
    if (v.fatal) cf_reasons_add(r, "stage_ended");
    if (!v.postgres_up) cf_reasons_add(r, "stage_postgres_away");
    /* The stage knows of the log only by what it sends; for the rest the front's producer tells. */
    if (!v.kafka_up && v.oldest_unsent_ms > UNSENT_MS) cf_reasons_add(r, "stage_kafka_away");
    if (!v.owned) cf_reasons_add(r, "no_shard_owned");
    if (v.stopped) cf_reasons_add(r, "shard_stopped");
    if (v.lag > f->app.common.ready_lag) cf_reasons_add(r, "behind_the_log");
    if (v.oldest_unsent_ms > f->app.common.ready_unsent_ms) cf_reasons_add(r, "messages_unsent");
    cf_ms parked_max = f->app.common.ready_parked_ms;
    if (parked_max && f->parked.oldest_ms > parked_max) cf_reasons_add(r, "parked_too_long");
}

void health_reasons(struct cf_reasons *r, void *frame)
{
    struct frame *f = frame;
    if (f->stopping) cf_reasons_add(r, "stopping");
    if (f->pg_state == CF_E_SQL)
        cf_reasons_add(r, "postgres_schema");
    else if (f->pg_state)
        cf_reasons_add(r, "postgres_away");
    if (!cf_front_up(f->app.producer)) cf_reasons_add(r, "kafka_away");
    if (f->app.stage) stage_reasons(r, f);
    const char *why = f->app.spec->unready ? f->app.spec->unready(&f->app) : NULL;
    if (why) cf_reasons_add(r, why);
}

/* ---- figures ---------------------------------------------------------------------------------- */

#define STAGE_COUNTERS(X)                                                            \
    X(records, "cardflow_stage_records_total", "Records read and done with")         \
    X(steps, "cardflow_stage_steps_total", "Messages decided")                       \
    X(batches, "cardflow_stage_batches_total", "Transactions committed")             \
    X(messages, "cardflow_stage_messages_total", "Messages written to the journal")  \
    X(parked, "cardflow_stage_parked_total", "Records that wait for a person")       \
    X(dead_letters, "cardflow_stage_dead_letters_total", "Records that were refused") \
    X(duplicates, "cardflow_stage_duplicates_total", "Repeats dropped")              \
    X(fenced, "cardflow_stage_fenced_total", "Times another owner had the shard")    \
    X(retries, "cardflow_stage_retries_total", "Batches run again")                  \
    X(turns, "cardflow_stage_turns_total", "Turns of the loop")

#define STAGE_GAUGES(X)                                                                  \
    X(owned, 1, "cardflow_stage_shards", "Shards owned")                                 \
    X(stopped, 1, "cardflow_stage_shards_stopped", "Owned shards not read: the log lost records") \
    X(lag, 1, "cardflow_stage_lag_records", "Records of owned shards not read yet")      \
    X(oldest_unsent_ms, 1000, "cardflow_stage_oldest_unsent_seconds",                    \
      "Age of the oldest message that the log has not acknowledged")                     \
    X(postgres_up, 1, "cardflow_stage_postgres_up", "Is PostgreSQL there for the stage?") \
    X(kafka_up, 1, "cardflow_stage_kafka_up", "Is Kafka there for the stage?")

#define X(field, ...)                              \
    static double stage_##field(void *stage)       \
    {                                              \
        struct cf_stage_view v;                    \
        cf_stage_view(stage, &v);                  \
        return (double)v.field;                    \
    }
STAGE_COUNTERS(X)
#undef X
#define X(field, unit, ...)                        \
    static double stage_##field(void *stage)       \
    {                                              \
        struct cf_stage_view v;                    \
        cf_stage_view(stage, &v);                  \
        return (double)v.field / (unit);           \
    }
STAGE_GAUGES(X)
#undef X

static double postgres_up(void *arg)
{
    return ((const struct frame *)arg)->pg_state == 0;
}

static double kafka_up(void *arg)
{
    return cf_front_up(((const struct frame *)arg)->app.producer);
}

static double waiting(void *arg)
{
    return (double)cf_waiting(((const struct frame *)arg)->app.waits);
}

void health_measure(struct frame *f)
{
    struct cf_metrics *m = f->app.metrics;
    cf_gauge_fn(m, "cardflow_front_postgres_up", "Is PostgreSQL there for the front?", postgres_up,
                f, NULL);
    cf_gauge_fn(m, "cardflow_front_kafka_up", "Is Kafka there for the front?", kafka_up, f, NULL);
    if (f->app.waits)
        cf_gauge_fn(m, "cardflow_front_waiting", "Requests that wait for their outcome", waiting,
                    f, NULL);
    if (!f->app.stage) return;
#define X(field, name, help) cf_counter_fn(m, name, help, stage_##field, f->app.stage, NULL);
    STAGE_COUNTERS(X)
#undef X
#define X(field, unit, name, help) cf_gauge_fn(m, name, help, stage_##field, f->app.stage, NULL);
    STAGE_GAUGES(X)
#undef X
    parked_measure(f);
}
