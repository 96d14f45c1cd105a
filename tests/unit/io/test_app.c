/* A small service run by cf_app_run as a process of its own, with a PostgreSQL of the test's own
 * and the mock cluster of librdkafka: HTTP in, log, stage, outside work and timer, log, stage,
 * answer. */
#include "cardflow/v1/photo.pb-c.h"
#include "common/io/app.h"
#include "common/io/clock.h"
#include "common/io/ids.h"
#include "tests/unit/io/servers.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PARTS = 4 };

/* ---- the service -------------------------------------------------------------------------------- */

enum { PUT, OUTCOME };
enum { WORK_TIMER = 1, WORK_CALL = 2 };

struct thing {
    uint8_t id[16];
    int32_t puts, timers, calls;
    struct cf_str seen;
    struct cf_str command_ids;
};

static const struct cf_column columns[] = {
    {"id", CF_COL_ID, offsetof(struct thing, id)},
    {"puts", CF_COL_INT4, offsetof(struct thing, puts)},
    {"timers", CF_COL_INT4, offsetof(struct thing, timers)},
    {"calls", CF_COL_INT4, offsetof(struct thing, calls)},
    {"seen", CF_COL_TEXT, offsetof(struct thing, seen)},
    {"command_ids", CF_COL_BYTES, offsetof(struct thing, command_ids)},
};
static const struct cf_kind kinds[] = {
    {"thing", sizeof(struct thing), columns, sizeof columns / sizeof *columns}};
static const char thing_ddl[] =
    "create table thing (part smallint, key bytea, id uuid, puts int, timers int, calls int,"
    " seen text, command_ids bytea, primary key (part, key))";

static int decode_put(struct cf_decode *d, const struct cf_record *rec)
{
    struct cf_msg *m = &d->msgs[d->n++];
    *m = (struct cf_msg){.type = PUT, .is_command = true, .sent_at = rec->ce_time};
    if (!cf_uuid_parse(rec->ce_id, m->id)) return CF_E_MISSING_HEADERS;
    return cf_key_bytes(rec->key.ptr, rec->key.len, &m->key) ? 0 : CF_E_DECODE;
}

static int decode_outcomes(struct cf_decode *d, const struct cf_record *rec)
{
    const Cardflow__V1__PhotoInternal *in =
        cf_unpack(d->arena, &cardflow__v1__photo_internal__descriptor, rec->value);
    if (!in || in->body_case != CARDFLOW__V1__PHOTO_INTERNAL__BODY_WORK) return CF_E_DECODE;
    for (size_t i = 0; i < in->work->n_items && d->n < d->max; i++) {
        const Cardflow__V1__WorkOutcome__Item *item = in->work->items[i];
        struct cf_msg *m = &d->msgs[d->n++];
        *m = (struct cf_msg){.type = OUTCOME, .is_outcome = true, .attempt = item->attempt,
                             .body = item};
        memcpy(m->work_id, item->work_id.data, 16);
        if (!cf_key_bytes(item->key.data, item->key.len, &m->key)) return CF_E_DECODE;
    }
    return 0;
}

static int decode(struct cf_decode *d, const struct cf_record *rec)
{
    if (cf_str_is(rec->ce_type, "thing.put")) return decode_put(d, rec);
    return decode_outcomes(d, rec);
}

static void arm(struct cf_step *s, uint32_t n, uint16_t kind, cf_ms in)
{
    struct cf_work w = {.kind = kind, .part = s->part, .key = s->msg->key, .due = s->now + in,
                        .args = CF_STR("please")};
    cf_work_id(s, n, w.id);
    cf_work_put(s, &w);
}

static int decide(struct cf_step *s, void *aggregate, bool exists, bool *changed)
{
    struct thing *t = aggregate;
    (void)exists;
    *changed = true;
    if (s->msg->type == PUT) {
        if (cf_ids_known(t->command_ids, s->msg->id)) return *changed = false, 0;
        cf_ids_add(s, &t->command_ids, s->msg->id, s->now);
        memcpy(t->id, s->msg->id, 16);
        t->puts++;
        arm(s, 0, WORK_TIMER, 30);
        arm(s, 1, WORK_CALL, 0);
        return 0;
    }
    const Cardflow__V1__WorkOutcome__Item *item = s->msg->body;
    if (item->kind == WORK_TIMER) t->timers++;
    if (item->kind == WORK_CALL) t->calls++, t->seen = cf_bytes(item->payload);
    cf_work_drop(s, s->msg->work_id);
    return 0;
}

