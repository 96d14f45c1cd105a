/* world_inside -- what the files of the world share; nobody else includes it.
 *
 * world.c   persons who come, the police, what is done later
 * bank.c    the banks' adapter
 * story.c   what becomes of a person's application, and how that must end
 * orders.c  what the hotline and an agency do with a work order
 */
#pragma once
#include "tests/sim/sim.h"

/* The plain story first; share in thousandths. */
#define WORLD_STORIES(X)  \
    X(PLAIN, 0)           \
    X(UPLOAD, 40)         /* no photo at the police; handed in later */ \
    X(NO_PHOTO, 20)       /* never handed in: expires */ \
    X(SUPPLEMENT, 40)     /* noticed, then put right */ \
    X(NO_SUPPLEMENT, 20)  /* never put right: expires */ \
    X(UNENROLLED, 20)     /* never enrolled: noticed after a day, then expires */ \
    X(WITHDRAW, 60)       /* at any time; in production it is refused */ \
    X(NO_ACCOUNT, 20)     /* the bank cannot open an account: expires */ \
    X(BREAKS, 30)         /* failed, remade; the old card is said to be produced after all */ \
    X(BREAKS_LATE, 20)    /* the same when it had arrived */ \
    X(SILENT, 20)         /* unanswered: missing, remade; then answered */ \
    X(UNCOLLECTED, 20)    /* for a year */ \
    X(MIXED, 30)          /* answers in another order */ \
    X(TWICE, 30)          /* every answer twice, under another id */ \
    X(DENIES, 15)         /* produced, and then failed: parked for an operator */ \
    X(DIES, 50)           /* at any time */ \
    X(REPLACES, 40)       /* lost, replaced */ \
    X(RELEASES, 40)       /* lost, replaced, found again */

enum world_story {
#define X(name, share) STORY_##name,
    WORLD_STORIES(X)
#undef X
        STORY_COUNT
};

enum world_paper { WORLD_FIRST, WORLD_RENEWED, WORLD_LOST };

/* world.c */
extern struct cf_arena *world_arena;
extern struct sim_person *world_persons;
typedef void world_deed(uint32_t person);

char *world_lit(const char *z);
void world_later(uint32_t i, cf_ms wait, world_deed *deed);
void world_submit(uint32_t i, const uint8_t id[16], enum world_paper paper);
struct cf_str world_person_bytes(uint32_t i, bool renewed, struct cf_key *key);
struct cf_str world_person_seal(uint32_t i, bool renewed, struct cf_key *key);
struct cf_str world_sealed_for(struct cf_str person, const struct cf_key *key);
/* NULL: nobody. */
struct sim_person *world_person_with(const uint8_t app[16]);
struct sim_person *world_person_of(const struct cf_key *key);

/* bank.c */
bool bank_read(void);
bool bank_play(void);
bool bank_waits(void);
cf_ms bank_next(void);

/* story.c */
void world_story_choose(uint32_t i);
void world_story_begin(uint32_t i);
bool world_police_have_none(const struct sim_person *p);

/* orders.c */
void world_order_follow(uint32_t i);
