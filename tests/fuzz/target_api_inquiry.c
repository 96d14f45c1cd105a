/* inquiry's routes. */
#include "services/inquiry/api.h"
#include "tests/fuzz/api_run.h"
#include "tests/fuzz/fuzz.h"

void fuzz_api(struct cf_app *app, struct fuzz_api *out)
{
    static struct inquiry_front front;
    static struct inquiry_counts counts;
    struct cf_outlets_error error;
    const struct inquiry_cache_conf cache = {app->common.redis_url, 20, 256};
    front.app = app;
    front.long_lived = cf_arena_new(16 << 20);
    front.settings.service_phones = "12333,12345";
    MUST(!cf_outlets_load(front.long_lived, fuzz_data("outlets.csv"), &front.outlets, &error));
    front.env = (struct inquiry_env){.counts = &counts};
    front.cache = inquiry_cache_new(app, &cache);
    front.auditor = inquiry_auditor_new(app, 1000);
    app->own = &front;
    inquiry_api_routes(&front);
    out->service = inquiry_service(&front.env);
}
