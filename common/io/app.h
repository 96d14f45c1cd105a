/* app -- the frame of a service's process: settings, front thread, stage thread, exit code.
 *
 * main.c of a service fills one struct cf_app_spec and returns cf_app_run(). The front thread is
 * the libevent loop that runs here: HTTP, outside work, heart-beat, signals. The stage thread
 * runs the loop of common/io/stage.
 *
 * Owns     everything reachable from struct cf_app lives as long as the process
 * Errors   exit codes: 0 stopped as asked, 1 ended to be restarted, 2 configuration
 */
#pragma once
#include "common/pure/policy.h"
#include "common/io/conf.h"
#include "common/io/http_server.h"
#include "common/io/kafka_front.h"
#include "common/io/loop.h"
#include "common/io/metrics.h"
#include "common/io/pg_front.h"
#include "common/io/request.h"
#include "common/io/seal.h"
#include "common/io/stage/stage.h"
#include "common/io/wait.h"
#include "common/io/work.h"

struct cf_app;

struct cf_app_spec {
    const char *service;               /* "photo-fetch" */
    const struct cf_conf_table *conf;  /* the service's settings, the common ones included */
    void *settings;                    /* struct filled from conf; begins with the common part */
    /* Statements of the front's PostgreSQL connection, named by index; see pg_front.h. */
    const struct cf_pgf_statement *statements;
    size_t n_statements;
    const struct cf_pgf_statement *wait; /* of Prefer: wait; NULL without. See wait.h */
    const struct cf_worker *workers;
    size_t n_workers;
    /* Called once, after settings, keys and calendar are loaded and before any thread starts:
     * makes the service's description (with env) for the stage. 0 or an error.
     * NULL: a program without a stage. */
    int (*service_new)(struct cf_app *app, struct cf_service *out);
    /* Called on the front thread before it runs: routes, clients of partners, app->own. */
    int (*front)(struct cf_app *app);
    /* Undoes front(), at the end of the process; calls of workers that are still open end here.
     * May be NULL. */
    void (*front_free)(struct cf_app *app);
    /* More reasons for not being ready; NULL when fine. May itself be NULL. */
    const char *(*unready)(struct cf_app *app);
};

struct cf_app {
    const struct cf_app_spec *spec;
    struct cf_loop *loop;
    struct cf_http *http;              /* public routes */
    struct cf_stage *stage;            /* NULL for a program without one */
    struct cf_front_producer *producer;
    struct cf_pgf *pg;                 /* front thread only */
    struct cf_seal_ring *ring;         /* keys; immutable, contexts are a thread's own */
    const struct cf_calendar *calendar;
    const struct cf_policies *policies;
    const struct cf_api_keys *api_keys;
    struct cf_metrics *metrics;
    struct cf_requests *requests;
    struct cf_waits *waits;            /* NULL unless the spec has a wait statement */
    struct cf_work_pool *work;
    struct cf_conf_common common;      /* settings all services have */
    int partitions;
    void *own;                         /* the service's front state */
};

/* Runs until SIGTERM or a fatal error; the exit code. */
int cf_app_run(const struct cf_app_spec *spec, int argc, char **argv);
