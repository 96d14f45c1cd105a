/* Files an operator gives: calendar, policies, outlets, clients and their keys, keyrings. */
#include "common/io/api_keys.h"
#include "common/io/seal.h"
#include "common/pure/calendar.h"
#include "common/pure/outlets.h"
#include "common/pure/policy.h"
#include "tests/fuzz/fuzz.h"

#include <unistd.h>

static void calendar(struct cf_str s)
{
    struct cf_arena *a = cf_arena_new(64 << 20);
    struct cf_calendar cal;
    struct cf_calendar_error error = {0};
    if (cf_calendar_load(a, s, &cal, &error)) {
        MUST(error.why);
    } else {
        for (size_t i = 0; i < cal.n; i++) {
            MUST(i == 0 || cal.rows[i - 1].day < cal.rows[i].day);
            MUST(cf_day_kind_of(&cal, cal.rows[i].day) == cal.rows[i].kind);
            MUST(cf_utf8_valid(cf_day_name(&cal, cal.rows[i].day)));
        }
        cf_day from = cal.n ? cal.rows[cal.n - 1].day : 20000;
        cf_day due = cf_add_workdays(&cal, from, 5);
        MUST(due > from && cf_is_workday(&cal, due));
        MUST(cf_workdays_between(&cal, from, due) == 5);
        MUST(cf_add_workdays(&cal, from, -3) < from);
        MUST(cf_is_workday(&cal, cf_last_workday_of_month(&cal, from)));
    }
    cf_arena_free(a);
}

static void policies(struct cf_str s)
{
    struct cf_arena *a = cf_arena_new(64 << 20);
    struct cf_policies all;
    struct cf_policies_error error = {0};
    if (cf_policies_load(a, s, &all, &error)) {
        MUST(error.why);
    } else {
        for (int kind = CF_KIND_NONE + 1; kind < CF_KIND_COUNT; kind++)
            MUST(cf_policy_find(&all, (enum cf_app_kind)kind, all.rows[0].effective_from + 40000));
        for (size_t i = 0; i < all.n; i++) {
            const struct cf_policy *p = &all.rows[i];
            MUST(cf_policy_by_no(&all, p->kind, p->no) == p);
            MUST(cf_policy_find(&all, p->kind, p->effective_from) == p);
        }
    }
    cf_arena_free(a);
}

static void outlets(struct cf_str s)
{
    struct cf_arena *a = cf_arena_new(64 << 20);
    struct cf_outlets o;
    struct cf_outlets_error error = {0};
    if (cf_outlets_load(a, s, &o, &error)) {
        MUST(error.why);
    } else {
        for (size_t i = 0; i < o.n; i++) {
            const struct cf_outlet *row = &o.rows[i];
            MUST(cf_utf8_valid(row->outlet_name));
            MUST(cf_outlet_find(&o, row->bank_code, row->outlet_code) == row);
        }
        MUST(!cf_outlet_find(&o, CF_STR("no such bank"), CF_STR("x")));
    }
    cf_arena_free(a);
}

static void api_keys(struct cf_str s)
{
    struct cf_api_keys *keys = NULL;
    char why[200] = "";
    if (cf_api_keys_parse(s, &keys, why)) {
        MUST(why[0] && strlen(why) < sizeof why && !keys);
        return;
    }
    const struct cf_client *c = cf_api_keys_find(keys, CF_STR("secret-secret-secret-secret-1234"));
    MUST(!cf_api_keys_find(keys, (struct cf_str){"", 0}));
    if (c) {
        MUST(c->name && c->scopes);
        cf_client_may(c, "cards:write");
        cf_client_channel(c, "bank_outlet");
    }
    cf_api_keys_free(keys);
}

static void write_file(char path[40], struct cf_str s)
{
    snprintf(path, 40, "/tmp/fuzz-ring-XXXXXX");
    int fd = mkstemp(path);
    MUST(fd >= 0 && write(fd, s.ptr, s.len) == (ssize_t)s.len);
    close(fd);
}

static void keyring(struct cf_str s)
{
    struct cf_seal_ring *ring = NULL;
    char reference[40], sealing[40], why[CF_SEAL_WHY] = "";
    write_file(reference, fuzz_line(&s));
    write_file(sealing, s);
    if (cf_seal_ring_load(reference, sealing, &ring, why))
        MUST(why[0] && !ring);
    else
        cf_seal_ring_free(ring);
    unlink(reference);
    unlink(sealing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const all[])(struct cf_str) = {calendar, outlets, api_keys, keyring,
                                                  policies};
    struct cf_str in = fuzz_str(data, size);
    size_t which = fuzz_byte(&in) % 5;
    if (in.len > 65536) in.len = 65536;
    char *exact = fuzz_exact(in);
    all[which]((struct cf_str){exact, in.len});
    free(exact);
    return 0;
}
