/* api -- photo-fetch's HTTP routes.
 *
 * PUT /v1/applications/{application_id}/photo, image/jpeg up to 64 KiB: judges the photo at once
 * (422 with every fault), puts it away and sends photo.upload. 202, or with Prefer: wait 200 and
 * the stage's answer.
 */
#pragma once
#include "services/photo-fetch/front.h"

void photo_fetch_api_routes(struct photo_fetch_front *front);
