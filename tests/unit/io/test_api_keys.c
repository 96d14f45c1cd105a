/* api_keys: who may what, and a file that is wrong says where. */
#include "common/io/api_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* SHA-256 of "the-school-key-0001" */
#define SCHOOL_HASH "663174df03bb001ec747867a205163329cc6d905b181072bb8b85655e9197331"

static void a_key_names_its_client(void **state)
{
    (void)state;
    struct cf_api_keys *k = NULL;
    char why[200] = "";
    int e = cf_api_keys_parse(
        CF_STR("[{\"name\":\"bank\",\"key\":\"bank-key-0123456789\",\"scopes\":[\"a:read\"],"
               "\"channels\":[\"bank_outlet\"]},"
               "{\"name\":\"admin\",\"key\":\"admin-key-0123456789\",\"scopes\":[\"*\"],"
               "\"may_backdate\":true},"
               "{\"name\":\"school\",\"key_sha256\":\"" SCHOOL_HASH "\",\"scopes\":[]}]"),
        &k, why);
    if (e) fail_msg("%s", why);
    const struct cf_client *bank = cf_api_keys_find(k, CF_STR("bank-key-0123456789"));
    const struct cf_client *admin = cf_api_keys_find(k, CF_STR("admin-key-0123456789"));
    const struct cf_client *school = cf_api_keys_find(k, CF_STR("the-school-key-0001"));
    assert_non_null(bank);
    assert_non_null(admin);
    assert_non_null(school);
    assert_string_equal(bank->name, "bank");
    assert_string_equal(school->name, "school");
    assert_true(cf_client_may(bank, "a:read"));
    assert_false(cf_client_may(bank, "a:write"));
    assert_true(cf_client_may(admin, "a:write"));
    assert_false(cf_client_may(school, "a:read"));
    assert_true(cf_client_channel(bank, "bank_outlet"));
    assert_false(cf_client_channel(bank, "unit"));
    assert_true(cf_client_channel(admin, "unit"));
    assert_true(admin->may_backdate);
    assert_false(bank->may_backdate);
    assert_null(cf_api_keys_find(k, CF_STR("bank-key-012345678")));
    assert_null(cf_api_keys_find(k, CF_STR("")));
    cf_api_keys_free(k);
}

static void a_wrong_file_says_where_and_never_shows_a_key(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"[{]",                                                                        "line 1 column"               },
        {"{}",                                                                         "must be an array"            },
        {"[{\"name\":\"a\",\"scopes\":[]}]",                                           "[0].key_sha256: exactly one" },
        {"[{\"name\":\"a\",\"key\":\"short\",\"scopes\":[]}]",                         "[0].key: must have 16"       },
        {"[{\"name\":\"a\",\"key\":\"secret-0123456789\"}]",                           "[0].scopes: is required"     },
        {"[{\"name\":\"a\",\"key\":\"secret-0123456789\",\"scopes\":[1]}]",            "[0].scopes[0]: must"         },
        {"[{\"name\":\"a\",\"key\":\"secret-0123456789\",\"scopes\":[]},"
         "{\"name\":\"b\",\"key\":\"secret-0123456789\",\"scopes\":[]}]",     "[1].key: is another client's"},
        {"[{\"name\":\"a\",\"key\":\"secret-0123456789\",\"scopes\":[],\"scope\":1}]",
         "[0].scope: is not a known field"                                                                           },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cf_api_keys *k = NULL;
        char why[200] = "";
        assert_int_equal(cf_api_keys_parse(cf_str_of(cases[i].text), &k, why), CF_E_CONFIG);
        if (!strstr(why, cases[i].want)) fail_msg("%s: %s", cases[i].text, why);
        assert_null(strstr(why, "secret"));
    }
    struct cf_api_keys *k = NULL;
    char why[200] = "";
    assert_int_equal(cf_api_keys_load("/nonexistent/keys.json", &k, why), CF_E_CONFIG);
    assert_non_null(strstr(why, "cannot be opened"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_names_its_client),
        cmocka_unit_test(a_wrong_file_says_where_and_never_shows_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
