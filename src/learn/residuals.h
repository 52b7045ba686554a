/* Mean square error of a linear function of columns, from moments of the rows
 * it is to be judged on: no pass over them. */
#ifndef ENS_LEARN_RESIDUALS_H
#define ENS_LEARN_RESIDUALS_H

#include <ensrun/learner.h>

/** base + sum of (x_j - centre_j) coef_j, with the sizes of the terms that base
 * and coef_j are sums of: rounding is relative to these. */
struct ens_linear_form {
    size_t p;
    double base, base_size;
    double *centre, *coef, *coef_size; /* p */
};

/**
 * Sum of w (y - form)^2 / W over the rows of m; lost: of ens_moments_finish.
 * NaN where rounding may be more than 5e-10 of it, or of the response's
 * variance: the rows have to be read.
 *
 * Method:  (y_mean - form(mean))^2 + y_var - 2 b'cross + b'cov b. With
 *          s = sqrt(y_var) + sum of |b_j| sqrt(cov_jj) no term is larger than
 *          s^2, so rounding is at most a few eps lost s^2 (16: tests/unit/
 *          test_residuals.c finds up to 2), and means are good to 2 eps of
 *          what they are of.
 * Cost:    p^2 for as many coefficients as are not 0.
 */
double ens_residuals_square(const struct ens_moments *m, double lost,
                            const struct ens_linear_form *form);

#endif
