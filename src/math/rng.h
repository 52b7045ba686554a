/* Random streams: Philox4x64-10 of Random123 (Salmon, Moraes, Dror and Shaw
 * 2011, "Parallel random numbers: as easy as 1, 2, 3", SC11) behind a
 * gsl_rng_type.
 *
 * Key = {seed, low 64 bits of the cell hash}; counter = {block, replicate,
 * XXH3-64(stage key NUL purpose), 0}. Words 0..3 of block 0, then block 1 ...
 * `get` returns one whole word (min 0, max 2^64-1), `get_double` its top 53
 * bits times 2^-53; each call uses one word.
 */
#ifndef ENS_MATH_RNG_H
#define ENS_MATH_RNG_H

#include <gsl/gsl_rng.h>
#include <stdint.h>

struct ens_rng_state {
    uint64_t key[2];
    uint64_t counter[4];
    uint64_t word[4];
    uint32_t next; /* word to give; 4 = block used up */
};

struct ens_rng {
    gsl_rng gsl;
    struct ens_rng_state state;
};

extern const gsl_rng_type ens_rng_philox;

/** Hash of a stream's name: XXH3-64 of the bytes STAGE NUL PURPOSE. */
uint64_t ens_rng_stream(const char *stage, const char *purpose);
/** Point g at the start of a stream. */
void ens_rng_set(struct ens_rng *g, uint64_t seed, uint64_t cell_id,
                 uint64_t replicate, uint64_t stream);
uint64_t ens_rng_bits(struct ens_rng *g);
double ens_rng_uniform(struct ens_rng *g);
/** Standard normal, gsl_ran_gaussian_ziggurat. */
double ens_rng_normal(struct ens_rng *g);
/** Uniform integer in [0, n), n >= 1, without bias (Lemire 2019, "Fast random
 * integer generation in an interval", alg. 5: one word, rarely more). */
uint64_t ens_rng_below(struct ens_rng *g, uint64_t n);

#endif
