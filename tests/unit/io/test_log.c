/* log: one line of JSON for one fact, and no personal data in it. */
#include "common/io/log.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static int pipes[2];

static int open_pipe(void **state)
{
    (void)state;
    if (pipe(pipes) != 0) return -1;
    fcntl(pipes[1], F_SETPIPE_SZ, 1 << 20);
    cf_log_fd(pipes[1]);
    cf_log_service("cardflow-test");
    cf_log_level_set(LOG_INFO);
    return 0;
}

static int close_pipe(void **state)
{
    (void)state;
    cf_log_fd(STDOUT_FILENO);
    close(pipes[0]);
    close(pipes[1]);
    return 0;
}

/* What was logged since, parsed; the caller frees it. */
static json_t *line(char *raw, size_t size)
{
    ssize_t n = read(pipes[0], raw, size - 1);
    assert_true(n > 0);
    raw[n] = 0;
    assert_int_equal(raw[n - 1], '\n');
    json_error_t e;
    json_t *o = json_loads(raw, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
    if (!o) fail_msg("%s in %s", e.text, raw);
    return o;
}

static const char *text(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s ? s : "(none)";
}

static void a_line_has_the_fields_of_ecs_and_ours(void **state)
{
    (void)state;
    char raw[9000];
    struct cf_str ref = {"abcdef", 3};
    bool first = true;
    cf_log(LOG_INFO, "card.activated", F("card_ref", ref), F("took_ms", 12), F("big", 1ull << 62),
           F("low", -5L), F("ratio", 0.5), F("first", first), F("why", "a \"quoted\"\n\\ text"),
           F("nothing", (const char *)NULL));
    json_t *o = line(raw, sizeof raw);
    assert_string_equal(text(o, "log.level"), "info");
    assert_string_equal(text(o, "service.name"), "cardflow-test");
    assert_string_equal(text(o, "event.action"), "card.activated");
    assert_int_equal(strlen(text(o, "@timestamp")), strlen("2026-01-01T00:00:00.000Z"));
    assert_string_equal(text(o, "card_ref"), "abc");
    assert_string_equal(text(o, "why"), "a \"quoted\"\n\\ text");
    assert_int_equal(json_integer_value(json_object_get(o, "took_ms")), 12);
    assert_int_equal(json_integer_value(json_object_get(o, "low")), -5);
    assert_non_null(strstr(raw, "\"big\":4611686018427387904"));
    assert_true(json_is_true(json_object_get(o, "first")));
    assert_true(json_is_null(json_object_get(o, "nothing")));
    json_decref(o);
}

static void personal_data_is_masked_whatever_it_holds(void **state)
{
    (void)state;
    char raw[9000];
    struct cf_pii name = {CF_STR("\xE5\xBC\xA0\xE4\xB8\x89")};
    cf_log(LOG_ERROR, "holder.seen", F("name", name), F("n", 1));
    json_t *o = line(raw, sizeof raw);
    assert_string_equal(text(o, "name"), "***");
    assert_null(strstr(raw, name.v.ptr));
    json_decref(o);
}

static void bytes_that_are_no_utf8_leave_the_line_json(void **state)
{
    (void)state;
    char raw[9000];
    struct cf_str bad = {"a\xFF\xC3(\x01\0z", 7};
    cf_log(LOG_WARN, "record.bad", F("bytes", bad));
    json_t *o = line(raw, sizeof raw);
    assert_non_null(strstr(raw, "a\xEF\xBF\xBD\xEF\xBF\xBD(\\u0001\\u0000z"));
    json_decref(o);
}

static void a_line_that_is_too_long_is_cut_and_stays_json(void **state)
{
    (void)state;
    static char much[30000];
    char raw[20000];
    /* Every length around the limit, so that each place where a cut can fall is met. */
    for (size_t n = CF_LOG_LINE - 400; n < CF_LOG_LINE + 40; n++) {
        memset(much, n % 3 ? 'x' : '"', n);
        struct cf_str s = {much, n % 3 ? n : n / 2};
        cf_log(LOG_INFO, "a.b", F("much", s), F("after", 7), F("also", "text"));
        json_t *o = line(raw, sizeof raw);
        assert_true(strlen(raw) <= CF_LOG_LINE);
        bool whole = json_string_length(json_object_get(o, "much")) == s.len &&
                     json_object_get(o, "after") && json_object_get(o, "also");
        if (whole == (json_object_get(o, "cut") != NULL))
            fail_msg("length %zu: whole %d but cut says otherwise", n, whole);
        json_decref(o);
    }
}

static void below_the_level_nothing_is_written(void **state)
{
    (void)state;
    char raw[9000];
    enum cf_log_level level;
    cf_log(LOG_DEBUG, "not.this");
    assert_true(cf_log_level_parse(CF_STR("debug"), &level));
    cf_log_level_set(level);
    cf_log(LOG_DEBUG, "but.this");
    json_t *o = line(raw, sizeof raw);
    assert_string_equal(text(o, "event.action"), "but.this");
    json_decref(o);
    assert_false(cf_log_level_parse(CF_STR("INFO"), &level));
}

static void *chatter(void *arg)
{
    for (int i = 0; i < 500; i++)
        cf_log(LOG_INFO, "thread.said", F("i", i), F("who", (const char *)arg));
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    pthread_t a, b;
    char name_a[] = "a", name_b[] = "b";
    char *raw = malloc(1 << 20);
    assert_non_null(raw);
    pthread_create(&a, NULL, chatter, name_a);
    pthread_create(&b, NULL, chatter, name_b);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    size_t have = 0, lines = 0;
    fcntl(pipes[0], F_SETFL, O_NONBLOCK);
    for (ssize_t n; (n = read(pipes[0], raw + have, (1 << 20) - 1 - have)) > 0;)
        have += (size_t)n;
    raw[have] = 0;
    for (char *p = strtok(raw, "\n"); p; p = strtok(NULL, "\n"), lines++) {
        json_t *o = json_loads(p, 0, NULL);
        if (!o) fail_msg("not JSON: %s", p);
        json_decref(o);
    }
    assert_int_equal(lines, 1000);
    free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_the_fields_of_ecs_and_ours, open_pipe,
                                        close_pipe),
        cmocka_unit_test_setup_teardown(personal_data_is_masked_whatever_it_holds, open_pipe,
                                        close_pipe),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_utf8_leave_the_line_json, open_pipe,
                                        close_pipe),
        cmocka_unit_test_setup_teardown(a_line_that_is_too_long_is_cut_and_stays_json, open_pipe,
                                        close_pipe),
        cmocka_unit_test_setup_teardown(below_the_level_nothing_is_written, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(lines_of_threads_do_not_mix, open_pipe, close_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
