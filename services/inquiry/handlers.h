/* handlers -- the steps of inquiry's stage: fold, tell what is seen, keep the audit.
 *
 * Shapes   env is a struct inquiry_env; only its counters change
 * Errors   CF_E_DATA where a stored section cannot be read
 */
#pragma once
#include "common/io/redis.h"
#include "common/io/stage/stage.h"
#include "services/inquiry/store.h"

#include <stdatomic.h>

struct inquiry_counts {
    atomic_ullong unsent; /* documents or aliases that Redis may not have got */
    atomic_ullong lost;   /* cf_redis_stage_lost, for the front to see */
};

struct inquiry_env {
    struct cf_redis_stage *redis; /* the stage thread's; NULL: no Redis */
    struct inquiry_counts *counts;
};

/* The whole service, as the stage sees it. env must outlive it. */
struct cf_service inquiry_service(const struct inquiry_env *env);

/* Keys in Redis, of documents and aliases. */
enum { INQUIRY_REDIS_KEY_MAX = 4 + CF_KEY_MAX };
struct cf_str inquiry_redis_document_key(const struct cf_key *holder,
                                         char out[INQUIRY_REDIS_KEY_MAX]);
struct cf_str inquiry_redis_alias_key(const uint8_t alias[16], char out[INQUIRY_REDIS_KEY_MAX]);
