/* gateway -- the worker that asks the police for photos.
 *
 * POST <police_url>/photo {"document_type", "document_number", "name"}, Idempotency-Key = work id.
 *   200 image/jpeg                     the photo
 *   404 {"code": "no_photo"}           the person is known, there is no photo
 *   404 {"code": "person_unknown"}     no such person
 *   503                                busy, try again
 *   anything else, or nothing          failed, try again
 *
 * A photo is judged and put away before its outcome is told. While the breaker is open, or the
 * rate or the daily quota is used up, calls wait here: nothing is written for them.
 *
 * Owns     one struct photo_fetch_gateway a process, front thread only
 * Source   domain reference, Photo
 */
#pragma once
#include "common/io/http_client.h"
#include "common/io/metrics.h"
#include "common/io/work.h"
#include "services/photo-fetch/settings.h"
#include "services/photo-fetch/vault.h"

struct photo_fetch_gateway;

void photo_fetch_gateway_free(struct photo_fetch_gateway *g);
/* CF_E_CONFIG: the address is malformed. */
int photo_fetch_gateway_new(struct cf_loop *loop, const struct photo_fetch_settings *settings,
                            struct photo_fetch_vault *vault, const struct cf_seal_ring *ring,
                            struct cf_metrics *metrics, struct photo_fetch_gateway **out) CF_MUST;
/* Takes a call of the pool (kind PHOTO_WORK_FETCH, one item). */
void photo_fetch_gateway_run(struct photo_fetch_gateway *g, struct cf_work_call *call);
