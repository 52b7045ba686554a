#include "mcmc/psis.h"

#include "math/order.h"
#include "math/quantile.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

/* Fewer draws in the tail are not fitted. */
#define MIN_TAIL 5

size_t ens_psis_work(size_t s)
{
    return 2 * s + ENS_ORDER_WORK(s);
}

double ens_psis_threshold(size_t s)
{
    return fmin(1 - 1 / log10((double)s), 0.7);
}

double ens_log_sum_exp(const double *x, size_t n)
{
    double top = -INFINITY, sum = 0;

    for (size_t i = 0; i < n; i++)
        top = x[i] > top ? x[i] : top;
    if (isinf(top))
        return top;
    for (size_t i = 0; i < n; i++)
        sum += exp(x[i] - top);
    return top + log(sum);
}

/* Sum of log(1 - t y[i]). Products of many factors save logarithms; where t y
 * is small they would lose its digits. */
static double sum_log1m(double t, const double *y, size_t n)
{
    double sum = 0, product = 1;

    if (fabs(t * y[n - 1]) < 0.01) {
        for (size_t i = 0; i < n; i++)
            sum += log1p(-t * y[i]);
        return sum;
    }
    for (size_t i = 0; i < n; i++) {
        product *= 1 - t * y[i];
        if (!(product > 1e-100 && product < 1e100)) {
            sum += log(product);
            product = 1;
        }
    }
    return sum + log(product);
}

/* Generalised Pareto distribution of y[n], ascending and positive. */
static void fit_pareto(const double *y, size_t n, double *k, double *sigma)
{
    size_t m = 30 + (size_t)sqrt((double)n);
    double quarter = y[(size_t)((double)n / 4 + 0.5) - 1];
    double top = -INFINITY, sum = 0, theta = 0;

    /* two passes over the grid: weights are relative to the largest */
    for (int pass = 0; pass < 2; pass++)
        for (size_t j = 1; j <= m; j++) {
            double t = 1 / y[n - 1] +
                       (1 - sqrt((double)m / ((double)j - 0.5))) / 3 / quarter;
            double shape = sum_log1m(t, y, n) / (double)n;
            double l = (double)n * (log(-t / shape) - shape - 1);

            if (pass == 0) {
                top = l > top ? l : top;
            } else {
                sum += exp(l - top);
                theta += t * exp(l - top);
            }
        }
    theta /= sum;
    *k = sum_log1m(theta, y, n) / (double)n;
    *sigma = -*k / theta;
    /* weakly informative prior: 10 draws of shape 1/2 */
    *k = (*k * (double)n + 5) / ((double)n + 10);
}

/* Excess of the distribution at probability p. */
static double pareto_quantile(double p, double k, double sigma)
{
    return k == 0 ? -sigma * log1p(-p) : sigma * expm1(-k * log1p(-p)) / k;
}

/* Of sorted[s], the last n; work[n]. */
static double smooth_tail(const double *sorted, const uint32_t *order, size_t s,
                          size_t n, double *lw, double *work)
{
    const double *tail = sorted + (s - n);
    double cutoff = exp(sorted[s - n - 1]), k, sigma;

    if (n < MIN_TAIL || tail[n - 1] - tail[0] < DBL_EPSILON / 100)
        return INFINITY;
    for (size_t i = 0; i < n; i++)
        work[i] = exp(tail[i]) - cutoff;
    fit_pareto(work, n, &k, &sigma);
    if (!isfinite(k) || !isfinite(sigma))
        return INFINITY;
    for (size_t i = 0; i < n; i++) {
        double p = ((double)i + 0.5) / (double)n;
        double w = log(cutoff + pareto_quantile(p, k, sigma));

        /* never above the largest ratio, which is 0 here */
        lw[order[s - n + i]] = w < 0 ? w : 0;
    }
    return k;
}

static size_t tail_length(size_t s, double r_eff)
{
    double n = ceil(fmin(0.2 * (double)s, 3 * sqrt((double)s / r_eff)));

    return n < (double)s ? (size_t)n : s - 1;
}

double ens_psis(double *lw, size_t s, double r_eff, double *work)
{
    double *sorted = work, *scratch = work + 2 * s, top = -INFINITY, total, k;
    uint32_t *order = (uint32_t *)(void *)(work + s);

    for (size_t i = 0; i < s; i++) {
        if (!isfinite(lw[i]))
            return NAN;
        top = lw[i] > top ? lw[i] : top;
    }
    for (size_t i = 0; i < s; i++)
        lw[i] -= top;
    ens_order(lw, s, sorted, order, scratch);
    k = s < 2
            ? INFINITY
            : smooth_tail(sorted, order, s, tail_length(s, r_eff), lw, scratch);
    total = ens_log_sum_exp(lw, s);
    for (size_t i = 0; i < s; i++)
        lw[i] -= total;
    return k;
}

double ens_psis_n_eff(const double *lw, size_t s, double r_eff)
{
    double sum = 0;

    for (size_t i = 0; i < s; i++)
        sum += exp(2 * lw[i]);
    return r_eff / sum;
}

double ens_weighted_mean(const double *x, const double *lw, size_t s)
{
    double sum = 0;

    for (size_t i = 0; i < s; i++)
        sum += exp(lw[i]) * x[i];
    return sum;
}

double ens_weighted_var(const double *x, const double *lw, size_t s)
{
    double mean = ens_weighted_mean(x, lw, s), sum = 0, squares = 0;

    for (size_t i = 0; i < s; i++) {
        double w = exp(lw[i]);

        sum += w * (x[i] - mean) * (x[i] - mean);
        squares += w * w;
    }
    return squares < 1 ? sum / (1 - squares) : NAN;
}

static int is_uniform(const double *lw, size_t s)
{
    for (size_t i = 1; i < s; i++)
        if (lw[i] != lw[0])
            return 0;
    return 1;
}

double ens_weighted_quantile(const double *x, const double *lw, size_t s,
                             double p, double *work)
{
    double *sorted = work, below = 0, total = 0;
    uint32_t *order = (uint32_t *)(void *)(work + s);

    ens_order(x, s, sorted, order, work + 2 * s);
    if (is_uniform(lw, s))
        return ens_quantile_sorted(sorted, s, p);
    for (size_t i = 0; i < s; i++)
        total += exp(lw[order[i]]);
    for (size_t i = 0; i < s; i++) {
        double w = exp(lw[order[i]]) / total;

        if (below + w >= p && w > 0)
            return i == 0 ? sorted[0]
                          : sorted[i - 1] +
                                (sorted[i] - sorted[i - 1]) * (p - below) / w;
        below += w;
    }
    return sorted[s - 1];
}
