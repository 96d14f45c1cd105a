/* Lines that were taken, in order and by application. */
#include "common/pure/hash.h"
#include "ops/simulators/bank/bank.h"

#include <stdlib.h>

static const struct bank_line *line_at(const struct bank *b, uint64_t no)
{
    return &b->lines[no % b->max];
}

static size_t slot_of(const struct bank *b, const uint8_t app_id[16])
{
    size_t at = cf_hash64(app_id, 16) & (b->index_cap - 1);
    while (b->index[at] && memcmp(line_at(b, b->index[at] - 1)->app_id, app_id, 16) != 0)
        at = (at + 1) & (b->index_cap - 1);
    return at;
}

/* Makes the index anew, from the lines that are still remembered. */
static void rebuild(struct bank *b, size_t cap)
{
    free(b->index);
    b->index = cf_calloc(cap, sizeof *b->index);
    b->index_cap = cap;
    uint64_t first = b->n_lines > b->max ? b->n_lines - b->max : 0;
    for (uint64_t no = first; no < b->n_lines; no++)
        b->index[slot_of(b, line_at(b, no)->app_id)] = no + 1;
}

static void grow(struct bank *b)
{
    size_t cap = b->cap ? 2 * b->cap : 4096;
    if (cap > b->max) cap = b->max;
    b->lines = cf_realloc(b->lines, cap * sizeof *b->lines);
    b->cap = cap;
}

void bank_remember(struct bank *b, const struct bank_line *line)
{
    if (b->n_lines < b->max && b->n_lines == b->cap) grow(b);
    /* The ring is full: its oldest line is overwritten, and its place in the index with it. */
    bool wraps = b->n_lines >= b->max;
    b->lines[b->n_lines % b->max] = *line;
    b->n_lines++;
    size_t cap = b->index_cap ? b->index_cap : 8192;
    if (2 * b->n_lines > cap && cap < 4 * b->max) {
        while (2 * b->n_lines > cap && cap < 4 * b->max)
            cap *= 2;
        rebuild(b, cap);
    } else if (!b->index || (wraps && b->n_lines % b->max == 0)) {
        rebuild(b, cap);
    } else {
        b->index[slot_of(b, line->app_id)] = b->n_lines;
    }
}

const struct bank_line *bank_find(const struct bank *b, const uint8_t app_id[16])
{
    if (!b->index) return NULL;
    uint64_t no = b->index[slot_of(b, app_id)];
    return no ? line_at(b, no - 1) : NULL;
}

void bank_forget_all(struct bank *b)
{
    free(b->lines);
    free(b->index);
}

bool bank_chance(int64_t seed, double rate, const char *purpose, const struct bank_line *line)
{
    if (rate <= 0.0) return false;
    uint64_t h = cf_hash64_seed(purpose, strlen(purpose), (uint64_t)seed);
    h = cf_hash64_seed(line->app_id, 16, h);
    /* A card that is made again has another number and another fate. */
    h = cf_hash64_seed(line->card_no, strlen(line->card_no), h);
    return (double)(h >> 11) < rate * 9007199254740992.0; /* 2^53 */
}
