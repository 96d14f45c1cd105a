/* Photos as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "services/intake/photos.h"

static void base64_is_read_to_the_byte_or_not_at_all(void **state)
{
    static const struct {
        const char *why, *text, *want; /* want NULL: not base64 */
    } cases[] = {
        {"three bytes",           "YWJj",     "abc"  },
        {"one byte of padding",   "YWJjZGU=", "abcde"},
        {"two bytes of padding",  "YWJjZA==", "abcd" },
        {"nothing",               "",         NULL   },
        {"no padding",            "YWJjZA",   NULL   },
        {"an unknown character",  "YW*j",     NULL   },
        {"the alphabet of URLs",  "_-__",     NULL   },
        {"words",                 "no photo at all!", NULL},
    };
    struct cf_arena *a = cf_arena_new(1 << 16);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cf_str out = {NULL, 0};
        bool good = intake_photo_decode(a, cf_str_of(cases[i].text), &out);
        if (good != (cases[i].want != NULL)) fail_msg("%s", cases[i].why);
        if (good && !cf_str_is(out, cases[i].want)) fail_msg("%s", cases[i].why);
    }
    cf_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(base64_is_read_to_the_byte_or_not_at_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
