/* Simulation-based calibration: where a truth drawn from the prior ranks among
 * draws of its posterior. Ranks 0 .. n_ranks - 1 are equally likely if the
 * sampler is right (n_ranks = draws + 1).
 * Source: Talts, Betancourt, Simpson, Vehtari and Gelman (2018),
 *         arXiv:1804.06788; the band by Sailynoja, Buerkner and Vehtari (2022),
 *         doi:10.1007/s11222-022-10090-6.
 */
#ifndef ENS_MCMC_SBC_H
#define ENS_MCMC_SBC_H

#include <stddef.h>
#include <stdint.h>

/** Draws of s that are kept with every stride-th from the first one on. */
size_t ens_sbc_kept(size_t s, size_t stride);

/** Stride of about independent draws: s / ess, at least 1; 1 for NaN. */
size_t ens_sbc_stride(size_t s, double ess);

/**
 * Draws x[0], x[stride] ... below truth, 0 .. ens_sbc_kept(s, stride), with
 * ties broken by u, uniform on [0, 1). x and truth are not NaN.
 */
size_t ens_sbc_rank(const double *x, size_t s, size_t stride, double truth,
                    double u);

/** A rank among `from` as one among `to`, by a uniform u on [0, 1): uniform if
 * it was. For ranks of different thinning. */
size_t ens_sbc_rescale(size_t rank, size_t from, size_t to, double u);

/* Below, count[n_ranks] says how often each rank occurred. */

struct ens_sbc_chi2 {
    double statistic, df, p; /* NaN: too few ranks for two bins */
};

/** Of at most max_bins bins with at least 5 expected in each. */
void ens_sbc_chi2(const uint64_t *count, size_t n_ranks, size_t max_bins,
                  struct ens_sbc_chi2 *test);

/**
 * Points at which the ECDF is looked at: the least of n, n_ranks and 1000
 * minus 1, evenly spaced among the ranks; 0: there is nothing to see.
 * (1,000 ranks at 999 points: p 3 ms, gamma 90.)
 */
size_t ens_sbc_points(size_t n, size_t n_ranks);

/** Doubles of work for n ranks. */
size_t ens_sbc_work(size_t n, size_t n_ranks);

/**
 * Largest probability for which the ECDF of n ranks is at all points, with
 * probability conf or more, where its count is more likely than that, taken
 * as twice the smaller tail of the binomial. NaN if there is no point.
 * Method:  bisection of ens_sbc_coverage.
 */
double ens_sbc_gamma(size_t n, size_t n_ranks, double conf, double *work);

/** Probability that it is, for this gamma: recursion over the points, exact
 * but for rounding. */
double ens_sbc_coverage(size_t n, size_t n_ranks, double gamma, double *work);

/** The band: at points i, ranks below at[i] are low[i] .. high[i] of n. */
void ens_sbc_band(size_t n, size_t n_ranks, double gamma, size_t *at,
                  size_t *low, size_t *high);

struct ens_sbc_ecdf {
    double max_diff; /* largest |ECDF - uniform| */
    double at;       /* where, as a share of the ranks */
    double p;        /* of an ECDF as unlikely somewhere; the band at level
                        conf is left if p <= 1 - conf */
};

/** NaN if there is no point. work[ens_sbc_work] of the n ranks counted. */
void ens_sbc_ecdf(const uint64_t *count, size_t n_ranks,
                  struct ens_sbc_ecdf *test, double *work);

#endif
