/* The asker is not made for an address that is none. */
#include "services/complaint-handling/ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/io/log.h"

static void an_address_that_is_none_is_told(void **state)
{
    static const struct {
        const char *url;
        bool good;
    } rows[] = {
        {"http://127.0.0.1:1", true },
        {"inquiry",            false},
        {"ftp://inquiry:80",   false},
        {"http://",            false},
    };
    (void)state;
    cf_log_fd(-1);
    struct cf_loop *loop = cf_loop_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct complaint_ask_conf conf = {rows[i].url, "key", 1000, 1};
        struct complaint_asker *asker = NULL;
        int e = complaint_asker_new(loop, NULL, &conf, &asker);
        if ((e == 0) != rows[i].good) fail_msg("%s: %d", rows[i].url, e);
        assert_int_equal(asker != NULL, rows[i].good);
        complaint_asker_free(asker);
    }
    cf_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_that_is_none_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
