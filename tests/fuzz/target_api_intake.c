/* intake's routes. */
#include "services/intake/api.h"
#include "tests/fuzz/api_run.h"
#include "tests/fuzz/fuzz.h"

/* Accepted; noticed; on its way to another holder; rejected, by a channel that is nobody's. */
static void application(struct fuzz_row *row, unsigned variant)
{
    static const enum cf_app_state states[] = {CF_APP_ACCEPTED, CF_APP_NOTICED, CF_APP_RECEIVED,
                                               CF_APP_REJECTED};
    static const int outcomes[] = {INTAKE_ACCEPT, INTAKE_NOTICE, INTAKE_WAIT, INTAKE_REJECT};
    const struct cf_str none = {0};
    const int64_t at = INT64_C(1774000000000);
    fuzz_number(row, "part", 2, 1);
    fuzz_column(row, "id", CF_STR("the application."));
    fuzz_number(row, "command_result", 2,
                variant == 1   ? INTAKE_REFUSED
                : variant == 3 ? INTAKE_REQUESTED
                               : INTAKE_DONE);
    fuzz_column(row, "command_reason", variant == 1 ? CF_STR("in_production") : none);
    fuzz_column(row, "holder", CF_STR("a key of sixteen"));
    fuzz_column(row, "moved_to", variant == 2 ? CF_STR("another sixteen.") : none);
    fuzz_number(row, "channel", 2, variant == 3 ? CF_CHANNEL_NONE : CF_CHANNEL_BANK_OUTLET);
    fuzz_number(row, "kind", 2, CF_KIND_FIRST_ISSUE);
    fuzz_column(row, "bank_code", CF_STR("B01"));
    fuzz_column(row, "outlet_code", variant == 1 ? CF_STR("B99999") : CF_STR("B01001"));
    fuzz_number(row, "submitted_at", 8, at);
    fuzz_number(row, "state", 2, states[variant]);
    fuzz_number(row, "outcome", 2, outcomes[variant]);
    fuzz_column(row, "reasons", variant ? CF_STR("bad_phone|missing_name") : none);
    fuzz_number(row, "warnings", 4, variant ? 0 : 5);
    fuzz_column(row, "receipt_no", variant ? none : CF_STR("123456789013"));
    fuzz_column(row, "notice_no", variant == 1 ? CF_STR("N123456789013") : none);
    fuzz_number(row, "accepted_on", 4, variant ? 0 : 20532);
    fuzz_number(row, "due_on", 4, variant ? 0 : 20541);
    fuzz_number(row, "respond_by", 4, variant == 1 ? 20562 : 0);
    fuzz_number(row, "judged_at", 8, at + 1000);
    fuzz_number(row, "state_now", 2, variant ? states[variant] : CF_APP_COLLECTED);
    fuzz_number(row, "ended_at", 8, variant ? 0 : at + 5000);
    fuzz_number(row, "activated_at", 8, variant ? 0 : at + 6000);
}

/* Half read; read, and all but one judged; done; a file that could not be read. */
static void roster(struct fuzz_row *row, unsigned variant)
{
    static const char *const counts[] = {"accepted", "refused",     "unchanged",  "in_received",
                                         "in_noticed", "in_rejected", "in_accepted", "in_ready",
                                         "in_ended"};
    fuzz_column(row, "client", CF_STR("a"));
    fuzz_column(row, "encoding", CF_STR("utf-8"));
    fuzz_column(row, "records", variant == 1 ? CF_STR("28") : CF_STR("27"));
    fuzz_column(row, "complete", variant ? CF_STR("t") : CF_STR("f"));
    fuzz_column(row, "problem", variant == 3 ? CF_STR("not_utf8") : CF_STR(""));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        fuzz_column(row, counts[i], CF_STR("9"));
    fuzz_column(row, "unit_code", CF_STR("U1"));
    fuzz_column(row, "size", CF_STR("3000"));
    fuzz_column(row, "channel", CF_STR("3"));
}

