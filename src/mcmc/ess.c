#include "mcmc/ess.h"

#include "math/sums.h"

#include <float.h>
#include <gsl/gsl_fft_halfcomplex.h>
#include <gsl/gsl_fft_real.h>
#include <math.h>
#include <string.h>

/* Up to this lag sums are taken one by one, as chains that mix stop within
 * 20. 8 halves of 500 draws: 0.5 us a lag, 45 us for all lags by FFT. */
#define DIRECT_LAGS 64

static int is_computable(const double *x, size_t n)
{
    double low = INFINITY, high = -INFINITY;

    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i]))
            return 0;
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    return high - low >= DBL_EPSILON;
}

static struct ens_welford column_moments(const double *x, size_t n)
{
    struct ens_welford m = {.n = n, .mean = ens_sum(x, n) / (double)n};

    for (size_t i = 0; i < n; i++)
        m.m2 += (x[i] - m.mean) * (x[i] - m.mean);
    return m;
}

double ens_rhat_kernel(const double *x, size_t n, size_t m)
{
    struct ens_welford means = {0};
    double within = 0, between;

    if (!is_computable(x, n * m))
        return NAN;
    for (size_t c = 0; c < m; c++) {
        struct ens_welford chain = column_moments(x + c * n, n);

        ens_welford_add(&means, chain.mean);
        within += ens_welford_var(&chain) / (double)m;
    }
    between = (double)n * ens_welford_var(&means);
    return sqrt((between / within + (double)n - 1) / (double)n);
}

/* Mean autocovariances of centred chains x[n, m], lag by lag. */
struct autocov {
    const double *x;
    size_t n, m;
    size_t padded; /* length of the transforms */
    double *work;  /* 2 * padded; all lags, once transformed */
    int has_all;
};

static size_t padded(size_t n)
{
    size_t size = 1;

    while (size < 2 * n)
        size *= 2;
    return size;
}

/* The power spectra of padded chains are added, so one inverse will do. */
static void transform(struct autocov *a)
{
    double *sum = a->work, *one = a->work + a->padded;
    size_t half = a->padded / 2;

    memset(sum, 0, a->padded * sizeof(*sum));
    for (size_t c = 0; c < a->m; c++) {
        memcpy(one, a->x + c * a->n, a->n * sizeof(*one));
        memset(one + a->n, 0, (a->padded - a->n) * sizeof(*one));
        gsl_fft_real_radix2_transform(one, 1, a->padded);
        sum[0] += one[0] * one[0];
        sum[half] += one[half] * one[half];
        for (size_t k = 1; k < half; k++)
            sum[k] += one[k] * one[k] + one[a->padded - k] * one[a->padded - k];
    }
    gsl_fft_halfcomplex_radix2_inverse(sum, 1, a->padded);
    a->has_all = 1;
}

static double lag(struct autocov *a, size_t t)
{
    double sum = 0;

    if (t > DIRECT_LAGS && !a->has_all)
        transform(a);
    if (a->has_all)
        return a->work[t] / (double)a->n / (double)a->m;
    for (size_t c = 0; c < a->m; c++)
        sum += ens_dot(a->x + c * a->n, a->x + c * a->n + t, a->n - t);
    return sum / (double)a->n / (double)a->m;
}

/* Autocorrelations rho[n], kept by pairs while they add up to more than 0;
 * after the last of them rho[*end] may hold one of its own. */
static void positive_pairs(struct autocov *a, double var_means, double *rho,
                           size_t *end)
{
    double var = lag(a, 0);
    double within = var * (double)a->n / (double)(a->n - 1);
    double plus = var + var_means;
    double even = 1, odd = 1 - (within - lag(a, 1)) / plus;
    size_t t = 0;

    memset(rho, 0, a->n * sizeof(*rho));
    rho[0] = even;
    rho[1] = odd;
    /* NaN ends it, too */
    while (t + 5 < a->n && even + odd > 0) {
        t += 2;
        even = 1 - (within - lag(a, t)) / plus;
        odd = 1 - (within - lag(a, t + 1)) / plus;
        if (even + odd >= 0) {
            rho[t] = even;
            rho[t + 1] = odd;
        }
    }
    if (even > 0)
        rho[t] = even;
    *end = t;
}

/* Integrated time of rho[0 .. end]. */
static double time_of(double *rho, size_t end)
{
    double sum = 0;

    for (size_t t = 2; t + 2 <= end; t += 2) {
        double before = rho[t - 2] + rho[t - 1];

        if (rho[t] + rho[t + 1] > before)
            rho[t] = rho[t + 1] = before / 2;
    }
    for (size_t t = 0; t < end; t++)
        sum += rho[t];
    /* posterior counts rho[0] here though the sequence is empty */
    if (end == 0)
        sum = rho[0];
    return -1 + 2 * sum + rho[end];
}

size_t ens_ess_work(size_t n)
{
    return n + 2 * padded(n);
}

double ens_ess_kernel(double *x, size_t n, size_t m, double *work)
{
    struct autocov a = {x, n, m, padded(n), work + n, 0};
    struct ens_welford means = {0};
    double size = (double)(n * m), least = 1 / log10(size), tau;
    size_t end;

    if (n < 3 || !is_computable(x, n * m))
        return NAN;
    for (size_t c = 0; c < m; c++) {
        double mean = ens_sum(x + c * n, n) / (double)n;

        ens_welford_add(&means, mean);
        for (size_t i = 0; i < n; i++)
            x[c * n + i] -= mean;
    }
    positive_pairs(&a, m > 1 ? ens_welford_var(&means) : 0, work, &end);
    if (isnan(work[1]))
        return NAN; /* squares overflow */
    tau = time_of(work, end);
    return size / (tau < least ? least : tau);
}
