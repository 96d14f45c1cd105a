#include "common/io/metrics.h"

#include "common/pure/error.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* A double is kept as its bits, since C11 has no lock-free arithmetic on doubles. */
struct cf_counter {
    _Atomic uint64_t n;
};

struct cf_gauge {
    _Atomic uint64_t bits;
};

struct cf_histogram {
    size_t n_bounds;
    double *bounds;
    _Atomic uint64_t *counts; /* n_bounds + 1, each its own bucket, not cumulative */
    _Atomic uint64_t sum_bits;
};

enum kind { COUNTER, GAUGE, HISTOGRAM, COUNTER_FN, GAUGE_FN };

/* One set of labels of a family. */
struct series {
    struct series *next;
    char *labels; /* a="x",b="y" or "" */
    union {
        struct cf_counter counter;
        struct cf_gauge gauge;
        struct cf_histogram histogram;
        struct {
            cf_metric_fn *fn;
            void *arg;
        } call;
    } v;
};

struct family {
    struct family *next;
    const char *name, *help;
    enum kind kind;
    struct series *first, **end;
};

struct cf_metrics {
    pthread_mutex_t lock; /* lists only; values are atomic */
    struct family *first, **end;
    double started_at;
};

static const double seconds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                 0.1,    0.25,  0.5,    1,     2.5,  5,     10};