static void roster_row(struct fuzz_row *row, int n)
{
    static const char *const outcomes[] = {"1", "2", "0"};
    fuzz_column(row, "row_no", cf_str_of(n ? n == 1 ? "2" : "5" : "1"));
    fuzz_column(row, "outcome", cf_str_of(outcomes[n]));
    fuzz_column(row, "reasons", n == 1 ? CF_STR("bad_phone|missing_name") : CF_STR(""));
    fuzz_column(row, "warnings", n ? CF_STR("0") : CF_STR("3"));
    fuzz_column(row, "application_id", CF_STR("01890000-0000-7000-8000-0123456789ab"));
    fuzz_column(row, "app_state", CF_STR("4"));
}

/* Ready, collected, and a row that the list does not have. */
static void roster_state(struct fuzz_row *row, int n, unsigned variant)
{
    static const char *const states[] = {"13", "14", "0"};
    fuzz_column(row, "known", n == 2 ? CF_STR("f") : CF_STR("t"));
    fuzz_column(row, "outcome", n == 1 ? CF_STR("3") : CF_STR("1"));
    fuzz_column(row, "app_state", cf_str_of(states[n]));
    fuzz_column(row, "count", CF_STR("2"));
    fuzz_column(row, "rows", variant ? CF_STR("1|70000") : CF_STR(""));
}

/* Without a clock; running; overdue; met. */
static void unit(struct fuzz_row *row, unsigned variant)
{
    static const char *const marks[] = {"0", "1", "7", "4"};
    fuzz_column(row, "key", CF_STR("unit:U1"));
    fuzz_column(row, "kind", CF_STR("employer"));
    fuzz_column(row, "registered_on", CF_STR("20514"));
    fuzz_column(row, "due_on", variant ? CF_STR("20543") : CF_STR("0"));
    fuzz_column(row, "marks", cf_str_of(marks[variant]));
    fuzz_column(row, "met_on", variant == 3 ? CF_STR("20550") : CF_STR("0"));
    fuzz_column(row, "enrolled", CF_STR("12"));
    fuzz_column(row, "missing", CF_STR("3"));
    fuzz_column(row, "counted_at", variant == 1 ? CF_STR("0") : CF_STR("1774000000000"));
}

static void unit_count(struct fuzz_row *row)
{
    fuzz_column(row, "enrolled", CF_STR("12"));
    fuzz_column(row, "missing", CF_STR("3"));
}

static void row(struct fuzz_row *row, size_t statement, int n, unsigned variant)
{
    bool one = statement == INTAKE_SQL_APPLICATION || statement == INTAKE_SQL_NOTICE ||
               statement == FUZZ_WAITED;
    if (one && n == 0) application(row, variant);
    if (statement == INTAKE_SQL_ROSTER && n == 0) roster(row, variant);
    if (statement == INTAKE_SQL_UNIT && n == 0) unit(row, variant);
    if (statement == INTAKE_SQL_UNITS_OVERDUE && n < 2) unit(row, variant);
    if (statement == INTAKE_SQL_UNIT_COUNT && n == 0) unit_count(row);
    if (statement == INTAKE_SQL_ROSTER_ROWS && n < 3) roster_row(row, n);
    if (statement == INTAKE_SQL_ROSTER_STATES && n < 3) roster_state(row, n, variant);
}

void fuzz_api(struct cf_app *app, struct fuzz_api *out)
{
    static struct intake_front front;
    struct cf_outlets_error error;
    front.app = app;
    front.long_lived = cf_arena_new(16 << 20);
    front.settings.roster_max_bytes = 1 << 20;
    front.settings.retention_every = 3600000;
    front.settings.service_phones = "12333,12345";
    MUST(!cf_outlets_load(front.long_lived, fuzz_data("outlets.csv"), &front.outlets, &error));
    front.env = (struct intake_env){app->ring, app->calendar, &front.outlets, 24 * 3600000, {7},
                                    app->policies};
    app->own = &front;
    intake_api_routes(&front);
    *out = (struct fuzz_api){intake_service(&front.env), row, NULL};
}
