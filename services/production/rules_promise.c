/* For which day a card is promised: a bank makes so many a working day, and of each day a part is
 * kept free for the priority lane while ordinary cards wait. docs/decisions/0028. */
#include "services/production/rules.h"

enum { NORMAL, PRIORITY };

/* A day on which cards are promised; packed, in the order of days. */
struct day {
    cf_day on;
    uint32_t n[PRODUCTION_LANES];
};

static uint32_t get32(const char *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 8 | (uint8_t)p[i];
    return v;
}

static void put32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(v >> 8 * (3 - i) & 0xff);
}

static size_t days_of(const struct production_bank *b)
{
    return b->days.len / PRODUCTION_DAY_LEN;
}

static struct day day_at(const struct production_bank *b, size_t i)
{
    const char *p = b->days.ptr + i * PRODUCTION_DAY_LEN;
    return (struct day){(cf_day)get32(p), {get32(p + 4), get32(p + 8)}};
}

static struct day day_on(const struct production_bank *b, cf_day on)
{
    for (size_t i = days_of(b); i > 0; i--) {
        struct day d = day_at(b, i - 1);
        if (d.on == on) return d;
        if (d.on < on) break;
    }
    return (struct day){.on = on};
}

/* The newest day for which a card of that lane is promised; 0: none. */
static cf_day newest(const struct production_bank *b, unsigned lane)
{
    for (size_t i = days_of(b); i > 0; i--) {
        struct day d = day_at(b, i - 1);
        if (d.n[lane]) return d.on;
    }
    return 0;
}

static uint32_t capacity(const struct production_policy *p)
{
    return p->daily_capacity ? p->daily_capacity : 1;
}

/* Most that the priority lane takes of a day while ordinary cards wait; one is left to them. */
static uint32_t quota(const struct production_policy *p)
{
    uint32_t all = capacity(p);
    uint32_t part = (uint32_t)((uint64_t)all * p->priority_quota / 100);
    if (part == 0 && p->priority_quota) part = 1;
    return part < all ? part : all - 1;
}

/* Kept free of ordinary cards on the days to come: as many as came to the priority lane on the busier
 * of its last two days, a tenth of the quota at least, the quota at most. */
static uint32_t kept_free(const struct production_bank *b, const struct production_policy *p)
{
    uint32_t most = quota(p), least = (most + 9) / 10;
    uint32_t asked = b->asked > b->asked_before ? b->asked : b->asked_before;
    if (asked < least) asked = least;
    return asked < most ? asked : most;
}

static void count_asked(struct production_bank *b, cf_day today)
{
    if (b->asked_on != today) {
        b->asked_before = b->asked;
        b->asked = 0;
        b->asked_on = today;
    }
    b->asked++;
}

/* Days that are over or full are forgotten: none before b->full_before takes another card. */
static void forget(struct production_bank *b, const struct production_world *w, cf_day first)
{
    size_t gone = 0;
    if (b->full_before < first) b->full_before = first;
    for (; gone < days_of(b); gone++) {
        struct day d = day_at(b, gone);
        if (d.on > b->full_before) break;
        if (d.on < b->full_before) continue;
        if (d.n[NORMAL] + d.n[PRIORITY] < capacity(w->policy)) break;
        b->full_before = cf_add_workdays(w->calendar, d.on, 1);
    }
    if (gone == 0) return;
    b->days.ptr += gone * PRODUCTION_DAY_LEN;
    b->days.len -= gone * PRODUCTION_DAY_LEN;
}

static bool has_room(const struct production_bank *b, const struct production_policy *p,
                     const struct day *d, unsigned lane, cf_day first)
{
    if (d->n[NORMAL] + d->n[PRIORITY] >= capacity(p)) return false;
    /* Nothing that comes later is made on the first day any more: all of it may be taken. */
    if (lane == NORMAL) return d->on == first || d->n[NORMAL] < capacity(p) - kept_free(b, p);
    cf_day waits = b->last_ordinary; /* for a day after the first */
    if (waits <= first || d->n[PRIORITY] < quota(p)) return true;
    return quota(p) == 0 && d->on > waits; /* nothing to share out: after those that wait */
}

static void put_day(struct production_bank *b, const struct day *d, char *room)
{
    size_t at = days_of(b), before = at;
    while (at > 0 && day_at(b, at - 1).on >= d->on)
        at--;
    bool there = at < before && day_at(b, at).on == d->on;
    size_t head = at * PRODUCTION_DAY_LEN;
    size_t rest = (before - at - there) * PRODUCTION_DAY_LEN;
    if (head) memcpy(room, b->days.ptr, head);
    put32(room + head, (uint32_t)d->on);
    put32(room + head + 4, d->n[NORMAL]);
    put32(room + head + 8, d->n[PRIORITY]);
    if (rest)
        memcpy(room + head + PRODUCTION_DAY_LEN,
               b->days.ptr + head + (there ? PRODUCTION_DAY_LEN : 0), rest);
    b->days = (struct cf_str){room, head + PRODUCTION_DAY_LEN + rest};
}

cf_day production_promise(struct production_bank *b, bool priority,
                          const struct production_world *w, char *room)
{
    unsigned lane = priority ? PRIORITY : NORMAL;
    cf_day today = cf_day_of_ms(w->now);
    cf_day first = cf_add_workdays(w->calendar, today, (int)w->policy->lead_days);
    if (priority) count_asked(b, today);
    forget(b, w, first);
    /* Who comes later is not promised an earlier day. */
    cf_day on = newest(b, lane);
    if (on < b->full_before) on = b->full_before;
    struct day d = day_on(b, on);
    while (!has_room(b, w->policy, &d, lane, first))
        d = day_on(b, cf_add_workdays(w->calendar, d.on, 1));
    d.n[lane]++;
    if (!priority && d.on > b->last_ordinary) b->last_ordinary = d.on;
    put_day(b, &d, room);
    return d.on;
}
