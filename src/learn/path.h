/* The penalty of lasso or elastic net by cross-validation, as scikit-learn's
 * LassoCV and ElasticNetCV choose it: on a path of alphas from the least one
 * that leaves no coefficient, that with the least mean over folds of the mean
 * square error in each. Folds are blocks of rows in order.
 *
 * One pass over rows gives the sums of all folds; fits and errors come from
 * these.
 */
#ifndef ENS_LEARN_PATH_H
#define ENS_LEARN_PATH_H

#include "learn/penalised.h"

struct ens_path {
    struct ens_penalised penalty; /* alpha is what is chosen; l1_ratio > 0 */
    uint32_t folds;               /* at least 2 */
    size_t n_alphas;              /* at least 1 */
    double least;                 /* the last alpha, as a share of the first */
};

uint64_t ens_path_doubles(const struct ens_path *o, size_t p);

/**
 * o->penalty.alpha, from squares q of all rows.
 * ENS_EDOMAIN: fewer rows than folds, a fold without weight.
 */
enum ens_status ens_path_choose(struct ens_path *o,
                                const struct ens_learn_job *job,
                                const struct ens_rows *rows,
                                const struct ens_squares *q,
                                struct ens_error *err);

/** The fit of learners: choose, then fit all rows. */
enum ens_status ens_path_fit(const struct ens_path *o,
                             const struct ens_learn_job *job,
                             const struct ens_rows *rows,
                             struct ens_error *err);

#endif
