/* cache -- finds a holder's document: in Redis, or else in PostgreSQL; and fills Redis.
 *
 * Shapes   what was found in PostgreSQL goes to Redis a moment later, so that a key that was lost
 *          is asked for once
 * Owns     a question lives in the asker's arena until its answer; found text is valid inside the
 *          callback only
 * Errors   CF_E_DB: PostgreSQL is away; CF_E_NET: too many questions to it already
 * Threads  the front thread
 */
#pragma once
#include "common/io/app.h"
#include "common/io/redis.h"

struct inquiry_cache;

struct inquiry_found {
    bool known, from_cache;
    struct cf_key holder;
    uint64_t version;
    struct cf_str payload; /* see inquiry_codec_document_read */
    struct cf_str past;    /* from the store: an application that had to make room */
};

/* found is NULL with an error. May be called from inside the question. */
typedef void inquiry_found_fn(void *arg, int e, const struct inquiry_found *found);

struct inquiry_cache_conf {
    const char *url;
    int budget_ms, store_in_flight;
};

void inquiry_cache_free(struct inquiry_cache *c);
/* NULL when the url cannot be read. */
struct inquiry_cache *inquiry_cache_new(struct cf_app *app, const struct inquiry_cache_conf *conf)
    CF_FREED_BY(inquiry_cache_free);
void inquiry_cache_holder(struct inquiry_cache *c, struct cf_arena *a, const struct cf_key *holder,
                          inquiry_found_fn *fn, void *arg);
/* store_only: Redis is not asked. */
void inquiry_cache_alias(struct inquiry_cache *c, struct cf_arena *a, const uint8_t alias[16],
                         bool store_only, inquiry_found_fn *fn, void *arg);
bool inquiry_cache_up(const struct inquiry_cache *c);

/* For the sweep: writes at once. False: Redis did not take it. */
bool inquiry_cache_put(struct inquiry_cache *c, const struct cf_redis_doc *docs, size_t n);
bool inquiry_cache_set(struct inquiry_cache *c, const struct cf_redis_pair *pairs, size_t n);
/* Have all writes since the last call arrived? Waits a few ms at most. */
bool inquiry_cache_settled(struct inquiry_cache *c);
/* Is this key there? */
int inquiry_cache_get(struct inquiry_cache *c, struct cf_str key, cf_redis_got *got,
                      void *arg) CF_MUST;
