#include "common/io/ids.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 64, POOL = 1536 };

/* What a thread keeps so that nothing is fetched or allocated per call. */
struct mine {
    EVP_MD_CTX *md;
    unsigned forks; /* the value of `forks` when the pool was filled */
    size_t left;
    uint8_t pool[POOL];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_end; /* frees a thread's struct when it ends */
static EVP_MD *sha256;
static atomic_uint forks = 1;
static _Thread_local struct mine *mine;

/* Without digests or randomness no identifier is right, so there is nothing to go on with. */
static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "cardflow: libcrypto: %s failed\n", what);
    abort();
}

static void free_mine(void *p)
{
    struct mine *m = p;
    EVP_MD_CTX_free(m->md);
    OPENSSL_cleanse(m->pool, sizeof m->pool);
    free(m);
}

/* Parent and child would else hand out the same bytes from their copies of the pool. */
static void in_child(void)
{
    atomic_fetch_add(&forks, 1);
}

static void start(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha256) give_up("SHA-256");
    if (pthread_key_create(&at_end, free_mine) || pthread_atfork(NULL, NULL, in_child))
        give_up("thread data");
}

static struct mine *my(void)
{
    if (mine) return mine;
    pthread_once(&once, start);
    struct mine *m = cf_calloc(1, sizeof *m);
    m->md = EVP_MD_CTX_new();
    if (!m->md || pthread_setspecific(at_end, m)) give_up("context");
    mine = m;
    return m;
}

static void update(EVP_MD_CTX *md, const void *bytes, size_t n)
{
    if (n && EVP_DigestUpdate(md, bytes, n) != 1) give_up("digest");
}

static void finish(EVP_MD_CTX *md, uint8_t out[CF_SHA256_LEN])
{
    unsigned len = 0;
    if (EVP_DigestFinal_ex(md, out, &len) != 1 || len != CF_SHA256_LEN) give_up("digest");
}

static EVP_MD_CTX *begin(void)
{
    struct mine *m = my();
    if (EVP_DigestInit_ex2(m->md, sha256, NULL) != 1) give_up("digest");
    return m->md;
}

void cf_sha256_parts(const struct cf_str *parts, size_t n, uint8_t out[CF_SHA256_LEN])
{
    EVP_MD_CTX *md = begin();
    for (size_t i = 0; i < n; i++)
        update(md, parts[i].ptr, parts[i].len);
    finish(md, out);
}

void cf_sha256(struct cf_str bytes, uint8_t out[CF_SHA256_LEN])
{
    cf_sha256_parts(&bytes, 1, out);
}

/* ---- HMAC ---------------------------------------------------------------------------------- */

/* The two states after the padded key; only copied from, so threads share them. */
struct cf_mac {
    EVP_MD_CTX *inner, *outer;
};

static EVP_MD_CTX *padded(const uint8_t key[BLOCK], uint8_t with)
{
    uint8_t pad[BLOCK];
    for (size_t i = 0; i < BLOCK; i++)
        pad[i] = (uint8_t)(key[i] ^ with);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (!md || EVP_DigestInit_ex2(md, sha256, NULL) != 1) give_up("digest");
    update(md, pad, sizeof pad);
    OPENSSL_cleanse(pad, sizeof pad);
    return md;
}

struct cf_mac *cf_mac_new(const void *key, size_t len)
{
    my();
    uint8_t block[BLOCK] = {0};
    if (len > BLOCK)
        cf_sha256((struct cf_str){key, len}, block);
    else if (len)
        memcpy(block, key, len);
    struct cf_mac *m = cf_malloc(sizeof *m);
    *m = (struct cf_mac){.inner = padded(block, 0x36), .outer = padded(block, 0x5c)};
    OPENSSL_cleanse(block, sizeof block);
    return m;
}

void cf_mac_free(struct cf_mac *m)
{
    if (!m) return;
    /* libcrypto wipes a digest's state when it frees it. */
    EVP_MD_CTX_free(m->inner);
    EVP_MD_CTX_free(m->outer);
    free(m);
}

void cf_mac_parts(const struct cf_mac *m, const struct cf_str *parts, size_t n,
                  uint8_t out[CF_SHA256_LEN])
{
    EVP_MD_CTX *md = my()->md;
    uint8_t hash[CF_SHA256_LEN];
    if (EVP_MD_CTX_copy_ex(md, m->inner) != 1) give_up("digest");
    for (size_t i = 0; i < n; i++)
        update(md, parts[i].ptr, parts[i].len);
    finish(md, hash);
    if (EVP_MD_CTX_copy_ex(md, m->outer) != 1) give_up("digest");
    update(md, hash, sizeof hash);
    finish(md, out);
}

/* ---- identifiers --------------------------------------------------------------------------- */

static void mark(uint8_t id[16], uint8_t version)
{
    id[6] = (uint8_t)((id[6] & 0x0f) | (version << 4));
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

void cf_uuid8(uint8_t out[16], const struct cf_str *parts, size_t n)
{
    uint8_t hash[CF_SHA256_LEN];
    EVP_MD_CTX *md = begin();
    for (size_t i = 0; i < n; i++) {
        uint64_t len = __builtin_bswap64((uint64_t)parts[i].len);
        update(md, &len, sizeof len);
        update(md, parts[i].ptr, parts[i].len);
    }
    finish(md, hash);
    memcpy(out, hash, 16);
    mark(out, 8);
}

void cf_event_id(uint8_t out[16], struct cf_str topic, int32_t part, int64_t offset, uint32_t index)
{
    uint8_t where[16];
    uint32_t p = __builtin_bswap32((uint32_t)part), i = __builtin_bswap32(index);
    uint64_t o = __builtin_bswap64((uint64_t)offset);
    memcpy(where, &p, 4);
    memcpy(where + 4, &o, 8);
    memcpy(where + 12, &i, 4);
    cf_uuid8_of(out, CF_STR("event"), topic, {(const char *)where, sizeof where});
}

void cf_random(void *out, size_t n)
{
    struct mine *m = my();
    unsigned now = atomic_load_explicit(&forks, memory_order_relaxed);
    if (n > POOL) {
        if (n > INT32_MAX || RAND_bytes(out, (int)n) != 1) give_up("randomness");
        return;
    }
    if (m->left < n || m->forks != now) {
        if (RAND_bytes(m->pool, POOL) != 1) give_up("randomness");
        m->left = POOL;
        m->forks = now;
    }
    m->left -= n;
    memcpy(out, m->pool + m->left, n);
    OPENSSL_cleanse(m->pool + m->left, n);
}

void cf_uuid4(uint8_t out[16])
{
    cf_random(out, 16);
    mark(out, 4);
}
