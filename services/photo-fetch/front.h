/* front -- what photo-fetch's front thread has: settings, partner, store of photos.
 *
 * Owns     one struct photo_fetch_front a process, made in main; app->own points at it
 */
#pragma once
#include "common/io/app.h"
#include "services/photo-fetch/gateway.h"
#include "services/photo-fetch/handlers.h"

struct photo_fetch_front {
    struct photo_fetch_settings settings; /* first: cf_app fills it */
    struct photo_fetch_env env;
    struct cf_worker workers[2];
    struct cf_app *app;
    struct photo_fetch_vault *vault;
    struct photo_fetch_gateway *gateway;
};
