/* inquiry: knows where every application and card stands, and says so. */
#include "common/io/outlets_file.h"
#include "services/inquiry/api.h"

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct inquiry_settings, __VA_ARGS__)
#include "services/inquiry/conf.def"
#undef CONF
};

static const struct cf_conf_table table = {
    "cardflow-inquiry", "answers where an application or a card stands", rows,
    sizeof rows / sizeof *rows, sizeof(struct inquiry_settings)};

enum { LONG_LIVED_MAX = 16 << 20 };

static int service_new(struct cf_app *app, struct cf_service *out)
{
    struct inquiry_front *front = app->spec->settings;
    const struct cf_redis_stage_conf redis = {.url = app->common.redis_url};
    front->app = app;
    front->stage_redis = cf_redis_stage_new(&redis);
    if (!front->stage_redis) return CF_E_CONFIG;
    front->env = (struct inquiry_env){.redis = front->stage_redis, .counts = &front->counts};
    *out = inquiry_service(&front->env);
    return 0;
}

static int front_new(struct cf_app *app)
{
    struct inquiry_front *front = app->spec->settings;
    const struct inquiry_settings *s = &front->settings;
    const struct inquiry_cache_conf cache = {app->common.redis_url, (int)s->redis_budget,
                                             s->store_in_flight};
    const struct inquiry_sweep_conf sweep = {s->sweep_page, s->sweep_pause, s->sweep_fast_pause,
                                             s->sweep_status};
    app->own = front;
    front->long_lived = cf_arena_new(LONG_LIVED_MAX);
    if (cf_outlets_read(front->long_lived, s->outlets_file, &front->outlets)) return CF_E_CONFIG;
    front->cache = inquiry_cache_new(app, &cache);
    if (!front->cache) return CF_E_CONFIG;
    front->auditor = inquiry_auditor_new(app, (size_t)s->audit_queue);
    front->sweep = inquiry_sweep_new(app, front->cache, &front->counts, &sweep);
    inquiry_api_routes(front);
    return 0;
}

/* Questions that are under way end with the cache, and are audited no more. */
static void front_free(struct cf_app *app)
{
    struct inquiry_front *front = app->spec->settings;
    inquiry_auditor_close(front->auditor);
    inquiry_cache_free(front->cache);
    inquiry_sweep_free(front->sweep);
    inquiry_auditor_free(front->auditor);
}

int main(int argc, char **argv)
{
    static struct inquiry_front front;
    const struct cf_app_spec spec = {.service = "inquiry",
                                     .conf = &table,
                                     .settings = &front,
                                     .statements = inquiry_statements,
                                     .n_statements = inquiry_n_statements,
                                     .service_new = service_new,
                                     .front = front_new,
                                     .front_free = front_free};
    int code = cf_app_run(&spec, argc, argv);
    cf_redis_stage_free(front.stage_redis);
    cf_arena_free(front.long_lived);
    return code;
}
