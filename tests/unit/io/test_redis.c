#include "common/io/redis.h"

#include "common/io/clock.h"
#include "common/io/redis_wire.h"
#include "common/pure/arena.h"
#include "servers.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct server redis;

struct fixture {
    struct event_base *base;
    struct cf_redis_front *front;
    struct cf_redis_stage *stage;
    redisContext *plain; /* the test's own eyes */
};

/* ---- helpers ------------------------------------------------------------------------------- */

struct wanted {
    int calls, e;
    bool found;
    size_t len;
    char text[64];
    cf_ms at;
};

static void got(void *arg, int e, struct cf_str value)
{
    struct wanted *w = arg;
    w->calls++;
    w->e = e;
    w->found = value.ptr != NULL;
    w->len = value.len;
    w->at = cf_mono_ms();
    if (value.len < sizeof w->text && value.len) memcpy(w->text, value.ptr, value.len);
}

/* Runs the loop for so long, or until the front is up as wished (-1: does not matter). */
static void run(struct fixture *f, int up, int ms)
{
    cf_ms end = cf_mono_ms() + ms;
    while (cf_mono_ms() < end) {
        struct cf_redis_view v;
        const struct timeval a_bit = {0, 5000};
        event_base_loopexit(f->base, &a_bit);
        event_base_dispatch(f->base);
        cf_redis_front_view(f->front, &v);
        if (up >= 0 && v.up == (up == 1)) return;
    }
    if (up >= 0) fail_msg("front is not %s after %d ms", up ? "up" : "down", ms);
}

static struct cf_redis_view view(const struct fixture *f)
{
    struct cf_redis_view v;
    cf_redis_front_view(f->front, &v);
    return v;
}

static void front_open(struct fixture *f, const char *url, int in_flight)
{
    cf_redis_front_free(f->front);
    f->front = cf_redis_front_new(
        f->base, &(struct cf_redis_front_conf){.url = url, .in_flight = in_flight});
    assert_non_null(f->front);
    run(f, 1, 3000);
}

static void plain(struct fixture *f, const char *command)
{
    redisReply *reply = redisCommand(f->plain, command);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR) fail_msg("%s: %s", command, reply->str);
    freeReplyObject(reply);
}

static void plain_connect(struct fixture *f)
{
    if (f->plain) redisFree(f->plain);
    f->plain = redisConnect("127.0.0.1", redis.port);
    assert_non_null(f->plain);
    assert_int_equal(f->plain->err, 0);
}

static int set_up(void **state)
{
    struct fixture *f = cf_calloc(1, sizeof *f);
    if (redis.pid == 0) server_redis_again(&redis);
    f->base = event_base_new();
    plain_connect(f);
    plain(f, "FLUSHALL");
    f->stage = cf_redis_stage_new(&(struct cf_redis_stage_conf){.url = redis.url});
    front_open(f, redis.url, 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    server_thaw(&redis);
    cf_redis_front_free(f->front);
    cf_redis_stage_free(f->stage);
    if (f->plain) redisFree(f->plain);
    event_base_free(f->base);
    free(f);
    return 0;
}

static int servers_start(void **state)
{
    (void)state;
    server_redis_start(&redis);
    return 0;
}

static int servers_stop(void **state)
{
    (void)state;
    server_stop(&redis);
    return 0;
}

/* ---- URLs and documents -------------------------------------------------------------------- */

static void urls_are_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host; /* NULL: refused */
        int port, db;
        const char *user, *password;
    } rows[] = {
        {"redis://cache",               "cache",           6379, 0, "",    ""      },
        {"redis://127.0.0.1:7001",      "127.0.0.1",       7001, 0, "",    ""      },
        {"redis://cache:7001/3",        "cache",           7001, 3, "",    ""      },
        {"redis://cache/",              "cache",           6379, 0, "",    ""      },
        {"redis://[::1]:7001/1",        "::1",             7001, 1, "",    ""      },
        {"redis://[::1]",               "::1",             6379, 0, "",    ""      },
        {"redis://:secret@cache:7001",  "cache",           7001, 0, "",    "secret"},
        {"redis://app:p%40ss%3a@cache", "cache",           6379, 0, "app", "p@ss:" },
        {"unix:///run/redis.sock",      "/run/redis.sock", 0,    0, "",    ""      },
        {"unix:///run/redis.sock?db=4", "/run/redis.sock", 0,    4, "",    ""      },
        {"",                            NULL,              0,    0, "",    ""      },
        {"redis://",                    NULL,              0,    0, "",    ""      },
        {"redis://cache:0",             NULL,              0,    0, "",    ""      },
        {"redis://cache:70000",         NULL,              0,    0, "",    ""      },
        {"redis://cache:7001x",         NULL,              0,    0, "",    ""      },
        {"redis://cache/x",             NULL,              0,    0, "",    ""      },
        {"redis://app@cache",           NULL,              0,    0, "",    ""      },
        {"redis://:p%4@cache",          NULL,              0,    0, "",    ""      },
        {"redis://[::1",                NULL,              0,    0, "",    ""      },
        {"rediss://cache",              NULL,              0,    0, "",    ""      },
        {"unix://run/redis.sock",       NULL,              0,    0, "",    ""      },
        {"unix:///run/redis.sock?x=4",  NULL,              0,    0, "",    ""      },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cf_redis_url u;
        if (cf_redis_url_parse(rows[i].url, &u) != (rows[i].host != NULL))
            fail_msg("%s", rows[i].url);
        if (!rows[i].host) continue;
        assert_string_equal(u.host, rows[i].host);
        assert_int_equal(u.port, rows[i].port);
        assert_int_equal(u.db, rows[i].db);
        assert_string_equal(u.user, rows[i].user);
        assert_string_equal(u.password, rows[i].password);
    }
    struct event_base *base = event_base_new();
    assert_null(cf_redis_front_new(base, &(struct cf_redis_front_conf){.url = "http://cache"}));
    assert_null(cf_redis_stage_new(&(struct cf_redis_stage_conf){.url = "http://cache"}));
    event_base_free(base);
}

