/* photo-fetch: asks the police for a photo, takes uploads, tells when a photo is there. */
#include "services/photo-fetch/api.h"
#include "services/photo-fetch/codec.h"

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct photo_fetch_settings, __VA_ARGS__)
#include "services/photo-fetch/conf.def"
#undef CONF
};

static const struct cf_conf_table table = {
    "cardflow-photo-fetch", "fetches photos from the police and takes uploads", rows,
    sizeof rows / sizeof *rows, sizeof(struct photo_fetch_settings)};

static void fetch(void *own, struct cf_work_call *call)
{
    struct photo_fetch_front *front = own;
    photo_fetch_gateway_run(front->gateway, call);
}

static int service_new(struct cf_app *app, struct cf_service *out)
{
    struct photo_fetch_front *front = app->spec->settings;
    front->app = app;
    front->env = (struct photo_fetch_env){.backoff = front->settings.fetch_backoff,
                                          .backoff_max = front->settings.fetch_backoff_max,
                                          .days_to_give = front->settings.photo_days_to_give};
    /* The pool reads it when it is made, which is after the settings are known. */
    front->workers[0].max_calls = front->settings.police_in_flight;
    *out = photo_fetch_service(&front->env);
    return 0;
}

static int front_new(struct cf_app *app)
{
    struct photo_fetch_front *front = app->spec->settings;
    app->own = front;
    front->vault = photo_fetch_vault_new(app->loop, app->pg, app->ring);
    photo_fetch_api_routes(front);
    return photo_fetch_gateway_new(app->loop, &front->settings, front->vault, app->ring,
                                   app->metrics, &front->gateway);
}

static void front_free(struct cf_app *app)
{
    struct photo_fetch_front *front = app->spec->settings;
    photo_fetch_gateway_free(front->gateway);
    photo_fetch_vault_free(front->vault);
}

int main(int argc, char **argv)
{
    static struct photo_fetch_front front;
    front.workers[0] = (struct cf_worker){.kind = PHOTO_WORK_FETCH, .run = fetch};
    front.workers[1] = (struct cf_worker){.kind = PHOTO_WORK_EXPIRE, .timer = true};
    const struct cf_app_spec spec = {.service = "photo-fetch",
                                     .conf = &table,
                                     .settings = &front,
                                     .statements = photo_fetch_statements,
                                     .n_statements = photo_fetch_n_statements,
                                     .wait = &photo_fetch_wait,
                                     .workers = front.workers,
                                     .n_workers = 2,
                                     .service_new = service_new,
                                     .front = front_new,
                                     .front_free = front_free};
    return cf_app_run(&spec, argc, argv);
}
