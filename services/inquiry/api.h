/* api -- inquiry's HTTP routes: status questions, and the outcome of an application.
 *
 * Limits   who may read applications reads all of them: the events do not tell whose client handed
 *          one in
 * Source   interface, fixed points; domain reference, Inquiry
 */
#pragma once
#include "services/inquiry/front.h"

void inquiry_api_routes(struct inquiry_front *front);
