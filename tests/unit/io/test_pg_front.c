#include "common/io/pg_front.h"

#include "common/io/clock.h"
#include "common/io/pg_dsn.h"
#include "common/io/stage/pgbin.h"
#include "servers.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct server postgres;

enum { ECHO, TEXT, SLEEP, ADD, DIVIDE, MANY, LENGTH, DEFERRED, REPEAT };

static const struct cf_pgf_statement statements[] = {
    [ECHO] = {"echo",     "select $1::int8",                                    false},
    [TEXT] = {"text",     "select $1::int8 + 1, $2::text",                      true },
    [SLEEP] = {"sleep",    "select pg_sleep($1::float8)",                        true },
    [ADD] = {"add",      "insert into ledger (id) values ($1)",                false},
    [DIVIDE] = {"divide",   "select 1 / $1::int4",                                false},
    [MANY] = {"many",     "select i::int4 from generate_series(1, $1::int4) i", false},
    [LENGTH] = {"length",   "select length($1::bytea)::int8",                     false},
    [DEFERRED] = {"deferred", "insert into late (id) values ($1)",                  false},
    [REPEAT] = {"repeat",   "select repeat('x', $1::int4)",                       true },
};
enum { STATEMENTS = sizeof statements / sizeof statements[0] };

struct fixture {
    struct event_base *base;
    struct cf_pgf *pg;
    struct cf_pgf_conf conf;
    int told, last; /* of the state callback */
    char why[160];
};

struct wanted {
    int calls, e, rows;
    int64_t value;
    char text[32];
    int order;
};
static int order;

static void done(void *arg, int e, const PGresult *res)
{
    struct wanted *w = arg;
    w->calls++;
    w->e = e;
    w->order = ++order;
    assert_int_equal(e == 0, res != NULL);
    if (!res) return;
    w->rows = PQntuples(res);
    if (w->rows == 0 || PQgetisnull(res, 0, 0)) return;
    const char *v = PQgetvalue(res, 0, 0);
    if (PQfformat(res, 0) == 1)
        w->value = PQgetlength(res, 0, 0) == 8 ? (int64_t)cf_get64(v) : (int64_t)cf_get32(v);
    else
        snprintf(w->text, sizeof w->text, "%s|%s", v,
                 PQnfields(res) > 1 ? PQgetvalue(res, 0, 1) : "");
}

static void changed(void *arg, int e, const char *why)
{
    struct fixture *f = arg;
    f->told++;
    f->last = e;
    snprintf(f->why, sizeof f->why, "%s", why);
}

static void turn(struct fixture *f, long us)
{
    const struct timeval a_bit = {0, us};
    event_base_loopexit(f->base, &a_bit);
    event_base_dispatch(f->base);
}

static void run_until_up(struct fixture *f, bool up)
{
    cf_ms end = cf_mono_ms() + 10000;
    while (cf_pgf_up(f->pg) != up && cf_mono_ms() < end)
        turn(f, 2000);
    if (cf_pgf_up(f->pg) != up) fail_msg("not %s: %s", up ? "up" : "down", cf_pgf_why(f->pg));
}

/* Until nothing is under way. */
static void run_dry(struct fixture *f)
{
    cf_ms end = cf_mono_ms() + 20000;
    struct cf_pgf_view v = {.in_flight = 1};
    while (v.in_flight && cf_mono_ms() < end) {
        turn(f, 1000);
        cf_pgf_view(f->pg, &v);
    }
    assert_int_equal(v.in_flight, 0);
    assert_int_equal(v.in_flight_bytes, 0);
}

static struct cf_str be64(char out[8], int64_t v)
{
    cf_put64(out, (uint64_t)v);
    return (struct cf_str){out, 8};
}

static int ask(struct fixture *f, size_t statement, int64_t v, struct wanted *w)
{
    char bytes[8];
    const struct cf_str param = be64(bytes, v);
    return cf_pgf_send(f->pg, statement, &param, 1, done, w);
}

static int ask4(struct fixture *f, size_t statement, int32_t v, struct wanted *w)
{
    char bytes[4];
    cf_put32(bytes, (uint32_t)v);
    return cf_pgf_send(f->pg, statement, &(struct cf_str){bytes, 4}, 1, done, w);
}

static int ask_text(struct fixture *f, size_t statement, const char *v, struct wanted *w)
{
    const char *const values[] = {v, "word"};
    return cf_pgf_query(f->pg, statement, statement == TEXT ? 2 : 1, values, NULL, NULL, done, w);
}

