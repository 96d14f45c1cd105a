/* http_server: a real server on loopback, and clients that write what they should not. */
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "common/io/operator.h"
#include "tests/unit/io/sockets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <cmocka.h>

#define KEY "test-key-0123456789"
#define AUTH "Authorization: Bearer " KEY "\r\n"
#define HOST "Host: x\r\n"

struct world {
    struct cf_loop *loop;
    struct cf_metrics *metrics;
    struct cf_api_keys *keys;
    struct cf_http *http;
    struct cf_request *held[16];
    size_t n_held;
    int handled;
};

/* ---- handlers ------------------------------------------------------------------------------- */

static void echo(struct cf_request *req, void *arg)
{
    struct world *w = arg;
    struct cf_buf b;
    cf_buf_init(&b, 1 << 20);
    w->handled++;
    struct cf_out o = cf_out_to(&b);
    cf_out_object(&o, NULL);
    cf_out_text(&o, "id", cf_request_param(req, "id"));
    cf_out_text(&o, "q", cf_request_query(req, "q"));
    cf_out_text(&o, "x", cf_request_header(req, "x-TEST"));
    cf_out_text(&o, "body", req->body);
    cf_out_int(&o, "wait", cf_request_wait_ms(req, 10000));
    cf_out_z(&o, "client", req->client ? req->client->name : NULL);
    cf_out_z(&o, "trace", req->trace_id);
    cf_out_text(&o, "remote", req->remote);
    cf_out_end(&o);
    cf_answer_json(req, 200, &b);
    cf_buf_free(&b);
}

static void json_only(struct cf_request *req, void *arg)
{
    (void)arg;
    if (!cf_request_idempotency_key(req).ptr) return;
    if (!cf_request_json(req)) return;
    cf_answer_header(req, "Idempotency-Replayed", CF_STR("true"));
    cf_answer(req, 202, NULL, (struct cf_str){NULL, 0});
}

static void hold(struct cf_request *req, void *arg)
{
    struct world *w = arg;
    w->held[w->n_held++] = req;
}

static void large(struct cf_request *req, void *arg)
{
    static char much[3000000];
    (void)arg;
    memset(much, 'x', sizeof much);
    cf_answer(req, 200, "text/plain", (struct cf_str){much, sizeof much});
}

/* 1,000 parts of 20,000 bytes, or broken off after 10. */
struct parts {
    struct world *w;
    struct cf_request *req;
    int sent, break_at, readies;
};

static struct parts parts;

static void give_parts(void *arg)
{
    static char part[20000];
    struct parts *p = arg;
    bool more = true;
    memset(part, 'p', sizeof part);
    while (more && p->sent < p->break_at && !cf_request_gone(p->req)) {
        more = cf_answer_part(p->req, (struct cf_str){part, sizeof part});
        p->sent++;
    }
    if (more || cf_request_gone(p->req)) cf_answer_end(p->req, p->break_at == 1000);
}

static void on_ready(void *arg)
{
    struct parts *p = arg;
    p->readies++;
    give_parts(p);
}

static void in_parts(struct cf_request *req, void *arg)
{
    struct cf_str n = cf_request_query(req, "break");
    parts = (struct parts){.w = arg, .req = req, .break_at = n.ptr ? 10 : 1000};
    cf_answer_begin(req, 200, "text/plain", on_ready, &parts);
    give_parts(&parts);
}

static const struct cf_route routes[] = {
    {.method = "GET",  .pattern = "/echo/{id}", .scope = "echo:read"             },
    {.method = "POST", .pattern = "/echo/{id}", .scope = "echo:write",             .body_max = 100000},
    {.method = "POST",                .pattern = "/json",                        .body_max = 1000,                        .type = CF_JSON},
    {.method = "GET", .pattern = "/open"                       },
    {.method = "POST",                .pattern = "/hold", .answer_ms = 400,                    .body_max = 100},
    {.method = "GET", .pattern = "/large"                       },
    {.method = "GET",                .pattern = "/none",  .scope = "other:scope"},
    {.method = "GET", .pattern = "/parts"                       },
};

static int start_with(void **state, struct cf_http_conf conf)
{
    char why[200];
    struct world *w = cf_calloc(1, sizeof *w);
    cf_log_level_set(LOG_WARN);
    w->loop = cf_loop_new();
    w->metrics = cf_metrics_new();
    if (cf_api_keys_parse(CF_STR("[{\"name\":\"bank\",\"key\":\"" KEY
                                 "\",\"scopes\":[\"echo:read\",\"echo:write\"]}]"),
                          &w->keys, why))
        return -1;
    conf.listen = "127.0.0.1:0";
    conf.keys = w->keys;
    conf.metrics = w->metrics;
    if (cf_http_new(w->loop, &conf, &w->http)) return -1;
    cf_http_route(w->http, &routes[0], echo, w);
    cf_http_route(w->http, &routes[1], echo, w);
    cf_http_route(w->http, &routes[2], json_only, w);
    cf_http_route(w->http, &routes[3], echo, w);
    cf_http_route(w->http, &routes[4], hold, w);
    cf_http_route(w->http, &routes[5], large, w);
    cf_http_route(w->http, &routes[6], echo, w);
    cf_http_route(w->http, &routes[7], in_parts, w);
    *state = w;
    return 0;
}