static void a_document_is_version_and_payload(void **state)
{
    (void)state;
    uint64_t version;
    struct cf_str payload;
    assert_true(cf_redis_document(CF_STR("\0\0\0\0\0\1\0\2text"), &version, &payload));
    assert_int_equal(version, 65538);
    assert_true(cf_str_is(payload, "text"));
    assert_true(cf_redis_document(CF_STR("\0\0\0\0\0\0\0\1"), &version, &payload));
    assert_int_equal(payload.len, 0);
    assert_false(cf_redis_document(CF_STR("1234567"), &version, &payload));
    assert_false(cf_redis_document((struct cf_str){NULL, 0}, &version, &payload));
}

/* ---- the front ----------------------------------------------------------------------------- */

static void keys_of_one_turn_are_one_command(void **state)
{
    struct fixture *f = *state;
    enum { N = 600 };
    static struct wanted w[N];
    memset(w, 0, sizeof w);
    for (int i = 0; i < N; i += 2) {
        char set[64];
        snprintf(set, sizeof set, "SET key:%d value-%d", i, i);
        plain(f, set);
    }
    for (int i = 0; i < N; i++) {
        char key[32];
        snprintf(key, sizeof key, "key:%d", i);
        assert_int_equal(cf_redis_get(f->front, cf_str_of(key), got, &w[i]), 0);
    }
    assert_int_equal(w[0].calls, 0); /* never from inside cf_redis_get */
    assert_int_equal(view(f).in_flight, N);
    run(f, -1, 50);
    for (int i = 0; i < N; i++) {
        char want[32];
        snprintf(want, sizeof want, "value-%d", i);
        assert_int_equal(w[i].calls, 1);
        assert_int_equal(w[i].e, 0);
        assert_int_equal(w[i].found, i % 2 == 0);
        if (w[i].found) assert_memory_equal(w[i].text, want, strlen(want));
    }
    assert_int_equal(view(f).batches, 3); /* of at most 256 keys */
    assert_int_equal(view(f).missed, N / 2);
    assert_int_equal(view(f).in_flight, 0);
}

static void keys_and_values_may_hold_any_byte(void **state)
{
    struct fixture *f = *state;
    struct wanted w = {0}, empty = {0}, list = {0};
    redisReply *reply =
        redisCommand(f->plain, "SET %b %b", "k\r\n\0x", (size_t)5, "v\0\r\n$", (size_t)5);
    freeReplyObject(reply);
    plain(f, "LPUSH list a");
    freeReplyObject(redisCommand(f->plain, "SET empty %b", "", (size_t)0));
    assert_int_equal(cf_redis_get(f->front, CF_STR("k\r\n\0x"), got, &w), 0);
    assert_int_equal(cf_redis_get(f->front, CF_STR("empty"), got, &empty), 0);
    assert_int_equal(cf_redis_get(f->front, CF_STR("list"), got, &list), 0);
    run(f, -1, 50);
    assert_int_equal(w.len, 5);
    assert_memory_equal(w.text, "v\0\r\n$", 5);
    assert_true(empty.found);
    assert_int_equal(empty.len, 0);
    assert_int_equal(list.calls, 1); /* another type of value is no document */
    assert_false(list.found);
}

