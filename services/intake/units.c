#include "services/intake/units.h"

#include <stdlib.h>

#include "common/io/stage/pgbin.h"

#define BIT(state) (1u << CF_CARD_##state)

/* In the holder's hands or on its way, usable or not: a card is there. */
static const uint32_t card_states =
    BIT(SEALED) | BIT(NORMAL) | BIT(FORMAL_LOSS) | BIT(APP_LOCKED) | BIT(TEMPORARY_LOSS);

int intake_units_count(struct cf_app *app, struct cf_str unit_code, cf_day due_on,
                       cf_pgf_done *done, void *arg)
{
    char due[4], active[2], accepted[2], cards[4];
    cf_put32(due, (uint32_t)due_on);
    cf_put16(active, INTAKE_ENROLMENT_ACTIVE);
    cf_put16(accepted, CF_APP_ACCEPTED);
    cf_put32(cards, card_states);
    const struct cf_str params[] = {
        unit_code, {due, 4}, {active, 2}, {accepted, 2}, {cards, 4}};
    return cf_pgf_send(app->pg, INTAKE_SQL_UNIT_COUNT, params, 5, done, arg);
}

static uint32_t number(const PGresult *res, int column)
{
    return (uint32_t)strtoul(PQgetvalue(res, 0, column), NULL, 10);
}

struct intake_units_counted intake_units_read(const PGresult *res)
{
    return (struct intake_units_counted){number(res, 0), number(res, 1)};
}

static void retry(struct cf_work_call *call, const char *why)
{
    cf_work_done(call, 0, CF_WORK_RETRY, why, (struct cf_str){0});
}

static void counted(void *arg, int e, const PGresult *res)
{
    struct cf_work_call *call = arg;
    if (e) {
        retry(call, "away");
        return;
    }
    struct intake_units_counted c = intake_units_read(res);
    struct cf_arena *a = cf_arena_new(1 << 16);
    cf_work_done(call, 0, CF_WORK_DONE, "",
                 intake_codec_unit_counted(a, c.enrolled, c.missing));
    cf_arena_free(a);
}

void intake_units_run(struct intake_front *front, struct cf_work_call *call)
{
    const struct cf_work *w = cf_work_item(call, 0);
    struct cf_str code = intake_codec_unit_code(cf_key_str(&w->key));
    cf_day due_on = 0;
    struct cf_arena *a = cf_arena_new(1 << 16);
    bool good = code.len && intake_codec_unit_args_read(a, w->args, &due_on);
    cf_arena_free(a);
    if (!good)
        cf_work_done(call, 0, CF_WORK_FAILED, "unreadable", (struct cf_str){0});
    else if (intake_units_count(front->app, code, due_on, counted, call))
        retry(call, "away");
}
