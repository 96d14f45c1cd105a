/* http_parse -- the head of a request, strictly. No sockets in here.
 *
 * Shapes   positions are offsets from the first byte given, so that the buffer may move later
 * Errors   a head that breaks a rule: status, code, field, rule and cure in *wrong, all literals
 * Source   RFC 9112; stricter than it must be wherever two readers could disagree (bare LF, folded
 *          lines, blanks before the colon, two Content-Length, Transfer-Encoding)
 */
#pragma once
#include "common/pure/str.h"

#define CF_HEAD_MAX 8192
#define CF_HEAD_LINES 64

struct cf_head_text {
    uint16_t at, len;
};

struct cf_head_line {
    struct cf_head_text name, value;
};

struct cf_head {
    size_t size; /* bytes up to and with the empty line */
    struct cf_head_text method, path, query;
    bool http_1_0, keep_alive, expects_continue;
    bool has_length;
    uint64_t length; /* of the body */
    size_t n;
    struct cf_head_line lines[CF_HEAD_LINES];
};

struct cf_head_wrong {
    int status;
    const char *code, *title, *field, *rule, *cure;
};

enum cf_head_result { CF_HEAD_MORE, CF_HEAD_GOOD, CF_HEAD_WRONG };

/* *seen is the number of bytes already looked at, 0 for a new request. */
enum cf_head_result cf_head_parse(struct cf_str bytes, size_t *seen, struct cf_head *out,
                                  struct cf_head_wrong *wrong);
/* The value of the first header of that name (any case) in a parsed head; ptr NULL when absent. */
struct cf_str cf_head_find(const struct cf_head *h, const char *base, const char *name);
/* Is `token` one of a comma-separated list? Any case. */
bool cf_has_token(struct cf_str list, const char *token);
/* The same text without blanks around it. */
struct cf_str cf_trim(struct cf_str s);
bool cf_same_word(struct cf_str a, const char *b);
