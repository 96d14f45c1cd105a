/* doors -- the two doors through which the stage reaches the world: the log and the store.
 *
 * Each is a small struct of functions, so that a simulation can stand behind the same doors.
 * Rows are plain structs; which column is what, the store knows from the service's tables.
 *
 * Units    offsets and numbers as Kafka's; -1 = none yet
 * Owns     what a door hands out lives until its next call of the same kind, or in the arena
 *          that was passed
 * Errors   common/pure/error.h; the class says what the loop does
 */
#pragma once
#include "common/io/stage/stage.h"

/* ---- the log ------------------------------------------------------------------------------- */

struct cf_position {
    uint16_t topic; /* index of the service's topics in */
    int32_t part;
    int64_t last_offset; /* applied; -1 none */
    uint64_t last_hash;  /* of the record at last_offset */
};

/* A message as the journal keeps it and the log gets it. */
struct cf_out_message {
    uint16_t topic; /* index of outputs: service->out, then one "<in>.dlq" per topic in */
    int32_t target;
    int64_t no;
    cf_ms at;
    uint8_t id[16];
    struct cf_str key, type, trace, value;
    struct cf_str extra; /* more headers: name, 0, length (4 bytes big-endian), value, ... */
};

struct cf_ack {
    int16_t part;   /* the shard that sent it */
    uint16_t topic; /* as in cf_out_message */
    int32_t target;
    int64_t seq, no, offset;
};

/* Called for each own message found by scan: from shard `part`, number `no`. */
typedef void cf_scan_seen(void *arg, int16_t part, uint16_t topic, int32_t target, int64_t no,
                          int64_t offset);

struct cf_scan {
    uint16_t topic; /* output */
    int32_t target;
    int64_t after; /* read from the next offset */
};

struct cf_log {
    void *self;
    /* Reads from now on exactly these; verifies that the log still holds the last record applied
     * (else poll gives CF_E_GAP, and gap() says where). */
    int (*assign)(void *self, const struct cf_position *at, size_t n);
    /* Up to max records; waits at most wait_ms for the first. Records live until done(). */
    int (*poll)(void *self, struct cf_record *records, size_t max, int wait_ms, size_t *n);
    void (*done)(void *self);
    /* Queues a message; text is copied. CF_E_NET: full, try again after acks. */
    int (*produce)(void *self, int16_t part, int64_t seq, const struct cf_out_message *m);
    /* Acknowledgements so far, at most max. CF_E_BROKER when the producer is lost. */
    int (*acks)(void *self, struct cf_ack *acks, size_t max, int wait_ms, size_t *n);
    /* Reads outputs to their end and reports the messages of this service. Ends any assign(). */
    int (*scan)(void *self, const struct cf_scan *what, size_t n, cf_scan_seen *seen, void *arg);
    /* Shows positions to lag tools; returns how many records lie ahead. */
    int64_t (*mirror)(void *self, const struct cf_position *at, size_t n);
    /* Has the broker been heard of since the last time it was out of reach? */
    bool (*up)(void *self);
    const char *(*why)(void *self);
    void (*free)(void *self);
    /* The partition that poll's last CF_E_GAP was about, -1: none. May be NULL: then a gap ends
     * the stage. */
    int32_t (*gap)(void *self);
};

/* Takes one header of a record; what it does not know or cannot read is passed over. */
void cf_record_header(struct cf_record *r, const char *name, struct cf_str value);

/* ---- the store ------------------------------------------------------------------------------ */

/* Is the row in the table? And where: the store's own way to find it again. */
enum cf_there { CF_THERE_UNKNOWN, CF_THERE_NOT, CF_THERE_YES };
struct cf_place {
    enum cf_there there;
    char at[6];
};

/* One key of the batch: the row is zeroed by the caller and filled when it is there. */
struct cf_load_row {
    uint16_t kind;
    int16_t part;
    struct cf_key key;
    void *row;
    struct cf_place place; /* as loaded: there or not */
    bool changed;          /* by deciding: to be written */
};

struct cf_load_aux {
    uint16_t aux;
    int16_t part;
    uint8_t id[16];
    void *row; /* NULL when not there */
    struct cf_place place;
};

struct cf_load_work {
    int16_t part;
    uint8_t id[16];
    struct cf_work work;
    bool exists;
};

struct cf_load {
    struct cf_load_row *rows;
    size_t n_rows;
    struct cf_load_aux *aux;
    size_t n_aux;
    struct cf_load_work *work;
    size_t n_work;
};

struct cf_commit_shard {
    int16_t part;
    int64_t epoch;
    cf_ms last_now;
    int64_t journal_seq, acked_seq;
};

struct cf_commit_cursor {
    int16_t part;
    uint16_t topic;
    int64_t old_offset, new_offset;
    uint64_t hash;
    const int64_t *last_no; /* one a partition */
};

struct cf_commit_output {
    int16_t part;
    uint16_t topic;
    const int64_t *last_no, *acked_no, *acked_offset;
};

