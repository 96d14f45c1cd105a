/* phone -- mainland mobile numbers: 1, then 3 to 9, then nine digits.
 *
 * Errors   none: a bad phone is a reason, not an error
 */
#pragma once
#include "common/pure/warnings.h"

enum cf_phone_reason { CF_PHONE_OK, CF_PHONE_MISSING, CF_PHONE_BAD };

#define CF_PHONE_MAX 64
/* Removes TAB, space, U+00A0 and U+3000 and maps U+FF01-U+FF5E to ASCII, nothing else; a zero
 * behind it; the length is returned. Input too long for any phone is cut and stays bad. */
size_t cf_phone_normalise(struct cf_str raw, char out[CF_PHONE_MAX], unsigned *warnings);
enum cf_phone_reason cf_phone_check(struct cf_str phone);
/* "ok", "missing_phone" or "bad_phone". */
const char *cf_phone_reason_code(enum cf_phone_reason reason);
