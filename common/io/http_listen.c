#include "common/io/http_internal.h"
#include "common/io/log.h"
#include "common/pure/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPT_AT_ONCE 64

/* "host:port", "[host]:port", "*:port" */
static int split_address(const char *text, char host[128], char port[8])
{
    const char *colon = strrchr(text, ':');
    if (!colon || strlen(colon + 1) == 0 || strlen(colon + 1) > 5) return CF_E_CONFIG;
    struct cf_str h = {text, (size_t)(colon - text)};
    if (h.len >= 2 && h.ptr[0] == '[' && h.ptr[h.len - 1] == ']')
        h = (struct cf_str){h.ptr + 1, h.len - 2};
    if (h.len == 0 || h.len >= 128) return CF_E_CONFIG;
    snprintf(host, 128, "%.*s", CF_ARG(h));
    snprintf(port, 8, "%s", colon + 1);
    return 0;
}

static int bind_one(const struct addrinfo *a, bool reuse_port)
{
    const int on = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuse_port) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1024) == 0) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static void note_url(struct cf_http *http)
{
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof a;
    char host[INET6_ADDRSTRLEN] = "";
    unsigned port = 0;
    getsockname(http->fd, (struct sockaddr *)&a, &n);
    bool six = a.ss_family == AF_INET6;
    if (six) {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)(void *)&a;
        port = ntohs(in->sin6_port);
        inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a;
        port = ntohs(in->sin_port);
        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    }
    /* "All addresses" is nothing that one can call. */
    if (strcmp(host, "0.0.0.0") == 0) snprintf(host, sizeof host, "127.0.0.1");
    if (strcmp(host, "::") == 0) snprintf(host, sizeof host, "::1");
    snprintf(http->url, sizeof http->url, six ? "http://[%s]:%u" : "http://%s:%u", host, port);
}

int cf_http_listen(struct cf_http *http)
{
    char host[128], port[8];
    const struct addrinfo want = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    int e = split_address(http->conf.listen, host, port);
    if (e) {
        cf_log(LOG_ERROR, "http.listen_failed", F("listen", http->conf.listen),
               F("rule", "must be host:port"), F("cure", "set an address such as 127.0.0.1:8080"));
        return e;
    }
    int g = getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, port, &want, &list);
    for (struct addrinfo *a = list; g == 0 && a && http->fd < 0; a = a->ai_next)
        http->fd = bind_one(a, http->conf.reuse_port);
    const char *why = g ? gai_strerror(g) : strerror(errno);
    if (list) freeaddrinfo(list);
    if (http->fd >= 0) {
        note_url(http);
        return 0;
    }
    cf_log(LOG_ERROR, "http.listen_failed", F("listen", http->conf.listen), F("error", why),
           F("cure", "set a free address of this machine, or port 0"));
    return CF_E_CONFIG;
}

/* Says 503 to one connection too many. What it sends is not read; the kernel drops it. */
static void turn_away(struct cf_http *http, int fd)
{
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                                 "Retry-After: 1\r\nConnection: close\r\n\r\n";
    if (http->over) cf_count_add(http->over, 1);
    /* The connection is closed either way. */
    if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) shutdown(fd, SHUT_WR);
    close(fd);
}

static void remote_text(const struct sockaddr_storage *a, char out[INET6_ADDRSTRLEN])
{
    out[0] = 0;
    if (a->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, out,
                  INET6_ADDRSTRLEN);
    else if (a->ss_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, out,
                  INET6_ADDRSTRLEN);
}

/* Out of descriptors the listener would stay readable for ever: with the spare one the waiting
 * connection is taken and closed. */
static void shed(struct cf_http *http)
{
    close(http->spare);
    int fd = accept4(http->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) turn_away(http, fd);
    http->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void cf_http_accept(void *arg, int listener)
{
    struct cf_http *http = arg;
    const int on = 1;
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct sockaddr_storage a = {0};
        socklen_t n = sizeof a;
        char remote[INET6_ADDRSTRLEN];
        int fd = accept4(listener, (struct sockaddr *)&a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE)) shed(http);
        if (fd < 0) return;
        if (http->n_conns >= (size_t)http->conf.max_connections) {
            turn_away(http, fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        remote_text(&a, remote);
        if (http->accepted) cf_count_add(http->accepted, 1);
        cf_conn_open(http, fd, remote);
    }
}
