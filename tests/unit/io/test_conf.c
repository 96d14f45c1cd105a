/* conf: how a program declares its settings, and what it hears when they are wrong. */
#include "common/io/conf.h"
#include "common/io/log.h"
#include "common/pure/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

/* The program of this test: the rows of conf.def would stand in a file of their own. */
#define OWN_ROWS                                                                                   \
    CONF(STR, police_url, NULL, 8, 500, "base address of the police photo gateway")                \
    CONF(MS, police_timeout, "3s", 10, 60000, "a call is given up after this long")                \
    CONF(BOOL, quiet_hours, "true", 0, 0, "nobody hears of anything at night")                     \
    CONF(SECRET, sms_token, "", 0, 40, "token of the SMS gateway")

struct settings {
#define CONF CF_CONF_FIELD
#include "common/io/conf_common.def"
    OWN_ROWS
#undef CONF
};

static const struct cf_conf_row rows[] = {
#define CONF(...) CF_CONF_ROW(struct settings, __VA_ARGS__)
#include "common/io/conf_common.def"
    OWN_ROWS
#undef CONF
};

static const struct cf_conf_table table = {"cardflow-test", "tests settings", rows,
                                           sizeof rows / sizeof *rows, sizeof(struct settings)};

#define NEEDED                                                                                     \
    "CARDFLOW_POSTGRES_DSN=dbname=x", "CARDFLOW_REFERENCE_KEY_FILE=r",                             \
        "CARDFLOW_SEALING_KEY_FILE=s", "CARDFLOW_API_KEYS_FILE=a", "CARDFLOW_CALENDAR_FILE=c",     \
        "CARDFLOW_POLICIES_FILE=p",                                                                \
        "CARDFLOW_POLICE_URL=http://127.0.0.1:1"

struct run {
    enum cf_conf_end end;
    struct settings s;
    char *out, *err;
};

static struct run load(const char *const *args, const char *const *env)
{
    struct run r = {.end = CF_CONF_WRONG};
    char *argv[20] = {strdup("program")}, *envp[30] = {0};
    size_t n = 0, m = 1, size;
    for (; args && *args; args++)
        argv[m++] = strdup(*args);
    for (; env && *env; env++)
        envp[n++] = strdup(*env);
    FILE *out = open_memstream(&r.out, &size), *err = open_memstream(&r.err, &size);
    r.end = cf_conf_load(&table, &r.s, (int)m, argv, envp, out, err);
    fclose(out);
    fclose(err);
    while (m)
        free(argv[--m]);
    while (n)
        free(envp[--n]);
    return r;
}

static void done(struct run *r)
{
    if (r->end == CF_CONF_RUN) cf_conf_free(&table, &r->s);
    free(r->out);
    free(r->err);
}

static void flags_win_over_variables_and_variables_over_defaults(void **state)
{
    (void)state;
    const char *args[] = {"--police-timeout", "1m", "--quiet-hours=false", NULL};
    const char *env[] = {NEEDED, "CARDFLOW_POLICE_TIMEOUT=50ms", "CARDFLOW_BATCH_MAX=7", NULL};
    struct run r = load(args, env);
    assert_string_equal(r.err, "");
    assert_int_equal(r.end, CF_CONF_RUN);
    assert_int_equal(r.s.police_timeout, 60000);
    assert_false(r.s.quiet_hours);
    assert_int_equal(r.s.batch_max, 7);
    assert_int_equal(r.s.partitions, 16);
    assert_string_equal(r.s.kafka_brokers, "127.0.0.1:9092");
    done(&r);
}

static void the_common_part_is_read_by_those_who_know_no_program(void **state)
{
    (void)state;
    const char *env[] = {NEEDED, "CARDFLOW_PARTITIONS=4", NULL};
    struct run r = load(NULL, env);
    struct cf_conf_common common;
    assert_int_equal(r.end, CF_CONF_RUN);
    assert_true(cf_conf_common(&table, &r.s, &common));
    assert_int_equal(common.partitions, 4);
    assert_string_equal(common.postgres_dsn, "dbname=x");
    assert_int_equal(common.stage_member_timeout_ms, 5000);
    struct cf_conf_table shifted = table;
    shifted.rows++;
    shifted.n--;
    assert_false(cf_conf_common(&shifted, &r.s, &common));
    done(&r);
}

static void everything_wrong_is_named_at_once_with_rule_and_cure(void **state)
{
    (void)state;
    const char *args[] = {"--partitions", "0", "--police-timeout", "3 s", "--no-such", "1", NULL};
    const char *env[] = {"CARDFLOW_QUIET_HOURS=perhaps", "CARDFLOW_BATCH_MAX=99999999999999999999",
                         NULL};
    static const char *const want[] = {
        ("setting partitions: must be a whole number from 1 to 256; set --partitions or "
         "CARDFLOW_PARTITIONS"),
        "setting police_timeout: must be a time from 10ms to 60000ms",
        "setting quiet_hours: must be true or false",
        "setting batch_max: must be a whole number",
        "setting police_url: must be set and has no default",
        "setting postgres_dsn: must be set",
        "--no-such: no such setting"};
    struct run r = load(args, env);
    assert_int_equal(r.end, CF_CONF_WRONG);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (!strstr(r.err, want[i])) fail_msg("missing: %s\nin: %s", want[i], r.err);
    done(&r);
}