static int start(void **state)
{
    return start_with(state, (struct cf_http_conf){0});
}

static int start_hasty(void **state)
{
    return start_with(state, (struct cf_http_conf){.head_ms = 300,
                                                   .body_ms = 300,
                                                   .idle_ms = 1500,
                                                   .max_connections = 3,
                                                   .bodies_max = 65536});
}

static int stop(void **state)
{
    struct world *w = *state;
    cf_http_free(w->http);
    /* What a handler still holds may be answered after the server's end. */
    for (size_t i = 0; i < w->n_held; i++)
        if (w->held[i]) cf_answer(w->held[i], 200, NULL, (struct cf_str){NULL, 0});
    cf_api_keys_free(w->keys);
    cf_metrics_free(w->metrics);
    cf_loop_free(w->loop);
    free(w);
    return 0;
}

/* ---- talking -------------------------------------------------------------------------------- */

/* One connection: sends, hears until the end or a pause; the caller frees. */
static char *talk(struct world *w, struct cf_str bytes, const char *until, bool *ended)
{
    int fd = connect_to(cf_http_url(w->http));
    say(fd, bytes);
    char *text = hear(w->loop, fd, until, 3000, ended);
    close(fd);
    turn(w->loop, 2);
    return text;
}

static void has(const char *text, const char *want)
{
    if (!strstr(text, want)) fail_msg("missing: %s\nin:\n%s", want, text);
}

static void a_request_reaches_its_handler_with_all_it_has(void **state)
{
    struct world *w = *state;
    bool ended;
    char *t = talk(w,
                   CF_STR("POST /echo/a%2Fb%20%E5%BC%A0?p=1&q=x+%2By HTTP/1.1\r\n" HOST AUTH
                          "X-Test:  some value \t\r\nPrefer: respond-async, wait=5\r\n"
                          "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n"
                          "Content-Length: 5\r\n\r\nhello"),
                   "}", &ended);
    assert_false(ended);
    has(t, "HTTP/1.1 200 OK\r\nDate: ");
    has(t, "\r\nContent-Type: application/json\r\n");
    has(t, "\r\nCache-Control: no-store\r\n");
    has(t, "{\"id\":\"a/b \xE5\xBC\xA0\",\"q\":\"x +y\",\"x\":\"some value\",\"body\":\"hello\","
           "\"wait\":5000,\"client\":\"bank\",\"trace\":\"0123456789abcdef0123456789abcdef\","
           "\"remote\":\"127.0.0.1\"}");
    free(t);
}