static void pg_open(struct fixture *f)
{
    cf_pgf_free(f->pg);
    f->told = 0;
    f->pg = cf_pgf_open(f->base, &f->conf);
    assert_non_null(f->pg);
    run_until_up(f, true);
}

static int set_up(void **state)
{
    struct fixture *f = cf_calloc(1, sizeof *f);
    *state = f;
    if (postgres.pid == 0) server_postgres_again(&postgres);
    server_sql(&postgres, "drop table if exists ledger, late");
    server_sql(&postgres, "create table ledger (id bigint constraint once primary key)");
    server_sql(&postgres, "create table late (id bigint unique deferrable initially deferred)");
    f->base = event_base_new();
    f->conf = (struct cf_pgf_conf){.dsn = postgres.url,
                                   .statements = statements,
                                   .n_statements = STATEMENTS,
                                   .changed = changed,
                                   .arg = f};
    pg_open(f);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    server_thaw(&postgres);
    cf_pgf_free(f->pg);
    event_base_free(f->base);
    free(f);
    return 0;
}

static int servers_start(void **state)
{
    (void)state;
    server_postgres_start(&postgres);
    return 0;
}

static int servers_stop(void **state)
{
    (void)state;
    server_stop(&postgres);
    return 0;
}

/* ---- answers ------------------------------------------------------------------------------- */

static void queries_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    enum { N = 1000 };
    static struct wanted w[N];
    memset(w, 0, sizeof w);
    order = 0;
    for (int i = 0; i < N; i++)
        assert_int_equal(ask(f, ECHO, (int64_t)i << 33, &w[i]), 0);
    assert_int_equal(w[0].calls, 0);
    run_dry(f);
    for (int i = 0; i < N; i++) {
        assert_int_equal(w[i].calls, 1);
        assert_int_equal(w[i].e, 0);
        assert_int_equal(w[i].value, (int64_t)i << 33);
        assert_int_equal(w[i].order, i + 1);
    }
    assert_int_equal(f->told, 1);
    assert_int_equal(f->last, 0);
}

static void text_nulls_and_many_rows_come_back(void **state)
{
    struct fixture *f = *state;
    struct wanted text = {0}, null = {0}, many = {0}, none = {0};
    assert_int_equal(ask_text(f, TEXT, "41", &text), 0);
    assert_int_equal(cf_pgf_send(f->pg, ECHO, &(struct cf_str){0}, 1, done, &null), 0);
    assert_int_equal(ask4(f, MANY, 20000, &many), 0);
    assert_int_equal(ask4(f, MANY, 0, &none), 0);
    run_dry(f);
    assert_string_equal(text.text, "42|word");
    assert_int_equal(null.rows, 1);
    assert_int_equal(null.value, 0);
    assert_int_equal(many.rows, 20000);
    assert_int_equal(none.rows, 0);
    assert_int_equal(none.e, 0);
}

static void a_failed_query_leaves_its_neighbours_alone(void **state)
{
    struct fixture *f = *state;
    struct wanted w[6] = {0};
    assert_int_equal(ask(f, ADD, 123456789, &w[0]), 0);
    assert_int_equal(ask4(f, DIVIDE, 0, &w[1]), 0);
    assert_int_equal(ask(f, ADD, 2, &w[2]), 0);
    assert_int_equal(ask_text(f, ECHO, "not a number", &w[3]), 0);
    assert_int_equal(ask(f, ADD, 123456789, &w[4]), 0);
    run_dry(f);
    static const int want[] = {0, CF_E_DATA, 0, CF_E_DATA, CF_E_DATA};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(w[i].calls, 1);
        assert_int_equal(w[i].e, want[i]);
    }
    assert_string_equal(cf_pgf_why(f->pg), "statement add: SQLSTATE 23505 once");
    assert_int_equal(server_sql(&postgres, "select count(*) from ledger"), 2);
    assert_true(cf_pgf_up(f->pg));
}

static void seen_by_another(void *arg, int e, const PGresult *res)
{
    (void)res;
    long *count = arg;
    assert_int_equal(e, 0);
    *count = server_sql(&postgres, "select count(*) from ledger");
}

