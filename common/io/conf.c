#include "common/io/conf.h"

#include "common/io/log.h"
#include "common/pure/str.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define NAME_MAX_LEN 100
#define FILE_MAX_LEN 65536

/* What loading carries along. */
struct load {
    const struct cf_conf_table *table;
    void *settings;
    char *const *env;
    FILE *err;
    size_t wrong;
};

/* ---- names --------------------------------------------------------------------------------- */

static const char *flag_name(const struct cf_conf_row *row, char out[NAME_MAX_LEN])
{
    size_t i = 0;
    for (; row->name[i] && i < NAME_MAX_LEN - 1; i++)
        out[i] = row->name[i] == '_' ? '-' : row->name[i];
    out[i] = 0;
    return out;
}

static const char *variable_name(const struct cf_conf_row *row, const char *suffix,
                                 char out[NAME_MAX_LEN])
{
    int n = snprintf(out, NAME_MAX_LEN, "CARDFLOW_%s%s", row->name, suffix);
    for (int i = 0; i < n && i < NAME_MAX_LEN; i++)
        out[i] = (char)toupper((unsigned char)out[i]);
    return out;
}

static const char *env_get(char *const *env, const char *name)
{
    size_t n = strlen(name);
    for (; env && *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=') return *env + n + 1;
    return NULL;
}

/* ---- values -------------------------------------------------------------------------------- */

static bool parse_int(const char *text, long long *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return end != text && *end == 0 && errno == 0 && !isspace((unsigned char)*text);
}

static bool parse_ms(const char *text, long long *out)
{
    static const struct {
        const char *unit;
        long long ms;
    } units[] = {
        {"",   1      },
        {"ms", 1      },
        {"s",  1000   },
        {"m",  60000  },
        {"h",  3600000}
    };
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (end == text || errno != 0 || isspace((unsigned char)*text)) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].unit) == 0) return !__builtin_mul_overflow(*out, units[i].ms, out);
    return false;
}

static bool parse_bool(const char *text, bool *out)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcmp(text, "yes") == 0)
        *out = true;
    else if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0 || strcmp(text, "no") == 0)
        *out = false;
    else
        return false;
    return true;
}

static void complain(struct load *l, const struct cf_conf_row *row, const char *rule)
{
    char flag[NAME_MAX_LEN], variable[NAME_MAX_LEN];
    fprintf(l->err, "%s: setting %s: %s; set --%s or %s\n", l->table->program, row->name, rule,
            flag_name(row, flag), variable_name(row, "", variable));
    l->wrong++;
}

/* The rule in words, for errors and for the manual. */
static const char *rule_of(const struct cf_conf_row *row, char out[120])
{
    switch (row->type) {
    case CF_CONF_INT:
        snprintf(out, 120, "must be a whole number from %lld to %lld", row->min, row->max);
        break;
    case CF_CONF_MS:
        snprintf(out, 120, "must be a time from %lldms to %lldms, such as 1500ms, 3s or 2m",
                 row->min, row->max);
        break;
    case CF_CONF_BOOL:
        snprintf(out, 120, "must be true or false");
        break;
    case CF_CONF_STR:
    case CF_CONF_SECRET:
        snprintf(out, 120, "must be a text of %lld to %lld bytes", row->min, row->max);
        break;
    }
    return out;
}

static void *place_of(void *settings, const struct cf_conf_row *row)
{
    return (char *)settings + row->offset;
}

static const void *at(const void *settings, const struct cf_conf_row *row)
{
    return (const char *)settings + row->offset;
}

static char *copy_text(const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(cf_malloc(n), text, n);
}

/* Stores text as the row's type; false when it breaks the row's rule. */
static bool store(const struct cf_conf_row *row, void *settings, const char *text)
{
    void *place = place_of(settings, row);
    long long n = 0;
    bool b = false;
    switch (row->type) {
    case CF_CONF_INT:
        if (!parse_int(text, &n) || n < row->min || n > row->max) return false;
        if (n < INT_MIN || n > INT_MAX) return false;
        memcpy(place, &(int){(int)n}, sizeof(int));
        return true;
    case CF_CONF_MS:
        if (!parse_ms(text, &n) || n < row->min || n > row->max) return false;
        memcpy(place, &(cf_ms){n}, sizeof(cf_ms));
        return true;
    case CF_CONF_BOOL:
        if (!parse_bool(text, &b)) return false;
        memcpy(place, &b, sizeof b);
        return true;
    case CF_CONF_STR:
    case CF_CONF_SECRET:
        n = (long long)strlen(text);
        if (n < row->min || n > row->max) return false;
        memcpy(place, &(char *){copy_text(text)}, sizeof(char *));
        return true;
    }
    return false;
}

