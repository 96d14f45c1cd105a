/* api -- HTTP routes of work orders.
 *
 * Shapes   the id of an order is the UUIDv8 of (source_system, order_no): the same order handed in
 *          again has the same id
 * Source   interface, fixed points
 */
#pragma once
#include "services/complaint-handling/front.h"

void complaint_api_routes(struct complaint_front *front);
