/* mask -- what may be shown of personal data.
 *
 * Owns     the caller's buffer; a zero behind the text; the length is returned
 * Limits   the masked text never tells more than: first and last four of a long number, the
 *          family name's first character, three and four digits of a phone
 */
#pragma once
#include "common/pure/str.h"

#define CF_MASK_MAX 64

/* 3702**********1234. From 16 characters on the first and last four are kept, from 12 three,
 * from 8 two; from 5 the first one; shorter ones are all stars. Never more than half is shown. */
size_t cf_mask_number(struct cf_str number, char out[CF_MASK_MAX]);
/* 张* for 张, 张伟 and 张秀英; S* for SMITH JOHN: one star whatever the length. */
size_t cf_mask_name(struct cf_str name, char out[CF_MASK_MAX]);
/* 138****5678; anything that is not 11 digits: all stars. */
size_t cf_mask_phone(struct cf_str phone, char out[CF_MASK_MAX]);
/* B0****019. Anything that is not 9 characters: all stars. */
size_t cf_mask_cardnum(struct cf_str number, char out[CF_MASK_MAX]);
