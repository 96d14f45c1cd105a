/* Marks of add-ons, packed: length of the name, name, time, whose consent. */
#include "services/production/rules_password.h"

#include <string.h>

enum { TIME_BYTES = 8, AROUND = 1 + TIME_BYTES + 1 };

bool production_add_on_next(struct cf_str *marks, struct production_add_on *out)
{
    size_t n = marks->len ? (uint8_t)marks->ptr[0] : 0;
    uint64_t at = 0;
    if (marks->len < n + AROUND) return false;
    out->name = (struct cf_str){marks->ptr + 1, n};
    for (size_t i = 0; i < TIME_BYTES; i++)
        at = at << 8 | (uint8_t)marks->ptr[1 + n + i];
    out->at = (cf_ms)at;
    out->by_guardian = marks->ptr[1 + n + TIME_BYTES] != 0;
    marks->ptr += n + AROUND;
    marks->len -= n + AROUND;
    return true;
}

bool production_add_on_has(struct cf_str marks, struct cf_str name)
{
    struct production_add_on a;
    while (production_add_on_next(&marks, &a))
        if (cf_str_eq(a.name, name)) return true;
    return false;
}

bool production_add_on_add(struct cf_str marks, const struct production_add_on *a, char *room,
                           struct cf_str *out)
{
    size_t n = a->name.len;
    if (n > PRODUCTION_ADD_ON_NAME || marks.len + n + AROUND > PRODUCTION_ADD_ONS_MAX) return false;
    char *p = room + marks.len;
    if (marks.len) memcpy(room, marks.ptr, marks.len);
    *p++ = (char)n;
    memcpy(p, a->name.ptr, n);
    p += n;
    for (int i = TIME_BYTES - 1; i >= 0; i--)
        *p++ = (char)((uint64_t)a->at >> 8 * i & 0xff);
    *p++ = (char)a->by_guardian;
    *out = (struct cf_str){room, (size_t)(p - room)};
    return true;
}
