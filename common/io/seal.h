/* seal -- personal data under lock, and the keyed hashes that stand in for it.
 *
 * Shapes   a sealed value is a packed cardflow.v1.Sealed (proto/cardflow/v1/common.proto); owner
 *          is the key of whom it belongs to (cf_key_str of a holder's or an order's key, the 16
 *          bytes of a photo's content_ref), field the number of the field it stands in. Neither
 *          is in the packed value: a value moved to another owner or field does not open.
 * Owns     the ring owns its keys and wipes them; what is handed out lives in the arena
 * Errors   CF_E_DECODE (not a sealed value, key not in the ring, wrong owner or field, changed);
 *          CF_E_TOO_LARGE (does not fit the arena, or more than CF_SEAL_MAX); CF_E_CONFIG (files)
 * Limits   immutable once threads use it; each thread has contexts of its own. A key seals at
 *          most 2^32 values (96-bit random nonces): make another active long before
 * Source   SP 800-38D (GCM); AES-256; HMAC-SHA-256
 */
#pragma once
#include "common/pure/arena.h"
#include "common/pure/error.h"
#include "common/pure/keys.h"

#define CF_SEAL_MAX (4u << 20) /* bytes of one value */
#define CF_SEAL_KEY_LEN 32
#define CF_SEAL_WHY 160
/* Most bytes by which the packed form is longer than the value. */
#define CF_SEAL_OVERHEAD 64

struct cf_seal_ring;

void cf_seal_ring_free(struct cf_seal_ring *ring);
/* A ring with the reference key alone, for tools and tests; cf_seal_ring_add before use. */
struct cf_seal_ring *cf_seal_ring_new(const uint8_t reference[CF_SEAL_KEY_LEN])
    CF_FREED_BY(cf_seal_ring_free);
/* Adds a sealing key and makes it the one that seals. False: id 0, id known, or ring full. */
bool cf_seal_ring_add(struct cf_seal_ring *ring, uint32_t id, const uint8_t key[CF_SEAL_KEY_LEN]);
/* Reads the files: reference key as 64 hexadecimal digits; sealing keys as
 * {"active": 2, "keys": {"1": "<64 hexadecimal digits>", "2": "..."}}. Why names file and rule. */
int cf_seal_ring_load(const char *reference_file, const char *sealing_file,
                      struct cf_seal_ring **out, char why[CF_SEAL_WHY]) CF_MUST;

int cf_seal(const struct cf_seal_ring *ring, struct cf_str plain, struct cf_str owner,
            uint8_t field, struct cf_arena *a, struct cf_str *packed) CF_MUST;
int cf_unseal(const struct cf_seal_ring *ring, struct cf_str packed, struct cf_str owner,
              uint8_t field, struct cf_arena *a, struct cf_str *plain) CF_MUST;

/* The parts of a packed value, pointing into it. */
struct cf_sealed {
    uint32_t key_id;
    struct cf_str nonce, ciphertext, tag;
};
int cf_sealed_decode(struct cf_str packed, struct cf_sealed *out) CF_MUST;

/* ---- keyed hashes, under the reference key ------------------------------------------------- */

/* The holder behind a document; number normalised. False when type or number cannot be one. */
bool cf_holder_ref(const struct cf_seal_ring *ring, enum cf_doc_type type, struct cf_str number,
                   uint8_t out[CF_REF_LEN]);
/* For comparing names without opening them; name normalised. */
void cf_name_hash(const struct cf_seal_ring *ring, struct cf_str name, uint8_t out[16]);
/* Address of a photo's bytes. */
void cf_content_ref(const struct cf_seal_ring *ring, struct cf_str bytes, uint8_t out[16]);
/* Any other use, set apart by its label ("request.body"): of the parts, at most 16, each with its
 * length. */
void cf_keyed_hash(const struct cf_seal_ring *ring, struct cf_str label, const struct cf_str *parts,
                   size_t n, uint8_t out[32]);
