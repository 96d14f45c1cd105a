/* batch -- one batch in the making; shared by batch.c and effects.c only. */
#pragma once
#include "common/io/stage/inside.h"

struct item {
    struct cf_msg msg;
    uint32_t rec;
    uint16_t index;
    bool whole; /* all messages of the record are here, not one that was parked alone */
};

struct aux_entry {
    struct aux_entry *next;
    uint16_t aux;
    int16_t part;
    uint8_t id[16];
    const void *row; /* NULL: asked for, not there */
    struct cf_place place;
    bool changed;
};

struct work_entry {
    struct work_entry *next;
    int16_t part;
    uint8_t id[16];
    bool exists, changed;
    bool stored;  /* loaded, as a row of its own */
    bool at_once; /* put so that it may lie in one row with others */
    struct bundle_entry *bundle; /* loaded, within this row */
    struct cf_work work;
};

/* A loaded row of work that holds many. */
struct bundle_entry {
    struct bundle_entry *next;
    int16_t part;
    uint8_t id[16];
    struct work_entry **pieces;
    size_t n;
};

struct row_entry {
    struct row_entry *next;
    struct cf_load_row *load;
    bool exists; /* now: loaded, or made by an earlier message of this batch */
    uint32_t last_item;  /* that changed it */
    uint16_t last_outs;  /* its messages sent */
};

/* What a message did to an entry, to be undone when it fails. */
struct undo {
    struct undo *next;
    struct aux_entry *aux;
    struct work_entry *work;
    struct aux_entry aux_before;
    struct work_entry work_before;
};

struct out_entry {
    struct cf_out_message m;
    int16_t part;
    bool latest;     /* only the last one of its topic and key is sent */
    bool overtaken;  /* by a later one: not sent */
};

enum { COUNTS_MAX = 16 };

#define VECTOR(type)                                                                               \
    struct {                                                                                       \
        type *v;                                                                                   \
        size_t n, cap;                                                                             \
    }

/* Parked records of one key that an operator's command has the stage decide again, or drop. */
struct redrive {
    const struct cf_record *command;
    /* Of the rows taken, those from here on are parked again: PostgreSQL refuses a value. */
    size_t force_from;
    bool asked; /* the command is good, and these are set: */
    struct cf_parked_row *rows;
    size_t n;    /* rows taken; record i + 1 of the batch is rows[i] */
    bool remain; /* others of the key stay parked */
    struct cf_commit_unpark unpark;
};

struct cf_batch {
    struct cf_stage *st;
    struct cf_arena *arena;
    struct cf_record *records;
    size_t n_records;
    bool force_park; /* the record that PostgreSQL refuses */
    struct redrive *redrive; /* NULL: records of the log */
    VECTOR(struct item) items;
    VECTOR(struct out_entry) outs;
    VECTOR(struct cf_commit_parked) parked;
    VECTOR(struct parked_key *) parked_keys;
    struct cf_load_row *rows;
    size_t n_rows, buckets;
    struct row_entry **row_table;
    struct aux_entry **aux_table;
    struct work_entry **work_table;
    struct bundle_entry **bundle_table;
    struct cf_work_change *told; /* what the front is to know of work */
    size_t n_told;
    struct cf_want *wants; /* room for WANTS_MAX */
    uint32_t whole_parked; /* 1 + the record that was parked as a whole last; 0 none */
    struct undo *undo;
    int step_error;
    uint16_t step_outs, step_works;
    uint32_t steps, duplicates, dead;
    struct {
        const char *what;
        uint32_t n;
    } counts[COUNTS_MAX];
    struct cf_commit commit;
};

#define PUSH(vector, arena, value)                                                                 \
    do {                                                                                           \
        if ((vector).n == (vector).cap) {                                                          \
            size_t cap_ = (vector).cap ? 2 * (vector).cap : 64;                                    \
            void *new_ = cf_arena_alloc(arena, cap_ * sizeof *(vector).v);                         \
            if ((vector).n) memcpy(new_, (vector).v, (vector).n * sizeof *(vector).v);             \
            (vector).v = new_;                                                                     \
            (vector).cap = cap_;                                                                   \
        }                                                                                          \
        (vector).v[(vector).n++] = (value);                                                        \
    } while (0)

struct work_entry *batch_work(struct cf_batch *b, int16_t part, const uint8_t id[16]);
struct work_entry *batch_work_add(struct cf_batch *b, int16_t part, const uint8_t id[16]);
struct aux_entry *batch_aux(struct cf_batch *b, uint16_t aux, int16_t part, const uint8_t id[16]);
struct aux_entry *batch_aux_add(struct cf_batch *b, uint16_t aux, int16_t part,
                                const uint8_t id[16]);
void batch_keep_work(struct cf_batch *b, struct work_entry *e);
void batch_keep_aux(struct cf_batch *b, struct aux_entry *e);
/* Sends under the service's name to any output, dead letters too. */
struct out_entry *batch_send(struct cf_step *s, uint16_t topic, int32_t target, struct cf_str key,
                struct cf_str type, struct cf_str extra, struct cf_str value);

/* admit.c */
int batch_admit(struct cf_batch *b) CF_MUST;
cf_ms batch_now(struct cf_stage *st, const struct cf_record *r);
void batch_park(struct cf_batch *b, const struct cf_record *r, int32_t index, const char *reason);
/* Decodes one record of the batch: all its messages, or one that was parked alone. */
void batch_decode(struct cf_batch *b, uint32_t i, int32_t only);
void batch_dead_letter(struct cf_batch *b, const struct cf_record *r, const char *reason);
bool batch_key_is_parked(const struct cf_batch *b, const struct cf_record *r);

/* redrive.c */
int redrive_admit(struct cf_batch *b) CF_MUST;
void redrive_decided(struct cf_batch *b);
void redrive_committed(struct cf_batch *b);
void batch_count(struct cf_batch *b, const char *what, uint32_t n);

/* work.c: loading and saving rows of `work` */
void batch_name_work(struct cf_batch *b, const struct cf_msg *m, int16_t part, struct cf_load *l);
int batch_take_work(struct cf_batch *b, const struct cf_load *l) CF_MUST;
void batch_save_work(struct cf_batch *b, struct cf_commit *c);

/* decide.c */
size_t batch_bucket(const struct cf_batch *b, const void *p, size_t n, uint64_t seed);
void batch_make_tables(struct cf_batch *b);
struct row_entry *batch_row(const struct cf_batch *b, uint16_t kind, const struct cf_key *key);
int batch_load(struct cf_batch *b) CF_MUST;
int batch_fill_pools(struct cf_batch *b) CF_MUST;
int batch_decide(struct cf_batch *b) CF_MUST;
