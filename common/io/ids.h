/* ids -- digests, keyed digests, random bytes, and the identifiers made from them.
 *
 * Shapes   parts are hashed one after the other; where the parts must not be able to run into
 *          each other (uuid8, keyed hash with several parts) each is preceded by its length
 * Owns     struct cf_mac owns its key and wipes it; one context a thread is made on first use and
 *          freed when the thread ends
 * Errors   a libcrypto that cannot hash or has no randomness ends the process with a message
 * Limits   all functions may be called from every thread; random bytes are fresh after a fork
 * Source   FIPS 180-4 (SHA-256), FIPS 198-1 (HMAC), RFC 9562 (UUID versions 4 and 8)
 */
#pragma once
#include "common/pure/str.h"

#define CF_SHA256_LEN 32

void cf_sha256(struct cf_str bytes, uint8_t out[CF_SHA256_LEN]);
/* Of the parts as if they were one piece. */
void cf_sha256_parts(const struct cf_str *parts, size_t n, uint8_t out[CF_SHA256_LEN]);

/* ---- HMAC-SHA-256 under one key ------------------------------------------------------------ */

struct cf_mac;

void cf_mac_free(struct cf_mac *m);
struct cf_mac *cf_mac_new(const void *key, size_t len) CF_FREED_BY(cf_mac_free);
/* Of the parts as if they were one piece. */
void cf_mac_parts(const struct cf_mac *m, const struct cf_str *parts, size_t n,
                  uint8_t out[CF_SHA256_LEN]);

/* ---- identifiers --------------------------------------------------------------------------- */

/* UUID version 8: SHA-256 of the parts, each with its length before it, cut to 16 bytes. */
void cf_uuid8(uint8_t out[16], const struct cf_str *parts, size_t n);
/* cf_uuid8_of(out, CF_STR("client"), key): the same with the parts as arguments. */
#define cf_uuid8_of(out, ...)                                                                      \
    cf_uuid8((out), (const struct cf_str[]){__VA_ARGS__},                                          \
             sizeof((const struct cf_str[]){__VA_ARGS__}) / sizeof(struct cf_str))
/* Id of the index-th effect of a record, the same on every re-run. Topic as in the service's
 * table ("application.commands"). */
void cf_event_id(uint8_t out[16], struct cf_str topic, int32_t part, int64_t offset,
                 uint32_t index);
/* UUID version 4. */
void cf_uuid4(uint8_t out[16]);
/* Unpredictable bytes, from a buffer of the thread's own. Not for keys. */
void cf_random(void *out, size_t n);
