#include "services/production/early.h"

#include "common/io/stage/pgbin.h"

enum { HEAD = 12, FLAG_ALARMED = 1, FLAG_ASKED = 2 };

bool production_early_read(struct cf_str packed, struct production_early_list *out)
{
    out->n = 0;
    while (packed.len) {
        if (packed.len < HEAD || out->n == PRODUCTION_EARLY_MAX) return false;
        struct production_early *e = &out->list[out->n++];
        size_t n = cf_get16(packed.ptr + 10);
        e->type = (enum production_message)(uint8_t)packed.ptr[0];
        e->alarmed = packed.ptr[1] & FLAG_ALARMED;
        e->asked = packed.ptr[1] & FLAG_ASKED;
        e->since = (cf_ms)cf_get64(packed.ptr + 2);
        if (packed.len - HEAD < n) return false;
        e->bytes = (struct cf_str){packed.ptr + HEAD, n};
        packed.ptr += HEAD + n;
        packed.len -= HEAD + n;
    }
    return true;
}

struct cf_str production_early_write(struct cf_arena *a, const struct production_early_list *l)
{
    size_t n = 0;
    if (l->n == 0) return (struct cf_str){0};
    for (size_t i = 0; i < l->n; i++)
        n += HEAD + l->list[i].bytes.len;
    char *start = cf_arena_alloc(a, n), *p = start;
    for (size_t i = 0; i < l->n; i++) {
        const struct production_early *e = &l->list[i];
        p[0] = (char)e->type;
        p[1] = (char)((e->alarmed ? FLAG_ALARMED : 0) | (e->asked ? FLAG_ASKED : 0));
        cf_put64(p + 2, (uint64_t)e->since);
        cf_put16(p + 10, (uint16_t)e->bytes.len);
        memcpy(p + HEAD, e->bytes.ptr, e->bytes.len);
        p += HEAD + e->bytes.len;
    }
    return (struct cf_str){start, n};
}

bool production_early_add(struct production_early_list *l, const struct production_early *e)
{
    size_t operations = 0;
    for (size_t i = 0; i < l->n; i++)
        operations += l->list[i].type == PRODUCTION_M_OPERATION;
    if (l->n == PRODUCTION_EARLY_MAX || e->bytes.len > PRODUCTION_EARLY_BYTES) return false;
    /* Each activation may take a notice number; a message has only so many. */
    if (e->type == PRODUCTION_M_OPERATION && operations == PRODUCTION_EARLY_OPERATIONS)
        return false;
    l->list[l->n++] = *e;
    return true;
}

static bool same_answer(const struct production_result *a, const struct production_result *b)
{
    if (memcmp(a->id, b->id, 16) == 0) return true;
    bool line = a->card_no.len > 0 || a->line_no > 0;
    return line && a->step == b->step && memcmp(a->app_id, b->app_id, 16) == 0 &&
           memcmp(a->batch_id, b->batch_id, 16) == 0 && a->line_no == b->line_no &&
           cf_str_eq(a->card_no, b->card_no) && cf_str_eq(a->reason, b->reason);
}

bool production_early_has(struct cf_arena *a, const struct production_early_list *l,
                          const struct production_result *r)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->list[i].type != PRODUCTION_M_RESULT) continue;
        const struct production_result *kept =
            production_codec_again(a, PRODUCTION_M_RESULT, l->list[i].bytes);
        if (kept && same_answer(kept, r)) return true;
    }
    return false;
}

void production_early_remove(struct production_early_list *l, size_t i)
{
    l->n--;
    memmove(&l->list[i], &l->list[i + 1], (l->n - i) * sizeof l->list[0]);
}

static cf_ms due_at(const struct production_early *e, const struct production_policy *p)
{
    /* Over Kafka both streams of a bank may be far apart after an outage; who asks over HTTP wants
     * to hear soon. */
    return e->since + (e->asked ? p->operation_wait_ms : p->early_ms);
}

cf_ms production_early_next_due(const struct production_early_list *l,
                                const struct production_policy *p)
{
    cf_ms next = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (l->list[i].alarmed) continue;
        cf_ms due = due_at(&l->list[i], p);
        if (!next || due < next) next = due;
    }
    return next;
}

bool production_early_overdue(const struct production_early *e, const struct production_policy *p,
                              cf_ms now)
{
    return !e->alarmed && due_at(e, p) <= now;
}
