#include "common/io/seal.h"

#include "common/io/ids.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEYS_MAX = 64, NONCE = 12, TAG = 16 };

/* Tag bytes of the fields of cardflow.v1.Sealed: number << 3 | wire type. */
enum { F_KEY_ID = 1 << 3, F_NONCE = 2 << 3 | 2, F_CIPHERTEXT = 3 << 3 | 2, F_TAG = 4 << 3 | 2 };

struct sealing_key {
    uint32_t id;
    uint8_t bytes[CF_SEAL_KEY_LEN];
};

/* A thread's contexts with their key schedules, made on first use. */
struct contexts {
    EVP_CIPHER_CTX *seal[KEYS_MAX], *open[KEYS_MAX];
    struct contexts *next;
};

struct cf_seal_ring {
    struct cf_mac *reference;
    struct sealing_key keys[KEYS_MAX];
    size_t n, active;
    EVP_CIPHER *gcm;
    pthread_key_t of_thread;
    pthread_mutex_t lock;
    struct contexts *all; /* of every thread so far; freed with the ring */
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "cardflow: libcrypto: %s failed\n", what);
    abort();
}

struct cf_seal_ring *cf_seal_ring_new(const uint8_t reference[CF_SEAL_KEY_LEN])
{
    struct cf_seal_ring *ring = cf_calloc(1, sizeof *ring);
    ring->reference = cf_mac_new(reference, CF_SEAL_KEY_LEN);
    ring->gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (!ring->gcm) give_up("AES-256-GCM");
    if (pthread_key_create(&ring->of_thread, NULL) || pthread_mutex_init(&ring->lock, NULL))
        give_up("thread data");
    return ring;
}

bool cf_seal_ring_add(struct cf_seal_ring *ring, uint32_t id, const uint8_t key[CF_SEAL_KEY_LEN])
{
    if (id == 0 || ring->n == KEYS_MAX) return false;
    for (size_t i = 0; i < ring->n; i++)
        if (ring->keys[i].id == id) return false;
    ring->keys[ring->n].id = id;
    memcpy(ring->keys[ring->n].bytes, key, CF_SEAL_KEY_LEN);
    ring->active = ring->n++;
    return true;
}

void cf_seal_ring_free(struct cf_seal_ring *ring)
{
    if (!ring) return;
    while (ring->all) {
        struct contexts *c = ring->all;
        ring->all = c->next;
        for (size_t i = 0; i < KEYS_MAX; i++) {
            EVP_CIPHER_CTX_free(c->seal[i]);
            EVP_CIPHER_CTX_free(c->open[i]);
        }
        free(c);
    }
    pthread_key_delete(ring->of_thread);
    pthread_mutex_destroy(&ring->lock);
    cf_mac_free(ring->reference);
    EVP_CIPHER_free(ring->gcm);
    OPENSSL_cleanse(ring, sizeof *ring);
    free(ring);
}

/* ---- contexts ------------------------------------------------------------------------------ */

static struct contexts *my(const struct cf_seal_ring *ring)
{
    struct contexts *c = pthread_getspecific(ring->of_thread);
    if (c) return c;
    c = cf_calloc(1, sizeof *c);
    if (pthread_setspecific(ring->of_thread, c)) give_up("thread data");
    /* The ring's keys never change; only this list does, under its lock. */
    struct cf_seal_ring *r = (struct cf_seal_ring *)(uintptr_t)ring;
    pthread_mutex_lock(&r->lock);
    c->next = r->all;
    r->all = c;
    pthread_mutex_unlock(&r->lock);
    return c;
}

static EVP_CIPHER_CTX *context(const struct cf_seal_ring *ring, size_t key, bool seal)
{
    struct contexts *c = my(ring);
    EVP_CIPHER_CTX **ctx = seal ? &c->seal[key] : &c->open[key];
    if (*ctx) return *ctx;
    *ctx = EVP_CIPHER_CTX_new();
    if (!*ctx || EVP_CipherInit_ex2(*ctx, ring->gcm, ring->keys[key].bytes, NULL, seal, NULL) != 1)
        give_up("AES-256-GCM");
    return *ctx;
}

