/* settings -- intake's settings as a struct; see conf.def. */
#pragma once
#include "common/io/conf.h"

struct intake_settings {
#define CONF CF_CONF_FIELD
#include "services/intake/conf.def"
#undef CONF
};
