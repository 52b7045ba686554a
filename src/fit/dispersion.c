#include "fit/dispersion.h"

#include <gsl/gsl_sf_psi.h>
#include <math.h>

#define MAX_STEPS   200
#define RECIPROCALS 32 /* terms up to which a sum is faster than digamma */
/* Beyond it the variance is that of Poisson to 10^-6, and the score cancels
 * to its last digits. */
#define MAX_RATIO 1e6
#define MIN_PHI   1e-10

/* digamma(phi + y) - digamma(phi), and minus that of trigamma */
static void differences(double phi, double y, double *first, double *second)
{
    *first = *second = 0;
    if (y > RECIPROCALS) {
        *first = gsl_sf_psi(phi + y) - gsl_sf_psi(phi);
        *second = gsl_sf_psi_1(phi) - gsl_sf_psi_1(phi + y);
        return;
    }
    for (double k = 0; k < y; k++) {
        *first += 1 / (phi + k);
        *second += 1 / ((phi + k) * (phi + k));
    }
}

static double score(const double *y, const double *mu, size_t n, double phi,
                    double *info)
{
    double sum = 0;

    *info = 0;
    for (size_t i = 0; i < n; i++) {
        double m = mu[i] + phi, first, second;

        differences(phi, y[i], &first, &second);
        sum += first - log1p(mu[i] / phi) + (mu[i] - y[i]) / m;
        *info += second - mu[i] / (phi * m) + (mu[i] - y[i]) / (m * m);
    }
    return sum;
}

/* Moments: the start of MASS::theta.ml. */
static double moments(const double *y, const double *mu, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (y[i] / mu[i] - 1) * (y[i] / mu[i] - 1);
    return (double)n / sum;
}

/* Newton's steps in log phi, halving the bracket where they leave it. The
 * score is positive below the root and negative above. */
double ens_dispersion_negbinomial(const double *y, const double *mu, size_t n,
                                  double *info)
{
    double mean = 0, low, high, at;

    for (size_t i = 0; i < n; i++)
        mean += y[i] / (double)n;
    if (!(score(y, mu, n, MAX_RATIO * mean, info) < 0)) {
        *info = NAN;
        return MAX_RATIO * mean;
    }
    low = log(MIN_PHI);
    high = log(mean * MAX_RATIO);
    at = log(moments(y, mu, n));
    for (int k = 0; k < MAX_STEPS; k++) {
        double phi, s, slope, next;

        if (!(at > low && at < high))
            at = (low + high) / 2;
        phi = exp(at);
        s = score(y, mu, n, phi, info);
        if (s > 0)
            low = at;
        else
            high = at;
        slope = phi * s - phi * phi * *info; /* of phi s, in log phi */
        next = slope < 0 ? at - phi * s / slope : NAN;
        if (fabs(next - at) < 1e-13 * fmax(1, fabs(at)) || high - low < 1e-14)
            break;
        at = next;
    }
    return exp(at);
}

double ens_dispersion_gamma(double deviance, size_t n, double *info)
{
    double d = deviance / (double)n;
    double shape = (6 + 2 * d) / (d * (6 + d)); /* within 1.5 % */

    for (int k = 0; k < MAX_STEPS; k++) {
        double s = log(shape) - gsl_sf_psi(shape) - d / 2;
        double step = s / (gsl_sf_psi_1(shape) - 1 / shape);

        shape = shape + step > 0 ? shape + step : shape / 2;
        if (fabs(step) < 1e-14 * shape)
            break;
    }
    *info = (double)n * (gsl_sf_psi_1(shape) - 1 / shape);
    return shape;
}