static void what_is_malformed_is_refused_and_the_connection_closed(void **state)
{
    struct world *w = *state;
#define L(s)                                                                                       \
    {                                                                                              \
        s, sizeof(s) - 1                                                                           \
    }
    static const struct {
        const char *why;
        struct cf_str send;
        const char *status, *code;
    } cases[] = {
        {"two lengths",
         L("POST /json HTTP/1.1\r\n" HOST "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
         "400",                                                                                                   "malformed_request"},
        {"the same length twice",
         L("POST /json HTTP/1.1\r\n" HOST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
         "400",                                                                                                   "malformed_request"},
        {"length list",            L("POST /json HTTP/1.1\r\n" HOST "Content-Length: 2, 2\r\n\r\n{}"),     "400",
         "malformed_request"                                                                                                         },
        {"length +2",              L("POST /json HTTP/1.1\r\n" HOST "Content-Length: +2\r\n\r\n{}"),       "400",
         "malformed_request"                                                                                                         },
        {"length 0x2",             L("POST /json HTTP/1.1\r\n" HOST "Content-Length: 0x2\r\n\r\n{}"),      "400",
         "malformed_request"                                                                                                         },
        {"length empty",           L("POST /json HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\n{}"),         "400",
         "malformed_request"                                                                                                         },
        {"length huge",
         L("POST /json HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n"),                 "400",
         "malformed_request"                                                                                                         },
        {"chunks",
         L("POST /json HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
         "411",                                                                                                   "length_required"  },
        {"chunks and length",
         L("POST /json HTTP/1.1\r\n" HOST
           "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}"),
         "400",                                                                                                   "malformed_request"},
        {"chunks on GET",          L("GET /open HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n"),
         "411",                                                                                                   "length_required"  },
        {"%00",                    L("GET /echo/%00 HTTP/1.1\r\n" HOST "\r\n"),                            "400", "malformed_request"},
        {"NUL",                    L("GET /echo/\0 HTTP/1.1\r\n" HOST "\r\n"),                             "400", "malformed_request"},
        {"NUL in a header",        L("GET /open HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n"),                     "400",
         "malformed_request"                                                                                                         },
        {"path not UTF-8",         L("GET /echo/%FF HTTP/1.1\r\n" HOST "\r\n"),                            "400", "malformed_request"},
        {"raw bytes in the path",  L("GET /echo/\xE5\xBC\xA0 HTTP/1.1\r\n" HOST "\r\n"),                   "400",
         "malformed_request"                                                                                                         },
        {"bad escape",             L("GET /echo/%4 HTTP/1.1\r\n" HOST "\r\n"),                             "400", "malformed_request"},
        {"absolute form",          L("GET http://x/open HTTP/1.1\r\n" HOST "\r\n"),                        "400",
         "malformed_request"                                                                                                         },
        {"no host",                L("GET /open HTTP/1.1\r\n\r\n"),                                        "400", "malformed_request"},
        {"two hosts",              L("GET /open HTTP/1.1\r\n" HOST HOST "\r\n"),                           "400", "malformed_request"},
        {"folded",                 L("GET /open HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n"),                  "400",
         "malformed_request"                                                                                                         },
        {"blank before the colon", L("GET /open HTTP/1.1\r\n" HOST "Content-Length : 0\r\n\r\n"),
         "400",                                                                                                   "malformed_request"},
        {"LF alone",               L("GET /open HTTP/1.1\nHost: x\n\n"),                                   "400", "malformed_request"},
        {"LF alone in the middle", L("GET /open HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"),                       "400",
         "malformed_request"                                                                                                         },
        {"CR alone",               L("GET /open HTTP/1.1\r\n" HOST "A: b\rC: d\r\n\r\n"),                  "400",
         "malformed_request"                                                                                                         },
        {"HTTP/2.0",               L("GET /open HTTP/2.0\r\n" HOST "\r\n"),                                "505", "version"          },
        {"HTTP/0.9",               L("GET /open\r\n\r\n"),                                                 "400", "malformed_request"},
        {"two blanks",             L("GET  /open HTTP/1.1\r\n" HOST "\r\n"),                               "400", "malformed_request"},
        {"TLS",                    L("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),              "400",
         "malformed_request"                                                                                                         },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool ended;
        char *t = talk(w, cases[i].send, NULL, &ended);
        char status[40], code[80];
        snprintf(status, sizeof status, "HTTP/1.1 %s ", cases[i].status);
        snprintf(code, sizeof code, "\"code\":\"%s\"", cases[i].code);
        if (strncmp(t, status, strlen(status)) != 0 || !strstr(t, code) ||
            times(t, "\r\nDate: ") != 1)
            fail_msg("%s: %s", cases[i].why, t);
        has(t, "Content-Type: application/problem+json\r\n");
        has(t, "Connection: close\r\n");
        has(t, "\"errors\":[{\"field\":");
        if (!ended) fail_msg("%s: was not closed", cases[i].why);
        free(t);
    }
    assert_int_equal(w->handled, 0);
    /* And the next good one works. */
    bool ended;
    char *t = talk(w, CF_STR("GET /open HTTP/1.1\r\n" HOST "\r\n"), "}", &ended);
    has(t, "HTTP/1.1 200 OK");
    free(t);
}

static void refusals_before_the_handler_say_what_to_do(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *why, *send, *want[4];
    } cases[] = {
        {"no path",            "GET /nothing HTTP/1.1\r\n" HOST "\r\n",                            {"404 Not Found", "\"not_found\""}                                          },
        {"method",             "DELETE /json HTTP/1.1\r\n" HOST "\r\n",                            {"405 Method", "\r\nAllow: POST\r\n"}                                       },
        {"no key",
         "GET /echo/1 HTTP/1.1\r\n" HOST "\r\n",
         {"401 Unauth", "\r\nWWW-Authenticate: Bearer\r\n", "\"unauthorized\""}                                                                                                },
        {"other key",
         "GET /echo/1 HTTP/1.1\r\n" HOST "Authorization: Bearer nobody\r\n\r\n",
         {"401 Unauth"}                                                                                                                                                        },
        {"basic",
         "GET /echo/1 HTTP/1.1\r\n" HOST "Authorization: Basic " KEY "\r\n\r\n",
         {"401 Unauth"}                                                                                                                                                        },
        {"scope",
         "GET /none HTTP/1.1\r\n" HOST AUTH "\r\n",
         {"403 Forb", "\"missing_scope\"", "needs the scope other:scope"}                                                                                                      },
        {"media type",
         "POST /json HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
         {"415 Uns", "must be application/json"}                                                                                                                               },
        {"no media type",
         "POST /json HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}",
         {"415 Uns"}                                                                                                                                                           },
        {"too large",
         "POST /json HTTP/1.1\r\n" HOST
         "Content-Type: application/json\r\nContent-Length: 1001\r\n\r\n",                         {"413 Con", "at most 1000 bytes", "\"field\":\"body\"", "Connection: close"}},
        {"GET with body",      "GET /open HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx",         {"413 Con"}                                                                 },
        {"no idempotency key",
         "POST /json HTTP/1.1\r\n" HOST
         "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",                          {"400 Bad", "\"idempotency_key_required\"", "\"field\":\"Idempotency-Key\""}},
        {"no JSON",
         "POST /json HTTP/1.1\r\n" HOST "Idempotency-Key: k\r\nContent-Type: application/json; "
         "charset=utf-8\r\nContent-Length: 8\r\n\r\n{\"a\":\n!}",                                  {"400 Bad", "\"malformed_json\"", "line 2"}                                 },
        {"good",
         "POST /json HTTP/1.1\r\n" HOST "Idempotency-Key: \"k-1\"\r\nContent-Type: "
         "Application/JSON\r\nContent-Length: 2\r\n\r\n{}",                                        {"202 Accepted", "\r\nIdempotency-Replayed: true\r\n", "Content-Length: 0"} },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool ended;
        char *t = talk(w, cf_str_of(cases[i].send), i == 12 ? "\r\n\r\n" : "}", &ended);
        for (size_t j = 0; j < 4 && cases[i].want[j]; j++)
            if (!strstr(t, cases[i].want[j]))
                fail_msg("%s: no %s in %s", cases[i].why, cases[i].want[j], t);
        free(t);
    }
}

static void a_large_body_without_a_key_is_not_read(void **state)
{
    struct world *w = *state;
    static char much[70000];
    bool ended;
    int fd = connect_to(cf_http_url(w->http));
    memset(much, 'x', sizeof much);
    /* The server refuses while most of the body is unread: the answer must come through, and be
     * followed by an end, not by a reset. */
    say(fd, CF_STR("POST /echo/1 HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n"));
    say(fd, (struct cf_str){much, sizeof much});
    char *t = hear(w->loop, fd, NULL, 3000, &ended);
    assert_int_equal(errno, 0);
    has(t, "HTTP/1.1 401");
    assert_true(ended);
    assert_int_equal(w->handled, 0);
    free(t);
    close(fd);
}

static void an_oversized_head_is_431(void **state)
{
    struct world *w = *state;
    static char much[9000];
    bool ended;
    struct cf_buf b;
    cf_buf_init(&b, 20000);
    memset(much, 'x', sizeof much);
    cf_buf_printf(&b, "GET /open HTTP/1.1\r\n" HOST "A: %.*s\r\n\r\n", (int)sizeof much, much);
    char *t = talk(w, cf_buf_str(&b), NULL, &ended);
    has(t, "HTTP/1.1 431 ");
    assert_true(ended);
    free(t);
    cf_buf_reset(&b);
    cf_buf_adds(&b, CF_STR("GET /open HTTP/1.1\r\n" HOST));
    for (int i = 0; i < 70; i++)
        cf_buf_printf(&b, "A%d: b\r\n", i);
    cf_buf_adds(&b, CF_STR("\r\n"));
    t = talk(w, cf_buf_str(&b), NULL, &ended);
    has(t, "HTTP/1.1 431 ");
    free(t);
    cf_buf_free(&b);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct world *w = *state;
    bool ended;
    struct cf_buf b;
    cf_buf_init(&b, 1 << 20);
    for (int i = 0; i < 300; i++)
        cf_buf_printf(&b, "POST /echo/%d HTTP/1.1\r\n" HOST AUTH "Content-Length: 3\r\n\r\nb%02d",
                      i, i % 100);
    cf_buf_adds(&b, CF_STR("GET /open?q=last HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
    char *t = talk(w, cf_buf_str(&b), NULL, &ended);
    assert_true(ended);
    assert_int_equal(w->handled, 301);
    const char *p = t;
    for (int i = 0; i < 300; i++) {
        char want[60];
        snprintf(want, sizeof want, "{\"id\":\"%d\",\"q\":null,\"x\":null,\"body\":\"b%02d\"", i,
                 i % 100);
        p = strstr(p, want);
        if (!p) fail_msg("no answer %d", i);
    }
    has(p, "\"q\":\"last\"");
    free(t);
    cf_buf_free(&b);
}

static void bytes_may_come_one_by_one(void **state)
{
    struct world *w = *state;
    static const char send[] =
        "POST /echo/7 HTTP/1.1\r\n" HOST AUTH "Content-Length: 4\r\n\r\nbody";
    bool ended;
    int fd = connect_to(cf_http_url(w->http));
    for (size_t i = 0; i < sizeof send - 1; i++) {
        say(fd, (struct cf_str){send + i, 1});
        cf_loop_turn(w->loop, false);
    }
    char *t = hear(w->loop, fd, "}", 3000, &ended);
    has(t, "\"body\":\"body\"");
    free(t);
    close(fd);
}

static void expect_100_continue_is_answered(void **state)
{
    struct world *w = *state;
    bool ended;
    int fd = connect_to(cf_http_url(w->http));
    say(fd, CF_STR("POST /echo/7 HTTP/1.1\r\n" HOST AUTH
                   "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"));
    char *t = hear(w->loop, fd, "\r\n\r\n", 3000, &ended);
    assert_string_equal(t, "HTTP/1.1 100 Continue\r\n\r\n");
    free(t);
    say(fd, CF_STR("body"));
    t = hear(w->loop, fd, "}", 3000, &ended);
    has(t, "HTTP/1.1 200 OK");
    free(t);
    close(fd);
}

static void a_half_closed_client_still_gets_its_answer(void **state)
{
    struct world *w = *state;
    bool ended;
    int fd = connect_to(cf_http_url(w->http));
    say(fd, CF_STR("POST /hold HTTP/1.1\r\n" HOST "\r\n"));
    shutdown(fd, SHUT_WR);
    turn(w->loop, 30);
    assert_int_equal(w->n_held, 1);
    cf_answer(w->held[0], 200, "text/plain", CF_STR("late"));
    w->held[0] = NULL;
    char *t = hear(w->loop, fd, NULL, 3000, &ended);
    has(t, "\r\n\r\nlate");
    assert_true(ended);
    free(t);
    close(fd);
}

static void a_client_that_is_gone_harms_nobody(void **state)
{
    struct world *w = *state;
    const struct linger now = {1, 0};
    int fd = connect_to(cf_http_url(w->http));
    say(fd, CF_STR("POST /hold HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody"
                   "POST /hold HTTP/1.1\r\n" HOST "\r\n"));
    turn(w->loop, 20);
    assert_int_equal(w->n_held, 1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd); /* a reset */
    turn(w->loop, 20);
    assert_true(cf_str_is(w->held[0]->body, "body"));
    cf_answer(w->held[0], 200, "text/plain", CF_STR("late"));
    w->held[0] = NULL;
    turn(w->loop, 700);
    for (size_t i = 1; i < w->n_held; i++) {
        assert_true(cf_request_gone(w->held[i]));
        cf_answer(w->held[i], 200, NULL, (struct cf_str){NULL, 0});
        w->held[i] = NULL;
    }
    assert_int_equal(cf_http_open(w->http), 0);
    assert_int_equal(cf_http_connections(w->http), 0);
}

static void a_handler_that_is_late_is_answered_for(void **state)
{
    struct world *w = *state;
    bool ended;
    int fd = connect_to(cf_http_url(w->http));
    say(fd, CF_STR("POST /hold HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody"));
    char *t = hear(w->loop, fd, NULL, 3000, &ended);
    has(t, "HTTP/1.1 503 ");
    has(t, "\r\nRetry-After: 1\r\n");
    has(t, "\"code\":\"timeout\"");
    assert_true(ended);
    assert_int_equal(w->n_held, 1);
    assert_true(cf_request_gone(w->held[0]));
    /* Its text is still there, and the answer is dropped. */
    assert_true(cf_str_is(w->held[0]->body, "body"));
    assert_int_equal(cf_http_open(w->http), 1);
    cf_answer(w->held[0], 200, "text/plain", CF_STR("too late"));
    w->held[0] = NULL;
    assert_int_equal(cf_http_open(w->http), 0);
    free(t);
    close(fd);
}

static void a_trickling_client_is_cut_off_in_time(void **state)
{
    struct world *w = *state; /* 300 ms each for head and body */
    static const char head[] = "GET /open HTTP/1.1\r\nA: bcdefghijklmnopqrstuvwxyz\r\n";
    static const char *const kinds[] = {"", "POST /echo/1 HTTP/1.1\r\n" HOST AUTH
                                            "Content-Length: 1000\r\n\r\n"};
    for (size_t k = 0; k < 2; k++) {
        int fd = connect_to(cf_http_url(w->http));
        cf_ms began = cf_mono_ms();
        char buf[1000];
        ssize_t n = -1;
        say(fd, cf_str_of(kinds[k]));
        /* A byte every 20 ms: a timeout per read would never end this. */
        for (size_t i = 0; n < 0 && cf_mono_ms() - began < 3000; i++) {
            say(fd, (struct cf_str){head + i % (sizeof head - 1), 1});
            turn(w->loop, 20);
            n = recv(fd, buf, sizeof buf - 1, MSG_DONTWAIT);
        }
        cf_ms took = cf_mono_ms() - began;
        assert_true(n > 0);
        buf[n] = 0;
        has(buf, "HTTP/1.1 408 ");
        if (took < 280 || took > 1000) fail_msg("kind %zu was cut off after %ld ms", k, (long)took);
        close(fd);
        turn(w->loop, 5);
    }
    assert_int_equal(w->handled, 0);
    assert_int_equal(cf_http_connections(w->http), 0);
}

static void an_idle_connection_is_closed(void **state)
{
    struct world *w = *state;
    bool ended;
    cf_ms began = cf_mono_ms();
    int fd = connect_to(cf_http_url(w->http));
    say(fd, CF_STR("GET /open HTTP/1.1\r\n" HOST "\r\n"));
    char *t = hear(w->loop, fd, NULL, 3000, &ended);
    assert_true(ended);
    assert_int_equal(times(t, "HTTP/1.1 "), 1);
    assert_in_range(cf_mono_ms() - began, 1450, 2500);
    free(t);
    close(fd);
}

static void one_connection_too_many_is_turned_away(void **state)
{
    struct world *w = *state; /* 3 at most */
    int fds[5];
    bool ended;
    for (size_t i = 0; i < 5; i++)
        fds[i] = connect_to(cf_http_url(w->http));
    turn(w->loop, 20);
    assert_int_equal(cf_http_connections(w->http), 3);
    char *t = hear(w->loop, fds[4], NULL, 1000, &ended);
    has(t, "HTTP/1.1 503 ");
    assert_true(ended);
    free(t);
    say(fds[0], CF_STR("GET /open HTTP/1.1\r\n" HOST "\r\n"));
    t = hear(w->loop, fds[0], "}", 1000, &ended);
    has(t, "HTTP/1.1 200 ");
    free(t);
    for (size_t i = 0; i < 5; i++)
        close(fds[i]);
    turn(w->loop, 20);
    assert_int_equal(cf_http_connections(w->http), 0);
}

/* Without a descriptor for it the connection would wait, and the listener stay readable for ever. */
static void without_descriptors_who_comes_is_turned_away(void **state)
{
    struct world *w = *state;
    struct rlimit old, none;
    bool ended;
    int fd = connect_to(cf_http_url(w->http)), free_fd = dup(fd);
    assert_true(free_fd > fd);
    close(free_fd);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = (struct rlimit){(rlim_t)free_fd, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    alarm(10); /* a listener that stays readable does not let a turn of the loop end */
    char *t = hear(w->loop, fd, NULL, 1000, &ended);
    alarm(0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_true(ended);
    free(t);
    close(fd);
    free(talk(w, CF_STR("GET /echo/1 HTTP/1.1\r\n" HOST AUTH "\r\n"), "}", &ended));
    assert_int_equal(w->handled, 1);
}

static void all_bodies_together_are_bounded(void **state)
{
    struct world *w = *state; /* 64 KiB together, 100,000 for one by its route */
    static char much[99000];
    bool ended;
    memset(much, 'x', sizeof much);
    int fd = connect_to(cf_http_url(w->http));
    say(fd, CF_STR("POST /echo/1 HTTP/1.1\r\n" HOST AUTH "Content-Length: 99000\r\n\r\n"));
    for (size_t i = 0; i < sizeof much; i += 9000) {
        say(fd, (struct cf_str){much + i, 9000});
        turn(w->loop, 2);
    }
    char *t = hear(w->loop, fd, NULL, 3000, &ended);
    has(t, "HTTP/1.1 503 ");
    has(t, "\"code\":\"busy\"");
    free(t);
    close(fd);
}

static void a_large_answer_waits_for_a_slow_reader(void **state)
{
    struct world *w = *state;
    const int small = 65536;
    int fd = connect_to(cf_http_url(w->http));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    say(fd, CF_STR("GET /large HTTP/1.1\r\n" HOST "\r\nGET /large HTTP/1.1\r\n" HOST
                   "Connection: close\r\n\r\n"));
    static char buf[65536];
    size_t have = 0;
    cf_ms stop = cf_mono_ms() + 10000;
    for (ssize_t n = -1; n != 0 && cf_mono_ms() < stop;) {
        cf_loop_turn(w->loop, false);
        n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
        if (n > 0) have += (size_t)n;
    }
    assert_in_range(have, 6000000, 6001000);
    close(fd);
}

/* Everything that comes until the connection ends or `most` bytes are there; their number. */
static size_t take(struct world *w, int fd, char *tail, size_t room, size_t most)
{
    static char buf[65536];
    size_t have = 0;
    cf_ms stop = cf_mono_ms() + 10000;
    for (ssize_t n = -1; n != 0 && have < most && cf_mono_ms() < stop;) {
        cf_loop_turn(w->loop, false);
        n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
        if (n <= 0) continue;
        have += (size_t)n;
        size_t keep = (size_t)n < room ? (size_t)n : room;
        memcpy(tail, buf + (size_t)n - keep, keep);
    }
    return have;
}

static void an_answer_in_parts_goes_as_fast_as_it_is_read(void **state)
{
    struct world *w = *state;
    char tail[5] = "";
    int fd = connect_to(cf_http_url(w->http));
    say(fd, CF_STR("GET /parts HTTP/1.1\r\n" HOST "\r\n"));
    turn(w->loop, 100);
    assert_in_range(parts.sent, 4, 999); /* not all of it is in memory */
    size_t want = 1000 * (size_t)(20000 + 4 + 4) + 5;
    size_t have = take(w, fd, tail, sizeof tail, want + 100);
    assert_in_range(have, want + 1, want + 1000); /* and a head */
    assert_memory_equal(tail, "0\r\n\r\n", 5);
    assert_true(parts.readies > 1);
    say(fd, CF_STR("GET /open HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
    assert_in_range(take(w, fd, tail, sizeof tail, 100000), 100, 1000);
    close(fd);
    turn(w->loop, 2);
}

static void an_answer_in_parts_that_is_broken_off_shows_it(void **state)
{
    struct world *w = *state;
    char tail[5] = "";
    const char *const heads[] = {"GET /parts?break=10 HTTP/1.1\r\n" HOST "\r\n",
                                 "GET /parts?break=10 HTTP/1.0\r\n" HOST "\r\n"};
    for (int i = 0; i < 2; i++) {
        int fd = connect_to(cf_http_url(w->http));
        say(fd, cf_str_of(heads[i]));
        size_t have = take(w, fd, tail, sizeof tail, 1000000);
        assert_true(have < 10 * 20100 + 1000);
        assert_memory_not_equal(tail, "0\r\n\r\n", 5);
        close(fd);
        turn(w->loop, 2);
    }
    assert_int_equal(cf_http_open(w->http), 0);
}

static void a_reader_of_parts_that_is_gone_ends_the_handler(void **state)
{
    struct world *w = *state;
    int fd = connect_to(cf_http_url(w->http));
    say(fd, CF_STR("GET /parts HTTP/1.1\r\n" HOST "\r\n"));
    turn(w->loop, 50);
    assert_int_equal(cf_http_open(w->http), 1);
    const struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
    turn(w->loop, 50);
    assert_int_equal(cf_http_open(w->http), 0);
    assert_int_equal(cf_http_connections(w->http), 0);
}

static void head_gets_no_body_and_http_1_0_is_closed(void **state)
{
    struct world *w = *state;
    bool ended;
    char *t = talk(w, CF_STR("HEAD /open HTTP/1.1\r\n" HOST "\r\nGET /open HTTP/1.0\r\n\r\n"), NULL,
                   &ended);
    assert_true(ended);
    assert_int_equal(times(t, "HTTP/1.1 200 OK"), 2);
    assert_int_equal(times(t, "{"), 1);
    free(t);
}

static void requests_are_counted_by_route(void **state)
{
    struct world *w = *state;
    bool ended;
    struct cf_buf b;
    cf_buf_init(&b, 1 << 20);
    free(talk(w, CF_STR("GET /echo/1 HTTP/1.1\r\n" HOST AUTH "\r\n"), "}", &ended));
    free(talk(w, CF_STR("GET /echo/1 HTTP/1.1\r\n" HOST "\r\n"), "}", &ended));
    cf_metrics_render(w->metrics, &b);
    cf_buf_add(&b, "", 1);
    has(b.ptr,
        "cardflow_http_requests_total{method=\"GET\",route=\"/echo/{id}\",status=\"2xx\"} 1\n");
    has(b.ptr, "cardflow_http_refused_total{listener=\"public\"} 1\n");
    has(b.ptr, "cardflow_http_request_seconds_count{method=\"GET\",route=\"/echo/{id}\"} 1\n");
    cf_buf_free(&b);
}

static void draining_lets_requests_end(void **state)
{
    struct world *w = *state;
    bool ended;
    int idle = connect_to(cf_http_url(w->http)), busy = connect_to(cf_http_url(w->http));
    say(busy, CF_STR("POST /hold HTTP/1.1\r\n" HOST "\r\n"));
    turn(w->loop, 20);
    cf_http_drain(w->http);
    char *t = hear(w->loop, idle, NULL, 1000, &ended);
    assert_true(ended);
    free(t);
    cf_answer(w->held[0], 200, "text/plain", CF_STR("done"));
    w->held[0] = NULL;
    t = hear(w->loop, busy, NULL, 1000, &ended);
    has(t, "Connection: close\r\n\r\ndone");
    assert_true(ended);
    free(t);
    close(idle);
    close(busy);
}

/* ---- the operator's routes ---------------------------------------------------------------------
 */

static void not_ready(struct cf_reasons *r, void *arg)
{
    if (*(bool *)arg) cf_reasons_add(r, "postgres is away");
}

static void the_operator_hears_of_health(void **state)
{
    struct world *w = *state;
    bool ended, away = true;
    struct cf_http_conf conf = {.listen = "127.0.0.1:0", .label = "operator"};
    struct cf_http *own = w->http;
    assert_int_equal(cf_http_new(w->loop, &conf, &w->http), 0);
    cf_operator_routes(w->http, w->metrics, not_ready, &away);
    char *t = talk(w, CF_STR("GET /livez HTTP/1.1\r\n" HOST "\r\n"), "ok\n", &ended);
    has(t, "HTTP/1.1 200 OK");
    free(t);
    t = talk(w, CF_STR("GET /readyz HTTP/1.1\r\n" HOST "\r\n"), "}", &ended);
    has(t, "HTTP/1.1 503 ");
    has(t, "{\"ready\":false,\"reasons\":[\"postgres is away\"]}");
    free(t);
    away = false;
    t = talk(w, CF_STR("GET /readyz HTTP/1.1\r\n" HOST "\r\n"), "}", &ended);
    has(t, "HTTP/1.1 200 OK");
    has(t, "{\"ready\":true,\"reasons\":[]}");
    free(t);
    t = talk(w, CF_STR("GET /metrics HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), NULL, &ended);
    has(t, "Content-Type: text/plain; version=0.0.4\r\n");
    has(t, "process_resident_memory_bytes ");
    free(t);
#ifdef CARDFLOW_TEST_HOOKS
    t = talk(w,
             CF_STR("POST /test/clock HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                    "Content-Length: 36\r\n\r\n{\"now\": \"2030-01-01T00:00:00+08:00\"} "),
             "}", &ended);
    has(t, "{\"now\":\"2030-01-01T00:00:00");
    free(t);
    t = talk(w,
             CF_STR("POST /test/clock HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                    "Content-Length: 24\r\n\r\n{\"advance_ms\": 86400000}"),
             "}", &ended);
    has(t, "{\"now\":\"2030-01-02T00:00:0");
    free(t);
    t = talk(w,
             CF_STR("POST /test/clock HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
                    "Content-Length: 18\r\n\r\n{\"now\": \"tomorrow\"}"),
             "}", &ended);
    has(t, "HTTP/1.1 400 ");
    free(t);
    cf_clock_advance(0);
#endif
    cf_http_free(w->http);
    w->http = own;
}

static void the_ready_file_has_the_addresses(void **state)
{
    (void)state;
    char path[100], text[300] = "", want[300];
    snprintf(path, sizeof path, "/tmp/cardflow-ready-%ld.json", (long)getpid());
    assert_int_equal(cf_ready_file("", "a", "b"), 0);
    assert_int_equal(cf_ready_file("/nonexistent/x", "a", "b"), CF_E_CONFIG);
    assert_int_equal(cf_ready_file(path, "http://127.0.0.1:1", "http://127.0.0.1:2"), 0);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    unlink(path);
    snprintf(want, sizeof want,
             "{\"http\":\"http://127.0.0.1:1\",\"operator\":\"http://127.0.0.1:2\",\"pid\":%ld}\n",
             (long)getpid());
    assert_string_equal(text, want);
}

static void an_address_that_cannot_be_is_refused(void **state)
{
    struct world *w = *state;
    static const char *const wrong[] = {
        "", "x", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999x", "192.0.2.1:1"};
    struct cf_http *http = NULL;
    cf_log_fd(-1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct cf_http_conf conf = {.listen = wrong[i]};
        if (cf_http_new(w->loop, &conf, &http) != CF_E_CONFIG) fail_msg("%s was taken", wrong[i]);
    }
    struct cf_http_conf twice = {.listen = cf_http_url(w->http) + strlen("http://")};
    assert_int_equal(cf_http_new(w->loop, &twice, &http), CF_E_CONFIG);
    cf_log_fd(STDOUT_FILENO);
}

#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
#define HASTY(f) cmocka_unit_test_setup_teardown(f, start_hasty, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_request_reaches_its_handler_with_all_it_has),
        T(what_is_malformed_is_refused_and_the_connection_closed),
        T(refusals_before_the_handler_say_what_to_do),
        T(a_large_body_without_a_key_is_not_read),
        T(an_oversized_head_is_431),
        T(pipelined_requests_are_answered_in_order),
        T(bytes_may_come_one_by_one),
        T(expect_100_continue_is_answered),
        T(a_half_closed_client_still_gets_its_answer),
        T(a_client_that_is_gone_harms_nobody),
        T(a_handler_that_is_late_is_answered_for),
        HASTY(a_trickling_client_is_cut_off_in_time),
        HASTY(an_idle_connection_is_closed),
        HASTY(one_connection_too_many_is_turned_away),
        HASTY(without_descriptors_who_comes_is_turned_away),
        HASTY(all_bodies_together_are_bounded),
        T(a_large_answer_waits_for_a_slow_reader),
        T(an_answer_in_parts_goes_as_fast_as_it_is_read),
        T(an_answer_in_parts_that_is_broken_off_shows_it),
        T(a_reader_of_parts_that_is_gone_ends_the_handler),
        T(head_gets_no_body_and_http_1_0_is_closed),
        T(requests_are_counted_by_route),
        T(draining_lets_requests_end),
        T(the_operator_hears_of_health),
        T(the_ready_file_has_the_addresses),
        T(an_address_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
