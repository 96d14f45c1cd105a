#include "common/pure/error.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    enum cf_class what;
    const char *text;
} errors[] = {
    {CF_OK, "ok"},
#define X(name, class_, text) {CF_##class_, text},
    CF_ERRORS(X)
#undef X
};

enum cf_class cf_error_class(int e)
{
    if (e < 0 || (size_t)e >= sizeof errors / sizeof *errors) CF_BUG("no such error");
    return errors[e].what;
}

const char *cf_error_text(int e)
{
    if (e < 0 || (size_t)e >= sizeof errors / sizeof *errors) CF_BUG("no such error");
    return errors[e].text;
}

_Noreturn void cf_bug(const char *file, int line, const char *why)
{
    fprintf(stderr, "cardflow: bug at %s:%d: %s\n", file, line, why);
    abort();
}
