#include "mcmc/gradient.h"

#include "base/bug.h"
#include "base/number.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define TOLERANCE 1e-3

size_t ens_gradient_work(size_t dim)
{
    return 3 * dim;
}

/* Central difference along parameter j of x; NaN outside the support. */
static double difference(const struct ens_density *density, double *x, size_t j,
                         double width, double *scratch)
{
    double at = x[j], high = at + width, low = at - width, up, down;

    x[j] = high;
    up = density->at(density->model, x, scratch);
    x[j] = low;
    down = density->at(density->model, x, scratch);
    x[j] = at;
    return (up - down) / (high - low);
}

/* Does one of several widths agree? *found: the difference nearest to g. */
static int agrees(const struct ens_density *density, double *x, size_t j,
                  double lp, double g, double *scratch, double *found)
{
    static const double widths[] = {1e-5, 1e-4, 1e-6, 1e-3, 1e-7};

    *found = NAN;
    for (size_t k = 0; k < ENS_COUNT(widths); k++) {
        double width = widths[k] * fmax(1, fabs(x[j]));
        double rounding = 8 * DBL_EPSILON * fmax(1, fabs(lp)) / width;
        double value = difference(density, x, j, width, scratch);

        if (isfinite(g) && fabs(value - g) <= TOLERANCE * fabs(g) + rounding)
            return 1;
        if (isfinite(value) && !(fabs(value - g) > fabs(*found - g)))
            *found = value;
    }
    return 0;
}

static enum ens_status complain(size_t j, const char *const *name, double g,
                                double found, struct ens_error *err)
{
    char given[ENS_NUMBER_BYTES], expected[ENS_NUMBER_BYTES];

    ens_number_format(given, g);
    ens_number_format(expected, found);
    if (name)
        return ens_fail(err, ENS_EDOMAIN,
                        "wrong gradient: along %s it is %s, differences of "
                        "the log density give %s",
                        name[j], given, expected);
    return ens_fail(err, ENS_EDOMAIN,
                    "wrong gradient: along parameter %zu it is %s, "
                    "differences of the log density give %s",
                    j + 1, given, expected);
}

enum ens_status ens_gradient_check(const struct ens_density *density,
                                   const double *q, const char *const *name,
                                   double *work, struct ens_error *err)
{
    size_t dim = density->dim;
    double *x = work, *gradient = work + dim, *scratch = work + 2 * dim;
    double lp, found;

    memcpy(x, q, dim * sizeof(*x));
    lp = density->at(density->model, x, gradient);
    if (!isfinite(lp))
        return ens_fail(err, ENS_EDOMAIN,
                        "gradient not checked: the log density is not finite "
                        "there");
    for (size_t j = 0; j < dim; j++)
        if (!agrees(density, x, j, lp, gradient[j], scratch, &found))
            return complain(j, name, gradient[j], found, err);
    return ENS_OK;
}
