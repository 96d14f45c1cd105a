/* timers -- the kinds of work of all services: which are timers. year.py holds this list against
 * the enums of the services. */
#pragma once
#include "tests/sim/sim.h"

bool timers_is_timer(enum sim_service service, uint16_t kind);
