/* sim-bank: a bank adapter that plays every line to an active card, and can be made to misbehave.
 *
 * PUT  /sim/behaviour {delay_ms, error_rate, duplicates, off, hold_after, seed,
 *                      notices: acknowledged, double, late or silent; notice_delay_ms}
 * GET  /sim/behaviour
 * GET  /sim/received?since=&limit=  lines that were taken, without anything personal
 * GET  /sim/stats
 * POST /sim/answers   [{application_id, step, ...}] sent as they are, wrong and late ones too */
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "common/io/operator.h"
#include "ops/simulators/bank/bank.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct settings {
#define CONF CF_CONF_FIELD
#include "ops/simulators/bank/conf.def"
#undef CONF
};

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct settings, __VA_ARGS__)
#include "ops/simulators/bank/conf.def"
#undef CONF
};

static const struct cf_conf_table table = {"sim-bank", "simulated bank adapter", rows,
                                           sizeof rows / sizeof *rows, sizeof(struct settings)};

enum { RECEIVED_MAX = 10000, ANSWERS_MAX = 10000 };

/* ---- behaviour ----------------------------------------------------------------------------- */

static void answer_behaviour(struct bank *b, struct cf_request *req)
{
    struct cf_buf body;
    struct bank_behaviour how;
    pthread_mutex_lock(&b->lock);
    how = b->behaviour;
    pthread_mutex_unlock(&b->lock);
    cf_buf_init(&body, 4096);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_int(&o, "delay_ms", how.delay_ms);
    cf_out_double(&o, "error_rate", how.error_rate);
    cf_out_double(&o, "duplicates", how.duplicates);
    cf_out_bool(&o, "off", how.off);
    if (how.hold_after < 0)
        cf_out_null(&o, "hold_after");
    else
        cf_out_z(&o, "hold_after", bank_step_names[how.hold_after]);
    cf_out_int(&o, "seed", how.seed);
    cf_out_z(&o, "notices", bank_notice_answer_names[how.notices]);
    cf_out_int(&o, "notice_delay_ms", how.notice_delay_ms);
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

static double read_rate(struct cf_in *in, const char *name, double fallback)
{
    const json_t *v = json_object_get(in->object, name);
    if (!v || json_is_null(v)) return fallback;
    double rate = json_is_number(v) ? json_number_value(v) : -1.0;
    if (rate >= 0.0 && rate <= 1.0) return rate;
    cf_in_wrong(in, name, "a number from 0 to 1", "Give a share of one.");
    return fallback;
}

/* A step, or null for none; absent leaves it as it is. */
static int read_hold(struct cf_in *in, int fallback)
{
    const json_t *v = json_object_get(in->object, "hold_after");
    if (!v) return fallback;
    if (json_is_null(v)) return -1;
    struct cf_str name = cf_in_text(in, "hold_after", CF_NEEDED, 1, 20);
    for (int i = 0; i < BANK_STEPS; i++)
        if (cf_str_is(name, bank_step_names[i])) return i;
    if (in->errors->n == 0)
        cf_in_wrong(in, "hold_after", "a step or null",
                    "account_opened, produced, shipped, arrived, collected.");
    return fallback;
}

static enum bank_notice_answer read_notices(struct cf_in *in, enum bank_notice_answer fallback)
{
    struct cf_str name = cf_in_text(in, "notices", CF_OPTIONAL, 1, 20);
    if (!name.ptr) return fallback;
    for (int i = 0; i < BANK_NOTICE_ANSWERS; i++)
        if (cf_str_is(name, bank_notice_answer_names[i])) return (enum bank_notice_answer)i;
    cf_in_wrong(in, "notices", "a way to answer", "acknowledged, double, late or silent.");
    return fallback;
}

static void get_behaviour(struct cf_request *req, void *arg)
{
    answer_behaviour(arg, req);
}

static void put_behaviour(struct cf_request *req, void *arg)
{
    struct bank *b = arg;
    json_t *root = cf_request_json(req);
    if (!root) return;
    static const char *const names[] = {"delay_ms",   "error_rate", "duplicates", "off",
                                        "hold_after", "seed",       "notices",
                                        "notice_delay_ms", NULL};
    struct cf_field_errors errors = {0};
    struct cf_in in = cf_in_of(root, req->arena, &errors);
    cf_in_only(&in, names);
    pthread_mutex_lock(&b->lock);
    struct bank_behaviour how = b->behaviour;
    how.delay_ms = cf_in_int(&in, "delay_ms", CF_OPTIONAL, 0, 3600000, how.delay_ms);
    how.error_rate = read_rate(&in, "error_rate", how.error_rate);
    how.duplicates = read_rate(&in, "duplicates", how.duplicates);
    how.off = cf_in_bool(&in, "off", CF_OPTIONAL, how.off);
    how.hold_after = read_hold(&in, how.hold_after);
    how.seed = cf_in_int(&in, "seed", CF_OPTIONAL, 0, INT32_MAX, how.seed);
    how.notices = read_notices(&in, how.notices);
    how.notice_delay_ms =
        cf_in_int(&in, "notice_delay_ms", CF_OPTIONAL, 0, 3600000, how.notice_delay_ms);
    if (errors.n == 0) b->behaviour = how;
    pthread_mutex_unlock(&b->lock);
    if (errors.n)
        cf_problem_fields(req, &errors);
    else
        answer_behaviour(b, req);
}

/* ---- what came ----------------------------------------------------------------------------- */

static uint64_t query_number(const struct cf_request *req, const char *name, uint64_t fallback)
{
    struct cf_str text = cf_request_query(req, name);
    uint64_t v = 0;
    if (!text.ptr || text.len == 0 || text.len > 18) return fallback;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return fallback;
        v = 10 * v + (uint64_t)(text.ptr[i] - '0');
    }
    return v;
}