struct again {
    struct fixture *f;
    struct wanted last;
    int left;
};

static void ask_again(void *arg, int e, struct cf_str value)
{
    struct again *a = arg;
    if (--a->left > 0)
        assert_int_equal(cf_redis_get(a->f->front, CF_STR("again"), ask_again, a), 0);
    else
        got(&a->last, e, value);
}

static void a_callback_may_ask_again(void **state)
{
    struct fixture *f = *state;
    struct again a = {.f = f, .left = 50};
    plain(f, "SET again yes");
    assert_int_equal(cf_redis_get(f->front, CF_STR("again"), ask_again, &a), 0);
    run(f, -1, 100);
    assert_int_equal(a.last.calls, 1);
    assert_true(a.last.found);
}

static void too_many_requests_are_refused(void **state)
{
    struct fixture *f = *state;
    struct wanted w[10] = {0};
    front_open(f, redis.url, 8);
    for (int i = 0; i < 10; i++)
        assert_int_equal(cf_redis_get(f->front, CF_STR("k"), got, &w[i]), i < 8 ? 0 : CF_E_NET);
    static char large[CF_REDIS_KEY_MAX + 1];
    run(f, -1, 50);
    for (int i = 0; i < 10; i++)
        assert_int_equal(w[i].calls, i < 8);
    assert_int_equal(cf_redis_get(f->front, (struct cf_str){large, sizeof large}, got, &w[0]),
                     CF_E_NET);
    assert_int_equal(view(f).refused, 3);
}

static void a_frozen_server_costs_one_budget_and_then_nothing(void **state)
{
    struct fixture *f = *state;
    struct wanted w[3] = {0};
    uint64_t connects = view(f).connects;
    server_freeze(&redis);
    cf_ms start = cf_mono_ms();
    for (int i = 0; i < 3; i++)
        assert_int_equal(cf_redis_get(f->front, CF_STR("k"), got, &w[i]), 0);
    run(f, 0, 1000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(w[i].calls, 1);
        assert_int_equal(w[i].e, CF_E_NET);
        assert_in_range(w[i].at - start, 19, 500);
    }
    struct wanted refused = {0};
    assert_int_equal(cf_redis_get(f->front, CF_STR("k"), got, &refused), CF_E_NET);
    server_thaw(&redis);
    run(f, 1, 1000);
    assert_int_equal(view(f).connects, connects); /* the late answer was enough */
    assert_int_equal(w[0].calls + refused.calls, 1);
    assert_int_equal(view(f).late, 3);
    assert_int_equal(cf_redis_get(f->front, CF_STR("k"), got, &refused), 0);
    run(f, -1, 50);
    assert_int_equal(refused.calls, 1);
    assert_int_equal(refused.e, 0);
}

static void a_server_frozen_for_long_gets_a_new_connection(void **state)
{
    struct fixture *f = *state;
    struct wanted w = {0};
    server_freeze(&redis);
    assert_int_equal(cf_redis_get(f->front, CF_STR("k"), got, &w), 0);
    run(f, -1, 1500);
    assert_int_equal(w.calls, 1);
    assert_false(view(f).up);
    assert_non_null(strstr(view(f).why, "does not"));
    server_thaw(&redis);
    run(f, 1, 5000);
    assert_true(view(f).connects >= 2);
}

static void a_killed_server_answers_everybody_once_and_comes_back(void **state)
{
    struct fixture *f = *state;
    enum { N = 500 };
    static struct wanted w[N];
    for (int round = 0; round < 3; round++) {
        memset(w, 0, sizeof w);
        server_freeze(&redis); /* so that nothing is answered before the kill */
        for (int i = 0; i < N; i++)
            assert_int_equal(cf_redis_get(f->front, CF_STR("k"), got, &w[i]), 0);
        if (round) run(f, -1, 10);
        server_kill(&redis);
        run(f, 0, 1000);
        run(f, -1, 100);
        for (int i = 0; i < N; i++) {
            assert_int_equal(w[i].calls, 1);
            assert_int_equal(w[i].e, CF_E_NET);
        }
        assert_int_equal(view(f).in_flight, 0);
        assert_int_equal(cf_redis_get(f->front, CF_STR("k"), got, &w[0]), CF_E_NET);
        server_redis_again(&redis);
        run(f, 1, 5000);
        assert_int_equal(cf_redis_get(f->front, CF_STR("k"), got, &w[0]), 0);
        run(f, -1, 50);
        assert_int_equal(w[0].calls, 2);
        assert_int_equal(w[0].e, 0);
    }
    assert_int_equal(view(f).connects, 4);
}

