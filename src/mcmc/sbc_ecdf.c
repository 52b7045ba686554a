/* The count of ranks below a point is binomial. Between points counts grow
 * like those of a Poisson process that is known to end at n, so a step's
 * probabilities depend on its height alone, and so does the work: band times
 * heights per point. */
#include "mcmc/sbc.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

#define MAX_POINTS 999
/* Heights of a step that are less likely than 1e-25 or so are left out. */
#define SPREAD 12

size_t ens_sbc_points(size_t n, size_t n_ranks)
{
    size_t k = n < n_ranks ? n : n_ranks;

    k = k > 0 ? k - 1 : 0;
    return k < MAX_POINTS ? k : MAX_POINTS;
}

/* Number of ranks below point i of k. */
static size_t point(size_t i, size_t k, size_t n_ranks)
{
    return (size_t)((double)(i + 1) * (double)n_ranks / (double)(k + 1) + 0.5);
}

size_t ens_sbc_work(size_t n, size_t n_ranks)
{
    (void)n_ranks;
    return 3 * (n + 1);
}

/* Counts are likely enough from *low (at most so many) to *high (at least). */
static void limits(size_t n, double share, double gamma, size_t *low,
                   size_t *high)
{
    unsigned size = (unsigned)n;
    double mean = (double)n * share, sd = sqrt(mean * (1 - share));
    double far = gsl_cdf_ugaussian_Qinv(gamma / 2) * sd;
    size_t c = mean > far ? (size_t)(mean - far) : 0;

    while (c > 0 &&
           gsl_cdf_binomial_P((unsigned)c - 1, share, size) >= gamma / 2)
        c--;
    while (c < n && gsl_cdf_binomial_P((unsigned)c, share, size) < gamma / 2)
        c++;
    *low = c;
    c = mean + far < (double)n ? (size_t)(mean + far) : n;
    while (c < n && gsl_cdf_binomial_Q((unsigned)c, share, size) >= gamma / 2)
        c++;
    while (c > 0 &&
           gsl_cdf_binomial_Q((unsigned)c - 1, share, size) < gamma / 2)
        c--;
    *high = c;
}

void ens_sbc_band(size_t n, size_t n_ranks, double gamma, size_t *at,
                  size_t *low, size_t *high)
{
    size_t k = ens_sbc_points(n, n_ranks);

    for (size_t i = 0; i < k; i++) {
        at[i] = point(i, k, n_ranks);
        limits(n, (double)at[i] / (double)n_ranks, gamma, low + i, high + i);
    }
}

static double poisson(size_t x, double mean)
{
    return exp((double)x * log(mean) - mean - lgamma((double)x + 1));
}

/* p[0 .. n_max] of a Poisson variate, from its mode on. Returns how many are
 * worth it. */
static size_t poisson_all(double mean, size_t n_max, double *p)
{
    size_t mode = mean < (double)n_max ? (size_t)mean : n_max;
    size_t end = (size_t)(mean + SPREAD * sqrt(mean) + 3 * SPREAD);

    end = end < n_max ? end : n_max;
    p[mode] = poisson(mode, mean);
    for (size_t i = mode; i > 0; i--)
        p[i - 1] = p[i] * (double)i / mean;
    for (size_t i = mode; i < end; i++)
        p[i + 1] = p[i] * mean / (double)(i + 1);
    return end + 1;
}

/* One step of the recursion: probabilities from[lo .. hi] of counts at a point
 * to those at the next one. */
struct span {
    size_t low, high;
};

static void step(const double *from, struct span at, double *to,
                 struct span next, const double *height, size_t n_heights)
{
    memset(to + next.low, 0, (next.high - next.low + 1) * sizeof(*to));
    for (size_t c = at.low; c <= at.high; c++) {
        size_t first = c > next.low ? c : next.low;
        size_t last = c + n_heights - 1;

        last = last < next.high ? last : next.high;
        for (size_t d = first; d <= last; d++)
            to[d] += from[c] * height[d - c];
    }
}

double ens_sbc_coverage(size_t n, size_t n_ranks, double gamma, double *work)
{
    double *from = work, *to = work + n + 1, *height = work + 2 * (n + 1);
    size_t k = ens_sbc_points(n, n_ranks), before = 0;
    struct span at = {0, 0};

    if (k == 0)
        return NAN;
    from[0] = 1;
    for (size_t i = 0; i <= k; i++) {
        size_t below = i < k ? point(i, k, n_ranks) : n_ranks;
        double share = (double)below / (double)n_ranks;
        double mean = (double)n * (double)(below - before) / (double)n_ranks;
        struct span next = {n, n};
        double *swap = from;

        if (i < k)
            limits(n, share, gamma, &next.low, &next.high);
        if (next.low > next.high)
            return 0;
        step(from, at, to, next, height,
             poisson_all(mean, next.high - at.low, height));
        from = to;
        to = swap;
        at = next;
        before = below;
    }
    return fmin(from[n] / poisson(n, (double)n), 1);
}

double ens_sbc_gamma(size_t n, size_t n_ranks, double conf, double *work)
{
    size_t k = ens_sbc_points(n, n_ranks);
    double low = k > 0 ? log((1 - conf) / (double)k) : NAN, high = 0;

    /* all k tails together hold at most 1 - conf at the lower end */
    while (high - low > 1e-8) {
        double middle = (low + high) / 2;

        if (ens_sbc_coverage(n, n_ranks, exp(middle), work) >= conf)
            low = middle;
        else
            high = middle;
    }
    return exp(low);
}

void ens_sbc_ecdf(const uint64_t *count, size_t n_ranks,
                  struct ens_sbc_ecdf *test, double *work)
{
    size_t n = 0, k, c = 0, rank = 0;
    double least = 1;

    for (size_t i = 0; i < n_ranks; i++)
        n += count[i];
    k = ens_sbc_points(n, n_ranks);
    *test = (struct ens_sbc_ecdf){NAN, NAN, NAN};
    for (size_t i = 0; i < k; i++) {
        size_t below = point(i, k, n_ranks);
        double share = (double)below / (double)n_ranks, diff, tail;

        while (rank < below)
            c += count[rank++];
        diff = fabs((double)c / (double)n - share);
        if (!(diff <= test->max_diff)) {
            test->max_diff = diff;
            test->at = share;
        }
        tail = gsl_cdf_binomial_P((unsigned)c, share, (unsigned)n);
        least = fmin(least, 2 * tail);
        tail =
            c > 0 ? gsl_cdf_binomial_Q((unsigned)c - 1, share, (unsigned)n) : 1;
        least = fmin(least, 2 * tail);
    }
    /* the least likely counts are outside of the band just inside of them */
    if (k > 0)
        test->p = 1 - ens_sbc_coverage(n, n_ranks, least * (1 + 1e-9), work);
}
