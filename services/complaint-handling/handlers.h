/* handlers -- the steps of a work order: opened, acted on, marked, answered, closed.
 *
 * Shapes   env is a struct complaint_env that never changes
 * Errors   none of its own: what cannot be done is refused with an event
 */
#pragma once
#include "services/complaint-handling/codec.h"

/* The whole service, as the stage sees it. env must outlive it. */
struct cf_service complaint_service(const struct complaint_env *env);
