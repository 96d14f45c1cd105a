/* work_mirror -- the rows of `work` that the front keeps in memory: found by id, ordered by due.
 *
 * Inside common/io/work only. A table of items and a heap of those that wait for their time.
 *
 * Owns     items and their args; an item that was taken out of the heap stays in the table as a
 *          mark until it is removed
 * Errors   none
 */
#pragma once
#include "common/io/stage/stage.h"

#define MIRROR_NOT_QUEUED SIZE_MAX

struct work_item {
    struct cf_work work;    /* args are the item's own (malloc) */
    struct work_item *link; /* in the table */
    struct work_item *next, *prev; /* in a lane, waiting for a free call */
    bool laned;
    cf_ms laned_at;            /* monotonic */
    size_t place;              /* in the heap; MIRROR_NOT_QUEUED */
    struct cf_work_call *call; /* running, or NULL */
    bool again;                /* written anew while its call runs: queue it afterwards */
    size_t *count;             /* how many there are of its kind */
};

struct work_mirror {
    struct work_item **table;
    size_t n, size; /* size is a power of two */
    struct work_item **heap;
    size_t queued, heap_cap;
};

void mirror_init(struct work_mirror *m);
void mirror_free(struct work_mirror *m);
struct work_item *mirror_find(const struct work_mirror *m, int16_t part, const uint8_t id[16]);
/* A new item with a copy of *w; not queued. There must be none with this id. Adds to *count, and
 * takes from it when it is removed. */
struct work_item *mirror_add(struct work_mirror *m, const struct cf_work *w, size_t *count);
/* Out of table and heap, and freed; must not be in a lane. */
void mirror_remove(struct work_mirror *m, struct work_item *item);
/* All of a shard; none may be in a lane. */
void mirror_remove_part(struct work_mirror *m, int16_t part);

void mirror_queue(struct work_mirror *m, struct work_item *item);
void mirror_unqueue(struct work_mirror *m, struct work_item *item);
/* The next that falls due, or NULL. */
struct work_item *mirror_first(const struct work_mirror *m);
