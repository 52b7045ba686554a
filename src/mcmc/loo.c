#include "mcmc/loo.h"

#include "math/sums.h"
#include "mcmc/chains.h"
#include "mcmc/psis.h"

#include <math.h>

static const struct ens_loo_point no_point = {NAN, NAN, NAN, NAN, NAN, NAN};

size_t ens_loo_work(size_t s)
{
    return ens_psis_work(s);
}

/* Standard error of the weighted mean of the likelihoods, relative to it, and
 * from there to its logarithm as if that were normal. */
static double mcse_of(const double *ll, const double *lw, size_t s,
                      double r_eff, double elpd)
{
    double sum = 0;

    for (size_t i = 0; i < s; i++) {
        double d = exp(lw[i]) * expm1(ll[i] - elpd);

        sum += d * d;
    }
    return sqrt(log1p(sum / r_eff));
}

void ens_loo_point(const double *ll, size_t s, double r_eff, double *lw,
                   struct ens_loo_point *point, double *work)
{
    double k;

    *point = no_point;
    for (size_t i = 0; i < s; i++)
        lw[i] = -ll[i];
    k = ens_psis(lw, s, r_eff, work);
    if (isnan(k))
        return;
    for (size_t i = 0; i < s; i++)
        work[i] = ll[i] + lw[i];
    point->k = k;
    point->elpd = ens_log_sum_exp(work, s);
    point->lpd = ens_log_sum_exp(ll, s) - log((double)s);
    point->p = point->lpd - point->elpd;
    point->mcse = mcse_of(ll, lw, s, r_eff, point->elpd);
    point->n_eff = ens_psis_n_eff(lw, s, r_eff);
}

double ens_loo_r_eff(struct ens_chains *c, const double *ll, double *work)
{
    size_t s = c->n * c->m;
    double top = -INFINITY, ess;

    for (size_t i = 0; i < s; i++)
        top = ll[i] > top ? ll[i] : top;
    /* ESS does not depend on the scale */
    for (size_t i = 0; i < s; i++)
        work[i] = exp(ll[i] - top);
    ens_chains_set(c, work);
    ess = ens_chains_ess_mean(c);
    return isnan(ess) ? 1 : ess / (double)s;
}

void ens_loo_total(const struct ens_loo_point *point, size_t n, size_t s,
                   struct ens_loo_sums *loo)
{
    struct ens_welford elpd = {0}, p = {0};
    double var = 0;

    *loo = (struct ens_loo_sums){.k_max = -INFINITY,
                                 .k_threshold = ens_psis_threshold(s)};
    for (size_t i = 0; i < n; i++) {
        ens_welford_add(&elpd, point[i].elpd);
        ens_welford_add(&p, point[i].p);
        var += point[i].mcse * point[i].mcse;
        if (isnan(point[i].k) || point[i].k > loo->k_max)
            loo->k_max = point[i].k;
        loo->n_high += point[i].k > loo->k_threshold;
    }
    loo->elpd = n > 0 ? elpd.mean * (double)n : NAN;
    loo->p = n > 0 ? p.mean * (double)n : NAN;
    loo->elpd_se = sqrt((double)n * ens_welford_var(&elpd));
    loo->p_se = sqrt((double)n * ens_welford_var(&p));
    loo->mcse = n > 0 && loo->n_high == 0 ? sqrt(var) : NAN;
    if (n == 0)
        loo->k_max = NAN;
}
