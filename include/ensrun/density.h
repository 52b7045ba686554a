/* Log densities: what samplers and mode finders need of a model.
 *
 * q is the unconstrained scale: every vector of dim finite numbers is a point.
 * A model with a parameter that is bounded samples a transform of it and adds
 * the log of the transform's Jacobian, so that q's density is that of a proper
 * change of variables (sigma = exp(u): add u).
 *
 * A density is used by one thread of one process at a time, and by several
 * chains in turn. Its functions are called 10^4 to 10^7 times per fit.
 *
 * Do not: allocate, print, start threads, draw random numbers, or keep
 * anything in the model that makes a later call give other bits.
 */
#ifndef ENSRUN_DENSITY_H
#define ENSRUN_DENSITY_H

#include <stddef.h>

struct ens_density {
    size_t dim;  /* of q; at least 1 */
    void *model; /* handed to the functions: data, and scratch memory that
                    they may overwrite */
    /**
     * Required. Log density at q, up to a constant, and its gradient.
     *
     * Shapes:  q[dim], not changed; gradient[dim], does not overlap q.
     * Returns: -inf or NaN outside the support, or where the density cannot
     *          be had (gradient is then not read); never +inf.
     * Purity:  a function of model data and q alone, to the bit.
     */
    double (*at)(void *model, const double *q, double *gradient);
    /**
     * Optional. Second derivatives of what `at` returns, for mode finders.
     *
     * Shapes:  q[dim]; hessian[dim, dim], column-major; the lower triangle
     *          (row >= column) is read.
     * Returns: 0, or -1 where it cannot be had.
     * NULL:    central differences of the gradient, 2 dim calls of `at`.
     */
    int (*hessian)(void *model, const double *q, double *hessian);
};

#endif
