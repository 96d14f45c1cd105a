/* Which records get as far as a service's decoder: doors in memory. */
#include "tests/unit/stage/toy.h"
#include "tests/unit/stage_double.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

enum { PARTS = 4 };

static int n_decoded;

static int decode(struct cf_decode *d, const struct cf_record *r)
{
    (void)d;
    (void)r;
    n_decoded++;
    return CF_E_DECODE;
}

static const struct {
    const char *why;
    size_t len;
    int decoded;
} lengths[] = {
    {"nothing", 0, 1},
    {"as long as a message may be", MESSAGE_MAX, 1},
    {"one byte more", MESSAGE_MAX + 1, 0},
    {"as long as a dead letter may be", DEAD_LETTER_MAX - 5, 0},
};

static void a_record_too_long_for_a_message_is_not_decoded(void **state)
{
    struct cf_service service = toy_service;
    struct cf_key key;
    (void)state;
    service.decode = decode;
    assert_true(cf_key_bytes("key-1", 5, &key));
    struct stage_double *d = double_new(&service, PARTS);
    char *value = cf_calloc(1, DEAD_LETTER_MAX);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const uint8_t id[16] = {(uint8_t)(i + 1)};
        print_message("%s\n", lengths[i].why);
        n_decoded = 0;
        assert_int_equal(double_feed(d, "toy.commands", "toy.add", &key, id, 1000,
                                     (struct cf_str){value, lengths[i].len}),
                         0);
        assert_int_equal(n_decoded, lengths[i].decoded);
        assert_int_equal(d->n_sent, i + 1);
        assert_string_equal(d->sent[i].topic, "toy.commands.dlq");
    }
    assert_int_equal(d->n_parked, 0);
    free(value);
    double_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_too_long_for_a_message_is_not_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
