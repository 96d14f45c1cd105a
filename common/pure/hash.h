/* hash -- hashes that are not secret: Kafka's partitioner, and one for tables and comparisons.
 *
 * Source   murmur2, 32 bits, seed 0x9747b28c, as the partitioner of Kafka's Java client;
 *          XXH64 (xxHash), seed given; SipHash-2-4
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

uint32_t cf_murmur2(const void *bytes, size_t n);
/* The partition Kafka's Java client picks for that key among `partitions` (above 0). */
uint32_t cf_partition_of(const void *key, size_t n, uint32_t partitions);
/* XXH64 with seed 0. */
uint64_t cf_hash64(const void *bytes, size_t n);
uint64_t cf_hash64_seed(const void *bytes, size_t n, uint64_t seed);
/* SipHash-2-4 with 64 bits: for those who must not be able to guess it without the key. */
uint64_t cf_siphash(const uint8_t key[16], const void *bytes, size_t n);
