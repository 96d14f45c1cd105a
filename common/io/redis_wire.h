/* redis_wire -- what front and stage share: the URL, commands as bytes, the reader of replies.
 *
 * Of hiredis only its reply parser is used, which has no socket inside: the asynchronous context
 * of 0.14 has neither timeouts nor a reconnect, and frees itself.
 *
 * Errors   cf_buf's `full` when a command would pass the buffer's maximum
 */
#pragma once
#include "common/pure/str.h"

#include <hiredis/read.h>
#include <hiredis/hiredis.h>

struct cf_redis_url {
    char host[256]; /* or the path of a socket */
    int port, db;
    char user[64], password[256];
};

bool cf_redis_url_parse(const char *url, struct cf_redis_url *out);

/* A command is its number of words, then each word. */
void cf_redis_words(struct cf_buf *b, size_t n);
void cf_redis_word(struct cf_buf *b, struct cf_str word);
/* A word made of two pieces. */
void cf_redis_word2(struct cf_buf *b, struct cf_str head, struct cf_str tail);
/* Commands that open a connection, PING last; how many replies will come. */
int cf_redis_greet(struct cf_buf *b, const struct cf_redis_url *url);

/* The first word of an error reply, such as LOADING: no more, since the rest may name a key. */
void cf_redis_error_word(const redisReply *reply, char *out, size_t cap);