static void numbers_are_whole_and_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *setting;
        bool good;
    } cases[] = {
        {"CARDFLOW_BATCH_MAX=1",                         true },
        {"CARDFLOW_BATCH_MAX=10000",                     true },
        {"CARDFLOW_BATCH_MAX=10001",                     false},
        {"CARDFLOW_BATCH_MAX=",                          false},
        {"CARDFLOW_BATCH_MAX= 5",                        false},
        {"CARDFLOW_BATCH_MAX=5x",                        false},
        {"CARDFLOW_BATCH_MAX=-5",                        false},
        {"CARDFLOW_POLICE_TIMEOUT=1m",                   true },
        {"CARDFLOW_POLICE_TIMEOUT=1h",                   false},
        {"CARDFLOW_POLICE_TIMEOUT=9",                    false},
        {"CARDFLOW_POLICE_TIMEOUT=s",                    false},
        {"CARDFLOW_POLICE_URL=short",                    false},
        {"CARDFLOW_QUIET_HOURS=no",                      true },
        {"CARDFLOW_QUIET_HOURS=NO",                      false},
        {"CARDFLOW_POLICE_TIMEOUT=9223372036854775807h", false}
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *env[] = {cases[i].setting, NEEDED, NULL};
        struct run r = load(NULL, env);
        if ((r.end == CF_CONF_RUN) != cases[i].good)
            fail_msg("%s: end %d\n%s", cases[i].setting, r.end, r.err);
        done(&r);
    }
}

static void a_secret_comes_from_a_file_and_is_never_shown(void **state)
{
    (void)state;
    char path[] = "/tmp/cardflow-conf-XXXXXX", variable[100];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hunter-twelve\n", 14), 14);
    close(fd);
    snprintf(variable, sizeof variable, "CARDFLOW_SMS_TOKEN_FILE=%s", path);
    const char *env[] = {NEEDED, variable, NULL};
    struct run r = load(NULL, env);
    assert_int_equal(r.end, CF_CONF_RUN);
    assert_string_equal(r.s.sms_token, "hunter-twelve");

    int pipes[2];
    char dump[8192] = "";
    assert_int_equal(pipe(pipes), 0);
    cf_log_fd(pipes[1]);
    cf_conf_log(&table, &r.s);
    cf_log_fd(STDOUT_FILENO);
    assert_true(read(pipes[0], dump, sizeof dump - 1) > 0);
    close(pipes[0]);
    close(pipes[1]);
    assert_null(strstr(dump, "hunter"));
    assert_null(strstr(dump, "dbname=x"));
    assert_non_null(strstr(dump, "\"sms_token\":\"***\""));
    assert_non_null(strstr(dump, "\"police_timeout\":3000"));
    done(&r);

    /* Too long for its rule: named, not shown. */
    FILE *f = fopen(path, "w");
    fputs("a-very-long-secret-a-very-long-secret-a-very-long-secret", f);
    fclose(f);
    r = load(NULL, env);
    assert_int_equal(r.end, CF_CONF_WRONG);
    assert_non_null(strstr(r.err, "sms_token"));
    assert_null(strstr(r.err, "very-long"));
    done(&r);
    unlink(path);
    r = load(NULL, env);
    assert_int_equal(r.end, CF_CONF_WRONG);
    assert_non_null(strstr(r.err, "its file cannot be read"));
    done(&r);
}

static void help_shows_every_setting(void **state)
{
    (void)state;
    const char *plain[] = {"--help", NULL}, *markdown[] = {"--help-markdown", NULL};
    struct run a = load(plain, NULL), b = load(markdown, NULL);
    assert_int_equal(a.end, CF_CONF_EXIT);
    assert_int_equal(b.end, CF_CONF_EXIT);
    for (size_t i = 0; i < table.n; i++) {
        assert_non_null(strstr(a.out, rows[i].help));
        assert_non_null(strstr(b.out, rows[i].help));
    }
    assert_non_null(strstr(a.out, "--police-timeout <time>"));
    assert_non_null(strstr(a.out, "CARDFLOW_SMS_TOKEN, or CARDFLOW_SMS_TOKEN_FILE"));
    assert_non_null(strstr(b.out, "| `--police-url` | `CARDFLOW_POLICE_URL` |"));
    done(&a);
    done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_win_over_variables_and_variables_over_defaults),
        cmocka_unit_test(the_common_part_is_read_by_those_who_know_no_program),
        cmocka_unit_test(everything_wrong_is_named_at_once_with_rule_and_cure),
        cmocka_unit_test(numbers_are_whole_and_bounded),
        cmocka_unit_test(a_secret_comes_from_a_file_and_is_never_shown),
        cmocka_unit_test(help_shows_every_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
