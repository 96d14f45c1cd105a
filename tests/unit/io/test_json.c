/* json: what is refused and where, what a client hears, what is written. */
#include "common/io/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void a_malformed_document_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *why, *text;
        size_t len; /* 0: all */
        const char *rule;
        int line, column; /* 0: not looked at */
    } cases[] = {
        {"empty",                "",                                      0, "is empty",                       1, 1 },
        {"cut",                  "{\"a\":",                               0, "ends too early",                 1, 0 },
        {"no JSON",              "{\n  \"a\": nope}",                     0, "is not JSON here",               2, 0 },
        {"name twice",           "{\"a\":1,\"a\":2}",                     0, "has a name twice in one object", 1, 0 },
        {"bytes",                "{\"a\":\"\xFF\"}",                      0, "must be UTF-8",                  1, 0 },
        {"surrogate",            "{\"a\":\"\xED\xA0\x80\"}",              0, "must be UTF-8",                  1, 0 },
        {"zero",                 "{\"a\":\"\\u0000\"}",                   0, "must not hold U+0000",           1, 0 },
        {"behind",               "{} x",                                  0, "has text behind its end",        1, 0 },
        {"number",               "{\"a\":99999999999999999999}",          0, "has a number that is too large", 1, 0 },
        {"deep",                 "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",   0, "is nested too deeply",           1, 17},
        {"deep in text is none", "{\"a\":\"[[[[[[[[[[[[[[[[[[[\\\"[\" x", 0, "is not JSON here",               1,
         0                                                                                                          },
        {"bare value",           "\"text\"",                              0, "is not JSON here",               1, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cf_json_error e = {0};
        json_t *o = cf_json_parse(cf_str_of(cases[i].text), &e);
        if (o) fail_msg("%s: was taken", cases[i].why);
        if (strcmp(e.rule, cases[i].rule) != 0)
            fail_msg("%s: %s, not %s", cases[i].why, e.rule, cases[i].rule);
        if (e.line != cases[i].line || (cases[i].column && e.column != cases[i].column))
            fail_msg("%s: line %d column %d", cases[i].why, e.line, e.column);
    }
}

static void fields_come_with_their_types_and_all_errors_at_once(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\":\"\xE5\xBC\xA0\xE4\xB8\x89\",\"n\":7,\"on\":true,\"gone\":null,"
        "\"holder\":{\"number\":5,\"long\":\"abcdef\"},\"list\":[{\"x\":1},{\"x\":\"1\"},3],"
        "\"words\":[\"a\",1],\"float\":1.5,\"flag\":\"yes\",\"extra\":1}";
    static const char *const known[] = {"name", "n",     "on",    "gone", "holder",
                                        "list", "words", "float", "flag", NULL};
    struct cf_json_error e;
    struct cf_field_errors errors = {.n = 0};
    struct cf_arena *arena = cf_arena_new(1 << 20);
    json_t *root = cf_json_parse(cf_str_of(text), &e);
    assert_non_null(root);
    struct cf_in in = cf_in_of(root, arena, &errors);

    struct cf_str name = cf_in_text(&in, "name", CF_NEEDED, 2, 2);
    assert_int_equal(name.len, 6); /* two characters, six bytes */
    assert_int_equal(cf_in_int(&in, "n", CF_NEEDED, 0, 10, -1), 7);
    assert_true(cf_in_bool(&in, "on", CF_NEEDED, false));
    assert_null(cf_in_text(&in, "gone", CF_OPTIONAL, 1, 5).ptr);
    assert_false(cf_in_has(&in, "gone"));
    assert_int_equal(errors.n, 0);

    struct cf_in holder = cf_in_object(&in, "holder", CF_NEEDED);
    cf_in_text(&holder, "number", CF_NEEDED, 1, 5);
    cf_in_text(&holder, "long", CF_NEEDED, 1, 5);
    cf_in_text(&holder, "name", CF_NEEDED, 1, 5);
    const json_t *list = cf_in_array(&in, "list", CF_NEEDED, 5);
    assert_non_null(list);
    for (size_t i = 0; i < 3; i++) {
        struct cf_in item = cf_in_item(&in, "list", list, i);
        cf_in_int(&item, "x", CF_NEEDED, 0, 5, 0);
    }
    const json_t *words = cf_in_array(&in, "words", CF_NEEDED, 5);
    cf_in_text_item(&in, "words", words, 0, 1, 5);
    cf_in_text_item(&in, "words", words, 1, 1, 5);
    cf_in_int(&in, "float", CF_OPTIONAL, 0, 9, 0);
    cf_in_bool(&in, "flag", CF_OPTIONAL, false);
    cf_in_text(&in, "missing", CF_NEEDED, 1, 2);
    struct cf_in away = cf_in_object(&in, "away", CF_NEEDED);
    cf_in_text(&away, "inside", CF_NEEDED, 1, 2); /* said once: away */
    cf_in_array(&in, "list", CF_OPTIONAL, 2);
    cf_in_only(&in, known);

    static const struct cf_field_error want[] = {
        {"holder.number", "must be text",                NULL},
        {"holder.long",   "must have 1 to 5 characters", NULL},
        {"holder.name",   "is required",                 NULL},
        {"list[1].x",     "must be a whole number",      NULL},
        {"list[2]",       "must be an object",           NULL},
        {"words[1]",      "must be text",                NULL},
        {"float",         "must be a whole number",      NULL},
        {"flag",          "must be true or false",       NULL},
        {"missing",       "is required",                 NULL},
        {"away",          "is required",                 NULL},
        {"list",          "must have at most 2 items",   NULL},
        {"extra",         "is not a known field",        NULL},
    };
    assert_int_equal(errors.n, sizeof want / sizeof *want);
    for (size_t i = 0; i < errors.n; i++) {
        assert_string_equal(errors.list[i].field, want[i].field);
        assert_string_equal(errors.list[i].rule, want[i].rule);
        assert_true(strlen(errors.list[i].cure) > 0);
    }
    json_decref(root);
    cf_arena_free(arena);
}

