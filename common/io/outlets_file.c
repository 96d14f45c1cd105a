#include "common/io/outlets_file.h"

#include "common/io/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 4 << 20 };

static int refuse(const char *file, const char *why, unsigned line)
{
    cf_log(LOG_ERROR, "service.wrong_file", F("what", "outlets"), F("file", file), F("line", line),
           F("why", why));
    return CF_E_CONFIG;
}

int cf_outlets_read(struct cf_arena *arena, const char *path, struct cf_outlets *out)
{
    struct cf_outlets_error error;
    FILE *f = fopen(path, "rbe");
    if (!f) return refuse(path, strerror(errno), 0);
    char *text = cf_malloc(FILE_MAX);
    size_t n = fread(text, 1, FILE_MAX, f);
    bool good = !ferror(f) && n < FILE_MAX;
    fclose(f);
    int e = good ? cf_outlets_load(arena, (struct cf_str){text, n}, out, &error) : CF_E_CONFIG;
    if (e)
        refuse(path, good ? error.why : "cannot be read, or larger than 4 MiB",
               good ? error.line : 0);
    free(text);
    return e;
}
