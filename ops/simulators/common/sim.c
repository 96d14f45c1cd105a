#include "ops/simulators/common/sim.h"

#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/loop.h"
#include "common/io/operator.h"
#include "common/pure/hash.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- choices --------------------------------------------------------------------------------- */

bool sim_chance(const struct sim *sim, double rate, const char *purpose, const void *subject,
                size_t n)
{
    if (rate <= 0.0) return false;
    uint64_t h = cf_hash64_seed(purpose, strlen(purpose), (uint64_t)sim->behaviour.seed);
    h = cf_hash64_seed(subject, n, h);
    return (double)(h >> 11) < rate * 9007199254740992.0; /* 2^53 */
}

bool sim_chance_call(const struct sim *sim, double rate, const char *purpose)
{
    return sim_chance(sim, rate, purpose, &sim->calls, sizeof sim->calls);
}

/* ---- answering ------------------------------------------------------------------------------- */

struct late {
    struct sim *sim;
    struct cf_request *req;
    struct cf_timer *timer;
    int status;
    const char *type;
    struct cf_str body; /* in the request's arena */
};

static void answer_late(void *arg, cf_ms now)
{
    (void)now;
    struct late l = *(struct late *)arg;
    cf_timer_free(l.timer);
    cf_answer(l.req, l.status, l.type, l.body);
}

static void answer_after(struct sim *sim, struct cf_request *req, int status, const char *type,
                         struct cf_str body)
{
    if (sim->behaviour.delay_ms <= 0) {
        cf_answer(req, status, type, body);
        return;
    }
    struct late *l = cf_arena_zero(req->arena, sizeof *l);
    *l = (struct late){.sim = sim, .req = req, .status = status, .type = type};
    l->body = cf_arena_str(req->arena, body);
    l->timer = cf_timer_new(sim->loop, answer_late, l);
    cf_timer_after(l->timer, sim->behaviour.delay_ms);
}

static void fail(struct sim *sim, struct cf_request *req, int status, const char *code)
{
    struct cf_str body = cf_arena_printf(req->arena, "{\"code\": \"%s\"}", code);
    answer_after(sim, req, status, CF_JSON, body);
}

bool sim_begin_call(struct sim *sim, struct cf_request *req)
{
    sim->calls++;
    if (sim->behaviour.off) {
        cf_answer(req, 500, CF_JSON, CF_STR("{\"code\": \"off\"}"));
        return false;
    }
    if (sim_chance_call(sim, sim->behaviour.error_rate, "error")) {
        fail(sim, req, 500, "error");
        return false;
    }
    if (sim_chance_call(sim, sim->behaviour.busy_rate, "busy")) {
        fail(sim, req, 503, "busy");
        return false;
    }
    return true;
}

void sim_answer(struct sim *sim, struct cf_request *req, int status, const char *type,
                struct cf_str body)
{
    if (sim_chance_call(sim, sim->behaviour.duplicates, "duplicate"))
        fail(sim, req, 500, "answer_lost");
    else
        answer_after(sim, req, status, type, body);
}

uint64_t sim_query_number(const struct cf_request *req, const char *name, uint64_t fallback,
                          uint64_t max)
{
    struct cf_str text = cf_request_query(req, name);
    uint64_t value = 0;
    if (!text.ptr || text.len == 0 || text.len > 18) return fallback;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return fallback;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    return value < max ? value : max;
}

