/* production: orders cards from the banks, follows them to the holder, and keeps their states. */
#include "services/production/api.h"

#include "common/io/log.h"
#include "services/production/handlers.h"

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct production_settings, __VA_ARGS__)
#include "services/production/conf.def"
#undef CONF
};

static const struct cf_conf_table table = {
    "cardflow-production", "orders cards from the banks and keeps their states", rows,
    sizeof rows / sizeof *rows, sizeof(struct production_settings)};

static const struct cf_worker workers[] = {
    {.kind = PRODUCTION_WORK_HOLDER, .timer = true},
    {.kind = PRODUCTION_WORK_BANK,   .timer = true},
    {.kind = PRODUCTION_WORK_NOTICE, .timer = true},
};

static int service_new(struct cf_app *app, struct cf_service *out)
{
    struct production_front *front = app->spec->settings;
    uint8_t key[32];
    front->app = app;
    front->env.ring = app->ring;
    front->env.calendar = app->calendar;
    front->env.deadlines = app->policies;
    front->env.policy = production_settings_policy(&front->settings);
    if (!production_settings_letters(front->settings.card_area_letters, front->env.letters)) {
        cf_log(LOG_ERROR, "service.wrong_setting", F("setting", "card_area_letters"),
               F("rule", "letters A to Z, none twice"), F("cure", "give them in order, like BC"));
        return CF_E_CONFIG;
    }
    /* Every service that gives out receipts, vouchers and notices hides their order the same way.
     */
    cf_keyed_hash(app->ring, CF_STR("receipt"), NULL, 0, key);
    memcpy(front->env.number_key, key, sizeof front->env.number_key);
    *out = production_service(&front->env);
    return 0;
}

static int front_new(struct cf_app *app)
{
    struct production_front *front = app->spec->settings;
    app->own = front;
    production_api_routes(front);
    return 0;
}

int main(int argc, char **argv)
{
    static struct production_front front;
    struct cf_app_spec spec = {.service = "production",
                               .conf = &table,
                               .settings = &front,
                               .wait = production_wait_statement(),
                               .workers = workers,
                               .n_workers = sizeof workers / sizeof *workers,
                               .service_new = service_new,
                               .front = front_new};
    spec.statements = production_statements(&spec.n_statements);
    return cf_app_run(&spec, argc, argv);
}
