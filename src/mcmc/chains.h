/* Diagnostics of the draws of one quantity, as the R package posterior has
 * them: do the chains agree (R-hat), how many independent draws are they
 * worth (ESS), how far off are their mean, sd and quantiles (MCSE).
 *
 * One struct serves all quantities of a fit: init once, set for each, ask.
 *
 *     ens_chains_init(&c, n, m, work);
 *     for (j = 0; j < p; j++) {
 *         ens_chains_set(&c, draws + j * n * m);
 *         rhat[j] = ens_chains_rhat(&c);
 *     }
 *
 * NaN is posterior's NA: any draw is NaN; where ranks will not do, any is
 * infinite or all are within 2.2e-16; for an ESS, fewer than 3 draws in half
 * a chain. Chains are halved first, an odd one without its middle draw.
 *
 * Cost: 10 quantities of 4 chains of 1,000 draws, R-hat, bulk and tail ESS:
 * 1.2 ms.
 */
#ifndef ENS_MCMC_CHAINS_H
#define ENS_MCMC_CHAINS_H

#include <stddef.h>
#include <stdint.h>

struct ens_chains {
    size_t n, m;          /* draws of a chain, chains; n m < 2^32 */
    const double *x;      /* n x m: those of a chain follow each other */
    const double *sorted; /* all of them, ascending; not set when is_nan */
    int is_nan;
    int is_computable; /* finite, and not all the same */
    struct {           /* see chains.c */
        double *sorted, *score, *half, *scratch, *ess;
        uint32_t *order;
    } own;
};

/** Doubles of work for n draws of each of m chains. */
size_t ens_chains_work(size_t n, size_t m);

/** work[ens_chains_work(n, m)] is lent as long as c is in use. */
void ens_chains_init(struct ens_chains *c, size_t n, size_t m, double *work);

/** From now on c is about x[n m], which is lent. */
void ens_chains_set(struct ens_chains *c, const double *x);

/** Larger of the rank-normalised split R-hats of the draws and of their
 * distances from the median; up to 1.01 is good. */
double ens_chains_rhat(const struct ens_chains *c);
/** Split R-hat of the draws themselves. */
double ens_chains_rhat_basic(const struct ens_chains *c);

/** Of rank-normalised draws; 100 a chain is good. */
double ens_chains_ess_bulk(const struct ens_chains *c);
/** Smaller one of the 5 % and 95 % quantiles. */
double ens_chains_ess_tail(const struct ens_chains *c);
double ens_chains_ess_mean(const struct ens_chains *c);
/** Of absolute deviations from the mean, as posterior up to 1.5. */
double ens_chains_ess_sd(const struct ens_chains *c);
/** 0 <= p <= 1. */
double ens_chains_ess_quantile(const struct ens_chains *c, double p);

/* Monte Carlo standard errors, in units of the draws. */
double ens_chains_mcse_mean(const struct ens_chains *c);
double ens_chains_mcse_sd(const struct ens_chains *c);
double ens_chains_mcse_quantile(const struct ens_chains *c, double p);

/**
 * E-BFMI of one chain's energies[n]: mean squared step over their variance;
 * below 0.3 the sampler hardly moves between energies. NaN when n < 2 or the
 * energies do not vary.
 * Source: Betancourt (2016), arXiv:1604.00695.
 */
double ens_ebfmi(const double *energy, size_t n);

#endif
