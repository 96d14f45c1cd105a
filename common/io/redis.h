/* redis -- documents in Redis: asked for by the front, written by the stage. Never the truth.
 *
 * Shapes   a document is a string: version (8 bytes, big-endian), then the payload. An alias is a
 *          plain string.
 * Units    ms
 * Owns     text given is copied; text handed to a callback is valid inside it only
 * Errors   CF_E_NET and nothing else: away, over budget, or too much under way. The caller then
 *          asks PostgreSQL
 * Limits   one server without cluster mode; RESP2; keys of at most 512 bytes. URLs:
 *          redis://[[user]:password@]host[:port][/db] or unix:///path[?db=n], %XX in user and
 *          password
 */
#pragma once
#include "common/pure/error.h"
#include "common/pure/str.h"

struct event_base;

#define CF_REDIS_VERSION_LEN 8
#define CF_REDIS_KEY_MAX 512

/* Takes a document apart; false when it is too short to be one. */
bool cf_redis_document(struct cf_str stored, uint64_t *version, struct cf_str *payload);

/* ---- the front: reads, on the loop, never blocking ----------------------------------------- */

/* Requests of one turn of the loop leave as one MGET. A server that does not answer within the
 * budget is taken as away until it has answered (or the connection was made again): requests in
 * between are refused at once, so a sick Redis costs nobody more than one budget. */
struct cf_redis_front;

/* e 0: value.ptr is NULL when there is no such key. Else CF_E_NET. Called once for each accepted
 * request, on the loop, never from inside cf_redis_get. */
typedef void cf_redis_got(void *arg, int e, struct cf_str value);

struct cf_redis_front_conf {
    const char *url;
    int budget_ms; /* 0: 20 */
    int in_flight; /* keys; 0: 8192 */
};

struct cf_redis_view {
    bool up;
    size_t in_flight;
    uint64_t requests, batches, missed, refused, late, connects;
    const char *why; /* it is not up */
};

/* Not from inside a callback. What is under way is called with CF_E_NET. */
void cf_redis_front_free(struct cf_redis_front *r);
/* NULL when the url cannot be read. Connects by itself, again and again. */
struct cf_redis_front *cf_redis_front_new(struct event_base *base,
                                          const struct cf_redis_front_conf *conf)
    CF_FREED_BY(cf_redis_front_free);
/* CF_E_NET: refused, and got is not called. */
int cf_redis_get(struct cf_redis_front *r, struct cf_str key, cf_redis_got *got, void *arg) CF_MUST;
void cf_redis_front_view(const struct cf_redis_front *r, struct cf_redis_view *out);

/* ---- the stage: writes, fire and forget ----------------------------------------------------- */

/* Nothing here blocks longer than the timeout; while Redis is away each call returns at once, but
 * for one attempt to connect a second. A document that was not sent is sent by the sweep. */
struct cf_redis_stage;

struct cf_redis_doc {
    struct cf_str key;
    uint64_t version;
    struct cf_str payload;
};

struct cf_redis_pair {
    struct cf_str key, value;
};

struct cf_redis_stage_conf {
    const char *url;
    int timeout_ms; /* 0: 100 */
    int retry_ms;   /* 0: 1000 */
};

void cf_redis_stage_free(struct cf_redis_stage *r);
/* NULL when the url cannot be read. */
struct cf_redis_stage *cf_redis_stage_new(const struct cf_redis_stage_conf *conf)
    CF_FREED_BY(cf_redis_stage_free);
/* Sets each document whose version is higher than the one that is there. A key stands at most
 * once in a call. True: sent, not yet answered. */
bool cf_redis_stage_put(struct cf_redis_stage *r, const struct cf_redis_doc *docs, size_t n);
/* Sets plain strings. */
bool cf_redis_stage_set(struct cf_redis_stage *r, const struct cf_redis_pair *pairs, size_t n);
/* Waits until all that was sent is answered; false when that takes longer or Redis is away. */
bool cf_redis_stage_settle(struct cf_redis_stage *r, int wait_ms);
/* Goes up whenever something given may not have arrived: when it has, sweep. */
uint64_t cf_redis_stage_lost(const struct cf_redis_stage *r);
/* Why the last call did not send; empty when it did. */
const char *cf_redis_stage_why(const struct cf_redis_stage *r);