/* ---- sources ------------------------------------------------------------------------------- */

/* The content of a secret's file without the line end behind it; NULL: complained. */
static char *read_secret(struct load *l, const struct cf_conf_row *row, const char *path)
{
    char why[200];
    FILE *f = fopen(path, "re");
    if (!f) {
        snprintf(why, sizeof why, "its file cannot be read (%s)", strerror(errno));
        complain(l, row, why);
        return NULL;
    }
    char *text = cf_malloc(FILE_MAX_LEN);
    size_t n = fread(text, 1, FILE_MAX_LEN - 1, f);
    bool failed = ferror(f) != 0;
    fclose(f);
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    text[n] = 0;
    if (failed || strlen(text) != n) {
        complain(l, row, "its file cannot be read or holds a zero byte");
        explicit_bzero(text, FILE_MAX_LEN);
        free(text);
        return NULL;
    }
    return text;
}

static void take_secret_file(struct load *l, const struct cf_conf_row *row, const char *path)
{
    char rule[120];
    char *text = read_secret(l, row, path);
    if (!text) return;
    if (!store(row, l->settings, text)) complain(l, row, rule_of(row, rule));
    explicit_bzero(text, FILE_MAX_LEN);
    free(text);
}

static void take_row(struct load *l, const struct cf_conf_row *row, const char *flag_value)
{
    char name[NAME_MAX_LEN], rule[120];
    const char *value = flag_value;
    if (!value) value = env_get(l->env, variable_name(row, "", name));
    if (!value && row->type == CF_CONF_SECRET) {
        const char *path = env_get(l->env, variable_name(row, "_FILE", name));
        if (path && *path) {
            take_secret_file(l, row, path);
            return;
        }
    }
    if (!value) value = row->fallback;
    if (!value)
        complain(l, row, "must be set and has no default");
    else if (!store(row, l->settings, value))
        complain(l, row, rule_of(row, rule));
}

static size_t row_of_flag(const struct cf_conf_table *t, struct cf_str name)
{
    char flag[NAME_MAX_LEN];
    for (size_t i = 0; i < t->n; i++)
        if (cf_str_is(name, flag_name(&t->rows[i], flag))) return i;
    return t->n;
}

static void wrong_flag(struct load *l, struct cf_str name, const char *why)
{
    fprintf(l->err, "%s: --%.*s: %s; --help lists the settings\n", l->table->program, CF_ARG(name),
            why);
    l->wrong++;
}

/* values[i] is the text that a flag gave to row i. Flags are --name value or --name=value; a BOOL
 * may stand alone. */
static enum cf_conf_end take_flags(struct load *l, int argc, char *const *argv, const char **values,
                                   FILE *out)
{
    for (int i = 1; i < argc; i++) {
        struct cf_str name = cf_str_of(argv[i]);
        if (cf_str_is(name, "--help") || cf_str_is(name, "-h")) {
            cf_conf_help(l->table, out);
            return CF_CONF_EXIT;
        }
        if (cf_str_is(name, "--help-markdown")) {
            cf_conf_help_markdown(l->table, out);
            return CF_CONF_EXIT;
        }
        if (name.len < 3 || strncmp(name.ptr, "--", 2) != 0) {
            /* The word itself is not printed: it may be a secret that lost its flag. */
            fprintf(l->err, "%s: argument %d is no flag; --help lists the settings\n",
                    l->table->program, i);
            l->wrong++;
            continue;
        }
        const char *equals = strchr(argv[i], '=');
        name =
            (struct cf_str){name.ptr + 2, equals ? (size_t)(equals - name.ptr) - 2 : name.len - 2};
        size_t row = row_of_flag(l->table, name);
        if (row == l->table->n)
            wrong_flag(l, name, "no such setting");
        else if (values[row])
            wrong_flag(l, name, "is given twice");
        else if (equals)
            values[row] = equals + 1;
        else if (i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0)
            values[row] = argv[++i];
        else if (l->table->rows[row].type == CF_CONF_BOOL)
            values[row] = "true";
        else
            wrong_flag(l, name, "needs a value");
    }
    return CF_CONF_RUN;
}

enum cf_conf_end cf_conf_load(const struct cf_conf_table *t, void *settings, int argc,
                              char *const *argv, char *const *env, FILE *out, FILE *err)
{
    struct load l = {t, settings, env, err, 0};
    memset(settings, 0, t->size);
    const char **values = cf_calloc(t->n + 1, sizeof *values);
    enum cf_conf_end end = take_flags(&l, argc, argv, values, out);
    if (end == CF_CONF_RUN)
        for (size_t i = 0; i < t->n; i++)
            take_row(&l, &t->rows[i], values[i]);
    free(values);
    if (l.wrong) end = CF_CONF_WRONG;
    if (end != CF_CONF_RUN) cf_conf_free(t, settings);
    return end;
}

