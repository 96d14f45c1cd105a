/* multipart -- the parts of a multipart/form-data body that is in memory.
 *
 * Owns     parts point into the body
 * Errors   cf_multipart gives a rule (a literal) that is broken, or NULL
 * Source   RFC 7578, RFC 2046
 */
#pragma once
#include "common/pure/str.h"

#define CF_PARTS 8

struct cf_part {
    struct cf_str name, filename, type, body; /* ptr NULL when absent */
};

struct cf_parts {
    struct cf_part list[CF_PARTS];
    size_t n;
};

/* content_type is the header of the request: multipart/form-data; boundary=... */
const char *cf_multipart(struct cf_str content_type, struct cf_str body, struct cf_parts *out);
/* The part of that name, or NULL. */
const struct cf_part *cf_multipart_part(const struct cf_parts *parts, const char *name);
