/* notification: tells holders what they should hear of, once, and never at night. */
#include "common/io/app.h"
#include "common/io/log.h"
#include "services/notification/handlers.h"
#include "services/notification/sms.h"

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct notification_settings, __VA_ARGS__)
#include "services/notification/conf.def"
#undef CONF
};

static const struct cf_conf_table table = {
    "cardflow-notification", "tells holders by SMS what they should hear of", rows,
    sizeof rows / sizeof *rows, sizeof(struct notification_settings)};

struct front {
    struct notification_settings settings; /* first: cf_app fills it */
    struct notification_env env;
    struct cf_worker workers[2];
    struct notification_sms *sms;
};

static void send_sms(void *own, struct cf_work_call *call)
{
    struct front *front = own;
    notification_sms_run(front->sms, call);
}

static int wrong(const char *setting, const char *cure)
{
    cf_log(LOG_ERROR, "settings.wrong", F("setting", setting), F("cure", cure));
    return CF_E_CONFIG;
}

static int service_new(struct cf_app *app, struct cf_service *out)
{
    struct front *front = app->spec->settings;
    const struct notification_settings *s = &front->settings;
    struct notification_fault fault;
    front->env = (struct notification_env){.quiet = {.on = s->quiet_hours},
                                           .backoff = s->sms_backoff,
                                           .backoff_max = s->sms_backoff_max,
                                           .give_up = s->sms_give_up};
    if (!notification_minute_parse(cf_str_of(s->quiet_from), &front->env.quiet.from))
        return wrong("quiet_from", "write a time of day as 21:00");
    if (!notification_minute_parse(cf_str_of(s->quiet_to), &front->env.quiet.to))
        return wrong("quiet_to", "write a time of day as 08:00");
    if (!notification_texts_check(&fault)) {
        cf_log(LOG_ERROR, "template.wrong", F("template", fault.template), F("lang", fault.lang),
               F("rule", fault.rule));
        return CF_E_CONFIG;
    }
    /* The pool reads these when it is made, which is after the settings are known. */
    front->workers[0].batch_max = (size_t)s->sms_batch;
    front->workers[0].linger_ms = s->sms_linger;
    front->workers[0].max_calls = s->sms_in_flight;
    *out = notification_service(&front->env);
    return 0;
}

static int front_new(struct cf_app *app)
{
    struct front *front = app->spec->settings;
    app->own = front;
    return notification_sms_new(app->loop, &front->settings, app->pg, app->ring, app->metrics,
                                &front->sms);
}

static void front_free(struct cf_app *app)
{
    struct front *front = app->spec->settings;
    notification_sms_free(front->sms);
}

int main(int argc, char **argv)
{
    static struct front front;
    front.workers[0] = (struct cf_worker){.kind = NOTIFY_WORK_SMS, .run = send_sms};
    front.workers[1] = (struct cf_worker){.kind = NOTIFY_WORK_REMIND, .timer = true};
    const struct cf_app_spec spec = {.service = "notification",
                                     .conf = &table,
                                     .settings = &front,
                                     .statements = notification_statements,
                                     .n_statements = notification_n_statements,
                                     .workers = front.workers,
                                     .n_workers = 2,
                                     .service_new = service_new,
                                     .front = front_new,
                                     .front_free = front_free};
    return cf_app_run(&spec, argc, argv);
}