void cf_conf_free(const struct cf_conf_table *t, void *settings)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct cf_conf_row *row = &t->rows[i];
        if (row->type != CF_CONF_STR && row->type != CF_CONF_SECRET) continue;
        char *text;
        memcpy(&text, at(settings, row), sizeof text);
        if (text && row->type == CF_CONF_SECRET) explicit_bzero(text, strlen(text));
        free(text);
    }
    memset(settings, 0, t->size);
}

bool cf_conf_common(const struct cf_conf_table *t, const void *settings, struct cf_conf_common *out)
{
    static const struct cf_conf_row common[] = {
#define CONF(...) CF_CONF_ROW(struct cf_conf_common, __VA_ARGS__)
#include "common/io/conf_common.def"
#undef CONF
    };
    const size_t n = sizeof common / sizeof *common;
    if (t->n < n || t->size < sizeof *out) return false;
    for (size_t i = 0; i < n; i++) {
        const struct cf_conf_row *row = &t->rows[i];
        if (strcmp(row->name, common[i].name) != 0 || row->offset != common[i].offset ||
            row->type != common[i].type)
            return false;
    }
    memcpy(out, settings, sizeof *out);
    return true;
}

/* ---- showing ------------------------------------------------------------------------------- */

static struct cf_field field_of(const struct cf_conf_row *row, const void *settings)
{
    const void *value = at(settings, row);
    const char *text;
    int n;
    cf_ms ms;
    bool b;
    switch (row->type) {
    case CF_CONF_STR:
        memcpy(&text, value, sizeof text);
        return F(row->name, text);
    case CF_CONF_INT:
        memcpy(&n, value, sizeof n);
        return F(row->name, n);
    case CF_CONF_MS:
        memcpy(&ms, value, sizeof ms);
        return F(row->name, ms);
    case CF_CONF_BOOL:
        memcpy(&b, value, sizeof b);
        return F(row->name, b);
    case CF_CONF_SECRET:
        return F(row->name, "***");
    }
    return F(row->name, "");
}

void cf_conf_log(const struct cf_conf_table *t, const void *settings)
{
    struct cf_field *fields = cf_calloc(t->n + 1, sizeof *fields);
    for (size_t i = 0; i < t->n; i++)
        fields[i] = field_of(&t->rows[i], settings);
    cf_log_fields(LOG_INFO, "program.settings", fields, t->n);
    free(fields);
}

static const char *type_name(enum cf_conf_type type)
{
    switch (type) {
    case CF_CONF_STR:
        return "text";
    case CF_CONF_INT:
        return "number";
    case CF_CONF_BOOL:
        return "true or false";
    case CF_CONF_MS:
        return "time";
    case CF_CONF_SECRET:
        return "secret";
    }
    return "";
}

static const char *default_of(const struct cf_conf_row *row)
{
    if (!row->fallback) return "none, must be set";
    return *row->fallback ? row->fallback : "empty";
}

void cf_conf_help(const struct cf_conf_table *t, FILE *out)
{
    char name[NAME_MAX_LEN], rule[120];
    fprintf(out, "%s: %s\n\nEvery setting is a flag or a variable; the flag wins.\n\n", t->program,
            t->summary);
    for (size_t i = 0; i < t->n; i++) {
        const struct cf_conf_row *row = &t->rows[i];
        fprintf(out, "  --%s <%s>\n", flag_name(row, name), type_name(row->type));
        fprintf(out, "      %s\n", row->help);
        fprintf(out, "      %s", variable_name(row, "", name));
        if (row->type == CF_CONF_SECRET) fprintf(out, ", or %s", variable_name(row, "_FILE", name));
        fprintf(out, "; default: %s; %s\n", default_of(row), rule_of(row, rule));
    }
    fprintf(out, "  --help, --help-markdown\n      print this, or the same as a table\n");
}

void cf_conf_help_markdown(const struct cf_conf_table *t, FILE *out)
{
    char flag[NAME_MAX_LEN], variable[NAME_MAX_LEN], rule[120];
    fprintf(out, "## %s\n\n%s\n\n| flag | variable | type | default | rule | meaning |\n",
            t->program, t->summary);
    fprintf(out, "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < t->n; i++) {
        const struct cf_conf_row *row = &t->rows[i];
        fprintf(out, "| `--%s` | `%s`", flag_name(row, flag), variable_name(row, "", variable));
        if (row->type == CF_CONF_SECRET)
            fprintf(out, " or `%s`", variable_name(row, "_FILE", variable));
        fprintf(out, " | %s | %s | %s | %s |\n", type_name(row->type), default_of(row),
                rule_of(row, rule), row->help);
    }
}
