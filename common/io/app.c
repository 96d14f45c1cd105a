#include "common/io/app.h"

#include "common/io/app_inside.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/memory.h"
#include "embed/stage_sql.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    STOP_MS = 10000,     /* for the stage to give everything up */
    STOP_LOOK_MS = 10,
    FLUSH_MS = 2000,
    CALENDAR_MAX = 4 << 20,
    CHANGES_MAX = 512 << 20,
    STACK = 1 << 20
};

/* ---- stopping --------------------------------------------------------------------------------- */

static void said(void *arg, int e, const PGresult *res)
{
    (void)arg;
    (void)e;
    (void)res;
}

static void say_goodbye(struct frame *f)
{
    if (!f->app.stage || f->pg_state) return;
    struct cf_str replica = {(const char *)cf_stage_replica(f->app.stage), 16};
    /* Best effort: without it the others wait until we have not been seen for a while. */
    if (cf_pgf_send(f->app.pg, f->s_beat_end, &replica, 1, said, NULL) != 0) return;
    for (int i = 0; i < 20; i++) {
        struct cf_pgf_view view;
        cf_pgf_view(f->app.pg, &view);
        if (!view.in_flight) return;
        cf_loop_turn(f->app.loop, false);
        usleep(5000);
    }
}

/* Requests at work are answered and the stage ends its batch while the loop goes on turning. */
static void try_end(void *arg, cf_ms now)
{
    struct frame *f = arg;
    bool joined = !f->app.stage || cf_stage_join(f->app.stage, 0);
    bool late = now > f->stop_by;
    if ((!joined || cf_http_open(f->app.http)) && !late) return;
    if (!joined) {
        cf_log(LOG_WARN, "service.stopped_hard", F("why", "the stage did not end in time"));
        _exit(f->exit_code);
    }
    cf_loop_stop(f->app.loop);
}

void app_stop(struct frame *f, int exit_code)
{
    if (!f->exit_code) f->exit_code = exit_code;
    if (f->stopping) return;
    f->stopping = true;
    f->stop_by = cf_mono_ms() + STOP_MS;
    cf_log(LOG_INFO, "service.stopping", F("exit_code", f->exit_code));
    cf_http_drain(f->app.http);
    if (f->app.stage) cf_stage_stop(f->app.stage);
    f->ending = cf_timer_new(f->app.loop, try_end, f);
    cf_timer_every(f->ending, STOP_LOOK_MS);
}

static void on_signal(void *arg, int signo)
{
    (void)signo;
    app_stop(arg, 0);
}

/* ---- settings and keys ------------------------------------------------------------------------ */

static int refuse(const char *what, const char *file, const char *why)
{
    cf_log(LOG_ERROR, "service.wrong_file", F("what", what), F("file", file), F("why", why));
    return CF_E_CONFIG;
}

static int read_file(const char *path, struct cf_arena *a, struct cf_str *out)
{
    FILE *file = fopen(path, "rbe");
    if (!file) return refuse("file", path, strerror(errno));
    char *text = cf_arena_alloc(a, CALENDAR_MAX);
    size_t n = fread(text, 1, CALENDAR_MAX, file);
    bool good = !ferror(file) && n < CALENDAR_MAX;
    fclose(file);
    *out = (struct cf_str){text, n};
    return good ? 0 : refuse("file", path, "cannot be read, or is larger than 4 MiB");
}

/* The line is 0 when the file as a whole is wrong. */
static int refuse_line(const char *what, const char *path, unsigned line, const char *why)
{
    char text[160];
    snprintf(text, sizeof text, line ? "line %u: %s" : "%.0u%s", line, why ? why : "");
    return refuse(what, path, text);
}

static int load_calendar(struct frame *f)
{
    const char *path = f->app.common.calendar_file;
    struct cf_arena *a = cf_arena_new(2 * CALENDAR_MAX);
    struct cf_calendar_error wrong = {0};
    struct cf_str csv;
    int e = read_file(path, a, &csv);
    if (!e && (e = cf_calendar_load(f->long_lived, csv, &f->calendar, &wrong)))
        refuse_line("calendar", path, wrong.line, wrong.why);
    cf_arena_free(a);
    f->app.calendar = &f->calendar;
    return e;
}

static int load_policies(struct frame *f)
{
    const char *path = f->app.common.policies_file;
    struct cf_arena *a = cf_arena_new(2 * CALENDAR_MAX);
    struct cf_policies_error wrong = {0};
    struct cf_str csv;
    int e = read_file(path, a, &csv);
    if (!e && (e = cf_policies_load(f->long_lived, csv, &f->policies, &wrong)))
        refuse_line("policies", path, wrong.line, wrong.why);
    cf_arena_free(a);
    f->app.policies = &f->policies;
    return e;
}

