/* settings -- production's settings as a struct; see conf.def. */
#pragma once
#include "common/io/conf.h"
#include "services/production/rules.h"

struct production_settings {
#define CONF CF_CONF_FIELD
#include "services/production/conf.def"
#undef CONF
};

struct production_policy production_settings_policy(const struct production_settings *s);
/* Upper-case letters, none twice. */
bool production_settings_letters(const char *text, char letters[27]);
