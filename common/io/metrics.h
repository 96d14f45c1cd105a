/* metrics -- counters, gauges and histograms, and their Prometheus text.
 *
 *     struct cf_counter *n = cf_counter_new(m, "cardflow_steps_total", "Steps decided",
 *                                           "kind", "application", NULL);
 *     cf_count_add(n, 1);
 *
 * Shapes   registered at start with fixed labels (name, value, name, value, NULL); the same name
 *          and labels again give the same metric. Label values are never personal data.
 * Owns     metrics live as long as their struct cf_metrics; names and help must stay (literals),
 *          label values are copied
 * Errors   the same name with another type is a bug and ends the process
 * Threads  updates from any thread, without locks; registering and rendering take one
 */
#pragma once
#include "common/pure/str.h"

struct cf_metrics;
struct cf_counter;
struct cf_gauge;
struct cf_histogram;

void cf_metrics_free(struct cf_metrics *m);
/* With the process_* metrics in it. */
struct cf_metrics *cf_metrics_new(void) CF_FREED_BY(cf_metrics_free);

struct cf_counter *cf_counter_new(struct cf_metrics *m, const char *name, const char *help, ...)
    __attribute__((sentinel));
struct cf_gauge *cf_gauge_new(struct cf_metrics *m, const char *name, const char *help, ...)
    __attribute__((sentinel));
/* bounds: ascending upper limits, copied; +Inf is added. NULL: a scale of seconds from 0.5 ms to 10
 * s. */
struct cf_histogram *cf_histogram_new(struct cf_metrics *m, const char *name, const char *help,
                                      const double *bounds, size_t n_bounds, ...)
    __attribute__((sentinel));

/* Read when rendered, on the rendering thread. */
typedef double cf_metric_fn(void *arg);
void cf_counter_fn(struct cf_metrics *m, const char *name, const char *help, cf_metric_fn *fn,
                   void *arg, ...) __attribute__((sentinel));
void cf_gauge_fn(struct cf_metrics *m, const char *name, const char *help, cf_metric_fn *fn,
                 void *arg, ...) __attribute__((sentinel));

void cf_count_add(struct cf_counter *c, uint64_t n);
uint64_t cf_count_get(const struct cf_counter *c);
void cf_gauge_set(struct cf_gauge *g, double v);
void cf_gauge_add(struct cf_gauge *g, double by);
double cf_gauge_get(const struct cf_gauge *g);
void cf_observe(struct cf_histogram *h, double v);
uint64_t cf_observed(const struct cf_histogram *h);

/* Text format 0.0.4, families in the order of registering. */
void cf_metrics_render(struct cf_metrics *m, struct cf_buf *out);
