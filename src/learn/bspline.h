/* Cubic B-splines of columns: as scikit-learn's SplineTransformer makes them,
 * with knots at quantiles, constant beyond the outermost ones, and without the
 * last of each column, which the intercept stands for. */
#ifndef ENS_LEARN_BSPLINE_H
#define ENS_LEARN_BSPLINE_H

#include <ensrun/learner.h>

#define ENS_BSPLINE_DEGREE 3
/* Rows of which quantiles are taken, evenly spaced ones of more. */
#define ENS_BSPLINE_SAMPLE 16384

/** Knots of a column with n inner ones, the outermost among them. */
#define ENS_BSPLINE_KNOTS(n) ((size_t)(n) + 2 * ENS_BSPLINE_DEGREE)
/** Splines of it. */
#define ENS_BSPLINE_COUNT(n) ((size_t)(n) + ENS_BSPLINE_DEGREE - 2)

/** Doubles of work for ens_bspline_knots. */
size_t ens_bspline_work(uint64_t rows, size_t p);
/**
 * Knots of all columns of r: knot[p * ENS_BSPLINE_KNOTS(n)].
 * Method:  inner ones at quantiles (type 7) 0, 1 / (n - 1) .. 1, others as far
 *          apart as the outermost two inner ones of their side. 2 <= n.
 */
void ens_bspline_knots(const struct ens_rows *r, size_t n, double *knot,
                       double *work);

/**
 * Splines at x[p] that are not 0: their numbers, ascending, and values.
 * Shapes:  index, value: p * (ENS_BSPLINE_DEGREE + 1). Returns how many; a
 *          column whose knots are all equal has none.
 */
size_t ens_bspline_row(const double *knot, size_t n, size_t p, const double *x,
                       uint32_t *index, double *value);

#endif
