/* What the pool shows of itself. */
#include "common/io/clock.h"
#include "common/io/work_inside.h"

#include <stdio.h>

static cf_ms oldest_due(const struct kind *k, int partitions, cf_ms now)
{
    cf_ms oldest = now;
    for (int p = 0; k->waiting && p < partitions; p++)
        if (k->lanes[p].head && k->lanes[p].head->work.due < oldest)
            oldest = k->lanes[p].head->work.due;
    return now - oldest;
}

void cf_work_pool_view(const struct cf_work_pool *pool, struct cf_work_view *out)
{
    *out = (struct cf_work_view){
        .items = pool->mirror.n, .running = pool->running, .unsent = pool->unsent};
    cf_ms now = cf_now_ms();
    for (size_t i = 0; i < pool->conf.n_workers; i++) {
        cf_ms age = oldest_due(&pool->kinds[i], pool->conf.partitions, now);
        out->waiting += pool->kinds[i].waiting;
        if (age > out->oldest_due_ms) out->oldest_due_ms = age;
    }
}

static double items_running(void *arg)
{
    return (double)((const struct kind *)arg)->items;
}

static double items_waiting(void *arg)
{
    return (double)((const struct kind *)arg)->waiting;
}

static double items_held(void *arg)
{
    return (double)((const struct cf_work_pool *)arg)->mirror.n;
}

static double messages_unsent(void *arg)
{
    return (double)((const struct cf_work_pool *)arg)->unsent;
}

static double oldest_seconds(void *arg)
{
    struct cf_work_view view;
    cf_work_pool_view(arg, &view);
    return (double)view.oldest_due_ms / 1000;
}

void work_measure(struct cf_work_pool *pool, struct cf_metrics *m)
{
    static const char *const results[] = {"due", "done", "failed", "retry"};
    cf_gauge_fn(m, "cardflow_work_items", "Rows of work held in memory", items_held, pool, NULL);
    cf_gauge_fn(m, "cardflow_work_unsent", "Messages with outcomes that the log has not taken",
                messages_unsent, pool, NULL);
    cf_gauge_fn(m, "cardflow_work_oldest_due_seconds", "How long the oldest waiting work is due",
                oldest_seconds, pool, NULL);
    for (size_t i = 0; i < pool->conf.n_workers; i++) {
        struct kind *k = &pool->kinds[i];
        char number[24];
        snprintf(number, sizeof number, "kind_%u", k->worker->kind);
        const char *name = k->worker->name ? k->worker->name : number;
        cf_gauge_fn(m, "cardflow_work_running", "Items in calls", items_running, k, "kind", name,
                    NULL);
        cf_gauge_fn(m, "cardflow_work_waiting", "Items due that wait for a call", items_waiting, k,
                    "kind", name, NULL);
        if (!k->worker->timer)
            k->took = cf_histogram_new(m, "cardflow_work_call_seconds", "Time of a call", NULL, 0,
                                       "kind", name, NULL);
        for (size_t r = 0; r < 4; r++)
            k->results[r] = cf_counter_new(m, "cardflow_work_results_total", "Outcomes of work",
                                           "kind", name, "result", results[r], NULL);
    }
}
