#include "common/pure/hash.h"

/* Bytes are read as little-endian numbers on every machine. */
static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t le64(const uint8_t *p)
{
    return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static uint64_t rotl(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

/* The 0 to 7 bytes that are left, as a little-endian number. */
static uint64_t le_rest(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint32_t cf_murmur2(const void *bytes, size_t n)
{
    const uint32_t m = 0x5bd1e995;
    const uint8_t *p = bytes;
    uint32_t h = 0x9747b28c ^ (uint32_t)n;
    for (; n >= 4; n -= 4, p += 4) {
        uint32_t k = le32(p) * m;
        k = (k ^ k >> 24) * m;
        h = h * m ^ k;
    }
    if (n) h = (h ^ (uint32_t)le_rest(p, n)) * m;
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}

uint32_t cf_partition_of(const void *key, size_t n, uint32_t partitions)
{
    return (cf_murmur2(key, n) & 0x7fffffff) % partitions;
}

#define P1 UINT64_C(0x9E3779B185EBCA87)
#define P2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define P3 UINT64_C(0x165667B19E3779F9)
#define P4 UINT64_C(0x85EBCA77C2B2AE63)
#define P5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t xx_round(uint64_t acc, uint64_t lane)
{
    return rotl(acc + lane * P2, 31) * P1;
}

/* Stripes of 32 bytes, four lanes side by side. */
static uint64_t xx_stripes(const uint8_t **p, size_t *n, uint64_t seed)
{
    uint64_t lane[4] = {seed + P1 + P2, seed + P2, seed, seed - P1};
    for (; *n >= 32; *n -= 32, *p += 32)
        for (int i = 0; i < 4; i++)
            lane[i] = xx_round(lane[i], le64(*p + 8 * i));
    uint64_t h = rotl(lane[0], 1) + rotl(lane[1], 7) + rotl(lane[2], 12) + rotl(lane[3], 18);
    for (int i = 0; i < 4; i++)
        h = (h ^ xx_round(0, lane[i])) * P1 + P4;
    return h;
}

uint64_t cf_hash64_seed(const void *bytes, size_t n, uint64_t seed)
{
    const uint8_t *p = bytes;
    size_t left = n;
    uint64_t h = n >= 32 ? xx_stripes(&p, &left, seed) : seed + P5;
    h += n;
    for (; left >= 8; left -= 8, p += 8)
        h = rotl(h ^ xx_round(0, le64(p)), 27) * P1 + P4;
    if (left >= 4) {
        h = rotl(h ^ le32(p) * P1, 23) * P2 + P3;
        left -= 4, p += 4;
    }
    for (; left; left--, p++)
        h = rotl(h ^ *p * P5, 11) * P1;
    h = (h ^ h >> 33) * P2;
    h = (h ^ h >> 29) * P3;
    return h ^ h >> 32;
}

uint64_t cf_hash64(const void *bytes, size_t n)
{
    return cf_hash64_seed(bytes, n, 0);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
        v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
        v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
        v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
    }
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

uint64_t cf_siphash(const uint8_t key[16], const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint64_t k0 = le64(key), k1 = le64(key + 8);
    uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    size_t left = n;
    for (; left >= 8; left -= 8, p += 8)
        sip_word(v, le64(p));
    sip_word(v, le_rest(p, left) | (uint64_t)n << 56);
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