static void a_callback_comes_after_the_commit(void **state)
{
    struct fixture *f = *state;
    char bytes[8];
    for (int i = 1; i <= 20; i++) {
        long count = 0;
        const struct cf_str param = be64(bytes, i);
        assert_int_equal(cf_pgf_send(f->pg, ADD, &param, 1, seen_by_another, &count), 0);
        run_dry(f);
        assert_int_equal(count, i);
    }
}

static void an_error_at_the_commit_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct wanted w[3] = {0};
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(f, DEFERRED, i / 2, &w[i]), 0);
    run_dry(f);
    assert_int_equal(w[0].e, 0);
    assert_int_equal(w[1].e, CF_E_DATA); /* the same value: noticed when it commits */
    assert_int_equal(w[2].e, 0);
    assert_int_equal(server_sql(&postgres, "select count(*) from late"), 2);
}

struct again {
    struct fixture *f;
    int left;
};

static void ask_again(void *arg, int e, const PGresult *res)
{
    struct again *a = arg;
    char bytes[8];
    const struct cf_str param = be64(bytes, a->left);
    assert_int_equal(e, 0);
    assert_int_equal(cf_get64(PQgetvalue(res, 0, 0)), a->left);
    if (--a->left == 0) return;
    be64(bytes, a->left);
    assert_int_equal(cf_pgf_send(a->f->pg, ECHO, &param, 1, ask_again, a), 0);
}

static void a_callback_may_ask_again(void **state)
{
    struct fixture *f = *state;
    struct again a = {f, 200};
    char bytes[8];
    const struct cf_str param = be64(bytes, 200);
    assert_int_equal(cf_pgf_send(f->pg, ECHO, &param, 1, ask_again, &a), 0);
    run_dry(f);
    assert_int_equal(a.left, 0);
}

static void large_questions_and_large_answers_pass_each_other(void **state)
{
    struct fixture *f = *state;
    enum { N = 12, SIZE = 2000000 };
    struct wanted in[N] = {0}, out[N] = {0};
    char *large = cf_calloc(1, SIZE);
    for (int i = 0; i < N; i++) {
        assert_int_equal(cf_pgf_send(f->pg, LENGTH, &(struct cf_str){large, SIZE}, 1, done, &in[i]),
                         0);
        assert_int_equal(ask_text(f, REPEAT, "2000000", &out[i]), 0);
    }
    free(large); /* it was copied */
    run_dry(f);
    for (int i = 0; i < N; i++) {
        assert_int_equal(in[i].value, SIZE);
        assert_int_equal(out[i].e, 0);
        assert_int_equal(out[i].rows, 1);
    }
}

/* ---- limits -------------------------------------------------------------------------------- */

static void too_many_queries_or_bytes_are_refused(void **state)
{
    struct fixture *f = *state;
    struct wanted w[12] = {0};
    static char large[1000];
    f->conf.in_flight = 8;
    f->conf.in_flight_bytes = 1500;
    pg_open(f);
    for (int i = 0; i < 10; i++)
        assert_int_equal(ask(f, ECHO, i, &w[i]), i < 8 ? 0 : CF_E_DB);
    run_dry(f);
    for (int i = 0; i < 10; i++)
        assert_int_equal(w[i].calls, i < 8);
    const struct cf_str param = {large, sizeof large};
    assert_int_equal(cf_pgf_send(f->pg, LENGTH, &param, 1, done, &w[10]), 0);
    assert_int_equal(cf_pgf_send(f->pg, LENGTH, &param, 1, done, &w[11]), CF_E_DB);
    run_dry(f);
    struct cf_pgf_view v;
    cf_pgf_view(f->pg, &v);
    assert_int_equal(v.refused, 3);
    assert_int_equal(w[10].value, 1000);
    assert_int_equal(w[11].calls, 0);
}

static void a_slow_statement_is_ended_by_the_server(void **state)
{
    struct fixture *f = *state;
    struct wanted slow = {0}, next = {0};
    f->conf.statement_timeout_ms = 150;
    pg_open(f);
    assert_int_equal(ask_text(f, SLEEP, "30", &slow), 0);
    assert_int_equal(ask(f, ECHO, 7, &next), 0);
    run_dry(f);
    assert_int_equal(slow.e, CF_E_DB);
    assert_int_equal(next.e, 0);
    assert_non_null(strstr(cf_pgf_why(f->pg), "57014"));
    struct cf_pgf_view v;
    cf_pgf_view(f->pg, &v);
    assert_int_equal(v.connects, 1);
}

