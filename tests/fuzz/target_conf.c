/* Settings: flags and variables, a line each; what is taken keeps its bounds, and what is refused
 * is named without the value of a secret. */
#include "common/io/conf.h"
#include "tests/fuzz/fuzz.h"

#include <unistd.h>

struct settings {
#define CONF CF_CONF_FIELD
#include "common/io/conf_common.def"
    CONF(BOOL, quiet, "yes", 0, 1, "a switch")
    CONF(MS, pause, "3s", 10, 60000, "a time")
#undef CONF
};

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct settings, __VA_ARGS__)
#include "common/io/conf_common.def"
    CONF(BOOL, quiet, "yes", 0, 1, "a switch") CONF(MS, pause, "3s", 10, 60000, "a time")
#undef CONF
};

static const struct cf_conf_table table = {"cardflow-fuzz", "settings", rows,
                                           sizeof rows / sizeof *rows, sizeof(struct settings)};

static void check(const struct settings *s)
{
    struct cf_conf_common common;
    MUST(s->partitions >= 1 && s->partitions <= 256);
    MUST(s->pause >= 10 && s->pause <= 60000);
    MUST(s->ready_unsent_ms >= 100 && s->ready_unsent_ms <= 86400000);
    MUST(strlen(s->kafka_brokers) >= 3 && strlen(s->kafka_brokers) <= 2000);
    MUST(strlen(s->postgres_dsn) >= 1);
    MUST(cf_conf_common(&table, s, &common) && common.partitions == s->partitions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cf_str in = fuzz_str(data, size);
    enum { WORDS = 40 };
    char *argv[WORDS + 2] = {NULL}, *env[WORDS + 2] = {NULL}, *text = NULL, *shown = NULL;
    int argc = 0, n_env = 0;
    size_t text_len = 0, shown_len = 0;
    bool has_secret = false;
    argv[argc++] = fuzz_z(CF_STR("cardflow-fuzz"));
    while (in.len && argc < WORDS && n_env < WORDS) {
        struct cf_str line = fuzz_line(&in);
        char *z = fuzz_z(line);
        has_secret |= strstr(z, "s3cr3t") != NULL;
        /* A variable has = in it and begins with the prefix. */
        if (strncmp(z, "CARDFLOW_", 9) == 0 && !strstr(z, "_FILE="))
            env[n_env++] = z;
        else
            argv[argc++] = z;
    }
    static struct settings s;
    FILE *out = open_memstream(&shown, &shown_len), *err = open_memstream(&text, &text_len);
    enum cf_conf_end end = cf_conf_load(&table, &s, argc, argv, env, out, err);
    fclose(out);
    fclose(err);
    if (end == CF_CONF_RUN) {
        check(&s);
        MUST(text_len == 0);
        cf_conf_free(&table, &s);
    } else if (end == CF_CONF_WRONG) {
        MUST(text_len > 0);
        MUST(!has_secret || !strstr(text, "s3cr3t") || strstr(text, "--s3cr3t") ||
             strstr(text, "s3cr3t:") || strstr(text, "no such setting"));
    } else {
        MUST(shown_len > 0 && strstr(shown, "partitions"));
    }
    static const struct settings zero;
    MUST(memcmp(&s, &zero, sizeof s) == 0);
    free(text);
    free(shown);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    for (int i = 0; i < n_env; i++)
        free(env[i]);
    return 0;
}
