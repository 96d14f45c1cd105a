/* intake's routes. */
#include "services/intake/api.h"
#include "tests/fuzz/api_run.h"
#include "tests/fuzz/fuzz.h"

void fuzz_api(struct cf_app *app, struct fuzz_api *out)
{
    static struct intake_front front;
    struct cf_outlets_error error;
    front.app = app;
    front.long_lived = cf_arena_new(16 << 20);
    front.settings.roster_max_bytes = 1 << 20;
    front.settings.service_phones = "12333,12345";
    MUST(!cf_outlets_load(front.long_lived, fuzz_data("outlets.csv"), &front.outlets, &error));
    front.env = (struct intake_env){app->ring, app->calendar, &front.outlets, 24 * 3600000, {7}};
    app->own = &front;
    intake_api_routes(&front);
    out->service = intake_service(&front.env);
}
