#include "math/quantile.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

double ens_quantile_sorted(const double *x, size_t n, double q)
{
    double h = (double)(n - 1) * q;
    size_t low = (size_t)h;
    double part = h - (double)low;

    if (low + 1 >= n)
        return x[n - 1];
    return part == 0 ? x[low] : x[low] + part * (x[low + 1] - x[low]);
}

double ens_quantile_halfwidth(double level, double df)
{
    double tail = (1 - level) / 2;

    if (!(level > 0 && level < 1) || !(df > 0))
        return NAN;
    return isinf(df) ? gsl_cdf_ugaussian_Qinv(tail)
                     : gsl_cdf_tdist_Qinv(tail, df);
}
