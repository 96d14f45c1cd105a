/* collector -- the work `collect`: production is asked for the cards of a roster that are ready,
 * some hundred at a time.
 *
 * A step reads rows from where the last one left off, sends one command a card under the id of
 * (collection, row), and tells how far it got once the broker has taken all of them. A step that
 * failed is done again, and known ids drop.
 *
 * Owns     what a step needs, until its call is done
 * Errors   a step that cannot be finished ends as "try again"
 */
#pragma once
#include "services/intake/front.h"

void intake_collector_run(struct intake_front *front, struct cf_work_call *call);
