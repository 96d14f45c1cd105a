/* Feeds files and the files of folders to a target: how its corpus and its findings are unit
 * tests with any compiler. An input that breaks something ends the process. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

enum { FILE_MAX = 4 << 20 };

static unsigned long fed;

static void feed_file(const char *path)
{
    FILE *f = fopen(path, "rbe");
    if (!f) {
        perror(path);
        exit(2);
    }
    uint8_t *bytes = cf_malloc(FILE_MAX);
    size_t n = fread(bytes, 1, FILE_MAX, f);
    fclose(f);
    char *exact = fuzz_exact(fuzz_str(bytes, n));
    free(bytes);
    /* Told before it is fed: the last line names the culprit. */
    if (getenv("FUZZ_TELL")) fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput((const uint8_t *)exact, n);
    free(exact);
    fed++;
}

static void feed(const char *path)
{
    struct dirent **names;
    struct stat st;
    if (stat(path, &st)) return; /* a target without findings has no folder for them */
    if (!S_ISDIR(st.st_mode)) {
        feed_file(path);
        return;
    }
    int n = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char below[4096];
        snprintf(below, sizeof below, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.') feed(below);
        free(names[i]);
    }
    if (n >= 0) free(names);
}

int main(int argc, char **argv)
{
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        feed(argv[i]);
    printf("%lu inputs\n", fed);
    return fed ? 0 : 1;
}
