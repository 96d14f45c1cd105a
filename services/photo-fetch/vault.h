/* vault -- where photos are put away: sealed, addressed by keyed hash, many in one statement.
 *
 * Shapes   one struct photo_fetch_vault a process; what is put within one turn of the loop is
 *          stored together
 * Owns     nothing of the caller's is kept: photos are sealed before put returns
 * Errors   `stored` is told CF_E_DB or CF_E_UNKNOWN; storing the same photo again is harmless
 * Limits   front thread only. Associated data of the seal: the 16 bytes of content_ref, field 7
 * Source   domain reference, Privacy; architecture, "Photos do not travel through Kafka"
 */
#pragma once
#include "common/io/loop.h"
#include "common/io/pg_front.h"
#include "common/io/seal.h"

#define PHOTO_SEAL_FIELD 7

struct photo_fetch_vault;

/* Called once for each put, never from inside it. */
typedef void photo_fetch_stored(void *arg, int e);

void photo_fetch_vault_free(struct photo_fetch_vault *v);
struct photo_fetch_vault *photo_fetch_vault_new(struct cf_loop *loop, struct cf_pgf *pg,
                                                const struct cf_seal_ring *ring)
    CF_FREED_BY(photo_fetch_vault_free);
/* Seals and stores; ref is the address. Not 0: sealing failed, stored is not called. */
int photo_fetch_vault_put(struct photo_fetch_vault *v, int16_t part, struct cf_str jpeg,
                          uint8_t ref[16], photo_fetch_stored *stored, void *arg) CF_MUST;
