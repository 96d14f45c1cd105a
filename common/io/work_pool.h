/* work_pool -- making and feeding the pool of common/io/work; for app.c and tests.
 *
 * Shapes   the pool reaches the world through two doors: load (a page of rows that fall due) and
 *          send (a message to the log)
 * Units    ms
 * Owns     doors, workers and names must outlive the pool
 * Errors   a load that fails is tried again after a second; so is a message, with the same id
 * Limits   10,000 items of a kind in memory; what is over waits in the table, so that the backlog
 *          of one partner takes no room from others. New calls wait while the log takes no
 *          outcomes.
 * Threads  the loop's thread only
 */
#pragma once
#include "common/io/kafka_front.h"
#include "common/io/loop.h"
#include "common/io/metrics.h"
#include "common/io/pg_front.h"
#include "common/io/work.h"

#define CF_WORK_HORIZON_MS 60000

struct cf_work_pool;

struct cf_work_page {
    int16_t part;
    cf_ms after_due; /* rows behind (after_due, after_id) ... */
    uint8_t after_id[16];
    cf_ms until; /* ... that are due by then */
    int limit;
};

/* Rows in the order (due, id); their text lives in the call. Called once, later. */
typedef void cf_work_loaded(void *arg, int e, const struct cf_work *rows, size_t n);

struct cf_work_doors {
    void *self;
    /* Not 0: refused, loaded is not called. */
    int (*load)(void *self, const struct cf_work_page *page, cf_work_loaded *loaded, void *arg);
    int (*send)(void *self, const struct cf_front_message *m, cf_front_sent *sent, void *arg);
};

struct cf_work_conf {
    struct cf_loop *loop;
    const struct cf_work_doors *doors;
    struct cf_metrics *metrics; /* may be NULL */
    const char *service;        /* "photo-fetch" */
    int partitions;
    const struct cf_worker *workers;
    size_t n_workers;
    void *own; /* handed to workers */
    size_t items_max; /* of a kind; 0: 10,000 */
};

struct cf_work_view {
    size_t items;   /* in memory, marks included */
    size_t waiting; /* due, and no call is free */
    size_t running; /* items in calls */
    size_t unsent;  /* messages the log has not taken */
    cf_ms oldest_due_ms; /* how long the oldest of those waiting has been due */
};

/* Calls that are under way are forgotten: who runs them must have been stopped before. */
void cf_work_pool_free(struct cf_work_pool *pool);
struct cf_work_pool *cf_work_pool_new(const struct cf_work_conf *conf)
    CF_FREED_BY(cf_work_pool_free);
/* What the stage has committed, in order. */
void cf_work_pool_apply(struct cf_work_pool *pool, const struct cf_work_change *changes, size_t n);
void cf_work_pool_view(const struct cf_work_pool *pool, struct cf_work_view *out);

/* The doors to PostgreSQL and Kafka; statement is the number of cf_work_statement in pg's list. */
struct cf_work_world {
    struct cf_pgf *pg;
    size_t statement;
    struct cf_front_producer *producer;
    struct cf_work_doors doors;
};
struct cf_pgf_statement cf_work_statement(void);
void cf_work_world(struct cf_work_world *w, struct cf_pgf *pg, size_t statement,
                   struct cf_front_producer *producer);
