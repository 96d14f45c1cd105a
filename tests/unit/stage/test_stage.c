/* The stage on a real PostgreSQL and librdkafka's mock cluster: what is committed is published,
 * once; owners that lost their shard cannot commit; the journal makes good what the log missed. */
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
static char brokers[256], dsn[2][320];

/* A server that is just coming up refuses for a moment. */
static PGconn *connected(void)
{
    PGconn *c = PQconnectdb(pg->url);
    for (int i = 0; i < 100 && PQstatus(c) != CONNECTION_OK; i++) {
        server_sleep_ms(50);
        PQreset(c);
    }
    if (PQstatus(c) != CONNECTION_OK) servers_die("connect", PQerrorMessage(c));
    return c;
}

static void sql(const char *text)
{
    PGconn *c = connected();
    PGresult *r = PQexec(c, text);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        servers_die("sql", PQerrorMessage(c));
    PQclear(r);
    PQfinish(c);
}

static long long ask(const char *text)
{
    PGconn *c = connected();
    PGresult *r = PQexec(c, text);
    if (PQresultStatus(r) != PGRES_TUPLES_OK) servers_die("sql", PQerrorMessage(c));
    long long v = PQntuples(r) && !PQgetisnull(r, 0, 0) ? atoll(PQgetvalue(r, 0, 0)) : -1;
    PQclear(r);
    PQfinish(c);
    return v;
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) servers_die("missing", path);
    char *text = cf_calloc(1, 65536);
    if (fread(text, 1, 65535, f) == 0) servers_die("empty", path);
    fclose(f);
    return text;
}

static void make_schema(const char *name)
{
    char text[70000];
    char *ddl = read_file(TEST_DATA "/../../common/io/stage/db/000_stage.sql");
    snprintf(text, sizeof text,
             "set client_min_messages = warning; drop schema if exists %s cascade; create schema %s; set search_path = %s; %s;"
             "create table account (part smallint, key bytea, sum bigint, count bigint, note text,"
             " ids bytea, primary key (part, key)) with (fillfactor = 50);"
             "create table receipt (part smallint, id uuid, n bigint, number bigint unique,"
             " primary key (part, id));",
             name, name, name, ddl);
    free(ddl);
    sql(text);
}

static void make_topics(void)
{
    static const char *const names[] = {"toy.commands", "toy.events", "toy.internal",
                                        "toy.commands.dlq", "watch.internal", "toy.events.dlq"};
    char full[128];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(full, sizeof full, "cardflow.%s.v1", names[i]);
        rd_kafka_mock_topic_create(mock, full, PARTS, 1);
    }
}

static int begin(void **state)
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
    mock = rd_kafka_mock_cluster_new(mock_owner, 1);
    snprintf(brokers, sizeof brokers, "%s", rd_kafka_mock_cluster_bootstraps(mock));
    make_topics();
    conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    make_schema("toy");
    make_schema("watch");
    snprintf(dsn[0], sizeof dsn[0], "%s options='-csearch_path=toy'", pg->url);
    snprintf(dsn[1], sizeof dsn[1], "%s options='-csearch_path=watch'", pg->url);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rd_kafka_destroy(producer);
    rd_kafka_mock_cluster_destroy(mock);
    rd_kafka_destroy(mock_owner);
    return 0;
}

static void produce(const char *topic, const char *key, const char *value, const uint8_t id[16],
                    const char *type)
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

static void send_some(int from, int to)
{
    char key[32];
    for (int i = from; i < to; i++) {
        uint8_t id[16] = {1};
        memcpy(id + 4, &i, sizeof i);
        snprintf(key, sizeof key, "key-%d", i % 101);
        produce("toy.commands", key, "1", id, "toy.add");
    }
}

static void send_many(int from, int to)
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

static void *beat(void *arg)
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

static struct running *start(const struct cf_service *service, const char *where)
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

static void stop(struct running *r)
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

static bool wait_for(const char *query, long long want, int seconds)
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

static void every_command_is_applied_and_reported_once(void **state)
{
    (void)state;
    struct running *toy = start(&toy_service, dsn[0]), *watch = start(&watch_service, dsn[1]);
    send_many(0, 3000);
    send_many(0, 100); /* the same commands again */
    assert_true(wait_for("select sum(count) from toy.account", 3000, 20));
    assert_true(wait_for("select sum(count) from watch.account", 3000, 20));
    assert_int_equal(ask("select count(distinct number) from toy.receipt"), 3000);
    stop(toy);
    stop(watch);
    assert_int_equal(ask("select sum(count) from toy.account"), 3000);
    assert_int_equal(ask("select sum(count) from watch.account"), 3000);
    assert_int_equal(ask("select count(*) from toy.shard where owner is not null"), 0);
    assert_int_equal(ask("select count(*) from toy.shard where acked_seq <> journal_seq"), 0);
}