static void freeing_answers_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    struct wanted sent = {0}, waiting = {0};
    server_freeze(&redis);
    assert_int_equal(cf_redis_get(f->front, CF_STR("k"), got, &sent), 0);
    run(f, -1, 5);
    assert_int_equal(cf_redis_get(f->front, CF_STR("k"), got, &waiting), 0);
    cf_redis_front_free(f->front);
    f->front = NULL;
    assert_int_equal(sent.calls, 1);
    assert_int_equal(waiting.calls, 1);
    assert_int_equal(waiting.e, CF_E_NET);
}

static void sockets_names_databases_and_passwords_work(void **state)
{
    struct fixture *f = *state;
    char url[200];
    struct wanted w = {0};
    plain(f, "SELECT 5");
    plain(f, "SET where db5");
    snprintf(url, sizeof url, "%s?db=5", redis.socket_url);
    front_open(f, url, 0);
    assert_int_equal(cf_redis_get(f->front, CF_STR("where"), got, &w), 0);
    run(f, -1, 50);
    assert_true(w.found);
    snprintf(url, sizeof url, "redis://localhost:%d/5", redis.port);
    front_open(f, url, 0);
    plain(f, "CONFIG SET requirepass pass:word");
    snprintf(url, sizeof url, "redis://:pass%%3Aword@127.0.0.1:%d", redis.port);
    front_open(f, url, 0);
    struct cf_redis_stage *s = cf_redis_stage_new(&(struct cf_redis_stage_conf){.url = url});
    assert_true(cf_redis_stage_set(s, &(struct cf_redis_pair){CF_STR("a"), CF_STR("b")}, 1));
    assert_true(cf_redis_stage_settle(s, 1000));
    cf_redis_stage_free(s);
    cf_redis_front_free(f->front);
    f->front = cf_redis_front_new(f->base, &(struct cf_redis_front_conf){.url = redis.url});
    run(f, -1, 300);
    assert_false(view(f).up);
    assert_non_null(strstr(view(f).why, "NOAUTH"));
    freeReplyObject(redisCommand(f->plain, "CONFIG SET requirepass %s", ""));
    run(f, 1, 3000);
}

/* A listener of the test's own that says `text` to whoever connects. */
static void a_server_that_speaks_nonsense_is_left(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "HTTP/1.1 400 Bad Request\r\n\r\n", "+PONG\r\n*1\r\n$1\r\na\r\n", "*-7\r\n",
        "$99999999999999999999\r\n",        "+PONG\r\n:1\r\n:2\r\n",      ""};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof a;
    char url[64];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", ntohs(a.sin_port));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cf_redis_front_free(f->front);
        f->front = cf_redis_front_new(f->base, &(struct cf_redis_front_conf){.url = url});
        run(f, -1, 30);
        int peer = accept(fd, NULL, NULL);
        assert_int_equal(send(peer, texts[i], strlen(texts[i]), 0), strlen(texts[i]));
        run(f, -1, texts[i][0] ? 60 : 1200);
        if (view(f).up || !view(f).why[0]) fail_msg("still up after: %s", texts[i]);
        close(peer);
    }
    close(fd);
}

/* ---- the stage ----------------------------------------------------------------------------- */

static void assert_stored(struct fixture *f, const char *key, uint64_t version, const char *payload)
{
    redisReply *reply = redisCommand(f->plain, "GET %s", key);
    assert_non_null(reply);
    if (!payload) {
        assert_int_equal(reply->type, REDIS_REPLY_NIL);
    } else {
        uint64_t v = 0;
        struct cf_str p = {0};
        assert_int_equal(reply->type, REDIS_REPLY_STRING);
        assert_true(cf_redis_document((struct cf_str){reply->str, reply->len}, &v, &p));
        if (v != version || !cf_str_is(p, payload))
            fail_msg("%s: version %llu %.*s, want %llu %s", key, (unsigned long long)v, CF_ARG(p),
                     (unsigned long long)version, payload);
    }
    freeReplyObject(reply);
}

