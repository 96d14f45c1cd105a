/* world_inside -- what the files of the world share; nobody else includes it.
 *
 * world.c   persons who come, the police, what is done later
 * bank.c    the banks' adapter
 * story.c   what becomes of a person's application, and how that must end
 * story_temporary.c  temporary cards beside it
 * story_reissue.c    a card made anew for another reason than its loss
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
    X(RELEASES, 40)       /* lost, replaced, found again */ \
    X(TEMPORARY, 40)      /* a temporary card until the permanent one is in use */ \
    X(TEMPORARY_LEFT, 15) /* never fetched: expires */ \
    X(EXTENDED, 25)       /* extended; the permanent card is never fetched, time ends it */ \
    X(REISSUE_DATA, 20)   /* a card with other data instead of the one in use */ \
    X(REISSUE_BANK, 20)   /* of another bank */ \
    X(REISSUE_EXPIRY, 20) /* one from before ends within 90 days */ \
    X(REISSUE_MASS, 20)   /* an old card that nobody here knows */

enum world_story {
#define X(name, share) STORY_##name,
    WORLD_STORIES(X)
#undef X
        STORY_COUNT
};

enum world_paper {
    WORLD_FIRST,
    WORLD_RENEWED,
    WORLD_LOST,
    WORLD_TEMPORARY,
    WORLD_REISSUE_DATA,
    WORLD_REISSUE_BANK,
    WORLD_REISSUE_EXPIRY,
    WORLD_REISSUE_MASS
};

/* world.c */
extern struct cf_arena *world_arena;
extern struct sim_person *world_persons;
typedef void world_deed(uint32_t person);

char *world_lit(const char *z);
void world_later(uint32_t i, cf_ms wait, world_deed *deed);
void world_submit(uint32_t i, const uint8_t id[16], enum world_paper paper);
/* Where the person goes; i + 1: to another one. */
void world_bank_of(uint32_t i, char bank[8]);
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
enum { WORLD_LOOK_MS = 500 };
/* What the person would see at inquiry. */
const void *world_row_of(enum sim_service service, const struct sim_person *p);
const void *world_wide_of(enum sim_service service, uint16_t aux, const struct sim_person *p,
                          const uint8_t id[16]);
void world_new_id(uint32_t i, const char *what, uint8_t id[16]);
/* A command about that card, by its holder. */
void world_operate(const struct sim_person *p, const char *operation, const char *card_no,
                   const char *bank, const uint8_t id[16]);

/* story_temporary.c */
void world_temporary(uint32_t i);
bool world_temporary_ended(const struct sim_person *p);

/* story_reissue.c */
enum world_paper world_first_paper(const struct sim_person *p);
void world_reissue(uint32_t i);
void world_import(uint32_t i);
bool world_reissue_ended(const struct sim_person *p);

/* orders.c */
void world_order_follow(uint32_t i);
