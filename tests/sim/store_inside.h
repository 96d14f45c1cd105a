/* store_inside -- what the files of the store share; nobody else includes it.
 *
 * store.c         tables, who lives, what is seen from outside
 * store_door.c    the door: shards, streams, loading
 * store_commit.c  the door: the one transaction, its guards, and what comes late
 * check_commit.c  what must hold of the rows of a commit
 * store_restore.c the store as it was at an older commit
 */
#pragma once
#include "tests/sim/sim.h"

enum { BUCKETS = 8192, MEMBERS = 64, TIMEOUT_MS = 3000, TOPICS = 32, NUMBERS = 8 };

struct row {
    struct row *next;
    bool aux;
    uint16_t kind;
    int16_t part;
    struct cf_key key;
    uint64_t place;
    void *data;
};

struct work_row {
    struct work_row *next;
    struct cf_work work; /* args are malloc'ed */
};

struct journal_row {
    struct journal_row *next;
    int64_t seq;
    struct cf_str messages;
};

struct parked_row {
    struct parked_row *next;
    uint16_t topic;
    int64_t offset;
    int32_t index;
    struct cf_key key;
};

struct sim_store {
    const struct cf_service *service;
    size_t n_in, n_out, n_parked;
    uint64_t places;
    struct row *rows[BUCKETS];
    struct work_row *work[SIM_PARTS];
    struct {
        bool owned, lost; /* lost: restored without commits whose messages the log holds */
        uint8_t owner[16];
        int64_t epoch, journal_seq, acked_seq;
        cf_ms last_now;
        struct journal_row *first, *last;
        struct parked_row *parked;
        struct {
            int64_t last_offset, last_no[SIM_PARTS];
            uint64_t last_hash;
        } in[TOPICS];
        struct {
            int64_t last_no[SIM_PARTS], acked_no[SIM_PARTS], acked_offset[SIM_PARTS];
        } out[TOPICS];
    } shards[SIM_PARTS];
    struct {
        uint8_t replica[16];
        cf_ms seen_at, steady_since;
    } members[MEMBERS];
    size_t n_members;
    struct {
        const char *name;
        uint64_t next;
    } numbers[NUMBERS];
    struct late_save *late;
};

/* Acknowledgements that were being saved when the connection was lost: the server may do it yet. */
struct late_save {
    struct late_save *next;
    cf_ms at;
    struct cf_commit c;
    struct cf_commit_shard shards[SIM_PARTS];
    struct cf_commit_output outputs[SIM_PARTS * TOPICS];
    int64_t numbers[SIM_PARTS * TOPICS][3][SIM_PARTS];
    uint8_t replica[16];
};

struct store_mem {
    struct cf_store door;
    struct sim_store *data;
    struct replica *r;
    uint8_t replica[16];
    struct {
        uint64_t records, decision; /* hashes of the batch that came last */
    } tried;
    bool in_limbo; /* a commit has left, but has not come yet: the connection is lost */
};

/* store.c */
struct row **store_row(struct sim_store *d, bool aux, uint16_t kind, int16_t part,
                       const struct cf_key *key);
void store_save_row(struct sim_store *d, bool aux, uint16_t kind, int16_t part,
                    const struct cf_key *key, const void *row);
void *store_load_row(const struct sim_store *d, struct cf_arena *a, const struct row *row);
void store_place(const struct row *row, struct cf_place *place);
struct work_row **store_work(struct sim_store *d, int16_t part, const uint8_t id[16]);
struct cf_key store_key_of_id(const uint8_t id[16]);
size_t store_member(const struct sim_store *d, const uint8_t replica[16]);
bool store_lives(const struct sim_store *d, const uint8_t replica[16]);

/* store_door.c */
/* Gives way; and PostgreSQL may be away. */
int store_enter(struct store_mem *s, const char *what) CF_MUST;
bool store_is_mine(const struct store_mem *s, int16_t part, int64_t epoch);

/* store_commit.c */
int store_commit(void *self, const struct cf_commit *c);
int store_verdict(void *self, const struct cf_commit *c, bool *committed);
