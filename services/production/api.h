/* api -- production's routes.
 *
 * POST /v1/card-operations  one operation on a card; 202, or the outcome with Prefer: wait
 * POST /v1/bank-results     what banks without Kafka report: one answer, or an array of them
 * GET  /v1/vouchers         those that nobody has signed yet, page by page
 * GET  /v1/vouchers/{no}, /v1/notices/{no}, POST /v1/vouchers/{no}/signature
 *
 * Errors   problems of RFC 9457; a refused operation is a 200 with result "refused"
 */
#pragma once
#include "common/io/app.h"
#include "services/production/codec.h"
#include "services/production/settings.h"

struct cf_printer;

struct production_front {
    struct production_settings settings; /* first: cf_app fills it */
    struct production_env env;
    struct cf_app *app;
    struct cf_printer *printer; /* of papers; the server's */
};

void production_api_routes(struct production_front *front);
