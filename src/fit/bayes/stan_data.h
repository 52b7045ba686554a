/* Data for a Stan model, as JSON. With a formula:
 *
 *   N, p, X (N x p, the intercept's ones among its columns), y; offset, se and
 *   groups where the formula has them: J_g and g (1 .. J_g) of group g
 *
 * Without: N and every column under its own name, levels of text from 1.
 */
#ifndef ENS_FIT_BAYES_STAN_DATA_H
#define ENS_FIT_BAYES_STAN_DATA_H

#include "base/buf.h"
#include <ensrun/fitter.h>

/** Rows are written as whole numbers where they are. ENS_ENOMEMORY. */
enum ens_status ens_stan_data(const struct ens_fit_problem *problem,
                              struct ens_buf *to, struct ens_error *err);

#endif
