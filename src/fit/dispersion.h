/* Maximum likelihood of a family's own parameter, given the fitted means. */
#ifndef ENS_FIT_DISPERSION_H
#define ENS_FIT_DISPERSION_H

#include <stddef.h>

/**
 * phi of a negative binomial: variance mu + mu^2 / phi.
 *
 * Shapes:  y[n], whole and not all 0; mu[n] > 0.
 * Result:  the root of the score, or where it has none, as the counts are no
 *          more dispersed than Poisson ones, 10^6 times their mean. *info:
 *          observed information there, NaN at that bound.
 * Source:  as MASS::theta.ml, but solved to all digits.
 */
double ens_dispersion_negbinomial(const double *y, const double *mu, size_t n,
                                  double *info);

/**
 * Shape of a gamma distribution: variance mu^2 / shape.
 * deviance: of the n responses, > 0. *info: its Fisher information.
 * Source:   McCullagh and Nelder (1989), eq. 8.5; as MASS::gamma.shape.
 */
double ens_dispersion_gamma(double deviance, size_t n, double *info);

#endif
