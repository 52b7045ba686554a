/* Kernels of chain diagnostics: a matrix of draws, as it is, to one number.
 * What is handed to them (halves, ranks, indicators) is chosen in chains.c.
 * Column c of x[n, m] is chain c. Both are NaN when a draw is not finite or
 * all are within 2.2e-16.
 * Source: Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021),
 *         doi:10.1214/20-BA1221, as computed by the R package posterior.
 */
#ifndef ENS_MCMC_ESS_H
#define ENS_MCMC_ESS_H

#include <stddef.h>

/** Potential scale reduction sqrt((B/W + n - 1)/n). */
double ens_rhat_kernel(const double *x, size_t n, size_t m);

/** Doubles of work for ens_ess_kernel. */
size_t ens_ess_work(size_t n);

/**
 * Effective sample size: n m over the integrated autocorrelation time, at
 * most n m log10(n m); NaN when n < 3. x[n, m] is overwritten.
 * Method:  Geyer's initial positive, monotone sequence of the chains' mean
 *          autocovariances and their means' variance.
 * Cost:    n m per lag up to lag 64, after it FFT for all lags.
 */
double ens_ess_kernel(double *x, size_t n, size_t m, double *work);

#endif
