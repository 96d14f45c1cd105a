#include "common/io/redis.h"

#include "common/io/clock.h"
#include "common/io/redis_wire.h"
#include "common/io/resolve.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* KEYS and ARGV are pairs of key and document. Versions are compared as two 32-bit numbers: Lua's
 * own comparison of strings follows the server's locale, and a number of Lua is exact up to 2^53
 * only. The text goes with each command, since for some hundred keys it weighs nothing and there
 * is no case then in which the server does not know it. */
static const char put_if_newer[] = "local old = redis.call('MGET', unpack(KEYS)) "
                                   "local set = {} "
                                   "for i = 1, #KEYS do "
                                   "local o, new = old[i], ARGV[i] "
                                   "local newer = not o or #o < 8 "
                                   "if not newer then "
                                   "local a, b = struct.unpack('>I4I4', o) "
                                   "local c, d = struct.unpack('>I4I4', new) "
                                   "newer = c > a or (c == a and d > b) "
                                   "end "
                                   "if newer then set[#set + 1] = KEYS[i] set[#set + 1] = new end "
                                   "end "
                                   "if #set > 0 then redis.call('MSET', unpack(set)) end "
                                   "return #set / 2";

enum {
    CHUNK = 256,      /* documents of one command */
    UNANSWERED = 512, /* commands; above it we wait */
    SILENT_MS = 1000, /* with commands unanswered: the connection is dead */
    COMMAND_MAX = 32 << 20
};

struct cf_redis_stage {
    struct cf_redis_url url;
    int timeout_ms, retry_ms;
    int fd;    /* -1: no connection */
    bool open; /* the greeting is answered: what is unanswered are documents */
    unsigned attempts;
    redisReader *reader;
    cf_ms next_try;
    cf_ms deadline; /* of this call */
    cf_ms heard;    /* last answer, or the first question since */
    size_t unanswered;
    uint64_t lost;
    struct cf_buf out;
    char why[96];
};

static void drop(struct cf_redis_stage *r, const char *why)
{
    snprintf(r->why, sizeof r->why, "%s", why);
    if (r->fd >= 0) close(r->fd);
    r->fd = -1;
    if (r->reader) redisReaderFree(r->reader);
    r->reader = NULL;
    if (r->open) r->lost += r->unanswered;
    r->open = false;
    r->unanswered = 0;
    r->next_try = cf_mono_ms() + r->retry_ms;
}

static int time_left(const struct cf_redis_stage *r)
{
    cf_ms left = r->deadline - cf_mono_ms();
    return left > 0 ? (int)left : 0;
}

/* ---- bytes in and out ---------------------------------------------------------------------- */

static bool replies_take(struct cf_redis_stage *r)
{
    for (;;) {
        void *p = NULL;
        if (redisReaderGetReply(r->reader, &p) != REDIS_OK || (p && r->unanswered == 0)) {
            if (p) freeReplyObject(p);
            drop(r, "an answer that is not Redis's protocol");
            return false;
        }
        if (!p) return true;
        redisReply *reply = p;
        char word[48] = "";
        bool error = reply->type == REDIS_REPLY_ERROR;
        if (error) cf_redis_error_word(reply, word, sizeof word);
        freeReplyObject(reply);
        r->heard = cf_mono_ms();
        if (error) {
            char why[96];
            snprintf(why, sizeof why, "refused a command: %s", word);
            drop(r, why);
            return false;
        }
        r->unanswered--;
    }
}

