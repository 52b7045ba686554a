/* Eight doubles at a time, for kernels over rows: plain arithmetic in a fixed
 * order, so the bits are the same whatever vectors the processor has (no
 * fused multiply-add: -ffp-contract=off). A file that includes this is
 * compiled with -O3; nothing of it is passed between files.
 *
 * exp and log are within 2 units of the last place; libm's are called nowhere
 * in a loop over rows.
 */
#ifndef ENS_MATH_LANES_H
#define ENS_MATH_LANES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One function, compiled for each kind of vectors and chosen at start. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&         \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ENS_LANES_CLONES                                                       \
    __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define ENS_LANES_CLONES
#endif
#define ENS_LANES_INLINE static inline __attribute__((always_inline))

#pragma GCC diagnostic ignored "-Wpsabi" /* all of it is inlined */

#define ENS_LANES 8
typedef double ens_lanes __attribute__((vector_size(64)));
typedef int64_t ens_lanes_bits __attribute__((vector_size(64)));
typedef uint64_t ens_lanes_words
    __attribute__((vector_size(64))); /* may wrap */

ENS_LANES_INLINE ens_lanes ens_lanes_load(const double *p)
{
    ens_lanes v;

    memcpy(&v, p, sizeof(v));
    return v;
}

ENS_LANES_INLINE void ens_lanes_store(double *p, ens_lanes v)
{
    memcpy(p, &v, sizeof(v));
}

/** The first n < 8 lanes from p, the others `rest`. */
ENS_LANES_INLINE ens_lanes ens_lanes_part(const double *p, size_t n,
                                          double rest)
{
    double v[ENS_LANES];

    for (size_t k = 0; k < ENS_LANES; k++)
        v[k] = k < n ? p[k] : rest;
    return ens_lanes_load(v);
}

ENS_LANES_INLINE ens_lanes ens_lanes_all(double x)
{
    return (ens_lanes){x, x, x, x, x, x, x, x};
}

ENS_LANES_INLINE double ens_lanes_sum(ens_lanes v)
{
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

ENS_LANES_INLINE double ens_lanes_product(ens_lanes v)
{
    return ((v[0] * v[4]) * (v[2] * v[6])) * ((v[1] * v[5]) * (v[3] * v[7]));
}

ENS_LANES_INLINE ens_lanes_bits ens_lanes_to_bits(ens_lanes v)
{
    return (ens_lanes_bits)v;
}

ENS_LANES_INLINE ens_lanes ens_lanes_from_bits(ens_lanes_bits b)
{
    return (ens_lanes)b;
}

/** mask (all ones or zeros) ? a : b */
ENS_LANES_INLINE ens_lanes ens_lanes_choose(ens_lanes_bits mask, ens_lanes a,
                                            ens_lanes b)
{
    return ens_lanes_from_bits((mask & ens_lanes_to_bits(a)) |
                               (~mask & ens_lanes_to_bits(b)));
}

ENS_LANES_INLINE ens_lanes ens_lanes_abs(ens_lanes x)
{
    return ens_lanes_from_bits(ens_lanes_to_bits(x) & INT64_MAX);
}

/**
 * exp(x), of x from -708 to 709; beyond, of the nearer of them. NaN is NaN.
 * Method: x = k log 2 + r, Taylor to r^13 (|r| < 0.35: 4e-18), 2^k by bits.
 */
ENS_LANES_INLINE ens_lanes ens_lanes_exp(ens_lanes x)
{
    const double shift = 0x1.8p52;
    ens_lanes_words power;
    ens_lanes y, k, r, p;

    y = ens_lanes_choose(x > 709.0, ens_lanes_all(709.0), x);
    y = ens_lanes_choose(y < -708.0, ens_lanes_all(-708.0), y);
    k = y * 0x1.71547652b82fep0 + shift; /* the low bits hold k */
    r = k - shift;
    r = (y - r * 0x1.62e42fefa38p-1) - r * 0x1.ef35793c7673p-45;
    p = ens_lanes_all(1.0 / 6227020800.0);
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = (p * r) * r + r;
    power = ((ens_lanes_words)ens_lanes_to_bits(k) + 1023) << 52;
    return (p + 1.0) * ens_lanes_from_bits((ens_lanes_bits)power);
}

/**
 * log(x) of normal numbers above 0; of others the value is meaningless, but
 * NaN is NaN.
 * Method: x = 2^k m with m from 0.7 to 1.4, log m = 2 atanh((m - 1)/(m + 1))
 *         by its series to the 23rd power (1e-18).
 */
ENS_LANES_INLINE ens_lanes ens_lanes_log(ens_lanes x)
{
    const uint64_t root = 0x3fe6a09e667f3bcd; /* sqrt(1/2) */
    ens_lanes_words b = (ens_lanes_words)ens_lanes_to_bits(x);
    ens_lanes_words e = ((b - root + ((uint64_t)1023 << 52)) >> 52) & 0xfff;
    ens_lanes k, f, s, z, p;

    k = ens_lanes_from_bits((ens_lanes_bits)(e | 0x4330000000000000)) -
        (0x1p52 + 1023);
    f = ens_lanes_from_bits((ens_lanes_bits)(b - ((e - 1023) << 52))) - 1.0;
    s = f / (f + 2.0);
    z = s * s;
    p = ens_lanes_all(2.0 / 23);
    p = p * z + 2.0 / 21;
    p = p * z + 2.0 / 19;
    p = p * z + 2.0 / 17;
    p = p * z + 2.0 / 15;
    p = p * z + 2.0 / 13;
    p = p * z + 2.0 / 11;
    p = p * z + 2.0 / 9;
    p = p * z + 2.0 / 7;
    p = p * z + 2.0 / 5;
    p = p * z + 2.0 / 3;
    p = (s * (z * p) + k * 0x1.ef35793c7673p-45) + 2.0 * s;
    p = p + k * 0x1.62e42fefa38p-1;
    return ens_lanes_choose(x == x, p, x);
}

#endif
