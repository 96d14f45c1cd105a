/* front -- what intake's front thread has: settings, outlets, the splitter of rosters.
 *
 * Owns     one struct intake_front a process, made in main; app->own points at it
 */
#pragma once
#include "common/io/app.h"
#include "services/intake/handlers.h"
#include "services/intake/settings.h"

struct intake_splitter;
struct cf_printer;
struct intake_photos;

struct intake_front {
    struct intake_settings settings; /* first: cf_app fills it */
    struct intake_env env;
    struct cf_worker workers[4];
    struct cf_app *app;
    struct cf_arena *long_lived;
    struct cf_outlets outlets;
    struct intake_splitter *splitter;
    struct cf_printer *printer; /* of papers; the server's */
    struct intake_photos *photos; /* NULL: no photos in applications */
    uint8_t seen_key[16]; /* of the set of numbers seen in a roster */
};
