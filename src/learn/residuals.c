#include "learn/residuals.h"

#include "math/sums.h"

#include <float.h>
#include <math.h>

#define ROUNDING (16 * DBL_EPSILON) /* of sums */
#define ONCE     (2 * DBL_EPSILON)  /* of a mean, which is a shift and a sum */
#define ENOUGH   5e-10              /* relative */

/* Mean of the residuals, and how far off it may be. */
static double bias_of(const struct ens_moments *m,
                      const struct ens_linear_form *f, double *off)
{
    double bias = m->y_mean - f->base;
    double size = fabs(m->y_mean) + f->base_size;

    for (size_t j = 0; j < f->p; j++) {
        bias -= (m->mean[j] - f->centre[j]) * f->coef[j];
        size += (fabs(m->mean[j]) + fabs(f->centre[j])) * f->coef_size[j];
    }
    *off = ONCE * size;
    return bias;
}

double ens_residuals_square(const struct ens_moments *m, double lost,
                            const struct ens_linear_form *f)
{
    double var = m->y_var, spread = sqrt(m->y_var), off, error, square;
    double bias = bias_of(m, f, &off);

    for (size_t j = 0; j < f->p; j++) {
        const double *row = m->cov + j * f->p;

        spread += f->coef_size[j] * sqrt(row[j]);
        if (f->coef[j] != 0)
            var += f->coef[j] * (ens_dot(row, f->coef, f->p) - 2 * m->cross[j]);
    }
    square = var + bias * bias;
    error = ROUNDING * fmax(lost, 1) * spread * spread +
            (2 * fabs(bias) + off) * off;
    return error < ENOUGH * square && ROUNDING * lost < ENOUGH ? square : NAN;
}
