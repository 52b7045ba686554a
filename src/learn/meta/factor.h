/* (1, Z, y) made small: a triangle with the inner products of its rows. */
#ifndef ENS_LEARN_META_FACTOR_H
#define ENS_LEARN_META_FACTOR_H

#include "learn/meta/meta.h"

/* Below this ratio of squared pivot to diagonal a Gram matrix has lost more
 * than 10 of the 16 digits. */
#define ENS_META_MIN_RATIO 1e-6

/** One pass over rows. Columns with values that are not finite have such
 * sums. */
enum ens_status ens_meta_moments_make(const struct ens_meta_problem *problem,
                                      struct ens_meta_moments *moments,
                                      struct ens_error *err);

/**
 * r[(n + 2)^2], column-major, upper triangle: r'r = (1, z, y)' W (1, z, y) of
 * n of the problem's columns, finite ones; r[0] > 0. Returns the smallest ratio
 * of a squared pivot of a column of z to its diagonal: ENS_META_MIN_RATIO or
 * less says that r has lost digits. work[(n + 2)^2].
 */
double ens_meta_factor_gram(const struct ens_meta_moments *moments,
                            size_t n_learners, const size_t *column, size_t n,
                            double *r, double *work);

/** The same by QR of blocks of rows: a pass that squares no condition. */
enum ens_status ens_meta_factor_rows(const struct ens_meta_problem *problem,
                                     const double *shift, const size_t *column,
                                     size_t n, double *r,
                                     struct ens_error *err);

#endif