static int load_files(struct frame *f)
{
    const struct cf_conf_common *c = &f->app.common;
    char why[200];
    int e = cf_api_keys_load(c->api_keys_file, &f->api_keys, why);
    if (e) return refuse("api_keys", c->api_keys_file, why);
    f->app.api_keys = f->api_keys;
    e = cf_seal_ring_load(c->reference_key_file, c->sealing_key_file, &f->app.ring, why);
    if (e) return refuse("keys", c->sealing_key_file, why);
    e = load_calendar(f);
    return e ? e : load_policies(f);
}

static int prepare_process(const struct cf_conf_common *c, const char *service)
{
    enum cf_log_level level;
    pthread_attr_t small;
    cf_memory_prepare();
    signal(SIGPIPE, SIG_IGN);
#ifndef __SANITIZE_ADDRESS__
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    pthread_setattr_default_np(&small);
    pthread_attr_destroy(&small);
#else
    (void)small;
#endif
    cf_log_service(service);
    if (!cf_log_level_parse(cf_str_of(c->log_level), &level)) {
        fprintf(stderr, "cardflow: log_level must be error, warn, info or debug\n");
        return CF_E_CONFIG;
    }
    cf_log_level_set(level);
    if (c->partitions & (c->partitions - 1)) {
        fprintf(stderr, "cardflow: partitions must be a power of two\n");
        return CF_E_CONFIG;
    }
#ifdef CARDFLOW_TEST_HOOKS
    return cf_clock_from_env();
#else
    return 0;
#endif
}

/* ---- making the parts ------------------------------------------------------------------------- */

static void pg_changed(void *arg, int e, const char *why)
{
    struct frame *f = arg;
    if (e != f->pg_state || !f->pg_said || e == CF_E_SQL)
        cf_log(e ? LOG_WARN : LOG_INFO, e ? "postgres.away" : "postgres.up",
               F("why", why ? why : ""));
    f->pg_state = e;
    f->pg_said = true;
    if (!e) health_beat(f);
}

/* The service's statements keep their numbers; those of the frame come behind them. */
static size_t list_statements(struct frame *f)
{
    const struct cf_app_spec *spec = f->app.spec;
    size_t n = spec->n_statements;
    f->statements =
        cf_calloc(n + CF_REQUEST_STATEMENTS + 5, sizeof(struct cf_pgf_statement));
    if (n) memcpy(f->statements, spec->statements, n * sizeof *f->statements);
    f->s_request = n;
    cf_request_statements(f->statements + n);
    n += CF_REQUEST_STATEMENTS;
    if (spec->wait) f->statements[f->s_wait = n++] = *spec->wait;
    if (!spec->service_new) return n;
    f->statements[f->s_work = n++] = cf_work_statement();
    f->statements[f->s_beat = n++] =
        (struct cf_pgf_statement){.name = "beat", .sql = cf_stage_beat_sql()};
    f->statements[f->s_beat_end = n++] =
        (struct cf_pgf_statement){.name = "beat_end", .sql = stage_sql_beat_end};
    f->statements[f->s_parked = n++] = (struct cf_pgf_statement){
        .name = "parked_summary", .sql = stage_sql_parked_summary, .text = true};
    return n;
}

static void make_front(struct frame *f)
{
    struct cf_app *app = &f->app;
    size_t n = list_statements(f);
    const struct cf_pgf_conf pg = {.dsn = app->common.postgres_dsn,
                                   .n_statements = n,
                                   .statements = f->statements,
                                   .changed = pg_changed,
                                   .arg = f};
    f->pg_state = CF_E_DB;
    app->pg = cf_pgf_open(cf_loop_base(app->loop), &pg);
    app->producer =
        cf_front_producer_new(app->loop, app->common.kafka_brokers, app->common.partitions);
    app->requests = cf_requests_new(app->loop, app->pg, f->s_request, app->ring);
    cf_requests_watch_log(app->requests, app->producer);
    if (app->spec->wait) app->waits = cf_waits_new(app->loop, app->pg, f->s_wait);
}

static void work_changed(void *arg, int fd)
{
    struct frame *f = arg;
    struct cf_work_change *changes;
    (void)fd;
    size_t n = cf_stage_work_take(f->app.stage, f->changes, &changes);
    cf_work_pool_apply(f->app.work, changes, n);
    cf_arena_reset(f->changes);
}

static int make_stage(struct frame *f)
{
    struct cf_app *app = &f->app;
    const struct cf_app_spec *spec = app->spec;
    if (!spec->service_new) return 0;
    const struct cf_stage_conf conf = {
        .brokers = app->common.kafka_brokers,
        .dsn = app->common.postgres_dsn,
        .partitions = app->common.partitions,
        .batch_max = app->common.batch_max,
        .member_timeout_ms = (int)app->common.stage_member_timeout_ms,
        .topic_prefix = "cardflow.",
        .topic_suffix = ".v1",
        .metrics = app->metrics,
    };
    int e = spec->service_new(app, &f->service);
    if (e) return e;
    app->stage = cf_stage_new(&f->service, &conf);
    return 0;
}

