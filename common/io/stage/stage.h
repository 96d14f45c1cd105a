/* stage -- the one loop that changes state, as a service sees it.
 *
 * A service describes itself with one `const struct cf_service`. The loop reads records of the
 * shards it owns, asks the service to decode them and to decide, and commits state, position and
 * messages in one PostgreSQL transaction; then it publishes the messages.
 *
 * Shapes   one aggregate = one plain struct, described by columns; keyed by struct cf_key
 * Units    times are ms since the epoch (UTC); days are cf_day
 * Owns     everything a handler gets or makes lives in the batch arena until the commit
 * Errors   decode and decide return an error of common/pure/error.h; 0 is good. A refusal is a
 *          decision (0 with a message), not an error.
 * Source   architecture: "The stage loop", "Recognising duplicates"
 */
#pragma once
#include "common/pure/arena.h"
#include "common/pure/calendar.h"
#include "common/pure/error.h"
#include "common/pure/keys.h"

#include <protobuf-c/protobuf-c.h>

/* ---- records and messages ---------------------------------------------------------------- */

/* A record as the log hands it out. Text points into the record; valid during the batch. */
struct cf_record {
    uint16_t topic; /* index into service->in */
    int32_t part;
    int64_t offset;
    cf_ms at; /* the record's timestamp */
    struct cf_str key, value;
    struct cf_str ce_id, ce_type, ce_source, traceparent;
    cf_ms ce_time;        /* 0 when absent */
    struct cf_str cf_src; /* "intake/3"; empty from fronts and outside */
    int64_t cf_no;        /* 0 without cf_src */
};

/* Most messages in one record. */
#define CF_MESSAGES_MAX 128
/* ce_type of what the work pool tells: each item is of another piece of work. */
#define CF_WORK_OUTCOME "work.outcome"

/* A message for one aggregate. A record is one message, or several (a batch of outcomes). */
struct cf_msg {
    uint16_t kind;     /* of the aggregate: index into service->kinds */
    uint16_t type;     /* the service's own enum of message types */
    struct cf_key key; /* of the aggregate */
    const void *body;  /* the service's plain struct */
    bool is_command;   /* from a front or outside: judged by its id */
    uint8_t id[16];    /* of the command */
    cf_ms sent_at;     /* ce_time of the command; older than 7 days is `expired` */
    bool is_outcome;   /* of outside work or a timer: dropped unless its row is there */
    uint8_t work_id[16];
    uint32_t attempt;
    uint8_t work_bundle[16]; /* as the outcome names it; zero: a row of its own */
    const struct cf_work *work; /* set by the loop before decide: the row as stored */
    bool no_row; /* decided without its aggregate, which is not loaded: decide gets NULL */
    bool optional; /* concerns an ended thing: dropped and counted when refused ILLEGAL */
};

struct cf_topic_in {
    const char *name;         /* "application.commands": cardflow.<name>.v1 */
    bool open;                /* outside clients write it: no cf_src, dead letters allowed */
    const char *const *types; /* ce_types of interest, NULL-terminated; others cost a position */
};

/* ---- rows -------------------------------------------------------------------------------- */

enum cf_column_type {
    CF_COL_BOOL,  /* bool         boolean */
    CF_COL_INT2,  /* int16_t      smallint */
    CF_COL_INT4,  /* int32_t      integer; cf_day too */
    CF_COL_INT8,  /* int64_t      bigint; cf_ms too */
    CF_COL_TEXT,  /* struct cf_str text; ptr NULL is null */
    CF_COL_BYTES, /* struct cf_str bytea; ptr NULL is null */
    CF_COL_ID,    /* uint8_t[16]  uuid; all zero is null */
    CF_COL_KEY    /* struct cf_key bytea; len 0 is null */
};

struct cf_column {
    const char *name;
    enum cf_column_type type;
    size_t offset; /* in the plain struct */
};

/* An aggregate: table (part smallint, key bytea, <columns>, primary key (part, key)). The struct
 * is zeroed when there is no row. Rows are written once a batch, whatever it holds. */
struct cf_kind {
    const char *table;
    size_t size;
    const struct cf_column *columns;
    size_t n_columns;
};

/* A wide row beside the aggregates: table (part smallint, id uuid, <columns>, primary key
 * (part, id)), in the shard of the aggregate that writes it. Loaded only when asked for. */
struct cf_aux {
    const char *table;
    size_t size;
    const struct cf_column *columns;
    size_t n_columns;
    bool insert_only; /* insert or nothing; else insert or replace */
};

/* ---- outside work and timers ------------------------------------------------------------- */

