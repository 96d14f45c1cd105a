#include "common/pure/phone.h"

#include "common/pure/fold.h"

size_t cf_phone_normalise(struct cf_str raw, char out[CF_PHONE_MAX], unsigned *warnings)
{
    return cf_fold(raw, false, out, CF_PHONE_MAX, warnings);
}

enum cf_phone_reason cf_phone_check(struct cf_str phone)
{
    if (phone.len == 0) return CF_PHONE_MISSING;
    if (phone.len != 11 || phone.ptr[0] != '1' || phone.ptr[1] < '3') return CF_PHONE_BAD;
    for (size_t i = 1; i < 11; i++)
        if (phone.ptr[i] < '0' || phone.ptr[i] > '9') return CF_PHONE_BAD;
    return CF_PHONE_OK;
}

const char *cf_phone_reason_code(enum cf_phone_reason reason)
{
    static const char *const codes[] = {[CF_PHONE_OK] = "ok",
                                        [CF_PHONE_MISSING] = "missing_phone",
                                        [CF_PHONE_BAD] = "bad_phone"};
    return codes[reason];
}
