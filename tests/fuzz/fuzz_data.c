/* What the targets of services share: keys, calendar, files of tests/data. */
#include "common/pure/calendar.h"
#include "common/pure/policy.h"
#include "tests/fuzz/codec_run.h"
#include "tests/fuzz/fuzz.h"

const struct cf_seal_ring *fuzz_ring(void)
{
    static struct cf_seal_ring *ring;
    static const uint8_t key[CF_SEAL_KEY_LEN] = "01234567890123456789012345678901";
    if (!ring) {
        ring = cf_seal_ring_new(key);
        MUST(cf_seal_ring_add(ring, 1, key));
    }
    return ring;
}

struct cf_str fuzz_data(const char *name)
{
    static char *kept[8]; /* so that they are no leaks */
    static size_t n_kept;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TEST_DATA, name);
    FILE *f = fopen(path, "rbe");
    MUST(f);
    char *bytes = cf_malloc(1 << 20);
    size_t n = fread(bytes, 1, (1 << 20) - 1, f);
    fclose(f);
    bytes[n] = 0;
    MUST(n_kept < sizeof kept / sizeof *kept);
    kept[n_kept++] = bytes;
    return (struct cf_str){bytes, n};
}

const struct cf_policies *fuzz_policies(void)
{
    static struct cf_policies policies;
    static struct cf_arena *arena;
    struct cf_policies_error error;
    if (!arena) {
        arena = cf_arena_new(1 << 20);
        MUST(!cf_policies_load(arena, fuzz_data("policies.csv"), &policies, &error));
    }
    return &policies;
}

const struct cf_calendar *fuzz_calendar(void)
{
    static struct cf_calendar calendar;
    static struct cf_arena *arena;
    struct cf_calendar_error error;
    if (!arena) {
        arena = cf_arena_new(16 << 20);
        MUST(!cf_calendar_load(arena, fuzz_data("calendar.csv"), &calendar, &error));
    }
    return &calendar;
}
