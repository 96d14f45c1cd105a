/* services -- what main.c of each service makes: its struct cf_service, with the defaults of its
 * settings. */
#include "services/complaint-handling/handlers.h"
#include "services/inquiry/handlers.h"
#include "services/intake/handlers.h"
#include "services/notification/handlers.h"
#include "services/photo-fetch/handlers.h"
#include "services/production/handlers.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

static struct cf_service services[SIM_SERVICES];
static struct cf_seal_ring *ring;
static struct cf_arena *long_lived;
static struct cf_calendar calendar;
static struct cf_policies policies;
static struct cf_outlets outlets;
static struct intake_env intake;
static struct photo_fetch_env photo_fetch;
static struct production_env production;
static struct notification_env notification;
static struct inquiry_env inquiry;
static struct inquiry_counts inquiry_counted;
static struct complaint_env complaint;

static struct cf_str read_file(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TEST_DATA, name);
    FILE *f = fopen(path, "rb");
    if (!f) CF_BUG("a file of tests/data is not there");
    char *bytes = cf_arena_alloc(long_lived, 1 << 20);
    size_t n = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return (struct cf_str){bytes, n};
}

static void make_world(void)
{
    static const uint8_t reference[32] = {1}, sealing[32] = {2};
    struct cf_calendar_error ce;
    struct cf_policies_error pe;
    struct cf_outlets_error oe;
    long_lived = cf_arena_new(64u << 20);
    ring = cf_seal_ring_new(reference);
    if (!cf_seal_ring_add(ring, 1, sealing) ||
        cf_calendar_load(long_lived, read_file("calendar.csv"), &calendar, &ce) ||
        cf_policies_load(long_lived, read_file("policies.csv"), &policies, &pe) ||
        cf_outlets_load(long_lived, read_file("outlets.csv"), &outlets, &oe))
        CF_BUG("calendar.csv, policies.csv or outlets.csv cannot be used");
}

static void make_production(void)
{
    const cf_ms day = CF_MS_PER_DAY;
    production = (struct production_env){.ring = ring,
                                         .calendar = &calendar,
                                         .deadlines = &policies,
                                         .policy = {.answer_ms = 5 * day,
                                                    .pickup_ms = 365 * day,
                                                    .account_ms = 30 * day,
                                                    .loss_ms = 7 * day,
                                                    .operation_wait_ms = 10000,
                                                    .early_ms = 3600000,
                                                    .number_retry_ms = 60000,
                                                    .notice_retry_ms = 60000,
                                                    .notice_retry_max_ms = 3600000,
                                                    .notice_overdue_ms = 600000,
                                                    .remake_max = 3,
                                                    .card_years = 10,
                                                    .temporary_days = 60,
                                                    .temporary_months = 6,
                                                    .batch_lines = 5,
                                                    .batch_wait_ms = 1000,
                                                    .daily_capacity = 20000,
                                                    .priority_quota = 50,
                                                    .lead_days = 3,
                                                    .warn_days = 2},
                                         .letters = "B",
                                         .number_key = {7}};
    if (!sim_opt.calm) { /* a run with faults lasts minutes, and the notices of it must end */
        production.policy.notice_retry_ms = 3000;
        production.policy.notice_retry_max_ms = 30000;
        production.policy.notice_overdue_ms = 6000;
    }
    services[SIM_PRODUCTION] = production_service(&production);
}

void sim_services_begin(void)
{
    make_world();
    intake = (struct intake_env){ring, &calendar, &outlets, (cf_ms)24 * 3600000, {7}, &policies};
    services[SIM_INTAKE] = intake_service(&intake);
    photo_fetch =
        (struct photo_fetch_env){.backoff = 500, .backoff_max = 120000, .days_to_give = 30};
    services[SIM_PHOTO_FETCH] = photo_fetch_service(&photo_fetch);
    make_production();
    notification = (struct notification_env){.quiet = {true, 21 * 60, 8 * 60},
                                             .backoff = 1000,
                                             .backoff_max = 120000,
                                             .give_up = (cf_ms)72 * 3600000};
    services[SIM_NOTIFICATION] = notification_service(&notification);
    inquiry = (struct inquiry_env){.counts = &inquiry_counted};
    services[SIM_INQUIRY] = inquiry_service(&inquiry);
    complaint = (struct complaint_env){.ring = ring, .calendar = &calendar};
    for (size_t i = 0; i < COMPLAINT_KIND_COUNT; i++)
        complaint.owners[i] = CF_STR("service-desk");
    services[SIM_COMPLAINT] = complaint_service(&complaint);
}

const struct cf_service *sim_service(enum sim_service service)
{
    return &services[service];
}

const struct cf_seal_ring *sim_ring(void)
{
    return ring;
}
