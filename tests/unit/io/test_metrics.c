/* metrics: what is counted is what /metrics says. */
#include "common/io/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char *render(struct cf_metrics *m, struct cf_buf *b)
{
    cf_buf_reset(b);
    cf_metrics_render(m, b);
    cf_buf_add(b, "", 1);
    return b->ptr;
}

static void has(const char *text, const char *want)
{
    if (!strstr(text, want)) fail_msg("missing: %s\nin:\n%s", want, text);
}

static double answer(void *arg)
{
    return *(double *)arg;
}

static void each_type_has_its_prometheus_text(void **state)
{
    (void)state;
    static const double bounds[] = {0.1, 1};
    double fortytwo = 42;
    struct cf_buf b;
    struct cf_metrics *m = cf_metrics_new();
    cf_buf_init(&b, 1 << 20);
    struct cf_counter *c = cf_counter_new(m, "t_steps_total", "Steps.", "kind", "a\"b\\c\nd", NULL);
    struct cf_counter *other = cf_counter_new(m, "t_steps_total", "Steps.", "kind", "x", NULL);
    struct cf_gauge *g = cf_gauge_new(m, "t_depth", "Depth.", NULL);
    struct cf_histogram *h =
        cf_histogram_new(m, "t_seconds", "Time.", bounds, 2, "route", "/v1", NULL);
    cf_gauge_fn(m, "t_read", "Read.", answer, &fortytwo, NULL);
    cf_count_add(c, 3);
    cf_count_add(other, 1);
    cf_gauge_set(g, 1.5);
    cf_gauge_add(g, -2);
    cf_observe(h, 0.1);
    cf_observe(h, 0.5);
    cf_observe(h, 7);
    const char *text = render(m, &b);
    has(text, "# HELP t_steps_total Steps.\n# TYPE t_steps_total counter\n"
              "t_steps_total{kind=\"a\\\"b\\\\c\\nd\"} 3\nt_steps_total{kind=\"x\"} 1\n");
    has(text, "# TYPE t_depth gauge\nt_depth -0.5\n");
    has(text, "# TYPE t_seconds histogram\n"
              "t_seconds_bucket{route=\"/v1\",le=\"0.1\"} 1\n"
              "t_seconds_bucket{route=\"/v1\",le=\"1\"} 2\n"
              "t_seconds_bucket{route=\"/v1\",le=\"+Inf\"} 3\n");
    has(text, "t_seconds_count{route=\"/v1\"} 3\n");
    has(text, "t_read 42\n");
    assert_int_equal(cf_observed(h), 3);
    cf_buf_free(&b);
    cf_metrics_free(m);
}

static void the_same_labels_are_the_same_metric(void **state)
{
    (void)state;
    struct cf_metrics *m = cf_metrics_new();
    struct cf_counter *a = cf_counter_new(m, "t_total", "T.", "x", "1", NULL);
    assert_ptr_equal(a, cf_counter_new(m, "t_total", "T.", "x", "1", NULL));
    assert_ptr_not_equal(a, cf_counter_new(m, "t_total", "T.", "x", "2", NULL));
    struct cf_histogram *h = cf_histogram_new(m, "t_s", "S.", NULL, 0, NULL);
    cf_observe(h, 1);
    assert_ptr_equal(h, cf_histogram_new(m, "t_s", "S.", NULL, 0, NULL));
    assert_int_equal(cf_observed(h), 1);
    cf_metrics_free(m);
}

static void the_process_tells_of_itself(void **state)
{
    (void)state;
    struct cf_buf b;
    struct cf_metrics *m = cf_metrics_new();
    cf_buf_init(&b, 1 << 20);
    const char *at = strstr(render(m, &b), "\nprocess_resident_memory_bytes ");
    assert_non_null(at);
    double resident = strtod(strchr(at, ' ') + 1, NULL);
    assert_true(resident > 100e3 && resident < 4e9);
    at = strstr(b.ptr, "\nprocess_open_fds ");
    assert_non_null(at);
    assert_true(strtod(strchr(at, ' ') + 1, NULL) >= 3);
    has(b.ptr, "# TYPE process_cpu_seconds_total counter");
    cf_buf_free(&b);
    cf_metrics_free(m);
}

struct work {
    struct cf_counter *c;
    struct cf_gauge *g;
    struct cf_histogram *h;
};

static void *count(void *arg)
{
    const struct work *w = arg;
    for (int i = 0; i < 20000; i++) {
        cf_count_add(w->c, 1);
        cf_gauge_add(w->g, 1);
        cf_observe(w->h, 0.25);
    }
    return NULL;
}

static void threads_lose_no_count(void **state)
{
    (void)state;
    pthread_t t[4];
    struct cf_buf b;
    struct cf_metrics *m = cf_metrics_new();
    cf_buf_init(&b, 1 << 20);
    struct work w = {cf_counter_new(m, "t_total", "T.", NULL), cf_gauge_new(m, "t_g", "G.", NULL),
                     cf_histogram_new(m, "t_h", "H.", NULL, 0, NULL)};
    for (size_t i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, count, &w);
    for (size_t i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(cf_count_get(w.c), 80000);
    assert_true(cf_gauge_get(w.g) == 80000.0);
    assert_int_equal(cf_observed(w.h), 80000);
    has(render(m, &b), "t_h_sum 20000\n");
    cf_buf_free(&b);
    cf_metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_has_its_prometheus_text),
        cmocka_unit_test(the_same_labels_are_the_same_metric),
        cmocka_unit_test(the_process_tells_of_itself),
        cmocka_unit_test(threads_lose_no_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