static int service_new(struct cf_app *app, struct cf_service *out)
{
    static const char *const puts_of_interest[] = {"thing.put", NULL};
    static const char *const outcomes[] = {"work.outcome", NULL};
    static const struct cf_topic_in in[] = {{"photo.commands", true, puts_of_interest},
                                            {"photo-fetch.internal", false, outcomes},
                                            {0}};
    static const char *const to[] = {"photo-fetch.internal", NULL};
    *out = (struct cf_service){.name = "photo-fetch", .in = in, .out = to, .kinds = kinds,
                               .n_kinds = 1, .env = app, .decode = decode, .decide = decide};
    return app->calendar->n && app->ring ? 0 : CF_E_CONFIG;
}

/* The partner answers what it was asked, at once. */
static void call(void *own, struct cf_work_call *c)
{
    (void)own;
    cf_work_done(c, 0, CF_WORK_DONE, NULL, cf_work_item(c, 0)->args);
}

struct asking {
    struct cf_app *app;
    struct cf_request *req;
    uint8_t id[16];
    bool replayed;
};

static void answer(struct asking *a, int status, const char *text)
{
    if (a->replayed) cf_answer_header(a->req, "Idempotency-Replayed", CF_STR("true"));
    cf_answer(a->req, status, "text/plain", cf_str_of(text));
    free(a);
}

static void waited(void *arg, const PGresult *res, int row)
{
    char text[64];
    struct cf_str seen = res ? cf_pgf_get(res, row, 1) : CF_STR("");
    snprintf(text, sizeof text, "seen: %.*s", (int)seen.len, seen.ptr ? seen.ptr : "");
    answer(arg, res ? 200 : 202, res ? text : "later");
}

static void sent(void *arg, int e)
{
    struct asking *a = arg;
    cf_ms wait = cf_request_wait_ms(a->req, CF_WAIT_MAX_MS);
    int part = (int)cf_key_partition(&(struct cf_key){.len = 3, .b = "key"}, PARTS);
    if (e) {
        cf_problem_away(a->req, "kafka");
        free(a);
    } else if (wait) {
        cf_wait_for(a->app->waits, (int16_t)part, a->id, wait, waited, a);
    } else {
        answer(a, 202, "taken");
    }
}

static void claimed(void *arg, int e, const struct cf_claim *claim)
{
    struct asking *a = arg;
    if (e || claim->result == CF_CLAIM_CONFLICT) {
        if (e)
            cf_problem_away(a->req, "postgres");
        else
            cf_problem(a->req, 422, "request_id_conflict", "another body", NULL, 0);
        free(a);
        return;
    }
    a->replayed = claim->result == CF_CLAIM_SAME;
    memcpy(a->id, claim->id, 16);
    struct cf_front_message m = {.topic = "photo.commands", .key = CF_STR("key"), .part = -1,
                                 .ce_type = "thing.put", .ce_source = "photo-fetch/front",
                                 .ce_time = claim->at};
    memcpy(m.ce_id, claim->id, 16);
    if (cf_front_send(a->app->producer, &m, sent, a) != 0) sent(a, CF_E_NET);
}

static void post_thing(struct cf_request *req, void *arg)
{
    uint8_t id[16];
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    cf_uuid8_of(id, cf_str_of(req->client->name), key);
    struct asking *a = cf_calloc(1, sizeof *a);
    *a = (struct asking){.app = arg, .req = req};
    cf_requests_claim(a->app->requests, req->client->name, key, req->body, id, claimed, a);
}

static int front(struct cf_app *app)
{
    static const struct cf_route route = {"POST", "/v1/things", "things", .body_max = 1000,
                                          .answer_ms = 12000};
    cf_http_route(app->http, &route, post_thing, app);
    return 0;
}

