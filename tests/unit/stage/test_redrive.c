/* Redriving and dropping what is parked: in order, exactly once, under the ids of the first time,
 * wherever a process is killed and whoever owns the shard. */
#include "tests/unit/stage/world.h"

#include "cardflow/v1/stage.pb-c.h"

/* The places of a drop: offset, index, offset, index... */
static void command(const char *service, const char *type, const char *topic, const char *key,
                    const int64_t *places, size_t n)
{
    Cardflow__V1__StageCommand c = CARDFLOW__V1__STAGE_COMMAND__INIT;
    Cardflow__V1__ParkedPlace place[8], *drop[8];
    char bytes[512], full[64], id[37];
    uint8_t raw[16];
    c.topic = (char *)(uintptr_t)topic;
    c.key = (ProtobufCBinaryData){strlen(key), (uint8_t *)(uintptr_t)key};
    for (size_t i = 0; i < n; i++) {
        cardflow__v1__parked_place__init(&place[i]);
        place[i].log_offset = places[2 * i];
        place[i].index = (int32_t)places[2 * i + 1];
        drop[i] = &place[i];
    }
    c.drop = drop;
    c.n_drop = n;
    size_t len = cardflow__v1__stage_command__pack(&c, (uint8_t *)bytes);
    cf_uuid4(raw);
    cf_uuid_text(raw, id);
    snprintf(full, sizeof full, "cardflow.%s.internal.v1", service);
    int32_t part = (int32_t)cf_partition_of(key, strlen(key), PARTS);
    rd_kafka_resp_err_t err = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(full), RD_KAFKA_V_PARTITION(part),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY((void *)(uintptr_t)key, strlen(key)),
        RD_KAFKA_V_VALUE(bytes, len), RD_KAFKA_V_HEADER("ce_id", id, 36),
        RD_KAFKA_V_HEADER("ce_type", type, (ssize_t)strlen(type)), RD_KAFKA_V_END);
    if (err) servers_die("produce", rd_kafka_err2name(err));
    rd_kafka_flush(producer, 10000);
}

static void redrive(const char *key)
{
    command("watch", "stage.redrive", "toy.events", key, NULL, 0);
}

/* Commands sent since the beginning that the service has done with. */
static bool done(const char *service, long long commands)
{
    char query[128];
    snprintf(query, sizeof query,
             "select sum(last_offset + 1) from %s.cursor where topic = '%s.internal'", service,
             service);
    return wait_for(query, commands, 20);
}

static int next_no;

/* The next record of toy's stream for this key; one key a test, so that numbers are one stream. */
static void event(const char *key, const char *value)
{
    char no[16];
    next_no++;
    snprintf(no, sizeof no, "%d", next_no);
    numbered(key, value, no, (uint8_t)next_no);
}

static int fresh(void **state)
{
    next_no = 0;
    return begin(state);
}

static struct running *start_watch(void)
{
    return start(&watch_service, dsn[1]);
}

static struct running *start_last(void)
{
    return start(&last_service, dsn[2]);
}

static bool note_is(const char *want)
{
    char query[300];
    snprintf(query, sizeof query, "select count(*) from last.account where note = '%s'", want);
    return wait_for(query, 1, 10);
}

static long long with_id(int64_t offset, uint32_t index)
{
    uint8_t id[16];
    char text[37], query[200];
    cf_event_id(id, CF_STR("watch/toy.events"), (int32_t)cf_partition_of("key-1", 5, PARTS), offset,
                index << 16);
    cf_uuid_text(id, text);
    snprintf(query, sizeof query, "select n from last.receipt where id = '%s'", text);
    return ask(query);
}