static void a_restart_goes_on_where_it_was(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct running *toy = start(&toy_service, dsn[0]);
        send_many(i * 500, i * 500 + 500);
        assert_true(wait_for("select sum(count) from toy.account", (i + 1) * 500, 20));
        stop(toy);
    }
    struct running *watch = start(&watch_service, dsn[1]);
    assert_true(wait_for("select sum(count) from watch.account", 1500, 20));
    stop(watch);
}

static void bad_records_go_to_the_dead_letters_and_the_rest_goes_on(void **state)
{
    uint8_t id[16] = {2};
    (void)state;
    struct running *toy = start(&toy_service, dsn[0]);
    produce("toy.commands", "key-1", "0", id, "toy.add");
    id[1]++;
    produce("toy.commands", "key-1", "5", id, "toy.nonsense");
    id[1]++;
    produce("toy.commands", "key-1", "666", id, "toy.add"); /* contradicts: parked alone */
    id[1]++;
    produce("toy.commands", "key-1", "888", id, "toy.add"); /* refused by PostgreSQL */
    id[1]++;
    produce("toy.commands", "key-1", "7", id, "toy.add");
    rd_kafka_flush(producer, 10000);
    assert_true(wait_for("select sum from toy.account", 7, 10));
    assert_int_equal(ask("select count(*) from toy.parked"), 2);
    assert_int_equal(ask("select count(*) from toy.receipt"), 1);
    stop(toy);
    /* Two dead letters, numbered like any message. */
    assert_int_equal(ask("select count(*) from toy.output where topic = 'toy.commands.dlq' and "
                         "get_byte(last_no, 8 * part + 7) = 2"), 1);
}

static void a_message_behind_a_parked_one_of_its_key_waits(void **state)
{
    uint8_t id[16] = {3};
    (void)state;
    struct running *toy = start(&toy_service, dsn[0]), *watch = start(&watch_service, dsn[1]);
    produce("toy.commands", "key-1", "555", id, "toy.add"); /* the reader finds it illegal */
    id[1]++;
    produce("toy.commands", "key-1", "1", id, "toy.add");
    id[1]++;
    produce("toy.commands", "key-2", "1", id, "toy.add");
    rd_kafka_flush(producer, 10000);
    assert_true(wait_for("select count(*) from watch.parked", 2, 10));
    assert_true(wait_for("select sum(count) from watch.account", 1, 10));
    stop(watch);
    watch = start(&watch_service, dsn[1]);
    id[1]++;
    produce("toy.commands", "key-1", "1", id, "toy.add");
    rd_kafka_flush(producer, 10000);
    assert_true(wait_for("select count(*) from watch.parked", 3, 10)); /* after a restart too */
    stop(toy);
    stop(watch);
}

static void postgres_killed_in_the_middle_loses_and_doubles_nothing(void **state)
{
    (void)state;
    struct running *toy = start(&toy_service, dsn[0]), *watch = start(&watch_service, dsn[1]);
    for (int i = 0; i < 4; i++) {
        send_many(i * 1000, i * 1000 + 1000);
        server_kill(pg);
        server_sleep_ms(200);
        server_postgres_again(pg);
    }
    assert_true(wait_for("select sum(count) from toy.account", 4000, 40));
    assert_true(wait_for("select sum(count) from watch.account", 4000, 40));
    stop(toy);
    stop(watch);
}

