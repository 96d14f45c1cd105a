/* settings -- inquiry's settings as a struct; see conf.def. */
#pragma once
#include "common/io/conf.h"

struct inquiry_settings {
#define CONF CF_CONF_FIELD
#include "services/inquiry/conf.def"
#undef CONF
};