/* Nonce and associated data: the owner's bytes, then the field's number. */
static void begin(EVP_CIPHER_CTX *ctx, const void *nonce, struct cf_str owner, uint8_t field,
                  bool seal)
{
    int n = 0;
    bool good = EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, seal, NULL) == 1 &&
                (owner.len == 0 || EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)owner.ptr,
                                                    (int)owner.len) == 1) &&
                EVP_CipherUpdate(ctx, NULL, &n, &field, 1) == 1;
    if (!good) give_up("AES-256-GCM");
}

/* ---- the packed form ----------------------------------------------------------------------- */

static size_t varint_put(uint8_t *out, uint32_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (uint8_t)(v | 0x80);
    out[n++] = (uint8_t)v;
    return n;
}

static bool varint_take(struct cf_str *in, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 70 && in->len; shift += 7) {
        uint8_t b = (uint8_t)*in->ptr++;
        in->len--;
        if (shift == 63 && b > 1) return false;
        *v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) return true;
    }
    return false;
}

static bool bytes_take(struct cf_str *in, uint64_t n, struct cf_str *out)
{
    if (n > in->len) return false;
    *out = (struct cf_str){in->ptr, (size_t)n};
    in->ptr += n;
    in->len -= (size_t)n;
    return true;
}

/* The value of one field; groups (wire types 3 and 4) are not ours. */
static bool field_take(struct cf_str *in, uint64_t tag, uint64_t *number, struct cf_str *bytes)
{
    switch (tag & 7) {
    case 0:
        return varint_take(in, number);
    case 1:
        return bytes_take(in, 8, bytes);
    case 2:
        return varint_take(in, number) && bytes_take(in, *number, bytes);
    case 5:
        return bytes_take(in, 4, bytes);
    }
    return false;
}

int cf_sealed_decode(struct cf_str packed, struct cf_sealed *out)
{
    *out = (struct cf_sealed){0};
    while (packed.len) {
        uint64_t tag = 0, number = 0;
        struct cf_str bytes = {0};
        if (!varint_take(&packed, &tag) || tag >> 3 == 0 || tag > UINT32_MAX ||
            !field_take(&packed, tag, &number, &bytes))
            return CF_E_DECODE;
        if (tag == F_KEY_ID) out->key_id = (uint32_t)number;
        if (tag == F_NONCE) out->nonce = bytes;
        if (tag == F_CIPHERTEXT) out->ciphertext = bytes;
        if (tag == F_TAG) out->tag = bytes;
    }
    bool good = out->key_id && out->nonce.len == NONCE && out->tag.len == TAG;
    if (!good) return CF_E_DECODE;
    return out->ciphertext.len > CF_SEAL_MAX ? CF_E_TOO_LARGE : 0;
}

/* ---- sealing ------------------------------------------------------------------------------- */

int cf_seal(const struct cf_seal_ring *ring, struct cf_str plain, struct cf_str owner,
            uint8_t field, struct cf_arena *a, struct cf_str *packed)
{
    *packed = (struct cf_str){0};
    if (ring->n == 0) return CF_E_CONFIG;
    if (plain.len > CF_SEAL_MAX || owner.len > CF_SEAL_MAX) return CF_E_TOO_LARGE;
    uint8_t *out = cf_arena_try(a, plain.len + CF_SEAL_OVERHEAD), *at = out;
    if (!out) return CF_E_TOO_LARGE;
    *at++ = F_KEY_ID;
    at += varint_put(at, ring->keys[ring->active].id);
    *at++ = F_NONCE;
    *at++ = NONCE;
    uint8_t *nonce = at;
    cf_random(nonce, NONCE);
    at += NONCE;
    EVP_CIPHER_CTX *ctx = context(ring, ring->active, true);
    begin(ctx, nonce, owner, field, true);
    int n = 0;
    if (plain.len) {
        *at++ = F_CIPHERTEXT;
        at += varint_put(at, (uint32_t)plain.len);
        if (EVP_CipherUpdate(ctx, at, &n, (const uint8_t *)plain.ptr, (int)plain.len) != 1)
            give_up("AES-256-GCM");
        at += plain.len;
    }
    *at++ = F_TAG;
    *at++ = TAG;
    if (EVP_CipherFinal_ex(ctx, at, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, at) != 1)
        give_up("AES-256-GCM");
    at += TAG;
    *packed = (struct cf_str){(const char *)out, (size_t)(at - out)};
    return 0;
}

