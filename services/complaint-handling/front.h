/* front -- what complaint-handling's front thread has.
 *
 * Owns     one struct complaint_front a process, made in main; app->own points at it
 */
#pragma once
#include "common/io/app.h"
#include "services/complaint-handling/ask.h"
#include "services/complaint-handling/handlers.h"

struct complaint_settings {
#define CONF CF_CONF_FIELD
#include "services/complaint-handling/conf.def"
#undef CONF
};

struct complaint_front {
    struct complaint_settings settings; /* first: cf_app fills it */
    struct complaint_env env;
    struct cf_app *app;
    struct complaint_asker *asker; /* NULL: inquiry is not configured */
};
