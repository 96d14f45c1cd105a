/* kafka_front -- the front thread's producer: bounded, 5 s, answers on the loop.
 *
 * Messages of a front carry no cf_src and are judged by their id, so the producer may send one
 * twice, and does rather than lose one: acks=all, not idempotent. The partition is murmur2 of the
 * key, set by us.
 *
 * Owns     text is copied before cf_front_send returns
 * Errors   CF_E_NET when the queue is full or the broker does not answer within 5 s: the outcome
 *          is unknown, and the same message (same id) may be sent again. CF_E_TOO_LARGE: never.
 */
#pragma once
#include "common/io/loop.h"
#include "common/pure/calendar.h"
#include "common/pure/keys.h"
#include "common/pure/error.h"

struct cf_front_producer;

struct cf_front_message {
    const char *topic;        /* "application.commands" */
    struct cf_str key;
    int32_t part;             /* -1: by key */
    uint8_t ce_id[16];
    const char *ce_type, *ce_source; /* ce_source "intake/front" */
    cf_ms ce_time;            /* 0: now */
    struct cf_str traceparent;
    struct cf_str value;      /* at most 64 KiB */
};

/* result: 0 or CF_E_NET; called on the loop's thread, never from inside cf_front_send. */
typedef void cf_front_sent(void *arg, int result);

void cf_front_producer_free(struct cf_front_producer *p);
struct cf_front_producer *cf_front_producer_new(struct cf_loop *loop, const char *brokers,
                                                int partitions)
    CF_FREED_BY(cf_front_producer_free);
int cf_front_send(struct cf_front_producer *p, const struct cf_front_message *m,
                  cf_front_sent *sent, void *arg) CF_MUST;
/* Waits on the spot until everything is answered; false when time ran out. For the end. */
bool cf_front_flush(struct cf_front_producer *p, int wait_ms);
/* Is the broker there, as far as known (no error since the last success)? */
bool cf_front_up(const struct cf_front_producer *p);
