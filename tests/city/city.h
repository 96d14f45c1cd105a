/* city -- services over the simulation's log, store and clock, one process each, without faults.
 *
 * What stands between is the product's own: codecs, handlers, rules and the stage. Whoever uses
 * this says what happens (people, banks, the police, time) and lets the services go on, a turn of
 * one of them at a time, in an order that chance decides.
 *
 * city.c    processes, turns, work that waits at the fronts
 * people.c  what people and partners send
 * timers.c  kinds of work: which are timers
 * owners*.c what must hold of every application and card
 * property.c, ops*.c  random sequences of operations
 *
 * Units    ms of the simulated clock
 * Owns     everything lives until the process ends
 * Errors   sim_broken: a rule does not hold
 */
#pragma once
#include "services/intake/codec.h"
#include "services/production/codec.h"
#include "tests/sim/sim.h"

enum { CITY_PARTS = SIM_PARTS };

/* ---- city.c ---------------------------------------------------------------------------------- */

/* Makes these services; each of them owns all shards afterwards. */
void city_begin(const enum sim_service *services, size_t n);
/* Most records of a batch, at most 50. */
void city_batch(int records);
/* A turn of somebody who can go on; false: nobody can. */
bool city_turn(void);
/* Turns until nobody can go on; false: not within so many. */
bool city_settle(long turns);
/* Called after every turn of a service that had records. */
typedef void city_seen(enum sim_service service);
void city_watch(city_seen *seen);
/* Lives until the next call of city_turn. */
struct cf_arena *city_arena(void);

/* Work and timers that are due until then and have not been told of yet, the first due first. */
struct city_work {
    enum sim_service service;
    struct cf_work work;
};
size_t city_work(cf_ms until, struct city_work *out, size_t max);
/* What a front says of it. */
void city_tell(const struct city_work *w, const struct sim_answer *x);
/* The row of work is there (and due when it is): its due time, else 0. */
cf_ms city_work_due(enum sim_service service, int16_t part, const uint8_t id[16]);

/* ---- people.c -------------------------------------------------------------------------------- */

/* One of the documents of an invented person. */
struct city_person {
    uint32_t no;
    bool child, renewed; /* renewed: a passport */
    struct cf_key key;
    char number[24], name[16], birth[12], phone[16], address[64];
    struct intake_person fields;
};

void city_person_make(uint32_t no, bool child, bool renewed, struct city_person *out);
struct cf_str city_person_seal(const struct intake_person *fields, const struct cf_key *key);
/* Who asks, in that role: the person, or somebody else by a document. */
struct cf_str city_actor_seal(const struct city_person *p, const char *role);
/* The holder has consented, and signed for it. */
void city_consent(const struct city_person *p, struct production_command_fields *f);

void city_send(const char *topic, const char *type, const char *source, const struct cf_key *key,
               const uint8_t id[16], struct cf_str value);
/* Twice the same record, as it was when it was first sent. */
void city_send_again(size_t which);
size_t city_sent(void);

void city_enrol(const struct city_person *p, const char *type, const char *reason,
                int64_t revision);
void city_renew(const struct city_person *was, const struct city_person *is, int64_t revision);
void city_submit(const struct city_person *p, const struct intake_submit *m);
void city_supplement(const struct city_person *p, const struct intake_supplement *m,
                     const uint8_t command_id[16]);
void city_withdraw(const struct city_person *p, const uint8_t app[16],
                   const uint8_t command_id[16]);
void city_operate(const struct cf_key *holder, const struct production_command_fields *f);
void city_upload(const struct cf_key *holder, const uint8_t app[16], const uint8_t id[16],
                 bool waive);

/* A line that a bank was sent, in order. */
struct city_line {
    struct cf_key key;
    uint8_t app[16], batch[16];
    uint32_t no;
    char card[CF_CARDNUM_LEN + 1], bank[8];
    unsigned said; /* bits of enum production_app_event */
};
/* Reads what is new in bank.orders. */
struct city_line *city_lines(size_t *n);
/* Does a bank get to hear this? As it is at first, one sending in three is lost there. */
extern bool (*city_bank_hears)(const struct cf_key *holder, const struct Cardflow__V1__BankOrder *o);
/* The banks acknowledge the notices that reached them; false when there was none. */
bool city_banks_read(void);
void city_bank_says(const struct city_line *l, const char *step, const char *reason,
                    const uint8_t id[16], int64_t fee_cents);

/* ---- owners.c -------------------------------------------------------------------------------- */

/* A holder by every key under which something is sent; an application; a command to be answered. */
void owners_holder(const struct cf_key *key);
void owners_app(const struct cf_key *key, const uint8_t id[16]);
void owners_operation(const uint8_t id[16]);
/* Rows after a turn of that service. */
void owners_seen(enum sim_service service);
/* When nothing is under way: every application has one state and one owner, who will act. */
void owners_settled(void);
/* When kept commands have had their time: each is answered. */
void owners_answered(void);
/* When no partner has acted for a year: what is open waits for a partner's next step alone. */
void owners_idle(void);

/* What has been walked, for a summary. */
struct owners_walked {
    bool app_states[CF_APP_COUNT], card_edges[CF_CARD_COUNT][CF_CARD_COUNT];
    unsigned long steps, changes, answers;
};
extern struct owners_walked *owners_walked; /* where to count */
