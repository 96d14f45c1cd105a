/* log -- one line, one fact: ECS JSON on standard output.
 *
 *     cf_log(LOG_INFO, "card.activated", F("card_ref", ref), F("took_ms", ms));
 *
 * Shapes   the event is `noun.verb`; F takes text, numbers, bool and struct cf_pii. A value of
 *          another type does not compile. Personal data has the type struct cf_pii and is printed
 *          as "***", whatever it holds.
 * Units    times in UTC, real time (the test clock does not move the log)
 * Owns     nothing: values are written before cf_log returns
 * Errors   none; a line longer than CF_LOG_LINE is cut inside its text values and stays JSON
 * Threads  any; one write(2) per line
 * Source   Elastic Common Schema field names
 */
#pragma once
#include "common/pure/str.h"

#define CF_LOG_LINE 8192

enum cf_log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Text that says who somebody is: can be kept and passed on, but not printed. */
struct cf_pii {
    struct cf_str v;
};

enum cf_field_type { CF_F_END, CF_F_TEXT, CF_F_INT, CF_F_UINT, CF_F_DOUBLE, CF_F_BOOL, CF_F_PII };

struct cf_field {
    const char *name;
    enum cf_field_type type;
    union {
        struct cf_str text;
        long long i;
        unsigned long long u;
        double d;
        bool b;
    } v;
};

static inline struct cf_field cf_field_text(const char *name, struct cf_str v)
{
    return (struct cf_field){name, CF_F_TEXT, {.text = v}};
}
static inline struct cf_field cf_field_z(const char *name, const char *v)
{
    return cf_field_text(name, cf_str_of(v));
}
static inline struct cf_field cf_field_int(const char *name, long long v)
{
    return (struct cf_field){name, CF_F_INT, {.i = v}};
}
static inline struct cf_field cf_field_uint(const char *name, unsigned long long v)
{
    return (struct cf_field){name, CF_F_UINT, {.u = v}};
}
static inline struct cf_field cf_field_double(const char *name, double v)
{
    return (struct cf_field){name, CF_F_DOUBLE, {.d = v}};
}
static inline struct cf_field cf_field_bool(const char *name, bool v)
{
    return (struct cf_field){name, CF_F_BOOL, {.b = v}};
}
static inline struct cf_field cf_field_pii(const char *name, struct cf_pii v)
{
    (void)v; /* not even carried along */
    return (struct cf_field){name, CF_F_PII, {.i = 0}};
}

/* One field of a line. There is no default on purpose. */
#define F(name, value)                                                                             \
    _Generic((value),                                                                              \
        struct cf_str: cf_field_text,                                                              \
        struct cf_pii: cf_field_pii,                                                               \
        const char *: cf_field_z,                                                                  \
        char *: cf_field_z,                                                                        \
        short: cf_field_int,                                                                       \
        unsigned short: cf_field_uint,                                                             \
        int: cf_field_int,                                                                         \
        unsigned: cf_field_uint,                                                                   \
        long: cf_field_int,                                                                        \
        unsigned long: cf_field_uint,                                                              \
        long long: cf_field_int,                                                                   \
        unsigned long long: cf_field_uint,                                                         \
        double: cf_field_double,                                                                   \
        bool: cf_field_bool)((name), (value))

/* cf_log(level, event, F(..)...) */
#define cf_log(level, ...)                                                                         \
    do {                                                                                           \
        if (cf_log_on(level)) cf_log_line((level), __VA_ARGS__, (struct cf_field){0});             \
    } while (0)

bool cf_log_on(enum cf_log_level level);
/* The list of struct cf_field ends with one of type CF_F_END; use cf_log(). */
void cf_log_line(enum cf_log_level level, const char *event, ...);
/* The same for fields made while running. */
void cf_log_fields(enum cf_log_level level, const char *event, const struct cf_field *fields,
                   size_t n);

/* At start, before threads: who writes (a literal or text that stays), where, and how much. */
void cf_log_service(const char *name);
void cf_log_fd(int fd);
void cf_log_level_set(enum cf_log_level level);
/* "error", "warn", "info", "debug" */
bool cf_log_level_parse(struct cf_str name, enum cf_log_level *out);
