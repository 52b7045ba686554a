#include "kinds/simulation/measures/quantiles.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#define ONE_SD 0.15865525393145705 /* pnorm(-1) */

static uint64_t clamp(double rank, uint64_t n)
{
    return rank < 1 ? 0 : rank > (double)n ? n - 1 : (uint64_t)rank - 1;
}

void ens_quantile_begin(struct ens_quantile *q, uint64_t n, double prob,
                        union ens_select_memory *memory)
{
    double size = (double)n, h = (size - 1) * prob;
    double a = size * prob + 1, b = size * (1 - prob) + 1;
    uint64_t below = (uint64_t)h;
    const uint64_t rank[4] = {
        below, below + 1 < n ? below + 1 : below,
        clamp(floor(gsl_cdf_beta_Pinv(ONE_SD, a, b) * size), n),
        clamp(ceil(gsl_cdf_beta_Qinv(ONE_SD, a, b) * size), n)};

    q->n = n;
    q->prob = prob;
    ens_select_init(&q->select, n, rank, 4, memory);
}

void ens_quantile_end(const struct ens_quantile *q, double *value, double *mcse)
{
    const double *x = q->select.value;
    double h = (double)(q->n - 1) * q->prob;
    double part = h - floor(h);

    *value = part == 0 ? x[0] : x[0] + part * (x[1] - x[0]);
    *mcse = q->n < 2 ? NAN : (x[3] - x[2]) / 2;
}