static void write_line(struct cf_out *o, const struct bank_line *line, uint64_t no)
{
    char id[37];
    cf_out_object(o, NULL);
    cf_out_uint(o, "no", no);
    cf_uuid_text(line->app_id, id);
    cf_out_z(o, "application_id", id);
    cf_uuid_text(line->batch_id, id);
    cf_out_z(o, "batch_id", id);
    cf_out_uint(o, "line_no", line->line_no);
    cf_out_z(o, "bank_code", line->code);
    cf_out_end(o);
}

static void get_received(struct cf_request *req, void *arg)
{
    struct bank *b = arg;
    uint64_t no = query_number(req, "since", 0), limit = query_number(req, "limit", 1000);
    struct cf_buf body;
    if (limit > RECEIVED_MAX) limit = RECEIVED_MAX;
    cf_buf_init(&body, 8u << 20);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_array(&o, "items");
    pthread_mutex_lock(&b->lock);
    uint64_t total = b->n_lines, first = total > b->max ? total - b->max : 0;
    if (no < first) no = first;
    for (uint64_t i = 0; i < limit && no < total; i++, no++)
        write_line(&o, &b->lines[no % b->max], no + 1);
    pthread_mutex_unlock(&b->lock);
    cf_out_end(&o);
    cf_out_uint(&o, "next", no);
    cf_out_uint(&o, "total", total);
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

static void get_stats(struct cf_request *req, void *arg)
{
    struct bank *b = arg;
    struct bank_stats s;
    struct cf_buf body;
    pthread_mutex_lock(&b->lock);
    s = b->stats;
    pthread_mutex_unlock(&b->lock);
    cf_buf_init(&body, 4096);
    struct cf_out o = cf_out_to(&body);
    cf_out_object(&o, NULL);
    cf_out_uint(&o, "lines", s.lines);
    cf_out_uint(&o, "batches", s.batches);
    cf_out_uint(&o, "wrong_manifests", s.wrong_manifests);
    cf_out_uint(&o, "notices", s.notices);
    cf_out_uint(&o, "acknowledged", s.acknowledged);
    cf_out_uint(&o, "answers", s.answers);
    cf_out_uint(&o, "commands", s.commands);
    cf_out_uint(&o, "unreadable", s.unreadable);
    cf_out_end(&o);
    cf_answer_json(req, 200, &body);
    cf_buf_free(&body);
}

/* ---- given answers ------------------------------------------------------------------------- */

static void read_text(struct cf_in *in, const char *name, char *out, size_t size)
{
    struct cf_str s = cf_in_text(in, name, CF_OPTIONAL, 0, size - 1);
    if (!s.ptr) return;
    if (s.len >= size) {
        cf_in_wrong(in, name, "ASCII, not too long", "Copy it from the order.");
        return;
    }
    memcpy(out, s.ptr, s.len);
    out[s.len] = 0;
}

static void read_id(struct cf_in *in, const char *name, enum cf_need need, uint8_t id[16])
{
    struct cf_str s = cf_in_text(in, name, need, 36, 36);
    if (s.len && !cf_uuid_parse(s, id))
        cf_in_wrong(in, name, "a UUID", "Copy it from /sim/received.");
}

/* What is not given is taken from the newest line of that application. */
static void read_answer(struct bank *b, struct cf_in *in, struct bank_answer *out)
{
    uint8_t app_id[16] = {0};
    read_id(in, "application_id", CF_NEEDED, app_id);
    pthread_mutex_lock(&b->lock);
    const struct bank_line *known = bank_find(b, app_id);
    if (known) out->line = *known;
    pthread_mutex_unlock(&b->lock);
    memcpy(out->line.app_id, app_id, 16);
    struct cf_str key = cf_in_text(in, "routing_key", CF_OPTIONAL, 32, 32);
    if (key.len && !cf_unhex(key, out->line.routing_key, 16))
        cf_in_wrong(in, "routing_key", "32 hexadecimal digits", "Copy it from the order.");
    if (!key.len && !known)
        cf_in_wrong(in, "routing_key", "needed for a line that never came", "Give it.");
    read_id(in, "batch_id", CF_OPTIONAL, out->line.batch_id);
    out->line.line_no =
        (uint32_t)cf_in_int(in, "line_no", CF_OPTIONAL, 0, INT32_MAX, out->line.line_no);
    read_text(in, "card_no", out->line.card_no, sizeof out->line.card_no);
    read_text(in, "bank_code", out->line.code, sizeof out->line.code);
    struct cf_str step = cf_in_text(in, "step", CF_NEEDED, 1, 40);
    struct cf_str reason = cf_in_text(in, "reason", CF_OPTIONAL, 0, 60);
    out->step = step.len ? cf_arena_printf(in->arena, "%.*s", CF_ARG(step)).ptr : "";
    out->reason = reason.len ? cf_arena_printf(in->arena, "%.*s", CF_ARG(reason)).ptr : NULL;
    out->fee_cents = cf_in_int(in, "fee_cents", CF_OPTIONAL, 0, INT32_MAX, 0);
}

static void post_answers(struct cf_request *req, void *arg)
{
    struct bank *b = arg;
    json_t *root = cf_request_json(req);
    if (!root) return;
    struct cf_field_errors errors = {0};
    struct cf_in top = {.path = "", .arena = req->arena, .errors = &errors};
    size_t n = json_is_array(root) ? json_array_size(root) : 1;
    if (n == 0 || n > ANSWERS_MAX) {
        cf_problem_field(req, 400, "invalid_body", "body", "1 to 10,000 answers", "Send fewer.");
        return;
    }
    struct bank_answer *answers = cf_arena_zero(req->arena, n * sizeof *answers);
    for (size_t i = 0; i < n; i++) {
        struct cf_in in = json_is_array(root) ? cf_in_item(&top, NULL, root, i)
                                              : cf_in_of(root, req->arena, &errors);
        read_answer(b, &in, &answers[i]);
    }
    if (errors.n) {
        cf_problem_fields(req, &errors);
        return;
    }
    bool sent = true;
    for (size_t i = 0; i < n && sent; i++)
        sent = strcmp(answers[i].step, bank_step_names[BANK_ACTIVATE])
                   ? bank_send_answer(b, req->arena, &answers[i])
                   : bank_send_activate(b, req->arena, &answers[i].line);
    if (sent)
        cf_answer(req, 202, CF_JSON, CF_STR("{\"sent\": true}"));
    else
        cf_problem_away(req, "kafka");
}

/* ---- frame --------------------------------------------------------------------------------- */

static void stop(void *arg, int signo)
{
    (void)signo;
    cf_loop_stop(arg);
}

static void add_routes(struct cf_http *http, struct bank *b)
{
    static const struct cf_route put = {
        .method = "PUT", .pattern = "/sim/behaviour", .body_max = 4096, .type = CF_JSON};
    static const struct cf_route get = {.method = "GET", .pattern = "/sim/behaviour"};
    static const struct cf_route received = {.method = "GET", .pattern = "/sim/received"};
    static const struct cf_route stats = {.method = "GET", .pattern = "/sim/stats"};
    static const struct cf_route answers = {
        .method = "POST", .pattern = "/sim/answers", .body_max = 4u << 20, .type = CF_JSON};
    cf_http_route(http, &put, put_behaviour, b);
    cf_http_route(http, &get, get_behaviour, b);
    cf_http_route(http, &received, get_received, b);
    cf_http_route(http, &stats, get_stats, b);
    cf_http_route(http, &answers, post_answers, b);
}

static int run(struct cf_loop *loop, struct bank *b, const struct settings *s)
{
    struct cf_metrics *metrics = cf_metrics_new();
    struct cf_http *http = NULL, *op = NULL;
    struct cf_http_conf conf = {.listen = s->http_listen, .label = "public", .metrics = metrics};
    struct cf_signal *term = cf_signal_new(loop, SIGTERM, stop, loop);
    struct cf_signal *interrupt = cf_signal_new(loop, SIGINT, stop, loop);
    int e = cf_http_new(loop, &conf, &http);
    conf.listen = s->operator_listen;
    conf.label = "operator";
    if (!e) e = cf_http_new(loop, &conf, &op);
    if (e) cf_log(LOG_ERROR, "sim.cannot_listen", F("listen", conf.listen));
    if (!e) e = bank_start(b, s->kafka_brokers, s->group);
    if (!e) {
        add_routes(http, b);
        cf_operator_routes(op, metrics, NULL, NULL);
        e = cf_ready_file(s->ready_file, cf_http_url(http), cf_http_url(op));
    }
    if (!e) {
        cf_log(LOG_INFO, "sim.serving", F("http", cf_http_url(http)));
        cf_loop_run(loop);
    }
    bank_stop(b);
    cf_signal_free(term);
    cf_signal_free(interrupt);
    cf_http_free(http);
    cf_http_free(op);
    cf_metrics_free(metrics);
    return e ? 2 : 0;
}

int main(int argc, char **argv)
{
    static struct settings s;
    static struct bank b;
    enum cf_log_level level = LOG_INFO;
    enum cf_conf_end end = cf_conf_load(&table, &s, argc, argv, environ, stdout, stderr);
    if (end != CF_CONF_RUN) return end == CF_CONF_EXIT ? 0 : 2;
    cf_log_service("sim-bank");
    if (cf_log_level_parse(cf_str_of(s.log_level), &level)) cf_log_level_set(level);
    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&b.lock, NULL);
    b.max = (size_t)s.remembered;
    b.partitions = (uint32_t)s.partitions;
    b.behaviour = (struct bank_behaviour){.delay_ms = s.delay_ms, .hold_after = -1, .seed = 1};
    struct cf_loop *loop = cf_loop_new();
    int code = run(loop, &b, &s);
    cf_loop_free(loop);
    bank_forget_all(&b);
    pthread_mutex_destroy(&b.lock);
    cf_conf_free(&table, &s);
    return code;
}
