/* Likelihoods over blocks of rows: what each family adds to the log density,
 * and its derivatives by the predictor and by the family's parameters.
 *
 * Constants of the data are left out, and what has a closed form over all rows
 * (model.c adds it: sums of lgamma, n log sigma ...).
 */
#ifndef ENS_FIT_BAYES_KERNEL_H
#define ENS_FIT_BAYES_KERNEL_H

#include <stddef.h>

/* Rows at once: a block's predictors and slopes stay in L1; the product of as
 * many factors of a logistic likelihood, each up to 2, is below 2^512. */
#define ENS_KERNEL_BLOCK 512

/** What a kernel sums over its rows. */
struct ens_kernel_sums {
    double value;  /* of the log likelihood */
    double first;  /* derivative by the first parameter */
    double second; /* by the second */
};

/**
 * Shapes:  y[n], w[n] (gaussian; NULL: ones), eta[n], n <= ENS_KERNEL_BLOCK.
 *          eta is the predictor before, the derivative of the log likelihood
 *          by it after.
 * Parameters: gaussian 1/sigma^2; student sigma, nu; negbinomial phi; gamma
 *          shape.
 * Adds to:  sums->value; first, second as said at each.
 */
typedef void ens_kernel_fn(const double *y, const double *w, double *eta,
                           size_t n, const double *parameter,
                           struct ens_kernel_sums *sums);

/** value: -sum w r^2 / 2 sigma^2; first: sum w r^2. */
ens_kernel_fn ens_kernel_gaussian;
/** value: -(nu + 1)/2 sum log(1 + z^2/nu), z = r/sigma; first: sum of (nu + 1)
 * z^2/(nu + z^2); second: by nu. */
ens_kernel_fn ens_kernel_student;
/** value: sum y eta - log(1 + exp(eta)) */
ens_kernel_fn ens_kernel_binomial;
/** value: sum y eta - exp(eta) */
ens_kernel_fn ens_kernel_poisson;
/** value: sum y (eta - log(mu + phi)) - phi log(1 + mu/phi); first: by phi. */
ens_kernel_fn ens_kernel_negbinomial;
/** value: -shape sum (eta + y/mu); first: -sum (eta + y/mu). */
ens_kernel_fn ens_kernel_gamma;

/** out[i] += sum_j x[i + j ld] b[j] */
void ens_kernel_times(const double *x, size_t ld, size_t n, size_t p,
                      const double *b, double *out);
/** out[j] += sum_i x[i + j ld] r[i] */
void ens_kernel_cross(const double *x, size_t ld, size_t n, size_t p,
                      const double *r, double *out);
/** value = sum_k w[k] log(phi + k), *slope = sum_k w[k]/(phi + k) */
double ens_kernel_rising(const double *w, size_t n, double phi, double *slope);

#endif
