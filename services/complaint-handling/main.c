/* complaint-handling: work orders of 12345, from dispatch to revisit. */
#include "services/complaint-handling/api.h"

#include "common/io/log.h"

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct complaint_settings, __VA_ARGS__)
#include "services/complaint-handling/conf.def"
#undef CONF
};

static const struct cf_conf_table table = {
    "cardflow-complaint-handling", "work orders of 12345, from dispatch to revisit", rows,
    sizeof rows / sizeof *rows, sizeof(struct complaint_settings)};

static void ask(void *own, struct cf_work_call *call)
{
    struct complaint_front *front = own;
    complaint_asker_run(front->asker, call);
}

static const struct cf_worker workers[] = {
    {.kind = COMPLAINT_WORK_TIMER, .timer = true},
    { .kind = COMPLAINT_WORK_ASK, .run = ask,     .max_calls = 64, .name = "ask_inquiry"},
};

static int take_owner(struct complaint_env *env, struct cf_str pair)
{
    const char *colon = memchr(pair.ptr, ':', pair.len);
    size_t n = colon ? (size_t)(colon - pair.ptr) : pair.len;
    enum complaint_kind kind = complaint_kind_parse((struct cf_str){pair.ptr, n});
    if (!kind || n + 1 >= pair.len) {
        cf_log(LOG_ERROR, "service.wrong_setting", F("setting", "owners"),
               F("rule", "kind:owner, separated by commas"),
               F("cure", "like complaint:desk-a,correction:desk-b"));
        return CF_E_CONFIG;
    }
    env->owners[kind] = (struct cf_str){pair.ptr + n + 1, pair.len - n - 1};
    return 0;
}

static int take_owners(struct complaint_env *env, const struct complaint_settings *s)
{
    int e = 0;
    for (size_t i = 0; i < COMPLAINT_KIND_COUNT; i++)
        env->owners[i] = cf_str_of(s->default_owner);
    for (const char *p = s->owners; *p && !e;) {
        size_t n = strcspn(p, ",");
        e = take_owner(env, (struct cf_str){p, n});
        p += n + (p[n] == ',');
    }
    return e;
}

static int service_new(struct cf_app *app, struct cf_service *out)
{
    struct complaint_front *front = app->spec->settings;
    const struct complaint_settings *s = &front->settings;
    front->app = app;
    front->env = (struct complaint_env){.ring = app->ring,
                                        .calendar = app->calendar,
                                        .can_ask = *s->inquiry_url && *s->inquiry_key,
                                        .ask_again = s->inquiry_again,
                                        .ask_max = s->inquiry_tries};
    *out = complaint_service(&front->env);
    return take_owners(&front->env, s);
}

static int front_new(struct cf_app *app)
{
    struct complaint_front *front = app->spec->settings;
    const struct complaint_settings *s = &front->settings;
    const struct complaint_ask_conf ask_conf = {s->inquiry_url, s->inquiry_key, s->inquiry_timeout,
                                                s->inquiry_connections};
    app->own = front;
    complaint_api_routes(front);
    if (!front->env.can_ask) return 0;
    return complaint_asker_new(app->loop, app->ring, &ask_conf, &front->asker);
}

static void front_free(struct cf_app *app)
{
    struct complaint_front *front = app->spec->settings;
    complaint_asker_free(front->asker);
}

int main(int argc, char **argv)
{
    static struct complaint_front front;
    const struct cf_app_spec spec = {.service = "complaint-handling",
                                     .conf = &table,
                                     .settings = &front,
                                     .statements = complaint_statements,
                                     .n_statements = complaint_n_statements,
                                     .wait = &complaint_wait,
                                     .workers = workers,
                                     .n_workers = sizeof workers / sizeof *workers,
                                     .service_new = service_new,
                                     .front = front_new,
                                     .front_free = front_free};
    return cf_app_run(&spec, argc, argv);
}
