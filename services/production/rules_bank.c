/* A bank's queue: lanes, places, closing by count or waiting time; and the reconciliation of its
 * batches. Promised days: rules_promise.c. */
#include "services/production/rules.h"

#define LEFT_LEN 9

static int64_t left_no(const char *p)
{
    uint64_t no = 0;
    for (int i = 1; i < LEFT_LEN; i++)
        no = no << 8 | (uint8_t)p[i];
    return (int64_t)no;
}

static struct production_close close_lane(struct production_bank *b, unsigned lane)
{
    struct production_lane *l = &b->lane[lane];
    struct production_close c = {true, lane, l->closed + 1, l->last};
    l->closed = l->last;
    l->since = 0;
    return c;
}

bool production_has_priority(const struct production_app *app)
{
    return app->kind == CF_KIND_LOSS_REPLACEMENT || app->kind == CF_KIND_DAMAGE_REPLACEMENT ||
           app->remakes > 0 || app->by_hand;
}

/* Lines of a lane that wait to be sent. */
static uint32_t waiting(const struct production_bank *b, unsigned lane)
{
    int64_t n = b->lane[lane].last - b->lane[lane].closed;
    for (size_t at = 0; at + LEFT_LEN <= b->out.len; at += LEFT_LEN)
        n -= (unsigned char)b->out.ptr[at] == lane && left_no(b->out.ptr + at) > b->lane[lane].closed;
    return (uint32_t)n;
}

void production_enqueue(struct production_bank *b, bool priority, const struct production_world *w,
                        char *room, struct production_queued *out)
{
    memset(out, 0, sizeof *out);
    out->lane = priority ? 1 : 0;
    struct production_lane *l = &b->lane[out->lane];
    out->no = ++l->last;
    if (!l->since) l->since = w->now;
    out->promised_on = production_promise(b, priority, w, room);
    /* What waits in the priority lane goes before ordinary lines. */
    out->place = waiting(b, out->lane) + (priority ? 0 : waiting(b, 1));
    if (l->last - l->closed >= w->policy->batch_lines) out->close = close_lane(b, out->lane);
}

void production_bank_due(struct production_bank *b, const struct production_world *w,
                         struct production_close out[PRODUCTION_LANES])
{
    for (unsigned lane = 0; lane < PRODUCTION_LANES; lane++) {
        const struct production_lane *l = &b->lane[lane];
        bool due = l->since && l->since + w->policy->batch_wait_ms <= w->now;
        out[lane] = due ? close_lane(b, lane) : (struct production_close){0};
    }
}

cf_ms production_bank_next_due(const struct production_bank *b, const struct production_policy *p)
{
    cf_ms next = 0;
    for (unsigned lane = 0; lane < PRODUCTION_LANES; lane++) {
        cf_ms since = b->lane[lane].since;
        if (since && (!next || since + p->batch_wait_ms < next)) next = since + p->batch_wait_ms;
    }
    return next;
}

void production_bank_leave(struct production_bank *b, unsigned lane, int64_t no, char *room)
{
    if (b->out.len) memcpy(room, b->out.ptr, b->out.len);
    char *p = room + b->out.len;
    *p++ = (char)lane;
    for (int shift = 56; shift >= 0; shift -= 8)
        *p++ = (char)((uint64_t)no >> shift & 0xff);
    b->out = (struct cf_str){room, b->out.len + LEFT_LEN};
}

bool production_bank_left(const struct production_bank *b, unsigned lane, int64_t no)
{
    for (size_t at = 0; at + LEFT_LEN <= b->out.len; at += LEFT_LEN)
        if ((unsigned char)b->out.ptr[at] == lane && left_no(b->out.ptr + at) == no) return true;
    return false;
}

void production_bank_forget(struct production_bank *b, unsigned lane, int64_t to, char *room)
{
    size_t n = 0;
    for (size_t at = 0; at + LEFT_LEN <= b->out.len; at += LEFT_LEN) {
        const char *p = b->out.ptr + at;
        if ((unsigned char)p[0] == lane && left_no(p) <= to) continue;
        memcpy(room + n, p, LEFT_LEN);
        n += LEFT_LEN;
    }
    b->out = n ? (struct cf_str){room, n} : (struct cf_str){0};
}

/* ---- reconciliation ------------------------------------------------------------------------ */

static int64_t answered(const struct production_tally *t)
{
    int64_t n = 0;
    for (int end = PRODUCTION_LINE_MADE; end < PRODUCTION_LINE_ENDS; end++)
        n += t->ended[end];
    return n;
}

bool production_tally_holds(const struct production_tally *t)
{
    return answered(t) == t->lines;
}

bool production_line_put(struct production_tally *t, uint8_t *at, enum production_line_end end)
{
    bool late = end == PRODUCTION_LINE_LATE_VOIDED;
    bool unknown = *at == PRODUCTION_LINE_UNKNOWN;
    bool fits = late ? *at == PRODUCTION_LINE_MISSING : *at == PRODUCTION_LINE_NONE;
    if (unknown) fits = late ? t->ended[PRODUCTION_LINE_MISSING] > 0 : answered(t) < t->lines;
    if (!fits || end == PRODUCTION_LINE_NONE) return false;
    if (late) t->ended[PRODUCTION_LINE_MISSING]--;
    t->ended[end]++;
    *at = (uint8_t)end;
    return true;
}
