/* settings -- notification's settings as a struct; see conf.def. */
#pragma once
#include "common/io/conf.h"

struct notification_settings {
#define CONF CF_CONF_FIELD
#include "services/notification/conf.def"
#undef CONF
};
