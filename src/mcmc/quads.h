/* Short vectors of doubles, four lanes at a time.
 *
 * Vectors of the samplers are padded with zeros to a multiple of four, so
 * that no loop has a tail; sums run in four fixed lanes, whatever the
 * processor: the same numbers give the same bits everywhere.
 */
#ifndef ENS_MCMC_QUADS_H
#define ENS_MCMC_QUADS_H

#include <stddef.h>

#define ENS_QUAD 4

/* Aligned as a double: arenas align to 16. */
typedef double ens_quad __attribute__((vector_size(ENS_QUAD * sizeof(double)),
                                       aligned(8), may_alias));

/** n rounded up to whole lanes. */
static inline size_t ens_padded(size_t n)
{
    return (n + ENS_QUAD - 1) / ENS_QUAD * ENS_QUAD;
}

/* Macros: a function would pass vectors, whose ABI depends on the processor
 * compiled for. */
#define ENS_QUAD_AT(x, i)     (*(const ens_quad *)((x) + (i)))
#define ENS_QUAD_PUT(x, i, v) (*(ens_quad *)((x) + (i)) = (v))
#define ENS_QUAD_SUM(v)       (((v)[0] + (v)[1]) + ((v)[2] + (v)[3]))

/* Compiled for AVX2, too, and chosen when the program starts. Lanes are the
 * same, and no operation is fused: the same bits. At 90 parameters a gradient
 * in whitened coordinates costs 1.2 us instead of 3.8, a leapfrog 0.3 less. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&         \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ENS_QUAD_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define ENS_QUAD_CLONES
#endif

#endif
