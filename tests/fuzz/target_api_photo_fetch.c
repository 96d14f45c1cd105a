/* photo-fetch's route: uploads. Any small baseline picture is taken, so that more than the check of
 * the photo is reached. */
#include "services/photo-fetch/api.h"
#include "tests/fuzz/api_run.h"

static void row(struct fuzz_row *row, size_t statement, int n, unsigned variant)
{
    if (n > 0) return;
    if (statement == PHOTO_SQL_FIND_HOLDER) {
        fuzz_number(row, "part", 2, 1);
        fuzz_column(row, "key", CF_STR("a key of sixteen"));
    }
    if (statement == FUZZ_WAITED) {
        fuzz_column(row, "id", CF_STR("the application."));
        fuzz_number(row, "result", 2, PHOTO_UPLOAD_DONE + variant);
    }
}

void fuzz_api(struct cf_app *app, struct fuzz_api *out)
{
    static struct photo_fetch_front front;
    front.app = app;
    front.settings.photo_width = 48;
    front.settings.photo_height = 40;
    front.settings.photo_dpi = 350;
    front.settings.photo_min_bytes = 10;
    front.settings.photo_max_bytes = 20480;
    front.env = (struct photo_fetch_env){.backoff = 500, .backoff_max = 60000, .days_to_give = 30};
    front.vault = photo_fetch_vault_new(app->loop, app->pg, app->ring);
    app->own = &front;
    photo_fetch_api_routes(&front);
    *out = (struct fuzz_api){photo_fetch_service(&front.env), row, NULL};
}
