/* production's routes. */
#include "services/production/api.h"
#include "services/production/handlers.h"
#include "tests/fuzz/api_run.h"

static void row(PGresult *res, size_t statement)
{
    static const char *const paper[] = {"activate",
                                        "done",
                                        "",
                                        "B00000019",
                                        "normal",
                                        "V123456789013",
                                        "",
                                        "",
                                        "1774000000000",
                                        "01890000-0000-7000-8000-0123456789ab",
                                        "6120206b6579206f6620736978746565",
                                        "holder",
                                        "seal",
                                        "1774000000000"};
    if (statement == PRODUCTION_HOLDER_OF_CARD)
        fuzz_value(res, 0, CF_STR("a key of sixteen"));
    else
        for (int i = 0; i < 14; i++)
            fuzz_value(res, i, cf_str_of(paper[i]));
}

void fuzz_api(struct cf_app *app, struct fuzz_api *out)
{
    static struct production_front front;
    front.app = app;
    front.env =
        (struct production_env){.ring = app->ring, .calendar = app->calendar, .letters = "B"};
    app->own = &front;
    production_api_routes(&front);
    *out = (struct fuzz_api){production_service(&front.env), row};
}
