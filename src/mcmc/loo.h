/* Expected log predictive density for data not seen, from the log likelihood
 * of each observation under draws of the posterior: leave-one-out by PSIS.
 * One observation at a time, so a matrix of draws times observations need not
 * exist.
 * Source: Vehtari, Gelman and Gabry (2017), doi:10.1007/s11222-016-9696-4.
 */
#ifndef ENS_MCMC_LOO_H
#define ENS_MCMC_LOO_H

#include <stddef.h>

/** Of one observation; all NaN when a log likelihood is not finite. */
struct ens_loo_point {
    double elpd; /* log predictive density without it */
    double lpd;  /* with it */
    double p;    /* lpd - elpd */
    double mcse; /* of elpd */
    double k;    /* Pareto shape */
    double n_eff;
};

/** Doubles of work for s draws. */
size_t ens_loo_work(size_t s);

/**
 * ll[s] of one observation. r_eff: effective share of the draws of its
 * likelihood (ens_loo_r_eff). lw[s] becomes its leave-one-out log weights.
 */
void ens_loo_point(const double *ll, size_t s, double r_eff, double *lw,
                   struct ens_loo_point *point, double *work);

struct ens_chains;

/** Share of the draws of exp(ll) that are effective, 1 where it cannot be
 * told. c is used for it; work[n m] of it. */
double ens_loo_r_eff(struct ens_chains *c, const double *ll, double *work);

/** Of a data set: sums over observations; se: sqrt(n var). */
struct ens_loo_sums {
    double elpd, elpd_se;
    double p, p_se;
    double mcse; /* of elpd; NaN when a k is above the threshold */
    double k_max;
    double k_threshold;
    size_t n_high; /* above the threshold */
};

/** point[n] of fits with s draws; NaN when n = 0 or one of them is. */
void ens_loo_total(const struct ens_loo_point *point, size_t n, size_t s,
                   struct ens_loo_sums *loo);

#endif
