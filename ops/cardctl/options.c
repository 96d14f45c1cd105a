/* What every command reads from its command line, and how it fails. */
#include "ops/cardctl/cardctl.h"

#include <stdlib.h>

const char *cardctl_option(int argc, char **argv, const char *name)
{
    for (int i = 0; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0) return argv[i + 1];
    return NULL;
}

bool cardctl_flag(int argc, char **argv, const char *name)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], name) == 0) return true;
    return false;
}

const char *cardctl_needed(int argc, char **argv, const char *name, const char *variable)
{
    const char *value = cardctl_option(argc, argv, name);
    if (!value && variable) value = getenv(variable);
    if (value && *value) return value;
    fprintf(stderr, "cardctl: %s is missing", name);
    fprintf(stderr, variable ? " (or the variable %s)\n" : "\n", variable);
    return NULL;
}

int cardctl_number(int argc, char **argv, const char *name, int fallback, int max)
{
    const char *text = cardctl_option(argc, argv, name);
    char *end;
    if (!text) return fallback;
    long n = strtol(text, &end, 10);
    if (*text && !*end && n >= 1 && n <= max) return (int)n;
    fprintf(stderr, "cardctl: %s must be a number from 1 to %d\n", name, max);
    return -1;
}

int cardctl_fail(const char *what, const char *why)
{
    fprintf(stderr, "cardctl: %s: %s\n", what, why);
    return 1;
}
