/* bank -- the simulated bank adapter: takes orders, answers each line step by step.
 *
 * One thread consumes bank.orders and answers on bank.results and card.commands; the other serves
 * HTTP. What both use stands in struct bank under its lock.
 *
 * Shapes   a line is remembered in the order it came, and found again by its application
 * Units    ms; due times are cf_mono_ms()
 * Errors   the broker away: answers wait in the producer and are sent when it is back
 */
#pragma once
#include "common/io/conf.h"
#include "common/pure/arena.h"
#include "common/pure/cardnum.h"
#include "common/pure/error.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

/* In the order in which a line goes through them; ACTIVATE is a command of the holder's. */
enum bank_step {
    BANK_ACCOUNT_OPENED,
    BANK_PRODUCED,
    BANK_SHIPPED,
    BANK_ARRIVED,
    BANK_COLLECTED,
    BANK_ACTIVATE,
    BANK_STEPS
};
extern const char *const bank_step_names[BANK_STEPS];

struct bank_line {
    uint8_t routing_key[16], app_id[16], batch_id[16];
    uint32_t line_no;
    char card_no[CF_CARDNUM_LEN + 1], code[24];
};

/* What becomes of a card notice. */
enum bank_notice_answer {
    BANK_NOTICE_ACKNOWLEDGED,
    BANK_NOTICE_DOUBLE, /* acknowledged twice */
    BANK_NOTICE_LATE,   /* after notice_delay_ms */
    BANK_NOTICE_SILENT, /* read and never answered */
    BANK_NOTICE_ANSWERS
};
extern const char *const bank_notice_answer_names[BANK_NOTICE_ANSWERS];

struct bank_behaviour {
    cf_ms delay_ms;
    double error_rate; /* of lines: half of them fail at the account, half in production */
    double duplicates; /* of answers sent twice */
    bool off;          /* orders are left lying, nothing is answered */
    int hold_after;    /* a step after which lines wait; -1: none */
    enum bank_notice_answer notices;
    cf_ms notice_delay_ms; /* of those that are answered late */
    int64_t seed;
};

struct bank_stats {
    uint64_t lines, batches, wrong_manifests, notices, acknowledged, answers, commands, unreadable;
};

struct bank {
    pthread_mutex_t lock;
    struct bank_behaviour behaviour;
    struct bank_stats stats;
    struct bank_line *lines; /* ring: number i stands at i % max */
    uint64_t n_lines;        /* ever taken */
    size_t max, cap;
    uint64_t *index; /* line number + 1 by application; open addressing */
    size_t index_cap;

    rd_kafka_t *consumer, *producer; /* the producer is used by both threads */
    uint32_t partitions;
    atomic_bool stop;
    pthread_t thread;
};

/* An answer as it goes out: any step, right or wrong. */
struct bank_answer {
    struct bank_line line;
    const char *step, *reason;
    int64_t fee_cents;
};

/* ---- kafka (adapter.c) --------------------------------------------------------------------- */
int bank_start(struct bank *b, const char *brokers, const char *group) CF_MUST;
void bank_stop(struct bank *b);
/* Any thread. False: the queue stays full. */
bool bank_send_answer(struct bank *b, struct cf_arena *a, const struct bank_answer *answer);
bool bank_send_activate(struct bank *b, struct cf_arena *a, const struct bank_line *line);
bool bank_send_acknowledgement(struct bank *b, struct cf_arena *a, const struct bank_line *line,
                               const uint8_t notice_id[16]);

/* ---- the worker (work.c) ------------------------------------------------------------------- */
void *bank_work(void *bank);

/* ---- memory (memory.c); under the lock ----------------------------------------------------- */
void bank_remember(struct bank *b, const struct bank_line *line);
/* The newest line of the application; NULL when unknown or forgotten. */
const struct bank_line *bank_find(const struct bank *b, const uint8_t app_id[16]);
void bank_forget_all(struct bank *b);

/* A choice with probability `rate`, stable for the same seed, purpose and line. */
bool bank_chance(int64_t seed, double rate, const char *purpose, const struct bank_line *line);
