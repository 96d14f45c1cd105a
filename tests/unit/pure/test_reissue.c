#include "tests/unit/pure/vectors.h"

#include "common/pure/reissue.h"

#define ROW(why, none, cancelled, same, other)                                                     \
    {                                                                                              \
        CF_REISSUE_##why, CF_REASON_##none, CF_REASON_##cancelled, CF_REASON_##same,               \
            CF_REASON_##other                                                                      \
    }

/* What speaks against it: without a card, with a cancelled one, with one in force of the bank that
 * is asked and of another. */
static void each_reason_wants_its_card(void **state)
{
    (void)state;
    static const struct {
        enum cf_reissue_reason why;
        enum cf_reason none, cancelled, same_bank, other_bank;
    } rows[] = {
        ROW(NONE, BAD_REISSUE_REASON, BAD_REISSUE_REASON, BAD_REISSUE_REASON, BAD_REISSUE_REASON),
        ROW(MASS_EXCHANGE, NONE, NONE, CARD_EXISTS, CARD_EXISTS),
        ROW(EXPIRY, NO_CARD_TO_REPLACE, CARD_CANCELLED, NONE, NOT_ISSUING_BANK),
        ROW(DATA_CHANGED, NO_CARD_TO_REPLACE, CARD_CANCELLED, NONE, NOT_ISSUING_BANK),
        ROW(BANK_CHANGE, NO_CARD_TO_REPLACE, CARD_CANCELLED, CARD_EXISTS, NONE),
    };
    static const enum cf_card_state in_force[] = {CF_CARD_SEALED, CF_CARD_NORMAL,
                                                  CF_CARD_FORMAL_LOSS, CF_CARD_APP_LOCKED,
                                                  CF_CARD_TEMPORARY_LOSS};
    const cf_day today = cf_day_of_date(2026, 3, 31);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_reissue_card card = {.same_bank = true};
        assert_int_equal(cf_reissue_refused(rows[i].why, &card, today), rows[i].none);
        card.state = CF_CARD_CANCELLED;
        assert_int_equal(cf_reissue_refused(rows[i].why, &card, today), rows[i].cancelled);
        for (size_t s = 0; s < sizeof in_force / sizeof *in_force; s++) {
            card = (struct cf_reissue_card){in_force[s], true, today};
            assert_int_equal(cf_reissue_refused(rows[i].why, &card, today), rows[i].same_bank);
            card.same_bank = false;
            assert_int_equal(cf_reissue_refused(rows[i].why, &card, today), rows[i].other_bank);
        }
    }
}

static void a_card_is_reissued_for_expiry_from_ninety_days_before(void **state)
{
    (void)state;
    const cf_day until = cf_day_of_date(2026, 5, 31), first = cf_day_of_date(2026, 3, 2);
    struct cf_reissue_card card = {CF_CARD_NORMAL, true, until};
    assert_int_equal(cf_reissue_refused(CF_REISSUE_EXPIRY, &card, first - 1),
                     CF_REASON_CARD_EXISTS);
    assert_int_equal(cf_reissue_refused(CF_REISSUE_EXPIRY, &card, first), CF_REASON_NONE);
    assert_int_equal(cf_reissue_refused(CF_REISSUE_EXPIRY, &card, until + 400), CF_REASON_NONE);
    /* Other reasons do not look at it; nor does a card whose end is not known. */
    assert_int_equal(cf_reissue_refused(CF_REISSUE_DATA_CHANGED, &card, first - 1),
                     CF_REASON_NONE);
    card.valid_until = 0;
    assert_int_equal(cf_reissue_refused(CF_REISSUE_EXPIRY, &card, first - 1), CF_REASON_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_wants_its_card),
        cmocka_unit_test(a_card_is_reissued_for_expiry_from_ninety_days_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
