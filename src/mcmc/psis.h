/* Pareto smoothed importance sampling: weights of draws of one distribution
 * for means under another, and the Pareto shape k that tells whether they
 * will do.
 * Source: Vehtari, Simpson, Gelman, Yao and Gabry (2024), "Pareto smoothed
 *         importance sampling", JMLR 25; the fit by Zhang and Stephens (2009),
 *         doi:10.1198/tech.2009.08017.
 */
#ifndef ENS_MCMC_PSIS_H
#define ENS_MCMC_PSIS_H

#include <stddef.h>

/** Doubles of work for s draws. */
size_t ens_psis_work(size_t s);

/**
 * lw[s], log ratios up to a constant, become normalised log weights. r_eff is
 * the share of the draws that are effective (ESS / s).
 * Returns k; infinite where no tail was fitted (fewer than 5 draws in it, or
 * all the same) and weights are as they were. NaN, and lw undefined, when a
 * ratio is not finite.
 */
double ens_psis(double *lw, size_t s, double r_eff, double *work);

/** k up to which s draws will do: min(1 - 1/log10(s), 0.7). */
double ens_psis_threshold(size_t s);

/** Effective draws of log weights lw[s]: r_eff / sum of squares. */
double ens_psis_n_eff(const double *lw, size_t s, double r_eff);

/* E_loo: of x[s] under log weights lw[s]. */
double ens_weighted_mean(const double *x, const double *lw, size_t s);
/** NaN when all weight is on one draw. */
double ens_weighted_var(const double *x, const double *lw, size_t s);
/**
 * Linear between the cumulative weights of sorted draws; 0 <= p <= 1. Type 7
 * when all weights are the same. work[ENS_ORDER_WORK(s) + 2 s].
 */
double ens_weighted_quantile(const double *x, const double *lw, size_t s,
                             double p, double *work);

/** log(sum exp x), -infinity for n = 0. */
double ens_log_sum_exp(const double *x, size_t n);

#endif