struct settings {
#define CONF CF_CONF_FIELD
#include "common/io/conf_common.def"
#undef CONF
};

static int service_main(int argc, char **argv)
{
    static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct settings, __VA_ARGS__)
#include "common/io/conf_common.def"
#undef CONF
    };
    static const struct cf_conf_table table = {"tiny", "a service of the test", rows,
                                               sizeof rows / sizeof *rows,
                                               sizeof(struct settings)};
    static const struct cf_worker workers[] = {
        {.kind = WORK_TIMER, .timer = true, .name = "timer"},
        {.kind = WORK_CALL, .max_calls = 4, .run = call, .name = "call"}};
    static const struct cf_pgf_statement wait = {
        .name = "thing_wait",
        .sql = "select id, seen from thing join unnest($1::smallint[], $2::uuid[]) v(part, id)"
               " using (part, id) where timers >= puts and calls >= puts"};
    struct settings settings;
    const struct cf_app_spec spec = {.service = "photo-fetch", .conf = &table,
                                     .settings = &settings, .wait = &wait, .workers = workers,
                                     .n_workers = 2, .service_new = service_new, .front = front};
    return cf_app_run(&spec, argc, argv);
}

/* ---- running it --------------------------------------------------------------------------------- */

static struct server pg;
static rd_kafka_t *host;
static rd_kafka_mock_cluster_t *cluster;
static const char *self;
static char dir[] = "/tmp/cf-app-XXXXXX";
static pid_t child;
static char http_url[100], operator_url[100];

