/* Files of banks: what is written can be read back, and what is wrong is named. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/io/ids.h"
#include "ops/cardctl/bank_file.h"
#include "ops/cardctl/bank_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY "000102030405060708090a0b0c0d0e0f"
#define APP "00010203-0405-8607-8809-0a0b0c0d0e0f"
#define CARD "B00000019"
#define HEADER                                                                                     \
    "no,bank_code,type,routing_key,application_id,batch_id,line_no,card_no,reason,at,fee_type,"    \
    "fee_amount,notice_id,password_kind,tries\r\n"
#define AT "2026-03-02T10:00:00+08:00"
#define SHIPPED(no) no ",B01,shipped," KEY "," APP ",,1,,," AT ",,,,,\r\n"

static void fields_are_quoted_and_cannot_be_calculated(void **state)
{
    (void)state;
    static const struct {
        const char *in, *want;
    } rows[] = {
        {"",             "\r\n"                  },
        {"张伟",         "张伟\r\n"              },
        {"a,b",          "\"a,b\"\r\n"           },
        {"say \"no\"",   "\"say \"\"no\"\"\"\r\n"},
        {"two\nlines",   "\"two\nlines\"\r\n"    },
        {" blank ",      "\" blank \"\r\n"       },
        {"=1+1",         "'=1+1\r\n"             },
        {"+8619900001729", "'+8619900001729\r\n" },
        {"-1",           "'-1\r\n"               },
        {"@SUM(A1)",     "'@SUM(A1)\r\n"         },
        {"\tx",          "'\tx\r\n"              },
        {"=\"a\",1",     "\"'=\"\"a\"\",1\"\r\n" },
        {"'=1",          "''=1\r\n"              },
        {"'quoted'",     "''quoted'\r\n"         },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_buf b;
        cf_buf_init(&b, 1024);
        bank_csv_field(&b, cf_str_of(rows[i].in), true);
        assert_true(cf_str_is(cf_buf_str(&b), rows[i].want));
        cf_buf_free(&b);
    }
}

static void what_was_made_harmless_comes_back_as_it_was(void **state)
{
    (void)state;
    static const char *const fields[] = {"=1", "+1", "-1", "@a", "\ta", "'=1", "''", "'", "a'b", "",
                                         "'quoted'"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct cf_buf b;
        cf_buf_init(&b, 1024);
        bank_csv_field(&b, cf_str_of(fields[i]), false);
        struct cf_str back = bank_csv_plain((struct cf_str){b.ptr, b.len - 1});
        assert_true(cf_str_is(back, fields[i]));
        cf_buf_free(&b);
    }
    assert_true(cf_str_is(bank_csv_plain(CF_STR("'plain")), "'plain"));
}

static void codes_that_could_leave_the_folder_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "../B01", "B 1", "B01.csv", "123456789012345678901"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(bank_code_good(cf_str_of(bad[i])));
    assert_true(bank_code_good(CF_STR("B01")) && bank_code_good(CF_STR("a_b-9")));
}

/* ---- manifests ----------------------------------------------------------------------------- */

static void a_manifest_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct cf_arena *a = cf_arena_new(1 << 20);
    struct bank_manifest m = {"orders", "B01", "orders-B01-1.csv", 7, {1, 2, 3}}, back;
    struct bank_faults f = {0};
    struct cf_buf b;
    cf_buf_init(&b, 4096);
    bank_manifest_write(&b, &m);
    assert_true(bank_manifest_read(cf_buf_str(&b), a, &back, &f));
    assert_memory_equal(&m, &back, sizeof m);
    cf_buf_free(&b);
    cf_arena_free(a);
}

