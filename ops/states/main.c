/* states -- writes docs/states.md from the services' tables of edges.
 *
 * states FILE   FILE: the domain's tables, tests/data/states.csv
 * Ends with 1 when tables contradict each other or the domain, and says where. */
#include "ops/states/states.h"

#include <stdlib.h>

enum { FILE_MAX = 64 << 10 };

static bool read_all(const char *path, struct cf_str *out)
{
    FILE *in = fopen(path, "rb");
    if (!in) return false;
    char *text = cf_malloc(FILE_MAX);
    *out = (struct cf_str){text, fread(text, 1, FILE_MAX, in)};
    bool ok = !ferror(in) && out->len < FILE_MAX;
    fclose(in);
    if (!ok) free(text);
    return ok;
}

int main(int argc, char **argv)
{
    static struct states_list list;
    static struct states_domain domain;
    struct cf_str text;
    if (argc != 2) {
        fputs("usage: states tests/data/states.csv > docs/states.md\n", stderr);
        return 2;
    }
    if (!read_all(argv[1], &text)) {
        fprintf(stderr, "states: %s cannot be read\n", argv[1]);
        return 2;
    }
    bool is_table = states_domain_read(text, &domain);
    size_t bad = is_table ? states_join(&list) : 1;
    if (!is_table) fprintf(stderr, "states: %s is not a table of states\n", argv[1]);
    if (is_table) {
        bad += states_compare(&list, &domain);
        states_write(stdout, &list, &domain);
    }
    free((void *)(uintptr_t)text.ptr);
    return bad ? 1 : 0;
}
