/* paper: its lines, and what the headers of a request ask for. */
#include "common/io/paper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* On a copy of exactly its length, so that a sanitizer sees any byte read behind it. */
static bool accepts(const char *header, const char *word)
{
    size_t n = strlen(header);
    char *exact = cf_malloc(n ? n : 1);
    memcpy(exact, header, n);
    size_t at = cf_accept_place((struct cf_str){exact, n}, word);
    free(exact);
    return at < n;
}

static void what_is_accepted_is_named_and_not_refused(void **state)
{
    static const struct {
        const char *header;
        bool want;
    } rows[] = {
        {"",                                          false},
        {"*/*",                                       false},
        {"application/json",                          false},
        {"application/pdf",                           true },
        {"Application/PDF",                           true },
        {"text/html, application/pdf;q=0.5",          true },
        {"application/pdf;q=0",                       false},
        {"application/pdf; q=0.000",                  false},
        {"application/pdf;q=0.001",                   true },
        {"application/pdf;q=0, application/json",     false},
        {"application/json;q=0, application/pdf",     true },
        {"application/pdf, application/json;q=0",     true },
        {"application/pd",                            false},
        {"x-application/pdf",                         false},
        {"application/pdf;q=",                        true },
        {"application/pdf;q",                         true },
        {"application/pdf;",                          true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (accepts(rows[i].header, CF_PDF) != rows[i].want) print_error("%s\n", rows[i].header);
        assert_int_equal(accepts(rows[i].header, CF_PDF), rows[i].want);
    }
}

static void a_paper_is_lines_that_no_value_can_break(void **state)
{
    struct cf_paper p;
    (void)state;
    cf_paper_begin(&p, CF_LANG_EN, "voucher", (struct cf_both){"凭证", "Voucher"},
                   CF_STR("V123456789013"));
    cf_paper_field(&p, (struct cf_both){"网点", "Outlet"}, CF_STR("a\nQforged\tb"));
    cf_paper_field(&p, (struct cf_both){"无", "None"}, (struct cf_str){0});
    cf_paper_day(&p, (struct cf_both){"日", "Day"}, 0);
    cf_paper_day(&p, (struct cf_both){"日", "Day"}, 1);
    assert_true(cf_str_is(cf_buf_str(&p.text), "Len\nTVoucher\nNV123456789013\n"
                                               "Qvoucher:V123456789013\n"
                                               "FOutlet\ta Qforged b\n"
                                               "FDay\t1970-01-02\n"));
    cf_paper_free(&p);
}

static void a_reason_is_told_in_the_paper_s_language(void **state)
{
    struct cf_paper p;
    (void)state;
    cf_paper_begin(&p, CF_LANG_ZH, "notice", (struct cf_both){"告知单", "Notice"}, CF_STR("N1"));
    cf_buf_reset(&p.text);
    cf_paper_reason(&p, 1, CF_STR("missing_phone"), 1);
    assert_true(cf_str_is(cf_buf_str(&p.text),
                          "H1. 未填写手机号\nF代码\tmissing_phone\nF办法\t请提供手机号\n"
                          "F所需材料\t本人在用的手机号\nF办理程序\t向原受理渠道补充手机号\n"
                          "F补正期限\t1970年1月2日\n"));
    cf_buf_reset(&p.text);
    cf_paper_reason(&p, 2, CF_STR("no_such_code"), 1);
    assert_true(cf_str_is(cf_buf_str(&p.text), "Hno_such_code\n"));
    cf_paper_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_accepted_is_named_and_not_refused),
        cmocka_unit_test(a_paper_is_lines_that_no_value_can_break),
        cmocka_unit_test(a_reason_is_told_in_the_paper_s_language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
