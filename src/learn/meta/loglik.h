/* Likelihood of classes 0 and 1 on the logit scale, and its maximum. */
#ifndef ENS_LEARN_META_LOGLIK_H
#define ENS_LEARN_META_LOGLIK_H

#include "learn/meta/method.h"

/**
 * weight[n] >= 0 minimises -2 sum of w [y log p + (1 - y) log(1 - p)], p the
 * inverse logit of the sum of weight times logit(z), z cut to trim .. 1 - trim;
 * is_simplex: among weights that sum to 1.
 * Method:  Newton's: the objective is convex, and each step is a problem of
 *          ens_active_solve, halved until the objective falls. Measured on
 *          400 rows of 4 learners: 5 or 6 passes over rows to rounding, where
 *          NLopt's SLSQP, which learns the curvature from gradients, takes 7
 *          to 1e-6.
 */
enum ens_status ens_meta_loglik_fit(const struct ens_meta_task *task,
                                    double trim, int is_simplex, double *weight,
                                    struct ens_error *err);

#endif
