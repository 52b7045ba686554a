/* Least squares under constraints, of a task. */
#ifndef ENS_LEARN_META_SQUARES_H
#define ENS_LEARN_META_SQUARES_H

#include "learn/meta/method.h"

/** weight[n] >= 0, with sum 1 when is_simplex, minimises |f weight - b|. */
enum ens_status ens_meta_squares(const struct ens_meta_task *task,
                                 int is_simplex, double *weight,
                                 struct ens_error *err);

/** weight[n], of the centred columns: minimises |f weight - b|^2 + penalty
 * |weight|^2; the smallest ones where there are many. */
enum ens_status ens_meta_ridge_weights(const struct ens_meta_task *task,
                                       double penalty, double *weight,
                                       struct ens_error *err);

#endif
