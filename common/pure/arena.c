#include "common/pure/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK (256u * 1024)
#define KEEP (4u << 20)

struct chunk {
    struct chunk *next;
    size_t size, used;
    _Alignas(16) char bytes[];
};

struct cf_arena {
    struct chunk *head, *spare;
    size_t n_spare, used, max, keep;
};

struct cf_arena *cf_arena_new(size_t max)
{
    struct cf_arena *a = cf_calloc(1, sizeof *a);
    a->max = max;
    a->keep = KEEP;
    return a;
}

static void free_chunks(struct chunk *c)
{
    while (c) {
        struct chunk *next = c->next;
        free(c);
        c = next;
    }
}

void cf_arena_free(struct cf_arena *a)
{
    if (!a) return;
    free_chunks(a->head);
    free_chunks(a->spare);
    free(a);
}

void cf_arena_reset(struct cf_arena *a)
{
    struct chunk *c = a->head;
    a->used = 0;
    a->head = NULL;
    while (c) {
        struct chunk *next = c->next;
        /* A chunk made for one large value is not kept, nor more than steady work needs. */
        if (c->size == CHUNK && a->n_spare * CHUNK < a->keep) {
            c->next = a->spare;
            a->spare = c;
            a->n_spare++;
        } else {
            free(c);
        }
        c = next;
    }
}

void cf_arena_keep(struct cf_arena *a, size_t bytes)
{
    a->keep = bytes;
}

void cf_arena_trim(struct cf_arena *a)
{
    free_chunks(a->spare);
    a->spare = NULL;
    a->n_spare = 0;
}

/* A chunk for n bytes: a kept one, if it is large enough. */
static struct chunk *take_chunk(struct cf_arena *a, size_t n)
{
    struct chunk *c = a->spare;
    if (n <= CHUNK && c) {
        a->spare = c->next;
        a->n_spare--;
    } else {
        size_t size = n > CHUNK ? n : CHUNK;
        c = cf_malloc(sizeof *c + size);
        c->size = size;
    }
    c->used = 0;
    c->next = a->head;
    return a->head = c;
}

void *cf_arena_try(struct cf_arena *a, size_t n)
{
    if (n > a->max) return NULL;
    n = (n + 15) & ~(size_t)15;
    if (a->used + n > a->max) return NULL;
    struct chunk *c = a->head;
    if (!c || c->size - c->used < n) c = take_chunk(a, n);
    void *p = c->bytes + c->used;
    c->used += n;
    a->used += n;
    return p;
}

void *cf_arena_alloc(struct cf_arena *a, size_t n)
{
    void *p = cf_arena_try(a, n);
    if (!p) {
        fprintf(stderr, "cardflow: arena of %zu bytes is full\n", a->max);
        abort();
    }
    return p;
}

void *cf_arena_zero(struct cf_arena *a, size_t n)
{
    return memset(cf_arena_alloc(a, n), 0, n);
}

size_t cf_arena_used(const struct cf_arena *a)
{
    return a->used;
}

void *cf_arena_dup(struct cf_arena *a, const void *bytes, size_t n)
{
    void *p = cf_arena_alloc(a, n + 1);
    if (n) memcpy(p, bytes, n);
    ((char *)p)[n] = 0;
    return p;
}

struct cf_str cf_arena_str(struct cf_arena *a, struct cf_str s)
{
    return (struct cf_str){cf_arena_dup(a, s.ptr, s.len), s.len};
}

struct cf_str cf_arena_printf(struct cf_arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n;
    char *p = cf_arena_alloc(a, len + 1);
    vsnprintf(p, len + 1, format, again);
    va_end(again);
    return (struct cf_str){p, len};
}
