/* Proper scores of forecasts given by draws or limits; smaller is better. All
 * are in units of what is forecast.
 * Source: Gneiting and Raftery (2007), doi:10.1198/016214506000001437.
 */
#ifndef ENS_MCMC_SCORES_H
#define ENS_MCMC_SCORES_H

#include <stddef.h>

/**
 * Continuous ranked probability score of x[n], sorted ascending, at y:
 * mean |x - y| - mean |x - x'| / 2 over all pairs; is_fair: over different
 * draws only, which is unbiased for the distribution they are from
 * (n >= 2, else NaN).
 */
double ens_crps_sorted(const double *x, size_t n, double y, int is_fair);

/** Of limits for a central interval of the level (0 < level < 1): their
 * distance, and 2/(1 - level) times that of y from them. */
double ens_interval_score(double low, double high, double level, double y);

/** Of a quantile q for probability p: 2 (1[y < q] - p) (q - y). */
double ens_quantile_score(double q, double p, double y);

/**
 * Probability integral transform: weight of the draws x[n] below y, and the
 * share u of that of draws equal to y. lw[n]: normalised log weights (of
 * leave-one-out, say), NULL: all the same. u: uniform, for discrete y.
 */
double ens_pit(const double *x, const double *lw, size_t n, double y, double u);

#endif
