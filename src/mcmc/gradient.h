/* Is the gradient of a density the derivative of its value? A sampler that is
 * given a wrong one works, badly, and says nothing. */
#ifndef ENS_MCMC_GRADIENT_H
#define ENS_MCMC_GRADIENT_H

#include <ensrun/density.h>
#include <ensrun/error.h>

/** Doubles of work for ens_gradient_check. */
size_t ens_gradient_work(size_t dim);

/**
 * Compare the gradient at q[dim] with central differences of the log density,
 * over several widths: one that agrees to 1e-3, or to what rounding of the log
 * density leaves, is enough.
 * Errors:  ENS_EDOMAIN names the parameter (name[dim], or NULL) and both
 *          values, or says that nothing can be compared: log densities at q
 *          and around it are not finite.
 * Cost:    two evaluations per parameter, ten where they disagree.
 */
enum ens_status ens_gradient_check(const struct ens_density *density,
                                   const double *q, const char *const *name,
                                   double *work, struct ens_error *err);

#endif
