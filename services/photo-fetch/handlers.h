/* handlers -- the steps of photo-fetch's stage.
 *
 * Shapes   env is a struct photo_fetch_env that never changes
 * Errors   CF_E_ILLEGAL where an event of our own contradicts the state (the loop parks it)
 */
#pragma once
#include "common/io/stage/stage.h"
#include "services/photo-fetch/store.h"

struct photo_fetch_env {
    cf_ms backoff, backoff_max;
    int days_to_give; /* to give a missing photo */
};

/* The whole service, as the stage sees it. env must outlive it. */
struct cf_service photo_fetch_service(const struct photo_fetch_env *env);