static bool key_find(const struct cf_seal_ring *ring, uint32_t id, size_t *at)
{
    for (*at = 0; *at < ring->n; ++*at)
        if (ring->keys[*at].id == id) return true;
    return false;
}

int cf_unseal(const struct cf_seal_ring *ring, struct cf_str packed, struct cf_str owner,
              uint8_t field, struct cf_arena *a, struct cf_str *plain)
{
    *plain = (struct cf_str){0};
    struct cf_sealed s;
    int e = cf_sealed_decode(packed, &s);
    if (e) return e;
    size_t key;
    if (owner.len > CF_SEAL_MAX || !key_find(ring, s.key_id, &key)) return CF_E_DECODE;
    uint8_t *out = cf_arena_try(a, s.ciphertext.len + 1);
    if (!out) return CF_E_TOO_LARGE;
    EVP_CIPHER_CTX *ctx = context(ring, key, false);
    begin(ctx, s.nonce.ptr, owner, field, false);
    int n = 0;
    uint8_t tag[TAG];
    memcpy(tag, s.tag.ptr, TAG);
    bool good =
        (s.ciphertext.len == 0 || EVP_CipherUpdate(ctx, out, &n, (const uint8_t *)s.ciphertext.ptr,
                                                   (int)s.ciphertext.len) == 1) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
        EVP_CipherFinal_ex(ctx, out + n, &n) == 1;
    if (!good) {
        /* Bytes that nobody vouches for must not be looked at by mistake. */
        OPENSSL_cleanse(out, s.ciphertext.len);
        return CF_E_DECODE;
    }
    out[s.ciphertext.len] = 0;
    *plain = (struct cf_str){(const char *)out, s.ciphertext.len};
    return 0;
}

/* ---- keyed hashes -------------------------------------------------------------------------- */

/* A holder's input begins with the name of a type, never with a zero byte: so that is how all
 * other uses of the key begin. */
static void labelled(const struct cf_seal_ring *ring, struct cf_str label, struct cf_str bytes,
                     uint8_t out[16])
{
    const struct cf_str parts[] = {
        {"", 1},
        label, {"", 1},
        bytes
    };
    uint8_t hash[CF_SHA256_LEN];
    cf_mac_parts(ring->reference, parts, 4, hash);
    memcpy(out, hash, 16);
}

bool cf_holder_ref(const struct cf_seal_ring *ring, enum cf_doc_type type, struct cf_str number,
                   uint8_t out[CF_REF_LEN])
{
    uint8_t input[CF_REF_INPUT_MAX], hash[CF_SHA256_LEN];
    size_t n = cf_ref_input(type, number, input);
    if (n == 0) return false;
    const struct cf_str part = {(const char *)input, n};
    cf_mac_parts(ring->reference, &part, 1, hash);
    memcpy(out, hash, CF_REF_LEN);
    OPENSSL_cleanse(input, sizeof input);
    return true;
}

void cf_name_hash(const struct cf_seal_ring *ring, struct cf_str name, uint8_t out[16])
{
    labelled(ring, CF_STR("name"), name, out);
}

void cf_content_ref(const struct cf_seal_ring *ring, struct cf_str bytes, uint8_t out[16])
{
    labelled(ring, CF_STR("content"), bytes, out);
}

void cf_keyed_hash(const struct cf_seal_ring *ring, struct cf_str label, const struct cf_str *parts,
                   size_t n, uint8_t out[32])
{
    enum { PARTS = 16 };
    if (n > PARTS) CF_BUG("too many parts to hash");
    uint64_t lengths[PARTS];
    struct cf_str all[3 + 2 * PARTS] = {
        {"", 1},
        label, {"", 1}
    };
    for (size_t i = 0; i < n; i++) {
        lengths[i] = __builtin_bswap64((uint64_t)parts[i].len);
        all[3 + 2 * i] = (struct cf_str){(const char *)&lengths[i], sizeof lengths[i]};
        all[4 + 2 * i] = parts[i];
    }
    cf_mac_parts(ring->reference, all, 3 + 2 * n, out);
}
