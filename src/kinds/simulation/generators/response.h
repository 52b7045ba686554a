/* Responses drawn from a family, given the linear predictor. */
#ifndef ENS_SIMULATION_RESPONSE_H
#define ENS_SIMULATION_RESPONSE_H

#include <ensrun/family.h>

struct ens_rng;

/* Means of counts up to which they are drawn: they must fit 32 bits. */
#define ENS_RESPONSE_MAX_MEAN 1e9

/**
 * One response with predictor eta. parameter: that of the family (family.h);
 * of student parameter[1] is nu. NaN when a count's mean is beyond
 * ENS_RESPONSE_MAX_MEAN.
 */
double ens_response_draw(struct ens_rng *g, enum ens_family family, double eta,
                         const double *parameter);

#endif
