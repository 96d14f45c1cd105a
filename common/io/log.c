#include "common/io/log.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Where the log of the process goes is the process's own, like standard output itself. */
static struct {
    const char *service;
    int fd;
    _Atomic enum cf_log_level level;
} sink = {"cardflow", STDOUT_FILENO, LOG_INFO};

static const char *const levels[] = {"error", "warn", "info", "debug"};

void cf_log_service(const char *name)
{
    sink.service = name;
}

void cf_log_fd(int fd)
{
    sink.fd = fd;
}

void cf_log_level_set(enum cf_log_level level)
{
    atomic_store(&sink.level, level);
}

bool cf_log_on(enum cf_log_level level)
{
    return level <= atomic_load_explicit(&sink.level, memory_order_relaxed);
}

bool cf_log_level_parse(struct cf_str name, enum cf_log_level *out)
{
    for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (!cf_str_is(name, levels[i])) continue;
        *out = (enum cf_log_level)i;
        return true;
    }
    return false;
}

/* ---- one line ------------------------------------------------------------------------------ */

/* Room at the end is kept free for what closes a field, the line, and the mark of a cut. */
#define CLOSING 16

struct line {
    size_t n;
    bool full;
    char bytes[CF_LOG_LINE];
};

static bool put(struct line *l, const char *bytes, size_t n)
{
    if (l->n + n > sizeof l->bytes - CLOSING) {
        l->full = true;
        return false;
    }
    memcpy(l->bytes + l->n, bytes, n);
    l->n += n;
    return true;
}

static bool put_escaped(struct line *l, struct cf_str s)
{
    while (s.len) {
        struct cf_str before = s;
        char esc[8];
        int32_t c = cf_utf8_next(&s);
        if (c < 0) {
            /* A byte that is no UTF-8 must not make the line unreadable. */
            if (!put(l, "\xEF\xBF\xBD", 3)) return false;
            s = (struct cf_str){before.ptr + 1, before.len - 1};
        } else if (c == '"' || c == '\\') {
            esc[0] = '\\', esc[1] = (char)c;
            if (!put(l, esc, 2)) return false;
        } else if (c < 0x20 || c == 0x7F) {
            snprintf(esc, sizeof esc, "\\u%04x", (unsigned)c);
            if (!put(l, esc, 6)) return false;
        } else if (!put(l, before.ptr, (size_t)(s.ptr - before.ptr))) {
            return false;
        }
    }
    return true;
}

static void put_text(struct line *l, struct cf_str s)
{
    if (!put(l, "\"", 1)) return;
    put_escaped(l, s);
    l->bytes[l->n++] = '"'; /* always fits: CLOSING */
}

static void put_name(struct line *l, const char *name)
{
    put(l, ",\"", 2);
    put_escaped(l, cf_str_of(name));
    put(l, "\":", 2);
}

static void put_value(struct line *l, const struct cf_field *f)
{
    char number[40];
    int n = 0;
    switch (f->type) {
    case CF_F_TEXT:
        if (f->v.text.ptr) {
            put_text(l, f->v.text);
            return;
        }
        n = snprintf(number, sizeof number, "null");
        break;
    case CF_F_INT:
        n = snprintf(number, sizeof number, "%lld", f->v.i);
        break;
    case CF_F_UINT:
        n = snprintf(number, sizeof number, "%llu", f->v.u);
        break;
    case CF_F_DOUBLE:
        n = isfinite(f->v.d) ? snprintf(number, sizeof number, "%.6g", f->v.d)
                             : snprintf(number, sizeof number, "null");
        break;
    case CF_F_BOOL:
        n = snprintf(number, sizeof number, f->v.b ? "true" : "false");
        break;
    case CF_F_PII:
        n = snprintf(number, sizeof number, "\"***\"");
        break;
    case CF_F_END:
        n = snprintf(number, sizeof number, "null");
        break;
    }
    put(l, number, (size_t)n);
}

static void put_field(struct line *l, const struct cf_field *f)
{
    size_t start = l->n;
    /* A field is there with its name and its value, or not at all; only text may be cut. */
    if (sizeof l->bytes - l->n < strlen(f->name) * 6 + 64) {
        l->full = true;
        return;
    }
    put_name(l, f->name);
    size_t value = l->n;
    put_value(l, f);
    if (l->n == value) l->n = start;
}

static void begin(struct line *l, enum cf_log_level level, const char *event)
{
    struct timespec t;
    struct tm utc;
    char head[80];
    clock_gettime(CLOCK_REALTIME, &t);
    gmtime_r(&t.tv_sec, &utc);
    size_t n = strftime(head, sizeof head, "{\"@timestamp\":\"%Y-%m-%dT%H:%M:%S", &utc);
    put(l, head, n);
    int m = snprintf(head, sizeof head, ".%03ldZ\"", t.tv_nsec / 1000000);
    put(l, head, (size_t)m);
    struct cf_field fixed[] = {cf_field_z("log.level", levels[level]),
                               cf_field_z("service.name", sink.service),
                               cf_field_z("event.action", event)};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        put_field(l, &fixed[i]);
}

static void finish(struct line *l)
{
    /* CLOSING keeps room for these; a line that was cut says so. */
    if (l->full) {
        memcpy(l->bytes + l->n, ",\"cut\":1", 8);
        l->n += 8;
    }
    memcpy(l->bytes + l->n, "}\n", 2);
    l->n += 2;
    const char *p = l->bytes;
    while (l->n) {
        ssize_t done = write(sink.fd, p, l->n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return; /* nowhere left to tell it */
        p += done;
        l->n -= (size_t)done;
    }
}

void cf_log_fields(enum cf_log_level level, const char *event, const struct cf_field *fields,
                   size_t n)
{
    struct line l;
    l.n = 0, l.full = false;
    if (!cf_log_on(level)) return;
    begin(&l, level, event);
    for (size_t i = 0; i < n; i++)
        put_field(&l, &fields[i]);
    finish(&l);
}

void cf_log_line(enum cf_log_level level, const char *event, ...)
{
    struct line l;
    l.n = 0, l.full = false;
    va_list args;
    va_start(args, event);
    begin(&l, level, event);
    for (;;) {
        struct cf_field f = va_arg(args, struct cf_field);
        if (f.type == CF_F_END) break;
        put_field(&l, &f);
    }
    va_end(args);
    finish(&l);
}