static void an_array_on_top_is_no_object(void **state)
{
    (void)state;
    struct cf_json_error e;
    struct cf_field_errors errors = {.n = 0};
    struct cf_arena *arena = cf_arena_new(1 << 20);
    json_t *root = cf_json_parse(CF_STR("[1]"), &e);
    struct cf_in in = cf_in_of(root, arena, &errors);
    cf_in_text(&in, "a", CF_NEEDED, 1, 2);
    assert_int_equal(errors.n, 1);
    assert_string_equal(errors.list[0].field, "body");
    json_decref(root);
    cf_arena_free(arena);
}

static void more_errors_than_fit_are_counted(void **state)
{
    (void)state;
    struct cf_field_errors errors = {.n = 0};
    for (int i = 0; i < 50; i++)
        cf_field_error_add(&errors, "f", "r", "c");
    assert_int_equal(errors.n, 50);
}

static void what_is_written_is_json_with_everything_escaped(void **state)
{
    (void)state;
    struct cf_buf b;
    cf_buf_init(&b, 10000);
    struct cf_out o = cf_out_to(&b);
    struct cf_str odd = {"\x01\"\\/\n\r\t\x7F\xC3\xA9\xFF\0z", 13};
    cf_out_object(&o, NULL);
    cf_out_text(&o, "odd", odd);
    cf_out_array(&o, "list");
    cf_out_int(&o, NULL, INT64_MIN);
    cf_out_uint(&o, NULL, UINT64_MAX);
    cf_out_array(&o, NULL);
    cf_out_end(&o);
    cf_out_object(&o, NULL);
    cf_out_bool(&o, "t", true);
    cf_out_end(&o);
    cf_out_end(&o);
    cf_out_double(&o, "half", 0.5);
    cf_out_null(&o, "none");
    cf_out_text(&o, "absent", (struct cf_str){NULL, 0});
    cf_out_z(&o, "empty", "");
    cf_out_raw(&o, "raw", CF_STR("[1]"));
    cf_out_end(&o);
    static const char want[] =
        "{\"odd\":\"\\u0001\\\"\\\\/\\n\\r\\t\\u007f\xC3\xA9\xEF\xBF\xBD\\u0000z\","
        "\"list\":[-9223372036854775808,18446744073709551615,[],{\"t\":true}],"
        "\"half\":0.5,\"none\":null,\"absent\":null,\"empty\":\"\",\"raw\":[1]}";
    cf_buf_add(&b, "", 1);
    assert_string_equal(b.ptr, want);
    cf_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_malformed_document_is_refused_with_its_place),
        cmocka_unit_test(fields_come_with_their_types_and_all_errors_at_once),
        cmocka_unit_test(an_array_on_top_is_no_object),
        cmocka_unit_test(more_errors_than_fit_are_counted),
        cmocka_unit_test(what_is_written_is_json_with_everything_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
