/* data -- what the tests of production's rules share: settings, a world, cards, effects found. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/pure/arena.h"
#include "services/production/rules_password.h"
#include "tests/unit/policies.h"

#define UNUSED __attribute__((unused))

static const struct production_policy policy = {
    .answer_ms = 5 * (cf_ms)CF_MS_PER_DAY,
    .pickup_ms = 365 * (cf_ms)CF_MS_PER_DAY,
    .account_ms = 30 * (cf_ms)CF_MS_PER_DAY,
    .loss_ms = 7 * (cf_ms)CF_MS_PER_DAY,
    .operation_wait_ms = 10000,
    .early_ms = 3600000,
    .notice_retry_ms = 60000,
    .notice_retry_max_ms = 3600000,
    .notice_overdue_ms = 600000,
    .number_retry_ms = 60000,
    .remake_max = 3,
    .card_years = 10,
    .temporary_days = 60,
    .temporary_months = 6,
    .batch_lines = 3,
    .batch_wait_ms = 1000,
    .daily_capacity = 2,
    .priority_quota = 50,
    .lead_days = 1,
};

static struct cf_calendar calendar;
static const struct cf_policies *policies;
static const cf_ms NOW = 1774922400000; /* 2026-03-31T10:00:00+08:00 */

UNUSED static struct production_world world_at(cf_ms now)
{
    return (struct production_world){now, &calendar, &policy, policies};
}

UNUSED static struct production_card card_in(enum cf_card_state state)
{
    struct production_card c = {.no = "B00000019",
                                .state = state,
                                .bank = CF_STR("B01"),
                                .issued_on = 20000,
                                .valid_until = 23652,
                                .has_photo = true};
    if (state == CF_CARD_TEMPORARY_LOSS || state == CF_CARD_FORMAL_LOSS)
        c.before_loss = CF_CARD_NORMAL;
    return c;
}

/* What the holder asks for at a counter of the card's bank. */
UNUSED static struct production_op asked(enum production_operation what)
{
    static char room[PRODUCTION_ADD_ONS_MAX];
    return (struct production_op){.what = what,
                                  .reason = CF_STR("court order"),
                                  .add_on = CF_STR("transport"),
                                  .room = room,
                                  .role = CF_STR("holder"),
                                  .named = true,
                                  .document = PRODUCTION_DOCUMENT_HOLDERS,
                                  .staff_id = CF_STR("s1"),
                                  .operator_bank = CF_STR("B01"),
                                  .channel = CF_CHANNEL_BANK_OUTLET};
}

UNUSED static void consent(struct production_op *op, const char *by)
{
    op->consent.by = cf_str_of(by);
    op->consent.given_at = NOW;
    op->consent.document = true;
}

UNUSED static const struct production_effect *find(const struct production_effects *fx,
                                            enum production_effect_kind kind)
{
    for (size_t i = 0; i < fx->n; i++)
        if (fx->list[i].kind == kind) return &fx->list[i];
    return NULL;
}

/* The same where there must be one. */
UNUSED static const struct production_effect *must_find(const struct production_effects *fx,
                                                 enum production_effect_kind kind)
{
    static const struct production_effect none;
    const struct production_effect *e = find(fx, kind);
    if (!e) fail_msg("no effect of kind %d", (int)kind);
    return e ? e : &none;
}

UNUSED static int load_calendar(void **state)
{
    struct cf_arena *a;
    struct cf_calendar_error why;
    char *text = malloc(1 << 16);
    FILE *f = fopen(TEST_DATA "/calendar.csv", "rb");
    if (!f || !text) return -1;
    size_t n = fread(text, 1, 1 << 16, f);
    fclose(f);
    *state = a = cf_arena_new(1 << 20);
    int e = cf_calendar_load(a, (struct cf_str){text, n}, &calendar, &why);
    free(text);
    policies = test_policies(a);
    return e;
}

UNUSED static int drop_calendar(void **state)
{
    cf_arena_free(*state);
    return 0;
}
