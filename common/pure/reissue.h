/* reissue -- may this card be reissued for that reason? Asked by intake of its mirror of the cards,
 * and by production of the cards themselves.
 *
 * Shapes   the card that counts: CF_CARD_NONE when there is none, or none that the holder knows of
 * Units    cf_day in Asia/Shanghai
 * Errors   none: the reason that speaks against it, CF_REASON_NONE when nothing does
 * Source   domain reference, Applications: kinds; "One card"
 */
#pragma once
#include "common/pure/date.h"
#include "common/pure/kinds.h"
#include "common/pure/reasons.h"

#define CF_REISSUE_EXPIRY_DAYS 90

struct cf_reissue_card {
    enum cf_card_state state;
    bool same_bank;     /* the application is for the bank that issued it */
    cf_day valid_until; /* 0: not known */
};

enum cf_reason cf_reissue_refused(enum cf_reissue_reason why, const struct cf_reissue_card *card,
                                  cf_day on);
