#include "common/pure/reissue.h"

static bool good_for_long(const struct cf_reissue_card *card, cf_day on)
{
    return card->valid_until > 0 && on < card->valid_until - CF_REISSUE_EXPIRY_DAYS;
}

enum cf_reason cf_reissue_refused(enum cf_reissue_reason why, const struct cf_reissue_card *card,
                                  cf_day on)
{
    bool cancelled = card->state == CF_CARD_CANCELLED;
    bool has_card = card->state != CF_CARD_NONE && !cancelled;
    if (why == CF_REISSUE_NONE) return CF_REASON_BAD_REISSUE_REASON;
    /* Of an old card unknown to us, at any issuing bank. */
    if (why == CF_REISSUE_MASS_EXCHANGE) return has_card ? CF_REASON_CARD_EXISTS : CF_REASON_NONE;
    if (!has_card) return cancelled ? CF_REASON_CARD_CANCELLED : CF_REASON_NO_CARD_TO_REPLACE;
    if (why == CF_REISSUE_BANK_CHANGE)
        return card->same_bank ? CF_REASON_CARD_EXISTS : CF_REASON_NONE;
    if (!card->same_bank) return CF_REASON_NOT_ISSUING_BANK;
    bool early = why == CF_REISSUE_EXPIRY && good_for_long(card, on);
    return early ? CF_REASON_CARD_EXISTS : CF_REASON_NONE;
}
