#include "common/pure/patience.h"
#include "common/pure/hash.h"

cf_ms cf_backoff_ms(const uint8_t id[16], uint32_t attempt, cf_ms base, cf_ms cap)
{
    cf_ms most = base > 0 ? base : 1;
    for (uint32_t i = 0; i < attempt && most < cap; i++)
        most *= 2;
    if (most > cap) most = cap;
    return (cf_ms)(cf_hash64_seed(id, 16, attempt) % (uint64_t)(most + 1));
}

bool cf_breaker_may(struct cf_breaker *b, cf_ms now)
{
    if (!b->open) return true;
    if (b->probing || now < b->open_until) return false;
    b->probing = true;
    return true;
}

void cf_breaker_unused(struct cf_breaker *b)
{
    b->probing = false;
}

void cf_breaker_good(struct cf_breaker *b)
{
    b->failures = 0;
    b->open = b->probing = false;
}

void cf_breaker_bad(struct cf_breaker *b, cf_ms now)
{
    b->probing = false;
    if (b->failures < b->limit) b->failures++;
    if (b->failures < b->limit) return;
    b->open = true;
    b->open_until = now + b->open_ms;
}

static bool gate_second(struct cf_gate *g, int n, cf_ms now)
{
    if (g->per_second <= 0) return true;
    /* A tenth of a second saved up, or what n calls need when that is more. */
    int64_t need = (int64_t)n * 1000000 / g->per_second;
    int64_t most = need > 100000 ? need : 100000;
    cf_ms passed = g->last ? now - g->last : 100;
    g->last = now;
    g->credit_us += passed > 1000000 ? most : passed * 1000;
    if (g->credit_us > most) g->credit_us = most;
    if (g->credit_us < need) return false;
    g->credit_us -= need;
    return true;
}

bool cf_gate_take(struct cf_gate *g, int n, cf_ms now, cf_ms wall)
{
    cf_day today = cf_day_of_ms(wall);
    if (today != g->today) {
        g->today = today;
        g->used_today = 0;
    }
    if (g->per_day > 0 && g->used_today + n > g->per_day) return false;
    if (!gate_second(g, n, now)) return false;
    g->used_today += n;
    return true;
}
