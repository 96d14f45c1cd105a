#include "common/io/work_mirror.h"

#include "common/pure/hash.h"

#include <stdlib.h>

enum { TABLE_MIN = 256 };

void mirror_init(struct work_mirror *m)
{
    *m = (struct work_mirror){.size = TABLE_MIN};
    m->table = cf_calloc(m->size, sizeof(struct work_item *));
}

static void free_item(struct work_item *item)
{
    free((void *)(uintptr_t)item->work.args.ptr);
    free(item);
}

void mirror_free(struct work_mirror *m)
{
    for (size_t i = 0; i < m->size; i++) {
        struct work_item *item = m->table[i];
        while (item) {
            struct work_item *link = item->link;
            free_item(item);
            item = link;
        }
    }
    free(m->table);
    free(m->heap);
    *m = (struct work_mirror){0};
}

/* ---- the table ------------------------------------------------------------------------------ */

static struct work_item **slot(const struct work_mirror *m, int16_t part, const uint8_t id[16])
{
    return &m->table[cf_hash64_seed(id, 16, (uint64_t)part) & (m->size - 1)];
}

struct work_item *mirror_find(const struct work_mirror *m, int16_t part, const uint8_t id[16])
{
    struct work_item *item = *slot(m, part, id);
    while (item && (item->work.part != part || memcmp(item->work.id, id, 16) != 0))
        item = item->link;
    return item;
}

static void insert(struct work_mirror *m, struct work_item *item)
{
    struct work_item **at = slot(m, item->work.part, item->work.id);
    item->link = *at;
    *at = item;
}

/* Twice as many chains as items at most; shrinks after a backlog. */
static void resize(struct work_mirror *m, size_t size)
{
    struct work_item **old = m->table;
    size_t old_size = m->size;
    m->table = cf_calloc(size, sizeof(struct work_item *));
    m->size = size;
    for (size_t i = 0; i < old_size; i++) {
        struct work_item *item = old[i];
        while (item) {
            struct work_item *link = item->link;
            insert(m, item);
            item = link;
        }
    }
    free(old);
}

struct work_item *mirror_add(struct work_mirror *m, const struct cf_work *w, size_t *count)
{
    struct work_item *item = cf_calloc(1, sizeof *item);
    item->work = *w;
    item->work.args = (struct cf_str){0};
    if (w->args.len) {
        void *args = cf_malloc(w->args.len);
        item->work.args = (struct cf_str){memcpy(args, w->args.ptr, w->args.len), w->args.len};
    }
    item->place = MIRROR_NOT_QUEUED;
    item->count = count;
    ++*count;
    if (m->n >= m->size) resize(m, 2 * m->size);
    insert(m, item);
    m->n++;
    return item;
}

static void take_out(struct work_mirror *m, struct work_item *item)
{
    struct work_item **at = slot(m, item->work.part, item->work.id);
    while (*at != item)
        at = &(*at)->link;
    *at = item->link;
    m->n--;
    --*item->count;
    mirror_unqueue(m, item);
}

void mirror_remove(struct work_mirror *m, struct work_item *item)
{
    take_out(m, item);
    free_item(item);
    if (m->size > TABLE_MIN && m->n < m->size / 8) resize(m, m->size / 2);
}

void mirror_remove_part(struct work_mirror *m, int16_t part)
{
    for (size_t i = 0; i < m->size; i++) {
        struct work_item *item = m->table[i];
        while (item) {
            struct work_item *link = item->link;
            if (item->work.part == part) {
                take_out(m, item);
                free_item(item);
            }
            item = link;
        }
    }
}

/* ---- the heap ------------------------------------------------------------------------------- */

static bool earlier(const struct work_item *a, const struct work_item *b)
{
    return a->work.due < b->work.due;
}

static void put(struct work_mirror *m, size_t place, struct work_item *item)
{
    m->heap[place] = item;
    item->place = place;
}

static void up(struct work_mirror *m, size_t place, struct work_item *item)
{
    while (place && earlier(item, m->heap[(place - 1) / 2])) {
        put(m, place, m->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(m, place, item);
}

static void down(struct work_mirror *m, size_t place, struct work_item *item)
{
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= m->queued) break;
        if (child + 1 < m->queued && earlier(m->heap[child + 1], m->heap[child])) child++;
        if (!earlier(m->heap[child], item)) break;
        put(m, place, m->heap[child]);
        place = child;
    }
    put(m, place, item);
}

void mirror_queue(struct work_mirror *m, struct work_item *item)
{
    if (item->place != MIRROR_NOT_QUEUED) CF_BUG("work is queued twice");
    if (m->queued == m->heap_cap) {
        m->heap_cap = m->heap_cap ? 2 * m->heap_cap : TABLE_MIN;
        m->heap = cf_realloc(m->heap, m->heap_cap * sizeof(struct work_item *));
    }
    up(m, m->queued++, item);
}

void mirror_unqueue(struct work_mirror *m, struct work_item *item)
{
    size_t place = item->place;
    if (place == MIRROR_NOT_QUEUED) return;
    item->place = MIRROR_NOT_QUEUED;
    struct work_item *last = m->heap[--m->queued];
    if (last == item) return;
    if (place && earlier(last, m->heap[(place - 1) / 2]))
        up(m, place, last);
    else
        down(m, place, last);
}

struct work_item *mirror_first(const struct work_mirror *m)
{
    return m->queued ? m->heap[0] : NULL;
}
