/* request, wait and the pool's page of work, against a PostgreSQL of the test's own. */
#include "common/io/clock.h"
#include "common/io/request.h"
#include "common/io/stage/pgbin.h"
#include "common/io/wait.h"
#include "common/io/work_pool.h"
#include "tests/unit/io/servers.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { S_WAIT = CF_REQUEST_STATEMENTS, S_WORK, STATEMENTS };

static struct server pg_server;
static struct cf_pgf_statement statements[STATEMENTS];
static struct cf_loop *loop;
static struct cf_pgf *pg;
static struct cf_seal_ring *ring;
static struct cf_requests *requests;
static struct cf_waits *waits;

static const char wait_sql[] =
    "select id, outcome from application a"
    " join unnest($1::smallint[], $2::uuid[]) v(part, id) using (part, id)"
    " where outcome is not null";

static void run_file(const char *path)
{
    char name[200], sql[20000] = {0};
    snprintf(name, sizeof name, "%s/../../common/io/stage/db/%s", TEST_DATA, path);
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    assert_true(fread(sql, 1, sizeof sql - 1, file) < sizeof sql - 1);
    fclose(file);
    server_sql(&pg_server, sql);
}

static int start_server(void **state)
{
    (void)state;
    server_postgres_start(&pg_server);
    run_file("000_stage.sql");
    run_file("010_request.sql");
    server_sql(&pg_server, "create table application (part smallint, id uuid, outcome text,"
                           " primary key (part, id))");
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    server_stop(&pg_server);
    return 0;
}

static void turns_until(const int *value, int want, cf_ms ms)
{
    for (cf_ms until = cf_mono_ms() + ms; *value < want && cf_mono_ms() < until;) {
        cf_loop_turn(loop, false);
        server_sleep_ms(1);
    }
}

static int make(void **state)
{
    static const uint8_t key[CF_SEAL_KEY_LEN] = {1, 2, 3};
    (void)state;
    server_sql(&pg_server, "truncate request, application, work");
    cf_request_statements(statements);
    statements[S_WAIT] = (struct cf_pgf_statement){.name = "wait", .sql = wait_sql};
    statements[S_WORK] = cf_work_statement();
    loop = cf_loop_new();
    ring = cf_seal_ring_new(key);
    pg = cf_pgf_new(cf_loop_base(loop), pg_server.url, statements, STATEMENTS);
    requests = cf_requests_new(loop, pg, 0, ring);
    waits = cf_waits_new(loop, pg, S_WAIT);
    for (cf_ms until = cf_mono_ms() + 10000; !cf_pgf_up(pg) && cf_mono_ms() < until;)
        cf_loop_turn(loop, true);
    assert_true(cf_pgf_up(pg));
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    cf_pgf_free(pg);
    cf_requests_free(requests);
    cf_waits_free(waits);
    cf_seal_ring_free(ring);
    cf_loop_free(loop);
    return 0;
}

/* ---- request ---------------------------------------------------------------------------------- */

struct got {
    int n, e;
    struct cf_claim claim;
};

static void claimed(void *arg, int e, const struct cf_claim *claim)
{
    struct got *g = arg;
    g->n++;
    g->e = e;
    if (claim) g->claim = *claim;
}

static struct got claim(const char *client, const char *key, const char *body, uint8_t id)
{
    struct got g = {0};
    const uint8_t bytes[16] = {id};
    cf_requests_claim(requests, client, cf_str_of(key), cf_str_of(body), bytes, claimed, &g);
    assert_int_equal(g.n, 0);
    turns_until(&g.n, 1, 5000);
    assert_int_equal(g.n, 1);
    return g;
}

static void the_same_request_is_known_and_another_body_is_a_conflict(void **state)
{
    (void)state;
    struct got first = claim("bank", "key-1", "body", 1);
    assert_int_equal(first.e, 0);
    assert_int_equal(first.claim.result, CF_CLAIM_NEW);
    struct got again = claim("bank", "key-1", "body", 2);
    assert_int_equal(again.claim.result, CF_CLAIM_SAME);
    assert_int_equal(again.claim.id[0], 1); /* the first id counts */
    assert_int_equal(again.claim.at, first.claim.at);
    assert_int_equal(claim("bank", "key-1", "other", 1).claim.result, CF_CLAIM_CONFLICT);
    assert_int_equal(claim("bank", "key-2", "body", 3).claim.result, CF_CLAIM_NEW);
    assert_int_equal(claim("unit", "key-1", "other", 4).claim.result, CF_CLAIM_NEW);
    assert_int_equal(server_sql(&pg_server, "select count(*) from request"), 3);
}

