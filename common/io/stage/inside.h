/* inside -- what the files of the stage share; nobody else includes it.
 *
 * shard.c owns shards and recovers them; admit.c, decide.c and batch.c turn records into one
 * commit; effects.c is what handlers call; publish.c sends and keeps acknowledgements; loop.c is
 * the thread.
 */
#pragma once
#include "common/io/stage/doors.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    UNACKED_MAX = 4000,          /* messages; stop polling above it */
    STOP_WAIT_MS = 1000,         /* a stop waits that long until what is committed is sent */
    ARENA_MAX = 256 << 20,
    MESSAGE_MAX = 64 << 10,      /* bytes of a value, in and out */
    DEAD_LETTER_MAX = 512 << 10, /* bytes of key and value; larger ones are parked */
    BLOCK = 1000,                /* numbers a block */
    BEHIND = 2,                  /* so many times batch_max while batches come full */
    WANTS_MAX = 1024,
    COMMAND_DAYS = 7
};

/* Two blocks of numbers, so that one may run out in the middle of a batch. */
struct pool {
    uint64_t next, end, next2, end2;
};

struct pending {
    uint32_t left; /* messages of this journal row not acknowledged */
};

struct parked_key {
    struct parked_key *next;
    int16_t part;
    uint16_t topic;
    struct cf_key key;
};

struct stream_in {
    int64_t last_offset;
    uint64_t last_hash;
    int64_t *last_no;
};

struct stream_out {
    int64_t *last_no, *acked_no, *acked_offset;
    bool dirty; /* acknowledgements that are not saved */
};

struct shard {
    int16_t part;
    bool owned;
    const char *stopped; /* the log lost records: not read any more, a person is needed */
    int64_t epoch;
    cf_ms last_now;
    int64_t journal_seq, acked_seq;
    bool acked_dirty;
    struct stream_in *in;
    struct stream_out *out;
    int64_t *numbers; /* the arrays of `in` and `out[].last_no`, in one piece */
    struct pool *pools;
    struct pending *ring; /* rows acked_seq+1 .. journal_seq */
    size_t ring_cap;
    int64_t oldest_since; /* monotonic ms of the oldest unacknowledged row */
    struct parked_key *parked;
    struct {
        int64_t *numbers;
        struct stream_in *in;
        struct pool *pools;
        cf_ms last_now;
        int64_t journal_seq;
    } before; /* as it was when the batch began */
    bool in_batch;
};

struct cf_stage {
    const struct cf_service *service;
    struct cf_stage_conf conf;
    uint8_t replica[16];
    struct cf_log *log;
    struct cf_store *store;
    struct cf_arena *arena;
    size_t n_in, n_out;
    char (*causes)[160]; /* "production/application.events", by topic in: what ids derive from */
    struct shard *shards; /* one a partition */
    int owned, unacked;
    bool unsure; /* PostgreSQL may name us for a shard that we do not hold */
    int64_t *newest; /* newest offset seen acknowledged, by output and target */
    struct cf_record *records;
    unsigned resting; /* turns without a record */
    size_t batch_now; /* records to take at most: more when far behind */
    struct cf_buf journal;
    int64_t next_standing, next_mirror, next_save;
    bool assign_again; /* a shard is to be left out of the assignment */
    pthread_t thread;
    bool started;
    atomic_bool stop, ended;
    int64_t stop_until; /* while sending; 0: no stop was seen yet */
    /* for the view */
    atomic_ullong owned_mask[4], turns, n_records, n_steps, n_batches, n_messages, n_parked, n_dead,
        n_duplicates, n_fenced, n_retries;
    atomic_llong lag, oldest_unsent;
    atomic_int owned_view, fatal, n_stopped;
    atomic_bool postgres_up, kafka_up;
    char why[256];
    /* work for the front */
    pthread_mutex_t work_lock;
    struct work_node *work_head, *work_tail;
    int work_fd;
};

struct work_node {
    struct work_node *next;
    struct cf_work_change change;
    char args[];
};

int64_t stage_mono_ms(void);
/* A random pause of at most `ms`, ended early by a stop. */
void stage_pause(struct cf_stage *st, int ms);
void stage_fail(struct cf_stage *st, int e, const char *why);

/* shard.c */
void shards_make(struct cf_stage *st);
void shards_free(struct cf_stage *st);
/* Looks at the living and takes or gives shards; CF_E_DB when PostgreSQL is away. */
int shards_turn(struct cf_stage *st) CF_MUST;
/* After a guard failed: lets go of what is no longer ours. */
int shards_recheck(struct cf_stage *st) CF_MUST;
/* The outcome of a commit is not known for sure: a backend that was cut off may still do it, under
 * the same epoch. Its shards are let go of and taken again, with a new epoch and what is stored. */
void shards_doubt(struct cf_stage *st, const struct cf_commit *c);
void shards_give_all(struct cf_stage *st);
int shards_assign(struct cf_stage *st) CF_MUST;
void shard_stop(struct cf_stage *st, struct shard *h, const char *why);
size_t shards_positions(const struct cf_stage *st, struct cf_position *out);

/* redrive.c */
/* Is this an operator's command for the stage itself? */
bool redrive_asked(const struct cf_stage *st, const struct cf_record *r);

/* batch.c */
/* Applies the records, in order; 0 when all of them are done with (applied, parked, dropped). */
int batch_run(struct cf_stage *st, struct cf_record *records, size_t n) CF_MUST;

/* publish.c */
int publish_acks(struct cf_stage *st, int wait_ms) CF_MUST;
int publish(struct cf_stage *st, struct shard *h, int64_t seq,
            const struct cf_out_message *m) CF_MUST;
void publish_row(struct shard *h, int64_t seq, uint32_t messages);
/* Moves past the rows of which nothing is outstanding. */
void publish_advance(struct shard *h);
/* Saves acknowledgements outside of a batch. */
int publish_save(struct cf_stage *st) CF_MUST;

/* loop.c */
/* One turn of the stage thread; a simulation makes them itself. */
void stage_turn(struct cf_stage *st);
void stage_tell_work(struct cf_stage *st, struct work_node *first, struct work_node *last);
void stage_tell_shard(struct cf_stage *st, int16_t part, bool taken);
struct work_node *stage_work_node(const struct cf_work *w);