static void a_silent_owner_is_followed_and_cannot_commit_any_more(void **state)
{
    (void)state;
    struct running *first = start(&toy_service, dsn[0]), *watch = start(&watch_service, dsn[1]);
    send_many(0, 500);
    assert_true(wait_for("select sum(count) from toy.account", 500, 20));
    /* Its beat ends, as when it is frozen; its stage goes on and must be fenced. */
    atomic_store(&first->silent, true);
    struct running *second = start(&toy_service, dsn[0]);
    assert_true(wait_for("select count(distinct owner) from toy.shard", 1, 10));
    assert_true(wait_for("select min(epoch) from toy.shard", 2, 10));
    send_many(500, 1500);
    assert_true(wait_for("select sum(count) from toy.account", 1500, 20));
    struct cf_stage_view v;
    for (int i = 0; i < 100; i++) {
        cf_stage_view(first->stage, &v);
        if (v.owned == 0) break;
        server_sleep_ms(50);
    }
    assert_int_equal(v.owned, 0);
    assert_true(v.fenced > 0);
    assert_true(wait_for("select sum(count) from watch.account", 1500, 20));
    stop(second);
    stop(first);
    stop(watch);
}

static void two_owners_share_and_a_third_leaves_in_order(void **state)
{
    (void)state;
    struct running *a = start(&toy_service, dsn[0]), *b = start(&toy_service, dsn[0]);
    assert_true(wait_for("select count(distinct owner) from toy.shard", 2, 10));
    send_many(0, 1000);
    struct running *c = start(&toy_service, dsn[0]), *watch = start(&watch_service, dsn[1]);
    send_many(1000, 2000);
    assert_true(wait_for("select count(distinct owner) from toy.shard", 3, 10));
    stop(b);
    send_many(2000, 3000);
    assert_true(wait_for("select sum(count) from toy.account", 3000, 20));
    assert_true(wait_for("select sum(count) from watch.account", 3000, 20));
    stop(a);
    stop(c);
    stop(watch);
}

/* A record of a stage's stream, as a stage would number it. */
static void numbered(const char *key, const char *value, const char *no, uint8_t id)
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

static void a_number_seen_before_is_dropped_and_a_missing_one_stops_the_shard(void **state)
{
    (void)state;
    struct running *watch = start(&watch_service, dsn[1]);
    numbered("key-1", "1", "1", 1);
    numbered("key-1", "1", "2", 2);
    numbered("key-1", "1", "1", 1); /* published again after a crash */
    numbered("key-1", "1", "2", 2);
    numbered("key-1", "1", "3", 3);
    assert_true(wait_for("select count from watch.account", 3, 10));
    numbered("key-1", "1", "5", 5); /* 4 never came */
    numbered("key-1", "1", "6", 6);
    struct cf_stage_view v = {0};
    for (int i = 0; i < 100 && v.stopped == 0; i++) {
        server_sleep_ms(50);
        cf_stage_view(watch->stage, &v);
    }
    assert_int_equal(v.stopped, 1);
    assert_int_equal(ask("select count from watch.account"), 3);
    stop(watch);
    assert_int_equal(ask("select max(last_offset) from watch.cursor"), 4);
}

/* Another process of the same service, which a failpoint ends in the middle. */
static pid_t spawn_toy(const char *failpoints)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0) servers_die("readlink", strerror(errno));
    self[n] = 0;
    pid_t pid = fork();
    if (pid) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("CARDFLOW_FAILPOINTS", failpoints, 1);
    execl(self, self, "--toy", brokers, dsn[0], (char *)NULL);
    _exit(127);
}

static int be_toy(char **argv)
{
    snprintf(brokers, sizeof brokers, "%s", argv[0]);
    struct running *r = start(&toy_service, argv[1]);
    struct cf_stage_view v = {0};
    while (!v.fatal) {
        server_sleep_ms(20);
        cf_stage_view(r->stage, &v);
    }
    return 1;
}

static const struct {
    const char *why, *failpoints;
} crashes[] = {
    {"before anything is decided", "before_decide=kill@3"},
    {"in the transaction, before its commit", "before_commit=kill@3"},
    {"after the commit, before a message is sent", "after_commit=kill@3"},
    {"before the first message of a batch", "before_publish=kill@3"},
    {"in the middle of a batch's messages", "mid_publish=kill@150"},
};

static void a_process_killed_anywhere_loses_and_doubles_nothing(void **state)
{
    (void)state;
    struct running *watch = start(&watch_service, dsn[1]);
    int sent = 0;
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        int status;
        print_message("killed %s\n", crashes[i].why);
        pid_t pid = spawn_toy(crashes[i].failpoints);
        for (int k = 0; k < 100 && waitpid(pid, &status, WNOHANG) == 0; k++) {
            send_many(sent, sent + 30);
            sent += 30;
            server_sleep_ms(100);
        }
        assert_true(WIFSIGNALED(status));
        /* The next one is killed where it would make good what is missing; the third does. */
        pid = spawn_toy("before_republish=kill@1");
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        struct running *toy = start(&toy_service, dsn[0]);
        assert_true(wait_for("select sum(count) from toy.account", sent, 30));
        assert_true(wait_for("select sum(count) from watch.account", sent, 30));
        stop(toy);
    }
    stop(watch);
    assert_int_equal(ask("select sum(count) from watch.account"), sent);
}

