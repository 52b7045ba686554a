/* Least squares from moments: what linear learners minimise.
 *
 *     1/2 v - b'k + 1/2 b'C b   (half the mean square error, weights W)
 *
 * with C, k, v centred moments, or without intercept moments about 0.
 */
#ifndef ENS_LEARN_SQUARES_H
#define ENS_LEARN_SQUARES_H

#include "learn/linear.h"

struct ens_squares {
    size_t p;
    double weight;   /* W */
    const double *c; /* p x p, both triangles */
    const double *k; /* p */
    double v;
    const double *centre; /* p: means; NULL without intercept */
    double base;          /* mean of the response; 0 */
};

/**
 * Of moments; memory from job. ENS_EDOMAIN: not finite.
 */
enum ens_status ens_squares_init(struct ens_squares *q,
                                 const struct ens_learn_job *job,
                                 const struct ens_moments *m, int intercept,
                                 struct ens_error *err);

/** The model of coefficients b[p], made in job's memory. */
enum ens_status ens_squares_model(const struct ens_squares *q,
                                  const struct ens_learn_job *job,
                                  const double *b, struct ens_error *err);

/** Doubles of memory that ens_squares_solve takes from its job; when it must
 * go to the rows. */
uint64_t ens_squares_doubles(size_t p);

/**
 * b[p] that minimises the sum of w (y - x b)^2 + alpha |b|^2.
 * Method: Cholesky of the matrix scaled to a unit diagonal; where its
 *         reciprocal condition is below 1e-7, QR of the rows themselves in
 *         blocks (R of the blocks so far on top of the next), then its
 *         singular values. Directions shorter than rounding of the data are
 *         left out: of the solutions that are left the one of least norm,
 *         and a warning names the columns.
 */
enum ens_status ens_squares_solve(const struct ens_squares *q,
                                  const struct ens_learn_job *job,
                                  const struct ens_rows *rows, double alpha,
                                  double *b, struct ens_error *err);

/** The fit of ols and ridge: moments, solution, model. */
enum ens_status ens_squares_fit(const struct ens_learn_job *job,
                                const struct ens_rows *rows, int intercept,
                                double alpha, struct ens_error *err);

#endif
