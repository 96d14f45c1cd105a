/* production's routes. */
#include "services/production/api.h"
#include "services/production/handlers.h"
#include "tests/fuzz/api_run.h"

/* A voucher or notice, by where its columns stand; of the second no signature, of the third no
 * channel that this key may speak for. */
static void paper(struct fuzz_row *row, unsigned variant)
{
    static const char *const columns[] = {
        "activate", "done", "", "B00000019", "normal", "V123456789013", "", NULL, "1774000000000",
        "01890000-0000-7000-8000-0123456789ab", "6120206b6579206f6620736978746565", "holder",
        "seal", "1774000000000"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        const char *text = columns[i];
        if (i == 1 && variant) text = "refused";
        if (i == 2 && variant) text = "holder_only,no_such_code";
        if (i == 7) text = variant == 2 ? "carrier_pigeon" : "";
        if (i == 10 && variant == 3) text = "";
        if (i > 10 && variant == 1) text = NULL;
        fuzz_column(row, "", cf_str_of(text));
    }
}

static void row(struct fuzz_row *row, size_t statement, int n, unsigned variant)
{
    if (n > 0) return;
    if (statement == PRODUCTION_HOLDER_OF_CARD) {
        fuzz_column(row, "holder", CF_STR("a key of sixteen"));
    } else if (statement == FUZZ_WAITED) {
        bool done = variant == 0;
        fuzz_column(row, "id", CF_STR("the operation's."));
        fuzz_column(row, "result", done ? CF_STR("done") : CF_STR("refused"));
        fuzz_column(row, "reasons",
                    done ? CF_STR("") : CF_STR("holder_only,fee_not_allowed,no_such_code"));
        fuzz_column(row, "card_state", done ? CF_STR("normal") : (struct cf_str){0});
        fuzz_column(row, "voucher_no", done ? CF_STR("V123456789013") : CF_STR(""));
        fuzz_column(row, "notice_no", done ? CF_STR("") : CF_STR("N123456789013"));
    } else {
        paper(row, variant);
    }
}

void fuzz_api(struct cf_app *app, struct fuzz_api *out)
{
    static struct production_front front;
    front.app = app;
    front.settings.service_phones = "12333,12345";
    front.settings.retention_every = 3600000;
    front.env =
        (struct production_env){.ring = app->ring, .calendar = app->calendar, .letters = "B"};
    app->own = &front;
    production_api_routes(&front);
    *out = (struct fuzz_api){production_service(&front.env), row, NULL};
}