static double to_double(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static uint64_t to_bits(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static void add_double(_Atomic uint64_t *bits, double by)
{
    uint64_t old = atomic_load_explicit(bits, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(bits, &old, to_bits(to_double(old) + by),
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

/* ---- registering --------------------------------------------------------------------------- */

static void add_label(struct cf_buf *b, const char *name, const char *value)
{
    cf_buf_printf(b, "%s%s=\"", b->len ? "," : "", name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\') cf_buf_add(b, "\\", 1);
        if (*value == '\n')
            cf_buf_add(b, "\\n", 2);
        else
            cf_buf_add(b, value, 1);
    }
    cf_buf_add(b, "\"", 1);
}

static char *labels_of(va_list args)
{
    struct cf_buf b;
    cf_buf_init(&b, 4096);
    for (;;) {
        const char *name = va_arg(args, const char *);
        if (!name) break;
        add_label(&b, name, va_arg(args, const char *));
    }
    if (b.full || !cf_buf_add(&b, "", 1)) CF_BUG("labels of a metric are too long");
    return b.ptr;
}

static struct family *family_of(struct cf_metrics *m, const char *name, const char *help,
                                enum kind kind)
{
    for (struct family *f = m->first; f; f = f->next) {
        if (strcmp(f->name, name) != 0) continue;
        if (f->kind != kind) CF_BUG("a metric has two types");
        return f;
    }
    struct family *f = cf_calloc(1, sizeof *f);
    *f = (struct family){.name = name, .help = help, .kind = kind};
    f->end = &f->first;
    *m->end = f;
    m->end = &f->next;
    return f;
}

/* The series with these labels; *made tells whether it is new. Called with the lock held. */
static struct series *series_of(struct family *f, char *labels, bool *made)
{
    for (struct series *s = f->first; s; s = s->next) {
        if (strcmp(s->labels, labels) != 0) continue;
        free(labels);
        *made = false;
        return s;
    }
    struct series *s = cf_calloc(1, sizeof *s);
    s->labels = labels;
    *f->end = s;
    f->end = &s->next;
    *made = true;
    return s;
}

static struct series *take(struct cf_metrics *m, const char *name, const char *help, enum kind kind,
                           char *labels, bool *made)
{
    pthread_mutex_lock(&m->lock);
    struct series *s = series_of(family_of(m, name, help, kind), labels, made);
    pthread_mutex_unlock(&m->lock);
    return s;
}

struct cf_counter *cf_counter_new(struct cf_metrics *m, const char *name, const char *help, ...)
{
    bool made;
    va_list args;
    va_start(args, help);
    char *labels = labels_of(args);
    va_end(args);
    return &take(m, name, help, COUNTER, labels, &made)->v.counter;
}

struct cf_gauge *cf_gauge_new(struct cf_metrics *m, const char *name, const char *help, ...)
{
    bool made;
    va_list args;
    va_start(args, help);
    char *labels = labels_of(args);
    va_end(args);
    return &take(m, name, help, GAUGE, labels, &made)->v.gauge;
}

static void make_buckets(struct cf_histogram *h, const double *bounds, size_t n)
{
    if (!bounds) bounds = seconds, n = sizeof seconds / sizeof *seconds;
    h->bounds = cf_calloc(n + 1, sizeof *h->bounds);
    memcpy(h->bounds, bounds, n * sizeof *bounds);
    h->counts = cf_calloc(n + 1, sizeof *h->counts);
    h->n_bounds = n;
}

struct cf_histogram *cf_histogram_new(struct cf_metrics *m, const char *name, const char *help,
                                      const double *bounds, size_t n_bounds, ...)
{
    bool made;
    va_list args;
    va_start(args, n_bounds);
    char *labels = labels_of(args);
    va_end(args);
    /* Under the lock to the end: a renderer must not meet a histogram without buckets. */
    pthread_mutex_lock(&m->lock);
    struct series *s = series_of(family_of(m, name, help, HISTOGRAM), labels, &made);
    if (made) make_buckets(&s->v.histogram, bounds, n_bounds);
    pthread_mutex_unlock(&m->lock);
    return &s->v.histogram;
}

static void take_fn(struct cf_metrics *m, const char *name, const char *help, enum kind kind,
                    char *labels, cf_metric_fn *fn, void *arg)
{
    bool made;
    pthread_mutex_lock(&m->lock);
    struct series *s = series_of(family_of(m, name, help, kind), labels, &made);
    s->v.call.fn = fn;
    s->v.call.arg = arg;
    pthread_mutex_unlock(&m->lock);
}

void cf_counter_fn(struct cf_metrics *m, const char *name, const char *help, cf_metric_fn *fn,
                   void *arg, ...)
{
    va_list args;
    va_start(args, arg);
    take_fn(m, name, help, COUNTER_FN, labels_of(args), fn, arg);
    va_end(args);
}

void cf_gauge_fn(struct cf_metrics *m, const char *name, const char *help, cf_metric_fn *fn,
                 void *arg, ...)
{
    va_list args;
    va_start(args, arg);
    take_fn(m, name, help, GAUGE_FN, labels_of(args), fn, arg);
    va_end(args);
}

/* ---- updating ------------------------------------------------------------------------------ */

void cf_count_add(struct cf_counter *c, uint64_t n)
{
    atomic_fetch_add_explicit(&c->n, n, memory_order_relaxed);
}

uint64_t cf_count_get(const struct cf_counter *c)
{
    return atomic_load_explicit(&c->n, memory_order_relaxed);
}

void cf_gauge_set(struct cf_gauge *g, double v)
{
    atomic_store_explicit(&g->bits, to_bits(v), memory_order_relaxed);
}

void cf_gauge_add(struct cf_gauge *g, double by)
{
    add_double(&g->bits, by);
}

double cf_gauge_get(const struct cf_gauge *g)
{
    return to_double(atomic_load_explicit(&g->bits, memory_order_relaxed));
}

void cf_observe(struct cf_histogram *h, double v)
{
    size_t i = 0;
    while (i < h->n_bounds && v > h->bounds[i])
        i++;
    atomic_fetch_add_explicit(&h->counts[i], 1, memory_order_relaxed);
    add_double(&h->sum_bits, v);
}

uint64_t cf_observed(const struct cf_histogram *h)
{
    uint64_t n = 0;
    for (size_t i = 0; i <= h->n_bounds; i++)
        n += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
    return n;
}

/* ---- rendering ----------------------------------------------------------------------------- */

static void put_number(struct cf_buf *out, double v)
{
    if (isnan(v))
        cf_buf_printf(out, " NaN\n");
    else if (isinf(v))
        cf_buf_printf(out, v > 0 ? " +Inf\n" : " -Inf\n");
    else
        cf_buf_printf(out, " %.17g\n", v);
}

static void put_series(struct cf_buf *out, const char *name, const char *suffix, const char *labels)
{
    cf_buf_printf(out, "%s%s", name, suffix);
    if (*labels) cf_buf_printf(out, "{%s}", labels);
}

static void put_histogram(struct cf_buf *out, const char *name, const struct series *s)
{
    const struct cf_histogram *h = &s->v.histogram;
    uint64_t n = 0;
    for (size_t i = 0; i <= h->n_bounds; i++) {
        char bound[32] = "+Inf";
        if (i < h->n_bounds) snprintf(bound, sizeof bound, "%g", h->bounds[i]);
        n += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
        cf_buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, s->labels,
                      *s->labels ? "," : "", bound, (unsigned long long)n);
    }
    put_series(out, name, "_sum", s->labels);
    put_number(out, to_double(atomic_load_explicit(&h->sum_bits, memory_order_relaxed)));
    put_series(out, name, "_count", s->labels);
    cf_buf_printf(out, " %llu\n", (unsigned long long)n);
}

static void put_value(struct cf_buf *out, const struct family *f, const struct series *s)
{
    switch (f->kind) {
    case COUNTER:
        put_series(out, f->name, "", s->labels);
        cf_buf_printf(out, " %llu\n", (unsigned long long)cf_count_get(&s->v.counter));
        break;
    case GAUGE:
        put_series(out, f->name, "", s->labels);
        put_number(out, cf_gauge_get(&s->v.gauge));
        break;
    case HISTOGRAM:
        put_histogram(out, f->name, s);
        break;
    case COUNTER_FN:
    case GAUGE_FN:
        put_series(out, f->name, "", s->labels);
        put_number(out, s->v.call.fn(s->v.call.arg));
        break;
    }
}

void cf_metrics_render(struct cf_metrics *m, struct cf_buf *out)
{
    static const char *const types[] = {[COUNTER] = "counter",
                                        [GAUGE] = "gauge",
                                        [HISTOGRAM] = "histogram",
                                        [COUNTER_FN] = "counter",
                                        [GAUGE_FN] = "gauge"};
    pthread_mutex_lock(&m->lock);
    for (const struct family *f = m->first; f; f = f->next) {
        cf_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
                      types[f->kind]);
        for (const struct series *s = f->first; s; s = s->next)
            put_value(out, f, s);
    }
    pthread_mutex_unlock(&m->lock);
}

/* ---- the process itself -------------------------------------------------------------------- */

static double resident_bytes(void *arg)
{
    long pages = 0;
    (void)arg;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) return (double)NAN;
    int got = fscanf(f, "%*s %ld", &pages);
    fclose(f);
    return got == 1 ? (double)pages * (double)sysconf(_SC_PAGESIZE) : (double)NAN;
}

static double cpu_seconds(void *arg)
{
    struct rusage u;
    (void)arg;
    if (getrusage(RUSAGE_SELF, &u) != 0) return (double)NAN;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double open_fds(void *arg)
{
    (void)arg;
    DIR *d = opendir("/proc/self/fd");
    if (!d) return (double)NAN;
    int n = -3; /* ".", ".." and the directory itself */
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static double max_fds(void *arg)
{
    struct rlimit l;
    (void)arg;
    return getrlimit(RLIMIT_NOFILE, &l) == 0 ? (double)l.rlim_cur : (double)NAN;
}

static double start_time(void *arg)
{
    return ((struct cf_metrics *)arg)->started_at;
}

struct cf_metrics *cf_metrics_new(void)
{
    struct cf_metrics *m = cf_calloc(1, sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    m->end = &m->first;
    m->started_at = (double)time(NULL);
    cf_gauge_fn(m, "process_resident_memory_bytes", "Resident memory size in bytes.",
                resident_bytes, NULL, NULL);
    cf_counter_fn(m, "process_cpu_seconds_total", "User and system CPU time in seconds.",
                  cpu_seconds, NULL, NULL);
    cf_gauge_fn(m, "process_open_fds", "Open file descriptors.", open_fds, NULL, NULL);
    cf_gauge_fn(m, "process_max_fds", "Most file descriptors allowed.", max_fds, NULL, NULL);
    cf_gauge_fn(m, "process_start_time_seconds", "Start of the process, seconds since the epoch.",
                start_time, m, NULL);
    return m;
}

void cf_metrics_free(struct cf_metrics *m)
{
    if (!m) return;
    while (m->first) {
        struct family *f = m->first;
        m->first = f->next;
        while (f->first) {
            struct series *s = f->first;
            f->first = s->next;
            if (f->kind == HISTOGRAM) {
                free(s->v.histogram.bounds);
                free(s->v.histogram.counts);
            }
            free(s->labels);
            free(s);
        }
        free(f);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}
