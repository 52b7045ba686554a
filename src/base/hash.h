/* Hashes: XXH3 of the xxHash library, by bytes, with 128-bit results as two
 * words (low first). Stable over versions and machines; not cryptographic. */
#ifndef ENS_BASE_HASH_H
#define ENS_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct ens_hash128 {
    uint64_t low;
    uint64_t high;
};

uint64_t ens_hash64(const void *p, size_t n);
uint64_t ens_hash64_seed(const void *p, size_t n, uint64_t seed);
struct ens_hash128 ens_hash128(const void *p, size_t n);
/** Combine two words in order (hash of their 16 little-endian bytes). */
uint64_t ens_hash64_pair(uint64_t a, uint64_t b);

#define ENS_HEX64_BYTES 17
/** 16 lower-case hex digits and a NUL. */
void ens_hex64(char *to, uint64_t v);

#endif
