/* sockets -- raw clients and partners for the tests of HTTP: bytes exactly as written, all in the
 * test's own thread, turning the loop while they wait. */
#pragma once
#include "common/io/clock.h"
#include "common/io/loop.h"
#include "common/pure/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int connect_to(const char *url)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    const char *colon = strrchr(url, ':');
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a.sin_port = htons((uint16_t)atoi(colon + 1));
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) abort();
    return fd;
}

static inline void turn(struct cf_loop *loop, cf_ms ms)
{
    cf_ms until = cf_mono_ms() + ms;
    do {
        cf_loop_turn(loop, false);
        usleep(300);
    } while (cf_mono_ms() < until);
}

static inline void say(int fd, struct cf_str bytes)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) return;
        bytes.ptr += n;
        bytes.len -= (size_t)n;
    }
}

/* What comes until `until` is in it, the other side ends (*ended) or ms have passed. errno is
 * ECONNRESET when it ended by a reset, else 0. */
static inline char *hear(struct cf_loop *loop, int fd, const char *until, cf_ms ms, bool *ended)
{
    size_t have = 0, cap = 1 << 20;
    char *text = malloc(cap);
    cf_ms stop = cf_mono_ms() + ms;
    if (!text) abort();
    text[0] = 0;
    int why = 0;
    *ended = false;
    while (cf_mono_ms() < stop && !*ended && have + 1 < cap && !(until && strstr(text, until))) {
        cf_loop_turn(loop, false);
        ssize_t n = recv(fd, text + have, cap - 1 - have, MSG_DONTWAIT);
        if (n > 0) have += (size_t)n;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            why = n < 0 ? errno : 0;
            *ended = true;
        }
        if (n < 0) usleep(300);
        text[have] = 0;
    }
    errno = why;
    return text;
}

/* How often `what` stands in `text`. */
static inline int times(const char *text, const char *what)
{
    int n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}