/* One row of `work`. Kind is the service's own enum; a timer is a kind whose outcome is "due". */
struct cf_work {
    uint8_t id[16];
    uint16_t kind;
    int16_t part;
    struct cf_key key; /* of the aggregate that gets the outcome */
    cf_ms due;
    uint32_t attempt; /* 0 first */
    struct cf_str args;
    /* Put so, a new piece of work that is due at once may share a row with others of its batch;
     * only for work that nobody drops by its id. See bundle.h. */
    bool together;
    uint8_t bundle[16]; /* the row it lies in; zero: one of its own */
    uint32_t pieces;    /* above 0: such a row, whose args hold so many */
};

/* ---- numbers ----------------------------------------------------------------------------- */

/* Numbers are handed out 1, 2, 3... per (kind, scope) from blocks of 1,000 a shard. */
struct cf_number_kind {
    const char *name;
    uint16_t per_message; /* most that one message may take */
};

/* ---- the step: what a handler sees and may do --------------------------------------------- */

struct cf_step {
    const struct cf_record *rec;
    const struct cf_msg *msg;
    cf_ms now; /* the record's time, never going back within the shard */
    int16_t part;
    uint16_t index; /* of the message within its record */
    struct cf_arena *arena;
    const void *env;        /* service->env: configuration, calendar, catalogue; never changes */
    struct cf_batch *batch; /* the loop's own */
    const char *reason;     /* why, for parked and dead letters: a code, no personal data */
};

/* Sends a message after the commit; event id and number are the loop's. Key decides partition. */
void cf_send(struct cf_step *s, uint16_t out_topic, const struct cf_key *key, const char *ce_type,
             const ProtobufCMessage *body);
/* The same, but when a later message of this batch has the same topic and key, only that one is
 * sent: for readers that want the newest state, not every step. */
void cf_send_latest(struct cf_step *s, uint16_t out_topic, const struct cf_key *key,
                    const char *ce_type, struct cf_str body);
/* The same with bytes packed before. */
void cf_send_bytes(struct cf_step *s, uint16_t out_topic, const struct cf_key *key,
                   const char *ce_type, struct cf_str body);
/* The id that the next cf_send of this step will carry, for ids derived from it. */
void cf_next_event_id(struct cf_step *s, uint8_t id[16]);

/* Puts or replaces a row of work (by id, in this shard). Text is copied. */
void cf_work_put(struct cf_step *s, const struct cf_work *w);
void cf_work_drop(struct cf_step *s, const uint8_t id[16]);
/* A deterministic id for work of this step: the n-th. */
void cf_work_id(struct cf_step *s, uint32_t n, uint8_t id[16]);

/* The next number of a kind; ids and numbers are stable when the batch is run again. */
uint64_t cf_number(struct cf_step *s, uint16_t number_kind);

/* Writes a wide row; `row` is the struct of service->aux[aux], id its primary key. */
void cf_aux_put(struct cf_step *s, uint16_t aux, const uint8_t id[16], const void *row);
/* The same for a row that cannot be there yet, because its id is new with this step: a plain insert
 * costs a third less. One that `wants` asked for in vain is known to be new without this. */
void cf_aux_add(struct cf_step *s, uint16_t aux, const uint8_t id[16], const void *row);
/* The wide row that `wants` asked for, or that this batch has put; NULL when there is none. */
const void *cf_aux_get(struct cf_step *s, uint16_t aux, const uint8_t id[16]);

/* Counts a thing, once its batch is committed: cardflow_stage_events_total{what="refused"}; names
 * are literals, at most 16 a batch. */
void cf_count(struct cf_step *s, const char *what);

/* Is this command id among those packed in `ids` (16-byte id and 8-byte time each)? */
bool cf_ids_known(struct cf_str ids, const uint8_t id[16]);
/* Adds an id, drops those older than 7 days; false when 64 are there (too_many_operations). */
bool cf_ids_add(struct cf_step *s, struct cf_str *ids, const uint8_t id[16], cf_ms at);

/* ---- the service -------------------------------------------------------------------------- */

struct cf_decode {
    struct cf_arena *arena;
    const void *env;
    int32_t partitions;
    struct cf_msg *msgs; /* room for `max` messages */
    size_t max, n;
    const char *reason; /* set with an error: field and rule, never a value */
};

struct cf_want {
    uint16_t aux;
    uint8_t id[16];
};

struct cf_service {
    const char *name;             /* "photo-fetch"; its schema is photo_fetch */
    const struct cf_topic_in *in; /* ended by a NULL name */
    const char *const *out;       /* names, NULL-terminated; own internal topic first */
    const struct cf_kind *kinds;
    size_t n_kinds;
    const struct cf_aux *aux;
    size_t n_aux;
    const struct cf_number_kind *numbers;
    size_t n_numbers;
    const void *env;

