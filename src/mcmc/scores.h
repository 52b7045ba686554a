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

#endif
