/* photos -- hands a photo that came with an application to photo-fetch, which judges it and puts it
 * away: photos do not travel through Kafka.
 *
 * Owns     the photo is copied before put returns
 * Errors   put: CF_E_NET, nothing is called; `done` is told not 0 when photo-fetch is away
 * Threads  the front thread
 */
#pragma once
#include "common/io/http_client.h"
#include "common/pure/arena.h"

struct intake_photos;

/* ref is zero when the photo cannot be used, for `reasons`: bits of cf_photo_reason. */
typedef void intake_photo_done(void *arg, int e, const uint8_t ref[16], uint32_t reasons);

struct intake_photos_conf {
    const char *url, *key;
    cf_ms timeout;
};

void intake_photos_free(struct intake_photos *p);
int intake_photos_new(struct cf_loop *loop, const struct intake_photos_conf *conf,
                      struct intake_photos **out) CF_MUST;
/* part: the shard of the application's holder. */
int intake_photos_put(struct intake_photos *p, int16_t part, struct cf_str jpeg,
                      intake_photo_done *done, void *arg) CF_MUST;
/* RFC 4648, with padding; false: it is not that. The bytes live in the arena. */
bool intake_photo_decode(struct cf_arena *a, struct cf_str base64, struct cf_str *out);