static void claims_of_one_turn_are_told_apart(void **state)
{
    enum { N = 1200 };
    static struct got all[N];
    int done = 0;
    (void)state;
    memset(all, 0, sizeof all);
    /* Each key comes three times: twice with the same body, once with another. */
    for (int i = 0; i < N; i++) {
        char key[20], body[20];
        const uint8_t id[16] = {1};
        snprintf(key, sizeof key, "k%d", i / 3);
        snprintf(body, sizeof body, "b%d", i % 3 == 2);
        cf_requests_claim(requests, "bank", cf_str_of(key), cf_str_of(body), id, claimed, &all[i]);
    }
    for (int i = 0; i < N; i++) {
        turns_until(&all[i].n, 1, 5000);
        done += all[i].n;
        assert_int_equal(all[i].e, 0);
    }
    assert_int_equal(done, N);
    for (int k = 0; k < N; k += 3) {
        int new = 0, conflicts = 0;
        for (int i = k; i < k + 3; i++) {
            new += all[i].claim.result == CF_CLAIM_NEW;
            conflicts += all[i].claim.result == CF_CLAIM_CONFLICT;
        }
        assert_int_equal(new, 1);
        assert_in_range(conflicts, 1, 2); /* two, when the odd body was the first */
    }
    assert_int_equal(server_sql(&pg_server, "select count(*) from request"), N / 3);
}

static void neither_key_nor_body_can_be_read_in_the_table(void **state)
{
    (void)state;
    claim("bank", "key-of-somebody", "11010519491231002X", 1);
    assert_int_equal(server_sql(&pg_server, "select count(*) from request where length(key_hash) ="
                                            " 16 and length(body_hash) = 32"),
                     1);
    assert_int_equal(
        server_sql(&pg_server, "select count(*) from request where request::text like"
                               " '%' || encode('11010519491231002X', 'hex') || '%'"),
        0);
}

static void without_a_database_a_claim_fails_and_works_again_later(void **state)
{
    (void)state;
    server_kill(&pg_server);
    struct got away = claim("bank", "key-9", "body", 1);
    assert_true(away.e == CF_E_DB || away.e == CF_E_UNKNOWN);
    assert_int_equal(claim("bank", "key-9", "body", 1).e, CF_E_DB);
    server_postgres_again(&pg_server);
    for (cf_ms until = cf_mono_ms() + 10000; !cf_pgf_up(pg) && cf_mono_ms() < until;)
        cf_loop_turn(loop, true);
    struct got back = claim("bank", "key-9", "body", 1);
    assert_int_equal(back.e, 0);
}

/* ---- wait ------------------------------------------------------------------------------------- */

struct waited {
    int n;
    bool there;
    char text[20];
    cf_ms at;
};

static void waited(void *arg, const PGresult *res, int row)
{
    struct waited *w = arg;
    w->n++;
    w->at = cf_mono_ms();
    w->there = res != NULL;
    if (res) snprintf(w->text, sizeof w->text, "%.*s", CF_ARG(cf_pgf_get(res, row, 1)));
}

static void who_waits_is_answered_when_the_outcome_is_there(void **state)
{
    static const uint8_t one[16] = {1}, two[16] = {2}, none[16] = {3};
    struct waited a = {0}, b = {0}, same = {0}, unknown = {0};
    (void)state;
    server_sql(&pg_server, "insert into application values"
                           " (3, '02000000-0000-0000-0000-000000000000', 'noticed'),"
                           " (3, '01000000-0000-0000-0000-000000000000', null)");
    cf_ms began = cf_mono_ms();
    cf_wait_for(waits, 3, one, 5000, waited, &a);
    cf_wait_for(waits, 3, two, 5000, waited, &b);
    cf_wait_for(waits, 3, one, 5000, waited, &same);
    cf_wait_for(waits, 4, none, 200, waited, &unknown);
    assert_int_equal(cf_waiting(waits), 4);
    turns_until(&b.n, 1, 2000);
    assert_true(b.there);
    assert_string_equal(b.text, "noticed");
    assert_int_equal(a.n, 0);
    turns_until(&unknown.n, 1, 2000);
    assert_in_range(unknown.at - began, 190, 400);
    server_sql(&pg_server, "update application set outcome = 'accepted' where outcome is null");
    turns_until(&a.n, 1, 2000);
    turns_until(&same.n, 1, 2000);
    assert_string_equal(a.text, "accepted");
    assert_string_equal(same.text, "accepted");
    assert_int_equal(b.n, 1);
    assert_int_equal(cf_waiting(waits), 0);
}

