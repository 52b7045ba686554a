#include "mcmc/sbc.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

size_t ens_sbc_kept(size_t s, size_t stride)
{
    return s / stride + (s % stride != 0);
}

size_t ens_sbc_stride(size_t s, double ess)
{
    double stride = (double)s / ess;

    return stride >= 2 ? (stride < (double)s ? (size_t)stride : s) : 1;
}

size_t ens_sbc_rank(const double *x, size_t s, size_t stride, double truth,
                    double u)
{
    size_t below = 0, equal = 0;

    for (size_t i = 0; i < s; i += stride) {
        below += x[i] < truth;
        equal += x[i] == truth;
    }
    return below + (size_t)(u * (double)(equal + 1));
}

size_t ens_sbc_rescale(size_t rank, size_t from, size_t to, double u)
{
    size_t r;

    if (from == to)
        return rank;
    r = (size_t)(((double)rank + u) / (double)from * (double)to);
    return r < to ? r : to - 1;
}

static uint64_t total(const uint64_t *count, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += count[i];
    return sum;
}

void ens_sbc_chi2(const uint64_t *count, size_t n_ranks, size_t max_bins,
                  struct ens_sbc_chi2 *test)
{
    uint64_t n = total(count, n_ranks);
    size_t bins = max_bins < n_ranks ? max_bins : n_ranks;
    double sum = 0;

    bins = n / 5 < bins ? (size_t)(n / 5) : bins;
    *test = (struct ens_sbc_chi2){NAN, NAN, NAN};
    if (bins < 2)
        return;
    for (size_t b = 0; b < bins; b++) {
        size_t from = b * n_ranks / bins, to = (b + 1) * n_ranks / bins;
        double expected = (double)n * (double)(to - from) / (double)n_ranks;
        double d = (double)total(count + from, to - from) - expected;

        sum += d * d / expected;
    }
    test->statistic = sum;
    test->df = (double)(bins - 1);
    test->p = gsl_cdf_chisq_Q(sum, test->df);
}
