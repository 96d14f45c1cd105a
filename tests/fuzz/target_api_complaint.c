/* complaint-handling's routes. */
#include "services/complaint-handling/api.h"
#include "tests/fuzz/api_run.h"

void fuzz_api(struct cf_app *app, struct fuzz_api *out)
{
    static struct complaint_front front;
    front.app = app;
    front.env = (struct complaint_env){.ring = app->ring, .calendar = app->calendar};
    for (int i = 0; i < COMPLAINT_KIND_COUNT; i++)
        front.env.owners[i] = CF_STR("desk");
    app->own = &front;
    complaint_api_routes(&front);
    out->service = complaint_service(&front.env);
}