static void who_waits_too_long_is_told_so(void **state)
{
    static const uint8_t id[16] = {9};
    struct waited w = {0};
    (void)state;
    cf_ms began = cf_mono_ms();
    cf_wait_for(waits, 0, id, 100, waited, &w);
    turns_until(&w.n, 1, 2000);
    assert_int_equal(w.n, 1);
    assert_false(w.there);
    assert_in_range(w.at - began, 95, 300);
}

static void too_many_do_not_wait(void **state)
{
    enum { N = 4100 };
    static struct waited all[N];
    int early = 0, answered = 0;
    (void)state;
    memset(all, 0, sizeof all);
    cf_ms began = cf_mono_ms();
    for (int i = 0; i < N; i++) {
        const uint8_t id[16] = {(uint8_t)i, (uint8_t)(i >> 8)};
        cf_wait_for(waits, 0, id, 600, waited, &all[i]);
    }
    for (int i = 0; i < N; i++) {
        turns_until(&all[i].n, 1, 3000);
        answered += all[i].n;
        early += all[i].at - began < 500;
    }
    assert_int_equal(answered, N);
    assert_int_equal(early, N - 4096);
}

/* ---- a page of work ---------------------------------------------------------------------------- */

struct page {
    int n, rows, e;
    uint8_t ids[10][16];
    struct cf_work last;
};

static void loaded(void *arg, int e, const struct cf_work *rows, size_t n)
{
    struct page *p = arg;
    p->n++;
    p->e = e;
    p->rows = (int)n;
    for (size_t i = 0; i < n && i < 10; i++)
        memcpy(p->ids[i], rows[i].id, 16);
    if (n) p->last = rows[n - 1];
    if (n) assert_true(cf_str_is(rows[n - 1].args, n == 2 ? "args" : ""));
}

static struct page page_after(struct cf_work_world *world, cf_ms due, uint8_t id, cf_ms until)
{
    struct page p = {0};
    const struct cf_work_page ask = {
        .part = 2, .after_due = due, .after_id = {id}, .until = until, .limit = 2};
    assert_int_equal(world->doors.load(world, &ask, loaded, &p), 0);
    turns_until(&p.n, 1, 3000);
    assert_int_equal(p.e, 0);
    return p;
}

static void work_is_read_in_pages_in_the_order_it_falls_due(void **state)
{
    struct cf_work_world world;
    (void)state;
    cf_work_world(&world, pg, S_WORK, NULL);
    server_sql(&pg_server,
               "insert into work (part, id, kind, key, due, attempt, args)"
               " select 2, (lpad(to_hex(i), 2, '0') || repeat('0', 30))::uuid, 7, 'key', d, 3,"
               "        case when i = 2 then 'args'::bytea end"
               " from (values (1, 10), (2, 10), (3, 20), (4, 30)) v(i, d)");
    server_sql(&pg_server, "insert into work values (1, gen_random_uuid(), 7, 'key', 5, 0, null)");
    struct page first = page_after(&world, INT64_MIN, 0, 20);
    assert_int_equal(first.rows, 2);
    assert_int_equal(first.ids[0][0], 1);
    assert_int_equal(first.ids[1][0], 2);
    assert_int_equal(first.last.part, 2);
    assert_int_equal(first.last.kind, 7);
    assert_int_equal(first.last.due, 10);
    assert_int_equal(first.last.attempt, 3);
    assert_int_equal(first.last.key.len, 3);
    struct page second = page_after(&world, 10, 2, 20);
    assert_int_equal(second.rows, 1); /* the one due at 30 is behind the horizon */
    assert_int_equal(second.ids[0][0], 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_request_is_known_and_another_body_is_a_conflict),
        TEST(claims_of_one_turn_are_told_apart),
        TEST(neither_key_nor_body_can_be_read_in_the_table),
        TEST(who_waits_is_answered_when_the_outcome_is_there),
        TEST(who_waits_too_long_is_told_so),
        TEST(too_many_do_not_wait),
        TEST(work_is_read_in_pages_in_the_order_it_falls_due),
        TEST(without_a_database_a_claim_fails_and_works_again_later),
    };
    return cmocka_run_group_tests_name("request", tests, start_server, stop_server);
}
