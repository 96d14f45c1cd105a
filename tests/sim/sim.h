/* sim -- all six services in one process and one thread, over a log, a store and a clock in memory.
 *
 * Rules, codecs, handlers and the stage are the product's own. Each replica's stage runs on a fiber
 * that gives way at every call through a door and wherever it would wait; a seeded scheduler
 * decides what happens next: one more step of a replica, a delivery, an answer, or a fault.
 *
 * clock.c     chance, the clock, the trace
 * log.c       topics, and the log's door       store*.c   tables, and the store's door
 * replica.c   a process: fiber, front, ends    world.c    load, police, banks, SMS
 * services.c  what main.c of each service makes
 * outcome.c   what a front says of work that has ended
 * bank.c, story.c, orders.c  what banks, persons and the hotline do
 * check.c     what must always hold, and what must hold at the end
 *
 * Units    ms of the simulated clock
 * Owns     everything lives until the process ends, but for stages
 * Errors   a broken rule prints the seed and ends the process with 1
 */
#pragma once
#include "common/io/seal.h"
#include "common/io/stage/inside.h"

enum { SIM_SERVICES = 6, SIM_REPLICAS = 2, SIM_PARTS = 4, SIM_TOPICS = 48, SIM_STREAMS = 24 };
enum sim_service {
    SIM_INTAKE,
    SIM_PHOTO_FETCH,
    SIM_PRODUCTION,
    SIM_NOTIFICATION,
    SIM_INQUIRY,
    SIM_COMPLAINT
};

/* ---- clock.c -------------------------------------------------------------------------------- */

struct sim_options {
    uint64_t seed;
    long steps;
    bool trace, calm, restore;
    bool failover; /* restore, and its processes live on */
    bool no_epoch_guard, no_offset_guard, no_place_guard; /* to see that they are missed */
};

extern struct sim_options sim_opt;
extern cf_ms sim_now;
extern long sim_step;
extern uint64_t sim_trace;
extern bool sim_faults; /* may things go wrong now? */