static void make_work(struct frame *f)
{
    struct cf_app *app = &f->app;
    if (!app->stage) return;
    cf_work_world(&f->world, app->pg, f->s_work, app->producer);
    const struct cf_work_conf conf = {.loop = app->loop,
                                      .doors = &f->world.doors,
                                      .metrics = app->metrics,
                                      .service = app->spec->service,
                                      .partitions = app->partitions,
                                      .workers = app->spec->workers,
                                      .n_workers = app->spec->n_workers,
                                      .own = app->own};
    app->work = cf_work_pool_new(&conf);
    f->changes = cf_arena_new(CHANGES_MAX);
    f->work_watch =
        cf_watch_new(app->loop, cf_stage_work_fd(app->stage), work_changed, f);
}

static int make_http(struct frame *f)
{
    struct cf_app *app = &f->app;
    const struct cf_http_conf public = {.listen = app->common.http_listen,
                                        .label = "public",
                                        .keys = app->api_keys,
                                        .metrics = app->metrics,
                                        .max_connections = app->common.http_connections};
    const struct cf_http_conf operator = {.listen = app->common.operator_listen,
                                          .label = "operator",
                                          .metrics = app->metrics,
                                          .max_connections = 64};
    int e = cf_http_new(app->loop, &public, &app->http);
    if (!e) e = cf_http_new(app->loop, &operator, &f->operator_http);
    if (e) return refuse("address", app->common.http_listen, "cannot be listened on");
    cf_operator_routes(f->operator_http, app->metrics, health_reasons, f);
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------- */

static int start(struct frame *f)
{
    struct cf_app *app = &f->app;
    int e = load_files(f);
    app->metrics = cf_metrics_new(); /* the stage counts in them */
    if (!e) e = make_stage(f);       /* before there are threads */
    if (e) return e;
    app->loop = cf_loop_new();
    e = make_http(f);
    if (e) return e;
    make_front(f);
    e = app->spec->front ? app->spec->front(app) : 0;
    if (e) return e;
    make_work(f);
    health_measure(f);
    health_start(f);
    f->term = cf_signal_new(app->loop, SIGTERM, on_signal, f);
    f->interrupt = cf_signal_new(app->loop, SIGINT, on_signal, f);
    if (app->stage) e = cf_stage_start(app->stage);
    if (!e)
        e = cf_ready_file(app->common.ready_file, cf_http_url(app->http),
                          cf_http_url(f->operator_http));
    return e;
}

/* What answers requests goes before what holds them. */
static void take_down(struct frame *f)
{
    struct cf_app *app = &f->app;
    if (app->producer) cf_front_flush(app->producer, FLUSH_MS);
    if (app->pg) say_goodbye(f);
    cf_timer_free(f->beat);
    cf_timer_free(f->ending);
    cf_watch_free(f->work_watch);
    cf_signal_free(f->term);
    cf_signal_free(f->interrupt);
    cf_stage_free(app->stage);
    cf_pgf_free(app->pg);
    cf_requests_free(app->requests);
    cf_waits_free(app->waits);
    cf_front_producer_free(app->producer);
    if (app->http && app->spec->front_free) app->spec->front_free(app);
    cf_work_pool_free(app->work);
    cf_http_free(app->http);
    cf_http_free(f->operator_http);
    cf_metrics_free(app->metrics);
    cf_seal_ring_free(app->ring);
    cf_api_keys_free(f->api_keys);
    cf_arena_free(f->changes);
    cf_arena_free(f->long_lived);
    free(f->statements);
    if (app->loop) cf_loop_free(app->loop);
    cf_conf_free(app->spec->conf, app->spec->settings);
}

int cf_app_run(const struct cf_app_spec *spec, int argc, char **argv)
{
    switch (cf_conf_load(spec->conf, spec->settings, argc, argv, environ, stdout, stderr)) {
    case CF_CONF_RUN: break;
    case CF_CONF_EXIT: return 0;
    case CF_CONF_WRONG: return 2;
    }
    struct frame *f = cf_calloc(1, sizeof *f);
    f->app.spec = spec;
    f->long_lived = cf_arena_new(8 * CALENDAR_MAX);
    if (!cf_conf_common(spec->conf, spec->settings, &f->app.common))
        CF_BUG("conf.def does not begin with conf_common.def");
    f->app.partitions = f->app.common.partitions;
    int e = prepare_process(&f->app.common, spec->service);
    if (!e) {
        cf_conf_log(spec->conf, spec->settings);
        e = start(f);
    }
    if (e) {
        cf_log(LOG_ERROR, "service.not_started", F("why", cf_error_text(e)));
        f->exit_code = cf_error_class(e) == CF_FATAL ? 2 : 1;
    } else {
        cf_log(LOG_INFO, "service.started", F("http", cf_http_url(f->app.http)),
               F("operator", cf_http_url(f->operator_http)));
        cf_loop_run(f->app.loop);
    }
    take_down(f);
    cf_log(LOG_INFO, "service.stopped", F("exit_code", f->exit_code));
    int code = f->exit_code;
    free(f);
    return code;
}
