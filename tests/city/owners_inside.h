/* owners_inside -- what the files of owners share; nobody else includes it.
 *
 * owners_tables.c  which state follows which, read from the services' own tables
 * owners_log.c     who is watched; records as each comes to stand in the log
 * owners_rows.c    rows of the services after each turn
 * owners.c         applications when nothing is under way
 * owners_cards.c   cards when nothing is under way
 */
#pragma once
#include "services/intake/handlers.h"
#include "services/photo-fetch/rules.h"
#include "services/photo-fetch/store.h"
#include "tests/city/city.h"

struct app {
    struct cf_key key;
    uint8_t id[16];
    int16_t intake[SIM_PARTS]; /* state of its row */
    enum cf_app_state said;    /* the last step told */
    int accepted;
    bool temporary;
};

/* A card as its events tell of it. */
struct owners_card {
    char no[16];
    struct cf_key holder;
    enum cf_card_state state, before_loss;
    bool temporary, ordered;
};

/* What is watched. */
extern struct owners_all {
    struct cf_key keys[8];
    struct app apps[64];
    struct {
        uint8_t id[16];
        int answers;
        bool expired;
    } operations[128];
    struct owners_card cards[128];
    size_t n_keys, n_apps, n_operations, n_cards;
} owners;

/* owners_tables.c */
void owners_read_tables(void);
bool owners_app_edge(enum cf_app_state from, enum cf_app_state to, bool temporary);
/* By one edge or several. */
bool owners_app_reach(enum cf_app_state from, enum cf_app_state to, bool temporary);
bool owners_intake_reach(int from, int to);
bool owners_photo_reach(int from, int to);
bool owners_card_edge(enum cf_card_state from, enum cf_card_state to);

/* owners_rows.c */
int16_t owners_part(const struct cf_key *key);
const void *owners_row(enum sim_service service, uint16_t kind, int16_t part,
                       const struct cf_key *key);
const void *owners_aux(enum sim_service service, uint16_t kind, int16_t part,
                       const uint8_t id[16]);
/* False: no row; h is zeroed then. */
bool owners_production(const struct cf_key *key, struct production_holder *h);

/* owners_cards.c */
void owners_cards_settled(void);
