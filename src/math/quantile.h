/* Quantiles, of samples and of the distributions that limits come from. */
#ifndef ENS_MATH_QUANTILE_H
#define ENS_MATH_QUANTILE_H

#include <stddef.h>

/**
 * Sample quantile of x[n], sorted ascending, n >= 1; 0 <= q <= 1.
 * Method:  R's type 7, linear between order statistics at (n - 1) q.
 * Source:  Hyndman and Fan (1996), doi:10.1080/00031305.1996.10473566.
 */
double ens_quantile_sorted(const double *x, size_t n, double q);

/**
 * Half-width of a two-sided interval of the given level, in standard errors:
 * the (1 + level)/2 quantile of t with df degrees of freedom, of the normal
 * when df is infinite. NaN unless 0 < level < 1 and df > 0.
 */
double ens_quantile_halfwidth(double level, double df);

#endif
