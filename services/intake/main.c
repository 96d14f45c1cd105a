/* intake: takes applications, judges them, and tells what came out. */
#include "common/io/log.h"
#include "services/intake/api.h"
#include "services/intake/splitter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct intake_settings, __VA_ARGS__)
#include "services/intake/conf.def"
#undef CONF
};

static const struct cf_conf_table table = {"cardflow-intake",
                                           "takes applications, rosters and enrolments, and judges",
                                           rows, sizeof rows / sizeof *rows,
                                           sizeof(struct intake_settings)};

enum { OUTLETS_MAX = 4 << 20 };

static int refuse(const char *file, const char *why, unsigned line)
{
    cf_log(LOG_ERROR, "service.wrong_file", F("what", "outlets"), F("file", file), F("line", line),
           F("why", why));
    return CF_E_CONFIG;
}

static int load_outlets(struct intake_front *front)
{
    const char *path = front->settings.outlets_file;
    struct intake_outlets_error error;
    FILE *f = fopen(path, "rbe");
    if (!f) return refuse(path, strerror(errno), 0);
    char *text = cf_malloc(OUTLETS_MAX);
    size_t n = fread(text, 1, OUTLETS_MAX, f);
    bool good = !ferror(f) && n < OUTLETS_MAX;
    fclose(f);
    int e = good ? intake_outlets_load(front->long_lived, (struct cf_str){text, n},
                                       &front->outlets, &error)
                 : CF_E_CONFIG;
    if (e) refuse(path, good ? error.why : "larger than 4 MiB", good ? error.line : 0);
    free(text);
    return e;
}

static void split(void *own, struct cf_work_call *call)
{
    struct intake_front *front = own;
    intake_splitter_run(front->splitter, call);
}

static int service_new(struct cf_app *app, struct cf_service *out)
{
    struct intake_front *front = app->spec->settings;
    uint8_t key[32];
    front->app = app;
    front->long_lived = cf_arena_new(4 * OUTLETS_MAX);
    int e = load_outlets(front);
    if (e) return e;
    front->env = (struct intake_env){.ring = app->ring,
                                     .calendar = app->calendar,
                                     .outlets = &front->outlets,
                                     .enrolment_wait_ms = front->settings.enrolment_wait};
    /* Every service that gives out receipts, vouchers and notices hides their order the same way. */
    cf_keyed_hash(app->ring, CF_STR("receipt"), NULL, 0, key);
    memcpy(front->env.number_key, key, sizeof front->env.number_key);
    cf_keyed_hash(app->ring, CF_STR("intake.seen"), NULL, 0, key);
    memcpy(front->seen_key, key, sizeof front->seen_key);
    *out = intake_service(&front->env);
    return 0;
}

static int front_new(struct cf_app *app)
{
    struct intake_front *front = app->spec->settings;
    app->own = front;
    front->splitter = intake_splitter_new(front);
    intake_api_routes(front);
    return 0;
}

int main(int argc, char **argv)
{
    static struct intake_front front;
    front.workers[0] = (struct cf_worker){.kind = INTAKE_WORK_TIMER, .timer = true};
    front.workers[1] = (struct cf_worker){.kind = INTAKE_WORK_SPLIT, .max_calls = 4, .run = split};
    const struct cf_app_spec spec = {.service = "intake",
                                     .conf = &table,
                                     .settings = &front,
                                     .statements = intake_statements,
                                     .n_statements = intake_n_statements,
                                     .wait = &intake_wait,
                                     .workers = front.workers,
                                     .n_workers = 2,
                                     .service_new = service_new,
                                     .front = front_new};
    int code = cf_app_run(&spec, argc, argv);
    intake_splitter_free(front.splitter);
    cf_arena_free(front.long_lived);
    return code;
}
