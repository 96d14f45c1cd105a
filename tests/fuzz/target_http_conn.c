/* A connection: bytes of one client, cut into pieces, to requests and answers. However they are
 * cut, the same requests reach the handlers and the same answers come back; but a request that is
 * refused before its body has come ends the connection, so that one may stop earlier, and a head
 * that breaks two rules may be refused for either. */
#include "common/io/http_internal.h"
#include "common/io/log.h"
#include "tests/fuzz/fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

static struct cf_loop *loop;
static struct cf_http *http;
static struct cf_buf seen; /* what reached the handler */

static void echo(struct cf_request *req, void *arg)
{
    (void)arg;
    struct cf_str id = cf_request_param(req, "id"), q = cf_request_query(req, "q");
    MUST(!id.ptr || cf_utf8_valid(id));
    MUST(!q.ptr || cf_utf8_valid(q));
    MUST(cf_request_wait_ms(req, 10000) <= 10000);
    cf_buf_printf(&seen, "%.*s|%.*s|%.*s|%zu|", CF_ARG(req->method), CF_ARG(id), CF_ARG(q),
                  req->body.len);
    cf_buf_adds(&seen, req->body);
    cf_answer(req, 200, "text/plain", CF_STR("seen"));
}

static void keyed(struct cf_request *req, void *arg)
{
    (void)arg;
    char trace[56];
    struct cf_buf b;
    struct cf_str key = cf_request_idempotency_key(req);
    if (!key.ptr) return;
    const json_t *root = cf_request_json(req);
    if (!root) return;
    cf_request_traceparent(req, trace);
    MUST(strlen(trace) == 55);
    cf_buf_init(&b, 1 << 20);
    struct cf_out o = cf_out_to(&b);
    cf_out_object(&o, NULL);
    cf_out_text(&o, "key", key);
    cf_out_end(&o);
    cf_buf_printf(&seen, "%.*s|", CF_ARG(key));
    cf_answer_header(req, "X", CF_STR("y"));
    cf_answer_json(req, 202, &b);
    cf_buf_free(&b);
}

static void begin(void)
{
    static const struct cf_route routes[] = {
        {.method = "GET",       .pattern = "/a/{id}"},
        {                .method = "POST", .pattern = "/a/{id}",      .body_max = 300},
        {                .method = "POST",   .pattern = "/json",     .body_max = 4000, .type = CF_JSON},
        { .method = "GET",       .pattern = "/secret", .scope = "secrets:read"},
    };
    static const char clients[] = "[{\"name\":\"a\",\"key\":\"secret-secret-secret-secret-1234\","
                                  "\"scopes\":[\"*\"]}]";
    struct cf_api_keys *keys;
    char why[200];
    cf_log_fd(-1);
    loop = cf_loop_new();
    MUST(!cf_api_keys_parse(cf_str_of(clients), &keys, why));
    const struct cf_http_conf conf = {.listen = "127.0.0.1:0", .label = "public", .keys = keys};
    MUST(!cf_http_new(loop, &conf, &http));
    cf_http_own(http, keys, (void (*)(void *))cf_api_keys_free);
    for (size_t i = 0; i < 4; i++)
        cf_http_route(http, &routes[i], i == 2 ? keyed : echo, NULL);
    cf_buf_init(&seen, 16 << 20);
}

/* Statuses of the answers, one after the other, without 100; refusals are alike. An answer to HEAD
 * has no body; no other body begins like an answer. */
static void statuses(struct cf_str s, struct cf_buf *out)
{
    while (s.len) {
        const char *body = memmem(s.ptr, s.len, "\r\n\r\n", 4);
        MUST(body && s.len > 12 && memcmp(s.ptr, "HTTP/1.1 ", 9) == 0);
        if (s.ptr[9] == '2') cf_buf_add(out, s.ptr + 9, 4);
        if (s.ptr[9] >= '4') cf_buf_adds(out, CF_STR("refused "));
        struct cf_str head = {s.ptr, (size_t)(body - s.ptr) + 2};
        const char *length = memmem(head.ptr, head.len, "Content-Length: ", 16);
        size_t n = length ? strtoul(length + 16, NULL, 10) : 0;
        s = (struct cf_str){body + 4, s.len - head.len - 2};
        if (s.len >= 9 && !memcmp(s.ptr, "HTTP/1.1 ", 9)) n = 0;
        if (n > s.len && !s.len) n = 0;
        MUST(n <= s.len);
        s = (struct cf_str){s.ptr + n, s.len - n};
    }
}

static void talk(struct cf_str in, size_t step, struct cf_buf *out, struct cf_buf *handled)
{
    int pair[2];
    struct cf_buf answer;
    cf_buf_init(&answer, 16 << 20);
    cf_buf_reset(&seen);
    MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
    cf_conn_open(http, pair[0], "192.0.2.1");
    bool ended = false, shut = false;
    for (int turn = 0; turn < 100000 && !ended; turn++) {
        size_t n = in.len < step ? in.len : step;
        ssize_t sent = n ? send(pair[1], in.ptr, n, MSG_NOSIGNAL) : 0;
        if (sent > 0) in = (struct cf_str){in.ptr + sent, in.len - (size_t)sent};
        if (!in.len && !shut) shut = !shutdown(pair[1], SHUT_WR);
        cf_loop_turn(loop, false);
        for (ssize_t got = 1; got > 0;) {
            char *room = cf_buf_room(&answer, 65536);
            got = recv(pair[1], room, 65536, 0);
            if (got > 0) answer.len += (size_t)got;
            /* The server has gone: it takes no more. */
            ended = got == 0 || (got < 0 && !in.len && !cf_http_connections(http));
        }
    }
    MUST(ended && cf_http_open(http) == 0);
    close(pair[1]);
    for (int turn = 0; cf_http_connections(http) && turn < 1000; turn++)
        cf_loop_turn(loop, false);
    MUST(!cf_http_connections(http));
    statuses(cf_buf_str(&answer), out);
    cf_buf_adds(handled, cf_buf_str(&seen));
    cf_buf_free(&answer);
}

/* Is the shorter of the two how the longer begins? */
static void must_begin_alike(struct cf_str a, struct cf_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    if (n == 0 || !memcmp(a.ptr, b.ptr, n)) return;
    fprintf(stderr, "whole: %.*s\ncut:   %.*s\n", CF_ARG(a), CF_ARG(b));
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_str in = fuzz_str(data, size);
    size_t step = 1 + fuzz_byte(&in) % 100;
    struct cf_buf b[4];
    if (!http) begin();
    for (int i = 0; i < 4; i++)
        cf_buf_init(&b[i], 32 << 20);
    talk(in, in.len ? in.len : 1, &b[0], &b[1]);
    talk(in, step, &b[2], &b[3]);
    must_begin_alike(cf_buf_str(&b[0]), cf_buf_str(&b[2]));
    must_begin_alike(cf_buf_str(&b[1]), cf_buf_str(&b[3]));
    for (int i = 0; i < 4; i++)
        cf_buf_free(&b[i]);
    return 0;
}
