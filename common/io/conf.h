/* conf -- the settings of a program, from one table.
 *
 * A program has a conf.def with one row a setting, and gets from it a struct, flags, variables,
 * files for secrets, --help, --help-markdown and the start-up dump:
 *
 *     conf.def:   #include "common/io/conf_common.def"
 *                 CONF(STR, police_url, NULL, 1, 500, "base address of the police photo gateway")
 *                 CONF(MS, police_timeout, "3s", 10, 60000, "a call is given up after this long")
 *
 *     main.c:     struct photo_fetch_settings {
 *                 #define CONF CF_CONF_FIELD
 *                 #include "services/photo-fetch/conf.def"
 *                 #undef CONF
 *                 };
 *                 static const struct cf_conf_row rows[] = {
 *                 #define CONF(...) CF_CONF_ROW(struct photo_fetch_settings, __VA_ARGS__)
 *                 #include "services/photo-fetch/conf.def"
 *                 #undef CONF
 *                 };
 *                 static const struct cf_conf_table table = {
 *                     "cardflow-photo-fetch", "fetches and judges photos", rows,
 *                     sizeof rows / sizeof *rows, sizeof(struct photo_fetch_settings)};
 *
 * Shapes   police_timeout is the flag --police-timeout and the variable CARDFLOW_POLICE_TIMEOUT;
 *          a flag wins over a variable, a variable over a file. A SECRET may also be read from the
 *          file that CARDFLOW_<NAME>_FILE names. STR and SECRET are const char *, INT is int, BOOL
 *          is bool, MS is cf_ms.
 * Units    MS is written as 1500, 1500ms, 3s, 5m or 2h
 * Owns     text belongs to the settings until cf_conf_free(), which wipes secrets
 * Errors   every wrong setting is named with the rule it breaks and the cure, all in one go;
 *          never with the value of a secret
 */
#pragma once
#include "common/pure/date.h"
#include "common/pure/error.h"

#include <stddef.h>
#include <stdio.h>

enum cf_conf_type { CF_CONF_STR, CF_CONF_INT, CF_CONF_BOOL, CF_CONF_MS, CF_CONF_SECRET };

struct cf_conf_row {
    enum cf_conf_type type;
    const char *name; /* "kafka_brokers" */
    size_t offset;    /* in the program's struct */
    const char *fallback;
    long long min, max;
    const char *help;
};

struct cf_conf_table {
    const char *program, *summary;
    const struct cf_conf_row *rows;
    size_t n;
    size_t size; /* of the program's struct */
};

#define CF_CONF_FIELD(type, name, fallback, min, max, help) CF_CONF_C_##type name;
#define CF_CONF_ROW(owner, type, name, fallback, min, max, help)                                   \
    {CF_CONF_##type, #name, offsetof(owner, name), fallback, min, max, help},
#define CF_CONF_C_STR const char *
#define CF_CONF_C_SECRET const char *
#define CF_CONF_C_INT int
#define CF_CONF_C_BOOL bool
#define CF_CONF_C_MS cf_ms

/* The settings that every service has; same rows, same order as in the service's own struct. */
struct cf_conf_common {
#define CONF CF_CONF_FIELD
#include "common/io/conf_common.def"
#undef CONF
};

/* Those of a program without stage (simulators). */
struct cf_conf_base {
#define CONF CF_CONF_FIELD
#include "common/io/conf_base.def"
#undef CONF
};

enum cf_conf_end {
    CF_CONF_RUN,  /* settings are filled */
    CF_CONF_EXIT, /* help was asked for and printed: exit 0 */
    CF_CONF_WRONG /* what is wrong was printed to err: exit 2 */
};

/* Fills *settings from flags, then variables, then defaults. env is as environ(7). */
enum cf_conf_end cf_conf_load(const struct cf_conf_table *t, void *settings, int argc,
                              char *const *argv, char *const *env, FILE *out, FILE *err) CF_MUST;
void cf_conf_free(const struct cf_conf_table *t, void *settings);

/* The first settings of a service as the common struct; false when its conf.def does not begin
 * with conf_common.def. */
bool cf_conf_common(const struct cf_conf_table *t, const void *settings,
                    struct cf_conf_common *out);

/* One log line "program.settings" with every setting, secrets as "***". */
void cf_conf_log(const struct cf_conf_table *t, const void *settings);
void cf_conf_help(const struct cf_conf_table *t, FILE *out);
void cf_conf_help_markdown(const struct cf_conf_table *t, FILE *out);
