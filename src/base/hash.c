#include "base/hash.h"

#include <xxhash.h>

uint64_t ens_hash64(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}

uint64_t ens_hash64_seed(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

struct ens_hash128 ens_hash128(const void *p, size_t n)
{
    XXH128_hash_t h = XXH3_128bits(p, n);
    struct ens_hash128 r = {h.low64, h.high64};

    return r;
}

/* Never defined: it is the library's state under our name. */
static XXH3_state_t *state_of(struct ens_hasher *h)
{
    return (XXH3_state_t *)(void *)h;
}

struct ens_hasher *ens_hasher_new(void)
{
    return (struct ens_hasher *)(void *)XXH3_createState();
}

void ens_hasher_free(struct ens_hasher *h)
{
    XXH3_freeState(state_of(h));
}

void ens_hasher_begin(struct ens_hasher *h)
{
    XXH3_64bits_reset(state_of(h));
}

void ens_hasher_put(struct ens_hasher *h, const void *p, size_t n)
{
    XXH3_64bits_update(state_of(h), p, n);
}

uint64_t ens_hasher_end(const struct ens_hasher *h)
{
    return XXH3_64bits_digest((const XXH3_state_t *)(const void *)h);
}

uint64_t ens_hash64_pair(uint64_t a, uint64_t b)
{
    unsigned char p[16];

    for (int i = 0; i < 8; i++) {
        p[i] = (unsigned char)(a >> (8 * i));
        p[8 + i] = (unsigned char)(b >> (8 * i));
    }
    return ens_hash64(p, sizeof(p));
}

void ens_hex64(char *to, uint64_t v)
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 15; i >= 0; i--, v >>= 4)
        to[i] = digits[v & 15];
    to[16] = '\0';
}
