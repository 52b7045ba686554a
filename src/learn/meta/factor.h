/* (1, Z, y) made small: a triangle with the inner products of its rows. */
#ifndef ENS_LEARN_META_FACTOR_H
#define ENS_LEARN_META_FACTOR_H

#include "learn/meta/meta.h"

/* Below this ratio of squared pivot to diagonal a Gram matrix has lost more
 * than 10 of the 16 digits. */
#define ENS_META_MIN_RATIO 1e-6

/** Are the sums of column j of (1, z, y) finite: with the ones and itself? */
int ens_meta_is_finite(const struct ens_meta_moments *m, size_t n_learners,
                       size_t j);

/** Provisional means shift[n_learners + 1]: those of the first block. */
enum ens_status ens_meta_shift(const struct ens_meta_problem *problem,
                               double *shift, struct ens_error *err);

/** One pass over rows, columns less the shift, which is lent; NULL: those of
 * ens_meta_shift. Columns with values that are not finite have such sums. */
enum ens_status ens_meta_moments_make(const struct ens_meta_problem *problem,
                                      const double *shift,
                                      struct ens_meta_moments *moments,
                                      struct ens_error *err);

/**
 * r[(n + 2)^2], column-major, upper triangle: r'r = (1, z, y)' W (1, z, y) of
 * n of the problem's columns, finite ones, less their shift; r[0] > 0. Returns
 * the smallest ratio of a squared pivot of a column of z to its diagonal:
 * ENS_META_MIN_RATIO or less says that r has lost digits. work[(n + 2)^2].
 */
double ens_meta_factor_gram(const struct ens_meta_moments *moments,
                            size_t n_learners, const size_t *column, size_t n,
                            double *r, double *work);

/** The same by QR of blocks of rows: a pass that squares no condition. */
enum ens_status ens_meta_factor_rows(const struct ens_meta_problem *problem,
                                     const double *shift, const size_t *column,
                                     size_t n, double *r,
                                     struct ens_error *err);

/** So that r[0] > 0: the sign of a row is arbitrary. */
void ens_meta_turn(double *r, size_t p);
/** From r of columns less their shift to r of columns as they are: only the row
 * of the ones differs. */
void ens_meta_unshift(double *r, const double *shift, size_t n_learners,
                      const size_t *column, size_t n);

#endif
