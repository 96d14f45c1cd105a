/* Who holds which shard, when things go wrong in between: doors in memory. */
#include "tests/unit/stage/toy.h"
#include "tests/unit/stage_double.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

enum { PARTS = 4 };

static struct stage_double *d;
static struct cf_standing standing;
static int give_fails, streams_fail; /* with this error, once */
static int16_t given[PARTS], lost[PARTS];
static size_t n_given;

static int door_standing(void *self, struct cf_standing *out)
{
    (void)self;
    *out = standing;
    return 0;
}

static int door_give(void *self, const int16_t *parts, size_t n)
{
    int e = give_fails;
    (void)self;
    give_fails = 0;
    for (n_given = 0; n_given < n && !e; n_given++)
        given[n_given] = parts[n_given];
    return e;
}

static int door_take(void *self, const int16_t *held, size_t n_held, int want,
                     struct cf_taken *taken, size_t *n)
{
    (void)self;
    (void)held;
    for (*n = 0; *n < (size_t)want; ++*n)
        taken[*n] = (struct cf_taken){.part = (int16_t)(n_held + *n), .epoch = 2};
    return 0;
}

static int door_streams(void *self, int16_t part, struct cf_shard_streams *out,
                        cf_parked_seen *parked, void *arg)
{
    int e = streams_fail;
    (void)self;
    (void)part;
    (void)out;
    (void)parked;
    (void)arg;
    streams_fail = 0;
    return e;
}

static int door_still(void *self, struct cf_taken *shards, size_t n)
{
    (void)self;
    for (size_t i = 0; i < n; i++)
        if (lost[shards[i].part]) shards[i].part = -1;
    return 0;
}

static int door_verdict(void *self, const struct cf_commit *c, bool *committed)
{
    (void)self;
    (void)c;
    *committed = false;
    return 0;
}

static int door_assign(void *self, const struct cf_position *at, size_t n)
{
    (void)self;
    (void)at;
    (void)n;
    return 0;
}

static int32_t gap_at; /* the log lost records of this partition, -1: of none */

static int door_poll(void *self, struct cf_record *records, size_t max, int wait_ms, size_t *n)
{
    (void)self;
    (void)records;
    (void)max;
    (void)wait_ms;
    *n = 0;
    return gap_at < 0 ? 0 : CF_E_GAP;
}

static int32_t door_gap(void *self)
{
    int32_t at = gap_at;
    (void)self;
    gap_at = -1;
    return at;
}

static void door_done(void *self)
{
    (void)self;
}

static bool door_up(void *self)
{
    (void)self;
    return true;
}

static int64_t door_mirror(void *self, const struct cf_position *at, size_t n)
{
    (void)self;
    (void)at;
    (void)n;
    return 0;
}

static int begin(void **state)
{
    (void)state;
    d = double_new(&toy_service, PARTS);
    d->store.standing = door_standing;
    d->store.give = door_give;
    d->store.take = door_take;
    d->store.streams = door_streams;
    d->store.still = door_still;
    d->store.verdict = door_verdict;
    d->log.assign = door_assign;
    d->log.poll = door_poll;
    d->log.gap = door_gap;
    d->log.done = door_done;
    d->log.up = door_up;
    d->log.mirror = door_mirror;
    d->st->owned = PARTS;
    give_fails = streams_fail = 0;
    n_given = 0;
    gap_at = -1;
    memset(lost, 0, sizeof lost);
    standing = (struct cf_standing){.alive = 1, .steady = true};
    return 0;
}

static int end(void **state)
{
    (void)state;
    double_free(d);
    return 0;
}

static void a_failed_hand_over_leaves_the_shards_held(void **state)
{
    (void)state;
    standing.alive = 2;
    give_fails = CF_E_DB;
    assert_int_equal(shards_turn(d->st), CF_E_DB);
    assert_int_equal(d->st->owned, PARTS);
    assert_int_equal(shards_turn(d->st), 0);
    assert_int_equal(d->st->owned, 2);
    assert_int_equal(n_given, 2);
}

