/* What metrics see of rows that a fit has not: a test set, and each row fitted
 * as if it had been left out. In memory of the task, a few rows' draws at a
 * time. */
#ifndef ENS_KINDS_SIMULATION_UNSEEN_H
#define ENS_KINDS_SIMULATION_UNSEEN_H

#include "fit/predict.h"
#include <ensrun/metric.h>

/** needs: of enum ens_needs; what the fit cannot tell stays NULL. */
enum ens_status ens_unseen_test(const struct ens_fitted *f,
                                const struct ens_fit_problem *test,
                                unsigned needs, struct ens_predicted *out,
                                struct ens_error *err);

/** *has: 0 without draws or log likelihood, out is left alone. */
enum ens_status ens_unseen_loo(const struct ens_fitted *f,
                               const struct ens_fit_problem *problem,
                               unsigned needs, struct ens_loo *out, int *has,
                               struct ens_error *err);

#endif
