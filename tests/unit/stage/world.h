/* world -- what the tests of the stage stand on: PostgreSQL, a mock cluster, three stages in a row.
 *
 * toy reads toy.commands and sends toy.events; watch reads these and sends watch.events; last reads
 * those. Each can run in this process or in one of its own, which a failpoint ends.
 */
#pragma once
#include "common/io/ids.h"
#include "common/io/stage/batch.h"
#include "common/pure/hash.h"
#include "tests/unit/io/servers.h"
#include "tests/unit/stage/toy.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { PARTS = 4 };

static struct server server, *pg;
static rd_kafka_t *mock_owner, *producer;
static rd_kafka_mock_cluster_t *mock;
static int mock_brokers = 1;
static char brokers[256], dsn[3][320];

/* A server that is just coming up refuses for a moment. */
static inline PGconn *connected(void)
{
    PGconn *c = PQconnectdb(pg->url);
    for (int i = 0; i < 100 && PQstatus(c) != CONNECTION_OK; i++) {
        server_sleep_ms(50);
        PQreset(c);
    }
    if (PQstatus(c) != CONNECTION_OK) servers_die("connect", PQerrorMessage(c));
    return c;
}

static inline void sql(const char *text)
{
    PGconn *c = connected();
    PGresult *r = PQexec(c, text);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        servers_die("sql", PQerrorMessage(c));
    PQclear(r);
    PQfinish(c);
}

static inline long long ask(const char *text)
{
    PGconn *c = connected();
    PGresult *r = PQexec(c, text);
    if (PQresultStatus(r) != PGRES_TUPLES_OK) servers_die("sql", PQerrorMessage(c));
    long long v = PQntuples(r) && !PQgetisnull(r, 0, 0) ? atoll(PQgetvalue(r, 0, 0)) : -1;
    PQclear(r);
    PQfinish(c);
    return v;
}

static inline char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) servers_die("missing", path);
    char *text = cf_calloc(1, 65536);
    if (fread(text, 1, 65535, f) == 0) servers_die("empty", path);
    fclose(f);
    return text;
}

static inline void make_schema(const char *name)
{
    char text[70000];
    char *ddl = read_file(TEST_DATA "/../../common/io/stage/db/000_stage.sql");
    char *redrive = read_file(TEST_DATA "/../../common/io/stage/db/020_redrive.sql");
    snprintf(text, sizeof text,
             "set client_min_messages = warning; drop schema if exists %s cascade; create schema %s; set search_path = %s; %s; %s;"
             "create table account (part smallint, key bytea, sum bigint, count bigint, note text,"
             " ids bytea, primary key (part, key)) with (fillfactor = 50);"
             "create table receipt (part smallint, id uuid, n bigint, number bigint unique,"
             " primary key (part, id));",
             name, name, name, ddl, redrive);
    free(ddl);
    free(redrive);
    sql(text);
}

static inline void make_topics(void)
{
    static const char *const names[] = {"toy.commands", "toy.events", "toy.internal",
                                        "toy.commands.dlq", "watch.internal", "toy.events.dlq",
                                        "watch.events", "watch.internal.dlq", "toy.internal.dlq",
                                        "last.internal", "watch.events.dlq"};
    char full[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(full, sizeof full, "cardflow.%s.v1", names[i]);
        rd_kafka_mock_topic_create(mock, full, PARTS, 1);
    }
}

static inline int begin(void **state)
{
    char why[256];
    (void)state;
    if (!pg) {
        pg = &server;
        server_postgres_start(pg);
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    mock_owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    mock = rd_kafka_mock_cluster_new(mock_owner, mock_brokers);
    snprintf(brokers, sizeof brokers, "%s", rd_kafka_mock_cluster_bootstraps(mock));
    make_topics();
    conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    make_schema("toy");
    make_schema("watch");
    make_schema("last");
    snprintf(dsn[0], sizeof dsn[0], "%s options='-csearch_path=toy'", pg->url);
    snprintf(dsn[1], sizeof dsn[1], "%s options='-csearch_path=watch'", pg->url);
    snprintf(dsn[2], sizeof dsn[2], "%s options='-csearch_path=last'", pg->url);
    unsetenv("TOY_CURED");
    return 0;
}

static inline void produce(const char *topic, const char *key, const char *value,
                           const uint8_t id[16], const char *type)
{
    char text[37], full[128], now[30];
    cf_uuid_text(id, text);
    cf_rfc3339_text((cf_ms)time(NULL) * 1000, now);
    snprintf(full, sizeof full, "cardflow.%s.v1", topic);
    int32_t part = (int32_t)cf_partition_of(key, strlen(key), PARTS);
    rd_kafka_resp_err_t err = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(full), RD_KAFKA_V_PARTITION(part),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY((void *)(uintptr_t)key, strlen(key)),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
        RD_KAFKA_V_HEADER("ce_id", text, 36), RD_KAFKA_V_HEADER("ce_type", type, (ssize_t)strlen(type)),
        RD_KAFKA_V_HEADER("ce_time", now, -1), RD_KAFKA_V_END);
    if (err) servers_die("produce", rd_kafka_err2name(err));
}

