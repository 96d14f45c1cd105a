#include "common/io/redis_wire.h"

#include "common/io/redis.h"

#include <stdio.h>

/* Copies s with its %XX undone; false when it does not fit or an escape is cut. */
static bool copy_decoded(struct cf_str s, char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '%') {
            if (s.len - i < 3 || !cf_unhex((struct cf_str){s.ptr + i + 1, 2}, &c, 1)) return false;
            i += 2;
        }
        if (n + 1 >= cap) return false;
        out[n++] = c;
    }
    out[n] = 0;
    return true;
}

static bool number(struct cf_str s, int max, int *out)
{
    uint64_t v;
    if (!cf_digits(s, (uint64_t)max, &v)) return false;
    *out = (int)v;
    return true;
}

static bool prefix(struct cf_str *s, const char *head)
{
    size_t n = strlen(head);
    if (s->len < n || memcmp(s->ptr, head, n) != 0) return false;
    *s = (struct cf_str){s->ptr + n, s->len - n};
    return true;
}

/* Cuts s at the first `mark`; what is behind it goes to tail. */
static bool cut(struct cf_str *s, char mark, struct cf_str *tail)
{
    const char *at = s->len ? memchr(s->ptr, mark, s->len) : NULL;
    if (!at) return false;
    *tail = (struct cf_str){at + 1, s->len - (size_t)(at - s->ptr) - 1};
    s->len = (size_t)(at - s->ptr);
    return true;
}

static bool copy_host(struct cf_str s, struct cf_redis_url *out)
{
    if (s.len == 0 || s.len >= sizeof out->host) return false;
    memcpy(out->host, s.ptr, s.len);
    out->host[s.len] = 0;
    return true;
}

static bool parse_tcp(struct cf_str s, struct cf_redis_url *out)
{
    struct cf_str rest, port, password;
    out->port = 6379;
    if (cut(&s, '/', &rest) && rest.len && !number(rest, 65535, &out->db)) return false;
    struct cf_str user = s;
    if (cut(&user, '@', &rest)) {
        if (!cut(&user, ':', &password) || password.len == 0) return false;
        if (!copy_decoded(user, out->user, sizeof out->user)) return false;
        if (!copy_decoded(password, out->password, sizeof out->password)) return false;
        s = rest;
    }
    if (prefix(&s, "[")) {
        if (!cut(&s, ']', &rest)) return false;
        if (rest.len && (!prefix(&rest, ":") || !number(rest, 65535, &out->port))) return false;
    } else if (cut(&s, ':', &port) && !number(port, 65535, &out->port)) {
        return false;
    }
    return out->port > 0 && copy_host(s, out);
}

bool cf_redis_url_parse(const char *url, struct cf_redis_url *out)
{
    *out = (struct cf_redis_url){0};
    struct cf_str s = cf_str_of(url), query;
    if (prefix(&s, "redis://")) return parse_tcp(s, out);
    if (!prefix(&s, "unix://") || s.len == 0 || *s.ptr != '/') return false;
    if (cut(&s, '?', &query) && (!prefix(&query, "db=") || !number(query, 65535, &out->db)))
        return false;
    return copy_host(s, out);
}

/* A length line; written by hand since this runs for each word of each command. */
static void line(struct cf_buf *b, char mark, size_t n)
{
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = '\n';
    digits[--at] = '\r';
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    digits[--at] = mark;
    cf_buf_add(b, digits + at, sizeof digits - at);
}

void cf_redis_words(struct cf_buf *b, size_t n)
{
    line(b, '*', n);
}

void cf_redis_word2(struct cf_buf *b, struct cf_str head, struct cf_str tail)
{
    line(b, '$', head.len + tail.len);
    cf_buf_adds(b, head);
    cf_buf_adds(b, tail);
    cf_buf_add(b, "\r\n", 2);
}

void cf_redis_word(struct cf_buf *b, struct cf_str word)
{
    cf_redis_word2(b, word, (struct cf_str){0});
}

int cf_redis_greet(struct cf_buf *b, const struct cf_redis_url *url)
{
    int replies = 1;
    if (url->password[0]) {
        cf_redis_words(b, url->user[0] ? 3 : 2);
        cf_redis_word(b, CF_STR("AUTH"));
        if (url->user[0]) cf_redis_word(b, cf_str_of(url->user));
        cf_redis_word(b, cf_str_of(url->password));
        replies++;
    }
    if (url->db) {
        char db[16];
        snprintf(db, sizeof db, "%d", url->db);
        cf_redis_words(b, 2);
        cf_redis_word(b, CF_STR("SELECT"));
        cf_redis_word(b, cf_str_of(db));
        replies++;
    }
    cf_redis_words(b, 1);
    cf_redis_word(b, CF_STR("PING"));
    return replies;
}

void cf_redis_error_word(const redisReply *reply, char *out, size_t cap)
{
    size_t n = 0;
    for (; n < reply->len && n + 1 < cap && reply->str[n] >= 'A' && reply->str[n] <= 'Z'; n++)
        out[n] = reply->str[n];
    out[n] = 0;
}

bool cf_redis_document(struct cf_str stored, uint64_t *version, struct cf_str *payload)
{
    if (stored.len < CF_REDIS_VERSION_LEN) return false;
    memcpy(version, stored.ptr, CF_REDIS_VERSION_LEN);
    *version = __builtin_bswap64(*version);
    *payload =
        (struct cf_str){stored.ptr + CF_REDIS_VERSION_LEN, stored.len - CF_REDIS_VERSION_LEN};
    return true;
}