struct cf_commit_journal {
    int16_t part;
    int64_t seq;
    struct cf_str messages;
};

struct cf_commit_aux {
    uint16_t aux;
    int16_t part;
    uint8_t id[16];
    struct cf_place place;
    const void *row;
};

struct cf_commit_drop {
    int16_t part;
    uint8_t id[16];
};

/* A whole record is parked, not one message of it. */
#define CF_PARKED_WHOLE (-1)

struct cf_commit_parked {
    int16_t part;
    uint16_t topic;
    int64_t offset;
    int32_t index;
    struct cf_str key, type, record;
    const char *reason;
};

struct cf_parked_place {
    int64_t offset;
    int32_t index;
};

/* Records parked under one key that are parked no more. */
struct cf_commit_unpark {
    int16_t part;
    uint16_t topic;
    struct cf_str key;
    const struct cf_parked_place *places;
    size_t n;
    bool dropped; /* by an operator: kept aside */
};

struct cf_parked_row {
    struct cf_parked_place place;
    struct cf_str record; /* as journal.h packs it */
};

/* One transaction. Guards go first; see architecture, "Second trip". */
struct cf_commit {
    const struct cf_commit_shard *shards;
    const struct cf_commit_cursor *cursors;
    const struct cf_commit_output *outputs;
    const struct cf_commit_journal *journal;
    const struct cf_load_row *const *rows; /* changed ones */
    const struct cf_commit_aux *aux;
    const struct cf_work *puts;
    const struct cf_commit_drop *drops;
    const struct cf_commit_parked *parked;
    const struct cf_commit_unpark *unpark; /* NULL: none */
    size_t n_shards, n_cursors, n_outputs, n_journal, n_rows, n_aux, n_puts, n_drops, n_parked;
};

struct cf_standing {
    int alive, rank; /* rank -1: this replica does not count as living */
    bool steady;     /* may take shards */
};

struct cf_taken {
    int16_t part;
    int64_t epoch;
    cf_ms last_now;
    int64_t journal_seq, acked_seq;
};

/* Where a shard's streams stand; arrays are the caller's, one entry a partition and topic. */
struct cf_shard_streams {
    struct {
        int64_t last_offset;
        uint64_t last_hash;
        int64_t *last_no;
    } * in;
    struct {
        int64_t *last_no, *acked_no, *acked_offset;
    } * out;
};

typedef void cf_parked_seen(void *arg, int16_t part, uint16_t topic, struct cf_str key);
typedef int cf_journal_seen(void *arg, int16_t part, int64_t seq, struct cf_str messages);

struct cf_store {
    void *self;
    int (*open)(void *self); /* connects; CF_E_DB when away, CF_E_CONFIG when it does not fit */
    int (*standing)(void *self, struct cf_standing *out);
    int (*take)(void *self, const int16_t *held, size_t n_held, int want, struct cf_taken *taken,
                size_t *n);
    int (*give)(void *self, const int16_t *parts, size_t n);
    int (*streams)(void *self, int16_t part, struct cf_shard_streams *out, cf_parked_seen *parked,
                   void *arg);
    int (*journal)(void *self, int16_t part, int64_t after, cf_journal_seen *seen, void *arg);
    int (*numbers)(void *self, const char *kind, uint64_t count, uint64_t *first);
    int (*load)(void *self, struct cf_arena *arena, struct cf_load *what);
    /* The first rows parked under a key, in their order; *total counts all of them. */
    int (*parked_rows)(void *self, struct cf_arena *arena, int16_t part, uint16_t topic,
                       struct cf_str key, struct cf_parked_row *rows, size_t max, size_t *n,
                       size_t *total);
    /* How many rows are parked under a key, and how many of them at these places. */
    int (*parked_count)(void *self, const struct cf_commit_unpark *what, size_t *total, size_t *n);
    int (*commit)(void *self, const struct cf_commit *c);
    /* After CF_E_UNKNOWN: did it commit? */
    int (*verdict)(void *self, const struct cf_commit *c, bool *committed);
    /* After CF_E_FENCED: which of these are still ours; others are zeroed to -1. */
    int (*still)(void *self, struct cf_taken *shards, size_t n);
    const char *(*why)(void *self);
    void (*free)(void *self);
};

struct cf_log *cf_log_kafka(const struct cf_service *service, const struct cf_stage_conf *conf);
struct cf_store *cf_store_pg(const struct cf_service *service, const struct cf_stage_conf *conf,
                             const uint8_t replica[16]);

/* Names of outputs: service->out, then dead letters of each topic in. */
size_t cf_outputs(const struct cf_service *service);
const char *cf_output_name(const struct cf_service *service, size_t i, char buf[128]);
size_t cf_inputs(const struct cf_service *service);
/* What the cursor remembers of the last record applied. */
uint64_t cf_record_hash(const struct cf_record *r);