    /* Bytes to messages. n = 0 with 0 returned: nothing to do, the position moves on. */
    int (*decode)(struct cf_decode *d, const struct cf_record *rec);
    /* Which wide rows deciding needs, seen the loaded aggregate; at most `max`. May be NULL. */
    size_t (*wants)(const void *aggregate, const struct cf_msg *m, struct cf_want *want,
                    size_t max);
    /* Decides: changes *aggregate (zeroed when new) and adds effects to the step. On an error
     * everything this message did is undone. *changed tells whether the row must be written. */
    int (*decide)(struct cf_step *s, void *aggregate, bool exists, bool *changed);
    /* Once a batch and changed aggregate, after all its messages: for what only the newest state
     * needs, like telling it. The step is that of the last message that changed it. An error parks
     * that message. May be NULL. */
    int (*settle)(struct cf_step *s, void *aggregate);
    /* After the commit, in the stage thread, rows of kind 0 as committed (for Redis). May be
     * NULL. Must not block longer than 100 ms. */
    void (*after_commit)(const void *env, const struct cf_key *const *keys, const void *const *rows,
                         size_t n);
};

/* Unpacks protobuf inside the batch arena, bounded; NULL when undecodable, or when a text in it is
 * not UTF-8. */
void *cf_unpack(struct cf_arena *a, const ProtobufCMessageDescriptor *d, struct cf_str bytes);
/* Packs into the arena. */
struct cf_str cf_pack(struct cf_arena *a, const ProtobufCMessage *m);

static inline struct cf_str cf_bytes(ProtobufCBinaryData b)
{
    return (struct cf_str){(const char *)b.data, b.len};
}

static inline ProtobufCBinaryData cf_data(struct cf_str s)
{
    return (ProtobufCBinaryData){s.len, (uint8_t *)(uintptr_t)s.ptr};
}

static inline ProtobufCBinaryData cf_data_id(const uint8_t id[16])
{
    return (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)id};
}

/* ---- running it ---------------------------------------------------------------------------- */

struct cf_metrics;

struct cf_stage_conf {
    const char *brokers, *dsn;
    int partitions;
    int batch_max; /* records a batch */
    int member_timeout_ms;
    const char *topic_prefix, *topic_suffix; /* "cardflow." and ".v1" */
    struct cf_metrics *metrics; /* for cf_count; may be NULL */
};

struct cf_stage; /* the stage thread and what it shares with the front */

void cf_stage_free(struct cf_stage *st);
struct cf_stage *cf_stage_new(const struct cf_service *service, const struct cf_stage_conf *conf)
    CF_FREED_BY(cf_stage_free);
/* Starts the thread. CF_E_CONFIG when schema or topics are not there. */
int cf_stage_start(struct cf_stage *st) CF_MUST;
/* Asks it to give everything up and stop; cf_stage_join waits, at most wait_ms. */
void cf_stage_stop(struct cf_stage *st);
bool cf_stage_join(struct cf_stage *st, int wait_ms);

/* Seen by the front: a snapshot without locks. */
struct cf_stage_view {
    int owned;              /* shards */
    int stopped;            /* of them, not read any more: the log lost records */
    uint64_t owned_mask[4]; /* bit i: shard i is owned (at most 256) */
    uint64_t turns;         /* counts turns of the loop; still for 30 s = dead */
    uint64_t records, steps, batches, messages, parked, dead_letters;
    uint64_t duplicates, fenced, retries;
    int64_t lag; /* records behind, of owned shards */
    int64_t oldest_unsent_ms;
    bool postgres_up, kafka_up;
    int fatal; /* an error of class FATAL, after which the process should end */
    const char *why;
};
void cf_stage_view(const struct cf_stage *st, struct cf_stage_view *out);
/* Random per process start; the front beats for it with sql/beat.sql (cf_stage_beat_sql). */
const uint8_t *cf_stage_replica(const struct cf_stage *st);
const char *cf_stage_beat_sql(void);

/* Work changes that commits have made, for the front thread (common/io/work). `fd` becomes
 * readable when there is something; take empties the list into `arena`. */
struct cf_work_change {
    enum { CF_WORK_PUT, CF_WORK_DROP, CF_WORK_SHARD_TAKEN, CF_WORK_SHARD_RELEASED } what;
    struct cf_work work; /* part alone for the shard changes */
};
int cf_stage_work_fd(const struct cf_stage *st);
size_t cf_stage_work_take(struct cf_stage *st, struct cf_arena *arena,
                          struct cf_work_change **changes);