static bool put(struct fixture *f, const char *key, uint64_t version, const char *payload)
{
    const struct cf_redis_doc doc = {cf_str_of(key), version, cf_str_of(payload)};
    return cf_redis_stage_put(f->stage, &doc, 1) && cf_redis_stage_settle(f->stage, 1000);
}

static void only_a_higher_version_is_set(void **state)
{
    struct fixture *f = *state;
    /* clang-format off */
    static const struct {
        const char *why;
        uint64_t before, after;
        bool set;
    } rows[] = {
        {"higher", 1, 2, true},
        {"equal", 7, 7, false},
        {"lower", 9, 8, false},
        {"bytes above 127", 127, 128, true},
        {"and back", 128, 127, false},
        {"a zero byte", 255, 256, true},
        {"across 32 bits", UINT32_MAX, (uint64_t)UINT32_MAX + 1, true},
        {"back across 32 bits", (uint64_t)UINT32_MAX + 1, UINT32_MAX, false},
        {"above what Lua counts exactly", (1ULL << 53) + 1, (1ULL << 53) + 2, true},
        {"the same downwards", (1ULL << 53) + 2, (1ULL << 53) + 1, false},
        {"the end", UINT64_MAX - 1, UINT64_MAX, true},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        plain(f, "FLUSHALL");
        assert_true(put(f, "doc", rows[i].before, "before"));
        assert_stored(f, "doc", rows[i].before, "before");
        assert_true(put(f, "doc", rows[i].after, "after"));
        assert_stored(f, "doc", rows[i].set ? rows[i].after : rows[i].before,
                      rows[i].set ? "after" : "before");
    }
    plain(f, "SET doc short"); /* not a document: written over */
    assert_true(put(f, "doc", 1, "good"));
    assert_stored(f, "doc", 1, "good");
}

static void many_documents_and_aliases_arrive(void **state)
{
    struct fixture *f = *state;
    enum { N = 1500 };
    struct cf_arena *a = cf_arena_new(64u << 20);
    /* 8 MB at once, by a server that may share its processor. */
    struct cf_redis_stage *stage = cf_redis_stage_new(
        &(struct cf_redis_stage_conf){.url = redis.url, .timeout_ms = 5000});
    struct cf_redis_doc *docs = cf_arena_zero(a, N * sizeof *docs);
    struct cf_redis_pair *pairs = cf_arena_zero(a, N * sizeof *pairs);
    for (int i = 0; i < N; i++) {
        docs[i].key = cf_arena_printf(a, "status:%d", i);
        docs[i].version = (uint64_t)i + 1;
        docs[i].payload = (struct cf_str){cf_arena_zero(a, (size_t)i * 7 + 1), (size_t)i * 7};
        pairs[i].key = cf_arena_printf(a, "alias:%d", i);
        pairs[i].value = docs[i].key;
    }
    assert_true(cf_redis_stage_put(stage, docs, N));
    assert_true(cf_redis_stage_set(stage, pairs, N));
    assert_true(cf_redis_stage_settle(stage, 3000));
    for (int i = 0; i < N; i += 77) {
        redisReply *alias = redisCommand(f->plain, "GET alias:%d", i);
        redisReply *doc = redisCommand(f->plain, "STRLEN %s", alias->str);
        assert_int_equal(doc->integer, i * 7 + 8);
        freeReplyObject(alias);
        freeReplyObject(doc);
    }
    redisReply *size = redisCommand(f->plain, "DBSIZE");
    assert_int_equal(size->integer, 2 * N);
    freeReplyObject(size);
    assert_int_equal(cf_redis_stage_lost(stage), 0);
    assert_true(cf_redis_stage_put(stage, NULL, 0));
    cf_redis_stage_free(stage);
    cf_arena_free(a);
}

static void an_emptied_server_is_filled_again(void **state)
{
    struct fixture *f = *state;
    assert_true(put(f, "doc", 5, "five"));
    plain(f, "FLUSHALL");
    plain(f, "SCRIPT FLUSH");
    assert_true(put(f, "doc", 5, "five"));
    assert_stored(f, "doc", 5, "five");
}