void sim_clock_begin(void);
/* From here on, chance is that of this seed. */
void sim_chance_from(uint64_t seed);
double sim_real_seconds(void);
uint64_t sim_random(void);
uint32_t sim_below(uint32_t n); /* 0..n-1 */
/* So many times in a million. */
bool sim_chance(uint32_t millionths);
/* The same, but never when faults are over. */
bool sim_fault(uint32_t millionths);
void sim_mix(const void *p, size_t n);
/* A line of the trace; part of its hash. */
void sim_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A rule is broken. */
_Noreturn void sim_broken(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- log.c ---------------------------------------------------------------------------------- */

struct sim_record {
    cf_ms at, ce_time;
    int64_t cf_no;
    uint64_t hash; /* of key, id and value */
    struct cf_str key, value, ce_id, ce_type, ce_source, trace, cf_src;
};

struct sim_topic {
    char name[64];
    struct sim_part {
        struct sim_record **v;
        int64_t n, cap;
        /* By source ("intake/3"): hashes of what came under 1, 2, 3... */
        struct sim_stream {
            char source[40];
            uint64_t *hashes;
            int64_t n, cap;
        } streams[SIM_STREAMS];
    } parts[SIM_PARTS];
};

/* Made when first named. */
struct sim_topic *sim_topic(const char *name);
/* The record is copied. */
void sim_append(struct sim_topic *topic, int32_t part, const struct sim_record *r);
struct sim_record *sim_record_copy(const struct sim_record *r);

struct replica;
struct cf_log *sim_log_door(struct replica *r);
/* Delivers one message on its way, or hands in an acknowledgement; false: there is none. */
bool sim_deliver(struct replica *r);
bool sim_undelivered(const struct replica *r);
bool sim_records_wait(const struct replica *r);
bool sim_acks_wait(const struct replica *r);
cf_ms sim_next_ack(const struct replica *r);
/* What a dead process had under way may still arrive for a moment. */
bool sim_deliver_ghost(void);
bool sim_ghosts(void);

/* ---- store*.c ------------------------------------------------------------------------------- */

struct sim_store; /* the schema of one service */

/* Who looks at commits; NULL: nobody. */
extern struct sim_watch {
    void (*commit)(struct sim_store *data, const struct cf_commit *c);
    void (*parked)(const struct cf_service *service, const struct cf_key *key);
} sim_watch;

struct sim_store *sim_store_new(const struct cf_service *service);
struct cf_store *sim_store_door(struct sim_store *data, struct replica *r);
void sim_store_beat(struct sim_store *data, const uint8_t replica[16]);
void sim_store_leave(struct sim_store *data, const uint8_t replica[16]);
/* Rows of `work` of a shard, pieces one by one. */
typedef void sim_work_seen(void *arg, const struct cf_work *w);
void sim_store_work(const struct sim_store *data, int16_t part, struct cf_arena *a,
                    sim_work_seen *seen, void *arg);
typedef void sim_row_seen(void *arg, const struct cf_key *key, const void *row);
void sim_store_rows(const struct sim_store *data, bool aux, uint16_t kind, sim_row_seen *seen,
                    void *arg);
const void *sim_store_row(const struct sim_store *data, bool aux, uint16_t kind, int16_t part,
                          const struct cf_key *key);
size_t sim_store_parked(const struct sim_store *data);
size_t sim_store_parked_of(const struct sim_store *data, const char *topic);
size_t sim_store_work_due(const struct sim_store *data, cf_ms until);
/* The earliest that is due after `from`; INT64_MAX: none. */
cf_ms sim_store_next_due(const struct sim_store *data, cf_ms from);
/* Time has leapt, and nobody has missed a beat. */
void sim_store_leap(struct sim_store *data, cf_ms ms);
/* Is every record of its topics applied, and every message acknowledged? Why not, else NULL. */
const char *sim_store_busy(const struct sim_store *data);

/* ---- replica.c ------------------------------------------------------------------------------ */

extern struct replica *sim_current; /* whose fiber runs */

struct replica *sim_replica_new(enum sim_service service, int number);
enum sim_service sim_replica_service(const struct replica *r);
struct sim_store *sim_data_of(enum sim_service service);
const char *sim_replica_name(const struct replica *r);
const uint8_t *sim_replica_id(const struct replica *r);
void *sim_replica_log(const struct replica *r);
void sim_replica_set_log(struct replica *r, void *log);
/* At a door: somebody else's turn. CF_E_BROKER when this process dies here. */
int sim_door(struct replica *r, const char *what) CF_MUST;
/* Waits inside of a fiber. */
void sim_wait(struct replica *r, cf_ms until, bool for_records, bool for_acks);
void sim_pause(cf_ms ms);

bool sim_stage_ready(const struct replica *r);
void sim_stage_step(struct replica *r);
bool sim_front_ready(const struct replica *r);
void sim_front_step(struct replica *r);
bool sim_net_ready(const struct replica *r);
cf_ms sim_replica_next(const struct replica *r); /* when it has something to do */
bool sim_replica_idle(const struct replica *r);
/* Faults. */
void sim_replica_crash(struct replica *r);
void sim_replica_stop(struct replica *r);
void sim_replica_freeze(struct replica *r, cf_ms ms, bool stage_alone);
/* What it sends waits. */
void sim_replica_cut(struct replica *r, cf_ms ms);
void sim_replica_wake(struct replica *r);
void sim_replica_free(struct replica *r);

/* ---- store_restore.c, and what main.c does with it ------------------------------------------- */

struct sim_store *sim_store_backup(const struct sim_store *d);
/* How many shards have lost commits whose messages the log holds. */
size_t sim_store_restore(struct sim_store *d, const struct sim_store *backup);
bool sim_store_lost(const struct sim_store *d);
_Noreturn void sim_noticed(const char *replica); /* lost commits: the run ends, and well */

/* ---- services.c ----------------------------------------------------------------------------- */

void sim_services_begin(void);
const struct cf_service *sim_service(enum sim_service service);
const struct cf_seal_ring *sim_ring(void);

/* ---- world.c -------------------------------------------------------------------------------- */

struct sim_answer {
    int result; /* Cardflow__V1__WorkOutcome__Result */
    const char *reason;
    struct cf_str payload;
};
/* What the partner says to a piece of work; told once per call. */
struct sim_answer sim_partner(enum sim_service service, const struct cf_work *w,
                              struct cf_arena *a);
bool sim_is_timer(enum sim_service service, uint16_t kind);
/* outcome.c: a record of the service's internal topic; now and then it comes twice. */
void sim_tell_outcome(enum sim_service service, struct cf_arena *a, const struct cf_work *w,
                      const struct sim_answer *x);

struct Cardflow__V1__BankOrder;
struct production_result_fields;
/* What the bank answers to a notice, and under whose key. */
void sim_acknowledge(const struct Cardflow__V1__BankOrder *o, struct cf_key *holder,
                     struct production_result_fields *f);

/* A record from outside, now. */
void sim_world_send(const char *topic, const char *type, const char *source, struct cf_str key,
                    const uint8_t id[16], struct cf_str value);
void sim_world_begin(void);
bool sim_world_ready(void);
void sim_world_step(void);
cf_ms sim_world_next(void);
/* Does nobody do anything until then? */
bool sim_world_idle(cf_ms until);
void sim_world_finish(void); /* nobody comes any more */

struct sim_person {
    struct cf_key renewed; /* of the newer document; empty: none */
    struct cf_key key;
    uint8_t app[16], second[16]; /* second: refused, for one is open; zero: none */
    uint8_t temporary[16]; /* application for a temporary card; zero: none */
    uint8_t command[16]; /* of a withdrawal, a release or an extension */
    char card[16];       /* number of the first card that a bank was asked to make */
    int story;           /* enum world_story of world_inside.h; 0: the plain one */
    bool on_file, no_phone, submitted;
};
/* Has the person's story ended as it must? False: it is the plain one. */
bool sim_check_story(const struct sim_person *p, size_t i);
/* Is a message about this holder to be parked? */
bool sim_story_parks(const struct cf_key *key);
bool sim_story_replaces(const struct cf_key *key);
/* Does a second card arrive at the outlet, for the first one broke there? */
bool sim_story_arrives_twice(const struct cf_key *key);
/* A row of `work_order` at the end; arg counts them. */
void sim_check_order(void *arg, const struct cf_key *key, const void *row);
size_t sim_persons(const struct sim_person **list);
bool sim_is_malformed(const struct sim_record *r);
size_t sim_malformed(void); /* submissions that are dead letters */
size_t sim_complaints(void);

/* ---- world_cards.c -------------------------------------------------------------------------- */

/* The card is in use: what the holder will do with it, in a step of its own. */
void sim_cards_activated(const struct cf_key *holder, const char *card_no, const char *bank);
bool sim_cards_wait(void);
void sim_cards_step(struct cf_arena *a);
/* The bank reads a card notice. */
void sim_cards_notice(const struct Cardflow__V1__BankOrder *o, struct cf_arena *a);
/* Every notice must have been acknowledged. */
void sim_cards_check_end(void);

/* ---- check.c -------------------------------------------------------------------------------- */

/* As each record comes to stand in the log. */
void sim_check_record(const struct sim_topic *topic, int32_t part, const struct sim_record *r);
/* The gateway takes a message. */
void sim_check_sms(const struct cf_work *w, struct cf_arena *a);
/* check_commit.c: the rows of each commit are looked at from now on. */
void sim_check_commits(void);
void sim_check_now(void); /* between steps */
void sim_check_end(void);
