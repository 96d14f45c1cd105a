/* keys -- keys of Kafka records and of aggregates, and what the reference of a holder hashes.
 *
 * Shapes   struct cf_key is a value of at most 63 bytes; unused bytes are zero, so that two keys
 *          can be compared as a whole
 * Errors   makers return false, with an empty key, when the text is empty or does not fit
 * Limits   a key never holds personal data: the holder's is a keyed hash
 */
#pragma once
#include "common/pure/idnum.h"

#define CF_KEY_MAX 63
#define CF_REF_LEN 16

struct cf_key {
    uint8_t len;
    uint8_t b[CF_KEY_MAX];
};

/* 16 raw bytes. */
struct cf_key cf_key_holder(const uint8_t ref[CF_REF_LEN]);
struct cf_key cf_key_order(const uint8_t ref[CF_REF_LEN]);
/* unit:<code> */
bool cf_key_unit(struct cf_str code, struct cf_key *out);
/* roster:<uuid text> */
struct cf_key cf_key_roster(const uint8_t id[16]);
/* bank:<code> */
bool cf_key_bank(struct cf_str code, struct cf_key *out);
/* Any bytes, 1 to 63. */
bool cf_key_bytes(const void *bytes, size_t n, struct cf_key *out);

static inline struct cf_str cf_key_str(const struct cf_key *key)
{
    return (struct cf_str){(const char *)key->b, key->len};
}

bool cf_key_eq(const struct cf_key *a, const struct cf_key *b);
/* Below, equal or above 0; by bytes, the shorter first. */
int cf_key_cmp(const struct cf_key *a, const struct cf_key *b);
uint64_t cf_key_hash(const struct cf_key *key);
/* The partition of the key in a topic. */
uint32_t cf_key_partition(const struct cf_key *key, uint32_t partitions);

#define CF_REF_INPUT_MAX 96
/* What the keyed hash of a holder is taken of: type name, 0x00, normalised number. A number of
 * the household book is the resident's own, so it counts as resident_id. The length, or 0 when
 * type is NONE, the number is empty or longer than CF_IDNUM_MAX. */
size_t cf_ref_input(enum cf_doc_type type, struct cf_str number, uint8_t out[CF_REF_INPUT_MAX]);
