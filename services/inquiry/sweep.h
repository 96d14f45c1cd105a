/* sweep -- sends every document of the owned shards to Redis again: slowly for ever, and fast when
 * Redis has lost some.
 *
 * Shapes   a key for each shard stands in Redis for "this shard was filled"; when it is gone, or
 *          writes were lost, the shard is filled fast
 * Limits   a page at a time, with a pause behind each: questions come first
 * Threads  the front thread
 */
#pragma once
#include "common/io/app.h"
#include "services/inquiry/cache.h"
#include "services/inquiry/handlers.h"

struct inquiry_sweep;

struct inquiry_sweep_conf {
    int page;
    cf_ms pause, fast_pause;
    bool tell_status;
};

void inquiry_sweep_free(struct inquiry_sweep *w);
struct inquiry_sweep *inquiry_sweep_new(struct cf_app *app, struct inquiry_cache *cache,
                                        const struct inquiry_counts *counts,
                                        const struct inquiry_sweep_conf *conf)
    CF_FREED_BY(inquiry_sweep_free);