static void a_manifest_says_what_is_wrong_with_it(void **state)
{
    (void)state;
    static const struct {
        const char *json, *column;
    } rows[] = {
        {"{\"what\":",                                         "manifest" },
        {"{}",                                                 "what"     },
        {"{\"what\":\"results\",\"bank_code\":\"B01\",\"file\":\"a.csv\",\"lines\":-1,"
         "\"sha256\":\"00\"}",                                 "lines"    },
        {"{\"what\":\"results\",\"bank_code\":5,\"file\":\"a.csv\",\"lines\":1}", "bank_code"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_arena *a = cf_arena_new(1 << 20);
        struct bank_manifest m;
        struct bank_faults f = {0};
        assert_false(bank_manifest_read(cf_str_of(rows[i].json), a, &m, &f));
        print_message("%s\n", rows[i].json);
        assert_true(f.n > 0);
        assert_string_equal(f.list[0].column, rows[i].column);
        cf_arena_free(a);
    }
}

/* ---- results ------------------------------------------------------------------------------- */

struct read {
    struct cf_arena *arena;
    struct bank_result_line *lines;
    size_t n;
    struct bank_faults faults;
};

static bool read_as(struct read *r, const char *csv, struct bank_manifest m)
{
    *r = (struct read){.arena = cf_arena_new(8 << 20)};
    return bank_results_read(cf_str_of(csv), &m, CF_STR("B01"), r->arena, &r->lines, &r->n,
                             &r->faults);
}

static struct bank_manifest manifest_of(const char *csv, unsigned lines)
{
    struct bank_manifest m = {"results", "B01", "r.csv", lines, {0}};
    cf_sha256(cf_str_of(csv), m.sha256);
    return m;
}

static void every_type_of_result_is_read(void **state)
{
    (void)state;
    const char *text = HEADER "1,B01,account_opened," KEY "," APP "," APP ",3,,," AT ",,,,,\r\n"
                             "2,B01,produced," KEY "," APP ",,," CARD ",," AT ",card,12.5,,,\r\n"
                             "3,B01,account_failed," KEY "," APP ",,,,\"no, never\"," AT ",,,,,\r\n"
                             "4,B01,notice_acknowledged," KEY ",,,,,," AT ",,," APP ",,\r\n"
                             "5,B01,password_wrong," KEY ",,,," CARD ",," AT ",,,,financial,6\r\n";
    struct read r;
    bool good = read_as(&r, text, manifest_of(text, 5));
    for (size_t i = 0; i < r.faults.n; i++)
        print_message("%u %s %s\n", r.faults.list[i].line, r.faults.list[i].column,
                      r.faults.list[i].rule);
    assert_true(good);
    assert_int_equal(r.n, 5);
    assert_int_equal(r.lines[0].line_no, 3);
    assert_int_equal(r.lines[0].routing_key[15], 15);
    assert_int_equal(r.lines[0].line, 2);
    assert_int_equal(r.lines[1].fee_cents, 1250);
    assert_true(cf_str_is(r.lines[1].card_no, CARD));
    assert_true(cf_str_is(r.lines[2].reason, "no, never"));
    assert_int_equal(r.lines[3].notice_id[15], 15);
    assert_int_equal(r.lines[4].tries, 6);
    cf_arena_free(r.arena);
}

/* Each line alone, behind the header. */
static void a_wrong_line_is_named_with_its_column(void **state)
{
    (void)state;
    static const struct {
        const char *line, *column;
    } rows[] = {
        {"2,B01,shipped," KEY "," APP ",,1,,," AT ",,,,,\r\n",              "no"            },
        {"1,B02,shipped," KEY "," APP ",,1,,," AT ",,,,,\r\n",              "bank_code"     },
        {"1,B01,lost," KEY "," APP ",,1,,," AT ",,,,,\r\n",                 "type"          },
        {"1,B01,shipped,1.23E+31," APP ",,1,,," AT ",,,,,\r\n",             "routing_key"   },
        {"1,B01,shipped," KEY ",,,1,,," AT ",,,,,\r\n",                     "application_id"},
        {"1,B01,shipped," KEY ",17,,1,,," AT ",,,,,\r\n",                   "application_id"},
        {"1,B01,shipped," KEY "," APP ",x,1,,," AT ",,,,,\r\n",             "batch_id"      },
        {"1,B01,shipped," KEY "," APP ",,1e3,,," AT ",,,,,\r\n",            "line_no"       },
        {"1,B01,produced," KEY "," APP ",,1,B00000018,," AT ",,,,,\r\n",    "card_no"       },
        {"1,B01,produced," KEY "," APP ",,1,,," AT ",,,,,\r\n",             "card_no"       },
        {"1,B01,failed," KEY "," APP ",,1,,," AT ",,,,,\r\n",               "reason"        },
        {"1,B01,shipped," KEY "," APP ",,1,,,2026/3/2,,,,,\r\n",            "at"            },
        {"1,B01,shipped," KEY "," APP ",,1,,," AT ",card,1.005,,,\r\n",     "fee_amount"    },
        {"1,B01,shipped," KEY "," APP ",,1,,," AT ",card,-1,,,\r\n",        "fee_amount"    },
        {"1,B01,notice_acknowledged," KEY ",,,,,," AT ",,,,,\r\n",          "notice_id"     },
        {"1,B01,password_wrong," KEY ",,,," CARD ",," AT ",,,,pin,6\r\n",   "password_kind" },
        {"1,B01,password_wrong," KEY ",,,," CARD ",," AT ",,,,financial,\r\n", "tries"      },
        {"1,B01,shipped," KEY "," APP "\r\n",                               "line"          },
        {"1,B01,\"shipped," KEY "," APP ",,1,,," AT ",,,,,\r\n",            "line"          },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        struct read r;
        snprintf(text, sizeof text, HEADER "%s", rows[i].line);
        print_message("%s\n", rows[i].line);
        assert_false(read_as(&r, text, manifest_of(text, 1)));
        assert_int_equal(r.faults.n, 1);
        assert_string_equal(r.faults.list[0].column, rows[i].column);
        assert_int_equal(r.faults.list[0].line, 2);
        cf_arena_free(r.arena);
    }
}

static void a_file_that_is_not_the_one_of_its_manifest_is_refused(void **state)
{
    (void)state;
    const char *csv = HEADER SHIPPED("1") SHIPPED("2");
    struct bank_manifest good = manifest_of(csv, 2);
    struct bank_manifest other_bank = good, orders = good, count = good;
    snprintf(other_bank.bank, sizeof other_bank.bank, "B02");
    snprintf(orders.what, sizeof orders.what, "orders");
    count.lines = 3;
    const struct {
        const char *why, *csv;
        struct bank_manifest m;
        const char *column;
    } rows[] = {
        {"a byte was changed", HEADER SHIPPED("1") "2,B01,arrived," KEY "," APP ",,1,,," AT
                               ",,,,,\r\n",                        good,                 "sha256"   },
        {"broken off in its last line", HEADER SHIPPED("1") "2,B01,shi", good,           "sha256"   },
        {"reordered", HEADER SHIPPED("2") SHIPPED("1"),            good,                 "sha256"   },
        {"reordered, with a manifest of its own", HEADER SHIPPED("2") SHIPPED("1"),
         manifest_of(HEADER SHIPPED("2") SHIPPED("1"), 2),                               "no"       },
        {"a line twice", HEADER SHIPPED("1") SHIPPED("1"),
         manifest_of(HEADER SHIPPED("1") SHIPPED("1"), 2),                               "no"       },
        {"another bank's", csv,                                    other_bank,           "bank_code"},
        {"orders",      csv,                                       orders,               "what"     },
        {"wrong count", csv,                                       count,                "lines"    },
        {"empty",       "",                                        manifest_of("", 0),   "header"   },
        {"other columns", "no,type\r\n1,shipped\r\n",
         manifest_of("no,type\r\n1,shipped\r\n", 1),                                     "header"   },
        {"not UTF-8", HEADER "1,B01,failed,\xff\r\n",
         manifest_of(HEADER "1,B01,failed,\xff\r\n", 1),                                 "file"     },
    };
    struct read r;
    assert_true(read_as(&r, csv, good));
    cf_arena_free(r.arena);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].why);
        assert_false(read_as(&r, rows[i].csv, rows[i].m));
        assert_true(r.faults.n > 0);
        assert_string_equal(r.faults.list[0].column, rows[i].column);
        assert_true(r.faults.list[0].rule && r.faults.list[0].cure);
        cf_arena_free(r.arena);
    }
}