static inline void send_some(int from, int to)
{
    char key[32];
    for (int i = from; i < to; i++) {
        uint8_t id[16] = {1};
        memcpy(id + 4, &i, sizeof i);
        snprintf(key, sizeof key, "key-%d", i % 101);
        produce("toy.commands", key, "1", id, "toy.add");
    }
}

static inline void send_many(int from, int to)
{
    send_some(from, to);
    rd_kafka_flush(producer, 10000);
}

/* The front's part: a heart-beat. */
struct running {
    struct cf_stage *stage;
    pthread_t beat;
    atomic_bool stop, silent;
    const char *dsn;
};

static struct running *all[8];

static inline void *beat(void *arg)
{
    struct running *r = arg;
    PGconn *c = PQconnectdb(r->dsn);
    char hex[37];
    cf_uuid_text(cf_stage_replica(r->stage), hex);
    const char *values[] = {hex, "1000"};
    while (!atomic_load(&r->stop)) {
        if (PQstatus(c) != CONNECTION_OK) PQreset(c);
        if (!atomic_load(&r->silent))
            PQclear(PQexecParams(c, cf_stage_beat_sql(), 2, NULL, values, NULL, NULL, 0));
        server_sleep_ms(100);
    }
    PQfinish(c);
    return NULL;
}

static inline struct running *start(const struct cf_service *service, const char *where)
{
    struct running *r = cf_calloc(1, sizeof *r);
    struct cf_stage_conf conf = {.brokers = brokers, .dsn = where, .partitions = PARTS,
                                 .batch_max = 500, .member_timeout_ms = 1000,
                                 .topic_prefix = "cardflow.", .topic_suffix = ".v1"};
    r->stage = cf_stage_new(service, &conf);
    r->dsn = where;
    assert_int_equal(cf_stage_start(r->stage), 0);
    pthread_create(&r->beat, NULL, beat, r);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!all[i]) {
            all[i] = r;
            break;
        }
    return r;
}

static inline void stop(struct running *r)
{
    cf_stage_stop(r->stage);
    assert_true(cf_stage_join(r->stage, 15000));
    atomic_store(&r->stop, true);
    pthread_join(r->beat, NULL);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] == r) all[i] = NULL;
    cf_stage_free(r->stage);
    free(r);
}

/* What a failed test has left running would take the shards of the next one. */
static inline int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]) stop(all[i]);
    rd_kafka_destroy(producer);
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(mock_owner);
    return 0;
}

static inline bool wait_for(const char *query, long long want, int seconds)
{
    for (int i = 0; i < seconds * 20; i++) {
        if (ask(query) == want) return true;
        server_sleep_ms(50);
    }
    print_message("%s = %lld, want %lld\n", query, ask(query), want);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct cf_stage_view v;
        if (!all[i]) continue;
        cf_stage_view(all[i]->stage, &v);
        print_message("stage %zu: owned %d, records %llu, fatal %d: %s\n", i, v.owned,
                      (unsigned long long)v.records, v.fatal, v.why);
    }
    return false;
}

/* A record of a stage's stream, as a stage would number it. */
static inline void numbered(const char *key, const char *value, const char *no, uint8_t id)
{
    uint8_t ids[16] = {7, id};
    char text[37], src[32];
    cf_uuid_text(ids, text);
    int32_t part = (int32_t)cf_partition_of(key, strlen(key), PARTS);
    snprintf(src, sizeof src, "toy/%d", part);
    rd_kafka_producev(producer, RD_KAFKA_V_TOPIC("cardflow.toy.events.v1"),
                      RD_KAFKA_V_PARTITION(part), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                      RD_KAFKA_V_KEY((void *)(uintptr_t)key, strlen(key)),
                      RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
                      RD_KAFKA_V_HEADER("ce_id", text, 36),
                      RD_KAFKA_V_HEADER("ce_type", "toy.added", -1),
                      RD_KAFKA_V_HEADER("cf_src", src, -1), RD_KAFKA_V_HEADER("cf_no", no, -1),
                      RD_KAFKA_V_END);
    rd_kafka_flush(producer, 10000);
}

static const struct cf_service *const services[] = {&toy_service, &watch_service, &last_service};

static inline size_t service_of(const char *name)
{
    size_t i = 0;
    while (strcmp(services[i]->name, name) != 0)
        i++;
    return i;
}

/* Another process of a service, which a failpoint ends in the middle. */
static inline pid_t spawn(const char *service, const char *failpoints)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0) servers_die("readlink", strerror(errno));
    self[n] = 0;
    pid_t pid = fork();
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("CARDFLOW_FAILPOINTS", failpoints, 1);
    execl(self, self, "--be", service, brokers, dsn[service_of(service)], (char *)NULL);
    _exit(127);
}

/* The program called as --be SERVICE BROKERS DSN. */
static inline int be_service(char **argv)
{
    snprintf(brokers, sizeof brokers, "%s", argv[1]);
    struct running *r = start(services[service_of(argv[0])], argv[2]);
    struct cf_stage_view v = {0};
    while (!v.fatal) {
        server_sleep_ms(20);
        cf_stage_view(r->stage, &v);
    }
    return 1;
}