static void a_parked_key_is_applied_in_order_once_it_is_cured(void **state)
{
    (void)state;
    struct running *watch = start_watch(), *last = start_last();
    event("key-1", "1");
    event("key-1", "555");
    assert_true(wait_for("select count(*) from watch.parked", 1, 10));
    event("key-1", "2"); /* parked as they come, before they are decoded */
    event("key-1", "3");
    assert_true(wait_for("select count(*) from watch.parked where index = -1", 2, 10));
    /* Without a cure all of it waits again, since when it waited. */
    sql("update watch.parked set at = '2026-01-01'");
    redrive("key-1");
    assert_true(done("watch", 1));
    assert_int_equal(ask("select count(*) from watch.parked where at = '2026-01-01'"), 3);
    event("key-1", "4");
    assert_true(wait_for("select count(*) from watch.parked", 4, 10));
    stop(watch);
    setenv("TOY_CURED", "1", 1);
    watch = start_watch();
    redrive("key-1");
    redrive("key-1"); /* the same again does nothing */
    assert_true(done("watch", 3));
    assert_int_equal(ask("select count(*) from watch.parked"), 0);
    event("key-1", "5");
    assert_true(note_is("1,555,2,3,4,5,"));
    /* The ids of the first time: those of the records themselves. */
    assert_int_equal(with_id(0, 0), 1);
    assert_int_equal(with_id(1, 0), 555);
    assert_int_equal(with_id(4, 0), 4);
    assert_int_equal(with_id(5, 0), 5);
    assert_int_equal(ask("select count(*) from last.receipt"), 6);
    stop(watch);
    stop(last);
    assert_int_equal(ask("select sum(count) from watch.account"), 6);
}

static void what_parks_again_holds_up_only_what_is_behind_it(void **state)
{
    (void)state;
    setenv("TOY_CURED", "1", 1);
    struct running *watch = start_watch(), *last = start_last();
    event("key-1", "556");
    event("key-1", "2");
    event("key-1", "556");
    event("key-1", "3");
    assert_true(wait_for("select count(*) from watch.parked", 4, 10));
    const int64_t first[] = {0, 0};
    command("watch", "stage.drop", "toy.events", "key-1", first, 1);
    redrive("key-1");
    assert_true(done("watch", 2));
    assert_true(note_is("2,"));
    assert_int_equal(ask("select count(*) from watch.parked"), 2);
    assert_int_equal(ask("select count(*) from watch.parked where log_offset = 2 and "
                         "reason = 'event not allowed in state'"), 1);
    assert_int_equal(ask("select count(*) from watch.parked where log_offset = 3 and "
                         "reason like 'behind%'"), 1);
    stop(watch);
    stop(last);
}

static void what_is_dropped_is_kept_aside_and_frees_its_key(void **state)
{
    (void)state;
    struct running *watch = start_watch(), *last = start_last();
    event("key-1", "555");
    event("key-1", "2");
    assert_true(wait_for("select count(*) from watch.parked", 2, 10));
    const int64_t places[] = {0, 0};
    command("watch", "stage.drop", "toy.events", "key-1", places, 1);
    command("watch", "stage.drop", "toy.events", "key-1", places, 1);
    assert_true(done("watch", 2));
    assert_int_equal(ask("select count(*) from watch.parked"), 1);
    assert_int_equal(ask("select count(*) from watch.dropped where log_offset = 0"), 1);
    event("key-1", "3"); /* the rest waits as before */
    assert_true(wait_for("select count(*) from watch.parked", 2, 10));
    const int64_t rest[] = {1, -1, 2, -1};
    command("watch", "stage.drop", "toy.events", "key-1", rest, 2);
    assert_true(done("watch", 3));
    assert_int_equal(ask("select count(*) from watch.parked"), 0);
    event("key-1", "4"); /* nothing is in its way any more */
    assert_true(note_is("4,"));
    stop(watch);
    stop(last);
}

static void of_a_record_of_many_messages_none_is_decided_twice(void **state)
{
    (void)state;
    struct running *watch = start_watch(), *last = start_last();
    event("key-1", "1+555+2");
    event("key-1", "3+4");
    assert_true(wait_for("select count(*) from watch.parked", 3, 10));
    assert_int_equal(ask("select index from watch.parked where log_offset = 1"), -1);
    assert_true(note_is("1,"));
    stop(watch);
    setenv("TOY_CURED", "1", 1);
    watch = start_watch();
    redrive("key-1");
    assert_true(note_is("1,555,2,3,4,"));
    assert_int_equal(ask("select count(*) from watch.parked"), 0);
    assert_int_equal(with_id(0, 1), 555);
    assert_int_equal(with_id(1, 1), 4);
    stop(watch);
    stop(last);
}

