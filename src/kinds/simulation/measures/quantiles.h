/* Quantiles of replicates with their Monte Carlo standard errors. */
#ifndef ENS_KINDS_SIMULATION_MEASURES_QUANTILES_H
#define ENS_KINDS_SIMULATION_MEASURES_QUANTILES_H

#include "math/select.h"

struct ens_quantile {
    struct ens_select select;
    uint64_t n;
    double prob;
};

/** Of n >= 1 numbers, which are then shown as a selection wants them. */
void ens_quantile_begin(struct ens_quantile *q, uint64_t n, double prob,
                        union ens_select_memory *memory);
/**
 * Value: R's type 7. mcse: half the distance of two order statistics, that
 * hold the quantile with the probability of mean -+ 1 sd of a normal, by the
 * distribution Beta(n prob + 1, n (1 - prob) + 1) of its rank, as the R
 * package posterior's mcse_quantile of independent draws.
 */
void ens_quantile_end(const struct ens_quantile *q, double *value,
                      double *mcse);

#endif