static void write_file(const char *name, const char *text)
{
    char path[100];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void set(const char *name, const char *format, const char *value)
{
    char text[300];
    _Static_assert(sizeof dir < 100, "paths fit");
    snprintf(text, sizeof text, "%s%s", format, value);
    setenv(name, text, 1);
}

static int start_world(void **state)
{
    static const char hex[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char keyring[200], path[200], sql[20000] = {0}, why[200];
    (void)state;
    assert_non_null(mkdtemp(dir));
    write_file("reference", hex);
    snprintf(keyring, sizeof keyring, "{\"active\": 1, \"keys\": {\"1\": \"%s\"}}", hex);
    write_file("sealing", keyring);
    write_file("api_keys", "[{\"name\": \"bank\", \"key\": \"secret-key-of-the-bank\","
                           " \"scopes\": [\"things\"]}]");
    server_postgres_start(&pg);
    static const char *const files[] = {"000_stage.sql", "010_request.sql", "020_redrive.sql"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/../../common/io/stage/db/%s", TEST_DATA, files[i]);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        sql[fread(sql, 1, sizeof sql - 1, file)] = 0;
        fclose(file);
        server_sql(&pg, sql);
    }
    server_sql(&pg, thing_ddl);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "2", why, sizeof why);
    host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    cluster = rd_kafka_mock_cluster_new(host, 1);
    rd_kafka_mock_topic_create(cluster, "cardflow.photo.commands.v1", PARTS, 1);
    rd_kafka_mock_topic_create(cluster, "cardflow.photo-fetch.internal.v1", PARTS, 1);
    rd_kafka_mock_topic_create(cluster, "cardflow.photo.commands.dlq.v1", PARTS, 1);
    set("CARDFLOW_KAFKA_BROKERS", "", rd_kafka_mock_cluster_bootstraps(cluster));
    set("CARDFLOW_POSTGRES_DSN", "", pg.url);
    set("CARDFLOW_PARTITIONS", "", "4");
    set("CARDFLOW_REFERENCE_KEY_FILE", dir, "/reference");
    set("CARDFLOW_SEALING_KEY_FILE", dir, "/sealing");
    set("CARDFLOW_API_KEYS_FILE", dir, "/api_keys");
    set("CARDFLOW_CALENDAR_FILE", TEST_DATA, "/calendar.csv");
    set("CARDFLOW_POLICIES_FILE", TEST_DATA, "/policies.csv");
    set("CARDFLOW_READY_FILE", dir, "/ready");
    return 0;
}

static int stop_world(void **state)
{
    (void)state;
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    server_stop(&pg);
    return nftw(dir, server_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static int spawn(const char *option)
{
    char log[100];
    pid_t parent = getpid();
    child = fork();
    if (child) return child > 0 ? 0 : -1;
    snprintf(log, sizeof log, "%s/log", dir);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    execl(self, self, "service", option, (char *)NULL);
    _exit(127);
}

static int end_code(cf_ms ms)
{
    int status = -1;
    for (cf_ms until = cf_mono_ms() + ms; cf_mono_ms() < until; server_sleep_ms(5))
        if (waitpid(child, &status, WNOHANG) == child) {
            child = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        }
    return -1;
}

static void show_log(void)
{
    char command[200];
    snprintf(command, sizeof command, "tail -n 20 %s/log >&2", dir);
    if (system(command) != 0) return;
}

/* Sends one request on a connection of its own; the answer with its head, or an empty text. */
static char *ask(const char *url, const char *request)
{
    static char text[300000];
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    size_t n = 0;
    a.sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {15, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
        send(fd, request, strlen(request), MSG_NOSIGNAL) > 0)
        for (ssize_t got; (got = recv(fd, text + n, sizeof text - 1 - n, 0)) > 0;)
            n += (size_t)got;
    close(fd);
    text[n] = 0;
    return text;
}

static int status_of(const char *answer_text)
{
    return strncmp(answer_text, "HTTP/1.1 ", 9) == 0 ? atoi(answer_text + 9) : 0;
}

static char *get(const char *path)
{
    char request[200];
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    return ask(operator_url, request);
}

static char *post(const char *key, const char *body, const char *header)
{
    char request[600];
    snprintf(request, sizeof request,
             "POST /v1/things HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             "Authorization: Bearer secret-key-of-the-bank\r\nIdempotency-Key: %s\r\n%s"
             "Content-Length: %zu\r\n\r\n%s",
             key, header, strlen(body), body);
    return ask(http_url, request);
}

static void read_ready_file(void)
{
    char path[100], text[400] = {0};
    snprintf(path, sizeof path, "%s/ready", dir);
    FILE *file = NULL;
    for (int i = 0; i < 500 && !(file = fopen(path, "r")); i++)
        server_sleep_ms(10);
    if (!file) show_log();
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    unlink(path);
    json_error_t wrong;
    json_t *root = json_loads(text, 0, &wrong);
    assert_non_null(root);
    snprintf(http_url, sizeof http_url, "%s", json_string_value(json_object_get(root, "http")));
    snprintf(operator_url, sizeof operator_url, "%s",
             json_string_value(json_object_get(root, "operator")));
    assert_int_equal(json_integer_value(json_object_get(root, "pid")), child);
    json_decref(root);
}

static void wait_for_ready(int status, cf_ms ms)
{
    const char *got = "";
    for (cf_ms until = cf_mono_ms() + ms; cf_mono_ms() < until; server_sleep_ms(10)) {
        got = get("/readyz");
        if (status_of(got) == status) return;
        int ended = end_code(1);
        if (ended >= 0) show_log();
        if (ended >= 0) fail_msg("the service has ended with %d", ended);
    }
    show_log();
    fail_msg("not %d after %d ms: %s", status, (int)ms, got);
}

static int start_service(void **state)
{
    (void)state;
    assert_int_equal(spawn(NULL), 0);
    read_ready_file();
    wait_for_ready(200, 15000);
    return 0;
}

static int kill_service(void **state)
{
    (void)state;
    if (child > 0) {
        kill(child, SIGKILL);
        end_code(5000);
    }
    server_sql(&pg, "delete from member"); /* or the next waits until this one counts as dead */
    return 0;
}

/* ---- tests -------------------------------------------------------------------------------------- */

static void help_ends_with_0_and_wrong_settings_with_2(void **state)
{
    (void)state;
    assert_int_equal(spawn("--help"), 0);
    assert_int_equal(end_code(5000), 0);
    assert_int_equal(spawn("--partitions=5"), 0);
    assert_int_equal(end_code(5000), 2);
    assert_int_equal(spawn("--calendar-file=/does/not/exist"), 0);
    assert_int_equal(end_code(5000), 2);
    assert_int_equal(spawn("--policies-file=" TEST_DATA "/calendar.csv"), 0);
    assert_int_equal(end_code(5000), 2);
}

static void a_request_goes_all_the_way_and_is_done_once(void **state)
{
    (void)state;
    const char *got = post("k-1", "body", "Prefer: wait=10\r\n");
    if (status_of(got) != 200) show_log();
    assert_int_equal(status_of(got), 200);
    assert_non_null(strstr(got, "seen: please"));
    assert_null(strstr(got, "Idempotency-Replayed"));
    got = post("k-1", "body", "Prefer: wait=10\r\n");
    assert_int_equal(status_of(got), 200);
    assert_non_null(strstr(got, "Idempotency-Replayed: true"));
    assert_int_equal(status_of(post("k-1", "other", "")), 422);
    assert_int_equal(server_sql(&pg, "select puts * 100 + timers * 10 + calls from thing"), 111);
    assert_int_equal(server_sql(&pg, "select count(*) from work"), 0);
    got = get("/metrics");
    assert_int_equal(status_of(got), 200);
    assert_non_null(strstr(got, "cardflow_stage_shards 4\n"));
    assert_non_null(strstr(got, "cardflow_work_results_total{kind=\"call\",result=\"done\"} 1\n"));
}

static void sigterm_gives_everything_up_and_ends_with_0(void **state)
{
    (void)state;
    assert_int_equal(server_sql(&pg, "select count(*) from member"), 1);
    kill(child, SIGTERM);
    int code = end_code(10000);
    if (code) show_log();
    assert_int_equal(code, 0);
    assert_int_equal(server_sql(&pg, "select count(*) from shard where owner is not null"), 0);
    assert_int_equal(server_sql(&pg, "select count(*) from member"), 0);
}

static void it_says_why_it_is_not_ready_and_recovers(void **state)
{
    (void)state;
    server_kill(&pg);
    wait_for_ready(503, 5000);
    assert_non_null(strstr(get("/readyz"), "postgres_away"));
    assert_int_equal(status_of(post("k-2", "body", "")), 503);
    assert_int_equal(status_of(get("/livez")), 200);
    server_postgres_again(&pg);
    wait_for_ready(200, 20000);
    assert_int_equal(status_of(post("k-2", "body", "Prefer: wait=10\r\n")), 200);
    rd_kafka_mock_broker_set_down(cluster, 1);
    assert_int_equal(status_of(post("k-3", "body", "")), 503); /* after 5 s */
    wait_for_ready(503, 5000);
    assert_non_null(strstr(get("/readyz"), "kafka_away"));
    rd_kafka_mock_broker_set_up(cluster, 1);
    wait_for_ready(200, 20000);
    /* The mock cluster hands out no more records after such a break, so nobody waits here. */
    const char *got = post("k-3", "body", "");
    assert_int_equal(status_of(got), 202);
    assert_non_null(strstr(got, "Idempotency-Replayed: true"));
}

static void work_left_by_a_killed_process_is_done_by_the_next(void **state)
{
    (void)state;
    kill_service(NULL);
    server_sql(&pg, "insert into thing (part, key, id, puts, timers, calls) select part, 'left',"
                    " gen_random_uuid(), 1, 0, 1 from shard where part = 2");
    server_sql(&pg, "insert into work (part, id, kind, key, due, attempt, args)"
                    " values (2, gen_random_uuid(), 1, 'left', 5, 0, null)");
    start_service(NULL);
    for (int i = 0; i < 500 && server_sql(&pg, "select count(*) from work"); i++)
        server_sleep_ms(10);
    assert_int_equal(server_sql(&pg, "select timers from thing where part = 2"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_service, kill_service)

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "service") == 0) {
        argv[1] = argv[0];
        return service_main(argc - 1, argv + 1);
    }
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_ends_with_0_and_wrong_settings_with_2),
        TEST(a_request_goes_all_the_way_and_is_done_once),
        TEST(sigterm_gives_everything_up_and_ends_with_0),
        TEST(work_left_by_a_killed_process_is_done_by_the_next),
        TEST(it_says_why_it_is_not_ready_and_recovers),
    };
    return cmocka_run_group_tests_name("app", tests, start_world, stop_world);
}