static void a_value_that_cannot_be_stored_stays_with_what_is_behind_it(void **state)
{
    (void)state;
    struct running *watch = start_watch(), *last = start_last();
    event("key-1", "555");
    event("key-1", "2");
    event("key-1", "554");
    event("key-1", "3");
    assert_true(wait_for("select count(*) from watch.parked", 4, 10));
    stop(watch);
    setenv("TOY_CURED", "1", 1);
    watch = start_watch();
    redrive("key-1");
    assert_true(done("watch", 1));
    assert_true(note_is("555,2,"));
    assert_int_equal(ask("select count(*) from watch.parked where reason like 'behind%' and "
                         "log_offset = 3"), 1);
    assert_int_equal(ask("select count(*) from watch.parked where log_offset = 2 and "
                         "reason = 'value cannot be stored'"), 1);
    event("key-1", "4");
    assert_true(wait_for("select count(*) from watch.parked", 3, 10));
    stop(watch);
    stop(last);
}

static void more_than_one_command_can_take_goes_by_several(void **state)
{
    (void)state;
    struct running *watch = start_watch(), *last = start_last();
    event("key-1", "555");
    for (int i = 0; i < 1100; i++)
        event("key-1", "1");
    assert_true(wait_for("select count(*) from watch.parked", 1101, 20));
    stop(watch);
    setenv("TOY_CURED", "1", 1);
    watch = start_watch();
    redrive("key-1");
    assert_true(done("watch", 1));
    assert_int_equal(ask("select count(*) from watch.parked"), 601);
    event("key-1", "1"); /* still behind the rest */
    assert_true(wait_for("select count(*) from watch.parked", 602, 10));
    redrive("key-1");
    redrive("key-1");
    assert_true(done("watch", 3));
    assert_int_equal(ask("select count(*) from watch.parked"), 0);
    assert_true(wait_for("select sum(count) from last.account", 1102, 20));
    stop(watch);
    stop(last);
}

static void records_of_an_open_topic_are_redriven_too(void **state)
{
    uint8_t id[16] = {11};
    (void)state;
    struct running *toy = start(&toy_service, dsn[0]);
    produce("toy.commands", "key-1", "666", id, "toy.add"); /* parked alone */
    id[1]++;
    produce("toy.commands", "key-1", "7", id, "toy.add");
    rd_kafka_flush(producer, 10000);
    assert_true(wait_for("select sum from toy.account", 7, 10));
    stop(toy);
    setenv("TOY_CURED", "1", 1);
    toy = start(&toy_service, dsn[0]);
    command("toy", "stage.redrive", "toy.commands", "key-1", NULL, 0);
    assert_true(done("toy", 1));
    assert_int_equal(ask("select sum from toy.account"), 673);
    /* The command itself again is known by its id, which came through all of it. */
    id[1]--;
    produce("toy.commands", "key-1", "666", id, "toy.add");
    id[1] = 9;
    produce("toy.commands", "key-1", "1", id, "toy.add");
    rd_kafka_flush(producer, 10000);
    assert_true(wait_for("select sum from toy.account", 674, 10));
    stop(toy);
}

static void commands_that_make_no_sense_change_nothing(void **state)
{
    (void)state;
    struct running *watch = start_watch();
    event("key-1", "555");
    assert_true(wait_for("select count(*) from watch.parked", 1, 10));
    command("watch", "stage.redrive", "no.such", "key-1", NULL, 0);
    produce("watch.internal", "key-1", "\xff\xff", (uint8_t[16]){1}, "stage.drop");
    command("watch", "stage.drop", "toy.events", "key-1", NULL, 0);
    command("watch", "stage.redrive", "toy.events", "", NULL, 0);
    rd_kafka_flush(producer, 10000);
    assert_true(done("watch", 4));
    assert_int_equal(ask("select count(*) from watch.parked"), 1);
    event("key-1", "2");
    assert_true(wait_for("select count(*) from watch.parked", 2, 10));
    stop(watch);
}

static const struct {
    const char *why, *failpoints;
} crashes[] = {
    {"before anything is decided", "before_decide=kill@1"},
    {"in the transaction, before its commit", "before_commit=kill@1"},
    {"after the commit, before a message is sent", "after_commit=kill@1"},
    {"before the first message of the batch", "before_publish=kill@1"},
    {"in the middle of the batch's messages", "mid_publish=kill@2"},
};

/* Parks 555, 2, 3 more and ends the owner, in order, so that the next batch is the redrive. */
static void park_three(long long parked)
{
    struct running *watch = start_watch();
    event("key-1", "555");
    event("key-1", "2");
    event("key-1", "3");
    assert_true(wait_for("select count(*) from watch.parked", parked, 10));
    stop(watch);
}

