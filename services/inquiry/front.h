/* front -- what inquiry's front thread has.
 *
 * Owns     one struct inquiry_front a process, made in main; app->own points at it
 */
#pragma once
#include "common/io/app.h"
#include "common/pure/outlets.h"
#include "services/inquiry/audit.h"
#include "services/inquiry/cache.h"
#include "services/inquiry/handlers.h"
#include "services/inquiry/settings.h"
#include "services/inquiry/sweep.h"

struct inquiry_front {
    struct inquiry_settings settings; /* first: cf_app fills it */
    struct inquiry_env env;
    struct inquiry_counts counts;
    struct cf_redis_stage *stage_redis; /* the stage thread's */
    struct cf_app *app;
    struct inquiry_cache *cache;
    struct inquiry_auditor *auditor;
    struct inquiry_sweep *sweep;
    struct cf_arena *long_lived;
    struct cf_outlets outlets;
};