/* What is there to read, without waiting. */
static bool receive(struct cf_redis_stage *r)
{
    char piece[8192];
    for (;;) {
        ssize_t n = recv(r->fd, piece, sizeof piece, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return true;
        if (n <= 0) {
            drop(r, "closed the connection");
            return false;
        }
        redisReaderFeed(r->reader, piece, (size_t)n);
        if (!replies_take(r)) return false;
    }
}

/* Waits for one of `events`; false, and the connection dropped, at the deadline. */
static bool await(struct cf_redis_stage *r, short events, short *got)
{
    struct pollfd p = {.fd = r->fd, .events = events};
    int n = poll(&p, 1, time_left(r));
    if (n < 0 && errno == EINTR) n = time_left(r) > 0 ? 1 : 0;
    *got = p.revents;
    if (n > 0) return true;
    drop(r, "does not answer in time");
    return false;
}

/* Reads while it writes: else both sides could wait with full buffers. */
static bool send_all(struct cf_redis_stage *r)
{
    size_t sent = 0;
    while (sent < r->out.len) {
        ssize_t n = send(r->fd, r->out.ptr + sent, r->out.len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        short got;
        if (n > 0) {
            sent += (size_t)n;
        } else if (errno == EAGAIN) {
            if (!await(r, POLLIN | POLLOUT, &got)) return false;
            if ((got & POLLIN) && !receive(r)) return false;
        } else if (errno != EINTR) {
            drop(r, "closed the connection");
            return false;
        }
    }
    return true;
}

static bool answers_below(struct cf_redis_stage *r, size_t limit)
{
    short got;
    while (r->unanswered > limit)
        if (!await(r, POLLIN, &got) || !receive(r)) return false;
    return true;
}

/* ---- the connection ------------------------------------------------------------------------ */

static bool connect_socket(struct cf_redis_stage *r)
{
    struct cf_addresses to;
    if (cf_resolve_wait(r->url.host, r->url.port, time_left(r), &to)) {
        drop(r, "no address for its name");
        return false;
    }
    size_t i = r->attempts++ % to.n;
    const struct sockaddr *address = (const struct sockaddr *)&to.at[i].to;
    int one = 1, e = 0;
    socklen_t len = sizeof e;
    short got;
    r->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (r->fd < 0 || connect(r->fd, address, to.at[i].len)) e = errno;
    if (e == EINPROGRESS) {
        if (!await(r, POLLOUT, &got)) return false;
        getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &e, &len);
    }
    if (e) {
        drop(r, "cannot connect");
        return false;
    }
    /* Fails for a Unix socket, which has no such delay. */
    setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return true;
}

/* A connection that is alive as far as can be told without waiting, or a new one. */
static bool ready(struct cf_redis_stage *r)
{
    cf_ms now = cf_mono_ms();
    r->deadline = now + r->timeout_ms;
    if (r->fd >= 0) {
        if (!receive(r)) return false;
        if (r->unanswered == 0 || now - r->heard < SILENT_MS) return true;
        drop(r, "does not answer");
        return false;
    }
    if (now < r->next_try || !connect_socket(r)) return false;
    r->reader = redisReaderCreate();
    if (!r->reader) CF_BUG("no reader can be made");
    cf_buf_reset(&r->out);
    r->unanswered = (size_t)cf_redis_greet(&r->out, &r->url);
    r->open = send_all(r) && answers_below(r, 0);
    return r->open;
}

/* Sends what is in `out` as one more command. */
static bool send_command(struct cf_redis_stage *r)
{
    if (r->out.full) {
        drop(r, "a command is too large");
        return false;
    }
    if (!answers_below(r, UNANSWERED)) return false;
    if (r->unanswered++ == 0) r->heard = cf_mono_ms();
    return send_all(r);
}

/* ---- commands ------------------------------------------------------------------------------ */

static void put_command(struct cf_buf *out, const struct cf_redis_doc *docs, size_t n)
{
    char count[24];
    snprintf(count, sizeof count, "%zu", n);
    cf_buf_reset(out);
    cf_redis_words(out, 3 + 2 * n);
    cf_redis_word(out, CF_STR("EVAL"));
    cf_redis_word(out, (struct cf_str){put_if_newer, sizeof put_if_newer - 1});
    cf_redis_word(out, cf_str_of(count));
    for (size_t i = 0; i < n; i++)
        cf_redis_word(out, docs[i].key);
    for (size_t i = 0; i < n; i++) {
        uint64_t version = __builtin_bswap64(docs[i].version);
        cf_redis_word2(out, (struct cf_str){(const char *)&version, CF_REDIS_VERSION_LEN},
                       docs[i].payload);
    }
}

static void set_command(struct cf_buf *out, const struct cf_redis_pair *pairs, size_t n)
{
    cf_buf_reset(out);
    cf_redis_words(out, 1 + 2 * n);
    cf_redis_word(out, CF_STR("MSET"));
    for (size_t i = 0; i < n; i++) {
        cf_redis_word(out, pairs[i].key);
        cf_redis_word(out, pairs[i].value);
    }
}

/* Either kind in pieces; the other is NULL. */
static bool send_pieces(struct cf_redis_stage *r, const struct cf_redis_doc *docs,
                        const struct cf_redis_pair *pairs, size_t n)
{
    if (n == 0) return true;
    bool good = ready(r);
    for (size_t at = 0; good && at < n; at += CHUNK) {
        size_t piece = n - at < CHUNK ? n - at : CHUNK;
        if (docs)
            put_command(&r->out, docs + at, piece);
        else
            set_command(&r->out, pairs + at, piece);
        good = send_command(r);
    }
    if (good)
        r->why[0] = 0;
    else
        r->lost++;
    return good;
}

bool cf_redis_stage_put(struct cf_redis_stage *r, const struct cf_redis_doc *docs, size_t n)
{
    return send_pieces(r, docs, NULL, n);
}

bool cf_redis_stage_set(struct cf_redis_stage *r, const struct cf_redis_pair *pairs, size_t n)
{
    return send_pieces(r, NULL, pairs, n);
}

bool cf_redis_stage_settle(struct cf_redis_stage *r, int wait_ms)
{
    if (r->fd < 0) return false;
    r->deadline = cf_mono_ms() + wait_ms;
    return answers_below(r, 0);
}

uint64_t cf_redis_stage_lost(const struct cf_redis_stage *r)
{
    return r->lost;
}

const char *cf_redis_stage_why(const struct cf_redis_stage *r)
{
    return r->why;
}

/* ---- life ---------------------------------------------------------------------------------- */

struct cf_redis_stage *cf_redis_stage_new(const struct cf_redis_stage_conf *conf)
{
    struct cf_redis_url url;
    if (!cf_redis_url_parse(conf->url, &url)) return NULL;
    struct cf_redis_stage *r = cf_calloc(1, sizeof *r);
    r->url = url;
    r->fd = -1;
    r->timeout_ms = conf->timeout_ms ? conf->timeout_ms : 100;
    r->retry_ms = conf->retry_ms ? conf->retry_ms : 1000;
    cf_buf_init(&r->out, COMMAND_MAX);
    return r;
}

void cf_redis_stage_free(struct cf_redis_stage *r)
{
    if (!r) return;
    drop(r, "");
    cf_buf_free(&r->out);
    free(r);
}