static void a_commit_of_unknown_outcome_is_looked_up(void **state)
{
    (void)state;
    struct running *watch = start(&watch_service, dsn[1]);
    pid_t pid = spawn_toy("after_commit=unknown@2,before_commit=unknown@5,before_decide=db@7");
    for (int i = 0; i < 20; i++) {
        send_many(i * 50, i * 50 + 50);
        server_sleep_ms(50);
    }
    assert_true(wait_for("select sum(count) from toy.account", 1000, 20));
    assert_true(wait_for("select sum(count) from watch.account", 1000, 20));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    stop(watch);
}

/* PostgreSQL refuses a record, and is away just when it is to be parked. */
static void a_refused_record_is_parked_even_when_that_fails_at_first(void **state)
{
    uint8_t id[16] = {5};
    (void)state;
    pid_t pid = spawn_toy("before_commit=db@2");
    produce("toy.commands", "key-1", "888", id, "toy.add");
    rd_kafka_flush(producer, 10000);
    assert_true(wait_for("select count(*) from toy.parked", 1, 20));
    id[1]++;
    produce("toy.commands", "key-2", "1", id, "toy.add");
    rd_kafka_flush(producer, 10000);
    assert_true(wait_for("select sum(count) from toy.account", 1, 20));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* One of four shards goes to somebody else in the middle: the rest of each batch goes on. */
static void an_owner_that_loses_one_shard_goes_on_with_the_others(void **state)
{
    (void)state;
    struct running *toy = start(&toy_service, dsn[0]), *watch = start(&watch_service, dsn[1]);
    assert_true(wait_for("select count(owner) from toy.shard", PARTS, 10));
    for (int i = 0; i < 6; i++) {
        char steal[200];
        snprintf(steal, sizeof steal,
                 "update toy.shard set owner = gen_random_uuid(), epoch = epoch + 1 where part = %d",
                 i % PARTS);
        send_some(i * 1000, i * 1000 + 1000); /* under way while the shard is taken */
        sql(steal);
        rd_kafka_flush(producer, 10000);
        server_sleep_ms(1200); /* nobody lives who has it: it is taken back */
    }
    assert_true(wait_for("select sum(count) from toy.account", 6000, 30));
    assert_true(wait_for("select sum(count) from watch.account", 6000, 30));
    struct cf_stage_view v;
    cf_stage_view(toy->stage, &v);
    assert_true(v.fenced > 0);
    stop(toy);
    stop(watch);
    assert_int_equal(ask("select sum(count) from toy.account"), 6000);
}

/* A store of toy with one shard of its own, whose positions a stage has made before. */
static struct cf_store *store_with_a_shard(struct cf_taken *taken)
{
    struct running *r = start(&toy_service, dsn[0]);
    assert_true(wait_for("select count(owner) from toy.shard", PARTS, 10));
    stop(r);
    uint8_t replica[16] = {9};
    struct cf_stage_conf conf = {.dsn = dsn[0], .partitions = PARTS, .member_timeout_ms = 1000};
    struct cf_store *store = cf_store_pg(&toy_service, &conf, replica);
    struct cf_taken got[PARTS];
    size_t n;
    assert_int_equal(store->open(store->self), 0);
    assert_int_equal(store->take(store->self, NULL, 0, 1, got, &n), 0);
    assert_int_equal(n, 1);
    *taken = got[0];
    return store;
}

/* The same commit twice: the second must not go through, whoever asks. */
static void a_commit_made_twice_is_fenced_by_its_offsets(void **state)
{
    (void)state;
    struct cf_taken taken[1];
    struct cf_store *store = store_with_a_shard(taken);
    int64_t no[PARTS] = {0};
    struct cf_commit_shard shard = {taken[0].part, taken[0].epoch, 5, 0, 0};
    struct cf_commit_cursor cursor = {taken[0].part, 0, -1, 0, 7, no};
    struct cf_commit c = {.shards = &shard, .n_shards = 1, .cursors = &cursor, .n_cursors = 1};
    assert_int_equal(store->commit(store->self, &c), 0);
    assert_int_equal(store->commit(store->self, &c), CF_E_FENCED);
    cursor.old_offset = 0;
    cursor.new_offset = 1;
    shard.epoch--;
    assert_int_equal(store->commit(store->self, &c), CF_E_FENCED);
    shard.epoch++;
    assert_int_equal(store->commit(store->self, &c), 0);
    bool committed = false;
    assert_int_equal(store->verdict(store->self, &c, &committed), 0);
    assert_true(committed);
    cursor.new_offset = 2;
    assert_int_equal(store->verdict(store->self, &c, &committed), 0);
    assert_false(committed);
    /* Another owner has moved the position: that says nothing of this commit. */
    sql("update toy.shard set epoch = epoch + 1, owner = gen_random_uuid();"
        "update toy.cursor set last_offset = 9");
    assert_int_equal(store->verdict(store->self, &c, &committed), 0);
    assert_false(committed);
    store->free(store->self);
}

/* Rows are written at the place they were loaded from: what is not there any more is not guessed. */
static void a_row_that_has_moved_is_loaded_again(void **state)
{
    (void)state;
    struct cf_taken taken[1];
    struct cf_store *store = store_with_a_shard(taken);
    struct cf_arena *arena = cf_arena_new(1 << 20);
    struct toy_account account = {0};
    int64_t no[PARTS] = {0};
    struct cf_load_row row = {.part = taken[0].part, .row = &account};
    assert_true(cf_key_bytes("moving", 6, &row.key));
    struct cf_load load = {.rows = &row, .n_rows = 1};
    const struct cf_load_row *rows[] = {&row};
    struct cf_commit_shard shard = {taken[0].part, taken[0].epoch, 5, 0, 0};
    struct cf_commit_cursor cursor = {taken[0].part, 0, -1, 0, 7, no};
    struct cf_commit c = {.shards = &shard, .n_shards = 1, .cursors = &cursor, .n_cursors = 1,
                          .rows = rows, .n_rows = 1};
    assert_int_equal(store->load(store->self, arena, &load), 0);
    assert_int_equal(row.place.there, CF_THERE_NOT);
    account.sum = 1;
    assert_int_equal(store->commit(store->self, &c), 0);
    assert_int_equal(store->load(store->self, arena, &load), 0);
    assert_int_equal(row.place.there, CF_THERE_YES);
    assert_int_equal(account.sum, 1);
    sql("update toy.account set note = 'moved'");
    account.sum = 2;
    cursor.old_offset = 0;
    cursor.new_offset = 1;
    assert_int_equal(store->commit(store->self, &c), CF_E_DB);
    assert_int_equal(ask("select sum from toy.account"), 1);
    assert_int_equal(ask("select max(last_offset) from toy.cursor"), 0);
    assert_int_equal(store->load(store->self, arena, &load), 0);
    account.sum = 2;
    assert_int_equal(store->commit(store->self, &c), 0);
    assert_int_equal(ask("select sum from toy.account where note = 'moved'"), 2);
    /* A row thought new that is there is nobody's to overwrite. */
    row.place.there = CF_THERE_NOT;
    cursor.old_offset = 1;
    cursor.new_offset = 2;
    assert_int_equal(store->commit(store->self, &c), CF_E_DATA);
    store->free(store->self);
    cf_arena_free(arena);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "--toy")) return be_toy(argv + 2);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
        T(every_command_is_applied_and_reported_once),
        T(a_restart_goes_on_where_it_was),
        T(bad_records_go_to_the_dead_letters_and_the_rest_goes_on),
        T(a_message_behind_a_parked_one_of_its_key_waits),
        T(a_number_seen_before_is_dropped_and_a_missing_one_stops_the_shard),
        T(a_process_killed_anywhere_loses_and_doubles_nothing),
        T(a_commit_of_unknown_outcome_is_looked_up),
        T(a_refused_record_is_parked_even_when_that_fails_at_first),
        T(an_owner_that_loses_one_shard_goes_on_with_the_others),
        T(a_commit_made_twice_is_fenced_by_its_offsets),
        T(a_row_that_has_moved_is_loaded_again),
        T(postgres_killed_in_the_middle_loses_and_doubles_nothing),
        T(a_silent_owner_is_followed_and_cannot_commit_any_more),
        T(two_owners_share_and_a_third_leaves_in_order),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (pg) server_stop(pg);
    return failed;
}
