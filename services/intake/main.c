/* intake: takes applications, judges them, and tells what came out. */
#include "common/io/outlets_file.h"
#include "services/intake/api.h"
#include "services/intake/collector.h"
#include "services/intake/photos.h"
#include "services/intake/splitter.h"
#include "services/intake/units.h"

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct intake_settings, __VA_ARGS__)
#include "services/intake/conf.def"
#undef CONF
};

static const struct cf_conf_table table = {"cardflow-intake",
                                           "takes applications, rosters and enrolments, and judges",
                                           rows, sizeof rows / sizeof *rows,
                                           sizeof(struct intake_settings)};

enum { LONG_LIVED_MAX = 16 << 20 };

static void split(void *own, struct cf_work_call *call)
{
    struct intake_front *front = own;
    intake_splitter_run(front->splitter, call);
}

static void count_unit(void *own, struct cf_work_call *call)
{
    intake_units_run(own, call);
}

static void collect(void *own, struct cf_work_call *call)
{
    intake_collector_run(own, call);
}

static int service_new(struct cf_app *app, struct cf_service *out)
{
    struct intake_front *front = app->spec->settings;
    uint8_t key[32];
    front->app = app;
    front->long_lived = cf_arena_new(LONG_LIVED_MAX);
    int e = cf_outlets_read(front->long_lived, front->settings.outlets_file, &front->outlets);
    if (e) return e;
    front->env = (struct intake_env){.ring = app->ring,
                                     .calendar = app->calendar,
                                     .policies = app->policies,
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
    const struct intake_photos_conf photos = {front->settings.photo_fetch_url,
                                              front->settings.photo_fetch_key,
                                              front->settings.photo_fetch_timeout};
    int e = *photos.url ? intake_photos_new(app->loop, &photos, &front->photos) : 0;
    intake_api_routes(front);
    return e;
}

/* While the loop is still there: connections end by its turns. */
static void front_free(struct cf_app *app)
{
    struct intake_front *front = app->spec->settings;
    intake_photos_free(front->photos);
}

int main(int argc, char **argv)
{
    static struct intake_front front;
    front.workers[0] = (struct cf_worker){.kind = INTAKE_WORK_TIMER, .timer = true};
    front.workers[1] = (struct cf_worker){.kind = INTAKE_WORK_SPLIT, .max_calls = 4, .run = split};
    front.workers[2] =
        (struct cf_worker){.kind = INTAKE_WORK_UNIT, .max_calls = 4, .run = count_unit};
    front.workers[3] =
        (struct cf_worker){.kind = INTAKE_WORK_COLLECT, .max_calls = 4, .run = collect};
    const struct cf_app_spec spec = {.service = "intake",
                                     .conf = &table,
                                     .settings = &front,
                                     .statements = intake_statements,
                                     .n_statements = intake_n_statements,
                                     .wait = &intake_wait,
                                     .workers = front.workers,
                                     .n_workers = 4,
                                     .service_new = service_new,
                                     .front = front_new,
                                     .front_free = front_free};
    int code = cf_app_run(&spec, argc, argv);
    intake_splitter_free(front.splitter);
    cf_arena_free(front.long_lived);
    return code;
}
