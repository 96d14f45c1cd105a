#include "common/pure/warnings.h"

static const char *const names[] = {
#define X(value, name) name,
    CF_WARNINGS(X)
#undef X
};

const char *cf_warning_name(unsigned index)
{
    return index < CF_WARN_COUNT ? names[index] : "";
}

unsigned cf_warning_parse(struct cf_str name)
{
    for (unsigned i = 0; i < CF_WARN_COUNT; i++)
        if (cf_str_is(name, names[i])) return 1u << i;
    return 0;
}