static void a_frozen_server_never_holds_the_stage_longer_than_the_timeout(void **state)
{
    struct fixture *f = *state;
    static char large[200000];
    struct cf_redis_doc docs[100];
    for (size_t i = 0; i < 100; i++)
        docs[i] = (struct cf_redis_doc){
            {large + i, 8           },
            i, {large,     sizeof large}
        };
    memset(large, 'x', sizeof large);
    assert_true(put(f, "doc", 1, "one"));
    server_freeze(&redis);
    bool sent = true;
    for (int i = 0; i < 30; i++) {
        cf_ms start = cf_mono_ms();
        sent = cf_redis_stage_put(f->stage, docs, 100);
        cf_ms took = cf_mono_ms() - start;
        if (took > 400 * SERVERS_SLOWER) fail_msg("call %d took %d ms", i, (int)took);
    }
    assert_false(sent);
    assert_true(cf_redis_stage_lost(f->stage) > 0);
    assert_true(cf_redis_stage_why(f->stage)[0] != 0);
    server_thaw(&redis);
    server_sleep_ms(1050);
    assert_true(put(f, "doc", 2, "two"));
    assert_stored(f, "doc", 2, "two");
}

static void silence_ends_a_connection_even_when_little_is_sent(void **state)
{
    struct fixture *f = *state;
    const struct cf_redis_doc doc = {CF_STR("doc"), 1, CF_STR("one")};
    assert_true(put(f, "other", 1, "one"));
    server_freeze(&redis);
    assert_true(cf_redis_stage_put(f->stage, &doc, 1));
    assert_int_equal(cf_redis_stage_lost(f->stage), 0);
    server_sleep_ms(1050);
    assert_false(cf_redis_stage_put(f->stage, &doc, 1));
    assert_int_equal(cf_redis_stage_lost(f->stage), 2);
    server_thaw(&redis);
}

static void a_killed_server_costs_one_attempt_a_second(void **state)
{
    struct fixture *f = *state;
    const struct cf_redis_doc doc = {CF_STR("doc"), 1, CF_STR("one")};
    assert_true(put(f, "doc", 1, "one"));
    server_kill(&redis);
    int sent = 0;
    cf_ms start = cf_mono_ms();
    for (int i = 0; i < 20000; i++)
        sent += cf_redis_stage_put(f->stage, &doc, 1);
    assert_int_equal(sent, 0);
    assert_true(cf_mono_ms() - start < 1000);
    assert_int_equal(cf_redis_stage_lost(f->stage), 20000);
    server_redis_again(&redis);
    assert_false(cf_redis_stage_put(f->stage, &doc, 1)); /* not yet */
    server_sleep_ms(1050);
    assert_true(put(f, "doc", 1, "one"));
    plain_connect(f);
    assert_stored(f, "doc", 1, "one");
}

static void each_document_that_a_restart_swallows_is_counted_lost(void **state)
{
    struct fixture *f = *state;
    uint64_t before = cf_redis_stage_lost(f->stage), sent = 0;
    for (int i = 0; i < 40; i++) {
        char key[32];
        snprintf(key, sizeof key, "doc:%d", i);
        const struct cf_redis_doc doc = {cf_str_of(key), 1, CF_STR("x")};
        if (i == 20) {
            assert_true(cf_redis_stage_settle(f->stage, 1000));
            server_freeze(&redis);
        }
        sent += cf_redis_stage_put(f->stage, &doc, 1);
        if (i == 25) {
            server_kill(&redis);
            server_redis_again(&redis);
            server_sleep_ms(20);
        }
    }
    assert_int_equal(sent, 26);
    /* Six were sent to the frozen server and never answered, fourteen were not sent. */
    assert_int_equal(cf_redis_stage_lost(f->stage) - before, 20);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read_or_refused),
        cmocka_unit_test(a_document_is_version_and_payload),
        T(keys_of_one_turn_are_one_command),
        T(keys_and_values_may_hold_any_byte),
        T(a_callback_may_ask_again),
        T(too_many_requests_are_refused),
        T(a_frozen_server_costs_one_budget_and_then_nothing),
        T(a_server_frozen_for_long_gets_a_new_connection),
        T(a_killed_server_answers_everybody_once_and_comes_back),
        T(freeing_answers_what_is_under_way),
        T(sockets_names_databases_and_passwords_work),
        T(a_server_that_speaks_nonsense_is_left),
        T(only_a_higher_version_is_set),
        T(many_documents_and_aliases_arrive),
        T(an_emptied_server_is_filled_again),
        T(a_frozen_server_never_holds_the_stage_longer_than_the_timeout),
        T(silence_ends_a_connection_even_when_little_is_sent),
        T(a_killed_server_costs_one_attempt_a_second),
        T(each_document_that_a_restart_swallows_is_counted_lost),
    };
    return cmocka_run_group_tests(tests, servers_start, servers_stop);
}