static void shards_that_were_taken_in_vain_are_given_up(void **state)
{
    (void)state;
    d->st->shards[2].owned = d->st->shards[3].owned = false;
    d->st->owned = 2;
    streams_fail = CF_E_DB;
    assert_int_equal(shards_turn(d->st), CF_E_DB);
    assert_int_equal(d->st->owned, 2);
    /* Another one has come: they are not ours to take again. */
    standing.alive = 2;
    assert_int_equal(shards_turn(d->st), 0);
    assert_int_equal(n_given, 2);
    assert_int_equal(given[0], 2);
    assert_int_equal(given[1], 3);
    n_given = 0;
    assert_int_equal(shards_turn(d->st), 0);
    assert_int_equal(n_given, 0); /* once is enough */
}

static void an_idle_owner_learns_that_it_was_replaced(void **state)
{
    (void)state;
    lost[0] = lost[1] = 1;
    standing.alive = 2;
    assert_int_equal(shards_turn(d->st), 0);
    assert_int_equal(d->st->owned, 2);
    assert_false(d->st->shards[0].owned);
    assert_true(d->st->assign_again || d->st->shards[2].owned);
}

static void a_commit_of_unknown_outcome_lets_go_of_its_shard(void **state)
{
    const uint8_t id[16] = {1};
    struct cf_key key;
    (void)state;
    assert_true(cf_key_bytes("key-1", 5, &key));
    uint32_t part = cf_key_partition(&key, PARTS);
    d->fail_commits = 1;
    d->fail_with = CF_E_UNKNOWN;
    assert_int_equal(double_feed(d, "toy.commands", "toy.add", &key, id, 1000, CF_STR("5")), 0);
    assert_false(d->st->shards[part].owned);
    assert_int_equal(d->st->owned, PARTS - 1);
    assert_null(double_row(d, 0, &key)); /* not tried again under the old epoch */
    assert_int_equal(d->n_sent, 0);
    assert_true(d->st->unsure);
}

static void a_shard_whose_records_are_lost_stops_alone(void **state)
{
    struct cf_position at[PARTS * 2];
    (void)state;
    gap_at = 2;
    stage_turn(d->st);
    assert_int_equal(atomic_load(&d->st->fatal), 0);
    assert_non_null(d->st->shards[2].stopped);
    for (int i = 0; i < PARTS; i++)
        if (i != 2) assert_null(d->st->shards[i].stopped);
    assert_int_equal(d->st->owned, PARTS);
    size_t n = shards_positions(d->st, at);
    assert_int_equal(n, (PARTS - 1) * d->st->n_in);
    for (size_t i = 0; i < n; i++)
        assert_int_not_equal(at[i].part, 2);
    stage_turn(d->st);
    struct cf_stage_view v;
    cf_stage_view(d->st, &v);
    assert_int_equal(v.stopped, 1);
}

/* A journal row of two messages is done with when both are in the log, in whatever order. */
static void a_row_is_acknowledged_when_all_its_messages_are(void **state)
{
    struct shard *h = &d->st->shards[1];
    struct cf_ack ack = {.part = 1, .topic = 1, .target = 3, .seq = 1, .no = 1, .offset = 0};
    (void)state;
    h->journal_seq = 2;
    publish_row(h, 1, 2);
    publish_row(h, 2, 1);
    d->acks[d->n_acks++] = ack;
    assert_int_equal(publish_acks(d->st, 0), 0);
    assert_int_equal(h->acked_seq, 0);
    ack.seq = 2;
    ack.no = 3;
    d->acks[d->n_acks++] = ack;
    assert_int_equal(publish_acks(d->st, 0), 0);
    assert_int_equal(h->acked_seq, 0); /* the row before it is not done with */
    ack.seq = 1;
    ack.no = 2;
    d->acks[d->n_acks++] = ack;
    assert_int_equal(publish_acks(d->st, 0), 0);
    assert_int_equal(h->acked_seq, 2);
}

int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failed_hand_over_leaves_the_shards_held, begin, end),
        cmocka_unit_test_setup_teardown(shards_that_were_taken_in_vain_are_given_up, begin, end),
        cmocka_unit_test_setup_teardown(an_idle_owner_learns_that_it_was_replaced, begin, end),
        cmocka_unit_test_setup_teardown(a_commit_of_unknown_outcome_lets_go_of_its_shard, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_shard_whose_records_are_lost_stops_alone, begin, end),
        cmocka_unit_test_setup_teardown(a_row_is_acknowledged_when_all_its_messages_are, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
