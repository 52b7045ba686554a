/* Affine functions of rows, and what is made of their values: in lanes, so
 * that a value depends on its own row alone, to the last bit. */
#ifndef ENS_MATH_AFFINE_H
#define ENS_MATH_AFFINE_H

#include <stddef.h>

/** base + sum of (x[j] - centre[j]) coef[j]. */
struct ens_affine {
    size_t p;
    const double *centre; /* p, then zeros up to a multiple of 8 */
    double base;
    const double *coef; /* likewise */
};

/** out[i * stride], i < n, of rows of x[n, p]; 7 finite doubles behind the
 * last row are read. */
void ens_affine_rows(const struct ens_affine *f, const double *x, size_t n,
                     double *out, size_t stride);

/** eta[n] to 1 / (1 + exp(-eta)). */
void ens_affine_logistic(double *eta, size_t n);
/** eta[n] to exp(eta); beyond 709 as of 709. */
void ens_affine_exp(double *eta, size_t n);
/** eta[k] to exp(eta) / sum of exp(eta); -inf gives 0. */
void ens_affine_softmax(double *eta, size_t k);

#endif