/* ---- the folder ------------------------------------------------------------------------------ */

static void clean(const char *dir)
{
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
    closedir(d);
    assert_int_equal(rmdir(dir), 0);
}

static void text_of(const char *dir, const char *name, char *to, size_t max)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    *to = 0;
    if (!f) return;
    to[fread(to, 1, max - 1, f)] = 0;
    fclose(f);
}

static void a_file_is_given_once_even_when_the_bank_takes_it_away(void **state)
{
    (void)state;
    char dir[] = "/tmp/bank-folder-XXXXXX", path[512], text[512];
    struct bank_folder f;
    struct bank_manifest m = {"orders", "B01", "orders-B01-1.csv", 1, {0}};
    assert_non_null(mkdtemp(dir));
    assert_true(bank_folder_open(&f, dir, CF_STR("B01")));
    assert_true(bank_folder_give(&f, &m, CF_STR("line\r\n")));
    text_of(dir, "orders-B01-1.csv", text, sizeof text);
    assert_string_equal(text, "line\r\n");
    text_of(dir, "orders-B01-1.manifest.json", text, sizeof text);
    assert_non_null(strstr(text, "\"lines\":1"));
    snprintf(path, sizeof path, "%s/orders-B01-1.csv", dir);
    assert_int_equal(unlink(path), 0);
    assert_true(bank_folder_give(&f, &m, CF_STR("line\r\n")));
    text_of(dir, "orders-B01-1.csv", text, sizeof text);
    assert_string_equal(text, "");
    bank_folder_close(&f);
    clean(dir);
}

