/* The stage on a real PostgreSQL and librdkafka's mock cluster: what is committed is published,
 * once; owners that lost their shard cannot commit; the journal makes good what the log missed. */
#include "tests/unit/stage/world.h"

enum { BROKER = 1, SLOW_MS = 400, SOME = 50 };

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
        pid_t pid = spawn("toy", crashes[i].failpoints);
        for (int k = 0; k < 100 && waitpid(pid, &status, WNOHANG) == 0; k++) {
            send_many(sent, sent + 30);
            sent += 30;
            server_sleep_ms(100);
        }
        assert_true(WIFSIGNALED(status));
        /* The next one is killed where it would make good what is missing; the third does. */
        pid = spawn("toy", "before_republish=kill@1");
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

static void an_outcome_of_work_parks_alone(void **state)
{
    (void)state;
    uint8_t id[16] = {9};
    struct running *watch = start(&watch_service, dsn[1]);
    produce("watch.internal", "work:1", "555", id, CF_WORK_OUTCOME); /* found illegal */
    id[1]++;
    produce("watch.internal", "work:1", "7", id, CF_WORK_OUTCOME);
    rd_kafka_flush(producer, 10000);
    assert_true(wait_for("select sum from watch.account", 7, 10));
    assert_int_equal(ask("select count(*) from watch.parked"), 1);
    stop(watch);
}

