/* work_inside -- what the files of common/io/work share; nobody else includes it.
 *
 * work.c       changes of the stage, calls
 * work_load.c  pages of rows from the table, and what must not be taken from them
 * work_view.c  figures
 * work_out.c   outcomes, packed by shard, sent until acknowledged
 */
#pragma once
#include "common/io/work_mirror.h"
#include "common/io/work_pool.h"

enum {
    WORK_ITEMS_MAX = 10000, /* of a kind */
    WORK_KINDS_MAX = 64,
    WORK_PAGE = 500,
    WORK_RETRY_MS = 1000,
    WORK_SEND_RETRY_MS = 200,
    WORK_UNSENT_MAX = 1000,          /* messages; no new calls above it */
    WORK_MESSAGE_MAX = 60 * 1024,    /* below the 64 KiB of every reader */
    WORK_UNTOUCHED_MAX = 10000
};

/* Items of one kind and shard that are due and wait for a call. */
struct lane {
    struct work_item *head, *tail;
    size_t n;
};

struct kind {
    const struct cf_worker *worker;
    struct lane *lanes; /* one a partition */
    size_t held;        /* items in memory */
    size_t waiting;
    int running;  /* calls */
    size_t items; /* in them */
    int turn;     /* the partition whose lane is looked at first */
    struct cf_histogram *took;
    struct cf_counter *results[4];
};

/* Ids that changed while a page was on its way: the page may hold what they were before. */
struct touched {
    uint8_t (*ids)[16];
    size_t n, cap;
    bool all; /* too many: the page is thrown away */
};

struct work_shard {
    bool owned;
    uint32_t times;    /* taken; tells answers from before apart */
    cf_ms loaded;      /* rows due by then are in memory, but for those of kinds `behind` */
    uint64_t behind;   /* kinds of which some did not find room: bit i is worker i */
    cf_ms behind_from; /* the first of them is due then or later */
    bool loading;
    uint64_t refill;   /* the kinds that this load is for; 0: all, to go further ahead */
    cf_ms refill_from;
    struct cf_work_page page;
    cf_ms retry_at;    /* monotonic */
    struct touched touched;
    struct cf_buf out; /* packed items of outcomes of this turn */
    size_t out_items;
};

struct out_message {
    struct out_message *next;
    struct cf_work_pool *pool;
    int16_t part;
    uint8_t ce_id[16];
    struct cf_buf value;
};

struct cf_work_pool {
    struct cf_work_conf conf;
    struct cf_work_doors doors;
    struct work_mirror mirror;
    struct work_shard *shards;
    struct kind *kinds;
    struct cf_work_call *calls;
    struct cf_wake *wake;
    struct cf_timer *timer;
    size_t items_max, running, unsent;
    struct out_message *failed;
    cf_ms send_again_at; /* monotonic */
    char topic[64], source[64];
    bool out_dirty, stopping, unknown_said;
};

/* work.c */
/* NULL and a line in the log for a kind that this program does not know. */
struct kind *work_kind(struct cf_work_pool *pool, uint16_t kind);
/* A row that is new to us, of the table or a commit: held in memory, or remembered as behind. */
void work_hold(struct cf_work_pool *pool, struct work_shard *s, const struct cf_work *w);

/* work_view.c */
void work_measure(struct cf_work_pool *pool, struct cf_metrics *m);

/* work_load.c */
void load_begin(struct cf_work_pool *pool, int16_t part);
void load_end(struct cf_work_pool *pool, int16_t part);
/* The shard's row with this id has changed. */
void load_touch(struct work_shard *s, const uint8_t id[16]);
/* Rows due by then are, or are about to be, in memory. */
cf_ms load_reach(const struct work_shard *s);
/* Asks for what is missing. */
void load_turn(struct cf_work_pool *pool, cf_ms now, cf_ms mono);

/* work_out.c */
void out_add(struct cf_work_pool *pool, const struct cf_work *w, enum cf_work_result result,
             const char *reason, struct cf_str payload);
/* Sends what this turn has packed, and what did not go through before. */
void out_turn(struct cf_work_pool *pool, cf_ms mono);
void out_free(struct cf_work_pool *pool);