/* ---- behaviour ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t offset;
} rates[] = {
    {"error_rate",       offsetof(struct sim_behaviour, error_rate)      },
    {"busy_rate",        offsetof(struct sim_behaviour, busy_rate)       },
    {"duplicates",       offsetof(struct sim_behaviour, duplicates)      },
    {"none_rate",        offsetof(struct sim_behaviour, none_rate)       },
    {"unknown_rate",     offsetof(struct sim_behaviour, unknown_rate)    },
    {"wrong_bytes_rate", offsetof(struct sim_behaviour, wrong_bytes_rate)},
    {"reject_rate",      offsetof(struct sim_behaviour, reject_rate)     },
    {"item_busy_rate",   offsetof(struct sim_behaviour, item_busy_rate)  },
};
enum { RATES = sizeof rates / sizeof *rates };

static double *rate_at(struct sim_behaviour *b, size_t i)
{
    return (double *)(void *)((char *)b + rates[i].offset);
}

static void answer_behaviour(struct sim *sim, struct cf_request *req)
{
    struct cf_buf body;
    cf_buf_init(&body, 4096);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_int(&o, "delay_ms", sim->behaviour.delay_ms);
    for (size_t i = 0; i < RATES; i++)
        cf_out_double(&o, rates[i].name, *rate_at(&sim->behaviour, i));
    cf_out_bool(&o, "off", sim->behaviour.off);
    cf_out_int(&o, "seed", sim->behaviour.seed);
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

static void get_behaviour(struct cf_request *req, void *arg)
{
    answer_behaviour(arg, req);
}

static void put_behaviour(struct cf_request *req, void *arg)
{
    struct sim *sim = arg;
    struct sim_behaviour b = sim->behaviour;
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_field_errors errors = {0};
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    static const char *const names[] = {
        "delay_ms",         "off",         "seed",           "error_rate",
        "busy_rate",        "duplicates",  "none_rate",      "unknown_rate",
        "wrong_bytes_rate", "reject_rate", "item_busy_rate", NULL};
    cf_in_only(&in, names);
    b.delay_ms = cf_in_int(&in, "delay_ms", CF_OPTIONAL, 0, 110000, b.delay_ms);
    b.off = cf_in_bool(&in, "off", CF_OPTIONAL, b.off);
    b.seed = cf_in_int(&in, "seed", CF_OPTIONAL, 0, INT32_MAX, b.seed);
    for (size_t i = 0; i < RATES; i++) {
        const json_t *v = json_object_get(root, rates[i].name);
        if (!v || json_is_null(v)) continue;
        double rate = json_is_number(v) ? json_number_value(v) : -1.0;
        if (rate < 0.0 || rate > 1.0)
            cf_in_wrong(&in, rates[i].name, "a number from 0 to 1", "Give a share of one.");
        else
            *rate_at(&b, i) = rate;
    }
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    sim->behaviour = b;
    answer_behaviour(sim, req);
}

/* ---- frame ------------------------------------------------------------------------------------
 */

static void stop(void *arg, int signo)
{
    (void)signo;
    struct sim *sim = arg;
    cf_loop_stop(sim->loop);
}

static int listen_on(struct sim *sim, const struct cf_conf_base *base)
{
    struct cf_http_conf conf = {.listen = base->http_listen,
                                .label = "public",
                                .metrics = sim->metrics,
                                .max_connections = base->http_connections};
    int e = cf_http_new(sim->loop, &conf, &sim->http);
    conf.listen = base->operator_listen;
    conf.label = "operator";
    if (!e) e = cf_http_new(sim->loop, &conf, &sim->op);
    if (e) return e;
    static const struct cf_route put = {
        .method = "PUT", .pattern = "/sim/behaviour", .body_max = 4096, .type = CF_JSON};
    static const struct cf_route get = {.method = "GET", .pattern = "/sim/behaviour"};
    cf_http_route(sim->http, &put, put_behaviour, sim);
    cf_http_route(sim->http, &get, get_behaviour, sim);
    cf_operator_routes(sim->op, sim->metrics, NULL, NULL);
    return 0;
}

static int serve(struct sim *sim, const struct cf_conf_base *base, void *settings,
                 void (*begin)(struct sim *sim, void *settings))
{
    int e = listen_on(sim, base);
    if (e) {
        cf_log(LOG_ERROR, "sim.cannot_listen", F("listen", base->http_listen));
        return 2;
    }
    begin(sim, settings);
    struct cf_signal *term = cf_signal_new(sim->loop, SIGTERM, stop, sim);
    struct cf_signal *interrupt = cf_signal_new(sim->loop, SIGINT, stop, sim);
    e = cf_ready_file(base->ready_file, cf_http_url(sim->http), cf_http_url(sim->op));
    cf_log(LOG_INFO, "sim.serving", F("http", cf_http_url(sim->http)),
           F("operator", cf_http_url(sim->op)));
    if (!e) cf_loop_run(sim->loop);
    cf_signal_free(term);
    cf_signal_free(interrupt);
    return e ? 2 : 0;
}

int sim_run(const struct cf_conf_table *table, void *settings, int argc, char **argv,
            void (*begin)(struct sim *sim, void *settings), const char *name, void *own)
{
    enum cf_conf_end end = cf_conf_load(table, settings, argc, argv, environ, stdout, stderr);
    if (end != CF_CONF_RUN) return end == CF_CONF_EXIT ? 0 : 2;
    const struct cf_conf_base *base = settings;
    enum cf_log_level level = LOG_INFO;
    cf_log_service(name);
    if (cf_log_level_parse(cf_str_of(base->log_level), &level)) cf_log_level_set(level);
    signal(SIGPIPE, SIG_IGN);
    struct sim sim = {.loop = cf_loop_new(), .metrics = cf_metrics_new(), .own = own};
    sim.behaviour.seed = 1;
    int code = serve(&sim, base, settings, begin);
    cf_http_free(sim.http);
    cf_http_free(sim.op);
    cf_metrics_free(sim.metrics);
    cf_loop_free(sim.loop);
    cf_conf_free(table, settings);
    return code;
}