static void a_commit_of_unknown_outcome_is_looked_up(void **state)
{
    (void)state;
    struct running *watch = start(&watch_service, dsn[1]);
    pid_t pid = spawn("toy", "after_commit=unknown@2,before_commit=unknown@5,before_decide=db@7");
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
    pid_t pid = spawn("toy", "before_commit=db@2");
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

/* A store that went back to an older copy, with the epoch as it was: a commit that only saves
 * acknowledgements has no position that could tell, and would write numbers of lost messages. */
static void acknowledgements_are_not_saved_into_a_store_that_went_back(void **state)
{
    (void)state;
    struct cf_taken taken[1];
    struct cf_store *store = store_with_a_shard(taken);
    int64_t no[PARTS] = {0};
    struct cf_commit_shard shard = {taken[0].part, taken[0].epoch, 5, 1, 0};
    struct cf_commit_cursor cursor = {taken[0].part, 0, -1, 0, 7, no};
    struct cf_commit_journal row = {taken[0].part, 1, CF_STR("x")};
    struct cf_commit c = {.shards = &shard, .n_shards = 1, .cursors = &cursor, .n_cursors = 1,
                          .journal = &row, .n_journal = 1};
    assert_int_equal(store->commit(store->self, &c), 0);
    c = (struct cf_commit){.shards = &shard, .n_shards = 1};
    shard.acked_seq = 1;
    assert_int_equal(store->commit(store->self, &c), 0);
    static const char *const older[] = {"update toy.shard set journal_seq = 0, acked_seq = 0",
                                        "update toy.shard set journal_seq = 1, last_now = 4"};
    for (size_t i = 0; i < sizeof older / sizeof *older; i++) {
        sql(older[i]);
        assert_int_equal(store->commit(store->self, &c), CF_E_FENCED);
        assert_int_equal(ask("select max(acked_seq) from toy.shard"), 0);
    }
    sql("update toy.shard set last_now = 5");
    assert_int_equal(store->commit(store->self, &c), 0);
    assert_int_equal(ask("select max(acked_seq) from toy.shard"), 1);
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

/* As test_log_kafka.c shows, the first message to a partition goes alone. What the first batch has for
 * one partition waits behind it while answers are slow: a stop or an outage falls into that. */
static struct running *committed_and_not_sent(void)
{
    for (int i = 0; i < SOME; i++) {
        const uint8_t id[16] = {6, (uint8_t)i};
        produce("toy.commands", "key-1", "1", id, "toy.add");
    }
    rd_kafka_flush(producer, 10000);
    rd_kafka_mock_broker_set_rtt(mock, BROKER, SLOW_MS);
    struct running *toy = start(&toy_service, dsn[0]);
    assert_true(wait_for("select sum(count) from toy.account", SOME, 20));
    return toy;
}

static void a_stop_sends_what_is_committed_though_acknowledgements_are_slow(void **state)
{
    (void)state;
    stop(committed_and_not_sent());
    assert_int_equal(ask("select count(*) from toy.shard where acked_seq <> journal_seq"), 0);
    rd_kafka_mock_broker_set_rtt(mock, BROKER, 0);
    struct running *watch = start(&watch_service, dsn[1]);
    assert_true(wait_for("select sum(count) from watch.account",
                         ask("select sum(count) from toy.account"), 20));
    stop(watch);
}

static void a_stop_does_not_wait_for_a_log_that_is_away(void **state)
{
    (void)state;
    struct running *toy = committed_and_not_sent();
    rd_kafka_mock_broker_set_down(mock, BROKER);
    stop(toy);
    rd_kafka_mock_broker_set_up(mock, BROKER);
    rd_kafka_mock_broker_set_rtt(mock, BROKER, 0);
    /* What could not be sent is in the journal. */
    toy = start(&toy_service, dsn[0]);
    struct running *watch = start(&watch_service, dsn[1]);
    assert_true(wait_for("select sum(count) from watch.account", SOME, 30));
    stop(toy);
    stop(watch);
}

static const struct {
    const char *why, *sqlstate;
} refusals[] = {
    {"read-only, as after a failover to a replica", "25006"},
    {"no room on the disk", "53100"},
    {"too many connections", "53300"},
    {"an error of the system", "58030"},
};

/* It is the database that cannot, not the record that is wrong: nothing is parked, nobody ends. */
static void a_database_that_cannot_write_is_waited_for(void **state)
{
    (void)state;
    struct running *toy = start(&toy_service, dsn[0]);
    assert_true(wait_for("select count(owner) from toy.shard", PARTS, 10));
    for (int i = 0; i < (int)(sizeof refusals / sizeof *refusals); i++) {
        char text[400];
        struct cf_stage_view v;
        print_message("%s\n", refusals[i].why);
        snprintf(text, sizeof text,
                 "create or replace function toy.refuse() returns trigger language plpgsql as "
                 "$$begin raise exception 'refused' using errcode = '%s'; end$$;"
                 "create trigger refuse before insert or update on toy.account for each statement "
                 "execute function toy.refuse()", refusals[i].sqlstate);
        sql(text);
        cf_stage_view(toy->stage, &v);
        unsigned long long before = v.retries;
        send_many(i * 100, i * 100 + 100);
        for (int k = 0; k < 200 && v.retries < before + 2; k++) {
            server_sleep_ms(50);
            cf_stage_view(toy->stage, &v);
        }
        assert_true(v.retries >= before + 2);
        assert_int_equal(v.fatal, 0);
        assert_false(v.postgres_up);
        sql("drop trigger refuse on toy.account");
        assert_true(wait_for("select sum(count) from toy.account", i * 100 + 100, 20));
    }
    assert_int_equal(ask("select count(*) from toy.parked"), 0);
    stop(toy);
}

/* Kafka takes it once, but perhaps not again with the headers of a dead letter. */
static void a_record_too_long_for_a_dead_letter_is_parked(void **state)
{
    uint8_t id[16] = {4};
    (void)state;
    struct running *toy = start(&toy_service, dsn[0]);
    char *value = cf_calloc(1, (600 << 10) + 1);
    memset(value, '1', 600 << 10);
    produce("toy.commands", "key-1", value, id, "toy.add");
    id[1]++;
    value[100 << 10] = 0; /* this one may be sent on */
    produce("toy.commands", "key-1", value, id, "toy.add");
    id[1]++;
    produce("toy.commands", "key-1", "7", id, "toy.add");
    rd_kafka_flush(producer, 10000);
    free(value);
    assert_true(wait_for("select sum from toy.account", 7, 10));
    assert_int_equal(ask("select count(*) from toy.parked where log_offset = 0"), 1);
    assert_int_equal(ask("select count(*) from toy.parked"), 1);
    stop(toy);
    assert_int_equal(ask("select count(*) from toy.output where topic = 'toy.commands.dlq' and "
                         "get_byte(last_no, 8 * part + 7) = 1"), 1);
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "--be")) return be_service(argv + 2);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
        T(every_command_is_applied_and_reported_once),
        T(a_restart_goes_on_where_it_was),
        T(bad_records_go_to_the_dead_letters_and_the_rest_goes_on),
        T(a_message_behind_a_parked_one_of_its_key_waits),
        T(a_number_seen_before_is_dropped_and_a_missing_one_stops_the_shard),
        T(a_process_killed_anywhere_loses_and_doubles_nothing),
        T(an_outcome_of_work_parks_alone),
        T(a_commit_of_unknown_outcome_is_looked_up),
        T(a_refused_record_is_parked_even_when_that_fails_at_first),
        T(an_owner_that_loses_one_shard_goes_on_with_the_others),
        T(a_commit_made_twice_is_fenced_by_its_offsets),
        T(acknowledgements_are_not_saved_into_a_store_that_went_back),
        T(a_row_that_has_moved_is_loaded_again),
        T(a_record_too_long_for_a_dead_letter_is_parked),
        T(a_database_that_cannot_write_is_waited_for),
        T(a_stop_sends_what_is_committed_though_acknowledgements_are_slow),
        T(a_stop_does_not_wait_for_a_log_that_is_away),
        T(postgres_killed_in_the_middle_loses_and_doubles_nothing),
        T(a_silent_owner_is_followed_and_cannot_commit_any_more),
        T(two_owners_share_and_a_third_leaves_in_order),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (pg) server_stop(pg);
    return failed;
}