static void a_statement_that_cannot_be_prepared_is_told_and_tried_again(void **state)
{
    struct fixture *f = *state;
    server_sql(&postgres, "drop table ledger");
    cf_pgf_free(f->pg);
    f->told = 0;
    f->pg = cf_pgf_open(f->base, &f->conf);
    for (int i = 0; i < 1000 && f->told == 0; i++)
        turn(f, 5000);
    assert_int_equal(f->last, CF_E_SQL);
    assert_string_equal(f->why, "statement add: SQLSTATE 42P01");
    assert_int_equal(ask(f, ECHO, 1, &(struct wanted){0}), CF_E_DB);
    server_sql(&postgres, "create table ledger (id bigint constraint once primary key)");
    run_until_up(f, true);
    assert_int_equal(f->told, 2);
    assert_int_equal(f->last, 0);
}

/* ---- faults -------------------------------------------------------------------------------- */

static void a_killed_server_answers_everybody_once_and_comes_back(void **state)
{
    struct fixture *f = *state;
    enum { N = 300 };
    static struct wanted w[N];
    for (int round = 0; round < 2; round++) {
        memset(w, 0, sizeof w);
        server_freeze(&postgres); /* so that nothing is answered before the kill */
        for (int i = 0; i < N; i++)
            assert_int_equal(ask(f, ECHO, i, &w[i]), 0);
        turn(f, 5000);
        server_kill(&postgres);
        run_until_up(f, false);
        for (int i = 0; i < N; i++) {
            assert_int_equal(w[i].calls, 1);
            assert_int_equal(w[i].e, CF_E_UNKNOWN);
        }
        assert_int_equal(f->last, CF_E_DB);
        assert_int_equal(ask(f, ECHO, 1, &w[0]), CF_E_DB);
        turn(f, 300000);
        server_postgres_again(&postgres);
        run_until_up(f, true);
        assert_int_equal(ask(f, ECHO, 77, &w[0]), 0);
        run_dry(f);
        assert_int_equal(w[0].calls, 2);
        assert_int_equal(w[0].value, 77);
    }
    struct cf_pgf_view v;
    cf_pgf_view(f->pg, &v);
    assert_int_equal(v.lost, 2 * N);
    assert_int_equal(v.connects, 3);
}

static void a_frozen_server_is_given_up_in_time(void **state)
{
    struct fixture *f = *state;
    struct wanted w[2] = {0};
    f->conf.answer_timeout_ms = 300;
    pg_open(f);
    server_freeze(&postgres);
    cf_ms start = cf_mono_ms();
    for (int i = 0; i < 2; i++)
        assert_int_equal(ask(f, ECHO, i, &w[i]), 0);
    run_until_up(f, false);
    assert_in_range(cf_mono_ms() - start, 290, 1000);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(w[i].calls, 1);
        assert_int_equal(w[i].e, CF_E_UNKNOWN);
    }
    turn(f, 200000);
    assert_false(cf_pgf_up(f->pg));
    server_thaw(&postgres);
    run_until_up(f, true);
    assert_int_equal(ask(f, ECHO, 5, &w[0]), 0);
    run_dry(f);
    assert_int_equal(w[0].value, 5);
}

static void a_terminated_backend_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct wanted w[2] = {0};
    assert_int_equal(ask_text(f, SLEEP, "2", &w[0]), 0);
    assert_int_equal(ask(f, ECHO, 1, &w[1]), 0);
    turn(f, 50000);
    assert_int_equal(server_sql(&postgres, "select count(pg_terminate_backend(pid)) from "
                                           "pg_stat_activity where application_name = "
                                           "'cardflow-front'"),
                     1);
    run_until_up(f, false);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(w[i].calls, 1);
        assert_int_equal(w[i].e, CF_E_UNKNOWN);
    }
    run_until_up(f, true);
}