static void what_broke_off_between_its_steps_is_finished(void **state)
{
    (void)state;
    char dir[] = "/tmp/bank-folder-XXXXXX", path[512], part[512], text[512];
    struct bank_folder f;
    struct bank_manifest m = {"orders", "B01", "orders-B01-1.csv", 1, {0}};
    assert_non_null(mkdtemp(dir));
    assert_true(bank_folder_open(&f, dir, CF_STR("B01")));
    assert_true(bank_folder_give(&f, &m, CF_STR("line\r\n")));
    /* As it stood when it was entered in the list and not shown yet. */
    snprintf(path, sizeof path, "%s/orders-B01-1.manifest.json", dir);
    snprintf(part, sizeof part, "%s/.orders-B01-1.manifest.json.part", dir);
    assert_int_equal(rename(path, part), 0);
    assert_true(bank_folder_give(&f, &m, CF_STR("line\r\n")));
    text_of(dir, "orders-B01-1.manifest.json", text, sizeof text);
    assert_non_null(strstr(text, "\"lines\":1"));
    bank_folder_close(&f);
    clean(dir);
}

static void one_command_at_a_time_has_the_folder(void **state)
{
    (void)state;
    char dir[] = "/tmp/bank-folder-XXXXXX";
    struct bank_folder one, two;
    assert_non_null(mkdtemp(dir));
    assert_true(bank_folder_open(&one, dir, CF_STR("B01")));
    assert_false(bank_folder_open(&two, dir, CF_STR("B01")));
    bank_folder_close(&two);
    assert_true(bank_folder_open(&two, dir, CF_STR("B02")));
    bank_folder_close(&two);
    bank_folder_close(&one);
    clean(dir);
}

static void a_list_knows_content_and_name(void **state)
{
    (void)state;
    char dir[] = "/tmp/bank-folder-XXXXXX";
    struct bank_folder f;
    struct bank_manifest m = {"results", "B01", "r.csv", 1, {7}};
    const uint8_t other[32] = {8};
    assert_non_null(mkdtemp(dir));
    assert_true(bank_folder_open(&f, dir, CF_STR("B01")));
    assert_int_equal(bank_folder_known(&f, "taken", "r.csv", m.sha256), BANK_NEW);
    assert_true(bank_folder_enter(&f, "taken", &m));
    assert_int_equal(bank_folder_known(&f, "taken", "other.csv", m.sha256), BANK_SAME_CONTENT);
    assert_int_equal(bank_folder_known(&f, "taken", "r.csv", other), BANK_SAME_NAME);
    assert_int_equal(bank_folder_known(&f, "taken", "xr.csv", other), BANK_NEW);
    assert_int_equal(bank_folder_known(&f, "given", "r.csv", m.sha256), BANK_NEW);
    bank_folder_close(&f);
    clean(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_quoted_and_cannot_be_calculated),
        cmocka_unit_test(what_was_made_harmless_comes_back_as_it_was),
        cmocka_unit_test(codes_that_could_leave_the_folder_are_refused),
        cmocka_unit_test(a_manifest_is_read_as_it_was_written),
        cmocka_unit_test(a_manifest_says_what_is_wrong_with_it),
        cmocka_unit_test(every_type_of_result_is_read),
        cmocka_unit_test(a_wrong_line_is_named_with_its_column),
        cmocka_unit_test(a_file_that_is_not_the_one_of_its_manifest_is_refused),
        cmocka_unit_test(a_file_is_given_once_even_when_the_bank_takes_it_away),
        cmocka_unit_test(what_broke_off_between_its_steps_is_finished),
        cmocka_unit_test(one_command_at_a_time_has_the_folder),
        cmocka_unit_test(a_list_knows_content_and_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