static void a_redrive_killed_anywhere_loses_and_doubles_nothing(void **state)
{
    long long n = 0;
    (void)state;
    struct running *last = start_last();
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        int status;
        print_message("killed %s\n", crashes[i].why);
        unsetenv("TOY_CURED");
        park_three(3);
        n += 3;
        redrive("key-1");
        setenv("TOY_CURED", "1", 1);
        pid_t pid = spawn("watch", crashes[i].failpoints);
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        /* Whoever comes next reads the command again, or has done with it. */
        struct running *watch = start_watch();
        assert_true(done("watch", (long long)i + 1));
        assert_int_equal(ask("select count(*) from watch.parked"), 0);
        assert_true(wait_for("select sum(count) from last.account", n, 20));
        stop(watch);
        assert_int_equal(ask("select sum(count) from watch.account"), n);
        assert_int_equal(ask("select count(*) from last.receipt"), n);
    }
    stop(last);
    assert_true(note_is("555,2,3,555,2,3,555,2,3,555,2,3,555,2,3,"));
}

static void a_redrive_of_unknown_outcome_is_looked_up(void **state)
{
    static const char *const points[] = {"after_commit=unknown@1", "before_commit=unknown@1",
                                         "before_commit=db@1"};
    (void)state;
    struct running *last = start_last();
    for (long long i = 0; i < 3; i++) {
        unsetenv("TOY_CURED");
        park_three(3);
        redrive("key-1");
        setenv("TOY_CURED", "1", 1);
        pid_t pid = spawn("watch", points[i]);
        assert_true(done("watch", i + 1));
        assert_true(wait_for("select sum(count) from last.account", 4 * i + 3, 20));
        assert_int_equal(ask("select count(*) from watch.parked"), 0);
        event("key-1", "7"); /* the key is free in memory, too */
        assert_true(wait_for("select sum(count) from last.account", 4 * i + 4, 20));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    stop(last);
}

/* Shards change hands while keys are redriven. */
static void a_redrive_survives_a_change_of_owner(void **state)
{
    uint8_t id[16] = {12};
    char key[16];
    (void)state;
    struct running *toy = start(&toy_service, dsn[0]), *watch = start_watch(), *last = start_last();
    for (int i = 0; i < 120; i++) {
        snprintf(key, sizeof key, "key-%d", i / 3);
        memcpy(id + 4, &i, sizeof i);
        produce("toy.commands", key, i % 3 ? "1" : "555", id, "toy.add");
    }
    rd_kafka_flush(producer, 10000);
    assert_true(wait_for("select count(*) from watch.parked", 120, 20));
    stop(watch);
    setenv("TOY_CURED", "1", 1);
    watch = start_watch();
    struct running *second = NULL;
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        redrive(key);
        if (i % 10 == 3) {
            char steal[200];
            snprintf(steal, sizeof steal,
                     "update watch.shard set owner = gen_random_uuid(), epoch = epoch + 1 "
                     "where part = %d", i / 10);
            sql(steal);
        }
        if (i == 20) second = start_watch();
    }
    assert_true(wait_for("select count(*) from watch.parked", 0, 30));
    assert_true(done("watch", 40));
    assert_true(wait_for("select sum(count) from last.account", 120, 20));
    stop(toy);
    stop(watch);
    stop(second);
    stop(last);
    assert_int_equal(ask("select sum(count) from watch.account"), 120);
    assert_int_equal(ask("select count(*) from last.account where note = '555,1,1,'"), 40);
    assert_int_equal(ask("select count(*) from last.receipt"), 120);
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "--be")) return be_service(argv + 2);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, end)
        T(a_parked_key_is_applied_in_order_once_it_is_cured),
        T(what_parks_again_holds_up_only_what_is_behind_it),
        T(what_is_dropped_is_kept_aside_and_frees_its_key),
        T(of_a_record_of_many_messages_none_is_decided_twice),
        T(a_value_that_cannot_be_stored_stays_with_what_is_behind_it),
        T(more_than_one_command_can_take_goes_by_several),
        T(records_of_an_open_topic_are_redriven_too),
        T(commands_that_make_no_sense_change_nothing),
        T(a_redrive_killed_anywhere_loses_and_doubles_nothing),
        T(a_redrive_of_unknown_outcome_is_looked_up),
        T(a_redrive_survives_a_change_of_owner),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (pg) server_stop(pg);
    return failed;
}
