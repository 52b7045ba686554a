/* From a random start to where draws are: some steps of L-BFGS uphill.
 *
 * A start is often far in the tail, where the log density is a thousand times
 * below that of draws and its gradient varies as it does nowhere else. A
 * metric that is learned from the way in is not one for the rest.
 * Source:  Nocedal and Wright (2006), Numerical optimization, alg. 7.4.
 */
#ifndef ENS_MCMC_SETTLE_H
#define ENS_MCMC_SETTLE_H

#include <stddef.h>

struct ens_nuts;

/** Doubles of work for ens_settle. */
size_t ens_settle_work(size_t dim);

/**
 * Move the sampler's state uphill until that hardly raises the log density
 * (there need not be a mode), and set its scale from the last steps: length
 * over change of gradient, by coordinate.
 */
void ens_settle(struct ens_nuts *nuts, double *work);

#endif
