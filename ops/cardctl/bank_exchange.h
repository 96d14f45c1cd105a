/* bank_exchange -- what export and import of a bank's files share: options, folder, place in the
 * log, and reading bank.orders.
 *
 * Errors   functions return false (or what they say) after a message on standard error
 */
#pragma once
#include "ops/cardctl/bank_folder.h"
#include "ops/cardctl/operate.h"

#define BANK_SOURCES 64
#define BANK_SOURCE_MAX 40

/* How far the bank's partition of bank.orders was exported. */
struct bank_place {
    bool known;       /* it was exported before */
    int64_t next, to; /* to > next: a pass to there has begun */
    /* Newest number of each stage that writes there: what was published again is passed over. */
    char sources[BANK_SOURCES][BANK_SOURCE_MAX];
    int64_t last[BANK_SOURCES];
    size_t n_sources;
};

struct bank_exchange {
    struct filter filter; /* brokers, operator, purpose */
    struct bank_folder folder;
    struct bank_place place;
    rd_kafka_t *producer;
};

/* 0, or the exit code. */
int bank_exchange_open(struct bank_exchange *x, int argc, char **argv);
void bank_exchange_close(struct bank_exchange *x);
bool bank_exchange_audit(struct bank_exchange *x, const char *action, size_t lines);

bool bank_place_read(struct bank_exchange *x);
bool bank_place_write(const struct bank_exchange *x);

/* ---- bank.orders --------------------------------------------------------------------------- */

struct bank_record {
    int64_t offset, no;
    struct cf_str value, source;
    bool ours; /* its key is the bank's */
};

/* A numbered record: by which source, and where. */
struct bank_step {
    int64_t offset, no;
    size_t source;
};
struct bank_step bank_step_of(struct bank_exchange *x, const struct bank_record *r);

struct bank_orders {
    rd_kafka_t *consumer;
    int32_t part;
    int64_t low, high;
};

bool bank_orders_open(struct bank_orders *o, struct bank_exchange *x);
void bank_orders_close(struct bank_orders *o);
/* Gives records from the place on, below limit and at most `most`; repeats are passed over. Where
 * it ended (the next offset), or -1. */
int64_t bank_orders_read(struct bank_orders *o, struct bank_exchange *x, int64_t limit, size_t most,
                         bool (*each)(void *arg, const struct bank_record *r), void *arg);