/* What was answered as good is there, whatever the server went through. */
static void no_acknowledged_row_is_ever_missing(void **state)
{
    struct fixture *f = *state;
    enum { N = 6000 };
    static struct wanted w[N];
    int sent = 0, good = 0, unknown = 0;
    memset(w, 0, sizeof w);
    for (int kills = 0; kills < 3; kills++) {
        int end = sent + N / 3;
        while (sent < end) {
            for (int i = 0; i < 50 && sent < end; i++, sent++)
                if (ask(f, ADD, sent, &w[sent])) w[sent].calls = -1;
            turn(f, 500);
            if (sent == end - 500) server_kill(&postgres);
            struct cf_pgf_view v;
            for (cf_pgf_view(f->pg, &v); v.in_flight > 300; cf_pgf_view(f->pg, &v))
                turn(f, 500);
        }
        run_until_up(f, false);
        server_postgres_again(&postgres);
        run_until_up(f, true);
    }
    run_dry(f);
    long rows = server_sql(&postgres, "select count(*) from ledger");
    for (int i = 0; i < N; i++) {
        char sql[80];
        assert_true(w[i].calls == 1 || w[i].calls == -1);
        good += w[i].calls == 1 && w[i].e == 0;
        unknown += w[i].calls == 1 && w[i].e == CF_E_UNKNOWN;
        if (i % 10 || w[i].calls != 1 || w[i].e) continue;
        snprintf(sql, sizeof sql, "select count(*) from ledger where id = %d", i);
        if (server_sql(&postgres, sql) != 1) fail_msg("row %d was answered and is not there", i);
    }
    assert_true(good > N / 3);
    assert_true(unknown > 0); /* else no kill came in between */
    assert_in_range(rows, good, good + unknown);
}

static void freeing_answers_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    struct wanted w[2] = {0};
    assert_int_equal(ask_text(f, SLEEP, "2", &w[0]), 0);
    assert_int_equal(ask(f, ECHO, 1, &w[1]), 0);
    turn(f, 20000);
    cf_pgf_free(f->pg);
    f->pg = NULL;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(w[i].calls, 1);
        assert_int_equal(w[i].e, CF_E_UNKNOWN);
    }
}

/* ---- addresses ----------------------------------------------------------------------------- */

static void sockets_and_names_work(void **state)
{
    struct fixture *f = *state;
    char dsn[160];
    f->conf.dsn = postgres.socket_url;
    pg_open(f);
    snprintf(dsn, sizeof dsn, "postgresql://cardflow@localhost:%d/postgres", postgres.port);
    f->conf.dsn = dsn;
    pg_open(f);
    snprintf(dsn, sizeof dsn, "host=name.invalid port=%d user=cardflow", postgres.port);
    cf_pgf_free(f->pg);
    f->told = 0;
    f->pg = cf_pgf_open(f->base, &f->conf);
    for (int i = 0; i < 4000 && f->told == 0; i++)
        turn(f, 5000);
    assert_int_equal(f->last, CF_E_DB);
    assert_true(f->why[0] != 0);
    f->conf.dsn = "no=such option";
    assert_null(cf_pgf_open(f->base, &f->conf));
}

static void only_names_are_looked_up(void **state)
{
    (void)state;
    static const struct {
        const char *dsn, *host;
        int port;
    } rows[] = {
        {"host=db port=5433",         "db", 5433},
        {"postgresql://user@db/x",    "db", 5432},
        {"host=127.0.0.1",            "",   5432},
        {"host=::1",                  "",   5432},
        {"host=/run/postgresql",      "",   5432},
        {"host=db hostaddr=10.0.0.1", "",   5432},
        {"host=a,b",                  "",   5432},
        {"dbname=x",                  "",   5432},
    };
    unsetenv("PGHOST");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cf_pg_dsn d;
        assert_true(cf_pg_dsn_parse(rows[i].dsn, &d));
        if (strcmp(d.host, rows[i].host) || d.port != rows[i].port)
            fail_msg("%s: %s %d", rows[i].dsn, d.host, d.port);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(queries_are_answered_in_order),
        T(text_nulls_and_many_rows_come_back),
        T(a_failed_query_leaves_its_neighbours_alone),
        T(a_callback_comes_after_the_commit),
        T(an_error_at_the_commit_is_an_error),
        T(a_callback_may_ask_again),
        T(large_questions_and_large_answers_pass_each_other),
        T(too_many_queries_or_bytes_are_refused),
        T(a_slow_statement_is_ended_by_the_server),
        T(a_statement_that_cannot_be_prepared_is_told_and_tried_again),
        T(a_killed_server_answers_everybody_once_and_comes_back),
        T(a_frozen_server_is_given_up_in_time),
        T(a_terminated_backend_is_replaced),
        T(no_acknowledged_row_is_ever_missing),
        T(freeing_answers_what_is_under_way),
        T(sockets_and_names_work),
        cmocka_unit_test(only_names_are_looked_up),
    };
    return cmocka_run_group_tests(tests, servers_start, servers_stop);
}
