/* rules_password -- the states of a card's passwords, and the marks of its add-ons.
 *
 * Shapes   marks are packed into at most PRODUCTION_ADD_ONS_MAX bytes of the holder's row
 * Errors   as rules.h
 * Source   domain reference, "Card"; Measures 2015, rows S11 and S14
 */
#pragma once
#include "services/production/rules.h"

#define PRODUCTION_TRIES_MAX 6 /* so many wrong tries lock a password */

/* What happens to a password. */
enum production_password_event {
    PRODUCTION_PW_ON_SET,
    PRODUCTION_PW_ON_RESET,
    PRODUCTION_PW_ON_DISABLE,
    PRODUCTION_PW_ON_LOCK,
    PRODUCTION_PW_ON_COUNT
};

struct production_password_edge {
    enum production_password from;
    enum production_password_event on;
    enum production_password to;
    bool already; /* said before: nothing happens */
};

const struct production_password_edge *production_password_edges(size_t *n);
/* MOVE (with *to), ALREADY or ILLEGAL. */
enum production_fit production_password_fit(enum production_password from,
                                            enum production_password_event on,
                                            enum production_password *to);

/* The bank has counted wrong tries of a password. */
struct production_tries {
    uint8_t id[16]; /* the bank's own, of this report */
    struct cf_str bank, card_no;
    int password;   /* 0 social_security, 1 financial */
    uint32_t tries; /* wrong ones in a row */
};

enum production_fit production_on_tries(struct production_holder *h,
                                        const struct production_tries *t,
                                        struct production_effects *fx);

#define PRODUCTION_ADD_ONS_MAX 255 /* bytes of all marks of a card */
#define PRODUCTION_ADD_ON_NAME 64

/* The mark of an add-on that was opened: which, when, and whose consent (S14). */
struct production_add_on {
    struct cf_str name;
    cf_ms at;
    bool by_guardian;
};

/* The next mark off the front of *marks; false at the end. */
bool production_add_on_next(struct cf_str *marks, struct production_add_on *out);
bool production_add_on_has(struct cf_str marks, struct cf_str name);
/* Copies marks into room (PRODUCTION_ADD_ONS_MAX bytes) and adds one; false: no room for it. */
bool production_add_on_add(struct cf_str marks, const struct production_add_on *a, char *room,
                           struct cf_str *out);
