/* states -- the machines as the services' tables have them, joined, and compared with the domain.
 *
 * Shapes   one list of edges; where two services know of the same one, both name their event
 * Owns     text is static, or lives as long as the file it was read from
 * Errors   a sentence a difference, on standard error; the count is returned
 * Source   domain reference, tables of applications and cards (tests/data/states.csv)
 */
#pragma once
#include "common/pure/str.h"

#include <stdio.h>

#define STATES_EDGES 256
#define STATES_BEFORE_LOSS "the state before the loss"

enum states_machine { STATES_APPLICATION, STATES_TEMPORARY, STATES_CARD, STATES_MACHINES };

struct states_edge {
    enum states_machine machine;
    const char *from, *to; /* to "": ahead of the state, it waits */
    const char *on, *by;   /* event and service */
    const char *also;      /* what another service calls it; NULL: only this one knows of it */
};

struct states_list {
    struct states_edge edge[STATES_EDGES];
    size_t n;
};

/* A row of the domain's table; why: empty when it stands there, else what it follows from. */
struct states_row {
    enum states_machine machine;
    struct cf_str from, to, why;
    bool seen;
};

struct states_domain {
    struct states_row row[STATES_EDGES];
    size_t n;
};

const char *states_machine_name(enum states_machine machine);
/* A pair that changes the state. */
bool states_moves(const struct states_edge *e);

/* join.c: everything the services have; the number of contradictions between them. */
size_t states_join(struct states_list *out);
/* domain.c: false when the text is not such a table. */
bool states_domain_read(struct cf_str text, struct states_domain *out);
struct states_row *states_domain_find(struct states_domain *d, enum states_machine machine,
                                      const char *from, const char *to);
/* Edges of the code that stand in no row. */
size_t states_compare(const struct states_list *list, struct states_domain *d);
/* write.c: docs/states.md. */
void states_write(FILE *out, const struct states_list *list, const struct states_domain *d);
