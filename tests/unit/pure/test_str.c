#include "tests/unit/pure/vectors.h"

#include <wchar.h>

#include "tests/unit/dies.h"

static void utf8_is_what_the_standard_says(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t cp; /* -1: malformed */
    } rows[] = {
        {"A",                0x41    },
        {"\xC2\xB7",         0xB7    },
        {"\xE5\xBC\xA0",     0x5F20  },
        {"\xED\x9F\xBF",     0xD7FF  },
        {"\xEE\x80\x80",     0xE000  },
        {"\xF0\x90\x80\x80", 0x10000 },
        {"\xF4\x8F\xBF\xBF", 0x10FFFF},
        {"",                 -1      },
        {"\x80",             -1      },
        {"\xC1\xBF",         -1      },
        {"\xC2",             -1      },
        {"\xC2\x41",         -1      },
        {"\xE0\x9F\xBF",     -1      },
        {"\xED\xA0\x80",     -1      },
        {"\xED\xBF\xBF",     -1      },
        {"\xF0\x8F\xBF\xBF", -1      },
        {"\xF4\x90\x80\x80", -1      },
        {"\xF5\x80\x80\x80", -1      },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_str s = cf_str_of(rows[i].text), whole = s;
        int32_t cp = cf_utf8_next(&s);
        if (cp != rows[i].cp) fail_msg("row %zu: %x", i, (unsigned)cp);
        assert_int_equal(s.len, cp < 0 ? whole.len : 0);
        char out[4];
        if (cp >= 0) assert_true(cf_str_eq((struct cf_str){out, cf_utf8_put(cp, out)}, whole));
    }
    assert_true(cf_utf8_valid(CF_STR("张a\xC2\xB7")));
    assert_true(cf_utf8_valid(CF_STR("")));
    assert_false(cf_utf8_valid(CF_STR("a\0b")));
}

static void a_buffer_keeps_what_it_has_when_it_is_full(void **state)
{
    (void)state;
    struct cf_buf b;
    cf_buf_init(&b, 100);
    assert_true(cf_buf_add(&b, NULL, 0));
    assert_true(cf_buf_printf(&b, "%060d", 1));
    assert_true(cf_buf_adds(&b, CF_STR("0123456789012345678901234567890123456789")));
    assert_int_equal(b.len, 100);
    assert_true(b.cap <= 100);
    assert_false(b.full);
    assert_false(cf_buf_add(&b, "x", 1));
    assert_true(b.full);
    assert_null(cf_buf_room(&b, 101));
    assert_false(cf_buf_printf(&b, "x"));
    assert_int_equal(b.len, 100);
    assert_memory_equal(b.ptr + 58, "010123", 6);
    cf_buf_reset(&b);
    assert_false(b.full);
    assert_true(cf_buf_adds(&b, CF_STR("again")));
    assert_true(cf_str_is(cf_buf_str(&b), "again"));
    cf_buf_free(&b);
    assert_true(cf_buf_add(&b, "x", 1));
    cf_buf_free(&b);
}

/* printf cannot write such a character here, and says so: nothing is added. */
static void what_cannot_be_printed_is_not_added(void **state)
{
    (void)state;
    struct cf_buf b;
    cf_buf_init(&b, 100);
    assert_false(cf_buf_printf(&b, "%lc", (wint_t)0x5F20));
    assert_int_equal(b.len, 0);
    cf_buf_free(&b);
}

static void bytes_are_written_in_hexadecimal_and_read_again(void **state)
{
    (void)state;
    uint8_t in[16] = {0, 0x1f, 0xa0, 0xff, 9, 0x90}, out[16] = {0};
    char text[37];
    cf_hex(in, 16, text);
    assert_string_equal(text, "001fa0ff099000000000000000000000");
    assert_true(cf_unhex(CF_STR("001FA0ff099000000000000000000000"), out, 16));
    assert_memory_equal(in, out, 16);
    static const char *const bad[] = {"0", "000", "0g", "g0", "/0", ":0", "@0", "G0", "`0", "0 "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (cf_unhex(cf_str_of(bad[i]), out, 1)) fail_msg("%s is taken", bad[i]);
    cf_uuid_text(in, text);
    assert_string_equal(text, "001fa0ff-0990-0000-0000-000000000000");
    memset(out, 1, sizeof out);
    assert_true(cf_uuid_parse(cf_str_of(text), out));
    assert_memory_equal(in, out, 16);
    assert_false(cf_uuid_parse(CF_STR("001fa0ff-0990-0000-0000-00000000000"), out));
    assert_false(cf_uuid_parse(CF_STR("001fa0ff00990-0000-0000-000000000000"), out));
    assert_false(cf_uuid_parse(CF_STR("001fa0f--0990-0000-0000-000000000000"), out));
    assert_false(cf_uuid_parse(CF_STR("001fa0fg-0990-0000-0000-000000000000"), out));
}

static void digits_are_a_number_up_to_its_limit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        bool good;
        uint64_t value;
    } rows[] = {
        {"0",                    0,          true,  0         },
        {"7",                    9,          true,  7         },
        {"007",                  9,          true,  7         },
        {"500",                  500,        true,  500       },
        {"501",                  500,        false, 0         },
        {"8",                    7,          false, 0         },
        {"18446744073709551615", UINT64_MAX, true,  UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0         },
        {"99999999999999999999", UINT64_MAX, false, 0         },
        {"00000000000000000000", 1,          true,  0         },
        {"000000000000000000000", 1,         false, 0         },
        {"",                     9,          false, 0         },
        {"-1",                   9,          false, 0         },
        {"+1",                   9,          false, 0         },
        {" 1",                   9,          false, 0         },
        {"1 ",                   9,          false, 0         },
        {"1/",                   99,         false, 0         },
        {"1:",                   99,         false, 0         },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t v = 77;
        print_message("%s up to %llu\n", rows[i].text, (unsigned long long)rows[i].max);
        assert_int_equal(cf_digits(cf_str_of(rows[i].text), rows[i].max, &v), rows[i].good);
        assert_int_equal(v, rows[i].good ? rows[i].value : 77);
    }
}

static void memory_of_no_bytes_can_be_given_back(void **state)
{
    (void)state;
    free(cf_malloc(0));
    free(cf_calloc(0, 4));
    free(cf_calloc(4, 0));
    free(cf_realloc(NULL, 0));
    unsigned char *p = cf_calloc(3, 5);
    for (int i = 0; i < 15; i++)
        assert_int_equal(p[i], 0);
    free(p);
}

/* Sanitizers end the process before us when so much is asked for. */
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
static volatile size_t too_much = SIZE_MAX / 4;

static void malloc_too_much(void)
{
    free(cf_malloc(too_much));
}

static void calloc_too_much(void)
{
    free(cf_calloc(1, too_much));
}

static void realloc_too_much(void)
{
    free(cf_realloc(NULL, too_much));
}

static void out_of_memory_ends_the_process(void **state)
{
    (void)state;
    assert_true(dies(malloc_too_much, "out of memory"));
    assert_true(dies(calloc_too_much, "out of memory"));
    assert_true(dies(realloc_too_much, "out of memory"));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_what_the_standard_says),
        cmocka_unit_test(a_buffer_keeps_what_it_has_when_it_is_full),
        cmocka_unit_test(what_cannot_be_printed_is_not_added),
        cmocka_unit_test(bytes_are_written_in_hexadecimal_and_read_again),
        cmocka_unit_test(digits_are_a_number_up_to_its_limit),
        cmocka_unit_test(memory_of_no_bytes_can_be_given_back),
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
        cmocka_unit_test(out_of_memory_ends_the_process),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
