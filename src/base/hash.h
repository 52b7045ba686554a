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

/** ens_hash64 of bytes that come in parts. new/free as usual, NULL when out of
 * memory; begin before the first part. */
struct ens_hasher;
struct ens_hasher *ens_hasher_new(void);
void ens_hasher_free(struct ens_hasher *h);
void ens_hasher_begin(struct ens_hasher *h);
void ens_hasher_put(struct ens_hasher *h, const void *p, size_t n);
uint64_t ens_hasher_end(const struct ens_hasher *h);

/** Combine two words in order (hash of their 16 little-endian bytes). */
uint64_t ens_hash64_pair(uint64_t a, uint64_t b);

#define ENS_HEX64_BYTES 17
/** 16 lower-case hex digits and a NUL. */
void ens_hex64(char *to, uint64_t v);

#endif
