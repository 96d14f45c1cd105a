/* complaint-handling's routes. */
#include "services/complaint-handling/api.h"
#include "services/complaint-handling/codec.h"
#include "services/complaint-handling/store.h"
#include "tests/fuzz/api_run.h"

/* An order in each of four states; with a person behind it or without. */
static void order(struct fuzz_row *row, unsigned variant)
{
    static const enum complaint_state states[] = {COMPLAINT_ROUTED, COMPLAINT_REPLIED,
                                                  COMPLAINT_CLOSED, COMPLAINT_IN_PROGRESS};
    const int64_t at = INT64_C(1774000000000);
    struct cf_str none = {0};
    fuzz_column(row, "source_system", CF_STR("12345"));
    fuzz_column(row, "order_no", CF_STR("QD-1"));
    fuzz_column(row, "topic", variant ? CF_STR("progress") : CF_STR(""));
    fuzz_column(row, "owner", CF_STR("desk"));
    fuzz_column(row, "end_reason", variant == 2 ? CF_STR("satisfied") : none);
    fuzz_number(row, "kind", 2, variant == 3 ? COMPLAINT_KIND_CORRECTION : 1);
    fuzz_number(row, "state", 2, states[variant]);
    fuzz_number(row, "mark", 2, variant % 3);
    fuzz_number(row, "extended_days", 2, variant == 1 ? 10 : 0);
    fuzz_number(row, "anonymous", 1, variant == 2);
    fuzz_number(row, "reopened", 1, variant == 1);
    fuzz_column(row, "holder_ref", variant == 2 ? none : CF_STR("a key of sixteen"));
    fuzz_number(row, "dispatched_at", 8, at);
    fuzz_number(row, "routed_at", 8, at + 1000);
    fuzz_number(row, "replied_at", 8, variant ? at + 2000 : 0);
    fuzz_number(row, "counts_from", 4, 20532);
    fuzz_number(row, "due_on", 4, 20539);
    fuzz_column(row, "extend_reason", variant == 1 ? CF_STR("holiday") : none);
    fuzz_column(row, "reply", none);
    fuzz_column(row, "context", none);
    fuzz_number(row, "event_no", 4, 3);
    fuzz_column(row, "reporter", none);
    fuzz_column(row, "text", none);
}

static void step(struct fuzz_row *row, int n)
{
    static const char *const actions[] = {"open", "route", "extend"};
    fuzz_number(row, "event_no", 4, n + 1);
    fuzz_column(row, "action", cf_str_of(actions[n]));
    fuzz_column(row, "result", n < 2 ? CF_STR("done") : CF_STR("refused"));
    fuzz_column(row, "reasons", n < 2 ? CF_STR("") : CF_STR("reason_missing"));
    fuzz_column(row, "state_before", n ? CF_STR("received") : CF_STR(""));
    fuzz_column(row, "state", CF_STR("routed"));
    fuzz_column(row, "owner", CF_STR("desk"));
    fuzz_column(row, "operator", CF_STR("7"));
    fuzz_column(row, "note", CF_STR(""));
    fuzz_number(row, "due_on", 4, 20539);
    fuzz_number(row, "at", 8, INT64_C(1774000000000) + n);
}

static void row(struct fuzz_row *row, size_t statement, int n, unsigned variant)
{
    struct cf_key key = complaint_codec_key(CF_STR("12345"), CF_STR("QD-1"));
    bool there = fuzz_asked_for(row, &key);
    if (statement == COMPLAINT_SQL_ORDER && n == 0 && there) order(row, variant);
    if (statement == COMPLAINT_SQL_STEPS && n < 3) step(row, n);
    if (statement == FUZZ_WAITED && n == 0) {
        fuzz_column(row, "id", CF_STR("the command's id"));
        fuzz_column(row, "result", variant ? CF_STR("refused") : CF_STR("done"));
        fuzz_column(row, "reasons", variant ? CF_STR("reopened_already") : CF_STR(""));
        fuzz_column(row, "state", variant == 2 ? CF_STR("") : CF_STR("routed"));
    }
}

void fuzz_api(struct cf_app *app, struct fuzz_api *out)
{
    static struct complaint_front front;
    front.app = app;
    front.env = (struct complaint_env){.ring = app->ring, .calendar = app->calendar};
    for (int i = 0; i < COMPLAINT_KIND_COUNT; i++)
        front.env.owners[i] = CF_STR("desk");
    app->own = &front;
    complaint_api_routes(&front);
    static char id[37];
    struct cf_key key = complaint_codec_key(CF_STR("12345"), CF_STR("QD-1"));
    cf_uuid_text(key.b, id);
    *out = (struct fuzz_api){complaint_service(&front.env), row, id};
}
